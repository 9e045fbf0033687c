"""Scripted servers on loopback, and helpers that make the same call in sync code, asyncio and trio."""

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
TEST_TIMEOUT = 10.0
"""Seconds after which a test fails instead of waiting on."""
CERTIFICATE = Path(__file__).parent / "faults" / "self_signed.pem"

forms = pytest.mark.parametrize("form", FORMS)
async_forms = pytest.mark.parametrize("form", FORMS[1:])
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def http(body: bytes = b'{"bindings": []}', status: int = 200, *fields: bytes) -> bytes:
    """A complete response, with the correct length."""
    return b"\r\n".join((b"HTTP/1.1 %d -" % status, *fields, b"content-length: %d" % len(body), b"", body))


class Connection:
    """The server's side of a connection; `closed` is set once the client has closed it."""

    def __init__(self, sock: socket.socket, server: Server) -> None:
        self.closed = Event()
        self._socket = sock
        self._server = server
        self._received = b""

    def receive(self) -> bytes:
        """Receive the next request; empty if the client has closed the connection."""
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
                self.closed.set()
                return b""
            self._received += data

    def send(self, data: bytes) -> None:
        """Send data, even if the client has gone away."""
        with suppress(OSError):
            self._socket.sendall(data)

    def send_at_once(self, *parts: bytes) -> None:
        """Send several parts in one packet; over TLS, each part is a separate record (on Linux)."""
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        for part in parts:
            self.send(part)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)

    def trickle(self, data: bytes) -> None:
        """Send one byte at a time until the client closes the connection."""
        self._socket.settimeout(0.02)
        while not self.closed.is_set():
            self.send(data[:1])
            data = data[1:] or data
            try:
                if not self._socket.recv(1):
                    self.closed.set()
            except TimeoutError:
                pass
            except OSError:
                self.closed.set()

    def close(self) -> None:
        """Close the server's side."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


Handler = Callable[[Connection], None]


def good(connection: Connection) -> None:
    """Respond to every request with success."""
    while connection.receive():
        connection.send(http())


def respond_with(*responses: bytes) -> Handler:
    """Send these responses in turn, across all connections, and then repeat the last one."""
    left = list(responses)

    def handle(connection: Connection) -> None:
        while connection.receive():
            connection.send(left.pop(0) if len(left) > 1 else left[0])

    return handle


class Server:
    """A running server.

    Attributes:
        base_url: Its base URL.
        requests: The received requests, in order.
        connections: The accepted connections, in order.
        arrived: The connection of each request, once the request has arrived.
    """

    def __init__(self, host: str, port: int, scheme: str) -> None:
        self.base_url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        self.requests: list[bytes] = []
        self.connections: list[Connection] = []
        self.arrived: Queue[Connection] = Queue()

    def arrival(self) -> Connection:
        """Wait for a request, and return its connection."""
        return self.arrived.get(timeout=TEST_TIMEOUT)

    def all_closed(self) -> bool:
        """Wait until the client has closed all its connections; False if it does not."""
        return all(connection.closed.wait(TEST_TIMEOUT) for connection in self.connections)


def streaming(client: AuthenticatedClient) -> AuthenticatedClient:
    """A copy of the client that streams files."""
    return client.with_options(stream_files=True)


@contextmanager
def switching_threads() -> Generator[None]:
    """Make the interpreter switch threads as often as possible."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


@contextmanager
def served(handle: Handler = good, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Generator[Server]:
    """Listen on a free port while the `with` block runs; each connection is handled in its own thread."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        server = Server(host, listener.getsockname()[1], "https" if tls else "http")
        threads: list[Thread] = []

        def serve(sock: socket.socket) -> None:
            with suppress(OSError):
                sock = tls.wrap_socket(sock, server_side=True) if tls else sock
                wrapped = Connection(sock, server)
                server.connections.append(wrapped)
                handle(wrapped)
                wrapped.close()
            sock.close()

        def accept() -> None:
            with suppress(OSError):
                while True:
                    sock, _ = listener.accept()
                    threads.append(Thread(target=serve, args=(sock,)))
                    threads[-1].start()

        threads.append(Thread(target=accept))
        threads[0].start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            threads[0].join()
            for connection in server.connections:
                connection.closed.set()
                connection.close()
            for thread in threads[1:]:
                thread.join()


def run(form: str, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test in any form; sync calls are made in threads, so that other tasks continue."""
    anyio.run(test, backend="asyncio" if form == "sync" else form)


async def call(form: str, module: Any, client: AuthenticatedClient, **arguments: Any) -> Any:
    """Call an operation in sync or async code."""
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
    """A client for a server; by default, it does not retry."""
    settings: dict[str, Any] = {"token": KEY, "base_url": server.base_url, "max_retries": 0, **options}
    return AuthenticatedClient(**settings)


def mocked(form: str, respond: Callable[[httpx.Request], httpx.Response], **options: Any) -> AuthenticatedClient:
    """A client with a custom httpx client whose transport calls a function instead of a server."""
    transport = httpx.MockTransport(respond)
    http_client = httpx.Client(transport=transport) if form == "sync" else httpx.AsyncClient(transport=transport)
    settings: dict[str, Any] = {"token": KEY, "max_retries": 0, "http_client": http_client, **options}
    return AuthenticatedClient(**settings)
