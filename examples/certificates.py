"""Render a PDF for each row of a CSV file, with a run that the API executes in the background."""

from __future__ import annotations

import asyncio
import csv
import sys
from pathlib import Path

from pictify_client import AsyncPictify, PictifyError
from pictify_client.models import WorkflowRun

HTML = '<div style="font: 48px serif; padding: 64px">{{name}} has taken part</div>'


def show(run: WorkflowRun) -> None:
    """Print how many rows are rendered."""
    if run.counts is not None:
        print(f"{run.counts.rendered} of {run.counts.total} are rendered, {run.counts.failed} failed")


async def main(source: Path, folder: Path, poll_interval: float = 1.0) -> None:
    """Start the run, wait for it, and save the files."""
    rows = list(csv.DictReader((await asyncio.to_thread(source.read_text, "utf-8")).splitlines()))
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    async with AsyncPictify() as pictify:
        template = await pictify.templates.create(name="Certificate", html=HTML, output_format="pdf")
        # Each row is billed. If the response is lost, look for the run in `workflows.list()` before you start another.
        run = await pictify.workflows.start(template_uid=template.uid, rows=rows, output_format="pdf")
        print(f"started {run.uid}")
        # If it takes longer, the run continues: wait for its id again.
        show(await pictify.workflows.wait(run.uid, timeout=600, poll_interval=poll_interval))
        await pictify.templates.delete(template.uid)

        newest_first = [render async for render in pictify.renders.list(template=template.uid, format="PDF")]
        for number, render in enumerate(reversed(newest_first), 1):
            if render.url is not None:
                print(f"saved {await pictify.download(render.url, folder / f'{number}.pdf')}")


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
    except PictifyError as error:
        sys.exit(f"{type(error).__name__}: {error}")
