"""The retry policy: exponential backoff with jitter, without I/O.

Renders are billed, so a request that may have been executed is not repeated: a POST is retried only if it cannot have
reached the API, or if the API rejected it and asks for a retry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import httpx

from ..errors import APIConnectionError, APIStatusError, ConfigurationError, PictifyError, QuotaExceededError

_IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_RETRYABLE_STATUSES = frozenset({408, 429, 500, 502, 503, 504, *range(520, 525)})
# There was no connection yet, so nothing was sent.
_NOT_SENT_ERRORS = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# The names of their causes: in httpx and httpcore, in sockets, and in aiohttp.
_NOT_SENT_NAMES = frozenset(
    {
        *("ConnectError", "ConnectTimeout", "PoolTimeout"),
        *("ConnectionRefusedError", "gaierror"),
        *("ClientConnectorError", "ConnectionTimeoutError"),
    }
)
_FIRST_WAIT = 0.5
# It takes some time until the API has a free browser.
_FIRST_WAIT_IF_BUSY = 2.0
_MAX_BACKOFF = 8.0

YEAR: Final = 365 * 24 * 3600.0
"""Maximum number of seconds that a client waits for anything. The clocks of some systems end not far beyond."""


class Retries(NamedTuple):
    """The limits of retries.

    Attributes:
        max_retries: Maximum number of retries.
        max_wait: Longest wait before a retry, in seconds. If a longer one is necessary, there is no retry.
    """

    max_retries: int
    max_wait: float

    def validated(self) -> Retries:
        """Return the limits, if they are valid.

        Raises:
            ConfigurationError: If one of them is invalid.
        """
        for name, value, kind in (("max_retries", self.max_retries, int), ("max_wait", self.max_wait, int | float)):
            if not isinstance(value, kind) or isinstance(value, bool) or not 0 <= value <= YEAR:
                raise ConfigurationError(f"{name} must be a number from 0, got {value!r}")
        return self


def wait_before_retry(
    method: str, attempt: int, error: PictifyError, retries: Retries, *, now: float, jitter: Callable[[], float]
) -> float | None:
    """Return how long to wait before a request is retried.

    Args:
        method: HTTP method.
        attempt: Number of attempts so far, at least 1.
        error: The error of the last attempt.
        retries: The limits.
        now: Unix time, in seconds.
        jitter: Returns a random number from 0 to 1.

    Returns:
        Seconds; None if the request is not retried.
    """
    if attempt > retries.max_retries or not _is_retryable(method, error, now):
        return None
    wait = _requested_wait(error, now) if isinstance(error, APIStatusError) else None
    if wait is not None and wait <= retries.max_wait:
        # All clients that were rejected at the same time would retry at the same time.
        wait = min(wait + jitter() * min(max(wait / 4, _FIRST_WAIT), _MAX_BACKOFF), retries.max_wait)
    elif wait is None and _is_busy(error):
        wait = (1 + jitter() / 2) * min(_FIRST_WAIT_IF_BUSY * 2 ** (attempt - 1), _MAX_BACKOFF)
    elif wait is None:
        wait = jitter() * min(_FIRST_WAIT * 2 ** (attempt - 1), _MAX_BACKOFF)
    return wait if wait <= retries.max_wait else None


def _is_retryable(method: str, error: PictifyError, now: float) -> bool:
    is_idempotent = method in _IDEMPOTENT_METHODS
    if isinstance(error, APIConnectionError):
        if is_certificate_error(error.__cause__):
            return False
        return is_idempotent or not error.may_have_succeeded
    if not isinstance(error, APIStatusError) or isinstance(error, QuotaExceededError) or error.retriable is False:
        return False
    if error.status_code not in _RETRYABLE_STATUSES:
        return False
    # The API has rejected it without rendering: it says so, or when to retry.
    return is_idempotent or _is_busy(error) or (_is_rejected(error) and _requested_wait(error, now) is not None)


def _is_busy(error: PictifyError) -> bool:
    """Whether the API says that it is too busy to render, and that the request may be repeated."""
    return isinstance(error, APIStatusError) and error.status_code == 503 and error.retriable is True


def is_certificate_error(error: BaseException | None) -> bool:
    """Whether a connection failed because the certificate of the server is not trusted."""
    while error is not None and "CERTIFICATE_VERIFY_FAILED" not in str(error):
        error = error.__cause__ or error.__context__
    return error is not None


def was_never_sent(cause: BaseException | None) -> bool:
    """Whether an error of httpx means that the request was certainly not sent."""
    if not isinstance(cause, _NOT_SENT_ERRORS):
        return False
    # A custom transport may use these names for other errors: httpx-aiohttp raises a ConnectTimeout if the server
    # closed the connection.
    root = cause.__cause__
    if root is None or isinstance(root, httpx.HTTPError):
        return root is None or was_never_sent(root)
    return any(base.__name__ in _NOT_SENT_NAMES for base in type(root).__mro__)


def _is_rejected(error: APIStatusError) -> bool:
    return error.status_code == 429 or (error.status_code == 503 and error.retry_after is not None)


def _requested_wait(error: APIStatusError, now: float) -> float | None:
    """Return the seconds until a retry makes sense, according to the response; None if it has no such time."""
    if error.retry_after is not None:
        return error.retry_after
    reset = error.rate_limit.reset if error.status_code == 429 else None
    left = None if reset is None else reset.timestamp() - now
    return left if left is not None and left > 0 else None
