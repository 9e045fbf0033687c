"""Pages of a list: whether and where the list continues after each."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import chain, islice
from typing import Generic, NamedTuple
from urllib.parse import parse_qs, urlsplit

from ..errors import PaginationError
from .model import Model
from .page_cursor import Info, Item, PageCursor, Position

# More than one: pages in the middle may be empty, and a list that grows by a page between two requests repeats one.
_MAX_EMPTY_PAGES = 5
# More, because an API that filters while it scans gives a new cursor after each part in which it found nothing.
_MAX_EMPTY_LINKED_PAGES = 100
_logger = logging.getLogger("pictify_client")


class _Progress(NamedTuple):
    """The progress of an iteration.

    Attributes:
        start: The position of the first page.
        pages: Number of pages received.
        received: Number of items received, with duplicates.
        unique: Number of items received, without duplicates.
        largest: Number of items on the largest page.
        empty_pages: Number of the last pages in a row that had no new item.
    """

    start: Position
    pages: int = 0
    received: int = 0
    unique: int = 0
    largest: int = 0
    empty_pages: int = 0


class PageResult(ABC, Generic[Item, Info]):
    """A page that was received, and whether and where the list continues."""

    def __init__(
        self,
        cursor: PageCursor[Item, Info],
        items: list[Item],
        info: Info,
        previous: PageResult[Item, Info] | None,
    ) -> None:
        self.cursor = cursor
        self.pagination = info
        self.position: Position = self._start() if previous is None else previous.next_position
        self.items: list[Item] = cursor.seen.deduplicate(self.position, items)
        self._count = len(items)
        before = _Progress(self.position) if previous is None else previous.progress
        self.progress: _Progress = _Progress(
            before.start,
            before.pages + 1,
            before.received + self._count,
            before.unique + len(self.items),
            max(before.largest, self._count),
            0 if self.items else before.empty_pages + 1,
        )
        # The API may say whether more pages follow.
        self._flags: list[object] = [getattr(info, name, None) for name in ("has_next", "has_more")]
        self.has_next: bool = self._decide()

    @abstractmethod
    def _start(self) -> Position:
        """Return where the caller wants the list to begin."""

    @property
    def is_redundant(self) -> bool:
        """Whether the page has no items and is not the only one, so that there is no use in returning it."""
        return not self.items and (self.has_next or self.progress.unique > 0)

    @property
    @abstractmethod
    def label(self) -> object:
        """The name of the page in messages."""

    @property
    @abstractmethod
    def next_position(self) -> Position:
        """The position of the next page.

        Raises:
            PaginationError: If the API does not say it, or repeats itself.
        """

    @abstractmethod
    def following(self, most: int) -> Iterator[Position]:
        """Return where the next pages begin, as far as it is known that they exist."""

    @abstractmethod
    def _decide(self) -> bool:
        """Return whether another page follows."""

    def _last_pages(self) -> str:
        return f"{self.cursor.operation}: the last {self.progress.empty_pages} pages, up to {self.position},"

    def _never_ends(self) -> PaginationError:
        return PaginationError(
            f"{self._last_pages()} have no new items, but the API says that more pages follow; stopped, because this "
            f"might never end. To continue, pass {self.next_position}"
        )


class CountedPage(PageResult[Item, Info]):
    """A page of a list that counts pages (`page`) or items (`offset`)."""

    def __init__(
        self,
        cursor: PageCursor[Item, Info],
        items: list[Item],
        info: Info,
        first: int,
        previous: PageResult[Item, Info] | None,
    ) -> None:
        self._counts_items = cursor.counts_items
        self._first = 0 if cursor.counts_items else first
        self._total = _number(info, "total")
        self._total_pages = None if cursor.counts_items else _number(info, "total_pages")
        self._limit = _number(info, "limit") or None
        super().__init__(cursor, items, info, previous)

    def _start(self) -> Position:
        parameter = "offset" if self._counts_items else "page"
        start = self.cursor.argument(parameter)
        return Position(parameter, self._first if start is None else start)

    @property
    def label(self) -> object:
        """The name of the page in messages."""
        return self.position.value

    @property
    def next_position(self) -> Position:
        """The position of the next page."""
        step = (
            (self._count or self._limit or self.progress.largest or self.cursor.limit or 1) if self._counts_items else 1
        )
        parameter, value = self.position
        return Position(parameter, value + step)

    def following(self, most: int) -> Iterator[Position]:
        """Return where the next pages begin, as far as it is known that they exist."""
        if not self.has_next:
            return iter(())
        size = self._limit or self.cursor.limit or self.progress.largest or 1
        parameter, following = self.next_position
        if self._counts_items:
            further = range(following + size, self._total or 0, size)
        else:
            pages = self._total_pages or -(-(self._total or 0) // size)
            further = range(following + 1, self._first + pages)
        return islice((Position(parameter, value) for value in chain([following], further)), most)

    def _decide(self) -> bool:
        """Return whether another page follows.

        The fields of the pagination may contradict each other. One sign that more follows is enough, so that no item
        is lost; in return, the number of pages in a row without a new item is limited.
        """
        by_page = self._follows_by_pages()
        by_total = self._follows_by_total()
        signs = [*self._flags, by_page, by_total]
        if True not in signs:
            # Without any sign, only the next page can tell.
            return False not in signs and bool(self.items)
        if self.progress.empty_pages < _MAX_EMPTY_PAGES:
            return True
        if by_total is False:
            # All items that exist were received.
            return False
        if self._count or True in (*self._flags, by_page):
            raise self._never_ends()
        _logger.warning(
            "%s are empty; the list ends after %d of %d items", self._last_pages(), self.progress.unique, self._total
        )
        return False

    def _follows_by_pages(self) -> bool | None:
        number = self.position.value - self._first + 1
        if self._total_pages is None or (self._count and self._total_pages < number):
            return None
        return bool(number < self._total_pages)

    def _follows_by_total(self) -> bool | None:
        if self._total is None or self._total < self._count:
            return None
        # A page of nothing but duplicates is no progress: the server may ignore which page is requested.
        repeats = self._count and not self.items
        received = self.progress.unique if repeats else self.progress.received
        least, most = self._items_before(self._total)
        if most + received < self._total:
            return True
        return False if least + received >= self._total else None

    def _items_before(self, total: int) -> tuple[int, int]:
        """Return how many items precede the first page of the iteration, at least and at most."""
        pages: int = self.progress.start.value - self._first
        if self._counts_items:
            return pages, pages
        before = (self.position.value - self._first) * (self._limit or 0)
        if self._limit and self._count == min(max(total - before, 0), self._limit):
            # The page is as large as its limit and the total say, so they can be trusted.
            return pages * self._limit, pages * self._limit
        sizes = self.progress.largest, self._limit or self.cursor.limit or total
        return pages * min(sizes), pages * max(sizes)


def _number(info: Model, name: str) -> int | None:
    number = getattr(info, name, None)
    return number if isinstance(number, int) and number >= 0 else None


class LinkedPage(PageResult[Item, Info]):
    """A page of a list in which each page has the cursor of the next one."""

    def __init__(
        self,
        cursor: PageCursor[Item, Info],
        items: list[Item],
        info: Info,
        following: tuple[str, object],
        previous: PageResult[Item, Info] | None,
    ) -> None:
        parameter, value = following
        self._next = Position(parameter, value)
        self._problem: str | None = None
        super().__init__(cursor, items, info, previous)

    def _start(self) -> Position:
        parameter = self._next.parameter
        return Position(parameter, self.cursor.argument(parameter))

    @property
    def label(self) -> object:
        """The number of the page, because a cursor means nothing to a reader."""
        return self.progress.pages

    @property
    def next_position(self) -> Position:
        """The position of the next page.

        Raises:
            PaginationError: If the API does not say it, or repeats itself.
        """
        if self._problem:
            again = "" if self.position.value is None else f". To request the last page again, pass {self.position}"
            raise PaginationError(f"{self.cursor.operation}: {self._problem}{again}")
        return self._next

    def following(self, most: int) -> Iterator[Position]:
        """Return where the next page begins; of those after it, only that page knows."""
        return islice([self._next] if self.has_next and not self._problem else [], most)

    def _decide(self) -> bool:
        """Return whether another page follows.

        An error is raised when the next page is requested, so that the items of this one are not lost.
        """
        says_more = True in self._flags
        if False in self._flags and not says_more:
            return False
        given = self._next.value
        name = self.cursor.name_in_url(self._next.parameter)
        value = _in_url(given, name) if isinstance(given, str) else given
        if not value:
            if given and value is None:
                self._problem = f"the URL of the next page does not have the parameter `{name}`"
            elif says_more:
                self._problem = "the API says that more pages follow, but does not say with which cursor"
            return self._problem is not None
        self._next = Position(self._next.parameter, value)
        number = self.progress.pages
        numbers = self.cursor.page_numbers
        numbers.setdefault(self.progress.start, 1)
        if numbers.get(self._next, number + 1) <= number:
            self._problem = f"the API repeats {self._next} as the next page; stopped, because this might never end"
        elif self.progress.empty_pages >= _MAX_EMPTY_LINKED_PAGES:
            raise self._never_ends()
        else:
            numbers[self._next] = number + 1
        return True


def _in_url(text: str, name: str) -> str | None:
    """Return the cursor in the URL of a page, or None if there is none in it; what is not a URL is a cursor itself."""
    if "?" not in text and "://" not in text:
        return text
    try:
        url = urlsplit(text)
    except ValueError:
        return text
    values = parse_qs(url.query, keep_blank_values=True).get(name)
    if values:
        return values[-1]
    return None if url.scheme in {"http", "https"} else text


def read_page(
    cursor: PageCursor[Item, Info], response: object, previous: PageResult[Item, Info] | None = None
) -> PageResult[Item, Info]:
    """Return the page in a response, and whether and where the list continues.

    Raises:
        PaginationError: If the response is not a list, or the list never ends.
    """
    found = cursor.split(response)
    items, info = found[0], found[1]
    if not isinstance(items, list):
        if not info.to_dict():
            raise PaginationError(
                f"{cursor.operation}: the response from {cursor.client.base_url} has neither a list nor "
                "pagination; is that the base URL of the Pictify API?"
            )
        items = []
    more = found[2] if len(found) == 3 else 1
    if isinstance(more, tuple):
        return LinkedPage(cursor, items, info, more, previous)
    return CountedPage(cursor, items, info, more, previous)
