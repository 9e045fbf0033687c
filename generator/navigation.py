"""Parts of a document: where they are, and what they refer to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import unquote

Part = dict[str, Any]
Steps = tuple[str | int, ...]
"""The way from the root of the document to one of its parts."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
PREFIX = "#/components/schemas/"
"""What references to schemas of components begin with."""
# What stands there is data, in which nothing means what it would mean elsewhere.
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
    """The document is not OpenAPI, or refers to what is not there; says where."""


class UnsupportedError(Exception):
    """Code cannot be generated from a part of the document; says which, and what to do."""


def place(steps: Steps) -> str:
    """A part of the document as overlays name it: `$.paths['/bindings'].get`."""
    return "$" + "".join(
        f".{step}" if isinstance(step, str) and re.fullmatch(r"[A-Za-z_]\w*", step) else f"[{step!r}]" for step in steps
    )


def place_at(reference: str) -> str:
    """What a reference points to, as overlays name it."""
    return place(tuple(_steps(reference)))


def mark_places(document: Part) -> None:
    """Say in each schema where it is, as `x-place`, in place."""
    for steps, schema in schemas_of(document):
        for here, part in schemas_in(schema, steps):
            part["x-place"] = place(here)


def _steps(reference: str) -> list[str]:
    """The steps of a JSON pointer in a reference."""
    return [unquote(step).replace("~1", "/").replace("~0", "~") for step in reference.removeprefix("#/").split("/")]


def schemas_of(part: Any, steps: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """All schemas of a document that are in no other, each with its place."""
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
    """The schema and those in it, each with its place; a reference is not followed."""
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
    """The part itself, or what it refers to, with what stands beside the reference.

    Raises:
        DocumentError: It refers to nothing, to itself, or out of the document.
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
    """The reference that one leads to: to a component that is no more than a reference itself, that one's."""
    target = found_at(document, reference)
    while target and "$ref" in target and target.keys() <= {"$ref"}:
        reference = target["$ref"]
        target = found_at(document, reference)
    return reference


def parts_of(document: Part, schema: Part) -> Iterator[Part]:
    """A schema, and those that it is made of."""
    known = followed(document, schema)
    yield known
    for part in known.get("allOf", []):
        yield from parts_of(document, part)


def operations(document: Part, section: str = "paths") -> Iterator[tuple[str, str, Part]]:
    """The path, the method and the operation of all that the document describes."""
    paths: Part = document.get(section, {})
    for path, item in paths.items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]
