"""The fake API against the OpenAPI document: every operation, and the content of its responses."""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import anyio
import httpx
import pytest
from jsonschema import Draft202012Validator

from generator.__main__ import OVERLAYS, ROOT, overlaid
from generator.navigation import operations
from pictify_client import (
    APIConnectionError,
    APIStatusError,
    AsyncPictify,
    BadRequestError,
    ConflictError,
    ContentTooLargeError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    Pictify,
    QuotaExceededError,
    ServerError,
    UnauthorizedError,
    UnprocessableContentError,
)
from pictify_client._runtime.clock import Clock
from pictify_client._runtime.json_values import is_array, is_object
from pictify_client.batches import AsyncBatchJob, BatchJob
from pictify_client.files import AsyncFile, File
from pictify_client.models import (
    BatchStatus,
    DataSourceParam,
    Experiment,
    ExperimentEventParam,
    ExperimentVariantParam,
    GoalConfigParam,
    RenderSizeParam,
)
from pictify_client.testing import API_KEY, FakeClock, FakePictify, serving
from pictify_client.testing._account import make_id
from pictify_client.testing._bindings import Bindings
from pictify_client.testing.fake import FakeResponse

# jsonschema has no type hints.

DOCUMENT: dict[str, Any] = overlaid(ROOT / "openapi.yaml", ROOT / OVERLAYS)[0]
EVERY_OPERATION = {operation["operationId"] for _, _, operation in operations(DOCUMENT)}

ERROR: dict[str, Any] = {"$ref": "#/components/schemas/Error"}
VARIANTS: list[ExperimentVariantParam] = [
    {"id": "a", "weight": 7500},
    {"id": "b", "weight": 2500, "templateUid": "1O8AC6BEVJ"},
]
# The id of the first record.
VIDEO = make_id("video", 3)
HTTP: DataSourceParam = {"type": "http", "url": "https://shop.example.com/1.json"}

# Every operation at least once; each uses the records that earlier ones have created.
CALLS: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("templates.create", [], {"name": "Mine", "html": "<b>{{a}}</b>", "tags": ["x"], "output_format": "pdf"}),
    (
        "templates.create",
        [],
        {"name": "Canvas", "fabric_js_data": {"objects": []}, "variable_definitions": [{"name": "a"}]},
    ),
    ("templates.list", [], {"limit": 2}),
    ("templates.list", [], {"sort": "name", "output_format": "all"}),
    ("templates.list", [], {"sort": "oldest", "output_format": "pdf"}),
    ("templates.get", ["JTYEMUJYS6"], {}),
    ("templates.update", ["JTYEMUJYS6"], {"name": "Ours"}),
    ("templates.get_variables", ["APPK3ATNDP"], {}),
    ("templates.render", ["APPK3ATNDP"], {"variables": {"title": "x"}, "format": "webp"}),
    (
        "templates.multi_size_render",
        ["APPK3ATNDP"],
        {"sizes": [{"preset": "og-image"}, {"width": 10, "height": 20, "label": "x"}, {"preset": "?"}]},
    ),
    ("templates.delete", ["JTYEMUJYS6"], {}),
    ("images.create", [], {"html": "<b>x</b>", "file_extension": "jpg"}),
    ("images.create", [], {"template": "APPK3ATNDP", "variables": {"price": 3}}),
    ("images.create_og", [], {"template": "APPK3ATNDP", "heading": "x"}),
    ("images.create_canvas", [], {"fabric_js_data": {}, "variables": {"a": 1}}),
    ("images.agent_screenshot", [], {"prompt": "the prices of https://shop.example.com please"}),
    ("images.list", [], {"limit": 2}),
    ("images.get", ["BCT0BECWPE"], {}),
    ("gifs.create", [], {"template": "1O8AC6BEVJ"}),
    ("gifs.capture", [], {"url": "https://shop.example.com", "width": 5, "frame_duration_seconds": 1.5}),
    ("gifs.list", [], {"limit": 1}),
    ("gifs.get", ["7W3LB3OPKS"], {}),
    ("pdfs.render", [], {"template_uid": "APPK3ATNDP"}),
    (
        "pdfs.render_multi_page",
        [],
        {
            "template_uid": "APPK3ATNDP",
            "variable_sets": [{"title": "x"}, {}],
            "options": {"preset": "custom", "customSize": {"width": 5, "height": 6}},
        },
    ),
    ("pdfs.get_presets", [], {}),
    ("batch.render_template", ["APPK3ATNDP"], {"variable_sets": [{"title": "x"}, {"other": "x"}]}),
    ("batch.get_results", ["57QTD9ZT6D"], {}),
    ("batch.get_results", ["57QTD9ZT6D"], {}),
    ("batch.get_results", ["57QTD9ZT6D"], {}),
    ("batch.cancel", ["57QTD9ZT6D"], {}),
    ("webhooks.create", [], {"event": "render.completed", "target_url": "https://hooks.example.com"}),
    ("webhooks.list", [], {"event": "render.completed", "status": "active"}),
    ("webhooks.get", ["RNQRGIDCH7"], {}),
    ("webhooks.update", ["RNQRGIDCH7"], {"status": "paused", "filters": {"templateId": "APPK3ATNDP"}}),
    ("webhooks.delete", ["RNQRGIDCH7"], {}),
    ("bindings.create", [], {"template_id": "APPK3ATNDP", "data_source": HTTP, "mapping": {"title": "a.b"}}),
    ("bindings.list", [], {}),
    ("bindings.get", ["NQD4NVW4HF"], {}),
    ("bindings.update", ["NQD4NVW4HF"], {"status": "paused"}),
    ("bindings.delete", ["NQD4NVW4HF"], {}),
    (
        "experiments.create",
        [],
        {
            "name": "Red or blue",
            "type": "ab_test",
            "slug": "red-or-blue",
            "variants": VARIANTS,
            "goal_config": {"type": "click_through", "destinationUrl": "https://shop.example.com"},
        },
    ),
    ("experiments.list", [], {"type": "ab_test", "status": "draft"}),
    ("experiments.get", ["8ZUOVHB2Q6"], {}),
    ("experiments.get_quota", [], {}),
    ("experiments.update", ["8ZUOVHB2Q6"], {"bandit_config": {"enabled": True}, "variants": VARIANTS}),
    ("experiments.start", ["8ZUOVHB2Q6"], {}),
    ("url_rendering.render_experiment", ["red-or-blue", "png"], {}),
    ("experiments.track_pixel", ["red-or-blue"], {}),
    ("experiments.track_click", ["red-or-blue"], {}),
    (
        "experiments.track_events",
        [[{"event": "click", "experiment": "red-or-blue"}, {"event": "view", "experiment": "x"}]],
        {},
    ),
    ("experiments.track_events", [], {"event": "view", "experiment": "red-or-blue", "write_key": "wk"}),
    ("experiments.pause", ["8ZUOVHB2Q6"], {}),
    ("experiments.complete", ["8ZUOVHB2Q6"], {"winner_variant_id": "b"}),
    ("experiments.delete", ["8ZUOVHB2Q6"], {}),
    ("url_rendering.render_template", ["APPK3ATNDP", "jpeg"], {"quality": 0.5, "variables": {"title": "x"}}),
    ("url_rendering.render_binding", ["OW9OT95X0L", "webp"], {}),
    ("videos.create", [], {"name": "Mine", "kind": "tsx", "tsx": "export default () => null", "fps": 24}),
    ("videos.list", [], {}),
    ("videos.get", [VIDEO], {}),
    ("videos.update", [VIDEO], {"name": "Ours", "variable_definitions": [{"name": "a"}]}),
    ("videos.duplicate", [VIDEO], {"name": "Theirs"}),
    ("videos.get_variables", [VIDEO], {}),
    ("videos.render", [VIDEO], {"variables": {"a": 1}, "format": "gif"}),
    ("videos.preview", [VIDEO], {"frame": 12}),
    ("videos.generate", [], {"prompt": "A teaser for a cup", "duration_seconds": 8}),
    ("videos.delete", [VIDEO], {}),
    ("renders.list", [], {"format": "PNG", "limit": 2}),
    ("pdfs.list", [], {"limit": 1}),
    ("account.get_usage", [], {}),
    ("templates.search", [], {"q": "card"}),
    ("templates.by_type", ["html"], {}),
    ("templates.preview", [], {"html": "<b>{{a}}</b>", "variables": {"a": 1}}),
    ("webhooks.create", [], {"event": "render.failed", "target_url": "https://hooks.example.com"}),
    ("webhooks.pause", ["LHOLC87W64"], {}),
    ("webhooks.resume", ["LHOLC87W64"], {}),
    ("webhooks.get_stats", [], {}),
    ("workflows.start", [], {"template_uid": "APPK3ATNDP", "rows": [{"title": "x"}], "output_format": "pdf"}),
    ("workflows.list", [], {}),
    ("workflows.get", [make_id("run", 1)], {}),
    ("workflows.get_stats", [], {}),
    ("templates.create", [], {"name": "Certificate", "html": "<b>{{a}}</b>", "output_format": "pdf"}),
    ("workflows.preview", [], {"template_uid": make_id("template", 6), "rows": [{"a": "x"}]}),
    ("workflows.get_preview", [make_id("job", 1)], {}),
    ("workflows.create_hook", [], {"template_uid": "APPK3ATNDP"}),
    ("workflows.list_hooks", [], {}),
    ("workflows.post_rows", [make_id("hook", 1), make_id("hook secret", 1) * 3], {"rows": [{"title": "x"}]}),
    ("workflows.delete_hook", [make_id("hook", 1)], {}),
]


