"""The schemas of scalar arguments: they validate a value, and serialize it to JSON.

A schema has a method `serialize`, which takes a value and its place in the call, such as `data_source.url`. It returns
the JSON value, or raises a TypeError or ValueError that names the place, what is wrong, and what would be right.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from math import isfinite
from numbers import Real
from operator import index
from typing import Any, NamedTuple, NoReturn, SupportsIndex, cast

from ..errors import DecodeError
from ..types import OpenEnum
from .decoding import safe_repr
from .readers import format_datetime, parse_datetime

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
# A `$` at the end of a pattern that no backslash is before.
_END = re.compile(r"(?<!\\)((?:\\\\)*)\$\Z")


class String(NamedTuple):
    """A string, whose length is a number of characters. No error shows one that is secret."""

    min_length: int = 0
    max_length: int | None = None
    pattern: str | None = None
    secret: bool = False

    def serialize(self, value: Any, where: str) -> str:
        """Return the value unchanged."""
        if not isinstance(value, str):
            raise_type_error("str", value, where, secret=self.secret)
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{where} is not valid Unicode: {safe_repr(value, secret=self.secret)}") from None
        check_size(len(value), self.min_length, self.max_length, "character", where)
        # For OpenAPI `$` is the end of the string, for Python also the place before a last line break.
        if self.pattern is not None and not re.search(_END.sub(r"\1\\Z", self.pattern), value):
            raise ValueError(f"{where} must match {self.pattern}, got {safe_repr(value, secret=self.secret)}")
        # The string itself: `str()` of a member of an enum may be its name.
        return str.__str__(value)


class Integer(NamedTuple):
    """An integer, with inclusive and exclusive (`above`, `below`) bounds."""

    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None

    def serialize(self, value: Any, where: str) -> int:
        """Return the value unchanged."""
        known: int = value
        if type(value) is not int:
            # An integer of another library, such as numpy's, is one too.
            if isinstance(value, bool) or not isinstance(value, SupportsIndex):
                raise_type_error("int", cast("object", value), where)
            known = index(value)
        _check_bounds(known, self, where)
        return known


class Number(NamedTuple):
    """A number, with inclusive and exclusive (`above`, `below`) bounds."""

    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None

    def serialize(self, value: Any, where: str) -> float:
        """Return the value unchanged."""
        if isinstance(value, bool) or not isinstance(value, Real):
            raise_type_error("float", value, where)
        known = int(value) if isinstance(value, int) else float(value)
        if isinstance(known, float) and not isfinite(known):
            raise ValueError(f"{where} must be a finite number, got {known!r}")
        _check_bounds(known, self, where)
        return known


class Boolean(NamedTuple):
    """A boolean."""

    def serialize(self, value: Any, where: str) -> bool:
        """Return the value unchanged."""
        if not isinstance(value, bool):
            raise_type_error("bool", value, where)
        return value


class DateTime(NamedTuple):
    """An aware `datetime`, or a string that is a date-time of RFC 3339."""

    def serialize(self, value: Any, where: str) -> str:
        """Return the value as a date-time (RFC 3339)."""
        if isinstance(value, str):
            with suppress(DecodeError):
                if _DATE_TIME.fullmatch(value) and parse_datetime(value):
                    return str.__str__(value)
            raise ValueError(f"{where} must be a date-time such as 2026-01-29T10:00:05Z, got {safe_repr(value)}")
        if not isinstance(value, datetime):
            raise_type_error("datetime", value, where)
        try:
            return format_datetime(value)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None


class Choice(NamedTuple):
    """A member of an enum, or one of its strings; if it is extensible, any string."""

    enum: type[OpenEnum]
    extensible: bool = False

    def serialize(self, value: Any, where: str) -> str:
        """Return the string of a member."""
        if not isinstance(value, str):
            raise_type_error(f"{self.enum.__name__} ({self._values()})", value, where)
        if not self.extensible and not isinstance(value, self.enum) and value not in self.enum.by_value:
            raise ValueError(
                f"{where} must be one of {self._values()}, got {safe_repr(value)}; to send a value that this version "
                f"does not know, pass {self.enum.__name__}({safe_repr(value)})"
            )
        return String().serialize(value, where)

    def _values(self) -> str:
        return ", ".join(repr(str(member)) for member in self.enum)


class Anything(NamedTuple):
    """Any value that is serializable to JSON. If it is secret, all strings in it are."""

    secret: bool = False

    def serialize(self, value: Any, where: str) -> Any:
        """Return the value unchanged. Whether it is serializable to JSON turns out when the body is encoded."""
        del where
        return value


def _check_bounds(value: float, schema: Integer | Number, where: str) -> None:
    reason = None
    if schema.minimum is not None and value < schema.minimum:
        reason = f"at least {schema.minimum}"
    elif schema.maximum is not None and value > schema.maximum:
        reason = f"at most {schema.maximum}"
    elif schema.above is not None and value <= schema.above:
        reason = f"more than {schema.above}"
    elif schema.below is not None and value >= schema.below:
        reason = f"less than {schema.below}"
    if reason is not None:
        raise ValueError(f"{where} must be {reason}, got {safe_repr(value)}")


def check_size(size: int, least: int, most: int | None, unit: str, where: str) -> None:
    """Raise a ValueError if the size of a value is not in bounds."""
    if size < least:
        raise ValueError(f"{where} must have at least {least} {unit}{'s' * (least != 1)}, got {size}")
    if most is not None and size > most:
        raise ValueError(f"{where} must have at most {most} {unit}s, got {size}")


def raise_type_error(expected: str, value: object, where: str, *, secret: bool = False) -> NoReturn:
    """Raise a TypeError for a value of another type than expected."""
    kind = type(value).__name__
    # A list or an object may contain a secret.
    is_shown = isinstance(value, str | bytes | int | float | datetime) and not secret
    raise TypeError(f"{where} must be {expected}, got {f'{safe_repr(value)} ({kind})' if is_shown else kind}")
