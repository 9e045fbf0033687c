"""Lists in pages: pagers, which iterate over all items, and the pages themselves."""

from __future__ import annotations

import weakref
from collections import defaultdict
from collections.abc import AsyncIterator, Generator, Iterator
from os import getpid
from typing import TYPE_CHECKING, Any, Generic, NoReturn

from ._runtime.lazy import Deferred
from ._runtime.operations import Operation
from ._runtime.page_cursor import Info, Item, PageCursor, Parsed, Split
from ._runtime.pages import LinkedPage, PageResult, read_page
from ._runtime.prefetch import PageTasks, PageThreads, check_prefetch

if TYPE_CHECKING:
    from . import low_level as clients
else:
    # A client imports most of the package.
    clients = Deferred(".low_level", __package__)


class _Page(Generic[Item, Info]):
    items: list[Item]
    pagination: Info
    has_next: bool

    def __init__(self, result: PageResult[Item, Info]) -> None:
        self._result = result
        self.items = result.items
        self.pagination = result.pagination
        self.has_next = result.has_next

    def __repr__(self) -> str:
        result = self._result
        return f"<{type(self).__name__} {result.label} of {result.cursor.operation}: {len(self.items)} items>"

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    # Hidden from type checkers, so that they reject it too.
    if not TYPE_CHECKING:  # pragma: no branch

        def __aiter__(self) -> NoReturn:
            raise TypeError(
                f"use `for item in page` for the items of this {type(self).__name__}, and without `await` "
                "`async for item in pager` for those of all pages"
            )


class Page(_Page[Item, Info]):
    """One page of a list. Iterating over it yields its items; `len()` is their number.

    Attributes:
        items: The items, without those that an earlier page had.
        pagination: The API's information about the page and the list.
        has_next: Whether more pages follow; if the API does not say, whether more may follow.
    """

    def next_page(self) -> Page[Item, Info] | None:
        """Return the next page that has items, or None if there is none.

        Raises:
            PictifyError: If a request fails, or the API repeats itself.
        """
        result = self._result
        while result.has_next:
            result = read_page(result.cursor, result.cursor.fetch(result.next_position), result)
            if result.items:
                return Page(result)
        return None


class AsyncPage(_Page[Item, Info]):
    """One page of a list, for async code. Iterating over it with `for` yields its items; `len()` is their number.

    Attributes:
        items: The items, without those that an earlier page had.
        pagination: The API's information about the page and the list.
        has_next: Whether more pages follow; if the API does not say, whether more may follow.
    """

    async def next_page(self) -> AsyncPage[Item, Info] | None:
        """Return the next page that has items, or None if there is none.

        Raises:
            PictifyError: If a request fails, or the API repeats itself.
        """
        result = self._result
        while result.has_next:
            result = read_page(result.cursor, await result.cursor.afetch(result.next_position), result)
            if result.items:
                return AsyncPage(result)
        return None


class _Pager(Generic[Item, Info]):
    def __init__(
        self,
        client: clients.Client,
        operation: Operation[Parsed],
        split: Split[Parsed, Item, Info],
        prefetch: int,
        /,
        **arguments: object,
    ) -> None:
        check_prefetch(prefetch)
        self._cursor = PageCursor(client, operation, split, arguments)
        self._prefetch = prefetch

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._cursor.operation}>"


