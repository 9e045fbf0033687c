"""The right to have a connection: as many as a client may have at a time."""

from __future__ import annotations

import itertools
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from weakref import ref

import anyio

from .loops import EventLoop

MAX_CONNECTIONS = 100
"""Connections of a client at a time; a call that finds all of them in use waits for its pool timeout."""


def all_busy() -> str:
    """Return the text of the error if no connection became free in time."""
    return f"all {MAX_CONNECTIONS} connections are in use; a file that is neither read nor closed holds one"


class Slot:
    """The right to have a connection; free again as soon as nothing holds it, however its call ended."""

    def __init__(self, free: SyncSlots | AsyncSlots) -> None:
        self._free = ref(free)

    def __del__(self) -> None:
        free = self._free()
        if free is not None:
            free.put(Slot(free))


class SyncSlots(SimpleQueue["Slot | None"]):
    """The slots of all threads."""

    def __init__(self) -> None:
        super().__init__()
        self._count = itertools.count()

    def take(self, timeout: float | None) -> Slot | None:
        """Take one, if necessary once it is free; None if the pool is closed.

        Raises:
            Empty: If none is free in time.
        """
        with suppress(Empty):
            return self.get_nowait()
        return Slot(self) if next(self._count) < MAX_CONNECTIONS else self.get(timeout=timeout)


class AsyncSlots:
    """The slots of an event loop; a slot that is freed goes to the task that has waited longest."""

    def __init__(self, loop: EventLoop) -> None:
        self._loop = loop
        self._free: deque[Slot | None] = deque()
        self._waiting: deque[tuple[anyio.Event, list[Slot | None]]] = deque()
        self._count = itertools.count()

    def put(self, slot: Slot | None) -> None:
        """Free a slot, in any thread; None ends a wait."""
        try:
            event, given = self._waiting.popleft()
        except IndexError:
            self._free.append(slot)
            return
        given.append(slot)
        self._loop.call_soon(event.set)

    def close(self) -> None:
        """End all waits."""
        for _ in range(len(self._waiting)):
            self.put(None)

    async def take(self, timeout: float | None) -> Slot | None:  # noqa: ASYNC109 (it is httpx's pool timeout)
        """Take one, if necessary once it is free; None if the pool is closed.

        Raises:
            TimeoutError: If none is free in time.
        """
        with suppress(IndexError):
            return self._free.pop()
        if next(self._count) < MAX_CONNECTIONS:
            return Slot(self)
        event, given = waiting = anyio.Event(), list[Slot | None]()
        self._waiting.append(waiting)
        # One may have been freed in another thread, before that knew who waits.
        with suppress(IndexError):
            self.put(self._free.pop())
        try:
            with anyio.fail_after(timeout):
                await event.wait()
        except BaseException:
            with suppress(ValueError):
                self._waiting.remove(waiting)
            raise
        return given.pop()
