"""Mistakes in a request that the live API ignores or corrects, and for which the client would raise an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._runtime.json_values import is_array, is_object
from .._runtime.validation import ListOf, MapOf, Object, OneOrMany

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._runtime.fields import Schema
    from .._runtime.operations import Operation

_MAX_PAGE_SIZE = 100
_MAX_SIDE = 4096
_IMAGE_EXTENSIONS = ("png", "jpg", "jpeg", "webp")


def corrected_query(operation: Operation[Any], query: Mapping[str, str]) -> dict[str, str]:
    """A query whose offset and page size are within their limits, if the list is paginated by offset."""
    corrected = dict(query)
    if {"limit", "offset"} <= {parameter.name for parameter in operation.query_parameters}:
        limit, offset = _integer(query.get("limit")), _integer(query.get("offset"))
        if limit is not None and limit > _MAX_PAGE_SIZE:
            corrected["limit"] = str(_MAX_PAGE_SIZE)
        if offset is not None and offset < 0:
            corrected["offset"] = "0"
    return corrected


def corrected_body(operation: Operation[Any], body: object) -> object:
    """A body without unknown fields, and with valid values for the invalid ones that the API replaces."""
    known = _known(operation.body, body)
    if not is_object(known):
        return known
    fields: dict[str, Any] = {**known}
    if operation.path == "/image":
        for name in ("width", "height"):
            side = fields.get(name)
            if isinstance(side, int) and side > _MAX_SIDE:
                fields[name] = _MAX_SIDE
        if isinstance(fields.get("fileExtension"), str) and fields["fileExtension"] not in _IMAGE_EXTENSIONS:
            fields["fileExtension"] = "png"
    if operation.path == "/gif/capture":
        seconds = fields.get("frameDurationSeconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0:
            fields.pop("frameDurationSeconds", None)
    return fields


def _known(schema: Schema | None, value: object) -> object:
    """A value without the fields that its schema does not have."""
    if isinstance(schema, OneOrMany):
        schema = schema.many if is_array(value) else schema.one
    if isinstance(schema, ListOf) and is_array(value):
        return [_known(schema.schema, item) for item in value]
    if isinstance(schema, Object) and is_object(value):
        schemas = {field.name: field.schema for field in schema.model.__arguments__}
        return {name: _known(schemas[name], item) for name, item in value.items() if name in schemas}
    if isinstance(schema, MapOf) and is_object(value):
        return {name: _known(schema.schema, item) for name, item in value.items()}
    return value


def _integer(text: str | None) -> int | None:
    try:
        return int(text or "")
    except ValueError:
        return None
