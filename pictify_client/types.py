"""Types of arguments and results: `OpenEnum`, `Response` and `UNSET`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Literal, Self, TypeVar, cast

from ._runtime.lazy import Deferred
from .rate_limits import RateLimit

if TYPE_CHECKING:
    import httpx

    from . import errors
else:
    # `errors` imports this module, and what reads a webhook needs no httpx.
    httpx = Deferred("httpx")
    errors = Deferred(".errors", __package__)

T = TypeVar("T")


class Unset(Enum):
    """The type of `UNSET`. Its one member makes `is UNSET` narrow a type such as `str | Unset`."""

    UNSET = "UNSET"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    __str__ = __repr__


UNSET: Final = Unset.UNSET
"""The value of an option of a client that is omitted, where None means something else: no timeout."""


class _Members(dict[str, Any]):
    """The members of an enum by their value; for any other string a new one that carries it."""

    def __init__(self, enum: type[OpenEnum]) -> None:
        super().__init__((str(member), member) for member in enum)
        self.enum = enum

    def __missing__(self, value: object) -> OpenEnum:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is not a string")
        # Not kept: what a server makes up must not pile up in memory.
        return self.enum.unknown(value)


class OpenEnum(StrEnum):
    """An enum of strings to which the API may add values.

    A value that this version does not know becomes a member, too: it equals its string, which is its `name` and
    `value`, and its `is_known` is False.
    """

    _value_: str
    by_value: ClassVar[Mapping[str, Any]]
    """The member for a value. Modules that look many up bind it: an attribute of an enum class is slow to find."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.by_value = _Members(cls)

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls.unknown(value) if isinstance(value, str) else None

    @classmethod
    def unknown(cls, value: str) -> Self:
        """Return a member for a value that this version does not know."""
        member = str.__new__(cls, value)
        member._name_ = str(value)
        member._value_ = str(value)
        return member

    @property
    def is_known(self) -> bool:
        """Whether this version knows the value."""
        return self.value in type(self)._value2member_map_


class Response(Generic[T]):
    """The response to a call, whatever its status.

    Attributes:
        status_code: HTTP status code, such as 200.
        headers: Response headers; their names are not case-sensitive.
        content: Response body in bytes, with any content coding (gzip) undone; empty where `parsed` is a
            file, which is read from there.
        parsed: The body as a model, for a status in the 200s; else None.
        error: The error that `result()` raises, for any other status; else None.
    """

    def __init__(
        self,
        *,
        status_code: int,
        headers: httpx.Headers,
        content: bytes,
        parsed: T | None = None,
        error: errors.APIStatusError | None = None,
    ) -> None:
        self.status_code = status_code
        self.headers = headers
        self.content = content
        self.parsed = parsed
        self.error = error

    def __repr__(self) -> str:
        return f"<Response [{self.status_code}]>"

    @cached_property
    def rate_limit(self) -> RateLimit:
        """The rate limit, according to the `X-RateLimit` headers."""
        return RateLimit.from_headers(self.headers)

    def result(self) -> T:
        """The parsed body.

        Raises:
            APIStatusError: If the status is not in the 200s.
        """
        if self.error is not None:
            raise self.error
        return cast("T", self.parsed)
