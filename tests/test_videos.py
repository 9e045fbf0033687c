"""Videos: scenes that compile or not, renders that take minutes, and what of them is billed."""

from __future__ import annotations

from typing import Any

import anyio
import httpx
import pytest

from pictify_client import (
    APIConnectionError,
    APITimeoutError,
    ForbiddenError,
    NotFoundError,
    Pictify,
    QuotaExceededError,
    ServerError,
    UnprocessableContentError,
)
from pictify_client.testing import FakePictify, serving

SCENE = """\
export const schema = z.object({
  title: z.string().default("Untitled"), count: z.number().default(3), on: z.boolean(), now: z.string().default(now)
});
export default function Scene() { return null; }
"""
RENDER = "POST /video/templates/{uid}/render"


@pytest.fixture
def fake() -> FakePictify:
    return FakePictify()


@pytest.fixture
def pictify(fake: FakePictify) -> Pictify:
    return fake.client()


@pytest.fixture
def scene(fake: FakePictify) -> str:
    return str(fake.videos[0]["uid"])


@pytest.fixture
def timeline(fake: FakePictify) -> str:
    return str(fake.videos[1]["uid"])


def test_the_newest_come_first_and_without_their_source(pictify: Pictify) -> None:
    created = pictify.videos.create(name="Mine", kind="tsx", tsx=SCENE)
    videos = pictify.videos.list()
    assert [video.name for video in videos] == ["Mine", "Year in review", "Product teaser"]
    assert {(video.tsx, video.project_json) for video in videos} == {(None, None)}
    assert pictify.videos.get(created.uid).tsx == SCENE


def test_the_variables_of_a_scene_are_found_in_its_schema(pictify: Pictify) -> None:
    video = pictify.videos.create(name="Mine", kind="tsx", tsx=SCENE)
    found = [(each.name, each.type, each.default_value) for each in video.variable_definitions or []]
    assert found == [
        ("title", "text", "Untitled"),
        ("count", "number", 3),
        ("on", "boolean", ""),
        ("now", "text", "now"),
    ]
    assert pictify.videos.get_variables(video.uid).referenced == ["title", "count", "on", "now"]


def test_the_variables_of_a_timeline_are_found_in_its_texts(pictify: Pictify) -> None:
    project = {"tracks": [{"text": "{{ title }} and {{price}}, {{title}}"}]}
    video = pictify.videos.create(name="Mine", kind="timeline", project_json=project)
    known = pictify.videos.get_variables(video.uid)
    assert ([each.name for each in known.variables], known.kind) == (["title", "price"], "timeline")


def test_a_scene_that_does_not_compile_is_not_saved_and_each_problem_is_told(
    fake: FakePictify, pictify: Pictify, scene: str
) -> None:
    calls: list[Any] = [
        lambda: pictify.videos.create(name="Mine", kind="tsx", tsx="const a = {\n"),
        lambda: pictify.videos.update(scene, tsx="const a = {\n"),
    ]
    for call in calls:
        with pytest.raises(UnprocessableContentError) as caught:
            call()
        problems = ["scene.tsx: the scene has no default export", "scene.tsx:2: unexpected end of file"]
        assert [problem.message for problem in caught.value.errors] == problems
        assert all(problem in str(caught.value) for problem in problems)
    assert len(fake.videos) == 2
    assert "AbsoluteFill" in fake.videos[0]["tsx"]


def test_the_source_is_that_of_the_kind(pictify: Pictify, scene: str, timeline: str) -> None:
    calls: list[Any] = [
        lambda: pictify.videos.create(name="Mine", kind="timeline", tsx=SCENE),
        lambda: pictify.videos.create(name="Mine", kind="tsx", project_json={}),
        lambda: pictify.videos.create(name="Mine", kind="tsx", tsx=SCENE, project_json={}),
        lambda: pictify.videos.create(name="Mine", kind="timeline"),
        lambda: pictify.videos.update(timeline, tsx=SCENE),
        lambda: pictify.videos.update(scene, project_json={}),
    ]
    for call in calls:
        with pytest.raises(UnprocessableContentError, match="a template of the kind"):
            call()


def test_an_invalid_request_is_told_as_compile_errors_are(fake: FakePictify) -> None:
    headers = {"authorization": f"Bearer {fake.api_key}"}
    answer = fake.answer("POST", "/video/templates", headers, b'{"kind": "tsx", "tsx": "", "fps": 0}')
    assert (answer.status, answer.body) == (422, b'{"errors": ["name is required"]}')


def test_a_video_is_updated(fake: FakePictify, pictify: Pictify, scene: str) -> None:
    assert pictify.videos.update(scene, name="Ours", fps=60).fps == 60
    assert [each["name"] for each in fake.videos[0]["variableDefinitions"]] == ["title", "price"]
    updated = pictify.videos.update(scene, tsx=SCENE)
    assert [each.name for each in updated.variable_definitions or []] == ["title", "count", "on", "now"]
    kept = pictify.videos.update(scene, tsx=SCENE, variable_definitions=[{"name": "title"}])
    assert [each.name for each in kept.variable_definitions or []] == ["title"]


def test_a_copy_has_an_id_and_a_name_of_its_own(pictify: Pictify, scene: str) -> None:
    copies = [pictify.videos.duplicate(scene), pictify.videos.duplicate(scene, name="Theirs")]
    assert [copy.name for copy in copies] == ["Product teaser (copy)", "Theirs"]
    assert len({scene, *(copy.uid for copy in copies)}) == 3
    assert pictify.videos.delete(copies[0].uid).success
    with pytest.raises(NotFoundError, match="Template not found"):
        pictify.videos.get(copies[0].uid)


