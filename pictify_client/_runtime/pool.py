"""The connection pools, as transports of httpx.

Connections are kept last-in-first-out per origin, and a call has its connection to itself: httpx's pool scans all
connections for every request. Idle connections are closed by the next request, by `close()` and when the transport is
collected; there are no threads and no timers. No lock is held while anything is waited for, so that a call may be
interrupted, a signal handler may close the client, and a process may be forked at any moment.
"""

from __future__ import annotations

import itertools
import os
import ssl
from collections import deque
from collections.abc import Iterator, MutableMapping
from contextlib import nullcontext, suppress
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar, cast
from weakref import WeakKeyDictionary, WeakSet, finalize, ref

import anyio
import httpcore
import httpx

from .loops import EventLoop, running_loop
from .network import CLOSED, AsyncNetwork, SyncNetwork
from .proxies import plain_context

if TYPE_CHECKING:
    from typing import Self

    from .proxies import ConnectionSettings

MAX_CONNECTIONS = 100
"""Connections of a client at a time; a call that finds all of them in use waits for its pool timeout."""

IDLE_SECONDS = 30.0
"""How long an idle connection is kept."""

_MAX_UNPROCESSED = 3

Core = TypeVar("Core")


def all_busy() -> str:
    """What an error says if no connection became free in time."""
    return f"all {MAX_CONNECTIONS} connections are in use; a file that is neither read nor closed holds one"


class PoolClosed(Exception):  # noqa: N818
    """The client is closed."""


class Slot:
    """The right to have a connection; free again as soon as nothing holds it, however its call ended."""

    def __init__(self, free: SlotQueue) -> None:
        self._free = ref(free)

    def __del__(self) -> None:
        free = self._free()
        if free is not None:
            free.put(Slot(free))


class SlotQueue(Protocol):
    """The free slots of a pool."""

    def put(self, slot: Slot | None, /) -> object:
        """Free a slot."""


def _key(url: httpcore.URL) -> tuple[bytes, bytes, int | None]:
    """What connections are kept by: an origin (RFC 6454)."""
    return url.scheme, url.host, url.port


def _extensions_of(request: Any) -> MutableMapping[str, Any]:
    extensions: MutableMapping[str, Any] = request.extensions
    return extensions


def _pool_timeout(request: httpcore.Request) -> float | None:
    seconds: float | None = _extensions_of(request).get("timeout", {}).get("pool")
    return seconds


def _with_stream(response: Any, stream: Any) -> httpcore.Response:
    extensions = response.extensions
    return httpcore.Response(response.status, headers=response.headers, content=stream, extensions=extensions)


class PooledConnection(Generic[Core]):
    """A connection of a pool."""

    def __init__(self, core: Core, slot: Slot | None) -> None:
        self.core = core
        self.slot = slot
        self.idle_since: float = 0.0
        self.requests: int = 0

    @property
    def is_usable(self) -> bool:
        """Whether the next request can use it: it is open, and nothing came that was not requested."""
        core: Any = self.core
        if isinstance(core, httpcore.ConnectionPool | httpcore.AsyncConnectionPool):
            # A proxy is a pool of one connection.
            known = core.connections
            return len(known) == 1 and known[0].is_idle() and not known[0].has_expired()
        if not core.is_idle() or core.has_expired():
            return False
        # What came in one piece with the last response, httpcore would take for the response to the next request.
        h11_state = getattr(core._connection, "_h11_state", None)  # noqa: SLF001
        return h11_state is None or not h11_state.trailing_data[0]

    def was_not_processed(self, error: Exception) -> bool:
        """Whether the server says that it has not processed the current request (HTTP/2 GOAWAY)."""
        if isinstance(error, httpcore.ConnectionNotAvailable):
            return True
        last_stream = getattr(error.args[0] if error.args else None, "last_stream_id", None)
        return isinstance(last_stream, int) and last_stream < 2 * self.requests - 1


class _Cores(NamedTuple):
    """The classes of connections: direct ones, and those by a proxy."""

    direct: Any
    http_proxy: Any
    socks_proxy: Any


def _new_core(cores: _Cores, settings: ConnectionSettings, request: httpcore.Request, network: object) -> Any:
    origin = request.url.origin
    proxy = settings.proxy_for(origin)
    options: dict[str, Any] = {"ssl_context": settings.context_for(origin.scheme), "http2": settings.http2}
    options["network_backend"] = network
    if proxy is None:
        return cores.direct(origin=origin, **options)
    if proxy.is_socks:
        return cores.socks_proxy(proxy.url, proxy.auth, max_connections=1, **options)
    options["proxy_ssl_context"] = settings.context_for(proxy.url.scheme) if proxy.is_encrypted else None
    return cores.http_proxy(proxy.url, proxy.auth, max_connections=1, **options)


