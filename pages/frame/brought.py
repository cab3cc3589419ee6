"""The scenario that a reader has brought: theirs in every page's sidebar, and nobody else's.

It is held as what they have brought to the page Yours, and settings carry it: see `rlhf_core.scenarios.brought`.
"""

import streamlit as st

from pages.drawing.wording import excerpt
from pages.frame import material
from rlhf_core.scenarios.brought import Brought

PLACE = "scenario"
"""As `material` knows it."""
LAST = "own-scenario"
LONGEST_TITLE = 30
ALONE = "This scenario is in your session alone, and nothing of it is stored: closing or reloading the tab ends it."
UNLINKED = "A link cannot carry your own scenario: elsewhere it opens with helpfulness instead. A file holds all of it."


def held() -> Brought | None:
    """The scenario that this session has brought, if any."""
    there = material.held(PLACE)
    return there.content if there else None


def let_go() -> None:
    """Free what was made from the one before, once it has gone: games, pins and labels may still name it."""
    last, own = st.session_state.get(LAST), held()
    if last is not own and last is not None:
        last.made.clear()
    st.session_state[LAST] = own


def title_of(own: Brought) -> str:
    """How the list of scenarios names it."""
    return f"Yours: {excerpt(own.scenario.title, LONGEST_TITLE)}"
