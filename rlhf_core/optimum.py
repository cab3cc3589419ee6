"""The closed-form optimum of the KL-regularised objective, and the objective itself."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from rlhf_core.distributions import Array, entropy, expectation, kl_divergence, log_softmax

FRONTIER_BETAS = np.union1d([0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0], np.geomspace(0.01, 20, 32))
"""Penalties at which the frontier is computed: from no leash to hardly any movement."""


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """The best any policy can do for this reward, reference and beta; scalars are means over prompts."""

    log_probs: Array
    """(P, R)."""
    reward: float
    kl: float
    entropy: float
    objective: float
    true_reward: float


@dataclass(frozen=True, slots=True, eq=False)
class Frontier:
    """The best reward at every KL: one optimum per beta, as means over prompts. No policy lies above it."""

    betas: Array
    """(B,) rising; the first is 0."""
    reward: Array
    """(B,) in reward units."""
    kl: Array
    """(B,) to the reference policy, in nats."""
    true_reward: Array
    """(B,) what the best policy for the score is worth to people, in true-reward units."""


def objective(log_probs: Array, ref_log_probs: Array, rewards: Array, *, beta: float) -> Array:
    """`J = E_pi[r] - beta KL(pi || ref)` along the last axis, in reward units."""
    return expectation(log_probs, rewards) - beta * kl_divergence(log_probs, ref_log_probs)


def penalised_reward(rewards: Array, log_ratio: Array, *, beta: float | Array) -> Array:
    """Reward minus the per-sample KL penalty, `r' = r - beta (log pi - log ref)`.

    The log-ratio is a one-sample estimate of `KL(pi || ref)`: its mean over responses drawn from
    the policy is the exact divergence, but a single entry may be negative.

    Parameters
    ----------
    rewards : (...) array
        Reward-model scores, in reward units.
    log_ratio : (...) array
        `log pi(y|x) - log ref(y|x)` of each response, in nats.
    beta : float or array
        Penalty strength >= 0, in reward units per nat; an array is broadcast against the rewards.

    Raises
    ------
    ValueError
        If `beta` is negative or the shapes differ.

    References
    ----------
    Ziegler et al. (2019), arXiv:1909.08593.
    """
    if np.any(np.less(beta, 0)):
        raise ValueError(f"beta must be >= 0, got {beta}")
    if rewards.shape != log_ratio.shape:
        raise ValueError(f"shapes differ: {rewards.shape}, {log_ratio.shape}")
    return rewards - beta * log_ratio


def optimal_log_probs(ref_log_probs: Array, rewards: Array, *, beta: float) -> tuple[Array, Array]:
    """The policy that maximises the objective, and its log-normaliser.

        pi*(y|x) = ref(y|x) exp(r(x,y) / beta) / Z(x),    max J = beta log Z

    At beta = 0 its limit: the reference restricted to the best-scored responses; log Z is then
    infinite unless every reward is 0.

    Parameters
    ----------
    ref_log_probs, rewards : (..., R) array
    beta : float
        >= 0.

    Returns
    -------
    log_probs : (..., R) array
    log_z : (...) array

    References
    ----------
    Rafailov et al. (2023), arXiv:2305.18290, appendix A.1.
    """
    best = rewards.max(axis=-1, keepdims=True)
    if beta == 0:
        tilted = np.where(rewards == best, ref_log_probs, -np.inf)
        top = best[..., 0]
        limit = np.where(top == 0, special.logsumexp(tilted, axis=-1), np.copysign(np.inf, top))
        return tilted - special.logsumexp(tilted, axis=-1, keepdims=True), limit
    with np.errstate(over="ignore"):  # a beta next to 0 has the limit's infinities
        tilted = ref_log_probs + (rewards - best) / beta
        log_mass = special.logsumexp(tilted, axis=-1, keepdims=True)
        return tilted - log_mass, (log_mass + best / beta)[..., 0]


def solve(ref_log_probs: Array, rewards: Array, true_reward: Array, *, beta: float) -> Optimum:
    """The optimum for every prompt, (P, R) arrays in, and its figures as means over prompts."""
    log_probs, _ = optimal_log_probs(ref_log_probs, rewards, beta=beta)
    return Optimum(
        log_probs=log_probs,
        reward=float(expectation(log_probs, rewards).mean()),
        kl=float(kl_divergence(log_probs, ref_log_probs).mean()),
        entropy=float(entropy(log_probs).mean()),
        objective=float(objective(log_probs, ref_log_probs, rewards, beta=beta).mean()),
        true_reward=float(expectation(log_probs, true_reward).mean()),
    )


def frontier(ref_log_probs: Array, rewards: Array, true_reward: Array, betas: Array = FRONTIER_BETAS) -> Frontier:
    """Reward, KL and true reward of the optimum for many betas; along it `d reward / d kl = beta`.

    Parameters
    ----------
    ref_log_probs, rewards, true_reward : (P, R) array
    betas : (B,) array
        Rising and >= 0; the first may be 0.
    """
    positive = betas[betas > 0]
    log_probs = log_softmax(ref_log_probs + (rewards - rewards.max(axis=-1, keepdims=True)) / positive[:, None, None])
    if len(positive) < len(betas):
        limit, _ = optimal_log_probs(ref_log_probs, rewards, beta=0.0)
        log_probs = np.concatenate([limit[None], log_probs])
    return Frontier(
        betas=betas,
        reward=expectation(log_probs, rewards).mean(axis=-1),
        kl=kl_divergence(log_probs, ref_log_probs).mean(axis=-1),
        true_reward=expectation(log_probs, true_reward).mean(axis=-1),
    )
