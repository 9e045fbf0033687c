"""Redirects keep method and body, and drop every secret if they leave the API's origin."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest

from pictify_client import APIConnectionError, APIStatusError, AsyncPictify, Pictify, PictifyError
from pictify_client.api.bindings import create_binding, list_bindings
from pictify_client.api.experiments import track_experiment_click, track_experiment_events
from pictify_client.api.images import create_image
from pictify_client.api.url_rendering import render_binding_url

from .replay import KEY
from .servers import Connection, call, client_of, forms, http, respond_with, run, served
from .test_batches import FakeClock
from .test_secrets import all_texts_of

WRITE_KEY = "wk_live_of_the_tests"
PASSWORD = 'open "sesame" \N{LATIN SMALL LETTER U WITH DIAERESIS}'
EVENT = {"experiment": "hero", "event": "click"}
OURS = {"X-Team": "a", "User-Agent": "mine"}
IMAGE = http(b'{"url": "https://cdn.pictify.io/a.png", "id": "i", "createdAt": "2026-01-29T10:00:05Z"}')


def to(location: str, status: int = 307) -> bytes:
    return http(b"", status, f"location: {location}".encode())


def heads(requests: list[bytes]) -> list[str]:
    return [request.partition(b" HTTP/1.1\r\n")[0].decode() for request in requests]


def fields(request: bytes) -> set[str]:
    return {line.partition(b":")[0].lower().decode() for line in request.partition(b"\r\n\r\n")[0].splitlines()[1:]}


@forms
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_keeps_the_method_the_body_and_the_connection(form: str, status: int) -> None:
    with served(respond_with(to("/elsewhere?a=1", status), IMAGE)) as server:

        async def test() -> None:
            async with client_of(server) as client:
                image = await call(form, create_image, client, body={"html": "<p>"})
                assert image.url == "https://cdn.pictify.io/a.png"

        run(form, test)
    assert heads(server.requests) == ["POST /image", "POST /elsewhere?a=1"]
    assert [request.partition(b"\r\n\r\n")[2] for request in server.requests] == [b'{"html":"<p>"}'] * 2
    assert all(f"Authorization: Bearer {KEY}\r\n".encode() in request for request in server.requests)
    assert len(server.connections) == 1


@forms
def test_see_other_is_followed_only_by_get(form: str) -> None:
    with served(respond_with(to("/elsewhere", 303), http(), to("/elsewhere", 303))) as server:

        async def test() -> None:
            async with client_of(server) as client:
                assert (await call(form, list_bindings, client)).bindings == []
                with pytest.raises(APIStatusError, match=r"failed with 303 See Other: -, a redirect to '/elsewhere'"):
                    await call(form, create_image, client, body={"html": "<p>"})

        run(form, test)
    assert heads(server.requests) == ["GET /bindings", "GET /elsewhere", "POST /image"]


@forms
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_secret_is_sent_to_another_origin_or_back_from_there(form: str, host: str) -> None:
    def back(connection: Connection) -> None:
        while connection.receive():
            connection.send(to(f"{server.base_url}/back"))

    def away(connection: Connection) -> None:
        while request := connection.receive():
            there = f"http://{host}:{elsewhere.base_url.rpartition(':')[2]}/away"
            connection.send(http(b"{}") if b" /back " in request else to(there))

    with served(back) as elsewhere, served(away) as server:

        async def test() -> None:
            async with client_of(server, headers=OURS) as client:
                await call(form, track_experiment_events, client, body=[EVENT], write_key=WRITE_KEY)
                await call(form, list_bindings, client)

        run(form, test)
    first, returned, second, returned_too = server.requests
    assert {"x-write-key", "x-team", "user-agent"} < fields(first)
    assert {"authorization", "x-team", "user-agent"} < fields(second)
    sent = {"host", "accept", "accept-encoding", "user-agent"}
    for posted in (returned, elsewhere.requests[0]):
        assert fields(posted) == {*sent, "content-type", "content-length"}
        assert posted.endswith(b'\r\n\r\n[{"experiment":"hero","event":"click"}]')
    for got in (returned_too, elsewhere.requests[1]):
        assert fields(got) == sent
        assert b"User-Agent: mine\r\n" in got


@forms
def test_settings_of_a_custom_client_are_not_sent_to_another_origin(form: str) -> None:
    requested: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requested.append(request)
        there = {"api.pictify.io": "https://cdn.example.com/a", "cdn.example.com": "https://api.pictify.io/b"}
        if len(requested) < 3:
            headers = {"location": there[request.url.host], "set-cookie": f"n={len(requested)}"}
            return httpx.Response(302, headers=headers)
        return httpx.Response(200, json={"bindings": []})

    options: dict[str, Any] = {
        "transport": httpx.MockTransport(respond),
        "follow_redirects": True,
        "headers": {"X-Own": "secret", "Authorization": "Basic eA==", "Cookie": "a=b"},
        "cookies": {"session": "secret"},
        "params": {"own": "secret"},
        "auth": ("user", "password"),
    }

    async def test() -> None:
        if form == "sync":
            with httpx.Client(**options) as http_client:
                list(Pictify(api_key=KEY, http_client=http_client).bindings.list())
        else:
            async with httpx.AsyncClient(**options) as ahttp_client:
                await AsyncPictify(api_key=KEY, http_client=ahttp_client).bindings.list()

    run(form, test)
    first, *others = requested
    assert str(first.url) == "https://api.pictify.io/bindings?own=secret"
    assert first.headers["authorization"] == f"Bearer {KEY}"
    assert "x-own" in first.headers
    assert [str(request.url) for request in others] == ["https://cdn.example.com/a", "https://api.pictify.io/b"]
    for request in others:
        assert {name.lower() for name in request.headers} == {"host", "accept", "accept-encoding", "user-agent"}


@forms
def test_a_file_may_come_from_elsewhere(form: str) -> None:
    png = b"x" * 70_000
    with (
        served(respond_with(http(png, 200, b"content-type: image/png"))) as cdn,
        served(respond_with(to(f"{cdn.base_url}/a.png", 302))) as server,
    ):

        async def test() -> None:
            async with client_of(server) as client:
                image = await call(form, render_binding_url, client, binding_id="b", format="png", if_none_match='"1"')
                assert (image.read() if form == "sync" else await image.read()) == png

        run(form, test)
    assert "if-none-match" in fields(server.requests[0])
    assert "if-none-match" not in fields(cdn.requests[0])


@forms
def test_a_redirect_loop_is_an_error_that_names_its_target(form: str) -> None:
    with served(respond_with(to("/bindings?again=1"))) as server:

        async def test() -> None:
            async with client_of(server, max_retries=2) as client:
                with pytest.raises(APIStatusError) as caught:
                    await call(form, list_bindings, client)
                assert "failed with 307 Temporary Redirect: -, a redirect to '/bindings?again=1'" in str(caught.value)
                assert caught.value.attempts == 1
                assert [each.status_code for each in caught.value.response.history] == [307] * 10

        run(form, test)
    assert len(server.requests) == 11


def over_a_mock(location: str, base_url: str = "https://api.pictify.io", follow: bool = False) -> list[str]:
    """Return the requested URLs if the API always redirects to this location, and another host succeeds."""
    requested: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requested.append(f"{request.url} {request.headers.get('authorization', '-')}")
        return httpx.Response(307, headers={"location": location}) if len(requested) == 1 else httpx.Response(404)

    http_client = httpx.Client(transport=httpx.MockTransport(respond), follow_redirects=follow)
    with pytest.raises(PictifyError) as caught:
        list(Pictify(api_key=KEY, base_url=base_url, max_retries=0, http_client=http_client).bindings.list())
    assert KEY not in all_texts_of(caught.value)
    return requested[1:]


@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize(
    ("location", "requested"),
    [
        ("http://api.pictify.io/bindings", []),
        ("http://cdn.example.com/", []),
        ("ftp://api.pictify.io/", []),
        ("javascript:alert(1)", []),
        ("", [f"https://api.pictify.io/bindings Bearer {KEY}"]),
        ("?a=1#top", [f"https://api.pictify.io/bindings?a=1 Bearer {KEY}"]),
        ("https://API.pictify.io:443/a", [f"https://api.pictify.io/a Bearer {KEY}"]),
        ("https://api.pictify.io:8443/a", ["https://api.pictify.io:8443/a -"]),
        ("https://api.pictify.io./a", ["https://api.pictify.io./a -"]),
        ("https://api.pictify.io@evil.example/a", ["https://evil.example/a -"]),
        ("//user:sesame@evil.example/a", ["https://evil.example/a -"]),
        (r"https://evil.example\@api.pictify.io/a", [f"https://api.pictify.io/a Bearer {KEY}"]),
    ],
)
def test_the_target_of_a_redirect(location: str, requested: list[str], follow: bool) -> None:
    assert over_a_mock(location, follow=follow) == requested


@pytest.mark.parametrize("path", ["", "/bindings/"])
def test_a_key_that_a_server_repeats_in_a_location_is_not_sent(path: str) -> None:
    assert over_a_mock(f"https://evil.example{path}?key={KEY}") == []
    assert over_a_mock(f"/{KEY}") == []


def test_from_http_a_redirect_may_lead_to_http_without_the_key() -> None:
    assert over_a_mock("http://cdn.example.com/", "http://localhost:8787") == ["http://cdn.example.com/ -"]


@forms
@pytest.mark.parametrize(
    "location",
    [
        "https://[::1",
        "//",
        "https:///a",
        "http://127.0.0.1:99999/",
        "a" * 70_000,
        # httpx2 accepts it as a host name.
        *(["https://xn--a/"] if httpx.__name__ == "httpx" else []),
    ],
)
def test_a_redirect_without_a_valid_location_is_an_error(form: str, location: str) -> None:
    with served(respond_with(to(location))) as server:

        async def test() -> None:
            async with client_of(server, max_retries=2) as client:
                with pytest.raises(APIStatusError, match="failed with 307 Temporary Redirect: -, a redirect to"):
                    await call(form, list_bindings, client)

        run(form, test)


@forms
def test_the_redirect_of_a_click_is_not_followed(form: str) -> None:
    with served(respond_with(to("/shop", 302))) as server:

        async def test() -> None:
            async with client_of(server) as client:
                assert await call(form, track_experiment_click, client, slug="hero") == "/shop"

        run(form, test)
    assert heads(server.requests) == ["GET /s/hero/click"]


class NoWaitClock(FakeClock):
    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def jitter(self) -> float:
        return 0.0


@forms
def test_a_redirected_render_is_retried_only_if_it_never_arrived(form: str) -> None:
    def drop_connection(connection: Connection) -> None:
        connection.receive()

    with served() as nobody:
        pass
    with (
        served(drop_connection) as elsewhere,
        served(respond_with(to(nobody.base_url), to(elsewhere.base_url))) as server,
    ):

        async def test() -> None:
            async with client_of(server, max_retries=2) as client:
                client.clock = NoWaitClock()
                with pytest.raises(APIConnectionError) as caught:
                    await call(form, create_image, client, body={"html": "<p>"})
                assert caught.value.attempts == 2
                assert "RemoteProtocolError" in str(caught.value)

        run(form, test)
    assert (len(server.requests), len(elsewhere.requests)) == (2, 1)


@forms
def test_a_body_with_a_secret_is_not_sent_to_another_origin(form: str) -> None:
    source = {"type": "http", "url": "https://a.example", "credentials": {"type": "bearer_token", "value": PASSWORD}}
    body = {"name": "n", "templateId": "t", "dataSource": source, "mapping": {}}
    response = http(b'{"binding": {"uid": "b", "renderUrl": "u"}}', 201)
    with served() as elsewhere, served(respond_with(to("/on"), response, to(elsewhere.base_url))) as server:

        async def test() -> None:
            async with client_of(server) as client:
                assert (await call(form, create_binding, client, body=body)).uid == "b"
                with pytest.raises(APIStatusError, match="a redirect to") as caught:
                    await call(form, create_binding, client, body=body)
                assert b'"value":"[redacted]"' in caught.value.request.content
                assert "sesame" not in all_texts_of(caught.value)

        run(form, test)
    assert (len(server.requests), elsewhere.requests) == (3, [])


@forms
@pytest.mark.parametrize("end", ["status", "misread", "lost"])
def test_no_error_or_log_of_a_redirect_contains_a_secret(form: str, end: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pictify_client")
    ends = {
        "status": http(b'{"message": "no %s"}' % WRITE_KEY.encode(), 404, b"x-request-id: " + WRITE_KEY.encode()),
        "misread": http(b'"%s"' % WRITE_KEY.encode()),
        "lost": b"HTTP/9 " + WRITE_KEY.encode() + b"\r\n\r\n",
    }
    echo = http(b"", 307, b"location: /on", b"x-echo: " + WRITE_KEY.encode())
    with served(respond_with(ends[end])) as elsewhere, served(respond_with(echo, to(elsewhere.base_url))) as server:

        async def test() -> None:
            async with client_of(server, max_retries=0) as client:
                with pytest.raises(PictifyError) as caught:
                    await call(form, track_experiment_events, client, body=[EVENT], write_key=WRITE_KEY)
                assert WRITE_KEY not in all_texts_of(caught.value)
                assert KEY not in all_texts_of(caught.value)
                assert "[redacted]" in all_texts_of(caught.value)
                if end != "lost":
                    history: list[httpx.Response] = vars(caught.value)["response"].history
                    assert [each.headers.get("x-echo") for each in history] == ["[redacted]", None]
                    assert [each.status_code for each in history] == [307, 307]

        run(form, test)
    assert len(elsewhere.requests) == 1
    assert WRITE_KEY not in caplog.text
