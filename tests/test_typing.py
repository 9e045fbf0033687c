"""Completions in editors, and a program that type checkers accept."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from pictify_client.models import RenderCompleted, RenderFailed
from pictify_client.testing import FakePictify
from pictify_client.webhooks import WebhookEvent, WebhookEventName

from .typing import program

ROOT = Path(__file__).parent.parent


def test_the_program_that_type_checkers_accept_works(tmp_path: Path) -> None:
    fake = FakePictify()
    pictify = fake.client()
    *images, paused = program.stale(pictify, datetime(2030, 1, 1, tzinfo=UTC))
    assert images
    assert all(image.startswith('<img src="https://') for image in images)
    assert paused.endswith(" are paused")
    states = {program.state(binding.status) for binding in pictify.bindings.list()}
    assert states <= {"refreshes", "rests"}
    template = pictify.templates.list().first_page().items[0]
    assert program.bind(pictify, template.uid, "https://shop.example.com/1.json").startswith("prices, ")
    files = program.render(pictify, tmp_path)
    assert [file.name for file in files] == ["image.png", "default.png"]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)
    assert [program.remove(pictify, template.uid) for _ in range(2)] == [True, False]
    other = next(iter(pictify.templates.list()))

    async def test() -> int:
        async with fake.async_client() as client:
            return await program.batch(client, other.uid)

    assert anyio.run(test) == 3
    made: dict[str, Any] = {"event": WebhookEventName.RENDER_COMPLETED, "timestamp": datetime(2026, 1, 29, tzinfo=UTC)}
    assert program.report(WebhookEvent(**made, data=RenderCompleted(url="u"))).startswith("rendered u at 2026-01-29")
    assert program.report(WebhookEvent(**made, data=RenderFailed(error="gone"))) == "failed: gone"


class Editor:
    """A client of a language server, like an editor."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin
        assert process.stdout
        self._input, self._output = process.stdin, process.stdout
        self._id = 0

    def notify(self, method: str, params: Any, **more: int) -> None:
        content = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode()
        self._input.write(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
        self._input.flush()

    def request(self, method: str, params: Any) -> Any:
        self._id += 1
        self.notify(method, params, id=self._id)
        while True:
            length = 0
            while header := self._output.readline().strip():
                name, _, value = header.partition(b": ")
                length = int(value) if name == b"Content-Length" else length
            message = json.loads(self._output.read(length))
            if message.get("id") == self._id and "method" not in message:
                return message["result"]

    def completions(self, text: str) -> set[str]:
        """The completions at the end of a text."""
        uri = (ROOT / "tests" / "typing" / f"edited_{self._id}.py").as_uri()
        document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})
        *before, last = text.split("\n")
        position = {"line": len(before), "character": len(last)}
        found = self.request("textDocument/completion", {"textDocument": {"uri": uri}, "position": position})
        items: list[dict[str, Any]] = found["items"]
        return {str(item["label"]).strip("\"'") for item in items}


@contextmanager
def editor() -> Generator[Editor]:
    command = [str(Path(sys.executable).with_name("basedpyright-langserver")), "--stdio"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
        try:
            opened = Editor(process)
            root = ROOT.as_uri()
            folders = [{"uri": root, "name": "root"}]
            opened.request(
                "initialize",
                {"processId": None, "rootUri": root, "capabilities": {}, "workspaceFolders": folders},
            )
            opened.notify("initialized", {})
            yield opened
        finally:
            process.kill()


START = "from pictify_client import Pictify\n\npictify = Pictify()\n"


@pytest.fixture(scope="module")
def opened() -> Generator[Editor]:
    with editor() as found:
        yield found


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('pictify.bindings.list(status="', {"active", "paused", "error"}),
        ('pictify.images.create(html="", file_extension="', {"png", "jpg", "jpeg", "webp"}),
        ('pictify.bindings.update("b", refresh_policy={"', {"type", "ttlSeconds", "onError"}),
        ('pictify.bindings.update("b", refresh_policy={"type": "', {"ttl", "etag", "webhook", "manual"}),
        ("pictify.", {"bindings", "images", "download"}),
    ],
)
def test_editors_complete_values_and_fields(opened: Editor, code: str, expected: set[str]) -> None:
    assert expected <= opened.completions(START + code)
