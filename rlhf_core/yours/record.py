"""What can be read off a training run, whoever trained it: named series along its steps, and single facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from rlhf_core.distributions import Array, expectation, kl_divergence
from rlhf_core.lifetime import while_it_is_there
from rlhf_core.pipeline import PipelineRun
from rlhf_core.scenarios import Scenario

KNOWN: Mapping[str, str] = MappingProxyType(
    {
        "reward": "reward-model score of an answer, without penalty [reward units]",
        "reward_spread": "standard deviation of the scores of one prompt's answers [reward units]",
        "penalised_reward": "score minus beta times KL [reward units]",
        "kl": "KL of policy to reference, summed over an answer [nats per answer]",
        "step_kl": "KL of the policy after an update to the one before it [nats per token]",
        "clip_fraction": "share of tokens whose gradient clipping set to zero",
        "entropy": "entropy of the policy over whole answers, exact or without padding [nats per answer]",
        "equal_groups": "share of prompts whose sampled answers all have the same reward",
        "length": "mean length of an answer [words or tokens]",
        "true_reward": "what a careful reader thinks of the answers [true-reward units]",
        "labeller_reward": "what the labellers think of the answers [true-reward units]",
        "heldout_accuracy": "share of held-out pairs whose chosen answer has the higher score",
        "beta": "KL penalty [reward units per nat]",
        "optimum_kl": "KL of the best policy for this reward and beta [nats per answer]",
        "largest_kl": "largest KL that any policy can have here [nats per answer]",
        "heldout_pairs": "number of pairs behind the held-out accuracy",
        "ceiling": "expected accuracy of somebody who knew the labellers' judgement",
        "agreement": "share of pairs on which two labellers agree",
        "token_kl": "KL of policy to reference, mean over tokens [nats per token]",
        "token_entropy": "entropy of the next-token distribution, mean over tokens [nats per token]",
        "critic_loss": "loss of the value function [squared reward units]",
        "pair_loss": "loss of DPO on training pairs [nats per pair]",
        "heldout_loss": "loss on pairs that are not trained on [nats per pair]",
        "pair_accuracy": "share of pairs whose chosen answer has the higher reward, implicit or not",
        "margin": "implicit reward of chosen minus rejected answers [log-odds]",
        "chosen_log_prob": "log-probability of the chosen answers [nats per answer]",
        "rejected_log_prob": "log-probability of the rejected answers [nats per answer]",
        "advantage_spread": "standard deviation of the advantages [reward units]",
        "truth_spread": "standard deviation of the true reward of one prompt's answers [true-reward units]",
    }
)
"""Names that the checks ask for, with what they mean and their units: series, or facts about the whole run."""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """Series along the N steps of a run, nan where a step has no value, and facts about the whole of it.

    Raises
    ------
    ValueError
        If a name is unknown, or a series is not as long as the steps.
    """

    steps: Array
    """(N,) numbers of the steps, rising; whole numbers, whatever the source counts."""
    series: Mapping[str, Array]
    """Name in `KNOWN` to values (N,)."""
    facts: Mapping[str, float] = field(default_factory=dict)
    """Name in `KNOWN` to one value for the whole run; where a name is both, the fact counts."""
    window: int = 1
    """Values averaged where a level is read off: 1 for exact series, more for noisy ones."""

    def __post_init__(self) -> None:
        for name in (*self.series, *self.facts):
            if name not in KNOWN:
                raise ValueError(f"names must be among {', '.join(KNOWN)}, got {name!r}")
        for name, values in self.series.items():
            if values.shape != self.steps.shape:
                raise ValueError(f"{name} must have shape {self.steps.shape}, got {values.shape}")
        if self.window < 1:
            raise ValueError(f"window must be >= 1, got {self.window}")

    def has(self, name: str) -> bool:
        """Whether there is any value of this name."""
        given = self.facts[name] if name in self.facts else self.series.get(name, np.nan)
        return bool(np.isfinite(given).any())

    def values(self, name: str) -> Array:
        """The finite values of a series, in order."""
        values = self.series[name]
        return values[np.isfinite(values)]

    def step_of(self, name: str, index: int) -> str:
        """Number of the step at which the finite value `index` of a series stands."""
        return f"{self.steps[np.isfinite(self.series[name])][index]:.0f}"

    def first(self, name: str) -> float:
        """Level at which a series begins."""
        return float(self.values(name)[: self.window].mean())

    def last(self, name: str) -> float:
        """Level at which a series stands at the end; a fact is its own level."""
        return self.facts[name] if name in self.facts else float(self.values(name)[-self.window :].mean())

    def smooth(self, name: str) -> Array:
        """Means of `window` values each, in order; the series itself where it is exact."""
        values = self.values(name)
        width = min(self.window, len(values))
        return np.convolve(values, np.full(width, 1 / width), mode="valid") if width > 1 else values

    def upto(self, n_rows: int) -> "Record":
        """The record as it was after its first `n_rows` rows."""
        series = {name: values[:n_rows] for name, values in self.series.items()}
        return replace(self, steps=self.steps[:n_rows], series=series)


def of_run(run: PipelineRun) -> Record:
    """Everything that a run of ours knows about itself: T+1 rows, the first before any PPO step; all exact."""
    ppo, scores, pairs = run.ppo, run.reward.scores, run.reward.pairs
    tokens = len(run.scenario.shape)
    series = {
        "reward": ppo.reward,
        "reward_spread": spread(ppo.log_probs, scores),
        "penalised_reward": ppo.objective,
        "kl": ppo.kl,
        "step_kl": _from_first_step(kl_divergence(ppo.log_probs[1:], ppo.log_probs[:-1]).mean(axis=1) / tokens),
        "clip_fraction": _from_first_step(ppo.clip_fraction[1:]),
        "entropy": ppo.entropy,
        "length": expectation(ppo.log_probs, _words(run.scenario)).mean(axis=1),
        "true_reward": ppo.true_reward,
        "labeller_reward": ppo.labeller_reward,
    }
    if run.settings.rollouts > 1:
        ranges = np.stack([np.ptp(batch.rewards, axis=1) for batch in ppo.rollouts])
        series["equal_groups"] = _from_first_step((ranges < 1e-9).mean(axis=1))
    facts = {
        "beta": run.settings.beta,
        "optimum_kl": run.optimum.kl,
        "largest_kl": float(-ppo.log_probs[0].min(axis=1).mean()),
        "heldout_accuracy": float(run.reward.heldout_accuracy[-1]),
        "heldout_pairs": float(pairs.heldout.sum()),
        "ceiling": pairs.ceiling,
        "agreement": pairs.agreement,
        "truth_spread": float(spread(ppo.log_probs[0], run.scenario.true_reward)),
    }
    return Record(np.arange(len(ppo.kl), dtype=np.float64), series, facts)


def spread(log_probs: Array, values: Array) -> Array:
    """Standard deviation of (P, R) values under (..., P, R) policies, root of the mean variance over prompts."""
    variance = expectation(log_probs, values**2) - expectation(log_probs, values) ** 2
    result: Array = np.sqrt(variance.clip(0).mean(axis=-1))
    return result


@while_it_is_there
def _words(scenario: Scenario) -> Array:
    """Length of every response in words, (P, R)."""
    return np.array([[len(text.split()) for text in texts] for texts in scenario.responses], dtype=np.float64)


def _from_first_step(values: Array) -> Array:
    """Values of the T steps as a series of T+1 rows; before the first step there is none."""
    return np.concatenate([[np.nan], values])
