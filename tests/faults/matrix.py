"""Every kind of call under every fault, sync and async, single and concurrent, and its outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import chain
from multiprocessing import get_context
from threading import Event, Lock
from time import monotonic
from typing import Any, NamedTuple

import anyio
import trio

from pictify_client import AuthenticatedClient, PictifyError
from pictify_client._runtime.clock import Clock
from pictify_client.api.bindings import delete_binding, get_binding, update_binding
from pictify_client.api.images import create_image
from pictify_client.api.videos import render_video

from .faults import FAULTS, Fault, Place
from .server import FaultServer, quiet_environment, server_loop

METHODS = ("GET", "PUT", "DELETE", "POST", "POST video")
CONCURRENT_CALLS = 50
TOLERANCE = 5.0
"""Seconds that a call may take beyond its budget, as a busy machine stalls for seconds.

A call without a working time limit takes longer still: until the server gives up, after twice the tolerance.
"""

_LONG_ATTEMPT = 10.0
_LONG_BUDGET = 20.0
_PROCESSES = 2
# Concurrent cells per process: those of slow faults mostly wait, concurrent calls need more CPU, other cells only CPU.
_SLOW_AT_ONCE = 16
_CONCURRENT_AT_ONCE = 3
_FAST_AT_ONCE = 1
# Maximum wait for the last of the concurrent calls, in case that one is not retried.
_MAX_WAIT = 10.0
# Imported here, because concurrent first imports in several threads may fail.
_RUN: dict[str, Callable[..., Any]] = {"asyncio": anyio.run, "trio": trio.run}
_MODULES: dict[str, Any] = {
    "GET": get_binding,
    "PUT": update_binding,
    "DELETE": delete_binding,
    "POST": create_image,
    "POST video": render_video,
}


def client_options(attempt: float, budget: float) -> dict[str, Any]:
    """The client's options with these timeouts per attempt and per call, in seconds."""
    return {"timeout": budget, "attempt_timeout": attempt, "max_retries": 2, "max_wait": 60.0}


class Cell(NamedTuple):
    """A cell of the matrix.

    Attributes:
        fault: The fault.
        methods: The kinds of call, in turn.
        form: `sync`, `asyncio` or `trio`.
        calls: Number of concurrent calls of one client.
        once: Whether the fault is over after the first attempt.
    """

    fault: Fault
    methods: tuple[str, ...]
    form: str
    calls: int
    once: bool

    @property
    def attempt(self) -> float:
        """Timeout of an attempt in seconds; short only if no valid response has to arrive in time."""
        if not self.fault.slow:
            return _LONG_ATTEMPT
        if not self.once:
            return 0.3
        return 2.5 if self.calls == 1 else 5.0

    @property
    def budget(self) -> float:
        """Timeout of a call in seconds; too short for all attempts under a permanent slow fault."""
        if not self.fault.slow:
            return _LONG_BUDGET
        return 16.0 if self.once else 0.7


class Outcome(NamedTuple):
    """The outcome of a call.

    Attributes:
        cell: The cell that it belongs to.
        method: The kind of call.
        error: The type of the error that it raised, if any; the error itself would keep other objects alive.
        message: The error message.
        seconds: Duration.
        seen: How often the complete request arrived.
        repeated: How often it arrived again after it may have been processed.
        after_recovery: Whether it was made after the server had recovered from a permanent fault.
    """

    cell: Cell
    method: str
    error: type[BaseException] | None
    message: str
    seconds: float
    seen: int
    repeated: int
    after_recovery: bool

    @property
    def is_unexpected(self) -> bool:
        """Whether it raised anything but a `PictifyError`."""
        return self.error is not None and not issubclass(self.error, PictifyError)

    @property
    def is_hung(self) -> bool:
        """Whether it exceeded its timeout."""
        return self.seconds > self.cell.budget + TOLERANCE

    @property
    def is_lost(self) -> bool:
        """Whether it failed although a retry would have succeeded."""
        return self.error is not None and self.cell.once and self.cell.fault.is_retried(self.method)

    @property
    def name(self) -> str:
        """A short name of the error, or `ok`."""
        if self.error is None:
            return "ok"
        name = self.error.__name__
        return f"{name}!" if self.is_unexpected else name.removeprefix("API").removesuffix("Error")


class Figures(NamedTuple):
    """Counts of wrong outcomes, which must all be 0."""

    repeated: int
    unexpected: int
    hung: int
    lost_gets: int
    lost: int
    failed_after_recovery: int

    def __str__(self) -> str:
        lines = (
            "billed POSTs retried after the server may have processed them",
            "exceptions that are not PictifyErrors",
            "calls that exceed their timeout",
            "GETs that a retry could have saved and did not",
            "other calls that a retry could have saved and did not",
            "calls that failed after the server had recovered, by the same client",
        )
        return "\n".join(f"{figure:6}  {line}" for figure, line in zip(self, lines, strict=True))


