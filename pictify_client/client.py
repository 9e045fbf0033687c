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
from ._runtime.pacing import Fleet
from ._runtime.settings import (
    LARGEST_BODY,
    check_http_client,
)
from .api import AsyncResources, Resources
from .files import AsyncFile, File
from .hooks import Hooks, RequestHook, ResponseHook, RetryHook
from .low_level import AuthenticatedClient
from .types import UNSET, Unset


class _OverClient:
    """What `Pictify` and `AsyncPictify` have in common."""

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
        """A copy with other options: `pictify.with_options(timeout=5).bindings.list()`.

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
        copy = object.__new__(type(self))
        # What a subclass has set; a cached resource would send with this client.
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


class Pictify(_OverClient, Resources):
    """The Pictify API, for sync code: `with Pictify() as pictify: ...`.

    One instance holds one pool of connections and serves all threads. `pictify.client` is the
    `AuthenticatedClient` under it, for the functions in `pictify_client.api`. A process that is forked
    has connections of its own.

    Args:
        api_key: The API key (`pic_live_...`); else `PICTIFY_API_KEY`.
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
        http_client: A `httpx.Client` of your own to send with, for proxies or client certificates;
            it is not closed with this client. Its own timeouts are those of an attempt, unless
            `attempt_timeout` is given or it has the 5 seconds that httpx sets by default.
        headers: Headers for every request, beside those that the client sets itself.
        allow_http: Names of hosts to which the key may go over `http://`, for anyone on the way to read.
            This machine itself needs no name.
        http2: Whether to speak HTTP/2 where the server does (`pip install 'pictify-client[http2]'`).
        max_response_size: Bytes that a response may have, unless it is a file that is streamed or saved by `download`.
        on_request: Called with a `RequestEvent` before each request is sent.
            What it raises, the call raises.
        on_response: Likewise, with a `ResponseEvent`, after each attempt.
        on_retry: Likewise, with a `RetryEvent`, before each wait for another attempt.

    Raises:
        ConfigurationError: There is no key, or one of the arguments cannot be right; says why.
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
        max_response_size: int = LARGEST_BODY,
        on_request: RequestHook | None = None,
        on_response: ResponseHook | None = None,
        on_retry: RetryHook | None = None,
    ) -> None:
        check_http_client(http_client, httpx.Client)
        Hooks(on_request, on_response, on_retry).check_sync()
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
            wait: How long to wait while a new file is not there (403 or 404), in seconds.

        Returns:
            The file, in memory; or the path, if one is given.

        Raises:
            APIStatusError: If there is no file.
            APIConnectionError: If the file cannot be downloaded completely.
            OSError: If it cannot be saved.
            TypeError, ValueError: If the source has no URL that can be requested. Nothing was sent.
        """
        return download(self.client, source, path, wait)

    def close(self) -> None:
        """Close the connections, for the copies of this client too."""
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


class AsyncPictify(_OverClient, AsyncResources):
    """The Pictify API, for asyncio and trio: `async with AsyncPictify() as pictify: ...`.

    One instance holds one pool of connections and serves all tasks of one event loop. `pictify.client`
    is the `AuthenticatedClient` under it, for the functions in `pictify_client.api`. A process that is
    forked has connections of its own.

    Args:
        api_key: The API key (`pic_live_...`); else `PICTIFY_API_KEY`.
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
        http_client: A `httpx.AsyncClient` of your own to send with, for proxies or client certificates;
            it is not closed with this client. Its own timeouts are those of an attempt, unless
            `attempt_timeout` is given or it has the 5 seconds that httpx sets by default.
        headers: Headers for every request, beside those that the client sets itself.
        allow_http: Names of hosts to which the key may go over `http://`, for anyone on the way to read.
            This machine itself needs no name.
        http2: Whether to speak HTTP/2 where the server does (`pip install 'pictify-client[http2]'`).
        max_response_size: Bytes that a response may have, unless it is a file that is streamed or saved by `download`.
        on_request: Called with a `RequestEvent` before each request is sent; it may be a coroutine function.
            What it raises, the call raises.
        on_response: Likewise, with a `ResponseEvent`, after each attempt.
        on_retry: Likewise, with a `RetryEvent`, before each wait for another attempt.

    Raises:
        ConfigurationError: There is no key, or one of the arguments cannot be right; says why.
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
        max_response_size: int = LARGEST_BODY,
        on_request: RequestHook | None = None,
        on_response: ResponseHook | None = None,
        on_retry: RetryHook | None = None,
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
            wait: How long to wait while a new file is not there (403 or 404), in seconds.

        Returns:
            The file, in memory; or the path, if one is given.

        Raises:
            APIStatusError: If there is no file.
            APIConnectionError: If the file cannot be downloaded completely.
            OSError: If it cannot be saved.
            TypeError, ValueError: If the source has no URL that can be requested. Nothing was sent.
        """
        return await adownload(self.client, source, path, wait)

    async def aclose(self) -> None:
        """Close the connections, for the copies of this client too."""
        await self.client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    if not TYPE_CHECKING:  # pragma: no branch

        def __enter__(self) -> NoReturn:
            raise TypeError("use `async with AsyncPictify() as pictify:`, or `with Pictify() as pictify:` in sync code")

        __exit__ = __enter__
