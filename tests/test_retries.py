"""Retries: the retry policy by itself, and the clients that use it."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_client import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncPictify,
    ConfigurationError,
    NotFoundError,
    Pictify,
    PictifyError,
    QuotaExceededError,
    RateLimitError,
    ResponseDecodeError,
    ServerError,
)
from pictify_client._runtime.retries import Retries, wait_before_retry, was_never_sent
from pictify_client._runtime.status_errors import status_error

from .replay import KEY
from .test_batches import FakeClock

NOW = 1_800_000_000.0
RETRYABLE_STATUSES = (408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524)
IDEMPOTENT_METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")


def status_error_of(status: int, body: Any = None, **headers: str) -> APIStatusError:
    request = httpx.Request("GET", "https://api.pictify.io/")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status_error("GET /", httpx.Response(status, json=body, headers=named, request=request))


def connection_error_from(cause: Exception) -> APIConnectionError:
    error = APIConnectionError("it failed")
    error.__cause__ = cause
    error.may_have_succeeded = not was_never_sent(cause)
    return error


def wait(method: str, error: PictifyError, attempt: int = 1, *, jitter: float = 1.0, **options: Any) -> float | None:
    retries = Retries(**{"max_retries": 2, "max_wait": 60, **options})
    return wait_before_retry(method, attempt, error, retries, now=NOW, jitter=lambda: jitter)


@pytest.mark.parametrize("method", IDEMPOTENT_METHODS)
def test_idempotent_requests_are_retried_after_temporary_errors(method: str) -> None:
    statuses = [status for status in range(300, 600) if wait(method, status_error_of(status)) is not None]
    assert statuses == list(RETRYABLE_STATUSES)
    for cause in (httpx.ConnectError("c"), httpx.ReadTimeout("r"), httpx.ReadError("r"), OSError()):
        assert wait(method, connection_error_from(cause)) == 0.5


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_billed_requests_are_retried_only_if_they_cannot_have_been_processed(method: str) -> None:
    assert [status for status in range(300, 600) if wait(method, status_error_of(status)) is not None] == []
    with_retry_after = [
        status for status in range(300, 600) if wait(method, status_error_of(status, retry_after="1")) is not None
    ]
    assert with_retry_after == [429, 503]
    reset = {"x_ratelimit_reset": str(int(NOW) + 9)}
    assert [status for status in range(300, 600) if wait(method, status_error_of(status, **reset)) is not None] == [429]
    for unsent in (httpx.ConnectError("c"), httpx.ConnectTimeout("c"), httpx.PoolTimeout("p")):
        assert wait(method, connection_error_from(unsent)) == 0.5
    for cause in (
        httpx.ReadTimeout("r"),
        httpx.WriteTimeout("w"),
        httpx.ReadError("r"),
        httpx.WriteError("w"),
        OSError(),
    ):
        assert wait(method, connection_error_from(cause)) is None
    assert wait(method, APIConnectionError("it failed")) is None


def caused_by(error: Exception, root: Exception) -> Exception:
    error.__cause__ = root
    return error


def test_no_render_is_billed_twice_if_a_custom_transport_reports_a_lost_connection_as_a_connect_error() -> None:
    # httpx-aiohttp does this.
    hung_up = type("ServerDisconnectedError", (Exception,), {})()
    reset = type("ClientOSError", (OSError,), {})()
    no_connection = type("ClientConnectorDNSError", (type("ClientConnectorError", (OSError,), {}),), {})()
    too_late = type("ConnectionTimeoutError", (TimeoutError,), {})()
    for root in (hung_up, reset, TimeoutError(), ConnectionResetError()):
        assert wait("POST", connection_error_from(caused_by(httpx.ConnectTimeout("c"), root))) is None
        assert wait("GET", connection_error_from(caused_by(httpx.ConnectTimeout("c"), root))) == 0.5
        named_again = caused_by(httpx.ConnectTimeout("no time left"), caused_by(httpx.ConnectTimeout("c"), root))
        assert wait("POST", connection_error_from(named_again)) is None
    for root in (no_connection, too_late, ConnectionRefusedError(), socket.gaierror(), httpx.ConnectTimeout("c")):
        assert (
            wait(
                "POST",
                connection_error_from(caused_by(httpx.ConnectTimeout("c"), caused_by(httpx.ConnectError("c"), root))),
            )
            == 0.5
        )
        assert wait("POST", connection_error_from(caused_by(httpx.ConnectError("c"), root))) == 0.5


@pytest.mark.parametrize("method", [*IDEMPOTENT_METHODS, "POST"])
def test_exceeded_quotas_and_invalid_responses_are_not_retried(method: str) -> None:
    for status in (402, 429):
        error = status_error_of(status, {"code": "quota_exceeded", "message": "none left"}, retry_after="1")
        assert isinstance(error, QuotaExceededError)
        assert wait(method, error) is None
    response = httpx.Response(200, request=httpx.Request("GET", "https://api.pictify.io/"))
    assert wait(method, ResponseDecodeError("GET /", "it is empty", "", None, response)) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 8.75),
        ({"retry_after": "0"}, 0.5),
        ({"retry_after": "1.5"}, 2.0),
        ({"retry_after": "60"}, 60.0),
        ({"retry_after": "60.1"}, None),
        ({"retry_after": "999999999999"}, None),
        ({"retry_after": "-3"}, 0.5),
        ({"retry_after": "soon"}, 0.5),
        ({"retry_after": "Fri, 15 Jan 2027 08:00:09 GMT", "date": "Fri, 15 Jan 2027 08:00:00 GMT"}, 11.25),
        ({"retry_after": "7", "x_ratelimit_reset": str(int(NOW) + 9)}, 8.75),
        ({"x_ratelimit_reset": str(int(NOW) + 9)}, 11.25),
        ({"x_ratelimit_reset": str(int(NOW) + 61)}, None),
        ({"x_ratelimit_reset": str(int(NOW))}, 0.5),
        ({"x_ratelimit_reset": str(int(NOW) - 9)}, 0.5),
    ],
)
def test_the_wait_is_the_one_that_the_api_requests(headers: dict[str, str], seconds: float | None) -> None:
    assert wait("GET", status_error_of(429, **headers)) == seconds


def test_the_rate_limit_reset_is_ignored_for_other_statuses() -> None:
    assert wait("GET", status_error_of(500, x_ratelimit_reset=str(int(NOW) + 9))) == 0.5


def test_a_reset_in_less_than_a_second_is_waited_for() -> None:
    error = status_error_of(429, x_ratelimit_reset=str(int(NOW)))
    assert wait_before_retry("GET", 1, error, Retries(2, 60), now=NOW - 0.25, jitter=lambda: 0.0) == 0.25


def test_the_backoff_doubles_up_to_eight_seconds() -> None:
    waits = [wait("GET", status_error_of(500), attempt, max_retries=7) for attempt in range(1, 8)]
    assert waits == [0.5, 1, 2, 4, 8, 8, 8]


@given(retry_after=st.integers(0, 60), jitter=st.floats(0, 1))
def test_waits_after_the_same_retry_after_have_jitter(retry_after: int, jitter: float) -> None:
    earliest, latest, chosen = (
        wait("GET", status_error_of(429, retry_after=f"{retry_after}"), jitter=each, max_wait=70)
        for each in (0, 1, jitter)
    )
    assert earliest is not None
    assert latest is not None
    assert chosen is not None
    assert retry_after == earliest <= chosen <= latest
    assert latest - earliest == min(max(retry_after / 4, 0.5), 8)


@given(attempt=st.integers(1, 50), jitter=st.floats(0, 1))
def test_the_backoff_has_full_jitter_and_a_maximum(attempt: int, jitter: float) -> None:
    seconds = wait("GET", status_error_of(500), attempt, jitter=jitter, max_retries=50)
    assert seconds == jitter * min(0.5 * 2 ** (attempt - 1), 8.0)


def test_retries_end_after_max_retries() -> None:
    for most in range(4):
        tried = [
            attempt
            for attempt in range(1, 6)
            if wait("GET", status_error_of(500), attempt, max_retries=most) is not None
        ]
        assert tried == list(range(1, most + 1))
    assert wait("GET", status_error_of(500), max_wait=0.4) is None


@pytest.mark.parametrize(
    "options",
    [
        {"max_retries": -1},
        {"max_retries": 1.5},
        {"max_retries": True},
        {"max_wait": -1},
        {"max_wait": "2"},
        {"max_wait": 31_536_001},
    ],
)
def test_invalid_retry_options_are_rejected(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(ConfigurationError, match=f"{name} must be a number from 0,"):
        Pictify(api_key=KEY, **options)
    with pytest.raises(ConfigurationError, match=f"{name} must be a number from 0,"):
        AsyncPictify(api_key=KEY).with_options(**options)
    assert Pictify(api_key=KEY, max_retries=0, max_wait=0).client.base_url
    assert Pictify(api_key=KEY, max_wait=31_536_000).client.base_url


Script = list[httpx.Response | Exception]


class Api:
    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[str] = []
        self.clock = FakeClock()
        self.clock.jitter = lambda: 0.5  # type: ignore[method-assign]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(f"{request.method} {request.headers.get('authorization')}")
        response = self.script.pop(0)
        if isinstance(response, Exception):
            raise response
        return response


def run(form: str, script: Script, call: Callable[[Any], Any], **options: Any) -> tuple[Any, Api]:
    api = Api(script)
    transport = httpx.MockTransport(api)
    if form == "sync":
        pictify = Pictify(api_key=KEY, http_client=httpx.Client(transport=transport))
        pictify.client.clock = api.clock
        return result_or_error(lambda: call(pictify.with_options(**options))), api

    async def arun() -> Any:
        apictify = AsyncPictify(api_key=KEY, http_client=httpx.AsyncClient(transport=transport))
        apictify.client.clock = api.clock
        try:
            return await call(apictify.with_options(**options))
        except PictifyError as error:
            return error

    return anyio.run(arun), api


def result_or_error(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except PictifyError as error:
        return error


forms = pytest.mark.parametrize("form", ["sync", "async"])


def good() -> httpx.Response:
    return httpx.Response(
        200, json={"template": {"uid": "t", "name": "n"}, "url": "u", "id": "i", "createdAt": "2026-01-29T10:00:05Z"}
    )


@forms
def test_a_call_succeeds_after_temporary_errors(form: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pictify_client")
    script: Script = [
        httpx.ConnectError("connection refused"),
        httpx.Response(503, headers={"retry-after": "3"}),
        good(),
    ]
    template, api = run(form, script, lambda pictify: pictify.templates.get("t"))
    assert template.uid == "t"
    assert api.requests == [f"GET Bearer {KEY}"] * 3
    assert api.clock.waits == [0.25, 3.375]
    first, second = (text for record in caplog.records if "Retrying " in (text := record.getMessage()))
    assert first.startswith("Retrying GET /templates/{uid} in 0.2 s, after attempt 1: ")
    assert second.startswith("Retrying GET /templates/{uid} in 3.4 s, after attempt 2: ")
    assert KEY not in caplog.text


@forms
def test_the_last_error_has_the_number_of_attempts_and_is_chained_to_the_first(form: str) -> None:
    script: Script = [httpx.ReadTimeout("slow"), httpx.Response(500), httpx.Response(502)]
    error, api = run(form, script, lambda pictify: pictify.templates.get("t"))
    assert isinstance(error, ServerError)
    assert (error.attempts, len(api.requests)) == (3, 3)
    assert str(error).startswith("GET /templates/t failed with 502 (after 3 attempts): Bad Gateway")
    assert isinstance(error.__cause__, APITimeoutError)
    assert isinstance(error.__cause__.__cause__, httpx.ReadTimeout)
    error, _ = run(
        form, [httpx.ConnectError("a"), httpx.ConnectError("b")], lambda p: p.templates.get("t"), max_retries=1
    )
    assert str(error).endswith(" (after 2 attempts)")
    error, _ = run(form, [httpx.Response(404)], lambda pictify: pictify.templates.get("t"))
    assert isinstance(error, NotFoundError)
    assert (error.attempts, "attempts" in str(error)) == (1, False)


@forms
def test_a_render_is_not_retried_after_it_may_have_been_processed(form: str) -> None:
    for response in (httpx.ReadTimeout("slow"), httpx.Response(502), httpx.Response(500), httpx.Response(429)):
        error, api = run(form, [response], lambda pictify: pictify.images.create(html="<p>"))
        assert isinstance(error, PictifyError)
        assert (len(api.requests), api.clock.waits) == (1, [])
    script: Script = [httpx.PoolTimeout("full"), httpx.Response(429, headers={"retry-after": "2"}), good()]
    image, api = run(form, script, lambda pictify: pictify.images.create(html="<p>"))
    assert (image.url, len(api.requests)) == ("u", 3)


@forms
def test_a_retry_sends_the_same_body_even_from_a_generator(form: str) -> None:
    contents: list[bytes] = []

    def keep(request: httpx.Request) -> None:
        contents.append(request.content)

    async def akeep(request: httpx.Request) -> None:
        keep(request)

    api = Api([httpx.Response(503, headers={"retry-after": "1"}), good()])
    transport = httpx.MockTransport(api)
    tags = (tag for tag in ("a", "b"))
    if form == "sync":
        http_client = httpx.Client(transport=transport, event_hooks={"request": [keep]})
        pictify = Pictify(api_key=KEY, http_client=http_client)
        pictify.client.clock = api.clock
        pictify.templates.create(name="n", tags=tags)
    else:
        ahttp_client = httpx.AsyncClient(transport=transport, event_hooks={"request": [akeep]})
        apictify = AsyncPictify(api_key=KEY, http_client=ahttp_client)
        apictify.client.clock = api.clock

        async def create() -> None:
            await apictify.templates.create(name="n", tags=tags)

        anyio.run(create)
    assert contents == [b'{"name":"n","tags":["a","b"]}'] * 2


@forms
def test_a_wait_beyond_max_wait_is_an_error_that_names_it(form: str) -> None:
    script: Script = [httpx.Response(429, headers={"retry-after": "61"})]
    error, api = run(form, script, lambda pictify: pictify.templates.get("t"))
    assert isinstance(error, RateLimitError)
    assert "retry after 61 s" in str(error)
    assert api.clock.waits == []
    script = [httpx.Response(429, headers={"retry-after": "61"}), good()]
    template, api = run(form, script, lambda pictify: pictify.templates.get("t"), max_wait=61)
    assert (template.uid, api.clock.waits) == ("t", [61.0])


@forms
def test_the_retry_options_of_a_copy_are_independent(form: str) -> None:
    error, api = run(form, [httpx.Response(500)], lambda pictify: pictify.templates.get("t"), max_retries=0)
    assert (error.attempts, len(api.requests)) == (1, 1)
    script: Script = [*[httpx.Response(500)] * 5, good()]
    template, _ = run(form, script, lambda p: p.with_options(attempt_timeout=3).templates.get("t"), max_retries=5)
    assert template.uid == "t"


@forms
def test_files_are_retried_too(form: str) -> None:
    script: Script = [httpx.Response(500), httpx.Response(200, content=b"png")]
    image, _ = run(form, script, lambda pictify: pictify.url_rendering.render_binding("b", "png"))
    assert image.content_length == 3
    script = [httpx.Response(500), httpx.Response(500), httpx.Response(500)]
    error, api = run(form, script, lambda pictify: pictify.url_rendering.render_binding("b", "png"))
    assert (error.attempts, len(api.requests)) == (3, 3)


def test_cancelling_a_task_ends_its_wait() -> None:
    api = Api([httpx.Response(500), good()])
    pictify = AsyncPictify(api_key=KEY, http_client=httpx.AsyncClient(transport=httpx.MockTransport(api)))

    class EndlessClock(FakeClock):
        async def asleep(self, seconds: float) -> None:
            self.waits.append(seconds)
            await anyio.sleep_forever()

    clock = pictify.client.clock = EndlessClock()

    async def cancelled() -> None:
        async with anyio.create_task_group() as group:

            async def call() -> None:
                await pictify.templates.get("t")

            group.start_soon(call)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()

    anyio.run(cancelled)
    assert (len(api.requests), len(clock.waits)) == (1, 1)
