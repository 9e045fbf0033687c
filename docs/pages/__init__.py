"""The pages of the documentation that are generated: the reference, the examples, and pages of the repository."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import indent

from benchmarks.report import text_of

from . import classes, operations

ROOT = Path(__file__).parents[2]


def pages() -> dict[str, str]:
    """Return the Markdown of each page by its path."""
    return {
        **operations.pages(),
        **classes.pages(),
        "examples.md": _examples(),
        "changelog.md": _of_the_repository("CHANGELOG.md"),
        "contributing.md": _of_the_repository("CONTRIBUTING.md"),
    }


def _of_the_repository(name: str) -> str:
    """Return a page of the repository. Its links to other files of it become plain text."""
    text = (ROOT / name).read_text("utf-8")
    return re.sub(r"\[([^\]]+)\]\((?!https?://|#)[^)]*\)", r"\1", text)


def figures() -> str:
    """Return the results of the last benchmark run for the page on performance: a collapsed table per figure."""
    results = json.loads((ROOT / "benchmarks/results.json").read_text("utf-8"))
    parts: list[str] = []
    for figure in results["figures"].values():
        table = text_of(figure).strip().partition("\n")[2]
        parts.append(f'??? note "{figure["title"]}"\n\n' + indent(f"```text\n{table}\n```\n", "    "))
    return "\n".join(parts)


def _examples() -> str:
    parts = [
        "# Examples",
        "Complete programs. Run them with `PICTIFY_API_KEY` set, or against the fake API:",
        "```bash\npython -m pictify_client.testing python examples/list_bindings.py\n```",
    ]
    # Not marked as snippets, because the examples have their own tests.
    parts += [
        f"## {path.name}\n\n```{{.python}}\n{path.read_text('utf-8')}```"
        for path in sorted((ROOT / "examples").glob("*.py"))
    ]
    return "\n\n".join(parts) + "\n"
