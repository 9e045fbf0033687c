"""OpenAPI Overlay 1.0 (https://spec.openapis.org/overlay/v1.0.0).

A module of our own, since oas-patch 0.6, the one maintained library, merges one and the same object
into every match (a later action on one of them then changes all) and is silent about an action that
matches nothing.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, cast

from jsonpath import JSONPathEnvironment, JSONPathSyntaxError

# RFC 9535 to the letter, so that the overlay means the same to other tools.
_JSONPATH = JSONPathEnvironment(strict=True)


class OverlayError(Exception):
    """An overlay that does not follow the specification; says which action, and why."""


def apply(document: dict[str, Any], overlay: dict[str, Any]) -> list[str]:
    """Apply an overlay to a document, in place.

    Returns:
        The targets that matched nothing.

    Raises:
        OverlayError: The overlay does not follow the specification.
    """
    unmatched: list[str] = []
    for number, action in enumerate(overlay.get("actions", []), 1):
        where = f"action {number} of the overlay"
        if "target" not in action or ("update" in action) == bool(action.get("remove")):
            raise OverlayError(f"{where} needs a target, and either an update or `remove: true`")
        target = action["target"]
        where += f" ({target})"
        try:
            matches = list(_JSONPATH.finditer(target, document))
        except JSONPathSyntaxError as error:
            raise OverlayError(f"{where}: its target is not a JSONPath (RFC 9535): {error}") from error
        if not matches:
            unmatched.append(target)
        # From the last, so that the places of the others in a list stay what they are.
        for match in reversed(matches):
            if "update" in action:
                _update(match.obj, action["update"], where)
            elif match.parent is None:
                raise OverlayError(f"{where}: the whole document cannot be removed")
            else:
                del match.parent.obj[match.parts[-1]]  # type: ignore[attr-defined]
    return unmatched


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
