"""Videos: compilation of scenes, renders that take minutes, and their billing."""

from __future__ import annotations

from functools import partial
from threading import Event
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
    RequestEvent,
    ServerError,
    UnprocessableContentError,
)
from pictify_client.api.videos import render_video
from pictify_client.testing import FakePictify, serving

from .servers import TEST_TIMEOUT, Connection, client_of, forms, run, served
from .servers import call as send

SHORT = 0.05

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


def test_a_list_has_at_most_100_videos(fake: FakePictify, pictify: Pictify) -> None:
    for number in range(99):
        pictify.videos.create(name=f"Video {number}", kind="tsx", tsx=SCENE)
    videos = pictify.videos.list()
    assert len(videos) == 100
    assert (videos[0].name, videos[-1].name) == ("Video 98", "Year in review")
    assert len(fake.videos) == 101


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


def test_a_scene_that_does_not_compile_is_not_saved_and_each_problem_is_reported(
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


def test_the_source_depends_on_the_kind(pictify: Pictify, scene: str, timeline: str) -> None:
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


def test_an_invalid_request_has_the_form_of_compile_errors(fake: FakePictify) -> None:
    headers = {"authorization": f"Bearer {fake.api_key}"}
    response = fake.respond("POST", "/video/templates", headers, b'{"kind": "tsx", "tsx": "", "fps": 0}')
    assert (response.status, response.body) == (422, b'{"errors": ["name is required"]}')


def test_a_video_is_updated(fake: FakePictify, pictify: Pictify, scene: str) -> None:
    assert pictify.videos.update(scene, name="Ours", fps=60).fps == 60
    assert [each["name"] for each in fake.videos[0]["variableDefinitions"]] == ["title", "price"]
    updated = pictify.videos.update(scene, tsx=SCENE)
    assert [each.name for each in updated.variable_definitions or []] == ["title", "count", "on", "now"]
    kept = pictify.videos.update(scene, tsx=SCENE, variable_definitions=[{"name": "title"}])
    assert [each.name for each in kept.variable_definitions or []] == ["title"]
    known = pictify.videos.get_variables(scene)
    assert ([each.name for each in known.variables], known.referenced) == (["title"], ["title", "count", "on", "now"])


def test_a_copy_has_its_own_id_and_name(pictify: Pictify, scene: str) -> None:
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
    assert len(fake.videos) == 2
    fake.template_limit = 3
    assert pictify.videos.duplicate(scene).uid
    with pytest.raises(QuotaExceededError):
        pictify.videos.create(name="Mine", kind="tsx", tsx=SCENE)


def test_a_render_takes_as_long_as_the_video_requires(
    fake: FakePictify, pictify: Pictify, scene: str, timeline: str
) -> None:
    video = pictify.videos.render(scene, variables={"title": "x"})
    assert (video.format, video.duration_in_frames, fake.clock.elapsed) == ("mp4", 150, 90)
    content = fake.file(video.url)
    assert content[4:12] == b"ftypisom"
    assert int.from_bytes(content[-8:-6]) == int.from_bytes(content[-4:-2]) == 1080
    # The outer box has the declared length.
    assert int.from_bytes(content[28:32]) == len(content) - 28
    gif = pictify.videos.render(timeline, format="gif", variables={"unknown": "x"})
    assert (gif.format, gif.duration_in_frames) == ("gif", 150)
    assert fake.file(gif.url)[6:10] == (720).to_bytes(2, "little") * 2
    assert (fake.renders, fake.clock.elapsed) == (2, 180)


def test_a_served_render_uses_the_fake_clock(fake: FakePictify, scene: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The clock of the machine stands still.
    monkeypatch.setattr("pictify_client.testing.clock.time.monotonic", lambda: 100.0)
    with serving(fake) as url, Pictify(api_key=fake.api_key, base_url=url) as pictify:
        assert pictify.download(pictify.videos.render(scene)).content_type == "video/mp4"
        assert fake.clock.elapsed == 90
        pictify.videos.get(scene)
        assert fake.clock.elapsed == 90


def test_a_small_gif_keeps_its_size(fake: FakePictify, pictify: Pictify, scene: str) -> None:
    fake.videos[0].update(width=300, height=200)
    assert fake.file(pictify.videos.render(scene, format="gif").url)[6:8] == (300).to_bytes(2, "little")


def test_a_timeout_that_is_too_short_bills_the_render_once(fake: FakePictify, scene: str) -> None:
    with pytest.raises(APITimeoutError):
        fake.client(attempt_timeout=30).videos.render(scene)
    assert ([str(each.operation) for each in fake.requests], fake.renders) == ([RENDER], 1)
    assert fake.clock.elapsed == 30


@pytest.mark.parametrize("error", [httpx.ReadError, httpx.RemoteProtocolError, httpx.ReadTimeout])
def test_a_render_whose_response_is_lost_is_not_retried(
    fake: FakePictify, pictify: Pictify, scene: str, error: type[httpx.TransportError]
) -> None:
    fake.fail_next(error, operation=RENDER)
    with pytest.raises(APIConnectionError):
        pictify.videos.render(scene)
    assert (len(fake.requests), fake.renders) == (1, 1)


def test_a_render_that_the_api_has_not_begun_is_retried(fake: FakePictify, pictify: Pictify, scene: str) -> None:
    fake.fail_next(503, operation=RENDER)
    fake.fail_next(httpx.ConnectError, operation=RENDER)
    assert pictify.videos.render(scene).url
    assert fake.renders == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_render_that_is_cancelled_while_it_waits_is_billed_once(fake: FakePictify, scene: str, backend: str) -> None:
    scopes: list[anyio.CancelScope] = []

    def cancel(_event: RequestEvent) -> None:
        scopes.pop().cancel()

    async def run() -> None:
        with anyio.CancelScope() as scope:
            scopes.append(scope)
            await fake.async_client(on_request=cancel).videos.render(scene)
        assert scope.cancelled_caught

    anyio.run(run, backend=backend)
    assert (len(fake.requests), fake.renders, fake.clock.elapsed) == (1, 1, 0)


@forms
def test_a_render_over_a_socket_ends_with_its_call_and_is_never_retried(form: str) -> None:
    def silent(connection: Connection) -> None:
        connection.receive()
        arrived.set()
        connection.receive()

    arrived = Event()
    with served(silent) as server:

        async def test() -> None:
            async with client_of(server, timeout=SHORT) as client:
                with pytest.raises(APITimeoutError, match="set by timeout="):
                    await send(form, render_video, client, uid="a", body={})
                assert server.all_closed()
            if form == "sync":
                return
            arrived.clear()
            async with client_of(server) as client, anyio.create_task_group() as group:
                group.start_soon(partial(send, form, render_video, client, uid="b", body={}))
                await anyio.to_thread.run_sync(arrived.wait, TEST_TIMEOUT)
                group.cancel_scope.cancel()
            assert server.all_closed()

        run(form, test)
    assert len(server.requests) == (1 if form == "sync" else 2)


def test_a_failed_render_is_not_billed(fake: FakePictify, pictify: Pictify, scene: str) -> None:
    fake.quota = 3
    for attempt in range(3):
        with pytest.raises(UnprocessableContentError):
            pictify.videos.render(scene, variables={"tilte": "x"})
        pictify.videos.preview(scene)
        assert fake.renders == attempt
        pictify.videos.render(scene)
    with pytest.raises(QuotaExceededError):
        pictify.videos.render(scene)
    assert (fake.renders, len(fake.feed)) == (3, 3)


def test_an_invalid_render_is_an_error(fake: FakePictify, pictify: Pictify, scene: str, timeline: str) -> None:
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


@pytest.mark.parametrize(
    "text",
    ["a {", "}", "{}", "{0}", "{{title}}", "%s", ")", "(x", '"', "'", "\\", '\\"', "//", "/*", "`{", "\n{", "\u00fc{"],
)
def test_a_prompt_may_be_any_text(pictify: Pictify, text: str) -> None:
    template = pictify.videos.generate(prompt=text).template
    assert [(each.name, each.default_value) for each in template.variable_definitions or []] == [("title", text)]
    assert pictify.videos.update(template.uid, tsx=template.tsx or "").tsx == template.tsx


@pytest.mark.parametrize(
    ("line", "compiles"),
    [
        ("const a = '{'; // }}", True),
        ('const a = "\\"{";', True),
        ("const a = `}${b}`;", True),
        ("/* {\n{ */", True),
        ("<b>Don't {title}</b>", True),
        ("<b>Don't {title</b>", False),
        ("const a = '}' + {;", False),
    ],
)
def test_braces_in_strings_and_comments_do_not_count(pictify: Pictify, line: str, *, compiles: bool) -> None:
    source = f"export default () => null;\n{line}\n"
    if compiles:
        assert pictify.videos.create(name="Mine", kind="tsx", tsx=source).tsx == source
    else:
        with pytest.raises(UnprocessableContentError, match="unexpected end of file"):
            pictify.videos.create(name="Mine", kind="tsx", tsx=source)


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
    fake.ai_credits = 5
    assert pictify.videos.generate(prompt="Another").preview_url
    assert fake.ai_credits == 0
    fake.ai_credits = None
    assert pictify.videos.generate(prompt="Another").template.duration_in_frames == 150
