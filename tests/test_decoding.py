"""Models are decoded from JSON and serialized to it."""

from __future__ import annotations

import copy
import json
import pickle
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pictify_client import UNSET, DecodeError
from pictify_client._runtime import decoding, readers
from pictify_client._runtime.model import Model
from pictify_client._runtime.readers import format_datetime
from pictify_client.models import (
    Binding,
    BindingList,
    BindingStatus,
    DataSource,
    OutputConfig,
    OutputFormat,
    Pagination,
    RefreshPolicy,
)

from .replay import body_of, without_nulls

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)
date_times = st.datetimes(timezones=st.just(UTC)).map(format_datetime)


def objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    known = st.fixed_dictionaries({}, optional=fields)
    unknown = st.dictionaries(st.text().filter(lambda name: name not in fields), json_values, max_size=2)

    def both(known: dict[str, Any], unknown: dict[str, Any]) -> dict[str, Any]:
        return {**known, **unknown}

    return st.builds(both, known, unknown)


policies = objects(type=st.text(), ttlSeconds=st.integers(), onError=st.text())
outputs = objects(format=st.text(), quality=st.integers(), width=st.integers(), height=st.integers())
sources = objects(
    type=st.text(),
    url=st.text(),
    method=st.text(),
    headers=st.dictionaries(st.text(), st.text()),
    body=json_values,
)
REQUIRED = {"uid": "bind_1", "renderUrl": "https://cdn.pictify.io/1.png"}
bindings = objects(
    name=st.text(),
    templateId=st.text(),
    dataSource=sources,
    mapping=st.dictionaries(st.text(), st.text()),
    defaults=st.dictionaries(st.text(), json_values),
    refreshPolicy=policies,
    outputConfig=outputs,
    status=st.sampled_from(["active", "paused", "error"]) | st.text(),
    webhookUrl=st.text(),
    lastFetchAt=st.none() | date_times,
    lastRenderAt=st.none() | date_times,
    lastError=st.none() | st.text(),
    errorCount=st.integers(),
    createdAt=date_times,
    updatedAt=date_times,
).map(lambda fields: {**REQUIRED, **fields})


@given(bindings)
def test_a_round_trip_is_lossless_and_leaves_its_input_unchanged(document: dict[str, Any]) -> None:
    before = copy.deepcopy(document)
    binding = Binding.from_dict(document)
    assert document == before
    assert without_nulls(binding.to_dict()) == without_nulls(document)
    assert Binding.from_dict(json.loads(json.dumps(binding.to_dict()))) == binding
    assert pickle.loads(pickle.dumps(binding)) == binding  # noqa: S301
    assert copy.deepcopy(binding) == binding


@given(json_values)
def test_any_json_is_decoded_or_is_an_error_with_its_path(value: Any) -> None:
    for model in (Binding, BindingList, DataSource, Pagination, RefreshPolicy):
        for document in ({"bindings": value}, {"dataSource": value}, {"mapping": value}, {"page": value}, value):
            try:
                read = model.from_dict(document)
            except DecodeError as error:
                assert error.reason
                assert not isinstance(document, dict) or error.path
            else:
                json.dumps(read.to_dict())


