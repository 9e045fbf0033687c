"""Signatures of webhooks, which the API sends and of which a hook for rows accepts one."""

from __future__ import annotations

import hmac

HEADER = "X-Pictify-Signature"
"""Header with the signature: `t=<Unix seconds>,v1=<hex>`."""


def signature(key: bytes, time: str, body: bytes) -> str:
    """Return the value of the header for a body that is signed at a Unix time in seconds."""
    return f"t={time},v1={digest(key, time, body).hex()}"


def digest(key: bytes, time: str, body: bytes) -> bytes:
    """Return the HMAC (SHA-256) of a time and a body."""
    mac = hmac.new(key, f"{time}.".encode(), "sha256")
    mac.update(body)
    return mac.digest()
