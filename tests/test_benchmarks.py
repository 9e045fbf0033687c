"""The benchmarks run, on tiny sizes; durations are not tested."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.figures import TINY, Figures
from benchmarks.measure import Bench
from benchmarks.peers import OURS, RAW
from benchmarks.report import text_of

ROOT = Path(__file__).parent.parent


def test_the_command_has_a_help_text() -> None:
    command = [sys.executable, "-m", "benchmarks", "--help"]
    help_text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603
    assert "--quick" in help_text


def test_all_figures_are_reported_and_missing_peers_have_a_reason(tmp_path: Path) -> None:
    bench = Bench([RAW, OURS, "stock generator", "aiohttp"])
    try:
        figures = Figures(bench, TINY, tmp_path)
        measured = [figures.decode_20(), figures.async_call_20(), figures.sync_call_20(), figures.instant_50()]
    finally:
        bench.stop()
    assert {*bench.omitted, *bench.workers} == {RAW, OURS, "stock generator", "aiohttp"}
    assert all(bench.omitted.values())
    for figure in measured:
        text = text_of(figure._asdict())
        assert OURS in text
        assert "reached]" in text
