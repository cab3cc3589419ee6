"""Draw your guess: the reader draws the true reward that they expect; results wait until the run has been played."""

import streamlit as st

from pages.frame import link, sidebar

SWITCH, READ = "guess", "guess-read"
PAGES = ("overview", "metrics")
"""Where one may guess; while one does, no result stands on these pages before the end of the run."""
OPEN = ("hero", "pipeline_picture", "toy_and_real", "glossary", "trl_names")
"""Parts that know of a run only where the playhead is, or nothing."""
KEPT_BACK = "Kept back while you guess; it stands here once the run has been played."


def on(page: str) -> bool:
    """Whether the reader has asked for it, on a page that has it."""
    return page in PAGES and bool(st.session_state.get(SWITCH, False))


def read() -> None:
    """Once a session: whether the link asks for it."""
    if READ in st.session_state:
        return
    st.session_state[READ] = True
    given = st.query_params.get_all(SWITCH)
    if said := link.switch(SWITCH, given):
        sidebar.note(said)
    elif given and given[0].lower() == "true":
        st.session_state[SWITCH] = True


def parameters(page: str) -> dict[str, str]:
    """The switch as it stands in the address of a page that has it; an empty text where it is off."""
    return {SWITCH: "true" if on(page) else ""}


def switch() -> None:
    """The switch, above the chart to draw on; one for both pages."""
    st.toggle(
        "Draw your guess first", key=SWITCH, persist_state="session",
        help="Draw the true reward that you expect, then press Run. Results are kept back until the run has ended.",
    )  # fmt: skip
