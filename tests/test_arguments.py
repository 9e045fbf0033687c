"""What the arguments of a call may be, and what is said of those that may not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from pictify_client import Pictify, ResponseDecodeError
from pictify_client.api.experiments import track_experiment_events
from pictify_client.models import BindingStatusChange, CreateBindingBody, DataSource, ExperimentEvent, RefreshPolicy

from .replay import KEY

Call = Callable[[Any], object]
SOURCE = {"type": "http", "url": "https://shop.example.com/1.json"}


def sent(call: Call, answer: Any = None) -> list[httpx.Request]:
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json=answer or {"binding": {"uid": "b"}, "ok": True, "url": "u"})

    call(Pictify(api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(handle))))
    return requests


def body_of(call: Call, answer: Any = None) -> Any:
    return json.loads(sent(call, answer)[0].content)


def test_a_body_is_given_field_by_field_by_models_mappings_and_strings() -> None:
    create: dict[str, Any] = {"template_id": "t", "mapping": {"a": "b"}}
    wanted = {"templateId": "t", "mapping": {"a": "b"}, "dataSource": SOURCE, "refreshPolicy": {"ttlSeconds": 60}}
    policy = RefreshPolicy(ttl_seconds=60)
    given: list[Any] = [SOURCE, DataSource.from_dict(SOURCE)]
    for source in given:
        create["data_source"] = source
        assert body_of(lambda p: p.bindings.create(refresh_policy=policy, **create)) == wanted
    assert body_of(lambda p: p.bindings.update("b", status=BindingStatusChange.PAUSED)) == {"status": "paused"}
    assert body_of(lambda p: p.images.create(html="<p>", width=None)) == {"html": "<p>"}
    more = {**SOURCE, "unknown": [1], "method": None}
    assert body_of(lambda p: p.bindings.update("b", data_source=more)) == {"dataSource": more}
    start = {"startAt": "2026-01-29T10:00:00Z"}
    variant: dict[str, Any] = {"id": "a", "weight": 1, "schedule": start}
    assert body_of(lambda p: p.experiments.update("e", variants=(variant,)), {"experiment": {"uid": "e"}}) == {
        "variants": [variant]
    }
    text = datetime(2026, 1, 29, tzinfo=UTC)
    variant["schedule"] = {"startAt": text}
    body = body_of(lambda p: p.experiments.update("e", variants=[variant]), {"experiment": {"uid": "e"}})
    assert body["variants"][0]["schedule"] == {"startAt": "2026-01-29T00:00:00Z"}


def test_events_are_one_or_many_and_the_write_key_travels_in_a_header() -> None:
    event: dict[str, Any] = {"event": "click", "experiment": "hero"}
    (request,) = sent(lambda p: p.experiments.track_events(**event, write_key="wk_1"))
    assert json.loads(request.content) == event
    assert request.headers["x-write-key"] == "wk_1"
    assert "authorization" not in request.headers
    assert body_of(lambda p: p.experiments.track_events([event, ExperimentEvent(**event)])) == [event, event]
    assert body_of(lambda p: track_experiment_events.sync(client=p.client, body=event)) == event
    with pytest.raises(ValueError, match="events and event cannot both be given"):
        sent(lambda p: p.experiments.track_events([event], event="click"))


SLUG: dict[str, Any] = {"name": "n", "type": "ab_test", "variants": [{"id": "a", "weight": 1}] * 2}
REFUSED: list[tuple[Call, str]] = [
    (lambda p: p.images.create(width=0), "width must be at least 1, got 0"),
    (lambda p: p.images.create(width="1"), "width must be int, got '1' (str)"),
    (lambda p: p.images.create(file_extension="gif"), "file_extension must be one of 'png', 'j"),
    (lambda p: p.images.create(html=b"x" * 300), "got b'" + "x" * 98 + "... (bytes)"),
    (lambda p: p.images.create(variables=[1]), "variables must be a mapping, got list"),
    (lambda p: p.images.create(variables={1: 2}), "variables has a key that is no string: 1"),
    (lambda p: p.bindings.update("b", name="n" * 256), "name must have at most 255 characters, got 256"),
    (
        lambda p: p.bindings.update("b", refresh_policy={"ttlSeconds": 5}),
        "refresh_policy.ttlSeconds must be at least 60",
    ),
    (
        lambda p: p.bindings.update("b", refresh_policy={"ttlSecond": 90}),
        "holds 'ttlSecond': the API spells it 'ttlSeconds'",
    ),
    (lambda p: p.bindings.update("b", refresh_policy={"ttl_seconds": 90}), "the API spells it 'ttlSeconds'"),
    (
        lambda p: p.bindings.update("b", refresh_policy=3),
        "refresh_policy must be RefreshPolicy or a mapping, got 3 (int)",
    ),
    (
        lambda p: p.bindings.update("b", data_source={"credentials": {"value": 7}}),
        "data_source.credentials.value must be str, got int",
    ),
    (
        lambda p: p.bindings.create(template_id=None, data_source=SOURCE, mapping={}),
        "template_id is required",
    ),
    (lambda p: p.experiments.create(slug="abc\n", **SLUG), "slug must match"),
    (
        lambda p: p.experiments.create(slug="abc", **{**SLUG, "variants": "ab"}),
        "variants must be a list, got 'ab' (str)",
    ),
    (lambda p: p.experiments.create(slug="abc", **{**SLUG, "variants": []}), "at least 2 items, got 0"),
    (lambda p: p.experiments.update("e", variants=[{"id": "a"}]), "variants[0].weight is required"),
    (lambda p: p.experiments.update("e", confidence_threshold=float("nan")), "must be a finite number, got nan"),
    (
        lambda p: p.experiments.update("e", variants=[{"id": "a", "weight": 1, "isDefault": 1}]),
        "variants[0].isDefault must be bool, got 1 (int)",
    ),
    (
        lambda p: p.experiments.update("e", variants=[{"id": "a", "weight": 1, "schedule": {"startAt": "soon"}}]),
        "variants[0].schedule.startAt: expected a date-time",
    ),
    (
        lambda p: p.experiments.update("e", variants=[{"id": "a", "weight": 1, "schedule": {"startAt": 3}}]),
        "variants[0].schedule.startAt must be datetime, got 3 (int)",
    ),
    (lambda p: p.templates.get("\ud800"), "uid is no Unicode text"),
    (lambda p: p.experiments.track_events(event="view", experiment="e", write_key="a\n"), "write_key holds what HTTP"),
    (lambda p: p.templates.get(3), "uid must be str, got 3 (int)"),
]


@pytest.mark.parametrize(("call", "text"), REFUSED, ids=[text for _, text in REFUSED])
def test_what_is_wrong_is_named_before_anything_is_sent(call: Call, text: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        assert sent(call) == []
    assert text in str(caught.value)


def test_wrapped_answers_come_unwrapped_or_bare_and_nothing_else_is_taken_for_them() -> None:
    assert body_of(lambda p: p.bindings.update("b", name="n"), {"uid": "b"}) == {"name": "n"}
    with pytest.raises(ResponseDecodeError, match="it holds no `binding`"):
        sent(lambda p: p.bindings.get("b"), {"message": "ok"})
    body = CreateBindingBody(template_id="t", data_source=DataSource(), mapping={}, additional_properties={"x": 1})
    assert body_of(lambda p: p.client.send(p_operation(), body=body)) == {
        "x": 1,
        "templateId": "t",
        "dataSource": {},
        "mapping": {},
    }


def p_operation() -> Any:
    from pictify_client.api.bindings.create_binding import OPERATION

    return OPERATION


def test_lists_by_offset_and_with_flat_counts_are_walked() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        query = request.url.params
        offset, page = int(query.get("offset", 0)), int(query.get("page", 1))
        if request.url.path == "/image":
            more = {"hasMore": offset < 4}
            return httpx.Response(200, json={"images": [{"id": f"i{offset + n}"} for n in (0, 1)], "pagination": more})
        if request.url.path == "/gif":
            return httpx.Response(200, json={"gifs": [{"uid": f"g{offset + n}"} for n in (0, 1) if offset < 4]})
        body = {"experiments": [{"uid": f"e{page}"}], "total": 3, "page": page, "limit": 1}
        return httpx.Response(200, json=body)

    pictify = Pictify(api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(handle)))
    assert [image.id for image in pictify.images.list(limit=2)] == [f"i{n}" for n in range(6)]
    assert [gif.uid for gif in pictify.gifs.list()] == [f"g{n}" for n in range(4)]
    assert [each.uid for each in pictify.experiments.list()] == ["e1", "e2", "e3"]
    assert pictify.experiments.list().pagination.total == 3
