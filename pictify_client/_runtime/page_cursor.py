"""The requests of an iteration over a list, and which of its items were seen before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from operator import index
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Self, TypeVar

from ..errors import PaginationError
from ..types import UNSET, Unset
from .lazy import Deferred
from .model import Model
from .operations import Operation, PreparedRequest

if TYPE_CHECKING:
    from .. import low_level as clients
else:
    # A client imports most of the package.
    clients = Deferred("..low_level", __package__)

Parsed = TypeVar("Parsed")
Item = TypeVar("Item", bound=Model)
Info = TypeVar("Info", bound=Model)

# Generated code splits a response into the items of the page, the information about the page, and for some lists a
# third part. For a list by cursor, that is the parameter and the cursor of the next page; for a list whose
# pages are not counted from 1, the number of the first.
Split = Callable[
    [Parsed],
    tuple[list[Item] | None, Info]
    | tuple[list[Item] | None, Info, int]
    | tuple[list[Item] | None, Info, tuple[str, object]],
]


class Position(NamedTuple):
    """The start of a page, as an argument: the number of the page or of an item, or a cursor."""

    parameter: str
    value: Any

    def __str__(self) -> str:
        return f"{self.parameter}={self.value!r}"


class SeenItems:
    """The items that an iteration has received, each with the page on which it was first seen.

    A list may shift between two requests, so an item belongs to the page on which it was first seen.
    """

    def __init__(self) -> None:
        self._first_seen: dict[str, Position] = {}

    def deduplicate(self, position: Position, items: list[Item]) -> list[Item]:
        """Return the items of a page without those of earlier pages."""
        new = dict.fromkeys(_ids(items), position)
        if len(new) == len(items) and self._first_seen.keys().isdisjoint(new):
            # The usual case, which needs no loop: each item has an id, and none was seen before.
            self._first_seen.update(new)
            return items.copy()
        return list(self._new_items(position, items))

    def _new_items(self, position: Position, items: list[Item]) -> Iterator[Item]:
        on_this_page: set[str] = set()
        for item in items:
            uid = getattr(item, "uid", None) or getattr(item, "id", None)
            # An item without an id is compared by its content.
            key = uid if isinstance(uid, str) else _content(item)
            if self._first_seen.setdefault(key, position) == position and key not in on_this_page:
                yield item
            if key is uid:
                on_this_page.add(key)


class PageCursor(Generic[Item, Info]):
    """An iteration over a list: the requests it makes, and what it has received.

    Attributes:
        seen: The items that it has received.
        page_numbers: For a list by cursor, the number of the page that each cursor leads to, counted from 1.
    """

    def __init__(
        self,
        client: clients.Client,
        operation: Operation[Parsed],
        split: Split[Parsed, Item, Info],
        arguments: Mapping[str, object],
    ) -> None:
        self.client = client
        self.operation: Operation[Any] = operation
        self.split: Split[Any, Item, Info] = split
        # Invalid arguments are reported by the call that passes them.
        self._first_request: PreparedRequest = operation.request(arguments)
        self._arguments = arguments
        self.counts_items: bool = "offset" in arguments
        self.limit: Any = self.argument("limit")
        self.seen: SeenItems = SeenItems()
        self.page_numbers: dict[Position, int] = {}

    def restart(self) -> Self:
        """Return a cursor for another iteration over the same list."""
        cursor = copy(self)
        cursor.seen = SeenItems()
        cursor.page_numbers = {}
        return cursor

    def argument(self, name: str) -> int | str | None:
        """Return an argument of the list, or None if it is omitted."""
        value: Any = self._arguments.get(name, UNSET)
        if value is None or isinstance(value, Unset):
            return None
        return value if isinstance(value, str) else index(value)

    def name_in_url(self, parameter: str) -> str:
        """Return what the API calls a parameter."""
        names = {each.argument: each.name for each in self.operation.query_parameters}
        return names[parameter]

    def fetch(self, position: Position | None = None) -> object:
        """Request the page at a position, or the first one."""
        return self.client.send_request(self.operation, self._request(position)).result()

    async def afetch(self, position: Position | None = None) -> object:
        """Request the page at a position, or the first one."""
        return (await self.client.asend_request(self.operation, self._request(position))).result()

    def _request(self, position: Position | None) -> PreparedRequest:
        if position is None:
            return self._first_request
        return self.operation.request({**self._arguments, position.parameter: position.value})


def _ids(items: list[Any]) -> list[str]:
    """Return the ids of items of one class; nothing if not all of them have one."""
    try:
        has_uid = hasattr(items[0], "uid")
        ids = [item.uid for item in items] if has_uid else [item.id for item in items]
        # The fastest way to see that all are strings.
        "".join(ids)
    except (AttributeError, IndexError, TypeError):
        return []
    return ids if all(ids) else []


def _content(item: Model) -> str:
    try:
        return json.dumps(item.to_dict(), sort_keys=True, default=str)
    except RecursionError:
        raise PaginationError("an item without an id is nested too deeply to be compared with others") from None
