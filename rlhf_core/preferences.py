"""Simulated labellers: what sways them, which of two responses they prefer, and how often two of them agree."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from rlhf_core.distributions import Array
from rlhf_core.policy import Indices


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """N labelled comparisons: indices of prompt, chosen and rejected response, and whether held out."""

    prompt: Indices
    chosen: Indices
    rejected: Indices
    heldout: NDArray[np.bool_]
    p_chosen: Array
    """(N,) probability with which a labeller makes this very choice."""

    @property
    def agreement(self) -> float:
        """Share of these pairs on which two labellers are expected to agree, `mean p^2 + (1-p)^2`."""
        return float(np.mean(self.p_chosen**2 + (1 - self.p_chosen) ** 2))

    @property
    def ceiling(self) -> float:
        """Expected accuracy of a reader who knew the labellers' judgement, `mean max(p, 1-p)`."""
        return float(np.mean(np.maximum(self.p_chosen, 1 - self.p_chosen)))

    @property
    def floor(self) -> float:
        """Expected Bradley–Terry loss, in nats per pair, of a reader who knew the labellers' probabilities."""
        return float(np.mean(special.entr(self.p_chosen) + special.entr(1 - self.p_chosen)))


def labeller_reward(true_reward: Array, appeal: Array, *, labeller_bias: float) -> Array:
    """What a hurried labeller thinks of a response, `j = u + b * appeal`.

    Parameters
    ----------
    true_reward, appeal : (P, R) array
        In true-reward units.
    labeller_bias : float
        b >= 0; at 0 labellers judge by the true reward alone.

    Raises
    ------
    ValueError
        If `labeller_bias` is negative or the shapes differ.

    References
    ----------
    Sharma et al. (2023), arXiv:2310.13548; Hosking et al. (2024), arXiv:2309.16349;
    Wen et al. (2024), arXiv:2409.12822.
    """
    if labeller_bias < 0:
        raise ValueError(f"labeller_bias must be >= 0, got {labeller_bias}")
    if true_reward.shape != appeal.shape:
        raise ValueError(f"shapes differ: {true_reward.shape}, {appeal.shape}")
    return true_reward + labeller_bias * appeal


def preference_probability(first: Array, second: Array, *, label_noise: float) -> Array:
    """Probability that a labeller prefers the first response, `sigma((j_1 - j_2) / tau)`.

    Parameters
    ----------
    first, second : (N,) array
        The labeller's judgement of either response.
    label_noise : float
        tau >= 0, in true-reward units; at 0 the better response always wins and ties are a fair coin.

    Raises
    ------
    ValueError
        If `label_noise` is negative.
    """
    if label_noise < 0:
        raise ValueError(f"label_noise must be >= 0, got {label_noise}")
    difference = first - second
    if label_noise == 0:
        return np.where(difference == 0, 0.5, (difference > 0).astype(np.float64))
    with np.errstate(over="ignore"):  # a gap of infinitely many tau is as good as certain
        result: Array = special.expit(difference / label_noise)
    return result


def compare(
    log_probs: Array,
    labeller_reward: Array,
    heldout: NDArray[np.bool_],
    *,
    n_comparisons: int,
    label_noise: float,
    rng: np.random.Generator,
) -> Pairs:
    """Draw pairs of different responses from the policy and have a labeller choose.

    Prompts take turns, so each gets its share, and a longer list begins with the shorter one.

    Parameters
    ----------
    log_probs, labeller_reward : (P, R) array
        Log-probabilities of the responses under the policy that is sampled; the labellers' judgement of each.
    heldout : (P,) bool array
        Prompts whose pairs are kept out of training.
    """
    uniforms = rng.random((n_comparisons, 3))
    prompt: Indices = np.arange(n_comparisons) % len(heldout)
    probs = np.exp(log_probs)[prompt]
    first = _draw(probs, uniforms[:, 0])
    np.put_along_axis(probs, first[:, None], 0.0, axis=1)
    second = _draw(probs, uniforms[:, 1])
    p_first = preference_probability(
        labeller_reward[prompt, first], labeller_reward[prompt, second], label_noise=label_noise
    )
    first_wins = uniforms[:, 2] < p_first
    return Pairs(
        prompt=prompt,
        chosen=np.where(first_wins, first, second),
        rejected=np.where(first_wins, second, first),
        heldout=heldout[prompt],
        p_chosen=np.where(first_wins, p_first, 1 - p_first),
    )


def _draw(probs: Array, uniforms: Array) -> Indices:
    """One index per row with probability proportional to the row's entries."""
    cumulative = np.cumsum(probs, axis=1)
    chosen: Indices = (cumulative <= uniforms[:, None] * cumulative[:, -1:]).sum(axis=1)
    return chosen
