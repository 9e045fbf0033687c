"""Pacing: by the headers of responses, and by a limit that a Fleet shares."""

from __future__ import annotations

import asyncio
import copy
import logging
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from heapq import heappop, heappush
from itertools import count, pairwise
from math import ceil, inf
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import anyio
import httpx
import pytest
from anyio import wait_all_tasks_blocked
from anyio.lowlevel import checkpoint
from hypothesis import given
from hypothesis import strategies as st
from redis import client as redis_client

from pictify_client import fleets
from pictify_client._runtime import forks
from pictify_client._runtime.clock import Clock
from pictify_client._runtime.pacing import Pacer, pacer
from pictify_client.errors import ConfigurationError, PictifyError
from pictify_client.fleets import Fleet, PacingError
from pictify_client.rate_limits import RateLimit

from .fake_redis import FakeRedis, fake_redis
from .replay import KEY
from .servers import switching_threads

NOW = 1_800_000_000.0
KEY_HASH = sha256(KEY.encode()).hexdigest()


class FakeClock(Clock):
    """Time that passes only by sleeping, which takes no time. `back` is how far the wall clock was set back."""

    def __init__(self) -> None:
        self.now = NOW
        self.back = 0.0
        self.waits: list[float] = []

    def time(self) -> float:
        return self.now - self.back

    def monotonic(self) -> float:
        return self.now - NOW

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)
        await checkpoint()


class SharedClock(FakeClock):
    """Time that many tasks sleep by: it passes once all of them sleep."""

    def __init__(self) -> None:
        super().__init__()
        self._sleepers: list[tuple[float, int, anyio.Event]] = []
        self._numbers = count()

    async def asleep(self, seconds: float) -> None:
        event = anyio.Event()
        self.waits.append(seconds)
        heappush(self._sleepers, (self.now + seconds, next(self._numbers), event))
        await event.wait()

    async def run(self) -> None:
        """Advance the time until no task sleeps."""
        await wait_all_tasks_blocked()
        while self._sleepers:
            moment, _, event = heappop(self._sleepers)
            self.now = max(self.now, moment)
            event.set()
            await wait_all_tasks_blocked()


def headers(
    remaining: int | None, reset: float | None, *, limit: int | None = 60, date: str | None = None
) -> Mapping[str, str]:
    """The headers of a response; `reset` is in seconds from `NOW`."""
    fields = {
        "X-RateLimit-Limit": limit,
        "X-RateLimit-Remaining": remaining,
        "X-RateLimit-Reset": None if reset is None else ceil(NOW + reset),
        "Date": date,
    }
    return httpx.Headers({name: str(value) for name, value in fields.items() if value is not None})


def create(pacing: object = True, key: str = KEY) -> Pacer:
    created = pacer(pacing, key)
    assert created is not None
    return created


def waits(form: str, paced: Pacer, clock: FakeClock, longest: float = inf) -> list[float]:
    """The waits of the next request."""
    before = len(clock.waits)
    if form == "sync":
        paced.wait(clock, longest)
    else:
        anyio.run(paced.await_turn, clock, longest, backend=form)
    return clock.waits[before:]


def let_through(paced: Pacer, clock: FakeClock) -> int:
    """How many requests may be sent now, without a wait."""
    for number in range(100):
        try:
            paced.wait(clock, 0)
        except PacingError:
            return number
    return 100


forms = pytest.mark.parametrize("form", ["sync", "asyncio", "trio"])
async_forms = pytest.mark.parametrize("form", ["asyncio", "trio"])


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


# ---- Reading the headers


def test_a_rate_limit_is_read_from_headers_of_any_case() -> None:
    named = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "1800000060"}
    expected = RateLimit(300, 7, datetime(2027, 1, 15, 8, 1, tzinfo=UTC))
    assert RateLimit.from_headers(httpx.Headers(named)) == expected
    assert RateLimit.from_headers({name.lower(): value for name, value in named.items()}) == expected


def test_a_missing_or_invalid_header_is_none() -> None:
    assert RateLimit.from_headers({}) == RateLimit(None, None, None)
    for wrong in ("", "-1", "1.5", "soon", "\N{SUPERSCRIPT TWO}", "\N{ARABIC-INDIC DIGIT TWO}", "9" * 21):
        named = {f"x-ratelimit-{name}": wrong for name in ("limit", "remaining", "reset")}
        assert RateLimit.from_headers(named) == RateLimit()
    assert RateLimit.from_headers({"x-ratelimit-limit": "9" * 20}).limit == int("9" * 20)
    for absurd in ("9" * 12, "9" * 20):
        assert RateLimit.from_headers({"x-ratelimit-reset": absurd}) == RateLimit()


# ---- The `pacing` of a client


def test_pacing_is_off_on_or_a_fleet() -> None:
    assert pacer(False, KEY) is None
    assert isinstance(pacer(True, KEY), Pacer)
    assert isinstance(pacer(Fleet(per_minute=1), KEY), Pacer)


@pytest.mark.parametrize("other", [None, 0, 1, "redis://:sesame@host", Fleet, 300])
def test_other_values_of_pacing_are_rejected(other: object) -> None:
    name = type(other).__name__
    with pytest.raises(ConfigurationError, match=f"^pacing must be True, False or a Fleet, got {name}$"):
        pacer(other, KEY)


@pytest.mark.parametrize("fleet", [None, Fleet(per_minute=1)])
def test_a_pacer_does_not_keep_the_key(fleet: Fleet | None) -> None:
    paced = create(fleet or True)
    assert KEY not in repr(vars(paced))
    assert KEY not in repr(paced)


# ---- Pacing by headers


@forms
def test_without_headers_no_request_waits(form: str, clock: FakeClock) -> None:
    paced = create()
    assert [waits(form, paced, clock, 0) for _ in range(3)] == [[], [], []]


@forms
def test_if_no_requests_are_left_the_next_waits_for_the_reset(form: str, clock: FakeClock) -> None:
    paced = create()
    paced.learn(headers(0, 30), clock)
    assert waits(form, paced, clock) == [30.0]
    assert let_through(paced, clock) == 59


@forms
def test_a_wait_that_is_too_long_is_an_error_at_once(form: str, clock: FakeClock) -> None:
    paced = create()
    paced.learn(headers(0, 30), clock)
    with pytest.raises(PacingError) as caught:
        waits(form, paced, clock, 29.9)
    assert clock.waits == []
    assert (caught.value.wait, caught.value.attempts) == (30.0, 0)
    assert isinstance(caught.value, PictifyError)
    assert str(caught.value) == "not sent: its turn under the rate limit is in 30.0 s, and it may wait 29.9 s"
    assert waits(form, paced, clock, 30) == [30.0]


def test_the_error_names_the_attempts_before_it_and_can_be_pickled() -> None:
    error = PacingError("not sent", 7.5)
    error.attempts = 2
    assert str(error) == "not sent (after 2 attempts)"
    loaded: PacingError = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (str(loaded), loaded.wait, loaded.message, loaded.args) == (str(error), 7.5, "not sent", ("not sent", 7.5))


