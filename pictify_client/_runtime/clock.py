"""Time as the clients see it."""

from __future__ import annotations

import random
import time


class Clock:
    """The clock of this machine. Another one can take its place: `client.clock = ...`, for tests that do not wait."""

    heartbeat_interval: float = 10.0
    """Seconds between two calls of `on_wait`."""

    def time(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    def jitter(self) -> float:
        """Return a random number from 0 to 1."""
        return random.random()  # noqa: S311 (it spreads clients over time; no one gains by guessing it)

    def sleep(self, seconds: float) -> None:
        """Wait in sync code."""
        time.sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        """Wait in async code: asyncio's, or trio's."""
        # httpx brings it, for its own async I/O.
        from anyio import sleep

        await sleep(seconds)
