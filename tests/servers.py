"""Servers on loopback that a test plays request by request, and the same call in sync code, asyncio and trio."""

from __future__ import annotations

import re
import socket
import ssl
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from typing import Any

import anyio
import httpx
import pytest
from anyio import to_thread

from pictify_client import AuthenticatedClient

from .replay import KEY

FORMS = ("sync", "asyncio", "trio")
PATIENCE = 10.0
"""Seconds after which a test gives up what should come at once."""
CERTIFICATE = Path(__file__).parent / "faults" / "self_signed.pem"

forms = pytest.mark.parametrize("form", FORMS)
async_forms = pytest.mark.parametrize("form", FORMS[1:])
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def http(body: bytes = b'{"bindings": []}', status: int = 200, *fields: bytes) -> bytes:
    """A whole answer, with a true length."""
    return b"\r\n".join((b"HTTP/1.1 %d -" % status, *fields, b"content-length: %d" % len(body), b"", body))


class Line:
    """A connection, as its server sees it; `ended` is set once the client has closed it."""

    def __init__(self, connection: socket.socket, server: Server) -> None:
        self.ended = Event()
        self._socket = connection
        self._server = server
        self._received = b""

    def take(self) -> bytes:
        """The next request, or nothing where the client has closed the connection."""
        while True:
            head, blank, body = self._received.partition(b"\r\n\r\n")
            found = _LENGTH.search(head)
            length = int(found[1]) if found else 0
            if blank and len(body) >= length:
                self._received = body[length:]
                request = head + blank + body[:length]
                self._server.requests.append(request)
                self._server.arrived.put(self)
                return request
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            if not data:
                self.ended.set()
                return b""
            self._received += data

    def send(self, data: bytes) -> None:
        """Send something; the client may be gone."""
        with suppress(OSError):
            self._socket.sendall(data)

    def send_at_once(self, *parts: bytes) -> None:
        """Send parts in one piece, each of which is a record of its own over TLS (on Linux)."""
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        for part in parts:
            self.send(part)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)

    def drip(self, data: bytes) -> None:
        """Send a byte at a time, for as long as the client is there."""
        self._socket.settimeout(0.02)
        while not self.ended.is_set():
            self.send(data[:1])
            data = data[1:] or data
            try:
                if not self._socket.recv(1):
                    self.ended.set()
            except TimeoutError:
                pass
            except OSError:
                self.ended.set()

    def close(self) -> None:
        """Close it, as far as the server goes."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


Handler = Callable[[Line], None]


def good(line: Line) -> None:
    """Answer well, for as long as there are requests."""
    while line.take():
        line.send(http())


def giving(*answers: bytes) -> Handler:
    """Give these answers, one a request, and the last one for ever; not by connections, but in all."""
    left = list(answers)

    def handle(line: Line) -> None:
        while line.take():
            line.send(left.pop(0) if len(left) > 1 else left[0])

    return handle


class Server:
    """What a test may know of a server.

    Attributes:
        base_url: Where it is.
        requests: What came, in its order.
        lines: The connections, in theirs.
        arrived: The connection of each request, once it is there.
    """

    def __init__(self, host: str, port: int, scheme: str) -> None:
        self.base_url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        self.requests: list[bytes] = []
        self.lines: list[Line] = []
        self.arrived: Queue[Line] = Queue()

    def arrival(self) -> Line:
        """Wait for a request, and give its connection."""
        return self.arrived.get(timeout=PATIENCE)

    def is_left(self) -> bool:
        """Whether the client closes all its connections."""
        return all(line.ended.wait(PATIENCE) for line in self.lines)


def streaming(client: AuthenticatedClient) -> AuthenticatedClient:
    """The client, with files that are returned before they are read."""
    return client.with_options(stream_files=True)


@contextmanager
def switching_threads() -> Generator[None]:
    """Let threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


@contextmanager
def served(handle: Handler = good, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Generator[Server]:
    """Listen on a free port while the `with` block runs; each connection is handled in a thread of its own."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        server = Server(host, listener.getsockname()[1], "https" if tls else "http")
        threads: list[Thread] = []

        def serve(connection: socket.socket) -> None:
            with suppress(OSError):
                connection = tls.wrap_socket(connection, server_side=True) if tls else connection
                line = Line(connection, server)
                server.lines.append(line)
                handle(line)
                line.close()
            connection.close()

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threads.append(Thread(target=serve, args=(connection,)))
                    threads[-1].start()

        threads.append(Thread(target=accept))
        threads[0].start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            threads[0].join()
            for line in server.lines:
                line.ended.set()
                line.close()
            for thread in threads[1:]:
                thread.join()


def run(form: str, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test of any form: a sync call is made in a thread, so that others go on."""
    anyio.run(test, backend="asyncio" if form == "sync" else form)


async def call(form: str, module: Any, client: AuthenticatedClient, **arguments: Any) -> Any:
    """Call an operation in a form."""
    if form == "sync":
        return await to_thread.run_sync(partial(module.sync, client=client, **arguments))
    return await module.asyncio(client=client, **arguments)


async def close(file: Any) -> None:
    """Close a file, sync or async."""
    if hasattr(file, "close"):
        file.close()
    else:
        await file.aclose()


def client_of(server: Server, **options: Any) -> AuthenticatedClient:
    """A client for a server, that tries once unless told otherwise."""
    known: dict[str, Any] = {"token": KEY, "base_url": server.base_url, "max_retries": 0, **options}
    return AuthenticatedClient(**known)


def mocked(form: str, answer: Callable[[httpx.Request], httpx.Response], **options: Any) -> AuthenticatedClient:
    """A client over an httpx client of the caller's own that asks no server, but a function."""
    transport = httpx.MockTransport(answer)
    http_client = httpx.Client(transport=transport) if form == "sync" else httpx.AsyncClient(transport=transport)
    known: dict[str, Any] = {"token": KEY, "max_retries": 0, "http_client": http_client, **options}
    return AuthenticatedClient(**known)
