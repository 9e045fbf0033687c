"""A fake Redis on loopback: it knows the script of a Fleet, and the handshake of a connection."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager, suppress
from threading import Semaphore, Thread

from pictify_client._runtime.clock import Clock
from pictify_client._runtime.windows import SCRIPT, Inquiry, MemoryWindow, Place

# Seconds to wait for a client to hang up. Clients of this fake do so sooner.
_PATIENCE = 3


class FakeRedis:
    """A fake Redis.

    Attributes:
        commands: The commands that it received.
        counted: How many requests it counted for each key.
        connections: All connections that were opened.
        clock: Its time.
        error: If set, every response is this error.
        silent: Whether it leaves commands without a response. It then notes in `hung_up` which clients hang up.
        drops: How many of the next scripts it runs end with a closed connection instead of a response.
        received: Released by each script that is received.
    """

    def __init__(self, listener: socket.socket) -> None:
        self.port: int = listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        self.commands: list[list[str]] = []
        self.counted: Counter[str] = Counter()
        self.connections: list[socket.socket] = []
        self.clock = Clock()
        self.error = ""
        self.silent = False
        self.hung_up = 0
        self.drops = 0
        self.received = Semaphore(0)
        self._held = False
        self._responses = Semaphore(0)
        self._threads: list[Thread] = []
        self._windows: dict[int, MemoryWindow] = {}

    def scripts(self) -> int:
        """How many scripts it received."""
        return sum(command[0] == "EVAL" for command in self.commands)

    def hold(self) -> None:
        """Keep back the responses to scripts."""
        self._held = True

    def respond_once(self) -> None:
        """Send one of the responses that are kept back."""
        self._responses.release()

    def respond(self) -> None:
        """Send the responses that were kept back, and keep back no more."""
        self._held = False
        self._responses.release(len(self.commands) + 1)

    def serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.connections.append(connection)
                thread = Thread(target=self._converse, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def stop(self) -> None:
        self.respond()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def join(self) -> None:
        """Wait until all connections have ended."""
        for thread in self._threads:
            thread.join()

    def _converse(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError), connection.makefile("rb") as lines:
            while header := lines.readline():
                parts = [lines.read(int(lines.readline()[1:]) + 2)[:-2] for _ in range(int(header[1:]))]
                command = [part.decode() for part in parts]
                self.commands.append(command)
                if self.silent:
                    connection.settimeout(_PATIENCE)
                    self.hung_up += not lines.readline()
                    return
                response = self._respond(command)
                if command[0] == "EVAL":
                    held = self._held
                    self.received.release()
                    if held:
                        self._responses.acquire()
                    if self.drops:
                        self.drops -= 1
                        connection.shutdown(socket.SHUT_RDWR)
                        return
                connection.sendall(response.encode())

    def _respond(self, command: list[str]) -> str:
        if self.error:
            return f"-{self.error}\r\n"
        if command[0] != "EVAL":
            return "+OK\r\n"
        script, _, key, limit, *numbers = command[1:]
        assert script == SCRIPT
        window = self._windows.setdefault(int(limit), MemoryWindow(int(limit)))
        places = [Place(int(ahead), int(due)) for ahead, due in zip(numbers[::2], numbers[1::2], strict=True)]
        (waits,) = window.acquire([Inquiry(key, places)], self.clock)
        self.counted[key] += waits.count(0)
        return f"*{len(waits)}\r\n" + "".join(f":{wait * 1_000_000:.0f}\r\n" for wait in waits)


@contextmanager
def fake_redis() -> Generator[FakeRedis]:
    """Listen on a free port while the `with` block runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        redis = FakeRedis(listener)
        thread = Thread(target=redis.serve, args=(listener,), daemon=True)
        thread.start()
        yield redis
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        redis.stop()