@async_forms
def test_many_tasks_share_the_remaining_requests(form: str) -> None:
    clock = SharedClock()
    paced = create()
    paced.learn(headers(5, 30), clock)
    times: list[float] = []

    async def request() -> None:
        await paced.await_turn(clock, inf)
        times.append(clock.now - NOW)

    async def run() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(request)
            await clock.run()

    anyio.run(run, backend=form)
    # No response describes the minute after the reset, so it is taken to last a minute from then.
    assert times == [0.0] * 5 + [30.0] * 60 + [90.0] * 35


@async_forms
def test_tasks_that_would_wait_too_long_fail_at_once(form: str) -> None:
    clock = SharedClock()
    paced = create()
    paced.learn(headers(5, 30), clock)
    errors: list[PacingError] = []

    async def request() -> None:
        try:
            await paced.await_turn(clock, 30)
        except PacingError as error:
            errors.append(error)

    async def run() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(5 + 60 + 9):
                group.start_soon(request)
            await wait_all_tasks_blocked()
            assert [error.wait for error in errors] == [90.0] * 9
            await clock.run()

    anyio.run(run, backend=form)
    assert len(errors) == 9
    assert clock.waits == [30.0] * 60


def in_threads(number: int, work: Callable[[], object]) -> None:
    """Run a function concurrently in many threads, which switch as often as possible."""
    ready = threading.Barrier(number)

    def begin() -> None:
        ready.wait()
        work()

    threads = [threading.Thread(target=begin) for _ in range(number)]
    with switching_threads():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def test_many_threads_share_the_remaining_requests(clock: FakeClock) -> None:
    paced = create()
    paced.learn(headers(100, 30, limit=1000), clock)
    gone: list[int] = []
    in_threads(8, lambda: gone.append(let_through(paced, clock)))
    assert sum(gone) == 100


def test_responses_of_one_minute_only_lower_the_remaining_requests(clock: FakeClock) -> None:
    paced = create()
    for remaining in (9, 5, 7, 8):
        paced.learn(headers(remaining, 30), clock)
    assert let_through(paced, clock) == 5
    paced.learn(headers(3, 30), clock)
    assert let_through(paced, clock) == 0


@pytest.mark.parametrize(
    ("seconds", "left", "reset"),
    [(-2, 5, 30), (-1, 3, 30), (0, 3, 30), (1, 3, 30), (2, 3, 32)],
)
def test_a_lower_count_is_of_this_minute_or_a_later_one(seconds: int, left: int, reset: int, clock: FakeClock) -> None:
    paced = create()
    paced.learn(headers(5, 30), clock)
    paced.learn(headers(3, 30 + seconds), clock)
    assert let_through(paced, clock) == left
    assert waits("sync", paced, clock) == [reset]


@pytest.mark.parametrize(("seconds", "left"), [(-2, 5), (-1, 5), (0, 5), (1, 5), (2, 9)])
def test_a_higher_count_is_of_a_later_minute(seconds: int, left: int, clock: FakeClock) -> None:
    paced = create()
    paced.learn(headers(5, 30), clock)
    paced.learn(headers(9, 30 + seconds), clock)
    assert let_through(paced, clock) == left


def test_a_late_response_of_an_earlier_minute_does_not_change_the_limit(clock: FakeClock) -> None:
    paced = create()
    paced.learn(headers(0, 30), clock)
    paced.learn(headers(0, 20, limit=300), clock)
    assert waits("sync", paced, clock) == [30.0]
    assert let_through(paced, clock) == 59


def test_an_assumed_end_is_replaced_by_the_one_in_a_response(clock: FakeClock) -> None:
    paced = create()
    paced.learn(headers(0, 30), clock)
    assert waits("sync", paced, clock) == [30.0]
    # Two responses of the next minute come before its assumed end.
    paced.learn(headers(50, 75), clock)
    paced.learn(headers(55, 85), clock)
    assert let_through(paced, clock) == 55
    paced = create()
    clock.now = NOW
    paced.learn(headers(0, 30), clock)
    assert waits("sync", paced, clock) == [30.0]
    paced.learn(headers(59, 75), clock)
    assert let_through(paced, clock) == 59
    assert waits("sync", paced, clock) == [45.0]


def test_a_response_after_the_end_begins_a_minute(clock: FakeClock) -> None:
    paced = create()
    paced.learn(headers(2, 30), clock)
    clock.now += 30
    paced.learn(headers(9, 31), clock)
    assert let_through(paced, clock) == 9
    assert waits("sync", paced, clock) == [1.0]
    clock.now += 59.5
    assert let_through(paced, clock) == 59
    clock.now += 1
    paced.learn(headers(4, 92), clock)
    assert let_through(paced, clock) == 4


@pytest.mark.parametrize(
    "response",
    [
        {},
        headers(None, 30),
        headers(0, None),
        headers(0, 0),
        headers(0, -1),
        headers(0, 3601),
        headers(0, 31_536_000),
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW * 1000:.0f}"},
        headers(0, 30, date="Fri, 15 Jan 2027 08:00:30 GMT"),
        headers(0, 30, date="Fri, 15 Jan 2027 07:00:29 GMT"),
    ],
)
def test_headers_that_are_incomplete_or_absurd_are_ignored(response: Mapping[str, str], clock: FakeClock) -> None:
    paced = create()
    paced.learn(response, clock)
    assert let_through(paced, clock) == 100
    paced.learn(headers(1, 30), clock)
    paced.learn(response, clock)
    assert let_through(paced, clock) == 1


@pytest.mark.parametrize(
    ("response", "seconds"),
    [
        (headers(0, 3600, date="Fri, 15 Jan 2027 08:00:00 GMT"), 3600.0),
        # The clock of this machine differs by half an hour from the server's.
        (headers(0, 30, date="Fri, 15 Jan 2027 07:59:50 GMT"), 40.0),
        (headers(0, 1830, date="Fri, 15 Jan 2027 08:30:00 GMT"), 30.0),
        (headers(0, -1770, date="Fri, 15 Jan 2027 07:30:00 GMT"), 30.0),
        # In seconds, as the live API sends it for its public routes.
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "30", "date": "Fri, 15 Jan 2027 07:30:00 GMT"}, 30.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "30", "date": "Sat, 16 Jan 2027 08:00:00 GMT"}, 30.0),
        # Without a date the clock of this machine counts, but not for more than a minute.
        (headers(0, 45), 45.0),
        (headers(0, 45, date="yesterday"), 45.0),
        (headers(0, 90), 60.0),
        (headers(0, 3600), 60.0),
    ],
)
def test_the_reset_is_relative_to_the_date_of_the_response(
    response: Mapping[str, str], seconds: float, clock: FakeClock
) -> None:
    paced = create()
    paced.learn(response, clock)
    assert waits("sync", paced, clock) == [seconds]


