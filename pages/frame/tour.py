"""The guided tour: eight steps of predict, do, see; each is a link (`?tour=3`) and can be left and resumed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from pages.frame import link, navigation, playback, sidebar, tour_words
from rlhf_core import PipelineRun, Settings
from rlhf_core.timeline import Frame

STEP, REACHED, GUESSES = "tour", "tour_reached", "tour_guesses"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the tour."""

    title: str
    page: str
    """Page that the step is about, as in `st.navigation`."""
    look: str
    question: str
    options: tuple[str, ...]
    see: Callable[[PipelineRun], str]
    """What has happened, with the run's own numbers."""
    do: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Settings that differ from the defaults."""
    at: str = "idle"
    """Where the playhead is put by "Set it up"."""
    until: Callable[[Settings, Frame], bool] = lambda settings, frame: frame.phase == "done"
    """Whether the reader has done it."""


HACKING: dict[str, Any] = {"beta": 0.0, "ppo_steps": 60}
STEPS = (
    Step(
        "Run the pipeline", "overview",
        "Three samples each from the base, the SFT and the PPO policy, and the strip above them.",
        "PPO will push up the reward. What happens to the true reward, which it never sees?",
        ("it rises too", "it stays", "it falls"), tour_words.answers, "Press **Run** and wait for Done.",
    ),
    Step(
        "What SFT cannot do", "sft",
        "The loss on training and on held-out demonstrations.",
        "SFT has read a few good answers to each prompt. Will it now give the best answers?",
        ("yes, nearly", "better ones, not the best", "no better than before"), tour_words.imitation,
        "Press **Step** once, to the end of SFT.", until=lambda settings, frame: frame.phase != "idle",
    ),
    Step(
        "Why pairs, not scores", "reward_model",
        "The loss: it starts at log 2, the price of guessing.",
        "If every score were 10 higher, what would the Bradley–Terry loss do?",
        ("rise", "stay the same", "fall"), tour_words.pairs, "Press **Step** until the reward model is trained.",
        at="sft-30", until=lambda settings, frame: frame.rm_epoch >= settings.rm_epochs,
    ),
    Step(
        "One PPO step, line by line", "ppo",
        "The loop in pseudo-code, and the rollouts beside it.",
        "The clip range is 0.2. Can the ratio of a token still end above 1.2?",
        ("no, that is what clipping does", "yes"), tour_words.one_step,
        "Switch Step to **loop line** and step through sample, score, KL, advantage and update.",
        at="rm-60", until=lambda settings, frame: frame.ppo_step >= 1,
    ),
    Step(
        "What β buys", "ppo",
        "The reward–KL plane.",
        "With β = 2 instead of 0.1, how far will the policy go in as many steps?",
        ("as far as before", "about half as far", "hardly at all"), tour_words.leash, "Press **Run**.",
        changes={"beta": 2.0}, at="rm-60",
    ),
    Step(
        "Watch the reward being hacked", "metrics",
        "Reward beside true reward.",
        "No penalty, 60 steps. PPO climbs the reward; and the true reward?",
        ("rises with it", "rises, then falls", "falls from the start"), tour_words.hacked, "Press **Run**.",
        changes=HACKING, at="rm-60",
    ),
    Step(
        "Why accuracy is not enough", "metrics",
        "RM accuracy, and the same two curves.",
        "Now labellers never err at random, and there are five times as many comparisons. Is the hacking gone?",
        ("yes", "no"), tour_words.accuracy, "Press **Run**.",
        changes={**HACKING, "label_noise": 0.0, "n_comparisons": 2000}, at="rm-60",
    ),
    Step(
        "Save it", "metrics",
        "True reward at step 60.",
        "Which β gives the best true reward after 60 steps?",
        ("0.1", "1", "2"), tour_words.rescue,
        "Move **β** in the sidebar away from 0, then press **Run**; try several.",
        changes=HACKING, at="rm-60", until=lambda settings, frame: settings.beta > 0 and frame.phase == "done",
    ),
)  # fmt: skip


def current() -> int:
    """Number of the step on screen, 1 …; 0 if the reader is not on the tour."""
    if STEP not in st.session_state:
        st.session_state[STEP], said = link.tour_step(st.query_params.get(STEP, "0"), len(STEPS))
        said = said or link.once(STEP, st.query_params.get_all(STEP), st.session_state[STEP] or "no tour")
        if said:
            sidebar.note(said)
    return int(st.session_state[STEP])


def go(number: int) -> None:
    """Open a step, or leave the tour with 0; a callback."""
    st.session_state[STEP] = number
    if number:
        st.session_state[REACHED] = number
        navigation.request(STEPS[number - 1].page)


def set_up(number: int) -> None:
    """Put controls, playhead and page where the step wants them; a callback."""
    step = STEPS[number - 1]
    sidebar.set_controls(Settings(**step.changes))
    playback.seek(step.at)
    navigation.request(step.page)


def invitation() -> None:
    """The way into the tour, on the overview page; back to the step where the reader left."""
    if current() == 0:
        reached = int(st.session_state.get(REACHED, 1))
        label = "Take the guided tour" if reached == 1 else f"Resume the tour at step {reached}"
        st.button(label, key="tour-start", on_click=go, args=(reached,), type="primary")


def panel(run: PipelineRun, frame: Frame) -> None:
    """The step on screen: look, predict, do, see."""
    number = current()
    if number == 0:
        return
    step = STEPS[number - 1]
    with st.container(border=True):
        st.markdown(f"**Tour {number} of {len(STEPS)}: {step.title}.** *Look at:* {step.look}")
        guesses = st.session_state.setdefault(GUESSES, {})
        guess = st.radio(step.question, step.options, index=_index(step, guesses.get(number)), horizontal=True,
                         key=f"tour-guess-{number}")  # fmt: skip
        guesses[number] = guess
        prepared = _prepared(step, run.settings)
        if guess is None:
            st.caption("Predict first; there is no score.")
        elif step.until(run.settings, frame) and prepared:
            st.success(f"**You predicted: {guess}.** {step.see(run)}")
        else:
            st.markdown(f"**Do:** {step.do if prepared else 'press **Set it up** first.'}")
        _buttons(number)


def _index(step: Step, guess: str | None) -> int | None:
    return step.options.index(guess) if guess in step.options else None


def _prepared(step: Step, settings: Settings) -> bool:
    """Whether the controls stand where the step wants them; β is the reader's in the last step."""
    wanted = Settings(**step.changes)
    names = [name for name in step.changes if not (step is STEPS[-1] and name == "beta")]
    return settings == wanted or (bool(names) and all(getattr(settings, n) == getattr(wanted, n) for n in names))


def _buttons(number: int) -> None:
    with st.container(horizontal=True):
        st.button("Set it up", key="tour-set-up", on_click=set_up, args=(number,), type="primary")
        st.button("Previous", key="tour-previous", on_click=go, args=(number - 1,), disabled=number == 1)
        st.button("Next", key="tour-next", on_click=go, args=(number + 1,), disabled=number == len(STEPS))
        st.button("Leave the tour", key="tour-leave", on_click=go, args=(0,))
