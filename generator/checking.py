"""The declarations by which arguments are validated and serialized."""

from __future__ import annotations

from typing import Any, cast

from openapi_python_client import schema as oai
from openapi_python_client.parser.properties import AnyProperty, EnumProperty, ModelProperty
from openapi_python_client.parser.properties.boolean import BooleanProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.float import FloatProperty
from openapi_python_client.parser.properties.int import IntProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.string import StringProperty
from openapi_python_client.parser.properties.union import UnionProperty

from .navigation import UnsupportedError
from .prose import number, text_of
from .reading import Readers
from .schemas import fields_of, plain, quoted

STYLES = {
    "path": ("simple",),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
}
"""How parameters may be serialized; the first is the default."""
_JOINED = {"form": "comma", "spaceDelimited": "space", "pipeDelimited": "bar"}


class Arguments(Readers):
    """The declarations by which arguments are validated and serialized."""

    def rules(self, model: ModelProperty) -> list[str]:
        """The declarations of the rules between the fields of a request model."""
        known: list[Any] = self._extra(model.data).get("x-rules", [])
        return [f"{name}({', '.join(map(_literal, arguments))})" for name, arguments in known]

    def unknown_fields(self, model: ModelProperty) -> list[str]:
        """The names in `required` and in the rules of a model that are not fields of it."""
        names = [plain(name) for part in self.parts_of(self.resolved(model.data)) for name in part.required or []]
        for rule, arguments in self._extra(model.data).get("x-rules", []):
            # The last argument is a value.
            groups: list[str | list[str]] = arguments[:-1] if rule == "RequiresValue" else arguments
            names += [name for group in groups for name in (group if isinstance(group, list) else [group])]
        fields = {plain(prop.name) for prop in fields_of(model)}
        return [name for name in names if name not in fields]

    def field_spec(self, model: ModelProperty, prop: PropertyProtocol) -> str:
        """The declaration of a field in a request."""
        return self.argument_spec(prop, self.field_schema(model, prop))

    def argument_spec(self, prop: PropertyProtocol, schema: oai.Schema, parameter: dict[str, Any] | None = None) -> str:
        """The declaration of an argument, with its limits."""
        words = [f'"{prop.python_name}"', quoted(prop.name), self.kind_of(prop, schema)]
        # URLs and headers cannot hold null.
        flags = {"required": prop.required, "nullable": self._nullable(prop)[1] and parameter is None}
        words += [f"{name}=True" for name, is_set in flags.items() if is_set]
        style = self._style(prop, parameter or {})
        words += [f'style="{style}"'] if style else []
        return f"Argument({', '.join(words)})"

    def _style(self, prop: PropertyProtocol, parameter: dict[str, Any]) -> str:
        """The style of a list or object parameter, as `Argument` names it; empty if each item is its own parameter."""
        parts = [each for each in self.alternatives_of(prop) if isinstance(each, ListProperty | ModelProperty)]
        if not parts or not parameter:
            return ""
        style = parameter.get("style") or STYLES[parameter["in"]][0]
        explode = parameter.get("explode", style == "form")
        if style == "deepObject":
            return "deep"
        if style == "simple":
            return "pairs" if explode and isinstance(parts[0], ModelProperty) else "comma"
        return "" if explode else _JOINED[style]

    def nullable_kind_of(self, prop: PropertyProtocol, schema: oai.Schema | oai.Reference | bool | None) -> str:
        """The type declaration of a value that may be null but not omitted, such as an item of a list."""
        kind = self.kind_of(prop, schema)
        return f"Nullable({kind})" if self._nullable(prop)[1] and not kind.startswith("Anything(") else kind

    def _alternatives_in(self, union: UnionProperty, schema: oai.Schema | oai.Reference) -> list[oai.Schema]:
        """The schemas of the types of a union, without null.

        Raises:
            UnsupportedError: If several are one type in Python, because only the limits of the first would be checked.
        """
        schemas = self.alternatives_in(schema)
        if len(schemas) != len(self.alternatives_of(union)):
            raise UnsupportedError(f"{union.name.get_untrusted_value()} has alternatives that are one type in Python")
        return schemas

    def _one_of(self, union: UnionProperty, schemas: list[oai.Schema]) -> str:
        kinds = {
            id(prop): self.kind_of(prop, known) for prop, known in zip(union.inner_properties, schemas, strict=True)
        }
        words = [kinds[id(prop)] for prop in self.members_of(union)]
        if tags := self.tags_of(union):
            name, models = tags
            words += [f"tag={_literal(name)}"]
            words += [f"tags={{{', '.join(f'{_literal(tag)}: {kinds[id(model)]}' for tag, model in models.items())}}}"]
        return f"OneOf({', '.join(words)})"

    def kind_of(self, prop: PropertyProtocol, schema: oai.Schema | oai.Reference | bool | None) -> str:
        """The type declaration of a value."""
        if both := self.one_or_many(prop):
            parts = self.parts_of(self.resolved(schema)) if isinstance(schema, oai.Schema | oai.Reference) else ()
            unions = (each for part in parts for each in (*part.oneOf, *part.anyOf))
            many = next((each for each in unions if self.resolved(each).items), None)
            return f"OneOrMany({self.kind_of(both[0], None)}, {self.kind_of(both[1], many)})"
        inner, _ = self._nullable(prop)
        if (
            isinstance(prop, UnionProperty)
            and not isinstance(inner, AnyProperty)
            and isinstance(schema, oai.Schema | oai.Reference)
        ):
            schemas = self._alternatives_in(prop, schema)
            if isinstance(inner, UnionProperty):
                return self._one_of(inner, schemas)
            schema = schemas[0]
        known = self.limited(schema) if isinstance(schema, oai.Schema | oai.Reference) else oai.Schema()
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
            kind = self.nullable_kind_of(inner.inner_property, known.items)
            return _called("ListOf", kind, min_items=known.minItems, max_items=known.maxItems)
        if isinstance(inner, ModelProperty):
            if not self.is_mapping(inner):
                return f"Object({inner.class_info.name})"
            mapped = self._mapped(inner)
            words = (
                [] if isinstance(mapped, AnyProperty) else [self.nullable_kind_of(mapped, known.additionalProperties)]
            )
            names = (known.model_extra or {}).get("propertyNames", {}).get("pattern")
            pattern = None if names is None else repr(names)
            return _called("MapOf", *words, max_items=known.maxProperties, key_pattern=pattern)
        return _called("Anything", secret=self._is_password(known) or None)


def _literal(argument: object) -> str:
    """The argument of a rule in Python: a name, a group of names, or a value."""
    if isinstance(argument, list):
        return f"({', '.join(map(_literal, cast('list[object]', argument)))},)"
    return quoted(argument) if isinstance(argument, str) else repr(argument)


def _called(name: str, *words: str, **limits: float | str | None) -> str:
    """A call in Python, without the arguments that are None."""
    arguments = [
        f"{key}={limit if isinstance(limit, bool | str) else number(limit)}"
        for key, limit in limits.items()
        if limit is not None
    ]
    return f"{name}({', '.join([*words, *arguments])})"
