"""The clock of the fake API and its clients."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock
from weakref import WeakMethod

from .._runtime.clock import Clock


class FakeClock(Clock):
    """A clock that waits advance, instead of taking time.

    If threads or tasks wait at the same time, the clock advances by the longest wait, not by the sum of all.

    Args:
        start: Time at the start. Defaults to the time of the machine, in seconds without a fraction.
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
        """Seconds since the clock was created: the sum of all waits."""
        since = self._running_since
        return self._moved + (0.0 if since is None else time.monotonic() - since)

    def time(self) -> float:
        """Seconds since 1970, UTC."""
        return self._start + self.elapsed

    def now(self) -> datetime:
        """The time, UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def monotonic(self) -> float:
        """Seconds since the clock was created."""
        return self.elapsed

    def jitter(self) -> float:
        """Always 1, so that waits with jitter have their maximum."""
        return 1.0

    def advance(self, seconds: float) -> None:
        """Advance the time.

        Args:
            seconds: Seconds to advance the clock by.

        Raises:
            ValueError: If `seconds` is negative.
        """
        if not seconds >= 0:
            raise ValueError(f"seconds must be 0 or more, got {seconds!r}")
        with self._lock:
            self._moved += seconds
        self._notify()

    def sleep(self, seconds: float) -> None:
        """Advance the clock instead of sleeping."""
        self._go_on_until(self.elapsed + seconds)

    async def asleep(self, seconds: float) -> None:
        """Advance the clock instead of sleeping, after other tasks have run."""
        from anyio.lowlevel import checkpoint

        end = self.elapsed + seconds
        await checkpoint()
        self._go_on_until(end)

    @contextmanager
    def running(self) -> Generator[None]:
        """Run with the clock of the machine while the `with` block runs, as `serving` does."""
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
