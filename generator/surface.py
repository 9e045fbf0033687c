"""The public names of a generated package, and the changes of them that break callers.

`pictify.bindings.list(limit=…)` is an argument, `Binding.status` a field, `BindingStatus.ACTIVE` a value. Griffe
reads the code and finds breaking changes; types, which it does not compare, are compared here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import griffe
from openapi_python_client.strings import PythonIdentifier

from .type_diff import OMITTED, fits, is_mapping_of, members, simplified, without_omitted

PACKAGE = "pictify_client"
_OMITTED = "Calls without it raise a TypeError: pass it."
_GONE = "Code that names it fails: remove it."
_READ = "Adapt the code that reads it."
_PASSED = "Adapt the code that passes it."
_MISSING = "Objects without it are rejected: pass it."
REMOVED = "was removed"
_KIND = griffe.BreakageKind
# The text and the advice for each kind of change that Griffe finds. Attributes and types are compared here.
_BREAKAGES = {
    _KIND.OBJECT_REMOVED: (REMOVED, _GONE),
    _KIND.OBJECT_CHANGED_KIND: ("is another kind of object", "Adapt the code that names it."),
    _KIND.CLASS_REMOVED_BASE: ("has lost a base class", "Adapt the code that takes it for one."),
    _KIND.PARAMETER_REMOVED: (REMOVED, "Calls that pass it raise a TypeError: remove the argument."),
    _KIND.PARAMETER_CHANGED_REQUIRED: ("is required", _OMITTED),
    _KIND.PARAMETER_ADDED_REQUIRED: ("is required", _OMITTED),
    _KIND.PARAMETER_CHANGED_DEFAULT: ("has another default", "Pass the former value to keep it."),
    _KIND.PARAMETER_CHANGED_KIND: ("is passed in another way", "Pass it by keyword."),
    _KIND.PARAMETER_MOVED: ("is at another position", "Pass it by keyword."),
}
_Named = TypeVar("_Named", griffe.Attribute, griffe.Class, griffe.Function)


class Item(NamedTuple):
    """A public name.

    Attributes:
        kind: `call`, `argument`, `class`, `field` or `value`.
        type: Simplified type, for comparisons; of a call, the type of the result.
        shown: Type as users read it.
        required: Whether an argument must be passed, or a field is always present.
        summary: First sentence of the docstring; of an enum's value, the value.
    """

    kind: str
    type: str = ""
    shown: str = ""
    required: bool = False
    summary: str = ""


class Break(NamedTuple):
    """A breaking change.

    Attributes:
        how: Description of the change.
        advice: The change that the code needs, and the reason.
    """

    how: str
    advice: str


class Surface:
    """The public names of a package.

    Attributes:
        package: The package as Griffe reads it.
        items: All public names.
        calls: The method of each operation: `pictify.bindings.list` of `GET /bindings`.
        modules: The module of each operation's functions: `pictify_client.api.bindings.list_bindings`.
        bodies: The classes that are only the body of one method, whose arguments are their fields.
        sent: The other classes in arguments.
        returned: The classes in results.
    """

    def __init__(self, folder: Path) -> None:
        """Read the package in a folder."""
        self.package = griffe.load(PACKAGE, search_paths=[folder], try_relative_path=False, allow_inspection=False)
        self.items: dict[str, Item] = {}
        self.calls: dict[str, str] = {}
        self.modules: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._models = {
            model.name for module in _public(self.package["models"].modules) for model in module.classes.values()
        }
        taken: dict[str, list[str]] = {}
        results: set[str] = set()
        for resources in _public(self.package["api"].classes):
            self._names |= {tag.path: f"pictify.{tag.name}" for tag in _public(resources.attributes)}
        for tag in _public(self.package["api"].modules):
            self._read_resource(tag)
            for module in _public(tag.modules):
                body, result = self._read_functions(module)
                results |= result
                for name in body:
                    taken.setdefault(name, []).append(self.calls[_operation(module)])
        for module in _public(self.package["models"].modules):
            for model in _public(module.classes):
                if not is_mapping_of(model.name, self._models):
                    self._names[module.path] = model.name
                    self._read_model(model)
        self.sent = self._reached(_words(item.type for item in self.items.values() if item.kind == "argument"))
        self.returned = self._reached(results)
        others = self.sent | self.returned
        self.bodies = {name: calls[0] for name, calls in taken.items() if len(calls) == 1 and name not in others}
        self._fold_bodies()

    def _read_resource(self, tag: griffe.Module) -> None:
        resource = f"pictify.{tag.name}"
        self._names[tag.path] = resource
        classes = {each.name: each for each in _public(tag.classes)}
        for each in classes.values():
            self._names[each.path] = resource
            # Only the clients create resources.
            for method in (method for method in _public(each.functions) if method.name != "__init__"):
                self._names[method.path] = f"{resource}.{method.name}"
                # The async class has the same methods, and Griffe compares them too.
                if f"Async{each.name}" in classes:
                    self._read_method(method)

    def _read_method(self, method: griffe.Function) -> None:
        name = self._names[method.path]
        self.calls |= {found[1]: name for found in re.finditer(r"\(`([A-Z]+ \S+)`\)", _text(method))}
        self.items[name] = Item("call", *self._types(method.returns), summary=_sentence(_text(method)))
        described = {
            each.name: each.description
            for section in (method.docstring.parse("google") if method.docstring else ())
            if isinstance(section, griffe.DocstringSectionParameters)
            for each in section.value
        }
        for parameter in list(method.parameters)[1:]:
            summary = _sentence(described.get(parameter.name, ""))
            item = Item("argument", *self._types(parameter.annotation), parameter.required, summary)
            self.items[f"{name}({parameter.name}=…)"] = item

    def _read_functions(self, module: griffe.Module) -> tuple[set[str], set[str]]:
        """Read the functions of an operation.

        Returns:
            The names in the types of the body and of the result.
        """
        operation = _operation(module)
        self.modules[operation] = self._names[module.path] = module.path
        # `split` is for pagers only.
        functions = [each for each in _public(module.functions) if each.name != "split"]
        self._names |= {function.path: module.path for function in functions}
        function = module.functions["sync"]
        body = [str(each.annotation) for each in function.parameters if each.name == "body"]
        return _words(body), _words([str(function.returns)])

    def _read_model(self, model: griffe.Class) -> None:
        self._names[model.path] = model.name
        self.items[model.name] = Item("class", summary=_sentence(_text(model)))
        self._names[f"{model.path}.__init__"] = model.name
        is_enum = "OpenEnum" in map(str, model.bases)
        attributes = _public(model.attributes)
        for each in (each for each in attributes if is_enum or "instance-attribute" in each.labels):
            self._names[each.path] = name = f"{model.name}.{each.name}"
            types = self._types(each.annotation)
            is_optional = bool(OMITTED & _words([str(each.value or ""), *members(types[0])]))
            self.items[name] = (
                Item("value", summary=f"`{str(each.value)[1:-1]}`")
                if is_enum
                else Item("field", *types, not is_optional, _sentence(_text(each)))
            )

    def _types(self, annotation: griffe.Expr | str | None) -> tuple[str, str]:
        # Callers use the name of a class, however a module imports it.
        shown = re.sub(r"\b(?:models|builtins)\.", "", str(annotation))
        return simplified(shown, self._models), shown

    def _fold_bodies(self) -> None:
        self.items = {name: item for name, item in self.items.items() if _owner(name) not in self.bodies}
        for path, name in self._names.items():
            owner, _, field = name.partition(".")
            if field and owner in self.bodies:
                self._names[path] = self.member(owner, field)

    def _reached(self, names: Iterable[str]) -> set[str]:
        """Return the classes of these names, and the classes of their fields, recursively."""
        reached: set[str] = set()
        waiting = set(names)
        while waiting:
            name = waiting.pop()
            if name in self.items and name not in reached:
                reached.add(name)
                waiting |= _words(item.type for field, item in self.items.items() if _owner(field) == name)
        return reached

    def member(self, owner: str, api_name: str) -> str:
        """Return the argument of a method, or the field of a class, that has this name in the document."""
        call = self.bodies.get(owner, owner)
        form = f"{call}({{}}=…)" if call.startswith("pictify.") else f"{call}.{{}}"
        name = str(PythonIdentifier(api_name, "")).removesuffix("_")
        names = [form.format(each) for each in (name, f"{name}_", name.removeprefix("x_"))]
        return next((each for each in names if each in self.items), names[0])

    def name_of(self, breakage: griffe.Breakage) -> str | None:
        """Return the public name of an object that breaks; None if it has none."""
        name = self._names.get(breakage.obj.path)
        values = (breakage.old_value, breakage.new_value)
        parameter = next((each.name for each in values if isinstance(each, griffe.Parameter)), None)
        if name is None or parameter is None:
            return name
        return self.member(name, parameter) if name in self._models else f"{name}({parameter}=…)"


@dataclass
class Comparison:
    """The differences between the public names of two packages.

    Attributes:
        added: New names; not those inside a new one.
        removed: Removed names; not those inside a removed one.
        changed: Changed names, with a description of each change.
        breaks: Names whose change breaks callers.
    """

    added: list[str]
    removed: list[str]
    changed: dict[str, str]
    breaks: dict[str, Break]


def compare(old: Surface, new: Surface, renamed: Mapping[str, str]) -> Comparison:
    """Compare the public names of two packages.

    Args:
        old: The former names.
        new: The present names.
        renamed: The new names of methods and modules by their old names.
    """
    before = {_renamed(name, renamed): item for name, item in old.items.items()}
    # A class that is only a body in one of the packages is neither new nor removed.
    added = [name for name in _only(new.items, before) if _owner(name) not in old.bodies]
    removed = [name for name in _only(before, new.items) if _owner(name) not in new.bodies]
    found = Comparison(added, removed, {}, _breakages(old, new))
    gone = {name for name, how in found.breaks.items() if how.how == REMOVED}
    found.removed = [name for name in removed if _parent(name) not in gone]
    for was, name in renamed.items():
        found.changed[was] = f"was renamed to `{name}`"
        found.breaks[was] = Break(found.changed[was], "Use the new name.")
    for name, item in new.items.items():
        if name in before:
            sent = _owner(name) in new.sent
            # Classes that no call sends or returns are in the events of webhooks.
            returned = _owner(name) in old.returned or _owner(name) not in old.sent
            if change := _change(before[name], item, is_sent=sent):
                found.changed[name] = change
                if advice := _advice(before[name], item, sent=sent, returned=returned):
                    found.breaks.setdefault(name, Break(change, advice))
        elif name in found.added and item.required and (item.kind == "argument" or _owner(name) in new.sent):
            found.breaks.setdefault(name, Break("is required", _OMITTED if item.kind == "argument" else _MISSING))
    # Griffe finds removed names only inside objects that have kept their name.
    for name in found.removed:
        found.breaks.setdefault(name, Break(REMOVED, _GONE))
    return found


def _breakages(old: Surface, new: Surface) -> dict[str, Break]:
    """Return the breaking changes that Griffe finds, by public name."""
    found: dict[str, Break] = {}
    # Sorted, so that the order does not depend on the file system, and methods precede the classes of their bodies.
    for breakage in sorted(griffe.find_breaking_changes(old.package, new.package), key=lambda each: each.obj.path):
        name = old.name_of(breakage) or new.name_of(breakage)
        if name is not None and breakage.kind in _BREAKAGES and not _is_omitted(breakage):
            found.setdefault(name, Break(*_BREAKAGES[breakage.kind]))
    # A change that breaks a method breaks the functions of its operation too.
    calls = {each.modules[operation]: each.calls[operation] for each in (old, new) for operation in each.modules}
    return {name: how for name, how in found.items() if (call := _renamed(name, calls)) == name or call not in found}


def _is_omitted(breakage: griffe.Breakage) -> bool:
    """Return whether both defaults mean that the argument is omitted."""
    values = (breakage.old_value, breakage.new_value)
    return breakage.kind is _KIND.PARAMETER_CHANGED_DEFAULT and all(
        isinstance(each, griffe.Parameter) and str(each.default) in OMITTED for each in values
    )


def _public(members: Mapping[str, _Named]) -> list[_Named]:
    # Imported names belong to another module.
    return [each for each in members.values() if each.is_public and not each.is_alias]


def _operation(module: griffe.Module) -> str:
    return _text(module).strip("`")


def _text(documented: griffe.Object) -> str:
    return " ".join(documented.docstring.value.split()) if documented.docstring else ""


def _sentence(text: str) -> str:
    """Return the first sentence; empty for a single name, which is the docstring if the document has no description."""
    first = re.split(r"(?<=\.)\s", " ".join(text.split()))[0]
    return first if " " in first else ""


def _words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in re.findall(r"\w+", text)}


def _owner(name: str) -> str:
    return name.partition(".")[0]


def _parent(name: str) -> str:
    return name.partition("(")[0] if "(" in name else name.rpartition(".")[0]


def _renamed(name: str, renamed: Mapping[str, str]) -> str:
    call, bracket, rest = name.partition("(")
    return f"{renamed.get(call, call)}{bracket}{rest}"


def _only(names: Mapping[str, Item], others: Mapping[str, Item]) -> list[str]:
    """Return the names that `others` lacks; not those inside one that it lacks."""
    lacking = [name for name in names if name not in others]
    return [name for name in lacking if _parent(name) not in lacking]


def _advice(old: Item, new: Item, *, sent: bool, returned: bool) -> str:
    """Return the advice if less is accepted than before, or more is returned; empty if neither is the case."""
    if old.kind == "value":
        return "Adapt the code that compares or stores the string."
    if old.kind == "argument":
        is_new = new.required and not old.required
        return _OMITTED if is_new else "" if fits(without_omitted(old.type), without_omitted(new.type)) else _PASSED
    if sent and new.required and not old.required:
        return _MISSING
    if sent and not fits(old.type, new.type):
        return _PASSED
    return _READ if (old.kind == "call" or returned) and not fits(new.type, old.type) else ""


def _change(old: Item, new: Item, *, is_sent: bool) -> str:
    """Describe the difference; empty if there is none."""
    if old.kind == "value":
        return f"is {new.summary}, was {old.summary}" if old.summary != new.summary else ""
    if old.kind == "class":
        return ""
    changes: list[str] = []
    other = set(members(old.type)) ^ set(members(new.type))
    if old.required != new.required:
        is_passed = old.kind == "argument" or is_sent
        words = ("is optional", "is required") if is_passed else ("may be absent or null", "is always present")
        changes.append(words[new.required])
    if old.required != new.required or (old.kind == "argument" and not new.required):
        # The document says whether None is null or omitted.
        other -= OMITTED
    if other:
        changes.append(f"is `{new.shown}`, was `{old.shown}`")
    return "; ".join(changes)
