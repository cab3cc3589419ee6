"""Draw your guess: the reader draws the true reward that they expect; results wait until the run has been played."""

import streamlit as st

SWITCH = "guess"
PAGES = ("overview", "metrics")
"""Where one may guess; while one does, no result stands on these pages before the end of the run."""
OPEN = ("hero", "pipeline_picture", "toy_and_real", "glossary", "trl_names")
"""Parts that know of a run only where the playhead is, or nothing."""
KEPT_BACK = "Kept back while you guess; it stands here once the run has been played."


def on(page: str) -> bool:
    """Whether the reader has asked for it, on a page that has it."""
    return page in PAGES and bool(st.session_state.get(SWITCH, False))


def switch() -> None:
    """The switch, above the chart to draw on; one for both pages."""
    st.toggle(
        "Draw your guess first", key=SWITCH, persist_state="session",
        help="Draw the true reward that you expect, then press Run. Results are kept back until the run has ended.",
    )  # fmt: skip
