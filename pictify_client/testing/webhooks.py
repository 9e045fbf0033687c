"""Webhooks as Pictify sends them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from .._runtime.clock import Clock
from ..webhooks import DELIVERY_ID_HEADER, SIGNATURE_HEADER, WebhookEventName, sign
from ._account import Account, Record, make_id, matching
from ._bindings import secret_of


@frozen(kw_only=True)
class WebhookDelivery:
    """A webhook delivery, to be posted to the receiver under test.

    Attributes:
        body: Body. The signature is that of exactly these bytes.
        headers: Headers: content type, signature, event and id of the delivery.
    """

    body: bytes
    headers: dict[str, str]


def delivery(account: Account, event: str, data: Mapping[str, Any], secret: str | None, age: float) -> WebhookDelivery:
    """Create a webhook delivery; see `FakePictify.webhook`.

    Raises:
        LookupError: If there is no secret.
        ValueError: If the event is unknown, and there is no data.
    """
    if event not in WebhookEventName.by_value and not data:
        raise ValueError(
            f"{event!r} is not an event of Pictify ({', '.join(WebhookEventName)}): to test an unknown one, pass `data`"
        )
    if secret is None:
        subscribed = matching(account.all("subscriptions"), event=event, status="active")
        if not subscribed:
            raise LookupError(f"there is no active subscription to {event}: create one, or pass `secret`")
        subscribed[0]["deliveryCount"] += 1
        secret = secret_of(subscribed[0]["uid"])
    document = {"event": event, "timestamp": account.now(), "data": {**_made_up(account, event), **data}}
    body = json.dumps(document).encode()
    return WebhookDelivery(
        body=body,
        headers={
            "Content-Type": "application/json",
            # Of real time, with which the receiver compares it.
            SIGNATURE_HEADER: sign(body, secret, timestamp=int(Clock().time() - age)),
            "X-Pictify-Event": event,
            DELIVERY_ID_HEADER: account.new_id("delivery"),
        },
    )


def _made_up(account: Account, event: str) -> Record:
    """Example values for the documented fields of an event. Those of bindings are not documented."""
    template, batch_id = {"templateUid": make_id("template", 1)}, make_id("batch", 1)
    rendered: Record = {"type": "image", "templateId": None}
    match event:
        case "render.completed":
            return {
                **rendered,
                "source": "api",
                "imageId": make_id("image", 1),
                "url": account.keep("png", (1280, 720)),
                "userStorageUrl": None,
                "width": 1280,
                "height": 720,
                "format": "png",
                "variables": {},
                "userId": make_id("user", 1),
                "renderedAt": account.now(),
            }
        case "render.failed":
            return {**rendered, "error": "The page could not be rendered", "errorCode": "render_error"}
        case "batch.completed":
            counts = {"totalCount": 3, "completedCount": 3, "failedCount": 0}
            return {"batchId": batch_id, **template, "status": "completed", **counts, "duration": 3}
        case "batch.failed":
            counts = {"totalCount": 3, "completedCount": 0, "failedCount": 3}
            return {"batchId": batch_id, **template, "status": "failed", **counts, "duration": 3}
        case _:
            return {}
