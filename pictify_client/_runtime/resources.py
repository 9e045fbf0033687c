"""The resources of a client, each created when it is first used."""

from __future__ import annotations

import functools
from typing import Any, get_type_hints


class cached_property(functools.cached_property[Any]):  # noqa: N801
    """As that of `functools`, which type checkers see, without its lock: that of Python 3.11 is one for all instances.

    Of a class it is the class of the value, where `unittest.mock.create_autospec` finds the methods.
    """

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        if instance is None:
            return get_type_hints(self.func)["return"]
        return vars(instance).setdefault(str(self.attrname), self.func(instance))