def figures(outcomes: Iterable[Outcome]) -> Figures:
    """Count the wrong outcomes."""
    ended = [*outcomes]
    return Figures(
        repeated=sum(outcome.repeated for outcome in ended if outcome.method.startswith("POST")),
        unexpected=sum(outcome.is_unexpected for outcome in ended),
        hung=sum(outcome.is_hung for outcome in ended),
        lost_gets=sum(outcome.is_lost for outcome in ended if outcome.method == "GET"),
        lost=sum(outcome.is_lost for outcome in ended if outcome.method != "GET"),
        failed_after_recovery=sum(outcome.after_recovery and outcome.error is not None for outcome in ended),
    )


def cells(*, mixed: bool) -> list[Cell]:
    """Return all cells of the matrix.

    Args:
        mixed: Whether concurrent calls are of all kinds, which takes a fraction of the time, or of one kind per cell.
    """
    every: list[Cell] = []
    each = [(method,) for method in METHODS]
    for fault in FAULTS:
        for once in (False, True) if fault.is_temporary else (False,):
            concurrent = [METHODS] if mixed else each
            every += [
                Cell(fault, kinds, form, CONCURRENT_CALLS, once) for kinds in concurrent for form in ("sync", "asyncio")
            ]
            every += [Cell(fault, kinds, form, 1, once) for kinds in each for form in ("sync", "asyncio", "trio")]
    return every


def run(chosen: list[Cell]) -> list[Outcome]:
    """Make the calls of these cells in several processes, because each Python process uses only one core."""
    shares = [chosen[first::_PROCESSES] for first in range(_PROCESSES)]
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
        return [*chain.from_iterable(pool.map(_run_all, shares))]


def table(outcomes: Iterable[Outcome]) -> str:
    """Format the outcomes as a table with a row per fault and a column per kind of call.

    The outcome with a permanent fault precedes the `>`, and that with a fault which is over after the first attempt
    follows it: the error, or `ok`, and how often the server received the request.
    """
    entries: dict[tuple[str, str, bool], dict[str, set[int]]] = {}
    for outcome in outcomes:
        if outcome.after_recovery:
            continue
        entry = entries.setdefault((outcome.cell.fault.name, outcome.method, outcome.cell.once), {})
        entry.setdefault(outcome.name, set()).add(outcome.seen)

    def text(entry: dict[str, set[int]]) -> str:
        return ", ".join(f"{name} {'-'.join(map(str, sorted(seen)))}" for name, seen in entry.items())

    def line(fault: Fault) -> list[str]:
        both = [[text(entries.get((fault.name, method, once), {})) for once in (False, True)] for method in METHODS]
        return [fault.name, *(" > ".join(filter(None, each)) for each in both)]

    lines = [["", *METHODS], *map(line, FAULTS)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, cells, widths)).rstrip() for cells in lines)


class InstantClock(Clock):
    """A clock that measures real time, but does not wait between attempts."""

    def jitter(self) -> float:
        return 0.01

    def sleep(self, seconds: float) -> None:
        pass

    async def asleep(self, seconds: float) -> None:
        pass


class _RecoveryClock(InstantClock):
    """A clock whose `sleep` waits until this number of calls have failed once, and then lets the server recover."""

    def __init__(self, calls: int, recover: Callable[[], None]) -> None:
        self._calls = calls
        self._recover = recover
        self._lock = Lock()
        self._recovered = Event()
        self._arecovered = anyio.Event()

    def sleep(self, seconds: float) -> None:  # noqa: ARG002
        self.arrive()
        self._recovered.wait(_MAX_WAIT)

    async def asleep(self, seconds: float) -> None:  # noqa: ARG002
        self.arrive()
        with anyio.move_on_after(_MAX_WAIT):
            await self._arecovered.wait()

    def arrive(self) -> None:
        """Count a call that waits for its retry or has ended."""
        with self._lock:
            self._calls -= 1
            if self._calls == 0:
                self._recover()
                self._recovered.set()
                self._arecovered.set()


def _nothing() -> None:
    pass


class _Stage(NamedTuple):
    """Concurrent calls.

    Attributes:
        client: The client that makes them.
        calls: The kind of each call, by its number.
        before: Called before the first one.
        after: Called after each.
        after_recovery: Whether the server has recovered by then.
    """

    client: AuthenticatedClient
    calls: dict[int, str]
    before: Callable[[], None] = _nothing
    after: Callable[[], None] = _nothing
    after_recovery: bool = False


