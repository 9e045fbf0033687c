"""Webhooks as they arrive: the signature verified, the event read.

    from pictify_client import webhooks

    event = webhooks.parse(request.body, request.headers, secret)
    match event.data:
        case webhooks.RenderCompleted() as image:
            print(image.url)

What a receiver does with the errors:

- `WebhookVerificationError`: respond with 400. It is not from Pictify, or too old.
- `WebhookPayloadError`: respond with 500. It is from Pictify, and this version cannot decode it. Pictify sends it
  again after 1 and 5 minutes, half an hour, 2 and 24 hours, which may be time enough to look into it.
- `ConfigurationError` and `TypeError`: the receiver is misconfigured. Respond with 500, and fix it.

A delivery that the receiver was slow to confirm is repeated. `delivery_id` returns its id, which stays the same; it is
not signed, so use it only to skip what was done before.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Self, TypeAlias, cast

from attrs import define

from ._runtime import signatures
from ._runtime.clock import Clock
from ._runtime.decoding import decode
from ._runtime.json_values import parse_json
from ._runtime.model import Model
from ._runtime.readers import mapping, parse_datetime
from .errors import ConfigurationError, DecodeError, PictifyError
from .models.batch_finished import BatchFinished
from .models.render_completed import RenderCompleted
from .models.render_failed import RenderFailed
from .models.webhook_events import DATA_READERS, WebhookData, WebhookEventName

__all__ = (
    "DELIVERY_ID_HEADER",
    "SIGNATURE_HEADER",
    "BatchFinished",
    "Headers",
    "RenderCompleted",
    "RenderFailed",
    "WebhookData",
    "WebhookEvent",
    "WebhookEventName",
    "WebhookPayloadError",
    "WebhookVerificationError",
    "delivery_id",
    "parse",
    "sign",
    "verify",
)

SIGNATURE_HEADER = signatures.HEADER
"""Header with the signature: `t=<Unix seconds>,v1=<hex>`."""
DELIVERY_ID_HEADER = "X-Pictify-Delivery-Id"
"""Header with the id of the delivery, which stays the same if the delivery is repeated. It is not signed."""
Headers: TypeAlias = Mapping[str, Any] | Iterable[Any] | str | bytes | None
"""The headers of a request, as web frameworks have them: a mapping (also of WSGI's names), or name and value pairs of
strings or bytes. The value of the one header that is needed is accepted, too."""

# Two documents of the vendor name them differently.
_SIGNATURE_HEADERS = (SIGNATURE_HEADER, "X-Webhook-Signature")
_DELIVERY_ID_HEADERS = (DELIVERY_ID_HEADER, "X-Webhook-Delivery-Id")

# Fifty signatures fit in, and no one works for long on what anyone can send.
_LONGEST_HEADER = 4096
# Fifteen digits are exact in a float, and last for thirty million years.
_TIME = re.compile("[0-9]{1,15}")
_SIGNATURE = re.compile("[0-9a-fA-F]{64}")


class WebhookVerificationError(PictifyError):
    """A webhook that is not proven to be Pictify's: its signature is missing, malformed, wrong or too old."""


class WebhookPayloadError(PictifyError):
    """A webhook that is Pictify's, and whose body cannot be read.

    Attributes:
        reason: What is wrong with it.
        path: Where in the body, such as `data.renderedAt`; empty for the body itself.
        value: What stands there, as parsed; None where the body is not JSON.
        payload: The body.
    """

    def __init__(self, reason: str, path: str, value: object, payload: bytes) -> None:
        super().__init__(reason, path, value, payload)
        self.reason = reason
        self.path = path
        self.value = value
        self.payload = payload

    def __str__(self) -> str:
        return f"the webhook is signed, but {self.path or 'its body'}: {self.reason}"


@define(kw_only=True)
class WebhookEvent(Model):
    """What a webhook reports.

    To tell events apart, match `data` by its class or `event` by its value, and give the `match` a default: the API
    may add events.
    """

    event: WebhookEventName
    """What happened. One of `render.completed`, `render.failed`, `batch.completed`, `batch.failed`,
    `binding.updated`, `binding.failed`, or what the API adds to these (`event.is_known` is False).
    """
    timestamp: datetime | None = None
    """When it happened."""
    data: WebhookData
    """What it was. `RenderCompleted`, `RenderFailed` or `BatchFinished`; for any other event the object as it came.
    Where none came, it is empty.
    """

    @classmethod
    def take(cls, d: dict[str, Any]) -> Self:
        """Build it from a dict that the caller gives away."""
        pop = d.pop
        self = cls.__new__(cls)
        self.event = _event_name[pop("event", None)]
        self.timestamp = parse_datetime(v) if (v := pop("timestamp", None)) is not None else None
        data: Any = pop("data", None)
        take: Callable[[Any], WebhookData] = DATA_READERS.get(self.event, mapping)
        self.data = take({} if data is None else data)
        self.additional_properties = d
        return self


_event_name = WebhookEventName.by_value


def parse(
    payload: bytes | bytearray | memoryview,
    headers: Headers,
    secret: str | Iterable[str],
    *,
    tolerance: float = 300,
    now: Callable[[], float] | None = None,
) -> WebhookEvent:
    """Verify a webhook, and read what it reports.

    Args:
        payload: The body, as it came: bytes, not parsed and dumped again.
        headers: The headers of the request, of which `X-Pictify-Signature` or `X-Webhook-Signature` is read; or
            the value of that header.
        secret: The secret of the subscription, or several of which one must match.
        tolerance: How many seconds the signature may be old, or ahead of this clock.
        now: What gives the Unix time in seconds; else the clock of this machine.

    Raises:
        WebhookVerificationError: It is not proven to be Pictify's, or not of now.
        WebhookPayloadError: It is Pictify's, and its body is not JSON of the shape `{event, timestamp, data}`.
        ConfigurationError: There is no secret, or the tolerance is none.
        TypeError: The payload is not bytes, or a secret not a string.
    """
    # Once, so that what is read is what was verified.
    body = _body(payload)
    verify(body, headers, secret, tolerance=tolerance, now=now)
    try:
        document = parse_json(body)
    except (ValueError, RecursionError) as error:
        raise WebhookPayloadError(f"it is not JSON: {error}", "", None, body) from None
    try:
        return decode(WebhookEvent.take, document, lambda: parse_json(body))
    except DecodeError as error:
        raise WebhookPayloadError(error.reason, error.path, error.value, body) from None


def verify(
    payload: bytes | bytearray | memoryview,
    headers: Headers,
    secret: str | Iterable[str],
    *,
    tolerance: float = 300,
    now: Callable[[], float] | None = None,
) -> None:
    """Verify that a webhook is Pictify's, and of now. `parse` does so too, and reads it.

    Args:
        payload: The body, as it came: bytes, not parsed and dumped again.
        headers: The headers of the request, of which `X-Pictify-Signature` or `X-Webhook-Signature` is read; or
            the value of that header.
        secret: The secret of the subscription, or several of which one must match: the old and the new one during a
            rotation, or those of all subscriptions with the same URL. Surrounding white space and quotes, as from
            a mounted file or an environment file, do no harm.
        tolerance: How many seconds the signature may be old, or ahead of this clock. `math.inf` takes any,
            for deliveries that were stored.
        now: What gives the Unix time in seconds; else the clock of this machine.

    Raises:
        WebhookVerificationError: The header is missing or malformed, no signature in it is by a secret of these,
            or it is too old.
        ConfigurationError: There is no secret, or the tolerance is none.
        TypeError: The payload is not bytes, or a secret not a string.
    """
    body = _body(payload)
    keys = _keys(secret)
    if not tolerance >= 0:
        raise ConfigurationError(f"tolerance must be a number of seconds, 0 or more, got {tolerance!r}")
    time, sent = _parts(_find(headers, _SIGNATURE_HEADERS))
    # All are compared, to the end, whatever comes of it: how long it takes tells nothing.
    matches = [
        hmac.compare_digest(expected, each)
        for expected in [signatures.digest(key, time, body) for key in keys]
        for each in sent
    ]
    if not any(matches):
        raise WebhookVerificationError(
            "no signature is by this secret: the body is not as it was sent (give it raw, not parsed and dumped "
            "again), or the secret is another subscription's"
        )
    age = (Clock().time() if now is None else now()) - int(time)
    # So that a clock which gives no number lets nothing in.
    if not abs(age) <= tolerance:
        when = f"{age:.0f} seconds ago" if age > 0 else f"{-age:.0f} seconds ahead of this clock"
        raise WebhookVerificationError(
            f"it was signed {when}, and {tolerance:g} are allowed: it is a replayed one, or the clock is wrong"
        )


def delivery_id(headers: Headers) -> str | None:
    """Return the id of a delivery, which stays the same if the delivery is repeated; None if it has none.

    Args:
        headers: The headers of the request, of which `X-Pictify-Delivery-Id` or `X-Webhook-Delivery-Id` is read.
    """
    return _find(headers, _DELIVERY_ID_HEADERS)


def sign(payload: bytes | bytearray | memoryview, secret: str, *, timestamp: int) -> str:
    """Sign a webhook as Pictify does, to test a receiver.

    Args:
        payload: The body.
        secret: The secret to sign with.
        timestamp: When it is signed, in Unix seconds: an integer from 0.

    Returns:
        The header `X-Pictify-Signature`.

    Raises:
        ConfigurationError: The secret is empty.
        ValueError: The timestamp is not an integer, negative or too large.
        TypeError: The payload is not bytes, or the secret not a string.
    """
    time = str(timestamp)
    if not _TIME.fullmatch(time):
        raise ValueError(f"timestamp must be an integer of Unix seconds from 0, got {time}")
    return signatures.signature(_keys([secret])[0], time, _body(payload))


def _body(payload: object) -> bytes:
    # What was a string may not have been these bytes: it is not for us to guess.
    if not isinstance(payload, bytes | bytearray | memoryview):
        raise TypeError(f"payload must be bytes, got {type(payload).__name__}: give the raw body, in bytes")
    return bytes(cast("bytes", payload))


def _keys(secret: object) -> list[bytes]:
    # No message may show what is given here.
    given: Iterable[object] = [secret]
    if isinstance(secret, Iterable) and not isinstance(secret, str | bytes):
        given = cast("Iterable[object]", secret)
    secrets: list[str] = []
    for each in given:
        if not isinstance(each, str | None):
            raise TypeError(f"secret must be a string or several, got {type(each).__name__}")
        secrets.append(each or "")
    cleaned = [each.strip().strip("\"'").strip() for each in secrets]
    if not cleaned or not all(cleaned):
        raise ConfigurationError(
            "The webhook secret is missing or empty: pass the `secret` that was returned when the subscription was "
            "created. Anyone could sign with an empty secret"
        )
    # An undecodable byte, as from an environment in another encoding, is in no secret; an error would show it.
    return [each.encode("utf-8", "surrogatepass") for each in dict.fromkeys([*secrets, *cleaned])]


def _find(headers: object, names: tuple[str, ...]) -> str | None:
    """The value of the first of these headers that is there; of what is a value itself, that."""
    if isinstance(headers, str | bytes | None):
        return _value_of(headers)
    if hasattr(headers, "items"):
        pairs = list(cast("Mapping[object, object]", headers).items())
    elif not isinstance(headers, Iterable):
        return _value_of(headers)
    else:
        lines: list[Any] = list(cast("Iterable[object]", headers))
        if not all(isinstance(line, list | tuple) and len(cast("list[object]", line)) == 2 for line in lines):
            return _value_of(lines)
        pairs = cast("list[tuple[object, object]]", lines)
    found: dict[str, object] = {}
    for name, value in pairs:
        found.setdefault(_plain_name(name), value)
    return next((_value_of(found[name.lower()]) for name in names if found.get(name.lower())), None)


def _plain_name(name: object) -> str:
    """The name of a header in lower case, also of the form that WSGI gives it."""
    text = name.decode("latin-1") if isinstance(name, bytes) else str(name)
    return text.lower().replace("_", "-").removeprefix("http-")


def _value_of(value: object) -> str | None:
    """The value of a header, which may be bytes, or a list with the values of all lines."""
    if isinstance(value, list | tuple):
        return ",".join(_value_of(each) or "" for each in cast("list[object]", value)) or None
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if not isinstance(value, str | None):
        raise _malformed(f"it must be a string, got {type(value).__name__}")
    return value


def _parts(header: str | None) -> tuple[str, list[bytes]]:
    """The time and the signatures of a header."""
    if not header:
        raise WebhookVerificationError(f"there is no signature: the header {SIGNATURE_HEADER} is missing or empty")
    if len(header) > _LONGEST_HEADER:
        raise _malformed(f"it has more than {_LONGEST_HEADER} characters")
    if not header.isascii():
        raise _malformed("it is not ASCII")
    times: list[str] = []
    signatures: list[bytes] = []
    for part in header.split(","):
        name, equals, value = part.strip(" \t").partition("=")
        if not name or not equals:
            raise _malformed("it is no list of `name=value`")
        if name == "t":
            if not _TIME.fullmatch(value):
                raise _malformed("its `t` is no Unix time in seconds")
            times.append(value)
        elif name == "v1":
            if not _SIGNATURE.fullmatch(value):
                raise _malformed("its `v1` is not 64 hexadecimal digits")
            signatures.append(bytes.fromhex(value))
        # Any other name is a scheme of the future, which is signed beside this one.
    if len(times) != 1:
        raise _malformed(f"it must have one `t`, and has {len(times)}")
    if not signatures:
        raise _malformed("it has no `v1`")
    return times[0], signatures


def _malformed(reason: str) -> WebhookVerificationError:
    return WebhookVerificationError(f"the header {SIGNATURE_HEADER} cannot be read: {reason}")
