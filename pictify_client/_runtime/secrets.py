"""The secrets among the arguments of a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from .fields import Schema
from .json_values import is_array, is_object
from .scalars import Anything, String
from .validation import ListOf, MapOf, Nullable, Object, OneOf, OneOrMany

MIN_SECRET_LENGTH = 6
"""Shorter strings are not secrets, and would be redacted within ordinary words."""


def may_hold_secrets(schema: Schema, seen: frozenset[Schema] = frozenset()) -> bool:
    """Whether a value of a schema may contain a secret."""
    if isinstance(schema, String | Anything):
        return schema.secret
    inner: tuple[Schema, ...] = ()
    if isinstance(schema, Object):
        inner = () if schema in seen else tuple(field.schema for field in schema.model.__arguments__)
        seen |= {schema}
    elif isinstance(schema, OneOrMany):
        inner = (schema.one,)
    elif isinstance(schema, OneOf):
        inner = schema.schemas
    elif isinstance(schema, ListOf | MapOf | Nullable):
        inner = (schema.schema,)
    return any(may_hold_secrets(each, seen) for each in inner)


def secrets_of(schema: Schema, value: object) -> Iterator[str]:
    """Return the secrets in a serialized value."""
    if isinstance(schema, String | Anything):
        if schema.secret:
            yield from _strings(value)
        return
    if isinstance(schema, OneOf | Nullable):
        for each in schema.schemas if isinstance(schema, OneOf) else (schema.schema,):
            yield from secrets_of(each, value)
    elif isinstance(schema, OneOrMany):
        yield from secrets_of(schema.many if is_array(value) else schema.one, value)
    elif isinstance(schema, ListOf) and is_array(value):
        for item in value:
            yield from secrets_of(schema.schema, item)
    elif isinstance(schema, MapOf) and is_object(value):
        for item in value.values():
            yield from secrets_of(schema.schema, item)
    elif isinstance(schema, Object) and is_object(value):
        for field in schema.model.__arguments__:
            yield from secrets_of(field.schema, value.get(field.name))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from [value] if len(value) >= MIN_SECRET_LENGTH else []
    elif isinstance(value, Mapping | list | tuple):
        known = cast("Mapping[object, object] | list[object]", value)
        for item in known.values() if isinstance(known, Mapping) else known:
            yield from _strings(item)
