"""Render a PDF for each row of a CSV file, with a run that the API works in the background."""

from __future__ import annotations

import asyncio
import csv
import sys
from pathlib import Path

from pictify_client import AsyncPictify, PictifyError
from pictify_client.models import WorkflowRun

HTML = '<div style="font: 48px serif; padding: 64px">{{name}} has taken part</div>'
MAX_RUN_SECONDS = 600


def is_done(run: WorkflowRun) -> bool:
    """Return whether each row was rendered or has failed. The values of the status are not documented."""
    counts = run.counts
    return counts is not None and (counts.rendered or 0) + (counts.failed or 0) >= (counts.total or 1)


async def wait(pictify: AsyncPictify, uid: str, pause: float) -> WorkflowRun:
    """Poll a run until it is done. A run that takes longer goes on: ask for its id again."""
    async with asyncio.timeout(MAX_RUN_SECONDS):
        while True:
            run = await pictify.workflows.get(uid)
            if is_done(run):
                return run
            await asyncio.sleep(pause)


async def main(source: Path, folder: Path, pause: float = 2.0) -> None:
    """Start the run, wait for it, and save the files."""
    rows = list(csv.DictReader((await asyncio.to_thread(source.read_text, "utf-8")).splitlines()))
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    async with AsyncPictify() as pictify:
        template = await pictify.templates.create(name="Certificate", html=HTML, output_format="pdf")
        # Each row is billed. If the response is lost, look for the run in `workflows.list()` before you start another.
        run = await pictify.workflows.start(template_uid=template.uid, rows=rows, output_format="pdf")
        print(f"started {run.uid}")
        done = await wait(pictify, str(run.uid), pause)
        await pictify.templates.delete(template.uid)
        if done.counts is not None:
            print(f"{done.counts.rendered} of {done.counts.total} are rendered, {done.counts.failed} failed")

        # The newest come first.
        renders = [render async for render in pictify.renders.list(template=template.uid, format="PDF")]
        for number, render in enumerate(reversed(renders), 1):
            if render.url is not None:
                print(f"saved {await pictify.download(render.url, folder / f'{number}.pdf')}")


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
    except PictifyError as error:
        sys.exit(f"{type(error).__name__}: {error}")
