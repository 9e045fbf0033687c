"""Valid and invalid arguments, and the errors for invalid ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import httpx
import pytest

from pictify_client import APIStatusError, ConfigurationError, Pictify, ResponseDecodeError
from pictify_client.api.batch import batch_render_template
from pictify_client.api.experiments import track_experiment_events
from pictify_client.api.images import create_image
from pictify_client.api.url_rendering import render_template_url
from pictify_client.models import (
    BindingStatusChange,
    CreateBindingBody,
    Credentials,
    DataSource,
    ExperimentEvent,
    ExperimentVariant,
    ImageRequest,
    RefreshPolicy,
)

from .replay import KEY

Call = Callable[[Any], object]
EXPERIMENT = {"experiment": {"uid": "e"}}
IMAGE = {"url": "u", "createdAt": "2026-01-29T10:00:05Z"}
SOURCE = {"type": "http", "url": "https://shop.example.com/1.json"}


def sent(call: Call, response: Any = None) -> list[httpx.Request]:
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(
            200,
            json=response
            or {
                "binding": {"uid": "b", "renderUrl": "u"},
                "ok": True,
                "url": "u",
                "id": "i",
                "createdAt": "2026-01-29T10:00:05Z",
            },
        )

    call(Pictify(api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(handle))))
    return requests


def body_of(call: Call, response: Any = None) -> Any:
    return json.loads(sent(call, response)[0].content)


def test_a_body_may_consist_of_models_mappings_and_strings() -> None:
    create: dict[str, Any] = {"template_id": "t", "mapping": {"a": "b"}}
    wanted = {"templateId": "t", "mapping": {"a": "b"}, "dataSource": SOURCE, "refreshPolicy": {"ttlSeconds": 60}}
    policy = RefreshPolicy(ttl_seconds=60)
    sources: list[Any] = [SOURCE, DataSource.from_dict(SOURCE)]
    for source in sources:
        create["data_source"] = source
        assert body_of(lambda p: p.bindings.create(refresh_policy=policy, **create)) == wanted
    assert body_of(lambda p: p.bindings.update("b", status=BindingStatusChange.PAUSED)) == {"status": "paused"}
    assert body_of(lambda p: p.images.create(html="<p>", width=None)) == {"html": "<p>"}
    assert body_of(lambda p: p.templates.render("t", variables={"a": {"b": 1}})) == {"variables": {"a": {"b": 1}}}
    more = {**SOURCE, "method": None}
    assert body_of(lambda p: p.bindings.update("b", data_source=more)) == {"dataSource": more}
    newer = DataSource(url="https://a.example", additional_properties={"unknown": [1]})
    assert body_of(lambda p: p.bindings.update("b", data_source=newer)) == {
        "dataSource": {"url": "https://a.example", "unknown": [1]}
    }
    start = {"startAt": "2026-01-29T10:00:00Z"}
    variant: dict[str, Any] = {"id": "a", "weight": 1, "schedule": start}
    assert body_of(lambda p: p.experiments.update("e", variants=(variant,)), {"experiment": {"uid": "e"}}) == {
        "variants": [variant]
    }
    text = datetime(2026, 1, 29, tzinfo=UTC)
    variant["schedule"] = {"startAt": text}
    body = body_of(lambda p: p.experiments.update("e", variants=[variant]), {"experiment": {"uid": "e"}})
    assert body["variants"][0]["schedule"] == {"startAt": "2026-01-29T00:00:00Z"}


def test_one_or_many_events_can_be_sent_and_the_write_key_is_a_header() -> None:
    event: Any = {"event": "click", "experiment": "hero"}
    (request,) = sent(lambda p: p.experiments.track_events(**event, write_key="wk_1"))
    assert json.loads(request.content) == event
    assert request.headers["x-write-key"] == "wk_1"
    assert "authorization" not in request.headers
    assert body_of(lambda p: p.experiments.track_events([event, ExperimentEvent(**event)])) == [event, event]
    assert body_of(lambda p: track_experiment_events.sync(client=p.client, body=event)) == event
    with pytest.raises(ValueError, match="events and event cannot be combined"):
        sent(lambda p: p.experiments.track_events([event], event="click"))


SLUG: dict[str, Any] = {"name": "n", "type": "ab_test", "variants": [{"id": "a", "weight": 1}] * 2}
NAIVE = datetime(2026, 1, 29)  # noqa: DTZ001
LOOP: dict[str, Any] = {"type": "group"}
LOOP["children"] = [LOOP]
INVALID_CALLS: list[tuple[Call, str]] = [
    (lambda p: p.images.create(width=0), "width must be at least 1, got 0"),
    (lambda p: p.images.create(width="1"), "width must be int, got '1' (str)"),
    (lambda p: p.images.create(file_extension="gif"), "file_extension must be one of 'png', 'j"),
    (lambda p: p.images.create(html=b"x" * 300), "got b'" + "x" * 98 + "... (bytes)"),
    (lambda p: p.images.create(variables=[1]), "variables must be a mapping, got list"),
    (lambda p: p.images.create(variables={1: 2}), "variables has a key that is not a string: 1"),
    (lambda p: p.bindings.update("b", name="n" * 256), "name must have at most 255 characters, got 256"),
    (
        lambda p: p.bindings.update("b", refresh_policy={"ttlSeconds": 5}),
        "refresh_policy.ttlSeconds must be at least 60",
    ),
    (
        lambda p: p.bindings.update("b", refresh_policy={"ttlSecond": 90}),
        "refresh_policy has no field 'ttlSecond': did you mean 'ttlSeconds'? Its fields are type, ttlSeconds, onError",
    ),
    (lambda p: p.bindings.update("b", refresh_policy={"ttl_seconds": 90}), "did you mean 'ttlSeconds'"),
    (
        lambda p: p.bindings.update("b", data_source={"ulr": "https://a.example"}),
        "has no field 'ulr': did you mean 'url'?",
    ),
    (lambda p: p.bindings.update("b", data_source={"quux": 1}), "data_source has no field 'quux'. Its fields are type"),
    (
        lambda p: p.bindings.update("b", refresh_policy=3),
        "refresh_policy must be RefreshPolicy or a mapping, got int",
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
        "variants must be a list, got str",
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
        "variants[0].schedule.startAt must be a date-time such as 2026-01-29T10:00:05Z, got 'soon'",
    ),
    (
        lambda p: p.experiments.update("e", variants=[{"id": "a", "weight": 1, "schedule": {"startAt": 3}}]),
        "variants[0].schedule.startAt must be datetime, got 3 (int)",
    ),
    (lambda p: p.templates.get("\ud800"), "uid is not valid Unicode"),
    (
        lambda p: p.experiments.track_events(event="view", experiment="e", write_key="a\n"),
        "write_key must be ASCII without line breaks",
    ),
    (lambda p: p.templates.render("t", quality=10**400), "quality must be at most 1, got 1000"),
    (lambda p: p.images.create(width=10**5000), "width must be at most 4096, got int"),
    (lambda p: p.experiments.update("e", variants=[{"id": "a", "weight": 1, "conditions": LOOP}]), "nested too deeply"),
    (
        lambda p: p.bindings.update("b", data_source={"credentials": "sk_secret"}),
        "credentials must be Credentials or a",
    ),
    (lambda p: p.bindings.update("b", data_source={"headers": "k: secret"}), "headers must be a mapping, got str"),
    (lambda p: p.bindings.update("b", defaults={"a": {(1, 2): 2}}), "defaults['a'] has a key that is not a string"),
    (
        lambda p: p.experiments.update("e", variants=[{"id": "a", "weight": 1, "schedule": {"startAt": NAIVE}}]),
        "variants[0].schedule.startAt: datetime.datetime(2026, 1, 29, 0, 0) has no time zone",
    ),
    (lambda p: p.url_rendering.template_url("t", "png", variables={"a": NAIVE}), "variables['a']: datetime"),
    (
        lambda p: p.url_rendering.template_url("t", "png", variables={"a": float("inf")}),
        "variables['a'] must be a finite",
    ),
    (lambda p: p.templates.get(3), "uid must be str, got 3 (int)"),
    # Fields that exclude or require each other.
    (lambda p: p.images.create(), "one of html, url or template is required"),
    (lambda p: p.images.create(html="x", url="https://a.b"), "html and url cannot be combined: pass only one of them"),
    (lambda p: p.gifs.create(html="x", url="y", template="z"), "html, url and template cannot be combined"),
    (lambda p: p.templates.render("t", layout="a", layouts=["b"]), "layout and layouts cannot be combined"),
    (lambda p: p.templates.render("t", variable_sets=[{}]), "variable_sets requires format='pdf'"),
    (lambda p: p.templates.render("t", variable_sets=[{}], format="png"), "variable_sets requires format='pdf'"),
    (lambda p: p.batch.render_template("t"), "one of variable_sets or csv_url is required"),
    (lambda p: p.batch.render_template("t", csv_url="https://a.b"), "csv_url requires mappings"),
    (lambda p: p.batch.render_template("t", variable_sets=[{}], mappings={}), "mappings requires csv_url"),
    (
        lambda p: p.batch.render_template("t", variable_sets=[{}], csv_url="https://a.b", mappings={}),
        "variable_sets and csv_url cannot be combined",
    ),
    (lambda p: p.bindings.create(template_id="t", mapping={}), "one of data_source or data_source_id is required"),
    (
        lambda p: create_image.sync(client=p.client, body=ImageRequest()),
        "body: one of html, url or template is required",
    ),
    (
        lambda p: batch_render_template.sync("t", client=p.client, body={"csvUrl": "https://a.b"}),
        "body: csvUrl requires mappings",
    ),
    (lambda p: p.templates.render("x" * 70_000, variables={"a": "y" * 99_000}), "uid is too long: the URL would have"),
    (lambda p: p.gifs.capture(url="https://a.b", frame_duration_seconds=0), "must be more than 0, got 0"),
    (lambda p: p.templates.create(name="x", layouts={"A": {}}), "layouts keys must match ^[a-z0-9-]{1,64}$, got 'A'"),
    (
        lambda p: p.templates.create(name="x", layouts={str(n): {} for n in range(21)}),
        "layouts must have at most 20 items, got 21",
    ),
]


@pytest.mark.parametrize(("call", "text"), INVALID_CALLS, ids=[text for _, text in INVALID_CALLS])
def test_an_invalid_argument_is_an_error_before_anything_is_sent(call: Call, text: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        assert sent(call) == []
    assert text in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["2026-01-29", "20260129T100000Z", "2026-01-29T10:00:00", "2026-01-29x10:00:00Z", "2026-13-29T10:00:00Z"]
)
def test_a_string_for_a_time_must_be_rfc_3339(text: str) -> None:
    with pytest.raises(ValueError, match="startAt must be a date-time"):
        sent(lambda p: p.experiments.update("e", variants=[{"id": "a", "weight": 1, "schedule": {"startAt": text}}]))


def test_null_in_a_mapping_counts_as_omitted_in_rules() -> None:
    body: Any = {"html": "<p>", "url": None}
    assert body_of(lambda p: create_image.sync(client=p.client, body=body)) == body
    body["html"] = None
    with pytest.raises(ValueError, match="one of html, url or template is required"):
        sent(lambda p: create_image.sync(client=p.client, body=body))


class IntegerLike:
    """An integer of another library."""

    def __index__(self) -> int:
        return 5


def test_integers_of_other_libraries_and_omitted_fields() -> None:
    number: Any = IntegerLike()
    assert body_of(lambda p: p.images.create(html="x", width=number)) == {"html": "x", "width": 5}
    assert body_of(lambda p: p.templates.render("t", quality=Fraction(1, 2))) == {"quality": 0.5}
    rule = {"id": "a", "weight": 1, "conditions": {"type": "rule", "value": None}}
    fields: dict[str, Any] = {}
    # In a mapping, None is null. In a model, it is a field that is omitted.
    short = {**rule, "conditions": {"type": "rule"}}
    variants: list[tuple[Any, Any]] = [(rule, rule), (ExperimentVariant.from_dict(rule), short)]
    for variant, wanted in variants:
        fields["variants"] = [variant]
        assert body_of(lambda p: p.experiments.update("e", **fields), EXPERIMENT) == {"variants": [wanted]}
    assert body_of(lambda p: p.bindings.update("b", name="n" * 255)) == {"name": "n" * 255}


@pytest.mark.parametrize("status", [400, 422])
def test_no_error_contains_a_secret_that_the_api_repeats(status: int) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json={"message": request.content.decode()})

    pictify = Pictify(api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(handle)))
    source = {"credentials": {"value": "sesame_1"}, "headers": {"X-Key": "sesame"}}
    calls: list[Call] = [
        lambda p: p.bindings.update("b", data_source=source),
        lambda p: p.experiments.track_events([{"event": "click", "experiment": "e", "writeKey": "sesame_3"}]),
        lambda p: p.experiments.track_events({"event": "click", "experiment": "e", "writeKey": "sesame_4"}),
    ]
    for call in calls:
        with pytest.raises(APIStatusError) as caught:
            call(pictify)
        assert "sesame" not in str(caught.value)
        assert "[redacted]" in str(caught.value)


def test_the_body_of_a_data_source_is_a_secret() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"message": request.content.decode()})

    pictify = Pictify(api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(handle)))
    with pytest.raises(APIStatusError) as caught:
        pictify.bindings.update("b", data_source={"body": {"client": [{"secret": "sesame"}], "scope": "a"}})
    assert "sesame" not in f"{caught.value} {caught.value.request.content!r}"
    assert b'"scope":"a"' in caught.value.request.content


def test_no_error_contains_a_secret_of_a_query() -> None:
    handle = httpx.MockTransport(lambda request: httpx.Response(404, json={"message": str(request.url)}))
    client = Pictify(api_key=KEY, http_client=httpx.Client(transport=handle)).client
    response = client.stream(render_template_url.OPERATION, template_uid="t", format="png", token="sesame")
    assert response.error
    assert "sesame" not in f"{response.error} {response.error.request.url}"
    assert "[redacted]" in str(response.error)


def test_no_error_contains_an_invalid_secret() -> None:
    responses: list[Any] = [
        {"binding": {"uid": "b", "renderUrl": "u", "dataSource": {"headers": "k: sesame"}}},
        {"binding": {"uid": "b", "renderUrl": "u", "dataSource": {"headers": {"k": ["sesame"]}}}},
        {
            "binding": {
                "uid": "b",
                "renderUrl": "u",
                "dataSource": {"credentials": {"value": ["sesame"], "username": None}},
            }
        },
    ]
    for response in responses:
        with pytest.raises(ResponseDecodeError) as caught:
            sent(lambda p: p.bindings.get("b"), response)
        assert "sesame" not in f"{caught.value} {caught.value!r}"
    source = DataSource.from_dict({"headers": {"k": "sesame"}, "credentials": {"value": "sesame"}, "body": "sesame"})
    assert "sesame" not in repr(source)
    assert "headers=[hidden]" in repr(source)
    assert Credentials.from_dict({"value": None}).value is None
    mapping: Any = {"credentials": {"value": "sesame"}}
    body = CreateBindingBody(template_id="t", data_source=mapping, mapping={})
    assert "data_source=[dict]" in repr(body)
    assert "data_source=DataSource(" in repr(CreateBindingBody(template_id="t", data_source=DataSource(), mapping={}))
    assert DataSource.from_dict({"headers": {"k": "sesame", "n": None}}).headers == {"k": "sesame"}


def test_operations_without_a_response_body_return_none() -> None:
    for status in (204, 200):

        def nothing(_: httpx.Request, status: int = status) -> httpx.Response:
            return httpx.Response(status)

        pictify = Pictify(api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(nothing)))
        assert pictify.bindings.delete("b").to_dict() == {}
        if status == 204:
            assert pictify.batch.cancel("b").to_dict() == {}
        else:
            with pytest.raises(ResponseDecodeError, match="it is empty"):
                pictify.batch.cancel("b")
    with pytest.raises(ConfigurationError, match="base_url is not a valid URL, such as") as caught:
        Pictify(api_key=KEY, base_url="https://user:sesame")
    assert "sesame" not in str(caught.value)


def test_responses_may_be_wrapped_or_bare_and_others_are_errors() -> None:
    bare = {"uid": "b", "status": "active", "renderUrl": "u"}
    assert body_of(lambda p: p.bindings.update("b", name="n"), bare) == {"name": "n"}
    for response in ({"message": "ok"}, {"status": "error", "message": "quota"}, {**bare, "binding": None}):
        with pytest.raises(ResponseDecodeError, match="it has no `binding`"):
            sent(lambda p: p.bindings.get("b"), response)


def test_a_model_sends_its_additional_properties() -> None:
    body = CreateBindingBody(template_id="t", data_source=DataSource(), mapping={}, additional_properties={"x": 1})
    assert body_of(lambda p: p.client.send(path_operation(), body=body)) == {
        "x": 1,
        "templateId": "t",
        "dataSource": {},
        "mapping": {},
    }


def path_operation() -> Any:
    from pictify_client.api.bindings.create_binding import OPERATION

    return OPERATION


def test_lists_by_offset_with_flat_counts_are_iterated() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        query = request.url.params
        offset, page = int(query.get("offset", 0)), int(query.get("page", 1))
        if request.url.path == "/image":
            more = {"hasMore": offset < 4}
            return httpx.Response(
                200, json={"images": [{**IMAGE, "id": f"i{offset + n}"} for n in (0, 1)], "pagination": more}
            )
        if request.url.path == "/gif":
            return httpx.Response(
                200, json={"gifs": [{"uid": f"g{offset + n}", "url": "u"} for n in (0, 1) if offset < 4]}
            )
        body = {"experiments": [{"uid": f"e{page}"}], "total": 3, "page": page, "limit": 1}
        return httpx.Response(200, json=body)

    pictify = Pictify(api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(handle)))
    assert [image.id for image in pictify.images.list(limit=2)] == [f"i{n}" for n in range(6)]
    assert [gif.uid for gif in pictify.gifs.list()] == [f"g{n}" for n in range(4)]
    assert [each.uid for each in pictify.experiments.list()] == ["e1", "e2", "e3"]
    assert pictify.experiments.list().first_page().pagination.total == 3
