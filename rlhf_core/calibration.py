"""How far a reward model may be trusted: whether it knows how sure it is, and whether its score follows the truth."""

from typing import NamedTuple

import numpy as np
from scipy import special

from rlhf_core.distributions import Array, expectation
from rlhf_core.preferences import preference_probability


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


def better_of_two(log_probs: Array, scores: Array, truth: Array) -> Array:
    """How often a score names the truly better of two responses drawn independently, along the last axis.

    Pairs that are equally good do not count; equal scores count one half. nan where all responses are equally good.

    Parameters
    ----------
    log_probs : (..., R) array
        The policy that both responses are drawn from.
    scores, truth : (..., R) array
    """
    both = np.exp(log_probs)[..., :, None] * np.exp(log_probs)[..., None, :]
    better = np.where(truth[..., :, None] > truth[..., None, :], both, 0.0)
    lead = scores[..., :, None] - scores[..., None, :]
    named = (better * np.where(lead == 0, 0.5, lead > 0)).sum(axis=(-2, -1))
    counted = better.sum(axis=(-2, -1))
    with np.errstate(invalid="ignore"):
        result: Array = np.where(counted > 1e-12, named / np.where(counted > 0, counted, 1.0), np.nan)
    return result


def score_errors(features: Array, differences: Array, weights: Array, *, l2: float) -> Array:
    """Standard errors of the scores of a ridge Bradley–Terry fit: how far other labels of its pairs would move them.

        H = sum_i s_i d_i d_i' + 2 N l2,    F = sum_i s_i d_i d_i',    s = sigma'(w . d)
        error(phi)^2 = phi' H^-1 F H^-1 phi

    Parameters
    ----------
    features : (..., F) array
        Of each response, against what counts as zero.
    differences : (N, F) array
        Features of the chosen minus those of the rejected response of each training pair.
    weights : (F,) array
        The fit; taken to be at its minimum.
    l2 : float
        Ridge strength on the mean loss.

    Returns
    -------
    (...) array, in log-odds.
    """
    margins = differences @ weights
    information = (differences * (special.expit(margins) * special.expit(-margins))[:, None]).T @ differences
    bread = np.linalg.pinv(information + 2 * len(differences) * l2 * np.eye(len(weights)), hermitian=True)
    result: Array = np.sqrt(np.einsum("...i,ij,...j->...", features, bread @ information @ bread, features).clip(0))
    return result


class Sides(NamedTuple):
    """How often two judges of the same pairs take the same side, each an expected share of all pairs."""

    labels: Array
    """(E,) the reward model sides with a labeller."""
    truth: Array
    """(E,) the reward model sides with the truly better response; pairs of equal worth are left out."""
    labeller: float
    """A labeller sides with the truly better response."""


def sides(log_probs: Array, scores: Array, judgement: Array, true_reward: Array, *, label_noise: float) -> Sides:
    """Accuracy against the labels beside accuracy against the truth, expected over all pairs that a policy writes.

    A pair is one response and a second, different one, `p_a p_b / (1 - p_a)`; a tie of scores sides with nobody.

    Parameters
    ----------
    log_probs : (P, R) array
        The policy that writes the pairs.
    scores : (E, P, R) array
        Of E reward models.
    judgement, true_reward : (P, R) array
        What a labeller thinks of each response, and what it is worth, in true-reward units.
    label_noise : float
        tau >= 0, in true-reward units.
    """
    probs = np.exp(log_probs)
    weights = probs[:, :, None] * probs[:, None, :] / (1 - probs[:, :, None])
    weights[:, range(probs.shape[1]), range(probs.shape[1])] = 0
    weights = weights / weights.sum()
    prefers = preference_probability(judgement[:, :, None], judgement[:, None, :], label_noise=label_noise)
    better = np.sign(true_reward[:, :, None] - true_reward[:, None, :])
    counted = weights * (better != 0)
    counted = counted / (counted.sum() or 1.0)
    signs = [np.sign(_settled(each[:, :, None] - each[:, None, :])) for each in scores]
    return Sides(
        labels=np.array([(weights * np.where(sign > 0, prefers, (1 - prefers) * (sign < 0))).sum() for sign in signs]),
        truth=np.array([(counted * (sign == better)).sum() for sign in signs]),
        labeller=float((counted * np.where(better > 0, prefers, 1 - prefers)).sum()),
    )


def _settled(margins: Array) -> Array:
    """Margins without what is rounding."""
    return np.where(np.abs(margins) < 1e-9, 0.0, margins)
