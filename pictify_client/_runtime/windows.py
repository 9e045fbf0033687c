"""The moving windows of a minute in which a Fleet counts requests, in memory or in Redis."""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from itertools import chain
from math import inf
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ..errors import ConfigurationError
from .clock import Clock

MINUTE = 60
MEMORY = "memory://"
# A request leaves the window after its minute, not at the end of it.
_JUST_AFTER = 0.001
# Redis is not used for this many seconds after it did not respond.
_PAUSE = 5.0
_PREFIX = "pictify"
_logger = logging.getLogger("pictify_client")

# `MemoryWindow` in Lua, for a list of times in microseconds, the oldest first. The times are those of Redis, so the
# clocks of the machines need not agree. ARGV is the limit, then the two numbers of each place.
SCRIPT = """
local key, limit, minute = KEYS[1], tonumber(ARGV[1]), 60000000
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local newest = tonumber(redis.call('LINDEX', key, -1) or now)
if newest > now then -- The clock was set back: move the window with it.
  for i, time in ipairs(redis.call('LRANGE', key, 0, -1)) do
    redis.call('LSET', key, i - 1, string.format('%.0f', time - newest + now))
  end
end
while tonumber(redis.call('LINDEX', key, 0) or now) <= now - minute do
  redis.call('LPOP', key)
end
local free = limit - redis.call('LLEN', key)
local granted, waits = 0, {}
for i = 2, #ARGV, 2 do
  local ahead, reserved = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  local wait = 0
  if granted + reserved < free then
    granted = granted + 1
    redis.call('RPUSH', key, string.format('%.0f', now))
  else
    local rest = ahead % limit
    local opens = now
    if rest >= free then
      opens = redis.call('LINDEX', key, rest - free) + minute
    end
    wait = (ahead - rest) / limit * minute + opens - now + 1000
  end
  table.insert(waits, wait)
end
redis.call('PEXPIRE', key, 61000)
return waits
"""


class Place(NamedTuple):
    """The place of a request in the line of this process.

    Attributes:
        ahead: Number of requests before it.
        reserved: Number of these that do not ask now, but will very soon. There must be room for them, too.
    """

    ahead: int
    reserved: int


class Inquiry(NamedTuple):
    """Requests of one identity that ask at the same time whether they may be sent.

    Attributes:
        key: The identity, and the limit.
        places: Their places in the line, in order.
    """

    key: str
    places: list[Place]


