"""OpenAPI Overlay 1.0 (https://spec.openapis.org/overlay/v1.0.0).

oas-patch 0.6, the only maintained library, is not used: it merges the same object into every match, so that a later
action on one of them changes all, and does not report actions that match nothing.
"""

from __future__ import annotations

from copy import deepcopy
from functools import lru_cache
from typing import Any, cast

from jsonpath import CompoundJSONPath, JSONPath, JSONPathEnvironment, JSONPathSyntaxError

# Strict RFC 9535, so that other tools interpret the overlay in the same way.
_JSONPATH = JSONPathEnvironment(strict=True)


class OverlayError(Exception):
    """An overlay violates the specification; the message says in which action, and why."""


def apply(document: dict[str, Any], overlay: dict[str, Any]) -> list[str]:
    """Apply an overlay to a document, in place.

    Returns:
        The targets that matched nothing.

    Raises:
        OverlayError: If the overlay violates the specification.
    """
    unmatched: list[str] = []
    for number, action in enumerate(overlay.get("actions", []), 1):
        where = f"action {number} of the overlay"
        if "target" not in action or ("update" in action) == bool(action.get("remove")):
            raise OverlayError(f"{where} needs a target, and either an update or `remove: true`")
        target = action["target"]
        where += f" ({target})"
        try:
            matches = list(_query(target).finditer(document))
        except JSONPathSyntaxError as error:
            raise OverlayError(f"{where}: its target is not a JSONPath (RFC 9535): {error}") from error
        if not matches:
            unmatched.append(target)
        # Backwards, so that the indexes of the remaining items of a list stay valid.
        for match in reversed(matches):
            if "update" in action:
                _update(match.obj, action["update"], where)
            elif match.parent is None:
                raise OverlayError(f"{where}: the document itself cannot be removed")
            else:
                del match.parent.obj[match.parts[-1]]  # type: ignore[attr-defined]
    return unmatched


@lru_cache(maxsize=1024)
def _query(target: str) -> JSONPath | CompoundJSONPath:
    return _JSONPATH.compile(target)


def _update(target: Any, update: Any, where: str) -> None:
    if isinstance(target, list):
        cast("list[object]", target).append(deepcopy(update))
    elif isinstance(target, dict) and isinstance(update, dict):
        _merge(cast("dict[str, Any]", target), cast("dict[str, Any]", update))
    else:
        raise OverlayError(f"{where}: only an array takes any update; an object takes an object, anything else none")


def _merge(target: dict[str, Any], update: dict[str, Any]) -> None:
    for key, value in update.items():
        old = target.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            _merge(cast("dict[str, Any]", old), cast("dict[str, Any]", value))
        elif isinstance(old, list) and isinstance(value, list):
            cast("list[object]", old).extend(deepcopy(cast("list[object]", value)))
        else:
            target[key] = deepcopy(value)
