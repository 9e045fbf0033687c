"""Operations of the API, and the requests to them: no I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from math import isfinite
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar, cast
from urllib.parse import quote

import httpx

from ..errors import DecodeError
from ..types import UNSET
from .decoding import decode
from .fields import Argument, Schema
from .json_values import parse_json
from .model import Model
from .readers import format_datetime
from .scalars import DateTime, String
from .secrets import may_hold_secrets, secrets_of
from .validation import MapOf, Nullable, Object, OneOrMany

T = TypeVar("T")

# httpx rejects URLs of more than 65,536 characters, of which the base URL has some.
_MAX_TARGET_LENGTH = 64_000
_NO_CONTENT = 204
_NOT_MODIFIED = 304
_MAX_DEPTH = 100
# The separator of the items of a parameter, and its encoded form.
_SEPARATORS = {"comma": (",", ","), "pairs": (",", ","), "space": (" ", "%20"), "bar": ("|", "%7C")}


class PreparedRequest(NamedTuple):
    """The request of a call: its URL from the path on, the headers of the operation, the body, and the secrets in them.

    `error_pixel` is whether an image of one pixel is accepted in place of an error; None if the API sends none.
    `url` is the complete URL of a request that does not go to the API. `signing_key` signs the body.
    `header_secrets` are those in the headers, which no other origin gets.
    """

    target: str
    headers: dict[str, str]
    content: bytes | None
    secrets: tuple[str, ...]
    error_pixel: bool | None = None
    url: str | None = None
    signing_key: bytes | None = None
    header_secrets: tuple[str, ...] = ()


class Operation(Generic[T]):
    """An operation of the API; `T` is the type of its result.

    Args:
        method: HTTP method.
        path: Path, with its parameters in braces.
        responses: The function that decodes the JSON of each successful status; empty if the response is not JSON.
        path_parameters: The parameters in the path.
        query_parameters: The parameters in the query. A `MapOf` is a parameter per key.
        header_parameters: The parameters in headers.
        body: The schema of the body. A call passes it as `body`, or field by field.
        optional_body: Whether the body may be omitted.
        items: The argument for the body as a list, if it may be an object or a list of objects.
        accept: The media types of a successful response.
        needs_key: Whether the operation requires the API key; otherwise, it is not sent.
        redirects: Whether a successful response is a redirect, whose target is the result.
        may_be_empty: Whether a successful response may have no body; the result is None then.
        has_error_pixel: Whether the API sends an image of one pixel in place of an error.
        timeout: Timeout of an attempt in seconds, if it is longer than the default.
        signed_with: The argument that is the secret by which the body is signed, as that of a webhook.
    """

    def __init__(
        self,
        method: str,
        path: str,
        *,
        responses: Mapping[int, Callable[[Any], T]] = MappingProxyType({}),
        path_parameters: tuple[Argument, ...] = (),
        query_parameters: tuple[Argument, ...] = (),
        header_parameters: tuple[Argument, ...] = (),
        body: Schema | None = None,
        optional_body: bool = False,
        items: str | None = None,
        accept: str = "application/json",
        needs_key: bool = True,
        redirects: bool = False,
        may_be_empty: bool = False,
        has_error_pixel: bool = False,
        timeout: float | None = None,
        signed_with: str | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.path_parameters = path_parameters
        self.query_parameters = query_parameters
        self.header_parameters = header_parameters
        self.body = body
        self.optional_body = optional_body
        self.items = items
        self.accept = accept
        self.needs_key = needs_key
        self.redirects = redirects
        self.may_be_empty = may_be_empty
        self.has_error_pixel = has_error_pixel
        self.timeout = timeout
        self.signed_with = signed_with
        self.responses = responses
        self._parameters_with_secrets = tuple(
            each for each in (*path_parameters, *query_parameters) if may_hold_secrets(each.schema)
        )

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def request(self, arguments: Mapping[str, object]) -> PreparedRequest:
        """Return the request for a call with these arguments.

        Raises:
            TypeError, ValueError: If an argument is invalid.
        """
        headers = {
            parameter.name: text
            for parameter in self.header_parameters
            if (text := _header(parameter, arguments)) is not None
        }
        target = self.target(arguments)
        header_secrets = tuple(
            text
            for each in self.header_parameters
            if may_hold_secrets(each.schema)
            for text in secrets_of(each.schema, arguments.get(each.argument))
        )
        secrets = [
            spelt
            for each in self._parameters_with_secrets
            for text in secrets_of(each.schema, arguments.get(each.argument))
            for spelt in (text, _quoted(text))
        ]
        if self.body is None or self._omits_body(arguments):
            pixel = bool(arguments.get("allow_error_pixel")) if self.has_error_pixel else None
            return PreparedRequest(target, headers, None, tuple(secrets), pixel, header_secrets=header_secrets)
        try:
            body = self._body(self.body, arguments)
        except RecursionError:
            raise ValueError("the body is not JSON serializable: it is nested too deeply") from None
        if self._body_may_hold_secrets:
            secrets += secrets_of(self.body, body)
        key = None if self.signed_with is None else str(arguments[self.signed_with]).encode()
        return PreparedRequest(
            target, headers, _json(body), tuple(secrets), signing_key=key, header_secrets=header_secrets
        )

    def _omits_body(self, arguments: Mapping[str, object]) -> bool:
        body = arguments.get("body")
        return self.optional_body and (body is UNSET or (body is None and not isinstance(self.body, Nullable)))

    @cached_property
    def _body_may_hold_secrets(self) -> bool:
        # Not at import: the fields of the models are declared after the classes.
        return self.body is not None and may_hold_secrets(self.body)

    def target(self, arguments: Mapping[str, object]) -> str:
        """Return the URL for a call with these arguments, from the path on.

        Raises:
            TypeError, ValueError: If an argument is invalid.
        """
        target = self.path
        for parameter in self.path_parameters:
            name = parameter.argument
            segment = _joined(parameter, parameter.schema.serialize(arguments[name], name), _quoted)
            # As a path segment these would make it the path of another operation.
            if segment in ("", ".", ".."):
                raise ValueError(f"{name} must not be {segment!r}: it is part of the path {self.path}")
            target = target.replace(f"{{{parameter.name}}}", segment)
        query = "&".join(f"{_quoted(name)}={text}" for name, text in self._query(arguments))
        if query:
            target = f"{target}?{query}"
        if len(target) > _MAX_TARGET_LENGTH:
            sent = (each.argument for each in (*self.path_parameters, *self.query_parameters))
            sizes = {name: len(str(arguments[name])) for name in sent if name in arguments}
            longest = max(sizes, key=lambda name: sizes[name])
            raise ValueError(f"{longest} is too long: the URL would have {len(target)} characters")
        return target

    def succeeded(self, response: httpx.Response) -> bool:
        """Whether a response is successful.

        A redirect is successful only if the operation returns its target, and Not Modified only if the request was
        conditional.
        """
        if response.status_code == _NOT_MODIFIED:
            return "if-none-match" in response.request.headers
        return response.has_redirect_location if self.redirects else response.is_success and response.status_code != 206

    def parse(self, response: httpx.Response, content: bytes) -> T:
        """Decode the body of a successful response.

        Raises:
            DecodeError: If it is not JSON, or not of the documented form.
        """
        if self.redirects:
            return cast("T", response.headers["location"])
        if not self.responses:
            raise DecodeError(f"it is not a file ({_origin_of(response)})")
        if self.may_be_empty and not content.strip():
            return cast("T", None)
        read = self.responses.get(response.status_code) or next(iter(self.responses.values()))
        if response.status_code == _NO_CONTENT or (self.method == "DELETE" and not content):
            return decode(read, {}, dict[str, Any])
        try:
            document = parse_json(content)
        except (ValueError, RecursionError) as error:
            if not content.strip():
                raise DecodeError(f"it is empty (from {response.request.url.host})") from None
            hint = f": {error}"
            if response.headers.get("content-type", "").startswith("text/html"):
                hint = "; is it the right base_url (PICTIFY_BASE_URL)?"
            raise DecodeError(f"it is not JSON ({_origin_of(response)}){hint}") from None
        return decode(read, document, lambda: parse_json(content))

    def _query(self, arguments: Mapping[str, object]) -> Iterator[tuple[str, str]]:
        """Return the names of the query parameters, and their encoded values."""
        names = {each.name for each in self.query_parameters if not isinstance(each.schema, MapOf)}
        for parameter in self.query_parameters:
            argument = parameter.argument
            serialized = parameter.serialize(arguments.get(argument, UNSET), argument)
            if serialized is UNSET:
                continue
            if parameter.style not in ("", "deep") or not isinstance(serialized, dict | list):
                if serialized not in ([], {}):
                    yield parameter.name, _joined(parameter, serialized, _quoted)
                continue
            for name, value, where in _parts(argument, cast("dict[str, object] | list[object]", serialized)):
                if parameter.style == "deep":
                    yield f"{parameter.name}[{name}]", _quoted(_text(value, where))
                elif name is None:
                    yield parameter.name, _quoted(_text(value, where))
                elif name in names:
                    raise ValueError(f"{where} cannot be sent in a URL: `{name}` is another parameter of the operation")
                else:
                    yield name, _quoted(_text(value, where))

    def _body(self, schema: Schema, arguments: Mapping[str, object]) -> object:
        if "body" in arguments:
            return schema.serialize(arguments["body"], "body")
        taken = {parameter.argument for parameter in self.header_parameters}
        given = {name: value for name, value in arguments.items() if value is not UNSET and name not in taken}
        one = schema.one if isinstance(schema, OneOrMany) else cast("Object", schema)
        many = None if self.items is None else given.pop(self.items, None)
        if self.items is None or many is None:
            return one.serialize_fields(given)
        if both := [name for name, value in given.items() if value is not None]:
            raise ValueError(
                f"{self.items} and {both[0]} cannot be combined: a call sends one object or a list of objects"
            )
        return schema.serialize(many, self.items)


def _origin_of(response: httpx.Response) -> str:
    """The media type and the host of a response that cannot be decoded."""
    return f"{response.headers.get('content-type', 'no type')} from {response.request.url.host}"


def _header(parameter: Argument, arguments: Mapping[str, object]) -> str | None:
    serialized = parameter.serialize(arguments.get(parameter.argument, UNSET), parameter.argument)
    text = "" if serialized is UNSET else _joined(parameter, serialized, str)
    if not (text.isascii() and text.isprintable()):
        raise ValueError(f"{parameter.argument} must be ASCII without line breaks, since it is sent in a header")
    return None if serialized in (UNSET, [], {}) else text


def _joined(parameter: Argument, serialized: object, encode: Callable[[str], str]) -> str:
    """Return a JSON value as one parameter."""
    if not isinstance(serialized, dict | list):
        return encode(_text(serialized, parameter.argument))
    separator, sent = _SEPARATORS[parameter.style]
    words: list[str] = []
    for name, value, where in _parts(parameter.argument, cast("dict[str, object] | list[object]", serialized)):
        text = _text(value, where)
        # A server that decodes first would split an item.
        if separator in text or (name is not None and separator in name):
            raise ValueError(f"{where} must not contain {separator!r}, which separates the items of {parameter.name}")
        texts = [encode(each) for each in (name, text) if each is not None]
        words += ["=".join(texts)] if parameter.style == "pairs" else texts
    return sent.join(words)


def _parts(argument: str, serialized: dict[str, object] | list[object]) -> Iterator[tuple[str | None, object, str]]:
    """The items of a list, or the present fields of an object: name, value, and place for errors."""
    if isinstance(serialized, list):
        for number, value in enumerate(serialized):
            yield None, value, f"{argument}[{number}]"
    else:
        for name, value in serialized.items():
            if value is not None and value is not UNSET:
                yield name, value, f"{argument}[{name!r}]"


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _text(value: object, where: str) -> str:
    """Return a JSON value as text for a URL."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"{where} must be a finite number, since it is part of the URL, got {value!r}")
    if isinstance(value, int | float):
        # The number itself: `str()` of a member of an enum is its name.
        return int.__repr__(value) if isinstance(value, int) else float.__repr__(value)
    if isinstance(value, datetime):
        return DateTime().serialize(value, where)
    if not isinstance(value, str):
        raise TypeError(
            f"{where} must be a string, number or boolean, since it is part of the URL, got {type(value).__name__}"
        )
    return String().serialize(value, where)


