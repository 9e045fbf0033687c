"""The fields that the API always sends, for records that a test adds to the fake account without them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from ._account import Account, Record

RecordKind = Literal[
    "templates", "bindings", "subscriptions", "experiments", "images", "gifs", "pdfs", "feed", "videos", "hooks"
]
"""The lists of an account."""

_Default = Callable[["Account", "Record"], Any]


def _id(kind: str) -> _Default:
    return lambda account, _record: account.new_id(kind)


def _uid(_account: Account, record: Record) -> object:
    return record["uid"]


def _now(account: Account, _record: Record) -> str:
    return account.now()


def _file(extension: str) -> _Default:
    return lambda account, record: account.keep(extension, account.image_size(record))


def _render_url(account: Account, record: Record) -> str:
    return account.files.url("renderUrl", f"/bindings/{record['uid']}.png")


def _variants(_account: Account, _record: Record) -> list[Record]:
    return [{"id": "a", "weight": 5000}, {"id": "b", "weight": 5000}]


def _format(_account: Account, record: Record) -> str:
    return str(record["url"]).rpartition(".")[2].upper()


def _video_kind(_account: Account, record: Record) -> str:
    return "timeline" if "projectJson" in record else "tsx"


def _hook_body(_account: Account, record: Record) -> Record:
    return {"templateUid": record["templateUid"]}


_DATES: Mapping[str, _Default] = {"createdAt": _now, "updatedAt": _now}
# Values, and functions that return one. In this order, as some are made of others.
_DEFAULTS: Final[Mapping[RecordKind, Mapping[str, _Default | str | int | None]]] = {
    "templates": {"uid": _id("template"), "name": _uid, **_DATES},
    "bindings": {"uid": _id("binding"), "status": "active", "renderUrl": _render_url},
    "subscriptions": {
        "uid": _id("subscription"),
        "event": "render.completed",
        "targetUrl": "https://hooks.example.com",
        "platform": "custom",
        "status": "active",
        "deliveryCount": 0,
        "failureCount": 0,
        "createdAt": _now,
    },
    "experiments": {
        "uid": _id("experiment"),
        "name": _uid,
        "slug": _uid,
        "type": "ab_test",
        "status": "draft",
        "variants": _variants,
        **_DATES,
    },
    "images": {"uid": _id("image"), "url": _file("png"), "createdAt": _now},
    "gifs": {
        "uid": _id("gif"),
        "url": _file("gif"),
        "width": 800,
        "height": 600,
        "animationLength": 2000,
        "createdAt": _now,
    },
    "pdfs": {"id": _id("pdf"), "url": _file("pdf"), "pageCount": 1, "createdAt": _now},
    "feed": {
        "uid": _id("render"),
        "url": _file("png"),
        "format": _format,
        "source": "api",
        "templateUid": None,
        "createdAt": _now,
    },
    "videos": {
        "uid": _id("video"),
        "name": _uid,
        "kind": _video_kind,
        "width": 1080,
        "height": 1080,
        "fps": 30,
        "status": "draft",
        "variableDefinitions": lambda _account, _record: [],
        **_DATES,
    },
    "hooks": {"uid": _id("hook"), "secret": _id("hook secret"), "templateUid": None, "body": _hook_body},
}


def complete(account: Account, kind: RecordKind, records: list[Record]) -> list[Record]:
    """Add the fields that the API always sends to records without them. Returns the records."""
    defaults = _DEFAULTS[kind]
    for record in records:
        if not defaults.keys() <= record.keys():
            for name, default in defaults.items():
                if name not in record:
                    record[name] = default(account, record) if callable(default) else default
        if kind == "experiments":
            for number, variant in enumerate(record["variants"], 1):
                variant.setdefault("id", f"variant-{number}")
                variant.setdefault("weight", 0)
    return records
