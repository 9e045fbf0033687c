"""Rules between the fields of an object: which fields exclude or require each other.

JSON Schema states them with `oneOf`, `anyOf`, `not`, `dependentRequired` and `if`/`then`, from which a generator of
types would make a union. They are moved into `x-rules`, which the models validate.
"""

from __future__ import annotations

from typing import Any, cast

from .navigation import Part, schemas_in, schemas_of


def extract(document: Part) -> None:
    """Move the rules of all objects into `x-rules`, in place: each the name of a rule and its arguments."""
    for steps, schema in schemas_of(document):
        for _, part in [*schemas_in(schema, steps)]:
            # Only these rules become code.
            part.pop("x-rules", None)
            if rules := _rules(part):
                part["x-rules"] = rules


def _rules(schema: Part) -> list[tuple[str, Any]]:
    """Remove the rules from a schema, and return them."""
    rules: list[tuple[str, Any]] = []
    for keyword, name in (("oneOf", "ExactlyOne"), ("anyOf", "AtLeastOne")):
        if groups := _required_groups(schema.get(keyword)):
            del schema[keyword]
            rules.append((name, groups))
    if (excluded := _required(schema.get("not"))) and len(excluded) > 1:
        del schema["not"]
        rules.append(("NotTogether", excluded))
    dependent: dict[str, list[str]] = schema.pop("dependentRequired", {})
    for name, others in dependent.items():
        rules.append(("Requires", [name, *others]))
    if value := _required_value(schema.get("if"), schema.get("then")):
        del schema["if"], schema["then"]
        rules.append(("RequiresValue", value))
    return rules


def _required(schema: Any) -> list[str] | None:
    """The names, if `required` is the only keyword of a schema."""
    if not isinstance(schema, dict) or [*cast("Part", schema)] != ["required"]:
        return None
    names: list[str] = cast("Part", schema)["required"]
    return names or None


def _required_groups(schemas: Any) -> list[list[str]] | None:
    groups = [_required(each) for each in cast("list[object]", schemas)] if isinstance(schemas, list) else []
    return cast("list[list[str]]", groups) if len(groups) > 1 and all(groups) else None


def _required_value(condition: Any, consequence: Any) -> list[Any] | None:
    """The field, the other field, and the value that the first requires of it."""
    fields = _required(condition)
    if fields is None or len(fields) != 1 or not isinstance(consequence, dict):
        return None
    then = cast("Part", consequence)
    properties: dict[str, Part] = then.get("properties", {})
    if set(then) != {"required", "properties"} or len(properties) != 1:
        return None
    ((name, schema),) = properties.items()
    if then["required"] != [name] or set(schema) != {"const"}:
        return None
    return [fields[0], name, schema["const"]]
