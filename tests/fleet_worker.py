"""Processes of a fleet: some that send requests by a clock that they share, and one that delays what Redis responds.

The test keeps the time. A process sends the time at which its sleep ends, and receives the time when it wakes. Time passes once
all processes sleep.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from itertools import count
from math import inf
from multiprocessing.connection import Connection

from pictify_client._runtime import windows
from pictify_client._runtime.clock import Clock
from pictify_client._runtime.pacing import Pacer, pacer
from pictify_client.fleets import Fleet

KEY = "pic_live_of_the_fleet"
SLOWEST_REQUEST = 1.0
_SCRIPT = windows.SCRIPT


def set_time_of_redis(now: float) -> None:
    """Make the script of this process use a time other than that of Redis."""
    time = f"{{{now // 1:.0f}, {now % 1 * 1_000_000:.0f}}}"
    windows.SCRIPT = _SCRIPT.replace("redis.call('TIME')", time)


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
        set_time_of_redis(self.now)

    async def asleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (self.now + seconds, next(self._numbers), future))
        self.rest()
        await future

    def rest(self) -> None:
        """Remove an active task. Time passes after the last."""
        self.active -= 1
        if self.active == 0 and self._sleepers:
            self.sleep(self._sleepers[0][0] - self.now)
            while self._sleepers and self._sleepers[0][0] <= self.now:
                heappop(self._sleepers)[2].set_result(None)
                self.active += 1


def work(test: Connection, tasks: int, url: str, per_minute: int, begin: float, end: float, seed: int) -> None:
    """Send as many requests as the fleet allows until the end, in this number of tasks. 0 is sync code."""
    clock = SharedClock(test, begin)
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
            clock.sleep(seconds.uniform(0, SLOWEST_REQUEST))
        fleet.close()
    else:
        asyncio.run(_work(fleet, paced, clock, tasks, end, times, lambda: seconds.uniform(0, SLOWEST_REQUEST)))
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
    async def requests() -> None:
        while clock.now < end:
            await paced.await_turn(clock, inf)
            times.append(clock.now)
            await clock.asleep(duration())
        clock.rest()

    clock.active = tasks
    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(requests())
    await fleet.aclose()


def delay_responses(test: Connection, port: int, seconds: float) -> None:
    """Forward connections to Redis, and delay each of its responses. Ends when the test sends something."""
    asyncio.run(_delay_responses(test, port, seconds))


async def _delay_responses(test: Connection, port: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    ends: list[asyncio.Event] = []

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                loop.call_later(delay, writer.write, data)
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        end = asyncio.Event()
        ends.append(end)
        redis_reader, redis_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(forward(reader, redis_writer, 0), forward(redis_reader, writer, seconds))
        end.set()

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        test.send(server.sockets[0].getsockname()[1])
        await loop.run_in_executor(None, test.recv)
        for end in ends:
            await end.wait()
    test.send(len(ends))
