"""The hook that is called while a request waits for its response."""

from __future__ import annotations

import ssl
import threading

import anyio
import anyio.lowlevel
import httpx
import pytest

from pictify_client import APITimeoutError, AuthenticatedClient, ConfigurationError, Pictify, WaitEvent
from pictify_client._runtime.clock import Clock
from pictify_client.api.bindings import list_bindings
from pictify_client.testing import FakePictify

from .replay import KEY
from .servers import (
    CERTIFICATE,
    TEST_TIMEOUT,
    Connection,
    async_forms,
    call,
    client_of,
    forms,
    http,
    mocked,
    run,
    served,
)


class ShortHeartbeat(Clock):
    heartbeat_interval = 0.001


class Waits:
    """Records the events, and lets the server respond after the third."""

    def __init__(self, response: bytes = http()) -> None:
        self.events: list[WaitEvent] = []
        self.third = threading.Event()
        self.response = response

    def __call__(self, event: WaitEvent) -> None:
        self.events.append(event)
        if len(self.events) >= 3:
            self.third.set()

    async def awaited(self, event: WaitEvent) -> None:
        await anyio.lowlevel.checkpoint()
        self(event)

    def serve(self, connection: Connection) -> None:
        while connection.receive():
            assert self.third.wait(TEST_TIMEOUT)
            connection.send(self.response)


def silent(connection: Connection) -> None:
    """Read until the client closes the connection."""
    while connection.receive():
        pass


@pytest.mark.parametrize("is_encrypted", [False, True])
@forms
def test_it_is_called_until_the_response_arrives(form: str, is_encrypted: bool) -> None:
    waits = Waits()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    async def test() -> None:
        with served(waits.serve, tls=context if is_encrypted else None) as server:
            client = client_of(server, verify_ssl=False, on_wait=waits if form == "sync" else waits.awaited)
            client.clock = ShortHeartbeat()
            assert (await call(form, list_bindings, client)).bindings == []
            seen = len(waits.events)
            assert seen >= 3
            assert (await call(form, list_bindings, client)).bindings == []
            assert len(server.requests) == 2
            await client.aclose()

    run(form, test)
    first, second = waits.events[:2]
    assert (first.operation, first.attempt) == ("GET /bindings", 1)
    assert 0.001 <= first.elapsed < second.elapsed


@forms
def test_it_is_not_called_in_the_first_ten_seconds(form: str) -> None:
    events: list[WaitEvent] = []

    async def test() -> None:
        with served() as server:
            client = client_of(server, on_wait=events.append)
            await call(form, list_bindings, client)
            await client.aclose()

    run(form, test)
    assert events == []
    assert Clock().heartbeat_interval == 10


@forms
def test_timeouts_work_as_without_it(form: str) -> None:
    waits = Waits()

    async def test() -> None:
        with served(silent) as server:
            client = client_of(server, on_wait=waits, attempt_timeout=0.05)
            client.clock = ShortHeartbeat()
            with pytest.raises(APITimeoutError, match="no response from .* in time"):
                await call(form, list_bindings, client)
            await client.aclose()

    run(form, test)
    assert len(waits.events) >= 3


@forms
def test_an_error_of_the_hook_is_raised_by_the_call(form: str) -> None:
    def fail(_: WaitEvent) -> None:
        raise ZeroDivisionError

    async def test() -> None:
        with served(silent) as server:
            client = client_of(server, on_wait=fail)
            client.clock = ShortHeartbeat()
            with pytest.raises(ZeroDivisionError):
                await call(form, list_bindings, client)
            assert server.all_closed()
            await client.aclose()

    run(form, test)


@async_forms
def test_it_is_called_with_a_custom_async_client_and_a_cancelled_call_ends(form: str) -> None:
    waits = Waits()

    async def test() -> None:
        async with anyio.create_task_group() as tasks:

            async def wait_forever(_: httpx.Request) -> httpx.Response:
                await anyio.sleep_forever()
                raise AssertionError

            async with httpx.AsyncClient(transport=httpx.MockTransport(wait_forever)) as http_client:
                client = AuthenticatedClient(token=KEY, http_client=http_client, on_wait=waits)
                client.clock = ShortHeartbeat()
                tasks.start_soon(lambda: list_bindings.asyncio(client=client))
                while len(waits.events) < 3:
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()

    run(form, test)
    assert waits.third.is_set()


@async_forms
def test_errors_of_calls_are_unchanged(form: str) -> None:
    def raise_read_error(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("lost", request=request)

    async def test() -> None:
        client = mocked(form, raise_read_error, on_wait=Waits())
        with pytest.raises(Exception, match="lost") as caught:
            await list_bindings.asyncio(client=client)
        assert type(caught.value).__name__ == "APIConnectionError"

    run(form, test)


def test_sync_code_rejects_coroutine_functions() -> None:
    async def awaited(_: WaitEvent) -> None: ...

    with pytest.raises(ConfigurationError, match="is async: a hook of a sync client must be a function"):
        Pictify(api_key=KEY, on_wait=awaited)
    with pytest.raises(ConfigurationError, match="on_wait must be a function, got str"):
        Pictify(api_key=KEY, on_wait="x")  # type: ignore[arg-type]
    assert FakePictify().client(on_wait=Waits()).account.get_usage().usage == 0
