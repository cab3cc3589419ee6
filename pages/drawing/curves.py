"""Learning curves: two quantities over the epochs of a stage, with levels to compare them with."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from pages.drawing import theme
from pages.drawing.chart import Array
from pages.drawing.drawing import Drawing
from pages.drawing.labels import Level, Room, on_levels
from pages.drawing.marks import padded

DASHES = ("solid", "dot")
SYMBOLS = ("circle", "diamond")


PLOT = (270.0, 190.0)
"""Pixels of the plot on a phone."""


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
        annotations=_named(palette, levels, list(curves.values()), *(axis["range"] for axis in ranges.values())),
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


def _named(
    palette: theme.Palette, levels: Sequence[Level], curves: Sequence[Array], across: Sequence[float],
    up: Sequence[float],
) -> list[dict[str, Any]]:
    """The words on each level, off the curves and the other levels."""
    room = Room(across, up, PLOT)
    for curve in curves:
        room.draw(np.arange(len(curve)), curve)
    return on_levels(room, levels, palette.ground)
