"""Merge composed schemas, the siblings of a reference and the parts of an `allOf`, into one schema.

The generator ignores the siblings of a reference, and supports `allOf` for objects only. After merging, the only
composed schemas are references in an `allOf` with annotations: fields that have their own description.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from .navigation import (
    ANNOTATIONS,
    ONE_SCHEMA,
    PREFIX,
    SCHEMA_LISTS,
    SCHEMAS_BY_NAME,
    Part,
    Steps,
    UnsupportedError,
    final_reference,
    found_at,
    place,
    schemas_of,
)

NARROWEST: dict[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("exclusiveMinimum", "minimum", "minItems", "minLength", "minProperties"), max),
    **dict.fromkeys(("exclusiveMaximum", "maximum", "maxItems", "maxLength", "maxProperties"), min),
}
"""Combine two limits."""

_ACCESS = frozenset({"readOnly", "writeOnly"})
# Keywords of a component that do not apply to schemas composed of it.
_OF_COMPONENT = frozenset({"discriminator", "x-class", "x-mixin", "x-unwrap"})
_OF_OBJECT = frozenset({"default", "description", "example", "examples", "title"})


def compose(document: Part) -> None:
    """Merge each schema that has an `allOf`, or siblings of a reference, into one, in place.

    Raises:
        UnsupportedError: If its parts contradict each other, or it contains itself.
    """
    composer = _Composer(document)
    composed = [(schema, composer.composed(schema, steps, ())) for steps, schema in schemas_of(document)]
    for schema, other in composed:
        if isinstance(schema, dict):
            cast("Part", schema).clear()
            cast("Part", schema).update(other)
    schemas: Part = document.get("components", {}).get("schemas", {})
    # References to a component that is only a reference now point to its target.
    for name in [name for name in schemas if final_reference(document, PREFIX + name) != PREFIX + name]:
        del schemas[name]


class _Composer:
    def __init__(self, document: Part) -> None:
        self._document = document

    def composed(self, schema: Any, steps: Steps, seen: tuple[str, ...], *, described: bool = True) -> Any:
        """The schema with all schemas in it merged; `described` is whether its annotations are used."""
        if not isinstance(schema, dict):
            return schema
        known = cast("Part", schema)
        if "$ref" in known or "allOf" in known:
            try:
                known, seen = self._as_one(known, seen, described=described)
            except UnsupportedError as error:
                raise UnsupportedError(f"{place(steps)}: {error}") from error
        return {name: self._inside(name, value, (*steps, name), seen) for name, value in known.items()}

    def _inside(self, name: str, value: Any, steps: Steps, seen: tuple[str, ...]) -> Any:
        if name in ONE_SCHEMA:
            return self.composed(value, steps, seen, described=False)
        if name in SCHEMAS_BY_NAME and isinstance(value, dict):
            return {key: self.composed(each, (*steps, key), seen) for key, each in cast("Part", value).items()}
        if name in SCHEMA_LISTS:
            parts = enumerate(cast("list[object]", value))
            return [self.composed(each, (*steps, number), seen, described=False) for number, each in parts]
        return value

    def _as_one(self, schema: Part, seen: tuple[str, ...], *, described: bool) -> tuple[Part, tuple[str, ...]]:
        """The merged schema, and the references that were resolved in it and around it."""
        parts = [*self._parts(schema)]
        known = [part for part in parts if not part.keys() <= ANNOTATIONS | _ACCESS]
        distinct = [part for number, part in enumerate(known) if part not in known[:number]]
        if len(distinct) == 1 and "$ref" in distinct[0]:
            beside = {name: value for part in reversed(parts) for name, value in part.items() if name != "$ref"}
            return ({"allOf": distinct, **beside} if beside and described else distinct[0]), seen
        expanded = [each for part in parts for each in self._expanded(part, seen)]
        merged = _merged(expanded)
        references = [part for part in distinct if "$ref" in part]
        if references and "properties" in merged:
            return _object_of(parts, references, merged), seen
        return merged, (*seen, *(part["$ref"] for part in references))

    def _parts(self, schema: Part) -> Iterator[Part]:
        """The parts of a schema: its own keywords, its reference, and its `allOf`."""
        if own := {name: value for name, value in schema.items() if name not in ("$ref", "allOf")}:
            yield own
        if "$ref" in schema:
            yield {"$ref": final_reference(self._document, schema["$ref"])}
        for part in schema.get("allOf", []):
            if part is False:
                raise UnsupportedError("no value meets its `allOf`, a part of which is false; remove it, in an overlay")
            yield from self._parts(part)

    def _expanded(self, part: Part, seen: tuple[str, ...]) -> list[Part]:
        """The parts of a reference's target; a part without a reference itself."""
        if "$ref" not in part:
            return [part]
        reference: str = part["$ref"]
        if reference in seen:
            raise UnsupportedError(
                f"it is a part of itself, by {reference}; refer to it with nothing beside the reference, in an overlay"
            )
        target = cast("Part", found_at(self._document, reference))
        known = [each for inner in self._parts(target) for each in self._expanded(inner, (*seen, reference))]
        is_object = any("properties" in each for each in known)
        left_out = _OF_COMPONENT | _OF_OBJECT if is_object else _OF_COMPONENT
        return [{name: value for name, value in each.items() if name not in left_out} for each in known]


