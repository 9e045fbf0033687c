"""Schemas of the document, and the limits of a value from all schemas that apply to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from openapi_python_client import schema as oai
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import Class, EnumProperty, LiteralEnumProperty, ModelProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import PythonIdentifier

from .composition import NARROWEST
from .navigation import followed, operations, place, place_at, schemas_in, schemas_of

# A name or an attribute; strings match without a group.
_NAME = re.compile(r'"(?:[^"\\]|\\.)*"|\b([A-Za-z_]\w*(?:\.\w+)?)')
_UNIONS = frozenset({"allOf", "anyOf", "oneOf"})


class Schemas:
    """Schemas of the document, and the limits of a value from all schemas that apply to it."""

    def __init__(self, document: dict[str, Any], data: GeneratorData) -> None:
        self._document = document
        self._enums = list(data.enums)
        self._models = {model.class_info.name: model for model in data.models}
        self._endpoints = [
            each for collection in data.endpoint_collections_by_tag.values() for each in collection.endpoints
        ]
        self._model_at = {self.place_of(model): model for model in data.models}
        self._tags: dict[frozenset[str], tuple[str, dict[str, str]]] = {}
        for steps, schema in schemas_of(document):
            for _, part in schemas_in(schema, steps):
                if tags := part.get("x-tags"):
                    targets: dict[str, str] = tags["values"]
                    values = {
                        value: str(self._model_at[place_at(each)].class_info.name) for value, each in targets.items()
                    }
                    self._tags[frozenset(values.values())] = tags["name"], values
        self._calls = {
            str(PythonIdentifier(operation["operationId"], "field_")): (path, operation)
            for path, _, operation in operations(document)
        }

    def _extra(self, schema: oai.Schema | oai.Reference) -> dict[str, Any]:
        """The extensions of a schema."""
        return self.resolved(schema).model_extra or {}

    def _is_password(self, schema: oai.Schema | oai.Reference | bool | None) -> bool:
        if schema is None or isinstance(schema, bool):
            return False
        known = self.resolved(schema)
        inner = (known.items, known.additionalProperties, *known.allOf, *known.anyOf, *known.oneOf)
        return known.schema_format == "password" or any(map(self._is_password, inner))

    def _has_password(self, model: ModelProperty) -> bool:
        fields = fields_of(model)
        return any(self._is_password(schema) for prop in fields for schema in self.schemas_of(model.data, prop.name))

    def resolved(self, schema: oai.Schema | oai.Reference) -> oai.Schema:
        """The schema itself, or the target of its reference."""
        if isinstance(schema, oai.Schema):
            return schema
        return oai.Schema.model_validate(followed(self._document, {"$ref": schema.ref.get_untrusted_value()}))

    def limited(self, *schemas: oai.Schema | oai.Reference) -> oai.Schema:
        """Merge schemas that all apply to a value: the narrowest limit, and else the first value of each keyword."""
        parts = [part for schema in schemas for part in self.parts_of(self.resolved(schema))]
        if len(parts) == 1:
            return parts[0]
        merged: dict[str, Any] = {}
        for part in parts:
            # Keywords that apply in addition are among the parts already; alternatives are not.
            expanded = {"allOf"} if len(self._kinds_in(part)) > 1 else _UNIONS
            for name in (part.model_fields_set & oai.Schema.model_fields.keys()) - expanded:
                value = getattr(part, name)
                narrowest = NARROWEST.get(name)
                if merged.get(name) is None:
                    merged[name] = value
                elif narrowest is not None and value is not None:
                    merged[name] = narrowest(merged[name], value)
        extra = {name: value for part in reversed(parts) for name, value in (part.model_extra or {}).items()}
        return oai.Schema.model_construct(**merged, **extra)

    def parts_of(self, schema: oai.Schema) -> Iterator[oai.Schema]:
        """The schema and those that apply in addition: its `allOf`, and the only alternative to null."""
        yield schema
        for part in schema.allOf:
            yield from self.parts_of(self.resolved(part))
        if len(kinds := self._kinds_in(schema)) == 1:
            yield from self.parts_of(kinds[0])

    def _kinds_in(self, schema: oai.Schema) -> list[oai.Schema]:
        """The alternatives of a value, without null."""
        return [
            known for part in (*schema.anyOf, *schema.oneOf) if (known := self.resolved(part)).type != oai.DataType.NULL
        ]

    def alternatives_in(self, schema: oai.Schema | oai.Reference) -> list[oai.Schema]:
        """The alternative schemas of a value, without duplicates and null, each with the limits that apply to all."""
        schemas: list[oai.Schema] = []
        for each in self._alternatives(schema):
            if not any(_is_same(each, other) for other in schemas):
                schemas.append(each)
        return schemas

    def _alternatives(self, *schemas: oai.Schema | oai.Reference) -> Iterator[oai.Schema]:
        """The alternatives of a value in order, without null, each with the limits that apply to all."""
        *around, last = schemas
        known = self.resolved(last)
        beside = known.model_copy(update={"anyOf": [], "oneOf": []})
        if union := [*known.anyOf, *known.oneOf]:
            for each in union:
                yield from self._alternatives(*around, beside, each)
        elif isinstance(known.type, list):
            for kind in known.type:
                yield from self._alternatives(*around, known.model_copy(update={"type": kind}))
        elif known.type != oai.DataType.NULL:
            yield self.limited(*around, known)

    def schemas_of(self, data: oai.Schema | oai.Reference, name: UntrustedString) -> Iterator[oai.Schema]:
        """The schemas of the field of that name, in an object and in the schemas that it is composed of."""
        known = self.resolved(data)
        field = (known.properties or {}).get(name)
        if field is not None:
            yield self.resolved(field)
        for part in known.allOf:
            yield from self.schemas_of(part, name)

    def field_schema(self, model: ModelProperty, prop: PropertyProtocol) -> oai.Schema:
        """The schema of a field, with the limits of all its schemas."""
        return self.limited(*self.schemas_of(model.data, prop.name))

    def _extension(self, model: ModelProperty, prop: PropertyProtocol, name: str) -> Any:
        """The value of an extension of OpenAPI at a field; None if it has none."""
        schemas = self.schemas_of(model.data, prop.name)
        return next((extra[name] for schema in schemas if name in (extra := schema.model_extra or {})), None)

    def parameters(self, endpoint: Endpoint, place: str) -> list[PropertyProtocol]:
        """The parameters in `path`, `query` or `header`."""
        return list(getattr(endpoint, f"{place}_parameters"))

    def parameter(self, endpoint: Endpoint, prop: PropertyProtocol) -> dict[str, Any]:
        """A parameter as in the document: the generator keeps neither its description nor its limits."""
        places = [place for place in ("path", "query", "header") if prop in self.parameters(endpoint, place)]
        path, operation = self._calls[endpoint.name]
        for part in (*operation.get("parameters", []), *self._document["paths"][path].get("parameters", [])):
            parameter: dict[str, Any] = followed(self._document, part)
            if prop.name == parameter["name"] and parameter["in"] in places:
                return parameter
        return {}

    def parameter_schema(self, endpoint: Endpoint, prop: PropertyProtocol) -> oai.Schema:
        """The schema of a parameter as in the document."""
        return self.limited(schema_from(self.parameter(endpoint, prop).get("schema", {})))

    def body_schema(self, endpoint: Endpoint) -> oai.Schema | oai.Reference:
        """The schema of the body of a request."""
        content: dict[str, Any] = self._calls[endpoint.name][1]["requestBody"]["content"]
        return schema_from(next(iter(content.values()))["schema"])

    def place_of(self, model: ModelProperty) -> str:
        """The place of a model's schema in the document, for a message."""
        return str(self._extra(model.data)["x-place"])

    def place_of_enum(self, enum: EnumProperty | LiteralEnumProperty) -> str:
        """The place of an enum in the document, for a message."""
        values = values_of(enum) if isinstance(enum, EnumProperty) else [*enum.values]
        parts = (each for steps, schema in schemas_of(self._document) for each in schemas_in(schema, steps))
        return next(place(steps) for steps, part in parts if part.get("enum") == values)

    def path_of(self, endpoint: Endpoint) -> str:
        """The path as in the document."""
        return str(self._calls[endpoint.name][0])


