"""Batches are split, polled with a fake clock, and combined."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest

from pictify_client import (
    APIConnectionError,
    AsyncPictify,
    ConflictError,
    Pictify,
    PictifyError,
    QuotaExceededError,
    ResponseDecodeError,
    WaitTimeoutError,
)
from pictify_client._runtime.clock import Clock
from pictify_client.batches import BatchStartError
from pictify_client.models import BatchStatus

from .replay import KEY

REAL_SLEEP, REAL_ASLEEP = Clock.sleep, Clock.asleep


class FakeClock(Clock):
    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.waits: list[float] = []

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)


Poll = Callable[[str, int], httpx.Response]


class Api:
    """A fake API that starts batches; the test defines the responses to polls."""

    def __init__(self, poll: Poll, *, most: int = 9) -> None:
        self.poll = poll
        self.most = most
        self.sizes: list[int] = []
        self.polls: list[str] = []
        self.cancelled: list[str] = []
        self.failing: tuple[str, ...] = ()
        self.clock = FakeClock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/batch-render"):
            if len(self.sizes) == self.most:
                return httpx.Response(429, json={"code": "quota_exceeded", "message": "none left"})
            size = len(json.loads(request.content)["variableSets"])
            self.sizes.append(size)
            return httpx.Response(202, json={"batchId": f"b{len(self.sizes)}", "status": "pending", "totalItems": size})
        batch_id = path.split("/")[3]
        if path.endswith("/cancel"):
            self.cancelled.append(batch_id)
            if batch_id in self.failing:
                return httpx.Response(409, json={"message": "it has ended"})
            return httpx.Response(200, json={"batchId": batch_id, "status": "cancelled"})
        self.polls.append(batch_id)
        return self.poll(batch_id, self.polls.count(batch_id))


def status(state: str, size: int = 2, **more: Any) -> httpx.Response:
    results = [{"index": index, "success": True, "url": f"u{index}"} for index in reversed(range(size))]
    known = {"batchId": "b", "status": state, "progress": 100, "totalItems": size, "completedItems": size}
    return httpx.Response(200, json={**known, "failedItems": 0, "results": results, **more})


def always(response: httpx.Response) -> Poll:
    def poll(*_: object) -> httpx.Response:
        return response

    return poll


def job_of(form: str, api: Api, sets: int | list[Any], **wait: Any) -> tuple[Any, BatchStatus]:
    sets = [{"n": number} for number in range(sets)] if isinstance(sets, int) else sets
    if form == "sync":
        pictify = Pictify(api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(api)))
        pictify.client.clock = api.clock
        job = pictify.batch.render_template("tmpl", variable_sets=sets)
        return job, job.wait(**wait)

    async def run() -> tuple[Any, BatchStatus]:
        pictify = AsyncPictify(api_key=KEY, http_client=httpx.AsyncClient(transport=httpx.MockTransport(api)))
        pictify.client.clock = api.clock
        job = await pictify.batch.render_template("tmpl", variable_sets=sets)
        return job, await job.wait(**wait)

    return anyio.run(run)


forms = pytest.mark.parametrize("form", ["sync", "async"])


@forms
def test_the_poll_interval_of_a_batch_grows(form: str) -> None:
    api = Api(lambda _, turn: status("processing" if turn < 9 else "completed"))
    seen: list[str] = []

    def note(known: BatchStatus) -> None:
        seen.append(str(known.status))

    job, done = job_of(form, api, 2, on_progress=note)
    assert [str(done.status), len(api.polls), seen[-1], len(seen)] == ["completed", 9, "completed", 9]
    assert api.clock.waits == sorted(api.clock.waits)
    assert (api.clock.waits[0], api.clock.waits[-1]) == (1.0, 15.0)
    assert "b1" in repr(job)


@forms
def test_results_of_split_batches_are_in_order(form: str) -> None:
    sizes = {"b1": 100, "b2": 100, "b3": 50}
    states = {"b1": "completed", "b2": "partial", "b3": "completed"}
    api = Api(lambda batch, turn: status(states[batch] if turn > 1 or batch == "b2" else "pending", sizes[batch]))
    job, done = job_of(form, api, 250)
    assert (api.sizes, job.batch_ids) == ([100, 100, 50], ["b1", "b2", "b3"])
    assert [result.index for result in done.results or []] == list(range(250))
    assert (str(done.status), done.total_items, done.progress) == ("partial", 250, 100)
    assert api.polls.count("b2") == 1


@forms
def test_failed_polls_are_repeated_and_the_fifth_in_a_row_is_raised(form: str) -> None:
    lost = [httpx.Response(502), httpx.Response(429, headers={"retry-after": "7"}), httpx.Response(408)]
    api = Api(lambda _, turn: lost[turn - 1] if turn <= 3 else status("failed"))
    assert str(job_of(form, api, 1)[1].status) == "failed"
    assert 7.0 in api.clock.waits

    def rate_limited(*_: object) -> httpx.Response:
        raise httpx.ReadError("gone")

    with pytest.raises(APIConnectionError):
        job_of(form, Api(rate_limited), 1)
    with pytest.raises(PictifyError):
        job_of(form, Api(always(httpx.Response(404))), 1)


@forms
def test_polls_respect_the_rate_limit(form: str) -> None:
    left = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "2", "x-ratelimit-reset": "1700000060"}
    api = Api(
        lambda _, turn: httpx.Response(200, json=status("completed" if turn > 1 else "pending").json(), headers=left)
    )
    job_of(form, api, 150)
    assert api.clock.waits[0] == 30.0


@forms
def test_a_timeout_cancels_nothing(form: str) -> None:
    api = Api(always(status("processing")))
    with pytest.raises(WaitTimeoutError, match="2 of 2 items are done.*: wait again, or cancel it$") as caught:
        job_of(form, api, 1, timeout=5)
    assert caught.value.last is not None
    assert api.cancelled == []
    assert api.clock.waits == [1.0, 1.5, 2.25, 0.25]
    assert len(api.polls) == 5
    with pytest.raises(WaitTimeoutError, match="no poll had a response"):
        job_of(form, Api(always(httpx.Response(503))), 1, timeout=2)
    with pytest.raises(ValueError, match="must be more than 0 seconds"):
        job_of(form, api, 1, timeout=0)
    with pytest.raises(TypeError, match="timeout must be a number of seconds, got '5'"):
        job_of(form, api, 1, timeout="5")


@forms
def test_started_batches_are_not_lost_if_a_later_request_fails(form: str) -> None:
    api = Api(always(status("completed")), most=1)
    with pytest.raises(BatchStartError, match="^50 variable sets were not started") as caught:
        job_of(form, api, 150)
    assert isinstance(caught.value.__cause__, QuotaExceededError)
    job: Any = caught.value.job
    if form == "sync":
        job.cancel()
    else:
        anyio.run(job.cancel)
    assert api.cancelled == ["b1"]
    with pytest.raises(QuotaExceededError):
        job_of(form, Api(always(status("completed")), most=0), 1)
    with pytest.raises(ValueError, match="variable_sets must have at least 1 item"):
        job_of(form, api, 0)


@forms
def test_a_pickled_job_keeps_its_ids_and_not_the_client(form: str) -> None:
    with pytest.raises(BatchStartError) as caught:
        job_of(form, Api(always(status("completed")), most=1), 150)
    job: Any = caught.value.job
    assert copy.copy(job) is copy.deepcopy(job) is job
    packed = pickle.dumps(caught.value)
    assert KEY.encode() not in packed
    there: Any = pickle.loads(packed).job  # noqa: S301
    assert there.batch_ids == job.batch_ids == ["b1"]
    with pytest.raises(PictifyError, match="comes from another process and has no client: pass its `batch_ids`"):
        there.cancel() if form == "sync" else anyio.run(there.cancel)


def test_on_progress_may_be_async_and_a_response_without_an_id_is_an_error() -> None:
    seen: list[str] = []

    async def report(known: BatchStatus) -> None:
        seen.append(str(known.status))

    job_of("async", Api(always(status("completed"))), 1, on_progress=report)
    assert seen == ["completed"]
    with pytest.raises(TypeError, match="on_progress is async"):
        job_of("sync", Api(always(status("completed"))), 1, on_progress=report)
    nameless = httpx.MockTransport(
        lambda _: httpx.Response(202, json={"batchId": "..", "status": "pending", "totalItems": 1})
    )
    with pytest.raises(PictifyError, match="has an invalid batch id"):
        Pictify(api_key=KEY, http_client=httpx.Client(transport=nameless)).batch.render_template(
            "t", variable_sets=[{}]
        )


def test_the_real_clock_advances() -> None:
    clock = Clock()
    assert clock.time() > 1_700_000_000
    before = clock.monotonic()
    REAL_SLEEP(clock, 0)
    anyio.run(REAL_ASLEEP, clock, 0)
    assert 0 <= clock.jitter() < 1
    assert clock.monotonic() >= before


@forms
def test_all_batches_of_a_job_are_cancelled_even_if_the_first_fails(form: str) -> None:
    states = {"b1": "completed", "b2": "processing", "b3": "processing"}
    api = Api(lambda batch, _: status(states[batch], 100))
    with pytest.raises(WaitTimeoutError) as caught:
        job_of(form, api, 250, timeout=3)
    assert caught.value.last is not None
    api = Api(lambda batch, _: status(states[batch], 100), most=2)
    with pytest.raises(BatchStartError) as failed:
        job_of(form, api, 250)
    job: Any = failed.value.job
    api.failing = ("b1",)
    with pytest.raises(ConflictError, match="it has ended"):
        job.cancel() if form == "sync" else anyio.run(job.cancel)
    assert api.cancelled == ["b1", "b2"]


@forms
def test_a_finished_batch_is_not_cancelled(form: str) -> None:
    api = Api(always(status("completed")))
    job, _ = job_of(form, api, 150)
    _ = job.cancel() if form == "sync" else anyio.run(job.cancel)
    assert api.cancelled == []


@forms
def test_a_batch_without_a_status_is_not_polled_forever(form: str) -> None:
    api = Api(always(httpx.Response(200, json={"batchId": "b1", "totalItems": 1})))
    with pytest.raises(ResponseDecodeError, match="status: it is missing"):
        job_of(form, api, 1)
    assert len(api.polls) == 5


@forms
def test_long_waits_are_limited_and_results_without_an_index_keep_their_order(form: str) -> None:
    absurd = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "253402300000"}
    results = [{"url": "a"}, {"url": "b"}]
    responses = [
        httpx.Response(429, headers={"retry-after": "999999999999999"}),
        httpx.Response(200, json=status("processing").json(), headers=absurd),
        httpx.Response(200, json=status("completed", results=results).json()),
    ]
    api = Api(lambda _, turn: responses[turn - 1])
    _, done = job_of(form, api, 2)
    assert [(result.index, result.url) for result in done.results or []] == [(0, "a"), (1, "b")]
    assert api.clock.waits == [3600.0, 60.0]


def test_a_poll_respects_the_timeouts_of_the_client_and_of_the_job() -> None:
    timeouts: list[dict[str, float]] = []

    def poll(request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"])
        if request.method == "POST":
            return httpx.Response(202, json={"batchId": "b1", "status": "pending", "totalItems": 1})
        return status("completed")

    http_client = httpx.Client(transport=httpx.MockTransport(poll))
    for pictify in (
        Pictify(api_key=KEY, timeout=2, http_client=http_client),
        Pictify(api_key=KEY, http_client=http_client),
    ):
        pictify.client.clock = FakeClock()
        pictify.batch.render_template("t", variable_sets=[{}]).wait(timeout=30)
    assert {part for each in timeouts for part in each.values()} == {2, 5, 30, 60}


@forms
def test_all_sets_are_validated_before_the_first_is_sent(form: str) -> None:
    api = Api(always(status("completed")))
    sets: list[Any] = [{"n": 1}] * 149
    for wrong, text in ((3, r"variable_sets\[149\] must be a mapping"), ({"n": {1}}, "which JSON does not have")):
        with pytest.raises((TypeError, ValueError), match=text):
            job_of(form, api, [*sets, wrong])
    assert api.sizes == []


@forms
def test_progress_of_several_batches_is_combined(form: str) -> None:
    halfway = {"progress": 50, "totalItems": 50, "completedItems": 20, "failedItems": 5}

    def poll(batch: str, turn: int) -> httpx.Response:
        if batch == "b1":
            return status("completed", 100, failedItems=0)
        return status("processing", 50, **halfway) if turn == 1 else status("completed", 50, failedItems=1)

    seen: list[tuple[object, ...]] = []

    def note(known: BatchStatus) -> None:
        seen.append((str(known.status), known.progress, known.total_items, known.completed_items, known.failed_items))

    job_of(form, Api(poll), 150, on_progress=note)
    assert seen == [("processing", 250 / 3, 150, 120, 5), ("completed", 100, 150, 150, 1)]


@forms
@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("failed", "failed", "failed"),
        ("cancelled", "cancelled", "cancelled"),
        ("completed", "failed", "partial"),
        ("failed", "completed", "partial"),
        ("completed", "cancelled", "partial"),
    ],
)
def test_the_combined_status_of_several_batches(form: str, first: str, second: str, both: str) -> None:
    states = {"b1": first, "b2": second}
    _, done = job_of(
        form,
        Api(lambda batch, _: httpx.Response(200, json={"batchId": batch, "status": states[batch], "totalItems": 0})),
        150,
    )
    assert (str(done.status), done.progress, done.total_items, done.completed_items) == (both, 0, 0, 0)
    assert (done.failed_items, done.results) == (0, [])


def test_the_timeout_of_a_poll_is_the_remaining_time_but_at_least_a_second() -> None:
    timeouts: list[float] = []
    clock = FakeClock()

    def poll(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(202, json={"batchId": "b1", "status": "pending", "totalItems": 1})
        timeouts.append(request.extensions["timeout"]["read"])
        return status("processing")

    pictify = Pictify(api_key=KEY, timeout=None, http_client=httpx.Client(transport=httpx.MockTransport(poll)))
    pictify.client.clock = clock
    with pytest.raises(WaitTimeoutError):
        pictify.batch.render_template("t", variable_sets=[{}]).wait(timeout=5)
    assert timeouts == [5, 4, 2.5, 1, 1]


@forms
def test_only_consecutive_failed_polls_count(form: str) -> None:
    api = Api(
        lambda _, turn: status("completed" if turn == 10 else "processing") if turn % 5 == 0 else httpx.Response(502)
    )
    assert str(job_of(form, api, 1)[1].status) == "completed"
    assert len(api.polls) == 10
