"""JSON as Python has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, TypeGuard


@cache
def find_orjson() -> Callable[[bytes], Any] | None:
    """The reader of orjson, where it is installed."""
    try:
        import orjson
    except ImportError:
        return None
    return orjson.loads


def parse_json(content: bytes) -> Any:
    """Parse JSON, with orjson if it is installed (the extra `fast`); what that rejects, the standard library decides.

    Raises:
        ValueError, RecursionError: It is not JSON, or nested too deeply.
    """
    fast = find_orjson()
    if fast is not None:
        with suppress(ValueError):
            return fast(content)
    return json.loads(content)


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return isinstance(value, list)
