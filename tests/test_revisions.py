"""Revisions of the contract that may come: each generates code that does what it says, or is refused with the place."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from compileall import compile_dir
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_python_client.parser.errors import GeneratorError

from generator.__main__ import FOLDERS, ROOT, GenerationError, generate, main
from generator.document import load
from generator.output import problems_of_output

from .replay import KEY, without_nulls
from .test_generator import CONTRACT, Edit, add, only_bindings, operation, schema, schemas

Part = dict[str, Any]
OVERLAY = "generator/overlays/3-additions.yaml"
CONFIG = "generator-config.yaml"
DOCUMENT = "correct that in openapi.json"
NO_BINDINGS: Part = {"bindings": [], "pagination": {}}
read_once = lru_cache(load)


@pytest.fixture(autouse=True)
def _overlays_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def copied(path: Path) -> Any:
        return deepcopy(read_once(path))

    monkeypatch.setattr("generator.__main__.load", copied)


class Client(NamedTuple):
    """The client that a revision generates.

    Attributes:
        package: The package.
        requests: What the API was asked.
    """

    package: Callable[[str], ModuleType]
    requests: list[httpx.Request]

    def call(self, resource: str, method: str, *values: Any, answer: Any = NO_BINDINGS, **arguments: Any) -> Any:
        """Call a method of a resource, for an API that answers so."""

        def respond(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return httpx.Response(200, json=answer)

        http_client = httpx.Client(transport=httpx.MockTransport(respond))
        pictify = self.package("").Pictify(api_key=KEY, http_client=http_client)
        return getattr(getattr(pictify, resource), method)(*values, **arguments)

    @property
    def sent(self) -> Any:
        return json.loads(self.requests[-1].content)


Check = Callable[[Client], None]


def with_parameter(**parameter: Any) -> Edit:
    return add(parameters=[{"name": "that", "in": "query", "schema": {"type": "string"}, **parameter}])


def with_body(*, is_required: bool = True, **parts: Any) -> Edit:
    def edit(document: Part) -> None:
        body = {"required": is_required, **schema(**parts)}
        document["paths"]["/ping"] = {"post": operation(requestBody=body)}

    return edit


def condition(then: Part) -> dict[str, Any]:
    return {"if": {"required": ["a"]}, "then": then}


def with_field(**parts: Any) -> Edit:
    return with_body(type="object", properties={"that": parts})


def with_answer(**parts: Any) -> Edit:
    return add(responses={"200": {"description": "It.", **schema(**parts)}})


def both(*edits: Edit) -> Edit:
    def edit(document: Part) -> None:
        for each in edits:
            each(document)

    return edit


def at(path: str, value: Any) -> Edit:
    """Put a value in the place of a part; steps are apart by spaces."""

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


def refuses(*values: Any, text: str, **arguments: Any) -> Check:
    """See that a call is refused before anything is sent."""

    def check(client: Client) -> None:
        with pytest.raises((TypeError, ValueError), match=text):
            client.call("bindings", "ping_api", *values, **arguments)
        assert client.requests == []

    return check


def sends(body: Any, *values: Any, **arguments: Any) -> Check:
    def check(client: Client) -> None:
        client.call("bindings", "ping_api", *values, **arguments)
        assert client.sent == body

    return check


def asks(target: str, *values: Any, **arguments: Any) -> Check:
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


def reads(expected: Any) -> Check:
    def check(client: Client) -> None:
        given = client.call("bindings", "ping_api", answer=expected)
        assert getattr(given, "to_dict", lambda: given)() == without_nulls(expected)

    return check


def answers_nothing(client: Client) -> None:
    client.call("bindings", "ping_api")
    assert client.requests


def imports(client: Client) -> None:
    assert client.requests == []


def serves(url: str) -> Check:
    def check(client: Client) -> None:
        assert url == client.package(".api").SERVER

    return check


def has_attributes(resource: str, *names: str) -> Check:
    def check(client: Client) -> None:
        for name in names:
            assert callable(
                getattr(client.package(f".api.{resource}"), resource.capitalize().replace("_", "")).__dict__[name]
            )

    return check


SECRET = {"type": "string", "format": "password", "pattern": "^[a-z]+$"}
NULL = {"type": "null"}
FILE = {
    "200": {
        "description": "A file.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
LINKS = {"results": {"operationRef": "#/paths/~1bindings/get"}, "cancel": {"operationId": "nothing"}}


def nested(depth: int) -> Part:
    return {"type": "array", "items": nested(depth - 1)} if depth else {"type": "string", "format": "date-time"}


def two_files(document: Part) -> None:
    for name in ("download", "preview"):
        document["paths"][f"/exports/{name}"] = {
            "get": operation(operationId=f"{name}ExportFile", tags=["Exports"], responses=FILE)
        }


def one_file(method: str) -> Edit:
    return at("paths /exports", {method: operation(operationId="getExport", tags=["Exports"], responses=FILE)})


def paged(parameter: Part | None = None, items: Part | None = None, answer: Part | None = None, **fields: Part) -> Edit:
    """Give the list a parameter in the place of `page`, and its response other fields beside the items."""
    thing = {"type": "object", "properties": {"uid": {"type": "string"}}}
    listed = {"type": "array", "items": items or {"$ref": "#/components/schemas/Thing"}}
    answer = answer or {"type": "object", "properties": {"bindings": listed, **fields}}

    def edit(document: Part) -> None:
        document["components"]["schemas"]["Thing"] = thing
        document["paths"]["/bindings"]["get"] |= {
            "parameters": [{"in": "query", "schema": {"type": "string"}, **parameter}] if parameter else [],
            "responses": {"200": {"description": "", **schema(**answer)}},
        }

    return edit


def things(*uids: str, **fields: Any) -> Part:
    return {"bindings": [{"uid": uid} for uid in uids], **fields}


def walks(pages: dict[str, Part], **arguments: Any) -> Check:
    """See that the list is iterated over to its end; `pages` has the responses by the query of each request."""
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


def calls_once(client: Client) -> None:
    found = client.call("bindings", "list", answer=things("a", "b"))
    assert [thing.uid for thing in getattr(found, "bindings", found)] == ["a", "b"]


NULLABLE: Part = {"anyOf": [{"type": "string"}, NULL]}
STRING: Part = {"type": "string"}
MORE: Part = {"type": "boolean"}


SUPPORTED: dict[str, tuple[Edit, Check]] = {
    # References.
    "a path item by reference": (moved("paths /bindings", "pathItems", "B"), lists_bindings),
    "a body by reference": (
        both(with_field(type="string"), moved("paths /ping post requestBody", "requestBodies", "It")),
        sends({"that": "a"}, that="a"),
    ),
    "an answer by reference": (both(with_answer(type="object"), moved("paths /ping get responses 200", "responses", "It")), answers_nothing),
    "a parameter by a reference to a reference": (
        both(at("components parameters", {"A": {"$ref": "#/components/parameters/B"}, "B": {"name": "that", "in": "query", "schema": {"type": "string"}}}), add(parameters=[{"$ref": "#/components/parameters/A"}])),
        asks("/ping?that=a", that="a"),
    ),
    "a parameter by a reference to another operation's": (
        add(parameters=[{"$ref": "#/paths/~1bindings/get/parameters/2"}, {"$ref": "#/paths/~1bindings/get/parameters/3"}], responses={"200": {"$ref": "#/paths/~1bindings/get/responses/200"}}),
        lambda client: client.call("bindings", "ping_api", page=1, limit=5).first_page() and None,
    ),
    "parameters of a path by reference": (
        both(
            at("components parameters", {"that": {"name": "that", "in": "query", "schema": {"type": "integer", "maximum": 9}}}),
            at("paths /ping", {"parameters": [{"$ref": "#/components/parameters/that"}], "get": operation()}),
        ),
        refuses(that=10, text="that must be at most 9"),
    ),
    "a schema by a reference to a reference": (
        both(schemas(One={"$ref": "#/components/schemas/Two"}, Two={"type": "string", "maxLength": 3}), with_field(**{"$ref": "#/components/schemas/One"})),
        refuses(that="four", text="that must have at most 3 characters"),
    ),
    # Limits.
    "an exclusive minimum of 0": (with_field(type="integer", exclusiveMinimum=0), refuses(that=0, text="that must be more than 0")),
    "an exclusive maximum": (with_field(type="integer", exclusiveMaximum=9), refuses(that=9, text="that must be less than 9")),
    "a limit of items": (
        with_field(type="array", items={"type": "integer", "exclusiveMinimum": 1}),
        refuses(that=[1], text=r"that\[0\] must be more than 1"),
    ),
    "a limit of a map": (
        with_field(type="object", additionalProperties={"type": "integer", "maximum": 9}),
        refuses(that={"a": 10}, text="must be at most 9"),
    ),
    "a limit of a whole body": (with_body(type="array", maxItems=1, items={"type": "string"}), refuses(body=["a", "b"], text="body must have at most 1 item")),
    "a limit of a parameter by reference": (
        both(schemas(HowMany={"type": "integer", "maximum": 9}), with_parameter(schema={"$ref": "#/components/schemas/HowMany"})),
        refuses(that=10, text="that must be at most 9"),
    ),
    "a limit of a parameter by allOf": (
        both(schemas(HowMany={"type": "integer", "maximum": 9}), with_parameter(schema={"allOf": [{"$ref": "#/components/schemas/HowMany"}]})),
        refuses(that=10, text="that must be at most 9"),
    ),
    "a limit beside null": (
        with_field(anyOf=[{"type": "string", "maxLength": 3}, NULL]),
        refuses(that="four", text="that must have at most 3 characters"),
    ),
    "null beside a limit": (with_field(anyOf=[{"type": "string", "maxLength": 3}, NULL]), sends({"that": None}, that=None)),
    "a limit by allOf": (
        both(schemas(Name={"type": "string", "maxLength": 3}), with_field(allOf=[{"$ref": "#/components/schemas/Name"}])),
        refuses(that="four", text="that must have at most 3 characters"),
    ),
    "a limit that narrows another": (
        with_body(
            allOf=[
                {"type": "object", "properties": {"that": {"type": "integer", "maximum": 9}}},
                {"type": "object", "properties": {"that": {"type": "integer", "maximum": 5}}},
            ]
        ),
        refuses(that=6, text="that must be at most 5"),
    ),
    "required beside allOf": (
        both(schemas(Base={"type": "object", "properties": {"that": {"type": "string"}}}), with_body(allOf=[{"$ref": "#/components/schemas/Base"}], required=["that"])),
        refuses(text="that"),
    ),
    "a nullable enum": (
        with_field(type=["string", "null"], enum=["cover", "contain", None]),
        sends({"that": "cover"}, that="cover"),
    ),
    "null of a nullable enum": (with_field(type=["string", "null"], enum=["cover", None]), sends({"that": None}, that=None)),
    "lists in lists": (with_field(**nested(9)), sends({}, that=None)),
    "a limit of 0 that narrows none": (
        with_body(allOf=[{"type": "object", "properties": {"that": {"type": "integer", "minimum": 0}}}, {"type": "object", "properties": {"that": {"type": "integer", "title": "That"}}}]),
        refuses(that=-1, text="that must be at least 0"),
    ),
    "a deletion that answers a list": (
        at("paths /bindings/{uid}", {"delete": operation(parameters=[{"name": "uid", "in": "path", "required": True, "schema": {"type": "string"}}], responses={"200": {"description": "", **schema(type="object", required=["deleted", "failed"], properties={"deleted": {"type": "array", "items": {"type": "string"}}, "failed": {"type": "integer"}})}})}),
        lambda client: client.call("bindings", "ping_api", "uid", answer={"deleted": ["a"], "failed": 0}).deleted[0] == "a" and None,
    ),
    # Secrets.
    "a secret beside null": (with_field(anyOf=[SECRET, NULL]), hides_secrets),
    "a secret by allOf": (both(schemas(Key=SECRET), with_field(allOf=[{"$ref": "#/components/schemas/Key"}])), hides_secrets),
    # Names.
    "a header with the name of a parameter": (
        add(parameters=[{"name": name, "in": place, "schema": {"type": "string"}} for name, place in (("status", "query"), ("X-Status", "header"))]),
        has_header("x-status", "b", status="a", x_status="b"),
    ),
    "a header with the name of a field": (
        both(
            with_body(type="object", properties={"idempotencyKey": {"type": "string"}}),
            at("paths /ping parameters", [{"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}]),
        ),
        sends_in_both,
    ),
    "a parameter with the name of a field": (
        both(with_field(type="string"), at("paths /ping parameters", [{"name": "that", "in": "query", "schema": {"type": "string"}}])),
        asks("/ping?that=a", that_query="a", that="b"),
    ),
    "a parameter called as what a method uses": (
        add(parameters=[{"name": name, "in": "query", "schema": {"type": "string"}} for name in ("split", "response")]),
        asks("/ping?split=a&response=b", split_="a", response_="b"),
    ),
    "prefetch as a parameter of a list": (
        lambda document: document["paths"]["/bindings"]["get"]["parameters"].append({"name": "prefetch", "in": "query", "schema": {"type": "string"}}),
        lambda client: client.call("bindings", "list", prefetch_="a", prefetch=0).first_page() and None,
    ),
    "fields called as what the class uses": (
        with_body(type="object", properties={"that": SECRET, "hidden": {"type": "boolean"}, "shown": {"type": "boolean"}}),
        hides_secrets,
    ),
    "an acronym as a tag": (add(tags=["SVGs"]), lambda client: client.call("svgs", "ping_api") and None),
    "a tag called as its schema": (
        both(schemas(Usage={"type": "object", "properties": {"rows": {"type": "integer"}, "more": {"type": "string"}}}), add(tags=["Usage"], responses={"200": {"description": "", **schema(**{"$ref": "#/components/schemas/Usage"})}})),
        imports,
    ),
    # Security and servers.
    "security of the root": (
        both(
            at("components securitySchemes apiKeyAuth", {"type": "apiKey", "in": "header", "name": "X-Key"}),
            at("security", [{"apiKeyAuth": []}]),
            add(),
        ),
        has_header("authorization", None, key="sesame"),
    ),
    "no security at the root": (both(at("security", []), add()), has_header("authorization", None)),
    "a second key that is required": (
        both(
            at("components securitySchemes apiKeyAuth", {"type": "apiKey", "in": "header", "name": "X-Key"}),
            add(security=[{"bearerAuth": [], "apiKeyAuth": []}]),
        ),
        refuses(text="key"),
    ),
    "variables of a server": (
        at("servers", [{"url": "https://{region}.pictify.io", "variables": {"region": {"default": "eu"}}}]),
        serves("https://eu.pictify.io"),
    ),
    "the same server once more": (at("paths /bindings servers", [{"url": "https://api.pictify.io"}]), lists_bindings),
    # Bodies and answers.
    "an optional body": (with_body(is_required=False, type="object", properties={"note": {"type": "string"}}), sends({})),
    "an answer of one nullable thing": (
        with_answer(type="object", properties={"binding": {"anyOf": [{"$ref": "#/components/schemas/Binding"}, NULL]}}),
        reads({"binding": None}),
    ),
    "names in an object that are none in Python": (
        with_body(type="object", properties={"that": {"type": "object", "properties": {"x-by": {"type": "string"}, "class": {"type": "integer"}}}}),
        sends({"that": {"x-by": "a", "class": 1}}, that={"x-by": "a", "class": 1}),
    ),
    "null in lists of an answer": (with_answer(type="array", items={"type": ["string", "null"]}), reads(["a", None])),
    "a status that nobody knows": (
        add(responses={**operation()["responses"], "499": {"description": ""}}),
        answers_nothing,
    ),
    "two files of a tag": (two_files, has_attributes("exports", "download_file", "download_file_url", "preview_file_url")),
    "a file with no more than a verb": (one_file("get"), has_attributes("exports", "get", "get_url")),
    "a file by POST": (one_file("post"), has_attributes("exports", "get")),
    "links to what is no batch": (
        add(responses={"200": {**operation()["responses"]["200"], "links": LINKS}}),
        answers_nothing,
    ),
    "events of webhooks": (
        at("webhooks", {"thing.made": {"post": operation(operationId=None, tags=None, requestBody=schema(type="object"))}}),
        imports,
    ),
    "a property called as an extension": (
        schemas(Thing={"type": "object", "properties": {"x-class": {"type": "string"}, "x-unwrap": {"type": "string"}}}),
        imports,
    ),
    "a date without quotes": (at("info x-since", "2026-01-29"), imports),
    # Lists by cursor.
    "a list by cursor": (
        paged({"name": "cursor"}, pagination={"type": "object", "properties": {"nextCursor": NULLABLE, "hasMore": MORE}}),
        walks({"": things("a", pagination={"nextCursor": "x y", "hasMore": True}), "cursor=x%20y": things("b", pagination={"nextCursor": "z"}), "cursor=z": things("c", pagination={"nextCursor": None})}),
    ),
    "a list by cursor that begins in the middle": (
        paged({"name": "cursor"}, next_cursor=STRING),
        walks({"cursor=x": things("a", next_cursor="y"), "cursor=y": things("b")}, cursor="x"),
    ),
    "a list by a token, with an empty page": (
        paged({"name": "pageToken"}, nextPageToken=STRING),
        walks({"": things("a", nextPageToken="x"), "pageToken=x": things(nextPageToken="y"), "pageToken=y": things("b", nextPageToken="")}),
    ),
    "a list by the id of its last item": (
        paged({"name": "starting_after"}, has_more=MORE),
        walks({"": things("a", "b", has_more=True), "starting_after=b": things("c", has_more=False)}),
    ),
    "a list by the id of its last item, in a field": (
        paged({"name": "after"}, has_more=MORE, last_id=NULLABLE),
        walks({"": things("a", last_id="x", has_more=True), "after=x": things("b", last_id="y", has_more=False)}),
    ),
    "a list by the URL of the next page": (
        paged({"name": "cursor"}, next={"type": ["string", "null"], "format": "uri"}),
        walks({"": things("a", next="https://api.pictify.io/bindings?limit=1&cursor=x%3D"), "cursor=x%3D": things("b", next=None)}),
    ),
    "a list by a number": (
        paged({"name": "cursor", "schema": {"type": "integer"}}, nextCursor={"type": "integer"}),
        walks({"": things("a", nextCursor=7), "cursor=7": things("b")}),
    ),
    "a list by the token of a page": (
        paged({"name": "page"}, next_page=STRING),
        walks({"": things("a", next_page="x"), "page=x": things("b", next_page=None)}),
    ),
    "after as a filter": (paged({"name": "after"}), calls_once),
    "after as a date": (paged({"name": "after", "schema": {"type": "string", "format": "date-time"}}, next=STRING), calls_once),
    "next without a parameter that takes it": (paged(next=STRING), calls_once),
    "pages from 0": (
        paged({"name": "page", "schema": {"type": "integer", "minimum": 0}}, totalPages={"type": "integer"}),
        walks({"": things("a", totalPages=3), "page=1": things("b", totalPages=3), "page=2": things("c", totalPages=3)}),
    ),
    "pages from 0 by default": (
        paged({"name": "page", "schema": {"type": "integer", "default": 0}}, hasMore=MORE),
        walks({"page=0": things("a", hasMore=True), "page=1": things("b", hasMore=False)}, page=0),
    ),
    "a cursor of what is no list": (with_parameter(name="cursor"), asks("/ping?cursor=pointer", cursor="pointer")),
}  # fmt: skip


REFUSED: dict[str, tuple[Edit, tuple[str, ...]]] = {
    "a header that is no string": (with_parameter(**{"in": "header", "name": "X-Dry-Run", "schema": {"type": "boolean"}}), ("GET /ping: its header 'X-Dry-Run' is no string", OVERLAY)),
    "multipleOf of a parameter": (with_parameter(schema={"type": "integer", "multipleOf": 5}), ("$.paths['/ping'].get.parameters[0].schema.multipleOf", OVERLAY)),
    "multipleOf of a parameter of a path": (
        at("paths /bindings parameters", [{"name": "that", "in": "query", "schema": {"type": "integer", "multipleOf": 5}}]),
        ("$.paths['/bindings'].parameters[0].schema.multipleOf", OVERLAY),
    ),
    "uniqueItems of a list in a list": (
        with_field(type="array", items={"type": "array", "uniqueItems": True, "items": {"type": "string"}}),
        ("schema.properties.that.items.uniqueItems: calls do not check this limit", OVERLAY),
    ),
    "a condition that requires two fields": (
        with_body(type="object", properties={"a": {"type": "string"}, "b": {"type": "string"}, "c": {"type": "string"}}, **condition({"required": ["b", "c"]})),
        ("schema.if", OVERLAY),
    ),
    "a condition that requires one of several values": (
        with_body(
            type="object",
            properties={"a": {"type": "string"}, "b": {"type": "string"}},
            **condition({"required": ["b"], "properties": {"b": {"enum": ["x", "y"]}}}),
        ),
        ("schema.if", OVERLAY),
    ),
    "a limit of a component": (
        both(schemas(Thing={"type": "object", "properties": {"a": {"type": "integer", "multipleOf": 2}}}), with_field(**{"$ref": "#/components/schemas/Thing"})),
        ("$.components.schemas.Thing.properties.a.multipleOf", OVERLAY),
    ),
    "minProperties": (with_body(type="object", minProperties=1, properties={"a": {"type": "string"}}), ("schema.minProperties", OVERLAY)),
    "maxProperties of an object with fields": (
        with_body(type="object", maxProperties=1, properties={"a": {"type": "string"}}),
        ("schema.maxProperties", OVERLAY),
    ),
    "names by length": (with_field(type="object", propertyNames={"maxLength": 9}), ("that.propertyNames: of names, calls check", OVERLAY)),
    "two patterns": (
        with_body(allOf=[{"type": "object", "properties": {"that": {"type": "string", "pattern": each}}} for each in ("^a", "b$")]),
        ("the schema PingApiBody: that has several of `pattern`", OVERLAY),
    ),
    "a pattern of another language": (with_field(type="string", pattern=r"^\p{L}+$"), ("schema.properties.that.pattern: Python does not know", OVERLAY)),
    "a limit that is not exact": (with_field(type="integer", maximum=2**53 + 1), ("that.maximum: the number is too large", OVERLAY)),
    "null in a list of a body": (with_field(type="array", items={"type": ["string", "null"]}), ("that.items: it may be null", OVERLAY)),
    "null in a map of a body": (with_field(type="object", additionalProperties={"anyOf": [{"type": "string"}, NULL]}), ("that.additionalProperties: it may be null", OVERLAY)),
    "a union in a body": (with_field(type=["string", "integer"]), ("the schema PingApiBody: that may be one of several types", OVERLAY)),
    "two operationIds alike": (add(operationId="list_bindings"), ("the operationId 'listBindings' and 'list_bindings' is there 2 times", OVERLAY)),
    "a server of a path": (at("paths /bindings servers", [{"url": "https://eu.pictify.io"}]), ("$.paths['/bindings'].servers: it has a server of its own", OVERLAY)),
    "a server of an operation": (at("paths /bindings get servers", [{"url": "https://eu.pictify.io"}]), ("$.paths['/bindings'].get.servers", OVERLAY)),
    "a server without a host": (at("servers", [{"url": "/v1"}]), ("$.servers[0].url: /v1 is no whole URL", OVERLAY)),
    "a deep object": (
        with_parameter(style="deepObject", schema={"type": "object", "additionalProperties": {"type": "string"}}),
        ("$.paths['/ping'].get.parameters[0]: its parameter 'that' is written in a style", OVERLAY),
    ),
    "an object in one": (with_parameter(explode=False, schema={"type": "object", "additionalProperties": {"type": "string"}}), ("in a style that calls do not know", OVERLAY)),
    "a secret in the query that is required": (with_parameter(required=True, schema={"type": "string", "format": "password"}), ("is a secret in the query", OVERLAY)),
    "a tag that is the client's": (add(tags=["Close"]), ("the tag Close: clients have something else by that name", OVERLAY)),
    "a schema of another meaning": (schemas(BatchJob={"type": "object", "properties": {"a": {"type": "string"}}}), ("the schema BatchJob", CONFIG)),
    "a component with the name of a class": (
        both(
            schemas(
                PageSize={"type": "object", "properties": {"rows": {"type": "integer"}}},
                Other={"type": "object", "properties": {"size": {"x-class": "PageSize", "type": "object", "properties": {"width": {"type": "integer"}}}}},
            )
        ),
        ("$.components.schemas.PageSize: an overlay gives its name", OVERLAY),
    ),
    "a field that is not there to be unwrapped": (schemas(Thing={"type": "object", "x-unwrap": "a", "properties": {"b": {"type": "string"}}}), ("x-unwrap: a is not an object", OVERLAY)),
    "code in a path": (at('paths /a"""import_os;"""', {"get": operation()}), ("a character of its path cannot stand in a URL", OVERLAY)),
    "a line break in a name": (with_body(type="object", properties={"a\nb": {"type": "string"}}), ("not of printable characters", OVERLAY)),
    "a name of 300 characters": (schemas(**{"A" * 300: {"type": "object"}}), ("is too long", OVERLAY)),
    "an operationId of 300 characters": (add(operationId="a" * 300), ("is too long for that of a file", OVERLAY)),
    # What is no OpenAPI.
    "a method in capitals": (at("paths /bindings GET", operation()), ("$.paths['/bindings']: Unevaluated properties", DOCUMENT)),
    "a method that HTTP does not have": (at("paths /bindings query", operation()), ("'query' was unexpected", DOCUMENT)),
    "parameters of null": (at("paths /bindings get parameters", None), ("$.paths['/bindings'].get.parameters: None is not of type 'array'", DOCUMENT)),
    "tags of null": (at("paths /bindings get tags", None), ("$.paths['/bindings'].get.tags", DOCUMENT)),
    "security of null": (at("security", None), ("$.security", DOCUMENT)),
    "a path of null": (at("paths /bindings", None), ("$.paths['/bindings']", DOCUMENT)),
    "paths of a list": (at("paths", []), ("$.paths: [] is not of type 'object'", DOCUMENT)),
    "another version": (at("openapi", "2.0"), ("$.openapi: it is neither 3.0 nor 3.1", DOCUMENT)),
    "a type that JSON does not have": (with_field(type="text"), ("that.type: 'text' is not valid", DOCUMENT)),
    "a reference to nothing": (with_field(**{"$ref": "#/components/schemas/Nothing"}), ("schema.properties.that: #/components/schemas/Nothing leads to nothing", DOCUMENT)),
    "a reference out of the document": (with_field(**{"$ref": "other.yaml#/Thing"}), ("other.yaml#/Thing is not in this document", DOCUMENT)),
    "a reference to what is no parameter": (add(parameters=[{"$ref": "#/paths"}]), ("$.paths['/ping'].get.parameters[0]", DOCUMENT)),
    "a reference to itself": (schemas(Thing={"$ref": "#/components/schemas/Thing"}), ("$.components.schemas.Thing: #/components/schemas/Thing refers to itself", DOCUMENT)),
    "a path item that is nowhere": (at("paths /bindings", {"$ref": "#/components/pathItems/Nothing"}), ("$.paths['/bindings']: #/components/pathItems/Nothing leads to nothing", DOCUMENT)),
    # Lists by cursor.
    "a cursor that no response has": (paged({"name": "cursor"}, has_more=MORE), ("GET /bindings: it takes a cursor (`cursor`), but its response does not have the next one", OVERLAY)),
    "a cursor of another type": (paged({"name": "cursor"}, nextCursor={"type": "integer"}), ("it takes a cursor (`cursor`), but its response does not have the next one", OVERLAY)),
    "a cursor of an id that items do not have": (paged({"name": "starting_after"}, items={"type": "object", "properties": {"name": STRING}}, has_more=MORE), ("it takes a cursor (`starting_after`), but its response", OVERLAY)),
    "a cursor of a bare list": (paged({"name": "cursor"}, answer={"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}), ("it takes a cursor (`cursor`), but its response", OVERLAY)),
    "a next cursor that no parameter takes": (paged(nextCursor=STRING), ("GET /bindings: its response has `nextCursor`, but no parameter takes it (cursor, page_token", OVERLAY)),
    "a list by cursor of strings": (paged({"name": "cursor"}, items=STRING, nextCursor=STRING), ("GET /bindings: it takes a cursor, but its answer is not one list of objects", OVERLAY)),
}  # fmt: skip


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package that lacks what is generated."""
    folder = tmp_path_factory.mktemp("revised") / "revised_client"
    shutil.copytree(ROOT / "pictify_client", folder, ignore=shutil.ignore_patterns("__pycache__", *FOLDERS))
    compile_dir(folder, quiet=1)
    return folder