SyncCore = httpcore.HTTPConnection | httpcore.HTTPProxy | httpcore.SOCKSProxy
_SYNC_CORES = _Cores(httpcore.HTTPConnection, httpcore.HTTPProxy, httpcore.SOCKSProxy)
AnyConnection = TypeVar("AnyConnection", bound="PooledConnection[Any]")


class IdleConnections(Generic[AnyConnection]):
    """The connections that no call uses, by origin, the one used last at the end."""

    def __init__(self) -> None:
        self._by_origin: dict[Any, deque[AnyConnection]] = {}

    def take(self, origin: object, stale: list[AnyConnection]) -> AnyConnection | None:
        """Take one that can be used, if there is any; adds those that cannot to `stale`."""
        self.reap(stale)
        connections = self._by_origin.get(origin, deque())
        with suppress(IndexError):
            while True:
                connection = connections.pop()
                if connection.is_usable:
                    return connection
                stale.append(connection)
        return None

    def give(self, origin: object, connection: AnyConnection) -> None:
        """Add one."""
        connection.idle_since = monotonic()
        self._by_origin.setdefault(origin, deque()).append(connection)

    def reap(self, stale: list[AnyConnection], seconds: float | None = None) -> None:
        """Take those that are idle for too long; with 0 seconds all of them."""
        latest = monotonic() - (IDLE_SECONDS if seconds is None else seconds)
        for connections in list(self._by_origin.values()):
            with suppress(IndexError):
                while connections[0].idle_since <= latest:
                    stale.append(connections.popleft())


# Sync.


class _SyncSlots:
    def __init__(self) -> None:
        self._slots: SimpleQueue[Slot | None] = SimpleQueue()
        self._count = itertools.count()

    def put(self, slot: Slot | None) -> None:
        self._slots.put(slot)

    def take(self, timeout: float | None) -> Slot | None:
        """Take one, if necessary once it is free; None if the pool is closed.

        Raises:
            Empty: If none is free in time.
        """
        with suppress(Empty):
            return self._slots.get_nowait()
        return Slot(self) if next(self._count) < MAX_CONNECTIONS else self._slots.get(timeout=timeout)


class SyncPool:
    """What a sync transport sends with, for any number of threads."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Have no connections, and all slots."""
        self.network: SyncNetwork = SyncNetwork()
        self._slots = _SyncSlots()
        self._idle: IdleConnections[PooledConnection[SyncCore]] = IdleConnections()
        self.reading: set[PooledConnection[SyncCore]] = set()
        self._finalizer = finalize(self, _close_idle, self._idle)
        self._finalizer.atexit = False

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request; its response is read by its stream."""
        attempt = 0
        while True:
            attempt += 1
            connection = self._take(request)
            try:
                response = connection.core.handle_request(request)
            except (httpcore.ConnectionNotAvailable, httpcore.NetworkError, httpcore.ProtocolError) as error:
                self._discard(connection)
                if self.network.is_aborted:
                    raise httpcore.ReadError(CLOSED) from error
                if attempt >= _MAX_UNPROCESSED or not connection.was_not_processed(error):
                    raise
            except BaseException:
                self._discard(connection)
                raise
            else:
                stream = SyncPoolStream(self, _key(request.url), connection, cast("Any", response.stream))
                return _with_stream(response, stream)

    def close(self) -> None:
        """Close idle connections, and end the waits of the others, which their users close."""
        self.network.abort()
        self._slots.put(None)
        _close_idle(self._idle)

    def forget(self) -> None:
        """Have no connections in a forked process: they are its parent's, and only their descriptors are closed."""
        self.network.forget()
        self._finalizer.detach()
        self.reset()

    def finish(self, origin: object, connection: PooledConnection[SyncCore], *, is_complete: bool) -> None:
        """Keep a connection whose response was read to its end, and close any other."""
        # An interrupted `close` may have finished it already.
        with suppress(KeyError):
            self.reading.remove(connection)
            if not is_complete:
                self._discard(connection)
                return
            slot, connection.slot = connection.slot, None
            self._idle.give(origin, connection)
            # Not before: a thread that gets the slot would find no connection, and open one too many.
            del slot
            if self.network.is_aborted:
                _close_idle(self._idle)

    def _take(self, request: httpcore.Request) -> PooledConnection[SyncCore]:
        try:
            slot = self._slots.take(_pool_timeout(request))
        except Empty:
            raise httpcore.PoolTimeout(all_busy()) from None
        if slot is None or self.network.is_aborted:
            self._slots.put(None)
            raise PoolClosed
        stale: list[PooledConnection[SyncCore]] = []
        connection = self._idle.take(_key(request.url), stale)
        for each in stale:
            _close(each)
        if connection is None:
            connection = PooledConnection(_new_core(_SYNC_CORES, self._settings, request, self.network), slot)
        connection.slot = slot
        connection.requests += 1
        return connection

    def _discard(self, connection: PooledConnection[SyncCore]) -> None:
        connection.slot = None
        _close(connection)


