"""Measure, print, write and draw: `python -m benchmarks`, in the environment that `make bench` makes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from .figures import ALL, FULL, NAMES, QUICK, Figures
from .machine import facts
from .measure import Bench
from .report import rounded, text_of

HERE = Path(__file__).parent


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure all or the selected figures, and print each as soon as it is measured."""
    started = monotonic()
    bench = Bench(NAMES)
    figures: dict[str, Any] = {}
    try:
        with TemporaryDirectory() as folder:
            measured = Figures(bench, QUICK if options.quick else FULL, Path(folder))
            for name, why in bench.omitted.items():
                print(f"omitted: {name}: {why}")
            for each in ALL:
                if not options.only or each.__name__ in options.only:
                    begun = monotonic()
                    found = each(measured)._asdict()
                    figures[each.__name__] = found
                    print(f"{text_of(found)}\n  ({monotonic() - begun:.0f} s)", flush=True)
    finally:
        bench.stop()
    about = facts(quick=bool(options.quick), seconds=round(monotonic() - started))
    print(f"\n{about['seconds']} s, {about['cores']} cores, {about['processor']}, {about['python']}")
    return {"about": about, "omitted": bench.omitted, "figures": figures}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure how fast the package is.")
    parser.add_argument("--quick", action="store_true", help="smaller numbers, in under a minute; writes nothing")
    parser.add_argument("--only", action="append", choices=[each.__name__ for each in ALL], help="measure one figure")
    parser.add_argument("--charts", action="store_true", help="measure nothing; draw the last results")
    options = parser.parse_args(arguments)
    results = HERE / "results.json"
    if options.charts:
        found = json.loads(results.read_text("utf-8"))
    else:
        found = measure(options)
        if options.quick or options.only:
            return 0
        results.write_text(json.dumps(rounded(found), indent=1, ensure_ascii=False) + "\n", "utf-8")
    from .charts import draw

    draw(found, HERE / "charts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
