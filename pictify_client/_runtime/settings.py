"""The settings of a client, validated."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Collection, Mapping
from importlib.util import find_spec
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httpx
from attrs import field, frozen

from ..errors import ConfigurationError
from ..types import UNSET
from .retries import YEAR
from .version import __version__

if TYPE_CHECKING:
    from .hooks import Hooks
    from .operations import Operation
    from .pacing import Pacer
    from .retries import Retries

DEFAULT_TIMEOUT: Final = 180.0
"""Timeout of a complete call, including retries and waits, in seconds."""

DEFAULT_ATTEMPT_TIMEOUT: Final = 60.0
"""Timeout of one attempt, in seconds: renders are slow."""

MAX_RESPONSE_SIZE: Final = 64 * 1024 * 1024
"""Maximum size of a response that is read at once, in bytes."""

_CONNECT_TIMEOUT = 5.0
_HTTPX_DEFAULT = httpx.Timeout(5.0)


class Timeouts(NamedTuple):
    """The timeouts of a call, in seconds; None disables one.

    Attributes:
        call: Timeout of a complete call with its retries.
        attempt: Timeout of one attempt, from its start to the last byte.
        phases: Timeouts of the phases of an attempt, by httpx's names; None if those of the `http_client` apply.
        call_is_default: Whether `call` was not chosen by the caller.
        attempt_is_default: Whether `attempt` was not chosen by the caller.
    """

    call: float | None
    attempt: float | None
    phases: Mapping[str, float | None] | None
    call_is_default: bool = False
    attempt_is_default: bool = False

    def with_least(self, seconds: float | None) -> Timeouts:
        """Return the timeouts for an operation that may take this long. Timeouts that the caller has set stay."""
        if seconds is None:
            return self
        known = self
        if known.attempt_is_default and known.attempt is not None and known.phases is not None:
            read = max(known.attempt, seconds)
            known = known._replace(attempt=read, phases={**known.phases, "read": read})
        if known.call_is_default and known.call is not None:
            known = known._replace(call=max(known.call, 2 * seconds))
        return known


@frozen(kw_only=True, repr=False)
class Settings:
    """The settings of all calls of a client.

    `operation_headers` has the headers of each operation, once it was called.
    """

    base_url: str
    key: str | None
    headers: httpx.Headers
    timeouts: Timeouts
    retries: Retries
    pacer: Pacer | None
    max_response_size: int
    hooks: Hooks
    stream_files: bool = False
    operation_headers: dict[Operation[Any], httpx.Headers] = field(
        init=False, factory=dict["Operation[Any]", httpx.Headers]
    )


def timeouts(call: Any, attempt: Any, known: Timeouts) -> Timeouts:
    """Return the timeouts with those that are not `UNSET` replaced.

    Raises:
        ConfigurationError: If one is invalid.
    """
    if call is not UNSET:
        if isinstance(call, httpx.Timeout):
            raise ConfigurationError("timeout is a number of seconds: pass a httpx.Timeout as attempt_timeout")
        _check_seconds("timeout", call)
        known = known._replace(call=call, call_is_default=False)
    if attempt is UNSET:
        return known
    phases: Mapping[str, float | None] = httpx.Timeout(None).as_dict()
    if isinstance(attempt, httpx.Timeout):
        phases = attempt.as_dict()
        for part in phases.values():
            _check_seconds("attempt_timeout", part)
        return known._replace(attempt=None, phases=phases, attempt_is_default=False)
    _check_seconds("attempt_timeout", attempt, or_else=" or a httpx.Timeout")
    return known._replace(attempt=attempt, phases=dict.fromkeys(phases, attempt), attempt_is_default=False)


def default_timeouts(http_client: httpx.Client | httpx.AsyncClient | None) -> Timeouts:
    """Return the default timeouts: those of the `http_client`, if it was created with any.

    The default of httpx, 5 seconds, does not count: most renders take longer, and would be billed in vain.
    """
    if http_client is not None and http_client.timeout != _HTTPX_DEFAULT:
        return Timeouts(DEFAULT_TIMEOUT, None, None, call_is_default=True)
    phases = httpx.Timeout(DEFAULT_ATTEMPT_TIMEOUT, connect=_CONNECT_TIMEOUT).as_dict()
    return Timeouts(DEFAULT_TIMEOUT, DEFAULT_ATTEMPT_TIMEOUT, phases, call_is_default=True, attempt_is_default=True)


def user_agent() -> str:
    """Return the header `User-Agent`, with the installed versions."""
    return f"pictify-client/{__version__} python/{platform.python_version()} httpx/{httpx.__version__}"


def resolve_api_key(api_key: Any) -> str:
    """Return the API key: the argument, or that of the environment.

    Raises:
        ConfigurationError: If there is none, or it is invalid. The message does not contain it.
    """
    key: Any = os.environ.get("PICTIFY_API_KEY") if api_key is None else api_key
    source = "PICTIFY_API_KEY" if api_key is None else "the API key"
    if key is None:
        raise ConfigurationError(
            "No API key: set the environment variable PICTIFY_API_KEY, or pass api_key "
            "(for an AuthenticatedClient, token)"
        )
    if not isinstance(key, str):
        raise ConfigurationError(f"{source} must be a string, got {type(key).__name__}")
    if not key:
        raise ConfigurationError(f"{source} is empty: set PICTIFY_API_KEY to a key (pic_live_...), or pass api_key")
    if key.split() != [key]:
        raise ConfigurationError(
            f"{source} contains white space: pass only the key, without 'Bearer', spaces or line breaks "
            "(strip() removes the one at the end of a file)"
        )
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError(f"{source} contains characters that are not allowed in an HTTP header: copy it again")
    return key


def resolve_base_url(base_url: Any, default: str) -> str:
    """Return the URL of the API: the argument, or that of the environment, or the default.

    Raises:
        ConfigurationError: If it is invalid.
    """
    text = str((os.environ.get("PICTIFY_BASE_URL") or default) if base_url is None else base_url)
    source = "PICTIFY_BASE_URL" if base_url is None else "base_url"
    try:
        url = httpx.URL(text)
        host = url.host
    except (httpx.InvalidURL, UnicodeError):
        # The error of httpx may contain a password.
        raise ConfigurationError(f"{source} is not a valid URL, such as {default}") from None
    if url.userinfo or "?" in text or "#" in text:
        raise ConfigurationError(f"{source} must not have a user name, a password, a query or a fragment")
    if url.scheme not in ("http", "https") or not host or (url.port or 0) > 65535 or text.split() != [text]:
        raise ConfigurationError(f"{source} must be an absolute URL such as {default}, got {text!r}")
    return str(url).rstrip("/")


def check_encrypted(url: str, allow_http: Collection[str]) -> None:
    """Check that the API key is only sent encrypted, to this machine, or to a host in `allow_http`.

    Raises:
        ConfigurationError: If it is not.
    """
    names: list[Any] = [] if isinstance(allow_http, str | bytes | Mapping) else list(allow_http)
    if not all(isinstance(name, str) for name in names) or (allow_http and not names):
        raise ConfigurationError(
            f"allow_http must be a collection of host names, such as ['gateway'], got {allow_http!r}"
        )
    target = httpx.URL(url)
    host = target.host
    if target.scheme == "http" and not is_loopback(host) and host not in {name.lower() for name in names}:
        raise ConfigurationError(
            f"The API key would be sent to {url} unencrypted: use https, or allow it with allow_http=[{host!r}]"
        )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself (RFC 6761, RFC 4291)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def extra_headers(headers: Any) -> dict[str, str]:
    """Return the additional headers.

    Raises:
        ConfigurationError: If one is invalid.
    """
    if headers is None:
        return {}
    known: Mapping[Any, Any] = headers
    if not isinstance(headers, Mapping):
        raise ConfigurationError(f"headers must be a mapping of names to values, got {type(known).__name__}")
    for name, value in known.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise ConfigurationError(f"the name and the value of the header {name!r} must be strings")
        if name.lower() == "authorization":
            raise ConfigurationError("headers must not contain Authorization: the client sets it from the API key")
        if name.lower() == "cookie":
            raise ConfigurationError(
                "headers must not contain Cookie: for the API it takes precedence over the API key"
            )
        if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", name, re.ASCII) or not (value.isascii() and value.isprintable()):
            raise ConfigurationError(
                f"the header {name!r} is invalid: name and value must be ASCII without line breaks"
            )
    return dict(known)


def validated_response_size(size: Any) -> int:
    """Validate the maximum size of a response.

    Raises:
        ConfigurationError: If it is invalid.
    """
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ConfigurationError(f"max_response_size must be a number of bytes, at least 1, got {size!r}")
    return size


def whether_to_stream(stream_files: Any) -> bool:
    """Return whether files are streamed.

    Raises:
        ConfigurationError: If it is not a bool.
    """
    if not isinstance(stream_files, bool):
        raise ConfigurationError(f"stream_files must be True or False, got {stream_files!r}")
    return stream_files


def check_http_client(http_client: object, expected: type[httpx.Client | httpx.AsyncClient]) -> None:
    """Check the class of a httpx client.

    Raises:
        ConfigurationError: If it is another class.
    """
    if http_client is not None and not isinstance(http_client, expected):
        found = type(http_client).__name__
        raise ConfigurationError(f"http_client must be a httpx.{expected.__name__} here, got {found}")


def check_http2(http2: object, http_client: object) -> None:
    """Check that HTTP/2 can be used, if it is requested.

    Raises:
        ConfigurationError: If it cannot.
    """
    if not isinstance(http2, bool):
        raise ConfigurationError(f"http2 must be True or False, got {http2!r}")
    if http2 and http_client is not None:
        raise ConfigurationError("http2 cannot be combined with http_client: set it on your httpx client")
    if http2 and find_spec("h2") is None:
        raise ConfigurationError("http2=True needs the package h2: pip install 'pictify-client[http2]'")


def _check_seconds(name: str, seconds: Any, or_else: str = "") -> None:
    if seconds is None:
        return
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise ConfigurationError(f"{name} must be a number of seconds{or_else}, got {seconds!r}")
    if not 0 < seconds <= YEAR:
        raise ConfigurationError(f"{name} must be more than 0 seconds, got {seconds!r}; None disables it")
