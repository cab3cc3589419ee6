"""A game: advance PPO step by step, see what a trainer logs, and say when to stop; then the truth is shown."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import streamlit as st

from pages.drawing.panel import Panel
from pages.drawing.theme import Palette
from pages.figures.lab import game as figures
from pages.frame import panels, taken
from pages.frame.memory import brought_in
from pages.frame.page import Page
from rlhf_core import PipelineRun, Settings
from rlhf_core.lab.stopping import N_FRESH, RULES, fresh_accuracy, reached_share

GAME = "stopping-game"
STRIDES = (1, 5)
Chart = Callable[[PipelineRun, int, Palette], Panel]


@dataclass(slots=True, eq=False)
class Game:
    """One round: how far the reader has gone, what they paid for, and whether they have stopped."""

    settings: Settings
    step: int = 0
    stopped: bool = False
    bought: dict[int, float] = field(default_factory=dict)
    """Accuracy on fresh pairs, by the step at which they were labelled."""


def play(page: Page) -> None:
    """The round on screen; other settings begin another."""
    run = page.view.run
    game: Game = st.session_state.setdefault(GAME, Game(run.settings))
    if game.settings != run.settings:
        game = st.session_state[GAME] = Game(run.settings)
    last = run.settings.ppo_steps
    with st.container(border=True):
        st.markdown(_state(game, last))
        _buttons(game, run, last)
        _draw(game, page, figures.logged, "game-logged")
        if game.bought:
            st.caption(_labels(game))
        if game.stopped:
            _reveal(game, page)


def is_on() -> bool:
    """Whether a round has begun that the reader has not stopped."""
    return GAME in st.session_state and not st.session_state[GAME].stopped


def _state(game: Game, last: int) -> str:
    if game.stopped:
        return f"**You stopped at step {game.step} of {last}.**"
    return f"**Step {game.step} of at most {last}.** True reward is hidden. Train on, buy labels, or stop."


def _buttons(game: Game, run: PipelineRun, last: int) -> None:
    with st.container(horizontal=True):
        if game.stopped:
            st.button("Play again", key="game-again", on_click=_again)
            return
        for stride in STRIDES:
            label = "Train one step" if stride == 1 else f"Train {stride} steps"
            st.button(label, key=f"game-{stride}", on_click=_advance, args=(stride, last), disabled=game.step == last)
        st.button(
            f"Buy {N_FRESH} labels", key="game-labels", on_click=_buy, args=(run,),
            disabled=game.step in game.bought,
        )  # fmt: skip
        st.button("Stop here", key="game-stop", on_click=_stop, type="primary")
    st.caption("Labels compare fresh answers of the current policy: you see how often the reward model agrees.")


def _advance(stride: int, last: int) -> None:
    game: Game = st.session_state[GAME]
    game.step = min(game.step + stride, last)


def _buy(run: PipelineRun) -> None:
    game: Game = st.session_state[GAME]
    game.bought[game.step], _ = fresh_accuracy(run, game.step)


def _stop() -> None:
    st.session_state[GAME].stopped = True


def _again() -> None:
    st.session_state[GAME] = Game(st.session_state[GAME].settings)


def _draw(game: Game, page: Page, chart: Chart, key: str) -> None:
    """Draw one of the game's charts; no address leads back to a round."""
    run = page.view.run
    about = taken.still(
        f"Settings: {taken.in_words(run.settings)}", python_of(run.settings, game.step, chart), linked=False
    )
    panels.draw(page.stage, chart(run, game.step, page.view.palette), key, about)


def python_of(settings: Settings, step: int, chart: Chart) -> str:
    """Python that draws one of the game's charts as it is after a step."""
    made = f"{chart.__name__}(run, {step}, LIGHT).drawing"
    return taken.run_of(settings) + taken.shown(chart.__module__, chart.__name__, made)


def _labels(game: Game) -> str:
    seen = ", ".join(f"step {step}: {accuracy:.0%}" for step, accuracy in sorted(game.bought.items()))
    error = np.sqrt(0.25 / N_FRESH)
    return f"The reward model agrees with fresh labels in {seen} of {N_FRESH} pairs each (± {error:.0%} at most)."


def _reveal(game: Game, page: Page) -> None:
    run = page.view.run
    truth = run.ppo.true_reward
    share, best = reached_share(truth, game.step), int(truth.argmax())
    st.markdown(f"**{_verdict(share, game.step, best)}**")
    stops = {rule: stop(run) for rule, stop in RULES.items()}
    others = "; ".join(f"{rule}: {_percent(reached_share(truth, step))} (step {step})" for rule, step in stops.items())
    sent = "A link to this page holds the seed: send it on." if brought_in(run.settings) is None else ""
    st.caption(f"On this seed the rules would have reached, {others}. {sent}")
    _draw(game, page, figures.truth, "game-truth")


def _verdict(share: float, step: int, best: int) -> str:
    if step == best:
        return "Exactly the best step: all that was to be had."
    when = "too early" if step < best else "too late"
    return f"You reached {_percent(share)} of the best gain in true reward; you were {when}: the best step was {best}."


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%".replace("-", "−")
