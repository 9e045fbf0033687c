"""From JSON to models, or to the path of an invalid value.

The generated models read straight on and let any error out. Only then is the same JSON read again, in containers
that remember what was last taken from them: that is the path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

from ..errors import DecodeError
from .json_values import is_array

T = TypeVar("T")

_MAX_SHOWN = 100
_JSON_TYPES = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
_MISREAD = (ValueError, TypeError, AttributeError)


def decode(read: Callable[[Any], T], document: Any, again: Callable[[], Any]) -> T:
    """Read a JSON document.

    Args:
        read: The reader, which may change the document.
        document: The document, as parsed.
        again: Returns the document anew.

    Raises:
        DecodeError: If it does not have the documented form; the error names the path and the value.
    """
    try:
        return read(document)
    except RecursionError:
        raise too_deep() from None
    except _MISREAD as error:
        try:
            raise _locate_error(read, again(), error) from None
        except RecursionError:
            raise too_deep() from None


def too_deep() -> DecodeError:
    """Return the error for JSON that is nested too deeply to be read."""
    return DecodeError("it is nested too deeply")


def type_error(expected: str, value: object) -> DecodeError:
    """Return the error for a value of another type than expected."""
    kind = next((name for json_type, name in _JSON_TYPES.items() if isinstance(value, json_type)), "a number")
    if value is None or isinstance(value, dict | list):
        return DecodeError(f"expected {expected}, got {kind}")
    return DecodeError(f"expected {expected}, got {kind}: {safe_repr(value)}")


def safe_repr(value: object, *, secret: bool = False) -> str:
    """Return the repr of a value for an error: shortened, and not that of a secret."""
    try:
        shown = "a secret" if secret else repr(value)
    except ValueError:
        # An integer of more digits than Python converts.
        shown = type(value).__name__
    return shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}..."


class TracedDict(dict[str, Any]):
    """A dict that remembers which of its keys was read last, and the value there."""

    last: tuple[str, Any] | None = None

    def pop(self, key: str, default: Any = None) -> Any:
        value = super().pop(key, default)
        self.last = key, value
        return value

    def traced_items(self) -> Iterator[tuple[str, Any]]:
        for entry in self.items():
            self.last = entry
            yield entry


class _TracedList(list[Any]):
    """A list that remembers which of its items was read last."""

    last: tuple[int, Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        for self.last in enumerate(super().__iter__()):
            yield self.last[1]

    def pop(self, *_: Any) -> Any:
        raise AttributeError("an array is read as an object")


def _traced_copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return TracedDict((key, _traced_copy(item)) for key, item in cast("Mapping[str, Any]", value).items())
    if is_array(value):
        return _TracedList(_traced_copy(item) for item in value)
    return value


def _locate_error(read: Callable[[Any], object], document: Any, error: Exception) -> DecodeError:
    node = _traced_copy(document)
    try:
        read(node)
    except _MISREAD as failure:
        error = failure
    path = ""
    is_missing = False
    while (last := getattr(node, "last", None)) is not None:
        step, node = last
        is_missing = not is_array(document) and step not in document
        # The fields beside a wrapped object are read as a part of it.
        document = None if is_missing else document[step]
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if str(step).isidentifier() else f"[{step!r}]"
    if is_missing:
        error = DecodeError("it is missing")
    elif not isinstance(error, DecodeError):
        # An attribute is missing if an object was expected; a key, if a string of an enum was.
        error = type_error("an object" if isinstance(error, AttributeError) else "a string", document)
    return DecodeError(error.reason, path.removeprefix("."), None if error.secret else document, secret=error.secret)
