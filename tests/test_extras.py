"""The extras: orjson instead of the standard library's json, and HTTP/2."""

from __future__ import annotations

import json
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import anyio
import h2.config
import h2.connection
import h2.events
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pictify_client import AsyncPictify, ConfigurationError, DecodeError, Pictify, ResponseDecodeError
from pictify_client._runtime import json_values
from pictify_client.api.bindings import list_bindings
from pictify_client.api.images import create_image
from pictify_client.models import BindingList

from .replay import KEY, body_of, without_nulls
from .servers import Connection, call, client_of, run, served

CERTIFICATE = Path(__file__).parent / "faults" / "self_signed.pem"
PAGE = json.dumps(body_of("first_page")).encode()


@pytest.fixture(params=["orjson", "json"])
def _reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "json":
        # None makes the import of the module fail.
        monkeypatch.setitem(sys.modules, "orjson", None)
    json_values.find_orjson.cache_clear()
    yield
    json_values.find_orjson.cache_clear()


def transport_with(content: bytes) -> Pictify:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=content))
    return Pictify(api_key=KEY, max_retries=0, http_client=httpx.Client(transport=transport))


@pytest.mark.usefixtures("_reader")
def test_a_page_is_the_same_with_and_without_orjson() -> None:
    page = list_bindings.sync(client=transport_with(PAGE).client)
    assert page.to_dict() == without_nulls(body_of("first_page"))


ODD: dict[bytes, dict[str, Any]] = {
    b'{"bindings": [{"uid": "\\ud800", "renderUrl": "u"}]}': {"bindings": [{"uid": "\ud800", "renderUrl": "u"}]},
    b'\xef\xbb\xbf{"bindings": []}': {"bindings": []},
    b'{"bindings": [], "total": 1e999}': {"bindings": [], "total": float("inf")},
}


@pytest.mark.usefixtures("_reader")
@pytest.mark.parametrize(("content", "held"), ODD.items())
def test_json_that_only_the_standard_library_reads_is_still_read(content: bytes, held: dict[str, Any]) -> None:
    assert list_bindings.sync(client=transport_with(content).client).to_dict() == without_nulls(held)


@pytest.mark.usefixtures("_reader")
@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[" * 100_000, b'{"bindings": [{"uid": "b", "renderUrl": "u", "createdAt": 5}]}']
)
def test_invalid_json_is_the_same_error(content: bytes) -> None:
    with pytest.raises(
        ResponseDecodeError, match=r"GET /bindings responded with 200, but (the body|bindings\[0\]\.createdAt):"
    ):
        list_bindings.sync(client=transport_with(content).client)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("_reader")
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_both_read_the_same_values(value: Any) -> None:
    content = json.dumps(value).encode()
    assert json_values.parse_json(content) == json.loads(content)


def test_a_model_decodes_orjson_values() -> None:
    with pytest.raises(DecodeError, match=r"bindings: expected an array"):
        BindingList.from_dict(json_values.parse_json(b'{"bindings": 5}'))


@pytest.fixture
def secure() -> Iterator[tuple[str, list[str]]]:
    """A server with HTTP/2, and the paths that were requested."""
    requested: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    context.set_alpn_protocols(["h2"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=_accept, args=(listener, context, requested), daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}", requested
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _accept(listener: socket.socket, context: ssl.SSLContext, requested: list[str]) -> None:
    with suppress(OSError):
        while True:
            plain, _ = listener.accept()
            with plain, suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
                _respond_over_http2(connection, requested)


def _respond_over_http2(connection: ssl.SSLSocket, requested: list[str]) -> None:
    http = h2.connection.H2Connection(config=h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
    http.initiate_connection()
    connection.sendall(http.data_to_send())
    while received := connection.recv(65_536):
        for event in http.receive_data(received):
            if isinstance(event, h2.events.RequestReceived):
                fields: dict[Any, Any] = dict(event.headers)
                requested.append(fields[":path"])
                response = [
                    (":status", "200"),
                    ("content-type", "application/json"),
                    ("content-length", str(len(PAGE))),
                ]
                http.send_headers(event.stream_id, response)
                http.send_data(event.stream_id, PAGE, end_stream=True)
        connection.sendall(http.data_to_send())


def test_http2_is_used_if_it_is_enabled(secure: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    base_url, requested = secure
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with Pictify(api_key=KEY, base_url=base_url, http2=True, max_retries=0) as pictify:
        assert len(pictify.bindings.list(limit=3).first_page()) == len(body_of("first_page")["bindings"])

    async def run() -> None:
        async with AsyncPictify(api_key=KEY, base_url=base_url, http2=True, max_retries=0) as pictify:
            assert (await pictify.bindings.list(limit=4)).items

    anyio.run(run)
    assert requested == ["/bindings?limit=3", "/bindings?limit=4"]


def respond_with_goaway(connection: ssl.SSLSocket, requested: list[str], processed: list[str]) -> None:
    """Process one request, and send GOAWAY when another arrives over the same connection."""
    http = h2.connection.H2Connection(config=h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
    http.initiate_connection()
    connection.sendall(http.data_to_send())
    while received := connection.recv(65_536):
        for event in http.receive_data(received):
            if isinstance(event, h2.events.RequestReceived):
                fields: dict[Any, Any] = dict(event.headers)
                requested.append(fields[":path"])
            if isinstance(event, h2.events.StreamEnded):
                if event.stream_id > 1:
                    http.close_connection(last_stream_id=1)
                    connection.sendall(http.data_to_send())
                    return
                processed.append(requested[-1])
                body = b'{"url": "u", "id": "i", "createdAt": "2026-01-29T10:00:05Z", "bindings": []}'
                http.send_headers(event.stream_id, [(":status", "200"), ("content-type", "application/json")])
                http.send_data(event.stream_id, body, end_stream=True)
        connection.sendall(http.data_to_send())


@pytest.mark.parametrize("form", ["sync", "asyncio", "trio"])
def test_a_request_that_http2_did_not_process_is_retried(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    requested: list[str] = []
    processed: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    context.set_alpn_protocols(["h2"])
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))

    def handle(connection: Connection) -> None:
        with suppress(OSError):
            respond_with_goaway(vars(connection)["_socket"], requested, processed)

    with served(handle, tls=context) as server:

        async def test() -> None:
            async with client_of(server, http2=True) as client:
                for _ in range(3):
                    # Without using up a retry, and although it is billed.
                    assert (await call(form, create_image, client, body={"html": "<p>"})).url == "u"

        run(form, test)
    assert (len(requested), processed) == (5, ["/image"] * 3)


def test_http2_without_its_package_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="http2 cannot be combined with http_client: set it on your httpx"):
        Pictify(api_key=KEY, http2=True, http_client=httpx.Client())
    wrong: Any = "yes"
    with pytest.raises(ConfigurationError, match="http2 must be True or False, got 'yes'"):
        Pictify(api_key=KEY, http2=wrong)
    monkeypatch.setattr("pictify_client._runtime.settings.find_spec", dict[str, object]().get)
    with pytest.raises(
        ConfigurationError, match=r"http2=True needs the package h2: pip install 'pictify-client\[http2\]'"
    ):
        AsyncPictify(api_key=KEY, http2=True)
