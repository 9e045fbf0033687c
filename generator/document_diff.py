"""Differences between two OpenAPI documents, per operation and per field.

The maintained comparison tools are written in Go or for Node and cannot apply the overlays, so the project has its
own. Breaking differences are marked here only if no signature shows them: a narrower limit, a key that is now
required, or another meaning of None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from openapi_python_client.strings import PythonIdentifier

from .naming import server_url
from .navigation import METHODS, Part, followed, operations
from .schema_diff import (
    PROSE,
    USE,
    Facet,
    component,
    meaningful,
    requires_more,
    resolved,
    takes_less,
    takes_null,
    type_of,
    unwrapped,
)

_Key = TypeVar("_Key", str, "_Place")
# Keywords whose parts are compared one by one, or by which the part was found.
_STRUCTURE = frozenset(
    {"$ref", "additionalProperties", "allOf", "anyOf", "content", "enum", "in", "items", "name", "oneOf"}
    | {"parameters", "properties", "requestBody", "required", "responses", "schema", "security"}
)


@dataclass
class Change:
    """A difference between two documents.

    Attributes:
        owner: The operation (`GET /bindings`) or component schema (`Binding`) that it belongs to; empty for the API.
        kind: `added`, `changed` or `removed`; `described` if only the wording differs.
        part: The part of the owner that differs.
        names: The parameter, or the path of fields that leads to the part.
        facets: The keywords that differ.
        detail: Type of the added part, or the summary of the added operation.
        sent: Whether the part occurs in requests.
        users: The operations whose requests or responses contain it.
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
        detail = self.detail or "; ".join(map(str, self.facets))
        return f"{self.kind} {self.part}{f': {detail}' if detail else ''}"


@dataclass(frozen=True)
class _Place:
    """Location of a part: its owner, the owner's parameter, body or response, and the path of fields in it."""

    owner: str
    head: str = ""
    sent: bool = False
    names: tuple[str, ...] = ()
    # The pairs of components that are being compared, because schemas may be recursive.
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
    """Return all differences, in the order of the new document; removed parts come last."""
    found: dict[tuple[str, str, str], Change] = {}
    for user, change in _Comparison(before, after).changes():
        # A component is compared at each use: once in a response, once in a request.
        known = found.setdefault((change.owner, change.kind, change.part), change)
        facets = known.facets + [facet for facet in change.facets if facet not in known.facets]
        known.facets = [each for each in facets if each.breaks or replace(each, breaks=True) not in facets]
        known.sent |= change.sent
        if user not in known.users:
            known.users.append(user)
    return list(found.values())


