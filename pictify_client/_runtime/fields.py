"""The arguments of a call, and the fields of the objects in one."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Protocol

from ..types import UNSET


class Schema(Protocol):
    """The schema of a value in a request."""

    def serialize(self, value: Any, where: str) -> Any:
        """Return the JSON value.

        Raises:
            TypeError: If the value is of another type.
            ValueError: If the value is not one that the API accepts.
        """


class Argument(NamedTuple):
    """An argument of a call, or a field of an object in one.

    Attributes:
        argument: Its name in Python.
        name: Its name in the API.
        schema: Its schema.
        required: Whether it must not be omitted.
        nullable: Whether None is sent as `null`; otherwise it means omitted.
        style: How a list or an object is serialized as a parameter: its parts or its names and values joined by a
            comma, a space or a bar; `pairs` as `name=value`, joined by a comma; or `deep`, a parameter per field as
            `parameter[field]`. Empty for a parameter per item or field.
    """

    argument: str
    name: str
    schema: Schema
    required: bool = False
    nullable: bool = False
    style: Literal["", "comma", "space", "bar", "pairs", "deep"] = ""

    def serialize(self, value: object, where: str) -> object:
        """Return the JSON value, or `UNSET` if it is omitted.

        Raises:
            TypeError, ValueError: If the value is invalid, or required and omitted.
        """
        if value is UNSET or (value is None and not self.nullable):
            if self.required:
                raise ValueError(f"{where} is required")
            return UNSET
        return None if value is None else self.schema.serialize(value, where)
