"""Record responses of the live API: `PICTIFY_API_KEY=... make record`.

Only the recordings in `LIVE` can be had from any account; the others need a fault, or are made to
hold what the API sends but seldom. Secrets are taken out before anything is written.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import httpx

from pictify_client._runtime.json_values import is_array, is_object

from .replay import RECORDINGS

LIVE = ("first_page", "last_page", "empty_list", "filtered_by_status", "filtered_by_template", "unauthorized")

_SCRUBBED = "[scrubbed]"
_SECRET_FIELD = re.compile(r"auth|body|credential|headers|key|password|secret|token|webhookUrl", re.IGNORECASE)
_SECRET_TEXT = re.compile(
    r"\b(?:pic|pk|sk|whsec)_\w+|\b[0-9a-f]{64}\b|(?<=://)[^/@\s]+@|(?<=\bBearer )\S+|(?<==)[^&\s]+"
)
_HEADERS = ("content-type", "retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


def scrubbed(value: Any) -> Any:
    """A JSON value without secrets: API keys and query values anywhere, and fields that hold secrets."""
    if is_object(value):
        return {
            name: _emptied(item) if _SECRET_FIELD.search(name) else scrubbed(item)
            for name, item in value.items()
        }  # fmt: skip
    if is_array(value):
        return [scrubbed(item) for item in value]
    return _SECRET_TEXT.sub(_SCRUBBED, value) if isinstance(value, str) else value


def _emptied(value: Any) -> Any:
    if is_object(value):
        return dict.fromkeys(value, _SCRUBBED)
    return value if value is None else _SCRUBBED


def record(base_url: str, key: str, folder: Path = RECORDINGS) -> None:
    """Request each recording in `LIVE` again, and write the responses.

    Raises:
        RuntimeError: If the account has no bindings, or a response is unexpected.
    """
    with httpx.Client(base_url=base_url) as client:

        def ask(query: dict[str, str], key: str = key) -> httpx.Response:
            return client.get("/bindings", params=query, headers={"Authorization": f"Bearer {key}"})

        first = ask({"limit": "2"})
        if first.status_code != 200 or not first.json()["bindings"]:
            raise RuntimeError(
                f"the account must have a binding to record; got {first.status_code}: {first.text[:200]}"
            )
        binding, pages = first.json()["bindings"][0], first.json()["pagination"]["totalPages"]
        queries: dict[str, dict[str, str]] = {
            "first_page": {"limit": "2"},
            "last_page": {"limit": "2", "page": str(pages)},
            "empty_list": {"templateId": "NOTEMPLATE"},
            "filtered_by_status": {"status": binding["status"]},
            "filtered_by_template": {"templateId": binding["templateId"]},
            "unauthorized": {},
        }
        for name in LIVE:
            path = folder / f"{name}.json"
            recorded = json.loads(path.read_text("utf-8"))
            response = ask(queries[name], "pic_live_unknown" if name == "unauthorized" else key)
            recorded["request"]["query"] = queries[name]
            recorded["response"] = {
                "status": response.status_code,
                "headers": {name: response.headers[name] for name in _HEADERS if name in response.headers},
                "body": scrubbed(response.json()),
            }
            path.write_text(json.dumps(recorded, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    if "PICTIFY_API_KEY" not in os.environ:
        sys.exit("Set PICTIFY_API_KEY to the key of an account that has bindings.")
    record(os.environ.get("PICTIFY_BASE_URL") or "https://api.pictify.io", os.environ["PICTIFY_API_KEY"])
    print(f"Recorded {', '.join(LIVE)}: read the diff before you commit it.")
