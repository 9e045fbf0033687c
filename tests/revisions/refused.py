"""Revisions that are refused: each with what the message says, the place and the file among it."""

from __future__ import annotations

from ..test_generator import Edit, add, operation, schema, schemas
from .edits import (
    CONFIG,
    DOCUMENT,
    MORE,
    NULLABLE,
    OVERLAY,
    POINT,
    STRING,
    STRINGS,
    at,
    both,
    condition,
    in_path,
    nested,
    one_file,
    only_field,
    paged,
    with_answer,
    with_body,
    with_field,
    with_header,
    with_parameter,
    with_post,
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
    # Unions.
    "models that are alike": (
        both(schemas(One=only_field("a"), Two=only_field("a")), with_field(oneOf=[{"$ref": "#/components/schemas/One"}, {"$ref": "#/components/schemas/Two"}])),
        ("$.paths['/ping'].post.requestBody.content['application/json'].schema: the schema PingApiBody: that: Two cannot be told from One: give them a discriminator", OVERLAY),
    ),
    "models of which one has all that another has": (
        both(schemas(One={"type": "object", "properties": {"a": STRING, "b": STRING}}, Two={"type": "object", "properties": {"b": STRING}}), with_answer(anyOf=[{"$ref": "#/components/schemas/One"}, {"$ref": "#/components/schemas/Two"}])),
        ("$.paths['/ping'].get: GET /ping: ", "Two cannot be told from One", OVERLAY),
    ),
    "lists of models that are alike": (
        with_answer(type="object", properties={"b": STRING, "a": {"type": "array", "items": {"oneOf": [only_field("a"), only_field("a")]}}}),
        ("$.paths['/ping'].get.responses['200'].content['application/json'].schema: ", "cannot be told from", OVERLAY),
    ),
    "two strings of different limits": (with_field(oneOf=[{"type": "string", "maxLength": 3}, {"type": "string", "pattern": "^a{9}$"}]), ("schema: the schema PingApiBody: that has alternatives that are one type in Python", OVERLAY)),
    "two strings of different limits in a parameter": (with_parameter(schema={"oneOf": [{"type": "string", "maxLength": 3}, {"type": "string", "minLength": 9}]}), ("$.paths['/ping'].get: GET /ping: that has alternatives that are one type", OVERLAY)),
    "two strings of different limits in a body": (with_body(oneOf=[{"type": "string", "maxLength": 3}, {"type": "string", "minLength": 9}]), ("$.paths['/ping'].post: POST /ping: body has alternatives that are one type", OVERLAY)),
    "properties beside oneOf": (
        with_body(type="object", properties={"a": STRING}, oneOf=[only_field("b"), only_field("c")]),
        ("$.paths['/ping'].post.requestBody.content['application/json'].schema: `properties` stands beside `oneOf`", OVERLAY),
    ),
    "properties beside anyOf in an answer": (with_answer(type="object", properties={"a": STRING}, anyOf=[only_field("b"), only_field("c")]), ("$.paths['/ping'].get.responses['200'].content['application/json'].schema: `properties` stands beside", OVERLAY)),
    "a union of what has no shape": (with_field(oneOf=[{"type": "integer", "enum": [1, 2]}, STRING]), ("the schema PingApiBody: that_type_0 is of a kind without a shape here", OVERLAY)),
    "an enum of integers": (with_field(type="integer", enum=[1, 2]), ("$.paths['/ping'].post.requestBody.content['application/json'].schema: the schema PingApiBody: that is of a kind without a shape", OVERLAY)),
    "a constant that is no string": (with_field(const=5), ("that is of a kind without a shape here: const", OVERLAY)),
    "null alone": (with_field(type="null"), ("that is of a kind without a shape here: none", OVERLAY)),
    "a map of itself": (both(schemas(Tree={"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Tree"}}), with_field(**{"$ref": "#/components/schemas/Tree"})), ("refers to itself with no field between", OVERLAY)),
    # Parameters.
    "a label in a path": (in_path(style="label", schema=STRING), ("$.paths['/ping/{that}'].get.parameters[0]: its parameter 'that' is written in a style", OVERLAY)),
    "a matrix in a path": (in_path(style="matrix", schema=STRINGS), ("$.paths['/ping/{that}'].get.parameters[0]: its parameter 'that' is written in a style", OVERLAY)),
    "a deep list": (with_parameter(style="deepObject", schema=STRINGS), ("GET /ping: its parameter 'that' is no object, and its style is deepObject", OVERLAY)),
    "a deep object in a deep object": (with_parameter(style="deepObject", schema={"type": "object", "properties": {"a": POINT}}), ("GET /ping: its parameter 'that' is no string, number, boolean or date-time, nor a list", OVERLAY)),
    "a list of lists in the query": (with_parameter(schema=nested(2)), ("GET /ping: its parameter 'that' is no string", OVERLAY)),
    "a list of objects in a header": (with_header(schema={"type": "array", "items": POINT}), ("GET /ping: its parameter 'X-That' is no string", OVERLAY)),
    "a list of null in the query": (with_parameter(schema={"type": "array", "items": NULLABLE}), ("$.paths['/ping'].get.parameters[0].schema.items: it may be null, which a URL and a header cannot say", OVERLAY)),
    "an object or a list in the query": (with_parameter(schema={"oneOf": [POINT, STRINGS]}), ("GET /ping: its parameter 'that' is no string", OVERLAY)),
    "a cookie": (with_parameter(**{"in": "cookie"}), ("$.paths['/ping'].get: GET /ping: it has a parameter in a cookie", OVERLAY)),
    "a parameter of JSON": (
        add(parameters=[{"name": "that", "in": "query", "content": {"application/json": {"schema": POINT}}}]),
        ("$.paths['/ping'].get: GET /ping: its parameter 'that' has no schema", OVERLAY),
    ),
    # Names, and where to change them.
    "a name that is not ASCII": (schemas(Größe={"type": "object"}), ("$.components.schemas", DOCUMENT)),
    "enum members that are alike": (with_field(type="string", enum=["a-b", "a_b"]), ("schema.properties.that: the enum ['a-b', 'a_b'] has values that are the same as Python names", OVERLAY)),
    "enum members that are not printable": (with_field(type="string", enum=["a\n", "b"]), ("schema.properties.that: the enum ['a\\n', 'b'] has a value with characters that are not printable", OVERLAY)),
    "events of webhooks that are alike": (at("webhooks", {name: {"post": operation(operationId=None, tags=None)} for name in ("a.b", "a_b")}), ("$.webhooks: the events have values that are the same as Python names", OVERLAY)),
    # Extensions that would become code.
    "a timeout that is no number": (add(**{"x-timeout": "__import__('os')"}), ("$.paths['/ping'].get: GET /ping: `x-timeout` is not a number of seconds", OVERLAY)),
    "a class that is not there": (with_field(**{"x-mixin": "Model", **POINT}), ("schema.properties.that: `x-mixin` is 'Model', not a class of results.py", OVERLAY)),
    "other names that are no list": (with_field(**{"x-aliases": "ab"}), ("schema.properties.that: `x-aliases` is not a list of names", OVERLAY)),
    "models of one name": (
        both(schemas(PingApiBody={"type": "object", "properties": {"b": STRING}}), with_field(**POINT)),
        ("PingApiBody", CONFIG),
    ),
    "enums of one name": (
        both(schemas(PingApiBodyThat={"type": "string", "enum": ["a"]}, Other={"type": "object", "properties": {"c": {"$ref": "#/components/schemas/PingApiBodyThat"}}}), with_field(type="string", enum=["b"])),
        ("PingApiBodyThat", CONFIG),
    ),
    "an enum of another meaning": (schemas(Operation={"type": "string", "enum": ["a"]}, Thing={"type": "object", "properties": {"a": {"$ref": "#/components/schemas/Operation"}}}), ("$.components.schemas.Operation: the schema Operation: the generated code means something else", CONFIG)),
    "two methods of one name": (
        both(add(operationId="getThing", tags=["Things"]), at("paths /pong", {"get": operation(operationId="getThings", tags=["Things"])})),
        ("$.paths['/ping'].get: GET /ping: its method would be things.get, which is no name, or another's too", "$.paths['/pong'].get", OVERLAY),
    ),
    "an operation without a name": (at("paths /pong", {"get": {key: value for key, value in operation().items() if key != "operationId"}}), ("$.paths['/pong'].get: GET /pong: it has no operationId", OVERLAY)),
    # Bodies and answers.
    "a body of two media types": (
        with_post(requestBody={"required": True, "content": {**schema(**POINT)["content"], "application/x-www-form-urlencoded": {"schema": POINT}}}),
        ("$.paths['/ping'].post: POST /ping: its body is not application/json", OVERLAY),
    ),
    "a body of a form": (with_post(requestBody={"required": True, "content": {"multipart/form-data": {"schema": POINT}}}), ("$.paths['/ping'].post: POST /ping: its body is not application/json", OVERLAY)),
    "an answer of text": (add(responses={"200": {"description": "", "content": {"text/plain": {"schema": STRING}}}}), ("$.paths['/ping'].get", "content_type_overrides", CONFIG)),
    "an answer of another media type": (add(responses={"200": {"description": "", "content": {"image/svg+xml": {"schema": {"type": "string", "format": "binary"}}}}}), ("$.paths['/ping'].get", OVERLAY)),
    "an answer without a status": (add(responses={"default": {"description": "", **schema(**POINT)}}), ("$.paths['/ping'].get: GET /ping: it has no answer with a single status of success", OVERLAY)),
    "security that no client has": (
        both(at("components securitySchemes other", {"type": "http", "scheme": "digest"}), add(security=[{"other": []}])),
        ("$.paths['/ping'].get: GET /ping: its security is of no kind that a client has", OVERLAY),
    ),
    "no server": (at("servers", []), ("$.servers: the document names no server", OVERLAY)),
    "a method with the name of a URL's": (
        both(one_file("get"), at("paths /exports/url", {"get": operation(operationId="getUrl", tags=["Exports"])})),
        ("$.paths['/exports'].get: GET /exports: the tag exports: two methods would be exports.get_url", OVERLAY),
    ),
    "a boolean that is always true": (with_field(type="boolean", enum=[True]), ("schema.properties.that.enum: calls do not check this limit", OVERLAY)),
    "a schema called as what the generated code imports": (
        both(schemas(Literal={"type": "object", "properties": {"a": STRING, "b": STRING}}), with_answer(**{"$ref": "#/components/schemas/Literal"})),
        ("$.components.schemas.Literal: the schema Literal: the generated code means something else", CONFIG),
    ),
    "a union of itself": (
        both(schemas(Tree={"oneOf": [STRING, {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}]}), with_field(**{"$ref": "#/components/schemas/Tree"})),
        ("$.components.schemas.Tree: it refers to itself with no field between", OVERLAY),
    ),
    "a parameter of anything": (with_parameter(schema={}), ("$.paths['/ping'].get: GET /ping: its parameter 'that' is no string", OVERLAY)),
    "an array of no items": (with_field(type="array"), ("$.paths['/ping'].post: ", "type array must have items", OVERLAY)),
    "an enum of strings and integers": (with_field(enum=["a", 1]), ("$.paths['/ping'].post: ", OVERLAY)),
    "a default of another type": (with_field(type="integer", default="x"), ("$.paths['/ping'].post: ", "Invalid int value: x", OVERLAY)),
    "a schema that cannot be parsed": (
        both(schemas(Thing={"type": "object", "properties": {"a": {"type": "array"}}}), with_answer(**{"$ref": "#/components/schemas/Thing"})),
        ("$.components.schemas.Thing: ", "type array must have items", OVERLAY),
    ),
}  # fmt: skip
