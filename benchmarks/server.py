"""The server: bindings on loopback, over HTTP and HTTPS, after a delay. It counts requests and connections.

`python -m benchmarks.server` prints its two ports. `GET /control?items=20&pages=1&delay=0` sets its responses,
and returns the counts since the last request.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from pathlib import Path
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from .bodies import pages
from .machine import SERVER_CPU, pin

CERTIFICATE = Path(__file__).parent.parent / "tests/faults/self_signed.pem"
_PAGE = re.compile(rb"[?&]page=(\d+)")


class _State:
    responses: tuple[bytes, ...] = ()
    delay = 0.0
    requests = 0
    connections = 0

    def control(self, target: str) -> bytes:
        counts = json.dumps({"requests": self.requests, "connections": self.connections}).encode()
        query = dict(parse_qsl(urlsplit(target).query))
        if query:
            bodies = pages(int(query["items"]), int(query["pages"]))
            self.responses = tuple(_http(body) for body in bodies)
            self.delay = float(query["delay"])
        self.requests = self.connections = 0
        return _http(counts)


class _Connection(asyncio.Protocol):
    def __init__(self, state: _State) -> None:
        self._state = state
        self._received = b""
        self._is_counted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._respond(head.split(b" ", 2)[1])

    def _respond(self, target: bytes) -> None:
        state = self._state
        if target.startswith(b"/control"):
            self._transport.write(state.control(target.decode()))
            return
        state.requests += 1
        state.connections += not self._is_counted
        self._is_counted = True
        page = _PAGE.search(target)
        response = state.responses[int(page[1]) - 1 if page else 0]
        if state.delay:
            asyncio.get_running_loop().call_later(state.delay, self._transport.write, response)
        else:
            self._transport.write(response)


def _http(body: bytes) -> bytes:
    head = "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\nx-request-id: req_5f1c\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def _serve() -> None:
    pin(SERVER_CPU)
    state = _State()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    loop = asyncio.get_running_loop()
    plain = await loop.create_server(lambda: _Connection(state), "127.0.0.1", 0, backlog=2048)
    secure = await loop.create_server(lambda: _Connection(state), "127.0.0.1", 0, backlog=2048, ssl=context)
    print(*(server.sockets[0].getsockname()[1] for server in (plain, secure)), flush=True)
    await plain.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
