"""Everything that a call can raise.

    PictifyError
        ConfigurationError
        APIConnectionError
            APITimeoutError
        ResponseTooLargeError
        APIStatusError
            BadRequestError (400), UnauthorizedError (401), QuotaExceededError (402 and some 429),
            ForbiddenError (403), NotFoundError (404), ConflictError (409), GoneError (410),
            UnprocessableContentError (422), RateLimitError (429), ServerError (500 and above)
        ResponseDecodeError
        PaginationError
        BatchStartError, BatchTimeoutError (in batches.py, as they hold what can go on)
        WebhookVerificationError, WebhookPayloadError (in webhooks.py: no call raises them)

An argument that the contract rules out is a `TypeError` or a `ValueError`, raised before anything is
sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from .decoding import is_array, is_object
from .rate_limits import RateLimit

if TYPE_CHECKING:
    import httpx

_LONGEST_SHOWN = 200
_KNOWN_STATUSES = frozenset(HTTPStatus)


class PictifyError(Exception):
    """The base of everything that this package raises on its own account.

    Attributes:
        attempts: How often the call was sent. Where it was more than once, the cause is the first error.
    """

    attempts: int = 1

    def _after_attempts(self) -> str:
        return f" (after {self.attempts} attempts)" if self.attempts > 1 else ""


class ConfigurationError(PictifyError, ValueError):
    """A client that cannot work as it was set up: no API key, a key or a base URL that cannot be right."""


class APIConnectionError(PictifyError):
    """No whole HTTP response came: the connection failed, or what came over it could not be read.

    Attributes:
        request: The request, without its key.
    """

    def __init__(self, message: str, request: httpx.Request | None = None) -> None:
        super().__init__(message, request)
        self.message = message
        self.request = request

    def __str__(self) -> str:
        return f"{self.message}{self._after_attempts()}"


class APITimeoutError(APIConnectionError):
    """The response took longer than the client's `timeout`. The API may have done the work."""


class ResponseTooLargeError(PictifyError):
    """A response with more bytes than the client's `max_response_size`. The API may have done the work.

    Attributes:
        request: The request, without its key.
    """

    def __init__(self, message: str, request: httpx.Request) -> None:
        super().__init__(message, request)
        self.message = message
        self.request = request

    def __str__(self) -> str:
        return f"{self.message}{self._after_attempts()}"


class ResponseDecodeError(PictifyError):
    """A response of success whose body has not the shape of the contract.

    Attributes:
        operation: The operation, such as `GET /bindings`.
        path: Where in the body, such as `bindings[3].createdAt`; empty for the body itself.
        value: What stands there; None where the body is not JSON.
        reason: What is wrong with it.
        response: The response, read whole; its request is without the key.
    """

    def __init__(self, operation: str, reason: str, path: str, value: object, response: httpx.Response) -> None:
        super().__init__(operation, reason, path, value, response)
        self.operation = operation
        self.reason = reason
        self.path = path
        self.value = value
        self.response = response

    def __str__(self) -> str:
        return f"{self.operation} answered {self.response.status_code}, but {self.path or 'the body'}: {self.reason}"


class PaginationError(PictifyError):
    """A list that cannot be walked: the answer is none, or the API repeats the pages that it has given for ever."""


class ErrorDetail(NamedTuple):
    """One of the `errors` in an error's body.

    Attributes:
        message: What is wrong.
        field: The field of the request that it is about, if the API names one.
        code: The API's code for it, if there is one.
    """

    message: str
    field: str | None = None
    code: str | None = None


class Problem(NamedTuple):
    """A problem details object (RFC 9457).

    Attributes:
        type: URI of the kind of problem; `about:blank` where there is none.
        title: The kind of problem, in a few words.
        status: Status code that the API gave it.
        detail: What happened this time.
        instance: URI of this occurrence.
        extensions: All other members.
    """

    type: str
    title: str | None
    status: int | None
    detail: str | None
    instance: str | None
    extensions: dict[str, Any]


class APIStatusError(PictifyError):
    """An answer whose status is no success.

    Attributes:
        operation: The operation, such as `GET /bindings`.
        response: The response, read whole.
        request: Its request, without the key.
        status_code: HTTP status code.
        message: What the API says went wrong; where it says nothing, what the answer is.
        code: The API's code for it, such as `quota_exceeded`, or None.
        errors: The single faults, where the API lists them.
        problem: The body as problem details (RFC 9457), where it is such an object, else None.
        request_id: The API's id of the request (`X-Request-Id`), for its support; or None.
        retry_after: Seconds until a retry makes sense (`Retry-After`), or None.
        rate_limit: What the `X-RateLimit` headers say.
    """

    operation: str
    response: httpx.Response
    request: httpx.Request
    status_code: int
    message: str
    code: str | None
    errors: list[ErrorDetail]
    problem: Problem | None
    request_id: str | None
    retry_after: float | None
    rate_limit: RateLimit

    def __init__(self, operation: str, response: httpx.Response) -> None:
        super().__init__(operation, response)
        body = _json_object(response.content)
        self.operation = operation
        self.response = response
        self.request = response.request
        self.status_code = response.status_code
        self.code = _code(body)
        self.errors = [detail for item in _list(body.get("errors")) if (detail := _error_detail(item)) is not None]
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        self.problem = _problem(body, media_type)
        self.message = _message(body) or self._faults() or _description(response, media_type)
        self.request_id = response.headers.get("x-request-id")
        self.retry_after = _seconds(response)
        self.rate_limit = RateLimit.from_headers(response.headers)

    def __str__(self) -> str:
        faults = self._faults()
        text = f"{_call(self.request)} answered {self.status_code}{self._after_attempts()}: {self.message}"
        if faults and faults != self.message:
            text = f"{text.removesuffix('.')}: {faults}"
        known = {"code": self.code, "request id": self.request_id}
        if self.retry_after:
            known["retry after"] = f"{self.retry_after:g} s"
        aside = ", ".join(f"{name} {value}" for name, value in known.items() if value)
        return f"{text} ({aside})" if aside else text

    def _faults(self) -> str:
        return "; ".join(f"{fault.field}: {fault.message}" if fault.field else fault.message for fault in self.errors)


