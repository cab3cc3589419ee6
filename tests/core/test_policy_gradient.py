"""The policy gradient against brute force, and what a baseline and a value function know."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlhf_core import policy
from rlhf_core.distributions import expectation, kl_divergence
from rlhf_core.policy_gradient import central_differences, estimator_variance, log_derivative, variance_by_position
from tests.core.tools import central_differences as brute_force
from tests.core.tools import fuzzed, random_logits

SHAPE = (4, 5, 4)
SEEDS = st.integers(0, 2**32 - 1)


def world(seed: int) -> tuple[policy.Tables, policy.Tables, np.ndarray, np.ndarray]:
    """Logits, their tables, the responses' log-probabilities and rewards."""
    logits = random_logits(seed, SHAPE)
    tables = policy.log_tables(logits)
    return logits, tables, policy.response_log_probs(tables), np.random.default_rng(seed + 1).normal(0, 2, 80)


@fuzzed
@given(SEEDS)
def test_the_log_derivative_is_the_slope_of_the_expected_reward(seed: int) -> None:
    logits, tables, log_probs, rewards = world(seed)
    gradient = log_derivative(tables, np.exp(log_probs) * rewards)
    np.testing.assert_allclose(gradient[0], central_differences(logits, rewards), atol=1e-7)


def test_all_three_tables_agree_with_brute_force() -> None:
    logits, tables, log_probs, rewards = world(3)
    other = policy.response_log_probs(policy.log_tables(random_logits(4, SHAPE)))
    cases = {
        "reward": (np.exp(log_probs) * rewards, lambda now: expectation(now, rewards)),
        "kl": (np.exp(log_probs) * (log_probs - other), lambda now: kl_divergence(now, other)),
        "reverse": (-np.exp(other), lambda now: kl_divergence(other, now)),
    }
    for name, (weights, value) in cases.items():

        def total(at: policy.Tables, value=value) -> float:
            return float(value(policy.response_log_probs(policy.log_tables(at))).sum())

        for ours, theirs in zip(log_derivative(tables, weights), brute_force(total, logits), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-8, err_msg=name)


@fuzzed
@given(SEEDS, st.floats(-5, 5))
def test_a_baseline_changes_the_variance_and_not_the_mean(seed: int, baseline: float) -> None:
    _, tables, log_probs, rewards = world(seed)
    probs = np.exp(log_probs)
    with_it, without = log_derivative(tables, probs * (rewards - baseline)), log_derivative(tables, probs * rewards)
    for ours, theirs in zip(with_it, without, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-9)
    assert (estimator_variance(tables, rewards, baseline=baseline) > -1e-9).all()


def test_the_variance_is_that_of_single_estimates() -> None:
    _, tables, log_probs, rewards = world(5)
    probs = np.exp(log_probs)
    single = [
        np.concatenate([slope.reshape(2, -1) for slope in log_derivative(tables, np.tile(one, (2, 1)))], axis=1)
        for one in np.eye(80)
    ]
    estimates = np.stack(single, axis=1) * (rewards - 1.5)[None, :, None]
    mean = np.einsum("pr,prk->pk", probs, estimates)
    expected = np.einsum("pr,prk->p", probs, estimates**2) - (mean**2).sum(axis=1)
    np.testing.assert_allclose(estimator_variance(tables, rewards, baseline=1.5), expected)


@fuzzed
@given(SEEDS)
def test_the_tokens_shares_sum_to_the_variance(seed: int) -> None:
    _, tables, log_probs, rewards = world(seed)
    shares = variance_by_position(tables, rewards)
    variance = expectation(log_probs, rewards**2) - expectation(log_probs, rewards) ** 2
    assert shares.shape == (2, 3) and (shares >= 0).all()
    np.testing.assert_allclose(shares.sum(axis=-1), variance, rtol=1e-9)


@pytest.mark.parametrize("position", range(3))
def test_a_reward_that_one_token_decides_is_decided_there(position: int) -> None:
    _, tables, _, _ = world(8)
    tokens = np.stack(np.unravel_index(np.arange(80), SHAPE))
    shares = variance_by_position(tables, tokens[position].astype(float))
    assert (np.delete(shares, slice(position + 1), axis=1) < 1e-12).all()  # later tokens change nothing
    assert (shares[:, position] > 0.01).all()
