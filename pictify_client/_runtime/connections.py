"""Requests are sent and responses are read here, within the limits of time and size: the only way out.

Every request goes through `httpx.Client.send` or `httpx.AsyncClient.send`: of the caller's client, or of ours, which is
an ordinary httpx client whose transport is our pool.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import lru_cache, partial
from http.cookiejar import CookieJar
from math import inf
from time import monotonic
from typing import Any, NamedTuple

import anyio
import httpx

from ..errors import ClientClosedError, ConfigurationError, PictifyError
from .async_pool import AsyncTransport
from .bodies import TRANSPORT_ERRORS, BodyTooLarge, aread_body, iter_body
from .heartbeats import HEARTBEAT, Heartbeat, await_with_heartbeat
from .network import DEADLINE
from .pool import PoolClosed
from .proxies import ConnectionSettings
from .slots import all_busy
from .sync_pool import SyncTransport

_LATE = "no time left"
# Seconds in which a custom httpx client may notice by itself that the time is over, and close the connection.
_GRACE = 0.2


class DeadlineExceeded(httpx.TimeoutException):
    """An attempt took longer than it may, from the connection to the last byte."""


class SendRequest(NamedTuple):
    """A request to send, and what is done with its response.

    Attributes:
        request: The request.
        seconds: Maximum time until the response is read, or returned to be read, in seconds; None for no limit.
        max_size: Maximum size of a body that is read at once, decoded, in bytes.
        is_read_at_once: Whether a response is read at once; if not, its body is left to be read.
        may_be_empty: Whether the body may be empty.
        heartbeat: Calls a hook while the request waits for its response; None without one.
    """

    request: httpx.Request
    seconds: float | None
    max_size: int
    is_read_at_once: Callable[[httpx.Response], bool]
    may_be_empty: bool = False
    heartbeat: Heartbeat | None = None


class RawResponse(NamedTuple):
    """A response, and its body if it was read."""

    response: httpx.Response
    content: bytes | None


class _Content(httpx.ByteStream):
    """The body of a request, without httpx's generator: trio warns of one that is left when sending fails."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Once(self._content)


class _Once(AsyncIterator[bytes]):
    def __init__(self, content: bytes) -> None:
        self._contents = iter((content,))

    async def __anext__(self) -> bytes:
        for content in self._contents:
            return content
        raise StopAsyncIteration


class _NoCookies(CookieJar):
    """Keeps no cookies: the API has no use for them, and one that is not ASCII would make later requests fail."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Keep none."""


def _check_location(response: httpx.Response) -> None:
    """Take a redirect that leads nowhere for the response that it is: httpx would fail, and lose it."""
    if response.has_redirect_location:
        try:
            _ = response.request.url.join(response.headers["location"]).host
        except (httpx.InvalidURL, ValueError):
            raise httpx.HTTPStatusError("no URL", request=response.request, response=response) from None


async def _acheck_location(response: httpx.Response) -> None:
    _check_location(response)


