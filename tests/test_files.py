"""Responses that are files, over a transport that counts the bytes it sends."""

from __future__ import annotations

import errno
import gc
import gzip
import os
import socket
import subprocess
import sys
import warnings
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any, Never, cast

import anyio
import httpx
import pytest
import trio

from pictify_client import (
    UNSET,
    APIConnectionError,
    APIStatusError,
    AsyncFile,
    AsyncPictify,
    File,
    NotFoundError,
    Pictify,
    PictifyError,
    ResponseDecodeError,
)

from .replay import KEY
from .servers import Connection, async_forms, forms, http, served

BIG = [b"x" * 50_000, b"y" * 50_000]
ALL = b"".join(BIG)


class Parts(AsyncIterator[bytes]):
    """Not a generator, because trio warns of an unfinished one."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self.parts = parts

    async def __anext__(self) -> bytes:
        for part in self.parts:
            return part
        raise StopAsyncIteration


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in two parts, which may break off between them."""

    def __init__(self, content: bytes | None = None, *, broken: bool = False) -> None:
        self.parts = BIG if content is None else [content]
        self.broken = broken
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield self.parts[0]
        if self.broken:
            raise httpx.ReadError(f"broken: {KEY}")
        yield from self.parts[1:]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return Parts(iter(self))

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


def transport(status: int = 200, **parts: Any) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: httpx.Response(status, **parts))


def sync_client(transport: httpx.MockTransport) -> Pictify:
    return Pictify(api_key=KEY, max_retries=0, http_client=httpx.Client(transport=transport))


def async_client(transport: httpx.MockTransport) -> AsyncPictify:
    return AsyncPictify(api_key=KEY, max_retries=0, http_client=httpx.AsyncClient(transport=transport))


def headers(**more: str) -> dict[str, str]:
    return {"content-type": "image/png; q=1", **{name.replace("_", "-"): value for name, value in more.items()}}


def failure(error: Exception) -> APIConnectionError:
    return APIConnectionError(f"no complete response ({type(error).__name__})")


def response_with(body: Body | bytes, **more: str) -> httpx.Response:
    stream = Body(body) if isinstance(body, bytes) else body
    request = httpx.Request("GET", "https://api.pictify.io/b/b.png")
    return httpx.Response(200, stream=stream, headers=headers(**more), request=request)


def streamed(body: Body | bytes, **more: str) -> File:
    return File(response_with(body, **more), failure, None)


def async_streamed(body: Body | bytes, **more: str) -> AsyncFile:
    return AsyncFile(response_with(body, **more), failure, None)


def in_memory(content: bytes) -> File:
    return File(response_with(content), failure, content)


Save = Callable[[Body | bytes, Any], None]


def saving(form: str, *, complete: bool = False) -> Save:
    """Return a function that saves a body, streamed unless it is complete already."""

    def save(body: Body | bytes, target: Any) -> None:
        content = cast("bytes", body) if complete else None
        if form == "sync":
            File(response_with(body), failure, content).save(target)
            return

        async def run() -> None:
            await AsyncFile(response_with(body), failure, content).save(target)

        anyio.run(run, backend=form)

    return save


def test_a_file_in_memory_has_a_size() -> None:
    image = streamed(Body())
    size = len(image.read())
    assert repr(image) == f"<File image/png, {size} bytes>"


def test_a_streamed_file_is_saved_to_a_path_and_to_an_open_file(tmp_path: Path) -> None:
    body = Body()
    image = streamed(body, etag='"1"')
    assert (image.content_type, image.content_length, image.etag, image.not_modified) == (
        "image/png",
        None,
        '"1"',
        False,
    )
    assert repr(image) == "<File image/png, unknown bytes>"
    assert body.closed == 0
    (tmp_path / "hero.png").write_bytes(b"old")
    image.save(tmp_path / "hero.png")
    assert (tmp_path / "hero.png").read_bytes() == ALL
    assert body.closed > 0
    with pytest.raises(PictifyError, match="streamed already"):
        image.read()
    file = BytesIO()
    streamed(Body()).save(file)
    assert file.getvalue() == ALL
    with streamed(Body()) as image:
        assert next(image.iter_bytes(10)) == b"x" * 10
    with streamed(Body()) as image:
        pass
    with pytest.raises(PictifyError, match="closed before it was read"):
        image.read()


