"""Normalize schemas, so that only differences in meaning are found, and detect keywords that became narrower."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, inf
from typing import Any, cast

from .composition import NARROWEST
from .navigation import PREFIX, Part, followed

PROSE = frozenset({"description", "example", "examples", "externalDocs", "summary", "title"})
# Keywords that describe the use of a schema, not its class.
USE = frozenset({"default", "deprecated", "nullable", "readOnly", "writeOnly"})
_MIN_KEYWORDS = frozenset({"minItems", "minLength", "minProperties"})
_MAX_KEYWORDS = frozenset({"maxItems", "maxLength", "maxProperties"})
# The inclusive bound, the exclusive bound, and the direction in which they narrow.
_SIDES = (("minimum", "exclusiveMinimum", 1), ("maximum", "exclusiveMaximum", -1))
_BOUNDS = {name: side for side in _SIDES for name in side[:2]}
_RESTRICTS = frozenset({"const", "enum", "multipleOf", "pattern", "propertyNames", "readOnly", "uniqueItems"})
# Values of keywords that are the default.
_DEFAULTS: dict[str, tuple[object, ...]] = {
    **dict.fromkeys(_MIN_KEYWORDS, (0,)),
    **dict.fromkeys(("deprecated", "nullable", "readOnly", "uniqueItems", "writeOnly"), (False,)),
    "pattern": ("", ".*"),
    "propertyNames": (True, {}, {"type": "string"}),
}
_MAX_VALUE_LENGTH = 80


@dataclass(frozen=True)
class Facet:
    """A keyword of the document whose value has changed: `maximum`, from 100 to 50.

    Attributes:
        name: The keyword.
        old: Its former value; None if there was none.
        new: Its present value; None if there is none.
        breaks: Whether callers break although the signature is the same.
    """

    name: str
    old: Any
    new: Any
    breaks: bool = False

    def __str__(self) -> str:
        return f"`{self.name}` {' → '.join(self.shown)}" if all(self.shown) else f"another `{self.name}`"

    @property
    def shown(self) -> tuple[str, str]:
        """Both values, each on one line; empty if one is too long."""
        return _shown(self.old), _shown(self.new)


def component(schema: Part) -> str:
    """The name of the component that a schema refers to; empty for an inline schema."""
    return str(schema.get("$ref", "")).removeprefix(PREFIX)


def unwrapped(schema: Part) -> Part:
    """The schema without an `allOf`, `anyOf` or `oneOf` around a single one, or around one and null."""
    for key in ("allOf", "anyOf", "oneOf"):
        parts: list[Part] = schema.get(key, [])
        kinds = parts if key == "allOf" else [part for part in parts if part.get("type") not in ("null", ["null"])]
        beside = {name: value for name, value in schema.items() if name != key}
        if len(kinds) == 1 and all(name in PROSE | USE or name.startswith("x-") for name in beside):
            null = {"nullable": True} if len(kinds) < len(parts) else {}
            return unwrapped({**kinds[0], **beside, **null})
    return schema


def resolved(document: Part, schema: Part) -> Part:
    """A schema with its reference followed, its `allOf` merged, and its keywords normalized."""
    return _normalized(_merged(document, schema))


def _merged(document: Part, schema: Part) -> Part:
    schema = unwrapped(schema)
    parts: list[Part] = schema.get("allOf", [])
    if "$ref" in schema:
        parts = [followed(document, {"$ref": schema["$ref"]})]
    if not parts:
        return schema
    merged: Part = {}
    own = {name: value for name, value in schema.items() if name not in ("$ref", "allOf")}
    for part in (*(_merged(document, each) for each in parts), own):
        for name, value in part.items():
            if name == "properties":
                merged[name] = {**merged.get(name, {}), **value}
            elif name == "required":
                merged[name] = [*merged.get(name, []), *value]
            else:
                narrowest = NARROWEST.get(name) if name in merged else None
                merged[name] = narrowest(merged[name], value) if narrowest else value
    return merged


def meaningful(part: Part) -> Part:
    """A part of the document without keywords that have their default."""
    return {name: value for name, value in part.items() if value not in _DEFAULTS.get(name, ())}


def _normalized(schema: Part) -> Part:
    known = meaningful(schema)
    types: str | list[str] = known.pop("type", [])
    names = {types} if isinstance(types, str) else {*types}
    if "null" in names or None in known.get("enum", []):
        known["nullable"] = True
    names -= {"null"} | ({"integer"} if "number" in names else set())
    if not names and "properties" in known:
        names = {"object"}
    if names:
        known["type"] = names.pop() if len(names) == 1 else sorted(names)
    if "enum" in known:
        known["enum"] = [value for value in known["enum"] if value is not None]
    if "x-rules" in known:
        known["x-rules"] = sorted(known["x-rules"], key=json.dumps)
    for side in _SIDES:
        known = _with_one_bound(known, *side)
    return known


def _with_one_bound(schema: Part, inclusive: str, exclusive: str, sign: int) -> Part:
    """The schema with only the narrower of two bounds; the bound of integers is inclusive."""
    beyond = schema.get(exclusive)
    if isinstance(beyond, bool):
        # In OpenAPI 3.0 it is a boolean that makes the other bound exclusive.
        beyond = schema.get(inclusive) if beyond else None
    if exclusive not in schema or beyond is None:
        return {name: value for name, value in schema.items() if name != exclusive}
    known = {name: value for name, value in schema.items() if name not in (inclusive, exclusive)}
    bound = schema.get(inclusive)
    if bound is not None and sign * bound > sign * beyond:
        return {**known, inclusive: bound}
    if schema.get("type") != "integer":
        return {**known, exclusive: beyond}
    return {**known, inclusive: sign * (floor(sign * beyond) + 1)}


def takes_less(name: str, old: Part, new: Part) -> bool:
    """Whether requests accept less than before because of a keyword, although the signature is the same."""
    was, value = old.get(name), new.get(name)
    if name == "additionalProperties":
        return value is False and was is not False
    if value is None:
        return False
    if name == "x-rules":
        return any(rule not in (was or []) for rule in value)
    if name in _BOUNDS:
        return _bound(new, *_BOUNDS[name]) > _bound(old, *_BOUNDS[name])
    if name in _MIN_KEYWORDS | _MAX_KEYWORDS:
        return was is None or NARROWEST[name](was, value) != was
    return name in _RESTRICTS


def _bound(schema: Part, inclusive: str, exclusive: str, sign: int) -> tuple[float, bool]:
    """A bound for comparison: greater values are narrower."""
    value = schema.get(inclusive, schema.get(exclusive))
    return (-inf if value is None else sign * value), exclusive in schema


def takes_null(schema: Part) -> bool:
    """Whether None is sent as null; otherwise it is omitted."""
    return bool(schema.get("nullable")) or not schema.keys() & {"anyOf", "const", "enum", "oneOf", "type"}


def requires_more(old: Iterable[Part], new: Iterable[Part]) -> bool:
    """Whether keys that were sufficient no longer are; each alternative lists all keys that it needs."""
    accepted = [set(each) for each in new] or [set[str]()]
    return any(not any(each <= set(was) for each in accepted) for was in (old or [{}]))


def type_of(schema: Part) -> str:
    """A short description of a schema's type."""
    if name := component(schema):
        return name
    if "allOf" in schema:
        return " and ".join(map(type_of, schema["allOf"]))
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    kind: str | list[str] = schema.get("type", "object" if "properties" in schema else "anything")
    text = kind if isinstance(kind, str) else " or ".join(kind)
    if "items" in schema:
        text = f"{text} of {type_of(schema['items'])}"
    return f"{text} ({schema['format']})" if "format" in schema else text


def _shown(value: Any) -> str:
    if value is None or value == []:
        return "none"
    values = cast("list[object]", value) if isinstance(value, list) else [cast("object", value)]
    text = ", ".join(each if isinstance(each, str) else json.dumps(each) for each in values)
    return text if len(text) <= _MAX_VALUE_LENGTH else ""
