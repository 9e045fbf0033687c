"""Lint and type-check the code of all supported revisions of the OpenAPI document: `python -m tests.revisions`.

Each is generated as a package of the same folder, so that Ruff, mypy and basedpyright run once. The handwritten modules
are those of the project. One more package contains mistakes: the check fails if a program does not report them.
"""

from __future__ import annotations

import ast
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


def share(folder: Path) -> None:
    """Replace each module by an import of an equal one in an earlier package, so that it is type-checked once.

    Modules are equal if they have the same text, and import equal modules.
    """
    paths = sorted(folder.glob("r[0-9]*/**/*.py"))
    imports = {path: [*_imported_by(path)] for path in paths}
    keys: dict[Path, object] = {path: path.read_text("utf-8") for path in paths}
    count = 0
    while count < (count := len({*keys.values()})):
        keys = {path: hash((keys[path], *(keys[each] for each in imports[path]))) for path in paths}
    first: dict[object, Path] = {}
    for path in paths:
        known = first.setdefault(keys[path], path)
        if known != path:
            module = ".".join(known.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
            path.write_text(f"from {module} import *\n")


def _imported_by(path: Path) -> Iterator[Path]:
    """Yield the modules of its package that a module imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for module in (
                base.with_suffix(".py"),
                base / "__init__.py",
                *(base / f"{each.name}.py" for each in node.names),
            ):
                if module.exists():
                    yield module


def lint_commands(folder: Path) -> Iterator[list[str]]:
    """Yield the commands that lint, with the settings of the project."""
    project = ROOT / "pyproject.toml"
    ignored = tomllib.loads(project.read_text("utf-8"))["tool"]["ruff"]["lint"]["per-file-ignores"]
    generated = [str(path) for name in FOLDERS for path in sorted(folder.glob(f"*/{name}"))]
    ignore = f"--extend-ignore={','.join(ignored['pictify_client/{api,models}/**'])}"
    ruff = ["--no-cache", "--config", str(project), *generated]
    yield ["ruff", "check", "--output-format=concise", ignore, *ruff]
    yield ["ruff", "format", "--check", *ruff]


def type_check_commands(folder: Path) -> Iterator[list[str]]:
    """Yield the commands that check the types, in strict mode."""
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": [str(ROOT)], "ignore": [str(ROOT)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
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
        found = [line for command in lint_commands(folder) for line in run(folder, command)]
        share(folder)
        with ThreadPoolExecutor() as threads:
            for lines in threads.map(partial(run, folder), type_check_commands(folder)):
                found += lines
    for package, name in named.items():
        if any(re.search(rf"\b{package}\b", line) for line in found):
            print(f"{package}: {name}")
    print(*found, sep="\n")
    print(f"{len(named)} revisions generate code that is {'not clean' if found else 'clean'}.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
