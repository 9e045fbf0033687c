"""Under every fault, over real sockets: no render is billed twice, retries succeed, and no call hangs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from pictify_client import APIConnectionError

from .faults import many, matrix
from .faults.faults import FAULTS, Fault
from .faults.matrix import Cell, Figures, Outcome

pytestmark = pytest.mark.slow

NONE = Figures(*[0] * len(Figures._fields))
BY_NAME = {fault.name: fault for fault in FAULTS}


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return matrix.run(matrix.cells(mixed=True))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_neither_bills_twice_nor_loses_or_hangs_a_call(outcomes: list[Outcome], fault: Fault) -> None:
    selected = [outcome for outcome in outcomes if outcome.cell.fault == fault]
    assert {(outcome.method, outcome.cell.form, outcome.cell.calls) for outcome in selected} == {
        *((method, form, 1) for method in matrix.METHODS for form in ("sync", "asyncio", "trio")),
        *((method, form, matrix.CONCURRENT_CALLS) for method in matrix.METHODS for form in ("sync", "asyncio")),
    }
    assert matrix.figures(selected) == NONE, "\n".join(
        f"{outcome.cell[1:]}, {outcome.method} after {outcome.seconds:.2f} s, seen {outcome.seen} times: {outcome.message}"
        for outcome in selected
        if any(matrix.figures([outcome]))
    )


def outcome_of(
    name: str,
    method: str = "GET",
    error: type[BaseException] | None = None,
    seconds: float = 0.1,
    *,
    once: bool = True,
    repeated: int = 0,
    after_recovery: bool = False,
) -> Outcome:
    return Outcome(
        Cell(BY_NAME[name], (method,), "sync", 1, once), method, error, "", seconds, 1, repeated, after_recovery
    )


@pytest.mark.parametrize(
    ("outcome", "figures"),
    [
        (outcome_of("502", error=APIConnectionError, once=False), NONE),
        (outcome_of("502", "POST", APIConnectionError), NONE),
        (outcome_of("HTML with status 200", error=APIConnectionError), NONE),
        (outcome_of("502", "PUT", repeated=2), NONE),
        (outcome_of("502", "POST", repeated=2), NONE._replace(repeated=2)),
        (outcome_of("read timeout", "POST video", repeated=1), NONE._replace(repeated=1)),
        (outcome_of("read timeout", "POST video", APIConnectionError), NONE),
        (outcome_of("503, retriable", "POST video", APIConnectionError), NONE._replace(lost=1)),
        (outcome_of("502", error=KeyError, once=False), NONE._replace(unexpected=1)),
        (outcome_of("read timeout", seconds=5.8, once=False), NONE._replace(hung=1)),
        (outcome_of("502", error=APIConnectionError), NONE._replace(lost_gets=1)),
        (outcome_of("502", "PUT", APIConnectionError), NONE._replace(lost=1)),
        (outcome_of("503, Retry-After", "POST", APIConnectionError), NONE._replace(lost=1)),
        (
            outcome_of("502", "POST", APIConnectionError, once=False, after_recovery=True),
            NONE._replace(failed_after_recovery=1),
        ),
    ],
)
def test_wrong_outcomes_are_counted(outcome: Outcome, figures: Figures) -> None:
    assert matrix.figures([outcome]) == figures


def test_the_table_has_the_outcome_of_every_kind_of_call() -> None:
    outcomes = [
        outcome_of("502", error=APIConnectionError, once=False),
        outcome_of("502"),
        outcome_of("502", "POST", APIConnectionError),
        outcome_of("502", once=False, after_recovery=True),
    ]
    (line,) = (line for line in matrix.table(outcomes).splitlines() if line.startswith("502"))
    assert line.split() == ["502", "Connection", "1", ">", "ok", "1", "Connection", "1"]


@pytest.mark.parametrize("run", [many.run_async, many.run_sync], ids=["async", "sync"])
def test_thousands_of_calls_have_correct_results_and_release_all_resources(run: Callable[[int], many.Run]) -> None:
    # In its own process, whose memory is not affected by other tests and coverage measurement.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        result = process.submit(run, 2_000).result()
    assert result.is_clean, result
    assert sum(result.results.values()) == 2_000
    assert 0 < result.results["ServerError"] < result.results["APIConnectionError"] + 40 < result.results["ok"]
