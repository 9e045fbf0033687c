"""The testing kit in users' tests: in memory, and without waiting."""

from __future__ import annotations

import inspect
import re
import socket
import struct
import subprocess
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from gc import collect
from pathlib import Path
from typing import Any
from weakref import ref

import anyio
import httpx
import pytest

from pictify_client import (
    APIConnectionError,
    APITimeoutError,
    AsyncPictify,
    ForbiddenError,
    NotFoundError,
    PacingError,
    Pictify,
    PictifyError,
    QuotaExceededError,
    RateLimitError,
    RequestEvent,
    ServerError,
    UnauthorizedError,
    WaitTimeoutError,
    WebhookEvent,
    webhooks,
)
from pictify_client._runtime.clock import Clock
from pictify_client.batches import BatchJob
from pictify_client.models import ExperimentVariantParam
from pictify_client.testing import API_KEY, FakeClock, FakePictify, ReceivedRequest, serving
from pictify_client.testing._account import make_id
from pictify_client.testing._transport import ClientOptions

from .servers import async_forms, forms

EMPTY: list[dict[str, str]] = [{}]
MOMENT = datetime(2026, 5, 31, 23, 59, tzinfo=UTC)


@pytest.fixture
def fake(fake_pictify: FakePictify) -> FakePictify:
    return fake_pictify


def run(form: str, test: Callable[[], Awaitable[None]]) -> None:
    anyio.run(test, backend="trio" if form == "trio" else "asyncio")


class Caller:
    """The clients of a fake API, with the same interface in sync code, asyncio and trio."""

    def __init__(self, form: str, fake: FakePictify, **options: Any) -> None:
        self.form = form
        self.pictify = fake.client(**options) if form == "sync" else fake.async_client(**options)

    def __call__(self, name: str, /, *arguments: Any, **named: Any) -> Any:
        found: Any = self.pictify
        for part in name.split("."):
            found = getattr(found, part)
        if self.form == "sync":
            done = found(*arguments, **named)
            return list(done) if name.endswith(".list") else done

        async def call() -> Any:
            done = found(*arguments, **named)
            return [each async for each in done] if name.endswith(".list") else await done

        return anyio.run(call, backend=self.form)


# The clients.


@forms
def test_a_client_talks_to_it(fake: FakePictify, form: str) -> None:
    call = Caller(form, fake)
    assert [each.uid for each in call("bindings.list")] == [each["uid"] for each in fake.bindings]
    # Each call of async code here has its own event loop.
    made = call("templates.create", name="Mine", width=40, height=30)
    assert call("templates.get", made.uid).name == "Mine"
    assert fake.templates[-1]["uid"] == made.uid
    assert isinstance(call.pictify, Pictify if form == "sync" else AsyncPictify)
    assert fake.clock.elapsed == 0


@async_forms
def test_many_tasks_share_a_client(fake: FakePictify, form: str) -> None:
    counts: list[int] = []

    async def test() -> None:
        async with fake.async_client() as pictify, anyio.create_task_group() as group:

            async def one() -> None:
                counts.append(len([each async for each in pictify.bindings.list(limit=10)]))

            for _ in range(20):
                group.start_soon(one)

    run(form, test)
    assert counts == [45] * 20


def test_threads_share_a_client(fake: FakePictify) -> None:
    with fake.client() as pictify, ThreadPoolExecutor(8) as threads:

        def make(number: int) -> object:
            return pictify.images.create(html=f"<b>{number}</b>").id

        made = list(threads.map(make, range(40)))
    assert len(set(made)) == len(fake.images) == len(fake.requests) == 40


def test_clients_share_the_records_and_are_closed_separately(fake: FakePictify) -> None:
    with fake.client() as first:
        uid = str(first.images.create(html="x").id)
    assert fake.client().images.get(uid).uid == uid

    async def test() -> None:
        async with fake.async_client() as other:
            assert (await other.images.get(uid)).uid == uid
        await other.aclose()
        with pytest.raises(PictifyError, match="the client is closed"):
            await other.images.get(uid)

    anyio.run(test)
    first.close()
    with pytest.raises(PictifyError, match="the client is closed"):
        first.images.get(uid)


