"""What the PPO page says about PPO, held against many seeds and both scenarios.

Each claim's comment gives what was measured, so that a change of scenario or default shows how far it moved.
"""

import numpy as np
import pytest

from rlhf_core import PipelineRun, policy, ppo
from rlhf_core.advantages import group_mean, group_normalised
from rlhf_core.distributions import expectation, kl_divergence, kl_terms, log_softmax
from rlhf_core.optimum import FRONTIER_BETAS, frontier, optimal_log_probs
from tests.core.runs import run

SEEDS = range(10)
SCENARIOS = ("helpfulness", "safety")
ESTIMATORS = ("group_mean", "leave_one_out", "group_normalised", "gae")


@pytest.fixture(params=SCENARIOS)
def scenario(request: pytest.FixtureRequest) -> str:
    return request.param


def runs(scenario: str, seeds: range = SEEDS, **settings: object) -> list[PipelineRun]:
    return [run(scenario=scenario, seed=seed, **settings) for seed in seeds]


# ------------------------------------------------------------------ "PPO makes the better ones more probable"


@pytest.mark.parametrize("advantage", ESTIMATORS)
def test_reward_and_j_rise_and_entropy_falls(scenario, advantage):
    for ours in runs(scenario, advantage=advantage):
        assert ours.ppo.reward[-1] > ours.ppo.reward[0] + 0.5  # at least 0.78 reward units
        assert ours.ppo.objective[-1] > ours.ppo.objective[0] + 0.4
        assert ours.ppo.entropy[-1] < ours.ppo.entropy[0] - 0.5  # at least 1.16 nats


# ------------------------------------------------------------------ "each nat of distance has a price"


def test_a_higher_price_buys_less_distance(scenario):
    for seed in SEEDS:
        ends = [run(scenario=scenario, seed=seed, beta=beta).ppo for beta in (0.0, 0.1, 0.3, 1.0, 2.0)]
        assert (np.diff([end.kl[-1] for end in ends]) < 0).all()
        assert (np.diff([end.reward[-1] for end in ends]) < 0).all()  # by at least 0.018


@pytest.mark.parametrize("beta", [0.1, 0.5, 2.0])
def test_at_the_optimum_one_more_nat_brings_beta(scenario, beta):
    """The frontier's slope is beta: a nat must bring at least that to be worth it."""
    for ours in runs(scenario, range(3)):
        near = np.array([beta * 0.999, beta * 1.001])
        curve = frontier(ours.sft.log_probs[-1], ours.reward.scores, ours.scenario.true_reward, near)
        slope = np.diff(curve.reward) / np.diff(curve.kl)
        assert slope[0] == pytest.approx(beta, rel=1e-3)


def test_the_penalty_is_no_lie_detector():
    """With the default price the reward is hacked all the same when PPO goes on for long.

    The true reward falls from its peak while the reward still rises: in 8 of 10 seeds (in the safety scenario in 4).
    """
    hacked = 0
    for ours in runs("helpfulness", ppo_steps=60):
        truth = ours.ppo.true_reward
        peak = int(np.argmax(truth))
        hacked += (
            truth[-1] < truth[peak] - 0.1 * (truth[peak] - truth[0]) and ours.ppo.reward[-1] > ours.ppo.reward[peak]
        )
    assert hacked >= 7


# ------------------------------------------------------------------ "No policy lies above the dashed curve"


def test_the_frontier_is_the_optimum_of_every_beta(scenario):
    ours = run(scenario=scenario)
    reference, scores = ours.sft.log_probs[-1], ours.reward.scores
    assert (np.diff(FRONTIER_BETAS) > 0).all() and FRONTIER_BETAS[0] == 0
    for i, beta in enumerate(ours.frontier.betas):
        best, _ = optimal_log_probs(reference, scores, beta=float(beta))
        assert ours.frontier.reward[i] == pytest.approx(expectation(best, scores).mean(), abs=1e-10)
        assert ours.frontier.kl[i] == pytest.approx(kl_divergence(best, reference).mean(), abs=1e-10)


def test_frontier_falls_with_beta_and_is_concave(scenario):
    for ours in runs(scenario):
        assert (np.diff(ours.frontier.kl) < 0).all() and (np.diff(ours.frontier.reward) < 0).all()
        slopes = np.diff(ours.frontier.reward) / np.diff(ours.frontier.kl)
        assert (np.diff(slopes) > 0).all()
        inner = ours.frontier.betas[1:-1]
        assert (slopes[:-1] <= inner + 1e-9).all() and (slopes[1:] >= inner - 1e-9).all()


