"""Rules between the fields of an object in a request: which exclude and which require each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

Spell = Callable[[str], str]
"""Returns the name of a field that the caller uses, for the API's name."""


class Rule(Protocol):
    """A rule between the fields of an object."""

    def check(self, body: Mapping[str, Any], spell: Spell) -> str | None:
        """Return the error of an object with the API's names, or None."""


class AtLeastOne:
    """One of several fields, or groups of fields, is required."""

    def __init__(self, *groups: tuple[str, ...]) -> None:
        self.groups = groups

    def check(self, body: Mapping[str, Any], spell: Spell) -> str | None:
        """Return the error of an object, or None."""
        if any(all(name in body for name in group) for group in self.groups):
            return None
        return f"one of {_listed(self.groups, spell, 'or')} is required"


class ExactlyOne(AtLeastOne):
    """One of several fields, or groups of fields, is required and excludes the others."""

    def check(self, body: Mapping[str, Any], spell: Spell) -> str | None:
        """Return the error of an object, or None."""
        given = [group for group in self.groups if any(name in body for name in group)]
        if len(given) > 1:
            return f"{_listed(given, spell, 'and')} cannot be combined: pass only one of them"
        return super().check(body, spell)


class NotTogether:
    """Fields that exclude each other."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def check(self, body: Mapping[str, Any], spell: Spell) -> str | None:
        """Return the error of an object, or None."""
        if not all(name in body for name in self.names):
            return None
        return f"{_listed(((name,) for name in self.names), spell, 'and')} cannot be combined: pass only one of them"


class Requires:
    """A field that requires others."""

    def __init__(self, name: str, *others: str) -> None:
        self.name = name
        self.others = others

    def check(self, body: Mapping[str, Any], spell: Spell) -> str | None:
        """Return the error of an object, or None."""
        missing = [other for other in self.others if self.name in body and other not in body]
        return f"{spell(self.name)} requires {spell(missing[0])}" if missing else None


class RequiresValue:
    """A field that requires a certain value of another."""

    def __init__(self, name: str, other: str, value: object) -> None:
        self.name = name
        self.other = other
        self.value = value

    def check(self, body: Mapping[str, Any], spell: Spell) -> str | None:
        """Return the error of an object, or None."""
        if self.name not in body or body.get(self.other) == self.value:
            return None
        return f"{spell(self.name)} requires {spell(self.other)}={self.value!r}"


def _listed(groups: Iterable[tuple[str, ...]], spell: Spell, last: str) -> str:
    names = [" with ".join(map(spell, group)) for group in groups]
    return f" {last} ".join([", ".join(names[:-1]), names[-1]]) if names[1:] else names[0]
