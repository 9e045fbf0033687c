"""Lint and type-check the code of all supported revisions of the OpenAPI document: `python -m tests.revisions`.

Each is generated as a package of the same folder, so that Ruff, mypy and basedpyright run once. The handwritten modules
are those of the project. One more package contains mistakes: the check fails if a program does not report them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from generator.__main__ import FOLDERS, ROOT, generate

from ..test_generator import only_bindings
from .edits import write_document
from .supported import SUPPORTED

_IMPORTED = re.compile(
    r"^from (\.\.+)([\w.]+) import |^ *from \.\. import (?!api$|models$|Resource$)(\w+)", re.MULTILINE
)
_UNCLEAN = "import os\ndef f(a: int) -> str: return a\n"


def write(folder: Path, named: tuple[str, str]) -> None:
    """Generate a revision as a package in a folder, with the modules that the generated ones import."""
    name, revision = named
    document_folder = folder / "documents" / name
    document_folder.mkdir(parents=True)
    package = folder / name
    generate(write_document(document_folder, only_bindings, SUPPORTED[revision][0]), package)
    (package / "__init__.py").touch()
    for path in [*package.rglob("*.py")]:
        depth = len(path.relative_to(package).parts)
        for dots, module, other in _IMPORTED.findall(path.read_text("utf-8")):
            shared = module or other
            if (other or len(dots) == depth) and shared.partition(".")[0] not in FOLDERS:
                module_file = package.joinpath(*shared.split(".")).with_suffix(".py")
                module_file.parent.mkdir(exist_ok=True)
                (module_file.parent / "__init__.py").touch()
                module_file.write_text(f"from pictify_client.{shared} import *\n")


def commands(folder: Path) -> Iterator[list[str]]:
    """Yield the commands, with the settings of the project."""
    project = ROOT / "pyproject.toml"
    ignored = tomllib.loads(project.read_text("utf-8"))["tool"]["ruff"]["lint"]["per-file-ignores"]
    generated = [str(path) for name in FOLDERS for path in sorted(folder.glob(f"*/{name}"))]
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": [str(ROOT)], "ignore": [str(ROOT)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    ignore = f"--extend-ignore={','.join(ignored['pictify_client/{api,models}/**'])}"
    ruff = ["--no-cache", "--config", str(project), *generated]
    yield ["ruff", "check", "--output-format=concise", ignore, *ruff]
    yield ["ruff", "format", "--check", *ruff]
    yield ["mypy", "--strict", "--config-file=", f"--cache-dir={folder}/.mypy_cache", "."]
    yield ["basedpyright", "--project", str(folder)]


def run(folder: Path, command: list[str]) -> list[str]:
    """Run a program on the packages in a folder, and return its messages, without the expected ones."""
    programs = Path(sys.executable).parent
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "MYPYPATH": f"{ROOT}:{folder}"}
    done = subprocess.run(  # noqa: S603
        [programs / command[0], *command[1:]], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    lines = f"{done.stdout}\n{done.stderr}".splitlines()
    found = [line for line in lines if re.search(r"\br\d{3}\b", line)]
    if not any("unclean" in line for line in lines):
        found.append(f"{' '.join(command[:2])} does not report the mistakes:\n{done.stdout}{done.stderr}")
    return found


def main() -> int:
    """Check all revisions, and return the exit status."""
    named = {f"r{number:03}": name for number, name in enumerate(SUPPORTED)}
    with TemporaryDirectory() as name:
        folder = Path(name)
        unclean = folder / "unclean" / "models"
        unclean.mkdir(parents=True)
        for path in (unclean.parent / "__init__.py", unclean / "__init__.py"):
            path.touch()
        (unclean / "unclean.py").write_text(_UNCLEAN)
        with ProcessPoolExecutor() as pool:
            list(pool.map(partial(write, folder), named.items()))
        with ThreadPoolExecutor() as threads:
            found = [line for lines in threads.map(partial(run, folder), commands(folder)) for line in lines]
    for package, name in named.items():
        if any(re.search(rf"\b{package}\b", line) for line in found):
            print(f"{package}: {name}")
    print(*found, sep="\n")
    print(f"{len(named)} revisions generate code that is {'not clean' if found else 'clean'}.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
