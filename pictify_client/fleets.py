"""A rate limit that clients, processes and machines share."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count, islice
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, NoReturn
from weakref import WeakValueDictionary

from ._runtime.clock import Clock
from ._runtime.forks import after_fork
from ._runtime.windows import MEMORY, Inquiry, MemoryWindow, Outage, Place, RedisWindow, Unavailable, storage_name
from .errors import ConfigurationError, PictifyError

if TYPE_CHECKING:
    from anyio import Event
    from anyio.lowlevel import RunVar

_HOUR = 3600
# Maximum number of requests that are counted in one round trip, so that Redis does not keep others waiting.
_MAX_BATCH = 1000
# A sleeping request has priority over later ones from this many seconds before it wakes until as many after.
_SOON = 1.0


class PacingError(PictifyError):
    """The request was not sent: its turn is too far off, or Redis is unavailable and the Fleet requires it.

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


class Waiting:
    """A request that waits for its turn."""

    # Its number in the line.
    number = -1
    # When it asks for its turn, by the monotonic clock.
    due: float = -inf

    def __init__(self, longest: float) -> None:
        self.left: float = longest

    def spend(self, seconds: float, later: float = 0.0) -> float:
        """Subtract `seconds` from the time that the request may wait, and return them.

        Raises:
            PacingError: If it may not wait so long, or not for the `later` seconds that will follow.
        """
        needed = seconds + later
        if needed > self.left:
            raise PacingError(
                f"not sent: its turn under the rate limit is in {needed:.1f} s, and it may wait {self.left:.1f} s",
                needed,
            )
        self.left -= seconds
        return seconds


class Line:
    """Waiting requests in the order in which they arrived. It is used under a lock.

    A request may be interrupted anywhere, even before it leaves. It is forgotten when it does not exist any more.
    """

    def __init__(self, key: str = "") -> None:
        self.key = key
        self._numbers = count()
        self._order: list[int] = []
        self._members: WeakValueDictionary[int, Waiting] = WeakValueDictionary()

    def place(self, member: Waiting) -> int:
        """Return the number of members ahead of one. It joins the line if necessary."""
        if member.number not in self._members:
            member.number = next(self._numbers)
            self._order.append(member.number)
            self._members[member.number] = member
        if len(self._order) != len(self._members):
            self._order = sorted(self._members.keys())
        return bisect_left(self._order, member.number)

    def leave(self, member: Waiting) -> None:
        """Remove a member, if it is in the line."""
        if self._members.pop(member.number, None) is not None:
            del self._order[bisect_left(self._order, member.number)]

    def places(self, asking: Sequence[Waiting], now: float) -> list[Place]:
        """Return the places of members that ask for their turn, and are sorted. They join the line if necessary."""
        places = [self.place(member) for member in asking]
        numbers = {member.number for member in asking}
        due: list[int] = []
        for number in self._order:
            member = self._members.get(number)
            if member is None or number in numbers:
                continue
            if member.due > now + _SOON:
                break
            # No one waits for a member that is late: its event loop may hang.
            if member.due >= now - _SOON:
                due.append(number)
        return [Place(ahead, bisect_left(due, member.number)) for ahead, member in zip(places, asking, strict=True)]


