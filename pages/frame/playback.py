"""The playhead: read from the URL once per session, moved by the stage, written back after each run."""

import streamlit as st

from pages.frame import link, sidebar
from rlhf_core.timeline import Timeline

PLAYHEAD, READ = "playhead", "playhead_read"
SEEK = "seek"


def playhead(timeline: Timeline) -> str:
    """Name of the current frame; where it does not exist in this run, the nearest of its phase."""
    name, said = link.playhead(current(), timeline)
    said = said or link.once("at", st.query_params.get_all("at"), name)
    if said and READ not in st.session_state:  # later it is the reader who shortens the run
        sidebar.note(said)
    st.session_state[READ] = True
    move(name)  # the stage does so too, and the address must not promise another frame
    return name


def current() -> str:
    """Name of the frame that the reader has asked for, from the URL at first."""
    if PLAYHEAD not in st.session_state:
        st.session_state[PLAYHEAD] = st.query_params.get("at", "idle")
    return str(st.session_state[PLAYHEAD])


def move(name: str) -> None:
    """Put the playhead where the reader has stopped."""
    st.session_state[PLAYHEAD] = name


def seek(name: str) -> None:
    """Move the playhead of the open page from Python."""
    move(name)
    st.session_state[SEEK] = seek_id() + 1


def seek_id() -> int:
    """How often Python has moved the playhead; the stage follows when this grows."""
    return int(st.session_state.get(SEEK, 0))


def publish(*, tour: int, **texts: str) -> None:
    """Write playhead, prompt, step of the tour and other parameters to the URL, leaving out what is at its default.

    The default of the others is an empty text.
    """
    _put("at", current(), default="idle")
    _put(sidebar.PROMPT, str(sidebar.prompt() + 1), default=str(sidebar.telling() + 1))
    _put("tour", str(tour), default="0")
    for name, text in texts.items():
        _put(name, text, default="")


def _put(name: str, value: str, *, default: str) -> None:
    if value != default:
        if st.query_params.get(name) != value:
            st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]
