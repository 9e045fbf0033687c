"""Failures that a test orders of the fake API."""

from __future__ import annotations

from difflib import get_close_matches
from typing import NamedTuple

import httpx

from ._requests import routes
from ._responses import FakeResponse, json_response

# With these, the request did not arrive completely. With others, the API may have processed it.
_NOT_ARRIVED = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.WriteError,
    httpx.WriteTimeout,
)
_MESSAGES = {
    401: "Invalid Request",
    402: "Payment Required",
    408: "Request Timeout",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class Fault(NamedTuple):
    """The failure of a request, of an operation or of any: a response, or an error of the connection."""

    operation: str | None
    response: FakeResponse | None = None
    error: httpx.TransportError | type[httpx.TransportError] | None = None

    def happen(self, *, before: bool) -> None:
        """Raise the error, before the request arrives or after."""
        kind = self.error if isinstance(self.error, type) else type(self.error)
        if self.error is not None and before == issubclass(kind, _NOT_ARRIVED):
            raise self.error("ordered by fail_next") if isinstance(self.error, type) else self.error


class Faults:
    """The failures that were ordered and have not happened yet."""

    def __init__(self) -> None:
        self._next: list[Fault] = []

    def add(self, fault: Fault, times: int) -> None:
        """Order a failure, so many times."""
        self._next += [fault] * times

    def take(self, operation: str | None) -> Fault:
        """Remove and return the next failure of an operation; one without effect if there is none."""
        for place, each in enumerate(self._next):
            if each.operation in (None, operation):
                return self._next.pop(place)
        return Fault(operation)


def fault(
    failure: object, retry_after: float | None, code: str | None, retriable: bool | None, operation: str | None
) -> Fault:
    """Create a failure.

    Raises:
        TypeError, ValueError: If an argument is invalid.
    """
    if operation is not None:
        known = [str(route.operation) for route in routes()]
        if operation not in known:
            near = get_close_matches(operation, known, 1)
            hint = f": did you mean {near[0]!r}?" if near else ". An operation is such as 'GET /bindings/{uid}'"
            raise ValueError(f"unknown operation {operation!r}{hint}")
    if isinstance(failure, httpx.TransportError) or (
        isinstance(failure, type) and issubclass(failure, httpx.TransportError)
    ):
        if retry_after is not None or code is not None or retriable is not None:
            raise ValueError(
                "retry_after, code and retriable are parts of a response, and there is none if a connection fails"
            )
        return Fault(operation, error=failure)
    if not isinstance(failure, int) or isinstance(failure, bool):
        raise TypeError(
            f"failure must be a status code or an httpx.TransportError such as httpx.ReadTimeout, got {failure!r}"
        )
    if not 400 <= failure <= 599:
        raise ValueError(f"failure must be a status code from 400 to 599, got {failure!r}")
    response = json_response(failure, _body(failure, code, retriable))
    if retry_after is not None:
        response.headers["retry-after"] = f"{retry_after:g}"
    return Fault(operation, response)


def _body(status: int, code: str | None, retriable: bool | None) -> dict[str, object]:
    """The body of an error, in the form in which the API sends errors of this status."""
    message = _MESSAGES.get(status, f"Error {status}")
    more: dict[str, object] = {} if code is None else {"code": code}
    if status == 503 and retriable is None:
        # All browsers are busy: the API says that it did not render.
        retriable = True
    if retriable is not None:
        more["retriable"] = retriable
    if status == 429 and code is None:
        return {"statusCode": status, "error": message, "message": "Rate limit exceeded"}
    return {"error" if status >= 500 else "message": message, **more}
