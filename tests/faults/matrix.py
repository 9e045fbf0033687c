"""Every kind of call under every fault, sync and async, alone and in a crowd, and what became of it."""

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
from .server import FaultServer, server_loop, undisturbed

METHODS = ("GET", "PUT", "DELETE", "POST", "POST video")
CROWD = 50
TOLERANCE = 5.0
"""Seconds that a call may take beyond its budget, as a busy machine stalls for seconds.

A call without a working time limit takes longer still: until the server gives up, after twice the tolerance.
"""

_PATIENT_ATTEMPT = 10.0
_PATIENT_BUDGET = 20.0
_PROCESSES = 2
# Cells at a time, in each of them: those of slow faults do little but wait, crowds a little more, and others only work.
_SLOW_AT_ONCE = 16
_CROWDS_AT_ONCE = 3
_FAST_AT_ONCE = 1
# What a crowd waits for its last member, should that one not be sent again.
_PATIENCE = 2.0
# Imported here, as what several threads import first at once may fail.
_RUN: dict[str, Callable[..., Any]] = {"asyncio": anyio.run, "trio": trio.run}
_MODULES: dict[str, Any] = {
    "GET": get_binding,
    "PUT": update_binding,
    "DELETE": delete_binding,
    "POST": create_image,
    "POST video": render_video,
}


def client_options(attempt: float, budget: float) -> dict[str, Any]:
    """The client's options for so many seconds an attempt, and for all of a call."""
    return {"timeout": budget, "attempt_timeout": attempt, "max_retries": 2, "max_wait": 60.0}


class Cell(NamedTuple):
    """One square of the matrix.

    Attributes:
        fault: What goes wrong.
        methods: The kinds of call, in turn.
        form: `sync`, `asyncio` or `trio`.
        calls: How many calls are made at once, by one client.
        once: Whether it goes wrong only the first time, and not always.
    """

    fault: Fault
    methods: tuple[str, ...]
    form: str
    calls: int
    once: bool

    @property
    def attempt(self) -> float:
        """Seconds that an attempt may take: few only where no good answer has to come within them."""
        if not self.fault.slow:
            return _PATIENT_ATTEMPT
        return 1.5 if self.once else 0.3

    @property
    def budget(self) -> float:
        """Seconds that a call may take; too few for all the attempts of a slow fault that stays."""
        if not self.fault.slow:
            return _PATIENT_BUDGET
        return 4.5 if self.once else 0.7


class Ending(NamedTuple):
    """How a call ended.

    Attributes:
        cell: Where it was made.
        method: What kind it was.
        error: The kind of error that it raised, if any: not the error, which would keep all that it is about.
        message: What that said.
        seconds: How long it took.
        seen: How often it arrived whole.
        resent: How often it arrived again after it may have been worked.
        is_late: Whether it was made when the fault, which had stayed, was over.
    """

    cell: Cell
    method: str
    error: type[BaseException] | None
    message: str
    seconds: float
    seen: int
    resent: int
    is_late: bool

    @property
    def is_foreign(self) -> bool:
        """Whether it raised what is not ours."""
        return self.error is not None and not issubclass(self.error, PictifyError)

    @property
    def is_hung(self) -> bool:
        """Whether it took longer than its budget."""
        return self.seconds > self.cell.budget + TOLERANCE

    @property
    def is_lost(self) -> bool:
        """Whether it failed, though the fault was over by the time that it might have been sent again."""
        return self.error is not None and self.cell.once and self.cell.fault.is_retried(self.method)

    @property
    def name(self) -> str:
        """The error in a word, or `ok`."""
        if self.error is None:
            return "ok"
        name = self.error.__name__
        return f"{name}!" if self.is_foreign else name.removeprefix("API").removesuffix("Error")


class Figures(NamedTuple):
    """The figures that have to be 0."""

    resent: int
    foreign: int
    hung: int
    lost_gets: int
    lost: int
    spoiled: int

    def __str__(self) -> str:
        lines = (
            "billed POSTs sent again after the server may have worked them",
            "exceptions that are not PictifyErrors",
            "calls that hang past their budget",
            "GETs that a retry could have saved and did not",
            "other calls that a retry could have saved and did not",
            "calls that failed when the fault was over, by the same client",
        )
        return "\n".join(f"{figure:6}  {line}" for figure, line in zip(self, lines, strict=True))


def figures(endings: Iterable[Ending]) -> Figures:
    """What there is to say of all these calls together."""
    ended = [*endings]
    return Figures(
        resent=sum(ending.resent for ending in ended if ending.method.startswith("POST")),
        foreign=sum(ending.is_foreign for ending in ended),
        hung=sum(ending.is_hung for ending in ended),
        lost_gets=sum(ending.is_lost for ending in ended if ending.method == "GET"),
        lost=sum(ending.is_lost for ending in ended if ending.method != "GET"),
        spoiled=sum(ending.is_late and ending.error is not None for ending in ended),
    )


def cells(*, mixed: bool) -> list[Cell]:
    """The whole matrix.

    Args:
        mixed: Whether a crowd is of all kinds of call, which takes a fraction of the time, or each of one.
    """
    every: list[Cell] = []
    each = [(method,) for method in METHODS]
    for fault in FAULTS:
        for once in (False, True) if fault.is_passing else (False,):
            crowds = [METHODS] if mixed else each
            every += [Cell(fault, kinds, form, CROWD, once) for kinds in crowds for form in ("sync", "asyncio")]
            every += [Cell(fault, kinds, form, 1, once) for kinds in each for form in ("sync", "asyncio", "trio")]
    return every


