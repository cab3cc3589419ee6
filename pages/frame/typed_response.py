"""A response of the reader's own: a text field, its score, and what each feature earns."""

import streamlit as st

from pages.drawing.view import View
from pages.figures.reward_model import typed, words
from pages.frame import panels, taken
from pages.frame.page import Page


def section(page: Page) -> None:
    """Type a response on the left, see its score on the right."""
    view = page.view
    left, right = st.columns(2, gap="large")
    with left:
        page.text(words.typing)
        start = st.selectbox("Start from", list(typed.STARTS), key="rm-start", persist_state="session")
        key, draft = f"rm-text-{view.run.settings.scenario}-{view.prompt}-{start}", typed.STARTS[start](view)
        text = st.text_area("Response", draft, height=150, max_chars=typed.LONGEST, key=key, persist_state="session")
        page.say(typed.appraisal(view, text))
    with right:
        panel = typed.earned(view, text)
        of = taken.in_words(view.run.settings, view.question)
        about = taken.still(f"Settings: {of}", python(view, text), linked=False)
        panels.draw(page.stage, panel, "panel-earned", about)
        page.data(lambda _: panel.drawing.figure, "what the typed response earns", "earned")


def python(view: View, text: str) -> str:
    """Lines that draw what a typed response earns."""
    train = f"""from pages.drawing.view import View
from rlhf_core import Settings, run_pipeline
from rlhf_core.timeline import build

run = run_pipeline({taken.call_of_settings(view.run.settings)})
"""
    made = f"earned(View(run, build(run), prompt={view.prompt}, palette=LIGHT), {text!r}).drawing"
    return train + taken.shown(typed.__name__, "earned", made)
