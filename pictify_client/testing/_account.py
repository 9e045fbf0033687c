"""The state of the fake account: ids, times, and the lists that responses are made from."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from string import digits
from typing import Any

from ._files import CDN, MEDIA, Files
from ._jobs import Job
from ._limits import Month
from ._records import RecordKind, complete
from ._responses import rejected
from .clock import FakeClock

Record = dict[str, Any]
"""A JSON object."""

_ID_CHARACTERS = digits + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SUBJECTS = ("Product card", "Price tag", "Open Graph image", "Weather badge", "Event poster", "Status banner")
# The first has two more layouts, and the second takes no unknown variables.
_DESIGNS: tuple[Record, ...] = (
    {
        "name": "Product card",
        "width": 1200,
        "height": 630,
        "layouts": {
            "square": {"name": "Square", "width": 1080, "height": 1080},
            "story": {"name": "Story", "width": 1080, "height": 1920},
        },
    },
    {"name": "Price tag", "width": 600, "height": 400, "strictVariables": True},
    {"name": "Square post", "width": 1080, "height": 1080},
)
_SCENES: tuple[Record, ...] = (
    {
        "name": "Product teaser",
        "kind": "tsx",
        "durationInFrames": 150,
        "tsx": """\
import { AbsoluteFill } from "remotion";
import { z } from "zod";

export const schema = z.object({ title: z.string().default("Untitled"), price: z.string().default("soon") });

export default function Scene({ title, price }: z.infer<typeof schema>) {
  return <AbsoluteFill>{title}: {price}</AbsoluteFill>;
}
""",
    },
    {
        "name": "Year in review",
        "kind": "timeline",
        "durationInFrames": None,
        "projectJson": {"tracks": [{"type": "text", "text": "{{title}}"}]},
    },
)
_FIRST_CREATED = datetime(2026, 1, 29, 10, 0, 5, tzinfo=UTC)


class Account:
    """An account with templates and bindings.

    Args:
        bindings: Number of bindings at the start.
        clock: The clock by which things are created.

    Attributes:
        templates: The templates. These lists hold JSON as the API sends it; add, change and remove as you like. Fields
            that the API always sends get a default value, if you omit them.
        bindings: The bindings.
        subscriptions: The webhook subscriptions.
        experiments: The experiments; deleted ones are `archived`.
        images: The images that were rendered.
        gifs: The GIFs that were rendered or captured.
        pdfs: The PDFs that were rendered.
        feed: Everything that was rendered, as `renders.list` lists it, the oldest first.
        videos: The video templates.
        hooks: The hooks of workflows.
        quota: Credits per month; None for any number.
        template_limit: Maximum number of templates, and of video templates; None for any number.
        ai_credits: AI credits that are left. A generated video costs 5. None for any number.
        video_seconds: Seconds that the render of a video takes, by the clock.
        upload_seconds: Seconds during which the URL of a new file returns 404.
        csv_files: The text of the CSV file at each `csv_url` of a batch.
    """

    def __init__(self, bindings: int, clock: FakeClock) -> None:
        self.clock = clock
        self.templates: list[Record] = [_template(number, design) for number, design in enumerate(_DESIGNS, 1)]
        self.bindings: list[Record] = [_binding(number) for number in range(1, bindings + 1)]
        self.subscriptions: list[Record] = []
        self.experiments: list[Record] = []
        self.images: list[Record] = []
        self.gifs: list[Record] = []
        self.pdfs: list[Record] = []
        self.feed: list[Record] = []
        self.videos: list[Record] = [_video(number, design) for number, design in enumerate(_SCENES, 1)]
        self.hooks: list[Record] = []
        self.csv_files: dict[str, str] = {}
        self.quota: int | None = None
        self.template_limit: int | None = None
        self.ai_credits: int | None = None
        self.video_seconds: float = 90.0
        self.upload_seconds: float = 0.0
        self._month = Month(self)
        self._jobs: list[Job] = []
        self._moment: float | None = None
        self.files: Files = Files(self)
        self._created: Counter[str] = Counter(template=len(self.templates), video=len(self.videos), binding=bindings)

    @property
    def renders(self) -> float:
        """Credits that the renders of this month have cost."""
        return self._month.used

    def refund(self, credits_back: float) -> None:
        """Give credits back for what was charged, but not rendered."""
        self._month.charge(-credits_back)

    def start(self, job: Job) -> None:
        """Advance a job by the clock from now on."""
        self._jobs.append(job)

    def catch_up(self) -> None:
        """Advance all jobs as far as the clock says."""
        for job in self._jobs:
            job.catch_up()
        self._jobs = [job for job in self._jobs if not job.is_over]

    def time(self) -> float:
        """The time, in seconds since 1970: the one of a job while it is advanced, else the one of the clock."""
        return self.clock.time() if self._moment is None else self._moment

    @contextmanager
    def at(self, moment: float) -> Generator[None]:
        """Do something as of an earlier time."""
        self._moment = min(moment, self.clock.time())
        try:
            yield
        finally:
            self._moment = None

    def csv_rows(self, url: str) -> list[Record] | None:
        """The rows of a CSV file; None if there is no such file."""
        text = self.csv_files.get(url)
        return None if text is None else [*csv.DictReader(io.StringIO(text))]

    def new_id(self, kind: str) -> str:
        """An id that nothing has yet."""
        self._created[kind] += 1
        return make_id(kind, self._created[kind])

    def keep(self, extension: str, size: tuple[float, float], pages: int = 1) -> str:
        """The URL of a rendered file, whose content `file` returns from then on."""
        return self.files.keep(extension, size, pages)

    def enter(self, uid: str, url: str, size: tuple[float, float], template: str | None = None) -> None:
        """Enter a file that was rendered in the feed."""
        self.feed.append(
            {
                "uid": uid,
                "url": url,
                "format": url.rpartition(".")[2].upper(),
                "source": "api",
                "templateUid": template,
                "width": size[0],
                "height": size[1],
                "createdAt": self.now(),
            }
        )

    def file(self, url: str) -> bytes:
        """The file at the URL of a render: plain, and of the size that was requested.

        Args:
            url: URL as a response contained it.

        Raises:
            LookupError: If no response contained it.
        """
        return self.files.content(url)

    def now(self) -> str:
        """The time, as the API writes it."""
        return time_text(datetime.fromtimestamp(self.time(), UTC))

    def all(self, kind: RecordKind) -> list[Record]:
        """The records of a kind, with the fields that the API always sends."""
        return complete(self, kind, getattr(self, kind))

    def template(self, uid: str) -> Record:
        """A template of the account."""
        return one(self.all("templates"), "Template", uid=uid)

    def size(self, template_uid: str | None) -> tuple[float, float]:
        """Width and height of what a template renders to; the API's default for what is rendered without one."""
        found = matching(self.all("templates"), uid=template_uid)[:1] if template_uid else []
        template = found[0] if found else {}
        return template.get("width", 1280), template.get("height", 720)

    def image_size(self, record: Record) -> tuple[float, float]:
        """Width and height of the image that a record names: a render, a template or a binding."""
        width, height = self.size(record.get("templateId"))
        known: Record = {**record, **(record.get("outputConfig") or {})}
        return known.get("width") or width, known.get("height") or height


