"""PPO written a second time: one prompt, one response, one token at a time.

It shares nothing with `rlhf_core.ppo` but the settings, and starts each step from the recorded
logits and responses alone; only GAE's value table is carried from step to step.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from rlhf_core import PipelineRun, Settings
from tests.core.tools import Array

Path = tuple[int, ...]
"""The first tokens of a response."""


@dataclass(frozen=True)
class Step:
    """What the replay of one PPO step found for one prompt: tables, and arrays (G,) or (G, 3)."""

    logits: list[Array]
    rewards: Array
    log_ratio_to_ref: Array
    advantages: Array
    ratio: Array
    clip_fraction: float


def paths(responses: Array) -> list[Path]:
    """Opening, body and closing of responses numbered `(opening * 5 + body) * 4 + closing`."""
    return [(int(y) // 20, int(y) // 4 % 5, int(y) % 4) for y in responses]


def token_log_probs(logits: list[Array], drawn: list[Path]) -> Array:
    tables = [special.log_softmax(table, axis=-1) for table in logits]
    return np.array([[tables[t][path[: t + 1]] for t in range(3)] for path in drawn])


def replay(run: PipelineRun, prompt: int) -> list[Step]:
    """All steps of one prompt."""
    settings, values = run.settings, dict[Path, float]()
    reference = [table[prompt] for table in run.ppo.logits[0]]
    steps = []
    for recorded, rollouts in zip(run.ppo.logits[:-1], run.ppo.rollouts, strict=True):
        logits = [table[prompt] for table in recorded]
        responses = rollouts.responses[prompt]
        drawn = paths(responses)
        log_probs = token_log_probs(logits, drawn)
        exact = settings.rollouts == 0
        weights = np.exp(log_probs.sum(axis=1)) if exact else np.full(len(drawn), 1 / len(drawn))
        rewards = run.reward.scores[prompt, responses]
        log_ratio = log_probs - token_log_probs(reference, drawn)
        if settings.advantage == "gae":
            advantages = gae(rewards, log_ratio, drawn, weights, values, settings.beta)
        else:
            advantages = group(rewards - settings.beta * log_ratio.sum(axis=1), weights, settings.advantage, exact)
        logits, clip_fraction = climb(logits, drawn, advantages, weights, settings)
        ratio = np.exp(token_log_probs(logits, drawn) - log_probs)
        steps.append(Step(logits, rewards, log_ratio, advantages, ratio, clip_fraction))
    return steps


def group(rewards: Array, weights: Array, estimator: str, exact: bool) -> Array:
    """Advantages of a group of responses, the same for each of their tokens, (G, 3)."""
    n, mean = len(rewards), float(weights @ rewards)
    if estimator == "leave_one_out" and not exact:
        advantages = np.array([reward - np.delete(rewards, i).mean() for i, reward in enumerate(rewards)])
    else:
        advantages = rewards - mean
    if estimator == "group_normalised":
        variance = float(weights @ (rewards - mean) ** 2) * (1 if exact else n / (n - 1))
        advantages = advantages / (np.sqrt(variance) + 1e-4)
    return np.column_stack([advantages] * 3)


def gae(
    rewards: Array, log_ratio: Array, drawn: list[Path], weights: Array, values: dict[Path, float], beta: float
) -> Array:
    """Advantages (G, 3) against the value table, which then moves half-way to the mean return at each prefix."""
    advantages = np.empty_like(log_ratio)
    returns: dict[Path, list[tuple[float, float]]] = {}
    for i, path in enumerate(drawn):
        later = following = 0.0
        for t in (2, 1, 0):
            value = values.get(path[:t], 0.0)
            earned = (rewards[i] if t == 2 else 0.0) - beta * log_ratio[i, t]
            later = earned + following - value + 0.95 * later
            following = value
            advantages[i, t] = later
            returns.setdefault(path[:t], []).append((weights[i], later + value))
    for prefix, seen in returns.items():
        mean = sum(weight * value for weight, value in seen) / sum(weight for weight, _ in seen)
        values[prefix] = 0.5 * values.get(prefix, 0.0) + 0.5 * mean
    return advantages


def climb(
    logits: list[Array], drawn: list[Path], advantages: Array, weights: Array, settings: Settings
) -> tuple[list[Array], float]:
    """The tables after all epochs, and the share of token gradients that were cut."""
    old, low, high = token_log_probs(logits, drawn), 1 - settings.clip_range, 1 + settings.clip_range
    cut = 0.0
    for _ in range(settings.ppo_epochs):
        probs = [special.softmax(table, axis=-1) for table in logits]
        slopes = [np.zeros_like(table) for table in logits]
        for i, path in enumerate(drawn):
            for t in range(3):
                ratio, advantage = probs[t][path[: t + 1]] / np.exp(old[i, t]), advantages[i, t]
                if (advantage > 0 and ratio > high) or (advantage < 0 and ratio < low):
                    cut += weights[i] / 3
                    continue
                push = weights[i] * ratio * advantage
                slopes[t][path[: t + 1]] += push
                slopes[t][path[:t]] -= push * probs[t][path[:t]]
        logits = [table + settings.ppo_learning_rate * slope for table, slope in zip(logits, slopes, strict=True)]
    return logits, cut / settings.ppo_epochs
