"""Edits that turn the OpenAPI document into a revision, and checks of the generated client."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import anyio
import httpx
import pytest

from ..replay import KEY, without_nulls
from ..test_generator import ORIGINAL, Edit, add, operation, schema, schemas

Part = dict[str, Any]
OVERLAY = "generator/overlays/3-additions.yaml"
CONFIG = "generator-config.yaml"
DOCUMENT = "correct that in openapi.json"
NO_BINDINGS: Part = {"bindings": [], "pagination": {}}


class Client(NamedTuple):
    """The client that is generated from a revision.

    Attributes:
        package: The package.
        requests: The requests that it sent.
    """

    package: Callable[[str], ModuleType]
    requests: list[httpx.Request]

    def call(self, resource: str, method: str, *values: Any, response: Any = NO_BINDINGS, **arguments: Any) -> Any:
        """Call a method of a resource; the API returns `response`."""

        def respond(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return httpx.Response(200, text=json.dumps(response), headers={"content-type": "application/json"})

        http_client = httpx.Client(transport=httpx.MockTransport(respond))
        pictify = self.package("").Pictify(api_key=KEY, http_client=http_client)
        return getattr(getattr(pictify, resource), method)(*values, **arguments)

    @property
    def sent(self) -> Any:
        return json.loads(self.requests[-1].content)


Check = Callable[[Client], None]


def with_parameter(**parameter: Any) -> Edit:
    return add(parameters=[{"name": "that", "in": "query", "schema": {"type": "string"}, **parameter}])


def with_header(**parts: Any) -> Edit:
    return with_parameter(**{"in": "header", "name": "X-That", **parts})


def in_path(**parts: Any) -> Edit:
    def edit(document: Part) -> None:
        parameter = {"name": "that", "in": "path", "required": True, **parts}
        document["paths"]["/ping/{that}"] = {"get": operation(parameters=[parameter])}

    return edit


def with_post(**parts: Any) -> Edit:
    return at("paths /ping", {"post": operation(**parts)})


def with_body(*, is_required: bool = True, **parts: Any) -> Edit:
    def edit(document: Part) -> None:
        body = {"required": is_required, **schema(**parts)}
        document["paths"]["/ping"] = {"post": operation(requestBody=body)}

    return edit


def condition(then: Part) -> dict[str, Any]:
    return {"if": {"required": ["a"]}, "then": then}


def with_field(**parts: Any) -> Edit:
    return with_body(type="object", properties={"that": parts})


def with_response(**parts: Any) -> Edit:
    return add(responses={"200": {"description": "It.", **schema(**parts)}})


def both(*edits: Edit) -> Edit:
    def edit(document: Part) -> None:
        for each in edits:
            each(document)

    return edit


def at(path: str, value: Any) -> Edit:
    """Set the part at a path, whose steps are separated by spaces."""

    def edit(document: Part) -> None:
        part: Any = document
        *steps, last = path.split()
        for step in steps:
            part = part[int(step) if step.isdecimal() else step]
        part[last] = value

    return edit


def moved(source: str, target: str, name: str) -> Edit:
    """Move a part into a component, and leave a reference."""

    def edit(document: Part) -> None:
        *steps, last = source.split()
        part: Any = document
        for step in steps:
            part = part[step]
        document["components"].setdefault(target, {})[name] = part[last]
        part[last] = {"$ref": f"#/components/{target}/{name}"}

    return edit


def rejects(*values: Any, text: str, **arguments: Any) -> Check:
    """Check that a call is rejected before anything is sent."""

    def check(client: Client) -> None:
        before = [*client.requests]
        with pytest.raises((TypeError, ValueError), match=text):
            client.call("bindings", "ping_api", *values, **arguments)
        assert client.requests == before

    return check


def sends(expected: Any, /, *values: Any, **arguments: Any) -> Check:
    def check(client: Client) -> None:
        client.call("bindings", "ping_api", *values, **arguments)
        assert client.sent == expected

    return check


def all_of(*checks: Check) -> Check:
    def check(client: Client) -> None:
        for each in checks:
            each(client)

    return check


def requests_url(target: str, *values: Any, **arguments: Any) -> Check:
    def check(client: Client) -> None:
        client.call("bindings", "ping_api", *values, **arguments)
        assert client.requests[-1].url.raw_path.decode() == target

    return check


def has_header(name: str, value: str | None, **arguments: Any) -> Check:
    def check(client: Client) -> None:
        client.call("bindings", "ping_api", **arguments)
        assert client.requests[-1].headers.get(name) == value

    return check


def sends_in_both(client: Client) -> None:
    client.call("bindings", "ping_api", idempotency_key_header="a", idempotency_key="b")
    assert client.requests[-1].headers["idempotency-key"] == "a"
    assert client.sent == {"idempotencyKey": "b"}


def lists_bindings(client: Client) -> None:
    client.call("bindings", "list", limit=5).first_page()
    assert client.requests[-1].url.raw_path == b"/bindings?limit=5"


def hides_secrets(client: Client) -> None:
    model = client.package(".models").PingApiBody
    assert "sesame" not in repr(model(that="sesame"))
    with pytest.raises(ValueError, match="a secret") as caught:
        client.call("bindings", "ping_api", that="sesame!")
    assert "sesame" not in str(caught.value)


def decodes(expected: Any) -> Check:
    def check(client: Client) -> None:
        given = client.call("bindings", "ping_api", response=expected)
        assert getattr(given, "to_dict", lambda: given)() == without_nulls(expected)

    return check


def rejects_response(response: Any, text: str, hides: str = "\0") -> Check:
    """Check that decoding a response fails, and the error message."""

    def check(client: Client) -> None:
        with pytest.raises(client.package("").ResponseDecodeError) as caught:
            client.call("bindings", "ping_api", response=response)
        assert text in str(caught.value), str(caught.value)
        assert hides not in str(caught.value)

    return check


def is_a(response: Any, name: str) -> Check:
    def check(client: Client) -> None:
        given = client.call("bindings", "ping_api", response=response)
        assert type(given).__name__ == name
        assert given.to_dict() == response

    return check


def field_is(response: Any, field: str, name: str) -> Check:
    def check(client: Client) -> None:
        given = client.call("bindings", "ping_api", response=response)
        assert type(getattr(given, field)).__name__ == name
        assert given.to_dict() == response

    return check


def has_value(field: str, *responses: tuple[Part, Any]) -> Check:
    """Check the value of a field of the result for each response."""

    def check(client: Client) -> None:
        for response, expected in responses:
            assert getattr(client.call("bindings", "ping_api", response=response), field) == expected

    return check


def returns(expected: Any, response: Any, field: str = "") -> Check:
    """Check the result for a response: the result itself, or one of its fields."""

    def check(client: Client) -> None:
        found = client.call("bindings", "ping_api", response=response)
        assert (getattr(found, field) if field else found) == expected

    return check


def documents(model: str, text: str) -> Check:
    """Check that the docstrings of a model's module contain a text."""

    def check(client: Client) -> None:
        known = client.package(".models")
        assert f'"""{text}' in inspect.getsource(sys.modules[getattr(known, model).__module__])

    return check


