"""What the `X-RateLimit` headers say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple


class RateLimit(NamedTuple):
    """How many calls the API allows, as an answer's headers say; None where they do not.

    Attributes:
        limit: Calls a minute that the plan allows (60, 300 or 1000).
        remaining: Calls left until `reset`.
        reset: When the count starts anew, UTC.
    """

    limit: int | None = None
    remaining: int | None = None
    reset: datetime | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> RateLimit:
        """Read `X-RateLimit-Limit`, `-Remaining` and `-Reset` (Unix seconds)."""
        reset = _count(headers.get("x-ratelimit-reset"))
        try:
            moment = None if reset is None else datetime.fromtimestamp(reset, UTC)
        except (ValueError, OverflowError, OSError):
            moment = None
        return cls(_count(headers.get("x-ratelimit-limit")), _count(headers.get("x-ratelimit-remaining")), moment)


def _count(text: str | None) -> int | None:
    # Beyond twenty digits it is no count, and int() refuses what is far beyond.
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 20 else None
