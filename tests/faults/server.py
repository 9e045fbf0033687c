"""A server on loopback that simulates a fault until it recovers, and counts the requests that arrive."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import ssl
import struct
from collections import Counter
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self
from unittest.mock import patch

from .faults import GOOD_BODY, Fault, Place, Then, http

CALL = re.compile(rb"call-\d+")
"""The id of a call, which every request has in its path or its body."""

_GOOD = http(200, GOOD_BODY)
_NAMED = {Place.NAME, Place.RESOLVER, Place.ADDRESSES}
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TRICKLE_SECONDS = 0.1
_SILENCE_SECONDS = 5.0
_CERTIFICATE = Path(__file__).with_name("self_signed.pem")


def reset(transport: asyncio.Transport) -> None:
    """Reset a connection instead of closing it."""
    lingering = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingering)
    transport.abort()


class FaultServer:
    """A port with a fault that affects all clients until `recover` is called.

    Attributes:
        host: Its name or address.
        url: Its base URL.
        arrived: How often the complete request of each call arrived.
        repeated: How often the request of each call arrived again after it may have been processed.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, fault: Fault, connection_timeout: float) -> None:
        self.fault = fault
        self.connection_timeout = connection_timeout
        self.broken = True
        self.arrived: Counter[str] = Counter()
        self.repeated: Counter[str] = Counter()
        self.connections: set[asyncio.Transport] = set()
        self._processed: set[str] = set()
        self._loop = loop
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._resolver = Event()
        self._queued = socket.socket()
        self._servers: list[asyncio.Server] = []
        port = self._socket.getsockname()[1]
        scheme = "https" if fault.place in {Place.TLS, Place.CERTIFICATE} else "http"
        self.host = f"port-{port}.invalid" if fault.place in _NAMED else "127.0.0.1"
        self.url = f"{scheme}://{self.host}:{port}"

    def __enter__(self) -> Self:
        self._do(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._stop())

    def recover(self) -> None:
        """End the fault."""
        self._do(self._recover())

    def receive(self, request: bytes) -> bytes:
        """Count a complete request, and return the response."""
        found = CALL.search(request)
        assert found, request
        call = found[0].decode()
        self.arrived[call] += 1
        self.repeated[call] += call in self._processed
        if not (self.broken and self.fault.is_unprocessed):
            self._processed.add(call)
        return self.fault.response if self.broken else _GOOD

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(self) -> None:
        if self.fault.place is Place.RESOLVER:
            _Names.addresses_by_name[self.host] = self._resolver
        elif self.fault.place is Place.ADDRESSES:
            _Names.addresses_by_name[self.host] = 8
        if self.fault.place in {Place.BACKLOG, Place.ADDRESSES}:
            # This connection fills the queue; the kernel ignores further ones.
            self._socket.listen(0)
            self._queued.connect(self._socket.getsockname())
        elif self.fault.place is Place.CERTIFICATE:
            await self._listen(_tls())
        elif self.fault.place is not Place.PORT:
            await self._listen()

    async def _recover(self) -> None:
        self.broken = False
        if self.fault.place is Place.NAME:
            _Names.addresses_by_name[self.host] = 1
        elif self.fault.place is Place.RESOLVER:
            self._resolver.set()
        elif self.fault.place in {Place.PORT, Place.BACKLOG, Place.ADDRESSES}:
            self._queued.close()
            await self._listen()
        elif self.fault.place is Place.TLS:
            self._servers.pop().close()
            await self._listen(_tls())

    async def _listen(self, tls: ssl.SSLContext | None = None) -> None:
        # A copy, because a server closes its socket when it ends, and waiting connections must not be lost.
        copy = self._socket.dup()
        self._servers.append(
            await self._loop.create_server(lambda: _Connection(self), sock=copy, ssl=tls, backlog=1024)
        )

    async def _stop(self) -> None:
        _Names.addresses_by_name.pop(self.host, None)
        self._resolver.set()
        for server in self._servers:
            server.close()
        for connection in [*self.connections]:
            connection.abort()
        self._queued.close()
        self._socket.close()
        while self.connections:  # noqa: ASYNC110 (it takes an iteration or two)
            await asyncio.sleep(0)


class _Connection(asyncio.Protocol):
    def __init__(self, server: FaultServer) -> None:
        self._server = server
        self._received = b""
        self._transport: Any = None
        self._trickling: asyncio.TimerHandle | None = None
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        server = self._server
        self._transport = transport
        server.connections.add(self._transport)
        # A call that would wait forever ends, though too late.
        self._end = asyncio.get_running_loop().call_later(server.connection_timeout, self._transport.abort)
        if server.broken and server.fault.place is Place.CONNECTION:
            reset(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._server.connections.discard(self._transport)
        for timer in (self._trickling, self._end):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        server = self._server
        if server.broken and server.fault.place is Place.TLS:
            self._transport.write(http(400, b"this port speaks plain HTTP"))
            self._transport.close()
            return
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not blank or len(body) < int(length[1] if length else 0):
            return
        then = server.fault.then if server.broken else Then.STAY
        self._transport.write(server.receive(self._received))
        self._received = b""
        if then is Then.CLOSE:
            self._transport.close()
        elif then is Then.RESET:
            reset(self._transport)
        elif then is Then.TRICKLE:
            self._trickle()

    def _trickle(self) -> None:
        self._trickling = asyncio.get_running_loop().call_later(_TRICKLE_SECONDS, self._trickle)
        self._transport.write(b"x")


class _Names:
    """A fake resolver for names in `.invalid`.

    The system's resolver should fail for these at once (RFC 6761), but many query the network, which may not respond.
    """

    addresses_by_name: dict[str, Event | int] = {}  # noqa: RUF012 (shared, because it replaces a module-level function)
    real = staticmethod(socket.getaddrinfo)

    @classmethod
    def resolve(
        cls,
        host: Any,
        port: Any,
        family: int = 0,
        type: int = 0,  # noqa: A002
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if flags & socket.AI_NUMERICHOST or not (isinstance(name, str) and name.endswith(".invalid")):
            return cls.real(host, port, family, type, proto, flags)
        addresses = cls.addresses_by_name.get(name, 0)
        if isinstance(addresses, Event):
            addresses.wait(_SILENCE_SECONDS)
            addresses = 1
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return cls.real("127.0.0.1", port, family, type, proto, flags) * addresses


@contextmanager
def quiet_environment() -> Generator[None]:
    """Ignore the proxies of this machine, and suppress the log messages of retries."""
    logger = logging.getLogger("pictify_client")
    level = logger.level
    with patch.dict("os.environ"):
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            del os.environ[name]
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)


@contextmanager
def server_loop() -> Generator[asyncio.AbstractEventLoop]:
    """Run an event loop for servers in its own thread."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="fault servers")
    thread.start()
    try:
        with patch("socket.getaddrinfo", _Names.resolve):
            yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_CERTIFICATE)
    return context
