"""The figures: what is measured, for which libraries, and the bounds that the project promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from .bodies import pages
from .cold import PROGRAMS, first_responses, imports
from .measure import Bench, Rounds, ratios, spread, table
from .pacing import paced
from .peers import AIO, BOTH, FAST, OURS, PEERS, RAW
from .server import CERTIFICATE

_STOCK = "stock generator"
_PYDANTIC = "pydantic"
_DECODERS = (RAW, OURS, FAST, _STOCK, "pictify SDK", "openai base", _PYDANTIC, "msgspec", "orjson")
_CLIENTS = (RAW, OURS, FAST, AIO, BOTH, _STOCK, "pictify SDK", "openai base", "httpx2", "aiohttp")
# It would take a third of the run.
_FAST_CLIENTS = tuple(name for name in _CLIENTS if name != "openai base")
_SYNC_CLIENTS = (RAW, OURS, FAST, _STOCK, "pictify SDK", "openai base", "httpx2")
_UNDER_LOAD = (RAW, OURS, AIO, "httpx2", "aiohttp")
_SLOW = 0.05


class Scale(NamedTuple):
    """How much is measured."""

    rounds: int
    seconds: float
    """Seconds of decoding per round."""
    calls: int
    """Sequential calls per round."""
    load_rounds: int
    load: int
    """Requests per task under load."""
    pages: int
    processes: int
    """Number of processes that measure an import."""
    kept: int
    """Number of pages of 100 bindings that are kept in memory."""
    items: tuple[int, ...]
    tasks: tuple[int, ...]
    iterated_pages: tuple[int, ...]


FULL = Scale(
    rounds=15,
    seconds=0.04,
    calls=100,
    load_rounds=5,
    load=6,
    pages=100,
    processes=9,
    kept=100,
    items=(1, 3, 10, 30, 100, 300, 1000),
    tasks=(1, 10, 30, 100, 300, 1000),
    iterated_pages=(1, 10, 100, 1000),
)
QUICK = Scale(3, 0.02, 30, 1, 3, 40, 1, 20, (1, 30, 1000), (1, 10, 100), (1, 10, 100))
TINY = Scale(1, 0.001, 2, 1, 1, 2, 1, 2, (1,), (1,), (1,))


class Figure(NamedTuple):
    """A figure: rows by library, and bounds.

    Attributes:
        title: Title.
        unit: Unit of the medians.
        rows: The rows; `ratio` compares with the first library in the same round.
        bounds: The promised bounds.
    """

    title: str
    unit: str
    rows: list[dict[str, Any]]
    bounds: list[dict[str, Any]]


def _at_most(what: str, measured: float | None, bound: float, aim: float | None = None) -> dict[str, Any]:
    reached = None if measured is None else measured <= bound
    return {"what": what, "measured": measured, "bound": bound, "aim": aim, "at": "most", "reached": reached}


def _at_least(what: str, measured: float | None, bound: float) -> dict[str, Any]:
    reached = None if measured is None else measured >= bound
    return {"what": what, "measured": measured, "bound": bound, "aim": None, "at": "least", "reached": reached}


def _ratio(rounds: Rounds, name: str, base: str, number: str = "seconds") -> float | None:
    """The median ratio, if both were measured."""
    return ratios(rounds, name, base, number)["median"] if name in rounds and base in rounds else None


def _median(rounds: Rounds, name: str, number: str) -> float | None:
    return median(each[number] for each in rounds[name]) if name in rounds else None


def _as_decoders(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Name rows by the decoder instead of the HTTP client."""
    names = {
        RAW: "json.loads, no models",
        "orjson": "orjson, no models",
        "pictify SDK": "pydantic from dicts (pictify SDK)",
    }
    return [{**row, "peer": names.get(row["peer"], row["peer"])} for row in rows]


