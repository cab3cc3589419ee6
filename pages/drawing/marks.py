"""Small things that several charts share: words for numbers, room on an axis, names at the ends of curves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.theme import Hue, Palette
from rlhf_core import PipelineRun
from rlhf_core.yours.record import spread
from rlhf_core.yours.symptoms import over_optimised


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One line of a chart, in the colour and dash of what it means."""

    x: np.ndarray
    y: np.ndarray
    hue: Hue
    dash: str
    name: str

    def ghost(self, palette: Palette) -> dict[str, Any]:
        """Trace of the whole curve, faint behind what has been played."""
        line = theme.ghost(palette, self.dash)
        return {"type": "scatter", "x": self.x, "y": self.y, "mode": "lines", "line": line, "hoverinfo": "skip"}

    def played(self, hover: str) -> dict[str, Any]:
        """Trace that grows as the run is played; `hover` stands before name and value."""
        return {
            "type": "scatter", "x": self.x, "y": self.y, "mode": "lines", "line": theme.line(self.hue, self.dash),
            "hovertemplate": f"{hover}{self.name} %{{y:.2f}}<extra></extra>",
        }  # fmt: skip

    def head(self) -> dict[str, Any]:
        """Trace of a dot at the end of what has been played."""
        marker = {"color": self.hue.mark, "size": 9}
        return {
            "type": "scatter", "x": self.x[-1:], "y": self.y[-1:], "mode": "markers", "marker": marker,
            "hoverinfo": "skip",
        }  # fmt: skip


def fell_back(run: PipelineRun) -> bool:
    """Whether the run's true reward has visibly fallen from its peak."""
    return over_optimised(run.ppo.true_reward, float(spread(run.ppo.log_probs[0], run.scenario.true_reward)))


def padded(values: np.ndarray, share: float = 0.14) -> list[float]:
    """Range of an axis that leaves room for words above and below."""
    pad = share * float(np.ptp(values)) or 0.1
    return [float(values.min()) - pad, float(values.max()) + pad]


def end_names(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """Annotations that name each curve at its end, on the side where the curve is not."""
    ends = sorted(float(curve.y[-1]) for curve in curves)
    height = float(np.ptp(np.concatenate([curve.y[np.isfinite(curve.y)] for curve in curves])))
    apart = min(np.diff(ends), default=0.0) > 0.2 * height
    named = []
    for curve in curves:
        rising = curve.y[-1] >= curve.y[-1 - len(curve.y) // 6]
        upper = ends[-1] - curve.y[-1] < curve.y[-1] - ends[0]
        above = rising if apart else upper or curve.y[-1] == ends[-1]
        named.append(
            {
                "x": curve.x[-1], "y": curve.y[-1], "text": curve.name, "showarrow": False, "xanchor": "right",
                "yshift": 14 if above else -14, "font": {"size": 13, "color": curve.hue.text},
            }
        )  # fmt: skip
    return named


def level(value: float, name: str, hue: Hue, *, above: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
    """Shape and annotation of a dotted line to compare with, named at its left end."""
    line = {"color": hue.mark, "width": 1.5, "dash": "dot"}
    return (
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value, "line": line},
        {
            "xref": "paper", "x": 0, "y": value, "text": name, "showarrow": False, "xanchor": "left",
            "yanchor": "bottom" if above else "top", "font": {"size": 12, "color": hue.text},
        },
    )  # fmt: skip
