"""The limits of the fake API: requests per minute, and renders per month."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from ._responses import fastify_error, rejected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .clock import FakeClock

_MINUTE = 60
RENDERS = frozenset(
    {
        "agent_screenshot",
        "batch_render_template",
        "capture_gif",
        "create_canvas_image",
        "create_gif",
        "create_image",
        "create_og_image",
        "multi_size_render_template",
        "post_workflow_rows",
        "render_multi_page_pdf",
        "render_pdf",
        "render_template",
        "render_video",
        "start_workflow",
    }
)
"""The operations that render."""

VERIFIED_ONLY = RENDERS - {"post_workflow_rows", "start_workflow"} | {"generate_video"}
"""The operations that an account with an unverified email address cannot call."""

# For these the API says that the quota is used up with 402.
_PAYMENT_REQUIRED = frozenset({"post_workflow_rows", "render_video", "start_workflow"})

# The fields of a body that have one item for each file, or for each page, that is rendered.
_SEVERAL = ("layouts", "rows", "sizes", "variableSets")
_UPGRADE_URL = "https://pictify.io/dashboard/billing"


class Minute:
    """The requests of a minute, which begins with the first of them."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._ends = 0.0
        self._requests = 0

    def take(self, limit: int) -> dict[str, str]:
        """Count a request; returns the headers about the limit.

        Raises:
            Rejected: If there were as many in this minute as there may be.
        """
        now = self._clock.time()
        if now >= self._ends:
            # The headers say whole seconds, so that is when it ends.
            self._ends, self._requests = ceil(now + _MINUTE), 0
        allowed = self._requests < limit
        self._requests += allowed
        left = ceil(self._ends - now)
        headers = {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(max(limit - self._requests, 0)),
            "x-ratelimit-reset": str(left),
        }
        if not allowed:
            rejection = fastify_error(429, f"Rate limit exceeded, retry in {left} seconds")
            rejection.response.headers.update(headers, **{"retry-after": str(left)})
            raise rejection
        return headers


class Month:
    """The renders of a calendar month."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._month = ""
        self._used = 0

    @property
    def used(self) -> int:
        """How many there were."""
        return self._used if self._month == self._this() else 0

    def check(self, name: str, arguments: Mapping[str, Any], quota: int | None) -> int:
        """How many renders an operation costs.

        Raises:
            Rejected: If there are not so many left.
        """
        renders = int(name in RENDERS)
        for field in _SEVERAL if renders else ():
            renders *= max(len(arguments.get("body", {}).get(field, ())), 1)
        if quota is not None and renders and self.used + renders > quota:
            message = f"You have used all {quota} renders of this month"
            status = 402 if name in _PAYMENT_REQUIRED else 429
            raise rejected(status, message, code="quota_exceeded", upgradeUrl=_UPGRADE_URL)
        return renders

    def count(self, renders: int) -> None:
        """Count what was rendered."""
        self._used, self._month = self.used + renders, self._this()

    def _this(self) -> str:
        return self._clock.now().strftime("%Y-%m")
