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


def learning_curves(
    palette: theme.Palette,
    curves: Mapping[str, Array],
    hue: theme.Hue,
    *,
    x: str,
    y: str,
    levels: Sequence[Level] = (),
    unit: str = "",
) -> tuple[go.Figure, dict[int, Array]]:
    """A figure of curves over epochs, and what grows in it: faint whole curves first, then the same again.

    The first curve is solid, the second dotted.
    """
    epochs = np.arange(len(next(iter(curves.values()))))
    named = list(zip(curves.items(), DASHES, SYMBOLS, strict=False))
    common = {"type": "scatter", "x": epochs}
    ghosts = [
        {**common, "y": values, "mode": "lines", "line": theme.ghost(palette, dash), "hoverinfo": "skip",
         "showlegend": False}
        for (_, values), dash, _ in named
    ]  # fmt: skip
    played = [
        {**common, "y": values, "mode": "lines+markers", "name": name, "line": theme.line(hue, dash),
         "marker": {"size": 5, "symbol": symbol}, "showlegend": len(curves) > 1,
         "hovertemplate": f"epoch %{{x}}<br>{name}: %{{y:.4~g}}{unit}<extra></extra>"}
        for (name, values), dash, symbol in named
    ]  # fmt: skip
    values = np.concatenate([*curves.values(), [level.value for level in levels]])
    fig = theme.figure(
        palette, x=x, y=y, data=ghosts + played, shapes=[_line(level) for level in levels],
        annotations=[_words(level) for level in levels], xaxis={"range": padded(epochs, 0.03)},
        yaxis={"range": padded(values[np.isfinite(values)])},
    )  # fmt: skip
    return fig, {len(named) + i: epochs + 1 for i in range(len(named))}


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
