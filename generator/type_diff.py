"""Compare types of generated code: whether one is a subtype of another."""

from __future__ import annotations

import ast
from collections.abc import Collection

OMITTED = frozenset({"None", "UNSET", "Unset"})
"""The types that mean a value is omitted, and their default."""
# Covariant types: with a narrower parameter they are narrower themselves.
_COVARIANT = frozenset({"Iterable", "Mapping"})


def is_mapping_of(name: str, models: Collection[str]) -> bool:
    """Whether it is the typed dict of a model, whose fields are those of the model."""
    return name.endswith("Param") and name.removesuffix("Param") in models


def simplified(annotation: str, models: Collection[str]) -> str:
    """A type without the alternatives to a class for the same values: strings of an enum, mappings of a model."""
    return ast.unparse(_Simplifier(models).visit(_parsed(annotation)))


class _Simplifier(ast.NodeTransformer):
    def __init__(self, models: Collection[str]) -> None:
        self._models = models

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Visit a union: `DataSource | DataSourceParam`, `BindingStatus | Literal["active"]`."""
        parts = [ast.unparse(self.visit(part)) for part in _parts(node)]
        if any(part in self._models for part in parts):
            parts = [part for part in parts if not self._is_same(part)]
        return _parsed(" | ".join(parts))

    def _is_same(self, kind: str) -> bool:
        return is_mapping_of(kind, self._models) or kind == "Mapping[str, Any]" or kind.startswith("Literal[")


def members(kind: str) -> list[str]:
    """The types of a union; another type itself."""
    return [ast.unparse(part) for part in _parts(_parsed(kind))]


def without_omitted(kind: str) -> str:
    """The type of an argument, without the types that mean it is omitted."""
    return " | ".join(part for part in members(kind) if part not in OMITTED) or "None"


def fits(kind: str, other: str) -> bool:
    """Whether each value of a type is a value of the other."""
    return _fits(_parsed(kind), _parsed(other))


def _fits(node: ast.expr, other: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return all(_fits(part, other) for part in _parts(node))
    if isinstance(other, ast.BinOp):
        return any(_fits(node, part) for part in _parts(other))
    names = ast.unparse(node), ast.unparse(other)
    if names[0] == names[1] or names[1] == "Any" or names == ("int", "float"):
        return True
    if not isinstance(node, ast.Subscript) or not isinstance(other, ast.Subscript):
        return False
    generic = ast.unparse(node.value)
    if generic != ast.unparse(other.value) or generic not in _COVARIANT:
        return False
    return all(map(_fits, _arguments(node), _arguments(other)))


def _parsed(kind: str) -> ast.expr:
    return ast.parse(kind, mode="eval").body


def _parts(node: ast.expr) -> list[ast.expr]:
    return [*_parts(node.left), *_parts(node.right)] if isinstance(node, ast.BinOp) else [node]


def _arguments(node: ast.Subscript) -> list[ast.expr]:
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
