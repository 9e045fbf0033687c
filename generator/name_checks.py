"""Checks for names of a document that would collide in the generated code."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from keyword import iskeyword
from pathlib import Path
from unicodedata import is_normalized

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import EndpointCollection
from openapi_python_client.parser.properties import EnumProperty, LiteralEnumProperty, ModelProperty
from openapi_python_client.strings import ClassName

from .document_checks import operation_place
from .navigation import place
from .shapes import Shapes

_TEMPLATES = Path(__file__).parent / "templates"
# Attributes of the clients besides their resources.
_ATTRIBUTES = frozenset({"aclose", "client", "close", "download", "with_options"})
# Names that the packages of the resources use at run time, and that a module in them would shadow.
_IN_API = frozenset({"api", "clients"})
_IN_RESOURCE = frozenset({"builtins", "models"})
_NOT_NORMALIZED = "Python reads its characters as others (NFKC)"
_RENAME = "give it another name in generator-config.yaml (`class_overrides`)"


def taken_names() -> set[str]:
    """The names that the templates import and define."""
    names = {"AsyncResources", "Resources"}
    for path in _TEMPLATES.glob("*.jinja"):
        text = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", path.read_text("utf-8"), flags=re.DOTALL)
        imports = re.findall(r"^ *(?:from [\w.]+ )?import (?:\(([^)]*)\)|(.*))", text, re.MULTILINE)
        names |= {name for group in imports for part in group for name in re.findall(r"\w+", part)}
        names |= {*re.findall(r"^(?:class )?([A-Z]\w*)(?=[:(])", text, re.MULTILINE)}
    return names


def problems_of_names(data: GeneratorData, shapes: Shapes) -> Iterator[str]:
    """Yield the names that would collide, each with its place."""
    taken = taken_names()
    yield from _problems_of_tags(data, shapes, taken)
    for tag, collection in data.endpoint_collections_by_tag.items():
        yield from _problems_of_methods(tag, collection, shapes)
    yield from _problems_of_classes([*shapes.own_models(), *data.enums], shapes, taken)


def _problems_of_tags(data: GeneratorData, shapes: Shapes, taken: set[str]) -> Iterator[str]:
    collections = data.endpoint_collections_by_tag
    classes = Counter(f"{prefix}{ClassName(tag, '')}" for tag in collections for prefix in ("", "Async"))
    for tag, collection in collections.items():
        endpoint = collection.endpoints[0]
        name = ClassName(tag, "")
        names = {str(name), f"Async{name}"}
        if not is_normalized("NFKC", tag):
            where = place(("paths", shapes.path_of(endpoint), endpoint.method, "tags"))
            yield f"{where}: the tag {name}: {_NOT_NORMALIZED}; rename it in an overlay"
        if tag in _ATTRIBUTES | _IN_API or names & taken or any(classes[each] > 1 for each in names):
            where = place(("paths", shapes.path_of(endpoint), endpoint.method, "tags"))
            problem = "the generated code uses this name otherwise; rename it in an overlay"
            yield f"{where}: the tag {name}: {problem}"


def _problems_of_methods(tag: str, collection: EndpointCollection, shapes: Shapes) -> Iterator[str]:
    methods = Counter(shapes.method_name(endpoint) for endpoint in collection.endpoints)
    names = methods + Counter(shapes.url_name(each) for each in collection.endpoints if shapes.has_url(each))
    for endpoint in collection.endpoints:
        where = operation_place(shapes.path_of(endpoint), endpoint.method)
        name = shapes.url_name(endpoint) if shapes.has_url(endpoint) else ""
        method = shapes.method_name(endpoint)
        if names[name] > 1:
            yield f"{where}: the tag {tag}: two methods would be {tag}.{name}"
        if methods[method] > 1 or not method.isidentifier() or iskeyword(method):
            yield f"{where}: its method would be {tag}.{method}, which is not a name, or another's too"
        if not is_normalized("NFKC", endpoint.name):
            yield f"{where}: its operationId: {_NOT_NORMALIZED}; give it another, in an overlay"
        if endpoint.name in _IN_RESOURCE:
            yield f"{where}: its module would be {endpoint.name}, which is another's; give it another operationId"


def _problems_of_classes(
    parts: list[ModelProperty | EnumProperty | LiteralEnumProperty], shapes: Shapes, taken: set[str]
) -> Iterator[str]:
    modules: defaultdict[str, set[str]] = defaultdict(set)
    for part in parts:
        modules[part.class_info.module_name].add(part.class_info.name)
    names = {part.class_info.name for part in parts}
    for part in parts:
        name, module = part.class_info.name, part.class_info.module_name
        problem = ""
        if name in taken:
            problem = "the generated code uses this name otherwise"
        elif not is_normalized("NFKC", module):
            problem = _NOT_NORMALIZED
        elif module == "webhook_events":
            problem = f"another module is {module}.py"
        elif len(modules[module]) > 1:
            problem = f"{' and '.join(sorted(modules[module]))} would be in one module, {module}.py"
        elif isinstance(part, ModelProperty) and shapes.has_param(part) and f"{name}Param" in names:
            problem = f"its mapping would be {name}Param, which is another schema"
        if problem:
            where = shapes.place_of(part) if isinstance(part, ModelProperty) else shapes.place_of_enum(part)
            yield f"{where}: the schema {name}: {problem}; {_RENAME}"
