"""What the stand-in answers with."""

from __future__ import annotations

import json
from typing import NamedTuple

from ._images import MEDIA_TYPES, image

_CDN = "https://cdn.pictify.io"
_PROBLEMS = {
    400: ("invalid-request", "Invalid Request"),
    404: ("not-found", "Not Found"),
    409: ("conflict", "Conflict"),
    410: ("gone", "Gone"),
    429: ("quota-exceeded", "Quota Exceeded"),
}


class Answer(NamedTuple):
    """A response: status code, headers and body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Refused(Exception):  # noqa: N818
    """The answer to a request that the API refuses, and what it says."""

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message)
        self.message = message
        self.answer = answer


def document(status: int, body: object, media_type: str = "application/json; charset=utf-8") -> Answer:
    """JSON."""
    return Answer(status, {"content-type": media_type}, json.dumps(body).encode())


def picture(extension: str, size: tuple[int, int], headers: dict[str, str]) -> Answer:
    """An image of this size."""
    return Answer(200, {"content-type": MEDIA_TYPES[extension], **headers}, image(extension, *size))


def refused(status: int, message: str, **more: object) -> Refused:
    """An error, as most of the API tells it."""
    return Refused(message, document(status, {"message": message, **more}))


def problem(status: int, detail: str, **more: object) -> Refused:
    """An error, as the API tells it of experiments (RFC 9457)."""
    kind, title = _PROBLEMS[status]
    body = {"type": f"https://pictify.io/problems/{kind}", "title": title, "status": status, "detail": detail, **more}
    return Refused(detail, document(status, body, "application/problem+json"))


def address(folder: str, name: str) -> str:
    """Where a file is that the API has rendered."""
    return f"{_CDN}/{folder}/{name}"
