"""The controls, on every page and in the URL. What they are stands in `rlhf_core.settings`."""

from dataclasses import fields
from typing import Any

import streamlit as st

from rlhf_core import Settings, load_scenario
from rlhf_core.settings import CONTROLS

MAIN = ("scenario", "beta", "ppo_steps")
SPEED, SPEEDS = 5, (1, 10)
PROMPT, NOTES = "prompt", "link_notes"
DEFAULTS: dict[str, Any] = {spec.name: spec.default for spec in fields(Settings)}


def controls() -> None:
    """Draw every control, bound to the URL under its field name."""
    _read_link()
    for name in MAIN:
        _control(name)
    st.slider(
        "Speed", *SPEEDS, SPEED, key="speed", bind="query-params",
        help="How fast Run plays: 1 is one frame a second, 10 is twenty.",
    )  # fmt: skip
    _prompt()
    with st.expander("Advanced"):
        for name in CONTROLS:
            if name not in MAIN:
                _control(name)


def notes() -> tuple[str, ...]:
    """What the reader's link asked for and could not have, until they change a control."""
    said, then = st.session_state.get(NOTES, ((), None))
    return said if then == settings() else ()


def note(sentence: str) -> None:
    """Add a sentence to the notes on the reader's link."""
    st.session_state[NOTES] = ((*notes(), sentence), settings())


def settings() -> Settings:
    """The settings that the controls stand at."""
    return Settings(**{name: st.session_state.get(name, default) for name, default in DEFAULTS.items()})


def set_controls(chosen: Settings) -> None:
    """Move the controls to other settings; only from a callback, before they are drawn."""
    for name in DEFAULTS:
        st.session_state[name] = getattr(chosen, name)


def prompt() -> int:
    """Index of the chosen prompt."""
    return min(int(st.session_state.get(PROMPT, 0)), len(load_scenario(settings().scenario).prompts) - 1)


def speed() -> int:
    """The chosen speed of playback."""
    return int(st.session_state.get("speed", SPEED))


def _read_link() -> None:
    """Once per session: use the nearest allowed value of what the link asks for, where Streamlit takes the default."""
    if NOTES not in st.session_state:
        chosen, said = Settings.from_query(st.query_params.to_dict())
        for name in (sentence.split()[0] for sentence in said):
            st.session_state[name] = getattr(chosen, name)
        st.session_state[NOTES] = (said, chosen)


def _control(name: str) -> None:
    control, default = CONTROLS[name], DEFAULTS[name]
    label = control.label + (f" [{control.unit}]" if control.unit else "")
    common: dict[str, Any] = {"key": name, "bind": "query-params", "help": control.help}
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
    texts = load_scenario(settings().scenario).prompts
    if PROMPT not in st.session_state:
        text = st.query_params.get(PROMPT, "1")
        number = int(text) if text.isdecimal() and len(text) < 9 else 0
        st.session_state[PROMPT] = min(max(number, 1), len(texts)) - 1
        if not 1 <= number <= len(texts):
            used = st.session_state[PROMPT] + 1
            note(f"prompt must be a number from 1 to {len(texts)}, got {text[:40]!r}; using {used}.")
    st.session_state[PROMPT] = prompt()
    st.selectbox(
        "Prompt", range(len(texts)), key=PROMPT, format_func=lambda i: texts[i],
        help="Text and probabilities on the pages are of this prompt; the six metrics are means over all prompts.",
    )  # fmt: skip
