"""The code of the README, run as it stands there against the stand-in API."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from generator.__main__ import ROOT
from pictify_client.testing import API_KEY, FakePictify, serving

from .snippets import snippets_of, type_check

SNIPPETS = snippets_of("README.md")
FAKE = FakePictify()
ACTIVE = "".join(f"{each['name']} {each['renderUrl']}\n" for each in FAKE.bindings if each["status"] == "active")

PRINTED: list[str | re.Pattern[str]] = [
    re.compile(r"https://cdn\.pictify\.io/\S+\n"),
    ACTIVE,
    ACTIVE,
    "20 of 45 and more\n20 of 45 and more\n5 of 45 and that is all\n",
    re.compile(r'<img src="https://cdn\.pictify\.io/bindings/bind_\w+\.png">\n'),
    re.compile(r"image/png http://127\.0\.0\.1:\d+/b/bind_00000001\.webp\n"),
    re.compile(r"(\d+ %\n)+completed 150 results\n"),
    "https://cdn.pictify.io/a.png 600\n204\n400\n",
    "".join(
        f"{each['name']}, rendered {each['lastRenderAt'][:10]}: the data source answered 503\n"
        for each in FAKE.bindings
        if each["status"] == "error"
    ),
    re.compile(r"200 application/json; charset=utf-8 None\n\{'bindings': \[\{'uid': 'bind_00000001'.*\n", re.DOTALL),
    "",
    re.compile(r"(https://cdn\.pictify\.io/\S+\n){3}"),
    re.compile(r"https://cdn\.pictify\.io/\S+\n2\.0\n\['POST /image', 'POST /image'\]\n"),
]
# A batch is waited for in no time.
AT_ONCE = """
from pictify_client.clock import Clock

async def at_once(*_):
    pass

Clock.asleep = at_once
"""


@pytest.fixture
def _stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    with serving(FakePictify()) as base_url:
        monkeypatch.setenv("PICTIFY_BASE_URL", base_url)
        monkeypatch.setenv("PICTIFY_API_KEY", API_KEY)
        monkeypatch.chdir(tmp_path)
        yield


@pytest.mark.usefixtures("_stand_in")
@pytest.mark.parametrize(("snippet", "printed"), list(zip(SNIPPETS, PRINTED, strict=True)))
def test_the_code_runs_and_prints_what_one_would_think(snippet: str, printed: str | re.Pattern[str]) -> None:
    run = subprocess.run([sys.executable, "-c", AT_ONCE + snippet], capture_output=True, text=True, check=False)  # noqa: S603
    assert (run.returncode, run.stderr) == (0, "")
    if isinstance(printed, str):
        assert run.stdout == printed
    else:
        assert printed.fullmatch(run.stdout)


def test_the_code_is_clean_under_strict_type_checking(tmp_path: Path) -> None:
    assert type_check(SNIPPETS, tmp_path) == (0, "")


def test_the_first_program_is_short() -> None:
    sync = SNIPPETS[2].strip().splitlines()
    assert len([line for line in sync if line]) <= 6


def test_the_commands_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for document in ("README.md", "CONTRIBUTING.md"):
        named = set(re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / document).read_text("utf-8"), re.MULTILINE))
        assert named
        assert named <= targets


def test_the_links_lead_somewhere() -> None:
    for document in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)]+)\)", (ROOT / document).read_text("utf-8")):
            assert target.startswith("https://") or (ROOT / target).exists()
