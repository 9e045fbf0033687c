"""An `http_client` with httpx-aiohttp: its failures differ from those of httpx, and no render is billed twice."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import httpx
import pytest
from httpx_aiohttp import AiohttpTransport

from pictify_client import APIConnectionError, APITimeoutError, AsyncPictify, PictifyError
from pictify_client.testing import API_KEY, FakePictify, serving

from .replay import KEY
from .servers import Connection, Server, http, served
from .test_batches import FakeClock


def run(base_url: str, use: Callable[[AsyncPictify], Coroutine[Any, Any, Any]], **options: Any) -> Any:
    async def call() -> Any:
        async with httpx.AsyncClient(transport=AiohttpTransport()) as http_client:
            pictify = AsyncPictify(api_key=KEY, base_url=base_url, http_client=http_client, **options)
            pictify.client.clock = FakeClock()
            return await use(pictify)

    return anyio.run(call)


def failure(server: Server, use: Callable[[AsyncPictify], Coroutine[Any, Any, Any]], **options: Any) -> PictifyError:
    with pytest.raises(PictifyError) as caught:
        run(server.base_url, use, **options)
    return caught.value


async def get(pictify: AsyncPictify) -> Any:
    return await pictify.bindings.get("bind_1")


async def render(pictify: AsyncPictify) -> Any:
    return await pictify.images.create(html="<p>", width=5, height=5)


def test_lists_are_iterated_and_files_saved() -> None:
    with serving(FakePictify()) as base_url:

        async def use() -> tuple[int, bytes]:
            async with httpx.AsyncClient(transport=AiohttpTransport()) as http_client:
                pictify = AsyncPictify(api_key=API_KEY, base_url=base_url, http_client=http_client)
                listed = [binding async for binding in pictify.bindings.list(prefetch=3)]
                image = await pictify.url_rendering.render_template("APPK3ATNDP", "png")
                return len(listed), await image.read()

        count, image = anyio.run(use)
    assert count == 45
    assert image.startswith(b"\x89PNG")


def hang_up(connection: Connection) -> None:
    connection.receive()


def test_after_a_lost_response_a_get_is_retried_and_a_render_is_not() -> None:
    with served(hang_up) as server:
        error = failure(server, render)
        assert isinstance(error, APIConnectionError)
        assert (error.attempts, len(server.requests)) == (1, 1)
    with served(hang_up) as server:
        assert failure(server, get).attempts == 3


def test_a_render_that_cannot_have_arrived_is_retried() -> None:
    with served() as server:
        pass
    error = failure(server, render)
    assert isinstance(error, APIConnectionError)
    assert (error.attempts, server.requests) == (3, [])


@pytest.mark.parametrize(
    "response", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", http()[:20]]
)
def test_a_response_that_aiohttp_cannot_parse_is_a_pictify_error(response: bytes) -> None:
    def handle(connection: Connection) -> None:
        connection.receive()
        connection.send(response)

    with served(handle) as server:
        error = failure(server, render)
    assert isinstance(error, APIConnectionError)
    assert error.attempts == 1
    assert error.__cause__ is not None


def stay_silent(connection: Connection) -> None:
    connection.closed.wait()


def test_a_call_respects_its_timeout() -> None:
    with served(stay_silent) as server:
        error = failure(server, render, timeout=0.1)
    assert isinstance(error, APITimeoutError)
    assert "0.1 s for the complete call; set by timeout=" in str(error)
