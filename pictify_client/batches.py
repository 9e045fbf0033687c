"""Batches: started, watched until they are done, and put together where one request could not take them all.

What is done next is decided in `_Watch`, without I/O; `BatchJob` and `AsyncBatchJob` do it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from inspect import isawaitable, iscoroutine
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar, cast

import attrs

from ._runtime.lazy import Deferred
from ._runtime.operations import Operation, Request
from ._runtime.validation import ListOf, MapOf, Object
from .errors import APIConnectionError, APIStatusError, PictifyError, RateLimitError, ResponseDecodeError, ServerError
from .types import Response

if TYPE_CHECKING:
    from . import low_level as clients
    from . import models
else:
    # A client imports most of the package, and the models are imported with the first answer that needs them.
    clients = Deferred(".low_level", __package__)
    models = Deferred(".models", __package__)

Row = TypeVar("Row", "models.BatchResult", "models.BatchError")

_FINAL = frozenset({"completed", "partial", "failed", "cancelled"})
# Longer than the minute over which the API counts, a clock is wrong; longer than an hour, a server is.
_LONGEST_SPACING = 60.0
_LONGEST_TOLD = 3600.0
# Each wait is half as long again as the one before, up to this many seconds.
_GROWTH = 1.5
_LONGEST_WAIT = 15.0
_MOST_LOST_POLLS = 5
# A poll takes no longer than what is left of the time for all of them, or than this.
_SHORTEST_POLL = 1.0


class BatchTimeoutError(PictifyError, TimeoutError):
    """A batch took longer than `wait` was told to. It goes on; wait for it again, or cancel it.

    Attributes:
        status: What was last known of it; None where no poll was answered.
    """

    def __init__(self, message: str, status: models.BatchStatus | None) -> None:
        super().__init__(message)
        self.status = status


class BatchStartError(PictifyError):
    """Of more variable sets than one request takes, some were started and the next request failed.

    The cause is the error of that request. What was started goes on, and is billed.

    Attributes:
        job: What was started: a `BatchJob` or an `AsyncBatchJob`, to wait for or to cancel.
    """

    def __init__(self, message: str, job: BatchJob | AsyncBatchJob) -> None:
        super().__init__(message)
        self.job = job


class _Operations(NamedTuple):
    """What can be done with a batch, as the contract's links say."""

    start: Operation[models.BatchResponse]
    results: Operation[models.BatchStatus]
    cancel: Operation[Any]


class _Poll(NamedTuple):
    batch_id: str
    timeout: float


class _Sleep(NamedTuple):
    seconds: float


class _Report(NamedTuple):
    status: models.BatchStatus


class _Part:
    """One request's share of a job: its batch, the place of its first variable set, and what is known of it."""

    def __init__(self, batch_id: str, offset: int) -> None:
        self.batch_id = batch_id
        self.offset = offset
        self.status: models.BatchStatus | None = None

    @property
    def is_done(self) -> bool:
        return self.status is not None and self.status.status in _FINAL


