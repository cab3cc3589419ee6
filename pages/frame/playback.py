"""The playhead: read from the URL once per session, moved by the stage, written back after each run."""

import secrets
from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.frame import link, sidebar
from rlhf_core.timeline import Timeline

PLAYHEAD, READ = "playhead", "playhead_read"
SEEK, HEARD, TOLD, PLAY = "seek", "heard", "told", "play"
DEFAULTS = {"at": "idle", "tour": "0"}


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


def seek(name: str, *, play: bool = False) -> None:
    """Move the playhead of the open page from Python, and have it play from there if wanted."""
    move(name)
    st.session_state[SEEK] = secrets.token_hex(4)
    st.session_state[PLAY] = play


def plays() -> bool:
    """Whether the last move by Python was to play from there."""
    return bool(st.session_state.get(PLAY, False))


def last_seek() -> str:
    """What tells the last move by Python from those before; empty if this session has made none."""
    return str(st.session_state.get(SEEK, ""))


def hear(report: Mapping[str, Any]) -> bool:
    """Take note of where the reader has stopped; True if that is somewhere else than it was.

    What the player sent before it knew of a move by Python is out of date; if it stands elsewhere, it says so again.
    """
    if report["count"] <= st.session_state.get(HEARD, 0):
        return False
    st.session_state[HEARD] = report["count"]
    if report["seek"] != last_seek() or report["frame"] == current():
        return False
    move(str(report["frame"]))
    return True


def publish(*, tour: int, **texts: str) -> None:
    """Write playhead, prompt, step of the tour and other parameters to the URL, leaving out what is at its default.

    The default of the others is an empty text. The browser says which address it had when it asked, but an address
    that it was told before may have been on its way then, and come after all that the reader did since: so the last
    word is said once more, until the browser has repeated it.
    """
    wanted = {"at": current(), sidebar.PROMPT: str(sidebar.prompt() + 1), "tour": str(tour), **texts}
    had = st.query_params.to_dict()
    usual = {**DEFAULTS, sidebar.PROMPT: str(sidebar.telling() + 1)}
    new = {name: text for name, text in wanted.items() if text != usual.get(name, "")}
    address = {name: text for name, text in had.items() if name not in wanted} | new
    told = st.session_state.pop(TOLD, None)
    if address == had and told in (None, had):
        return
    st.session_state[TOLD] = address
    for name in had.keys() - address.keys():
        del st.query_params[name]
    st.query_params.update(new)
