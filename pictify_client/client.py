"""The clients, and how a call is made: one way for all operations."""

from __future__ import annotations

import logging
import os
import platform
import re
from collections.abc import Awaitable, Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar

import httpx

from ._version import __version__
from .api import SERVER, AsyncResources, Resources
from .clock import Clock
from .decoding import DecodeError
from .errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    ConfigurationError,
    PictifyError,
    ResponseDecodeError,
    status_error,
)
from .files import TRANSPORT_ERRORS, AsyncFile, File
from .retries import Retries, wait_before_retry
from .types import UNSET, Response, Unset

if TYPE_CHECKING:
    from typing import Self

    from .operations import Operation, Request

T = TypeVar("T")
AnyClient = TypeVar("AnyClient", httpx.Client, httpx.AsyncClient)

DEFAULT_TIMEOUT: Final = httpx.Timeout(60.0, connect=5.0)
"""Seconds without a byte before a call is given up; a render may take its time."""

# A year; the clocks of some systems end not far beyond.
_LONGEST_TIMEOUT = 365 * 24 * 3600
_REDACTED = "[redacted]"
_SECRET_HEADERS = ("Authorization", "X-Write-Key")
# A file up to this many bytes is read at once, which sets its connection free.
_SMALL_FILE = 65_536
# The API has no use for cookies, and one that is not ASCII would make every later request fail.
_NO_COOKIES = DefaultCookiePolicy(allowed_domains=[])
_logger = logging.getLogger("pictify_client")


class _Connections:
    """The httpx clients of a client and of its copies, made on first use: one pool for them all."""

    def __init__(self, given: httpx.Client | httpx.AsyncClient | None, *, verify_ssl: bool) -> None:
        self._given = given
        self._verify_ssl = verify_ssl
        self._sync: httpx.Client | None = given if isinstance(given, httpx.Client) else None
        self._async: httpx.AsyncClient | None = given if isinstance(given, httpx.AsyncClient) else None
        self._lock = Lock()
        self._closed = False

    def sync(self) -> httpx.Client:
        with self._lock:
            if self._sync is None and not self._closed:
                self._refuse_given("sync", "asyncio")
                self._sync = httpx.Client(verify=self._verify_ssl, timeout=DEFAULT_TIMEOUT)
                self._sync.cookies.jar.set_policy(_NO_COOKIES)
        return self._open(self._sync)

    def asyncio(self) -> httpx.AsyncClient:
        with self._lock:
            if self._async is None and not self._closed:
                self._refuse_given("asyncio", "sync")
                self._async = httpx.AsyncClient(verify=self._verify_ssl, timeout=DEFAULT_TIMEOUT)
                self._async.cookies.jar.set_policy(_NO_COOKIES)
        return self._open(self._async)

    @property
    def timeout(self) -> httpx.Timeout:
        return DEFAULT_TIMEOUT if self._given is None else self._given.timeout

    def close(self) -> None:
        with self._lock:
            self._closed = True
        if self._sync is not None and self._sync is not self._given:
            self._sync.close()

    async def aclose(self) -> None:
        self.close()
        if self._async is not None and self._async is not self._given:
            await self._async.aclose()

    def _refuse_given(self, wanted: str, works: str) -> None:
        if self._given is not None:
            kind = type(self._given).__name__
            raise ConfigurationError(f"http_client is a httpx.{kind}, which makes no {wanted} calls: use {works} ones")

    def _open(self, client: AnyClient | None) -> AnyClient:
        if client is None or self._closed or client.is_closed:
            raise PictifyError("the client is closed: make a new one, or close it only after its last call")
        return client


