"""From JSON to models: `Model`, the readers that the generated models call, and the way from a value
that cannot be read to its path in the document.

A model's `take` reads straight on and lets any error out. Only then is the same JSON read once
more, in containers that remember what was last taken from them: that is the path.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, ClassVar, Final, Self, TypeGuard, TypeVar, cast

from attrs import define, field, fields

from ..types import OpenEnum
from .fields import Argument
from .rules import Rule

T = TypeVar("T")

new: Final = object.__new__
"""Creates a model without calling its `__init__`."""

_fromisoformat = datetime.fromisoformat

_LONGEST_SHOWN = 100
_JSON_TYPES = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
_MISREAD = (ValueError, TypeError, AttributeError)


@cache
def find_orjson() -> Callable[[bytes], Any] | None:
    """The reader of orjson, where it is installed."""
    try:
        import orjson
    except ImportError:
        return None
    return orjson.loads


def parse_json(content: bytes) -> Any:
    """Parse JSON, with orjson if it is installed (the extra `fast`); what that rejects, the standard library decides.

    Raises:
        ValueError, RecursionError: It is not JSON, or nested too deeply.
    """
    fast = find_orjson()
    if fast is not None:
        with suppress(ValueError):
            return fast(content)
    return json.loads(content)


class DecodeError(ValueError):
    """JSON that does not have the documented form.

    Attributes:
        reason: What is wrong with it.
        path: Where it stands, such as `bindings[3].createdAt`; empty for the document itself.
        value: What stands there, as parsed; None where it may be a secret.
        secret: Whether it may.
    """

    def __init__(self, reason: str, path: str = "", value: object = None, *, secret: bool = False) -> None:
        super().__init__(reason, path, value)
        self.secret = secret
        self.reason = reason
        self.path = path
        self.value = value

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


@define(kw_only=True)
class Model:
    """What the models have in common. One is made by keyword, from the API's JSON, or by a call.

    A subclass may add fields and attributes. They are not part of the JSON: `from_dict` passes only the fields of the
    model to the subclass, and `to_dict` returns only those.
    """

    FIELDS: ClassVar[tuple[Argument, ...]] = ()
    """What is sent of it in a call, and checked before; empty for what is only received."""

    NAMES: ClassVar[Mapping[str, str]] = {}
    """The API's names of the fields that have another one in Python."""

    RULES: ClassVar[tuple[Rule, ...]] = ()
    """The rules between the fields that are sent."""

    additional_properties: dict[str, Any] = field(factory=dict[str, Any], repr=False)
    """Fields that this version does not know. They are not in the repr, as they may hold a secret."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        owner = next(base for base in cls.__mro__ if "take" in vars(base))
        # A generated model has its own `take`, and what it derives from has only this one.
        if owner in (cls, Model):
            return
        # Not twice: attrs creates a custom subclass anew, to give it slots.
        if owner is not _CustomModel:
            bases: tuple[type, ...] = cls.__bases__
            place = next(place for place, base in enumerate(bases) if issubclass(base, Model))
            type.__setattr__(cls, "__bases__", (*bases[:place], _CustomModel, *bases[place:]))
        for name in ("__getstate__", "__setstate__"):
            # In the class itself, where attrs puts its own otherwise, which know nothing of a `__dict__`.
            if name not in vars(cls):
                setattr(cls, name, vars(_CustomModel)[name])

    @classmethod
    def take(cls, d: dict[str, Any]) -> Self:
        """Build a model from a dict that the caller gives away: what is left of it lives on inside."""
        raise NotImplementedError(cls)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object: the fields by the API's names, without those that are None."""
        known = {name: value for field, name in names_of(type(self)) if (value := getattr(self, field)) is not None}
        return {**to_json(self.additional_properties), **{name: to_json(value) for name, value in known.items()}}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Build a model from a JSON object as `json.loads` gives it. The object stays as it was.

        Raises:
            DecodeError: If it does not have the documented form; the error names the path and the value.
        """
        try:
            owned = to_json(src_dict)
        except RecursionError:
            raise _too_deep() from None
        return decode(cls.take, owned, lambda: to_json(src_dict))


class _CustomModel:
    """What a custom subclass of a model derives from, besides the model.

    `take` of a model calls no `__init__`, which costs time, and sets only the fields of the model. A class with this
    base has a `__dict__` even if attrs gives it slots, so that `__attrs_post_init__` can set any attribute.
    """

    @classmethod
    def take(cls, d: dict[str, Any]) -> Any:
        return cls._from_model(_model_of(cls).take(d))

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Any:
        return cls._from_model(_model_of(cls).from_dict(src_dict))

    @classmethod
    def _from_model(cls, model: Model) -> Any:
        return cls(**{each.alias: getattr(model, each.name) for each in fields(type(model))})

    def __getstate__(self) -> object:
        return object.__getstate__(self)

    def __setstate__(self, state: dict[str, Any] | tuple[dict[str, Any] | None, ...]) -> None:
        # The attributes in `__dict__`, and those in slots.
        for attributes in state if isinstance(state, tuple) else (state,):
            for name, value in (attributes or {}).items():
                object.__setattr__(self, name, value)


def _model_of(custom: type[_CustomModel]) -> type[Model]:
    """Return the model that a custom subclass derives from."""
    bases = custom.__mro__[custom.__mro__.index(_CustomModel) + 1 :]
    return next(base for base in bases if issubclass(base, Model) and "take" in vars(base))


def names_of(model: type[Model]) -> Iterator[tuple[str, str]]:
    """Return the fields of a model, without those that a custom subclass adds, and their names in the API."""
    known = _model_of(model) if issubclass(model, _CustomModel) else model
    for each in fields(known):
        if each.name != "additional_properties":
            yield each.name, known.NAMES.get(each.name, each.name)


def hidden(value: object) -> str:
    """The repr of a field that is secret: whether it is there."""
    return repr(value) if value is None else "[hidden]"


def shown(value: object) -> str:
    """The repr of a field that holds a model with secrets, which a mapping in its place would show."""
    return repr(value) if value is None or isinstance(value, Model) else f"[{type(value).__name__}]"


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return isinstance(value, list)


# A reader gets whatever is not plainly of its type.


def string(value: object) -> str:
    """Read a string."""
    if isinstance(value, str):
        return value
    raise _bad("a string", value)


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
    raise _bad("an integer", value)


def number(value: object) -> float:
    """Read a number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise _bad("a number", value)


