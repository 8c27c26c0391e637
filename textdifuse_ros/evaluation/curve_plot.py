"""Time against image size as a small SVG, a line for each number of steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_WIDTH, _HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 84, 48, 56
_COLOURS = ("#1b6ca8", "#c8553d", "#3c7a3f", "#7a5195")
_TICKS = (1, 2, 5)


def svg(rows: Sequence[Mapping[str, Any]]) -> str:
    """rows of `textdifuse bench --curve`: size "WxH", steps, total_ms, and what the title says.

    Both axes are logarithmic: pixels to the right, milliseconds of a whole frame upwards. A dashed line
    through the middle size of the fewest steps says how linear growth would go on from there.
    """
    pixels = {row["size"]: math.prod(map(int, row["size"].split("x"))) for row in rows}
    times = [row["total_ms"]["p50"] for row in rows]
    across = _Axis(min(pixels.values()), max(pixels.values()), _LEFT, _WIDTH - _RIGHT)
    up = _Axis(*_decades(min(times), max(times)), _HEIGHT - _BOTTOM, _TOP)
    parts = [*_frame(rows[0]), *_size_ticks(pixels, across), *_time_ticks(up)]
    parts += _linear(rows, pixels, across, up)
    for colour, steps in zip(_COLOURS, sorted({row["steps"] for row in rows}), strict=False):
        points = [
            (across.at(pixels[row["size"]]), up.at(row["total_ms"]["p50"]))
            for row in rows
            if row["steps"] == steps
        ]
        parts += _line(points, colour, f"{steps} step{'s' if steps > 1 else ''}")
    return "\n".join([*parts, "</svg>", ""])


class _Axis:
    """A logarithmic scale from values to pixels of the drawing."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high = low, high if high > low else 2 * low
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return round(self._start + share * (self._end - self._start), 1)


def _ladder(low: float, high: float) -> list[float]:
    """1, 2, 5, 10, ... from below `low` to above `high`."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [tick * 10.0**decade for decade in decades for tick in _TICKS]


def _decades(low: float, high: float) -> tuple[float, float]:
    ladder = _ladder(low, high)
    return max(tick for tick in ladder if tick <= low), min(tick for tick in ladder if tick >= high)


def _text(x: float, y: float, words: str, anchor: str = "middle", extra: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{extra}>{escape(words)}</text>'


def _frame(first: Mapping[str, Any]) -> list[str]:
    title = f"{first['engine']} {first['dtype']}, {first['threads']} threads, {first['machine']}"
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#333">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        _text(_WIDTH / 2, 24, title, extra=' font-size="14"'),
        _text(_WIDTH / 2, _HEIGHT - 12, "image size"),
        _text(16, middle, "ms a frame, median", extra=f' transform="rotate(-90 16 {middle:g})"'),
    ]


def _size_ticks(pixels: Mapping[str, int], across: _Axis) -> list[str]:
    parts = []
    for size, count in pixels.items():
        x, low = across.at(count), _HEIGHT - _BOTTOM
        parts.append(f'<path d="M{x:g} {_TOP}V{low}" stroke="#ddd"/>')
        turned = f' transform="rotate(-18 {x:g} {low + 18})" font-size="10"'
        parts.append(_text(x + 12, low + 18, size, "end", turned))
    return parts


def _time_ticks(up: _Axis) -> list[str]:
    parts = []
    for tick in _ladder(up.low, up.high):
        if up.low <= tick <= up.high:
            y = up.at(tick)
            parts.append(f'<path d="M{_LEFT} {y:g}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
            parts.append(_text(_LEFT - 8, y + 4, f"{tick:g}", "end"))
    return parts


def _linear(
    rows: Sequence[Mapping[str, Any]], pixels: Mapping[str, int], across: _Axis, up: _Axis
) -> list[str]:
    """As many times the pixels, as many times as long: dashed, as far as it lies within the frame."""
    fewest = min(row["steps"] for row in rows)
    of_fewest = sorted(
        (pixels[row["size"]], row["total_ms"]["p50"]) for row in rows if row["steps"] == fewest
    )
    count, time = of_fewest[len(of_fewest) // 2]
    each = time / count
    ends = [max(across.low, up.low / each), min(across.high, up.high / each)]
    (left, top), (right, bottom) = ((across.at(end), up.at(end * each)) for end in ends)
    path = f'<path d="M{left:g} {top:g}L{right:g} {bottom:g}" stroke="#888" stroke-dasharray="5 4"/>'
    return [path, _text(right - 8, bottom - 8, "linear", "end", ' style="fill:#888"')]


def _line(points: Sequence[tuple[float, float]], colour: str, label: str) -> list[str]:
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    dots = [f'<circle cx="{x:g}" cy="{y:g}" r="3" fill="{colour}"/>' for x, y in points]
    x, y = points[-1]
    name = _text(x + 8, y + 4, label, "start", f' style="fill:{colour}"')
    return [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>', *dots, name]
