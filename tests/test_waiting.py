"""Waiting for background work of the API by its id."""

from __future__ import annotations

from typing import Any

import anyio
import httpx
import pytest

from pictify_client import (
    APIConnectionError,
    AsyncPictify,
    NotFoundError,
    Pictify,
    ServerError,
    WaitTimeoutError,
)
from pictify_client.models import BatchStatus, WorkflowPreview, WorkflowRun
from pictify_client.testing import FakePictify

from .test_batches import FakeClock

KEY = "pic_live_x"
ROWS = [{"title": letter} for letter in "abcdef"]


class Api:
    """Responds to the polls of a test, in order; the last response is repeated."""

    def __init__(self, *responses: object) -> None:
        self.responses = list(responses)
        self.polls: list[str] = []
        self.clock = FakeClock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.polls.append(f"{request.method} {request.url.path}")
        response = self.responses[min(len(self.polls), len(self.responses)) - 1]
        if isinstance(response, Exception):
            raise response
        return response if isinstance(response, httpx.Response) else httpx.Response(200, json=response)

    def wait(self, form: str, method: str, *arguments: object, **options: object) -> Any:
        """Call a method that waits, sync or async."""
        resource, name = method.split(".")
        transport = httpx.MockTransport(self)
        if form == "sync":
            pictify = Pictify(api_key=KEY, max_retries=0, http_client=httpx.Client(transport=transport))
            pictify.client.clock = self.clock
            return getattr(getattr(pictify, resource), name)(*arguments, **options)

        async def main() -> object:
            pictify = AsyncPictify(api_key=KEY, max_retries=0, http_client=httpx.AsyncClient(transport=transport))
            pictify.client.clock = self.clock
            return await getattr(getattr(pictify, resource), name)(*arguments, **options)

        return anyio.run(main)


def run(rendered: int, failed: int = 0, **fields: object) -> dict[str, Any]:
    return {"run": {"uid": "R1", "counts": {"total": 4, "rendered": rendered, "failed": failed}, **fields}}


@pytest.mark.parametrize("form", ["sync", "async"])
def test_a_run_is_polled_until_each_row_has_ended(form: str) -> None:
    api, seen = Api({"run": {"uid": "R1"}}, run(0), run(2, 1), run(3, 1)), list[WorkflowRun]()
    done = api.wait(form, "workflows.wait", "R1", on_progress=seen.append)
    assert isinstance(done, WorkflowRun)
    assert done.counts is not None
    assert (done.counts.rendered, done.counts.failed) == (3, 1)
    assert [each.is_done for each in seen] == [False, False, False, True]
    assert api.polls == ["GET /workflow/R1"] * 4
    assert api.clock.waits == [1.0, 1.5, 2.25]


@pytest.mark.parametrize("status", ["completed", "partial", "failed", "cancelled"])
def test_a_status_ends_a_run_whose_rows_are_not_all_counted(status: str) -> None:
    api = Api(run(1, status="processing"), run(1, status=status))
    assert api.wait("sync", "workflows.wait", "R1").status == status
    assert len(api.polls) == 2


@pytest.mark.parametrize("form", ["sync", "async"])
def test_a_run_that_takes_too_long_continues(form: str) -> None:
    api = Api(run(1, 1))
    with pytest.raises(WaitTimeoutError, match=r"R1 is not done within .*: 2 of 4 rows are done\..* again$") as caught:
        api.wait(form, "workflows.wait", "R1", timeout=5, poll_interval=2)
    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value.last, WorkflowRun)
    assert api.clock.waits == [2.0, 3.0]
    with pytest.raises(WaitTimeoutError, match="its status is queued"):
        Api({"run": {"uid": "R1", "status": "queued"}}).wait(form, "workflows.wait", "R1", timeout=5)
    with pytest.raises(WaitTimeoutError, match="no poll had a response") as caught:
        Api(httpx.Response(503)).wait(form, "workflows.wait", "R1", timeout=2)
    assert caught.value.last is None


