"""Webhooks: verification of signatures, and decoding of events."""

from __future__ import annotations

import copy
import email
import hashlib
import hmac
import json
import math
import pickle
import re
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import attrs
import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pictify_client import (
    BatchFinished,
    ConfigurationError,
    DecodeError,
    PictifyError,
    RenderCompleted,
    RenderFailed,
    WebhookEvent,
    WebhookEventName,
    WebhookPayloadError,
    WebhookVerificationError,
    webhooks,
)
from pictify_client._runtime.clock import Clock
from pictify_client.models import BatchState, WebhookEventType

from .replay import without_nulls
from .test_decoding import date_times, json_values, objects

NOW = 1_769_680_805
SECRET = "whsec_sesame"
BODY = b'{"event":"render.completed","timestamp":"2026-01-29T10:00:05Z","data":{"url":"https://cdn.pictify.io/a.png"}}'

# Whitespace and quotes around a secret come from the file that it was read from.
secrets = st.text(min_size=1).filter(lambda secret: bool(secret.strip().strip("\"'").strip()))
times = st.integers(0, 10**15 - 1)


def at(time: float) -> Callable[..., float]:
    def now(_: object = None) -> float:
        return time

    return now


on_time = at(NOW)


def verify(payload: Any, header: Any, secret: Any = SECRET, now: Callable[[], float] = on_time, **options: Any) -> None:
    webhooks.verify(payload, header, secret, now=now, **options)


def parse(
    payload: Any, header: Any, secret: Any = SECRET, now: Callable[[], float] = on_time, **options: Any
) -> WebhookEvent:
    return webhooks.parse(payload, header, secret, now=now, **options)


def signed(payload: bytes = BODY, secret: str = SECRET, time: int = NOW) -> str:
    return webhooks.sign(payload, secret, timestamp=time)


def parsed(document: Any) -> WebhookEvent:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return parse(body, signed(body))


def rejection(header: Any, payload: bytes = BODY, secret: Any = SECRET, **options: Any) -> str:
    """The reason why `verify` and `parse` reject it."""
    messages: set[str] = set()
    functions: list[Callable[..., object]] = [verify, parse]
    for function in functions:
        with pytest.raises(WebhookVerificationError) as caught:
            function(payload, header, secret, **options)
        assert caught.value.__cause__ is caught.value.__context__ is None
        messages.add(str(caught.value))
    (reason,) = messages
    return reason


# Valid signatures


def test_a_signature_is_that_of_the_documentation() -> None:
    expected = hmac.new(SECRET.encode(), b"1769680805." + BODY, hashlib.sha256).hexdigest()
    assert signed() == f"t=1769680805,v1={expected}"
    # Computed by `openssl dgst -sha256 -hmac whsec_sesame` from `1769680805.{}`.
    assert signed(b"{}") == "t=1769680805,v1=422646d4481aa9924f7b8071d94314caafd6610852907685e6d44c394f7a98f7"
    assert webhooks.SIGNATURE_HEADER == "X-Pictify-Signature"
    assert webhooks.DELIVERY_ID_HEADER == "X-Pictify-Delivery-Id"


@given(st.binary(), secrets, times)
@example(b"", "\ud800", 0)
@example(b"", " x", 10**15 - 1)
def test_a_signed_payload_is_verified(payload: bytes, secret: str, time: int) -> None:
    header = signed(payload, secret, time)
    given: list[Any] = [payload, bytearray(payload), memoryview(payload), memoryview(payload[::-1])[::-1]]
    for each in given:
        verify(each, header, secret, now=at(time))
        assert webhooks.sign(each, secret, timestamp=time) == header


@given(st.binary(min_size=1), secrets, st.data())
def test_any_changed_byte_is_rejected(payload: bytes, secret: str, data: st.DataObject) -> None:
    header = signed(payload, secret)
    place = data.draw(st.integers(0, len(payload) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != payload[place]))
    changed = payload[:place] + bytes([byte]) + payload[place + 1 :]
    assert rejection(header, changed, secret) == (
        "The signature does not match: the body is not the raw one (bytes, not parsed and dumped again), or the "
        "secret is that of another subscription"
    )
    for cut in (payload[:place], payload + b"\n"):
        with pytest.raises(WebhookVerificationError):
            verify(cut, header, secret)


