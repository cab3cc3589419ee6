"""A reader labels pairs of the scenario: which pairs to ask, what a reward model learns, what PPO makes of it.

1. A pair is drawn from the SFT policy many times over; the one whose answer would tell most is asked.
2. After each choice, Bradley–Terry weights are fitted to all choices, alone or beside the simulated labellers'.
3. PPO climbs the reward that results, with the settings of the run.

The pairs follow from scenario, seed, SFT and the choices so far, so that the choices alone tell the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

from rlhf_core import ppo
from rlhf_core.distributions import Array, expectation
from rlhf_core.pipeline import PipelineRun, streams
from rlhf_core.ppo import PPOTrace
from rlhf_core.yours.symptoms import wilson

LEFT, RIGHT, SAME = 0, 1, 2
"""Choices: the left answer is better, the right one, or they are about the same."""
MOST_LABELS = 60
CANDIDATES = 40
"""Pairs that are drawn for each that is asked."""
LARGEST_SHARE = 0.9
"""Of the weight that simulated labels may have."""
FEW = 25
"""Labels below which the ridge stays as strong as for so many."""
RIDGE = 0.02
"""With which pairs are chosen, whatever the run's own."""
CLOSE = 1e-6
"""Change of the weights below which Newton's method has arrived: the next one would be its square."""
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Asked(NamedTuple):
    """A pair that is put to the reader: indices of prompt and both responses."""

    prompt: int
    left: int
    right: int


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """What n choices have taught."""

    pairs: tuple[Asked, ...]
    """The n pairs."""
    weights: Array
    """(F,) per standardised feature."""
    scores: Array
    """(P, R) the reader's reward: mean 0 for each prompt and unit spread under the SFT policy."""
    n_decided: int
    """Choices that are not "about the same"."""
    left_out_accuracy: float
    """Share of decided choices that a fit to all the others makes the same way; nan without two of them."""
    left_out_interval: tuple[float, float]
    """90 % interval of it (Wilson)."""
    same_as_labellers: int
    """Decided choices that the simulated labellers would make without noise."""
    same_as_truth: int
    """Decided choices that a careful reader would make."""
    agrees_with_labellers: float
    """Share of pairs of the SFT policy's answers that the reader's reward ranks as the labellers' judgement does."""
    agrees_with_truth: float
    """The same of the true reward."""
    ppo: PPOTrace
    """PPO on the reader's reward."""


def encode(choices: Sequence[int]) -> str:
    """Choices as a short text for a link: digits of base 3 behind a 1, written in base 36; none are an empty text.

    Raises
    ------
    ValueError
        If there are more than `MOST_LABELS`, or one is no choice.
    """
    if len(choices) > MOST_LABELS or not set(choices) <= {LEFT, RIGHT, SAME}:
        raise ValueError(f"choices must be at most {MOST_LABELS} of 0, 1 and 2, got {len(choices)}")
    number = 1
    for choice in choices:
        number = 3 * number + choice
    text = ""
    while number and choices:
        number, digit = divmod(number, 36)
        text = DIGITS[digit] + text
    return text


def decode(text: str) -> tuple[int, ...]:
    """The choices of a link.

    Raises
    ------
    ValueError
        If the text is none that `encode` gives.
    """
    refusal = ValueError(f"labels must be the code of at most {MOST_LABELS} choices, got {text[:40]!r}")
    if len(text) > MOST_LABELS or not set(text) <= set(DIGITS):
        raise refusal
    number, choices = int(text or "1", 36), []
    while number > 2:
        number, choice = divmod(number, 3)
        choices.append(choice)
    if number != 1 or len(choices) > MOST_LABELS or encode(choices[::-1]) != text:
        raise refusal
    return tuple(choices[::-1])


