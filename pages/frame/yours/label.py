"""The reader as a labeller: one pair after another, and what reward model and PPO make of the choices at once."""

from typing import TypeAlias

import streamlit as st

from pages.drawing.wording import plain, plural
from pages.figures.yours import label as figures
from pages.frame import link, sidebar, taken
from pages.frame.memory import brought_in
from pages.frame.page import Page
from pages.frame.yours import plots
from rlhf_core import PipelineRun, Settings
from rlhf_core.yours.labelling import LARGEST_SHARE, LEFT, MOST_LABELS, RIGHT, SAME, ask, decode, encode, learn

LABELS, MIX = "labels", "yours-label-mix"
World: TypeAlias = tuple[object, ...]
BUTTONS = (("Left is better", "1", LEFT), ("About the same", "2", SAME), ("Right is better", "3", RIGHT))


def read() -> None:
    """Once a session: the labels of the link, which belong to the settings of the link."""
    if LABELS in st.session_state:
        return
    given, choices = st.query_params.get_all(LABELS), ()
    try:
        choices = decode(given[-1]) if given else ()
    except ValueError as error:
        sidebar.note(f"{error}; using none.")
    else:
        if said := link.once(LABELS, given, len(choices)):
            sidebar.note(said)
    st.session_state[LABELS] = {_world(sidebar.settings()): choices}


def parameter() -> str:
    """The labels as they stand in the URL, but for those of the reader's own scenario: elsewhere they mean nothing."""
    own = brought_in(sidebar.settings())
    return "" if own is not None else encode(_choices(_world(sidebar.settings())))


def section(page: Page) -> None:
    """A pair to choose from, and what the choices so far have taught."""
    run = page.view.run
    choices = _choices(_world(run.settings))
    st.markdown(
        "## You are the labeller\n\nWhich answer would you rather get? Each pair is written by the SFT policy of this "
        "run, and picked because a reward model fitted to your labels so far is least sure of it. After every choice "
        "the reward model and PPO are trained anew, on *your* labels."
    )
    if len(choices) < MOST_LABELS:
        _pair(run, choices)
    else:
        st.markdown(f"**You have labelled {MOST_LABELS} pairs, which is all that a link can hold.** Thank you.")
    _progress(run, choices)
    if choices:
        _learnt(page, choices)


def python(settings: Settings, choices: tuple[int, ...], share: float) -> str:
    """Lines that learn from the labels as the page does."""
    return f"""from rlhf_core import Settings, run_pipeline
from rlhf_core.yours.labelling import decode, learn

run = run_pipeline({taken.call_of_settings(settings)})
found = learn(run, decode({encode(choices)!r}), simulated={share!r})
"""


def _pair(run: PipelineRun, choices: tuple[int, ...]) -> None:
    pair, world = ask(run, choices)[-1], _world(run.settings)
    st.markdown(f"**{plain(run.scenario.prompts[pair.prompt])}**")
    sides = (("Left", pair.left), ("Right", pair.right))  # named, as a phone has one above the other
    for place, (name, response) in zip(st.columns(2), sides, strict=True):
        with place.container(border=True, height="stretch"):
            st.caption(name)
            st.markdown(plain(run.scenario.responses[pair.prompt][response]))
    for place, (words, key, choice) in zip(st.columns(len(BUTTONS)), BUTTONS, strict=True):
        place.button(words, key=f"yours-choose-{key}", shortcut=key, width="stretch", on_click=_choose,
                     args=(world, choices, choice))  # fmt: skip


def _progress(run: PipelineRun, choices: tuple[int, ...]) -> None:
    world = _world(run.settings)
    bar, undo, again = st.columns([4, 1, 1], vertical_alignment="center")
    bar.progress(len(choices) / MOST_LABELS, text=f"{len(choices)} of at most {MOST_LABELS} pairs labelled")
    none = not choices
    undo.button("Undo", key="yours-label-undo", shortcut="Z", width="stretch", disabled=none, on_click=_put,
                args=(world, choices[:-1]))  # fmt: skip
    again.button("Begin again", key="yours-label-again", width="stretch", disabled=none, on_click=_put,
                 args=(world, ()))  # fmt: skip


def _learnt(page: Page, choices: tuple[int, ...]) -> None:
    run = page.view.run
    st.markdown("### What your labels have taught")
    share = st.slider(
        "Share of the simulated labellers’ comparisons", 0.0, LARGEST_SHARE, 0.0, 0.1, key=MIX, format="percent",
        persist_state="session", help="0%: your labels alone. 50%: their comparisons weigh as much as your labels.",
    )  # fmt: skip
    found = learn(run, choices, simulated=share)
    page.say(figures.heard(found))
    of = f"{plural(len(choices), 'label')} of mine · {taken.in_words(run.settings)}"
    charts, call = figures.charts(run, found, page.view.palette), "charts(run, found, LIGHT)"
    own = brought_in(run.settings) is not None
    plots.show(page.stage, charts, "label", of, python(run.settings, choices, share), call, linked=not own)
    page.say(figures.reached(found, run))
    st.markdown(f"#### Which answer it would now give\n\n{plain(run.scenario.prompts[page.view.prompt])}")
    shown = figures.answers(run, found, page.view.prompt)
    for place, (head, text) in zip(st.columns(len(shown)), shown, strict=True):
        with place.container(border=True, height="stretch"):
            st.markdown(f"**{head}**\n\n{text}")
    held = (
        "Your labels of your own scenario stay in this session."
        if own
        else "The address of this page holds your labels and the settings: send it, and others see your policy."
    )
    st.caption(
        f"{held} The prompt is the one in the sidebar; with other SFT settings, seed or scenario you begin a list of "
        "labels of its own."
    )


def _world(settings: Settings) -> World:
    """What the pairs depend on."""
    names = ("seed", "n_demonstrations", "sft_epochs", "sft_learning_rate")
    return (str(settings.scenario), *(getattr(settings, name) for name in names))


def _choices(world: World) -> tuple[int, ...]:
    found: tuple[int, ...] = st.session_state[LABELS].get(world, ())
    return found


def _choose(world: World, before: tuple[int, ...], choice: int) -> None:
    """Add a choice to those that the pair was shown after: a second press on it counts once."""
    if _choices(world) == before:
        _put(world, (*before, choice))


def _put(world: World, choices: tuple[int, ...]) -> None:
    st.session_state[LABELS] = {**st.session_state[LABELS], world: choices}
