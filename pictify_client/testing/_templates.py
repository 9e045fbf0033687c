"""The templates of the fake API."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping

from ._account import Account, Record, matching, page_of
from ._images import MEDIA_TYPES, file, png
from ._responses import FakeResponse, Rejected, image_response, rejected, render_error

_MAX_HTML = 500 * 1024
# Lists omit these fields of a template.
_NOT_LISTED = ("layouts", "fabricJSData", "pages")
_VARIABLE = re.compile(r"\{\{\{?\s*(?:#(?:if|each|unless|with)\s+)?([A-Za-z_]\w*)[\s.}]")
_RESERVED = {"else", "this"}


class Templates:
    """Templates, and their images at URLs that can be embedded."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def list_templates(
        self,
        page: int = 1,
        limit: int = 12,
        sort: str = "newest",
        output_format: str = "all",
        has_dynamic_link: bool | None = None,
    ) -> Record:
        records = [self._listed(template) for template in self._account.all("templates")]
        found = matching(records, outputFormat=None if output_format == "all" else output_format)
        found = matching(found, hasDynamicLink=has_dynamic_link)
        by = "name" if sort == "name" else "createdAt"
        if sort == "newest":
            # Of those that were created at the same time, the last comes first.
            found.reverse()
        found.sort(key=lambda template: template.get(by, ""), reverse=sort == "newest")
        counts = {"all": len(records), **{kind: len(matching(records, outputFormat=kind)) for kind in ("image", "pdf")}}
        return {**page_of("templates", found, page, limit), "counts": counts}

    def search_templates(self, q: str = "", page: int = 1, limit: int = 12) -> Record:
        words = q.lower().split()
        found = [
            self._listed(template)
            for template in reversed(self._account.all("templates"))
            if all(word in json.dumps([template.get("name"), template.get("tags")]).lower() for word in words)
        ]
        return page_of("templates", found, page, limit)

    def templates_by_type(self, type: str) -> Record:  # noqa: A002
        return {"templates": [self._listed(each) for each in matching(self._account.all("templates"), type=type)]}

    def preview_template(self, body: Record) -> Record:
        _check_design(body)
        template: Record = {name: value for name, value in body.items() if name != "variables"}
        _define_variables(template)
        check_variables(template, body.get("variables", {}))
        extension, width, height = body.get("format", "png"), body.get("width", 1280), body.get("height", 720)
        data = b64encode(file(extension, width, height)).decode()
        return {
            "dataUrl": f"data:{MEDIA_TYPES.get(extension, 'image/png')};base64,{data}",
            "width": width,
            "height": height,
            "format": extension,
            "renderId": self._account.new_id("preview"),
            "timings": {"render": 212},
            "totalMs": 240,
        }

    def create_template(self, body: Record) -> Record:
        limit = self._account.template_limit
        if limit is not None and len(self._account.all("templates")) >= limit:
            raise rejected(402, f"Your plan allows {limit} templates", code="template_limit_reached")
        _check_design(body)
        created = self._account.now()
        is_canvas = "fabricJSData" in body and "html" not in body
        template: Record = {
            "uid": self._account.new_id("template"),
            "html": None,
            "engine": "fabric" if is_canvas else "html",
            "type": "canvas" if is_canvas else "html",
            "tags": [],
            "width": 1200,
            "height": 630,
            "thumbnail": None,
            "outputFormat": "image",
            "jsEnabled": False,
            "strictVariables": False,
            **body,
            "createdAt": created,
            "updatedAt": created,
        }
        added = _define_variables(template)
        self._account.templates.append(template)
        return {"template": template, **({"addedVariables": added} if added else {})}

    def get_template(self, uid: str) -> Record:
        return {"template": self._account.template(uid)}

    def update_template(self, uid: str, body: Record) -> Record:
        template = self._account.template(uid)
        _check_design(body)
        if body.get("engine", template.get("engine")) != template.get("engine"):
            raise rejected(422, "The engine of a template cannot be changed", errors=["engine is immutable"])
        template.update(body, updatedAt=self._account.now())
        added = _define_variables(template)
        return {"template": template, **({"addedVariables": added} if added else {})}

    def delete_template(self, uid: str) -> Record:
        self._account.templates.remove(self._account.template(uid))
        return {"message": "Template deleted successfully"}

    def get_template_variables(self, uid: str) -> Record:
        template = self._account.template(uid)
        variables: list[Record] = template.get("variableDefinitions") or []
        return {"templateUid": uid, "templateName": template.get("name", ""), "variables": variables}

    def render_template_url(
        self,
        template_uid: str,
        format: str,  # noqa: A002
        layout: str | None = None,
        **_: object,
    ) -> FakeResponse:
        try:
            template = self._account.template(template_uid)
        except Rejected:
            return FakeResponse(404, {"content-type": "image/png"}, png(1, 1, transparent=True))
        size = layout_size(template, layout or "default")
        if size is None:
            raise render_error(400, f"Layout '{layout}' not found")
        headers = {"cache-control": "private, max-age=300", "referrer-policy": "no-referrer"}
        return image_response(format, size, headers)

    def _listed(self, template: Record) -> Record:
        bound = {binding.get("templateId") for binding in self._account.all("bindings")}
        shown = {name: value for name, value in template.items() if name not in _NOT_LISTED}
        return {**shown, "hasDynamicLink": template.get("uid") in bound}


