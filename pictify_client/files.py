"""Responses that are files: in memory or streamed, and saved."""

from __future__ import annotations

import errno
import os
import shutil
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from inspect import isawaitable
from io import RawIOBase
from os import PathLike
from pathlib import Path
from secrets import token_hex
from typing import IO, Any, Protocol, Self
from weakref import finalize

import httpx
from anyio import CancelScope, to_thread

from ._runtime.bodies import AsyncBody, announced_size, close_when_collected, iter_body
from .errors import PictifyError

TRANSPORT_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError)
"""What httpx raises if there is no complete response.

OSError, as a broken TLS record causes one that httpx passes on as it is. ValueError, because the request is valid at
that point: it is about something that the server sent, such as a cookie.
"""

_MAX_LINKS = 40
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
    """What `File` and `AsyncFile` have in common.

    Args:
        response: The response.
        failure: Returns what to raise for an error of the transport.
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
        size = "not modified" if self.not_modified else f"{self.content_length or 'unknown'} bytes"
        return f"<{type(self).__name__} {self.content_type}, {size}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """What a notebook shows: the image, if it is one in memory."""
        bundle = {"text/plain": repr(self)}
        if self._content is not None and self.content_type in _SHOWN_TYPES:
            bundle[self.content_type] = b64encode(self._content).decode()
        return bundle

    @property
    def content_type(self) -> str:
        """Media type, such as `image/png`; empty if the response has none."""
        return str(self._response.headers.get("content-type", "")).partition(";")[0].strip().lower()

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
        chunker = _Chunker(chunk_size)
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
                with _opened(target, is_complete=self._content is not None) as file:
                    for chunk in chunks:
                        file.write(chunk)
            else:
                write = _write_method(target)
                for chunk in chunks:
                    rest = chunk
                    while rest:
                        rest = _unwritten(target, rest, write(rest))
        finally:
            self.close()

    def close(self) -> None:
        """Return the connection, or close it if the file was not read to its end."""
        self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _chunks(self, chunker: _Chunker) -> Generator[bytes]:
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
        chunker = _Chunker(chunk_size)
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
                await _save_to_path(target, chunks, is_complete=self._content is not None)
            else:
                write = _write_method(target)
                async for chunk in chunks:
                    rest = chunk
                    while rest:
                        written = write(rest)
                        rest = _unwritten(target, rest, await written if isawaitable(written) else written)
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


async def _save_to_path(path: str | PathLike[str], chunks: AsyncIterator[bytes], *, is_complete: bool) -> None:
    opened = _opened(path, is_complete=is_complete)
    file = await to_thread.run_sync(opened.__enter__)
    try:
        async for chunk in chunks:
            await to_thread.run_sync(file.write, chunk)
    except BaseException as error:
        with CancelScope(shield=True):
            await to_thread.run_sync(opened.__exit__, type(error), error, error.__traceback__)
        raise
    with CancelScope(shield=True):
        await to_thread.run_sync(opened.__exit__, None, None, None)


class _AsyncChunks(AsyncIterator[bytes]):
    """The chunks of an `AsyncFile`; not a generator, as trio warns of one that is left before its end.

    Args:
        chunker: What cuts them.
        ready: The chunks that are there.
        fetch: A method of the file, which lives on while it is read; None if all chunks are there.
    """

    def __init__(
        self, chunker: _Chunker, ready: Iterator[bytes], fetch: Callable[[], Awaitable[bytes | None]] | None = None
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


class _Chunker:
    """Cuts bytes into chunks of a size, or leaves them as they are."""

    def __init__(self, size: int | None) -> None:
        if size is not None and size < 1:
            raise ValueError(f"chunk_size must be at least 1 byte, got {size!r}")
        self._size = size
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Return the next complete chunks."""
        if self._size is None:
            return iter((data,))
        self._rest += data
        end = len(self._rest) - len(self._rest) % self._size
        chunks = self.split(bytes(self._rest[:end]))
        del self._rest[:end]
        return chunks

    def flush(self) -> Iterator[bytes]:
        """Return what is left, as a chunk that may be shorter."""
        return iter((bytes(self._rest),) if self._rest else ())

    def split(self, data: bytes) -> Iterator[bytes]:
        """Return the chunks of all of the bytes."""
        size = self._size or max(len(data), 1)
        return (data[start : start + size] for start in range(0, len(data), size))


def _close_quietly(response: httpx.Response) -> None:
    with suppress(Exception):
        response.close()