def boolean(value: object) -> bool:
    """Read a boolean."""
    if isinstance(value, bool):
        return value
    raise _bad("a boolean", value)


def mapping(value: object) -> dict[str, Any]:
    """Read a free-form object."""
    if is_object(value):
        return value
    raise _bad("an object", value)


def mapping_of(value: Any, kind: type, read: Callable[[Any], Any]) -> Any:
    """Read an object whose values are all of one kind, which `read` reads."""
    found: dict[str, Any] = value
    if type(found) is dict:
        for item in found.values():
            if type(item) is not kind:
                break
        else:
            return found
    if read is secret and not is_object(value):
        raise DecodeError("expected an object", secret=True)
    return {key: read(item) for key, item in entries(value) if item is not None}


def entries(value: Any) -> Iterable[tuple[str, Any]]:
    """Read an object whose values have a type of their own."""
    if isinstance(value, _TracedDict):
        return value.traced_items()
    return mapping(value).items()


def only(name: str, take: Callable[[Any], T], *required: str) -> Callable[[Any], T]:
    """What reads an object that wraps one thing, and gives that, with what the API sends beside it.

    Where it comes without its wrapper, it is taken for what has all the `required` fields.
    """

    def unwrapped(value: Any) -> T:
        if value.get(name) is not None:
            beside = dict(value)
            inner = value.pop(name)
            if len(beside) > 1 and is_object(inner):
                del beside[name]
                for key, item in beside.items():
                    inner.setdefault(key, item)
            return take(inner)
        if name not in value and required and all(value.get(field) is not None for field in required):
            return take(value)
        raise DecodeError(f"it holds no `{name}`")

    return unwrapped


def only_or_none(name: str, take: Callable[[Any], T], *required: str) -> Callable[[Any], T | None]:
    """Return a reader as `only` does, of an object that may lack what it wraps: its result is None then."""
    read = only(name, take, *required)

    def unwrapped(value: Any) -> T | None:
        is_bare = required and all(value.get(field) is not None for field in required)
        return read(value) if value.get(name) is not None or is_bare else None

    return unwrapped


