"""The fake API on a socket."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx

from .._runtime.clock import Clock
from .fake import FakePictify

_CLOCK = Clock()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one segment: in two, the second would wait for the first to be acknowledged.
    wbufsize = -1
    fake: FakePictify

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            response = self.fake.respond(self.command, self.path, headers, body)
        except httpx.TransportError:
            # A failed connection is a closed one here.
            self.close_connection = True
            return
        if self.fake.latency:
            _CLOCK.sleep(self.fake.latency)
        # The minutes of a video pass on the fake clock only.
        self.fake.clock.advance(response.seconds)
        self.send_response_only(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def __getattr__(self, name: str) -> Any:
        # The fake API has a response to any method.
        return self.do_GET if name.startswith("do_") else super().__getattribute__(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class _Server(ThreadingHTTPServer):
    # As many tasks may connect at once. Connections beyond the queue are reset.
    request_queue_size = 1024

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report an error, unless the client has closed the connection, which it knows itself."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(fake: FakePictify, port: int = 0) -> Generator[str]:
    """Serve a fake API on loopback while the `with` block runs. Yields its base URL.

    The fake clock runs with the one of the machine meanwhile, since the clients do not share it. The URLs of files have
    the host of the server.

    Args:
        fake: The fake API.
        port: TCP port. Defaults to any free port.
    """
    handler = type("Handler", (_Handler,), {"fake": fake})
    with _Server(("127.0.0.1", port), handler) as server, fake.clock.running():
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        base_url = f"http://127.0.0.1:{server.server_port}"
        before = fake.files.move(base_url)
        try:
            yield base_url
        finally:
            fake.files.move(before)
            server.shutdown()
            thread.join()
