"""Calls respect their timeouts, whatever the server does: over real sockets, and with a fake clock."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from threading import Event
from time import monotonic
from typing import Any

import anyio
import httpx
import pytest

from pictify_client import (
    APIConnectionError,
    APITimeoutError,
    AuthenticatedClient,
    PacingError,
    PictifyError,
    RequestEvent,
    ServerError,
)
from pictify_client._runtime import connections, slots
from pictify_client.api.bindings import list_bindings
from pictify_client.api.images import create_image
from pictify_client.api.url_rendering import render_binding_url

from .replay import KEY
from .servers import TEST_TIMEOUT, Connection, call, client_of, close, forms, good, http, mocked, run, served, streaming
from .test_batches import FakeClock
from .test_secrets import all_texts_of

SHORT = 0.05
HEAD = b"HTTP/1.1 200 OK\r\nx-slow: "
BODY = b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n"
FILE = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"
HTML = {"html": "<p>"}
PNG = {"binding_id": "b", "format": "png"}


class InstantClock(FakeClock):
    """A clock that measures real time, but whose sleeps return at once."""

    def monotonic(self) -> float:
        return monotonic()

    def jitter(self) -> float:
        return 0.0


def trickling(start: bytes) -> Callable[[Connection], None]:
    def handle(connection: Connection) -> None:
        connection.receive()
        connection.send(start)
        connection.trickle(b"x")

    return handle


def silent(connection: Connection) -> None:
    connection.receive()
    connection.receive()


@forms
@pytest.mark.parametrize("start", [HEAD, BODY])
def test_a_response_that_trickles_in_exceeds_the_timeout(form: str, start: bytes) -> None:
    with served(trickling(start)) as server:

        async def test() -> None:
            async with client_of(server, attempt_timeout=SHORT) as client:
                text = r"no response from http://127\S+ in time \(0.05 s for one attempt; set by attempt_timeout=\)"
                with pytest.raises(APITimeoutError, match=text):
                    await call(form, list_bindings, client)
                assert server.all_closed()

        run(form, test)


@forms
def test_a_response_that_trickles_in_is_retried(form: str) -> None:
    responses = [trickling(HEAD), good]

    def handle(connection: Connection) -> None:
        responses.pop(0)(connection)

    with served(handle) as server:

        async def test() -> None:
            async with client_of(server, attempt_timeout=0.2, max_retries=1) as client:
                client.clock = InstantClock()
                assert (await call(form, list_bindings, client)).bindings == []

        run(form, test)
    assert len(server.requests) == 2


@forms
def test_the_timeout_of_a_call_covers_all_attempts(form: str) -> None:
    clock = FakeClock()
    clock.jitter = lambda: 1.0  # type: ignore[method-assign]
    limits: list[float] = []

    def silent(request: httpx.Request) -> httpx.Response:
        limits.append(request.extensions["timeout"]["read"])
        clock.now += limits[-1]
        raise httpx.ReadTimeout("silence", request=request)

    async def test() -> None:
        client = mocked(form, silent, timeout=25, attempt_timeout=httpx.Timeout(10), max_retries=9)
        client.clock = clock
        started = clock.now
        with pytest.raises(APITimeoutError) as caught:
            await call(form, list_bindings, client)
        assert "(25 s for the complete call; set by timeout=) (after 3 attempts)" in str(caught.value)
        assert "(ReadTimeout after 10 s; set by attempt_timeout=)" in str(caught.value.__cause__)
        assert clock.now - started == 25

    run(form, test)
    # After the waits, the remaining time of the call is shorter than the attempt timeout.
    assert (limits, clock.waits) == ([10, 10, 3.5], [0.5, 1.0])


@forms
def test_no_attempt_is_made_after_the_timeout(form: str) -> None:
    clock = FakeClock()
    clock.jitter = lambda: 0.0  # type: ignore[method-assign]
    sent: list[httpx.Request] = []

    def silent(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        clock.now += request.extensions["timeout"]["read"]
        raise httpx.ReadTimeout("silence", request=request)

    async def test() -> None:
        client = mocked(form, silent, timeout=25, attempt_timeout=httpx.Timeout(10), max_retries=9)
        client.clock = clock
        with pytest.raises(APITimeoutError, match="after 3 attempts"):
            await call(form, list_bindings, client)

    run(form, test)
    assert len(sent) == 3


LIMITS: list[tuple[dict[str, Any], str]] = [
    ({"timeout": SHORT}, "(0.05 s for the complete call; set by timeout=)"),
    ({"timeout": SHORT, "attempt_timeout": None}, "(0.05 s for the complete call; set by timeout=)"),
    ({"timeout": SHORT, "attempt_timeout": httpx.Timeout(5)}, "(0.05 s for the complete call; set by timeout=)"),
    ({"timeout": None, "attempt_timeout": SHORT}, "(0.05 s for one attempt; set by attempt_timeout=)"),
    ({"attempt_timeout": httpx.Timeout(5, read=SHORT)}, "(ReadTimeout after 0.05 s; set by attempt_timeout=)"),
]


@forms
@pytest.mark.parametrize(("options", "text"), LIMITS)
def test_the_timeout_of_one_call_is_named_and_applies_only_to_it(form: str, options: dict[str, Any], text: str) -> None:
    def handle(connection: Connection) -> None:
        while connection.receive():
            if len(server.requests) != 2:
                connection.send(http())

    with served(handle) as server:

        async def test() -> None:
            async with client_of(server) as client:
                await call(form, list_bindings, client)
                with pytest.raises(APITimeoutError) as caught:
                    await call(form, list_bindings, client.with_options(**options))
                assert str(caught.value).endswith(text)
                await call(form, list_bindings, client)

        run(form, test)
    assert (len(server.requests), len(server.connections)) == (3, 2)


@forms
def test_a_late_response_that_repeats_the_key_is_redacted(form: str) -> None:
    def late(request: httpx.Request) -> httpx.Response:
        raise connections.DeadlineExceeded("no time left", request=request) from httpx.RemoteProtocolError(
            f"it said {KEY}"
        )

    async def test() -> None:
        with pytest.raises(APITimeoutError) as caught:
            await call(form, list_bindings, mocked(form, late))
        assert KEY not in all_texts_of(caught.value)
        assert caught.value.__cause__ is None

    run(form, test)


def failing(form: str, responses: list[httpx.Response], **options: Any) -> tuple[PictifyError, list[float]]:
    """Return the error and the waits of a call with these responses, with a fake clock."""
    client = mocked(form, lambda _: responses.pop(0), max_retries=9)
    clock = client.clock = FakeClock()
    clock.jitter = lambda: 1.0  # type: ignore[method-assign]

    async def test() -> None:
        await call(form, list_bindings, client.with_options(**options))

    with pytest.raises(PictifyError) as caught:
        run(form, test)
    return caught.value, clock.waits


@forms
def test_a_wait_that_exceeds_the_timeout_of_the_call_is_an_error_at_once(form: str) -> None:
    busy = [httpx.Response(503, headers={"retry-after": "3"}) for _ in range(9)]
    error, waits = failing(form, busy, timeout=5)
    assert isinstance(error, ServerError)
    assert (waits, error.attempts) == ([3.75], 2)
    error, waits = failing(form, [httpx.Response(500) for _ in range(9)], timeout=3)
    assert (waits, error.attempts) == ([0.5, 1.0], 3)
    error, waits = failing(form, [httpx.Response(500) for _ in range(9)], timeout=None, max_retries=4)
    assert (waits, error.attempts) == ([0.5, 1.0, 2.0, 4.0], 5)


@forms
@pytest.mark.parametrize(("module", "arguments"), [(list_bindings, {}), (render_binding_url, PNG)])
def test_a_wait_for_the_rate_limit_that_exceeds_the_timeout_is_an_error_at_once(
    form: str, module: Any, arguments: dict[str, Any]
) -> None:
    requested: list[httpx.Request] = []
    clock = FakeClock()

    def respond(request: httpx.Request) -> httpx.Response:
        requested.append(request)
        limits = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{clock.now + 9:.0f}"}
        return httpx.Response(200, headers=limits, json={"bindings": []} if module is list_bindings else None)

    async def test() -> None:
        client = mocked(form, respond, pacing=True)
        client.clock = clock
        for _ in range(2):
            await call(form, module, client, **arguments)
        with pytest.raises(
            PacingError, match=r"its turn under the rate limit is in 9.0 s, and it may wait 5.0 s"
        ) as caught:
            await call(form, module, client.with_options(timeout=5), **arguments)
        assert caught.value.attempts == 0

    run(form, test)
    assert (len(requested), clock.waits) == (2, [9.0])


@forms
def test_a_retry_that_would_wait_too_long_raises_the_first_error(form: str) -> None:
    clock = FakeClock()

    def respond(_: httpx.Request) -> httpx.Response:
        limits = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{clock.now + 50:.0f}"}
        return httpx.Response(500, headers=limits)

    async def test() -> None:
        client = mocked(form, respond, pacing=True, max_wait=10.0, max_retries=2)
        client.clock = clock
        with pytest.raises(PacingError, match="not sent: its turn under the rate limit") as caught:
            await call(form, list_bindings, client)
        assert caught.value.attempts == 1
        assert isinstance(caught.value.__cause__, ServerError)

    run(form, test)


@forms
def test_the_timeout_applies_to_a_custom_http_client(form: str) -> None:
    with served(trickling(BODY)) as server:

        async def test() -> None:
            http_client = httpx.Client() if form == "sync" else httpx.AsyncClient()
            with pytest.raises(APITimeoutError, match=r"\(0.05 s for the complete call; set by timeout=\)"):
                await call(form, list_bindings, client_of(server, timeout=SHORT, http_client=http_client))
            assert server.all_closed()
            if isinstance(http_client, httpx.Client):
                http_client.close()
            else:
                await http_client.aclose()

        run(form, test)


async def read(file: Any) -> bytes:
    content = file.read()
    return content if isinstance(content, bytes) else bytes(await content)


@forms
def test_a_file_may_take_longer_than_its_call(form: str) -> None:
    gone = Event()

    def handle(connection: Connection) -> None:
        connection.receive()
        connection.send(FILE)
        for _ in range(15):
            gone.wait(0.02)
            connection.send(b"x" * 1000)

    with served(handle) as server:

        async def test() -> None:
            async with client_of(server, timeout=0.2, attempt_timeout=0.2) as client:
                image = await call(form, render_binding_url, streaming(client), **PNG)
                assert await read(image) == b"x" * 15_000

        run(form, test)


SILENCES: list[tuple[dict[str, Any], str]] = [
    ({"attempt_timeout": httpx.Timeout(5, read=SHORT)}, "(ReadTimeout after 0.05 s; set by attempt_timeout=)"),
    ({"timeout": 0.2, "attempt_timeout": None}, "(0.2 s for each part of a file; set by timeout=)"),
]


@forms
@pytest.mark.parametrize(("options", "text"), SILENCES)
def test_a_file_that_stalls_is_a_timeout(form: str, options: dict[str, Any], text: str) -> None:
    def handle(connection: Connection) -> None:
        connection.receive()
        connection.send(FILE + b"x")
        connection.receive()

    with served(handle) as server:

        async def test() -> None:
            async with client_of(server, **options) as client:
                image = await call(form, render_binding_url, streaming(client), **PNG)
                with pytest.raises(APITimeoutError) as caught:
                    await read(image)
                assert str(caught.value).endswith(text)
                assert server.all_closed()

        run(form, test)


@forms
def test_the_remaining_time_of_a_call_does_not_limit_reading_its_file(form: str) -> None:
    clock = FakeClock()
    limits: list[float] = []

    class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __init__(self, request: httpx.Request) -> None:
            self.request = request

        def __iter__(self) -> Iterator[bytes]:
            limits.append(self.request.extensions["timeout"]["read"])
            yield b"png"

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for part in self:
                yield part

    def respond(request: httpx.Request) -> httpx.Response:
        limits.append(request.extensions["timeout"]["read"])
        return httpx.Response(200, stream=Body(request))

    def delay(_: RequestEvent) -> None:
        clock.now += 9.75

    async def test() -> None:
        client = mocked(form, respond, timeout=10, attempt_timeout=httpx.Timeout(7), on_request=delay)
        client.clock = clock
        assert await read(await call(form, render_binding_url, streaming(client), **PNG)) == b"png"

    run(form, test)
    assert limits == [0.25, 7]


@forms
@pytest.mark.parametrize("attempt", [httpx.Timeout(5, pool=SHORT), SHORT])
def test_the_error_for_a_busy_pool_names_the_possible_cause(
    form: str, attempt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "MAX_CONNECTIONS", 2)
    files: list[Any] = []

    def handle(connection: Connection) -> None:
        while request := connection.receive():
            connection.send(
                http(b'{"url": "u", "id": "i", "createdAt": "2026-01-29T10:00:05Z"}')
                if request.startswith(b"POST")
                else http(b"x" * 70_000)
            )

    def free_one(_: object) -> None:
        files.pop().close()

    async def afree_one(_: object) -> None:
        await files.pop().aclose()

    with served(handle) as server:

        async def test() -> None:
            async with client_of(server, on_retry=free_one if form == "sync" else afree_one) as client:
                client.clock = InstantClock()
                files.extend([await call(form, render_binding_url, streaming(client), **PNG) for _ in range(2)])
                hurried = client.with_options(attempt_timeout=attempt)
                with pytest.raises(APITimeoutError) as caught:
                    await call(form, create_image, hurried, body=HTML)
                assert "0.05 s" in str(caught.value)
                assert str(caught.value).endswith(
                    "; set by attempt_timeout=: all 2 connections are in use; "
                    "a file that is neither read nor closed holds one)"
                )
                retried = client.with_options(attempt_timeout=httpx.Timeout(5, pool=SHORT), max_retries=1)
                assert (await call(form, create_image, retried, body=HTML)).url == "u"
                await close(files.pop())

        run(form, test)
    assert [request[:4] for request in server.requests] == [b"GET ", b"GET ", b"POST"]


@forms
def test_a_call_waits_for_a_connection_to_become_free(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "MAX_CONNECTIONS", 1)
    sending = Event()

    def on_request(_: RequestEvent) -> None:
        sending.set()

    def handle(connection: Connection) -> None:
        while request := connection.receive():
            connection.send(http() if b" /bindings" in request else http(b"x" * 70_000))

    with served(handle) as server:

        async def test() -> None:
            async with client_of(server, on_request=on_request) as client:
                image = await call(form, render_binding_url, streaming(client), **PNG)
                sending.clear()
                async with anyio.create_task_group() as group:
                    group.start_soon(call, form, list_bindings, client)
                    await anyio.to_thread.run_sync(sending.wait, TEST_TIMEOUT)
                    assert len(server.requests) == 1
                    assert len(await read(image)) == 70_000

        run(form, test)
    assert (len(server.requests), len(server.connections)) == (2, 1)


@forms
@pytest.mark.parametrize("attempt", [httpx.Timeout(5, connect=SHORT), SHORT])
def test_a_render_is_retried_if_connecting_timed_out(form: str, attempt: Any) -> None:
    with socket.socket() as listener, socket.socket() as queued:
        listener.bind(("127.0.0.1", 0))
        # This connection fills the queue; the kernel ignores further ones.
        listener.listen(0)
        queued.connect(listener.getsockname())
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        async def test() -> None:
            client = AuthenticatedClient(token=KEY, base_url=base_url, attempt_timeout=attempt, max_retries=1)
            client.clock = InstantClock()
            async with client:
                with pytest.raises(APIConnectionError, match=r"0.05 s.*attempt_timeout=\) \(after 2 attempts\)"):
                    await call(form, create_image, client, body=HTML)

        run(form, test)
