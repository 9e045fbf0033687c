"""What the stand-in was asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from attrs import field, frozen


@frozen(kw_only=True)
class ReceivedRequest:
    """A request as it arrived.

    Attributes:
        operation: What was called, by the contract's name, such as `GET /bindings/{uid}`; None where there is no such
            operation.
        method: HTTP method.
        path: Path, such as `/bindings/OW9OT95X0L`.
        query: Query parameters.
        headers: Headers, their names in lower case, without the key.
        json: The body; None where there is none, or none that is JSON.
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
    """A request to remember."""
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
