"""The schemas of lists, mappings, objects and unions in arguments: they validate a value, and serialize it to JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from ..types import UNSET
from .decoding import safe_repr
from .fields import Schema
from .model import Model, names_of
from .scalars import Anything, String, check_size, raise_type_error


class ListOf(NamedTuple):
    """An iterable of values of one schema. Strings and mappings are not accepted."""

    schema: Schema
    min_items: int = 0
    max_items: int | None = None

    def serialize(self, value: Any, where: str) -> list[Any]:
        """Return the values as a list."""
        if not isinstance(value, Iterable) or isinstance(value, str | bytes | Mapping | Model):
            raise_type_error("a list", cast("object", value), where, secret=True)
        given = list(cast("Iterable[object]", value))
        check_size(len(given), self.min_items, self.max_items, "item", where)
        return [self.schema.serialize(item, f"{where}[{number}]") for number, item in enumerate(given)]


class MapOf(NamedTuple):
    """A mapping of strings to values of one schema."""

    schema: Schema = Anything()
    max_items: int | None = None
    key_pattern: str | None = None

    def serialize(self, value: Any, where: str) -> dict[str, Any]:
        """Return the mapping as a dict."""
        if not isinstance(value, Mapping):
            raise_type_error("a mapping", value, where, secret=True)
        given = cast("Mapping[object, object]", value)
        check_size(len(given), 0, self.max_items, "item", where)
        if self.key_pattern is not None:
            for key in given:
                String(pattern=self.key_pattern).serialize(_check_key(key, where), f"{where} keys")
        return {_check_key(key, where): self.schema.serialize(item, f"{where}[{key!r}]") for key, item in given.items()}


class Object(NamedTuple):
    """A model, or a mapping with the API's names."""

    model: type[Model]

    def serialize(self, value: Any, where: str) -> dict[str, Any]:
        """Return the object with the API's names, including its `additional_properties`."""
        if isinstance(value, self.model):
            held = ((field, getattr(value, field.argument)) for field in self.model.__arguments__)
            known = {field.argument: item for field, item in held if item is not None or field.required}
            extra: dict[str, Any] = getattr(value, "additional_properties", {})
            return {**extra, **self.serialize_fields(known, f"{where}.")}
        if not isinstance(value, Mapping):
            raise_type_error(f"{self.model.__name__} or a mapping", value, where, secret=True)
        given = {_check_key(key, where): item for key, item in cast("Mapping[object, object]", value).items()}
        self._check_names(given, where)
        body: dict[str, Any] = dict(given)
        for field in self.model.__arguments__:
            # An explicit None is sent as `null`.
            if field.required or given.get(field.name) is not None:
                body[field.name] = field.serialize(given.get(field.name, UNSET), f"{where}.{field.name}")
        self._check_rules(body, f"{where}: ", lambda name: name)
        return body

    def _check_names(self, given: Mapping[str, object], where: str) -> None:
        # A mapping may come from a response, with fields that only the API sets.
        known = dict(names_of(self.model))
        for key in given:
            if key not in known.values():
                from difflib import get_close_matches

                names = [field.name for field in self.model.__arguments__]
                nearest = known.get(key) or next(iter(get_close_matches(key, names, n=1)), None)
                hint = "." if nearest is None else f": did you mean {nearest!r}?"
                raise ValueError(
                    f"{where} has no field {key!r}{hint} Its fields are {', '.join(names)}; to send a field that this "
                    f"version does not know, pass {self.model.__name__}(additional_properties=...)"
                )

    def serialize_fields(self, given: Mapping[str, object], where: str = "") -> dict[str, Any]:
        """Return the object for fields with their names in Python, without those that are omitted."""
        written = (
            (field.name, field.serialize(given.get(field.argument, UNSET), f"{where}{field.argument}"))
            for field in self.model.__arguments__
        )
        body = {name: value for name, value in written if value is not UNSET}
        if self.model.__rules__:
            arguments = {field.name: field.argument for field in self.model.__arguments__}
            self._check_rules(body, f"{where.removesuffix('.')}: " if where else "", lambda name: arguments[name])
        return body

    def _check_rules(self, body: Mapping[str, object], where: str, spell: Callable[[str], str]) -> None:
        given = {name: value for name, value in body.items() if value is not None}
        for rule in self.model.__rules__:
            if reason := rule.check(given, spell):
                raise ValueError(f"{where}{reason}")


class OneOrMany(NamedTuple):
    """A model or a mapping, or a list of them."""

    one: Object
    many: ListOf

    def serialize(self, value: Any, where: str) -> Any:
        """Return the object, or the list of objects."""
        schema: Schema = self.one if isinstance(value, Model | Mapping) else self.many
        return schema.serialize(value, where)


class Nullable(NamedTuple):
    """A value in a list or a map, or a body, that may be None."""

    schema: Schema

    def serialize(self, value: Any, where: str) -> Any:
        """Return None for `null`, or the serialized value."""
        return None if value is None else self.schema.serialize(value, where)


class OneOf:
    """A value of one of several schemas: a model by its class, a mapping by its discriminator, others by trying each.

    Args:
        schemas: The schemas.
        tag: The field that tells the objects apart.
        tags: The schema of the objects for each value of that field.
    """

    def __init__(self, *schemas: Schema, tag: str = "", tags: Mapping[str, Schema] = MappingProxyType({})) -> None:
        self.schemas = schemas
        self.tag = tag
        self.tags = tags

    def serialize(self, value: Any, where: str) -> Any:
        """Return the value as the first schema serializes it that accepts it."""
        if isinstance(value, Model):
            for schema in self.schemas:
                if isinstance(schema, Object) and isinstance(value, schema.model):
                    return self._tagged(schema, schema.serialize(value, where), where)
        if self.tags and isinstance(value, Mapping):
            tag = cast("Mapping[object, object]", value).get(self.tag)
            if not isinstance(tag, str) or tag not in self.tags:
                known = ", ".join(map(repr, self.tags))
                raise ValueError(f"{where}.{self.tag} must be one of {known}, got {safe_repr(tag)}")
            return self.tags[tag].serialize(value, where)
        given: Any = list(cast("Iterable[object]", value)) if isinstance(value, Iterator) else value
        errors: list[Exception] = []
        for schema in self.schemas:
            try:
                return schema.serialize(given, where)
            except (TypeError, ValueError) as error:
                errors.append(error)
                if isinstance(schema, String) and schema.secret and isinstance(given, str):
                    # The errors of other schemas may show the value.
                    raise
        raised = TypeError if all(isinstance(error, TypeError) for error in errors) else ValueError
        reasons = "; ".join(dict.fromkeys(map(str, errors)))
        raise raised(f"{where} has none of the expected types: {reasons}")

    def _tagged(self, schema: Object, body: dict[str, Any], where: str) -> dict[str, Any]:
        known = [tag for tag, other in self.tags.items() if other == schema]
        if known and body.get(self.tag) not in known:
            expected = " or ".join(map(repr, known))
            raise ValueError(
                f"{where}.{self.tag} of {schema.model.__name__} must be {expected}, got {safe_repr(body.get(self.tag))}"
            )
        return body


def _check_key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{where} has a key that is not a string: {safe_repr(key)}")
    return key
