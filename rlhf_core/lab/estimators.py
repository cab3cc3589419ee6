"""Which estimate? Exact bias and variance of the policy gradient's estimators, by enumeration of all responses.

Every gradient is in the logits of the phrase tables, for one prompt. A bias is the length of the mean error, a
variance the sum over all logits.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rlhf_core import policy
from rlhf_core.distributions import Array, expectation
from rlhf_core.lab.work import Progress, finish
from rlhf_core.optimum import penalised_reward
from rlhf_core.pipeline import PipelineRun
from rlhf_core.policy import Tables

BASELINES = ("none", "group mean", "leave-one-out", "value")
ESTIMATES = ("k1", "k2", "k3")
PLACES = ("reward", "loss")
GROUPS = (2, 4, 8, 16, 32, 64)
"""Rollouts per prompt that the experiment compares."""


class Quality(NamedTuple):
    """How an estimator of a gradient errs."""

    bias: float
    """Length of the mean error, as a share of the true gradient's length."""
    deviation: float
    """Root of the summed variances, as a share of the true gradient's length."""


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """How the estimators err for the policy in the middle of a run; medians over its prompts."""

    step: int
    """PPO step after which the policy is looked at."""
    bias: Mapping[str, Array]
    """Baseline -> (groups,) length of the mean error, as a share of the gradient's length."""
    spread: Mapping[str, Array]
    """Baseline -> (groups,) root of the summed variances, as a share of the gradient's length."""
    kl: Mapping[tuple[str, str], Quality]
    """(estimate, place) -> bias and spread of one sample's gradient."""


def estimates(run: PipelineRun) -> Estimates:
    """Every baseline at every group size, and every KL estimate in either place; see `estimates_pieces`."""
    return finish(estimates_pieces(run))


