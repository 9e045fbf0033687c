"""The document as it is read: whether it is OpenAPI at all, and what stands where by reference put in its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import date
from functools import lru_cache
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match  # pyright: ignore[reportUnknownVariableType]
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

Part = dict[str, Any]
Steps = tuple[str | int, ...]
"""The way from the root of the document to one of its parts."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# What stands there is data, in which nothing means what it would mean elsewhere.
_DATA = frozenset({"example", "examples"})
_ONE_SCHEMA = frozenset(
    {"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"}
    | {"unevaluatedItems", "unevaluatedProperties"}
)
_SCHEMAS_BY_NAME = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
_SCHEMA_LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_VALIDATORS = {"3.0": OpenAPIV30SpecValidator, "3.1": OpenAPIV31SpecValidator}
_SCHEMAS = "#/components/schemas/"
_PARAMETERS = "#/components/parameters/"
_CONDITIONS = frozenset({"if", "then", "else", "not"})
_MOST_PROBLEMS = 5
_LONGEST_PROBLEM = 300


class DocumentError(Exception):
    """The document is not OpenAPI, or refers to what is not there; says where."""


def place(steps: Steps) -> str:
    """A part of the document as overlays name it: `$.paths['/bindings'].get`."""
    return "$" + "".join(
        f".{step}" if isinstance(step, str) and re.fullmatch(r"[A-Za-z_]\w*", step) else f"[{step!r}]" for step in steps
    )


def load(path: Path) -> Any:
    """Read a YAML or JSON file. What an alias (`*name`) stands for is copied, so that it can be changed alone."""
    if path.suffix == ".json":
        return _unshared(json.loads(path.read_text("utf-8-sig")))
    return _unshared(_parsed(path.read_bytes()))


@lru_cache(maxsize=64)
def _parsed(text: bytes) -> object:
    # To compare two documents is to read the overlays, and most of the documents, more than once.
    return YAML(typ="safe").load(text)  # pyright: ignore[reportUnknownMemberType]


def _unshared(value: object) -> Any:
    """The value as JSON has it.

    Raises:
        ValueError: JSON has no form for it.
    """
    if isinstance(value, Mapping):
        given = cast("Mapping[object, object]", value)
        known = {str(key): _unshared(item) for key, item in given.items()}
        if len(known) < len(given):
            raise ValueError(f"keys are alike as strings: {', '.join(map(repr, given))}")
        return known
    if isinstance(value, list):
        return [_unshared(item) for item in cast("list[object]", value)]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"the number {value} has no form in JSON")
    if isinstance(value, str):
        value.encode()  # A lone surrogate is no text.
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError(f"JSON has no form for {value!r}")


def read_document(path: Path) -> Part:
    """Read a document of OpenAPI, with what stands somewhere by reference in its place, but for schemas.

    Raises:
        DocumentError: It is not OpenAPI.
    """
    try:
        document = load(path)
    except (OSError, YAMLError, ValueError, RecursionError) as error:
        raise DocumentError(f"it cannot be read as YAML or JSON: {error}") from error
    if not isinstance(document, dict):
        raise DocumentError(f"it is {type(document).__name__}, not an object of OpenAPI")
    known = cast("Part", document)
    validator = _VALIDATORS.get(str(known.get("openapi"))[:3])
    if validator is None:
        raise DocumentError("$.openapi: it is neither 3.0 nor 3.1")
    # What is no schema cannot be looked into, and what is no object refers to nothing.
    for problems in (_problems(validator.schema_validator, known), _of_schemas(known), _of_references(known)):
        _refuse(problems)
    if any(_references(known)):
        known = _inlined(known)
        # A reference may lead to a part of another kind.
        _refuse(_problems(validator.schema_validator, known))
    return known


def _refuse(problems: Iterator[str]) -> None:
    if found := [*islice(problems, _MOST_PROBLEMS)]:
        raise DocumentError("\n".join(found))


def _problems(validator: Any, part: object, steps: Steps = ()) -> Iterator[str]:
    for error in validator.iter_errors(part):
        known = cast("Any", best_match([error]))
        yield f"{place((*steps, *known.absolute_path))}: {known.message[:_LONGEST_PROBLEM]}"


def _of_schemas(document: Part) -> Iterator[str]:
    validator = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    for steps, schema in schemas_of(document):
        yield from _problems(validator, schema, steps)


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
        elif name not in _DATA and not name.startswith("x-"):
            yield from schemas_of(item, here)


def schemas_in(schema: Any, steps: Steps) -> Iterator[tuple[Steps, Part]]:
    """The schema and those in it, each with its place; a reference is not followed."""
    if not isinstance(schema, dict):
        return
    known = cast("Part", schema)
    yield steps, known
    for name, item in known.items():
        here = (*steps, name)
        if name in _ONE_SCHEMA:
            yield from schemas_in(item, here)
        elif name in _SCHEMAS_BY_NAME:
            for key, inner in cast("Part", item).items():
                yield from schemas_in(inner, (*here, key))
        elif name in _SCHEMA_LISTS:
            for number, inner in enumerate(cast("list[object]", item)):
                yield from schemas_in(inner, (*here, number))


def _references(part: Any, steps: Steps = ()) -> Iterator[tuple[Steps, str]]:
    """What refers to something, outside schemas."""
    if isinstance(part, list):
        for number, item in enumerate(cast("list[object]", part)):
            yield from _references(item, (*steps, number))
    if not isinstance(part, dict):
        return
    known = cast("Part", part)
    if isinstance(known.get("$ref"), str):
        yield steps, known["$ref"]
    for name, item in known.items():
        is_schema = name == "schema" or (*steps, name) == ("components", "schemas")
        if not is_schema and name not in _DATA and not name.startswith("x-"):
            yield from _references(item, (*steps, name))


