"""Long runs without a penalty, kept small: what over-optimisation does to each prompt, with clashes and without."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from rlhf_core import Settings, load_scenario, pipeline, run_pipeline
from rlhf_core.scenarios import FOLDER, parse_scenario

SEEDS = range(10)


@dataclass(frozen=True)
class LongRun:
    """One seed's 60 steps with beta = 0."""

    true_reward: np.ndarray
    """(61,) mean over prompts."""
    reward: np.ndarray
    """(61,)"""
    worth: np.ndarray
    """(3, P) true reward per prompt: of the SFT policy, where the mean is highest, and at the end."""
    favourites: tuple[tuple[str, str, str], ...]
    """Per prompt, the kinds of the likeliest response at the end."""

    @property
    def lost_share(self) -> float:
        """Share of the gain up to the peak that is lost again by the end; 1 where nothing was ever gained."""
        gain = self.true_reward.max() - self.true_reward[0]
        return float((self.true_reward.max() - self.true_reward[-1]) / gain) if gain > 0 else 1.0


@cache
def long_runs(scenario: str, labeller_bias: float, clashes: bool = True) -> tuple[LongRun, ...]:
    """By seed."""
    with with_clashes(scenario) if clashes else without_clashes(scenario):
        return tuple(_long_run(scenario, labeller_bias, seed) for seed in SEEDS)


def share_losing_a_tenth(scenario: str, labeller_bias: float, clashes: bool = True) -> float:
    """Share of the seeds that lose a tenth or more of what they had gained in true reward."""
    return float(np.mean([each.lost_share >= 0.1 for each in long_runs(scenario, labeller_bias, clashes)]))


def _long_run(scenario: str, labeller_bias: float, seed: int) -> LongRun:
    settings = Settings(scenario=scenario, seed=seed, labeller_bias=labeller_bias, beta=0, ppo_steps=60)
    ours = run_pipeline(settings)
    peak = int(ours.ppo.true_reward.argmax())
    likeliest = ours.ppo.log_probs[-1].argmax(axis=1)
    return LongRun(
        true_reward=ours.ppo.true_reward,
        reward=ours.ppo.reward,
        worth=np.einsum("kpr,pr->kp", np.exp(ours.ppo.log_probs[[0, peak, -1]]), ours.scenario.true_reward),
        favourites=tuple(
            tuple(phrase.kind for phrase in ours.scenario.parts(p, int(r))) for p, r in enumerate(likeliest)
        ),
    )


@contextmanager
def with_clashes(scenario: str) -> Iterator[None]:
    """The scenario as it ships."""
    yield


@contextmanager
def without_clashes(scenario: str) -> Iterator[None]:
    """The scenario with every clash set to 0, wherever the pipeline loads it."""
    text = (FOLDER / f"{scenario}.toml").read_text(encoding="utf-8")
    bare, n_clashes = re.subn(r"(?m)^penalty = .*$", "penalty = 0.0", text)
    assert n_clashes == len(load_scenario(scenario).clashes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "load_scenario", lambda name: parse_scenario(bare, name))
        pipeline.first_stages.cache_clear()
        try:
            yield
        finally:
            pipeline.first_stages.cache_clear()
