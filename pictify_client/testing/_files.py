"""The files of the fake account, and the hosts that serve them without an API key."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from ._images import MEDIA_TYPES, file
from ._responses import FakeResponse, image_response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._account import Account, Record

MEDIA: Final = "https://media.pictify.io"
CDN: Final = "https://cdn.pictify.io"
_HOSTS = {urlsplit(origin).netloc for origin in (MEDIA, CDN)}
# The fields of records that have the URL of an image, and the origins of these.
_ORIGINS = {"url": MEDIA, "thumbnail": MEDIA, "posterUrl": MEDIA, "renderUrl": CDN}


class Files:
    """Rendered files, and the images that records name: thumbnails, posters, and the images of bindings."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._origin: str | None = None
        self._rendered: dict[str, tuple[str, int, int, int]] = {}
        self._uploaded_at: dict[str, float] = {}

    def url(self, field: str, path: str) -> str:
        """The URL of a file that a field of a record names."""
        return f"{self._origin or _ORIGINS[field]}{path}"

    def keep(self, extension: str, size: tuple[float, float], pages: int) -> str:
        """Keep a rendered file. Returns its URL."""
        name = self._account.new_id("file")[:6].lower()
        path = f"/{name}-{int(self._account.time() * 1000)}.{extension}"
        self._rendered[path] = (extension, int(size[0]), int(size[1]), pages)
        self._uploaded_at[path] = self._account.time() + self._account.upload_seconds
        return self.url("url", path)

    def content(self, url: str) -> bytes:
        """The content of a rendered file.

        Raises:
            LookupError: If there is none.
        """
        path = urlsplit(url).path
        if path not in self._rendered:
            raise LookupError(f"no render has the URL {url}")
        return file(*self._rendered[path])

    def serves(self, url: SplitResult) -> bool:
        """Whether a URL is that of a file; also if the file does not exist, if the host has nothing but files."""
        if url.netloc:
            return url.netloc in _HOSTS or self._is_rendered(url) or self._named(url) is not None
        # A served fake has one host for files and for the API. The ids in paths of the API have no extension.
        has_extension = _extension(url) in MEDIA_TYPES
        is_of_binding = has_extension and url.path.startswith("/bindings/")
        return is_of_binding or self._is_rendered(url) or (has_extension and self._named(url) is not None)

    def respond(self, url: SplitResult) -> FakeResponse:
        """Respond to the request for a file."""
        is_rendered = self._is_rendered(url)
        if is_rendered and self._account.time() >= self._uploaded_at[url.path]:
            extension = self._rendered[url.path][0]
            return FakeResponse(200, {"content-type": MEDIA_TYPES[extension]}, self.content(url.path))
        record = None if is_rendered else self._named(url)
        if record is None:
            return FakeResponse(404, {"content-type": "text/html"}, b"<html><body>Not Found</body></html>")
        extension = _extension(url)
        return image_response(extension if extension in MEDIA_TYPES else "png", self._account.image_size(record), {})

    def move(self, origin: str | None) -> str | None:
        """Change the origin of all URLs; None for those of the live API. Returns the one before."""
        before, self._origin = self._origin, origin
        for record in self._records():
            for field, live in _ORIGINS.items():
                start = f"{before or live}/"
                if str(record.get(field)).startswith(start):
                    record[field] = self.url(field, f"/{record[field].removeprefix(start)}")
        return before

    def _is_rendered(self, url: SplitResult) -> bool:
        hosts = {"", *_HOSTS, urlsplit(self._origin or "").netloc}
        return url.netloc in hosts and url.path in self._rendered

    def _named(self, url: SplitResult) -> Record | None:
        """The record that names a URL."""
        for record in self._records():
            for field in _ORIGINS:
                known = urlsplit(str(record.get(field) or ""))
                if known.path == url.path and known.netloc and url.netloc in ("", known.netloc):
                    return record
        return None

    def _records(self) -> Iterable[Record]:
        account = self._account
        named = (account.templates, account.bindings, account.videos)
        return chain(*named, account.images, account.gifs, account.pdfs, account.feed)


def _extension(url: SplitResult) -> str:
    return url.path.rpartition(".")[2]
