"""`TypedDict` as pydantic requires it, so that it can validate the arguments of methods."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TypedDict

if not TYPE_CHECKING and sys.version_info < (3, 12):  # pragma: no branch
    with suppress(ImportError):
        from typing_extensions import TypedDict

__all__ = ["TypedDict"]
