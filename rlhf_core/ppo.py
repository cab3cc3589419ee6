"""Stage 3, PPO: climb the reward model's score, and pay for every nat of distance.

Three policies take part: `pi` is trained; the old policy drew this step's rollouts and is the
denominator of the ratio; the reference policy is the frozen result of SFT and enters the penalty alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlhf_core import policy
from rlhf_core.distributions import Array, entropy, expectation, kl_divergence
from rlhf_core.policy import Indices, Tables
from rlhf_core.rollouts import Rollouts, estimate, ratio_of
from rlhf_core.settings import Settings


class Surrogate(NamedTuple):
    """The clipped objective and what is needed to climb it; arrays are shaped like the log-probabilities."""

    objective: float
    gradient: Array
    """Of the objective in each log-probability."""
    ratio: Array
    """`pi / pi_old`."""
    clipped: NDArray[np.bool_]
    """Where the gradient is zero because of clipping."""


@dataclass(frozen=True, slots=True, eq=False)
class PPOTrace:
    """T PPO steps; entry 0 is the reference policy. Figures are exact expectations, means over prompts."""

    log_probs: Array
    """(T+1, P, R)."""
    logits: tuple[Tables, ...]
    """T+1 tuples of the three tables (P, O), (P, O, B), (P, O, B, C)."""
    reward: Array
    """(T+1,) in reward units."""
    kl: Array
    """(T+1,) to the reference policy, in nats."""
    entropy: Array
    """(T+1,) in nats."""
    objective: Array
    """(T+1,) `reward - beta * kl`."""
    true_reward: Array
    """(T+1,) what a careful reader thinks of it, in true-reward units."""
    labeller_reward: Array
    """(T+1,) what the labellers would think of it, in true-reward units."""
    kl_per_position: Array
    """(T+1, P, 3) expected log-ratio of opening, body and closing, in nats."""
    clip_fraction: Array
    """(T+1,) share of token gradients that clipping set to zero, over the step's epochs; 0 before the first."""
    loss: Array
    """(T, 2) minus the clipped surrogate on each step's rollouts, before its first epoch and after its last."""
    rollouts: tuple[Rollouts, ...]
    """Entry k is what step k+1 was trained on."""


def clipped_surrogate(
    log_probs: Array, old_log_probs: Array, advantage: Array, *, clip_range: float, weights: Array | float
) -> Surrogate:
    """PPO's clipped objective, to be maximised, and its gradient.

        L = sum_i weights_i min(rho_i A_i, clip(rho_i, 1-eps, 1+eps) A_i),    rho = pi / pi_old

    Clipping does not bound the ratio: it removes the gradient where a token has already moved
    beyond the range in the direction its advantage asks for.

    Parameters
    ----------
    log_probs, old_log_probs, advantage : (...) arrays of one shape
        Per token; log-probabilities in nats, advantages in reward units.
    clip_range : float
        eps > 0.
    weights : float or array
        How much each token counts.

    Raises
    ------
    ValueError
        If the shapes differ or `clip_range` is not positive.

    References
    ----------
    Schulman et al. (2017), arXiv:1707.06347, equation 7.
    """
    if clip_range <= 0:
        raise ValueError(f"clip_range must be > 0, got {clip_range}")
    if not log_probs.shape == old_log_probs.shape == advantage.shape:
        raise ValueError(f"shapes differ: {log_probs.shape}, {old_log_probs.shape}, {advantage.shape}")
    ratio = ratio_of(log_probs, old_log_probs)
    limited = np.minimum(np.maximum(ratio, 1 - clip_range), 1 + clip_range)
    clipped = ratio * advantage > limited * advantage
    gain = np.where(clipped, limited, ratio) * advantage
    gradient = np.where(clipped, 0.0, weights * ratio * advantage)
    return Surrogate(float((weights * gain).sum()), gradient, ratio, clipped)


def update(
    logits: Tables,
    responses: Indices,
    advantage: Array,
    *,
    weights: Array | float,
    clip_range: float,
    n_epochs: int,
    learning_rate: float,
) -> tuple[Tables, Array, float]:
    """Gradient ascent on the clipped surrogate of one batch of rollouts.

    Each prompt's tables climb that prompt's own surrogate: summed over the tokens of a response,
    averaged over its rollouts.

    Parameters
    ----------
    logits : tuple of arrays
        The old policy's tables.
    responses : (P, G) array
    advantage : (P, G, L) array
    weights : float or (P, G, 1) array
        1/G for samples; each response's old probability for the exact expectation.

    Returns
    -------
    logits : tuple of arrays
        The new policy's tables.
    ratio : (P, G, L) array
        New over old probability of each token.
    clip_fraction : float
        Share of token gradients that were zeroed, over all epochs.
    """
    tables = policy.log_tables(logits)
    positions = policy.prefixes(responses, tables)
    old_log_probs = log_probs = policy.token_log_probs(tables, positions)
    clipped = 0.0
    for _ in range(n_epochs):
        surrogate = clipped_surrogate(log_probs, old_log_probs, advantage, clip_range=clip_range, weights=weights)
        gradient = policy.logits_gradient(tables, positions, surrogate.gradient)
        logits = tuple(table + learning_rate * slope for table, slope in zip(logits, gradient, strict=True))
        tables = policy.log_tables(logits)
        log_probs = policy.token_log_probs(tables, positions)
        clipped += float((surrogate.clipped * (weights / log_probs.shape[-1])).sum()) / len(log_probs)
    return logits, ratio_of(log_probs, old_log_probs), clipped / n_epochs


