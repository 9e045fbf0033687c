"""Incoming webhooks: verify the signature, and decode the event.

    from pictify_client import webhooks

    event = webhooks.parse(request.body, request.headers, secret)
    match event.data:
        case webhooks.RenderCompleted() as image:
            print(image.url)

How a receiver handles the errors:

- `WebhookVerificationError`: respond with 400. The request is not from Pictify, or too old.
- `WebhookPayloadError`: respond with 500. The request is from Pictify, but this version cannot decode it. Pictify
  retries after 1 and 5 minutes, half an hour, 2 and 24 hours.
- `ConfigurationError` and `TypeError`: the receiver is misconfigured. Respond with 500, and fix it.

Pictify also retries a delivery if the response is slow. `delivery_id` returns its id, which stays the same. It is not
signed, so use it only to skip a delivery that was handled before.
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
"""The headers of a request, as web frameworks have them: a mapping (also with the names of WSGI), or pairs of name and
value as strings or bytes. The value of the signature header is accepted, too."""

# Two documents of the vendor name them differently.
_SIGNATURE_HEADERS = (SIGNATURE_HEADER, "X-Webhook-Signature")
_DELIVERY_ID_HEADERS = (DELIVERY_ID_HEADER, "X-Webhook-Delivery-Id")

# Room for fifty signatures. Anyone can send a header, so its processing must be cheap.
_LONGEST_HEADER = 4096
# Fifteen digits are exact in a float, and last for thirty million years.
_TIME = re.compile("[0-9]{1,15}")
_SIGNATURE = re.compile("[0-9a-fA-F]{64}")


class WebhookVerificationError(PictifyError):
    """A webhook could not be verified: its signature is missing, malformed, wrong or too old."""


class WebhookPayloadError(PictifyError):
    """A webhook was verified, but its body cannot be decoded.

    Attributes:
        reason: The reason why it is invalid.
        path: The place in the body, such as `data.renderedAt`; empty for the body itself.
        value: The value there; None if the body is not JSON.
        payload: The body.
    """

    def __init__(self, reason: str, path: str, value: object, payload: bytes) -> None:
        super().__init__(reason, path, value, payload)
        self.reason = reason
        self.path = path
        self.value = value
        self.payload = payload

    def __str__(self) -> str:
        return f"The webhook is signed, but {self.path or 'the body'}: {self.reason}"


@define(kw_only=True)
class WebhookEvent(Model):
    """The event that a webhook reports.

    Match `data` by its class, or `event` by its value. The `match` needs a default, since the API may add events.
    """

    event: WebhookEventName
    """Name of the event: `render.completed`, `render.failed`, `batch.completed`, `batch.failed`, `binding.updated`,
    `binding.failed`, or one that this version does not know (`event.is_known` is False).
    """
    timestamp: datetime | None = None
    """Time of the event."""
    data: WebhookData
    """Data of the event: a `RenderCompleted`, `RenderFailed` or `BatchFinished`; for any other event the JSON object,
    which is empty if there is none.
    """

    @classmethod
    def __decode__(cls, d: dict[str, Any]) -> Self:
        """Build it from a dict that the caller gives away."""
        pop = d.pop
        self = cls.__new__(cls)
        self.event = _event_name[pop("event", None)]
        self.timestamp = parse_datetime(v) if (v := pop("timestamp", None)) is not None else None
        data: Any = pop("data", None)
        read: Callable[[Any], WebhookData] = DATA_READERS.get(self.event, mapping)
        self.data = read({} if data is None else data)
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
    """Verify a webhook, and decode its event.

    Args:
        payload: The raw body, in bytes.
        headers: The headers of the request, with `X-Pictify-Signature` or `X-Webhook-Signature`; or the value of that
            header.
        secret: The secret of the subscription, or several secrets of which one must match.
        tolerance: Maximum age of the signature, and how far it may be ahead of the clock, in seconds.
        now: Returns the Unix time in seconds. Defaults to the clock of this machine.

    Returns:
        The event.

    Raises:
        WebhookVerificationError: If the signature is missing, malformed, wrong or too old.
        WebhookPayloadError: If the body is signed, but is not JSON of the form `{event, timestamp, data}`.
        ConfigurationError: If a secret is missing or empty, or the tolerance is invalid.
        TypeError: If the payload is not bytes, or a secret is not a string.
    """
    # One copy, so that the body that is decoded is the one that was verified.
    body = _body(payload)
    verify(body, headers, secret, tolerance=tolerance, now=now)
    try:
        document = parse_json(body)
    except (ValueError, RecursionError) as error:
        raise WebhookPayloadError(f"it is not JSON: {error}", "", None, body) from None
    try:
        return decode(WebhookEvent.__decode__, document, lambda: parse_json(body))
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
    """Verify the signature of a webhook. `parse` also decodes its event.

    Args:
        payload: The raw body, in bytes.
        headers: The headers of the request, with `X-Pictify-Signature` or `X-Webhook-Signature`; or the value of that
            header.
        secret: The secret of the subscription, or several secrets of which one must match: the old and the new one
            during a rotation, or those of all subscriptions with the same URL. White space and quotes around it, as in
            a mounted file or an environment file, are ignored.
        tolerance: Maximum age of the signature, and how far it may be ahead of the clock, in seconds. `math.inf`
            accepts any, for deliveries that were stored.
        now: Returns the Unix time in seconds. Defaults to the clock of this machine.

    Raises:
        WebhookVerificationError: If the signature is missing, malformed, wrong or too old.
        ConfigurationError: If a secret is missing or empty, or the tolerance is invalid.
        TypeError: If the payload is not bytes, or a secret is not a string.
    """
    body = _body(payload)
    keys = _keys(secret)
    if not tolerance >= 0:
        raise ConfigurationError(f"tolerance must be a number of seconds, 0 or more, got {tolerance!r}")
    time, sent = _parts(_find(headers, _SIGNATURE_HEADERS))
    # All are compared completely, so that the duration reveals nothing.
    matches = [
        hmac.compare_digest(expected, each)
        for expected in [signatures.digest(key, time, body) for key in keys]
        for each in sent
    ]
    if not any(matches):
        raise WebhookVerificationError(
            "The signature does not match: the body is not the raw one (bytes, not parsed and dumped again), or the "
            "secret is that of another subscription"
        )
    age = (Clock().time() if now is None else now()) - int(time)
    # In this form, NaN is rejected.
    if not abs(age) <= tolerance:
        when = f"{age:.0f} seconds ago" if age > 0 else f"{-age:.0f} seconds ahead of this clock"
        raise WebhookVerificationError(
            f"The webhook was signed {when}, and {tolerance:g} are allowed: it was replayed, or a clock is wrong"
        )


def delivery_id(headers: Headers) -> str | None:
    """Return the id of a delivery, which stays the same in retries; None if it has none.

    Args:
        headers: The headers of the request, with `X-Pictify-Delivery-Id` or `X-Webhook-Delivery-Id`.
    """
    return _find(headers, _DELIVERY_ID_HEADERS)


def sign(payload: bytes | bytearray | memoryview, secret: str, *, timestamp: int) -> str:
    """Sign a webhook as Pictify does, to test a receiver.

    Args:
        payload: The body.
        secret: The secret to sign with.
        timestamp: Time of the signature, in Unix seconds: an integer from 0.

    Returns:
        The value of the header `X-Pictify-Signature`.

    Raises:
        ConfigurationError: If the secret is empty.
        ValueError: If the timestamp is not an integer, is negative or too large.
        TypeError: If the payload is not bytes, or the secret is not a string.
    """
    time = str(timestamp)
    if not _TIME.fullmatch(time):
        raise ValueError(f"timestamp must be an integer of Unix seconds from 0, got {time}")
    return signatures.signature(_keys([secret])[0], time, _body(payload))


def _body(payload: object) -> bytes:
    # The bytes of a string that was decoded are not known.
    if not isinstance(payload, bytes | bytearray | memoryview):
        raise TypeError(f"payload must be bytes, got {type(payload).__name__}: pass the raw body")
    return bytes(cast("bytes", payload))


def _keys(secret: object) -> list[bytes]:
    # No message may show a secret.
    given: Iterable[object] = [secret]
    if isinstance(secret, Mapping):
        # Its keys are not secret. Anyone could sign with the names of headers.
        raise TypeError(f"secret must be a string or several strings, got {type(cast('object', secret)).__name__}")
    if isinstance(secret, Iterable) and not isinstance(secret, str | bytes):
        given = cast("Iterable[object]", secret)
    secrets: list[str] = []
    for each in given:
        if not isinstance(each, str | None):
            raise TypeError(f"secret must be a string or several strings, got {type(each).__name__}")
        secrets.append(each or "")
    cleaned = [each.strip().strip("\"'").strip() for each in secrets]
    if not cleaned or not all(cleaned):
        raise ConfigurationError(
            "The webhook secret is missing or empty: pass the `secret` that was returned when the subscription was "
            "created. Anyone could sign with an empty secret"
        )
    # An error for an undecodable byte, as from an environment in another encoding, would show it.
    return [each.encode("utf-8", "surrogatepass") for each in dict.fromkeys([*secrets, *cleaned])]


def _find(headers: object, names: tuple[str, ...]) -> str | None:
    """Return the value of the first of these headers that is present; `headers` may be the value itself."""
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
    """Return the name of a header in lower case, also for the names of WSGI."""
    text = name.decode("latin-1") if isinstance(name, bytes) else str(name)
    return text.lower().replace("_", "-").removeprefix("http-")


def _value_of(value: object) -> str | None:
    """Return the value of a header, which may be bytes, or a list of values."""
    if isinstance(value, list | tuple):
        return ",".join(_value_of(each) or "" for each in cast("list[object]", value)) or None
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if not isinstance(value, str | None):
        raise _malformed(f"it must be a string, got {type(value).__name__}")
    return value


def _parts(header: str | None) -> tuple[str, list[bytes]]:
    """Return the time and the signatures in a header."""
    if not header:
        raise WebhookVerificationError(f"The header {SIGNATURE_HEADER} is missing or empty")
    if len(header) > _LONGEST_HEADER:
        raise _malformed(f"it has more than {_LONGEST_HEADER} characters")
    if not header.isascii():
        raise _malformed("it is not ASCII")
    times: list[str] = []
    signatures: list[bytes] = []
    for part in header.split(","):
        name, equals, value = part.strip(" \t").partition("=")
        if not name or not equals:
            raise _malformed("it is not a list of `name=value`")
        if name == "t":
            if not _TIME.fullmatch(value):
                raise _malformed("its `t` is not a Unix time in seconds")
            times.append(value)
        elif name == "v1":
            if not _SIGNATURE.fullmatch(value):
                raise _malformed("its `v1` is not 64 hexadecimal digits")
            signatures.append(bytes.fromhex(value))
        # Other names may be future schemes.
    if len(times) != 1:
        raise _malformed(f"it must have one `t`, and has {len(times)}")
    if not signatures:
        raise _malformed("it has no `v1`")
    return times[0], signatures


def _malformed(reason: str) -> WebhookVerificationError:
    return WebhookVerificationError(f"The header {SIGNATURE_HEADER} is malformed: {reason}")
