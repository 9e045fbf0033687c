"""The requests of calls, and arguments that are rejected before anything is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_client import UNSET, AuthenticatedClient, Pictify
from pictify_client._runtime.fields import Argument
from pictify_client._runtime.operations import Operation
from pictify_client._runtime.scalars import Boolean, DateTime, Number, String
from pictify_client._runtime.validation import MapOf
from pictify_client.models import Binding, BindingStatus

from .calls import FUNCTIONS, call, sync_client
from .replay import KEY


def unexpected_request(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.url} was sent")


INVALID_ARGUMENTS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"limit": 101}, ValueError, "limit must be at most 100, got 101"),
    ({"limit": 0}, ValueError, "limit must be at least 1, got 0"),
    ({"page": -1}, ValueError, "page must be at least 1, got -1"),
    ({"limit": "20"}, TypeError, "limit must be int, got '20' (str)"),
    ({"limit": 2.0}, TypeError, "limit must be int, got 2.0 (float)"),
    ({"limit": True}, TypeError, "limit must be int, got True (bool)"),
    ({"status": 3}, TypeError, "status must be BindingStatus ('active', 'paused', 'error'), got 3 (int)"),
    (
        {"status": "archive"},
        ValueError,
        "status must be one of 'active', 'paused', 'error', got 'archive'; to send a value that this version does not know, "
        "pass BindingStatus('archive')",
    ),
    ({"template_id": b"tmpl"}, TypeError, "template_id must be str, got b'tmpl' (bytes)"),
    ({"template_id": "\ud800"}, ValueError, "template_id is not valid Unicode: '\\ud800'"),
]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(("arguments", "kind", "text"), INVALID_ARGUMENTS)
def test_an_invalid_argument_is_an_error_before_anything_is_sent(
    function: str, arguments: dict[str, Any], kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind) as caught:
        call(function, httpx.MockTransport(unexpected_request), **arguments)
    assert str(caught.value) == text


def test_a_pager_rejects_an_invalid_argument_at_once() -> None:
    pictify = Pictify(api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(unexpected_request)))
    with pytest.raises(ValueError, match="limit must be at most 100"):
        pictify.bindings.list(limit=500)


@given(template_id=st.text(), status=st.text(), page=st.integers(1, 10**20), limit=st.integers(1, 100))
def test_query_parameters_arrive_unchanged(template_id: str, status: str, page: int, limit: int) -> None:
    urls: list[httpx.URL] = []

    def respond(request: httpx.Request) -> httpx.Response:
        urls.append(request.url)
        return httpx.Response(200, json={})

    status = BindingStatus(status)
    call("sync", httpx.MockTransport(respond), template_id=template_id, status=status, page=page, limit=limit)
    (url,) = urls
    assert url.path == "/bindings"
    assert url.params.multi_items() == [
        ("templateId", template_id),
        ("status", status),
        ("page", str(page)),
        ("limit", str(limit)),
    ]


PING: Operation[object] = Operation(
    "POST",
    "/things/{uid}.{format}",
    path_parameters=(Argument("uid", "uid", String()), Argument("format", "format", String())),
    query_parameters=(
        Argument("quality", "quality", Number(minimum=0.1, maximum=1)),
        Argument("fresh", "fresh", Boolean()),
        Argument("since", "since", DateTime()),
    ),
    body=MapOf(),
    responses={200: lambda document: document},
)


def sent(**arguments: Any) -> httpx.Request:
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={})

    every: dict[str, Any] = {"format": "png", "body": {}, **arguments}
    sync_client(httpx.MockTransport(respond)).send(PING, **every)
    return requests[0]


@given(st.text(min_size=1).filter(lambda uid: uid not in (".", "..")))
def test_every_path_argument_is_one_segment(uid: str) -> None:
    url = sent(uid=uid).url
    path = url.raw_path.decode()
    assert path.count("/") == 2
    assert "?" not in path
    assert unquote(path) == f"/things/{uid}.png"


@pytest.mark.parametrize("uid", ["", ".", ".."])
def test_an_invalid_path_segment_is_an_error(uid: str) -> None:
    with pytest.raises(ValueError, match="uid must not be"):
        PING.target({"uid": uid, "format": "png"})


def test_numbers_booleans_and_times_in_a_query() -> None:
    url = sent(uid="a", quality=1, fresh=True, since=datetime(2026, 1, 29, tzinfo=UTC)).url
    assert dict(url.params) == {"quality": "1", "fresh": "true", "since": "2026-01-29T00:00:00Z"}
    assert dict(sent(uid="a", quality=0.5, fresh=False).url.params) == {"quality": "0.5", "fresh": "false"}
    for quality in (0.01, 1.01, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="quality must be"):
            sent(uid="a", quality=quality)
    with pytest.raises(TypeError, match="quality must be float, got True"):
        sent(uid="a", quality=True)


def test_a_body_may_contain_python_types() -> None:
    body = {
        "a": [Binding(uid="b", render_url="u")],
        "b": datetime(2026, 1, 29, tzinfo=UTC),
        "c": MappingProxyType({"d": None}),
    }
    request = sent(uid="a", body=body)
    assert request.headers["content-type"] == "application/json"
    assert request.content == b'{"a":[{"uid":"b","renderUrl":"u"}],"b":"2026-01-29T00:00:00Z","c":{"d":null}}'
    assert sent(uid="a", body={"name": "Grüße", "status": BindingStatus.PAUSED}).content == (
        '{"name":"Grüße","status":"paused"}'.encode()
    )


def test_members_of_other_enums_are_sent_as_their_value() -> None:
    class Status(str, Enum):  # noqa: UP042
        ACTIVE = "active"

    class Page(IntEnum):
        SECOND = 2

    def respond(request: httpx.Request) -> httpx.Response:
        assert request.url.query == b"status=active&page=2"
        return httpx.Response(200, json={})

    call("sync", httpx.MockTransport(respond), status=Status.ACTIVE, page=Page.SECOND)


class Loop(dict[str, Any]):
    def __init__(self) -> None:
        super().__init__(again=self)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (float("nan"), "a['b'][1] is not a finite number"),
        ({1}, "a['b'][1] is of type set, which JSON does not have"),
        ("\ud800", "a['b'][1] is not valid Unicode"),
        (datetime(2026, 1, 29), "a['b'][1] datetime.datetime(2026, 1, 29, 0, 0) has no time zone"),  # noqa: DTZ001
        (Loop(), "is nested too deeply"),
    ],
)
def test_a_body_that_is_not_json_serializable_is_an_error(value: object, fault: str) -> None:
    with pytest.raises(ValueError, match="the body is not JSON serializable") as caught:
        sent(uid="a", body={"a": {"b": (0, value)}})
    assert fault in str(caught.value)


def test_the_user_agent() -> None:
    agent = sent(uid="a").headers["user-agent"]
    name, python, library = agent.split()
    assert name.startswith("pictify-client/")
    assert python.startswith("python/3.")
    assert library == f"httpx/{httpx.__version__}"


@pytest.mark.parametrize(("value", "is_valid"), [(1.0, False), (1.01, True), (8.99, True), (9, False), (9.5, False)])
def test_limits_that_are_excluded(value: float, is_valid: bool) -> None:
    operation: Operation[Any] = Operation(
        "GET", "/things", query_parameters=(Argument("quality", "quality", Number(above=1, below=9)),)
    )
    if is_valid:
        assert operation.request({"quality": value}).target == f"/things?quality={value}"
    else:
        with pytest.raises(ValueError, match=r"quality must be (more than 1|less than 9), got "):
            operation.request({"quality": value})


def test_a_body_that_may_be_omitted_has_no_content_type() -> None:
    operation: Operation[str] = Operation("POST", "/ping", body=String(), optional_body=True, responses={200: str})
    sent_requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        sent_requests.append(request)
        return httpx.Response(200, json="pong")

    client = AuthenticatedClient(token=KEY, http_client=httpx.Client(transport=httpx.MockTransport(respond)))
    for arguments in ({}, {"body": None}, {"body": "a"}):
        client.send(operation, **{"body": UNSET, **arguments})
    assert [each.content for each in sent_requests] == [b"", b"", b'"a"']
    assert [each.headers.get("content-type") for each in sent_requests] == [None, None, "application/json"]