def _of_references(document: Part) -> Iterator[str]:
    inner = (part for steps, schema in schemas_of(document) for part in schemas_in(schema, steps))
    named = ((steps, schema["$ref"]) for steps, schema in inner if isinstance(schema.get("$ref"), str))
    for steps, reference in (*_references(document), *named):
        try:
            followed(document, {"$ref": reference})
        except DocumentError as error:
            yield f"{place(steps)}: {error}"


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
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(target, list) and name.isdecimal() and int(name) < len(cast("list[object]", target)):
                target = cast("list[object]", target)[int(name)]
            else:
                target = cast("Part", target).get(name) if isinstance(target, dict) else None
        if not isinstance(target, dict):
            raise DocumentError(f"{reference} leads to nothing")
        part = {**cast("Part", target), **{name: item for name, item in part.items() if name != "$ref"}}
    return part


def found_at(document: dict[str, Any], reference: str) -> Any:
    """What a reference points to itself, so that it is looked at once."""
    part: Any = document
    for step in reference.removeprefix("#/").split("/"):
        part = cast("dict[str, Any]", part).get(step) if isinstance(part, dict) else None
    return part


def _inlined(document: Part) -> Part:
    """The document with all but schemas in the place of references to it; a parameter may be a component."""

    def inlined(parts: Part) -> Part:
        return {name: deepcopy(followed(document, part)) for name, part in parts.items()}

    def with_parameters(part: Part) -> None:
        if "parameters" in part:
            part["parameters"] = [
                each if each.get("$ref", "").startswith(_PARAMETERS) else deepcopy(followed(document, each))
                for each in part["parameters"]
            ]

    known = deepcopy(document)
    if "parameters" in known.get("components", {}):
        known["components"]["parameters"] = inlined(known["components"]["parameters"])
    for section in ("paths", "webhooks"):
        if section in known:
            known[section] = inlined(known[section])
        for item in known.get(section, {}).values():
            with_parameters(item)
        for _, _, operation in operations(known, section):
            with_parameters(operation)
            if "requestBody" in operation:
                operation["requestBody"] = deepcopy(followed(document, operation["requestBody"]))
            operation["responses"] = inlined(operation.get("responses", {}))
            for response in operation["responses"].values():
                response |= {name: inlined(response[name]) for name in ("headers", "links") if name in response}
    return known


def operations(document: Part, section: str = "paths") -> Iterator[tuple[str, str, Part]]:
    """The path, the method and the operation of all that the document describes."""
    paths: Part = document.get(section, {})
    for path, item in paths.items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def prepare(document: Part) -> None:
    """Say in the way that code is generated from what may be said in several, in place."""
    document["tags"] = [{**tag, "name": _as_word(tag["name"])} for tag in document.get("tags", [])]
    for _, _, operation in operations(document):
        # The security of the root holds for what has none of its own.
        operation.setdefault("security", deepcopy(document.get("security", [])))
        operation.update({name: [*map(_as_word, operation[name])] for name in ("tags",) if name in operation})
        if "requestBody" in operation:
            # A call that gives nothing sends an empty object.
            operation["requestBody"]["required"] = True
    for steps, schema in [*schemas_of(document)]:
        for here, part in [*schemas_in(schema, steps)]:
            # A constant in a condition is for a rule.
            if isinstance(part.get("const"), str) and not _CONDITIONS & {*here}:
                part.update(type="string", enum=[part.pop("const")])
            _prepare_schema(part)
            _tag(document, part)


def _as_word(tag: str) -> str:
    """A tag with its acronyms as words: `GIFs` would be `gi_fs` in Python."""
    return re.sub(r"\b([A-Z])([A-Z]+)s\b", lambda match: f"{match[1]}{match[2].lower()}s", tag)


def _prepare_schema(schema: Part) -> None:
    if "allOf" in schema and (
        beside := {name: schema.pop(name) for name in ("properties", "required") if name in schema}
    ):
        schema["allOf"] = [*schema["allOf"], {"type": "object", **beside}]
    types = schema.get("type")
    if isinstance(types, list) and "null" in types and "enum" in schema:
        kept = [each for each in cast("list[str]", types) if each != "null"]
        known = {name: schema.pop(name) for name in [*schema] if name not in {"description", "default"}}
        known |= {"type": kept[0] if len(kept) == 1 else kept}
        known["enum"] = [value for value in known["enum"] if value is not None]
        schema["anyOf"] = [known, {"type": "null"}]


def _tag(document: Part, union: Part) -> None:
    """Say at the schemas that a discriminator tells apart by which values, as `x-tags`."""
    discriminator: Part = union.get("discriminator", {})
    members: list[Part] = [*union.get("oneOf", []), *union.get("anyOf", [])]
    references = [each["$ref"] for each in members if each.get("$ref", "").startswith(_SCHEMAS)]
    mapping: dict[str, str] = discriminator.get("mapping", {})
    for reference in references if discriminator else ():
        name = reference.rpartition("/")[2]
        values = [value for value, target in mapping.items() if target in (reference, name)]
        tags: Part = found_at(document, reference).setdefault("x-tags", {})
        known: list[str] = tags.setdefault(discriminator["propertyName"], [])
        known += [value for value in values or [name] if value not in known]
