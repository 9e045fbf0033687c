"""Walking lists that move, repeat themselves, or say little of how long they are."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from threading import Barrier
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_client import AsyncPictify, PaginationError, Pictify
from pictify_client.models import Binding

from .calls import walk
from .replay import KEY

forms = pytest.mark.parametrize("form", ["sync", "async"])


def serving(answer: Callable[[int, int], dict[str, Any]], asked: list[int] | None = None) -> httpx.MockTransport:
    """A transport that answers by page and limit."""

    def handle(request: httpx.Request) -> httpx.Response:
        page, limit = (int(request.url.params.get(name, default)) for name, default in (("page", 1), ("limit", 20)))
        if asked is not None:
            asked.append(page)
        return httpx.Response(200, json=answer(page, limit))

    return httpx.MockTransport(handle)


def page_of(uids: list[str], page: int, size: int, **pagination: Any) -> dict[str, Any]:
    start = (page - 1) * size
    return {"bindings": [{"uid": uid} for uid in uids[start : start + size]], "pagination": pagination}


def uids(count: int) -> list[str]:
    return [f"bind_{number}" for number in range(count)]


@forms
@given(
    count=st.integers(0, 25), limit=st.integers(1, 10), said=st.sampled_from(["hasNext", "totalPages", "total", "all"])
)
def test_every_item_comes_once_whatever_the_api_says_of_the_length(
    form: str, count: int, limit: int, said: str
) -> None:
    pages = -(-count // limit)

    def answer(page: int, limit: int) -> dict[str, Any]:
        known = {"hasNext": page < pages, "totalPages": pages, "total": count, "limit": limit}
        return page_of(uids(count), page, limit, **(known if said == "all" else {said: known[said]}))

    asked: list[int] = []
    found = walk(form, serving(answer, asked), limit=limit)
    assert [binding.uid for binding in found] == uids(count)
    assert asked == list(range(1, max(pages, 1) + 1))


@forms
@given(changes=st.lists(st.integers(-4, 2), max_size=8))
def test_no_item_comes_twice_while_the_list_shifts(form: str, changes: list[int]) -> None:
    listed = uids(12)
    moves = iter(changes)
    made = iter(range(1000, 2000))

    def answer(page: int, limit: int) -> dict[str, Any]:
        body = page_of(listed, page, limit, total=len(listed), limit=limit)
        change = next(moves, 0)
        if change > 0:
            listed[:0] = [f"bind_{next(made)}" for _ in range(change)]
        else:
            del listed[:-change]
        return body

    found = [binding.uid for binding in walk(form, serving(answer), limit=3)]
    assert len(found) == len(set(found))
    if min(changes, default=0) >= 0:
        assert set(uids(12)) <= set(found)


@forms
def test_a_list_that_grows_by_a_whole_page_is_walked_on(form: str) -> None:
    listed = uids(6)

    def answer(page: int, limit: int) -> dict[str, Any]:
        body = page_of(listed, page, limit, total=len(listed), limit=limit)
        if page == 1:
            listed[:0] = ["new_1", "new_2"]
        return body

    assert [binding.uid for binding in walk(form, serving(answer), limit=2)] == uids(6)


@forms
def test_a_server_that_repeats_itself_is_not_asked_for_ever(form: str) -> None:
    asked: list[int] = []
    transport = serving(lambda _, limit: page_of(uids(4), 1, limit, hasNext=True), asked)
    with pytest.raises(PaginationError, match=r"GET /bindings: the 5 pages up to page 6 .* never end"):
        walk(form, transport, limit=2)
    assert asked == [1, 2, 3, 4, 5, 6]


@forms
def test_an_empty_page_is_the_end(form: str) -> None:
    asked: list[int] = []
    transport = serving(lambda page, limit: page_of(uids(2), page, limit, hasNext=True), asked)
    assert len(walk(form, transport, limit=2)) == 2
    assert asked == [1, 2]


@forms
@pytest.mark.parametrize(
    "body", [{"bindings": [{"uid": "a"}]}, {"bindings": []}, {"bindings": None, "pagination": {"total": 0}}]
)
def test_an_answer_that_says_nothing_of_pages_is_asked_on_until_nothing_new_comes(
    form: str, body: dict[str, Any]
) -> None:
    asked: list[int] = []

    def answer(_page: int, _limit: int) -> dict[str, Any]:
        return body

    assert len(walk(form, serving(answer, asked), limit=1)) == len(body.get("bindings") or [])
    # Only the next page can tell whether there is one.
    assert asked == ([1, 2] if body.get("bindings") else [1])


@forms
@pytest.mark.parametrize("said", [{"total": 7}, {"page": 1}, None])
def test_nothing_is_lost_where_the_api_says_little(form: str, said: dict[str, Any] | None) -> None:
    def answer(page: int, _limit: int) -> dict[str, Any]:
        body = page_of(uids(7), page, 3)
        return {"bindings": body["bindings"], **({} if said is None else {"pagination": said})}

    assert [binding.uid for binding in walk(form, serving(answer))] == uids(7)


@forms
def test_an_item_that_cannot_be_told_from_others_is_an_error(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_deep(_: Binding) -> dict[str, Any]:
        raise RecursionError

    monkeypatch.setattr(Binding, "to_dict", too_deep)
    body = {"bindings": [{"name": "deep"}], "pagination": {"total": 9}}
    with pytest.raises(PaginationError, match="an item without an id is nested too deeply"):
        walk(form, httpx.MockTransport(lambda _: httpx.Response(200, json=body)))


@forms
@pytest.mark.parametrize("body", [{}, {"ok": False}, {"bindings": None, "pagination": None}])
def test_an_answer_that_is_no_list_is_not_taken_for_an_empty_one(form: str, body: dict[str, Any]) -> None:
    with pytest.raises(
        PaginationError, match=r"GET /bindings: the answer of https://api.pictify.io holds neither a list"
    ):
        walk(form, httpx.MockTransport(lambda _: httpx.Response(200, json=body)))


@forms
def test_items_without_an_id_are_told_apart_by_what_they_hold(form: str) -> None:
    names = ["a", "b", "a", "c"]

    def answer(page: int, limit: int) -> dict[str, Any]:
        start = (page - 1) * limit
        items = [{"name": name} for name in names[start : start + limit]]
        return {"bindings": items, "pagination": {"total": 4, "limit": limit}}

    assert [binding.name for binding in walk(form, serving(answer), limit=2)] == ["a", "b", "c"]


@forms
def test_items_without_an_id_may_be_alike_on_one_page_and_those_with_one_may_not(form: str) -> None:
    items = [{"name": "a"}, {"name": "a"}, {"name": "a"}, {"uid": "b"}, {"uid": "b"}]
    body = {"bindings": items, "pagination": {"total": 5}}
    found = walk(form, httpx.MockTransport(lambda _: httpx.Response(200, json=body)))
    assert [binding.to_dict() for binding in found] == items[:4]


def test_each_walk_starts_anew_and_the_first_page_is_asked_for_once() -> None:
    asked: list[int] = []
    transport = serving(lambda page, limit: page_of(uids(3), page, limit, total=3, limit=limit), asked)
    pager = Pictify(api_key=KEY, http_client=httpx.Client(transport=transport)).bindings.list(limit=2)
    assert asked == []
    assert [len(pager.items), pager.has_next, pager.pagination.total] == [2, True, 3]
    assert asked == [1]
    following = pager.next_page()
    assert following is not None
    again = pager.next_page()
    assert again is not None
    assert following.items == again.items
    assert asked == [1, 2, 2]
    assert len(list(pager)) == len(list(pager)) == 3
    assert asked == [1, 2, 2, 1, 2, 1, 2]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_walk_that_is_left_asks_for_no_more_and_leaves_nothing_behind(backend: str) -> None:
    asked: list[int] = []
    transport = serving(lambda page, limit: page_of(uids(9), page, limit, total=9, limit=limit), asked)

    async def run() -> None:
        pictify = AsyncPictify(api_key=KEY, http_client=httpx.AsyncClient(transport=transport))
        async for page in pictify.bindings.list(limit=2).pages():
            assert page.items
            break
        async for binding in aiter(aiter(pictify.bindings.list(limit=2))):
            assert binding.uid
            break

    anyio.run(run, backend=backend)
    gc.collect()
    assert asked == [1, 1]


def test_pages_and_pagers_show_what_they_are() -> None:
    transport = serving(lambda page, limit: page_of(uids(3), page, limit, total=3, limit=limit))
    pager = Pictify(api_key=KEY, http_client=httpx.Client(transport=transport)).bindings.list(limit=2)
    assert repr(pager) == "<Pager of GET /bindings>"
    assert [repr(page) for page in pager.pages()] == [
        "<Page 1 of GET /bindings: 2 items>",
        "<Page 2 of GET /bindings: 1 items>",
    ]
    assert json.dumps([binding.to_dict() for binding in pager.items]) == '[{"uid": "bind_0"}, {"uid": "bind_1"}]'


@forms
@given(count=st.integers(0, 25), limit=st.integers(1, 10), ahead=st.integers(0, 5), total=st.booleans())
def test_every_item_comes_once_and_no_page_is_asked_for_twice_however_many_are_fetched_ahead(
    form: str, count: int, limit: int, ahead: int, total: bool
) -> None:
    pages = max(-(-count // limit), 1)

    def answer(page: int, limit: int) -> dict[str, Any]:
        return page_of(uids(count), page, limit, **({"total": count} if total else {"hasNext": page < pages}))

    asked: list[int] = []
    found = walk(form, serving(answer, asked), limit=limit, prefetch=ahead)
    assert [binding.uid for binding in found] == uids(count)
    assert sorted(asked) == list(range(1, pages + 1))


@forms
@given(changes=st.lists(st.integers(-4, 2), max_size=8), ahead=st.integers(1, 4))
def test_no_item_comes_twice_while_the_list_shifts_under_pages_that_were_fetched_ahead(
    form: str, changes: list[int], ahead: int
) -> None:
    listed = uids(12)
    moves = iter(changes)

    def answer(page: int, limit: int) -> dict[str, Any]:
        body = page_of(listed, page, limit, total=len(listed), limit=limit)
        change = next(moves, 0)
        if change > 0:
            listed[:0] = [f"new_{len(listed)}_{number}" for number in range(change)]
        else:
            del listed[:-change]
        return body

    found = [binding.uid for binding in walk(form, serving(answer), limit=3, prefetch=ahead)]
    assert len(found) == len(set(found))


@forms
def test_a_list_that_counts_items_is_fetched_ahead_too(form: str) -> None:
    asked: list[int] = []

    def handle(request: httpx.Request) -> httpx.Response:
        offset, limit = (int(request.url.params.get(name, default)) for name, default in (("offset", 0), ("limit", 2)))
        asked.append(offset)
        images = [{"uid": uid, "url": uid} for uid in uids(7)[offset : offset + limit]]
        return httpx.Response(200, json={"images": images, "pagination": {"total": 7, "limit": limit}})

    transport = httpx.MockTransport(handle)
    found: list[Any] = []
    if form == "sync":
        pictify = Pictify(api_key=KEY, http_client=httpx.Client(transport=transport))
        found.extend(pictify.images.list(limit=2, prefetch=3))
    else:

        async def run() -> None:
            pictify = AsyncPictify(api_key=KEY, http_client=httpx.AsyncClient(transport=transport))
            found.extend([image async for image in pictify.images.list(limit=2, prefetch=3)])

        anyio.run(run)
    assert len(found) == 7
    assert sorted(asked) == [0, 2, 4, 6]


def test_as_many_pages_are_in_flight_as_were_asked_for_and_come_in_order() -> None:
    in_flight: list[int] = []
    most = 0

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal most
        page = int(request.url.params.get("page", 1))
        in_flight.append(page)
        most = max(most, len(in_flight))
        # The later page answers first.
        for _ in range(50 - 2 * page):
            await anyio.lowlevel.checkpoint()
        in_flight.remove(page)
        return httpx.Response(200, json=page_of(uids(40), page, 2, total=40, limit=2))

    async def run() -> list[Any]:
        pictify = AsyncPictify(api_key=KEY, http_client=httpx.AsyncClient(transport=httpx.MockTransport(handle)))
        return [binding.uid async for binding in pictify.bindings.list(limit=2, prefetch=8)]

    assert anyio.run(run) == uids(40)
    assert most == 8


def test_in_sync_code_as_many_threads_fetch_pages_as_were_asked_for() -> None:
    together = Barrier(4)

    def handle(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", 1))
        if 2 <= page <= 5:
            together.wait(timeout=10)
        return httpx.Response(200, json=page_of(uids(10), page, 2, total=10, limit=2))

    pictify = Pictify(api_key=KEY, http_client=httpx.Client(transport=httpx.MockTransport(handle)))
    assert [binding.uid for binding in pictify.bindings.list(limit=2, prefetch=4)] == uids(10)


def test_what_was_asked_for_ahead_is_cancelled_when_the_loop_is_left() -> None:
    ended: list[int] = []

    async def run() -> None:
        all_asked = anyio.Event()

        async def handle(request: httpx.Request) -> httpx.Response:
            page = int(request.url.params.get("page", 1))
            if page > 1:
                if page == 4:
                    all_asked.set()
                try:
                    await anyio.sleep_forever()
                finally:
                    ended.append(page)
            return httpx.Response(200, json=page_of(uids(40), page, 2, total=40, limit=2))

        pictify = AsyncPictify(api_key=KEY, http_client=httpx.AsyncClient(transport=httpx.MockTransport(handle)))
        async for _ in pictify.bindings.list(limit=2, prefetch=3).pages():
            await all_asked.wait()
            break
        gc.collect()
        while len(asyncio.all_tasks()) > 1:
            await anyio.lowlevel.checkpoint()

    anyio.run(run)
    assert sorted(ended) == [2, 3, 4]


@forms
def test_an_error_comes_where_its_page_would_have_come(form: str) -> None:
    def answer(page: int, limit: int) -> dict[str, Any]:
        return {} if page == 3 else page_of(uids(20), page, limit, total=20, limit=limit)

    seen: list[str] = []
    with pytest.raises(PaginationError):
        walk_into(seen, form, serving(answer), limit=2, prefetch=5)
    assert seen == uids(4)


def walk_into(seen: list[str], form: str, transport: httpx.MockTransport, **arguments: Any) -> None:
    if form == "sync":
        sync = Pictify(api_key=KEY, http_client=httpx.Client(transport=transport))
        for page in sync.bindings.list(**arguments).pages():
            seen.extend(str(binding.uid) for binding in page)
        return

    async def run() -> None:
        pictify = AsyncPictify(api_key=KEY, http_client=httpx.AsyncClient(transport=transport))
        async for page in pictify.bindings.list(**arguments).pages():
            seen.extend(str(binding.uid) for binding in page)

    anyio.run(run)


WRONG: list[tuple[Any, type[Exception], str]] = [
    (-1, ValueError, "prefetch must be from 0 to 100, got -1"),
    (101, ValueError, "prefetch must be from 0 to 100, got 101"),
    ("8", TypeError, "prefetch must be an integer, got str"),
    (True, TypeError, "prefetch must be an integer, got bool"),
]


@pytest.mark.parametrize(("ahead", "kind", "text"), WRONG)
def test_a_number_of_pages_that_cannot_be_fetched_ahead(ahead: Any, kind: type[Exception], text: str) -> None:
    for pictify in (Pictify(api_key=KEY), AsyncPictify(api_key=KEY)):
        with pytest.raises(kind, match=text):
            pictify.bindings.list(prefetch=ahead)