class SyncPoolStream:
    """The body of a response. Its connection is kept if it was read to its end, and closed otherwise."""

    _connection: PooledConnection[SyncCore] | None = None

    def __init__(self, pool: SyncPool, origin: object, connection: PooledConnection[SyncCore], stream: Any) -> None:
        self._pool = pool
        self._origin = origin
        self._connection = connection
        self._stream = stream
        self._is_complete = False
        # A socket that is collected together with this would warn that nobody has closed it.
        pool.reading.add(connection)

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream
        self._is_complete = True

    def close(self) -> None:
        """Give the connection back."""
        connection, is_complete = self._connection, False
        if connection is None:
            return
        try:
            self._stream.close()
            is_complete = self._is_complete
        finally:
            self._pool.finish(self._origin, connection, is_complete=is_complete)
            self._connection = None

    def __del__(self) -> None:
        if self._connection is not None:
            self._pool.finish(self._origin, self._connection, is_complete=False)


def _close(connection: PooledConnection[SyncCore]) -> None:
    # What is given up is nobody's concern, whatever becomes of it.
    with suppress(Exception):
        connection.core.close()


def _close_idle(idle: IdleConnections[PooledConnection[SyncCore]]) -> None:
    taken: list[PooledConnection[SyncCore]] = []
    idle.reap(taken, 0)
    for connection in taken:
        _close(connection)


class SyncTransport(httpx.HTTPTransport):
    """httpx's transport, with another pool.

    It is one of httpx's, so that what instruments these (OpenTelemetry, pytest-httpx) sees its requests.
    """

    # httpx has no argument for it.
    _pool: Any

    def __init__(self, settings: ConnectionSettings) -> None:
        super().__init__(verify=plain_context())
        self._pool = SyncPool(settings)
        _forgotten_by_forks.add(self._pool)

    def close(self) -> None:
        """Close idle connections, and end the calls under way."""
        self._pool.close()


# Async.


class _AsyncSlots:
    """The slots of an event loop; a slot that is freed goes to the task that has waited longest."""

    def __init__(self, loop: EventLoop) -> None:
        self._loop = loop
        self._free: deque[Slot | None] = deque()
        self._waiting: deque[tuple[anyio.Event, list[Slot | None]]] = deque()
        self._count = itertools.count()

    def put(self, slot: Slot | None) -> None:
        """Free a slot, in any thread; None ends a wait."""
        try:
            event, given = self._waiting.popleft()
        except IndexError:
            self._free.append(slot)
            return
        given.append(slot)
        self._loop.call_soon(event.set)

    def close(self) -> None:
        """End all waits."""
        for _ in range(len(self._waiting)):
            self.put(None)

    async def take(self, timeout: float | None) -> Slot | None:  # noqa: ASYNC109 (it is httpx's pool timeout)
        """Take one, if necessary once it is free; None if the pool is closed.

        Raises:
            TimeoutError: If none is free in time.
        """
        with suppress(IndexError):
            return self._free.pop()
        if next(self._count) < MAX_CONNECTIONS:
            return Slot(self)
        event, given = waiting = anyio.Event(), list[Slot | None]()
        self._waiting.append(waiting)
        # One may have been freed in another thread, before that knew who waits.
        with suppress(IndexError):
            self.put(self._free.pop())
        try:
            with anyio.fail_after(timeout):
                await event.wait()
        except BaseException:
            with suppress(ValueError):
                self._waiting.remove(waiting)
            raise
        return given.pop()


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


AnyAsyncCore = AsyncCore | httpcore.AsyncHTTPProxy | httpcore.AsyncSOCKSProxy
_ASYNC_CORES = _Cores(AsyncCore, httpcore.AsyncHTTPProxy, httpcore.AsyncSOCKSProxy)


