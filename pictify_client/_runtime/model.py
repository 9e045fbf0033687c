"""`Model`, the base class of the generated models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, Self, cast

from attrs import define, field, fields

from ..types import OpenEnum
from .decoding import decode, too_deep
from .fields import Argument
from .json_values import is_array
from .readers import format_datetime
from .rules import Rule

new: Final = object.__new__
"""Creates a model without calling its `__init__`."""


@define(kw_only=True)
class Model:
    """The base class of the models, which are created by keyword, by `from_dict`, or by a call.

    A subclass may add fields and attributes. They are not part of the JSON: `from_dict` passes only the fields of the
    model to the subclass, and `to_dict` returns only those.
    """

    __arguments__: ClassVar[tuple[Argument, ...]] = ()
    """The fields that can be sent; empty for a model that is only received."""

    __names__: ClassVar[Mapping[str, str]] = {}
    """The API's names of the fields that have another name in Python."""

    __rules__: ClassVar[tuple[Rule, ...]] = ()
    """The rules between the fields that are sent."""

    additional_properties: dict[str, Any] = field(factory=dict[str, Any], repr=False)
    """Fields that this version does not know. They are not in the repr, as they may hold a secret."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        owner = next(base for base in cls.__mro__ if "__decode__" in vars(base))
        # Only generated models, and the classes that they derive from, define `__decode__`.
        if owner in (cls, Model):
            return
        # Not twice: attrs creates a custom subclass anew, to give it slots.
        if owner is not _CustomModel:
            bases: tuple[type, ...] = cls.__bases__
            place = next(place for place, base in enumerate(bases) if issubclass(base, Model))
            type.__setattr__(cls, "__bases__", (*bases[:place], _CustomModel, *bases[place:]))
        for name in ("__getstate__", "__setstate__"):
            # In the class itself, else attrs adds its own, which ignore a `__dict__`.
            if name not in vars(cls):
                setattr(cls, name, vars(_CustomModel)[name])

    @classmethod
    def __decode__(cls, d: dict[str, Any]) -> Self:
        """Build a model from a dict, which becomes its `additional_properties`."""
        raise NotImplementedError(cls)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object: the fields by the API's names, without those that are None."""
        known = {name: value for field, name in names_of(type(self)) if (value := getattr(self, field)) is not None}
        return {**to_json(self.additional_properties), **{name: to_json(value) for name, value in known.items()}}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Build a model from a JSON object, such as `json.loads` returns. The object is not changed.

        Raises:
            DecodeError: If it does not have the documented form; the error names the path and the value.
        """
        try:
            owned = to_json(src_dict)
        except RecursionError:
            raise too_deep() from None
        return decode(cls.__decode__, owned, lambda: to_json(src_dict))


class _CustomModel:
    """The second base class of custom subclasses of a model.

    For speed, `__decode__` of a model does not call `__init__`, and sets only the fields of the model. A class with
    this base has a `__dict__` even if attrs gives it slots, so that `__attrs_post_init__` can set any attribute.
    """

    @classmethod
    def __decode__(cls, d: dict[str, Any]) -> Any:
        return cls._from_model(_model_of(cls).__decode__(d))

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
    return next(base for base in bases if issubclass(base, Model) and "__decode__" in vars(base))


def names_of(model: type[Model]) -> Iterator[tuple[str, str]]:
    """Return the fields of a model, without those that a custom subclass adds, and their names in the API."""
    known = _model_of(model) if issubclass(model, _CustomModel) else model
    for each in fields(known):
        if each.name != "additional_properties":
            yield each.name, known.__names__.get(each.name, each.name)


def hidden(value: object) -> str:
    """Return the repr of a secret field, which shows whether it has a value."""
    return repr(value) if value is None else "[hidden]"


def shown(value: object) -> str:
    """Return the repr of a field whose model hides its secrets; a mapping in its place would show them."""
    return repr(value) if value is None or isinstance(value, Model) else f"[{type(value).__name__}]"


def to_json(value: Any) -> Any:
    """Return a copy of a value for JSON, with models as objects and a `datetime` as a string."""
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if is_array(value):
        return [to_json(item) for item in value]
    if isinstance(value, datetime):
        return format_datetime(value)
    return str(value) if isinstance(value, OpenEnum) else value
