"""Presets: one click to a healthy run or to a typical failure, with its symptom and the remedy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.frame import lesson, menus, navigation, playback, sidebar
from pages.frame import preset_words as words
from rlhf_core import PipelineRun, Settings

CHOSEN = "preset"
LATER = "What to look for in this run, and what a practitioner would do, is told once it has been played to its end."
MENU = "presets"


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings that show one phenomenon, and words for it."""

    title: str
    changes: Mapping[str, Any]
    """What differs from the defaults; seed, and unless named the scenario, stay as the reader has them."""
    symptom: Callable[[PipelineRun], str]
    """What to look for, with the run's own numbers."""
    remedy: str


PRESETS: dict[str, Preset] = {
    "healthy": Preset(
        "Healthy", {}, words.healthy,
        "Stop where careful readers stop preferring the new answers to the old ones; the score cannot tell you where.",
    ),
    "beta_too_high": Preset(
        "β too high", {"beta": 2.0}, words.beta_too_high,
        "Lower β in steps, and have people compare the answers of each: the score rises either way.",
    ),
    "reward_hacking": Preset(
        "Reward hacking", {"beta": 0.0, "ppo_steps": 60}, words.hacking,
        "Raise β, stop earlier, or label fresh comparisons drawn from the new policy; trust people, not the score.",
    ),
    "biased_labellers": Preset(
        "Biased labellers", {"beta": 0.0, "ppo_steps": 60, "labeller_bias": 1.5}, words.biased_labellers,
        "Give labellers time and the means to check, and have experts label some of the pairs too. More labels of the "
        "same kind average noise out, never bias.",
    ),
    "over_refusal": Preset(
        "Over-refusal", {"scenario": "safety", "beta": 0.0, "ppo_steps": 60, "labeller_bias": 2.0}, words.over_refusal,
        "Ask labellers what the person needed, not what sounds safe, and measure refusals of harmless questions: "
        "XSTest (arXiv:2308.01263) has 250 of them.",
    ),
    "noisy_labels": Preset(
        "Noisy labels", {"label_noise": 4.0}, words.noisy_labels,
        "Measure labeller agreement before training; write clearer guidelines, or collect more labels per pair.",
    ),
    "learning_rate_too_high": Preset(
        "Learning rate too high", {"ppo_learning_rate": 20.0}, words.learning_rate,
        "Lower the learning rate until `policy/approxkl_avg` is small and the clip fraction below about a fifth.",
    ),
    "entropy_collapse": Preset(
        "Entropy collapse", {"beta": 0.0, "ppo_steps": 60, "rollouts": 8, "ppo_learning_rate": 2.0}, words.collapse,
        "Raise β, which also pays for spread, take more rollouts, or lower the learning rate.",
    ),
    "too_few_comparisons": Preset(
        "Too few comparisons", {"n_comparisons": 32}, words.few_comparisons,
        "Collect more comparisons, and hold out enough to make the interval narrower than the difference you look for.",
    ),
}  # fmt: skip


def settings_of(preset: Preset, current: Settings) -> Settings:
    """The preset's settings with the reader's seed, and in the reader's scenario unless it has one of its own."""
    return Settings(**{"scenario": current.scenario, "seed": current.seed, **preset.changes})


def active(current: Settings) -> Preset | None:
    """The preset that the controls stand at, if any."""
    return next((preset for preset in PRESETS.values() if settings_of(preset, current) == current), None)


def menu() -> None:
    """One button per preset, beside the controls, unless a lesson leaves them out."""
    if not lesson.has_control("presets"):
        return
    with menus.menu("Presets", MENU):
        st.caption("One click to a healthy run or to a typical failure.")
        for key, preset in PRESETS.items():
            st.button(preset.title, key=f"preset-{key}", on_click=apply, args=(key,), width="stretch")


def apply(key: str, page: str | None = None) -> None:
    """Set every control to the preset and play its run from the end of SFT, on another page if named; a callback."""
    if page:
        navigation.request(page)
    st.session_state[CHOSEN] = key
    menus.close(MENU)
    chosen = settings_of(PRESETS[key], sidebar.settings())
    sidebar.set_controls(chosen)
    playback.seek(f"sft-{chosen.sft_epochs}", play=True)


def note(run: PipelineRun, *, played: bool) -> None:
    """What to look for in the run on screen, if it is a preset and played; the defaults only when asked for."""
    preset = active(run.settings)
    if preset and (preset.changes or st.session_state.get(CHOSEN) == "healthy"):
        st.info(advice(preset, run) if played else f"**{preset.title}.** {LATER}")


def advice(preset: Preset, run: PipelineRun) -> str:
    """What to look for in a preset's run, and what to do about it."""
    return f"**{preset.title}.** {preset.symptom(run)}  \n**What a practitioner would do:** {preset.remedy}"
