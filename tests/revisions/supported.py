"""Supported revisions, each with a check that the generated client does what the document says."""

# ruff: noqa: RUF001 - typographic prose is part of the tests
from __future__ import annotations

from datetime import UTC, datetime

from ..test_generator import Edit, add, operation, schema, schemas
from .edits import (
    DATE_TIME,
    KEY_OF_ANY_FORM,
    LINKS,
    MAP,
    MORE,
    NULL,
    NULLABLE,
    OPEN,
    PET,
    POINT,
    SECRET,
    STRING,
    STRINGS,
    Check,
    all_of,
    at,
    both,
    circle,
    condition,
    constant,
    decodes,
    deep,
    documents,
    field_is,
    has_attributes,
    has_base_url,
    has_header,
    has_value,
    hides_header,
    hides_secrets,
    imports,
    in_path,
    is_a,
    iterates,
    lists_bindings,
    moved,
    nested,
    one_file,
    only_field,
    openapi_30,
    paged,
    pets,
    raises_doc,
    ref,
    refers,
    rejects,
    rejects_response,
    requests_url,
    retries_nothing,
    returns,
    returns_empty,
    sends,
    sends_everywhere,
    sends_in_both,
    sends_nothing,
    takes_any_string,
    takes_no,
    things,
    two_files,
    with_body,
    with_everywhere,
    with_field,
    with_header,
    with_parameter,
    with_response,
)

INJECTION = """a"b'c\\d{{x}}{% y %}\\N{x}\"\"\"+__import__("os")#''' string list[int] Thing.take("""

