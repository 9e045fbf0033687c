"""Try it all, print what came of it, and fail where something did that must not: `python -m tests.faults`."""

from __future__ import annotations

import sys

from . import many, matrix

CALLS = 10_000


def main() -> int:
    """Print the table, the figures, and what came of ten thousand calls; 1 where any of it is not as it must be."""
    # First, while this process is still small enough to tell whether it grows.
    runs = {"async": many.run_async(CALLS), "sync": many.run_sync(CALLS)}
    ended = matrix.run(matrix.cells(mixed=False))
    figures = matrix.figures(ended)
    print(
        f"{len(ended)} calls: what became of them while the fault stayed > and where it was over after the first time,"
    )
    print("and how often the server saw each of them.\n")
    print(matrix.table(ended), figures, sep="\n\n")
    for form, run in runs.items():
        print(f"\n{CALLS} GETs, {form}, a fifth of the attempts failing: {run}")
    return int(any(figures) or not all(run.is_clean for run in runs.values()))


if __name__ == "__main__":
    sys.exit(main())
