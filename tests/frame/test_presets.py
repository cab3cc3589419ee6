"""Presets show what they say, over several seeds and in both scenarios."""

import re
from functools import cache

import numpy as np
import pytest

from pages.frame.presets import PRESETS, active, settings_of
from rlhf_core import PipelineRun, Settings, run_pipeline

SEEDS = range(10)
SCENARIOS = pytest.mark.parametrize("scenario", ["helpfulness", "safety"])


@cache
def run(key: str, scenario: str, seed: int) -> PipelineRun:
    return run_pipeline(settings_of(PRESETS[key], Settings(scenario=scenario, seed=seed)))


def runs(key: str, scenario: str) -> list[PipelineRun]:
    return [run(key, scenario, seed) for seed in SEEDS]


@pytest.mark.parametrize("key", PRESETS)
def test_a_preset_is_recognised_by_its_settings_alone(key: str) -> None:
    current = Settings(scenario="safety", seed=3)
    assert active(settings_of(PRESETS[key], current)) is PRESETS[key]


def test_other_settings_are_no_preset() -> None:
    assert active(Settings(beta=0.123)) is None


@SCENARIOS
@pytest.mark.parametrize("key", PRESETS)
def test_symptoms_are_sentences_with_numbers(key: str, scenario: str) -> None:
    for one in runs(key, scenario)[:3]:
        text = PRESETS[key].symptom(one)
        assert text.endswith(".") and len(re.findall(r"\d", text)) >= 2 and "nan" not in text


@SCENARIOS
def test_a_healthy_run_raises_true_reward_and_keeps_its_entropy(scenario: str) -> None:
    for one in runs("healthy", scenario):
        assert one.ppo.true_reward[-1] > one.ppo.true_reward[0] + 0.5
        assert one.ppo.entropy[-1] > 1.5


@SCENARIOS
def test_a_high_beta_keeps_the_policy_in_place(scenario: str) -> None:
    for one in runs("beta_too_high", scenario):
        healthy = run("healthy", scenario, one.settings.seed)
        assert one.ppo.kl[-1] < 0.2 * healthy.ppo.kl[-1]
        assert one.ppo.reward[-1] < 0.6 * healthy.ppo.reward[-1]


def test_reward_hacking_costs_true_reward_while_the_score_rises() -> None:
    hacked = 0
    for one in runs("reward_hacking", "helpfulness"):
        truth, reward = one.ppo.true_reward, one.ppo.reward
        peak = int(np.argmax(truth))
        hacked += truth[-1] < truth[peak] - 0.1 * (truth[peak] - truth[0]) and reward[-1] > reward[peak]
    assert hacked >= 7


@SCENARIOS
def test_noisy_labels_ruin_agreement_and_accuracy_but_not_the_reward_curve(scenario: str) -> None:
    noisy, healthy = runs("noisy_labels", scenario), runs("healthy", scenario)
    assert all(one.reward.pairs.agreement < 0.55 for one in noisy)
    assert np.mean([one.reward.heldout_accuracy[-1] for one in noisy]) < 0.6
    score = [np.mean([one.ppo.reward[-1] for one in group]) for group in (noisy, healthy)]
    truth = [np.mean([one.ppo.true_reward[-1] for one in group]) for group in (noisy, healthy)]
    assert score[0] == pytest.approx(score[1], rel=0.15)
    assert truth[0] < truth[1] - 0.2


@SCENARIOS
def test_a_high_learning_rate_jumps_and_clips(scenario: str) -> None:
    for one in runs("learning_rate_too_high", scenario):
        assert one.ppo.kl[1] > 10 * run("healthy", scenario, one.settings.seed).ppo.kl[1]
        assert one.ppo.clip_fraction.max() > 0.4
        assert max(batch.ratio.max() for batch in one.ppo.rollouts) > 3


@SCENARIOS
def test_entropy_collapses(scenario: str) -> None:
    for one in runs("entropy_collapse", scenario):
        assert one.ppo.entropy[-1] < 0.15 * one.ppo.entropy[0]


@SCENARIOS
def test_few_comparisons_open_a_gap_and_cost_true_reward(scenario: str) -> None:
    few, healthy = runs("too_few_comparisons", scenario), runs("healthy", scenario)

    def gap(group: list[PipelineRun]) -> float:
        return float(np.mean([one.reward.train_accuracy[-1] - one.reward.heldout_accuracy[-1] for one in group]))

    def truth(group: list[PipelineRun]) -> float:
        return float(np.mean([one.ppo.true_reward[-1] for one in group]))

    assert gap(few) > gap(healthy) + 0.05
    assert truth(few) < truth(healthy) - 0.15
