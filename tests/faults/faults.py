"""The faults: what goes wrong, and what may be done about it."""

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
    """Where it goes wrong."""

    NAME = auto()
    RESOLVER = auto()
    ADDRESSES = auto()
    PORT = auto()
    BACKLOG = auto()
    TLS = auto()
    CERTIFICATE = auto()
    CONNECTION = auto()
    ANSWER = auto()


class Then(Enum):
    """What the server does after the bytes that it sends."""

    STAY = auto()
    CLOSE = auto()
    RESET = auto()
    DRIP = auto()


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that goes wrong.

    Attributes:
        name: What to call it.
        place: Where.
        answer: What is sent in the place of an answer, where it gets that far.
        then: What comes after that.
        unworked: Whether the API cannot have done what was asked, so that even a POST may be sent again.
        lasting: Whether to ask again is in vain, so that nothing is sent again.
        is_passing: Whether it can be over a moment later.
        slow: Whether it shows only in that time goes by.
    """

    name: str
    place: Place = Place.ANSWER
    answer: bytes = b""
    then: Then = Then.STAY
    unworked: bool = False
    lasting: bool = False
    is_passing: bool = True
    slow: bool = False

    def is_retried(self, method: str) -> bool:
        """Whether a call is sent again after it."""
        return not self.lasting and (not method.startswith("POST") or self.unworked)


def http(status: int, body: bytes = b"", *fields: bytes, length: int | None = None) -> bytes:
    """An answer, with a `Content-Length` that is true unless another one is given."""
    lines = (b"HTTP/1.1 %d -" % status, *fields, b"content-length: %d" % (len(body) if length is None else length))
    return b"\r\n".join((*lines, b"", body))


_MESSAGE = b'{"message": "it failed"}'
_WAIT = b"retry-after: 1"
_LIMITED = b'{"statusCode": 429, "error": "Too Many Requests", "message": "Rate limit exceeded"}'
_BUSY = b'{"error": "All browsers are busy", "retriable": true}'
_FINAL = b'{"error": "The page cannot be rendered", "retriable": false}'

FAULTS = (
    Fault(name="connect refused", place=Place.PORT, unworked=True),
    Fault(name="DNS failure", place=Place.NAME, unworked=True),
    Fault(name="DNS timeout", place=Place.RESOLVER, unworked=True, slow=True),
    Fault(name="connect timeout, 8 IPs", place=Place.ADDRESSES, unworked=True, slow=True),
    Fault(name="connect timeout", place=Place.BACKLOG, unworked=True, slow=True),
    Fault(name="TLS: plain server", place=Place.TLS, unworked=True),
    Fault(name="TLS: self-signed", place=Place.CERTIFICATE, unworked=True, is_passing=False),
    Fault(name="reset before any byte", place=Place.CONNECTION),
    Fault(name="reset after request", then=Then.RESET),
    Fault(name="read timeout", slow=True),
    Fault(name="slow drip of head", answer=b"HTTP/1.1 200 OK\r\nx-slow: ", then=Then.DRIP, slow=True),
    Fault(name="slow drip of body", answer=http(200, GOOD_BODY[:-1], length=1_000_000), then=Then.DRIP, slow=True),
    Fault(name="half a head", answer=http(200, GOOD_BODY)[:24], then=Then.CLOSE),
    Fault(name="half a body", answer=http(200, GOOD_BODY)[:-24], then=Then.CLOSE),
    Fault(name="length too long", answer=http(200, GOOD_BODY, length=len(GOOD_BODY) + 9), slow=True),
    Fault(name="length too short", answer=http(200, GOOD_BODY, length=len(GOOD_BODY) - 9), lasting=True),
    Fault(name="408", answer=http(408, _MESSAGE, b"connection: close"), then=Then.CLOSE),
    Fault(name="429", answer=http(429, _LIMITED)),
    Fault(name="429, Retry-After", answer=http(429, _MESSAGE, _WAIT), unworked=True),
    Fault(name="429, message alone", answer=http(429, _MESSAGE), lasting=True),
    Fault(name="429, quota_exceeded", answer=http(429, b'{"code": "quota_exceeded"}', _WAIT), lasting=True),
    Fault(name="500", answer=http(500, _MESSAGE)),
    Fault(name="500, not retriable", answer=http(500, _FINAL), lasting=True),
    Fault(name="502", answer=http(502, b"<html>Bad Gateway</html>", b"content-type: text/html")),
    Fault(name="503", answer=http(503, _MESSAGE)),
    Fault(name="503, Retry-After", answer=http(503, _MESSAGE, _WAIT), unworked=True),
    Fault(name="503, retriable", answer=http(503, _BUSY), unworked=True),
    Fault(name="503, not retriable", answer=http(503, _FINAL, _WAIT), lasting=True),
    Fault(name="504", answer=http(504)),
    Fault(name="520", answer=http(520, b"error code: 520", b"content-type: text/plain")),
    Fault(name="HTML with status 200", answer=http(200, b"<html>Hi</html>", b"content-type: text/html"), lasting=True),
    Fault(name="gzip that is not gzip", answer=http(200, GOOD_BODY, b"content-encoding: gzip")),
)
