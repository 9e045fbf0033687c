"""What the stand-in renders: addresses, and plain files at them."""

from __future__ import annotations

from attrs import define

from ._account import Account, Record, one
from ._answers import Refused, refused
from ._templates import check_variables

# Pixels, at 96 to the inch.
_PAPER = {
    name: {"width": width, "height": height}
    for name, width, height in (
        ("A4", 794, 1123),
        ("Letter", 816, 1056),
        ("Legal", 816, 1344),
        ("A3", 1123, 1587),
        ("A5", 559, 794),
    )
}
_SIZES = {"og-image": (1200, 630), "twitter-card": (1200, 675), "instagram-post": (1080, 1080)}


# Seconds that a batch takes, by the clock of the stand-in.
_BATCH_SECONDS = 3


class Renders:
    """Images, GIFs and PDFs."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def create_image(self, body: Record) -> Record:
        self._design(body)
        width, height = self._account.size(body.get("template"))
        size = (body.get("width", width), body.get("height", height))
        return _image(self._account, body.get("fileExtension", "png"), size)

    def list_images(self, limit: int = 30, offset: int = 0) -> Record:
        total = len(self._account.images)
        pagination = {"total": total, "limit": limit, "offset": offset, "hasMore": offset + limit < total}
        return {"images": self._account.images[offset : offset + limit], "pagination": pagination}

    def get_image(self, uid: str) -> Record:
        return {"image": one(self._account.images, "Image", id=uid)}

    def create_og_image(self, body: Record) -> Record:
        self._account.template(body["template"])
        return _image(self._account, "png", _SIZES["og-image"])

    def create_canvas_image(self, body: Record) -> Record:
        size = (body.get("width", 1200), body.get("height", 630))
        return _image(self._account, body.get("fileExtension", "png"), size)

    def agent_screenshot(self, body: Record) -> Record:
        words: list[str] = body["prompt"].split()
        metadata = {
            "prompt": body["prompt"],
            "url": next((word for word in words if word.startswith("https://")), "https://example.com/"),
            "elementDescription": "the main part of the page",
            "selector": "main",
            "executionTime": 4200,
        }
        return {**_image(self._account, "png", (1200, 630)), "metadata": metadata}

    def create_gif(self, body: Record) -> Record:
        return self._gif({**self._design(body), **body}, 3)

    def list_gifs(self, limit: int = 30, offset: int = 0) -> Record:
        return {"gifs": self._account.gifs[offset : offset + limit]}

    def get_gif(self, uid: str) -> Record:
        return {"gif": one(self._account.gifs, "GIF", uid=uid)}

    def capture_gif(self, body: Record) -> Record:
        return self._gif(body, body.get("frameDurationSeconds", 5))

    def render_pdf(self, body: Record) -> Record:
        return self._pdf(body, [body.get("variables", {})])

    def render_multi_page_pdf(self, body: Record) -> Record:
        return self._pdf(body, body["variableSets"])

    def get_pdf_presets(self) -> Record:
        return {"presets": _PAPER}

    def render_template(self, uid: str, body: Record) -> Record:
        check_variables(self._account.template(uid), body.get("variables", {}))
        return _image(self._account, body.get("format", "png"), self._account.size(uid))

    def multi_size_render_template(self, uid: str, body: Record) -> Record:
        check_variables(self._account.template(uid), body.get("variables", {}))
        results: list[Record] = []
        errors: list[Record] = []
        for size in body["sizes"]:
            width, height = _SIZES.get(size.get("preset")) or (size.get("width"), size.get("height"))
            if width is None or height is None:
                errors.append({"size": size, "error": "it is neither a known preset nor a width and a height"})
                continue
            image = _image(self._account, body.get("format", "png"), (width, height))
            label = {"label": size["label"]} if "label" in size else {}
            shown = {"width": width, "height": height, "preset": size.get("preset"), **label}
            results.append({"url": image["url"], "id": image["id"], "size": shown})
        totals = {"totalSizes": len(body["sizes"]), "totalErrors": len(errors)}
        return {"results": results, "errors": errors, "templateUid": uid, **totals}

    def _design(self, body: Record) -> Record:
        """The template that a request names; an empty one where it names HTML or a page."""
        if sum(name in body for name in ("html", "url", "template")) != 1:
            raise refused(400, "give one of html, url and template")
        if "template" not in body:
            return {}
        template = self._account.template(body["template"])
        check_variables(template, body.get("variables", {}))
        return template

    def _gif(self, size: Record, seconds: float) -> Record:
        uid = self._account.new_id("gif")
        width, height = size.get("width", 800), size.get("height", 600)
        url = self._account.keep("gifs", f"{uid}.gif", (width, height))
        gif = {"url": url, "uid": uid, "width": width, "height": height, "animationLength": seconds}
        self._account.gifs.append(gif)
        return {"gif": gif}

    def _pdf(self, body: Record, sets: list[Record]) -> Record:
        template = self._account.template(body["templateUid"])
        for variables in sets:
            check_variables(template, variables)
        options = body.get("options", {})
        preset = options.get("preset", "A4")
        size = _PAPER.get(preset) or options.get("customSize", {})
        if not {"width", "height"} <= set(size):
            raise refused(400, "the preset custom needs a customSize with a width and a height")
        name, sides = f"{self._account.new_id('pdf')}.pdf", (int(size["width"]), int(size["height"]))
        url = self._account.keep("pdfs", name, sides, len(sets))
        return {"success": True, "url": url, "pageCount": len(sets), "preset": preset, "pageSize": size}


@define
class _Started:
    template: Record
    body: Record
    at: float
    polls: int = 0


class Batches:
    """Batches. One goes on by a third of its images a second, and with each time that its results are asked for.

    Who asks again without having waited on the clock of the stand-in has one of his own, on which it is later.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._batches: list[Record] = []
        self._started: dict[str, _Started] = {}

    def batch_render_template(self, uid: str, body: Record) -> Record:
        template = self._account.template(uid)
        batch_id, total = self._account.new_id("batch"), len(body["variableSets"])
        accepted = {"batchId": batch_id, "status": "pending", "totalItems": total}
        counts = {"progress": 0, "completedItems": 0, "failedItems": 0, "results": list[Record]()}
        self._batches.append({**accepted, **counts, "createdAt": self._account.now()})
        self._started[batch_id] = _Started(template, body, self._account.clock.time())
        return {**accepted, "message": f"Batch of {total} accepted"}

    def get_batch_results(self, batch_id: str) -> Record:
        batch = one(self._batches, "Batch", batchId=batch_id)
        started = self._started[batch_id]
        if batch["status"] == "pending":
            batch.update(status="processing", startedAt=batch["createdAt"])
        if batch["status"] == "processing":
            seconds = max(int(self._account.clock.time() - started.at), started.polls)
            started.polls = seconds + 1
            self._go_on(batch, started, seconds)
        return batch

    def cancel_batch(self, batch_id: str) -> Record:
        batch = one(self._batches, "Batch", batchId=batch_id)
        if batch["status"] not in ("pending", "processing"):
            return {"batchId": batch_id, "status": batch["status"], "message": "The batch has already ended"}
        batch.update(status="cancelled", completedAt=self._account.now())
        return {"batchId": batch_id, "status": "cancelled", "message": "Batch cancelled"}

    def _go_on(self, batch: Record, started: _Started, seconds: int) -> None:
        template, body = started.template, started.body
        results, total = batch["results"], batch["totalItems"]
        width, height = self._account.size(template["uid"])
        for index in range(len(results), min(seconds * -(-total // _BATCH_SECONDS), total)):
            try:
                check_variables(template, body["variableSets"][index])
            except Refused as refusal:
                results.append({"index": index, "success": False, "error": refusal.message})
            else:
                url = _image(self._account, body.get("format", "png"), (width, height))["url"]
                results.append({"index": index, "success": True, "url": url, "width": width, "height": height})
        done = sum(result["success"] for result in results)
        failed = len(results) - done
        batch.update(progress=100 * len(results) // total, completedItems=done, failedItems=failed)
        if len(results) == total:
            status = "failed" if not done else "partial" if failed else "completed"
            batch.update(status=status, completedAt=self._account.now())


def _image(account: Account, extension: str, size: tuple[int, int]) -> Record:
    uid = account.new_id("img")
    url = account.keep("images", f"{uid}.{extension}", size)
    image = {"url": url, "id": uid, "createdAt": account.now()}
    account.images.append(image)
    return image
