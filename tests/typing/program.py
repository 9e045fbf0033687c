"""Ordinary code of a user, which type checkers accept without a cast. Run against the fake API, it works."""

# mypy: warn-unreachable

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pictify_client import APIStatusError, AsyncPictify, NotFoundError, Pictify
from pictify_client.models import (
    BindingStatus,
    DataSource,
    DataSourceParam,
    ImageResponse,
    RefreshPolicy,
    RenderCompleted,
    RenderFailed,
    TemplateLayoutParam,
)
from pictify_client.webhooks import WebhookEvent


def stale(pictify: Pictify, since: datetime) -> Iterator[str]:
    """Lists, fields and filters."""
    for binding in pictify.bindings.list(status="active", limit=50):
        if binding.last_fetch_at is None or binding.last_fetch_at < since:
            yield f'<img src="{binding.render_url}" alt="{binding.name or "unnamed"}">'
    page = pictify.bindings.list(status=BindingStatus.PAUSED).first_page()
    yield f"{len(page)} of {page.pagination.total or 0} are paused"


def state(status: BindingStatus | None) -> str:
    """An enum that the API may extend."""
    match status:
        case BindingStatus.ACTIVE:
            return "refreshes"
        case BindingStatus.PAUSED | BindingStatus.ERROR:
            return "rests"
        case None:
            return "unknown"
        case _:
            return f"new: {status.value}"


def bind(pictify: Pictify, template_id: str, url: str) -> str:
    """Nested objects as mappings and as models."""
    source: DataSourceParam = {"type": "http", "url": url, "method": "GET", "headers": {"Accept": "application/json"}}
    first = pictify.bindings.create(
        template_id=template_id,
        mapping={"price": "data.price"},
        data_source=source,
        refresh_policy={"type": "ttl", "ttlSeconds": 600, "onError": "serve_stale"},
    )
    second = pictify.bindings.create(
        template_id=template_id,
        mapping={},
        data_source=DataSource(type="http", url=url),
        refresh_policy=RefreshPolicy(type="manual"),
        output_config={"format": "webp", "quality": 80},
    )
    updated = pictify.bindings.update(first.uid, name="prices", status="paused")
    return f"{updated.name if updated else first.name}, {second.uid}"


def render(pictify: Pictify, folder: Path) -> list[Path]:
    """Templates, layouts, images and files."""
    layouts: dict[str, TemplateLayoutParam] = {"square": {"name": "Square", "width": 400, "height": 400}}
    template = pictify.templates.create(
        name="card",
        html="<h1>{{title}}</h1>",
        variable_definitions=[{"name": "title", "type": "text", "defaultValue": "Hello"}],
        layouts=layouts,
    )
    result = pictify.templates.render(template.uid, variables={"title": "Hi"}, format="png", layouts=["default"])
    result.raise_for_errors()
    image: ImageResponse = pictify.images.create(html="<p>Hi</p>", width=600, height=315, file_extension="png")
    paths = [pictify.download(image, folder / "image.png")]
    for file in result.results:
        content = pictify.download(file).read()
        paths.append(folder / f"{file.layout}.png")
        paths[-1].write_bytes(content)
    return paths


def remove(pictify: Pictify, uid: str) -> bool:
    """Errors."""
    try:
        return bool(pictify.templates.delete(uid).message)
    except NotFoundError:
        return False
    except APIStatusError as error:
        print(error.message, error.status_code, error.request_id or "")
        raise


async def batch(pictify: AsyncPictify, template_id: str) -> int:
    """Batches, in async code."""
    job = await pictify.batch.render_template(template_id, variable_sets=[{"title": name} for name in "abc"])
    done = await job.wait(timeout=600, on_progress=lambda status: print(f"{status.progress or 0:.0f} %"))
    return sum(row.success is True for row in done.results)


def report(event: WebhookEvent) -> str:
    """Webhooks."""
    match event.data:
        case RenderCompleted(url=str(url)):
            return f"rendered {url} at {event.timestamp or datetime.now(UTC)}"
        case RenderFailed() as failed:
            return f"failed: {failed.error or failed.error_code}"
        case _:
            return f"{event.event}"
