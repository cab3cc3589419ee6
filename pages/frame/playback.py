"""The playhead: read from the URL once per session, moved by the stage, written back after each run."""

import streamlit as st

from pages.frame import sidebar
from rlhf_core.timeline import Timeline

PLAYHEAD = "playhead"


def playhead(timeline: Timeline) -> str:
    """Name of the current frame; where it does not exist in this run, the nearest of its phase."""
    if PLAYHEAD not in st.session_state:
        st.session_state[PLAYHEAD] = st.query_params.get("at", "idle")
    try:
        return timeline.find(st.session_state[PLAYHEAD]).name
    except ValueError:
        return "idle"


def move(name: str) -> None:
    """Put the playhead where the reader has stopped."""
    st.session_state[PLAYHEAD] = name


def publish() -> None:
    """Write playhead and prompt to the URL, leaving out what is at its default."""
    _put("at", st.session_state.get(PLAYHEAD, "idle"), default="idle")
    _put(sidebar.PROMPT, str(sidebar.prompt() + 1), default="1")


def _put(name: str, value: str, *, default: str) -> None:
    if value != default:
        if st.query_params.get(name) != value:
            st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]
