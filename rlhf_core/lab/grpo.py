"""GRPO as published: the group's spread divides the advantage, and the KL stands in the loss, not in the reward.

    for each step:  sample G answers a prompt from pi_old;  A = (r - mean r) / (std r + 1e-4), of the reward alone
                    climb  mean over answers of  1/|y| sum_t [ min(rho A, clip(rho) A) - beta k3_t ]

The pipeline's own `group_normalised` estimator is another method: it takes the penalty off the reward before
dividing. Their fixed points differ (`rlhf_core.lab.convergence`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from rlhf_core import advantages, policy
from rlhf_core.distributions import Array
from rlhf_core.policy import Tables
from rlhf_core.ppo import clipped_surrogate

MOST_NATS = 20.0
"""Log-ratio per token from which k3 and its slope grow no further, as in verl; more would throw any policy away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GRPO:
    """What a step of GRPO does; the defaults are the published method.

    Raises
    ------
    ValueError
        If a value is out of range; names field, value and range.
    """

    beta: float = 0.04
    """Weight of the KL in the loss, in units of the advantage per nat; DeepSeekMath's is 0.04, TRL's default 0."""
    rollouts: int = 32
    """Answers a prompt and step; 0 takes the exact expectation."""
    clip_range: float = 0.2
    upper_clip_range: float | None = None
    """A wider range above 1 (DAPO's clip-higher); None for the same on both sides."""
    n_epochs: int = 1
    """Gradient steps on each batch of rollouts; TRL's default is 1."""
    learning_rate: float = 0.8
    divide_by_spread: bool = True
    """Dr. GRPO does not."""
    divide_by_length: bool = True
    """Mean over an answer's tokens; Dr. GRPO sums. All answers here have three tokens, so it only scales the step."""
    kl: Literal["loss_k3", "loss_k2", "loss_k1", "reward_k1"] = "loss_k3"
    """Where the penalty stands and by which estimate."""

    def __post_init__(self) -> None:
        for name, least in (("beta", 0), ("rollouts", 0), ("n_epochs", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be >= {least}, got {getattr(self, name)}")
        for name in ("clip_range", "learning_rate"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")


class KLLoss(NamedTuple):
    """An estimate of the KL as a loss, per token, and its gradient in the policy's log-probability."""

    value: Array
    gradient: Array


def kl_loss(log_probs: Array, ref_log_probs: Array, *, estimate: str) -> KLLoss:
    """The three estimates of `KL(pi || ref)` as losses on answers drawn from the policy.

    As *values* k1 and k3 are unbiased. As *losses* their gradients are another matter: k1's has expectation 0,
    k2's is the KL's own, k3's is that of the other direction, `KL(ref || pi)`.

    Parameters
    ----------
    log_probs, ref_log_probs : (...) array
        Per token, in nats.
    estimate : str
        "k1", "k2" or "k3".

    References
    ----------
    joschu.net/blog/kl-approx.html; on the gradients arXiv:2510.01555 and arXiv:2512.21852.
    """
    k1 = log_probs - ref_log_probs
    if estimate == "k1":
        return KLLoss(k1, np.ones_like(k1))
    if estimate == "k2":
        return KLLoss(k1**2 / 2, k1)
    if estimate == "k3":
        fall = np.expm1(np.minimum(-k1, MOST_NATS))
        return KLLoss(fall + k1, -fall)
    raise ValueError(f"estimate must be one of k1, k2, k3, got {estimate!r}")


def group_advantages(rewards: Array, weights: Array | None, *, divide_by_spread: bool) -> Array:
    """Reward above the group's mean, in units of the group's spread if wanted, (P, G).

    References
    ----------
    Shao et al. (2024), arXiv:2402.03300; without the division Liu et al. (2025), arXiv:2503.20783.
    """
    estimate = advantages.group_normalised if divide_by_spread else advantages.group_mean
    return estimate(rewards, weights)


def token_gradient(
    log_probs: Array, old_log_probs: Array, ref_log_probs: Array, advantage: Array, method: GRPO, *,
    weights: Array | float,
) -> Array:  # fmt: skip
    """Gradient of GRPO's objective in each token's log-probability, (P, G, L).

    Parameters
    ----------
    log_probs, old_log_probs, ref_log_probs, advantage : (P, G, L) array
    weights : float or (P, G, 1) array
        1/G for samples; each response's old probability for the exact expectation.
    """
    climbed = clipped_surrogate(
        log_probs, old_log_probs, advantage, clip_range=method.clip_range, weights=weights
    ).gradient
    if method.upper_clip_range is not None:
        wider = clipped_surrogate(
            log_probs, old_log_probs, advantage, clip_range=method.upper_clip_range, weights=weights
        ).gradient
        climbed = np.where(advantage > 0, wider, climbed)
    if method.kl.startswith("loss") and method.beta:
        paid = kl_loss(log_probs, ref_log_probs, estimate=method.kl.removeprefix("loss_")).gradient
        climbed = climbed - method.beta * weights * paid
    return climbed / log_probs.shape[-1] if method.divide_by_length else climbed


def steps(
    ref_logits: Tables, rewards: Array, method: GRPO, draw: Callable[[tuple[int, ...]], Array]
) -> Iterator[Tables]:
    """Take GRPO steps from the reference policy, without end; yields the policy after each.

    Parameters
    ----------
    ref_logits : tuple of arrays
        Tables of the SFT policy.
    rewards : (P, R) array
        Reward-model scores.
    draw : callable
        Gives uniforms of a shape (P, G, L); called once a step, unless the expectation is exact.
    """
    ref_tables, logits = policy.log_tables(ref_logits), ref_logits
    while True:
        tables = policy.log_tables(logits)
        responses, weights = policy.collect(tables, method.rollouts, draw)
        positions = policy.prefixes(responses, tables)
        old, ref = (policy.token_log_probs(each, positions) for each in (tables, ref_tables))
        advantage = _advantages(np.take_along_axis(rewards, responses, axis=1), old - ref, weights, method)
        counts = 1 / responses.shape[1] if weights is None else weights[..., None]
        for _ in range(method.n_epochs):
            log_probs = policy.token_log_probs(tables, positions)
            slope = token_gradient(log_probs, old, ref, advantage, method, weights=counts)
            gradient = policy.logits_gradient(tables, positions, slope)
            logits = tuple(t + method.learning_rate * g for t, g in zip(logits, gradient, strict=True))
            tables = policy.log_tables(logits)
        yield logits


def _advantages(score: Array, log_ratio: Array, weights: Array | None, method: GRPO) -> Array:
    """Advantage per token, (P, G, L)."""
    if method.kl == "reward_k1":
        score = score - method.beta * log_ratio.sum(axis=-1)
    each = group_advantages(score, weights, divide_by_spread=method.divide_by_spread)
    return np.broadcast_to(each[..., None], log_ratio.shape)
