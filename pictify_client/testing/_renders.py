"""The renders of the fake API: URLs, and plain files at them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ._account import Account, Record, matching, offset_page
from ._responses import render_error
from ._templates import check_variables, layout_size

# Pixels, at 96 to the inch.
_PAPER = {
    name: {"width": width, "height": height}
    for name, width, height in (
        ("A4", 794, 1123),
        ("A4_LANDSCAPE", 1123, 794),
        ("Letter", 816, 1056),
        ("Legal", 816, 1344),
        ("Tabloid", 1056, 1632),
        ("A3", 1123, 1587),
        ("A5", 559, 794),
    )
}
_SIZES = {"og-image": (1200, 630), "twitter-card": (1200, 675), "instagram-post": (1080, 1080)}
_MAX_SIDE = 4096
_FRAMES_PER_SECOND = 18
_ANIMATION_SECONDS = 2
_TEAM = "TEAM4F2K9Q"


class Renders:
    """Images, GIFs and PDFs."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def create_image(self, body: Record) -> Record:
        known: Record = {"width": 1280, "height": 720, **self._design(body), **body}
        size = (known["width"], known["height"])
        source, template = {"html": body.get("html"), "link": body.get("url")}, body.get("template")
        return self._image(body.get("fileExtension", "png"), size, template=template, source=source)

    def list_images(self, limit: int = 30, offset: int = 0) -> Record:
        images = [
            {name: each[name] for name in ("url", "createdAt")} | {"id": each["uid"]}
            for each in self._account.all("images")
        ]
        return offset_page("images", images, limit, offset)

    def get_image(self, uid: str) -> Record:
        return {"image": _found(self._account.all("images"), uid)}

    def create_og_image(self, body: Record) -> Record:
        if not matching(self._account.all("templates"), uid=body["template"]):
            raise render_error(404, "Template not found")
        return self._image("png", _SIZES["og-image"], template=body["template"])

    def create_canvas_image(self, body: Record) -> Record:
        size = (body.get("width", 1280), body.get("height", 720))
        return self._image(body.get("fileExtension", "png"), size)

    def agent_screenshot(self, body: Record) -> Record:
        words: list[str] = body["prompt"].split()
        metadata = {
            "prompt": body["prompt"],
            "url": next((word for word in words if word.startswith("https://")), "unknown"),
            "elementDescription": "the main part of the page",
            "selector": "main",
            "executionTime": 4200,
        }
        return {**self._image("png", (1280, 720)), "metadata": metadata}

    def create_gif(self, body: Record) -> Record:
        known: Record = {"width": 800, "height": 600, **self._design(body), **body}
        frames = body.get("framesPerSecond", _FRAMES_PER_SECOND)
        gif = self._gif(
            (known["width"], known["height"]), body, framesPerSecond=frames, animationLength=_ANIMATION_SECONDS * 1000
        )
        if "html" in body:
            gif["html"] = body["html"]
        return {"gif": gif, "_meta": {"processingTime": 1234}}

    def list_gifs(self, limit: int = 30, offset: int = 0) -> Record:
        return offset_page("gifs", self._account.all("gifs"), limit, offset)

    def get_gif(self, uid: str) -> Record:
        return {"gif": _found(self._account.all("gifs"), uid)}

    def capture_gif(self, body: Record) -> Record:
        # Whatever is requested, the length is a number that JSON has.
        frame, frames = min(max(body.get("frameDurationSeconds", 3), 0.001), 3600), 4
        length = {"framesPerSecond": 1 / frame, "animationLength": frame * frames, "frameDurationSeconds": frame}
        gif = self._gif((body.get("width", 800), body.get("height", 600)), body, **length)
        metadata = {name: gif[name] for name in ("width", "height", "quality", *length)}
        metadata.update(frameCount=frames, uid=gif["url"].rpartition("/")[2].partition(".")[0])
        return {"gif": gif, "metadata": metadata, "_meta": {"processingTime": 1234}}

    def list_pdfs(self, limit: int = 30, offset: int = 0) -> Record:
        return offset_page("pdfs", self._account.all("pdfs"), limit, offset)

    def render_pdf(self, body: Record) -> Record:
        return self._pdf(body, [body.get("variables", {})])

    def render_multi_page_pdf(self, body: Record) -> Record:
        return self._pdf(body, body["variableSets"])

    def get_pdf_presets(self) -> Record:
        return {"presets": _PAPER}

    def render_template(self, uid: str, body: Record) -> Record:
        template = self._account.template(uid)
        sets = body.get("variableSets") or [body.get("variables", {})]
        for variables in sets:
            check_variables(template, variables)
        layouts = body.get("layouts") or [body.get("layout", "default")]
        extension, results, errors = body.get("format", "png"), list[Record](), list[Record]()
        for layout in layouts:
            size = layout_size(template, layout)
            if size is None:
                errors.append({"layout": layout, "error": f"Layout '{layout}' not found"})
                continue
            width, height = body.get("width", size[0]), body.get("height", size[1])
            image = self._image(extension, (width, height), pages=len(sets), template=uid)
            layouts_of_template: Record = template.get("layouts") or {}
            name = layouts_of_template.get(layout, template).get("name", "")
            result = {"layout": layout, "name": name, "width": width, "height": height, "format": extension}
            results.append({**result, **image})
        totals = {"totalLayouts": len(layouts), "totalRendered": len(results), "totalErrors": len(errors)}
        return {"results": results, "errors": errors, **totals, "templateUid": uid}

    def multi_size_render_template(self, uid: str, body: Record) -> Record:
        check_variables(self._account.template(uid), body.get("variables", {}))
        results: list[Record] = []
        errors: list[Record] = []
        for size in body["sizes"]:
            width, height = _SIZES.get(size.get("preset")) or (size.get("width"), size.get("height"))
            if width is None or height is None:
                errors.append({"size": size, "error": "Neither a known preset nor a width and a height"})
                continue
            image = self._image(body.get("format", "png"), (width, height), template=uid)
            label = {"label": size["label"]} if "label" in size else {}
            shown = {"width": width, "height": height, "preset": size.get("preset"), **label}
            results.append({"url": image["url"], "id": image["id"], "size": shown})
        totals = {"totalSizes": len(body["sizes"]), "totalErrors": len(errors)}
        return {"results": results, "errors": errors, "templateUid": uid, **totals}

    def _design(self, body: Record) -> Record:
        """The template that a request names; an empty one if it has HTML or a URL."""
        if "template" not in body:
            return {}
        found = matching(self._account.all("templates"), uid=body["template"])
        if not found:
            # The API responds with 403 here, and not with 404.
            raise render_error(403, "Template not found")
        check_variables(found[0], body.get("variables", {}))
        return found[0]

    def _image(
        self,
        extension: str,
        size: tuple[float, float],
        *,
        pages: int = 1,
        template: str | None = None,
        source: Mapping[str, str | None] = MappingProxyType({}),
    ) -> Record:
        """Render an image or a PDF, and keep it as the API stores it."""
        width, height = (min(side, _MAX_SIDE) for side in size)
        created = {"url": self._account.keep(extension, (width, height), pages), "createdAt": self._account.now()}
        uid = self._account.new_id("image")
        self._account.enter(uid, created["url"], (width, height), template)
        if extension == "pdf":
            self._store_pdf(uid, created["url"], (width, height), pages)
            return {"id": uid, **created}
        stored = {"uid": uid, **created, "width": width, "height": height, "createdBy": _TEAM, "active": True}
        stored.update((name, value) for name, value in source.items() if value is not None)
        self._account.images.append(stored)
        return {"id": uid, **created}

    def _gif(self, size: tuple[float, float], body: Record, **length: float) -> Record:
        gif: Record = {
            "uid": self._account.new_id("gif"),
            "url": self._account.keep("gif", size),
            "width": size[0],
            "height": size[1],
            "quality": body.get("quality", "medium"),
            **length,
            "createdBy": _TEAM,
            "createdAt": self._account.now(),
            "active": True,
        }
        self._account.gifs.append(gif)
        self._account.enter(gif["uid"], gif["url"], size, body.get("template"))
        return gif

    def _pdf(self, body: Record, sets: list[Record]) -> Record:
        template = self._account.template(body["templateUid"])
        for variables in sets:
            check_variables(template, variables)
        options = body.get("options", {})
        preset = options.get("preset", "A4")
        size = options.get("customSize", {}) if preset == "custom" else _PAPER.get(preset, _PAPER["A4"])
        if not {"width", "height"} <= set(size):
            raise render_error(400, "The preset custom needs a customSize with a width and a height")
        paper = (size["width"], size["height"])
        url, uid = self._account.keep("pdf", paper, len(sets)), self._account.new_id("pdf")
        self._account.enter(uid, url, paper, body["templateUid"])
        self._store_pdf(uid, url, paper, len(sets))
        return {"success": True, "url": url, "pageCount": len(sets), "preset": preset, "pageSize": size}

    def _store_pdf(self, uid: str, url: str, size: tuple[float, float], pages: int) -> None:
        pdf = {"id": uid, "url": url, "width": size[0], "height": size[1], "pageCount": pages}
        self._account.pdfs.append({**pdf, "createdAt": self._account.now()})


def _found(records: list[Record], uid: str) -> Record:
    found = matching(records, uid=uid)
    if not found:
        raise render_error(404, "Not found")
    return found[0]
