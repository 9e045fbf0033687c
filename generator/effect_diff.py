"""Describe how a changed keyword affects callers."""

from __future__ import annotations

from typing import Any, NamedTuple

from .navigation import Part
from .schema_diff import Facet

_VALUES = "Other values raise a ValueError: check what is passed."
_PHRASES = {
    "default": "defaults to {}",
    "enum": "one of {}",
    "exclusiveMaximum": "less than {}",
    "exclusiveMinimum": "greater than {}",
    "maxItems": "at most {} items",
    "maxLength": "at most {} characters",
    "maxProperties": "at most {} items",
    "maximum": "at most {}",
    "minItems": "at least {} items",
    "minLength": "at least {} characters",
    "minProperties": "at least {} items",
    "minimum": "at least {}",
    "multipleOf": "a multiple of {}",
    "pattern": "of the form `{}`",
    "servers": "defaults to {}",
}


class Effect(NamedTuple):
    """The effect of a change on callers.

    Attributes:
        how: Description of the change.
        advice: If callers break, how to adapt the code, and why.
    """

    how: str
    advice: str = ""


def effect_of(facet: Facet, schemes: Part) -> Effect | None:
    """Return the effect of a keyword on callers; None if a type shows it, or if it has none.

    Args:
        facet: The keyword.
        schemes: The security schemes of the document.
    """
    if facet.name == "path":
        return Effect(f"sends `{facet.new}`, was `{facet.old}`")
    if facet.name == "security":
        return _of_security(facet, schemes)
    if facet.name == "servers":
        # Clients use the first one.
        return _of_value(Facet("servers", facet.old[:1], facet.new[:1])) if facet.old[:1] != facet.new[:1] else None
    if facet.name in _PHRASES:
        return _of_value(facet)
    return _of_breaking_keyword(facet) if facet.breaks else None


def _of_value(facet: Facet) -> Effect:
    old, new = facet.shown
    if not old or not new:
        return Effect(str(facet), _VALUES)
    phrase = _PHRASES[facet.name].format(old if facet.new is None else new)
    if facet.new is None:
        return Effect(f"no longer {phrase}")
    return Effect(f"now {phrase}" if facet.old is None else f"{phrase}, was {old}", _VALUES)


def _of_security(facet: Facet, schemes: Part) -> Effect | None:
    if [*map(set, facet.old)] == [*map(set, facet.new)]:
        # Roles are granted to keys, not passed.
        return None
    needed = [each for each in facet.new if each]
    if not needed or len(needed) < len(facet.new):
        return Effect("requires no key")
    keys = " or ".join(" and ".join(_key(schemes.get(name, {}), name) for name in each) for each in needed)
    return Effect(f"requires {keys}", "The API rejects requests without it: pass it.")


def _key(scheme: dict[str, Any], name: str) -> str:
    return "the API key" if scheme.get("scheme") == "bearer" else f"the key `{scheme.get('name', name)}`"


def _of_breaking_keyword(facet: Facet) -> Effect | None:
    match facet.name:
        case "nullable" if facet.new:
            return Effect("sends None as null, and omitted it before", "Do not pass None to omit it.")
        case "nullable":
            return Effect("does not send None as null any more", "The API takes no null: do not pass None to clear it.")
        case "name":
            return Effect(
                f"is `{facet.new}` in mappings, was `{facet.old}`",
                "The API does not know the former name: rename the key of mappings.",
            )
        case "additionalProperties":
            return Effect(
                "accepts no other fields",
                "The API rejects unknown fields: do not send them in mappings or `additional_properties`.",
            )
        case "readOnly":
            return Effect("is not in requests any more", "The API sets it: do not pass it.")
        case "writeOnly":
            return Effect("is not in responses any more", "The API does not return it: do not read it.")
        case "x-rules":
            return Effect(
                "limits further which fields go together", "Other objects raise a ValueError: check what is passed."
            )
        case _:
            return Effect(str(facet), _VALUES)