class _Job:
    """What `BatchJob` and `AsyncBatchJob` have in common.

    Attributes:
        batch_ids: The ids of its batches, in the order of the variable sets.
    """

    _caller: tuple[clients.Client, _Operations] | None = None

    def __init__(self, client: clients.Client, operations: _Operations) -> None:
        self._caller = client, operations
        self._parts: list[_Part] = []

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker process sends it with an error that holds it. The client stays there: it holds the API key.
        return type(self).__new__, (type(self),), {"_parts": self._parts}

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self

    @property
    def _client(self) -> clients.Client:
        return self._called()[0]

    @property
    def _operations(self) -> _Operations:
        return self._called()[1]

    def _called(self) -> tuple[clients.Client, _Operations]:
        if self._caller is None:
            raise PictifyError(
                "The job comes from another process and has no client: pass its `batch_ids` to `batch.get_results` or "
                "`batch.cancel`"
            )
        return self._caller

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {', '.join(self.batch_ids)}>"

    @property
    def batch_ids(self) -> list[str]:
        return [part.batch_id for part in self._parts]

    def _add(self, response: Response[models.BatchResponse], offset: int) -> None:
        answer = response.result()
        try:
            self._operations.results.target({"batch_id": answer.batch_id})
        except ValueError as error:
            raise PictifyError(f"{self._operations.start}: the answer names no batch that can be asked for") from error
        self._parts.append(_Part(answer.batch_id, offset))

    def _failed(self, error: PictifyError, left: int) -> PictifyError:
        """What to raise for a request that failed: another error where there is something to go on with."""
        if not self._parts:
            return error
        refused = "were not started" if isinstance(error, APIStatusError) else "may not have been started"
        failure = BatchStartError(
            f"{left} variable sets {refused} ({error}); {', '.join(self.batch_ids)} go on: see `job` of this error",
            cast("BatchJob | AsyncBatchJob", self),
        )
        failure.__cause__ = error
        return failure

    def _watch(
        self, timeout: Any, poll_interval: Any
    ) -> Generator[_Poll | _Sleep | _Report, Response[models.BatchStatus] | PictifyError | None, models.BatchStatus]:
        """What to do next, until all batches are done; a poll is answered with its response or its error."""
        for name, given in (("timeout", timeout), ("poll_interval", poll_interval)):
            is_number = isinstance(given, int | float) and not isinstance(given, bool)
            if not is_number and not (name == "timeout" and given is None):
                raise TypeError(f"{name} must be a number of seconds, got {given!r}")
            if given is not None and not 0 < given < inf:
                raise ValueError(f"{name} must be more than 0 seconds, and finite, got {given!r}")
        clock = self._client.clock
        deadline = inf if timeout is None else clock.monotonic() + timeout
        pause, lost = poll_interval, 0
        while True:
            least = 0.0
            for part in self._parts:
                if part.is_done:
                    continue
                if least:
                    yield _Sleep(self._in_time(least, deadline))
                left = deadline - clock.monotonic()
                answered = yield _Poll(part.batch_id, max(left, _SHORTEST_POLL))
                answer = cast("Response[models.BatchStatus] | PictifyError", answered)
                error = _error_of(answer)
                if error is not None:
                    lost += not isinstance(error, RateLimitError)
                    if not _is_lost(error) or lost >= _MOST_LOST_POLLS:
                        raise error
                else:
                    part.status, lost = cast("Response[models.BatchStatus]", answer).result(), 0
                unfinished = sum(not each.is_done for each in self._parts)
                told = error.retry_after if isinstance(error, APIStatusError) else None
                least = max(min(told or 0.0, _LONGEST_TOLD), _spacing(answer, unfinished, clock.time()))
            if all(part.status is not None for part in self._parts):
                yield _Report(self._status())
            if all(part.is_done for part in self._parts):
                return self._status()
            yield _Sleep(self._in_time(max(least, min(pause, deadline - clock.monotonic())), deadline))
            pause = min(pause * _GROWTH, max(_LONGEST_WAIT, poll_interval))

    def _in_time(self, seconds: float, deadline: float) -> float:
        left = deadline - self._client.clock.monotonic()
        if left <= 0 or seconds > left:
            known = self._status() if all(part.status is not None for part in self._parts) else None
            shown = (
                f"{known.completed_items} of {known.total_items} items are done" if known else "no poll was answered"
            )
            raise BatchTimeoutError(
                f"{', '.join(self.batch_ids)} is not done within the timeout of wait(): {shown}. It is not cancelled: "
                "wait() again, or cancel()",
                known,
            )
        return seconds

    def _status(self) -> models.BatchStatus:
        """What is known of all batches, as if they were one."""
        known = [cast("models.BatchStatus", part.status) for part in self._parts]
        first = known[0]
        if len(known) == 1:
            return attrs.evolve(first, results=_in_order(first.results, 0), errors=_in_order(first.errors, 0))
        states = [each.status for each in known]
        unfinished = [state for state in states if state not in _FINAL]
        state = (unfinished or states)[0]
        if not unfinished and len(set(states)) > 1:
            state = type(first.status)("partial")
        parts = list(zip(self._parts, known, strict=True))
        total = sum(each.total_items or 0 for each in known)
        weights = [each.total_items or 1 for each in known]
        done = sum((each.progress or 0) * weight for each, weight in zip(known, weights, strict=True))
        return attrs.evolve(
            first,
            status=state,
            progress=done / sum(weights),
            total_items=total,
            completed_items=sum(each.completed_items or 0 for each in known),
            failed_items=sum(each.failed_items or 0 for each in known),
            results=[row for part, each in parts for row in _in_order(each.results, part.offset)],
            errors=[row for part, each in parts for row in _in_order(each.errors, part.offset)],
        )


