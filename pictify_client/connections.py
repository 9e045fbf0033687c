"""Connections: how a request goes out, and how its answer is read within its time and its size.

A client without an `http_client` of the caller's has a pool of its own: each connection in a transport
of its own, and those that are free on a list. httpx's pool scans all of its connections for every request.
"""

from __future__ import annotations

import os
import ssl
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from http.cookiejar import DefaultCookiePolicy
from math import inf
from threading import Condition, Lock, RLock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast
from urllib.request import getproxies
from weakref import WeakSet

import httpx

from .errors import ConfigurationError, PictifyError
from .files import TRANSPORT_ERRORS

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator
    from typing import Self

    from .sockets import AsyncTransport, Transport

MOST_CONNECTIONS = 100
"""Connections of a client at a time; a call that finds them all in use waits, as long as its pool timeout says."""

IDLE_SECONDS = 30.0
"""How long a connection is kept that no call uses."""

# The API has no use for cookies, and one that is not ASCII would make every later request fail.
_NO_COOKIES = DefaultCookiePolicy(allowed_domains=[])
_LATE = "no time left"
_ALL_BUSY = (
    f"all {MOST_CONNECTIONS} connections are in use; a file that is neither read to its end nor closed holds one"
)


class OutOfTime(httpx.TimeoutException):
    """An attempt took longer than it may, from the connection to the last byte."""


class TooLarge(httpx.HTTPError):
    """A body is larger than it may be."""


class Exchange(NamedTuple):
    """A request to send, and what may become of its answer.

    Attributes:
        request: The request.
        seconds: How long it may take until the answer is read, or handed out to be read; None for ever.
        largest: How many bytes the body may have where it is read at once, with any content coding undone.
        is_read_at_once: Whether an answer is read at once; if not, its body is left to be read.
    """

    request: httpx.Request
    seconds: float | None
    largest: int
    is_read_at_once: Callable[[httpx.Response], bool]


class Answer(NamedTuple):
    """An answer, and its body where it was read."""

    response: httpx.Response
    content: bytes | None