SUPPORTED: dict[str, tuple[Edit, Check]] = {
    # Text that looks like code.
    "code in all text": (with_everywhere(INJECTION), sends_everywhere(INJECTION)),
    "names of the generated code in all text": (with_everywhere("models.Binding.take(string)"), sends_everywhere("models.Binding.take(string)")),
    "a backslash at the end of all text": (with_everywhere("b\\"), sends_everywhere("b\\")),
    # References.
    "a path item by reference": (moved("paths /bindings", "pathItems", "B"), lists_bindings),
    "a body by reference": (
        both(with_field(type="string"), moved("paths /ping post requestBody", "requestBodies", "It")),
        sends({"that": "a"}, that="a"),
    ),
    "a response by reference": (both(with_response(type="object"), moved("paths /ping get responses 200", "responses", "It")), returns_empty),
    "a parameter by a reference to a reference": (
        both(at("components parameters", {"A": {"$ref": "#/components/parameters/B"}, "B": {"name": "that", "in": "query", "schema": {"type": "string"}}}), add(parameters=[{"$ref": "#/components/parameters/A"}])),
        requests_url("/ping?that=a", that="a"),
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
        rejects(that=10, text="that must be at most 9"),
    ),
    "a schema by a reference to a reference": (
        both(schemas(One={"$ref": "#/components/schemas/Two"}, Two={"type": "string", "maxLength": 3}), with_field(**{"$ref": "#/components/schemas/One"})),
        rejects(that="four", text="that must have at most 3 characters"),
    ),
    # Limits.
    "an exclusive minimum of 0": (with_field(type="integer", exclusiveMinimum=0), rejects(that=0, text="that must be more than 0")),
    "an exclusive maximum": (with_field(type="integer", exclusiveMaximum=9), rejects(that=9, text="that must be less than 9")),
    "a limit of items": (
        with_field(type="array", items={"type": "integer", "exclusiveMinimum": 1}),
        rejects(that=[1], text=r"that\[0\] must be more than 1"),
    ),
    "a limit of a map": (
        with_field(type="object", additionalProperties={"type": "integer", "maximum": 9}),
        rejects(that={"a": 10}, text="must be at most 9"),
    ),
    "a limit of the entire body": (with_body(type="array", maxItems=1, items={"type": "string"}), rejects(body=["a", "b"], text="body must have at most 1 item")),
    "a limit of a parameter by reference": (
        both(schemas(HowMany={"type": "integer", "maximum": 9}), with_parameter(schema={"$ref": "#/components/schemas/HowMany"})),
        rejects(that=10, text="that must be at most 9"),
    ),
    "a limit of a parameter by allOf": (
        both(schemas(HowMany={"type": "integer", "maximum": 9}), with_parameter(schema={"allOf": [{"$ref": "#/components/schemas/HowMany"}]})),
        rejects(that=10, text="that must be at most 9"),
    ),
    "a limit beside null": (
        with_field(anyOf=[{"type": "string", "maxLength": 3}, NULL]),
        rejects(that="four", text="that must have at most 3 characters"),
    ),
    "null beside a limit": (with_field(anyOf=[{"type": "string", "maxLength": 3}, NULL]), sends({"that": None}, that=None)),
    "a limit by allOf": (
        both(schemas(Name={"type": "string", "maxLength": 3}), with_field(allOf=[{"$ref": "#/components/schemas/Name"}])),
        rejects(that="four", text="that must have at most 3 characters"),
    ),
    "a limit that narrows another": (
        with_body(
            allOf=[
                {"type": "object", "properties": {"that": {"type": "integer", "maximum": 9}}},
                {"type": "object", "properties": {"that": {"type": "integer", "maximum": 5}}},
            ]
        ),
        rejects(that=6, text="that must be at most 5"),
    ),
    "required beside allOf": (
        both(schemas(Base={"type": "object", "properties": {"that": {"type": "string"}}}), with_body(allOf=[{"$ref": "#/components/schemas/Base"}], required=["that"])),
        rejects(text="that"),
    ),
    "a nullable enum": (
        with_field(type=["string", "null"], enum=["cover", "contain", None]),
        sends({"that": "cover"}, that="cover"),
    ),
    "null of a nullable enum": (with_field(type=["string", "null"], enum=["cover", None]), sends({"that": None}, that=None)),
    "lists in lists": (with_field(**nested(9)), sends({}, that=None)),
    "a limit of 0 that narrows none": (
        with_body(allOf=[{"type": "object", "properties": {"that": {"type": "integer", "minimum": 0}}}, {"type": "object", "properties": {"that": {"type": "integer", "title": "That"}}}]),
        rejects(that=-1, text="that must be at least 0"),
    ),
    "a deletion that returns a list": (
        at("paths /bindings/{uid}", {"delete": operation(parameters=[{"name": "uid", "in": "path", "required": True, "schema": {"type": "string"}}], responses={"200": {"description": "", **schema(type="object", required=["deleted", "failed"], properties={"deleted": {"type": "array", "items": {"type": "string"}}, "failed": {"type": "integer"}})}})}),
        lambda client: client.call("bindings", "ping_api", "uid", response={"deleted": ["a"], "failed": 0}).deleted[0] == "a" and None,
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
        requests_url("/ping?that=a", that_query="a", that="b"),
    ),
    "a parameter with a name that a method uses": (
        add(parameters=[{"name": name, "in": "query", "schema": {"type": "string"}} for name in ("split", "response")]),
        requests_url("/ping?split=a&response=b", split_="a", response_="b"),
    ),
    "prefetch as a parameter of a list": (
        lambda document: document["paths"]["/bindings"]["get"]["parameters"].append({"name": "prefetch", "in": "query", "schema": {"type": "string"}}),
        lambda client: client.call("bindings", "list", prefetch_="a", prefetch=0).first_page() and None,
    ),
    "fields with names that the class uses": (
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
        rejects(text="key"),
    ),
    "variables of a server": (
        at("servers", [{"url": "https://{region}.pictify.io", "variables": {"region": {"default": "eu"}}}]),
        has_base_url("https://eu.pictify.io"),
    ),
    "the same server again": (at("paths /bindings servers", [{"url": "https://api.pictify.io"}]), lists_bindings),
    # Bodies and responses.
    "an optional body": (with_body(is_required=False, type="object", properties={"note": {"type": "string"}}), sends({})),
    "a response of one nullable thing": (
        with_response(type="object", properties={"binding": {"anyOf": [{"$ref": "#/components/schemas/Binding"}, NULL]}}),
        decodes({"binding": None}),
    ),
    "names in an object that are none in Python": (
        with_body(type="object", properties={"that": {"type": "object", "properties": {"x-by": {"type": "string"}, "class": {"type": "integer"}}}}),
        sends({"that": {"x-by": "a", "class": 1}}, that={"x-by": "a", "class": 1}),
    ),
    "null in lists of a response": (with_response(type="array", items={"type": ["string", "null"]}), decodes(["a", None])),
    "a status that nobody knows": (
        add(responses={**operation()["responses"], "499": {"description": ""}}),
        returns_empty,
    ),
    "two files of a tag": (two_files, has_attributes("exports", "download_file", "download_file_url", "preview_file_url")),
    "a file with no more than a verb": (one_file("get"), has_attributes("exports", "get", "get_url")),
    "a file by POST": (one_file("post"), has_attributes("exports", "get")),
    "links to operations other than a batch": (
        add(responses={"200": {**operation()["responses"]["200"], "links": LINKS}}),
        returns_empty,
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
        iterates({"": things("a", pagination={"nextCursor": "x y", "hasMore": True}), "cursor=x%20y": things("b", pagination={"nextCursor": "z"}), "cursor=z": things("c", pagination={"nextCursor": None})}),
    ),
    "a list by cursor that begins in the middle": (
        paged({"name": "cursor"}, next_cursor=STRING),
        iterates({"cursor=x": things("a", next_cursor="y"), "cursor=y": things("b")}, cursor="x"),
    ),
    "a list by a token, with an empty page": (
        paged({"name": "pageToken"}, nextPageToken=STRING),
        iterates({"": things("a", nextPageToken="x"), "pageToken=x": things(nextPageToken="y"), "pageToken=y": things("b", nextPageToken="")}),
    ),
    "a list by the id of its last item": (
        paged({"name": "starting_after"}, has_more=MORE),
        iterates({"": things("a", "b", has_more=True), "starting_after=b": things("c", has_more=False)}),
    ),
    "a list by the id of its last item, in a field": (
        paged({"name": "after"}, has_more=MORE, last_id=NULLABLE),
        iterates({"": things("a", last_id="x", has_more=True), "after=x": things("b", last_id="y", has_more=False)}),
    ),
    "a list by the URL of the next page": (
        paged({"name": "cursor"}, next={"type": ["string", "null"], "format": "uri"}),
        iterates({"": things("a", next="https://api.pictify.io/bindings?limit=1&cursor=x%3D"), "cursor=x%3D": things("b", next=None)}),
    ),
    "a list by a number": (
        paged({"name": "cursor", "schema": {"type": "integer"}}, nextCursor={"type": "integer"}),
        iterates({"": things("a", nextCursor=7), "cursor=7": things("b")}),
    ),
    "a list by the token of a page": (
        paged({"name": "page"}, next_page=STRING),
        iterates({"": things("a", next_page="x"), "page=x": things("b", next_page=None)}),
    ),
    "after as a filter": (paged({"name": "after"}), retries_nothing),
    "after as a date": (paged({"name": "after", "schema": {"type": "string", "format": "date-time"}}, next=STRING), retries_nothing),
    "next without a parameter that takes it": (paged(next=STRING), retries_nothing),
    "pages from 0": (
        paged({"name": "page", "schema": {"type": "integer", "minimum": 0}}, totalPages={"type": "integer"}),
        iterates({"": things("a", totalPages=3), "page=1": things("b", totalPages=3), "page=2": things("c", totalPages=3)}),
    ),
    "pages from 0 by default": (
        paged({"name": "page", "schema": {"type": "integer", "default": 0}}, hasMore=MORE),
        iterates({"page=0": things("a", hasMore=True), "page=1": things("b", hasMore=False)}, page=0),
    ),
    "a cursor without a list": (with_parameter(name="cursor"), requests_url("/ping?cursor=pointer", cursor="pointer")),
    "rules that are no one's": (both(with_body(type="object", properties={"a": STRING}), at("paths /ping post requestBody content application/json schema x-rules", [["print('a')", ["a"]]])), sends({"a": "b"}, a="b")),
    "several other names of a field": (
        with_response(type="object", properties={"a": {"type": "string", "x-aliases": ["x", "y"]}, "b": STRING}),
        has_value("a", ({"a": "1"}, "1"), ({"x": "2"}, "2"), ({"y": "3", "a": "1"}, "1"), ({}, None)),
    ),
    # The generated code is clean, whatever names and prose the document has.
    "a nullable field that may be omitted": (with_field(**NULLABLE), all_of(sends({}), sends({"that": None}, that=None))),
    "a nullable enum that may be omitted": (with_field(anyOf=[{"type": "string", "enum": ["a", "b"]}, NULL]), sends({"that": "a"}, that="a")),
    "a body of 60 fields": (with_body(type="object", properties={f"field{number}": STRING for number in range(60)}), sends({"field59": "a"}, field59="a")),
    "a response of 60 fields": (with_response(type="object", properties={f"field{number}": STRING for number in range(60)}), decodes({"field59": "a"})),
    "typographic prose": (
        with_body(type="object", description="A – ‘b’ × “c”… and´", properties={"that": {"type": "string", "description": "’s – 3 × 4"}}),
        sends({"that": "a"}, that="a"),
    ),
    "typographic prose of an operation": (add(summary="It’s – 3 × 4", description="A ‘b’ × c.", parameters=[{"name": "that", "in": "query", "description": "’ × –", "schema": STRING}]), requests_url("/ping?that=a", that="a")),
    "a parameter called timeout": (with_parameter(name="timeout", schema={"type": "integer"}), requests_url("/ping?timeout=5", timeout=5)),
    "a field called timeout": (with_body(type="object", properties={"timeout": {"type": "number"}}), sends({"timeout": 1.5}, timeout=1.5)),
    "lists in lists of a response": (with_response(type="object", properties={"a": nested(3), "b": STRING}), decodes({"a": [[["2026-01-29T10:00:05Z"]]], "b": "c"})),
    "a list in a list as a response": (with_response(**nested(2)), lambda client: client.call("bindings", "ping_api", response=[["2026-01-29T10:00:05Z"]])[0][0].year == 2026 and None),
    "a map of lists of date-times": (
        with_field(type="object", additionalProperties=nested(1)),
        sends({"that": {"a": ["2026-01-29T10:00:05Z"]}}, that={"a": ["2026-01-29T10:00:05Z"]}),
    ),
    "a map of maps as a response": (with_response(type="object", additionalProperties={"type": "object", "additionalProperties": nested(1)}), lambda client: client.call("bindings", "ping_api", response={"a": {"b": ["2026-01-29T10:00:05Z"]}})["a"]["b"][0].year == 2026 and None),
    "names of classes that are long": (deep(8), decodes({"level": {"level": {"a": "b"}}, "more": "c"})),
    "fooBar beside foo_bar": (with_body(type="object", properties={"fooBar": STRING, "foo_bar": STRING}), sends({"fooBar": "a", "foo_bar": "b"}, fooBar="a", foo_bar="b")),
    "a parameter fooBar beside foo_bar": (add(parameters=[{"name": name, "in": "query", "schema": STRING} for name in ("fooBar", "foo_bar")]), requests_url("/ping?fooBar=a&foo_bar=b", fooBar="a", foo_bar="b")),
    "a field called l": (with_body(type="object", properties={"l": STRING, "O": STRING, "I": STRING}), sends({"l": "a"}, l="a")),
    "a parameter called l": (with_parameter(name="l"), requests_url("/ping?l=a", l="a")),
    "schemas called as classes of Python": (
        both(schemas(**{name: {"type": "object", "properties": {"a": STRING, "b": STRING}} for name in ("None", "Exception", "ValueError", "str", "List")}), with_response(type="object", properties={name.lower(): {"$ref": f"#/components/schemas/{name}"} for name in ("None", "Exception", "ValueError", "str", "List")})),
        decodes({"none": {"a": "b"}, "exception": {"a": "b"}, "str": {"b": "c"}}),
    ),
    "a schema in lower case": (both(schemas(thing={"type": "object", "properties": {"a": STRING, "b": STRING}}), with_response(**{"$ref": "#/components/schemas/thing"})), decodes({"a": "b"})),
    "an object of no fields": (with_field(type="object", additionalProperties=False), sends({"that": {}}, that={})),
    "a response of no fields": (with_response(type="object", additionalProperties=False), returns_empty),
    "names that are not ASCII": (with_body(type="object", properties={"größe": STRING, "名前": STRING}), sends({"größe": "a", "名前": "b"}, größe="a", 名前="b")),

    "an operation and a tag that are not ASCII": (add(operationId="pingÄpi", tags=["Straßen"]), lambda client: client.call("stra_ß_en", "ping_ä_pi") and None),
    "no paths": (at("paths", {}), imports),
    "enum values of all kinds": (with_field(type="string", enum=["a-b", "1x", "", "ä", "class", "None", "x y", "‘q’"]), sends({"that": "1x"}, that="1x")),
    "quotes and backslashes in prose": (with_body(type="object", description='A """quote""" and \\ a\\n "', properties={"that": {"type": "string", "description": 'Ends in "', "default": "\\"}}), sends({"that": "a"}, that="a")),
    "names of fields that are names of the module": (with_body(type="object", properties=dict.fromkeys(("datetime", "Any", "Self", "models", "field", "define", "pop", "d", "cls", "v", "self", "Literal"), STRING)), sends({"datetime": "a", "pop": "b"}, datetime_="a", pop="b")),
    # Parameters of all types, by style and explode.
    "a header of a boolean": (with_header(schema={"type": "boolean"}), has_header("x-that", "true", that=True)),
    "a header of an integer that is required": (with_header(required=True, schema={"type": "integer", "maximum": 9}), all_of(rejects(that=10, text="that must be at most 9"), has_header("x-that", "5", that=5))),
    "a header of a number": (with_header(schema={"type": "number"}), has_header("x-that", "1.5", that=1.5)),
    "a header of a date-time": (with_header(schema=DATE_TIME), has_header("x-that", "2026-01-29T10:00:05Z", that=datetime(2026, 1, 29, 10, 0, 5, tzinfo=UTC))),
    "a header of an enum": (with_header(schema={"type": "string", "enum": ["a", "b"]}), has_header("x-that", "b", that="b")),
    "a header of a list": (with_header(schema=STRINGS), all_of(has_header("x-that", "a,b", that=["a", "b"]), has_header("x-that", None, that=[]), has_header("x-that", None))),
    "a header of a list of integers": (with_header(schema={"type": "array", "items": {"type": "integer"}, "maxItems": 2}), all_of(rejects(that=[1, 2, 3], text="that must have at most 2 items"), has_header("x-that", "1,2", that=[1, 2]))),
    "a header of an object": (with_header(schema=POINT), has_header("x-that", "x,1,y,2", that={"x": 1, "y": 2})),
    "a header of an object, exploded": (with_header(explode=True, schema=POINT), has_header("x-that", "x=1,y=2", that={"x": 1, "y": 2})),
    "a header that may be null": (with_header(schema={"type": ["string", "null"]}), all_of(has_header("x-that", None, that=None), has_header("x-that", "a", that="a"))),
    "a header of a string or an integer": (with_header(schema={"type": ["string", "integer"]}), has_header("x-that", "5", that=5)),
    "an item of a header that contains the separator": (with_header(schema=STRINGS), rejects(that=["a,b"], text=r"that\[0\] must not contain ','")),
    "a line break in a list of a header": (with_header(schema=STRINGS), rejects(that=["a\n"], text="that must be ASCII without line breaks")),
    "a list in the query": (with_parameter(schema=STRINGS), all_of(requests_url("/ping?that=a%26&that=b", that=["a&", "b"]), requests_url("/ping", that=[]), requests_url("/ping"))),
    "a list in one in the query": (with_parameter(explode=False, schema=STRINGS), requests_url("/ping?that=a%20,b", that=["a ", "b"])),
    "a list by spaces": (with_parameter(style="spaceDelimited", schema=STRINGS), requests_url("/ping?that=a%20b", that=["a", "b"])),
    "a list by bars": (with_parameter(style="pipeDelimited", explode=False, schema=STRINGS), requests_url("/ping?that=a%7Cb", that=iter(["a", "b"]))),
    "a list by bars, exploded": (with_parameter(style="pipeDelimited", explode=True, schema=STRINGS), requests_url("/ping?that=a&that=b", that=["a", "b"])),
    "a bar in a list by bars": (with_parameter(style="pipeDelimited", schema=STRINGS), rejects(that=["a", "b|c"], text=r"that\[1\] must not contain '\|'")),
    "a list of enums in the query": (with_parameter(explode=False, schema={"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}), all_of(rejects(that=["c"], text="must be one of 'a', 'b'"), requests_url("/ping?that=a,b", that=["a", "b"]))),
    "a list of date-times in the query": (with_parameter(schema={"type": "array", "items": DATE_TIME}), requests_url("/ping?that=2026-01-29T10%3A00%3A05Z", that=["2026-01-29T10:00:05Z"])),
    "a string or a list in the query": (with_parameter(explode=False, schema={"anyOf": [STRING, STRINGS]}), all_of(requests_url("/ping?that=a", that="a"), requests_url("/ping?that=a,b", that=["a", "b"]))),
    "a list in the query that may be null": (with_parameter(schema={"anyOf": [STRINGS, NULL]}), all_of(requests_url("/ping", that=None), requests_url("/ping?that=a", that=["a"]))),
    "a string or an integer in the query": (with_parameter(schema={"oneOf": [STRING, {"type": "integer"}]}), all_of(requests_url("/ping?that=5", that=5), requests_url("/ping?that=a", that="a"))),
    "a map in the query": (with_parameter(schema=MAP), requests_url("/ping?a=b&c=d", that={"a": "b", "c": "d"})),
    "a map in one in the query": (with_parameter(explode=False, schema=MAP), requests_url("/ping?that=a,b,c,d", that={"a": "b", "c": "d"})),
    "a deep object": (with_parameter(style="deepObject", explode=True, schema=MAP), requests_url("/ping?that%5Ba%5D=b&that%5Bc%5D=d", that={"a": "b", "c": "d"})),
    "a deep object of anything": (with_parameter(style="deepObject", schema={"type": "object"}), all_of(rejects(that={"a": [1]}, text=r"that\['a'\] must be a string, number or boolean"), requests_url("/ping?that%5Ba%5D=1", that={"a": 1}))),
    "an object with fields in the query": (with_parameter(schema=POINT), all_of(rejects(that={"z": 1}, text="that has no field 'z'"), requests_url("/ping?x=1", that={"x": 1}))),
    "a deep object with fields": (
        with_parameter(style="deepObject", schema=POINT),
        lambda client: requests_url("/ping?that%5Bx%5D=1&that%5By%5D=2", that=client.package(".models").PingApiThat(x=1, y=2))(client),
    ),
    "an object in the query beside a parameter": (
        add(parameters=[{"name": "x", "in": "query", "schema": STRING}, {"name": "that", "in": "query", "schema": MAP}]),
        rejects(that={"x": "a"}, text="`x` is another parameter of the operation"),
    ),
    "a list in a path": (in_path(schema=STRINGS), all_of(requests_url("/ping/a,b%2F", ["a", "b/"]), rejects([], text="that must not be ''"))),
    "an object in a path": (in_path(schema=POINT), requests_url("/ping/x,1,y,2", {"x": 1, "y": 2})),
    "an object in a path, exploded": (in_path(explode=True, schema=POINT), requests_url("/ping/x=1,y=2", {"x": 1, "y": 2})),
    "a date-time in a path": (in_path(schema=DATE_TIME), requests_url("/ping/2026-01-29T10%3A00%3A05Z", "2026-01-29T10:00:05Z")),
    "a boolean in a path": (in_path(schema={"type": "boolean"}), requests_url("/ping/true", True)),
    # Null everywhere.
    "null in a list of a body": (with_field(type="array", items={"type": ["string", "null"]}), sends({"that": ["a", None]}, that=["a", None])),
    "null in a map of a body": (with_field(type="object", additionalProperties={"anyOf": [STRING, NULL]}), sends({"that": {"a": None}}, that={"a": None})),
    "null in a list in a list": (with_field(type="array", items={"type": "array", "items": {"type": ["integer", "null"], "maximum": 9}}), all_of(rejects(that=[[10]], text="must be at most 9"), sends({"that": [[1, None]]}, that=[[1, None]]))),
    "a nullable list of nullable items": (with_field(anyOf=[{"type": "array", "items": NULLABLE}, NULL]), all_of(sends({"that": None}, that=None), sends({"that": [None]}, that=[None]), sends({}))),
    "a nullable reference": (both(schemas(Thing=POINT), with_field(oneOf=[{"$ref": "#/components/schemas/Thing"}, NULL])), all_of(sends({"that": None}, that=None), sends({"that": {"x": 1}}, that={"x": 1}))),
    "a required nullable field": (with_body(type="object", required=["that"], properties={"that": NULLABLE}), all_of(sends({"that": None}, that=None), sends({"that": "a"}, that="a"))),
    "nullable of OpenAPI 3.0": (both(at("openapi", "3.0.3"), at("info", {"title": "It", "version": "1"}), with_body(type="object", properties={"that": {"type": "string", "nullable": True}})), sends({"that": None}, that=None)),
    "a body that may be null": (with_body(anyOf=[POINT, NULL]), all_of(sends(None, body=None), sends({"x": 1}, body={"x": 1}))),
    "a response that may be null": (with_response(anyOf=[POINT, NULL]), all_of(decodes(None), decodes({"x": 1, "y": 2}))),
    "a nullable list as a response": (with_response(anyOf=[STRINGS, NULL]), all_of(decodes(None), decodes(["a"]))),
    "null in a map of a response": (with_response(type="object", additionalProperties=NULLABLE), lambda client: client.call("bindings", "ping_api", response={"a": None}) == {"a": None} and None),
    "a type in a list of one": (with_field(type=["string"]), all_of(sends({}, that=None), sends({"that": "a"}, that="a"))),
    # Unions in requests.
    "a string or an integer in a body": (with_field(type=["string", "integer"]), all_of(rejects(that=1.5, text="that has none of the expected types: that must be int, got 1.5"), sends({"that": "a"}, that="a"), sends({"that": 5}, that=5))),
    "a string or an integer or null": (with_field(type=["string", "integer", "null"]), all_of(sends({"that": None}, that=None), sends({"that": 5}, that=5), sends({}))),
    "limits of each in a union": (
        with_field(oneOf=[{"type": "string", "maxLength": 3}, {"type": "integer", "maximum": 9}]),
        all_of(rejects(that="four", text="at most 3 characters"), rejects(that=10, text="at most 9"), sends({"that": 9}, that=9)),
    ),
    "limits of a list of types": (with_field(type=["string", "integer"], maxLength=3, maximum=9), all_of(rejects(that="four", text="at most 3 characters"), rejects(that=10, text="at most 9"))),
    "limits around a union": (with_field(minLength=2, anyOf=[{"type": "string", "maxLength": 3}, {"type": "integer"}]), rejects(that="a", text="at least 2 characters")),
    "a model or a string": (both(schemas(Point=POINT), with_field(oneOf=[{"$ref": "#/components/schemas/Point"}, STRING])), all_of(sends({"that": "a"}, that="a"), sends({"that": {"x": 1}}, that={"x": 1}), rejects(that={"z": 1}, text="that has no field 'z'"))),
    "a model or a list of it": (
        both(schemas(Point=POINT), with_field(oneOf=[{"$ref": "#/components/schemas/Point"}, {"type": "array", "items": {"$ref": "#/components/schemas/Point"}}])),
        all_of(sends({"that": {"x": 1}}, that={"x": 1}), sends({"that": [{"x": 1}]}, that=[{"x": 1}])),
    ),
    "a string or a list of strings": (with_field(oneOf=[STRING, STRINGS]), all_of(sends({"that": "a"}, that="a"), sends({"that": ["a"]}, that=["a"]), sends({"that": ["a"]}, that=iter(["a"])))),
    "lists of several types": (with_field(oneOf=[{"type": "array", "items": {"type": "integer"}}, STRINGS]), all_of(sends({"that": ["a"]}, that=iter(["a"])), sends({"that": [1]}, that=(1,)))),
    "a list of a union": (with_field(type="array", items={"type": ["string", "integer", "null"]}), sends({"that": ["a", 1, None]}, that=["a", 1, None])),
    "a map of a union": (with_field(type="object", additionalProperties={"type": ["string", "boolean"]}), sends({"that": {"a": "b", "c": True}}, that={"a": "b", "c": True})),
    "a date-time or a number": (with_field(oneOf=[{"type": "number"}, DATE_TIME]), all_of(sends({"that": 1.5}, that=1.5), sends({"that": "2026-01-29T10:00:05Z"}, that=datetime(2026, 1, 29, 10, 0, 5, tzinfo=UTC)))),
    "an enum or any string": (with_field(anyOf=[{"type": "string", "enum": ["a", "b"]}, STRING]), sends({"that": "c"}, that="c")),
    "an integer or a number": (with_field(oneOf=[{"type": "integer"}, {"type": "number"}]), sends({"that": 1.5}, that=1.5)),
    "unions in a union": (with_field(oneOf=[{"anyOf": [STRING, {"type": "integer"}]}, {"type": "boolean"}]), all_of(sends({"that": True}, that=True), sends({"that": "a"}, that="a"))),
    "a component that is a union": (both(schemas(Id={"oneOf": [STRING, {"type": "integer"}]}), with_field(**{"$ref": "#/components/schemas/Id"})), sends({"that": 5}, that=5)),
    "a body of one of several models": (
        pets(with_body(**PET)),
        all_of(
            rejects(body={"kind": "cow"}, text="body.kind must be one of 'Cat', 'Dog', got 'cow'"),
            rejects(body={"kind": "Cat", "name": "a", "barks": True}, text="body has no field 'barks'"),
            sends({"kind": "Dog", "name": "a"}, body={"kind": "Dog", "name": "a"}),
            lambda client: sends({"kind": "Cat", "name": "a"}, body=client.package(".models").Cat(kind="Cat", name="a"))(client),
        ),
    ),
    "a model with the discriminator of another": (pets(with_field(**PET)), lambda client: rejects(that=client.package(".models").Cat(kind="Dog", name="a"), text="that.kind of Cat must be 'Cat', got 'Dog'")(client)),
    "a discriminator with a mapping": (
        pets(with_field(**{**PET, "discriminator": {"propertyName": "kind", "mapping": {"c": "#/components/schemas/Cat", "cat": "Cat", "d": "Dog"}}})),
        all_of(sends({"that": {"kind": "cat", "name": "a"}}, that={"kind": "cat", "name": "a"}), rejects(that={"kind": "Cat"}, text="must be one of 'c', 'cat', 'd'")),
    ),
    "models that a constant tells apart": (
        with_field(oneOf=[constant("circle", radius={"type": "number"}), constant("box", width={"type": "number"})]),
        all_of(sends({"that": {"kind": "box", "width": 1}}, that={"kind": "box", "width": 1}), rejects(that={"kind": "line"}, text="that.kind must be one of 'circle', 'box'")),
    ),
    "models without a discriminator": (
        with_field(oneOf=[{"type": "object", "required": ["a"], "properties": {"a": STRING}}, {"type": "object", "required": ["b"], "properties": {"b": STRING}}]),
        all_of(sends({"that": {"b": "c"}}, that={"b": "c"}), rejects(that={"c": "d"}, text="that has none of the expected types: that has no field 'c'.*; that has no field")),
    ),
    "secrets in a union": (with_field(anyOf=[SECRET, {"type": "integer"}]), hides_secrets),
    "a constant": (with_body(type="object", properties={"that": {"const": "a"}}), all_of(rejects(that="b", text="that must be one of 'a'"), sends({"that": "a"}, that="a"))),
    # Unions in responses.
    "a string or an integer in a response": (with_response(type="object", properties={"a": {"type": ["string", "integer"]}, "b": STRING}), all_of(decodes({"a": "c"}), decodes({"a": 5}), rejects_response({"a": 1.5}, "a: it has none of the expected types: expected an integer, got a number: 1.5; expected a string"))),
    "a date-time or a string in a response": (with_response(type="object", properties={"a": {"anyOf": [STRING, DATE_TIME]}, "b": STRING}), all_of(decodes({"a": "2026-01-29T10:00:05Z"}), decodes({"a": "soon"}), field_is({"a": "2026-01-29T10:00:05Z"}, "a", "datetime"), field_is({"a": "soon"}, "a", "str"))),
    "an enum or a string in a response": (with_response(type="object", properties={"a": {"anyOf": [STRING, {"type": "string", "enum": ["x"]}]}, "b": STRING}), all_of(field_is({"a": "y"}, "a", "str"), field_is({"a": "x"}, "a", "PingApiResponse200AType1"))),
    "a list or a model in a response": (
        with_response(type="object", properties={"a": {"oneOf": [POINT, {"type": "array", "items": POINT}]}, "b": STRING}),
        all_of(decodes({"a": [{"x": 1, "y": 2}]}), decodes({"a": {"x": 1, "y": 2}}), rejects_response({"a": "c"}, "a: it has none of the expected types")),
    ),
    "a list of a union in a response": (with_response(type="array", items={"oneOf": [STRING, POINT, {"type": "integer"}]}), lambda client: client.call("bindings", "ping_api", response=["a", {"x": 1, "y": 2}, 5])[1].x == 1 and None),
    "a map of a union in a response": (with_response(type="object", additionalProperties={"type": ["string", "integer"]}), decodes({"a": "b", "c": 5})),
    "a response of one of several models": (
        pets(with_response(**PET)),
        all_of(
            is_a({"kind": "Dog", "name": "a", "barks": True}, "Dog"),
            is_a({"kind": "Cat", "name": "a", "barks": True}, "Cat"),
            rejects_response({"kind": "cow", "name": "a"}, "its kind is 'cow', not one of 'Cat', 'Dog'"),
            rejects_response({"kind": "Dog"}, "name: it is missing"),
            rejects_response([], "expected an object"),
        ),
    ),
    "a model or a string by a discriminator": (
        pets(with_response(type="object", properties={"a": {"oneOf": [*PET["oneOf"], STRING], "discriminator": PET["discriminator"]}, "b": STRING})),
        all_of(field_is({"a": {"kind": "Dog", "name": "c"}}, "a", "Dog"), decodes({"a": "c"}), rejects_response({"a": {"kind": 5}}, "a: its kind is 5")),
    ),
    "responses without a discriminator": (
        both(schemas(One=only_field("one"), Two=only_field("two")), with_response(oneOf=[{"$ref": "#/components/schemas/One"}, {"$ref": "#/components/schemas/Two"}])),
        all_of(is_a({"two": "a", "three": 1}, "Two"), is_a({"one": "a"}, "One"), rejects_response({"three": 1}, "it has none of the expected types: One: one: it is missing; Two: two: it is missing")),
    ),
    "a response that has more than another": (
        both(schemas(Short=only_field("a"), Long={"type": "object", "required": ["a"], "properties": {"a": STRING, "b": POINT}}), with_response(anyOf=[{"$ref": "#/components/schemas/Short"}, {"$ref": "#/components/schemas/Long"}])),
        all_of(is_a({"a": "c"}, "Short"), is_a({"a": "c", "b": {"x": 1}}, "Long"), is_a({"a": "c", "b": {"x": 1}, "d": 1}, "Long")),
    ),
    "a model or a map in a response": (
        both(schemas(One=only_field("one")), with_response(type="object", properties={"a": {"anyOf": [MAP, {"$ref": "#/components/schemas/One"}]}, "b": STRING})),
        all_of(field_is({"a": {"one": "c"}}, "a", "One"), field_is({"a": {"two": "c"}}, "a", "dict")),
    ),
    "a union that may be null in a response": (with_response(type="object", properties={"a": {"oneOf": [STRING, {"type": "integer"}, NULL]}, "b": STRING}), all_of(decodes({"a": None}), decodes({"a": 5}))),
    "a union that is required in a response": (with_response(type="object", required=["a"], properties={"a": {"oneOf": [STRING, {"type": "integer"}]}, "b": STRING}), all_of(decodes({"a": 5}), rejects_response({"b": "c"}, "a: it is missing"))),
    "a secret in a union of a response": (with_response(type="object", properties={"a": {"anyOf": [{"type": "integer"}, {"type": "string", "format": "password"}]}, "b": STRING}), rejects_response({"a": ["sesame"]}, "a: it has none of the expected types", hides="sesame")),
    "a union in a wrapped response": (with_response(type="object", required=["a"], properties={"a": {"oneOf": [STRING, {"type": "integer"}]}}), lambda client: client.call("bindings", "ping_api", response={"a": 5}) == 5 and None),
    "a union and anything": (with_response(type="object", properties={"a": {"anyOf": [STRING, {}]}, "b": STRING}), decodes({"a": [1]})),
    # Circular references.
    "schemas that refer to each other": (circle(), all_of(decodes({"name": "a", "children": [{"parent": {"name": "b"}, "age": 1}]}), field_is({"children": []}, "children", "list"))),
    "a body of schemas that refer to each other": (circle(is_sent=True), sends({"name": "a", "children": [{"parent": {"name": "b"}}]}, name="a", children=[{"parent": {"name": "b"}}])),
    "a circle of three": (
        both(schemas(A=refers("B"), B=refers("C"), C=refers("A")), with_field(**{"$ref": "#/components/schemas/A"})),
        all_of(sends({"that": {"next": {"next": {"next": {"name": "a"}}}}}, that={"next": {"next": {"next": {"name": "a"}}}}), rejects(that={"next": {"next": {"next": {"z": 1}}}}, text="that.next.next.next has no field 'z'")),
    ),
    "a schema that refers to itself": (both(schemas(A=refers("A")), with_response(**{"$ref": "#/components/schemas/A"})), decodes({"next": {"next": {"name": "a"}}})),
    "a union in a circle": (
        both(schemas(A={"type": "object", "properties": {"name": STRING, "inner": {"oneOf": [STRING, {"$ref": "#/components/schemas/A"}]}}}), with_response(**{"$ref": "#/components/schemas/A"})),
        all_of(decodes({"inner": {"inner": "a"}}), rejects_response({"inner": {"name": 1}}, "inner: it has none of the expected types")),
    ),
    "properties beside one reference in allOf": (both(schemas(Base=POINT), with_body(allOf=[{"$ref": "#/components/schemas/Base"}], properties={"z": {"type": "integer"}})), sends({"x": 1, "z": 2}, x=1, z=2)),
    "a union in a nullable field": (with_field(anyOf=[{"oneOf": [{"type": "string", "maxLength": 3}, {"type": "integer"}]}, NULL]), all_of(rejects(that="four", text="at most 3"), sends({"that": None}, that=None), sends({"that": 5}, that=5))),
    "a union and anything in a body": (with_field(anyOf=[STRING, {}]), sends({"that": [1]}, that=[1])),
    "alternatives that are the same": (with_field(anyOf=[STRING, {"type": "string", "description": "It."}]), sends({"that": "a"}, that="a")),
    "one of several constants with titles": (with_field(oneOf=[{"const": "a", "title": "First"}, {"const": "b", "title": "Second"}]), all_of(sends({"that": "b"}, that="b"), rejects(that="c", text="that must be one of 'a', got 'c'.*; that must be one of 'b'"))),
    "allOf in a union": (
        both(schemas(Base=POINT, Child={"allOf": [{"$ref": "#/components/schemas/Base"}, only_field("name")]}), with_response(oneOf=[{"$ref": "#/components/schemas/Child"}, only_field("other")])),
        all_of(is_a({"name": "a", "x": 1}, "Child"), is_a({"other": "a"}, "PingApiResponse200Type1")),
    ),
    "a model of either of two unions": (
        pets(both(schemas(Cow=constant("Cow", milk=STRING)), at("components schemas Farm", {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Cow"}], "discriminator": {"propertyName": "kind"}}), with_response(type="object", properties={"pet": PET, "farm": {"$ref": "#/components/schemas/Farm"}}))),
        all_of(decodes({"pet": {"kind": "Cat", "name": "a"}, "farm": {"kind": "Cow", "milk": "b"}}), rejects_response({"pet": {"kind": "Cow"}}, "pet: its kind is 'Cow', not one of 'Cat', 'Dog'")),
    ),
    "rules between fields beside properties": (
        with_body(type="object", properties={"a": STRING, "b": STRING}, oneOf=[{"required": ["a"]}, {"required": ["b"]}]),
        all_of(rejects(a="c", b="d", text="a and b cannot be combined"), sends({"a": "c"}, a="c")),
    ),
    "secrets in a list of a header": (with_header(schema={"type": "array", "items": SECRET}), all_of(rejects(that=["sesame!"], text=r"that\[0\] must match .*, got a secret"), has_header("x-that", "a,b", that=["a", "b"]))),
    "models that the second of two constants tells apart": (
        with_field(oneOf=[{"type": "object", "required": ["color", "kind"], "properties": {"color": {"const": "red"}, "kind": {"const": "circle"}}}, constant("box")]),
        all_of(sends({"that": {"kind": "box"}}, that={"kind": "box"}), rejects(that={"kind": "line"}, text="that.kind must be one of 'circle', 'box'")),
    ),
    # Siblings of a reference, and parts of `allOf`.
    "a limit beside a reference": (both(schemas(Name={"type": "string", "maxLength": 9}), with_field(**ref("Name", maxLength=3))), rejects(that="four", text="at most 3 characters")),
    "a limit beside a reference in a list": (both(schemas(Name={"type": "string", "maxLength": 9}), with_field(type="array", items=ref("Name", maxLength=3))), rejects(that=["four"], text=r"that\[0\] must have at most 3 characters")),
    "a limit beside a reference of a parameter": (both(schemas(Name={"type": "string"}), with_parameter(schema=ref("Name", maxLength=3))), rejects(that="four", text="at most 3 characters")),
    "a limit beside a reference of a component": (both(schemas(Name={"type": "string"}, Short=ref("Name", maxLength=3)), with_field(**ref("Short"))), rejects(that="four", text="at most 3 characters")),
    "a description beside a reference": (both(schemas(Point=POINT), with_field(**ref("Point", description="Where."))), all_of(sends({"that": {"x": 1}}, that={"x": 1}), documents("PingApiBody", "Where."))),
    "a description beside a reference to an enum": (both(schemas(Color={"type": "string", "enum": ["red"]}), with_response(type="object", properties={"a": ref("Color", description="Which."), "b": STRING})), all_of(field_is({"a": "red"}, "a", "Color"), documents("PingApiResponse200", "Which."))),
    "null beside a reference": (both(schemas(Point=POINT), with_field(**ref("Point", nullable=True))), all_of(sends({"that": None}, that=None), sends({"that": {"x": 1}}, that={"x": 1}))),
    "a field that only responses have, by a reference": (both(schemas(Point=POINT), with_body(type="object", properties={"that": ref("Point", readOnly=True), "b": STRING})), all_of(sends({"b": "c"}, b="c"), takes_no("that"))),
    "required beside a reference": (both(schemas(Point=POINT), with_field(**ref("Point", required=["x"]))), all_of(rejects(that={"y": 1}, text="that.x is required"), sends({"that": {"x": 1}}, that={"x": 1}))),
    "fields beside a reference": (both(schemas(Point=POINT), with_body(**ref("Point", properties={"z": {"type": "integer"}}))), sends({"x": 1, "z": 2}, x=1, z=2)),
    "a component that is a reference": (both(schemas(Point=POINT, Place=ref("Point")), with_response(type="object", properties={"a": ref("Place"), "b": STRING})), field_is({"a": {"x": 1}}, "a", "Point")),
    "a limit apart from its type": (with_field(allOf=[{"minLength": 2}, {"type": "string"}, {"maxLength": 3}]), all_of(rejects(that="four", text="at most 3"), rejects(that="a", text="at least 2"), sends({"that": "abc"}, that="abc"))),
    "an integer that is a number": (with_field(allOf=[{"type": "number", "maximum": 9}, {"type": "integer"}]), all_of(rejects(that=1.5, text="that must be int"), rejects(that=10, text="at most 9"))),
    "a list in several parts": (with_field(allOf=[STRINGS, {"maxItems": 1}, {"items": {"maxLength": 3}}]), all_of(rejects(that=["a", "b"], text="at most 1 item"), rejects(that=["four"], text="at most 3 characters"))),
    "a map in several parts": (with_field(allOf=[MAP, {"maxProperties": 1}, {"additionalProperties": {"maxLength": 3}}]), all_of(rejects(that={"a": "b", "c": "d"}, text="at most 1"), rejects(that={"a": "four"}, text="at most 3 characters"))),
    "an enum in several parts": (with_field(allOf=[{"type": "string", "enum": ["a", "b"]}, {"enum": ["b", "c"]}]), all_of(rejects(that="a", text="that must be one of 'b'"), sends({"that": "b"}, that="b"))),
    "types in several parts": (with_field(allOf=[{"type": ["string", "integer"]}, {"type": ["integer", "boolean"]}]), all_of(rejects(that="a", text="that must be int"), sends({"that": 1}, that=1))),
    "a format apart from its type": (with_field(allOf=[STRING, {"format": "date-time"}]), rejects(that="soon", text="must be a date-time")),
    "a part that many parts have": (both(schemas(Base=POINT, One={"allOf": [ref("Base"), only_field("a")]}, Two={"allOf": [ref("Base"), only_field("b")]}), with_body(allOf=[ref("One"), ref("Two")])), all_of(rejects(a="c", x=1, text="b"), sends({"a": "c", "b": "d", "x": 1}, a="c", b="d", x=1))),
    "a closed part": (with_field(type="object", additionalProperties=False, allOf=[{"type": "object", "properties": {"a": STRING}, "additionalProperties": True}]), all_of(rejects(that={"z": 1}, text="that has no field 'z'"), sends({"that": {"a": "b"}}, that={"a": "b"}))),
    "rules in parts": (
        with_body(allOf=[{"type": "object", "properties": {"a": STRING, "b": STRING, "c": STRING, "d": STRING}}, {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"anyOf": [{"required": ["c"]}, {"required": ["d"]}]}, {"not": {"required": ["a", "c"]}}, {"dependentRequired": {"b": ["d"]}}]),
        all_of(rejects(a="x", b="x", d="x", text="a and b cannot be combined"), rejects(a="x", text="c"), rejects(a="x", c="x", text="a and c cannot be combined"), rejects(b="x", c="x", text="d"), sends({"a": "x", "d": "x"}, a="x", d="x")),
    ),
    "rules of a component that is a part": (
        both(schemas(Base={"type": "object", "properties": {"a": STRING, "b": STRING}, "dependentRequired": {"a": ["b"]}}), with_body(allOf=[ref("Base"), {"type": "object", "properties": {"c": STRING}}])),
        all_of(rejects(a="x", text="b"), sends({"a": "x", "b": "y", "c": "z"}, a="x", b="y", c="z")),
    ),
    "a condition in a part": (with_body(type="object", properties={"a": STRING, "b": STRING}, allOf=[condition({"required": ["b"], "properties": {"b": {"const": "x"}}})]), rejects(a="c", b="y", text="b")),
    # Discriminators.
    "a discriminator of constants": (both(schemas(Cat=constant("cat", meows=STRING), Dog=constant("dog", barks=STRING)), with_response(**PET)), all_of(is_a({"kind": "dog", "barks": "a"}, "Dog"), rejects_response({"kind": "Dog"}, "its kind is 'Dog', not one of 'cat', 'dog'"))),
    "a discriminator of components that are references": (pets(both(schemas(C=ref("Cat"), D=ref("Dog")), with_response(oneOf=[ref("C"), ref("D")], discriminator={"propertyName": "kind", "mapping": {"c": "#/components/schemas/C", "d": "D"}}))), all_of(is_a({"kind": "d", "name": "a", "barks": True}, "Dog"), is_a({"kind": "c", "name": "a", "barks": True}, "Cat"))),
    "a discriminator of parts": (both(schemas(Base=only_field("kind"), Cat={"allOf": [ref("Base"), {"type": "object", "properties": {"meows": STRING}}]}, Dog={"allOf": [ref("Base"), {"type": "object", "properties": {"barks": STRING}}]}), with_response(**PET)), is_a({"kind": "Dog", "barks": "a"}, "Dog")),
    "other values for other unions": (
        pets(both(schemas(Cow=only_field("kind")), with_body(type="object", properties={"that": PET, "other": {"oneOf": [ref("Cat"), ref("Cow")], "discriminator": {"propertyName": "kind", "mapping": {"x": "Cat", "y": "Cow"}}}}))),
        all_of(rejects(that={"kind": "x", "name": "a"}, text="that.kind must be one of 'Cat', 'Dog'"), rejects(other={"kind": "Cat", "name": "a"}, text="other.kind must be one of 'x', 'y'"), sends({"other": {"kind": "x", "name": "a"}}, other={"kind": "x", "name": "a"})),
    ),
    "a discriminator of no components": (with_response(oneOf=[only_field("a"), only_field("b")], discriminator={"propertyName": "kind"}), is_a({"b": "c"}, "PingApiResponse200Type1")),
    # OpenAPI 3.0, and schemas that are true.
    "null of OpenAPI 3.0 everywhere": (
        both(openapi_30, schemas(Point=POINT), with_body(type="object", properties={"a": {"type": "string", "nullable": True, "enum": ["x"]}, "b": {"nullable": True, "allOf": [ref("Point")]}, "c": {"type": "array", "items": {"type": "integer", "nullable": True}}, "d": {"nullable": True, "oneOf": [STRING, {"type": "integer"}]}, "e": {"type": "string", "nullable": False}})),
        all_of(sends({"a": None, "b": None, "c": [None], "d": None}, a=None, b=None, c=[None], d=None), sends({"a": "x", "b": {"x": 1}, "c": [1], "d": 5, "e": "f"}, a="x", b={"x": 1}, c=[1], d=5, e="f")),
    ),
    "bounds of OpenAPI 3.0": (both(openapi_30, with_body(type="object", properties={"that": {"type": "integer", "minimum": 1, "exclusiveMinimum": True, "maximum": 9, "exclusiveMaximum": False}})), all_of(rejects(that=1, text="that must be more than 1"), sends({"that": 9}, that=9))),
    "bounds of OpenAPI 3.0 in a document of 3.1": (with_field(type="integer", maximum=9, exclusiveMaximum=True), rejects(that=9, text="that must be less than 9")),
    "null of a string and null of OpenAPI 3.0 in a document of 3.1": (with_field(type=["string", "null"], nullable=True), sends({"that": None}, that=None)),
    "schemas that are true": (
        both(at("components schemas Anything", True), with_body(type="object", properties={"a": True, "b": {"type": "array", "items": True}, "c": {"anyOf": [STRING, True]}, "d": ref("Anything")})),
        sends({"a": [1], "b": ["x", 1], "c": {"y": 1}, "d": 5}, a=[1], b=["x", 1], c={"y": 1}, d=5),
    ),
    # Fields that only requests or only responses have.
    "a required field that only responses have": (with_field(type="object", required=["a", "b"], properties={"a": {"type": "string", "readOnly": True}, "b": STRING}), lambda client: sends({"that": {"b": "c"}}, that=client.package(".models").PingApiBodyThat(b="c"))(client)),
    "a required field that only requests have": (with_response(type="object", required=["a", "b"], properties={"a": {"type": "string", "writeOnly": True}, "b": STRING}), all_of(decodes({"b": "c"}), rejects_response({"a": "c"}, "b: it is missing"))),
    "a required field that only requests have, in a request": (with_body(type="object", required=["a"], properties={"a": {"type": "string", "writeOnly": True}}), all_of(rejects(text="a"), sends({"a": "b"}, a="b"))),
    # Parameters `page` that are not page numbers.
    "page as an object": (paged({"name": "page", "style": "deepObject", "schema": POINT}), retries_nothing),
    "page as a list": (paged({"name": "page", "schema": {"type": "array", "items": {"type": "integer"}}}), retries_nothing),
    "page as a boolean": (paged({"name": "page", "schema": {"type": "boolean"}}), retries_nothing),
    "page as a number or a string": (paged({"name": "page", "schema": {"type": ["integer", "string"]}}, hasMore=MORE), iterates({"": things("a", hasMore=True), "page=2": things("b", hasMore=False)})),
    # Bodies, headers and responses.
    "an optional list as a body": (with_body(is_required=False, type="array", items=STRING), all_of(sends_nothing, sends(["a"], body=["a"]), rejects(body=[1], text=r"body\[0\] must be str"))),
    "an optional map as a body": (with_body(is_required=False, **MAP), all_of(sends_nothing, sends({}, body={}), sends({"a": "b"}, body={"a": "b"}))),
    "an optional body that may be null": (with_body(is_required=False, type=["string", "null"]), all_of(sends_nothing, sends(None, body=None), sends("a", body="a"))),
    "headers that OpenAPI ignores": (add(parameters=[{"name": name, "in": "header", "required": True, "schema": STRING} for name in ("Authorization", "content-type", "ACCEPT")]), has_header("accept", "application/json")),
    "a secret in a header": (with_header(schema={"type": "string", "format": "password"}), hides_header),
    "errors of a range": (add(responses={**operation()["responses"], "4XX": {"description": "It failed."}}), lambda client: raises_doc(client, "APIStatusError: It failed.")),
    "several media types of files": (add(responses={"200": {"description": "", "content": {name: {"schema": {"type": "string", "format": "binary"}} for name in ("image/png", "image/webp")}}}), has_attributes("bindings", "ping_api", "api_url")),
    "a wrapper that may be missing": (with_response(type="object", properties={"thing": only_field("uid")}), all_of(returns(None, {}), returns(None, {"thing": None}), returns(None, {"message": "a"}), returns("a", {"thing": {"uid": "a"}}, "uid"), returns("a", {"uid": "a"}, "uid"))),
    "a list in a wrapper that may be missing": (with_response(type="object", properties={"urls": STRINGS}), all_of(returns(None, {}), returns(["a"], {"urls": ["a"]}))),
    "a wrapper that is required": (with_response(type="object", required=["url"], properties={"url": STRING}), all_of(rejects_response({}, "it has no `url`"), returns("a", {"url": "a"}))),
    "an enum of any strings, deep in lists and maps": (
        with_body(type="object", properties={"a": {"type": "array", "items": {"type": "array", "items": OPEN}}, "b": {"type": "object", "additionalProperties": OPEN}, "c": {"anyOf": [OPEN, {"type": "integer"}]}}),
        all_of(sends({"a": [["z"]], "b": {"x": "z"}, "c": "z"}, a=[["z"]], b={"x": "z"}, c="z"), takes_any_string("a", "b", "c")),
    ),
    "an enum of any strings in a list as a body": (with_body(type="array", items=OPEN), all_of(sends(["z"], body=["z"]), takes_any_string("body"))),
    # Webhooks.
    "data of a webhook in a component": (
        both(schemas(binding_thing=POINT, Event={"type": "object", "properties": {"data": ref("binding_thing")}}), at("webhooks", {"a.b": {"post": {"requestBody": schema(**ref("Event")), "responses": {"200": {"description": ""}}}}})),
        lambda client: client.package(".models.webhook_events").DATA_READERS["a.b"]({"x": 1}).x == 1 and None,
    ),
    "data of a webhook in a class of another name": (
        both(schemas(BatchStatusResultsItem=POINT), at("webhooks", {"a.b": {"post": {"requestBody": schema(type="object", properties={"data": {"anyOf": [ref("BatchStatusResultsItem"), NULL]}}), "responses": {"200": {"description": ""}}}}})),
        lambda client: client.package(".models.webhook_events").DATA_READERS["a.b"]({"x": 1}).x == 1 and None,
    ),
    "data of a webhook in no component": (
        at("webhooks", {"a.b": {"post": {"requestBody": schema(type="object", properties={"data": POINT}), "responses": {"200": {"description": ""}}}}}),
        lambda client: client.package(".models.webhook_events").DATA_READERS.get("a.b"),
    ),
    # Unions of similar types.
    "a date-time or any string": (with_field(oneOf=[STRING, DATE_TIME]), all_of(sends({"that": "soon"}, that="soon"), sends({"that": "2026-01-29T10:00:05+00:00"}, that="2026-01-29T10:00:05+00:00"))),
    "an integer or a number, each with limits": (with_field(oneOf=[{"type": "integer", "minimum": 5}, {"type": "number", "maximum": 3}]), all_of(sends({"that": 7}, that=7), sends({"that": 2}, that=2), rejects(that=4, text="at least 5.*at most 3"))),
    "one of two enums in a response": (with_response(type="object", properties={"a": {"oneOf": [{"type": "string", "enum": ["x"]}, {"type": "string", "enum": ["y"]}]}, "b": STRING}), all_of(field_is({"a": "y"}, "a", "PingApiResponse200AType1"), field_is({"a": "x"}, "a", "PingApiResponse200AType0"))),
    "lists of integers or of numbers in a response": (with_response(type="object", properties={"a": {"oneOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "array", "items": {"type": "number"}}]}, "b": STRING}), all_of(decodes({"a": [1]}), decodes({"a": [1.5]}))),
    "names in another form than Python's": (with_body(type="object", properties={"\uf971": STRING, "ﬁx": STRING}), sends({"\uf971": "a", "ﬁx": "b"}, 辰="a", fix="b")),
    "a pattern that ends in a dollar sign": (with_field(type="string", pattern=r"^a\$"), all_of(sends({"that": "a$"}, that="a$"), rejects(that="a", text="must match"))),
    # One name in two places.
    "a secret in a header and in the body": (
        both(with_body(type="object", properties={"writeKey": KEY_OF_ANY_FORM, "a": STRING}), at("paths /ping parameters", [{"name": "Write-Key", "in": "header", "schema": KEY_OF_ANY_FORM}])),
        all_of(has_header("write-key", "sesame", write_key="sesame"), sends({"a": "b"}, a="b", write_key="sesame")),
    ),
    "a secret in a header and a field that is none": (
        both(with_body(type="object", properties={"writeKey": STRING}), at("paths /ping parameters", [{"name": "Write-Key", "in": "header", "schema": KEY_OF_ANY_FORM}])),
        all_of(has_header("write-key", "sesame", write_key_header="sesame"), sends({"writeKey": "a"}, write_key="a")),
    ),
    "a field that is a secret and a parameter that is none": (
        both(with_body(type="object", properties={"key": KEY_OF_ANY_FORM}), at("paths /ping parameters", [{"name": "key", "in": "query", "schema": STRING}])),
        all_of(requests_url("/ping?key=a", key_query="a"), sends({"key": "b"}, key="b")),
    ),
    # Unions that can be distinguished by constants, and those that cannot.
    "a model with a constant, or a string": (with_field(oneOf=[constant("box", width={"type": "number"}), STRING]), all_of(sends({"that": "a"}, that="a"), sends({"that": {"kind": "box"}}, that={"kind": "box"}), rejects(that={"kind": "line"}, text="that.kind must be one of 'box'"))),
    "models of which one has no constant": (with_response(oneOf=[constant("box", width=STRING), only_field("name")]), all_of(is_a({"kind": "box"}, "PingApiResponse200Type0"), is_a({"name": "a"}, "PingApiResponse200Type1"))),
    "models of constants that overlap": (
        with_response(oneOf=[{"type": "object", "required": ["kind", name], "properties": {"kind": {"type": "string", "enum": kinds}, name: STRING}} for name, kinds in (("a", ["x", "y"]), ("b", ["y", "z"]))]),
        all_of(is_a({"kind": "y", "b": "c"}, "PingApiResponse200Type1"), is_a({"kind": "y", "a": "c"}, "PingApiResponse200Type0")),
    ),
    "a model with a constant, or a map": (with_response(type="object", properties={"a": {"anyOf": [constant("box", width=STRING), MAP]}, "b": STRING}), all_of(field_is({"a": {"kind": "box", "width": "c"}}, "a", "PingApiResponse200AType0"), field_is({"a": {"other": "c"}}, "a", "dict"))),
    "a part that only responses have": (with_body(type="object", properties={"that": {"allOf": [{"type": "string", "readOnly": True}, {"readOnly": False, "maxLength": 3}]}, "b": STRING}), all_of(takes_no("that"), sends({"b": "c"}, b="c"))),
    "a limit beside null and around it": (with_field(maxLength=5, anyOf=[{"type": "string", "maxLength": 3}, NULL]), all_of(rejects(that="four", text="at most 3"), sends({"that": None}, that=None))),
    "a limit around null that is narrower": (with_field(maxLength=3, anyOf=[{"type": "string", "maxLength": 5}, NULL]), rejects(that="four", text="at most 3")),
    "a response of anything": (add(responses={"200": {"description": "", "content": {"application/json": {"schema": True}}}}), all_of(returns([1], [1]), returns("a", "a"))),
    "null of OpenAPI 3.0 without a type": (with_field(nullable=True), sends({"that": [1]}, that=[1])),
    "descriptions of a component and of a place": (both(schemas(Name={"type": "string", "description": "Any."}), with_field(**ref("Name", description="This.", maxLength=3))), all_of(documents("PingApiBody", "This."), rejects(that="four", text="at most 3"))),
}  # fmt: skip
