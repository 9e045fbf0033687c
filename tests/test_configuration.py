"""Client configuration: API key, base URL, headers, timeouts, custom httpx clients, and closing."""

from __future__ import annotations

import asyncio
import copy
import pickle
import re
from collections.abc import Callable
from typing import Any, cast

import anyio
import httpx
import pytest

from pictify_client import (
    APITimeoutError,
    AsyncPictify,
    AuthenticatedClient,
    Client,
    ClientClosedError,
    ConfigurationError,
    Pictify,
    PictifyError,
)
from pictify_client._runtime.connections import DeadlineExceeded
from pictify_client.api._server import SERVER
from pictify_client.api.bindings import list_bindings

from .replay import KEY

Maker = Callable[..., Any]


def authenticated_client(api_key: str | None = None, **options: Any) -> AuthenticatedClient:
    return AuthenticatedClient(token=api_key, **options)


def about(seconds: float) -> Any:
    """A timeout minus the time that the call has taken so far."""
    return pytest.approx(seconds, abs=0.5)


clients = pytest.mark.parametrize(
    "make",
    [Pictify, AsyncPictify, authenticated_client],
)


def recording_transport(requests: list[httpx.Request]) -> httpx.Client:
    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"bindings": []})

    return httpx.Client(transport=httpx.MockTransport(respond))


@clients
def test_a_missing_key_is_an_error(make: Maker) -> None:
    with pytest.raises(
        ConfigurationError, match=r"No API key: set the environment variable PICTIFY_API_KEY, or pass api_key"
    ):
        make()


BAD_KEYS = {
    "": "is empty",
    " ": "contains white space",
    "pic_live_x\n": "contains white space",
    "pk live x": "contains white space",
    "pic_live_x\r\nX-Evil: 1": "contains white space",
    "Bearer pic_live_x": "without 'Bearer'",
    "pic_live_\N{LATIN SMALL LETTER U WITH DIAERESIS}": "are not allowed in an HTTP header",
    "pic_live_\x00": "are not allowed in an HTTP header",
}


@clients
@pytest.mark.parametrize(("key", "text"), BAD_KEYS.items())
def test_an_invalid_key_is_an_error(make: Maker, key: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=text) as caught:
        make(api_key=key)
    assert "pic_live_x" not in str(caught.value)
    if "\0" not in key:
        monkeypatch.setenv("PICTIFY_API_KEY", key)
        with pytest.raises(ConfigurationError, match=f"PICTIFY_API_KEY .*{text}"):
            make()


def test_the_key_argument_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICTIFY_API_KEY", "pic_live_environment")
    requests: list[httpx.Request] = []
    for key in (None, "pic_live_argument"):
        list(Pictify(http_client=recording_transport(requests), api_key=key).bindings.list())
    sent = [request.headers.raw for request in requests]
    assert [value for headers in sent for name, value in headers if name == b"Authorization"] == [
        b"Bearer pic_live_environment",
        b"Bearer pic_live_argument",
    ]


def test_the_base_url_is_the_argument_the_environment_or_the_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[httpx.Request] = []
    http_client = recording_transport(requests)
    list(Pictify(api_key=KEY, http_client=http_client).bindings.list())
    monkeypatch.setenv("PICTIFY_BASE_URL", "https://staging.example.com/pictify/")
    list(Pictify(api_key=KEY, http_client=http_client).bindings.list())
    list(Pictify(api_key=KEY, http_client=http_client, base_url="http://127.0.0.1:8787").bindings.list())
    monkeypatch.setenv("PICTIFY_BASE_URL", "")
    list(Pictify(api_key=KEY, http_client=http_client).bindings.list())
    assert [str(request.url) for request in requests] == [
        "https://api.pictify.io/bindings",
        "https://staging.example.com/pictify/bindings",
        "http://127.0.0.1:8787/bindings",
        "https://api.pictify.io/bindings",
    ]


