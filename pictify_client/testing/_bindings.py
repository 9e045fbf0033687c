"""The bindings and the webhook subscriptions of the fake API."""

from __future__ import annotations

import json
import zlib
from collections import Counter

from ._account import Account, Record, matching, one, page_of, webhook_url
from ._responses import FakeResponse, image_response, rejected


class Bindings:
    """Bindings, and their images at URLs that can be embedded. No data source is requested."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def list_bindings(
        self, template_id: str | None = None, status: str | None = None, page: int = 1, limit: int = 20
    ) -> Record:
        found = matching(self._account.all("bindings"), templateId=template_id, status=status)
        return page_of("bindings", found, page, limit)

    def create_binding(self, body: Record) -> Record:
        self._account.template(body["templateId"])
        if "type" not in body.get("dataSource", {"type": "http"}):
            raise rejected(400, "dataSource.type is required")
        uid, made = self._account.new_id("binding"), self._account.now()
        policy = {"type": "ttl", "ttlSeconds": 300, "onError": "serve_stale"}
        output = {"format": "png", "quality": 90}
        binding = {
            "uid": uid,
            "defaults": {},
            **_without_credentials(body),
            "refreshPolicy": {**policy, **body.get("refreshPolicy", {})},
            "outputConfig": {**output, **body.get("outputConfig", {})},
            "status": "active",
            "renderUrl": self._account.files.url("renderUrl", f"/bindings/{uid}.png"),
            "webhookUrl": webhook_url(uid),
            "lastFetchAt": None,
            "lastRenderAt": None,
            "lastError": None,
            "errorCount": 0,
            "createdAt": made,
            "updatedAt": made,
        }
        self._account.bindings.append(binding)
        return {"binding": binding}

    def get_binding(self, uid: str) -> Record:
        return {"binding": self._binding(uid)}

    def update_binding(self, uid: str, body: Record) -> Record:
        binding = self._binding(uid)
        # The OpenAPI document does not say that the values are those of a creation.
        odd = [name for name, path in body.get("mapping", {}).items() if not isinstance(path, str)]
        if odd:
            raise rejected(400, f"mapping.{odd[0]} must be a string")
        binding.update(_without_credentials(body), updatedAt=self._account.now())
        return {"binding": binding}

    def delete_binding(self, uid: str) -> Record:
        self._account.bindings.remove(self._binding(uid))
        return {"deleted": True}

    def render_binding_url(self, binding_id: str, format: str, if_none_match: str = "") -> FakeResponse:  # noqa: A002
        binding = self._binding(binding_id)
        etag = f'"{zlib.crc32(json.dumps([binding, format]).encode()):08x}"'
        headers = {"cache-control": "public, max-age=60", "etag": etag}
        if etag in if_none_match:
            return FakeResponse(304, headers, b"")
        return image_response(format, self._account.image_size(binding), headers)

    def _binding(self, uid: str) -> Record:
        return one(self._account.all("bindings"), "Binding", uid=uid)


class Subscriptions:
    """Webhook subscriptions. Nothing is delivered; `FakePictify.webhook` returns a delivery."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def list_webhook_subscriptions(
        self,
        event: str | None = None,
        status: str | None = None,
        platform: str | None = None,
        page: int = 1,
        limit: int = 20,
    ) -> Record:
        found = matching(self._account.all("subscriptions"), event=event, status=status, platform=platform)
        return page_of("subscriptions", found, page, limit)

    def create_webhook_subscription(self, body: Record) -> Record:
        uid = self._account.new_id("subscription")
        subscription: Record = {
            "uid": uid,
            "platform": "custom",
            "filters": {},
            **body,
            "status": "active",
            "deliveryCount": 0,
            "failureCount": 0,
            "createdAt": self._account.now(),
        }
        self._account.subscriptions.append(subscription)
        return {"subscription": {**subscription, "secret": secret_of(uid)}}

    def get_webhook_subscription(self, uid: str) -> Record:
        return {"subscription": self._subscription(uid)}

    def update_webhook_subscription(self, uid: str, body: Record) -> Record:
        subscription = self._subscription(uid)
        subscription.update(body)
        return {"subscription": subscription}

    def delete_webhook_subscription(self, uid: str) -> Record:
        self._account.subscriptions.remove(self._subscription(uid))
        return {"deleted": True}

    def pause_webhook_subscription(self, uid: str) -> Record:
        return self.update_webhook_subscription(uid, {"status": "paused"})

    def resume_webhook_subscription(self, uid: str) -> Record:
        return self.update_webhook_subscription(uid, {"status": "active"})

    def get_webhook_stats(self) -> Record:
        records = self._account.all("subscriptions")
        counts = {
            f"by{name.title()}": dict(Counter(each[name] for each in records))
            for name in ("event", "status", "platform")
        }
        return {"subscriptions": {"total": len(records), **counts}, "queue": {"waiting": 0}}

    def _subscription(self, uid: str) -> Record:
        return one(self._account.all("subscriptions"), "Subscription", uid=uid)


def secret_of(uid: str) -> str:
    """The secret of a webhook subscription."""
    return f"whsec_{zlib.crc32(uid.encode()):032x}"


def _without_credentials(body: Record) -> Record:
    source = {name: value for name, value in body.get("dataSource", {}).items() if name != "credentials"}
    return {**body, "dataSource": source} if "dataSource" in body else body
