"""The guided tour: predict, do, see, in nine steps; each is a link (`?tour=3`) and can be left and resumed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from pages.frame import link, navigation, playback, sidebar, tour_answers, tour_words
from rlhf_core import PipelineRun, Settings
from rlhf_core.settings import CONTROLS
from rlhf_core.timeline import Frame

STEP, REACHED, GUESSES, PREPARED = "tour", "tour_reached", "tour_guesses", "tour_prepared"
SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the tour."""

    title: str
    page: str
    """Page that the step is about, as in `st.navigation`."""
    question: str
    options: tuple[str, ...]
    right: Callable[[PipelineRun], str]
    """Which of the options is so in the run on screen."""
    see: Callable[[PipelineRun], str]
    """What has happened, with the run's own numbers."""
    do: str
    target: str
    """Part of the page to look at, by its key."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Settings that differ from the defaults."""
    free: tuple[str, ...] = ()
    """Settings that the reader may choose."""
    at: str = "idle"
    """Where the playhead is put."""
    until: Callable[[Settings, Frame], bool] = lambda settings, frame: frame.phase == "done"
    """Whether the reader has done it."""


HACKING: dict[str, Any] = {"beta": 0.0, "ppo_steps": 60}
STEPS = (
    Step(
        "Run the pipeline", "overview",
        "PPO will push up the reward. What happens to the true reward, which it never sees?",
        ("it rises too", "it stays", "it falls"), tour_answers.truth, tour_words.answers,
        "Press **Run** and watch the answer rewrite itself.", target="hero",
    ),
    Step(
        "What SFT cannot do", "sft",
        "SFT will read a few good answers to each prompt. Will it then give the best answers?",
        ("yes, nearly", "better ones, not the best", "no better than before"), tour_answers.imitation,
        tour_words.imitation, "Press **Step** once, to the end of SFT.", target="imitation",
        until=lambda settings, frame: frame.phase != "idle",
    ),
    Step(
        "What a comparison says", "reward_model",
        "A label says which of two answers is better. If every score were 10 higher, what would the loss do?",
        ("rise", "stay the same", "fall"), lambda run: "stay the same", tour_words.pairs,
        "Press **Step** until the reward model is trained.", target="loss",
        at="sft-30", until=lambda settings, frame: frame.rm_epoch >= settings.rm_epochs,
    ),
    Step(
        "One PPO step, line by line", "ppo",
        "The clip range is 0.2. Can the ratio of a token still end above 1.2?",
        ("no, that is what clipping does", "yes"), lambda run: "yes", tour_words.one_step,
        "Switch Step to **loop line** and step through sample, score, KL, advantage and update.", target="loop",
        at="rm-60", until=lambda settings, frame: frame.ppo_step >= 1,
    ),
    Step(
        "What β buys", "ppo",
        "With β = 2 instead of 0.1, how far will the policy go in as many steps?",
        ("as far as before", "about half as far", "hardly at all"), tour_answers.leash, tour_words.leash,
        "Press **Run**.", target="reward-kl-path", changes={"beta": 2.0}, at="rm-60",
    ),
    Step(
        "Watch the reward being hacked", "metrics",
        "No penalty, 60 steps. PPO climbs the reward; and the true reward?",
        ("rises with it", "rises, then falls", "falls from the start"), tour_answers.hacked, tour_words.hacked,
        "Press **Run**.", target="score-and-truth", changes=HACKING, at="rm-60",
    ),
    Step(
        "Labellers who are swayed", "metrics",
        "Labellers are swayed twice as much by what pleases. How often does the reward model predict their choices?",
        ("less often", "as often", "more often"), tour_answers.bias, tour_words.bias,
        "Press **Run**.", target="score-and-truth", changes={**HACKING, "labeller_bias": 1.5}, at="rm-60",
    ),
    Step(
        "Choose a β", "metrics",
        "Which of these β leaves the best true reward after 60 steps?",
        ("0.1", "1", "2"), tour_answers.best_beta, tour_words.rescue,
        "Move **β** in the sidebar away from 0, then press **Run**; try several.", target="score-and-truth",
        changes=HACKING, free=("beta",), at="rm-60",
        until=lambda settings, frame: settings.beta > 0 and frame.phase == "done",
    ),
    Step(
        "What to take with you", "overview",
        "", (), lambda run: "", tour_words.closing, "", target="hero", free=tuple(CONTROLS), at="done",
        until=lambda settings, frame: True,
    ),
)  # fmt: skip


def current() -> int:
    """Number of the step on screen, 1 …; 0 if the reader is not on the tour.

    A link to a step opens its page and sets it up, unless it names settings or a frame of its own: see `prepare`.
    """
    if STEP not in st.session_state:
        number, said = link.tour_step(st.query_params.get(STEP, "0"), len(STEPS))
        said = said or link.once(STEP, st.query_params.get_all(STEP), number or "no tour")
        st.session_state[STEP] = number
        if said:
            sidebar.note(said)
    return int(st.session_state[STEP])


def prepare() -> None:
    """Ask for the page of the step that a link opens, set up by its address; before the first controls are drawn."""
    number = 0 if STEP in st.session_state else link.tour_step(st.query_params.get(STEP, "0"), len(STEPS))[0]
    if number == 0 or st.session_state.get(PREPARED):
        return
    st.session_state[PREPARED] = True
    step, asked = STEPS[number - 1], {name: st.query_params.get_all(name) for name in st.query_params}
    if not any(name in asked for name in (*CONTROLS, "at")):  # else it is of a moment that somebody was at
        asked |= {**(Settings(**step.changes).to_query() if step.options else {}), "at": step.at}
    navigation.request(step.page, asked)


def go(number: int) -> None:
    """Open a step and set it up, or leave the tour with 0; a callback."""
    st.session_state[STEP] = number
    if number:
        st.session_state[REACHED] = number
        set_up(number)


def set_up(number: int) -> None:
    """Put controls, playhead and page where the step wants them; a callback."""
    step = STEPS[number - 1]
    if step.options:  # the last step, which asks nothing, is about the run on screen
        sidebar.set_controls(Settings(**step.changes))
    playback.seek(step.at)
    navigation.request(step.page)


def guess(number: int, option: str) -> None:
    """Remember what the reader predicts, or that they would rather not; a callback."""
    guesses()[number] = option


def guesses() -> dict[int, str]:
    """What the reader has predicted, by step."""
    found: dict[int, str] = st.session_state.setdefault(GUESSES, {})
    return found


def prepared(step: Step, settings: Settings) -> bool:
    """Whether the controls stand where the step wants them."""
    wanted = Settings(**step.changes)
    return all(getattr(settings, name) == getattr(wanted, name) for name in CONTROLS if name not in step.free)


def invitation() -> None:
    """The way into the tour, on the Overview; back to the step where the reader left."""
    if current() == 0:
        reached = int(st.session_state.get(REACHED, 1))
        label = "Take the guided tour" if reached == 1 else f"Resume the tour at step {reached}"
        st.button(label, key="tour-start", on_click=go, args=(reached,))
