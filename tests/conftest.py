from __future__ import annotations

import os
import ssl
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

from pictify_client._runtime import json_values
from pictify_client._runtime.clock import Clock

from .servers import CERTIFICATE, served

# No deadline: how long an example takes says more about the machine than about the code. In CI the examples are the same
# each time, so that a change does not fail for a defect that was there before.
settings.register_profile("default", max_examples=40, deadline=None, derandomize="CI" in os.environ)
settings.load_profile("default")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(_clock: Clock, seconds: float) -> None:
        assert seconds == 0, f"a test waits for {seconds} s: give the client a clock of its own, or max_retries=0"

    async def asleep(clock: Clock, seconds: float) -> None:
        sleep(clock, seconds)

    monkeypatch.setattr(Clock, "sleep", sleep)
    monkeypatch.setattr(Clock, "asleep", asleep)


@pytest.fixture(autouse=True)
def _no_extras(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    # Users without extras have the standard library; the tests of orjson say that they want it.
    if "_reader" not in request.fixturenames:
        monkeypatch.setattr(json_values, "find_orjson", lambda: None)


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PICTIFY_API_KEY", "PICTIFY_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def secure() -> Generator[Any]:
    """A server with a self-signed certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with served(tls=context) as server:
        yield server
