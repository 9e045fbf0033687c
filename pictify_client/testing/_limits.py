"""The limits of the fake API: requests per minute, and renders per month."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from ._responses import fastify_error, rejected

if TYPE_CHECKING:
    from ._account import Account, Record
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
# Operations whose file costs more or less than one credit.
_CREDITS = {"capture_gif": 1.5}
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
            # The headers have seconds without a fraction, so that is when it ends.
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
    """The credits of a calendar month."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._month = ""
        self._used = 0.0

    @property
    def used(self) -> float:
        """Credits that were used; an integer if it is one."""
        used = self._used if self._month == self._this() else 0.0
        return int(used) if used.is_integer() else used

    def check(self, name: str, body: Record) -> float:
        """Return the credits that an operation costs at most.

        Raises:
            Rejected: If fewer are left.
        """
        needed, quota = self._cost(name, body), self._account.quota
        if quota is not None and needed and self.used + needed > quota:
            message = f"You have used all {quota} renders of this month"
            status = 402 if name in _PAYMENT_REQUIRED else 429
            raise rejected(status, message, code="quota_exceeded", upgradeUrl=_UPGRADE_URL)
        return needed

    def charge(self, amount: float) -> None:
        """Charge credits. A negative number gives credits back, but only those of this month."""
        self._used, self._month = max(float(self.used + amount), 0.0), self._this()

    def _cost(self, name: str, body: Record) -> float:
        if name not in RENDERS:
            return 0
        cost = _CREDITS.get(name, 1.0)
        for field in _SEVERAL:
            cost *= max(len(body.get(field) or ()), 1)
        return cost * len(self._account.csv_rows(body["csvUrl"]) or []) if "csvUrl" in body else cost

    def _this(self) -> str:
        return self._account.clock.now().strftime("%Y-%m")
