"""Workflows: runs that progress in the background, hooks, and secrets of hooks."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from pictify_client import (
    APIConnectionError,
    BadRequestError,
    NotFoundError,
    Pictify,
    QuotaExceededError,
    RequestEvent,
    ResponseDecodeError,
    webhooks,
)
from pictify_client.models import WorkflowHook, WorkflowRun
from pictify_client.testing import FakePictify

from .test_batches import FakeClock

TEMPLATE, STRICT = "APPK3ATNDP", "1O8AC6BEVJ"
ROWS = [{"title": letter} for letter in "abcdef"]


@pytest.fixture
def fake() -> FakePictify:
    return FakePictify()


@pytest.fixture
def pictify(fake: FakePictify) -> Pictify:
    return fake.client()


def counts(run: WorkflowRun) -> tuple[int | None, ...]:
    assert run.counts
    return run.counts.total, run.counts.rendered, run.counts.delivered, run.counts.failed


def test_a_run_progresses_by_the_clock(fake: FakePictify, pictify: Pictify) -> None:
    uid = pictify.workflows.start(template_uid=TEMPLATE, rows=ROWS).uid or ""
    seen: list[Any] = []
    for seconds in (0, 1, 1, 60):
        fake.clock.advance(seconds)
        # Listing runs is not a poll.
        (run,) = pictify.workflows.list()
        seen.append((run.status, counts(run)))
        assert len(list(pictify.renders.list(template=TEMPLATE))) == len(run.items or [])
    assert seen == [
        ("queued", (6, 0, 0, 0)),
        ("processing", (6, 2, 2, 0)),
        ("processing", (6, 4, 4, 0)),
        ("completed", (6, 6, 6, 0)),
    ]
    assert [item["index"] for item in run.items or []] == [*range(6)]
    assert fake.file((run.items or [])[0]["url"]).startswith(b"\x89PNG")
    assert pictify.workflows.get(uid) == run
    assert len(list(pictify.renders.list(template=TEMPLATE))) == 6


def test_a_run_progresses_with_each_poll(pictify: Pictify) -> None:
    uid = pictify.workflows.start(template_uid=TEMPLATE, rows=ROWS).uid or ""
    polls = [pictify.workflows.get(uid) for _ in range(5)]
    assert [counts(run)[1] for run in polls] == [0, 2, 4, 6, 6]
    assert [run.status for run in polls] == ["queued", "processing", "processing", "completed", "completed"]


def test_a_poll_after_a_wait_counts_as_the_next_second(fake: FakePictify, pictify: Pictify) -> None:
    uid = pictify.workflows.start(template_uid=TEMPLATE, rows=ROWS).uid or ""
    fake.clock.advance(1)
    assert [counts(pictify.workflows.get(uid))[1] for _ in range(3)] == [2, 4, 6]


@pytest.mark.parametrize("size", [1, 2, 4, 7])
def test_the_counts_of_a_run_add_up_at_all_times(fake: FakePictify, pictify: Pictify, size: int) -> None:
    rows = [{"title" if number % 2 else "tilte": "x"} for number in range(size)]
    uid = pictify.workflows.start(template_uid=STRICT, rows=rows).uid or ""
    for _ in range(4):
        run = pictify.workflows.get(uid)
        total, rendered, delivered, failed = counts(run)
        items = [item["status"] for item in run.items or []]
        assert (total, rendered, failed) == (size, items.count("delivered"), items.count("failed"))
        assert delivered == rendered == len(fake.images)
        assert (run.status in ("completed", "failed")) == (len(items) == size)
        fake.clock.advance(1)
    assert pictify.workflows.get(uid).status == ("completed" if size > 1 else "failed")


def test_columns_are_mapped_and_rows_may_fail(fake: FakePictify, pictify: Pictify) -> None:
    rows = [{"name": "a"}, {"name": "b"}]
    good = pictify.workflows.start(template_uid=STRICT, rows=rows, column_mapping={"title": "name"})
    bad = pictify.workflows.start(template_uid=STRICT, rows=rows)
    odd = pictify.workflows.start(template_uid=STRICT, rows=[{"title": "a"}], output_format="docx")
    fake.clock.advance(3)
    assert counts(pictify.workflows.get(good.uid or "")) == (2, 2, 2, 0)
    failed = pictify.workflows.get(bad.uid or "")
    assert (failed.status, counts(failed)) == ("failed", (2, 0, 0, 2))
    assert [item["error"] for item in failed.items or []] == ["Variable 'name' is not defined"] * 2
    assert counts(pictify.workflows.get(odd.uid or "")) == (1, 0, 0, 1)
    stats = pictify.workflows.get_stats()
    assert (stats.total_runs, stats.documents_rendered, stats.documents_delivered) == (3, 2, 2)


def test_the_newest_runs_come_first(pictify: Pictify) -> None:
    uids = [pictify.workflows.start(template_uid=TEMPLATE, rows=ROWS).uid for _ in range(22)]
    assert [run.uid for run in pictify.workflows.list()] == uids[:1:-1]
    with pytest.raises(NotFoundError, match="Run not found"):
        pictify.workflows.get("NOWORKFLOW")
    with pytest.raises(NotFoundError, match="Template not found"):
        pictify.workflows.start(template_uid="NOTEMPLATE", rows=ROWS)


def test_required_fields_of_a_run_are_checked_by_the_api(pictify: Pictify) -> None:
    calls: list[tuple[str, Callable[[], object]]] = [
        ("templateUid", lambda: pictify.workflows.start(rows=ROWS)),
        ("rows", lambda: pictify.workflows.start(template_uid=TEMPLATE)),
        ("rows", lambda: pictify.workflows.preview(template_uid=TEMPLATE, rows=[])),
        ("templateUid", pictify.workflows.create_hook),
    ]
    for name, call in calls:
        with pytest.raises(BadRequestError, match=f"{name} is required"):
            call()
    with pytest.raises(ValueError, match="rows must have at most 1000 items"):
        pictify.workflows.start(template_uid=TEMPLATE, rows=ROWS * 200)


def test_every_row_is_billed_once(fake: FakePictify, pictify: Pictify) -> None:
    fake.fail_next(httpx.ReadTimeout)
    with pytest.raises(APIConnectionError):
        pictify.workflows.start(template_uid=TEMPLATE, rows=ROWS)
    assert (fake.renders, len(pictify.workflows.list())) == (6, 1)
    fake.quota = 11
    with pytest.raises(QuotaExceededError) as caught:
        pictify.workflows.start(template_uid=TEMPLATE, rows=ROWS)
    assert (caught.value.status_code, caught.value.code) == (402, "quota_exceeded")
    fake.email_verified = False
    assert pictify.workflows.start(template_uid=TEMPLATE, rows=ROWS[:5]).uid


def test_a_preview_of_a_pdf_is_queued(fake: FakePictify, pictify: Pictify) -> None:
    now = pictify.workflows.preview(template_uid=TEMPLATE, rows=ROWS)
    assert (now.job_id, now.width, fake.file(now.url or "")[:4]) == (None, 1200, b"\x89PNG")
    template = pictify.templates.create(name="Mine", html="<b>{{title}}</b>", output_format="pdf").uid
    queued = pictify.workflows.preview(template_uid=template, rows=ROWS)
    assert (queued.url, queued.status) == (None, "queued")
    job_id = queued.job_id or ""
    assert pictify.workflows.get_preview(job_id).status == "queued"
    assert fake.file(pictify.workflows.get_preview(job_id).url or "").startswith(b"%PDF")
    later = pictify.workflows.preview(template_uid=template, rows=ROWS)
    fake.clock.advance(1)
    assert pictify.workflows.get_preview(later.job_id or "").url
    with pytest.raises(BadRequestError) as caught:
        pictify.workflows.preview(template_uid=template, rows=ROWS, output_format="png")
    assert caught.value.code == "output_format_mismatch"
    with pytest.raises(NotFoundError, match="Preview not found"):
        pictify.workflows.get_preview("NOPREVIEWS")


def test_a_hook_starts_runs_without_a_key(fake: FakePictify, pictify: Pictify) -> None:
    hook = pictify.workflows.create_hook(template_uid=TEMPLATE, output_format="pdf", column_mapping={"title": "name"})
    assert hook
    uid, secret = hook.uid or "", hook.secret or ""
    posted = pictify.workflows.post_rows(uid, secret, rows=[{"name": "a"}])
    assert "authorization" not in fake.requests[-1].headers
    assert posted.run
    assert posted.success
    fake.clock.advance(3)
    assert counts(pictify.workflows.get(posted.run.uid or "")) == (1, 1, 1, 0)
    assert len(list(pictify.pdfs.list())) == 1
    for wrong in ((uid, "x" * 30), ("NOWORKFLOW", secret)):
        with pytest.raises(NotFoundError, match="Hook not found"):
            pictify.workflows.post_rows(*wrong, rows=ROWS)
    assert [(each.uid, each.secret, each.url) for each in pictify.workflows.list_hooks() or []] == [(uid, None, None)]
    assert pictify.workflows.delete_hook(uid).success
    assert pictify.workflows.list_hooks() == []


def test_rows_that_are_posted_to_a_hook_are_billed(fake: FakePictify, pictify: Pictify) -> None:
    hook = pictify.workflows.create_hook(template_uid=TEMPLATE)
    # Runs need no verified email address.
    fake.quota, fake.email_verified = 7, False
    pictify.workflows.post_rows(hook.uid or "", hook.secret or "", rows=ROWS)
    assert fake.renders == 6
    with pytest.raises(QuotaExceededError) as caught:
        pictify.workflows.post_rows(hook.uid or "", hook.secret or "", rows=ROWS[:2])
    assert (caught.value.status_code, caught.value.code) == (402, "quota_exceeded")
    pictify.workflows.post_rows(hook.uid or "", hook.secret or "", rows=ROWS[:1])
    fake.clock.advance(3)
    assert fake.renders == len(fake.images) == 7


@pytest.mark.parametrize("secret", ["0123456789ABCDEF", "0123 456789/ABCDEF"])
def test_the_secret_of_a_hook_is_not_shown(secret: str) -> None:
    events: list[RequestEvent] = []

    def repeat(request: httpx.Request) -> httpx.Response:
        if len(events) > 1:
            raise httpx.ReadError("lost", request=request)
        return httpx.Response(404, json={"message": f"no hook {secret}"})

    http_client = httpx.Client(transport=httpx.MockTransport(repeat))
    pictify = Pictify(api_key="pic_live_x", http_client=http_client, on_request=events.append)
    for error in (NotFoundError, APIConnectionError):
        with pytest.raises(error) as caught:
            pictify.workflows.post_rows("HOOK", secret, rows=ROWS)
        assert isinstance(caught.value, NotFoundError | APIConnectionError)
        assert caught.value.request
        for spelt in (secret, quote(secret, safe="")):
            for shown in (caught.value, caught.value.request.url, pickle.dumps(caught.value), *events):
                assert spelt not in str(shown)
    assert secret not in repr(WorkflowHook(secret=secret, url=f"https://api.pictify.io/workflow/hooks/a/{secret}"))


def test_any_response_to_accepted_rows_is_a_success() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(202, json={"ok": True}))
    pictify = Pictify(api_key="pic_live_x", http_client=httpx.Client(transport=transport))
    posted = pictify.workflows.post_rows("a", "b", rows=ROWS)
    assert (posted.run, posted.additional_properties) == (None, {"ok": True})
    with pytest.raises(ResponseDecodeError, match="has no `run`"):
        pictify.workflows.get("a")


def test_each_attempt_to_post_rows_is_signed_with_the_secret_of_the_hook() -> None:
    attempts: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        attempts.append(request)
        busy = {"message": "busy", "retriable": True}
        return (
            httpx.Response(503, json=busy, headers={"retry-after": "30"}) if len(attempts) == 1 else httpx.Response(200)
        )

    pictify = Pictify(api_key="pic_live_x", http_client=httpx.Client(transport=httpx.MockTransport(respond)))
    pictify.client.clock = clock = FakeClock()
    with pytest.raises(ResponseDecodeError):
        pictify.workflows.post_rows("HOOK", "secret", rows=[{"title": "ä"}])
    signed = [each.headers[webhooks.SIGNATURE_HEADER] for each in attempts]
    assert [int(each[2:12]) for each in signed] == [1_700_000_000, int(clock.now)]
    assert clock.now >= 1_700_000_030
    for each in attempts:
        webhooks.verify(each.content, each.headers, "secret", now=clock.time)
        with pytest.raises(webhooks.WebhookVerificationError):
            webhooks.verify(each.content, each.headers, "other", now=clock.time)