def resolved(schema: Any) -> Any:
    while "$ref" in schema:
        schema, path = DOCUMENT, schema["$ref"].removeprefix("#/").split("/")
        for part in path:
            schema = schema[part]
    return schema


def fields(schema: Any) -> dict[str, Any]:
    """The fields of a schema, including those of all its parts."""
    schema = resolved(schema)
    parts = [fields(part) for part in schema.get("allOf", [])]
    return {name: field for part in (*parts, schema.get("properties", {})) for name, field in part.items()}


def unknown(schema: Any, value: Any, where: str = "") -> Iterator[str]:
    """The fields of a response that the document does not have."""
    known = fields(schema)
    if is_object(value) and known:
        for name, part in value.items():
            yield from unknown(known[name], part, f"{where}.{name}") if name in known else [f"{where}.{name}"]
    if is_array(value):
        for part in value:
            yield from unknown(resolved(schema)["items"], part, f"{where}[]")


def nullable(schema: Any) -> Any:
    """A schema with `nullable` of OpenAPI 3.0 moved into its type."""
    if is_array(schema):
        return [nullable(part) for part in schema]
    if not is_object(schema):
        return schema
    parts = {name: nullable(part) for name, part in schema.items()}
    return {**parts, "type": [parts["type"], "null"]} if parts.get("nullable") is True else parts


COMPONENTS = nullable(DOCUMENT["components"])


def check(schema: dict[str, Any], body: Any) -> None:
    """Validate JSON against a schema, which must define all its fields."""
    formats = Draft202012Validator.FORMAT_CHECKER
    validator: Any = Draft202012Validator({**nullable(schema), "components": COMPONENTS}, format_checker=formats)
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)] == []
    assert list(unknown(schema, body)) == []


def check_error(response: FakeResponse) -> Any:
    """Check that an error has the form of the API's errors, and return its body."""
    body = json.loads(response.body)
    check(ERROR, body)
    assert isinstance(body.get("message", body.get("error")), str)
    assert body.get("statusCode", response.status) == response.status
    assert "x-ratelimit-limit" not in response.headers
    return body


class Checked:
    """A fake API as a transport, each response of which is validated against the document.

    Attributes:
        succeeded: The operations that succeeded.
        responses: All responses.
    """

    def __init__(self) -> None:
        self.fake = FakePictify(clock=FakeClock(datetime(2026, 2, 1, tzinfo=UTC)))
        self.succeeded: set[str] = set()
        self.responses: list[FakeResponse] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        response = self.fake.respond(request.method, request.url.raw_path.decode(), headers, request.content)
        self.responses.append(response)
        self._check(request, response)
        return httpx.Response(response.status, headers=response.headers, content=response.body)

    def pictify(self, api_key: str = API_KEY) -> Pictify:
        pictify = Pictify(api_key=api_key, http_client=httpx.Client(transport=httpx.MockTransport(self)))
        pictify.client.clock = AutoClock()
        return pictify

    def pictify_async(self) -> AsyncPictify:
        transport = httpx.MockTransport(self)
        pictify = AsyncPictify(api_key=API_KEY, http_client=httpx.AsyncClient(transport=transport))
        pictify.client.clock = AutoClock()
        return pictify

    def _check(self, request: httpx.Request, response: FakeResponse) -> None:
        media_type = response.headers.get("content-type", "").partition(";")[0]
        body: Any = json.loads(response.body) if media_type.endswith("json") else None
        operation = self._operation(request)
        if body is not None and response.status >= 400:
            check_error(response)
            return
        described = operation["responses"][str(response.status)]
        if body is not None:
            check(described["content"]["application/json"]["schema"], body)
        elif response.body:
            assert media_type.startswith("image/")
        for name in described.get("headers", {}):
            assert name.lower() in response.headers
        if response.status < 400:
            self.succeeded.add(operation["operationId"])

    @staticmethod
    def _operation(request: httpx.Request) -> Any:
        for path in sorted(DOCUMENT["paths"], key=lambda path: path.count("{")):
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
            method = request.method.lower()
            if re.fullmatch(pattern, request.url.path) and method in DOCUMENT["paths"][path]:
                return DOCUMENT["paths"][path][method]
        raise AssertionError(request)


