"""The connection pool of sync code, as a transport of httpx."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from queue import Empty
from typing import TYPE_CHECKING, Any
from weakref import finalize

import httpcore
import httpx

from .forks import after_fork
from .network import CLOSED, SyncNetwork
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
from .slots import SyncSlots, all_busy

if TYPE_CHECKING:
    from .proxies import ConnectionSettings


_SYNC_CORES = Cores(httpcore.HTTPConnection, httpcore.HTTPProxy, httpcore.SOCKSProxy)


class SyncPool:
    """The connection pool of a sync transport, for any number of threads."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Start without connections, and with all slots."""
        self.network: SyncNetwork = SyncNetwork()
        self._slots = SyncSlots()
        self._idle: IdleConnections = IdleConnections()
        self.reading: set[tuple[PooledConnection, int]] = set()
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
                if attempt >= MAX_UNPROCESSED or not connection.was_not_processed(error):
                    raise
            except BaseException:
                self._discard(connection)
                raise
            else:
                stream = SyncPoolStream(self, key_of(request.url), connection, response.stream)
                return with_stream(response, stream)

    def close(self) -> None:
        """Close idle connections, and end the waits of the others, which their users close."""
        self.network.abort()
        self._slots.put(None)
        _close_idle(self._idle)

    def forget(self) -> None:
        """Drop all connections in a forked process: they belong to its parent, so only the descriptors are closed."""
        self.network.forget()
        self._finalizer.detach()
        self.reset()

    def finish(self, origin: object, connection: PooledConnection, use: int, *, is_complete: bool) -> None:
        """Keep a connection whose response was read to its end, and close any other."""
        # An interrupted `close` may have finished this use already, and another call use the connection by now.
        with suppress(KeyError):
            self.reading.remove((connection, use))
            if not is_complete:
                self._discard(connection)
                return
            slot, connection.slot = connection.slot, None
            self._idle.give(origin, connection)
            # Not before: a thread that gets the slot would find no connection, and open one too many.
            del slot
            if self.network.is_aborted:
                _close_idle(self._idle)

    def _take(self, request: httpcore.Request) -> PooledConnection:
        try:
            slot = self._slots.take(pool_timeout(request))
        except Empty:
            raise httpcore.PoolTimeout(all_busy()) from None
        if slot is None or self.network.is_aborted:
            self._slots.put(None)
            raise PoolClosed
        stale: list[PooledConnection] = []
        connection = self._idle.take(key_of(request.url), stale)
        for each in stale:
            _close(each)
        if connection is None:
            connection = PooledConnection(new_core(_SYNC_CORES, self._settings, request, self.network), slot)
        connection.slot = slot
        connection.requests += 1
        return connection

    def _discard(self, connection: PooledConnection) -> None:
        connection.slot = None
        _close(connection)


class SyncPoolStream:
    """The body of a response. Its connection is kept if it was read to its end, and closed otherwise."""

    _connection: PooledConnection | None = None

    def __init__(self, pool: SyncPool, origin: object, connection: PooledConnection, stream: Any) -> None:
        self._pool = pool
        self._origin = origin
        self._connection = connection
        self._stream = stream
        self._is_complete = False
        # A socket that is collected together with this would warn that nobody has closed it.
        self._use = connection.requests
        pool.reading.add((connection, self._use))

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            if self._pool.network.is_aborted:
                raise httpcore.ReadError(CLOSED) from error
            raise
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
            self._pool.finish(self._origin, connection, self._use, is_complete=is_complete)
            self._connection = None

    def __del__(self) -> None:
        if self._connection is not None:
            self._pool.finish(self._origin, self._connection, self._use, is_complete=False)


def _close(connection: PooledConnection) -> None:
    # Nobody needs this connection, so an error while it is closed does not matter.
    with suppress(Exception):
        connection.core.close()


def _close_idle(idle: IdleConnections) -> None:
    taken: list[PooledConnection] = []
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
        after_fork(self._pool.forget)

    def close(self) -> None:
        """Close idle connections, and end the calls under way."""
        self._pool.close()
