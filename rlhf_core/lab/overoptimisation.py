"""Score up, answers worse: PPO without a penalty and best-of-n against reward models of different quality."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rlhf_core.distributions import Array
from rlhf_core.lab.best_of_n import BEST_OF, best_of_n, kl_bound
from rlhf_core.lab.gao import FEWEST, Fit, fit_form
from rlhf_core.lab.work import Progress, finish
from rlhf_core.lab.worlds import Worth, checked_seeds, worth
from rlhf_core.pipeline import run_pipeline
from rlhf_core.policy import Indices
from rlhf_core.settings import Settings

COUNTS = (50, 200, 800)


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """One way of optimising, for C numbers of comparisons under S seeds at N points; arrays (C, S, N)."""

    reward: Array
    labeller_reward: Array
    true_reward: Array
    kl: Array
    """To the SFT policy, in nats."""

    def fit(self, form: str) -> tuple[Fit | None, ...]:
        """Gao et al.'s form, fitted to the mean gain in true reward over the seeds; one fit a number of comparisons.

        None where fewer than `gao.FEWEST` points lie apart from the SFT policy, as after one PPO step.
        """
        gain = (self.true_reward - self.true_reward[..., :1]).mean(axis=1)
        distance = np.sqrt(np.maximum(self.kl, 0)).mean(axis=1)
        return tuple(
            fit_form(d, g, form=form) if (d > 0).sum() >= FEWEST else None for d, g in zip(distance, gain, strict=True)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Overoptimisation:
    """Both ways, side by side."""

    counts: Indices
    """(C,) comparisons."""
    seeds: Indices
    """(S,) that are whole."""
    ppo: Path
    """N = T+1 PPO steps at beta 0."""
    best_of_n: Path
    """N = 9 values of n, from 1 to 256."""
    bound: Array
    """(N,) `log n - (n-1)/n`, the upper bound on best-of-n's KL."""


def overoptimise(
    settings: Settings, *, counts: Sequence[int] = COUNTS, seeds: Sequence[int] = range(5)
) -> Overoptimisation:
    """Optimise against reward models from few and many comparisons; see `overoptimise_pieces`."""
    return finish(overoptimise_pieces(settings, counts=counts, seeds=seeds))


def overoptimise_pieces(
    settings: Settings, *, counts: Sequence[int] = COUNTS, seeds: Sequence[int] = range(5)
) -> Iterator[Progress[Overoptimisation]]:
    """Optimise against reward models from few and many comparisons, run by run.

    Parameters
    ----------
    settings : Settings
        Its `beta`, `n_comparisons` and `seed` are not read: the penalty is 0.

    Yields
    ------
    Progress
        Counted in runs; the result holds the seeds that are whole.

    Raises
    ------
    ValueError
        If a number of comparisons or a seed is out of range, or there is none.

    References
    ----------
    Gao, Schulman and Hilton (2022), arXiv:2210.10760.
    """
    kept, numbers = checked_seeds(seeds), tuple(counts)
    if not numbers:
        raise ValueError("counts must hold at least one number of comparisons, got none")
    rows: list[list[tuple[Worth, Worth]]] = []
    result, done = None, 0
    for s, seed in enumerate(kept):
        row = []
        for count in numbers:
            run = run_pipeline(replace(settings, seed=seed, beta=0.0, n_comparisons=count))
            best = np.stack([best_of_n(run.sft.log_probs[-1], run.reward.scores, n) for n in BEST_OF])
            row.append((worth(run.ppo.log_probs, run), worth(best, run)))
            done += 1
            if len(row) == len(numbers):
                rows.append(row)
                result = _gathered(numbers, kept[: s + 1], rows)
            yield Progress(done, len(kept) * len(numbers), result)


def _gathered(
    counts: tuple[int, ...], seeds: tuple[int, ...], rows: list[list[tuple[Worth, Worth]]]
) -> Overoptimisation:
    def path(which: int) -> Path:
        names = ("reward", "labeller_reward", "true_reward", "kl")
        return Path(
            **{
                name: np.array([[getattr(row[c][which], name) for row in rows] for c in range(len(counts))])
                for name in names
            }
        )

    return Overoptimisation(np.array(counts), np.array(seeds), path(0), path(1), kl_bound(np.array(BEST_OF)))
