"""A figure as plain data, which is all that the browser needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """Traces and layout, in the words of Plotly's JSON.

    One is made for every chart at every change of a control, and sent as it is. `go.Figure` checks each attribute,
    and takes several times as long as everything else together: it is made only where Streamlit draws or a table is
    read. That Plotly would change nothing in it is tested for every chart.
    """

    data: Sequence[Mapping[str, Any]]
    """Traces, each with its `type`."""
    layout: Mapping[str, Any]

    @property
    def figure(self) -> go.Figure:
        """The figure, checked by Plotly."""
        return go.Figure(list(self.data), self.layout)


def per_point_paths(trace: Mapping[str, Any]) -> list[str]:
    """Return the attribute paths of a trace that hold one entry per point.

    The length of x, or else of y, is the number of points.
    """
    n_points = len(trace.get("x", trace.get("y", ())))

    def walk(node: Mapping[str, Any], prefix: str) -> list[str]:
        found = []
        for name, value in node.items():
            if isinstance(value, Mapping):
                found += walk(value, f"{prefix}{name}.")
            elif isinstance(value, list | tuple | np.ndarray) and len(value) == n_points:
                found.append(prefix + name)
        return found

    return walk(trace, "") if n_points else []