def estimates_pieces(run: PipelineRun) -> Iterator[Progress[Estimates]]:
    """Every baseline at every group size, and every KL estimate in either place, prompt by prompt.

    Yields
    ------
    Progress
        Counted in prompts.
    """
    step = max(run.settings.ppo_steps // 2, 1)
    tables, n_prompts = policy.log_tables(run.ppo.logits[step]), len(run.scenario.prompts)
    rows: list[list[Quality]] = []
    kls: list[list[Quality]] = []
    for prompt in range(n_prompts):
        log_probs, ref = run.ppo.log_probs[step, prompt], run.sft.log_probs[-1, prompt]
        rewards = penalised_reward(run.reward.scores[prompt], log_probs - ref, beta=run.settings.beta)
        scores = scores_of(tables, prompt)
        rows.append(
            [baseline_quality(log_probs, rewards, scores, baseline=b, group=g) for b in BASELINES for g in GROUPS]
        )
        kls.append([kl_gradient_bias(log_probs, ref, scores, estimate=e, place=p) for e in ESTIMATES for p in PLACES])
        yield Progress(prompt + 1, n_prompts, _gathered(step, rows, kls))


def _gathered(step: int, rows: list[list[Quality]], kls: list[list[Quality]]) -> Estimates:
    quality = np.median(np.array(rows), axis=0).reshape(len(BASELINES), len(GROUPS), 2)
    kl = np.median(np.array(kls), axis=0).reshape(len(ESTIMATES), len(PLACES), 2)
    return Estimates(
        step=step,
        bias={name: quality[b, :, 0] for b, name in enumerate(BASELINES)},
        spread={name: quality[b, :, 1] for b, name in enumerate(BASELINES)},
        kl={(e, p): Quality(*kl[i, j].tolist()) for i, e in enumerate(ESTIMATES) for j, p in enumerate(PLACES)},
    )


def scores_of(tables: Tables, prompt: int) -> Array:
    """Gradient of each response's log-probability in the prompt's logits, (R, D): the score function.

    Parameters
    ----------
    tables : tuple of arrays
        Log-probabilities, as from `policy.log_tables`.
    """
    own = tuple(table[prompt : prompt + 1] for table in tables)
    n_responses = own[-1].size
    rows = []
    for response in range(n_responses):
        at = policy.prefixes(np.array([[response]]), own)
        gradient = policy.logits_gradient(own, at, np.ones((1, 1, len(own))))
        rows.append(np.concatenate([table.reshape(-1) for table in gradient]))
    return np.array(rows)


def baseline_quality(log_probs: Array, rewards: Array, scores: Array, *, baseline: str, group: int) -> Quality:
    """Bias and spread of `mean_i (R_i - b_i) grad log pi(y_i)` over a group of samples, exactly.

    Parameters
    ----------
    log_probs, rewards : (R,) array
        Of all responses to one prompt, under the policy that is sampled; rewards penalised or not.
    scores : (R, D) array
        From `scores_of`.
    baseline : str
        "none", "group mean", "leave-one-out" or "value" (the exact expected reward, known beforehand).
    group : int
        Number of samples, at least 2.

    Raises
    ------
    ValueError
        If the baseline is unknown or the group too small.

    References
    ----------
    Kool et al. (2019), "Buy 4 REINFORCE samples, get a baseline for free!"; variance of U-statistics: Hoeffding (1948).
    """
    if baseline not in BASELINES:
        raise ValueError(f"baseline must be one of {', '.join(BASELINES)}, got {baseline!r}")
    if group < 2:
        raise ValueError(f"group must be at least 2, got {group}")
    truth = expectation(log_probs, rewards * scores.T)
    length = float(np.linalg.norm(truth)) or 1.0
    if baseline in ("none", "value"):
        known = 0.0 if baseline == "none" else float(expectation(log_probs, rewards))
        each = (rewards - known)[:, None] * scores
        variance = _variance(log_probs, each) / group
        return Quality(0.0, float(np.sqrt(variance)) / length)
    variance = _pair_variance(log_probs, rewards, scores, group)
    if baseline == "leave-one-out":
        return Quality(0.0, float(np.sqrt(variance)) / length)
    shrunk = (group - 1) / group
    return Quality(1 / group, shrunk * float(np.sqrt(variance)) / length)


def kl_gradient_bias(log_probs: Array, ref_log_probs: Array, scores: Array, *, estimate: str, place: str) -> Quality:
    """How the gradient of a KL estimate errs, when it is paid in the reward or added to the loss; one sample.

    In the reward the estimate multiplies the score function; in the loss it is differentiated itself, and
    the way in which the policy's samples change is forgotten.

    Parameters
    ----------
    log_probs, ref_log_probs : (R,) array
        Of all responses to one prompt, under the policy that is sampled and under the reference.
    scores : (R, D) array
    estimate : str
        "k1", "k2" or "k3".
    place : str
        "reward" or "loss".

    Raises
    ------
    ValueError
        If estimate or place is unknown.

    References
    ----------
    arXiv:2510.01555; arXiv:2512.21852.
    """
    if estimate not in ESTIMATES or place not in PLACES:
        allowed = f"one of {', '.join(ESTIMATES)}, in reward or loss"
        raise ValueError(f"estimate must be {allowed}, got {estimate!r} in {place!r}")
    k1 = log_probs - ref_log_probs
    values = {"k1": k1, "k2": k1**2 / 2, "k3": np.expm1(-k1) + k1}[estimate]
    slopes = {"k1": np.ones_like(k1), "k2": k1, "k3": -np.expm1(-k1)}[estimate]
    truth = expectation(log_probs, k1 * scores.T)
    each = (values if place == "reward" else slopes)[:, None] * scores
    length = float(np.linalg.norm(truth)) or 1.0
    bias = float(np.linalg.norm(expectation(log_probs, each.T) - truth))
    return Quality(bias / length, float(np.sqrt(_variance(log_probs, each))) / length)


def _variance(log_probs: Array, values: Array) -> float:
    """Summed variances of a vector (R, D) under a distribution (R,)."""
    centred = values - expectation(log_probs, values.T)
    return float(expectation(log_probs, (centred**2).sum(axis=1)))


def _pair_variance(log_probs: Array, rewards: Array, scores: Array, group: int) -> float:
    """Variance of the leave-one-out estimator: a U-statistic of order 2 with kernel `(R_i - R_j)(s_i - s_j) / 2`."""
    probs = np.exp(log_probs)
    kernel = (rewards[:, None] - rewards)[..., None] * (scores[:, None] - scores) / 2
    one = np.einsum("j,ijd->id", probs, kernel)
    mean = probs @ one
    first = float(probs @ ((one - mean) ** 2).sum(axis=1))
    second = float(np.einsum("i,j,ij->", probs, probs, ((kernel - mean) ** 2).sum(axis=-1)))
    return (4 * (group - 2) * first + 2 * second) / (group * (group - 1))
