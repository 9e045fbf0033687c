"""What the arguments of a call may be: checked, and written as the API wants them, before anything is sent.

A kind has a method `write`, which takes a value and where it stands in the call, such as
`data_source.url`. It answers the JSON value, or raises a TypeError or ValueError that names the
place, what is wrong, and what would be right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from math import isfinite
from numbers import Real
from operator import index
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn, SupportsIndex, cast

from ..types import UNSET, OpenEnum
from .decoding import DecodeError, Model, format_datetime, is_array, is_object, names_of, parse_datetime
from .fields import Kind

_LONGEST_SHOWN = 100
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
# A `$` at the end of a pattern that no backslash is before.
_END = re.compile(r"(?<!\\)((?:\\\\)*)\$\Z")
MIN_SECRET_LENGTH = 6
"""Shorter strings are not secrets, and would be redacted within ordinary words."""


class String(NamedTuple):
    """A string; its length is counted in characters. What is secret is not shown in an error."""

    min_length: int = 0
    max_length: int | None = None
    pattern: str | None = None
    secret: bool = False

    def write(self, value: Any, where: str) -> str:
        """Answer it as it is."""
        if not isinstance(value, str):
            _refuse_type("str", value, where, secret=self.secret)
        shown = _shown(value, secret=self.secret)
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{where} is no Unicode text: {shown}") from None
        _check_size(len(value), self.min_length, self.max_length, "character", where)
        # `$` is the very end for the contract, and for Python also what stands before a last line break.
        if self.pattern is not None and not re.search(_END.sub(r"\1\\Z", self.pattern), value):
            raise ValueError(f"{where} must match {self.pattern}, got {shown}")
        # What it is, should it be a member of an enum: that might give its name.
        return str.__str__(value)


class Integer(NamedTuple):
    """An integer, with bounds that it may reach and bounds that it may not (`above`, `below`)."""

    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None

    def write(self, value: Any, where: str) -> int:
        """Answer it as it is."""
        known: int = value
        if type(value) is not int:
            # An integer of another library, such as numpy's, is one too.
            if isinstance(value, bool) or not isinstance(value, SupportsIndex):
                _refuse_type("int", cast("object", value), where)
            known = index(value)
        _check_bounds(known, self, where)
        return known


class Number(NamedTuple):
    """A number, with bounds that it may reach and bounds that it may not (`above`, `below`)."""

    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None

    def write(self, value: Any, where: str) -> float:
        """Answer it as it is."""
        if isinstance(value, bool) or not isinstance(value, Real):
            _refuse_type("float", value, where)
        known = int(value) if isinstance(value, int) else float(value)
        if isinstance(known, float) and not isfinite(known):
            raise ValueError(f"{where} must be a finite number, got {known!r}")
        _check_bounds(known, self, where)
        return known


class Boolean(NamedTuple):
    """A boolean."""

    def write(self, value: Any, where: str) -> bool:
        """Answer it as it is."""
        if not isinstance(value, bool):
            _refuse_type("bool", value, where)
        return value


class DateTime(NamedTuple):
    """An aware `datetime`, or a string that is a date-time of RFC 3339."""

    def write(self, value: Any, where: str) -> str:
        """Answer it as a date-time of RFC 3339."""
        if isinstance(value, str):
            with suppress(DecodeError):
                if _DATE_TIME.fullmatch(value) and parse_datetime(value):
                    return str.__str__(value)
            raise ValueError(f"{where} must be a date-time such as 2026-01-29T10:00:05Z, got {_shown(value)}")
        if not isinstance(value, datetime):
            _refuse_type("datetime", value, where)
        try:
            return format_datetime(value)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None


class Choice(NamedTuple):
    """A member of an enum, or one of its strings; if it is extensible, any string."""

    enum: type[OpenEnum]
    extensible: bool = False

    def write(self, value: Any, where: str) -> str:
        """Answer its string."""
        if not isinstance(value, str):
            _refuse_type(f"{self.enum.__name__} ({self._values()})", value, where)
        if not self.extensible and not isinstance(value, self.enum) and value not in self.enum.by_value:
            raise ValueError(
                f"{where} must be one of {self._values()}, got {_shown(value)}; to send a value that this version does "
                f"not know, pass {self.enum.__name__}({_shown(value)})"
            )
        return String().write(value, where)

    def _values(self) -> str:
        return ", ".join(repr(str(member)) for member in self.enum)


class ListOf(NamedTuple):
    """Any iterable of values of one kind, but for a string or a mapping."""

    kind: Kind
    min_items: int = 0
    max_items: int | None = None

    def write(self, value: Any, where: str) -> list[Any]:
        """Answer them as a list."""
        if not isinstance(value, Iterable) or isinstance(value, str | bytes | Mapping | Model):
            _refuse_type("a list", cast("object", value), where, secret=True)
        given = list(cast("Iterable[object]", value))
        _check_size(len(given), self.min_items, self.max_items, "item", where)
        return [self.kind.write(item, f"{where}[{number}]") for number, item in enumerate(given)]


class Anything(NamedTuple):
    """Whatever is serializable to JSON. If it is secret, all strings in it are."""

    secret: bool = False

    def write(self, value: Any, where: str) -> Any:
        """Answer it as it is: whether JSON has a form for it turns out when it is written."""
        del where
        return value


class MapOf(NamedTuple):
    """A mapping of strings to values of one kind."""

    kind: Kind = Anything()
    max_items: int | None = None
    key_pattern: str | None = None

    def write(self, value: Any, where: str) -> dict[str, Any]:
        """Answer it as a dict."""
        if not isinstance(value, Mapping):
            _refuse_type("a mapping", value, where, secret=True)
        given = cast("Mapping[object, object]", value)
        _check_size(len(given), 0, self.max_items, "item", where)
        if self.key_pattern is not None:
            for key in given:
                String(pattern=self.key_pattern).write(_key(key, where), f"{where} keys")
        return {_key(key, where): self.kind.write(item, f"{where}[{key!r}]") for key, item in given.items()}


class Object(NamedTuple):
    """A model, or a mapping in the API's own spelling."""

    model: type[Model]

    def write(self, value: Any, where: str) -> dict[str, Any]:
        """Answer it as the API spells it, with all that it holds beyond the contract."""
        if isinstance(value, self.model):
            held = ((field, getattr(value, field.argument)) for field in self.model.FIELDS)
            known = {field.argument: item for field, item in held if item is not None or field.required}
            extra: dict[str, Any] = getattr(value, "additional_properties", {})
            return {**extra, **self.write_fields(known, f"{where}.")}
        if not isinstance(value, Mapping):
            _refuse_type(f"{self.model.__name__} or a mapping", value, where, secret=True)
        given = {_key(key, where): item for key, item in cast("Mapping[object, object]", value).items()}
        self._check_names(given, where)
        body: dict[str, Any] = dict(given)
        for field in self.model.FIELDS:
            # An explicit None is the API's own `null`.
            if field.required or given.get(field.name) is not None:
                body[field.name] = field.written(given.get(field.name, UNSET), f"{where}.{field.name}")
        self._check_rules(body, f"{where}: ", lambda name: name)
        return body

    def _check_names(self, given: Mapping[str, object], where: str) -> None:
        # A mapping may come from a response, with fields that only the API sets.
        known = dict(names_of(self.model))
        for key in given:
            if key not in known.values():
                from difflib import get_close_matches

                names = [field.name for field in self.model.FIELDS]
                nearest = known.get(key) or next(iter(get_close_matches(key, names, n=1)), None)
                hint = "." if nearest is None else f": did you mean {nearest!r}?"
                raise ValueError(
                    f"{where} has no field {key!r}{hint} Its fields are {', '.join(names)}; to send a field that this "
                    f"version does not know, pass {self.model.__name__}(additional_properties=...)"
                )

    def write_fields(self, given: Mapping[str, object], where: str = "") -> dict[str, Any]:
        """Answer fields given by their names in Python, without those that are left out."""
        written = (
            (field.name, field.written(given.get(field.argument, UNSET), f"{where}{field.argument}"))
            for field in self.model.FIELDS
        )
        body = {name: value for name, value in written if value is not UNSET}
        if self.model.RULES:
            arguments = {field.name: field.argument for field in self.model.FIELDS}
            self._check_rules(body, f"{where.removesuffix('.')}: " if where else "", lambda name: arguments[name])
        return body

    def _check_rules(self, body: Mapping[str, object], where: str, spell: Callable[[str], str]) -> None:
        given = {name: value for name, value in body.items() if value is not None}
        for rule in self.model.RULES:
            if reason := rule.check(given, spell):
                raise ValueError(f"{where}{reason}")


