"""List the bindings of the account as a table: name, status, last render and URL of the image."""

from __future__ import annotations

import asyncio
import sys

from pictify_client import AsyncPictify, PictifyError


async def main() -> None:
    """Print a line per binding, from all pages."""
    async with AsyncPictify() as pictify:
        print(f"{'NAME':<22}{'STATUS':<9}{'RENDERED':<18}IMAGE")
        count = 0
        async for binding in pictify.bindings.list(limit=20):
            rendered = f"{binding.last_render_at:%Y-%m-%d %H:%M}" if binding.last_render_at else "never"
            print(f"{binding.name or '-':<22}{binding.status or '-':<9}{rendered:<18}{binding.render_url or '-'}")
            count += 1
        print(f"{count} bindings")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except PictifyError as error:
        sys.exit(f"{type(error).__name__}: {error}")
