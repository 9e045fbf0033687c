"""Checks for parts of a document that openapi-python-client accepts but generates no code or wrong code from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import EnumProperty, ModelProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.union import UnionProperty

from .document_checks import operation_place
from .name_checks import problems_of_names
from .navigation import UnsupportedError
from .pages import successes
from .schemas import fields_of, plain
from .shapes import Shapes
from .value_types import SCALARS


def problems_of_code(data: GeneratorData, shapes: Shapes) -> list[str]:
    """Yield the parts that the templates do not support."""
    found = [*problems_of_names(data, shapes)]
    for collection in data.endpoint_collections_by_tag.values():
        for endpoint in collection.endpoints:
            where = operation_place(shapes.path_of(endpoint), endpoint.method)
            found += [f"{where}: {problem}" for problem in _endpoint_problems(endpoint, shapes)]
    for model in shapes.own_models():
        problems = [*_type_problems(fields_of(model), shapes)]
        if shapes.is_sent(model):
            problems += [*_several_limits(model, shapes), *_field_problems(model, shapes)]
        found += [f"{_schema_place(model, shapes)}: {problem}" for problem in dict.fromkeys(problems)]
    # Which models are generated is known only if all operations are supported.
    for model in () if found else shapes.generated_models():
        found += [
            f"{_schema_place(model, shapes)}: its `required`, or a rule between its fields, names {name!r}, which is "
            "none of its fields; correct either, in an overlay"
            for name in shapes.unknown_fields(model)
        ]
    return found


def _schema_place(model: ModelProperty, shapes: Shapes) -> str:
    return f"{shapes.place_of(model)}: the schema {model.class_info.name}"


def _endpoint_problems(endpoint: Endpoint, shapes: Shapes) -> Iterator[str]:
    if endpoint.cookie_parameters:
        yield "it has a parameter in a cookie"
    if len(endpoint.bodies) > 1 or any(body.content_type != "application/json" for body in endpoint.bodies):
        yield "its body is not application/json, or of several media types"
        return
    for parameter in (*endpoint.path_parameters, *endpoint.query_parameters, *endpoint.header_parameters):
        yield from _parameter_problems(endpoint, parameter, shapes)
    try:
        responses = [response.prop for response in successes(endpoint)] if shapes.kind(endpoint) == "json" else []
        yield from _type_problems((*(body.prop for body in endpoint.bodies), *responses), shapes)
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
        yield f"its parameter {name!r} is not a string, number, boolean or date-time, nor a list or an object of them"
    elif shapes.parameter(endpoint, parameter).get("style") == "deepObject" and objects != parts:
        yield f"its parameter {name!r} is not an object, and its style is deepObject"


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
    """The types in a union whose values would be decoded as an earlier type."""
    members = shapes.alternatives_of(prop)
    for member in members:
        yield from (problem for inner in _inner(member, shapes) for problem in _alike(inner, shapes))
    if isinstance(prop, UnionProperty) and not shapes.tags_of(prop):
        for number, later in enumerate(members):
            for earlier in members[:number]:
                if alike := _reads_as(earlier, later, shapes):
                    yield (
                        f"{plain(prop.name)}: {alike[1]} cannot be distinguished from {alike[0]}: give them a "
                        "discriminator, or other fields that are required, in an overlay"
                    )


def _inner(prop: PropertyProtocol, shapes: Shapes) -> list[PropertyProtocol]:
    """The type of the items of a list or a map."""
    if isinstance(prop, ListProperty):
        return [prop.inner_property]
    return shapes.values_in(prop) if isinstance(prop, ModelProperty) and shapes.is_mapping(prop) else []


def _reads_as(earlier: PropertyProtocol, later: PropertyProtocol, shapes: Shapes) -> tuple[str, str] | None:
    """The two objects in values of these types if the second would be decoded as the first."""
    if type(earlier) is not type(later):
        return None
    pairs = [
        (one, other)
        for each, another in zip(_inner(earlier, shapes), _inner(later, shapes), strict=False)
        for one in shapes.alternatives_of(each)
        for other in shapes.alternatives_of(another)
    ]
    for one, other in pairs:
        if found := _reads_as(one, other, shapes):
            return found
    if not isinstance(earlier, ModelProperty) or not isinstance(later, ModelProperty):
        return None
    if shapes.is_mapping(earlier) or shapes.is_mapping(later):
        return None
    names, others = ({field.name: field for field in shapes.values_in(part)} for part in (later, earlier))
    apart = [
        name
        for name, field in others.items()
        if (field.required and not (name in names and names[name].required))
        or (name in names and names[name].required and shapes.type_of(names[name]) != shapes.type_of(field))
    ]
    is_alike = names.keys() <= others.keys() and not apart
    return (earlier.class_info.name, later.class_info.name) if is_alike else None


def _several_limits(model: ModelProperty, shapes: Shapes) -> Iterator[str]:
    for prop in shapes.sent_fields(model):
        parts = [part for schema in shapes.schemas_of(model.data, prop.name) for part in shapes.parts_of(schema)]
        for name in ("pattern", "items"):
            limits = [limit for part in parts if (limit := getattr(part, name)) is not None]
            if any(limit != limits[0] for limit in limits):
                yield f"{prop.name.get_untrusted_value()} has several of `{name}`, and calls check the first"
