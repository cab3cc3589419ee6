"""The tour's strip, docked below the player: it asks, waits for the reader to do it, and then tells what happened."""

import streamlit as st

from pages.frame import spotlight, tour
from pages.frame.tour import SKIPPED, STEPS, Step
from rlhf_core import PipelineRun
from rlhf_core.timeline import Frame

KEY = "tour-strip"
"""Of the container that the style sheet docks."""


def show(run: PipelineRun, frame: Frame, page: str) -> None:
    """The step on screen, if the reader is on the tour."""
    number = tour.current()
    if number == 0:
        return
    step = STEPS[number - 1]
    here = page.replace("-", "_") == step.page
    with st.container(border=True, key=KEY):
        st.markdown(f"**Tour {number} of {len(STEPS)}: {step.title}**")
        if not here:
            st.markdown("This step is about another page. Press *Set it up again* to go there.")
        elif not step.options:
            st.markdown(step.see(run))
        else:
            _ask_or_tell(number, step, run, frame)
        _buttons(number, step, run)
    if here:
        asking = bool(step.options) and number not in tour.guesses()
        spotlight.on(f"{page}-{step.target}", f"{number} {asking}", KEY, veiled=asking)


def _ask_or_tell(number: int, step: Step, run: PipelineRun, frame: Frame) -> None:
    guess, ready = tour.guesses().get(number), tour.prepared(step, run.settings)
    if guess is None:
        st.markdown(step.question)
        with st.container(horizontal=True):
            for i, option in enumerate(step.options):
                st.button(option[0].upper() + option[1:], key=f"tour-guess-{number}-{i}", on_click=tour.guess,
                          args=(number, option))  # fmt: skip
            st.button("Skip the guess", key=f"tour-skip-{number}", on_click=tour.guess, args=(number, SKIPPED),
                      type="tertiary")  # fmt: skip
    elif not ready:
        st.markdown("The controls have been moved since. Press *Set it up again* to go on with this step.")
    elif not step.until(run.settings, frame):
        said = "" if guess == SKIPPED else f"You predict: *{guess}*. "
        st.markdown(f"{said}**Do:** {step.do}")
    else:
        st.markdown(f"{_verdict(guess, step.right(run))} {step.see(run)}")


def _verdict(guess: str, right: str) -> str:
    if guess == SKIPPED:
        return f"**It was: {right}.**"
    if guess == right:
        return f"**Right: {right}.**"
    return f"**Not quite: you predicted “{guess}”, and it was “{right}”.**"


def _buttons(number: int, step: Step, run: PipelineRun) -> None:
    with st.container(horizontal=True):
        if step.options:
            st.button("Set it up again", key="tour-set-up", on_click=tour.set_up, args=(number,))
        st.button("Previous", key="tour-previous", on_click=tour.go, args=(number - 1,), disabled=number == 1)
        if number < len(STEPS):
            st.button("Next", key="tour-next", on_click=tour.go, args=(number + 1,))
        st.button("Leave the tour", key="tour-leave", on_click=tour.go, args=(0,), type="tertiary")
