"""Charts of results that are not on the clock, on the stage all the same: they have the menu of the others."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pages.drawing.chart import Chart
from pages.drawing.panel import Panel
from pages.stage import Stage, encode_chart

ALWAYS = np.zeros(1, dtype=int)


def draw(stage: Stage, panel: Panel, key: str, about: Mapping[str, Any]) -> None:
    """Draw a chart; for its menu see `taken.still`."""
    chart = Chart(panel.drawing, panel.alt, rows=ALWAYS)
    stage.still(encode_chart(chart), chart.at, key=key, about={**about, "title": panel.title})
