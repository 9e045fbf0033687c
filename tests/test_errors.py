"""Errors for unsuccessful responses, whatever the server sends."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, cast

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import pictify_client
from pictify_client import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    BatchStartError,
    ClientClosedError,
    ConfigurationError,
    DecodeError,
    GoneError,
    NotFoundError,
    PacingError,
    PaginationError,
    PictifyError,
    QuotaExceededError,
    RenderFailedError,
    ResponseDecodeError,
    ResponseTooLargeError,
    ServerError,
    WaitTimeoutError,
    WebhookPayloadError,
    WebhookVerificationError,
    errors,
)
from pictify_client._runtime.status_errors import status_error
from pictify_client.api.images import create_image
from pictify_client.errors import ErrorDetail, Problem
from pictify_client.models import BatchState, BatchStatus

from .replay import recording, response_of
from .servers import mocked


def error_of(status: int, headers: dict[str, str] | None = None, **body: Any) -> APIStatusError:
    request = httpx.Request("GET", "https://api.pictify.io/bindings")
    return status_error("GET /bindings", httpx.Response(status, headers=headers, request=request, **body))


def recorded_error(name: str) -> APIStatusError:
    response = response_of(recording(name))
    response.request = httpx.Request("GET", "https://api.pictify.io/bindings")
    return status_error("GET /bindings", response)


BY_STATUS = {
    300: "APIStatusError",
    400: "BadRequestError",
    401: "UnauthorizedError",
    402: "QuotaExceededError",
    403: "ForbiddenError",
    404: "NotFoundError",
    409: "ConflictError",
    410: "GoneError",
    418: "APIStatusError",
    422: "UnprocessableContentError",
    429: "RateLimitError",
    500: "ServerError",
    503: "ServerError",
    524: "ServerError",
    599: "ServerError",
    799: "ServerError",
}


@pytest.mark.parametrize(("status", "name"), BY_STATUS.items())
def test_each_documented_status_has_a_class(status: int, name: str) -> None:
    assert type(error_of(status)) is getattr(errors, name)


def test_all_errors_have_one_base_class() -> None:
    assert issubclass(APITimeoutError, APIConnectionError)
    for kind in (APIConnectionError, APIStatusError, ResponseDecodeError, PaginationError, errors.ConfigurationError):
        assert issubclass(kind, PictifyError)
    for name in set(BY_STATUS.values()):
        assert issubclass(getattr(errors, name), APIStatusError)


def test_only_a_429_for_the_quota_is_about_the_quota() -> None:
    assert type(recorded_error("quota_exceeded")) is QuotaExceededError
    assert type(error_of(422, json={"code": "quota_exceeded"})) is errors.UnprocessableContentError
    assert type(error_of(429, json={"code": "slow_down"})) is errors.RateLimitError


def test_validation_errors_are_listed() -> None:
    assert recorded_error("error_list_of_strings").errors == [
        ErrorDetail("page must be a number"),
        ErrorDetail("limit must be a number"),
    ]
    assert recorded_error("error_list_of_objects").errors == [
        ErrorDetail("must be at most 100", "limit", "too_big"),
        ErrorDetail("is unknown", "status"),
    ]


def test_problem_details() -> None:
    assert recorded_error("problem_details").problem == Problem(
        type="https://api.pictify.io/problems/forbidden",
        title="Forbidden",
        status=403,
        detail="This key may only render.",
        instance="/requests/req_9",
        extensions={
            "errors": [{"field": "authorization", "message": "lacks the scope bindings:read"}],
            "scope": "bindings:read",
        },
    )
    assert recorded_error("unauthorized").problem is None
    bare = error_of(409, {"content-type": "Application/Problem+JSON; charset=utf-8"}, json={"status": True}).problem
    assert bare == Problem("about:blank", None, None, None, None, {})
    untyped = error_of(404, json={"title": "Not Found", "status": 404})
    assert untyped.problem == Problem("about:blank", "Not Found", 404, None, None, {})
    assert untyped.message == "Not Found"


MESSAGES: list[tuple[Any, str]] = [
    ({"message": "m", "error": "e"}, "m"),
    ({"message": "  ", "error": "e"}, "e"),
    ({"message": 7, "error": {"message": "inner"}}, "inner"),
    ({"errors": [{"field": "limit"}, {}, 7, None, {"detail": "d"}]}, "limit: limit; d"),
    (
        {"errors": {"limit": "x"}},
        "Conflict, with a body of type application/json from api.pictify.io that holds no message",
    ),
    ([1], "Conflict, with a body of type application/json from api.pictify.io that holds no message"),
    (None, "Conflict, with a body of type application/json from api.pictify.io that holds no message"),
]


@pytest.mark.parametrize(("body", "message"), MESSAGES)
def test_the_message_of_an_error(body: Any, message: str) -> None:
    assert error_of(409, {"content-type": "application/json"}, content=json.dumps(body)).message == message


def test_the_code_may_be_nested() -> None:
    assert error_of(400, json={"error": {"code": "bad_uid", "message": "no such uid"}}).code == "bad_uid"


def test_an_error_response_without_a_message_is_described() -> None:
    assert error_of(503).message == "Service Unavailable, with an empty body from api.pictify.io"
    assert (
        error_of(500, content=b"<p>").message
        == "Internal Server Error, with a body of type unknown from api.pictify.io that holds no message"
    )
    assert error_of(206, content=b"part").message == (
        "Partial Content, with a part of the body from api.pictify.io, which was not requested"
    )
    assert error_of(301, {"location": "https://elsewhere.example/"}).message == (
        "Moved Permanently, a redirect to 'https://elsewhere.example/'"
    )
    long = error_of(500, {"content-type": "text/plain"}, content=b"\xff" + b"x" * 10_000)
    assert long.message == f"Internal Server Error: '\N{REPLACEMENT CHARACTER}{'x' * 199}'"


RETRY_AFTER: dict[str, float | None] = {
    "0": 0.0,
    "12": 12.0,
    " 12 ": 12.0,
    "1.5": 1.5,
    "-3": None,
    "soon": None,
    "": None,
    "1e3": None,
    "inf": None,
    "9" * 400: None,
    "\N{ARABIC-INDIC DIGIT ONE}": None,
    "Thu, 29 Jan 2026 10:00:30 GMT": 25.0,
    "Thu, 29 Jan 2026 10:00:30": 25.0,
    "Thu, 29 Jan 2026 11:00:30 +0100": 25.0,
    "Thu, 29 Jan 2026 09:00:00 GMT": 0.0,
    "Thu, 99 Jan 2026 09:00:00 GMT": None,
}


@pytest.mark.parametrize(("text", "seconds"), RETRY_AFTER.items())
def test_retry_after_is_seconds_by_the_clock_of_the_server(text: str, seconds: float | None) -> None:
    response = httpx.Response(
        503,
        headers=[(b"date", b"Thu, 29 Jan 2026 10:00:05 GMT"), (b"retry-after", text.encode())],
        request=httpx.Request("GET", "https://api.pictify.io/bindings"),
    )
    assert status_error("GET /bindings", response).retry_after == seconds


def test_retry_after_without_a_date_is_by_the_clock_of_this_machine() -> None:
    assert error_of(503, {"retry-after": "Thu, 29 Jan 1970 10:00:30 GMT"}).retry_after == 0.0


def test_a_rate_limit_may_have_twenty_digits() -> None:
    assert error_of(429, {"x-ratelimit-limit": "9" * 20}).rate_limit.limit == int("9" * 20)


@pytest.mark.parametrize("reset", ["-1", "x", "9" * 30, "9" * 18, "1.5"])
def test_an_invalid_reset_is_none(reset: str) -> None:
    assert error_of(429, {"x-ratelimit-limit": "60", "x-ratelimit-reset": reset}).rate_limit == (60, None, None)


@given(
    status=st.integers(100, 999),
    content=st.binary()
    | st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["message", "error", "errors", "code", "title", "status", "field"]), inner
            )
        ),
    ).map(lambda value: json.dumps(value).encode()),
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "content-type", "x-ratelimit-reset", "x-request-id", "date", "location"]),
        st.text(st.characters(exclude_categories=["Cs", "Cc"])).map(str.encode),
    ),
)
@example(status=500, content=b"[" * 100_000, headers={})
def test_any_unsuccessful_response_becomes_an_error(status: int, content: bytes, headers: dict[str, bytes]) -> None:
    request = httpx.Request("GET", "https://api.pictify.io/bindings")
    raw = [(name.encode(), value) for name, value in headers.items()]
    error = status_error("GET /bindings", httpx.Response(status, headers=raw, content=content, request=request))
    assert error.status_code == status
    assert error.message
    assert str(error).startswith(f"GET /bindings failed with {status}")


REQUEST = httpx.Request("GET", "https://api.pictify.io")
ALL: list[Exception] = [
    error_of(422, {"retry-after": "3"}, json={"message": "m", "errors": ["e"]}),
    error_of(500, content=b"<html>"),
    *(error_of(status) for status in (300, 400, 401, 402, 403, 404, 409, 410, 413, 429)),
    APIConnectionError("lost", REQUEST),
    APITimeoutError("late"),
    ResponseTooLargeError("large", REQUEST),
    ResponseDecodeError("GET /bindings", "why", "a.b", 7, httpx.Response(200)),
    RenderFailedError("1 of 2 failed", [ErrorDetail("broken", "square")], httpx.Response(200)),
    ClientClosedError("the client is closed"),
    ConfigurationError("no key"),
    PaginationError("round and round"),
    PacingError("too far off", 7.5),
    WaitTimeoutError(
        "not done", BatchStatus(batch_id="b", status=BatchState.PROCESSING, total_items=2, completed_items=1)
    ),
    BatchStartError("half", cast("Any", "what was started")),
    WebhookVerificationError("too old"),
    WebhookPayloadError("why", "data.url", 7, b"{}"),
    DecodeError("why", "a.b", 7),
    PictifyError("something else"),
]


def test_these_are_all_public_errors() -> None:
    public = {getattr(pictify_client, name) for name in vars(pictify_client)["__all__"]}
    assert {kind for kind in public if isinstance(kind, type) and issubclass(kind, Exception)} == {*map(type, ALL)}


def pickled(error: Exception) -> Any:
    return pickle.loads(pickle.dumps(error))  # noqa: S301


WAYS: dict[str, Callable[[Any], Any]] = {"pickle": pickled, "copy": copy.copy, "deepcopy": copy.deepcopy}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@ways
@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_an_error_can_be_copied_and_sent_to_another_process(error: Exception, way: Callable[[Any], Any]) -> None:
    again = way(error)
    assert again is not error
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert len(again.args) == len(error.args)
    known = {name: value for name, value in vars(error).items() if name not in ("request", "response")}
    assert {name: vars(again)[name] for name in known} == known
    assert vars(again).keys() == vars(error).keys()
    # Twice, because an error from a worker process may be sent to yet another process.
    assert str(way(again)) == str(error)


class LoudError(APIConnectionError):
    """A user's error class with other arguments."""

    def __init__(self, *, loudly: bool) -> None:
        super().__init__("lost")
        self.loudly = loudly


