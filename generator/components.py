"""Merge schemas that occur in several places into one component, so that they become one class.

- Schemas with the same `x-class`, which the overlay gives them, become the component of that name.
  It has the fields of all of them: the data sources of responses and of requests are one class.
- A reference that points inside a schema (`GifResponse/properties/gif`), which the generator cannot
  follow, points to the component that was made of that part.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from .navigation import PREFIX, UnsupportedError

# Keywords that may differ between schemas of one class, as they do not change the code: the first schema's are used.
# A limit that only one of them has applies to all.
_MAY_DIFFER = frozenset({"description", "default", "example", "examples"})


def gather(document: dict[str, Any]) -> None:
    """Make components of all schemas with an `x-class`, in place.

    Raises:
        UnsupportedError: If two schemas of one class contradict each other about a field.
    """
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    published: dict[str, dict[str, Any]] = {name: schema.get("properties", {}) for name, schema in schemas.items()}

    def gathered(schema: dict[str, Any]) -> dict[str, Any]:
        name = schema.get("x-class")
        if not isinstance(name, str):
            return schema
        del schema["x-class"]
        fields: dict[str, Any] = schema.get("properties", {})
        others = published.get(name, {})
        if fields and others and not fields.keys() & others.keys():
            raise UnsupportedError(
                f"$.components.schemas.{name}: an overlay gives its name to another schema (`x-class`), which has no "
                "field in common with it"
            )
        known = schemas.get(name)
        schemas[name] = schema if known is None else _merged(known, schema, name)
        return {"$ref": PREFIX + name}

    for name in list(schemas):
        schemas[name] = _mapped(schemas[name], gathered)
    document["paths"] = _mapped(document.get("paths", {}), gathered)

    def followed(schema: dict[str, Any]) -> dict[str, Any]:
        target = _target(document, schema.get("$ref"))
        return dict(target) if "$ref" in target else schema

    for name in list(schemas):
        schemas[name] = _mapped(schemas[name], followed)
    document["paths"] = _mapped(document["paths"], followed)


def unwrap(document: dict[str, Any]) -> None:
    """Move the siblings of the field that a response is reduced to (`x-unwrap`) into the schema of that field.

    Raises:
        UnsupportedError: If there is no such field, or it is not an object.
    """

    def unwrapped(schema: dict[str, Any]) -> dict[str, Any]:
        name = schema.get("x-unwrap")
        if not isinstance(name, str):
            return schema
        del schema["x-unwrap"]
        fields: dict[str, Any] = schema.get("properties", {})
        inner: dict[str, Any] = fields.get(name, {})
        target = document["components"]["schemas"].get(str(inner.get("$ref", "")).removeprefix(PREFIX), inner)
        if "properties" not in target:
            raise UnsupportedError(f"$..[?@['x-unwrap'] == {name!r}]: x-unwrap: {name} is not an object with fields")
        target["properties"] = {**{key: part for key, part in fields.items() if key != name}, **target["properties"]}
        return {**schema, "properties": {name: inner}}

    schemas = document["components"]["schemas"]
    for name in list(schemas):
        schemas[name] = _mapped(schemas[name], unwrapped)
    document["paths"] = _mapped(document["paths"], unwrapped)


def _mapped(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """A copy with `change` applied to all objects in it, the inner ones first."""
    if isinstance(value, list):
        return [_mapped(item, change) for item in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    return change({name: _mapped(item, change) for name, item in cast("dict[str, object]", value).items()})


def _target(document: dict[str, Any], reference: object) -> dict[str, Any]:
    """The target of a reference that points inside a schema; None for other references."""
    if not isinstance(reference, str) or not reference.startswith(PREFIX) or "/" not in reference[len(PREFIX) :]:
        return {}
    part: Any = document
    for step in reference.removeprefix("#/").split("/"):
        part = cast("dict[str, Any]", part).get(step) if isinstance(part, dict) else None
    return cast("dict[str, Any]", part) if isinstance(part, dict) else {}


def _merged(one: dict[str, Any], other: dict[str, Any], where: str) -> dict[str, Any]:
    if ("$ref" in one) != ("$ref" in other):
        raise UnsupportedError(
            f"{_all_of(where)}: the schemas of the class {where} disagree: one refers to another schema"
        )
    merged: dict[str, Any] = {**other, **one}
    for name in set(one) & set(other) - _MAY_DIFFER:
        first, second = one[name], other[name]
        if name == "enum":
            merged[name] = [*first, *(value for value in second if value not in first)]
        elif name == "properties":
            merged[name] = {
                field: _merged(first[field], second[field], f"{where}.{field}")
                if field in first and field in second
                else first.get(field, second.get(field))
                for field in {**first, **second}
            }
        elif name != "required" and first != second:
            raise UnsupportedError(
                f"{_all_of(where)}: the schemas of the class {where} disagree about `{name}`: {first!r} and {second!r}"
            )
    required = [field for field in one.get("required", []) if field in other.get("required", [])]
    merged.pop("required", None)
    return {**merged, "required": required} if required else merged


def _all_of(where: str) -> str:
    """All schemas of a class, as overlays name them."""
    return f"$..[?@['x-class'] == {where.partition('.')[0]!r}]"
