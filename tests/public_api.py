"""The public API as a text with a line per name. `make api` writes it to public_api.txt, and thereby accepts changes."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).parents[1]
SNAPSHOT = Path(__file__).with_name("public_api.txt")

# These packages have the public names that they export, and other modules those that they define.
PACKAGES = ("pictify_client", "pictify_client.models", "pictify_client.testing")
MODULES = ("errors", "types", "webhooks")


def public_api() -> str:
    """Return the text, read only from the source, so that it is the same on every Python version."""
    package = griffe.load("pictify_client", search_paths=[ROOT])
    names: dict[str, str] = {}
    lines: dict[str, str] = {}
    bases: list[griffe.Object | griffe.Alias] = []

    def add(name: str, thing: griffe.Object | griffe.Alias) -> None:
        thing = thing.final_target if isinstance(thing, griffe.Alias) else thing
        if thing.path in names:
            lines[name] = f"{name} = {names[thing.path]}"
            return
        names[thing.path] = name
        lines[name] = _line(name, thing)
        if isinstance(thing, griffe.Class):
            bases.extend(base for base in thing.resolved_bases if base.path.startswith("pictify_client."))
            for member in _public(thing.members.values()):
                add(f"{name}.{member.name}", member)

    for name in PACKAGES:
        members = package.modules_collection[name].members
        for exported in vars(importlib.import_module(name))["__all__"]:
            if not members[exported].is_module:
                add(f"{name}.{exported}", members[exported])
    for module in [*(package[name] for name in MODULES), *_modules(package["api"])]:
        for member in _public(module.members.values()):
            add(member.path, member)
    # Members of a private base class are listed with the public class.
    for base in bases:
        if base.path not in names:
            add(base.path, base)
    return "".join(f"{lines[name]}\n" for name in sorted(lines))


def _modules(package: griffe.Module) -> Iterator[griffe.Module]:
    yield package
    for each in package.modules.values():
        # Imported names belong to another module.
        if not each.is_alias:
            yield from _modules(each)


def _public(members: Iterable[griffe.Object | griffe.Alias]) -> Iterator[griffe.Object]:
    for each in members:
        if isinstance(each, griffe.Function | griffe.Class | griffe.Attribute) and (
            each.is_special or not each.name.startswith("_")
        ):
            yield each


def _line(name: str, thing: griffe.Object) -> str:
    words: list[str] = [word for word in ("property", "classmethod", "staticmethod", "async") if word in thing.labels]
    if isinstance(thing, griffe.Function):
        return " ".join([*words, thing.signature(name=name)])
    if isinstance(thing, griffe.Class):
        words += [f"@{decorator.value}" for decorator in thing.decorators]
        return " ".join([*words, "class", f"{name}({', '.join(str(base) for base in thing.bases)})"])
    assert isinstance(thing, griffe.Attribute)
    annotation = f": {thing.annotation}" if thing.annotation else ""
    # The default of a field, and the value of an enum member.
    value = f" = {thing.value}" if "class-attribute" in thing.labels and thing.value else ""
    return " ".join([*words, name + annotation + value])


if __name__ == "__main__":
    SNAPSHOT.write_text(public_api(), "utf-8")
