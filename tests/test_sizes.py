"""The size of responses is limited, and an incomplete response is an error."""

from __future__ import annotations

import gzip
import logging
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import repeat
from random import Random
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_client import APIConnectionError, ConfigurationError, Pictify, ResponseTooLargeError
from pictify_client._runtime.bodies import MAX_PIECE, AsyncBody, BodyTooLarge, aread_body, body_decoder, iter_body
from pictify_client.api.bindings import list_bindings
from pictify_client.api.images import create_image
from pictify_client.api.url_rendering import render_binding_url

from .replay import KEY
from .servers import Connection, async_forms, call, client_of, forms, http, respond_with, run, served, streaming
from .test_secrets import all_texts_of

PNG = {"binding_id": "b", "format": "png"}
BODY = b'{"bindings": []}'.ljust(1000)


def sent(start: bytes, body: bytes = b"", *, chunked: bool = False) -> bytes:
    if not chunked:
        return start + b"\r\n\r\n" + body
    chunks = (body[at : at + 300] for at in range(0, len(body), 300))
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return start + b"\r\ntransfer-encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"


TOO_LARGE = {
    "announced": (sent(b"HTTP/1.1 200 OK\r\ncontent-length: 1001"), "1001 bytes are announced"),
    "announced beyond all counting": (
        sent(b"HTTP/1.1 200 OK\r\ncontent-length: " + b"9" * 20),
        "9" * 20 + " bytes are announced",
    ),
    "chunked": (sent(b"HTTP/1.1 200 OK", b" " * 1001, chunked=True), "more than 1000 bytes came"),
    "without a length": (sent(b"HTTP/1.0 200 OK", b" " * 1001), "more than 1000 bytes came"),
    "packed": (
        http(gzip.compress(b"0" * 10_000_000), 200, b"content-encoding: gzip"),
        "(?:more than 1000 bytes came|[0-9]+ bytes are announced)",
    ),
    "packed and chunked": (
        sent(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip", gzip.compress(b"0" * 10_000_000), chunked=True),
        "more than 1000 bytes came",
    ),
    "an error": (sent(b"HTTP/1.1 503 -\r\nretry-after: 0", b" " * 1001, chunked=True), "more than 1000 bytes came"),
}


@forms
@pytest.mark.parametrize("name", TOO_LARGE)
# httpx leaves the generators of an unfinished body to the garbage collector, and trio warns of them.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_response_that_is_too_large_is_a_clear_error_and_not_retried(
    form: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pictify_client")
    response, reason = TOO_LARGE[name]

    def handle(connection: Connection) -> None:
        while connection.receive():
            connection.send(response)
            if b"HTTP/1.0" in response:
                break

    with served(handle) as server:

        async def test() -> None:
            async with client_of(server, max_retries=2, max_response_size=1000) as client:
                for module, arguments in ((list_bindings, {}), (create_image, {"body": {"html": "<p>"}})):
                    text = rf"is too large: {reason}, and 1000 are allowed \(set by max_response_size=\)$"
                    with pytest.raises(ResponseTooLargeError, match=text) as caught:
                        await call(form, module, client, **arguments)
                    assert caught.value.attempts == 1
                    assert KEY not in all_texts_of(caught.value)

        run(form, test)
        assert b"HTTP/1.0" in response or server.all_closed()
    assert len(server.requests) == 2
    assert "GET /bindings: BodyTooLarge in " in caplog.text


@forms
@pytest.mark.parametrize(
    "response",
    [
        http(BODY),
        sent(b"HTTP/1.1 200 OK", BODY, chunked=True),
        http(gzip.compress(BODY), 200, b"content-encoding: gzip"),
    ],
)
def test_a_response_of_the_maximum_size_is_not_too_large(form: str, response: bytes) -> None:
    with served(respond_with(response)) as server:

        async def test() -> None:
            async with client_of(server, max_response_size=1000) as client:
                assert (await call(form, list_bindings, client)).bindings == []

        run(form, test)


@forms
def test_the_default_maximum_is_64_mib(form: str) -> None:
    start = b"HTTP/1.1 200 OK\r\ncontent-length: %d" % (64 * 1024 * 1024 + 1)
    with served(respond_with(sent(start))) as server:

        async def test() -> None:
            async with client_of(server) as client:
                with pytest.raises(ResponseTooLargeError, match="67108865 bytes are announced, and 67108864 are"):
                    await call(form, list_bindings, client)

        run(form, test)


@pytest.mark.parametrize("size", [0, -1, True, 1.5, "64"])
def test_an_invalid_size_is_an_error(size: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_response_size must be a number of bytes, at least 1, got"):
        Pictify(api_key=KEY, max_response_size=size)


@forms
def test_files_may_be_larger_but_not_the_errors_in_their_place(form: str) -> None:
    unchanged = sent(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 99999999")
    with served(respond_with(http(b"x" * 200_000), http(b"x" * 200_000), unchanged, http(b" " * 1001, 404))) as server:

        async def read(file: Any) -> bytes:
            return bytes(file.read() if form == "sync" else await file.read())

        async def test() -> None:
            async with client_of(server, max_response_size=1000) as client:
                streamed = await call(form, render_binding_url, streaming(client), **PNG)
                assert len(await read(streamed)) == 200_000
                with pytest.raises(ResponseTooLargeError, match=r"saved by download\(\) or streamed, a file may be"):
                    await call(form, render_binding_url, client, **PNG)
                unread = await call(form, render_binding_url, client, **PNG, if_none_match='"1"')
                assert unread.not_modified
                with pytest.raises(ResponseTooLargeError):
                    await call(form, render_binding_url, client, **PNG)

        run(form, test)


@forms
# As above.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_repeated_compression_is_an_error(form: str) -> None:
    twice = gzip.compress(gzip.compress(b"0" * 100_000))
    with served(respond_with(http(twice, 200, b"content-encoding: gzip, gzip"))) as server:

        async def test() -> None:
            async with client_of(server) as client:
                with pytest.raises(APIConnectionError, match="DecodingError: more than one content coding"):
                    await call(form, list_bindings, client)

        run(form, test)


def raw_deflate(content: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(content) + compressor.flush()


def two_members(content: bytes) -> bytes:
    half = len(content) // 2
    return gzip.compress(content[:half]) + gzip.compress(content[half:])


FORMATS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("GZip", two_members),
    ("x-gzip, identity", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("identity", bytes),
    ("", bytes),
]
COMPRESSED = FORMATS[:5]
formats = pytest.mark.parametrize(("coding", "compress"), FORMATS)
compressed = pytest.mark.parametrize(("coding", "compress"), COMPRESSED)


def content_of(size: int, repeats: int) -> bytes:
    return Random(size).randbytes(size // repeats) * repeats  # noqa: S311


# Compressible and incompressible content, of sizes around the chunk size.
contents = st.builds(
    content_of,
    st.sampled_from([0, 1, 1000, MAX_PIECE - 1, MAX_PIECE, MAX_PIECE + 1, 3 * MAX_PIECE]),
    st.sampled_from([1, 100]),
)


def parts_of(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def decode(coding: str, parts: Iterable[bytes], **options: Any) -> bytes:
    decoder = body_decoder(httpx.Headers({"content-encoding": coding}), **options)
    pieces = [piece for part in parts for piece in decoder.decode(part)]
    decoder.finish()
    if coding not in ("", "identity"):
        assert all(len(piece) <= MAX_PIECE for piece in pieces)
    return b"".join(pieces)


@formats
@given(content=contents, size=st.sampled_from([1, 2, 3, 100, 100_000]))
def test_a_body_is_decoded_however_it_arrives(
    coding: str, compress: Callable[[bytes], bytes], content: bytes, size: int
) -> None:
    data = compress(content)
    assert decode(coding, parts_of(data, max(size, len(data) // 1000))) == content


@compressed
@given(content=contents, size=st.sampled_from([1, 100, 100_000]), share=st.floats(0, 1, exclude_max=True))
def test_a_compressed_body_that_is_cut_off_is_an_error(
    coding: str, compress: Callable[[bytes], bytes], content: bytes, size: int, share: float
) -> None:
    data = compress(content)
    cut = data[: int(len(data) * share)]
    if compress is two_members and cut == gzip.compress(content[: len(content) // 2]):
        # The body may be complete at this point.
        cut = cut[:-1]
    with pytest.raises(httpx.DecodingError, match="is incomplete"):
        decode(coding, parts_of(cut, max(size, len(cut) // 1000)))


@compressed
@pytest.mark.parametrize("more", [b"\0", b"\0" * 20, b"<html>" * 20])
def test_a_compressed_body_with_something_after_its_end_is_an_error(
    coding: str, compress: Callable[[bytes], bytes], more: bytes
) -> None:
    for parts in ([compress(b"content") + more], [compress(b"content"), more]):
        with pytest.raises(httpx.DecodingError, match="body is (invalid|incomplete)|body has data after its end"):
            decode(coding, parts)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_uncompressed_content_is_an_error_that_names_its_request(coding: str) -> None:
    request = httpx.Request("GET", "https://api.pictify.io/image")
    with pytest.raises(httpx.DecodingError, match=f"the {coding} body is invalid .*while decompressing") as caught:
        decode(coding, [b"not compressed"], request=request)
    assert caught.value.request is request
    assert decode(coding, [], may_be_empty=True) == b""


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "utf-8"])
def test_a_coding_that_was_not_requested_is_an_error(coding: str) -> None:
    text = f"the response has the content coding '{coding}'; requested was gzip, deflate"
    with pytest.raises(httpx.DecodingError, match=text):
        body_decoder(httpx.Headers({"content-encoding": coding}))
    for codings in ([("content-encoding", f"{coding}, gzip")], [("content-encoding", "gzip")] * 2):
        with pytest.raises(httpx.DecodingError, match="more than one content coding: (.*), gzip"):
            body_decoder(httpx.Headers(codings))


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress, raw_deflate])
def test_decompression_is_limited_while_it_runs(compress: Callable[[bytes], bytes]) -> None:
    bomb = compress(bytes(100_000_000))
    response = response_with(bomb, "gzip" if compress is gzip.compress else "deflate")
    tracemalloc.start()
    with pytest.raises(BodyTooLarge):
        b"".join(iter_body(response, max_size=1_000_000))
    assert tracemalloc.get_traced_memory()[1] < 3_000_000
    tracemalloc.stop()


class Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in parts."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        return parts_of(self.content, 10_000)

    def __aiter__(self) -> Any:
        return AsyncParts(iter(self))

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True


class AsyncParts:
    """Not a generator, because trio warns of an unfinished one."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self.parts = parts

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> bytes:
        for part in self.parts:
            return part
        raise StopAsyncIteration


def response_with(
    content: bytes, coding: str = "", status: int = 200, method: str = "GET", **more: Any
) -> httpx.Response:
    headers = {"content-encoding": coding} if coding else {}
    headers["content-length"] = str(len(content))
    request = httpx.Request(method, "https://api.pictify.io/image")
    return httpx.Response(status, stream=Stream(content), headers=headers, request=request, **more)


def read(form: str, response: httpx.Response, **options: Any) -> bytes:
    if form == "sync":
        return b"".join(iter_body(response, **options))
    content = b""

    async def test() -> None:
        nonlocal content
        content = await aread_body(response, **options)

    run(form, test)
    return content


@forms
def test_a_body_is_read_up_to_its_maximum_size(form: str) -> None:
    content = Random(1).randbytes(25_000)  # noqa: S311
    # Compressed, it is a little larger.
    for coding, data in (("", content), ("gzip", gzip.compress(content))):
        assert read(form, response_with(data, coding)) == content
        response = response_with(data, coding)
        assert read(form, response, max_size=25_000) == content
        assert response.is_closed
        assert read(form, response_with(data, coding, 500), max_size=25_000) == content
        with pytest.raises(BodyTooLarge, match="25000 bytes are announced|more than 24999 bytes came"):
            read(form, response_with(data, coding), max_size=24_999)
    unknown = response_with(content)
    del unknown.headers["content-length"]
    with pytest.raises(BodyTooLarge, match="more than 24999 bytes came"):
        read(form, unknown, max_size=24_999)


@forms
def test_a_success_with_a_coding_and_without_a_body_is_an_error_if_it_has_to_have_one(form: str) -> None:
    with pytest.raises(httpx.DecodingError, match="the gzip body is incomplete"):
        read(form, response_with(b"", "gzip"))
    assert read(form, response_with(b"", "gzip"), may_be_empty=True) == b""
    assert read(form, response_with(b"", "gzip", 503)) == b""
    assert read(form, response_with(b"")) == b""
    for without_body in (
        response_with(b"", "br", 204),
        response_with(b"", "br", 304),
        response_with(b"", "br", method="HEAD"),
    ):
        without_body.headers["content-length"] = "9999"
        assert read(form, without_body, max_size=10) == b""


@forms
def test_content_in_memory_is_used_unchanged(form: str) -> None:
    request = httpx.Request("GET", "https://api.pictify.io/image")
    compressed = httpx.Response(
        200, content=gzip.compress(b"content"), headers={"content-encoding": "gzip"}, request=request
    )
    assert read(form, compressed) == b"content"
    closed = response_with(b"content")
    closed.is_closed = True
    with pytest.raises(httpx.ResponseNotRead):
        read(form, closed)


def test_every_chunk_of_a_sync_body_may_be_the_last() -> None:
    chunks: list[None] = []

    def on_chunk() -> None:
        chunks.append(None)
        if len(chunks) == 2:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        b"".join(iter_body(response_with(bytes(30_000)), on_chunk=on_chunk))
    assert len(chunks) == 2


@async_forms
def test_an_async_body_may_be_iterated_over_and_left_early(form: str) -> None:
    ended: list[str] = []

    class Endless(Stream):
        """A body whose generator reads from another one."""

        def __init__(self, *, waits: bool) -> None:
            super().__init__(b"")
            self.waits = waits

        async def __aiter__(self) -> AsyncIterator[bytes]:
            try:
                async for part in self.inner():
                    yield part
            finally:
                ended.append("outer")

        async def inner(self) -> AsyncIterator[bytes]:
            try:
                yield b"x"
                while True:
                    if self.waits:
                        await anyio.sleep_forever()
                    yield b"y"
            finally:
                ended.append("inner")

    async def test() -> None:
        body = AsyncBody(response_with(bytes(30_000)))
        assert [len(piece) async for piece in body] == [10_000] * 3
        assert body.is_closed
        await body.aclose()

        response = response_with(b"")
        response.stream = Endless(waits=True)
        async for _ in (body := AsyncBody(response)):
            break
        await body.aclose()
        assert body.is_closed
        assert ended == ["inner", "outer"]

        # An uninterrupted one is closed as well.
        response = response_with(b"")
        response.stream = Parts() if form == "trio" else Endless(waits=False)
        await anext(body := AsyncBody(response))
        await body.aclose()
        assert body.is_closed
        assert ended[2:3] == ([] if form == "trio" else ["outer"])

    class Parts(Stream):
        def __init__(self) -> None:
            super().__init__(b"")

        def __aiter__(self) -> Any:
            return AsyncParts(repeat(b"x"))

    run(form, test)
