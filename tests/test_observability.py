"""Observing calls: log records, hooks, and tools that instrument or mock httpx."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio
import httpx
import pytest
import respx
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from pytest_httpx import HTTPXMock

from pictify_client import (
    APIConnectionError,
    AsyncPictify,
    AuthenticatedClient,
    ConfigurationError,
    NotFoundError,
    Pictify,
    RequestEvent,
    ResponseDecodeError,
    ResponseEvent,
    RetryEvent,
    ServerError,
)
from pictify_client._runtime import slots
from pictify_client.api.bindings import get_binding, list_bindings
from pictify_client.api.experiments import track_experiment_events
from pictify_client.api.images import create_image
from pictify_client.api.url_rendering import render_binding_url

from .replay import KEY
from .servers import async_forms, call, client_of, forms, http, respond_with, run, served, streaming
from .test_batches import FakeClock

Seen = list[RequestEvent | ResponseEvent | RetryEvent]

PNG = {"binding_id": "b", "format": "png"}
BIG = http(b"x" * 200_000)
BUSY = http(b'{"message": "busy"}', 503, b"retry-after: 2", b"x-request-id: req_1")
MOVED = http(b"", 307, b"location: /on?secret=1")
GOOD = http(b'{"bindings": []}', 200, b"x-request-id: req_2")


def hooks(form: str, seen: Seen) -> dict[str, Callable[[Any], Any]]:
    """All hooks; they record their events, and are coroutine functions in async forms."""

    async def akeep(event: Any) -> None:
        await anyio.lowlevel.checkpoint()
        seen.append(event)

    keep: Callable[[Any], Any] = seen.append if form == "sync" else akeep
    return {"on_request": keep, "on_response": keep, "on_retry": keep}


def lines_of(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The fields of the package's log records."""
    names = ("levelname", "operation", "attempt", "status", "request_id", "wait")
    ours = [vars(record) for record in caplog.records if record.name == "pictify_client"]
    return [{name: record[name] for name in names if name in record} for record in ours]


