"""Cleanup in the child of a fork, which inherits locks and connections, but no other thread of its parent."""

from __future__ import annotations

import os
from collections.abc import Callable
from weakref import WeakMethod

_methods: set[WeakMethod[Callable[[], None]]] = set()


def after_fork(method: Callable[[], None]) -> None:
    """Call a method in the child of each fork, as long as its object exists."""
    _methods.add(WeakMethod(method, _methods.discard))


def _forked() -> None:
    for reference in list(_methods):
        method = reference()
        if method is not None:
            method()


if hasattr(os, "register_at_fork"):  # pragma: no branch (Windows has no forks)
    os.register_at_fork(after_in_child=_forked)
