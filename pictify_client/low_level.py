"""The low-level clients, for the functions in `pictify_client.api`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import inf
from typing import Any, NoReturn, Self, TypeVar

import httpx
from attrs import evolve

from ._runtime.calls import Call
from ._runtime.clock import Clock
from ._runtime.connections import Connections
from ._runtime.decoding import find_orjson
from ._runtime.execution import aexecute, execute
from ._runtime.operations import Operation, Request
from ._runtime.pacing import Fleet, pacer
from ._runtime.proxies import ConnectionSettings
from ._runtime.retries import Retries
from ._runtime.settings import (
    LARGEST_BODY,
    MAX_TIMEOUT,
    Settings,
    api_key_of,
    base_url_of,
    check_encrypted,
    check_http2,
    default_timeouts,
    extra_headers,
    largest_body,
    timeouts,
    user_agent,
    whether_to_stream,
)
from ._runtime.steps import FileMaker
from .api import SERVER
from .files import AsyncFile, File
from .hooks import Hooks, RequestHook, ResponseHook, RetryHook
from .types import UNSET, Response, Unset

T = TypeVar("T")


class Client:
    """A client for the operations that need no key, sync and async alike.

    It holds one pool of connections, opened on the first call, and may be used by many threads and
    tasks at once, the tasks all of one event loop. Close it with `close()` or `aclose()`, or use it
    in a `with` or `async with`. A process that is forked has connections of its own, and starts without.

    Args:
        base_url: Where the API is; else `PICTIFY_BASE_URL`, else the contract's server.
        timeout: Seconds for a whole call, all its attempts and the waits between them; None for ever.
            180, unless given, and more for operations that take minutes. A file that is read later may take longer.
        attempt_timeout: Seconds for one attempt, or a `httpx.Timeout` for its phases; None for ever. 60
            (5 to connect), unless given, and more for operations that take minutes.
        max_retries: How often a call is sent again at most, where that cannot do a thing twice; 0 for
            never.
        max_wait: The longest wait before that, in seconds; where the API asks for a longer one, the
            error is raised at once.
        pacing: Whether to wait for the rate limit's reset where the headers of answers say that no
            calls are left; a `Fleet` shares the limit among processes and machines.
        headers: Headers for every request, beside those that the client sets itself.
        verify_ssl: Whether the server's certificate is checked.
        http_client: A `httpx.Client` or `httpx.AsyncClient` of your own to send with, for proxies,
            client certificates and the like. Its own timeouts are those of an attempt, unless
            `attempt_timeout` is given or it has the 5 seconds that httpx sets by default. It is not closed with
            this client.
        http2: Whether to speak HTTP/2 where the server does (`pip install 'pictify-client[http2]'`).
        max_response_size: Bytes that a response may have, unless it is a file that is streamed or saved by `download`.
        on_request: Called with a `RequestEvent` before each request is sent; async code may give a
            coroutine function. What it raises, the call raises.
        on_response: Likewise, with a `ResponseEvent`, after each attempt.
        on_retry: Likewise, with a `RetryEvent`, before each wait for another attempt.

    Raises:
        ConfigurationError: One of the arguments cannot be right; says why.
    """

    clock: Clock = Clock()

    def __init__(
        self,
        *,
        base_url: str | None = None,
        timeout: float | Unset | None = UNSET,
        attempt_timeout: float | httpx.Timeout | Unset | None = UNSET,
        max_retries: int = 2,
        max_wait: float = 60.0,
        pacing: bool | Fleet = False,
        headers: Mapping[str, str] | None = None,
        verify_ssl: bool = True,
        http_client: httpx.Client | httpx.AsyncClient | None = None,
        http2: bool = False,
        max_response_size: int = LARGEST_BODY,
        on_request: RequestHook | None = None,
        on_response: ResponseHook | None = None,
        on_retry: RetryHook | None = None,
    ) -> None:
        own = httpx.Headers({"User-Agent": user_agent(), "Accept-Encoding": "gzip, deflate"})
        own.update(extra_headers(headers))
        check_http2(http2, http_client)
        self._settings = Settings(
            base_url=base_url_of(base_url, SERVER),
            key=None,
            headers=own,
            timeouts=timeouts(timeout, attempt_timeout, default_timeouts(http_client)),
            retries=Retries(max_retries, max_wait).checked(),
            pacer=pacer(pacing, ""),
            largest_body=largest_body(max_response_size),
            hooks=Hooks(on_request, on_response, on_retry).checked(),
        )
        own_connections = (
            ConnectionSettings(self.base_url, verify=verify_ssl, http2=http2) if http_client is None else None
        )
        self._connections = Connections(http_client, own_connections)
        # A process that is forked during an import never ends it, so that the first call should have none to do.
        find_orjson()

    @property
    def base_url(self) -> str:
        """Where the API is."""
        return self._settings.base_url

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} cannot be pickled or copied: make one where it is needed")

    def with_options(
        self,
        *,
        timeout: float | Unset | None = UNSET,
        attempt_timeout: float | httpx.Timeout | Unset | None = UNSET,
        max_retries: int | Unset = UNSET,
        max_wait: float | Unset = UNSET,
        headers: Mapping[str, str] | None = None,
        stream_files: bool | Unset = UNSET,
    ) -> Self:
        """A copy with other options: `client.with_options(timeout=5)`.

        It shares the pool of connections, so closing either closes both.

        Args:
            timeout: As for the client; what is left out stays as it is.
            attempt_timeout: Likewise.
            max_retries: Likewise.
            max_wait: Likewise.
            headers: Headers to send as well.
            stream_files: Whether a file is returned before it is read: use it in a `with` block, and read it with
                `iter_bytes()`. By default, files are in memory when they are returned.
        """
        known = self._settings
        more = known.headers.copy()
        more.update(extra_headers(headers))
        copy = object.__new__(type(self))
        vars(copy).update(vars(self))
        copy._settings = evolve(
            known,
            headers=more,
            timeouts=timeouts(timeout, attempt_timeout, known.timeouts),
            retries=Retries(
                known.retries.max_retries if max_retries is UNSET else max_retries,
                known.retries.max_wait if max_wait is UNSET else max_wait,
            ).checked(),
            stream_files=known.stream_files if stream_files is UNSET else whether_to_stream(stream_files),
        )
        return copy

    def at_most(self, seconds: float) -> Self:
        """A copy whose calls take no longer than this, and which sends nothing twice."""
        whole = self._settings.timeouts.whole
        least = min(seconds, inf if whole is None else whole)
        return self.with_options(timeout=least if least <= MAX_TIMEOUT else None, max_retries=0)

    def send(self, operation: Operation[T], /, **arguments: object) -> Response[T]:
        """Call an operation. The generated functions are this with a signature.

        Raises:
            APIConnectionError: No whole answer came.
            PacingError: The rate limit would have to be waited for longer than allowed. Nothing was sent.
            ResponseDecodeError: The answer is a success but has not the shape of the contract.
            ResponseTooLargeError: The answer is larger than allowed.
            TypeError, ValueError: An argument is not what the contract takes. Nothing was sent.
        """
        return self.perform(operation, operation.request(arguments))

    async def asend(self, operation: Operation[T], /, **arguments: object) -> Response[T]:
        """`send` for asyncio and trio."""
        return await self.aperform(operation, operation.request(arguments))

    def perform(
        self, operation: Operation[T], written: Request, make_file: FileMaker[T] | None = None, /
    ) -> Response[T]:
        """`send`, or `stream` if something makes a file of the response, of a request that is written already."""
        return execute(
            Call(operation, written, self._settings, self._connections, self.clock, make_file),
            self._connections,
            self.clock,
        )

    async def aperform(
        self, operation: Operation[T], written: Request, make_file: FileMaker[T] | None = None, /
    ) -> Response[T]:
        """`perform` for asyncio and trio."""
        return await aexecute(
            Call(operation, written, self._settings, self._connections, self.clock, make_file),
            self._connections,
            self.clock,
        )

    def stream(self, operation: Operation[File], /, **arguments: object) -> Response[File]:
        """Call an operation that returns a file.

        Raises:
            APIConnectionError: No answer came.
            PacingError: The rate limit would have to be waited for longer than allowed. Nothing was sent.
            TypeError, ValueError: An argument is not what the contract takes. Nothing was sent.
        """
        return self.perform(operation, operation.request(arguments), File)

    async def astream(self, operation: Operation[AsyncFile], /, **arguments: object) -> Response[AsyncFile]:
        """`stream` for asyncio and trio."""
        return await self.aperform(operation, operation.request(arguments), AsyncFile)

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


class AuthenticatedClient(Client):
    """A client with an API key, for the generated functions; takes what `Client` takes, and:

    Args:
        token: The API key (`pic_live_...`); else `PICTIFY_API_KEY`.
        allow_http: Names of hosts to which the key may go over `http://`, for anyone on the way to read.
            This machine itself needs no name.

    Raises:
        ConfigurationError: There is no key, or it cannot be one, or would go unencrypted; or as for `Client`.
    """

    def __init__(
        self,
        *,
        token: str | None = None,
        base_url: str | None = None,
        timeout: float | Unset | None = UNSET,
        attempt_timeout: float | httpx.Timeout | Unset | None = UNSET,
        max_retries: int = 2,
        max_wait: float = 60.0,
        pacing: bool | Fleet = False,
        headers: Mapping[str, str] | None = None,
        verify_ssl: bool = True,
        allow_http: Collection[str] = (),
        http_client: httpx.Client | httpx.AsyncClient | None = None,
        http2: bool = False,
        max_response_size: int = LARGEST_BODY,
        on_request: RequestHook | None = None,
        on_response: ResponseHook | None = None,
        on_retry: RetryHook | None = None,
    ) -> None:
        super().__init__(
            base_url=base_url,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_retries=max_retries,
            max_wait=max_wait,
            headers=headers,
            verify_ssl=verify_ssl,
            http_client=http_client,
            http2=http2,
            max_response_size=max_response_size,
            on_request=on_request,
            on_response=on_response,
            on_retry=on_retry,
        )
        key = api_key_of(token)
        check_encrypted(self.base_url, allow_http)
        self._settings = evolve(self._settings, key=key, pacer=pacer(pacing, key))
