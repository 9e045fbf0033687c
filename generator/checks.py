"""What in a contract would be lost or wrong in the generated code, which the generator itself lets pass."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from keyword import iskeyword
from typing import Any, cast

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import Class, EnumProperty, ModelProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.strings import ClassName, PythonIdentifier

from .checking import STYLES
from .document import Steps, followed, found_at, operations, place, schemas_in, schemas_of
from .naming import server_url
from .pages import successes
from .schemas import UnsupportedError, fields_of
from .shapes import Shapes
from .value_types import SCALARS

# Names that the generated modules import, of which a schema must not be another.
_TAKEN = frozenset(
    {"Any", "Anything", "Argument", "AsyncBatchJob", "AsyncFile", "AsyncPager", "AtLeastOne", "AuthenticatedClient"}
    | {"BatchJob", "Boolean", "Choice", "Client", "DateTime", "ExactlyOne", "File", "Final", "Integer", "Iterable"}
    | {
        "ListOf",
        "MapOf",
        "Mapping",
        "Model",
        "NotTogether",
        "Nullable",
        "Number",
        "Object",
        "OneOf",
        "OneOrMany",
        "OpenEnum",
        "Operation",
    }
    | {"Pager", "Requires", "RequiresValue", "Resource", "Resources", "Response", "Self", "String", "Unset"}
    | {"Callable", "ClassVar", "Literal", "Required", "TypeAlias", "TypedDict", "WebhookData", "WebhookEventName"}
)
# What the clients have beside their resources.
_TAKEN_TAGS = frozenset({"aclose", "client", "close", "download", "with_options"})
_RENAME = "give it another name in generator-config.yaml (`class_overrides`)"
# What limits a value of a request, and is checked by no call.
_UNCHECKED = frozenset(
    {"contains", "dependentSchemas", "else", "if", "minProperties", "multipleOf", "not", "patternProperties"}
    | {"prefixItems", "then", "unevaluatedItems", "unevaluatedProperties", "uniqueItems"}
)
_LIMITS = frozenset(
    {"exclusiveMaximum", "exclusiveMinimum", "maxItems", "maxLength", "maxProperties", "maximum", "minItems"}
    | {"minLength", "minimum"}
)
# What would get lost beside `oneOf` and `anyOf`.
_BESIDE = frozenset({"allOf", "properties", "required"})
_LARGEST = 2**53
# With what is put around it, the name of a file has at most 255 bytes.
_LONGEST_NAME = 200
_STYLES = {"path": {"simple"}, "query": {"form", "spaceDelimited", "pipeDelimited", "deepObject"}, "header": {"simple"}}
_ENUM = Class(name=ClassName("Enum", ""), module_name=PythonIdentifier("enum", ""))


def problems_of_document(document: dict[str, Any]) -> list[str]:
    """What has to be there before the generator can do anything with the document, and what it would not heed."""
    servers: list[dict[str, Any]] = document.get("servers", [])
    found: list[str] = [] if servers else ["$.servers: the document names no server"]
    if servers and not re.match(r"https?://[^/{}\s]+[^{}\s]*$", server_url(servers[0])):
        found.append(f"$.servers[0].url: {servers[0]['url']} is no whole URL of a server")
    names: defaultdict[str, list[str]] = defaultdict(list)
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path, method, operation in operations(document):
        where = _operation(path, method)
        name = operation.get("operationId")
        if name is None:
            found.append(f"{where}: it has no operationId, by which its function would be named")
        else:
            names[str(PythonIdentifier(name, "field_"))].append(name)
            places[str(PythonIdentifier(name, "field_"))].append(place(("paths", path, method, "operationId")))
        if not re.fullmatch(r"/[^\s\"'\\`<>^|]*", path) or not path.isprintable():
            found.append(f"{where}: a character of its path cannot stand in a URL")
        found += [f"{where}: {problem}" for problem in _problems_of_operation(document, path, method)]
    for key, alike in names.items():
        if len(alike) > 1:
            spellings = " and ".join(dict.fromkeys(map(repr, alike)))
            where = " and ".join(places[key])
            found.append(f"{where}: the operationId {spellings} is there {len(alike)} times, as Python has it")
    found += _long_names(document)
    for steps, schema in schemas_of(document):
        if _repeats(document, schema):
            found.append(f"{place(steps)}: it refers to itself with no field between")
        for here, part in schemas_in(schema, steps):
            found += [f"{place(here)}: {problem}" for problem in _problems_of_schema(part)]
    return [*dict.fromkeys(found)]


def _problems_of_operation(document: dict[str, Any], path: str, method: str) -> Iterator[str]:
    item = document["paths"][path]
    operation = item[method]
    here: Steps = ("paths", path, method)
    if operation.get("security") and not any(_can_be_met(document, each) for each in operation["security"]):
        yield "its security is of no kind that a client has (a bearer token, a key in a header, none)"
    for steps, part in ((("paths", path), item), (here, operation)):
        for server in part.get("servers", [])[:1]:
            if server_url(server) != server_url(document["servers"][0]):
                yield f"{place((*steps, 'servers'))}: it has a server of its own, and a client has one"
    for steps, part in ((("paths", path), item), (here, operation)):
        for number, given in enumerate(part.get("parameters", [])):
            yield from _problems_of_parameter(document, given, (*steps, "parameters", number))
    content: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
    for media, body in content.items():
        yield from _unchecked(document, body.get("schema"), (*here, "requestBody", "content", media, "schema"), set())


def _problems_of_parameter(document: dict[str, Any], given: dict[str, Any], steps: Steps) -> Iterator[str]:
    parameter = followed(document, given)
    name, where = parameter["name"], parameter["in"]
    if "schema" not in parameter:
        yield f"its parameter {name!r} has no schema"
        return
    schema = followed(document, parameter["schema"])
    if parameter.get("style", STYLES.get(where)) not in _STYLES.get(where, {None}):
        yield f"{place(steps)}: its parameter {name!r} is written in a style that calls do not know"
    if where == "query" and parameter.get("required") and schema.get("format") == "password":
        yield f"{place(steps)}: its parameter {name!r} is a secret in the query, which calls do not send"
    items = schema.get("items")
    if isinstance(items, dict) and _may_be_null(document, cast("dict[str, Any]", items)):
        yield f"{place((*steps, 'schema', 'items'))}: it may be null, which a URL and a header cannot say"
    yield from _unchecked(document, parameter["schema"], (*steps, "schema"), set())


def _may_be_null(document: dict[str, Any], schema: dict[str, Any]) -> bool:
    known = followed(document, schema)
    parts: list[dict[str, Any]] = [*known.get("anyOf", []), *known.get("oneOf", [])]
    return "null" in known.get("type", "") or any(_may_be_null(document, each) for each in parts)


def _unchecked(document: dict[str, Any], schema: Any, steps: Steps, seen: set[int]) -> Iterator[str]:
    """The limits of a value in a request that no call checks, each with its place."""
    for here, part in schemas_in(schema, steps):
        if id(part) in seen:
            continue
        seen.add(id(part))
        if part.get("readOnly"):
            seen |= {id(inner) for _, inner in schemas_in(part, here)}
            continue
        yield from (f"{place((*here, name))}: {problem}" for name, problem in _unchecked_by_name(part))
        if "$ref" in part:
            target: Steps = tuple(part["$ref"].removeprefix("#/").split("/"))
            yield from _unchecked(document, found_at(document, part["$ref"]), target, seen)


def _unchecked_by_name(part: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "properties" in part and "maxProperties" in part:
        yield "maxProperties", "calls do not check this limit of an object with fields"
    yield from ((name, "calls do not check this limit") for name in sorted(_UNCHECKED & part.keys()) if part[name])
    for name in sorted(_LIMITS & part.keys()):
        if abs(part[name]) > _LARGEST:
            yield name, "the number is too large to be exact"
    if part.get("type") == "boolean" and len(part.get("enum", (True, False))) == 1:
        yield "enum", "calls do not check this limit"
    names: Any = part.get("propertyNames")
    for name, pattern in (("pattern", part.get("pattern")), ("propertyNames", _pattern_of_names(names))):
        try:
            re.compile(pattern or "")
        except re.error as error:
            yield name, f"Python does not know this pattern: {error}"
    if names is not None and _pattern_of_names(names) is None:
        yield "propertyNames", "of names, calls check a pattern alone"


def _pattern_of_names(schema: Any) -> str | None:
    """The pattern, if a schema of names says nothing else."""
    known = cast("dict[str, Any]", schema) if isinstance(schema, dict) else {}
    return known.get("pattern") if known.keys() <= {"description", "pattern", "type"} else None


def _long_names(document: dict[str, Any]) -> Iterator[str]:
    for path, method, operation in operations(document):
        for name in (operation.get("operationId", ""), *operation.get("tags", [])):
            if len(name.encode()) > _LONGEST_NAME:
                yield f"{place(('paths', path, method))}: the name {name[:40]}... is too long for that of a file"
    for steps, schema in schemas_of(document):
        for here, _ in schemas_in(schema, steps):
            for name in here:
                if isinstance(name, str) and (not name.isprintable() or len(name.encode()) > _LONGEST_NAME):
                    yield f"{place(steps)}: the name {name[:40]!r} in it is too long, or not of printable characters"


def _can_be_met(document: dict[str, Any], requirement: dict[str, Any]) -> bool:
    schemes: dict[str, Any] = document.get("components", {}).get("securitySchemes", {})
    known = [schemes.get(name, {}) for name in requirement]
    return all(scheme.get("scheme") == "bearer" or scheme.get("in") == "header" for scheme in known)


def _repeats(document: dict[str, Any], schema: Any, seen: tuple[str, ...] = ()) -> bool:
    """Whether a schema comes back to itself by no more than lists, maps and unions."""
    if not isinstance(schema, dict):
        return False
    known = cast("dict[str, Any]", schema)
    if reference := known.get("$ref"):
        return reference in seen or _repeats(document, found_at(document, reference), (*seen, reference))
    inner = [known.get("items"), known.get("additionalProperties")]
    inner += [part for name in ("allOf", "anyOf", "oneOf") for part in known.get(name, [])]
    return any(_repeats(document, part, seen) for part in inner)


def _problems_of_schema(part: dict[str, Any]) -> Iterator[str]:
    if any(name in part for name in ("anyOf", "oneOf")) and (beside := _BESIDE & part.keys()):
        yield f"`{min(beside)}` stands beside `oneOf` or `anyOf`, and would be lost; move it into each of their schemas"
    values: list[object] = part.get("enum", [])
    if values and all(isinstance(value, str) for value in values):
        known = cast("list[str]", values)
        try:
            members = EnumProperty.values_from_list(known, _ENUM, [])
        except ValueError:
            members = {}
        if list(members.values()) != known:
            yield f"the enum {known} has members that are alike as Python names, or a quote or backslash in one"


def _operation(path: str, method: str) -> str:
    return f"{place(('paths', path, method))}: {method.upper()} {path}"


def problems_of_code(data: GeneratorData, shapes: Shapes) -> list[str]:
    """What the templates have no shape for, or would make no working code of."""
    found: list[str] = []
    for tag, collection in data.endpoint_collections_by_tag.items():
        methods = Counter(shapes.method_name(endpoint) for endpoint in collection.endpoints)
        if tag in _TAKEN_TAGS or ClassName(tag, "") in _TAKEN:
            endpoint = collection.endpoints[0]
            where = place(("paths", shapes.contract_path(endpoint), endpoint.method, "tags"))
            found.append(f"{where}: the tag {ClassName(tag, '')}: clients have something else by that name")
        urls = Counter(shapes.url_name(each) for each in collection.endpoints if shapes.has_url(each))
        names = methods + urls
        for endpoint in collection.endpoints:
            name = shapes.url_name(endpoint) if shapes.has_url(endpoint) else ""
            if names[name] > 1:
                where = _operation(shapes.contract_path(endpoint), endpoint.method)
                found.append(f"{where}: the tag {tag}: two methods would be {tag}.{name}")
        for endpoint in collection.endpoints:
            where = _operation(shapes.contract_path(endpoint), endpoint.method)
            method = shapes.method_name(endpoint)
            if methods[method] > 1 or not method.isidentifier() or iskeyword(method):
                found.append(f"{where}: its method would be {tag}.{method}, which is no name, or another's too")
            found += [f"{where}: {problem}" for problem in _endpoint_problems(endpoint, shapes)]
    for model in shapes.own_models():
        problems = [*_type_problems(fields_of(model), shapes)]
        if shapes.is_sent(model):
            problems += [*_several_limits(model, shapes), *_field_problems(model, shapes)]
        where = f"{shapes.place_of(model)}: " if problems else ""
        found += [f"{where}the schema {model.class_info.name}: {problem}" for problem in dict.fromkeys(problems)]
    for part in (*shapes.own_models(), *data.enums):
        if part.class_info.name in _TAKEN:
            name = part.class_info.name
            where = shapes.place_of(part) if isinstance(part, ModelProperty) else shapes.place_of_enum(part)
            found.append(f"{where}: the schema {name}: the generated code means something else by that name; {_RENAME}")
    return found


def _endpoint_problems(endpoint: Endpoint, shapes: Shapes) -> Iterator[str]:
    if endpoint.cookie_parameters:
        yield "it has a parameter in a cookie"
    if len(endpoint.bodies) > 1 or any(body.content_type != "application/json" for body in endpoint.bodies):
        yield "its body is not application/json, or of several media types"
        return
    for parameter in (*endpoint.path_parameters, *endpoint.query_parameters, *endpoint.header_parameters):
        yield from _parameter_problems(endpoint, parameter, shapes)
    try:
        answers = [response.prop for response in successes(endpoint)] if shapes.kind(endpoint) == "json" else []
        yield from _type_problems((*(body.prop for body in endpoint.bodies), *answers), shapes)
        if endpoint.bodies:
            shapes.body_spec(endpoint)
        for parameter in (*endpoint.path_parameters, *endpoint.query_parameters, *endpoint.header_parameters):
            shapes.parameter_spec(endpoint, parameter)
        shapes.pages_of(endpoint)
        shapes.job_of(endpoint)
    except UnsupportedError as error:
        yield str(error)


def _is_single(prop: PropertyProtocol) -> bool:
    return isinstance(prop, DateTimeProperty | EnumProperty) or type(prop) in SCALARS


def _parameter_problems(endpoint: Endpoint, parameter: PropertyProtocol, shapes: Shapes) -> Iterator[str]:
    name = parameter.name.get_untrusted_value()
    parts = shapes.alternatives_of(parameter)
    objects = [part for part in parts if isinstance(part, ModelProperty)]
    lists = [part for part in parts if isinstance(part, ListProperty)]
    fields = [field for part in objects for field in shapes.values_in(part)]
    inner = [
        part for each in (*(part.inner_property for part in lists), *fields) for part in shapes.alternatives_of(each)
    ]
    if (objects and lists) or not all(
        _is_single(part) for part in (*inner, *(each for each in parts if each not in objects + lists))
    ):
        yield f"its parameter {name!r} is no string, number, boolean or date-time, nor a list or an object of them"
    elif shapes.parameter(endpoint, parameter).get("style") == "deepObject" and objects != parts:
        yield f"its parameter {name!r} is no object, and its style is deepObject"


def _type_problems(props: Iterable[Any], shapes: Shapes) -> Iterator[str]:
    for prop in props:
        try:
            shapes.type_of(prop)
            yield from _alike(prop, shapes)
        except UnsupportedError as error:
            yield str(error)


def _field_problems(model: ModelProperty, shapes: Shapes) -> Iterator[str]:
    try:
        for prop in shapes.sent_fields(model):
            shapes.field_spec(model, prop)
    except UnsupportedError as error:
        yield str(error)


def _alike(prop: PropertyProtocol, shapes: Shapes) -> Iterator[str]:
    """The objects of a union of which each may be read as one that stands before it."""
    if isinstance(prop, ListProperty):
        yield from _alike(prop.inner_property, shapes)
    members = shapes.alternatives_of(prop)
    objects = [part for part in members if isinstance(part, ModelProperty) and not shapes.is_mapping(part)]
    if isinstance(prop, UnionProperty) and not shapes.tags_of(prop):
        for number, later in enumerate(objects):
            for earlier in objects[:number]:
                names, others = ({field.name: field for field in shapes.values_in(part)} for part in (later, earlier))
                apart = [
                    name
                    for name, field in others.items()
                    if (field.required and not (name in names and names[name].required))
                    or (name in names and names[name].required and shapes.type_of(names[name]) != shapes.type_of(field))
                ]
                if names.keys() <= others.keys() and not apart:
                    yield (
                        f"{prop.name.get_untrusted_value()}: {later.class_info.name} cannot be told from "
                        f"{earlier.class_info.name}: give them a discriminator, or other fields that are required"
                    )


def _several_limits(model: ModelProperty, shapes: Shapes) -> Iterator[str]:
    for prop in shapes.sent_fields(model):
        parts = [part for schema in shapes.schemas_of(model.data, prop.name) for part in shapes.parts_of(schema)]
        for name in ("pattern", "items"):
            said = [limit for part in parts if (limit := getattr(part, name)) is not None]
            if any(limit != said[0] for limit in said):
                yield f"{prop.name.get_untrusted_value()} has several of `{name}`, and calls check the first"
