"""Webhooks as they arrive: the signature verified, the event read.

    from pictify_client import webhooks

    event = webhooks.parse(body, headers.get(webhooks.SIGNATURE_HEADER), secret)
    match event.data:
        case webhooks.RenderCompleted() as image:
            print(image.url)

What a receiver does with the errors:

- `WebhookVerificationError`: answer 400. It is not from Pictify, or it is too old.
- `WebhookPayloadError`: answer 500. It is from Pictify, and this version cannot read it. Pictify sends it
  again after 1 and 5 minutes, half an hour, 2 and 24 hours, which may be time enough to look into it.
- `ConfigurationError` and `TypeError`: the receiver itself is wrong. Answer 500 and mend it.

A delivery that was answered late comes again, so a receiver sees some twice. The header `X-Pictify-Delivery-Id`
tells which; it is not signed, so do nothing on its word but leave out what was done before.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from attrs import define

from .clock import Clock
from .decoding import (
    ABSENT,
    DecodeError,
    Model,
    copied,
    decode,
    format_datetime,
    integer,
    mapping,
    number,
    parse_datetime,
    parse_json,
    string,
    written,
)
from .errors import ConfigurationError, PictifyError
from .models.batch_state import BatchState
from .types import UNSET, OpenEnum, Unset

if TYPE_CHECKING:
    from typing import Self

SIGNATURE_HEADER = "X-Pictify-Signature"
"""Header that holds the signature: `t=<Unix seconds>,v1=<hex>`."""
DELIVERY_ID_HEADER = "X-Pictify-Delivery-Id"
"""Header that is the same when a delivery is sent again. It is not signed."""

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


class WebhookEventName(OpenEnum):
    """What a webhook reports.

    These are more than one can subscribe to (`models.WebhookEventType`); members of both that have the same
    value are equal.
    """

    RENDER_COMPLETED = "render.completed"
    RENDER_FAILED = "render.failed"
    BATCH_COMPLETED = "batch.completed"
    BATCH_FAILED = "batch.failed"
    BINDING_UPDATED = "binding.updated"
    BINDING_FAILED = "binding.failed"


@define(kw_only=True)
class RenderCompleted(Model):
    """Data of `render.completed`: an image, GIF or PDF was rendered."""

    url: str = ABSENT
    """Address of the file."""
    type: str | Unset = UNSET
    """Kind of file, such as `image`."""
    source: str | Unset = UNSET
    """What asked for it."""
    image_id: str | Unset = UNSET
    """Id of the file."""
    user_storage_url: str | Unset | None = UNSET
    """Address of the file in storage of the account's own; null where none is set up."""
    width: int | Unset = UNSET
    """Width in pixels."""
    height: int | Unset = UNSET
    """Height in pixels."""
    template_id: str | Unset | None = UNSET
    """Id of the template (`tmpl_...`); null where there is none."""
    user_id: str | Unset = UNSET
    """Id of the user."""
    rendered_at: datetime | Unset = UNSET
    """When it was rendered."""

    @classmethod
    def take(cls, d: dict[str, Any]) -> Self:
        """Build it from a dict that the caller gives away."""
        pop = d.pop
        self = cls.__new__(cls)
        self.url = string(pop("url", None))
        self.type = string(pop("type", None))
        self.source = string(pop("source", None))
        self.image_id = string(pop("imageId", None))
        self.user_storage_url = _or_null(string, pop("userStorageUrl", UNSET))
        self.width = integer(pop("width", None))
        self.height = integer(pop("height", None))
        self.template_id = _or_null(string, pop("templateId", UNSET))
        self.user_id = string(pop("userId", None))
        self.rendered_at = parse_datetime(pop("renderedAt", None))
        self.additional_properties = d
        return self

    def to_dict(self) -> dict[str, Any]:
        """The JSON object, by the API's names."""
        fields: dict[str, Any] = {
            "url": self.url,
            "type": self.type,
            "source": self.source,
            "imageId": self.image_id,
            "userStorageUrl": self.user_storage_url,
            "width": self.width,
            "height": self.height,
            "templateId": self.template_id,
            "userId": self.user_id,
            "renderedAt": written(self.rendered_at, format_datetime),
        }
        return self.with_additional(fields)


