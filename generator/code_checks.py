"""What in a document would be lost or wrong in the generated code, which the generator itself lets pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from keyword import iskeyword
from typing import Any

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import EnumProperty, ModelProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.strings import ClassName

from .document import place
from .document_checks import operation_place
from .pages import successes
from .schemas import UnsupportedError, fields_of
from .shapes import Shapes
from .value_types import SCALARS

# Names that the generated modules import, of which a schema must not be another.
_TAKEN = frozenset(
    {"Any", "Anything", "Argument", "AsyncBatchJob", "AsyncFile", "AsyncPager", "AtLeastOne", "AuthenticatedClient"}
    | {"BatchJob", "Boolean", "Choice", "Client", "DateTime", "ExactlyOne", "File", "Final", "Integer", "Iterable"}
    | {
        "ListOf",
        "MapOf",
        "Mapping",
        "Model",
        "NotTogether",
        "Nullable",
        "Number",
        "Object",
        "OneOf",
        "OneOrMany",
        "OpenEnum",
        "Operation",
    }
    | {"Pager", "Requires", "RequiresValue", "Resource", "Resources", "Response", "Self", "String", "Unset"}
    | {"Callable", "ClassVar", "Literal", "Required", "TypeAlias", "TypedDict", "WebhookData", "WebhookEventName"}
)
# What the clients have beside their resources.
_TAKEN_TAGS = frozenset({"aclose", "client", "close", "download", "with_options"})
_RENAME = "give it another name in generator-config.yaml (`class_overrides`)"


def problems_of_code(data: GeneratorData, shapes: Shapes) -> list[str]:
    """What the templates have no shape for, or would make no working code of."""
    found: list[str] = []
    for tag, collection in data.endpoint_collections_by_tag.items():
        methods = Counter(shapes.method_name(endpoint) for endpoint in collection.endpoints)
        if tag in _TAKEN_TAGS or ClassName(tag, "") in _TAKEN:
            endpoint = collection.endpoints[0]
            where = place(("paths", shapes.contract_path(endpoint), endpoint.method, "tags"))
            found.append(f"{where}: the tag {ClassName(tag, '')}: clients have something else by that name")
        urls = Counter(shapes.url_name(each) for each in collection.endpoints if shapes.has_url(each))
        names = methods + urls
        for endpoint in collection.endpoints:
            name = shapes.url_name(endpoint) if shapes.has_url(endpoint) else ""
            if names[name] > 1:
                where = operation_place(shapes.contract_path(endpoint), endpoint.method)
                found.append(f"{where}: the tag {tag}: two methods would be {tag}.{name}")
        for endpoint in collection.endpoints:
            where = operation_place(shapes.contract_path(endpoint), endpoint.method)
            method = shapes.method_name(endpoint)
            if methods[method] > 1 or not method.isidentifier() or iskeyword(method):
                found.append(f"{where}: its method would be {tag}.{method}, which is no name, or another's too")
            found += [f"{where}: {problem}" for problem in _endpoint_problems(endpoint, shapes)]
    for model in shapes.own_models():
        problems = [*_type_problems(fields_of(model), shapes)]
        if shapes.is_sent(model):
            problems += [*_several_limits(model, shapes), *_field_problems(model, shapes)]
        where = f"{shapes.place_of(model)}: " if problems else ""
        found += [f"{where}the schema {model.class_info.name}: {problem}" for problem in dict.fromkeys(problems)]
    for part in (*shapes.own_models(), *data.enums):
        if part.class_info.name in _TAKEN:
            name = part.class_info.name
            where = shapes.place_of(part) if isinstance(part, ModelProperty) else shapes.place_of_enum(part)
            found.append(f"{where}: the schema {name}: the generated code means something else by that name; {_RENAME}")
    return found


def _endpoint_problems(endpoint: Endpoint, shapes: Shapes) -> Iterator[str]:
    if endpoint.cookie_parameters:
        yield "it has a parameter in a cookie"
    if len(endpoint.bodies) > 1 or any(body.content_type != "application/json" for body in endpoint.bodies):
        yield "its body is not application/json, or of several media types"
        return
    for parameter in (*endpoint.path_parameters, *endpoint.query_parameters, *endpoint.header_parameters):
        yield from _parameter_problems(endpoint, parameter, shapes)
    try:
        answers = [response.prop for response in successes(endpoint)] if shapes.kind(endpoint) == "json" else []
        yield from _type_problems((*(body.prop for body in endpoint.bodies), *answers), shapes)
        if endpoint.bodies:
            shapes.body_spec(endpoint)
        for parameter in (*endpoint.path_parameters, *endpoint.query_parameters, *endpoint.header_parameters):
            shapes.parameter_spec(endpoint, parameter)
        shapes.pages_of(endpoint)
        shapes.job_of(endpoint)
    except UnsupportedError as error:
        yield str(error)


def _is_single(prop: PropertyProtocol) -> bool:
    return isinstance(prop, DateTimeProperty | EnumProperty) or type(prop) in SCALARS


def _parameter_problems(endpoint: Endpoint, parameter: PropertyProtocol, shapes: Shapes) -> Iterator[str]:
    name = parameter.name.get_untrusted_value()
    parts = shapes.alternatives_of(parameter)
    objects = [part for part in parts if isinstance(part, ModelProperty)]
    lists = [part for part in parts if isinstance(part, ListProperty)]
    fields = [field for part in objects for field in shapes.values_in(part)]
    inner = [
        part for each in (*(part.inner_property for part in lists), *fields) for part in shapes.alternatives_of(each)
    ]
    if (objects and lists) or not all(
        _is_single(part) for part in (*inner, *(each for each in parts if each not in objects + lists))
    ):
        yield f"its parameter {name!r} is no string, number, boolean or date-time, nor a list or an object of them"
    elif shapes.parameter(endpoint, parameter).get("style") == "deepObject" and objects != parts:
        yield f"its parameter {name!r} is no object, and its style is deepObject"


def _type_problems(props: Iterable[Any], shapes: Shapes) -> Iterator[str]:
    for prop in props:
        try:
            shapes.type_of(prop)
            yield from _alike(prop, shapes)
        except UnsupportedError as error:
            yield str(error)


def _field_problems(model: ModelProperty, shapes: Shapes) -> Iterator[str]:
    try:
        for prop in shapes.sent_fields(model):
            shapes.field_spec(model, prop)
    except UnsupportedError as error:
        yield str(error)


def _alike(prop: PropertyProtocol, shapes: Shapes) -> Iterator[str]:
    """The objects of a union of which each may be read as one that stands before it."""
    if isinstance(prop, ListProperty):
        yield from _alike(prop.inner_property, shapes)
    members = shapes.alternatives_of(prop)
    objects = [part for part in members if isinstance(part, ModelProperty) and not shapes.is_mapping(part)]
    if isinstance(prop, UnionProperty) and not shapes.tags_of(prop):
        for number, later in enumerate(objects):
            for earlier in objects[:number]:
                names, others = ({field.name: field for field in shapes.values_in(part)} for part in (later, earlier))
                apart = [
                    name
                    for name, field in others.items()
                    if (field.required and not (name in names and names[name].required))
                    or (name in names and names[name].required and shapes.type_of(names[name]) != shapes.type_of(field))
                ]
                if names.keys() <= others.keys() and not apart:
                    yield (
                        f"{prop.name.get_untrusted_value()}: {later.class_info.name} cannot be told from "
                        f"{earlier.class_info.name}: give them a discriminator, or other fields that are required"
                    )


def _several_limits(model: ModelProperty, shapes: Shapes) -> Iterator[str]:
    for prop in shapes.sent_fields(model):
        parts = [part for schema in shapes.schemas_of(model.data, prop.name) for part in shapes.parts_of(schema)]
        for name in ("pattern", "items"):
            said = [limit for part in parts if (limit := getattr(part, name)) is not None]
            if any(limit != said[0] for limit in said):
                yield f"{prop.name.get_untrusted_value()} has several of `{name}`, and calls check the first"
