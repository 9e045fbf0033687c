"""A fleet on a real Redis: many processes, and Redis that goes away and comes back.

Where there is no `redis-server` these tests are skipped, unless PICTIFY_TEST_FLEET is set.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from typing import Any

import anyio
import pytest

from pictify_client.pacing import Fleet, PacingError

from .fleet_worker import work
from .test_pacing import FakeClock, go_by, in_one_loop, made, messages, on_redis

PER_MINUTE = 300
MINUTES = 4
BEGIN = 1_800_000_000.0
END = BEGIN + 60 * MINUTES


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    known = FakeClock()
    go_by(known, monkeypatch)
    return known


class Redis:
    """A `redis-server` on a free port of loopback, that keeps nothing."""

    def __init__(self) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            self.port: int = listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/1"
        self.name = f"redis://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        options = f"--port {self.port} --bind 127.0.0.1 --appendonly no --save".split()
        command = ["redis-server", *options, ""]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "Ready to accept connections" in line:
                return
        raise AssertionError("redis-server does not start")

    def go_away(self, how: str) -> None:
        if how == "killed":
            self.kill()
        else:
            self._process.send_signal(signal.SIGSTOP)
            os.waitpid(self._process.pid, os.WUNTRACED)

    def come_back(self, how: str) -> None:
        if how == "killed":
            self.start()
        else:
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


@pytest.fixture
def redis() -> Generator[Redis]:
    if shutil.which("redis-server") is None:
        if os.environ.get("PICTIFY_TEST_FLEET"):
            pytest.fail("there is no redis-server: apt-get install redis-server")
        pytest.skip("there is no redis-server (Debian: apt-get install redis-server)")
    server = Redis()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def processes(url: str, tasks: Sequence[int]) -> Generator[list[Connection]]:
    """As many processes, each with so many tasks; 0 is sync code."""
    context = multiprocessing.get_context("spawn")
    ends: list[Any] = []
    started: list[Any] = []
    for seed, number in enumerate(tasks):
        here, there = context.Pipe()
        process = context.Process(target=work, args=(there, number, url, PER_MINUTE, BEGIN, END, seed), daemon=True)
        process.start()
        there.close()
        ends.append(here)
        started.append(process)
    yield ends
    for process in started:
        process.join()
        assert process.exitcode == 0


def simulated(ends: list[Connection]) -> list[float]:
    """When calls were sent: time goes on to the first that has slept enough, once all sleep."""
    sleeping: dict[Connection, float] = {}
    times: list[float] = []
    working = list(ends)
    while working or sleeping:
        for end in working:
            told: float | list[float] = end.recv()
            if isinstance(told, list):
                times.extend(told)
            else:
                sleeping[end] = told
        now = min(sleeping.values(), default=END)
        working = [end for end, moment in sleeping.items() if moment <= now]
        for end in working:
            del sleeping[end]
            end.send(now)
    return sorted(times)


@pytest.mark.parametrize(
    "tasks",
    [pytest.param([0] * 8, id="8 sync"), pytest.param([0, 20] * 4, id="4 sync and 4 async")],
)
def test_eight_processes_never_exceed_what_they_share_and_use_it(tasks: list[int], redis: Redis) -> None:
    with processes(redis.url, tasks) as ends:
        times = simulated(ends)
    most = max(bisect_left(times, moment + 60) - place for place, moment in enumerate(times))
    used = len(times) / (PER_MINUTE * MINUTES)
    sync, asyncs = tasks.count(0), len(tasks) - tasks.count(0)
    print(
        f"\n{sync} sync and {asyncs} async processes, {PER_MINUTE} calls a minute, {MINUTES} minutes:"
        f" {len(times)} calls ({used:.1%}), at most {most} in 60 seconds"
    )
    assert most <= PER_MINUTE
    assert used >= 0.95


@on_redis
def test_those_that_wait_know_when_their_own_turn_comes(form: str, redis: Redis, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=3)

    async def run() -> None:
        async def take(ahead: int) -> float:
            if form == "sync":
                return fleet.take("a", lambda: ahead, clock)
            return await fleet.atake("a", lambda: ahead, clock)

        for _ in range(3):
            assert await take(0) == 0
            clock.now += 10
        assert [await take(ahead) for ahead in range(5)] == pytest.approx([30.001, 40.001, 50.001, 90.001, 100.001])
        clock.now += 30.001
        assert await take(0) == 0
        await fleet.aclose()

    anyio.run(run)


ways = pytest.mark.parametrize(("how", "fault"), [("killed", "ConnectionError"), ("hung", "TimeoutError")])


@on_redis
@ways
def test_redis_that_goes_away_lets_calls_go_on(
    form: str, how: str, fault: str, redis: Redis, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pictify_client")
    fleet = Fleet(redis.url, per_minute=3, timeout=0.3)
    paced = made(fleet)

    async def calls(wait: Any) -> None:
        await wait(paced, clock, 0)
        redis.go_away(how)
        for _ in range(100):
            await wait(paced, clock, 0)
        clock.now += 5
        await wait(paced, clock, 0)
        redis.come_back(how)
        clock.now += 5
        await wait(paced, clock, 0)
        # What it was asked before it hung, it counts when it goes on.
        clock.now += 60.001
        for _ in range(3):
            await wait(paced, clock, 0)
        with pytest.raises(PacingError):
            await wait(paced, clock, 0)

    in_one_loop(form, fleet, calls)
    assert messages(caplog) == [
        f"WARNING {redis.name} does not answer ({fault}): calls are sent uncounted until it does",
        f"INFO {redis.name} answers again: calls are counted",
    ]


@on_redis
@ways
def test_redis_that_goes_away_refuses_the_calls_of_a_closed_fleet(
    form: str, how: str, fault: str, redis: Redis, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    fleet = Fleet(redis.url, per_minute=3, timeout=0.3, when_unavailable="closed")
    paced = made(fleet)

    async def calls(wait: Any) -> None:
        await wait(paced, clock, 0)
        redis.go_away(how)
        for _ in range(100):
            with pytest.raises(PacingError, match="does not answer"):
                await wait(paced, clock, 1000)
        redis.come_back(how)
        clock.now += 5
        await wait(paced, clock, 0)

    in_one_loop(form, fleet, calls)
    assert messages(caplog) == [f"WARNING {redis.name} does not answer ({fault}): calls are refused until it does"]


def test_many_tasks_at_once_when_redis_hangs(redis: Redis, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    fleet = Fleet(redis.url, per_minute=100, timeout=0.3)
    paced = made(fleet)

    async def run() -> None:
        await paced.await_turn(clock, 0)
        redis.go_away("hung")
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                for _ in range(200):
                    group.start_soon(paced.await_turn, clock, 0)
        redis.come_back("hung")
        await fleet.aclose()

    anyio.run(run)
    assert len(messages(caplog)) == 1


def test_a_fork_counts_on_with_its_parent(redis: Redis) -> None:
    code = f"""
import os
from pictify_client.clock import Clock
from pictify_client.pacing import Fleet, PacingError, pacer

paced = pacer(Fleet({redis.url!r}, per_minute=5), "key")
paced.wait(Clock(), 0)
child = os.fork()
paced.wait(Clock(), 0)
paced.wait(Clock(), 0)
if child:
    assert os.waitpid(child, 0)[1] == 0
    try:
        paced.wait(Clock(), 0)
    except PacingError:
        print("all are taken")
else:
    os._exit(0)
"""
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    assert printed.stdout == "all are taken\n"