def test_frontier_needs_no_zero_beta():
    ours = run()
    curve = frontier(ours.sft.log_probs[-1], ours.reward.scores, ours.scenario.true_reward, np.array([0.1]))
    assert curve.kl[0] == pytest.approx(ours.optimum.kl) and curve.reward[0] == pytest.approx(ours.optimum.reward)


@pytest.mark.parametrize("settings", [{}, {"beta": 0.0, "ppo_steps": 60}, {"advantage": "group_normalised"}], ids=str)
def test_no_recorded_policy_lies_above_the_frontier(scenario, settings):
    for ours in runs(scenario, **settings):
        for beta, reward, kl in zip(ours.frontier.betas, ours.frontier.reward, ours.frontier.kl, strict=True):
            assert (ours.ppo.reward - beta * ours.ppo.kl <= reward - beta * kl + 1e-9).all()
            sft = expectation(ours.sft.log_probs, ours.reward.scores).mean(axis=1)
            away = kl_divergence(ours.sft.log_probs, ours.sft.log_probs[-1]).mean(axis=1)
            assert (sft - beta * away <= reward - beta * kl + 1e-9).all()


def test_no_random_policy_lies_above_the_frontier():
    ours, rng = run(), np.random.default_rng(0)
    reference, scores, best = ours.sft.log_probs[-1], ours.reward.scores, ours.frontier
    for _ in range(50):
        other = log_softmax(reference + rng.normal(0, rng.uniform(0, 3), reference.shape) + rng.uniform(0, 3) * scores)
        reward, kl = expectation(other, scores).mean(), kl_divergence(other, reference).mean()
        assert (reward - best.betas * kl <= best.reward - best.betas * best.kl).all()


# ------------------------------------------------------------------ three policies, and the sign of the penalty


def test_reference_is_the_end_of_sft_and_enters_only_the_penalty(scenario):
    """The first rollouts come from the reference itself, so their log-ratios are 0 and so is the penalty."""
    for ours in runs(scenario):
        assert np.array_equal(ours.ppo.log_probs[0], ours.sft.log_probs[-1])
        assert abs(ours.ppo.rollouts[0].log_ratio_to_ref).max() < 1e-12


@pytest.mark.parametrize("seed", range(3))
def test_log_ratios_compare_the_policy_that_wrote_them_with_the_reference(seed):
    """pi_old, not pi_theta: they are computed once per step, before its epochs."""
    ours = run(seed=seed)
    for k, batch in enumerate(ours.ppo.rollouts):
        old = np.take_along_axis(ours.ppo.log_probs[k], batch.responses, axis=1)
        reference = np.take_along_axis(ours.ppo.log_probs[0], batch.responses, axis=1)
        np.testing.assert_allclose(batch.log_ratio_to_ref.sum(axis=-1), old - reference, atol=1e-10)
        new = np.take_along_axis(ours.ppo.log_probs[k + 1], batch.responses, axis=1)
        np.testing.assert_allclose(np.log(batch.ratio).sum(axis=-1), new - old, atol=1e-10)


@pytest.mark.parametrize("beta", [0.1, 1.0])
def test_a_larger_log_ratio_lowers_the_advantage(beta):
    """The sign: among rollouts of one prompt, advantage falls by beta per nat at equal reward."""
    ours = run(beta=beta)
    for batch in ours.ppo.rollouts[1:]:
        log_ratio = batch.log_ratio_to_ref.sum(axis=-1)
        kept = batch.advantages[..., 0] - batch.rewards + beta * log_ratio  # minus the group's mean
        assert np.ptp(kept, axis=1).max() < 1e-12


def test_single_log_ratios_are_negative_the_exact_kl_is_not(scenario):
    for ours in runs(scenario):
        assert min(batch.log_ratio_to_ref.sum(axis=-1).min() for batch in ours.ppo.rollouts) < -0.5  # below -2.4
        assert ours.ppo.kl.min() > -1e-12
        assert kl_terms(ours.ppo.log_probs[-1], ours.ppo.log_probs[0]).min() < 0


# ------------------------------------------------------------------ advantages


