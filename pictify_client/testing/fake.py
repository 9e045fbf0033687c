"""The stand-in: no I/O, and no clock but its own."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate
from threading import Lock
from typing import Any, Final, Unpack
from urllib.parse import parse_qsl, urlsplit

import httpx

from .._runtime.operations import Operation
from ..api import SERVER
from ..client import AsyncPictify, Pictify
from ._account import Account
from ._batches import Batches
from ._bindings import Bindings, Subscriptions
from ._experiments import Experiments
from ._faults import Faults, fault
from ._limits import VERIFIED_ONLY, Minute
from ._renders import Renders
from ._requests import Found, arguments, find
from ._responses import FakeResponse, Rejected, json_response, rejected, route_not_found
from ._templates import Templates
from ._transport import ClientOptions, async_client, client
from ._usage import Usage
from ._videos import Videos
from ._workflows import Workflows
from .clock import FakeClock
from .received import ReceivedRequest, received
from .webhooks import WebhookDelivery, delivery

__all__ = ("API_KEY", "FakePictify", "FakeResponse")

API_KEY: Final = f"pic_live_{'0123456789abcdef' * 4}"
"""The API key that the fake accepts by default."""

_HOST = urlsplit(SERVER).netloc
# Each has a method for each of its operations, of the same name.
_CONCERNS = (Templates, Renders, Batches, Bindings, Subscriptions, Experiments, Videos, Usage, Workflows)


class FakePictify(Account):
    """The Pictify API in memory, with all its operations.

    What is created can be listed, read, updated and deleted. Renders return URLs, at which `file` has a plain image of
    the right size. Errors have the form in which the live API sends them; an invalid request is rejected with the name
    of the field. Nothing waits: if a client would wait, or a batch takes its time, the `clock` is advanced.

    Args:
        bindings: How many bindings it starts with.
        api_key: The key that it takes.
        clock: Its clock and that of its clients; one of its own, unless given.

    Attributes:
        clock: Its clock, to let time pass by `fake.clock.advance(seconds)` and to see what was waited (`elapsed`).
        requests: What it was asked, in the order in which it came. Clear it as you like.
        latency: Seconds that each response takes, by the clock. A call with a shorter timeout fails.
        rate_limit: Requests per minute that it allows, with `X-RateLimit` headers in its responses; None for any number
            and no headers, as the live API has it for requests with an API key.
        upload_seconds: Seconds during which the URL of a new file returns 404.
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
        """A client for sync code, which asks this stand-in and shares its clock.

        Args:
            options: What `Pictify` takes, such as `max_retries`, `timeout`, `pacing=True` and hooks. An `api_key` other
                than that of the stand-in is refused, as by the API.
        """
        return client(self, options)

    def async_client(self, **options: Unpack[ClientOptions]) -> AsyncPictify:
        """A client for asyncio and trio, which asks this stand-in and shares its clock; any event loop may use it.

        Args:
            options: What `AsyncPictify` takes, as for `client`.
        """
        return async_client(self, options)

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
        """Let the next call fail. What is ordered several times comes in that order.

        A connection that fails before the request is sent (`httpx.ConnectError`, `httpx.ConnectTimeout`) leaves no
        trace. With any other failure of it (`httpx.ReadTimeout`, `httpx.ReadError`) the request arrives, and is done,
        and the response is lost. A timeout takes as long as the client allows, by the clock.

        Args:
            failure: The status of the response, or the error of the connection.
            times: How many calls fail; a retry is one more.
            retry_after: The response's `Retry-After`, in seconds.
            code: The code in the response, such as `quota_exceeded`.
            retriable: Whether the response says that the request may be repeated; a 503 says so by default.
            operation: Only calls of this operation fail, by the contract's name, such as `POST /image`.

        Raises:
            TypeError, ValueError: One of the arguments cannot be right.
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
        """A webhook as Pictify sends it, signed, to test a receiver with.

        Args:
            event: What it reports, such as `render.completed`.
            data: What is said of that, by the API's names; what is left out is made up.
            secret: What it is signed with; the secret of the first active subscription to the event, unless given.
            age: How many seconds ago it was signed; receivers refuse what is too old.

        Raises:
            LookupError: There is no secret, as nothing is subscribed to the event.
        """
        with self._lock:
            return delivery(self, event, data or {}, secret, age)

    def respond(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> FakeResponse:
        """Respond to a request. Concurrent requests are handled one after the other.

        Args:
            method: Such as `GET`.
            target: Path and query, such as `/bindings?limit=5`; or a URL, of the API or of a file.
            headers: Request headers, their names in lower case.
            body: Request body.

        Raises:
            httpx.TransportError: `fail_next` was told so.
        """
        url = urlsplit(target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        with self._lock:
            self.catch_up()
            is_file = method == "GET" and url.netloc != _HOST and self.files.serves(url)
            found = Found(None, {}) if is_file else find(method, url.path)
            operation = None if found.route is None else str(found.route.operation)
            ordered = self._faults.take(operation)
            ordered.happen(before=True)
            if not is_file and url.netloc not in ("", _HOST):
                raise httpx.ConnectError(f"the fake API has no file at {url.scheme}://{url.netloc}{url.path}")
            self.requests.append(received(operation, method, url.path, query, headers, body))
            response = ordered.response
            if response is None and is_file:
                response = self.files.respond(url)
            if response is None:
                try:
                    response = self._respond(method, url.path, found, query, headers, body)
                except Rejected as rejection:
                    response = rejection.response
            ordered.happen(before=False)
        return response._replace(headers={"date": formatdate(self.clock.time(), usegmt=True), **response.headers})

    def _on_time_passed(self) -> None:
        with self._lock:
            self.catch_up()

    def _respond(
        self,
        method: str,
        path: str,
        found: Found,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
    ) -> FakeResponse:
        if found.route is None:
            raise route_not_found(method, path)
        name, operation, _ = found.route
        key_in_query = any(parameter.name == "token" for parameter in operation.query_parameters)
        is_known = headers.get("authorization") == f"Bearer {self.api_key}" or (
            key_in_query and query.get("token") == self.api_key
        )
        if operation.needs_key and not is_known:
            raise rejected(401, "Invalid Request")
        told: dict[str, str] = {}
        if operation.needs_key and self.rate_limit is not None:
            told = self._minute.take(self.rate_limit)
        try:
            response = self._done(name, operation, found.path, query, headers, body)
        except Rejected as rejection:
            response = rejection.response
        return response._replace(headers={**response.headers, **told})

    def _done(
        self,
        name: str,
        operation: Operation[Any],
        path: Mapping[str, str],
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
    ) -> FakeResponse:
        """The response to a request that is allowed, by the method that is called as its operation is."""
        handler = next((getattr(concern, name) for concern in self._concerns if hasattr(concern, name)), None)
        if handler is None:
            raise rejected(501, f"the stand-in has no response to {operation}")
        if name in VERIFIED_ONLY and not self.email_verified:
            raise rejected(403, "Please verify your email address to render")
        given = arguments(operation, path, query, headers, body)
        cost = self._month.check(name, given.get("body", {}))
        response: FakeResponse | dict[str, Any] | None = handler(**given)
        self._month.charge(cost * _rendered_share(response))
        return (
            response if isinstance(response, FakeResponse) else json_response(next(iter(operation.responses)), response)
        )


def _rendered_share(response: object) -> float:
    """The share of the requested files that was rendered. A layout or a size that failed costs nothing."""
    known: dict[str, Any] = response if isinstance(response, dict) else {}
    total = known.get("totalLayouts") or known.get("totalSizes")
    return 1.0 if total is None else 1 - known["totalErrors"] / total
