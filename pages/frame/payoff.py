"""At the end of a run: what it came to in a sentence, and three things to try next."""

from dataclasses import replace

import streamlit as st

from pages.drawing.marks import fell_back
from pages.drawing.wording import minus
from pages.frame import playback, sidebar
from pages.frame.memory import brought_in
from pages.frame.page import Page
from rlhf_core import PipelineRun, Settings
from rlhf_core.settings import CONTROLS


def show(page: Page) -> None:
    """The end of the run on screen, once the playhead is there."""
    if page.playhead.phase != "done":
        return
    run = page.view.run
    with st.container(border=True, key="payoff"):
        st.markdown(f"**What this run came to.** {summary(run)} What would change it?")
        with st.container(horizontal=True):
            for i, (label, settings) in enumerate(next_runs(run.settings)):
                st.button(label, key=f"payoff-{i}", on_click=_try, args=(settings,))


def summary(run: PipelineRun) -> str:
    """Reward, distance and truth of a run, in a sentence."""
    truth, ppo = run.ppo.true_reward, run.ppo
    moved = f"PPO took the reward from 0 to {minus(ppo.reward[-1])}, {minus(ppo.kl[-1])} nats away from SFT"
    if fell_back(run):
        peak = int(truth.argmax())
        return (
            f"{moved}; true reward was best at step {peak}, {minus(truth[peak])}, and ended at {minus(truth[-1])}: the "
            f"reward was over-optimised."
        )
    return f"{moved}; true reward went from {minus(truth[0])} to {minus(truth[-1])}."


def next_runs(settings: Settings) -> list[tuple[str, Settings]]:
    """Three runs that differ from this one in what matters most, with what the reader is asked to look at."""
    other = next(name for name in CONTROLS["scenario"].choices if name != settings.scenario)
    named = "The other scenario" if brought_in(settings) is None else f"The scenario {other}"
    candidates = [
        ("No leash, 60 steps: does the truth follow?", replace(settings, beta=0.0, ppo_steps=60)),
        ("Labellers who are swayed more", replace(settings, labeller_bias=max(1.5, settings.labeller_bias))),
        ("A tight leash, β = 2", replace(settings, beta=2.0)),
        ("Labellers who are not swayed at all", replace(settings, labeller_bias=0.0)),
        (named, replace(settings, scenario=other)),
    ]
    return [(label, each) for label, each in candidates if each != settings][:3]


def _try(settings: Settings) -> None:
    """Play the other run from the end of SFT; a callback."""
    sidebar.set_controls(settings)
    playback.seek(f"sft-{settings.sft_epochs}", play=True)
