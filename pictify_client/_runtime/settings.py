"""The settings of a client, and what they must be to make sense."""

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
from .version import __version__

if TYPE_CHECKING:
    from ..hooks import Hooks
    from .operations import Operation
    from .pacing import Pacer
    from .retries import Retries

DEFAULT_TIMEOUT: Final = 180.0
"""Seconds for a whole call, its retries and its waits."""

DEFAULT_ATTEMPT_TIMEOUT: Final = 60.0
"""Seconds for one attempt: a render may take its time."""

MAX_RESPONSE_SIZE: Final = 64 * 1024 * 1024
"""Bytes of an answer that is read at once, which is every answer but a file."""

_CONNECT_TIMEOUT = 5.0
_HTTPX_DEFAULT = httpx.Timeout(5.0)
# A year; the clocks of some systems end not far beyond.
MAX_TIMEOUT: Final = 365 * 24 * 3600.0


class Timeouts(NamedTuple):
    """How long a call may take, in seconds; None for no limit.

    Attributes:
        whole: Timeout of a complete call with its retries.
        attempt: One attempt, from its start to the last byte.
        phases: Each phase of an attempt, by httpx's names; None if those of the caller's httpx client apply.
        whole_is_default: Whether `whole` was not chosen by the caller.
        attempt_is_default: Whether `attempt` was not chosen by the caller.
    """

    whole: float | None
    attempt: float | None
    phases: Mapping[str, float | None] | None
    whole_is_default: bool = False
    attempt_is_default: bool = False

    def with_least(self, seconds: float | None) -> Timeouts:
        """The timeouts of an operation that may take so many seconds; what the caller chose stays."""
        if seconds is None:
            return self
        known = self
        if known.attempt_is_default and known.attempt is not None and known.phases is not None:
            read = max(known.attempt, seconds)
            known = known._replace(attempt=read, phases={**known.phases, "read": read})
        if known.whole_is_default and known.whole is not None:
            known = known._replace(whole=max(known.whole, 2 * seconds))
        return known


