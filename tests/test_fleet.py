"""A Fleet on a real Redis: many processes, slow networks, and a Redis that goes away and comes back.

Without a `redis-server` these tests are skipped, unless PICTIFY_TEST_FLEET is set.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from typing import Any

import anyio
import pytest
from redis import Redis as RedisClient

from pictify_client._runtime import windows
from pictify_client._runtime.clock import Clock
from pictify_client._runtime.windows import Inquiry, MemoryWindow, Place, RedisWindow
from pictify_client.fleets import Fleet, PacingError

from .fleet_worker import delay_responses, set_time_of_redis, work
from .test_pacing import FakeClock, create, forms, in_one_loop, in_threads, messages, waits

pytestmark = pytest.mark.slow

PER_MINUTE = 300
MINUTES = 4
BEGIN = 1_800_000_000.0
END = BEGIN + 60 * MINUTES


class RedisClock(FakeClock):
    """A fake clock that Redis uses, too."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "now":
            set_time_of_redis(value)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    monkeypatch.setattr(windows, "SCRIPT", windows.SCRIPT)
    return RedisClock()


class Redis:
    """A `redis-server` on a free port of loopback, which saves nothing."""

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

    def scripts(self) -> int:
        """How many scripts it has run."""
        client: Any = RedisClient(port=self.port)
        with closing(client):
            return int(client.info("commandstats")["cmdstat_eval"]["calls"])

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
            pytest.fail("redis-server is not installed: apt-get install redis-server")
        pytest.skip("redis-server is not installed (Debian: apt-get install redis-server)")
    server = Redis()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def processes(url: str, tasks: Sequence[int]) -> Generator[list[Connection]]:
    """Start a process for each entry, with this number of tasks; 0 is sync code."""
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
    """Return the times of requests. Once all processes sleep, time passes until the first one wakes."""
    sleeping: dict[Connection, float] = {}
    times: list[float] = []
    working = list(ends)
    while working or sleeping:
        for end in working:
            message: float | list[float] = end.recv()
            if isinstance(message, list):
                times.extend(message)
            else:
                sleeping[end] = message
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
def test_eight_processes_use_their_limit_and_never_exceed_it(tasks: list[int], redis: Redis) -> None:
    with processes(redis.url, tasks) as ends:
        times = simulated(ends)
    most = max(bisect_left(times, moment + 60) - place for place, moment in enumerate(times))
    used = len(times) / (PER_MINUTE * MINUTES)
    sync, asyncs = tasks.count(0), len(tasks) - tasks.count(0)
    print(
        f"\n{sync} sync and {asyncs} async processes, {PER_MINUTE} requests per minute, {MINUTES} minutes:"
        f" {len(times)} requests ({used:.1%}), at most {most} in 60 seconds"
    )
    assert most <= PER_MINUTE
    assert used >= 0.95


