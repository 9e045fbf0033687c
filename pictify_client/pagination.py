"""Lists in pages: pagers, which iterate over all items, and the pages themselves."""

from __future__ import annotations

import json
import logging
import weakref
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Mapping
from contextvars import Context, copy_context
from copy import copy
from inspect import CORO_CREATED, getcoroutinestate
from itertools import chain, islice
from os import getpid
from queue import SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, NoReturn, TypeVar, cast

from ._lazy import Deferred
from .clock import Clock
from .decoding import Model
from .errors import PaginationError
from .operations import Operation, Request
from .types import Unset

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task
    from concurrent.futures import Future

    from . import client as clients
else:
    # A client imports most of the package.
    clients = Deferred(".client", __package__)

Parsed = TypeVar("Parsed")
Item = TypeVar("Item", bound=Model)
Info = TypeVar("Info", bound=Model)

# More than one: pages in the middle may be empty, and a list that grows by a page between two requests repeats one.
_MAX_EMPTY_PAGES = 5
_MAX_PREFETCH = 100
_logger = logging.getLogger("pictify_client")


class _PageCursor(Generic[Item, Info]):
    """An iteration over a list: the requests it makes, and the page on which each item was first seen.

    A list counts pages (`page`) or items (`offset`). It may shift between two requests, so an item
    belongs to the page on which it was first seen.
    """

    def __init__(
        self,
        client: clients.Client,
        operation: Operation[Parsed],
        split: Callable[[Parsed], tuple[list[Item] | Unset | None, Info]],
        arguments: Mapping[str, object],
    ) -> None:
        self.client = client
        self.operation: Operation[Any] = operation
        self.split: Callable[[Any], tuple[list[Item] | Unset | None, Info]] = split
        # Invalid arguments are reported by the call that passes them.
        self._first_request: Request = operation.request(arguments)
        self._arguments = arguments
        self.counts_items: bool = "offset" in arguments
        self._parameter: str = "offset" if self.counts_items else "page"
        self.start: int = self._integer(self._parameter) or (0 if self.counts_items else 1)
        self.limit: int | None = self._integer("limit")
        self.first_seen: dict[str, int] = {}

    def _integer(self, name: str) -> int | None:
        value = self._arguments.get(name)
        return value if isinstance(value, int) else None

    def restart(self) -> _PageCursor[Item, Info]:
        """Return a cursor for another iteration over the same list."""
        cursor = copy(self)
        cursor.first_seen = {}
        return cursor

    def name(self, position: int) -> str:
        """Return a position as a caller passes it."""
        return f"{self._parameter}={position}"

    def fetch(self, position: int) -> object:
        """Request the page at a position."""
        return self.client.perform(self.operation, self._request(position)).result()

    async def afetch(self, position: int) -> object:
        """Request the page at a position."""
        return (await self.client.aperform(self.operation, self._request(position))).result()

    def _request(self, position: int) -> Request:
        if position == self.start:
            return self._first_request
        return self.operation.request({**self._arguments, self._parameter: position})

    def deduplicate(self, position: int, items: list[Item]) -> list[Item]:
        """Return the items of a page without those of earlier pages."""
        new: list[Item] = []
        on_this_page: set[str] = set()
        for item in items:
            uid = getattr(item, "uid", None) or getattr(item, "id", None)
            # An item without an id is compared by its content.
            key = uid if isinstance(uid, str) else _content(item)
            if self.first_seen.setdefault(key, position) == position and key not in on_this_page:
                new.append(item)
            if key is uid:
                on_this_page.add(key)
        return new


def _content(item: Model) -> str:
    try:
        return json.dumps(item.to_dict(), sort_keys=True, default=str)
    except RecursionError:
        raise PaginationError("an item without an id is nested too deeply to be compared with others") from None


class _Progress(NamedTuple):
    """How far an iteration has come.

    Attributes:
        received: Number of items received, with duplicates.
        unique: Number of items received, without duplicates.
        largest: Number of items on the largest page.
        empty_pages: Number of the last pages in a row that had no new item.
    """

    received: int = 0
    unique: int = 0
    largest: int = 0
    empty_pages: int = 0