@pytest.mark.parametrize("rollouts", [0, 8, 32])
@pytest.mark.parametrize("advantage", ESTIMATORS[:3])
def test_a_groups_advantages_sum_to_zero(advantage, rollouts):
    ours = run(advantage=advantage, rollouts=rollouts)
    for k, batch in enumerate(ours.ppo.rollouts):
        weights = 1 / rollouts if rollouts else np.exp(ours.ppo.log_probs[k])
        assert abs((weights * batch.advantages[..., 0]).sum(axis=1)).max() < 1e-9


def test_a_single_rollout_teaches_nothing_but_gae_still_learns(scenario):
    for advantage in ESTIMATORS[:3]:
        assert np.ptp(run(scenario=scenario, rollouts=1, advantage=advantage).ppo.reward) < 1e-12
    ours = run(scenario=scenario, rollouts=1, advantage="gae", ppo_steps=60)
    assert ours.ppo.reward[-1] > 0.3


def test_dividing_by_the_spread_removes_the_rewards_scale():
    """Ten times the reward and ten times beta give the same advantages; so beta counts relative to the spread."""
    rewards = np.random.default_rng(0).normal(size=(12, 32))
    np.testing.assert_allclose(group_normalised(10 * rewards), group_normalised(rewards), rtol=1e-3)
    assert not np.allclose(group_mean(10 * rewards), group_mean(rewards), rtol=1e-3)


# ------------------------------------------------------------------ clipping


@pytest.mark.parametrize("clip_range", [0.1, 0.2])
def test_clipping_does_not_bound_the_ratio(scenario, clip_range):
    for ours in runs(scenario, clip_range=clip_range):
        assert max(batch.ratio.max() for batch in ours.ppo.rollouts) > 1 + 1.5 * clip_range  # at 0.2: 1.34 and more


def test_clipping_cuts_two_of_four_sides():
    ratio = np.array([1.5, 1.5, 0.5, 0.5])
    advantage = np.array([1.0, -1.0, 1.0, -1.0])
    old = np.zeros(4)
    cut = ppo.clipped_surrogate(np.log(ratio), old, advantage, clip_range=0.2, weights=1.0)
    assert cut.clipped.tolist() == [True, False, False, True]
    assert (cut.gradient == 0).tolist() == [True, False, False, True]


def test_the_first_epoch_is_a_plain_policy_gradient(scenario):
    """There rho = 1, nothing is clipped, and the gradient is that of the mean of A log pi."""
    for ours in runs(scenario, range(5), ppo_epochs=1):
        assert not ours.ppo.clip_fraction.any()
        rate = ours.settings.ppo_learning_rate
        for k, batch in enumerate(ours.ppo.rollouts):
            tables = policy.log_tables(ours.ppo.logits[k])
            positions = policy.prefixes(batch.responses, tables)
            plain = policy.logits_gradient(tables, positions, batch.advantages / batch.responses.shape[1])
            for before, after, slope in zip(ours.ppo.logits[k], ours.ppo.logits[k + 1], plain, strict=True):
                np.testing.assert_allclose(after, before + rate * slope, atol=1e-12)


def test_with_more_epochs_clipping_acts(scenario):
    for ours in runs(scenario):
        assert ours.ppo.clip_fraction[1:].mean() > 0.01  # 3.8 to 7.3 % of the token gradients


# ------------------------------------------------------------------ "The PPO loss is no progress bar"


def test_the_loss_starts_at_zero_in_every_step_whatever_the_policy(scenario):
    for ours in runs(scenario, ppo_steps=30):
        assert abs(ours.ppo.loss[:, 0]).max() < 1e-9
        assert ours.ppo.objective[-1] > ours.ppo.objective[0] + 0.5


def test_the_loss_after_a_step_rises_while_j_does(scenario):
    """A lower loss would be progress if the loss were a progress bar: it ends higher (nearer 0) than it began."""
    for ours in runs(scenario):
        assert ours.ppo.loss[-1, 1] > ours.ppo.loss[0, 1] + 0.05  # by 0.11 and more
        assert ours.ppo.objective[-1] > ours.ppo.objective[0]


# ------------------------------------------------------------------ where the KL comes from


def test_kl_is_not_symmetric_and_adds_up_over_tokens(scenario):
    for ours in runs(scenario):
        now, reference = ours.ppo.log_probs[-1], ours.ppo.log_probs[0]
        forward, backward = kl_divergence(now, reference), kl_divergence(reference, now)
        assert abs(forward - backward).mean() > 0.01
        np.testing.assert_allclose(ours.ppo.kl_per_position[-1].sum(axis=-1), forward, atol=1e-10)
        assert ours.ppo.kl_per_position.min() > -1e-12
