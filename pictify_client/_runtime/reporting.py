"""Attempts are reported: to the log, and to the hook of the client."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import httpx

from ..errors import PictifyError
from ..types import Response
from .redaction import redact_headers, redact_text
from .steps import Notify, Step

if TYPE_CHECKING:
    from ..hooks import ResponseHook

logger = logging.getLogger("pictify_client")
# A program that has not set up logging has no use for our records on its standard error.
logger.addHandler(logging.NullHandler())


def report(
    operation: str,
    hook: ResponseHook | None,
    attempt: int,
    started: float,
    what: str,
    outcome: Response[Any] | PictifyError,
    secrets: list[str],
    response: httpx.Response | None,
) -> Iterator[Step]:
    """Log an attempt, and call the hook with it."""
    elapsed = perf_counter() - started
    request_id = None if response is None else response.headers.get("x-request-id")
    # A server may repeat a secret anywhere.
    request_id = None if request_id is None else redact_text(secrets, request_id)
    status = None if response is None else response.status_code
    if logger.isEnabledFor(logging.INFO):
        known = {
            "operation": operation,
            "status": status,
            "attempt": attempt,
            "milliseconds": elapsed * 1000,
            "request_id": request_id,
        }
        aside = f"attempt {attempt}" if request_id is None else f"attempt {attempt}, request id {request_id}"
        text = f"{operation}: {what} in {elapsed * 1000:.0f} ms ({aside})"
        # A step, as a handler may raise as a hook may.
        yield Notify(partial(logger.info, "%s", extra=known), text, response)
    if hook is not None:
        from ..hooks import ResponseEvent

        event = ResponseEvent(
            operation=operation,
            attempt=attempt,
            elapsed=elapsed,
            status_code=status,
            headers=None if response is None else httpx.Headers(redact_headers(secrets, response.headers)),
            request_id=request_id,
            error=outcome.error if isinstance(outcome, Response) else outcome,
        )
        yield Notify(hook, event, response)