class BadRequestError(APIStatusError):
    """400: the API cannot make sense of the request."""


class UnauthorizedError(APIStatusError):
    """401: the key is missing, unknown or revoked."""

    def __str__(self) -> str:
        return f"{super().__str__()}: the API key is missing, unknown or revoked"


class QuotaExceededError(APIStatusError):
    """402, or 429 with the code `quota_exceeded`: the month's credits are used up. No waiting refills them."""


class ForbiddenError(APIStatusError):
    """403: the key is known but may not do this."""


class NotFoundError(APIStatusError):
    """404: there is no such thing, or it belongs to another team."""


class ConflictError(APIStatusError):
    """409: it cannot be done in the state that things are in."""


class GoneError(APIStatusError):
    """410: it was there once."""


class UnprocessableContentError(APIStatusError):
    """422: the request is well formed, but something it says cannot be right."""


class RateLimitError(APIStatusError):
    """429: too many requests in this minute; `retry_after` and `rate_limit.reset` say when to go on."""


class ServerError(APIStatusError):
    """500 and above: the API, or a proxy on the way to it, failed."""


_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    402: QuotaExceededError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    422: UnprocessableContentError,
    429: RateLimitError,
}


def status_error(operation: str, response: httpx.Response) -> APIStatusError:
    """The error for an answer whose status is no success."""
    status = response.status_code
    error = _BY_STATUS.get(status, ServerError if status >= 500 else APIStatusError)(operation, response)
    if status == 429 and error.code == "quota_exceeded":
        return QuotaExceededError(operation, response)
    return error


def _call(request: httpx.Request) -> str:
    """The method and the path of a request, for a reader: without its query, and not endlessly long."""
    path = request.url.raw_path.partition(b"?")[0].decode("ascii")
    return f"{request.method} {path if len(path) <= _LONGEST_SHOWN else f'{path[:_LONGEST_SHOWN]}...'}"


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return body if is_object(body) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _list(value: Any) -> list[Any]:
    return value if is_array(value) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if is_object(value) else {}


def _code(body: Mapping[str, Any]) -> str | None:
    return _text(body.get("code")) or _text(_mapping(body.get("error")).get("code"))


def _error_detail(item: object) -> ErrorDetail | None:
    if isinstance(item, str):
        return ErrorDetail(item)
    known = _mapping(item)
    field = _text(known.get("field"))
    message = _text(known.get("message")) or _text(known.get("detail")) or field
    return ErrorDetail(message, field, _text(known.get("code"))) if message else None


def _problem(body: Mapping[str, Any], media_type: str) -> Problem | None:
    if media_type != "application/problem+json" and not ("title" in body and "status" in body):
        return None
    status = body.get("status")
    return Problem(
        type=_text(body.get("type")) or "about:blank",
        title=_text(body.get("title")),
        status=status if isinstance(status, int) and not isinstance(status, bool) else None,
        detail=_text(body.get("detail")),
        instance=_text(body.get("instance")),
        extensions={name: value for name, value in body.items() if name not in Problem._fields},
    )


def _message(body: Mapping[str, Any]) -> str | None:
    said = (body.get(name) for name in ("message", "error", "detail", "title"))
    return next((text for value in said if (text := _text(value) or _text(_mapping(value).get("message")))), None)


def _description(response: httpx.Response, media_type: str) -> str:
    status = response.status_code
    known = response.reason_phrase or (HTTPStatus(status).phrase if status in _KNOWN_STATUSES else "unknown status")
    if response.has_redirect_location:
        return f"{known}, a redirect to {response.headers['location'][:_LONGEST_SHOWN]!r}"
    host = response.request.url.host
    if not response.content.strip():
        return f"{known}, with an empty body from {host}"
    if media_type != "text/plain":
        return f"{known}, with a body of type {media_type or 'unknown'} from {host} that holds no message"
    return f"{known}: {response.content[:_LONGEST_SHOWN].decode(errors='replace')!r}"


def _seconds(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,9})?", text):
        return float(text)
    moment = _http_date(text)
    if moment is None:
        return None
    # By the clock that made it, where that is known.
    now = _http_date(response.headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (moment - now).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