def items(value: Any) -> list[Any]:
    """Read an array."""
    if is_array(value):
        return value
    raise _bad("an array", value)


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
    """Write a date-time (RFC 3339), with `Z` for UTC.

    Raises:
        ValueError: The `datetime` is naive: what moment it means depends on the machine.
    """
    offset = value.utcoffset()
    if offset is None:
        raise ValueError(f"{value!r} has no time zone; for UTC give it tzinfo=datetime.UTC")
    if offset.seconds % 60:
        # RFC 3339 has no seconds in an offset; local times of long ago do. At the end of time there is no other way.
        with suppress(OverflowError):
            value = value.astimezone(UTC)
    # Milliseconds, as the API has them, without trailing zeros.
    text = value.isoformat(
        timespec="auto" if value.microsecond % 1000 else "milliseconds" if value.microsecond else "seconds"
    )
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text


def decode(take: Callable[[Any], T], document: Any, again: Callable[[], Any]) -> T:
    """Read a JSON document.

    Args:
        take: What reads it, and may take it apart.
        document: The document, as parsed.
        again: Returns the document again.

    Raises:
        DecodeError: If it does not have the documented form; the error names the path and the value.
    """
    try:
        return take(document)
    except RecursionError:
        raise _too_deep() from None
    except _MISREAD as error:
        try:
            raise _located(take, again(), error) from None
        except RecursionError:
            raise _too_deep() from None


def _too_deep() -> DecodeError:
    return DecodeError("it is nested too deeply")


def _bad(expected: str, value: object) -> DecodeError:
    kind = next((name for json_type, name in _JSON_TYPES.items() if isinstance(value, json_type)), "a number")
    if value is None or isinstance(value, dict | list):
        return DecodeError(f"expected {expected}, got {kind}")
    shown = repr(value)
    if len(shown) > _LONGEST_SHOWN:
        shown = f"{shown[:_LONGEST_SHOWN]}..."
    return DecodeError(f"expected {expected}, got {kind}: {shown}")


def _parse_rare_datetime(value: object) -> datetime:
    from dateutil.parser import isoparse

    # isoparse also takes a year alone for a date.
    if not isinstance(value, str) or len(value) < len("2026-01-29T24:00"):
        raise _bad("a date-time", value)
    leap = value[16:19] == ":60"
    try:
        moment = isoparse(f"{value[:16]}:59{value[19:]}" if leap else value)
        return moment.replace(microsecond=0) + timedelta(seconds=1) if leap else moment
    except (ValueError, OverflowError):
        raise _bad("a date-time", value) from None


def to_json(value: Any) -> Any:
    """Copy a value as JSON has it: a model as an object, a `datetime` as a string."""
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if is_array(value):
        return [to_json(item) for item in value]
    if isinstance(value, datetime):
        return format_datetime(value)
    return str(value) if isinstance(value, OpenEnum) else value


class _TracedDict(dict[str, Any]):
    """A dict that knows which of its keys was looked at last, and what stood there."""

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
    """A list that knows which of its items was looked at last."""

    last: tuple[int, Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        for self.last in enumerate(super().__iter__()):
            yield self.last[1]

    def pop(self, *_: Any) -> Any:
        raise AttributeError("an array is read as an object")


def _traced(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _TracedDict((key, _traced(item)) for key, item in cast("Mapping[str, Any]", value).items())
    if is_array(value):
        return _TracedList(_traced(item) for item in value)
    return value


def _located(take: Callable[[Any], object], document: Any, error: Exception) -> DecodeError:
    node = _traced(document)
    try:
        take(node)
    except _MISREAD as failure:
        error = failure
    path = ""
    is_missing = False
    while (last := getattr(node, "last", None)) is not None:
        step, node = last
        is_missing = not is_array(document) and step not in document
        # What stands beside a wrapped object is read as a part of it.
        document = None if is_missing else document[step]
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if str(step).isidentifier() else f"[{step!r}]"
    if is_missing:
        error = DecodeError("it is missing")
    elif not isinstance(error, DecodeError):
        # Only an object is asked for its fields; else it was an enum that cannot be looked up.
        error = _bad("an object" if isinstance(error, AttributeError) else "a string", document)
    return DecodeError(error.reason, path.removeprefix("."), None if error.secret else document, secret=error.secret)