def _object_of(parts: list[Part], references: list[Part], merged: Part) -> Part:
    """An object that is composed of others: its fields keep their classes, and it has the rules of all of them."""
    own = _merged([part for part in parts if "$ref" not in part])
    beside = {name: own.pop(name) for name in [*own] if name in ANNOTATIONS}
    beside |= {name: merged[name] for name in ("x-rules",) if name in merged}
    return {**beside, "allOf": [*references, *([{"type": "object", **own}] if own else [])]}


def _merged(parts: list[Part]) -> Part:
    merged: Part = {}
    for part in parts:
        for name, value in part.items():
            if name in merged and merged[name] != value:
                merged[name] = _together(name, merged[name], value)
            else:
                merged.setdefault(name, value)
    return merged if "type" in merged or "properties" not in merged else {"type": "object", **merged}


def _together(name: str, first: Any, second: Any) -> Any:
    """Combine two values of a keyword into one that enforces both.

    Raises:
        UnsupportedError: If they contradict each other, or no single value enforces both.
    """
    if name in NARROWEST:
        return NARROWEST[name](first, second)
    if name in ("required", "x-rules"):
        return [*first, *(each for each in second if each not in first)]
    if name in _ACCESS | {"uniqueItems"}:
        return first or second
    if name == "properties":
        shared = {key: {"allOf": [first[key], second[key]]} for key in first if key in second}
        return {**first, **second, **shared}
    if name in ("additionalProperties", "items", "propertyNames"):
        # True is not a limit; false is the narrowest one.
        known: list[Any] = [each for each in (first, second) if each is not True]
        return False if False in known else {"allOf": known}
    if name == "type" and (kinds := _types(first, second)):
        return kinds[0] if len(kinds) == 1 else kinds
    if name == "enum" and (values := [value for value in first if value in second]):
        return values
    if name in ANNOTATIONS or name.startswith("x-"):
        return first
    raise UnsupportedError(
        f"its parts (`allOf`, or the siblings of `$ref`) disagree about `{name}`: {first!r:.80} and "
        f"{second!r:.80}; leave one of them, in an overlay"
    )


def _types(first: str | list[str], second: str | list[str]) -> list[str]:
    """The types that both allow; integers are numbers."""
    one, other = ([each] if isinstance(each, str) else each for each in (first, second))
    both = [each for each in one if each in other or (each == "integer" and "number" in other)]
    return both + [each for each in other if each == "integer" and "number" in one and each not in both]
