"""Rounds in which peers take turns, and their statistics: medians, quartiles, and ratios within a round."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median, quantiles
from typing import Any
from urllib.request import urlopen

from .jobs import Numbers
from .worker import ROOT, Worker, WorkerError

Rounds = dict[str, list[Numbers]]
"""The results of each peer by round."""


class Server:
    """The server's process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.server"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        plain, secure = self._process.stdout.readline().split()
        self.url = f"http://127.0.0.1:{plain}"
        self.secure_url = f"https://127.0.0.1:{secure}"

    def respond_with(self, *, items: int, pages: int = 1, delay: float = 0.0) -> None:
        """Set the items of its responses, and their delay in seconds."""
        with urlopen(f"{self.url}/control?items={items}&pages={pages}&delay={delay}"):  # noqa: S310
            pass

    def counted(self) -> Numbers:
        """Return the number of requests and connections since the last call."""
        with urlopen(f"{self.url}/control") as response:  # noqa: S310
            numbers: Numbers = json.load(response)
        return numbers

    def stop(self) -> None:
        """End the process."""
        with self._process:
            self._process.terminate()


class Bench:
    """The processes of a run.

    Args:
        names: The peers.

    Attributes:
        omitted: The peers that are not measured, with the reason.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.server = Server()
        self.workers = {name: Worker(name) for name in names}
        self.omitted: dict[str, str] = {}

    def omit(self, name: str, why: str) -> None:
        """Omit a peer."""
        self.omitted[name] = why
        self.workers.pop(name).stop()

    def probe(self, body: str) -> None:
        """Let all peers run each job once, and omit those that fail."""
        self.server.respond_with(items=20)
        for name, worker in list(self.workers.items()):
            try:
                missing = [
                    each for each, is_used in worker.do("probe", url=self.server.url, body=body).items() if not is_used
                ]
            except WorkerError as error:
                self.omit(name, str(error))
            else:
                if missing:
                    self.omit(name, f"pictify_client does not use {' and '.join(missing)}, though it is installed")

    def rounds(
        self, names: Sequence[str], times: int, job: str, arguments: Mapping[str, object], *, warm_up: bool = True
    ) -> Rounds:
        """Let peers do a job in turns, each round in another order. The warm-up round does not count."""
        there = [name for name in names if name in self.workers]
        found: Rounds = {name: [] for name in there}
        for number in range(0 if warm_up else 1, times + 1):
            shift = number % len(there)
            for name in there[shift:] + there[:shift]:
                self.server.counted()
                numbers = self.workers[name].do(job, **arguments)
                if number:
                    found[name].append({**numbers, **self.server.counted()})
        return found

    @contextmanager
    def fresh_worker(self, name: str) -> Generator[Worker]:
        """A peer in a new process."""
        worker = Worker(name)
        try:
            yield worker
        finally:
            worker.stop()

    def stop(self) -> None:
        """End all processes."""
        for worker in self.workers.values():
            worker.stop()
        self.server.stop()


def spread(values: Sequence[float]) -> dict[str, float]:
    """The median, and the quartiles around it."""
    low, _, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else (values[0],) * 3
    return {"median": median(values), "low": low, "high": high}


def ratios(rounds: Rounds, name: str, base: str, number: str = "seconds") -> dict[str, float]:
    """The ratio of a peer to another within a round."""
    pairs = zip(rounds[name], rounds[base], strict=True)
    return spread([mine[number] / other[number] for mine, other in pairs])


def table(
    rounds: Rounds, base: str, number: str, factor: float, extra: dict[str, Callable[[Numbers], float]] | None = None
) -> list[dict[str, Any]]:
    """A row for each peer: a number of its rounds, and its ratio to the base's."""
    rows: list[dict[str, Any]] = []
    for name, done in rounds.items():
        row: dict[str, Any] = {"peer": name, **spread([each[number] * factor for each in done])}
        if base in rounds:
            row["ratio"] = ratios(rounds, name, base, number)
        for title, of in (extra or {}).items():
            row[title] = median(of(each) for each in done)
        rows.append(row)
    return rows
