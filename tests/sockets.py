"""A server on loopback that answers every connection with bytes of the test's choosing."""

from __future__ import annotations

import socket
import struct
from collections.abc import Generator
from contextlib import contextmanager, suppress
from threading import Thread


class Wire:
    """What is sent on every connection; `reset` breaks it off instead of closing it."""

    def __init__(self, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        self.answer = b""
        self.reset = False
        self.received: list[bytes] = []


def _serve(listener: socket.socket, wire: Wire) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                wire.received.append(connection.recv(65536))
                connection.sendall(wire.answer)
                if wire.reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def wire() -> Generator[Wire]:
    """Listen on a free port while the `with` block runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served = Wire(listener.getsockname()[1])
        thread = Thread(target=_serve, args=(listener, served), daemon=True)
        thread.start()
        yield served
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
