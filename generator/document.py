"""Read a document, check that it is OpenAPI, and inline all references except those to schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import date
from functools import cache, lru_cache
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match  # pyright: ignore[reportUnknownVariableType]
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from .navigation import DATA, DocumentError, Part, Steps, followed, found_at, operations, place, schemas_in, schemas_of
from .spelling import modernize

_PARAMETERS = "#/components/parameters/"
_MAX_PROBLEMS = 5
_MAX_PROBLEM_LENGTH = 300


def load(path: Path) -> Any:
    """Read a YAML or JSON file. Aliases (`*name`) become copies, so that each can be changed separately."""
    if path.suffix == ".json":
        return _unshared(json.loads(path.read_text("utf-8-sig")))
    return _unshared(_parsed(path.read_bytes()))


@lru_cache(maxsize=64)
def _parsed(text: bytes) -> object:
    # A comparison of two documents reads the overlays, and most of the documents, more than once.
    return YAML(typ="safe").load(text)  # pyright: ignore[reportUnknownMemberType]


def _unshared(value: object) -> Any:
    """Convert a value to JSON types.

    Raises:
        ValueError: If it is not serializable to JSON.
    """
    if isinstance(value, Mapping):
        mapping = cast("Mapping[object, object]", value)
        known = {str(key): _unshared(item) for key, item in mapping.items()}
        if len(known) < len(mapping):
            raise ValueError(f"keys are alike as strings: {', '.join(map(repr, mapping))}")
        return known
    if isinstance(value, list):
        return [_unshared(item) for item in cast("list[object]", value)]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"the number {value} is not serializable to JSON")
    if isinstance(value, str):
        value.encode()  # A lone surrogate cannot be encoded.
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError(f"{value!r} is not serializable to JSON")


def read_document(path: Path) -> Part:
    """Read an OpenAPI document, and inline all references except those to schemas.

    Raises:
        DocumentError: If it is not OpenAPI.
    """
    try:
        document = load(path)
    except (OSError, YAMLError, ValueError, RecursionError) as error:
        raise DocumentError(f"it cannot be read as YAML or JSON: {error}") from error
    if not isinstance(document, dict):
        raise DocumentError(f"it is {type(document).__name__}, not an object of OpenAPI")
    known = cast("Part", document)
    version = str(known.get("openapi"))[:3]
    if version not in {"3.0", "3.1"}:
        raise DocumentError("$.openapi: it is neither 3.0 nor 3.1")
    _raise_first(_problems(_validator(version), known))
    modernize(known)
    # Only valid schemas can be searched, and only objects have references.
    for problems in (_of_schemas(known), _of_references(known)):
        _raise_first(problems)
    if any(_references(known)):
        known = _inlined(known)
        # A reference may point to a part of another kind.
        _raise_first(_problems(_validator("3.1"), known))
    return known


def _raise_first(problems: Iterator[str]) -> None:
    if found := [*islice(problems, _MAX_PROBLEMS)]:
        raise DocumentError("\n".join(found))


@cache
def _validator(version: str) -> Any:
    """Return the validator of documents of a version of OpenAPI."""
    if version == "3.0":
        return OpenAPIV30SpecValidator.schema_validator
    schema: Part = {**cast("Part", OpenAPIV31SpecValidator.schema_validator.schema)}
    # A registry that is crawled beforehand is not crawled again for each reference.
    registry: Registry[Any] = Registry()
    known = registry.with_resource(schema["$id"], DRAFT202012.create_resource(schema)).crawl()
    return Draft202012Validator({"$ref": schema["$id"]}, registry=known)


def _problems(validator: Any, part: object, steps: Steps = ()) -> Iterator[str]:
    for error in validator.iter_errors(part):
        known = cast("Any", best_match([error]))
        yield f"{place((*steps, *known.absolute_path))}: {known.message[:_MAX_PROBLEM_LENGTH]}"


def _of_schemas(document: Part) -> Iterator[str]:
    validator = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    for steps, schema in schemas_of(document):
        yield from _problems(validator, schema, steps)


def _references(part: Any, steps: Steps = ()) -> Iterator[tuple[Steps, str]]:
    """Yield all references outside schemas."""
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
        if not is_schema and name not in DATA and not name.startswith("x-"):
            yield from _references(item, (*steps, name))


def _of_references(document: Part) -> Iterator[str]:
    schemas = [part for steps, schema in schemas_of(document) for part in schemas_in(schema, steps)]
    known = {id(schema) for _, schema in schemas}
    in_schemas = [(steps, schema["$ref"]) for steps, schema in schemas if isinstance(schema.get("$ref"), str)]
    for steps, reference in (*_references(document), *in_schemas):
        try:
            followed(document, {"$ref": reference})
        except DocumentError as error:
            yield f"{place(steps)}: {error}"
    for steps, reference in in_schemas:
        target = found_at(document, reference)
        if target is not None and id(target) not in known:
            yield f"{place(steps)}: {reference} is not a schema"


def _inlined(document: Part) -> Part:
    """The document with all references inlined except those to schemas; a parameter may be a component."""

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
