"""The charts that a page's script draws, as its figures give them: before they are encoded."""

from unittest.mock import patch

from pages.drawing.chart import Chart
from pages.frame.standalone.printed import Printed, printed
from pages.frame.standalone.state import State


def printed_with_charts(state: State) -> tuple[Printed, dict[str, Chart]]:
    """A page on paper, and its charts by their keys."""
    charts: list[Chart] = []
    numbers = Printed._numbers

    def watched(page: Printed, chart: Chart) -> str:
        charts.append(chart)
        return numbers(page, chart)

    with patch.object(Printed, "_numbers", watched):
        made = printed(state)
    return made, dict(zip(made.tables, charts, strict=True))