class Client:
    """A client for the operations that need no key, sync and async alike.

    It holds one pool of connections, opened on the first call, and may be used by many threads and
    tasks at once, the tasks all of one event loop. Close it with `close()` or `aclose()`, or use it
    in a `with` or `async with`.

    Args:
        base_url: Where the API is; else `PICTIFY_BASE_URL`, else the contract's server.
        timeout: Seconds to wait for the connection and between two bytes of an answer, or a
            `httpx.Timeout`; None waits for ever. 60 (5 to connect), unless given.
        max_retries: How often a call is sent again at most, where that cannot do a thing twice; 0 for
            never.
        max_wait: The longest wait before that, in seconds; where the API asks for a longer one, the
            error is raised at once.
        headers: Headers for every request, beside those that the client sets itself.
        verify_ssl: Whether the server's certificate is checked.
        http_client: A `httpx.Client` or `httpx.AsyncClient` of your own to send with, for proxies,
            client certificates or HTTP/2. Its own timeout holds unless `timeout` is given. It is
            not closed with this client.

    Raises:
        ConfigurationError: One of the arguments cannot be right; says why.
    """

    base_url: str
    clock: Clock = Clock()
    _key: str | None = None

    def __init__(
        self,
        *,
        base_url: str | None = None,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
        max_retries: int = 2,
        max_wait: float = 60.0,
        headers: Mapping[str, str] | None = None,
        verify_ssl: bool = True,
        http_client: httpx.Client | httpx.AsyncClient | None = None,
    ) -> None:
        self.base_url = _base_url(base_url)
        self._timeout = _timeout(timeout)
        self._retries = Retries(max_retries, max_wait).checked()
        self._headers = httpx.Headers({"User-Agent": _user_agent()})
        self._headers.update(_extra_headers(headers))
        self._connections = _Connections(http_client, verify_ssl=verify_ssl)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} cannot be pickled or copied: make one where it is needed")

    def with_options(
        self,
        *,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
        max_retries: int | Unset = UNSET,
        max_wait: float | Unset = UNSET,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """A copy with other options: `client.with_options(timeout=5)`.

        It shares the pool of connections, so closing either closes both.

        Args:
            timeout: As for the client; what is left out stays as it is.
            max_retries: Likewise.
            max_wait: Likewise.
            headers: Headers to send as well.
        """
        copy = object.__new__(type(self))
        vars(copy).update(vars(self))
        if timeout is not UNSET:
            copy._timeout = _timeout(timeout)
        known = self._retries
        copy._retries = Retries(
            known.max_retries if max_retries is UNSET else max_retries,
            known.max_wait if max_wait is UNSET else max_wait,
        ).checked()
        copy._headers = self._headers.copy()
        copy._headers.update(_extra_headers(headers))
        return copy

    def send(self, operation: Operation[T], /, **arguments: object) -> Response[T]:
        """Call an operation. The generated functions are this with a signature.

        Raises:
            APIConnectionError: No whole answer came.
            ResponseDecodeError: The answer is a success but has not the shape of the contract.
            TypeError, ValueError: An argument is not what the contract takes. Nothing was sent.
        """
        request = operation.request(arguments)

        def once() -> Response[T]:
            http_client = self._connections.sync()
            call = self._call(http_client, operation, request)
            try:
                response = http_client.send(call.request, auth=None, follow_redirects=call.follow_redirects)
            except TRANSPORT_ERRORS as caught:
                failure = call.failure(caught)
            else:
                return call.answer(response)
            raise failure

        return self._repeated(operation, once)

    async def asend(self, operation: Operation[T], /, **arguments: object) -> Response[T]:
        """`send` for asyncio and trio."""
        request = operation.request(arguments)

        async def once() -> Response[T]:
            http_client = self._connections.asyncio()
            call = self._call(http_client, operation, request)
            try:
                response = await http_client.send(call.request, auth=None, follow_redirects=call.follow_redirects)
            except TRANSPORT_ERRORS as caught:
                failure = call.failure(caught)
            else:
                return call.answer(response)
            raise failure

        return await self._arepeated(operation, once)

    def stream(self, operation: Operation[File], /, **arguments: object) -> Response[File]:
        """Call an operation that answers with a file. It is read later, unless it is small.

        Raises:
            APIConnectionError: No answer came.
            TypeError, ValueError: An argument is not what the contract takes. Nothing was sent.
        """
        request = operation.request(arguments)

        def once() -> Response[File]:
            http_client = self._connections.sync()
            call = self._call(http_client, operation, request)
            try:
                response = http_client.send(call.request, auth=None, stream=True)
                whole = call.is_read_at_once(response) or _is_loaded(response)
                if whole:
                    try:
                        response.read()
                    except BaseException:
                        response.close()
                        raise
            except TRANSPORT_ERRORS as caught:
                failure = call.failure(caught)
            else:
                return call.answer(response, File(response, call.failure, whole=whole))
            raise failure

        return self._repeated(operation, once)

    async def astream(self, operation: Operation[AsyncFile], /, **arguments: object) -> Response[AsyncFile]:
        """`stream` for asyncio and trio."""
        request = operation.request(arguments)

        async def once() -> Response[AsyncFile]:
            http_client = self._connections.asyncio()
            call = self._call(http_client, operation, request)
            try:
                response = await http_client.send(call.request, auth=None, stream=True)
                whole = call.is_read_at_once(response) or _is_loaded(response)
                if whole:
                    try:
                        await response.aread()
                    except BaseException:
                        await response.aclose()
                        raise
            except TRANSPORT_ERRORS as caught:
                failure = call.failure(caught)
            else:
                return call.answer(response, AsyncFile(response, call.failure, whole=whole))
            raise failure

        return await self._arepeated(operation, once)

    def _repeated(self, operation: Operation[Any], once: Callable[[], Response[T]]) -> Response[T]:
        attempts = _Attempts(operation, self._retries, self.clock)
        while True:
            outcome: Response[T] | APIConnectionError
            try:
                outcome = once()
            except APIConnectionError as caught:
                outcome = caught
            wait = attempts.wait_after(outcome)
            if wait is not None:
                self.clock.sleep(wait)
            elif isinstance(outcome, Response):
                return outcome
            else:
                raise outcome

    async def _arepeated(self, operation: Operation[Any], once: Callable[[], Awaitable[Response[T]]]) -> Response[T]:
        attempts = _Attempts(operation, self._retries, self.clock)
        while True:
            outcome: Response[T] | APIConnectionError
            try:
                outcome = await once()
            except APIConnectionError as caught:
                outcome = caught
            wait = attempts.wait_after(outcome)
            if wait is not None:
                await self.clock.asleep(wait)
            elif isinstance(outcome, Response):
                return outcome
            else:
                raise outcome

    def url(self, operation: Operation[Any], /, **arguments: object) -> str:
        """The URL of an operation, for whoever calls it by the URL alone: a browser, a mail program.

        Raises:
            TypeError, ValueError: An argument is not what the contract takes.
        """
        return self.base_url + operation.target(arguments)

    def close(self) -> None:
        """Close the connections of sync calls, for the copies of this client too."""
        self._connections.close()

    async def aclose(self) -> None:
        """Close all connections, for the copies of this client too."""
        await self._connections.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def at_most(self, seconds: float) -> Self:
        """A copy none of whose timeouts is longer than this, and which sends nothing twice."""
        known = httpx.Timeout(self._connections.timeout if self._timeout is UNSET else self._timeout)
        parts = {name: seconds if part is None else min(part, seconds) for name, part in known.as_dict().items()}
        return self.with_options(timeout=httpx.Timeout(**parts), max_retries=0)

    def _call(
        self, http_client: httpx.Client | httpx.AsyncClient, operation: Operation[T], written: Request
    ) -> _Call[T]:
        target, own_headers, content, secrets = written
        headers = httpx.Headers({"Accept": operation.accept})
        headers.update(self._headers)
        headers.update(own_headers)
        if self._key is not None and operation.needs_key:
            headers["Authorization"] = f"Bearer {self._key}"
        if content is not None:
            headers["Content-Type"] = "application/json"
        timeout = httpx.USE_CLIENT_DEFAULT if self._timeout is UNSET else self._timeout
        # Where http_client has query parameters of its own, httpx would put them in the place of these.
        query = httpx.QueryParams(target.partition("?")[2]) if http_client.params else None
        try:
            request = http_client.build_request(
                operation.method,
                self.base_url + target,
                params=query,
                headers=headers,
                content=content,
                timeout=timeout,
            )
        except UnicodeError as error:
            raise APIConnectionError(f"{operation}: http_client holds a cookie that HTTP cannot carry") from error
        return _Call(self, operation, request, secrets)


class _Attempts:
    """How often a call was sent, and what came of it: of one call, and shared with no other."""

    def __init__(self, operation: Operation[Any], retries: Retries, clock: Clock) -> None:
        self._operation = operation
        self._retries = retries
        self._clock = clock
        self._count = 0
        self._first: APIConnectionError | APIStatusError | None = None

    def wait_after(self, outcome: Response[Any] | APIConnectionError) -> float | None:
        """How long to wait before the next attempt; None where this was the last, of which the error tells."""
        self._count += 1
        error = outcome.error if isinstance(outcome, Response) else outcome
        if error is None:
            return None
        wait = wait_before_retry(
            self._operation.method,
            self._count,
            error,
            self._retries,
            now=self._clock.time(),
            jitter=self._clock.jitter,
        )
        if wait is None:
            error.attempts = self._count
            if self._first is not None:
                error.__cause__ = self._first
            return None
        self._first = self._first or error
        _logger.warning("%s again in %.1f s, after attempt %d: %s", self._operation, wait, self._count, error)
        return wait


class _Call(Generic[T]):
    """One call, from the request to the answer or the error."""

    def __init__(
        self, client: Client, operation: Operation[T], request: httpx.Request, secrets: tuple[str, ...]
    ) -> None:
        self.operation = operation
        self.request = request
        self._base_url = client.base_url
        self._started = perf_counter()
        # Taken now: later they are no longer in the request.
        sent = (request.headers.get(name, "").removeprefix("Bearer ") for name in _SECRET_HEADERS)
        self._secrets = [secret for secret in (*sent, *secrets) if secret]
        # Where the redirect is the answer, it is not followed.
        self.follow_redirects = False if operation.redirects else httpx.USE_CLIENT_DEFAULT

    def is_read_at_once(self, response: httpx.Response) -> bool:
        """Whether an answer is read before it is handed out: an error, what is no file, or what is small."""
        length = response.headers.get("content-length", "")
        # What is compressed may be large all the same.
        plain = "content-encoding" not in response.headers
        small = plain and length.isascii() and length.isdigit() and int(length[:20]) <= _SMALL_FILE
        return small or response.status_code == 304 or not self._is_file(response)

    def _is_file(self, response: httpx.Response) -> bool:
        """Whether an answer is a success, and not a page or JSON instead of a file."""
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return self.operation.succeeded(response) and not (kind.startswith("text/") or kind.endswith("json"))

    def answer(self, response: httpx.Response, file: T | None = None) -> Response[T]:
        """What a response holds: the file that was made of it, or what is parsed here, or an error."""
        self._log(str(response.status_code))
        if file is not None and self._is_file(response):
            return Response(status_code=response.status_code, headers=response.headers, content=b"", parsed=file)
        return self._read(response)

    def failure(self, error: Exception) -> APIConnectionError:
        """The error for a call of which no whole answer came; its cause is the one that httpx raised."""
        name = type(error).__name__
        self._log(name)
        _redact(self.request)
        # After a redirect it is of another request.
        _redact(getattr(error, "_request", None) or self.request)
        if isinstance(error, httpx.TimeoutException):
            phase = name.removesuffix("Timeout").lower()
            limit = self.request.extensions.get("timeout", {}).get(phase)
            failure: APIConnectionError = APITimeoutError(
                f"{self.operation}: no answer from {self._base_url} in time ({name} after {limit} s; set by timeout=)",
                self.request,
            )
        else:
            reason = f"{name}: {self._without_secrets(str(error))}" if str(error) else name
            what = f"no whole answer from {self._base_url} ({reason})"
            if isinstance(error, httpx.ConnectError):
                what = f"no connection to {self._base_url} ({reason}); is it the right base_url (PICTIFY_BASE_URL)?"
            failure = APIConnectionError(f"{self.operation}: {what}", self.request)
        # Not where its text repeats the key, as a server can make it.
        failure.__cause__ = error if self._without_secrets(str(error)) == str(error) else None
        return failure

    def _read(self, response: httpx.Response, *, clean: bool = False) -> Response[T]:
        parsed, error, misread = None, None, None
        if self.operation.succeeded(response):
            try:
                parsed = self.operation.parse(response)
            except DecodeError as caught:
                misread = caught
        else:
            response = self._redacted(response)
            error = status_error(str(self.operation), response)
        # Read once more without the key, should the server have repeated it: errors show what they are about.
        # And raised out here, as an error keeps the one that it is raised under.
        if misread is not None:
            if not clean:
                return self._read(self._redacted(response), clean=True)
            raise ResponseDecodeError(str(self.operation), misread.reason, misread.path, misread.value, response)
        return Response(
            status_code=response.status_code,
            headers=response.headers,
            content=response.content,
            parsed=parsed,
            error=error,
        )

    def _redacted(self, response: httpx.Response) -> httpx.Response:
        """The response with its request rid of secrets; a new one where it repeats them itself."""
        _redact(response.request)
        for earlier in response.history:
            _redact(earlier.request)
        response.next_request = None
        secrets = [secret.encode() for secret in self._secrets]
        sent = (response.content, response.reason_phrase.encode(), *(value for _, value in response.headers.raw))
        if not any(secret in part for secret in secrets for part in sent):
            return response

        def clean(part: bytes) -> bytes:
            for secret in secrets:
                part = part.replace(secret, _REDACTED.encode())
            return part

        # The content is decoded already.
        headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-encoding"]
        return httpx.Response(
            response.status_code,
            headers=[(name, clean(value)) for name, value in headers],
            content=clean(response.content),
            request=response.request,
        )

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _REDACTED)
        return text

    def _log(self, outcome: str) -> None:
        _logger.info("%s: %s in %.0f ms", self.operation, outcome, (perf_counter() - self._started) * 1000)


