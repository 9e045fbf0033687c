"""The sockets of the connection pools: none waits beyond the deadline of its call, none outlives a failed handshake.

The timeouts of httpx are for a single wait each: for the next byte, for one address of a host. A server that sends byte
by byte, or a resolver that does not respond, makes a long time of many of them.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from contextvars import ContextVar
from ipaddress import ip_address
from math import inf
from queue import Empty, SimpleQueue
from threading import RLock, Thread
from time import monotonic
from typing import Any
from weakref import WeakSet

import anyio
import httpcore

from .heartbeats import wait_with_heartbeat

DEADLINE: ContextVar[float] = ContextVar("pictify_client_deadline", default=inf)
"""The end of all waits of the sync call that runs, by `time.monotonic()`."""

# Bytes per write: between two writes, the deadline is checked, and whether the server has responded already.
_CHUNK = 65_536
CLOSED = "the client was closed"
"""The text of the error of a call that was under way."""


class SyncNetwork(httpcore.NetworkBackend):
    """Opens the connections of a sync transport, and ends their waits when the transport is closed."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()
        self._streams: WeakSet[SyncStream] = WeakSet()
        self.is_aborted: bool = False

    def left(self, timeout: float | None, late: type[Exception]) -> float | None:
        """The seconds that a wait may take, at most `timeout`.

        Raises:
            Exception: `late`, if there is no time left.
            httpcore.ReadError: If the transport was closed.
        """
        if self.is_aborted:
            raise httpcore.ReadError(CLOSED)
        left = min(inf if timeout is None else timeout, DEADLINE.get() - monotonic())
        if left <= 0:
            raise late("no time left")
        return None if left == inf else left

    def abort(self) -> None:
        """End the waits of all threads. Each thread closes the socket that it uses."""
        self.is_aborted = True
        for stream in list(self._streams):
            stream.abort()

    def forget(self) -> None:
        """Close all sockets of a forked process: they are its parent's."""
        for stream in list(self._streams):
            stream.forget()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that accepts; each address has its share of the time."""
        left = self.left(timeout, httpcore.ConnectTimeout)
        end = inf if left is None else monotonic() + left
        addresses = _resolve(host, port, end)
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for count, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            share = self.left(None if end == inf else end - monotonic(), httpcore.ConnectTimeout)
            share = None if share is None else share / count
            try:
                stream = self._backend.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return self.opened(stream)
        raise failure

    def opened(self, stream: httpcore.NetworkStream) -> httpcore.NetworkStream:
        """A stream that respects the deadline."""
        wrapped = SyncStream(self, stream)
        self._streams.add(wrapped)
        return wrapped


class SyncStream(httpcore.NetworkStream):
    """A socket that only its user closes; others may end its waits."""

    def __init__(self, network: SyncNetwork, stream: httpcore.NetworkStream) -> None:
        self._network = network
        self._stream = stream
        # A signal handler may abort what its thread is about to close.
        self._lock = RLock()
        self._is_closed = False
        self._handle: socket.socket | None = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return wait_with_heartbeat(
            lambda seconds: self._stream.read(max_bytes, seconds),
            self._network.left(timeout, httpcore.ReadTimeout),
            httpcore.ReadTimeout,
        )

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _CHUNK):
            if start and _has_responded(self._stream):
                raise httpcore.WriteError("the server responded before the request was complete")
            chunk = buffer[start : start + _CHUNK]
            self._stream.write(chunk, self._network.left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            self._stream.close()

    def forget(self) -> None:
        """Close it in a forked process, where nobody is left who may have the lock."""
        self._lock = RLock()
        self.close()

    def abort(self) -> None:
        """End the waits of another thread. Its socket stays open, as its number could become that of another file."""
        with self._lock:
            if not self._is_closed:
                # The method of the plain socket: that of TLS would first take from the other thread what it reads with.
                handle = self._handle or self._stream.get_extra_info("socket")
                with suppress(OSError):
                    socket.socket.shutdown(handle, socket.SHUT_RDWR)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        # The handshake takes the socket out of this stream; with a duplicate of it, its waits can be ended too.
        with self._stream.get_extra_info("socket").dup() as handle:
            self._handle = handle
            try:
                left = self._network.left(timeout, httpcore.ConnectTimeout)
                return self._network.opened(self._stream.start_tls(ssl_context, server_hostname, left))
            except BaseException:
                self.close()
                raise
            finally:
                with self._lock:
                    self._handle = None

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class AsyncNetwork(httpcore.AsyncNetworkBackend):
    """Opens the connections of an async transport."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        self._backend = backend
        self._streams: WeakSet[AsyncStream] = WeakSet()
        self._is_aborted = False

    def abort(self) -> None:
        """End the waits of all tasks. Each task closes the socket that it uses."""
        self._is_aborted = True
        for stream in list(self._streams):
            stream.abort()

    def opened(self, stream: httpcore.AsyncNetworkStream) -> httpcore.AsyncNetworkStream:
        """A stream that can be aborted."""
        wrapped = AsyncStream(self, stream)
        self._streams.add(wrapped)
        return wrapped

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a host."""
        stream = self.opened(await self._backend.connect_tcp(host, port, timeout, local_address, socket_options))
        if self._is_aborted:
            await stream.aclose()
            raise httpcore.ReadError(CLOSED)
        return stream


class AsyncStream(httpcore.AsyncNetworkStream):
    """A socket that is closed if its handshake fails or is cancelled."""

    def __init__(self, network: AsyncNetwork, stream: httpcore.AsyncNetworkStream) -> None:
        self._network = network
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 (httpcore's signature)
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 (httpcore's signature)
        for start in range(0, len(buffer), _CHUNK):
            if start and _has_responded(self._stream):
                raise httpcore.WriteError("the server responded before the request was complete")
            await self._stream.write(buffer[start : start + _CHUNK], timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def abort(self) -> None:
        """End the waits of another task."""
        with suppress(OSError):
            self._stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
    ) -> httpcore.AsyncNetworkStream:
        try:
            return self._network.opened(await self._stream.start_tls(ssl_context, server_hostname, timeout))
        except BaseException:
            with anyio.CancelScope(shield=True), suppress(Exception):
                await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _has_responded(stream: Any) -> bool:
    """Whether something can be read while a request is still written. TLS sends more than responses, so it says no."""
    return stream.get_extra_info("ssl_object") is None and bool(stream.get_extra_info("is_readable"))


def _resolve(host: str, port: int, end: float) -> list[str]:
    """The addresses of a host; a resolver cannot be interrupted, so one that takes too long is abandoned.

    Raises:
        httpcore.ConnectError: If there is none.
        httpcore.ConnectTimeout: If the time is over.
    """
    with suppress(ValueError):
        return [str(ip_address(host))]
    found: SimpleQueue[list[str] | OSError | UnicodeError] = SimpleQueue()

    def resolve() -> None:
        try:
            known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put([str(address[0]) for *_, address in known])
        except (OSError, UnicodeError) as error:
            found.put(error)

    thread = Thread(target=resolve, name="pictify_client resolver", daemon=True)
    try:
        # A process that is ending starts no threads.
        if end != inf:
            thread.start()
    except RuntimeError:
        pass
    if not thread.ident:
        resolve()
    try:
        addresses = found.get(timeout=None if end == inf else max(end - monotonic(), 0))
    except Empty:
        raise httpcore.ConnectTimeout(f"{host} was not resolved in time") from None
    if thread.ident:
        # It has no more to do; a process with several threads should not be forked.
        thread.join()
    if isinstance(addresses, Exception):
        raise httpcore.ConnectError(str(addresses)) from addresses
    return addresses
