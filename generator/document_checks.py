"""Checks for parts of a document that are unsupported or would be ignored."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from keyword import iskeyword
from pathlib import Path
from typing import Any, cast

from openapi_python_client.parser.properties import Class, EnumProperty
from openapi_python_client.strings import ClassName, PythonIdentifier

from .checking import STYLES
from .naming import server_url
from .navigation import (
    SCHEMA_LISTS,
    SCHEMAS_BY_NAME,
    Steps,
    followed,
    found_at,
    operations,
    place,
    schemas_in,
    schemas_of,
)

# Limits of a request's values that the SDK does not validate.
_UNCHECKED = frozenset(
    {"contains", "dependentSchemas", "else", "if", "minProperties", "multipleOf", "not", "patternProperties"}
    | {"prefixItems", "then", "unevaluatedItems", "unevaluatedProperties", "uniqueItems"}
)
_LIMITS = frozenset(
    {"exclusiveMaximum", "exclusiveMinimum", "maxItems", "maxLength", "maxProperties", "maximum", "minItems"}
    | {"minLength", "minimum"}
)
# Keywords that would be lost beside `oneOf` and `anyOf`.
_BESIDE = frozenset({"allOf", "properties", "required"})
_FALSE = "no value meets this schema; remove the part that it describes, in an overlay"
_MAX_EXACT_INTEGER = 2**53
# A file name has at most 255 bytes, including the prefix and suffix that are added.
_MAX_NAME_LENGTH = 200
_RESULTS = Path(__file__).parent.parent / "pictify_client" / "_runtime" / "results.py"
_ENUM = Class(name=ClassName("Enum", ""), module_name=PythonIdentifier("enum", ""))


def problems_of_document(document: dict[str, Any]) -> list[str]:
    """Yield the parts that the generator requires and the document lacks, and those that it would ignore."""
    servers: list[dict[str, Any]] = document.get("servers", [])
    found: list[str] = [] if servers else ["$.servers: the document has no server"]
    if servers and not re.match(r"https?://[^/{}\s]+[^{}\s]*$", server_url(servers[0])):
        found.append(f"$.servers[0].url: {servers[0]['url']} is not the complete URL of a server")
    names: defaultdict[str, list[str]] = defaultdict(list)
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path, method, operation in operations(document):
        where = operation_place(path, method)
        name = operation.get("operationId")
        if name is None:
            found.append(f"{where}: it has no operationId, from which the name of its function is derived")
        else:
            names[str(PythonIdentifier(name, "field_"))].append(name)
            places[str(PythonIdentifier(name, "field_"))].append(place(("paths", path, method, "operationId")))
        if not re.fullmatch(r"/[^\s\"'\\`<>^|?#]*", path) or not path.isprintable():
            found.append(f"{where}: its path has a character that is invalid in a URL")
        problems = _problems_of_operation(document, path, method)
        found += [problem if problem.startswith("$") else f"{where}: {problem}" for problem in problems]
    for key, alike in names.items():
        if len(alike) > 1:
            spellings = " and ".join(dict.fromkeys(map(repr, alike)))
            where = " and ".join(places[key])
            found.append(f"{where}: the operationId {spellings} occurs {len(alike)} times as a Python name")
    found += [f"$.webhooks: the events have {each}" for each in _problems_of_members([*document.get("webhooks", {})])]
    found += _long_names(document)
    for steps, schema in schemas_of(document):
        if _repeats(document, schema):
            found.append(f"{place(steps)}: it refers to itself with no field between")
        if schema is False:
            found.append(f"{place(steps)}: {_FALSE}")
        for here, part in schemas_in(schema, steps):
            found += [f"{place(here)}: {problem}" for problem in _problems_of_schema(part)]
            found += [f"{place((*here, *inner))}: {_FALSE}" for inner in _false_in(part)]
    return [*dict.fromkeys(found)]


def _problems_of_operation(document: dict[str, Any], path: str, method: str) -> Iterator[str]:
    item = document["paths"][path]
    operation = item[method]
    here: Steps = ("paths", path, method)
    if "responses" not in operation:
        yield "it has no responses"
    seconds: object = operation.get("x-timeout", 1)
    if not isinstance(seconds, int | float) or seconds <= 0:
        yield "`x-timeout` is not a number of seconds"
    yield from _problems_of_wait(operation, path)
    signed_with: object = operation.get("x-signed-with", "")
    if signed_with and (f"{{{signed_with}}}" not in path or "requestBody" not in operation):
        yield f"`x-signed-with` is {signed_with!r}, not a parameter in the path of an operation that has a body"
    if operation.get("security") and not any(_can_be_met(document, each) for each in operation["security"]):
        yield "no client supports its security (a bearer token, a key in a header, none)"
    for steps, part in ((("paths", path), item), (here, operation)):
        for server in part.get("servers", [])[:1]:
            if server_url(server) != server_url(document["servers"][0]):
                yield f"{place((*steps, 'servers'))}: it has its own server, but a client has only one"
    for steps, part in ((("paths", path), item), (here, operation)):
        for number, parameter in enumerate(part.get("parameters", [])):
            yield from _problems_of_parameter(document, parameter, (*steps, "parameters", number))
    content: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
    for media, body in content.items():
        yield from _unchecked(document, body.get("schema"), (*here, "requestBody", "content", media, "schema"), set())


def _problems_of_wait(operation: dict[str, Any], path: str) -> Iterator[str]:
    if "x-wait" not in operation:
        return
    wait: object = operation["x-wait"]
    parts = cast("dict[str, object]", wait) if isinstance(wait, dict) else {}
    name, summary = parts.get("name"), parts.get("summary")
    if not isinstance(name, str) or not isinstance(summary, str):
        yield "`x-wait` is not an object with a `name` and a `summary`"
    elif not name.isidentifier() or iskeyword(name):
        yield f"`x-wait` has the name {name!r}, which is not a valid name of a method"
    elif path.count("{") != 1:
        yield "`x-wait` needs a path with one parameter, the id"


def _problems_of_parameter(document: dict[str, Any], part: dict[str, Any], steps: Steps) -> Iterator[str]:
    parameter = followed(document, part)
    name, where = parameter["name"], parameter["in"]
    if "schema" not in parameter:
        yield f"its parameter {name!r} has no schema"
        return
    if parameter["schema"] is False:
        return
    schema = followed(document, parameter["schema"])
    if "style" in parameter and parameter["style"] not in STYLES.get(where, ()):
        yield f"{place(steps)}: its parameter {name!r} has a style that calls do not support"
    if where == "query" and parameter.get("required") and schema.get("format") == "password":
        yield f"{place(steps)}: its parameter {name!r} is a secret in the query, which calls do not send"
    items = schema.get("items")
    if isinstance(items, dict) and _may_be_null(document, cast("dict[str, Any]", items)):
        yield f"{place((*steps, 'schema', 'items'))}: it may be null, which URLs and headers cannot express"
    yield from _unchecked(document, parameter["schema"], (*steps, "schema"), set())


def _may_be_null(document: dict[str, Any], schema: dict[str, Any]) -> bool:
    known = followed(document, schema)
    parts: list[dict[str, Any]] = [*known.get("anyOf", []), *known.get("oneOf", [])]
    return "null" in known.get("type", "") or any(_may_be_null(document, each) for each in parts)


def _unchecked(document: dict[str, Any], schema: Any, steps: Steps, seen: set[int]) -> Iterator[str]:
    """Yield the limits in a request that the SDK does not validate, each with its place."""
    for here, part in schemas_in(schema, steps):
        if id(part) in seen:
            continue
        seen.add(id(part))
        if part.get("readOnly"):
            seen |= {id(inner) for _, inner in schemas_in(part, here)}
            continue
        yield from (f"{place((*here, name))}: {problem}" for name, problem in _unchecked_by_name(part))
        if not {"allOf", "propertyNames"} & {*here}:
            yield from (f"{place((*here, name))}: {problem}" for name, problem in _unchecked_without_kind(part))
        if "$ref" in part:
            target: Steps = tuple(part["$ref"].removeprefix("#/").split("/"))
            yield from _unchecked(document, found_at(document, part["$ref"]), target, seen)


def _unchecked_without_kind(part: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the limits of a schema without a type."""
    if part.get("required") and not part.keys() & {"allOf", "properties"}:
        yield "required", "calls do not check which keys an object without `properties` has; add them, in an overlay"
    if not part.keys() & {"$ref", "allOf", "anyOf", "enum", "oneOf", "type"}:
        for name in sorted((_LIMITS | {"pattern"}) & part.keys()):
            yield name, "calls do not check this limit without a `type` beside it; add it, in an overlay"


