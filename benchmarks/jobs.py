"""The jobs that a worker does with its peer; each returns numbers."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from .peers import KEY, Ours, Peer

Numbers = dict[str, float]
_WARM = 5
_FEWEST = 3


def decode(peer: Peer, *, body: str, seconds: float) -> Numbers:
    """Decode a page repeatedly for this number of seconds, and return the seconds per page."""
    content = Path(body).read_bytes()
    peer.decode(content)
    gc.collect()
    count = 0
    started = perf_counter()
    while (taken := perf_counter() - started) < seconds or count < _FEWEST:
        peer.decode(content)
        count += 1
    return {"seconds": taken / count}


def memory(peer: Peer, *, bodies: list[str]) -> Numbers:
    """Decode pages and keep them, and return the bytes of memory that they use."""
    contents = [Path(body).read_bytes() for body in bodies]
    peer.decode(contents[0])
    gc.collect()
    tracemalloc.start()
    kept = [peer.decode(content) for content in contents]
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(kept) == len(contents)
    return {"bytes": held}


def calls(peer: Peer, *, url: str, limit: int, count: int) -> Numbers:
    """Make sync calls one at a time, and return the seconds per call."""
    get, close = peer.open(url)
    for _ in range(_WARM):
        get(limit=limit)
    gc.collect()
    cpu, started = process_time(), perf_counter()
    for _ in range(count):
        get(limit=limit)
    taken, busy = perf_counter() - started, process_time() - cpu
    close()
    return {"seconds": taken / count, "cpu": busy / count}


def acalls(peer: Peer, *, url: str, limit: int, count: int) -> Numbers:
    """Make async calls one at a time, and return the seconds per call."""

    async def run() -> Numbers:
        get, close = await peer.aopen(url)
        for _ in range(_WARM):
            await get(limit=limit)
        gc.collect()
        cpu, started = process_time(), perf_counter()
        for _ in range(count):
            await get(limit=limit)
        taken, busy = perf_counter() - started, process_time() - cpu
        await close()
        return {"seconds": taken / count, "cpu": busy / count}

    return asyncio.run(run())


def load(peer: Peer, *, url: str, limit: int, tasks: int, count: int, certificate: str | None = None) -> Numbers:
    """Make async calls in concurrent tasks, after one per task to warm up."""
    if certificate is not None:
        os.environ["SSL_CERT_FILE"] = certificate

    async def run() -> Numbers:
        get, close = await peer.aopen(url)
        await asyncio.gather(*(get(limit=limit) for _ in range(tasks)))
        latencies: list[float] = []
        left = iter(range(count))
        gc.collect()
        cpu, started = process_time(), perf_counter()
        await asyncio.gather(*(_work(get, limit, left, latencies) for _ in range(tasks)))
        taken, busy = perf_counter() - started, process_time() - cpu
        await close()
        return {
            "seconds": taken / count,
            "cpu": busy / count,
            "throughput": count / taken,
            "latency": median(latencies),
        }

    try:
        return asyncio.run(run())
    finally:
        os.environ.pop("SSL_CERT_FILE", None)


async def _work(get: Callable[..., Awaitable[Any]], limit: int, left: Any, latencies: list[float]) -> None:
    for _ in left:
        started = perf_counter()
        await get(limit=limit)
        latencies.append(perf_counter() - started)


def iterate(peer: Ours, *, url: str, limit: int, prefetch: int, pages: int) -> Numbers:
    """Iterate over a list in async code, and return the total seconds."""

    async def run() -> float:
        async with peer.pictify_client.AsyncPictify(api_key=KEY, base_url=url) as pictify:
            await pictify.bindings.list(limit=limit)
            started = perf_counter()
            found = [binding async for binding in pictify.bindings.list(limit=limit, prefetch=prefetch)]
            taken = perf_counter() - started
        assert len(found) == limit * pages, len(found)
        return taken

    return {"seconds": asyncio.run(run())}


def sync_iterate(peer: Ours, *, url: str, limit: int, prefetch: int, pages: int) -> Numbers:
    """Iterate over a list in sync code, and return the total seconds."""
    with peer.pictify_client.Pictify(api_key=KEY, base_url=url) as pictify:
        started = perf_counter()
        found = list(pictify.bindings.list(limit=limit, prefetch=prefetch))
        taken = perf_counter() - started
    assert len(found) == limit * pages, len(found)
    return {"seconds": taken}


def second_client(peer: Peer, *, url: str) -> Numbers:
    """Create a second client, and return the seconds that this takes."""

    async def run() -> float:
        get, close = await peer.aopen(url)
        await get(limit=20)
        taken: list[float] = []
        for _ in range(20):
            started = perf_counter()
            _, close_another = await peer.aopen(url)
            taken.append(perf_counter() - started)
            await close_another()
        await close()
        return median(taken)

    return {"seconds": asyncio.run(run())}


def probe(peer: Peer, *, url: str, body: str) -> Numbers:
    """Run each job once that the peer supports, and return the modules of its variant that were not used."""
    peer.decode(Path(body).read_bytes())
    for job in (calls, acalls):
        try:
            job(peer, url=url, limit=20, count=1)
        except NotImplementedError:
            continue
    return {name: float(name in sys.modules) for name in peer.wanted}


JOBS: dict[str, Callable[..., Numbers]] = {
    job.__name__: job for job in (decode, memory, calls, acalls, load, iterate, sync_iterate, second_client, probe)
}
