"""What an account holds, and how it is kept: ids, times, and the lists that answers come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from ._answers import CDN, Answer, address, refused
from ._images import MEDIA_TYPES, file
from .clock import FakeClock

Record = dict[str, Any]
"""A JSON object."""

_SUBJECTS = ("Product card", "Price tag", "Open Graph image", "Weather badge", "Event poster", "Status banner")
_DESIGNS = (("Product card", 1200, 630), ("Price tag", 600, 400), ("Square post", 1080, 1080))
_FIRST_MADE = datetime(2026, 1, 29, 10, 0, 5, tzinfo=UTC)


class Account:
    """An account with templates and bindings.

    Args:
        bindings: How many bindings it starts with.
        clock: The time at which things are made.

    Attributes:
        templates: The templates. These lists hold JSON as the API sends it; add, change and remove as you like.
        bindings: The bindings.
        subscriptions: The webhook subscriptions.
        experiments: The experiments; the deleted ones are `archived`.
        images: The images that were rendered.
        gifs: The GIFs that were rendered or recorded.
    """

    def __init__(self, bindings: int, clock: FakeClock) -> None:
        self.clock = clock
        self.templates: list[Record] = [_template(number, *design) for number, design in enumerate(_DESIGNS, 1)]
        self.bindings: list[Record] = [_binding(number) for number in range(1, bindings + 1)]
        self.subscriptions: list[Record] = []
        self.experiments: list[Record] = []
        self.images: list[Record] = []
        self.gifs: list[Record] = []
        self._files: dict[str, tuple[str, int, int, int]] = {}
        self._made: Counter[str] = Counter(tmpl=len(self.templates), bind=bindings)

    def new_id(self, prefix: str) -> str:
        """An id that nothing has yet."""
        self._made[prefix] += 1
        return f"{prefix}_{self._made[prefix]:08x}"

    def keep(self, folder: str, name: str, size: tuple[int, int], pages: int = 1) -> str:
        """The address of a file that is rendered, which `file` gives from then on."""
        url = address(folder, name)
        self._files[url] = (name.rpartition(".")[2], *size, pages)
        return url

    def file(self, url: str) -> bytes:
        """The file at an address that a render was answered with: plain, and of the size that was asked for.

        Args:
            url: Such as `https://cdn.pictify.io/images/img_00000001.png`.

        Raises:
            LookupError: There is none.
        """
        if url not in self._files:
            raise LookupError(f"no render was answered with {url}")
        return file(*self._files[url])

    def _rendering(self, asked: str) -> Answer:
        """The file that is asked for (`GET /images/x.png`) as if this were the machine that its address names.

        Raises:
            Refused: There is none.
        """
        url = asked.replace("GET ", CDN, 1)
        if url not in self._files:
            raise refused(404, f"{asked} not found")
        return Answer(200, {"content-type": MEDIA_TYPES[self._files[url][0]]}, self.file(url))

    def now(self) -> str:
        """The time, as the API writes it."""
        return _time(self.clock.now())

    def template(self, uid: str) -> Record:
        """A template of the account."""
        return one(self.templates, "Template", uid=uid)

    def size(self, template_uid: str | None) -> tuple[int, int]:
        """Width and height of what a template renders to, or of what is rendered without one."""
        found = matching(self.templates, uid=template_uid)[:1] if template_uid else []
        template = found[0] if found else {}
        return template.get("width", 1200), template.get("height", 630)


def matching(records: Iterable[Record], **wanted: object) -> list[Record]:
    """The records with these values; None is no condition."""
    given = {name: value for name, value in wanted.items() if value is not None}
    return [record for record in records if all(record.get(name) == value for name, value in given.items())]


def one(records: Iterable[Record], noun: str, **wanted: object) -> Record:
    """The record with this id; what is not there is refused by its noun."""
    found = matching(records, **wanted)
    if not found:
        raise refused(404, f"{noun} not found")
    return found[0]


def page_of(name: str, records: list[Record], page: int, limit: int) -> Record:
    """A page of a list whose pages are counted."""
    start, total = (page - 1) * limit, len(records)
    pagination = {"page": page, "limit": limit, "total": total, "totalPages": -(-total // limit)}
    return {name: records[start : start + limit], "pagination": pagination}


def _template(number: int, name: str, width: int, height: int) -> Record:
    uid = f"tmpl_{number:08x}"
    made = _time(_FIRST_MADE - timedelta(days=30 - number))
    return {
        "uid": uid,
        "name": name,
        "type": "html",
        "category": "marketing",
        "tags": ["shop"],
        "width": width,
        "height": height,
        "thumbnail": address("thumbnails", f"{uid}.png"),
        "outputFormat": "image",
        "variableDefinitions": [
            {"name": "title", "type": "text", "defaultValue": "Untitled", "description": "What stands on top."},
            {"name": "price", "type": "text", "defaultValue": "soon", "validation": {"maxLength": 20}},
        ],
        "createdAt": made,
        "updatedAt": made,
    }


def _binding(number: int) -> Record:
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
        "renderUrl": address("bindings", f"{uid}.png"),
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