WRONG: list[tuple[type[Model], Any, str, str]] = [
    (BindingList, [], "", "expected an object, got an array"),
    (BindingList, None, "", "expected an object, got null"),
    (BindingList, {"bindings": {}}, "bindings", "expected an array, got an object"),
    (BindingList, {"bindings": "all"}, "bindings", "expected an array, got a string: 'all'"),
    (BindingList, {"bindings": [REQUIRED, 7]}, "bindings[1]", "expected an object, got a number: 7"),
    (BindingList, {"bindings": [REQUIRED, None, []]}, "bindings[2]", "expected an object, got an array"),
    (Binding, {**REQUIRED, "uid": 7}, "uid", "expected a string, got a number: 7"),
    (Binding, {**REQUIRED, "uid": True}, "uid", "expected a string, got a boolean: True"),
    (Binding, {**REQUIRED, "lastError": []}, "lastError", "expected a string, got an array"),
    (Binding, {**REQUIRED, "status": 3}, "status", "expected a string, got a number: 3"),
    (Binding, {**REQUIRED, "status": {}}, "status", "expected a string, got an object"),
    (Binding, {**REQUIRED, "errorCount": 1.5}, "errorCount", "expected an integer, got a number: 1.5"),
    (Binding, {**REQUIRED, "errorCount": True}, "errorCount", "expected an integer, got a boolean: True"),
    (Binding, {**REQUIRED, "dataSource": {"type": []}}, "dataSource.type", "expected a string, got an array"),
    (Binding, {**REQUIRED, "mapping": ["a"]}, "mapping", "expected an object, got an array"),
    (Binding, {**REQUIRED, "mapping": {"a": 1}}, "mapping.a", "expected a string, got a number: 1"),
    (Binding, {**REQUIRED, "mapping": {"a": "b", "c d": 1}}, "mapping['c d']", "expected a string, got a number: 1"),
    (Binding, {**REQUIRED, "defaults": "x"}, "defaults", "expected an object, got a string: 'x'"),
    (Binding, {**REQUIRED, "createdAt": 1769680805}, "createdAt", "expected a date-time, got a number: 1769680805"),
    (Binding, {**REQUIRED, "createdAt": "2026"}, "createdAt", "expected a date-time, got a string: '2026'"),
    (
        Binding,
        {**REQUIRED, "lastFetchAt": "x" * 98},
        "lastFetchAt",
        f"expected a date-time, got a string: '{'x' * 98}'",
    ),
    (
        Binding,
        {**REQUIRED, "lastFetchAt": "x" * 200},
        "lastFetchAt",
        f"expected a date-time, got a string: '{'x' * 99}...",
    ),
    (Pagination, {"hasNext": "yes"}, "hasNext", "expected a boolean, got a string: 'yes'"),
]


