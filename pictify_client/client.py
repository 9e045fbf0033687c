"""`Pictify` and `AsyncPictify`: the clients, with a method for each operation."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from inspect import getattr_static
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self, overload

import httpx

from ._runtime.downloads import NEW_FILE_SECONDS, HasURL, adownload, download
from ._runtime.hooks import Hooks
from ._runtime.lazy import Deferred
from ._runtime.settings import (
    MAX_RESPONSE_SIZE,
    check_http_client,
)
from .api import AsyncResources, Resources
from .files import AsyncFile, File
from .fleets import Fleet
from .low_level import AuthenticatedClient
from .types import UNSET, Unset

if TYPE_CHECKING:
    from . import hooks
else:
    # Its classes are made when a hook is called.
    hooks = Deferred(".hooks", __package__)


class _BaseClient:
    """The common base of `Pictify` and `AsyncPictify`."""

    client: AuthenticatedClient

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.client.base_url!r})"

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
        """Return a copy with other options: `pictify.with_options(timeout=5).bindings.list()`.

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
        copy = object.__new__(type(self))
        # The attributes of a subclass are copied. A cached resource is not, because it would send with this client.
        for name, value in vars(self).items():
            if not isinstance(getattr_static(type(self), name, None), cached_property):
                vars(copy)[name] = value
        copy.client = self.client.with_options(
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_retries=max_retries,
            max_wait=max_wait,
            headers=headers,
            stream_files=stream_files,
        )
        return copy


