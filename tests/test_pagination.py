"""Pagination: lists that shift, that contradict themselves, or that say little about their length; prefetching."""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from io import StringIO
from threading import Barrier, Event, Thread
from typing import Any, NoReturn

import anyio
import anyio.lowlevel
import httpx
import pytest
import rich
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pictify_client import AsyncPager, AsyncPictify, Pager, PaginationError, Pictify, RetryEvent
from pictify_client._runtime.clock import Clock
from pictify_client._runtime.fields import Argument
from pictify_client._runtime.operations import Operation
from pictify_client._runtime.scalars import Integer, String
from pictify_client.models import Binding, BindingList, Pagination

from .calls import list_all
from .replay import KEY

forms = pytest.mark.parametrize("form", ["sync", "async"])
ahead = pytest.mark.parametrize("prefetch", [0, 3])


def serving(respond: Callable[[int, int], dict[str, Any]], requested: list[int] | None = None) -> httpx.MockTransport:
    """A transport that responds by page and limit."""

    def handle(request: httpx.Request) -> httpx.Response:
        page, limit = (int(request.url.params.get(name, default)) for name, default in (("page", 1), ("limit", 20)))
        if requested is not None:
            requested.append(page)
        return httpx.Response(200, json=respond(page, limit))

    return httpx.MockTransport(handle)


def page_of(uids: list[str], page: int, size: int, **pagination: Any) -> dict[str, Any]:
    return listed(uids[(page - 1) * size : page * size], **pagination)


def listed(uids: list[str], **pagination: Any) -> dict[str, Any]:
    return {"bindings": [item(uid) for uid in uids], "pagination": pagination}


def item(uid: str = "", **fields: Any) -> dict[str, Any]:
    """A binding with the fields that the API always sends."""
    return {"uid": uid, "status": "active", "renderUrl": "https://api.pictify.io/r", **fields}


def uids(count: int) -> list[str]:
    return [f"bind_{number}" for number in range(count)]


def iterate(form: str, transport: httpx.MockTransport, **arguments: Any) -> list[str]:
    """The ids of all bindings that a pager yields."""
    return [str(binding.uid) for binding in list_all(form, transport, **arguments)]


def sync_client(transport: httpx.BaseTransport, **options: Any) -> Pictify:
    return Pictify(api_key=KEY, http_client=httpx.Client(transport=transport), **options)


def async_client(transport: httpx.AsyncBaseTransport) -> AsyncPictify:
    return AsyncPictify(api_key=KEY, http_client=httpx.AsyncClient(transport=transport))


def offset_server(respond: Callable[[int, int], dict[str, Any]], requested: list[int]) -> httpx.MockTransport:
    """A transport that responds by offset and limit."""

    def handle(request: httpx.Request) -> httpx.Response:
        offset, limit = (int(request.url.params.get(name, default)) for name, default in (("offset", 0), ("limit", 30)))
        requested.append(offset)
        return httpx.Response(200, json=respond(offset, limit))

    return httpx.MockTransport(handle)


def images(uids: list[str], **pagination: Any) -> dict[str, Any]:
    items = [{"id": uid, "url": uid, "createdAt": "2026-01-29T00:00:00Z"} for uid in uids]
    return {"images": items, "pagination": pagination}


def iterate_images(form: str, transport: httpx.MockTransport, **arguments: Any) -> list[str]:
    if form == "sync":
        return [str(image.id) for image in sync_client(transport).images.list(**arguments)]

    async def run() -> list[str]:
        return [str(image.id) async for image in async_client(transport).images.list(**arguments)]

    return anyio.run(run)


# Lists with consistent pagination fields.


@forms
@given(
    count=st.integers(0, 25), limit=st.integers(1, 10), sign=st.sampled_from(["hasNext", "totalPages", "total", "all"])
)
def test_every_item_is_yielded_once_with_any_pagination_fields(form: str, count: int, limit: int, sign: str) -> None:
    pages = -(-count // limit)

    def respond(page: int, limit: int) -> dict[str, Any]:
        signs = {"hasNext": page < pages, "totalPages": pages, "total": count, "limit": limit}
        return page_of(uids(count), page, limit, **(signs if sign == "all" else {sign: signs[sign]}))

    requested: list[int] = []
    assert iterate(form, serving(respond, requested), limit=limit) == uids(count)
    assert requested == list(range(1, max(pages, 1) + 1))


@forms
@given(changes=st.lists(st.integers(-4, 2), max_size=8))
def test_no_item_is_yielded_twice_while_the_list_shifts(form: str, changes: list[int]) -> None:
    stored = uids(12)
    moves = iter(changes)
    new = iter(range(1000, 2000))

    def respond(page: int, limit: int) -> dict[str, Any]:
        body = page_of(stored, page, limit, total=len(stored), limit=limit)
        change = next(moves, 0)
        if change > 0:
            stored[:0] = [f"bind_{next(new)}" for _ in range(change)]
        else:
            del stored[:-change]
        return body

    found = iterate(form, serving(respond), limit=3)
    assert len(found) == len(set(found))
    if min(changes, default=0) >= 0:
        assert set(uids(12)) <= set(found)


@forms
def test_a_list_that_grows_by_a_page_is_iterated_to_its_end(form: str) -> None:
    stored = uids(6)
    requested: list[int] = []

    def respond(page: int, limit: int) -> dict[str, Any]:
        body = page_of(stored, page, limit, total=len(stored), limit=limit)
        if page == 1:
            stored[:0] = ["new_1", "new_2"]
        return body

    assert iterate(form, serving(respond, requested), limit=2) == uids(6)
    assert requested == [1, 2, 3, 4]


@forms
@pytest.mark.parametrize(
    "body", [{"bindings": [item("a")]}, {"bindings": []}, {"bindings": None, "pagination": {"total": 0}}]
)
def test_without_any_sign_a_page_without_new_items_is_the_last(form: str, body: dict[str, Any]) -> None:
    requested: list[int] = []

    def respond(_page: int, _limit: int) -> dict[str, Any]:
        return body

    assert len(iterate(form, serving(respond, requested), limit=1)) == len(body.get("bindings") or [])
    assert requested == ([1, 2] if body.get("bindings") else [1])


@forms
@pytest.mark.parametrize("pagination", [{"total": 7}, {"page": 1}, None])
def test_no_item_is_lost_if_the_api_sends_little_pagination_information(
    form: str, pagination: dict[str, Any] | None
) -> None:
    def respond(page: int, _limit: int) -> dict[str, Any]:
        body = page_of(uids(7), page, 3)
        return {"bindings": body["bindings"], **({} if pagination is None else {"pagination": pagination})}

    assert iterate(form, serving(respond)) == uids(7)


# Lists with contradictory pagination fields.

# By page number: the items, and the pagination fields.
Pages = dict[int, tuple[list[str], dict[str, Any]]]
THREE: Pages = {1: (uids(20), {}), 2: ([], {}), 3: (uids(25)[20:], {})}


def with_signs(pages: Pages, signs: Callable[[int], dict[str, Any]]) -> Pages:
    return {page: (items, signs(page)) for page, (items, _) in pages.items()}


def capped(signs: Callable[[int], dict[str, Any]]) -> Pages:
    """35 items from a server that has at most 10 on a page, whatever is requested."""
    return {page: (uids(35)[(page - 1) * 10 : page * 10], signs(page)) for page in range(1, 5)}


CONTRADICTIONS: dict[str, tuple[Pages, int]] = {
    "an empty page in the middle, hasNext": (with_signs(THREE, lambda page: {"hasNext": page < 3}), 25),
    "an empty page in the middle, totalPages": (with_signs(THREE, lambda _: {"totalPages": 3}), 25),
    "an empty page in the middle, total": (with_signs(THREE, lambda _: {"total": 25, "limit": 20}), 25),
    "an empty page that hasNext calls the last": (
        with_signs(THREE, lambda page: {"total": 25, "limit": 20, "hasNext": page != 2}),
        25,
    ),
    "empty pages at the start": (
        {page: ([] if page < 5 else uids(3), {"totalPages": 5, "hasNext": False}) for page in range(1, 6)},
        3,
    ),
    "four empty pages in a row": (
        {page: (["a"] if page == 1 else ["b"] if page == 6 else [], {"hasNext": page < 6}) for page in range(1, 7)},
        2,
    ),
    "pages shorter than the limit": (
        {1: (uids(13), {"hasNext": True}), 2: (uids(14)[13:], {"hasNext": True}), 3: (uids(30)[14:], {})},
        30,
    ),
    "a capped page size, total": (capped(lambda _: {"total": 35}), 35),
    "a capped page size, total and the requested limit": (capped(lambda _: {"total": 35, "limit": 50}), 35),
    "a capped page size, totalPages of the requested limit": (
        capped(lambda page: {"total": 35, "totalPages": 1, "hasNext": page < 4}),
        35,
    ),
    "a capped page size, totalPages of the requested limit, and total": (
        capped(lambda _: {"total": 35, "totalPages": 1, "hasNext": False}),
        35,
    ),
    "a total that is the number of items on the page": (
        capped(lambda page: {"total": 10 if page < 4 else 5, "hasNext": page < 4}),
        35,
    ),
    "a total of -1 and 0 pages": (capped(lambda _: {"total": -1, "totalPages": 0}), 35),
    "a total that is lower than the number of items on a page": (capped(lambda _: {"total": 3}), 35),
}


@forms
@ahead
@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_one_sign_that_more_follows_is_enough(name: str, form: str, prefetch: int) -> None:
    pages, count = CONTRADICTIONS[name]
    requested: list[int] = []

    def respond(page: int, _limit: int) -> dict[str, Any]:
        items, pagination = pages.get(page, ([], {}))
        return listed(items, **pagination)

    found = iterate(form, serving(respond, requested), limit=50, prefetch=prefetch)
    assert len(found) == count
    assert len(set(found)) == count
    assert set(range(1, len(pages) + 1)) <= set(requested)
    assert len(requested) == len(set(requested))


@forms
@ahead
@given(data=st.data())
def test_no_item_is_lost_or_yielded_twice_if_one_sign_is_right(form: str, prefetch: int, data: st.DataObject) -> None:
    # Never more than four empty pages in a row, and a last page that has items.
    sizes = data.draw(st.lists(st.integers(0, 3), max_size=8).map(lambda sizes: [1, *sizes[:4], 2, *sizes[4:], 3]))
    right = data.draw(st.sampled_from(["hasNext", "totalPages", "total"]))
    wrong = data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "hasNext": st.just(False),
                "totalPages": st.integers(-1, 2),
                "total": st.integers(-1, sum(sizes)),
                "limit": st.integers(0, 10),
            },
        )
    )
    stored = uids(sum(sizes))

    def respond(page: int, _limit: int) -> dict[str, Any]:
        signs = {"hasNext": page < len(sizes), "totalPages": len(sizes), "total": len(stored)}
        start = sum(sizes[: page - 1])
        return listed(stored[start : sum(sizes[:page])], **{**wrong, right: signs[right]})

    requested: list[int] = []
    assert iterate(form, serving(respond, requested), limit=5, prefetch=prefetch) == stored
    assert len(requested) == len(set(requested))


