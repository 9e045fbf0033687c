"""Create a video template from a scene, and render it to an MP4 file."""

from __future__ import annotations

import asyncio
import sys

from pictify_client import AsyncPictify, PictifyError, UnprocessableContentError

SCENE = """\
import { AbsoluteFill } from "remotion";
import { z } from "zod";

export const schema = z.object({ title: z.string().default("Hello"), size: z.number().default(96) });

export default function Scene({ title, size }: z.infer<typeof schema>) {
  return <AbsoluteFill style={{ fontSize: size }}>{title}</AbsoluteFill>;
}
"""


async def main(path: str, scene: str = SCENE) -> None:
    """Print the variables of the scene and the URL of the video, and save it."""
    async with AsyncPictify() as pictify:
        try:
            video = await pictify.videos.create(
                name="Title", kind="tsx", tsx=scene, width=1080, height=1080, fps=30, duration_in_frames=150
            )
        except UnprocessableContentError as error:
            # Nothing was saved. There is an error per problem that the compiler found.
            for problem in error.errors:
                print(problem.message)
            return
        print(
            f"{video.name} has the variables {', '.join(str(each.name) for each in video.variable_definitions or [])}"
        )

        # The response comes when the file is rendered, which takes minutes.
        rendered = await pictify.videos.render(video.uid, variables={"title": "Espresso cup"})
        print(f"rendered at {rendered.url}")
        print(f"saved as {await pictify.download(rendered, path)}")
        await pictify.videos.delete(video.uid)


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "title.mp4"))
    except PictifyError as error:
        sys.exit(f"{type(error).__name__}: {error}")
