"""Advantage estimators and the reward per token."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rlhf_core.advantages import gae, group_mean, group_normalised, leave_one_out, token_rewards
from rlhf_core.optimum import penalised_reward
from tests.core.tools import Array, fuzzed

Estimator = Callable[..., Array]
ESTIMATORS = (group_mean, leave_one_out, group_normalised)
GROUPS = st.integers(2, 8).flatmap(lambda size: arrays(np.float64, (2, size), elements=st.floats(-100, 100)))
EPISODES = st.integers(1, 6).flatmap(lambda size: arrays(np.float64, (2, 3, size), elements=st.floats(-10, 10)))


def test_group_mean_by_hand() -> None:
    np.testing.assert_array_equal(group_mean(np.array([1.0, 2.0, 3.0, 6.0])), [-2, -1, 0, 3])


def test_leave_one_out_by_hand() -> None:
    # The others' means are 11/3, 10/3, 3 and 2.
    np.testing.assert_allclose(leave_one_out(np.array([1.0, 2.0, 3.0, 6.0])), [-8 / 3, -4 / 3, 0, 4], rtol=1e-14)


def test_group_normalised_by_hand() -> None:
    # 1, 2, 3, 4: mean 2.5, Bessel's variance (2.25 + 0.25 + 0.25 + 2.25) / 3 = 5/3
    wanted = np.array([-1.5, -0.5, 0.5, 1.5]) / (np.sqrt(5 / 3) + 1e-4)
    np.testing.assert_allclose(group_normalised(np.array([1.0, 2.0, 3.0, 4.0])), wanted, rtol=1e-14)


def test_groups_do_not_mix() -> None:
    rewards = np.array([[1.0, 3.0], [10.0, 30.0]])
    for estimate in ESTIMATORS:
        np.testing.assert_array_equal(estimate(rewards), [estimate(group) for group in rewards])


@fuzzed
@given(GROUPS)
def test_group_mean_is_leave_one_out_shrunk_by_one_in_g(rewards: Array) -> None:
    n = rewards.shape[-1]
    np.testing.assert_allclose(group_mean(rewards), (n - 1) / n * leave_one_out(rewards), rtol=0, atol=1e-11)


@fuzzed
@given(GROUPS)
def test_leave_one_out_compares_with_the_mean_of_the_others(rewards: Array) -> None:
    for group, found in zip(rewards, leave_one_out(rewards), strict=True):
        wanted = [reward - np.mean(np.delete(group, i)) for i, reward in enumerate(group)]
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-11)


@pytest.mark.parametrize("estimate", ESTIMATORS)
@fuzzed
@given(rewards=GROUPS, shift=st.floats(-100, 100))
def test_a_bonus_for_everybody_changes_no_advantage(estimate: Estimator, rewards: Array, shift: float) -> None:
    # A spread near 1e-4 amplifies the rounding of the shift by that much.
    np.testing.assert_allclose(estimate(rewards + shift), estimate(rewards), rtol=0, atol=1e-8)


@pytest.mark.parametrize("estimate", ESTIMATORS)
@fuzzed
@given(rewards=GROUPS)
def test_advantages_of_a_group_sum_to_zero(estimate: Estimator, rewards: Array) -> None:
    np.testing.assert_allclose(estimate(rewards).sum(axis=-1), 0, rtol=0, atol=1e-8)


def test_group_normalised_forgets_the_rewards_scale_and_group_mean_does_not() -> None:
    rewards = np.array([-1.0, 0.5, 2.0])
    np.testing.assert_allclose(group_normalised(1000 * rewards), group_normalised(rewards), rtol=1e-4)
    np.testing.assert_allclose(group_mean(1000 * rewards), 1000 * group_mean(rewards), rtol=1e-14)


@pytest.mark.parametrize("estimate", ESTIMATORS)
@pytest.mark.parametrize("rewards", [np.full(5, 0.3), np.array([7.0]), np.full(3, -1e9)], ids=["same", "one", "large"])
def test_equal_rewards_and_a_single_rollout_give_no_advantage(estimate: Estimator, rewards: Array) -> None:
    np.testing.assert_allclose(estimate(rewards), 0, rtol=0, atol=1e-11)


@pytest.mark.parametrize("estimate", [group_mean, leave_one_out])
def test_weights_stand_for_the_shares_of_endless_samples(estimate: Estimator) -> None:
    # Shares 1/2, 1/4, 1/4 of rewards 1, 2, 4: mean 2.
    found = estimate(np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.25, 0.25]))
    np.testing.assert_allclose(found, [-1, 0, 2], rtol=0, atol=1e-15)


def test_weighted_group_normalised_divides_by_the_exact_spread() -> None:
    # Mean 2, variance 1/2 * 1 + 1/4 * 0 + 1/4 * 4 = 3/2, without Bessel's correction
    found = group_normalised(np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.25, 0.25]))
    np.testing.assert_allclose(found, np.array([-1, 0, 2]) / (np.sqrt(1.5) + 1e-4), rtol=1e-14, atol=1e-15)


def test_a_response_of_probability_1e_300_does_not_disturb_the_exact_baseline() -> None:
    rewards, weights = np.array([1.0, 1000.0]), np.array([1.0, 1e-300])
    np.testing.assert_allclose(group_mean(rewards, weights), [0, 999], rtol=0, atol=1e-12)
    assert np.isfinite(group_normalised(rewards, weights)).all()


def test_gae_by_hand() -> None:
    # gamma 1/2, lambda 1/2. delta_2 = 3 - 1 = 2; delta_1 = 0 + 1/2 - 2 = -3/2; A_1 = -3/2 + 1/4 * 2 = -1.
    found = gae(np.array([0.0, 3.0]), np.array([2.0, 1.0]), gamma=0.5, lam=0.5)
    np.testing.assert_array_equal(found, [-1, 2])


@fuzzed
@given(EPISODES, st.floats(0, 1), st.floats(0, 1))
def test_gae_is_the_discounted_sum_of_all_later_errors(episodes: Array, gamma: float, lam: float) -> None:
    rewards, values = episodes
    n = rewards.shape[-1]
    following = np.pad(values[:, 1:], ((0, 0), (0, 1)))
    errors = rewards + gamma * following - values
    wanted = [sum((gamma * lam) ** (later - t) * errors[:, later] for later in range(t, n)) for t in range(n)]
    np.testing.assert_allclose(gae(rewards, values, gamma=gamma, lam=lam), np.transpose(wanted), rtol=0, atol=1e-11)


@fuzzed
@given(EPISODES)
def test_gae_with_lambda_one_is_the_return_minus_the_value(episodes: Array) -> None:
    rewards, values = episodes
    returns = np.cumsum(rewards[:, ::-1], axis=1)[:, ::-1]
    np.testing.assert_allclose(gae(rewards, values, gamma=1, lam=1), returns - values, rtol=0, atol=1e-11)


@fuzzed
@given(EPISODES)
def test_gae_with_perfect_values_finds_nothing_to_do(episodes: Array) -> None:
    rewards, _ = episodes
    values = np.cumsum(rewards[:, ::-1], axis=1)[:, ::-1]
    np.testing.assert_allclose(gae(rewards, values, gamma=1, lam=0.95), 0, rtol=0, atol=1e-11)


def test_the_penalty_falls_on_every_token_and_the_score_on_the_last() -> None:
    # Minus beta times the log-ratio: a token less likely than under the reference earns.
    found = token_rewards(np.array([1.0]), np.array([[0.5, -0.25, 0.75]]), beta=0.1)
    np.testing.assert_allclose(found, [[-0.05, 0.025, 1 - 0.075]], rtol=1e-14)


@fuzzed
@given(EPISODES, st.floats(0, 2))
def test_token_rewards_sum_to_the_penalised_reward(episodes: Array, beta: float) -> None:
    log_ratio, scores = episodes[0], episodes[1][:, 0]
    total = penalised_reward(scores, log_ratio.sum(axis=-1), beta=beta)
    np.testing.assert_allclose(token_rewards(scores, log_ratio, beta=beta).sum(axis=-1), total, rtol=0, atol=1e-11)


def test_inputs_are_left_as_they_were() -> None:
    rewards, per_token = np.array([1.0, 2.0]), np.array([[0.5, 0.5], [0.1, 0.2]])
    for array in (rewards, per_token):
        array.flags.writeable = False  # writing to it would raise
    token_rewards(rewards, per_token, beta=0.1)
    gae(per_token, per_token, gamma=1, lam=0.95)
    for estimate in ESTIMATORS:
        estimate(rewards)
