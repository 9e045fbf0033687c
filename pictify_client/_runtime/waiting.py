"""Waiting until the API has done what it does in the background: polls, and the pauses between them.

`Watch.polls` decides, without I/O, what happens next; `wait_for` and `await_for` do it, in sync and in async code.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from inspect import isawaitable, iscoroutine
from math import inf
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar, cast

from ..errors import (
    APIConnectionError,
    APIStatusError,
    PictifyError,
    RateLimitError,
    ResponseDecodeError,
    ServerError,
    WaitTimeoutError,
)
from .execution import arun, run
from .results import BatchProgress, describe_progress
from .steps import Sleep

if TYPE_CHECKING:
    from ..low_level import Client
    from ..types import Response
    from .clock import Clock
    from .operations import Operation

# Above the minute over which the API counts requests, a clock is wrong; above an hour, a server is.
_MAX_SPACING = 60.0
_MAX_RETRY_AFTER = 3600.0
# Each pause is half as long again as the one before, up to this many seconds.
_GROWTH = 1.5
_MAX_PAUSE = 15.0
_MAX_FAILED_POLLS = 5
# The timeout of a poll is what is left of the time, but not less.
_MIN_POLL_TIMEOUT = 1.0


class Progress(Protocol):
    """The state of what is waited for."""

    @property
    def is_done(self) -> bool:
        """Whether it will not change any more."""
        raise NotImplementedError


ProgressT = TypeVar("ProgressT", bound=Progress)


class Part(Generic[ProgressT]):
    """A batch or run with its own id: its last known state, and the index of its first item among all items."""

    def __init__(self, uid: str, offset: int = 0) -> None:
        self.uid = uid
        self.offset = offset
        self.state: ProgressT | None = None

    @property
    def is_done(self) -> bool:
        """Whether its last known state is final."""
        return self.state is not None and self.state.is_done


class Poll(NamedTuple):
    """A poll is due, with this timeout in seconds."""

    arguments: dict[str, str]
    timeout: float


class Report(NamedTuple, Generic[ProgressT]):
    """The state is known anew."""

    state: ProgressT


class Watch(Generic[ProgressT]):
    """A wait for one or several parts.

    Args:
        client: The client that polls.
        operation: The operation that returns the state.
        parts: The parts that are polled.
        combine: Returns the state of all parts.
        timeout: Seconds to wait; None does not limit them.
        poll_interval: Seconds until the second poll.
    """

    def __init__(
        self,
        client: Client,
        operation: Operation[ProgressT],
        parts: Sequence[Part[ProgressT]],
        combine: Callable[[], ProgressT],
        timeout: Any,
        poll_interval: Any,
    ) -> None:
        for name, seconds in (("timeout", timeout), ("poll_interval", poll_interval)):
            is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
            if not is_number and not (name == "timeout" and seconds is None):
                raise TypeError(f"{name} must be a number of seconds, got {seconds!r}")
            if seconds is not None and not 0 < seconds < inf:
                raise ValueError(f"{name} must be more than 0 seconds, and finite, got {seconds!r}")
        self.client = client
        self.clock: Clock = client.clock
        self.operation: Operation[ProgressT] = operation
        self._argument = operation.path_parameters[0].argument
        self._parts = parts
        self._combine = combine
        self._timeout: float | None = timeout
        self._poll_interval: float = poll_interval

    def polls(
        self,
    ) -> Generator[Poll | Sleep | Report[ProgressT], Response[ProgressT] | PictifyError | None, ProgressT]:
        """Yield the next step until all parts are done; the result of a poll is its response or its error."""
        deadline = inf if self._timeout is None else self.clock.monotonic() + self._timeout
        pause, failed = self._poll_interval, 0
        while True:
            least = 0.0
            for part in self._parts:
                if part.is_done:
                    continue
                if least:
                    yield Sleep(self._in_time(least, deadline))
                left = deadline - self.clock.monotonic()
                polled = yield Poll({self._argument: part.uid}, max(left, _MIN_POLL_TIMEOUT))
                result = cast("Response[ProgressT] | PictifyError", polled)
                error = result if isinstance(result, PictifyError) else result.error
                if error is not None:
                    failed += not isinstance(error, RateLimitError)
                    if not _may_succeed_later(error) or failed >= _MAX_FAILED_POLLS:
                        raise error
                else:
                    part.state, failed = cast("Response[ProgressT]", result).result(), 0
                unfinished = sum(not each.is_done for each in self._parts)
                retry_after = error.retry_after if isinstance(error, APIStatusError) else None
                spacing = _spacing(result, unfinished, self.clock.time())
                least = max(min(retry_after or 0.0, _MAX_RETRY_AFTER), spacing)
            if all(part.state is not None for part in self._parts):
                yield Report(self._combine())
            if all(part.is_done for part in self._parts):
                return self._combine()
            yield Sleep(self._in_time(max(least, min(pause, deadline - self.clock.monotonic())), deadline))
            pause = min(pause * _GROWTH, max(_MAX_PAUSE, self._poll_interval))

    def _in_time(self, seconds: float, deadline: float) -> float:
        left = deadline - self.clock.monotonic()
        if left <= 0 or seconds > left:
            last = self._combine() if all(part.state is not None for part in self._parts) else None
            progress = "no poll had a response" if last is None else describe_progress(last)
            # Of what can be waited for, only batches can be cancelled.
            hint = ", or cancel it" if isinstance(last, BatchProgress) else ""
            raise WaitTimeoutError(
                f"{', '.join(part.uid for part in self._parts)} is not done within the timeout of wait(): {progress}. "
                f"It is not cancelled: wait again{hint}",
                last,
            )
        return seconds


def wait_for(watch: Watch[ProgressT], on_progress: Callable[[ProgressT], object] | None) -> ProgressT:
    """Poll until it is done, in sync code.

    Raises:
        PictifyError: If it is not done in time, or polls fail.
        TypeError: If `on_progress` is async.
    """

    def execute_step(step: Poll | Sleep | Report[ProgressT]) -> object:
        match step:
            case Sleep():
                watch.clock.sleep(step.seconds)
            case Poll():
                try:
                    return watch.client.at_most(step.timeout).send(watch.operation, **step.arguments)
                except PictifyError as error:
                    return error
            case _:
                returned = None if on_progress is None else on_progress(step.state)
                if iscoroutine(returned):
                    returned.close()
                    raise TypeError("on_progress is async: in sync code it must be a function")
        return None

    return run(watch.polls(), execute_step)


async def await_for(watch: Watch[ProgressT], on_progress: Callable[[ProgressT], object] | None) -> ProgressT:
    """Poll until it is done, in async code.

    Raises:
        PictifyError: If it is not done in time, or polls fail.
    """

    async def execute_step(step: Poll | Sleep | Report[ProgressT]) -> object:
        match step:
            case Sleep():
                await watch.clock.asleep(step.seconds)
            case Poll():
                try:
                    return await watch.client.at_most(step.timeout).asend(watch.operation, **step.arguments)
                except PictifyError as error:
                    return error
            case _:
                if on_progress is not None and isawaitable(returned := on_progress(step.state)):
                    await returned
        return None

    return await arun(watch.polls(), execute_step)


def _may_succeed_later(error: PictifyError) -> bool:
    if isinstance(error, APIStatusError):
        return isinstance(error, ServerError | RateLimitError) or error.status_code == 408
    return isinstance(error, APIConnectionError | ResponseDecodeError)


def _spacing(result: object, polls: int, now: float) -> float:
    """Seconds between polls, so that this many fit into what the rate limit leaves until it is reset."""
    limit = getattr(result, "rate_limit", None)
    if limit is None or limit.remaining is None or limit.reset is None:
        return 0.0
    left: float = min(max(0.0, limit.reset.timestamp() - now), _MAX_SPACING)
    return left if limit.remaining < polls else left / limit.remaining


def wait(
    client: Client,
    operation: Operation[ProgressT],
    uid: str,
    *,
    timeout: float | None,
    on_progress: Callable[[ProgressT], object] | None,
    poll_interval: float,
) -> ProgressT:
    """Poll one resource until it is done. The generated methods that wait call this function.

    Raises:
        PictifyError: If it is not done in time, or polls fail.
        TypeError, ValueError: If an argument is invalid. No request is sent.
    """
    return wait_for(_watch_one(client, operation, uid, timeout, poll_interval), on_progress)


async def await_(
    client: Client,
    operation: Operation[ProgressT],
    uid: str,
    *,
    timeout: float | None,  # noqa: ASYNC109 (what is polled continues after it)
    on_progress: Callable[[ProgressT], object] | None,
    poll_interval: float,
) -> ProgressT:
    """`wait` for asyncio and trio."""
    return await await_for(_watch_one(client, operation, uid, timeout, poll_interval), on_progress)


def _watch_one(
    client: Client, operation: Operation[ProgressT], uid: str, timeout: float | None, poll_interval: float
) -> Watch[ProgressT]:
    part = Part[ProgressT](uid)
    return Watch(client, operation, [part], lambda: cast("ProgressT", part.state), timeout, poll_interval)