class BatchJob(_Job):
    """A batch that was started. It goes on whether or not anyone waits for it.

    Attributes:
        batch_ids: Its id; more than one where one request could not take all variable sets.
    """

    @classmethod
    def start(cls, client: clients.Client, operations: tuple[Any, Any, Any], /, **arguments: object) -> Self:
        """Start it. `pictify.batch.render_template` is this with a signature."""
        job = cls(client, _Operations(*operations))
        for offset, left, request in _requests(job._operations.start, arguments):
            try:
                job._add(client.send_request(job._operations.start, request), offset)
            except PictifyError as error:
                failure = job._failed(error, left)
            else:
                continue
            raise failure
        return job

    def wait(
        self,
        *,
        timeout: float | None = None,
        on_progress: Callable[[models.BatchStatus], object] | None = None,
        poll_interval: float = 1.0,
    ) -> models.BatchStatus:
        """Wait until it is completed, partial, failed or cancelled (`GET /templates/batch/{batchId}/results`).

        It asks less and less often, up to every 15 seconds, and never more often than the rate limit
        allows. A poll that is lost is asked again; the fifth in a row is raised.

        Args:
            timeout: Seconds to wait at most; None waits for as long as it takes.
            on_progress: Called with what is known after every poll, to drive a progress bar.
            poll_interval: Seconds until the second poll.

        Returns:
            Its final status. `results` are the rows that were rendered and `errors` those that failed, each in the
            order of the variable sets and with its `index` among them. The API sends no URLs here: they come
            with the webhook `render.completed`.

        Raises:
            BatchTimeoutError: It is not done in time. It is not cancelled.
            PictifyError: The API refused to say, or polls were lost.
        """
        steps = self._watch(timeout, poll_interval)
        answer: Response[models.BatchStatus] | PictifyError | None = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                return cast("models.BatchStatus", end.value)
            answer = None
            if isinstance(step, _Sleep):
                self._client.clock.sleep(step.seconds)
            elif isinstance(step, _Report):
                told = None if on_progress is None else on_progress(step.status)
                if iscoroutine(told):
                    told.close()
                    raise TypeError("on_progress is async, which only the wait of an AsyncBatchJob awaits")
            else:
                try:
                    client = self._client.at_most(step.timeout)
                    answer = client.send(self._operations.results, batch_id=step.batch_id)
                except PictifyError as error:
                    answer = error

    def cancel(self) -> None:
        """Cancel what is not rendered yet (`POST /templates/batch/{batchId}/cancel`).

        Raises:
            PictifyError: As any call; where there are several batches, once all were asked.
        """
        errors: list[PictifyError] = []
        for part in self._parts:
            try:
                if not part.is_done:
                    self._client.send(self._operations.cancel, batch_id=part.batch_id).result()
            except PictifyError as error:
                errors.append(error)
        if errors:
            raise errors[0]