@clients
@pytest.mark.parametrize(
    ("base_url", "text"),
    [
        ("api.pictify.io", "base_url must be an absolute URL such as https://api.pictify.io"),
        ("ftp://api.pictify.io", "base_url must be an absolute URL"),
        ("https://", "base_url must be an absolute URL"),
        ("", "base_url must be an absolute URL such as https://api.pictify.io, got ''"),
        ("https://api pictify.io", "base_url must be an absolute URL"),
        ("https://api.pictify.io:99999", "base_url must be an absolute URL"),
        ("https://api.pictify.io:port", "base_url is not a valid URL"),
        (7, "base_url must be an absolute URL such as https://api.pictify.io, got '7'"),
        ("https://api.pictify.io/?", "base_url must not have .* a query"),
        ("https://user:sesame@api.pictify.io", "base_url must not have a user name"),
        ("https://api.pictify.io?team=1", "base_url must not have .* a query"),
        ("https://api.pictify.io/#top", "base_url must not have .* a fragment"),
    ],
)
def test_an_invalid_base_url_is_an_error(make: Maker, base_url: Any, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text) as caught:
        make(api_key=KEY, base_url=base_url)
    assert "sesame" not in str(caught.value)


def test_an_invalid_base_url_of_the_environment_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICTIFY_BASE_URL", "localhost")
    with pytest.raises(ConfigurationError, match="PICTIFY_BASE_URL must be an absolute URL"):
        Pictify(api_key=KEY)


@clients
@pytest.mark.parametrize("option", ["timeout", "attempt_timeout"])
@pytest.mark.parametrize("timeout", [0, -1, -0.5, float("nan"), float("inf"), 1e12])
def test_an_invalid_timeout_is_an_error(make: Maker, option: str, timeout: float) -> None:
    with pytest.raises(ConfigurationError, match=f"^{option} must be more than 0 seconds, got"):
        make(api_key=KEY, **{option: timeout})


WRONG_TIMEOUTS: list[tuple[dict[str, Any], str]] = [
    ({"timeout": "5"}, "timeout must be a number of seconds, got '5'"),
    ({"timeout": True}, "timeout must be a number of seconds, got True"),
    ({"timeout": httpx.Timeout(5)}, "timeout is a number of seconds: pass a httpx.Timeout as attempt_timeout"),
    ({"attempt_timeout": "5"}, "attempt_timeout must be a number of seconds or a httpx.Timeout, got '5'"),
    ({"attempt_timeout": httpx.Timeout(5, read=-1)}, "attempt_timeout must be more than 0 seconds, got -1"),
]


