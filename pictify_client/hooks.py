"""What hooks are told: a client calls them before each request, after each answer and before each retry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable, iscoroutine, iscoroutinefunction
from typing import Any, NamedTuple

import httpx
from attrs import field, frozen

from .errors import ConfigurationError, PictifyError


@frozen(kw_only=True)
class RequestEvent:
    """A request is about to be sent.

    Attributes:
        operation: The operation, such as `GET /bindings`.
        attempt: Which attempt of the call it belongs to, from 1 on.
        url: Where it goes, without its query, which may hold a secret.
        headers: Its headers, without keys. What a hook adds is sent, such as a `traceparent`.
    """

    operation: str
    attempt: int
    url: str
    headers: httpx.Headers = field(repr=False)


@frozen(kw_only=True)
class ResponseEvent:
    """An attempt is over: an answer came, or none will.

    Attributes:
        operation: The operation, such as `GET /bindings`.
        attempt: Which attempt of the call it was, from 1 on.
        elapsed: How long it took, in seconds.
        status_code: HTTP status code; None where no whole answer came.
        headers: The headers of the answer; None likewise.
        request_id: The API's id of the request (`X-Request-Id`), or None.
        error: What the call raises, unless it is tried again; None for an answer of success.
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
    """An attempt failed, and the call is sent again after a wait.

    Attributes:
        operation: The operation, such as `GET /bindings`.
        attempt: Which attempt failed, from 1 on.
        wait: How long it waits, in seconds.
        error: What came of the attempt.
    """

    operation: str
    attempt: int
    wait: float
    error: PictifyError


RequestHook = Callable[[RequestEvent], Awaitable[None] | None]
ResponseHook = Callable[[ResponseEvent], Awaitable[None] | None]
RetryHook = Callable[[RetryEvent], Awaitable[None] | None]


class Hooks(NamedTuple):
    """The hooks of a client; those of async calls may be coroutine functions."""

    on_request: RequestHook | None = None
    on_response: ResponseHook | None = None
    on_retry: RetryHook | None = None

    def checked(self) -> Hooks:
        """The same, if all can be called.

        Raises:
            ConfigurationError: One cannot; says which.
        """
        for name, hook in self._asdict().items():
            given: Any = hook
            if given is not None and not callable(given):
                raise ConfigurationError(f"{name} must be a function, got {type(given).__name__}")
        return self

    def check_sync(self) -> None:
        """See that sync calls can make use of them, before one is sent in vain.

        Raises:
            ConfigurationError: One is a coroutine function.
        """
        for hook in self:
            if iscoroutinefunction(hook):
                raise _is_async(hook)


def tell(hook: Callable[[Any], Any], event: object) -> None:
    """Call a hook of a sync call.

    Raises:
        ConfigurationError: It is async after all.
    """
    told = hook(event)
    if isawaitable(told):
        if iscoroutine(told):
            told.close()
        raise _is_async(hook)


def _is_async(hook: object) -> ConfigurationError:
    return ConfigurationError(f"{hook!r} is async, which a hook of sync calls cannot be")
