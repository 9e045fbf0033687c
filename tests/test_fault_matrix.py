"""No fault has a render billed twice, loses what could be saved, or holds a call for ever: over real sockets."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from pictify_client import APIConnectionError

from .faults import many, matrix
from .faults.faults import FAULTS, Fault
from .faults.matrix import Cell, Ending, Figures

pytestmark = pytest.mark.slow

NONE = Figures(*[0] * len(Figures._fields))
BY_NAME = {fault.name: fault for fault in FAULTS}


@pytest.fixture(scope="module")
def endings() -> list[Ending]:
    return matrix.run(matrix.cells(mixed=True))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_bills_nothing_twice_and_neither_loses_nor_holds_a_call(endings: list[Ending], fault: Fault) -> None:
    ended = [ending for ending in endings if ending.cell.fault == fault]
    assert {(ending.method, ending.cell.form, ending.cell.calls) for ending in ended} == {
        *((method, form, 1) for method in matrix.METHODS for form in ("sync", "asyncio", "trio")),
        *((method, form, matrix.CROWD) for method in matrix.METHODS for form in ("sync", "asyncio")),
    }
    assert matrix.figures(ended) == NONE, "\n".join(
        f"{ending.cell[1:]}, {ending.method} after {ending.seconds:.2f} s, seen {ending.seen} times: {ending.message}"
        for ending in ended
        if any(matrix.figures([ending]))
    )


def ended(
    name: str,
    method: str = "GET",
    error: type[BaseException] | None = None,
    seconds: float = 0.1,
    *,
    once: bool = True,
    resent: int = 0,
    is_late: bool = False,
) -> Ending:
    return Ending(Cell(BY_NAME[name], (method,), "sync", 1, once), method, error, "", seconds, 1, resent, is_late)


@pytest.mark.parametrize(
    ("ending", "figures"),
    [
        (ended("502", error=APIConnectionError, once=False), NONE),
        (ended("502", "POST", APIConnectionError), NONE),
        (ended("HTML with status 200", error=APIConnectionError), NONE),
        (ended("502", "PUT", resent=2), NONE),
        (ended("502", "POST", resent=2), NONE._replace(resent=2)),
        (ended("read timeout", "POST video", resent=1), NONE._replace(resent=1)),
        (ended("read timeout", "POST video", APIConnectionError), NONE),
        (ended("503, retriable", "POST video", APIConnectionError), NONE._replace(lost=1)),
        (ended("502", error=KeyError, once=False), NONE._replace(foreign=1)),
        (ended("read timeout", seconds=5.8, once=False), NONE._replace(hung=1)),
        (ended("502", error=APIConnectionError), NONE._replace(lost_gets=1)),
        (ended("502", "PUT", APIConnectionError), NONE._replace(lost=1)),
        (ended("503, Retry-After", "POST", APIConnectionError), NONE._replace(lost=1)),
        (ended("502", "POST", APIConnectionError, once=False, is_late=True), NONE._replace(spoiled=1)),
    ],
)
def test_what_must_not_be_is_counted(ending: Ending, figures: Figures) -> None:
    assert matrix.figures([ending]) == figures


def test_the_table_says_what_became_of_every_kind_of_call() -> None:
    endings = [
        ended("502", error=APIConnectionError, once=False),
        ended("502"),
        ended("502", "POST", APIConnectionError),
        ended("502", once=False, is_late=True),
    ]
    (line,) = (line for line in matrix.table(endings).splitlines() if line.startswith("502"))
    assert line.split() == ["502", "Connection", "1", ">", "ok", "1", "Connection", "1"]


@pytest.mark.parametrize("run", [many.run_async, many.run_sync], ids=["async", "sync"])
def test_thousands_of_calls_end_as_they_have_to_and_leave_nothing_behind(run: Callable[[int], many.Run]) -> None:
    # In a process of its own, whose memory no other test and no measuring of coverage adds to.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        ran = process.submit(run, 2_000).result()
    assert ran.is_clean, ran
    assert sum(ran.ended.values()) == 2_000
    assert 0 < ran.ended["ServerError"] < ran.ended["APIConnectionError"] + 40 < ran.ended["well"]
