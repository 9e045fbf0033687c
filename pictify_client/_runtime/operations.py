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

from ..types import UNSET
from .decoding import DecodeError, Model, decode, format_datetime, parse_json
from .fields import Argument, Kind
from .validation import DateTime, MapOf, Nullable, Object, OneOrMany, may_hold_secrets, secrets_of

T = TypeVar("T")

# httpx takes no URL above 65,536 characters; some of them are the base URL's.
_LONGEST_TARGET = 64_000
_NO_CONTENT = 204
_NOT_MODIFIED = 304
_DEEPEST = 100
# What separates the parts of a parameter, and how it is written in a URL or a header.
_SEPARATORS = {"comma": (",", ","), "pairs": (",", ","), "space": (" ", "%20"), "bar": ("|", "%7C")}


class Request(NamedTuple):
    """What is sent for a call: the URL from its path on, headers of the operation, the body, and the secrets in them.

    `error_pixel` is whether an image of one pixel is accepted in place of an error; None if the API sends none.
    `url` is the complete URL of a request that does not go to the API. `header_secrets` are those in the headers, which
    no other origin gets.
    """

    target: str
    headers: dict[str, str]
    content: bytes | None
    secrets: tuple[str, ...]
    error_pixel: bool | None = None
    url: str | None = None
    header_secrets: tuple[str, ...] = ()


