"""A plot of bars on a logarithmic scale, as an SVG: on a light ground of its own, so that it is legible on any page."""

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, LEFT, RIGHT = 760, 130, 60
BAR, BETWEEN, APART = 13, 2, 12
TOP, BOTTOM = 62, 30
COLOURS = ("#1b5e9b", "#c2571a", "#2e7d4f")

_STYLE = "text{font:12px sans-serif;fill:#222}.title{font-weight:bold}.grid{stroke:#ccc}"


def bars(title: str, groups: Mapping[str, Sequence[float | None]], series: Sequence[str]) -> str:
    """Return the plot: a group of bars for each name, a bar for each of ``series``; ``None`` leaves a bar out.

    Each value is above 0. The scale begins and ends at powers of ten.
    """
    values = [value for group in groups.values() for value in group if value is not None]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    scale = _Scale(low, max(high, low + 1))
    height_of_group = len(series) * (BAR + BETWEEN) + APART
    bottom = TOP + len(groups) * height_of_group
    parts = [_text(LEFT, 20, title, "title"), *_legend(series), *_grid(scale, bottom)]
    for number, (name, group) in enumerate(groups.items()):
        top = TOP + number * height_of_group
        middle = top + len(series) * (BAR + BETWEEN) / 2 + 4
        parts.append(_text(LEFT - 8, middle, name, anchor="end"))
        parts += _group(group, top, scale)
    return _svg(bottom + BOTTOM, parts)


class _Scale:
    """Where a value lies, between two powers of ten."""

    def __init__(self, low: int, high: int) -> None:
        self.powers = range(low, high + 1)

    def __call__(self, value: float) -> float:
        share = (math.log10(value) - self.powers[0]) / (self.powers[-1] - self.powers[0])
        return LEFT + share * (WIDTH - LEFT - RIGHT)


def _group(group: Sequence[float | None], top: float, scale: _Scale) -> list[str]:
    parts = []
    for number, value in enumerate(group):
        if value is not None:
            y, end = top + number * (BAR + BETWEEN), scale(value)
            colour = COLOURS[number % len(COLOURS)]
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{end - LEFT:.1f}" height="{BAR}" fill="{colour}"/>')
            parts.append(_text(end + 4, y + BAR - 2, f"{value:,.0f}" if value >= 100 else f"{value:.1f}"))
    return parts


def _legend(series: Sequence[str]) -> list[str]:
    parts = []
    for number, name in enumerate(series):
        x = LEFT + number * 130
        parts.append(f'<rect x="{x}" y="32" width="{BAR}" height="{BAR}" fill="{COLOURS[number % len(COLOURS)]}"/>')
        parts.append(_text(x + BAR + 5, 43, name))
    return parts


def _grid(scale: _Scale, bottom: float) -> list[str]:
    parts = []
    for power in scale.powers:
        x = scale(10.0**power)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{bottom}"/>')
        parts.append(_text(x, bottom + 16, f"{10.0**power:g}", anchor="middle"))
    return parts


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    marked = f' class="{kind}"' if kind else ""
    return f'<text{marked} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(height: float, parts: Sequence[str]) -> str:
    size = f'width="{WIDTH}" height="{height:g}" viewBox="0 0 {WIDTH} {height:g}"'
    ground = '<rect width="100%" height="100%" fill="#fafafa"/>'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', f"<style>{_STYLE}</style>", ground, *parts, "</svg>"]
    return "\n".join(lines) + "\n"
