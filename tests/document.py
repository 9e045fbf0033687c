"""The contract as its users' code is made from it, read without the generator's or the package's help."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from generator.__main__ import OVERLAYS, ROOT, overlaid

DOCUMENT: dict[str, Any] = overlaid(ROOT / "openapi.yaml", ROOT / OVERLAYS)[0]


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The path, the method and the operation of all that the contract describes."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def snake(name: str) -> str:
    """A name of the API as Python has it."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|-", "_", name).lower().removeprefix("x_")


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with its reference followed and its `allOf` put together."""
    if "$ref" in schema:
        part: Any = DOCUMENT
        for step in schema["$ref"].removeprefix("#/").split("/"):
            part = part[step]
        return resolved(part)
    parts = [resolved(each) for each in schema.get("allOf", [])]
    properties = {name: field for part in (*parts, schema) for name, field in part.get("properties", {}).items()}
    return {**schema, "type": "object", "properties": properties} if parts else schema


def answers(operation: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """The schemas of the JSON answers of success, by their status."""
    found: dict[int, dict[str, Any]] = {}
    for status, response in operation["responses"].items():
        media = response.get("content", {}).get("application/json")
        if media is not None and status.startswith("2"):
            found[int(status)] = resolved(media["schema"])
    return found


def body(operation: dict[str, Any]) -> dict[str, Any] | None:
    """The schema of the body; of one of its objects, where it may be a list of them."""
    if "requestBody" not in operation:
        return None
    schema = resolved(operation["requestBody"]["content"]["application/json"]["schema"])
    return schema if "properties" in schema else resolved(schema["oneOf"][0]) if "oneOf" in schema else schema


def excluded(schema: dict[str, Any]) -> set[str]:
    """The fields that cannot be sent with the first of those that exclude each other."""
    later = [name for part in schema.get("oneOf", [])[1:] for name in part.get("required", [])]
    later += schema.get("not", {}).get("required", [])[1:]
    later += [name for name, others in schema.get("dependentRequired", {}).items() if {*others} & {*later}]
    # Several pages are for one format only.
    return {*later, *schema.get("if", {}).get("required", [])}


def sample(schema: dict[str, Any], depth: int = 0, *, sent: bool = False) -> Any:
    """A value with every field that the schema has; of `sent` ones those that a caller may give."""
    known = resolved(schema)
    kinds = [known.get("type")] if isinstance(known.get("type"), str) else known.get("type", [])
    if "enum" in known:
        return known["enum"][-1]
    if "anyOf" in known:
        return sample(known["anyOf"][0], depth, sent=sent)
    if "object" in kinds or "properties" in known:
        fields = known.get("properties", {})
        if not fields and "x-class" in known:
            # Elsewhere the document says what it holds.
            return {}
        if not fields:
            return {
                "free": sample(known["additionalProperties"])
                if known.get("additionalProperties", True) is not True
                else [1]
            }
        left_out = excluded(known) if sent else set[str]()
        # A row that has failed is not among the results of a batch.
        return {
            name: name == "success" or sample(field, depth + 1, sent=sent)
            for name, field in fields.items()
            if depth < 6 and name not in left_out and not (sent and resolved(field).get("readOnly"))
        }
    if "array" in kinds:
        return (
            [sample(known["items"], depth + 1, sent=sent) for _ in range(known.get("minItems", 1))] if depth < 6 else []
        )
    if "integer" in kinds or "number" in kinds:
        return known.get("minimum", known.get("exclusiveMinimum", 0) + 1)
    if "boolean" in kinds:
        return False
    if known.get("format") == "date-time":
        return "2026-01-29T10:00:05Z"
    return "abc"
