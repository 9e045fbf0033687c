"""Unions: how their values are validated, serialized and decoded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pictify_client._runtime.decoding import decode
from pictify_client._runtime.fields import Argument, Schema
from pictify_client._runtime.model import Model
from pictify_client._runtime.operations import Operation
from pictify_client._runtime.readers import integer, items, mapping, string
from pictify_client._runtime.scalars import Boolean, Choice, Integer, String
from pictify_client._runtime.secrets import secrets_of
from pictify_client._runtime.unions import one_of, tagged
from pictify_client._runtime.validation import ListOf, MapOf, Nullable, Object, OneOf
from pictify_client.errors import DecodeError
from pictify_client.models import BindingStatus, DataSource, RefreshPolicy

SOURCE, POLICY = Object(DataSource), Object(RefreshPolicy)
SECRET = String(pattern="^[a-z]+$", secret=True)
TAGGED = OneOf(SOURCE, POLICY, Boolean(), tag="type", tags={"http": SOURCE, "ttl": POLICY})


@pytest.mark.parametrize(
    ("schema", "value", "written"),
    [
        (Nullable(String()), None, None),
        (Nullable(String()), "a", "a"),
        (ListOf(Nullable(Integer())), [1, None], [1, None]),
        (OneOf(Integer(), String()), "a", "a"),
        (OneOf(Integer(), String()), 5, 5),
        (OneOf(ListOf(Integer()), ListOf(String())), iter(["a", "b"]), ["a", "b"]),
        (OneOf(SOURCE, String()), DataSource(type="http"), {"type": "http"}),
        (OneOf(String(), SOURCE), {"type": "http"}, {"type": "http"}),
        (TAGGED, {"type": "http", "url": "u"}, {"type": "http", "url": "u"}),
        (TAGGED, DataSource(type="http"), {"type": "http"}),
        (TAGGED, True, True),
    ],
)
def test_a_value_is_serialized_as_the_type_that_accepts_it(schema: Schema, value: Any, written: Any) -> None:
    assert schema.serialize(value, "that") == written


@pytest.mark.parametrize(
    ("schema", "value", "error", "text"),
    [
        (
            OneOf(Integer(), Boolean()),
            "a",
            TypeError,
            "expected types: that must be int, got 'a' (str); that must",
        ),
        (OneOf(Integer(maximum=9), Boolean()), 10, ValueError, "that must be at most 9, got 10; that must be bool"),
        (TAGGED, {"type": "ftp"}, ValueError, "that.type must be one of 'http', 'ttl', got 'ftp'"),
        (TAGGED, {}, ValueError, "that.type must be one of 'http', 'ttl', got None"),
        (TAGGED, RefreshPolicy(type="etag"), ValueError, "that.type of RefreshPolicy must be 'ttl', got 'etag'"),
        (
            OneOf(SOURCE, Boolean()),
            RefreshPolicy(),
            TypeError,
            "that must be DataSource or a mapping, got RefreshPolicy",
        ),
        (OneOf(Integer(), SECRET), "Sesame", ValueError, "that must match ^[a-z]+$, got a secret"),
    ],
)
def test_a_value_that_no_type_accepts_is_an_error_with_the_reasons(
    schema: Schema, value: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error) as caught:
        schema.serialize(value, "that")
    assert text in str(caught.value)
    assert "Sesame" not in str(caught.value)


def test_secrets_are_found_in_nested_values() -> None:
    schema = OneOf(ListOf(Nullable(SECRET)), MapOf(SECRET))
    assert list(secrets_of(schema, ["sesame", None])) == list(secrets_of(schema, {"a": "sesame"})) == ["sesame"]


def test_a_choice_may_be_a_union() -> None:
    assert OneOf(Choice(BindingStatus), String()).serialize("else", "that") == "else"


def status(value: Any) -> Any:
    return BindingStatus.by_value[value]


def sources(value: Any) -> list[DataSource]:
    return [DataSource.__decode__(item) for item in items(value)]


READ: list[tuple[tuple[Callable[[Any], Any], ...], Any, Any]] = [
    ((integer, string), "a", "a"),
    ((string, integer), 5, 5),
    ((mapping, DataSource.__decode__), {"type": "http", "other": 1}, "DataSource"),
    ((DataSource.__decode__, mapping), {"other": 1}, "DataSource"),
    ((status, string), "active", "BindingStatus"),
    ((status, string), "else", "else"),
    ((items, string), ["a"], ["a"]),
    ((sources, items), [{"type": "http"}], ["DataSource"]),
]


@pytest.mark.parametrize(("readers", "value", "expected"), READ)
def test_a_value_is_decoded_as_the_type_with_the_fewest_unknown_fields(readers: Any, value: Any, expected: Any) -> None:
    before = json.dumps(value)
    found = one_of(value, *readers)

    def named(each: Any) -> Any:
        return type(each).__name__ if isinstance(each, Model | BindingStatus) else each

    assert (list(map(named, items(found))) if isinstance(found, list) else named(found)) == expected
    assert json.dumps(value) == before


def test_a_value_is_decoded_by_its_discriminator() -> None:
    readers = {"http": DataSource.__decode__, "ttl": RefreshPolicy.__decode__}
    assert type(tagged({"type": "ttl"}, "type", readers)) is RefreshPolicy
    assert tagged("a", "type", readers, string) == "a"
    for value, text in (({"type": "ftp"}, "its type is 'ftp', not one of 'http', 'ttl'"), ("a", "an object")):
        with pytest.raises(DecodeError, match=text):
            tagged(value, "type", readers)


def test_a_value_that_no_type_can_decode_is_an_error_with_the_reasons() -> None:
    with pytest.raises(
        DecodeError, match="none of the expected types: expected an integer, got null; expected a string, got null"
    ):
        one_of(None, integer, string)
    with pytest.raises(DecodeError, match="DataSource: expected an object, got an integer|DataSource: "):
        one_of(5, DataSource.__decode__, string)


def failure(value: Any, *readers: Callable[[Any], Any]) -> DecodeError:
    """The error for a field `a`, decoded like in a generated model."""

    def take(body: dict[str, Any]) -> Any:
        return one_of(body.pop("a"), *readers)

    with pytest.raises(DecodeError) as caught:
        decode(take, {"a": value}, lambda: {"a": value})
    return caught.value


def test_no_error_contains_a_possible_secret() -> None:
    def secret(_: Any) -> Any:
        raise DecodeError("expected a secret", secret=True)

    for readers in ((secret, integer), (integer, secret)):
        error = failure("sesame", *readers)
        assert (error.path, error.value) == ("a", None)
    assert failure("shown", integer, mapping).value == "shown"


def test_the_path_of_an_invalid_list_is_that_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    # A Python without the C encoder iterates over lists.
    monkeypatch.setattr("json.encoder.c_make_encoder", None)
    assert failure(["x", "y"], integer, string).path == "a"


def operation(style: Any, schema: Schema, place: str) -> Operation[Any]:
    parameters: Any = {f"{place}_parameters": (Argument("that", "that", schema, style=style),)}
    return Operation("GET", "/ping/{that}" if place == "path" else "/ping", **parameters)


@pytest.mark.parametrize(
    ("style", "value", "target"),
    [
        ("", ["a b", "c"], "that=a%20b&that=c"),
        ("", {"a": "b", "c": None}, "a=b"),
        ("comma", ["a&", 1, True], "that=a%26,1,true"),
        ("comma", {"a": "b", "c": 1}, "that=a,b,c,1"),
        ("pairs", {"a": "b", "c": 1}, "that=a=b,c=1"),
        ("space", ["a", "b"], "that=a%20b"),
        ("bar", ["a", "b"], "that=a%7Cb"),
        ("deep", {"a": "b", "c": 1}, "that%5Ba%5D=b&that%5Bc%5D=1"),
        ("comma", [], ""),
        ("", [], ""),
    ],
)
def test_a_list_or_object_parameter_is_serialized_in_its_style(style: Any, value: Any, target: str) -> None:
    schema: Schema = MapOf() if isinstance(value, dict) else ListOf(Nullable(OneOf(Boolean(), Integer(), String())))
    arguments: dict[str, Any] = {"that": value}
    known = operation(style, schema, "query").request(arguments).target
    assert known == (f"/ping?{target}" if target else "/ping")


def test_headers_and_paths_take_values_of_all_types() -> None:
    assert operation("comma", ListOf(Integer()), "header").request({"that": [1, 2]}).headers == {"that": "1,2"}
    assert operation("", Boolean(), "header").request({"that": True}).headers == {"that": "true"}
    assert operation("comma", ListOf(Integer()), "header").request({"that": []}).headers == {}
    assert operation("", Boolean(), "header").request({}).headers == {}
    assert operation("comma", ListOf(String()), "path").request({"that": ["a", "b/"]}).target == "/ping/a,b%2F"
    with pytest.raises(ValueError, match=r"that\[0\] must not contain ',', which separates the items of that"):
        operation("comma", ListOf(String()), "header").request({"that": ["a,b"]})
    with pytest.raises(ValueError, match=r"that\['a,b'\] must not contain ','"):
        operation("pairs", MapOf(String()), "path").request({"that": {"a,b": "c"}})