def fields_of(model: ModelProperty) -> list[PropertyProtocol]:
    """The fields of a model, the required ones first."""
    return [*(model.required_properties or []), *(model.optional_properties or [])]


def unique(classes: Iterable[Class]) -> list[Class]:
    """Each class once, by name."""
    return sorted({each.name: each for each in classes}.values(), key=lambda each: each.name)


def schema_from(schema: dict[str, Any]) -> oai.Schema | oai.Reference:
    """A schema of the document as openapi-python-client represents it."""
    return oai.Reference.model_validate(schema) if "$ref" in schema else oai.Schema.model_validate(schema)


def plain(text: Any) -> str:
    """A string of the document, which openapi-python-client may have wrapped."""
    return str(text.get_untrusted_value()) if hasattr(text, "get_untrusted_value") else str(text)


def quoted(text: Any) -> str:
    """A string of the document as a Python literal in double quotes."""
    return '"' + "".join('\\"' if char == '"' else repr(char)[1:-1] for char in plain(text)) + '"'


def values_of(enum: EnumProperty) -> list[str]:
    """The values of an enum of strings, which openapi-python-client escapes for double quotes."""
    return [json.loads(f'"{value}"') for value in enum.values.values()]


def names_in(code: str) -> set[str]:
    """The names in code, without those in strings."""
    return {part for name in _NAME.findall(code) for part in name.split(".") if part}


def renamed(code: str, names: Mapping[str, str]) -> str:
    """Code with names replaced, except in strings."""
    return _NAME.sub(lambda match: names.get(match[1], match[0]), code)


def _is_same(schema: oai.Schema, other: oai.Schema) -> bool:
    about = {"description", "example", "title", "x-place"}
    return schema.model_dump(exclude=about) == other.model_dump(exclude=about)
