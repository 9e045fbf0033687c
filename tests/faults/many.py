"""Thousands of calls, through a server that fails a fifth of them, and what they leave behind."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import anyio

from pictify_client import APIConnectionError, AuthenticatedClient, PictifyError, ServerError
from pictify_client.api.bindings import get_binding

from .faults import GOOD_BODY, http
from .matrix import TOLERANCE, Waitless, client_options
from .server import CALL, reset, undisturbed

FAILING = 0.2
TASKS = 50
THREADS = 16
BUDGET = 30.0
WARM = 1000
"""Calls after which a client has all that it needs, so that its memory grows no more."""
MOST_BLOCKS = 500
"""Blocks of memory that may be added after that: half of what one a call would come to in a thousand."""
MOST_BYTES = 16 << 20
"""Bytes likewise, as the system counts them, which depends on how it hands them out."""


class Fate(Enum):
    """What becomes of one attempt."""

    GOOD = http(200, GOOD_BODY)
    ERROR = http(500, b'{"message": "it failed"}')
    BUSY = http(503, b'{"message": "it is busy"}', b"retry-after: 0")
    HALF = http(200, GOOD_BODY)[:-24]
    RESET = b""


_FAULTS = tuple(fate for fate in Fate if fate is not Fate.GOOD)


def fate(call: str, attempt: int) -> Fate:
    """By chance, and yet the same for the server and for whoever checks what came of it."""
    # A string seeds it the same in every process, and says nothing that has to be secret.
    chance = random.Random(f"{call}, {attempt}")  # noqa: S311
    return chance.choice(_FAULTS) if chance.random() < FAILING else Fate.GOOD


class Left(NamedTuple):
    """What a process holds: tasks of the event loop, threads, file descriptors, and how many of these are sockets."""

    tasks: int
    threads: int
    files: int
    sockets: int


class Run(NamedTuple):
    """What came of the calls.

    Attributes:
        ended: How many ended with each kind of error, or well.
        wrong: What ended otherwise than by the fates of its attempts it had to.
        slowest: Seconds that the slowest took.
        before: What the process held before there was a client.
        after: What it held once the client was closed.
        blocks: Blocks of memory in use after `WARM` calls and at the end.
        resident: Bytes of memory likewise, as the system counts them.
    """

    ended: Counter[str]
    wrong: list[str]
    slowest: float
    before: Left
    after: Left
    blocks: tuple[int, int]
    resident: tuple[int, int]

    @property
    def is_clean(self) -> bool:
        """Whether every call ended as it had to, nothing is left of them, and memory is flat."""
        flat = self.blocks[1] - self.blocks[0] < MOST_BLOCKS and self.resident[1] - self.resident[0] < MOST_BYTES
        # What was there before may have gone meanwhile.
        nothing_left = all(now <= was for was, now in zip(self.before, self.after, strict=True))
        return not self.wrong and nothing_left and flat

    def __str__(self) -> str:
        ended = ", ".join(f"{count} {name}" for name, count in self.ended.most_common())
        left = ", ".join(f"{name} {was} > {now}" for name, was, now in zip(Left._fields, *self[3:5], strict=True))
        return (
            f"{ended}; not as it had to: {len(self.wrong)}; slowest {self.slowest:.2f} s of {BUDGET:.0f}\n"
            f"    before and after: {left}\n"
            f"    memory after {WARM} calls and all: {self.blocks[0]} > {self.blocks[1]} blocks, "
            f"{self.resident[0] >> 20} > {self.resident[1] >> 20} MiB resident"
        )


class _Tally:
    """What is counted while the calls are made; it keeps none of them."""

    def __init__(self) -> None:
        self.ended: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.slowest = 0.0
        self._lock = threading.Lock()
        self._blocks: list[int] = []
        self._resident: list[int] = []

    def add(self, call: str, error: Exception | None, seconds: float) -> None:
        with self._lock:
            self.ended["well" if error is None else type(error).__name__] += 1
            self.slowest = max(self.slowest, seconds)
        if not _is_due(call, error) or seconds > BUDGET + TOLERANCE:
            self.wrong.append(f"{call} after {seconds:.1f} s: {error!r}")

    def weigh(self) -> None:
        """See how much memory is in use now."""
        gc.collect()
        self._blocks.append(sys.getallocatedblocks())
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        self._resident.append(pages * os.sysconf("SC_PAGE_SIZE"))

    def run(self, before: Left, after: Left) -> Run:
        (first, last), (lean, full) = self._blocks, self._resident
        return Run(self.ended, self.wrong, self.slowest, before, after, (first, last), (lean, full))


def _is_due(call: str, error: Exception | None) -> bool:
    """Whether it ended as the first good attempt of three has it, or else with the error of the last."""
    fates = [fate(call, attempt) for attempt in (1, 2, 3)]
    if Fate.GOOD in fates:
        return error is None
    answered = fates[-1] in {Fate.ERROR, Fate.BUSY}
    return type(error) is (ServerError if answered else APIConnectionError) and error.attempts == len(fates)


def run_sync(calls: int) -> Run:
    """Make so many calls in threads."""
    with undisturbed(), _server() as url:
        before, tally = _left(), _Tally()
        client = _client(url)

        def call(numbers: range) -> None:
            for number in numbers:
                started = monotonic()
                error: PictifyError | None = None
                try:
                    get_binding.sync(_name(number), client=client)
                except PictifyError as caught:
                    error = caught
                tally.add(_name(number), error, monotonic() - started)

        with client:
            for numbers in (range(WARM), range(WARM, calls)):
                with ThreadPoolExecutor(THREADS) as pool:
                    list(pool.map(call, _shares(numbers, THREADS)))
                tally.weigh()
        return tally.run(before, _left())


def run_async(calls: int) -> Run:
    """Make so many calls in tasks."""

    async def run(url: str) -> Run:
        before, tally = _left(), _Tally()
        client = _client(url)

        async def call(numbers: range) -> None:
            for number in numbers:
                started = monotonic()
                error: PictifyError | None = None
                try:
                    await get_binding.asyncio(_name(number), client=client)
                except PictifyError as caught:
                    error = caught
                tally.add(_name(number), error, monotonic() - started)

        async with client:
            for numbers in (range(WARM), range(WARM, calls)):
                async with anyio.create_task_group() as group:
                    for share in _shares(numbers, TASKS):
                        group.start_soon(call, share)
                tally.weigh()
        # Transports close in the next rounds of the loop.
        for _ in range(5):
            await asyncio.sleep(0)
        return tally.run(before, _left())

    with undisturbed(), _server() as url:
        return asyncio.run(run(url))


def _client(url: str) -> AuthenticatedClient:
    client = AuthenticatedClient(token="pic_live_of_no_one", base_url=url, **client_options(10.0, BUDGET))
    client.clock = Waitless()
    return client


def _name(number: int) -> str:
    return f"call-{number}"


def _shares(numbers: range, count: int) -> list[range]:
    return [numbers[first::count] for first in range(count)]


def _left() -> Left:
    gc.collect()
    try:
        tasks = len(asyncio.all_tasks())
    except RuntimeError:
        tasks = 0
    files = [link for each in Path("/proc/self/fd").iterdir() if (link := _target(each)) is not None]
    return Left(tasks, threading.active_count(), len(files), sum(link.startswith("socket:") for link in files))


def _target(link: Path) -> str | None:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        # What the folder itself was read with.
        return None


@contextmanager
def _server() -> Generator[str]:
    """The server, in a process of its own, so that what it holds is not counted."""
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdin
        assert process.stdout
        yield process.stdout.readline().strip()
        # It ends with its input.
        process.stdin.close()


class _Connection(asyncio.Protocol):
    def __init__(self, attempts: Counter[str]) -> None:
        self._attempts = attempts
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        # A GET so short comes in one piece.
        found = CALL.search(data)
        assert found, data
        call = found[0].decode()
        self._attempts[call] += 1
        answer = fate(call, self._attempts[call])
        if answer is Fate.RESET:
            reset(self._transport)
            return
        self._transport.write(answer.value)
        if answer is Fate.HALF:
            self._transport.close()


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    attempts: Counter[str] = Counter()
    server = await loop.create_server(lambda: _Connection(attempts), "127.0.0.1", 0, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
