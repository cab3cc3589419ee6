"""A response of the reader's own: a text field, its score, and what each feature earns."""

import streamlit as st

from pages.figures.reward_model import typed, words
from pages.frame.page import Page


def section(page: Page) -> None:
    """Type a response on the left, see its score on the right."""
    view = page.view
    left, right = st.columns(2, gap="large")
    with left:
        page.text(words.typing)
        start = st.selectbox("Start from", list(typed.STARTS), key="rm-start", persist_state="session")
        key, draft = f"rm-text-{view.run.scenario.name}-{view.prompt}-{start}", typed.STARTS[start](view)
        text = st.text_area("Response", draft, height=150, max_chars=typed.LONGEST, key=key, persist_state="session")
        page.say(typed.appraisal(view, text))
    with right:
        st.plotly_chart(
            typed.earned(view, text), theme=None, key="rm-earned", config={"displayModeBar": False},
            alt="Reward that each feature of the typed response earns.",
        )  # fmt: skip
        page.data(lambda: typed.earned(view, text), "what the typed response earns", "earned")