class AsyncPool:
    """What an async transport sends with in an event loop, for any number of tasks."""

    def __init__(self, loop: EventLoop, settings: ConnectionSettings) -> None:
        self._loop = loop
        self._settings = settings
        backend: Any = httpcore.AnyIOBackend() if loop.is_asyncio else httpcore.TrioBackend()
        self._network = AsyncNetwork(backend)
        self._slots = _AsyncSlots(loop)
        self._idle: IdleConnections[PooledConnection[AnyAsyncCore]] = IdleConnections()
        self.reading: set[PooledConnection[AnyAsyncCore]] = set()
        self._is_closed = False

    @property
    def loop(self) -> EventLoop:
        """The event loop that it belongs to."""
        return self._loop

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request; its response is read by its stream."""
        # What has not come should the time of the call end: nothing is sent before there is a connection.
        extensions = _extensions_of(request)
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
                if self._is_closed:
                    raise httpcore.ReadError(CLOSED) from error
                if attempt >= _MAX_UNPROCESSED or not connection.was_not_processed(error):
                    raise
            except BaseException:
                await self._discard(connection)
                raise
            else:
                stream = AsyncPoolStream(self, _key(request.url), connection, response.stream)
                return _with_stream(response, stream)

    async def aclose(self) -> None:
        """Close idle connections, and end the waits of the others, which their users close."""
        self._is_closed = True
        self._network.abort()
        self._slots.close()
        taken: list[PooledConnection[AnyAsyncCore]] = []
        self._idle.reap(taken, 0)
        await _aclose(taken)

    async def finish(self, origin: object, connection: PooledConnection[AnyAsyncCore], *, is_complete: bool) -> None:
        """Keep a connection whose response was read to its end, and close any other."""
        # An interrupted `aclose` may have finished it already.
        with suppress(KeyError):
            self.reading.remove(connection)
            if self._is_closed or not is_complete:
                await self._discard(connection)
                return
            connection.slot = None
            self._idle.give(origin, connection)

    def abandon(self, connection: PooledConnection[AnyAsyncCore]) -> None:
        """Close a connection whose response nobody reads, from any thread."""
        self._loop.start(partial(self.finish, None, connection, is_complete=False))

    async def _discard(self, connection: PooledConnection[AnyAsyncCore]) -> None:
        connection.slot = None
        await _aclose([connection])

    async def _take(self, request: httpcore.Request) -> PooledConnection[AnyAsyncCore]:
        try:
            slot = await self._slots.take(_pool_timeout(request))
        except TimeoutError:
            raise httpcore.PoolTimeout(all_busy()) from None
        if slot is None or self._is_closed:
            raise PoolClosed
        stale: list[PooledConnection[AnyAsyncCore]] = []
        connection = self._idle.take(_key(request.url), stale)
        if connection is None:
            connection = PooledConnection(_new_core(_ASYNC_CORES, self._settings, request, self._network), slot)
        connection.slot = slot
        connection.requests += 1
        if stale:
            try:
                await _aclose(stale)
                if self._is_closed:
                    raise PoolClosed
            except BaseException:
                await self._discard(connection)
                raise
        return connection


class _Connected:
    """Notes when a request is about to be sent over a new connection, as httpcore traces it."""

    def __init__(self, extensions: MutableMapping[str, Any]) -> None:
        self._extensions = extensions

    async def __call__(self, event: str, _info: dict[str, Any]) -> None:
        if event.endswith("send_request_headers.started"):
            self._extensions["awaited"] = None


class AsyncPoolStream:
    """The body of a response. Its connection is kept if it was read to its end, and closed otherwise."""

    _connection: PooledConnection[AnyAsyncCore] | None = None

    def __init__(
        self, pool: AsyncPool, origin: object, connection: PooledConnection[AnyAsyncCore], stream: Any
    ) -> None:
        self._pool = pool
        self._origin = origin
        self._connection = connection
        self._stream = stream
        self._chunks = aiter(stream)
        self._is_complete = False
        # A socket that is collected together with this would warn that nobody has closed it.
        pool.reading.add(connection)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk: bytes = await anext(self._chunks)
        except StopAsyncIteration:
            self._is_complete = True
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
            await self._pool.finish(self._origin, connection, is_complete=is_complete)
            self._connection = None

    def __del__(self) -> None:
        if self._connection is not None:
            self._pool.abandon(self._connection)


async def _aclose(connections: list[PooledConnection[AnyAsyncCore]]) -> None:
    if connections:
        # A call that is cancelled must leave no connection behind.
        with anyio.CancelScope(shield=True):
            for connection in connections:
                # What is given up is nobody's concern, whatever becomes of it.
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
        """Have no connections in a forked process: they are its parent's."""
        self._pools.clear()


class AsyncTransport(httpx.AsyncHTTPTransport):
    """httpx's transport, with other pools; see `SyncTransport`."""

    # httpx has no argument for it.
    _pool: Any

    def __init__(self, settings: ConnectionSettings) -> None:
        super().__init__(verify=plain_context())
        self._pool = AsyncPools(settings)
        _forgotten_by_forks.add(self._pool)

    async def aclose(self) -> None:
        """Close idle connections, and end the calls under way."""
        await self._pool.aclose()


# Forks.

_forgotten_by_forks: WeakSet[SyncPool | AsyncPools] = WeakSet()


def _forget() -> None:
    for pool in list(_forgotten_by_forks):
        pool.forget()


if hasattr(os, "register_at_fork"):  # pragma: no branch
    os.register_at_fork(after_in_child=_forget)