def _unchecked_by_name(part: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "properties" in part and "maxProperties" in part:
        yield "maxProperties", "calls do not check this limit of an object with fields"
    yield from ((name, "calls do not check this limit") for name in sorted(_UNCHECKED & part.keys()) if part[name])
    for name in sorted(_LIMITS & part.keys()):
        if abs(part[name]) > _MAX_EXACT_INTEGER:
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
        yield "propertyNames", "of names, calls check only a pattern"


def _pattern_of_names(schema: Any) -> str | None:
    """The pattern, if a schema of names has no other keyword."""
    known = cast("dict[str, Any]", schema) if isinstance(schema, dict) else {}
    return known.get("pattern") if known.keys() <= {"description", "pattern", "type"} else None


def _long_names(document: dict[str, Any]) -> Iterator[str]:
    for path, method, operation in operations(document):
        for name in (operation.get("operationId", ""), *operation.get("tags", [])):
            if len(name.encode()) > _MAX_NAME_LENGTH:
                yield f"{place(('paths', path, method))}: the name {name[:40]}... is too long for that of a file"
    for steps, schema in schemas_of(document):
        for here, _ in schemas_in(schema, steps):
            for name in here:
                if isinstance(name, str) and (not name.isprintable() or len(name.encode()) > _MAX_NAME_LENGTH):
                    yield f"{place(steps)}: the name {name[:40]!r} in it is too long, or not of printable characters"


def _can_be_met(document: dict[str, Any], requirement: dict[str, Any]) -> bool:
    schemes: dict[str, Any] = document.get("components", {}).get("securitySchemes", {})
    known = [schemes.get(name, {}) for name in requirement]
    return all(scheme.get("scheme") == "bearer" or scheme.get("in") == "header" for scheme in known)


def _repeats(document: dict[str, Any], schema: Any, seen: tuple[str, ...] = ()) -> bool:
    """Whether a schema is recursive through lists, maps and unions only."""
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
        yield f"`{min(beside)}` is a sibling of `oneOf` or `anyOf`, and would be lost; move it into each schema"
    values: list[object] = part.get("enum", [])
    if part.get("enum") == []:
        yield "its `enum` is empty, so no value meets it; remove it, or the part that it describes, in an overlay"
    if values and all(isinstance(value, str) for value in values):
        yield from (f"the enum {values} has {problem}" for problem in _problems_of_members(cast("list[str]", values)))
    mixin: object = part.get("x-mixin")
    if mixin is not None and f"\nclass {mixin}(" not in _RESULTS.read_text("utf-8"):
        yield f"`x-mixin` is {mixin!r}, not a class of {_RESULTS.name}"
    aliases: object = part.get("x-aliases", [])
    if not isinstance(aliases, list) or not all(isinstance(each, str) for each in cast("list[object]", aliases)):
        yield "`x-aliases` is not a list of names"


def _false_in(part: dict[str, Any]) -> Iterator[Steps]:
    """Yield the schemas that no value meets, except those which exclude further fields or items."""
    for name, value in part.items():
        if name in ("items", "not") and value is False:
            yield (name,)
        if name in SCHEMAS_BY_NAME and isinstance(value, dict):
            yield from ((name, key) for key, inner in cast("dict[str, object]", value).items() if inner is False)
        if name in SCHEMA_LISTS and isinstance(value, list):
            yield from ((name, number) for number, inner in enumerate(cast("list[object]", value)) if inner is False)


def _problems_of_members(values: list[str]) -> Iterator[str]:
    """Yield the reasons why strings cannot be the members of an enum."""
    try:
        members = EnumProperty.values_from_list(values, _ENUM, [])
    except ValueError:
        members = {}
    if len(members) < len(values):
        yield "values that are the same as Python names; remove all but one, or the enum, in an overlay"
    elif [json.loads(f'"{value}"') for value in members.values()] != values:
        yield "a value with characters that are not printable; remove it, or the enum, in an overlay"


def operation_place(path: str, method: str) -> str:
    """The place of an operation, for a message."""
    return f"{place(('paths', path, method))}: {method.upper()} {path}"