class AsyncBatchJob(_Job):
    """A batch that was started, for async code. It goes on whether or not anyone waits for it.

    Attributes:
        batch_ids: Its id; more than one where one request could not take all variable sets.
    """

    @classmethod
    async def start(cls, client: clients.Client, operations: tuple[Any, Any, Any], /, **arguments: object) -> Self:
        """Start it. `pictify.batch.render_template` is this with a signature."""
        job = cls(client, _Operations(*operations))
        for offset, left, request in _requests(job._operations.start, arguments):
            try:
                job._add(await client.asend_request(job._operations.start, request), offset)
            except PictifyError as error:
                failure = job._failed(error, left)
            else:
                continue
            raise failure
        return job

    async def wait(
        self,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 (a timeout for the batch, which goes on after it)
        on_progress: Callable[[models.BatchStatus], object] | None = None,
        poll_interval: float = 1.0,
    ) -> models.BatchStatus:
        """Wait until it is completed, partial, failed or cancelled (`GET /templates/batch/{batchId}/results`).

        It asks less and less often, up to every 15 seconds, and never more often than the rate limit
        allows. A poll that is lost is asked again; the fifth in a row is raised.

        Args:
            timeout: Seconds to wait at most; None waits for as long as it takes.
            on_progress: Called with what is known after every poll, to drive a progress bar; may be
                a coroutine function.
            poll_interval: Seconds until the second poll.

        Returns:
            Its final status. `results` are the rows that were rendered and `errors` those that failed, each in the
            order of the variable sets and with its `index` among them. The API sends no URLs here: they come
            with the webhook `render.completed`.

        Raises:
            BatchTimeoutError: It is not done in time. It is not cancelled.
            PictifyError: The API refused to say, or polls were lost.
        """
        steps = self._watch(timeout, poll_interval)
        answer: Response[models.BatchStatus] | PictifyError | None = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                return cast("models.BatchStatus", end.value)
            answer = None
            if isinstance(step, _Sleep):
                await self._client.clock.asleep(step.seconds)
            elif isinstance(step, _Report):
                if on_progress is not None and isawaitable(told := on_progress(step.status)):
                    await told
            else:
                try:
                    client = self._client.at_most(step.timeout)
                    answer = await client.asend(self._operations.results, batch_id=step.batch_id)
                except PictifyError as error:
                    answer = error

    async def cancel(self) -> None:
        """Cancel what is not rendered yet (`POST /templates/batch/{batchId}/cancel`).

        Raises:
            PictifyError: As any call; where there are several batches, once all were asked.
        """
        errors: list[PictifyError] = []
        for part in self._parts:
            try:
                if not part.is_done:
                    (await self._client.asend(self._operations.cancel, batch_id=part.batch_id)).result()
            except PictifyError as error:
                errors.append(error)
        if errors:
            raise errors[0]


def _requests(
    start: Operation[models.BatchResponse], arguments: Mapping[str, object]
) -> list[tuple[int, int, Request]]:
    """Return the requests that send all variable sets: with the place of the first, and how many are left.

    All are validated before the first is sent.
    """
    body = cast("Object", start.body)
    name, sets, most = next(
        (field.argument, field.kind, field.kind.max_items)
        for field in body.model.FIELDS
        if isinstance(field.kind, ListOf) and isinstance(field.kind.kind, MapOf | Object) and field.kind.max_items
    )
    if arguments.get(name) is None:
        # The rows are in a CSV file, which is not split.
        return [(0, 0, start.request(arguments))]
    given = ListOf(sets.kind, sets.min_items).write(arguments[name], name)
    return [
        (offset, len(given) - offset, start.request({**arguments, name: given[offset : offset + most]}))
        for offset in range(0, len(given), most)
    ]


def _is_lost(error: PictifyError) -> bool:
    """Whether a poll that failed so may go well the next time."""
    if isinstance(error, APIStatusError):
        return isinstance(error, ServerError | RateLimitError) or error.status_code == 408
    return isinstance(error, APIConnectionError | ResponseDecodeError)


def _error_of(answer: Response[models.BatchStatus] | PictifyError) -> PictifyError | None:
    """Return what went wrong with a poll."""
    return answer if isinstance(answer, PictifyError) else answer.error


def _spacing(answer: object, polls: int, now: float) -> float:
    """Seconds between polls, so that this many fit into what the rate limit leaves until it is reset."""
    limit = getattr(answer, "rate_limit", None)
    if limit is None or limit.remaining is None or limit.reset is None:
        return 0.0
    left: float = min(max(0.0, limit.reset.timestamp() - now), _LONGEST_SPACING)
    return left if limit.remaining < polls else left / limit.remaining


def _in_order(rows: list[Row], offset: int) -> list[Row]:
    """The rows of a batch in the order in which they were given, counted from the first row of all batches."""
    if all(row.index is None for row in rows):
        rows = [attrs.evolve(row, index=place) for place, row in enumerate(rows)]
    counted = [row if row.index is None else attrs.evolve(row, index=offset + row.index) for row in rows]
    return sorted(counted, key=lambda row: inf if row.index is None else row.index)