@pytest.mark.parametrize("back", [1, 90, 1800, 7200, 86400])
@pytest.mark.parametrize("dated", [True, False])
def test_a_clock_that_is_set_back_keeps_no_request_waiting(back: float, dated: bool, clock: FakeClock) -> None:
    paced = create()
    left = count(58, -1)
    date = "Fri, 15 Jan 2027 08:00:05 GMT" if dated else None
    paced.learn(headers(59, 60, date=date), clock)
    clock.back = back
    for _ in range(59):
        paced.wait(clock, 0)
        paced.learn(headers(next(left), 60, date=date), clock)
    assert waits("sync", paced, clock, 60) == [55.0 if dated else 60.0]
    assert let_through(paced, clock) == 59


def test_after_the_reset_the_last_known_limit_is_left(clock: FakeClock) -> None:
    for limits, left in (((None,), 100), ((60, 20), 20), ((20, None), 20), ((20, 0), 20)):
        clock.now = NOW
        paced = create()
        for limit in limits:
            paced.learn(headers(0, 30, limit=limit), clock)
        clock.now += 29.9
        assert let_through(paced, clock) == 0
        clock.now = NOW + 30
        assert let_through(paced, clock) == left
        clock.now += 59.9
        assert let_through(paced, clock) == (0 if left < 100 else 100)
        clock.now += 0.1
        assert let_through(paced, clock) == left


@async_forms
def test_a_request_that_is_cancelled_while_it_waits_is_not_counted(form: str) -> None:
    clock = SharedClock()
    paced = create()
    paced.learn(headers(0, 30, limit=1), clock)

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


def test_the_waits_of_a_request_are_added_up(clock: FakeClock) -> None:
    paced = create()
    paced.learn(headers(0, 30), clock)
    resets = iter([70, 110])

    def sleep(seconds: float) -> None:
        FakeClock.sleep(clock, seconds)
        paced.learn(headers(0, next(resets)), clock)

    clock.sleep = sleep  # type: ignore[method-assign]
    with pytest.raises(PacingError) as caught:
        paced.wait(clock, 69)
    assert (clock.waits, caught.value.wait) == ([30.0], 40.0)
    assert "and it may wait 39.0 s" in str(caught.value)
    with pytest.raises(PacingError):
        paced.wait(clock, 79)
    assert clock.waits == [30.0, 40.0]


class Response(NamedTuple):
    limit: int | None
    remaining: int
    tens_of_seconds: int


responses = st.builds(Response, st.none() | st.integers(1, 9), st.integers(0, 9), st.integers(-1, 6))


