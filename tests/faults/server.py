"""A server on loopback that is broken until it is healed, and counts what arrives."""

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
"""What every request holds in its path or its body, to tell the calls apart."""

_GOOD = http(200, GOOD_BODY)
_NAMED = {Place.NAME, Place.RESOLVER, Place.ADDRESSES}
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_DRIP_SECONDS = 0.1
_SILENCE_SECONDS = 5.0
_CERTIFICATE = Path(__file__).with_name("self_signed.pem")


def reset(transport: asyncio.Transport) -> None:
    """Break a connection off, instead of closing it."""
    lingering = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingering)
    transport.abort()


class FaultServer:
    """A port where the fault waits for all who come, until `heal` is called.

    Attributes:
        host: The name or the address that it is called by.
        url: Where it is.
        arrived: How often each call arrived whole.
        resent: How often each call arrived again after it may have been worked.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, fault: Fault, patience: float) -> None:
        self.fault = fault
        self.patience = patience
        self.broken = True
        self.arrived: Counter[str] = Counter()
        self.resent: Counter[str] = Counter()
        self.connections: set[asyncio.Transport] = set()
        self._worked: set[str] = set()
        self._loop = loop
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._resolver = Event()
        self._crowd = socket.socket()
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

    def heal(self) -> None:
        """Be good from now on."""
        self._do(self._heal())

    def take(self, request: bytes) -> bytes:
        """Count a request that arrived whole, and say what is answered."""
        found = CALL.search(request)
        assert found, request
        call = found[0].decode()
        self.arrived[call] += 1
        self.resent[call] += call in self._worked
        if not (self.broken and self.fault.unworked):
            self._worked.add(call)
        return self.fault.answer if self.broken else _GOOD

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(self) -> None:
        if self.fault.place is Place.RESOLVER:
            _Names.known[self.host] = self._resolver
        elif self.fault.place is Place.ADDRESSES:
            _Names.known[self.host] = 8
        if self.fault.place in {Place.BACKLOG, Place.ADDRESSES}:
            # This one connection is all that the queue holds; the kernel says nothing to those after it.
            self._socket.listen(0)
            self._crowd.connect(self._socket.getsockname())
        elif self.fault.place is Place.CERTIFICATE:
            await self._listen(_tls())
        elif self.fault.place is not Place.PORT:
            await self._listen()

    async def _heal(self) -> None:
        self.broken = False
        if self.fault.place is Place.NAME:
            _Names.known[self.host] = 1
        elif self.fault.place is Place.RESOLVER:
            self._resolver.set()
        elif self.fault.place in {Place.PORT, Place.BACKLOG, Place.ADDRESSES}:
            self._crowd.close()
            await self._listen()
        elif self.fault.place is Place.TLS:
            self._servers.pop().close()
            await self._listen(_tls())

    async def _listen(self, tls: ssl.SSLContext | None = None) -> None:
        # Of a copy, as a server closes its socket when it ends, and what waits there must not be lost.
        copy = self._socket.dup()
        self._servers.append(
            await self._loop.create_server(lambda: _Connection(self), sock=copy, ssl=tls, backlog=1024)
        )

    async def _stop(self) -> None:
        _Names.known.pop(self.host, None)
        self._resolver.set()
        for server in self._servers:
            server.close()
        for connection in [*self.connections]:
            connection.abort()
        self._crowd.close()
        self._socket.close()
        while self.connections:  # noqa: ASYNC110 (it takes a round or two)
            await asyncio.sleep(0)


class _Connection(asyncio.Protocol):
    def __init__(self, server: FaultServer) -> None:
        self._server = server
        self._received = b""
        self._transport: Any = None
        self._dripping: asyncio.TimerHandle | None = None
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        server = self._server
        self._transport = transport
        server.connections.add(self._transport)
        # So that a call that waits for ever ends all the same, if too late.
        self._end = asyncio.get_running_loop().call_later(server.patience, self._transport.abort)
        if server.broken and server.fault.place is Place.CONNECTION:
            reset(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._server.connections.discard(self._transport)
        for timer in (self._dripping, self._end):
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
        self._transport.write(server.take(self._received))
        self._received = b""
        if then is Then.CLOSE:
            self._transport.close()
        elif then is Then.RESET:
            reset(self._transport)
        elif then is Then.DRIP:
            self._drip()

    def _drip(self) -> None:
        self._dripping = asyncio.get_running_loop().call_later(_DRIP_SECONDS, self._drip)
        self._transport.write(b"x")


class _Names:
    """A resolver that knows of each name in `.invalid` what a test says of it, and nothing else.

    The machine's own should say so at once (RFC 6761), but many ask the network, which may lose the question.
    """

    known: dict[str, Event | int] = {}  # noqa: RUF012 (one for all, as it takes the place of what is one for all)
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
        addresses = cls.known.get(name, 0)
        if isinstance(addresses, Event):
            addresses.wait(_SILENCE_SECONDS)
            addresses = 1
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return cls.real("127.0.0.1", port, family, type, proto, flags) * addresses


@contextmanager
def undisturbed() -> Generator[None]:
    """Without the proxies of this machine, and without a line of log for every call that is sent again."""
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
    """An event loop in a thread of its own, for servers to run in."""
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
