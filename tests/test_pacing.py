"""Pacing: by the headers of answers, and by a window that a fleet shares."""

from __future__ import annotations

import asyncio
import copy
import gc
import importlib
import logging
import pickle
import re
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Any, NamedTuple

import anyio
import httpx
import pytest
from anyio import wait_all_tasks_blocked
from anyio.lowlevel import checkpoint
from hypothesis import given
from hypothesis import strategies as st

from pictify_client.clock import Clock
from pictify_client.errors import ConfigurationError, PictifyError
from pictify_client.pacing import Fleet, Pacer, PacingError, pacer
from pictify_client.rate_limits import RateLimit

from .redis_stand_in import StandIn, redis_stand_in
from .replay import KEY

NOW = 1_800_000_000.0
KEY_HASH = sha256(KEY.encode()).hexdigest()


class FakeClock(Clock):
    """Time passes only in its sleeps, and there at once."""

    def __init__(self) -> None:
        self.now = NOW
        self.waits: list[float] = []

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now - NOW

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)
        await checkpoint()


class SharedClock(FakeClock):
    """Time that many tasks sleep by: it goes on once they all wait."""

    def __init__(self) -> None:
        super().__init__()
        self._sleepers: list[tuple[float, int, anyio.Event]] = []
        self._numbers = count()

    async def asleep(self, seconds: float) -> None:
        event = anyio.Event()
        self.waits.append(seconds)
        heappush(self._sleepers, (self.now + seconds, next(self._numbers), event))
        await event.wait()

    async def go_on(self) -> None:
        """Until no one sleeps any more."""
        await wait_all_tasks_blocked()
        while self._sleepers:
            moment, _, event = heappop(self._sleepers)
            self.now = max(self.now, moment)
            event.set()
            await wait_all_tasks_blocked()


def told(remaining: int | None, in_seconds: float | None, *, limit: int | None = 60, now: float = NOW) -> RateLimit:
    reset = None if in_seconds is None else datetime.fromtimestamp(now + in_seconds, UTC)
    return RateLimit(limit, remaining, reset)


def made(pacing: object = True, key: str = KEY) -> Pacer:
    known = pacer(pacing, key)
    assert known is not None
    return known


made_fleet: Callable[..., Fleet] = Fleet


def waits(form: str, paced: Pacer, clock: FakeClock, longest: float = inf) -> list[float]:
    """How the next call waits."""
    known = len(clock.waits)
    if form == "sync":
        paced.wait(clock, longest)
    else:
        anyio.run(paced.await_turn, clock, longest, backend=form)
    return clock.waits[known:]


def let_through(paced: Pacer, clock: FakeClock) -> int:
    """How many calls go now without a wait."""
    for number in range(100):
        try:
            paced.wait(clock, 0)
        except PacingError:
            return number
    return 100


forms = pytest.mark.parametrize("form", ["sync", "asyncio", "trio"])
asyncs = pytest.mark.parametrize("form", ["asyncio", "trio"])


# ---- What headers say


def test_a_rate_limit_is_read_from_headers_whatever_their_case() -> None:
    named = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "1800000060"}
    known = RateLimit(300, 7, datetime(2027, 1, 15, 8, 1, tzinfo=UTC))
    assert RateLimit.from_headers(httpx.Headers(named)) == known
    assert RateLimit.from_headers({name.lower(): value for name, value in named.items()}) == known


def test_what_headers_do_not_say_or_say_wrongly_is_none() -> None:
    assert RateLimit.from_headers({}) == RateLimit(None, None, None)
    for wrong in ("", "-1", "1.5", "soon", "\N{SUPERSCRIPT TWO}", "\N{ARABIC-INDIC DIGIT TWO}", "9" * 21):
        named = {f"x-ratelimit-{name}": wrong for name in ("limit", "remaining", "reset")}
        assert RateLimit.from_headers(named) == RateLimit()
    assert RateLimit.from_headers({"x-ratelimit-limit": "9" * 20}).limit == int("9" * 20)
    for absurd in ("9" * 12, "9" * 20):
        assert RateLimit.from_headers({"x-ratelimit-reset": absurd}) == RateLimit()


# ---- What a client is given


def test_pacing_is_off_on_or_a_fleet() -> None:
    assert pacer(False, KEY) is None
    assert isinstance(pacer(True, KEY), Pacer)
    assert isinstance(pacer(Fleet(per_minute=1), KEY), Pacer)


@pytest.mark.parametrize("pacing", [None, 0, 1, "redis://:sesame@host", Fleet, 300])
def test_pacing_that_is_something_else(pacing: object) -> None:
    name = type(pacing).__name__
    with pytest.raises(ConfigurationError, match=f"^pacing must be True, False or a Fleet, got {name}$"):
        pacer(pacing, KEY)


@pytest.mark.parametrize("fleet", [None, Fleet(per_minute=1)])
def test_a_pacer_does_not_keep_the_key(fleet: Fleet | None) -> None:
    paced = made(fleet or True)
    assert KEY not in repr(vars(paced))
    assert KEY not in repr(paced)


# ---- By headers


@forms
def test_nothing_known_is_no_reason_to_wait(form: str) -> None:
    clock = FakeClock()
    paced = made()
    assert [waits(form, paced, clock, 0) for _ in range(3)] == [[], [], []]


