"""Downloads of rendered files: from their URLs, which are those of a CDN, and without the API key."""

from __future__ import annotations

from math import inf
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import httpx

from ..errors import APIStatusError
from ..files import AsyncFile, File
from .operations import Operation, PreparedRequest

if TYPE_CHECKING:
    from ..low_level import Client
    from ..types import Response
    from .clock import Clock

NEW_FILE_SECONDS = 30.0
"""Maximum wait of a download for a new file, in seconds."""

_NOT_YET = (403, 404)
_FIRST_WAIT = 0.5
_MAX_WAIT = 3.0


class HasURL(Protocol):
    """A result of the API with the URL of a file, such as the one of `images.create` or `templates.render`."""

    @property
    def url(self) -> object:
        """URL of the file."""


def download(client: Client, source: str | HasURL, path: str | PathLike[str] | None, wait: float) -> File | Path:
    """Download a file; see `Pictify.download`."""
    attempts = _Attempts(source, wait, client.clock)
    target = None if path is None else Path(path)
    client = client.with_options(stream_files=target is not None)
    while True:
        response: Response[File] = client.send_request(attempts.operation, attempts.request(), File)
        seconds = attempts.wait_before_retry(response)
        if seconds is None:
            break
        client.clock.sleep(seconds)
    with response.result() as file:
        if target is None:
            return file
        file.save(target)
    return target


async def adownload(
    client: Client, source: str | HasURL, path: str | PathLike[str] | None, wait: float
) -> AsyncFile | Path:
    """`download` for asyncio and trio."""
    attempts = _Attempts(source, wait, client.clock)
    target = None if path is None else Path(path)
    client = client.with_options(stream_files=target is not None)
    while True:
        response: Response[AsyncFile] = await client.asend_request(attempts.operation, attempts.request(), AsyncFile)
        seconds = attempts.wait_before_retry(response)
        if seconds is None:
            break
        await client.clock.asleep(seconds)
    async with response.result() as file:
        if target is None:
            return file
        await file.save(target)
    return target


class _Attempts:
    """The attempts of a download: what to request, and how long to wait for a file that is not there yet."""

    def __init__(self, source: str | HasURL, wait: Any, clock: Clock) -> None:
        if isinstance(wait, bool) or not isinstance(wait, int | float) or not 0 <= wait < inf:
            raise ValueError(f"wait must be a number of seconds from 0 on, got {wait!r}")
        self._url = _url_of(source)
        self._clock = clock
        self._end = clock.monotonic() + wait
        self._count = 0
        # Errors show it without its query, which may be a signature.
        shown = str(self._url.copy_with(query=None, fragment=None, username=None, password=None))
        self.operation: Operation[Any] = Operation("GET", shown, accept="*/*", needs_key=False)

    def request(self) -> PreparedRequest:
        """The next request. A query defeats caches that have kept the first response, that there is no file."""
        # A query may be signed.
        again = self._count and not self._url.query
        url = self._url.copy_merge_params({"attempt": self._count}) if again else self._url
        self._count += 1
        return PreparedRequest("", {}, None, (), url=str(url.copy_with(fragment=None)))

    def wait_before_retry(self, response: Response[File] | Response[AsyncFile]) -> float | None:
        """Seconds to wait before the file is requested again; None if this response is final.

        The API returns URLs before the files are there, for some seconds.
        """
        if not isinstance(response.error, APIStatusError) or response.error.status_code not in _NOT_YET:
            return None
        wait = min(_FIRST_WAIT * self._count, _MAX_WAIT)
        return wait if self._clock.monotonic() + wait <= self._end else None


def _url_of(source: object) -> httpx.URL:
    files: Any = () if isinstance(source, str) else getattr(source, "results", ())
    if isinstance(files, list) and (count := len(cast("list[object]", files))) > 1:
        raise ValueError(f"The render has {count} files: download each of its `results`")
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
