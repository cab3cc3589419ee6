"""Fresh labels: compare what the current policy writes, fit the reward model again, optimise again.

for each round:  label N/K pairs of answers by the current policy;  fit the reward model to all labels so far
PPO from the SFT policy against the new reward model
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rlhf_core import policy, ppo, preferences, reward_model
from rlhf_core.calibration import correlation
from rlhf_core.distributions import Array
from rlhf_core.lab.work import Progress, finish
from rlhf_core.lab.worlds import before_ppo, checked_seeds, stream, worth
from rlhf_core.pipeline import PipelineRun
from rlhf_core.policy import Indices
from rlhf_core.preferences import Pairs
from rlhf_core.reward_model import RewardTrace
from rlhf_core.settings import Settings

N_ROUNDS = (1, 2, 4)
LEAST_PAIRS = 24
"""Fewest that a round may have."""


@dataclass(frozen=True, slots=True, eq=False)
class Rounds:
    """The same number of labels spent in 1, 2, 4 … rounds under S seeds; arrays (N, S), nan where still to come."""

    n_rounds: Indices
    """(N,)."""
    seeds: Indices
    """(S,)."""
    reward: Array
    """After the last round, by its own reward model, in its reward units."""
    true_reward: Array
    """After the last round, in true-reward units."""
    labeller_reward: Array
    kl: Array
    """To the SFT policy, in nats."""
    correlation: Array
    """Of the last reward model's score and the true reward among the answers of the policy that it made; nan where
    that policy gives but one answer."""
    sft_true_reward: Array
    """(S,)."""


def rounds(settings: Settings, *, n_rounds: Sequence[int] = N_ROUNDS, seeds: Sequence[int] = range(8)) -> Rounds:
    """Spend the same number of labels in one round or in several; see `rounds_pieces`."""
    return finish(rounds_pieces(settings, n_rounds=n_rounds, seeds=seeds))


def rounds_pieces(
    settings: Settings, *, n_rounds: Sequence[int] = N_ROUNDS, seeds: Sequence[int] = range(8)
) -> Iterator[Progress[Rounds]]:
    """Spend the same number of labels in one round or in several, seed by seed.

    Parameters
    ----------
    settings : Settings
        Its `n_comparisons` is the number of labels in all, `ppo_steps` those of each round.
    n_rounds : sequence of int
        Each from 1 to the number of comparisons that leaves every round at least `LEAST_PAIRS`.

    Yields
    ------
    Progress
        Counted in rounds of PPO.

    Raises
    ------
    ValueError
        If a number of rounds is out of range or there is no seed.

    References
    ----------
    Bai et al. (2022), arXiv:2204.05862, section 4.5; Touvron et al. (2023), arXiv:2307.09288, section 3.
    """
    counts, kept = tuple(n_rounds), checked_seeds(seeds)
    most = settings.n_comparisons // LEAST_PAIRS
    if not counts or not all(1 <= count <= most for count in counts):
        raise ValueError(
            f"n_rounds must be from 1 to {most}, so that each has {LEAST_PAIRS} of the pairs, got {list(counts)}"
        )
    arrays = {name: np.full((len(counts), len(kept)), np.nan) for name in FIGURES}
    sft_truth, total, done = np.full(len(kept), np.nan), len(kept) * sum(counts), 0
    for s, seed in enumerate(kept):
        run = before_ppo(settings, seed)
        sft_truth[s] = run.ppo.true_reward[0]
        for n, count in enumerate(counts):
            for last in _played(run, replace(settings, seed=seed), count):
                done += 1
                if last is not None:
                    for name, value in zip(FIGURES, last, strict=True):
                        arrays[name][n, s] = value
                shown = {name: values[:, : s + 1].copy() for name, values in arrays.items()}
                result = Rounds(np.array(counts), np.array(kept[: s + 1]), **shown, sft_true_reward=sft_truth[: s + 1])
                yield Progress(done, total, result)


FIGURES = ("reward", "true_reward", "labeller_reward", "kl", "correlation")


def _played(run: PipelineRun, settings: Settings, count: int) -> Iterator[tuple[float, ...] | None]:
    """All rounds of one seed, one at a time; the figures come with the last."""
    rng, writer = stream(settings.seed, f"rounds-{count}"), run.sft.log_probs[-1]
    batches: list[Pairs] = []
    for k in range(count):
        n_new = (k + 1) * settings.n_comparisons // count - k * settings.n_comparisons // count
        batches.append(
            preferences.compare(
                writer, run.labeller_reward, run.scenario.heldout,
                n_comparisons=n_new, label_noise=settings.label_noise, rng=rng,
            )
        )  # fmt: skip
        fitted = refit(run, joined(batches), settings)
        taken = list(ppo.steps(run.sft.logits, fitted.scores, settings, rng.random, beta=settings.beta))
        writer = policy.response_log_probs(policy.log_tables(taken[-1].logits))
        yield _figures(run, fitted, writer) if k == count - 1 else None


def _figures(run: PipelineRun, fitted: RewardTrace, writer: Array) -> tuple[float, ...]:
    reached = worth(writer, run)
    score = float((np.exp(writer) * fitted.scores).sum(axis=-1).mean())
    alike = correlation(fitted.scores, run.scenario.true_reward, writer)
    error = float(np.nanmean(alike)) if np.isfinite(alike).any() else float("nan")
    return score, float(reached.true_reward), float(reached.labeller_reward), float(reached.kl), error


def joined(batches: Sequence[Pairs]) -> Pairs:
    """Several lists of comparisons as one."""
    names = ("prompt", "chosen", "rejected", "heldout", "p_chosen")
    return Pairs(**{name: np.concatenate([getattr(batch, name) for batch in batches]) for name in names})


def refit(run: PipelineRun, pairs: Pairs, settings: Settings) -> RewardTrace:
    """A reward model of a run's world on other comparisons; zero and unit as in the run, under its SFT policy."""
    return reward_model.train(
        run.scenario,
        pairs,
        run.sft.log_probs[-1],
        n_epochs=settings.rm_epochs,
        learning_rate=settings.rm_learning_rate,
        l2=settings.rm_l2,
    )