class Operation(Generic[T]):
    """An operation of the API; `T` is the type of its result.

    Args:
        method: HTTP method.
        path: Path, with its parameters in braces.
        responses: For each status of success what reads its JSON; empty where it is not JSON.
        path_parameters: What stands in the path.
        query_parameters: What stands in the query; a `MapOf` there is as many parameters as it has keys.
        header_parameters: What stands in headers.
        body: What the body may be. A call passes it as `body`, or field by field.
        optional_body: Whether the body may be omitted.
        items: The argument that gives the body as a list, where it may be one object or a list of them.
        accept: The media types of a successful response.
        needs_key: Whether the operation requires the API key; otherwise, it is not sent.
        redirects: Whether a successful response is a redirect, whose target is the result.
        may_be_empty: Whether a successful response may have no body; the result is None then.
        has_error_pixel: Whether the API sends an image of one pixel in place of an error.
        timeout: Seconds that an attempt may take, if that is longer than most.
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
        body: Kind | None = None,
        optional_body: bool = False,
        items: str | None = None,
        accept: str = "application/json",
        needs_key: bool = True,
        redirects: bool = False,
        may_be_empty: bool = False,
        has_error_pixel: bool = False,
        timeout: float | None = None,
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
        self.responses = responses
        self._parameters_with_secrets = tuple(
            each for each in (*path_parameters, *query_parameters) if may_hold_secrets(each.kind)
        )

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def request(self, arguments: Mapping[str, object]) -> Request:
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
            if may_hold_secrets(each.kind)
            for text in secrets_of(each.kind, arguments.get(each.argument))
        )
        secrets = [
            spelt
            for each in self._parameters_with_secrets
            for text in secrets_of(each.kind, arguments.get(each.argument))
            for spelt in (text, _quoted(text))
        ]
        if self.body is None or self._omits_body(arguments):
            pixel = bool(arguments.get("allow_error_pixel")) if self.has_error_pixel else None
            return Request(target, headers, None, tuple(secrets), pixel, header_secrets=header_secrets)
        try:
            body = self._body(self.body, arguments)
        except RecursionError:
            raise ValueError("the body is nested too deeply to be sent as JSON") from None
        if self._body_may_hold_secrets:
            secrets += secrets_of(self.body, body)
        return Request(target, headers, _json(body), tuple(secrets), header_secrets=header_secrets)

    def _omits_body(self, arguments: Mapping[str, object]) -> bool:
        body = arguments.get("body")
        return self.optional_body and (body is UNSET or (body is None and not isinstance(self.body, Nullable)))

    @cached_property
    def _body_may_hold_secrets(self) -> bool:
        # Not at import: the fields of the models are declared after the classes.
        return self.body is not None and may_hold_secrets(self.body)

    def target(self, arguments: Mapping[str, object]) -> str:
        """The URL for a call with these arguments, from its path on.

        Raises:
            TypeError, ValueError: If an argument is invalid.
        """
        target = self.path
        for parameter in self.path_parameters:
            name = parameter.argument
            segment = _joined(parameter, parameter.kind.write(arguments[name], name), _quoted)
            # As a path segment these would make it the path of another operation.
            if segment in ("", ".", ".."):
                raise ValueError(f"{name} must not be {segment!r}: it is part of the path {self.path}")
            target = target.replace(f"{{{parameter.name}}}", segment)
        query = "&".join(f"{_quoted(name)}={text}" for name, text in self._query(arguments))
        if query:
            target = f"{target}?{query}"
        if len(target) > _LONGEST_TARGET:
            sent = (each.argument for each in (*self.path_parameters, *self.query_parameters))
            sizes = {name: len(str(arguments[name])) for name in sent if name in arguments}
            longest = max(sizes, key=lambda name: sizes[name])
            raise ValueError(f"{longest} is too long for a URL, of which it makes {len(target)} characters")
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
        take = self.responses.get(response.status_code) or next(iter(self.responses.values()))
        if response.status_code == _NO_CONTENT or (self.method == "DELETE" and not content):
            return decode(take, {}, dict[str, Any])
        try:
            document = parse_json(content)
        except (ValueError, RecursionError) as error:
            if not content.strip():
                raise DecodeError(f"it is empty (from {response.request.url.host})") from None
            hint = f": {error}"
            if response.headers.get("content-type", "").startswith("text/html"):
                hint = "; is it the right base_url (PICTIFY_BASE_URL)?"
            raise DecodeError(f"it is not JSON ({_origin_of(response)}){hint}") from None
        return decode(take, document, lambda: parse_json(content))

    def _query(self, arguments: Mapping[str, object]) -> Iterator[tuple[str, str]]:
        """The names of the parameters in the query, and their values as they stand there."""
        names = {each.name for each in self.query_parameters if not isinstance(each.kind, MapOf)}
        for parameter in self.query_parameters:
            argument = parameter.argument
            written = parameter.written(arguments.get(argument, UNSET), argument)
            if written is UNSET:
                continue
            if parameter.style not in ("", "deep") or not isinstance(written, dict | list):
                if written not in ([], {}):
                    yield parameter.name, _joined(parameter, written, _quoted)
                continue
            for name, value, where in _parts(argument, cast("dict[str, object] | list[object]", written)):
                if parameter.style == "deep":
                    yield f"{parameter.name}[{name}]", _quoted(_text(value, where))
                elif name is None:
                    yield parameter.name, _quoted(_text(value, where))
                elif name in names:
                    raise ValueError(f"{where} cannot be sent in a URL: `{name}` means something else there")
                else:
                    yield name, _quoted(_text(value, where))

    def _body(self, kind: Kind, arguments: Mapping[str, object]) -> object:
        if "body" in arguments:
            return kind.write(arguments["body"], "body")
        taken = {parameter.argument for parameter in self.header_parameters}
        given = {name: value for name, value in arguments.items() if value is not UNSET and name not in taken}
        one = kind.one if isinstance(kind, OneOrMany) else cast("Object", kind)
        many = None if self.items is None else given.pop(self.items, None)
        if self.items is None or many is None:
            return one.write_fields(given)
        if both := [name for name, value in given.items() if value is not None]:
            raise ValueError(f"{self.items} and {both[0]} cannot both be given: a call sends one, or a list of them")
        return kind.write(many, self.items)


def _origin_of(response: httpx.Response) -> str:
    """The media type and the host of a response that cannot be decoded."""
    return f"{response.headers.get('content-type', 'no type')} from {response.request.url.host}"


def _header(parameter: Argument, arguments: Mapping[str, object]) -> str | None:
    written = parameter.written(arguments.get(parameter.argument, UNSET), parameter.argument)
    text = "" if written is UNSET else _joined(parameter, written, str)
    if not (text.isascii() and text.isprintable()):
        raise ValueError(f"{parameter.argument} holds what HTTP cannot carry in a header: a line break, or not ASCII")
    return None if written in (UNSET, [], {}) else text


def _joined(parameter: Argument, written: object, encode: Callable[[str], str]) -> str:
    """A JSON value as one parameter."""
    if not isinstance(written, dict | list):
        return encode(_text(written, parameter.argument))
    separator, sent = _SEPARATORS[parameter.style]
    words: list[str] = []
    for name, value, where in _parts(parameter.argument, cast("dict[str, object] | list[object]", written)):
        text = _text(value, where)
        # By a server that decodes first, an item would be taken for two.
        if separator in text or (name is not None and separator in name):
            raise ValueError(f"{where} must not contain {separator!r}, which separates the parts of {parameter.name}")
        texts = [encode(each) for each in (name, text) if each is not None]
        words += ["=".join(texts)] if parameter.style == "pairs" else texts
    return sent.join(words)


def _parts(argument: str, written: dict[str, object] | list[object]) -> Iterator[tuple[str | None, object, str]]:
    """The items of a list, or the fields of an object that are there: name, value, and what errors call them."""
    if isinstance(written, list):
        for number, value in enumerate(written):
            yield None, value, f"{argument}[{number}]"
    else:
        for name, value in written.items():
            if value is not None and value is not UNSET:
                yield name, value, f"{argument}[{name!r}]"


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _text(value: object, where: str) -> str:
    """A JSON value as it stands in a URL."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"{where} must be a finite number to stand in a URL, got {value!r}")
    if isinstance(value, int | float):
        # What it is, should it be a member of an enum: that would give its name.
        return int.__repr__(value) if isinstance(value, int) else float.__repr__(value)
    if isinstance(value, datetime):
        return DateTime().write(value, where)
    if not isinstance(value, str):
        raise TypeError(f"{where} must be a string, number or boolean to stand in a URL, got {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{where} is no Unicode text: {value!r}") from None
    return str.__str__(value)