@forms
@pytest.mark.parametrize(
    ("page", "pagination", "requests"),
    [
        # Only the next page can tell whether 5 items are the end or a page of a server with smaller pages.
        (3, {"total": 45}, [3, 4]),
        (3, {"total": 45, "limit": 20}, [3]),
        (3, {"total": 45, "limit": 20, "totalPages": 3, "hasNext": False}, [3]),
        (2, {"total": 45, "limit": 20}, [2, 3]),
        (9, {"total": 45, "limit": 20}, [9]),
        (9, {"total": 45}, [9]),
    ],
)
def test_an_iteration_that_starts_at_a_later_page_ends_at_the_last(
    form: str, page: int, pagination: dict[str, Any], requests: list[int]
) -> None:
    requested: list[int] = []
    transport = serving(lambda page, _: page_of(uids(45), page, 20, **pagination), requested)
    assert iterate(form, transport, page=page) == uids(45)[(page - 1) * 20 :]
    assert requested == requests


@forms
@pytest.mark.parametrize("pagination", [{"total": 135}, {"total": 135, "limit": 50}])
def test_an_iteration_that_starts_at_a_later_page_is_complete_if_pages_are_smaller_than_requested(
    form: str, pagination: dict[str, Any]
) -> None:
    transport = serving(lambda page, _: page_of(uids(135), page, 10, **pagination))
    assert iterate(form, transport, page=2, limit=50) == uids(135)[10:]


@forms
@pytest.mark.parametrize(
    ("limit", "pagination"), [(None, {"total": 30, "limit": 10}), (10, {"total": 30}), (10, {"total": 30, "limit": -1})]
)
def test_an_iteration_that_starts_at_a_later_page_continues_after_an_empty_page(
    form: str, limit: int | None, pagination: dict[str, Any]
) -> None:
    stored = {2: uids(20)[10:], 4: uids(30)[20:]}
    transport = serving(lambda page, _: listed(stored.get(page, []), **pagination))
    assert iterate(form, transport, page=2, limit=limit) == uids(30)[10:]


@forms
@ahead
def test_a_list_that_counts_items_continues_after_an_empty_page(form: str, prefetch: int) -> None:
    stored = {0: uids(10), 20: uids(20)[10:], 50: uids(25)[20:]}
    for limit, pagination in (
        (10, {"hasMore": True, "limit": 10}),
        (10, {"hasMore": True}),
        (10, {"hasMore": True, "limit": -1}),
        (None, {"hasMore": True}),
        (None, {"total": 25, "limit": 10}),
    ):
        requested: list[int] = []

        def respond(offset: int, _limit: int, signs: dict[str, Any] = pagination) -> dict[str, Any]:
            return images(
                stored.get(offset, []), **({**signs, "hasMore": offset < 50} if "hasMore" in signs else signs)
            )

        transport = offset_server(respond, requested)
        assert iterate_images(form, transport, limit=limit, prefetch=prefetch) == uids(25)
        assert sorted(requested)[:6] == [0, 10, 20, 30, 40, 50]


@forms
def test_a_list_that_counts_items_is_complete_if_pages_are_smaller_than_requested(form: str) -> None:
    requested: list[int] = []
    transport = offset_server(lambda offset, _: images(uids(35)[offset : offset + 10], total=35, limit=50), requested)
    assert iterate_images(form, transport, limit=50, offset=5, prefetch=2) == uids(35)[5:]
    assert sorted(set(requested)) == [5, 15, 25]


@forms
def test_an_empty_page_of_unknown_size_is_not_requested_again(form: str) -> None:
    requested: list[int] = []
    transport = offset_server(lambda offset, _: images([] if offset < 2 else ["a"], hasMore=offset < 2), requested)
    assert iterate_images(form, transport) == ["a"]
    assert requested == [0, 1, 2]


# Lists that do not end.


@forms
def test_a_server_that_repeats_itself_is_not_requested_for_ever(form: str) -> None:
    requested: list[int] = []
    transport = serving(lambda _, limit: page_of(uids(4), 1, limit, hasNext=True), requested)
    text = r"GET /bindings: the last 5 pages, up to page=6, have no new items, .* never end\. To continue, pass page=7"
    with pytest.raises(PaginationError, match=text):
        iterate(form, transport, limit=2)
    assert requested == [1, 2, 3, 4, 5, 6]


@forms
def test_a_server_that_ignores_the_page_is_an_error_and_not_a_short_list(form: str) -> None:
    requested: list[int] = []
    transport = serving(lambda _page, _limit: page_of(uids(35), 1, 10, total=35), requested)
    with pytest.raises(PaginationError, match="have no new items"):
        iterate(form, transport)
    assert requested == [1, 2, 3, 4, 5, 6]
    offsets: list[int] = []
    with pytest.raises(PaginationError, match="up to offset=50, .* pass offset=60"):
        iterate_images(form, offset_server(lambda _offset, _limit: images(uids(10), total=100), offsets), prefetch=0)