@forms
def test_no_calls_left_is_to_wait_for_the_reset(form: str) -> None:
    clock = FakeClock()
    paced = made()
    paced.learn(told(0, 30), NOW)
    assert waits(form, paced, clock) == [30.0]
    assert let_through(paced, clock) == 59


@forms
def test_a_wait_that_is_too_long_is_not_begun(form: str) -> None:
    clock = FakeClock()
    paced = made()
    paced.learn(told(0, 30), NOW)
    with pytest.raises(PacingError) as caught:
        waits(form, paced, clock, 29.9)
    assert clock.waits == []
    assert (caught.value.wait, caught.value.attempts) == (30.0, 0)
    assert isinstance(caught.value, PictifyError)
    assert str(caught.value) == "not sent: its turn under the rate limit is in 30.0 s, and it may wait 29.9 s"
    assert waits(form, paced, clock, 30) == [30.0]


def test_the_error_tells_of_attempts_before_and_can_be_pickled() -> None:
    error = PacingError("not sent", 7.5)
    error.attempts = 2
    assert str(error) == "not sent (after 2 attempts)"
    again: PacingError = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (str(again), again.wait, again.message, again.args) == (str(error), 7.5, "not sent", ("not sent", 7.5))


@asyncs
def test_many_tasks_share_what_is_left(form: str) -> None:
    clock = SharedClock()
    paced = made()
    paced.learn(told(5, 30), NOW)
    times: list[float] = []

    async def call() -> None:
        await paced.await_turn(clock, inf)
        times.append(clock.now - NOW)

    async def run() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(call)
            await clock.go_on()

    anyio.run(run, backend=form)
    # After the reset no answer comes that tells of the minute, so the next is thought to last a minute from then.
    assert times == [0.0] * 5 + [30.0] * 60 + [90.0] * 35


@asyncs
def test_of_many_tasks_those_that_come_too_late_know_it_at_once(form: str) -> None:
    clock = SharedClock()
    paced = made()
    paced.learn(told(5, 30), NOW)
    errors: list[PacingError] = []

    async def call() -> None:
        try:
            await paced.await_turn(clock, 30)
        except PacingError as error:
            errors.append(error)

    async def run() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(5 + 60 + 9):
                group.start_soon(call)
            await wait_all_tasks_blocked()
            assert [error.wait for error in errors] == [90.0] * 9
            await clock.go_on()

    anyio.run(run, backend=form)
    assert len(errors) == 9
    assert clock.waits == [30.0] * 60