def _run_all(chosen: list[Cell]) -> list[Outcome]:
    slow = [cell for cell in chosen if cell.fault.slow and cell.calls == 1]
    concurrent = [cell for cell in chosen if cell.fault.slow and cell.calls != 1]
    fast = [cell for cell in chosen if not cell.fault.slow]
    with quiet_environment(), server_loop() as loop, ExitStack() as stack:
        ended: list[Iterable[list[Outcome]]] = []
        for some, at_once in ((slow, _SLOW_AT_ONCE), (concurrent, _CONCURRENT_AT_ONCE), (fast, _FAST_AT_ONCE)):
            pool = stack.enter_context(ThreadPoolExecutor(at_once))
            ended.append(pool.map(partial(_run, loop), some))
        return [*chain.from_iterable(chain.from_iterable(ended))]


def _run(loop: asyncio.AbstractEventLoop, cell: Cell) -> list[Outcome]:
    with FaultServer(loop, cell.fault, connection_timeout=cell.budget + 2 * TOLERANCE) as server:
        stages = _stages(cell, server)
        ended = _sync(stages) if cell.form == "sync" else _RUN[cell.form](_async, stages)
        outcomes: list[Outcome] = []
        for stage in stages:
            for number, method in stage.calls.items():
                error, message, seconds = ended[number]
                seen, repeated = server.arrived[_name(number)], server.repeated[_name(number)]
                outcomes.append(Outcome(cell, method, error, message, seconds, seen, repeated, stage.after_recovery))
        return outcomes


def _stages(cell: Cell, server: FaultServer) -> list[_Stage]:
    fault = cell.fault
    client = AuthenticatedClient(
        token="pic_live_of_no_one",
        base_url=server.url,
        allow_http=[server.host],
        verify_ssl=fault.place is not Place.TLS,
        **client_options(cell.attempt, cell.budget),
    )
    calls = {number: cell.methods[number % len(cell.methods)] for number in range(cell.calls)}
    if cell.once:
        clock = client.clock = _RecoveryClock(cell.calls, server.recover)
        return [_Stage(client, calls, after=clock.arrive)]
    client.clock = InstantClock()
    stages = [_Stage(client, calls)]
    if fault.is_temporary:
        patient_client = client.with_options(**client_options(_LONG_ATTEMPT, _LONG_BUDGET))
        late = dict(enumerate(cell.methods, cell.calls))
        stages.append(_Stage(patient_client, late, before=server.recover, after_recovery=True))
    return stages


def _name(number: int) -> str:
    return f"call-{number}"


def _arguments(number: int, method: str) -> dict[str, Any]:
    if method == "POST":
        return {"body": {"html": _name(number)}}
    if method == "POST video":
        return {"uid": _name(number), "body": {"format": "gif"}}
    return {"uid": _name(number), "body": {"name": "n"}} if method == "PUT" else {"uid": _name(number)}


_Ended = tuple[type[BaseException] | None, str, float]


def _ended(error: BaseException | None, started: float) -> _Ended:
    return None if error is None else type(error), str(error), monotonic() - started


def _sync(stages: list[_Stage]) -> dict[int, _Ended]:
    ended: dict[int, _Ended] = {}

    def call(stage: _Stage, number: int, method: str) -> None:
        started = monotonic()
        error: BaseException | None = None
        try:
            _MODULES[method].sync(client=stage.client, **_arguments(number, method))
        except Exception as caught:  # noqa: BLE001 (the matrix records any error)
            error = caught
        ended[number] = _ended(error, started)
        stage.after()

    with stages[0].client:
        for stage in stages:
            stage.before()
            with ThreadPoolExecutor(len(stage.calls)) as pool:
                list(pool.map(partial(call, stage), stage.calls, stage.calls.values()))
    return ended


async def _async(stages: list[_Stage]) -> dict[int, _Ended]:
    ended: dict[int, _Ended] = {}

    async def call(stage: _Stage, number: int, method: str) -> None:
        started = monotonic()
        error: BaseException | None = None
        made: Awaitable[Any] = _MODULES[method].asyncio(client=stage.client, **_arguments(number, method))
        try:
            await made
        except (Exception, asyncio.CancelledError) as caught:  # noqa: BLE001 (likewise; nothing cancels it)
            error = caught
        ended[number] = _ended(error, started)
        stage.after()

    async with stages[0].client:
        for stage in stages:
            stage.before()
            async with anyio.create_task_group() as group:
                for number, method in stage.calls.items():
                    group.start_soon(call, stage, number, method)
    return ended
