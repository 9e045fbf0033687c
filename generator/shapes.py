"""What the templates ask of the parsed contract: types, readers and writers, names, docstrings.

The generator hands its templates properties that know their stock types. Here they get ours:
free-form objects are plain dicts, `null` is told from absent, an enum takes its string too, and no
default is sent that the caller did not choose.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Iterator
from keyword import iskeyword
from textwrap import wrap
from typing import Any, NamedTuple, cast

from openapi_python_client import schema as oai
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint, EndpointCollection
from openapi_python_client.parser.properties import (
    AnyProperty,
    Class,
    EnumProperty,
    ModelProperty,
)
from openapi_python_client.parser.properties.boolean import BooleanProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.float import FloatProperty
from openapi_python_client.parser.properties.int import IntProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.none import NoneProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.string import StringProperty
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.parser.responses import Response
from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import PythonIdentifier, in_double_quote_literal, safe_for_docstring

SCALARS: dict[type, tuple[str, str]] = {
    StringProperty: ("str", "string"),
    IntProperty: ("int", "integer"),
    FloatProperty: ("float", "number"),
    BooleanProperty: ("bool", "boolean"),
}
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_WIDTH = 100
_USED_TYPES = frozenset({"bool", "dict", "float", "int", "list", "str"})
_TAKEN_FIELDS = _USED_TYPES | {"additional_properties", "classmethod", "field", "from_dict", "take", "to_dict"}
_TAKEN_ARGUMENTS = _USED_TYPES | {"body", "self"}


class UnsupportedError(Exception):
    """Something in the contract that our templates have no shape for; says what, and what to do."""


class Pages(NamedTuple):
    """A list operation: the classes of an item and of what is said of the page, and the fields of both."""

    item: str
    items: str
    info: str
    pagination: str


class Shapes:
    """What the templates call `shapes`: the functions over one parsed contract."""

    def __init__(self, document: dict[str, Any], data: GeneratorData) -> None:
        self._document = document
        self._models = {model.class_info.name: model for model in data.models}
        self._rename(data)
        self._calls = {
            str(PythonIdentifier(operation["operationId"], "field_")): (path, operation)
            for path, _, operation in operations(document)
        }

    def _rename(self, data: GeneratorData) -> None:
        """Call a field `type` and an argument `format`: the generator adds a `_` to every name of a built-in.

        And add one to what the generated code means something else by.
        """
        endpoints = [each for collection in data.endpoint_collections_by_tag.values() for each in collection.endpoints]
        names = [(prop, _TAKEN_FIELDS) for model in self._models.values() for prop in fields_of(model)]
        for endpoint in endpoints:
            names += [(prop, _TAKEN_ARGUMENTS) for prop in (*endpoint.path_parameters, *endpoint.query_parameters)]
        for prop, taken in names:
            name = prop.python_name.removesuffix("_")
            if name in taken or iskeyword(name):
                object.__setattr__(prop, "python_name", f"{name}_")
            elif hasattr(builtins, name):
                object.__setattr__(prop, "python_name", name)

    def own_models(self) -> list[ModelProperty]:
        """The models that get a class: those with fields of their own."""
        return [model for model in self._models.values() if not self._is_mapping(model)]

    @property
    def server(self) -> str:
        """The first server of the contract."""
        return str(self._document["servers"][0]["url"])

    # Types, readers and writers of values.

    def _is_mapping(self, prop: ModelProperty) -> bool:
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
            return f"dict[str, {self.type_of(self._mapped(prop))}]" if self._is_mapping(prop) else prop.class_info.name
        kind = type(prop).__name__.removesuffix("Property").lower()
        raise UnsupportedError(f"{prop.name.get_untrusted_value()} is of a kind without a shape here: {kind}")

    def annotation(self, prop: PropertyProtocol) -> str:
        """The type of a model's field."""
        inner, nullable = self._nullable(prop)
        unset = "" if prop.required else " | Unset"
        return f"{self.type_of(inner)}{unset}{' | None' if nullable else ''}"

    def _read(self, prop: PropertyProtocol, value: str, depth: int = 0) -> str:
        """The expression that reads a JSON value which is not null."""
        item = "ijklmn"[depth]
        inner, nullable = self._nullable(prop)
        if nullable:
            return f"None if {value} is None else {self._read(inner, value, depth)}"
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
            read = self._read(prop.inner_property, item, depth + 1)
            return f"[{read} for {item} in items({value}){self._but_null(prop.inner_property, item)}]"
        if isinstance(prop, ModelProperty):
            if not self._is_mapping(prop):
                return f"{prop.class_info.name}.take({value})"
            if isinstance(self._mapped(prop), AnyProperty):
                return f"mapping({value})"
            if type(self._mapped(prop)) in SCALARS:
                return f"mapping_of({value}, {', '.join(SCALARS[type(self._mapped(prop))])})"
            read = self._read(self._mapped(prop), item, depth + 1)
            return f"{{k: {read} for k, {item} in entries({value}){self._but_null(self._mapped(prop), item)}}}"
        return value

    def _but_null(self, prop: PropertyProtocol, item: str) -> str:
        return "" if self._nullable(prop)[1] else f" if {item} is not None"

    def read_field(self, prop: PropertyProtocol) -> str:
        """The expression that takes a field out of the dict it came in."""
        inner, nullable = self._nullable(prop)
        name = f'"{in_double_quote_literal(prop.name)}"'
        if isinstance(inner, AnyProperty):
            return f"pop({name}, UNSET)"
        if nullable:
            return f"v if (v := pop({name}, UNSET)) is None or v is UNSET else {self._read(inner, 'v')}"
        if type(inner) in SCALARS:
            python, reader = SCALARS[type(inner)]
            return f"v if type(v := pop({name}, None)) is {python} else {reader}(v)"
        if isinstance(inner, DateTimeProperty):
            return f"parse_datetime(pop({name}, None))"
        if self.type_of(inner) == "dict[str, Any]":
            return f"v if type(v := pop({name}, None)) is dict else mapping(v)"
        absent = "ABSENT" if prop.required else "UNSET"
        return f"{self._read(inner, 'v')} if (v := pop({name}, None)) is not None else {absent}"

    def _writer(self, prop: PropertyProtocol, depth: int = 0) -> str | None:
        """The function that makes the JSON value of what is neither None nor UNSET; None where it is that already."""
        inner, nullable = self._nullable(prop)
        item = "ijklmn"[depth]
        if nullable and depth:
            write = self._writer(inner, depth)
            return f"(lambda v: None if v is None else {write}(v))" if write else None
        if isinstance(inner, DateTimeProperty):
            return "format_datetime"
        if isinstance(inner, EnumProperty):
            return "str"
        if isinstance(inner, ListProperty):
            write = self._writer(inner.inner_property, depth + 1)
            return f"(lambda v: [{write}({item}) for {item} in v])" if write else "list"
        if isinstance(inner, ModelProperty):
            if not self._is_mapping(inner):
                return f"{inner.class_info.name}.to_dict"
            write = self._writer(self._mapped(inner), depth + 1)
            return f"(lambda v: {{k: {write}({item}) for k, {item} in v.items()}})" if write else "copied"
        return None

    def write_field(self, prop: PropertyProtocol) -> str:
        """The expression that makes the JSON value of a field, or `UNSET`."""
        field = f"self.{prop.python_name}"
        writer = self._writer(prop)
        return f"written({field}, {writer})" if writer else field

    def default(self, model: ModelProperty, prop: PropertyProtocol) -> str:
        """The default of a model's field; no one sees a password in a repr."""
        if any(map(self._is_password, self._schemas(model.data, prop.name))):
            return " = field(repr=False)" if prop.required else " = field(default=UNSET, repr=False)"
        return "" if prop.required else " = UNSET"

    # The classes that a module has to import.

    def _classes(self, props: Iterable[PropertyProtocol]) -> Iterator[Class]:
        for prop in props:
            if isinstance(prop, UnionProperty):
                yield from self._classes([self._nullable(prop)[0]])
            elif isinstance(prop, ListProperty):
                yield from self._classes([prop.inner_property])
            elif isinstance(prop, ModelProperty) and self._is_mapping(prop):
                yield from self._classes([self._mapped(prop)])
            elif isinstance(prop, ModelProperty | EnumProperty):
                yield prop.class_info

    def classes_of_model(self, model: ModelProperty) -> list[Class]:
        """The classes of a model's fields, without its own."""
        return [each for each in _unique(self._classes(fields_of(model))) if each.name != model.class_info.name]

    def enums_of_model(self, model: ModelProperty) -> list[Class]:
        """The enums among them."""
        return [each for each in self.classes_of_model(model) if each.name not in self._models]

    def enums_of_answers(self, endpoint: Endpoint) -> list[Class]:
        """The enums that an endpoint's own readers look up, beside those of the models."""
        classes = _unique(self._classes(response.prop for response in successes(endpoint)))
        return [each for each in classes if each.name not in self._models]

    def classes_of_endpoint(self, endpoint: Endpoint) -> list[Class]:
        """The classes that a call takes and gives, and those on its pages."""
        answers = [response.prop for response in successes(endpoint)]
        model = self._answer_model(endpoint)
        on_pages = fields_of(model) if model is not None and self.pages_of(endpoint) else []
        return _unique(self._classes([*endpoint.list_all_parameters(), *answers, *on_pages]))

    def classes_of_collection(self, collection: EndpointCollection) -> list[Class]:
        """The classes that the calls of a tag take and give."""
        classes = _unique(each for endpoint in collection.endpoints for each in self.classes_of_endpoint(endpoint))
        return [each for each in classes if each.name in self.names_of_collection(collection)]

    def names_of_collection(self, collection: EndpointCollection) -> set[str]:
        """All names in the signatures of a tag's resource."""
        signatures: list[str] = []
        for endpoint in collection.endpoints:
            pages = self.pages_of(endpoint)
            signatures += [self.method_signature(endpoint)]
            signatures += [f"Pager {pages.item} {pages.info}" if pages else self.method_answer(endpoint)]
        return set(re.findall(r"\w+", " ".join(signatures)))

    # Calls.

    def contract_path(self, endpoint: Endpoint) -> str:
        """The path as the contract has it."""
        return str(self._calls[endpoint.name][0])

    def readers(self, endpoint: Endpoint) -> list[tuple[int, str]]:
        """For each status of success what reads its answer."""
        found: list[tuple[int, str]] = []
        for response in successes(endpoint):
            read = self._read(response.prop, "v")
            reader = read.removesuffix("(v)") if read.endswith(".take(v)") else f"lambda v: {read}"
            found.append((_status(response), reader))
        return found

    def answer_type(self, endpoint: Endpoint) -> str:
        """The type of a successful answer."""
        return " | ".join(dict.fromkeys(self.type_of(response.prop) for response in successes(endpoint)))

    def _answer_model(self, endpoint: Endpoint) -> ModelProperty | None:
        return self._models.get(self.answer_type(endpoint))  # type: ignore[call-overload,no-any-return]

    def pages_of(self, endpoint: Endpoint) -> Pages | None:
        """What makes an operation a list in pages, read off its structure; None if it is none.

        Raises:
            UnsupportedError: It counts pages in a way that `pagination.py` does not know.
        """
        names = {parameter.python_name for parameter in endpoint.query_parameters}
        if not {"page", "offset"} & names:
            return None
        model = self._answer_model(endpoint)
        fields = fields_of(model) if model is not None else []
        lists = [field for field in fields if isinstance(field, ListProperty)]
        infos = [field for field in fields if field.python_name == "pagination" and isinstance(field, ModelProperty)]
        item = self.type_of(lists[0].inner_property) if len(lists) == 1 else ""
        if "offset" in names or item not in map(str, self._models) or len(infos) != 1:
            raise UnsupportedError(
                "it counts pages, but not by `page`, or its answer is not one list of objects and a `pagination` object"
            )
        return Pages(
            item=item,
            items=lists[0].python_name,
            info=self.type_of(infos[0]),
            pagination=infos[0].python_name,
        )

    def _argument(self, prop: PropertyProtocol) -> str:
        kind = self.type_of(prop)
        if isinstance(prop, EnumProperty):
            kind += " | str"
        elif isinstance(prop, ModelProperty) and not self._is_mapping(prop):
            kind += " | Mapping[str, Any]"
        return f"{prop.python_name}: {kind}" if prop.required else f"{prop.python_name}: {kind} | Unset | None = UNSET"

    def signature(self, endpoint: Endpoint) -> str:
        """The parameters of a function that calls an operation."""
        client = "AuthenticatedClient" if endpoint.requires_security else "Client"
        return ", ".join([*self._in_path(endpoint), "*", f"client: {client}", *self._by_keyword(endpoint)])

    def method_signature(self, endpoint: Endpoint) -> str:
        """The parameters of a method that calls an operation."""
        keywords = self._by_keyword(endpoint)
        return _in_class(", ".join(["self", *self._in_path(endpoint), *(["*", *keywords] if keywords else [])]))

    def method_answer(self, endpoint: Endpoint) -> str:
        """What a method that calls an operation gives."""
        return _in_class(self.answer_type(endpoint))

    def _in_path(self, endpoint: Endpoint) -> list[str]:
        return [self._argument(parameter) for parameter in endpoint.path_parameters]

    def _by_keyword(self, endpoint: Endpoint) -> list[str]:
        return [self._argument(prop) for prop in (*(body.prop for body in endpoint.bodies), *endpoint.query_parameters)]

    def passed_arguments(self, endpoint: Endpoint) -> list[str]:
        """All arguments, as passed on."""
        return [f"{prop.python_name}={prop.python_name}" for prop in endpoint.list_all_parameters()]

    def parameter_spec(self, endpoint: Endpoint, prop: PropertyProtocol) -> str:
        """The declaration of a parameter, with its limits."""
        schema = oai.Schema.model_validate(self._parameter(endpoint, prop).get("schema", {}))
        words = [f'"{prop.python_name}"', f'"{in_double_quote_literal(prop.name)}"']
        if (kind := self.type_of(prop)) != "str":
            words.append(kind)
        limits = {"minimum": schema.minimum, "maximum": schema.maximum}
        words += [f"{name}={_number(limit)}" for name, limit in limits.items() if limit is not None]
        return f"Parameter({', '.join(words)})"

    def method_name(self, endpoint: Endpoint) -> str:
        """The operation's name without its tag's noun: `list_bindings` of the tag Bindings is `list`."""
        nouns = {form for word in endpoint.tags[0].split("_") for form in (word, word.removesuffix("s"), f"{word}s")}
        return "_".join(word for word in endpoint.name.split("_") if word not in nouns)

    # Docstrings.

    def tag_doc(self, tag: str, indent: int = 0) -> str:
        """What the contract says of a tag."""
        tags = self._document.get("tags", [])
        said = next((each.get("description") for each in tags if PythonIdentifier(each["name"], "tag") == tag), None)
        return _docstring(_filled(said or f"{tag.replace('_', ' ').capitalize()}.", indent), indent)

    def model_doc(self, model: ModelProperty) -> str:
        """What the contract says of a schema."""
        return _docstring(_filled(_text(model.description) or f"{model.class_info.name}.", 4), 4)

    def enum_doc(self, enum: EnumProperty) -> str:
        """What the contract says of an enum, in a schema rather than at a parameter."""
        props = (prop for model in self._models.values() for prop in fields_of(model) if isinstance(prop, EnumProperty))
        said = next((prop.description for prop in props if prop.class_info == enum.class_info), enum.description)
        return _docstring(_filled(_text(said) or f"{enum.class_info.name}.", 4), 4)

    def field_doc(self, model: ModelProperty, prop: PropertyProtocol) -> str:
        """What the contract says of a field, with its limits."""
        text = (
            _with_limits(_text(prop.description), next(self._schemas(model.data, prop.name)))
            or f"`{prop.name.get_untrusted_value()}`."
        )
        return _docstring(_filled(text, 4), 4)

    def call_doc(self, endpoint: Endpoint, *, client: bool = False, detailed: bool = False, indent: int = 4) -> str:
        """The docstring of a function that calls an operation."""
        call = f"`{endpoint.method.upper()} {self.contract_path(endpoint)}`"
        summary = _text(endpoint.summary) or endpoint.name.replace("_", " ").capitalize()
        lines = [_filled(f"{summary.rstrip('.')} ({call}).", indent)]
        if endpoint.description:
            lines += ["", _filled(_text(endpoint.description), indent)]
        arguments = [("client", "The client to send with.")] if client else []
        arguments += [(prop.python_name, self._argument_doc(endpoint, prop)) for prop in endpoint.list_all_parameters()]
        if arguments:
            lines += ["", "Args:", *(_filled(f"{name}: {text}", indent + 4, hanging=4) for name, text in arguments)]
        answer = next((_text(_described(response)) for response in successes(endpoint)), "")
        paged = self.pages_of(endpoint) is not None and not client
        if paged:
            answer = "The list: iterate over it for the items of all pages, from `page` on. Nothing is sent before."
        elif detailed:
            answer = "The response, whatever its status: `parsed` is the answer of a success, `error` any other."
        lines += ["", "Returns:", _filled(answer or "What the API answers.", indent + 4, hanging=0, first=4)]
        raises = [
            ("APIConnectionError", "No whole answer came."),
            ("ResponseDecodeError", "The answer has not the shape of the contract."),
            ("TypeError, ValueError", "An argument is not what the contract takes; nothing was sent."),
        ]
        if not detailed:
            raises.insert(0, ("APIStatusError", "The API refused or failed; each status has a class of its own."))
        lines += ["", "Raises:", *(_filled(f"{name}: {text}", indent + 4, hanging=4) for name, text in raises)]
        return _docstring("\n".join(lines), indent)

    def _argument_doc(self, endpoint: Endpoint, prop: PropertyProtocol) -> str:
        raw = self._parameter(endpoint, prop)
        if not raw:
            return _text(prop.description) or "The body."
        return _with_limits(raw.get("description", ""), oai.Schema.model_validate(raw.get("schema", {})))

    def _parameter(self, endpoint: Endpoint, prop: PropertyProtocol) -> dict[str, Any]:
        """A parameter as the contract has it: the generator keeps neither its description nor its limits."""
        place = "path" if prop in endpoint.path_parameters else "query"
        path, operation = self._calls[endpoint.name]
        for given in (*operation.get("parameters", []), *self._document["paths"][path].get("parameters", [])):
            name = given.get("$ref", "").rpartition("/")[2]
            parameter: dict[str, Any] = self._document["components"]["parameters"][name] if name else given
            if prop.name == parameter["name"] and parameter["in"] == place:
                return parameter
        return {}

    def _is_password(self, schema: oai.Schema | oai.Reference | bool | None) -> bool:
        if schema is None or isinstance(schema, bool):
            return False
        known = self._resolved(schema)
        inner = (known.items, known.additionalProperties)
        return known.schema_format == "password" or any(map(self._is_password, inner))

    def _resolved(self, schema: oai.Schema | oai.Reference) -> oai.Schema:
        if isinstance(schema, oai.Schema):
            return schema
        name = schema.ref.get_untrusted_value().rpartition("/")[2]
        return oai.Schema.model_validate(self._document["components"]["schemas"][name])

    def _schemas(self, data: oai.Schema | oai.Reference, name: UntrustedString) -> Iterator[oai.Schema]:
        """The schemas of the field of that name, in an object and in all that it is made of."""
        known = self._resolved(data)
        field = (known.properties or {}).get(name)
        if field is not None:
            yield self._resolved(field)
        for part in known.allOf:
            yield from self._schemas(part, name)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The path, the method and the operation of all that the document describes."""
    paths: Any = document.get("paths")
    for path, item in cast("dict[str, Any]", paths).items() if isinstance(paths, dict) else ():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def fields_of(model: ModelProperty) -> list[PropertyProtocol]:
    """The fields of a model, the required ones first."""
    return [*(model.required_properties or []), *(model.optional_properties or [])]


def successes(endpoint: Endpoint) -> list[Response]:
    """The answers of single statuses (200 and the like) in the 200s."""
    single = (response for response in endpoint.responses.patterns if not response.status_code.is_range())
    return [response for response in single if 200 <= _status(response) < 300]


def _status(response: Response) -> int:
    return response.status_code.range[0] if response.status_code.range else 0


def _in_class(annotation: str) -> str:
    """The annotation for a class that may have a method `list`, which hides the type."""
    return re.sub(r"\blist\[", "builtins.list[", annotation)


def _described(response: Response) -> UntrustedString | None:
    return response.data.description if isinstance(response.data, oai.Response) else None


def _unique(classes: Iterable[Class]) -> list[Class]:
    return sorted({each.name: each for each in classes}.values(), key=lambda each: each.name)


def _text(said: UntrustedString | None) -> str:
    return said.get_untrusted_value() if said else ""


def _with_limits(text: str, schema: oai.Schema) -> str:
    """The description, and what the schema says of bounds and of the value that the API takes by itself."""
    said: list[str] = []
    for least, most, unit in (
        (schema.minimum, schema.maximum, ""),
        (schema.minLength, schema.maxLength, " characters"),
        (schema.minItems, schema.maxItems, " items"),
    ):
        if least is not None and most is not None:
            said.append(f"{_number(least)} to {_number(most)}{unit}")
        elif least is not None:
            said.append(f"at least {_number(least)}{unit}")
        elif most is not None:
            said.append(f"at most {_number(most)}{unit}")
    if schema.enum:
        said.append(f"one of {', '.join(f'`{value}`' for value in schema.enum)}")
    if schema.default is not None:
        said.append(f"left out, it is {schema.default}")
    return " ".join(part for part in (text, f"{_capital('; '.join(said))}." if said else "") if part)


def _number(limit: float) -> str:
    return str(int(limit)) if limit == int(limit) else repr(limit)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _filled(text: str, indent: int, *, hanging: int = 0, first: int | None = None) -> str:
    """Text as it stands in a docstring, wrapped; `hanging` is the indent of an entry's later lines."""
    lead = " " * (hanging if first is None else first)
    paragraphs = re.split(r"\n\s*\n", safe_for_docstring(text))
    return "\n\n".join(
        "\n".join(
            wrap(
                paragraph,
                _WIDTH - indent,
                initial_indent=lead,
                subsequent_indent=lead + " " * hanging,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
        for paragraph in paragraphs
    )


def _docstring(text: str, indent: int) -> str:
    """What stands between the quotes of a docstring."""
    lines = text.split("\n")
    if len(lines) == 1:
        return f'{text[:-1]}\\"' if text.endswith('"') else text
    return "\n".join([lines[0], *(f"{' ' * indent}{line}".rstrip() for line in lines[1:]), " " * indent])
