"""Revisions that generate code which does what they say: each with a call that shows it."""

# ruff: noqa: RUF001 - typographic prose is among what is tried
from __future__ import annotations

from ..test_generator import Edit, add, operation, schema, schemas
from .edits import (
    LINKS,
    MORE,
    NULL,
    NULLABLE,
    SECRET,
    STRING,
    Check,
    all_of,
    answers_nothing,
    asks,
    at,
    both,
    calls_once,
    deep,
    has_attributes,
    has_header,
    hides_secrets,
    imports,
    lists_bindings,
    moved,
    nested,
    one_file,
    paged,
    reads,
    refuses,
    sends,
    sends_in_both,
    serves,
    things,
    two_files,
    walks,
    with_answer,
    with_body,
    with_field,
    with_parameter,
)

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
    # What is generated is clean, whatever the document's own names and prose are.
    "a nullable field that may be omitted": (with_field(**NULLABLE), all_of(sends({}), sends({"that": None}, that=None))),
    "a nullable enum that may be omitted": (with_field(anyOf=[{"type": "string", "enum": ["a", "b"]}, NULL]), sends({"that": "a"}, that="a")),
    "a body of 60 fields": (with_body(type="object", properties={f"field{number}": STRING for number in range(60)}), sends({"field59": "a"}, field59="a")),
    "an answer of 60 fields": (with_answer(type="object", properties={f"field{number}": STRING for number in range(60)}), reads({"field59": "a"})),
    "typographic prose": (
        with_body(type="object", description="A – ‘b’ × “c”… and´", properties={"that": {"type": "string", "description": "’s – 3 × 4"}}),
        sends({"that": "a"}, that="a"),
    ),
    "typographic prose of an operation": (add(summary="It’s – 3 × 4", description="A ‘b’ × c.", parameters=[{"name": "that", "in": "query", "description": "’ × –", "schema": STRING}]), asks("/ping?that=a", that="a")),
    "a parameter called timeout": (with_parameter(name="timeout", schema={"type": "integer"}), asks("/ping?timeout=5", timeout=5)),
    "a field called timeout": (with_body(type="object", properties={"timeout": {"type": "number"}}), sends({"timeout": 1.5}, timeout=1.5)),
    "lists in lists of an answer": (with_answer(type="object", properties={"a": nested(3), "b": STRING}), reads({"a": [[["2026-01-29T10:00:05Z"]]], "b": "c"})),
    "a list in a list as an answer": (with_answer(**nested(2)), lambda client: client.call("bindings", "ping_api", answer=[["2026-01-29T10:00:05Z"]])[0][0].year == 2026 and None),
    "a map of lists of date-times": (
        with_field(type="object", additionalProperties=nested(1)),
        sends({"that": {"a": ["2026-01-29T10:00:05Z"]}}, that={"a": ["2026-01-29T10:00:05Z"]}),
    ),
    "a map of maps as an answer": (with_answer(type="object", additionalProperties={"type": "object", "additionalProperties": nested(1)}), lambda client: client.call("bindings", "ping_api", answer={"a": {"b": ["2026-01-29T10:00:05Z"]}})["a"]["b"][0].year == 2026 and None),
    "names of classes that are long": (deep(8), reads({"level": {"level": {"a": "b"}}, "more": "c"})),
    "fooBar beside foo_bar": (with_body(type="object", properties={"fooBar": STRING, "foo_bar": STRING}), sends({"fooBar": "a", "foo_bar": "b"}, fooBar="a", foo_bar="b")),
    "a parameter fooBar beside foo_bar": (add(parameters=[{"name": name, "in": "query", "schema": STRING} for name in ("fooBar", "foo_bar")]), asks("/ping?fooBar=a&foo_bar=b", fooBar="a", foo_bar="b")),
    "a field called l": (with_body(type="object", properties={"l": STRING, "O": STRING, "I": STRING}), sends({"l": "a"}, l="a")),
    "a parameter called l": (with_parameter(name="l"), asks("/ping?l=a", l="a")),
    "schemas called as classes of Python": (
        both(schemas(**{name: {"type": "object", "properties": {"a": STRING, "b": STRING}} for name in ("None", "Exception", "ValueError", "str", "List")}), with_answer(type="object", properties={name.lower(): {"$ref": f"#/components/schemas/{name}"} for name in ("None", "Exception", "ValueError", "str", "List")})),
        reads({"none": {"a": "b"}, "exception": {"a": "b"}, "str": {"b": "c"}}),
    ),
    "a schema in lower case": (both(schemas(thing={"type": "object", "properties": {"a": STRING, "b": STRING}}), with_answer(**{"$ref": "#/components/schemas/thing"})), reads({"a": "b"})),
    "an object of no fields": (with_field(type="object", additionalProperties=False), sends({"that": {}}, that={})),
    "an answer of no fields": (with_answer(type="object", additionalProperties=False), answers_nothing),
    "names that are not ASCII": (with_body(type="object", properties={"größe": STRING, "名前": STRING}), sends({"größe": "a", "名前": "b"}, größe="a", 名前="b")),

    "an operation and a tag that are not ASCII": (add(operationId="pingÄpi", tags=["Straßen"]), lambda client: client.call("stra_ß_en", "ping_ä_pi") and None),
    "no paths": (at("paths", {}), imports),
    "enum values of all kinds": (with_field(type="string", enum=["a-b", "1x", "", "ä", "class", "None", "x y", "‘q’"]), sends({"that": "1x"}, that="1x")),
    "quotes and backslashes in prose": (with_body(type="object", description='A """quote""" and \\ a\\n "', properties={"that": {"type": "string", "description": 'Ends in "', "default": "\\"}}), sends({"that": "a"}, that="a")),
    "names of fields that are names of the module": (with_body(type="object", properties=dict.fromkeys(("datetime", "Any", "Self", "models", "field", "define", "pop", "d", "cls", "v", "self", "Literal"), STRING)), sends({"datetime": "a", "pop": "b"}, datetime_="a", pop="b")),
}  # fmt: skip