@clients
@pytest.mark.parametrize(("options", "text"), WRONG_TIMEOUTS)
def test_a_timeout_of_another_type_is_an_error(make: Maker, options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{re.escape(text)}"):
        make(api_key=KEY, **options)
    with pytest.raises(ConfigurationError, match=f"^{re.escape(text)}"):
        make(api_key=KEY).with_options(**options)


@clients
def test_stream_files_must_be_a_boolean(make: Maker) -> None:
    with pytest.raises(ConfigurationError, match="^stream_files must be True or False, got 1$"):
        make(api_key=KEY).with_options(stream_files=1)


HOSTS = {
    "http://api.pictify.io": "The API key would be sent to http://api.pictify.io unencrypted",
    "http://127.0.0.2.example.com": "or allow it with allow_http=['127.0.0.2.example.com']",
    "http://localhost.example.com": "use https",
    "http://10.0.0.1:8080": "or allow it with allow_http=['10.0.0.1']",
}


@clients
@pytest.mark.parametrize(("base_url", "text"), HOSTS.items())
def test_a_key_is_sent_unencrypted_only_to_allowed_hosts(make: Maker, base_url: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(text)):
        make(api_key=KEY, base_url=base_url)
    with pytest.raises(ConfigurationError, match=re.escape(text)):
        make(api_key=KEY, base_url=base_url, allow_http=["example.com"])
    host = httpx.URL(base_url).host
    assert repr(make(api_key=KEY, base_url=base_url, allow_http={host.upper()})).endswith(f"(base_url={base_url!r})")
    assert Client(base_url=base_url).base_url == base_url


@clients
@pytest.mark.parametrize("host", ["localhost", "api.localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_a_key_may_be_sent_unencrypted_to_localhost(make: Maker, host: str) -> None:
    make(api_key=KEY, base_url=f"http://{host}:8787")


@clients
@pytest.mark.parametrize("allow_http", ["gateway", b"gateway", {"gateway": True}, [5]])
def test_allow_http_must_be_a_collection_of_host_names(make: Maker, allow_http: Any) -> None:
    with pytest.raises(ConfigurationError, match="allow_http must be a collection of host names, such as"):
        make(api_key=KEY, allow_http=allow_http)


@clients
@pytest.mark.parametrize("key", [5, b"pic_live_x"])
def test_a_key_of_another_type_is_an_error(make: Maker, key: object) -> None:
    with pytest.raises(ConfigurationError, match="the API key must be a string, got"):
        make(api_key=key)


@clients
@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ([("X-Trace", "1")], "headers must be a mapping of names to values, got list"),
        ({"X-Trace": 1}, "the name and the value of the header 'X-Trace' must be strings"),
        ({"authorization": "Bearer other"}, "headers must not contain Authorization"),
        ({"X Trace": "a"}, "the header 'X Trace' is invalid: name and value must be ASCII"),
        ({"": "a"}, "the header '' is invalid: name and value must be ASCII"),
        ({"X-Trace": "a\r\nX-Evil: 1"}, "the header 'X-Trace' is invalid: name and value must be ASCII"),
        ({"X-Trace": "\N{SNOWMAN}"}, "the header 'X-Trace' is invalid: name and value must be ASCII"),
    ],
)
def test_invalid_headers_are_an_error(make: Maker, headers: Any, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        make(api_key=KEY, headers=headers)


def test_headers_are_sent_with_every_request_and_a_copy_has_its_own() -> None:
    requests: list[httpx.Request] = []
    pictify = Pictify(api_key=KEY, headers={"X-Team": "a"}, http_client=recording_transport(requests))
    copied = pictify.with_options(headers={"X-Trace": "1"})
    list(copied.bindings.list())
    list(pictify.bindings.list())
    assert [(each.headers.get("X-Team"), each.headers.get("X-Trace")) for each in requests] == [("a", "1"), ("a", None)]


def test_a_header_replaces_the_default_case_insensitively() -> None:
    requests: list[httpx.Request] = []
    pictify = Pictify(api_key=KEY, headers={"user-agent": "mine"}, http_client=recording_transport(requests))
    list(pictify.with_options(headers={"ACCEPT": "x/y"}).bindings.list())
    assert requests[0].headers.get_list("User-Agent") == ["mine"]
    assert requests[0].headers.get_list("Accept") == ["x/y"]


def test_query_parameters_of_the_http_client_are_added_to_those_of_the_call() -> None:
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"bindings": []})

    http_client = httpx.Client(transport=httpx.MockTransport(respond), params={"team": "x y"})
    list(Pictify(api_key=KEY, http_client=http_client).bindings.list(template_id="a&b", limit=5))
    assert dict(requests[0].url.params) == {"team": "x y", "templateId": "a&b", "limit": "5"}


def timeouts_of(make: Callable[[httpx.Client], Pictify], **own: Any) -> Any:
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"bindings": []})

    list(make(httpx.Client(transport=httpx.MockTransport(respond), **own)).bindings.list())
    return requests[0].extensions["timeout"]


def test_the_attempt_timeout_is_the_option_or_that_of_the_http_client() -> None:
    def make(http_client: httpx.Client, **options: Any) -> Pictify:
        return Pictify(api_key=KEY, http_client=http_client, **options)

    assert timeouts_of(make, timeout=7)["read"] == 7
    assert timeouts_of(lambda client: make(client, attempt_timeout=3), timeout=7)["read"] == about(3)
    assert timeouts_of(lambda client: make(client, attempt_timeout=3).with_options(attempt_timeout=2))["read"] == about(
        2
    )
    assert timeouts_of(lambda client: make(client, attempt_timeout=3).with_options())["read"] == about(3)
    assert timeouts_of(lambda client: make(client, timeout=None, attempt_timeout=None))["read"] is None
    assert timeouts_of(lambda client: make(client, attempt_timeout=httpx.Timeout(9, connect=1)))["connect"] == 1