def test_the_plan_limits_video_templates(fake: FakePictify, pictify: Pictify, scene: str) -> None:
    fake.template_limit = 2
    for call in (
        lambda: pictify.videos.create(name="Mine", kind="tsx", tsx=SCENE),
        lambda: pictify.videos.duplicate(scene),
        lambda: pictify.videos.generate(prompt="A cup"),
    ):
        with pytest.raises(QuotaExceededError) as caught:
            call()
        assert (caught.value.status_code, caught.value.code) == (402, "template_limit_reached")


def test_a_video_is_rendered_in_its_own_time(fake: FakePictify, pictify: Pictify, scene: str, timeline: str) -> None:
    video = pictify.videos.render(scene, variables={"title": "x"})
    assert (video.format, video.duration_in_frames, fake.clock.elapsed) == ("mp4", 150, 90)
    content = fake.file(video.url)
    assert content[4:12] == b"ftypisom"
    assert int.from_bytes(content[-8:-6]) == int.from_bytes(content[-4:-2]) == 1080
    # The box of boxes is as long as it says.
    assert int.from_bytes(content[28:32]) == len(content) - 28
    gif = pictify.videos.render(timeline, format="gif", variables={"unknown": "x"})
    assert (gif.format, gif.duration_in_frames) == ("gif", 150)
    assert fake.file(gif.url)[6:10] == (720).to_bytes(2, "little") * 2
    assert fake.renders == 2


def test_a_served_video_is_there_at_once(fake: FakePictify, scene: str) -> None:
    with serving(fake) as url, Pictify(api_key=fake.api_key, base_url=url) as pictify:
        assert pictify.download(pictify.videos.render(scene)).content_type == "video/mp4"


def test_a_small_gif_keeps_its_size(fake: FakePictify, pictify: Pictify, scene: str) -> None:
    fake.videos[0].update(width=300, height=200)
    assert fake.file(pictify.videos.render(scene, format="gif").url)[6:8] == (300).to_bytes(2, "little")


def test_a_timeout_that_is_too_short_bills_the_render_once(fake: FakePictify, scene: str) -> None:
    with pytest.raises(APITimeoutError):
        fake.client(attempt_timeout=30).videos.render(scene)
    assert ([str(each.operation) for each in fake.requests], fake.renders) == ([RENDER], 1)
    assert fake.clock.elapsed == 30


@pytest.mark.parametrize("error", [httpx.ReadError, httpx.RemoteProtocolError, httpx.ReadTimeout])
def test_a_render_whose_response_is_lost_is_not_sent_again(
    fake: FakePictify, pictify: Pictify, scene: str, error: type[httpx.TransportError]
) -> None:
    fake.fail_next(error, operation=RENDER)
    with pytest.raises(APIConnectionError):
        pictify.videos.render(scene)
    assert (len(fake.requests), fake.renders) == (1, 1)


def test_a_render_that_the_api_has_not_begun_is_sent_again(fake: FakePictify, pictify: Pictify, scene: str) -> None:
    fake.fail_next(503, operation=RENDER)
    fake.fail_next(httpx.ConnectError, operation=RENDER)
    assert pictify.videos.render(scene).url
    assert fake.renders == 1


def test_a_cancelled_render_is_not_sent_again(fake: FakePictify, scene: str) -> None:
    async def run() -> None:
        pictify = fake.async_client()
        with anyio.CancelScope() as scope:
            scope.cancel()
            await pictify.videos.render(scene)
        assert (await pictify.videos.render(scene)).url

    anyio.run(run)
    assert fake.renders <= 2


def test_what_cannot_be_rendered(fake: FakePictify, pictify: Pictify, scene: str, timeline: str) -> None:
    for call in (pictify.videos.render, pictify.videos.preview):
        with pytest.raises(UnprocessableContentError, match="Unknown variable: tilte") as caught:
            call(scene, variables={"tilte": "x"})
        assert caught.value.code == "invalid_variable"
    with pytest.raises(ServerError) as unsupported:
        pictify.videos.preview(timeline)
    assert (unsupported.value.status_code, unsupported.value.code) == (501, "preview_not_supported")
    fake.quota = 0
    with pytest.raises(QuotaExceededError) as used_up:
        pictify.videos.render(scene)
    assert (used_up.value.status_code, used_up.value.code) == (402, "quota_exceeded")
    fake.email_verified = False
    for forbidden in (lambda: pictify.videos.render(scene), lambda: pictify.videos.generate(prompt="A cup")):
        with pytest.raises(ForbiddenError, match="verify"):
            forbidden()


def test_a_frame_is_an_image(fake: FakePictify, pictify: Pictify, scene: str) -> None:
    assert fake.file(pictify.videos.preview(scene, frame=3, variables={"title": "x"})).startswith(b"\x89PNG")
    assert fake.renders == 0


def test_a_video_is_generated_for_ai_credits(fake: FakePictify, pictify: Pictify) -> None:
    fake.ai_credits = 7
    made = pictify.videos.generate(prompt='A "teaser" (short)', width=640, height=360, duration_seconds=2)
    assert (made.template.width, made.template.height, made.template.duration_in_frames) == (640, 360, 60)
    assert [each.name for each in made.template.variable_definitions or []] == ["title"]
    assert fake.file(made.preview_url or "").startswith(b"\x89PNG")
    assert (fake.ai_credits, fake.renders) == (2, 0)
    with pytest.raises(QuotaExceededError) as caught:
        pictify.videos.generate(prompt="Another")
    assert caught.value.code == "ai_quota_exceeded"
    fake.ai_credits = None
    assert pictify.videos.generate(prompt="Another").template.duration_in_frames == 150
