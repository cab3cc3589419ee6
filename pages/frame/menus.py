"""The sidebar's menus: what is pressed in one closes it, however quickly it was pressed."""

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.elements.lib.mutable_popover_container import PopoverContainer


def menu(label: str, name: str) -> "PopoverContainer":
    """A menu that knows whether it is open."""
    return st.popover(label, width="stretch", key=key_of(name), on_change="rerun")


def close(name: str) -> None:
    """Close a menu, which would stand over what a press in it has led to; a callback.

    The browser closes a menu that it has been told is open. Whoever presses something before the server has heard
    of the opening would keep it, so another menu takes its place: that one has never been open.
    """
    st.session_state[_count(name)] = st.session_state.get(_count(name), 0) + 1


def key_of(name: str) -> str:
    """Key of the menu that stands there now: whether it is open."""
    return f"{name}-{st.session_state.get(_count(name), 0)}"


def _count(name: str) -> str:
    return f"{name}-closed"