class Connections:
    """What a client and its copies send with: one pool, made on first use, or the caller's httpx client."""

    def __init__(self, given: httpx.Client | httpx.AsyncClient | None, *, verify: bool, http2: bool = False) -> None:
        self._given = given
        self._verify = verify
        self._http2 = http2
        self._sync: _Sender | None = None
        self._async: _AsyncSender | None = None
        self._token: object = None
        self._lock = Lock()
        self._closed = False
        _to_reset.add(self)

    @property
    def timeout(self) -> httpx.Timeout | None:
        """The timeouts of the caller's own client, if there is one."""
        return None if self._given is None else self._given.timeout

    def build(
        self, method: str, url: str, *, headers: httpx.Headers, content: bytes | None, is_ours: bool
    ) -> httpx.Request:
        """Build a request, with the headers and query parameters of the caller's own client, unless it goes elsewhere.

        Its cookies are not sent: for the API, a cookie takes precedence over the API key.
        """
        if self._given is None or not is_ours:
            return httpx.Request(method, _url(url), headers=headers, content=content)
        known = httpx.Headers(self._given.headers)
        known.update(headers)
        known.pop("cookie", None)
        query = self._given.params.merge(httpx.QueryParams(url.partition("?")[2])) if self._given.params else None
        return httpx.Request(method, url, params=query, headers=known, content=content)

    def exchange(self, step: Exchange) -> Answer:
        """Send a request and have its answer.

        Raises:
            PictifyError: The client is closed, or makes no sync calls.
        """
        with self._lock:
            if self._sync is None and not self._closed:
                if isinstance(self._given, httpx.AsyncClient):
                    raise ConfigurationError(
                        "http_client is a httpx.AsyncClient, which makes no sync calls: use asyncio ones"
                    )
                self._sync = self._new_sync()
        if self._sync is None or self._closed or self._sync.is_closed:
            raise _closed()
        return self._sync.exchange(step)

    async def aexchange(self, step: Exchange) -> Answer:
        """`exchange` for asyncio and trio.

        Raises:
            PictifyError: The client is closed, makes no async calls, or belongs to another event loop.
        """
        from anyio.lowlevel import current_token

        token = current_token()
        if self._async is None and not self._closed:
            if isinstance(self._given, httpx.Client):
                raise ConfigurationError("http_client is a httpx.Client, which makes no asyncio calls: use sync ones")
            self._async = self._new_async()
            self._token = token
        if self._async is None or self._closed or self._async.is_closed:
            raise _closed()
        if token == self._token:
            return await self._async.exchange(step)
        if self._given is None:
            raise _other_loop()
        # What the caller made may serve several event loops, as a mock does.
        try:
            return await self._async.exchange(step)
        except RuntimeError as error:
            raise _other_loop() from error

    def close(self) -> None:
        """Close the connections of sync calls."""
        with self._lock:
            self._closed = True
        if self._sync is not None and self._given is None:
            self._sync.close()

    async def aclose(self) -> None:
        """Close all connections."""
        from anyio.lowlevel import current_token

        self.close()
        # In another event loop than theirs they cannot be closed; they went when theirs did.
        if self._async is not None and self._given is None and current_token() == self._token:
            await self._async.aclose()

    def reset(self) -> None:
        """Forget all connections, as a forked process must: they are its parent's."""
        self._lock = Lock()
        self._sync = self._async = None

    def _new_sync(self) -> _Sender:
        if isinstance(self._given, httpx.Client):
            return _Through(self._given)
        if not (self._http2 or _has_proxy()):
            return _Pool(verify=self._verify)
        with _usable_proxy():
            client = httpx.Client(verify=self._context(), http2=self._http2)
        client.cookies.jar.set_policy(_NO_COOKIES)
        return _Through(client)

    def _new_async(self) -> _AsyncSender:
        if isinstance(self._given, httpx.AsyncClient):
            return _AsyncThrough(self._given)
        if not (self._http2 or _has_proxy()):
            return _AsyncPool(verify=self._verify)
        with _usable_proxy():
            client = httpx.AsyncClient(verify=self._context(), http2=self._http2)
        client.cookies.jar.set_policy(_NO_COOKIES)
        return _AsyncThrough(client)

    def _context(self) -> ssl.SSLContext:
        return tls_context(verify=self._verify, http2=self._http2)


class _Sender:
    """What sends requests: a pool, or a httpx client."""

    @property
    def is_closed(self) -> bool:
        raise NotImplementedError

    def exchange(self, step: Exchange) -> Answer:
        deadline = inf if step.seconds is None else monotonic() + step.seconds
        try:
            response = self.send(step.request, deadline)
            try:
                if step.is_read_at_once(response):
                    return Answer(response, _read(response, step.largest, deadline))
                self.relax(response)
                return Answer(response, None)
            except BaseException:
                response.close()
                raise
        except TRANSPORT_ERRORS as error:
            if monotonic() < deadline or isinstance(error, (TooLarge, httpx.PoolTimeout)):
                raise
            unsent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
            raise (httpx.ConnectTimeout if unsent else OutOfTime)(_LATE, request=step.request) from error

    def send(self, request: httpx.Request, deadline: float, /) -> httpx.Response:
        """Send a request; its answer is not read yet."""
        raise NotImplementedError

    def relax(self, response: httpx.Response) -> None:
        """The rest of the answer has no deadline."""

    def close(self) -> None:
        raise NotImplementedError


class _AsyncSender:
    @property
    def is_closed(self) -> bool:
        raise NotImplementedError

    async def exchange(self, step: Exchange) -> Answer:
        import anyio

        with anyio.move_on_after(step.seconds):
            response = await self.send(step.request)
            try:
                if step.is_read_at_once(response):
                    return Answer(response, await _aread(response, step.largest))
                return Answer(response, None)
            except BaseException:
                await aclose(response)
                raise
        late: type[httpx.TimeoutException] = step.request.extensions.get("awaited", OutOfTime)
        raise late(_ALL_BUSY if late is httpx.PoolTimeout else _LATE, request=step.request)

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its answer is not read yet."""
        raise NotImplementedError

    async def aclose(self) -> None:
        raise NotImplementedError


class _Through(_Sender):
    """A httpx client. Its pool does not tell the connection of a call, so a head that trickles in is not broken off."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    @property
    def is_closed(self) -> bool:
        return self._client.is_closed

    def send(self, request: httpx.Request, _deadline: float, /) -> httpx.Response:
        return self._client.send(request, auth=None, stream=True, follow_redirects=False)

    def close(self) -> None:
        self._client.close()


