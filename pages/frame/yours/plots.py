"""Charts of a reader's own material, one or two in a row, each with its numbers as a table."""

from collections.abc import Sequence

import streamlit as st

from pages.drawing import table
from pages.drawing.panel import Panel
from pages.frame import panels as on_stage
from pages.frame import taken
from pages.stage import Stage


def show(
    stage: Stage, panels: Sequence[Panel], key: str, of: str, python: str, call: str, *, columns: int = 2,
    linked: bool = False,
) -> None:  # fmt: skip
    """Draw charts in rows.

    Parameters
    ----------
    stage : Stage
    panels : sequence of Panel
    key : str
        Names the section, whose figures are in a module of that name.
    of : str
        What they are charts of, in words.
    python : str
        Lines that make what they show.
    call : str
        Call that gives these charts, of `charts` with what those lines have made.
    columns : int
        Charts in a row.
    linked : bool
        Whether the page's address leads back to them.
    """
    for first in range(0, len(panels), columns):
        row = panels[first : first + columns]
        places = st.columns(columns, gap="large") if columns > 1 else [st.container()]
        for place, (i, panel) in zip(places, enumerate(row, first), strict=False):
            lines = f"{python}{taken.shown(f'pages.figures.yours.{key}', 'charts', f'{call}[{i}].drawing')}"
            with place:
                _one(stage, panel, f"{key}-{i}", taken.still(of, lines, linked=linked))


def _one(stage: Stage, panel: Panel, key: str, about: dict[str, object]) -> None:
    st.markdown(f"### {panel.title}")
    on_stage.draw(stage, panel, key, about)
    folded = st.expander("Data", type="compact", key=f"yours-{key}-data", on_change="rerun")
    if folded.open:
        folded.html(table.markup(panel.drawing.figure, panel.title))
