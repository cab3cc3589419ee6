"""The reader's own case: which section of the page is open, and what a link says of it."""

from collections.abc import Callable, Mapping

import streamlit as st

from pages.frame import link, material, sidebar
from pages.frame.page import Page
from pages.frame.yours import label, log, pairs, scenario

SECTIONS: Mapping[str, tuple[str, Callable[[Page], None]]] = {
    "label": ("You are the labeller", label.section),
    "pairs": ("Your preference pairs", pairs.section),
    "log": ("Your training log", log.section),
    "scenario": ("Your scenario", scenario.section),
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


def read() -> None:
    """Section and labels of the link, whichever page it opens, so that their notes stand with the others."""
    current()
    label.read()


def parameters(page: str) -> dict[str, str]:
    """Section and labels as they stand in the address of the page; empty texts where they say nothing."""
    read()
    chosen, first = current(), next(iter(SECTIONS))
    return {
        CHOSEN: chosen if page == "yours" and chosen != first else "",
        label.LABELS: label.parameter() if page == "yours" and chosen == "label" else "",
    }


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