@pytest.fixture
def revised(package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    monkeypatch.setattr(sys, "path", [str(package.parent), *sys.path])
    # A file of the revision before may have the same time and size.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield lambda name: importlib.import_module(f"revised_client{name}")
    for name in [name for name in sys.modules if name.startswith("revised_client")]:
        del sys.modules[name]


def written(folder: Path, *edits: Edit) -> Path:
    document = json.loads(CONTRACT)
    for edit in edits:
        edit(document)
    path = folder / "openapi.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


@pytest.mark.parametrize("name", SUPPORTED)
def test_a_revision_generates_a_client_that_does_what_it_says(
    name: str, tmp_path: Path, package: Path, revised: Callable[[str], ModuleType], capfd: pytest.CaptureFixture[str]
) -> None:
    edit, check = SUPPORTED[name]
    status = main(["--contract", str(written(tmp_path, only_bindings, edit)), "--package", str(package)])
    assert (status, capfd.readouterr().err) == (0, "")
    importlib.invalidate_caches()
    for path in sorted(package.glob("*/**/*.py")):
        if path.relative_to(package).parts[0] in FOLDERS:
            revised("." + ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__"))
    check(Client(revised, []))


@pytest.mark.parametrize("name", REFUSED)
def test_a_revision_that_would_be_wrong_is_refused_with_the_place_and_the_file(name: str, tmp_path: Path) -> None:
    edit, texts = REFUSED[name]
    build = tmp_path / "build"
    with pytest.raises(GenerationError) as caught:
        generate(written(tmp_path, only_bindings, edit), build)
    for text in texts:
        assert text in str(caught.value)
    assert "does not expect" not in str(caught.value)
    assert not build.exists()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"<!DOCTYPE html>\n<html>", "it is str, not an object of OpenAPI"),
        (b"", "it is NoneType, not an object of OpenAPI"),
        (b"- a\n- b\n", "it is list, not an object of OpenAPI"),
        (b"a: 1\na: 2\n", "it cannot be read as YAML or JSON"),
        (b"200: 1\n'200': 2\n", "keys are alike as strings"),
        (b"a: [", "it cannot be read as YAML or JSON"),
        ("a: \u00e9".encode("latin-1"), "it cannot be read as YAML or JSON"),
        (b"a: &a [*a]", "it cannot be read as YAML or JSON"),
        (b"a: 1e400", "has no form in JSON"),
        (b"a: !!binary aGk=", "has no form"),
        (b"openapi: 3.1.0\ninfo: 2026-01-29\n", "$"),
    ],
)
def test_what_is_no_document_is_refused(content: bytes, text: str, tmp_path: Path) -> None:
    path = tmp_path / "openapi.yaml"
    path.write_bytes(content)
    with pytest.raises(GenerationError) as caught:
        generate(path, tmp_path / "build")
    assert text in str(caught.value)
    assert "correct that in openapi.yaml" in str(caught.value)


