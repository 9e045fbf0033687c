"""Whether what supported revisions of the contract generate is clean: `python -m tests.revisions`.

All of them are generated into one folder, a package each, so that Ruff, mypy and basedpyright run once. The modules that
are written by hand are those of the project.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from generator.__main__ import ROOT, generate

from ..test_generator import only_bindings
from .edits import written
from .supported import SUPPORTED

GENERATED = ("api", "models")
_IMPORTED = re.compile(r"^from (\.\.+)(\w+) import |^from \.\. import (?!api$|models$|Resource$)(\w+)", re.MULTILINE)


def write(folder: Path, named: tuple[str, str]) -> None:
    """Generate a revision as a package of a folder."""
    package, name = named
    build = folder / package
    contract = folder / f"contracts/{package}"
    contract.mkdir(parents=True)
    generate(written(contract, only_bindings, SUPPORTED[name][0]), build)


def complete(package: Path) -> None:
    """Give a package the modules that what is generated imports, with the names of the project's own."""
    (package / "__init__.py").touch()
    for path in [*package.rglob("*.py")]:
        depth = len(path.relative_to(package).parts)
        for dots, module, other in _IMPORTED.findall(path.read_text("utf-8")):
            name = module or other
            if (other or len(dots) == depth) and name not in GENERATED:
                (package / f"{name}.py").write_text(f"from pictify_client.{name} import *\n")


def problems(folder: Path) -> Iterator[str]:
    """What the project's own rules say of the packages in a folder."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]["per-file-ignores"]
    ignored = ",".join(settings["pictify_client/{api,models}/**"])
    project = str(ROOT / "pyproject.toml")
    programs = Path(sys.executable).parent
    generated = [str(path) for name in GENERATED for path in sorted(folder.glob(f"*/{name}"))]
    ruff: list[str | Path] = [
        programs / "ruff",
        "check",
        "--quiet",
        "--no-cache",
        "--output-format=concise",
        "--config",
        project,
    ]
    (folder / "pyrightconfig.json").write_text(
        f'{{"typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": ["{ROOT.as_posix()}"], "ignore": '
        f'["{ROOT.as_posix()}"]}}'
    )
    commands: list[list[str | Path]] = [
        [*ruff, f"--extend-ignore={ignored}", *generated],
        [programs / "ruff", "format", "--quiet", "--no-cache", "--check", "--config", project, *generated],
        [programs / "mypy", "--strict", "--config-file=", "--no-error-summary", "--cache-dir", ROOT / ".mypy_cache/revisions", "."],
        [programs / "basedpyright", "--project", folder],
    ]  # fmt: skip
    for command in commands:
        found = subprocess.run(  # noqa: S603
            command,
            cwd=folder,
            env={"PATH": f"{programs}:/usr/bin:/bin", "MYPYPATH": f"{ROOT}:{folder}"},
            capture_output=True,
            text=True,
            check=False,
        )
        if found.returncode:
            yield found.stdout + found.stderr


def main() -> int:
    """Check them all; answer the exit status."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        named = [(f"r{number:03}", name) for number, name in enumerate(SUPPORTED)]
        with ProcessPoolExecutor() as pool:
            list(pool.map(partial(write, folder), named))
        for package, _ in named:
            complete(folder / package)
        found = "".join(problems(folder))
    names = dict(named)
    for package in sorted({*re.findall(r"\br\d{3}\b", found)}):
        if package in names:
            print(f"{package}: {names[package]}")
    print(found or f"{len(named)} revisions are clean.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
