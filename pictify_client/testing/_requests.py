"""Which operation of the contract a request is, and what it says: checked as the client checks its arguments."""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple
from urllib.parse import unquote

from .. import api
from ..arguments import Boolean, Integer, Kind, MapOf, Number, Object
from ..operations import Operation
from ..types import UNSET
from ._answers import refused


class Route(NamedTuple):
    """An operation, its name (that of its generated module), and the paths that it answers."""

    name: str
    operation: Operation[Any]
    paths: re.Pattern[str]


@cache
def routes() -> tuple[Route, ...]:
    """All operations of the contract. One with a word where another has a parameter comes before it."""
    modules = [info.name for info in pkgutil.walk_packages(api.__path__, f"{api.__name__}.") if not info.ispkg]
    found = [_route(name.rpartition(".")[2], import_module(name).OPERATION) for name in modules]
    return tuple(sorted(found, key=lambda route: ["{" in part for part in route.operation.path.split("/")]))


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """What a request is for, and its path parameters; None where the contract has no such operation."""
    for route in routes():
        if method == route.operation.method and (match := route.paths.fullmatch(path)):
            return route, {name: unquote(text) for name, text in match.groupdict().items()}
    return None


def arguments(
    operation: Operation[Any],
    path: Mapping[str, str],
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes,
) -> dict[str, Any]:
    """What a request says, by the names that the arguments have in Python. Its JSON is `body`.

    What the contract does not know of the body's fields is left out, and so are those that are null.

    Raises:
        Refused: It is not what the contract allows.
    """
    named = {parameter.name for parameter in operation.query_parameters}
    free = {name: text for name, text in query.items() if name not in named}
    told = {parameter.name: headers.get(parameter.name.lower()) for parameter in operation.header_parameters}
    values: list[tuple[str, Callable[[Any, str], object], object, str]] = []
    for parameters, texts in (
        (operation.path_parameters, path),
        (operation.query_parameters, query),
        (operation.header_parameters, told),
    ):
        for parameter in parameters:
            value = free if isinstance(parameter.kind, MapOf) else _value(parameter.kind, texts.get(parameter.name))
            values.append((parameter.argument, parameter.written, value, parameter.name))
    if operation.body is not None:
        values.append(("body", operation.body.write, _document(body), "body"))
    given: dict[str, Any] = {}
    errors: list[dict[str, str]] = []
    for name, write, value, where in values:
        try:
            given[name] = write(value, where)
        except (TypeError, ValueError) as error:
            errors.append(_error(str(error)))
    if errors:
        raise refused(422, "The request is not valid", code="invalid_request", errors=errors)
    if isinstance(operation.body, Object):
        names = {field.name for field in operation.body.model.FIELDS}
        given["body"] = {name: value for name, value in given["body"].items() if name in names and value is not None}
    return {name: value for name, value in given.items() if value is not UNSET}


def _route(name: str, operation: Operation[Any]) -> Route:
    parts = re.split(r"\{(\w+)\}", operation.path)
    pattern = "".join(f"(?P<{part}>[^/]+)" if number % 2 else re.escape(part) for number, part in enumerate(parts))
    return Route(name, operation, re.compile(pattern))


def _value(kind: Kind, text: str | None) -> object:
    """What a text in a URL or a header stands for; the text itself where its kind will refuse it."""
    if text is None:
        return UNSET
    if isinstance(kind, Integer | Number | Boolean):
        with suppress(ValueError, RecursionError):
            return json.loads(text)
    return text


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise refused(400, "the body is not valid JSON") from None


def _error(text: str) -> dict[str, str]:
    # It begins with where the value stands, and may end with a hint for Python.
    said = text.partition("; to send")[0].removeprefix("body.")
    field, message = re.findall(r"((?:\[[^\]]*\]|[^\s\[])+) (.*)", said, re.DOTALL)[0]
    return {"field": field, "message": message, "code": "invalid"}
