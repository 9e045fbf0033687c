"""The command `python -m pictify_client.testing`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from threading import Event

from .fake import FakePictify
from .server import serving


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; answers the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m pictify_client.testing",
        description="Serve a stand-in Pictify API on loopback: while COMMAND runs, or until it is stopped.",
    )
    parser.add_argument("--port", type=int, default=0, help="the TCP port; a free one, unless given")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="what to run, and its arguments")
    options = parser.parse_args(arguments)
    fake = FakePictify()
    with serving(fake, options.port) as base_url:
        environment = {"PICTIFY_BASE_URL": base_url, "PICTIFY_API_KEY": fake.api_key}
        if options.command:
            return subprocess.run(options.command, env={**os.environ, **environment}, check=False).returncode  # noqa: S603
        for name, value in environment.items():
            print(f"export {name}={value}", flush=True)
        with suppress(KeyboardInterrupt):
            Event().wait()
        return 0


if __name__ == "__main__":
    sys.exit(main())
