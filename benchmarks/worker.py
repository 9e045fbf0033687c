"""A process for one peer, and the class that controls it.

`python -m benchmarks.worker PEER` reads a job per line, and prints a line for each: numbers, or an error message.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .jobs import JOBS, Numbers
from .machine import CLIENT_CPU, pin
from .peers import PEERS

ROOT = Path(__file__).parent.parent


def environment() -> dict[str, str]:
    """The environment of a peer, as on most machines: with the bundled certificates, and with bytecode files."""
    others = ("SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if name not in others}


class WorkerError(Exception):
    """A job failed; the message says why."""


class Worker:
    """A process that does jobs with one peer.

    Args:
        name: Name of the peer.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        command = [sys.executable, "-m", "benchmarks.worker", name]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdin=pipe, stdout=pipe, text=True, bufsize=1
        )

    def do(self, job: str, **arguments: object) -> Numbers:
        """Do a job.

        Raises:
            WorkerError: If the peer cannot do it.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([job, arguments]) + "\n")
        result: Any = json.loads(self._process.stdout.readline() or '"the process ended"')
        if isinstance(result, str):
            raise WorkerError(result)
        numbers: Numbers = result
        return numbers

    def stop(self) -> None:
        """End the process."""
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()


def _run(name: str) -> None:
    pin(CLIENT_CPU)
    kind = PEERS[name]
    hidden: dict[str, Any] = dict.fromkeys(kind.hidden)
    sys.modules.update(hidden)
    peer = None
    for line in sys.stdin:
        job, arguments = json.loads(line)
        try:
            peer = peer or kind()
            result: object = JOBS[job](peer, **arguments)
        except Exception as error:  # noqa: BLE001
            result = f"{type(error).__name__}: {error}"
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    _run(sys.argv[1])
