"""Receive webhooks with a plain ASGI app: `PICTIFY_WEBHOOK_SECRET=whsec_... uvicorn webhook_receiver:app`.

The secret was returned when the subscription was created. During a rotation, give several, separated by commas.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pictify_client import BatchFinished, RenderCompleted, RenderFailed, WebhookEvent, webhooks

Message = MutableMapping[str, Any]

SECRETS = os.environ["PICTIFY_WEBHOOK_SECRET"].split(",")
MAX_BODY_SIZE = 1 << 20  # bytes
MAX_SEEN = 10_000

seen: dict[str, None] = {}
"""Ids of the last deliveries, the oldest first. With several processes, keep them in a shared store."""


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Verify the webhook, respond, and do the work afterwards: Pictify waits for the response, not for the work."""
    if scope["type"] != "http":
        raise RuntimeError(f"this app knows no {scope['type']}")

    async def respond(status: int, **headers: str) -> None:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body"})

    if scope["method"] != "POST":
        return await respond(405, allow="POST")

    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY_SIZE:
            return await respond(413)
        more = message.get("more_body", False)

    try:
        event = webhooks.parse(body, scope["headers"], SECRETS)
    except webhooks.WebhookVerificationError as error:
        print(error, file=sys.stderr)
        return await respond(400)
    except webhooks.WebhookPayloadError as error:
        # Pictify will deliver it again. After an update it may be understood.
        print(error, file=sys.stderr)
        return await respond(500)

    is_new = first_time(webhooks.delivery_id(scope["headers"]))
    await respond(204)
    if is_new:
        await handle(event)
    return None


def first_time(delivery_id: str | None) -> bool:
    """Whether a delivery was not seen before. It is remembered."""
    if delivery_id is None:
        return True
    if delivery_id in seen:
        return False
    seen[delivery_id] = None
    if len(seen) > MAX_SEEN:
        del seen[next(iter(seen))]
    return True


async def handle(event: WebhookEvent) -> None:
    """Do the work. If it must not be lost when this process ends, put it into a queue before responding."""
    match event.data:
        case RenderCompleted() as image:
            print(f"rendered {image.url}")
        case RenderFailed() as failure:
            print(f"not rendered: {failure.error}")
        case BatchFinished() as batch:
            print(f"{batch.batch_id} is {batch.status}: {batch.failed_count or 0} failed")
        case dict() as data:
            print(f"{event.event}: {data}")
