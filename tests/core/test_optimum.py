"""The KL-regularised objective, its closed-form optimum and the frontier of optima."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special

from rlhf_core.distributions import kl_divergence
from rlhf_core.optimum import frontier, objective, optimal_log_probs, penalised_reward, solve
from rlhf_core.policy import softmax_gradient
from tests.core.runs import run
from tests.core.tools import Array, central_differences, fuzzed

SCENARIOS = ("helpfulness", "safety")
# Log-probabilities of a policy, of the reference, and the rewards, (3, K), before normalisation.
WORLDS = st.integers(2, 7).flatmap(lambda size: arrays(np.float64, (3, size), elements=st.floats(-8, 8)))
BETAS = st.floats(0.02, 5)


def world(seed: int = 0) -> tuple[Array, Array, Array]:
    """Logits of a policy, log-probabilities of the reference, and rewards of five responses."""
    logits, ref_logits, rewards = np.random.default_rng(seed).normal(0, 1.5, (3, 5))
    return logits, special.log_softmax(ref_logits), rewards


def test_the_optimum_of_two_responses_by_hand() -> None:
    # Reference 1/2, 1/2; rewards 1, 0; beta 1: pi*(0) = e / (1 + e), Z = (1 + e) / 2
    log_probs, log_z = optimal_log_probs(np.log([0.5, 0.5]), np.array([1.0, 0.0]), beta=1.0)
    np.testing.assert_allclose(np.exp(log_probs), [np.e / (1 + np.e), 1 / (1 + np.e)], rtol=1e-14)
    assert log_z == pytest.approx(np.log((1 + np.e) / 2), rel=1e-14)


def test_the_objective_by_hand() -> None:
    # E r = 1/2 * 1 + 1/2 * 0; KL = log(5/3)
    found = objective(np.log([0.5, 0.5]), np.log([0.9, 0.1]), np.array([1.0, 0.0]), beta=0.1)
    assert found == pytest.approx(0.5 - 0.1 * np.log(5 / 3), rel=1e-14)


@fuzzed
@given(WORLDS, BETAS)
def test_the_optimum_is_the_reference_tilted_by_the_reward(case: Array, beta: float) -> None:
    _, ref_logits, rewards = case
    log_probs, _ = optimal_log_probs(special.log_softmax(ref_logits), rewards, beta=beta)
    np.testing.assert_allclose(log_probs, special.log_softmax(ref_logits + rewards / beta), rtol=0, atol=1e-10)


@fuzzed
@given(WORLDS, BETAS)
def test_every_policy_falls_short_by_beta_times_its_kl_to_the_optimum(case: Array, beta: float) -> None:
    policy, ref_log_probs, rewards = special.log_softmax(case[0]), special.log_softmax(case[1]), case[2]
    best, log_z = optimal_log_probs(ref_log_probs, rewards, beta=beta)
    gap = beta * log_z - objective(policy, ref_log_probs, rewards, beta=beta)
    assert gap == pytest.approx(beta * kl_divergence(policy, best), abs=1e-9)
    assert gap >= -1e-9


@fuzzed
@given(WORLDS, BETAS)
def test_the_best_value_of_the_objective_is_beta_log_z(case: Array, beta: float) -> None:
    ref_log_probs, rewards = special.log_softmax(case[1]), case[2]
    best, log_z = optimal_log_probs(ref_log_probs, rewards, beta=beta)
    assert objective(best, ref_log_probs, rewards, beta=beta) == pytest.approx(beta * log_z, abs=1e-9)


@fuzzed
@given(WORLDS, BETAS, st.floats(-50, 50))
def test_a_bonus_for_every_response_moves_no_optimum(case: Array, beta: float, bonus: float) -> None:
    ref_log_probs, rewards = special.log_softmax(case[1]), case[2]
    before, log_z = optimal_log_probs(ref_log_probs, rewards, beta=beta)
    after, shifted_log_z = optimal_log_probs(ref_log_probs, rewards + bonus, beta=beta)
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-9)
    assert beta * (shifted_log_z - log_z) == pytest.approx(bonus, abs=1e-9)


@pytest.mark.parametrize("beta", [0.0, 0.1, 1.0])
def test_the_objectives_gradient_is_pi_times_the_advantage_of_the_penalised_reward(beta: float) -> None:
    # dJ/dtheta_k = pi_k (s_k - E s) with s = r - beta log(pi / ref)
    logits, ref_log_probs, rewards = world()
    log_probs = special.log_softmax(logits)
    signal = penalised_reward(rewards, log_probs - ref_log_probs, beta=beta)
    (wanted,) = central_differences(
        lambda x: float(objective(special.log_softmax(x[0]), ref_log_probs, rewards, beta=beta)), (logits,)
    )
    np.testing.assert_allclose(softmax_gradient(log_probs, np.exp(log_probs) * signal), wanted, rtol=0, atol=1e-9)
    np.testing.assert_allclose(np.exp(log_probs) * (signal - np.exp(log_probs) @ signal), wanted, rtol=0, atol=1e-9)


def test_at_the_optimum_the_gradient_is_zero() -> None:
    _, ref_log_probs, rewards = world()
    best, log_z = optimal_log_probs(ref_log_probs, rewards, beta=0.3)
    signal = penalised_reward(rewards, best - ref_log_probs, beta=0.3)
    np.testing.assert_allclose(signal, 0.3 * log_z, rtol=1e-12)  # no response is worth more than another
    np.testing.assert_allclose(softmax_gradient(best, np.exp(best) * signal), 0, rtol=0, atol=1e-14)


def test_every_step_of_the_natural_gradient_is_the_optimum_of_a_larger_beta() -> None:
    # theta <- (1 - eta beta) theta + eta (r + beta log ref), so beta_t = beta / (1 - (1 - eta beta)^t)
    _, ref_log_probs, rewards = world()
    beta, eta, theta = 0.2, 0.7, ref_log_probs
    for t in range(1, 9):
        theta = (1 - eta * beta) * theta + eta * (rewards + beta * ref_log_probs)
        log_probs, _ = optimal_log_probs(ref_log_probs, rewards, beta=beta / (1 - (1 - eta * beta) ** t))
        np.testing.assert_allclose(special.log_softmax(theta), log_probs, rtol=0, atol=1e-12)


def test_harmonic_steps_of_the_natural_gradient_arrive_exactly() -> None:
    # eta_t = 1 / (beta (T - t)) reaches pi* in T steps.
    _, ref_log_probs, rewards = world()
    beta, theta = 0.2, ref_log_probs
    for t in range(5):
        eta = 1 / (beta * (5 - t))
        theta = (1 - eta * beta) * theta + eta * (rewards + beta * ref_log_probs)
    np.testing.assert_allclose(
        special.log_softmax(theta), optimal_log_probs(ref_log_probs, rewards, beta=beta)[0], rtol=0, atol=1e-12
    )


def test_a_strong_leash_keeps_the_reference() -> None:
    _, ref_log_probs, rewards = world()
    log_probs, _ = optimal_log_probs(ref_log_probs, rewards, beta=1e12)
    np.testing.assert_allclose(log_probs, ref_log_probs, rtol=0, atol=1e-10)


def test_without_a_leash_all_mass_is_on_the_best_scored_responses() -> None:
    # Two are tied at 2; the reference had them 1 : 3.
    ref_log_probs, rewards = np.log([0.1, 0.3, 0.6]), np.array([2.0, 2.0, -1.0])
    log_probs, log_z = optimal_log_probs(ref_log_probs, rewards, beta=0.0)
    np.testing.assert_allclose(np.exp(log_probs), [0.25, 0.75, 0], rtol=1e-14)
    assert log_z == np.inf


def test_the_limit_without_a_leash_is_approached() -> None:
    _, ref_log_probs, rewards = world()
    limit, near = (optimal_log_probs(ref_log_probs, rewards, beta=beta)[0] for beta in (0.0, 1e-3))
    np.testing.assert_allclose(np.exp(near), np.exp(limit), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("rewards", "log_z"), [([-1.0, -1.0], -np.inf), ([0.0, 0.0], 0.0), ([0.0, -1.0], np.log(0.5))])
def test_log_z_without_a_leash_is_the_limit_of_log_z(rewards: list[float], log_z: float) -> None:
    found = optimal_log_probs(np.log([0.5, 0.5]), np.array(rewards), beta=0.0)[1]
    assert found == pytest.approx(log_z, abs=1e-15)


@pytest.mark.parametrize("beta", [5e-324, 1e-300, 1e-5, 0.0])
def test_the_tiniest_beta_is_silent(beta: float) -> None:
    found = solve(np.log([[0.5, 0.5 - 1e-300, 1e-300]]), np.array([[1.0, -1000.0, 0.5]]), np.eye(1, 3), beta=beta)
    assert (found.reward, found.true_reward) == (1, 1)
    assert found.kl == pytest.approx(np.log(2), rel=1e-14)
    assert found.entropy == 0
    assert np.isfinite(found.objective)


def test_a_reference_probability_of_1e_300_can_be_bought_back() -> None:
    # pi*(1) / pi*(0) = 1e-300 e^(1000)
    log_probs, _ = optimal_log_probs(np.array([0.0, np.log(1e-300)]), np.array([0.0, 1000.0]), beta=1.0)
    assert log_probs[1] - log_probs[0] == pytest.approx(1000 - 300 * np.log(10), rel=1e-12)


def test_penalised_reward_by_hand() -> None:
    np.testing.assert_allclose(
        penalised_reward(np.array([1.0, 1.0]), np.array([2.0, -2.0]), beta=0.1), [0.8, 1.2], rtol=1e-14
    )


@fuzzed
@given(WORLDS, st.floats(0, 2))
def test_the_mean_penalised_reward_is_the_objective(case: Array, beta: float) -> None:
    log_probs, ref_log_probs, rewards = special.log_softmax(case[0]), special.log_softmax(case[1]), case[2]
    mean = np.exp(log_probs) @ penalised_reward(rewards, log_probs - ref_log_probs, beta=beta)
    assert mean == pytest.approx(objective(log_probs, ref_log_probs, rewards, beta=beta), abs=1e-10)


def test_a_negative_beta_is_refused() -> None:
    with pytest.raises(ValueError, match=r"beta must be >= 0, got -0\.1"):
        penalised_reward(np.zeros(2), np.zeros(2), beta=-0.1)


def test_rewards_and_log_ratios_must_match() -> None:
    with pytest.raises(ValueError, match=r"shapes differ: \(2,\), \(3,\)"):
        penalised_reward(np.zeros(2), np.zeros(3), beta=0.1)


def test_figures_are_means_over_prompts() -> None:
    ref_log_probs, rewards, true_reward = np.log([[0.5, 0.5], [0.2, 0.8]]), np.eye(2), np.array([[1.0, 2], [3, 4]])
    both = solve(ref_log_probs, rewards, true_reward, beta=0.5)
    each = [solve(ref_log_probs[[i]], rewards[[i]], true_reward[[i]], beta=0.5) for i in (0, 1)]
    for name in ("reward", "kl", "entropy", "objective", "true_reward"):
        assert getattr(both, name) == pytest.approx((getattr(each[0], name) + getattr(each[1], name)) / 2, rel=1e-14)


@pytest.mark.parametrize("beta", [0.02, 0.1, 1.0, 2.0])
@pytest.mark.parametrize("name", SCENARIOS)
def test_at_every_recorded_step_the_gap_is_beta_times_the_kl_to_the_optimum(name: str, beta: float) -> None:
    found = run(scenario=name, beta=beta)
    for k, log_probs in enumerate(found.ppo.log_probs):
        distance = (np.exp(log_probs) * (log_probs - found.optimum.log_probs)).sum(axis=1).mean()
        assert found.optimum.objective - found.ppo.objective[k] == pytest.approx(beta * distance, abs=1e-9)
        assert distance > 0


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_frontier_is_made_of_optima(name: str) -> None:
    found = run(scenario=name)
    curve = found.frontier
    for beta, *figures in zip(curve.betas, curve.reward, curve.kl, curve.true_reward, strict=True):
        best = solve(found.sft.log_probs[-1], found.reward.scores, found.scenario.true_reward, beta=float(beta))
        assert figures == pytest.approx([best.reward, best.kl, best.true_reward], abs=1e-10)


def test_along_the_frontier_one_more_nat_buys_beta_of_reward() -> None:
    found = run()
    around = np.array([0.3 - 1e-5, 0.3 + 1e-5])
    near = frontier(found.sft.log_probs[-1], found.reward.scores, found.scenario.true_reward, around)
    assert np.diff(near.reward) / np.diff(near.kl) == pytest.approx(0.3, rel=1e-6)


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_recorded_policy_lies_above_the_frontier(name: str) -> None:
    # Against every optimum, E r - beta KL is at most that optimum's.
    found = run(scenario=name, beta=0.0, ppo_steps=20)
    for beta, reward, kl in zip(found.frontier.betas, found.frontier.reward, found.frontier.kl, strict=True):
        assert (found.ppo.reward - beta * found.ppo.kl <= reward - beta * kl + 1e-10).all()
