"""The functions that read JSON values. The generated models call them for values that are not plainly of their type."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from ..errors import DecodeError
from .decoding import TracedDict, type_error
from .json_values import is_array, is_object

T = TypeVar("T")

_fromisoformat = datetime.fromisoformat


def string(value: object) -> str:
    """Read a string."""
    if isinstance(value, str):
        return value
    raise type_error("a string", value)


def secret(value: object) -> str:
    """Read a string that no error may show."""
    if isinstance(value, str):
        return value
    raise DecodeError("expected a string", secret=True)


def integer(value: object) -> int:
    """Read an integer; `20.0` is one, as in JSON Schema."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise type_error("an integer", value)


def number(value: object) -> float:
    """Read a number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise type_error("a number", value)


def boolean(value: object) -> bool:
    """Read a boolean."""
    if isinstance(value, bool):
        return value
    raise type_error("a boolean", value)


def mapping(value: object) -> dict[str, Any]:
    """Read a free-form object."""
    if is_object(value):
        return value
    raise type_error("an object", value)


def mapping_of(value: Any, expected: type, read: Callable[[Any], Any]) -> Any:
    """Read an object whose values are all of one type, which `read` reads."""
    found: dict[str, Any] = value
    if type(found) is dict:
        for item in found.values():
            if type(item) is not expected:
                break
        else:
            return found
    if read is secret and not is_object(value):
        raise DecodeError("expected an object", secret=True)
    return {key: read(item) for key, item in entries(value) if item is not None}


def entries(value: Any) -> Iterable[tuple[str, Any]]:
    """Return the entries of an object whose values are read one by one."""
    if isinstance(value, TracedDict):
        return value.traced_items()
    return mapping(value).items()


def unwrap(name: str, read: Callable[[Any], T], *required: str) -> Callable[[Any], T]:
    """Return a reader of an object that wraps one value; it returns the value, with the fields beside it.

    A value without its wrapper is recognized by its `required` fields.
    """

    def unwrapped(value: Any) -> T:
        if value.get(name) is not None:
            beside = dict(value)
            inner = value.pop(name)
            if len(beside) > 1 and is_object(inner):
                del beside[name]
                for key, item in beside.items():
                    inner.setdefault(key, item)
            return read(inner)
        if name not in value and required and all(value.get(field) is not None for field in required):
            return read(value)
        raise DecodeError(f"it has no `{name}`")

    return unwrapped


def unwrap_or_none(name: str, read: Callable[[Any], T], *required: str) -> Callable[[Any], T | None]:
    """Return a reader like that of `unwrap`, of an object that may lack the value: its result is None then."""
    unwrapped = unwrap(name, read, *required)

    def unwrapped_or_none(value: Any) -> T | None:
        is_bare = required and all(value.get(field) is not None for field in required)
        return unwrapped(value) if value.get(name) is not None or is_bare else None

    return unwrapped_or_none


def items(value: Any) -> list[Any]:
    """Read an array."""
    if is_array(value):
        return value
    raise type_error("an array", value)


def parse_datetime(value: Any) -> datetime:
    """Read a date-time (RFC 3339) as an aware `datetime`; one without an offset is in UTC.

    Fractions of a second are kept to the microsecond. A leap second (`23:59:60`) is the first moment
    of the minute that follows.
    """
    try:
        moment = _fromisoformat(value)
    except (ValueError, TypeError):
        moment = _parse_rare_datetime(value)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def format_datetime(value: datetime) -> str:
    """Format a date-time (RFC 3339), with `Z` for UTC.

    Raises:
        ValueError: If the `datetime` is naive: its meaning depends on the machine.
    """
    offset = value.utcoffset()
    if offset is None:
        raise ValueError(f"{value!r} has no time zone; for UTC pass tzinfo=datetime.UTC")
    if offset.seconds % 60:
        # RFC 3339 has no seconds in an offset; old local times do. The first and last dates cannot be converted.
        with suppress(OverflowError):
            value = value.astimezone(UTC)
    # Milliseconds, as in the responses of the API.
    text = value.isoformat(
        timespec="auto" if value.microsecond % 1000 else "milliseconds" if value.microsecond else "seconds"
    )
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text


def _parse_rare_datetime(value: object) -> datetime:
    from dateutil.parser import isoparse

    # isoparse also accepts only a year.
    if not isinstance(value, str) or len(value) < len("2026-01-29T24:00"):
        raise type_error("a date-time", value)
    leap = value[16:19] == ":60"
    try:
        moment = isoparse(f"{value[:16]}:59{value[19:]}" if leap else value)
        return moment.replace(microsecond=0) + timedelta(seconds=1) if leap else moment
    except (ValueError, OverflowError):
        raise type_error("a date-time", value) from None