def ask(run: PipelineRun, choices: Sequence[int]) -> tuple[Asked, ...]:
    """The pairs of all choices so far, and the next one."""
    prompts = np.flatnonzero(~run.scenario.heldout)
    prompts = np.random.default_rng([run.settings.seed, 1]).permutation(prompts)
    asked: list[Asked] = []
    rows = np.zeros((0, run.reward.features.shape[-1]))
    for k in range(len(choices) + 1):
        weights, precision = _fit(rows, _targets(choices[:k]), np.ones(k), RIDGE * max(k, FEW))
        asked.append(_most_telling(run, int(prompts[k % len(prompts)]), k, asked, weights, precision))
        rows = np.vstack([rows, _difference(run, asked[-1])])
    return tuple(asked)


def learn(run: PipelineRun, choices: Sequence[int], *, simulated: float = 0.0) -> Labelled:
    """Fit a reward to the reader's choices, and train PPO on it.

    Parameters
    ----------
    run : PipelineRun
        Gives scenario, SFT policy, simulated labels and PPO's settings.
    choices : sequence of int
        `LEFT`, `RIGHT` or `SAME`, in the order of `ask`; at least one.
    simulated : float
        Share of the weight that the simulated labellers' comparisons have, from 0 to `LARGEST_SHARE`.

    Raises
    ------
    ValueError
        If there are no choices, or too many, or `simulated` is out of range.
    """
    if not choices:
        raise ValueError("needs at least 1 choice, got 0")
    encode(choices)
    if not 0 <= simulated <= LARGEST_SHARE:
        raise ValueError(f"simulated must be from 0 to {LARGEST_SHARE}, got {simulated}")
    pairs, n = ask(run, choices)[:-1], len(choices)
    others = _simulated(run)
    rows = np.vstack([np.array([_difference(run, pair) for pair in pairs]), others])
    targets = np.concatenate([_targets(choices), np.ones(len(others))])
    total = n / (1 - simulated)
    counts = np.concatenate([np.ones(n), np.full(len(others), simulated * total / max(len(others), 1))])
    ridge = max(run.settings.rm_l2, 1e-3) * max(total, FEW)
    weights, _ = _fit(rows, targets, counts, ridge)
    scores = _reward(run, weights)
    rng = streams(run.settings.seed)[2]  # PPO's own, so that only the reward differs from the run's
    trace = ppo.train(run.sft.logits, scores, run.scenario.true_reward, run.labeller_reward, run.settings, rng)
    right = _left_out(rows, targets, counts, ridge, weights, choices)
    return _told(run, pairs, choices, weights, scores, right, trace)


def _told(
    run: PipelineRun, pairs: tuple[Asked, ...], choices: Sequence[int], weights: Array, scores: Array,
    right: list[bool], trace: PPOTrace,
) -> Labelled:  # fmt: skip
    n, share = len(right), float(np.mean(right)) if len(right) > 1 else float("nan")
    judged, true = run.labeller_reward, run.scenario.true_reward
    return Labelled(
        pairs=pairs,
        weights=weights,
        scores=scores,
        n_decided=n,
        left_out_accuracy=share,
        left_out_interval=wilson(share, n) if n > 1 else (0.0, 1.0),
        same_as_labellers=_same(pairs, choices, judged),
        same_as_truth=_same(pairs, choices, true),
        agrees_with_labellers=agreement(scores, judged, run.sft.log_probs[-1]),
        agrees_with_truth=agreement(scores, true, run.sft.log_probs[-1]),
        ppo=trace,
    )


def agreement(one: Array, other: Array, log_probs: Array) -> float:
    """Probability that two values (P, R) rank a pair of different answers of a policy alike; a tie counts one half."""
    probs = np.exp(log_probs)
    both = probs[:, :, None] * probs[:, None, :]
    first, second = (np.sign(np.round(v[:, :, None] - v[:, None, :], 9)) for v in (one, other))
    alike = np.where(first * second == 0, 0.5, first == second)
    np.einsum("prr->pr", both)[:] = 0.0
    return float(((both * alike).sum(axis=(1, 2)) / both.sum(axis=(1, 2))).mean())


