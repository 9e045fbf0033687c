"""How much of the stand-in there is: calls a minute, and renders a month."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from ._answers import refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .clock import FakeClock

_MINUTE = 60
_RENDERS = {
    "agent_screenshot",
    "capture_gif",
    "create_canvas_image",
    "create_gif",
    "create_image",
    "create_og_image",
    "render_multi_page_pdf",
    "render_pdf",
    "render_template",
}
# Where one call renders several, the field of its body that has one item for each.
_SEVERAL = {"multi_size_render_template": "sizes", "batch_render_template": "variableSets"}
# The API answers these with 402 when the quota is used up, and everything else with 429.
_MOVING = ("create_gif", "capture_gif")


class Minute:
    """The calls of this minute, which begins with the first of them."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._ends = 0.0
        self._calls = 0

    def take(self, limit: int) -> dict[str, str]:
        """Count a call; gives the headers that tell of it.

        Raises:
            Refused: There are as many in this minute as there may be.
        """
        now = self._clock.time()
        if now >= self._ends:
            # Told in whole seconds, so that is when it ends.
            self._ends, self._calls = ceil(now + _MINUTE), 0
        allowed = self._calls < limit
        self._calls += allowed
        headers = {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(max(limit - self._calls, 0)),
            "x-ratelimit-reset": str(int(self._ends)),
        }
        if not allowed:
            refusal = refused(429, "Rate limit exceeded")
            refusal.answer.headers.update(headers, **{"retry-after": str(ceil(self._ends - now))})
            raise refusal
        return headers


class Month:
    """The renders of this month, by the calendar."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._month = ""
        self._used = 0

    @property
    def used(self) -> int:
        """How many there were."""
        return self._used if self._month == self._this() else 0

    def check(self, name: str, arguments: Mapping[str, Any], quota: int | None) -> int:
        """How many images an operation renders.

        Raises:
            Refused: There are not so many left.
        """
        several = _SEVERAL.get(name)
        renders = int(name in _RENDERS) if several is None else len(arguments["body"][several])
        if quota is not None and renders and self.used + renders > quota:
            status = 402 if name in _MOVING else 429
            raise refused(status, f"The plan has {quota} renders a month", code="quota_exceeded")
        return renders

    def count(self, renders: int) -> None:
        """Count what was rendered."""
        self._used, self._month = self.used + renders, self._this()

    def _this(self) -> str:
        return self._clock.now().strftime("%Y-%m")