class AutoClock(Clock):
    """A fake clock that advances when something sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def checked() -> Checked:
    return Checked()


@pytest.fixture
def fake(checked: Checked) -> FakePictify:
    return checked.fake


@pytest.fixture
def pictify(checked: Checked) -> Pictify:
    return checked.pictify()


def method(pictify: Pictify | AsyncPictify, name: str) -> Any:
    resource, _, call = name.partition(".")
    return getattr(getattr(pictify, resource), call)


def test_it_implements_every_operation(checked: Checked, pictify: Pictify) -> None:
    for name, arguments, named in CALLS:
        found: Any = method(pictify, name)(*arguments, **named)
        if name.endswith((".list", ".search")):
            assert len(list(found)) > 0
        if isinstance(found, File):
            assert found.read()
    assert checked.succeeded == EVERY_OPERATION


def test_it_implements_every_operation_for_async_code(checked: Checked) -> None:
    async def run() -> None:
        pictify = checked.pictify_async()
        for name, arguments, named in CALLS:
            found: Any = method(pictify, name)(*arguments, **named)
            if hasattr(found, "first_page"):
                assert len([item async for item in found]) > 0
            else:
                response = await found
                if isinstance(response, AsyncFile):
                    assert await response.read()

    anyio.run(run)
    assert checked.succeeded == EVERY_OPERATION


def file_urls(part: Any, field: str = "") -> Iterator[str]:
    """The URLs of files in a response."""
    if is_object(part):
        for name, value in part.items():
            yield from file_urls(value, name)
    elif is_array(part):
        for value in part:
            yield from file_urls(value, field)
    elif isinstance(part, str) and field in ("url", "renderUrl", "thumbnail", "posterUrl", "previewUrl"):
        yield from [part] if re.match(r"https://(media|cdn)\.|http://127", part) else []


@pytest.mark.parametrize("is_served", [False, True])
def test_every_file_can_be_downloaded_without_a_key(checked: Checked, pictify: Pictify, *, is_served: bool) -> None:
    fake = checked.fake
    fake.videos[0]["posterUrl"] = "https://media.pictify.io/poster.jpg"
    with ExitStack() as stack:
        if is_served:
            base_url = stack.enter_context(serving(fake))
            stranger = stack.enter_context(Pictify(api_key="pic_live_unknown", base_url=base_url))
        else:
            stranger = fake.client(api_key="pic_live_unknown")
        for name, arguments, named in CALLS:
            if name.endswith(".delete"):
                continue
            found: Any = method(pictify, name)(*arguments, **named)
            if name.endswith((".list", ".search")):
                list(found)
        bodies = [json.loads(each.body) for each in checked.responses if "json" in each.headers.get("content-type", "")]
        bodies.append(json.loads(fake.webhook("render.completed", secret="whsec_mine").body))
        urls = {*file_urls(bodies)}
        assert len(urls) > 60
        for url in urls:
            file = stranger.download(url, wait=0)
            assert file.read(), url
        with pytest.raises(NotFoundError):
            stranger.download(str(fake.bindings[0]["renderUrl"]).replace("/bindings/", "/bindings/X"), wait=0)
        kinds = {url.rpartition(".")[2] for url in urls}
        assert kinds >= {"png", "jpg", "webp", "gif", "pdf"}


def test_a_file_of_another_host_can_be_downloaded_if_a_record_names_it(fake: FakePictify) -> None:
    fake.bindings[0].update(renderUrl="https://cdn.example.com/mine", outputConfig={"width": 7, "height": 9})
    pictify = fake.client()
    assert png_size(pictify.download("https://cdn.example.com/mine").read()) == (7, 9)
    for url in ("https://cdn.example.com/other", "https://example.com/mine", "https://example.com/bindings"):
        with pytest.raises(APIConnectionError, match="no connection to https://"):
            pictify.download(url)
    for path in ("/none.png", "/bindings/NOBINDING1.png", "/templates"):
        with pytest.raises(NotFoundError):
            pictify.download(f"https://cdn.pictify.io{path}", wait=0)
    # The API itself serves no files.
    path = httpx.URL(pictify.images.create(html="x").url).path
    with pytest.raises(NotFoundError, match="Route GET:/"):
        pictify.download(f"https://api.pictify.io{path}", wait=0)


def test_images_of_records_have_their_size_and_format(fake: FakePictify) -> None:
    pictify = fake.client()
    binding, template = next(iter(pictify.bindings.list())), pictify.templates.get("U10ME1J5L4")
    assert png_size(pictify.download(str(binding.render_url)).read()) == (600, 400)
    assert png_size(pictify.download(str(template.thumbnail)).read()) == (1080, 1080)
    fake.templates[0]["thumbnail"] = "https://media.pictify.io/mine.jpg"
    assert pictify.download("https://media.pictify.io/mine.jpg").content_type == "image/jpeg"


def test_a_served_fake_has_urls_of_its_server_until_it_is_closed(fake: FakePictify) -> None:
    live = [fake.bindings[0]["renderUrl"], fake.templates[0]["thumbnail"], fake.client().images.create(html="x").url]

    def urls() -> list[str]:
        return [fake.bindings[0]["renderUrl"], fake.templates[0]["thumbnail"], fake.images[0]["url"]]

    with serving(fake) as base_url:
        assert [url.replace(base_url, "") for url in urls()] == [httpx.URL(url).path for url in live]
        made = fake.client().bindings.create(template_id="APPK3ATNDP", data_source=HTTP, mapping={})
        assert made.render_url == f"{base_url}/bindings/{made.uid}.png"
        # A client of the same process has the same files.
        assert fake.client().download(urls()[2]).read() == fake.file(urls()[2])
    assert urls() == live
    assert fake.bindings[-1]["renderUrl"] == f"https://cdn.pictify.io/bindings/{made.uid}.png"


def test_its_responses_are_deterministic() -> None:
    fakes = [Checked(), Checked()]
    for each in fakes:
        pictify = each.pictify()
        for name, arguments, named in CALLS:
            found: Any = method(pictify, name)(*arguments, **named)
            if name.endswith((".list", ".search")):
                list(found)
    assert fakes[0].responses == fakes[1].responses


def test_an_operation_that_is_not_implemented_is_an_error(pictify: Pictify, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Bindings, "get_binding")
    with pytest.raises(
        ServerError, match=re.escape("501 Not Implemented: the fake API does not implement GET /bindings/{uid}")
    ):
        pictify.bindings.get("OW9OT95X0L")


def test_a_fixed_path_segment_takes_precedence_over_a_parameter(fake: FakePictify) -> None:
    headers = {"authorization": f"Bearer {API_KEY}"}
    assert b"maxVariants" in fake.respond("GET", "/experiments/api/quota", headers).body
    assert fake.respond("GET", "/s/unknown/pixel.gif", {}).headers["content-type"] == "image/gif"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/gif/capture"), ("GET", "/nowhere"), ("GET", "/bindings/"), ("GET", "/b/c/d"), ("PATCH", "/bindings")],
)
def test_a_route_that_does_not_exist_is_not_found(fake: FakePictify, method: str, path: str) -> None:
    response = fake.respond(method, path, {})
    assert (response.status, check_error(response)["message"]) == (404, f"Route {method}:{path} not found")


# Keys and checks.


def test_it_requires_its_key_where_the_document_does(checked: Checked) -> None:
    stranger = checked.pictify(api_key="pic_live_unknown")
    for name, arguments, named in CALLS:
        if name.startswith(
            ("experiments.track", "workflows.post_rows", "url_rendering.render_b", "url_rendering.render_e", "gifs.get")
        ):
            continue
        with pytest.raises(UnauthorizedError, match="Invalid Request"):
            found = method(stranger, name)(*arguments, **named)
            list(found)
    assert stranger.url_rendering.render_binding("OW9OT95X0L", "png").read()
    assert {json.loads(response.body)["message"] for response in checked.responses[:-1]} == {"Invalid Request"}
    assert checked.fake.respond("GET", "/bindings", {}).body == b'{"message": "Invalid Request"}'


def test_a_template_url_accepts_the_key_too(pictify: Pictify, fake: FakePictify) -> None:
    address = pictify.url_rendering.template_url("APPK3ATNDP", "png", token=API_KEY)
    assert fake.respond("GET", address.removeprefix("https://api.pictify.io"), {}).status == 200
    assert fake.respond("GET", "/r/APPK3ATNDP.png?token=pic_live_unknown", {}).status == 401
    assert fake.respond("GET", "/r/APPK3ATNDP.png", {}).status == 401
    assert fake.respond("GET", f"/bindings?token={API_KEY}", {}).status == 401
    assert fake.respond("GET", "/bindings", {"authorization": API_KEY}).status == 401


@pytest.mark.parametrize(
    ("method", "target", "body", "messages"),
    [
        ("GET", "/bindings?limit=101&page=0", None, ["page must be at least 1", "limit must be at most 100"]),
        ("GET", "/bindings?status=gone", None, ["status must be one of 'active'"]),
        ("GET", "/image?limit=x", None, ["limit must be int"]),
        ("GET", "/image?offset=1.5", None, ["offset must be int"]),
        ("GET", "/experiments/api?limit=true", None, ["limit must be int"]),
        ("GET", "/r/APPK3ATNDP.bmp?quality=2", None, ["format must be one of", "quality must be at most 1"]),
        ("GET", "/r/APPK3ATNDP.png?quality=NaN", None, ["quality must be a finite number"]),
        ("POST", "/templates", {}, ["name is required"]),
        ("POST", "/templates", {"name": None}, ["name is required"]),
        ("POST", "/templates", {"name": "x", "layouts": {"A b": {}}}, ["layouts keys must match"]),
        ("POST", "/templates", [], ["body must be"]),
        ("POST", "/bindings", {"templateId": "x", "dataSource": HTTP, "mapping": {"a b": 1}}, ["mapping['a b'] must"]),
        ("POST", "/bindings", {"templateId": "x", "mapping": {}}, ["one of dataSource or dataSourceId is required"]),
        ("POST", "/s/events", [{"event": "view"}] * 101, ["body must have at most 100 items"]),
        ("POST", "/s/events", [{"event": "view"}], ["body[0].experiment is required"]),
        ("POST", "/templates", {"name": "x", "tags": None, "width": None}, ["width must not be null", "tags must not"]),
        ("POST", "/image", {"url": "shop", "width": None}, ["url must be an absolute URL", "width must not be null"]),
        ("POST", "/image", {"htlm": "x"}, ["one of html, url or template is required"]),
        ("POST", "/image", {"html": "x", "width": "5000"}, ["width must be int"]),
        ("POST", "/image", {"html": "x", "width": 0}, ["width must be at least 1"]),
        ("POST", "/image", {"html": "x", "fileExtension": 1}, ["fileExtension must be"]),
        ("POST", "/gif/capture", {}, ["url is required"]),
        ("GET", "/image?limit=0", None, ["limit must be at least 1"]),
        ("POST", "/image", {}, ["one of html, url or template is required"]),
        ("POST", "/image", {"html": "x", "url": "https://a.b"}, ["html and url cannot be combined"]),
        ("POST", "/webhook-subscriptions", {"event": "render.failed", "targetUrl": "ftp://a.b"}, ["targetUrl must be"]),
        ("PUT", "/bindings/OW9OT95X0L", {"mapping": {"a": 1}}, ["mapping.a must be a string"]),
        ("PUT", "/bindings/OW9OT95X0L", {"dataSource": {"url": None, "type": "http"}}, ["dataSource.url must not be"]),
        ("POST", "/s/events", [{"event": "view", "experiment": "x", "writeKey": None}], ["body[0].writeKey must not"]),
        ("PUT", "/experiments/api/x", {"slug": "A"}, ["slug must match"]),
        ("POST", "/experiments/api/x/complete", {}, ["winnerVariantId is required"]),
    ],
)
def test_it_rejects_requests_that_violate_the_document(
    fake: FakePictify, method: str, target: str, body: Any, messages: list[str]
) -> None:
    headers = {"authorization": f"Bearer {API_KEY}"}
    response = fake.respond(method, target, headers, b"" if body is None else json.dumps(body).encode())
    error = check_error(response)
    is_design = target == "/templates"
    assert response.status == (422 if is_design else 400)
    assert {*error} == (
        {"message", "errors"} if is_design else {"error"} if target.startswith(("/image", "/gif")) else {"message"}
    )
    found = error["errors"] if is_design else error.get("message", error.get("error")).split("; ")
    assert len(found) == len(messages)
    assert all(message in text for text, message in zip(found, messages, strict=True))
    assert "to send" not in str(found)


@pytest.mark.parametrize("body", [b"", b" ", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_not_json_is_a_bad_request(fake: FakePictify, body: bytes) -> None:
    headers = {"authorization": f"Bearer {API_KEY}", "content-type": "application/json; charset=utf-8"}
    response = fake.respond("POST", "/image", headers, body)
    error = check_error(response)
    assert (response.status, error["error"]) == (400, "Bad Request")
    is_empty = not body.strip()
    assert error["code"] == ("FST_ERR_CTP_EMPTY_JSON_BODY" if is_empty else "FST_ERR_CTP_INVALID_JSON_BODY")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/templates/batch/57QTD9ZT6D/cancel"),
        ("POST", "/webhook-subscriptions/RNQRGIDCH7/pause"),
        ("DELETE", "/bindings/OW9OT95X0L"),
    ],
)
def test_an_empty_body_must_not_have_the_content_type_of_json(fake: FakePictify, method: str, target: str) -> None:
    fake.subscriptions.append({"uid": "RNQRGIDCH7"})
    fake.client().batch.render_template("APPK3ATNDP", variable_sets=[{}])
    key = {"authorization": f"Bearer {API_KEY}"}
    rejected = fake.respond(method, target, {**key, "content-type": "application/json"})
    assert (rejected.status, check_error(rejected)["code"]) == (400, "FST_ERR_CTP_EMPTY_JSON_BODY")
    # The framework ignores the body of a GET.
    assert fake.respond("GET", "/bindings", {**key, "content-type": "application/json"}).status == 200
    assert fake.respond(method, target, {**key, "content-type": "application/json"}, b"{}").status == 200


def test_a_request_without_a_body_has_no_fields(fake: FakePictify) -> None:
    rejected = fake.respond("POST", "/image", {"authorization": f"Bearer {API_KEY}"})
    assert (rejected.status, json.loads(rejected.body)) == (400, {"error": "one of html, url or template is required"})


def respond(fake: FakePictify, method: str, target: str, body: Any = None) -> Any:
    """Send a request as a program without a client would. Returns the body of the response."""
    content = b"" if body is None else json.dumps(body).encode()
    response = fake.respond(method, target, {"authorization": f"Bearer {API_KEY}"}, content)
    assert response.status < 300, response.body
    return json.loads(response.body)


@pytest.mark.parametrize("width", [4096, 4097, 10**30])
def test_the_size_of_an_image_is_clamped(fake: FakePictify, width: int) -> None:
    image = respond(fake, "POST", "/image", {"html": "x", "width": width, "height": 20})
    assert png_size(fake.file(image["url"])) == (4096, 20)


@pytest.mark.parametrize("extension", ["pdf", "bmp", "PNG", ""])
def test_an_unknown_format_of_an_image_is_png(fake: FakePictify, extension: str) -> None:
    image = respond(fake, "POST", "/image", {"html": "x", "fileExtension": extension})
    assert image["url"].endswith(".png")


@pytest.mark.parametrize("seconds", [0, -1, "2", None, True, []])
def test_an_invalid_duration_of_a_frame_is_ignored(fake: FakePictify, seconds: Any) -> None:
    given = {"url": "https://shop.example.com", "frameDurationSeconds": seconds}
    captured = respond(fake, "POST", "/gif/capture", given)
    assert captured["gif"]["frameDurationSeconds"] == 3
    assert respond(fake, "POST", "/gif/capture", {**given, "frameDurationSeconds": 2})["metadata"]["frameCount"] == 4


@pytest.mark.parametrize(
    ("query", "limit", "offset"),
    [("limit=101", 100, 0), ("limit=9999999999999999999999", 100, 0), ("offset=-1", 30, 0), ("limit=5&offset=2", 5, 2)],
)
@pytest.mark.parametrize("path", ["/image", "/gif", "/pdf", "/render"])
def test_the_pages_of_lists_by_offset_are_clamped(
    fake: FakePictify, path: str, query: str, limit: int, offset: int
) -> None:
    page = respond(fake, "GET", f"{path}?{query}")["pagination"]
    default = 24 if path == "/render" and "limit" not in query else limit
    assert (page["limit"], page["offset"]) == (default, offset)


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/image", {"html": "x", "format": "jpg", "quality": 1}),
        ("/templates", {"name": "x", "variableDefinitions": [{"name": "a", "odd": 1, "validation": {"odd": 1}}]}),
        ("/templates/APPK3ATNDP/render", {"odd": {"a": 1}, "variables": {"odd": 1}}),
        ("/bindings", {"templateId": "APPK3ATNDP", "dataSource": {**HTTP, "odd": 1}, "mapping": {}, "odd": None}),
        ("/s/events", [{"event": "view", "experiment": "x", "odd": 1}]),
        ("/s/events", {"event": "view", "experiment": "x", "odd": 1}),
    ],
)
def test_unknown_fields_are_ignored(fake: FakePictify, target: str, body: Any) -> None:
    stored = json.dumps(respond(fake, "POST", target, body))
    assert "odd" not in stored


# Records: created, updated, deleted.


@pytest.mark.parametrize(
    ("resource", "made", "change"),
    [
        ("templates", {"name": "a", "width": 30}, {"name": "b"}),
        ("bindings", {"template_id": "APPK3ATNDP", "data_source": HTTP, "mapping": {}}, {"status": "paused"}),
        ("webhooks", {"event": "binding.failed", "target_url": "https://h.example.com"}, {"status": "paused"}),
        ("experiments", {"name": "a", "type": "ab_test", "slug": "abc", "variants": VARIANTS}, {"name": "b"}),
    ],
)
def test_records_can_be_created_read_updated_listed_and_deleted(
    pictify: Pictify, resource: str, made: dict[str, Any], change: dict[str, Any]
) -> None:
    call: Any = getattr(pictify, resource)
    created = call.create(**made)
    read = call.get(created.uid)
    assert {name: value for name, value in created.to_dict().items() if name != "secret"} == read.to_dict()
    updated = call.update(created.uid, **change)
    kept = {*read.to_dict()} - {*change, "updatedAt"}
    assert {name: updated.to_dict()[name] for name in kept} == {name: read.to_dict()[name] for name in kept}
    assert {name: getattr(updated, name) for name in change} == change
    assert call.get(created.uid) == updated
    (listed,) = [each for each in call.list() if each.uid == created.uid]
    assert {**updated.to_dict(), "hasDynamicLink": False} == {**listed.to_dict(), "hasDynamicLink": False}
    deletion = call.delete(created.uid)
    assert deletion.deleted or deletion.message == "Template deleted successfully"
    assert [each for each in call.list() if each.uid == created.uid] == []
    for gone in (call.get, call.delete, call.update):
        with pytest.raises(NotFoundError):
            gone(created.uid)


def test_secrets_are_returned_once_or_never(checked: Checked, pictify: Pictify) -> None:
    source: DataSourceParam = {**HTTP, "credentials": {"type": "api_key", "value": "hush"}, "headers": {"x": "y"}}
    binding = pictify.bindings.create(template_id="APPK3ATNDP", data_source=source, mapping={})
    pictify.bindings.update(binding.uid, data_source=source)
    assert b"hush" not in b"".join(response.body for response in checked.responses)
    assert checked.fake.bindings[-1]["dataSource"] == {**HTTP, "headers": {"x": "y"}}
    secret = pictify.webhooks.create(event="render.failed", target_url="https://h.example.com").secret
    assert isinstance(secret, str)
    assert secret.startswith("whsec_")
    pictify.webhooks.get("RNQRGIDCH7")
    assert list(pictify.webhooks.list())
    assert [secret in response.body.decode() for response in checked.responses[-3:]] == [True, False, False]


def test_it_has_the_records_that_a_test_adds(fake: FakePictify, pictify: Pictify) -> None:
    fake.templates = [{"uid": "MYTEMPLATE", "name": "Mine"}]
    assert [each.uid for each in pictify.templates.list()] == ["MYTEMPLATE"]
    assert pictify.templates.get_variables("MYTEMPLATE").variables == []
    pictify.templates.render("MYTEMPLATE", variables={"title": "x"})
    assert png_size(pictify.url_rendering.render_template("MYTEMPLATE", "png").read()) == (1280, 720)
    fake.bindings = [{"uid": "bind_mine", "status": "active", "renderUrl": "https://cdn.example.com/1.png"}]
    assert png_size(pictify.url_rendering.render_binding("bind_mine", "png").read()) == (1280, 720)
    made = {"createdAt": "2026-01-29T10:00:05Z", "updatedAt": "2026-01-29T10:00:05Z"}
    fake.experiments.append(
        {
            "uid": "e",
            "slug": "abc",
            "type": "ab_test",
            "name": "x",
            "status": "running",
            "variants": [{**each} for each in VARIANTS],
            **made,
        }
    )
    pictify.experiments.track_pixel("abc")
    pictify.experiments.track_events(event="click", experiment="abc", variant_id="a")
    goal: GoalConfigParam = {"destinationUrl": "https://shop.example.com"}
    assert pictify.experiments.update("e", goal_config=goal).to_dict()["goalConfig"] == goal
    assert counts(pictify.experiments.get("e"))["a"] == (1, 1)


def test_lists_are_filtered_and_ordered(pictify: Pictify) -> None:
    pictify.templates.create(name="A page", output_format="pdf")
    assert [each.name for each in pictify.templates.list()] == ["A page", "Square post", "Price tag", "Product card"]
    assert [each.name for each in pictify.templates.list(sort="oldest")][-1] == "A page"
    assert next(each.name for each in pictify.templates.list(sort="name")) == "A page"
    assert [each.name for each in pictify.templates.list(output_format="pdf")] == ["A page"]
    for event in ("render.failed", "binding.failed"):
        pictify.webhooks.create(event=event, target_url="https://h.example.com")
    pictify.webhooks.update("LHOLC87W64", status="paused")
    assert [each.uid for each in pictify.webhooks.list(event="render.failed")] == ["RNQRGIDCH7"]
    assert [each.uid for each in pictify.webhooks.list(status="paused")] == ["LHOLC87W64"]
    assert list(pictify.webhooks.list(event="render.failed", status="paused")) == []


def test_lists_have_pages_in_their_own_style(checked: Checked, pictify: Pictify) -> None:
    for _ in range(31):
        pictify.images.create(url="https://shop.example.com")
        pictify.gifs.create(html="<b>x</b>")
    assert [len(page) for page in pictify.images.list().pages()] == [30, 1]
    body = json.loads(checked.responses[-1].body)
    assert body["pagination"] == {"total": 31, "limit": 30, "offset": 30, "hasMore": False}
    assert [image.id for image in pictify.images.list(offset=30)] == ["1EPXFX896C"]
    assert len(list(pictify.gifs.list())) == 31
    assert json.loads(checked.responses[-1].body)["pagination"]["offset"] == 30
    for number in range(3):
        pictify.experiments.create(name="x", type="ab_test", slug=f"slug-{number}", variants=VARIANTS)
    assert [len(page) for page in pictify.experiments.list(limit=2).pages()] == [2, 1]
    body = json.loads(checked.responses[-1].body)
    assert {name: body[name] for name in body if name != "experiments"} == {"total": 3, "page": 2, "limit": 2}


# Renders.


def test_an_unknown_template_is_forbidden_to_render_from(pictify: Pictify) -> None:
    for call in (pictify.images.create, pictify.gifs.create):
        with pytest.raises(ForbiddenError, match="Template not found"):
            call(template="NOTEMPLATE")
    with pytest.raises(NotFoundError, match="Template not found"):
        pictify.templates.render("NOTEMPLATE")


def test_unknown_variables_are_ignored_unless_the_template_is_strict(pictify: Pictify) -> None:
    calls: list[tuple[Any, str, dict[str, Any]]] = [
        (pictify.images.create, "template", {}),
        (pictify.templates.render, "uid", {}),
        (pictify.templates.multi_size_render, "uid", {"sizes": [{}]}),
        (pictify.pdfs.render, "template_uid", {}),
    ]
    for call, name, named in calls:
        call(**{name: "APPK3ATNDP"}, variables={"tilte": "x"}, **named)
        with pytest.raises(UnprocessableContentError, match="Variable 'tilte' is not defined") as raised:
            call(**{name: "1O8AC6BEVJ"}, variables={"tilte": "x"}, **named)
        assert (raised.value.code, raised.value.context) == ("UNDEFINED_VARIABLE", {"variable": "tilte"})


def test_a_required_variable_must_have_a_value(pictify: Pictify) -> None:
    definitions: list[Any] = [{"name": "a", "required": True}, {"name": "b", "validation": {"required": True}}]
    made = pictify.templates.create(name="x", html="{{a}} {{b}}", variable_definitions=definitions)
    assert pictify.templates.render(made.uid, variables={"a": None, "b": 0}).url
    for given, name in (({"a": 1}, "b"), ({"b": 1}, "a")):
        with pytest.raises(UnprocessableContentError, match=f"Variable '{name}' is required") as raised:
            pictify.templates.render(made.uid, variables=given)
        assert raised.value.code == "VARIABLE_REQUIRED"


def test_the_variables_of_a_template_are_found_in_its_html(pictify: Pictify) -> None:
    html = "{{title}} {{{ body }}} {{#if sale}}{{price}}{{else}}{{title}}{{/if}} {{#each items}}{{this}}{{/each}}"
    definitions: list[Any] = [{"name": "title", "type": "text", "defaultValue": "T"}]
    made = pictify.templates.create(name="x", html=html, variable_definitions=definitions)
    assert made.added_variables == ["body", "sale", "price", "items"]
    assert made.variables == ["title", "body", "sale", "price", "items"]
    assert (made.engine, made.thumbnail, made.html) == ("html", None, html)
    read = pictify.templates.get(made.uid)
    assert read.added_variables is None
    assert [each.name for each in pictify.templates.get_variables(made.uid).variables] == made.variables
    assert pictify.templates.update(made.uid, name="y").added_variables is None
    assert pictify.templates.update(made.uid, html="{{more}}").added_variables == ["more"]
    assert pictify.templates.update(made.uid, engine="html").name == "y"


@pytest.mark.parametrize(
    ("design", "status", "code"),
    [
        ({"html": "x" * 600_000}, 413, "TEMPLATE_TOO_LARGE"),
        ({"html": "{{a"}, 422, "HANDLEBARS_COMPILE_ERROR"),
        ({"output_format": "pdf", "layouts": {"a": {}}}, 422, None),
        ({"engine": "fabric"}, 422, None),
    ],
)
def test_an_invalid_design_is_rejected(pictify: Pictify, design: dict[str, Any], status: int, code: str | None) -> None:
    with pytest.raises(APIStatusError) as raised:
        pictify.templates.update("APPK3ATNDP", **design)
    assert (raised.value.status_code, raised.value.code) == (status, code)
    assert type(raised.value) is (ContentTooLargeError if status == 413 else UnprocessableContentError)


def test_a_template_is_rendered_in_its_layouts(fake: FakePictify, pictify: Pictify) -> None:
    one = pictify.templates.render("APPK3ATNDP", format="jpg")
    assert [(each.layout, each.width, each.height, each.format) for each in one.results] == [
        ("default", 1200, 630, "jpg")
    ]
    assert (one.errors, one.total_layouts, one.total_rendered, one.total_errors) == ([], 1, 1, 0)
    assert fake.file(one.url).startswith(b"\xff\xd8\xff")
    some = pictify.templates.render("APPK3ATNDP", layouts=["story", "none", "default"], width=20, height=30)
    assert [(each.layout, each.name, each.width, each.height) for each in some.results] == [
        ("story", "Story", 20, 30),
        ("default", "Product card", 20, 30),
    ]
    assert [(each.layout, each.error) for each in some.errors] == [("none", "Layout 'none' not found")]
    assert (some.total_layouts, some.total_rendered, some.total_errors) == (3, 2, 1)
    none = pictify.templates.render("APPK3ATNDP", layout="none")
    assert (none.results, none.template_uid) == ([], "APPK3ATNDP")
    pages = pictify.templates.render("APPK3ATNDP", format="pdf", variable_sets=[{}, {}, {}])
    assert fake.file(pages.url).count(b"/Type /Page ") == 3


def test_the_layouts_of_a_template_are_not_listed(pictify: Pictify) -> None:
    made = pictify.templates.create(name="x", layouts={"wide": {"name": "Wide", "width": 900, "height": 90}})
    assert {key: layout.width for key, layout in (made.layouts or {}).items()} == {"wide": 900}
    listed = pictify.templates.list()
    assert all(template.layouts is None for template in listed)
    assert [template.name for template in pictify.templates.list(has_dynamic_link=False)] == ["x"]


def test_renders_have_the_size_of_the_request_or_of_the_template(fake: FakePictify, pictify: Pictify) -> None:
    gif = pictify.gifs.create(template="1O8AC6BEVJ", height=50, quality="low", frames_per_second=9)
    assert (gif.width, gif.height, gif.quality, gif.frames_per_second) == (600, 50, "low", 9)
    assert (gif.animation_length, gif.duration) == (2000, 2)
    captured = pictify.gifs.capture(url="https://shop.example.com", width=5, frame_duration_seconds=0.5)
    assert (captured.width, captured.height, captured.animation_length, captured.duration) == (5, 600, 2, 2)
    assert captured.metadata
    assert (captured.metadata.frame_count, captured.metadata.uid) == (4, captured.url.rpartition("/")[2][:-4])
    assert [stored.uid for stored in pictify.gifs.list()] == [gif.uid, captured.uid]
    image = pictify.images.create(html="<b>x</b>")
    stored = pictify.images.get(image.id)
    assert (stored.uid, stored.width, stored.height, stored.html) == (image.id, 1280, 720, "<b>x</b>")
    assert png_size(fake.file(image.url)) == (1280, 720)
    sizes: list[RenderSizeParam] = [
        {"preset": "instagram-post"},
        {"width": 20, "height": 30, "label": "mine"},
        {"width": 20},
    ]
    response = pictify.templates.multi_size_render("APPK3ATNDP", sizes=sizes, format="webp").to_dict()
    assert [result["size"] for result in response["results"]] == [
        {"width": 1080, "height": 1080, "preset": "instagram-post"},
        {"width": 20, "height": 30, "label": "mine"},
    ]
    assert response["errors"][0]["size"] == {"width": 20}
    assert (response["totalSizes"], response["totalErrors"]) == (3, 1)


def test_pdfs_have_the_size_of_their_paper(pictify: Pictify) -> None:
    presets = pictify.pdfs.get_presets()
    letter = pictify.pdfs.render(template_uid="APPK3ATNDP", options={"preset": "Letter"}).to_dict()
    assert (letter["preset"], letter["pageCount"], letter["pageSize"]) == ("Letter", 1, presets["Letter"])
    with pytest.raises(BadRequestError, match="customSize"):
        pictify.pdfs.render(template_uid="APPK3ATNDP", options={"preset": "custom"})


@pytest.mark.parametrize(
    ("sets", "status", "progress"),
    [
        ([{"title": str(number)} for number in range(6)], "completed", [0, 33.33, 66.67, 100]),
        ([{"title": "x"}], "completed", [0, 0, 0, 100]),
        ([{"title": "x"}, {"other": "x"}], "partial", [0, 0, 50, 100]),
        ([{"other": "x"}], "failed", [0, 0, 0, 100]),
    ],
)
def test_a_batch_progresses_with_each_poll(
    pictify: Pictify, fake: FakePictify, sets: list[dict[str, str]], status: str, progress: list[int]
) -> None:
    seen: list[BatchStatus] = []
    job = pictify.batch.render_template("1O8AC6BEVJ", variable_sets=sets)
    assert isinstance(job, BatchJob)
    done = job.wait(on_progress=seen.append)
    assert [each.progress for each in seen] == progress
    assert [each.status for each in seen] == ["processing"] * (len(progress) - 1) + [status]
    assert (done.total_items, done.completed_items) == (len(sets), len(fake.images))
    assert [{**result} for result in done.to_dict()["results"]] == [
        {"index": index, "success": True, "variables": ["title"]} for index, each in enumerate(sets) if "title" in each
    ]
    assert [{**error} for error in done.to_dict()["errors"]] == [
        {"index": index, "success": False, "variables": ["other"], "error": "Variable 'other' is not defined"}
        for index, each in enumerate(sets)
        if "other" in each
    ]
    assert pictify.batch.get_results(job.batch_ids[0]) == done
    assert pictify.batch.cancel(job.batch_ids[0]).to_dict()["status"] == status


def test_the_rows_of_a_batch_may_be_in_a_csv_file(fake: FakePictify, pictify: Pictify) -> None:
    url = "https://shop.example.com/rows.csv"
    fake.csv_files[url] = "Product,Price\nCup,9\nPot,19\n"
    job = pictify.batch.render_template("APPK3ATNDP", csv_url=url, mappings={"title": "Product"}, layout="story")
    done = job.wait()
    assert (done.total_items, [row.variables for row in done.results]) == (2, [["title"], ["title"]])
    unknown = pictify.batch.render_template("APPK3ATNDP", variable_sets=[{}], layouts=["none"]).wait()
    assert (unknown.status, unknown.errors[0].error) == ("failed", "Layout 'none' not found")
    with pytest.raises(BadRequestError, match="could not be fetched"):
        pictify.batch.render_template("APPK3ATNDP", csv_url="https://shop.example.com/none.csv", mappings={})
    fake.csv_files[url] = "Product\n"
    empty = pictify.batch.render_template("APPK3ATNDP", csv_url=url, mappings={"title": "Product"}).wait()
    assert (empty.status, empty.total_items, empty.progress) == ("completed", 0, 100)


def test_an_async_batch(checked: Checked) -> None:
    async def run() -> BatchStatus:
        job = await checked.pictify_async().batch.render_template("APPK3ATNDP", variable_sets=[{}, {}])
        assert isinstance(job, AsyncBatchJob)
        return await job.wait()

    assert anyio.run(run).status == "completed"


def test_a_batch_can_be_cancelled(pictify: Pictify) -> None:
    job = pictify.batch.render_template("APPK3ATNDP", variable_sets=[{}, {}])
    assert pictify.batch.get_results(job.batch_ids[0]).status == "processing"
    job.cancel()
    assert job.wait().status == "cancelled"
    for call in (pictify.batch.get_results, pictify.batch.cancel):
        with pytest.raises(NotFoundError, match="Batch not found"):
            call("batch_none")


# Images that are embedded.


def png_size(content: bytes) -> tuple[int, int]:
    """The size of a PNG, which must be completely valid."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    chunks: dict[bytes, bytes] = {}
    rest = content[8:]
    while rest:
        length, name = struct.unpack(">I4s", rest[:8])
        chunks[name], checksum = rest[8 : 8 + length], rest[8 + length : 12 + length]
        assert struct.pack(">I", zlib.crc32(name + chunks[name])) == checksum
        rest = rest[12 + length :]
    assert [*chunks] == [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"]
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    assert len(zlib.decompress(chunks[b"IDAT"])) == height * (1 + -(-width // 8))
    return width, height


def test_embedded_images_have_the_size_of_the_template(checked: Checked, pictify: Pictify) -> None:
    file = pictify.url_rendering.render_template("U10ME1J5L4", "png", variables={"title": "x", "utm_source": "y"})
    assert (file.content_type, png_size(file.read())) == ("image/png", (1080, 1080))
    assert len(checked.responses[-1].body) < 1000
    assert png_size(pictify.url_rendering.render_binding("OW9OT95X0L", "png").read()) == (600, 400)
    pictify.bindings.update("OW9OT95X0L", output_config={"width": 7})
    assert png_size(pictify.url_rendering.render_binding("OW9OT95X0L", "png").read()) == (7, 400)


@pytest.mark.parametrize(
    ("extension", "media_type", "start", "end"),
    [
        ("jpeg", "image/jpeg", b"\xff\xd8\xff", b"\xff\xd9"),
        ("jpg", "image/jpeg", b"\xff\xd8\xff", b"\xff\xd9"),
        ("webp", "image/webp", b"RIFF\x18\0\0\0WEBPVP8L", b"\0"),
    ],
)
def test_embedded_images_of_other_formats(
    pictify: Pictify, extension: Any, media_type: str, start: bytes, end: bytes
) -> None:
    file = pictify.url_rendering.render_template("APPK3ATNDP", extension)
    content = file.read()
    assert file.content_type == media_type
    assert content.startswith(start)
    assert content.endswith(end)


def test_an_unknown_template_is_a_transparent_pixel(checked: Checked, pictify: Pictify) -> None:
    with pytest.raises(NotFoundError):
        pictify.url_rendering.render_template("NOTEMPLATE", "png")
    response = checked.responses[-1]
    assert (response.status, response.headers["content-type"]) == (404, "image/png")
    with pytest.raises(BadRequestError, match="Layout 'none' not found"):
        pictify.url_rendering.render_template("APPK3ATNDP", "png", layout="none")
    assert png_size(pictify.url_rendering.render_template("APPK3ATNDP", "png", layout="square").read()) == (1080, 1080)
    assert png_size(response.body) == (1, 1)
    assert b"tRNS\0" in response.body


def test_an_image_of_a_binding_is_sent_once_for_each_version(pictify: Pictify) -> None:
    first = pictify.url_rendering.render_binding("OW9OT95X0L", "png")
    again = pictify.url_rendering.render_binding("OW9OT95X0L", "png", if_none_match=first.etag)
    assert again.not_modified
    assert again.etag == first.etag
    assert not pictify.url_rendering.render_binding("OW9OT95X0L", "webp", if_none_match=first.etag).not_modified
    pictify.bindings.update("OW9OT95X0L", name="new")
    assert not pictify.url_rendering.render_binding("OW9OT95X0L", "png", if_none_match=first.etag).not_modified
    with pytest.raises(NotFoundError, match="Binding not found"):
        pictify.url_rendering.render_binding("bind_none", "png")


# Experiments.


def start(pictify: Pictify, **more: Any) -> Experiment:
    made: dict[str, Any] = {"name": "x", "type": "ab_test", "slug": "abc", "variants": VARIANTS, **more}
    return pictify.experiments.start(pictify.experiments.create(**made).uid)


def counts(experiment: Experiment) -> dict[str, tuple[Any, Any]]:
    return {variant.id: (variant.impressions, variant.clicks) for variant in experiment.variants or []}


STEPS = {
    "start": {"draft": "running", "paused": "running"},
    "pause": {"running": "paused"},
    "complete": {"running": "completed", "paused": "completed"},
    "delete": {"draft": "archived", "paused": "archived", "completed": "archived"},
}


@pytest.mark.parametrize("state", ["draft", "running", "paused", "completed"])
@pytest.mark.parametrize("step", STEPS)
def test_the_states_of_an_experiment(pictify: Pictify, fake: FakePictify, state: str, step: str) -> None:
    uid = pictify.experiments.create(name="x", type="ab_test", slug="abc", variants=VARIANTS).uid
    fake.experiments[0]["status"] = state
    named = {"winner_variant_id": "b"} if step == "complete" else {}
    call = method(pictify, f"experiments.{step}")
    if state in STEPS[step]:
        call(uid, **named)
    else:
        with pytest.raises(ConflictError, match=f"the experiment is {state}") as raised:
            call(uid, **named)
        assert raised.value.problem is None
    assert fake.experiments[0]["status"] == STEPS[step].get(state, state)


def test_the_winner_of_an_experiment(pictify: Pictify) -> None:
    running = start(pictify)
    assert (running.winner_variant_id, running.winner_declared_at) == (None, None)
    with pytest.raises(BadRequestError, match="there is no variant c"):
        pictify.experiments.complete(running.uid, winner_variant_id="c")
    completed = pictify.experiments.complete(running.uid, winner_variant_id="b")
    assert (completed.status, completed.winner_variant_id) == ("completed", "b")
    assert completed.winner_declared_at


@pytest.mark.parametrize(
    ("wrong", "error", "body"),
    [
        ({"slug": "events"}, BadRequestError, "the slug events is reserved"),
        ({"slug": "taken"}, ConflictError, "the slug taken is taken"),
        ({"variants": [{"id": "a", "weight": 1}, {"id": "b", "weight": 2}]}, BadRequestError, "and sum to 3"),
        ({"variants": [{"id": str(i), "weight": 0} for i in range(11)]}, BadRequestError, "has 2 to 10 variants"),
    ],
)
def test_an_invalid_experiment_is_rejected(
    pictify: Pictify, wrong: dict[str, Any], error: type[APIStatusError], body: str
) -> None:
    made: dict[str, Any] = {"name": "x", "type": "ab_test", "slug": "abc", "variants": VARIANTS}
    pictify.experiments.create(name="x", type="ab_test", slug="taken", variants=VARIANTS)
    with pytest.raises(error, match=body) as raised:
        pictify.experiments.create(**{**made, **wrong})
    assert raised.value.problem is None
    uid = pictify.experiments.create(**made).uid
    with pytest.raises(error, match=body):
        pictify.experiments.update(uid, **wrong)
    assert pictify.experiments.update(uid, slug="abc").slug == "abc"
    pictify.experiments.delete(uid)
    assert pictify.experiments.create(**made).uid != uid


def test_the_plan_limits_experiments(pictify: Pictify) -> None:
    for number in range(100):
        pictify.experiments.create(name="x", type="smart_link", slug=f"slug-{number}", variants=VARIANTS)
    assert pictify.experiments.get_quota().to_dict()["quota"] == {
        "ab_test": {"used": 0, "limit": 100},
        "smart_link": {"used": 100, "limit": 100},
        "scheduled": {"used": 0},
    }
    with pytest.raises(QuotaExceededError, match="the plan allows 100 experiments of this type"):
        pictify.experiments.create(name="x", type="smart_link", slug="one-more", variants=VARIANTS)
    pictify.experiments.create(name="x", type="scheduled", slug="one-more", variants=VARIANTS)


def test_which_fields_of_an_experiment_can_be_updated_depends_on_its_state(pictify: Pictify) -> None:
    running = start(pictify, goal_config={"type": "click_through", "destinationUrl": "https://a.example.com"})
    changed = pictify.experiments.update(running.uid, name="y", goal_config={"destinationUrl": "https://b.example.com"})
    assert changed.to_dict()["goalConfig"] == {"type": "click_through", "destinationUrl": "https://b.example.com"}
    not_now: list[dict[str, Any]] = [{"hypothesis": "x"}, {"goal_config": {"type": "impressions_only"}}]
    for frozen in not_now:
        with pytest.raises(BadRequestError, match="of an experiment that is running cannot be changed"):
            pictify.experiments.update(running.uid, **frozen)
    pictify.experiments.complete(running.uid, winner_variant_id="a")
    assert pictify.experiments.update(running.uid, name="z").name == "z"
    with pytest.raises(BadRequestError, match="minimumRunDays of an experiment that is completed"):
        pictify.experiments.update(running.uid, minimum_run_days=3)


def test_an_ab_test_shows_its_variants_by_weight(pictify: Pictify) -> None:
    running = start(pictify, goal_config={"destinationUrl": "https://shop.example.com"})
    sizes = [png_size(pictify.url_rendering.render_experiment("abc", "png").read()) for _ in range(8)]
    assert sizes == [(1280, 720), (1280, 720), (600, 400), (1280, 720)] * 2
    for _ in range(4):
        assert pictify.experiments.track_click("abc") == "https://shop.example.com"
    assert pictify.experiments.track_pixel("abc").read().startswith(b"GIF89a\1\0\1\0")
    assert counts(pictify.experiments.get(running.uid)) == {"a": (7, 3), "b": (2, 1)}
    paused = pictify.experiments.pause(running.uid)
    changed: Any = [{"id": "b", "weight": 5000}, {"id": "c", "weight": 5000, "impressions": 99}]
    assert counts(pictify.experiments.update(paused.uid, variants=changed)) == {"b": (2, 1), "c": (0, 0)}


def test_other_experiments_show_their_default(pictify: Pictify) -> None:
    first = start(pictify, type="scheduled")
    second = start(pictify, type="smart_link", slug="def", variants=[VARIANTS[0], {**VARIANTS[1], "isDefault": True}])
    for slug in ("abc", "def"):
        pictify.url_rendering.render_experiment(slug, "png")
    assert counts(pictify.experiments.get(first.uid)) == {"a": (1, 0), "b": (0, 0)}
    assert counts(pictify.experiments.get(second.uid)) == {"a": (0, 0), "b": (1, 0)}


def test_an_experiment_that_does_not_run_shows_its_fallback_or_nothing(pictify: Pictify) -> None:
    def shown() -> tuple[int, int]:
        return png_size(pictify.url_rendering.render_experiment("abc", "png").read())

    with pytest.raises(NotFoundError, match="there is no such experiment"):
        shown()
    draft = pictify.experiments.create(
        name="x", type="ab_test", slug="abc", variants=VARIANTS, fallback_template_uid="U10ME1J5L4"
    )
    with pytest.raises(NotFoundError, match="the experiment is draft"):
        shown()
    pictify.experiments.start(draft.uid)
    assert shown() == (1280, 720)
    pictify.experiments.pause(draft.uid)
    assert shown() == (1080, 1080)
    pictify.experiments.delete(draft.uid)
    other = start(pictify)
    pictify.experiments.pause(other.uid)
    with pytest.raises(NotFoundError, match="the experiment is paused"):
        shown()
    pictify.experiments.update(other.uid, fallback_image_url="https://shop.example.com/x.png")
    assert shown() == (1280, 720)
    third = start(pictify, slug="third")
    pictify.experiments.complete(third.uid, winner_variant_id="a")
    with pytest.raises(GoneError, match="the experiment is completed"):
        pictify.url_rendering.render_experiment("third", "png")


def test_a_click_without_a_destination_leads_nowhere(pictify: Pictify) -> None:
    running = start(pictify)
    for slug in ("abc", "unknown"):
        with pytest.raises(NotFoundError):
            pictify.experiments.track_click(slug)
    pictify.experiments.update(running.uid, goal_config={"destinationUrl": "https://shop.example.com"})
    pictify.experiments.pause(running.uid)
    assert pictify.experiments.track_click("abc") == "https://shop.example.com"
    assert counts(pictify.experiments.get(running.uid)) == {"a": (0, 0), "b": (0, 0)}


def test_a_click_leads_to_an_address_that_a_header_can_carry(pictify: Pictify, fake: FakePictify) -> None:
    start(pictify)
    fake.experiments[0]["goalConfig"]["destinationUrl"] = "https://shop.example.com/\u00fc?q=%20\r\nx: y"
    assert pictify.experiments.track_click("abc") == "https://shop.example.com/%C3%BC?q=%20%0D%0Ax:%20y"


def test_events_are_counted_for_their_variant(pictify: Pictify) -> None:
    running = start(pictify)
    start(pictify, slug="resting")
    pictify.experiments.pause("LDVA5ZXOQV")
    events: list[ExperimentEventParam] = [
        {"event": "impression", "experiment": "abc", "variantId": "b"},
        {"event": "click", "experiment": "abc", "variantId": "b"},
        {"event": "conversion", "experiment": "abc", "variantId": "b"},
        {"event": "click", "experiment": "abc"},
        {"event": "click", "experiment": "unknown"},
        {"event": "click", "experiment": "resting"},
        {"event": "click", "experiment": "abc", "variantId": "c"},
    ]
    response = pictify.experiments.track_events(events).to_dict()
    assert (response["ok"], response["processed"], response["warning"]) == (True, 4, "write_key_recommended")
    assert response["errors"] == [
        {"index": 4, "error": "there is no such experiment"},
        {"index": 5, "error": "the experiment is not running"},
        {"index": 6, "error": "the experiment has no such variant"},
    ]
    assert counts(pictify.experiments.get(running.uid)) == {"a": (0, 0), "b": (1, 1)}
    keyed: ExperimentEventParam = {"event": "view", "experiment": "abc", "writeKey": "wk"}
    assert "warning" not in pictify.experiments.track_events([keyed]).to_dict()
    assert "warning" not in pictify.experiments.track_events(events[:1], write_key="wk").to_dict()


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        (
            "/bindings",
            {"templateId": "APPK3ATNDP", "dataSource": {"url": "https://a.example"}, "mapping": {}},
            400,
            "dataSource.type",
        ),
        ("/image/og-image", {"template": "NOTEMPLATE"}, 404, "Template not found"),
    ],
)
def test_a_request_that_lacks_a_field_is_rejected(path: str, body: Any, status: int, text: str) -> None:
    fake = FakePictify()
    response = fake.respond("POST", path, {"authorization": f"Bearer {fake.api_key}"}, json.dumps(body).encode())
    assert (response.status, text in response.body.decode()) == (status, True)


def test_a_missing_image_is_not_found() -> None:
    fake = FakePictify()
    with pytest.raises(NotFoundError):
        fake.client().images.get("AAAAAAAAAA")
