"""The fake API as a transport of httpx, and the clients that use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self, TypedDict, TypeVar

import httpx

from .._runtime.connections import Connections, RawResponse, SendRequest
from ..api._server import SERVER
from ..client import AsyncPictify, Pictify
from ..hooks import RequestHook, ResponseHook, RetryHook, WaitHook
from ..types import Unset
from ._responses import FakeResponse

if TYPE_CHECKING:
    from .fake import FakePictify

ClientT = TypeVar("ClientT", Pictify, AsyncPictify)

_CHUNK = 65_536
# By the name that httpx gives the error, the limit that it is about.
_PHASES = {
    httpx.ConnectTimeout: "connect",
    httpx.ReadTimeout: "read",
    httpx.WriteTimeout: "write",
    httpx.PoolTimeout: "pool",
}


class ClientOptions(TypedDict, total=False):
    """Options of the clients of a fake API: the arguments of `Pictify` that have a meaning without a network."""

    api_key: str
    timeout: float | Unset | None
    attempt_timeout: float | httpx.Timeout | Unset | None
    max_retries: int
    max_wait: float
    pacing: bool
    headers: Mapping[str, str] | None
    max_response_size: int
    on_request: RequestHook | None
    on_response: ResponseHook | None
    on_retry: RetryHook | None
    on_wait: WaitHook | None


class Transport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that passes requests to a fake API."""

    def __init__(self, fake: FakePictify) -> None:
        self._fake = fake

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Respond to a request of sync code."""
        seconds, outcome = self._outcome(request, request.read())
        if seconds:
            self._fake.clock.sleep(seconds)
        return _response(request, outcome)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Respond to a request of async code. Other tasks run meanwhile."""
        seconds, outcome = self._outcome(request, await request.aread())
        await self._fake.clock.asleep(seconds)
        return _response(request, outcome)

    def _outcome(self, request: httpx.Request, body: bytes) -> tuple[float, FakeResponse | httpx.TransportError]:
        """The response or the error of a request, and the seconds that it takes."""
        limits: Mapping[str, float | None] = request.extensions.get("timeout", {})
        headers = {name.lower(): value for name, value in request.headers.items()}
        outcome: FakeResponse | httpx.TransportError
        try:
            outcome = self._fake.respond(request.method, str(request.url), headers, body)
        except httpx.TransportError as error:
            for kind, phase in _PHASES.items():
                if isinstance(error, kind):
                    return limits.get(phase) or 0.0, error
            return 0.0, error
        latency, longest = self._fake.latency + outcome.seconds, limits.get("read")
        if longest is not None and latency > longest:
            return longest, httpx.ReadTimeout(f"the response takes {latency:g} s")
        return latency, outcome


def connect(
    kind: Callable[..., ClientT],
    http_client: httpx.Client | httpx.AsyncClient,
    fake: FakePictify,
    options: ClientOptions,
) -> ClientT:
    """Create a client of a fake API, which sends with a `http_client` that has its transport."""
    arguments: dict[str, Any] = {"api_key": fake.api_key, **options, "base_url": SERVER}
    pictify = kind(**arguments, http_client=http_client)
    pictify.client.clock = fake.clock
    vars(pictify.client)["_connections"] = _Connections(http_client, None)
    return pictify


class _Connections(Connections):
    """The connections of a client, without a deadline by the clock of the machine: the fake clock has its own."""

    def send(self, step: SendRequest) -> RawResponse:
        return super().send(step._replace(seconds=None))

    async def asend(self, step: SendRequest) -> RawResponse:
        return await super().asend(step._replace(seconds=None))


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._chunks = iter([content[start : start + _CHUNK] for start in range(0, len(content), _CHUNK)])

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    # Not a generator: one that is not exhausted would be closed by the garbage collector.
    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration


def _response(request: httpx.Request, outcome: FakeResponse | httpx.TransportError) -> httpx.Response:
    if isinstance(outcome, httpx.TransportError):
        outcome.request = request
        raise outcome
    headers = {**outcome.headers, "content-length": str(len(outcome.body))}
    return httpx.Response(outcome.status, headers=headers, stream=_Body(outcome.body), request=request)
