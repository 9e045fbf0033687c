"""Whatever the server sends, calls raise only `PictifyError`: over a mock transport and over real sockets."""

from __future__ import annotations

import gzip
import json
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pictify_client import (
    APIConnectionError,
    APIStatusError,
    AsyncPictify,
    AuthenticatedClient,
    ConfigurationError,
    Pictify,
    PictifyError,
    RequestEvent,
    Response,
    ResponseDecodeError,
)
from pictify_client._runtime.json_values import is_object
from pictify_client.api.bindings import list_bindings
from pictify_client.models import Binding, BindingList

from .calls import FUNCTIONS, call, list_all
from .replay import KEY, body_of, without_nulls
from .sockets import Script, scripted_server

TWO_PAGES = b'{"bindings": [{"uid": "a"}], "pagination": {"hasNext": true}}'
BINDING = body_of("first_page")["bindings"][0]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)


def mutated(value: Any) -> st.SearchStrategy[Any]:
    """The value with some part of it replaced by any JSON value."""
    if is_object(value) and value:
        return st.sampled_from(sorted(value)).flatmap(
            lambda key: st.just(value) | mutated(value[key]).map(lambda part: {**value, key: part})
        )
    return json_values


bodies = (
    st.binary(max_size=200)
    | json_values.map(lambda value: json.dumps(value).encode())
    | mutated(BINDING).map(lambda binding: json.dumps({"bindings": [BINDING, binding]}).encode())
    | mutated({"page": 1, "limit": 1, "total": 3, "totalPages": 3, "hasNext": True}).map(
        lambda pagination: json.dumps({"bindings": [BINDING], "pagination": pagination}).encode()
    )
)
header_values = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f")).map(
    lambda text: text.strip().encode("latin-1")
)
headers = st.dictionaries(
    st.sampled_from(
        [
            b"content-type",
            b"content-encoding",
            b"retry-after",
            b"location",
            b"x-ratelimit-reset",
            b"set-cookie",
            b"date",
        ]
    ),
    header_values | st.sampled_from([b"gzip", b"deflate", b"text/html; charset=utf-7", b"a/b; charset=\x00"]),
)


@given(status=st.integers(100, 599) | st.integers(600, 999) | st.just(200), content=bodies, headers=headers)
@example(status=200, content=b"[" * 100_000, headers={})
@example(status=301, content=b"", headers={b"set-cookie": b"a=\x80", b"location": b"/"})
@example(status=200, content=TWO_PAGES, headers={b"set-cookie": b"a=\x80"})
@example(status=200, content=b"9" * 5_000, headers={})
@example(
    status=200, content=b'{"bindings":[{"uid":5,"defaults":' + b'{"a":' * 700 + b"1" + b"}" * 701 + b"]}", headers={}
)
@example(status=200, content=b'{"bindings":[{"createdAt":"0001-01-01T00:00:00+10:00:30"}]}', headers={})
@example(status=200, content=b'{"bindings": [], "pagination": {"total": 1e999}}', headers={})
@example(status=206, content=b"", headers={})
@pytest.mark.parametrize("function", [*FUNCTIONS, "pager", "async pager"])
def test_calls_raise_only_pictify_errors(
    function: str, status: int, content: bytes, headers: dict[bytes, bytes]
) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=list(headers.items()), stream=httpx.ByteStream(content))

    transport = httpx.MockTransport(respond)
    try:
        if function.endswith("pager"):
            found = list_all("async" if function.startswith("async") else "sync", transport)
            assert all(isinstance(binding, Binding) for binding in found)
            return
        got = call(function, transport)
    except (APIStatusError, ResponseDecodeError) as error:
        assert str(error)
        assert error.response.status_code == status
    except PictifyError as error:
        assert str(error)
    else:
        if isinstance(got, Response):
            # A partial body (206) was not requested.
            assert (got.parsed is None) == (got.error is not None) == (status not in range(200, 300) or status == 206)
        else:
            assert isinstance(got, BindingList)


@pytest.fixture(scope="module")
def server() -> Iterator[Script]:
    with scripted_server() as served:
        yield served


def over_a_socket(form: str, base_url: str) -> BindingList:
    if form == "sync":
        with AuthenticatedClient(token=KEY, max_retries=0, base_url=base_url, timeout=5, verify_ssl=False) as client:
            return list_bindings.sync(client=client)

    async def run() -> BindingList:
        async with AuthenticatedClient(
            token=KEY, max_retries=0, base_url=base_url, timeout=5, verify_ssl=False
        ) as client:
            return await list_bindings.asyncio(client=client)

    return anyio.run(run, backend=form)


def http(status: int, reason: bytes, fields: dict[bytes, bytes], body: bytes) -> bytes:
    head = b"HTTP/1.1 %d %s\r\n" % (status, reason) + b"".join(b"%s: %s\r\n" % each for each in fields.items())
    return head + b"\r\n" + body


