"""Files are written to disk: complete, or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from inspect import isawaitable
from io import RawIOBase
from os import PathLike
from pathlib import Path
from typing import IO, Any

_MAX_LINKS = 40


async def save_to_path(path: str | PathLike[str], chunks: AsyncIterator[bytes], *, is_complete: bool) -> None:
    from anyio import CancelScope, to_thread

    target = opened(path, is_complete=is_complete)
    file = await to_thread.run_sync(target.__enter__)
    try:
        async for chunk in chunks:
            await to_thread.run_sync(file.write, chunk)
    except BaseException as error:
        with CancelScope(shield=True):
            await to_thread.run_sync(target.__exit__, type(error), error, error.__traceback__)
        raise
    with CancelScope(shield=True):
        await to_thread.run_sync(target.__exit__, None, None, None)


class Chunker:
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


def write_method(target: object) -> Callable[[bytes], Any]:
    write = getattr(target, "write", None)
    if write is None:
        raise TypeError(f"save() takes a path or a file open for writing bytes, got {type(target).__name__}")
    method: Callable[[bytes], Any] = write
    return method


def unwritten(target: object, data: bytes, written: object) -> bytes:
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
def opened(target: str | PathLike[str], *, is_complete: bool) -> Generator[IO[bytes]]:
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
    # The target of a link is replaced, not the link.
    path = Path(os.path.realpath(target))
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "The path is a folder: add the name of the file", str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "The folder does not exist", str(path.parent))
    part = path.with_name(f".{os.urandom(8).hex()}.part")
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
