"""As much of Redis as a Fleet asks for, on loopback: the two scripts of `limits`, and what a connection starts with."""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from hashlib import sha1
from threading import Barrier, BrokenBarrierError, Lock, Thread

# Seconds, and less than what redis waits for by itself.
_PATIENCE = 3


class StandIn:
    """What was asked of it, and what it answers.

    `error` takes the place of every answer. With `silent` it answers nothing, and notes who hangs up on it before
    its patience ends. Where there is a `meeting`, it answers when so many are connected.
    """

    def __init__(self, listener: socket.socket) -> None:
        self.port: int = listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        self.windows: dict[str, list[float]] = {}
        self.commands: list[list[str]] = []
        self.connections: list[socket.socket] = []
        self.error = ""
        self.silent = False
        self.hung_up = 0
        self.meeting: Barrier | None = None
        self._threads: list[Thread] = []
        self._scripts: dict[str, str] = {}
        self._lock = Lock()

    def asked(self) -> int:
        return sum(command[0] == "EVALSHA" for command in self.commands)

    def serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.connections.append(connection)
                thread = Thread(target=self._converse, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def stop(self) -> None:
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        if self.meeting is not None:
            self.meeting.abort()

    def see_them_off(self) -> None:
        """Wait until all connections have ended."""
        for thread in self._threads:
            thread.join()

    def _converse(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError, BrokenBarrierError), connection.makefile("rb") as lines:
            if self.meeting is not None:
                self.meeting.wait()
            while header := lines.readline():
                parts = [lines.read(int(lines.readline()[1:]) + 2)[:-2] for _ in range(int(header[1:]))]
                command = [part.decode() for part in parts]
                self.commands.append(command)
                if self.silent:
                    connection.settimeout(_PATIENCE)
                    self.hung_up += not lines.readline()
                    return
                connection.sendall(self._answer(command).encode())

    def _answer(self, command: list[str]) -> str:
        name, *arguments = command
        if self.error:
            return f"-{self.error}\r\n"
        if name == "SCRIPT":
            digest = sha1(arguments[1].encode()).hexdigest()  # noqa: S324 (Redis names scripts by it)
            self._scripts[digest] = arguments[1]
            return f"${len(digest)}\r\n{digest}\r\n"
        if name != "EVALSHA":
            return "+OK\r\n"
        digest, _, key, *numbers = arguments
        if digest not in self._scripts:
            return "-NOSCRIPT No matching script\r\n"
        with self._lock:
            window = self.windows.setdefault(key, [])
            if "lpush" in self._scripts[digest]:
                return self._acquire(window, *map(float, numbers))
            return self._oldest(window, *map(float, numbers))

    @staticmethod
    def _acquire(window: list[float], now: float, limit: float, expiry: float, _: float) -> str:
        if len(window) >= limit and window[int(limit) - 1] >= now - expiry:
            return "$-1\r\n"
        window[:0] = [now]
        return ":1\r\n"

    @staticmethod
    def _oldest(window: list[float], start: float, most: float) -> str:
        inside = [moment for moment in window[: int(most)] if moment >= start]
        if not inside:
            return "$-1\r\n"
        oldest = f"{inside[-1]:.14g}"
        return f"*2\r\n${len(oldest)}\r\n{oldest}\r\n:{len(inside)}\r\n"


@contextmanager
def redis_stand_in() -> Generator[StandIn]:
    """Listen on a free port while the `with` block runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stand_in = StandIn(listener)
        thread = Thread(target=stand_in.serve, args=(listener,), daemon=True)
        thread.start()
        yield stand_in
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        stand_in.stop()