def test_no_phase_of_an_attempt_exceeds_the_timeout_of_the_call() -> None:
    def make(http_client: httpx.Client, **options: Any) -> Pictify:
        return Pictify(api_key=KEY, http_client=http_client, **options)

    assert timeouts_of(lambda client: make(client, timeout=2), timeout=7)["read"] == about(2)
    assert timeouts_of(lambda client: make(client).with_options(timeout=2), timeout=None)["read"] == about(2)
    assert timeouts_of(make, timeout=None)["connect"] == about(180)


def test_copies_share_the_pool_and_are_closed_together() -> None:
    requests: list[httpx.Request] = []
    http_client = recording_transport(requests)
    pictify = Pictify(api_key=KEY, http_client=http_client)
    copied = pictify.with_options(timeout=1)
    pictify.close()
    with pytest.raises(PictifyError, match="the client is closed"):
        list(copied.bindings.list())
    assert not http_client.is_closed
    assert requests == []


def test_use_after_close_is_a_clear_error() -> None:
    async def run() -> None:
        async with AsyncPictify(api_key=KEY) as pictify:
            pass
        with pytest.raises(PictifyError, match="the client is closed"):
            await pictify.bindings.list()
        async with AuthenticatedClient(token=KEY) as client:
            pass
        with pytest.raises(PictifyError, match="the client is closed"):
            list_bindings.sync(client=client)

    with Pictify(api_key=KEY) as pictify:
        pass
    with pytest.raises(PictifyError, match="the client is closed"):
        list(pictify.bindings.list())
    with AuthenticatedClient(token=KEY) as client:
        pass
    with pytest.raises(PictifyError, match="the client is closed"):
        list_bindings.sync(client=client)
    anyio.run(run)


def test_a_closed_custom_http_client_is_a_clear_error() -> None:
    http_client = httpx.Client()
    http_client.close()
    with pytest.raises(PictifyError, match="the client is closed"):
        list(Pictify(api_key=KEY, http_client=http_client).bindings.list())


def test_an_http_client_of_the_wrong_type_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="http_client must be a httpx.Client here, got AsyncClient"):
        Pictify(api_key=KEY, http_client=httpx.AsyncClient())  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="http_client must be a httpx.AsyncClient here, got Client"):
        AsyncPictify(api_key=KEY, http_client=httpx.Client())  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="http_client is a httpx.AsyncClient, which makes no sync calls"):
        list_bindings.sync(client=AuthenticatedClient(token=KEY, http_client=httpx.AsyncClient()))
    with pytest.raises(ConfigurationError, match="http_client is a httpx.Client, which makes no asyncio calls"):
        anyio.run(lambda: list_bindings.asyncio(client=AuthenticatedClient(token=KEY, http_client=httpx.Client())))


def test_the_authentication_of_the_http_client_does_not_replace_the_key() -> None:
    sent: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["Authorization"])
        return httpx.Response(200, json={"bindings": []})

    http_client = httpx.Client(transport=httpx.MockTransport(respond), auth=("user", "password"))
    list(Pictify(api_key=KEY, http_client=http_client).bindings.list())
    assert sent == [f"Bearer {KEY}"]


def test_a_client_without_a_key_sends_no_authorization_header() -> None:
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(401, json={"message": "Invalid Request"})

    client = Client(http_client=httpx.Client(transport=httpx.MockTransport(respond)))
    response = client.send(list_bindings.OPERATION, template_id=None, status=None, page=None, limit=None)
    assert "authorization" not in requests[0].headers
    assert response.error is not None
    assert "authorization" not in response.error.request.headers


