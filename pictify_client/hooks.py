"""The events of hooks, which a client calls before a request, while it waits, after an attempt and before a retry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
from attrs import field, frozen

from .errors import PictifyError


@frozen(kw_only=True)
class RequestEvent:
    """A request is about to be sent.

    Attributes:
        operation: The operation, such as `GET /bindings`.
        attempt: Number of the attempt, from 1.
        url: URL of the request, without its query, which may hold a secret.
        headers: Headers of the request, without the API key. A hook may add headers, such as a `traceparent`.
    """

    operation: str
    attempt: int
    url: str
    headers: httpx.Headers = field(repr=False)


@frozen(kw_only=True)
class WaitEvent:
    """A request still waits for its response, or for the rest of it.

    Attributes:
        operation: The operation, such as `POST /video/templates/{uid}/render`.
        attempt: Number of the attempt, from 1.
        elapsed: Duration of the attempt until now, in seconds.
    """

    operation: str
    attempt: int
    elapsed: float


@frozen(kw_only=True)
class ResponseEvent:
    """An attempt has ended, with a response or without.

    Attributes:
        operation: The operation, such as `GET /bindings`.
        attempt: Number of the attempt, from 1.
        elapsed: Duration of the attempt, in seconds.
        status_code: HTTP status code; None if there is no complete response.
        headers: Headers of the response; None if there is no complete response.
        request_id: The API's id of the request (`X-Request-Id`), or None.
        error: The error that the call raises, unless it is retried; None if the response is successful.
    """

    operation: str
    attempt: int
    elapsed: float
    status_code: int | None
    headers: httpx.Headers | None = field(repr=False)
    request_id: str | None
    error: PictifyError | None


@frozen(kw_only=True)
class RetryEvent:
    """An attempt failed, and is retried after a wait.

    Attributes:
        operation: The operation, such as `GET /bindings`.
        attempt: Number of the attempt that failed, from 1.
        wait: Wait before the retry, in seconds.
        error: The error of the attempt.
    """

    operation: str
    attempt: int
    wait: float
    error: PictifyError


RequestHook = Callable[[RequestEvent], Awaitable[None] | None]
ResponseHook = Callable[[ResponseEvent], Awaitable[None] | None]
WaitHook = Callable[[WaitEvent], Awaitable[None] | None]
RetryHook = Callable[[RetryEvent], Awaitable[None] | None]
