"""Thousands of calls to a server that fails a fifth of them, and the resources that they leave open."""

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
from .matrix import TOLERANCE, InstantClock, client_options
from .server import CALL, quiet_environment, reset

FAILURE_RATE = 0.2
TASKS = 50
THREADS = 16
TIMEOUT = 30.0
WARM_UP_CALLS = 1000
"""Number of calls after which the memory of a client no longer grows."""
MAX_ADDED_BLOCKS = 500
"""Memory blocks that may be added after that: half of what a leak of one block per call adds in a thousand calls."""
MAX_ADDED_BYTES = 16 << 20
"""Bytes of resident memory that may be added after that; it depends on the system's allocator."""


class Reply(Enum):
    """The server's reply to an attempt."""

    GOOD = http(200, GOOD_BODY)
    ERROR = http(500, b'{"message": "it failed"}')
    BUSY = http(503, b'{"message": "it is busy"}', b"retry-after: 0")
    HALF = http(200, GOOD_BODY)[:-24]
    RESET = b""


_FAULTS = tuple(reply for reply in Reply if reply is not Reply.GOOD)


def reply_to(call: str, attempt: int) -> Reply:
    """Choose a pseudorandom reply, the same in the server and in the process that checks the results."""
    # A string is the same seed in every process; the numbers need not be secret.
    generator = random.Random(f"{call}, {attempt}")  # noqa: S311
    return generator.choice(_FAULTS) if generator.random() < FAILURE_RATE else Reply.GOOD


class Resources(NamedTuple):
    """Resources of a process: tasks of the event loop, threads, file descriptors, and how many of these are sockets."""

    tasks: int
    threads: int
    files: int
    sockets: int


class Run(NamedTuple):
    """The results of the calls.

    Attributes:
        results: Number of calls by the type of their error, or `ok`.
        wrong: Calls whose result does not match the server's replies.
        slowest: Seconds that the slowest call took.
        before: Resources before the client was created.
        after: Resources after the client was closed.
        blocks: Memory blocks in use after `WARM_UP_CALLS` calls and at the end.
        resident: Bytes of resident memory, likewise.
    """

    results: Counter[str]
    wrong: list[str]
    slowest: float
    before: Resources
    after: Resources
    blocks: tuple[int, int]
    resident: tuple[int, int]

    @property
    def is_clean(self) -> bool:
        """Whether all results are correct, all resources are released, and memory does not grow."""
        flat = (
            self.blocks[1] - self.blocks[0] < MAX_ADDED_BLOCKS and self.resident[1] - self.resident[0] < MAX_ADDED_BYTES
        )
        # Resources from before may have been released meanwhile.
        released = all(now <= was for was, now in zip(self.before, self.after, strict=True))
        return not self.wrong and released and flat

    def __str__(self) -> str:
        results = ", ".join(f"{count} {name}" for name, count in self.results.most_common())
        resources = ", ".join(
            f"{name} {was} > {now}" for name, was, now in zip(Resources._fields, *self[3:5], strict=True)
        )
        return (
            f"{results}; wrong: {len(self.wrong)}; slowest {self.slowest:.2f} s of {TIMEOUT:.0f}\n"
            f"    before and after: {resources}\n"
            f"    memory after {WARM_UP_CALLS} and after all calls: {self.blocks[0]} > {self.blocks[1]} blocks, "
            f"{self.resident[0] >> 20} > {self.resident[1] >> 20} MiB resident"
        )


class _Tally:
    """Statistics of the calls; it keeps no reference to them."""

    def __init__(self) -> None:
        self.results: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.slowest = 0.0
        self._lock = threading.Lock()
        self._blocks: list[int] = []
        self._resident: list[int] = []

    def add(self, call: str, error: Exception | None, seconds: float) -> None:
        with self._lock:
            self.results["ok" if error is None else type(error).__name__] += 1
            self.slowest = max(self.slowest, seconds)
        if not _is_expected(call, error) or seconds > TIMEOUT + TOLERANCE:
            self.wrong.append(f"{call} after {seconds:.1f} s: {error!r}")

    def measure_memory(self) -> None:
        """Record how much memory is in use."""
        gc.collect()
        self._blocks.append(sys.getallocatedblocks())
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        self._resident.append(pages * os.sysconf("SC_PAGE_SIZE"))

    def run(self, before: Resources, after: Resources) -> Run:
        (first, last), (lean, full) = self._blocks, self._resident
        return Run(self.results, self.wrong, self.slowest, before, after, (first, last), (lean, full))


def _is_expected(call: str, error: Exception | None) -> bool:
    """Whether it succeeded if one of three attempts did, and otherwise raised the error of the last one."""
    replies = [reply_to(call, attempt) for attempt in (1, 2, 3)]
    if Reply.GOOD in replies:
        return error is None
    is_response = replies[-1] in {Reply.ERROR, Reply.BUSY}
    return type(error) is (ServerError if is_response else APIConnectionError) and error.attempts == len(replies)


def run_sync(calls: int) -> Run:
    """Make this number of calls in threads."""
    with quiet_environment(), _server() as url:
        before, tally = _resources(), _Tally()
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
            for numbers in (range(WARM_UP_CALLS), range(WARM_UP_CALLS, calls)):
                with ThreadPoolExecutor(THREADS) as pool:
                    list(pool.map(call, _shares(numbers, THREADS)))
                tally.measure_memory()
        return tally.run(before, _resources())


def run_async(calls: int) -> Run:
    """Make this number of calls in tasks."""

    async def run(url: str) -> Run:
        before, tally = _resources(), _Tally()
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
            for numbers in (range(WARM_UP_CALLS), range(WARM_UP_CALLS, calls)):
                async with anyio.create_task_group() as group:
                    for share in _shares(numbers, TASKS):
                        group.start_soon(call, share)
                tally.measure_memory()
        # Transports close in the next iterations of the loop.
        for _ in range(5):
            await asyncio.sleep(0)
        return tally.run(before, _resources())

    with quiet_environment(), _server() as url:
        return asyncio.run(run(url))


def _client(url: str) -> AuthenticatedClient:
    client = AuthenticatedClient(token="pic_live_of_no_one", base_url=url, **client_options(10.0, TIMEOUT))
    client.clock = InstantClock()
    return client


def _name(number: int) -> str:
    return f"call-{number}"


def _shares(numbers: range, count: int) -> list[range]:
    return [numbers[first::count] for first in range(count)]


def _resources() -> Resources:
    gc.collect()
    try:
        tasks = len(asyncio.all_tasks())
    except RuntimeError:
        tasks = 0
    files = [link for each in Path("/proc/self/fd").iterdir() if (link := _target(each)) is not None]
    return Resources(tasks, threading.active_count(), len(files), sum(link.startswith("socket:") for link in files))


def _target(link: Path) -> str | None:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        # The descriptor that read the folder itself.
        return None


@contextmanager
def _server() -> Generator[str]:
    """Run the server in its own process, so that its resources are not counted."""
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdin
        assert process.stdout
        yield process.stdout.readline().strip()
        # The server exits when its input is closed.
        process.stdin.close()


class _Connection(asyncio.Protocol):
    def __init__(self, attempts: Counter[str]) -> None:
        self._attempts = attempts
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        # Such a short GET request arrives in one piece.
        found = CALL.search(data)
        assert found, data
        call = found[0].decode()
        self._attempts[call] += 1
        reply = reply_to(call, self._attempts[call])
        if reply is Reply.RESET:
            reset(self._transport)
            return
        self._transport.write(reply.value)
        if reply is Reply.HALF:
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
