"""The operation of a request, and its arguments, validated as the client validates them."""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, cast
from urllib.parse import unquote

from .. import api
from .._runtime.fields import Schema
from .._runtime.operations import Operation
from .._runtime.scalars import Anything, Boolean, Integer, Number
from .._runtime.validation import ListOf, MapOf, Object, OneOrMany
from ..types import UNSET
from ._leniency import corrected_body, corrected_query
from ._responses import Rejected, fastify_error, json_response, rejected, render_error
from .received import Request

# The fields that are `format: uri` in the OpenAPI document, which the client leaves to the API.
_ADDRESSES = ("url", "logo", "targetUrl", "destinationUrl", "fallbackImageUrl", "posterUrl")
# Fields that the live API takes as null, as the vendor's own library sends them.
_NULLABLE = ("brandColor",)
_PLAIN = r"[\w.~!$&'()*+,;=:@/-]|%[0-9a-fA-F]{2}"
_ADDRESS = re.compile(
    rf"https?://[\w.-]+(?::\d{{1,5}})?(?:/(?:{_PLAIN})*)?(?:\?(?:{_PLAIN}|\?)*)?(?:\#(?:{_PLAIN}|\?)*)?", re.ASCII
)
_MAX_EXACT = 2**53


class Route(NamedTuple):
    """An operation, its name (that of its generated module), and the pattern of its paths."""

    name: str
    operation: Operation[Any]
    paths: re.Pattern[str]


@cache
def routes() -> tuple[Route, ...]:
    """All operations. One with a fixed segment comes before those that have a parameter in its place."""
    # A module per operation, in a package per tag.
    depth = api.__name__.count(".") + 2
    names = [info.name for info in pkgutil.walk_packages(api.__path__, f"{api.__name__}.")]
    modules = [(name.rpartition(".")[2], import_module(name)) for name in names if name.count(".") == depth]
    found = [_route(name, module.OPERATION) for name, module in modules]
    return tuple(sorted(found, key=lambda route: ["{" in part for part in route.operation.path.split("/")]))


class Found(NamedTuple):
    """The operation of a request.

    Attributes:
        route: The operation; None if there is none.
        path: Path parameters.
    """

    route: Route | None
    path: dict[str, str]


def find(method: str, path: str) -> Found:
    """Find the operation of a request."""
    matching = [(route, match) for route in routes() if (match := route.paths.fullmatch(path))]
    # A path with a fixed segment is never one with a parameter in its place, whatever the method.
    here = {route.operation.method: (route, match) for route, match in matching if route.paths == matching[0][0].paths}
    route, match = here.get(method, (None, None))
    named = {} if match is None else {name: unquote(text) for name, text in match.groupdict().items()}
    return Found(route, named)


def arguments(operation: Operation[Any], path: Mapping[str, str], request: Request) -> dict[str, Any]:
    """The arguments of a request, by their names in Python. The JSON body is `body`.

    Raises:
        Rejected: If the request is invalid.
    """
    query = corrected_query(operation, request.query)
    named = {parameter.name for parameter in operation.query_parameters}
    free = {name: text for name, text in query.items() if name not in named}
    fields = {parameter.name: request.headers.get(parameter.name.lower()) for parameter in operation.header_parameters}
    values: list[tuple[str, Callable[[Any, str], object], object, str]] = []
    for parameters, texts in (
        (operation.path_parameters, path),
        (operation.query_parameters, query),
        (operation.header_parameters, fields),
    ):
        for parameter in parameters:
            value = free if isinstance(parameter.schema, MapOf) else _value(parameter.schema, texts.get(parameter.name))
            values.append((parameter.argument, parameter.serialize, value, parameter.name))
    document = _document(operation.method, request.headers, request.body)
    if operation.body is not None:
        values.append(("body", operation.body.serialize, corrected_body(operation, document), "body"))
    given: dict[str, Any] = {}
    errors: list[str] = []
    for name, serialize, value, where in values:
        try:
            given[name] = serialize(value, where)
        except (TypeError, ValueError) as error:
            # Hints are for users of the client.
            errors.append(str(error).partition("; to send")[0].removeprefix("body.").removeprefix("body: "))
    if not errors and operation.body is not None:
        errors += _faults(operation.body, given["body"])
    if errors:
        raise _invalid(operation, errors)
    return {name: value for name, value in given.items() if value is not UNSET}


def _faults(schema: Schema, value: object, where: str = "") -> Iterator[str]:
    """The errors of a value that the client would send as it is."""
    if isinstance(schema, OneOrMany):
        schema = schema.many if isinstance(value, list) else schema.one
    if isinstance(schema, ListOf):
        for number, item in enumerate(cast("list[object]", value)):
            yield from _faults(schema.schema, item, f"{where or 'body'}[{number}]")
    elif isinstance(schema, MapOf):
        for name, item in cast("dict[str, object]", value).items():
            yield from _faults(schema.schema, item, f"{where}[{name!r}]")
    elif isinstance(schema, Object):
        given = cast("dict[str, object]", value)
        for field in schema.model.__arguments__:
            inner = f"{where}.{field.name}" if where else field.name
            part = given.get(field.name, UNSET)
            if (
                part is None
                and not field.nullable
                and field.name not in _NULLABLE
                and not isinstance(field.schema, Anything)
            ):
                yield f"{inner} must not be null"
            elif part is not None and part is not UNSET:
                yield from _faults(field.schema, part, inner)
                if field.name in _ADDRESSES and not _ADDRESS.fullmatch(str(part)):
                    yield f"{inner} must be an absolute URL such as https://example.com/"


def _invalid(operation: Operation[Any], errors: list[str]) -> Rejected:
    """The error for an invalid request, in the form in which the route of the operation sends errors."""
    if operation.path.startswith(("/image", "/gif", "/pdf")):
        return render_error(400, "; ".join(errors))
    if operation.path in ("/video/templates", "/video/templates/{uid}"):
        return Rejected("; ".join(errors), json_response(422, {"errors": errors}))
    if operation.path in ("/templates", "/templates/{uid}"):
        return rejected(422, "Validation failed", errors=errors)
    return rejected(400, "; ".join(errors))


def _route(name: str, operation: Operation[Any]) -> Route:
    parts = re.split(r"\{(\w+)\}", operation.path)
    pattern = "".join(f"(?P<{part}>[^/]+)" if number % 2 else re.escape(part) for number, part in enumerate(parts))
    return Route(name, operation, re.compile(pattern))


def _value(schema: Schema, text: str | None) -> object:
    """The value of a text in a URL or a header; the text itself if it is invalid for its schema."""
    if text is None:
        return UNSET
    if isinstance(schema, Integer | Number | Boolean):
        with suppress(ValueError, RecursionError):
            value = json.loads(text)
            return text if value is None else value
    return text


def _document(method: str, headers: Mapping[str, str], body: bytes) -> Any:
    """The JSON of a body. Without a content type, an empty body is an empty object."""
    is_json = headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
    if not body.strip():
        if is_json and method != "GET":
            message = "Body cannot be empty when content-type is set to 'application/json'"
            raise fastify_error(400, message, code="FST_ERR_CTP_EMPTY_JSON_BODY")
        return {}
    try:
        return json.loads(body, parse_float=_number)
    except (ValueError, RecursionError):
        raise fastify_error(400, "Body is not valid JSON", code="FST_ERR_CTP_INVALID_JSON_BODY") from None


def _number(text: str) -> float:
    """A number. JSON does not tell 1.0 from 1."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) <= _MAX_EXACT else value
