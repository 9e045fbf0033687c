"""The workflows of the fake API: runs over rows, and hooks that start them. Nothing is delivered."""

from __future__ import annotations

from typing import Any

from attrs import define

from ._account import Account, Record, one
from ._answers import Answer, Refused, document, failed, refused
from ._renders import Renders

_NEWEST = 20
# Seconds that a run takes, by the clock of the fake.
_RUN_SECONDS = 3
# Seconds until the file of a preview that was queued is there.
_PREVIEW_SECONDS = 1


@define
class _Run:
    body: Record
    at: float
    record: Record
    polls: int = 0


@define
class _Preview:
    result: Record
    at: float
    polls: int = 0


class Workflows:
    """Runs and hooks. A third of the rows is rendered per second, and each time that the run is requested."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._renders = Renders(account)
        self._runs: dict[str, _Run] = {}
        self._previews: dict[str, _Preview] = {}

    def list_workflows(self) -> Record:
        return {"runs": [run.record for run in [*self._runs.values()][::-1][:_NEWEST]]}

    def start_workflow(self, body: Record) -> Record:
        self._template(body)
        rows = _rows(body)
        uid = self._account.new_id("run")
        counts = {"total": len(rows), "rendered": 0, "delivered": 0, "failed": 0}
        record: Record = {"uid": uid, "status": "queued", "counts": counts, "items": []}
        self._runs[uid] = _Run(body, self._account.clock.time(), record)
        return {"run": {"uid": uid}}

    def get_workflow(self, uid: str) -> Record:
        one([{"uid": each} for each in self._runs], "Run", uid=uid)
        run = self._runs[uid]
        seconds = max(int(self._account.clock.time() - run.at), run.polls)
        run.polls = seconds + 1
        self._continue(run, seconds)
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

    def preview_workflow(self, body: Record) -> Answer:
        template = self._template(body)
        is_pdf = template.get("outputFormat") == "pdf"
        if (body.get("outputFormat", "pdf" if is_pdf else "png") == "pdf") != is_pdf:
            raise refused(400, "The template has another output format", code="output_format_mismatch")
        rendered = self._render(body, _rows(body)[0])
        result = {name: rendered[name] for name in ("url", "width", "height")}
        if not is_pdf:
            return document(200, result)
        job_id = self._account.new_id("job")
        self._previews[job_id] = _Preview(result, self._account.clock.time() + _PREVIEW_SECONDS)
        return document(202, {"jobId": job_id, "status": "queued"})

    def get_workflow_preview(self, job_id: str) -> Answer:
        one([{"uid": each} for each in self._previews], "Preview", uid=job_id)
        preview = self._previews[job_id]
        preview.polls += 1
        if self._account.clock.time() < preview.at and preview.polls == 1:
            return document(202, {"jobId": job_id, "status": "queued"})
        return document(200, preview.result)

    def list_workflow_hooks(self) -> Record:
        hidden = ("secret", "url", "body")
        return {
            "hooks": [
                {name: value for name, value in hook.items() if name not in hidden} for hook in self._account.hooks
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
        self._account.hooks.remove(one(self._account.hooks, "Hook", uid=uid))
        return {"success": True}

    def post_workflow_rows(self, uid: str, secret: str, body: Record) -> Record:
        hook = one(self._account.hooks, "Hook", uid=uid, secret=secret)
        return {**self.start_workflow({**hook["body"], **body}), "success": True}

    def _template(self, body: Record) -> Record:
        if "templateUid" not in body:
            raise refused(400, "templateUid is required")
        return self._account.template(body["templateUid"])

    def _continue(self, run: _Run, seconds: int) -> None:
        rows, counts, items = run.body["rows"], run.record["counts"], run.record["items"]
        for index in range(len(items), min(seconds * -(-len(rows) // _RUN_SECONDS), len(rows))):
            try:
                url = self._render(run.body, rows[index])["url"]
            except Refused as refusal:
                items.append({"index": index, "status": "failed", "error": refusal.message})
                counts["failed"] += 1
            else:
                items.append({"index": index, "status": "delivered", "url": url})
                counts["rendered"] += 1
                counts["delivered"] += 1
        run.record["status"] = "completed" if len(items) == len(rows) else "processing"

    def _render(self, body: Record, row: Record) -> dict[str, Any]:
        mapping: Record = body.get("columnMapping") or {name: name for name in row}
        variables = {name: row.get(column) for name, column in mapping.items()}
        template = self._account.template(body["templateUid"])
        default = "pdf" if template.get("outputFormat") == "pdf" else "png"
        extension = body.get("outputFormat", default)
        if extension not in ("png", "jpg", "jpeg", "webp", "pdf"):
            raise failed(422, f"The format {extension} is unknown")
        rendered = self._renders.render_template(template["uid"], {"variables": variables, "format": extension})
        first: dict[str, Any] = rendered["results"][0]
        return first


def _rows(body: Record) -> list[Record]:
    rows: list[Record] = body.get("rows", [])
    if not rows:
        raise refused(400, "rows is required")
    return rows