class Connections:
    """The httpx clients of a client and its copies: one for sync and one for async code, or a custom one.

    Attributes:
        is_closed: Whether the client is closed.
        timeout: The timeouts of the caller's own client.
    """

    def __init__(
        self, http_client: httpx.Client | httpx.AsyncClient | None, settings: ConnectionSettings | None
    ) -> None:
        self._sync: httpx.Client | None = None
        self._async: httpx.AsyncClient | None = None
        self.timeout: httpx.Timeout | None = None if http_client is None else http_client.timeout
        if settings is not None:
            options: dict[str, Any] = {"trust_env": False, "cookies": _NoCookies()}
            hooks, ahooks = {"response": [_check_location]}, {"response": [_acheck_location]}
            self._sync = httpx.Client(transport=SyncTransport(settings), event_hooks=hooks, **options)
            self._async = httpx.AsyncClient(transport=AsyncTransport(settings), event_hooks=ahooks, **options)
        elif isinstance(http_client, httpx.Client):
            self._sync = http_client
        else:
            self._async = http_client
        self._given = http_client
        self.is_closed: bool = False

    def build(
        self, method: str, url: str, *, headers: httpx.Headers, content: bytes | None, is_ours: bool
    ) -> httpx.Request:
        """Build a request, with the headers and query parameters of the caller's own client, unless it goes elsewhere.

        Its cookies are not sent: for the API, a cookie takes precedence over the API key.
        """
        if self._given is None or not is_ours:
            request = httpx.Request(method, _url(url), headers=headers, content=content)
            request.stream = _Content(content or b"")
            return request
        known = httpx.Headers(self._given.headers)
        known.update(headers)
        known.pop("cookie", None)
        query = self._given.params.merge(httpx.QueryParams(url.partition("?")[2])) if self._given.params else None
        return httpx.Request(method, url, params=query, headers=known, content=content)

    def send(self, step: SendRequest) -> RawResponse:
        """Send a request and return its response.

        Raises:
            ClientClosedError: If the client is closed.
            ConfigurationError: If it makes no sync calls.
        """
        client = self._sync
        if client is None:
            raise ConfigurationError("http_client is a httpx.AsyncClient, which makes no sync calls: use asyncio ones")
        if self.is_closed or client.is_closed:
            raise closed()
        deadline = inf if step.seconds is None else monotonic() + step.seconds
        token, beats = DEADLINE.set(deadline), HEARTBEAT.set(step.heartbeat)
        try:
            response = client.send(step.request, auth=None, stream=True, follow_redirects=False)
            try:
                if not step.is_read_at_once(response):
                    return RawResponse(response, None)
                on_chunk = partial(_check_deadline, deadline, step.request)
                pieces = iter_body(response, max_size=step.max_size, may_be_empty=step.may_be_empty, on_chunk=on_chunk)
                return RawResponse(response, b"".join(pieces))
            except BaseException:
                response.close()
                raise
        except httpx.HTTPStatusError as error:
            return _raised(error)
        except PoolClosed:
            raise closed() from None
        except RuntimeError:
            if client.is_closed:
                raise closed() from None
            raise
        except TRANSPORT_ERRORS as error:
            if monotonic() < deadline or isinstance(error, (BodyTooLarge, httpx.PoolTimeout)):
                raise
            unsent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
            raise (httpx.ConnectTimeout if unsent else DeadlineExceeded)(_LATE, request=step.request) from error
        finally:
            DEADLINE.reset(token)
            HEARTBEAT.reset(beats)

    async def asend(self, step: SendRequest) -> RawResponse:
        """`send` for asyncio and trio.

        Raises:
            ClientClosedError: If the client is closed.
            ConfigurationError: If it makes no async calls.
            PictifyError: If the caller's own client belongs to another event loop.
        """
        client = self._async
        if client is None:
            raise ConfigurationError("http_client is a httpx.Client, which makes no asyncio calls: use sync ones")
        if self.is_closed or client.is_closed:
            raise closed()
        seconds = step.seconds if step.seconds is None or self._given is None else step.seconds + _GRACE
        try:
            with anyio.move_on_after(seconds):
                return await await_with_heartbeat(step.heartbeat, partial(_asend, client, step))
        except httpx.HTTPStatusError as error:
            return _raised(error)
        except PoolClosed:
            raise closed() from None
        except RuntimeError as error:
            if client.is_closed:
                raise closed() from None
            if self._given is not None and "loop" in str(error):
                raise _other_loop() from error
            raise
        except Exception as error:
            if not type(error).__module__.startswith("aiohttp."):
                raise
            # httpx-aiohttp knows only some of what aiohttp raises.
            raise httpx.RemoteProtocolError(str(error) or type(error).__name__, request=step.request) from error
        late: type[httpx.TimeoutException] = step.request.extensions.get("awaited") or DeadlineExceeded
        raise late(all_busy() if late is httpx.PoolTimeout else _LATE, request=step.request)

    def close(self) -> None:
        """Close the connections of sync calls."""
        self.is_closed = True
        if self._given is None and self._sync is not None:
            self._sync.close()

    async def aclose(self) -> None:
        """Close all connections."""
        self.close()
        if self._given is None and self._async is not None:
            await self._async.aclose()


# The same URL is often requested again, and to parse it takes longer than to look it up.
_url = lru_cache(maxsize=256)(httpx.URL)


def origin_of(url: httpx.URL) -> str:
    """The origin of a URL (RFC 6454): its scheme, host and port."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _raised(error: httpx.HTTPStatusError) -> RawResponse:
    """The response that a hook of the caller's client has raised an error for."""
    try:
        return RawResponse(error.response, error.response.content)
    except httpx.ResponseNotRead:
        return RawResponse(error.response, b"")


def _check_deadline(deadline: float, request: httpx.Request) -> None:
    if monotonic() > deadline:
        raise DeadlineExceeded(_LATE, request=request)


async def _asend(client: httpx.AsyncClient, step: SendRequest) -> RawResponse:
    response = await client.send(step.request, auth=None, stream=True, follow_redirects=False)
    if not step.is_read_at_once(response):
        return RawResponse(response, None)
    return RawResponse(response, await aread_body(response, max_size=step.max_size, may_be_empty=step.may_be_empty))


async def aclose(response: httpx.Response) -> None:
    """Close a response, also in a task that is cancelled."""
    with anyio.CancelScope(shield=True):
        await response.aclose()


def closed() -> ClientClosedError:
    """The error for a call of a client that is closed."""
    return ClientClosedError("the client is closed: create a new one, or close it after its last call")


def _other_loop() -> PictifyError:
    return PictifyError(
        "the http_client belongs to another event loop: make one for each loop, or leave it to this client"
    )
