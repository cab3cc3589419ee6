"""Learning curves: two quantities over the epochs of a stage, with levels to compare them with."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from pages.drawing import theme
from pages.drawing.chart import Array
from pages.drawing.drawing import Drawing
from pages.drawing.marks import padded

DASHES = ("solid", "dot")
SYMBOLS = ("circle", "diamond")


LABEL = {"width": 0.6, "height": 0.09}
"""Share of the chart that the words on a level may take, on a phone."""


class Level(NamedTuple):
    """A horizontal line, and words on it where the curves leave room."""

    value: float
    words: str
    colour: str


class Played(NamedTuple):
    """A drawing of curves, and what moves in it, as `Chart` wants it."""

    drawing: Drawing
    moves: dict[int, dict[str, Array]]
    grows: dict[int, Array]


def learning_curves(
    palette: theme.Palette,
    curves: Mapping[str, Array],
    hue: theme.Hue,
    *,
    x: str,
    y: str,
    levels: Sequence[Level] = (),
    behind: Sequence[dict[str, Any]] = (),
    each: str = "epoch %{x}",
    unit: str = "",
    **layout: Any,
) -> Played:
    """Curves over the epochs or steps of a stage: the first is solid, the second dotted.

    Traces: those behind, then each whole curve faint, then each as far as it is played, then a marker at
    the head of each.
    """
    steps, n = np.arange(len(next(iter(curves.values())))), len(curves)
    values = np.concatenate([*curves.values(), [level.value for level in levels]])
    ranges = {"xaxis": {"range": padded(steps, 0.03)}, "yaxis": {"range": padded(values[np.isfinite(values)])}}
    fig = theme.figure(
        palette, x=x, y=y, data=[*behind, *_traces(palette, curves, hue, each, unit)],
        shapes=[_line(level) for level in levels],
        annotations=_named(levels, list(curves.values()), float(np.ptp(ranges["yaxis"]["range"]))),
        **{**ranges, **layout},
    )  # fmt: skip
    first = len(behind) + n
    heads = {first + n + i: {"x": steps[:, None], "y": line[:, None]} for i, line in enumerate(curves.values())}
    return Played(fig, heads, {first + i: steps + 1 for i in range(n)})


def _traces(
    palette: theme.Palette, curves: Mapping[str, Array], hue: theme.Hue, each: str, unit: str
) -> list[dict[str, Any]]:
    """Every curve faint, every curve as it is played, every head."""
    ghosts, played, heads = [], [], []
    for (name, values), dash, symbol in zip(curves.items(), DASHES, SYMBOLS, strict=False):
        line = {"type": "scatter", "x": np.arange(len(values)), "y": values, "mode": "lines"}
        silent = {"hoverinfo": "skip", "showlegend": False}
        hover = f"{each}<br>{name}: %{{y:.2f}}{unit}<extra></extra>"
        marker = {"symbol": symbol, "size": 9, "color": hue.mark}
        ghosts.append({**line, **silent, "line": theme.ghost(palette, dash)})
        played.append(
            {**line, "name": name, "line": theme.line(hue, dash), "showlegend": len(curves) > 1, "hovertemplate": hover}
        )
        heads.append(
            {**line, **silent, "x": [0], "y": values[:1], "mode": "markers", "marker": marker, "cliponaxis": False}
        )
    return ghosts + played + heads


def _line(level: Level) -> dict[str, Any]:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": level.value, "y1": level.value,
        "line": {"color": level.colour, "width": 1.2, "dash": "dash"},
    }  # fmt: skip


def _named(levels: Sequence[Level], curves: Sequence[Array], height: float) -> list[dict[str, Any]]:
    """The words on each level, above or below it, left or right, where curves and other levels are furthest."""
    placed = []
    for level in levels:
        lines = [np.full(2, other.value) for other in levels if other is not level]
        room = {
            corner: min((_distance(line, level.value, corner, height) for line in [*curves, *lines]), default=0.0)
            for corner in product(("top", "bottom"), ("right", "left"))
        }
        placed.append(_words(level, *max(room, key=lambda corner: room[corner])))
    return placed


def _distance(line: Array, value: float, corner: tuple[str, str], height: float) -> float:
    """How far a line stays from the middle of the words at a corner, up to where it no longer matters."""
    vertical, side = corner
    n = max(int(np.ceil(LABEL["width"] * len(line))), 1)
    part = line[-n:] if side == "right" else line[:n]
    middle = value + (0.5 if vertical == "top" else -0.5) * LABEL["height"] * height
    gaps = np.abs(part[np.isfinite(part)] - middle) / height
    return float(np.minimum(gaps, LABEL["height"]).min(initial=LABEL["height"]))


def _words(level: Level, vertical: str, side: str) -> dict[str, Any]:
    return {
        "xref": "paper", "x": 1 if side == "right" else 0.02, "xanchor": side, "y": level.value,
        "yanchor": "bottom" if vertical == "top" else "top", "text": level.words, "showarrow": False,
        "font": {"size": 12, "color": level.colour},
    }  # fmt: skip
