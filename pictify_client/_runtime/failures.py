"""The errors of requests without a complete response."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import NamedTuple

import httpx

from ..errors import APIConnectionError, APITimeoutError
from .connections import DeadlineExceeded
from .redaction import redact_text
from .retries import is_certificate_error, was_never_sent


class Budget(NamedTuple):
    """A deadline: when it is, how long it takes from the start, and which option set it."""

    end: float
    seconds: float | None
    of: str
    set_by: str


class Limits(NamedTuple):
    """The time limits of an attempt.

    Attributes:
        budget: Its deadline.
        phases: The timeouts of its phases, by httpx's names.
        set_by: The argument that set those.
    """

    budget: Budget
    phases: Mapping[str, float | None]
    set_by: str

    def clipped(self, longest: float) -> dict[str, float | None]:
        """The timeouts of the phases, none longer than this many seconds."""
        most = None if longest == inf else longest
        return {name: most if limit is None else min(limit, longest) for name, limit in self.phases.items()}

    def exceeded(self, request: httpx.Request, error: httpx.TimeoutException) -> str:
        """Return which limit was exceeded, and what sets it."""
        name = type(error).__name__
        phase = name.removesuffix("Timeout").lower()
        limit = request.extensions["timeout"].get(phase)
        more = f": {error}" if isinstance(error, httpx.PoolTimeout) and str(error) else ""
        if isinstance(error, DeadlineExceeded) or limit != self.phases.get(phase):
            return f"{self.budget.seconds:g} s for {self.budget.of}; set by {self.budget.set_by}{more}"
        after = "" if limit is None else f" after {limit:g} s"
        return f"{name}{after}; set by {self.set_by}{more}"


def connection_error(
    operation: str, base_url: str, error: Exception, request: httpx.Request, secrets: list[str], limits: Limits
) -> APIConnectionError:
    """Return the error of a request that has no complete response; its cause is the error of httpx."""
    chain = _chain(error)
    # If the error of httpx has no text, that of the system may have one.
    texts = (str(each) for each in chain if each is error or isinstance(each, OSError))
    text = redact_text(secrets, next(filter(None, texts), ""))
    name = type(error).__name__
    reason = f"{name}: {text}" if text else name
    failure: APIConnectionError
    if isinstance(error, httpx.TimeoutException):
        why = limits.exceeded(request, error)
        failure = APITimeoutError(f"{operation}: no response from {base_url} in time ({why})", request)
    elif is_certificate_error(error):
        failure = APIConnectionError(
            f"{operation}: the certificate of {base_url} is not trusted ({reason}). Behind a proxy that inspects TLS, "
            "set SSL_CERT_FILE to a file with the certificate of its authority",
            request,
        )
    elif isinstance(error, httpx.ConnectError):
        hint = "" if "://" in operation else ": check the network, the proxy, and base_url (PICTIFY_BASE_URL)"
        failure = APIConnectionError(f"{operation}: no connection to {base_url} ({reason}){hint}", request)
    else:
        failure = APIConnectionError(f"{operation}: no complete response from {base_url} ({reason})", request)
    failure.may_have_succeeded = not was_never_sent(error)
    # No cause whose text repeats a secret, as a server can make it.
    failure.__cause__ = error if all(redact_text(secrets, str(each)) == str(each) for each in chain) else None
    return failure


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error, and those that it came of."""
    chain = [error]
    # It grows during the iteration.
    for each in chain:
        chain += [earlier for earlier in (each.__cause__, each.__context__) if earlier and earlier not in chain]
    return chain