def offset_page(name: str, records: list[Record], limit: int, offset: int) -> Record:
    """A page of a list whose items are counted."""
    total = len(records)
    pagination = {"total": total, "limit": limit, "offset": offset, "hasMore": offset + limit < total}
    return {name: records[offset : offset + limit], "pagination": pagination}


def make_id(kind: str, number: int) -> str:
    """An id as the API makes them, ten capitals and digits; always the same for the same kind and number."""
    seed = int.from_bytes(sha256(f"{kind} {number}".encode()).digest(), "big")
    return "".join(_ID_CHARACTERS[seed // 36**place % 36] for place in range(10))


def matching(records: Iterable[Record], **wanted: object) -> list[Record]:
    """The records with these values; None is no condition."""
    given = {name: value for name, value in wanted.items() if value is not None}
    return [record for record in records if all(record.get(name) == value for name, value in given.items())]


def one(records: Iterable[Record], noun: str, **wanted: object) -> Record:
    """The record with this id.

    Raises:
        Rejected: If there is none.
    """
    found = matching(records, **wanted)
    if not found:
        raise rejected(404, f"{noun} not found")
    return found[0]


def page_of(name: str, records: list[Record], page: int, limit: int) -> Record:
    """A page of a list whose pages are counted."""
    start, total = (page - 1) * limit, len(records)
    pages = -(-total // limit)
    pagination = {"page": page, "limit": limit, "total": total, "totalPages": pages}
    return {
        name: records[start : start + limit],
        "pagination": {**pagination, "hasNext": page < pages, "hasPrev": page > 1},
    }


def _template(number: int, design: Record) -> Record:
    created = time_text(_FIRST_CREATED - timedelta(days=30 - number))
    return {
        "uid": make_id("template", number),
        "html": "<h1>{{title}}</h1><p>{{price}}</p>",
        "engine": "html",
        "type": "html",
        "category": "marketing",
        "tags": ["shop"],
        "thumbnail": f"{MEDIA}/{make_id('thumbnail', number)[:6].lower()}-1769680805000.png",
        "outputFormat": "image",
        "variables": ["title", "price"],
        "variableDefinitions": [
            {"name": "title", "type": "text", "defaultValue": "Untitled", "description": "The heading."},
            {"name": "price", "type": "text", "defaultValue": "soon", "validation": {"maxLength": 20}},
        ],
        "jsEnabled": False,
        "strictVariables": False,
        **design,
        "createdAt": created,
        "updatedAt": created,
    }


def _video(number: int, design: Record) -> Record:
    created = time_text(_FIRST_CREATED - timedelta(days=20 - number))
    names = ("title", "price") if design["kind"] == "tsx" else ("title",)
    return {
        "uid": make_id("video", number),
        "width": 1080,
        "height": 1080,
        "fps": 30,
        "posterUrl": None,
        "status": "draft",
        "variableDefinitions": [{"name": name, "type": "text", "defaultValue": ""} for name in names],
        **design,
        "createdAt": created,
        "updatedAt": created,
    }


def _binding(number: int) -> Record:
    uid = make_id("binding", number)
    created = _FIRST_CREATED + timedelta(hours=number)
    failed = number % 9 == 0
    subject = _SUBJECTS[number % len(_SUBJECTS)]
    return {
        "uid": uid,
        "name": f"{subject} {number}",
        "templateId": make_id("template", number % 3 + 1),
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
        "renderUrl": f"{CDN}/bindings/{uid}.png",
        "webhookUrl": webhook_url(uid),
        "lastFetchAt": time_text(created + timedelta(minutes=1)),
        "lastRenderAt": time_text(created + timedelta(minutes=1)),
        "lastError": "The data source responded with 503" if failed else None,
        "errorCount": 3 if failed else 0,
        "createdAt": time_text(created),
        "updatedAt": time_text(created + timedelta(minutes=1)),
    }


def webhook_url(uid: str) -> str:
    """The URL to push data for a binding to."""
    return f"https://api.pictify.io/webhooks/{uid}"


def time_text(moment: datetime) -> str:
    """A time, as the API writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
