"""What one contract says differently from another: operation by operation, field by field.

A module of our own: the comparers that are kept well are written in Go or for Node, and know nothing of the
overlay. What a difference breaks is said here only where no signature shows it: a narrower limit, or a key that
is needed now.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

from .document import operations

Part = dict[str, Any]

_SCHEMAS = "#/components/schemas/"
_PROSE = frozenset({"description", "example", "examples", "externalDocs", "summary", "title"})
# What is compared by its parts, or is how the part was found.
_STRUCTURE = frozenset(
    {"$ref", "additionalProperties", "allOf", "anyOf", "content", "enum", "in", "items", "name", "oneOf"}
    | {"parameters", "properties", "requestBody", "required", "responses", "schema"}
)
_LEAST = frozenset({"minimum", "minItems", "minLength"})
_MOST = frozenset({"maximum", "maxItems", "maxLength"})
_LONGEST_VALUE = 80


@dataclass(frozen=True)
class Facet:
    """A keyword of the contract with another value: `maximum`, once 100 and now 50."""

    name: str
    old: Any
    new: Any

    def __str__(self) -> str:
        return f"`{self.name}` {' → '.join(self.shown)}" if all(self.shown) else f"another `{self.name}`"

    @property
    def shown(self) -> tuple[str, str]:
        """Both values, each on one line; empty where it is too long for that."""
        return _shown(self.old), _shown(self.new)

    @property
    def narrows(self) -> bool:
        """Whether less is taken in requests than before, under the same signature."""
        if self.name == "security":
            return _needs_key(self.new) and not _needs_key(self.old)
        if self.name in _LEAST | _MOST and None not in (self.old, self.new):
            return bool(self.new > self.old if self.name in _LEAST else self.new < self.old)
        return self.name in _LEAST | _MOST | {"enum", "pattern"} and self.new is not None


@dataclass
class Change:
    """One difference.

    Attributes:
        owner: The operation (`GET /bindings`) or the component schema (`Binding`) that has it; empty for the API.
        kind: `added`, `changed` or `removed`; `described` where only the wording is another.
        part: The part of the owner.
        names: The parameter or the fields that lead to it.
        facets: What is another.
        detail: What was added.
        sent: Whether it is a part of requests.
        users: The operations in whose requests and answers it is.
    """

    owner: str
    kind: str
    part: str
    names: tuple[str, ...] = ()
    facets: list[Facet] = field(default_factory=list[Facet])
    detail: str = ""
    sent: bool = False
    users: list[str] = field(default_factory=list[str])

    def __str__(self) -> str:
        said = self.detail or "; ".join(map(str, self.facets))
        return f"{self.kind} {self.part}{f': {said}' if said else ''}"


@dataclass(frozen=True)
class _Place:
    """Where a part stands: in what of its owner, and by which fields it is reached from there."""

    owner: str
    head: str = ""
    sent: bool = False
    names: tuple[str, ...] = ()
    # The pairs of components that are being compared: schemas may refer to themselves.
    inside: frozenset[tuple[str, str]] = frozenset()

    def __str__(self) -> str:
        path = ".".join(self.names).replace(".[]", "[]")
        if not path:
            return self.head or "the schema"
        if self.head.endswith("parameter"):
            return f"{self.head} `{path}`"
        return f"field `{path}`{f' of {self.head}' if self.head else ''}"

    def inner(self, name: str) -> _Place:
        return replace(self, names=(*self.names, name))

    def change(self, kind: str, *, of: str = "", facets: Iterable[Facet] = (), detail: str = "") -> Change:
        return Change(self.owner, kind, f"{of}{self}", self.names, [*facets], detail, self.sent)


def differences(before: Part, after: Part) -> list[Change]:
    """All that a contract says differently, in its order; what it lacks comes last."""
    found: dict[tuple[str, str, str], Change] = {}
    for user, change in _Comparison(before, after).changes():
        # A component is compared wherever it stands: in an answer here, in a request there.
        known = found.setdefault((change.owner, change.kind, change.part), change)
        known.facets += [facet for facet in change.facets if facet not in known.facets]
        known.sent |= change.sent
        if user not in known.users:
            known.users.append(user)
    return list(found.values())


def pairs(before: Part, after: Part) -> list[tuple[str | None, str | None]]:
    """Each operation (`GET /bindings`) as it was called and as it is; None where there is none.

    It is the same one by its place, or else by its operationId.
    """
    old, new = _operations(before), _operations(after)
    gone = {operation["operationId"]: where for where, operation in old.items() if where not in new}
    found: list[tuple[str | None, str | None]] = [
        (where if where in old else gone.pop(operation["operationId"], None), where) for where, operation in new.items()
    ]
    return [*found, *((where, None) for where in gone.values())]


class _Comparison:
    def __init__(self, before: Part, after: Part) -> None:
        self._before = before
        self._after = after

    def changes(self) -> Iterator[tuple[str, Change]]:
        """Each difference, with the operation that it was met at."""
        for change in self._of_the_api():
            yield "", change
        old, new = _operations(self._before), _operations(self._after)
        for was, where in pairs(self._before, self._after):
            place = _Place(str(where or was), "the operation", sent=True)
            if where is None:
                yield place.owner, place.change("removed")
            elif was is None:
                yield where, place.change("added", detail=new[where].get("summary", ""))
            else:
                for change in self._of_an_operation(place, {**old[was], "path": was}, {**new[where], "path": where}):
                    yield where, change

    def _of_the_api(self) -> Iterator[Change]:
        said = [
            {**part.get("info", {}), "servers": [server["url"] for server in part["servers"]]}
            for part in (self._before, self._after)
        ]
        yield from _facets(_Place("", "the API", sent=True), *said)
        old, new = ({each["name"]: each for each in part.get("tags", [])} for part in (self._before, self._after))
        for name in new:
            yield from _facets(_Place("", f"the tag {name}"), old.get(name, {}), new[name])

    def _of_an_operation(self, place: _Place, old: Part, new: Part) -> Iterator[Change]:
        yield from _facets(place, old, new)
        before, after = _parts(self._before, place.owner, old), _parts(self._after, place.owner, new)
        for part in _union(before, after):
            if part not in before:
                yield part.change(
                    "added", detail=_detail(*_schemas(after[part]).values(), required=after[part].get("required"))
                )
            elif part not in after:
                yield part.change("removed")
            else:
                yield from self._of_a_part(part, before[part], after[part])

    def _of_a_part(self, place: _Place, old: Part, new: Part) -> Iterator[Change]:
        """What differs in a parameter, a body or an answer, and in its schema or those of its media types."""
        yield from _facets(place, old, new)
        yield from _compared(place, "required", old.get("required", False), new.get("required", False))
        before, after = _schemas(old), _schemas(new)
        yield from _compared(place, "content", list(before), list(after))
        for media in (each for each in before if each in after):
            yield from self._of_a_schema(place, before[media], after[media])

    def _of_a_schema(self, place: _Place, old: Part, new: Part) -> Iterator[Change]:
        was, named = _component(old), _component(new)
        if was != named:
            yield from _compared(place, "type", _type(old), _type(new))
        elif named:
            place = replace(place, owner=named, head="", names=())
        if was and named:
            if (was, named) in place.inside:
                return
            place = replace(place, inside=place.inside | {(was, named)})
        old, new = _whole(self._before, old), _whole(self._after, new)
        yield from _facets(place, old, new)
        yield from _of_an_enum(place, old.get("enum"), new.get("enum"))
        yield from self._of_fields(place, old, new)
        for key, name in (("items", "[]"), ("additionalProperties", "*")):
            before, after = old.get(key), new.get(key)
            if isinstance(before, dict) and isinstance(after, dict):
                yield from self._of_a_schema(place.inner(name), cast("Part", before), cast("Part", after))
            else:
                yield from _compared(place, key, before, after)
        for key in ("anyOf", "oneOf"):
            variants = old.get(key, []), new.get(key, [])
            yield from _compared(place, key, *map(len, variants))
            for before, after in zip(*variants, strict=False):
                yield from self._of_a_schema(place, before, after)

    def _of_fields(self, place: _Place, old: Part, new: Part) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in _union(before, after):
            field_place, required = place.inner(name), [name in part.get("required", []) for part in (old, new)]
            if name not in before:
                yield field_place.change("added", detail=_detail(after[name], required=required[1]))
            elif name not in after:
                yield field_place.change("removed")
            else:
                yield from _compared(field_place, "required", *required)
                yield from self._of_a_schema(field_place, before[name], after[name])


def _operations(document: Part) -> dict[str, Part]:
    return {
        f"{method.upper()} {path}": {
            **operation,
            "parameters": [*document["paths"][path].get("parameters", []), *operation.get("parameters", [])],
        }
        for path, method, operation in operations(document)
    }


def _parts(document: Part, owner: str, operation: Part) -> dict[_Place, Part]:
    found: dict[_Place, Part] = {}
    for given in operation["parameters"]:
        parameter = _followed(document, given)
        found[_Place(owner, f"{parameter['in']} parameter", sent=True, names=(parameter["name"],))] = parameter
    if "requestBody" in operation:
        found[_Place(owner, "the body", sent=True)] = _followed(document, operation["requestBody"])
    for status, answer in operation["responses"].items():
        found[_Place(owner, f"answer {status}")] = _followed(document, answer)
    return found


def _followed(document: Part, part: Part) -> Part:
    """What a reference refers to."""
    while "$ref" in part:
        steps: list[str] = part["$ref"].removeprefix("#/").split("/")
        part = document
        for step in steps:
            part = part[step]
    return part


def _whole(document: Part, schema: Part) -> Part:
    """A schema with its reference followed and its `allOf` put together."""
    schema = _followed(document, schema)
    parts = [_whole(document, each) for each in schema.get("allOf", [])]
    if not parts:
        return schema
    merged = {key: value for part in (*parts, schema) for key, value in part.items() if key != "allOf"}
    merged["properties"] = {
        name: said for part in (*parts, schema) for name, said in part.get("properties", {}).items()
    }
    merged["required"] = [name for part in (*parts, schema) for name in part.get("required", [])]
    return merged


def _schemas(part: Part) -> dict[str, Part]:
    """The schemas of a parameter, a body or an answer by their media types."""
    if "schema" in part:
        return {"": part["schema"]}
    return {media: said.get("schema", {}) for media, said in part.get("content", {}).items()}


def _component(schema: Part) -> str:
    """The name of the component that a schema refers to; empty for one that stands where it is."""
    return str(schema.get("$ref", "")).removeprefix(_SCHEMAS)


def _facets(place: _Place, old: Part, new: Part) -> Iterator[Change]:
    for key in _union(old, new):
        if key in _PROSE:
            if old.get(key) != new.get(key):
                yield place.change("described")
        elif key not in _STRUCTURE:
            yield from _compared(place, key, old.get(key), new.get(key))


def _compared(place: _Place, name: str, old: Any, new: Any) -> Iterator[Change]:
    if old != new:
        yield place.change("changed", facets=[Facet(name, old, new)])


def _of_an_enum(place: _Place, old: list[str] | None, new: list[str] | None) -> Iterator[Change]:
    if old is None or new is None:
        yield from _compared(place, "enum", old, new)
        return
    yield from (place.change("added", of=f"value `{value}` of ") for value in new if value not in old)
    yield from (place.change("removed", of=f"value `{value}` of ") for value in old if value not in new)


def _union(old: dict[Any, Any], new: dict[Any, Any]) -> list[Any]:
    return [*new, *(key for key in old if key not in new)]


def _type(schema: Part) -> str:
    if name := _component(schema):
        return name
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    kind: str | list[str] = schema.get("type", "object" if "properties" in schema else "anything")
    said = kind if isinstance(kind, str) else " or ".join(kind)
    if "items" in schema:
        said = f"{said} of {_type(schema['items'])}"
    return f"{said} ({schema['format']})" if "format" in schema else said


def _detail(*schemas: Part, required: bool | None) -> str:
    return ", ".join([*map(_type, schemas), *(["required"] if required else [])])


def _needs_key(security: list[Part] | None) -> bool:
    return all(security) if security else False


def _shown(value: Any) -> str:
    if value is None or value == []:
        return "none"
    values = cast("list[object]", value) if isinstance(value, list) else [cast("object", value)]
    said = ", ".join(each if isinstance(each, str) else json.dumps(each) for each in values)
    return said if len(said) <= _LONGEST_VALUE else ""
