"""Which method? From one SFT policy and one set of comparisons: PPO, RLOO, GRPO, Dr. GRPO, RFT, best-of-n and DPO."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice

import numpy as np

from rlhf_core import policy, ppo
from rlhf_core.distributions import Array
from rlhf_core.lab import grpo, rejection
from rlhf_core.lab.best_of_n import BEST_OF, best_of_n
from rlhf_core.lab.dpo import dpo
from rlhf_core.lab.work import Progress, finish
from rlhf_core.lab.worlds import Worth, before_ppo, checked_seeds, stream, worth
from rlhf_core.pipeline import PipelineRun
from rlhf_core.policy import Indices, Tables
from rlhf_core.settings import Settings

DEFAULT_ROLLOUTS = 32
"""Answers a prompt and step where the settings ask for the exact expectation, which samples nothing."""
KEEP_ONE_OF = 4
"""RFT keeps the best of so many answers."""
N_TOKENS = 3


@dataclass(frozen=True, slots=True)
class Method:
    """A way from the SFT policy to a better one, and what it needs."""

    name: str
    label: str
    needs: str
    axis: str
    """What its points count."""


METHODS = (
    Method("ppo", "PPO", "reward model, samples, reference policy", "PPO steps"),
    Method("rloo", "RLOO", "reward model, samples, reference policy", "steps"),
    Method("grpo", "GRPO", "reward model, samples, reference policy", "steps"),
    Method("dr_grpo", "Dr. GRPO", "reward model, samples, reference policy", "steps"),
    Method("rft", "Rejection sampling", "reward model, samples", "rounds"),
    Method("best_of_n", "Best-of-n", "reward model, n samples an answer, no training", "n"),
    Method("dpo", "DPO", "the comparisons themselves, reference policy", "epochs"),
)
NAMES = tuple(method.name for method in METHODS)


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """One method under S seeds at N points from the SFT policy on; arrays (S, N), exact, means over prompts."""

    method: Method
    points: Indices
    """(N,) steps, rounds, epochs or n."""
    reward: Array
    labeller_reward: Array
    true_reward: Array
    kl: Array
    """To the SFT policy, in nats."""
    entropy: Array
    samples: int
    """Answers drawn for each prompt until the last point; for best-of-n for each answer given."""
    reward_calls: int
    gradient_steps: int


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """What DPO does to the pairs that it trains on, under S seeds at E+1 gradient steps; arrays (S, E+1)."""

    chosen: Array
    """Log-probability of the chosen responses, in nats."""
    rejected: Array
    """Of the rejected ones."""
    margin: Array
    """Implicit reward of the chosen minus that of the rejected response, in log-odds."""
    accuracy: Array
    """Share of pairs whose chosen response has the higher implicit reward."""
    compared: Array
    """Probability of all answers that occur in some training pair."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """All methods under the same seeds."""

    seeds: Indices
    paths: tuple[Path, ...]
    pairs: Followed | None
    """None unless DPO is among the methods."""


def compare_methods(
    settings: Settings, *, seeds: Sequence[int] = range(5), methods: Sequence[str] = NAMES
) -> Comparison:
    """Train every method from the same start; see `compare_methods_pieces`."""
    return finish(compare_methods_pieces(settings, seeds=seeds, methods=methods))


def compare_methods_pieces(
    settings: Settings, *, seeds: Sequence[int] = range(5), methods: Sequence[str] = NAMES
) -> Iterator[Progress[Comparison]]:
    """Train every method from the same SFT policy, on the same reward model or comparisons, seed by seed.

    Steps, rollouts, clip range, epochs, learning rate and beta are the settings' for all; GRPO's learning rate is
    multiplied by the three tokens of an answer, by which its length mean divides.

    Yields
    ------
    Progress
        Counted in methods times seeds; the result holds the seeds that are whole.

    Raises
    ------
    ValueError
        If there is no seed or a method is unknown.
    """
    kept, known = checked_seeds(seeds), {method.name: method for method in METHODS}
    if unknown := [name for name in methods if name not in known]:
        raise ValueError(f"methods must be of {', '.join(known)}, got {unknown[0]!r}")
    chosen = [known[name] for name in methods]
    rows: dict[str, list[Worth]] = {method.name: [] for method in chosen}
    pairs: list[list[Array]] = []
    result, done = None, 0
    for s, seed in enumerate(kept):
        run = before_ppo(settings, seed)
        for method in chosen:
            if method.name == "dpo":
                trace = dpo(replace_settings(run, settings))
                pairs.append([getattr(trace, spec.name) for spec in fields(Followed)])
                walked = trace.log_probs[:: settings.ppo_epochs]
            else:
                walked = _walk(method, run, settings)
            rows[method.name].append(worth(walked, run))
            done += 1
            if method is chosen[-1]:
                paths = tuple(_path(each, rows[each.name], settings) for each in chosen)
                followed = Followed(*np.array(pairs).transpose(1, 0, 2)) if pairs else None
                result = Comparison(np.array(kept[: s + 1]), paths, followed)
            yield Progress(done, len(kept) * len(chosen), result)


def points_of(method: Method, settings: Settings) -> Indices:
    """What a method's points count: n for best-of-n, else steps from 0 on, (N,)."""
    return np.array(BEST_OF) if method.name == "best_of_n" else np.arange(settings.ppo_steps + 1)