class OneOrMany(NamedTuple):
    """A model or a mapping, or a list of them."""

    one: Object
    many: ListOf

    def write(self, value: Any, where: str) -> Any:
        """Answer it as the one or as the list."""
        kind: Kind = self.one if isinstance(value, Model | Mapping) else self.many
        return kind.write(value, where)


class Nullable(NamedTuple):
    """A value in a list or a map, or a body, that may be None."""

    kind: Kind

    def write(self, value: Any, where: str) -> Any:
        """Answer None as it is, which is sent as `null`."""
        return None if value is None else self.kind.write(value, where)


class OneOf:
    """A value of one of several kinds: a model by its class, a mapping by its discriminator, all else by trying each.

    Args:
        kinds: The kinds.
        tag: The field that tells the objects apart.
        tags: The kind of the objects for each value of that field.
    """

    def __init__(self, *kinds: Kind, tag: str = "", tags: Mapping[str, Kind] = MappingProxyType({})) -> None:
        self.kinds = kinds
        self.tag = tag
        self.tags = tags

    def write(self, value: Any, where: str) -> Any:
        """Answer what the first kind answers that takes it."""
        if isinstance(value, Model):
            for kind in self.kinds:
                if isinstance(kind, Object) and isinstance(value, kind.model):
                    return self._tagged(kind, kind.write(value, where), where)
        if self.tags and isinstance(value, Mapping):
            tag = cast("Mapping[object, object]", value).get(self.tag)
            if not isinstance(tag, str) or tag not in self.tags:
                known = ", ".join(map(repr, self.tags))
                raise ValueError(f"{where}.{self.tag} must be one of {known}, got {_shown(tag)}")
            return self.tags[tag].write(value, where)
        given: Any = list(cast("Iterable[object]", value)) if isinstance(value, Iterator) else value
        errors: list[Exception] = []
        for kind in self.kinds:
            try:
                return kind.write(given, where)
            except (TypeError, ValueError) as error:
                errors.append(error)
                if isinstance(kind, String) and kind.secret and isinstance(given, str):
                    # What the others say of a value may show it.
                    raise
        raised = TypeError if all(isinstance(error, TypeError) for error in errors) else ValueError
        reasons = "; ".join(dict.fromkeys(map(str, errors)))
        raise raised(f"{where} is of none of the types that it may have: {reasons}")

    def _tagged(self, kind: Object, body: dict[str, Any], where: str) -> dict[str, Any]:
        known = [tag for tag, other in self.tags.items() if other == kind]
        if known and body.get(self.tag) not in known:
            expected = " or ".join(map(repr, known))
            raise ValueError(
                f"{where}.{self.tag} of {kind.model.__name__} must be {expected}, got {_shown(body.get(self.tag))}"
            )
        return body


