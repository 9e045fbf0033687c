"""Check the generated files before they are installed: each is valid Python and defines no name twice."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path


def problems_of_output(build: Path) -> Iterator[str]:
    """Yield the problems of the files in a folder, each after the name of its file."""
    for path in sorted(build.rglob("*.py")):
        name = path.relative_to(build).as_posix()
        text = path.read_text("utf-8")
        try:
            compile(text, name, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError) as error:
            yield f"{name}: the generated code is not valid Python: {error}"
            continue
        yield from (f"{name}: {problem}" for problem in _repeated(ast.parse(text)))


def _repeated(tree: ast.Module) -> Iterator[str]:
    for where, body in (("the module", tree.body), *_classes(tree)):
        counts = Counter(_bound(body))
        for name, count in counts.items():
            if count > 1:
                yield f"two definitions would be named {name} in {where}"


def _classes(tree: ast.Module) -> Iterator[tuple[str, list[ast.stmt]]]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield f"the class {node.name}", node.body


def _bound(body: Iterable[ast.stmt]) -> Iterator[str]:
    """The names that statements bind, without those of alternative branches."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.If):
            yield from _bound(node.body)
