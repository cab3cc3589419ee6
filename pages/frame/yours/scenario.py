"""A scenario that a reader brings: run on this page alone, with the settings of the sidebar.

It does not join the list of scenarios there: what stands in that list is trained once for all readers, drawn once and
kept under its settings. Here the scenario itself is handed on, and its run is held in the session.
"""

import streamlit as st

from pages.drawing.wording import plain, plural
from pages.figures.metrics.checks import SIGNS
from pages.figures.yours import scenario as figures
from pages.frame import taken
from pages.frame.page import Page
from pages.frame.yours import material, plots
from rlhf_core import PipelineRun, Scenario, Settings, run_pipeline
from rlhf_core.yours import diagnose, of_run
from rlhf_core.yours.scenario import LARGEST, MOST_PROMPTS, read_scenario, template

PLACE, RUN = "scenario", "yours-scenario-run"
FORMAT = f"""
A file has a `title`, a `summary`, `telling` (the number of the prompt to show first), the weights of `[values]`, some
`[[clashes]]` and from 12 to {MOST_PROMPTS} `[[prompts]]`, at least nine of them with `split = "train"` and three with
`split = "heldout"`. A prompt has four `openings`, five `bodies` and four `closings`, which must read naturally in any
combination: 80 answers. A phrase has

| Field | What | From … to |
|---|---|---|
| `kind` | a name for it; different within an opening, body or closing | |
| `text` | what it says | |
| `pretraining_logit` | how often web text says such a thing | −3 … 3 |
| `helpful`, `honest`, `harmless` | what somebody thinks of it who has the time to check | −2 … 2 |
| `appeal` | how much it sways a hurried labeller beyond its worth | −2 … 2 |

A clash names two kinds in different places, such as `opening:refuse` and `body:careless`, that are worth `penalty` less
together, and the `reason`. Nobody tells the model any of these numbers: it sees texts and choices.
"""


def section(page: Page) -> None:
    """Bring a scenario, and see what RLHF makes of it."""
    st.markdown(
        "## A world of your own\n\nWrite prompts, phrases and what they are worth; SFT, reward model and PPO train on "
        "them with the settings of the sidebar. Your scenario runs on this page alone: the list in the sidebar is "
        "shared by all readers, and it does not join that."
    )
    material.upload(PLACE, f"A scenario: one TOML file of at most {LARGEST // 1000} kB", read_scenario)
    with st.container(horizontal=True):
        st.button("Try the template", key="yours-scenario-sample", on_click=material.take,
                  args=(PLACE, "template.toml", lambda: read_scenario(template().encode(), "template")))  # fmt: skip
        st.download_button("Download the template", template, "template.toml", "application/toml",
                           key="yours-scenario-get", on_click="ignore")  # fmt: skip
        if material.held(PLACE):
            st.button("Forget my scenario", key="yours-scenario-forget", on_click=_forget)
    with st.expander("The format", type="compact"):
        st.markdown(FORMAT)
    material.say(PLACE)
    there = material.held(PLACE)
    if there is not None:
        _shown(page, there)


def _forget() -> None:
    material.forget(PLACE)
    st.session_state.pop(RUN, None)


def _shown(page: Page, there: material.Material[Scenario]) -> None:
    run = _run(there, page.view.run.settings)
    st.text(f"{there.content.title}: {there.content.summary}")
    st.caption(f"{plural(len(there.content.prompts), 'prompt')}, {int(there.content.heldout.sum())} of them held out.")
    page.say(f"**Finding.** {figures.finding(run)}")
    of = f"my scenario {there.content.title} · {taken.in_words(run.settings)}"
    charts = figures.charts(run, page.view.palette)
    plots.show(page.stage, charts, "scenario", of, python(there.name, run.settings), "charts(run, LIGHT)")
    prompts = there.content.prompts
    chosen = st.selectbox("Prompt of your scenario", range(len(prompts)), there.content.telling,
                          key=f"yours-scenario-prompt-{there.number}", format_func=lambda i: prompts[i])  # fmt: skip
    shown = figures.answers(run, chosen)
    for first in range(0, len(shown), 2):
        for place, (head, text, values) in zip(st.columns(2), shown[first : first + 2], strict=True):
            with place.container(border=True, height="stretch"):
                st.markdown(f"**{head}**")
                st.text(text)
                st.caption(values)
    with st.expander("What the checks of the Metrics page say of it", type="compact"):
        found = diagnose(of_run(run))
        st.markdown("\n".join(f"- {SIGNS[each.verdict]} · **{each.name}**: {plain(each.evidence)}" for each in found))


def python(name: str, settings: Settings) -> str:
    """Lines that run the scenario as the page does."""
    return f"""from pathlib import Path

from rlhf_core import Settings, run_pipeline
from rlhf_core.yours.scenario import read_scenario

scenario = read_scenario(Path({name!r}).read_bytes(), "mine")
run = run_pipeline({taken.call_of_settings(settings)}, scenario)
"""


def _run(there: material.Material[Scenario], settings: Settings) -> PipelineRun:
    """The run, held in the session until scenario or settings change."""
    key = (there.number, settings)
    if st.session_state.get(RUN, (None, None))[0] != key:
        st.session_state[RUN] = (key, run_pipeline(settings, there.content))
    run: PipelineRun = st.session_state[RUN][1]
    return run
