"""Create a template, render it with variables, and save the image: `render_template.py hero.png`."""

from __future__ import annotations

import asyncio
import sys

from pictify_client import AsyncPictify, PictifyError

HTML = '<div style="font: 48px sans-serif; padding: 64px">{{title}}: {{price}}</div>'


async def main(path: str) -> None:
    """Print the URL of the image, and save it."""
    async with AsyncPictify() as pictify:
        template = await pictify.templates.create(name="Price card", html=HTML, width=600, height=315)
        variables = {"title": "Espresso cup", "price": "9.50 EUR"}
        # Width and height default to those of the template.
        result = await pictify.templates.render(template.uid, variables=variables, format="png")
        print(f"{template.name} is rendered at {result.url}")

        print(f"saved as {await pictify.download(result, path)}")
        await pictify.templates.delete(template.uid)


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "hero.png"))
    except PictifyError as error:
        sys.exit(f"{type(error).__name__}: {error}")
