"""Render one template with many sets of variables, with a progress bar (of rich: `pip install rich`)."""

from __future__ import annotations

import asyncio
import sys

from rich.progress import Progress

from pictify_client import AsyncPictify, PictifyError
from pictify_client.models import BatchStatus


async def main(count: int) -> None:
    """Render, and print which rows failed. More sets than fit into one request are split into several batches."""
    async with AsyncPictify() as pictify:
        template = await anext(aiter(pictify.templates.list(limit=1)))
        sets = [{"title": f"Card {number}"} for number in range(1, count + 1)]
        job = await pictify.batch.render_template(template.uid, variable_sets=sets, format="png")

        with Progress() as progress:
            bar = progress.add_task("Rendering", total=count)

            def show(status: BatchStatus) -> None:
                progress.update(bar, completed=(status.completed_items or 0) + (status.failed_items or 0))

            done = await job.wait(timeout=600, on_progress=show)

        # The URLs of the images are sent by the webhook `render.completed`: see webhook_receiver.py.
        print(f"{', '.join(job.batch_ids)}: {done.status}, {len(done.results)} rendered, {len(done.errors)} failed")
        for failed in done.errors:
            print(f"row {failed.index}: {failed.error}")


if __name__ == "__main__":
    try:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 120))
    except PictifyError as error:
        sys.exit(f"{type(error).__name__}: {error}")
