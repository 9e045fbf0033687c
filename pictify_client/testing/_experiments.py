"""The experiments of the fake API."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from .._runtime.readers import parse_datetime
from ._account import Account, Record, matching
from ._images import PIXEL
from ._responses import FakeResponse, Rejected, image_response, rejected

_RESERVED = ("events", "api", "admin", "health", "status", "pixel", "track", "sdk")
_TOTAL_WEIGHT = 10_000
_MAX_VARIANTS = 10
_LIMITS = {"ab_test": 100, "smart_link": 100, "scheduled": None}
# The fields that can be changed in these states. In the others, all can be.
_CHANGEABLE = {
    "running": {"name", "confidenceThreshold", "minimumRunDays", "goalConfig.destinationUrl"},
    "completed": {"name"},
}
_COUNTED = {"impression": "impressions", "click": "clicks"}
# Characters that need no quoting in a URL.
_OF_ADDRESSES = "%:/?#[]@!$&'()*+,;="
_NOT_CACHED = {"cache-control": "no-store"}


class Experiments:
    """Experiments, the variants that they show, and the counts of a running experiment.

    An A/B test shows its variants in turn, in proportion to their weights. A scheduled experiment shows the first
    variant that is scheduled for the time of the clock; recurrences are ignored. If there is none, and in a smart link,
    whose conditions are ignored, it shows the default variant, or else the first.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        # By the id of the experiment. The API accepts them, and does not return them.
        self._fallback_templates: dict[str, str] = {}

    def list_experiments(
        self,
        type: str | None = None,  # noqa: A002
        status: str | None = None,
        page: int = 1,
        limit: int = 20,
    ) -> Record:
        found = matching(self._kept(), type=type, status=status)
        start = (page - 1) * limit
        return {"experiments": found[start : start + limit], "total": len(found), "page": page, "limit": limit}

    def create_experiment(self, body: Record) -> Record:
        self._check(body, body["type"])
        limit = _LIMITS[body["type"]]
        if limit is not None and len(matching(self._kept(), type=body["type"])) >= limit:
            raise rejected(429, f"the plan allows {limit} experiments of this type", code="quota_exceeded")
        uid, made = self._account.new_id("experiment"), self._account.now()
        if "fallbackTemplateUid" in body:
            self._fallback_templates[uid] = body.pop("fallbackTemplateUid")
        experiment = {
            "uid": uid,
            "minimumSampleSize": 1000,
            "confidenceThreshold": 0.95,
            "minimumRunDays": 7,
            **body,
            "status": "draft",
            "variants": _counting(body["variants"], []),
            "goalConfig": {"type": "impressions_only", **body.get("goalConfig", {})},
            "banditConfig": {"enabled": False, **body.get("banditConfig", {})},
            "outputConfig": {"format": "png", "quality": 90, **body.get("outputConfig", {})},
            "winnerVariantId": None,
            "winnerDeclaredAt": None,
            "createdAt": made,
            "updatedAt": made,
        }
        self._account.experiments.append(experiment)
        return {"experiment": experiment}

    def get_experiment_quota(self) -> Record:
        quota = {
            kind: {"used": len(matching(self._kept(), type=kind)), "limit": limit} for kind, limit in _LIMITS.items()
        }
        return {"plan": "business", "quota": quota, "maxVariants": _MAX_VARIANTS, "analyticsRetentionDays": 365}

    def get_experiment(self, uid: str) -> Record:
        return {"experiment": self._one(uid=uid)}

    def update_experiment(self, uid: str, body: Record) -> Record:
        experiment = self._one(uid=uid)
        status = experiment["status"]
        changes = {*body, *(f"goalConfig.{name}" for name in body.get("goalConfig", {}))} - {"goalConfig"}
        if frozen := sorted(changes - _CHANGEABLE.get(status, changes)):
            raise rejected(400, f"{frozen[0]} of an experiment that is {status} cannot be changed")
        self._check(body, experiment["type"], uid)
        for name in ("goalConfig", "banditConfig", "outputConfig"):
            if name in body:
                body[name] = {**experiment.get(name, {}), **body[name]}
        if "variants" in body:
            body["variants"] = _counting(body["variants"], experiment["variants"])
        experiment.update(body, updatedAt=self._account.now())
        return {"experiment": experiment}

    def delete_experiment(self, uid: str) -> Record:
        self._move(uid, "archived", "draft", "paused", "completed")
        return {"deleted": True}

    def start_experiment(self, uid: str) -> Record:
        return self._move(uid, "running", "draft", "paused")

    def pause_experiment(self, uid: str) -> Record:
        return self._move(uid, "paused", "running")

    def complete_experiment(self, uid: str, body: Record) -> Record:
        winner = body["winnerVariantId"]
        if not matching(self._one(uid=uid)["variants"], id=winner):
            raise rejected(400, f"there is no variant {winner}")
        response = self._move(uid, "completed", "running", "paused")
        response["experiment"].update(winnerVariantId=winner, winnerDeclaredAt=self._account.now())
        return response

    def track_experiment_events(self, body: Record | list[Record], write_key: str | None = None) -> Record:
        events = body if isinstance(body, list) else [body]
        errors: list[Record] = []
        for index, event in enumerate(events):
            try:
                self._report(event)
            except Rejected as rejection:
                errors.append({"index": index, "error": rejection.message})
        response = {"ok": True, "processed": len(events) - len(errors), "errors": errors}
        keyed = write_key is not None or all("writeKey" in event for event in events)
        return response if keyed else {**response, "warning": "write_key_recommended"}

    def track_experiment_click(self, slug: str) -> FakeResponse:
        experiment = self._one(slug=slug)
        destination = experiment.get("goalConfig", {}).get("destinationUrl")
        if destination is None:
            raise rejected(404, "the goal of the experiment has no destinationUrl")
        if experiment["status"] == "running":
            self._shown(experiment, "clicks")
        return FakeResponse(302, {**_NOT_CACHED, "location": quote(destination, safe=_OF_ADDRESSES)}, b"")

    def track_experiment_pixel(self, slug: str) -> FakeResponse:
        for experiment in matching(self._kept(), slug=slug, status="running"):
            self._shown(experiment, "impressions")
        return FakeResponse(200, {**_NOT_CACHED, "content-type": "image/gif"}, PIXEL)

    def render_experiment_url(self, slug: str, format: str) -> FakeResponse:  # noqa: A002
        experiment = self._one(slug=slug)
        if experiment["status"] == "running":
            template = self._shown(experiment, "impressions").get("templateUid", experiment.get("templateUid"))
        else:
            template = self._fallback_templates.get(experiment["uid"])
            if experiment["status"] == "draft" or not (template or "fallbackImageUrl" in experiment):
                status = 410 if experiment["status"] == "completed" else 404
                raise rejected(status, f"the experiment is {experiment['status']}, and has no image to show")
        return image_response(format, self._account.size(template), _NOT_CACHED)

    def _kept(self) -> list[Record]:
        return [each for each in self._account.all("experiments") if each["status"] != "archived"]

    def _one(self, **wanted: str) -> Record:
        found = matching(self._kept(), **wanted)
        if not found:
            raise rejected(404, "there is no such experiment")
        return found[0]

    def _move(self, uid: str, status: str, *before: str) -> Record:
        """Move an experiment to another state, from one of these."""
        experiment = self._one(uid=uid)
        if experiment["status"] not in before:
            raise rejected(409, f"the experiment is {experiment['status']}, and not {' or '.join(before)}")
        experiment.update(status=status, updatedAt=self._account.now())
        return {"experiment": experiment}

    def _check(self, body: Record, kind: str, uid: str = "") -> None:
        """Check the slug and the variants of the experiment with this id."""
        slug, variants = body.get("slug"), body.get("variants")
        if slug in _RESERVED:
            raise rejected(400, f"the slug {slug} is reserved")
        if slug is not None and any(each["uid"] != uid for each in matching(self._kept(), slug=slug)):
            raise rejected(409, f"the slug {slug} is taken")
        if variants is None:
            return
        if not 2 <= len(variants) <= _MAX_VARIANTS:
            raise rejected(400, f"an experiment has 2 to {_MAX_VARIANTS} variants")
        weight = sum(variant["weight"] for variant in variants)
        if kind == "ab_test" and weight != _TOTAL_WEIGHT:
            raise rejected(400, f"the weights of the variants must sum to {_TOTAL_WEIGHT}, and sum to {weight}")

    def _report(self, event: Record) -> None:
        experiment = self._one(slug=event["experiment"])
        if experiment["status"] != "running":
            raise rejected(409, "the experiment is not running")
        variants = matching(experiment["variants"], id=event.get("variantId"))
        if not variants:
            raise rejected(404, "the experiment has no such variant")
        if "variantId" in event and event["event"] in _COUNTED:
            _count(variants[0], _COUNTED[event["event"]])

    def _shown(self, experiment: Record, counted: str) -> Record:
        """The variant to show. It is counted."""
        variants: list[Record] = experiment["variants"]
        if experiment["type"] == "ab_test":
            turns = sum(variant.get(counted, 0) for variant in variants) + 1
            variant = max(variants, key=lambda each: each["weight"] * turns - each.get(counted, 0) * _TOTAL_WEIGHT)
        else:
            default = next((each for each in variants if each.get("isDefault")), variants[0])
            now = self._account.clock.now()
            scheduled = variants if experiment["type"] == "scheduled" else []
            variant = next((each for each in scheduled if _is_time(each.get("schedule"), now)), default)
        _count(variant, counted)
        return variant


def _counting(variants: list[Record], before: list[Record]) -> list[Record]:
    """Variants with their counts, which only the API sets."""
    known = {variant["id"]: variant for variant in before}
    return [
        {**variant, **{name: known.get(variant["id"], {}).get(name, 0) for name in _COUNTED.values()}}
        for variant in variants
    ]


def _is_time(schedule: Record | None, now: datetime) -> bool:
    if not schedule:
        return False
    begins, ends = schedule.get("startAt"), schedule.get("endAt")
    return (begins is None or parse_datetime(begins) <= now) and (ends is None or now < parse_datetime(ends))


def _count(variant: Record, counted: str) -> None:
    variant[counted] = variant.get(counted, 0) + 1