@frozen(kw_only=True, repr=False)
class Settings:
    """What all calls of a client have in common.

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


def timeouts(whole: Any, attempt: Any, known: Timeouts) -> Timeouts:
    """The timeouts, where what is `UNSET` stays as it is known.

    Raises:
        ConfigurationError: One of them cannot be one.
    """
    if whole is not UNSET:
        if isinstance(whole, httpx.Timeout):
            raise ConfigurationError("timeout is a number of seconds: pass a httpx.Timeout as attempt_timeout")
        _check_seconds("timeout", whole)
        known = known._replace(whole=whole, whole_is_default=False)
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
    """The timeouts unless others are given: those of the caller's httpx client, if it has any of its own.

    With httpx's default of 5 seconds a client has none: most renders take longer, and are billed all the same.
    """
    if http_client is not None and http_client.timeout != _HTTPX_DEFAULT:
        return Timeouts(DEFAULT_TIMEOUT, None, None, whole_is_default=True)
    phases = httpx.Timeout(DEFAULT_ATTEMPT_TIMEOUT, connect=_CONNECT_TIMEOUT).as_dict()
    return Timeouts(DEFAULT_TIMEOUT, DEFAULT_ATTEMPT_TIMEOUT, phases, whole_is_default=True, attempt_is_default=True)


def user_agent() -> str:
    """Who sends a request (`User-Agent`), with the versions that are installed."""
    return f"pictify-client/{__version__} python/{platform.python_version()} httpx/{httpx.__version__}"


def resolve_api_key(given: Any) -> str:
    """The API key: the one given, else that of the environment.

    Raises:
        ConfigurationError: There is none, or it cannot be one; says why, without it.
    """
    key: Any = os.environ.get("PICTIFY_API_KEY") if given is None else given
    source = "PICTIFY_API_KEY" if given is None else "the API key given"
    if key is None:
        raise ConfigurationError(
            "no API key: set the environment variable PICTIFY_API_KEY, or pass it as api_key= (token=)"
        )
    if not isinstance(key, str):
        raise ConfigurationError(f"{source} must be a string, got {type(key).__name__}")
    if not key:
        raise ConfigurationError(f"{source} is empty: set PICTIFY_API_KEY to a key (pic_live_...), or pass one")
    if key.split() != [key]:
        raise ConfigurationError(
            f"{source} holds white space: give the key alone, without 'Bearer' and with no line break or space "
            "(a file's last one goes with .strip())"
        )
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError(f"{source} holds characters that are not allowed in an HTTP header: copy it again")
    return key


def resolve_base_url(given: Any, default: str) -> str:
    """Where the API is: what is given, else what the environment says, else the default.

    Raises:
        ConfigurationError: It is no URL, or one that cannot be a base.
    """
    text = str((os.environ.get("PICTIFY_BASE_URL") or default) if given is None else given)
    source = "PICTIFY_BASE_URL" if given is None else "base_url"
    try:
        url = httpx.URL(text)
        host = url.host
    except (httpx.InvalidURL, UnicodeError):
        # What is wrong with it may be a password in it.
        raise ConfigurationError(f"{source} is no URL such as {default}") from None
    if url.userinfo or "?" in text or "#" in text:
        raise ConfigurationError(f"{source} must not have a user name, a password, a query or a fragment")
    if url.scheme not in ("http", "https") or not host or (url.port or 0) > 65535 or text.split() != [text]:
        raise ConfigurationError(f"{source} must be an absolute URL such as {default}, got {text!r}")
    return str(url).rstrip("/")


def check_encrypted(url: str, allow_http: Collection[str]) -> None:
    """See that a key goes only where no one can read it on the way, or where the caller allows it.

    Raises:
        ConfigurationError: It does not.
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
            f"the API key would go to {url} unencrypted, for anyone on the way to read: use https, "
            f"or allow it with allow_http=[{host!r}]"
        )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself (RFC 6761, RFC 4291)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def extra_headers(given: Any) -> dict[str, str]:
    """Headers of the caller's.

    Raises:
        ConfigurationError: One of them cannot be sent.
    """
    if given is None:
        return {}
    headers: Mapping[Any, Any] = given
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"headers must be a mapping of names to values, got {type(given).__name__}")
    for name, value in headers.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise ConfigurationError(f"the header {name!r} must be a string, with a string for its value")
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
    return dict(headers)


def validated_response_size(given: Any) -> int:
    """Validate the maximum size of a response.

    Raises:
        ConfigurationError: If it is invalid.
    """
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise ConfigurationError(f"max_response_size must be a number of bytes from 1 on, got {given!r}")
    return given


def whether_to_stream(given: Any) -> bool:
    """Return whether files are streamed.

    Raises:
        ConfigurationError: If it is not a bool.
    """
    if not isinstance(given, bool):
        raise ConfigurationError(f"stream_files must be True or False, got {given!r}")
    return given


def check_http_client(given: object, kind: type[httpx.Client | httpx.AsyncClient]) -> None:
    """See that a httpx client is of the kind that is wanted.

    Raises:
        ConfigurationError: It is not.
    """
    if given is not None and not isinstance(given, kind):
        raise ConfigurationError(f"http_client must be a httpx.{kind.__name__} here, got {type(given).__name__}")


def check_http2(given: object, http_client: object) -> None:
    """See that HTTP/2 can be spoken, where it is wanted.

    Raises:
        ConfigurationError: It cannot.
    """
    if not isinstance(given, bool):
        raise ConfigurationError(f"http2 must be True or False, got {given!r}")
    if given and http_client is not None:
        raise ConfigurationError("http2 is for connections of the client's own: give it to your http_client")
    if given and find_spec("h2") is None:
        raise ConfigurationError("http2=True needs the package h2: pip install 'pictify-client[http2]'")


def _check_seconds(name: str, given: Any, or_else: str = "") -> None:
    if given is None:
        return
    if not isinstance(given, int | float) or isinstance(given, bool):
        raise ConfigurationError(f"{name} must be a number of seconds{or_else}, got {given!r}")
    if not 0 < given <= MAX_TIMEOUT:
        raise ConfigurationError(f"{name} must be more than 0 seconds, got {given!r}; None waits for ever")