def test_a_streamed_file_that_was_read_is_in_memory(tmp_path: Path) -> None:
    with streamed(Body()) as image:
        assert image.read() == ALL
    image.save(tmp_path / "hero.png")
    assert (tmp_path / "hero.png").read_bytes() == image.read() == ALL

    async def run() -> None:
        async with async_streamed(Body()) as image:
            assert await image.read() == ALL
        await image.save(tmp_path / "async.png")
        assert (tmp_path / "async.png").read_bytes() == await image.read() == ALL
        assert [len(chunk) async for chunk in image.iter_bytes(60_000)] == [60_000, 40_000]

    anyio.run(run)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_file_is_streamed_in_async_code(tmp_path: Path, backend: str) -> None:
    async def run() -> None:
        await async_streamed(Body()).save(tmp_path / "hero.png")
        async with async_streamed(Body()) as image, await anyio.open_file(tmp_path / "other.png", "wb") as file:
            await image.save(file)
        memory = BytesIO()
        await async_streamed(Body()).save(memory)
        assert memory.getvalue() == ALL
        async with async_streamed(Body()) as image:
            async for chunk in image.iter_bytes(10):
                assert chunk == b"x" * 10
                break
        async with async_streamed(Body()) as image:
            assert image.content_length is None
            assert [len(chunk) async for chunk in image.iter_bytes(60_000)] == [60_000, 40_000]
            with pytest.raises(PictifyError, match="streamed already"):
                image.iter_bytes()
        broken = async_streamed(Body(broken=True))
        with pytest.raises(APIConnectionError, match="no complete response"):
            await broken.save(tmp_path / "broken.png")
        small = await async_client(transport(content=b"png")).url_rendering.render_binding("b", "png")
        assert (await small.read(), await small.read()) == (b"png", b"png")
        async for chunk in small.iter_bytes(1):
            assert chunk == b"p"
            break
        with pytest.raises(APIConnectionError):
            await async_client(httpx.MockTransport(reject)).url_rendering.render_binding("b", "png")
        announced = {"content-length": "100000"}
        cut = async_client(transport(404, stream=Body(broken=True), headers=announced))
        with pytest.raises(APIConnectionError):
            await cut.url_rendering.render_binding("b", "png")

    anyio.run(run, backend=backend)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hero.png", "other.png"]
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {ALL}


def reject(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("reject", request=request)


def test_an_incomplete_file_leaves_the_old_one_unchanged_and_shows_no_secret(tmp_path: Path) -> None:
    (tmp_path / "hero.png").write_bytes(b"old")
    with pytest.raises(APIConnectionError) as caught:
        sync_client(transport(stream=Body(broken=True))).url_rendering.render_template("t", "png").save(
            str(tmp_path / "hero.png")
        )
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert [path.name for path in tmp_path.iterdir()] == ["hero.png"]
    assert (tmp_path / "hero.png").read_bytes() == b"old"
    with pytest.raises(IsADirectoryError, match="The path is a folder"):
        in_memory(b"png").save(tmp_path)
    with pytest.raises(APIConnectionError):
        sync_client(httpx.MockTransport(reject)).url_rendering.render_template("t", "png")
    with pytest.raises(APIConnectionError):
        sync_client(transport(500, stream=Body(broken=True))).url_rendering.render_template("t", "png")


DAMAGED = {
    "cut off": gzip.compress(ALL)[:-20],
    "empty": b"",
    "with something after its end": gzip.compress(ALL) + b"more",
}


@pytest.mark.parametrize("form", ["sync", "asyncio", "trio"])
@pytest.mark.parametrize("name", DAMAGED)
def test_a_compressed_file_that_is_damaged_is_not_saved(form: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "hero.png").write_bytes(b"old")

    async def save() -> None:
        await async_streamed(DAMAGED[name], content_encoding="gzip").save(tmp_path / "hero.png")

    with pytest.raises(APIConnectionError, match="DecodingError"):
        if form == "sync":
            streamed(DAMAGED[name], content_encoding="gzip").save(tmp_path / "hero.png")
        else:
            anyio.run(save, backend=form)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("hero.png", b"old")]


def test_a_compressed_file_of_several_members_is_read_to_its_end() -> None:
    assert streamed(gzip.compress(BIG[0]) + gzip.compress(BIG[1]), content_encoding="gzip").read() == ALL


