"""All exceptions that an API call raises.

    PictifyError
        ConfigurationError
        ClientClosedError
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
        PacingError (in fleets.py)
        WaitTimeoutError
        BatchStartError (in batches.py)
        WebhookVerificationError, WebhookPayloadError (in webhooks.py; not raised by API calls)

An invalid argument raises a `TypeError` or a `ValueError`. No request is sent then.

All of them can be pickled and copied, so that they can be raised by a worker process.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar, cast

from ._runtime.decoding import is_array, is_object
from ._runtime.lazy import Deferred
from .rate_limits import RateLimit, http_date, sent_at

if TYPE_CHECKING:
    import httpx
else:
    # What reads a webhook needs no httpx.
    httpx = Deferred("httpx")

_ErrorT = TypeVar("_ErrorT", bound="PictifyError")

_MAX_SHOWN = 200
_QUOTA_CODES = frozenset({"quota_exceeded", "spending_cap_reached", "template_limit_reached", "ai_quota_exceeded"})
_RATE_LIMIT_HEADERS = ("retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
_KNOWN_STATUSES = frozenset(HTTPStatus)


class PictifyError(Exception):
    """The base class of all exceptions of this package.

    Attributes:
        attempts: Number of attempts. If there was more than one, the cause is the error of the first.
    """

    attempts: int = 1

    def __reduce__(self) -> tuple[Any, ...]:
        # By default an exception is made anew from its `args`, which are not always the arguments of `__init__`, and
        # loses its cause.
        state = {**vars(self), "args": self.args}
        cause = _portable(self.__cause__)
        return _new, (type(self),), state if cause is None else {**state, "__cause__": cause}

    def __copy__(self) -> Self:
        copied = _new(type(self))
        vars(copied).update(vars(self))
        copied.args = self.args
        copied.__cause__ = self.__cause__
        copied.__suppress_context__ = self.__suppress_context__
        return copied

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def _after_attempts(self) -> str:
        return f" (after {self.attempts} attempts)" if self.attempts > 1 else ""


class ConfigurationError(PictifyError, ValueError):
    """The settings of a client are invalid, such as a missing API key or a malformed base URL."""


class ClientClosedError(PictifyError):
    """The client is closed, so that the request was not sent."""


class APIConnectionError(PictifyError):
    """No complete response was received: the connection failed, or the response was cut off or malformed.

    Attributes:
        message: What failed.
        request: The request, without the API key.
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
    """A response is larger than the client's `max_response_size`. The API may have done the work.

    Attributes:
        message: What is too large.
        request: The request, without the API key.
    """

    def __init__(self, message: str, request: httpx.Request) -> None:
        super().__init__(message, request)
        self.message = message
        self.request = request

    def __str__(self) -> str:
        return f"{self.message}{self._after_attempts()}"


class ResponseDecodeError(PictifyError):
    """The API responded with success, but the body does not have the expected form.

    Attributes:
        operation: The operation, such as `GET /bindings`.
        path: The place in the body, such as `bindings[3].createdAt`; empty for the body itself.
        value: The value there; None if the body is not JSON.
        reason: What is wrong with it.
        response: The complete response; its request does not contain the API key.
    """

    def __init__(self, operation: str, reason: str, path: str, value: object, response: httpx.Response) -> None:
        super().__init__(operation, reason, path, value, response)
        self.operation = operation
        self.reason = reason
        self.path = path
        self.value = value
        self.response = response

    def __str__(self) -> str:
        return (
            f"{self.operation} responded with {self.response.status_code}, but {self.path or 'the body'}: {self.reason}"
        )


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
        self.errors: list[ErrorDetail] = list(errors)
        self.response = response

    def __str__(self) -> str:
        return f"{self.message}: {_joined(self.errors)}" if self.errors else self.message


class PaginationError(PictifyError):
    """A list cannot be iterated over: a response is not a list, or the API repeats the same pages endlessly."""


class WaitTimeoutError(PictifyError, TimeoutError):
    """What was waited for took longer than the timeout of `wait`. It continues: wait again, or cancel it.

    Attributes:
        last: The state that the last poll returned, such as a `BatchStatus` or a `WorkflowRun`; None if none did.
    """

    def __init__(self, message: str, last: Any) -> None:
        super().__init__(message)
        self.last = last


class ErrorDetail(NamedTuple):
    """One of the `errors` in the body of an error response.

    Attributes:
        message: What is wrong.
        field: The field of the request, if the API names one.
        code: The API's error code, if there is one.
    """

    message: str
    field: str | None = None
    code: str | None = None


