"""The `X-RateLimit` headers of a response."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

# A reset is either a Unix time or the seconds that are left. No limit lasts for longer than this many seconds, and the
# Unix time was that small in 1971.
_MAX_SECONDS_LEFT = 366 * 24 * 3600


class RateLimit(NamedTuple):
    """The rate limit of the API; values that the headers of a response lack are None.

    The live API sends these headers only for its public routes, not for requests with an API key.

    Attributes:
        limit: Requests per period.
        remaining: Requests left until `reset`.
        reset: When the next period starts, UTC.
    """

    limit: int | None = None
    remaining: int | None = None
    reset: datetime | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> RateLimit:
        """Read `X-RateLimit-Limit`, `-Remaining` and `-Reset` (Unix time, or seconds left)."""
        reset = count(headers.get("x-ratelimit-reset"))
        moment = None
        if reset is not None:
            try:
                if reset <= _MAX_SECONDS_LEFT:
                    moment = sent_at(headers) + timedelta(seconds=reset)
                else:
                    moment = datetime.fromtimestamp(reset, UTC)
            except (ValueError, OverflowError, OSError):
                moment = None
        return cls(count(headers.get("x-ratelimit-limit")), count(headers.get("x-ratelimit-remaining")), moment)


def sent_at(headers: Mapping[str, str]) -> datetime:
    """When a response was sent: its `Date`, else the time of this machine."""
    return http_date(headers.get("date", "")) or datetime.now(UTC)


def http_date(text: str) -> datetime | None:
    """Read an HTTP date; None if it is not one."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def count(text: str | None) -> int | None:
    """Read a number of requests, seconds or bytes; None if it is not one."""
    # Beyond twenty digits it is not a count, and int() rejects what is far beyond.
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 20 else None
