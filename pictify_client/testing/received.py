"""The requests that the fake API received."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

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


def received(
    operation: str | None, method: str, path: str, query: dict[str, str], headers: Mapping[str, str], body: bytes
) -> ReceivedRequest:
    """Create the record of a request."""
    document = None
    with suppress(ValueError, RecursionError):
        document = json.loads(body)
    return ReceivedRequest(
        operation=operation,
        method=method,
        path=path,
        query=query,
        headers={name: value for name, value in headers.items() if name != "authorization"},
        json=document,
    )
