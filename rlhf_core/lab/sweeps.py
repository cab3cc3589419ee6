"""Sweeps over settings: what beta buys, and whether more labels or better ones help.

PPO runs of one seed that differ only in beta stand below each other as if they were prompts of one run, which
costs about half as much; each gives the very numbers that `run_pipeline` gives.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rlhf_core import policy, ppo
from rlhf_core.distributions import Array
from rlhf_core.lab.work import Progress, finish
from rlhf_core.lab.worlds import before_ppo, checked_seeds, worth
from rlhf_core.optimum import optimal_log_probs
from rlhf_core.pipeline import PipelineRun, streams
from rlhf_core.policy import Indices
from rlhf_core.settings import Settings

BETAS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)
PIECE = 10
"""PPO steps between two reports of progress."""


@dataclass(frozen=True, slots=True, eq=False)
class BetaSweep:
    """Where PPO ends at B penalties under S seeds, beside the exact optimum for the same reward; arrays (B, S)."""

    betas: Array
    """(B,) in reward units per nat."""
    seeds: Indices
    """(S,)."""
    reward: Array
    kl: Array
    true_reward: Array
    labeller_reward: Array
    entropy: Array
    optimum_reward: Array
    optimum_kl: Array
    optimum_true_reward: Array
    sft_true_reward: Array
    """(S,) what PPO starts from."""


def beta_sweep(
    settings: Settings, *, betas: Sequence[float] = BETAS, seeds: Sequence[int] = range(5)
) -> BetaSweep:
    """PPO at many penalties and seeds; see `beta_sweep_pieces`."""
    return finish(beta_sweep_pieces(settings, betas=betas, seeds=seeds))


def beta_sweep_pieces(
    settings: Settings, *, betas: Sequence[float] = BETAS, seeds: Sequence[int] = range(5)
) -> Iterator[Progress[BetaSweep]]:
    """PPO at many penalties, seed by seed; every other setting is the reader's.

    Parameters
    ----------
    settings : Settings
        Its `beta` and `seed` are not read.
    betas : sequence of float
        Each in the range of the setting `beta`, in rising order.
    seeds : sequence of int

    Yields
    ------
    Progress
        Counted in PPO steps of one beta; the result holds the seeds done so far.

    Raises
    ------
    ValueError
        If a beta or a seed is out of range, or there is none.
    """
    kept = tuple(sorted({Settings(beta=beta).beta for beta in betas}))
    if not kept:
        raise ValueError("betas must hold at least one value, got none")
    chosen = checked_seeds(seeds)
    total, done = len(chosen) * len(kept) * settings.ppo_steps, 0
    columns: list[dict[str, Array]] = []
    for seed in chosen:
        run = before_ppo(settings, seed)
        reached = run.sft.logits
        for reached in _stacked(run, settings, kept):  # noqa: B007 (the last one counts)
            done += len(kept)
            if done // len(kept) % PIECE == 0:
                yield Progress(done, total, _swept(kept, chosen, columns))
        columns.append(_column(run, reached, kept))
        yield Progress(done, total, _swept(kept, chosen, columns))


def _stacked(run: PipelineRun, settings: Settings, betas: tuple[float, ...]) -> Iterator[policy.Tables]:
    """PPO at every beta from one SFT policy, all with the draws that a single run has."""
    n_betas, draw = len(betas), streams(run.settings.seed)[2].random
    logits = tuple(np.tile(table, (n_betas, *(1,) * (table.ndim - 1))) for table in run.sft.logits)
    rewards = np.tile(run.reward.scores, (n_betas, 1))
    penalties = np.repeat(betas, len(run.scenario.prompts))[:, None]

    def shared(shape: tuple[int, ...]) -> Array:
        return np.tile(draw((shape[0] // n_betas, *shape[1:])), (n_betas, 1, 1))

    for step in ppo.steps(logits, rewards, settings, shared, beta=penalties):
        yield step.logits


def _column(run: PipelineRun, logits: policy.Tables, betas: tuple[float, ...]) -> dict[str, Array]:
    """Figures of one seed, each (B,)."""
    shape = (len(betas), *run.reward.scores.shape)
    reached = worth(policy.response_log_probs(policy.log_tables(logits)).reshape(shape), run)
    ref, scores = run.sft.log_probs[-1], run.reward.scores
    best = worth(np.stack([optimal_log_probs(ref, scores, beta=beta)[0] for beta in betas]), run)
    return {
        "reward": reached.reward,
        "kl": reached.kl,
        "true_reward": reached.true_reward,
        "labeller_reward": reached.labeller_reward,
        "entropy": reached.entropy,
        "optimum_reward": best.reward,
        "optimum_kl": best.kl,
        "optimum_true_reward": best.true_reward,
        "sft_true_reward": worth(ref, run).true_reward,
    }


def _swept(betas: tuple[float, ...], seeds: tuple[int, ...], columns: list[dict[str, Array]]) -> BetaSweep | None:
    if not columns:
        return None
    stacked = {name: np.stack([column[name] for column in columns], axis=-1) for name in columns[0]}
    return BetaSweep(betas=np.array(betas), seeds=np.array(seeds[: len(columns)]), **stacked)
