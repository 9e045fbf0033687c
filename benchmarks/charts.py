"""Charts of the figures: SVG without a background, in colours that are legible on light and dark pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .peers import AIO, BOTH, FAST, OURS, RAW, module

_INK = "#7d8590"
_OTHERS = "#a0a8b3"
_ACCENT = "#3b82f6"
_COLOURS = {OURS: _ACCENT, FAST: "#60a5fa", AIO: "#10b981", BOTH: "#34d399", "aiohttp": "#c77d2e", "httpx2": "#a371f7"}
_STYLE = {
    "font.family": ["sans-serif"],
    "font.size": 11,
    "svg.fonttype": "none",
    "svg.hashsalt": "pictify_client",
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "legend.frameon": False,
}
_NAMES = {RAW: "raw httpx, no models", "pydantic": "pydantic from bytes"}


def draw(results: dict[str, Any], folder: Path) -> None:
    """Draw the results."""
    matplotlib = module("matplotlib")
    matplotlib.use("svg")
    plots = module("matplotlib.pyplot")
    folder.mkdir(exist_ok=True)
    with plots.rc_context(_STYLE):
        for name, chart in (
            ("decode", _decode),
            ("calls", _calls),
            ("load", _load),
            ("start", _start),
            ("memory", _memory),
        ):
            figure = chart(plots, results["figures"])
            figure.tight_layout()
            figure.savefig(folder / f"{name}.svg", transparent=True, metadata={"Date": None, "Creator": None})
            plots.close(figure)


def _decode(plots: Any, figures: dict[str, Any]) -> Any:
    figure, axes = plots.subplots(figsize=(8, 3.6))
    _bars(axes, figures["decode_100"]["rows"], "ratio", longest=8)
    axes.set_title("Decode 100 bindings from bytes: time, json.loads = 1")
    return figure


def _calls(plots: Any, figures: dict[str, Any]) -> Any:
    figure, panels = plots.subplots(1, 2, figsize=(10, 3.8))
    for axes, size in zip(panels, (20, 100), strict=True):
        _bars(axes, figures[f"async_call_{size}"]["rows"], "ratio", longest=4)
        axes.set_title(f"page of {size}", fontsize=11)
    figure.suptitle("One async call at a time: time, raw httpx = 1", x=0.02, ha="left", fontsize=12)
    return figure


def _load(plots: Any, figures: dict[str, Any]) -> Any:
    figure, (rates, cpu) = plots.subplots(1, 2, figsize=(10, 3.8))
    rows = figures["growth_tasks"]["rows"]
    for name in dict.fromkeys(row["peer"] for row in rows):
        mine = [row for row in rows if row["peer"] == name]
        look = {"color": _COLOURS.get(name, _INK), "marker": "o", "ms": 4, "lw": 2.5 if name == OURS else 1.5}
        label = _NAMES.get(name, name)
        rates.plot([row["tasks"] for row in mine], [row["median"] for row in mine], label=label, **look)
        cpu.plot([row["tasks"] for row in mine], [row["CPU µs"] / 1e3 for row in mine], **look)
    for axes in (rates, cpu):
        axes.set_xscale("log")
        axes.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
        axes.set_xlabel("tasks at a time")
        axes.set_ylim(bottom=0)
    rates.set_title("Requests a second, a server that takes 50 ms")
    cpu.set_title("CPU a request, ms")
    rates.legend(fontsize=9)
    return figure


def _start(plots: Any, figures: dict[str, Any]) -> Any:
    figure, axes = plots.subplots(figsize=(8, 3.4))
    _bars(axes, figures["first_response"]["rows"], "median")
    axes.set_title("From the start of a process to its first response, ms")
    return figure


def _memory(plots: Any, figures: dict[str, Any]) -> Any:
    figure, axes = plots.subplots(figsize=(8, 2.8))
    _bars(axes, figures["memory"]["rows"], "median")
    axes.set_title("Memory of a decoded binding, kB")
    return figure


def _bars(
    axes: Any,
    rows: list[dict[str, Any]],
    number: str,
    *,
    longest: float | None = None,
) -> None:
    """A bar for each peer, the shortest on top, with its number; one that would dwarf the others is cut."""
    values = {row["peer"]: row["ratio"]["median"] if number == "ratio" else row[number] for row in rows}
    order = sorted(values, key=lambda name: -values[name])
    end = min(longest or max(values.values()), max(values.values()))
    shown = [min(values[name], end) for name in order]
    colours = [
        _ACCENT if name.startswith(OURS) else _INK if name == RAW or "json.loads" in name else _OTHERS for name in order
    ]
    axes.barh([_NAMES.get(name, name) for name in order], shown, color=colours, height=0.62)
    for height, name in enumerate(order):
        text = f"{values[name]:.0f}" if values[name] >= 10 else f"{values[name]:.2f}"
        cut = " (cut)" if values[name] > end else ""
        axes.text(min(values[name], end) + end * 0.012, height, f"{text}{cut}", va="center", fontsize=10)
    axes.set_xlim(0, end * 1.14)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="y", length=0)
