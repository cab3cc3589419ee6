"""Whose label moved it? Leave each comparison out, fit again, and see how far the policy goes elsewhere.

The refits are Newton steps from the full solution, which is a few thousandths of a full training each. The policy is
the exact optimum at the KL that the run's PPO reached, so no sampling noise hides a label's effect.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from rlhf_core.distributions import Array, expectation, kl_divergence
from rlhf_core.lab.work import Progress, finish
from rlhf_core.lab.worlds import stream
from rlhf_core.optimum import optimal_log_probs
from rlhf_core.pipeline import PipelineRun
from rlhf_core.policy import Indices

NEWTON_STEPS = 3
PIECE = 50
"""Comparisons between two reports of progress."""
SHARE = 0.05
"""The most influential labels that are also left out together."""
BETAS = (1e-3, 1e4)
"""Penalties between which the one is sought whose optimum has the KL of PPO."""
N_RANDOM = 20
"""Random sets of the same size to compare them with."""


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """What each of N training comparisons does."""

    pairs: Indices
    """(N,) index into the run's comparisons; those of held-out prompts train nothing."""
    beta: float
    """Penalty at which the optimum has the KL that PPO reached, or comes nearest to it, in reward units per nat."""
    moved: Array
    """(N,) KL of the policy without that label from the policy with all, in nats, mean over prompts."""
    true_reward: Array
    """(N,) true reward of the policy without that label minus that with all."""
    without_top: float
    """True reward without the most influential `SHARE` of the labels."""
    without_random: Array
    """(N_RANDOM,) true reward without as many labels taken at random."""
    with_all: float
    """True reward of the policy with all labels."""


def influence(run: PipelineRun) -> Influence:
    """Leave each training comparison out; see `influence_pieces`."""
    return finish(influence_pieces(run))


def influence_pieces(run: PipelineRun) -> Iterator[Progress[Influence]]:
    """Leave each training comparison out and fit again.

    Yields
    ------
    Progress
        Counted in comparisons; the result comes with the last.

    Raises
    ------
    ValueError
        If the run's ridge is 0: the fit then need not exist.

    References
    ----------
    Koh and Liang (2017), arXiv:1703.04730, of which this is the exact form.
    """
    if run.settings.rm_l2 <= 0:
        raise ValueError("rm_l2 must be > 0 for labels to be left out one by one, got 0")
    pairs = run.reward.pairs
    trained = np.flatnonzero(~pairs.heldout)
    differences = (
        run.reward.features[pairs.prompt, pairs.chosen] - run.reward.features[pairs.prompt, pairs.rejected]
    )[trained]
    counts = np.ones(len(trained))
    full = newton_fit(differences, counts, run.reward.weights[-1], l2=run.settings.rm_l2, n_steps=25)
    beta = matching_beta(run, _scores(run, full))
    base = _policy(run, full, beta)
    moved, truth = np.empty(len(trained)), np.empty(len(trained))
    for i in range(len(trained)):
        counts[i] = 0
        policy = _policy(run, newton_fit(differences, counts, full, l2=run.settings.rm_l2, n_steps=NEWTON_STEPS), beta)
        counts[i] = 1
        moved[i], truth[i] = float(kl_divergence(policy, base).mean()), _truth(run, policy)
        if (i + 1) % PIECE == 0 and i + 1 < len(trained):
            yield Progress(i + 1, len(trained), None)
    with_all = _truth(run, base)

    def without(left_out: Indices) -> float:
        kept = np.ones(len(trained))
        kept[left_out] = 0
        return _truth(run, _policy(run, newton_fit(differences, kept, full, l2=run.settings.rm_l2, n_steps=25), beta))

    n_top = max(round(SHARE * len(trained)), 1)
    rng = stream(run.settings.seed, "influence")
    random = [without(rng.choice(len(trained), n_top, replace=False)) for _ in range(N_RANDOM)]
    top = without(np.argsort(-moved)[:n_top])
    result = Influence(trained, beta, moved, truth - with_all, top, np.array(random), with_all)
    yield Progress(len(trained), len(trained), result)


def newton_fit(differences: Array, counts: Array, start: Array, *, l2: float, n_steps: int) -> Array:
    """Weights that minimise the ridge Bradley–Terry loss, by Newton's method.

    Parameters
    ----------
    differences : (N, F) array
        Features of the chosen minus those of the rejected response.
    counts : (N,) array
        How often each pair counts; 0 leaves it out.
    start : (F,) array
    l2 : float
        > 0, as in `reward_model.ridge_loss`.
    """
    weights, total = start, counts.sum()
    for _ in range(n_steps):
        wrong = special.expit(-differences @ weights)
        gradient = -differences.T @ (counts * wrong) / total + 2 * l2 * weights
        curvature = (differences * (counts * wrong * (1 - wrong))[:, None]).T @ differences / total
        weights = weights - np.linalg.solve(curvature + 2 * l2 * np.eye(len(weights)), gradient)
    return weights


def matching_beta(run: PipelineRun, scores: Array) -> float:
    """Penalty at which the exact optimum for some scores has the KL that the run's PPO reached, mean over prompts.

    Where no optimum has, the end of `BETAS` that comes nearest.
    """
    ref, wanted = run.sft.log_probs[-1], float(run.ppo.kl[-1])

    def excess(log_beta: float) -> float:
        best, _ = optimal_log_probs(ref, scores, beta=float(np.exp(log_beta)))
        return float(kl_divergence(best, ref).mean()) - wanted

    low, high = np.log(BETAS)
    if excess(low) <= 0:
        return BETAS[0]
    return float(np.exp(optimize.brentq(excess, low, high))) if excess(high) < 0 else BETAS[1]


def _scores(run: PipelineRun, weights: Array) -> Array:
    """Scores in the run's own reward units, so that one beta means the same for every fit, (P, R)."""
    scores: Array = run.reward.features @ weights / run.reward.scale
    return scores


def _policy(run: PipelineRun, weights: Array, beta: float) -> Array:
    return optimal_log_probs(run.sft.log_probs[-1], _scores(run, weights), beta=beta)[0]


def _truth(run: PipelineRun, log_probs: Array) -> float:
    return float(expectation(log_probs, run.scenario.true_reward).mean())
