"""`openapi.yaml`: structured as it is published, valid, and described throughout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from generator.__main__ import ROOT, load
from generator.overlay import apply
from pictify_client.decoding import is_array, is_object

PUBLISHED = Path(ROOT.parent, "shared", "contract", "pictify-2026-03.yaml")
CONTRACT: dict[str, Any] = load(ROOT / "openapi.yaml")


def structure(value: Any) -> Any:
    """A part of a contract without its prose."""
    if is_object(value):
        return {
            name: structure(part)
            for name, part in value.items()
            if not (name in ("description", "summary") and isinstance(part, str))
        }
    return [structure(item) for item in value] if is_array(value) else value


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the structure of the published contract is not beside the project")
def test_what_is_there_is_structured_as_it_is_published() -> None:
    published = load(PUBLISHED)
    assert structure(CONTRACT["servers"]) == structure(published["servers"])
    assert CONTRACT["security"] == published["security"]
    assert {tag["name"] for tag in CONTRACT["tags"]} <= {tag["name"] for tag in published["tags"]}
    for path, item in CONTRACT["paths"].items():
        for method, operation in item.items():
            assert structure(operation) == structure(published["paths"][path][method])
    for name, schema in CONTRACT["components"]["schemas"].items():
        assert structure(schema) == structure(published["components"]["schemas"][name])
    for name, scheme in CONTRACT["components"]["securitySchemes"].items():
        assert structure(scheme) == published["components"]["securitySchemes"][name]


def test_the_contract_says_who_it_is_of() -> None:
    assert CONTRACT["openapi"] == "3.1.0"
    info = structure(CONTRACT["info"])
    assert info == {
        "title": "Pictify API",
        "version": "1.0.0",
        "contact": {"email": "support@pictify.io"},
        "license": {"name": "MIT", "identifier": "MIT"},
    }
    assert [server["url"] for server in CONTRACT["servers"]] == ["https://api.pictify.io"]


def test_the_contract_is_valid_before_and_after_the_overlay() -> None:
    validate(CONTRACT)
    document = load(ROOT / "openapi.yaml")
    assert apply(document, load(ROOT / "generator/overlay.yaml")) == []
    validate(document)


def parts(value: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """All operations, parameters and schemas with a type, and where they are."""
    if is_object(value):
        if "operationId" in value or value.get("in") in ("path", "query") or "properties" in value:
            yield where, value
        for name, part in value.items():
            yield from parts(part, f"{where}/{name}")
            if name == "properties":
                yield from ((f"{where}/{field}", schema) for field, schema in part.items() if "$ref" not in schema)
    if is_array(value):
        for number, part in enumerate(value):
            yield from parts(part, f"{where}/{number}")


def test_every_operation_parameter_and_field_is_described() -> None:
    document = load(ROOT / "openapi.yaml")
    apply(document, load(ROOT / "generator/overlay.yaml"))
    found = dict(parts(document))
    assert len(found) > 30
    assert [where for where, part in found.items() if not part.get("description")] == []


def test_every_correction_says_why() -> None:
    for action in load(ROOT / "generator/overlay.yaml")["actions"]:
        assert action["description"], action["target"]
