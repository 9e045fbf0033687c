"""Connections are reused, abandoned and closed, and never leak, in threads, tasks, event loops and forked processes."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from pictify_client import (
    APIConnectionError,
    APITimeoutError,
    AuthenticatedClient,
    ClientClosedError,
    ConfigurationError,
    ContentTooLargeError,
    Pictify,
    PictifyError,
)
from pictify_client._runtime import async_pool, connections, forks, network, pool, proxies, slots, sync_pool
from pictify_client.api.bindings import delete_binding, list_bindings
from pictify_client.api.images import create_image
from pictify_client.api.url_rendering import render_binding_url

from .replay import KEY
from .servers import (
    CERTIFICATE,
    TEST_TIMEOUT,
    Connection,
    async_forms,
    call,
    client_of,
    close,
    forms,
    http,
    mocked,
    respond_with,
    run,
    served,
    streaming,
    switching_threads,
)
from .test_batches import FakeClock

HTML = {"html": "<p>"}
IMAGE = http(b'{"url": "u", "id": "i", "createdAt": "2026-01-29T10:00:05Z"}')
PNG = {"binding_id": "b", "format": "png"}
BIG = http(b"x" * 200_000)


class FrozenClock(FakeClock):
    """A clock that stands still, and whose sleeps return at once."""

    def jitter(self) -> float:
        return 0.0


def at_most(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "MAX_CONNECTIONS", count)


@forms
def test_sequential_calls_of_a_client_and_its_copies_share_a_connection(form: str) -> None:
    with served() as server:

        async def test() -> None:
            async with client_of(server) as client:
                for _ in range(3):
                    await call(form, list_bindings, client)
                await call(form, list_bindings, client.with_options(timeout=9, headers={"X-Team": "a"}))

        run(form, test)
        assert len(server.requests) == 4
        assert len(server.connections) == 1
        assert server.all_closed()


@forms
def test_concurrent_calls_have_separate_connections_and_reuse_them(form: str) -> None:
    together = threading.Barrier(5)

    def handle(connection: Connection) -> None:
        while request := connection.receive():
            if b"limit=5" in request:
                together.wait(TEST_TIMEOUT)
            connection.send(http())

    with served(handle) as server:

        async def test() -> None:
            async with client_of(server) as client:
                for _ in range(3):
                    async with anyio.create_task_group() as group:
                        for _ in range(5):
                            group.start_soon(partial(call, form, list_bindings, client, limit=5))
                    await call(form, list_bindings, client)

        run(form, test)
        assert len(server.requests) == 18
        assert len(server.connections) == 5
        assert server.all_closed()


def test_many_threads_share_few_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    at_most(3, monkeypatch)
    with served() as server:
        with switching_threads(), client_of(server) as client, ThreadPoolExecutor(8) as pool:
            made = [pool.submit(list_bindings.sync, client=client) for _ in range(200)]
            pages = [each.result() for each in made]
        assert (len(pages), len(server.requests)) == (200, 200)
        assert len(server.connections) <= 3
        assert server.all_closed()


@forms
def test_a_connection_that_was_idle_for_too_long_is_not_reused(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as server:

        async def test() -> None:
            async with client_of(server) as client:
                await call(form, list_bindings, client)
                monkeypatch.setattr(pool, "monotonic", lambda: time.monotonic() + 31)
                await call(form, list_bindings, client.with_options(timeout=None, attempt_timeout=None))
                assert len(server.connections) == 2
                assert server.connections[0].closed.wait(TEST_TIMEOUT)
                assert not server.connections[1].closed.is_set()

        run(form, test)
        assert server.all_closed()


@forms
def test_the_next_call_closes_all_connections_that_were_idle_for_too_long(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handle(connection: Connection) -> None:
        while request := connection.receive():
            connection.send(http() if b" /bindings" in request else BIG)

    with served(handle) as server:

        async def test() -> None:
            async with client_of(server) as client:
                files = [await call(form, render_binding_url, streaming(client), **PNG) for _ in range(3)]
                for file in files:
                    assert len(file.read() if form == "sync" else await file.read()) == 200_000
                monkeypatch.setattr(pool, "monotonic", lambda: time.monotonic() + 31)
                await call(form, list_bindings, client)
                assert len(server.connections) == 4
                assert all(connection.closed.wait(TEST_TIMEOUT) for connection in server.connections[:3])
                assert not server.connections[3].closed.is_set()

        run(form, test)


@forms
@pytest.mark.parametrize(
    "ending", [http(), http(b'{"bindings": []}', 200, b"connection: close"), b'HTTP/1.0 200 OK\r\n\r\n{"bindings": []}']
)
def test_a_connection_that_the_server_closed_is_replaced(form: str, ending: bytes) -> None:
    closed: list[threading.Event] = [threading.Event(), threading.Event()]

    def handle(connection: Connection) -> None:
        if b"POST" in connection.receive():
            connection.send(IMAGE)
            connection.receive()
            return
        connection.send(ending)
        connection.close()
        closed[len(server.requests) - 1].set()

    with served(handle) as server:

        async def test() -> None:
            async with client_of(server) as client:
                for each in closed:
                    await call(form, list_bindings, client)
                    assert each.wait(TEST_TIMEOUT)
                assert (await call(form, create_image, client, body=HTML)).url == "u"

        run(form, test)
    assert (len(server.requests), len(server.connections)) == (3, 3)


@forms
def test_informational_responses_are_ignored(form: str) -> None:
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    switch = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"
    done = b"HTTP/1.1 204 No Content\r\ncontent-length: 99999999999\r\n\r\n"
    chunked = b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\n{"bindings": []}\r\n0\r\nx-sum: 1\r\n\r\n'
    with served(respond_with(early + http(), done, switch, chunked)) as server:

        async def test() -> None:
            async with client_of(server) as client:
                assert (await call(form, list_bindings, client)).bindings == []
                assert await call(form, delete_binding, client, uid="b") is not None
                with pytest.raises(APIConnectionError, match="RemoteProtocolError"):
                    await call(form, list_bindings, client)
                assert (await call(form, list_bindings, client)).bindings == []

        run(form, test)
    assert (len(server.requests), len(server.connections)) == (4, 2)


@forms
def test_excess_bytes_after_a_response_are_not_the_next_response(form: str) -> None:
    with served(respond_with(http() + http(b'{"bindings": [{"uid": "of another"}]}'), http())) as server:

        async def test() -> None:
            async with client_of(server) as client:
                for _ in range(2):
                    assert (await call(form, list_bindings, client)).bindings == []

        run(form, test)
    assert (len(server.requests), len(server.connections)) == (2, 2)


@forms
def test_a_tls_connection_is_reused(form: str, secure: Any) -> None:
    async def test() -> None:
        async with client_of(secure, verify_ssl=False) as client:
            for _ in range(3):
                await call(form, list_bindings, client)

    run(form, test)
    assert (len(secure.requests), len(secure.connections)) == (3, 1)


@forms
@pytest.mark.skipif(sys.platform != "linux", reason="TCP_CORK is specific to Linux")
def test_excess_bytes_in_another_tls_record_are_not_the_next_response(form: str) -> None:
    def handle(connection: Connection) -> None:
        while connection.receive():
            connection.send_at_once(http(), http(b'{"bindings": [{"uid": "of another"}]}'))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with served(handle, tls=context) as server:

        async def test() -> None:
            async with client_of(server, verify_ssl=False) as client:
                for _ in range(2):
                    assert (await call(form, list_bindings, client)).bindings == []

        run(form, test)
    assert (len(server.requests), len(server.connections)) == (2, 2)


@forms
def test_ipv6_addresses_and_internationalized_names_work(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def resolved(host: Any, *arguments: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return resolve("127.0.0.1" if name == "xn--bcher-kva.localhost" else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)

    async def test(base_url: str) -> None:
        async with AuthenticatedClient(token=KEY, base_url=base_url, max_retries=0) as client:
            await call(form, list_bindings, client)

    with served(host="::1") as server:
        run(form, partial(test, server.base_url))
        assert f"host: {server.base_url[7:]}\r\n".encode() in server.requests[0].lower()
    with served() as server:
        port = server.base_url.rpartition(":")[2]
        run(form, partial(test, f"http://b\u00fccher.localhost:{port}"))
        assert f"host: xn--bcher-kva.localhost:{port}\r\n".encode() in server.requests[0].lower()


@pytest.mark.parametrize("part", [b"", http()[:-1]], ids=["no response", "an incomplete response"])
@forms
def test_closing_a_client_ends_its_pending_calls(form: str, part: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    at_most(2, monkeypatch)

    def handle(connection: Connection) -> None:
        while connection.receive():
            connection.send(part)

    async def assert_fails(client: AuthenticatedClient, module: Any, text: str, **arguments: Any) -> None:
        with pytest.raises(PictifyError, match=text):
            await call(form, module, client, **arguments)

    with served(handle) as server:

        async def test() -> None:
            client = client_of(server, max_retries=2)
            client.clock = FrozenClock()
            async with anyio.create_task_group() as group:
                # Neither is retried, though one of them could be, and other calls wait for their connections.
                group.start_soon(partial(assert_fails, client, list_bindings, "the client was closed"))
                group.start_soon(partial(assert_fails, client, create_image, "no complete response from", body=HTML))
                for _ in range(2):
                    await anyio.to_thread.run_sync(server.arrival)
                for _ in range(3):
                    group.start_soon(partial(assert_fails, client, create_image, "the client is closed", body=HTML))
                await anyio.wait_all_tasks_blocked()
                await client.aclose()
            assert server.all_closed()

        run(form, test)
    assert len(server.requests) == 2


@forms
def test_closing_a_client_ends_calls_that_wait_for_a_connection(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at_most(1, monkeypatch)
    with served(respond_with(BIG)) as server:

        async def test() -> None:
            client = client_of(server)

            async def assert_fails() -> None:
                with pytest.raises(PictifyError, match="the client is closed"):
                    await call(form, list_bindings, client)

            file = await call(form, render_binding_url, streaming(client), **PNG)
            async with anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(assert_fails)
                await anyio.wait_all_tasks_blocked()
                await client.aclose()
            await close(file)
            with pytest.raises(PictifyError, match="the client is closed"):
                await call(form, list_bindings, client)

        run(form, test)


@contextmanager
def slow_names(monkeypatch: pytest.MonkeyPatch) -> Generator[tuple[threading.Event, threading.Event]]:
    """A slow resolver: returns an event that is set when it is called, and one that lets it return."""
    resolve, lookup_started, lookup_finished = socket.getaddrinfo, threading.Event(), threading.Event()

    def slowly(_: Any, *arguments: Any, **options: Any) -> Any:
        if threading.current_thread() is threading.main_thread():
            # trio checks in this way whether it is an address instead of a name.
            raise socket.gaierror(socket.EAI_NONAME, "it is not an address")
        lookup_started.set()
        lookup_finished.wait(TEST_TIMEOUT)
        return resolve("127.0.0.1", *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", slowly)
        yield lookup_started, lookup_finished


@forms
def test_closing_a_client_ends_a_call_that_is_connecting(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as server, slow_names(monkeypatch) as (lookup_started, lookup_finished):

        async def test() -> None:
            client = client_of(server, base_url=server.base_url.replace("127.0.0.1", "slow.localhost"))

            async def assert_fails() -> None:
                with pytest.raises(PictifyError, match="the client is closed|the client was closed"):
                    await call(form, list_bindings, client)

            async with anyio.create_task_group() as group:
                group.start_soon(assert_fails)
                await anyio.to_thread.run_sync(lookup_started.wait, TEST_TIMEOUT)
                await client.aclose()
                lookup_finished.set()
            assert server.all_closed()

        run(form, test)


@forms
def test_closing_a_client_just_before_a_request_is_sent_ends_the_call(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, asend = sync_pool.SyncTransport.handle_request, async_pool.AsyncTransport.handle_async_request

    def closed(transport: sync_pool.SyncTransport, request: httpx.Request) -> httpx.Response:
        client.close()
        return send(transport, request)

    async def aclosed(transport: async_pool.AsyncTransport, request: httpx.Request) -> httpx.Response:
        await client.aclose()
        return await asend(transport, request)

    async def test() -> None:
        await call(form, list_bindings, client)
        monkeypatch.setattr(sync_pool.SyncTransport, "handle_request", closed)
        monkeypatch.setattr(async_pool.AsyncTransport, "handle_async_request", aclosed)
        with pytest.raises(PictifyError, match="the client is closed"):
            await call(form, list_bindings, client)

    with served() as server:
        client = client_of(server)
        run(form, test)


@pytest.mark.parametrize(("form", "ends"), [("asyncio", "cancelled"), ("asyncio", "closed"), ("trio", "closed")])
def test_a_call_that_ends_while_a_stale_connection_is_closed_leaks_no_connection(
    form: str, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut = async_pool.AsyncCore.aclose
    expired = async_pool.AsyncCore.has_expired
    stale = iter([True])

    def is_stale(core: async_pool.AsyncCore) -> bool:
        return next(stale, False) or expired(core)

    async def ended(core: async_pool.AsyncCore) -> None:
        monkeypatch.undo()
        if ends == "closed":
            await client.aclose()
        elif task := asyncio.current_task():
            # Not cancelled by anyio, which would let it close the connection first.
            task.cancel()
        await shut(core)

    async def test() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(call, form, list_bindings, client)
        monkeypatch.setattr(async_pool.AsyncCore, "has_expired", is_stale)
        monkeypatch.setattr(async_pool.AsyncCore, "aclose", ended)
        if ends == "closed":
            with pytest.raises(PictifyError, match="the client is closed"):
                await call(form, list_bindings, client)
            assert len(server.requests) == 2
        else:
            task = asyncio.ensure_future(call(form, list_bindings, client))
            with pytest.raises(asyncio.CancelledError):
                await task
            await call(form, list_bindings, client)
            assert (len(server.requests), len(server.connections)) == (3, 3)
            await client.aclose()

    with served() as server:
        client = client_of(server)
        run(form, test)
        assert server.all_closed()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("moment", ["closed", "late"])
def test_a_call_that_ended_while_connecting_is_not_sent(
    scheme: str, moment: str, secure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = socket.create_connection

    def connected(*arguments: Any, **options: Any) -> socket.socket:
        made = connect(*arguments, **options)
        if moment == "closed":
            client.close()
        else:
            monkeypatch.setattr(network, "monotonic", lambda: time.monotonic() + 181)
            monkeypatch.setattr(connections, "monotonic", lambda: time.monotonic() + 181)
        return made

    with served() as plain:
        server = plain if scheme == "http" else secure
        client = client_of(server, verify_ssl=False)
        monkeypatch.setattr(socket, "create_connection", connected)
        with pytest.raises(APITimeoutError if moment == "late" else PictifyError) as caught:
            create_image.sync(client=client, body=HTML)
        assert ("the client was closed" in str(caught.value)) == (moment == "closed")
        monkeypatch.undo()
        client.close()
        assert server.all_closed()
        assert server.requests == []


def test_closing_a_client_closes_its_open_files() -> None:
    def handle(connection: Connection) -> None:
        connection.receive()
        connection.send(BIG[:100_000])
        connection.receive()

    with served(handle) as server:
        client = client_of(server)
        file = render_binding_url.sync("b", "png", client=streaming(client))
        client.close()
        with pytest.raises(APIConnectionError):
            file.read()
        assert server.all_closed()


Cancelled = Callable[[str, AuthenticatedClient], Any]


async def listed(form: str, client: AuthenticatedClient) -> None:
    await call(form, list_bindings, client)


async def read(form: str, client: AuthenticatedClient) -> None:
    async with await call(form, render_binding_url, streaming(client), **PNG) as file:
        await file.read()


STUCK: dict[str, tuple[Cancelled, bytes]] = {
    "head": (listed, b"HTTP/1.1 200 OK\r\n"),
    "body": (listed, http()[:-1]),
    "file": (read, BIG[:100_000]),
}


# httpx leaves unfinished generators when it is cancelled, and trio warns of them.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@async_forms
@pytest.mark.parametrize("where", STUCK)
@pytest.mark.parametrize("inner", [False, True])
def test_a_cancelled_task_releases_its_connection(
    form: str, where: str, inner: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_most(1, monkeypatch)
    make, start = STUCK[where]

    def handle(connection: Connection) -> None:
        while request := connection.receive():
            if b"limit=1" in request:
                connection.send(http())
            else:
                connection.send(start)

    with served(handle) as server:

        async def test() -> None:
            async with client_of(server) as client:
                async with anyio.create_task_group() as group:

                    async def wait_forever() -> None:
                        if inner:
                            with anyio.move_on_after(TEST_TIMEOUT):
                                await make(form, client)
                        else:
                            await make(form, client)

                    group.start_soon(wait_forever)
                    await anyio.to_thread.run_sync(server.arrival)
                    await anyio.wait_all_tasks_blocked()
                    group.cancel_scope.cancel()
                assert server.all_closed()
                await call(form, list_bindings, client, limit=1)

        run(form, test)
    assert (len(server.requests), len(server.connections)) == (2, 2)


@async_forms
def test_a_task_can_be_cancelled_before_it_has_a_connection(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at_most(1, monkeypatch)
    with served(respond_with(BIG, http())) as server:

        async def test() -> None:
            async with client_of(server) as client:
                file = await call(form, render_binding_url, streaming(client), **PNG)
                for _ in range(3):
                    async with anyio.create_task_group() as group:
                        group.start_soon(listed, form, client)
                        await anyio.wait_all_tasks_blocked()
                        group.cancel_scope.cancel()
                with anyio.CancelScope() as scope:
                    scope.cancel()
                    await listed(form, client)
                await file.read()
                await listed(form, client)
                with anyio.CancelScope() as scope:
                    scope.cancel()
                    await listed(form, client)
                await listed(form, client)

        run(form, test)
    assert len(server.requests) == 3


@forms
def test_an_interrupted_close_does_not_block_the_next_call(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind: Any = sync_pool.SyncPool if form == "sync" else async_pool.AsyncPool
    finish = kind.finish
    interrupts = [KeyboardInterrupt()]

    def interrupted(*arguments: Any, **options: Any) -> None:
        finish(*arguments, **options)
        if interrupts:
            raise interrupts.pop()

    async def ainterrupted(*arguments: Any, **options: Any) -> None:
        await finish(*arguments, **options)
        if interrupts:
            raise interrupts.pop()

    monkeypatch.setattr(kind, "finish", interrupted if form == "sync" else ainterrupted)
    with served(respond_with(http(), BIG)) as server:

        async def test() -> None:
            async with client_of(server) as client:
                lost: list[BaseException] = []
                try:
                    await call(form, list_bindings, client)
                except KeyboardInterrupt as interrupt:
                    # Its traceback refers to the response.
                    lost.append(interrupt)
                file = await call(form, render_binding_url, streaming(client), **PNG)
                assert lost
                lost.clear()
                gc.collect()
                await anyio.lowlevel.checkpoint()
                assert len(file.read() if form == "sync" else await file.read()) == 200_000

        run(form, test)
        assert len(server.connections) == 1


@forms
def test_a_file_that_is_closed_early_releases_its_connection(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at_most(1, monkeypatch)
    with served(respond_with(BIG, BIG, http())) as server:

        async def test() -> None:
            async with client_of(server) as client:
                await close(await call(form, render_binding_url, streaming(client), **PNG))
                file = await call(form, render_binding_url, streaming(client), **PNG)
                # httpx leaves unfinished generators, and trio warns of them.
                if form == "sync":
                    next(file.iter_bytes())
                elif form == "asyncio":
                    await anext(file.iter_bytes())
                await close(file)
                await call(form, list_bindings, client)

        run(form, test)
        assert len(server.connections) == 3
        assert server.all_closed()


@forms
def test_a_file_that_is_closed_twice_returns_its_connection_once(form: str) -> None:
    together = threading.Barrier(2)

    def handle(connection: Connection) -> None:
        while request := connection.receive():
            if b" /bindings" in request:
                together.wait(TEST_TIMEOUT)
            connection.send(http() if b" /bindings" in request else BIG)

    with served(handle) as server:

        async def test() -> None:
            async with client_of(server) as client:
                file = await call(form, render_binding_url, streaming(client), **PNG)
                assert len(file.read() if form == "sync" else await file.read()) == 200_000
                # Two tasks may close it at the same time.
                vars(file)["_response"].is_closed = False
                await close(file)
                async with anyio.create_task_group() as group:
                    group.start_soon(call, form, list_bindings, client)
                    group.start_soon(call, form, list_bindings, client)

        run(form, test)
    assert len(server.connections) == 2


def test_an_unresponsive_resolver_does_not_hang_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as server, slow_names(monkeypatch) as (_, lookup_finished):
        base_url = server.base_url.replace("127.0.0.1", "slow.localhost")
        text = r"0.05 s[^;]*; set by attempt_timeout=\) \(after 2 attempts\)"
        options = {"base_url": base_url, "attempt_timeout": 0.05, "max_retries": 1}
        with client_of(server, **options) as client, pytest.raises(APITimeoutError, match=text):
            client.clock = FrozenClock()
            create_image.sync(client=client, body=HTML)
        lookup_finished.set()
        resolvers = [thread for thread in threading.enumerate() if thread.name == "pictify_client resolver"]
        for thread in resolvers:
            thread.join(TEST_TIMEOUT)
        assert server.connections == []


def test_the_connect_timeout_covers_name_resolution_and_all_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def slowly(_: Any, *arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(network, "monotonic", lambda: time.monotonic() + 6)
        return resolve("127.0.0.1", *arguments, **options) * 3

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    with served() as server:
        base_url = server.base_url.replace("127.0.0.1", "slow.localhost")
        with (
            client_of(server, base_url=base_url) as client,
            pytest.raises(APITimeoutError, match="ConnectTimeout after 5"),
        ):
            list_bindings.sync(client=client)
        assert server.connections == []


def test_a_garbage_collected_file_releases_its_connection_at_any_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_most(2, monkeypatch)
    with served(respond_with(BIG, http(), http())) as server:
        client = client_of(server)

        def drop_file() -> None:
            chunks = render_binding_url.sync("b", "png", client=streaming(client)).iter_bytes()
            next(chunks)
            lost: list[Any] = [chunks]
            lost.append(lost)

        def collect() -> float:
            # While the pool is working.
            gc.collect()
            return time.monotonic()

        gc.disable()
        try:
            drop_file()
            monkeypatch.setattr(pool, "monotonic", collect)
            list_bindings.sync(client=client)
            assert server.connections[0].closed.wait(TEST_TIMEOUT)
            # Its slot is free again, too.
            with ThreadPoolExecutor(2) as threads:
                made = [threads.submit(list_bindings.sync, client=client) for _ in range(2)]
                assert all(each.result(TEST_TIMEOUT) for each in made)
        finally:
            gc.enable()
        client.close()


# An event loop that ends before the client is closed warns of its connections, as with httpx.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@async_forms
def test_a_client_serves_any_number_of_event_loops(form: str) -> None:
    with served() as server:
        client = client_of(server)

        async def first() -> None:
            for _ in range(2):
                await call(form, list_bindings, client)

        async def last() -> None:
            await call(form, list_bindings, client)
            await client.aclose()
            with pytest.raises(PictifyError, match="the client is closed"):
                await call(form, list_bindings, client)

        for _ in range(3):
            run(form, first)
        with ThreadPoolExecutor(2) as threads:
            for each in [threads.submit(run, form, first) for _ in range(2)]:
                each.result(TEST_TIMEOUT)
        list_bindings.sync(client=client)
        run(form, last)
        gc.collect()
        assert server.all_closed()
    # One per event loop, and one of the sync call.
    assert len(server.connections) == 7


# An event loop that ends before a client is closed warns of its connections, as with httpx.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@forms
def test_clients_that_are_never_closed_leak_nothing(form: str) -> None:
    with served() as server:
        threads = threading.active_count()

        async def test() -> None:
            for _ in range(40):
                await call(form, list_bindings, client_of(server))
            gc.collect()
            await anyio.wait_all_tasks_blocked()

        run(form, test)
        assert len(server.connections) == 40
        assert server.all_closed()
        # The server has a thread for each open connection.
        assert threading.active_count() <= threads + 42


@async_forms
def test_an_http_client_of_another_event_loop_is_a_clear_error(form: str) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        raise RuntimeError("Event loop is closed")

    client = mocked(form, respond)

    async def test() -> None:
        with pytest.raises(PictifyError, match="the http_client belongs to another event loop"):
            await call(form, list_bindings, client)

    run(form, test)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="os.fork is not available")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_its_own_connections() -> None:
    with served() as server, client_of(server) as client:
        list_bindings.sync(client=client)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                list_bindings.sync(client=client)
                client.close()
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        list_bindings.sync(client=client)
        assert (len(server.requests), len(server.connections)) == (3, 2)
        assert server.connections[1].closed.wait(TEST_TIMEOUT)
        assert not server.connections[0].closed.is_set()


@forms
def test_a_client_is_usable_after_the_fork_handler_ran(form: str) -> None:
    with served() as server:

        async def test() -> None:
            async with client_of(server) as client:
                await call(form, list_bindings, client)
                vars(forks)["_forked"]()
                gc.collect()
                # A connection of the parent is closed in the child, and not used.
                await call(form, list_bindings, client)
                assert len(server.connections) == 2

        # The garbage collector warns that asyncio's transports were not closed, as after a real fork.
        with warnings.catch_warnings(action="ignore", category=ResourceWarning):
            run(form, test)
            gc.collect()
        assert server.all_closed()


@async_forms
def test_closing_a_client_in_one_event_loop_closes_it_in_all(form: str) -> None:
    with served() as server:
        client = client_of(server)
        used, closed = threading.Event(), threading.Event()

        async def other() -> None:
            await call(form, list_bindings, client)
            used.set()
            await anyio.to_thread.run_sync(closed.wait, TEST_TIMEOUT)
            assert await anyio.to_thread.run_sync(server.all_closed)
            with pytest.raises(ClientClosedError):
                await call(form, list_bindings, client)

        async def close() -> None:
            await client.aclose()
            closed.set()

        with ThreadPoolExecutor(1) as threads:
            running = threads.submit(run, form, other)
            assert used.wait(TEST_TIMEOUT)
            run(form, close)
            running.result(TEST_TIMEOUT)


@forms
def test_a_log_handler_that_raises_leaks_no_connection(
    form: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pictify_client")
    at_most(1, monkeypatch)

    class Broken(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise ZeroDivisionError(record.msg)

    logger, handler = logging.getLogger("pictify_client"), Broken()
    with served(respond_with(BIG, http())) as server:

        async def test() -> None:
            async with client_of(server) as client:
                logger.addHandler(handler)
                try:
                    with pytest.raises(ZeroDivisionError):
                        await call(form, render_binding_url, streaming(client), **PNG)
                finally:
                    logger.removeHandler(handler)
                gc.collect()
                await call(form, list_bindings, client)

        run(form, test)
        assert server.all_closed()


@forms
def test_a_dropped_response_releases_its_connection(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The response of an interrupted call may be dropped in this way."""
    at_most(1, monkeypatch)
    with served(respond_with(BIG, http())) as server:
        settings = proxies.ConnectionSettings(server.base_url, verify=True, http2=False)

        def drop_file() -> None:
            http_client = httpx.Client(transport=sync_pool.SyncTransport(settings))
            assert http_client.send(http_client.build_request("GET", server.base_url), stream=True).is_success
            gc.collect()
            http_client.get(server.base_url)
            http_client.close()

        async def test() -> None:
            if form == "sync":
                await anyio.to_thread.run_sync(drop_file)
                return
            http_client = httpx.AsyncClient(transport=async_pool.AsyncTransport(settings))
            assert (await http_client.send(http_client.build_request("GET", server.base_url), stream=True)).is_success
            gc.collect()
            await http_client.get(server.base_url)
            await http_client.aclose()

        run(form, test)
        assert len(server.connections) == 2
        assert server.all_closed()


