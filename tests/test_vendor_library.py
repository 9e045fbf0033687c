"""The vendor's own library works with the fake API."""

from __future__ import annotations

from collections.abc import Iterator

import pictify as vendor
import pytest

from pictify_client.testing import FakePictify, serving


@pytest.fixture
def fake() -> FakePictify:
    return FakePictify()


@pytest.fixture
def client(fake: FakePictify) -> Iterator[vendor.Pictify]:
    with serving(fake) as base_url, vendor.Pictify(fake.api_key, base_url=base_url, max_retries=0) as client:
        yield client


def test_html_and_urls_are_rendered(client: vendor.Pictify, fake: FakePictify) -> None:
    image = client.render_html("<b>x</b>", css="b { color: red }", width=600, height=315, format="webp")
    assert fake.file(image.url).startswith(b"RIFF")
    assert image.id == fake.images[0]["uid"]
    assert image.created_at
    page = client.render_url("https://shop.example.com", selector="main")
    assert fake.images[1]["link"] == "https://shop.example.com"
    assert page.url != image.url


def test_templates_are_created_listed_and_read(client: vendor.Pictify) -> None:
    created = client.create_template("<h1>{{title}}</h1>", name="Mine", width=600, height=315)
    assert [each.name for each in created.variable_definitions or []] == ["title"]
    page = client.list_templates(limit=2, sort="newest", output_format="image")
    assert page.templates[0].uid == created.uid
    assert page.pagination
    assert (page.pagination.total, page.pagination.has_next) == (4, True)
    read = client.get_template(created.uid)
    assert (read.name, read.html, read.engine) == ("Mine", "<h1>{{title}}</h1>", "html")


def test_a_template_is_rendered(client: vendor.Pictify, fake: FakePictify) -> None:
    uid = fake.templates[0]["uid"]
    result = client.render(uid, variables={"title": "Hello"}, format="jpg", quality=0.8)
    assert result.url
    assert fake.file(result.url).startswith(b"\xff\xd8")
    assert (result.total_rendered, result.results[0].layout, result.template_uid) == (1, "default", uid)
    assert fake.file(str(client.render(uid, format="pdf").url)).startswith(b"%PDF")


def test_layouts_are_rendered_and_unknown_ones_are_errors(client: vendor.Pictify, fake: FakePictify) -> None:
    result = client.render_layouts(fake.templates[0]["uid"], ["default", "story", "none"])
    assert [each.layout for each in result.results] == ["default", "story"]
    assert [each.layout for each in result.errors] == ["none"]
    assert (result.total_layouts, result.total_errors) == (3, 1)
    assert client.render(fake.templates[0]["uid"], layout="none").url is None


def test_a_gif_is_rendered(client: vendor.Pictify, fake: FakePictify) -> None:
    gif = client.render_gif(html="<b>x</b>", width=30, height=20, quality="low")
    assert (gif.width, gif.height, gif.animation_length) == (30, 20, 2000)
    assert fake.file(gif.url).startswith(b"GIF89a")


def test_a_batch_is_rendered(client: vendor.Pictify, fake: FakePictify) -> None:
    uid = fake.templates[1]["uid"]
    batch = client.render_batch(uid, [{"title": "a"}, {"unknown": "b"}], format="webp")
    assert (batch.status, batch.total_items) == ("pending", 2)
    for _ in range(3):
        client.get_batch_results(batch.batch_id)
    results = client.get_batch_results(batch.batch_id)
    assert (results.status, results.progress, results.completed_items, results.failed_items) == ("partial", 100, 1, 1)
    assert [(each.index, each.variables) for each in results.results] == [(0, ["title"])]
    assert [(each.index, each.error) for each in results.errors] == [(1, "Variable 'unknown' is not defined")]


SCENE = 'export const schema = z.object({ title: z.string().default("x") });\nexport default () => null;\n'


def test_videos_are_created_and_listed(client: vendor.Pictify, fake: FakePictify) -> None:
    created = client.create_video_template("Mine", SCENE, fps=24, duration_seconds=2)
    assert (created.kind, created.fps, created.duration_in_frames, created.status) == ("tsx", 24, 48, "draft")
    assert [each.name for each in created.variable_definitions or []] == ["title"]
    assert [each.uid for each in client.list_video_templates()] == [each["uid"] for each in reversed(fake.videos)]
    known = client.get_video_template_variables(created.uid)
    assert (known.template_name, known.referenced) == ("Mine", ["title"])
    with pytest.raises(vendor.RenderError, match="the scene has no default export") as caught:
        client.create_video_template("Mine", "const scene = {}")
    assert caught.value.errors == ["scene.tsx: the scene has no default export"]


def test_videos_are_rendered_and_generated(client: vendor.Pictify, fake: FakePictify) -> None:
    uid = fake.videos[0]["uid"]
    rendered = client.render_video(uid, variables={"title": "x"})
    assert (rendered.format, rendered.duration_in_frames) == ("mp4", 150)
    assert b"ftyp" in fake.file(rendered.url)
    assert client.render_video(uid, format="gif").format == "gif"
    with pytest.raises(vendor.RenderError, match="Unknown variable"):
        client.render_video(uid, variables={"unknown": "x"})
    made = client.generate_video_template("A teaser")
    assert made.template.duration_in_frames == 240
    assert made.preview_url
    fake.quota = 0
    with pytest.raises(vendor.QuotaExceededError):
        client.render_video(uid)


def test_errors_have_their_classes(client: vendor.Pictify, fake: FakePictify) -> None:
    with pytest.raises(vendor.TemplateNotFoundError, match="Template not found"):
        client.get_template("NOTEMPLATE")
    fake.quota = 0
    with pytest.raises(vendor.QuotaExceededError):
        client.render_html("x")
    fake.fail_next(500)
    with pytest.raises(vendor.ServerError):
        client.list_templates()
    with pytest.raises(vendor.AuthenticationError), vendor.Pictify("none", base_url=client.base_url) as stranger:
        stranger.list_templates()