def test_environment_variables_are_ignored(fake: FakePictify, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PICTIFY_BASE_URL", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("PICTIFY_API_KEY", "pic_live_real")
    assert len(list(fake.client().bindings.list())) == 45
    assert fake.client().client.base_url == "https://api.pictify.io"


@forms
def test_the_options_of_a_client(fake: FakePictify, form: str) -> None:
    seen: list[str] = []

    def keep(event: RequestEvent) -> None:
        seen.append(event.operation)

    call = Caller(form, fake, max_retries=0, headers={"X-Mine": "1"}, on_request=keep)
    fake.fail_next(503)
    with pytest.raises(ServerError) as raised:
        call("templates.list")
    assert raised.value.attempts == 1
    assert seen == ["GET /templates"]
    assert fake.requests[0].headers["x-mine"] == "1"
    with pytest.raises(UnauthorizedError):
        Caller(form, fake, api_key="pic_live_other")("templates.list")


def test_the_options_are_those_of_the_constructors() -> None:
    for constructor in (Pictify, AsyncPictify):
        known = set(inspect.signature(constructor).parameters)
        # These options concern the network, which is not used.
        assert known - {"base_url", "http_client", "allow_http", "http2"} == ClientOptions.__optional_keys__


@forms
def test_files_are_as_large_as_real_ones_and_can_be_streamed(fake: FakePictify, form: str, tmp_path: Path) -> None:
    fake.templates.append({"uid": "tmpl_large", "width": 10_000, "height": 9_000})
    call = Caller(form, fake)
    small = call("url_rendering.render_template", "APPK3ATNDP", "png")
    assert small.content_length == 200
    sizes: list[int] = []

    async def test() -> None:
        pictify: Any = call.pictify
        streaming = pictify.with_options(stream_files=True)
        if form == "sync":
            large: Any = pictify.url_rendering.render_template("tmpl_large", "jpeg")
            with streaming.url_rendering.render_template("tmpl_large", "jpeg") as streamed:
                sizes.extend([len(chunk) for chunk in streamed.iter_bytes()])
            with streaming.url_rendering.render_template("tmpl_large", "jpeg") as unread:
                assert unread.content_length == sum(sizes)
            pictify.close()
            assert len(large.read()) == sum(sizes)
            large.save(tmp_path / "large.jpg")
        else:
            large = await pictify.url_rendering.render_template("tmpl_large", "jpeg")
            async with await streaming.url_rendering.render_template("tmpl_large", "jpeg") as streamed:
                sizes.extend([len(chunk) async for chunk in streamed.iter_bytes()])
            async with await streaming.url_rendering.render_template("tmpl_large", "jpeg") as unread:
                assert unread.content_length == sum(sizes)
            await pictify.aclose()
            assert len(await large.read()) == sum(sizes)
            await large.save(tmp_path / "large.jpg")

    run(form, test)
    assert sum(sizes) == (tmp_path / "large.jpg").stat().st_size > 65_536
    assert len(sizes) > 2


# The clock.


def test_its_clock_advances_if_something_waits() -> None:
    clock = FakeClock(MOMENT)
    clock.advance(30)
    clock.sleep(31.5)
    assert (clock.elapsed, clock.monotonic(), clock.time()) == (61.5, 61.5, MOMENT.timestamp() + 61.5)
    assert clock.now().isoformat() == "2026-06-01T00:00:01.500000+00:00"
    clock.advance(0)
    for wrong in (-1, float("nan")):
        with pytest.raises(ValueError, match="seconds must be 0 or more"):
            clock.advance(wrong)
    assert clock.elapsed == 61.5
    assert abs(FakeClock().time() - Clock().time()) < 3600


def test_a_clock_does_not_keep_a_fake_api_alive() -> None:
    clock = FakeClock()
    fake = FakePictify(clock=clock)
    gone = ref(fake)
    del fake
    collect()
    assert gone() is None
    clock.advance(5)
    FakePictify(clock=clock).client().images.create(html="x")
    assert clock.elapsed == 5


@async_forms
def test_tasks_that_wait_at_the_same_time_wait_together(form: str) -> None:
    clock = FakeClock()

    async def test() -> None:
        async with anyio.create_task_group() as group:
            for seconds in (3, 10, 5):
                group.start_soon(clock.asleep, seconds)

    run(form, test)
    assert clock.elapsed == 10


def test_records_have_the_time_of_the_clock() -> None:
    fake = FakePictify(clock=FakeClock(MOMENT))
    pictify = fake.client()
    template = pictify.templates.create(name="x")
    fake.clock.advance(60)
    changed = pictify.templates.update(template.uid, name="y")
    assert (changed.created_at, changed.updated_at) == (MOMENT, datetime(2026, 6, 1, tzinfo=UTC))
    later = pictify.templates.create(name="z")
    assert [each.uid for each in pictify.templates.list()][:2] == [later.uid, template.uid]


@forms
def test_a_batch_progresses_by_the_clock(fake: FakePictify, form: str) -> None:
    call = Caller(form, fake)
    job = call("batch.render_template", "APPK3ATNDP", variable_sets=[{}] * 6)
    assert call("batch.get_results", job.batch_ids[0]).progress == 0
    fake.clock.advance(2)
    assert call("batch.get_results", job.batch_ids[0]).progress == 66.67
    fake.clock.advance(10)
    assert call("batch.get_results", job.batch_ids[0]).status == "completed"


@forms
def test_a_batch_that_nobody_polls_progresses_by_the_clock(form: str) -> None:
    fake = FakePictify(clock=FakeClock(MOMENT))
    call = Caller(form, fake)
    job = call("batch.render_template", "APPK3ATNDP", variable_sets=[{}] * 6)
    for seconds, count in ((0.9, 0), (0.2, 2), (0.9, 4), (60, 6)):
        fake.clock.advance(seconds)
        assert len(fake.images) == count
        assert len(call("renders.list", template="APPK3ATNDP")) == count
    # Each file was rendered in its own second.
    times = [datetime.fromisoformat(each["createdAt"]) - MOMENT for each in fake.images]
    assert [each.total_seconds() for each in times] == [1, 1, 2, 2, 3, 3]
    done = call("batch.get_results", job.batch_ids[0])
    assert (done.status, done.started_at, (done.completed_at - MOMENT).total_seconds()) == ("completed", MOMENT, 3)


@forms
def test_a_client_that_waits_for_something_else_lets_a_batch_progress(fake: FakePictify, form: str) -> None:
    call = Caller(form, fake)
    call("batch.render_template", "APPK3ATNDP", variable_sets=[{}] * 6)
    fake.latency = 5
    call("templates.get", "APPK3ATNDP")
    assert len(fake.images) == 6


def test_waiting_for_a_batch_waits_by_the_clock(fake: FakePictify) -> None:
    pictify = fake.client()
    job = pictify.batch.render_template("APPK3ATNDP", variable_sets=EMPTY * 120)
    assert isinstance(job, BatchJob)
    assert job.wait(timeout=60).completed_items == 120
    assert 3 <= fake.clock.elapsed < 10
    job = pictify.batch.render_template("APPK3ATNDP", variable_sets=EMPTY * 3)
    assert isinstance(job, BatchJob)
    with pytest.raises(WaitTimeoutError, match="2 of 3 items are done"):
        job.wait(timeout=2)


def test_a_scheduled_experiment_follows_the_clock() -> None:
    fake = FakePictify(clock=FakeClock(MOMENT))
    pictify = fake.client()
    variants: list[ExperimentVariantParam] = [
        {"id": "always", "weight": 0, "isDefault": True},
        {"id": "june", "weight": 0, "schedule": {"startAt": "2026-06-01T00:00:00Z", "endAt": "2026-06-30T00:00:00Z"}},
        {"id": "later", "weight": 0, "schedule": {"startAt": "2026-06-15T00:00:00Z"}},
    ]
    made = pictify.experiments.create(name="x", type="scheduled", slug="abc", variants=variants)
    pictify.experiments.start(made.uid)
    for seconds in (0, 60, 20 * 24 * 3600, 20 * 24 * 3600):
        fake.clock.advance(seconds)
        pictify.url_rendering.render_experiment("abc", "png")
    counts = {each.id: each.impressions for each in pictify.experiments.get(made.uid).variants or []}
    assert counts == {"always": 1, "june": 2, "later": 1}


# Simulated failures.


@forms
def test_a_failure_can_be_simulated(fake: FakePictify, form: str) -> None:
    call = Caller(form, fake)
    fake.fail_next(503, retry_after=2)
    assert call("images.create", html="x").url
    assert fake.clock.elapsed == 2.5
    assert [request.operation for request in fake.requests] == ["POST /image"] * 2
    fake.fail_next(429)
    fake.fail_next(500, code="internal")
    with pytest.raises(RateLimitError) as limited:
        call("images.create", html="x")
    assert limited.value.retry_after is None
    with pytest.raises(ServerError, match="Internal Server Error") as failed:
        call("images.create", html="x")
    assert failed.value.code == "internal"
    fake.fail_next(418, times=2)
    for _ in range(2):
        with pytest.raises(PictifyError, match="418 I'm a Teapot: Error 418"):
            call("templates.list")
    assert len(fake.images) == 1
    assert call("templates.list")


@forms
def test_a_connection_error_can_be_simulated(fake: FakePictify, form: str) -> None:
    call = Caller(form, fake)
    fake.fail_next(httpx.ConnectError, times=2)
    assert call("images.create", html="x").url
    # The request was never sent, so it did not arrive.
    assert len(fake.requests) == len(fake.images) == 1
    assert fake.clock.elapsed == 1.5
    fake.fail_next(httpx.ReadError("the connection is lost"))
    with pytest.raises(APIConnectionError, match="the connection is lost") as lost:
        call("images.create", html="x")
    assert isinstance(lost.value.__cause__, httpx.ReadError)
    # The request was processed, so it is not retried.
    assert len(fake.requests) == len(fake.images) == 2
    fake.fail_next(httpx.RemoteProtocolError)
    assert len(call("bindings.list", limit=100)) == 45
    assert len(fake.requests) == 4


@pytest.mark.parametrize(("fault", "requests"), [(httpx.ReadTimeout, 1), (httpx.ConnectTimeout, 0)])
@forms
def test_a_timeout_takes_as_long_as_the_client_allows(
    fake: FakePictify, form: str, fault: type[httpx.TimeoutException], requests: int
) -> None:
    fake.fail_next(fault)
    with pytest.raises(APITimeoutError, match="10 s for the complete call; set by timeout="):
        Caller(form, fake, timeout=10, attempt_timeout=60)("images.create", html="x")
    assert fake.clock.elapsed == 10
    assert len(fake.requests) == requests
    fake.fail_next(fault)
    with pytest.raises(APITimeoutError, match="after 60 s; set by attempt_timeout="):
        Caller(form, fake, max_retries=0, attempt_timeout=60)("images.create", html="x")
    assert fake.clock.elapsed == 70
    fake.fail_next(fault)
    with pytest.raises(APITimeoutError):
        Caller(form, fake, max_retries=0, timeout=None, attempt_timeout=None)("images.create", html="x")
    assert fake.clock.elapsed == 70


@forms
def test_responses_take_as_long_as_the_latency_says(fake: FakePictify, form: str) -> None:
    fake.latency = 0.5
    call = Caller(form, fake)
    call("images.create", html="x")
    assert fake.clock.elapsed == 0.5
    with pytest.raises(APITimeoutError, match=re.escape("0.25 s for the complete call; set by timeout=")):
        Caller(form, fake, timeout=0.25)("images.create", html="x")
    # The render succeeds, but too late.
    assert (fake.clock.elapsed, len(fake.images)) == (0.75, 2)
    with pytest.raises(APITimeoutError, match="attempt_timeout="):
        Caller(form, fake, attempt_timeout=httpx.Timeout(5, read=0.1), max_retries=2)("templates.list")
    assert len(fake.requests) == 5


@async_forms
def test_responses_to_many_tasks_take_their_time_together(fake: FakePictify, form: str) -> None:
    fake.latency = 2

    async def test() -> None:
        async with fake.async_client() as pictify, anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(pictify.bindings.get, make_id("binding", number + 1))

    run(form, test)
    assert (fake.clock.elapsed, len(fake.requests)) == (2, 10)


def test_a_slow_machine_causes_no_timeout(fake: FakePictify) -> None:
    def delay(_event: RequestEvent) -> None:
        sum(range(10_000))

    assert fake.client(timeout=1e-6, on_request=delay).bindings.get("OW9OT95X0L").uid

    async def test() -> None:
        assert (await fake.async_client(timeout=1e-6).bindings.get("OW9OT95X0L")).uid

    anyio.run(test)


def test_a_failure_can_be_limited_to_an_operation(fake: FakePictify) -> None:
    pictify = fake.client(max_retries=0)
    fake.fail_next(500, operation="GET /bindings/{uid}")
    fake.fail_next(502, operation="POST /image")
    pictify.templates.get("APPK3ATNDP")
    with pytest.raises(ServerError, match="502"):
        pictify.images.create(html="x")
    with pytest.raises(ServerError, match="500"):
        pictify.bindings.get("OW9OT95X0L")
    pictify.bindings.get("OW9OT95X0L")


@pytest.mark.parametrize(
    ("failure", "named", "error", "message"),
    [
        (200, {}, ValueError, "from 400 to 599, got 200"),
        (True, {}, TypeError, "got True"),
        (ValueError, {}, TypeError, "failure must be a status code or an httpx.TransportError"),
        (httpx.HTTPStatusError, {}, TypeError, "failure must be"),
        (500, {"times": 0}, ValueError, "times must be at least 1, got 0"),
        (500, {"operation": "POST /images"}, ValueError, "did you mean 'POST /image'?"),
        (500, {"operation": "images.create"}, ValueError, "An operation is such as 'GET /bindings/{uid}'"),
        (httpx.ReadError, {"retry_after": 1}, ValueError, "there is none if a connection fails"),
        (httpx.ReadError("x"), {"code": "x"}, ValueError, "there is none if a connection fails"),
    ],
)
def test_an_invalid_failure_is_an_error(
    fake: FakePictify, failure: Any, named: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        fake.fail_next(failure, **named)
    fake.client().templates.get("APPK3ATNDP")


def test_failures_and_latency_work_over_a_socket(fake: FakePictify, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def sleep(_clock: Clock, seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(Clock, "sleep", sleep)
    with serving(fake) as base_url, Pictify(api_key=API_KEY, base_url=base_url, max_retries=0) as pictify:
        fake.fail_next(httpx.ReadError)
        with pytest.raises(APIConnectionError):
            pictify.images.create(html="x")
        fake.latency = 7
        pictify.templates.get("APPK3ATNDP")
    assert waits == [7]
    assert len(fake.images) == 1


def test_an_invalid_http_request_is_rejected_and_nothing_is_printed(
    fake: FakePictify, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(fake) as base_url:
        url = httpx.URL(base_url)
        with socket.create_connection((url.host, url.port or 80)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 101 + b"\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 431")
    assert capfd.readouterr() == ("", "")


def test_its_clock_advances_while_it_is_served(fake: FakePictify, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [100.0]
    monkeypatch.setattr("pictify_client.testing.clock.time.monotonic", lambda: moment[0])
    clock = FakeClock(MOMENT)
    with clock.running():
        moment[0] += 2
        with clock.running():
            moment[0] += 3
            clock.advance(10)
            clock.sleep(5)
        moment[0] += 1
        assert clock.elapsed == 21
    moment[0] += 100
    assert clock.elapsed == 21
    monkeypatch.undo()
    with serving(fake):
        assert fake.clock.elapsed > 0


# Limits.


def test_it_sends_rate_limit_headers_only_if_it_has_a_limit(fake: FakePictify) -> None:
    fake.client().templates.get("APPK3ATNDP")
    response = fake.respond("GET", "/templates", {"authorization": f"Bearer {API_KEY}"})
    assert [*response.headers] == ["date", "content-type"]


@forms
def test_it_limits_calls_per_minute(form: str) -> None:
    fake = FakePictify(clock=FakeClock(MOMENT))
    fake.rate_limit = 2
    call = Caller(form, fake, max_retries=0)
    call("templates.get", "APPK3ATNDP")
    fake.clock.advance(20)
    with pytest.raises(NotFoundError) as missing:
        call("templates.get", "NOTEMPLATE")
    limit = missing.value.rate_limit
    assert (limit.limit, limit.remaining, limit.reset) == (2, 0, datetime(2026, 6, 1, tzinfo=UTC))
    with pytest.raises(RateLimitError, match="Rate limit exceeded") as limited:
        call("templates.get", "APPK3ATNDP")
    assert (limited.value.retry_after, limited.value.rate_limit.remaining) == (40, 0)
    fake.clock.advance(40)
    call("templates.get", "APPK3ATNDP")
    # Requests that need no key are not limited, and those without a key are not counted.
    for _ in range(3):
        call("url_rendering.render_binding", "OW9OT95X0L", "png")
        with pytest.raises(UnauthorizedError):
            Caller(form, fake, api_key="pic_live_other")("templates.list")
    call("templates.get", "APPK3ATNDP")
    fake.rate_limit = None
    call("templates.get", "APPK3ATNDP")


@forms
def test_a_client_waits_for_the_limit_by_the_clock(fake: FakePictify, form: str) -> None:
    fake.rate_limit = 2
    call = Caller(form, fake)
    for _ in range(5):
        call("images.create", html="x")
    assert fake.clock.elapsed == 120
    assert len(fake.requests) == 7
    fake.requests.clear()
    fake.clock.advance(60)
    paced = Caller(form, fake, pacing=True)
    for _ in range(5):
        paced("images.create", html="x")
    assert fake.clock.elapsed == 300
    # None of these was rejected.
    assert len(fake.requests) == 5
    impatient = Caller(form, fake, pacing=True, max_wait=5)
    fake.clock.advance(60)
    for _ in range(2):
        impatient("images.create", html="x")
    with pytest.raises(PacingError):
        impatient("images.create", html="x")


@forms
def test_it_limits_renders_per_month(form: str) -> None:
    fake = FakePictify(clock=FakeClock(MOMENT))
    fake.quota = 6
    call = Caller(form, fake)
    call("images.create", html="x")
    call("templates.multi_size_render", "APPK3ATNDP", sizes=[{"width": 10, "height": 10}] * 2)
    call("batch.render_template", "APPK3ATNDP", variable_sets=[{}] * 2)
    with pytest.raises(ForbiddenError):
        call("images.create", template="NOTEMPLATE")
    assert fake.renders == 5
    with pytest.raises(QuotaExceededError, match="You have used all 6 renders of this month"):
        call("batch.render_template", "APPK3ATNDP", variable_sets=[{}] * 2)
    call("pdfs.render", template_uid="APPK3ATNDP")
    for name in ("images", "gifs"):
        with pytest.raises(QuotaExceededError, match="see https://pictify.io/") as raised:
            call(f"{name}.create", html="x")
        assert (raised.value.status_code, raised.value.code) == (429, "quota_exceeded")
        assert raised.value.upgrade_url
        assert raised.value.retry_after is None
    call("images.list")
    assert fake.clock.elapsed == 0
    # The next month.
    fake.clock.advance(60)
    assert fake.renders == 0
    call("gifs.create", html="x")
    assert fake.renders == 1


COSTS: list[tuple[str, dict[str, Any], float]] = [
    ("images.create", {"html": "x"}, 1),
    ("gifs.create", {"html": "x"}, 1),
    ("gifs.capture", {"url": "https://shop.example.com"}, 1.5),
    ("templates.render", {"uid": "APPK3ATNDP", "layouts": ["square", "story", "none"]}, 2),
    ("templates.render", {"uid": "APPK3ATNDP", "layout": "none"}, 0),
    ("templates.render", {"uid": "APPK3ATNDP", "format": "pdf", "variable_sets": [{}] * 3}, 3),
    ("templates.multi_size_render", {"uid": "APPK3ATNDP", "sizes": [{"width": 10, "height": 10}, {}]}, 1),
    ("pdfs.render_multi_page", {"template_uid": "APPK3ATNDP", "variable_sets": [{}] * 4}, 4),
    ("videos.render", {"uid": make_id("video", 1)}, 1),
    ("videos.preview", {"uid": make_id("video", 1)}, 0),
    ("videos.generate", {"prompt": "x"}, 0),
    ("templates.preview", {"html": "x"}, 0),
    ("workflows.preview", {"template_uid": "APPK3ATNDP", "rows": [{}]}, 0),
    ("workflows.start", {"template_uid": "1O8AC6BEVJ", "rows": [{"title": "x"}, {"tilte": "x"}, {}]}, 2),
    ("batch.render_template", {"uid": "1O8AC6BEVJ", "variable_sets": [{"title": "x"}, {"tilte": "x"}, {}]}, 2),
    ("batch.render_template", {"uid": "APPK3ATNDP", "variable_sets": [{}, {}], "layouts": ["square", "story"]}, 4),
    ("batch.render_template", {"uid": "APPK3ATNDP", "variable_sets": [{}, {}], "layouts": ["square", "none"]}, 2),
    (
        "batch.render_template",
        {"uid": "APPK3ATNDP", "csv_url": "c", "mappings": {}, "layouts": ["square", "story"]},
        6,
    ),
    ("batch.render_template", {"uid": "APPK3ATNDP", "csv_url": "c", "mappings": {"title": "Title"}}, 3),
]


@pytest.mark.parametrize(("name", "arguments", "credits_used"), COSTS)
def test_the_credits_of_a_call(name: str, arguments: dict[str, Any], credits_used: float) -> None:
    def started() -> FakePictify:
        fake = FakePictify()
        fake.csv_files["c"] = "Title\na\nb\nc\n"
        return fake

    fake = started()
    Caller("sync", fake)(name, **arguments)
    fake.clock.advance(60)
    assert fake.renders == Caller("sync", fake)("account.get_usage").usage == credits_used
    # Every file in the feed was paid for, and the other way round: a PDF by its pages, a capture more than others.
    pages = {pdf["url"]: pdf["pageCount"] for pdf in fake.pdfs}
    paid = sum(pages.get(each["url"], 1.5 if name == "gifs.capture" else 1) for each in fake.feed)
    assert paid == credits_used
    poor = started()
    poor.quota = 0
    if credits_used:
        with pytest.raises(QuotaExceededError):
            Caller("sync", poor)(name, **arguments)


def test_the_rows_of_a_cancelled_batch_cost_nothing_unless_they_were_rendered(fake: FakePictify) -> None:
    pictify = fake.client()
    job = pictify.batch.render_template("APPK3ATNDP", variable_sets=EMPTY * 6, layouts=["square", "story"])
    assert fake.renders == 12
    fake.clock.advance(1)
    job.cancel()
    fake.clock.advance(60)
    assert (fake.renders, len(fake.images)) == (4, 4)
    assert pictify.batch.get_results(job.batch_ids[0]).completed_items == 2


def test_cancelled_rows_of_the_previous_month_return_no_credits() -> None:
    fake = FakePictify(clock=FakeClock(MOMENT))
    fake.client().batch.render_template("1O8AC6BEVJ", variable_sets=[{"tilte": "x"}])
    fake.clock.advance(60)
    assert fake.renders == 0
    fake.client().images.create(html="x")
    assert fake.renders == 1


# Recorded requests.


@forms
def test_a_forbidden_operation_has_the_error_of_the_api(fake: FakePictify, form: str) -> None:
    call = Caller(form, fake)
    fake.template_limit = 3
    with pytest.raises(QuotaExceededError, match="Your plan allows 3 templates") as full:
        call("templates.create", name="x")
    assert (full.value.status_code, full.value.code) == (402, "template_limit_reached")
    fake.email_verified = False
    for name, arguments in (("images.create", {"html": "x"}), ("gifs.create", {"html": "x"})):
        with pytest.raises(ForbiddenError, match="cannot render until its email address is verified"):
            call(name, **arguments)
    assert len(call("templates.list")) == 3
    assert fake.renders == 0


@forms
def test_a_busy_response_is_retriable(fake: FakePictify, form: str) -> None:
    call = Caller(form, fake)
    fake.fail_next(503)
    assert call("images.create", html="x").url
    assert (len(fake.requests), fake.clock.elapsed) == (2, 3)
    for retriable in (False, None):
        fake.fail_next(500, retriable=retriable)
        with pytest.raises(ServerError) as failed:
            call("images.create", html="x")
        assert failed.value.retriable is retriable
    fake.fail_next(503, retriable=False)
    with pytest.raises(ServerError):
        call("templates.list")
    fake.fail_next(429)
    with pytest.raises(RateLimitError, match="Rate limit exceeded"):
        call("images.create", html="x")
    assert len(fake.requests) == 6


@forms
def test_it_records_requests(fake: FakePictify, form: str) -> None:
    call = Caller(form, fake)
    call("images.create", html="<b>x</b>", width=600)
    call("url_rendering.render_template", "APPK3ATNDP", "png", variables={"title": "a b"})
    made, shown = fake.requests
    assert made == ReceivedRequest(
        operation="POST /image",
        method="POST",
        path="/image",
        query={},
        headers=made.headers,
        json={"html": "<b>x</b>", "width": 600},
    )
    assert made.headers["content-type"] == "application/json"
    assert (shown.operation, shown.path) == ("GET /r/{templateUid}.{format}", "/r/APPK3ATNDP.png")
    assert (shown.query, shown.json) == ({"title": "a b"}, None)
    assert not any(API_KEY in repr((each, each.headers)) for each in fake.requests)
    fake.requests.clear()
    fake.respond("GET", "/nowhere", {}, b"{")
    assert [(each.operation, each.path, each.json) for each in fake.requests] == [(None, "/nowhere", None)]


# Files that were rendered.


def size_of(content: bytes) -> tuple[int, int]:
    """The size of an image, by its header."""
    if content.startswith(b"\x89PNG"):
        return struct.unpack(">II", content[16:24])
    if content.startswith(b"GIF89a"):
        return struct.unpack("<HH", content[6:10])
    if content.startswith(b"RIFF"):
        bits = int.from_bytes(content[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    place = content.index(b"\xff\xc0")
    height, width = struct.unpack(">HH", content[place + 5 : place + 9])
    return width, height


@pytest.mark.parametrize("extension", ["png", "jpg", "jpeg", "webp"])
def test_the_file_of_a_render_has_the_requested_size(fake: FakePictify, extension: Any) -> None:
    pictify = fake.client()
    for width, height in ((1, 1), (600, 315), (8, 9), (1200, 630), (4000, 3999)):
        image = pictify.images.create(html="x", width=width, height=height, file_extension=extension)
        assert size_of(fake.file(image.url)) == (width, height)
    assert size_of(fake.file(pictify.images.create(html="x", file_extension=extension).url)) == (1280, 720)


def test_the_files_of_all_renders(fake: FakePictify) -> None:
    pictify = fake.client()
    template = "1O8AC6BEVJ"
    sizes: list[Any] = [{"width": 20, "height": 30}]
    several = pictify.templates.multi_size_render(template, sizes=sizes).to_dict()
    for url, size in (
        (pictify.images.create(template=template).url, (600, 400)),
        (pictify.images.create(template=template, height=50).url, (600, 50)),
        (pictify.images.create_og(template=template).url, (1200, 630)),
        (pictify.images.create_canvas(fabric_js_data={}, width=7, height=8).url, (7, 8)),
        (pictify.images.agent_screenshot(prompt="x").url, (1280, 720)),
        (pictify.templates.render(template, format="webp").url, (600, 400)),
        (pictify.gifs.create(html="x", width=5).url, (5, 600)),
        (several["results"][0]["url"], (20, 30)),
    ):
        assert isinstance(url, str)
        assert size_of(fake.file(url)) == size
    # A file has some size, whatever a template says.
    odd = pictify.templates.create(name="x", width=-3, height=10**9)
    assert size_of(fake.file(pictify.templates.render(odd.uid).url)) == (1, 4096)
    with pytest.raises(LookupError, match="no render has the URL"):
        fake.file("https://cdn.pictify.io/images/none.png")


def test_the_files_of_renders_are_served(fake: FakePictify) -> None:
    with serving(fake) as base_url:
        pictify = Pictify(api_key=fake.api_key, base_url=base_url)
        image = pictify.images.create(html="x", width=60, height=30, file_extension="webp")
        there = base_url + httpx.URL(image.url).path
        response = httpx.get(there)
        assert (response.headers["content-type"], size_of(response.content)) == ("image/webp", (60, 30))
        assert httpx.post(there).status_code == httpx.get(f"{there}x").status_code == 404
        pictify.close()


@async_forms
def test_many_tasks_may_connect_concurrently(fake: FakePictify, form: str) -> None:
    async def test() -> None:
        with serving(fake) as base_url:
            async with (
                AsyncPictify(api_key=fake.api_key, base_url=base_url) as pictify,
                anyio.create_task_group() as tasks,
            ):
                for number in range(100):
                    tasks.start_soon(partial(pictify.images.create, html=str(number)))

    run(form, test)
    assert fake.renders == 100


def test_the_file_of_a_pdf(fake: FakePictify) -> None:
    pictify = fake.client()
    response = pictify.pdfs.render_multi_page(template_uid="APPK3ATNDP", variable_sets=[{}, {}]).to_dict()
    content = fake.file(response["url"])
    assert content.startswith(b"%PDF-1.4")
    assert content.endswith(b"%%EOF\n")
    assert content.count(b"/Type /Page ") == 2
    assert b"/MediaBox [0 0 595.5 842.25]" in content
    table = int(content.split()[-2])
    assert content[table:].startswith(b"xref\n0 5\n")
    for number, place in enumerate(re.findall(rb"(\d{10}) 00000 n", content), 1):
        assert content[int(place) :].startswith(b"%d 0 obj" % number)


# Webhooks.


def test_a_webhook_is_signed_by_the_secret_of_its_subscription(fake: FakePictify) -> None:
    pictify = fake.client()
    with pytest.raises(LookupError, match="no active subscription to render.completed"):
        fake.webhook("render.completed")
    paused = pictify.webhooks.create(event="render.completed", target_url="https://a.example.com")
    pictify.webhooks.update(paused.uid, status="paused")
    made = pictify.webhooks.create(event="render.completed", target_url="https://b.example.com")
    delivery = fake.webhook("render.completed", {"imageId": "img_mine", "more": 1})
    assert isinstance(made.secret, str)
    event = webhooks.parse(delivery.body, delivery.headers, made.secret)
    assert event.event == delivery.headers["X-Pictify-Event"] == "render.completed"
    assert isinstance(event.data, webhooks.RenderCompleted)
    assert (event.data.image_id, event.data.width) == ("img_mine", 1280)
    assert event.data.additional_properties == {"more": 1}
    assert [pictify.webhooks.get(each.uid).delivery_count for each in (paused, made)] == [0, 1]
    other = fake.webhook("render.completed")
    assert other.headers[webhooks.DELIVERY_ID_HEADER] != delivery.headers[webhooks.DELIVERY_ID_HEADER]


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("render.completed", {}, webhooks.RenderCompleted),
        ("render.failed", {}, webhooks.RenderFailed),
        ("batch.completed", {}, webhooks.BatchFinished),
        ("batch.failed", {}, webhooks.BatchFinished),
        ("binding.updated", {}, dict),
        ("of.the.future", {"a": 1}, dict),
    ],
)
def test_webhooks_of_every_kind(fake: FakePictify, name: str, data: dict[str, Any], kind: type) -> None:
    delivery = fake.webhook(name, data, secret="whsec_mine")
    event = webhooks.parse(delivery.body, delivery.headers[webhooks.SIGNATURE_HEADER], "whsec_mine")
    assert (event.event, type(event.data)) == (name, kind)
    assert getattr(event.data, "additional_properties", {}) == {}
    assert event.timestamp == fake.clock.now()
    assert WebhookEvent.from_dict(event.to_dict()) == event


def test_a_webhook_can_be_too_old(fake: FakePictify) -> None:
    old = fake.webhook("render.failed", secret="whsec_mine", age=600)
    with pytest.raises(webhooks.WebhookVerificationError, match=r"60\d seconds ago"):
        webhooks.parse(old.body, old.headers, "whsec_mine")


def test_a_webhook_is_signed_at_the_time_of_the_receiver() -> None:
    fake = FakePictify(clock=FakeClock(datetime(2020, 1, 1, tzinfo=UTC)))
    fake.clock.advance(3600)
    delivery = fake.webhook("render.failed", secret="whsec_mine")
    event = webhooks.parse(delivery.body, delivery.headers, "whsec_mine")
    assert event.timestamp == datetime(2020, 1, 1, 1, tzinfo=UTC)


def test_a_misspelt_event_is_an_error(fake: FakePictify) -> None:
    with pytest.raises(ValueError, match=r"'render\.complete' is not an event of Pictify \(render\.completed, "):
        fake.webhook("render.complete", secret="whsec_mine")


# pytest.


def test_the_fixture_is_available_to_users_and_new_for_each_test(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('time', [1, 2])\n"
        "def test_render(fake_pictify, time):\n"
        "    fake_pictify.client().images.create(html='x')\n"
        "    assert len(fake_pictify.requests) == 1\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)  # noqa: S603
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("..")


def test_the_unused_plugin_does_not_slow_down_pytest() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import pictify_client.testing.plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert ran.stdout.split() == [
        "pictify_client",
        "pictify_client._runtime",
        "pictify_client._runtime.lazy",
        "pictify_client.testing",
        "pictify_client.testing.plugin",
    ]
