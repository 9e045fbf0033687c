"""The batches of the fake API."""

from __future__ import annotations

from ._account import Account, Record, one
from ._jobs import Job
from ._renders import Renders
from ._responses import Rejected, rejected


class Batches:
    """Batches. They progress by the clock, and with each poll."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._jobs: list[_Batch] = []

    def batch_render_template(self, uid: str, body: Record) -> Record:
        self._account.template(uid)
        rows = body["variableSets"] if "variableSets" in body else self._csv_rows(body)
        batch = _Batch(self._account, uid, body, rows)
        self._jobs.append(batch)
        accepted = {name: batch.record[name] for name in ("batchId", "status", "totalItems")}
        return {**accepted, "message": "Batch render job started"}

    def get_batch_results(self, batch_id: str) -> Record:
        batch = self._batch(batch_id)
        if batch.record["status"] == "pending":
            batch.begin()
        batch.poll()
        return batch.record

    def cancel_batch(self, batch_id: str) -> Record:
        batch = self._batch(batch_id)
        if batch.is_over:
            status = batch.record["status"]
            return {"batchId": batch_id, "status": status, "message": "The batch has already ended"}
        batch.record["status"] = "cancelled"
        batch.cancel()
        return {"batchId": batch_id, "status": "cancelled", "message": "Batch cancelled"}

    def _batch(self, batch_id: str) -> _Batch:
        record = one((batch.record for batch in self._jobs), "Batch", batchId=batch_id)
        return next(batch for batch in self._jobs if batch.record is record)

    def _csv_rows(self, body: Record) -> list[Record]:
        """The rows of a CSV file, with the values of the columns that are mapped to variables."""
        rows = self._account.csv_rows(body["csvUrl"])
        if rows is None:
            raise rejected(400, "The CSV file could not be fetched")
        return [{name: row.get(column) for name, column in body["mappings"].items()} for row in rows]


class _Batch(Job):
    def __init__(self, account: Account, template: str, body: Record, rows: list[Record]) -> None:
        self._renders = Renders(account)
        self._template = template
        self._options: Record = {name: body[name] for name in ("format", "layout", "layouts") if name in body}
        self.record: Record = {
            "batchId": account.new_id("batch"),
            "status": "pending",
            "totalItems": len(rows),
            "progress": 0,
            "completedItems": 0,
            "failedItems": 0,
            "results": [],
            "errors": [],
            "createdAt": account.now(),
        }
        super().__init__(account, rows, len(body.get("layouts") or [None]))

    def begin(self) -> None:
        self.record.update(status="processing", startedAt=self.record["createdAt"])

    def render(self, index: int, row: Record) -> int:
        known = {"index": index, "variables": [*row]}
        try:
            rendered = self._renders.render_template(self._template, {"variables": row, **self._options})
        except Rejected as rejection:
            self.record["errors"].append({**known, "success": False, "error": rejection.message})
            return 0
        if rendered["results"]:
            self.record["results"].append({**known, "success": True})
        else:
            errors = "; ".join(each["error"] for each in rendered["errors"])
            self.record["errors"].append({**known, "success": False, "error": errors})
        return len(rendered["results"])

    def update(self) -> None:
        if self.record["status"] == "pending":
            self.begin()
        completed, failed, total = len(self.record["results"]), len(self.record["errors"]), len(self.rows)
        if self.is_over:
            self.record["completedAt"] = self.account.now()
            if self.record["status"] != "cancelled":
                self.record["status"] = "completed" if not failed else "partial" if completed else "failed"
        progress = round(100 * (completed + failed) / total, 2) if total else 100 * self.is_over
        self.record.update(progress=progress, completedItems=completed, failedItems=failed)
