"""The fake API over a real socket, and from the command line."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import anyio
import httpx
import pytest

from generator.__main__ import ROOT
from pictify_client import (
    APIConnectionError,
    AsyncPictify,
    BadRequestError,
    NotFoundError,
    Pictify,
    UnauthorizedError,
)
from pictify_client._runtime.operations import Operation
from pictify_client.models import Binding
from pictify_client.testing import API_KEY, FakePictify, serving
from pictify_client.testing.__main__ import main
from pictify_client.testing.fake import FakeResponse


@pytest.fixture
def fake() -> FakePictify:
    return FakePictify()


@pytest.fixture
def base_url(fake: FakePictify) -> Iterator[str]:
    with serving(fake) as url:
        yield url


def test_it_lists_its_bindings_page_by_page(base_url: str, fake: FakePictify) -> None:
    with Pictify(api_key=API_KEY, base_url=base_url) as pictify:
        assert [len(page) for page in pictify.bindings.list().pages()] == [20, 20, 5]
        found = list(pictify.bindings.list(limit=7))
    assert found == [Binding.from_dict(binding) for binding in fake.bindings]
    assert not any(binding.additional_properties for binding in found)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_serves_concurrent_tasks(base_url: str, backend: str) -> None:
    counts: list[int] = []

    async def run() -> None:
        async with AsyncPictify(api_key=API_KEY, base_url=base_url) as pictify, anyio.create_task_group() as group:

            async def one() -> None:
                counts.append(len([binding async for binding in pictify.bindings.list(limit=10)]))

            for _ in range(20):
                group.start_soon(one)

    anyio.run(run, backend=backend)
    assert counts == [45] * 20


def test_its_filters(base_url: str, fake: FakePictify) -> None:
    with Pictify(api_key=API_KEY, base_url=base_url) as pictify:
        by_status = Counter(binding.status for binding in pictify.bindings.list())
        assert by_status == Counter(each["status"] for each in fake.bindings)
        for status, count in by_status.items():
            assert len(list(pictify.bindings.list(status=status))) == count > 0
        of_one: list[Binding] = list(pictify.bindings.list(template_id="APPK3ATNDP", status="paused"))
        assert {(each.template_id, each.status) for each in of_one} == {("APPK3ATNDP", "paused")}
        assert list(pictify.bindings.list(template_id="NOTEMPLATE")) == []


def test_it_rejects_requests_that_the_api_rejects(base_url: str) -> None:
    with Pictify(api_key="pic_live_unknown", base_url=base_url) as pictify, pytest.raises(UnauthorizedError):
        list(pictify.bindings.list())
    missing: Operation[object] = Operation("DELETE", "/nowhere", responses={200: lambda body: body})
    with Pictify(api_key=API_KEY, base_url=base_url) as pictify:
        with pytest.raises(
            NotFoundError, match="Route DELETE:/nowhere not found. The API does not have this operation"
        ):
            pictify.client.send(missing, body={}).result()
        unchecked: Operation[object] = Operation("GET", "/bindings?limit=1000", responses={200: lambda body: body})
        with pytest.raises(BadRequestError, match="limit must be at most 100, got 1000"):
            pictify.client.send(unchecked).result()


def test_it_accepts_bodies_and_returns_files(base_url: str, fake: FakePictify) -> None:
    with Pictify(api_key=API_KEY, base_url=base_url) as pictify:
        template = pictify.templates.create(name="mine", html="<h1>{{title}}</h1>", width=40, height=30)
        with pictify.url_rendering.render_template(template.uid, "png") as file:
            content = file.read()
    assert fake.templates[-1]["name"] == "mine"
    assert content.startswith(b"\x89PNG")
    assert content[16:24] == b"\0\0\0\x28\0\0\0\x1e"


def test_it_responds_to_any_method(base_url: str) -> None:
    for method in ("HEAD", "OPTIONS", "PATCH", "QUERY"):
        response = httpx.request(method, f"{base_url}/bindings")
        assert response.status_code == 404
        assert bool(response.content) == (method != "HEAD")


@pytest.mark.parametrize(("failure", "reported"), [(ConnectionResetError(), False), (ZeroDivisionError(), True)])
def test_it_reports_its_own_failures_but_not_disconnected_clients(
    failure: Exception, reported: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> FakeResponse:
        raise failure

    monkeypatch.setattr(FakePictify, "respond", broken)
    with serving(FakePictify()) as base_url, pytest.raises(APIConnectionError):
        list(Pictify(api_key=API_KEY, max_retries=0, base_url=base_url).bindings.list())
    assert (type(failure).__name__ in capfd.readouterr().err) == reported


def test_it_has_the_records_that_a_test_adds() -> None:
    fake = FakePictify(bindings=0, api_key="pic_live_mine")
    fake.bindings.append({"uid": "bind_1", "renderUrl": "u", "name": "mine"})
    with serving(fake) as base_url, Pictify(api_key="pic_live_mine", base_url=base_url) as pictify:
        assert [binding.name for binding in pictify.bindings.list()] == ["mine"]


def test_a_command_runs_against_it_and_its_exit_status_is_returned(capfd: pytest.CaptureFixture[str]) -> None:
    assert main([sys.executable, str(ROOT / "examples/list_bindings.py")]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "NAME                  STATUS   RENDERED          IMAGE"
    assert re.fullmatch(
        r"Price tag 1           active   2026-01-29 11:01  http://127\.0\.0\.1:\d+/bindings/OW9OT95X0L\.png", lines[1]
    )
    assert lines[-1] == "45 bindings"
    assert len(lines) == 47
    assert main([sys.executable, "-c", "raise SystemExit(7)"]) == 7
    assert main(["--", "python", "-c", "import sys; print(sys.prefix)"]) == 0
    assert capfd.readouterr().out == f"{sys.prefix}\n"


def test_an_unknown_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["no-such-command"])
    assert "command not found: 'no-such-command'" in capsys.readouterr().err


def test_a_port_that_is_in_use_is_named(base_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    port = base_url.rpartition(":")[2]
    with pytest.raises(SystemExit, match="2"):
        main(["--port", port])
    assert f"could not listen on port {port}" in capsys.readouterr().err


def test_the_example_without_a_key_says_what_is_missing() -> None:
    run = subprocess.run(  # noqa: S603
        [sys.executable, str(ROOT / "examples/list_bindings.py")], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert run.stderr == (
        "ConfigurationError: No API key: set the environment variable PICTIFY_API_KEY, or pass api_key (for an "
        "AuthenticatedClient, token)\n"
    )


def test_it_serves_until_it_is_stopped(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Stopped:
        def wait(self) -> None:
            about, *lines = capsys.readouterr().out.splitlines()
            settings = dict(line.removeprefix("export ").split("=", 1) for line in lines)
            assert about.startswith(
                f"# Mock server of the Pictify API on {settings['PICTIFY_BASE_URL']}, until Ctrl-C."
            )
            response = httpx.get(
                f"{settings['PICTIFY_BASE_URL']}/bindings",
                params={"limit": "1"},
                headers={"Authorization": f"Bearer {settings['PICTIFY_API_KEY']}"},
            )
            assert response.json()["pagination"]["totalPages"] == 45
            raise KeyboardInterrupt

    monkeypatch.setattr("pictify_client.testing.__main__.Event", Stopped)
    assert main([]) == 0


def test_its_help_text_calls_it_a_mock_server(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    help_text = capsys.readouterr().out
    assert "mock server" in help_text
    assert re.findall(r"(?i)\brefus\w*", help_text) == []
