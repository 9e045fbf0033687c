"""All exceptions that an API call raises.

    PictifyError
        ConfigurationError, ClientClosedError
        APIConnectionError
            APITimeoutError
        ResponseTooLargeError
        APIStatusError
            BadRequestError (400), UnauthorizedError (401), QuotaExceededError (402 and some 429),
            ForbiddenError (403), NotFoundError (404), ConflictError (409), GoneError (410),
            ContentTooLargeError (413), UnprocessableContentError (422), RateLimitError (429),
            ServerError (500 and above)
        ResponseDecodeError, RenderFailedError, PaginationError, WaitTimeoutError
        PacingError (in fleets.py), BatchStartError (in batches.py)
        WebhookVerificationError, WebhookPayloadError (in webhooks.py; not raised by API calls)

An invalid argument raises a `TypeError` or a `ValueError`. No request is sent then. `from_dict` of a model raises a
`DecodeError`, a `ValueError`.

All of them can be pickled and copied, so that they can be raised by a worker process.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ._runtime import error_bodies as bodies
from ._runtime.lazy import Deferred
from ._runtime.pickling import new_error, portable_error
from .rate_limits import RateLimit

if TYPE_CHECKING:
    import httpx
else:
    # A program that only reads webhooks does not import httpx.
    httpx = Deferred("httpx")


class PictifyError(Exception):
    """The base class of all exceptions of this package.

    Attributes:
        attempts: Number of attempts. If there was more than one, the cause is the error of the first.
        may_have_succeeded: Whether the API may have done what was requested, such as a render, which it bills.
    """

    attempts: int = 1
    may_have_succeeded: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        # By default an exception is made anew from its `args`, which are not always the arguments of `__init__`, and
        # loses its cause.
        state = {**vars(self), "args": self.args}
        known = isinstance(self.__cause__, PictifyError)
        cause = self.__cause__ if known else portable_error(self.__cause__)
        return new_error, (type(self),), state if cause is None else {**state, "__cause__": cause}

    def __copy__(self) -> Self:
        copied = new_error(type(self))
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

    `may_have_succeeded` is False if the request was certainly not sent.

    Attributes:
        message: The description of the failure.
        request: The request, without the API key.
    """

    may_have_succeeded: bool = True

    def __init__(self, message: str, request: httpx.Request | None = None) -> None:
        super().__init__(message, request)
        self.message = message
        self.request = request

    def __str__(self) -> str:
        return f"{self.message}{self._after_attempts()}"


class APITimeoutError(APIConnectionError):
    """The response took longer than the client's `timeout`."""


class ResponseTooLargeError(PictifyError):
    """A response is larger than the client's `max_response_size`.

    Attributes:
        message: The response that is too large, and the limit.
        request: The request, without the API key.
    """

    may_have_succeeded: bool = True

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
        reason: The reason why it is invalid.
        response: The complete response; its request does not contain the API key.
    """

    may_have_succeeded: bool = True

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


class DecodeError(ValueError):
    """JSON that does not have the documented form.

    Attributes:
        reason: The reason why it is invalid.
        path: The place in the document, such as `bindings[3].createdAt`; empty for the document itself.
        value: The value there; None if it may be a secret.
        secret: Whether the value may be a secret.
    """

    def __init__(self, reason: str, path: str = "", value: object = None, *, secret: bool = False) -> None:
        super().__init__(reason, path, value)
        self.secret = secret
        self.reason = reason
        self.path = path
        self.value = value

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class RenderFailedError(PictifyError):
    """The API responded with success, but did not render.

    Attributes:
        message: The description of the failure.
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
    """A batch or run took longer than the timeout of `wait`. It continues: wait again, or cancel a batch.

    Attributes:
        last: The state that the last poll returned, such as a `BatchStatus` or a `WorkflowRun`; None if none did.
    """

    may_have_succeeded: bool = True

    def __init__(self, message: str, last: Any) -> None:
        super().__init__(message)
        self.last = last


class ErrorDetail(NamedTuple):
    """One of the `errors` in the body of an error response.

    Attributes:
        message: The description of the failure.
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
        context: The place of the error in a template, if the API sends it; any JSON value.
        upgrade_url: URL of the page to upgrade the plan or to add credits, if the API sends one.
        problem: The body as problem details (RFC 9457), if it is such an object, else None.
        request_id: The API's id of the request (`X-Request-Id`), to tell its support; or None.
        retry_after: Seconds until a retry makes sense (`Retry-After`), or None.
        rate_limit: The values of the `X-RateLimit` headers.
    """

    def __init__(self, operation: str, response: httpx.Response) -> None:
        super().__init__(operation, response)
        body = bodies.json_object(response.content)
        self.operation: str = operation
        self.response: httpx.Response = response
        self.request: httpx.Request = response.request
        self.status_code: int = response.status_code
        self.code: str | None = bodies.code_of(body)
        self.errors: list[ErrorDetail] = [ErrorDetail(*each) for each in bodies.details_of(body)]
        retriable = body.get("retriable")
        self.retriable: bool | None = retriable if isinstance(retriable, bool) else None
        is_busy = self.status_code == 503 and self.retriable is True
        self.may_have_succeeded: bool = (self.status_code >= 500 and not is_busy) or self.status_code == 408
        self.details: Any = body.get("details")
        self.context: Any = body.get("context")
        self.upgrade_url: str | None = bodies.text_of(body.get("upgradeUrl")) or bodies.text_of(body.get("checkoutUrl"))
        problem = bodies.problem_of(body, bodies.media_type_of(response))
        self.problem: Problem | None = None if problem is None else Problem(**problem)
        self.message: str = bodies.message_of(body) or _joined(self.errors) or bodies.description_of(response)
        self.request_id: str | None = response.headers.get("x-request-id")
        self.retry_after: float | None = bodies.retry_after_of(response)
        self.rate_limit: RateLimit = RateLimit.from_headers(response.headers)

    def __str__(self) -> str:
        faults = _joined(self.errors)
        # The path of a file means nothing without its host.
        call = self.operation if self._is_foreign else bodies.call_of(self.request)
        phrase = bodies.phrase_of(self.status_code)
        status = f"{self.status_code}" if self.message.startswith(phrase) else f"{self.status_code} {phrase}"
        text = f"{call} failed with {status}{self._after_attempts()}: {self.message}"
        if faults and faults != self.message:
            text = f"{text.removesuffix('.')}: {faults}"
        known = {"code": self.code, "request id": self.request_id}
        if self.retry_after:
            known["retry after"] = f"{self.retry_after:g} s"
        details = bodies.text_of(self.details)
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


def _joined(errors: Iterable[ErrorDetail]) -> str:
    return "; ".join(f"{each.field}: {each.message}" if each.field else each.message for each in errors)
