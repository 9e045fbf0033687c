"""The recordings: their origin, strict playback, and recording."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from pictify_client.testing import API_KEY, FakePictify, serving

from .calls import call
from .record import LIVE, record, scrubbed
from .replay import RECORDINGS, recording, replaying

SECRET = re.compile(r"\b(?:(?:pic|pk|sk)_(?:live|test)|whsec)_\w|\b[0-9a-f]{64}\b")
NAMES = sorted(path.stem for path in RECORDINGS.glob("*.json"))


def test_the_readme_has_the_origin_of_each_recording() -> None:
    rows = [row for row in (RECORDINGS / "README.md").read_text("utf-8").splitlines() if row.startswith("| `")]
    named = {name.strip(" `").removesuffix(".json"): row for row in rows for name in row.split("|")[1].split(",")}
    assert sorted(named) == NAMES
    assert {name for name, row in named.items() if "| live:" in row} == set(LIVE)


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_is_in_a_recording(name: str) -> None:
    assert recording(name)["request"]["headers"] == {"authorization": "Bearer [key]"}
    assert not SECRET.search((RECORDINGS / f"{name}.json").read_text("utf-8"))


def test_the_search_for_secrets_finds_them() -> None:
    assert SECRET.search('{"message": "unknown key pic_live_1"}')
    assert SECRET.search('"whsec_1"')
    assert SECRET.search(f'"{"0af1" * 16}"')


@pytest.mark.parametrize(
    "arguments",
    [{}, {"limit": 3}, {"limit": 2, "page": 2}, {"limit": 2, "status": "active"}, {"limit": 2, "template_id": ""}],
)
def test_a_different_request_is_an_error(arguments: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="differs from the recorded request"), replaying("first_page") as transport:
        call("sync", transport, **arguments)


def test_a_different_key_method_or_host_is_an_error() -> None:
    url = "https://api.pictify.io/bindings?limit=2"
    for method, target, key in (
        ("GET", url, "pic_live_other"),
        ("POST", url, "pic_live_of_the_recordings"),
        ("GET", "https://example.com/bindings?limit=2", "pic_live_of_the_recordings"),
        ("GET", f"{url}&limit=2", "pic_live_of_the_recordings"),
    ):
        with (
            pytest.raises(AssertionError),
            replaying("first_page") as transport,
            httpx.Client(transport=transport) as it,
        ):
            it.request(method, target, headers={"Authorization": f"Bearer {key}"})


def test_a_recording_is_played_once_and_must_be_played() -> None:
    with pytest.raises(AssertionError, match="unexpected request"), replaying("first_page") as transport:
        call("sync", transport, limit=2)
        call("sync", transport, limit=2)
    with pytest.raises(AssertionError, match="not requested"), replaying("first_page"):
        pass


def test_recordings_can_be_recorded(tmp_path: Path) -> None:
    for name in LIVE:
        shutil.copy(RECORDINGS / f"{name}.json", tmp_path)
    fake = FakePictify(bindings=5)
    fake.bindings[0]["dataSource"]["headers"] = {"X-Token": "sesame"}
    fake.bindings[0]["dataSource"]["url"] = "https://user:sesame@shop.example.com/?token=sesame"
    with serving(fake) as base_url:
        record(base_url, API_KEY, tmp_path)
    made = {name: json.loads((tmp_path / f"{name}.json").read_text("utf-8")) for name in LIVE}
    assert {name: each["response"]["status"] for name, each in made.items()} == {
        name: 401 if name == "unauthorized" else 200 for name in LIVE
    }
    assert made["last_page"]["request"]["query"] == {"limit": "2", "page": "3"}
    assert len(made["last_page"]["response"]["body"]["bindings"]) == 1
    assert made["empty_list"]["response"]["body"]["bindings"] == []
    assert (
        made["filtered_by_template"]["response"]["body"]["bindings"][0]["templateId"] == fake.bindings[0]["templateId"]
    )
    assert made["unauthorized"]["request"] == recording("unauthorized")["request"]
    for each in made.values():
        assert each["request"]["headers"] == {"authorization": "Bearer [key]"}
        assert "sesame" not in json.dumps(each)
        assert API_KEY not in json.dumps(each)


def test_an_account_without_bindings_cannot_be_recorded(tmp_path: Path) -> None:
    with serving(FakePictify(bindings=0)) as base_url, pytest.raises(RuntimeError, match="must have a binding"):
        record(base_url, API_KEY, tmp_path)


def test_secrets_are_scrubbed() -> None:
    assert scrubbed(
        {
            "url": "https://u:p@example.com/a?api_key=S1&access_token=S2",
            "auth": {"apiKey": "S3"},
            "header": "Bearer abc",
            "headers": {"Authorization": "Bearer x", "Accept": "y"},
            "credentials": "x",
            "secret": None,
            "note": ["the key pic_live_123 and whsec_45", 7],
        }
    ) == {
        "url": "https://[scrubbed]example.com/a?api_key=[scrubbed]&access_token=[scrubbed]",
        "auth": {"apiKey": "[scrubbed]"},
        "header": "Bearer [scrubbed]",
        "headers": {"Authorization": "[scrubbed]", "Accept": "[scrubbed]"},
        "credentials": "[scrubbed]",
        "secret": None,
        "note": ["the key [scrubbed] and [scrubbed]", 7],
    }