@forms
@ahead
def test_empty_pages_are_an_error_if_the_api_insists_that_more_follow(form: str, prefetch: int) -> None:
    requested: list[int] = []
    transport = serving(lambda page, limit: page_of(uids(2), page, limit, hasNext=True), requested)
    with pytest.raises(PaginationError, match="up to page=6"):
        iterate(form, transport, limit=2, prefetch=prefetch)
    assert requested[:6] == [1, 2, 3, 4, 5, 6]
    assert len(requested) < 6 + prefetch + 1


@forms
@pytest.mark.parametrize(("total", "ends"), [(0, True), (-1, False)])
def test_an_empty_list_ends_if_the_api_says_that_it_is_empty(form: str, total: int, ends: bool) -> None:
    transport = serving(lambda _page, _limit: listed([], hasNext=True, total=total))
    if ends:
        assert iterate(form, transport) == []
    else:
        with pytest.raises(PaginationError, match="no new items"):
            iterate(form, transport)


@forms
def test_a_list_ends_if_all_items_were_received_and_the_api_insists_that_more_follow(form: str) -> None:
    requested: list[int] = []
    transport = serving(lambda page, limit: page_of(uids(4), page, limit, hasNext=True, total=4), requested)
    assert iterate(form, transport, limit=2) == uids(4)
    assert requested == [1, 2, 3, 4, 5, 6, 7]


@forms
def test_a_list_that_has_fewer_items_than_the_api_counts_ends_with_a_warning(
    form: str, caplog: pytest.LogCaptureFixture
) -> None:
    requested: list[int] = []
    transport = serving(lambda page, limit: page_of(uids(4), page, limit, total=5, limit=limit), requested)
    with caplog.at_level(logging.WARNING, "pictify_client"):
        assert iterate(form, transport, limit=2) == uids(4)
    assert requested == [1, 2, 3, 4, 5, 6, 7]
    assert caplog.messages == [
        "GET /bindings: the last 5 pages, up to page=7, are empty; the list ends after 4 of 5 items"
    ]


# Items and responses.


@forms
def test_an_item_that_moves_to_another_page_between_two_iterations_is_yielded_in_both(form: str) -> None:
    stored = uids(4)
    transport = serving(lambda page, limit: page_of(stored, page, limit, total=len(stored), limit=limit))

    async def run() -> None:
        pager = async_client(transport).bindings.list(limit=2)
        assert [binding.uid async for binding in pager] == stored
        stored.reverse()
        assert [binding.uid async for binding in pager] == stored

    if form == "async":
        return anyio.run(run)
    pager = sync_client(transport).bindings.list(limit=2)
    assert [binding.uid for binding in pager] == stored
    stored.reverse()
    assert [binding.uid for binding in pager] == stored
    return None