class Figures:
    """All figures, each measured by a method.

    Args:
        bench: The processes.
        scale: How much is measured.
        folder: Folder for the response bodies that workers read.
    """

    def __init__(self, bench: Bench, scale: Scale, folder: Path) -> None:
        self.bench = bench
        self.scale = scale
        self.folder = folder
        bench.probe(self.body(20))

    def body(self, items: int, number: int = 0, count: int = 1) -> str:
        """The path of a file with a page."""
        path = self.folder / f"{items}-{number}-{count}.json"
        if not path.exists():
            for each, content in enumerate(pages(items, count)):
                (self.folder / f"{items}-{each}-{count}.json").write_bytes(content)
        return str(path)

    def _decode(self, items: int) -> Figure:
        scale = self.scale
        arguments = {"body": self.body(items), "seconds": scale.seconds}
        rounds = self.bench.rounds(_DECODERS, scale.rounds, "decode", arguments)
        stock, pydantic = _ratio(rounds, _STOCK, OURS), _ratio(rounds, FAST, _PYDANTIC)
        return Figure(
            f"Decode a page of {items} bindings from bytes",
            "µs",
            _as_decoders(table(rounds, RAW, "seconds", 1e6)),
            [
                _at_most("x json.loads", _ratio(rounds, OURS, RAW), 1.85, 1.6),
                _at_least("x faster than the stock generator", stock, 2.9),
                _at_most("[fast]: x json.loads", _ratio(rounds, FAST, RAW), 1.25, 1.1),
                _at_most("[fast]: x pydantic at its best", pydantic, 1.0),
            ],
        )

    def decode_20(self) -> Figure:
        """Decoding a page of the usual size."""
        return self._decode(20)

    def decode_100(self) -> Figure:
        """Decoding a page as large as the API allows."""
        return self._decode(100)

    def _calls(self, job: str, names: Sequence[str], limit: int, bound: float, aim: float) -> Figure:
        self.bench.server.respond_with(items=limit)
        kind = "async" if job == "acalls" else "sync"
        arguments: dict[str, object] = {"url": self.bench.server.url, "limit": limit, "count": self.scale.calls}
        rounds = self.bench.rounds(names, self.scale.rounds, job, arguments)
        return Figure(
            f"One {kind} call at a time, a page of {limit}",
            "µs",
            table(rounds, RAW, "seconds", 1e6, {"CPU µs": lambda each: each["cpu"] * 1e6}),
            [_at_most("x raw httpx", _ratio(rounds, OURS, RAW), bound, aim)],
        )

    def async_call_20(self) -> Figure:
        """One async call at a time."""
        return self._calls("acalls", _CLIENTS, 20, 1.0, 0.86)

    def async_call_100(self) -> Figure:
        """One async call at a time, with a large page."""
        return self._calls("acalls", _FAST_CLIENTS, 100, 1.15, 1.0)

    def sync_call_20(self) -> Figure:
        """One sync call at a time."""
        return self._calls("calls", _SYNC_CLIENTS, 20, 1.0, 0.83)

    def _load(
        self,
        tasks: int,
        delay: float,
        names: Sequence[str] = _UNDER_LOAD,
        *,
        rounds: int | None = None,
        tls: bool = False,
    ) -> Rounds:
        self.bench.server.respond_with(items=20, delay=delay)
        arguments: dict[str, Any] = {"url": self.bench.server.secure_url if tls else self.bench.server.url}
        if tls:
            arguments["certificate"] = str(CERTIFICATE)
        few = tasks * (self.scale.load if tasks <= 100 else max(1, self.scale.load // 3))
        count = max(few, min(100, tasks * 10))
        arguments |= {"limit": 20, "tasks": tasks, "count": count}
        found = self.bench.rounds(names, rounds or self.scale.load_rounds, "load", arguments, warm_up=False)
        for done in found.values():
            for each in done:
                each["reconnects"] = max(0.0, each["connections"] - tasks)
        return found

    def _load_rows(self, rounds: Rounds) -> list[dict[str, Any]]:
        extra: dict[str, Callable[[Any], float]] = {
            "median response ms": lambda each: each["latency"] * 1e3,
            "CPU µs": lambda each: each["cpu"] * 1e6,
            "connections": lambda each: each["connections"],
            "requests": lambda each: each["requests"],
        }
        return table(rounds, RAW, "throughput", 1, extra)

    def _instant(self, tasks: int) -> Figure:
        rounds = self._load(tasks, 0, _FAST_CLIENTS)
        return Figure(
            f"{tasks} tasks, a server that responds at once",
            "requests/s",
            self._load_rows(rounds),
            [
                _at_most("time x raw httpx", _ratio(rounds, OURS, RAW), 0.45),
                _at_most("[aiohttp]: time x raw httpx", _ratio(rounds, AIO, RAW), 0.25),
            ],
        )

    def instant_50(self) -> Figure:
        """Many tasks, and a server that responds at once."""
        return self._instant(50)

    def instant_100(self) -> Figure:
        """More tasks, and a server that responds at once."""
        return self._instant(100)

    def slow_100(self) -> Figure:
        """100 tasks and a slow server."""
        rounds = self._load(100, _SLOW)
        latency = _median(rounds, AIO, "latency")
        return Figure(
            "100 tasks, a server that responds after 50 ms",
            "requests/s",
            self._load_rows(rounds),
            [
                _at_most("connections beyond one a task", _median(rounds, OURS, "reconnects"), 0),
                _at_least("x raw httpx's throughput", _ratio(rounds, OURS, RAW, "throughput"), 1.6),
                _at_least("[aiohttp]: x raw httpx's throughput", _ratio(rounds, AIO, RAW, "throughput"), 2.1),
                _at_most("[aiohttp]: median response x 50 ms", None if latency is None else latency / _SLOW, 1.1),
            ],
        )

    def slow_500(self) -> Figure:
        """Many more tasks than connections."""
        rounds = self._load(500, _SLOW)
        few = self._load(10, _SLOW, (OURS, AIO))
        cpu, cpu_of_few = _median(rounds, OURS, "cpu"), _median(few, OURS, "cpu")
        grown = None if cpu is None or cpu_of_few is None else cpu / cpu_of_few
        return Figure(
            "500 tasks, a server that responds after 50 ms",
            "requests/s",
            self._load_rows(rounds),
            [
                _at_most("connections beyond one a task", _median(rounds, OURS, "reconnects"), 0),
                _at_least("x raw httpx's throughput", _ratio(rounds, OURS, RAW, "throughput"), 2.4),
                _at_least("[aiohttp]: x raw httpx's throughput", _ratio(rounds, AIO, RAW, "throughput"), 3.7),
                _at_most("CPU a request x that at 10 tasks", grown, 1.3),
            ],
        )

    def tls_100(self) -> Figure:
        """100 tasks over TLS."""
        rounds = self._load(100, _SLOW, tls=True)
        return Figure(
            "100 tasks over TLS, a server that responds after 50 ms", "requests/s", self._load_rows(rounds), []
        )

    def iterate(self) -> Figure:
        """Iteration over a list, with and without prefetching."""
        count = self.scale.pages
        self.bench.server.respond_with(items=20, pages=count, delay=_SLOW)
        rows: list[dict[str, Any]] = []
        bounds: list[dict[str, Any]] = []
        for job, kind in (("iterate", "async"), ("sync_iterate", "sync")):
            arguments: dict[str, object] = {"url": self.bench.server.url, "limit": 20, "pages": count}
            by_prefetch: dict[int, list[float]] = {}
            for prefetch in (0, 8):
                rounds = max(1, self.scale.load_rounds // 2)
                done = self.bench.rounds([OURS], rounds, job, {**arguments, "prefetch": prefetch}, warm_up=False)
                by_prefetch[prefetch] = [each["seconds"] for each in done[OURS]]
                rows.append({"peer": f"{kind}, prefetch={prefetch}", **spread(by_prefetch[prefetch])})
            faster = [slow / fast for slow, fast in zip(by_prefetch[0], by_prefetch[8], strict=True)]
            bounds.append(_at_least(f"{kind}: x faster with prefetch=8 than with 0", median(faster), 6))
        return Figure(f"Iterate over {count} pages of a server that responds after 50 ms", "s", rows, bounds)

    def imports(self) -> Figure:
        """The time to import the package, and to create a client."""
        found = imports([name for name in PROGRAMS if name in self.bench.workers], self.scale.processes)
        beyond = found["before_httpx"]
        rows = [
            {"peer": f"{name}, until usable", **spread([each["seconds"] * 1e3 for each in done])}
            for name, done in found["usable"].items()
        ]
        rows += [
            {
                "peer": f"beyond httpx: {name}" if "usable" in name else name,
                **spread([each["seconds"] * 1e3 for each in done]),
            }
            for name, done in beyond.items()
        ]
        fresh_worker, usable = (_median(beyond, name, "seconds") for name in ("import pictify_client", "usable"))
        return Figure(
            "Import, in a process that has nothing",
            "ms",
            rows,
            [
                _at_most("ms for `import pictify_client`", fresh_worker and fresh_worker * 1e3, 2),
                _at_most("ms until usable, beyond httpx", usable and usable * 1e3, 30),
            ],
        )

    def first_response(self) -> Figure:
        """A new process."""
        self.bench.server.respond_with(items=20)
        names = [name for name in PROGRAMS if name in self.bench.workers]
        rounds = first_responses(self.bench.server.url, names, self.scale.processes)
        beyond = [(mine["seconds"] - raw["seconds"]) * 1e3 for mine, raw in zip(rounds[OURS], rounds[RAW], strict=True)]
        return Figure(
            "From the start of a process to its first response",
            "ms",
            table(rounds, RAW, "seconds", 1e3),
            [_at_most("ms beyond raw httpx", median(beyond), 20)],
        )

    def second_client(self) -> Figure:
        """Another client in the same process."""
        self.bench.server.respond_with(items=20)
        names = [name for name in _CLIENTS if name not in (FAST, BOTH)]
        arguments = {"url": self.bench.server.url}
        rounds = self.bench.rounds(names, max(2, self.scale.rounds // 4), "second_client", arguments, warm_up=False)
        mine = _median(rounds, OURS, "seconds")
        return Figure(
            "A second client in the process",
            "ms",
            table(rounds, RAW, "seconds", 1e3),
            [_at_most("ms", mine and mine * 1e3, 0.3)],
        )

    def memory(self) -> Figure:
        """The memory of decoded bindings."""
        count = self.scale.kept
        bodies = [self.body(100, number, count) for number in range(count)]
        rounds: Rounds = {}
        for name in (OURS, _STOCK, _PYDANTIC, "openai base", "msgspec", RAW):
            if name in self.bench.workers:
                with self.bench.fresh_worker(name) as worker:
                    rounds[name] = [worker.do("memory", bodies=bodies)]
        return Figure(
            f"Memory of {count * 100:,} decoded bindings",
            "kB a binding",
            _as_decoders(table(rounds, _PYDANTIC, "bytes", 1e-3 / (count * 100))),
            [_at_most("x pydantic", _ratio(rounds, OURS, _PYDANTIC, "bytes"), 0.7)],
        )

    def growth_items(self) -> Figure:
        """Decoding time by the number of items on a page."""
        rows: list[dict[str, Any]] = []
        for items in self.scale.items:
            names = (RAW, OURS, FAST, _STOCK, _PYDANTIC)
            arguments = {"body": self.body(items), "seconds": max(self.scale.seconds, items * 1e-4)}
            rounds = self.bench.rounds(names, max(1, self.scale.rounds // 4), "decode", arguments)
            rows += [{**row, "items": items} for row in _as_decoders(table(rounds, RAW, "seconds", 1e6 / items))]
        return Figure("Decoding, by the items of a page", "µs an item", rows, [])

    def growth_tasks(self) -> Figure:
        """Throughput by the number of concurrent tasks."""
        rows: list[dict[str, Any]] = []
        for tasks in self.scale.tasks:
            rounds = self._load(tasks, _SLOW, (RAW, OURS, AIO, "aiohttp"), rounds=max(1, self.scale.load_rounds // 2))
            rows += [{**row, "tasks": tasks} for row in self._load_rows(rounds)]
        return Figure("Tasks at a time, a server that responds after 50 ms", "requests/s", rows, [])

    def growth_pages(self) -> Figure:
        """Iteration time by the number of pages."""
        rows: list[dict[str, Any]] = []
        for count in self.scale.iterated_pages:
            self.bench.server.respond_with(items=20, pages=count)
            for prefetch in (0, 8):
                arguments: dict[str, object] = {
                    "url": self.bench.server.url,
                    "limit": 20,
                    "pages": count,
                    "prefetch": prefetch,
                }
                done = self.bench.rounds([OURS], max(1, self.scale.load_rounds // 2), "iterate", arguments)[OURS]
                each = spread([numbers["seconds"] * 1e3 / count for numbers in done])
                rows.append({"peer": f"prefetch={prefetch}", **each, "pages": count})
        return Figure("Iteration, by the number of pages, a server that responds at once", "ms a page", rows, [])

    def growth_memory(self) -> Figure:
        """Memory by the number of bindings that are kept."""
        rows: list[dict[str, Any]] = []
        count = self.scale.kept
        for kept in (1, max(1, count // 10), count):
            bodies = [self.body(100, number, count) for number in range(kept)]
            for name in (OURS, _PYDANTIC):
                if name in self.bench.workers:
                    with self.bench.fresh_worker(name) as worker:
                        held = worker.do("memory", bodies=bodies)["bytes"] / kept / 1e5
                    rows.append({"peer": name, **spread([held]), "bindings": kept * 100})
        return Figure("Memory, by the number of bindings", "kB a binding", rows, [])

    def pacing(self) -> Figure:
        """Throughput under a rate limit."""
        rows: list[dict[str, Any]] = []
        for limit in (60, 300, 1000):
            for pacing in (False, True):
                found = paced(limit, pacing=pacing)
                name = f"{limit} a minute, pacing {'on' if pacing else 'off'}"
                more = {"failed": found["failed"], "rejected (429)": found["rejected"]}
                rows.append({"peer": name, **spread([found["succeeded"]]), **more})
        return Figure(
            "Calls under a rate limit, one after the other, 20 ms each (simulated)", "responses/min", rows, []
        )


ALL = [
    Figures.decode_20,
    Figures.decode_100,
    Figures.async_call_20,
    Figures.async_call_100,
    Figures.sync_call_20,
    Figures.instant_50,
    Figures.instant_100,
    Figures.slow_100,
    Figures.slow_500,
    Figures.tls_100,
    Figures.iterate,
    Figures.imports,
    Figures.first_response,
    Figures.second_client,
    Figures.memory,
    Figures.growth_items,
    Figures.growth_tasks,
    Figures.growth_pages,
    Figures.growth_memory,
    Figures.pacing,
]
NAMES = tuple(PEERS)