def layout_size(template: Record, layout: str) -> tuple[float, float] | None:
    """Width and height of a layout of a template; None if it has no such layout."""
    layouts: Record = template.get("layouts") or {}
    known: Record | None = template if layout == "default" else layouts.get(layout)
    if known is None:
        return None
    sizes: Record = {"width": 1280, "height": 720, **template, **known}
    return sizes["width"], sizes["height"]


def check_variables(template: Record, variables: Mapping[str, object]) -> None:
    """Check the values for the variables of a template. Unknown ones are ignored, unless it is strict.

    Raises:
        Rejected: If a required value is missing, or the template is strict and does not have a variable.
    """
    definitions: list[Record] = template.get("variableDefinitions") or []
    known = {definition.get("name") for definition in definitions}
    for definition in definitions:
        name = definition.get("name")
        validation: Record = definition.get("validation") or {}
        is_required = definition.get("required") or validation.get("required")
        if is_required and name not in variables:
            raise render_error(
                422, f"Variable '{name}' is required", code="VARIABLE_REQUIRED", context={"variable": name}
            )
    unknown = [name for name in variables if name not in known] if template.get("strictVariables") else []
    if unknown:
        raise render_error(
            422, f"Variable '{unknown[0]}' is not defined", code="UNDEFINED_VARIABLE", context={"variable": unknown[0]}
        )


def _check_design(body: Record) -> None:
    html = body.get("html")
    if html is not None and len(html.encode()) > _MAX_HTML:
        raise render_error(413, "The template is larger than 500 KB", code="TEMPLATE_TOO_LARGE")
    if html is not None and html.count("{{") != html.count("}}"):
        raise render_error(422, "The template cannot be compiled", code="HANDLEBARS_COMPILE_ERROR", context={"line": 1})
    if body.get("outputFormat") == "pdf" and body.get("layouts"):
        raise rejected(422, "The template is invalid", errors=["layouts cannot be used with outputFormat pdf"])


def _define_variables(template: Record) -> list[str]:
    """Define the variables that the HTML of a template uses; returns the names of those that were not defined."""
    definitions: list[Record] = template.get("variableDefinitions") or []
    template["variableDefinitions"] = definitions
    known = {definition.get("name") for definition in definitions}
    used = dict.fromkeys(_VARIABLE.findall(template.get("html") or ""))
    added = [name for name in used if name not in known and name not in _RESERVED]
    definitions += ({"name": name, "type": "text", "defaultValue": ""} for name in added)
    template["variables"] = [definition["name"] for definition in definitions if "name" in definition]
    return added
