"""What can be sent: the arguments of a call, and the fields of the objects in one."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Protocol

from ..types import UNSET


class Kind(Protocol):
    """What a value may be."""

    def write(self, value: Any, where: str) -> Any:
        """The JSON value.

        Raises:
            TypeError: It is of another type.
            ValueError: It is none of the values that the API takes.
        """


class Argument(NamedTuple):
    """An argument of a call, or a field of an object in one.

    Attributes:
        argument: Its name in Python.
        name: Its name in the API.
        kind: What it takes.
        required: Whether it must not be omitted.
        nullable: Whether None is sent as `null`; else it counts as omitted.
        style: How a list or an object is written as a parameter: its parts or its names and values joined to one, by a
            comma, a space or a bar; `pairs` as `name=value`, joined by a comma; or `deep`, a parameter per field as
            `parameter[field]`. Empty for a parameter per item or field.
    """

    argument: str
    name: str
    kind: Kind
    required: bool = False
    nullable: bool = False
    style: Literal["", "comma", "space", "bar", "pairs", "deep"] = ""

    def written(self, value: object, where: str) -> object:
        """The JSON value, or `UNSET` where there is none to send.

        Raises:
            TypeError, ValueError: As `Kind.write`; or it is required and not there.
        """
        if value is UNSET or (value is None and not self.nullable):
            if self.required:
                raise ValueError(f"{where} is required")
            return UNSET
        return None if value is None else self.kind.write(value, where)