def test_failed_polls_are_repeated_a_limited_number_of_times() -> None:
    lost = httpx.ConnectError("lost")
    api = Api(lost, httpx.Response(502), httpx.Response(429), httpx.Response(200, text="{"), run(4))
    assert api.wait("sync", "workflows.wait", "R1").is_done
    api = Api(lost)
    with pytest.raises(APIConnectionError):
        api.wait("sync", "workflows.wait", "R1")
    assert len(api.polls) == 5
    api = Api(httpx.Response(404, json={"message": "Run not found"}))
    with pytest.raises(NotFoundError, match="Run not found"):
        api.wait("async", "workflows.wait", "R1")
    assert len(api.polls) == 1
    with pytest.raises(ServerError):
        Api(httpx.Response(500)).wait("async", "workflows.wait", "R1")


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((".",), {}, ValueError, r"uid must not be '\.'"),
        ((7,), {}, TypeError, "uid"),
        (("R1",), {"timeout": 0}, ValueError, "timeout must be more than 0 seconds, and finite, got 0"),
        (("R1",), {"timeout": "5"}, TypeError, "timeout must be a number of seconds, got '5'"),
        (("R1",), {"poll_interval": None}, TypeError, "poll_interval must be a number of seconds, got None"),
        (("R1",), {"poll_interval": float("inf")}, ValueError, "poll_interval must be more than 0 seconds, and finite"),
    ],
)
@pytest.mark.parametrize("form", ["sync", "async"])
def test_invalid_arguments_are_errors_before_a_request(
    form: str, arguments: tuple[object, ...], options: dict[str, object], error: type[Exception], message: str
) -> None:
    api = Api(run(4))
    with pytest.raises(error, match=message):
        api.wait(form, "workflows.wait", *arguments, **options)
    assert api.polls == []


def test_progress_may_be_awaited_in_async_code_only() -> None:
    seen = list[int]()

    async def report(state: WorkflowRun) -> None:
        await anyio.lowlevel.checkpoint()
        seen.append((state.counts and state.counts.rendered) or 0)

    Api(run(1), run(4)).wait("async", "workflows.wait", "R1", on_progress=report)
    assert seen == [1, 4]
    with pytest.raises(TypeError, match="on_progress is async: in sync code it must be a function"):
        Api(run(4)).wait("sync", "workflows.wait", "R1", on_progress=report)


def test_an_error_of_on_progress_ends_the_wait() -> None:
    def stop(_: object) -> None:
        raise KeyboardInterrupt

    for form in ("sync", "async"):
        api = Api(run(1))
        with pytest.raises(KeyboardInterrupt):
            api.wait(form, "workflows.wait", "R1", on_progress=stop)
        assert len(api.polls) == 1


@pytest.mark.parametrize("form", ["sync", "async"])
def test_a_preview_is_polled_until_it_has_a_url(form: str) -> None:
    queued = httpx.Response(202, json={"jobId": "J1", "status": "queued"})
    api = Api(queued, queued, {"url": "https://media.pictify.io/a.pdf", "width": 10, "height": 20})
    done = api.wait(form, "workflows.wait_for_preview", "J1")
    assert isinstance(done, WorkflowPreview)
    assert done.url == "https://media.pictify.io/a.pdf"
    assert api.polls == ["GET /workflow/preview/J1"] * 3
    failed = Api(queued, {"jobId": "J1", "status": "failed"}).wait(form, "workflows.wait_for_preview", "J1")
    assert (failed.url, failed.status) == (None, "failed")


@pytest.mark.parametrize("form", ["sync", "async"])
def test_a_batch_is_waited_for_by_its_id(form: str) -> None:
    def state(status: str) -> dict[str, object]:
        return {"batchId": "B1", "status": status, "progress": 50, "totalItems": 2, "completedItems": 1}

    api = Api(state("processing"), state("partial"))
    done = api.wait(form, "batch.wait", "B1")
    assert isinstance(done, BatchStatus)
    assert (done.status, done.is_done) == ("partial", True)
    assert api.polls == ["GET /templates/batch/B1/results"] * 2


def test_waiting_works_with_the_fake_api() -> None:
    pictify = FakePictify().client()
    started = pictify.workflows.start(template_uid="APPK3ATNDP", rows=ROWS)
    done = pictify.workflows.wait(started.uid, timeout=60)
    assert done.counts is not None
    assert (done.is_done, done.counts.rendered) == (True, 6)
    with pytest.raises(NotFoundError, match="Run not found"):
        pictify.workflows.wait("NOWORKFLOW")