class _PageResult(Generic[Item, Info]):
    """A page that was received, and whether and where the list continues."""

    def __init__(
        self, cursor: _PageCursor[Item, Info], response: object, previous: _PageResult[Item, Info] | None = None
    ) -> None:
        items, info = cursor.split(response)
        if not isinstance(items, list):
            if not info.to_dict():
                raise PaginationError(
                    f"{cursor.operation}: the response from {cursor.client.base_url} has neither a list nor "
                    "pagination; is that the base URL of the Pictify API?"
                )
            items = []
        self.cursor = cursor
        self.position: int = cursor.start if previous is None else previous.next_position
        self.pagination = info
        self.items: list[Item] = cursor.deduplicate(self.position, items)
        self._count = len(items)
        before = _Progress() if previous is None else previous.progress
        self.progress: _Progress = _Progress(
            before.received + self._count,
            before.unique + len(self.items),
            max(before.largest, self._count),
            0 if self.items else before.empty_pages + 1,
        )
        self._total = self._number("total")
        self._total_pages = None if cursor.counts_items else self._number("total_pages")
        self._limit = self._number("limit") or None
        self.has_next: bool = self._decide()

    def _number(self, name: str) -> int | None:
        number = getattr(self.pagination, name, None)
        return number if isinstance(number, int) and number >= 0 else None

    @property
    def is_redundant(self) -> bool:
        """Whether the page has no items and is not the only one, so that there is no use in returning it."""
        return not self.items and (self.has_next or self.progress.unique > 0)

    @property
    def next_position(self) -> int:
        """Where the next page begins."""
        if not self.cursor.counts_items:
            return self.position + 1
        return self.position + (self._count or self._limit or self.progress.largest or self.cursor.limit or 1)

    def following(self, most: int) -> Iterator[int]:
        """Return where the next pages begin, as far as it is known that they exist."""
        if not self.has_next:
            return iter(())
        size = self._limit or self.cursor.limit or self.progress.largest or 1
        if self.cursor.counts_items:
            further = range(self.next_position + size, self._total or 0, size)
        else:
            last = self._total_pages or -(-(self._total or 0) // size)
            further = range(self.next_position + 1, last + 1)
        return islice(chain([self.next_position], further), most)

    def _decide(self) -> bool:
        """Return whether another page follows.

        The fields of the pagination may contradict each other. One sign that more follows is enough, so that no item
        is lost; in return, the number of pages in a row without a new item is limited.
        """
        flags = [getattr(self.pagination, name, None) for name in ("has_next", "has_more")]
        by_page = self._follows_by_pages()
        by_total = self._follows_by_total()
        signs = [*flags, by_page, by_total]
        if True not in signs:
            # Without any sign, only the next page can tell.
            return False not in signs and bool(self.items)
        if self.progress.empty_pages < _MAX_EMPTY_PAGES:
            return True
        if by_total is False:
            # All items that exist were received.
            return False
        where = f"{self.cursor.operation}: the last {_MAX_EMPTY_PAGES} pages, up to {self.cursor.name(self.position)},"
        if self._count or True in (*flags, by_page):
            raise PaginationError(
                f"{where} have no new items, but the API says that more pages follow; stopped, because this might "
                f"never end. To continue, pass {self.cursor.name(self.next_position)}"
            )
        _logger.warning("%s are empty; the list ends after %d of %d items", where, self.progress.unique, self._total)
        return False

    def _follows_by_pages(self) -> bool | None:
        if self._total_pages is None or (self._count and self._total_pages < self.position):
            return None
        return self.position < self._total_pages

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
        start = self.cursor.start
        if self.cursor.counts_items:
            return start, start
        pages = start - 1
        if self._limit and self._count == min(max(total - (self.position - 1) * self._limit, 0), self._limit):
            # The page is as large as its limit and the total say, so they can be trusted.
            return pages * self._limit, pages * self._limit
        sizes = self.progress.largest, self._limit or self.cursor.limit or total
        return pages * min(sizes), pages * max(sizes)


class _Page(Generic[Item, Info]):
    items: list[Item]
    pagination: Info
    has_next: bool

    def __init__(self, result: _PageResult[Item, Info]) -> None:
        self._result = result
        self.items = result.items
        self.pagination = result.pagination
        self.has_next = result.has_next

    def __repr__(self) -> str:
        result = self._result
        return f"<{type(self).__name__} {result.position} of {result.cursor.operation}: {len(self.items)} items>"

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
        pagination: What the API says about the page and the list.
        has_next: Whether more pages follow; if the API does not say, whether more may follow.
    """

    def next_page(self) -> Page[Item, Info] | None:
        """Return the next page that has items, or None if there is none.

        Raises:
            PictifyError: If a request fails, or the API repeats itself.
        """
        result = self._result
        while result.has_next:
            result = _PageResult(result.cursor, result.cursor.fetch(result.next_position), result)
            if result.items:
                return Page(result)
        return None


class AsyncPage(_Page[Item, Info]):
    """One page of a list, for async code. Iterating over it with `for` yields its items; `len()` is their number.

    Attributes:
        items: The items, without those that an earlier page had.
        pagination: What the API says about the page and the list.
        has_next: Whether more pages follow; if the API does not say, whether more may follow.
    """

    async def next_page(self) -> AsyncPage[Item, Info] | None:
        """Return the next page that has items, or None if there is none.

        Raises:
            PictifyError: If a request fails, or the API repeats itself.
        """
        result = self._result
        while result.has_next:
            result = _PageResult(result.cursor, await result.cursor.afetch(result.next_position), result)
            if result.items:
                return AsyncPage(result)
        return None


class _Pager(Generic[Item, Info]):
    def __init__(
        self,
        client: clients.Client,
        operation: Operation[Parsed],
        split: Callable[[Parsed], tuple[list[Item] | Unset | None, Info]],
        prefetch: int,
        /,
        **arguments: object,
    ) -> None:
        _check_prefetch(prefetch)
        self._cursor = _PageCursor(client, operation, split, arguments)
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
            self._first = Page(_PageResult(cursor, cursor.fetch(cursor.start)))
        return self._first

    def pages(self) -> Iterator[Page[Item, Info]]:
        """Iterate over the pages that have items. An empty list has one page."""
        cursor = self._cursor.restart()
        result = _PageResult(cursor, cursor.fetch(cursor.start))
        # By process, because threads do not survive a fork.
        threads = defaultdict[int, _PageThreads[Item, Info]](lambda: _PageThreads(cursor, self._prefetch))
        try:
            while True:
                if not result.is_redundant:
                    yield Page(result)
                if not result.has_next:
                    return
                threads[getpid()].start(result.following(self._prefetch))
                result = _PageResult(cursor, threads[getpid()].fetch(result.next_position), result)
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
            self._first = AsyncPage(_PageResult(cursor, await cursor.afetch(cursor.start)))
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


class _StoppedError(Exception):
    """The iteration for which a page was prefetched has ended."""


class _StoppableClock(Clock):
    """The clock of a client, whose sleep ends with an iteration, so that no request is retried in vain."""

    def __init__(self, clock: Clock, stopped: Event) -> None:
        self._clock = clock
        self._stopped = stopped

    def time(self) -> float:
        return self._clock.time()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def jitter(self) -> float:
        return self._clock.jitter()

    def sleep(self, seconds: float) -> None:
        if type(self._clock) is Clock:
            self._stopped.wait(seconds)
        else:
            # A custom clock may not wait in real time.
            self._clock.sleep(seconds)
        if self._stopped.is_set():
            raise _StoppedError


class _PageThreads(Generic[Item, Info]):
    """Prefetches pages in threads.

    They are daemon threads, because those of an executor are joined when the interpreter exits, which would then
    wait for pages that nobody needs.
    """

    def __init__(self, cursor: _PageCursor[Item, Info], prefetch: int) -> None:
        self._stopped = Event()
        self._cursor = cursor
        if prefetch:
            self._cursor = copy(cursor)
            self._cursor.client = cursor.client.with_options()
            self._cursor.client.clock = _StoppableClock(cursor.client.clock, self._stopped)
        self._futures: dict[int, Future[object]] = {}
        self._queue: SimpleQueue[tuple[Context, int, Future[object]] | None] = SimpleQueue()
        self._count = 0

    def start(self, positions: Iterator[int]) -> None:
        """Start to fetch pages, except those that are being fetched already."""
        from concurrent.futures import Future

        for position in positions:
            if position in self._futures:
                continue
            if self._count <= len(self._futures) and not self._start_thread():
                return
            self._futures[position] = future = Future[object]()
            self._queue.put((copy_context(), position, future))

    def _start_thread(self) -> bool:
        try:
            Thread(target=self._run, name="pictify_client pages", daemon=True).start()
        except RuntimeError:
            # No thread can be started at a limit of the system, or when the interpreter exits.
            return False
        self._count += 1
        return True

    def _run(self) -> None:
        while (page := self._queue.get()) is not None and not self._stopped.is_set():
            context, position, future = page
            try:
                future.set_result(context.run(self._cursor.fetch, position))
            except BaseException as error:  # noqa: BLE001 (it is raised when the page is reached)
                future.set_exception(error)
        # For the next thread.
        self._queue.put(None)

    def fetch(self, position: int) -> object:
        """Return the response for a page, which is requested now if it was not prefetched."""
        future = self._futures.pop(position, None)
        return self._cursor.fetch(position) if future is None else future.result()

    def stop(self) -> None:
        """Send no more requests. Those that have been sent are left to end by themselves."""
        self._stopped.set()
        self._queue.put(None)


# Classes and not generators: a loop that is left with `break` leaves an async generator to the garbage collector,
# about which trio warns.


class _AsyncPages(Generic[Item, Info]):
    def __init__(self, cursor: _PageCursor[Item, Info], prefetch: int) -> None:
        self._cursor = cursor
        self._prefetch = prefetch
        self._result: _PageResult[Item, Info] | None = None
        # By event loop too, because a task can only be awaited in its own.
        self._tasks: dict[tuple[AbstractEventLoop | None, int], Task[object]] = {}
        # A loop that is left drops this object, and the pages that it prefetches are no longer needed.
        weakref.finalize(self, _cancel, self._tasks)

    def __aiter__(self) -> AsyncIterator[AsyncPage[Item, Info]]:
        return self

    async def __anext__(self) -> AsyncPage[Item, Info]:
        cursor, result = self._cursor, self._result
        try:
            while result is None or result.has_next:
                position = cursor.start if result is None else result.next_position
                self._result = result = _PageResult(cursor, await self._fetch(position), result)
                self._start(result.following(self._prefetch))
                if not result.is_redundant:
                    return AsyncPage(result)
        except BaseException:
            _cancel(self._tasks)
            raise
        raise StopAsyncIteration

    def _start(self, positions: Iterator[int]) -> None:
        """Start to fetch pages, except those that are being fetched already."""
        loop = _running_loop()
        if loop is None:
            # With trio, a task cannot outlive the block in which it was started.
            return
        for position in positions:
            if (loop, position) not in self._tasks:
                task = loop.create_task(_prefetch(self._cursor, position, loop))
                # An error is raised when the page is reached, if it is.
                task.add_done_callback(lambda done: done.cancelled() or done.exception())
                # A task that nobody needs may be left unfinished by a loop that is closed.
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001
                self._tasks[loop, position] = task

    async def _fetch(self, position: int) -> object:
        task = self._tasks.pop((_running_loop(), position), None)
        return await (self._cursor.afetch(position) if task is None else task)

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


async def _prefetch(cursor: _PageCursor[Item, Info], position: int, loop: AbstractEventLoop) -> object:
    try:
        return await cursor.afetch(position)
    except RuntimeError:
        # Cleaning up fails without a running loop when a task is collected that a closed loop left unfinished.
        if loop.is_closed():
            return None
        raise


def _cancel(tasks: dict[tuple[AbstractEventLoop | None, int], Task[object]]) -> None:
    """Cancel tasks, in whatever thread this is called, and even if their loop is closed."""
    here = _running_loop()
    while tasks:
        _, task = tasks.popitem()
        loop = task.get_loop()
        try:
            if loop is here:
                # At once, so that a task that has not started sends nothing.
                task.cancel()
            else:
                loop.call_soon_threadsafe(task.cancel)
        except RuntimeError:
            # The loop is closed, perhaps before it came to the task.
            coroutine = cast("Coroutine[Any, Any, object]", task.get_coro())
            if getcoroutinestate(coroutine) == CORO_CREATED:
                coroutine.close()


def _running_loop() -> AbstractEventLoop | None:
    from asyncio import get_running_loop

    try:
        return get_running_loop()
    except RuntimeError:
        return None


def _check_prefetch(prefetch: object) -> None:
    if not isinstance(prefetch, int) or isinstance(prefetch, bool):
        raise TypeError(f"prefetch must be an integer, got {type(prefetch).__name__}")
    if not 0 <= prefetch <= _MAX_PREFETCH:
        raise ValueError(f"prefetch must be from 0 to {_MAX_PREFETCH}, got {prefetch!r}")