@define(kw_only=True)
class RenderFailed(Model):
    """Data of `render.failed`: nothing was rendered."""

    error: str = ABSENT
    """What went wrong."""
    error_code: str | Unset | None = UNSET
    """Code of what went wrong."""
    type: str | Unset = UNSET
    """Kind of file that was asked for, such as `image`."""
    template_id: str | Unset | None = UNSET
    """Id of the template (`tmpl_...`); null where there is none."""

    @classmethod
    def take(cls, d: dict[str, Any]) -> Self:
        """Build it from a dict that the caller gives away."""
        pop = d.pop
        self = cls.__new__(cls)
        self.error = string(pop("error", None))
        self.error_code = _or_null(string, pop("errorCode", UNSET))
        self.type = string(pop("type", None))
        self.template_id = _or_null(string, pop("templateId", UNSET))
        self.additional_properties = d
        return self

    def to_dict(self) -> dict[str, Any]:
        """The JSON object, by the API's names."""
        fields: dict[str, Any] = {
            "error": self.error,
            "errorCode": self.error_code,
            "type": self.type,
            "templateId": self.template_id,
        }
        return self.with_additional(fields)


@define(kw_only=True)
class BatchFinished(Model):
    """Data of `batch.completed` and `batch.failed`: a batch has ended, and `status` says how."""

    batch_id: str = ABSENT
    """Id of the batch."""
    status: BatchState = ABSENT
    """State of the batch; `partial` when some of the images failed. One of `pending`, `processing`,
    `completed`, `failed`, `partial`, `cancelled`.
    """
    template_uid: str | Unset = UNSET
    """Id of the template (`tmpl_...`)."""
    total_count: int | Unset = UNSET
    """How many images it was to render."""
    completed_count: int | Unset = UNSET
    """How many images are rendered."""
    failed_count: int | Unset = UNSET
    """How many images failed."""
    duration: float | Unset | None = UNSET
    """How long it took; the API does not say in which unit."""

    @classmethod
    def take(cls, d: dict[str, Any]) -> Self:
        """Build it from a dict that the caller gives away."""
        pop = d.pop
        self = cls.__new__(cls)
        self.batch_id = string(pop("batchId", None))
        self.status = _batch_state[v] if (v := pop("status", None)) is not None else ABSENT
        self.template_uid = string(pop("templateUid", None))
        self.total_count = integer(pop("totalCount", None))
        self.completed_count = integer(pop("completedCount", None))
        self.failed_count = integer(pop("failedCount", None))
        self.duration = _or_null(number, pop("duration", UNSET))
        self.additional_properties = d
        return self

    def to_dict(self) -> dict[str, Any]:
        """The JSON object, by the API's names."""
        fields: dict[str, Any] = {
            "batchId": self.batch_id,
            "status": written(self.status, str),
            "templateUid": self.template_uid,
            "totalCount": self.total_count,
            "completedCount": self.completed_count,
            "failedCount": self.failed_count,
            "duration": self.duration,
        }
        return self.with_additional(fields)


WebhookData: TypeAlias = RenderCompleted | RenderFailed | BatchFinished | dict[str, Any]
"""What an event says. A dict, in the API's own spelling, for those of bindings, whose fields are not documented,
and for those that this version does not know."""


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
    timestamp: datetime = ABSENT
    """When it happened."""
    data: WebhookData
    """What it was. `RenderCompleted`, `RenderFailed` or `BatchFinished`; for any other event the object as it came.
    Where none came, it is empty.
    """

    @classmethod
    def take(cls, d: dict[str, Any]) -> Self:
        """Build it from a dict that the caller gives away."""
        if d.get("event") is None:
            raise DecodeError("it holds no `event`")
        pop = d.pop
        self = cls.__new__(cls)
        self.event = _event_name[pop("event")]
        self.timestamp = parse_datetime(pop("timestamp", None))
        data: Any = pop("data", None)
        take: Callable[[Any], WebhookData] = _TAKE_DATA.get(self.event, mapping)
        self.data = take({} if data is None else data)
        self.additional_properties = d
        return self

    def to_dict(self) -> dict[str, Any]:
        """The JSON object, by the API's names."""
        fields: dict[str, Any] = {
            "event": str(self.event),
            "timestamp": written(self.timestamp, format_datetime),
            "data": self.data.to_dict() if isinstance(self.data, Model) else copied(self.data),
        }
        return self.with_additional(fields)


