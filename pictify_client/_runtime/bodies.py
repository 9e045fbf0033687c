"""Response bodies: decoded as they arrive, with bounded memory, and either complete or an error.

httpx decodes whatever coding it knows, even one that was not requested, decodes a chunk of a body at once, however
large it becomes, and takes a compressed body that was cut off for a complete one.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Iterator
from contextlib import suppress
from math import inf
from typing import Any, Self, cast
from weakref import finalize

import anyio
import httpx

from ..rate_limits import count
from .error_bodies import media_type_of
from .loops import EventLoop, running_loop

ACCEPT_ENCODING = "gzip, deflate"
"""The content codings that a client requests."""

TRANSPORT_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError)
"""The errors that httpx raises if there is no complete response.

OSError, as a broken TLS record causes one that httpx passes on as it is. ValueError, because the request is valid at
that point: it is about something that the server sent, such as a cookie.
"""

MAX_PIECE = 65_536
"""Maximum size of a piece of decoded content: a few bytes may expand to gigabytes, which have to be counted first."""

# So many chunks of a body can be in memory before the network is read from: httpcore reads 64 KiB at a time.
_MAX_BUFFERED_CHUNKS = 65_536

_GZIP_FORMAT = 16 + zlib.MAX_WBITS
_ZLIB_FORMAT = zlib.MAX_WBITS
_RAW_FORMAT = -zlib.MAX_WBITS


class BodyTooLarge(httpx.HTTPError):
    """A body is larger than allowed."""


class BodyDecoder:
    """Decodes a body without a content coding, that is, returns it as it is."""

    def decode(self, data: bytes) -> Iterable[bytes]:
        """Decode the next part of a body.

        Returns:
            What it decodes to, in pieces. A compressed part is decoded while you iterate over them.

        Raises:
            httpx.DecodingError: While you iterate, if the part is invalid.
        """
        return (data,) if data else ()

    def finish(self) -> None:
        """Check that the body is complete.

        Raises:
            httpx.DecodingError: If its end is missing.
        """


class _Inflater(BodyDecoder):
    """Decodes gzip and deflate."""

    def __init__(self, coding: str, request: httpx.Request | None, *, may_be_empty: bool) -> None:
        self._coding = coding
        self._request = request
        self._may_end = may_be_empty
        self._has_ended = False
        self._start = b""
        self._stream: Any = None

    def decode(self, data: bytes) -> Iterator[bytes]:
        data = self._start + data
        self._start = b""
        has_more = bool(data)
        while has_more:
            stream = self._stream or self._open_stream(data)
            if stream is None:
                return
            try:
                piece: bytes = stream.decompress(data, MAX_PIECE)
            except zlib.error as error:
                raise self._error(f"is invalid ({error})") from error
            if piece:
                yield piece
            if stream.eof:
                data = stream.unused_data
                self._stream = None
                self._may_end = self._has_ended = True
                has_more = bool(data)
            else:
                data = stream.unconsumed_tail
                # zlib may have read all of the input and still hold output that did not fit into the piece.
                has_more = bool(data) or len(piece) == MAX_PIECE

    def finish(self) -> None:
        if not self._may_end:
            raise self._error("is incomplete")

    def _open_stream(self, data: bytes) -> Any:
        """Return what decodes a stream that starts with these bytes; None if more of them are needed to tell."""
        self._may_end = False
        if self._coding == "gzip":
            # A body may have several members (RFC 1952), one after the other.
            self._stream = zlib.decompressobj(_GZIP_FORMAT)
            return self._stream
        if self._has_ended:
            raise self._error("has data after its end")
        if len(data) < 2:
            self._start = data
            return None
        # "deflate" is the zlib format (RFC 9110), but some servers leave out its header (RFC 1950) and checksum.
        has_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2]) % 31 == 0
        self._stream = zlib.decompressobj(_ZLIB_FORMAT if has_header else _RAW_FORMAT)
        return self._stream

    def _error(self, problem: str) -> httpx.DecodingError:
        return httpx.DecodingError(f"the {self._coding} body {problem}", request=self._request)


def body_decoder(
    headers: httpx.Headers, *, request: httpx.Request | None = None, may_be_empty: bool = False
) -> BodyDecoder:
    """Return a decoder for a body with these headers.

    Args:
        headers: The headers of the response.
        request: The request of the response, for errors.
        may_be_empty: Whether a body of zero bytes is valid in spite of a content coding. In gzip and deflate, even an
            empty file has some bytes.

    Raises:
        httpx.DecodingError: If the body has a content coding that was not requested, or more than one.
    """
    if "content-encoding" not in headers:
        return BodyDecoder()
    codings = [name.lower() for name in headers.get_list("content-encoding", split_commas=True)]
    codings = ["gzip" if name == "x-gzip" else name for name in codings if name not in ("", "identity")]
    if not codings:
        return BodyDecoder()
    if len(codings) > 1:
        # Compressed twice, a few bytes can expand beyond any memory before a piece of the result is counted.
        raise httpx.DecodingError(f"more than one content coding: {', '.join(codings)}", request=request)
    if codings[0] not in ("gzip", "deflate"):
        message = f"the response has the content coding {codings[0]!r}; requested was {ACCEPT_ENCODING}"
        raise httpx.DecodingError(message, request=request)
    return _Inflater(codings[0], request, may_be_empty=may_be_empty)


def announced_size(headers: httpx.Headers) -> int | None:
    """Return the size of a body according to its `Content-Length`; None if it has none or that is not a size."""
    return count(headers.get("content-length"))


def iter_body(
    response: httpx.Response,
    *,
    max_size: int | None = None,
    may_be_empty: bool = False,
    on_chunk: Callable[[], object] | None = None,
) -> Generator[bytes]:
    """Iterate over the decoded body of a response.

    The response is closed at the end of the body, but not if an error ends the iteration.

    Args:
        response: The response. If its content is in memory already, because a mock or a hook of an httpx client has
            read it, that is returned.
        max_size: Maximum size of the decoded body in bytes.
        may_be_empty: Whether a success may have an empty body in spite of a content coding.
        on_chunk: Called for every chunk that arrives, before it is decoded.

    Raises:
        BodyTooLarge: If the body is larger than `max_size`.
        httpx.DecodingError: If the body cannot be decoded or is incomplete.
        httpx.HTTPError: If the body cannot be received.
    """
    if response.is_closed:
        yield response.content
        return
    reader = _BodyReader(response, max_size, may_be_empty=may_be_empty)
    # The stream itself: what httpx has around it costs more than all of this.
    for chunk in cast("httpx.SyncByteStream", response.stream):
        if on_chunk is not None:
            on_chunk()
        yield from reader.feed(chunk)
    response.close()
    reader.finish()


async def aread_body(response: httpx.Response, *, max_size: int | None = None, may_be_empty: bool = False) -> bytes:
    """Read the decoded body of a response in async code; see `iter_body`. An error closes the response as well."""
    if response.is_closed:
        return response.content
    body = AsyncBody(response, max_size=max_size, may_be_empty=may_be_empty)
    try:
        return await body.read()
    except BaseException:
        await body.aclose()
        raise


class AsyncBody:
    """Iterates over the decoded body of a response in async code; see `iter_body`.

    It is not a generator, and it ends those of httpx and httpcore if it is closed early: in trio a generator that is
    garbage collected before its end is a warning.
    """

    def __init__(self, response: httpx.Response, *, max_size: int | None = None, may_be_empty: bool = False) -> None:
        self._response = response
        self._max_size = max_size
        self._may_be_empty = may_be_empty
        self._reader: _BodyReader | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        self._pieces: Iterator[bytes] = iter(())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        reader, chunks = self._open()
        while True:
            piece = next(self._pieces, None)
            if piece is not None:
                return piece
            chunk = await anext(chunks, None)
            if chunk is None:
                await self._response.aclose()
                reader.finish()
                raise StopAsyncIteration
            self._pieces = reader.feed(chunk)

    async def read(self) -> bytes:
        """Read all of it."""
        reader, chunks = self._open()
        pieces = [piece async for chunk in chunks for piece in reader.feed(chunk)]
        await self._response.aclose()
        reader.finish()
        return b"".join(pieces)

    @property
    def is_closed(self) -> bool:
        """Whether nothing is left to be closed."""
        return self._response.is_closed

    async def aclose(self) -> None:
        """Close the response, also in a task that is cancelled."""
        with anyio.CancelScope(shield=True):
            if self._chunks is not None and not self._response.is_closed:
                await _end(self._chunks)
            await self._response.aclose()

    def _open(self) -> tuple[_BodyReader, AsyncIterator[bytes]]:
        if self._reader is None or self._chunks is None:
            self._reader = _BodyReader(self._response, self._max_size, may_be_empty=self._may_be_empty)
            self._chunks = aiter(cast("httpx.AsyncByteStream", self._response.stream))
        return self._reader, self._chunks


async def _end(chunks: AsyncIterator[bytes]) -> None:
    """End a generator that has not been read to its end, and those that it reads from.

    To close it would leave these to the garbage collector. If its next read from the network is cancelled, all of them
    end with that error.
    """
    with anyio.CancelScope() as scope:
        scope.cancel()
        # Nobody needs this response, so an error while it is closed does not matter.
        with suppress(Exception):
            for _ in range(_MAX_BUFFERED_CHUNKS):
                if await anext(chunks, None) is None:
                    return
            # It is not from the network.
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()


def close_when_collected(owner: object, body: AsyncBody) -> None:
    """Close a body when its owner is garbage collected, in the event loop that is running now."""
    loop = EventLoop(running_loop())

    def close() -> None:
        if not body.is_closed:
            loop.start(body.aclose)

    finalize(owner, close).atexit = False


class _BodyReader:
    """Decodes a body and checks its size, apart from how it is received."""

    def __init__(self, response: httpx.Response, max_size: int | None, *, may_be_empty: bool) -> None:
        headers = response.headers
        if response.status_code in (204, 304) or response.request.method == "HEAD":
            # They are about the body that the response would have.
            headers = httpx.Headers()
        may_be_empty = may_be_empty or not response.is_success
        self._decoder = body_decoder(headers, request=response.request, may_be_empty=may_be_empty)
        self._max_size = inf if max_size is None else max_size
        self._size = 0
        size = announced_size(headers)
        # Compressed data may be larger than its content, if only by a few bytes.
        if size is not None and size > self._max_size and not isinstance(self._decoder, _Inflater):
            raise BodyTooLarge(f"{size} bytes are announced")

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Decode a chunk."""
        for piece in self._decoder.decode(chunk):
            self._size += len(piece)
            if self._size > self._max_size:
                raise BodyTooLarge(f"more than {self._max_size} bytes came")
            yield piece

    def finish(self) -> None:
        """Check that the body is complete."""
        self._decoder.finish()


# The head of a PNG with a width and a height of 1.
_ONE_PIXEL = b"IHDR\0\0\0\1\0\0\0\1"


def is_error_pixel(response: httpx.Response, content: bytes | None) -> bool:
    """Whether a body is a PNG of one pixel, which the API sends in place of an error, whatever format was requested."""
    return media_type_of(response) == "image/png" and content is not None and content[12:24] == _ONE_PIXEL
