"""The faults that the server simulates, and whether the client may retry after them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum, auto

GOOD_BODY = json.dumps(
    {
        "binding": {"uid": "bind_1", "renderUrl": "https://cdn.pictify.io/1.png"},
        "deleted": True,
        "url": "https://cdn.pictify.io/1.png",
        "id": "i",
        "createdAt": "2026-01-29T10:00:05Z",
        "durationInFrames": 150,
        "format": "gif",
    }
).encode()
"""A response that is valid for every kind of call."""


class Place(Enum):
    """The stage of a request at which a fault occurs."""

    NAME = auto()
    RESOLVER = auto()
    ADDRESSES = auto()
    PORT = auto()
    BACKLOG = auto()
    TLS = auto()
    CERTIFICATE = auto()
    CONNECTION = auto()
    RESPONSE = auto()


class Then(Enum):
    """The server's action after it has sent the bytes of a response."""

    STAY = auto()
    CLOSE = auto()
    RESET = auto()
    TRICKLE = auto()


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A simulated fault.

    Attributes:
        name: Name in test ids and in the table.
        place: Stage at which it occurs.
        response: Bytes that are sent as the response, if a request arrives.
        then: Action of the server after these bytes.
        is_unprocessed: Whether the API cannot have processed the request, so that even a POST is retried.
        is_permanent: Whether a retry cannot succeed, so that no request is retried.
        is_temporary: Whether the server can recover from it.
        slow: Whether it is detected only by a timeout.
    """

    name: str
    place: Place = Place.RESPONSE
    response: bytes = b""
    then: Then = Then.STAY
    is_unprocessed: bool = False
    is_permanent: bool = False
    is_temporary: bool = True
    slow: bool = False

    def is_retried(self, method: str) -> bool:
        """Whether a request is retried after this fault."""
        return not self.is_permanent and (not method.startswith("POST") or self.is_unprocessed)


def http(status: int, body: bytes = b"", *fields: bytes, length: int | None = None) -> bytes:
    """A response; its `Content-Length` is correct unless `length` overrides it."""
    lines = (b"HTTP/1.1 %d -" % status, *fields, b"content-length: %d" % (len(body) if length is None else length))
    return b"\r\n".join((*lines, b"", body))


_MESSAGE = b'{"message": "it failed"}'
_WAIT = b"retry-after: 1"
_LIMITED = b'{"statusCode": 429, "error": "Too Many Requests", "message": "Rate limit exceeded"}'
_BUSY = b'{"error": "All browsers are busy", "retriable": true}'
_FINAL = b'{"error": "The page cannot be rendered", "retriable": false}'

FAULTS = (
    Fault(name="connection refused", place=Place.PORT, is_unprocessed=True),
    Fault(name="DNS failure", place=Place.NAME, is_unprocessed=True),
    Fault(name="DNS timeout", place=Place.RESOLVER, is_unprocessed=True, slow=True),
    Fault(name="connect timeout, 8 IPs", place=Place.ADDRESSES, is_unprocessed=True, slow=True),
    Fault(name="connect timeout", place=Place.BACKLOG, is_unprocessed=True, slow=True),
    Fault(name="TLS: plain server", place=Place.TLS, is_unprocessed=True),
    Fault(name="TLS: self-signed", place=Place.CERTIFICATE, is_unprocessed=True, is_temporary=False),
    Fault(name="reset before any byte", place=Place.CONNECTION),
    Fault(name="reset after request", then=Then.RESET),
    Fault(name="read timeout", slow=True),
    Fault(name="slow head", response=b"HTTP/1.1 200 OK\r\nx-slow: ", then=Then.TRICKLE, slow=True),
    Fault(name="slow body", response=http(200, GOOD_BODY[:-1], length=1_000_000), then=Then.TRICKLE, slow=True),
    Fault(name="half a head", response=http(200, GOOD_BODY)[:24], then=Then.CLOSE),
    Fault(name="half a body", response=http(200, GOOD_BODY)[:-24], then=Then.CLOSE),
    Fault(name="length too long", response=http(200, GOOD_BODY, length=len(GOOD_BODY) + 9), slow=True),
    Fault(name="length too short", response=http(200, GOOD_BODY, length=len(GOOD_BODY) - 9), is_permanent=True),
    Fault(name="408", response=http(408, _MESSAGE, b"connection: close"), then=Then.CLOSE),
    Fault(name="429", response=http(429, _LIMITED)),
    Fault(name="429, Retry-After", response=http(429, _MESSAGE, _WAIT), is_unprocessed=True),
    Fault(name="429, message only", response=http(429, _MESSAGE), is_permanent=True),
    Fault(name="429, quota_exceeded", response=http(429, b'{"code": "quota_exceeded"}', _WAIT), is_permanent=True),
    Fault(name="500", response=http(500, _MESSAGE)),
    Fault(name="500, not retriable", response=http(500, _FINAL), is_permanent=True),
    Fault(name="502", response=http(502, b"<html>Bad Gateway</html>", b"content-type: text/html")),
    Fault(name="503", response=http(503, _MESSAGE)),
    Fault(name="503, Retry-After", response=http(503, _MESSAGE, _WAIT), is_unprocessed=True),
    Fault(name="503, retriable", response=http(503, _BUSY), is_unprocessed=True),
    Fault(name="503, not retriable", response=http(503, _FINAL, _WAIT), is_permanent=True),
    Fault(name="504", response=http(504)),
    Fault(name="520", response=http(520, b"error code: 520", b"content-type: text/plain")),
    Fault(
        name="HTML with status 200",
        response=http(200, b"<html>Hi</html>", b"content-type: text/html"),
        is_permanent=True,
    ),
    Fault(name="gzip that is not gzip", response=http(200, GOOD_BODY, b"content-encoding: gzip")),
)
