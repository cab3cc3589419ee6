"""Presets: one click to a healthy run or to a typical failure, with its symptom and the remedy.

The names in `code` are those under which TRL logs the same quantity.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from pages.frame import navigation, playback, sidebar
from rlhf_core import PipelineRun, Settings

CHOSEN = "preset"


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings that show one phenomenon, and words for it."""

    title: str
    changes: Mapping[str, Any]
    """What differs from the defaults; scenario and seed stay as the reader has them."""
    symptom: Callable[[PipelineRun], str]
    """What to look for, with the run's own numbers."""
    remedy: str


def _healthy(run: PipelineRun) -> str:
    ppo = run.ppo
    return (
        f"Reward (`objective/scores`) climbs to {ppo.reward[-1]:.2f}, KL (`objective/kl`) ends at {ppo.kl[-1]:.2f} "
        f"nats, entropy (`objective/entropy`) falls from {ppo.entropy[0]:.2f} to {ppo.entropy[-1]:.2f} nats without "
        f"collapsing, and true reward, which nobody can log in real life, goes from {ppo.true_reward[0]:.2f} to "
        f"{ppo.true_reward[-1]:.2f}."
    )


def _beta_too_high(run: PipelineRun) -> str:
    return (
        f"KL (`objective/kl`) stays at {run.ppo.kl[-1]:.2f} nats and the reward at {run.ppo.reward[-1]:.2f}: "
        f"the penalty of {run.settings.beta:g} a nat keeps the policy where SFT left it."
    )


def _hacking(run: PipelineRun) -> str:
    reward, truth = run.ppo.reward, run.ppo.true_reward
    peak = int(np.argmax(truth))
    if peak == len(truth) - 1:
        return (
            f"With this scenario and seed the reward model is not fooled: true reward still rises at the last step, "
            f"to {truth[-1]:.2f}. Try another seed."
        )
    return (
        f"The reward-model score keeps rising, from {reward[peak]:.2f} at step {peak} to {reward[-1]:.2f} at step "
        f"{len(truth) - 1}; true reward peaks at step {peak} with {truth[peak]:.2f} and ends at {truth[-1]:.2f}."
    )


def _noisy_labels(run: PipelineRun) -> str:
    return (
        f"Two labellers agree on {run.reward.pairs.agreement:.0%} of the pairs, and held-out accuracy "
        f"(`eval_accuracy`) is {run.reward.heldout_accuracy[-1]:.0%}. PPO climbs that reward all the same, to "
        f"{run.ppo.reward[-1]:.2f}; its curve does not tell you that the labels were poor."
    )


def _learning_rate(run: PipelineRun) -> str:
    ratio = max(float(batch.ratio.max()) for batch in run.ppo.rollouts)
    return (
        f"The first step alone moves {run.ppo.kl[1]:.2f} nats; clipping zeroes up to "
        f"{run.ppo.clip_fraction.max():.0%} of the gradients (`policy/clipfrac_avg`), and still one token's ratio "
        f"reaches {ratio:.1f}."
    )


def _collapse(run: PipelineRun) -> str:
    favourite = np.exp(run.ppo.log_probs[-1]).max(axis=1).mean()
    return (
        f"Entropy (`objective/entropy`) falls from {run.ppo.entropy[0]:.2f} to {run.ppo.entropy[-1]:.2f} nats: on "
        f"average one answer has {favourite:.0%} of the probability, and sampling again brings the same text."
    )


def _few_comparisons(run: PipelineRun) -> str:
    n_train = int((~run.reward.pairs.heldout).sum())
    return (
        f"{n_train} training pairs for {len(run.reward.feature_names)} features: accuracy is "
        f"{run.reward.train_accuracy[-1]:.0%} on them (`accuracy`) and {run.reward.heldout_accuracy[-1]:.0%} on "
        f"{len(run.reward.pairs.prompt) - n_train} held-out pairs (`eval_accuracy`), too few to trust either."
    )


PRESETS: dict[str, Preset] = {
    "healthy": Preset("Healthy", {}, _healthy, "Stop here: more steps buy less and less true reward."),
    "beta_too_high": Preset(
        "β too high", {"beta": 2.0}, _beta_too_high, "Lower β until KL reaches a few nats, watching what people say."
    ),
    "reward_hacking": Preset(
        "Reward hacking", {"beta": 0.0, "ppo_steps": 60}, _hacking,
        "Raise β, stop earlier, or label fresh comparisons drawn from the new policy; trust people, not the score.",
    ),
    "noisy_labels": Preset(
        "Noisy labels", {"label_noise": 4.0}, _noisy_labels,
        "Measure labeller agreement before training; write clearer guidelines, or collect more labels per pair.",
    ),
    "learning_rate_too_high": Preset(
        "Learning rate too high", {"ppo_learning_rate": 20.0}, _learning_rate,
        "Lower the learning rate until `policy/approxkl_avg` is small and the clip fraction below about a fifth.",
    ),
    "entropy_collapse": Preset(
        "Entropy collapse", {"beta": 0.0, "ppo_steps": 60, "rollouts": 8, "ppo_learning_rate": 2.0}, _collapse,
        "Raise β, which also pays for spread, take more rollouts, or lower the learning rate.",
    ),
    "too_few_comparisons": Preset(
        "Too few comparisons", {"n_comparisons": 32}, _few_comparisons,
        "Collect more comparisons, or fewer features: the gap between the two accuracies is the warning.",
    ),
}  # fmt: skip


def settings_of(preset: Preset, current: Settings) -> Settings:
    """The preset's settings in the reader's scenario and with the reader's seed."""
    return Settings(scenario=current.scenario, seed=current.seed, **preset.changes)


def active(current: Settings) -> Preset | None:
    """The preset that the controls stand at, if any."""
    return next((preset for preset in PRESETS.values() if settings_of(preset, current) == current), None)


def menu() -> None:
    """One button per preset, in the sidebar."""
    with st.popover("Presets", width="stretch", help="One click to a healthy run or to a typical failure."):
        for key, preset in PRESETS.items():
            st.button(preset.title, key=f"preset-{key}", on_click=apply, args=(key,), width="stretch")


def apply(key: str, page: str | None = None) -> None:
    """Set every control to the preset and show the end of its run, on another page if one is named; a callback."""
    if page:
        navigation.request(page)
    st.session_state[CHOSEN] = key
    sidebar.set_controls(settings_of(PRESETS[key], sidebar.settings()))
    playback.seek("done")


def note(run: PipelineRun) -> None:
    """What to look for in the run on screen, if it is a preset; the defaults only when asked for."""
    preset = active(run.settings)
    if preset and (preset.changes or st.session_state.get(CHOSEN) == "healthy"):
        st.info(f"**{preset.title}.** {preset.symptom(run)}  \n**What a practitioner would do:** {preset.remedy}")
