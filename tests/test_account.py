"""The feed of renders, the usage of the plan, and other operations that the document lacks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from pictify_client import NotFoundError, Pictify, RenderFailedError, UnprocessableContentError
from pictify_client.models import TemplatePreview
from pictify_client.testing import API_KEY, FakeClock, FakePictify

TEMPLATE = "APPK3ATNDP"


@pytest.fixture
def fake() -> FakePictify:
    return FakePictify(clock=FakeClock(datetime(2026, 12, 5, 10, tzinfo=UTC)))


@pytest.fixture
def pictify(fake: FakePictify) -> Pictify:
    return fake.client()


def test_everything_that_is_rendered_is_in_the_feed(fake: FakePictify, pictify: Pictify) -> None:
    urls = [
        pictify.images.create(html="<b>x</b>").url,
        pictify.images.create(template=TEMPLATE).url,
        pictify.gifs.create(html="<b>x</b>").url,
        pictify.pdfs.render(template_uid=TEMPLATE).url,
        pictify.templates.render(TEMPLATE, format="pdf").url,
        pictify.videos.render(fake.videos[0]["uid"]).url,
    ]
    assert [each.url for each in pictify.renders.list(limit=2)] == urls[::-1]
    assert {each.source for each in pictify.renders.list(source="api")} == {"api"}
    assert list(pictify.renders.list(source="zapier")) == []
    assert [each.url for each in pictify.renders.list(format="PDF")] == [urls[4], urls[3]]
    assert [each.url for each in pictify.renders.list(template=TEMPLATE, format="PNG")] == [urls[1]]
    page = pictify.renders.list(limit=4).first_page()
    assert (page.pagination.has_more, page.pagination.total) == (True, 6)


def test_renders_of_a_template_are_in_the_feed_in_all_formats(fake: FakePictify, pictify: Pictify) -> None:
    gif = pictify.gifs.create(template=TEMPLATE).url
    pdf = pictify.pdfs.render(template_uid=TEMPLATE).url
    image = pictify.images.create(template=TEMPLATE).url
    pictify.images.create(html="<b>x</b>")
    video = fake.videos[1]["uid"]
    pictify.videos.render(video, format="gif")
    assert [each.url for each in pictify.renders.list(template=TEMPLATE)] == [image, pdf, gif]
    assert [each.url for each in pictify.renders.list(template=TEMPLATE, format="GIF")] == [gif]
    assert [each.format for each in pictify.renders.list(template=video)] == ["GIF"]


def raw_feed(fake: FakePictify, query: str) -> Any:
    return json.loads(fake.respond("GET", f"/render?{query}", {"authorization": f"Bearer {API_KEY}"}).body)


def test_the_feed_is_counted_by_format_and_paginated(fake: FakePictify, pictify: Pictify) -> None:
    for _ in range(25):
        pictify.images.create(template=TEMPLATE)
    pictify.gifs.create(html="<b>x</b>")
    pictify.images.create(html="<b>x</b>", file_extension="webp")
    page = raw_feed(fake, f"template={TEMPLATE}")
    assert page["counts"] == {"ALL": 25, "PNG": 25, "PDF": 0, "GIF": 0, "MP4": 0}
    assert (len(page["renders"]), page["pagination"]) == (24, {"total": 25, "limit": 24, "offset": 0, "hasMore": True})
    # The counts are those of all formats.
    page = raw_feed(fake, "format=GIF")
    assert page["counts"] == {"ALL": 27, "PNG": 25, "PDF": 0, "GIF": 1, "MP4": 0}
    assert page["renders"] == [fake.feed[25]]
    page = raw_feed(fake, "limit=3&offset=24")
    assert page["renders"] == fake.feed[2::-1]
    assert not page["pagination"]["hasMore"]
    assert {each["source"] for each in fake.feed} == {"api"}


def test_a_url_in_the_feed_is_that_of_a_file(fake: FakePictify, pictify: Pictify) -> None:
    pictify.templates.render(TEMPLATE, layout="square")
    (render,) = pictify.renders.list()
    assert (render.format, render.width, render.height, render.template_uid) == ("PNG", 1080, 1080, TEMPLATE)
    assert fake.file(render.url or "").startswith(b"\x89PNG")
    assert render.created_at == fake.clock.now()


def test_the_urls_of_a_batch_are_in_the_feed(pictify: Pictify) -> None:
    pictify.batch.render_template(TEMPLATE, variable_sets=[{"title": "a"}, {"title": "b"}]).wait()
    assert len({each.url for each in pictify.renders.list(template=TEMPLATE)}) == 2


def test_pdfs_are_listed_apart_from_images(pictify: Pictify) -> None:
    made = pictify.templates.render(TEMPLATE, format="pdf", variable_sets=[{}, {}])
    pictify.pdfs.render(template_uid=TEMPLATE)
    first, second = pictify.pdfs.list()
    assert (first.url, first.page_count, second.page_count) == (made.url, 2, 1)
    assert (second.width, second.height) == (794, 1123)
    assert list(pictify.images.list()) == []


def test_the_usage_of_the_month(fake: FakePictify, pictify: Pictify) -> None:
    pictify.images.create(html="<b>x</b>")
    usage = pictify.account.get_usage()
    assert (usage.usage, usage.has_exceeded_monthly_limit, usage.ai_credits) == (1, False, None)
    assert usage.monthly_limit == 1_000_000
    assert usage.next_reset == datetime(2027, 1, 1, tzinfo=UTC)
    fake.quota, fake.ai_credits = 1, 12
    usage = pictify.account.get_usage()
    assert (usage.monthly_limit, usage.has_exceeded_monthly_limit, usage.ai_credits) == (1, True, 12)
    fake.quota = 2
    assert not pictify.account.get_usage().has_exceeded_monthly_limit
    fake.quota = 1
    fake.clock.advance(31 * 86_400)
    usage = pictify.account.get_usage()
    assert (usage.usage, usage.has_exceeded_monthly_limit) == (0, False)
    assert usage.next_reset == datetime(2027, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "reset"),
    [
        (datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
        (datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)),
        (datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_the_next_month_begins_on_its_first_day(now: datetime, reset: datetime) -> None:
    assert FakePictify(clock=FakeClock(now)).client().account.get_usage().next_reset == reset


# Templates.


def test_templates_are_found_by_their_names_and_tags(pictify: Pictify) -> None:
    pictify.templates.create(name="Card of spring", html="<b>x</b>", tags=["Easter"])
    assert [each.name for each in pictify.templates.search(q="CARD", limit=1)] == ["Card of spring", "Product card"]
    assert [each.name for each in pictify.templates.search(q="easter card")] == ["Card of spring"]
    assert list(pictify.templates.search(q="winter")) == []


def test_templates_are_listed_by_type(pictify: Pictify) -> None:
    pictify.templates.create(name="Canvas", fabric_js_data={})
    assert [each.name for each in pictify.templates.by_type("canvas")] == ["Canvas"]
    assert len(pictify.templates.by_type("html")) == 3
    assert pictify.templates.by_type("og-image") == []


def test_a_preview_is_an_image_that_costs_nothing(fake: FakePictify, pictify: Pictify) -> None:
    preview = pictify.templates.preview(html="<b>{{a}}</b>", variables={"a": 1}, width=60, height=40, format="jpeg")
    assert preview.content.startswith(b"\xff\xd8")
    assert (preview.width, preview.height, preview.format) == (60, 40, "jpeg")
    assert pictify.templates.preview(html="<b>x</b>").content.startswith(b"\x89PNG")
    assert (fake.renders, fake.feed, len(fake.templates)) == (0, [], 3)
    with pytest.raises(UnprocessableContentError, match="'b' is not defined"):
        pictify.templates.preview(html="<b>{{a}}</b>", variables={"b": 1}, strict_variables=True)
    with pytest.raises(UnprocessableContentError) as caught:
        pictify.templates.preview(html="<b>{{a</b>")
    assert caught.value.code == "HANDLEBARS_COMPILE_ERROR"


def test_a_data_url_is_decoded_in_both_forms() -> None:
    assert TemplatePreview(data_url="data:image/svg+xml,%3Csvg/%3E").content == b"<svg/>"
    assert TemplatePreview(data_url="data:image/png;base64,aGk=").content == b"hi"


@pytest.mark.parametrize("url", [None, "", "data:,", "data:image/png;base64,%", "https://a.b/c.png,x"])
def test_a_preview_without_an_image_is_an_error(url: str | None) -> None:
    with pytest.raises(RenderFailedError, match="no image"):
        _ = TemplatePreview(data_url=url).content


# Webhooks.


def test_a_subscription_is_paused_and_resumed(fake: FakePictify, pictify: Pictify) -> None:
    made = pictify.webhooks.create(event="render.failed", target_url="https://hooks.example.com", platform="n8n")
    assert pictify.webhooks.pause(made.uid).status == "paused"
    with pytest.raises(LookupError):
        fake.webhook("render.failed")
    stats = pictify.webhooks.get_stats()
    assert stats.subscriptions
    assert (stats.subscriptions.total, stats.subscriptions.by_status) == (1, {"paused": 1})
    assert (stats.subscriptions.by_event, stats.subscriptions.by_platform) == ({"render.failed": 1}, {"n8n": 1})
    assert pictify.webhooks.resume(made.uid).status == "active"
    other = pictify.webhooks.create(event="render.failed", target_url="https://hooks.example.com")
    assert [each.uid for each in pictify.webhooks.list()] == [made.uid, other.uid]
    assert [each.uid for each in pictify.webhooks.list(platform="n8n")] == [made.uid]
    assert [each.uid for each in pictify.webhooks.list(platform="custom", event="render.failed")] == [other.uid]
    assert list(pictify.webhooks.list(platform="make")) == []
    with pytest.raises(NotFoundError):
        pictify.webhooks.pause("NOWEBHOOKS")