class Pager(_Pager[Item, Info]):
    """A list in pages. Requests are sent when it is used, and each iteration starts again.

    - `for item in pager` iterates over the items of all pages;
    - `for page in pager.pages()` iterates over the pages;
    - `pager.first_page()` returns the first page.

    No item is yielded twice in an iteration, even if the list shifts meanwhile.
    """

    _first: Page[Item, Info] | None = None

    def __iter__(self) -> Iterator[Item]:
        for page in self.pages():
            yield from page.items

    def first_page(self) -> Page[Item, Info]:
        """Return the first page. It is requested once and then kept.

        Raises:
            PictifyError: If the request fails.
        """
        if self._first is None:
            cursor = self._cursor.restart()
            self._first = Page(read_page(cursor, cursor.fetch()))
        return self._first

    def pages(self) -> Iterator[Page[Item, Info]]:
        """Iterate over the pages that have items. An empty list has one page."""
        cursor = self._cursor.restart()
        result = read_page(cursor, cursor.fetch())
        # By process, because threads do not survive a fork.
        threads = defaultdict[int, PageThreads[Item, Info]](lambda: PageThreads(cursor, self._prefetch))
        try:
            while True:
                if isinstance(result, LinkedPage):
                    # Of a list by cursor only one page can be prefetched: while this one is used.
                    threads[getpid()].start(result.following(self._prefetch))
                if not result.is_redundant:
                    yield Page(result)
                if not result.has_next:
                    return
                threads[getpid()].start(result.following(self._prefetch))
                result = read_page(cursor, threads[getpid()].fetch(result.next_position), result)
        finally:
            threads[getpid()].stop()

    if not TYPE_CHECKING:  # pragma: no branch

        def __bool__(self) -> NoReturn:
            raise TypeError("a Pager has no truth value: use `if pager.first_page():` or `if list(pager):`")

        def __len__(self) -> NoReturn:
            raise TypeError(
                "a Pager has no length: use `len(list(pager))`, or the `pagination.total` of `pager.first_page()`"
            )

        def __aiter__(self) -> NoReturn:
            raise TypeError("use `for item in pager`: a Pager is not async, an AsyncPager of AsyncPictify is")


class AsyncPager(_Pager[Item, Info]):
    """A list in pages, for async code. Requests are sent when it is used, and each iteration starts again.

    - `async for item in pager` iterates over the items of all pages;
    - `async for page in pager.pages()` iterates over the pages;
    - `await pager`, or `await pager.first_page()`, returns the first page.

    No item is yielded twice in an iteration, even if the list shifts meanwhile.
    """

    _first: AsyncPage[Item, Info] | None = None

    def __aiter__(self) -> AsyncIterator[Item]:
        return _AsyncItems(self.pages())

    def __await__(self) -> Generator[Any, None, AsyncPage[Item, Info]]:
        return self.first_page().__await__()

    async def first_page(self) -> AsyncPage[Item, Info]:
        """Return the first page. It is requested once and then kept.

        Raises:
            PictifyError: If the request fails.
        """
        if self._first is None:
            cursor = self._cursor.restart()
            self._first = AsyncPage(read_page(cursor, await cursor.afetch()))
        return self._first

    def pages(self) -> AsyncIterator[AsyncPage[Item, Info]]:
        """Iterate over the pages that have items. An empty list has one page."""
        return _AsyncPages(self._cursor.restart(), self._prefetch)

    if not TYPE_CHECKING:  # pragma: no branch

        def __bool__(self) -> NoReturn:
            raise TypeError(
                "an AsyncPager has no truth value: use `if await pager:` or `if [item async for item in pager]:`"
            )

        def __len__(self) -> NoReturn:
            raise TypeError(
                "an AsyncPager has no length: use `len([item async for item in pager])`, "
                "or the `pagination.total` of `await pager`"
            )

        def __iter__(self) -> NoReturn:
            raise TypeError("use `async for item in pager`: an AsyncPager cannot be iterated over with `for`")


# Classes and not generators: a loop that is left with `break` leaves an async generator to the garbage collector,
# about which trio warns.


class _AsyncPages(Generic[Item, Info]):
    def __init__(self, cursor: PageCursor[Item, Info], prefetch: int) -> None:
        self._cursor = cursor
        self._prefetch = prefetch
        self._result: PageResult[Item, Info] | None = None
        self._tasks = PageTasks(cursor)
        # A loop that is left drops this object, and the pages that it prefetches are no longer needed.
        weakref.finalize(self, self._tasks.cancel)

    def __aiter__(self) -> AsyncIterator[AsyncPage[Item, Info]]:
        return self

    async def __anext__(self) -> AsyncPage[Item, Info]:
        result = self._result
        try:
            while result is None or result.has_next:
                response = await (self._cursor.afetch() if result is None else self._tasks.fetch(result.next_position))
                self._result = result = read_page(self._cursor, response, result)
                self._tasks.start(result.following(self._prefetch))
                if not result.is_redundant:
                    return AsyncPage(result)
        except BaseException:
            self._tasks.cancel()
            raise
        raise StopAsyncIteration

    if not TYPE_CHECKING:  # pragma: no branch

        def __iter__(self) -> NoReturn:
            raise TypeError("use `async for page in pager.pages()`: the pages of an AsyncPager need `async for`")


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