def _most_telling(
    run: PipelineRun, prompt: int, turn: int, asked: Sequence[Asked], weights: Array, precision: Array
) -> Asked:
    """Of some pairs from the SFT policy the one that tells most: `p (1 - p)` times the variance of its margin."""
    rng = np.random.default_rng([run.settings.seed, 2, turn])
    log_probs = run.sft.log_probs[-1][prompt]
    ranked = np.argsort(-(log_probs + rng.gumbel(size=(CANDIDATES, len(log_probs)))), axis=1)  # draws without repeats
    pairs = [Asked(prompt, int(left), int(right)) for left, right in ranked[:, :2]]
    values = run.reward.features[prompt]
    rows = values[ranked[:, 0]] - values[ranked[:, 1]]
    p = special.expit(rows @ weights)
    telling = p * (1 - p) * np.einsum("nf,nf->n", rows, np.linalg.solve(precision, rows.T).T)
    known = {frozenset(pair) for pair in asked}
    telling[[frozenset(pair) in known for pair in pairs]] = -1.0
    return pairs[int(np.round(telling, 9).argmax())]


def _fit(
    rows: Array, targets: Array, counts: Array, ridge: float, start: Array | None = None
) -> tuple[Array, Array]:
    """Weights that minimise the counted Bradley–Terry loss plus `ridge |w|^2`, by Newton's method; and its Hessian."""
    weights = np.zeros(rows.shape[1]) if start is None else start
    for _ in range(20):
        p = special.expit(rows @ weights)
        slope = rows.T @ (counts * (p - targets)) + 2 * ridge * weights
        hessian = (rows.T * (counts * p * (1 - p))) @ rows + 2 * ridge * np.eye(len(weights))
        step = np.linalg.solve(hessian, slope)
        weights = weights - step
        if np.abs(step).max() < CLOSE:
            break
    return weights, hessian


def _left_out(
    rows: Array, targets: Array, counts: Array, ridge: float, weights: Array, choices: Sequence[int]
) -> list[bool]:
    """For each decided choice, whether a fit to all the others makes it the same way."""
    right = []
    for i, choice in enumerate(choices):
        if choice != SAME:
            without = counts.copy()
            without[i] = 0.0
            margin = rows[i] @ _fit(rows, targets, without, ridge, weights)[0]
            right.append(bool(margin > 0) == (choice == LEFT))
    return right


def _targets(choices: Sequence[int]) -> Array:
    """Probability of the left answer that each choice stands for."""
    return np.array([{LEFT: 1.0, RIGHT: 0.0, SAME: 0.5}[choice] for choice in choices])


def _difference(run: PipelineRun, pair: Asked) -> Array:
    values: Array = run.reward.features[pair.prompt]
    result: Array = values[pair.left] - values[pair.right]
    return result


def _simulated(run: PipelineRun) -> Array:
    """Differences of the simulated labellers' training pairs, (N, F)."""
    pairs, values = run.reward.pairs, run.reward.features
    train = ~pairs.heldout
    prompt = pairs.prompt[train]
    result: Array = values[prompt, pairs.chosen[train]] - values[prompt, pairs.rejected[train]]
    return result


def _reward(run: PipelineRun, weights: Array) -> Array:
    """Scores with the zero and the unit that a reward has here."""
    ref = run.sft.log_probs[-1]
    raw = run.reward.features @ weights
    centred = raw - expectation(ref, raw)[:, None]
    spread = float(np.sqrt(expectation(ref, centred**2).mean())) or 1.0
    result: Array = centred / spread
    return result


def _same(pairs: Sequence[Asked], choices: Sequence[int], values: Array) -> int:
    """Choices that somebody would make too who goes by these values, (P, R)."""
    gaps = [values[pair.prompt, pair.left] - values[pair.prompt, pair.right] for pair in pairs]
    return sum((g > 0 and c == LEFT) or (g < 0 and c == RIGHT) for g, c in zip(gaps, choices, strict=True))
