"""What the stand-in answers with."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import NamedTuple

from ._images import MEDIA_TYPES, file

CDN = "https://cdn.pictify.io"
_STATUSES = {status.value for status in HTTPStatus}


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


def document(status: int, body: object) -> Answer:
    """JSON."""
    return Answer(status, {"content-type": "application/json; charset=utf-8"}, json.dumps(body).encode())


def picture(extension: str, size: tuple[int, int], headers: dict[str, str]) -> Answer:
    """An image of this size."""
    return Answer(200, {"content-type": MEDIA_TYPES[extension], **headers}, file(extension, *size))


def refused(status: int, message: str, **more: object) -> Refused:
    """An error, as most of the API tells it."""
    return Refused(message, document(status, {"message": message, **more}))


def problem(status: int, detail: str, **more: object) -> Refused:
    """An error, as the API tells it of experiments (RFC 9457)."""
    return Refused(detail, document(status, {**_problem(status, detail), **more}))


def with_problem(answer: Answer) -> Answer:
    """An error that is told in both ways; any other answer as it is."""
    if answer.status < 400:
        return answer
    body = json.loads(answer.body)
    whole = {**_problem(answer.status, body.get("message", "")), **body}
    return Answer(answer.status, answer.headers, json.dumps(whole).encode())


def _problem(status: int, detail: str) -> dict[str, object]:
    title = HTTPStatus(status).phrase if status in _STATUSES else f"Error {status}"
    kind = title.lower().replace(" ", "-")
    return {"type": f"https://pictify.io/problems/{kind}", "title": title, "status": status, "detail": detail}


def address(folder: str, name: str) -> str:
    """Where a file is that the API has rendered."""
    return f"{CDN}/{folder}/{name}"
