"""The requests that the fake API received."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from attrs import field, frozen


@frozen(kw_only=True)
class ReceivedRequest:
    """A request that the fake API received.

    Attributes:
        operation: The operation, such as `GET /bindings/{uid}`; None if it is that of a file, or there is none.
        method: HTTP method.
        path: Path, such as `/bindings/OW9OT95X0L`.
        query: Query parameters.
        headers: Headers, with names in lower case, without the API key.
        json: The body; None if it is empty or not JSON.
    """

    operation: str | None
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str] = field(repr=False)
    json: Any


class Request(NamedTuple):
    """A request as it arrives. The names of its headers are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes


def received(operation: str | None, request: Request) -> ReceivedRequest:
    """Create the record of a request."""
    document = None
    with suppress(ValueError, RecursionError):
        document = json.loads(request.body)
    return ReceivedRequest(
        operation=operation,
        method=request.method,
        path=request.path,
        query=request.query,
        headers={name: value for name, value in request.headers.items() if name != "authorization"},
        json=document,
    )