class Fleet:
    """A rate limit shared by clients, and with Redis by all processes and machines that use the same API key.

    Pass it to sync and async clients as `pacing=`. Each process creates its own `Fleet`, with the same `per_minute`.
    After a fork, parent and child share the limit if it is counted in Redis.

    Args:
        storage: The place where requests are counted: `memory://` in this process only, `redis://host:port/db` or
            `rediss://host:port/db` for all that use this Redis. Redis requires
            `pip install 'pictify-client[fleet]'`.
        per_minute: Maximum number of requests in any 60 seconds.
        when_unavailable: The treatment of requests while Redis is unavailable: `"open"` sends them without counting
            them, `"closed"` raises a `PacingError`.
        timeout: Maximum time for a response of Redis, in seconds. Defaults to 1.

    Raises:
        ConfigurationError: If an argument is invalid, or the extra is not installed.
    """

    def __init__(
        self,
        storage: str = MEMORY,
        *,
        per_minute: int,
        when_unavailable: Literal["open", "closed"] = "open",
        timeout: float = 1.0,
    ) -> None:
        name = storage_name(storage)
        _check(per_minute, when_unavailable, timeout)
        self._per_minute = per_minute
        self._timeout = timeout
        self._when_unavailable = when_unavailable
        self._outage = Outage(name, "rejected" if when_unavailable == "closed" else "sent without being counted")
        self._window: MemoryWindow | RedisWindow
        if name == MEMORY:
            self._window = MemoryWindow(per_minute)
        else:
            self._window = RedisWindow(storage, per_minute, timeout)
            from anyio.lowlevel import RunVar

            # For each event loop the end of the round trip that one of its tasks makes for all of them.
            self._round_trips: RunVar[Event | None] = RunVar("round_trips", None)
        self._reset()
        after_fork(self._forget)

    def __repr__(self) -> str:
        name, when = self._outage.name, self._when_unavailable
        return f"Fleet({name!r}, per_minute={self._per_minute}, when_unavailable={when!r}, timeout={self._timeout})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Fleet cannot be pickled or copied: create one in each process")

    def acquire(self, identity: str, clock: Clock, max_wait: float) -> None:
        """Wait for a turn. Clients do so before each request.

        Args:
            identity: The user or key that makes the request. Each identity has its own limit.
            clock: The clock to wait by.
            max_wait: Maximum wait, in seconds.

        Raises:
            PacingError: If the turn is further off, or Redis is unavailable and `when_unavailable` is "closed".
        """
        ticket = self._ticket(identity, max_wait)
        try:
            while seconds := ticket.spend(self._ask(ticket, clock)):
                clock.sleep(seconds)
        finally:
            self._leave(ticket)

    async def aacquire(self, identity: str, clock: Clock, max_wait: float) -> None:
        """`acquire` for async code."""
        ticket = self._ticket(identity, max_wait)
        try:
            while seconds := ticket.spend(await self._aask(ticket, clock)):
                await clock.asleep(seconds)
        finally:
            self._leave(ticket)

    def close(self) -> None:
        """Close the connection to Redis. Later requests open a new one."""
        self._window.close()

    async def aclose(self) -> None:
        """`close` for async code."""
        self._window.close()

    def _reset(self) -> None:
        """Start with new locks and nobody waiting."""
        self._lock = Lock()
        # Held during a round trip.
        self._exchange_lock = Lock()
        self._lines: WeakValueDictionary[str, Line] = WeakValueDictionary()
        # A dict keeps their order.
        self._asking: dict[_Ticket, None] = {}

    def _forget(self) -> None:
        """Forget the other threads in the child of a fork. They may have held locks, and do not exist there."""
        self._reset()
        self._window.forget()

    def _ticket(self, identity: str, max_wait: float) -> _Ticket:
        key = f"{identity}/{self._per_minute}"
        with self._lock:
            line = self._lines.get(key)
            if line is None:
                line = self._lines[key] = Line(key)
        return _Ticket(line, max_wait)

    def _enter(self, ticket: _Ticket, clock: Clock) -> None:
        ticket.due = clock.monotonic()
        with self._lock:
            ticket.line.place(ticket)
            self._asking[ticket] = None

    def _leave(self, ticket: _Ticket) -> None:
        with self._lock:
            self._asking.pop(ticket, None)
            ticket.line.leave(ticket)

    def _ask(self, ticket: _Ticket, clock: Clock) -> float:
        """Return 0 if the request may be sent, else the seconds to wait before asking again."""
        self._enter(ticket, clock)
        while ticket in self._asking:
            failures = self._outage.failures
            if self._suspended(clock):
                return 0.0
            self._exchange(ticket, failures, clock)
        return ticket.wait

    async def _aask(self, ticket: _Ticket, clock: Clock) -> float:
        """`_ask` for async code. One task makes the round trip in a thread, the others wait for it.

        In a thread the timeout only applies to Redis. A timer of the event loop would also run out if the loop is
        busy while the response waits to be read.
        """
        if not self._window.blocking:
            return self._ask(ticket, clock)
        from anyio import Event

        self._enter(ticket, clock)
        while ticket in self._asking:
            failures = self._outage.failures
            if self._suspended(clock):
                return 0.0
            round_trip = self._round_trips.get()
            if round_trip is not None:
                await round_trip.wait()
                continue
            round_trip = Event()
            self._round_trips.set(round_trip)
            try:
                await _in_thread(partial(self._exchange, ticket, failures, clock))
            finally:
                self._round_trips.set(None)
                round_trip.set()
        return ticket.wait

    def _suspended(self, clock: Clock) -> bool:
        """Whether requests are sent uncounted for now, because Redis does not respond."""
        wait = self._outage.remaining(clock)
        if wait and self._when_unavailable == "closed":
            name, fault = self._outage.name, self._outage.fault
            raise PacingError(f"not sent: {name}, which counts the requests, is unavailable ({fault})", wait)
        return wait > 0

    def _exchange(self, ticket: _Ticket, failures: int, clock: Clock) -> None:
        """Ask for all requests that wait for it, in one round trip.

        There is nothing to do if another thread has meanwhile asked for this request or found that Redis is
        unavailable, or if the request was cancelled.
        """
        with self._exchange_lock:
            if ticket not in self._asking or self._outage.failures != failures:
                return
            with self._lock:
                asking = self._batches(clock.monotonic())
            try:
                waits = self._window.acquire([inquiry for inquiry, _ in asking], clock)
            except Unavailable as error:
                self._outage.begin(error.fault, clock)
                return
            self._outage.end()
            now = clock.monotonic()
            with self._lock:
                for (_, tickets), seconds in zip(asking, waits, strict=True):
                    self._resolve(tickets, seconds, now)

    def _batches(self, now: float) -> list[tuple[Inquiry, list[_Ticket]]]:
        lines: dict[Line, list[_Ticket]] = {}
        for ticket in sorted(islice(self._asking, _MAX_BATCH), key=lambda ticket: ticket.number):
            lines.setdefault(ticket.line, []).append(ticket)
        return [(Inquiry(line.key, line.places(tickets, now)), tickets) for line, tickets in lines.items()]

    def _resolve(self, tickets: list[_Ticket], waits: list[float], now: float) -> None:
        spare = 0
        for ticket, seconds in zip(tickets, waits, strict=True):
            if ticket not in self._asking:
                # It was cancelled during the round trip.
                spare += not seconds
                continue
            ticket.wait = seconds
            if seconds and spare:
                spare -= 1
                ticket.wait = 0.0
            ticket.due = now + ticket.wait
            del self._asking[ticket]
            if not ticket.wait:
                ticket.line.leave(ticket)


