"""What in a contract would be lost or wrong in the generated code, which the generator itself lets pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from keyword import iskeyword
from typing import Any, cast

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import Class, EnumProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.responses import JSON_SOURCE
from openapi_python_client.strings import ClassName, PythonIdentifier

from .shapes import SCALARS, Shapes, UnsupportedError, fields_of, operations, successes

# Names of the modules that are generated, of which a schema must not be another.
_TAKEN = frozenset(
    {"Any", "AuthenticatedClient", "Client", "Final", "Mapping", "Model", "OpenEnum", "Operation", "Parameter"}
    | {"Response", "Self", "Unset"}
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
        if operation.get("security") and not any(_is_bearer(document, each) for each in operation["security"]):
            found.append(f"{where}: its security is of no kind that a client has (a bearer token, or none)")
    found += [f"the operationId {name!r} is there {count} times" for name, count in names.items() if count > 1]
    found += [f"the enum {values} has members that are alike as Python names" for values in _lossy_enums(document)]
    return found


def _parameter_problems(operation: dict[str, Any]) -> Iterator[str]:
    for parameter in operation.get("parameters", []):
        name, schema = parameter.get("name"), parameter.get("schema", {})
        if "$ref" not in parameter and "schema" not in parameter:
            yield f"its parameter {name!r} has no schema"
        if {"exclusiveMinimum", "exclusiveMaximum"} & set(schema):
            yield f"its parameter {name!r} has an exclusive bound, which calls do not check"


def _is_bearer(document: dict[str, Any], requirement: dict[str, Any]) -> bool:
    schemes: dict[str, Any] = document.get("components", {}).get("securitySchemes", {})
    return all(schemes.get(name, {}).get("scheme") == "bearer" for name in requirement)


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
        found += [f"the schema {name}: {problem}" for problem in _type_problems(fields_of(model), shapes)]
    for part in (*shapes.own_models(), *data.enums):
        if part.class_info.name in _TAKEN:
            found.append(f"the schema {part.class_info.name}: the generated code means something else by that name")
    return found or [f"the schemas {circle} refer to each other in a circle" for circle in _circles(shapes)]


def _endpoint_problems(endpoint: Endpoint, shapes: Shapes) -> Iterator[str]:
    if endpoint.header_parameters or endpoint.cookie_parameters:
        yield "it has a parameter in a header or a cookie"
    if len(endpoint.bodies) > 1 or any(body.content_type != "application/json" for body in endpoint.bodies):
        yield "its body is not application/json, or of several media types"
    if not successes(endpoint):
        yield "it has no answer with a single status of success"
    for response in successes(endpoint):
        if response.source["attribute"] != JSON_SOURCE["attribute"]:
            yield f"its answer {response.status_code.pattern} has no JSON schema"
    for parameter in (*endpoint.path_parameters, *endpoint.query_parameters):
        if not isinstance(parameter, DateTimeProperty | EnumProperty) and type(parameter) not in SCALARS:
            name = parameter.name.get_untrusted_value()
            yield f"its parameter {name!r} is no single string, number, boolean or date-time"
    types = (*(body.prop for body in endpoint.bodies), *(response.prop for response in successes(endpoint)))
    try:
        yield from _type_problems(types, shapes)
        shapes.pages_of(endpoint)
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
