"""The recorded responses, and a transport that plays them back for exactly the requests that were recorded."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from pictify_client._runtime.json_values import is_array, is_object

RECORDINGS = Path(__file__).parent / "recordings"
KEY = "pic_live_of_the_recordings"


def recording(name: str) -> dict[str, Any]:
    """A recording, by the name of its file."""
    return dict(json.loads((RECORDINGS / f"{name}.json").read_text("utf-8")))


def body_of(name: str) -> Any:
    """The JSON body of a recorded response."""
    return recording(name)["response"]["body"]


def without_nulls(document: Any) -> Any:
    """A JSON document without the fields that are null, which models treat like absent ones."""
    if is_object(document):
        return {name: without_nulls(value) for name, value in document.items() if value is not None}
    return [without_nulls(value) for value in document] if is_array(document) else document


def response_of(recorded: Mapping[str, Any]) -> httpx.Response:
    """A recorded response, as the transport returns it."""
    response = recorded["response"]
    text = response["text"] if "text" in response else json.dumps(response["body"], ensure_ascii=False)
    return httpx.Response(response["status"], headers=response["headers"], content=text.encode())


def _recorded_part(request: httpx.Request) -> dict[str, Any]:
    url = request.url
    return {
        "method": request.method,
        "url": str(url.copy_with(query=None, fragment=None)),
        "query": dict(url.params.multi_items()),
        "headers": {"authorization": request.headers.get("authorization", "").replace(KEY, "[key]")},
    }


@contextmanager
def replaying(*names: str) -> Generator[httpx.MockTransport]:
    """A transport that expects the requests of these recordings in order, each once, and returns their responses."""
    waiting = [recording(name) for name in names]

    def respond(request: httpx.Request) -> httpx.Response:
        received = _recorded_part(request)
        assert len(request.url.params.multi_items()) == len(received["query"]), f"a parameter is repeated: {received}"
        assert waiting, f"unexpected request: {received}"
        assert received == waiting[0]["request"], (
            f"{received} differs from the recorded request: {waiting[0]['request']}"
        )
        return response_of(waiting.pop(0))

    yield httpx.MockTransport(respond)
    assert not waiting, f"not requested: {[each['about'] for each in waiting]}"
