"""What the stand-in knows and how it answers: no I/O, and no clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

API_KEY: Final = "pk_live_stand_in"
"""The key that the stand-in takes, unless it is told another."""

_SUBJECTS = ("Product card", "Price tag", "Open Graph image", "Weather badge", "Event poster", "Status banner")
_FIRST_MADE = datetime(2026, 1, 29, 10, 0, 5, tzinfo=UTC)


class Answer(NamedTuple):
    """A response: status code, headers and body."""

    status: int
    headers: dict[str, str]
    body: bytes


class FakePictify:
    """The Pictify API, as far as it goes: lists bindings, filtered and page by page, for whoever has the key.

    Args:
        bindings: How many bindings it starts with.
        api_key: The key that it takes.

    Attributes:
        bindings: The bindings, as the API sends them; add, change and remove as you like.
    """

    def __init__(self, *, bindings: int = 45, api_key: str = API_KEY) -> None:
        self.api_key = api_key
        self.bindings: list[dict[str, Any]] = [_binding(number) for number in range(1, bindings + 1)]
        self._routes: dict[tuple[str, str], Callable[[dict[str, str]], Answer]] = {
            ("GET", "/bindings"): self._list_bindings,
        }

    def answer(self, method: str, target: str, headers: Mapping[str, str]) -> Answer:
        """Answer a request.

        Args:
            method: Such as `GET`.
            target: Path and query, such as `/bindings?limit=5`.
            headers: Request headers, their names in lower case.
        """
        url = urlsplit(target)
        route = self._routes.get((method, url.path))
        if headers.get("authorization") != f"Bearer {self.api_key}":
            return _json(401, {"message": "Invalid Request"})
        if route is None:
            return _json(404, {"message": f"{method} {url.path} not found"})
        return route(dict(parse_qsl(url.query, keep_blank_values=True)))

    def _list_bindings(self, query: dict[str, str]) -> Answer:
        page, limit = query.get("page", "1"), query.get("limit", "20")
        if not (page.isdecimal() and int(page) >= 1 and limit.isdecimal() and 1 <= int(limit) <= 100):
            return _json(400, {"message": "page must be at least 1, and limit from 1 to 100"})
        filters = {name: query[name] for name in ("templateId", "status") if name in query}
        found = [each for each in self.bindings if all(each.get(name) == value for name, value in filters.items())]
        start = (int(page) - 1) * int(limit)
        pagination = {
            "page": int(page),
            "limit": int(limit),
            "total": len(found),
            "totalPages": -(-len(found) // int(limit)),
        }
        return _json(200, {"bindings": found[start : start + int(limit)], "pagination": pagination})


def _json(status: int, body: object) -> Answer:
    return Answer(status, {"content-type": "application/json; charset=utf-8"}, json.dumps(body).encode())


def _binding(number: int) -> dict[str, Any]:
    uid = f"bind_{number:08x}"
    made = _FIRST_MADE + timedelta(hours=number)
    failed = number % 9 == 0
    subject = _SUBJECTS[number % len(_SUBJECTS)]
    return {
        "uid": uid,
        "name": f"{subject} {number}",
        "templateId": f"tmpl_{number % 3 + 1:08x}",
        "dataSource": {
            "type": "http",
            "url": f"https://shop.example.com/products/{number}.json",
            "method": "GET",
            "headers": {},
        },
        "mapping": {"title": "product.title", "price": "product.price.amount"},
        "defaults": {"price": "soon"},
        "refreshPolicy": {"type": "ttl", "ttlSeconds": 3600, "onError": "serve_stale"},
        "outputConfig": {"format": "png", "quality": 90},
        "status": "error" if failed else "paused" if number % 5 == 0 else "active",
        "renderUrl": f"https://cdn.pictify.io/bindings/{uid}.png",
        "webhookUrl": f"https://api.pictify.io/webhooks/bindings/{uid}",
        "lastFetchAt": _time(made + timedelta(minutes=1)),
        "lastRenderAt": _time(made + timedelta(minutes=1)),
        "lastError": "the data source answered 503" if failed else None,
        "errorCount": 3 if failed else 0,
        "createdAt": _time(made),
        "updatedAt": _time(made + timedelta(minutes=1)),
    }


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