class Pictify(_BaseClient, Resources):
    """The Pictify API, for sync code: `with Pictify() as pictify: ...`.

    A client has a connection pool, and can be used by any number of threads. `pictify.client` is its low-level client,
    for the functions in `pictify_client.api`. A forked process opens its own connections.

    Args:
        api_key: The API key. Defaults to the environment variable `PICTIFY_API_KEY`.
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
        http_client: A custom `httpx.Client`, such as one with a client certificate. It is not closed with this client.
            Its timeouts are those of an attempt, unless `attempt_timeout` is given or they are the default of httpx.
        headers: Additional headers of every request.
        allow_http: Names of hosts to which the API key may be sent unencrypted, over `http://`. The local machine is
            always allowed.
        http2: Whether to use HTTP/2 if the server supports it (`pip install 'pictify-client[http2]'`).
        max_response_size: Maximum size of a response, in bytes. Defaults to 64 MiB. Files that are streamed, or saved
            by `download`, may be larger.
        on_request: Called with a `RequestEvent` before each request is sent. If a hook raises an error, the call
            raises it.
        on_response: Called with a `ResponseEvent` after each attempt.
        on_retry: Called with a `RetryEvent` before each wait for a retry.
        on_wait: Called with a `WaitEvent` every 10 seconds while a request waits for its response, such as that of
            a video render. Not called if there is an `http_client`.

    Raises:
        ConfigurationError: If there is no API key, or an argument is invalid.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float | Unset | None = UNSET,
        attempt_timeout: float | httpx.Timeout | Unset | None = UNSET,
        max_retries: int = 2,
        max_wait: float = 60.0,
        pacing: bool | Fleet = False,
        http_client: httpx.Client | None = None,
        headers: Mapping[str, str] | None = None,
        allow_http: Collection[str] = (),
        http2: bool = False,
        max_response_size: int = MAX_RESPONSE_SIZE,
        on_request: hooks.RequestHook | None = None,
        on_response: hooks.ResponseHook | None = None,
        on_retry: hooks.RetryHook | None = None,
        on_wait: hooks.WaitHook | None = None,
    ) -> None:
        check_http_client(http_client, httpx.Client)
        Hooks(on_request, on_response, on_retry, on_wait).check_sync()
        super().__init__(
            AuthenticatedClient(
                token=api_key,
                base_url=base_url,
                timeout=timeout,
                attempt_timeout=attempt_timeout,
                max_retries=max_retries,
                max_wait=max_wait,
                pacing=pacing,
                headers=headers,
                allow_http=allow_http,
                http_client=http_client,
                http2=http2,
                max_response_size=max_response_size,
                on_request=on_request,
                on_response=on_response,
                on_retry=on_retry,
                on_wait=on_wait,
            )
        )

    @overload
    def download(self, source: str | HasURL, path: None = None, *, wait: float = NEW_FILE_SECONDS) -> File: ...

    @overload
    def download(self, source: str | HasURL, path: str | PathLike[str], *, wait: float = NEW_FILE_SECONDS) -> Path: ...

    def download(
        self, source: str | HasURL, path: str | PathLike[str] | None = None, *, wait: float = NEW_FILE_SECONDS
    ) -> File | Path:
        """Download a rendered file.

        A new file may not be there yet: the API returns its URL up to some seconds before. The API key is not sent.

        Args:
            source: URL of the file, or a result with a `url`, such as that of `images.create`.
            path: Path to save the file at, without keeping it in memory. It gets the complete file or stays unchanged.
            wait: Maximum wait while a new file does not exist yet (403 or 404), in seconds.

        Returns:
            The file, in memory; or the path, if one is given.

        Raises:
            APIStatusError: If there is no file.
            APIConnectionError: If the file cannot be downloaded completely.
            OSError: If it cannot be saved.
            TypeError, ValueError: If the source has no URL that can be requested, or several files. Nothing was sent.
        """
        return download(self.client, source, path, wait)

    def close(self) -> None:
        """Close the connections of this client and its copies."""
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    if not TYPE_CHECKING:  # pragma: no branch

        def __aenter__(self) -> NoReturn:
            raise TypeError(
                "use `with Pictify() as pictify:`, or `async with AsyncPictify() as pictify:` in async code"
            )

        __aexit__ = __aenter__


class AsyncPictify(_BaseClient, AsyncResources):
    """The Pictify API, for asyncio and trio: `async with AsyncPictify() as pictify: ...`.

    A client has a connection pool per event loop, and can be used by any number of tasks. `pictify.client` is its
    low-level client, for the functions in `pictify_client.api`. A forked process opens its own connections.

    Args:
        api_key: The API key. Defaults to the environment variable `PICTIFY_API_KEY`.
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
        http_client: A custom `httpx.AsyncClient`, such as one with a client certificate. It is not closed with this
            client. Its timeouts are those of an attempt, unless `attempt_timeout` is given or they are the default of
            httpx.
        headers: Additional headers of every request.
        allow_http: Names of hosts to which the API key may be sent unencrypted, over `http://`. The local machine is
            always allowed.
        http2: Whether to use HTTP/2 if the server supports it (`pip install 'pictify-client[http2]'`).
        max_response_size: Maximum size of a response, in bytes. Defaults to 64 MiB. Files that are streamed, or saved
            by `download`, may be larger.
        on_request: Called with a `RequestEvent` before each request is sent. Hooks may be coroutine functions. If a
            hook raises an error, the call raises it.
        on_response: Called with a `ResponseEvent` after each attempt.
        on_retry: Called with a `RetryEvent` before each wait for a retry.
        on_wait: Called with a `WaitEvent` every 10 seconds while a request waits for its response, such as that of
            a video render.

    Raises:
        ConfigurationError: If there is no API key, or an argument is invalid.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float | Unset | None = UNSET,
        attempt_timeout: float | httpx.Timeout | Unset | None = UNSET,
        max_retries: int = 2,
        max_wait: float = 60.0,
        pacing: bool | Fleet = False,
        http_client: httpx.AsyncClient | None = None,
        headers: Mapping[str, str] | None = None,
        allow_http: Collection[str] = (),
        http2: bool = False,
        max_response_size: int = MAX_RESPONSE_SIZE,
        on_request: hooks.RequestHook | None = None,
        on_response: hooks.ResponseHook | None = None,
        on_retry: hooks.RetryHook | None = None,
        on_wait: hooks.WaitHook | None = None,
    ) -> None:
        check_http_client(http_client, httpx.AsyncClient)
        super().__init__(
            AuthenticatedClient(
                token=api_key,
                base_url=base_url,
                timeout=timeout,
                attempt_timeout=attempt_timeout,
                max_retries=max_retries,
                max_wait=max_wait,
                pacing=pacing,
                headers=headers,
                allow_http=allow_http,
                http_client=http_client,
                http2=http2,
                max_response_size=max_response_size,
                on_request=on_request,
                on_response=on_response,
                on_retry=on_retry,
                on_wait=on_wait,
            )
        )

    @overload
    async def download(
        self, source: str | HasURL, path: None = None, *, wait: float = NEW_FILE_SECONDS
    ) -> AsyncFile: ...

    @overload
    async def download(
        self, source: str | HasURL, path: str | PathLike[str], *, wait: float = NEW_FILE_SECONDS
    ) -> Path: ...

    async def download(
        self, source: str | HasURL, path: str | PathLike[str] | None = None, *, wait: float = NEW_FILE_SECONDS
    ) -> AsyncFile | Path:
        """Download a rendered file.

        A new file may not be there yet: the API returns its URL up to some seconds before. The API key is not sent.

        Args:
            source: URL of the file, or a result with a `url`, such as that of `images.create`.
            path: Path to save the file at, without keeping it in memory. It gets the complete file or stays unchanged.
            wait: Maximum wait while a new file does not exist yet (403 or 404), in seconds.

        Returns:
            The file, in memory; or the path, if one is given.

        Raises:
            APIStatusError: If there is no file.
            APIConnectionError: If the file cannot be downloaded completely.
            OSError: If it cannot be saved.
            TypeError, ValueError: If the source has no URL that can be requested, or several files. Nothing was sent.
        """
        return await adownload(self.client, source, path, wait)

    async def aclose(self) -> None:
        """Close the connections of this client and its copies."""
        await self.client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    if not TYPE_CHECKING:  # pragma: no branch

        def __enter__(self) -> NoReturn:
            raise TypeError("use `async with AsyncPictify() as pictify:`, or `with Pictify() as pictify:` in sync code")

        __exit__ = __enter__
