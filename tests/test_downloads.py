"""Downloads of rendered files, over the fake API and over real sockets."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from pictify_client import (
    APIConnectionError,
    APIStatusError,
    AsyncPictify,
    ForbiddenError,
    NotFoundError,
    Pictify,
    RateLimitError,
    ResponseTooLargeError,
    ServerError,
    UnauthorizedError,
)
from pictify_client.testing import FakePictify
from pictify_client.testing.clock import FakeClock
from pictify_client.testing.server import serving

from .replay import KEY
from .servers import Connection, forms, http, run, served


@pytest.fixture
def fake() -> FakePictify:
    return FakePictify()


async def download(pictify: Pictify | AsyncPictify, *arguments: Any, **options: Any) -> Any:
    download: Any = pictify.download
    return download(*arguments, **options) if isinstance(pictify, Pictify) else await download(*arguments, **options)


async def content(file: Any, form: str) -> bytes:
    read: bytes = file.read() if form == "sync" else await file.read()
    return read


@forms
def test_a_result_is_downloaded_without_the_key(form: str, fake: FakePictify, tmp_path: Path) -> None:
    async def test() -> None:
        pictify = fake.client() if form == "sync" else fake.async_client()
        made = fake.client().images.create(html="<p>")
        for source in (made, made.url):
            file = await download(pictify, source)
            assert await content(file, form) == fake.file(made.url)
            path = await download(pictify, source, tmp_path / "image.png")
            assert path.read_bytes() == fake.file(made.url)
            assert path == tmp_path / "image.png"

    run(form, test)


def test_a_notebook_shows_an_image(fake: FakePictify) -> None:
    pictify = fake.client()
    made = pictify.images.create(html="<p>")
    image: Any = pictify.download(made)
    shown = image._repr_mimebundle_()
    assert b64decode(shown["image/png"]) == fake.file(str(made.url))
    assert shown["text/plain"].startswith("<File image/png, ")
    document: Any = pictify.download(pictify.pdfs.render(template_uid="APPK3ATNDP", variables={"title": "Cup"}))
    assert list(document._repr_mimebundle_()) == ["text/plain"]


@forms
def test_a_download_waits_for_a_new_file(form: str, fake: FakePictify) -> None:
    fake.upload_seconds = 5

    async def test() -> None:
        pictify = fake.client() if form == "sync" else fake.async_client()
        made = fake.client().images.create(html="<p>")
        assert await content(await download(pictify, made), form) == fake.file(made.url)

    run(form, test)
    queries = [request.query for request in fake.requests if request.method == "GET"]
    # Each has a different query, so that no cache repeats the first response.
    assert queries == [{}, *({"attempt": f"{attempt}"} for attempt in range(1, len(queries)))]
    assert 5 <= fake.clock.elapsed <= 8


@forms
def test_a_download_waits_no_longer_than_requested(form: str, fake: FakePictify) -> None:
    fake.upload_seconds = 100

    async def test() -> None:
        pictify = fake.client() if form == "sync" else fake.async_client()
        made = fake.client().images.create(html="<p>")
        for wait in (0, 10, 30):
            before = fake.clock.elapsed
            with pytest.raises(NotFoundError, match=r"GET https://media\.pictify\.io/\S+ failed with 404: Not Found"):
                await download(pictify, made, wait=wait)
            assert wait - 3 <= fake.clock.elapsed - before <= wait

    run(form, test)


@forms
def test_a_download_sends_no_key_or_custom_headers_to_another_host(form: str) -> None:
    with (
        served() as api,
        served(lambda connection: serve(connection, http(b"png", 200, b"content-type: image/png"))) as media,
    ):
        options: dict[str, Any] = {"base_url": api.base_url, "headers": {"X-Team": "sesame"}, "pacing": True}
        url = f"{media.base_url}/a%20b.png?signature=sesame#part"

        async def test() -> None:
            if form == "sync":
                with Pictify(KEY, **options) as pictify:
                    assert pictify.download(url).read() == b"png"
            else:
                async with AsyncPictify(KEY, **options) as apictify:
                    assert await (await apictify.download(url)).read() == b"png"

        run(form, test)
        (request,) = media.requests
        assert request.startswith(b"GET /a%20b.png?signature=sesame HTTP/1.1\r\n")
        assert b"x-team" not in request.lower()
        assert b"authorization" not in request.lower()
        assert api.requests == []


def serve(connection: Connection, *responses: bytes) -> None:
    for response in responses:
        connection.receive()
        connection.send(response)


def test_a_failed_download_leaves_the_path_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(b"before")
    cut = http(b"x" * 200_000, 200, b"content-type: image/png")[:-1]
    with (
        served(lambda connection: serve(connection, http(b"", 500))) as failing,
        served(lambda connection: serve(connection, cut)) as cutting,
        Pictify(KEY, max_retries=0) as pictify,
    ):
        with pytest.raises(ServerError, match=rf"GET {failing.base_url}/x\.png failed with 500 Internal Server Error"):
            pictify.download(f"{failing.base_url}/x.png?signature=sesame", path)
        with pytest.raises(APIConnectionError, match="no connection to http://127.0.0.1:1 ") as caught:
            pictify.download("http://127.0.0.1:1/x.png?signature=sesame", path)
        assert "sesame" not in str(caught.value)
        assert "base_url" not in str(caught.value)
        with pytest.raises(APIConnectionError, match=cutting.base_url):
            pictify.download(f"{cutting.base_url}/x.png", path)
    assert [each.name for each in tmp_path.iterdir()] == ["image.png"]
    assert path.read_bytes() == b"before"


@pytest.mark.parametrize("wait", ["1", True, -1, float("nan"), float("inf"), None])
def test_an_invalid_wait_is_a_clear_error(wait: Any, fake: FakePictify) -> None:
    with pytest.raises(ValueError, match=r"wait must be a number of seconds from 0 on, got "):
        fake.client().download("https://media.pictify.io/a.png", wait=wait)
    assert fake.requests == []


@pytest.mark.parametrize("source", [None, 3, object(), type("Result", (), {"url": None})()])
def test_a_source_without_a_url_is_a_clear_error(source: Any, fake: FakePictify) -> None:
    with pytest.raises(TypeError, match="download takes the URL of a file, or a result with a `url`, got"):
        fake.client().download(source)
    assert fake.requests == []


@forms
def test_a_render_of_several_files_is_an_error_that_names_them(form: str, fake: FakePictify) -> None:
    async def test() -> None:
        rendered = fake.client().templates.render("APPK3ATNDP", layouts=["story", "default"])
        sent = len(fake.requests)
        with pytest.raises(ValueError, match="The render has 2 files: download each of its `results`"):
            await download(fake.client() if form == "sync" else fake.async_client(), rendered)
        assert len(fake.requests) == sent

    run(form, test)


@pytest.mark.parametrize(
    "url", ["", "x.png", "ftp://a/b", "data:image/png;base64,AA", "https://", "https://a:99999/", "https://[::1"]
)
def test_an_invalid_file_url_is_a_clear_error(url: str, fake: FakePictify) -> None:
    with pytest.raises(ValueError, match="download takes a URL that starts with https://, got"):
        fake.client().download(url)
    assert fake.requests == []


def test_a_served_fake_has_its_files_too(fake: FakePictify) -> None:
    with serving(fake) as base_url, Pictify(fake.api_key, base_url=base_url) as pictify:
        pictify.client.clock = FakeClock()
        made = pictify.images.create(html="<p>")
        assert str(made.url).startswith(base_url)
        assert pictify.download(made).read() == fake.file(str(made.url))


def mocked(handle: Callable[[httpx.Request], httpx.Response], **options: Any) -> Pictify:
    transport = httpx.MockTransport(handle)
    pictify = Pictify(KEY, http_client=httpx.Client(transport=transport), max_retries=0, **options)
    pictify.client.clock = FakeClock()
    return pictify


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize(
    ("query", "later"), [("", "attempt=1"), ("?X-Amz-Signature=abc&x=a%20b", "X-Amz-Signature=abc&x=a%20b")]
)
def test_a_missing_file_is_requested_again_and_a_signed_query_is_kept(status: int, query: str, later: str) -> None:
    queries: list[bytes] = []

    def handle(request: httpx.Request) -> httpx.Response:
        queries.append(request.url.query)
        return httpx.Response(200 if queries[1:] else status, content=b"png", headers={"content-type": "image/png"})

    assert mocked(handle).download(f"https://cdn.example.com/a.png{query}").read() == b"png"
    assert queries == [query[1:].encode(), later.encode()]


def test_a_saved_file_may_exceed_the_maximum_response_size(tmp_path: Path) -> None:
    large = b"x" * 200_000
    with (
        served(lambda connection: serve(connection, http(large, 200, b"content-type: image/png"))) as media,
        Pictify(KEY, max_response_size=100_000) as pictify,
    ):
        with pytest.raises(ResponseTooLargeError):
            pictify.download(f"{media.base_url}/a.png")
        path = pictify.download(f"{media.base_url}/a.png", tmp_path / "a.png")
    assert path.read_bytes() == large


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (401, "no", UnauthorizedError),
        (403, "SignatureDoesNotMatch: verify your key", ForbiddenError),
        (403, "Access denied, no explanation", ForbiddenError),
        (403, "upgrade your plan", ForbiddenError),
        (429, "slow down please", RateLimitError),
    ],
)
def test_an_error_of_another_server_contains_no_account_advice_and_no_secret(
    status: int, message: str, kind: type[APIStatusError]
) -> None:
    pictify = mocked(lambda _: httpx.Response(status, json={"message": message}))
    with pytest.raises(APIStatusError) as caught:
        pictify.download("https://user:sesame@cdn.example.com/a.png?signature=sesame", wait=0)
    error = caught.value
    assert type(error) is kind
    assert str(error).endswith(f": {message}")
    assert str(error.request.url) == "https://cdn.example.com/a.png"
    assert "sesame" not in str(error)


def test_an_invalid_path_is_an_error_before_anything_is_sent(fake: FakePictify) -> None:
    path: Any = 3
    with pytest.raises(TypeError):
        fake.client().download("https://media.pictify.io/a.png", path)
    assert fake.requests == []