def test_a_document_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="it cannot be read as YAML or JSON"):
        generate(tmp_path / "openapi.yaml", tmp_path / "build")


def test_a_mark_of_the_byte_order_is_no_part_of_a_document(tmp_path: Path) -> None:
    path = written(tmp_path, only_bindings)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert generate(path, tmp_path / "build")


def small() -> Part:
    """A document that has one of each of what OpenAPI has."""
    document: Part = json.loads(CONTRACT)
    thing = document["paths"]["/bindings/{uid}"]
    only_bindings(document)
    document["paths"]["/bindings/{uid}"] = thing
    with_body(
        allOf=[{"$ref": "#/components/schemas/Thing"}],
        properties={"a": {"type": "array", "items": {"type": "string", "enum": ["b", "c"]}}},
    )(document)
    schemas(Thing={"type": "object", "required": ["d"], "properties": {"d": {"anyOf": [{"type": "integer"}, NULL]}}})(
        document
    )
    return document


SMALL = small()
VALUES: list[Any] = [
    *(None, [], {}, "", "a", 0, -1, 1.5, True, [None], [{}], {"a": None}),
    *({"$ref": f"#/{path}"} for path in ("paths", "components/schemas/Binding", "components/schemas/No")),
    *({"$ref": 1}, {"type": ["string", "integer"]}, {"type": "array"}, {"type": "object"}, {"oneOf": []}),
    *({"allOf": [{}]}, {"enum": [None]}, {"not": {}}, {"const": 1}),
]


