"""Receive webhooks, as a plain ASGI app: `PICTIFY_WEBHOOK_SECRET=whsec_... uvicorn webhook_receiver:app`.

The secret is what came with the subscription when it was made; several, with commas between, while they change.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pictify_client import BatchFinished, RenderCompleted, RenderFailed, WebhookEvent, webhooks

Message = MutableMapping[str, Any]

SECRETS = os.environ["PICTIFY_WEBHOOK_SECRET"].split(",")
LONGEST_BODY = 1 << 20  # bytes
MOST_SEEN = 10_000

seen: dict[str, None] = {}
"""Ids of the last deliveries, the oldest first. With several processes, keep them where all can see them."""


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Verify, answer, and only then do what is to be done: Pictify waits for the answer, not for the work."""
    if scope["type"] != "http":
        raise RuntimeError(f"this app knows no {scope['type']}")

    async def answer(status: int, **headers: str) -> None:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body"})

    if scope["method"] != "POST":
        return await answer(405, allow="POST")

    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > LONGEST_BODY:
            return await answer(413)
        more = message.get("more_body", False)

    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    try:
        event = webhooks.parse(body, headers.get(webhooks.SIGNATURE_HEADER.lower()), SECRETS)
    except webhooks.WebhookVerificationError as error:
        print(error, file=sys.stderr)
        return await answer(400)
    except webhooks.WebhookPayloadError as error:
        # It will come again: after an update, it may be understood.
        print(error, file=sys.stderr)
        return await answer(500)

    is_new = first_time(headers.get(webhooks.DELIVERY_ID_HEADER.lower()))
    await answer(204)
    if is_new:
        await handle(event)
    return None


def first_time(delivery_id: str | None) -> bool:
    """Whether a delivery was not seen before; it is from now on."""
    if delivery_id is None:
        return True
    if delivery_id in seen:
        return False
    seen[delivery_id] = None
    if len(seen) > MOST_SEEN:
        del seen[next(iter(seen))]
    return True


async def handle(event: WebhookEvent) -> None:
    """Do the work. What must not be lost when this process ends belongs in a queue before it is answered."""
    match event.data:
        case RenderCompleted() as image:
            print(f"rendered {image.url}")
        case RenderFailed() as failure:
            print(f"not rendered: {failure.error}")
        case BatchFinished() as batch:
            print(f"{batch.batch_id} is {batch.status}: {batch.failed_count or 0} failed")
        case dict() as data:
            print(f"{event.event}: {data}")