@forms
def test_an_item_that_cannot_be_compared_with_others_is_an_error(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_deep(_: Binding) -> dict[str, Any]:
        raise RecursionError

    monkeypatch.setattr(Binding, "to_dict", too_deep)
    body = {"bindings": [item(name="deep")], "pagination": {"total": 9}}
    with pytest.raises(PaginationError, match="an item without an id is nested too deeply"):
        iterate(form, httpx.MockTransport(lambda _: httpx.Response(200, json=body)))


@forms
@pytest.mark.parametrize("body", [{}, {"ok": False}, {"bindings": None, "pagination": None}])
def test_a_response_that_is_not_a_list_is_not_mistaken_for_an_empty_one(form: str, body: dict[str, Any]) -> None:
    with pytest.raises(
        PaginationError, match=r"GET /bindings: the response from https://api.pictify.io has neither a list"
    ):
        iterate(form, httpx.MockTransport(lambda _: httpx.Response(200, json=body)))


@forms
def test_items_without_an_id_are_compared_by_their_content(form: str) -> None:
    names = ["a", "b", "a", "c"]

    def respond(page: int, limit: int) -> dict[str, Any]:
        start = (page - 1) * limit
        items = [item(name=name) for name in names[start : start + limit]]
        return {"bindings": items, "pagination": {"total": 4, "limit": limit}}

    assert [binding.name for binding in list_all(form, serving(respond), limit=2)] == ["a", "b", "c"]


@forms
def test_items_without_an_id_may_be_equal_on_one_page_and_those_with_one_may_not(form: str) -> None:
    items = [item(name="a"), item(name="a"), item(name="a"), item("b"), item("b")]
    body = {"bindings": items, "pagination": {"total": 5}}
    found = list_all(form, httpx.MockTransport(lambda _: httpx.Response(200, json=body)))
    assert [binding.to_dict() for binding in found] == items[:4]


# Pages.


def test_each_iteration_starts_again_and_the_first_page_is_requested_once() -> None:
    requested: list[int] = []
    transport = serving(lambda page, limit: page_of(uids(3), page, limit, total=3, limit=limit), requested)
    pager = sync_client(transport).bindings.list(limit=2)
    assert requested == []
    first = pager.first_page()
    assert pager.first_page() is first
    assert (len(first.items), first.has_next, first.pagination.total) == (2, True, 3)
    assert requested == [1]
    second = first.next_page()
    assert second is not None
    again = first.next_page()
    assert again is not None
    assert second.items == again.items
    assert second.next_page() is None
    assert requested == [1, 2, 2]
    assert len(list(pager)) == len(list(pager)) == 3
    assert requested == [1, 2, 2, 1, 2, 1, 2]


def test_the_first_page_of_an_async_list_is_requested_once() -> None:
    requested: list[int] = []
    transport = serving(lambda page, limit: page_of(uids(3), page, limit, total=3, limit=limit), requested)

    async def run() -> None:
        pager = async_client(transport).bindings.list(limit=2)
        first = await pager
        assert first is await pager.first_page()
        assert requested == [1]
        second = await first.next_page()
        assert second is not None
        assert [binding.uid for binding in second] == ["bind_2"]
        assert await second.next_page() is None
        assert requested == [1, 2]

    anyio.run(run)


def test_the_first_page_is_the_one_requested_and_later_ones_are_skipped_if_they_are_empty() -> None:
    def respond(page: int, _limit: int) -> dict[str, Any]:
        return listed({2: ["a"], 4: ["b"]}.get(page, []), hasNext=page < 5)

    pictify, requested = sync_client(serving(respond)), list[str]()
    pager = pictify.bindings.list()
    first = pager.first_page()
    assert (first.items, first.has_next) == ([], True)
    page = first
    while (following := page.next_page()) is not None:
        page = following
        requested.append(repr(page))
    assert requested == ["<Page 2 of GET /bindings: 1 items>", "<Page 4 of GET /bindings: 1 items>"]
    assert [repr(page) for page in pager.pages()] == requested

    async def run() -> None:
        pager = async_client(serving(respond)).bindings.list()
        assert [repr(page)[6:] for page in [page async for page in pager.pages()]] == [text[1:] for text in requested]
        second = await (await pager).next_page()
        assert second is not None
        assert second.items[0].uid == "a"
        last = await second.next_page()
        assert last is not None
        assert await last.next_page() is None

    anyio.run(run)


def test_an_empty_list_has_one_page() -> None:
    transport = serving(lambda page, limit: page_of([], page, limit, total=0, limit=limit))
    (page,) = sync_client(transport).bindings.list().pages()
    assert (page.items, page.has_next, page.next_page()) == ([], False, None)


def test_pages_and_pagers_have_a_repr() -> None:
    transport = serving(lambda page, limit: page_of(uids(3), page, limit, total=3, limit=limit))
    pager = sync_client(transport).bindings.list(limit=2)
    assert repr(pager) == "<Pager of GET /bindings>"
    assert repr(async_client(transport).bindings.list()) == "<AsyncPager of GET /bindings>"
    assert [repr(page) for page in pager.pages()] == [
        "<Page 1 of GET /bindings: 2 items>",
        "<Page 2 of GET /bindings: 1 items>",
    ]
    items = [binding.to_dict() for binding in pager.first_page().items]
    assert json.loads(json.dumps(items)) == [item("bind_0"), item("bind_1")]


LOOKS: dict[str, Callable[[Any], object]] = {
    "repr": repr,
    "dir": dir,
    "getmembers": inspect.getmembers,
    "hasattr": lambda pager: hasattr(pager, "items"),
    "getattr": lambda pager: [getattr(pager, name, None) for name in dir(pager)],
    "rich.inspect": lambda pager: rich.inspect(pager, all=True, console=Console(file=StringIO())),
    "rich.print": lambda pager: rich.print(pager, file=StringIO()),
}


@pytest.mark.parametrize("client", [sync_client, async_client])
@pytest.mark.parametrize("look", LOOKS)
def test_inspecting_a_pager_sends_nothing(
    client: Callable[[httpx.MockTransport], Pictify | AsyncPictify], look: str
) -> None:
    requested: list[int] = []
    transport = serving(lambda page, limit: page_of(uids(3), page, limit, total=3), requested)
    pager = client(transport).bindings.list()
    LOOKS[look](pager)
    assert not hasattr(pager, "items")
    assert requested == []


async def async_for(iterable: Any) -> None:
    async for _ in iterable:
        pass


MISUSES: dict[str, tuple[Callable[[Any, Any], object], str]] = {
    "bool": (lambda pager, _: bool(pager), r"a Pager has no truth value: use `if pager.first_page\(\):` or"),
    "async bool": (lambda _, pager: bool(pager), r"an AsyncPager has no truth value: use `if await pager:` or"),
    "len": (lambda pager, _: len(pager), r"a Pager has no length: use `len\(list\(pager\)\)`"),
    "async len": (
        lambda _, pager: len(pager),
        r"an AsyncPager has no length: use `len\(\[item async for item in pager",
    ),
    "for": (lambda _, pager: list(pager), r"use `async for item in pager`: an AsyncPager"),
    "for over pages": (lambda _, pager: list(pager.pages()), r"use `async for page in pager.pages\(\)`"),
    "async for": (lambda pager, _: asyncio.run(async_for(pager)), r"use `for item in pager`: a Pager is not async"),
    "async for over a page": (
        lambda pager, _: asyncio.run(async_for(pager.first_page())),
        r"use `for item in page` for the items of this Page, and without `await` `async for item in pager` for",
    ),
}


@pytest.mark.parametrize("name", MISUSES)
def test_a_misused_pager_is_an_error_that_says_what_to_write(name: str) -> None:
    use, text = MISUSES[name]
    transport = serving(lambda page, limit: page_of(uids(3), page, limit, total=3))
    with pytest.raises(TypeError, match=text):
        use(sync_client(transport).bindings.list(), async_client(transport).bindings.list())


def test_an_async_for_over_an_awaited_page_is_an_error_that_says_what_to_write() -> None:
    async def run() -> None:
        transport = serving(lambda page, limit: page_of(uids(3), page, limit, total=3))
        await async_for(await async_client(transport).bindings.list())

    with pytest.raises(TypeError, match="for the items of this AsyncPage, and without `await`"):
        anyio.run(run)


def test_a_list_of_items_needs_no_length() -> None:
    transport = serving(lambda page, limit: page_of(uids(3), page, limit, total=3))
    pager = sync_client(transport).bindings.list()
    assert len([*pager]) == len(tuple(pager)) == 3


def test_pagers_in_threads_do_not_wait_for_each_other() -> None:
    together = Barrier(3)

    def handle(_: httpx.Request) -> httpx.Response:
        together.wait(timeout=10)
        return httpx.Response(200, json=listed(uids(1), total=1))

    pictify = sync_client(httpx.MockTransport(handle))
    found: list[int] = []
    threads = [Thread(target=lambda: found.append(len(pictify.bindings.list().first_page()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1, 1, 1]


# Lists by cursor, as code is generated for them.

BY_CURSOR = Operation(
    "GET",
    "/bindings",
    query_parameters=(Argument("cursor", "pageToken", String()), Argument("limit", "limit", Integer())),
    responses={200: BindingList.__decode__},
)


def next_cursor(response: BindingList) -> tuple[list[Binding] | None, Pagination, tuple[str, object]]:
    info = response.pagination or Pagination()
    return response.bindings, info, ("cursor", info.additional_properties.get("nextCursor"))


def by_cursor(client: Pictify, prefetch: int = 0, **arguments: Any) -> Pager[Binding, Pagination]:
    return Pager(client.client, BY_CURSOR, next_cursor, prefetch, **arguments)


def async_by_cursor(client: AsyncPictify, prefetch: int = 1, **arguments: Any) -> AsyncPager[Binding, Pagination]:
    return AsyncPager(client.client, BY_CURSOR, next_cursor, prefetch, **arguments)


def cursor_server(respond: Callable[[str], dict[str, Any]], requested: list[str] | None = None) -> httpx.MockTransport:
    """A transport that responds by cursor; the first page has none."""

    def handle(request: httpx.Request) -> httpx.Response:
        cursor = request.url.params.get("pageToken", "")
        if requested is not None:
            requested.append(cursor)
        return httpx.Response(200, json=respond(cursor))

    return httpx.MockTransport(handle)


def iterate_by_cursor(
    form: str, transport: httpx.MockTransport, seen: list[str] | None = None, **arguments: Any
) -> list[str]:
    """The ids of all bindings of a list by cursor; `seen` has those before an error, too."""
    found: list[str] = [] if seen is None else seen
    if form == "sync":
        for page in by_cursor(sync_client(transport), **arguments).pages():
            found.extend(str(binding.uid) for binding in page)
        return found

    async def run() -> None:
        async for page in async_by_cursor(async_client(transport), **arguments).pages():
            found.extend(str(binding.uid) for binding in page)

    anyio.run(run)
    return found


@forms
@given(
    sizes=st.lists(st.integers(0, 3), min_size=1, max_size=8),
    prefetch=st.integers(0, 3),
    end=st.sampled_from([None, "", "absent"]),
)
def test_a_list_by_cursor_is_iterated_to_its_end(form: str, sizes: list[int], prefetch: int, end: str | None) -> None:
    stored = uids(sum(sizes))

    def respond(cursor: str) -> dict[str, Any]:
        page = int(cursor.removeprefix("c/=") or 0)
        items = stored[sum(sizes[:page]) : sum(sizes[: page + 1])]
        if page < len(sizes) - 1:
            return listed(items, nextCursor=f"c/={page + 1}")
        return listed(items, **({"total": 9} if end == "absent" else {"nextCursor": end}))

    requested: list[str] = []
    found = iterate_by_cursor(form, cursor_server(respond, requested), prefetch=prefetch, limit=3)
    assert found == stored
    assert requested == ["", *(f"c/={page}" for page in range(1, len(sizes)))]


# By cursor: the ids on a page, and the cursor of the next.
Chain = dict[str, tuple[list[str], str | None]]
CHAIN: Chain = {"": (["a", "b"], "x"), "x": (["b", "c"], "y"), "y": ([], "z"), "z": (["d", "a"], None)}


def chained(cursor: str) -> dict[str, Any]:
    items, following = CHAIN[cursor]
    return listed(items, nextCursor=following)


@forms
@ahead
def test_no_item_of_a_list_by_cursor_is_yielded_twice(form: str, prefetch: int) -> None:
    assert iterate_by_cursor(form, cursor_server(chained), prefetch=prefetch) == ["a", "b", "c", "d"]


@forms
def test_a_list_by_cursor_can_begin_in_the_middle(form: str) -> None:
    requested: list[str] = []
    assert iterate_by_cursor(form, cursor_server(chained, requested), cursor="y") == ["d", "a"]
    assert requested == ["y", "z"]


def test_the_pages_of_a_list_by_cursor() -> None:
    requested: list[str] = []
    pager = by_cursor(sync_client(cursor_server(chained, requested)))
    first = pager.first_page()
    assert pager.first_page() is first
    second = first.next_page()
    again = first.next_page()
    assert second is not None
    assert again is not None
    assert [binding.uid for binding in second] == [binding.uid for binding in again] == ["c"]
    last = second.next_page()
    assert last is not None
    assert (first.has_next, second.has_next, last.has_next, last.next_page()) == (True, True, False, None)
    assert requested == ["", "x", "x", "y", "z"]
    assert [repr(page) for page in pager.pages()] == [
        "<Page 1 of GET /bindings: 2 items>",
        "<Page 2 of GET /bindings: 1 items>",
        "<Page 4 of GET /bindings: 1 items>",
    ]

    async def run() -> None:
        first = await async_by_cursor(async_client(cursor_server(chained)))
        second = await first.next_page()
        assert second is not None
        assert [binding.uid for binding in second] == ["c"]

    anyio.run(run)


def test_a_page_by_cursor_may_be_requested_again_after_the_list_has_changed() -> None:
    chain: Chain = {"": (["a"], "x"), "x": (["b"], "y"), "y": (["c"], "z"), "z": (["d"], None)}
    pager = by_cursor(sync_client(cursor_server(lambda cursor: listed(chain[cursor][0], nextCursor=chain[cursor][1]))))
    first = pager.first_page()
    for uid in ("b", "c", "d"):
        page = first.next_page()
        assert page is not None
        assert [binding.uid for binding in page] == [uid]
        chain[""] = (["a"], "y")
        first = page


REPEATS: list[tuple[Chain, str | None, list[str], str]] = [
    # The same cursor again, an earlier one, and the one with which the caller began.
    ({"": (["a"], "x"), "x": (["b"], "x")}, None, ["a", "b"], "pass cursor='x'$"),
    ({"": (["a"], "x"), "x": (["b"], "y"), "y": ([], "x")}, None, ["a", "b"], "pass cursor='y'$"),
    ({"x": (["a"], "x")}, "x", ["a"], "pass cursor='x'$"),
]


@forms
@ahead
@pytest.mark.parametrize(("pages", "start", "seen", "text"), REPEATS)
def test_an_api_that_repeats_a_cursor_is_an_error_after_the_items(
    form: str, prefetch: int, pages: Chain, start: str | None, seen: list[str], text: str
) -> None:
    requested: list[str] = []
    transport = cursor_server(lambda cursor: listed(pages[cursor][0], nextCursor=pages[cursor][1]), requested)
    found: list[str] = []
    with pytest.raises(PaginationError, match=f"GET /bindings: the API repeats cursor='x' as the next page; .* {text}"):
        iterate_by_cursor(form, transport, found, prefetch=prefetch, cursor=start)
    assert found == seen
    assert requested == [*pages]


@forms
@pytest.mark.parametrize("items", [[], ["a"]])
def test_a_list_by_cursor_without_new_items_ends(form: str, items: list[str]) -> None:
    requested: list[str] = []
    transport = cursor_server(lambda cursor: listed(items, nextCursor=f"{len(cursor)}x{cursor}"[:300]), requested)
    last = 100 + len(items)
    with pytest.raises(PaginationError, match=r"the last 100 pages, up to cursor=.* To continue, pass cursor='\d+x"):
        iterate_by_cursor(form, transport, prefetch=0)
    assert len(requested) == last


@forms
def test_the_end_of_a_list_by_cursor_may_have_a_cursor_if_the_api_calls_it_the_end(form: str) -> None:
    pages = {"": listed(["a"], nextCursor="x", hasNext=True), "x": listed(["b"], nextCursor="y", hasNext=False)}
    assert iterate_by_cursor(form, cursor_server(pages.__getitem__)) == ["a", "b"]


@forms
def test_a_page_without_the_cursor_of_the_next_is_an_error_if_the_api_says_that_more_follow(form: str) -> None:
    pages = {"": listed(["a"], nextCursor="x", hasNext=True), "x": listed(["b"], hasNext=True)}
    seen: list[str] = []
    with pytest.raises(PaginationError, match=r"does not say with which cursor\. .* pass cursor='x'$"):
        iterate_by_cursor(form, cursor_server(pages.__getitem__), seen)
    assert seen == ["a", "b"]
    with pytest.raises(PaginationError, match=r"does not say with which cursor$"):
        iterate_by_cursor(form, cursor_server(lambda _: listed(["a"], hasNext=True)))


@forms
@pytest.mark.parametrize(
    ("following", "cursor"),
    [
        ("https://api.pictify.io/bindings?limit=2&pageToken=a%2Bb%3D", "a+b="),
        ("/bindings?pageToken=x", "x"),
        ("?pageToken=x", "x"),
        ("what?", "what?"),
        ("urn://[x", "urn://[x"),
    ],
)
def test_the_next_page_of_a_list_by_cursor_may_be_a_url(form: str, following: str, cursor: str) -> None:
    pages = {"": listed(["a"], nextCursor=following), cursor: listed(["b"], nextCursor="/bindings?pageToken=")}
    assert iterate_by_cursor(form, cursor_server(pages.__getitem__)) == ["a", "b"]


@forms
def test_a_url_without_a_cursor_is_an_error(form: str) -> None:
    transport = cursor_server(lambda _: listed(["a"], nextCursor="https://api.pictify.io/bindings?from=x"))
    with pytest.raises(PaginationError, match="the URL of the next page does not have the parameter `pageToken`"):
        iterate_by_cursor(form, transport)


def test_one_page_of_a_list_by_cursor_is_prefetched_in_a_thread_while_another_is_used() -> None:
    arrived = Event()
    requested: list[str] = []

    def respond(cursor: str) -> dict[str, Any]:
        if cursor == "x":
            arrived.set()
        return chained(cursor)

    pages = by_cursor(sync_client(cursor_server(respond, requested)), prefetch=8).pages()
    next(pages)
    assert arrived.wait(timeout=10)
    assert [len(page) for page in pages] == [1, 1]
    assert requested == ["", "x", "y", "z"]
    join_page_threads()
    pages = by_cursor(sync_client(cursor_server(chained, requested))).pages()
    next(pages)
    assert requested[4:] == [""]


def test_one_page_of_a_list_by_cursor_is_prefetched_in_a_task_and_cancelled_with_the_iteration() -> None:
    ended: list[str] = []

    class Chained(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            cursor = request.url.params.get("pageToken", "")
            if cursor:
                started.set()
                try:
                    await asyncio.get_running_loop().create_future()
                finally:
                    ended.append(cursor)
            return httpx.Response(200, json=chained(cursor))

    started = Event()

    async def run() -> None:
        pages = async_by_cursor(async_client(Chained()), prefetch=8).pages()
        await anext(pages)
        while not started.is_set():
            await anyio.lowlevel.checkpoint()
        del pages
        gc.collect()
        while len(asyncio.all_tasks()) > 1:
            await anyio.lowlevel.checkpoint()

    asyncio.run(run())
    assert ended == ["x"]


# Pages that are counted from 0.

FROM_ZERO = Operation(
    "GET",
    "/bindings",
    query_parameters=(Argument("page", "page", Integer(minimum=0)), Argument("limit", "limit", Integer())),
    responses={200: BindingList.__decode__},
)


def with_first(response: BindingList) -> tuple[list[Binding] | None, Pagination, int]:
    return response.bindings, response.pagination or Pagination(), 0


@forms
@ahead
@pytest.mark.parametrize("sign", ["hasNext", "totalPages", "total", "none"])
@pytest.mark.parametrize("start", [None, 0, 2])
def test_a_list_whose_pages_are_counted_from_0(form: str, prefetch: int, sign: str, start: int | None) -> None:
    requested: list[int] = []

    def handle(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", 0))
        requested.append(page)
        signs = {"hasNext": page < 3, "totalPages": 4, "total": 7, "none": 0}
        more = {} if sign == "none" else {sign: signs[sign], "limit": 2}
        return httpx.Response(200, json=page_of(uids(7), page + 1, 2, **more))

    transport = httpx.MockTransport(handle)

    async def run() -> list[str]:
        client = async_client(transport).client
        pager = AsyncPager(client, FROM_ZERO, with_first, prefetch, page=start, limit=2)
        return [str(binding.uid) async for binding in pager]

    if form == "sync":
        pager = Pager(sync_client(transport).client, FROM_ZERO, with_first, prefetch, page=start, limit=2)
        assert repr(pager.first_page()) == f"<Page {start or 0} of GET /bindings: 2 items>"
        requested.clear()
        found = [str(binding.uid) for binding in pager]
    else:
        found = anyio.run(run)
    assert found == uids(7)[2 * (start or 0) :]
    assert sorted(requested) == list(range(start or 0, 5 if sign == "none" else 4))


def test_a_page_may_be_an_integer_of_another_library() -> None:
    class Number:
        def __index__(self) -> int:
            return 2

    requested: list[int] = []
    transport = serving(lambda page, _: page_of(uids(50), page, 20, total=50), requested)
    pages: Any = Number()
    assert len(list(sync_client(transport).bindings.list(page=pages))) == 30
    assert requested == [2, 3]


# Prefetching.


@forms
@given(count=st.integers(0, 25), limit=st.integers(1, 10), prefetch=st.integers(0, 5), total=st.booleans())
def test_every_item_is_yielded_once_and_no_page_is_requested_twice_however_many_are_prefetched(
    form: str, count: int, limit: int, prefetch: int, total: bool
) -> None:
    pages = max(-(-count // limit), 1)

    def respond(page: int, limit: int) -> dict[str, Any]:
        return page_of(uids(count), page, limit, **({"total": count} if total else {"hasNext": page < pages}))

    requested: list[int] = []
    assert iterate(form, serving(respond, requested), limit=limit, prefetch=prefetch) == uids(count)
    assert sorted(requested) == list(range(1, pages + 1))


@forms
@given(changes=st.lists(st.integers(-4, 2), max_size=8), prefetch=st.integers(1, 4))
def test_no_item_is_yielded_twice_while_the_list_shifts_under_prefetched_pages(
    form: str, changes: list[int], prefetch: int
) -> None:
    stored = uids(12)
    moves = iter(changes)

    def respond(page: int, limit: int) -> dict[str, Any]:
        body = page_of(stored, page, limit, total=len(stored), limit=limit)
        change = next(moves, 0)
        if change > 0:
            stored[:0] = [f"new_{len(stored)}_{number}" for number in range(change)]
        else:
            del stored[:-change]
        return body

    found = iterate(form, serving(respond), limit=3, prefetch=prefetch)
    assert len(found) == len(set(found))


@forms
@pytest.mark.parametrize(
    ("sizes", "limit", "pagination"),
    [
        # The first page is shorter than the others.
        ([1, 5, 5], 5, {"total": 11}),
        ([20, 20, 5], None, {"total": 45}),
        ([20, 20, 5], None, {"total": 45, "limit": 20}),
        ([20, 20, 5], None, {"totalPages": 3}),
    ],
)
def test_no_page_beyond_the_last_is_prefetched(
    form: str, sizes: list[int], limit: int | None, pagination: dict[str, Any]
) -> None:
    def respond(page: int, _limit: int) -> dict[str, Any]:
        items = uids(sum(sizes))[sum(sizes[: page - 1]) : sum(sizes[:page])]
        return listed(items, **pagination)

    requested: list[int] = []
    assert iterate(form, serving(respond, requested), limit=limit, prefetch=8) == uids(sum(sizes))
    assert sorted(requested) == [1, 2, 3]


def test_nothing_is_prefetched_after_the_last_page() -> None:
    requested: list[int] = []
    transport = serving(lambda page, limit: page_of(uids(4), page, limit, total=4, limit=limit), requested)

    async def run() -> None:
        async for _ in async_client(transport).bindings.list(limit=2, prefetch=3).pages():
            for _ in range(3):
                await anyio.lowlevel.checkpoint()

    anyio.run(run)
    assert requested == [1, 2]


@forms
def test_a_list_that_counts_items_is_prefetched_too(form: str) -> None:
    requested: list[int] = []
    transport = offset_server(
        lambda offset, limit: images(uids(7)[offset : offset + limit], total=7, limit=limit), requested
    )
    assert iterate_images(form, transport, limit=2, prefetch=3) == uids(7)
    assert sorted(requested) == [0, 2, 4, 6]


def test_as_many_pages_are_in_flight_as_prefetch_says_and_they_are_yielded_in_order() -> None:
    in_flight: list[int] = []
    most = 0

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal most
        page = int(request.url.params.get("page", 1))
        in_flight.append(page)
        most = max(most, len(in_flight))
        # A later page responds first.
        for _ in range(50 - 2 * page):
            await anyio.lowlevel.checkpoint()
        in_flight.remove(page)
        return httpx.Response(200, json=page_of(uids(40), page, 2, total=40, limit=2))

    async def run() -> list[Any]:
        pager = async_client(httpx.MockTransport(handle)).bindings.list(limit=2, prefetch=8)
        return [binding.uid async for binding in pager]

    assert anyio.run(run) == uids(40)
    assert most == 8


def page_threads() -> list[Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "pictify_client pages"]


def join_page_threads() -> None:
    for thread in page_threads():
        thread.join(timeout=10)
    assert page_threads() == []


def test_in_sync_code_as_many_threads_fetch_pages_as_prefetch_says() -> None:
    together = Barrier(4)
    daemons: list[bool] = []
    threads: list[int] = []
    join_page_threads()

    def handle(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", 1))
        if 2 <= page <= 5:
            daemons.append(threading.current_thread().daemon)
            together.wait(timeout=10)
        threads.append(len(page_threads()))
        return httpx.Response(200, json=page_of(uids(30), page, 2, total=30, limit=2))

    pager = sync_client(httpx.MockTransport(handle)).bindings.list(limit=2, prefetch=4)
    assert [binding.uid for binding in pager] == uids(30)
    assert daemons == [True] * 4
    assert max(threads) == 4


@forms
def test_an_error_is_raised_in_place_of_its_page(form: str) -> None:
    def respond(page: int, limit: int) -> dict[str, Any]:
        return {} if page == 3 else page_of(uids(20), page, limit, total=20, limit=limit)

    seen: list[str] = []
    with pytest.raises(PaginationError):
        iterate_into(seen, form, serving(respond), limit=2, prefetch=5)
    assert seen == uids(4)


def iterate_into(seen: list[str], form: str, transport: httpx.MockTransport, **arguments: Any) -> None:
    if form == "sync":
        for page in sync_client(transport).bindings.list(**arguments).pages():
            seen.extend(str(binding.uid) for binding in page)
        return

    async def run() -> None:
        async for page in async_client(transport).bindings.list(**arguments).pages():
            seen.extend(str(binding.uid) for binding in page)

    anyio.run(run)


WRONG: list[tuple[Any, type[Exception], str]] = [
    (-1, ValueError, "prefetch must be from 0 to 100, got -1"),
    (101, ValueError, "prefetch must be from 0 to 100, got 101"),
    ("8", TypeError, "prefetch must be an integer, got str"),
    (True, TypeError, "prefetch must be an integer, got bool"),
]


@pytest.mark.parametrize(("prefetch", "kind", "text"), WRONG)
def test_an_invalid_prefetch_is_rejected(prefetch: Any, kind: type[Exception], text: str) -> None:
    for pictify in (Pictify(api_key=KEY), AsyncPictify(api_key=KEY)):
        with pytest.raises(kind, match=text):
            pictify.bindings.list(prefetch=prefetch)


# Leaving an iteration.


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_abandoned_iteration_sends_no_more_requests_and_leaks_nothing(backend: str) -> None:
    requested: list[int] = []
    transport = serving(lambda page, limit: page_of(uids(9), page, limit, total=9, limit=limit), requested)

    async def run() -> None:
        pictify = async_client(transport)
        async for page in pictify.bindings.list(limit=2).pages():
            assert page.items
            break
        async for binding in aiter(aiter(pictify.bindings.list(limit=2))):
            assert binding.uid
            break

    anyio.run(run, backend=backend)
    gc.collect()
    assert requested == [1, 1]


class HangingTransport(httpx.AsyncBaseTransport):
    """A list of 20 pages; all except the first never arrive."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.ended: list[int] = []
        self.all_started = Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", 1))
        if page > 1:
            self.started.append(page)
            if page == 4:
                self.all_started.set()
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                # Cleaning up may have to wait, which is impossible once the loop is closed.
                await asyncio.sleep(0)
                self.ended.append(page)
        return httpx.Response(200, json=page_of(uids(40), page, 2, total=40, limit=2))

    async def first_of_four(self) -> AsyncIterator[Any]:
        """Iterate to the first page, until the next three are being prefetched."""
        pages = async_client(self).bindings.list(limit=2, prefetch=3).pages()
        await anext(pages)
        while not self.all_started.is_set():
            await anyio.lowlevel.checkpoint()
        return pages


def test_prefetched_pages_are_cancelled_when_the_loop_is_left() -> None:
    server = HangingTransport()

    async def run() -> None:
        pages = await server.first_of_four()
        del pages
        gc.collect()
        while len(asyncio.all_tasks()) > 1:
            await anyio.lowlevel.checkpoint()

    asyncio.run(run())
    assert sorted(server.ended) == [2, 3, 4]


def test_prefetched_pages_are_cancelled_when_the_iteration_is_cancelled() -> None:
    server = HangingTransport()

    async def run() -> None:
        pages = await server.first_of_four()
        task = asyncio.ensure_future(anext(pages))
        await anyio.lowlevel.checkpoint()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while len(asyncio.all_tasks()) > 1:
            await anyio.lowlevel.checkpoint()

    asyncio.run(run())
    assert sorted(server.ended) == [2, 3, 4]


@pytest.fixture
def unraisable(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Collect exceptions that nobody can catch: in finalizers, and in the garbage collector."""
    found: list[object] = []

    def keep(raised: sys.UnraisableHookArgs) -> None:
        found.append(raised.exc_value)

    monkeypatch.setattr(sys, "unraisablehook", keep)
    yield found
    gc.collect()


def test_an_async_iteration_may_be_dropped_after_its_loop_was_closed(
    unraisable: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    server = HangingTransport()
    loop = asyncio.new_event_loop()
    pages = loop.run_until_complete(server.first_of_four())
    loop.close()
    del loop, pages
    gc.collect()
    assert unraisable == []
    assert caplog.messages == []


def test_prefetched_pages_that_are_collected_after_their_loop_was_closed_clean_up_in_silence(
    unraisable: list[object], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictify = async_client(serving(lambda page, limit: page_of(uids(9), page, limit, total=9, limit=limit)))
    asend_request = pictify.client.asend_request
    ended: list[str] = []

    # Not in a transport, because anyio keeps the tasks in which it has deadlines.
    async def hang(operation: Any, request: Any) -> Any:
        if "page" in request.target:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                ended.append(request.target)
                await asyncio.sleep(0)
        return await asend_request(operation, request)

    async def begin() -> AsyncIterator[Any]:
        pages = pictify.bindings.list(limit=2, prefetch=3).pages()
        await anext(pages)
        await asyncio.sleep(0)
        return pages

    monkeypatch.setattr(pictify.client, "asend_request", hang)
    loop = asyncio.new_event_loop()
    pages = loop.run_until_complete(begin())
    loop.close()
    del loop, pages
    gc.collect()
    assert len(ended) == 3
    assert unraisable == []
    assert caplog.messages == []


def test_an_async_iteration_may_be_dropped_although_its_loop_never_started_to_prefetch(
    unraisable: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    transport = serving(lambda page, limit: page_of(uids(9), page, limit, total=9, limit=limit))
    loop = asyncio.new_event_loop()
    found: list[object] = []

    async def run() -> None:
        pages = async_client(transport).bindings.list(limit=2, prefetch=3).pages()
        found.extend([pages, await anext(pages)])
        loop.stop()

    task = loop.create_task(run())
    loop.run_forever()
    assert task.done()
    loop.close()
    found.clear()
    gc.collect()
    assert unraisable == []
    assert caplog.messages == []


def test_an_async_iteration_may_be_dropped_in_another_thread(
    unraisable: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    server = HangingTransport()
    loop = asyncio.new_event_loop()
    loop.set_debug(True)
    thread = Thread(target=loop.run_forever)
    thread.start()
    pages = asyncio.run_coroutine_threadsafe(server.first_of_four(), loop).result()

    async def others() -> None:
        while len(asyncio.all_tasks()) > 1:
            await anyio.lowlevel.checkpoint()

    del pages
    gc.collect()
    asyncio.run_coroutine_threadsafe(others(), loop).result(timeout=10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    assert sorted(server.ended) == [2, 3, 4]
    assert unraisable == []
    assert [message for message in caplog.messages if "took" not in message] == []


def test_an_error_of_a_prefetched_page_is_raised_while_the_loop_runs() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if "page" in request.url.params:
            raise RuntimeError("a bug in a transport")
        return httpx.Response(200, json=page_of(uids(9), 1, 2, total=9, limit=2))

    with pytest.raises(RuntimeError, match="a bug in a transport"):
        iterate("async", httpx.MockTransport(handle), limit=2, prefetch=3)


@pytest.mark.parametrize("dropped", ["in its loop", "after its loop"])
def test_an_error_of_a_prefetched_page_that_is_not_reached_is_not_reported(
    dropped: str, caplog: pytest.LogCaptureFixture
) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if "page" in request.url.params:
            return httpx.Response(404)
        return httpx.Response(200, json=page_of(uids(9), 1, 2, total=9, limit=2))

    async def run() -> object:
        pages = async_client(httpx.MockTransport(handle)).bindings.list(limit=2, prefetch=3).pages()
        await anext(pages)
        while len(asyncio.all_tasks()) > 1:
            await anyio.lowlevel.checkpoint()
        return pages if dropped == "after its loop" else None

    asyncio.run(run())
    gc.collect()
    assert caplog.messages == []


def test_an_async_iteration_can_be_continued_in_another_loop() -> None:
    async def handle(request: httpx.Request) -> httpx.Response:
        await anyio.lowlevel.checkpoint()
        page = int(request.url.params.get("page", 1))
        return httpx.Response(200, json=page_of(uids(5), page, 2, total=5, limit=2))

    pages = async_client(httpx.MockTransport(handle)).bindings.list(limit=2, prefetch=3).pages()

    async def step() -> list[str]:
        return [str(binding.uid) for binding in await anext(pages)]

    assert [uid for _ in range(3) for uid in asyncio.run(step())] == uids(5)
    with pytest.raises(StopAsyncIteration):
        asyncio.run(step())


@pytest.mark.parametrize("left", ["before", "during"])
def test_a_page_that_waits_for_its_retry_is_not_retried_after_the_iteration_was_abandoned(
    left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(_clock: Clock, seconds: float) -> None:
        slept.append(seconds)

    # Such a wait could not be ended.
    slept: list[float] = []
    monkeypatch.setattr(Clock, "sleep", sleep)
    requested: list[int] = []
    retrying, left_already = Event(), Event()

    def handle(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", 1))
        requested.append(page)
        if page == 2:
            assert retrying.wait(timeout=10)
        if page == 3:
            if left == "before":
                retrying.set()
                assert left_already.wait(timeout=10)
            return httpx.Response(503, headers={"Retry-After": "25"})
        return httpx.Response(200, json=page_of(uids(6), page, 2, total=6, limit=2))

    def on_retry(_: RetryEvent) -> None:
        retrying.set()

    pictify = sync_client(httpx.MockTransport(handle), on_retry=on_retry)
    pages = pictify.bindings.list(limit=2, prefetch=2).pages()
    assert [len(next(pages)) for _ in range(2)] == [2, 2]
    del pages
    left_already.set()
    join_page_threads()
    assert sorted(requested) == [1, 2, 3]
    assert slept == []


class NoWait(Clock):
    """A clock whose sleeps return at once."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def failing_once(failing: int, requested: list[int]) -> tuple[Pictify, NoWait]:
    """A client of a list of 6 items in pages of 2, one of which is unavailable when it is requested first."""

    def handle(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", 1))
        requested.append(page)
        if page == failing and requested.count(page) == 1:
            return httpx.Response(503)
        return httpx.Response(200, json=page_of(uids(6), page, 2, total=6, limit=2))

    pictify = sync_client(httpx.MockTransport(handle))
    pictify.client.clock = clock = NoWait()
    return pictify, clock


def test_a_prefetched_page_is_retried_by_the_clock_of_the_client() -> None:
    requested: list[int] = []
    pictify, clock = failing_once(3, requested)
    assert [binding.uid for binding in pictify.bindings.list(limit=2, prefetch=2)] == uids(6)
    assert sorted(requested) == [1, 2, 3, 3]
    assert len(clock.waits) == 1


def test_the_next_page_of_an_abandoned_iteration_is_retried() -> None:
    requested: list[int] = []
    pictify, clock = failing_once(2, requested)
    pages = pictify.bindings.list(limit=2, prefetch=2).pages()
    first = next(pages)
    del pages
    second = first.next_page()
    assert second is not None
    assert [binding.uid for binding in second] == ["bind_2", "bind_3"]
    assert requested == [1, 2, 2]
    assert len(clock.waits) == 1


@pytest.fixture
def limit_threads(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Limit the number of threads that can be started."""

    def limit(threads: int) -> None:
        start = Thread.start
        left = iter(range(threads))

        def start_or_raise(thread: Thread) -> None:
            if next(left, None) is None:
                raise RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(Thread, "start", start_or_raise)

    return limit


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_as_many_pages_are_prefetched_as_threads_can_be_started(
    threads: int, limit_threads: Callable[[int], None]
) -> None:
    limit_threads(threads)
    requested: list[int] = []
    transport = serving(lambda page, limit: page_of(uids(13), page, limit, total=13, limit=limit), requested)
    found = [binding.uid for binding in sync_client(transport).bindings.list(limit=2, prefetch=3)]
    assert found == uids(13)
    assert sorted(requested) == [1, 2, 3, 4, 5, 6, 7]


def test_pages_that_wait_for_a_thread_are_not_requested_after_the_iteration_was_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[Thread] = []
    start = Thread.start

    def start_first(thread: Thread) -> None:
        threads.append(thread)
        if len(threads) == 1:
            start(thread)

    monkeypatch.setattr(Thread, "start", start_first)
    left = Event()
    requested: list[int] = []

    def respond(page: int, limit: int) -> dict[str, Any]:
        assert page < 3 or left.wait(timeout=10)
        return page_of(uids(20), page, limit, total=20, limit=limit)

    pages = sync_client(serving(respond, requested)).bindings.list(limit=2, prefetch=3).pages()
    assert [len(next(pages)) for _ in range(2)] == [2, 2]
    del pages
    left.set()
    for thread in threads[1:]:
        start(thread)
    for thread in threads:
        thread.join(timeout=10)
        assert not thread.is_alive()
    assert len(threads) == 3
    assert requested in ([1, 2], [1, 2, 3])


def test_no_thread_is_left_after_an_iteration() -> None:
    transport = serving(lambda page, limit: page_of(uids(9), page, limit, total=9, limit=limit))
    assert len(list(sync_client(transport).bindings.list(limit=2, prefetch=3))) == 9
    join_page_threads()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_an_iteration_can_be_continued_in_a_forked_child() -> None:
    release = Event()

    def handle(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", 1))
        if page > 2 and os.getpid() == parent:
            release.wait(timeout=10)
        return httpx.Response(200, json=page_of(uids(9), page, 2, total=9, limit=2))

    parent = os.getpid()
    pages = sync_client(httpx.MockTransport(handle)).bindings.list(limit=2, prefetch=3).pages()
    found = [len(next(pages)), len(next(pages))]
    child = os.fork()
    if child == 0:
        in_child(lambda: [len(page) for page in pages] == [2, 2, 1])
    _, status = os.waitpid(child, 0)
    release.set()
    assert (found, os.waitstatus_to_exitcode(status)) == ([2, 2], 0)
    assert [len(page) for page in pages] == [2, 2, 1]


def in_child(succeeds: Callable[[], bool]) -> NoReturn:
    # A child that hangs is killed.
    signal.alarm(20)
    status = 1
    try:
        status = 0 if succeeds() else 1
    finally:
        os._exit(status)


PROLOGUE = """
import atexit, os, signal, sys, threading
import httpx
from pictify_client import Pictify

def handle(request):
    page = int(request.url.params.get("page", 1))
    respond(page)
    items = [{"uid": f"bind_{page}", "status": "active", "renderUrl": "https://api.pictify.io/r"}]
    return httpx.Response(200, json={"bindings": items, "pagination": {"total": 9, "limit": 1}})

def respond(page):
    pass

pictify = Pictify(api_key="pic_live_x", http_client=httpx.Client(transport=httpx.MockTransport(handle)))
"""
PROGRAMS = {
    "Ctrl-C while pages hang": (
        """
interrupted = threading.Event()
# A shell has its jobs in the background ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)

def respond(page):
    # Again, should it come just before the main thread waits, which CPython does not notice.
    while page == 4 and not interrupted.wait(0.2):
        os.kill(os.getpid(), signal.SIGINT)
    if page > 1:
        threading.Event().wait()

try:
    list(pictify.bindings.list(limit=1, prefetch=4))
except KeyboardInterrupt:
    interrupted.set()
    print("interrupted")
""",
        "interrupted",
    ),
    "break while pages hang": (
        """
hanging = threading.Event()

def respond(page):
    if page == 2:
        hanging.wait()
    if page == 4:
        hanging.set()
        threading.Event().wait()

for page in pictify.bindings.list(limit=1, prefetch=3).pages():
    if page.items[0].uid == "bind_2":
        break
print("left")
""",
        "left",
    ),
    "when the interpreter exits": (
        """
atexit.register(lambda: print(len(list(pictify.bindings.list(limit=1, prefetch=4)))))
""",
        "9",
    ),
    "after the main thread has ended": (
        """
def late():
    threading.main_thread().join()
    print(len(list(pictify.bindings.list(limit=1, prefetch=4))))

threading.Thread(target=late).start()
""",
        "9",
    ),
    "an async iteration that is still open when the interpreter exits": (
        """
import asyncio
from pictify_client import AsyncPictify

class HangingTransport(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request):
        if "page" in request.url.params:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                await asyncio.sleep(0)
        return handle(request)

async def begin():
    client = AsyncPictify(api_key="pic_live_x", http_client=httpx.AsyncClient(transport=HangingTransport()))
    pages = client.bindings.list(limit=1, prefetch=3).pages()
    print(len(await anext(pages)))
    await asyncio.sleep(0)
    return pages

loop = asyncio.new_event_loop()
pages = loop.run_until_complete(begin())
loop.close()
""",
        "1",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_program_ends_although_pages_are_being_prefetched(name: str) -> None:
    code, output = PROGRAMS[name]
    ran = subprocess.run(  # noqa: S603 (the programs above)
        [sys.executable, "-c", PROLOGUE + code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.stdout.strip(), ran.stderr, ran.returncode) == (output, "", 0)
