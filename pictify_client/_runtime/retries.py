"""What is sent again, and when: a pure policy, without I/O and without a clock of its own.

Renders are billed, so nothing is sent twice that may have been done once: a POST is sent again only
where it cannot have reached the API, or where the API refused it unworked and said when to come back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import httpx

from ..errors import APIConnectionError, APIStatusError, ConfigurationError, PictifyError, QuotaExceededError

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_PASSING = frozenset({408, 429, 500, 502, 503, 504, *range(520, 525)})
# The connection was not there yet, so nothing was sent over it.
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# What they come of, by name: in httpx and httpcore, in sockets, and in aiohttp.
_UNSENT_NAMES = frozenset(
    {
        *("ConnectError", "ConnectTimeout", "PoolTimeout"),
        *("ConnectionRefusedError", "gaierror"),
        *("ClientConnectorError", "ConnectionTimeoutError"),
    }
)
_FIRST_WAIT = 0.5
# It takes the API some time to have a browser free.
_FIRST_WAIT_IF_BUSY = 2.0
_LONGEST_BACKOFF = 8.0
# The clocks of some systems end not far beyond.
_YEAR = 365 * 24 * 3600


class Retries(NamedTuple):
    """How often a call is sent again, and how long it waits for that.

    Attributes:
        max_retries: How often at most, after the first time.
        max_wait: The longest single wait, in seconds; what would take longer is raised at once.
    """

    max_retries: int
    max_wait: float

    def checked(self) -> Retries:
        """The same, if it makes sense.

        Raises:
            ConfigurationError: If one of them is invalid.
        """
        for name, given, kind in (("max_retries", self.max_retries, int), ("max_wait", self.max_wait, int | float)):
            if not isinstance(given, kind) or isinstance(given, bool) or not 0 <= given <= _YEAR:
                raise ConfigurationError(f"{name} must be a number from 0 on, got {given!r}")
        return self


def wait_before_retry(
    method: str, attempt: int, error: PictifyError, retries: Retries, *, now: float, jitter: Callable[[], float]
) -> float | None:
    """How long to wait before a request is retried.

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
    wait = _told(error, now) if isinstance(error, APIStatusError) else None
    if wait is not None and wait <= retries.max_wait:
        # All that were refused at the same time are told the same.
        wait = min(wait + jitter() * min(max(wait / 4, _FIRST_WAIT), _LONGEST_BACKOFF), retries.max_wait)
    elif wait is None and _is_busy(error):
        wait = (1 + jitter() / 2) * min(_FIRST_WAIT_IF_BUSY * 2 ** (attempt - 1), _LONGEST_BACKOFF)
    elif wait is None:
        wait = jitter() * min(_FIRST_WAIT * 2 ** (attempt - 1), _LONGEST_BACKOFF)
    return wait if wait <= retries.max_wait else None


def _is_retryable(method: str, error: PictifyError, now: float) -> bool:
    is_idempotent = method in _REPEATABLE
    if isinstance(error, APIConnectionError):
        if is_certificate_error(error.__cause__):
            return False
        return is_idempotent or _was_never_sent(error.__cause__)
    if not isinstance(error, APIStatusError) or isinstance(error, QuotaExceededError) or error.retriable is False:
        return False
    if error.status_code not in _PASSING:
        return False
    # The API has refused without rendering: it says so, or says when to come back.
    return is_idempotent or _is_busy(error) or (_refused(error) and _told(error, now) is not None)


def _is_busy(error: PictifyError) -> bool:
    """Whether the API says that it is too busy to render, and that the request may be repeated."""
    return isinstance(error, APIStatusError) and error.status_code == 503 and error.retriable is True


def is_certificate_error(error: BaseException | None) -> bool:
    """Whether a connection failed because the certificate of the server is not trusted."""
    while error is not None and "CERTIFICATE_VERIFY_FAILED" not in str(error):
        error = error.__cause__ or error.__context__
    return error is not None


def _was_never_sent(cause: BaseException | None) -> bool:
    if not isinstance(cause, _UNSENT):
        return False
    # A transport of the caller's may call other failures by these names: httpx-aiohttp says ConnectTimeout where
    # the server hung up.
    root = cause.__cause__
    if root is None or isinstance(root, httpx.HTTPError):
        return root is None or _was_never_sent(root)
    return any(base.__name__ in _UNSENT_NAMES for base in type(root).__mro__)


def _refused(error: APIStatusError) -> bool:
    return error.status_code == 429 or (error.status_code == 503 and error.retry_after is not None)


def _told(error: APIStatusError, now: float) -> float | None:
    """When to come back, as the answer says; a moment that is past says nothing."""
    if error.retry_after is not None:
        return error.retry_after
    reset = error.rate_limit.reset if error.status_code == 429 else None
    left = None if reset is None else reset.timestamp() - now
    return left if left is not None and left > 0 else None
