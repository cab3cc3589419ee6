"""When would you have stopped? Simple rules that read what a trainer logs, and what was to be had."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rlhf_core import preferences
from rlhf_core.distributions import Array
from rlhf_core.lab.work import Progress, finish
from rlhf_core.lab.worlds import checked_seeds, stream
from rlhf_core.pipeline import PipelineRun, run_pipeline
from rlhf_core.policy import Indices
from rlhf_core.settings import Settings

KL_BUDGET = 1.5
"""Nats a response at which the KL rule stops: chosen before seeing any truth, of the order of a default run's end."""
ENTROPY_SHARE = 0.5
"""Share of the SFT policy's entropy below which the entropy rule stops."""
PLATEAU_SHARE, PLATEAU_STEPS = 0.02, 5
"""The plateau rule stops when the score has grown by less than this share of its whole gain in so many steps."""
N_FRESH = 60
"""Fresh pairs, by the current policy, for one look at the reward model's accuracy."""


def by_kl(run: PipelineRun) -> int:
    """First step whose KL exceeds `KL_BUDGET`."""
    return _first(run.ppo.kl > KL_BUDGET)


def by_entropy(run: PipelineRun) -> int:
    """First step whose entropy is below `ENTROPY_SHARE` of the SFT policy's."""
    return _first(run.ppo.entropy < ENTROPY_SHARE * run.ppo.entropy[0])


def by_plateau(run: PipelineRun) -> int:
    """First step after which the score has hardly grown for `PLATEAU_STEPS` steps."""
    reward = run.ppo.reward
    lately = reward[PLATEAU_STEPS:] - reward[:-PLATEAU_STEPS]
    gained = reward[PLATEAU_STEPS:] - reward[0]
    flat = np.concatenate([np.zeros(PLATEAU_STEPS, dtype=bool), lately < PLATEAU_SHARE * gained])
    return _first(flat[: len(reward)])


def at_the_end(run: PipelineRun) -> int:
    """The last step, whatever happens."""
    return run.settings.ppo_steps


RULES: Mapping[str, Callable[[PipelineRun], int]] = {
    "fixed KL": by_kl,
    "entropy": by_entropy,
    "score plateau": by_plateau,
    "always to the end": at_the_end,
}


@dataclass(frozen=True, slots=True, eq=False)
class Stopping:
    """Where rules would have stopped S runs, and what they would have got."""

    seeds: Indices
    """(S,)."""
    rules: tuple[str, ...]
    steps: Indices
    """(rules, S) PPO steps done."""
    reached: Array
    """(rules, S) share of the best gain in true reward that was had at that step."""
    true_reward: Array
    """(S, T+1) in true-reward units."""


def reached_share(true_reward: Array, step: int) -> float:
    """Gain in true reward at a step as a share of the largest gain at any step; negative if answers got worse.

    Where no step is better than the first, standing still is the best: 1 at the start, and below it what was lost,
    in units of the start's distance to the worst step.
    """
    gain = true_reward - true_reward[0]
    best, worst = float(gain.max()), float(gain.min())
    if best > 0:
        return float(gain[step]) / best
    return 1 - float(gain[step]) / worst if worst < 0 else 1.0


def fresh_accuracy(run: PipelineRun, step: int) -> tuple[float, int]:
    """Accuracy of the reward model on fresh pairs that the policy after a step writes and labellers label.

    Returns
    -------
    accuracy : float
        Share of pairs whose chosen response scores strictly higher.
    n_pairs : int
    """
    pairs = preferences.compare(
        run.ppo.log_probs[step], run.labeller_reward, run.scenario.heldout,
        n_comparisons=N_FRESH, label_noise=run.settings.label_noise, rng=stream(run.settings.seed, f"fresh-{step}"),
    )  # fmt: skip
    scores = run.reward.scores
    return float(np.mean(scores[pairs.prompt, pairs.chosen] > scores[pairs.prompt, pairs.rejected])), N_FRESH


def stopping(settings: Settings, *, seeds: Sequence[int] = range(20)) -> Stopping:
    """Let every rule stop every seed's run; see `stopping_pieces`."""
    return finish(stopping_pieces(settings, seeds=seeds))


def stopping_pieces(settings: Settings, *, seeds: Sequence[int] = range(20)) -> Iterator[Progress[Stopping]]:
    """Let every rule stop every seed's run.

    Yields
    ------
    Progress
        Counted in runs.

    Raises
    ------
    ValueError
        If there is no seed.
    """
    kept, names = checked_seeds(seeds), tuple(RULES)
    truths: list[Array] = []
    stops: list[list[int]] = []
    for i, seed in enumerate(kept):
        run = run_pipeline(replace(settings, seed=seed))
        truths.append(run.ppo.true_reward)
        stops.append([RULES[name](run) for name in names])
        reached = [[reached_share(t, s) for s in row] for t, row in zip(truths, stops, strict=True)]
        result = Stopping(np.array(kept[: i + 1]), names, np.array(stops).T, np.array(reached).T, np.stack(truths))
        yield Progress(i + 1, len(kept), result)


def _first(reached: NDArray[np.bool_]) -> int:
    """First step at which something holds; the last step if it never does."""
    return int(np.argmax(reached)) if reached.any() else len(reached) - 1
