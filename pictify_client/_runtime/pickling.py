"""Errors in the form in which they are pickled."""

from __future__ import annotations

from typing import Any, TypeVar, cast

ErrorT = TypeVar("ErrorT", bound=BaseException)


def new_error(kind: type[ErrorT]) -> ErrorT:
    """Create an error without calling its `__init__`."""
    return kind.__new__(kind)


def portable_error(error: BaseException | None) -> BaseException | None:
    """Return an error in a form that can be pickled; None if there is none.

    Errors of other packages are reduced to their arguments: their attributes, such as a request of httpx, may hold the
    API key.
    """
    if error is None:
        return None
    import pickle

    try:
        make, arguments, *_ = cast("tuple[Any, ...]", error.__reduce__())
        portable: BaseException = make(*arguments)
        pickle.dumps(portable)
    except Exception:  # noqa: BLE001 (whatever another package raises where it has no such form)
        return None
    return portable
