"""The tour tells the truth about the runs it sets up."""

import re
from functools import cache

import numpy as np
import pytest

from pages.frame.tour import STEPS
from rlhf_core import PipelineRun, Settings, run_pipeline
from rlhf_core.timeline import build


@cache
def run(number: int, seed: int = 0, **changes: float) -> PipelineRun:
    return run_pipeline(Settings(**{"seed": seed, **STEPS[number - 1].changes, **changes}))


def truths(number: int, seeds: range = range(10)) -> list[np.ndarray]:
    return [run(number, seed).ppo.true_reward for seed in seeds]


@pytest.mark.parametrize("number", range(1, len(STEPS) + 1))
def test_every_step_can_be_done_and_says_what_happened(number: int) -> None:
    step, one = STEPS[number - 1], run(number)
    timeline = build(one)
    start = timeline.find(step.at)
    settings = Settings(**{**step.changes, "beta": 1.0}) if number == len(STEPS) else one.settings
    assert not step.until(settings, start), "must not be done before the reader has done it"
    assert step.until(settings, timeline.frames[-1])
    text = step.see(one)
    assert len(re.findall(r"\d", text)) >= 2 and "nan" not in text
    assert 2 <= len(step.options) <= 3


def test_step_1_true_reward_rises_in_a_default_run() -> None:
    assert all(truth[-1] > truth[0] for truth in truths(1))


def test_step_2_sft_gives_better_answers_not_the_best() -> None:
    for seed in range(10):
        one = run(2, seed)
        base = np.exp(one.sft.log_probs[0]) * one.scenario.true_reward
        best = one.scenario.true_reward.max(axis=1).mean()
        assert base.sum(axis=1).mean() < one.ppo.true_reward[0] < 0.6 * best


def test_step_4_a_ratio_passes_the_clip_range() -> None:
    assert all(run(4, seed).ppo.rollouts[0].ratio.max() > 1 + run(4, seed).settings.clip_range for seed in range(10))


def test_step_5_a_high_beta_leaves_the_policy_nearly_in_place() -> None:
    assert all(run(5, seed).ppo.kl[-1] < 0.2 * run(1, seed).ppo.kl[-1] for seed in range(10))


@pytest.mark.parametrize("number", [6, 7])
def test_steps_6_and_7_the_default_seed_is_hacked_and_most_others_too(number: int) -> None:
    def hacked(truth: np.ndarray) -> bool:
        return bool(truth[-1] < truth.max() - 0.1 * (truth.max() - truth[0]))

    results = [hacked(truth) for truth in truths(number)]
    assert results[0] and sum(results) >= 7


def test_step_7_perfect_labellers_bring_better_accuracy() -> None:
    accuracy = [np.mean([run(number, seed).reward.heldout_accuracy[-1] for seed in range(10)]) for number in (6, 7)]
    assert accuracy[1] > accuracy[0]


def test_step_8_a_middling_beta_saves_true_reward() -> None:
    def final(beta: float) -> float:
        return float(np.mean([run(8, seed, beta=beta).ppo.true_reward[-1] for seed in range(10)]))

    assert max((0.0, 0.1, 1.0, 2.0), key=final) == 1.0  # 0.58, 0.18, 0.79, 0.71
