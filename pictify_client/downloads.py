"""Downloads of rendered files: from their URLs, which are those of a CDN, and without the API key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import httpx

from .errors import APIStatusError
from .operations import Operation, Request

if TYPE_CHECKING:
    from .clock import Clock
    from .files import AsyncFile, File
    from .types import Response

_NOT_YET = (403, 404)
_FIRST_WAIT = 0.5
_MAX_WAIT = 3.0


class HasURL(Protocol):
    """A result of the API with the URL of a file, such as the one of `images.create` or `templates.render`."""

    @property
    def url(self) -> object:
        """URL of the file."""


class Download:
    """A download, without I/O: what to request, and how long to wait for a file that is not there yet.

    Args:
        source: URL of the file, or a result with one.
        wait: How long to wait for a new file, in seconds.
        clock: The clock of the client.

    Raises:
        TypeError: If the source is neither.
        ValueError: If the URL cannot be requested.
    """

    def __init__(self, source: str | HasURL, wait: float, clock: Clock) -> None:
        self._url = _url_of(source)
        self._clock = clock
        self._end = clock.monotonic() + wait
        self._attempts = 0
        # Errors show it without its query, which may be a signature.
        shown = str(self._url.copy_with(query=None, fragment=None, username=None, password=None))
        self.operation: Operation[File] = Operation("GET", shown, accept="*/*", needs_key=False)
        self.aoperation: Operation[AsyncFile] = Operation("GET", shown, accept="*/*", needs_key=False)

    def request(self) -> Request:
        """The next request. A query defeats caches that have kept the first response, that there is no file."""
        url = self._url.copy_merge_params({"attempt": self._attempts}) if self._attempts else self._url
        self._attempts += 1
        return Request("", {}, None, (), url=str(url.copy_with(fragment=None)))

    def wait_before_retry(self, response: Response[File] | Response[AsyncFile]) -> float | None:
        """How long to wait before the file is requested again, in seconds; None if this response is final.

        The API returns URLs before the files are there, for some seconds.
        """
        if not isinstance(response.error, APIStatusError) or response.error.status_code not in _NOT_YET:
            return None
        wait = min(_FIRST_WAIT * self._attempts, _MAX_WAIT)
        return wait if self._clock.monotonic() + wait <= self._end else None


def _url_of(source: object) -> httpx.URL:
    text = source if isinstance(source, str) else getattr(source, "url", None)
    if not isinstance(text, str):
        raise TypeError(
            f"download takes the URL of a file, or a result with a `url`, got {type(source).__name__}"
            + (" without one" if hasattr(source, "url") else "")
        )
    try:
        url = httpx.URL(text)
        if url.scheme in ("http", "https") and url.host and (url.port or 0) <= 65535:
            return url
    except (httpx.InvalidURL, ValueError):
        pass
    raise ValueError(f"download takes a URL that starts with https://, got {text[:40]!r}")