def pairs(before: Part, after: Part) -> list[tuple[str | None, str | None]]:
    """Return the old and the new name of each operation (`GET /bindings`); None if a document lacks it.

    Operations match if they have the same method and path, or else the same operationId.
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
        """Yield each difference with the operation in which it was found."""
        for change in self._api_changes():
            yield "", change
        old, new = _operations(self._before), _operations(self._after)
        for was, where in pairs(self._before, self._after):
            place = _Place(str(where or was), "the operation", sent=True)
            if where is None:
                yield place.owner, place.change("removed")
            elif was is None:
                yield where, place.change("added", detail=new[where].get("summary", ""))
            else:
                for change in self._operation_changes(place, {**old[was], "path": was}, {**new[where], "path": where}):
                    yield where, change

    def _api_changes(self) -> Iterator[Change]:
        general = [
            {**part.get("info", {}), "servers": [*map(server_url, part.get("servers", []))]}
            for part in (self._before, self._after)
        ]
        yield from _facets(_Place("", "the API", sent=True), *general)
        old, new = ({each["name"]: each for each in part.get("tags", [])} for part in (self._before, self._after))
        for name in new:
            yield from _facets(_Place("", f"the tag {name}"), old.get(name, {}), new[name])
        before, after = self._before["paths"], self._after["paths"]
        for path in (each for each in after if each in before):
            items = ({key: item[key] for key in item if key not in METHODS} for item in (before[path], after[path]))
            yield from _facets(_Place("", f"the path {path}"), *items)

    def _operation_changes(self, place: _Place, old: Part, new: Part) -> Iterator[Change]:
        yield from _facets(place, old, new)
        yield from _security_changes(place, old.get("security", []), new.get("security", []))
        before, after = _parts(self._before, place.owner, old), _parts(self._after, place.owner, new)
        respelled = _respelled(before, after, lambda part: (part.head, *map(_in_python, part.names)))
        for part in _merged_keys(before, after):
            if part in respelled:
                yield part.change("changed", facets=[Facet("name", respelled[part].names[0], part.names[0])])
                yield from self._part_changes(part, before[respelled[part]], after[part])
            elif part in respelled.values():
                continue
            elif part not in before:
                yield part.change(
                    "added", detail=_detail(*_schemas(after[part]).values(), required=after[part].get("required"))
                )
            elif part not in after:
                yield part.change("removed")
            else:
                yield from self._part_changes(part, before[part], after[part])

    def _part_changes(self, place: _Place, old: Part, new: Part) -> Iterator[Change]:
        """Yield the differences of a parameter, body or response, including those of its schemas."""
        yield from _facets(place, old, new)
        yield from _compared(place, "required", old.get("required", False), new.get("required", False))
        before, after = _schemas(old), _schemas(new)
        yield from _compared(place, "content", list(before), list(after))
        for media in (each for each in before if each in after):
            yield from self._schema_changes(place, before[media], after[media])

    def _schema_changes(self, place: _Place, old: Part, new: Part, *, is_required: bool = False) -> Iterator[Change]:
        old, new = unwrapped(old), unwrapped(new)
        before, after = resolved(self._before, old), resolved(self._after, new)
        usage = [*_usage_changes(place, before, after, is_required=is_required)]
        was, named = component(old), component(new)
        if was != named:
            yield from _compared(place, "type", type_of(old), type_of(new))
        elif named and any("properties" in each or "enum" in each for each in (before, after)):
            # It has a class, so the difference is reported for the class.
            yield from _facets(place, *({key: part[key] for key in PROSE & part.keys()} for part in (old, new)))
            place = replace(place, owner=named, head="", names=())
            before, after = (
                resolved(document, {"$ref": part["$ref"]})
                for document, part in ((self._before, old), (self._after, new))
            )
        if was and named:
            if (was, named) in place.inside:
                yield from usage
                return
            place = replace(place, inside=place.inside | {(was, named)})
        yield from _facets(place, *({key: part[key] for key in part if key not in USE} for part in (before, after)))
        yield from usage
        yield from _enum_changes(place, before, after)
        yield from self._field_changes(place, before, after)
        yield from self._inner_schema_changes(place, before, after)

    def _inner_schema_changes(self, place: _Place, old: Part, new: Part) -> Iterator[Change]:
        for key, name in (("items", "[]"), ("additionalProperties", "*")):
            before, after = old.get(key), new.get(key)
            if isinstance(before, dict) and isinstance(after, dict):
                yield from self._schema_changes(place.inner(name), cast("Part", before), cast("Part", after))
            elif not all(_is_open(part.get(key)) for part in (old, new)):
                yield from _keyword(place, key, old, new)
        for key in ("anyOf", "oneOf"):
            variants = old.get(key, []), new.get(key, [])
            yield from _compared(place, key, *map(len, variants))
            for before, after in _matching_variants(*variants):
                yield from self._schema_changes(place, before, after)

    def _field_changes(self, place: _Place, old: Part, new: Part) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        respelled = _respelled(before, after, _in_python)
        for name in _merged_keys(before, after):
            here, was = place.inner(name), respelled.get(name, name)
            required = (was in old.get("required", []), name in new.get("required", []))
            if name in respelled:
                # Only mappings use the API's spelling.
                yield here.change("changed", facets=[Facet("name", was, name, breaks=place.sent)])
            elif name in respelled.values():
                continue
            if was not in before:
                yield here.change("added", detail=_detail(after[name], required=required[1]))
            elif name not in after:
                yield here.change("removed")
            else:
                yield from _compared(here, "required", *required)
                yield from self._schema_changes(here, before[was], after[name], is_required=required[0])


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
    for each in operation["parameters"]:
        parameter = followed(document, each)
        style = parameter.get("style", "form" if parameter["in"] in ("cookie", "query") else "simple")
        place = _Place(owner, f"{parameter['in']} parameter", sent=True, names=(parameter["name"],))
        found[place] = {"explode": style == "form", **parameter, "style": style}
    if "requestBody" in operation:
        found[_Place(owner, "the body", sent=True)] = followed(document, operation["requestBody"])
    for status, response in operation.get("responses", {}).items():
        found[_Place(owner, f"response {status}")] = followed(document, response)
    return found


def _schemas(part: Part) -> dict[str, Part]:
    """Return the schemas of a parameter, body or response by media type."""
    if "schema" in part:
        return {"": part["schema"]}
    return {media: content.get("schema", {}) for media, content in part.get("content", {}).items()}


def _facets(place: _Place, old: Part, new: Part) -> Iterator[Change]:
    old, new = meaningful(old), meaningful(new)
    for key in _merged_keys(old, new):
        if key in PROSE:
            if old.get(key) != new.get(key):
                yield place.change("described")
        elif key not in _STRUCTURE:
            yield from _keyword(place, key, old, new)


def _keyword(place: _Place, name: str, old: Part, new: Part) -> Iterator[Change]:
    yield from _compared(place, name, old.get(name), new.get(name), breaks=place.sent and takes_less(name, old, new))


def _compared(place: _Place, name: str, old: Any, new: Any, *, breaks: bool = False) -> Iterator[Change]:
    if old != new:
        yield place.change("changed", facets=[Facet(name, old, new, breaks)])


def _usage_changes(place: _Place, old: Part, new: Part, *, is_required: bool) -> Iterator[Change]:
    """Yield the differences that concern this use of a value, not its class."""
    for name in ("default", "deprecated"):
        yield from _compared(place, name, old.get(name), new.get(name))
    # Only for fields of a body: None is always omitted from queries and headers.
    is_field = place.sent and len(place.names) > 0 and not place.head.endswith("parameter")
    was, now = (takes_null(part) if is_field else part.get("nullable", False) for part in (old, new))
    # A None that was not null was omitted, unless the field is required: then it was rejected.
    yield from _compared(place, "nullable", was, now, breaks=is_field and not (now and is_required))
    yield from _compared(
        place, "readOnly", old.get("readOnly"), new.get("readOnly"), breaks=place.sent and "readOnly" in new
    )
    yield from _compared(
        place, "writeOnly", old.get("writeOnly"), new.get("writeOnly"), breaks=not place.sent and "writeOnly" in new
    )


def _security_changes(place: _Place, old: list[Part], new: list[Part]) -> Iterator[Change]:
    if not all(each in others for each, others in [*((each, new) for each in old), *((each, old) for each in new)]):
        yield from _compared(place, "security", old, new, breaks=requires_more(old, new))


def _enum_changes(place: _Place, old: Part, new: Part) -> Iterator[Change]:
    if "enum" not in old or "enum" not in new:
        yield from _keyword(place, "enum", old, new)
        return
    before, after = old["enum"], new["enum"]
    yield from (place.change("added", of=f"value `{value}` of ") for value in after if value not in before)
    yield from (place.change("removed", of=f"value `{value}` of ") for value in before if value not in after)


def _matching_variants(old: list[Part], new: list[Part]) -> Iterator[tuple[Part, Part]]:
    """Pair the variants of two unions: by type, and the remaining ones in order."""
    waiting = [*old]
    left: list[Part] = []
    for part in new:
        same = next((each for each in waiting if type_of(unwrapped(each)) == type_of(unwrapped(part))), None)
        if same is None:
            left.append(part)
        else:
            waiting.remove(same)
            yield same, part
    yield from zip(waiting, left, strict=False)


def _respelled(old: Iterable[_Key], new: Iterable[_Key], spell: Callable[[_Key], object]) -> dict[_Key, _Key]:
    """Return the former spellings of names that differ in the document but not in Python."""
    gone = {spell(each): each for each in old if each not in new}
    return {each: gone[spell(each)] for each in new if each not in old and spell(each) in gone}


def _in_python(name: str) -> str:
    return str(PythonIdentifier(name, ""))


def _is_open(schema: object) -> bool:
    return schema is None or schema is True or schema == {}


def _merged_keys(old: dict[Any, Any], new: dict[Any, Any]) -> list[Any]:
    return [*new, *(key for key in old if key not in new)]


def _detail(*schemas: Part, required: bool | None) -> str:
    return ", ".join([*map(type_of, schemas), *(["required"] if required else [])])
