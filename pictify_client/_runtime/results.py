"""The behavior of results. The generated models derive from these classes.

The classes are below the models, so that the type of a field that holds another model is Any here.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any
from urllib.parse import unquote_to_bytes

from ..errors import ErrorDetail, RenderFailedError
from .json_values import is_array, is_object
from .model import Model

_FINAL = frozenset({"completed", "partial", "failed", "cancelled"})
# The fields of a result that is returned without an envelope.
_RESULT_FIELDS = ("layout", "name", "url", "width", "height", "format", "id", "createdAt")


class Behavior(Model):
    """Base of the classes with behavior."""

    @classmethod
    def __normalize__(cls, d: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON object in the form that the model reads."""
        return d


class Rendered(Behavior):
    """The files that a template was rendered to."""

    results: list[Any]
    errors: list[Any]

    @classmethod
    def __normalize__(cls, d: dict[str, Any]) -> dict[str, Any]:
        """Read the older form, one file without an envelope, as an envelope with one result."""
        if "results" not in d and isinstance(d.get("url"), str):
            result = {name: d.pop(name) for name in _RESULT_FIELDS if name in d}
            d.update(results=[{"layout": "default", **result}], totalRendered=1)
        d.setdefault("errors", [])
        return d

    @property
    def url(self) -> str:
        """URL of the first file.

        Raises:
            RenderFailedError: If no layout was rendered.
        """
        if not self.results:
            raise RenderFailedError("No layout was rendered", self._details())
        url: str = self.results[0].url
        return url

    def raise_for_errors(self) -> None:
        """Raise an error if a layout failed.

        Raises:
            RenderFailedError: If a layout failed; its `errors` say which and why. What was rendered is in `results`.
        """
        if self.errors or not self.results:
            rendered = len(self.results)
            raise RenderFailedError(
                f"{len(self.errors)} of {rendered + len(self.errors)} layouts failed", self._details()
            )

    def _details(self) -> list[ErrorDetail]:
        return [ErrorDetail(each.error or "unknown error", each.layout or None) for each in self.errors]


class Previewed(Behavior):
    """An image of a draft."""

    data_url: str | None

    @property
    def content(self) -> bytes:
        """The image, decoded from `data_url`.

        Raises:
            RenderFailedError: If the response has no image.
        """
        head, _, data = (self.data_url or "").partition(",")
        try:
            content = b64decode(data, validate=True) if head.endswith(";base64") else unquote_to_bytes(data)
        except ValueError:
            content = b""
        if not content or not head.startswith("data:"):
            raise RenderFailedError("The preview has no image: its data_url cannot be decoded")
        return content


class Animation(Behavior):
    """A GIF."""

    animation_length: float | None
    frame_duration_seconds: float | None

    @property
    def duration(self) -> float | None:
        """Length of the animation in seconds; None if the API does not say.

        The API gives it in milliseconds for a rendered GIF and in seconds for a captured one, which also has a
        `frame_duration_seconds`.
        """
        length = self.animation_length
        if length is None:
            return None
        return length / 1000 if self.frame_duration_seconds is None else length


class BatchProgress(Behavior):
    """The state of a batch, and its rows."""

    status: Any
    total_items: int
    completed_items: int | None

    @classmethod
    def __normalize__(cls, d: dict[str, Any]) -> dict[str, Any]:
        """Move the rows that failed to `errors`, where older versions of the API listed them among the results."""
        rows = d.get("results")
        errors: Any = d.get("errors") or []
        if is_array(rows) and is_array(errors):
            failed = [row for row in rows if _has_failed(row)]
            if failed:
                d.update(results=[row for row in rows if not _has_failed(row)], errors=[*errors, *failed])
        return d

    @property
    def is_done(self) -> bool:
        """Whether the batch has ended: it is completed, partial, failed or cancelled."""
        return is_final(self.status)


class RunProgress(Behavior):
    """The state of a workflow run."""

    status: str | None
    counts: Any

    @property
    def is_done(self) -> bool:
        """Whether the run has ended: each of its rows was rendered or failed, or its status says so."""
        counts = self.counts
        if is_final(self.status):
            return True
        return counts is not None and counts.total is not None and _ended(counts) >= counts.total


class PreviewProgress(Behavior):
    """A document, or the state of the job that renders it."""

    url: str | None
    status: str | None

    @property
    def is_done(self) -> bool:
        """Whether there is a `url`, or the job has ended without one."""
        return self.url is not None or is_final(self.status)


def is_final(status: str | None) -> bool:
    """Whether a batch, run or job of this status has ended."""
    return status in _FINAL


def describe_progress(state: object) -> str:
    """Return how far something is that was waited for."""
    match state:
        case BatchProgress():
            return f"{state.completed_items} of {state.total_items} items are done"
        case RunProgress() if state.counts is not None:
            return f"{_ended(state.counts)} of {state.counts.total} rows are done"
        case _:
            return f"its status is {getattr(state, 'status', None)}"


def _ended(counts: Any) -> int:
    return (counts.rendered or 0) + (counts.failed or 0)


def _has_failed(row: object) -> bool:
    return is_object(row) and row.get("success") is False