class _Ticket(Waiting):
    """A request on its way through a Fleet."""

    # The last response to its question.
    wait = 0.0

    def __init__(self, line: Line, longest: float) -> None:
        super().__init__(longest)
        self.line = line


async def _in_thread(call: Callable[[], None]) -> None:
    """Run a blocking function in a thread. If this is cancelled, the thread finishes on its own."""
    from asyncio import get_running_loop

    try:
        loop = get_running_loop()
    except RuntimeError:
        # This is trio.
        from anyio import CapacityLimiter, to_thread

        await to_thread.run_sync(call, abandon_on_cancel=True, limiter=CapacityLimiter(1))
    else:
        # AnyIO's threads would keep a program from exiting if its main task never ends.
        await loop.run_in_executor(None, call)


def _check(per_minute: Any, when_unavailable: Any, timeout: Any) -> None:
    if not isinstance(per_minute, int) or isinstance(per_minute, bool) or per_minute < 1:
        raise ConfigurationError(f"per_minute must be an integer from 1, got {per_minute!r}")
    if when_unavailable not in ("open", "closed"):
        raise ConfigurationError(f'when_unavailable must be "open" or "closed", got {when_unavailable!r}')
    if not isinstance(timeout, int | float) or isinstance(timeout, bool) or not 0 < timeout <= _HOUR:
        raise ConfigurationError(f"timeout must be a number of seconds from 0 to an hour, got {timeout!r}")
