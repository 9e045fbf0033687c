"""What in a contract would be lost or wrong in the generated code, which the generator itself lets pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from keyword import iskeyword
from typing import Any, cast

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import Class, EnumProperty, ModelProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.strings import ClassName, PythonIdentifier

from .calls import successes
from .shapes import Shapes
from .values import SCALARS, UnsupportedError, fields_of, operations

# Names that the generated modules import, of which a schema must not be another.
_TAKEN = frozenset(
    {"Any", "Anything", "Argument", "AsyncFile", "AtLeastOne", "AuthenticatedClient", "Boolean", "Choice", "Client"}
    | {"DateTime", "ExactlyOne", "NotTogether", "Requires", "RequiresValue"}
    | {"File", "Final", "Integer", "Iterable", "ListOf", "MapOf", "Mapping", "Model", "Number", "Object", "OneOrMany"}
    | {"OpenEnum", "Operation", "Resource", "Response", "Self", "String", "Unset"}
)
_ENUM = Class(name=ClassName("Enum", ""), module_name=PythonIdentifier("enum", ""))


def problems_of_document(document: dict[str, Any]) -> list[str]:
    """What has to be there before the generator can do anything with the document."""
    found: list[str] = [] if document.get("servers") else ["the document names no server: `servers` is empty"]
    names: Counter[str] = Counter()
    for path, method, operation in operations(document):
        where = f"{method.upper()} {path}"
        name = operation.get("operationId")
        if name is None:
            found.append(f"{where}: it has no operationId, by which its function would be named")
        names[str(name)] += name is not None
        found += [f"{where}: {problem}" for problem in _parameter_problems(operation)]
        if operation.get("security") and not any(_can_be_met(document, each) for each in operation["security"]):
            found.append(
                f"{where}: its security is of no kind that a client has (a bearer token, a key in a header, none)"
            )
    found += [f"the operationId {name!r} is there {count} times" for name, count in names.items() if count > 1]
    found += [f"the enum {values} has members that are alike as Python names" for values in _lossy_enums(document)]
    return found


def _parameter_problems(operation: dict[str, Any]) -> Iterator[str]:
    for parameter in operation.get("parameters", []):
        name = parameter.get("name")
        if "$ref" not in parameter and "schema" not in parameter:
            yield f"its parameter {name!r} has no schema"


def _can_be_met(document: dict[str, Any], requirement: dict[str, Any]) -> bool:
    schemes: dict[str, Any] = document.get("components", {}).get("securitySchemes", {})
    known = [schemes.get(name, {}) for name in requirement]
    return all(scheme.get("scheme") == "bearer" or scheme.get("in") == "header" for scheme in known)


def _lossy_enums(part: Any) -> Iterator[list[str]]:
    if isinstance(part, dict):
        values: Any = cast("dict[str, Any]", part).get("enum")
        if isinstance(values, list) and all(isinstance(value, str) for value in cast("list[object]", values)):
            known = cast("list[str]", values)
            try:
                members = EnumProperty.values_from_list(known, _ENUM, [])
            except ValueError:
                members = {}
            if list(members.values()) != known:
                yield known
        part = list(cast("dict[str, Any]", part).values())
    if isinstance(part, list):
        for each in cast("list[object]", part):
            yield from _lossy_enums(each)


def problems_of_code(data: GeneratorData, shapes: Shapes) -> list[str]:
    """What the templates have no shape for, or would make no working code of."""
    found: list[str] = []
    for tag, collection in data.endpoint_collections_by_tag.items():
        methods = Counter(shapes.method_name(endpoint) for endpoint in collection.endpoints)
        if tag == "client":
            found.append("the tag Client: resources have their client by that name")
        for endpoint in collection.endpoints:
            where = f"{endpoint.method.upper()} {shapes.contract_path(endpoint)}"
            method = shapes.method_name(endpoint)
            if methods[method] > 1 or not method.isidentifier() or iskeyword(method):
                found.append(f"{where}: its method would be {tag}.{method}, which is no name, or another's too")
            found += [f"{where}: {problem}" for problem in _endpoint_problems(endpoint, shapes)]
    for model in shapes.own_models():
        name = model.class_info.name
        if shapes.is_sent(model):
            found += [f"the schema {name}: {problem}" for problem in _unchecked_limits(model, shapes)]
        found += [f"the schema {name}: {problem}" for problem in _type_problems(fields_of(model), shapes)]
    for part in (*shapes.own_models(), *data.enums):
        if part.class_info.name in _TAKEN:
            found.append(f"the schema {part.class_info.name}: the generated code means something else by that name")
    return found or [f"the schemas {circle} refer to each other in a circle" for circle in _circles(shapes)]


def _endpoint_problems(endpoint: Endpoint, shapes: Shapes) -> Iterator[str]:
    if endpoint.cookie_parameters:
        yield "it has a parameter in a cookie"
    if len(endpoint.bodies) > 1 or any(body.content_type != "application/json" for body in endpoint.bodies):
        yield "its body is not application/json, or of several media types"
        return
    for parameter in (*endpoint.path_parameters, *endpoint.query_parameters, *endpoint.header_parameters):
        single = isinstance(parameter, DateTimeProperty | EnumProperty) or type(parameter) in SCALARS
        spread = isinstance(parameter, ModelProperty) and shapes.is_mapping(parameter)
        if not single and not (spread and parameter in endpoint.query_parameters):
            name = parameter.name.get_untrusted_value()
            yield f"its parameter {name!r} is no single string, number, boolean or date-time"
    bodies = (body for body in shapes.bodies(endpoint) if not shapes.one_or_many(endpoint.bodies[0].prop))
    try:
        answers = [response.prop for response in successes(endpoint)] if shapes.kind(endpoint) == "json" else []
        yield from _type_problems((*bodies, *answers), shapes)
        shapes.pages_of(endpoint)
        shapes.job_of(endpoint)
    except UnsupportedError as error:
        yield str(error)


def _type_problems(props: Iterable[Any], shapes: Shapes) -> Iterator[str]:
    for prop in props:
        try:
            shapes.type_of(prop)
        except UnsupportedError as error:
            yield str(error)
        except RecursionError:
            yield f"{prop.name.get_untrusted_value()} refers to itself with no field between"


def _unchecked_limits(model: ModelProperty, shapes: Shapes) -> Iterator[str]:
    for prop in shapes.sent_fields(model):
        for schema in shapes.schemas_of(model.data, prop.name):
            if schema.multipleOf or schema.uniqueItems:
                name = prop.name.get_untrusted_value()
                yield f"{name} has a limit that calls do not check (multipleOf or uniqueItems)"


def _circles(shapes: Shapes) -> Iterator[str]:
    uses = {
        model.class_info.name: {each.name for each in shapes.classes_of_model(model)} for model in shapes.own_models()
    }
    # What is left when all that uses nothing left is taken away, again and again.
    while leaves := [name for name, used in uses.items() if not used & set(uses)]:
        for name in leaves:
            del uses[name]
    if uses:
        yield ", ".join(sorted(uses))
