"""Find the code in the documentation, run it against the fake API, and type-check it.

Programs are run one after the other in a process of their own, `python -m tests.snippets`, each with a fake API of
its own. What defines tests is run by pytest, as users would.
"""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple
from unittest.mock import patch

from generator.__main__ import ROOT
from pictify_client._runtime.clock import Clock
from pictify_client.testing import FakePictify, serving

_SNIPPET = re.compile(r"^( *)```python\n(.*?)^\1```\n(?:\s*^\1```text\n(.*?)^\1```\n)?", re.DOTALL | re.MULTILINE)


class Snippet(NamedTuple):
    """Code in a document, and its documented output, if any; `...` in the output matches anything."""

    code: str
    output: str | None

    @property
    def is_test(self) -> bool:
        return re.search(r"^(async )?def test_", self.code, re.MULTILINE) is not None

    def prints(self, printed: str) -> bool:
        pattern = ".*".join(re.escape(part) for part in (self.output or "").split("..."))
        return self.output is None or re.fullmatch(pattern, printed, re.DOTALL) is not None


class RunResult(NamedTuple):
    """The output of a program, and the operations that it called."""

    printed: str
    operations: list[str]


def snippets_in(text: str) -> list[Snippet]:
    """The Python code of a text in Markdown."""
    return [
        Snippet(dedent(found[2]), None if found[3] is None else dedent(found[3])) for found in _SNIPPET.finditer(text)
    ]


def snippets_of(document: str) -> list[Snippet]:
    """The Python code of a document, by its path from the root."""
    return snippets_in((ROOT / document).read_text("utf-8"))


def run_programs(snippets: Iterable[Snippet], folder: Path) -> list[RunResult]:
    """Run programs one after the other, in this folder."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.snippets"],
        input=json.dumps([snippet.code for snippet in snippets]),
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    return [RunResult(*each) for each in json.loads(ran.stdout)]


def run_tests(snippets: Mapping[str, Snippet], folder: Path) -> None:
    """Run tests, with only the plugin of anyio, which httpx installs."""
    for name, snippet in snippets.items():
        (folder / f"test_{name}.py").write_text(snippet.code, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)  # noqa: S603
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout


def type_check(snippets: Mapping[str, Snippet], folder: Path) -> tuple[int, str]:
    """Return the messages and the exit status of mypy in strict mode."""
    for name, snippet in snippets.items():
        (folder / f"{name}.py").write_text(snippet.code, "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary"]
    command += ["--cache-dir", str(ROOT / ".mypy_cache"), str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)  # noqa: S603
    return run.returncode, run.stdout + run.stderr


def _prepared() -> FakePictify:
    """A fake API with the ids and slugs of the documents."""
    fake = FakePictify()
    pictify = fake.client()
    pictify.images.create(html="<h1>Hello</h1>")
    pictify.gifs.create(html="<h1>Hello</h1>")
    pictify.pdfs.render(template_uid="APPK3ATNDP")
    pictify.webhooks.create(event="render.completed", target_url="https://shop.example.com/hooks")
    pictify.batch.render_template("APPK3ATNDP", variable_sets=[{"title": "Hello"}])
    certificate = pictify.templates.create(name="Certificate", html="<b>{{title}}</b>", output_format="pdf")
    pictify.workflows.start(template_uid="APPK3ATNDP", rows=[{"title": "Hello"}])
    pictify.workflows.preview(template_uid=certificate.uid, rows=[{"title": "Hello"}])
    pictify.workflows.create_hook(template_uid="APPK3ATNDP")
    pictify.templates.delete(certificate.uid)
    for slug in ("winter", "autumn"):
        experiment = pictify.experiments.create(
            name=slug,
            type="ab_test",
            slug=slug,
            variants=[
                {"id": "calm", "templateUid": "APPK3ATNDP", "weight": 5000},
                {"id": "bold", "templateUid": "1O8AC6BEVJ", "weight": 5000},
            ],
            goal_config={"type": "click_through", "destinationUrl": "https://shop.example.com/"},
        )
    pictify.experiments.start(experiment.uid)
    fake.requests.clear()
    return fake


def _run(code: str, name: str) -> RunResult:
    fake, printed = _prepared(), StringIO()
    # Retries are logged as warnings, which is expected; handlers of earlier snippets are removed.
    logging.getLogger("pictify_client").handlers = [logging.NullHandler()]
    with serving(fake) as base_url, redirect_stdout(printed):
        os.environ.update(PICTIFY_BASE_URL=base_url, PICTIFY_API_KEY=fake.api_key)
        exec(compile(code, name, "exec"), {"__name__": "__main__"})  # noqa: S102
    # Readers see the URLs of the live API.
    return RunResult(
        re.sub(
            rf"{base_url}(?=/bindings/\w+\.)",
            "https://cdn.pictify.io",
            re.sub(rf"{base_url}(?=/\w{{6}}-\d+\.)", "https://media.pictify.io", printed.getvalue()),
        ),
        [request.operation or "" for request in fake.requests],
    )


if __name__ == "__main__":
    # Waits end at once.
    with patch.object(Clock, "sleep"), patch.object(Clock, "asleep"):
        runs = [_run(code, f"snippet {number}") for number, code in enumerate(json.load(sys.stdin), 1)]
    print(json.dumps(runs))
