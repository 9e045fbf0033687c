"""Responses that are files: in memory or streamed, and saved."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import suppress
from inspect import isawaitable
from os import PathLike
from typing import Any, Protocol, Self
from weakref import finalize

import httpx

from ._runtime.bodies import (
    TRANSPORT_ERRORS,
    AsyncBody,
    announced_size,
    close_when_collected,
    iter_body,
)
from ._runtime.error_bodies import media_type_of
from ._runtime.saving import Chunker, opened, save_to_path, unwritten, write_method
from .errors import PictifyError

_SHOWN_TYPES = ("image/png", "image/jpeg", "image/gif")


class Writable(Protocol):
    """A file that is open for writing bytes."""

    def write(self, data: bytes, /) -> Any:
        """Write some bytes."""


class AsyncWritable(Protocol):
    """A file that is open for writing bytes, whose `write` is awaited."""

    def write(self, data: bytes, /) -> Awaitable[Any]:
        """Write some bytes."""
        raise NotImplementedError


class _File:
    """The common base of `File` and `AsyncFile`.

    Args:
        response: The response.
        failure: Returns the exception for an error of the transport.
        content: The file; None if it is streamed, that is, still to be read from the response.
    """

    def __init__(
        self, response: httpx.Response, failure: Callable[[Exception], PictifyError], content: bytes | None
    ) -> None:
        self._response = response
        self._failure = failure
        self._content: bytes | None = content
        self._is_streamed = False

    def __repr__(self) -> str:
        size = self.content_length if self._content is None else len(self._content)
        shown = "not modified" if self.not_modified else f"{'unknown' if size is None else size} bytes"
        return f"<{type(self).__name__} {self.content_type}, {shown}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """Return what a notebook shows: an image that is in memory."""
        bundle = {"text/plain": repr(self)}
        if self._content is not None and self.content_type in _SHOWN_TYPES:
            bundle[self.content_type] = b64encode(self._content).decode()
        return bundle

    @property
    def content_type(self) -> str:
        """Media type, such as `image/png`; empty if the response has none."""
        return media_type_of(self._response)

    @property
    def content_length(self) -> int | None:
        """Size in bytes as it was sent, compressed or not (`Content-Length`); None if the response does not say."""
        return announced_size(self._response.headers)

    @property
    def etag(self) -> str | None:
        """The version of the file (`ETag`), for `if_none_match` in a later call; or None."""
        tag: str | None = self._response.headers.get("etag")
        return tag

    @property
    def not_modified(self) -> bool:
        """Whether the version that `if_none_match` named is still the latest (304): then there is nothing to read."""
        return self._response.status_code == 304

    def _start(self) -> None:
        """Check that the file can be read, if it is streamed for the first and only time."""
        if self.not_modified:
            raise PictifyError("The response has no file (304 Not Modified): the copy that you have is the latest")
        if self._content is not None:
            return
        if self._is_streamed:
            raise PictifyError(
                "The file was streamed already and is not kept in memory: use read(), or request it again"
            )
        if self._response.is_closed:
            raise PictifyError("The file was closed before it was read: read it inside its `with` block")
        self._is_streamed = True


class File(_File):
    """A file that the API has sent.

    A file in memory can be read and saved any number of times, also after the client was closed. A streamed file can be
    iterated over or saved once, or read, after which it is in memory. It holds a connection until it is closed, so use
    it in a `with` block.

    Reading a streamed file raises an `APIConnectionError` if the connection breaks or the file is incomplete, and a
    `PictifyError` if there is nothing left to read.
    """

    def __init__(
        self, response: httpx.Response, failure: Callable[[Exception], PictifyError], content: bytes | None
    ) -> None:
        super().__init__(response, failure, content)
        if content is None:
            finalize(self, _close_quietly, response).atexit = False

    def read(self) -> bytes:
        """Return its bytes, and keep them in memory."""
        content = b"".join(self.iter_bytes())
        self._content = content
        return content

    def iter_bytes(self, chunk_size: int | None = None) -> Generator[bytes]:
        """Iterate over its bytes.

        Args:
            chunk_size: Number of bytes at a time. Defaults to as many as arrive at once.
        """
        chunker = Chunker(chunk_size)
        self._start()
        return self._chunks(chunker)

    def save(self, target: str | PathLike[str] | Writable) -> None:
        """Write it to a path, or to a file that is open for writing bytes.

        An existing file is replaced when the new one is complete; if saving fails, it stays as it was. A file that
        cannot be replaced, such as a mount point or a file in a folder that is not writable, is overwritten in place
        when the new one is complete: an error such as a full disk can then leave it incomplete. Devices and pipes are
        written to directly.

        Raises:
            OSError: If the file cannot be written.
        """
        try:
            chunks = self.iter_bytes()
            if isinstance(target, str | PathLike):
                with opened(target, is_complete=self._content is not None) as file:
                    for chunk in chunks:
                        file.write(chunk)
            else:
                write = write_method(target)
                for chunk in chunks:
                    rest = chunk
                    while rest:
                        rest = unwritten(target, rest, write(rest))
        finally:
            self.close()

    def close(self) -> None:
        """Return the connection, or close it if the file was not read to its end."""
        self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _chunks(self, chunker: Chunker) -> Generator[bytes]:
        if self._content is not None:
            yield from chunker.split(self._content)
            return
        failure = None
        try:
            for piece in iter_body(self._response):
                yield from chunker.feed(piece)
            yield from chunker.flush()
        except TRANSPORT_ERRORS as error:
            failure = self._failure(error)
        finally:
            self._response.close()
        # Outside of the `except` block, so that the error does not keep the one that it replaces as its context.
        if failure is not None:
            raise failure


class AsyncFile(_File):
    """A file that the API has sent, for async code.

    A file in memory can be read and saved any number of times, also after the client was closed. A streamed file can be
    iterated over or saved once, or read, after which it is in memory. It holds a connection until it is closed, so use
    it in an `async with` block.

    Reading a streamed file raises an `APIConnectionError` if the connection breaks or the file is incomplete, and a
    `PictifyError` if there is nothing left to read.
    """

    def __init__(
        self, response: httpx.Response, failure: Callable[[Exception], PictifyError], content: bytes | None
    ) -> None:
        super().__init__(response, failure, content)
        self._body = AsyncBody(response)
        if content is None:
            close_when_collected(self, self._body)

    async def read(self) -> bytes:
        """Return its bytes, and keep them in memory."""
        content = b"".join([chunk async for chunk in self.iter_bytes()])
        self._content = content
        return content

    def iter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """Iterate over its bytes.

        Args:
            chunk_size: Number of bytes at a time. Defaults to as many as arrive at once.
        """
        chunker = Chunker(chunk_size)
        self._start()
        if self._content is not None:
            return _AsyncChunks(chunker, chunker.split(self._content))
        return _AsyncChunks(chunker, iter(()), self._fetch)

    async def save(self, target: str | PathLike[str] | Writable | AsyncWritable) -> None:
        """Write it to a path, or to a file that is open for writing bytes, sync or async.

        An existing file is replaced when the new one is complete; if saving fails, it stays as it was. A file that
        cannot be replaced, such as a mount point or a file in a folder that is not writable, is overwritten in place
        when the new one is complete: an error such as a full disk can then leave it incomplete. Devices and pipes are
        written to directly.

        A path is written to in a thread, an open file in the event loop.

        Raises:
            OSError: If the file cannot be written.
        """
        try:
            chunks = self.iter_bytes()
            if isinstance(target, str | PathLike):
                await save_to_path(target, chunks, is_complete=self._content is not None)
            else:
                write = write_method(target)
                async for chunk in chunks:
                    rest = chunk
                    while rest:
                        written = write(rest)
                        rest = unwritten(target, rest, await written if isawaitable(written) else written)
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Return the connection, or close it if the file was not read to its end."""
        await self._body.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _fetch(self) -> bytes | None:
        """Return the next bytes of a streamed file; None at its end."""
        failure = None
        try:
            piece = await anext(self._body, None)
            if piece is not None:
                return piece
        except TRANSPORT_ERRORS as error:
            failure = self._failure(error)
        except BaseException:
            await self.aclose()
            raise
        await self.aclose()
        # Outside of the `except` block, so that the error does not keep the one that it replaces as its context.
        if failure is not None:
            raise failure
        return None


class _AsyncChunks(AsyncIterator[bytes]):
    """The chunks of an `AsyncFile`; not a generator, as trio warns of one that is left before its end.

    Args:
        chunker: Cuts the chunks.
        ready: The chunks that were received.
        fetch: A method of the file, which lives on while it is read; None if all chunks are there.
    """

    def __init__(
        self, chunker: Chunker, ready: Iterator[bytes], fetch: Callable[[], Awaitable[bytes | None]] | None = None
    ) -> None:
        self._chunker = chunker
        self._ready = ready
        self._fetch = fetch

    async def __anext__(self) -> bytes:
        while (chunk := next(self._ready, None)) is None:
            if self._fetch is None:
                raise StopAsyncIteration
            piece = await self._fetch()
            if piece is None:
                self._fetch = None
                self._ready = self._chunker.flush()
            else:
                self._ready = self._chunker.feed(piece)
        return chunk


def _close_quietly(response: httpx.Response) -> None:
    with suppress(Exception):
        response.close()
