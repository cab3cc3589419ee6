"""Small things that several charts share: words for numbers, room on an axis, names at the ends of curves."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.figures.theme import Hue

LOST_SHARE = 0.1
"""A run counts as over-optimised when true reward has lost this share of what PPO had gained at its peak."""


def lost_share(true_reward: np.ndarray) -> float:
    """Share of the gain at the peak that is lost again at the end; 0 where nothing was gained."""
    gain = float(true_reward.max() - true_reward[0])
    return float(true_reward.max() - true_reward[-1]) / gain if gain > 0 else 0.0


def minus(value: float, pattern: str = ".2f") -> str:
    """Write a number with a true minus sign, and without one before zero."""
    text = format(value, pattern)
    return text.replace("-", "" if float(text) == 0 else "\N{MINUS SIGN}")


def padded(values: np.ndarray, share: float = 0.14) -> list[float]:
    """Range of an axis that leaves room for words above and below."""
    pad = share * float(np.ptp(values)) or 0.1
    return [float(values.min()) - pad, float(values.max()) + pad]


def name_ends(fig: go.Figure, curves: Sequence[tuple[Any, ...]]) -> None:
    """Name each curve of (x, y, hue, dash, name) at its end, on the side where the curve is not."""
    ends = [float(values[-1]) for _, values, *_ in curves]
    every = np.concatenate([values for _, values, *_ in curves])
    apart = max(ends) - min(ends) > 0.2 * float(np.ptp(every))
    for place, values, hue, _, name in curves:
        rising = values[-1] >= values[-1 - len(values) // 6]
        above = rising if apart else values[-1] == max(ends)
        fig.add_annotation(
            x=place[-1], y=values[-1], text=name, showarrow=False, xanchor="right", yshift=14 if above else -14,
            font={"size": 13, "color": hue.text},
        )  # fmt: skip


def level(fig: go.Figure, value: float, name: str, hue: Hue, *, at: float = 0.0, above: bool = True) -> None:
    """A dotted line across the chart to compare with, named at the share `at` of its width."""
    fig.add_shape(
        type="line", xref="paper", x0=0, x1=1, y0=value, y1=value, line={"color": hue.mark, "width": 1.5, "dash": "dot"}
    )
    fig.add_annotation(
        xref="paper", x=at, y=value, text=name, showarrow=False, xanchor="left" if at < 0.5 else "right",
        yanchor="bottom" if above else "top", font={"size": 12, "color": hue.text},
    )  # fmt: skip
