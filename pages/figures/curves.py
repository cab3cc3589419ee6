"""Learning curves: two quantities over the epochs of a stage, with levels to compare them with."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from pages.figures import theme
from pages.figures.chart import Array
from pages.figures.marks import padded

DASHES = ("solid", "dot")
SYMBOLS = ("circle", "diamond")


class Level(NamedTuple):
    """A horizontal line, and words on it at one of the corners `top right`, `bottom right`, `top left`, ..."""

    value: float
    words: str
    colour: str
    corner: str = "top right"


class Played(NamedTuple):
    """A figure of curves, and what moves in it, as `Chart` wants it."""

    figure: go.Figure
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
    steps = np.arange(len(next(iter(curves.values()))))
    named = list(zip(curves.items(), DASHES, SYMBOLS, strict=False))
    common = {"type": "scatter", "x": steps}
    ghosts = [
        {**common, "y": values, "mode": "lines", "line": theme.ghost(palette, dash), "hoverinfo": "skip",
         "showlegend": False}
        for (_, values), dash, _ in named
    ]  # fmt: skip
    played = [
        {**common, "y": values, "mode": "lines", "name": name, "line": theme.line(hue, dash),
         "showlegend": len(curves) > 1, "hovertemplate": f"{each}<br>{name}: %{{y:.4~g}}{unit}<extra></extra>"}
        for (name, values), dash, _ in named
    ]  # fmt: skip
    heads = [
        {"type": "scatter", "x": steps[:1], "y": values[:1], "mode": "markers", "showlegend": False,
         "hoverinfo": "skip", "marker": {"symbol": symbol, "size": 9, "color": hue.mark}, "cliponaxis": False}
        for (_, values), _, symbol in named
    ]  # fmt: skip
    values = np.concatenate([*curves.values(), [level.value for level in levels]])
    ranges = {"xaxis": {"range": padded(steps, 0.03)}, "yaxis": {"range": padded(values[np.isfinite(values)])}}
    fig = theme.figure(
        palette, x=x, y=y, data=[*behind, *ghosts, *played, *heads], shapes=[_line(level) for level in levels],
        annotations=[_words(level) for level in levels], **{**ranges, **layout},
    )  # fmt: skip
    first = len(behind) + len(named)
    return Played(
        fig,
        {
            first + len(named) + i: {"x": steps[:, None], "y": values[:, None]}
            for i, values in enumerate(curves.values())
        },
        {first + i: steps + 1 for i in range(len(named))},
    )


def _line(level: Level) -> dict[str, Any]:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": level.value, "y1": level.value,
        "line": {"color": level.colour, "width": 1.2, "dash": "dash"},
    }  # fmt: skip


def _words(level: Level) -> dict[str, Any]:
    vertical, side = level.corner.split()
    return {
        "xref": "paper", "x": 1 if side == "right" else 0.02, "xanchor": side, "y": level.value,
        "yanchor": "bottom" if vertical == "top" else "top", "text": level.words, "showarrow": False,
        "font": {"size": 12, "color": level.colour},
    }  # fmt: skip
