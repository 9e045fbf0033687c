"""Bindings as pydantic, Stainless (openai) and msgspec have them: every field typed, as in the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from types import GenericAlias
from typing import Any, Literal

Fields = dict[str, tuple[str, Any]]
"""A class: for each field its name in JSON, and its type or the name of another class."""

CLASSES: dict[str, Fields] = {
    "DataSource": {
        "type": ("type", Literal["http", "webhook", "static"]),
        "url": ("url", str),
        "method": ("method", Literal["GET", "POST"]),
        "headers": ("headers", dict[str, str]),
        "body": ("body", dict[str, Any]),
    },
    "RefreshPolicy": {
        "type": ("type", Literal["ttl", "etag", "webhook", "manual"]),
        "ttl_seconds": ("ttlSeconds", int),
        "on_error": ("onError", Literal["serve_stale", "serve_error", "serve_default"]),
    },
    "OutputConfig": {
        "format": ("format", Literal["png", "jpeg", "webp", "pdf"]),
        "quality": ("quality", int),
        "width": ("width", int),
        "height": ("height", int),
    },
    "Binding": {
        "uid": ("uid", str),
        "status": ("status", Literal["active", "paused", "error"]),
        "render_url": ("renderUrl", str),
        "name": ("name", str),
        "template_id": ("templateId", str),
        "data_source": ("dataSource", "DataSource"),
        "mapping": ("mapping", dict[str, str]),
        "defaults": ("defaults", dict[str, Any]),
        "refresh_policy": ("refreshPolicy", "RefreshPolicy"),
        "webhook_url": ("webhookUrl", str),
        "created_at": ("createdAt", datetime),
        "output_config": ("outputConfig", "OutputConfig"),
        "last_fetch_at": ("lastFetchAt", datetime),
        "last_render_at": ("lastRenderAt", datetime),
        "last_error": ("lastError", str),
        "error_count": ("errorCount", int),
        "updated_at": ("updatedAt", datetime),
    },
    "Pagination": {
        "page": ("page", int),
        "limit": ("limit", int),
        "total": ("total", int),
        "total_pages": ("totalPages", int),
        "has_next": ("hasNext", bool),
        "has_prev": ("hasPrev", bool),
    },
}


_REQUIRED = ("uid", "status", "render_url")


def page_of_pydantic(base: Any) -> Any:
    """The class of a page, on a pydantic base class that keeps unknown fields."""
    from pydantic import Field, create_model

    made: dict[str, Any] = {}
    for name, fields in CLASSES.items():
        typed: dict[str, Any] = {}
        for field, (alias, kind) in fields.items():
            known = made[kind] if isinstance(kind, str) else kind
            is_required = field in _REQUIRED
            typed[field] = (
                known if is_required else known | None,
                Field(alias=alias) if is_required else Field(default=None, alias=alias),
            )
        made[name] = create_model(name, __base__=base, **typed)
    binding, pagination = made["Binding"], made["Pagination"]
    page: dict[str, Any] = {"bindings": (GenericAlias(list, (binding,)), ...), "pagination": (pagination | None, None)}
    return create_model("Page", __base__=base, **page)


def page_of_msgspec(msgspec: Any) -> Any:
    """The class of a page, of msgspec's structs; they do not keep unknown fields."""
    made: dict[str, Any] = {}
    for name, fields in CLASSES.items():
        typed: list[tuple[Any, ...]] = []
        for field, (_, kind) in fields.items():
            known = made[kind] if isinstance(kind, str) else kind
            typed.append((field, known) if field in _REQUIRED else (field, known | None, None))
        aliases = {field: alias for field, (alias, _) in fields.items()}
        made[name] = msgspec.defstruct(name, typed, rename=aliases)
    binding, pagination = made["Binding"], made["Pagination"]
    return msgspec.defstruct("Page", [("bindings", GenericAlias(list, (binding,))), ("pagination", pagination | None)])