@forms
def test_hooks_and_log_records_of_a_call_are_in_order(form: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pictify_client")
    seen: Seen = []
    with served(respond_with(BUSY, MOVED, GOOD)) as server:

        async def test() -> None:
            async with client_of(server, max_retries=1, **hooks(form, seen)) as client:
                client.clock = FakeClock()
                client.clock.jitter = lambda: 0.5  # type: ignore[method-assign]
                await call(form, list_bindings, client, template_id="tmpl_1")

        run(form, test)
    first, busy, again, second, on, done = seen
    for request, attempt, path in ((first, 1, "/bindings"), (second, 2, "/bindings"), (on, 2, "/on")):
        assert isinstance(request, RequestEvent)
        assert (request.operation, request.attempt) == ("GET /bindings", attempt)
        assert request.url == f"{server.base_url}{path}"
    assert isinstance(busy, ResponseEvent)
    assert (busy.attempt, busy.status_code, busy.request_id) == (1, 503, "req_1")
    assert busy.headers is not None
    assert busy.headers["retry-after"] == "2"
    assert isinstance(busy.error, ServerError)
    assert isinstance(again, RetryEvent)
    assert (again.operation, again.attempt, again.wait, again.error) == ("GET /bindings", 1, 2.25, busy.error)
    assert isinstance(done, ResponseEvent)
    assert (done.attempt, done.status_code, done.request_id, done.error) == (2, 200, "req_2", None)
    assert done.elapsed > 0
    of = {"operation": "GET /bindings"}
    assert lines_of(caplog) == [
        {"levelname": "INFO", **of, "attempt": 1, "status": 503, "request_id": "req_1"},
        {"levelname": "INFO", **of, "attempt": 1, "wait": 2.25},
        {"levelname": "INFO", **of, "attempt": 2, "status": 200, "request_id": "req_2"},
    ]
    texts = [record.getMessage() for record in caplog.records if record.name == "pictify_client"]
    assert re.fullmatch(r"GET /bindings: 503 in \d+ ms \(attempt 1, request id req_1\)", texts[0])
    assert texts[1] == "Retrying GET /bindings in 2.2 s, after attempt 1: " + str(busy.error)
    fields = [vars(record) for record in caplog.records]
    milliseconds = [each["milliseconds"] for each in fields if "milliseconds" in each]
    assert milliseconds == [busy.elapsed * 1000, done.elapsed * 1000]


@forms
def test_hooks_and_log_records_of_a_failed_attempt(form: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pictify_client")
    seen: Seen = []
    with served(respond_with(b"nonsense\r\n\r\n", http(b'"', 200, b"x-request-id: req_1"))) as server:

        async def test() -> None:
            async with client_of(server, on_response=hooks(form, seen)["on_response"]) as client:
                with pytest.raises(APIConnectionError):
                    await call(form, list_bindings, client)
                with pytest.raises(ResponseDecodeError):
                    await call(form, list_bindings, client)

        run(form, test)
    lost, misread = seen
    assert isinstance(lost, ResponseEvent)
    assert isinstance(lost.error, APIConnectionError)
    assert (lost.status_code, lost.headers, lost.request_id) == (None, None, None)
    assert isinstance(misread, ResponseEvent)
    assert isinstance(misread.error, ResponseDecodeError)
    assert (misread.status_code, misread.request_id) == (200, "req_1")
    assert [line["status"] for line in lines_of(caplog)] == [None, 200]
    assert "GET /bindings: RemoteProtocolError in " in caplog.text


def test_a_hook_sees_no_secret_that_a_server_repeats() -> None:
    seen: list[ResponseEvent] = []

    def handle(request: httpx.Request) -> httpx.Response:
        key = request.headers["authorization"].removeprefix("Bearer ")
        return httpx.Response(200, json={"bindings": []}, headers={"x-key": key, "x-request-id": key})

    transport = httpx.MockTransport(handle)
    Pictify(KEY, http_client=httpx.Client(transport=transport), on_response=seen.append).bindings.list().first_page()
    (event,) = seen
    assert event.headers is not None
    assert (event.headers["x-key"], event.request_id) == ("[redacted]", "[redacted]")


def test_nothing_is_logged_without_a_handler(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "pictify_client")
    with served() as server, client_of(server) as client:
        list_bindings.sync(client=client)
    assert lines_of(caplog) == []


@forms
def test_a_hook_may_add_headers_but_neither_see_nor_replace_the_key(form: str) -> None:
    seen: Seen = []

    def add(event: RequestEvent) -> None:
        seen.append(event)
        event.headers["traceparent"] = f"00-{len(seen)}"
        event.headers["Authorization"] = "Bearer of the hook"
        event.headers["X-Write-Key"] = "of the hook"

    posted = {"experiment": "hero", "event": "click"}
    with served(respond_with(http(b'{"bindings": []}'), http(b"{}"), http(b'{"bindings": []}'))) as server:

        async def test() -> None:
            async with client_of(server, on_request=add, headers={"X-Team": "a"}) as client:
                await call(form, list_bindings, client)
                await call(form, track_experiment_events, client, body=[posted], write_key="wk_live_1")
                await call(form, list_bindings, client.with_options())

        run(form, test)
    sent = [request.decode().lower() for request in server.requests]
    for number, request in enumerate(sent, 1):
        assert request.count("\r\ntraceparent: ") == 1
        assert f"\r\ntraceparent: 00-{number}\r\n" in request
    assert f"\r\nauthorization: bearer {KEY}\r\n" in sent[0]
    assert "\r\nx-write-key: wk_live_1\r\n" in sent[1]
    first = seen[0]
    assert isinstance(first, RequestEvent)
    assert first.headers["X-Team"] == "a"
    for event in seen:
        assert isinstance(event, RequestEvent)
        assert KEY not in f"{event!r}{event.headers.raw!r}"
        assert "wk_live_1" not in f"{event!r}{event.headers.raw!r}"


@forms
def test_an_invalid_header_of_a_hook_is_a_pictify_error(form: str) -> None:
    def broken(event: RequestEvent) -> None:
        event.headers["X-Trace"] = "a\r\nX-Evil: 1"

    with served() as server:

        async def test() -> None:
            async with client_of(server, on_request=broken) as client:
                with pytest.raises(APIConnectionError, match="LocalProtocolError: Illegal header value"):
                    await call(form, list_bindings, client)

        run(form, test)
    assert server.requests == []


@forms
@pytest.mark.parametrize("name", ["on_request", "on_response", "on_retry"])
def test_an_error_of_a_hook_is_raised_by_the_call_and_no_connection_leaks(
    form: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "MAX_CONNECTIONS", 1)
    calls: list[object] = []

    def fail(event: object) -> None:
        calls.append(event)
        if len(calls) <= 2:
            raise ZeroDivisionError

    async def afail(event: object) -> None:
        await anyio.lowlevel.checkpoint()
        fail(event)

    responses = [BUSY, BUSY, GOOD] if name == "on_retry" else [BIG, BIG, GOOD] if name == "on_response" else [GOOD]
    with served(respond_with(*responses)) as server:

        async def test() -> None:
            hook: dict[str, Any] = {name: fail if form == "sync" else afail}
            async with client_of(server, max_retries=1, **hook) as client:
                for _ in range(2):
                    with pytest.raises(ZeroDivisionError):
                        await call(form, render_binding_url, streaming(client), **PNG)
                await call(form, list_bindings, client)

        run(form, test)
        assert server.all_closed()
    assert len(server.requests) == (1 if name == "on_request" else 3)
    assert len(server.connections) == (3 if name == "on_response" else 1)


@async_forms
def test_a_cancelled_hook_leaks_no_connection(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "MAX_CONNECTIONS", 1)

    async def stay(event: ResponseEvent) -> None:
        if event.headers is not None and "x-request-id" not in event.headers:
            await anyio.sleep_forever()

    with served(respond_with(BIG, GOOD)) as server:

        async def test() -> None:
            async with client_of(server, on_response=stay) as client:
                async with anyio.create_task_group() as group:

                    async def wait_forever() -> None:
                        await call(form, render_binding_url, streaming(client), **PNG)

                    group.start_soon(wait_forever)
                    await anyio.to_thread.run_sync(server.arrival)
                    await anyio.wait_all_tasks_blocked()
                    group.cancel_scope.cancel()
                assert server.all_closed()
                await call(form, list_bindings, client)

        run(form, test)


async def counted(_: object) -> None:
    raise NotImplementedError


class Later:
    """An awaitable that is not a coroutine."""

    def __await__(self) -> Iterator[None]:
        raise NotImplementedError


@pytest.mark.parametrize("name", ["on_request", "on_response", "on_retry"])
def test_an_async_hook_in_sync_code_is_an_error_before_anything_is_sent(name: str) -> None:
    hook: dict[str, Any] = {name: counted}
    with pytest.raises(ConfigurationError, match="counted .*is async: a hook of a sync client must be a function"):
        Pictify(api_key=KEY, **hook)
    assert AsyncPictify(api_key=KEY, **hook).client.base_url


def later(_: object) -> Later:
    return Later()


@pytest.mark.parametrize("hook", [counted, later])
def test_a_hook_that_returns_an_awaitable_in_sync_code_is_an_error(hook: Callable[[Any], Awaitable[None]]) -> None:
    rejected = pytest.raises(ConfigurationError, match="is async: a hook of a sync client must be a function")
    with served() as server, client_of(server, on_request=hook) as client, rejected:
        list_bindings.sync(client=client)
    assert server.requests == []


@pytest.mark.parametrize("name", ["on_request", "on_response", "on_retry"])
def test_a_hook_must_be_callable(name: str) -> None:
    hook: dict[str, Any] = {name: []}
    for make in (Pictify, AsyncPictify):
        with pytest.raises(ConfigurationError, match=f"{name} must be a function, got list"):
            make(api_key=KEY, **hook)
    with pytest.raises(ConfigurationError, match=f"{name} must be a function, got list"):
        AuthenticatedClient(token=KEY, **hook)


@forms
def test_a_plain_function_is_a_hook_in_sync_and_async_code(form: str) -> None:
    seen: Seen = []
    with served() as server:

        async def test() -> None:
            async with client_of(server, on_request=seen.append) as client:
                await call(form, list_bindings, client)

        run(form, test)
    assert len(seen) == 1


@forms
def test_the_request_id_is_in_the_error(form: str) -> None:
    with served(respond_with(http(b'{"message": "none"}', 404, b"x-request-id: req_9"))) as server:

        async def test() -> None:
            async with client_of(server) as client:
                with pytest.raises(NotFoundError, match="request id req_9") as caught:
                    await call(form, get_binding, client, uid="b")
                assert caught.value.request_id == "req_9"

        run(form, test)


@pytest.fixture
def spans() -> Iterator[tuple[TracerProvider, InMemorySpanExporter]]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    yield provider, exporter
    instrumentor.uninstrument()


@forms
def test_opentelemetry_sees_every_request(form: str, spans: tuple[TracerProvider, InMemorySpanExporter]) -> None:
    provider, exporter = spans
    with served(respond_with(BUSY, MOVED, GOOD, BIG)) as server:

        async def test() -> None:
            async with client_of(server, max_retries=1) as client:
                client.clock = FakeClock()
                with provider.get_tracer("of the test").start_as_current_span("around"):
                    await call(form, list_bindings, client)
                file = await call(form, render_binding_url, streaming(client), **PNG)
                assert len(file.read() if form == "sync" else await file.read()) == 200_000

        run(form, test)
    *requests, file = (span for span in exporter.get_finished_spans() if span.kind is SpanKind.CLIENT)
    (around,) = (span for span in exporter.get_finished_spans() if span.name == "around")
    assert around.context is not None
    assert [(span.name, (span.attributes or {})["http.status_code"]) for span in (*requests, file)] == [
        ("GET", 503),
        ("GET", 307),
        ("GET", 200),
        ("GET", 200),
    ]
    assert [span.parent and span.parent.span_id for span in requests] == [around.context.span_id] * 3
    for span, request in zip((*requests, file), server.requests, strict=True):
        assert span.context is not None
        assert f"traceparent: 00-{span.context.trace_id:032x}-{span.context.span_id:016x}-".encode() in request
        assert KEY not in f"{span.to_json()}"


@forms
@pytest.mark.parametrize("name", ["send", "_send_single_request"])
def test_tools_that_patch_the_clients_of_httpx_see_every_request(
    form: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sentry, Datadog and vcrpy do this."""
    seen: list[str] = []
    send, asend = getattr(httpx.Client, name), getattr(httpx.AsyncClient, name)

    def patched(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        seen.append(request.url.path)
        response: httpx.Response = send(self, request, **options)
        return response

    async def apatched(self: httpx.AsyncClient, request: httpx.Request, **options: Any) -> httpx.Response:
        seen.append(request.url.path)
        response: httpx.Response = await asend(self, request, **options)
        return response

    monkeypatch.setattr(httpx.Client, name, patched)
    monkeypatch.setattr(httpx.AsyncClient, name, apatched)
    with served(respond_with(BUSY, MOVED, GOOD, BIG)) as server:

        async def test() -> None:
            async with client_of(server, max_retries=1) as client:
                client.clock = FakeClock()
                await call(form, list_bindings, client)
                file = await call(form, render_binding_url, streaming(client), **PNG)
                assert len(file.read() if form == "sync" else await file.read()) == 200_000

        run(form, test)
    assert seen == ["/bindings", "/bindings", "/on", "/b/b.png"]


QUIET = """
from pictify_client.testing import FakePictify
fake = FakePictify()
fake.fail_next(503)
print(len(list(fake.client().bindings.list())))
"""


def test_a_program_without_logging_prints_nothing_to_stderr() -> None:
    ran = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "45\n", "")


@forms
def test_respx_can_mock_the_api(form: str) -> None:
    async def test() -> None:
        async with AuthenticatedClient(token=KEY) as client:
            for _ in range(2):
                assert (await call(form, list_bindings, client)).bindings == []
                assert (await call(form, create_image, client, body={"html": "<p>"})).url == "u"

    with respx.mock(base_url="https://api.pictify.io") as router:
        listed = router.get("/bindings").respond(json={"bindings": []})
        created = router.post("/image", json={"html": "<p>"}).respond(
            json={"url": "u", "id": "i", "createdAt": "2026-01-29T10:00:05Z"}
        )
        run(form, test)
        assert (listed.call_count, created.call_count) == (2, 2)
        assert listed.calls.last.request.headers["Authorization"] == f"Bearer {KEY}"


@forms
def test_pytest_httpx_can_mock_the_api(form: str, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_exception(httpx.ConnectError("connection refused"))
    httpx_mock.add_response(url="https://api.pictify.io/bindings", json={"bindings": []}, is_reusable=True)
    httpx_mock.add_response(method="GET", url="https://api.pictify.io/b/b.png", content=b"x" * 200_000)

    async def test() -> None:
        async with AuthenticatedClient(token=KEY, max_retries=1) as client:
            client.clock = FakeClock()
            for _ in range(2):
                assert (await call(form, list_bindings, client)).bindings == []
            file = await call(form, render_binding_url, streaming(client), **PNG)
            assert len(file.read() if form == "sync" else await file.read()) == 200_000

    run(form, test)
    # The failed request is in an error, without the key.
    assert [request.headers.get("Authorization") for request in httpx_mock.get_requests()] == [
        "[redacted]",
        f"Bearer {KEY}",
        f"Bearer {KEY}",
        None,
    ]
