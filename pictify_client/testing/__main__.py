"""The command `python -m pictify_client.testing`."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event

from .fake import FakePictify
from .server import serving


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m pictify_client.testing",
        description="Serve a stand-in Pictify API on loopback: while COMMAND runs, or until it is stopped. "
        "It begins with a few templates and bindings, keeps what it is told while it runs, and serves "
        "the files of its renders too: https://media.pictify.io/x.png is /x.png here.",
    )
    parser.add_argument("--port", type=int, default=0, help="the TCP port; a free one, unless given")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="what to run, and its arguments")
    options = parser.parse_args(arguments)
    # Run from an environment that is not activated, the command is still to be that environment's.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    command: list[str] = options.command[1:] if options.command[:1] == ["--"] else options.command
    program = shutil.which(command[0], path=path) if command else None
    if command and program is None:
        parser.error(f"there is no command {command[0]!r}")
    fake = FakePictify()
    with ExitStack() as stack:
        try:
            base_url = stack.enter_context(serving(fake, options.port))
        except (OSError, OverflowError) as error:
            parser.error(f"port {options.port} cannot be had: {error}")
        environment = {"PICTIFY_BASE_URL": base_url, "PICTIFY_API_KEY": fake.api_key}
        if program is not None:
            environment = {**os.environ, **environment, "PATH": path}
            return subprocess.run([program, *command[1:]], env=environment, check=False).returncode  # noqa: S603
        print(f"# A stand-in of the Pictify API, on {base_url} until Ctrl-C. Point a client at it by:")
        for name, value in environment.items():
            print(f"export {name}={value}", flush=True)
        with suppress(KeyboardInterrupt):
            Event().wait()
        return 0


if __name__ == "__main__":
    sys.exit(main())
