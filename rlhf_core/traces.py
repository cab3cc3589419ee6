"""A run's curves as plain data, with units: for a notebook, a paper or another program."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from rlhf_core.distributions import Array

if TYPE_CHECKING:
    from rlhf_core.pipeline import PipelineRun


class Trace(NamedTuple):
    """One curve of a run: where it stands, its unit, and how to read it off."""

    name: str
    stage: str
    counted_in: str
    unit: str
    values: "Callable[[PipelineRun], Array]"


TRACES = (
    Trace("loss", "sft", "epoch", "nats per response", lambda run: run.sft.loss),
    Trace("heldout_loss", "sft", "epoch", "nats per response", lambda run: run.sft.heldout_loss),
    Trace("loss", "reward_model", "epoch", "nats per pair", lambda run: run.reward.loss),
    Trace("heldout_loss", "reward_model", "epoch", "nats per pair", lambda run: run.reward.heldout_loss),
    Trace("train_accuracy", "reward_model", "epoch", "share of pairs", lambda run: run.reward.train_accuracy),
    Trace("heldout_accuracy", "reward_model", "epoch", "share of pairs", lambda run: run.reward.heldout_accuracy),
    Trace("reward", "ppo", "step", "reward units", lambda run: run.ppo.reward),
    Trace("labeller_reward", "ppo", "step", "true-reward units", lambda run: run.ppo.labeller_reward),
    Trace("true_reward", "ppo", "step", "true-reward units", lambda run: run.ppo.true_reward),
    Trace("kl", "ppo", "step", "nats per response", lambda run: run.ppo.kl),
    Trace("entropy", "ppo", "step", "nats per response", lambda run: run.ppo.entropy),
    Trace("objective", "ppo", "step", "reward units", lambda run: run.ppo.objective),
    Trace("clip_fraction", "ppo", "step", "share of token gradients", lambda run: run.ppo.clip_fraction),
    Trace("reward", "frontier", "beta", "reward units", lambda run: run.frontier.reward),
    Trace("true_reward", "frontier", "beta", "true-reward units", lambda run: run.frontier.true_reward),
    Trace("kl", "frontier", "beta", "nats per response", lambda run: run.frontier.kl),
)
"""Every curve, the truth among them, which no real log has."""


def as_dict(run: "PipelineRun") -> dict[str, Any]:
    """Settings and curves by stage, as lists: `["ppo"]["true_reward"][k]` is after PPO step k."""
    result: dict[str, Any] = {"settings": asdict(run.settings)}
    for trace in TRACES:
        result.setdefault(trace.stage, {})[trace.name] = trace.values(run).tolist()
    result["frontier"]["betas"] = run.frontier.betas.tolist()
    return result


def tidy(run: "PipelineRun") -> list[dict[str, Any]]:
    """One record a point: stage, series, what is counted, its number, value and unit."""
    counts = run.frontier.betas.tolist()
    return [
        {"stage": trace.stage, "series": trace.name, "counted_in": trace.counted_in,
         "number": counts[i] if trace.stage == "frontier" else i, "value": value, "unit": trace.unit}
        for trace in TRACES
        for i, value in enumerate(trace.values(run).tolist())
    ]  # fmt: skip
