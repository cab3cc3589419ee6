"""Presets show what they say, over several seeds and in both scenarios."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from pages.drawing.marks import fell_back
from pages.drawing.wording import minus
from pages.frame import preset_words
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
        assert one.ppo.true_reward[-1] > one.ppo.true_reward[0] + 0.2
        assert one.ppo.entropy[-1] > 1.5


@SCENARIOS
def test_a_high_beta_keeps_the_policy_in_place(scenario: str) -> None:
    for one in runs("beta_too_high", scenario):
        healthy = run("healthy", scenario, one.settings.seed)
        assert one.ppo.kl[-1] < 0.2 * healthy.ppo.kl[-1]
        assert one.ppo.reward[-1] < 0.6 * healthy.ppo.reward[-1]


@SCENARIOS
def test_reward_hacking_says_whether_the_truth_fell(scenario: str) -> None:
    for one in runs("reward_hacking", scenario):
        truth, reward, text = one.ppo.true_reward, one.ppo.reward, PRESETS["reward_hacking"].symptom(one)
        peak = int(np.argmax(truth))
        assert text.startswith("True reward is best after") == fell_back(one)
        assert ("goes on to" in text) == (fell_back(one) and reward[-1] > reward[peak])
        assert f"{minus(truth[peak])}" in text and f"{minus(truth[-1])}" in text


def test_reward_hacking_costs_true_reward_while_the_score_rises_in_helpfulness() -> None:
    told = [PRESETS["reward_hacking"].symptom(one) for one in runs("reward_hacking", "helpfulness")]
    assert sum("goes on to" in text for text in told) >= 7


@SCENARIOS
def test_biased_labellers_see_far_more_than_there_is_and_are_predicted_better(scenario: str) -> None:
    biased = runs("biased_labellers", scenario)
    fair = [run_pipeline(replace(one.settings, labeller_bias=0.0)) for one in biased]
    for one in biased:
        judged, gained = (np.ptp(series[[0, -1]]) for series in (one.ppo.labeller_reward, one.ppo.true_reward))
        assert one.ppo.labeller_reward[-1] > one.ppo.labeller_reward[0] and judged > gained + 0.8
    accuracy = [np.mean([one.reward.heldout_accuracy[-1] for one in group]) for group in (biased, fair)]
    assert accuracy[0] > accuracy[1] + 0.03


def test_over_refusal_turns_harmless_questions_away() -> None:
    shares = []
    for one in runs("over_refusal", "helpfulness"):  # the preset brings its own scenario
        harmless = preset_words.only_sound_dangerous(one)
        assert one.settings.scenario == "safety" and harmless.sum() == 6
        assert PRESETS["over_refusal"].symptom(one).startswith("6 of the 12 questions only sound dangerous")
        shares.append(preset_words.declined(one, harmless))
    before, after = np.array(shares).T
    assert (after > before).mean() >= 0.9 and after.mean() > before.mean() + 0.2


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
def test_few_comparisons_leave_the_accuracy_open_and_a_gap_on_average(scenario: str) -> None:
    few, healthy = runs("too_few_comparisons", scenario), runs("healthy", scenario)

    def gap(group: list[PipelineRun]) -> float:
        return float(np.mean([one.reward.train_accuracy[-1] - one.reward.heldout_accuracy[-1] for one in group]))

    assert gap(few) > gap(healthy) + 0.05
    for one in few:
        said = re.findall(r"from (\d+)% to (\d+)% possible", PRESETS["too_few_comparisons"].symptom(one))
        low, high = map(int, said[0])
        assert high - low > 25