def test_a_copy_of_an_async_client_shares_its_pool_too() -> None:
    seen: list[object] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append((request.headers.get("X-Trace"), request.extensions["timeout"]["read"]))
        return httpx.Response(200, json={"bindings": []})

    async def run() -> None:
        http_client = httpx.AsyncClient(transport=httpx.MockTransport(respond))
        pictify = AsyncPictify(api_key=KEY, http_client=http_client)
        await pictify.with_options(attempt_timeout=2, headers={"X-Trace": "1"}).bindings.list()
        await pictify.aclose()
        with pytest.raises(PictifyError, match="the client is closed"):
            await pictify.with_options().bindings.list()
        assert not http_client.is_closed

    anyio.run(run)
    assert seen == [("1", about(2))]


@pytest.mark.parametrize("again", [copy.deepcopy, pickle.dumps])
def test_a_client_is_not_copied_or_pickled(again: Callable[[object], object]) -> None:
    for client in (AuthenticatedClient(token=KEY), Pictify(api_key=KEY), AsyncPictify(api_key=KEY)):
        with pytest.raises(TypeError, match="AuthenticatedClient cannot be pickled or copied"):
            again(client if isinstance(client, AuthenticatedClient) else client.client)
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            again(client)


LATE = {
    "(ReadTimeout after 7 s; set by attempt_timeout=)": {"attempt_timeout": httpx.Timeout(7)},
    "(ReadTimeout after 9 s; set by http_client)": {"http_client": httpx.Timeout(9)},
    # httpx's default is too short for renders, so it is treated as not configured.
    "(60 s for one attempt; set by attempt_timeout=)": {},
    "(7 s for the complete call; set by timeout=)": {"timeout": 7, "attempt_timeout": 8},
    "(6 s for one attempt; set by attempt_timeout=)": {"timeout": 7, "attempt_timeout": 6, "raises": DeadlineExceeded},
}


@pytest.mark.parametrize(("text", "options"), LATE.items())
def test_a_timeout_error_names_the_setting(text: str, options: dict[str, Any]) -> None:
    kind, of_http_client = options.pop("raises", httpx.ReadTimeout), options.pop("http_client", 5)

    def late(request: httpx.Request) -> httpx.Response:
        raise kind("", request=request)

    transport = httpx.MockTransport(late)
    http_client = httpx.Client(transport=transport, timeout=of_http_client)
    pictify = Pictify(api_key=KEY, max_retries=0, http_client=http_client, **options)
    with pytest.raises(APITimeoutError, match=re.escape(f"GET /bindings: no response from {SERVER} in time {text}")):
        list(pictify.bindings.list())


def test_the_key_may_be_positional() -> None:
    requests: list[httpx.Request] = []
    list(Pictify(KEY, http_client=recording_transport(requests)).bindings.list())
    assert requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert repr(AsyncPictify(KEY)) == "AsyncPictify(base_url='https://api.pictify.io')"


def test_a_closed_client_has_its_own_error_class() -> None:
    pictify = Pictify(KEY, http_client=recording_transport([]))
    pictify.close()
    with pytest.raises(ClientClosedError, match="the client is closed: create a new one") as caught:
        list(pictify.bindings.list())
    assert repr(caught.value) == f"ClientClosedError({str(caught.value)!r})"


def test_the_wrong_with_statement_is_an_error_that_says_what_to_write() -> None:
    with pytest.raises(TypeError, match="use `async with AsyncPictify"), cast("Any", AsyncPictify(KEY)):
        pass

    async def test() -> None:
        async with cast("Any", Pictify(KEY)):
            pass

    with pytest.raises(TypeError, match=r"use `with Pictify\(\) as pictify:`"):
        asyncio.run(test())


def test_a_copy_of_a_subclass_keeps_its_attributes() -> None:
    class Shop(Pictify):
        def __init__(self, name: str, http_client: httpx.Client) -> None:
            super().__init__(KEY, http_client=http_client)
            self.name = name

    requests: list[httpx.Request] = []
    shop = Shop("espresso", recording_transport(requests))
    list(shop.bindings.list())
    copied = shop.with_options(headers={"X-Team": "a"})
    list(copied.bindings.list())
    assert (type(copied), copied.name) == (Shop, "espresso")
    # Cached resources do not use the previous options.
    assert [request.headers.get("x-team") for request in requests] == [None, "a"]