def raises_doc(client: Client, text: str) -> None:
    method = client.package(".api").Bindings.ping_api
    assert text in method.__doc__


def takes_no(*names: str) -> Check:
    def check(client: Client) -> None:
        assert not {*names} & {*inspect.signature(client.package(".api").Bindings.ping_api).parameters}

    return check


def takes_any_string(*names: str) -> Check:
    """Check that the types of arguments accept strings other than the documented ones."""

    def check(client: Client) -> None:
        parameters = inspect.signature(client.package(".api").Bindings.ping_api).parameters
        for name in names:
            assert "Literal" not in parameters[name].annotation
            assert "str" in parameters[name].annotation

    return check


def sends_nothing(client: Client) -> None:
    client.call("bindings", "ping_api")
    assert client.requests[-1].content == b""
    assert "content-type" not in client.requests[-1].headers


def hides_header(client: Client) -> None:
    """Check that no error contains a secret header."""

    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"message": f"bad {request.headers['x-that']}"})

    package = client.package("")
    pictify = package.Pictify(api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(respond)))
    with pytest.raises(package.BadRequestError) as caught:
        pictify.bindings.ping_api(that="open-sesame-123")
    assert "open-sesame" not in str(caught.value)


def openapi_30(document: Part) -> None:
    """Convert it to a document of OpenAPI 3.0."""
    document["openapi"] = "3.0.3"
    document["info"] = {"title": "It", "version": "1"}


def returns_empty(client: Client) -> None:
    client.call("bindings", "ping_api")
    assert client.requests