@pytest.mark.parametrize(("model", "document", "path", "reason"), WRONG)
def test_a_decoding_error_names_path_and_reason(model: type[Model], document: Any, path: str, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        model.from_dict(document)
    assert (caught.value.path, caught.value.reason) == (path, reason)
    assert str(caught.value) == (f"{path}: {reason}" if path else reason)


def test_the_path_is_that_of_the_invalid_value() -> None:
    given = {"createdAt": datetime(2026, 1, 29, tzinfo=UTC), "dataSource": DataSource(url="x"), "errorCount": "x"}
    with pytest.raises(DecodeError, match="^errorCount: expected an integer"):
        Binding.from_dict({**REQUIRED, **given})


def test_json_that_is_nested_too_deeply_is_an_error() -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(DecodeError, match="nested too deeply"):
        Binding.from_dict({**REQUIRED, "extra": deep})
    while deep:  # Otherwise the interpreter would deallocate it recursively, on its own stack.
        deep = deep.pop()


READ: list[tuple[Callable[[Any], Any], Any, Any]] = [
    (readers.string, "a", "a"),
    (readers.integer, 7, 7),
    (readers.integer, 7.0, 7),
    (readers.number, 7, 7),
    (readers.number, 0.5, 0.5),
    (readers.boolean, False, False),
    (readers.mapping, {"a": None}, {"a": None}),
    (readers.items, [None], [None]),
]


@pytest.mark.parametrize(("read", "value", "expected"), READ)
def test_readers_accept_values_of_their_type(read: Callable[[Any], Any], value: Any, expected: Any) -> None:
    assert read(value) == expected
    assert type(read(value)) is type(expected)


@pytest.mark.parametrize(
    "read",
    [readers.string, readers.integer, readers.number, readers.boolean, readers.mapping, readers.parse_datetime],
)
def test_readers_reject_null(read: Callable[[Any], Any]) -> None:
    with pytest.raises(DecodeError, match="got null"):
        read(None)


@pytest.mark.parametrize(
    ("document", "reason"), [({}, "it is missing"), ({"uid": None}, "expected a string, got null")]
)
def test_a_missing_required_field_is_an_error(document: dict[str, Any], reason: str) -> None:
    for model, path in ((Binding, "uid"), (BindingList, "bindings[1].uid")):
        with pytest.raises(DecodeError) as caught:
            model.from_dict(document if model is Binding else {"bindings": [REQUIRED, document]})
        assert (caught.value.path, caught.value.reason, caught.value.value) == (path, reason, None)


@pytest.mark.parametrize("value", [True, "7", [], {}])
def test_readers_of_numbers_reject_other_values(value: Any) -> None:
    for read in (readers.number, readers.integer):
        with pytest.raises(DecodeError, match="expected a"):
            read(value)


def test_a_recursive_model_is_decoded_up_to_the_recursion_limit() -> None:
    def take(value: list[Any]) -> list[Any]:
        return [take(item) for item in value]

    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(DecodeError, match="nested too deeply"):
        decoding.decode(take, deep, lambda: deep)
    with pytest.raises(DecodeError, match="nested too deeply"):
        decoding.decode(readers.string, deep, lambda: deep)
    while deep:
        deep = deep.pop()


def test_any_mapping_is_accepted() -> None:
    assert Binding.from_dict(MappingProxyType({**REQUIRED, "defaults": MappingProxyType({"a": 1})})).defaults == {
        "a": 1
    }


def test_an_integer_may_be_a_float_in_json() -> None:
    read = Pagination.from_dict({"total": 20.0}).total
    assert read == 20
    assert isinstance(read, int)


DATE_TIMES = {
    "2026-01-29T10:00:05Z": datetime(2026, 1, 29, 10, 0, 5, tzinfo=UTC),
    "2026-01-29t10:00:05z": datetime(2026, 1, 29, 10, 0, 5, tzinfo=UTC),
    "2026-01-29 10:00:05Z": datetime(2026, 1, 29, 10, 0, 5, tzinfo=UTC),
    "2026-01-29T10:00:05+00:00": datetime(2026, 1, 29, 10, 0, 5, tzinfo=UTC),
    "2026-01-29T10:00:05-00:00": datetime(2026, 1, 29, 10, 0, 5, tzinfo=UTC),
    "2026-01-29T12:00:05+05:30": datetime(2026, 1, 29, 12, 0, 5, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    "2026-01-29T10:00:05.1Z": datetime(2026, 1, 29, 10, 0, 5, 100_000, tzinfo=UTC),
    "2026-01-29T10:00:05.123456789Z": datetime(2026, 1, 29, 10, 0, 5, 123_456, tzinfo=UTC),
    "2026-01-29T10:00:05.123456789z": datetime(2026, 1, 29, 10, 0, 5, 123_456, tzinfo=UTC),
    "2026-01-29T24:00:00Z": datetime(2026, 1, 30, tzinfo=UTC),
    "2026-01-29T24:00Z": datetime(2026, 1, 30, tzinfo=UTC),
    "2016-12-31T23:59:60Z": datetime(2017, 1, 1, tzinfo=UTC),
    "2016-12-31T23:59:60.5z": datetime(2017, 1, 1, tzinfo=UTC),
    "2016-12-31T15:59:60-08:00": datetime(2017, 1, 1, tzinfo=UTC),
    "2026-01-29T10:00:05": datetime(2026, 1, 29, 10, 0, 5, tzinfo=UTC),
}


@pytest.mark.parametrize(("text", "moment"), DATE_TIMES.items())
def test_all_notations_of_a_date_time_are_decoded(text: str, moment: datetime) -> None:
    read = Binding.from_dict({**REQUIRED, "createdAt": text}).created_at
    assert isinstance(read, datetime)
    assert read == moment
    assert read.tzinfo is not None


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-02-30T00:00:00Z", "2026-01-29T25:00:00Z", "9999-12-31T24:00:00Z", "9999-12-31T23:59:60Z"],
)
def test_an_invalid_date_time_is_an_error(text: str) -> None:
    with pytest.raises(DecodeError, match="expected a date-time"):
        Binding.from_dict({**REQUIRED, "createdAt": text})


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_a_date_time_keeps_its_moment(moment: datetime) -> None:
    text = format_datetime(moment)
    assert re.search(r"(Z|[+-]\d\d:\d\d)$", text)
    assert Binding.from_dict({**REQUIRED, "createdAt": text}).created_at == moment.astimezone(UTC)


@pytest.mark.parametrize(
    ("came", "written"),
    [
        ("2026-01-29T12:00:05+05:30", "2026-01-29T12:00:05+05:30"),
        ("2026-01-29T12:00:05-08:00", "2026-01-29T12:00:05-08:00"),
        ("2026-01-29T12:00:05.25Z", "2026-01-29T12:00:05.250Z"),
        ("1890-01-29T12:00:05+00:19:32", "1890-01-29T11:40:33Z"),
    ],
)
def test_a_date_time_keeps_its_offset_if_rfc_3339_allows_it(came: str, written: str) -> None:
    assert Binding.from_dict({**REQUIRED, "createdAt": came}).to_dict() == {**REQUIRED, "createdAt": written}


def test_the_latest_date_times_are_serialized_unchanged() -> None:
    text = "0001-01-01T00:00:00+10:00:30"
    assert Binding.from_dict({**REQUIRED, "createdAt": text}).to_dict() == {**REQUIRED, "createdAt": text}


def test_a_changed_copy_keeps_unknown_fields() -> None:
    binding = Binding.from_dict({**REQUIRED, "team": ["red"]})
    assert attrs.evolve(binding, name="n").to_dict() == {**REQUIRED, "name": "n", "team": ["red"]}


def test_a_serialized_model_is_independent_of_the_model() -> None:
    binding = Binding.from_dict({**REQUIRED, "defaults": {"a": {"b": 1}}, "team": ["red"]})
    document = binding.to_dict()
    document["defaults"]["a"]["b"] = 2
    document["team"].append("blue")
    assert binding.to_dict() == {**REQUIRED, "defaults": {"a": {"b": 1}}, "team": ["red"]}


def test_a_naive_datetime_is_an_error() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Binding(uid="b", render_url="u", created_at=datetime(2026, 1, 29)).to_dict()  # noqa: DTZ001


def test_models_have_keyword_arguments_equality_and_a_repr() -> None:
    output = OutputConfig(format=OutputFormat.WEBP, quality=80)
    assert output == OutputConfig.from_dict({"format": "webp", "quality": 80})
    assert output.to_dict() == {"format": "webp", "quality": 80}
    assert repr(output) == ("OutputConfig(format=<OutputFormat.WEBP: 'webp'>, quality=80, width=None, height=None)")


def test_a_free_form_object_is_a_mapping() -> None:
    binding = Binding.from_dict(body_of("first_page")["bindings"][0])
    assert binding.mapping
    assert binding.mapping["title"] == "product.title"
    assert list(binding.mapping) == ["title", "price"]
    assert (
        dict(binding.mapping.items()) == binding.mapping == {"title": "product.title", "price": "product.price.amount"}
    )
    assert json.loads(json.dumps(binding.defaults)) == {"price": "soon"}


def test_no_repr_contains_possible_secrets_of_a_data_source() -> None:
    binding = Binding.from_dict(
        {**REQUIRED, "dataSource": {"headers": {"X-Token": "sesame"}, "credentials": {"value": "sesame"}}}
    )
    assert "sesame" not in repr(binding)
    assert binding.data_source
    assert binding.data_source.headers == {"X-Token": "sesame"}


@attrs.define(kw_only=True)
class Labelled(Binding):
    label: str = "none"
    seen: list[str] = attrs.field(factory=list[str])


class Counted(Labelled):
    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self.count = 1


@attrs.define(kw_only=True, slots=False)
class Noted(Binding):
    notes: str = "none"

    def __attrs_post_init__(self) -> None:
        self.is_noted = True


@attrs.define(kw_only=True)
class Slotted(Counted):
    more: int = 2

    def __attrs_post_init__(self) -> None:
        self.is_noted = True


class Named:
    """A mixin that is not a model."""

    @property
    def title(self) -> str:
        return f"the {vars(self).get('count', 0)}"


class Mixed(Named, Binding):
    pass


@attrs.define(kw_only=True)
class Stateful(Binding):
    secret: str = "s"

    def __getstate__(self) -> dict[str, Any]:
        return {"uid": self.uid}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.uid = state["uid"]


class Tight(Binding):
    __slots__ = ("label",)


DOCUMENT = {**REQUIRED, "dataSource": {"url": "https://a.example"}, "label": "red"}


@pytest.mark.parametrize("model", [Labelled, Counted, Noted, Slotted, Mixed, Tight])
def test_a_subclass_of_a_model_is_decoded_and_serialized_like_the_model(model: type[Binding]) -> None:
    for binding in (model.from_dict(DOCUMENT), model.__decode__(copy.deepcopy(DOCUMENT))):
        assert type(binding) is model
        assert binding.to_dict() == DOCUMENT
        assert repr(binding).startswith(f"{model.__name__}(uid='bind_1'")
        for again in (copy.copy(binding), copy.deepcopy(binding), pickle.loads(pickle.dumps(binding))):  # noqa: S301
            assert again == binding
            assert getattr(again, "__dict__", None) == getattr(binding, "__dict__", None)
    with pytest.raises(DecodeError, match=r"dataSource.url: expected a string, got a number: 7"):
        model.from_dict({**REQUIRED, "dataSource": {"url": 7}})


def test_the_init_of_a_models_subclass_is_called() -> None:
    labelled = Labelled.from_dict(DOCUMENT)
    assert (labelled.label, labelled.seen) == ("none", [])
    assert labelled.additional_properties == {"label": "red"}
    assert attrs.evolve(labelled, label="blue").label == "blue"
    assert Counted.from_dict(DOCUMENT).count == 1
    noted, slotted = Noted.from_dict(DOCUMENT), Slotted.from_dict(DOCUMENT)
    assert (noted.is_noted, noted.notes, slotted.is_noted, slotted.more, slotted.label) == (
        True,
        "none",
        True,
        2,
        "none",
    )
    assert Mixed.from_dict(DOCUMENT).title == "the 0"

    @attrs.define(kw_only=True)
    class Strict(Binding):
        label: str

    with pytest.raises(TypeError, match="label"):
        Strict.from_dict(DOCUMENT)

    class RaisingInit(Binding):
        def __init__(self, **_: Any) -> None:
            raise ValueError("never")

    # It is not a decoding error.
    with pytest.raises(ValueError, match="^never$"):
        RaisingInit.from_dict(DOCUMENT)


def test_a_subclass_of_a_model_may_customize_decoding_and_pickling() -> None:
    class Own(Binding):
        @classmethod
        def __decode__(cls, d: dict[str, Any]) -> Any:
            return cls(uid=d["uid"].upper(), render_url="")

    class Derived(Own):
        pass

    assert Own.from_dict(DOCUMENT).uid == Derived.from_dict(DOCUMENT).uid == "BIND_1"
    assert type(Derived.from_dict(DOCUMENT)) is Derived
    again = pickle.loads(pickle.dumps(Stateful.from_dict(DOCUMENT)))  # noqa: S301
    assert again.uid == "bind_1"
    assert not hasattr(again, "secret")


def test_a_model_has_no_attributes_but_its_fields() -> None:
    with pytest.raises(AttributeError):
        Binding(uid="b", render_url="u").typo = 1  # type: ignore[attr-defined]


@given(st.text())
@example("ACTIVE")
@example("active")
def test_an_enum_accepts_any_string(value: str) -> None:
    status = BindingStatus(value)
    assert status == value
    assert hash(status) == hash(value)
    assert str(status) == status.value == value
    assert status.is_known == (value in {"active", "paused", "error"})
    assert (status == BindingStatus.ACTIVE) == (value == "active")
    assert BindingStatus(value) == status
    assert pickle.loads(pickle.dumps(status)) == status  # noqa: S301
    assert type(copy.deepcopy(status)) is BindingStatus
    assert json.loads(json.dumps(status)) == value


def test_unknown_values_do_not_join_an_enum() -> None:
    BindingStatus("archived")
    Binding.from_dict({**REQUIRED, "status": "archived"})
    assert list(BindingStatus) == [BindingStatus.ACTIVE, BindingStatus.PAUSED, BindingStatus.ERROR]


def test_an_enum_accepts_only_strings() -> None:
    with pytest.raises(ValueError, match="3 is not a valid BindingStatus"):
        BindingStatus(3)  # type: ignore[arg-type]


def test_unset_is_a_falsy_singleton_with_a_repr() -> None:
    assert not UNSET
    assert repr(UNSET) == str(UNSET) == f"{UNSET}" == "UNSET"
    assert copy.deepcopy(UNSET) is UNSET
    assert pickle.loads(pickle.dumps(UNSET)) is UNSET  # noqa: S301


@pytest.mark.parametrize(
    ("document", "expected"),
    [({"hook": "a"}, "a"), ({}, None), ({"hook": None}, None), ({"other": 1}, None)],
)
def test_an_object_may_lack_the_value_that_it_wraps(document: dict[str, Any], expected: str | None) -> None:
    assert readers.unwrap_or_none("hook", readers.string)(document) == expected


def test_a_value_that_may_be_wrapped_is_recognized_by_its_fields() -> None:
    read = readers.unwrap_or_none("hook", readers.mapping, "uid")
    assert read({"uid": "a"}) == {"uid": "a"}
    assert read({"hook": {"uid": "a"}}) == {"uid": "a"}
    assert read({}) is None