class Unavailable(Exception):  # noqa: N818 (no caller of a client ever sees it)
    """Redis does not respond, or responds with an error."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


class MemoryWindow:
    """Counts the requests of this process. One thread uses it at a time."""

    blocking = False

    def __init__(self, per_minute: int) -> None:
        self._limit = per_minute
        # In the order in which they were last used.
        self._windows: OrderedDict[str, deque[float]] = OrderedDict()

    def acquire(self, inquiries: Sequence[Inquiry], clock: Clock) -> list[list[float]]:
        """Count the requests that may be sent.

        A request is counted if there is room for it and for all that have priority over it.

        Args:
            inquiries: The requests.
            clock: The time of this process.

        Returns:
            For each place 0 if its request was counted, else the seconds after which it should ask again.
        """
        now = clock.monotonic()
        self._forget(now)
        return [self._acquire(key, places, now) for key, places in inquiries]

    def close(self) -> None:
        """Do nothing: there are no connections, and the count goes on."""

    def forget(self) -> None:
        """Do nothing: a child of a fork counts its own requests from then on."""

    def _forget(self, now: float) -> None:
        """Forget identities that sent nothing for a minute."""
        while self._windows:
            key, window = next(iter(self._windows.items()))
            if window and window[-1] > now - MINUTE:
                break
            del self._windows[key]

    def _acquire(self, key: str, places: list[Place], now: float) -> list[float]:
        window = self._windows.setdefault(key, deque())
        self._windows.move_to_end(key)
        while window and window[0] <= now - MINUTE:
            window.popleft()
        free = self._limit - len(window)
        granted = 0
        waits: list[float] = []
        for ahead, reserved in places:
            if granted + reserved < free:
                granted += 1
                window.append(now)
                waits.append(0.0)
            else:
                minutes, rest = divmod(ahead, self._limit)
                opens = now if rest < free else window[rest - free] + MINUTE
                waits.append(minutes * MINUTE + opens - now + _JUST_AFTER)
        return waits


class RedisWindow:
    """Counts the requests of all processes that use this Redis. One thread uses it at a time.

    Raises:
        ConfigurationError: If the package `redis` is not installed, or an option in the URL is invalid.
    """

    blocking = True

    def __init__(self, url: str, per_minute: int, timeout: float) -> None:
        if find_spec("redis") is None:
            raise ConfigurationError("a Fleet on Redis requires redis: pip install 'pictify-client[fleet]'")
        # Nothing is imported later: a process may be forked while another of its threads imports something, and the
        # child would wait for that thread for ever.
        import redis

        # Its types are of no use to type checkers.
        self._package: Any = redis
        self._errors = (redis.RedisError, OSError)
        self._url = url
        self._limit = per_minute
        self._timeout = timeout
        self._redis = self._connect()

    def acquire(self, inquiries: Sequence[Inquiry], clock: Clock) -> list[list[float]]:  # noqa: ARG002 (Redis has its own)
        """Count the requests that may be sent, as `MemoryWindow` does.

        Raises:
            Unavailable: If Redis does not respond.
        """
        # `close` may replace it meanwhile.
        redis = self._redis
        try:
            try:
                return self._ask(redis, inquiries)
            except self._package.ConnectionError:
                # Redis or a proxy may have closed the connection while it was idle. A new one decides.
                return self._ask(redis, inquiries)
        except BaseException as error:
            # The response may still arrive, and must not be read as that of the next request.
            redis.connection_pool.disconnect()
            if isinstance(error, self._errors):
                # Only the name of the error: servers repeat in its text what they received, even passwords.
                raise Unavailable(type(error).__name__) from None
            raise

    def close(self) -> None:
        """Close the connection, or have its user close it after use. Later requests open a new one."""
        redis, self._redis = self._redis, self._connect()
        redis.connection_pool.disconnect(inuse_connections=False)

    def forget(self) -> None:
        """In the child of a fork, leave the connection to the parent and open a new one."""
        self._redis = self._connect()

    def _ask(self, redis: Any, inquiries: Sequence[Inquiry]) -> list[list[float]]:
        pipeline = redis.pipeline(transaction=False)
        for key, places in inquiries:
            pipeline.eval(SCRIPT, 1, f"{_PREFIX}:{key}", self._limit, *chain.from_iterable(places))
        return [[wait / 1_000_000 for wait in waits] for waits in pipeline.execute()]

    def _connect(self) -> Any:
        redis = self._package
        options = {
            "socket_timeout": self._timeout,
            "socket_connect_timeout": self._timeout,
            "retry": redis.retry.Retry(redis.backoff.NoBackoff(), 0),
            # Redis 5 does not know the handshake of 3.
            "protocol": 2,
        }
        try:
            pool = redis.ConnectionPool(**{**redis.connection.parse_url(self._url), **options})
            # This rejects invalid options. It does not connect.
            pool.connection_class(**pool.connection_kwargs)
        except (*self._errors, ValueError, TypeError) as error:
            raise ConfigurationError(f"the storage of a Fleet has an invalid option: {error}") from None
        return redis.Redis(connection_pool=pool)


class Outage:
    """Remembers whether Redis responds, so that not every request has to find out."""

    def __init__(self, name: str, consequence: str) -> None:
        self.name = name
        # Empty while Redis responds.
        self.fault: str = ""
        self.failures: int = 0
        self._consequence = consequence
        self._retry_at = -inf

    def remaining(self, clock: Clock) -> float:
        """Return the seconds until Redis is tried again, or 0 if this request should try."""
        if not self.fault:
            return 0.0
        now = clock.monotonic()
        if now < self._retry_at:
            return self._retry_at - now
        # The other requests do not wait for the result.
        self._retry_at = now + _PAUSE
        return 0.0

    def begin(self, fault: str, clock: Clock) -> None:
        """Record that Redis did not respond."""
        self._retry_at = clock.monotonic() + _PAUSE
        self.failures += 1
        if not self.fault:
            _logger.warning(
                "%s is unavailable (%s): requests are %s until it responds", self.name, fault, self._consequence
            )
        self.fault = fault

    def end(self) -> None:
        """Record that Redis responded."""
        if self.fault:
            self.fault = ""
            _logger.info("%s is available again: requests are counted", self.name)


def storage_name(storage: Any) -> str:
    """Return a storage without the user, the password and what follows the host.

    Raises:
        ConfigurationError: If it is invalid.
    """
    if storage == MEMORY:
        return MEMORY
    if isinstance(storage, str) and storage.startswith(("redis://", "rediss://")):
        with suppress(ValueError):
            url = urlsplit(storage)
            # An @ that is left belongs to a password with a slash in it, cut in two.
            if url.hostname and url.hostname.encode("idna") and url.port != 0 and "@" not in url.path:
                return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"
    raise ConfigurationError("storage must be memory://, redis://host:port/db or rediss://host:port/db")