def imports(client: Client) -> None:
    assert client.requests == []


def has_base_url(url: str) -> Check:
    def check(client: Client) -> None:
        assert url == client.package(".api._server").SERVER

    return check


def has_attributes(resource: str, *names: str) -> Check:
    def check(client: Client) -> None:
        for name in names:
            assert callable(
                getattr(client.package(f".api.{resource}"), resource.capitalize().replace("_", "")).__dict__[name]
            )

    return check


KEY_OF_ANY_FORM = {"type": "string", "format": "password"}
SECRET = {"type": "string", "format": "password", "pattern": "^[a-z]+$"}
NULL = {"type": "null"}
FILE = {
    "200": {
        "description": "A file.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
LINKS = {"results": {"operationRef": "#/paths/~1bindings/get"}, "cancel": {"operationId": "nothing"}}


DATE_TIME: Part = {"type": "string", "format": "date-time"}
OPEN: Part = {"type": "string", "enum": ["x", "y"], "x-extensible": True}
STRINGS: Part = {"type": "array", "items": {"type": "string"}}
MAP: Part = {"type": "object", "additionalProperties": {"type": "string"}}
POINT: Part = {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}}
PET: Part = {
    "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
    "discriminator": {"propertyName": "kind"},
}


def pets(edit: Edit) -> Edit:
    """Add cats and dogs to the document, distinguished by the field `kind`."""
    fields: Part = {"kind": {"type": "string"}, "name": {"type": "string"}}
    dog = {"type": "object", "required": [*fields], "properties": {**fields, "barks": {"type": "boolean"}}}
    return both(schemas(Cat={"type": "object", "required": [*fields], "properties": fields}, Dog=dog), edit)


def constant(value: str, **fields: Part) -> Part:
    return {"type": "object", "required": ["kind"], "properties": {"kind": {"const": value}, **fields}}


def only_field(name: str) -> Part:
    return {"type": "object", "required": [name], "properties": {name: {"type": "string"}}}


def ref(name: str, **beside: Any) -> Part:
    """A reference to a component, with sibling keywords."""
    return {"$ref": f"#/components/schemas/{name}", **beside}


def refers(name: str) -> Part:
    return {
        "type": "object",
        "properties": {"name": {"type": "string"}, "next": {"$ref": f"#/components/schemas/{name}"}},
    }


def circle(*, is_sent: bool = False) -> Edit:
    """Parents and children that refer to each other; a call takes or returns one of them."""
    children = {"type": "array", "items": {"$ref": "#/components/schemas/Child"}}
    parent = {"type": "object", "properties": {"name": {"type": "string"}, "children": children}}
    child = {
        "type": "object",
        "properties": {"parent": {"$ref": "#/components/schemas/Parent"}, "age": {"type": "integer"}},
    }
    reference: Part = {"$ref": "#/components/schemas/Parent"}
    return both(schemas(Parent=parent, Child=child), with_body(**reference) if is_sent else with_response(**reference))


def nested(depth: int) -> Part:
    return {"type": "array", "items": nested(depth - 1)} if depth else {"type": "string", "format": "date-time"}


def deep(depth: int) -> Edit:
    """Return nested objects, whose class names contain the names of the objects around them."""
    part: Part = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    for _ in range(depth):
        part = {"type": "object", "properties": {"level": part, "more": {"type": "string"}}}
    return with_response(**part)


def two_files(document: Part) -> None:
    for name in ("download", "preview"):
        document["paths"][f"/exports/{name}"] = {
            "get": operation(operationId=f"{name}ExportFile", tags=["Exports"], responses=FILE)
        }


def one_file(method: str) -> Edit:
    return at("paths /exports", {method: operation(operationId="getExport", tags=["Exports"], responses=FILE)})


def paged(
    parameter: Part | None = None, items: Part | None = None, response: Part | None = None, **fields: Part
) -> Edit:
    """Give the list a parameter in place of `page`, and its response other fields beside the items."""
    thing = {"type": "object", "properties": {"uid": {"type": "string"}}}
    listed = {"type": "array", "items": items or {"$ref": "#/components/schemas/Thing"}}
    response = response or {"type": "object", "properties": {"bindings": listed, **fields}}

    def edit(document: Part) -> None:
        document["components"]["schemas"]["Thing"] = thing
        document["paths"]["/bindings"]["get"] |= {
            "parameters": [{"in": "query", "schema": {"type": "string"}, **parameter}] if parameter else [],
            "responses": {"200": {"description": "", **schema(**response)}},
        }

    return edit


def with_everywhere(text: str) -> Edit:
    """Insert a text wherever a document has text that becomes code or prose."""
    prose = f"{text}\n{text}"

    def edit(document: Part) -> None:
        documented: Part = {"type": "string", "description": prose, "default": text}
        kinds = [constant(text, a=documented), constant("other", b=documented)]
        fields: Part = {
            text: {**documented, "pattern": re.escape(text)},
            f"secret string {text}": SECRET,
            "that": {"type": "string", "enum": ["a", text], "description": prose},
            "map": {"type": "object", "propertyNames": {"pattern": re.escape(text)}},
            "one": {"oneOf": kinds},
        }
        nested = {"type": "object", "required": [text], "properties": {text: {**documented, "x-aliases": [f"{text}2"]}}}
        document["tags"] = [{"name": "Bindings", "description": prose}]
        document["components"]["schemas"]["Event"] = nested
        document["components"]["securitySchemes"]["other"] = {
            "type": "apiKey",
            "in": "header",
            "name": "X-Other",
            "description": prose,
        }
        document["webhooks"] = {
            text: {
                "post": {
                    "requestBody": schema(type="object", properties={"data": {"$ref": "#/components/schemas/Event"}}),
                    "responses": {"200": {"description": prose}},
                }
            }
        }
        document["paths"]["/ping"] = {
            "post": operation(
                summary=text,
                description=prose,
                security=[{"bearerAuth": []}, {"other": []}],
                parameters=[
                    {"name": text, "in": "query", "description": prose, "schema": {"type": "string", "enum": [text]}}
                ],
                requestBody=schema(
                    type="object", description=prose, properties=fields, dependentRequired={text: ["that"]}
                ),
                responses={
                    "200": {"description": prose, **schema(type="object", required=[text], properties={text: nested})},
                    "404": {"description": prose},
                },
            )
        }

    return edit


def sends_everywhere(text: str) -> Check:
    """Check that a text that is everywhere in the document arrives unchanged in the request."""

    def check(client: Client) -> None:
        others = {"that": text, "map": {text: 1}, "one": {"kind": text}}
        names = client.package(".models").PingApiBody.__names__
        argument = next((name for name, theirs in names.items() if theirs == text), text)
        found = client.call("bindings", "ping_api", response={text: {text: "a"}}, **{argument: text}, **others)
        assert client.sent == {text: text, **others}
        assert found.to_dict() == {text: "a"}

    return check


def things(*uids: str, **fields: Any) -> Part:
    return {"bindings": [{"uid": uid} for uid in uids], **fields}


def iterates(pages: dict[str, Part], **arguments: Any) -> Check:
    """Check that the list is iterated to its end; `pages` has the responses by the query of each request."""
    expected = [thing["uid"] for page in pages.values() for thing in page["bindings"]]

    def check(client: Client) -> None:
        def respond(request: httpx.Request) -> httpx.Response:
            client.requests.append(request)
            return httpx.Response(200, json=pages[request.url.query.decode()])

        transport = httpx.MockTransport(respond)
        package = client.package("")
        pictify = package.Pictify(api_key=KEY, http_client=httpx.Client(transport=transport))
        assert [thing.uid for thing in pictify.bindings.list(**arguments)] == expected

        async def run() -> list[str]:
            pictify = package.AsyncPictify(api_key=KEY, http_client=httpx.AsyncClient(transport=transport))
            return [thing.uid async for thing in pictify.bindings.list(**arguments)]

        assert anyio.run(run) == expected
        assert [request.url.query.decode() for request in client.requests] == [*pages] * 2

    return check


def retries_nothing(client: Client) -> None:
    found = client.call("bindings", "list", response=things("a", "b"))
    assert [thing.uid for thing in getattr(found, "bindings", found)] == ["a", "b"]


NULLABLE: Part = {"anyOf": [{"type": "string"}, NULL]}
STRING: Part = {"type": "string"}
MORE: Part = {"type": "boolean"}


def write_document(folder: Path, *edits: Edit) -> Path:
    document = json.loads(ORIGINAL)
    for edit in edits:
        edit(document)
    path = folder / "openapi.json"
    path.write_text(json.dumps(document), "utf-8")
    return path
