"""`openapi.yaml` has the structure of the published document, is valid, and describes every part."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from generator.__main__ import OVERLAYS, ROOT, overlaid
from generator.document import load
from generator.navigation import operations
from pictify_client._runtime.json_values import is_array, is_object

PUBLISHED = Path(ROOT.parent, "shared", "contract", "pictify-2026-03.yaml")
DOCUMENT: dict[str, Any] = load(ROOT / "openapi.yaml")


def structure(value: Any) -> Any:
    """A part of a document without its prose."""
    if is_object(value):
        return {
            name: structure(part)
            for name, part in value.items()
            if not (name in ("description", "summary") and isinstance(part, str))
        }
    return [structure(item) for item in value] if is_array(value) else value


@cache
def published_document() -> dict[str, Any]:
    return dict(load(PUBLISHED))


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published OpenAPI document is not next to the project")
@pytest.mark.parametrize("part", ["openapi", "servers", "security", "tags", "paths", "components"])
def test_its_structure_is_that_of_the_published_document(part: str) -> None:
    published = published_document()
    assert structure(DOCUMENT[part]) == structure(published[part])
    assert list(DOCUMENT[part]) == list(published[part]) or part == "tags"


def test_it_is_complete() -> None:
    assert len(list(operations(DOCUMENT))) == 49
    assert len(DOCUMENT["components"]["schemas"]) == 29


def test_it_has_the_metadata_of_the_vendor() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    info = structure(DOCUMENT["info"])
    assert info == {
        "title": "Pictify API",
        "version": "1.0.0",
        "contact": {"email": "support@pictify.io"},
        "license": {"name": "MIT", "identifier": "MIT"},
    }
    assert [server["url"] for server in DOCUMENT["servers"]] == ["https://api.pictify.io"]


def test_it_is_valid_with_and_without_the_overlays() -> None:
    validate(DOCUMENT)
    document, unmatched = overlaid(ROOT / "openapi.yaml", ROOT / OVERLAYS)
    assert unmatched == []
    validate(document)


def parts(value: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield all operations, parameters and typed schemas, with their places."""
    if is_object(value):
        if {"operationId", "properties", "in"} & set(value) and isinstance(value.get("in", ""), str):
            yield where, value
        for name, part in value.items():
            if name not in ("if", "then", "not", "dependentRequired"):
                yield from parts(part, f"{where}/{name}")
            if name == "properties":
                yield from ((f"{where}/{field}", schema) for field, schema in part.items() if "$ref" not in schema)
    if is_array(value):
        for number, part in enumerate(value):
            yield from parts(part, f"{where}/{number}")


def test_every_operation_parameter_and_field_is_described() -> None:
    document, _ = overlaid(ROOT / "openapi.yaml", ROOT / OVERLAYS)
    found = dict(parts(document))
    assert len(found) > 500
    undescribed = [where for where, part in found.items() if not part.get("description")]
    assert [where for where in undescribed if "summary" not in found[where]] == []


@pytest.mark.parametrize("path", sorted((ROOT / OVERLAYS).glob("*.yaml")), ids=lambda path: path.stem)
def test_every_overlay_action_has_a_reason_and_facts_have_a_certainty(path: Path) -> None:
    for action in load(path)["actions"]:
        assert action["description"], action["target"]
        if path.stem in ("2-live-api", "3-additions"):
            assert action["x-evidence"] in ("A", "B", "C", "D", "E", "?"), action["target"]
