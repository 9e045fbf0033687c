"""A call, from its request to its result, without I/O.

`Call.steps()` yields the steps, and `execution.py` executes them in sync or async code. Retries, redirects, pacing,
hooks, logs and errors are decided here.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import httpx

from ..errors import (
    DecodeError,
    PictifyError,
    RenderFailedError,
    ResponseDecodeError,
    ResponseTooLargeError,
)
from ..types import Response
from .bodies import BodyTooLarge, announced_size, is_error_pixel
from .connections import RawResponse, SendRequest, origin_of
from .error_bodies import media_type_of
from .failures import Budget, Limits, connection_error
from .heartbeats import Heartbeat
from .redaction import SECRET_HEADERS, redact_request, redact_response, redact_text, spellings_in_json
from .reporting import logger, report
from .retries import Retries, wait_before_retry
from .secrets import MIN_SECRET_LENGTH
from .settings import is_loopback
from .signatures import HEADER as SIGNATURE_HEADER
from .signatures import signature
from .status_errors import status_error
from .steps import FileMaker, Notify, Sleep, Step, Turn

if TYPE_CHECKING:
    from ..fleets import PacingError
    from .clock import Clock
    from .connections import Connections
    from .operations import Operation, PreparedRequest
    from .settings import Settings

T = TypeVar("T")

_OWN_HEADERS = ("User-Agent", "Accept-Encoding")
# A file up to this many bytes is read at once, which sets its connection free.
_SMALL_FILE = 65_536
_MAX_REDIRECTS = 10
# The time that is left is never 0, which may mean not to wait, or to wait forever.
_MIN_TIMEOUT = 0.001


class Call(Generic[T]):
    """One call; nothing of it is shared with another.

    Args:
        operation: The operation.
        prepared: Its request.
        settings: Those of the client.
        connections: The connections, which build requests.
        clock: The client's.
        make_file: Creates the file, if the operation returns one.
    """

    def __init__(
        self,
        operation: Operation[T],
        prepared: PreparedRequest,
        settings: Settings,
        connections: Connections,
        clock: Clock,
        make_file: FileMaker[T] | None = None,
    ) -> None:
        self._operation = operation
        self._prepared = prepared
        self._settings = settings
        self._connections = connections
        self._clock = clock
        self._make_file = make_file
        self._timeouts = settings.timeouts.with_least(operation.timeout)
        limit = self._timeouts.call
        self._budget = Budget(
            inf if limit is None else clock.monotonic() + limit, limit, "the complete call", "timeout="
        )

    def steps(self) -> Generator[Step, Any, Response[T]]:
        """Yield the steps of the call.

        Raises:
            PictifyError: If there is no response that can be decoded.
        """
        first: PictifyError | None = None
        attempt = 0
        while True:
            attempt += 1
            pacing_error: PacingError | None = None
            if self._settings.pacer is not None and self._prepared.url is None:
                pacing_error = yield Turn(self._settings.pacer, self._longest_wait())
            outcome = (yield from self._attempt(attempt)) if pacing_error is None else pacing_error
            error = outcome.error if isinstance(outcome, Response) else outcome
            wait = None if error is None or self._connections.is_closed else self._wait(attempt, error)
            if error is None or wait is None:
                sent = attempt if pacing_error is None else attempt - 1
                return self._result(outcome, error, sent, first)
            first = first or error
            name = str(self._operation)
            known = {"operation": name, "attempt": attempt, "wait": wait}
            logger.info("Retrying %s in %.1f s, after attempt %d: %s", name, wait, attempt, error, extra=known)
            hook = self._settings.hooks.on_retry
            if hook is not None:
                from ..hooks import RetryEvent

                yield Notify(hook, RetryEvent(operation=name, attempt=attempt, wait=wait, error=error))
            yield Sleep(wait)

    def _longest_wait(self) -> float:
        return min(self._settings.retries.max_wait, self._budget.end - self._clock.monotonic())

    def _wait(self, attempt: int, error: PictifyError) -> float | None:
        longest = self._longest_wait()
        # Without time, an attempt could not even be sent.
        if longest <= 0 < self._settings.retries.max_wait:
            return None
        return wait_before_retry(
            self._operation.method,
            attempt,
            error,
            Retries(self._settings.retries.max_retries, longest),
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
        """Make one attempt, with its redirects, and return its error, as it may be retried."""
        started = perf_counter()
        budget = self._budget
        limit = self._timeouts.attempt
        if limit is not None and (end := self._clock.monotonic() + limit) < budget.end:
            budget = Budget(end, limit, "one attempt", "attempt_timeout=")
        url = self._prepared.url
        target = _Target(url or self._settings.base_url + self._prepared.target, is_ours=url is None)
        passed: list[httpx.Response] = []
        secrets: list[str] = []
        name, on_response = str(self._operation), self._settings.hooks.on_response
        while True:
            headers = self._headers(target)
            hook = self._settings.hooks.on_request
            if hook is not None:
                from ..hooks import RequestEvent

                headers = headers.copy()
                url = redact_text([*self._prepared.secrets], target.url.partition("?")[0])
                yield Notify(hook, RequestEvent(operation=name, attempt=attempt, url=url, headers=headers))
            left = max(budget.end - self._clock.monotonic(), _MIN_TIMEOUT)
            request = self._request(target, headers, left)
            secrets += self._secrets(request)
            got: RawResponse | Exception = yield SendRequest(
                request,
                None if left == inf else left,
                self._settings.max_response_size,
                self._is_read_at_once,
                self._operation.may_be_empty or self._operation.method == "DELETE",
                self._heartbeat(attempt),
            )
            if self._prepared.url is not None:
                # A query may be a signature, by which anyone can get the file.
                request.url = request.url.copy_with(query=None, username=None, password=None)
            if isinstance(got, Exception):
                failure = self._failure(request, secrets, budget, got)
                yield from report(name, on_response, attempt, started, type(got).__name__, failure, secrets, None)
                return failure
            response = got.response
            onward = self._redirected(target, response, secrets)
            if onward is None or len(passed) == _MAX_REDIRECTS:
                break
            passed.append(response)
            target = onward
        response.history = passed
        outcome = self._outcome(request, secrets, got)
        if self._settings.pacer is not None and self._prepared.url is None:
            self._settings.pacer.learn(response.headers, self._clock)
        yield from report(name, on_response, attempt, started, str(response.status_code), outcome, secrets, response)
        return outcome

    def _heartbeat(self, attempt: int) -> Heartbeat | None:
        hook, operation = self._settings.hooks.on_wait, str(self._operation)
        if hook is None:
            return None
        from ..hooks import WaitEvent

        return Heartbeat(
            self._clock.heartbeat_interval,
            lambda elapsed: hook(WaitEvent(operation=operation, attempt=attempt, elapsed=elapsed)),
        )

    def _headers(self, target: _Target) -> httpx.Headers:
        if not target.is_ours:
            # The additional headers may be secrets, too.
            return self._add_headers({name: self._settings.headers[name] for name in _OWN_HEADERS})
        headers = self._settings.operation_headers.get(self._operation)
        if headers is None:
            headers = self._settings.operation_headers[self._operation] = self._add_headers(self._settings.headers)
        return headers

    def _add_headers(self, known: Mapping[str, str]) -> httpx.Headers:
        headers = httpx.Headers({"Accept": self._operation.accept})
        headers.update(known)
        if self._operation.body is not None:
            headers["Content-Type"] = "application/json"
        return headers

    def _request(self, target: _Target, headers: httpx.Headers, left: float) -> httpx.Request:
        headers = headers.copy()
        headers.pop("cookie", None)
        if target.is_ours:
            headers.update(self._prepared.headers)
            if self._settings.key is not None and self._operation.needs_key:
                headers["Authorization"] = f"Bearer {self._settings.key}"
        content = self._prepared.content
        if content is None and self._operation.optional_body:
            headers.pop("content-type", None)
        if self._prepared.signing_key is not None and target.is_ours:
            # A retry is signed anew: its time has passed.
            headers[SIGNATURE_HEADER] = signature(
                self._prepared.signing_key, str(int(self._clock.time())), content or b""
            )
        request = self._connections.build(
            self._operation.method, target.url, headers=headers, content=content, is_ours=target.is_ours
        )
        request.extensions = {**request.extensions, "timeout": self._limits(self._budget).clipped(left)}
        return request

    def _redirected(self, target: _Target, response: httpx.Response, secrets: list[str]) -> _Target | None:
        """Return the target of a redirect; None if the response is not one, or it is not safe to follow."""
        # The redirect may be the result. See Other would change the method.
        if not response.has_redirect_location or self._operation.redirects:
            return None
        if response.status_code == 303 and self._operation.method != "GET":
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
        if self._prepared.secrets and not is_ours:
            return None
        if any(secret in location for secret in secrets if secret not in self._prepared.secrets):
            return None
        there = there.copy_with(username=None, password=None, fragment=None)
        return _Target(str(there), is_ours=is_ours)

    def _is_read_at_once(self, response: httpx.Response) -> bool:
        """Whether a response is read before it is returned: all but files that are streamed and not small."""
        if self._make_file is None or not self._settings.stream_files:
            return True
        size = announced_size(response.headers)
        # A small compressed body may have a large content.
        small = size is not None and size <= _SMALL_FILE and "content-encoding" not in response.headers
        # A body that is in memory, as a mock or a hook of the caller's client may leave it, is not read again.
        # A failure may be a small image, whose size is not always announced.
        maybe_pixel = self._prepared.error_pixel is not None and size is None and media_type_of(response) == "image/png"
        return small or maybe_pixel or response.is_closed or response.status_code == 304 or not self._is_file(response)

    def _is_file(self, response: httpx.Response) -> bool:
        """Whether a response is successful, and not a page or JSON instead of a file."""
        kind = media_type_of(response)
        return self._operation.succeeded(response) and not (kind.startswith("text/") or kind.endswith("json"))

    def _outcome(self, request: httpx.Request, secrets: list[str], raw: RawResponse) -> Response[T] | PictifyError:
        """Return the result of a response: a file, a decoded body, or an error."""
        response, content = raw
        has_pixel = self._prepared.error_pixel is not None and is_error_pixel(response, content)
        if has_pixel and self._prepared.error_pixel is False and self._operation.succeeded(response):
            return RenderFailedError(
                f"{self._operation}: the API sent its error pixel, an image of one pixel, in place of the result",
                response=redact_response(secrets, response, content or b""),
            )
        if self._make_file is not None and (self._is_file(response) or (has_pixel and self._prepared.error_pixel)):
            if content is None:
                # It is read when the caller likes, so what was left of the call's time says nothing of it.
                request.extensions["timeout"].update(self._limits(self._budget).clipped(self._budget.seconds or inf))
            budget = self._budget._replace(of="each part of a file")
            file = self._make_file(response, lambda error: self._failure(request, secrets, budget, error), content)
            return Response(status_code=response.status_code, headers=response.headers, content=b"", parsed=file)
        body = content or b""
        if not self._operation.succeeded(response):
            redacted = redact_response(secrets, response, body)
            return Response(
                status_code=redacted.status_code,
                headers=redacted.headers,
                content=redacted.content,
                error=status_error(str(self._operation), redacted),
            )
        try:
            parsed = self._operation.parse(response, body)
        except DecodeError as caught:
            misread = caught
        else:
            return Response(status_code=response.status_code, headers=response.headers, content=body, parsed=parsed)
        redacted = redact_response(secrets, response, body)
        # Decoded again without the secrets that the server may have repeated, since the error shows the value.
        try:
            self._operation.parse(redacted, redacted.content)
        except DecodeError as caught:
            misread = caught
        return ResponseDecodeError(str(self._operation), misread.reason, misread.path, misread.value, redacted)

    def _failure(self, request: httpx.Request, secrets: list[str], budget: Budget, error: Exception) -> PictifyError:
        """Return the error for a call without a complete response; its cause is the error of httpx."""
        redact_request(request, secrets)
        base_url = self._settings.base_url if self._prepared.url is None else origin_of(request.url)
        if isinstance(error, BodyTooLarge):
            streamed = "" if self._make_file is None else "; saved by download() or streamed, a file may be larger"
            return ResponseTooLargeError(
                f"{self._operation}: the response from {base_url} is too large: {error}, and "
                f"{self._settings.max_response_size} are allowed (set by max_response_size=){streamed}",
                request,
            )
        return connection_error(str(self._operation), base_url, error, request, secrets, self._limits(budget))

    def _limits(self, budget: Budget) -> Limits:
        own = self._timeouts.phases
        phases = own or (self._connections.timeout or httpx.Timeout(None)).as_dict()
        return Limits(budget, phases, "attempt_timeout=" if own else "http_client")

    def _secrets(self, request: httpx.Request) -> list[str]:
        """Return the strings that no error may show."""
        sent = (request.headers.get(name, "").removeprefix("Bearer ") for name in SECRET_HEADERS)
        known_secrets = (*self._prepared.secrets, *self._prepared.header_secrets)
        spelt_secrets = (spelt for secret in known_secrets for spelt in spellings_in_json(secret))
        known = (*sent, self._settings.key or "", *spelt_secrets)
        return [secret for secret in known if len(secret) >= MIN_SECRET_LENGTH]


class _Target(NamedTuple):
    """The target of a request; `is_ours` is whether it has the origin of the API."""

    url: str
    is_ours: bool
