"""Connection settings: certificates, HTTP/2, and the proxies of the environment."""

from __future__ import annotations

import os
import ssl
from functools import cache
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import NamedTuple
from urllib.request import getproxies

import httpcore
import httpx

from ..errors import ConfigurationError

_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


class Proxy(NamedTuple):
    """A proxy."""

    url: httpcore.URL
    auth: tuple[bytes, bytes] | None


class ConnectionSettings:
    """The settings of the connections of a client.

    Attributes:
        http2: Whether HTTP/2 is spoken if the server does.
    """

    def __init__(self, base_url: str, *, verify: bool, http2: bool) -> None:
        """Read the proxies of the environment, and check the one for the base URL.

        Raises:
            ConfigurationError: If the certificates cannot be read, or the proxy cannot be used.
        """
        url = httpx.URL(base_url)
        self.http2 = http2
        self._verify = verify
        self._context = tls_context(verify=verify, http2=http2) if url.scheme == "https" else None
        known = getproxies()
        self._proxies = {scheme: known[scheme] for scheme in ("http", "https", "all") if known.get(scheme)}
        self._no_proxy = known.get("no", "").replace(",", " ").split()
        self.proxy_for(httpcore.URL(base_url).origin)

    def context_for(self, scheme: bytes) -> ssl.SSLContext:
        """The TLS settings for connections of a scheme."""
        if scheme != b"https":
            return plain_context()
        if self._context is None:
            # A redirect has led from http to https.
            self._context = tls_context(verify=self._verify, http2=self.http2)
        return self._context

    def proxy_for(self, origin: httpcore.Origin) -> Proxy | None:
        """The proxy for an origin, or None.

        Raises:
            ConfigurationError: If the proxy cannot be used.
        """
        if not self._proxies:
            return None
        url = self._proxies.get(origin.scheme.decode(), self._proxies.get("all"))
        host = origin.host.decode("ascii").lower()
        if url is None or any(_bypasses(entry, host, origin.port) for entry in self._no_proxy):
            return None
        return _read_proxy(url)


def _bypasses(entry: str, host: str, port: int) -> bool:
    """Whether an entry of `NO_PROXY` names a host: a name, its domain, an address, or a network of addresses."""
    if entry == "*":
        return True
    entry = entry.lower()
    name, colon, number = entry.rpartition(":")
    if colon and number.isdigit() and (":" not in name or name.endswith("]")):
        if int(number) != port:
            return False
        entry = name
    entry = entry.strip("[]")
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        domain = entry.removeprefix("*").removeprefix(".")
        return host == domain or host.endswith(f".{domain}")
    try:
        return address in ip_network(entry, strict=False)
    except ValueError:
        return False


@cache
def _read_proxy(text: str) -> Proxy:
    try:
        url = httpx.URL(text if "://" in text else f"http://{text}")
        if url.scheme not in _PROXY_SCHEMES or not url.host or (url.port or 0) > 65535:
            raise ValueError
    except (httpx.InvalidURL, ValueError):
        # The URL is not shown, because it may contain a password.
        raise ConfigurationError(
            "The proxy of the environment (HTTPS_PROXY, HTTP_PROXY or ALL_PROXY) is not a URL such as "
            "http://proxy.example.com:3128"
        ) from None
    if url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ConfigurationError(
            "The proxy of the environment is a SOCKS proxy, which needs the package socksio: pip install 'httpx[socks]'"
        )
    # With `socks5`, httpcore resolves names at the proxy, as SOCKS5H requires.
    scheme = b"socks5" if url.scheme.startswith("socks") else url.raw_scheme
    port = url.port or {"http": 80, "https": 443}.get(url.scheme, 1080)
    auth = (url.username.encode(), url.password.encode()) if url.userinfo else None
    return Proxy(httpcore.URL(scheme=scheme, host=url.raw_host, port=port, target=b"/"), auth)


def tls_context(*, verify: bool = True, http2: bool = False) -> ssl.SSLContext:
    """The TLS settings of all clients of the process: to read the certificates takes longer than a call.

    The certificates of `SSL_CERT_FILE` and `SSL_CERT_DIR` are trusted in addition to those of public authorities. A
    changed file is read by the next client. Those with HTTP/2 have settings of their own, as they say what they speak.

    Raises:
        ConfigurationError: If the certificates cannot be read.
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    return _context(verify, http2, file, folder, _state_of(file), _state_of(folder))


def _state_of(path: str | None) -> tuple[int, int] | None:
    try:
        state = Path(path).stat() if path else None
    except OSError:
        return None
    return None if state is None else (state.st_mtime_ns, state.st_size)


@cache
def _context(
    verify: bool, _http2: bool, file: str | None, folder: str | None, _file_state: object, _folder_state: object
) -> ssl.SSLContext:
    try:
        context = httpx.create_ssl_context(verify=verify, trust_env=False)
        if verify and (file or folder):
            context.load_verify_locations(cafile=file or None, capath=folder or None)
    except OSError as error:
        where = f"SSL_CERT_FILE={file!r}, SSL_CERT_DIR={folder!r}"
        raise ConfigurationError(f"The certificates of the environment cannot be read ({where}): {error}") from error
    return context


@cache
def plain_context() -> ssl.SSLContext:
    """For connections that are not encrypted, so that reading certificates costs them nothing."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
