"""The pages of the app, and the cure for Streamlit's older meaning of a folder named `pages`."""

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages.stage import delivering

TITLE = "RLHF you can run"
TITLES = {
    "overview": "Overview",
    "sft": "SFT",
    "reward_model": "Reward model",
    "ppo": "PPO",
    "metrics": "Metrics",
    "lab": "Lab",
    "yours": "Yours",
}
"""Titles of the pages by the names of their scripts, in the order of the top navigation."""
DEFAULT = "overview"
FRAMED, WANTED = "framed", "wanted_page"


def pages() -> list[StreamlitPage]:
    """All pages, in the order of the top navigation."""
    return [
        st.Page(f"pages/{name}.py", title=title, url_path=name, default=name == DEFAULT)
        for name, title in TITLES.items()
    ]


def navigate() -> StreamlitPage:
    """Show the top navigation and return the page that the reader is on, with its name in the browser's tab.

    If a callback has asked for another page, begin again there.
    """
    page = st.navigation(pages(), position="top")
    wanted, parameters = st.session_state.pop(WANTED, (None, {}))
    if parameters or wanted not in (None, name_of(page)):
        # Before the controls are drawn, for each of them writes its parameter once after it has been moved.
        st.switch_page(f"pages/{wanted}.py", query_params=parameters)
    st.set_page_config(page_title=title_of(name_of(page)))
    return page


def title_of(name: str) -> str:
    """What the browser's tab, a bookmark and a shared link say."""
    return TITLE if name == DEFAULT else f"{TITLE}: {TITLES[name]}"


def request(name: str, parameters: Mapping[str, str | Sequence[str]] | None = None) -> None:
    """Ask for another page before the controls are next drawn; for callbacks, which cannot switch pages themselves.

    Parameters for the URL can be given only before there are controls, which from then on write their own.
    """
    st.session_state[WANTED] = (name, parameters or {})


def run(page: StreamlitPage) -> None:
    """Run a page inside the frame that `app.py` has drawn, and send what it has on its stage."""
    st.session_state[FRAMED] = True
    with delivering():
        page.run()


def name_of(page: StreamlitPage) -> str:
    """Name of a page's script, such as `reward_model`."""
    return page.url_path or DEFAULT


def path_of(name: str) -> str:
    """Path of a page in the app, such as `/reward_model`; the first page's is `/`."""
    return "/" if name == DEFAULT else f"/{name}"


def require_frame() -> None:
    """Start over through `app.py` if Streamlit runs a page script alone.

    It does so for the first visitor after a server start who opens a page by its link, because a
    folder `pages/` beside the entry script used to be the way to declare pages.
    """
    if not st.session_state.pop(FRAMED, False):
        st.navigation(pages())
        st.rerun()
