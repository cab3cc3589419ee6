"""The reader's own case: which section of the page is open, and what a link says of it."""

from collections.abc import Callable, Mapping

import streamlit as st

from pages.frame import link, sidebar
from pages.frame.page import Page
from pages.frame.yours import log, material, pairs

SECTIONS: Mapping[str, tuple[str, Callable[[Page], None]]] = {
    "pairs": ("Your preference pairs", pairs.section),
    "log": ("Your training log", log.section),
}
"""Titles and sections by their names in a link, in the order of the page."""
CHOSEN = "section"
PROMISE = (
    "What you bring here stays in this session: it is held in the server’s memory while this tab is open, it is never "
    "written to disk or to a log, no other reader can see it, and closing the tab ends it."
)


def current() -> str:
    """The section that the reader looks at, from the link at first."""
    if CHOSEN not in st.session_state:
        st.session_state[CHOSEN], said = link.choice(CHOSEN, st.query_params.get_all(CHOSEN), tuple(SECTIONS))
        if said:
            sidebar.note(said)
    return str(st.session_state[CHOSEN])


def parameters(page: str) -> dict[str, str]:
    """The section as it stands in the address of the page; an empty text where it says nothing."""
    chosen = current()  # whichever page a link opens, it is read
    return {CHOSEN: chosen if page == "yours" and chosen != next(iter(SECTIONS)) else ""}


def section(page: Page) -> None:
    """Choice of a section, and the section."""
    current()
    st.pills(
        "Section", list(SECTIONS), key=CHOSEN, format_func=lambda name: SECTIONS[name][0], required=True,
        persist_state="session", label_visibility="collapsed",
    )  # fmt: skip
    st.caption(PROMISE)
    _, draw = SECTIONS[current()]
    with material.guarded():
        draw(page)
