"""What one PPO step was trained on: the responses that were drawn, what they earned, and by how much that was better.

A run of 60 steps with 256 rollouts would hold 17 MB of numbers per token. Only the responses are kept: everything
else follows from them and from the recorded policies, and is derived when it is asked for.
"""

from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from rlhf_core import advantages, policy
from rlhf_core.distributions import Array
from rlhf_core.optimum import penalised_reward
from rlhf_core.policy import Indices, Tables

N_DERIVED = 64
"""Steps whose numbers per token stay at hand, a whole run's: at most 15 MB, with 256 rollouts."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Rollouts:
    """What one PPO step was trained on: G responses per prompt, tokens (opening, body, closing) last.

    With the exact expectation G = R: every response appears once and counts with its probability
    under the policy that the step started from.
    """

    drawn: NDArray[np.unsignedinteger]
    """(P, G) the `responses`, in as few bytes as they need."""
    scores: Array
    """(P, R) reward of every response."""
    ref: Tables
    """Logits of the reference policy ..."""
    old: Tables
    """... of the policy that the step started from ..."""
    new: Tables
    """... and of the one after its last epoch."""
    values: Tables
    """Values of the prefixes before the step, for `gae`."""
    estimator: str
    beta: float | Array
    sampled: bool
    """False with the exact expectation."""

    @property
    def responses(self) -> Indices:
        """(P, G)."""
        return _read_only(self.drawn.astype(np.int64))

    @property
    def rewards(self) -> Array:
        """(P, G) reward-model scores, without penalty."""
        return _read_only(np.take_along_axis(self.scores, self.responses, axis=1))

    @property
    def log_ratio_to_ref(self) -> Array:
        """(P, G, 3) log-ratio of old policy to reference, nats per token."""
        return _derived(self).log_ratio

    @property
    def advantages(self) -> Array:
        """(P, G, 3)."""
        return _derived(self).advantages

    @property
    def ratio(self) -> Array:
        """(P, G, 3) ratio of new to old policy after the step's last epoch."""
        return _derived(self).ratio


class _Derived(NamedTuple):
    log_ratio: Array
    advantages: Array
    ratio: Array


_at_hand: WeakKeyDictionary[Rollouts, _Derived] = WeakKeyDictionary()
_lock = Lock()


def _derived(rollouts: Rollouts) -> _Derived:
    """What a step computed from its responses: at hand for the steps last asked for, and no longer than they live."""
    found = _at_hand.get(rollouts) or _derive(rollouts)
    with _lock:
        _at_hand.pop(rollouts, None)
        _at_hand[rollouts] = found
        while len(_at_hand) > N_DERIVED:
            del _at_hand[next(iter(_at_hand))]
    return found


def _derive(rollouts: Rollouts) -> _Derived:
    """By the same operations in the same order: the same bits."""
    tables = policy.log_tables(rollouts.old)
    positions = policy.prefixes(rollouts.responses, tables)
    old = policy.token_log_probs(tables, positions)
    log_ratio = old - policy.token_log_probs(policy.log_tables(rollouts.ref), positions)
    weights = None if rollouts.sampled else np.exp(policy.response_log_probs(tables))
    advantage, _ = estimate(
        rollouts.rewards, log_ratio, positions, rollouts.values, weights, rollouts.estimator, beta=rollouts.beta
    )
    new = policy.token_log_probs(policy.log_tables(rollouts.new), positions)
    return _Derived(*map(_read_only, (log_ratio, advantage, ratio_of(new, old))))


def ratio_of(log_probs: Array, old_log_probs: Array) -> Array:
    """`pi / pi_old` of tokens from their log-probabilities; beyond float64's range it saturates."""
    result: Array = np.exp(np.clip(log_probs - old_log_probs, -700, 700))
    return result


def estimate(
    score: Array,
    log_ratio: Array,
    positions: tuple[Indices, ...],
    values: Tables,
    weights: Array | None,
    estimator: str,
    *,
    beta: float | Array,
) -> tuple[Array, Tables]:
    """Advantage per token by the chosen estimator, (P, G, L), and the value tables after this step.

    Parameters
    ----------
    score : (P, G) array
        Reward of each response.
    log_ratio : (P, G, L) array
        Old policy to reference, nats per token.
    positions : tuple of (P, G) arrays
        Prefixes of the responses, as from `policy.prefixes`.
    values : tuple of arrays
        Value of each prefix, which only `gae` reads and renews.
    weights : None or (P, G) array
        Probability of each response, with the exact expectation.
    """
    if estimator == "gae":
        return _value_advantages(score, log_ratio, positions, values, weights, beta=beta)
    chosen = {
        "group_mean": advantages.group_mean,
        "leave_one_out": advantages.leave_one_out,
        "group_normalised": advantages.group_normalised,
    }[estimator]
    per_response = chosen(penalised_reward(score, log_ratio.sum(axis=-1), beta=beta), weights)
    return np.repeat(per_response[..., None], log_ratio.shape[-1], axis=-1), values


def _value_advantages(
    score: Array,
    log_ratio: Array,
    positions: tuple[Indices, ...],
    values: Tables,
    weights: Array | None,
    *,
    beta: float | Array,
) -> tuple[Array, Tables]:
    """GAE with a value table per prefix, which then moves towards the mean return seen at each prefix."""
    before = (np.broadcast_to(np.arange(len(score))[:, None], score.shape), *positions[:-1])
    known = np.stack([table.reshape(-1)[at] for table, at in zip(values, before, strict=True)], axis=-1)
    shaped = advantages.token_rewards(score, log_ratio, beta=np.asarray(beta)[..., None])
    advantage = advantages.gae(shaped, known, gamma=advantages.GAMMA, lam=advantages.LAMBDA)
    counts = (np.ones_like(score) if weights is None else weights).reshape(-1)
    renewed = []
    for level, (table, at) in enumerate(zip(values, before, strict=True)):
        mass = np.bincount(at.reshape(-1), counts, minlength=table.size)
        error = np.bincount(at.reshape(-1), counts * advantage[..., level].reshape(-1), minlength=table.size)
        step = advantages.VALUE_LEARNING_RATE * error / np.where(mass > 0, mass, 1.0)
        renewed.append(table + step.reshape(table.shape))
    return advantage, tuple(renewed)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
