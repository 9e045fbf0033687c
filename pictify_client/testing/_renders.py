"""What the stand-in renders: nothing but addresses."""

from __future__ import annotations

from ._account import Account, Record, one
from ._answers import Refused, address, refused
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


class Renders:
    """Images, GIFs and PDFs."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def create_image(self, body: Record) -> Record:
        self._design(body)
        return _image(self._account, body.get("fileExtension", "png"))

    def list_images(self, limit: int = 30, offset: int = 0) -> Record:
        total = len(self._account.images)
        pagination = {"total": total, "limit": limit, "offset": offset, "hasMore": offset + limit < total}
        return {"images": self._account.images[offset : offset + limit], "pagination": pagination}

    def get_image(self, uid: str) -> Record:
        return {"image": one(self._account.images, "Image", id=uid)}

    def create_og_image(self, body: Record) -> Record:
        self._account.template(body["template"])
        return _image(self._account, "png")

    def create_canvas_image(self, body: Record) -> Record:
        return _image(self._account, body.get("fileExtension", "png"))

    def agent_screenshot(self, body: Record) -> Record:
        words: list[str] = body["prompt"].split()
        metadata = {
            "prompt": body["prompt"],
            "url": next((word for word in words if word.startswith("https://")), "https://example.com/"),
            "elementDescription": "the main part of the page",
            "selector": "main",
            "executionTime": 4200,
        }
        return {**_image(self._account, "png"), "metadata": metadata}

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
        return _image(self._account, body.get("format", "png"))

    def multi_size_render_template(self, uid: str, body: Record) -> Record:
        check_variables(self._account.template(uid), body.get("variables", {}))
        results: list[Record] = []
        errors: list[Record] = []
        for size in body["sizes"]:
            width, height = _SIZES.get(size.get("preset")) or (size.get("width"), size.get("height"))
            if width is None or height is None:
                errors.append({"size": size, "error": "it is neither a known preset nor a width and a height"})
                continue
            image = _image(self._account, body.get("format", "png"))
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
        gif = {
            "url": address("gifs", f"{uid}.gif"),
            "uid": uid,
            "width": size.get("width", 800),
            "height": size.get("height", 600),
            "animationLength": seconds,
        }
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
        url = address("pdfs", f"{self._account.new_id('pdf')}.pdf")
        return {"success": True, "url": url, "pageCount": len(sets), "preset": preset, "pageSize": size}


class Batches:
    """Batches. Whenever the results of one are asked for, it goes on by a third of its images."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._batches: list[Record] = []
        self._requests: dict[str, tuple[Record, Record]] = {}

    def batch_render_template(self, uid: str, body: Record) -> Record:
        template = self._account.template(uid)
        batch_id, total = self._account.new_id("batch"), len(body["variableSets"])
        accepted = {"batchId": batch_id, "status": "pending", "totalItems": total}
        counts = {"progress": 0, "completedItems": 0, "failedItems": 0, "results": list[Record]()}
        self._batches.append({**accepted, **counts, "createdAt": self._account.now()})
        self._requests[batch_id] = template, body
        return {**accepted, "message": f"Batch of {total} accepted"}

    def get_batch_results(self, batch_id: str) -> Record:
        batch = one(self._batches, "Batch", batchId=batch_id)
        if batch["status"] == "pending":
            batch.update(status="processing", startedAt=self._account.now())
        elif batch["status"] == "processing":
            self._go_on(batch, *self._requests[batch_id])
        return batch

    def cancel_batch(self, batch_id: str) -> Record:
        batch = one(self._batches, "Batch", batchId=batch_id)
        if batch["status"] not in ("pending", "processing"):
            return {"batchId": batch_id, "status": batch["status"], "message": "The batch has already ended"}
        batch.update(status="cancelled", completedAt=self._account.now())
        return {"batchId": batch_id, "status": "cancelled", "message": "Batch cancelled"}

    def _go_on(self, batch: Record, template: Record, body: Record) -> None:
        results, total = batch["results"], batch["totalItems"]
        width, height = self._account.size(template["uid"])
        for index in range(len(results), min(len(results) + -(-total // 3), total)):
            try:
                check_variables(template, body["variableSets"][index])
            except Refused as refusal:
                results.append({"index": index, "success": False, "error": refusal.message})
            else:
                url = _image(self._account, body.get("format", "png"))["url"]
                results.append({"index": index, "success": True, "url": url, "width": width, "height": height})
        done = sum(result["success"] for result in results)
        failed = len(results) - done
        batch.update(progress=100 * len(results) // total, completedItems=done, failedItems=failed)
        if len(results) == total:
            status = "failed" if not done else "partial" if failed else "completed"
            batch.update(status=status, completedAt=self._account.now())


def _image(account: Account, extension: str) -> Record:
    uid = account.new_id("img")
    image = {"url": address("images", f"{uid}.{extension}"), "id": uid, "createdAt": account.now()}
    account.images.append(image)
    return image
