"""The cookbook: the files and tests of each recipe run in a separate folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from generator.__main__ import ROOT
from pictify_client import Pictify
from pictify_client.testing import FakePictify, serving

pytestmark = pytest.mark.slow

COOKBOOK = ROOT / "docs/cookbook"
RECIPES = sorted(path.stem for path in COOKBOOK.glob("*.md") if path.stem != "index")
PACKAGES = {
    "agent_tool": ["mcp", "pydantic"],
    "celery": ["celery"],
    "django": ["django"],
    "fastapi": ["fastapi"],
    "proxies": ["trustme"],
    "save": ["boto3", "flask_cors", "moto"],
    "tracing": ["opentelemetry.instrumentation.httpx", "sentry_sdk"],
    "webhook_receiver": ["fastapi"],
}
"""The packages that a recipe needs."""

_FILE = re.compile(r'^```\w+ title="([\w.]+)"\n(.*?)^```$', re.DOTALL | re.MULTILINE)


def files_of(recipe: str) -> dict[str, str]:
    """The files of a recipe by name."""
    return dict(_FILE.findall((COOKBOOK / f"{recipe}.md").read_text("utf-8")))


def write(recipe: str, folder: Path) -> None:
    for name, text in files_of(recipe).items():
        (folder / name).write_text(text, "utf-8")


def environment(**variables: str) -> dict[str, str]:
    """The environment without proxies and coverage, as other tests cover the code that recipes use."""
    known = {
        name: value
        for name, value in os.environ.items()
        if "proxy" not in name.lower() and not name.startswith(("COV", "PICTIFY_"))
    }
    return {**known, "PYTHONPATH": str(ROOT), **variables}


def need(recipe: str) -> None:
    for package in PACKAGES.get(recipe, []):
        pytest.importorskip(package)


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_tests_of_a_recipe_pass(recipe: str, tmp_path: Path) -> None:
    need(recipe)
    write(recipe, tmp_path)
    assert list(tmp_path.glob("test_*.py")), "the recipe has no test"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment())  # noqa: S603
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_file_is_shown_once_and_every_recipe_is_listed() -> None:
    names = [name for recipe in RECIPES for name in files_of(recipe)]
    assert len(names) == len(set(names)), "mypy takes them all at once, so their names differ"
    listed = re.findall(r"\]\((\w+)\.md\)", (COOKBOOK / "index.md").read_text("utf-8"))
    assert sorted(listed) == RECIPES


def test_the_recipes_are_typed(tmp_path: Path) -> None:
    """Strict mode, except for packages without types."""
    for recipe in RECIPES:
        if all(find_spec(package.partition(".")[0]) for package in PACKAGES.get(recipe, [])):
            write(recipe, tmp_path)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--ignore-missing-imports"]
    command += ["--allow-untyped-decorators", "--allow-subclassing-any", "--config-file=", "."]
    command += ["--cache-dir", str(ROOT / ".mypy_cache/cookbook"), "--no-warn-unused-ignores"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment())  # noqa: S603
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_workers_that_celery_forks_use_a_client_of_the_parent(tmp_path: Path) -> None:
    need("celery")
    write("celery", tmp_path)
    for folder in ("queue", "results"):
        (tmp_path / folder).mkdir()
    (tmp_path / "celeryconfig.py").write_text(
        "broker_transport_options = {'data_folder_in': 'queue', 'data_folder_out': 'queue', 'control_folder': 'queue'}\n"
        f"result_backend = 'file://{tmp_path.as_posix()}/results'\n"
        # The parent has an open connection that the children must not share.
        "from tasks import app, pictify\n"
        "pictify.templates.get('APPK3ATNDP')\n"
    )
    (tmp_path / "send.py").write_text(
        "import tasks\n"
        "tasks.app.config_from_object('celeryconfig')\n"
        "jobs = [tasks.render_card.delay(str(number)) for number in range(20)]\n"
        "print(len({job.get(timeout=30) for job in jobs}))\n"
    )
    fake = FakePictify()
    with serving(fake) as base_url:
        variables = environment(
            PICTIFY_BASE_URL=base_url, PICTIFY_API_KEY=fake.api_key, CELERY_BROKER_URL="filesystem://"
        )
        worker = [sys.executable, "-m", "celery", "-A", "tasks", "--config", "celeryconfig", "worker"]
        worker += ["--pool=prefork", "--concurrency=3", "--without-gossip", "--without-mingle", "--without-heartbeat"]
        with subprocess.Popen(  # noqa: S603
            worker, cwd=tmp_path, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as started:
            try:
                sender = [sys.executable, "send.py"]
                sent = subprocess.run(  # noqa: S603
                    sender, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False, timeout=120
                )
            finally:
                started.terminate()
            log = started.communicate()[0]
    assert sent.stdout == "20\n", sent.stderr + log
    assert fake.renders == 20, log


def test_vcrpy_records_requests_and_filters_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vcr = pytest.importorskip("vcr")
    fake = FakePictify()
    cassette = tmp_path / "cassette.yaml"
    with serving(fake) as base_url:
        monkeypatch.setenv("PICTIFY_BASE_URL", base_url)
        monkeypatch.setenv("PICTIFY_API_KEY", fake.api_key)
        with vcr.use_cassette(str(cassette), filter_headers=["authorization"]), Pictify() as pictify:
            assert pictify.templates.get("APPK3ATNDP").name == "Product card"
    assert fake.api_key not in cassette.read_text("utf-8")
    # The server is gone.
    with vcr.use_cassette(str(cassette), record_mode="none"), Pictify() as pictify:
        assert pictify.templates.get("APPK3ATNDP").name == "Product card"
