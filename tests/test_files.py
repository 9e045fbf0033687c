"""Answers that are files, over a transport that counts what it gives."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from pictify_client import (
    UNSET,
    APIConnectionError,
    APIStatusError,
    AsyncPictify,
    NotFoundError,
    Pictify,
    PictifyError,
    ResponseDecodeError,
)

from .replay import KEY

BIG = [b"x" * 50_000, b"y" * 50_000]


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in two parts, which may break off between them."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield BIG[0]
        if self.broken:
            raise httpx.ReadError(f"broken, said {KEY}")
        yield BIG[1]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


def transport(status: int = 200, **parts: Any) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: httpx.Response(status, **parts))


def sync_client(answer: httpx.MockTransport) -> Pictify:
    return Pictify(api_key=KEY, max_retries=0, http_client=httpx.Client(transport=answer))


def async_client(answer: httpx.MockTransport) -> AsyncPictify:
    return AsyncPictify(api_key=KEY, max_retries=0, http_client=httpx.AsyncClient(transport=answer))


def headers(**more: str) -> dict[str, str]:
    return {"content-type": "image/png; q=1", **{name.replace("_", "-"): value for name, value in more.items()}}


def test_a_file_is_streamed_to_a_path_and_to_an_open_file(tmp_path: Path) -> None:
    body = Body()
    image = sync_client(transport(stream=body, headers=headers(etag='"1"'))).url_rendering.render_binding("b", "png")
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
    assert (tmp_path / "hero.png").read_bytes() == b"".join(BIG)
    assert body.closed > 0
    with pytest.raises(PictifyError, match="read already"):
        image.read()
    file = BytesIO()
    sync_client(transport(stream=Body())).url_rendering.render_binding("b", "png").save(file)
    assert file.getvalue() == b"".join(BIG)
    with sync_client(transport(stream=Body())).url_rendering.render_binding("b", "png") as image:
        assert next(image.iter_bytes(10)) == b"x" * 10
    with sync_client(transport(stream=Body())).url_rendering.render_binding("b", "png") as image:
        pass
    with pytest.raises(PictifyError, match="closed before it was read"):
        image.read()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_file_is_streamed_in_async_code(tmp_path: Path, backend: str) -> None:
    async def run() -> None:
        image = await async_client(transport(stream=Body())).url_rendering.render_binding("b", "png")
        await image.save(tmp_path / "hero.png")
        image = await async_client(transport(stream=Body())).url_rendering.render_binding("b", "png")
        async with image, await anyio.open_file(tmp_path / "other.png", "wb") as file:
            await image.save(file)
        memory = BytesIO()
        await (await async_client(transport(stream=Body())).url_rendering.render_binding("b", "png")).save(memory)
        assert memory.getvalue() == b"".join(BIG)
        # httpx leaves a generator of its own behind when a loop is left early, of which trio warns.
        if backend == "asyncio":
            async with await async_client(transport(stream=Body())).url_rendering.render_binding("b", "png") as image:
                async for chunk in image.iter_bytes(10):
                    assert chunk == b"x" * 10
                    break
        async with await async_client(transport(stream=Body())).url_rendering.render_binding("b", "png") as image:
            assert image.content_length is None
        broken = await async_client(transport(stream=Body(broken=True))).url_rendering.render_binding("b", "png")
        with pytest.raises(APIConnectionError, match="no whole answer"):
            await broken.save(tmp_path / "broken.png")
        small = await async_client(transport(content=b"png")).url_rendering.render_binding("b", "png")
        assert (await small.read(), await small.read()) == (b"png", b"png")
        with pytest.raises(APIConnectionError):
            await async_client(httpx.MockTransport(refused)).url_rendering.render_binding("b", "png")
        announced = {"content-length": "100000"}
        cut = async_client(transport(404, stream=Body(broken=True), headers=announced))
        with pytest.raises(APIConnectionError):
            await cut.url_rendering.render_binding("b", "png")

    anyio.run(run, backend=backend)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hero.png", "other.png"]
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {b"".join(BIG)}


def refused(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def test_a_file_that_breaks_off_leaves_what_was_there_and_no_secret(tmp_path: Path) -> None:
    (tmp_path / "hero.png").write_bytes(b"old")
    image = sync_client(transport(stream=Body(broken=True))).url_rendering.render_template("t", "png")
    with pytest.raises(APIConnectionError) as caught:
        image.save(str(tmp_path / "hero.png"))
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert [path.name for path in tmp_path.iterdir()] == ["hero.png"]
    assert (tmp_path / "hero.png").read_bytes() == b"old"
    with pytest.raises(IsADirectoryError, match="name the file in it"):
        sync_client(transport(content=b"png")).url_rendering.render_template("t", "png").save(tmp_path)
    with pytest.raises(APIConnectionError):
        sync_client(httpx.MockTransport(refused)).url_rendering.render_template("t", "png")
    with pytest.raises(APIConnectionError):
        sync_client(transport(500, stream=Body(broken=True))).url_rendering.render_template("t", "png")


def test_304_and_404_are_what_they_are() -> None:
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
    answer = transport(302, headers={"location": "https://shop.example.com/"})
    assert sync_client(answer).experiments.track_click("hero") == "https://shop.example.com/"


def test_urls_are_escaped_and_hold_no_key_of_their_own() -> None:
    urls = sync_client(transport()).url_rendering
    url = urls.template_url("a/b?", "png", variables={"title": "A & B", "n": 1, "on": True}, quality=0.5, token="pk_x")
    assert url == "https://api.pictify.io/r/a%2Fb%3F.png?quality=0.5&title=A%20%26%20B&n=1&on=true&token=pk_x"
    moment = datetime(2026, 1, 29, tzinfo=UTC)
    assert urls.template_url("t", "png", variables={"at": moment}).endswith("?at=2026-01-29T00%3A00%3A00Z")
    assert KEY not in urls.template_url("t", "webp")
    assert urls.template_url("t", "png", variables={"a": None, "b": UNSET, "c": 0}).endswith("/r/t.png?c=0")
    with pytest.raises(ValueError, match="`quality` means something else there"):
        urls.template_url("t", "png", variables={"quality": 1, "none": None})
    with pytest.raises(TypeError, match="must be a string, number or boolean"):
        urls.template_url("t", "png", variables={"none": None, "a": []})
    with pytest.raises(ValueError, match="is no Unicode text"):
        urls.template_url("t", "png", variables={"a": "\ud800"})
    with pytest.raises(ValueError, match="template_uid is too long for a URL"):
        urls.template_url("t" * 70_000, "png")
    with pytest.raises(ValueError, match="format must be one of 'png'"):
        urls.binding_url("b", "gif")


def test_a_folder_that_does_not_exist_is_named_and_the_connection_given_back(tmp_path: Path) -> None:
    body = Body()
    image = sync_client(transport(stream=body)).url_rendering.render_template("t", "png")
    with pytest.raises(FileNotFoundError, match=r"the folder .*nowhere does not exist"):
        image.save(tmp_path / "nowhere" / "hero.png")
    assert body.closed > 0


def test_what_cannot_be_written_to_is_named() -> None:
    def image() -> Any:
        return sync_client(transport(content=b"png")).url_rendering.render_template("t", "png")

    with pytest.raises(TypeError, match="save takes a path, or a file open for writing bytes, got bytes"):
        image().save(b"hero.png")
    with pytest.raises(ValueError, match="chunk_size must be at least 1 byte, got 0"):
        image().iter_bytes(0)
    assert list(image().iter_bytes(1)) == [b"p", b"n", b"g"]

    class Later:
        def __await__(self) -> Iterator[None]:
            yield

    class AsyncTarget:
        def write(self, _: bytes) -> Later:
            return Later()

    with pytest.raises(TypeError, match="this file is async"):
        image().save(AsyncTarget())


@pytest.mark.skipif(os.name == "nt", reason="Windows has other modes, and no /dev/null")
def test_links_modes_pipes_and_raw_files_stay_what_they_are(tmp_path: Path) -> None:
    def save(target: Any) -> None:
        sync_client(transport(content=b"x" * 70_000)).url_rendering.render_template("t", "png").save(target)

    real, link = tmp_path / "real.png", tmp_path / "link.png"
    real.write_bytes(b"old")
    real.chmod(0o600)
    link.symlink_to(real)
    save(link)
    assert link.is_symlink()
    assert (real.stat().st_size, real.stat().st_mode & 0o777) == (70_000, 0o600)
    save("/dev/null")
    assert Path("/dev/null").is_char_device()

    class Raw(BytesIO):
        def write(self, data: Any) -> int:
            return super().write(data[:1000])

    raw = Raw()
    save(raw)
    assert len(raw.getvalue()) == 70_000


def test_what_is_in_memory_already_is_read_from_there() -> None:
    def read(response: httpx.Response) -> None:
        response.read()

    client = httpx.Client(transport=transport(content=b"x" * 70_000), event_hooks={"response": [read]})
    image = Pictify(api_key=KEY, max_retries=0, http_client=client).url_rendering.render_template("t", "png")
    assert len(image.read()) == len(image.read()) == 70_000


@pytest.mark.parametrize("kind", ["text/html", "application/json; charset=utf-8"])
def test_a_page_is_no_image(kind: str, tmp_path: Path) -> None:
    answer = transport(200, stream=Body(), headers={"content-type": kind})
    with pytest.raises(ResponseDecodeError, match="it is no file"):
        sync_client(answer).url_rendering.render_template("t", "png").save(tmp_path / "hero.png")


def test_a_click_is_not_followed_by_a_client_that_follows() -> None:
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(302, headers={"location": "https://shop.example.com/"})

    client = httpx.Client(transport=httpx.MockTransport(handle), follow_redirects=True)
    assert (
        Pictify(api_key=KEY, max_retries=0, http_client=client).experiments.track_click("hero")
        == "https://shop.example.com/"
    )
    assert asked == ["api.pictify.io"]


# httpx leaves generators of its own behind when it is cancelled, of which trio warns.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_save_that_is_cancelled_gives_its_connection_back(tmp_path: Path, backend: str) -> None:
    bodies: list[Body] = []

    async def run() -> None:
        for target in (tmp_path / "hero.png", BytesIO()):
            bodies.append(Body())
            image = await async_client(transport(stream=bodies[-1])).url_rendering.render_template("t", "png")
            with anyio.CancelScope() as scope:
                scope.cancel()
                await image.save(target)

    anyio.run(run, backend=backend)
    assert [body.closed > 0 for body in bodies] == [True, True]
    assert list(tmp_path.iterdir()) == []