def _json(body: object) -> bytes:
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        where, reason = _fault(body) or ("it", str(error))
        raise ValueError(f"the body is not JSON serializable: {where} {reason}") from None


def _plain(value: object) -> object:
    """Convert a value that `json` does not serialize."""
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, datetime):
        return format_datetime(value)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    raise TypeError(f"is of type {type(value).__name__}, which JSON does not have")


def _fault(value: object, where: str = "", depth: int = 0) -> tuple[str, str] | None:
    """Return the place of the first value that is not JSON serializable, and why; None if there is none."""
    if depth > _MAX_DEPTH:
        return where, "is nested too deeply"
    if isinstance(value, Mapping | list | tuple):
        given = cast("Mapping[object, object] | list[object]", value)
        if isinstance(given, Mapping) and not all(isinstance(key, str) for key in given):
            return where or "it", "has a key that is not a string"
        parts = given.items() if isinstance(given, Mapping) else enumerate(given)
        named = ((f"{where}[{key!r}]" if where else str(key), part) for key, part in parts)
        inner = (_fault(part, name, depth + 1) for name, part in named)
        return next(filter(None, inner), None)
    if isinstance(value, float) and not isfinite(value):
        return where, "is not a finite number"
    try:
        json.dumps(value, ensure_ascii=False, default=_plain).encode()
    except UnicodeEncodeError:
        return where, "is not valid Unicode"
    except (TypeError, ValueError, RecursionError) as error:
        return where, str(error)
    return None