class Problem(NamedTuple):
    """A problem details object (RFC 9457).

    Attributes:
        type: URI of the type of problem; `about:blank` if there is none.
        title: Short summary of the type of problem.
        status: Status code in the body.
        detail: Explanation of this occurrence.
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
    """The API responded with an error status.

    Attributes:
        operation: The operation, such as `GET /bindings`.
        response: The complete response.
        request: Its request, without the API key.
        status_code: HTTP status code.
        message: The API's error message; if there is none, a description of the response.
        code: The API's error code, such as `quota_exceeded`, or None.
        errors: The individual errors, if the API lists them.
        retriable: Whether the API says that the request may be repeated, or None if it does not say.
        details: More about the error, if the API sends it; any JSON value.
        context: Where in a template the error is, if the API sends it; any JSON value.
        upgrade_url: URL of the page to upgrade the plan or to add credits, if the API sends one.
        problem: The body as problem details (RFC 9457), if it is such an object, else None.
        request_id: The API's id of the request (`X-Request-Id`), to tell its support; or None.
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
        # The path of a file means nothing without its host.
        call = self.operation if self._is_foreign else _call(self.request)
        phrase = _phrase(self.status_code)
        status = f"{self.status_code}" if self.message.startswith(phrase) else f"{self.status_code} {phrase}"
        text = f"{call} failed with {status}{self._after_attempts()}: {self.message}"
        if faults and faults != self.message:
            text = f"{text.removesuffix('.')}: {faults}"
        known = {"code": self.code, "request id": self.request_id}
        if self.retry_after:
            known["retry after"] = f"{self.retry_after:g} s"
        details = _text(self.details)
        if details and details not in text:
            text = f"{text.removesuffix('.')}: {details}"
        aside = ", ".join(f"{name} {value}" for name, value in known.items() if value)
        hint = None if self._is_foreign else self._hint()
        return f"{text}{f' ({aside})' if aside else ''}{f'. {hint}' if hint else ''}"

    @property
    def _is_foreign(self) -> bool:
        """Whether it is from another server, such as the one of a file: then no hint about the API applies."""
        return "://" in self.operation

    def _hint(self) -> str | None:
        """Return what to do about the error, if that is known."""
        return None


class BadRequestError(APIStatusError):
    """400: a field of the request is missing or invalid."""


class UnauthorizedError(APIStatusError):
    """401: the API key is missing, unknown or revoked."""

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
        if re.search(r"\bverif(y|ied|ication)\b", self.message, re.IGNORECASE):
            return "The account cannot render until its email address is verified"
        if re.search(r"\b(plan|upgrade|subscription)\b", self.message, re.IGNORECASE):
            return "The plan of the account does not include this feature"
        return None


class NotFoundError(APIStatusError):
    """404: the resource does not exist or belongs to another team, or the API no longer has the operation."""

    def _hint(self) -> str | None:
        if re.fullmatch(r"Route [A-Z]+:\S* not found", self.message):
            return "The API does not have this operation: it was retired, or base_url is wrong"
        return None


class ConflictError(APIStatusError):
    """409: the operation is not possible in the current state."""


class GoneError(APIStatusError):
    """410: the resource no longer exists."""


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
    """Return the error for a response whose status is not a success."""
    status = response.status_code
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else APIStatusError)
    is_quota = status == 429 and "://" not in operation and _is_about_quota(response)
    return (QuotaExceededError if is_quota else kind)(operation, response)


def _is_about_quota(response: httpx.Response) -> bool:
    """Whether a 429 means that the quota is used up, rather than that there were too many requests."""
    body = _json_object(response.content)
    code = _code(body)
    if code is not None:
        return code in _QUOTA_CODES or code.endswith("_quota_exceeded")
    # The oldest form is only a message. Rate limits say when to retry, or call it too many requests.
    if "statusCode" in body or any(name in response.headers for name in _RATE_LIMIT_HEADERS):
        return False
    message = _message(body)
    return message is not None and re.search(r"too many|rate.?limit", message, re.IGNORECASE) is None


def _call(request: httpx.Request) -> str:
    """Return the method and the path of a request for an error message: without its query, and shortened."""
    path = request.url.raw_path.partition(b"?")[0].decode("ascii")
    return f"{request.method} {path if len(path) <= _MAX_SHOWN else f'{path[:_MAX_SHOWN]}...'}"


def _phrase(status: int) -> str:
    """Return the reason phrase of a status; an empty one if HTTP does not know the status."""
    return HTTPStatus(status).phrase if status in _KNOWN_STATUSES else ""


def _new(kind: type[_ErrorT]) -> _ErrorT:
    return kind.__new__(kind)


def _portable(error: BaseException | None) -> BaseException | None:
    """Return an error in a form that can be pickled; None if there is none.

    Errors of other packages are reduced to their arguments: their attributes, such as a request of httpx, may hold the
    API key.
    """
    if error is None or isinstance(error, PictifyError):
        return error
    import pickle

    try:
        make, arguments, *_ = cast("tuple[Any, ...]", error.__reduce__())
        portable: BaseException = make(*arguments)
        pickle.dumps(portable)
    except Exception:  # noqa: BLE001 (whatever another package raises where it has no such form)
        return None
    return portable


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
    phrase = response.reason_phrase or _phrase(status) or "unknown status"
    if response.has_redirect_location:
        return f"{phrase}, a redirect to {response.headers['location'][:_MAX_SHOWN]!r}"
    host = response.request.url.host
    if status == 206:
        return f"{phrase}, with a part of the body from {host}, which was not requested"
    if not response.content.strip():
        return f"{phrase}, with an empty body from {host}"
    if media_type != "text/plain":
        return f"{phrase}, with a body of type {media_type or 'unknown'} from {host} that holds no message"
    return f"{phrase}: {response.content[:_MAX_SHOWN].decode(errors='replace')!r}"


def _seconds(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,9})?", text):
        return float(text)
    moment = http_date(text)
    return None if moment is None else max(0.0, (moment - sent_at(response.headers)).total_seconds())
