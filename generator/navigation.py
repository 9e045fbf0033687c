"""Find parts of a document, and follow references."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import unquote

Part = dict[str, Any]
Steps = tuple[str | int, ...]
"""The path from the root of the document to one of its parts."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
PREFIX = "#/components/schemas/"
"""Prefix of references to component schemas."""
# Their values are data, not schemas.
DATA = frozenset({"example", "examples"})
ONE_SCHEMA = frozenset(
    {"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"}
    | {"unevaluatedItems", "unevaluatedProperties"}
)
SCHEMAS_BY_NAME = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
ANNOTATIONS = frozenset(
    {"$comment", "default", "deprecated", "description", "example", "examples", "externalDocs", "title", "xml"}
)
"""Keywords that describe a schema, and limit nothing."""
SCHEMA_LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})


class DocumentError(Exception):
    """The document is not OpenAPI, or has a dangling reference; the message says where."""


class UnsupportedError(Exception):
    """Code cannot be generated from a part of the document; the message says from which, and what to do."""


def place(steps: Steps) -> str:
    """The place of a part as a JSONPath, as in overlays: `$.paths['/bindings'].get`."""
    return "$" + "".join(
        f".{step}" if isinstance(step, str) and re.fullmatch(r"[A-Za-z_]\w*", step) else f"[{step!r}]" for step in steps
    )


def place_at(reference: str) -> str:
    """The target of a reference as a JSONPath, as in overlays."""
    return place(tuple(_steps(reference)))


def mark_places(document: Part) -> None:
    """Record in each schema where it is, as `x-place`, in place."""
    for steps, schema in schemas_of(document):
        for here, part in schemas_in(schema, steps):
            part["x-place"] = place(here)


def _steps(reference: str) -> list[str]:
    """The steps of a JSON pointer in a reference."""
    return [unquote(step).replace("~1", "/").replace("~0", "~") for step in reference.removeprefix("#/").split("/")]


def schemas_of(part: Any, steps: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Yield all outermost schemas of a document, each with its place."""
    if isinstance(part, list):
        for number, item in enumerate(cast("list[object]", part)):
            yield from schemas_of(item, (*steps, number))
    if not isinstance(part, dict):
        return
    for name, item in cast("Part", part).items():
        here = (*steps, name)
        if name == "schema":
            yield here, item
        elif here == ("components", "schemas"):
            yield from (((*here, key), schema) for key, schema in cast("Part", item or {}).items())
        elif name not in DATA and not name.startswith("x-"):
            yield from schemas_of(item, here)


def schemas_in(schema: Any, steps: Steps) -> Iterator[tuple[Steps, Part]]:
    """Yield the schema and those in it, each with its place; references are not followed."""
    if not isinstance(schema, dict):
        return
    known = cast("Part", schema)
    yield steps, known
    for name, item in known.items():
        here = (*steps, name)
        if name in ONE_SCHEMA:
            yield from schemas_in(item, here)
        elif name in SCHEMAS_BY_NAME and isinstance(item, dict):
            for key, inner in cast("Part", item).items():
                yield from schemas_in(inner, (*here, key))
        elif name in SCHEMA_LISTS and isinstance(item, list):
            for number, inner in enumerate(cast("list[object]", item)):
                yield from schemas_in(inner, (*here, number))


def followed(document: Part, part: Part) -> Part:
    """The part itself, or the target of its reference, with the siblings of the reference.

    Raises:
        DocumentError: If it refers to nothing, to itself, or to another document.
    """
    seen: list[str] = []
    while isinstance(reference := part.get("$ref"), str):
        if not reference.startswith("#/"):
            raise DocumentError(f"{reference} is not in this document")
        if reference in seen:
            raise DocumentError(f"{reference} refers to itself")
        seen.append(reference)
        target = found_at(document, reference)
        if target is None:
            raise DocumentError(f"{reference} leads to nothing")
        part = {**target, **{name: item for name, item in part.items() if name != "$ref"}}
    return part


def found_at(document: Part, reference: str) -> Part | None:
    """The object of the document that a reference points to; None if there is none."""
    target: Any = document
    for name in _steps(reference):
        if isinstance(target, list) and name.isdecimal() and int(name) < len(cast("list[object]", target)):
            target = cast("list[object]", target)[int(name)]
        else:
            target = cast("Part", target).get(name) if isinstance(target, dict) else None
    return cast("Part", target) if isinstance(target, dict) else None


def final_reference(document: Part, reference: str) -> str:
    """The final reference of a chain: if a component is only a reference itself, its target."""
    target = found_at(document, reference)
    while target and "$ref" in target and target.keys() <= {"$ref"}:
        reference = target["$ref"]
        target = found_at(document, reference)
    return reference


def parts_of(document: Part, schema: Part) -> Iterator[Part]:
    """Yield a schema, and those that it is composed of."""
    known = followed(document, schema)
    yield known
    for part in known.get("allOf", []):
        yield from parts_of(document, part)


def operations(document: Part, section: str = "paths") -> Iterator[tuple[str, str, Part]]:
    """Yield path, method and operation of all operations of the document."""
    paths: Part = document.get(section, {})
    for path, item in paths.items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]
