"""Categorical distributions in log space: softmax, entropy, KL divergence and its estimators.

Everything works on log-probabilities in nats along the last axis, so a probability of
1e-300 costs no precision, and `0 log 0` counts as 0.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

LARGEST_EXPONENT = 709.0
"""`exp` of more than this is no float64; a ratio of probabilities beyond it saturates."""


def log_softmax(logits: Array) -> Array:
    """Log-probabilities of the softmax along the last axis; -inf logits stay impossible.

    `log softmax(x)_k = x_k - max x - log sum_j exp(x_j - max x)`
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    result: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def entropy(log_probs: Array) -> Array:
    """Shannon entropy `-sum_k p_k log p_k` in nats along the last axis, shape `(...)`."""
    result: Array = special.entr(np.exp(log_probs)).sum(axis=-1)
    return result


def expectation(log_probs: Array, values: Array) -> Array:
    """Mean `sum_k p_k v_k` along the last axis; values where `p_k = 0` do not count."""
    probs = np.exp(log_probs)
    result: Array = (probs * np.where(probs > 0, values, 0.0)).sum(axis=-1)
    return result


def kl_divergence(log_probs: Array, ref_log_probs: Array) -> Array:
    """Exact `KL(p || q) = sum_k p_k (log p_k - log q_k)` in nats along the last axis.

    Returns infinity where `p` puts mass on something that `q` rules out.

    Parameters
    ----------
    log_probs, ref_log_probs : (..., K) array
        Log-probabilities of `p` (the policy) and of `q` (the reference policy).
    """
    result: Array = kl_terms(log_probs, ref_log_probs).sum(axis=-1)
    return result


def kl_terms(log_probs: Array, ref_log_probs: Array) -> Array:
    """The summands `p_k (log p_k - log q_k)` of the KL divergence, (..., K); one may be negative."""
    possible = np.exp(log_probs) > 0
    log_ratio = np.where(possible, log_probs, 0.0) - np.where(possible, ref_log_probs, 0.0)
    result: Array = np.where(possible, np.exp(log_probs) * log_ratio, 0.0)
    return result


class KLEstimates(NamedTuple):
    """Per-sample estimates of `KL(pi || ref)` from `y ~ pi`, each `(N,)`, in nats.

    `k1` and `k3` are unbiased; `k1` may be negative for a single sample, `k3` never is; `k2` is biased.
    """

    k1: Array
    k2: Array
    k3: Array


def kl_estimators(log_probs: Array, ref_log_probs: Array) -> KLEstimates:
    """Estimate the KL divergence from the log-probabilities of samples drawn from the policy.

        k1 = log pi - log ref,    k2 = k1^2 / 2,    k3 = exp(-k1) - 1 + k1

    Parameters
    ----------
    log_probs, ref_log_probs : (N,) array
        Log-probability in nats of each sample under the policy and under the reference.

    References
    ----------
    J. Schulman, "Approximating KL divergence", joschu.net/blog/kl-approx.html.
    """
    k1 = log_probs - ref_log_probs
    return KLEstimates(k1=k1, k2=k1**2 / 2, k3=np.expm1(np.minimum(-k1, LARGEST_EXPONENT)) + k1)