class AuthenticatedClient(Client):
    """A client with an API key, for the generated functions; takes what `Client` takes, and:

    Args:
        token: The API key (`pk_live_...`); else `PICTIFY_API_KEY`.

    Raises:
        ConfigurationError: There is no key, or it cannot be one; or as for `Client`.
    """

    def __init__(
        self,
        *,
        token: str | None = None,
        base_url: str | None = None,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
        max_retries: int = 2,
        max_wait: float = 60.0,
        headers: Mapping[str, str] | None = None,
        verify_ssl: bool = True,
        http_client: httpx.Client | httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            max_wait=max_wait,
            headers=headers,
            verify_ssl=verify_ssl,
            http_client=http_client,
        )
        self._key = _key(token)


class _OverClient:
    """What `Pictify` and `AsyncPictify` have in common."""

    client: AuthenticatedClient

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.client.base_url!r})"

    def with_options(
        self,
        *,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
        max_retries: int | Unset = UNSET,
        max_wait: float | Unset = UNSET,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """A copy with other options: `pictify.with_options(timeout=5).bindings.list()`.

        It shares the pool of connections, so closing either closes both.

        Args:
            timeout: As for the client; what is left out stays as it is.
            max_retries: Likewise.
            max_wait: Likewise.
            headers: Headers to send as well.
        """
        copy = object.__new__(type(self))
        copy.client = self.client.with_options(
            timeout=timeout, max_retries=max_retries, max_wait=max_wait, headers=headers
        )
        return copy


class Pictify(_OverClient, Resources):
    """The Pictify API, for sync code: `with Pictify() as pictify: ...`.

    One instance holds one pool of connections and serves all threads. `pictify.client` is the
    `AuthenticatedClient` under it, for the functions in `pictify_client.api`.

    Args:
        api_key: The API key (`pk_live_...`); else `PICTIFY_API_KEY`.
        base_url: Where the API is; else `PICTIFY_BASE_URL`, else the contract's server.
        timeout: Seconds to wait for the connection and between two bytes of an answer, or a
            `httpx.Timeout`; None waits for ever. 60 (5 to connect), unless given.
        max_retries: How often a call is sent again at most, where that cannot do a thing twice; 0 for
            never.
        max_wait: The longest wait before that, in seconds; where the API asks for a longer one, the
            error is raised at once.
        http_client: A `httpx.Client` of your own to send with; it is not closed with this client.
        headers: Headers for every request, beside those that the client sets itself.

    Raises:
        ConfigurationError: There is no key, or one of the arguments cannot be right; says why.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
        max_retries: int = 2,
        max_wait: float = 60.0,
        http_client: httpx.Client | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        _check_http_client(http_client, httpx.Client)
        super().__init__(
            AuthenticatedClient(
                token=api_key,
                base_url=base_url,
                timeout=timeout,
                max_retries=max_retries,
                max_wait=max_wait,
                headers=headers,
                http_client=http_client,
            )
        )

    def close(self) -> None:
        """Close the connections, for the copies of this client too."""
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncPictify(_OverClient, AsyncResources):
    """The Pictify API, for asyncio and trio: `async with AsyncPictify() as pictify: ...`.

    One instance holds one pool of connections and serves all tasks. `pictify.client` is the
    `AuthenticatedClient` under it, for the functions in `pictify_client.api`.

    Args:
        api_key: The API key (`pk_live_...`); else `PICTIFY_API_KEY`.
        base_url: Where the API is; else `PICTIFY_BASE_URL`, else the contract's server.
        timeout: Seconds to wait for the connection and between two bytes of an answer, or a
            `httpx.Timeout`; None waits for ever. 60 (5 to connect), unless given.
        max_retries: How often a call is sent again at most, where that cannot do a thing twice; 0 for
            never.
        max_wait: The longest wait before that, in seconds; where the API asks for a longer one, the
            error is raised at once.
        http_client: A `httpx.AsyncClient` of your own to send with; it is not closed with this client.
        headers: Headers for every request, beside those that the client sets itself.

    Raises:
        ConfigurationError: There is no key, or one of the arguments cannot be right; says why.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
        max_retries: int = 2,
        max_wait: float = 60.0,
        http_client: httpx.AsyncClient | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        _check_http_client(http_client, httpx.AsyncClient)
        super().__init__(
            AuthenticatedClient(
                token=api_key,
                base_url=base_url,
                timeout=timeout,
                max_retries=max_retries,
                max_wait=max_wait,
                headers=headers,
                http_client=http_client,
            )
        )

    async def aclose(self) -> None:
        """Close the connections, for the copies of this client too."""
        await self.client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _is_loaded(response: httpx.Response) -> bool:
    """Whether its body is in memory, as a mock or an event hook may leave it."""
    try:
        _ = response.content
    except httpx.ResponseNotRead:
        return False
    return True


def _redact(request: httpx.Request) -> None:
    for name in _SECRET_HEADERS:
        if name in request.headers:
            request.headers[name] = _REDACTED


def _user_agent() -> str:
    return f"pictify-client/{__version__} python/{platform.python_version()} httpx/{httpx.__version__}"


def _key(given: Any) -> str:
    key: Any = os.environ.get("PICTIFY_API_KEY") if given is None else given
    source = "PICTIFY_API_KEY" if given is None else "the API key given"
    if key is None:
        raise ConfigurationError("there is no API key: set PICTIFY_API_KEY, or pass it as api_key= (token=)")
    if not isinstance(key, str):
        raise ConfigurationError(f"{source} must be a string, got {type(key).__name__}")
    if not key:
        raise ConfigurationError(f"{source} is empty: set PICTIFY_API_KEY to a key (pk_live_...), or pass one")
    if key.split() != [key]:
        raise ConfigurationError(
            f"{source} holds white space: give the key alone, without 'Bearer' and with no line break or space "
            "(a file's last one goes with .strip())"
        )
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError(f"{source} holds characters that no HTTP header can carry: copy it once more")
    return key


def _base_url(given: Any) -> str:
    text = str((os.environ.get("PICTIFY_BASE_URL") or SERVER) if given is None else given)
    source = "PICTIFY_BASE_URL" if given is None else "base_url"
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        # What is wrong with it may be a password in it.
        raise ConfigurationError(f"{source} is no URL such as {SERVER}") from None
    if url.userinfo or "?" in text or "#" in text:
        raise ConfigurationError(f"{source} must not have a user name, a password, a query or a fragment")
    if url.scheme not in ("http", "https") or not url.host or (url.port or 0) > 65535 or text.split() != [text]:
        raise ConfigurationError(f"{source} must be an absolute URL such as {SERVER}, got {text!r}")
    return str(url).rstrip("/")


def _timeout(given: Any) -> float | httpx.Timeout | Unset | None:
    parts: list[Any] = list(given.as_dict().values()) if isinstance(given, httpx.Timeout) else [given]
    for part in parts:
        if isinstance(part, int | float) and not 0 < part <= _LONGEST_TIMEOUT:
            raise ConfigurationError(f"timeout must be more than 0 seconds, got {given!r}; None waits for ever")
    if given is None or isinstance(given, int | float | httpx.Timeout | Unset):
        return given
    raise ConfigurationError(f"timeout must be a number of seconds or a httpx.Timeout, got {given!r}")


def _extra_headers(given: Any) -> dict[str, str]:
    if given is None:
        return {}
    headers: Mapping[Any, Any] = given
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"headers must be a mapping of names to values, got {type(given).__name__}")
    for name, value in headers.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise ConfigurationError(f"the header {name!r} must be a string, with a string for its value")
        if name.lower() == "authorization":
            raise ConfigurationError("headers must not hold Authorization: the client makes it from the API key")
        if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", name, re.ASCII) or not (value.isascii() and value.isprintable()):
            raise ConfigurationError(f"the header {name!r} holds what HTTP cannot carry: a line break, or not ASCII")
    return dict(headers)


def _check_http_client(given: object, kind: type[httpx.Client | httpx.AsyncClient]) -> None:
    if given is not None and not isinstance(given, kind):
        raise ConfigurationError(f"http_client must be a httpx.{kind.__name__} here, got {type(given).__name__}")