class _AsyncThrough(_AsyncSender):
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    @property
    def is_closed(self) -> bool:
        return self._client.is_closed

    async def exchange(self, step: Exchange) -> Answer:
        try:
            return await super().exchange(step)
        except Exception as error:
            if not type(error).__module__.startswith("aiohttp."):
                raise
            # Of what aiohttp raises, httpx-aiohttp knows a part.
            raise httpx.RemoteProtocolError(str(error) or type(error).__name__, request=step.request) from error

    async def send(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, auth=None, stream=True, follow_redirects=False)

    async def aclose(self) -> None:
        await self._client.aclose()


AnyTransport = TypeVar("AnyTransport", bound="Transport | AsyncTransport")


class _Line(Generic[AnyTransport]):
    """A connection, in a transport that has no other."""

    def __init__(self, url: httpx.URL, transport: AnyTransport) -> None:
        self.origin = origin_of(url)
        self.transport = transport
        self.idle_since = 0.0


AnyLine = TypeVar("AnyLine", bound="_Line[Any]")


class _Free(Generic[AnyLine]):
    """The connections that no call uses, the one used last on top."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[AnyLine]] = {}

    def take(self, url: httpx.URL) -> tuple[AnyLine | None, list[AnyLine]]:
        """One to the origin of a URL, if there is any that can be used, and those to close that cannot."""
        stale = self.expired()
        lines = self._lines.get(origin_of(url))
        while lines:
            line = lines.pop()
            if line.transport.is_usable:
                return line, stale
            stale.append(line)
        return None, stale

    def give(self, line: AnyLine) -> None:
        """Another one, from now on."""
        line.idle_since = monotonic()
        self._lines.setdefault(line.origin, deque()).append(line)

    def expired(self) -> list[AnyLine]:
        """Take those that are idle for too long."""
        oldest = monotonic() - IDLE_SECONDS
        stale: list[AnyLine] = []
        for lines in list(self._lines.values()):
            while lines and lines[0].idle_since <= oldest:
                stale.append(lines.popleft())
        return stale

    def all(self) -> list[AnyLine]:
        """Take all of them."""
        taken = [line for lines in list(self._lines.values()) for line in lines]
        self._lines.clear()
        return taken

    @property
    def expires_at(self) -> float:
        """When the next one is idle for too long; never where there is none."""
        return min((lines[0].idle_since for lines in list(self._lines.values()) if lines), default=inf) + IDLE_SECONDS


class _SyncLine(_Line["Transport"]):
    def __init__(self, url: httpx.URL, *, verify: bool) -> None:
        from .sockets import Transport

        super().__init__(url, Transport(url, _context_for(url, verify=verify)))


class _Pool(_Sender):
    """Connections for sync code, for any number of threads.

    A thread of its own closes what is idle for too long; it ends when nothing is.
    """

    def __init__(self, *, verify: bool) -> None:
        self._closed = False
        self._verify = verify
        self._free: _Free[_SyncLine] = _Free()
        self._busy: set[_SyncLine] = set()
        # The garbage collector, which may run while this thread holds it, gives back what a file held.
        lock = RLock()
        self._lock = lock
        self._has_slot = Condition(lock)
        self._is_due = Condition(lock)
        self._keeper: Thread | None = None

    @property
    def is_closed(self) -> bool:
        return self._closed

    def send(self, request: httpx.Request, deadline: float, /) -> httpx.Response:
        line = self._take(request, deadline)
        try:
            response = line.transport.handle_request(request)
        except BaseException as error:
            self._give_back(line, whole=False)
            if _is_gone(error):
                raise _closed() from None
            raise
        response.request = request
        response.stream = _LineStream(self._give_back, line, cast("httpx.SyncByteStream", response.stream))
        return response

    def relax(self, response: httpx.Response) -> None:
        cast("_LineStream", response.stream).line.transport.network.deadline = inf

    def close(self) -> None:
        with self._lock:
            self._closed = True
            lines = list(self._busy)
            for line in lines:
                line.transport.network.abort()
            lines += self._free.all()
            self._is_due.notify()
            self._has_slot.notify_all()
            keeper = self._keeper
        for line in lines:
            line.transport.close()
        if keeper is not None:
            keeper.join()

    def _take(self, request: httpx.Request, deadline: float) -> _SyncLine:
        with self._lock:
            if len(self._busy) >= MOST_CONNECTIONS:
                patience = request.extensions.get("timeout", {}).get("pool")
                if not self._has_slot.wait_for(lambda: self._closed or len(self._busy) < MOST_CONNECTIONS, patience):
                    raise httpx.PoolTimeout(_ALL_BUSY, request=request)
            if self._closed:
                raise _closed()
            known, stale = self._free.take(request.url)
            line = known or _SyncLine(request.url, verify=self._verify)
            line.transport.network.deadline = deadline
            self._busy.add(line)
        for each in stale:
            with suppress(Exception):
                each.transport.close()
        return line

    def _give_back(self, line: _SyncLine, *, whole: bool) -> None:
        with self._lock:
            self._busy.discard(line)
            kept = whole and not self._closed
            if kept:
                self._free.give(line)
                if self._keeper is None:
                    # A process that is ending starts no threads, and has no need of one.
                    with suppress(RuntimeError):
                        keeper = Thread(target=self._keep, name="pictify_client connections", daemon=True)
                        keeper.start()
                        self._keeper = keeper
            self._has_slot.notify()
        if not kept:
            line.transport.close()

    def _keep(self) -> None:
        while True:
            with self._lock:
                stale = self._free.expired()
                expires_at = self._free.expires_at
                if self._closed or not (stale or expires_at < inf):
                    self._keeper = None
                    return
                if not stale:
                    self._is_due.wait(expires_at - monotonic())
            for line in stale:
                line.transport.close()


class _LineStream(httpx.SyncByteStream):
    """A body, whose connection is free again once it is read, and given up where it is left."""

    def __init__(self, give_back: Callable[..., None], line: _SyncLine, stream: httpx.SyncByteStream) -> None:
        self.line = line
        self._give_back: Callable[..., None] | None = give_back
        self._stream = stream
        self._whole = False

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream
        self._whole = True

    def close(self) -> None:
        if self._give_back is not None:
            give_back, self._give_back = self._give_back, None
            try:
                self._stream.close()
            finally:
                give_back(self.line, whole=self._whole)


class _AsyncLine(_Line["AsyncTransport"]):
    def __init__(self, url: httpx.URL, *, verify: bool) -> None:
        from .sockets import AsyncTransport

        super().__init__(url, AsyncTransport(url, _context_for(url, verify=verify)))
        self.is_new = True

    async def trace(self, event: str, _info: dict[str, Any]) -> None:
        """What httpcore tells of a request: here, that there is a connection to send it over."""
        if event == "http11.send_request_headers.started":
            self.is_new = False


class _AsyncPool(_AsyncSender):
    """Connections for asyncio and trio, for any number of tasks of one event loop.

    In asyncio those that are idle for too long are closed when their time comes; in trio, where nothing goes
    on outside of the caller's blocks, with the next call.
    """

    def __init__(self, *, verify: bool) -> None:
        import anyio

        self._closed = False
        self._verify = verify
        self._free: _Free[_AsyncLine] = _Free()
        self._busy: set[_AsyncLine] = set()
        self._slots = anyio.Semaphore(MOST_CONNECTIONS)
        self._timer: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def is_closed(self) -> bool:
        return self._closed

    async def send(self, request: httpx.Request) -> httpx.Response:
        # What has not come should its time end: nothing is sent before there is a connection.
        request.extensions = {**request.extensions, "awaited": httpx.PoolTimeout}
        line = await self._take(request)
        try:
            if line.is_new:
                request.extensions["trace"] = line.trace
            response = await line.transport.handle_async_request(request)
            line.is_new = False
            if self._closed:
                # It was closed before there was a connection to close.
                await aclose(response)
                raise _closed()
        except BaseException as error:
            await self._give_back(line, whole=False)
            if _is_gone(error):
                raise _closed() from None
            raise
        finally:
            request.extensions["awaited"] = httpx.ConnectTimeout if line.is_new else OutOfTime
        response.request = request
        response.stream = _AsyncLineStream(self._give_back, line, cast("httpx.AsyncByteStream", response.stream))
        return response

    async def aclose(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        lines = [*self._busy, *self._free.all()]
        await _aclose(lines)

    async def _take(self, request: httpx.Request) -> _AsyncLine:
        import anyio

        try:
            self._slots.acquire_nowait()
        except anyio.WouldBlock:
            try:
                with anyio.fail_after(request.extensions.get("timeout", {}).get("pool")):
                    await self._slots.acquire()
            except TimeoutError:
                raise httpx.PoolTimeout(_ALL_BUSY, request=request) from None
        try:
            if self._closed:
                raise _closed()
            known, stale = self._free.take(request.url)
            line = known or _AsyncLine(request.url, verify=self._verify)
        except BaseException:
            self._slots.release()
            raise
        # Before anything is waited for: where the client is closed meanwhile, this is closed too.
        self._busy.add(line)
        try:
            await _aclose(stale)
            if self._closed:
                raise _closed()
        except BaseException:
            await self._give_back(line, whole=known is not None)
            raise
        return line

    async def _give_back(self, line: _AsyncLine, *, whole: bool) -> None:
        self._busy.discard(line)
        if whole and not self._closed:
            self._free.give(line)
            stale = self._free.expired()
            if self._timer is None:
                self._close_in_time()
        else:
            stale = [line]
        self._slots.release()
        await _aclose(stale)

    def _close_in_time(self) -> None:
        import asyncio

        expires_at = self._free.expires_at
        # There is no loop in trio.
        with suppress(RuntimeError):
            loop = asyncio.get_running_loop()
            if expires_at < inf:
                self._timer = loop.call_later(expires_at - monotonic(), self._close_idle)

    def _close_idle(self) -> None:
        import asyncio

        self._timer = None
        task = asyncio.ensure_future(_aclose(self._free.expired()))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        self._close_in_time()


class _AsyncLineStream(httpx.AsyncByteStream):
    def __init__(self, give_back: Callable[..., Any], line: _AsyncLine, stream: httpx.AsyncByteStream) -> None:
        self._line = line
        self._give_back: Callable[..., Any] | None = give_back
        self._stream = stream
        self._chunks = aiter(stream)
        self._whole = False

    # No generator: one that is left early waits for the garbage collector to end it.
    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            self._whole = True
            raise

    async def aclose(self) -> None:
        if self._give_back is not None:
            give_back, self._give_back = self._give_back, None
            try:
                await self._stream.aclose()
            finally:
                await give_back(self._line, whole=self._whole)


_to_reset: WeakSet[Connections] = WeakSet()


# What is called is often called again, and to read a URL takes longer than to look it up.
_url = lru_cache(maxsize=256)(httpx.URL)


def origin_of(url: httpx.URL) -> str:
    """The origin of a URL (RFC 6454): its scheme, host and port."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def tls_context(*, verify: bool, http2: bool = False) -> ssl.SSLContext:
    """The TLS settings of all clients of the process: to read the certificates takes longer than a call.

    Those with HTTP/2 have others, as httpx writes into them what they speak.
    """
    return _context(verify, http2, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _context(verify: bool, _http2: bool, file: str | None, folder: str | None) -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context(verify=verify)
    except OSError as error:
        where = f"SSL_CERT_FILE={file!r}, SSL_CERT_DIR={folder!r}"
        raise ConfigurationError(f"the certificates to know servers by cannot be read ({where}): {error}") from error


def _context_for(url: httpx.URL, *, verify: bool) -> ssl.SSLContext:
    return tls_context(verify=verify) if url.scheme == "https" else _plain()


@cache
def _plain() -> ssl.SSLContext:
    """For connections without TLS, so that httpx makes no settings for them."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _has_proxy() -> bool:
    return not getproxies().keys().isdisjoint({"http", "https", "all"})


@contextmanager
def _usable_proxy() -> Generator[None]:
    try:
        yield
    except ImportError as error:
        raise ConfigurationError(f"the proxy of the environment (HTTPS_PROXY and the like): {error}") from error
    except (httpx.InvalidURL, ValueError):
        # What is wrong with it may be a password in it.
        raise ConfigurationError("the proxy of the environment (HTTPS_PROXY and the like) has no usable URL") from None


async def _aclose(lines: list[_AsyncLine]) -> None:
    if lines:
        import anyio

        # As a call that is cancelled must leave no connection behind.
        with anyio.CancelScope(shield=True):
            try:
                # What is given up is no one's concern, whatever becomes of it.
                with suppress(Exception):
                    await lines[0].transport.aclose()
            finally:
                await _aclose(lines[1:])


def _read(response: httpx.Response, largest: int, deadline: float) -> bytes:
    if response.is_closed:
        # A mock or a hook of the caller's client has read it.
        return response.content
    body = _Body(response, largest)
    for chunk in response.iter_bytes() if body.is_coded else cast("httpx.SyncByteStream", response.stream):
        body.add(chunk)
        if monotonic() > deadline:
            raise OutOfTime(_LATE, request=response.request)
    response.close()
    return body.content()


async def _aread(response: httpx.Response, largest: int) -> bytes:
    if response.is_closed:
        return response.content
    body = _Body(response, largest)
    async for chunk in response.aiter_bytes() if body.is_coded else cast("httpx.AsyncByteStream", response.stream):
        body.add(chunk)
    await response.aclose()
    return body.content()


class _Body:
    """What came of a body so far, and no more than it may be."""

    def __init__(self, response: httpx.Response, largest: int) -> None:
        self._request = response.request
        self._largest = largest
        self._size = 0
        self._chunks: list[bytes] = []
        length = response.headers.get("content-length", "")
        has_none = response.status_code in (204, 304)
        if not has_none and length.isascii() and length.isdigit() and int(length[:20]) > largest:
            raise TooLarge(f"{length[:20]} bytes are announced")
        coding = response.headers.get("content-encoding")
        # What is not coded comes sooner without the layers that undo a coding.
        self.is_coded: bool = coding is not None
        if coding is not None and "," in coding:
            # Packed twice, a few bytes can become more than memory holds before they are counted.
            raise httpx.DecodingError("more than one content coding", request=self._request)

    def add(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._largest:
            raise TooLarge(f"more than {self._largest} bytes came")
        self._chunks.append(chunk)

    def content(self) -> bytes:
        return b"".join(self._chunks)


async def aclose(response: httpx.Response) -> None:
    """Close a response, in a task that is cancelled too."""
    import anyio

    with anyio.CancelScope(shield=True):
        await response.aclose()


def _is_gone(error: BaseException) -> bool:
    """Whether a connection was closed after it was taken, which only its client does."""
    import httpcore

    return isinstance(error, httpcore.ConnectionNotAvailable)


def _closed() -> PictifyError:
    return PictifyError("the client is closed: make a new one, or close it only after its last call")


def _other_loop() -> PictifyError:
    return PictifyError(
        "the client belongs to the event loop of its first async call, and this is another one: make a client in each "
        "(asyncio.run starts a new loop every time)"
    )


def _reset_all() -> None:
    for each in list(_to_reset):
        each.reset()


# Where there is no fork, there is nothing to forget.
with suppress(AttributeError):
    os.register_at_fork(after_in_child=_reset_all)
