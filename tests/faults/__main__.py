"""Run every kind of call under every fault, and print the results: `python -m tests.faults`."""

from __future__ import annotations

import sys

from . import many, matrix

CALLS = 10_000


def main() -> int:
    """Print the table, the figures, and the results of ten thousand calls; return 1 if any of them is wrong."""
    # First, while this process is small, so that a memory leak shows.
    runs = {"async": many.run_async(CALLS), "sync": many.run_sync(CALLS)}
    outcomes = matrix.run(matrix.cells(mixed=False))
    figures = matrix.figures(outcomes)
    print(
        f"{len(outcomes)} calls: their results with a permanent fault > and with a fault that is over after the first attempt,"
    )
    print("and how often the server received each of them.\n")
    print(matrix.table(outcomes), figures, sep="\n\n")
    for form, run in runs.items():
        print(f"\n{CALLS} GETs, {form}, a fifth of the attempts failing: {run}")
    return int(any(figures) or not all(run.is_clean for run in runs.values()))


if __name__ == "__main__":
    sys.exit(main())
