"""The renders in the account of the fake API, and the usage of its plan."""

from __future__ import annotations

from datetime import timedelta

from ._account import Account, Record, matching, offset_page, time_text

_FORMATS = ("PNG", "PDF", "GIF", "MP4")
# Without a quota of the fake: more than any test renders.
_MONTHLY_LIMIT = 1_000_000


class Usage:
    """The feed of renders, and the usage of the month."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def list_renders(
        self,
        format: str = "ALL",  # noqa: A002
        template: str | None = None,
        source: str | None = None,
        limit: int = 24,
        offset: int = 0,
    ) -> Record:
        newest = matching(self._account.all("feed")[::-1], templateUid=template, source=source)
        counts = {"ALL": len(newest), **{each: len(matching(newest, format=each)) for each in _FORMATS}}
        found = newest if format == "ALL" else matching(newest, format=format)
        return {**offset_page("renders", found, limit, offset), "counts": counts}

    def get_account_usage(self) -> Record:
        limit = _MONTHLY_LIMIT if self._account.quota is None else self._account.quota
        month = self._account.clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        credits_left = self._account.ai_credits
        return {
            "monthlyLimit": limit,
            "hasExceededMonthlyLimit": self._account.renders >= limit,
            "usage": self._account.renders,
            "nextReset": time_text((month + timedelta(days=32)).replace(day=1)),
            **({} if credits_left is None else {"aiCredits": credits_left}),
        }
