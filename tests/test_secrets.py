"""No repr, log, error or pickle contains the API key."""

from __future__ import annotations

import json
import logging
import pickle
import re
import traceback
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest

from pictify_client import (
    APIConnectionError,
    APIStatusError,
    AsyncPictify,
    AuthenticatedClient,
    ConfigurationError,
    Pictify,
    PictifyError,
    Response,
    ResponseDecodeError,
)
from pictify_client.api.bindings import list_bindings

from .calls import FUNCTIONS, async_client, call, sync_client
from .replay import KEY
from .sockets import scripted_server

functions = pytest.mark.parametrize("function", FUNCTIONS)

RESPONSES: dict[str, Callable[[httpx.Request], httpx.Response]] = {
    "success": lambda _: httpx.Response(200, json={"bindings": []}),
    "rejection": lambda _: httpx.Response(401, json={"message": "Invalid Request"}),
    "rejection that repeats the key": lambda request: httpx.Response(
        401,
        headers={"x-request-id": request.headers["authorization"], "content-encoding": "identity"},
        json={"message": f"unknown key {request.headers['authorization']}"},
    ),
    "redirect": lambda _: httpx.Response(307, headers={"location": "/elsewhere"}),
    "rejection with the key for a reason": lambda request: httpx.Response(
        401, extensions={"reason_phrase": b"unknown " + request.headers["authorization"].encode()}
    ),
    "misread": lambda _: httpx.Response(200, json={"bindings": {}}),
    "misread that repeats the key": lambda request: httpx.Response(
        200, json={"bindings": [{"uid": "b", "renderUrl": "u", "createdAt": request.headers["authorization"]}]}
    ),
    "not JSON, but the key": lambda request: httpx.Response(200, text=request.headers["authorization"]),
}


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("lost", request=request)


def all_texts_of(thing: object) -> str:
    """The texts of an object and its parts, and its pickle."""
    texts = [repr(thing), str(thing), repr(pickle.dumps(thing)), repr(getattr(thing, "__dict__", None))]
    if isinstance(thing, BaseException):
        texts += traceback.format_exception(thing)
        texts += [all_texts_of(part) for part in (thing.__cause__, thing.__context__) if part is not None]
    for name in ("request", "response"):
        part = getattr(thing, name, None)
        for each in [*getattr(part, "history", []), getattr(part, "next_request", None)]:
            if each is not None:
                texts.append(repr(getattr(each, "request", each).headers.raw))
        if part is not None:
            texts += [repr(part), repr(part.headers.raw), repr(pickle.dumps(part))]
    return "\n".join(texts)


