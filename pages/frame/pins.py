"""Pin a run, change a control, and compare. The pinned settings travel in the link, as `pin=beta=0.3&seed=1`."""

from urllib.parse import urlencode

import streamlit as st

from pages.figures.metrics.compare import pinned_and_current
from pages.frame import brought, link, sidebar
from pages.frame.page import Page
from rlhf_core import Settings

PIN = "pin"


def pinned() -> Settings | None:
    """Settings of the pinned run, from the link at first."""
    if PIN not in st.session_state:
        st.session_state[PIN] = st.query_params.get(PIN, "")
        notes = link.pinned(st.session_state[PIN], brought.held())[1]
        for said in notes or filter(None, [link.once(PIN, st.query_params.get_all(PIN), parameter() or "no pin")]):
            sidebar.note(said)
    return link.pinned(str(st.session_state[PIN]), brought.held())[0]


def parameter() -> str:
    """How the pinned run stands in the URL; empty if there is none."""
    settings = pinned()
    return "" if settings is None else urlencode(settings.to_query()) or link.DEFAULTS


def pin(settings: Settings | None) -> None:
    """Pin a run, or none; a callback."""
    st.session_state[PIN] = "" if settings is None else urlencode(settings.to_query()) or link.DEFAULTS


def section(page: Page) -> None:
    """Button to pin the run on screen, and the comparison once one is pinned."""
    then = pinned()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Pin this run",
            key="pin-run",
            on_click=pin,
            args=(page.view.run.settings,),
            disabled=then == sidebar.settings(),
        )
        if then is not None:
            st.button("Unpin", key="unpin-run", on_click=pin, args=(None,))
    if then is None:
        st.caption("Pin this run, then change a control: both runs' curves stand side by side.")
    else:
        page.compare(pinned_and_current, then)