@given(secrets, st.data())
def test_any_changed_character_of_the_header_is_rejected(secret: str, data: st.DataObject) -> None:
    header = signed(BODY, secret)
    place = data.draw(st.integers(0, len(header) - 1))
    character = data.draw(st.characters() | st.sampled_from("0123456789abcdef,=tv1 "))
    changed = header[:place] + character + header[place + 1 :]
    if changed.lower() != header:
        rejection(changed, BODY, secret)


@given(secrets, secrets)
def test_another_secret_is_rejected(secret: str, other: str) -> None:
    # HMAC pads short keys with zeros.
    plain = [each.strip().strip("\"'").strip().rstrip("\0") for each in (secret, other)]
    if plain[0] != plain[1] and len(secret) + len(other) < 16:
        rejection(signed(BODY, secret), BODY, other)


@given(st.lists(secrets, max_size=3), st.lists(secrets, max_size=3), secrets)
def test_any_of_several_secrets_is_accepted(before: list[str], after: list[str], secret: str) -> None:
    several = [*before, secret, *after]
    given: list[Any] = [several, tuple(several), set(several), iter(several), (each for each in several)]
    for each in given:
        verify(BODY, signed(BODY, secret), each)


def test_any_of_several_signatures_is_accepted() -> None:
    time, right = signed().split(",")
    _, wrong = signed(b"else").split(",")
    for header in (
        f"{time},{wrong},{right}",
        f"{time},{right},{wrong}",
        f"{right},{time}",
        f"{time}, {right}",
        f" {time}\t,\t{right} ",
        f"v0=x,{time},v2=ff,{right},of=the=future,empty=",
        f"{time},{right[:3]}{right[3:].upper()}",
        f"{time},{right}" + f",{wrong}" * 57,
    ):
        verify(BODY, header)
        verify(BODY, header, ["whsec_old", SECRET])
        verify(BODY, header, [SECRET, "whsec_new"])
        rejection(header, BODY, ["whsec_old", "whsec_new"])
    rejection(f"{time},{wrong},{wrong}")
    rejection(f"{time},v0={right[3:]},{wrong}")


