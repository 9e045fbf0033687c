"""The connection pools of async code, one per event loop, as a transport of httpx."""

from __future__ import annotations

import ssl
from contextlib import nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import anyio
import httpcore
import httpx

from .forks import after_fork
from .loops import EventLoop, running_loop
from .network import CLOSED, AsyncNetwork
from .pool import (
    MAX_UNPROCESSED,
    Cores,
    IdleConnections,
    PoolClosed,
    PooledConnection,
    key_of,
    new_core,
    pool_timeout,
    with_stream,
)
from .proxies import plain_context
from .slots import AsyncSlots, all_busy

if TYPE_CHECKING:
    from typing import Self

    from .proxies import ConnectionSettings


class AsyncCore(httpcore.AsyncHTTPConnection):
    """A connection that one call has at a time, which takes no lock: to take one is to wait for a turn of the loop.

    With three turns more, calls of many tasks end all together, and the server has nothing to do meanwhile.
    """

    _connection: Any
    _request_lock: Any

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._request_lock = nullcontext()
        self._tls: ssl.SSLObject | None = None

    async def handle_async_request(self, request: httpcore.Request) -> Any:
        is_new = self._connection is None
        response: Any = await super().handle_async_request(request)
        # There is none if a mock has responded.
        if is_new and self._connection is not None:
            self._connection._state_lock = nullcontext()  # noqa: SLF001
            self._tls = response.extensions["network_stream"].get_extra_info("ssl_object")
        return response

    def has_expired(self) -> bool:
        """Whether it has expired, or something waits to be read that TLS has taken from the socket already."""
        if super().has_expired():
            return True
        if self._tls is None:
            return False
        try:
            self._tls.read(1)
        except ssl.SSLError as error:
            return not isinstance(error, ssl.SSLWantReadError)
        return True


_ASYNC_CORES = Cores(AsyncCore, httpcore.AsyncHTTPProxy, httpcore.AsyncSOCKSProxy)


