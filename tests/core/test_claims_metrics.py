"""What the Metrics page says, over many seeds and both scenarios."""

from functools import cache

import numpy as np
import pytest

from rlhf_core.distributions import kl_estimators
from tests.core.runs import run

SEEDS = range(10)
HACKED = {"scenario": "helpfulness", "beta": 0.0, "ppo_steps": 60}


@pytest.fixture(params=["helpfulness", "safety"])
def scenario(request):
    return request.param


@cache
def hacked(n_comparisons: int = 400):
    return [run(seed=seed, n_comparisons=n_comparisons, **HACKED) for seed in SEEDS]


def lost(ours) -> float:
    truth = ours.ppo.true_reward
    return float((truth.max() - truth[-1]) / (truth.max() - truth[0]))


# ------------------------------------------------------------------ over-optimisation


def test_more_steps_find_more_of_the_answers_about_which_the_reward_model_is_wrong():
    # How much the reward says too much of what the policy writes, in units of the SFT policy's spread (true reward
    # measured alike): 0, 0.4, 0.95 and 1.6 after 0, 8, 20 and 60 steps.
    for ours in hacked():
        truth, probs = ours.scenario.true_reward, np.exp(ours.ppo.log_probs)
        truth = truth - (probs[0] * truth).sum(axis=1, keepdims=True)
        truth = truth / np.sqrt((probs[0] * truth**2).sum(axis=1).mean())
        too_much = (probs * (ours.reward.scores - truth)).sum(axis=2).mean(axis=1)[[0, 8, 20, 60]]
        assert (np.diff(too_much) > 0.1).all() and too_much[-1] > 1


def test_even_2000_comparisons_do_not_cure_it():
    assert sum(lost(ours) >= 0.1 for ours in hacked(2000)) >= 8  # 9 of 10 seeds
    assert sum(ours.ppo.reward[-1] > ours.ppo.reward[ours.ppo.true_reward.argmax()] for ours in hacked(2000)) >= 8


def test_accuracy_is_no_protection():
    accurate = [ours for ours in hacked() if ours.reward.heldout_accuracy[-1] >= 0.7]
    assert len(accurate) >= 2
    assert sum(lost(ours) >= 0.1 for ours in accurate) > len(accurate) / 2  # 3 of 3


def test_ppo_heads_for_the_distance_of_the_optimum(scenario):
    for seed in SEEDS:
        few, many = run(scenario=scenario, seed=seed), run(scenario=scenario, seed=seed, ppo_steps=60)
        assert abs(many.ppo.kl[-1] - many.optimum.kl) < 0.6 * abs(few.ppo.kl[-1] - few.optimum.kl)
        assert few.ppo.kl[-1] < few.optimum.kl


# ------------------------------------------------------------------ symptoms and their causes


def test_a_high_clip_fraction_comes_from_a_high_learning_rate(scenario):
    for seed in range(5):
        rates = [run(scenario=scenario, seed=seed, ppo_learning_rate=rate) for rate in (0.8, 2.0, 5.0)]
        most = [ours.ppo.clip_fraction.max() for ours in rates]
        assert most[0] < 0.15 < most[1] < 0.3 < most[2]  # 0.11, 0.23, 0.36


def test_noisy_or_few_labels_bring_the_accuracy_near_chance(scenario):
    def accuracy(**settings: float) -> float:
        seeds = range(20)
        return np.mean([run(scenario=scenario, seed=s, **settings).reward.heldout_accuracy[-1] for s in seeds])

    assert accuracy(label_noise=5.0) < 0.6 < accuracy()  # 52 and 56 %, against 67 and 72 %
    assert accuracy(n_comparisons=24) < accuracy() - 0.03  # 60 and 65 %


def test_the_penalty_can_eat_the_score():
    # A policy further from the reference than beta pays for has less J than it began with.
    assert any(run(beta=2.0, ppo_learning_rate=rate, rollouts=4).ppo.objective[-1] < 0 for rate in (5.0, 20.0))


# ------------------------------------------------------------------ the KL that is negative


def test_k1_is_negative_exactly_where_an_answer_has_become_rarer(scenario):
    ours = run(scenario=scenario)
    for step, batch in enumerate(ours.ppo.rollouts):
        k1 = batch.log_ratio_to_ref.sum(axis=-1)
        now, ref = (np.take_along_axis(ours.ppo.log_probs[at], batch.responses, axis=1) for at in (step, 0))
        np.testing.assert_allclose(k1, now - ref, atol=1e-9)


def test_k1_and_k3_have_the_exact_kl_as_expectation_and_k3_is_never_negative(scenario):
    ours = run(scenario=scenario)
    for log_probs, exact in zip(ours.ppo.log_probs, ours.ppo.kl, strict=True):
        estimates = kl_estimators(log_probs, ours.ppo.log_probs[0])
        assert (estimates.k3 >= 0).all()
        for estimate in (estimates.k1, estimates.k3):
            assert (np.exp(log_probs) * estimate).sum(axis=1).mean() == pytest.approx(exact, abs=1e-9)


def test_the_first_batch_has_no_divergence_and_the_second_has_prompts_with_a_negative_mean(scenario):
    for seed in SEEDS:
        batches = run(scenario=scenario, seed=seed).ppo.rollouts[:2]
        first, second = (batch.log_ratio_to_ref.sum(axis=-1) for batch in batches)
        assert not first.any()
        assert (second.mean(axis=1) < 0).any()  # 2 to 7 of the 12 prompts


def test_answers_that_became_rarer_are_still_drawn_in_every_step(scenario):
    for seed in SEEDS:
        for batch in run(scenario=scenario, seed=seed).ppo.rollouts[1:]:
            assert 0.05 < (batch.log_ratio_to_ref.sum(axis=-1) < 0).mean() < 0.6


# ------------------------------------------------------------------ the loss is no progress bar


@pytest.mark.parametrize("advantage", ["group_mean", "leave_one_out", "group_normalised"])
def test_each_step_s_loss_begins_at_zero_with_group_baselines(scenario, advantage):
    for seed in SEEDS:
        np.testing.assert_allclose(run(scenario=scenario, seed=seed, advantage=advantage).ppo.loss[:, 0], 0, atol=1e-12)


@pytest.mark.parametrize("advantage", ["group_mean", "leave_one_out", "group_normalised", "gae"])
def test_there_is_less_to_gain_from_a_batch_towards_the_end(scenario, advantage):
    for seed in SEEDS:
        ours = run(scenario=scenario, seed=seed, advantage=advantage)
        gained = ours.ppo.loss[:, 0] - ours.ppo.loss[:, 1]
        assert 0 < gained[-1] < 0.9 * gained[0]  # at most 0.81
        assert ours.ppo.reward[-1] > ours.ppo.reward[0]


def test_the_loss_ends_higher_than_it_began_while_the_policy_got_better(scenario):
    for seed in SEEDS:
        ours = run(scenario=scenario, seed=seed)
        assert ours.ppo.loss[-1, 1] > ours.ppo.loss[0, 1] and ours.ppo.true_reward[-1] > ours.ppo.true_reward[0]