@functions
@pytest.mark.parametrize("name", RESPONSES)
def test_results_and_errors_do_not_contain_the_key(function: str, name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    try:
        got: object = call(function, httpx.MockTransport(RESPONSES[name]))
    except PictifyError as error:
        got = error
    assert KEY not in all_texts_of(got)
    if isinstance(got, Response) and got.error is not None:
        assert KEY not in all_texts_of(got.error)
    # httpx logs the server's reason phrase; the package's own log must not contain the key even then.
    logged = [record for record in caplog.records if record.name == "pictify_client" or "for a reason" not in name]
    assert KEY not in "".join(record.getMessage() for record in logged)
    assert [
        record.getMessage().rpartition(" in ")[0] for record in caplog.records if record.name == "pictify_client"
    ] == [f"GET /bindings: {RESPONSES[name](httpx.Request('GET', '/', headers={'authorization': 'x'})).status_code}"]


@functions
def test_a_key_that_a_response_repeats_is_redacted(function: str) -> None:
    transport = httpx.MockTransport(RESPONSES["rejection that repeats the key"])
    if function.endswith("detailed"):
        response = call(function, transport)
        assert isinstance(response, Response)
        assert json.loads(response.content) == {"message": "unknown key Bearer [redacted]"}
        error = response.error
    else:
        with pytest.raises(APIStatusError) as caught:
            call(function, transport)
        error = caught.value
    assert error is not None
    assert (error.message, error.request_id) == ("unknown key Bearer [redacted]", "Bearer [redacted]")
    with pytest.raises(ResponseDecodeError) as misread:
        call(function, httpx.MockTransport(RESPONSES["misread that repeats the key"]))
    assert misread.value.value == "Bearer [redacted]"


@functions
def test_a_connection_error_does_not_contain_the_key(function: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(APIConnectionError) as caught:
        call(function, httpx.MockTransport(lost))
    assert KEY not in all_texts_of(caught.value)
    assert KEY not in caplog.text
    assert "GET /bindings: ReadError in " in caplog.text


def test_a_key_that_is_a_part_of_its_placeholder_is_redacted() -> None:
    client = AuthenticatedClient(
        token="redact", http_client=httpx.Client(transport=httpx.MockTransport(RESPONSES["misread"]))
    )
    with pytest.raises(ResponseDecodeError):
        list_bindings.sync(client=client)


def test_placeholders_are_not_searched_for_keys() -> None:
    def reset(_request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("redact, redacted")

    # A string of a few letters is a part of many words, and not a key.
    for key, text in (("redact", "[redacted], [redacted]ed"), ("e", "redact, redacted")):
        transport = httpx.MockTransport(reset)
        client = AuthenticatedClient(token=key, http_client=httpx.Client(transport=transport), max_retries=0)
        with pytest.raises(APIConnectionError, match=re.escape(f"(ReadError: {text})")):
            list_bindings.sync(client=client)


def test_redirects_of_a_custom_client_leave_no_key_in_the_response() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/bindings":
            return httpx.Response(307, headers={"location": "/elsewhere"})
        if request.url.path == "/elsewhere" and fails:
            raise httpx.ReadError("lost", request=request)
        return httpx.Response(404)

    http_client = httpx.Client(transport=httpx.MockTransport(respond), follow_redirects=True)
    client = AuthenticatedClient(token=KEY, max_retries=0, http_client=http_client)
    for outcome in ("404", "lost"):
        fails = outcome == "lost"
        with pytest.raises(PictifyError) as caught:
            list_bindings.sync(client=client)
        assert KEY not in all_texts_of(caught.value)
        if isinstance(caught.value, APIConnectionError):
            assert isinstance(caught.value.__cause__, httpx.ReadError)
            assert caught.value.__cause__.request.headers["authorization"] == "[redacted]"


@pytest.mark.parametrize("form", ["sync", "asyncio", "trio"])
@pytest.mark.parametrize("line", ["HTTP/1.1 200 OK\r\nAuthorization Bearer {key}", "HTTP/9 Bearer {key}"])
def test_a_key_in_an_invalid_part_of_a_response_is_redacted(form: str, line: str) -> None:
    async def run(base_url: str) -> None:
        async with AuthenticatedClient(token=KEY, max_retries=0, base_url=base_url, verify_ssl=False) as client:
            await list_bindings.asyncio(client=client)

    with scripted_server() as served:
        served.response = line.format(key=KEY).encode() + b"\r\n\r\n"
        with pytest.raises(APIConnectionError) as caught:
            if form == "sync":
                with AuthenticatedClient(
                    token=KEY, max_retries=0, base_url=served.base_url, verify_ssl=False
                ) as client:
                    list_bindings.sync(client=client)
            else:
                anyio.run(run, served.base_url, backend=form)
    assert "[redacted]" in str(caught.value)
    assert KEY not in all_texts_of(caught.value)


def test_the_repr_of_a_client_does_not_contain_the_key() -> None:
    for client in (
        Pictify(api_key=KEY),
        AsyncPictify(api_key=KEY),
        AuthenticatedClient(token=KEY),
        Pictify(api_key=KEY).with_options(timeout=3),
    ):
        assert KEY not in repr(client) + str(client)
        assert repr(client) == f"{type(client).__name__}(base_url='https://api.pictify.io')"
    assert KEY not in repr(Pictify(api_key=KEY).bindings) + repr(Pictify(api_key=KEY).bindings.list())


@pytest.mark.parametrize("key", [f"{KEY}\n", f"{KEY} ", f"\N{ZERO WIDTH SPACE}{KEY}"])
def test_the_error_for_an_invalid_key_does_not_contain_it(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Pictify(api_key=key)
    assert KEY not in all_texts_of(caught.value)


def test_logs_of_a_real_connection_contain_neither_key_nor_query(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def run(base_url: str) -> None:
        async with AuthenticatedClient(token=KEY, max_retries=0, base_url=base_url) as client:
            await list_bindings.asyncio_detailed(client=client, template_id="tmpl_1")

    with scripted_server() as served:
        served.response = b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n"
        with AuthenticatedClient(token=KEY, max_retries=0, base_url=served.base_url) as client:
            list_bindings.sync_detailed(client=client, template_id="tmpl_1")
        anyio.run(run, served.base_url)
    assert KEY not in caplog.text
    ours = [record.getMessage() for record in caplog.records if record.name == "pictify_client"]
    assert [message.rpartition(" in ")[0] for message in ours] == ["GET /bindings: 500", "GET /bindings: 500"]


def test_the_request_of_an_error_has_a_placeholder_for_the_key() -> None:
    with pytest.raises(APIStatusError) as caught:
        call("sync", httpx.MockTransport(RESPONSES["rejection"]))
    assert caught.value.request.headers["Authorization"] == "[redacted]"


def test_a_client_still_has_its_key_after_an_error() -> None:
    keys: list[Any] = []

    def respond(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["authorization"])
        return httpx.Response(500)

    async def run() -> None:
        client = async_client(httpx.MockTransport(respond))
        for _ in range(2):
            await list_bindings.asyncio_detailed(client=client)

    client = sync_client(httpx.MockTransport(respond))
    for _ in range(2):
        list_bindings.sync_detailed(client=client)
    anyio.run(run)
    assert keys == [f"Bearer {KEY}"] * 4
