"""Responses of the live API that differ from its document."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import anyio
import httpx
import pytest

from pictify_client import (
    APIConnectionError,
    APIStatusError,
    AsyncPictify,
    AuthenticatedClient,
    ErrorDetail,
    ForbiddenError,
    NotFoundError,
    Pictify,
    PictifyError,
    QuotaExceededError,
    RateLimitError,
    RenderFailedError,
    ResponseDecodeError,
    ServerError,
    WaitTimeoutError,
)
from pictify_client._runtime.model import Model
from pictify_client.api.templates import render_template
from pictify_client.models import Binding, Gif, RenderResult, Template, VariableDefinition, VariableType
from pictify_client.testing import FakeClock

from .replay import KEY, without_nulls

Handler = Callable[[httpx.Request], httpx.Response]

ERROR_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001"
    "e5273ac40000000049454e44ae426082"
)
REAL_PNG = ERROR_PIXEL.replace(bytes.fromhex("0000000100000001"), bytes.fromhex("0000000200000002"))

# A template with every observed type of variable, each with a possible default.
DEFAULTS: dict[str, Any] = {
    "text": "Untitled",
    "image": "https://media.pictify.io/a.png",
    "color": "#fff",
    "number": 9.5,
    "boolean": True,
    "array": ["a", {"b": 1}],
    "object": {"a": [1, None]},
    "url": None,
    "date": "2026-01-29",
    "string": "",
    "chart": [[1, 2], [3, 4]],
}
TEMPLATE: dict[str, Any] = {
    "uid": "XL13XACH2V",
    "name": "Every type",
    "html": "<h1>{{text}}</h1>",
    "engine": "html",
    "thumbnail": None,
    "variables": list(DEFAULTS),
    "variableDefinitions": [
        {"name": name, "type": name, "defaultValue": value, "allowRawHtml": False, "validation": {"pattern": "x"}}
        for name, value in DEFAULTS.items()
    ],
    "createdAt": "2025-10-10T05:05:31.950Z",
}
RESULT: dict[str, Any] = {
    "layout": "default",
    "url": "https://media.pictify.io/0l53j-1760072726722.png",
    "width": 1200,
    "height": 630,
    "format": "png",
}


def client_of(handler: Handler, **options: Any) -> Pictify:
    return Pictify(api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(handler)), **options)


def responding(body: Any, status: int = 200, **more: Any) -> Handler:
    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json=body, **more)

    return respond


def empty(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200)


def render_by_method(handler: Handler, body: dict[str, Any]) -> RenderResult:
    return client_of(handler).templates.render("XL13XACH2V", **body)


def render_by_async_method(handler: Handler, body: dict[str, Any]) -> RenderResult:
    async def run() -> RenderResult:
        http_client = httpx.AsyncClient(transport=httpx.MockTransport(handler))
        return await AsyncPictify(api_key=KEY, http_client=http_client).templates.render("XL13XACH2V", **body)

    return anyio.run(run)


def render_by_function(handler: Handler, body: dict[str, Any]) -> RenderResult:
    client = AuthenticatedClient(token=KEY, http_client=httpx.Client(transport=httpx.MockTransport(handler)))
    return render_template.sync("XL13XACH2V", client=client, body=body)


every_way = pytest.mark.parametrize("render", [render_by_method, render_by_async_method, render_by_function])
Render = Callable[[Handler, dict[str, Any]], RenderResult]


# Rendering a template.


@every_way
def test_a_single_image_is_in_an_envelope(render: Render) -> None:
    body = {"results": [RESULT], "errors": [], "totalLayouts": 1, "totalRendered": 1, "templateUid": "XL13XACH2V"}
    result = render(responding(body), {})
    assert result.url == RESULT["url"]
    assert (result.total_rendered, result.total_layouts, result.template_uid) == (1, 1, "XL13XACH2V")
    assert result.results[0].to_dict() == RESULT
    result.raise_for_errors()


@every_way
def test_the_flat_form_of_older_versions_is_read_as_an_envelope(render: Render) -> None:
    flat = {"url": RESULT["url"], "id": "WC3ML14NYO", "createdAt": "2025-10-10T05:05:31.950Z", "userStorageUrl": "s"}
    result = render(responding(flat), {})
    assert (result.url, result.errors, result.total_rendered) == (RESULT["url"], [], 1)
    (rendered,) = result.results
    assert (rendered.layout, rendered.id) == ("default", "WC3ML14NYO")
    assert rendered.created_at == datetime(2025, 10, 10, 5, 5, 31, 950_000, UTC)
    assert result.additional_properties == {"userStorageUrl": "s"}


@every_way
def test_a_caller_notices_a_partial_failure(render: Render) -> None:
    errors = [{"layout": "none", "error": "Layout 'none' not found"}]
    result = render(responding({"results": [RESULT], "errors": errors, "totalRendered": 1}), {})
    assert result.url == RESULT["url"]
    assert [(each.layout, each.error) for each in result.errors] == [("none", "Layout 'none' not found")]
    with pytest.raises(RenderFailedError, match="^1 of 2 layouts failed: none: Layout 'none' not found$"):
        result.raise_for_errors()


@every_way
def test_a_total_failure_lists_the_errors(render: Render) -> None:
    errors = [{"layout": "a", "error": "not found"}, {"layout": "b"}]
    result = render(responding({"results": [], "errors": errors, "totalRendered": 0}), {})
    for fail in (lambda: result.url, result.raise_for_errors):
        with pytest.raises(RenderFailedError) as failed:
            fail()
        assert failed.value.errors == [ErrorDetail("not found", "a"), ErrorDetail("unknown error", "b")]
        assert isinstance(failed.value, PictifyError)
    with pytest.raises(RenderFailedError, match="^No layout was rendered$"):
        _ = render(responding({"results": [], "totalRendered": 0}), {}).url


@every_way
@pytest.mark.parametrize(
    "body",
    [
        {"variables": {"a": [1]}, "format": "jpg", "quality": 0.5, "width": 10, "height": 4096, "layout": "story"},
        {"layouts": ["default", "story"]},
    ],
)
def test_everything_that_the_api_accepts_can_be_sent(render: Render, body: dict[str, Any]) -> None:
    sent: list[Any] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(200, json={"results": [RESULT], "errors": [], "totalRendered": 1})

    render(handle, body)
    assert sent == [body]


def test_the_pages_of_a_pdf_are_sent() -> None:
    sent: list[Any] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(200, json={"results": [RESULT], "errors": [], "totalRendered": 1})

    client_of(handle).templates.render("x", variable_sets=[{"a": 1}, {}], format="pdf", preset="A4_LANDSCAPE")
    assert sent == [{"variableSets": [{"a": 1}, {}], "format": "pdf", "preset": "A4_LANDSCAPE"}]


# Templates.


def test_templates_with_variables_of_every_type_are_listed() -> None:
    page = {"templates": [TEMPLATE], "pagination": {"page": 1, "totalPages": 1}, "counts": {"all": 1, "image": 1}}
    pictify = client_of(responding(page))
    (template,) = pictify.templates.list()
    assert template.variable_definitions
    assert {each.name: each.default_value for each in template.variable_definitions} == DEFAULTS
    assert [str(each.type) for each in template.variable_definitions] == list(DEFAULTS)
    assert (template.html, template.thumbnail, template.engine) == (TEMPLATE["html"], None, "html")
    assert Template.from_dict(TEMPLATE).to_dict() == without_nulls(TEMPLATE)
    (listed,) = pictify.templates.list().pages()
    assert listed.pagination


DROPPED_NULLS: list[tuple[type[Model], dict[str, Any], dict[str, Any]]] = [
    (Template, {"html": None, "tags": None}, {}),
    (Template, {"variables": ["a", None]}, {"variables": ["a"]}),
    (Template, {"variableDefinitions": [None, {"name": "a", "type": None}]}, {"variableDefinitions": [{"name": "a"}]}),
    (Template, {"variableDefinitions": [{"defaultValue": None}]}, {"variableDefinitions": [{}]}),
    (Template, {"layouts": {"a": None, "b": {"width": None}}}, {"layouts": {"b": {}}}),
    (Binding, {"mapping": {"a": "b", "c": None}}, {"mapping": {"a": "b"}}),
]
KEPT_NULLS: list[tuple[type[Model], dict[str, Any]]] = [
    (Template, {"variableDefinitions": [{"defaultValue": [None, {"a": None}]}]}),
    (Binding, {"defaults": {"a": None, "b": [None]}}),
    (Binding, {"dataSource": {"type": "http", "new": None}}),
    (Binding, {"new": None, "other": {"a": None, "b": [None]}}),
]
REQUIRED: dict[type[Model], dict[str, Any]] = {
    Template: {"uid": "x", "name": "x"},
    Binding: {"uid": "x", "renderUrl": "u"},
}


@pytest.mark.parametrize(("model", "given", "kept"), DROPPED_NULLS)
def test_a_null_of_a_known_field_or_item_is_dropped_as_if_it_were_absent(
    model: type[Model], given: dict[str, Any], kept: dict[str, Any]
) -> None:
    assert model.from_dict({**REQUIRED[model], **given}).to_dict() == {**REQUIRED[model], **kept}


@pytest.mark.parametrize(("model", "given"), KEPT_NULLS)
def test_a_null_within_any_json_and_in_an_unknown_field_is_kept(model: type[Model], given: dict[str, Any]) -> None:
    assert model.from_dict({**REQUIRED[model], **given}).to_dict() == {**REQUIRED[model], **given}


def test_variables_of_every_type_can_be_defined() -> None:
    sent: list[Any] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(200, json={"template": TEMPLATE, "addedVariables": ["price"]})

    pictify = client_of(handle)
    definitions: list[Any] = [
        VariableDefinition(name="a", type=VariableType.ARRAY, default_value=[1]),
        {"name": "b", "type": "chart", "defaultValue": {"a": None}},
    ]
    new: dict[str, Any] = {
        "html": "{{a}}",
        "engine": "html",
        "js_enabled": True,
        "strict_variables": True,
        "pdf_preset": "A4",
    }
    more: dict[str, Any] = {"pages": [{}], "layouts": {"story": {"width": 9, "height": 16}}, "output_format": "pdf"}
    created = pictify.templates.create(name="x", variable_definitions=definitions, variables=["a"], **new, **more)
    assert created.added_variables == ["price"]
    pictify.templates.update("x", variable_definitions=definitions, variables=["a"], **new, **more)
    assert sent[1] == {name: value for name, value in sent[0].items() if name != "name"}
    assert sent[1]["variableDefinitions"] == [
        {"name": "a", "type": "array", "defaultValue": [1]},
        {"name": "b", "type": "chart", "defaultValue": {"a": None}},
    ]
    assert {"engine", "jsEnabled", "strictVariables", "pdfPreset", "pages", "layouts", "outputFormat"} < sent[1].keys()


# Batches.


def batch(results: Any, errors: Any = None, **more: Any) -> Handler:
    known = {"batchId": "WC3ML14NYO", "status": "partial", "progress": 66.67, "totalItems": 3, "results": results}
    body = {**known, **more, **({} if errors is None else {"errors": errors})}

    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(202, json={"batchId": "WC3ML14NYO", "status": "pending", "totalItems": 3})
        return httpx.Response(200, json=body)

    return handle


BATCHES: dict[str, Handler] = {
    "live": batch(
        [{"index": 2, "success": True, "variables": ["title"]}, {"index": 0, "success": True, "variables": ["title"]}],
        [{"index": 1, "success": False, "error": "it failed", "variables": ["title"]}],
    ),
    "nested": batch(
        [{"index": 0, "results": [RESULT], "errors": [{"layout": "a", "error": "x"}]}, {"row": 2, "results": [RESULT]}],
        [{"row": 1, "error": "it failed"}],
    ),
    "flat": batch(
        [
            {"index": 0, "success": True, "url": RESULT["url"], "width": 1.5, "height": 2},
            {"index": 1, "success": False, "error": "it failed"},
            {"index": 2, "success": True, "url": RESULT["url"]},
        ],
    ),
}


@pytest.mark.parametrize("form", BATCHES)
def test_the_results_of_a_batch_are_read_in_all_their_forms(form: str) -> None:
    pictify = client_of(BATCHES[form])
    done = pictify.batch.render_template("x", variable_sets=[{"title": "a"}] * 3).wait()
    assert [row.index for row in done.results] == [0, 2]
    assert [(row.index, row.error) for row in done.errors] == [(1, "it failed")]
    assert done.progress == 66.67
    urls = {row.url for row in done.results} | {each.url for row in done.results for each in row.results or []}
    assert urls - {None} == ({RESULT["url"]} if form != "live" else set())
    looked = pictify.batch.get_results("WC3ML14NYO")
    assert (len(looked.results), len(looked.errors)) == (2, 1)


def test_errors_of_a_batch_that_are_not_a_list_are_an_error() -> None:
    rows = [{"index": 0, "success": False, "error": "it failed"}]
    body = {"batchId": "b", "status": "partial", "totalItems": 1, "results": rows, "errors": {"a": 1}}
    with pytest.raises(ResponseDecodeError, match="errors: expected an array, got an object"):
        client_of(responding(body)).batch.get_results("b")


def test_the_failures_of_several_batches_are_counted_from_the_first_row() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            size = len(json.loads(request.content)["variableSets"])
            return httpx.Response(202, json={"batchId": f"b{size}", "status": "pending", "totalItems": size})
        error = {"index": 7, "success": False, "error": request.url.path.split("/")[3]}
        known: dict[str, Any] = {"batchId": "b", "status": "partial", "totalItems": 100, "results": []}
        return httpx.Response(200, json={**known, "errors": [error, {"error": "of no row"}]})

    sets: list[dict[str, Any]] = [{}] * 150
    done = client_of(handle).batch.render_template("x", variable_sets=sets).wait()
    assert [(row.index, row.error) for row in done.errors] == [
        (7, "b100"),
        (None, "of no row"),
        (107, "b50"),
        (None, "of no row"),
    ]


def test_a_batch_is_waited_for_without_a_limit() -> None:
    pictify = client_of(BATCHES["live"], timeout=None)
    for timeout in (None, 10**9):
        assert pictify.batch.render_template("x", variable_sets=[{}]).wait(timeout=timeout).status == "partial"
    busy = client_of(batch([], [], status="processing"), timeout=None)
    busy.client.clock = FakeClock()
    job = busy.batch.render_template("x", csv_url="https://a.b/c.csv", mappings={"title": "Title"}, format="gif")
    with pytest.raises(WaitTimeoutError):
        job.wait(timeout=100)


# Images and GIFs.


def test_an_image_is_decoded_as_it_is_stored() -> None:
    stored = {"uid": "XL13XACH2V", "url": "u", "html": "<b>", "createdBy": "t", "active": True, "_id": "x", "__v": 0}
    image = client_of(responding({"image": stored})).images.get("XL13XACH2V")
    assert (image.uid, image.html, image.active) == ("XL13XACH2V", "<b>", True)
    assert client_of(responding({"image": {"id": "XL13XACH2V", "url": "u"}})).images.get("x").uid == "XL13XACH2V"


CAPTURED: dict[str, Any] = {
    "gif": {
        "uid": "XL13XACH2V",
        "url": "https://media.pictify.io/0l53j-1760072726722.gif",
        "width": 1280.5,
        "height": 719.25,
        "framesPerSecond": 0.3333,
        "animationLength": 12,
        "frameDurationSeconds": 3,
        "quality": "ultra",
        "createdAt": "2025-10-10T05:05:31.950Z",
    },
    "metadata": {"frameCount": 4, "uid": "0l53j"},
    "_meta": {"processingTime": 15_000},
}


def test_a_captured_gif_may_have_a_fraction_of_a_pixel() -> None:
    gif = client_of(responding(CAPTURED)).gifs.capture(url="https://a.b", frame_duration_seconds=0.5, width=5000)
    assert (gif.width, gif.height, gif.quality) == (1280.5, 719.25, "ultra")
    assert (gif.animation_length, gif.duration) == (12, 12)
    assert gif.metadata
    assert gif.meta
    assert (gif.metadata.frame_count, gif.meta.processing_time) == (4, 15_000)


def test_the_length_of_a_rendered_gif_is_in_milliseconds() -> None:
    gif = client_of(responding({"gif": {"uid": "x", "url": "u", "animationLength": 2000}})).gifs.create(
        html="x", quality="low", frames_per_second=5, selector="#a"
    )
    assert (gif.animation_length, gif.duration) == (2000, 2)
    assert Gif(uid="x", url="u").duration is None


@pytest.mark.parametrize("size", [4001, 4096])
def test_sizes_that_the_api_accepts_are_not_rejected(size: int) -> None:
    image = {"url": "u", "id": "i", "createdAt": "2025-10-10T05:05:31.950Z"}
    assert client_of(responding(image)).images.create(html="x", width=size, height=size).url == "u"
    pdf = {"success": True, "url": "u", "pageCount": 1}
    assert client_of(responding(pdf)).pdfs.render(template_uid="x", options={"preset": "Tabloid"}).url == "u"


# Deletions and updates.


@pytest.mark.parametrize("body", [{"success": True}, {"deleted": True}, {"message": "gone"}, None])
def test_a_deletion_is_confirmed_in_any_form(body: Any) -> None:
    handler = responding(body) if body else empty
    assert client_of(handler).bindings.delete("x").to_dict() == (body or {})


def test_an_update_may_be_confirmed_without_a_body() -> None:
    pictify = client_of(empty)
    assert pictify.bindings.update("x", name="y") is None
    assert pictify.webhooks.update("x", status="paused") is None


# Errors.


def error_of(status: int, body: Any, method: str = "images.create", **headers: str) -> APIStatusError:
    pictify = client_of(responding(body, status, headers=headers), max_retries=0)
    with pytest.raises(APIStatusError) as caught:
        pictify.images.create(html="x") if method == "images.create" else pictify.experiments.get("x")
    return caught.value


BODIES: list[tuple[Any, str]] = [
    ({"message": "Invalid"}, "Invalid"),
    ({"error": "Not found"}, "Not found"),
    ({"error": "It failed", "code": "c", "retriable": False}, "It failed (code c)"),
    ({"error": "It failed", "details": "no memory"}, "It failed: no memory"),
    ({"error": "It failed", "code": "c", "context": {"line": 3}}, "It failed (code c)"),
    ({"message": "Invalid", "errors": ["a", {"message": "b", "field": "f"}]}, "Invalid: a; f: b"),
    ({"errors": ["line 3: expected }", "line 9: x"]}, "line 3: expected }; line 9: x"),
    ({"statusCode": 400, "error": "Bad Request", "message": "Unexpected end", "code": "FST"}, "Unexpected end (code F"),
]


@pytest.mark.parametrize(("body", "text"), BODIES)
def test_every_form_of_an_error_has_its_message(body: dict[str, Any], text: str) -> None:
    error = error_of(400, body)
    assert text in str(error)
    assert error.retriable is body.get("retriable")
    assert (error.details, error.context) == (body.get("details"), body.get("context"))


QUOTA: list[tuple[int, dict[str, Any]]] = [
    (402, {"message": "none left"}),
    (402, {"message": "none left", "code": "template_limit_reached"}),
    (402, {"message": "none left", "code": "ai_quota_exceeded"}),
    (429, {"message": "none left"}),
    (429, {"message": "none left", "code": "quota_exceeded", "upgradeUrl": "https://pictify.io/up"}),
    (429, {"message": "none left", "code": "spending_cap_reached", "checkoutUrl": "https://pictify.io/up"}),
]


@pytest.mark.parametrize(("status", "body"), QUOTA)
def test_a_quota_error_differs_from_a_rate_limit_and_is_not_retried(status: int, body: dict[str, Any]) -> None:
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(status, json=body)

    pictify = client_of(handle)
    for call in (lambda: pictify.images.create(html="x"), lambda: list(pictify.images.list())):
        with pytest.raises(QuotaExceededError, match="none left") as caught:
            call()
        assert caught.value.upgrade_url == body.get("upgradeUrl", body.get("checkoutUrl"))
    assert len(requests) == 2


LIMITED: list[tuple[Any, dict[str, str]]] = [
    ({"statusCode": 429, "error": "Too Many Requests", "message": "slow down"}, {}),
    ({"message": "slow down"}, {"retry-after": "1"}),
    ({"message": "slow down"}, {"x-ratelimit-reset": "1"}),
    ({"message": "Too many requests"}, {}),
    ({"message": "slow down", "code": "slow"}, {}),
    (None, {}),
]


@pytest.mark.parametrize(("body", "headers"), LIMITED)
def test_a_rate_limit_is_not_mistaken_for_the_quota(body: Any, headers: dict[str, str]) -> None:
    assert type(error_of(429, body, **headers)) is RateLimitError


def test_a_403_error_says_what_to_do() -> None:
    assert str(error_of(403, {"message": "Please verify your email"})).endswith(
        "The account cannot render until its email address is verified"
    )
    assert "does not include this feature" in str(error_of(403, {"error": "PDF is not part of your plan"}))
    assert str(error_of(403, {"error": "Template not found"})).endswith("403 Forbidden: Template not found")
    assert type(error_of(403, {})) is ForbiddenError


def test_a_removed_route_is_a_clear_error() -> None:
    body = {"message": "Route GET:/experiments/api/x not found", "error": "Not Found", "statusCode": 404}
    gone = error_of(404, body, "experiments.get")
    assert isinstance(gone, NotFoundError)
    assert str(gone).endswith("The API does not have this operation: it was retired, or base_url is wrong")
    assert "retired" not in str(error_of(404, {"message": "Template not found"}))


@pytest.mark.parametrize(
    ("reset", "moment"),
    [
        ("37", datetime(2026, 1, 29, 10, 0, 42, tzinfo=UTC)),
        ("1769680805", datetime(2026, 1, 29, 10, 0, 5, tzinfo=UTC)),
        ("31622400", datetime(2027, 1, 30, 10, 0, 5, tzinfo=UTC)),
        ("31622401", datetime(1971, 1, 2, 0, 0, 1, tzinfo=UTC)),
    ],
)
def test_a_reset_is_in_remaining_seconds_or_a_unix_time(reset: str, moment: datetime) -> None:
    headers = {"x-ratelimit-reset": reset, "date": "Thu, 29 Jan 2026 10:00:05 GMT"}
    assert error_of(429, {}, **headers).rate_limit.reset == moment


# Retries.


def attempts(method: str, *responses: httpx.Response | Exception, jitter: float = 0.0) -> tuple[str, list[float]]:
    """Return the result and the waits of a call with these responses in turn."""
    waits, left = list[float](), [*responses]

    class Waiting(FakeClock):
        def jitter(self) -> float:
            return jitter

        def sleep(self, seconds: float) -> None:
            waits.append(seconds)

    def handle(_: httpx.Request) -> httpx.Response:
        response = left.pop(0)
        if isinstance(response, Exception):
            raise response
        return response

    pictify = client_of(handle)
    pictify.client.clock = Waiting()
    try:
        if method == "POST":
            pictify.images.create(html="x")
        else:
            list(pictify.images.list())
    except (ServerError, APIConnectionError) as error:
        return type(error).__name__, waits
    return "ok", waits


IMAGE = httpx.Response(200, json={"url": "u", "id": "i", "createdAt": "2025-10-10T05:05:31.950Z", "images": []})


def busy(status: int = 503, *, retriable: bool | None = True, retry_after: str = "") -> httpx.Response:
    body = {"error": "busy"} if retriable is None else {"error": "busy", "retriable": retriable}
    return httpx.Response(status, json=body, headers={"retry-after": retry_after})


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_request_is_retried_if_the_api_is_busy(method: str) -> None:
    assert attempts(method, busy(), busy(), IMAGE) == ("ok", [2.0, 4.0])
    assert attempts(method, busy(), busy(), IMAGE, jitter=1) == ("ok", [3.0, 6.0])
    assert attempts(method, busy(), busy(), busy()) == ("ServerError", [2.0, 4.0])
    assert attempts(method, busy(retry_after="9"), IMAGE) == ("ok", [9.0])


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("status", [500, 503, 504])
def test_an_error_that_is_not_retriable_is_never_retried(method: str, status: int) -> None:
    assert attempts(method, busy(status, retriable=False, retry_after="1")) == ("ServerError", [])


def test_a_render_is_not_retried_unless_the_api_says_that_it_did_not_begin() -> None:
    for response in (busy(retriable=None), busy(500), busy(504), busy(502, retriable=None)):
        assert attempts("POST", response) == ("ServerError", [])
    for silence in (httpx.ReadTimeout("x"), httpx.ReadError("x"), httpx.RemoteProtocolError("x")):
        assert attempts("POST", silence) == (
            "APITimeoutError" if isinstance(silence, httpx.ReadTimeout) else "APIConnectionError",
            [],
        )


# Timeouts.


@pytest.mark.parametrize(
    ("options", "read"),
    [
        ({}, 600),
        ({"timeout": 90}, 90),
        ({"attempt_timeout": 20}, 20),
        ({"timeout": None}, 600),
        # Then the total time of the call is limited.
        ({"attempt_timeout": None}, 1200),
    ],
)
def test_operations_that_take_minutes_have_a_longer_timeout(options: dict[str, Any], read: float) -> None:
    seen: list[dict[str, float]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        raise httpx.ReadTimeout("late", request=request)

    pictify = client_of(handle, max_retries=0, **options)
    pictify.client.clock = FakeClock()
    with pytest.raises(APIConnectionError):
        pictify.gifs.capture(url="https://a.b")
    assert seen[0]["read"] == read
    with pytest.raises(APIConnectionError):
        pictify.images.create(html="x")
    assert seen[1]["read"] == min(read, 180 if options.get("attempt_timeout", 60) is None else 60)


# Files.


@pytest.mark.parametrize("status", [200, 404])
def test_the_error_pixel_is_an_error(status: int) -> None:
    def pixel(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=ERROR_PIXEL, headers={"content-type": "image/png"})

    pictify = client_of(pixel)
    for render in (pictify.url_rendering.render_template, pictify.url_rendering.render_binding):
        with pytest.raises((RenderFailedError, NotFoundError)) as failed:
            render("XL13XACH2V", "webp")
        error = failed.value
        assert type(error) is (RenderFailedError if status == 200 else NotFoundError)
        assert error.response
        assert error.response.content == ERROR_PIXEL
        assert render("XL13XACH2V", "webp", allow_error_pixel=True).read() == ERROR_PIXEL


def test_a_small_image_is_not_mistaken_for_the_error_pixel() -> None:
    def small(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=REAL_PNG, headers={"content-type": "image/png"})

    assert client_of(small).url_rendering.render_template("XL13XACH2V", "png").read() == REAL_PNG
    assert (
        client_of(lambda _: httpx.Response(200, content=ERROR_PIXEL, headers={"content-type": "image/gif"}))
        .url_rendering.render_template("XL13XACH2V", "png", layout="story")
        .read()
    )


# Requests.


def test_a_post_without_a_body_has_no_content_type() -> None:
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"batchId": "x", "status": "cancelled"})

    client_of(handle).batch.cancel("x")
    assert requests[0].content == b""
    assert "content-type" not in requests[0].headers
