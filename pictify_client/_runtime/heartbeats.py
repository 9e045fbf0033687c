"""Calls of a hook while a request waits for its response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from inspect import isawaitable
from math import inf
from time import monotonic
from typing import TypeVar

import anyio

T = TypeVar("T")


class Heartbeat:
    """Calls a hook each `interval` seconds from now on, with the number of seconds since then."""

    def __init__(self, interval: float, hook: Callable[[float], object]) -> None:
        self._interval = interval
        self._hook = hook
        self._start = monotonic()
        self._due = self._start + interval

    def left(self) -> float:
        """Seconds until the next call is due."""
        return max(self._due - monotonic(), 0.0)

    def beat(self) -> object:
        """Call the hook."""
        now = monotonic()
        self._due = now + self._interval
        return self._hook(now - self._start)


HEARTBEAT: ContextVar[Heartbeat | None] = ContextVar("pictify_client_heartbeat", default=None)
"""The heartbeat of the sync call that runs."""


def wait_with_heartbeat(wait: Callable[[float | None], T], timeout: float | None, late: type[Exception]) -> T:
    """Wait up to `timeout` seconds, and call the hook of the current call whenever it is due.

    Args:
        wait: Waits up to a number of seconds; it raises `late` if they pass, and can then be called again.
        timeout: Seconds; None does not limit them.
        late: The exception of `wait`.
    """
    heartbeat = HEARTBEAT.get()
    if heartbeat is None:
        return wait(timeout)
    end = inf if timeout is None else monotonic() + timeout
    while True:
        left = end - monotonic()
        if heartbeat.left() > left:
            return wait(left)
        try:
            # Some systems take 0 for a request not to wait.
            return wait(max(heartbeat.left(), 0.001))
        except late:
            heartbeat.beat()


async def await_with_heartbeat(heartbeat: Heartbeat | None, send: Callable[[], Awaitable[T]]) -> T:
    """Await `send`, and call a hook whenever it is due; the hook may be a coroutine function."""
    if heartbeat is None:
        return await send()

    async def beat() -> None:
        while True:
            await anyio.sleep(heartbeat.left())
            returned = heartbeat.beat()
            if isawaitable(returned):
                await returned

    results: list[T] = []
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(beat)
            results.append(await send())
            tasks.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        # The first is the cause: the task group has cancelled the other task.
        raise group.exceptions[0] from None
    return results[0]
