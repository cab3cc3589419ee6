"""How far a reward model may be trusted: whether it knows how sure it is, and whether its score follows the truth."""

from typing import NamedTuple

import numpy as np
from scipy import special

from rlhf_core.distributions import Array, expectation


class Reliability(NamedTuple):
    """Confidence against outcome, each (..., n_bins); bins hold equally many pairs, from unsure to sure."""

    confidence: Array
    """Mean probability that the model gives to the response it favours, from 0.5 to 1."""
    share: Array
    """Share of the bin's pairs in which the labeller chose that response; a tie counts one half."""
    error: Array
    """Standard error of `share`."""


def reliability(margins: Array, *, n_bins: int) -> Reliability:
    """Compare what a reward model predicts for comparisons with what the labellers chose.

    Parameters
    ----------
    margins : (..., N) array
        Score of the chosen minus that of the rejected response, in log-odds.
    n_bins : int
        From 1 to N.

    Raises
    ------
    ValueError
        If there are fewer pairs than bins.
    """
    n_pairs = margins.shape[-1]
    if not 1 <= n_bins <= n_pairs:
        raise ValueError(f"n_bins must be from 1 to {n_pairs}, the number of pairs, got {n_bins}")
    order = np.argsort(np.abs(margins), axis=-1, kind="stable")
    ranked = np.take_along_axis(margins, order, axis=-1)
    edges = np.arange(n_bins) * n_pairs // n_bins
    count = np.diff(edges, append=n_pairs)
    confidence = np.add.reduceat(special.expit(np.abs(ranked)), edges, axis=-1) / count
    share = np.add.reduceat(np.where(ranked == 0, 0.5, ranked > 0), edges, axis=-1) / count
    return Reliability(confidence, share, np.sqrt(share * (1 - share) / count))


def correlation(first: Array, second: Array, log_probs: Array) -> Array:
    """Pearson correlation of two quantities under a distribution, along the last axis; nan where one is constant.

    Parameters
    ----------
    first, second : (..., K) array
    log_probs : (..., K) array
        Log-probabilities of the K cases; all equal for the plain correlation.
    """
    a = first - expectation(log_probs, first)[..., None]
    b = second - expectation(log_probs, second)[..., None]
    spread = np.sqrt(expectation(log_probs, a**2) * expectation(log_probs, b**2))
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Array = np.where(spread > 1e-12, expectation(log_probs, a * b) / spread, np.nan)
    return result