def test_304_is_not_an_error_and_404_is() -> None:
    image = sync_client(transport(304)).url_rendering.render_binding("b", "png", if_none_match='"1"')
    assert image.not_modified
    assert "not modified" in repr(image)
    with pytest.raises(PictifyError, match="304 Not Modified"):
        image.read()
    with pytest.raises(APIStatusError):
        sync_client(transport(304)).url_rendering.render_binding("b", "png")
    with pytest.raises(NotFoundError) as caught:
        sync_client(transport(404, content=b"pixel")).url_rendering.render_template("t", "png")
    assert caught.value.response.content == b"pixel"
    redirecting = transport(302, headers={"location": "https://shop.example.com/"})
    assert sync_client(redirecting).experiments.track_click("hero") == "https://shop.example.com/"


def test_urls_are_escaped_and_contain_no_key() -> None:
    urls = sync_client(transport()).url_rendering
    url = urls.template_url("a/b?", "png", variables={"title": "A & B", "n": 1, "on": True}, quality=0.5, token="pk_x")
    assert url == "https://api.pictify.io/r/a%2Fb%3F.png?quality=0.5&title=A%20%26%20B&n=1&on=true&token=pk_x"
    moment = datetime(2026, 1, 29, tzinfo=UTC)
    assert urls.template_url("t", "png", variables={"at": moment}).endswith("?at=2026-01-29T00%3A00%3A00Z")
    assert KEY not in urls.template_url("t", "webp")
    assert urls.template_url("t", "png", variables={"a": None, "b": UNSET, "c": 0}).endswith("/r/t.png?c=0")
    with pytest.raises(ValueError, match="`quality` is another parameter of the operation"):
        urls.template_url("t", "png", variables={"quality": 1, "none": None})
    with pytest.raises(TypeError, match="must be a string, number or boolean"):
        urls.template_url("t", "png", variables={"none": None, "a": []})
    with pytest.raises(ValueError, match="is not valid Unicode"):
        urls.template_url("t", "png", variables={"a": "\ud800"})
    with pytest.raises(ValueError, match="template_uid is too long: the URL would have"):
        urls.template_url("t" * 70_000, "png")
    with pytest.raises(ValueError, match="format must be one of 'png'"):
        urls.binding_url("b", "gif")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_missing_folder_is_an_error_and_the_connection_is_released(tmp_path: Path) -> None:
    body = Body()
    with pytest.raises(FileNotFoundError, match=r"The folder does not exist: .*nowhere"):
        streamed(body).save(tmp_path / "nowhere" / "hero.png")
    assert body.closed > 0


def test_an_invalid_target_is_named() -> None:
    with pytest.raises(TypeError, match=r"save\(\) takes a path or a file open for writing bytes, got bytes"):
        in_memory(b"png").save(cast("Any", b"hero.png"))
    with pytest.raises(ValueError, match="chunk_size must be at least 1 byte, got 0"):
        in_memory(b"png").iter_bytes(0)
    assert list(in_memory(b"png").iter_bytes(1)) == [b"p", b"n", b"g"]

    class Later:
        def __await__(self) -> Iterator[None]:
            yield

    class AsyncTarget:
        def write(self, _: bytes) -> Later:
            return Later()

    with pytest.raises(TypeError, match="The file is async"):
        in_memory(b"png").save(AsyncTarget())


def test_a_file_that_is_not_modified_keeps_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "hero.png").write_bytes(b"old")
    response = httpx.Response(304, request=httpx.Request("GET", "https://api.pictify.io/b/b.png"))
    with pytest.raises(PictifyError, match="304 Not Modified"):
        File(response, failure, b"").save(tmp_path / "hero.png")
    assert (tmp_path / "hero.png").read_bytes() == b"old"


class Target:
    """A file whose `write` accepts only a part of the data, and returns a value that the test chooses."""

    def __init__(self, limit: int = 100_000, returns: object = ...) -> None:
        self.limit = limit
        self.returns = returns
        self.content = b""

    def write(self, data: bytes) -> Any:
        taken = data[: self.limit]
        self.content += taken
        return len(taken) if self.returns is ... else self.returns


class AsyncTarget(Target):
    async def write(self, data: bytes) -> Any:
        return super().write(data)


