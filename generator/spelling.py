"""Normalize equivalent notations of OpenAPI and JSON Schema to the one that code is generated from."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any, cast

from .navigation import (
    ANNOTATIONS,
    DATA,
    ONE_SCHEMA,
    SCHEMA_LISTS,
    SCHEMAS_BY_NAME,
    Part,
    followed,
    operations,
    schemas_in,
    schemas_of,
)

_NULL = {"type": "null"}
_CONDITIONS = frozenset({"if", "then", "else", "not"})
# Headers that other parts of a document define.
_IGNORED = frozenset({"accept", "authorization", "content-type"})
# In these keywords, true and false have their own meaning.
_MAY_BE_BOOLEAN = frozenset({"additionalProperties", "unevaluatedItems", "unevaluatedProperties"})


def modernize(document: Part) -> None:
    """Convert the keywords of OpenAPI 3.0 to those of 3.1, and schemas that are true to empty ones, in place."""
    document["openapi"] = "3.1.0"
    _allow_everything(document.get("components", {}).get("schemas"))
    _open_schemas(document)
    for steps, schema in [*schemas_of(document)]:
        for _, part in [*schemas_in(schema, steps)]:
            for name, value in [*part.items()]:
                if name in SCHEMAS_BY_NAME | SCHEMA_LISTS:
                    _allow_everything(value)
                elif name in ONE_SCHEMA - _MAY_BE_BOOLEAN and value is True:
                    part[name] = {}
            for name, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
                if isinstance(part.get(name), bool) and part.pop(name) and inclusive in part:
                    part[name] = part.pop(inclusive)
            if part.pop("nullable", False) is True:
                _allow_null(part)


def _open_schemas(part: Any) -> None:
    """Replace each `schema` that is true with an empty schema."""
    if isinstance(part, list):
        for item in cast("list[object]", part):
            _open_schemas(item)
    if isinstance(part, dict):
        known = cast("Part", part)
        if known.get("schema") is True:
            known["schema"] = {}
        for name, item in known.items():
            if name not in DATA and name != "schema":
                _open_schemas(item)


def _allow_everything(schemas: Any) -> None:
    """Replace each schema that is true, in an object or a list of schemas, with an empty one."""
    keys: list[Any] = []
    if isinstance(schemas, dict):
        keys = [*cast("Part", schemas)]
    elif isinstance(schemas, list):
        keys = [*range(len(cast("list[object]", schemas)))]
    for key in keys:
        if schemas[key] is True:
            schemas[key] = {}


def _allow_null(schema: Part) -> None:
    types = schema.get("type")
    if "enum" in schema and isinstance(schema["enum"], list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    if isinstance(types, str | list):
        known = [types] if isinstance(types, str) else cast("list[str]", types)
        schema["type"] = [*dict.fromkeys([*known, "null"])]
    elif "anyOf" in schema or "oneOf" in schema:
        name = "anyOf" if "anyOf" in schema else "oneOf"
        schema[name] = [*schema[name], _NULL]
    elif "$ref" in schema or "allOf" in schema:
        inner = {name: schema.pop(name) for name in [*schema] if name not in ANNOTATIONS}
        schema["anyOf"] = [inner, _NULL]


def prepare(document: Part) -> None:
    """Normalize equivalent notations of OpenAPI, in place."""
    document["tags"] = [{**tag, "name": _as_word(tag["name"])} for tag in document.get("tags", [])]
    for path_item in document.get("paths", {}).values():
        _drop_headers(document, path_item)
    for _, _, operation in operations(document):
        _drop_headers(document, operation)
        # The security of the root applies to operations without their own.
        operation.setdefault("security", deepcopy(document.get("security", [])))
        operation.update({name: [*map(_as_word, operation[name])] for name in ("tags",) if name in operation})
    for steps, schema in [*schemas_of(document)]:
        # The inner ones first, as a union of unions may have only null.
        for here, part in reversed([*schemas_in(schema, steps)]):
            # A constant in a condition belongs to a rule.
            if isinstance(part.get("const"), str) and not _CONDITIONS & {*here}:
                part.update(type="string", enum=[part.pop("const")])
            _collapse_null(part)
            _separate_null(part)


def require_objects(document: Part) -> None:
    """Require the bodies that are objects, in place: a call without any of their fields sends an empty object."""
    for _, _, operation in operations(document):
        body: Part = operation.get("requestBody", {"content": {}})
        schemas = [followed(document, each["schema"]) for each in body["content"].values() if "schema" in each]
        if any({"allOf", "properties"} & schema.keys() for schema in schemas):
            body["required"] = True


def _as_word(tag: str) -> str:
    """A tag with its acronyms as words: `GIFs` would be `gi_fs` in Python."""
    return re.sub(r"\b([A-Z])([A-Z]+)s\b", lambda match: f"{match[1]}{match[2].lower()}s", tag)


def _drop_headers(document: Part, part: Part) -> None:
    """Drop the parameters that OpenAPI says to ignore, because other parts of the document define these headers."""
    if "parameters" in part:
        known = [(each, followed(document, each)) for each in part["parameters"]]
        part["parameters"] = [
            each
            for each, parameter in known
            if parameter["in"] != "header" or parameter["name"].lower() not in _IGNORED
        ]


def _collapse_null(schema: Part) -> None:
    """Declare the type null for a union or a list of types that has nothing else."""
    for name in ("anyOf", "oneOf"):
        parts: list[Any] = schema.get(name, [])
        if parts and all(isinstance(each, dict) and cast("Part", each).get("type") == "null" for each in parts):
            del schema[name]
            schema["type"] = "null"
    if schema.get("type") == ["null"]:
        schema["type"] = "null"


def _separate_null(schema: Part) -> None:
    """Move null from an enum into the type."""
    types = schema.get("type")
    if isinstance(types, list) and "null" in types and "enum" in schema:
        kept = [each for each in cast("list[str]", types) if each != "null"]
        known = {name: schema.pop(name) for name in [*schema] if name not in {"description", "default"}}
        known |= {"type": kept[0] if len(kept) == 1 else kept}
        known["enum"] = [value for value in known["enum"] if value is not None]
        schema["anyOf"] = [known, {"type": "null"}]
