"""More labels, or better ones? The same pipeline at many numbers of comparisons, under noise and under bias."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rlhf_core.calibration import correlation
from rlhf_core.distributions import Array
from rlhf_core.lab.work import Progress, finish
from rlhf_core.lab.worlds import checked_seeds
from rlhf_core.pipeline import PipelineRun, run_pipeline
from rlhf_core.policy import Indices
from rlhf_core.settings import Settings

COUNTS = (50, 100, 200, 400, 800, 2000)


@dataclass(frozen=True, slots=True)
class Labellers:
    """A kind of labellers."""

    name: str
    label_noise: float
    """tau, in true-reward units."""
    labeller_bias: float
    """Share of a phrase's appeal that counts as worth."""


LABELLERS = (
    Labellers("noise only", 2.5, 0.0),
    Labellers("bias only", 0.1, 1.5),
)
"""Labellers who often err but are drawn nowhere, and labellers who hardly err and are drawn to what pleases."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelGrid:
    """K kinds of labellers, C numbers of comparisons, S seeds; arrays (K, C, S), nan where still to come."""

    labellers: tuple[Labellers, ...]
    counts: Indices
    """(C,)."""
    seeds: Indices
    """(S,)."""
    correlation: Array
    """Of score and true reward under the SFT policy, mean over prompts."""
    label_accuracy: Array
    """Share of held-out pairs in which the reward model sides with the labeller."""
    truth_accuracy: Array
    """Share of the same pairs in which it sides with the true reward; ties of the truth are left out."""
    sft_true_reward: Array
    true_reward: Array
    """After the last PPO step, in true-reward units."""


def label_grid(
    settings: Settings,
    *,
    labellers: Sequence[Labellers] = LABELLERS,
    counts: Sequence[int] = COUNTS,
    seeds: Sequence[int] = range(8),
) -> LabelGrid:
    """Train everything at each number of labels of each kind; see `label_grid_pieces`."""
    return finish(label_grid_pieces(settings, labellers=labellers, counts=counts, seeds=seeds))


def label_grid_pieces(
    settings: Settings,
    *,
    labellers: Sequence[Labellers] = LABELLERS,
    counts: Sequence[int] = COUNTS,
    seeds: Sequence[int] = range(8),
) -> Iterator[Progress[LabelGrid]]:
    """Train everything at each number of labels of each kind, run by run.

    Parameters
    ----------
    settings : Settings
        Its comparisons, noise, bias and seed are not read.

    Yields
    ------
    Progress
        Counted in runs.

    Raises
    ------
    ValueError
        If a number of comparisons, a noise, a bias or a seed is out of range, or there is no seed.
    """
    kinds, kept, numbers = tuple(labellers), checked_seeds(seeds), tuple(counts)
    arrays = {name: np.full((len(kinds), len(numbers), len(kept)), np.nan) for name in MEASURES}
    total, done = len(kinds) * len(numbers) * len(kept), 0
    for s, seed in enumerate(kept):
        for k, kind in enumerate(kinds):
            for c, count in enumerate(numbers):
                run = run_pipeline(
                    replace(settings, seed=seed, n_comparisons=count, label_noise=kind.label_noise,
                            labeller_bias=kind.labeller_bias)
                )  # fmt: skip
                for name, measure in MEASURES.items():
                    arrays[name][k, c, s] = measure(run)
                done += 1
                shown = {name: values[..., : s + 1].copy() for name, values in arrays.items()}
                grid = LabelGrid(kinds, np.array(numbers), np.array(kept[: s + 1]), **shown)
                yield Progress(done, total, grid)


def score_truth_correlation(run: PipelineRun) -> float:
    """Correlation of score and true reward under the SFT policy, mean over prompts; nan where either is constant."""
    each = correlation(run.reward.scores, run.scenario.true_reward, run.sft.log_probs[-1])
    return float(np.nanmean(each)) if np.isfinite(each).any() else float("nan")


def truth_accuracy(run: PipelineRun) -> float:
    """Share of held-out pairs in which the reward model prefers the truly better response."""
    pairs, truth, scores = run.reward.pairs, run.scenario.true_reward, run.reward.scores
    better = truth[pairs.prompt, pairs.chosen] - truth[pairs.prompt, pairs.rejected]
    margin = scores[pairs.prompt, pairs.chosen] - scores[pairs.prompt, pairs.rejected]
    counted = pairs.heldout & (better != 0)
    return float(np.mean(margin[counted] * better[counted] > 0)) if counted.any() else float("nan")


MEASURES: dict[str, Callable[[PipelineRun], float]] = {
    "correlation": score_truth_correlation,
    "label_accuracy": lambda run: float(run.reward.heldout_accuracy[-1]),
    "truth_accuracy": truth_accuracy,
    "sft_true_reward": lambda run: float(run.ppo.true_reward[0]),
    "true_reward": lambda run: float(run.ppo.true_reward[-1]),
}
