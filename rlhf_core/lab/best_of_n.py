"""Best-of-n: answer n times, give the answer that the reward model likes best. No training, and exact here."""

import numpy as np

from rlhf_core.distributions import Array, log_softmax

BEST_OF = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Numbers of answers that the experiments compare."""


def best_of_n(ref_log_probs: Array, rewards: Array, n: int) -> Array:
    """Distribution of the best of n independent answers, ties going to one of the tied at random.

        P_n(y) = ref(y) / ref(T_y) * (F(r_y)^n - F(r_y-)^n)

    `T_y` are the answers with the same reward as y, `F(r)` is the reference's probability of a reward of
    at most r, `F(r-)` of one below r.

    Parameters
    ----------
    ref_log_probs : (..., R) array
        Log-probabilities, in nats, of the policy that answers.
    rewards : (..., R) array
    n : int
        How many answers; at least 1.

    Returns
    -------
    log_probs : (..., R) array
        -inf where an answer cannot be the best.

    Raises
    ------
    ValueError
        If the shapes differ or n is below 1.

    References
    ----------
    Stiennon et al. (2020), arXiv:2009.01325; exact form: Beirami et al. (2024), arXiv:2401.01879.
    """
    if ref_log_probs.shape != rewards.shape:
        raise ValueError(f"shapes differ: {ref_log_probs.shape}, {rewards.shape}")
    if n < 1:
        raise ValueError(f"n must be a whole number of at least 1, got {n}")
    rows = [_best(p, r, n) for p, r in zip(_rows(ref_log_probs), _rows(rewards), strict=True)]
    return np.array(rows).reshape(rewards.shape)


def kl_bound(n: Array | int) -> Array:
    """`log n - (n-1)/n`, in nats: often given as best-of-n's KL, and only an upper bound on it.

    It is reached where every reward is different and each answer rare.

    References
    ----------
    Beirami et al. (2024), arXiv:2401.01879.
    """
    count = np.asarray(n, dtype=np.float64)
    return np.log(count) - (count - 1) / count


def win_rate(log_probs: Array, ref_log_probs: Array, rewards: Array) -> Array:
    """Probability that an answer of one policy has a higher reward than one of another, ties counting one half.

    Parameters
    ----------
    log_probs, ref_log_probs, rewards : (..., R) array

    Returns
    -------
    win_rate : (...) array
    """
    beats = (rewards[..., :, None] > rewards[..., None, :]) + 0.5 * (rewards[..., :, None] == rewards[..., None, :])
    result: Array = np.einsum("...i,...ij,...j->...", np.exp(log_probs), beats, np.exp(ref_log_probs))
    return result


def _rows(values: Array) -> Array:
    return values.reshape(-1, values.shape[-1])


def _best(ref_log_probs: Array, rewards: Array, n: int) -> Array:
    """One prompt: (R,) and (R,) in, (R,) out."""
    _, tied = np.unique(rewards, return_inverse=True)
    ref = np.exp(log_softmax(ref_log_probs))
    mass = np.bincount(tied, weights=ref)
    upto = np.minimum(np.cumsum(mass), 1.0)
    upto[-1] = 1.0
    below = np.concatenate([[0.0], upto[:-1]])
    chance = upto**n - below**n
    share = np.divide(ref, mass[tied], out=np.zeros_like(ref), where=mass[tied] > 0)
    with np.errstate(divide="ignore"):
        result: Array = np.log(share * chance[tied])
    return result
