"""The OpenAPI document with the overlays, read independently of the generator's and the package's own code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from generator.__main__ import OVERLAYS, ROOT, overlaid

DOCUMENT: dict[str, Any] = overlaid(ROOT / "openapi.yaml", ROOT / OVERLAYS)[0]


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and operation of all operations of the document."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def snake(name: str) -> str:
    """The Python name of a field or parameter of the API."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|-", "_", name).lower().removeprefix("x_")


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with its reference followed and its `allOf` merged."""
    if "$ref" in schema:
        part: Any = DOCUMENT
        for step in schema["$ref"].removeprefix("#/").split("/"):
            part = part[step]
        return resolved(part)
    parts = [resolved(each) for each in schema.get("allOf", [])]
    properties = {name: field for part in (*parts, schema) for name, field in part.get("properties", {}).items()}
    return {**schema, "type": "object", "properties": properties} if parts else schema


def success_schemas(operation: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """The schemas of successful JSON responses, by status."""
    found: dict[int, dict[str, Any]] = {}
    for status, response in operation["responses"].items():
        media = response.get("content", {}).get("application/json")
        if media is not None and status.startswith("2"):
            found[int(status)] = resolved(media["schema"])
    return found


def body(operation: dict[str, Any]) -> dict[str, Any] | None:
    """The schema of the body; of one of its objects, if it may be a list of them."""
    if "requestBody" not in operation:
        return None
    schema = resolved(operation["requestBody"]["content"]["application/json"]["schema"])
    return schema if "properties" in schema else resolved(schema["oneOf"][0]) if "oneOf" in schema else schema


def excluded(schema: dict[str, Any]) -> set[str]:
    """The fields that exclude the first field of their group."""
    later = [name for part in schema.get("oneOf", [])[1:] for name in part.get("required", [])]
    later += schema.get("not", {}).get("required", [])[1:]
    later += [name for name, others in schema.get("dependentRequired", {}).items() if {*others} & {*later}]
    # Only one format has several pages.
    return {*later, *schema.get("if", {}).get("required", [])}


def sample(schema: dict[str, Any], depth: int = 0, *, sent: bool = False) -> Any:
    """A value with every field of the schema, or, if it is `sent`, with the fields that a caller may pass."""
    known = resolved(schema)
    kinds = [known.get("type")] if isinstance(known.get("type"), str) else known.get("type", [])
    if "enum" in known:
        return known["enum"][-1]
    if "anyOf" in known:
        return sample(known["anyOf"][0], depth, sent=sent)
    if "object" in kinds or "properties" in known:
        fields = known.get("properties", {})
        if not fields and "x-class" in known:
            # Its fields are described elsewhere in the document.
            return {}
        if not fields:
            return {
                "free": sample(known["additionalProperties"])
                if known.get("additionalProperties", True) is not True
                else [1]
            }
        omitted = excluded(known) if sent else set[str]()
        # Failed rows are not among the results of a batch.
        return {
            name: name == "success" or sample(field, depth + 1, sent=sent)
            for name, field in fields.items()
            if depth < 6 and name not in omitted and not (sent and resolved(field).get("readOnly"))
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
