"""Batches: started in as many requests as they need, waited for and cancelled as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar, cast

import attrs

from ._runtime.lazy import Deferred
from ._runtime.operations import Operation, PreparedRequest
from ._runtime.results import is_final
from ._runtime.validation import ListOf, MapOf, Object
from ._runtime.waiting import Part, Watch, await_for, wait_for
from .errors import APIStatusError, PictifyError
from .types import Response

if TYPE_CHECKING:
    from . import low_level as clients
    from . import models
else:
    # A client imports most of the package, and the models are imported with the first response that needs them.
    clients = Deferred(".low_level", __package__)
    models = Deferred(".models", __package__)

Row = TypeVar("Row", "models.BatchResult", "models.BatchError")


class BatchStartError(PictifyError):
    """Some of the variable sets were started, and the request for further ones failed.

    Its cause is the error of that request. The batches that were started continue, and are billed.

    Attributes:
        job: The job of what was started, to wait for or to cancel: a `BatchJob` or an `AsyncBatchJob`.
    """

    may_have_succeeded: bool = True

    def __init__(self, message: str, job: BatchJob | AsyncBatchJob) -> None:
        super().__init__(message)
        self.job = job


class _Operations(NamedTuple):
    """The operations of a batch, as the links of the OpenAPI document name them."""

    start: Operation[models.BatchResponse]
    results: Operation[models.BatchStatus]
    cancel: Operation[Any]


class _Job:
    """The common base of `BatchJob` and `AsyncBatchJob`.

    Attributes:
        batch_ids: The ids of its batches, in the order of the variable sets.
    """

    _caller: clients.Client | None = None

    def __init__(self, client: clients.Client, operations: _Operations) -> None:
        self._caller = client
        self._operations = operations
        self._parts: list[Part[models.BatchStatus]] = []

    def __reduce__(self) -> tuple[Any, ...]:
        # An error that a worker process sends may hold it. Its client stays there, as it has the API key.
        return type(self).__new__, (type(self),), {"_parts": self._parts}

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self

    @property
    def _client(self) -> clients.Client:
        if self._caller is None:
            raise PictifyError(
                "The job comes from another process and has no client: pass its `batch_ids` to `batch.wait` or "
                "`batch.cancel`"
            )
        return self._caller

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {', '.join(self.batch_ids)}>"

    @property
    def batch_ids(self) -> list[str]:
        return [part.uid for part in self._parts]

    def _add(self, response: Response[models.BatchResponse], offset: int) -> None:
        batch_id = response.result().batch_id
        try:
            self._operations.results.target({"batch_id": batch_id})
        except ValueError as error:
            raise PictifyError(
                f"{self._operations.start}: the response has an invalid batch id: {batch_id!r}"
            ) from error
        self._parts.append(Part(batch_id, offset))

    def _failed(self, error: PictifyError, left: int) -> BatchStartError:
        """Return the error for a request that failed after others succeeded."""
        outcome = "were not started" if isinstance(error, APIStatusError) else "may not have been started"
        return BatchStartError(
            f"{left} variable sets {outcome} ({error}). {', '.join(self.batch_ids)} continue: see `job` of this error",
            cast("BatchJob | AsyncBatchJob", self),
        )

    def _watch(self, timeout: object, poll_interval: object) -> Watch[models.BatchStatus]:
        return Watch(self._client, self._operations.results, self._parts, self._status, timeout, poll_interval)

    def _status(self) -> models.BatchStatus:
        """Return the last known state of all batches as that of one."""
        known = [cast("models.BatchStatus", part.state) for part in self._parts]
        first = known[0]
        if len(known) == 1:
            return attrs.evolve(first, results=_in_order(first.results, 0), errors=_in_order(first.errors, 0))
        states = [each.status for each in known]
        unfinished = [state for state in states if not is_final(state)]
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
    """A batch that was started. It continues whether or not anyone waits for it.

    Attributes:
        batch_ids: Its id; more than one if the variable sets did not fit into one request.
    """

    @classmethod
    def start(cls, client: clients.Client, operations: tuple[Any, Any, Any], /, **arguments: object) -> Self:
        """Start a batch. `batch.render_template` calls this method."""
        job = cls(client, _Operations(*operations))
        for offset, left, request in _requests(job._operations.start, arguments):
            try:
                job._add(client.send_request(job._operations.start, request), offset)
            except PictifyError as error:
                if not job._parts:
                    raise
                raise job._failed(error, left) from error
        return job

    def wait(
        self,
        *,
        timeout: float | None = None,
        on_progress: Callable[[models.BatchStatus], object] | None = None,
        poll_interval: float = 1.0,
    ) -> models.BatchStatus:
        """Wait until it is completed, partial, failed or cancelled (`GET /templates/batch/{batchId}/results`).

        The pauses between polls grow to 15 seconds, and are longer if the rate limit requires it. A poll that fails is
        repeated; the fifth failure in a row is raised.

        Args:
            timeout: Maximum number of seconds to wait. None waits until it is done.
            on_progress: Called with the state after each poll, for example for a progress bar.
            poll_interval: Seconds until the second poll.

        Returns:
            The final state. `results` has the rows that were rendered and `errors` those that failed, each in the order
            of the variable sets and with its `index` among them. The API sends no URLs here: they come with the webhook
            `render.completed`, or from `renders.list`.

        Raises:
            WaitTimeoutError: If it is not done in time. It is not cancelled.
            PictifyError: If polls fail.
            TypeError, ValueError: If an argument is invalid. No request is sent.
        """
        return wait_for(self._watch(timeout, poll_interval), on_progress)

    def cancel(self) -> None:
        """Cancel the rows that are not rendered yet (`POST /templates/batch/{batchId}/cancel`).

        Raises:
            PictifyError: If a request fails. If there are several batches, it is raised after the last one.
        """
        errors: list[PictifyError] = []
        for part in self._parts:
            try:
                if not part.is_done:
                    self._client.send(self._operations.cancel, batch_id=part.uid).result()
            except PictifyError as error:
                errors.append(error)
        if errors:
            raise errors[0]


class AsyncBatchJob(_Job):
    """A batch that was started, for async code. It continues whether or not anyone waits for it.

    Attributes:
        batch_ids: Its id; more than one if the variable sets did not fit into one request.
    """

    @classmethod
    async def start(cls, client: clients.Client, operations: tuple[Any, Any, Any], /, **arguments: object) -> Self:
        """Start a batch. `batch.render_template` calls this method."""
        job = cls(client, _Operations(*operations))
        for offset, left, request in _requests(job._operations.start, arguments):
            try:
                job._add(await client.asend_request(job._operations.start, request), offset)
            except PictifyError as error:
                if not job._parts:
                    raise
                raise job._failed(error, left) from error
        return job

    async def wait(
        self,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 (the batch continues after it)
        on_progress: Callable[[models.BatchStatus], object] | None = None,
        poll_interval: float = 1.0,
    ) -> models.BatchStatus:
        """Wait until it is completed, partial, failed or cancelled (`GET /templates/batch/{batchId}/results`).

        The pauses between polls grow to 15 seconds, and are longer if the rate limit requires it. A poll that fails is
        repeated; the fifth failure in a row is raised.

        Args:
            timeout: Maximum number of seconds to wait. None waits until it is done.
            on_progress: Called with the state after each poll, for example for a progress bar. May be a coroutine
                function.
            poll_interval: Seconds until the second poll.

        Returns:
            The final state. `results` has the rows that were rendered and `errors` those that failed, each in the order
            of the variable sets and with its `index` among them. The API sends no URLs here: they come with the webhook
            `render.completed`, or from `renders.list`.

        Raises:
            WaitTimeoutError: If it is not done in time. It is not cancelled.
            PictifyError: If polls fail.
            TypeError, ValueError: If an argument is invalid. No request is sent.
        """
        return await await_for(self._watch(timeout, poll_interval), on_progress)

    async def cancel(self) -> None:
        """Cancel the rows that are not rendered yet (`POST /templates/batch/{batchId}/cancel`).

        Raises:
            PictifyError: If a request fails. If there are several batches, it is raised after the last one.
        """
        errors: list[PictifyError] = []
        for part in self._parts:
            try:
                if not part.is_done:
                    (await self._client.asend(self._operations.cancel, batch_id=part.uid)).result()
            except PictifyError as error:
                errors.append(error)
        if errors:
            raise errors[0]


def _requests(
    start: Operation[models.BatchResponse], arguments: Mapping[str, object]
) -> list[tuple[int, int, PreparedRequest]]:
    """Return the requests for all variable sets, each with the place of its first set and the number that are left.

    All are validated before the first is sent.
    """
    body = cast("Object", start.body)
    name, sets, size = next(
        (field.argument, field.schema, field.schema.max_items)
        for field in body.model.__arguments__
        if isinstance(field.schema, ListOf)
        and isinstance(field.schema.schema, MapOf | Object)
        and field.schema.max_items
    )
    if arguments.get(name) is None:
        # The rows are in a CSV file, which is not split.
        return [(0, 0, start.request(arguments))]
    rows = ListOf(sets.schema, sets.min_items).serialize(arguments[name], name)
    return [
        (offset, len(rows) - offset, start.request({**arguments, name: rows[offset : offset + size]}))
        for offset in range(0, len(rows), size)
    ]


def _in_order(rows: list[Row], offset: int) -> list[Row]:
    """Return the rows of a batch in the order of the variable sets, counted from the first set of all batches."""
    if all(row.index is None for row in rows):
        rows = [attrs.evolve(row, index=place) for place, row in enumerate(rows)]
    counted = [row if row.index is None else attrs.evolve(row, index=offset + row.index) for row in rows]
    return sorted(counted, key=lambda row: inf if row.index is None else row.index)
