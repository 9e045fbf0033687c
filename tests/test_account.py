"""What was rendered, and what is left of the plan."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pictify_client import Pictify
from pictify_client.testing import FakeClock, FakePictify

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
    assert usage.next_reset == datetime(2027, 1, 1, tzinfo=UTC)
    fake.quota, fake.ai_credits = 1, 12
    usage = pictify.account.get_usage()
    assert (usage.monthly_limit, usage.has_exceeded_monthly_limit, usage.ai_credits) == (1, True, 12)
    fake.clock.advance(31 * 86_400)
    assert not pictify.account.get_usage().has_exceeded_monthly_limit
