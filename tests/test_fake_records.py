"""Records that a test adds to the fake API, with only some of the fields that the API sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pictify_client import Pictify
from pictify_client.testing import FakePictify


def use_template(pictify: Pictify, uid: str) -> None:
    list(pictify.templates.list(sort="name"))
    list(pictify.templates.search(q="mine"))
    pictify.templates.by_type("html")
    assert pictify.templates.get(uid).name
    pictify.templates.get_variables(uid)
    pictify.templates.render(uid, layouts=["default", "none"])
    pictify.images.create(template=uid)
    pictify.pdfs.render(template_uid=uid)
    pictify.url_rendering.render_template(uid, "png")
    pictify.batch.render_template(uid, variable_sets=[{}]).wait()
    pictify.workflows.preview(template_uid=uid, rows=[{}])
    assert pictify.templates.update(uid, html="<b>{{a}}</b>").variables == ["a"]
    pictify.templates.delete(uid)


def use_binding(pictify: Pictify, uid: str) -> None:
    list(pictify.bindings.list())
    pictify.download(str(pictify.bindings.get(uid).render_url))
    pictify.url_rendering.render_binding(uid, "png")
    pictify.bindings.update(uid, name="x", refresh_policy={"type": "ttl"})
    pictify.bindings.delete(uid)


def use_subscription(pictify: Pictify, uid: str) -> None:
    list(pictify.webhooks.list())
    assert pictify.webhooks.get_stats().subscriptions
    assert pictify.webhooks.get(uid).status == "active"
    pictify.webhooks.pause(uid)
    pictify.webhooks.resume(uid)
    pictify.webhooks.delete(uid)


def use_experiment(pictify: Pictify, uid: str) -> None:
    list(pictify.experiments.list())
    pictify.experiments.get_quota()
    pictify.experiments.create(name="x", type="ab_test", slug="another", variants=_VARIANTS)
    slug = pictify.experiments.update(uid, name="x", goal_config={"destinationUrl": "https://a.b"}).slug or ""
    pictify.experiments.start(uid)
    pictify.url_rendering.render_experiment(slug, "png")
    pictify.experiments.track_pixel(slug)
    pictify.experiments.track_click(slug)
    pictify.experiments.track_events(event="click", experiment=slug, variant_id="a")
    winner = (pictify.experiments.get(uid).variants or [])[0].id
    pictify.experiments.complete(uid, winner_variant_id=winner)
    pictify.experiments.delete(uid)


def use_image(pictify: Pictify, uid: str) -> None:
    assert [pictify.download(image).read()[:4] for image in pictify.images.list()] == [b"\x89PNG"]
    pictify.images.get(uid)


def use_gif(pictify: Pictify, uid: str) -> None:
    assert [pictify.download(gif).read()[:4] for gif in pictify.gifs.list()] == [b"GIF8"]
    pictify.gifs.get(uid)


def use_pdf(pictify: Pictify, _uid: str) -> None:
    assert [pictify.download(str(pdf.url)).read()[:4] for pdf in pictify.pdfs.list()] == [b"%PDF"]


def use_render(pictify: Pictify, _uid: str) -> None:
    assert [pictify.download(str(render.url)).read()[:4] for render in pictify.renders.list()] == [b"\x89PNG"]
    assert len(list(pictify.renders.list(format="PNG", source="api"))) == 1


def use_video(pictify: Pictify, uid: str) -> None:
    pictify.videos.list()
    video = pictify.videos.get(uid)
    pictify.videos.get_variables(uid)
    assert pictify.videos.render(uid).duration_in_frames
    pictify.videos.render(uid, format="gif")
    pictify.videos.duplicate(uid)
    if video.kind == "tsx":
        pictify.videos.preview(uid)
    pictify.videos.update(uid, name="x")
    pictify.videos.delete(uid)


def use_hook(pictify: Pictify, uid: str) -> None:
    (hook,) = pictify.workflows.list_hooks()
    pictify.workflows.post_rows(uid, "sesame", rows=[{}])
    assert hook.uid == uid
    pictify.workflows.delete_hook(uid)


_VARIANTS: list[Any] = [{"id": "a", "weight": 5000}, {"id": "b", "weight": 5000}]
# The fields that a test needs to use a record, and further fields that a record may have.
RECORDS: dict[str, tuple[Callable[[Pictify, str], None], dict[str, Any], dict[str, Any]]] = {
    "templates": (
        use_template,
        {},
        {
            "name": "Mine",
            "width": 40,
            "height": 30,
            "layouts": None,
            "variableDefinitions": None,
            "tags": None,
            "html": None,
        },
    ),
    "bindings": (use_binding, {}, {"templateId": "NOTEMPLATE", "status": "paused", "outputConfig": None}),
    "subscriptions": (use_subscription, {}, {"event": "render.failed", "targetUrl": "https://a.b", "platform": "n8n"}),
    "experiments": (use_experiment, {}, {"slug": "mine", "type": "ab_test", "variants": [{}, {"id": "b"}]}),
    "images": (use_image, {}, {"width": 5, "height": 6, "createdAt": "2026-01-29T10:00:05Z"}),
    "gifs": (use_gif, {}, {"width": 5, "height": 6}),
    "pdfs": (use_pdf, {}, {"pageCount": 3, "width": 5, "height": 6}),
    "feed": (use_render, {}, {"format": "PNG", "source": "api", "width": 7}),
    "videos": (use_video, {}, {"kind": "tsx", "fps": 24, "durationInFrames": None}),
    "hooks": (use_hook, {"secret": "sesame", "templateUid": "APPK3ATNDP"}, {"createdAt": "2026-01-29T10:00:05Z"}),
}


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_may_lack_any_field(kind: str) -> None:
    use, needed, optional = RECORDS[kind]
    for left_out in (None, *optional, "everything"):
        for uid in ({}, {"uid": "MYRECORD01"}):
            fake = FakePictify()
            known = {} if left_out == "everything" else {**optional}
            known.pop(left_out or "", None)
            record = {**uid, **needed, **known}
            getattr(fake, kind).append(record)
            pictify = fake.client()
            # Reading the list gives the record its id.
            fake.all(kind)  # type: ignore[arg-type]
            use(pictify, str(record.get("uid")))


def test_a_timeline_needs_no_kind() -> None:
    fake = FakePictify()
    fake.videos.append({"uid": "MYRECORD01", "projectJson": {"text": "{{a}}"}})
    assert fake.client().videos.get("MYRECORD01").kind == "timeline"
    use_video(fake.client(), "MYRECORD01")


def test_a_webhook_is_signed_for_a_subscription_that_has_only_an_event() -> None:
    fake = FakePictify()
    fake.subscriptions.append({"event": "render.failed"})
    assert fake.webhook("render.failed").headers["X-Pictify-Event"] == "render.failed"
    assert next(iter(fake.client().webhooks.list())).delivery_count == 1


def test_fields_that_a_record_has_are_kept() -> None:
    fake = FakePictify()
    fake.images.append({"uid": "MYRECORD01", "url": "https://media.pictify.io/mine.png", "html": "<b>x</b>"})
    image = fake.client().images.get("MYRECORD01")
    assert (image.url, image.html) == ("https://media.pictify.io/mine.png", "<b>x</b>")
    assert fake.client().download(image).read().startswith(b"\x89PNG")
