"""The Lab's experiments: chosen by a link or a press, run beside the page, drawn as their results come."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from pages.drawing.theme import Palette
from pages.drawing.wording import plural
from pages.figures.lab import (
    arrives,
    asked,
    beta,
    estimates,
    fresh,
    labels,
    score_up,
    stopping,
    which_method,
    whose_label,
)
from pages.figures.lab.experiment import Experiment, Panel
from pages.frame import brought, job_panel, link, material, panels, sidebar, stopping_game, taken
from pages.frame.memory import brought_in
from pages.frame.page import Page
from pages.frame.records import as_csv, markdown_table
from pages.stage import Stage
from rlhf_core import Settings

MODULES = (beta, score_up, labels, fresh, whose_label, stopping, which_method, arrives, estimates)
EXPERIMENTS = tuple(module.EXPERIMENT for module in MODULES)
FAQ = "asked"
NAMES = (*(experiment.name for experiment in EXPERIMENTS), FAQ)
QUESTIONS = {answer.name: answer for answer in asked.ANSWERS}
CHOSEN, QUESTION, SEEDS, ASKED = "experiment", "question", "lab-seeds", "lab-asked"


def current(name: str = CHOSEN, allowed: Sequence[str] = NAMES) -> str:
    """The experiment (or question) that the reader looks at, from the link at first."""
    if name not in st.session_state:
        st.session_state[name], said = link.choice(name, st.query_params.get_all(name), allowed)
        if said:
            sidebar.note(said)
    return str(st.session_state[name])


def read() -> None:
    """Experiment and question of the link, so that their notes stand with the others."""
    current()
    current(QUESTION, tuple(QUESTIONS))


def parameters(page: str) -> dict[str, str]:
    """Experiment and question as they stand in the address of the Lab; empty texts where they say nothing."""
    chosen, question = current(), current(QUESTION, tuple(QUESTIONS))
    here = page == "lab"
    return {
        CHOSEN: chosen if here and chosen != NAMES[0] else "",
        QUESTION: question if here and chosen == FAQ else "",
    }


def section(page: Page) -> None:
    """Choice of an experiment, and the experiment."""
    current()
    st.pills(
        "Experiment", NAMES, key=CHOSEN, format_func=_title, required=True, persist_state="session",
        label_visibility="collapsed",
    )  # fmt: skip
    if current() == FAQ:
        return _answer(page)
    chosen = next(experiment for experiment in EXPERIMENTS if experiment.name == current())
    st.markdown(f"## {chosen.title}\n\n{chosen.question}")
    if chosen is stopping.EXPERIMENT:
        _suggest(chosen, page.view.run.settings)
        stopping_game.play(page)
        st.markdown("### What simple rules reach")
    if chosen is not stopping.EXPERIMENT:
        _suggest(chosen, page.view.run.settings)
    n_seeds = _seeds(chosen)
    key = (chosen.name, page.view.run.settings, n_seeds)
    _ask(chosen, key)
    if st.session_state.get(ASKED) == key:
        _show(chosen, page.view.run.settings, n_seeds, page.view.palette, page.stage)
    st.markdown(f"**In practice.** {chosen.practice}")
    with st.expander("The same from Python", type="compact"):
        lines = taken.runnable(python_of(chosen, page.view.run.settings, n_seeds))
        st.code(lines, language="python", wrap_lines=True)


def _answer(page: Page) -> None:
    """One question of many, answered by the run on screen."""
    st.markdown("## Asked again and again\n\nQuestions that fill issue trackers, each answered by the run on screen.")
    current(QUESTION, tuple(QUESTIONS))
    st.selectbox(
        "Question", list(QUESTIONS), key=QUESTION, format_func=lambda name: QUESTIONS[name].question,
        persist_state="session",
    )  # fmt: skip
    answer = QUESTIONS[current(QUESTION)]
    found = answer.measure(page.view.run)
    words, chart = st.columns(2, gap="large", vertical_alignment="center")
    with words:
        st.markdown(answer.say(found))
        st.markdown(f"[See more of it]({answer.see})")
    with chart:
        panel = Panel(answer.question, answer.draw(found, page.view.palette), answer.question)
        of = f"Settings: {taken.in_words(page.view.run.settings)}"
        about = taken.still(of, python_of_answer(answer.name, page.view.run.settings))
        panels.draw(page.stage, panel, f"asked-{answer.name}", about)


def _title(name: str) -> str:
    if name == FAQ:
        return "Asked again and again"
    return next(experiment.title for experiment in EXPERIMENTS if experiment.name == name)


def _suggest(chosen: Experiment, settings: Settings) -> None:
    """Settings under which a question is sharper, where the reader's runs are short."""
    if settings.ppo_steps < chosen.sharper.get("ppo_steps", 0) // 2:
        changes = " and ".join(
            f"β = {value:g}" if name == "beta" else f"{value} PPO steps" for name, value in chosen.sharper.items()
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            few = plural(settings.ppo_steps, "PPO step")
            st.caption(f"In {few} little happens of what is asked here.", width="content")
            st.button(f"Take {changes}", key=f"lab-sharper-{chosen.name}", on_click=sidebar.set_controls,
                      args=(replace(settings, **chosen.sharper),))  # fmt: skip


def _seeds(chosen: Experiment) -> int:
    if len(chosen.seeds) == 1:
        return chosen.seeds[0]
    choices = {f"{n} seeds": n for n in chosen.seeds}
    name = st.segmented_control(
        "Seeds", list(choices), default=list(choices)[1], required=True, key=f"{SEEDS}-{chosen.name}",
        persist_state="session", help="The same settings with so many seeds: more make the answer surer, and take "
        "longer.",
    )  # fmt: skip
    return choices[str(name)]


def _ask(chosen: Experiment, key: tuple[object, ...]) -> None:
    if st.session_state.get(ASKED) == key:
        return
    before = st.session_state.get(ASKED)
    stale = before is not None and before[0] == chosen.name
    if stale:
        st.caption("The settings have changed since the last run of this experiment.")
    playing = chosen is stopping.EXPERIMENT and stopping_game.is_on()  # then its own button leads
    st.button(
        "Run it again with these settings" if stale else "Run the experiment", key="lab-run",
        type="secondary" if playing else "primary",
        on_click=_remember, args=(key,),
    )  # fmt: skip


def _remember(key: tuple[object, ...]) -> None:
    st.session_state[ASKED] = key


def _show(chosen: Experiment, settings: Settings, n_seeds: int, palette: Palette, stage: Stage) -> None:
    own = brought_in(settings) is not None
    job_panel.show(
        "lab",
        ("lab", chosen.name, settings, n_seeds, *(material.mine(brought.PLACE) if own else ())),
        partial(chosen.pieces, settings, n_seeds),
        lambda result: _draw(chosen, result, settings, n_seeds, palette, stage),
        label=chosen.unit.capitalize(),
        shared=not own,
    )


def _draw(
    chosen: Experiment, result: Any, settings: Settings, n_seeds: int, palette: Palette, stage: Stage
) -> None:  # fmt: skip
    """What is known so far: the finding, the charts, and what to take away."""
    st.markdown(f"**Finding.** {chosen.finding(result)}")
    charts = chosen.charts(result, palette)
    of = f"Settings: {taken.in_words(settings)} · {plural(n_seeds, 'seed')}"
    for first in range(0, len(charts), 2):
        row = charts[first : first + 2]
        for column, (i, panel) in zip(st.columns(len(row), gap="large"), enumerate(row, first), strict=True):
            with column:
                st.markdown(f"### {panel.title}")
                about = taken.still(of, python_of_chart(chosen, settings, n_seeds, i))
                panels.draw(stage, panel, f"{chosen.name}-{i}", about)
    if chosen is which_method.EXPERIMENT:
        st.container(key="lab-table").markdown(markdown_table(which_method.needs(result)))
    if chosen is arrives.EXPERIMENT and (rows := arrives.ends(result)):
        st.container(key="lab-table").markdown(markdown_table(rows))
        st.markdown(arrives.reasons(result))
    if chosen is whose_label.EXPERIMENT:
        st.markdown("### The labels that moved it most")
        for card in whose_label.cards(result, settings):
            st.container(border=True).markdown(card)
    st.download_button(
        "Download CSV", lambda: as_csv(chosen.table(result)), f"rlhf-lab-{chosen.name}.csv", "text/csv",
        key=f"lab-csv-{chosen.name}", on_click="ignore",
    )  # fmt: skip


def python_of(chosen: Experiment, settings: Settings, n_seeds: int) -> str:
    """Python that gives what an experiment shows, as it can be pasted."""
    imports = "import rlhf_core.lab\nfrom rlhf_core import Settings, run_pipeline"
    return f"{imports}\n\nresult = {chosen.call(settings, n_seeds)}"


def python_of_chart(chosen: Experiment, settings: Settings, n_seeds: int, number: int) -> str:
    """Python that draws one of an experiment's charts."""
    module = MODULES[EXPERIMENTS.index(chosen)].__name__
    made = f"EXPERIMENT.charts(result, LIGHT)[{number}].drawing"
    return f"{python_of(chosen, settings, n_seeds)}\n{taken.shown(module, 'EXPERIMENT', made)}"


def python_of_answer(name: str, settings: Settings) -> str:
    """Python that draws the chart of an answer."""
    made = f"[each.draw(each.measure(run), LIGHT) for each in ANSWERS if each.name == {name!r}][0]"
    return taken.run_of(settings) + taken.shown(asked.__name__, "ANSWERS", made)
