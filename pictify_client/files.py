"""Answers that are files: streamed, so that no image has to fit in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, closing
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

    def __init__(self, response: httpx.Response, failure: Callable[[Exception], PictifyError], *, whole: bool) -> None:
        self._response = response
        self._failure = failure
        self._whole = whole

    def __repr__(self) -> str:
        size = "not modified" if self.not_modified else f"{self.content_length or 'unknown'} bytes"
        return f"<{type(self).__name__} {self.content_type}, {size}>"

    @property
    def content_type(self) -> str:
        """Media type, such as `image/png`; empty where the answer names none."""
        return str(self._response.headers.get("content-type", "")).partition(";")[0].strip().lower()

    @property
    def content_length(self) -> int | None:
        """Size in bytes, as the answer announces it; None where it does not."""
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

    def _check(self) -> None:
        if self.not_modified:
            raise PictifyError(
                "there is no file in this answer (304 Not Modified): the copy that you have is the latest"
            )
        if self._response.is_stream_consumed and not self._whole:
            raise PictifyError("this file was read already, and is not kept in memory: read it once, or call again")
        if self._response.is_closed and not self._whole:
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
        self._check()
        return self._chunks(chunk_size)

    def save(self, target: str | PathLike[str] | Writable) -> None:
        """Write it to a path, or to a file open for writing bytes.

        A file that is there already is replaced once the new one is whole; if that fails, it stays as it was.

        Raises:
            OSError: The file cannot be written.
        """
        if not isinstance(target, str | PathLike):
            for chunk in self.iter_bytes():
                target.write(chunk)
            return
        path, part = _paths(target)
        chunks = self.iter_bytes()
        with closing(chunks):
            try:
                with part.open("xb") as file:
                    for chunk in chunks:
                        file.write(chunk)
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise

    def close(self) -> None:
        """Give the connection back, or up if there is more to come."""
        self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _chunks(self, chunk_size: int | None) -> Generator[bytes]:
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
        self._check()
        self._reading = self._chunks(chunk_size)
        return self._reading

    async def save(self, target: str | PathLike[str] | Writable | AsyncWritable) -> None:
        """Write it to a path, or to a file open for writing bytes, sync or async.

        A file that is there already is replaced once the new one is whole; if that fails, it stays as it was.

        Raises:
            OSError: The file cannot be written.
        """
        # httpx brings it, for its own async I/O.
        from anyio import open_file, to_thread

        if not isinstance(target, str | PathLike):
            async for chunk in self.iter_bytes():
                written = target.write(chunk)
                if isawaitable(written):
                    await written
            return
        path, part = _paths(target)
        async with aclosing(self.iter_bytes()) as chunks:
            try:
                async with await open_file(part, "xb") as file:
                    async for chunk in chunks:
                        await file.write(chunk)
                await to_thread.run_sync(part.replace, path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise

    async def aclose(self) -> None:
        """Give the connection back, or up if there is more to come."""
        if self._reading is not None:
            await self._reading.aclose()
        await self._response.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _chunks(self, chunk_size: int | None) -> AsyncGenerator[bytes]:
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


def _paths(target: str | PathLike[str]) -> tuple[Path, Path]:
    """Where a file goes, and where it is while it is not whole."""
    path = Path(target)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name the file in it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} does not exist")
    return path, path.with_name(f".{path.name}.{token_hex(4)}.part")