@forms
@pytest.mark.parametrize("options", [{"limit": 999}, {"returns": True}, {"returns": None}, {"returns": "all"}])
def test_each_byte_is_written_once_whatever_write_returns(form: str, options: dict[str, Any]) -> None:
    target = Target(**options)
    saving(form)(Body(), target)
    assert target.content == ALL


@async_forms
def test_an_async_file_with_partial_writes_receives_all_data(form: str) -> None:
    target = AsyncTarget(limit=999)
    saving(form)(Body(), target)
    assert target.content == ALL


@forms
@pytest.mark.parametrize("target", [Target(limit=0), Target(returns=-1)])
def test_a_file_that_accepts_no_data_is_an_error(form: str, target: Target) -> None:
    body = Body()
    with pytest.raises(OSError, match="the file takes no more"):
        saving(form)(body, target)
    assert body.closed > 0


posix = pytest.mark.skipif(os.name == "nt", reason="Windows has other modes, pipes and devices")


@forms
@posix
def test_a_non_blocking_pipe_that_is_full_is_an_error(form: str) -> None:
    start, end = os.pipe()
    os.set_blocking(end, False)
    with (
        os.fdopen(start, "rb"),
        os.fdopen(end, "wb", buffering=0) as pipe,
        pytest.raises(BlockingIOError, match="The file is non-blocking and full"),
    ):
        saving(form)(ALL * 10, pipe)


@posix
def test_links_and_modes_are_kept(tmp_path: Path) -> None:
    real, link = tmp_path / "real.png", tmp_path / "link.png"
    real.write_bytes(b"old")
    real.chmod(0o600)
    link.symlink_to(real.name)
    in_memory(ALL).save(link)
    assert link.is_symlink()
    assert (real.stat().st_size, real.stat().st_mode & 0o777) == (len(ALL), 0o600)
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name).symlink_to(other)
    in_memory(b"png").save(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"png"


@contextmanager
def reading(descriptor: int | Path) -> Generator[list[bytes]]:
    """Collect the data that is written to a pipe while the `with` block runs."""
    received: list[bytes] = []

    def read() -> None:
        with open(descriptor, "rb") as pipe:  # noqa: PTH123
            received.append(pipe.read())

    thread = Thread(target=read)
    thread.start()
    yield received
    thread.join()


@forms
@posix
def test_devices_and_pipes_are_written_to(form: str, tmp_path: Path) -> None:
    save = saving(form)
    save(Body(), "/dev/null")
    assert Path("/dev/null").is_char_device()
    os.mkfifo(tmp_path / "pipe")
    with reading(tmp_path / "pipe") as received:
        save(Body(), tmp_path / "pipe")
    assert received == [ALL]
    start, end = os.pipe()
    with reading(start) as received:
        save(Body(), f"/dev/fd/{end}")
        os.close(end)
    assert received == [ALL]


@forms
@posix
def test_a_standard_stream_that_is_redirected_to_a_file_is_continued(form: str, tmp_path: Path) -> None:
    with (tmp_path / "output").open("wb", buffering=0) as output:
        output.write(b"before")
        (tmp_path / "link").symlink_to(f"/dev/fd/{output.fileno()}")
        saving(form)(Body(), tmp_path / "link")
        output.write(b"after")
    assert (tmp_path / "output").read_bytes() == b"before" + ALL + b"after"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "output"]


@posix
def test_standard_output_may_be_a_socket() -> None:
    ours, theirs = socket.socketpair()
    code = (
        "import httpx; from pictify_client import File; "
        "File(httpx.Response(200, request=httpx.Request('GET', 'http://a')), None, b'png').save('/dev/stdout')"
    )
    with ours, theirs:
        subprocess.run([sys.executable, "-c", code], stdout=theirs.fileno(), check=True)  # noqa: S603
        assert ours.recv(100) == b"png"


def busy(*_: object) -> Never:
    raise OSError(errno.EBUSY, "Device or resource busy")


@forms
def test_a_mount_point_is_overwritten_in_place_once_the_file_is_complete(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "replace", busy)
    path = tmp_path / "hero.png"
    path.write_bytes(b"o" * 200_000)
    inode = path.stat().st_ino
    with pytest.raises(APIConnectionError):
        saving(form)(Body(broken=True), path)
    assert path.stat().st_size == 200_000
    saving(form)(Body(), path)
    assert path.read_bytes() == ALL
    assert path.stat().st_ino == inode
    assert list(tmp_path.iterdir()) == [path]


