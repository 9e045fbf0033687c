"""The steps of a call, which a client executes in sync or async code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import httpx

from ..errors import PictifyError
from .connections import SendRequest

if TYPE_CHECKING:
    from .pacing import Pacer

FileT = TypeVar("FileT")


class Sleep(NamedTuple):
    """Wait."""

    seconds: float


class Turn(NamedTuple):
    """Wait until the rate limit allows the next request; returns the PacingError if that takes too long."""

    pacer: Pacer
    longest: float


class Notify(NamedTuple):
    """Call a hook; if it fails, close the response whose body is left to be read."""

    hook: Callable[[Any], Any]
    event: object
    unread: httpx.Response | None = None


Step = SendRequest | Sleep | Turn | Notify
"""A step of a call. The result of a SendRequest is its RawResponse, or the exception of the transport."""


FileMaker = Callable[[httpx.Response, Callable[[Exception], PictifyError], bytes | None], FileT]
"""`File` or `AsyncFile`: they take a response, what returns the error for one of the transport, and what was read."""