@ways
def test_a_copy_has_the_causes_and_notes_of_an_error(way: Callable[[Any], Any]) -> None:
    error, first = LoudError(loudly=True), APITimeoutError("late", REQUEST)
    error.attempts = 2
    error.add_note("while rendering the shop")
    error.__cause__ = first
    first.__cause__ = httpx.ReadTimeout("late", request=REQUEST)
    again = way(error)
    assert (again.loudly, again.__notes__, str(again)) == (True, error.__notes__, "lost (after 2 attempts)")
    assert (type(again.__cause__), str(again.__cause__)) == (APITimeoutError, "late")
    assert (type(again.__cause__.__cause__), str(again.__cause__.__cause__)) == (httpx.ReadTimeout, "late")
    assert again.__suppress_context__


def test_a_pickle_has_only_the_message_of_a_cause() -> None:
    error = APIConnectionError("lost")
    error.__cause__ = httpx.ReadError("broken", request=httpx.Request("GET", "https://x", headers={"x": "sesame"}))
    assert b"sesame" not in pickle.dumps(error)
    assert str(pickled(error).__cause__) == "broken"
    error.__cause__ = FileNotFoundError(2, "No such file", "certificates.pem")
    assert str(pickled(error).__cause__) == "[Errno 2] No such file: 'certificates.pem'"

    class LocalError(Exception):
        pass

    response = httpx.Response(500, request=REQUEST)
    for cause in (
        LocalError("known only here"),
        httpx.HTTPStatusError("needs more", request=REQUEST, response=response),
    ):
        error.__cause__ = cause
        assert pickled(error).__cause__ is None
        assert copy.copy(error).__cause__ is cause


