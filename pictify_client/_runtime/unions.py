"""Values of responses that have one of several types."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from attrs import fields

from ..errors import DecodeError
from ..types import OpenEnum
from .decoding import decode
from .json_values import is_array, is_object
from .model import Model

Reader = Callable[[Any], Any]


def one_of(value: Any, *readers: Reader) -> Any:
    """Read a value by the reader that leaves the least of it unknown; of several, by the first.

    Raises:
        DecodeError: If no reader can read it.
    """
    # A traced list is copied, since iterating over it changes what it remembers.
    text = json.dumps(value[:] if is_array(value) else value)
    found: list[Any] = []
    reasons: dict[str, None] = {}
    is_secret = False
    for read in readers:
        try:
            # A reader changes its argument.
            found.append(decode(read, json.loads(text), lambda: json.loads(text)))
        except DecodeError as error:
            is_secret = is_secret or error.secret
            # A model is read by a method of its class.
            name: str = getattr(getattr(read, "__self__", None), "__name__", "")
            reasons[f"{name}: {error}" if name else str(error)] = None
    if found:
        return min(found, key=_unknown)
    raise DecodeError(f"it has none of the expected types: {'; '.join(reasons)}", secret=is_secret)


def tagged(value: Any, name: str, readers: Mapping[str, Reader], *others: Reader) -> Any:
    """Read an object by the reader for the value of its discriminator, the field `name`; anything else by the others.

    Raises:
        DecodeError: If there is no reader for it.
    """
    if not is_object(value):
        if others:
            return one_of(value, *others)
        raise DecodeError("expected an object")
    tag: Any = value.get(name)
    if isinstance(tag, str) and tag in readers:
        return readers[tag](value)
    raise DecodeError(f"its {name} is {tag!r:.100}, not one of {', '.join(map(repr, readers))}")


def _unknown(value: object, *, is_field: bool = False) -> int:
    """Return how many fields and values its model does not know."""
    if isinstance(value, Model):
        known = (getattr(value, field.name) for field in fields(type(value)))
        return len(value.additional_properties) + sum(_unknown(each, is_field=True) for each in known)
    if is_array(value):
        return sum(_unknown(each, is_field=is_field) for each in value)
    if is_object(value):
        # A model is preferred that knows any of it.
        return 0 if is_field else len(value)
    return int(isinstance(value, OpenEnum) and not value.is_known)
