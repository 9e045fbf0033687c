"""The proxies of the environment, and the hosts that bypass them: over real sockets."""

from __future__ import annotations

import socket
import sys
from typing import Any

import pytest

from pictify_client import ConfigurationError
from pictify_client.api.bindings import list_bindings

from .servers import Connection, call, client_of, forms, good, http, respond_with, run, served


@pytest.mark.parametrize(
    ("host", "no_proxy", "is_bypassed"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.0/8", True),
        ("127.0.0.1", "10.0.0.0/8, 127.0.0.0/8", True),
        ("127.0.0.1", "127.0.0.1:{port}", True),
        ("127.0.0.1", "*", True),
        ("127.0.0.1", "10.0.0.0/8", False),
        ("127.0.0.1", "127.0.0.1:1", False),
        ("127.0.0.1", "127.0.0", False),
        ("127.0.0.1", "", False),
        ("localhost", "localhost", True),
        ("localhost", "LocalHost:{port}", True),
        ("localhost", ".localhost *.example.com", True),
        ("localhost", "example.com localhost", True),
        ("localhost", "host", False),
        ("localhost", "api.localhost", False),
        ("localhost", "127.0.0.1", False),
        ("[::1]", "::1", True),
        ("[::1]", "[::1]", True),
        ("[::1]", "[::1]:{port}", True),
        ("[::1]", "::/64", True),
        ("[::1]", "fd00::/8", False),
        ("[::1]", "[::1]:1", False),
    ],
)
def test_no_proxy_names_hosts_domains_addresses_and_networks(
    host: str, no_proxy: str, is_bypassed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served() as proxy, served(host="::1" if host == "[::1]" else "127.0.0.1") as server:
        port = server.base_url.rpartition(":")[2]
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url)
        monkeypatch.setenv("NO_PROXY", no_proxy.format(port=port))
        monkeypatch.setattr(socket, "getaddrinfo", _only_ipv4)
        with client_of(server, base_url=f"http://{host}:{port}") as client:
            list_bindings.sync(client=client)
        assert (len(server.requests), len(proxy.requests)) == ((1, 0) if is_bypassed else (0, 1))


_resolve = socket.getaddrinfo


def _only_ipv4(host: Any, *arguments: Any, **options: Any) -> Any:
    return _resolve("127.0.0.1" if host == "localhost" else host, *arguments, **options)


def socks(connection: Connection) -> None:
    """A SOCKS5 proxy with a user and a password (RFC 1928, RFC 1929), which is also the server behind it."""
    sock: socket.socket = vars(connection)["_socket"]
    offered = sock.recv(100)
    assert offered[0] == 5
    if 2 in offered[2:]:
        sock.sendall(b"\x05\x02")
        assert sock.recv(100) == b"\x01\x04user\x06sesame"
        sock.sendall(b"\x01\x00")
    else:
        sock.sendall(b"\x05\x00")
    # The name is resolved by the proxy.
    assert sock.recv(100)[3:5] == b"\x03\x0b"
    sock.sendall(b"\x05\x00\x00\x01" + bytes(6))
    good(connection)


@forms
@pytest.mark.parametrize("url", ["socks5://user:sesame@{}", "socks5h://{}"])
def test_a_socks_proxy_resolves_names_and_keeps_its_connection(
    form: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(socks) as proxy:
        monkeypatch.setenv("ALL_PROXY", url.format(proxy.base_url.partition("//")[2]))

        async def test() -> None:
            async with client_of(proxy, base_url="http://api.example", allow_http=["api.example"]) as client:
                for _ in range(2):
                    await call(form, list_bindings, client)

        run(form, test)
        assert (len(proxy.requests), len(proxy.connections)) == (2, 1)
        assert proxy.all_closed()


def test_a_socks_proxy_without_socksio_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1081")
    monkeypatch.setitem(sys.modules, "socksio", None)
    with (
        served() as server,
        pytest.raises(ConfigurationError, match=r"needs the package socksio: pip install 'httpx\["),
    ):
        client_of(server, base_url="https://api.example")


def test_an_invalid_proxy_for_other_urls_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "ftp://not:usable@proxy")
    with served() as server, client_of(server) as client:
        list_bindings.sync(client=client)
        assert len(server.requests) == 1


@forms
def test_a_redirect_from_http_to_https_is_followed_with_the_same_settings(form: str, secure: Any) -> None:
    moved = http(b"", 307, f"location: {secure.base_url}/bindings".encode())
    with served(respond_with(moved)) as server:

        async def test() -> None:
            async with client_of(server, verify_ssl=False) as client:
                for _ in range(2):
                    assert (await call(form, list_bindings, client)).bindings == []

        run(form, test)
    assert (len(secure.requests), len(secure.connections)) == (2, 1)
