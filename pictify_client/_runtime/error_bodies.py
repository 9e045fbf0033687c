"""The bodies of error responses, in all forms that the API has."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ..rate_limits import http_date, sent_at
from .json_values import is_array, is_object

if TYPE_CHECKING:
    import httpx

# Characters of a URL or a body that an error message shows.
_MAX_SHOWN = 200
_QUOTA_CODES = frozenset({"quota_exceeded", "spending_cap_reached", "template_limit_reached", "ai_quota_exceeded"})
_RATE_LIMIT_HEADERS = ("retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
_KNOWN_STATUSES = frozenset(HTTPStatus)


def json_object(content: bytes) -> dict[str, Any]:
    """Return a JSON object; an empty one if the content is none."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return body if is_object(body) else {}


def text_of(value: object) -> str | None:
    """Return a string that is not blank, else None."""
    return value if isinstance(value, str) and value.strip() else None


def code_of(body: Mapping[str, Any]) -> str | None:
    """Return the API's error code."""
    return text_of(body.get("code")) or text_of(_mapping(body.get("error")).get("code"))


def message_of(body: Mapping[str, Any]) -> str | None:
    """Return the API's error message."""
    values = (body.get(name) for name in ("message", "error", "detail", "title"))
    return next((text for value in values if (text := text_of(value) or text_of(_mapping(value).get("message")))), None)


def details_of(body: Mapping[str, Any]) -> list[tuple[str, str | None, str | None]]:
    """Return message, field and code of each of the `errors`."""
    errors: Any = body.get("errors")
    return [each for item in (errors if is_array(errors) else []) if (each := _detail(item)) is not None]


def _detail(item: object) -> tuple[str, str | None, str | None] | None:
    if isinstance(item, str):
        return item, None, None
    known = _mapping(item)
    field = text_of(known.get("field"))
    message = text_of(known.get("message")) or text_of(known.get("detail")) or field
    return (message, field, text_of(known.get("code"))) if message else None


def problem_of(body: Mapping[str, Any], media_type: str) -> dict[str, Any] | None:
    """Return the members of a problem details object (RFC 9457); None if the body is not one."""
    if media_type != "application/problem+json" and not ("title" in body and "status" in body):
        return None
    status = body.get("status")
    known = {
        "type": text_of(body.get("type")) or "about:blank",
        "title": text_of(body.get("title")),
        "status": status if isinstance(status, int) and not isinstance(status, bool) else None,
        "detail": text_of(body.get("detail")),
        "instance": text_of(body.get("instance")),
    }
    return {**known, "extensions": {name: value for name, value in body.items() if name not in known}}


def media_type_of(response: httpx.Response) -> str:
    """Return the media type of a response, in lower case; empty if it has none."""
    media_type: str = response.headers.get("content-type", "")
    return media_type.partition(";")[0].strip().lower()


def description_of(response: httpx.Response) -> str:
    """Return the description of a response without an error message."""
    status, media_type = response.status_code, media_type_of(response)
    phrase = response.reason_phrase or phrase_of(status) or "unknown status"
    if response.has_redirect_location:
        return f"{phrase}, a redirect to {response.headers['location'][:_MAX_SHOWN]!r}"
    host = response.request.url.host
    if status == 206:
        return f"{phrase}, with a part of the body from {host}, which was not requested"
    if not response.content.strip():
        return f"{phrase}, with an empty body from {host}"
    if media_type != "text/plain":
        return f"{phrase}, with a body of type {media_type or 'unknown'} from {host} that holds no message"
    return f"{phrase}: {response.content[:_MAX_SHOWN].decode(errors='replace')!r}"


def phrase_of(status: int) -> str:
    """Return the reason phrase of a status; an empty one if HTTP does not know the status."""
    return HTTPStatus(status).phrase if status in _KNOWN_STATUSES else ""


def call_of(request: httpx.Request) -> str:
    """Return the method and the path of a request for an error message: without its query, and shortened."""
    path = request.url.raw_path.partition(b"?")[0].decode("ascii")
    return f"{request.method} {path if len(path) <= _MAX_SHOWN else f'{path[:_MAX_SHOWN]}...'}"


def retry_after_of(response: httpx.Response) -> float | None:
    """Return the header `Retry-After` in seconds from now."""
    text = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,9})?", text):
        return float(text)
    moment = http_date(text)
    return None if moment is None else max(0.0, (moment - sent_at(response.headers)).total_seconds())


def is_about_quota(response: httpx.Response) -> bool:
    """Whether a 429 means that the quota is used up, rather than that there were too many requests."""
    body = json_object(response.content)
    code = code_of(body)
    if code is not None:
        return code in _QUOTA_CODES or code.endswith("_quota_exceeded")
    # The oldest form is only a message. Rate limits say when to retry, or call it too many requests.
    if "statusCode" in body or any(name in response.headers for name in _RATE_LIMIT_HEADERS):
        return False
    message = message_of(body)
    return message is not None and re.search(r"too many|rate.?limit", message, re.IGNORECASE) is None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if is_object(value) else {}
