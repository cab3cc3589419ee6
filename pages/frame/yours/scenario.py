"""A scenario that a reader brings: run here with the settings of the sidebar, and on all pages once it is chosen."""

from dataclasses import replace

import streamlit as st

from pages.drawing.wording import plain, plural
from pages.figures.metrics.checks import SIGNS
from pages.figures.yours import scenario as figures
from pages.frame import brought, material, runs, sidebar, taken
from pages.frame.page import Page
from pages.frame.yours import plots
from rlhf_core import Settings
from rlhf_core.scenarios.brought import Brought
from rlhf_core.yours import diagnose, of_run
from rlhf_core.yours.scenario import LARGEST, MOST_PROMPTS, read_scenario, template

TEMPLATE = "template.toml"
FORMAT = f"""
A file has a `title`, a `summary`, `telling` (the number of the prompt to show first), the weights of `[values]`, some
`[[clashes]]` and from 12 to {MOST_PROMPTS} `[[prompts]]`, at least nine of them with `split = "train"` and three with
`split = "heldout"`. A prompt has four `openings`, five `bodies` and four `closings`, which must read naturally in any
combination: 80 answers. A phrase has

| Field | What | From … to |
|---|---|---|
| `kind` | a name for it; letters, digits, spaces, _ and -; different within an opening, body or closing | |
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
        "them with the settings of the sidebar. Your scenario joins the sidebar’s list in this session only: chosen "
        "there, it runs on all pages. No other reader sees it, and nothing of it is stored."
    )
    material.upload(brought.PLACE, f"A scenario: one TOML file of at most {LARGEST // 1000} kB", read_scenario, 1)
    with st.container(horizontal=True):
        st.button("Try the template", key="yours-scenario-sample", on_click=material.take,
                  args=(brought.PLACE, TEMPLATE, lambda: read_scenario(template().encode(), TEMPLATE)))  # fmt: skip
        st.download_button("Download the template", template, TEMPLATE, "application/toml",
                           key="yours-scenario-get", on_click="ignore")  # fmt: skip
        if there := material.held(brought.PLACE):
            chosen = sidebar.scenario() == there.content
            st.button("Run it on all pages", key="yours-scenario-choose", on_click=_choose, disabled=chosen)
            st.button("Forget my scenario", key="yours-scenario-forget", on_click=_forget)
    with st.expander("The format", type="compact"):
        st.markdown(FORMAT)
    material.say(brought.PLACE)
    if there is not None:
        _shown(page, there)


def _choose() -> None:
    """Run all pages with it; a callback."""
    own = brought.held()
    if own is not None:
        sidebar.set_controls(replace(sidebar.settings(), scenario=own))


def _forget() -> None:
    """Let go of it, and of all that was made from it; the pages go back to the default. A callback."""
    material.forget(brought.PLACE)
    sidebar.set_controls(replace(sidebar.settings(), scenario=sidebar.scenario()))


def _shown(page: Page, there: material.Material[Brought]) -> None:
    settings = replace(page.view.run.settings, scenario=there.content)
    run, scenario = runs.shared_run(settings)[0], there.content.scenario
    st.text(f"{scenario.title}: {scenario.summary}")
    st.caption(f"{plural(len(scenario.prompts), 'prompt')}, {int(scenario.heldout.sum())} of them held out.")
    page.say(f"**Finding.** {figures.finding(run)}")
    of, charts = taken.in_words(settings), figures.charts(run, page.view.palette)
    plots.show(page.stage, charts, "scenario", of, python(settings), "charts(run, LIGHT)")
    chosen = st.selectbox("Prompt of your scenario", range(len(scenario.prompts)), scenario.telling,
                          key=f"yours-scenario-prompt-{there.number}",
                          format_func=scenario.prompts.__getitem__)  # fmt: skip
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


def python(settings: Settings) -> str:
    """Lines that run the scenario as the page does."""
    return f"""from rlhf_core import Settings, run_pipeline

run = run_pipeline({taken.call_of_settings(settings)})
"""
