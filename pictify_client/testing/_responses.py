"""The responses of the fake API."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import NamedTuple

from ._images import MEDIA_TYPES, file

_STATUSES = {status.value: status.phrase for status in HTTPStatus}


class FakeResponse(NamedTuple):
    """A response: status code, headers and body; and the seconds that it takes, beside the latency."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float = 0.0


class Rejected(Exception):  # noqa: N818
    """A request that the API rejects, with its response."""

    def __init__(self, message: str, response: FakeResponse) -> None:
        super().__init__(message)
        self.message = message
        self.response = response


def json_response(status: int, body: object) -> FakeResponse:
    """JSON."""
    return FakeResponse(status, {"content-type": "application/json; charset=utf-8"}, json.dumps(body).encode())


def image_response(extension: str, size: tuple[float, float], headers: dict[str, str]) -> FakeResponse:
    """An image of this size."""
    content = file(extension, int(size[0]), int(size[1]))
    return FakeResponse(200, {"content-type": MEDIA_TYPES[extension], **headers}, content)


def rejected(status: int, message: str, **more: object) -> Rejected:
    """An error as the routes of templates, batches, webhooks and bindings send it, and those of the quota."""
    return Rejected(message, json_response(status, {"message": message, **more}))


def render_error(status: int, message: str, **more: object) -> Rejected:
    """An error as the routes that render images, GIFs and PDFs send it, and the engine of templates."""
    return Rejected(message, json_response(status, {"error": message, **more}))


def fastify_error(status: int, message: str, **more: object) -> Rejected:
    """An error of the server's framework."""
    body = {"statusCode": status, "error": _STATUSES.get(status, "Error"), "message": message, **more}
    return Rejected(message, json_response(status, body))


def route_not_found(method: str, path: str) -> Rejected:
    """The error for a route that does not exist."""
    return fastify_error(404, f"Route {method}:{path} not found")