def places(part: Any, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    given: Any = part
    known: Any = given.items() if isinstance(part, dict) else enumerate(given) if isinstance(part, list) else ()
    for name, item in known:
        yield (*steps, name)
        yield from places(item, (*steps, name))


PLACES = list(places(SMALL))


@settings(max_examples=15)
@given(data=st.data())
def test_whatever_becomes_of_a_document_it_generates_or_is_refused(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    document = deepcopy(SMALL)
    for _ in range(data.draw(st.integers(1, 2))):
        *steps, last = data.draw(st.sampled_from(PLACES))
        part: Any = document
        try:
            for step in steps:
                part = part[step]
            if data.draw(st.booleans()):
                part[last] = deepcopy(data.draw(st.sampled_from(VALUES)))
            else:
                del part[last]
        except (IndexError, KeyError, TypeError):
            # What was changed before was around it.
            continue
    folder = tmp_path_factory.mktemp("mutated")
    path = folder / "openapi.json"
    path.write_text(json.dumps(document), "utf-8")
    try:
        generate(path, folder / "build")
    except GenerationError as error:
        assert "Nothing was written" in str(error)
    else:
        # It compiled them before they were written.
        assert list((folder / "build").rglob("*.py"))


def test_what_is_generated_is_looked_at_before_it_is_installed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(a, a): ...\n")
    (tmp_path / "b.py").write_text(
        "import a\nif a:\n    import b\n\nclass C:\n    x: int\n    def x(self): ...\n\nb = 1\n"
    )
    assert list(problems_of_output(tmp_path)) == [
        "a.py: what was generated is not Python: duplicate argument 'a' in function definition (a.py, line 1)",
        "b.py: two things would be called b in the module",
        "b.py: two things would be called x in the class C",
    ]


def stumbles(_: Part) -> None:
    raise ZeroDivisionError


def knows_nothing(_: Part, *, config: object) -> GeneratorError:
    del config
    return GeneratorError(header="It is not known.")


@pytest.mark.parametrize(
    ("name", "does", "text"),
    [
        ("extract", stumbles, "has what the generator does not expect: ZeroDivisionError"),
        ("GeneratorData.from_dict", knows_nothing, "It is not known."),
    ],
)
def test_what_no_check_has_foreseen_is_refused_too(
    name: str, does: Callable[..., Any], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"generator.__main__.{name}", does)
    with pytest.raises(GenerationError, match=text) as caught:
        generate(written(tmp_path, only_bindings), tmp_path / "build")
    assert OVERLAY in str(caught.value)
