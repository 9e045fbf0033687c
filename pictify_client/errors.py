"""Everything that a call can raise.

    PictifyError
        ConfigurationError
        APIConnectionError
            APITimeoutError
        ResponseTooLargeError
        APIStatusError
            BadRequestError (400), UnauthorizedError (401), QuotaExceededError (402 and some 429),
            ForbiddenError (403), NotFoundError (404), ConflictError (409), GoneError (410),
            ContentTooLargeError (413), UnprocessableContentError (422), RateLimitError (429),
            ServerError (500 and above)
        ResponseDecodeError
        RenderFailedError
        PaginationError
        BatchStartError, BatchTimeoutError (in batches.py, as they hold what can go on)
        WebhookVerificationError, WebhookPayloadError (in webhooks.py: no call raises them)

An argument that the contract rules out is a `TypeError` or a `ValueError`, raised before anything is
sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from .decoding import is_array, is_object
from .rate_limits import RateLimit, http_date, sent_at

if TYPE_CHECKING:
    import httpx

_LONGEST_SHOWN = 200
_QUOTA_CODES = frozenset({"quota_exceeded", "spending_cap_reached", "template_limit_reached", "ai_quota_exceeded"})
_RATE_LIMIT_HEADERS = ("retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
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


class RenderFailedError(PictifyError):
    """The API responded with success, but did not render.

    Attributes:
        message: What failed.
        errors: Why, for each layout (`field` is its key); empty if the API does not say.
        response: The response, if the error was raised by a call; its request does not contain the API key.
    """

    def __init__(
        self, message: str, errors: Sequence[ErrorDetail] = (), response: httpx.Response | None = None
    ) -> None:
        super().__init__(message, errors, response)
        self.message = message
        self.errors = list(errors)
        self.response = response

    def __str__(self) -> str:
        return f"{self.message}: {_joined(self.errors)}" if self.errors else self.message


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
        retriable: Whether the API says that the request may be repeated, or None if it does not say.
        details: More about the error, if the API sends it; any JSON value.
        context: Where in a template the error is, if the API sends it; any JSON value.
        upgrade_url: URL of the page to upgrade the plan or to add credits, if the API sends one.
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
    retriable: bool | None
    details: Any
    context: Any
    upgrade_url: str | None
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
        retriable = body.get("retriable")
        self.retriable = retriable if isinstance(retriable, bool) else None
        self.details = body.get("details")
        self.context = body.get("context")
        self.upgrade_url = _text(body.get("upgradeUrl")) or _text(body.get("checkoutUrl"))
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        self.problem = _problem(body, media_type)
        self.message = _message(body) or _joined(self.errors) or _description(response, media_type)
        self.request_id = response.headers.get("x-request-id")
        self.retry_after = _seconds(response)
        self.rate_limit = RateLimit.from_headers(response.headers)

    def __str__(self) -> str:
        faults = _joined(self.errors)
        text = f"{_call(self.request)} answered {self.status_code}{self._after_attempts()}: {self.message}"
        if faults and faults != self.message:
            text = f"{text.removesuffix('.')}: {faults}"
        known = {"code": self.code, "request id": self.request_id}
        if self.retry_after:
            known["retry after"] = f"{self.retry_after:g} s"
        details = _text(self.details)
        if details and details not in text:
            text = f"{text.removesuffix('.')}: {details}"
        aside = ", ".join(f"{name} {value}" for name, value in known.items() if value)
        hint = self._hint()
        return f"{text}{f' ({aside})' if aside else ''}{f'. {hint}' if hint else ''}"

    def _hint(self) -> str | None:
        """What to do about it, if that is known."""
        return None


class BadRequestError(APIStatusError):
    """400: the API cannot make sense of the request."""


class UnauthorizedError(APIStatusError):
    """401: the key is missing, unknown or revoked."""

    def _hint(self) -> str:
        return "The API key is missing, unknown or revoked"


class QuotaExceededError(APIStatusError):
    """402, and most 429: the plan's renders, templates or AI credits are used up, or a spending cap is reached.

    Waiting does not help before the next billing period; `upgrade_url` may say where to get more.
    """

    def _hint(self) -> str | None:
        return f"To get more, see {self.upgrade_url}" if self.upgrade_url else None


class ForbiddenError(APIStatusError):
    """403: the key is valid but may not do this.

    Either the email address of the account is not verified, or the plan does not include the feature; for `POST /image`
    and `POST /gif` also that the template does not exist.
    """

    def _hint(self) -> str | None:
        if re.search(r"verif", self.message, re.IGNORECASE):
            return "The account cannot render until its email address is verified"
        if re.search(r"plan|upgrade|subscription", self.message, re.IGNORECASE):
            return "The plan of the account does not include this feature"
        return None


class NotFoundError(APIStatusError):
    """404: the resource does not exist or belongs to another team, or the API no longer has the operation."""

    def _hint(self) -> str | None:
        if re.fullmatch(r"Route [A-Z]+:\S* not found", self.message):
            return "The API does not have this operation: it was retired, or base_url is wrong"
        return None


class ConflictError(APIStatusError):
    """409: it cannot be done in the state that things are in."""


class GoneError(APIStatusError):
    """410: it was there once."""


class ContentTooLargeError(APIStatusError):
    """413: the request is too large, such as a template with more than 500 KB of HTML."""


class UnprocessableContentError(APIStatusError):
    """422: the request is well formed, but cannot be rendered or saved as it is."""


class RateLimitError(APIStatusError):
    """429: too many requests; `retry_after` and `rate_limit.reset` say when to continue."""


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
    413: ContentTooLargeError,
    422: UnprocessableContentError,
    429: RateLimitError,
}


def status_error(operation: str, response: httpx.Response) -> APIStatusError:
    """The error for a response whose status is not a success."""
    status = response.status_code
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else APIStatusError)
    return (QuotaExceededError if status == 429 and _is_about_quota(response) else kind)(operation, response)


def _is_about_quota(response: httpx.Response) -> bool:
    """Whether a 429 means that the plan is used up, rather than that requests come too fast."""
    body = _json_object(response.content)
    code = _code(body)
    if code is not None:
        return code in _QUOTA_CODES or code.endswith("_quota_exceeded")
    # The oldest form is a message alone. What limits the rate says when to come back, or calls it too many requests.
    if "statusCode" in body or any(name in response.headers for name in _RATE_LIMIT_HEADERS):
        return False
    message = _message(body)
    return message is not None and re.search(r"too many|rate.?limit", message, re.IGNORECASE) is None


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


def _joined(errors: Iterable[ErrorDetail]) -> str:
    return "; ".join(f"{each.field}: {each.message}" if each.field else each.message for each in errors)


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
    moment = http_date(text)
    return None if moment is None else max(0.0, (moment - sent_at(response.headers)).total_seconds())
