"""Every operation of the OpenAPI document: its module, method, arguments, request and response."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import anyio
import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.__main__ import FOLDERS, ROOT
from pictify_client import AsyncPictify, Pictify
from pictify_client._runtime.json_values import is_array
from pictify_client._runtime.model import Model

from .document import body, operations, resolved, sample, snake, success_schemas
from .replay import KEY

# The methods of the design, listed independently of the code that generates them.
METHODS = {
    "createImage": "images.create",
    "listImages": "images.list",
    "getImage": "images.get",
    "createOgImage": "images.create_og",
    "createCanvasImage": "images.create_canvas",
    "agentScreenshot": "images.agent_screenshot",
    "createGif": "gifs.create",
    "listGifs": "gifs.list",
    "getGif": "gifs.get",
    "captureGif": "gifs.capture",
    "renderPdf": "pdfs.render",
    "renderMultiPagePdf": "pdfs.render_multi_page",
    "getPdfPresets": "pdfs.get_presets",
    "listTemplates": "templates.list",
    "createTemplate": "templates.create",
    "getTemplate": "templates.get",
    "updateTemplate": "templates.update",
    "deleteTemplate": "templates.delete",
    "renderTemplate": "templates.render",
    "getTemplateVariables": "templates.get_variables",
    "multiSizeRenderTemplate": "templates.multi_size_render",
    "batchRenderTemplate": "batch.render_template",
    "getBatchResults": "batch.get_results",
    "cancelBatch": "batch.cancel",
    "listWebhookSubscriptions": "webhooks.list",
    "createWebhookSubscription": "webhooks.create",
    "getWebhookSubscription": "webhooks.get",
    "updateWebhookSubscription": "webhooks.update",
    "deleteWebhookSubscription": "webhooks.delete",
    "listBindings": "bindings.list",
    "createBinding": "bindings.create",
    "getBinding": "bindings.get",
    "updateBinding": "bindings.update",
    "deleteBinding": "bindings.delete",
    "listExperiments": "experiments.list",
    "createExperiment": "experiments.create",
    "getExperimentQuota": "experiments.get_quota",
    "getExperiment": "experiments.get",
    "updateExperiment": "experiments.update",
    "deleteExperiment": "experiments.delete",
    "startExperiment": "experiments.start",
    "pauseExperiment": "experiments.pause",
    "completeExperiment": "experiments.complete",
    "trackExperimentEvents": "experiments.track_events",
    "trackExperimentClick": "experiments.track_click",
    "trackExperimentPixel": "experiments.track_pixel",
    "renderTemplateUrl": "url_rendering.render_template",
    "renderBindingUrl": "url_rendering.render_binding",
    "renderExperimentUrl": "url_rendering.render_experiment",
    "listVideos": "videos.list",
    "createVideo": "videos.create",
    "getVideo": "videos.get",
    "updateVideo": "videos.update",
    "deleteVideo": "videos.delete",
    "duplicateVideo": "videos.duplicate",
    "getVideoVariables": "videos.get_variables",
    "renderVideo": "videos.render",
    "previewVideo": "videos.preview",
    "generateVideo": "videos.generate",
    "listRenders": "renders.list",
    "listPdfs": "pdfs.list",
    "getAccountUsage": "account.get_usage",
    "searchTemplates": "templates.search",
    "templatesByType": "templates.by_type",
    "previewTemplate": "templates.preview",
    "pauseWebhookSubscription": "webhooks.pause",
    "resumeWebhookSubscription": "webhooks.resume",
    "getWebhookStats": "webhooks.get_stats",
    "listWorkflows": "workflows.list",
    "startWorkflow": "workflows.start",
    "getWorkflowStats": "workflows.get_stats",
    "previewWorkflow": "workflows.preview",
    "getWorkflowPreview": "workflows.get_preview",
    "getWorkflow": "workflows.get",
    "listWorkflowHooks": "workflows.list_hooks",
    "createWorkflowHook": "workflows.create_hook",
    "deleteWorkflowHook": "workflows.delete_hook",
    "postWorkflowRows": "workflows.post_rows",
}
OPERATIONS = {operation["operationId"]: (path, method, operation) for path, method, operation in operations()}
PNG = b"\x89PNG\r\n\x1a\n"

each_operation = pytest.mark.parametrize("name", METHODS)
both_clients = pytest.mark.parametrize("kind", [Pictify, AsyncPictify])


def test_the_document_has_exactly_these_operations() -> None:
    assert list(OPERATIONS) == list(METHODS)
    assert len(METHODS) == len(set(METHODS.values()))


def module_of(name: str) -> Any:
    resource = METHODS[name].partition(".")[0]
    return importlib.import_module(f"pictify_client.api.{resource}.{snake(name)}")


def method_of(pictify: Any, name: str) -> Any:
    resource, _, method = METHODS[name].partition(".")
    return getattr(getattr(pictify, resource), method)


@each_operation
def test_every_operation_has_its_module_with_four_documented_functions(name: str) -> None:
    path, method, operation = OPERATIONS[name]
    module = module_of(name)
    in_path = [snake(each["name"]) for each in operation.get("parameters", []) if each["in"] == "path"]
    for function in ("sync", "sync_detailed", "asyncio", "asyncio_detailed"):
        call = getattr(module, function)
        assert inspect.iscoroutinefunction(call) == function.startswith("asyncio")
        assert f"(`{method.upper()} {path}`)" in " ".join(call.__doc__.split())
        parameters = inspect.signature(call).parameters
        assert [each.name for each in parameters.values() if each.kind is each.POSITIONAL_OR_KEYWORD] == in_path
        assert ("body" in parameters) == ("requestBody" in operation)
        assert "client" in parameters


@each_operation
@both_clients
def test_every_parameter_and_every_field_of_the_body_is_a_documented_argument(name: str, kind: Any) -> None:
    _, _, operation = OPERATIONS[name]
    method = method_of(kind(api_key=KEY), name)
    documentation = method.__doc__.partition("Args:")[2].partition("Returns:")[0]
    parameters = inspect.signature(method).parameters
    schema = body(operation) or {}
    wanted = [each["name"] for each in operation.get("parameters", [])]
    wanted += [field for field, part in schema.get("properties", {}).items() if not resolved(part).get("readOnly")]
    for each in map(snake, wanted):
        assert each in parameters
        assert f"{each}: " in documentation
    required = set(map(snake, schema.get("required", []))) if name != "trackExperimentEvents" else set[str]()
    optional = [each for each in parameters.values() if each.default is not inspect.Parameter.empty]
    required |= {snake(each["name"]) for each in operation.get("parameters", []) if each.get("required")}
    assert {each.name for each in optional} == set(parameters) - required


@each_operation
def test_the_docstring_of_an_unverified_operation_says_so(name: str) -> None:
    module = module_of(name)
    for function in (module.sync, module.asyncio, method_of(Pictify(api_key=KEY), name)):
        is_noted = "not verified" in " ".join(function.__doc__.split()).lower()
        assert is_noted == (OPERATIONS[name][2].get("x-evidence", "A") not in "AB")


def arguments_of(operation: dict[str, Any]) -> dict[str, Any]:
    given = {snake(each["name"]): sample(each["schema"]) for each in operation.get("parameters", [])}
    if "variables" in given:
        given["variables"] = {"title": "a"}
    fields = sample(body(operation) or {"type": "object", "properties": {}}, sent=True)
    return {
        **given,
        **{snake(field): value for field, value in fields.items() if field not in ("writeKey", "free")},
    }


def response_for(operation: dict[str, Any]) -> httpx.Response:
    for status, schema in success_schemas(operation).items():
        return httpx.Response(status, json=sample(schema))
    if "302" in operation["responses"]:
        return httpx.Response(302, headers={"location": "https://shop.example.com/"})
    return httpx.Response(200, content=PNG, headers={"content-type": "image/png"})


def unknown(value: Any) -> Iterator[Any]:
    """Collect all additional properties of models."""
    if isinstance(value, Model):
        yield from value.additional_properties.items()
        for field in attrs.fields(type(value)):
            yield from unknown(getattr(value, str(field.name)))
    elif is_array(value):
        for item in value:
            yield from unknown(item)


def plain(value: Any) -> Any:
    """A result as JSON."""
    if is_array(value):
        return [plain(item) for item in value]
    return value.to_dict() if isinstance(value, Model) else value


def called(kind: Any, name: str, requests: list[httpx.Request]) -> Any:
    """Call the method of an operation with all its arguments, and return the result."""
    _, _, operation = OPERATIONS[name]

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return response_for(operation)

    transport = httpx.MockTransport(handle)
    arguments = arguments_of(operation)
    if kind is Pictify:
        result = method_of(Pictify(api_key=KEY, http_client=httpx.Client(transport=transport)), name)(**arguments)
        if callable(getattr(result, "pages", None)):
            return list(result)
        return result.read() if hasattr(result, "read") else result

    async def run() -> Any:
        pictify = AsyncPictify(api_key=KEY, http_client=httpx.AsyncClient(transport=transport))
        result = method_of(pictify, name)(**arguments)
        if callable(getattr(result, "pages", None)):
            return [item async for item in result]
        result = await result
        return await result.read() if hasattr(result, "read") else result

    return anyio.run(run)


@each_operation
@both_clients
def test_every_operation_sends_all_arguments_and_decodes_all_fields(name: str, kind: Any) -> None:
    path, method, operation = OPERATIONS[name]
    requests: list[httpx.Request] = []
    result = called(kind, name, requests)
    request = requests[0]
    given = arguments_of(operation)
    wanted = path
    for each in operation.get("parameters", []):
        value = given[snake(each["name"])]
        if each["in"] == "path":
            wanted = wanted.replace(f"{{{each['name']}}}", str(value))
        elif each["in"] == "header":
            assert request.headers[each["name"]] == value
        elif each["name"] == "variables":
            assert request.url.params["title"] == "a"
        else:
            assert request.url.params[each["name"]] == (str(value).lower() if isinstance(value, bool) else str(value))
    assert (request.method, unquote(request.url.raw_path.decode().partition("?")[0])) == (method.upper(), wanted)
    schema = body(operation)
    if schema is not None:
        sent = {field: value for field, value in sample(schema, sent=True).items() if field != "writeKey"}
        assert json.loads(request.content) == sent
    wants_key = any("bearerAuth" in each for each in operation["security"])
    assert ("authorization" in request.headers) == wants_key

    schemas = list(success_schemas(operation).values())
    assert not list(unknown(result))
    if not schemas:
        assert result in (PNG, "https://shop.example.com/")
    elif name == "batchRenderTemplate":
        assert result.batch_ids == [sample(schemas[0])["batchId"]]
    else:
        document = sample(schemas[0])
        lists = (
            [value for value in document.values() if is_array(value)]
            if METHODS[name].endswith((".list", ".search"))
            else []
        )
        only = next(iter(document.values())) if len(document) == 1 else document
        if "x-unwrap" in schemas[0]:
            # Fields that the API sends beside an object become part of it.
            inner = document.pop(schemas[0]["x-unwrap"])
            only = {**inner, **document}
        assert plain(result) == (lists[0] if lists else only)


@given(uid=st.text(min_size=1).filter(lambda uid: uid not in (".", "..")), html=st.text(), name=st.text(max_size=255))
def test_any_text_arrives_unchanged(uid: str, html: str, name: str) -> None:
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"template": {"uid": "t", "name": "n"}})

    pictify = Pictify(api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(handle)))
    pictify.templates.update(uid, html=html, name=name)
    (request,) = requests
    path = request.url.raw_path.decode()
    assert path.count("/") == 2
    assert "?" not in path
    assert unquote(path) == f"/templates/{uid}"
    assert json.loads(request.content) == {"html": html, "name": name}


@each_operation
@pytest.mark.parametrize("segment", ["", ".", "..", "\ud800", "x" * 70_000])
def test_an_invalid_path_segment_is_an_error_that_names_the_argument(name: str, segment: str) -> None:
    path, _, operation = OPERATIONS[name]
    pictify = Pictify(
        api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(500)))
    )
    for each in operation.get("parameters", []):
        if each["in"] == "path":
            given = {**arguments_of(operation), snake(each["name"]): segment}
            with pytest.raises(ValueError, match=f"^{snake(each['name'])} "):
                method_of(pictify, name)(**given)
            assert f"{{{each['name']}}}" in path


def test_generated_code_stays_short() -> None:
    files = [path for folder in FOLDERS for path in Path(ROOT, "pictify_client", folder).rglob("*.py")]
    modules = [path for path in files if path.parent.parent.name == "api" and path.name != "__init__.py"]
    assert len(modules) == len(METHODS)
    assert sum(len(path.read_text("utf-8").splitlines()) for path in files) / len(modules) < 276
    assert max(len(path.read_text("utf-8").splitlines()) for path in modules) < 170
