"""The examples, run against the stand-in API, with a clock that does not wait."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generator.__main__ import ROOT
from pictify_client.clock import Clock
from pictify_client.testing import API_KEY, FakePictify, serving


@pytest.fixture(autouse=True)
def base_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    async def at_once(_clock: Clock, _seconds: float) -> None:
        pass

    monkeypatch.setattr(Clock, "asleep", at_once)
    with serving(FakePictify()) as url:
        monkeypatch.setenv("PICTIFY_BASE_URL", url)
        monkeypatch.setenv("PICTIFY_API_KEY", API_KEY)
        yield url


def run(name: str, *arguments: Any) -> None:
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    result = module.main(*arguments)
    if inspect.isawaitable(result):
        asyncio.run(result)  # type: ignore[arg-type]


def test_every_example_is_run_here() -> None:
    names = {path.stem for path in (ROOT / "examples").glob("*.py")}
    here = set(re.findall(r'\brun\("(\w+)"', Path(__file__).read_text("utf-8")))
    assert names == here


def test_bindings_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    run("list_bindings")
    assert capsys.readouterr().out.endswith("\n45 bindings\n")


def test_a_template_is_rendered_and_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "hero.png"
    run("render_template", str(path))
    image = path.read_bytes()
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    assert (int.from_bytes(image[16:20]), int.from_bytes(image[20:24])) == (600, 315)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Price card is rendered at https://cdn.pictify.io/")
    assert lines[1] == f"saved as {path}: image/png, {len(image)} bytes"


def test_a_binding_is_made_and_embedded(base_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("embed_binding")
    made, tag, again, paused = capsys.readouterr().out.splitlines()
    uid = made.removeprefix("made ").removesuffix(", active")
    assert tag.startswith(f'<img src="{base_url}/b/{uid}.png" alt="')
    assert again.endswith(" bytes; asked again, the image is the same")
    assert paused == f"{uid} is paused"


def test_a_batch_comes_back_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    run("batch", 120)
    lines = capsys.readouterr().out.splitlines()
    summary = next(number for number, line in enumerate(lines) if line.endswith(": completed, 0 failed"))
    assert len(lines[summary].partition(":")[0].split(", ")) == 2
    assert [line.partition(": https://")[0] for line in lines[summary + 1 :]] == [
        f"Card {number}" for number in range(1, 121)
    ]


def test_an_experiment_goes_from_its_draft_to_its_winner(base_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("experiment", "hero-image")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "hero-image is running"
    assert lines[1] == f'<a href="{base_url}/s/hero-image/click"><img src="{base_url}/s/hero-image.png"></a>'
    assert lines[2:6] == ["shown: image/png"] * 4
    assert lines[6:8] == ["a click leads to https://shop.example.com/", "1 event told"]
    assert re.fullmatch(r"hero-image is completed: (calm|bold) wins", lines[8])