raw_responses = st.binary(max_size=300) | st.builds(
    http,
    st.integers(0, 1099),
    header_values,
    headers
    | st.fixed_dictionaries({b"content-length": st.sampled_from([b"0", b"5", b"-1", b"x", b"9" * 30])})
    | st.fixed_dictionaries({b"transfer-encoding": st.sampled_from([b"chunked", b"gzip, chunked", b"x"])}),
    bodies,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(response=raw_responses, reset=st.booleans())
@example(response=b"", reset=False)
@example(response=b"", reset=True)
@example(response=b"HTTP/1.1 200 OK\r\ncontent-len", reset=False)
@example(response=b'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"bindings"', reset=False)
@example(response=b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", reset=False)
@example(response=b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}", reset=False)
@example(response=b"SSH-2.0-OpenSSH_9.2p1\r\n", reset=False)
# httpx leaves the generators of a body that it could not decode to the garbage collector, and trio warns of them.
@pytest.mark.filterwarnings("ignore:.*(AsyncResponseStream|BoundAsyncStream|aiter_raw)")
@pytest.mark.parametrize("form", ["sync", "asyncio", "trio"])
def test_calls_raise_only_pictify_errors_over_a_socket(server: Script, form: str, response: bytes, reset: bool) -> None:
    server.response, server.reset = response, reset
    try:
        assert isinstance(over_a_socket(form, server.base_url), BindingList)
    except PictifyError as error:
        assert str(error)


@pytest.mark.parametrize("form", ["sync", "asyncio", "trio"])
def test_a_complete_response_over_a_socket(server: Script, form: str) -> None:
    body = gzip.compress(json.dumps(body_of("first_page")).encode())
    server.response, server.reset = (
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body) + body,
        False,
    )
    server.received.clear()
    assert over_a_socket(form, server.base_url).to_dict() == without_nulls(body_of("first_page"))
    (request,) = server.received
    assert request.startswith(b"GET /bindings HTTP/1.1\r\n")
    assert f"authorization: bearer {KEY}\r\n".encode() in request.lower()


@pytest.mark.parametrize("form", ["sync", "asyncio", "trio"])
def test_connection_refused_is_a_clear_error(form: str) -> None:
    with scripted_server() as closed:
        pass
    with pytest.raises(APIConnectionError, match=rf"GET /bindings: no connection to {closed.base_url} \(ConnectErr"):
        over_a_socket(form, closed.base_url)


@pytest.mark.parametrize("form", ["sync", "asyncio", "trio"])
def test_an_unknown_host_is_a_clear_error(form: str) -> None:
    with pytest.raises(
        APIConnectionError,
        match=r"no connection to https://no-such-host\.invalid .* check the network, the proxy, and base_url",
    ):
        over_a_socket(form, "https://no-such-host.invalid")


FOREIGN = [
    httpx.ConnectError("connection refused"),
    httpx.ReadError(""),
    httpx.RemoteProtocolError("nonsense"),
    httpx.TooManyRedirects("round and round"),
    httpx.DecodingError("not gzip"),
    httpx.ProxyError("407"),
    httpx.PoolTimeout("full"),
    httpx.InvalidURL("bad"),
    httpx.StreamClosed(),
    ssl.SSLError("wrong version number"),
]


COOKIE = (
    b"HTTP/1.1 200 OK\r\nset-cookie: a=\x80\r\ncontent-length: 15\r\nconnection: close\r\n\r\n" + b'{"bindings":[]}'
)


def test_cookies_are_neither_kept_nor_sent(server: Script) -> None:
    server.response, server.reset = COOKIE, False
    server.received.clear()
    with AuthenticatedClient(token=KEY, max_retries=0, base_url=server.base_url) as client:
        list_bindings.sync(client=client)
        list_bindings.sync(client=client)
    assert len(server.received) == 2
    assert b"cookie" not in server.received[1].lower()


def test_the_cookies_of_a_custom_client_are_not_sent(server: Script) -> None:
    server.response, server.reset = COOKIE, False
    server.received.clear()
    # The API would authenticate by the cookie, and ignore the key.
    with httpx.Client(cookies={"auth-token": "x"}, headers={"Cookie": "y=z", "X-Team": "t"}) as http_client:

        def hook(event: RequestEvent) -> None:
            event.headers["cookie"] = "h=i"

        pictify = Pictify(
            api_key=KEY, max_retries=0, base_url=server.base_url, http_client=http_client, on_request=hook
        )
        list(pictify.bindings.list())
        assert http_client.cookies
        list(pictify.bindings.list())
        with pytest.raises(ConfigurationError, match="headers must not contain Cookie"):
            pictify.with_options(headers={"cookie": "a=b"})
    assert len(server.received) == 2
    for request in server.received:
        assert b"cookie" not in request.lower()
        assert b"x-team: t" in request.lower()


def of_sync(fail: Callable[[httpx.Request], httpx.Response]) -> None:
    list(
        Pictify(
            api_key=KEY, max_retries=0, http_client=httpx.Client(transport=httpx.MockTransport(fail), timeout=9)
        ).bindings.list()
    )


def of_async(fail: Callable[[httpx.Request], httpx.Response]) -> None:
    async def run() -> None:
        await AsyncPictify(
            api_key=KEY, max_retries=0, http_client=httpx.AsyncClient(transport=httpx.MockTransport(fail), timeout=9)
        ).bindings.list()

    anyio.run(run)


@pytest.mark.parametrize("run", [of_sync, of_async])
@pytest.mark.parametrize("failure", FOREIGN, ids=lambda failure: type(failure).__name__)
def test_errors_of_httpx_are_the_cause_of_ours(
    run: Callable[[Callable[[httpx.Request], httpx.Response]], None], failure: Exception
) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise failure

    with pytest.raises(APIConnectionError) as caught:
        run(fail)
    assert caught.value.__cause__ is failure
    assert type(failure).__name__ in str(caught.value)
    assert caught.value.request is not None
    assert caught.value.request.url == "https://api.pictify.io/bindings"
