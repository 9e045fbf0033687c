"""Lazy imports: of the names of a package, and of modules that only annotations name."""

from __future__ import annotations

import sys
from importlib import import_module


def attach(package: str, names: dict[str, list[str]], submodules: tuple[str, ...] = ()) -> None:
    """Give a package names that live in its submodules, by `__getattr__` and `__dir__` (PEP 562), and `__all__`.

    Args:
        package: The package's `__name__`.
        names: The public names that each submodule defines.
        submodules: Submodules that are public themselves.
    """
    module = sys.modules[package]
    modules = {name: name for name in submodules} | {name: each for each in names for name in names[each]}

    def find(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=module)
        submodule = import_module(f"{package}.{modules[name]}")
        value: object = submodule if modules[name] == name else getattr(submodule, name)
        setattr(module, name, value)
        return value

    vars(module).update(__all__=tuple(modules), __getattr__=find, __dir__=lambda: sorted({*vars(module), *modules}))


class Deferred:
    """A module that annotations name, imported when something reads them: `typing.get_type_hints`, say.

    It stands in for a module that would import this one, or is not needed otherwise. Type checkers see the import.

    Args:
        name: The module: absolute, or relative to the package.
        package: The `__package__` of the module that names it.
    """

    def __init__(self, name: str, package: str | None = None) -> None:
        self._name = name
        self._package = package

    def __getattr__(self, name: str) -> object:
        return getattr(import_module(self._name, self._package), name)