@given(steps=st.lists(st.none() | st.floats(0, 40) | responses, max_size=60))
def test_no_more_requests_are_sent_than_remain_until_the_minute_ends(
    steps: list[float | Response | None],
) -> None:
    """Or until a response of a later minute comes."""
    clock = FakeClock()
    paced = create()
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
        elif isinstance(step, Response):
            reset = 10.0 * (clock.now // 10 + step.tens_of_seconds)
            paced.learn(headers(step.remaining, reset - NOW, limit=step.limit), clock)
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
def test_the_only_client_of_an_api_is_never_rejected(limit: int, delays: list[float], starts: list[float]) -> None:
    """Responses arrive late and in any order. The API counts its own minutes."""
    clock = SharedClock()
    paced = create()
    arrived: dict[int, int] = {}

    async def request(start: float, delay: float) -> None:
        await clock.asleep(start)
        await paced.await_turn(clock, inf)
        minute = int(clock.now // 60)
        arrived[minute] = arrived.get(minute, 0) + 1
        remaining = limit - arrived[minute]
        assert remaining >= 0
        await clock.asleep(delay)
        paced.learn(headers(remaining, 60 * minute + 60 - NOW, limit=limit), clock)

    async def run() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(request, 0, 0)
            await clock.run()
            for start, delay in zip(starts, delays, strict=False):
                group.start_soon(request, start, delay)
            await clock.run()

    anyio.run(run)
    assert sum(arrived.values()) == 1 + len(delays)


# ---- The arguments of a Fleet


create_fleet: Callable[..., Fleet] = Fleet


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
        ({"per_minute": 0}, "per_minute must be an integer from 1, got 0"),
        ({"per_minute": True}, "per_minute must be an integer from 1, got True"),
        ({"per_minute": 1.5}, "per_minute must be an integer from 1, got 1.5"),
        ({"per_minute": "300"}, "per_minute must be an integer from 1, got '300'"),
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
def test_invalid_arguments_are_rejected(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{re.escape(text)}") as caught:
        create_fleet(**{"per_minute": 300, **arguments})
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("db=first", "Invalid value for 'db' in connection URL."),
        ("nothing=1", "unexpected keyword argument 'nothing'"),
        ("ssl_cert_reqs=sometimes", "Invalid SSL Certificate Requirements Flag: sometimes"),
    ],
)
def test_invalid_options_of_redis_are_rejected(option: str, text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Fleet(f"rediss://:sesame@host?{option}", per_minute=9)
    assert str(caught.value).startswith("the storage of a Fleet has an invalid option: ")
    assert text in str(caught.value)
    assert "sesame" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_arguments_may_be_at_their_bounds() -> None:
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
def test_the_repr_has_no_password(storage: str, shown: str) -> None:
    fleet = Fleet(storage, per_minute=300, when_unavailable="closed", timeout=0.5)
    assert repr(fleet) == f"Fleet({shown!r}, per_minute=300, when_unavailable='closed', timeout=0.5)"


def test_the_defaults() -> None:
    shown = "Fleet('memory://', per_minute=60, when_unavailable='open', timeout=1.0)"
    assert repr(Fleet(per_minute=60)) == shown


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_fleet_cannot_be_copied_or_pickled(duplicate: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="^a Fleet cannot be pickled or copied: create one in each process$"):
        duplicate(Fleet(per_minute=300))


def test_only_a_fleet_on_redis_requires_the_extra(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigurationError) as caught:
        Fleet("redis://host", per_minute=300)
    assert str(caught.value) == "a Fleet on Redis requires redis: pip install 'pictify-client[fleet]'"
    assert let_through(create(Fleet(per_minute=3)), clock) == 3


# ---- A Fleet in memory


@forms
def test_a_fleet_enforces_its_limit_in_any_minute(form: str, clock: FakeClock) -> None:
    paced = create(Fleet(per_minute=3))
    for _ in range(3):
        assert waits(form, paced, clock, 0) == []
        clock.now += 10
    assert waits(form, paced, clock) == [pytest.approx(30.001)]
    assert waits(form, paced, clock) == [pytest.approx(10)]
    assert waits(form, paced, clock, 10.1) == [pytest.approx(10)]
    with pytest.raises(PacingError) as caught:
        waits(form, paced, clock, 30)
    assert caught.value.wait == pytest.approx(40.001)


@async_forms
def test_tasks_and_sync_code_share_a_fleet_in_memory(form: str) -> None:
    clock = SharedClock()
    fleet = Fleet(per_minute=3)
    create(fleet).wait(clock, 0)
    times: list[float] = []

    async def request() -> None:
        await create(fleet).await_turn(clock, inf)
        times.append(round(clock.now - NOW, 2))

    async def run() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(7):
                group.start_soon(request)
            await clock.run()
        await fleet.aclose()

    anyio.run(run, backend=form)
    assert times == [0.0] * 2 + [60.0] * 3 + [120.0] * 2


@given(
    limit=st.integers(1, 4),
    starts=st.lists(st.floats(0, 200), min_size=1, max_size=30),
    longest=st.sampled_from([5.0, 60.0, 90.0, inf]),
)
def test_a_fleet_never_exceeds_its_limit_and_keeps_the_order(limit: int, starts: list[float], longest: float) -> None:
    clock = SharedClock()
    fleet = Fleet(per_minute=limit)
    sent: list[tuple[float, int]] = []
    numbers = count()

    async def request(start: float) -> None:
        await clock.asleep(start)
        number = next(numbers)
        with suppress(PacingError):
            await create(fleet).await_turn(clock, longest)
            sent.append((clock.now, number))

    async def run() -> None:
        async with anyio.create_task_group() as group:
            for start in starts:
                group.start_soon(request, start)
            await clock.run()

    anyio.run(run)
    times = [moment for moment, _ in sent]
    assert all(later - earlier >= 60 for earlier, later in zip(times, times[limit:], strict=False))
    assert all(earlier <= later for (_, earlier), (_, later) in pairwise(sent))
    if longest == inf:
        assert len(sent) == len(starts)


def test_threads_never_exceed_the_limit_and_lose_no_turn(clock: FakeClock) -> None:
    fleet = Fleet(per_minute=200)
    for _ in range(5):
        gone: list[int] = []
        in_threads(8, lambda gone=gone: gone.append(let_through(create(fleet), clock)))  # type: ignore[misc]
        assert sum(gone) == 200
        clock.now += 60.001


def test_threads_of_many_keys_have_all_their_turns(clock: FakeClock) -> None:
    fleet = Fleet(per_minute=3)
    keys = count()
    gone: list[int] = []

    def work() -> None:
        gone.extend([let_through(create(fleet, f"pic_live_{next(keys)}"), clock) for _ in range(20)])

    in_threads(8, work)
    assert gone == [3] * 160


def test_different_keys_are_counted_separately(clock: FakeClock) -> None:
    fleet = Fleet(per_minute=1)
    assert waits("sync", create(fleet, "pic_live_a"), clock) == []
    assert waits("sync", create(fleet, "pic_live_b"), clock) == []
    assert waits("sync", create(fleet, "pic_live_a"), clock) == [60.001]


def test_keys_that_are_not_used_any_more_are_forgotten(clock: FakeClock) -> None:
    fleet = Fleet(per_minute=3)
    for number in range(90):
        if number % 30 == 0:
            create(fleet, "pic_live_busy").wait(clock, 0)
        paced = create(fleet, f"pic_live_{number}")
        assert (let_through(paced, clock), let_through(paced, clock)) == (3, 0)
        clock.now += 1
    kept: Any = vars(fleet)
    # Those of the last minute, and the busy one.
    assert (len(kept["_window"]._windows), len(kept["_lines"])) == (60 + 1, 0)


def test_two_fleets_in_memory_count_separately(clock: FakeClock) -> None:
    for _ in range(2):
        assert let_through(create(Fleet(per_minute=3)), clock) == 3


def test_a_fleet_in_memory_continues_counting_after_it_is_closed(clock: FakeClock) -> None:
    fleet = Fleet(per_minute=3)
    paced = create(fleet)
    paced.wait(clock, 0)
    fleet.close()
    assert let_through(paced, clock) == 2


def test_a_fleet_in_memory_starts_no_thread(clock: FakeClock) -> None:
    before = set(threading.enumerate())
    assert let_through(create(Fleet(per_minute=3)), clock) == 3
    assert set(threading.enumerate()) == before


@pytest.mark.parametrize("back", [90, 7200])
def test_a_fleet_does_not_go_by_the_wall_clock(back: float, clock: FakeClock) -> None:
    paced = create(Fleet(per_minute=2))
    paced.wait(clock, 0)
    clock.back = back
    paced.wait(clock, 0)
    assert waits("sync", paced, clock) == [60.001]
    clock.back = -back
    assert let_through(paced, clock) == 1


def test_headers_are_respected_with_a_fleet_too(clock: FakeClock) -> None:
    paced = create(Fleet(per_minute=5))
    paced.learn(headers(2, 30), clock)
    assert let_through(paced, clock) == 2
    assert waits("sync", paced, clock) == [30.0]
    assert let_through(paced, clock) == 2
    assert waits("sync", paced, clock) == [pytest.approx(30.001)]


def test_a_request_that_the_fleet_rejects_reserves_none_of_the_remaining(clock: FakeClock) -> None:
    paced = create(Fleet(per_minute=1))
    paced.learn(left_for_five_minutes(3), clock)
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
    assert caught.value.wait == pytest.approx(NOW + 300 - clock.now)


def left_for_five_minutes(remaining: int) -> Mapping[str, str]:
    return headers(remaining, 300, date="Fri, 15 Jan 2027 08:00:00 GMT")


@pytest.mark.parametrize("sent", [True, False])
def test_a_request_that_waits_for_the_fleet_reserves_one_of_the_remaining(sent: bool, clock: FakeClock) -> None:
    paced = create(Fleet(per_minute=1))
    paced.learn(left_for_five_minutes(3), clock)
    paced.wait(clock, 0)

    def sleep(seconds: float) -> None:
        # Another process has sent one. The one that is left is for the request that waits.
        paced.learn(left_for_five_minutes(1), clock)
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


def test_a_request_that_waited_for_the_fleet_past_the_reset_counts_after_it(clock: FakeClock) -> None:
    paced = create(Fleet(per_minute=1))
    paced.learn(headers(9, 30, limit=1), clock)
    paced.wait(clock, 0)
    assert waits("sync", paced, clock) == [60.001]
    with pytest.raises(PacingError) as caught:
        paced.wait(clock, 0)
    # By the minute of the headers, which began with that request, and not by the Fleet's.
    assert caught.value.wait == 60.0


@async_forms
def test_all_requests_that_wait_for_the_fleet_reserve_one_of_the_remaining(form: str) -> None:
    clock = SharedClock()
    paced = create(Fleet(per_minute=1))
    paced.learn(left_for_five_minutes(3), clock)

    async def run() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(paced.await_turn, clock, inf)
            await wait_all_tasks_blocked()
            with pytest.raises(PacingError) as caught:
                await paced.await_turn(clock, 0)
            assert caught.value.wait == 300.0
            await clock.run()
        with pytest.raises(PacingError) as caught:
            await paced.await_turn(clock, 0)
        assert caught.value.wait == pytest.approx(NOW + 300 - clock.now)

    anyio.run(run, backend=form)


def test_a_request_that_waits_for_the_fleet_does_not_wait_for_the_reset_any_more(clock: FakeClock) -> None:
    fleet = Fleet(per_minute=1)
    create(fleet).wait(clock, 0)
    paced = create(fleet)
    paced.learn(headers(0, 30, limit=1), clock)

    def sleep(seconds: float) -> None:
        clock.waits.append(seconds)
        clock.now += seconds
        paced.learn(headers(1, clock.now - NOW + 60, limit=1), clock)
        clock.sleep = last_sleep  # type: ignore[method-assign]

    def last_sleep(seconds: float) -> None:
        with pytest.raises(PacingError) as caught:
            paced.wait(clock, 0)
        assert caught.value.wait == 60.0
        clock.now += seconds

    clock.sleep = sleep  # type: ignore[method-assign]
    paced.wait(clock, inf)


# ---- The order of those that wait


def overtaking(clock: FakeClock, paced: Pacer, seconds: float) -> int:
    """Return the number of requests that are sent this many seconds after another began to wait, and before it wakes."""
    sent: list[int] = []

    def sleep(needed: float) -> None:
        clock.now += needed if sent else seconds
        if not sent:
            sent.append(let_through(paced, clock))

    clock.sleep = sleep  # type: ignore[assignment, method-assign]
    paced.wait(clock, inf)
    return sent[0]


@pytest.mark.parametrize(("seconds", "left"), [(59.9, 0), (60.0005, 0), (60.5, 0), (61.0, 0), (61.1, 1)])
def test_no_request_overtakes_one_that_wakes_at_this_moment(seconds: float, left: int, clock: FakeClock) -> None:
    """Unless that one is late: its event loop may hang."""
    paced = create(Fleet(per_minute=1))
    paced.wait(clock, 0)
    assert overtaking(clock, paced, seconds) == left


@pytest.mark.parametrize(("seconds", "left"), [(29.9, 0), (30.0, 0), (31.0, 0), (31.1, 1)])
def test_no_request_overtakes_one_that_wakes_at_the_reset(seconds: float, left: int, clock: FakeClock) -> None:
    paced = create()
    paced.learn(headers(0, 30, limit=1), clock)
    assert overtaking(clock, paced, seconds) == left


@async_forms
def test_an_abandoned_turn_goes_to_the_next_request(form: str) -> None:
    """And not for those that sleep for longer, as each of them has its own turn."""
    clock = SharedClock()
    fleet = Fleet(per_minute=2)
    times: list[float] = []

    async def request() -> None:
        await create(fleet).await_turn(clock, inf)
        times.append(round(clock.now - NOW))

    async def run() -> None:
        await request()
        clock.now += 50
        await request()
        async with anyio.create_task_group() as group:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as given_up:
                    given_up.start_soon(request)
                    await wait_all_tasks_blocked()
                    group.start_soon(request)
                    await wait_all_tasks_blocked()
                    scope.cancel()
            clock.now += 15
            await create(fleet).await_turn(clock, 0)
            with pytest.raises(PacingError):
                await create(fleet).await_turn(clock, 0)
            await clock.run()

    anyio.run(run, backend=form)
    assert times == [0, 50, 110]


def test_waiting_requests_know_their_own_turn(clock: FakeClock) -> None:
    fleet = Fleet(per_minute=3)
    for _ in range(3):
        create(fleet).wait(clock, 0)
        clock.now += 10
    begun: list[float] = []

    def sleep(seconds: float) -> None:
        wakes = clock.now + seconds
        begun.append(seconds)
        if len(begun) < 8:
            # Time does not pass before all of them sleep.
            create(fleet).wait(clock, inf)
        clock.now = max(clock.now, wakes)

    clock.sleep = sleep  # type: ignore[method-assign]
    create(fleet).wait(clock, inf)
    expected = [30.001, 40.001, 50.001, 90.001, 100.001, 110.001, 150.001, 160.001]
    assert begun[:8] == pytest.approx(expected)


# ---- Interrupts and forks


class Interrupted(BaseException):
    """The exception that a signal handler raises."""


def interrupted(work: Callable[[], object], at: int) -> int:
    """Run a function, and interrupt it at a call by pacing or redis. Returns the number of calls."""
    names = re.compile(r".*(pictify_client[/\\](fleets|pacing|windows)\.py|[/\\]redis[/\\](client|connection)\.py)")
    number = 0

    def profile(frame: FrameType, event: str, _: object) -> None:
        nonlocal number
        # Python handles signals when a function begins, and when one that is not written in Python has returned.
        if event == "call" and frame.f_back is not None:
            frame = frame.f_back
        elif event != "c_return":
            return
        if names.match(frame.f_code.co_filename):
            number += 1
            if number == at:
                raise Interrupted

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return number


def test_a_request_that_was_interrupted_while_leaving_the_queue_is_forgotten() -> None:
    line = fleets.Line()
    first, second = fleets.Waiting(0), fleets.Waiting(0)
    assert (line.place(first), line.place(second)) == (0, 1)
    del first
    assert line.place(second) == 0
    line.leave(second)
    line.leave(second)
    assert line.place(fleets.Waiting(0)) == 0


def interrupted_everywhere(prepare: Callable[[], tuple[Callable[[], object], Callable[[], None]]]) -> None:
    """Interrupt a function at each of its calls; the check must succeed after each."""
    work, check = prepare()
    calls = interrupted(work, 0)
    check()
    assert calls > 20
    for at in range(1, calls + 1):
        work, check = prepare()
        with suppress(Interrupted):
            interrupted(work, at)
        check()


# Exceptions in finalizers are not propagated.
in_finalizers_too = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@in_finalizers_too
def test_an_interrupt_anywhere_blocks_no_turn_forever() -> None:
    def prepare() -> tuple[Callable[[], object], Callable[[], None]]:
        clock = FakeClock()
        fleet = Fleet(per_minute=1)
        paced = create(fleet)
        paced.learn(headers(1, 30, limit=1), clock)
        create(fleet).wait(clock, 0)

        def check() -> None:
            clock.now += 60.001
            seconds = [sum(waits("sync", paced, clock, 61)) for _ in range(3)]
            assert seconds == pytest.approx([0, 60, 60], abs=0.01)

        return lambda: paced.wait(clock, inf), check

    interrupted_everywhere(prepare)


@in_finalizers_too
def test_an_interrupt_anywhere_leaves_redis_usable() -> None:
    with fake_redis() as redis:
        keys = count()
        fleet = Fleet(redis.url, per_minute=2)

        def prepare() -> tuple[Callable[[], object], Callable[[], None]]:
            clock = redis.clock = FakeClock()
            paced = create(fleet, f"pic_live_{next(keys)}")

            def check() -> None:
                # Redis has counted what was sent before the interrupt.
                fleet.close()
                redis.join()
                clock.now += 60.001
                assert let_through(paced, clock) == 2

            return lambda: paced.wait(clock, inf), check

        interrupted_everywhere(prepare)
        fleet.close()


def test_an_interrupted_round_trip_ends_the_connection(
    redis: FakeRedis, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late response would be mistaken for that of the next request."""
    fleet = Fleet(redis.url, per_minute=2)
    redis.hold()

    def interrupt(*_: object, **__: object) -> None:
        raise Interrupted

    def respond_late(*arguments: Any, **options: Any) -> object:
        redis.respond()
        return parse_response(*arguments, **options)

    pipelines: Any = redis_client.Pipeline
    parse_response = pipelines.parse_response
    monkeypatch.setattr(redis_client.Pipeline, "parse_response", interrupt)
    with pytest.raises(Interrupted):
        create(fleet).wait(clock, 0)
    monkeypatch.setattr(redis_client.Pipeline, "parse_response", respond_late)
    create(fleet).wait(clock, 0)
    assert len(redis.connections) == 2
    fleet.close()


def in_child(work: Callable[[], object]) -> int:
    """Run a function in a forked process, and return its result. The process is killed if it takes too long."""
    child = os.fork()
    if not child:
        # Whatever happens, the child must not go on with the tests.
        status = 1
        try:
            signal.alarm(10)
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]


@contextmanager
def held(lock: Any) -> Generator[None]:
    """Hold a lock in another thread while the `with` block runs."""
    taken, release = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            taken.set()
            release.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait()
    yield
    release.set()
    thread.join()


on_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def test_the_child_of_a_fork_gets_new_locks_and_connections(redis: FakeRedis, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=3)
    paced = create(fleet)
    paced.wait(clock, 0)
    Fleet(per_minute=1)
    with held(vars(fleet)["_lock"]), held(vars(fleet)["_exchange_lock"]):
        vars(forks)["_forked"]()
        paced.wait(clock, 0)
    assert (redis.counted.total(), len(redis.connections)) == (2, 2)


def test_objects_that_do_not_exist_any_more_are_not_renewed() -> None:
    class Forked:
        def __init__(self) -> None:
            self.others: list[Forked] = []
            forks.after_fork(self.renew)

        def renew(self) -> None:
            renewed.append(self)
            self.others.clear()

    renewed: list[Forked] = []
    first, second = Forked(), Forked()
    first.others.append(second)
    second.others.append(first)
    del first, second
    vars(forks)["_forked"]()
    assert len(renewed) == 1


@on_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("name", ["_lock", "_exchange_lock"])
def test_a_fork_while_a_thread_holds_a_lock_of_a_fleet(name: str, clock: FakeClock) -> None:
    fleet = Fleet(per_minute=2)
    paced = create(fleet)
    paced.wait(clock, 0)
    with held(vars(fleet)[name]):
        assert in_child(lambda: paced.wait(clock, 0)) == 0
    assert let_through(paced, clock) == 1


@on_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_fork_while_a_thread_holds_the_lock_of_a_pacer(clock: FakeClock) -> None:
    paced = create()
    paced.learn(headers(2, 30), clock)
    with held(vars(vars(paced)["_minute"])["_lock"]):
        assert in_child(lambda: paced.wait(clock, 0)) == 0


@on_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_fork_does_not_wait_for_requests_of_its_parent(clock: FakeClock) -> None:
    """Requests that wait in the parent hold neither a place in the child's queue, nor any of its remaining requests."""
    fleet = Fleet(per_minute=1)
    paced = create(fleet)
    paced.learn(headers(2, 30, limit=1), clock)
    paced.wait(clock, 0)

    def child() -> None:
        with pytest.raises(PacingError) as caught:
            paced.wait(clock, 0)
        # In the queue of the Fleet, it is the first.
        assert caught.value.wait == 60.001

    def sleep(seconds: float) -> None:
        assert in_child(child) == 0
        clock.now += seconds

    def elsewhere() -> None:
        clock.sleep = sleep  # type: ignore[method-assign]
        paced.wait(clock, inf)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()


@on_fork
def test_the_child_of_a_fork_has_its_own_connection(redis: FakeRedis, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=3)
    paced = create(fleet)
    paced.wait(clock, 0)
    assert in_child(lambda: paced.wait(clock, 0)) == 0
    assert let_through(paced, clock) == 1
    assert len(redis.connections) == 2
    fleet.close()


@pytest.mark.parametrize("storage", ["memory", "redis"])
def test_a_first_request_imports_nothing(storage: str, redis: FakeRedis) -> None:
    """A process may be forked meanwhile, and the child could never import the same."""
    code = """
import socket, sys
from pictify_client._runtime.clock import Clock
from pictify_client._runtime.pacing import pacer
from pictify_client.fleets import Fleet

fleet = Fleet(sys.argv[1], per_minute=3)
paced = pacer(fleet, "key")
before = set(sys.modules)
paced.wait(Clock(), 0)
print(sorted(set(sys.modules) - before))
"""
    url = redis.url if storage == "redis" else "memory://"
    command = [sys.executable, "-c", code, url]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path.cwd())  # noqa: S603
    assert printed.stdout == "[]\n"
    assert redis.scripts() == (storage == "redis")


# ---- A Fleet on Redis


@pytest.fixture
def redis(clock: FakeClock) -> Generator[FakeRedis]:
    with fake_redis() as server:
        server.clock = clock
        yield server


async def received(redis: FakeRedis) -> None:
    """Wait for a script."""
    while not redis.received.acquire(blocking=False):
        await checkpoint()


def in_one_loop(form: str, fleet: Fleet, requests: Callable[[Callable[[Pacer, Clock, float], Any]], Any]) -> None:
    """Make requests in sync code, or all in one event loop."""

    async def wait(paced: Pacer, clock: Clock, longest: float) -> None:
        if form == "sync":
            paced.wait(clock, longest)
        else:
            await paced.await_turn(clock, longest)

    async def run() -> None:
        try:
            await requests(wait)
        finally:
            await fleet.aclose()

    anyio.run(run, backend="asyncio" if form == "sync" else form)


@forms
def test_redis_counts_for_all(form: str, redis: FakeRedis, clock: FakeClock) -> None:
    fleet, other = Fleet(redis.url, per_minute=3), Fleet(redis.url, per_minute=3)
    create(other).wait(clock, 0)
    other.close()

    async def requests(wait: Any) -> None:
        paced = create(fleet)
        for _ in range(2):
            await wait(paced, clock, 0)
        assert clock.waits == []
        await wait(paced, clock, 61)
        assert clock.waits == [60.001]
        clock.now += 60
        await wait(paced, clock, 0)

    in_one_loop(form, fleet, requests)
    assert list(redis.counted) == [f"pictify:{KEY_HASH}/3"]
    assert KEY not in str(redis.commands)
    assert len(redis.connections) == 2


def test_requests_of_sync_and_async_code_share_the_limit(redis: FakeRedis, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=2)
    paced = create(fleet)

    async def run() -> None:
        await paced.await_turn(clock, 0)
        paced.wait(clock, 0)
        with pytest.raises(PacingError):
            paced.wait(clock, 60)
        with pytest.raises(PacingError):
            await paced.await_turn(clock, 60)
        await fleet.aclose()

    anyio.run(run)
    assert len(redis.connections) == 1


@async_forms
def test_tasks_share_round_trips_and_a_connection(
    form: str, redis: FakeRedis, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleets, "_MAX_BATCH", 100)
    fleet = Fleet(redis.url, per_minute=50)
    keys = [f"pic_live_{number}" for number in range(3)]
    sent: list[str] = []
    failed: list[float] = []

    async def request(key: str) -> None:
        try:
            await create(fleet, key).await_turn(clock, 0)
            sent.append(key)
        except PacingError as error:
            failed.append(error.wait)

    async def run() -> None:
        async with anyio.create_task_group() as group:
            for number in range(900):
                group.start_soon(request, keys[number % 3])
        await fleet.aclose()

    anyio.run(run, backend=form)
    assert [sent.count(key) for key in keys] == [50] * 3
    assert (len(failed), min(failed)) == (750, 60.001)
    # The first is of one task, the others are of a hundred. Each round trip has a script for each of the keys.
    assert redis.scripts() <= 3 * 10
    assert len(redis.connections) == 1


def test_threads_share_round_trips_and_a_connection(redis: FakeRedis, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=140, timeout=30)
    paced = create(fleet)
    failed: list[PacingError] = []
    redis.hold()

    def request() -> None:
        try:
            paced.wait(clock, 0)
        except PacingError as error:
            failed.append(error)

    threads = [threading.Thread(target=request) for _ in range(150)]
    for thread in threads:
        thread.start()
    redis.received.acquire()
    while len(vars(fleet)["_asking"]) < 150:
        pass
    redis.respond()
    for thread in threads:
        thread.join()
    fleet.close()
    (counted,) = redis.counted.values()
    assert (counted, len(failed), redis.scripts(), len(redis.connections)) == (140, 10, 2, 1)


@forms
def test_a_fleet_that_is_closed_connects_again(form: str, redis: FakeRedis, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=9)
    paced = create(fleet)

    async def requests(wait: Any) -> None:
        await wait(paced, clock, 0)
        await wait(paced, clock, 0)
        await fleet.aclose()
        await fleet.aclose()
        await wait(paced, clock, 0)

    in_one_loop(form, fleet, requests)
    assert len(redis.connections) == 2
    redis.join()


def test_a_fleet_that_is_closed_during_a_round_trip(redis: FakeRedis, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=9, timeout=30)
    redis.hold()
    thread = threading.Thread(target=create(fleet).wait, args=(clock, 0))
    thread.start()
    redis.received.acquire()
    fleet.close()
    redis.respond()
    thread.join()
    # No one but its user closed the connection, and it did.
    assert redis.counted.total() == 1
    redis.join()


def test_one_fleet_serves_many_event_loops(redis: FakeRedis, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=9)
    paced = create(fleet)

    async def run() -> None:
        await paced.await_turn(clock, 0)
        await paced.await_turn(clock, 0)

    anyio.run(run)
    anyio.run(run, backend="trio")
    loops = [asyncio.new_event_loop() for _ in range(2)]
    for loop in loops * 2:
        loop.run_until_complete(paced.await_turn(clock, 0))
    for loop in loops:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
    assert redis.counted.total() == 8
    assert len(redis.connections) == 1
    fleet.close()


def test_a_late_event_loop_is_not_an_outage(
    redis: FakeRedis, clock: FakeClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = Fleet(redis.url, per_minute=1, timeout=30)
    paced = create(fleet)

    async def run() -> None:
        redis.hold()
        async with asyncio.TaskGroup() as group:
            group.create_task(paced.await_turn(clock, 0))
            await received(redis)
            # Every timer of the loop runs out before it reads what Redis responds.
            loop = asyncio.get_running_loop()
            late = loop.time() + 3600
            monkeypatch.setattr(loop, "time", lambda: late)
            await checkpoint()
            await checkpoint()
            redis.respond()
        await fleet.aclose()

    anyio.run(run)
    assert redis.counted.total() == 1
    assert caplog.records == []


@async_forms
def test_a_turn_of_a_task_that_is_cancelled_goes_to_the_next(form: str, redis: FakeRedis, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=2, timeout=30)
    paced = create(fleet)
    sent: list[str] = []

    async def request(name: str) -> None:
        with suppress(PacingError):
            await paced.await_turn(clock, 0)
            sent.append(name)

    async def run() -> None:
        redis.hold()
        async with anyio.create_task_group() as group:
            scope = anyio.CancelScope()

            async def cancelled(name: str) -> None:
                with scope:
                    await request(name)

            group.start_soon(request, "first")
            await received(redis)
            # The first round trip is on its way; these make the next.
            for make, name in ((cancelled, "cancelled"), (request, "second"), (request, "third")):
                group.start_soon(make, name)
                await wait_all_tasks_blocked()
            redis.respond_once()
            await received(redis)
            scope.cancel()
            while len(vars(fleet)["_asking"]) > 2:
                await checkpoint()
            redis.respond()
        await fleet.aclose()

    anyio.run(run, backend=form)
    assert sent == ["first", "second"]


@async_forms
def test_a_task_that_is_cancelled_before_its_round_trip_does_not_detect_an_outage(
    form: str, redis: FakeRedis, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pictify_client")
    fleet = Fleet(redis.url, per_minute=2)
    redis.error = "OOM command not allowed"

    async def run() -> None:
        await create(fleet).await_turn(clock, 0)
        clock.now += 5
        before = redis.scripts()
        with held(vars(fleet)["_exchange_lock"]):
            async with anyio.create_task_group() as group:
                group.start_soon(create(fleet).await_turn, clock, 0)
                await wait_all_tasks_blocked()
                group.cancel_scope.cancel()
        await create(fleet).await_turn(clock, 0)
        assert redis.scripts() == before
        await fleet.aclose()

    anyio.run(run, backend=form)
    assert [message.split()[0] for message in messages(caplog)] == ["WARNING"]


def test_waits_are_those_of_a_fleet_in_memory(redis: FakeRedis, clock: FakeClock) -> None:
    fleet = Fleet(redis.url, per_minute=3)
    for _ in range(3):
        create(fleet).wait(clock, 0)
        clock.now += 10
    assert waits("sync", create(fleet), clock) == [pytest.approx(30.001)]
    assert waits("sync", create(fleet), clock) == [pytest.approx(10)]
    assert overtaking(clock, create(fleet), 5) == 0
    fleet.close()


# ---- Redis that is unavailable


@contextmanager
def unavailable(how: str) -> Generator[str]:
    """The URL of a Redis that is unavailable. Whoever waits for it for two seconds has its connection refused."""
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        url = f"redis://user:sesame@127.0.0.1:{listener.getsockname()[1]}"
        if how == "connection refused":
            listener.close()
        elif how == "lost":
            # The system drops further connections once the queue is full.
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
    ("how", "fault"), [("connection refused", "ConnectionError"), ("hung", "TimeoutError"), ("lost", "TimeoutError")]
)


@forms
@ways
def test_an_open_fleet_sends_without_counting(
    form: str, how: str, fault: str, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pictify_client")
    with unavailable(how) as url:
        fleet = Fleet(url, per_minute=1, timeout=0.05)
        paced = create(fleet)
        paced.learn(headers(7, 30), clock)

        async def requests(wait: Any) -> None:
            for _ in range(5):
                await wait(paced, clock, 0)
            clock.now += 5
            await wait(paced, clock, 0)

        in_one_loop(form, fleet, requests)
        assert let_through(paced, clock) == 1
    name = re.sub("//.*@", "//", url)
    assert messages(caplog) == [
        f"WARNING {name} is unavailable ({fault}): requests are sent without being counted until it responds",
    ]
    assert caplog.records[0].name == "pictify_client"


@forms
@ways
def test_a_closed_fleet_rejects(
    form: str, how: str, fault: str, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    with unavailable(how) as url:
        fleet = Fleet(url, per_minute=1, timeout=0.05, when_unavailable="closed")
        paced = create(fleet)
        paced.learn(headers(1, 30), clock)
        name = re.sub("//.*@", "//", url)
        text = f"not sent: {name}, which counts the requests, is unavailable ({fault})"

        async def requests(wait: Any) -> None:
            for step, left in ((0, 5), (2, 3), (2.5, 0.5), (0.5, 5), (4, 1)):
                clock.now += step
                with pytest.raises(PacingError) as caught:
                    await wait(paced, clock, inf)
                assert (str(caught.value), caught.value.wait) == (text, left)
                assert caught.value.__cause__ is None
                assert caught.value.__context__ is None

        in_one_loop(form, fleet, requests)
    assert messages(caplog) == [f"WARNING {name} is unavailable ({fault}): requests are rejected until it responds"]
    assert clock.waits == []


@forms
def test_redis_is_used_again_after_a_while(
    form: str, redis: FakeRedis, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pictify_client")
    fleet = Fleet(redis.url, per_minute=9)
    paced = create(fleet)

    async def requests(wait: Any) -> None:
        await wait(paced, clock, 0)
        redis.error = "OOM command not allowed"
        for _ in range(3):
            await wait(paced, clock, 0)
        clock.now += 4.9
        await wait(paced, clock, 0)
        before = redis.scripts()
        clock.now += 0.1
        await wait(paced, clock, 0)
        await wait(paced, clock, 0)
        assert redis.scripts() == before + 1
        redis.error = ""
        await wait(paced, clock, 0)
        clock.now += 5
        for _ in range(3):
            await wait(paced, clock, 0)
        assert redis.scripts() == before + 4
        redis.error = "OOM command not allowed"
        await wait(paced, clock, 0)

    in_one_loop(form, fleet, requests)
    assert [message.split()[0] for message in messages(caplog)] == ["WARNING", "INFO", "WARNING"]
    assert messages(caplog)[1] == f"INFO {redis.url} is available again: requests are counted"
    assert redis.counted.total() == 4


@async_forms
def test_many_tasks_find_out_together_that_redis_hangs(
    form: str, redis: FakeRedis, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    redis.silent = True
    fleet = Fleet(redis.url, per_minute=9, timeout=0.1)

    async def run() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(200):
                group.start_soon(create(fleet).await_turn, clock, 0)
        await fleet.aclose()

    anyio.run(run, backend=form)
    assert len(messages(caplog)) == 1
    assert len(redis.connections) == 1


def test_many_threads_find_out_together_that_redis_hangs(
    redis: FakeRedis, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    redis.silent = True
    fleet = Fleet(redis.url, per_minute=9, timeout=0.1)
    in_threads(50, lambda: create(fleet).wait(clock, 0))
    assert len(messages(caplog)) == 1
    assert len(redis.connections) == 1


@async_forms
def test_while_one_request_finds_out_whether_redis_is_back_the_others_do_not_wait(
    form: str, redis: FakeRedis, clock: FakeClock
) -> None:
    fleet = Fleet(redis.url, per_minute=9, timeout=30)
    paced = create(fleet)
    sent: list[int] = []

    async def request(number: int) -> None:
        await paced.await_turn(clock, 0)
        sent.append(number)

    async def run() -> None:
        redis.error = "OOM command not allowed"
        await paced.await_turn(clock, 0)
        redis.hold()
        clock.now += 5
        async with anyio.create_task_group() as group:
            for number in range(9):
                group.start_soon(request, number)
            await wait_all_tasks_blocked()
            assert len(sent) == 8
            redis.respond()
        await fleet.aclose()

    anyio.run(run, backend=form)
    assert sorted(sent) == list(range(9))


def test_errors_of_redis_are_not_shown(redis: FakeRedis, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    redis.error = "ERR unknown command 'AUTH', with args beginning with: 'sesame'"
    fleet = Fleet(redis.url.replace("//", "//:sesame@"), per_minute=9, when_unavailable="closed")
    with pytest.raises(PacingError) as caught:
        create(fleet).wait(clock, 0)
    assert "sesame" not in "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "ResponseError" in caplog.text


@forms
def test_a_connection_that_was_closed_while_idle_is_replaced(
    form: str, redis: FakeRedis, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    fleet = Fleet(redis.url, per_minute=9)
    paced = create(fleet)

    async def requests(wait: Any) -> None:
        await wait(paced, clock, 0)
        redis.connections[0].shutdown(socket.SHUT_RDWR)
        await wait(paced, clock, 0)

    in_one_loop(form, fleet, requests)
    assert redis.counted.total() == 2
    assert caplog.records == []


@forms
@pytest.mark.parametrize(("drops", "faults"), [(1, []), (2, ["ConnectionError"])])
def test_only_a_second_lost_connection_is_an_outage(
    form: str, drops: int, faults: list[str], redis: FakeRedis, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Redis or a proxy may just have closed the first connection because it was idle."""
    fleet = Fleet(redis.url, per_minute=9)
    redis.drops = drops
    in_one_loop(form, fleet, lambda wait: wait(create(fleet), clock, 0))
    assert [fault for fault in ("ConnectionError", "TimeoutError") if fault in caplog.text] == faults
    assert len(redis.connections) == 2


@forms
def test_a_request_disconnects_from_an_unresponsive_redis_and_does_not_retry(form: str, clock: FakeClock) -> None:
    with fake_redis() as redis:
        redis.silent = True
        fleet = Fleet(redis.url.replace("//", "//:sesame@"), per_minute=9, timeout=0.05)
        in_one_loop(form, fleet, lambda wait: wait(create(fleet), clock, 0))
        redis.join()
        assert (redis.hung_up, len(redis.connections)) == (1, 1)


@forms
def test_the_timeout_of_the_fleet_overrides_that_of_the_url(form: str, redis: FakeRedis, clock: FakeClock) -> None:
    redis.silent = True
    fleet = Fleet(f"{redis.url}?socket_timeout=1000", per_minute=9, timeout=0.05)
    in_one_loop(form, fleet, lambda wait: wait(create(fleet), clock, 0))
