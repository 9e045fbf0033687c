"""Pacing: a request that would exceed the rate limit waits for its turn instead of being rejected with a 429.

A client learns from the headers of responses how many requests are left. A `Fleet` counts requests before they are
sent, for all processes and machines that use the same API key.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from math import inf
from threading import Lock
from weakref import WeakSet

from ..errors import ConfigurationError
from ..fleets import Fleet, Line, Waiting
from ..rate_limits import RateLimit, http_date
from .clock import Clock
from .forks import after_fork
from .windows import MINUTE

# A reset that is further off is invalid.
_HOUR = 3600
# Servers round the reset to seconds, sometimes up and sometimes down.
_ROUNDING = 1.0


class Pacer:
    """The pacing of a client and its copies. Many threads and tasks may use it."""

    def __init__(self, fleet: Fleet | None, identity: str) -> None:
        self._fleet = fleet
        self._identity = sha256(identity.encode()).hexdigest()
        self._minute = _Minute()

    def wait(self, clock: Clock, longest: float) -> None:
        """Wait until a request may be sent.

        Args:
            clock: The clock to wait by.
            longest: Maximum wait, in seconds.

        Raises:
            PacingError: If it would take longer, or Redis is unavailable and the Fleet requires it.
        """
        turn, sent = Waiting(longest), False
        try:
            while seconds := self._minute.promise(turn, clock):
                clock.sleep(seconds)
            if self._fleet is not None:
                self._fleet.acquire(self._identity, clock, turn.left)
            sent = True
        finally:
            self._minute.settle(turn, clock, sent=sent)

    async def await_turn(self, clock: Clock, longest: float) -> None:
        """`wait` for async code."""
        turn, sent = Waiting(longest), False
        try:
            while seconds := self._minute.promise(turn, clock):
                await clock.asleep(seconds)
            if self._fleet is not None:
                await self._fleet.aacquire(self._identity, clock, turn.left)
            sent = True
        finally:
            self._minute.settle(turn, clock, sent=sent)

    def learn(self, headers: Mapping[str, str], clock: Clock) -> None:
        """Read how many requests are left.

        Args:
            headers: The headers of a response.
            clock: The clock that the client waits by.
        """
        self._minute.learn(headers, clock)


def pacer(pacing: object, identity: str) -> Pacer | None:
    """Return the pacer for a client's `pacing`.

    Args:
        pacing: False for none, True for one that reads headers, or a Fleet.
        identity: The API key. Requests of different keys are counted separately; only its hash is kept.

    Raises:
        ConfigurationError: If it is something else.
    """
    if pacing is False:
        return None
    if pacing is True:
        return Pacer(None, identity)
    if isinstance(pacing, Fleet):
        return Pacer(pacing, identity)
    raise ConfigurationError(f"pacing must be True, False or a Fleet, got {type(pacing).__name__}")


class _Minute:
    """The current minute of the API, as described by its responses.

    It ends by the monotonic clock, as the wall clock may be set back.
    """

    def __init__(self) -> None:
        # Nothing is limited before a response says so.
        self._limit = inf
        self._left = inf
        self._ends = -inf
        # The end by the clock of the server, if a response had it.
        self._reset: float | None = None
        self._forget()
        after_fork(self._forget)

    def _forget(self) -> None:
        """Start with a new lock and nobody waiting, also in the child of a fork."""
        self._lock = Lock()
        self._line = Line()
        # Requests that may be sent, but still wait for the Fleet. No response counts them yet.
        self._promised: WeakSet[Waiting] = WeakSet()

    def promise(self, turn: Waiting, clock: Clock) -> float:
        """Return 0 if the request may be sent, else the seconds to wait before asking again.

        Raises:
            PacingError: If it may not wait so long.
        """
        now = clock.monotonic()
        with self._lock:
            self._begin_anew(now)
            ((ahead, reserved),) = self._line.places([turn], now)
            if self._left - len(self._promised) - reserved >= 1:
                self._line.leave(turn)
                self._promised.add(turn)
                return 0.0
            seconds = self._ends - now
            turn.due = self._ends
            minutes = ahead // self._limit
        return turn.spend(seconds, MINUTE * minutes)

    def settle(self, turn: Waiting, clock: Clock, *, sent: bool) -> None:
        """End a turn. It counts if the request is sent."""
        now = clock.monotonic()
        with self._lock:
            self._line.leave(turn)
            self._promised.discard(turn)
            self._begin_anew(now)
            self._left -= sent

    def learn(self, headers: Mapping[str, str], clock: Clock) -> None:
        """Read how many requests are left, and until when."""
        limit, remaining, reset = RateLimit.from_headers(headers)
        if remaining is None or reset is None:
            return
        sent = http_date(headers.get("date", ""))
        left = reset.timestamp() - (clock.time() if sent is None else sent.timestamp())
        if not 0 < left <= _HOUR:
            return
        if sent is None:
            # The wall clock of this machine may be wrong, which must not keep requests waiting for an hour.
            left = min(left, MINUTE)
        now = clock.monotonic()
        with self._lock:
            over = now >= self._ends
            known = None if over else self._reset
            later = 0.0 if known is None else reset.timestamp() - known
            if later < -_ROUNDING:
                # A late response of an earlier minute.
                return
            new = over or later > _ROUNDING
            self._limit = limit or self._limit
            self._left = remaining if new else min(self._left, remaining)
            if new or known is None:
                self._reset = reset.timestamp()
                self._ends = now + left

    def _begin_anew(self, now: float) -> None:
        if now >= self._ends:
            self._left = self._limit
            # The next response has the real end. Until then, a minute from the first request is safe.
            self._ends = now + MINUTE
            self._reset = None
