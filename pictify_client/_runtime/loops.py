"""Event loops, of asyncio and of trio, as the garbage collector and other threads reach them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import ref

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task

# A loop keeps only weak references to its tasks.
_tasks: set[Task[None]] = set()


def asyncio_loop() -> AbstractEventLoop | None:
    """The event loop of asyncio that runs in this thread, or None."""
    # Sync programs need not import asyncio, which takes as long as a third of this package.
    events: Any = sys.modules.get("asyncio.events")
    try:
        loop: AbstractEventLoop = events.get_running_loop()
    except (AttributeError, RuntimeError):
        return None
    return loop


def running_loop() -> Any:
    """The event loop of asyncio that runs in this thread, or the token of the run of trio; None if there is neither."""
    trio = sys.modules.get("trio")
    try:
        return asyncio_loop() or (trio and trio.lowlevel.current_trio_token())
    except RuntimeError:
        return None


class EventLoop:
    """An event loop, without keeping it alive.

    Args:
        handle: The result of `running_loop`.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = ref(handle)
        self.is_asyncio: bool = hasattr(handle, "call_soon_threadsafe")

    @property
    def is_over(self) -> bool:
        """Whether nothing runs in it any more."""
        handle: Any = self._handle()
        if handle is None or self.is_asyncio:
            return handle is None or handle.is_closed()
        return not self.call_soon(int)

    def call_soon(self, call: Callable[[], object]) -> bool:
        """Call a function in it, from any thread: at once if that is possible; returns False if it is over."""
        handle: Any = self._handle()
        if handle is None:
            return False
        try:
            if not self.is_asyncio:
                handle.run_sync_soon(call)
            elif running_loop() is handle:
                call()
            else:
                handle.call_soon_threadsafe(call)
        except Exception:  # noqa: BLE001 (a loop that is closed; trio has an error of its own for that)
            return False
        return True

    def start(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Start a task in it that nobody waits for, from any thread."""
        self.call_soon(lambda: (_start_asyncio if self.is_asyncio else _start_trio)(run))


def _start_asyncio(run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    from asyncio import ensure_future

    task = ensure_future(run())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def _start_trio(run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    import trio

    # At its end, a run still makes such calls, but takes no more tasks.
    with suppress(RuntimeError):
        trio.lowlevel.spawn_system_task(run)
