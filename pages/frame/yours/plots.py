"""Charts of a reader's own material, one or two in a row, each with its numbers as a table."""

from collections.abc import Sequence

import streamlit as st

from pages.drawing import table
from pages.drawing.panel import Panel


def show(panels: Sequence[Panel], key: str, columns: int = 2) -> None:
    """Draw charts in rows."""
    for first in range(0, len(panels), columns):
        row = panels[first : first + columns]
        places = st.columns(columns, gap="large") if columns > 1 else [st.container()]
        for place, (i, panel) in zip(places, enumerate(row, first), strict=False):
            with place:
                _one(panel, f"yours-{key}-{i}")


def _one(panel: Panel, key: str) -> None:
    figure = panel.drawing.figure
    st.markdown(f"### {panel.title}")
    st.plotly_chart(figure, theme=None, key=key, alt=panel.alt, config={"displayModeBar": False})
    folded = st.expander("Data", type="compact", key=f"{key}-data", on_change="rerun")
    if folded.open:
        folded.html(table.markup(figure, panel.title))
