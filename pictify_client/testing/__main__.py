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
    """Run the command line. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m pictify_client.testing",
        description="Run a mock server of the Pictify API on loopback: while COMMAND runs, or until it is stopped. "
        "It starts with a few templates and bindings, and keeps what is created until it ends. "
        "The URLs of rendered files are those of the server.",
    )
    parser.add_argument("--port", type=int, default=0, help="TCP port; defaults to any free port")
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="COMMAND", help="the command to run, with its arguments"
    )
    options = parser.parse_args(arguments)
    # Programs of this environment come first, also if it is not activated.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    command: list[str] = options.command[1:] if options.command[:1] == ["--"] else options.command
    program = shutil.which(command[0], path=path) if command else None
    if command and program is None:
        parser.error(f"command not found: {command[0]!r}")
    fake = FakePictify()
    with ExitStack() as stack:
        try:
            base_url = stack.enter_context(serving(fake, options.port))
        except (OSError, OverflowError) as error:
            parser.error(f"could not listen on port {options.port}: {error}")
        environment = {"PICTIFY_BASE_URL": base_url, "PICTIFY_API_KEY": fake.api_key}
        if program is not None:
            environment = {**os.environ, **environment, "PATH": path}
            return subprocess.run([program, *command[1:]], env=environment, check=False).returncode  # noqa: S603
        print(f"# Mock server of the Pictify API on {base_url}, until Ctrl-C. Settings for a client:")
        for name, value in environment.items():
            print(f"export {name}={value}", flush=True)
        with suppress(KeyboardInterrupt):
            Event().wait()
        return 0


if __name__ == "__main__":
    sys.exit(main())
