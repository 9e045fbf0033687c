"""What an operation of the contract is, and the request that a call of it makes: no I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast
from urllib.parse import quote, urlencode

from .decoding import DecodeError, Model, decode, format_datetime
from .types import UNSET, OpenEnum

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")


class Parameter(NamedTuple):
    """A parameter of an operation.

    Attributes:
        argument: Its name in Python.
        name: Its name in the contract.
        type: What it takes: `str`, an enum (or one of its strings), `int`, `float`, `bool` or `datetime`.
        minimum: The least value allowed, if there is one.
        maximum: The greatest value allowed, if there is one.
    """

    argument: str
    name: str
    type: type[str | int | float | datetime] = str
    minimum: float | None = None
    maximum: float | None = None

    def text(self, value: object) -> str:
        """The value as it stands in a URL.

        Raises:
            TypeError: It is of another type.
            ValueError: It is out of bounds, or holds what no URL can.
        """
        accepted = (int, float) if self.type is float else str if issubclass(self.type, OpenEnum) else self.type
        if not isinstance(value, accepted) or (isinstance(value, bool) and self.type is not bool):
            raise TypeError(f"{self.argument} must be {self.type.__name__}, got {value!r} ({type(value).__name__})")
        if isinstance(value, datetime):
            return format_datetime(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            if not (self.minimum is None or value >= self.minimum):
                raise ValueError(f"{self.argument} must be at least {self.minimum}, got {value!r}")
            if not (self.maximum is None or value <= self.maximum):
                raise ValueError(f"{self.argument} must be at most {self.maximum}, got {value!r}")
            # What it is, should it be a member of an enum: that would give its name.
            return int.__repr__(value) if isinstance(value, int) else float.__repr__(value)
        if issubclass(self.type, OpenEnum) and not isinstance(value, self.type) and value not in list(self.type):
            known = ", ".join(repr(str(member)) for member in self.type)
            raise ValueError(
                f"{self.argument} must be one of {known}, got {value!r}; to send what this version does not know, "
                f"say {self.type.__name__}({value!r})"
            )
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{self.argument} is no Unicode text: {value!r}") from None
        return str.__str__(value)


class Request(NamedTuple):
    """What is sent for a call: the URL from its path on, and the body."""

    target: str
    content: bytes | None


class Operation(Generic[T]):
    """An operation of the contract; `T` is what a successful answer holds."""

    def __init__(
        self,
        method: str,
        path: str,
        *,
        responses: Mapping[int, Callable[[Any], T]],
        path_parameters: tuple[Parameter, ...] = (),
        query_parameters: tuple[Parameter, ...] = (),
    ) -> None:
        self.method = method
        self.path = path
        self.path_parameters = path_parameters
        self.query_parameters = query_parameters
        self._responses = responses
        self._success = next(iter(responses.values()))

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def request(self, arguments: Mapping[str, object]) -> Request:
        """The request for a call with these arguments; what is `UNSET` or None is left out of the query.

        Raises:
            TypeError, ValueError: An argument is not what the contract takes; says which, and why.
        """
        target = self.path
        for parameter in self.path_parameters:
            segment = parameter.text(arguments[parameter.argument])
            # As a path segment these would make it the path of another operation.
            if segment in ("", ".", ".."):
                raise ValueError(f"{parameter.argument} must not be {segment!r}: it is part of the path {self.path}")
            target = target.replace(f"{{{parameter.name}}}", quote(segment, safe=""))
        query = [
            (parameter.name, parameter.text(value))
            for parameter in self.query_parameters
            if (value := arguments[parameter.argument]) is not UNSET and value is not None
        ]
        if query:
            target = f"{target}?{urlencode(query, quote_via=quote)}"
        return Request(target, _json(arguments.get("body", UNSET)))

    def parse(self, response: httpx.Response) -> T:
        """What a successful answer holds.

        Raises:
            DecodeError: It is not JSON, or not of the contract's shape.
        """
        take = self._responses.get(response.status_code, self._success)
        try:
            document = json.loads(response.content)
        except (ValueError, RecursionError) as error:
            if not response.content.strip():
                raise DecodeError(f"it is empty (from {response.request.url.host})") from None
            kind = response.headers.get("content-type", "no type")
            raise DecodeError(f"it is not JSON ({kind} from {response.request.url.host}): {error}") from None
        return decode(take, document, lambda: json.loads(response.content))


def _json(body: object) -> bytes | None:
    if body is UNSET:
        return None
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"body cannot be sent as JSON: {error}") from error


def _plain(value: object) -> object:
    """What JSON has for a value that is natural in Python."""
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, datetime):
        return format_datetime(value)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    raise TypeError(f"{value!r} ({type(value).__name__}) has no form in JSON")
