"""The common part of the connection pools of sync and async code.

Connections are kept last-in-first-out per origin, and a call has its connection to itself: httpx's pool scans all
connections for every request. Idle connections are closed by the next request, by `close()` and when the transport is
collected; there are no threads and no timers. No lock is held while anything is waited for, so that a call may be
interrupted, a signal handler may close the client, and a process may be forked at any moment.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import httpcore

from .slots import Slot

if TYPE_CHECKING:
    from .proxies import ConnectionSettings


IDLE_SECONDS = 30.0
"""Idle connections are closed after this many seconds."""

MAX_UNPROCESSED = 3


class PoolClosed(Exception):  # noqa: N818
    """The client is closed."""


def key_of(url: httpcore.URL) -> tuple[bytes, bytes, int | None]:
    """The origin (RFC 6454), by which connections are kept."""
    return url.scheme, url.host, url.port


def pool_timeout(request: Any) -> float | None:
    seconds: float | None = request.extensions.get("timeout", {}).get("pool")
    return seconds


def with_stream(response: Any, stream: Any) -> httpcore.Response:
    extensions = response.extensions
    return httpcore.Response(response.status, headers=response.headers, content=stream, extensions=extensions)


class PooledConnection:
    """A connection of a pool."""

    def __init__(self, core: Any, slot: Slot | None) -> None:
        self.core: Any = core
        self.slot = slot
        self.idle_since: float = 0.0
        self.requests: int = 0

    @property
    def is_usable(self) -> bool:
        """Whether the next request can use it: it is open, and nothing came that was not requested."""
        core = self.core
        if isinstance(core, httpcore.ConnectionPool | httpcore.AsyncConnectionPool):
            # A proxy is a pool of one connection.
            known = core.connections
            return len(known) == 1 and known[0].is_idle() and not known[0].has_expired()
        if not core.is_idle() or core.has_expired():
            return False
        # httpcore would read data that arrived after the last response as the response to the next request.
        h11_state = getattr(core._connection, "_h11_state", None)  # noqa: SLF001
        return h11_state is None or not h11_state.trailing_data[0]

    def was_not_processed(self, error: Exception) -> bool:
        """Whether the server says that it has not processed the current request (HTTP/2 GOAWAY)."""
        if isinstance(error, httpcore.ConnectionNotAvailable):
            return True
        last_stream = getattr(error.args[0] if error.args else None, "last_stream_id", None)
        return isinstance(last_stream, int) and last_stream < 2 * self.requests - 1


class Cores(NamedTuple):
    """The classes of connections: direct ones, and those by a proxy."""

    direct: Any
    http_proxy: Any
    socks_proxy: Any


def new_core(cores: Cores, settings: ConnectionSettings, request: httpcore.Request, network: object) -> Any:
    origin = request.url.origin
    proxy = settings.proxy_for(origin)
    options: dict[str, Any] = {"ssl_context": settings.context_for(origin.scheme), "http2": settings.http2}
    options["network_backend"] = network
    if proxy is None:
        return cores.direct(origin=origin, **options)
    if proxy.url.scheme == b"socks5":
        return cores.socks_proxy(proxy.url, proxy.auth, max_connections=1, **options)
    options["proxy_ssl_context"] = settings.context_for(b"https") if proxy.url.scheme == b"https" else None
    return cores.http_proxy(proxy.url, proxy.auth, max_connections=1, **options)


class IdleConnections:
    """The connections that no call uses, by origin, the one used last at the end."""

    def __init__(self) -> None:
        self._by_origin: dict[Any, deque[PooledConnection]] = {}

    def take(self, origin: object, stale: list[PooledConnection]) -> PooledConnection | None:
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

    def give(self, origin: object, connection: PooledConnection) -> None:
        """Add one."""
        connection.idle_since = monotonic()
        self._by_origin.setdefault(origin, deque()).append(connection)

    def reap(self, stale: list[PooledConnection], seconds: float | None = None) -> None:
        """Take those that are idle for too long; with 0 seconds all of them."""
        latest = monotonic() - (IDLE_SECONDS if seconds is None else seconds)
        for connections in list(self._by_origin.values()):
            with suppress(IndexError):
                while connections[0].idle_since <= latest:
                    stale.append(connections.popleft())
