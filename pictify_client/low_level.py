"""The low-level clients, for the functions in `pictify_client.api`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar

import httpx
from attrs import evolve

from ._runtime.bodies import ACCEPT_ENCODING
from ._runtime.calls import Call
from ._runtime.clock import Clock
from ._runtime.connections import Connections
from ._runtime.execution import aexecute_step, arun, execute_step, run
from ._runtime.hooks import Hooks
from ._runtime.json_values import find_orjson
from ._runtime.lazy import Deferred
from ._runtime.operations import Operation, PreparedRequest
from ._runtime.pacing import pacer
from ._runtime.proxies import ConnectionSettings
from ._runtime.retries import YEAR, Retries
from ._runtime.settings import (
    MAX_RESPONSE_SIZE,
    Settings,
    check_encrypted,
    check_http2,
    default_timeouts,
    extra_headers,
    resolve_api_key,
    resolve_base_url,
    timeouts,
    user_agent,
    validated_response_size,
    whether_to_stream,
)
from ._runtime.steps import FileMaker
from .api._server import SERVER
from .files import AsyncFile, File
from .fleets import Fleet
from .types import UNSET, Response, Unset

if TYPE_CHECKING:
    from . import hooks
else:
    # Its classes are made when a hook is called.
    hooks = Deferred(".hooks", __package__)

T = TypeVar("T")


class Client:
    """A low-level client for the operations that need no API key, in sync and async code.

    It has a connection pool for sync code and one per event loop, and can be used by any number of threads and tasks.
    Close it with `close()` or `aclose()`, or use it in a `with` or `async with` block. A forked process opens its own
    connections.

    Args:
        base_url: URL of the API. Defaults to the environment variable `PICTIFY_BASE_URL`, else to https://api.pictify.io.
        timeout: Timeout of a complete call with its retries, in seconds; None disables it. Defaults to 180, and to more
            for operations that take minutes. Reading a streamed file may take longer.
        attempt_timeout: Timeout of each attempt, in seconds, or a `httpx.Timeout` for its phases; None disables it.
            Defaults to 60, with 5 to connect, and to more for operations that take minutes.
        max_retries: Maximum number of retries of requests that are safe to repeat. 0 disables retries.
        max_wait: Longest wait before a retry, in seconds. If the API asks for a longer one, the error is raised
            without a retry.
        pacing: Whether to wait for the reset of the rate limit if the headers of responses say that no requests are
            left. A `Fleet` shares the limit among processes and machines.
        headers: Additional headers of every request.
        verify_ssl: Whether to verify the certificate of the server.
        http_client: A custom `httpx.Client` or `httpx.AsyncClient`. It is not closed with this client. Its timeouts are
            those of an attempt, unless `attempt_timeout` is given or they are the default of httpx.
        http2: Whether to use HTTP/2 if the server supports it (`pip install 'pictify-client[http2]'`).
        max_response_size: Maximum size of a response, in bytes. Defaults to 64 MiB. Files that are streamed, or saved
            by `download`, may be larger.
        on_request: Called with a `RequestEvent` before each request is sent. In async code, hooks may be coroutine
            functions. If a hook raises an error, the call raises it.
        on_response: Called with a `ResponseEvent` after each attempt.
        on_retry: Called with a `RetryEvent` before each wait for a retry.
        on_wait: Called with a `WaitEvent` every 10 seconds while a request waits for its response, such as that of
            a video render. Not called by sync code with an `http_client`.

    Raises:
        ConfigurationError: If an argument is invalid.
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
        max_response_size: int = MAX_RESPONSE_SIZE,
        on_request: hooks.RequestHook | None = None,
        on_response: hooks.ResponseHook | None = None,
        on_retry: hooks.RetryHook | None = None,
        on_wait: hooks.WaitHook | None = None,
    ) -> None:
        own = httpx.Headers({"User-Agent": user_agent(), "Accept-Encoding": ACCEPT_ENCODING})
        own.update(extra_headers(headers))
        check_http2(http2, http_client)
        self._settings = Settings(
            base_url=resolve_base_url(base_url, SERVER),
            key=None,
            headers=own,
            timeouts=timeouts(timeout, attempt_timeout, default_timeouts(http_client)),
            retries=Retries(max_retries, max_wait).validated(),
            pacer=pacer(pacing, ""),
            max_response_size=validated_response_size(max_response_size),
            hooks=Hooks(on_request, on_response, on_retry, on_wait).validated(),
        )
        own_connections = (
            ConnectionSettings(self.base_url, verify=verify_ssl, http2=http2) if http_client is None else None
        )
        self._connections = Connections(http_client, own_connections)
        # A process that is forked during an import never ends it, so that the first call should have none to do.
        find_orjson()

    @property
    def base_url(self) -> str:
        """URL of the API."""
        return self._settings.base_url

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} cannot be pickled or copied: create one where it is needed")

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
        """Return a copy with other options: `client.with_options(timeout=5)`.

        Both share the connection pool, so closing one closes the other.

        Args:
            timeout: As for the client. Options that are omitted keep their value.
            attempt_timeout: As for the client.
            max_retries: As for the client.
            max_wait: As for the client.
            headers: Further additional headers.
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
            ).validated(),
            stream_files=known.stream_files if stream_files is UNSET else whether_to_stream(stream_files),
        )
        return copy

    def at_most(self, seconds: float) -> Self:
        """Return a copy whose calls take no longer than this, and are not retried."""
        limit = self._settings.timeouts.call
        longest = min(seconds, inf if limit is None else limit)
        return self.with_options(timeout=longest if longest <= YEAR else None, max_retries=0)

    def send(self, operation: Operation[T], /, **arguments: object) -> Response[T]:
        """Call an operation. The generated functions call this method.

        Raises:
            APIConnectionError: If there is no complete response.
            PacingError: If the rate limit requires a longer wait than allowed. No request is sent.
            ResponseDecodeError: If a successful response cannot be decoded.
            ResponseTooLargeError: If the response is larger than allowed.
            TypeError, ValueError: If an argument is invalid. No request is sent.
        """
        return self.send_request(operation, operation.request(arguments))

    async def asend(self, operation: Operation[T], /, **arguments: object) -> Response[T]:
        """`send` for asyncio and trio."""
        return await self.asend_request(operation, operation.request(arguments))

    def send_request(
        self, operation: Operation[T], prepared: PreparedRequest, make_file: FileMaker[T] | None = None, /
    ) -> Response[T]:
        """Send a request of an operation; `make_file` creates the file if it returns one."""
        call = Call(operation, prepared, self._settings, self._connections, self.clock, make_file)
        return run(call.steps(), partial(execute_step, self._connections, self.clock))

    async def asend_request(
        self, operation: Operation[T], prepared: PreparedRequest, make_file: FileMaker[T] | None = None, /
    ) -> Response[T]:
        """`send_request` for asyncio and trio."""
        call = Call(operation, prepared, self._settings, self._connections, self.clock, make_file)
        return await arun(call.steps(), partial(aexecute_step, self._connections, self.clock))

    def stream(self, operation: Operation[File], /, **arguments: object) -> Response[File]:
        """Call an operation that returns a file.

        Raises:
            APIConnectionError: If there is no complete response.
            PacingError: If the rate limit requires a longer wait than allowed. No request is sent.
            TypeError, ValueError: If an argument is invalid. No request is sent.
        """
        return self.send_request(operation, operation.request(arguments), File)

    async def astream(self, operation: Operation[AsyncFile], /, **arguments: object) -> Response[AsyncFile]:
        """`stream` for asyncio and trio."""
        return await self.asend_request(operation, operation.request(arguments), AsyncFile)

    def url(self, operation: Operation[Any], /, **arguments: object) -> str:
        """Return the URL of an operation, for a browser or an email program.

        Raises:
            TypeError, ValueError: If an argument is invalid.
        """
        return self.base_url + operation.target(arguments)

    def close(self) -> None:
        """Close the connections of sync calls of this client and its copies."""
        self._connections.close()

    async def aclose(self) -> None:
        """Close all connections of this client and its copies."""
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
    """A low-level client with an API key. It takes the arguments of `Client`, and:

    Args:
        token: The API key. Defaults to the environment variable `PICTIFY_API_KEY`.
        allow_http: Names of hosts to which the API key may be sent unencrypted, over `http://`. The local machine is
            always allowed.

    Raises:
        ConfigurationError: If there is no API key, or an argument is invalid.
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
        max_response_size: int = MAX_RESPONSE_SIZE,
        on_request: hooks.RequestHook | None = None,
        on_response: hooks.ResponseHook | None = None,
        on_retry: hooks.RetryHook | None = None,
        on_wait: hooks.WaitHook | None = None,
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
            on_wait=on_wait,
        )
        key = resolve_api_key(token)
        check_encrypted(self.base_url, allow_http)
        self._settings = evolve(self._settings, key=key, pacer=pacer(pacing, key))
