"""Advantages: by how much a response did better than expected, in reward units.

All take the G responses of a group (one prompt) along the last axis and return the same shape.
`weights` sum to 1 along that axis; without them each of the G samples counts 1/G.
"""

import numpy as np

from rlhf_core.distributions import Array

GAMMA = 1.0
"""Discount: a response is short, so later tokens count in full."""
LAMBDA = 0.95
"""How far GAE trusts sampled returns over its value function."""
VALUE_LEARNING_RATE = 0.5
"""How far the value of a prefix moves towards the mean return seen there, per PPO step."""
SPREAD_EPSILON = 1e-4
"""Keeps a group whose rewards are all equal from dividing by 0; the value that TRL uses."""


def group_mean(rewards: Array, weights: Array | None = None) -> Array:
    """`A_i = R_i - mean_j R_j`: the group's own mean is the baseline."""
    return rewards - _mean(rewards, weights)


def leave_one_out(rewards: Array, weights: Array | None = None) -> Array:
    """`A_i = R_i - mean_(j != i) R_j` (RLOO), which is `G / (G-1)` times the group-mean advantage.

    With `weights` (the exact expectation, G without end) both are the same. A group of one has no
    others to compare with: its advantage is 0.

    References
    ----------
    Ahmadian et al. (2024), arXiv:2402.14740.
    """
    n = rewards.shape[-1]
    bessel = n / (n - 1) if weights is None and n > 1 else 1.0
    return bessel * group_mean(rewards, weights)


def group_normalised(rewards: Array, weights: Array | None = None) -> Array:
    """`A_i = (R_i - mean R) / (std R + 1e-4)`, with Bessel's correction for samples.

    Dividing by the spread removes the reward's scale, and gives easy and hard prompts equal weight.
    This is the division of GRPO, not GRPO as published: there the rewards carry no KL penalty, which
    is a term of the loss instead (`rlhf_core.lab.grpo`). Here it is divided along with the reward.

    References
    ----------
    Shao et al. (2024), arXiv:2402.03300; on the division see Liu et al. (2025), arXiv:2503.20783.
    """
    centred = group_mean(rewards, weights)
    n = rewards.shape[-1]
    bessel = n / (n - 1) if weights is None and n > 1 else 1.0
    return centred / (np.sqrt(bessel * _mean(centred**2, weights)) + SPREAD_EPSILON)


def gae(rewards: Array, values: Array, *, gamma: float, lam: float) -> Array:
    """Generalised advantage estimation along the last axis, which here is time: (..., T).

        delta_t = r_t + gamma V_(t+1) - V_t,    A_t = delta_t + gamma lam A_(t+1)

    The value after the last token is 0. The returns that train the values are `A + V`.

    Parameters
    ----------
    rewards, values : (..., T) array
        Reward earned at each token; value of the prefix before it.
    gamma, lam : float
        Discount and trace decay, from 0 to 1.

    References
    ----------
    Schulman et al. (2016), arXiv:1506.02438.
    """
    following = np.concatenate([values[..., 1:], np.zeros_like(values[..., :1])], axis=-1)
    advantages = rewards + gamma * following - values
    for t in range(rewards.shape[-1] - 2, -1, -1):
        advantages[..., t] += gamma * lam * advantages[..., t + 1]
    return advantages


def token_rewards(rewards: Array, kl_per_token: Array, *, beta: float | Array) -> Array:
    """Reward of each token: minus the KL penalty everywhere, plus the score on the last token.

    Parameters
    ----------
    rewards : (...) array
        Reward-model score of each response.
    kl_per_token : (..., T) array
        Estimate of the divergence at each token, in nats; normally k1, the log-ratio.
    beta : float or array
        Penalty strength, in reward units per nat; an array is broadcast against `kl_per_token`.

    References
    ----------
    Stiennon et al. (2020), arXiv:2009.01325; the sign is minus beta times the log-ratio.
    """
    shaped = -beta * kl_per_token
    shaped[..., -1] += rewards
    return shaped


def _mean(values: Array, weights: Array | None) -> Array:
    result: Array = (
        values.mean(axis=-1, keepdims=True)
        if weights is None
        else (weights * values).sum(axis=-1, keepdims=True)
    )
    return result