def _walk(method: Method, run: PipelineRun, settings: Settings) -> Array:
    """Log-probabilities of every policy on the way, (N, P, R); of all methods but DPO."""
    ref = run.sft.log_probs[-1]
    if method.name == "best_of_n":
        return np.stack([best_of_n(ref, run.reward.scores, n) for n in BEST_OF])
    tables = islice(WALKS[method.name](run, settings), settings.ppo_steps)
    return np.stack([ref, *(policy.response_log_probs(policy.log_tables(logits)) for logits in tables)])


def replace_settings(run: PipelineRun, settings: Settings) -> PipelineRun:
    """A run with the settings that an experiment asked for; its PPO is not theirs."""
    return replace(run, settings=replace(settings, seed=run.settings.seed))


def _ppo(run: PipelineRun, settings: Settings, estimator: str) -> Iterator[Tables]:
    asked = replace(settings, advantage=estimator, rollouts=settings.rollouts or DEFAULT_ROLLOUTS)
    draw = stream(run.settings.seed, "methods").random
    return (step.logits for step in ppo.steps(run.sft.logits, run.reward.scores, asked, draw, beta=settings.beta))


def _grpo(run: PipelineRun, settings: Settings, *, published: bool) -> Iterator[Tables]:
    method = grpo.GRPO(
        beta=settings.beta,
        rollouts=settings.rollouts or DEFAULT_ROLLOUTS,
        clip_range=settings.clip_range,
        n_epochs=settings.ppo_epochs,
        learning_rate=settings.ppo_learning_rate * (N_TOKENS if published else 1),
        divide_by_spread=published,
        divide_by_length=published,
        kl="loss_k3" if published else "reward_k1",
    )
    return grpo.steps(run.sft.logits, run.reward.scores, method, stream(run.settings.seed, "methods").random)


def _rft(run: PipelineRun, settings: Settings) -> Iterator[Tables]:
    rollouts = settings.rollouts or DEFAULT_ROLLOUTS
    return rejection.steps(
        run.sft.logits,
        run.reward.scores,
        stream(run.settings.seed, "methods").random,
        rollouts=rollouts,
        group=min(KEEP_ONE_OF, rollouts),
        n_epochs=settings.ppo_epochs,
        learning_rate=settings.ppo_learning_rate,
    )


WALKS: dict[str, Callable[[PipelineRun, Settings], Iterator[Tables]]] = {
    "ppo": lambda run, settings: _ppo(run, settings, settings.advantage),
    "rloo": lambda run, settings: _ppo(run, settings, "leave_one_out"),
    "grpo": lambda run, settings: _grpo(run, settings, published=True),
    "dr_grpo": lambda run, settings: _grpo(run, settings, published=False),
    "rft": _rft,
}


def _path(method: Method, rows: list[Worth], settings: Settings) -> Path:
    samples = settings.ppo_steps * (settings.rollouts or DEFAULT_ROLLOUTS)
    counts = {"best_of_n": (BEST_OF[-1], BEST_OF[-1], 0), "dpo": (0, 0, settings.ppo_steps * settings.ppo_epochs)}
    drawn, called, climbed = counts.get(method.name, (samples, samples, settings.ppo_steps * settings.ppo_epochs))
    names = ("reward", "labeller_reward", "true_reward", "kl", "entropy")
    figures = {name: np.stack([getattr(row, name) for row in rows]) for name in names}
    points = points_of(method, settings)
    return Path(method, points, **figures, samples=drawn, reward_calls=called, gradient_steps=climbed)
