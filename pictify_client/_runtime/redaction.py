"""Secrets are taken out of requests, responses and messages before an error holds them."""

from __future__ import annotations

import json
import re
from functools import partial

import httpx

REDACTED = "[redacted]"
SECRET_HEADERS = ("Authorization", "X-Write-Key")


def redact_request(request: httpx.Request, secrets: list[str]) -> None:
    """Take the secrets out of a request that was sent."""
    url = str(request.url)
    if (shown := redact_text(secrets, url)) != url:
        request.url = httpx.URL(shown)
    for name in SECRET_HEADERS:
        if name in request.headers:
            request.headers[name] = REDACTED
    request.stream = httpx.ByteStream(redact_bytes(secrets, request.content))
    # The request keeps what it read of its stream.
    vars(request).pop("_content", None)
    request.read()


def redact_text(secrets: list[str], text: str) -> str:
    """Return a text without secrets."""
    return re.sub(_any_of(secrets), REDACTED, text) if any(secret in text for secret in secrets) else text


def redact_bytes(secrets: list[str], content: bytes) -> bytes:
    """Return bytes without secrets."""
    return re.sub(_any_of(secrets).encode(), REDACTED.encode(), content) if secrets else content


def _any_of(secrets: list[str]) -> str:
    """A pattern for all of them at once: one by one, a short one would be found in what stands for another."""
    return "|".join(map(re.escape, sorted(set(secrets), key=len, reverse=True)))


def spellings_in_json(secret: str) -> set[str]:
    """A secret, and how it may be spelt in a body."""
    return {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}


def redact_headers(secrets: list[str], headers: httpx.Headers) -> list[tuple[bytes, bytes]]:
    """Return headers without secrets, as a server may repeat a secret anywhere."""
    return [(name, redact_bytes(secrets, value)) for name, value in headers.raw]


def redact_response(secrets: list[str], response: httpx.Response, content: bytes) -> httpx.Response:
    """Return a complete response without secrets: those of its request, and those that the server repeats."""
    redact_request(response.request, secrets)
    clean = partial(redact_bytes, secrets)
    return httpx.Response(
        response.status_code,
        # The content is decoded already.
        headers=[each for each in redact_headers(secrets, response.headers) if each[0].lower() != b"content-encoding"],
        content=clean(content),
        request=response.request,
        extensions={"reason_phrase": clean(response.extensions.get("reason_phrase", b""))},
        history=[redact_response(secrets, earlier, b"") for earlier in response.history],
    )