def forbid_new_files(monkeypatch: pytest.MonkeyPatch, code: int, *also: str) -> None:
    """Forbid creating files in a folder; existing ones can be opened."""
    opened: Any = Path.open

    def open_path(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.suffix == ".part":
            raise OSError(code, os.strerror(code))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", open_path)
    for name in also:
        monkeypatch.setattr(f"tempfile.{name}", busy)


@forms
@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_file_in_a_folder_that_is_not_writable_is_overwritten_once_the_new_one_is_complete(
    form: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_new_files(monkeypatch, code)
    path, new = tmp_path / "hero.png", tmp_path / "new.png"
    path.write_bytes(b"o" * 200_000)
    with pytest.raises(APIConnectionError):
        saving(form)(Body(broken=True), path)
    assert path.stat().st_size == 200_000
    saving(form)(Body(), path)
    assert path.read_bytes() == ALL
    with pytest.raises(APIConnectionError):
        saving(form)(Body(broken=True), new)
    assert list(tmp_path.iterdir()) == [path]
    saving(form)(Body(), new)
    assert new.read_bytes() == ALL


@forms
def test_content_in_memory_needs_no_temporary_file(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid_new_files(monkeypatch, errno.EACCES, "TemporaryFile")
    path = tmp_path / "hero.png"
    path.write_bytes(b"o" * 200_000)
    with pytest.raises(OSError, match="busy"):
        saving(form)(Body(), path)
    assert path.stat().st_size == 200_000
    saving(form, complete=True)(ALL, path)
    assert path.read_bytes() == ALL


def test_a_full_disk_does_not_overwrite_the_file_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid_new_files(monkeypatch, errno.ENOSPC)
    (tmp_path / "hero.png").write_bytes(b"old")
    with pytest.raises(OSError, match="No space left"):
        in_memory(ALL).save(tmp_path / "hero.png")
    assert (tmp_path / "hero.png").read_bytes() == b"old"


def test_content_in_memory_is_read_from_there() -> None:
    def read(response: httpx.Response) -> None:
        response.read()

    client = httpx.Client(transport=transport(content=b"x" * 70_000), event_hooks={"response": [read]})
    image = Pictify(api_key=KEY, max_retries=0, http_client=client).url_rendering.render_template("t", "png")
    assert len(image.read()) == len(image.read()) == 70_000


@pytest.mark.parametrize("kind", ["text/html", "application/json; charset=utf-8"])
def test_an_html_page_instead_of_an_image_is_an_error(kind: str, tmp_path: Path) -> None:
    page = transport(200, stream=Body(), headers={"content-type": kind})
    with pytest.raises(ResponseDecodeError, match="it is not a file"):
        sync_client(page).url_rendering.render_template("t", "png").save(tmp_path / "hero.png")


def test_the_redirect_of_a_click_is_not_followed_by_a_custom_client() -> None:
    hosts: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(302, headers={"location": "https://shop.example.com/"})

    client = httpx.Client(transport=httpx.MockTransport(handle), follow_redirects=True)
    assert (
        Pictify(api_key=KEY, max_retries=0, http_client=client).experiments.track_click("hero")
        == "https://shop.example.com/"
    )
    assert hosts == ["api.pictify.io"]


class Waiting(Body):
    """A body whose second part never arrives."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        class FirstPart(Parts):
            async def __anext__(self) -> bytes:
                part = next(self.parts)
                if part == BIG[1]:
                    await anyio.sleep_forever()
                return part

        return FirstPart(iter(self))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_save_releases_its_connection(tmp_path: Path, backend: str) -> None:
    bodies = [Waiting(), Waiting()]

    async def run() -> None:
        with anyio.CancelScope() as scope:

            class CancellingTarget(Target):
                def write(self, data: bytes) -> Any:
                    scope.cancel()
                    return super().write(data)

            await async_streamed(bodies[0]).save(CancellingTarget())
        assert scope.cancelled_caught
        with anyio.CancelScope() as scope:
            scope.cancel()
            await async_streamed(bodies[1]).save(tmp_path / "hero.png")

    anyio.run(run, backend=backend)
    assert [body.closed > 0 for body in bodies] == [True, True]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_file_may_be_closed_while_another_task_reads_it(backend: str) -> None:
    async def run() -> None:
        body = Waiting()
        image = async_streamed(body)
        chunks = image.iter_bytes()
        await anext(chunks)
        async with anyio.create_task_group() as group:
            group.start_soon(anext, chunks, None)
            await anyio.wait_all_tasks_blocked()
            await image.aclose()
            assert body.closed > 0
            group.cancel_scope.cancel()

    anyio.run(run, backend=backend)


def test_a_dropped_streamed_file_releases_its_connection() -> None:
    body = Body()
    image = streamed(body)
    del image
    assert body.closed == 1
    chunks = streamed(body).iter_bytes()
    next(chunks)
    assert body.closed == 1
    del chunks
    assert body.closed > 1

    class Failing(Body):
        def close(self) -> None:
            raise RuntimeError

    image = streamed(Failing())
    # Nobody could catch an error here.
    del image


async def closed(body: Body) -> bool:
    """Whether a body is closed within some iterations of the event loop."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()
    return body.closed > 0


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_dropped_streamed_file_releases_its_connection_in_its_event_loop(backend: str) -> None:
    kept: list[Any] = []

    async def run() -> None:
        body = Body()
        image = async_streamed(body)
        del image
        assert await closed(body)

        body = Body()
        kept.append(async_streamed(body))
        await anyio.to_thread.run_sync(kept.clear)
        assert await closed(body)

        body = Body()
        async for _ in async_streamed(body).iter_bytes():
            gc.collect()
            assert not await closed(body)
        assert body.closed > 0

        # A closed file has nothing left to release, and one that outlives its loop cannot release it.
        await async_streamed(body).aclose()
        kept.append(async_streamed(Body()))
        # The loop ends before it can close this one.
        async_streamed(Body())

    anyio.run(run, backend=backend)
    kept.clear()


def test_dropping_a_file_while_trio_ends_is_not_an_error() -> None:
    kept: list[AsyncFile] = []

    async def drop_at_the_end() -> None:
        try:
            await trio.sleep_forever()
        finally:
            kept.clear()

    async def run() -> None:
        kept.append(async_streamed(Body()))
        trio.lowlevel.spawn_system_task(drop_at_the_end)
        await trio.lowlevel.checkpoint()

    trio.run(run)
    assert kept == []


PAGE = http(b"x" * 3_000_000, 200, b"content-type: image/png")


def send_page(connection: Connection) -> None:
    connection.receive()
    connection.send(PAGE)
    connection.receive()


@contextmanager
def recorded_warnings() -> Generator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield seen
        gc.collect()


def test_a_partially_read_file_causes_no_warning_in_trio() -> None:
    async def break_in_with(image: AsyncFile) -> None:
        async with image:
            async for _ in image.iter_bytes():
                break

    async def break_and_close(image: AsyncFile) -> None:
        async for _ in image.iter_bytes(1000):
            break
        await image.aclose()

    async def break_and_drop(image: AsyncFile) -> None:
        async for _ in image.iter_bytes():
            break

    async def cancel(image: AsyncFile) -> None:
        with trio.CancelScope() as scope:
            async with image:
                async for _ in image.iter_bytes():
                    scope.cancel()

    async def drop_unread(_: AsyncFile) -> None:
        pass

    async def close_unread(image: AsyncFile) -> None:
        await image.aclose()

    async def run() -> None:
        for leave in (break_in_with, break_and_close, break_and_drop, cancel, drop_unread, close_unread):
            with served(send_page) as server:
                async with httpx.AsyncClient() as client:
                    request = client.build_request("GET", server.base_url)
                    await leave(AsyncFile(await client.send(request, stream=True), failure, None))
                    # The connection is closed although the client is open, because the server has not sent the complete file.
                    assert await trio.to_thread.run_sync(server.all_closed)

    with recorded_warnings() as seen:
        trio.run(run)
    assert seen == []


def test_a_dropped_file_causes_no_warning_in_asyncio() -> None:
    async def run() -> None:
        with served(send_page) as server:
            async with httpx.AsyncClient() as client:
                request = client.build_request("GET", server.base_url)
                image = AsyncFile(await client.send(request, stream=True), failure, None)
                async for _ in image.iter_bytes():
                    break
                del image
                assert await anyio.to_thread.run_sync(server.all_closed)

    with recorded_warnings() as seen:
        anyio.run(run)
    assert seen == []
