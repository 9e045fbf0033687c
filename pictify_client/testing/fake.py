"""The fake API: without I/O, and with a clock of its own."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate
from threading import Lock
from typing import Any, Final, Unpack
from urllib.parse import parse_qsl, urlsplit

import httpx

from ..api._server import SERVER
from ..client import AsyncPictify, Pictify
from ._account import Account
from ._batches import Batches
from ._bindings import Bindings, Subscriptions
from ._experiments import Experiments
from ._faults import Faults, fault
from ._limits import VERIFIED_ONLY, Minute
from ._renders import Renders
from ._requests import Found, Route, arguments, find
from ._responses import FakeResponse, Rejected, json_response, rejected, route_not_found
from ._templates import Templates
from ._transport import ClientOptions, Transport, connect
from ._usage import Usage
from ._videos import Videos
from ._workflows import Workflows
from .clock import FakeClock
from .received import ReceivedRequest, Request, received
from .webhooks import WebhookDelivery, delivery

__all__ = ("API_KEY", "FakePictify", "FakeResponse")

API_KEY: Final = f"pic_live_{'0123456789abcdef' * 4}"
"""The API key that the fake accepts by default."""

_HOST = urlsplit(SERVER).netloc
# Each has a method per operation, with its name.
_CONCERNS = (Templates, Renders, Batches, Bindings, Subscriptions, Experiments, Videos, Usage, Workflows)


class FakePictify(Account):
    """The Pictify API in memory, with all its operations.

    What is created can be listed, read, updated and deleted. Renders return URLs of plain images of the right size,
    which `client().download(url)` and `file(url)` return. Errors have the form in which the live API sends them; an
    invalid request is rejected with the name of the field. Nothing sleeps: if a client waits, it advances the `clock`.

    Args:
        bindings: Number of bindings at the start.
        api_key: The API key to accept.
        clock: Clock of the fake API and its clients. Defaults to a new one.

    Attributes:
        clock: The clock: `fake.clock.advance(seconds)` lets time pass, and `elapsed` is the sum of all waits.
        requests: The requests that were received, in their order. You may clear the list.
        latency: Seconds that each response takes, by the clock. A call with a shorter timeout fails.
        rate_limit: Requests allowed per minute, with `X-RateLimit` headers in the responses; None for any number and no
            headers, as in the live API for requests with an API key.
        email_verified: Whether the email address of the account is verified; if not, it does not render.
    """

    def __init__(self, *, bindings: int = 45, api_key: str = API_KEY, clock: FakeClock | None = None) -> None:
        super().__init__(bindings, clock or FakeClock())
        self.api_key = api_key
        self.requests: list[ReceivedRequest] = []
        self.latency: float = 0.0
        self.rate_limit: int | None = None
        self.email_verified = True
        self._minute = Minute(self.clock)
        self._faults = Faults()
        self._concerns = [concern(self) for concern in _CONCERNS]
        self._lock = Lock()
        self.clock.call_when_moved(self._on_time_passed)

    def client(self, **options: Unpack[ClientOptions]) -> Pictify:
        """Create a client for sync code. It shares the clock.

        Args:
            options: Arguments of `Pictify`, such as `max_retries`, `timeout`, `pacing=True` and hooks. Another
                `api_key` than the one of the fake API is rejected.
        """
        return connect(Pictify, httpx.Client(transport=Transport(self)), self, options)

    def async_client(self, **options: Unpack[ClientOptions]) -> AsyncPictify:
        """Create a client for asyncio and trio. It shares the clock, and any event loop may use it.

        Args:
            options: Arguments of `AsyncPictify`, as for `client`.
        """
        return connect(AsyncPictify, httpx.AsyncClient(transport=Transport(self)), self, options)

    def fail_next(
        self,
        failure: int | httpx.TransportError | type[httpx.TransportError],
        *,
        times: int = 1,
        retry_after: float | None = None,
        code: str | None = None,
        retriable: bool | None = None,
        operation: str | None = None,
    ) -> None:
        """Make the next request fail. Several failures happen in the order of the calls.

        With an error that occurs before the request is sent (`httpx.ConnectError`, `httpx.ConnectTimeout`), the request
        does not arrive. With any other error of the connection (`httpx.ReadTimeout`, `httpx.ReadError`), it arrives and
        is processed, but the response is lost. A timeout takes as long as the client allows, by the clock.

        Args:
            failure: Status code of the response, or the error of the connection.
            times: Number of requests that fail, including retries.
            retry_after: `Retry-After` of the response, in seconds.
            code: Error code in the response, such as `quota_exceeded`.
            retriable: Whether the response says that the request may be repeated. A 503 does by default.
            operation: Let only requests of this operation fail, such as `POST /image`.

        Raises:
            TypeError, ValueError: If an argument is invalid.
        """
        if times < 1:
            raise ValueError(f"times must be at least 1, got {times!r}")
        self._faults.add(fault(failure, retry_after, code, retriable, operation), times)

    def webhook(
        self,
        event: str,
        data: Mapping[str, Any] | None = None,
        *,
        secret: str | None = None,
        age: float = 0.0,
    ) -> WebhookDelivery:
        """Create a signed webhook delivery, as Pictify would post it, to test a receiver.

        Args:
            event: The event, such as `render.completed`.
            data: Fields of the event, by their names in the API. Others have example values.
            secret: Secret to sign with. Defaults to the secret of the first active subscription to the event.
            age: Seconds since the signature, in real time. Receivers reject old deliveries.

        Raises:
            LookupError: If `secret` is omitted and there is no subscription to the event.
            ValueError: If the event is unknown, and `data` is omitted.
        """
        with self._lock:
            return delivery(self, event, data or {}, secret, age)

    def respond(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> FakeResponse:
        """Respond to a request. Concurrent requests are handled one after the other.

        Args:
            method: Such as `GET`.
            target: Path and query, such as `/bindings?limit=5`; or a URL, of the API or of a file.
            headers: Request headers, with names in lower case.
            body: Request body.

        Raises:
            httpx.TransportError: If `fail_next` ordered it, or the URL is of an unknown host.
        """
        url = urlsplit(target)
        request = Request(method, url.path, dict(parse_qsl(url.query, keep_blank_values=True)), headers, body)
        with self._lock:
            self.catch_up()
            is_file = method == "GET" and url.netloc != _HOST and self.files.serves(url)
            found = Found(None, {}) if is_file else find(method, url.path)
            operation = None if found.route is None else str(found.route.operation)
            ordered = self._faults.take(operation)
            ordered.happen(before=True)
            if not is_file and url.netloc not in ("", _HOST):
                raise httpx.ConnectError(f"the fake API has no file at {url.scheme}://{url.netloc}{url.path}")
            self.requests.append(received(operation, request))
            response = ordered.response
            if response is None and is_file:
                response = self.files.respond(url)
            if response is None:
                try:
                    response = self._respond(found, request)
                except Rejected as rejection:
                    response = rejection.response
            ordered.happen(before=False)
        return response._replace(headers={"date": formatdate(self.clock.time(), usegmt=True), **response.headers})

    def _on_time_passed(self) -> None:
        with self._lock:
            self.catch_up()

    def _respond(self, found: Found, request: Request) -> FakeResponse:
        if found.route is None:
            raise route_not_found(request.method, request.path)
        operation = found.route.operation
        key_in_query = any(parameter.name == "token" for parameter in operation.query_parameters)
        is_known = request.headers.get("authorization") == f"Bearer {self.api_key}" or (
            key_in_query and request.query.get("token") == self.api_key
        )
        if operation.needs_key and not is_known:
            raise rejected(401, "Invalid Request")
        limit_headers: dict[str, str] = {}
        if operation.needs_key and self.rate_limit is not None:
            limit_headers = self._minute.take(self.rate_limit)
        try:
            response = self._handle(found.route, found.path, request)
        except Rejected as rejection:
            response = rejection.response
        return response._replace(headers={**response.headers, **limit_headers})

    def _handle(self, route: Route, path: Mapping[str, str], request: Request) -> FakeResponse:
        """The response to an authorized request, by the method with the name of its operation."""
        name, operation, _ = route
        handler = next((getattr(concern, name) for concern in self._concerns if hasattr(concern, name)), None)
        if handler is None:
            raise rejected(501, f"the fake API does not implement {operation}")
        if name in VERIFIED_ONLY and not self.email_verified:
            raise rejected(403, "Please verify your email address to render")
        given = arguments(operation, path, request)
        cost = self._month.check(name, given.get("body", {}))
        response: FakeResponse | dict[str, Any] | None = handler(**given)
        # A layout or a size that failed costs nothing.
        self._month.charge(cost * (_rendered_share(response) if isinstance(response, dict) else 1))
        return (
            response if isinstance(response, FakeResponse) else json_response(next(iter(operation.responses)), response)
        )


def _rendered_share(response: dict[str, Any]) -> float:
    """The share of the requested layouts or sizes that was rendered."""
    total = response.get("totalLayouts") or response.get("totalSizes")
    return 1.0 if total is None else 1 - response["totalErrors"] / total
