"""The controls, on every page and in the URL. What they are stands in `rlhf_core.settings`."""

from contextlib import nullcontext
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.common import user_key_from_element_id

from pages.frame import brought, lesson, link
from rlhf_core import Scenario, Settings, load_scenario
from rlhf_core.settings import CONTROLS, DEFAULTS

MAIN = ("scenario", "beta", "ppo_steps")
SPEED, SPEEDS = 5, (1, 10)
PROMPT, USUAL, NOTES = "prompt", "usual_prompt", "link_notes"
ADVANCED = "advanced"
OPTIMUM = "optimum"
"""A switch of the PPO page; its parameter is read with the others."""


def controls() -> None:
    """Draw the controls: all, or those that a lesson names.

    None is bound to its parameter: what Streamlit writes for one, the next word on another would undo.
    """
    _read_link()
    brought.let_go()
    if st.session_state.get("scenario", scenario()) != scenario():  # it has been forgotten, or another one brought
        st.session_state["scenario"] = str(scenario())
    for name in MAIN:
        if lesson.has_control(name):
            _control(name)
    if lesson.has_control("speed"):
        st.slider(
            "Speed", *SPEEDS, SPEED, key="speed", persist_state="session",
            help="How fast Run plays: 10 is twenty times as fast as 1.",
        )  # fmt: skip
    _prompt()
    _advanced()


def parameters() -> dict[str, str]:
    """URL parameters of the controls under their field names; empty texts for those at their defaults."""
    given = _in_link(settings(), speed())
    return {name: given.get(name, "") for name in (*DEFAULTS, "speed")}


def notes() -> tuple[str, ...]:
    """What the reader's link asked for and could not have, until they change a control."""
    said, then = st.session_state.get(NOTES, ((), None))
    return said if said and then == settings() else ()


def note(sentence: str) -> None:
    """Add a sentence to the notes on the reader's link, while it is read: before all controls are drawn."""
    said, then = st.session_state[NOTES]
    st.session_state[NOTES] = ((*said, sentence), then)


def settings() -> Settings:
    """The settings that the controls stand at."""
    chosen = {name: st.session_state.get(name, default) for name, default in DEFAULTS.items()}
    return Settings(**{**chosen, "scenario": scenario()})


def scenario() -> str:
    """Name of the chosen scenario; where a reader's own has gone, that of the next one, or the default."""
    chosen, own = st.session_state.get("scenario", DEFAULTS["scenario"]), brought.held()
    if chosen in CONTROLS["scenario"].choices:
        return str(chosen)
    return str(DEFAULTS["scenario"]) if own is None else own


def set_controls(chosen: Settings) -> None:
    """Move the controls to other settings; only from a callback, before they are drawn."""
    for name in DEFAULTS:
        st.session_state[name] = getattr(chosen, name)
    st.session_state["scenario"] = str(chosen.scenario)


def prompt() -> int:
    """Index of the chosen prompt."""
    return min(int(st.session_state.get(PROMPT, telling())), len(_prompts()) - 1)


def telling() -> int:
    """Index of the prompt that is shown where nobody has chosen one."""
    return _scenario().telling


def optimum() -> bool:
    """Whether the PPO page shows the optimum."""
    return bool(st.session_state.get(OPTIMUM))


def speed() -> int:
    """The chosen speed of playback."""
    return int(st.session_state.get("speed", SPEED))


def _read_link() -> None:
    """Once per session: set the controls to what the link asks for, or to the nearest that is allowed."""
    if NOTES in st.session_state:
        return
    query = {name: st.query_params.get_all(name) for name in st.query_params}
    chosen, said = link.settings(query)
    speed, said_speed = link.speed(query.get("speed", []), *SPEEDS, SPEED)
    said += tuple(filter(None, (said_speed, link.switch(OPTIMUM, query.get(OPTIMUM, [])))))
    st.session_state[NOTES] = (said, chosen)
    asked = {name: getattr(chosen, name) for name in DEFAULTS}
    asked |= {"speed": speed, OPTIMUM: link.is_on(query.get(OPTIMUM, []))}
    kept = _kept_by_the_tab()
    st.session_state.update({name: value for name, value in asked.items() if name not in kept})


def _kept_by_the_tab() -> set[str | None]:
    """Keys of controls whose values a tab has sent along: it was open before, and the server has lost its session.

    Not the scenario, which may have been lost with it.
    """
    context = get_script_run_ctx()
    states = context.session_state.get_widget_states() if context else []
    return {user_key_from_element_id(state.id) for state in states} - {"scenario"}


def _in_link(chosen: Settings, speed: int) -> dict[str, str]:
    """URL parameters of settings and speed, without those at their defaults."""
    return {**chosen.to_query(), **({"speed": str(speed)} if speed != SPEED else {})}


def _advanced() -> None:
    """The other controls, folded away: closed they are not drawn, which would be a quarter of most reruns' work."""
    folded = None if lesson.controls() else st.expander("Advanced", key=ADVANCED, on_change="rerun")
    if folded is None or folded.open:
        with folded or nullcontext():
            for name in CONTROLS:
                if name not in MAIN and lesson.has_control(name):
                    _control(name)


def _scenarios() -> None:
    """The list of scenarios, with the reader's own at its end."""
    control, own = CONTROLS["scenario"], brought.held()
    st.selectbox(
        control.label, (*control.choices, *([str(own)] if own else [])), key="scenario", help=control.help,
        format_func=lambda name: brought.title_of(own) if own and name == own else name,
    )  # fmt: skip
    if scenario() == own:
        st.caption(brought.ALONE)


def _control(name: str) -> None:
    if name == "scenario":
        return _scenarios()
    control, default = CONTROLS[name], DEFAULTS[name]
    label = control.label + (f" [{control.unit}]" if control.unit else "")
    common: dict[str, Any] = {"key": name, "help": control.help, "persist_state": "session"}
    if control.choices:
        st.selectbox(label, control.choices, control.choices.index(default), **common)
    elif isinstance(default, int) and control.maximum > 1000:
        st.number_input(label, int(control.minimum), int(control.maximum), default, **common)
    elif isinstance(default, int):
        st.slider(label, int(control.minimum), int(control.maximum), default, **common)
    else:
        st.slider(label, float(control.minimum), float(control.maximum), default, control.step, **common)


def _prompt() -> None:
    """Prompts are numbered in the URL, for they are long; Streamlit would bind their full text."""
    texts, usual = _prompts(), telling()
    if PROMPT not in st.session_state:
        given = st.query_params.get_all(PROMPT)
        number, said = link.whole(PROMPT, given[-1] if given else str(usual + 1), 1, len(texts), usual + 1)
        said = said or link.once(PROMPT, given, number)
        st.session_state[PROMPT] = number - 1
        if said:
            note(said)
    elif st.session_state[PROMPT] == st.session_state.get(USUAL):
        st.session_state[PROMPT] = usual  # nobody has chosen: another scenario shows its own
    st.session_state[USUAL] = usual
    st.session_state[PROMPT] = prompt()
    if lesson.has_control(PROMPT):
        st.selectbox(
            "Prompt", range(len(texts)), key=PROMPT, format_func=lambda i: texts[i],
            help="Text and probabilities on the pages are of this prompt; the six metrics are means over all prompts.",
        )  # fmt: skip


def _prompts() -> tuple[str, ...]:
    return _scenario().prompts


def _scenario() -> Scenario:
    return load_scenario(scenario())
