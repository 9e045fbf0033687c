"""Time as the stand-in and its clients see it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock
from weakref import WeakMethod

from .._runtime.clock import Clock


class FakeClock(Clock):
    """A clock on which time passes where someone waits for it, and at once.

    Threads and tasks that wait at the same time wait together: the longest of their waits is how far
    it goes on, and not the sum of them.

    Args:
        start: What time it is at first; the time of this machine, in whole seconds, unless given.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._start = int(time.time()) if start is None else start.timestamp()
        self._moved = 0.0
        self._running_since: float | None = None
        self._runs = 0
        self._lock = Lock()
        self._callbacks: list[WeakMethod[Callable[[], None]]] = []

    @property
    def elapsed(self) -> float:
        """Seconds that have passed since it was made: all the waits so far."""
        since = self._running_since
        return self._moved + (0.0 if since is None else time.monotonic() - since)

    def time(self) -> float:
        """Seconds since 1970, UTC."""
        return self._start + self.elapsed

    def now(self) -> datetime:
        """The time, UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def monotonic(self) -> float:
        """Seconds since it was made."""
        return self.elapsed

    def jitter(self) -> float:
        """Always 1: a wait that is as long as chance has it is the longest that it can be."""
        return 1.0

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Args:
            seconds: How much of it.

        Raises:
            ValueError: It is less than nothing.
        """
        if not seconds >= 0:
            raise ValueError(f"seconds must be 0 or more, as no clock goes back, got {seconds!r}")
        with self._lock:
            self._moved += seconds
        self._notify()

    def sleep(self, seconds: float) -> None:
        """Let time pass in sync code."""
        self._go_on_until(self.elapsed + seconds)

    async def asleep(self, seconds: float) -> None:
        """Let time pass in async code, where other tasks have their turn."""
        from anyio.lowlevel import checkpoint

        end = self.elapsed + seconds
        await checkpoint()
        self._go_on_until(end)

    @contextmanager
    def running(self) -> Generator[None]:
        """Go on with the clock of this machine too, while the `with` block runs; `serving` does so."""
        with self._lock:
            self._runs += 1
            self._moved, self._running_since = self.elapsed, time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._runs -= 1
                self._moved, self._running_since = self.elapsed, time.monotonic() if self._runs else None

    def _go_on_until(self, end: float) -> None:
        with self._lock:
            self._moved += max(0.0, end - self.elapsed)
        self._notify()

    def call_when_moved(self, method: Callable[[], None]) -> None:
        """Call a method after each time that the clock is advanced, as long as its object exists."""
        self._callbacks.append(WeakMethod(method))

    def _notify(self) -> None:
        for callback in self._callbacks:
            method = callback()
            if method is not None:
                method()