def run(chosen: list[Cell]) -> list[Ending]:
    """Make the calls of these cells, in processes of their own, as Python uses but one core a process."""
    shares = [chosen[first::_PROCESSES] for first in range(_PROCESSES)]
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
        return [*chain.from_iterable(pool.map(_run_all, shares))]


def table(endings: Iterable[Ending]) -> str:
    """A line a fault and a column a kind of call, with what came of it.

    First where the fault stayed, and after the `>` where it was over after the first time: the error,
    or `ok`, and how often the server saw the call.
    """
    squares: dict[tuple[str, str, bool], dict[str, set[int]]] = {}
    for ending in endings:
        if ending.is_late:
            continue
        square = squares.setdefault((ending.cell.fault.name, ending.method, ending.cell.once), {})
        square.setdefault(ending.name, set()).add(ending.seen)

    def said(square: dict[str, set[int]]) -> str:
        return ", ".join(f"{name} {'-'.join(map(str, sorted(seen)))}" for name, seen in square.items())

    def line(fault: Fault) -> list[str]:
        both = [[said(squares.get((fault.name, method, once), {})) for once in (False, True)] for method in METHODS]
        return [fault.name, *(" > ".join(filter(None, each)) for each in both)]

    lines = [["", *METHODS], *map(line, FAULTS)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, cells, widths)).rstrip() for cells in lines)


class Waitless(Clock):
    """A clock that goes as time does, but does not wait between attempts."""

    def jitter(self) -> float:
        return 0.01

    def sleep(self, seconds: float) -> None:
        pass

    async def asleep(self, seconds: float) -> None:
        pass


class _Healing(Waitless):
    """A clock that waits for the moment when so many calls have failed once: then the fault is over."""

    def __init__(self, calls: int, heal: Callable[[], None]) -> None:
        self._calls = calls
        self._heal = heal
        self._lock = Lock()
        self._healed = Event()
        self._ahealed = anyio.Event()

    def sleep(self, seconds: float) -> None:  # noqa: ARG002
        self.arrive()
        self._healed.wait(_PATIENCE)

    async def asleep(self, seconds: float) -> None:  # noqa: ARG002
        self.arrive()
        with anyio.move_on_after(_PATIENCE):
            await self._ahealed.wait()

    def arrive(self) -> None:
        """One more has failed: it waits now, or it ended."""
        with self._lock:
            self._calls -= 1
            if self._calls == 0:
                self._heal()
                self._healed.set()
                self._ahealed.set()


def _nothing() -> None:
    pass


class _Stage(NamedTuple):
    """Calls that are made at once.

    Attributes:
        client: What makes them.
        calls: The kind of each, by its number.
        before: What is done before.
        after: What is done after each.
        is_late: Whether the fault is over by then.
    """

    client: AuthenticatedClient
    calls: dict[int, str]
    before: Callable[[], None] = _nothing
    after: Callable[[], None] = _nothing
    is_late: bool = False


def _run_all(chosen: list[Cell]) -> list[Ending]:
    slow = [cell for cell in chosen if cell.fault.slow and cell.calls == 1]
    crowds = [cell for cell in chosen if cell.fault.slow and cell.calls != 1]
    fast = [cell for cell in chosen if not cell.fault.slow]
    with undisturbed(), server_loop() as loop, ExitStack() as stack:
        ended: list[Iterable[list[Ending]]] = []
        for some, at_once in ((slow, _SLOW_AT_ONCE), (crowds, _CROWDS_AT_ONCE), (fast, _FAST_AT_ONCE)):
            pool = stack.enter_context(ThreadPoolExecutor(at_once))
            ended.append(pool.map(partial(_run, loop), some))
        return [*chain.from_iterable(chain.from_iterable(ended))]


def _run(loop: asyncio.AbstractEventLoop, cell: Cell) -> list[Ending]:
    with FaultServer(loop, cell.fault, patience=cell.budget + 2 * TOLERANCE) as server:
        stages = _stages(cell, server)
        ended = _sync(stages) if cell.form == "sync" else _RUN[cell.form](_async, stages)
        endings: list[Ending] = []
        for stage in stages:
            for number, method in stage.calls.items():
                error, message, seconds = ended[number]
                seen, resent = server.arrived[_name(number)], server.resent[_name(number)]
                endings.append(Ending(cell, method, error, message, seconds, seen, resent, stage.is_late))
        return endings


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
        clock = client.clock = _Healing(cell.calls, server.heal)
        return [_Stage(client, calls, after=clock.arrive)]
    client.clock = Waitless()
    stages = [_Stage(client, calls)]
    if fault.is_passing:
        patient = client.with_options(**client_options(_PATIENT_ATTEMPT, _PATIENT_BUDGET))
        late = dict(enumerate(cell.methods, cell.calls))
        stages.append(_Stage(patient, late, before=server.heal, is_late=True))
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
        except Exception as caught:  # noqa: BLE001 (whatever it is, it is what the matrix asks for)
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
        except (Exception, asyncio.CancelledError) as caught:  # noqa: BLE001 (likewise, and no one cancels it)
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
