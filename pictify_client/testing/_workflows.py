"""The workflows of the fake API: runs over rows, and hooks that start them. Nothing is delivered."""

from __future__ import annotations

from attrs import define

from ._account import Account, Record, one
from ._jobs import Job
from ._renders import Renders
from ._responses import FakeResponse, Rejected, json_response, rejected, render_error
from ._templates import check_variables, layout_size

_NEWEST = 20
# Seconds until the file of a preview that was queued is there.
_PREVIEW_SECONDS = 1


@define
class _Preview:
    result: Record
    at: float
    polls: int = 0


class Workflows:
    """Runs and hooks. Runs progress by the clock, and with each poll."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._runs: dict[str, _Run] = {}
        self._previews: dict[str, _Preview] = {}

    def list_workflows(self) -> Record:
        return {"runs": [run.record for run in [*self._runs.values()][::-1][:_NEWEST]]}

    def start_workflow(self, body: Record) -> Record:
        self._template(body)
        _rows(body)
        run = _Run(self._account, body)
        self._runs[run.record["uid"]] = run
        return {"run": {"uid": run.record["uid"]}}

    def get_workflow(self, uid: str) -> Record:
        one([{"uid": each} for each in self._runs], "Run", uid=uid)
        run = self._runs[uid]
        run.poll()
        return {"run": run.record}

    def get_workflow_stats(self) -> Record:
        counts = [run.record["counts"] for run in self._runs.values()]
        return {
            "stats": {
                "totalRuns": len(counts),
                "documentsRendered": sum(each["rendered"] for each in counts),
                "documentsDelivered": sum(each["delivered"] for each in counts),
            }
        }

    def preview_workflow(self, body: Record) -> FakeResponse:
        template = self._template(body)
        is_pdf = template.get("outputFormat") == "pdf"
        if (body.get("outputFormat", "pdf" if is_pdf else "png") == "pdf") != is_pdf:
            raise rejected(400, "The template has another output format", code="output_format_mismatch")
        # A preview is neither billed nor stored.
        request = _render_request(template, body, _rows(body)[0])
        check_variables(template, request["variables"])
        width, height = layout_size(template, "default") or (1280, 720)
        result = {"url": self._account.keep(request["format"], (width, height)), "width": width, "height": height}
        if not is_pdf:
            return json_response(200, result)
        job_id = self._account.new_id("job")
        self._previews[job_id] = _Preview(result, self._account.clock.time() + _PREVIEW_SECONDS)
        return json_response(202, {"jobId": job_id, "status": "queued"})

    def get_workflow_preview(self, job_id: str) -> FakeResponse:
        one([{"uid": each} for each in self._previews], "Preview", uid=job_id)
        preview = self._previews[job_id]
        preview.polls += 1
        if self._account.clock.time() < preview.at and preview.polls == 1:
            return json_response(202, {"jobId": job_id, "status": "queued"})
        return json_response(200, preview.result)

    def list_workflow_hooks(self) -> Record:
        hidden = ("secret", "url", "body")
        return {
            "hooks": [
                {name: value for name, value in hook.items() if name not in hidden}
                for hook in self._account.all("hooks")
            ]
        }

    def create_workflow_hook(self, body: Record) -> Record:
        template = self._template(body)
        uid, secret = self._account.new_id("hook"), self._account.new_id("hook secret") * 3
        shown = {
            "uid": uid,
            "secret": secret,
            "url": f"https://api.pictify.io/workflow/hooks/{uid}/{secret}",
            "templateUid": template["uid"],
            "createdAt": self._account.now(),
        }
        self._account.hooks.append({**shown, "body": body})
        return {"hook": shown}

    def delete_workflow_hook(self, uid: str) -> Record:
        self._account.hooks.remove(one(self._account.all("hooks"), "Hook", uid=uid))
        return {"success": True}

    def post_workflow_rows(self, uid: str, secret: str, body: Record) -> Record:
        hook = one(self._account.all("hooks"), "Hook", uid=uid, secret=secret)
        return {**self.start_workflow({**hook["body"], **body}), "success": True}

    def _template(self, body: Record) -> Record:
        if "templateUid" not in body:
            raise rejected(400, "templateUid is required")
        return self._account.template(body["templateUid"])


def _rows(body: Record) -> list[Record]:
    rows: list[Record] = body.get("rows", [])
    if not rows:
        raise rejected(400, "rows is required")
    return rows


class _Run(Job):
    def __init__(self, account: Account, body: Record) -> None:
        self._renders = Renders(account)
        self._body = body
        self.record: Record = {
            "uid": account.new_id("run"),
            "status": "queued",
            "counts": {"total": len(body["rows"]), "rendered": 0, "delivered": 0, "failed": 0},
            "items": [],
        }
        super().__init__(account, body["rows"], 1)

    def render(self, index: int, row: Record) -> int:
        counts, items = self.record["counts"], self.record["items"]
        try:
            template = self.account.template(self._body["templateUid"])
            rendered = self._renders.render_template(template["uid"], _render_request(template, self._body, row))
        except Rejected as rejection:
            items.append({"index": index, "status": "failed", "error": rejection.message})
            counts["failed"] += 1
            return 0
        items.append({"index": index, "status": "delivered", "url": rendered["results"][0]["url"]})
        counts["rendered"] += 1
        counts["delivered"] += 1
        return 1

    def update(self) -> None:
        ended = "failed" if not self.record["counts"]["rendered"] else "completed"
        self.record["status"] = ended if self.is_over else "processing"


def _render_request(template: Record, body: Record, row: Record) -> Record:
    """The request that renders a row.

    Raises:
        Rejected: If the format is unknown.
    """
    mapping: Record = body.get("columnMapping") or {name: name for name in row}
    default = "pdf" if template.get("outputFormat") == "pdf" else "png"
    extension = body.get("outputFormat", default)
    if extension not in ("png", "jpg", "jpeg", "webp", "pdf"):
        raise render_error(422, f"The format {extension} is unknown")
    return {"variables": {name: row.get(column) for name, column in mapping.items()}, "format": extension}