class AsyncPool:
    """The connection pool of an async transport in one event loop, for any number of tasks."""

    def __init__(self, loop: EventLoop, settings: ConnectionSettings) -> None:
        self.loop = loop
        self._settings = settings
        backend: Any = httpcore.AnyIOBackend() if loop.is_asyncio else httpcore.TrioBackend()
        self._network = AsyncNetwork(backend)
        self._slots = AsyncSlots(loop)
        self._idle: IdleConnections = IdleConnections()
        self.reading: set[tuple[PooledConnection, int]] = set()
        self.is_closed: bool = False

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request; its response is read by its stream."""
        # The error if the time of the call ends now: nothing is sent before there is a connection.
        extensions = cast("dict[str, Any]", request.extensions)
        extensions["awaited"] = httpx.PoolTimeout
        attempt = 0
        while True:
            attempt += 1
            connection = await self._take(request)
            is_new = connection.requests == 1
            extensions["awaited"] = httpx.ConnectTimeout if is_new else None
            if is_new:
                extensions["trace"] = _Connected(extensions)
            try:
                response: Any = await connection.core.handle_async_request(request)
            except (httpcore.ConnectionNotAvailable, httpcore.NetworkError, httpcore.ProtocolError) as error:
                await self._discard(connection)
                if self.is_closed:
                    raise httpcore.ReadError(CLOSED) from error
                if attempt >= MAX_UNPROCESSED or not connection.was_not_processed(error):
                    raise
            except BaseException:
                await self._discard(connection)
                raise
            else:
                stream = AsyncPoolStream(self, key_of(request.url), connection, response.stream)
                return with_stream(response, stream)

    async def aclose(self) -> None:
        """Close idle connections, and end the waits of the others, which their users close."""
        self.is_closed = True
        self._network.abort()
        self._slots.close()
        taken: list[PooledConnection] = []
        self._idle.reap(taken, 0)
        await _aclose(taken)

    async def finish(self, origin: object, connection: PooledConnection, use: int, *, is_complete: bool) -> None:
        """Keep a connection whose response was read to its end, and close any other."""
        # An interrupted `aclose` may have finished this use already, and another call use the connection by now.
        with suppress(KeyError):
            self.reading.remove((connection, use))
            if self.is_closed or not is_complete:
                await self._discard(connection)
                return
            connection.slot = None
            self._idle.give(origin, connection)

    async def _discard(self, connection: PooledConnection) -> None:
        connection.slot = None
        await _aclose([connection])

    async def _take(self, request: httpcore.Request) -> PooledConnection:
        try:
            slot = await self._slots.take(pool_timeout(request))
        except TimeoutError:
            raise httpcore.PoolTimeout(all_busy()) from None
        if slot is None or self.is_closed:
            raise PoolClosed
        stale: list[PooledConnection] = []
        connection = self._idle.take(key_of(request.url), stale)
        if connection is None:
            connection = PooledConnection(new_core(_ASYNC_CORES, self._settings, request, self._network), slot)
        connection.slot = slot
        connection.requests += 1
        if stale:
            try:
                await _aclose(stale)
                if self.is_closed:
                    raise PoolClosed
            except BaseException:
                await self._discard(connection)
                raise
        return connection


class _Connected:
    """Notes when a request is about to be sent over a new connection, as httpcore traces it."""

    def __init__(self, extensions: dict[str, Any]) -> None:
        self._extensions = extensions

    async def __call__(self, event: str, _info: dict[str, Any]) -> None:
        if event.endswith("send_request_headers.started"):
            self._extensions["awaited"] = None


class AsyncPoolStream:
    """The body of a response. Its connection is kept if it was read to its end, and closed otherwise."""

    _connection: PooledConnection | None = None

    def __init__(self, pool: AsyncPool, origin: object, connection: PooledConnection, stream: Any) -> None:
        self._pool = pool
        self._origin = origin
        self._connection = connection
        self._stream = stream
        self._chunks = aiter(stream)
        self._is_complete = False
        # A socket that is collected together with this would warn that nobody has closed it.
        self._use = connection.requests
        pool.reading.add((connection, self._use))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk: bytes = await anext(self._chunks)
        except StopAsyncIteration:
            self._is_complete = True
            raise
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            if self._pool.is_closed:
                raise httpcore.ReadError(CLOSED) from error
            raise
        return chunk

    async def aclose(self) -> None:
        """Give the connection back."""
        connection, is_complete = self._connection, False
        if connection is None:
            return
        try:
            await self._stream.aclose()
            is_complete = self._is_complete
        finally:
            await self._pool.finish(self._origin, connection, self._use, is_complete=is_complete)
            self._connection = None

    def __del__(self) -> None:
        if self._connection is not None:
            finish = partial(self._pool.finish, self._origin, self._connection, self._use, is_complete=False)
            # The garbage collector runs in any thread.
            self._pool.loop.start(finish)


async def _aclose(connections: list[PooledConnection]) -> None:
    if connections:
        # A call that is cancelled must leave no connection behind.
        with anyio.CancelScope(shield=True):
            for connection in connections:
                # Nobody needs this connection, so an error while it is closed does not matter.
                with suppress(Exception):
                    await connection.core.aclose()


class AsyncPools:
    """A pool per event loop, so that one client may be used in several, one after the other or at the same time."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._pools: WeakKeyDictionary[Any, AsyncPool] = WeakKeyDictionary()
        self._is_closed = False

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request by the pool of the event loop that runs."""
        if self._is_closed:
            raise PoolClosed
        handle = running_loop()
        pool = self._pools.get(handle)
        if pool is None:
            # The connections of a loop refer to it, so it is not collected before they are.
            for known, other in list(self._pools.items()):
                if other.loop.is_over:
                    self._pools.pop(known, None)
            pool = AsyncPool(EventLoop(handle), self._settings)
            self._pools[handle] = pool
        return await pool.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections, those of other event loops in these."""
        self._is_closed = True
        handle = running_loop()
        for known, pool in list(self._pools.items()):
            if known is handle:
                await pool.aclose()
            else:
                pool.loop.start(pool.aclose)
        self._pools.clear()

    def forget(self) -> None:
        """Drop all connections in a forked process: they belong to its parent."""
        self._pools.clear()


class AsyncTransport(httpx.AsyncHTTPTransport):
    """httpx's transport, with other pools; see `SyncTransport`."""

    # httpx has no argument for it.
    _pool: Any

    def __init__(self, settings: ConnectionSettings) -> None:
        super().__init__(verify=plain_context())
        self._pool = AsyncPools(settings)
        after_fork(self._pool.forget)

    async def aclose(self) -> None:
        """Close idle connections, and end the calls under way."""
        await self._pool.aclose()
