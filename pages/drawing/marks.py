"""Small things that several charts share: curves, room on an axis, lines to compare with."""

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


def level(value: float, hue: Hue) -> dict[str, Any]:
    """Shape of a dotted line to compare with."""
    line = {"color": hue.mark, "width": 1.5, "dash": "dot"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value, "line": line}