@contextmanager
def delayed(redis: Redis, seconds: float) -> Generator[tuple[str, list[int]]]:
    """The URL of a Redis with delayed responses, and a list that has the number of connections afterwards."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=delay_responses, args=(there, redis.port, seconds), daemon=True)
    process.start()
    there.close()
    connections: list[int] = []
    yield f"redis://127.0.0.1:{here.recv()}/1", connections
    here.send("end")
    connections.append(here.recv())
    process.join()


@pytest.mark.parametrize("milliseconds", [0, 5, 30, 60])
@pytest.mark.parametrize(("form", "requests"), [("asyncio", 4000), ("trio", 4000), ("sync", 400)])
def test_a_burst_never_exceeds_the_limit(
    form: str, requests: int, milliseconds: int, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """Redis responds, so that no request is sent without being counted, however many there are."""
    outcomes: list[str] = []
    clock = Clock()

    with delayed(redis, milliseconds / 1000) as (url, connections):
        fleet = Fleet(url, per_minute=PER_MINUTE)
        paced = create(fleet)

        def request() -> None:
            try:
                paced.wait(clock, 5)
                outcomes.append("sent")
            except PacingError:
                outcomes.append("not sent")

        async def arequest() -> None:
            try:
                await paced.await_turn(clock, 5)
                outcomes.append("sent")
            except PacingError:
                outcomes.append("not sent")

        async def burst() -> None:
            async with anyio.create_task_group() as group:
                for _ in range(requests):
                    group.start_soon(arequest)

        begin = time.monotonic()
        if form == "sync":
            in_threads(requests, request)
        else:
            anyio.run(burst, backend=form)
        duration = time.monotonic() - begin
        fleet.close()
    scripts = redis.scripts()
    print(
        f"\n{form}, Redis responds in {milliseconds} ms: {requests} requests, {outcomes.count('sent')} sent,"
        f" {scripts} round trips, {connections[0]} connection, {duration:.2f} s"
    )
    assert (outcomes.count("sent"), len(outcomes)) == (PER_MINUTE, requests)
    assert connections == [1]
    if form != "sync":
        # A thousand at a time, after those that came before the first round trip began.
        assert scripts <= 20
    assert caplog.records == []


def test_the_script_counts_as_memory_does(redis: Redis, clock: FakeClock) -> None:
    memory, shared = MemoryWindow(3), RedisWindow(redis.url, 3, 5)
    chance = random.Random(7)  # noqa: S311 (the same each time)
    granted = 0
    for _ in range(500):
        clock.now += chance.choice([0, 0.5, 7, 30.25, 59.999, 60, 61])
        inquiries = [
            Inquiry(
                key, [Place(ahead, chance.randint(0, min(ahead, 1))) for ahead in sorted(chance.sample(range(9), 3))]
            )
            for key in chance.sample("abc", 2)
        ]
        expected = memory.acquire(inquiries, clock)
        assert shared.acquire(inquiries, clock) == [pytest.approx(seconds, abs=2e-6) for seconds in expected]
        granted += sum(seconds.count(0) for seconds in expected)
    assert 500 < granted < 2500
    shared.close()


@pytest.mark.parametrize("back", [5, 90, 7200, 86400])
def test_a_clock_of_redis_that_is_set_back_keeps_no_request_waiting(back: int, redis: Redis, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=2)
    paced = create(fleet)
    paced.wait(clock, 0)
    clock.now += 10
    paced.wait(clock, 0)
    clock.now -= back
    # The window is as long as it was: the first request leaves it in 50 seconds, the second ten later.
    assert waits("sync", paced, clock) == [pytest.approx(50.001)]
    assert waits("sync", paced, clock) == [pytest.approx(10)]
    fleet.close()


def test_the_clock_of_redis_is_its_own(redis: Redis) -> None:
    fleet = Fleet(redis.url, per_minute=1)
    create(fleet).wait(Clock(), 0)
    fast, slow = FakeClock(), FakeClock()
    slow.now -= 10**9
    for clock in (fast, slow):
        with pytest.raises(PacingError) as caught:
            create(fleet).wait(clock, 0)
        assert 50 < caught.value.wait <= 60.001
    fleet.close()


ways = pytest.mark.parametrize(("how", "fault"), [("killed", "ConnectionError"), ("hung", "TimeoutError")])


@forms
@ways
def test_an_open_fleet_sends_while_redis_is_away(
    form: str, how: str, fault: str, redis: Redis, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pictify_client")
    fleet = Fleet(redis.url, per_minute=3, timeout=0.3)
    paced = create(fleet)

    async def requests(wait: Any) -> None:
        await wait(paced, clock, 0)
        redis.go_away(how)
        for _ in range(100):
            await wait(paced, clock, 0)
        clock.now += 5
        await wait(paced, clock, 0)
        redis.come_back(how)
        clock.now += 5
        await wait(paced, clock, 0)
        # When it resumes, it counts the requests that it received before it hung.
        clock.now += 60.001
        for _ in range(3):
            await wait(paced, clock, 0)
        with pytest.raises(PacingError):
            await wait(paced, clock, 0)

    in_one_loop(form, fleet, requests)
    assert messages(caplog) == [
        f"WARNING {redis.name} is unavailable ({fault}): requests are sent without being counted until it responds",
        f"INFO {redis.name} is available again: requests are counted",
    ]


@forms
@ways
def test_a_closed_fleet_rejects_while_redis_is_away(
    form: str, how: str, fault: str, redis: Redis, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    fleet = Fleet(redis.url, per_minute=3, timeout=0.3, when_unavailable="closed")
    paced = create(fleet)

    async def requests(wait: Any) -> None:
        await wait(paced, clock, 0)
        redis.go_away(how)
        for _ in range(100):
            with pytest.raises(PacingError, match="is unavailable"):
                await wait(paced, clock, 1000)
        redis.come_back(how)
        clock.now += 5
        await wait(paced, clock, 0)

    in_one_loop(form, fleet, requests)
    assert messages(caplog) == [
        f"WARNING {redis.name} is unavailable ({fault}): requests are rejected until it responds"
    ]


def test_many_tasks_at_once_when_redis_hangs(redis: Redis, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    fleet = Fleet(redis.url, per_minute=100, timeout=0.3)
    paced = create(fleet)

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


def test_parent_and_child_of_a_fork_share_the_limit(redis: Redis) -> None:
    code = f"""
import os
from pictify_client._runtime.clock import Clock
from pictify_client._runtime.pacing import pacer
from pictify_client.fleets import Fleet, PacingError

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
