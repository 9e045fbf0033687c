"""Lists that come in pages: the pages and the pagers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .decoding import Model
from .errors import PaginationError
from .types import UNSET

if TYPE_CHECKING:
    from .client import Client
    from .operations import Operation
    from .types import Unset

Answer = TypeVar("Answer")
Item = TypeVar("Item", bound=Model)
Info = TypeVar("Info", bound=Model)

# More than one, since a list that grows by a whole page between two requests gives the same page again.
_MOST_PAGES_WITHOUT_NEWS = 5


class _Walk(Generic[Item, Info]):
    """A way through a list: what is asked for, and which items were seen on which page.

    The list may shift between two requests, so an item belongs to the page it was first seen on.
    """

    client: Client
    operation: Operation[Any]
    split: Callable[[Any], tuple[list[Item] | Unset, Info]]
    arguments: Mapping[str, object]
    seen: dict[str, int]

    def __init__(
        self,
        client: Client,
        operation: Operation[Answer],
        split: Callable[[Answer], tuple[list[Item] | Unset, Info]],
        arguments: Mapping[str, object],
    ) -> None:
        self.client = client
        self.operation = operation
        self.split = split
        self.arguments = arguments
        self.seen = {}

    def again(self) -> _Walk[Item, Info]:
        return _Walk(self.client, self.operation, self.split, self.arguments)

    def first_number(self) -> int:
        start = self.arguments["page"]
        return start if isinstance(start, int) else 1

    def asking_for(self, number: int) -> dict[str, object]:
        return {**self.arguments, "page": number} if number != self.first_number() else {**self.arguments}

    def new_on(self, number: int, items: list[Item]) -> list[Item]:
        found: list[Item] = []
        on_this_page: set[str] = set()
        for item in items:
            uid = getattr(item, "uid", None)
            # An item without an id is told from those of earlier pages by all that it holds.
            key = uid if isinstance(uid, str) else json.dumps(item.to_dict(), sort_keys=True, default=str)
            if self.seen.setdefault(key, number) == number and key not in on_this_page:
                found.append(item)
            if key is uid:
                on_this_page.add(key)
        return found

    def goes_on(self, number: int, count: int, info: Info) -> bool:
        """Whether a page follows. `hasNext` is documented but not in every answer."""
        known: dict[str, Any] = {name: getattr(info, name, UNSET) for name in ("has_next", "total_pages", "total")}
        if count == 0:
            return False
        if known["has_next"] is not UNSET:
            return bool(known["has_next"])
        if known["total_pages"] is not UNSET:
            return bool(number < known["total_pages"])
        size: Any = getattr(info, "limit", UNSET) or self.arguments.get("limit")
        return bool(size and known["total"] and number * size < known["total"])


class _Page(Generic[Item, Info]):
    items: list[Item]
    pagination: Info
    has_next: bool

    def __init__(self, walk: _Walk[Item, Info], number: int, answer: object, pages_without_news: int) -> None:
        found, info = walk.split(answer)
        if found is UNSET and not info.to_dict():
            raise PaginationError(
                f"{walk.operation}: the answer of {walk.client.base_url} holds neither a list nor a word on its pages; "
                "is that the base URL of the Pictify API?"
            )
        items = found or []
        self._walk = walk
        self._number = number
        self.items = walk.new_on(number, items)
        self.pagination = info
        self.has_next = walk.goes_on(number, len(items), info)
        self._pages_without_news = 0 if self.items else pages_without_news + 1
        if self.has_next and self._pages_without_news >= _MOST_PAGES_WITHOUT_NEWS:
            raise PaginationError(
                f"{walk.operation}: the {_MOST_PAGES_WITHOUT_NEWS} pages up to page {number} hold nothing that "
                "earlier ones did not, and yet the API says that more follow; stopped, as this would never end"
            )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._number} of {self._walk.operation}: {len(self.items)} items>"

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class Page(_Page[Item, Info]):
    """One page of a list; iterates over its items, and knows their number by `len()`.

    Attributes:
        items: Its items, without any that an earlier page held already.
        pagination: What the API says of the page and of the whole list.
        has_next: Whether another page follows; unlike `pagination.has_next`, always known.
    """

    def next_page(self) -> Page[Item, Info] | None:
        """Ask for the page that follows, unless this is the last.

        Raises:
            PictifyError: As the call that the list came from; or the API repeats itself.
        """
        if not self.has_next:
            return None
        return _load(self._walk, self._number + 1, self._pages_without_news)


class AsyncPage(_Page[Item, Info]):
    """One page of a list, for async code; iterates over its items, and knows their number by `len()`.

    Attributes:
        items: Its items, without any that an earlier page held already.
        pagination: What the API says of the page and of the whole list.
        has_next: Whether another page follows; unlike `pagination.has_next`, always known.
    """

    async def next_page(self) -> AsyncPage[Item, Info] | None:
        """Ask for the page that follows, unless this is the last.

        Raises:
            PictifyError: As the call that the list came from; or the API repeats itself.
        """
        if not self.has_next:
            return None
        return await _aload(self._walk, self._number + 1, self._pages_without_news)


class _Pager(Generic[Item, Info]):
    def __init__(
        self,
        client: Client,
        operation: Operation[Answer],
        split: Callable[[Answer], tuple[list[Item] | Unset, Info]],
        /,
        **arguments: object,
    ) -> None:
        operation.request(arguments)  # What is wrong with them is said where they were given.
        self._walk = _Walk(client, operation, split, arguments)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._walk.operation}>"


class Pager(_Pager[Item, Info]):
    """A list, page by page: nothing is sent until it is used, and each walk starts anew.

    - `for item in pager` walks the items of all pages;
    - `for page in pager.pages()` walks the pages;
    - `items`, `pagination`, `has_next` and `next_page()` are those of the first page, asked for once.

    No item comes twice in a walk, even if the list shifts meanwhile.
    """

    def __iter__(self) -> Iterator[Item]:
        for page in self.pages():
            yield from page.items

    def pages(self) -> Iterator[Page[Item, Info]]:
        """Walk the list page by page."""
        walk = self._walk.again()
        page: Page[Item, Info] | None = _load(walk, walk.first_number())
        while page is not None:
            yield page
            page = page.next_page()

    @cached_property
    def _first(self) -> Page[Item, Info]:
        return next(self.pages())

    @property
    def items(self) -> list[Item]:
        """The items of the first page."""
        return self._first.items

    @property
    def pagination(self) -> Info:
        """What the API says of the first page and of the whole list."""
        return self._first.pagination

    @property
    def has_next(self) -> bool:
        """Whether a second page follows."""
        return self._first.has_next

    def next_page(self) -> Page[Item, Info] | None:
        """Ask for the second page, unless the first is the last."""
        return self._first.next_page()


class AsyncPager(_Pager[Item, Info]):
    """A list, page by page, for async code: nothing is sent until it is used, and each walk starts anew.

    - `async for item in pager` walks the items of all pages;
    - `async for page in pager.pages()` walks the pages;
    - `await pager` gives the first page.

    No item comes twice in a walk, even if the list shifts meanwhile.
    """

    def __aiter__(self) -> AsyncIterator[Item]:
        return _AsyncItems(self.pages())

    def pages(self) -> AsyncIterator[AsyncPage[Item, Info]]:
        """Walk the list page by page."""
        return _AsyncPages(self)

    def __await__(self) -> Generator[Any, None, AsyncPage[Item, Info]]:
        walk = self._walk.again()
        return _aload(walk, walk.first_number()).__await__()


# Classes and no generators: a loop over a generator that is left by `break` leaves it to the garbage
# collector, of which trio warns; these have nothing to clean up.


class _AsyncPages(Generic[Item, Info]):
    def __init__(self, pager: AsyncPager[Item, Info]) -> None:
        self._pager = pager
        self._page: AsyncPage[Item, Info] | None = None

    def __aiter__(self) -> AsyncIterator[AsyncPage[Item, Info]]:
        return self

    async def __anext__(self) -> AsyncPage[Item, Info]:
        page = await self._pager if self._page is None else await self._page.next_page()
        if page is None:
            raise StopAsyncIteration
        self._page = page
        return page


class _AsyncItems(Generic[Item, Info]):
    def __init__(self, pages: AsyncIterator[AsyncPage[Item, Info]]) -> None:
        self._pages = pages
        self._items: Iterator[Item] = iter(())

    def __aiter__(self) -> AsyncIterator[Item]:
        return self

    async def __anext__(self) -> Item:
        while True:
            for item in self._items:
                return item
            self._items = iter((await anext(self._pages)).items)


def _load(walk: _Walk[Item, Info], number: int, pages_without_news: int = 0) -> Page[Item, Info]:
    answer = walk.client.send(walk.operation, **walk.asking_for(number)).result()
    return Page(walk, number, answer, pages_without_news)


async def _aload(walk: _Walk[Item, Info], number: int, pages_without_news: int = 0) -> AsyncPage[Item, Info]:
    answer = (await walk.client.asend(walk.operation, **walk.asking_for(number))).result()
    return AsyncPage(walk, number, answer, pages_without_news)
