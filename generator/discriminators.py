"""Resolve discriminators: the schema of a union for each value."""

from __future__ import annotations

from typing import Any

from .navigation import (
    PREFIX,
    Part,
    UnsupportedError,
    final_reference,
    followed,
    parts_of,
    place,
    schemas_in,
    schemas_of,
)


def resolve(document: Part) -> None:
    """Add the mapping from values to schemas to each union with a discriminator, as `x-tags`, in place.

    Raises:
        UnsupportedError: If a discriminator contradicts its schemas, or another discriminator of the same schemas.
    """
    known: dict[frozenset[str], tuple[str, Part]] = {}
    for steps, schema in schemas_of(document):
        for here, part in schemas_in(schema, steps):
            part.pop("x-tags", None)
            if "discriminator" not in part:
                continue
            where = place(here)
            tags = _tags(document, part, where)
            if not tags["values"]:
                continue
            part["x-tags"] = tags
            other, same = known.setdefault(frozenset(tags["values"].values()), (where, tags))
            if same != tags:
                raise UnsupportedError(
                    f"{where}: its discriminator has other values than that of {other}, for the same schemas; give "
                    "both the same `mapping`, in an overlay"
                )


def _tags(document: Part, union: Part, where: str) -> Part:
    """The field that a discriminator names, and the component for each of its values."""
    name: str = union["discriminator"]["propertyName"]
    mapping: dict[str, str] = union["discriminator"].get("mapping", {})
    members: list[Part] = [*union.get("oneOf", []), *union.get("anyOf", [])]
    references: list[str] = [each["$ref"] for each in members if each.get("$ref", "").startswith(PREFIX)]
    if not members:
        raise UnsupportedError(
            f"{where}: its discriminator is of no union: list the schemas in `oneOf` where one of them is meant, and "
            "remove the discriminator, in an overlay"
        )
    mapped = {value: target if target.startswith("#/") else PREFIX + target for value, target in mapping.items()}
    if unknown := [value for value, target in mapped.items() if target not in references]:
        raise UnsupportedError(
            f"{where}.discriminator.mapping: {unknown[0]!r} stands for none of the schemas; correct it in an overlay"
        )
    values: dict[str, str] = {}
    for reference in references:
        fields = [
            each for part in parts_of(document, {"$ref": reference}) for each in [part.get("properties", {}).get(name)]
        ]
        field = next((followed(document, each) for each in fields if each is not None), None)
        if field is None:
            raise UnsupportedError(
                f"{where}: {reference} has no field {name!r}, which the discriminator names; add it in an overlay"
            )
        allowed: list[Any] = field.get("enum", [])
        found = [value for value, target in mapped.items() if target == reference]
        found = found or allowed or [reference.removeprefix(PREFIX)]
        if allowed and not {*found} <= {*allowed}:
            raise UnsupportedError(
                f"{where}: its discriminator has the values {found} for {reference}, whose {name!r} is one of "
                f"{allowed}; correct either in an overlay"
            )
        for value in found:
            if value in values:
                raise UnsupportedError(
                    f"{where}: {value!r} stands for two schemas; give them a `mapping`, in an overlay"
                )
            values[value] = final_reference(document, reference)
    return {"name": name, "values": values}
