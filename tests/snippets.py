"""The code in the documents."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from generator.__main__ import ROOT


def snippets_of(document: str) -> list[str]:
    """The Python code of a document, by its path from the root."""
    text = (ROOT / document).read_text("utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def type_check(snippets: list[str], folder: Path) -> tuple[int, str]:
    """What mypy has to say of each, and its exit status, as strict as it can be."""
    for number, snippet in enumerate(snippets):
        (folder / f"snippet_{number}.py").write_text(snippet, "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary"]
    command += ["--cache-dir", str(ROOT / ".mypy_cache"), str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)  # noqa: S603
    return run.returncode, run.stdout + run.stderr
