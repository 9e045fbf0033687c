"""Lists that come in pages: the pages and the pagers."""

from __future__ import annotations

import json
import weakref
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from copy import copy
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .decoding import Model
from .errors import PaginationError
from .types import UNSET

if TYPE_CHECKING:
    from asyncio import Task
    from concurrent.futures import Future

    from .client import Client
    from .operations import Operation, Request
    from .types import Unset

Answer = TypeVar("Answer")
Item = TypeVar("Item", bound=Model)
Info = TypeVar("Info", bound=Model)

# More than one, since a list that grows by a whole page between two requests gives the same page again.
_MOST_PAGES_WITHOUT_NEWS = 5
_MOST_AHEAD = 100


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
        # What is wrong with them is said where they are given.
        self.first: Request = operation.request(arguments)
        self.counts_items: bool = "offset" in arguments
        self.seen: dict[str, int] = {}

    def again(self) -> _Walk[Item, Info]:
        """The same walk, from its start."""
        walk = copy(self)
        walk.seen = {}
        return walk

    def start(self) -> int:
        """The number of the first page, or the offset of its first item."""
        start = self.arguments["offset" if self.counts_items else "page"]
        return start if isinstance(start, int) else 0 if self.counts_items else 1

    def asking_for(self, position: int) -> Request:
        """The request for the page at a position."""
        if position == self.start():
            return self.first
        return self.operation.request({**self.arguments, "offset" if self.counts_items else "page": position})

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
        known = _said(info)
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

    def beyond(self, position: int, count: int, info: Info) -> range:
        """Where pages begin that follow the one at a position, as far as its answer says how many there are."""
        known = _said(info)
        size: Any = known["limit"] or self.arguments.get("limit") or count
        if self.counts_items:
            return range(position + size, known["total"] or 0, size)
        last: Any = known["total_pages"] or -(-(known["total"] or 0) // (size or 1))
        return range(position + 1, last + 1)


def _said(info: Model) -> dict[str, Any]:
    names = ("has_next", "has_more", "total_pages", "total", "limit")
    return {name: getattr(info, name, UNSET) for name in names}


class _Found(Generic[Item, Info]):
    """What an answer holds of a list, and where it goes on from there."""

    def __init__(self, walk: _Walk[Item, Info], position: int, answer: object, pages_without_news: int) -> None:
        listed, info = walk.split(answer)
        if listed is UNSET and not info.to_dict():
            raise PaginationError(
                f"{walk.operation}: the answer of {walk.client.base_url} holds neither a list nor a word on its pages; "
                "is that the base URL of the Pictify API?"
            )
        items = listed or []
        self.walk = walk
        self.position = position
        self.next: int = position + len(items) if walk.counts_items else position + 1
        self.count: int = len(items)
        self.items: list[Item] = walk.new_on(position, items)
        self.pagination = info
        said = walk.goes_on(position, len(items), info)
        self.has_next: bool = bool(self.items) if said is None else said
        self.pages_without_news: int = 0 if self.items else pages_without_news + 1
        if self.has_next and self.pages_without_news >= _MOST_PAGES_WITHOUT_NEWS:
            where = f"{'offset' if walk.counts_items else 'page'} {position}"
            raise PaginationError(
                f"{walk.operation}: the {_MOST_PAGES_WITHOUT_NEWS} pages up to {where} hold nothing that "
                "earlier ones did not, and yet the API says that more follow; stopped, as this would never end"
            )

    def following(self, most: int) -> Iterator[int]:
        """Where the next pages begin; so many, and no more than there are."""
        if not self.has_next:
            return iter(())
        beyond = self.walk.beyond(self.next, self.count, self.pagination)
        return islice(chain([self.next], beyond), most)


class _Page(Generic[Item, Info]):
    items: list[Item]
    pagination: Info
    has_next: bool

    def __init__(self, found: _Found[Item, Info]) -> None:
        self._found = found
        self.items = found.items
        self.pagination = found.pagination
        self.has_next = found.has_next

    def __repr__(self) -> str:
        found = self._found
        return f"<{type(self).__name__} {found.position} of {found.walk.operation}: {len(self.items)} items>"

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


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
        found = self._found
        return Page(_load(found.walk, found.next, found.pages_without_news))


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
        found = self._found
        return AsyncPage(await _aload(found.walk, found.next, found.pages_without_news))


class _Pager(Generic[Item, Info]):
    def __init__(
        self,
        client: Client,
        operation: Operation[Answer],
        split: Callable[[Answer], tuple[list[Item] | Unset, Info]],
        prefetch: int,
        /,
        **arguments: object,
    ) -> None:
        _check_ahead(prefetch)
        self._walk = _Walk(client, operation, split, arguments)
        self._prefetch = prefetch

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
        found = _load(walk, walk.start())
        yield Page(found)
        if self._prefetch and found.has_next:
            yield from self._fetched_ahead(found)
            return
        while found.has_next:
            found = _load(walk, found.next, found.pages_without_news)
            yield Page(found)

    def _fetched_ahead(self, found: _Found[Item, Info]) -> Iterator[Page[Item, Info]]:
        from concurrent.futures import ThreadPoolExecutor
        from contextvars import copy_context

        walk = found.walk
        asked: dict[int, Future[object]] = {}
        threads = ThreadPoolExecutor(self._prefetch, "pictify_client pages")
        try:
            while found.has_next:
                for position in found.following(self._prefetch):
                    if position not in asked:
                        asked[position] = threads.submit(copy_context().run, _ask, walk, position)
                found = _Found(walk, found.next, asked.pop(found.next).result(), found.pages_without_news)
                yield Page(found)
        finally:
            # What is sent already is left to end by itself.
            threads.shutdown(wait=False, cancel_futures=True)

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
        return _AsyncPages(self._walk.again(), self._prefetch)

    def __await__(self) -> Generator[Any, None, AsyncPage[Item, Info]]:
        return self._load_first().__await__()

    async def _load_first(self) -> AsyncPage[Item, Info]:
        walk = self._walk.again()
        return AsyncPage(await _aload(walk, walk.start()))


# Classes and no generators: a loop over a generator that is left by `break` leaves it to the garbage
# collector, of which trio warns.


class _AsyncPages(Generic[Item, Info]):
    def __init__(self, walk: _Walk[Item, Info], prefetch: int) -> None:
        self._walk = walk
        self._prefetch = prefetch
        self._found: _Found[Item, Info] | None = None
        self._asked: dict[int, Task[object]] = {}
        # A loop that is left drops this object, and with it what was asked for in advance.
        weakref.finalize(self, _cancel, self._asked)

    def __aiter__(self) -> AsyncIterator[AsyncPage[Item, Info]]:
        return self

    async def __anext__(self) -> AsyncPage[Item, Info]:
        before = self._found
        try:
            if before is None:
                found = await _aload(self._walk, self._walk.start())
            elif before.has_next:
                asked = self._asked.pop(before.next, None) or _aask(self._walk, before.next)
                found = _Found(self._walk, before.next, await asked, before.pages_without_news)
            else:
                raise StopAsyncIteration
        except BaseException:
            _cancel(self._asked)
            raise
        self._found = found
        self._ask_ahead(found)
        return AsyncPage(found)

    def _ask_ahead(self, found: _Found[Item, Info]) -> None:
        import asyncio

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            # In trio, no task outlives the block that it was started in.
            return
        for position in found.following(self._prefetch):
            if position not in self._asked:
                task = loop.create_task(_aask(self._walk, position))
                # An error is raised where its page is reached, if it is.
                task.add_done_callback(lambda done: done.cancelled() or done.exception())
                self._asked[position] = task


def _cancel(asked: dict[int, Task[object]]) -> None:
    while asked:
        asked.popitem()[1].cancel()


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


def _check_ahead(prefetch: object) -> None:
    if not isinstance(prefetch, int) or isinstance(prefetch, bool):
        raise TypeError(f"prefetch must be an integer, got {type(prefetch).__name__}")
    if not 0 <= prefetch <= _MOST_AHEAD:
        raise ValueError(f"prefetch must be from 0 to {_MOST_AHEAD}, got {prefetch!r}")


def _ask(walk: _Walk[Item, Info], position: int) -> object:
    return walk.client.perform(walk.operation, walk.asking_for(position)).result()


async def _aask(walk: _Walk[Item, Info], position: int) -> object:
    return (await walk.client.aperform(walk.operation, walk.asking_for(position))).result()


def _load(walk: _Walk[Item, Info], position: int, pages_without_news: int = 0) -> _Found[Item, Info]:
    return _Found(walk, position, _ask(walk, position), pages_without_news)


async def _aload(walk: _Walk[Item, Info], position: int, pages_without_news: int = 0) -> _Found[Item, Info]:
    return _Found(walk, position, await _aask(walk, position), pages_without_news)
