"""Pacing: a call that the API would refuse waits for its turn, and does not burn a 429.

The headers of the answers tell how many calls are left in this minute. A `Fleet` counts them before
they are sent, for all processes and machines on one key.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.util import find_spec
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn
from urllib.parse import urlsplit

from .errors import ConfigurationError, PictifyError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from typing import Self

    from limits.aio.storage import MovingWindowSupport as AsyncMovingWindow
    from limits.storage import MovingWindowSupport as MovingWindow
    from redis import ConnectionPool
    from redis.asyncio import ConnectionPool as AsyncConnectionPool

    from .clock import Clock
    from .rate_limits import RateLimit

_MINUTE = 60
# Where a minute ends later than this, a clock is wrong.
_HOUR = 3600
# Servers round the end of a minute to whole seconds, now up and now down.
_ROUNDING = 1.0
# A call leaves the window after its minute, not with it; and Redis rounds.
_JUST_AFTER = 0.001
# How long Redis is left alone after it did not answer.
_PAUSE = 5.0
_MEMORY = "memory://"
_PREFIX = "pictify"
_logger = logging.getLogger("pictify_client")


class PacingError(PictifyError):
    """A call that was not sent: its turn is too far off, or Redis does not answer a Fleet that is closed then.

    Attributes:
        wait: Seconds until it makes sense to try again, as far as is known.
    """

    attempts: int = 0

    def __init__(self, message: str, wait: float) -> None:
        super().__init__(message, wait)
        self.message = message
        self.wait = wait

    def __str__(self) -> str:
        return f"{self.message}{self._after_attempts()}"


class Fleet:
    """Pacing for all processes and machines on one key: together they send no more than the plan allows.

    Give it to clients as `pacing=`, sync and async ones alike. Each process makes its own, with the same
    `per_minute` everywhere, and the clocks of the machines must agree. It needs
    `pip install 'pictify-client[fleet]'`.

    After a fork, Redis goes on counting for parent and child together; with `memory://` each counts for
    itself from then on.

    Args:
        storage: Where calls are counted: `memory://` in this process alone, `redis://host:port/db` or
            `rediss://host:port/db` for all that use this Redis. In async code Redis needs asyncio; trio
            has `memory://` alone.
        per_minute: Calls that the plan allows, in any 60 seconds.
        when_unavailable: What becomes of calls while Redis does not answer: `"open"` sends them
            uncounted, `"closed"` raises `PacingError`.
        timeout: How long a call waits for an answer of Redis, in seconds.

    Raises:
        ConfigurationError: One of the arguments cannot be right, or the extra is not installed.
    """

    def __init__(
        self,
        storage: str = _MEMORY,
        *,
        per_minute: int,
        when_unavailable: Literal["open", "closed"] = "open",
        timeout: float = 1.0,
    ) -> None:
        name = _name(storage)
        _check(per_minute, when_unavailable, timeout)
        if any(find_spec(package) is None for package in ("limits", "redis")):
            raise ConfigurationError("a Fleet needs limits and redis: pip install 'pictify-client[fleet]'")
        self._per_minute = per_minute
        self._timeout = timeout
        self._storages = _Storages(storage, timeout)
        self._outage = _Outage(name, when_unavailable)

    def __repr__(self) -> str:
        name, when = self._outage.name, self._outage.when_unavailable
        return f"Fleet({name!r}, per_minute={self._per_minute}, when_unavailable={when!r}, timeout={self._timeout})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Fleet cannot be pickled or copied: make one in each process")

    def take(self, identity: str, ahead: Callable[[], int], clock: Clock) -> float:
        """Take one of the calls of this minute: what clients do before each call that they send.

        Args:
            identity: Whose calls they are.
            ahead: Tells how many wait already in this process. It is asked where no call is left.
            clock: The time.

        Returns:
            0 where the call may be sent; else the seconds to wait before it is tried again.

        Raises:
            PacingError: Redis does not answer, and the Fleet is closed then.
        """
        key = f"{identity}/{self._per_minute}"
        while not self._outage.goes_on(clock):
            storage = self._storages.sync()
            with self._outage.noticed(clock):
                if storage.acquire_entry(key, self._per_minute, _MINUTE):
                    return 0.0
                place = _Place.behind(ahead(), self._per_minute)
                return place.opens_in(storage.get_moving_window(key, place.newest, _MINUTE), clock.time())
        return 0.0

    async def atake(self, identity: str, ahead: Callable[[], int], clock: Clock) -> float:
        """`take` for async code."""
        if self._storages.in_memory:
            return self.take(identity, ahead, clock)
        from asyncio import timeout

        key = f"{identity}/{self._per_minute}"
        while not self._outage.goes_on(clock):
            storage = self._storages.of_this_loop()
            with self._outage.noticed(clock):
                async with timeout(self._timeout):
                    if await storage.acquire_entry(key, self._per_minute, _MINUTE):
                        return 0.0
                    place = _Place.behind(ahead(), self._per_minute)
                    return place.opens_in(await storage.get_moving_window(key, place.newest, _MINUTE), clock.time())
        return 0.0

    def close(self) -> None:
        """Close the connections of sync code to Redis. What is sent later opens new ones."""
        self._storages.close()

    async def aclose(self) -> None:
        """Close the connections of sync code, and those of this event loop."""
        self._storages.close()
        await self._storages.aclose()


class Pacer:
    """What a client and its copies pace themselves by. Safe under many threads and tasks."""

    def __init__(self, fleet: Fleet | None, identity: str) -> None:
        self._fleet = fleet
        self._identity = sha256(identity.encode()).hexdigest()
        self._minute = _Minute()
        self._line = _Line()

    def wait(self, clock: Clock, longest: float) -> None:
        """Wait until a call may be sent.

        Args:
            clock: The time, and what waits.
            longest: How long it may wait in all, in seconds.

        Raises:
            PacingError: It would take longer, or Redis does not answer a Fleet that is closed then.
        """
        with _Turn(self._minute, self._line, clock, longest) as turn:
            while seconds := turn.of_minute():
                clock.sleep(seconds)
            if self._fleet is not None:
                while seconds := turn.checked(self._fleet.take(self._identity, turn.ahead, clock)):
                    clock.sleep(seconds)

    async def await_turn(self, clock: Clock, longest: float) -> None:
        """`wait` for async code."""
        with _Turn(self._minute, self._line, clock, longest) as turn:
            while seconds := turn.of_minute():
                await clock.asleep(seconds)
            if self._fleet is not None:
                while seconds := turn.checked(await self._fleet.atake(self._identity, turn.ahead, clock)):
                    await clock.asleep(seconds)

    def learn(self, rate_limit: RateLimit, now: float) -> None:
        """Take note of what an answer says.

        Args:
            rate_limit: Its headers.
            now: The time, in seconds since 1970.
        """
        self._minute.learn(rate_limit, now)


def pacer(pacing: object, identity: str) -> Pacer | None:
    """The pacer that a client's `pacing` asks for.

    Args:
        pacing: False for none, True for one that goes by headers, or a Fleet.
        identity: What keeps the calls of one key apart from those of another; only its hash is kept.

    Raises:
        ConfigurationError: It is something else.
    """
    if pacing is False:
        return None
    if pacing is True:
        return Pacer(None, identity)
    if isinstance(pacing, Fleet):
        return Pacer(pacing, identity)
    raise ConfigurationError(f"pacing must be True, False or a Fleet, got {type(pacing).__name__}")


class _Line:
    """Those who wait, in the order of their coming."""

    def __init__(self) -> None:
        self._waiting: list[object] = []
        self._lock = Lock()

    def ahead_of(self, one: object) -> int:
        """How many are before it; it is in line from the first time on that it asks."""
        with self._lock:
            if one not in self._waiting:
                self._waiting.append(one)
            return self._waiting.index(one)

    def leave(self, one: object) -> None:
        with self._lock:
            if one in self._waiting:
                self._waiting.remove(one)


class _Minute:
    """The minute that the API counts, as its answers tell of it."""

    def __init__(self) -> None:
        self.line = _Line()
        # What is not known does not limit.
        self._limit = inf
        self._left = inf
        self._ends = -inf
        self._told = False
        # Calls that are let through here, but wait for the fleet: they are not sent yet, so no answer counts them.
        self._promised = 0
        self._lock = Lock()

    def promise(self, now: float) -> float:
        """Let a call through: 0 if there is one left, else the seconds until the minute ends."""
        with self._lock:
            self._begin_anew(now)
            if self._left - self._promised < 1:
                return self._ends - now
            self._promised += 1
            return 0.0

    def settle(self, now: float, *, sent: bool) -> None:
        """What became of a promise: only a call that is sent counts."""
        with self._lock:
            self._promised -= 1
            self._begin_anew(now)
            self._left -= sent

    def learn(self, rate_limit: RateLimit, now: float) -> None:
        ends = -inf if rate_limit.reset is None else rate_limit.reset.timestamp()
        if rate_limit.remaining is None or not now < ends <= now + _HOUR:
            return
        with self._lock:
            if self._told and ends < self._ends - _ROUNDING:
                return
            new = now >= self._ends or (self._told and ends > self._ends + _ROUNDING)
            self._limit = rate_limit.limit or self._limit
            self._left = rate_limit.remaining if new else min(self._left, rate_limit.remaining)
            if new or not self._told:
                self._ends = ends
            self._told = True

    def whole_minutes(self, ahead: int) -> float:
        """How many minutes after this one it takes for so many calls."""
        return ahead // self._limit

    def _begin_anew(self, now: float) -> None:
        if now >= self._ends:
            self._left = self._limit
            # Answers will tell; until then, a minute from the first call is late enough.
            self._ends = now + _MINUTE
            self._told = False


class _Turn:
    """One call on its way to being sent: what it may still wait, and what it gives back if it is not sent."""

    def __init__(self, minute: _Minute, line: _Line, clock: Clock, longest: float) -> None:
        self._minute = minute
        self._line = line
        self._clock = clock
        self._left = longest
        self._promised = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        self._minute.line.leave(self)
        self._line.leave(self)
        if self._promised:
            self._minute.settle(self._clock.time(), sent=failed is None)

    def of_minute(self) -> float:
        """Seconds to wait for the minute of the API; 0 once it lets the call through."""
        seconds = self._minute.promise(self._clock.time())
        if not seconds:
            self._promised = True
            self._minute.line.leave(self)
            return 0.0
        return self.checked(seconds, _MINUTE * self._minute.whole_minutes(self._minute.line.ahead_of(self)))

    def ahead(self) -> int:
        """How many calls wait for the fleet before this one."""
        return self._line.ahead_of(self)

    def checked(self, seconds: float, later: float = 0.0) -> float:
        """The seconds, if it may wait so long, and as much later as it will have to."""
        needed = seconds + later
        if needed > self._left:
            raise PacingError(
                f"not sent: its turn under the rate limit is in {needed:.1f} s, and it may wait {self._left:.1f} s",
                needed,
            )
        self._left -= seconds
        return seconds


class _Place(NamedTuple):
    """A place in the line before a moving window."""

    minutes: int
    newest: int

    @classmethod
    def behind(cls, ahead: int, per_minute: int) -> _Place:
        """The place with so many ahead: whole minutes, then all but the `newest` of the calls have to leave.

        The last of those is the one whose leaving makes room.
        """
        minutes, taken = divmod(ahead, per_minute)
        return cls(minutes, per_minute - taken)

    def opens_in(self, window: tuple[float, int], now: float) -> float:
        """Seconds until there is room, by the time of the oldest of the `newest` calls, and how many there are."""
        oldest, count = window
        left = oldest + _MINUTE - now if count >= self.newest else 0.0
        # Where the clocks of machines differ, still none waits more than the window is long.
        return self.minutes * _MINUTE + min(max(left, 0.0), _MINUTE) + _JUST_AFTER


class _Outage:
    """Whether Redis answers, so that not every call has to find out."""

    def __init__(self, name: str, when_unavailable: str) -> None:
        self.name = name
        self.when_unavailable = when_unavailable
        self._fault = ""
        self._asked_again = -inf
        self._lock = Lock()

    def goes_on(self, clock: Clock) -> bool:
        """Whether calls go on without an answer for now.

        Raises:
            PacingError: They do not.
        """
        now = clock.monotonic()
        with self._lock:
            fault, wait = self._fault, self._asked_again - now
            if fault and wait <= 0:
                # This call finds out; the others need not wait with it.
                self._asked_again = now + _PAUSE
        if not fault or wait <= 0:
            return False
        if self.when_unavailable == "closed":
            raise PacingError(f"not sent: {self.name}, which counts the calls, does not answer ({fault})", wait)
        return True

    @contextmanager
    def noticed(self, clock: Clock) -> Generator[None]:
        """Notice whether Redis answers in the `with` block, and let no error of it out."""
        from limits.errors import StorageError

        # Only the name of an error: in its text servers repeat what they were sent, passwords as well.
        fault = ""
        try:
            yield
        except StorageError as error:
            fault = type(error.storage_error).__name__
        except OSError as error:
            fault = type(error).__name__
        with self._lock:
            known, self._fault = self._fault, fault
            self._asked_again = clock.monotonic() + _PAUSE
        if fault and not known:
            what = "refused" if self.when_unavailable == "closed" else "sent uncounted"
            _logger.warning("%s does not answer (%s): calls are %s until it does", self.name, fault, what)
        elif known and not fault:
            _logger.info("%s answers again: calls are counted", self.name)


class _Storages:
    """The storages of a Fleet, made when they are first used."""

    def __init__(self, url: str, timeout: float) -> None:
        self.in_memory = url == _MEMORY
        self._url = url
        self._timeout = timeout
        self._sync: MovingWindow | None = None
        self._pool: ConnectionPool | None = None
        # Connections of asyncio belong to one event loop.
        self._loops: dict[AbstractEventLoop, tuple[AsyncMovingWindow, AsyncConnectionPool]] = {}
        self._lock = Lock()

    def sync(self) -> MovingWindow:
        with self._lock:
            if self._sync is None:
                from limits.storage import MemoryStorage, RedisStorage

                if self.in_memory:
                    self._sync = MemoryStorage()
                else:
                    from redis import ConnectionPool
                    from redis.retry import Retry

                    # One for each thread that asks: beyond the default, it would be as if Redis did not answer.
                    self._pool = self._connected(ConnectionPool, Retry, max_connections=2**31)
                    self._sync = RedisStorage("redis://", self._pool, key_prefix=_PREFIX, wrap_exceptions=True)
            return self._sync

    def of_this_loop(self) -> AsyncMovingWindow:
        loop = _running_loop()
        if loop is None:
            raise ConfigurationError(f"a Fleet on {self._url.partition(':')[0]}:// works with asyncio, not with trio")
        with self._lock:
            if loop not in self._loops:
                from limits.aio.storage import RedisStorage
                from redis.asyncio import BlockingConnectionPool
                from redis.asyncio.retry import Retry

                # Where a loop is closed, its connections are lost already.
                self._loops = {known: opened for known, opened in self._loops.items() if not known.is_closed()}
                pool = self._connected(BlockingConnectionPool, Retry)
                options: Any = {"connection_pool": pool, "key_prefix": _PREFIX, "wrap_exceptions": True}
                self._loops[loop] = RedisStorage("redis://", implementation="redispy", **options), pool
            return self._loops[loop][0]

    def close(self) -> None:
        with self._lock:
            pool, self._pool = self._pool, None
            if pool is not None:
                self._sync = None
        if pool is not None:
            pool.disconnect()

    async def aclose(self) -> None:
        loop = _running_loop()
        with self._lock:
            opened = None if loop is None else self._loops.pop(loop, None)
        if opened is not None:
            await opened[1].disconnect()

    # Of pools and their options redis tells no type that checkers can use.
    def _connected(self, pools: Any, retry: Any, **options: Any) -> Any:
        """A pool of connections. It makes one, to see whether the URL asks for what there is."""
        from redis import RedisError
        from redis.backoff import NoBackoff

        try:
            pool = pools.from_url(
                self._url,
                socket_timeout=self._timeout,
                socket_connect_timeout=self._timeout,
                retry=retry(NoBackoff(), 0),
                # With 3, redis uses connections of asyncio that the server has closed, as if they were open.
                protocol=2,
                **options,
            )
            pool.connection_class(**pool.connection_kwargs)
        except (RedisError, ValueError, TypeError) as error:
            raise ConfigurationError(f"the storage of a Fleet has an option that cannot be right: {error}") from None
        return pool


def _running_loop() -> AbstractEventLoop | None:
    from asyncio import get_running_loop

    try:
        return get_running_loop()
    except RuntimeError:
        return None


def _name(storage: Any) -> str:
    """A storage as it may be shown: without the user, the password and what follows the host."""
    if storage == _MEMORY:
        return _MEMORY
    if isinstance(storage, str) and storage.startswith(("redis://", "rediss://")):
        with suppress(ValueError):
            url = urlsplit(storage)
            # An @ that is left is a password with a slash in it, cut in two.
            if url.hostname and url.hostname.encode("idna") and url.port != 0 and "@" not in url.path:
                return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"
    raise ConfigurationError("storage must be memory://, redis://host:port/db or rediss://host:port/db")


def _check(per_minute: Any, when_unavailable: Any, timeout: Any) -> None:
    if not isinstance(per_minute, int) or isinstance(per_minute, bool) or per_minute < 1:
        raise ConfigurationError(f"per_minute must be a whole number from 1 on, got {per_minute!r}")
    if when_unavailable not in ("open", "closed"):
        raise ConfigurationError(f'when_unavailable must be "open" or "closed", got {when_unavailable!r}')
    if not isinstance(timeout, int | float) or isinstance(timeout, bool) or not 0 < timeout <= _HOUR:
        raise ConfigurationError(f"timeout must be a number of seconds from 0 to an hour, got {timeout!r}")
