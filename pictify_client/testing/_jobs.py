"""Background jobs of the fake API: batches, and runs of workflows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._account import Account, Record

JOB_SECONDS = 3
"""Seconds that a job takes, by the fake clock."""


class Job(ABC):
    """Rows that are rendered in the background, a third of them per second of the fake clock.

    Each poll counts as a second, too, since a client with another clock does not advance the fake one.

    Args:
        account: The account that the job belongs to. It advances the job.
        rows: The rows.
        credits_per_row: Credits that each row costs. They are charged already.
    """

    def __init__(self, account: Account, rows: list[Record], credits_per_row: int) -> None:
        self.account = account
        self.rows = rows
        self.seconds: int = 0
        self.is_over: bool = False
        self._credits_per_row = credits_per_row
        self._started = account.time()
        self._polls = 0
        self._done = 0
        account.start(self)

    @abstractmethod
    def render(self, index: int, row: Record) -> int:
        """Render a row. Return the number of files."""

    @abstractmethod
    def update(self) -> None:
        """Update the state that responses contain."""

    def poll(self) -> None:
        """Advance the job as far as the clock or the number of polls says."""
        seconds = max(self._elapsed(), self._polls)
        self._polls = seconds + 1
        self._advance(seconds)

    def catch_up(self) -> None:
        """Advance the job as far as the clock says."""
        self._advance(self._elapsed())

    def cancel(self) -> None:
        """End the job. Rows that were not rendered cost nothing."""
        self.is_over = True
        self.account.refund((len(self.rows) - self._done) * self._credits_per_row)
        self.update()

    def _elapsed(self) -> int:
        return int(self.account.time() - self._started)

    def _advance(self, seconds: int) -> None:
        while not self.is_over and self.seconds < seconds:
            self.seconds += 1
            end = len(self.rows) * self.seconds // JOB_SECONDS
            with self.account.at(self._started + self.seconds):
                for index in range(self._done, end):
                    self.account.refund(self._credits_per_row - self.render(index, self.rows[index]))
                self._done = end
                self.is_over = self.seconds == JOB_SECONDS
                self.update()