class FrameworkHeaders:
    """Headers that are not a mapping, like Werkzeug's."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def items(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)


HEADERS: dict[str, Callable[[str, str], Any]] = {
    "mapping": lambda name, value: {"Content-Type": "application/json", name: value},
    "lower case": lambda name, value: {name.lower(): value},
    "WSGI environment": lambda name, value: {f"HTTP_{name.upper().replace('-', '_')}": value, "wsgi.input": object()},
    "ASGI scope": lambda name, value: [(b"host", b"x"), (name.lower().encode(), value.encode())],
    "values of all lines": lambda name, value: {"host": ["x"], name: [value]},
    "Werkzeug": lambda name, value: FrameworkHeaders([("Host", "x"), (name, value)]),
    "httpx": lambda name, value: httpx.Headers({name: value}),
    "standard library": lambda name, value: email.message_from_string(f"Host: x\n{name}: {value}\n\n"),
    "a generator": lambda name, value: (pair for pair in [(name, value)]),
}


@pytest.mark.parametrize("form", HEADERS)
@pytest.mark.parametrize("prefix", ["X-Pictify", "X-Webhook"])
def test_headers_of_all_frameworks_are_accepted(form: str, prefix: str) -> None:
    make = HEADERS[form]
    verify(BODY, make(f"{prefix}-Signature", signed()))
    assert parse(BODY, make(f"{prefix}-Signature", signed())).event == "render.completed"
    assert "is missing or empty" in rejection(make(f"{prefix}-Other", signed()))
    assert webhooks.delivery_id(make(f"{prefix}-Delivery-Id", "d1")) == "d1"
    assert webhooks.delivery_id(make(f"{prefix}-Signature", "d1")) is None


def test_the_value_of_the_header_is_accepted_too() -> None:
    for value in (signed(), signed().encode(), [signed()], (signed().encode(),)):
        verify(BODY, value)
    assert webhooks.delivery_id(None) is None


def test_whitespace_and_quotes_around_a_secret_are_ignored() -> None:
    for secret in (f"{SECRET}\n", f" {SECRET}", f'"{SECRET}"', f"'{SECRET}'\r\n", ["whsec_old", f'"{SECRET}"\n']):
        verify(BODY, signed(), secret)
    # They may also be a part of the secret.
    verify(BODY, signed(secret=f'"{SECRET}"'), f'"{SECRET}"')
    rejection(signed(), BODY, f'"x{SECRET}"')


# Invalid signatures


MALFORMED: list[tuple[Any, str]] = [
    (None, "The header X-Pictify-Signature is missing or empty"),
    ("", "The header X-Pictify-Signature is missing or empty"),
    (b"", "The header X-Pictify-Signature is missing or empty"),
    ([], "The header X-Pictify-Signature is missing or empty"),
    ({}, "The header X-Pictify-Signature is missing or empty"),
    ({"X-Other": signed()}, "The header X-Pictify-Signature is missing or empty"),
    ([(b"x-other", b"x")], "The header X-Pictify-Signature is missing or empty"),
    ([signed(), signed()], "it must have one `t`, and has 2"),
    ({"X-Pictify-Signature": 7}, "it must be a string, got int"),
    (0, "it must be a string, got int"),
    (" ", "it is not a list of `name=value`"),
    (",", "it is not a list of `name=value`"),
    ("t", "it is not a list of `name=value`"),
    (signed() + ",", "it is not a list of `name=value`"),
    (signed() + ",v1", "it is not a list of `name=value`"),
    (signed() + ",=1", "it is not a list of `name=value`"),
    (signed().replace(",", ";"), "its `t` is not a Unix time in seconds"),
    ("v1=" + "0" * 64, "it must have one `t`, and has 0"),
    ("X" + signed(), "it must have one `t`, and has 0"),
    (f"t={NOW}," + signed(), "it must have one `t`, and has 2"),
    (f"t={NOW}", "it has no `v1`"),
    (f"t={NOW},v2=" + "0" * 64, "it has no `v1`"),
    (f"t={NOW},V1=" + "0" * 64, "it has no `v1`"),
    *((f"t={time},v1=" + "0" * 64, "its `t` is not a Unix time in seconds") for time in ("", "-1", "1.5", "1e9", "0x1", "+1", " 1", "1 2", "1_0", "1" * 16, "now", "nan")),
    *((f"t={NOW},v1={hexadecimal}", "its `v1` is not 64 hexadecimal digits") for hexadecimal in ("", "0" * 63, "0" * 65, "0" * 62, "g" * 64, "0x" + "0" * 62, "00 " * 21 + "0", " " + "0" * 64, "0" * 64 + "\n", "=" + "0" * 64)),
    (signed() + ",v1=short", "its `v1` is not 64 hexadecimal digits"),
    (signed() + ",n=é", "it is not ASCII"),
    (signed().replace("1", "\N{FULLWIDTH DIGIT ONE}"), "it is not ASCII"),
    (signed() + ",n=" + "\ud800", "it is not ASCII"),
    ((signed() + ",n=é").encode(), "it is not ASCII"),
    ("x" * 4097, "it has more than 4096 characters"),
    (signed() + ",v1=" + "0" * 10_000_000, "it has more than 4096 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("header", "reason"), MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_header_is_rejected_with_the_reason(header: Any, reason: str) -> None:
    message = rejection(header)
    assert message == (reason if " missing " in reason else f"The header X-Pictify-Signature is malformed: {reason}")
    assert "sesame" not in message


def test_the_length_of_the_header_is_limited() -> None:
    header = signed() + ",n="
    verify(BODY, header + "x" * (4096 - len(header)))
    assert "more than" in rejection(header + "x" * (4097 - len(header)))


pieces = st.sampled_from(["t=", "v1=", "v0=", ",", "=", "0" * 64, str(NOW), "ff", "é", "\0", " ", signed()]) | st.text()
anything = st.none() | st.text() | st.lists(pieces).map("".join) | st.binary() | json_values


@given(anything)
@example(f"t={'9' * 4000},v1={'0' * 64}")
def test_any_header_is_valid_or_raises_the_documented_error(header: Any) -> None:
    try:
        verify(BODY, header)
    except WebhookVerificationError as error:
        assert isinstance(error, PictifyError)
    else:
        assert signed()[:12] in header


# Timestamps


@pytest.mark.parametrize(
    ("options", "latest"), [({}, 300), ({"tolerance": 300}, 300), ({"tolerance": 0}, 0), ({"tolerance": 0.5}, 0.5)]
)
def test_a_webhook_is_valid_until_the_last_second_of_the_tolerance(options: dict[str, Any], latest: float) -> None:
    for age in (-latest, 0, latest):
        verify(BODY, signed(), now=at(NOW + age), **options)
        assert parse(BODY, signed(), now=at(NOW + age), **options).event == "render.completed"
    for age in (-latest - 0.001, latest + 0.001):
        reason = rejection(signed(), now=at(NOW + age), **options)
        assert reason.endswith(f", and {latest:g} are allowed: it was replayed, or a clock is wrong")


def test_the_error_has_the_difference_of_the_clocks() -> None:
    assert rejection(signed(), now=at(NOW + 400.4)).startswith(
        "The webhook was signed 400 seconds ago, and 300 are allowed"
    )
    assert rejection(signed(), now=at(NOW - 400.4)).startswith(
        "The webhook was signed 400 seconds ahead of this clock, and"
    )
    assert "0 seconds ahead" in rejection(signed(), now=at(NOW - 0.25), tolerance=0)
    assert "1 seconds ago" in rejection(signed(), now=at(NOW + 0.75), tolerance=0)


def test_a_forged_timestamp_is_rejected() -> None:
    old = signed(time=NOW - 301)
    assert "ago" in rejection(old)
    assert "does not match" in rejection(old.replace(str(NOW - 301), str(NOW)))


def test_any_age_can_be_allowed() -> None:
    verify(BODY, signed(time=0), tolerance=math.inf)
    verify(BODY, signed(time=10**15 - 1), tolerance=math.inf)


def test_a_clock_that_returns_nan_rejects_everything() -> None:
    rejection(signed(), now=at(math.nan))
    rejection(signed(), now=at(math.inf))


def test_the_default_clock_is_the_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "time", at(NOW + 300))
    webhooks.verify(BODY, signed(), SECRET)
    assert webhooks.parse(BODY, signed(), SECRET).event == "render.completed"
    monkeypatch.setattr(Clock, "time", at(NOW + 301))
    with pytest.raises(WebhookVerificationError, match="301 seconds ago"):
        webhooks.verify(BODY, signed(), SECRET)
    with pytest.raises(WebhookVerificationError, match="301 seconds ago"):
        webhooks.parse(BODY, signed(), SECRET)


# Mistakes of the receiver


@pytest.mark.parametrize("payload", ["text", "", None, {"event": "x"}, [1], 7])
def test_a_payload_that_is_not_bytes_is_an_error(payload: Any) -> None:
    reason = f"payload must be bytes, got {type(payload).__name__}: pass the raw body"
    calls: list[Callable[[], object]] = [
        lambda: verify(payload, signed()),
        lambda: parse(payload, signed()),
        lambda: webhooks.sign(payload, SECRET, timestamp=NOW),
    ]
    for call in calls:
        with pytest.raises(TypeError) as caught:
            call()
        assert str(caught.value) == reason


NO_SECRETS: list[Any] = [
    "",
    " \n",
    '""',
    None,
    [],
    (),
    iter(()),
    [""],
    [None],
    [SECRET, ""],
    ["", SECRET],
    [SECRET, None],
]


@pytest.mark.parametrize("secret", NO_SECRETS, ids=range(len(NO_SECRETS)))
def test_without_a_secret_nothing_is_verified(secret: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        verify(BODY, None, secret)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value) == (
        "The webhook secret is missing or empty: pass the `secret` that was returned when the subscription was created. "
        "Anyone could sign with an empty secret"
    )


@pytest.mark.parametrize("secret", ["", None])
def test_without_a_secret_nothing_is_signed(secret: Any) -> None:
    with pytest.raises(ConfigurationError, match="secret is missing or empty"):
        webhooks.sign(BODY, secret, timestamp=NOW)


def test_a_secret_that_is_not_a_string_is_an_error() -> None:
    wrong: list[tuple[Any, str]] = [(b"sesame", "bytes"), (7, "int"), ([b"sesame"], "bytes"), ([SECRET, 7], "int")]
    # The keys of a mapping are not secret.
    wrong += [({"current": SECRET}, "dict"), (httpx.Headers({"x-secret": SECRET}), "Headers")]
    for secret, kind in wrong:
        with pytest.raises(TypeError) as caught:
            verify(BODY, signed(), secret)
        assert str(caught.value) == f"secret must be a string or several strings, got {kind}"
    several: Any = [SECRET, SECRET]
    with pytest.raises(TypeError, match="got list"):
        webhooks.sign(BODY, several, timestamp=NOW)


@pytest.mark.parametrize("tolerance", [-1, -0.001, math.nan, -math.inf])
def test_an_invalid_tolerance_is_an_error(tolerance: float) -> None:
    with pytest.raises(ConfigurationError) as caught:
        verify(BODY, signed(), tolerance=tolerance)
    assert str(caught.value) == f"tolerance must be a number of seconds, 0 or more, got {tolerance!r}"


@pytest.mark.parametrize("timestamp", [-1, 1.5, 10**15, None, "now"])
def test_an_invalid_timestamp_is_an_error(timestamp: Any) -> None:
    with pytest.raises(
        ValueError, match=re.escape("timestamp must be an integer of Unix seconds from 0, got ")
    ) as caught:
        webhooks.sign(BODY, SECRET, timestamp=timestamp)
    assert str(caught.value).endswith(f"got {timestamp}")


def failures() -> Iterator[BaseException]:
    half: str = SECRET + "\ud800"
    several: Any = [SECRET, None]
    number: Any = [SECRET, 7]
    raw: Any = SECRET.encode()
    text: Any = BODY.decode()
    calls: list[Callable[[], object]] = [
        *(lambda header=header: verify(BODY, header) for header, _ in MALFORMED),
        lambda: verify(BODY, signed(b"else")),
        lambda: verify(BODY, signed(b"else"), half),
        lambda: verify(BODY, signed(), several),
        lambda: verify(BODY, signed(), number),
        lambda: verify(BODY, signed(), raw),
        lambda: verify(text, signed()),
        lambda: verify(BODY, signed(), now=at(0)),
        lambda: verify(BODY, signed(), tolerance=-1),
        lambda: parsed(b"{"),
        lambda: parsed([]),
        lambda: webhooks.sign(BODY, SECRET, timestamp=-1),
    ]
    for call in calls:
        with pytest.raises((PictifyError, TypeError, ValueError)) as caught:
            call()
        yield caught.value


def test_no_error_contains_the_secret() -> None:
    for error in failures():
        shown = [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)]
        shown.append(repr(pickle.dumps(error)))
        for part in (error.__cause__, error.__context__):
            shown += [str(part), repr(part), repr(getattr(part, "object", None))]
        # A traceback contains lines of this file, which contain no secret.
        assert "sesame" not in "\n".join(shown)


# Decoding

COMPLETED = {
    "type": "image",
    "source": "api",
    "imageId": "img_1",
    "url": "https://cdn.pictify.io/a.png",
    "userStorageUrl": None,
    "width": 600,
    "height": 315,
    "templateId": "tmpl_1",
    "userId": "user_1",
    "renderedAt": "2026-01-29T10:00:04Z",
}
FAILED = {
    "type": "image",
    "templateId": None,
    "error": "the data source responded with 503",
    "errorCode": "fetch_failed",
}
BATCH = {
    "batchId": "batch_1",
    "templateUid": "tmpl_1",
    "status": "partial",
    "totalCount": 3,
    "completedCount": 2,
    "failedCount": 1,
    "duration": 1234,
}


def document(event: str, data: Any, **more: Any) -> dict[str, Any]:
    return {"event": event, "timestamp": "2026-01-29T10:00:05Z", "data": data, **more}


def test_a_completed_render_is_decoded() -> None:
    event = parsed(document("render.completed", COMPLETED))
    assert event == WebhookEvent(
        event=WebhookEventName.RENDER_COMPLETED,
        timestamp=datetime(2026, 1, 29, 10, 0, 5, tzinfo=UTC),
        data=RenderCompleted(
            type="image",
            source="api",
            image_id="img_1",
            url="https://cdn.pictify.io/a.png",
            user_storage_url=None,
            width=600,
            height=315,
            template_id="tmpl_1",
            user_id="user_1",
            rendered_at=datetime(2026, 1, 29, 10, 0, 4, tzinfo=UTC),
        ),
    )
    assert event.to_dict() == without_nulls(document("render.completed", COMPLETED))


def test_a_failed_render_is_decoded() -> None:
    event = parsed(document("render.failed", FAILED))
    assert event.event is WebhookEventName.RENDER_FAILED
    assert event.data == RenderFailed(
        type="image", template_id=None, error="the data source responded with 503", error_code="fetch_failed"
    )
    assert event.to_dict() == without_nulls(document("render.failed", FAILED))


@pytest.mark.parametrize("name", ["batch.completed", "batch.failed"])
def test_a_batch_is_decoded(name: str) -> None:
    event = parsed(document(name, BATCH))
    assert event.event is WebhookEventName(name)
    assert event.data == BatchFinished(
        batch_id="batch_1",
        template_uid="tmpl_1",
        status=BatchState.PARTIAL,
        total_count=3,
        completed_count=2,
        failed_count=1,
        duration=1234,
    )
    assert event.to_dict() == document(name, BATCH)


@pytest.mark.parametrize("name", ["binding.updated", "binding.failed", "template.deleted", "Render.Completed", ""])
def test_undocumented_data_is_kept_unchanged(name: str) -> None:
    data = {"bindingUid": "bind_1", "nested": {"a": [None, 1]}}
    event = parsed(document(name, data))
    assert event.event == name
    assert event.event.is_known is name.startswith("binding.")
    assert event.data == data
    written = event.to_dict()
    assert written == document(name, data)
    written["data"]["nested"]["a"].clear()
    assert event.data == data


def test_unknown_values_and_fields_are_kept() -> None:
    sent = document("batch.completed", {**BATCH, "status": "paused", "cost": 7}, id="evt_1")
    event = parsed(sent)
    assert isinstance(event.data, BatchFinished)
    assert event.data.status
    assert (event.data.status, event.data.status.is_known) == ("paused", False)
    assert event.data.additional_properties == {"cost": 7}
    assert event.additional_properties == {"id": "evt_1"}
    assert event.to_dict() == sent
    for model, name, more in (
        (RenderCompleted, "render.completed", COMPLETED),
        (RenderFailed, "render.failed", FAILED),
    ):
        read = parsed(document(name, {**more, "of": "tomorrow"})).data
        assert isinstance(read, model)
        assert read.additional_properties == {"of": "tomorrow"}


@pytest.mark.parametrize(
    ("name", "fields"), [("render.completed", COMPLETED), ("render.failed", FAILED), ("batch.failed", BATCH)]
)
def test_null_and_missing_fields_are_none(name: str, fields: dict[str, Any]) -> None:
    event = parsed({"event": name, "timestamp": None, "data": dict.fromkeys(fields)})
    assert event.timestamp is None
    assert event.to_dict() == {"event": name, "data": {}}
    empty: list[dict[str, Any]] = [{}, {"data": None}, {"data": {}}]
    for nothing in empty:
        event = parsed({"event": name, **nothing})
        assert event.to_dict() == {"event": name, "data": {}}
        assert not isinstance(event.data, dict)
        assert all(value is None for value in attrs.asdict(event.data).values() if value != {})


@pytest.mark.parametrize("name", ["templateId", "userStorageUrl", "errorCode"])
def test_nullable_fields_may_be_strings(name: str) -> None:
    for event in ("render.completed", "render.failed"):
        sent = document(event, {name: "x"})
        assert parsed(sent).to_dict() == sent
        if name == "templateId":
            assert getattr(parsed(sent).data, "template_id") == "x"  # noqa: B009 (of either class)


def test_an_unknown_event_may_have_no_data() -> None:
    assert parsed({"event": "ping"}).data == {}
    assert parsed({"event": "ping", "data": None}).data == {}


def test_events_are_matched_by_their_class_or_their_name() -> None:
    def describe(event: WebhookEvent) -> str | None:
        match event.data:
            case RenderCompleted(url=url):
                return url
            case RenderFailed(error=error):
                return error
            case BatchFinished() as batch:
                return batch.status
            case data:
                return f"{event.event} {data['uid']}"

    assert describe(parsed(document("render.completed", COMPLETED))) == "https://cdn.pictify.io/a.png"
    assert describe(parsed(document("render.failed", FAILED))) == "the data source responded with 503"
    assert describe(parsed(document("batch.completed", BATCH))) == "partial"
    assert describe(parsed(document("binding.updated", {"uid": "b"}))) == "binding.updated b"
    match parsed(document("binding.failed", {"uid": "b"})):
        case WebhookEvent(event=WebhookEventName.BINDING_FAILED, data={"uid": uid}):
            assert uid == "b"
        case _:
            pytest.fail("the event was not matched by its name")


def test_event_names_include_those_of_subscriptions_and_batches() -> None:
    assert set(WebhookEventType) < set(WebhookEventName)
    batches = {WebhookEventName.BATCH_COMPLETED, WebhookEventName.BATCH_FAILED}
    assert set(WebhookEventName) - set(WebhookEventType) == batches
    for name in WebhookEventType:
        assert WebhookEventName(name) == str(name)


renders = objects(
    **{name: st.text() for name in ("type", "source", "imageId", "url", "userId")},
    **{name: st.none() | st.text() for name in ("userStorageUrl", "templateId")},
    **{name: st.integers() for name in ("width", "height")},
    renderedAt=date_times,
)
failed_renders = objects(
    **{name: st.text() for name in ("type", "error")},
    **{name: st.none() | st.text() for name in ("templateId", "errorCode")},
)
batches = objects(
    **{name: st.text() for name in ("batchId", "templateUid", "status")},
    **{name: st.integers() for name in ("totalCount", "completedCount", "failedCount")},
    duration=st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
)
free = st.dictionaries(st.text(), json_values)
typed = {
    "render.completed": renders,
    "render.failed": failed_renders,
    "batch.completed": batches,
    "batch.failed": batches,
}
names = st.sampled_from([*WebhookEventName]).map(str) | st.text()


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(names)
    return draw(objects(timestamp=date_times)) | {"event": name, "data": draw(typed.get(name, free))}


@given(events())
def test_a_round_trip_is_lossless(sent: dict[str, Any]) -> None:
    before = copy.deepcopy(sent)
    event = WebhookEvent.from_dict(sent)
    assert sent == before
    assert without_nulls(event.to_dict()) == without_nulls(sent)
    assert parsed(event.to_dict()) == event
    assert pickle.loads(pickle.dumps(event)) == event  # noqa: S301
    assert copy.deepcopy(event) == event


# Decoding errors

LOOP = b"[" * 100_000 + b"]" * 100_000
WRONG: list[tuple[Any, str, str]] = [
    (b"", "", "it is not JSON: Expecting value: line 1 column 1 (char 0)"),
    (b"event=render.completed", "", "it is not JSON: Expecting value: line 1 column 1 (char 0)"),
    (b'{"event": "\xff"}', "", "it is not JSON: 'utf-8' codec can't decode byte 0xff in position 11: invalid start byte"),
    ([], "", "expected an object, got an array"),
    ("ping", "", "expected an object, got a string: 'ping'"),
    (7, "", "expected an object, got a number: 7"),
    (None, "", "expected an object, got null"),
    ({}, "event", "it is missing"),
    ({"event": None, "data": {}}, "event", "expected a string, got null"),
    ({"event": 7}, "event", "expected a string, got a number: 7"),
    ({"event": []}, "event", "expected a string, got an array"),
    (document("ping", []), "data", "expected an object, got an array"),
    (document("ping", "x"), "data", "expected an object, got a string: 'x'"),
    (document("render.completed", []), "data", "expected an object, got an array"),
    (document("render.completed", "x"), "data", "expected an object, got a string: 'x'"),
    (document("render.failed", 0), "data", "expected an object, got a number: 0"),
    ({"event": "ping", "timestamp": NOW}, "timestamp", f"expected a date-time, got a number: {NOW}"),
    *((document("render.completed", {name: 7}), f"data.{name}", "expected a string, got a number: 7") for name in ("type", "source", "imageId", "url", "userStorageUrl", "templateId", "userId")),
    *((document("render.completed", {name: "7"}), f"data.{name}", "expected a number, got a string: '7'") for name in ("width", "height")),
    (document("render.completed", {"renderedAt": 7}), "data.renderedAt", "expected a date-time, got a number: 7"),
    *((document("render.failed", {name: 7}), f"data.{name}", "expected a string, got a number: 7") for name in ("type", "templateId", "error", "errorCode")),
    *((document("batch.failed", {name: 7}), f"data.{name}", "expected a string, got a number: 7") for name in ("batchId", "templateUid", "status")),
    *((document("batch.completed", {name: "7"}), f"data.{name}", "expected an integer, got a string: '7'") for name in ("totalCount", "completedCount", "failedCount")),
    (document("batch.completed", {"duration": "7"}), "data.duration", "expected a number, got a string: '7'"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "path", "reason"), WRONG, ids=range(len(WRONG)))
def test_a_signed_webhook_that_cannot_be_decoded_has_its_own_error(sent: Any, path: str, reason: str) -> None:
    with pytest.raises(WebhookPayloadError) as caught:
        parsed(sent)
    error = caught.value
    assert (error.path, error.reason) == (path, reason)
    assert str(error) == f"The webhook is signed, but {path or 'the body'}: {reason}"
    assert error.payload == (sent if isinstance(sent, bytes) else json.dumps(sent).encode())
    value: Any = None if isinstance(sent, bytes) else sent
    for step in path.split(".") if path else []:
        value = value.get(step)
    assert error.value == value
    assert error.args == (reason, path, value, error.payload)
    assert isinstance(error, PictifyError)
    assert not isinstance(error, WebhookVerificationError)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (str(again), again.payload) == (str(error), error.payload)


def test_json_that_is_nested_too_deeply_is_an_error() -> None:
    with pytest.raises(WebhookPayloadError, match="the body: it is not JSON: "):
        parsed(LOOP)


@given(json_values | st.dictionaries(st.sampled_from(["event", "timestamp", "data"]), json_values) | st.builds(document, st.sampled_from([*WebhookEventName]), json_values))  # fmt: skip
def test_any_json_is_decoded_or_is_an_error(sent: Any) -> None:
    try:
        json.dumps(parsed(sent).to_dict())
    except WebhookPayloadError as error:
        assert error.reason
    else:
        assert WebhookEvent.from_dict(sent) == parsed(sent)


def test_an_unverified_webhook_is_not_decoded() -> None:
    with pytest.raises(WebhookVerificationError):
        parse(b"no JSON", signed())


def test_events_can_be_created_for_tests_and_decoded_without_a_signature() -> None:
    event = WebhookEvent(
        event=WebhookEventName.BINDING_UPDATED, timestamp=datetime(2026, 1, 29, tzinfo=UTC), data={"a": 1}
    )
    assert event.to_dict() == {"event": "binding.updated", "timestamp": "2026-01-29T00:00:00Z", "data": {"a": 1}}
    assert parsed(event.to_dict()) == event
    with pytest.raises(DecodeError, match="event: it is missing"):
        WebhookEvent.from_dict({})


def test_the_verified_payload_is_the_decoded_one() -> None:
    body = bytearray(BODY)

    def late() -> float:
        body[:] = b"{}"
        return NOW

    assert parse(body, signed(), now=late).event == "render.completed"
