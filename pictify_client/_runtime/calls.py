"""A call, from its arguments to what comes of it: what is done next, without I/O.

`Call.steps()` yields what is to be done, and `execution.py` does it, in sync or in async code. All of retries,
redirects, pacing, hooks, logs and errors is here once.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import httpx

from ..errors import (
    APIConnectionError,
    APITimeoutError,
    PictifyError,
    RenderFailedError,
    ResponseDecodeError,
    ResponseTooLargeError,
    status_error,
)
from ..hooks import RequestEvent, RetryEvent
from ..types import Response
from .bodies import BodyTooLarge, announced_size, is_error_pixel, media_type
from .connections import DeadlineExceeded, RawResponse, SendRequest, origin_of
from .decoding import DecodeError
from .redaction import SECRET_HEADERS, redact_request, redact_response, redact_text, spellings_in_json
from .reporting import logger, report
from .retries import Retries, is_certificate_error, wait_before_retry
from .settings import is_loopback
from .steps import FileMaker, Notify, Sleep, Step, Turn
from .validation import MIN_SECRET_LENGTH

if TYPE_CHECKING:
    from ..fleets import PacingError
    from .clock import Clock
    from .connections import Connections
    from .operations import Operation, Request
    from .settings import Settings

T = TypeVar("T")

_OWN_HEADERS = ("User-Agent", "Accept-Encoding")
# A file up to this many bytes is read at once, which sets its connection free.
_SMALL_FILE = 65_536
_MOST_REDIRECTS = 10
# What is left of a budget is never nothing at all: to some systems that means for ever, or not to wait.
_SHORTEST = 0.001


class Call(Generic[T]):
    """One call; nothing of it is shared with another.

    Args:
        operation: What is called.
        written: Its request.
        settings: Those of the client.
        connections: What builds requests.
        clock: The client's.
        make_file: Creates the file, if the operation returns one.
    """

    def __init__(
        self,
        operation: Operation[T],
        written: Request,
        settings: Settings,
        connections: Connections,
        clock: Clock,
        make_file: FileMaker[T] | None = None,
    ) -> None:
        self._operation = operation
        self._written = written
        self._settings = settings
        self._connections = connections
        self._clock = clock
        self._make_file = make_file
        self._timeouts = settings.timeouts.with_least(operation.timeout)
        whole = self._timeouts.whole
        self._budget = _Budget(
            inf if whole is None else clock.monotonic() + whole, whole, "the complete call", "timeout="
        )

    def steps(self) -> Generator[Step, Any, Response[T]]:
        """What is to be done, to the end of the call.

        Raises:
            PictifyError: If there is no response that can be decoded.
        """
        first: PictifyError | None = None
        attempt = 0
        while True:
            attempt += 1
            refusal: PacingError | None = None
            if self._settings.pacer is not None and self._written.url is None:
                refusal = yield Turn(self._settings.pacer, self._longest_wait())
            outcome = (yield from self._attempt(attempt)) if refusal is None else refusal
            error = outcome.error if isinstance(outcome, Response) else outcome
            wait = None if error is None or self._connections.is_closed else self._wait(attempt, error)
            if error is None or wait is None:
                sent = attempt if refusal is None else attempt - 1
                return self._result(outcome, error, sent, first)
            first = first or error
            name = str(self._operation)
            known = {"operation": name, "attempt": attempt, "wait": wait}
            logger.info("Retrying %s in %.1f s, after attempt %d: %s", name, wait, attempt, error, extra=known)
            hook = self._settings.hooks.on_retry
            if hook is not None:
                yield Notify(hook, RetryEvent(operation=name, attempt=attempt, wait=wait, error=error))
            yield Sleep(wait)

    def _longest_wait(self) -> float:
        return min(self._settings.retries.max_wait, self._budget.end - self._clock.monotonic())

    def _wait(self, attempt: int, error: PictifyError) -> float | None:
        return wait_before_retry(
            self._operation.method,
            attempt,
            error,
            Retries(self._settings.retries.max_retries, self._longest_wait()),
            now=self._clock.time(),
            jitter=self._clock.jitter,
        )

    def _result(
        self, outcome: Response[T] | PictifyError, error: PictifyError | None, sent: int, first: PictifyError | None
    ) -> Response[T]:
        if error is not None:
            error.attempts = sent
            if first is not None:
                error.__cause__ = first
        if isinstance(outcome, Response):
            return outcome
        raise outcome

    def _attempt(self, attempt: int) -> Generator[Step, Any, Response[T] | PictifyError]:
        """One attempt, with the redirects that it is sent through; gives its errors, as they may not be the last."""
        started = perf_counter()
        budget = self._budget
        limit = self._timeouts.attempt
        if limit is not None and (end := self._clock.monotonic() + limit) < budget.end:
            budget = _Budget(end, limit, "one attempt", "attempt_timeout=")
        url = self._written.url
        target = _Target(
            self._operation.method, url or self._settings.base_url + self._written.target, is_ours=url is None
        )
        passed: list[httpx.Response] = []
        secrets: list[str] = []
        name, on_response = str(self._operation), self._settings.hooks.on_response
        while True:
            headers = self._headers(target)
            hook = self._settings.hooks.on_request
            if hook is not None:
                headers = headers.copy()
                url = redact_text([*self._written.secrets], target.url.partition("?")[0])
                yield Notify(hook, RequestEvent(operation=name, attempt=attempt, url=url, headers=headers))
            left = max(budget.end - self._clock.monotonic(), _SHORTEST)
            request = self._request(target, headers, left)
            secrets += self._secrets(request)
            got: RawResponse | Exception = yield SendRequest(
                request,
                None if left == inf else left,
                self._settings.max_response_size,
                self._is_read_at_once,
                self._operation.may_be_empty or self._operation.method == "DELETE",
            )
            if self._written.url is not None:
                # A query may be a signature, by which anyone can get the file.
                request.url = request.url.copy_with(query=None, username=None, password=None)
            if isinstance(got, Exception):
                failure = self._failure(request, secrets, budget, got)
                yield from report(name, on_response, attempt, started, type(got).__name__, failure, secrets, None)
                return failure
            response = got.response
            onward = self._redirected(target, response, secrets)
            if onward is None or len(passed) == _MOST_REDIRECTS:
                break
            passed.append(response)
            target = onward
        response.history = passed
        outcome = self._outcome(request, secrets, got)
        if self._settings.pacer is not None and self._written.url is None:
            self._settings.pacer.learn(response.headers, self._clock)
        yield from report(name, on_response, attempt, started, str(response.status_code), outcome, secrets, response)
        return outcome

    def _headers(self, target: _Target) -> httpx.Headers:
        if not target.is_ours:
            # The caller's own may be secrets too.
            return self._written_headers({name: self._settings.headers[name] for name in _OWN_HEADERS})
        prepared = self._settings.prepared.get(self._operation)
        if prepared is None:
            prepared = self._settings.prepared[self._operation] = self._written_headers(self._settings.headers)
        return prepared

    def _written_headers(self, known: Mapping[str, str]) -> httpx.Headers:
        headers = httpx.Headers({"Accept": self._operation.accept})
        headers.update(known)
        if self._operation.body is not None:
            headers["Content-Type"] = "application/json"
        return headers

    def _request(self, target: _Target, headers: httpx.Headers, left: float) -> httpx.Request:
        headers = headers.copy()
        headers.pop("cookie", None)
        if target.is_ours:
            headers.update(self._written.headers)
            if self._settings.key is not None and self._operation.needs_key:
                headers["Authorization"] = f"Bearer {self._settings.key}"
        content = self._written.content
        if content is None and self._operation.optional_body:
            headers.pop("content-type", None)
        request = self._connections.build(
            target.method, target.url, headers=headers, content=content, is_ours=target.is_ours
        )
        request.extensions = {**request.extensions, "timeout": _clipped(self._phases, left)}
        return request

    @property
    def _phases(self) -> Mapping[str, float | None]:
        """How long each phase of an attempt may take, where there is time enough, by httpx's names."""
        return self._timeouts.phases or (self._connections.timeout or httpx.Timeout(None)).as_dict()

    def _redirected(self, target: _Target, response: httpx.Response, secrets: list[str]) -> _Target | None:
        """Where an answer leads, with the same method; None where it leads nowhere, or where to follow is not safe."""
        # Where the redirect is the answer, it is not followed; and See Other would have another method.
        if not response.has_redirect_location or self._operation.redirects:
            return None
        if response.status_code == 303 and target.method != "GET":
            return None
        location = response.headers["location"]
        try:
            here = httpx.URL(target.url)
            there = here.join(location)
            host = there.host
        except (httpx.InvalidURL, ValueError):
            return None
        falls = here.scheme == "https" and there.scheme == "http" and not is_loopback(host)
        if there.scheme not in ("http", "https") or not host or (there.port or 0) > 65535 or falls:
            return None
        is_ours = target.is_ours and origin_of(here) == origin_of(there)
        # Secrets go nowhere else: neither with the body, nor in a URL in which the server repeats a key.
        if self._written.secrets and not is_ours:
            return None
        if any(secret in location for secret in secrets if secret not in self._written.secrets):
            return None
        there = there.copy_with(username=None, password=None, fragment=None)
        return _Target(target.method, str(there), is_ours=is_ours)

    def _is_read_at_once(self, response: httpx.Response) -> bool:
        """Whether a response is read before it is returned: all but files that are streamed and not small."""
        if self._make_file is None or not self._settings.stream_files:
            return True
        size = announced_size(response.headers)
        # What is compressed may be large all the same.
        small = size is not None and size <= _SMALL_FILE and "content-encoding" not in response.headers
        # A body that is in memory, as a mock or a hook of the caller's client may leave it, is not read again.
        # A failure may be a small image, whose size is not always announced.
        may_be_pixel = self._written.error_pixel is not None and size is None and media_type(response) == "image/png"
        return small or may_be_pixel or response.is_closed or response.status_code == 304 or not self._is_file(response)

    def _is_file(self, response: httpx.Response) -> bool:
        """Whether a response is successful, and not a page or JSON instead of a file."""
        kind = media_type(response)
        return self._operation.succeeded(response) and not (kind.startswith("text/") or kind.endswith("json"))

    def _outcome(self, request: httpx.Request, secrets: list[str], answer: RawResponse) -> Response[T] | PictifyError:
        """Return the result of a response: a file, a decoded body, or an error."""
        response, content = answer
        has_pixel = self._written.error_pixel is not None and is_error_pixel(response, content)
        if has_pixel and self._written.error_pixel is False and self._operation.succeeded(response):
            return RenderFailedError(
                f"{self._operation}: the API sent its error pixel, an image of one pixel, in place of the result",
                response=redact_response(secrets, response, content or b""),
            )
        if self._make_file is not None and (self._is_file(response) or (has_pixel and self._written.error_pixel)):
            if content is None:
                # It is read when the caller likes, so what was left of the call's time says nothing of it.
                request.extensions["timeout"].update(_clipped(self._phases, self._budget.seconds or inf))
            budget = self._budget._replace(of="each part of a file")
            file = self._make_file(response, lambda error: self._failure(request, secrets, budget, error), content)
            return Response(status_code=response.status_code, headers=response.headers, content=b"", parsed=file)
        body = content or b""
        if not self._operation.succeeded(response):
            whole = redact_response(secrets, response, body)
            return Response(
                status_code=whole.status_code,
                headers=whole.headers,
                content=whole.content,
                error=status_error(str(self._operation), whole),
            )
        try:
            parsed = self._operation.parse(response, body)
        except DecodeError as caught:
            misread = caught
        else:
            return Response(status_code=response.status_code, headers=response.headers, content=body, parsed=parsed)
        whole = redact_response(secrets, response, body)
        # Read once more, should the server have repeated a secret: the error shows what it is about.
        try:
            self._operation.parse(whole, whole.content)
        except DecodeError as caught:
            misread = caught
        return ResponseDecodeError(str(self._operation), misread.reason, misread.path, misread.value, whole)

    def _failure(self, request: httpx.Request, secrets: list[str], budget: _Budget, error: Exception) -> PictifyError:
        """Return the error for a call without a complete response; its cause is the error of httpx."""
        redact_request(request, secrets)
        base_url = self._settings.base_url if self._written.url is None else origin_of(request.url)
        if isinstance(error, BodyTooLarge):
            streamed = "" if self._make_file is None else "; saved by download() or streamed, a file may be larger"
            return ResponseTooLargeError(
                f"{self._operation}: the response from {base_url} is too large: {error}, and "
                f"{self._settings.max_response_size} are allowed (set by max_response_size=){streamed}",
                request,
            )
        name = type(error).__name__
        chain = _chain(error)
        # If the error of httpx has no text, that of the system may have one.
        telling = (str(each) for each in chain if each is error or isinstance(each, OSError))
        text = redact_text(secrets, next(filter(None, telling), ""))
        failure: APIConnectionError
        if isinstance(error, httpx.TimeoutException):
            why = self._limit(request, budget, error)
            failure = APITimeoutError(f"{self._operation}: no response from {base_url} in time ({why})", request)
        else:
            reason = f"{name}: {text}" if text else name
            what = f"no complete response from {base_url} ({reason})"
            if is_certificate_error(error):
                what = (
                    f"the certificate of {base_url} is not trusted ({reason}). Behind a proxy that inspects TLS, set "
                    "SSL_CERT_FILE to a file with the certificate of its authority"
                )
            elif isinstance(error, httpx.ConnectError):
                what = f"no connection to {base_url} ({reason})"
                if self._written.url is None:
                    what = f"{what}; is it the right base_url (PICTIFY_BASE_URL)?"
            failure = APIConnectionError(f"{self._operation}: {what}", request)
        # Not where its text repeats the key, as a server can make it.
        failure.__cause__ = error if all(redact_text(secrets, str(each)) == str(each) for each in chain) else None
        return failure

    def _limit(self, request: httpx.Request, budget: _Budget, error: httpx.TimeoutException) -> str:
        """Which limit was reached, and what sets it."""
        name = type(error).__name__
        phase = name.removesuffix("Timeout").lower()
        limit = request.extensions["timeout"].get(phase)
        more = f": {error}" if isinstance(error, httpx.PoolTimeout) and str(error) else ""
        if isinstance(error, DeadlineExceeded) or limit != self._phases.get(phase):
            return f"{budget.seconds:g} s for {budget.of}; set by {budget.set_by}{more}"
        after = "" if limit is None else f" after {limit:g} s"
        return f"{name}{after}; set by {'attempt_timeout=' if self._timeouts.phases else 'http_client'}{more}"

    def _secrets(self, request: httpx.Request) -> list[str]:
        """What no error may show."""
        sent = (request.headers.get(name, "").removeprefix("Bearer ") for name in SECRET_HEADERS)
        known_secrets = (*self._written.secrets, *self._written.header_secrets)
        written = (spelt for secret in known_secrets for spelt in spellings_in_json(secret))
        known = (*sent, self._settings.key or "", *written)
        return [secret for secret in known if len(secret) >= MIN_SECRET_LENGTH]


class _Budget(NamedTuple):
    """A deadline: when it is, how long it takes from the start, and which option set it."""

    end: float
    seconds: float | None
    of: str
    set_by: str


class _Target(NamedTuple):
    """Where a request goes; ours is what is of the origin that the key belongs to."""

    method: str
    url: str
    is_ours: bool


def _clipped(phases: Mapping[str, float | None], longest: float) -> dict[str, float | None]:
    most = None if longest == inf else longest
    return {name: most if limit is None else min(limit, longest) for name, limit in phases.items()}


def _chain(error: BaseException) -> list[BaseException]:
    """An error, and those that it came of."""
    chain = [error]
    # It grows during the iteration.
    for each in chain:
        chain += [earlier for earlier in (each.__cause__, each.__context__) if earlier and earlier not in chain]
    return chain
