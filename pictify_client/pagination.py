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


def _content(item: Model) -> str:
    try:
        return json.dumps(item.to_dict(), sort_keys=True, default=str)
    except RecursionError:
        raise PaginationError("an item without an id is nested too deeply to be told from others") from None


class _Walk(Generic[Item, Info]):
    """A way through a list: what is asked for, and which items were seen on which page.

    A list counts pages (`page`) or items (`offset`). It may shift between two requests, so an item
    belongs to the page it was first seen on.
    """

    def __init__(
        self,
        client: Client,
        operation: Operation[Answer],
        split: Callable[[Answer], tuple[list[Item] | Unset, Info]],
        arguments: Mapping[str, object],
    ) -> None:
        self.client = client
        self.operation: Operation[Any] = operation
        self.split: Callable[[Any], tuple[list[Item] | Unset, Info]] = split
        self.arguments = arguments
        self.counts_items: bool = "offset" in arguments
        self.seen: dict[str, int] = {}

    def again(self) -> _Walk[Item, Info]:
        return _Walk(self.client, self.operation, self.split, self.arguments)

    def start(self) -> int:
        """The number of the first page, or the offset of its first item."""
        start = self.arguments["offset" if self.counts_items else "page"]
        return start if isinstance(start, int) else 0 if self.counts_items else 1

    def asking_for(self, position: int) -> dict[str, object]:
        if position == self.start():
            return {**self.arguments}
        return {**self.arguments, "offset" if self.counts_items else "page": position}

    def new_on(self, position: int, items: list[Item]) -> list[Item]:
        found: list[Item] = []
        on_this_page: set[str] = set()
        for item in items:
            uid = getattr(item, "uid", UNSET) or getattr(item, "id", UNSET)
            # An item without an id is told from those of earlier pages by all that it holds.
            key = uid if isinstance(uid, str) else _content(item)
            if self.seen.setdefault(key, position) == position and key not in on_this_page:
                found.append(item)
            if key is uid:
                on_this_page.add(key)
        return found

    def goes_on(self, position: int, count: int, info: Info) -> bool | None:
        """Whether a page follows; None where the API does not say. `hasNext` is documented but not in every answer."""
        said = ("has_next", "has_more", "total_pages", "total", "limit")
        known: dict[str, Any] = {name: getattr(info, name, UNSET) for name in said}
        if count == 0:
            return False
        for name in ("has_next", "has_more"):
            if known[name] is not UNSET:
                return bool(known[name])
        if known["total_pages"] is not UNSET:
            return bool(position < known["total_pages"])
        if known["total"] is UNSET:
            # Only the next page can tell.
            return None
        size: Any = known["limit"] or self.arguments.get("limit") or count
        return bool((position + count if self.counts_items else position * size) < known["total"])


class _Page(Generic[Item, Info]):
    items: list[Item]
    pagination: Info
    has_next: bool

    def __init__(self, walk: _Walk[Item, Info], position: int, answer: object, pages_without_news: int) -> None:
        found, info = walk.split(answer)
        if found is UNSET and not info.to_dict():
            raise PaginationError(
                f"{walk.operation}: the answer of {walk.client.base_url} holds neither a list nor a word on its pages; "
                "is that the base URL of the Pictify API?"
            )
        items = found or []
        self._walk = walk
        self._position = position
        self._next = position + len(items) if walk.counts_items else position + 1
        self.items = walk.new_on(position, items)
        self.pagination = info
        said = walk.goes_on(position, len(items), info)
        self.has_next = bool(self.items) if said is None else said
        self._pages_without_news = 0 if self.items else pages_without_news + 1
        if self.has_next and self._pages_without_news >= _MOST_PAGES_WITHOUT_NEWS:
            raise PaginationError(
                f"{walk.operation}: the {_MOST_PAGES_WITHOUT_NEWS} pages up to {self._where()} hold nothing that "
                "earlier ones did not, and yet the API says that more follow; stopped, as this would never end"
            )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._position} of {self._walk.operation}: {len(self.items)} items>"

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def _where(self) -> str:
        return f"{'offset' if self._walk.counts_items else 'page'} {self._position}"


class Page(_Page[Item, Info]):
    """One page of a list; iterates over its items, and knows their number by `len()`.

    Attributes:
        items: Its items, without any that an earlier page held already.
        pagination: What the API says of the page and of the whole list.
        has_next: Whether another page follows; where the API does not say, whether one may.
    """

    def next_page(self) -> Page[Item, Info] | None:
        """Ask for the page that follows, unless this is the last.

        Raises:
            PictifyError: As the call that the list came from; or the API repeats itself.
        """
        if not self.has_next:
            return None
        return _load(self._walk, self._next, self._pages_without_news)


class AsyncPage(_Page[Item, Info]):
    """One page of a list, for async code; iterates over its items, and knows their number by `len()`.

    Attributes:
        items: Its items, without any that an earlier page held already.
        pagination: What the API says of the page and of the whole list.
        has_next: Whether another page follows; where the API does not say, whether one may.
    """

    async def next_page(self) -> AsyncPage[Item, Info] | None:
        """Ask for the page that follows, unless this is the last.

        Raises:
            PictifyError: As the call that the list came from; or the API repeats itself.
        """
        if not self.has_next:
            return None
        return await _aload(self._walk, self._next, self._pages_without_news)


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
        page: Page[Item, Info] | None = _load(walk, walk.start())
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
        return _aload(walk, walk.start()).__await__()


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


def _load(walk: _Walk[Item, Info], position: int, pages_without_news: int = 0) -> Page[Item, Info]:
    answer = walk.client.send(walk.operation, **walk.asking_for(position)).result()
    return Page(walk, position, answer, pages_without_news)


async def _aload(walk: _Walk[Item, Info], position: int, pages_without_news: int = 0) -> AsyncPage[Item, Info]:
    answer = (await walk.client.asend(walk.operation, **walk.asking_for(position))).result()
    return AsyncPage(walk, position, answer, pages_without_news)
