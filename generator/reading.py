"""Expressions that decode values from JSON."""

from __future__ import annotations

from collections.abc import Iterable

from openapi_python_client.parser.properties import AnyProperty, Class, EnumProperty, ModelProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.union import UnionProperty

from .naming import Names
from .schemas import fields_of, plain, quoted, renamed
from .value_types import SCALARS

_ITEMS = "ijklmn"


class Readers(Names):
    """Expressions that decode values from JSON."""

    def read(self, prop: PropertyProtocol, value: str, depth: int = 0) -> str:
        """The expression that decodes a JSON value which is not null."""
        item = _item(depth)
        inner, nullable = self._nullable(prop)
        if nullable:
            return f"None if {value} is None else {self.read(inner, value, depth)}"
        if isinstance(inner, UnionProperty):
            return self._read_one_of(inner, value)
        if type(prop) in SCALARS:
            python, reader = SCALARS[type(prop)]
            return f"{value} if type({value}) is {python} else {reader}({value})"
        if isinstance(prop, DateTimeProperty):
            return f"parse_datetime({value})"
        if isinstance(prop, EnumProperty):
            return f"_{prop.class_info.module_name}[{value}]"
        if isinstance(prop, ListProperty):
            if isinstance(prop.inner_property, AnyProperty):
                return f"items({value})"
            read = self.read(prop.inner_property, item, depth + 1)
            return f"[{read} for {item} in items({value}){self._but_null(prop.inner_property, item)}]"
        if isinstance(prop, ModelProperty):
            if not self.is_mapping(prop):
                return f"{prop.class_info.name}.__decode__({value})"
            if isinstance(self._mapped(prop), AnyProperty):
                return f"mapping({value})"
            if type(self._mapped(prop)) in SCALARS:
                return f"mapping_of({value}, {', '.join(SCALARS[type(self._mapped(prop))])})"
            read = self.read(self._mapped(prop), item, depth + 1)
            return f"{{k: {read} for k, {item} in entries({value}){self._but_null(self._mapped(prop), item)}}}"
        return value

    def _read_one_of(self, union: UnionProperty, value: str) -> str:
        members = self.members_of(union)
        tags = self.tags_of(union)
        if tags is None:
            return f"one_of({', '.join([value, *map(self.reader, members)])})"
        name, models = tags
        words = [value, quoted(name), _dict((tag, self.reader(model)) for tag, model in models.items())]
        others = [self.reader(each) for each in members if not isinstance(each, ModelProperty)]
        return f"tagged({', '.join([*words, *others])})"

    def reader(self, prop: PropertyProtocol) -> str:
        """The function that decodes a JSON value."""
        if type(prop) in SCALARS:
            return SCALARS[type(prop)][1]
        read = self.read(prop, "v")
        call = read.removesuffix("(v)")
        return call if call != read and call.replace(".", "").replace("_", "").isalnum() else f"lambda v: {read}"

    def _but_null(self, prop: PropertyProtocol, item: str) -> str:
        return "" if self._nullable(prop)[1] else f" if {item} is not None"

    def read_field(self, model: ModelProperty, prop: PropertyProtocol) -> str:
        """The expression that pops a field from the decoded dict and converts it."""
        read = self._read_field(model, prop)
        names = {f"{each.name}.__decode__": f"_{each.module_name}" for each in self.classes_of_model(model)}
        if any(map(self._is_password, self.schemas_of(model.data, prop.name))):
            names["string"] = "secret"
        return renamed(read, names)

    def _read_field(self, model: ModelProperty, prop: PropertyProtocol) -> str:
        inner, nullable = self._nullable(prop)
        *others, last = map(quoted, (prop.name, *(self._extension(model, prop, "x-aliases") or ())))
        value = f"pop({''.join(f'{name} if {name} in d else ' for name in others)}{last}, None)"
        if isinstance(inner, AnyProperty):
            return value
        is_required = self.is_required(model, prop) and not nullable
        kind = self.type_of(inner)
        if type(inner) in SCALARS or kind == "dict[str, Any]":
            python, reader = SCALARS.get(type(inner), ("dict", "mapping"))
            absent = "" if is_required else " or v is None"
            return f"v if type(v := {value}) is {python}{absent} else {reader}(v)"
        if is_required and not self._is_always_list(model, prop):
            return self.read(inner, value)
        absent = "[]" if self._is_always_list(model, prop) else "None"
        return f"{self.read(inner, 'v')} if (v := {value}) is not None else {absent}"

    def mixin(self, model: ModelProperty) -> str | None:
        """The base class of a model in `results.py`; None if the model has no methods."""
        return self._extra(model.data).get("x-mixin")

    def early_and_late(self, model: ModelProperty) -> tuple[list[Class], list[Class]]:
        """The classes that a model's module imports before its class, and those it can import only after it."""
        classes = self.classes_of_model(model)
        late = [each for each in classes if self.is_circular(model, each)]
        return [each for each in classes if each not in late], late

    def lookup(self, class_info: Class) -> str:
        """The decoding function of a class, bound to a name of the module, as looking up a class attribute is slow."""
        return f"{class_info.name}.{'__decode__' if class_info.name in self._models else 'by_value'}"

    def names(self, model: ModelProperty) -> str:
        """The fields that have another name in Python than in the API, as the items of a dict."""
        return ", ".join(
            f'"{prop.python_name}": {quoted(prop.name)}'
            for prop in fields_of(model)
            if prop.python_name != plain(prop.name)
        )

    def default(self, model: ModelProperty, prop: PropertyProtocol) -> str:
        """The default of a model's field; passwords are excluded from the repr."""
        if self._is_always_list(model, prop):
            return f" = field(factory={self.type_of(prop)})"
        default = None if self._is_always_there(model, prop) else "None"
        kept = None
        if any(map(self._is_password, self.schemas_of(model.data, prop.name))):
            kept = "hidden"
        elif self.is_sent(model) and any(map(self._has_password, self._models_in([prop]))):
            kept = "shown"
        if kept is None:
            return "" if default is None else f" = {default}"
        return f" = field(repr={kept})" if default is None else f" = field(default={default}, repr={kept})"


def _item(depth: int) -> str:
    return _ITEMS[depth] if depth < len(_ITEMS) else f"{_ITEMS[-1]}{depth}"


def _dict(items: Iterable[tuple[str, str]]) -> str:
    return f"{{{', '.join(f'{quoted(key)}: {value}' for key, value in items)}}}"
