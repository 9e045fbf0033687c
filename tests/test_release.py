"""Releases: the version, the distributions, the licences of dependencies, the public API."""

from __future__ import annotations

import difflib
import re
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import requires
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from build import ProjectBuilder
from packaging.requirements import Requirement

from generator.__main__ import ROOT
from pictify_client import __version__

from .public_api import SNAPSHOT, public_api

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
STEM = f"pictify_client-{__version__}"
# The Mozilla licence, of certifi and orjson, obliges only those who change their files. The last entry is the BSD prefix.
LICENCES = "Apache;BSD;MIT;MPL;PSF;Python Software Foundation;Redistribution and use in source and binary forms"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


def built(kind: Any, source: Path, folder: Path) -> Path:
    # With the installed hatchling, so that nothing is downloaded.
    return Path(ProjectBuilder(source, python_executable=sys.executable).build(kind, str(folder)))


def test_the_wheel_has_the_package_and_its_metadata(wheel: Path) -> None:
    assert wheel.name == f"{STEM}-py3-none-any.whl"
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "pictify_client").rglob("*.py")}
    about = {
        f"{STEM}.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    }
    with ZipFile(wheel) as archive:
        assert set(archive.namelist()) == {*modules, *about, "pictify_client/py.typed"}
        entry_points = archive.read(f"{STEM}.dist-info/entry_points.txt").decode()
    assert entry_points.split() == ["[pytest11]", "pictify_client", "=", "pictify_client.testing.plugin"]


def test_the_readme_on_the_package_index_has_no_broken_link(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        metadata = archive.read(f"{STEM}.dist-info/METADATA").decode()
    readme = metadata.partition("\n\n")[2]
    assert "Description-Content-Type: text/markdown\n" in metadata
    assert "# pictify-client\n" in readme
    assert "[Pictify](https://pictify.io)" in readme
    assert "See CONTRIBUTING.md." in readme
    assert re.findall(r"\]\((?!https://)[^)]*\)", readme) == []


def test_the_sdist_has_the_package_and_its_build_files(sdist: Path) -> None:
    assert sdist.name == f"{STEM}.tar.gz"
    with tarfile.open(sdist) as archive:
        names = {name.removeprefix(f"{STEM}/") for name in archive.getnames()}
    about = {".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
    assert {name for name in names if not name.startswith("pictify_client/")} == about
    assert {"pictify_client/py.typed", "pictify_client/models/binding.py"} <= names


def test_the_sdist_builds_the_same_wheel(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    assert built("wheel", tmp_path / STEM, tmp_path).read_bytes() == wheel.read_bytes()


def test_the_changelog_begins_with_this_version_or_unreleased_changes() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    latest, *_ = re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)
    assert latest in {"Unreleased", __version__}
    assert re.search(rf"^## \[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d$", text, re.MULTILINE)


def test_the_version_is_in_one_module() -> None:
    version = re.compile(rf"""["']{re.escape(__version__)}["']""")
    modules = [path for path in (ROOT / "pictify_client").rglob("*.py") if version.search(path.read_text("utf-8"))]
    assert modules == [ROOT / "pictify_client/_runtime/version.py"]


def needed(requirements: Iterable[str], extras: Iterable[str] = ()) -> Iterator[str]:
    """The names of all packages that these requirements install."""
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement.name
            yield from needed(requires(requirement.name) or [], requirement.extras)


def test_dependencies_have_permissive_licences() -> None:
    names = {*needed([f"pictify-client[{','.join(PROJECT['optional-dependencies'])}]"])}
    assert {"attrs", "httpx", "httpcore", "orjson", "h2"} <= names
    command = [sys.executable, "-m", "piplicenses", "--from=mixed", "--partial-match", "--allow-only", LICENCES]
    subprocess.run([*command, "--packages", *names], check=True)  # noqa: S603


def test_the_extras_are_the_documented_ones() -> None:
    documented = re.findall(r"'pictify-client\[(\w+)\]'", (ROOT / "docs/clients.md").read_text("utf-8"))
    assert sorted(documented) == sorted(PROJECT["optional-dependencies"])


def test_the_make_targets_of_the_workflows_exist() -> None:
    workflows = "".join(path.read_text("utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml"))
    lines = [*re.findall(r"run: make ([^>\n]+)", workflows), *re.findall(r" target: \[(.+)\]", workflows)]
    words = [word.strip(",") for line in lines for word in line.split()]
    made = {word for word in words if re.fullmatch("[a-z][a-z0-9-]*", word)}
    assert {"check", "docs", "generate", "spec-diff", "test-lowest"} <= made
    assert made <= set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def test_the_public_api_is_the_accepted_one() -> None:
    accepted, present = SNAPSHOT.read_text("utf-8"), public_api()
    changes = "".join(difflib.unified_diff(accepted.splitlines(True), present.splitlines(True), "accepted", "now", n=0))
    assert not changes, f"the public API has changed; `make api` accepts it:\n{changes}"
