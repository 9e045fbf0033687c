"""Pages that are fetched before they are needed: in threads, or in tasks of asyncio."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from contextvars import Context, copy_context
from copy import copy
from inspect import CORO_CREATED, getcoroutinestate
from queue import SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Generic, cast

from .clock import Clock
from .loops import asyncio_loop
from .page_cursor import Info, Item, PageCursor, Position

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task
    from concurrent.futures import Future

_MAX_PREFETCH = 100


def check_prefetch(prefetch: object) -> None:
    """Check how many pages are to be prefetched.

    Raises:
        TypeError, ValueError: If it is not a number of pages, or is too large.
    """
    if not isinstance(prefetch, int) or isinstance(prefetch, bool):
        raise TypeError(f"prefetch must be an integer, got {type(prefetch).__name__}")
    if not 0 <= prefetch <= _MAX_PREFETCH:
        raise ValueError(f"prefetch must be from 0 to {_MAX_PREFETCH}, got {prefetch!r}")


class _StoppedError(Exception):
    """The iteration for which a page was prefetched has ended."""


class _StoppableClock(Clock):
    """The clock of a client, whose sleep ends with an iteration, so that no request is retried in vain."""

    def __init__(self, clock: Clock, stopped: Event) -> None:
        self._clock = clock
        self._stopped = stopped
        self.heartbeat_interval = clock.heartbeat_interval

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


class PageThreads(Generic[Item, Info]):
    """Prefetches pages in threads.

    They are daemon threads, because those of an executor are joined when the interpreter exits, which would then
    wait for pages that nobody needs.
    """

    def __init__(self, cursor: PageCursor[Item, Info], prefetch: int) -> None:
        self._stopped = Event()
        self._cursor = cursor
        if prefetch:
            self._cursor = copy(cursor)
            self._cursor.client = cursor.client.with_options()
            self._cursor.client.clock = _StoppableClock(cursor.client.clock, self._stopped)
        self._futures: dict[Position, Future[object]] = {}
        self._queue: SimpleQueue[tuple[Context, Position, Future[object]] | None] = SimpleQueue()
        self._count = 0

    def start(self, positions: Iterator[Position]) -> None:
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

    def fetch(self, position: Position) -> object:
        """Return the response for a page, which is requested now if it was not prefetched."""
        future = self._futures.pop(position, None)
        return self._cursor.fetch(position) if future is None else future.result()

    def stop(self) -> None:
        """Send no more requests. Those that have been sent are left to end by themselves."""
        self._stopped.set()
        self._queue.put(None)


class PageTasks(Generic[Item, Info]):
    """Prefetches pages in tasks of asyncio.

    With trio it does not, because a task of trio cannot outlive the block in which it was started.
    """

    def __init__(self, cursor: PageCursor[Item, Info]) -> None:
        self._cursor = cursor
        # By event loop too, because a task can only be awaited in its own.
        self._tasks: dict[tuple[AbstractEventLoop | None, Position], Task[object]] = {}

    def start(self, positions: Iterator[Position]) -> None:
        """Start to fetch pages, except those that are being fetched already."""
        loop = asyncio_loop()
        if loop is None:
            return
        for position in positions:
            if (loop, position) not in self._tasks:
                task = loop.create_task(_fetch(self._cursor, position, loop))
                # An error is raised when the page is reached, if it is.
                task.add_done_callback(lambda done: done.cancelled() or done.exception())
                # A task that nobody needs may be left unfinished by a loop that is closed.
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001
                self._tasks[loop, position] = task

    async def fetch(self, position: Position) -> object:
        """Return the response for a page, which is requested now if it was not prefetched."""
        task = self._tasks.pop((asyncio_loop(), position), None)
        return await (self._cursor.afetch(position) if task is None else task)

    def cancel(self) -> None:
        """Cancel all tasks, in whatever thread this is called, and even if their loop is closed."""
        here = asyncio_loop()
        while self._tasks:
            _, task = self._tasks.popitem()
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


async def _fetch(cursor: PageCursor[Item, Info], position: Position, loop: AbstractEventLoop) -> object:
    try:
        return await cursor.afetch(position)
    except RuntimeError:
        # Cleaning up fails without a running loop when a task is collected that a closed loop left unfinished.
        if loop.is_closed():
            return None
        raise