_event_name = WebhookEventName.by_value
_batch_state = BatchState.by_value
_TAKE_DATA: dict[str, Callable[[dict[str, Any]], WebhookData]] = {
    "render.completed": RenderCompleted.take,
    "render.failed": RenderFailed.take,
    "batch.completed": BatchFinished.take,
    "batch.failed": BatchFinished.take,
}


def parse(
    payload: bytes | bytearray | memoryview,
    signature_header: str | None,
    secret: str | Iterable[str],
    *,
    tolerance: float = 300,
    now: Callable[[], float] | None = None,
) -> WebhookEvent:
    """Verify a webhook, and read what it reports.

    Args:
        payload: The body, as it came: bytes, not parsed and dumped again.
        signature_header: The header `X-Pictify-Signature`; None where there is none.
        secret: The subscription's secret (`whsec_...`), or several, of which any will do.
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
    verify(body, signature_header, secret, tolerance=tolerance, now=now)
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
    signature_header: str | None,
    secret: str | Iterable[str],
    *,
    tolerance: float = 300,
    now: Callable[[], float] | None = None,
) -> None:
    """Verify that a webhook is Pictify's, and of now. `parse` does so too, and reads it.

    Args:
        payload: The body, as it came: bytes, not parsed and dumped again.
        signature_header: The header `X-Pictify-Signature`; None where there is none.
        secret: The subscription's secret (`whsec_...`), or several, of which any will do: the old and the new one
            while they change, or those of all subscriptions that report to the same address.
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
    time, signatures = _parts(signature_header)
    # All are compared, to the end, whatever comes of it: how long it takes tells nothing.
    matches = [
        hmac.compare_digest(expected, signature)
        for expected in [_digest(key, time, body) for key in keys]
        for signature in signatures
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
            f"it was signed {when}, and {tolerance:g} are allowed: it is an old one sent again, or the clock is wrong"
        )


def sign(payload: bytes | bytearray | memoryview, secret: str, *, timestamp: int) -> str:
    """Sign a webhook as Pictify does, to test a receiver.

    Args:
        payload: The body.
        secret: The secret to sign with.
        timestamp: When it is signed, in whole Unix seconds, 0 or more.

    Returns:
        The header `X-Pictify-Signature`.

    Raises:
        ConfigurationError: The secret is empty.
        ValueError: The timestamp is not whole, negative or absurd.
        TypeError: The payload is not bytes, or the secret not a string.
    """
    time = str(timestamp)
    if not _TIME.fullmatch(time):
        raise ValueError(f"timestamp must be whole Unix seconds, 0 or more, got {time}")
    (key,) = _keys([secret])
    return f"t={time},v1={_digest(key, time, _body(payload)).hex()}"


def _or_null(read: Callable[[object], Any], value: object) -> Any:
    return value if value is None or value is UNSET else read(value)


def _digest(key: bytes, time: str, body: bytes) -> bytes:
    mac = hmac.new(key, f"{time}.".encode(), "sha256")
    mac.update(body)
    return mac.digest()


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
    if not secrets or not all(secrets):
        raise ConfigurationError(
            "the webhook secret is missing or empty: give the `secret` (`whsec_...`) that came when the subscription "
            "was made; what is signed with none could be anyone's"
        )
    # Half a character, as of an environment in another encoding, is in no secret of Pictify's; an error would show it.
    return [each.encode("utf-8", "surrogatepass") for each in secrets]


def _parts(header: object) -> tuple[str, list[bytes]]:
    """The time and the signatures of a header."""
    if not isinstance(header, str | None):
        raise _malformed(f"it must be a string, got {type(header).__name__}")
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