def fail() -> None:
    error = error_of(404, json={"message": "gone fishing"})
    error.attempts = 3
    raise error


def test_an_error_of_a_worker_process_is_raised_in_its_parent() -> None:
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as pool,
        pytest.raises(NotFoundError, match="gone fishing") as caught,
    ):
        pool.submit(fail).result()
    assert caught.value.attempts == 3
    assert caught.value.response.json() == {"message": "gone fishing"}


def test_a_server_error_is_the_default_for_statuses_from_500() -> None:
    assert issubclass(ServerError, APIStatusError)
    assert type(error_of(410)) is GoneError


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {}, False),
        (402, {}, False),
        (408, {}, True),
        (422, {}, False),
        (429, {}, False),
        (500, {}, True),
        (503, {}, True),
        (503, {"retriable": False}, True),
        (503, {"retriable": True}, False),
        (504, {}, True),
        (200, {"url": 5}, True),
    ],
)
def test_it_is_known_whether_a_render_may_have_succeeded(status: int, body: dict[str, Any], expected: bool) -> None:
    client = mocked("sync", lambda _: httpx.Response(status, json=body))
    with pytest.raises(PictifyError) as caught:
        create_image.sync(client=client, body={"html": "a"})
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):  # noqa: S301
        assert error.may_have_succeeded is expected


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (httpx.ConnectError, False),
        (httpx.ConnectTimeout, False),
        (httpx.PoolTimeout, False),
        (httpx.ReadTimeout, True),
        (httpx.WriteError, True),
        (httpx.RemoteProtocolError, True),
    ],
)
def test_a_request_that_was_certainly_not_sent_has_not_succeeded(
    raised: type[httpx.TransportError], expected: bool
) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise raised("failed", request=request)

    with pytest.raises(APIConnectionError) as caught:
        create_image.sync(client=mocked("sync", fail), body={"html": "a"})
    assert pickle.loads(pickle.dumps(caught.value)).may_have_succeeded is expected  # noqa: S301
    closed = mocked("sync", fail)
    closed.close()
    with pytest.raises(PictifyError) as raised_error:
        create_image.sync(client=closed, body={"html": "a"})
    assert raised_error.value.may_have_succeeded is False
