"""The Python types of values, of arguments, and of the fields of models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from keyword import iskeyword

from attrs import evolve
from openapi_python_client import schema as oai
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import AnyProperty, Class, EnumProperty, ModelProperty
from openapi_python_client.parser.properties.boolean import BooleanProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.float import FloatProperty
from openapi_python_client.parser.properties.int import IntProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.none import NoneProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.string import StringProperty
from openapi_python_client.parser.properties.union import UnionProperty

from .navigation import UnsupportedError
from .schemas import Schemas, fields_of, quoted, unique, values_of

SCALARS: dict[type, tuple[str, str]] = {
    StringProperty: ("str", "string"),
    IntProperty: ("int", "integer"),
    FloatProperty: ("float", "number"),
    BooleanProperty: ("bool", "boolean"),
}


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|.')


class Types(Schemas):
    """The Python types of values, of arguments, and of the fields of models."""

    @cached_property
    def _sent(self) -> set[str]:
        """The names of the models in requests."""
        props = (prop for endpoint in self._endpoints for prop in self.inputs_of(endpoint))
        return {model.class_info.name for model in self._models_in(props)}

    def inputs_of(self, endpoint: Endpoint) -> list[PropertyProtocol]:
        """The inputs of a call: its body and its parameters."""
        return [*endpoint.list_all_parameters()]

    @cached_property
    def _nested(self) -> set[str]:
        """The names of the models that are nested in others in a request."""
        return {
            each.class_info.name
            for endpoint in self._endpoints
            for prop in self.inputs_of(endpoint)
            for each in self._models_in(self._inner(prop) if prop.name == "body" else [prop])
        }

    def own_models(self) -> list[ModelProperty]:
        """The models with their own fields."""
        return [model for model in self._models.values() if not self.is_mapping(model)]

    def body_model(self, endpoint: Endpoint) -> ModelProperty | None:
        """The object whose fields are the keyword arguments of a method; None if there is none."""
        body = endpoint.bodies[0].prop if endpoint.bodies else None
        both = self.one_or_many(body) if isinstance(body, UnionProperty) else None
        prop = both[0] if both else body
        if not isinstance(prop, ModelProperty) or self.is_mapping(prop):
            return None
        return self._models[prop.class_info.name]

    def is_mapping(self, prop: ModelProperty) -> bool:
        """Whether it is a free-form object."""
        model = self._models[prop.class_info.name]
        return not model.required_properties and not model.optional_properties and bool(model.additional_properties)

    def values_in(self, prop: ModelProperty) -> list[PropertyProtocol]:
        """The properties of an object, or the values of a free-form object if they are typed."""
        if not self.is_mapping(prop):
            return fields_of(self._models[prop.class_info.name])
        mapped = self._mapped(prop)
        return [] if isinstance(mapped, AnyProperty) else [mapped]

    def _mapped(self, prop: ModelProperty) -> PropertyProtocol:
        """The type of the values in a free-form object."""
        return self._models[prop.class_info.name].additional_properties  # type: ignore[return-value]

    @staticmethod
    def _nullable(prop: PropertyProtocol) -> tuple[PropertyProtocol, bool]:
        """The property without `null`, and whether it has it."""
        if not isinstance(prop, UnionProperty):
            return prop, False
        inner = [part for part in prop.inner_properties if not isinstance(part, NoneProperty)]
        is_nullable = len(inner) < len(prop.inner_properties)
        anything = next((part for part in inner if isinstance(part, AnyProperty)), None)
        if anything or len(inner) == 1:
            return anything or inner[0], is_nullable
        return (evolve(prop, inner_properties=inner) if is_nullable else prop), is_nullable

    def alternatives_of(self, prop: PropertyProtocol) -> list[PropertyProtocol]:
        """The types that a value may be of, without `null`."""
        inner, _ = self._nullable(prop)
        return self.members_of(inner) if isinstance(inner, UnionProperty) else [inner]

    def members_of(self, union: UnionProperty) -> list[PropertyProtocol]:
        """The types of a union without `null`, the narrower ones first."""
        return sorted(union.inner_properties, key=self._breadth)

    def _breadth(self, prop: PropertyProtocol) -> int:
        return isinstance(prop, StringProperty) or (isinstance(prop, ModelProperty) and self.is_mapping(prop))

    def tags_of(self, union: UnionProperty) -> tuple[str, dict[str, ModelProperty]] | None:
        """The field that distinguishes the objects of a union, and the object for each of its values; None without one.

        It is the discriminator, or a field that has different constants in each of them.
        """
        objects = [part for part in union.inner_properties if isinstance(part, ModelProperty)]
        if len(objects) < 2 or any(map(self.is_mapping, objects)):
            return None
        classes = {str(part.class_info.name): part for part in objects}
        if tags := self._tags.get(frozenset(classes)):
            return tags[0], {value: classes[name] for value, name in tags[1].items()}
        known = [self._constants(self._models[each.class_info.name]) for each in objects]
        for name in known[0]:
            values = [value for each in known for value in each.get(name, ())]
            if all(name in each for each in known) and len(values) == len(set(values)):
                return name, {value: part for part, each in zip(objects, known, strict=True) for value in each[name]}
        return None

    def _constants(self, model: ModelProperty) -> dict[str, list[str]]:
        """The values of the required enums of an object."""
        required = (prop for prop in model.required_properties or [] if isinstance(prop, EnumProperty))
        return {prop.name.get_untrusted_value(): values_of(prop) for prop in required}

    def type_of(self, prop: PropertyProtocol) -> str:
        """The Python type of a value.

        Raises:
            UnsupportedError: If there is none.
        """
        inner, nullable = self._nullable(prop)
        if inner is not prop:
            return union_of([self.type_of(inner), *(["None"] if nullable else [])])
        if isinstance(prop, UnionProperty):
            return union_of(map(self.type_of, self.members_of(prop)))
        if type(prop) in SCALARS:
            return SCALARS[type(prop)][0]
        if isinstance(prop, AnyProperty):
            return "Any"
        if isinstance(prop, DateTimeProperty):
            return "datetime"
        if isinstance(prop, EnumProperty) and prop.value_type is str:
            return prop.class_info.name
        if isinstance(prop, ListProperty):
            return f"list[{self.type_of(prop.inner_property)}]"
        if isinstance(prop, ModelProperty):
            return f"dict[str, {self.type_of(self._mapped(prop))}]" if self.is_mapping(prop) else prop.class_info.name
        kind = type(prop).__name__.removesuffix("Property").lower()
        raise UnsupportedError(f"{prop.name.get_untrusted_value()} is of an unsupported type: {kind}")

    def one_or_many(self, prop: PropertyProtocol) -> tuple[ModelProperty, ListProperty] | None:
        """The object and the list of such objects, if a value may be either."""
        parts = prop.inner_properties if isinstance(prop, UnionProperty) else []
        models = [part for part in parts if isinstance(part, ModelProperty)]
        lists = [part for part in parts if isinstance(part, ListProperty)]
        if len(parts) != 2 or len(models) != 1 or len(lists) != 1:
            return None
        inner = lists[0].inner_property
        same = isinstance(inner, ModelProperty) and inner.class_info == models[0].class_info
        return (models[0], lists[0]) if same and not self.is_mapping(models[0]) else None

    def classes_of(self, props: Iterable[PropertyProtocol]) -> Iterator[Class]:
        """The classes in the types of properties."""
        for prop in props:
            if isinstance(prop, UnionProperty):
                yield from self.classes_of(prop.inner_properties)
            elif isinstance(prop, ListProperty):
                yield from self.classes_of([prop.inner_property])
            elif isinstance(prop, ModelProperty) and self.is_mapping(prop):
                yield from self.classes_of([self._mapped(prop)])
            elif isinstance(prop, ModelProperty | EnumProperty):
                yield prop.class_info

    def classes_of_model(self, model: ModelProperty) -> list[Class]:
        """The classes of a model's fields, without its own."""
        return [each for each in unique(self.classes_of(fields_of(model))) if each.name != model.class_info.name]

    def _models_in(self, props: Iterable[PropertyProtocol]) -> Iterator[ModelProperty]:
        """The models in these properties, including nested ones."""
        waiting = [self._models[each.name] for each in self.classes_of(props) if each.name in self._models]
        seen: set[str] = set()
        while waiting:
            model = waiting.pop()
            if model.class_info.name not in seen:
                seen.add(model.class_info.name)
                yield model
                inner = self.classes_of(fields_of(model))
                waiting += [self._models[each.name] for each in inner if each.name in self._models]

    def _inner(self, body: PropertyProtocol) -> list[PropertyProtocol]:
        """The fields of a body that is an object, or else the body itself."""
        if isinstance(body, ModelProperty) and not self.is_mapping(body):
            return fields_of(self._models[body.class_info.name])
        return [body]

    def is_sent(self, model: ModelProperty) -> bool:
        """Whether it occurs in requests."""
        return model.class_info.name in self._sent

    def has_param(self, model: ModelProperty) -> bool:
        """Whether it is nested in arguments, where it may also be a mapping."""
        return model.class_info.name in self._nested

    def argument_type(self, prop: PropertyProtocol) -> str:
        """The type of an argument, including the more convenient types that are converted."""
        if both := self.one_or_many(prop):
            return " | ".join(self.argument_type(part) for part in both)
        inner, nullable = self._nullable(prop)
        if isinstance(inner, UnionProperty):
            return union_of([*map(self.argument_type, self.members_of(inner)), *(["None"] if nullable else [])])
        kind = self.type_of(inner)
        if isinstance(inner, DateTimeProperty):
            kind += " | str"
        elif isinstance(inner, EnumProperty):
            kind += f" | {self._literal_type(inner)}"
        elif isinstance(inner, ListProperty):
            kind = f"Iterable[{self.argument_type(inner.inner_property)}]"
        elif isinstance(inner, ModelProperty) and self.is_mapping(inner):
            kind = f"Mapping[str, {self.argument_type(self._mapped(inner))}]"
        elif isinstance(inner, ModelProperty):
            kind += f" | {kind}Param" if self.has_param(inner) else " | Mapping[str, Any]"
        return f"{kind} | None" if nullable else kind

    def _literal_type(self, prop: EnumProperty) -> str:
        """The strings accepted for an enum: any, if the API accepts more values than it documents."""
        if prop.class_info.name in self._extensible:
            return "str"
        return f"Literal[{', '.join(map(quoted, values_of(prop)))}]"

    @cached_property
    def _extensible(self) -> set[str]:
        """The enums for which the API accepts more values than it documents."""
        return {name for schema, prop in self._declared() for name in self._extensible_in(prop, schema)}

    def _declared(self) -> Iterator[tuple[oai.Schema | oai.Reference, PropertyProtocol]]:
        """Yield the arguments of all operations with their schemas."""
        for model in self._models.values():
            for prop in fields_of(model):
                yield self.field_schema(model, prop), prop
        for endpoint in self._endpoints:
            for prop in (*endpoint.path_parameters, *endpoint.query_parameters, *endpoint.header_parameters):
                yield self.parameter_schema(endpoint, prop), prop
            for body in endpoint.bodies:
                yield self.body_schema(endpoint), body.prop

    def _extensible_in(self, prop: PropertyProtocol, schema: oai.Schema | oai.Reference | bool | None) -> Iterator[str]:
        if not isinstance(schema, oai.Schema | oai.Reference):
            return
        inner, _ = self._nullable(prop)
        known = self.limited(schema)
        if isinstance(inner, UnionProperty):
            for part, alternative in zip(inner.inner_properties, self.alternatives_in(schema), strict=False):
                yield from self._extensible_in(part, alternative)
        elif isinstance(inner, EnumProperty) and "x-extensible" in (known.model_extra or {}):
            yield inner.class_info.name
        elif isinstance(inner, ListProperty):
            yield from self._extensible_in(inner.inner_property, known.items)
        elif isinstance(inner, ModelProperty) and self.is_mapping(inner):
            yield from self._extensible_in(self._mapped(inner), known.additionalProperties)

    def annotation(self, model: ModelProperty, prop: PropertyProtocol) -> str:
        """The type of a model's field."""
        inner, _ = self._nullable(prop)
        kind = self.type_of(inner)
        if isinstance(inner, EnumProperty) and self.is_sent(model):
            # For callers who create one.
            kind = self.argument_type(inner)
        return kind if self._is_always_there(model, prop) or kind == "Any" else f"{kind} | None"

    def _is_always_there(self, model: ModelProperty, prop: PropertyProtocol) -> bool:
        return (self.is_required(model, prop) and not self._nullable(prop)[1]) or self._is_always_list(model, prop)

    def is_required(self, model: ModelProperty, prop: PropertyProtocol) -> bool:
        """Whether a model always has a field, even if only requests or only responses require it."""
        schema = self.field_schema(model, prop)
        is_missing = (schema.readOnly and self.is_sent(model)) or (schema.writeOnly and self._is_received(model))
        return prop.required and not is_missing

    @cached_property
    def _received(self) -> set[str]:
        """The names of the models in responses."""
        props = (response.prop for endpoint in self._endpoints for response in endpoint.responses.patterns)
        return {model.class_info.name for model in self._models_in(props)}

    def _is_received(self, model: ModelProperty) -> bool:
        return model.class_info.name in self._received

    def _is_always_list(self, model: ModelProperty, prop: PropertyProtocol) -> bool:
        """Whether an absent list in a response is decoded as an empty one, as its default says."""
        schema = next(self.schemas_of(model.data, prop.name))
        return isinstance(prop, ListProperty) and schema.default == [] and not self.is_sent(model)

    def sent_fields(self, model: ModelProperty) -> list[PropertyProtocol]:
        """The fields of a model in requests: all except those which only the API sets."""
        return [
            prop
            for prop in fields_of(model)
            if not any(schema.readOnly for schema in self.schemas_of(model.data, prop.name))
        ]

    def param(self, model: ModelProperty) -> str:
        """The typed dict of a model."""
        name = model.class_info.name
        doc = f"`{name}` as a mapping, with the names of the API."
        types = {
            prop.name.get_untrusted_value(): f"Required[{kind}]" if prop.required else kind
            for prop in self.sent_fields(model)
            for kind in [self.argument_type(prop)]
        }
        if all(key.isidentifier() and not iskeyword(key) for key in types):
            fields = "".join(f"    {key}: {kind}\n" for key, kind in types.items())
            return f'class {name}Param(TypedDict, total=False):\n    """{doc}"""\n\n{fields}'
        fields = ", ".join(f"{quoted(key)}: {kind!r}" for key, kind in types.items())
        return f'{name}Param = TypedDict("{name}Param", {{{fields}}}, total=False)\n"""{doc}"""'

    def is_circular(self, model: ModelProperty, other: Class) -> bool:
        """Whether a class that a model uses refers back to the model."""
        used = self._models.get(other.name)
        return used is not None and any(each is self._models[model.class_info.name] for each in self._models_in([used]))

    def param_import(self, class_info: Class) -> str:
        """The import of the typed dict of a class, if the class has one."""
        return f", {class_info.name}Param" if class_info.name in self._nested else ""


def union_of(kinds: Iterable[str]) -> str:
    """The union of types, without duplicates and types that another one includes."""
    parts = dict.fromkeys(part for kind in kinds for part in _parts(kind))
    if "Any" in parts:
        return "Any"
    if "float" in parts:
        parts.pop("int", None)
    literals = [part.removeprefix("Literal[").removesuffix("]") for part in parts if part.startswith("Literal[")]
    parts = dict.fromkeys(part for part in parts if not part.startswith("Literal["))
    if literals and "str" not in parts:
        parts[f"Literal[{', '.join(literals)}]"] = None
    return " | ".join([*(part for part in parts if part != "None"), *(["None"] if "None" in parts else [])])


def _parts(kind: str) -> list[str]:
    parts, depth = [""], 0
    for word in _TOKEN.findall(kind):
        depth += (word == "[") - (word == "]")
        if word == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += word
    return [part.strip() for part in parts]
