"""The whole pipeline: settings in, a complete and read-only record of the three stages out."""

from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from rlhf_core import course, optimum, ppo, preferences, reward_model, sft, traces
from rlhf_core.course import Course
from rlhf_core.distributions import Array
from rlhf_core.optimum import Frontier, Optimum
from rlhf_core.ppo import PPOTrace
from rlhf_core.reward_model import RewardTrace
from rlhf_core.scenarios import Scenario, load_scenario
from rlhf_core.scenarios.brought import Brought
from rlhf_core.settings import DEFAULTS, Settings
from rlhf_core.sft import SFTTrace

PPO_SETTINGS = ("beta", "ppo_steps", "rollouts", "advantage", "clip_range", "ppo_epochs", "ppo_learning_rate")
"""Settings that neither SFT nor the reward model can tell apart."""


@dataclass(frozen=True, slots=True, eq=False)
class PipelineRun:
    """One run of the pipeline. Every array is read-only, and computed from the settings and the authored scenario."""

    settings: Settings
    scenario: Scenario
    labeller_reward: Array
    """(P, R) what a labeller thinks of each response, in true-reward units; comparisons are drawn with it."""
    sft: SFTTrace
    reward: RewardTrace
    ppo: PPOTrace
    optimum: Optimum
    frontier: Frontier
    course: Course

    def to_dict(self) -> dict[str, Any]:
        """Settings and all curves as plain data, the truth among them; see `rlhf_core.traces`."""
        return traces.as_dict(self)


def run_pipeline(settings: Settings) -> PipelineRun:
    """Train all three stages.

    Each stage draws from its own random stream, so a control of one stage never changes the
    draws of another. The same settings give the same arrays: bit for bit on the same kind of
    processor with the same numpy and scipy builds, which may round differently elsewhere.
    """
    scenario = load_scenario(settings.scenario)
    if isinstance(settings.scenario, Brought):  # nothing of it is kept here
        sft_trace, reward_trace = _first_stages(settings)
    else:
        sft_trace, reward_trace = first_stages(replace(settings, **{name: DEFAULTS[name] for name in PPO_SETTINGS}))
    judgement = _labeller_reward(settings, scenario)
    _, _, ppo_rng, course_rng = streams(settings.seed)
    ref_log_probs, scores = sft_trace.log_probs[-1], reward_trace.scores
    ppo_trace = ppo.train(sft_trace.logits, scores, scenario.true_reward, judgement, settings, ppo_rng)
    run = PipelineRun(
        settings=settings,
        scenario=scenario,
        labeller_reward=judgement,
        sft=sft_trace,
        reward=reward_trace,
        ppo=ppo_trace,
        optimum=optimum.solve(ref_log_probs, scores, scenario.true_reward, beta=settings.beta),
        frontier=optimum.frontier(ref_log_probs, scores, scenario.true_reward),
        course=course.follow(
            sft_trace.log_probs,
            ppo_trace.log_probs,
            scores,
            scenario.true_reward,
            judgement,
            scenario.shape,
            course_rng,
        ),
    )
    _freeze(run)
    return run


@lru_cache(maxsize=8)
def first_stages(settings: Settings) -> tuple[SFTTrace, RewardTrace]:
    """Train SFT and the reward model; runs that differ only in `PPO_SETTINGS` share the result, which is read-only."""
    return _first_stages(settings)


def _first_stages(settings: Settings) -> tuple[SFTTrace, RewardTrace]:
    scenario = load_scenario(settings.scenario)
    sft_rng, reward_rng, *_ = streams(settings.seed)
    sft_trace = sft.train(
        scenario,
        n_demonstrations=settings.n_demonstrations,
        n_epochs=settings.sft_epochs,
        learning_rate=settings.sft_learning_rate,
        rng=sft_rng,
    )
    ref_log_probs = sft_trace.log_probs[-1]
    pairs = preferences.compare(
        ref_log_probs,
        _labeller_reward(settings, scenario),
        scenario.heldout,
        n_comparisons=settings.n_comparisons,
        label_noise=settings.label_noise,
        rng=reward_rng,
    )
    reward_trace = reward_model.train(
        scenario,
        pairs,
        ref_log_probs,
        n_epochs=settings.rm_epochs,
        learning_rate=settings.rm_learning_rate,
        l2=settings.rm_l2,
    )
    _freeze((sft_trace, reward_trace))
    return sft_trace, reward_trace


def _labeller_reward(settings: Settings, scenario: Scenario) -> Array:
    return preferences.labeller_reward(scenario.true_reward, scenario.appeal, labeller_bias=settings.labeller_bias)


def streams(seed: int) -> list[np.random.Generator]:
    """Random streams of SFT, the comparisons, PPO and the course, each its own."""
    return [np.random.default_rng(stream) for stream in np.random.SeedSequence(seed).spawn(4)]


def _freeze(value: Any) -> None:
    """Make every array in a record read-only."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif isinstance(value, (tuple, list)):
        for item in value:
            _freeze(item)
    elif is_dataclass(value) and not isinstance(value, Settings | Scenario):
        for spec in fields(value):
            _freeze(getattr(value, spec.name))
