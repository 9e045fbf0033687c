"""How many requests a rate limit allows with pacing and without. It uses a fake clock, so it does not sleep."""

from __future__ import annotations

import logging
from typing import Any

import httpx

from pictify_client import AuthenticatedClient
from pictify_client._runtime.clock import Clock
from pictify_client.api.bindings import list_bindings
from pictify_client.errors import PictifyError

from .jobs import Numbers
from .peers import KEY

_MINUTE = 60.0
_CALL = 0.02


class _Simulated(Clock):
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class _Limited:
    """A server that allows this number of requests per minute, and takes 20 ms for each."""

    def __init__(self, clock: _Simulated, limit: int) -> None:
        self._clock = clock
        self._limit = limit
        self._ends = 0.0
        self._left = 0
        self.rejected = 0

    def __call__(self, _: httpx.Request) -> httpx.Response:
        clock = self._clock
        clock.now += _CALL
        if clock.now >= self._ends:
            self._ends, self._left = clock.now + _MINUTE, self._limit
        headers = {"x-ratelimit-limit": str(self._limit), "x-ratelimit-reset": str(int(self._ends) + 1)}
        if not self._left:
            self.rejected += 1
            return httpx.Response(429, headers={**headers, "x-ratelimit-remaining": "0"}, json={"message": "slow down"})
        self._left -= 1
        headers["x-ratelimit-remaining"] = str(self._left)
        return httpx.Response(200, headers=headers, json={"bindings": []})


def paced(limit: int, *, pacing: bool, minutes: int = 5) -> Numbers:
    """Make API calls one after the other for some minutes: responses, errors and rejected requests per minute."""
    logging.getLogger("pictify_client").setLevel(logging.ERROR)
    clock = _Simulated()
    server = _Limited(clock, limit)
    succeeded = failed = 0
    with httpx.Client(transport=httpx.MockTransport(server)) as http_client:
        settings: dict[str, Any] = {"token": KEY, "base_url": "https://api.pictify.io", "pacing": pacing}
        client = AuthenticatedClient(**settings, http_client=http_client, timeout=None)
        client.clock = clock
        ends = clock.now + minutes * _MINUTE
        while clock.now < ends:
            try:
                list_bindings.sync(client=client)
            except PictifyError:
                failed += 1
            else:
                succeeded += 1
    return {"succeeded": succeeded / minutes, "failed": failed / minutes, "rejected": server.rejected / minutes}