def _json(body: object) -> bytes:
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        where, reason = _fault(body) or ("it", str(error))
        raise ValueError(f"the body cannot be sent as JSON: {where} {reason}") from None


def _plain(value: object) -> object:
    """What JSON has for a value that is natural in Python."""
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, datetime):
        return format_datetime(value)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    raise TypeError(f"is of type {type(value).__name__}, which has no form in JSON")


def _fault(value: object, where: str = "", depth: int = 0) -> tuple[str, str] | None:
    """Where in a body the first value is that JSON has no form for, and why; None where there is none."""
    if depth > _DEEPEST:
        return where, "is nested too deeply"
    if isinstance(value, Mapping | list | tuple):
        given = cast("Mapping[object, object] | list[object]", value)
        if isinstance(given, Mapping) and not all(isinstance(key, str) for key in given):
            return where or "it", "has a key that is no string"
        parts = given.items() if isinstance(given, Mapping) else enumerate(given)
        named = ((f"{where}[{key!r}]" if where else str(key), part) for key, part in parts)
        inner = (_fault(part, name, depth + 1) for name, part in named)
        return next(filter(None, inner), None)
    if isinstance(value, float) and not isfinite(value):
        return where, "is no finite number"
    try:
        json.dumps(value, ensure_ascii=False, default=_plain).encode()
    except UnicodeEncodeError:
        return where, "is no Unicode text"
    except (TypeError, ValueError, RecursionError) as error:
        return where, str(error)
    return None
