"""The error of a response, by its status."""

from __future__ import annotations

import httpx

from ..errors import (
    APIStatusError,
    BadRequestError,
    ConflictError,
    ContentTooLargeError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    UnauthorizedError,
    UnprocessableContentError,
)
from .error_bodies import is_about_quota

_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    402: QuotaExceededError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    413: ContentTooLargeError,
    422: UnprocessableContentError,
    429: RateLimitError,
}


def status_error(operation: str, response: httpx.Response) -> APIStatusError:
    """Return the error for a response whose status is not a success."""
    status = response.status_code
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else APIStatusError)
    is_quota = status == 429 and "://" not in operation and is_about_quota(response)
    return (QuotaExceededError if is_quota else kind)(operation, response)
