"""Answers that are files: streamed, so that no image has to fit in memory."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import aclosing, contextmanager, suppress
from inspect import isawaitable
from os import PathLike
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Protocol, cast

import httpx

from .errors import PictifyError

if TYPE_CHECKING:
    from typing import Self

TRANSPORT_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError)
"""What httpx raises when no whole answer came.

An OSError, as a broken TLS record makes one that reaches us as it is. A ValueError, since the request
is good by then: it is of something that the server sent, such as a cookie.
"""


class Writable(Protocol):
    """A file that is open for writing bytes."""

    def write(self, data: bytes, /) -> Any:
        """Take some bytes."""


class AsyncWritable(Protocol):
    """A file that is open for writing bytes, whose `write` is awaited."""

    def write(self, data: bytes, /) -> Awaitable[Any]:
        """Take some bytes."""
        raise NotImplementedError


class _File:
    """What `File` and `AsyncFile` have in common."""

    def __init__(
        self, response: httpx.Response, failure: Callable[[Exception], PictifyError], content: bytes | None
    ) -> None:
        self._response = response
        self._failure = failure
        self._content = content

    def __repr__(self) -> str:
        size = "not modified" if self.not_modified else f"{self.content_length or 'unknown'} bytes"
        return f"<{type(self).__name__} {self.content_type}, {size}>"

    @property
    def content_type(self) -> str:
        """Media type, such as `image/png`; empty where the answer names none."""
        return str(self._response.headers.get("content-type", "")).partition(";")[0].strip().lower()

    @property
    def content_length(self) -> int | None:
        """Size in bytes as it is sent, compressed or not; None where the answer does not announce it."""
        text = self._response.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None

    @property
    def etag(self) -> str | None:
        """What tells this version from others (`ETag`), for `if_none_match` in a later call; or None."""
        tag: str | None = self._response.headers.get("etag")
        return tag

    @property
    def not_modified(self) -> bool:
        """Whether the version that `if_none_match` named is still the latest (304): then there is nothing to read."""
        return self._response.status_code == 304

    def _check(self, chunk_size: int | None) -> None:
        if chunk_size is not None and chunk_size < 1:
            raise ValueError(f"chunk_size must be at least 1 byte, got {chunk_size!r}")
        if self.not_modified:
            raise PictifyError(
                "there is no file in this answer (304 Not Modified): the copy that you have is the latest"
            )
        if self._content is not None:
            return
        if self._response.is_stream_consumed:
            raise PictifyError("this file was read already, and is not kept in memory: read it once, or call again")
        if self._response.is_closed:
            raise PictifyError("this file was closed before it was read: read it inside its `with` block")


class File(_File):
    """A file that the API answers with.

    It comes in as it is read, so it is read once; a small one (up to 64 KiB) is there whole, and as
    often as you like. Read it to its end or close it, by `close()` or in a `with` block: until then
    it holds a connection.

    Reading raises an `APIConnectionError` where the connection breaks, and a `PictifyError` where
    there is nothing to read (any more).
    """

    def read(self) -> bytes:
        """All of it."""
        return b"".join(self.iter_bytes())

    def iter_bytes(self, chunk_size: int | None = None) -> Generator[bytes]:
        """Its bytes, as they come in.

        Args:
            chunk_size: How many bytes at a time; as many as come at once, unless given.
        """
        self._check(chunk_size)
        return self._chunks(chunk_size)

    def save(self, target: str | PathLike[str] | Writable) -> None:
        """Write it to a path, or to a file open for writing bytes.

        A file that is there already is replaced once the new one is whole; if that fails, it stays as it was.

        Raises:
            OSError: The file cannot be written.
        """
        try:
            with _opened(target) as write:
                for chunk in self.iter_bytes():
                    _write_all(write, chunk)
        finally:
            self.close()

    def close(self) -> None:
        """Give the connection back, or up if there is more to come."""
        self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _chunks(self, chunk_size: int | None) -> Generator[bytes]:
        if self._content is not None:
            yield from _cut(self._content, chunk_size)
            return
        failure = None
        try:
            yield from self._response.iter_bytes(chunk_size)
        except TRANSPORT_ERRORS as error:
            failure = self._failure(error)
        finally:
            self._response.close()
        # Out here, as an error keeps the one that it is raised under.
        if failure is not None:
            raise failure


class AsyncFile(_File):
    """A file that the API answers with, for async code.

    It comes in as it is read, so it is read once; a small one (up to 64 KiB) is there whole, and as
    often as you like. Read it to its end or close it, by `aclose()` or in an `async with` block:
    until then it holds a connection.

    Reading raises an `APIConnectionError` where the connection breaks, and a `PictifyError` where
    there is nothing to read (any more).
    """

    _reading: AsyncGenerator[bytes] | None = None

    async def read(self) -> bytes:
        """All of it."""
        return b"".join([chunk async for chunk in self.iter_bytes()])

    def iter_bytes(self, chunk_size: int | None = None) -> AsyncGenerator[bytes]:
        """Its bytes, as they come in.

        Args:
            chunk_size: How many bytes at a time; as many as come at once, unless given.
        """
        self._check(chunk_size)
        self._reading = self._chunks(chunk_size)
        return self._reading

    async def save(self, target: str | PathLike[str] | Writable | AsyncWritable) -> None:
        """Write it to a path, or to a file open for writing bytes, sync or async.

        A file that is there already is replaced once the new one is whole; if that fails, it stays as it was.

        Raises:
            OSError: The file cannot be written.
        """
        # httpx brings it, for its own async I/O.
        from anyio import to_thread

        try:
            with _opened(target) as write:
                in_thread = isinstance(target, str | PathLike)
                async for chunk in self.iter_bytes():
                    if in_thread:
                        await to_thread.run_sync(_write_all, write, chunk)
                    elif isawaitable(written := write(chunk)):
                        await written
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Give the connection back, or up if there is more to come."""
        if self._reading is not None:
            # It is running where another task reads; the response ends that.
            with suppress(RuntimeError):
                await self._reading.aclose()
        await self._response.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _chunks(self, chunk_size: int | None) -> AsyncGenerator[bytes]:
        if self._content is not None:
            for chunk in _cut(self._content, chunk_size):
                yield chunk
            return
        failure = None
        try:
            # A generator, whatever its annotation says, and left by `break` it would not end by itself.
            chunks = cast("AsyncGenerator[bytes]", self._response.aiter_bytes(chunk_size))
            async with aclosing(chunks):
                async for chunk in chunks:
                    yield chunk
        except TRANSPORT_ERRORS as error:
            failure = self._failure(error)
        finally:
            await self._response.aclose()
        if failure is not None:
            raise failure


