"""Values of the contract in Python: types, and the expressions that read, check and write them.

The generator hands its templates properties that know their stock types. Here they get ours:
free-form objects are plain dicts, `null` is told from absent, an enum takes its string too, and no
default is sent that the caller did not choose.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from keyword import iskeyword
from typing import Any, cast

from openapi_python_client import schema as oai
from openapi_python_client.parser import GeneratorData
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
from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import in_double_quote_literal

from .document import followed
from .prose import number, text_of

SCALARS: dict[type, tuple[str, str]] = {
    StringProperty: ("str", "string"),
    IntProperty: ("int", "integer"),
    FloatProperty: ("float", "number"),
    BooleanProperty: ("bool", "boolean"),
}
_USED_TYPES = frozenset({"bool", "dict", "float", "int", "list", "str"})
_TAKEN_FIELDS = (
    _USED_TYPES
    | {"Any", "ClassVar", "FIELDS", "Iterable", "Literal", "Mapping", "NAMES", "RULES", "Self", "additional_properties"}
    | {"classmethod", "datetime", "field", "from_dict", "hidden", "models", "prepare", "shown", "take", "to_dict"}
)
# As arguments of a call they would be taken for something else, or hide what the methods use.
_TAKEN_ARGUMENTS = (
    _USED_TYPES
    | {"allow_error_pixel", "body", "client", "modules", "operations", "prefetch"}
    | {"response", "self", "split"}
)
_ITEMS = "ijklmn"


_NARROWEST: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
}
_UNIONS = frozenset({"allOf", "anyOf", "oneOf"})


class UnsupportedError(Exception):
    """Something in the contract that our templates have no shape for; says what, and what to do."""


class Values:
    """The types of one parsed contract, and what is done with values of them."""

    def __init__(self, document: dict[str, Any], data: GeneratorData) -> None:
        self._document = document
        self._models = {model.class_info.name: model for model in data.models}
        self._endpoints = [
            each for collection in data.endpoint_collections_by_tag.values() for each in collection.endpoints
        ]
        self._rename()
        sent = self._models_in(body for endpoint in self._endpoints for body in self.bodies(endpoint))
        self._sent = {model.class_info.name for model in sent}
        self._nested = {
            each.class_info.name
            for endpoint in self._endpoints
            for body in endpoint.bodies
            for each in self._models_in(self._inner(cast("PropertyProtocol", body.prop)))
        }

    def _inner(self, body: PropertyProtocol) -> list[PropertyProtocol]:
        """What a body holds: the fields of an object, or else itself."""
        if isinstance(body, ModelProperty) and not self.is_mapping(body):
            return fields_of(self._models[body.class_info.name])
        return [body]

    def _rename(self) -> None:
        """Call a field `type` and an argument `format`: the generator adds a `_` to every name of a built-in.

        And add one to what the generated code means something else by.
        """
        bodies = {
            body.class_info.name
            for endpoint in self._endpoints
            for body in self.bodies(endpoint)
            if isinstance(body, ModelProperty)
        }
        names: list[tuple[PropertyProtocol, frozenset[str]]] = []
        for model in self._models.values():
            taken = _TAKEN_FIELDS | _TAKEN_ARGUMENTS if model.class_info.name in bodies else _TAKEN_FIELDS
            names += [(prop, taken) for prop in fields_of(model)]
        for endpoint in self._endpoints:
            parameters = (*endpoint.path_parameters, *endpoint.query_parameters, *endpoint.header_parameters)
            names += [(prop, _TAKEN_ARGUMENTS) for prop in parameters]
        headers: dict[int, set[str]] = {}
        for endpoint in self._endpoints:
            others = {str(prop.python_name) for prop in endpoint.list_all_parameters()}
            headers |= {id(prop): others for prop in endpoint.header_parameters}
        for prop, taken in names:
            name = str(prop.python_name).removesuffix("_")
            if prop.name.get_untrusted_value().startswith("_"):
                # The generator says `field_meta` of `_meta`.
                name = name.removeprefix("field_")
                object.__setattr__(prop, "python_name", name)
            if id(prop) in headers and name.removeprefix("x_") not in headers[id(prop)]:
                # A header of one's own was once to begin with `X-`.
                name = name.removeprefix("x_")
            if name in taken or iskeyword(name):
                object.__setattr__(prop, "python_name", f"{name}_")
            elif hasattr(builtins, name) or id(prop) in headers:
                object.__setattr__(prop, "python_name", name)

    def own_models(self) -> list[ModelProperty]:
        """The models with fields of their own."""
        return [model for model in self._models.values() if not self.is_mapping(model)]

    def bodies(self, endpoint: Endpoint) -> list[PropertyProtocol]:
        """The properties that a body may be."""
        props = [cast("PropertyProtocol", body.prop) for body in endpoint.bodies]
        return [
            part for prop in props for part in (prop.inner_properties if isinstance(prop, UnionProperty) else [prop])
        ]

    def _models_in(self, props: Iterable[PropertyProtocol]) -> Iterator[ModelProperty]:
        """The models that these are made of, with all that is nested in them."""
        waiting = [self._models[each.name] for each in self.classes_of(props) if each.name in self._models]
        seen: set[str] = set()
        while waiting:
            model = waiting.pop()
            if model.class_info.name not in seen:
                seen.add(model.class_info.name)
                yield model
                inner = self.classes_of(fields_of(model))
                waiting += [self._models[each.name] for each in inner if each.name in self._models]

    def is_sent(self, model: ModelProperty) -> bool:
        """Whether calls send it."""
        return model.class_info.name in self._sent

    # Types.

    def is_mapping(self, prop: ModelProperty) -> bool:
        """Whether it is a free-form object."""
        model = self._models[prop.class_info.name]
        return not model.required_properties and not model.optional_properties and bool(model.additional_properties)

    def _mapped(self, prop: ModelProperty) -> PropertyProtocol:
        """The type of the values in a free-form object."""
        return self._models[prop.class_info.name].additional_properties  # type: ignore[return-value]

    @staticmethod
    def _nullable(prop: PropertyProtocol) -> tuple[PropertyProtocol, bool]:
        """The property without `null`, and whether it has it."""
        if not isinstance(prop, UnionProperty):
            return prop, False
        inner = [part for part in prop.inner_properties if not isinstance(part, NoneProperty)]
        if len(inner) != 1:
            types = " and ".join(part.get_type_string().as_unembedded_code() for part in inner)
            raise UnsupportedError(f"{prop.name.get_untrusted_value()} may be one of several types ({types})")
        return inner[0], True

    def type_of(self, prop: PropertyProtocol) -> str:
        """The Python type of a value.

        Raises:
            UnsupportedError: There is none.
        """
        inner, nullable = self._nullable(prop)
        if nullable:
            return f"{self.type_of(inner)} | None"
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
        raise UnsupportedError(f"{prop.name.get_untrusted_value()} is of a kind without a shape here: {kind}")

    def annotation(self, model: ModelProperty, prop: PropertyProtocol) -> str:
        """The type of a model's field."""
        inner, _ = self._nullable(prop)
        kind = self.type_of(inner)
        if isinstance(inner, EnumProperty) and self.is_sent(model):
            # For those who create one.
            kind = self.given_type(inner)
        return kind if self._is_always_there(model, prop) or kind == "Any" else f"{kind} | None"

    def _is_always_there(self, model: ModelProperty, prop: PropertyProtocol) -> bool:
        return (prop.required and not self._nullable(prop)[1]) or self._is_always_list(model, prop)

    def given_type(self, prop: PropertyProtocol) -> str:
        """The type of a value that a caller gives: what is natural, beside what it is in the end."""
        if both := self.one_or_many(prop):
            return " | ".join(self.given_type(part) for part in both)
        inner, nullable = self._nullable(prop)
        kind = self.type_of(inner)
        if isinstance(inner, DateTimeProperty):
            kind += " | str"
        elif isinstance(inner, EnumProperty):
            kind += f" | {self._literal_type(inner)}"
        elif isinstance(inner, ListProperty):
            kind = f"Iterable[{self.given_type(inner.inner_property)}]"
        elif isinstance(inner, ModelProperty) and self.is_mapping(inner):
            kind = f"Mapping[str, {self.given_type(self._mapped(inner))}]"
        elif isinstance(inner, ModelProperty):
            kind += f" | {kind}Param" if self.has_param(inner) else " | Mapping[str, Any]"
        return f"{kind} | None" if nullable else kind

    def _literal_type(self, prop: EnumProperty) -> str:
        """The strings that stand for the members of an enum: any, if the API takes more than it documents."""
        if prop.class_info.name in self._extensible:
            return "str"
        values = (f'"{in_double_quote_literal(UntrustedString(str(value)))}"' for value in prop.values.values())
        return f"Literal[{', '.join(values)}]"

    @cached_property
    def _extensible(self) -> set[str]:
        """The enums of which the API takes more values than it documents."""
        return {
            each.name
            for schema, prop in self._declared()
            if self._is_extensible(schema)
            for each in self.classes_of([prop])
        }

    def _declared(self) -> Iterator[tuple[oai.Schema, PropertyProtocol]]:
        """What callers give, with its schema."""
        for model in self._models.values():
            for prop in fields_of(model):
                yield self.field_schema(model, prop), prop

    def _is_extensible(self, schema: oai.Schema) -> bool:
        items = (schema.items,) if isinstance(schema.items, oai.Schema | oai.Reference) else ()
        return any("x-extensible" in (self.limited(each).model_extra or {}) for each in (schema, *items))

    def has_param(self, model: ModelProperty) -> bool:
        """Whether calls take it as a value within others, which may also be a mapping."""
        return model.class_info.name in self._nested

    def param_import(self, class_info: Class) -> str:
        """What a module that imports a class may need with it."""
        return f", {class_info.name}Param" if class_info.name in self._nested else ""

    def with_params(self, imports: list[str]) -> list[str]:
        """The imports of all models, and of the mappings in the place of them."""
        named = {statement.split()[3]: statement for statement in imports}
        return imports + [f"{named[name]}Param" for name in self._nested if name in named]

    def param(self, model: ModelProperty) -> str:
        """The class of a mapping in the place of a model."""
        name = model.class_info.name
        doc = f"`{name}` as a mapping, with the names of the API."
        types = {
            prop.name.get_untrusted_value(): f"Required[{given}]" if prop.required else given
            for prop in self.sent_fields(model)
            for given in [self.given_type(prop)]
        }
        if all(key.isidentifier() and not iskeyword(key) for key in types):
            fields = "".join(f"    {key}: {kind}\n" for key, kind in types.items())
            return f'class {name}Param(TypedDict, total=False):\n    """{doc}"""\n\n{fields}'
        named = ((in_double_quote_literal(UntrustedString(key)), kind) for key, kind in types.items())
        fields = ", ".join(f'"{key}": {kind!r}' for key, kind in named)
        return f'{name}Param = TypedDict("{name}Param", {{{fields}}}, total=False)\n"""{doc}"""'

    def one_or_many(self, prop: PropertyProtocol) -> tuple[ModelProperty, ListProperty] | None:
        """The object, and the list of such objects, where a value may be either."""
        parts = prop.inner_properties if isinstance(prop, UnionProperty) else []
        models = [part for part in parts if isinstance(part, ModelProperty)]
        lists = [part for part in parts if isinstance(part, ListProperty)]
        if len(parts) != 2 or len(models) != 1 or len(lists) != 1:
            return None
        inner = lists[0].inner_property
        same = isinstance(inner, ModelProperty) and inner.class_info == models[0].class_info
        return (models[0], lists[0]) if same and not self.is_mapping(models[0]) else None

    # Reading.

    def read(self, prop: PropertyProtocol, value: str, depth: int = 0) -> str:
        """The expression that reads a JSON value which is not null."""
        item = _item(depth)
        inner, nullable = self._nullable(prop)
        if nullable:
            return f"None if {value} is None else {self.read(inner, value, depth)}"
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
                return f"{prop.class_info.name}.take({value})"
            if isinstance(self._mapped(prop), AnyProperty):
                return f"mapping({value})"
            if type(self._mapped(prop)) in SCALARS:
                return f"mapping_of({value}, {', '.join(SCALARS[type(self._mapped(prop))])})"
            read = self.read(self._mapped(prop), item, depth + 1)
            return f"{{k: {read} for k, {item} in entries({value}){self._but_null(self._mapped(prop), item)}}}"
        return value

    def reader(self, prop: PropertyProtocol) -> str:
        """The function that reads a JSON value."""
        read = self.read(prop, "v")
        call = read.removesuffix("(v)")
        return call if call != read and call.replace(".", "").replace("_", "").isalnum() else f"lambda v: {read}"

    def _but_null(self, prop: PropertyProtocol, item: str) -> str:
        return "" if self._nullable(prop)[1] else f" if {item} is not None"

    def read_field(self, model: ModelProperty, prop: PropertyProtocol) -> str:
        """The expression that takes a field out of the dict it came in."""
        read = self._read_field(model, prop)
        for each in self.classes_of_model(model):
            read = re.sub(rf"\b{each.name}\.take\(", f"_{each.module_name}(", read)
        if any(map(self._is_password, self.schemas_of(model.data, prop.name))):
            return re.sub(r'(?<!")\bstring\b(?!")', "secret", read)
        return read

    def _read_field(self, model: ModelProperty, prop: PropertyProtocol) -> str:
        inner, nullable = self._nullable(prop)
        name = f'"{in_double_quote_literal(prop.name)}"'
        for alias in self._extension(model, prop, "x-aliases") or ():
            name = f'{name} if {name} in d else "{in_double_quote_literal(UntrustedString(alias))}"'
        value = f"pop({name}, None)"
        if isinstance(inner, AnyProperty):
            return value
        is_required = prop.required and not nullable
        kind = self.type_of(inner)
        if type(inner) in SCALARS or kind == "dict[str, Any]":
            python, reader = SCALARS.get(type(inner), ("dict", "mapping"))
            absent = "" if is_required else " or v is None"
            return f"v if type(v := {value}) is {python}{absent} else {reader}(v)"
        if is_required and not self._is_always_list(model, prop):
            return self.read(inner, value)
        absent = "[]" if self._is_always_list(model, prop) else "None"
        return f"{self.read(inner, 'v')} if (v := {value}) is not None else {absent}"

    def _is_always_list(self, model: ModelProperty, prop: PropertyProtocol) -> bool:
        """Whether a list of a response is empty where it is absent, as its default says."""
        schema = next(self.schemas_of(model.data, prop.name))
        return isinstance(prop, ListProperty) and schema.default == [] and not self.is_sent(model)

    def _extension(self, model: ModelProperty, prop: PropertyProtocol, name: str) -> Any:
        """The value of an extension of OpenAPI at a field; None if it has none."""
        schemas = self.schemas_of(model.data, prop.name)
        return next((extra[name] for schema in schemas if name in (extra := schema.model_extra or {})), None)

    def mixin(self, model: ModelProperty) -> str | None:
        """The class in `results.py` that a model derives from; None for those that only hold data."""
        return (self.resolved(model.data).model_extra or {}).get("x-mixin")

    # Declaring.

    def names(self, model: ModelProperty) -> str:
        """The fields that have another name in Python than in the API, as the items of a dict."""
        names = ((prop.python_name, in_double_quote_literal(prop.name)) for prop in fields_of(model))
        return ", ".join(f'"{name}": "{theirs}"' for name, theirs in names if name != theirs)

    def default(self, model: ModelProperty, prop: PropertyProtocol) -> str:
        """The default of a model's field; no one sees a password in a repr."""
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

    def _has_password(self, model: ModelProperty) -> bool:
        fields = fields_of(model)
        return any(self._is_password(schema) for prop in fields for schema in self.schemas_of(model.data, prop.name))

    # Checking what a caller gives.

    def sent_fields(self, model: ModelProperty) -> list[PropertyProtocol]:
        """The fields of a model that calls send: all but those which only the API sets."""
        return [
            prop
            for prop in fields_of(model)
            if not any(schema.readOnly for schema in self.schemas_of(model.data, prop.name))
        ]

    def rules(self, model: ModelProperty) -> list[str]:
        """The declarations of the rules between the fields of a model that calls send."""
        known: list[Any] = (self.resolved(model.data).model_extra or {}).get("x-rules", [])
        return [f"{name}({', '.join(map(_literal, arguments))})" for name, arguments in known]

    def field_spec(self, model: ModelProperty, prop: PropertyProtocol) -> str:
        """The declaration of a field that calls send."""
        return self.argument_spec(prop, self.field_schema(model, prop))

    def field_schema(self, model: ModelProperty, prop: PropertyProtocol) -> oai.Schema:
        """The schema of a field, with the limits of all places that it has one in."""
        return self.limited(*self.schemas_of(model.data, prop.name))

    def argument_spec(self, prop: PropertyProtocol, schema: oai.Schema, *, is_parameter: bool = False) -> str:
        """The declaration of an argument, with its limits."""
        words = [f'"{prop.python_name}"', f'"{in_double_quote_literal(prop.name)}"', self.kind_of(prop, schema)]
        # A URL and a header have no null.
        flags = {"required": prop.required, "nullable": self._nullable(prop)[1] and not is_parameter}
        return f"Argument({', '.join([*words, *(f'{name}=True' for name, said in flags.items() if said)])})"

    def kind_of(self, prop: PropertyProtocol, schema: oai.Schema | oai.Reference | bool | None) -> str:
        """The expression for what a value may be."""
        if both := self.one_or_many(prop):
            parts = self.parts_of(self.resolved(schema)) if isinstance(schema, oai.Schema | oai.Reference) else ()
            unions = (each for part in parts for each in (*part.oneOf, *part.anyOf))
            many = next((each for each in unions if self.resolved(each).items), None)
            return f"OneOrMany({self.kind_of(both[0], None)}, {self.kind_of(both[1], many)})"
        known = self.limited(schema) if isinstance(schema, oai.Schema | oai.Reference) else oai.Schema()
        inner, _ = self._nullable(prop)
        if isinstance(inner, StringProperty):
            pattern = repr(text_of(known.pattern)) if known.pattern else None
            secret = True if self._is_password(known) else None
            return _called(
                "String", min_length=known.minLength, max_length=known.maxLength, pattern=pattern, secret=secret
            )
        if isinstance(inner, IntProperty | FloatProperty):
            name = "Integer" if isinstance(inner, IntProperty) else "Number"
            above, below = known.exclusiveMinimum, known.exclusiveMaximum
            return _called(name, minimum=known.minimum, maximum=known.maximum, above=above, below=below)
        if isinstance(inner, BooleanProperty):
            return "Boolean()"
        if isinstance(inner, DateTimeProperty):
            return "DateTime()"
        if isinstance(inner, EnumProperty):
            is_extensible = (known.model_extra or {}).get("x-extensible") or None
            return _called("Choice", inner.class_info.name, extensible=is_extensible)
        if isinstance(inner, ListProperty):
            kind = self.kind_of(inner.inner_property, known.items)
            return _called("ListOf", kind, min_items=known.minItems, max_items=known.maxItems)
        if isinstance(inner, ModelProperty):
            if not self.is_mapping(inner):
                return f"Object({inner.class_info.name})"
            mapped = self._mapped(inner)
            words = [] if isinstance(mapped, AnyProperty) else [self.kind_of(mapped, known.additionalProperties)]
            names = (known.model_extra or {}).get("propertyNames", {}).get("pattern")
            pattern = None if names is None else repr(names)
            return _called("MapOf", *words, max_items=known.maxProperties, key_pattern=pattern)
        return "Anything()"

    # The classes that a module has to import.

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

    def lookup(self, class_info: Class) -> str:
        """What reads a value of a class: bound to a name of the module, as an attribute of a class is slow to find."""
        return f"{class_info.name}.{'take' if class_info.name in self._models else 'by_value'}"

    # Schemas as the contract has them.

    def _is_password(self, schema: oai.Schema | oai.Reference | bool | None) -> bool:
        if schema is None or isinstance(schema, bool):
            return False
        known = self.resolved(schema)
        inner = (known.items, known.additionalProperties, *known.allOf, *known.anyOf, *known.oneOf)
        return known.schema_format == "password" or any(map(self._is_password, inner))

    def resolved(self, schema: oai.Schema | oai.Reference) -> oai.Schema:
        """The schema itself, or the one that is referred to."""
        if isinstance(schema, oai.Schema):
            return schema
        return oai.Schema.model_validate(followed(self._document, {"$ref": schema.ref.get_untrusted_value()}))

    def limited(self, *schemas: oai.Schema | oai.Reference) -> oai.Schema:
        """What one value has to meet all of, as one schema: the narrowest of limits, and else what comes first."""
        parts = [part for schema in schemas for part in self.parts_of(self.resolved(schema))]
        if len(parts) == 1:
            return parts[0]
        said: dict[str, Any] = {}
        for part in parts:
            for name in part.model_fields_set & oai.Schema.model_fields.keys():
                value = getattr(part, name)
                narrowest = _NARROWEST.get(name)
                if said.get(name) is None:
                    said[name] = value
                elif narrowest is not None and value is not None:
                    said[name] = narrowest(said[name], value)
        extra = {name: value for part in reversed(parts) for name, value in (part.model_extra or {}).items()}
        return oai.Schema.model_construct(**{name: said[name] for name in said if name not in _UNIONS}, **extra)

    def parts_of(self, schema: oai.Schema) -> Iterator[oai.Schema]:
        """The schema, and those that hold beside it: of its `allOf`, and the one that may be beside null."""
        yield schema
        for part in schema.allOf:
            yield from self.parts_of(self.resolved(part))
        for union in (schema.anyOf, schema.oneOf):
            kinds = [known for part in union if (known := self.resolved(part)).type != oai.DataType.NULL]
            if len(kinds) == 1:
                yield from self.parts_of(kinds[0])

    def schemas_of(self, data: oai.Schema | oai.Reference, name: UntrustedString) -> Iterator[oai.Schema]:
        """The schemas of the field of that name, in an object and in all that it is made of."""
        known = self.resolved(data)
        field = (known.properties or {}).get(name)
        if field is not None:
            yield self.resolved(field)
        for part in known.allOf:
            yield from self.schemas_of(part, name)


def fields_of(model: ModelProperty) -> list[PropertyProtocol]:
    """The fields of a model, the required ones first."""
    return [*(model.required_properties or []), *(model.optional_properties or [])]


def unique(classes: Iterable[Class]) -> list[Class]:
    """Each class once, by name."""
    return sorted({each.name: each for each in classes}.values(), key=lambda each: each.name)


def _item(depth: int) -> str:
    return _ITEMS[depth] if depth < len(_ITEMS) else f"{_ITEMS[-1]}{depth}"


def _literal(argument: object) -> str:
    """The argument of a rule in Python: a name, a group of names, or a value."""
    if isinstance(argument, list):
        return f"({', '.join(map(_literal, cast('list[object]', argument)))},)"
    return f'"{in_double_quote_literal(UntrustedString(argument))}"' if isinstance(argument, str) else repr(argument)


def _called(name: str, *words: str, **limits: float | str | None) -> str:
    """A call in Python, without the arguments that are None."""
    said = [
        f"{key}={limit if isinstance(limit, bool | str) else number(limit)}"
        for key, limit in limits.items()
        if limit is not None
    ]
    return f"{name}({', '.join([*words, *said])})"
