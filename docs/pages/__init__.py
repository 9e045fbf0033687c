"""The pages of the documentation that are made rather than written: of the package, the examples and the changelog."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import indent

from benchmarks.report import text_of

from . import classes, operations

ROOT = Path(__file__).parents[2]


def pages() -> dict[str, str]:
    """The Markdown of each page, by its path in the documentation."""
    return {
        **operations.pages(),
        **classes.pages(),
        "examples.md": _examples(),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text("utf-8"),
    }


def figures() -> str:
    """What was measured last, for the page on performance: a table for each figure, folded."""
    results = json.loads((ROOT / "benchmarks/results.json").read_text("utf-8"))
    parts: list[str] = []
    for figure in results["figures"].values():
        table = text_of(figure).strip().partition("\n")[2]
        parts.append(f'??? note "{figure["title"]}"\n\n' + indent(f"```text\n{table}\n```\n", "    "))
    return "\n".join(parts)


def _examples() -> str:
    parts = [
        "# Examples",
        "Programs to run as they are, with `PICTIFY_API_KEY` set or against the stand-in:",
        "```console\npython -m pictify_client.testing python examples/list_bindings.py\n```",
    ]
    # Not as snippets are marked, since the examples have tests of their own.
    parts += [
        f"## {path.name}\n\n```{{.python}}\n{path.read_text('utf-8')}```"
        for path in sorted((ROOT / "examples").glob("*.py"))
    ]
    return "\n\n".join(parts) + "\n"
