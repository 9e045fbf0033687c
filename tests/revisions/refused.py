"""Revisions that are refused: each with what the message says, the place and the file among it."""

from __future__ import annotations

from ..test_generator import Edit, add, operation, schemas
from .edits import (
    CONFIG,
    DOCUMENT,
    MORE,
    OVERLAY,
    STRING,
    at,
    both,
    condition,
    paged,
    with_body,
    with_field,
    with_parameter,
)

REFUSED: dict[str, tuple[Edit, tuple[str, ...]]] = {
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
    "two operationIds alike": (add(operationId="list_bindings"), ("the operationId 'listBindings' and 'list_bindings' is there 2 times", OVERLAY)),
    "a server of a path": (at("paths /bindings servers", [{"url": "https://eu.pictify.io"}]), ("$.paths['/bindings'].servers: it has a server of its own", OVERLAY)),
    "a server of an operation": (at("paths /bindings get servers", [{"url": "https://eu.pictify.io"}]), ("$.paths['/bindings'].get.servers", OVERLAY)),
    "a server without a host": (at("servers", [{"url": "/v1"}]), ("$.servers[0].url: /v1 is no whole URL", OVERLAY)),
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
