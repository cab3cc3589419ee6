"""The same settings under several seeds, and what a policy is worth in each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rlhf_core.distributions import Array, entropy, expectation, kl_divergence
from rlhf_core.pipeline import PipelineRun, run_pipeline
from rlhf_core.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Worth:
    """Exact figures of some policies, means over prompts; each array (...) for log-probabilities (..., P, R)."""

    reward: Array
    """In reward units."""
    labeller_reward: Array
    """In true-reward units."""
    true_reward: Array
    """In true-reward units."""
    kl: Array
    """To the SFT policy, in nats."""
    entropy: Array
    """In nats."""


def before_ppo(settings: Settings, seed: int) -> PipelineRun:
    """SFT policy, comparisons and reward model of a seed; its PPO is a single step that nobody reads."""
    return run_pipeline(replace(settings, seed=seed, ppo_steps=1, rollouts=1))


def worth(log_probs: Array, run: PipelineRun) -> Worth:
    """What policies are worth in a run's world.

    Parameters
    ----------
    log_probs : (..., P, R) array
    """
    return Worth(
        reward=expectation(log_probs, run.reward.scores).mean(axis=-1),
        labeller_reward=expectation(log_probs, run.labeller_reward).mean(axis=-1),
        true_reward=expectation(log_probs, run.scenario.true_reward).mean(axis=-1),
        kl=kl_divergence(log_probs, run.sft.log_probs[-1]).mean(axis=-1),
        entropy=entropy(log_probs).mean(axis=-1),
    )


def stream(seed: int, experiment: str) -> np.random.Generator:
    """Random numbers of an experiment, apart from those of the pipeline's stages."""
    return np.random.default_rng(np.random.SeedSequence([seed, *experiment.encode()]))


def checked_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    """Seeds, each once, as they were given.

    Raises
    ------
    ValueError
        If there is none.
    """
    kept = tuple(dict.fromkeys(int(seed) for seed in seeds))
    if not kept:
        raise ValueError("seeds must hold at least one seed, got none")
    return kept
