"""The whole pipeline: settings in, a complete and read-only record of the three stages out."""

from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from rlhf_core import course, optimum, ppo, preferences, reward_model, sft
from rlhf_core.course import Course
from rlhf_core.optimum import Frontier, Optimum
from rlhf_core.ppo import PPOTrace
from rlhf_core.reward_model import RewardTrace
from rlhf_core.scenarios import Scenario, load_scenario
from rlhf_core.settings import Settings
from rlhf_core.sft import SFTTrace


@dataclass(frozen=True, slots=True, eq=False)
class PipelineRun:
    """One run of the pipeline. Every array is read-only; nothing in it is scripted."""

    settings: Settings
    scenario: Scenario
    sft: SFTTrace
    reward: RewardTrace
    ppo: PPOTrace
    optimum: Optimum
    frontier: Frontier
    course: Course


def run_pipeline(settings: Settings) -> PipelineRun:
    """Train all three stages.

    Each stage draws from its own random stream, so a control of one stage never changes the
    draws of another. The same settings give the same arrays, bit for bit.
    """
    scenario = load_scenario(settings.scenario)
    streams = np.random.SeedSequence(settings.seed).spawn(4)
    sft_rng, reward_rng, ppo_rng, course_rng = map(np.random.default_rng, streams)
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
        scenario.true_reward,
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
    scores = reward_trace.scores
    ppo_trace = ppo.train(sft_trace.logits, scores, scenario.true_reward, settings, ppo_rng)
    run = PipelineRun(
        settings=settings,
        scenario=scenario,
        sft=sft_trace,
        reward=reward_trace,
        ppo=ppo_trace,
        optimum=optimum.solve(ref_log_probs, scores, scenario.true_reward, beta=settings.beta),
        frontier=optimum.frontier(ref_log_probs, scores),
        course=course.follow(
            sft_trace.log_probs, ppo_trace.log_probs, scores, scenario.true_reward, scenario.shape, course_rng
        ),
    )
    _freeze(run)
    return run


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
