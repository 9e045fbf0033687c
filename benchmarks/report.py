"""Format figures as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

_FIXED = ("peer", "median", "low", "high", "ratio")


def text_of(figure: dict[str, Any]) -> str:
    """A figure as a table, with its bounds below."""
    return "\n".join([f"\n{figure['title']}", *_table(figure), *(f"  {bound_of(each)}" for each in figure["bounds"])])


def rounded(value: Any) -> Any:
    """Results rounded to four significant digits."""
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [rounded(each) for each in cast("list[object]", value)]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def bound_of(bound: dict[str, Any]) -> str:
    """A bound, the measured value, and whether the bound is met."""
    aim = "" if bound["aim"] is None else f", aim for {bound['aim']:g}"
    promised = f"{bound['what']}: at {bound['at']} {bound['bound']:g}{aim}"
    if bound["measured"] is None:
        return f"[not measured]  {promised}"
    mark = "reached" if bound["reached"] else "not reached"
    return f"[{mark}]  {promised}; is {_number(bound['measured'])}"


def _table(figure: dict[str, Any]) -> Iterator[str]:
    rows: list[dict[str, Any]] = figure["rows"]
    more = list(dict.fromkeys(name for row in rows for name in row if name not in _FIXED))
    has_ratio = any("ratio" in row for row in rows)
    cells = [["", figure["unit"], "quartiles", *(["ratio", "quartiles"] if has_ratio else []), *more]]
    for row in rows:
        line = [row["peer"], _number(row["median"]), f"{_number(row['low'])}..{_number(row['high'])}"]
        if has_ratio:
            ratio = row.get("ratio")
            line += [f"{ratio['median']:.2f}", f"{ratio['low']:.2f}..{ratio['high']:.2f}"] if ratio else ["", ""]
        cells.append([*line, *(_number(row[name]) if name in row else "" for name in more)])
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    for line in cells:
        first, *others = (
            text.ljust(width) if not column else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        yield "  ".join(["", first, *others])


def _number(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