def may_hold_secrets(kind: Kind, seen: frozenset[Kind] = frozenset()) -> bool:
    """Whether a value of a kind may hold a secret."""
    if isinstance(kind, String | Anything):
        return kind.secret
    inner: tuple[Kind, ...] = ()
    if isinstance(kind, Object):
        inner = () if kind in seen else tuple(field.kind for field in kind.model.FIELDS)
        seen |= {kind}
    elif isinstance(kind, OneOrMany):
        inner = (kind.one,)
    elif isinstance(kind, OneOf):
        inner = kind.kinds
    elif isinstance(kind, ListOf | MapOf | Nullable):
        inner = (kind.kind,)
    return any(may_hold_secrets(each, seen) for each in inner)


def secrets_of(kind: Kind, value: object) -> Iterator[str]:
    """The secrets in a JSON value that a kind has written."""
    if isinstance(kind, String | Anything):
        if kind.secret:
            yield from _strings(value)
        return
    if isinstance(kind, OneOf | Nullable):
        for each in kind.kinds if isinstance(kind, OneOf) else (kind.kind,):
            yield from secrets_of(each, value)
    elif isinstance(kind, OneOrMany):
        yield from secrets_of(kind.many if is_array(value) else kind.one, value)
    elif isinstance(kind, ListOf) and is_array(value):
        for item in value:
            yield from secrets_of(kind.kind, item)
    elif isinstance(kind, MapOf) and is_object(value):
        for item in value.values():
            yield from secrets_of(kind.kind, item)
    elif isinstance(kind, Object) and is_object(value):
        for field in kind.model.FIELDS:
            yield from secrets_of(field.kind, value.get(field.name))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from [value] if len(value) >= MIN_SECRET_LENGTH else []
    elif isinstance(value, Mapping | list | tuple):
        known = cast("Mapping[object, object] | list[object]", value)
        for item in known.values() if isinstance(known, Mapping) else known:
            yield from _strings(item)


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{where} has a key that is no string: {_shown(key)}")
    return key


def _check_bounds(value: float, kind: Integer | Number, where: str) -> None:
    reason = None
    if kind.minimum is not None and value < kind.minimum:
        reason = f"at least {kind.minimum}"
    elif kind.maximum is not None and value > kind.maximum:
        reason = f"at most {kind.maximum}"
    elif kind.above is not None and value <= kind.above:
        reason = f"more than {kind.above}"
    elif kind.below is not None and value >= kind.below:
        reason = f"less than {kind.below}"
    if reason is not None:
        raise ValueError(f"{where} must be {reason}, got {_shown(value)}")


def _check_size(size: int, least: int, most: int | None, unit: str, where: str) -> None:
    if size < least:
        raise ValueError(f"{where} must have at least {least} {unit}{'s' * (least != 1)}, got {size}")
    if most is not None and size > most:
        raise ValueError(f"{where} must have at most {most} {unit}s, got {size}")


def _refuse_type(expected: str, value: object, where: str, *, secret: bool = False) -> NoReturn:
    kind = type(value).__name__
    # What is made of parts may hold a secret in one of them.
    is_shown = isinstance(value, str | bytes | int | float | datetime) and not secret
    raise TypeError(f"{where} must be {expected}, got {f'{_shown(value)} ({kind})' if is_shown else kind}")


def _shown(value: object, *, secret: bool = False) -> str:
    try:
        shown = "a secret" if secret else repr(value)
    except ValueError:
        # An integer of more digits than Python writes.
        shown = type(value).__name__
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}..."