def _cut(content: bytes, chunk_size: int | None) -> Iterator[bytes]:
    size = chunk_size or max(len(content), 1)
    return (content[start : start + size] for start in range(0, len(content), size))


@contextmanager
def _opened(target: object) -> Generator[Callable[[bytes], Any]]:
    """What writes to a path, which has all of it at the end or none; or to a file that is open."""
    if not isinstance(target, str | PathLike):
        write = getattr(target, "write", None)
        if write is None:
            kind = type(target).__name__
            raise TypeError(f"save takes a path, or a file open for writing bytes, got {kind}")
        yield write
        return
    # Through links, to what they lead to.
    path = Path(os.path.realpath(target))
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name the file in it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} does not exist")
    if path.exists() and not path.is_file():
        # A pipe or a device cannot be replaced.
        with path.open("wb") as file:
            yield file.write
        return
    part = path.with_name(f".{token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            yield file.write
        if path.exists():
            shutil.copymode(path, part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _write_all(write: Callable[[bytes], Any], chunk: bytes) -> None:
    while chunk:
        written = write(chunk)
        if isawaitable(written):
            raise TypeError("this file is async: give it to the save of an AsyncFile")
        # A raw file may take a part of it; what says nothing took all.
        chunk = chunk[written:] if isinstance(written, int) else b""
