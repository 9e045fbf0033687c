"""The examples run against the fake API, with a fake clock."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from generator.__main__ import ROOT
from pictify_client import webhooks
from pictify_client._runtime.clock import Clock
from pictify_client.testing import API_KEY, FakePictify, serving


@pytest.fixture
def fake() -> FakePictify:
    return FakePictify()


@pytest.fixture(autouse=True)
def base_url(fake: FakePictify, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    async def return_at_once(_clock: Clock, _seconds: float) -> None:
        pass

    monkeypatch.setattr(Clock, "asleep", return_at_once)
    with serving(fake) as url:
        monkeypatch.setenv("PICTIFY_BASE_URL", url)
        monkeypatch.setenv("PICTIFY_API_KEY", API_KEY)
        yield url


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name: str, *arguments: Any) -> None:
    result = load(name).main(*arguments)
    if inspect.isawaitable(result):
        asyncio.run(result)  # type: ignore[arg-type]


def test_every_example_has_a_test() -> None:
    names = {path.stem for path in (ROOT / "examples").glob("*.py")}
    here = set(re.findall(r'\b(?:run|load)\("(\w+)"', Path(__file__).read_text("utf-8")))
    assert names == here


def test_bindings_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    run("list_bindings")
    assert capsys.readouterr().out.endswith("\n45 bindings\n")


def test_a_template_is_rendered_and_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "hero.png"
    run("render_template", str(path))
    image = path.read_bytes()
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    assert (int.from_bytes(image[16:20]), int.from_bytes(image[20:24])) == (600, 315)
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"Price card is rendered at http://127\.0\.0\.1:\d+/\w+-\d+\.png", lines[0])
    assert lines[1] == f"saved as {path}"


def test_a_binding_is_created_and_embedded(base_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("embed_binding")
    made, tag, again, paused = capsys.readouterr().out.splitlines()
    uid = made.removeprefix("made ").removesuffix(", active")
    assert tag.startswith(f'<img src="{base_url}/b/{uid}.png" alt="')
    assert again.endswith(" bytes; requested again, the image is the same")
    assert paused == f"{uid} is paused"


def test_a_batch_is_rendered_row_by_row(capsys: pytest.CaptureFixture[str]) -> None:
    run("batch", 120)
    summary = capsys.readouterr().out.splitlines()[-1]
    assert summary.endswith(": completed, 120 rendered, 0 failed")
    assert len(summary.partition(":")[0].split(", ")) == 2


def test_an_experiment_runs_from_draft_to_winner(base_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("experiment", "hero-image")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "hero-image is running"
    assert lines[1] == f'<a href="{base_url}/s/hero-image/click"><img src="{base_url}/s/hero-image.png"></a>'
    assert lines[2:6] == ["shown: image/png"] * 4
    assert lines[6:8] == ["a click leads to https://shop.example.com/", "1 event reported"]
    assert re.fullmatch(r"hero-image is completed: (calm|bold) wins", lines[8])


def test_a_video_is_created_and_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "title.mp4"
    run("video", str(path))
    assert path.read_bytes()[4:8] == b"ftyp"
    named, rendered, saved = capsys.readouterr().out.splitlines()
    assert named == "Title has the variables title, size"
    assert rendered.endswith(".mp4")
    assert saved == f"saved as {path}"
    run("video", str(path), "const scene = {}")
    assert capsys.readouterr().out == "scene.tsx: the scene has no default export\n"


def test_certificates_are_rendered_by_a_run(
    fake: FakePictify, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    guests, folder = tmp_path / "guests.csv", tmp_path / "certificates"
    guests.write_text("name\nAda Lovelace\nAlan Turing\n", "utf-8")
    run("certificates", guests, folder, 0.001)
    started, rendered, *saved = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"started \w{10}", started)
    assert rendered == "2 of 2 are rendered, 0 failed"
    assert saved == [f"saved {folder / '1.pdf'}", f"saved {folder / '2.pdf'}"]
    # The files are numbered in the order of the rows, and the example leaves nothing in the account.
    assert [request.path for request in fake.requests[-2:]] == [
        f"/{each['url'].rpartition('/')[2]}" for each in fake.pdfs
    ]
    assert {path.read_bytes()[:4] for path in folder.iterdir()} == {b"%PDF"}
    assert len(fake.templates) == 3


SECRET = "whsec_new"
HOOK = b'{"event": "render.completed", "data": {"url": "https://cdn.pictify.io/a.png"}}'


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PICTIFY_WEBHOOK_SECRET", f"whsec_old,{SECRET}")
    return load("webhook_receiver")


def post(receiver: Any, body: bytes, delivery: str | None = None, **headers: str) -> int:
    signature = webhooks.sign(body, SECRET, timestamp=int(Clock().time()))
    headers = {webhooks.SIGNATURE_HEADER: signature, **headers}
    if delivery is not None:
        headers[webhooks.DELIVERY_ID_HEADER] = delivery
    return send_request(receiver, "POST", content=body, headers=headers).status_code


def send_request(receiver: Any, method: str, **options: Any) -> httpx.Response:
    async def run() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=receiver.app)) as client:
            return await client.request(method, "https://hooks.example.com/pictify", **options)

    return asyncio.run(run())


def test_a_webhook_is_handled_once(receiver: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert [post(receiver, HOOK, "d1"), post(receiver, HOOK, "d1"), post(receiver, HOOK, "d2")] == [204] * 3
    assert capsys.readouterr().out == "rendered https://cdn.pictify.io/a.png\n" * 2
    assert [post(receiver, HOOK), post(receiver, HOOK)] == [204] * 2
    assert capsys.readouterr().out == "rendered https://cdn.pictify.io/a.png\n" * 2


def test_every_webhook_is_handled_by_its_event(receiver: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for body in (
        b'{"event": "render.failed", "data": {"error": "no such font"}}',
        b'{"event": "batch.completed", "data": {"batchId": "batch_1", "status": "partial", "failedCount": 2}}',
        b'{"event": "binding.updated", "data": {"uid": "bind_1"}}',
    ):
        assert post(receiver, body) == 204
    assert capsys.readouterr().out.splitlines() == [
        "not rendered: no such font",
        "batch_1 is partial: 2 failed",
        "binding.updated: {'uid': 'bind_1'}",
    ]


def test_a_forged_webhook_is_rejected_and_leaves_no_trace(receiver: Any, capsys: pytest.CaptureFixture[str]) -> None:
    forged = webhooks.sign(HOOK, "whsec_else", timestamp=int(Clock().time()))
    for signature in (forged, "t=1", ""):
        assert post(receiver, HOOK, "d1", **{webhooks.SIGNATURE_HEADER: signature}) == 400
    assert send_request(receiver, "POST", content=HOOK).status_code == 400
    assert receiver.seen == {}
    assert post(receiver, HOOK, "d1") == 204
    output = capsys.readouterr()
    assert output.out == "rendered https://cdn.pictify.io/a.png\n"
    assert "whsec" not in output.err


def test_an_unreadable_webhook_is_requested_again(receiver: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert [post(receiver, b"{}", "d1"), post(receiver, b"{}", "d1")] == [500] * 2
    assert capsys.readouterr().err == "The webhook is signed, but event: it is missing\n" * 2
    assert receiver.seen == {}


def test_other_requests_are_rejected(receiver: Any) -> None:
    for method in ("GET", "PUT", "DELETE"):
        response = send_request(receiver, method)
        assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert post(receiver, b" " * receiver.MAX_BODY_SIZE) == 500
    assert post(receiver, b" " * (receiver.MAX_BODY_SIZE + 1)) == 413
    with pytest.raises(RuntimeError, match="knows no websocket"):
        asyncio.run(receiver.app({"type": "websocket"}, None, None))


def test_the_number_of_remembered_deliveries_is_limited(receiver: Any) -> None:
    receiver.MAX_SEEN = 2
    assert [receiver.first_time(each) for each in ("a", "b", "a", "c", "b", "a")] == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]
    assert list(receiver.seen) == ["c", "a"]


@pytest.mark.parametrize("lost", [False, True])
def test_the_response_is_sent_before_the_webhook_is_handled(receiver: Any, *, lost: bool) -> None:
    signature = webhooks.sign(HOOK, SECRET, timestamp=int(Clock().time()))
    parts = [{"type": "http.request", "body": HOOK[:9], "more_body": True}]
    parts.append({"type": "http.disconnect"} if lost else {"type": "http.request", "body": HOOK[9:]})
    done: list[Any] = []

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        done.append(message.get("status", "sent"))

    async def handle(event: Any) -> None:
        done.append(event.event)

    receiver.handle = handle
    scope = {"type": "http", "method": "POST", "headers": [(b"x-pictify-signature", signature.encode())]}
    asyncio.run(receiver.app(scope, receive, send))
    assert done == ([] if lost else [204, "sent", "render.completed"])