@forms
@pytest.mark.parametrize("is_closed", [True, False])
def test_an_http_client_that_is_closed_while_it_sends_is_a_clear_error(form: str, is_closed: bool) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        # httpx raises this if the client is closed after our check and before its own.
        if is_closed:
            vars(http_client)["_state"] = vars(closed_client)["_state"]
        raise RuntimeError("Cannot send a request, as the client has been closed.")

    transport = httpx.MockTransport(respond)
    http_client = httpx.Client(transport=transport) if form == "sync" else httpx.AsyncClient(transport=transport)
    client = AuthenticatedClient(token=KEY, http_client=http_client, max_retries=0)
    closed_client = httpx.Client()
    closed_client.close()

    async def test() -> None:
        # A RuntimeError with another cause is not converted.
        with pytest.raises(ClientClosedError if is_closed else RuntimeError):
            await call(form, list_bindings, client)

    run(form, test)


def respond_early(connection: Connection) -> None:
    """Read only the beginning of a request, and reject it without reading the rest."""
    sock: socket.socket = vars(connection)["_socket"]
    sock.recv(1024)
    connection.send(http(b'{"message": "too large"}', 413, b"connection: close"))
    connection.closed.wait(TEST_TIMEOUT)


@forms
def test_a_response_before_the_request_is_complete_is_not_lost(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The client looks for it between two writes, and the server of this test shares the interpreter with the client.
    monkeypatch.setattr(network, "_CHUNK", 256)
    with served(respond_early) as server:

        async def test() -> None:
            async with client_of(server) as client:
                with pytest.raises(ContentTooLargeError, match="too large"):
                    await call(form, create_image, client, body={"html": "x" * 20_000_000})
            for connection in server.connections:
                connection.closed.set()

        run(form, test)


def test_a_name_is_resolved_without_a_timeout() -> None:
    with served() as server:
        base_url = server.base_url.replace("127.0.0.1", "localhost")
        with client_of(server, base_url=base_url, timeout=None, attempt_timeout=None) as client:
            list_bindings.sync(client=client)
            assert len(server.connections) == 1


def test_only_the_thread_that_uses_a_socket_closes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise its descriptor could belong to another file by then, and TLS would write into that."""
    closers: list[int] = []
    close = ssl.SSLSocket.close

    def closed(sock: ssl.SSLSocket) -> None:
        if not sock.server_side:
            closers.append(threading.get_ident())
        close(sock)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    silence = threading.Event()

    def silent(connection: Connection) -> None:
        while connection.receive():
            silence.wait(TEST_TIMEOUT)

    with served(silent, tls=context) as server, ThreadPoolExecutor(1) as threads:
        client = client_of(server, verify_ssl=False)
        monkeypatch.setattr(ssl.SSLSocket, "close", closed)

        def work() -> int:
            with pytest.raises(PictifyError, match="the client was closed"):
                create_image.sync(client=client, body=HTML)
            return threading.get_ident()

        working = threads.submit(work)
        server.arrival()
        client.close()
        worker = working.result(TEST_TIMEOUT)
        silence.set()
        assert set(closers) == {worker}


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Generator[Any]:
    def handle(connection: Connection) -> None:
        while request := connection.receive():
            is_rejected = request.startswith(b"CONNECT")
            connection.send(http(b"", 407) if is_rejected else http(b'{"bindings": []}', 200, b"set-cookie: a=b"))

    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with served(handle) as server:
        yield server


@forms
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_the_proxy_of_the_environment_is_used(
    form: str, name: str, proxy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, proxy.base_url)

    async def test() -> None:
        async with client_of(proxy, base_url="http://api.example", allow_http=["api.example"]) as client:
            for _ in range(2):
                await call(form, list_bindings, client)

    run(form, test)
    assert [request.partition(b"\r\n")[0] for request in proxy.requests] == [
        b"GET http://api.example/bindings HTTP/1.1"
    ] * 2
    assert not any(b"\r\ncookie:" in request.lower() for request in proxy.requests)
    assert len(proxy.connections) == 1
    assert proxy.all_closed()


@forms
def test_a_proxy_that_rejects_the_request_is_an_error_without_the_key(
    form: str, proxy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.base_url)

    async def test() -> None:
        async with client_of(proxy, base_url="https://api.example") as client:
            with pytest.raises(APIConnectionError, match="ProxyError"):
                await call(form, list_bindings, client)

    run(form, test)
    (request,) = proxy.requests
    assert request.startswith(b"CONNECT api.example:443 ")
    assert KEY.encode() not in request


@forms
def test_no_proxy_of_the_environment_is_respected(form: str, proxy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.base_url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with served() as server:

        async def test() -> None:
            async with client_of(server) as client:
                await call(form, list_bindings, client)

        run(form, test)
        assert server.all_closed()
    assert (len(server.requests), proxy.requests) == (1, [])


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("ftp://u:sesame@a", r"\(HTTPS_PROXY.*is not a URL"),
        ("http://u:se[same@a:x", "is not a URL"),
    ],
)
def test_an_invalid_proxy_is_a_clear_error(url: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", url)

    with pytest.raises(ConfigurationError, match=rf"The proxy of the environment.*{text}") as caught:
        AuthenticatedClient(token=KEY)
    assert "sesame" not in str(caught.value)


@forms
def test_the_certificates_of_the_environment_are_used(
    form: str, secure: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    ours = tmp_path / "ours.pem"
    ours.write_bytes(CERTIFICATE.read_bytes())
    made: list[object] = []
    make = httpx.create_ssl_context

    def counted(*arguments: Any, **options: Any) -> ssl.SSLContext:
        made.append(options)
        return make(*arguments, **options)

    monkeypatch.setattr(httpx, "create_ssl_context", counted)

    async def test() -> None:
        async with client_of(secure) as client:
            with pytest.raises(
                APIConnectionError, match="certificate .* is not trusted .*CERTIFICATE_VERIFY_FAILED.*set SSL_CERT_FILE"
            ):
                await call(form, list_bindings, client)
        monkeypatch.setenv("SSL_CERT_FILE", str(ours))
        made.clear()
        for _ in range(2):
            async with client_of(secure) as client:
                for _ in range(2):
                    await call(form, list_bindings, client)
        assert proxies.tls_context(verify=True) is proxies.tls_context(verify=True)
        assert len(made) == 1
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
        error: type[PictifyError] = ConfigurationError
        message = r"cannot be read \(SSL_CERT_FILE='.*none.pem', SSL_CERT_DIR=No"
        if httpx.__version__.startswith("0.27."):  # which falls back to the certificates that it comes with
            error, message = APIConnectionError, "CERTIFICATE_VERIFY_FAILED"
        with pytest.raises(error, match=message):
            async with client_of(secure) as client:
                await call(form, list_bindings, client)

    run(form, test)
    assert len(secure.requests) == 4
    assert len(secure.connections) == 2


@forms
def test_verify_ssl_false_disables_certificate_verification(form: str, secure: Any) -> None:
    async def test() -> None:
        async with client_of(secure, verify_ssl=False) as client:
            await call(form, list_bindings, client)

    run(form, test)
    assert secure.all_closed()


@forms
def test_an_untrusted_certificate_is_not_retried(form: str, secure: Any) -> None:
    async def test() -> None:
        async with client_of(secure, max_retries=3) as client:
            with pytest.raises(APIConnectionError, match="set SSL_CERT_FILE") as caught:
                await call(form, list_bindings, client)
            assert caught.value.attempts == 1

    run(form, test)


def test_a_call_over_tls_respects_its_timeout() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    def trickle(connection: Connection) -> None:
        connection.receive()
        connection.trickle(b"HTTP/1.1 200 OK\r\nx-slow: x")

    with served(trickle, tls=context) as server, client_of(server, verify_ssl=False, attempt_timeout=0.2) as client:
        with pytest.raises(APITimeoutError, match="0.2 s for one attempt"):
            list_bindings.sync(client=client)
        assert server.all_closed()


def test_calls_work_if_no_threads_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_to_start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    with served() as server:
        base_url = server.base_url.replace("127.0.0.1", "localhost")
        with client_of(server, base_url=base_url) as client:
            respond_early = type("Thread", (threading.Thread,), {"start": fail_to_start})
            monkeypatch.setattr(network, "Thread", respond_early)
            list_bindings.sync(client=client)
            assert len(server.connections) == 1


AT_EXIT = """
import atexit, sys
from pictify_client import Pictify
pictify = Pictify(api_key="k", base_url=sys.argv[1])
atexit.register(lambda: print(len(list(pictify.bindings.list()))))
print(len(list(pictify.bindings.list())))
"""


def test_an_unclosed_client_works_until_the_interpreter_exits() -> None:
    with served() as server:
        command = [sys.executable, "-c", AT_EXIT, server.base_url]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "0\n0\n", "")
        assert server.all_closed()


def test_a_clock_or_a_body_that_raises_leaks_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    at_most(1, monkeypatch)

    class Broken(FakeClock):
        def sleep(self, seconds: float) -> None:
            raise ZeroDivisionError(seconds)

    with served(respond_with(http(b"", 500), http())) as server, client_of(server, max_retries=1) as client:
        client.clock = Broken()
        with pytest.raises(ZeroDivisionError):
            list_bindings.sync(client=client)
        list_bindings.sync(client=client)
        assert len(server.connections) == 1


def test_a_pictify_and_its_copies_are_closed_together() -> None:
    with served() as server, Pictify(api_key=KEY, base_url=server.base_url) as pictify:
        copied = pictify.with_options(timeout=9)
        list(copied.bindings.list())
        copied.close()
        assert server.all_closed()
        with pytest.raises(PictifyError, match="the client is closed"):
            list(pictify.bindings.list())
