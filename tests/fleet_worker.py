"""A process of a fleet, by a clock that its processes share.

Time is kept by the test: a process tells it when it will have slept enough, and is told the time then. It goes on
once all of them sleep.
"""

from __future__ import annotations

import asyncio
import importlib
import random
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from math import inf
from multiprocessing.connection import Connection

from pictify_client.clock import Clock
from pictify_client.pacing import Fleet, Pacer, pacer

KEY = "pic_live_of_the_fleet"
SLOWEST_CALL = 1.0


class SharedClock(Clock):
    def __init__(self, test: Connection, now: float) -> None:
        self.now = now
        self.active = 0
        self._test = test
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self._test.send(self.now + seconds)
        self.now = self._test.recv()

    async def asleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (self.now + seconds, next(self._numbers), future))
        self.rest()
        await future

    def rest(self) -> None:
        """One task less that does something; time goes on after the last."""
        self.active -= 1
        if self.active == 0 and self._sleepers:
            self.sleep(self._sleepers[0][0] - self.now)
            while self._sleepers and self._sleepers[0][0] <= self.now:
                heappop(self._sleepers)[2].set_result(None)
                self.active += 1


def work(test: Connection, tasks: int, url: str, per_minute: int, begin: float, end: float, seed: int) -> None:
    """Make as many calls as the fleet allows until the end: with no tasks in sync code, else in so many."""
    clock = SharedClock(test, begin)
    # `limits` has no clock but the machine's.
    for name in ("limits.storage.redis", "limits.aio.storage.redis.redispy"):
        vars(importlib.import_module(name))["time"] = clock
    fleet = Fleet(url, per_minute=per_minute, timeout=30, when_unavailable="closed")
    paced = pacer(fleet, KEY)
    assert paced is not None
    seconds = random.Random(seed)  # noqa: S311 (the same each time)
    times: list[float] = []
    clock.sleep(0)
    if tasks == 0:
        while clock.now < end:
            paced.wait(clock, inf)
            times.append(clock.now)
            clock.sleep(seconds.uniform(0, SLOWEST_CALL))
        fleet.close()
    else:
        asyncio.run(_work(fleet, paced, clock, tasks, end, times, lambda: seconds.uniform(0, SLOWEST_CALL)))
    test.send([moment for moment in times if moment < end])


async def _work(
    fleet: Fleet,
    paced: Pacer,
    clock: SharedClock,
    tasks: int,
    end: float,
    times: list[float],
    duration: Callable[[], float],
) -> None:
    async def calls() -> None:
        while clock.now < end:
            await paced.await_turn(clock, inf)
            times.append(clock.now)
            await clock.asleep(duration())
        clock.rest()

    clock.active = tasks
    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(calls())
    await fleet.aclose()