def train(
    ref_logits: Tables,
    rewards: Array,
    true_reward: Array,
    labeller_reward: Array,
    settings: Settings,
    rng: np.random.Generator,
) -> PPOTrace:
    """Run `settings.ppo_steps` steps of PPO from the reference policy.

    Parameters
    ----------
    ref_logits : tuple of arrays
        Tables of the SFT policy.
    rewards, true_reward, labeller_reward : (P, R) array
        Reward-model scores, which are climbed; true rewards and the labellers' judgement, which are only recorded.
    """
    taken = list(steps(ref_logits, rewards, settings, rng.random, beta=settings.beta))
    return _trace(ref_logits, taken, rewards, true_reward, labeller_reward, beta=settings.beta)


class Step(NamedTuple):
    """One PPO step that has been taken."""

    logits: Tables
    """The policy after it."""
    rollouts: Rollouts
    clip_fraction: float
    loss: tuple[float, float]
    """Minus the clipped surrogate before the first epoch and after the last, mean over prompts."""


def steps(
    ref_logits: Tables,
    rewards: Array,
    settings: Settings,
    draw: Callable[[tuple[int, ...]], Array],
    *,
    beta: float | Array,
) -> Iterator[Step]:
    """Take PPO steps from the reference policy, one at a time.

    Every prompt's tables climb their own surrogate, so prompts of several runs may stand below each
    other, each with a `beta` of its own.

    Parameters
    ----------
    rewards : (P, R) array
        Reward-model scores.
    settings : Settings
        Steps, rollouts, estimator, clipping and learning rate; its `beta` is not read.
    draw : callable
        Gives uniforms of a shape (P, G, L); called once a step, unless the expectation is exact.
    beta : float or (P, 1) array
        KL penalty, in reward units per nat.
    """
    ref_tables = policy.log_tables(ref_logits)
    logits, values = ref_logits, tuple(np.zeros(table.shape[:-1]) for table in ref_logits)
    how, sampled = settings.advantage, settings.rollouts > 0
    for _ in range(settings.ppo_steps):
        old, old_values, tables = logits, values, policy.log_tables(logits)
        responses, probs = policy.collect(tables, settings.rollouts, draw)
        score = np.take_along_axis(rewards, responses, axis=1)
        positions = policy.prefixes(responses, tables)
        log_ratio = policy.token_log_probs(tables, positions) - policy.token_log_probs(ref_tables, positions)
        advantage, values = estimate(score, log_ratio, positions, values, probs, how, beta=beta)
        weights = 1 / responses.shape[1] if probs is None else probs[..., None]
        logits, ratio, clip_fraction = update(
            logits,
            responses,
            advantage,
            weights=weights,
            clip_range=settings.clip_range,
            n_epochs=settings.ppo_epochs,
            learning_rate=settings.ppo_learning_rate,
        )
        drawn = responses.astype(np.min_scalar_type(rewards.shape[1] - 1))
        rollouts = Rollouts(drawn, rewards, ref_logits, old, logits, old_values, how, beta, sampled)
        yield Step(logits, rollouts, clip_fraction, _losses(advantage, ratio, weights, settings.clip_range))


def _losses(advantage: Array, ratio: Array, weights: Array | float, clip_range: float) -> tuple[float, float]:
    """Minus the clipped surrogate, mean over prompts, before a step's first epoch and after its last."""
    limited = ratio.clip(1 - clip_range, 1 + clip_range)
    gains = (advantage, np.minimum(ratio * advantage, limited * advantage))
    before, after = (-float((weights * gain).sum(axis=(1, 2)).mean()) for gain in gains)
    return before, after


def _trace(
    ref_logits: Tables, taken: list[Step], rewards: Array, true_reward: Array, labeller_reward: Array, *, beta: float
) -> PPOTrace:
    """Exact figures of every recorded policy."""
    history = (ref_logits, *(step.logits for step in taken))
    tables = [policy.log_tables(logits) for logits in history]
    log_probs = np.stack([policy.response_log_probs(each) for each in tables])
    reward = expectation(log_probs, rewards).mean(axis=1)
    kl = kl_divergence(log_probs, log_probs[:1]).mean(axis=1)
    return PPOTrace(
        log_probs=log_probs,
        logits=history,
        reward=reward,
        kl=kl,
        entropy=entropy(log_probs).mean(axis=1),
        objective=reward - beta * kl,
        true_reward=expectation(log_probs, true_reward).mean(axis=1),
        labeller_reward=expectation(log_probs, labeller_reward).mean(axis=1),
        kl_per_position=np.stack([policy.kl_per_position(each, tables[0]) for each in tables]),
        clip_fraction=np.array([0.0, *(step.clip_fraction for step in taken)]),
        loss=np.array([step.loss for step in taken]),
        rollouts=tuple(step.rollouts for step in taken),
    )
