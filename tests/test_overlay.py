"""Overlays: OpenAPI Overlay 1.0, implemented in `generator/overlay.py`."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from generator.overlay import OverlayError, apply

DOCUMENT: dict[str, Any] = {
    "info": {"title": "T"},
    "tags": [{"name": "a"}, {"name": "b"}, {"name": "c"}],
    "paths": {
        "/a": {"get": {"operationId": "x"}, "parameters": [{"name": "p"}], "put": {"operationId": "y", "security": []}},
        "/b/{uid}.{format}": {"get": {"operationId": "z", "tags": ["t"]}},
    },
}


def applied(*actions: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    document = copy.deepcopy(DOCUMENT)
    return document, apply(document, {"overlay": "1.0.0", "actions": list(actions)})


def test_an_object_is_merged_into_each_match_independently() -> None:
    document, unmatched = applied(
        {"target": "$.paths.*[?@.operationId && !@.security]", "update": {"security": [{"key": []}]}},
        {"target": "$.paths['/a'].get", "update": {"security": [{"other": []}], "x": {"y": 1}}},
        {"target": "$.paths['/a'].get", "update": {"x": {"z": 2}}},
    )
    assert unmatched == []
    assert document["paths"]["/a"]["get"] == {
        "operationId": "x",
        "security": [{"key": []}, {"other": []}],
        "x": {"y": 1, "z": 2},
    }
    assert document["paths"]["/a"]["put"]["security"] == []
    assert document["paths"]["/a"]["parameters"] == [{"name": "p"}]
    assert document["paths"]["/b/{uid}.{format}"]["get"]["security"] == [{"key": []}]


def test_an_update_of_an_array_appends_an_item() -> None:
    document, _ = applied({"target": "$.tags", "update": {"name": "d"}})
    assert [tag["name"] for tag in document["tags"]] == ["a", "b", "c", "d"]


def test_every_match_is_removed() -> None:
    document, _ = applied(
        {"target": "$.tags[?@.name != 'b']", "remove": True}, {"target": "$.paths['/a'].get", "remove": True}
    )
    assert document["tags"] == [{"name": "b"}]
    assert "get" not in document["paths"]["/a"]


def test_the_document_itself_can_be_updated() -> None:
    document, _ = applied({"target": "$", "update": {"info": {"version": "2"}}})
    assert document["info"] == {"title": "T", "version": "2"}


def test_an_action_that_matches_nothing_is_reported_and_does_no_harm() -> None:
    document, unmatched = applied({"target": "$.components.schemas.Gone", "update": {"type": "object"}})
    assert unmatched == ["$.components.schemas.Gone"]
    assert document == DOCUMENT


@pytest.mark.parametrize(
    ("action", "text"),
    [
        ({"update": {}}, "action 1 of the overlay needs a target"),
        ({"target": "$.info"}, "needs a target, and either an update or `remove: true`"),
        ({"target": "$.info", "update": {}, "remove": True}, "either an update or"),
        ({"target": "$.info[", "update": {}}, r"action 1 of the overlay \(\$\.info\[\): its target is not a JSONPath"),
        ({"target": "$.info", "update": []}, "an object takes an object"),
        ({"target": "$.info.title", "update": "U"}, "anything else none"),
        ({"target": "$", "remove": True}, "the document itself cannot be removed"),
    ],
)
def test_an_invalid_action_is_an_error_that_names_it(action: dict[str, Any], text: str) -> None:
    with pytest.raises(OverlayError, match=text):
        applied(action)
