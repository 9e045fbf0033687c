"""No answer fills the memory: over real sockets."""

from __future__ import annotations

import gzip
import logging
from typing import Any

import pytest

from pictify_client import APIConnectionError, ConfigurationError, Pictify, ResponseTooLargeError
from pictify_client.api.bindings import list_bindings
from pictify_client.api.images import create_image
from pictify_client.api.url_rendering import render_binding_url

from .replay import KEY
from .servers import Line, call, client_of, forms, giving, http, run, served
from .test_secrets import shows

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
# httpx leaves the generators of a body that is not read to its end to the garbage collector, and trio minds.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_too_large_is_an_error_that_says_so_and_is_not_asked_for_again(
    form: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pictify_client")
    answer, why = TOO_LARGE[name]

    def handle(line: Line) -> None:
        line.take()
        line.send(answer)
        if b"HTTP/1.0" not in answer:
            line.take()

    with served(handle) as server:

        async def test() -> None:
            async with client_of(server, max_retries=2, max_response_size=1000) as client:
                for module, arguments in ((list_bindings, {}), (create_image, {"body": {"html": "<p>"}})):
                    text = rf"is too large: {why}, and 1000 are allowed \(set by max_response_size=\)$"
                    with pytest.raises(ResponseTooLargeError, match=text) as caught:
                        await call(form, module, client, **arguments)
                    assert caught.value.attempts == 1
                    assert KEY not in shows(caught.value)

        run(form, test)
        assert b"HTTP/1.0" in answer or server.is_left()
    assert len(server.requests) == 2
    assert "GET /bindings: TooLarge in " in caplog.text


@forms
@pytest.mark.parametrize(
    "answer",
    [
        http(BODY),
        sent(b"HTTP/1.1 200 OK", BODY, chunked=True),
        http(gzip.compress(BODY), 200, b"content-encoding: gzip"),
    ],
)
def test_what_is_just_as_large_as_allowed_is_not_too_large(form: str, answer: bytes) -> None:
    with served(giving(answer)) as server:

        async def test() -> None:
            async with client_of(server, max_response_size=1000) as client:
                assert (await call(form, list_bindings, client)).bindings == []

        run(form, test)


@forms
def test_64_mib_are_allowed_unless_told_otherwise(form: str) -> None:
    start = b"HTTP/1.1 200 OK\r\ncontent-length: %d" % (64 * 1024 * 1024 + 1)
    with served(giving(sent(start))) as server:

        async def test() -> None:
            async with client_of(server) as client:
                with pytest.raises(ResponseTooLargeError, match="67108865 bytes are announced, and 67108864 are"):
                    await call(form, list_bindings, client)

        run(form, test)


@pytest.mark.parametrize("size", [0, -1, True, 1.5, "64"])
def test_a_size_that_cannot_be_one(size: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_response_size must be a number of bytes from 1 on, got"):
        Pictify(api_key=KEY, max_response_size=size)


@forms
def test_files_may_be_larger_but_not_the_errors_in_their_place(form: str) -> None:
    unchanged = sent(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 99999999")
    with served(giving(http(b"x" * 200_000), unchanged, http(b" " * 1001, 404))) as server:

        async def read(file: Any) -> bytes:
            return bytes(file.read() if form == "sync" else await file.read())

        async def test() -> None:
            async with client_of(server, max_response_size=1000) as client:
                assert len(await read(await call(form, render_binding_url, client, **PNG))) == 200_000
                unread = await call(form, render_binding_url, client, **PNG, if_none_match='"1"')
                assert unread.not_modified
                with pytest.raises(ResponseTooLargeError):
                    await call(form, render_binding_url, client, **PNG)

        run(form, test)


@forms
# Likewise.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_packed_more_than_once_is_not_unpacked(form: str) -> None:
    twice = gzip.compress(gzip.compress(b"0" * 100_000))
    with served(giving(http(twice, 200, b"content-encoding: gzip, gzip"))) as server:

        async def test() -> None:
            async with client_of(server) as client:
                with pytest.raises(APIConnectionError, match="DecodingError: more than one content coding"):
                    await call(form, list_bindings, client)

        run(form, test)
