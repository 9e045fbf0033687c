"""The video templates of the fake API. Scenes are not run: their variables are those that the source names."""

from __future__ import annotations

import json
import re
from typing import Any

from ._account import Account, Record, one
from ._responses import FakeResponse, Rejected, json_response, rejected

_NEWEST = 100
_GENERATE_CREDITS = 5
_GIF_WIDTH = 720
_DEFAULTS: Record = {"width": 1080, "height": 1080, "fps": 30, "status": "draft", "posterUrl": None}
# Fields of a zod schema: `title: z.string().default("Untitled")`.
_FIELD = re.compile(r'(\w+): z\.(\w+)\(\)(?:\.default\(("(?:\\.|[^"\\])*"|[^()]*)\))?')
# Strings and comments may contain any braces. An apostrophe in text is not the start of a string.
_LITERAL = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`""", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_TYPES = {"number": "number", "boolean": "boolean"}
_SCENE = """\
import {{ AbsoluteFill }} from "remotion";
import {{ z }} from "zod";

export const schema = z.object({{ title: z.string().default({title}) }});

export default function Scene({{ title }}: z.infer<typeof schema>) {{
  return <AbsoluteFill>{{title}}</AbsoluteFill>;
}}
"""


class Videos:
    """Video templates. Of timelines nothing is known but the variables in them."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def list_videos(self) -> Record:
        newest = self._account.all("videos")[-_NEWEST:][::-1]
        hidden = ("tsx", "projectJson")
        return {"templates": [{name: value for name, value in each.items() if name not in hidden} for each in newest]}

    def create_video(self, body: Record) -> Record:
        source, other = ("tsx", "projectJson") if body["kind"] == "tsx" else ("projectJson", "tsx")
        if other in body:
            raise _wrong_source(body["kind"], other)
        if source not in body:
            raise _compile_errors([f"a template of the kind {body['kind']} needs {source}"])
        return {"template": self._add(body)}

    def get_video(self, uid: str) -> Record:
        return {"template": self._video(uid)}

    def update_video(self, uid: str, body: Record) -> Record:
        video = self._video(uid)
        other = "projectJson" if video["kind"] == "tsx" else "tsx"
        if other in body:
            raise _wrong_source(video["kind"], other)
        defined = _variables(body)
        video.update(body, updatedAt=self._account.now())
        if defined is not None and "variableDefinitions" not in body:
            video["variableDefinitions"] = defined
        return {"template": video}

    def delete_video(self, uid: str) -> Record:
        self._account.videos.remove(self._video(uid))
        return {"success": True}

    def duplicate_video(self, uid: str, body: Record) -> Record:
        video = self._video(uid)
        return {"template": self._add({**video, "name": f"{video['name']} (copy)", **body})}

    def get_video_variables(self, uid: str) -> Record:
        video = self._video(uid)
        return {
            "templateUid": uid,
            "templateName": video["name"],
            "kind": video["kind"],
            "variables": video["variableDefinitions"],
            "referenced": [each["name"] for each in _variables(video) or []],
        }

    def render_video(self, uid: str, body: Record) -> FakeResponse:
        video = self._video(uid)
        _check_variables(video, body.get("variables", {}))
        extension = body.get("format", "mp4")
        width, height = video["width"], video["height"]
        if extension == "gif" and width > _GIF_WIDTH:
            width, height = _GIF_WIDTH, round(height * _GIF_WIDTH / width)
        url = self._account.keep(extension, (width, height))
        self._account.enter(self._account.new_id("render"), url, (width, height), uid)
        frames = video.get("durationInFrames") or 5 * video["fps"]
        response = json_response(200, {"url": url, "durationInFrames": frames, "format": extension})
        return response._replace(seconds=self._account.video_seconds)

    def preview_video(self, uid: str, body: Record) -> Record:
        video = self._video(uid)
        if video["kind"] != "tsx":
            raise rejected(501, "A timeline has no preview", code="preview_not_supported")
        _check_variables(video, body.get("variables", {}))
        return {"url": self._account.keep("png", (video["width"], video["height"]))}

    def generate_video(self, body: Record) -> Record:
        credits_left = self._account.ai_credits
        if credits_left is not None and credits_left < _GENERATE_CREDITS:
            raise rejected(402, "Your AI credits are used up", code="ai_quota_exceeded")
        sizes: Record = {name: body[name] for name in ("width", "height") if name in body}
        frames = round(body.get("durationSeconds", 5) * _DEFAULTS["fps"])
        scene = _SCENE.format(title=json.dumps(body["prompt"][:40]))
        video = self._add(
            {"name": body["prompt"][:40], "kind": "tsx", "tsx": scene, **sizes, "durationInFrames": frames}
        )
        if credits_left is not None:
            self._account.ai_credits = credits_left - _GENERATE_CREDITS
        return {"template": video, "previewUrl": self._account.keep("png", (video["width"], video["height"]))}

    def _video(self, uid: str) -> Record:
        return one(self._account.all("videos"), "Template", uid=uid)

    def _add(self, body: Record) -> Record:
        limit = self._account.template_limit
        if limit is not None and len(self._account.all("videos")) >= limit:
            raise rejected(402, f"Your plan allows {limit} templates", code="template_limit_reached")
        created = self._account.now()
        video: Record = {
            "durationInFrames": None,
            **_DEFAULTS,
            "variableDefinitions": _variables(body) or [],
            **body,
            "uid": self._account.new_id("video"),
            "createdAt": created,
            "updatedAt": created,
        }
        self._account.videos.append(video)
        return video


def _variables(body: Record) -> list[Record] | None:
    """The variables of a scene or a timeline; None if the body has neither.

    Raises:
        Rejected: If the scene cannot be compiled.
    """
    if "tsx" in body:
        source: str = body["tsx"]
        errors: list[str] = []
        if not re.search(r"\bexport default\b", source):
            errors.append("scene.tsx: the scene has no default export")
        code = _LITERAL.sub("", source)
        if code.count("{") != code.count("}"):
            errors.append(f"scene.tsx:{source.count(chr(10)) + 1}: unexpected end of file")
        if errors:
            raise _compile_errors(errors)
        return [
            {"name": name, "type": _TYPES.get(kind, "text"), "defaultValue": _value(default)}
            for name, kind, default in _FIELD.findall(source)
        ]
    if "projectJson" in body:
        names = dict.fromkeys(_PLACEHOLDER.findall(json.dumps(body["projectJson"])))
        return [{"name": name, "type": "text", "defaultValue": ""} for name in names]
    return None


def _value(literal: str) -> Any:
    try:
        return json.loads(literal)
    except ValueError:
        return literal


def _check_variables(video: Record, variables: Record) -> None:
    known = {each.get("name") for each in video["variableDefinitions"]}
    unknown = [name for name in variables if name not in known]
    # On a timeline they are ignored.
    if unknown and video["kind"] == "tsx":
        raise rejected(422, f"Unknown variable: {unknown[0]}", code="invalid_variable")


def _wrong_source(kind: str, field: str) -> Rejected:
    return _compile_errors([f"a template of the kind {kind} has no {field}"])


def _compile_errors(errors: list[str]) -> Rejected:
    return Rejected("; ".join(errors), json_response(422, {"errors": errors}))
