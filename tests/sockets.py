"""A server on loopback that sends the same bytes on every connection."""

from __future__ import annotations

import socket
import struct
from collections.abc import Generator
from contextlib import contextmanager, suppress
from threading import Thread


class Script:
    """The server's script: `response` is sent on every connection; `reset` resets it instead of closing it."""

    def __init__(self, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        self.response = b""
        self.reset = False
        self.received: list[bytes] = []


def _serve(listener: socket.socket, scripted_server: Script) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                scripted_server.received.append(connection.recv(65536))
                connection.sendall(scripted_server.response)
                if scripted_server.reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def scripted_server() -> Generator[Script]:
    """Listen on a free port while the `with` block runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served = Script(listener.getsockname()[1])
        thread = Thread(target=_serve, args=(listener, served), daemon=True)
        thread.start()
        yield served
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