def _write_method(target: object) -> Callable[[bytes], Any]:
    write = getattr(target, "write", None)
    if write is None:
        raise TypeError(f"save() takes a path or a file open for writing bytes, got {type(target).__name__}")
    method: Callable[[bytes], Any] = write
    return method


def _unwritten(target: object, data: bytes, written: object) -> bytes:
    """Return what is left to be written, according to what `write` has returned."""
    if isawaitable(written):
        raise TypeError("The file is async: use the save() of an AsyncFile")
    if written is None and isinstance(target, RawIOBase):
        raise BlockingIOError(errno.EAGAIN, "The file is non-blocking and full; save() needs one that blocks")
    # A raw file may write a part of the data. Others write all of it, and may return anything, such as True.
    if not isinstance(written, int) or isinstance(written, bool):
        return b""
    if written < 1:
        raise OSError(errno.EIO, f"write() returned {written} for {len(data)} bytes: the file takes no more")
    return data[written:]


@contextmanager
def _opened(target: str | PathLike[str], *, is_complete: bool) -> Generator[IO[bytes]]:
    """Open a file to write, which is at the path once the `with` block ends without an error.

    Args:
        target: The path.
        is_complete: Whether all of the content is in memory, so that no network error ends the block.
    """
    descriptor = _own_descriptor(target)
    if descriptor is not None:
        # To open it by its path would truncate a file that it was redirected to, or fail for a socket.
        with os.fdopen(os.dup(descriptor), "wb") as file:
            yield file
        return
    given = Path(target)
    if given.exists() and not given.is_file() and not given.is_dir():
        # A pipe or a device cannot be replaced.
        with given.open("wb") as file:
            yield file
        return
    # What a link leads to is replaced, not the link.
    path = Path(os.path.realpath(target))
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "The path is a folder: add the name of the file", str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "The folder does not exist", str(path.parent))
    part = path.with_name(f".{token_hex(8)}.part")
    try:
        file = part.open("xb")
    except OSError as error:
        if not isinstance(error, PermissionError) and error.errno != errno.EROFS:
            raise
        # The file itself may be writable even so.
        opened: Any = _opened_in_place(path, is_complete=is_complete)
    else:
        opened = _opened_beside(path, part, file)
    with opened as file:
        yield file


@contextmanager
def _opened_beside(path: Path, part: Path, file: IO[bytes]) -> Generator[IO[bytes]]:
    """Write another file, which replaces the one at the path when it is complete."""
    try:
        with file:
            yield file
        try:
            if path.exists():
                shutil.copymode(path, part)
            part.replace(path)
        except OSError:
            # A mount point cannot be replaced, nor a file of another user in a folder such as /tmp.
            with part.open("rb") as complete, _opened_for_update(path) as existing:
                existing.truncate()
                shutil.copyfileobj(complete, existing)
            part.unlink()
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def _opened_in_place(path: Path, *, is_complete: bool) -> Generator[IO[bytes]]:
    """Overwrite a file, once the new content is complete; until then, that is in a temporary file elsewhere."""
    from tempfile import TemporaryFile

    is_new = not path.exists()
    with _opened_for_update(path) as existing:
        try:
            if is_complete:
                existing.truncate()
                yield existing
                return
            with TemporaryFile() as complete:
                yield complete
                complete.seek(0)
                existing.truncate()
                shutil.copyfileobj(complete, existing)
        except BaseException:
            if is_new:
                with suppress(OSError):
                    path.unlink()
            raise


def _opened_for_update(path: Path) -> IO[bytes]:
    """Open a file to overwrite it. It keeps its content at first, and need not be readable."""
    return open(path, "wb", opener=lambda name, flags: os.open(name, flags & ~os.O_TRUNC, 0o666))


def _own_descriptor(target: str | PathLike[str]) -> int | None:
    """Return the file descriptor of this process that a path stands for, such as 1 for `/dev/stdout`; or None."""
    path = os.fspath(target)
    folders = ("/dev/fd", f"/proc/{os.getpid()}/fd")
    for _ in range(_MAX_LINKS):
        folder, name = os.path.split(path)
        folder = os.path.realpath(folder or os.curdir)
        if folder in folders and name.isdecimal():
            return int(name)
        if not os.path.islink(path):  # noqa: PTH114
            return None
        path = os.path.join(folder, os.readlink(path))  # noqa: PTH115, PTH118
    return None