def test_many_threads_share_what_is_left() -> None:
    clock = FakeClock()
    paced = made()
    paced.learn(told(100, 30, limit=1000), NOW)
    gone: list[int] = []
    ready = threading.Barrier(8)

    def calls() -> None:
        ready.wait()
        gone.append(let_through(paced, clock))

    threads = [threading.Thread(target=calls) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(gone) == 100


def test_answers_of_one_minute_only_lower_what_is_left() -> None:
    clock = FakeClock()
    paced = made()
    for remaining in (9, 5, 7, 8):
        paced.learn(told(remaining, 30), NOW)
    assert let_through(paced, clock) == 5
    paced.learn(told(3, 30), NOW)
    assert let_through(paced, clock) == 0


@pytest.mark.parametrize(
    ("seconds", "left", "reset"),
    [(-2, 5, 30), (-1, 3, 30), (0, 3, 30), (1, 3, 30), (2, 3, 32)],
)
def test_an_answer_that_is_lower_is_of_this_minute_or_a_later_one(seconds: int, left: int, reset: int) -> None:
    clock = FakeClock()
    paced = made()
    paced.learn(told(5, 30), NOW)
    paced.learn(told(3, 30 + seconds), NOW)
    assert let_through(paced, clock) == left
    assert waits("sync", paced, clock) == [reset]


@pytest.mark.parametrize(("seconds", "left"), [(-2, 5), (-1, 5), (0, 5), (1, 5), (2, 9)])
def test_only_a_later_minute_has_more(seconds: int, left: int) -> None:
    clock = FakeClock()
    paced = made()
    paced.learn(told(5, 30), NOW)
    paced.learn(told(9, 30 + seconds), NOW)
    assert let_through(paced, clock) == left


def test_a_late_answer_of_a_minute_before_says_nothing_of_its_limit_either() -> None:
    clock = FakeClock()
    paced = made()
    paced.learn(told(0, 30), NOW)
    paced.learn(told(0, 20, limit=300), NOW)
    assert waits("sync", paced, clock) == [30.0]
    assert let_through(paced, clock) == 59


def test_an_end_that_was_but_thought_gives_way_to_what_is_told() -> None:
    clock = FakeClock()
    paced = made()
    paced.learn(told(0, 30), NOW)
    assert waits("sync", paced, clock) == [30.0]
    # Of the next minute, told before the one that was thought ends, and again a little later.
    paced.learn(told(50, 45, now=clock.now), clock.now)
    paced.learn(told(55, 55, now=clock.now), clock.now)
    assert let_through(paced, clock) == 55
    paced = made()
    clock.now = NOW
    paced.learn(told(0, 30), NOW)
    assert waits("sync", paced, clock) == [30.0]
    paced.learn(told(59, 45, now=clock.now), clock.now)
    assert let_through(paced, clock) == 59
    assert waits("sync", paced, clock) == [45.0]


def test_an_answer_after_the_end_is_of_a_minute_of_its_own() -> None:
    clock = FakeClock()
    paced = made()
    paced.learn(told(2, 30), NOW)
    clock.now += 30
    paced.learn(told(9, 1, now=clock.now), clock.now)
    assert let_through(paced, clock) == 9
    assert waits("sync", paced, clock) == [1.0]
    clock.now += 59.5
    assert let_through(paced, clock) == 59
    clock.now += 1
    paced.learn(told(4, 0.5, now=clock.now), clock.now)
    assert let_through(paced, clock) == 4


@pytest.mark.parametrize(
    "answer",
    [
        RateLimit(),
        told(None, 30),
        told(0, None),
        told(0, 0),
        told(0, -1),
        told(0, 3601),
        told(0, 31_536_000),
        RateLimit.from_headers({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW * 1000:.0f}"}),
        RateLimit.from_headers({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "30"}),
    ],
)
def test_an_answer_that_says_nothing_or_cannot_be_right_is_not_believed(answer: RateLimit) -> None:
    clock = FakeClock()
    paced = made()
    paced.learn(answer, NOW)
    assert let_through(paced, clock) == 100
    paced.learn(told(1, 30), NOW)
    paced.learn(answer, NOW)
    assert let_through(paced, clock) == 1


def test_a_reset_is_believed_up_to_an_hour_ahead() -> None:
    clock = FakeClock()
    paced = made()
    paced.learn(told(0, 3600), NOW)
    assert waits("sync", paced, clock) == [3600.0]


def test_after_the_reset_there_is_the_limit_again_as_last_told() -> None:
    for limits, left in (((None,), 100), ((60, 20), 20), ((20, None), 20), ((20, 0), 20)):
        clock = FakeClock()
        paced = made()
        for limit in limits:
            paced.learn(told(0, 30, limit=limit), NOW)
        clock.now += 29.9
        assert let_through(paced, clock) == 0
        clock.now = NOW + 30
        assert let_through(paced, clock) == left
        clock.now += 59.9
        assert let_through(paced, clock) == (0 if left < 100 else 100)
        clock.now += 0.1
        assert let_through(paced, clock) == left


@asyncs
def test_a_call_that_is_cancelled_while_it_waits_takes_nothing(form: str) -> None:
    clock = SharedClock()
    paced = made()
    paced.learn(told(0, 30, limit=1), NOW)

    async def run() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(paced.await_turn, clock, inf)
            await wait_all_tasks_blocked()
            # Three wait, so a fourth would wait for three minutes more.
            with pytest.raises(PacingError) as caught:
                await paced.await_turn(clock, 0)
            assert caught.value.wait == 30.0 + 180
            group.cancel_scope.cancel()
        with pytest.raises(PacingError) as caught:
            await paced.await_turn(clock, 0)
        assert caught.value.wait == 30.0

    anyio.run(run, backend=form)
    clock.now += 30
    assert let_through(paced, clock) == 1


def test_the_waits_of_a_call_count_together() -> None:
    clock = FakeClock()
    paced = made()
    paced.learn(told(0, 30), NOW)

    def sleep(seconds: float) -> None:
        FakeClock.sleep(clock, seconds)
        paced.learn(told(0, 40, now=clock.now), clock.now)

    clock.sleep = sleep  # type: ignore[method-assign]
    with pytest.raises(PacingError) as caught:
        paced.wait(clock, 69)
    assert (clock.waits, caught.value.wait) == ([30.0], 40.0)
    assert "and it may wait 39.0 s" in str(caught.value)
    with pytest.raises(PacingError):
        paced.wait(clock, 80)
    assert clock.waits == [30.0, 40.0, 40.0]


class Answer(NamedTuple):
    limit: int | None
    remaining: int
    tens_of_seconds: int


answers = st.builds(Answer, st.none() | st.integers(1, 9), st.integers(0, 9), st.integers(-1, 7))


@given(steps=st.lists(st.none() | st.floats(0, 40) | answers, max_size=60))
def test_no_more_calls_go_than_an_answer_left_until_its_minute_ends_or_a_later_one_is_told_of(
    steps: list[float | Answer | None],
) -> None:
    clock = FakeClock()
    paced = made()
    ends = -inf
    left: list[int] = []
    for step in steps:
        if step is None:
            try:
                paced.wait(clock, 0)
            except PacingError as error:
                clock.now += error.wait + 0.001
                paced.wait(clock, 0)
            left = [each - 1 for each in left] if clock.now < ends else []
            assert all(each >= 0 for each in left)
        elif isinstance(step, Answer):
            reset = 10.0 * (clock.now // 10 + step.tens_of_seconds)
            paced.learn(RateLimit(step.limit, step.remaining, datetime.fromtimestamp(reset, UTC)), clock.now)
            if clock.now < reset and (reset >= ends or clock.now >= ends):
                left = [*left, step.remaining] if reset == ends else [step.remaining]
                ends = reset
        else:
            clock.now += step


@given(
    limit=st.integers(1, 5),
    delays=st.lists(st.floats(0, 90), min_size=1, max_size=40),
    starts=st.lists(st.floats(0, 150), min_size=40, max_size=40),
)
def test_an_api_whose_calls_come_from_here_has_none_to_refuse(
    limit: int, delays: list[float], starts: list[float]
) -> None:
    """Its answers arrive late and in any order. Minutes are the API's own, by the clock on the wall."""
    clock = SharedClock()
    paced = made()
    arrived: dict[int, int] = {}

    async def call(start: float, delay: float) -> None:
        await clock.asleep(start)
        await paced.await_turn(clock, inf)
        minute = int(clock.now // 60)
        arrived[minute] = arrived.get(minute, 0) + 1
        remaining = limit - arrived[minute]
        assert remaining >= 0
        await clock.asleep(delay)
        paced.learn(RateLimit(limit, remaining, datetime.fromtimestamp(60 * minute + 60, UTC)), clock.now)

    async def run() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(call, 0, 0)
            await clock.go_on()
            for start, delay in zip(starts, delays, strict=False):
                group.start_soon(call, start, delay)
            await clock.go_on()

    anyio.run(run)
    assert sum(arrived.values()) == 1 + len(delays)


# ---- A fleet, and what cannot be one


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"storage": "mongodb://host"}, "storage must be memory://, redis://host:port/db or rediss://host:port/db"),
        ({"storage": "memory://x"}, "storage must be memory://"),
        ({"storage": "REDIS://host"}, "storage must be memory://"),
        ({"storage": "redis+unix:///run/redis"}, "storage must be memory://"),
        ({"storage": "redis://"}, "storage must be memory://"),
        ({"storage": "redis:///0"}, "storage must be memory://"),
        ({"storage": "redis://:sesame@"}, "storage must be memory://"),
        ({"storage": "redis://host:port"}, "storage must be memory://"),
        ({"storage": "redis://host:0"}, "storage must be memory://"),
        ({"storage": "redis://host:65536"}, "storage must be memory://"),
        ({"storage": "redis://[::1"}, "storage must be memory://"),
        ({"storage": "redis://a..b"}, "storage must be memory://"),
        ({"storage": "redis://user:6/sesame@host"}, "storage must be memory://"),
        ({"storage": None}, "storage must be memory://"),
        ({"per_minute": 0}, "per_minute must be a whole number from 1 on, got 0"),
        ({"per_minute": True}, "per_minute must be a whole number from 1 on, got True"),
        ({"per_minute": 1.5}, "per_minute must be a whole number from 1 on, got 1.5"),
        ({"per_minute": "300"}, "per_minute must be a whole number from 1 on, got '300'"),
        ({"when_unavailable": "ajar"}, 'when_unavailable must be "open" or "closed", got \'ajar\''),
        ({"when_unavailable": True}, 'when_unavailable must be "open" or "closed", got True'),
        ({"timeout": 0}, "timeout must be a number of seconds from 0 to an hour, got 0"),
        ({"timeout": -1}, "timeout must be a number of seconds"),
        ({"timeout": True}, "timeout must be a number of seconds"),
        ({"timeout": None}, "timeout must be a number of seconds"),
        ({"timeout": "1"}, "timeout must be a number of seconds"),
        ({"timeout": inf}, "timeout must be a number of seconds"),
        ({"timeout": float("nan")}, "timeout must be a number of seconds"),
        ({"timeout": 3601}, "timeout must be a number of seconds"),
    ],
)
def test_a_fleet_that_cannot_be_one(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{re.escape(text)}") as caught:
        made_fleet(**{"per_minute": 300, **arguments})
    assert "sesame" not in str(caught.value)


def test_the_bounds_of_a_fleet_are_in_it() -> None:
    assert Fleet(per_minute=1, timeout=3600)
    assert Fleet("redis://host:65535/1", per_minute=1, timeout=0.001, when_unavailable="closed")


@pytest.mark.parametrize(
    ("storage", "shown"),
    [
        ("memory://", "memory://"),
        ("redis://host", "redis://host"),
        ("redis://user:sesame@host:6380/3?password=sesame", "redis://host:6380"),
        ("rediss://:ses%40me@[::1]:6379", "rediss://[::1]:6379"),
        ("redis://:ses@me@host", "redis://host"),
    ],
)
def test_a_fleet_shows_no_password(storage: str, shown: str) -> None:
    fleet = Fleet(storage, per_minute=300, when_unavailable="closed", timeout=0.5)
    assert repr(fleet) == f"Fleet({shown!r}, per_minute=300, when_unavailable='closed', timeout=0.5)"


def test_what_a_fleet_is_unless_it_is_told() -> None:
    shown = "Fleet('memory://', per_minute=60, when_unavailable='open', timeout=1.0)"
    assert repr(Fleet(per_minute=60)) == shown


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_fleet_is_not_copied_or_pickled(again: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="^a Fleet cannot be pickled or copied: make one in each process$"):
        again(Fleet(per_minute=300))


@pytest.mark.parametrize("package", ["limits", "redis"])
def test_without_its_packages_a_fleet_says_how_to_get_them(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigurationError) as caught:
        Fleet(per_minute=300)
    assert str(caught.value) == "a Fleet needs limits and redis: pip install 'pictify-client[fleet]'"


# ---- A fleet in memory


def go_by(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `limits` have this clock too: it asks the machine's for itself."""
    for name in ("limits.storage.memory", "limits.storage.redis", "limits.aio.storage.redis.redispy"):
        monkeypatch.setattr(importlib.import_module(name), "time", clock)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    known = FakeClock()
    go_by(known, monkeypatch)
    return known


@forms
def test_a_fleet_lets_as_many_through_as_it_is_told_in_any_minute(form: str, clock: FakeClock) -> None:
    paced = made(Fleet(per_minute=3))
    for _ in range(3):
        assert waits(form, paced, clock, 0) == []
        clock.now += 10
    assert waits(form, paced, clock) == [pytest.approx(30.001)]
    assert waits(form, paced, clock) == [pytest.approx(10)]
    assert waits(form, paced, clock, 10.1) == [pytest.approx(10)]
    with pytest.raises(PacingError) as caught:
        waits(form, paced, clock, 30)
    assert caught.value.wait == pytest.approx(40.001)


@asyncs
def test_tasks_and_sync_code_share_a_fleet_in_memory(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SharedClock()
    go_by(clock, monkeypatch)
    fleet = Fleet(per_minute=3)
    made(fleet).wait(clock, 0)
    times: list[float] = []

    async def call() -> None:
        await made(fleet).await_turn(clock, inf)
        times.append(round(clock.now - NOW, 2))

    async def run() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(7):
                group.start_soon(call)
            await clock.go_on()
        await fleet.aclose()

    anyio.run(run, backend=form)
    assert times == [0.0] * 2 + [60.0] * 3 + [120.0] * 2


def test_the_calls_of_different_keys_do_not_count_together(clock: FakeClock) -> None:
    fleet = Fleet(per_minute=1)
    assert waits("sync", made(fleet, "pic_live_a"), clock) == []
    assert waits("sync", made(fleet, "pic_live_b"), clock) == []
    assert waits("sync", made(fleet, "pic_live_a"), clock) == [60.001]


def test_two_fleets_in_memory_count_each_for_itself(clock: FakeClock) -> None:
    for _ in range(2):
        assert let_through(made(Fleet(per_minute=3)), clock) == 3


def test_a_fleet_in_memory_goes_on_counting_after_it_is_closed(clock: FakeClock) -> None:
    fleet = Fleet(per_minute=3)
    paced = made(fleet)
    paced.wait(clock, 0)
    fleet.close()
    assert let_through(paced, clock) == 2


def test_a_fleet_in_memory_leaves_no_thread_behind(clock: FakeClock) -> None:
    before = set(threading.enumerate())
    paced = made(Fleet(per_minute=3))
    assert let_through(paced, clock) == 3
    started = set(threading.enumerate()) - before
    for thread in started:
        thread.join()
    assert set(threading.enumerate()) <= before


def test_headers_count_with_a_fleet_too(clock: FakeClock) -> None:
    paced = made(Fleet(per_minute=5))
    paced.learn(told(2, 30), NOW)
    assert let_through(paced, clock) == 2
    assert waits("sync", paced, clock) == [30.0]
    assert let_through(paced, clock) == 2
    assert waits("sync", paced, clock) == [pytest.approx(30.001)]


def test_a_call_that_the_fleet_refuses_takes_nothing_of_what_headers_left(clock: FakeClock) -> None:
    paced = made(Fleet(per_minute=1))
    paced.learn(told(3, 300), NOW)
    assert let_through(paced, clock) == 1
    for _ in range(9):
        assert let_through(paced, clock) == 0
    clock.now += 60.001
    assert let_through(paced, clock) == 1
    clock.now += 60.001
    assert let_through(paced, clock) == 1
    clock.now += 60.001
    with pytest.raises(PacingError) as caught:
        paced.wait(clock, 0)
    assert caught.value.wait == NOW + 300 - clock.now


@pytest.mark.parametrize("sent", [True, False])
def test_a_call_that_waits_for_the_fleet_holds_one_of_what_headers_left(sent: bool, clock: FakeClock) -> None:
    paced = made(Fleet(per_minute=1))
    paced.learn(told(3, 300), NOW)
    paced.wait(clock, 0)

    def sleep(seconds: float) -> None:
        # Another process has sent one, so there is one left, for the call that waits.
        paced.learn(told(1, 300), clock.now)
        with pytest.raises(PacingError) as caught:
            paced.wait(clock, 0)
        assert caught.value.wait == 300
        clock.now += seconds
        if not sent:
            raise KeyboardInterrupt

    clock.sleep = sleep  # type: ignore[method-assign]
    if sent:
        paced.wait(clock, inf)
        clock.now += 60.001
        assert let_through(paced, clock) == 0
    else:
        with pytest.raises(KeyboardInterrupt):
            paced.wait(clock, inf)
        assert let_through(paced, clock) == 1


def test_a_call_that_waited_for_the_fleet_past_the_reset_counts_after_it(clock: FakeClock) -> None:
    paced = made(Fleet(per_minute=1))
    paced.learn(told(9, 30, limit=1), NOW)
    paced.wait(clock, 0)
    assert waits("sync", paced, clock) == [60.001]
    with pytest.raises(PacingError) as caught:
        paced.wait(clock, 0)
    # By the headers' minute, which began with that call, and not by the fleet's.
    assert caught.value.wait == 60.0


@asyncs
def test_all_calls_that_wait_for_the_fleet_hold_one_of_what_headers_left(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SharedClock()
    go_by(clock, monkeypatch)
    paced = made(Fleet(per_minute=1))
    paced.learn(told(3, 300), NOW)

    async def run() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(paced.await_turn, clock, inf)
            await wait_all_tasks_blocked()
            with pytest.raises(PacingError) as caught:
                await paced.await_turn(clock, 0)
            assert caught.value.wait == 300.0
            await clock.go_on()
        with pytest.raises(PacingError) as caught:
            await paced.await_turn(clock, 0)
        assert caught.value.wait == NOW + 300 - clock.now

    anyio.run(run, backend=form)


def test_a_call_that_waits_for_the_fleet_does_not_wait_for_the_reset_any_more(clock: FakeClock) -> None:
    fleet = Fleet(per_minute=1)
    made(fleet).wait(clock, 0)
    paced = made(fleet)
    paced.learn(told(0, 30, limit=1), NOW)

    def sleep(seconds: float) -> None:
        clock.waits.append(seconds)
        clock.now += seconds
        if len(clock.waits) == 2:
            return
        paced.learn(told(1, 60, limit=1, now=clock.now), clock.now)
        clock.sleep = last_sleep  # type: ignore[method-assign]

    def last_sleep(seconds: float) -> None:
        with pytest.raises(PacingError) as caught:
            paced.wait(clock, 0)
        assert caught.value.wait == 60.0
        clock.now += seconds

    clock.sleep = sleep  # type: ignore[method-assign]
    paced.wait(clock, inf)


# ---- A fleet on Redis


@pytest.fixture
def redis() -> Generator[StandIn]:
    with redis_stand_in() as stand_in:
        yield stand_in


on_redis = pytest.mark.parametrize("form", ["sync", "asyncio"])


def in_one_loop(form: str, fleet: Fleet, calls: Callable[[Callable[[Pacer, Clock, float], Any]], Any]) -> None:
    """Make calls in sync code, or all in one event loop."""

    async def wait(paced: Pacer, clock: Clock, longest: float) -> None:
        if form == "sync":
            paced.wait(clock, longest)
        else:
            await paced.await_turn(clock, longest)

    async def run() -> None:
        try:
            await calls(wait)
        finally:
            await fleet.aclose()

    anyio.run(run)


@on_redis
def test_redis_counts_for_all(form: str, redis: StandIn, clock: FakeClock) -> None:
    fleet, other = Fleet(redis.url, per_minute=3), Fleet(redis.url, per_minute=3)
    made(other).wait(clock, 0)
    other.close()

    async def calls(wait: Any) -> None:
        paced = made(fleet)
        for _ in range(2):
            await wait(paced, clock, 0)
        assert clock.waits == []
        await wait(paced, clock, 61)
        assert clock.waits == [60.001]
        clock.now += 60
        await wait(paced, clock, 0)

    in_one_loop(form, fleet, calls)
    assert list(redis.windows) == [f"pictify:{KEY_HASH}/3"]
    assert KEY not in str(redis.commands)
    assert len(redis.connections) == 2


def test_the_calls_of_sync_and_async_code_count_together(redis: StandIn, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=2)
    paced = made(fleet)

    async def run() -> None:
        await paced.await_turn(clock, 0)
        paced.wait(clock, 0)
        with pytest.raises(PacingError):
            paced.wait(clock, 60)
        with pytest.raises(PacingError):
            await paced.await_turn(clock, 60)
        await fleet.aclose()

    anyio.run(run)


@on_redis
def test_those_that_wait_know_when_their_own_turn_comes(form: str, redis: StandIn, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=3)
    seconds: list[float] = []

    async def run() -> None:
        async def take(ahead: Callable[[], int]) -> float:
            if form == "sync":
                return fleet.take("a", ahead, clock)
            return await fleet.atake("a", ahead, clock)

        def later() -> int:
            clock.now += 60.0
            return 0

        for _ in range(3):
            assert await take(lambda: 9) == 0
            clock.now += 10
        seconds.extend([await take(partial(int, ahead)) for ahead in range(8)])
        # All have left between the two questions: there is room.
        assert await take(later) == 0.001
        await fleet.aclose()

    anyio.run(run)
    assert seconds == pytest.approx([30.001, 40.001, 50.001, 90.001, 100.001, 110.001, 150.001, 160.001])


def test_those_that_wait_stand_in_line(redis: StandIn, clock: FakeClock) -> None:
    paced = made(Fleet(redis.url, per_minute=2))
    paced.wait(clock, 0)
    clock.now += 10
    paced.wait(clock, 0)
    told_waits: list[float] = []

    def sleep(seconds: float) -> None:
        for _ in range(2):
            with pytest.raises(PacingError) as caught:
                paced.wait(clock, 0)
            told_waits.append(caught.value.wait)
        clock.now += seconds

    clock.sleep = sleep  # type: ignore[method-assign]
    paced.wait(clock, inf)
    assert told_waits == pytest.approx([60.001, 60.001])
    with pytest.raises(PacingError) as caught:
        paced.wait(clock, 0)
    assert caught.value.wait == pytest.approx(10)


def test_a_clock_that_is_wrong_makes_no_one_wait_for_more_than_a_minute(redis: StandIn, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=1)
    assert fleet.take("a", lambda: 0, clock) == 0
    other = FakeClock()
    other.now = NOW - 500
    assert fleet.take("a", lambda: 0, other) == 60.001
    assert fleet.take("a", lambda: 1, other) == 120.001
    other.now = NOW + 500
    assert fleet.take("a", lambda: 0, other) == 0.001
    fleet.close()


@on_redis
def test_a_fleet_that_is_closed_connects_anew(form: str, redis: StandIn, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=9)
    paced = made(fleet)

    async def calls(wait: Any) -> None:
        await wait(paced, clock, 0)
        await wait(paced, clock, 0)
        await fleet.aclose()
        await fleet.aclose()
        await wait(paced, clock, 0)

    in_one_loop(form, fleet, calls)
    assert len(redis.connections) == 2


def test_a_fleet_works_in_one_event_loop_after_another(redis: StandIn, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=9)
    paced = made(fleet)

    async def run() -> None:
        await paced.await_turn(clock, 0)
        await paced.await_turn(clock, 0)

    async def last() -> None:
        await run()
        await fleet.aclose()

    def both() -> None:
        anyio.run(run)
        anyio.run(last)
        gc.collect()

    # Whoever leaves a loop without closing hears of it from Python.
    with pytest.warns(ResourceWarning):
        both()
    (window,) = redis.windows.values()
    assert (len(window), len(redis.connections)) == (4, 2)


def test_two_event_loops_at_a_time_have_connections_of_their_own(redis: StandIn, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=9)
    paced = made(fleet)
    loops = [asyncio.new_event_loop() for _ in range(2)]
    for _ in range(2):
        for loop in loops:
            loop.run_until_complete(paced.await_turn(clock, 0))
    assert len(redis.connections) == 2
    for loop in loops:
        loop.run_until_complete(fleet.aclose())
        loop.close()


def test_with_trio_a_fleet_on_redis_is_a_clear_error(redis: StandIn, clock: FakeClock) -> None:
    fleet = Fleet(redis.url.replace("redis:", "rediss:"), per_minute=9)
    paced = made(fleet)
    paced.learn(told(1, 30), NOW)

    async def run() -> None:
        with pytest.raises(ConfigurationError, match="^a Fleet on rediss:// works with asyncio, not with trio$"):
            await paced.await_turn(clock, 0)
        await fleet.aclose()

    anyio.run(run, backend="trio")
    assert redis.connections == []


@on_redis
@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("db=first", "Invalid value for 'db' in connection URL."),
        ("nothing=1", "unexpected keyword argument 'nothing'"),
        ("ssl_cert_reqs=sometimes", "Invalid SSL Certificate Requirements Flag: sometimes"),
    ],
)
def test_an_option_of_redis_that_cannot_be_right(form: str, option: str, text: str, clock: FakeClock) -> None:
    fleet = Fleet(f"rediss://:sesame@host?{option}", per_minute=9)

    async def calls(wait: Any) -> None:
        with pytest.raises(ConfigurationError) as caught:
            await wait(made(fleet), clock, 0)
        assert str(caught.value).startswith("the storage of a Fleet has an option that cannot be right: ")
        assert text in str(caught.value)
        assert caught.value.__cause__ is None

    in_one_loop(form, fleet, calls)


@on_redis
def test_more_calls_at_once_than_there_are_connections(form: str, redis: StandIn, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=150, timeout=5)
    paced = made(fleet)
    if form == "sync":
        redis.meeting = threading.Barrier(150)
        threads = [threading.Thread(target=paced.wait, args=(clock, 0)) for _ in range(150)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        fleet.close()
    else:

        async def run() -> None:
            async with anyio.create_task_group() as group:
                for _ in range(150):
                    group.start_soon(paced.await_turn, clock, 0)
            await fleet.aclose()

        anyio.run(run)
        assert len(redis.connections) <= 50
    (window,) = redis.windows.values()
    assert len(window) == 150


# ---- Redis that is not there


@contextmanager
def gone(how: str) -> Generator[str]:
    """The URL of a Redis that is gone. Whoever still waits for it after two seconds has its connection refused."""
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        url = f"redis://user:sesame@127.0.0.1:{listener.getsockname()[1]}"
        if how == "refused":
            listener.close()
        elif how == "lost":
            # Where no more can wait to be accepted, the system lets what comes be lost.
            for _ in range(9):
                waiting = sockets.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(listener.getsockname())
        end = threading.Timer(2, listener.close)
        end.start()
        yield url
        end.cancel()
        end.join()


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [f"{record.levelname} {record.getMessage()}" for record in caplog.records]


ways = pytest.mark.parametrize(
    ("how", "fault"), [("refused", "ConnectionError"), ("hung", "TimeoutError"), ("lost", "TimeoutError")]
)


@on_redis
@ways
def test_without_redis_an_open_fleet_goes_on(
    form: str, how: str, fault: str, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pictify_client")
    with gone(how) as url:
        fleet = Fleet(url, per_minute=1, timeout=0.05)
        paced = made(fleet)
        paced.learn(told(7, 30), NOW)

        async def calls(wait: Any) -> None:
            for _ in range(5):
                await wait(paced, clock, 0)
            clock.now += 5
            await wait(paced, clock, 0)

        in_one_loop(form, fleet, calls)
        assert let_through(paced, clock) == 1
    name = re.sub("//.*@", "//", url)
    assert messages(caplog) == [
        f"WARNING {name} does not answer ({fault}): calls are sent uncounted until it does",
    ]
    assert caplog.records[0].name == "pictify_client"


@on_redis
@ways
def test_without_redis_a_closed_fleet_refuses(
    form: str, how: str, fault: str, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    with gone(how) as url:
        fleet = Fleet(url, per_minute=1, timeout=0.05, when_unavailable="closed")
        paced = made(fleet)
        paced.learn(told(1, 30), NOW)
        name = re.sub("//.*@", "//", url)
        text = f"not sent: {name}, which counts the calls, does not answer ({fault})"

        async def calls(wait: Any) -> None:
            for step, left in ((0, 5), (2, 3), (2.5, 0.5), (0.5, 5), (4, 1)):
                clock.now += step
                with pytest.raises(PacingError) as caught:
                    await wait(paced, clock, inf)
                assert (str(caught.value), caught.value.wait) == (text, left)
                assert caught.value.__cause__ is None
                assert caught.value.__context__ is None

        in_one_loop(form, fleet, calls)
    assert messages(caplog) == [f"WARNING {name} does not answer ({fault}): calls are refused until it does"]
    assert clock.waits == []


@on_redis
def test_redis_that_is_gone_in_between_is_asked_again_in_a_while(
    form: str, redis: StandIn, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pictify_client")
    fleet = Fleet(redis.url, per_minute=9)
    paced = made(fleet)

    async def calls(wait: Any) -> None:
        await wait(paced, clock, 0)
        redis.error = "OOM command not allowed"
        for _ in range(3):
            await wait(paced, clock, 0)
        clock.now += 4.9
        await wait(paced, clock, 0)
        asked = redis.asked()
        clock.now += 0.1
        await wait(paced, clock, 0)
        await wait(paced, clock, 0)
        assert redis.asked() == asked + 1
        redis.error = ""
        await wait(paced, clock, 0)
        clock.now += 5
        for _ in range(3):
            await wait(paced, clock, 0)
        assert redis.asked() == asked + 4
        redis.error = "OOM command not allowed"
        await wait(paced, clock, 0)

    in_one_loop(form, fleet, calls)
    assert [message.split()[0] for message in messages(caplog)] == ["WARNING", "INFO", "WARNING"]
    assert messages(caplog)[1] == f"INFO {redis.url} answers again: calls are counted"
    (window,) = redis.windows.values()
    assert len(window) == 4


def test_while_one_call_finds_out_whether_redis_is_back_the_others_do_not_wait(
    redis: StandIn, clock: FakeClock
) -> None:
    fleet = Fleet(redis.url, per_minute=9, timeout=30)
    paced = made(fleet)

    async def run() -> None:
        redis.error = "OOM command not allowed"
        await paced.await_turn(clock, 0)
        redis.silent = True
        clock.now += 5
        async with anyio.create_task_group() as group:
            for _ in range(9):
                group.start_soon(call)
            await wait_all_tasks_blocked()
            assert gone_on == 8
            group.cancel_scope.cancel()
        await fleet.aclose()

    gone_on = 0

    async def call() -> None:
        nonlocal gone_on
        await paced.await_turn(clock, 0)
        gone_on += 1

    anyio.run(run)


def test_what_redis_answers_in_error_is_in_no_log_and_no_error(
    redis: StandIn, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    redis.error = "ERR unknown command 'AUTH', with args beginning with: 'sesame'"
    fleet = Fleet(redis.url.replace("//", "//:sesame@"), per_minute=9, when_unavailable="closed")
    with pytest.raises(PacingError) as caught:
        made(fleet).wait(clock, 0)
    text = "".join(traceback.format_exception(caught.value))
    assert "sesame" not in text + caplog.text
    assert "ResponseError" in caplog.text


@on_redis
def test_a_broken_connection_in_the_pool_is_replaced(form: str, redis: StandIn, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=9)
    paced = made(fleet)

    async def calls(wait: Any) -> None:
        await wait(paced, clock, 0)
        redis.connections[0].shutdown(socket.SHUT_RDWR)
        # The event loop has to hear of it.
        for _ in range(9):
            await checkpoint()
        await wait(paced, clock, 0)

    in_one_loop(form, fleet, calls)
    (window,) = redis.windows.values()
    assert len(window) == 2


@on_redis
def test_a_call_hangs_up_on_redis_that_is_silent_and_does_not_ask_twice(form: str, clock: FakeClock) -> None:
    with redis_stand_in() as redis:
        redis.silent = True
        fleet = Fleet(redis.url.replace("//", "//:sesame@"), per_minute=9, timeout=0.05)
        in_one_loop(form, fleet, lambda wait: wait(made(fleet), clock, 0))
        redis.see_them_off()
        assert (redis.hung_up, len(redis.connections)) == (1, 1)


def test_the_timeout_holds_in_async_code_whatever_redis_is_told(redis: StandIn, clock: FakeClock) -> None:
    redis.silent = True
    fleet = Fleet(f"{redis.url}?socket_timeout=1000", per_minute=9, timeout=0.05)
    in_one_loop("asyncio", fleet, lambda wait: wait(made(fleet), clock, 0))
