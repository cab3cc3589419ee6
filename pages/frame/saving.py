"""What is on screen as a file that plays by itself; made when it is asked for, beside the pages."""

import threading
from collections.abc import Callable

import streamlit as st

from pages.frame import addresses, brought, lesson, standalone
from pages.frame.part_titles import title_of

WAYS: dict[str, standalone.Plotly] = {
    "In the file: 5 MB, plays without a network": "inline",
    "From its CDN: 0.3 MB at most, needs the network": "cdn",
}
ONE_AT_A_TIME = threading.Lock()
"""For files, which a thread of Streamlit's makes: many who save at once must not keep the pages waiting."""


@st.dialog("Save as a file", width="large")
def save(page: str, parameters: str, name: str) -> None:
    """Choose what a file of this state holds, and save it.

    Parameters
    ----------
    page : str
        Name of the page.
    parameters : str
        Those of the link to the state on screen.
    name : str
        What the file's name begins with.
    """
    st.caption(
        "One HTML file with player, charts, formulas and numbers, for a blog, a slide or a disk. It needs no server."
    )
    show = st.multiselect(
        "Parts of the page", lesson.offered(page), lesson.shown(page), key=f"save-show-{page}",
        format_func=lambda part: title_of(part, page), placeholder="The whole page",
    )  # fmt: skip
    way = st.radio("Plotly, which draws the charts", list(WAYS), key="save-plotly")
    state, _ = standalone.read(page, parameters, show, brought.held())
    st.download_button(
        "Save the file", maker(state, WAYS[way], app_of(st.context.url or "")), f"{name}-{page}.html", "text/html",
        key="save-file", on_click="ignore", type="primary",
    )  # fmt: skip


def app_of(url: str) -> str:
    """Address of the app, from that of one of its pages."""
    return addresses.address(url, "overview").rstrip("/") if url else ""


def maker(state: standalone.State, plotly: standalone.Plotly, app: str) -> Callable[[], bytes]:
    """What makes the file, one at a time; a session holds no more than the state until then."""

    def make() -> bytes:
        with ONE_AT_A_TIME:
            return standalone.write(state, plotly=plotly, app=app)

    return make
