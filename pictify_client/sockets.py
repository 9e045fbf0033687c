"""Transports of one connection, and the sockets of sync code, none of which waits beyond the deadline of its call.

httpx's own timeouts are for one wait each: for the next byte, for one of a host's addresses. A server that sends
byte by byte, or a resolver that does not answer, makes a long time of many of them.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from contextlib import nullcontext, suppress
from math import inf
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any

import httpcore
import httpx

_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None)
# What is written at a time: between two writes is where a deadline is seen.
_CHUNK = 16_384
_LATE = "no time left"
_CLOSED: dict[type[Exception], type[Exception]] = {
    httpcore.ConnectTimeout: httpcore.ConnectError,
    httpcore.ReadTimeout: httpcore.ReadError,
    httpcore.WriteTimeout: httpcore.WriteError,
}


class Network(httpcore.NetworkBackend):
    """What opens the connection of a transport, and knows the deadline of the call that uses it now.

    Attributes:
        deadline: The end of all waits, by `time.monotonic()`.
    """

    def __init__(self) -> None:
        self.deadline: float = inf
        self._sockets = httpcore.SyncBackend()
        self._stream: httpcore.NetworkStream | None = None

    def left(self, timeout: float | None, late: type[Exception]) -> float | None:
        """How long a wait may take, which may take `timeout` by itself.

        Raises:
            Exception: `late`, as there is no time left; or it was closed.
        """
        left = self.deadline - monotonic()
        if left == -inf:
            raise _CLOSED[late]("the client was closed")
        least = left if timeout is None else min(left, timeout)
        if least <= 0:
            raise late(_LATE)
        return None if least == inf else least

    def abort(self) -> None:
        """Let a thread that waits here wait no longer."""
        self.deadline = -inf
        if self._stream is not None:
            # The plain socket's, since TLS's own would first take from the other thread what it reads with.
            with suppress(OSError):
                socket.socket.shutdown(self._stream.get_extra_info("socket"), socket.SHUT_RDWR)

    def opened(self, stream: httpcore.NetworkStream) -> httpcore.NetworkStream:
        """A stream that keeps to the deadline."""
        self._stream = stream
        return _Stream(self, stream)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of a host's addresses that answers, each of which has its share of the time."""
        left = self.left(timeout, httpcore.ConnectTimeout)
        end = inf if left is None else monotonic() + left
        addresses = _resolved(host, port, end)
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for count, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            share = self.left(end - monotonic(), httpcore.ConnectTimeout)
            try:
                stream = self._sockets.connect_tcp(
                    address, port, None if share is None else share / count, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return self.opened(stream)
        raise failure


class _Stream(httpcore.NetworkStream):
    def __init__(self, network: Network, stream: httpcore.NetworkStream) -> None:
        self._network = network
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._network.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _CHUNK):
            chunk = buffer[start : start + _CHUNK]
            self._stream.write(chunk, self._network.left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            left = self._network.left(timeout, httpcore.ConnectTimeout)
        except Exception:
            self.close()
            raise
        return self._network.opened(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Transport(httpx.HTTPTransport):
    """httpx's transport with one connection in the place of its pool, over a network of its own.

    Attributes:
        network: What opens the connection.
    """

    # httpx has no argument for it.
    _pool: Any

    def __init__(self, url: httpx.URL, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, limits=_ONE)
        self.network: Network = Network()
        self._pool = httpcore.HTTPConnection(origin=_origin(url), ssl_context=context, network_backend=self.network)

    @property
    def is_usable(self) -> bool:
        """Whether the next request can go over it: it is open, and nothing came that no one asked for."""
        return _is_usable(self._pool)


class AsyncTransport(httpx.AsyncHTTPTransport):
    """httpx's transport with one connection in the place of its pool."""

    _pool: Any

    def __init__(self, url: httpx.URL, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, limits=_ONE)
        self._pool = _AsyncConnection(origin=_origin(url), ssl_context=context)

    @property
    def is_usable(self) -> bool:
        """Whether the next request can go over it: it is open, and nothing came that no one asked for."""
        return _is_usable(self._pool)


class _AsyncConnection(httpcore.AsyncHTTPConnection):
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
        # There is none where a mock has answered.
        if is_new and self._connection is not None:
            self._connection._state_lock = nullcontext()  # noqa: SLF001
            self._tls = response.extensions["network_stream"].get_extra_info("ssl_object")
        return response

    def has_expired(self) -> bool:
        """Whether it has expired; or something waits to be read that TLS has taken from the socket already."""
        if super().has_expired():
            return True
        if self._tls is None:
            return False
        try:
            self._tls.read(1)
        except ssl.SSLError as error:
            return not isinstance(error, ssl.SSLWantReadError)
        return True


def _is_usable(connection: Any) -> bool:
    if not connection.is_idle() or connection.has_expired():
        return False
    # What came in one piece with the last answer, httpcore would take for the answer to the next request; it tells
    # no one of it.
    beyond, _ = connection._connection._h11_state.trailing_data  # noqa: SLF001
    return not beyond


def _origin(url: httpx.URL) -> httpcore.Origin:
    port = url.port or (443 if url.scheme == "https" else 80)
    return httpcore.Origin(url.raw_scheme, url.raw_host, port)


def _resolved(host: str, port: int, end: float) -> list[str]:
    """The addresses of a host; a resolver cannot be interrupted, so one that takes too long is left to itself.

    Raises:
        httpcore.ConnectError: There is none.
        httpcore.ConnectTimeout: The time is over.
    """
    found: SimpleQueue[list[str] | OSError | UnicodeError] = SimpleQueue()

    def resolve() -> None:
        try:
            known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put([str(address[0]) for *_, address in known])
        except (OSError, UnicodeError) as error:
            found.put(error)

    if end == inf:
        resolve()
    else:
        try:
            Thread(target=resolve, name="pictify_client resolver", daemon=True).start()
        except RuntimeError:
            # A process that is ending starts no threads.
            resolve()
    try:
        addresses = found.get(timeout=None if end == inf else max(end - monotonic(), 0))
    except Empty:
        raise httpcore.ConnectTimeout(f"{host} was not resolved in time") from None
    if isinstance(addresses, Exception):
        raise httpcore.ConnectError(str(addresses)) from addresses
    return addresses
