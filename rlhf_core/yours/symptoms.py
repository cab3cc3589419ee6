"""How a run is judged: one function a symptom, series in, a verdict with its evidence out.

The limits are named here and nowhere else. Where a limit can be derived from the run it is (the
KL is measured against the reference policy's own entropy); the others are rules of thumb.
"""

from typing import Literal, TypeAlias

import numpy as np
from scipy import special

from rlhf_core.distributions import Array
from rlhf_core.yours.record import Record

Verdict: TypeAlias = Literal["healthy", "watch", "unhealthy", "unknown"]
Judgement: TypeAlias = tuple[Verdict, str]
"""A verdict and the numbers behind it."""

FEWEST_ROWS = 3
"""Rows below which a trend says nothing."""
SMALL_GAIN, NOISE, FALLEN = 0.5, 4.0, 0.25
"""Spreads of the scores, or standard errors where no spread is known; share of a gain."""
STUCK, FAR, TOO_FAR = 0.1, 0.5, 2 / 3
"""Shares of the distance to a policy that has only one answer of the reference policy left."""
SETTLED, OVERSPENT = 0.1, 1.1
"""Growth over the last quarter, relative to the whole; KL relative to that of the optimum."""
LARGE_STEP, TOO_LARGE_STEP = 0.05, 0.1
"""Nats per token between the policies before and after an update."""
CLIP_OFTEN, CLIP_TOO_OFTEN = 0.2, 0.3
FEW_ANSWERS, ONE_OR_TWO, ENTROPY_RISE, SPREAD_LEFT = 4.0, 2.0, 0.1, 0.25
"""Equally likely answers, twice; nats; share of the first spread of scores."""
EQUAL, MOSTLY_EQUAL = 0.25, 0.5
LONGER, MUCH_LONGER = 1.25, 1.5
RARELY_AGREE, HARDLY_AGREE = 0.62, 0.58
CONFIDENCE, FEWEST_PAIRS, POOR_ACCURACY = 0.95, 30, 0.6
FOOLED, MUCH_FOOLED = 0.5, 1.0
"""Spreads of true reward by which the labellers' judgement rises more than the truth."""
SLIPPED, LOST, LOST_SHARE = 0.1, 0.2, 0.1
"""Spreads of true reward lost after its peak, twice; share of the gain at the peak."""


def score_rises(record: Record) -> Judgement:
    """The reward model's score rises by half a spread of answers or is still rising, and does not fall back."""
    curve, small = record.smooth("reward"), _small_change(record, "reward")
    if len(curve) < FEWEST_ROWS:
        return _too_early(record)
    gain, fallen, peak = curve[-1] - curve[0], curve.max() - curve[-1], int(curve.argmax())
    numbers = f"{signed(curve[0])} → {signed(curve[-1])} reward units"
    if fallen > max(small, FALLEN * (curve.max() - curve[0])):
        return "unhealthy", f"{numbers}, after {signed(curve[peak])} at step {record.step_of('reward', peak)}"
    if gain < -small or curve.max() == curve.min():
        return "unhealthy", numbers
    rising = record.window == 1 and gain > 0 and not _settled(curve)
    return ("healthy" if gain >= small or rising else "watch"), numbers


def worth_its_penalty(record: Record) -> Judgement:
    """Score minus beta KL ends above where it began."""
    curve = record.smooth("penalised_reward")
    net = curve[-1] - curve[0]
    numbers = f"{signed(curve[0])} → {signed(curve[-1])} reward units, after the penalty"
    if record.has("reward") and record.window == 1:
        reward, left = round(record.last("reward"), 3), round(float(curve[-1]), 3)
        parts = (signed(reward, 3), signed(reward - left, 3), signed(left, 3))
        numbers = "{} − {} = {} reward units, after the penalty".format(*parts)
    slight = 0.1 * _small_change(record, "penalised_reward")
    return ("healthy" if net >= 0 else "watch" if net > -slight else "unhealthy"), numbers


def policy_moves(record: Record) -> Judgement:
    """The policy has left the reference policy, or is still leaving it."""
    curve, alone = record.smooth("kl"), record.first("entropy")
    if len(curve) < FEWEST_ROWS:
        return _too_early(record)
    if alone <= 0:
        return _nothing("entropy")
    numbers = f"{signed(curve[-1])} nats from the reference policy"
    if curve[-1] < STUCK * alone and _settled(curve):
        return "unhealthy", f"{numbers}, {curve[-1] / alone:.0%} of the way to a single answer, and no further"
    return "healthy", numbers


def policy_stays_near(record: Record) -> Judgement:
    """KL to the reference, against the entropy of the reference and against what beta pays for.

    A policy that always gives one and the same answer, drawn from the reference policy, has on average a KL
    equal to that policy's entropy: so far away nothing but that answer is left.
    """
    kl, alone = max(record.last("kl"), 0.0), record.first("entropy")
    if alone <= 0:
        return _nothing("entropy")
    numbers = f"{kl:.2f} nats; a single answer of the SFT policy is {alone:.2f} away"
    if record.has("largest_kl"):
        numbers += f", the farthest possible policy {record.facts['largest_kl']:.2f}"
    if kl > TOO_FAR * alone:
        return "unhealthy", numbers
    if record.has("optimum_kl") and kl > OVERSPENT * record.facts["optimum_kl"]:
        return "watch", f"{numbers}; the optimum for this β spends only {signed(record.facts['optimum_kl'])}"
    return ("watch" if kl > FAR * alone else "healthy"), numbers


def steps_are_small(record: Record) -> Judgement:
    """KL between the policies before and after each update."""
    values = record.values("step_kl")
    most, at = float(values.max()), record.step_of("step_kl", int(values.argmax()))
    verdict: Verdict = "healthy" if most <= LARGE_STEP else "watch" if most <= TOO_LARGE_STEP else "unhealthy"
    return verdict, f"at most {signed(most, 3)} nats per token from one policy to the next, in step {at}"


def clipping_is_rare(record: Record) -> Judgement:
    """Share of token gradients that clipping removes; with one epoch on one batch it is 0 and says nothing."""
    values = record.values("clip_fraction")
    most, at = float(values.max()), record.step_of("clip_fraction", int(values.argmax()))
    if most == 0:
        return "unknown", "0%: none was clipped; with one gradient step per batch none can be, so it says nothing"
    verdict: Verdict = "healthy" if most <= CLIP_OFTEN else "watch" if most <= CLIP_TOO_OFTEN else "unhealthy"
    return verdict, f"at most {most:.0%} of a step's token gradients, in step {at}"


def answers_stay_varied(record: Record) -> Judgement:
    """Entropy, judged with what else happens: few answers are a collapse once the scores have no spread, or fall."""
    entropy = record.last("entropy")
    kinds = np.exp(entropy)
    rise = entropy - record.first("entropy")
    if record.first("reward_spread") <= 0:
        return _nothing("reward_spread")
    left = record.last("reward_spread") / record.first("reward_spread")
    gain = record.last("reward") - record.first("reward")
    numbers = f"as {kinds:.1f} equally likely answers ({np.exp(record.first('entropy')):.0f} at first)"
    if rise > ENTROPY_RISE:
        return ("watch" if gain > 0 else "unhealthy"), f"{numbers}: the policy forgets more than it learns"
    if kinds < ONE_OR_TWO and (left < SPREAD_LEFT or gain < 0):
        return "unhealthy", f"{numbers}; {left:.0%} of the scores' spread is left to learn from"
    return ("healthy" if kinds >= FEW_ANSWERS else "watch"), numbers


def groups_differ(record: Record) -> Judgement:
    """Prompts whose sampled answers all score the same have no advantage to learn from."""
    share, at = record.last("equal_groups"), record.step_of("equal_groups", -1)
    verdict: Verdict = "healthy" if share <= EQUAL else "watch" if share <= MOSTLY_EQUAL else "unhealthy"
    return verdict, f"{share:.0%} of prompts got answers of one and the same score in step {at}"


def answers_keep_their_length(record: Record) -> Judgement:
    """Length is what reward models reward most easily."""
    first, last = record.first("length"), record.last("length")
    verdict: Verdict = (
        "healthy" if last <= LONGER * first else "watch" if last <= MUCH_LONGER * first else "unhealthy"
    )
    return verdict, f"mean length {first:.0f} → {last:.0f}"


def labellers_agree(record: Record) -> Judgement:
    """Two labellers on the same pair."""
    share = record.last("agreement")
    verdict: Verdict = "healthy" if share >= RARELY_AGREE else "watch" if share >= HARDLY_AGREE else "unhealthy"
    return verdict, f"on {share:.0%} of pairs; two coins would on 50%"


def reward_model_beats_a_coin(record: Record) -> Judgement:
    """Held-out accuracy, with the uncertainty that comes from the number of pairs."""
    share, n_pairs = record.last("heldout_accuracy"), record.last("heldout_pairs")
    if n_pairs < 1 or not 0 <= share <= 1:
        return "unknown", f"{share:g} of {n_pairs:g} pairs is no share"
    low, high = wilson(share, n_pairs)
    numbers = f"{share:.0%} of {n_pairs:.0f} held-out pairs ({2 * CONFIDENCE - 1:.0%} interval {low:.0%} to {high:.0%})"
    if record.has("ceiling"):
        numbers += f"; knowing the labellers’ judgement would give {record.facts['ceiling']:.0%}"
    if high < POOR_ACCURACY:
        return "unhealthy", numbers
    if n_pairs < FEWEST_PAIRS:
        return "watch", f"{numbers}: too few pairs to tell"
    return ("healthy", numbers) if low > 0.5 else ("watch", f"{numbers}: a coin might do as well")


def labellers_are_not_fooled(record: Record) -> Judgement:
    """How much more the labellers see in the answers than there is."""
    judged, gained = (record.last(name) - record.first(name) for name in ("labeller_reward", "true_reward"))
    if record.facts["truth_spread"] <= 0:
        return _nothing("truth_spread")
    excess = (judged - gained) / record.facts["truth_spread"]
    numbers = f"the labellers’ judgement changes by {signed(judged)}, the true reward by {signed(gained)}"
    return ("healthy" if excess < FOOLED else "watch" if excess < MUCH_FOOLED else "unhealthy"), numbers


def truth_follows(record: Record) -> Judgement:
    """True reward does not fall back from its peak; a peak before the first step is the worst case."""
    truth, spread = record.smooth("true_reward"), record.facts["truth_spread"]
    peak = int(truth.argmax())
    numbers = f"{signed(truth[0])} → {signed(truth[-1])}, highest {signed(truth[peak])} at step "
    numbers += record.step_of("true_reward", peak)
    if over_optimised(truth, spread):
        return "unhealthy", numbers
    return ("watch" if truth[peak] - truth[-1] >= SLIPPED * spread else "healthy"), numbers


def over_optimised(true_reward: Array, spread: float) -> bool:
    """Whether true reward has visibly fallen back: by a fifth of its spread and a tenth of what was gained."""
    lost, gained = true_reward.max() - true_reward[-1], true_reward.max() - true_reward[0]
    return bool(lost >= LOST * spread and lost >= LOST_SHARE * gained and lost > 0)


def wilson(share: float, n: float) -> tuple[float, float]:
    """Interval of a share seen in n trials, which misses on either side with probability 1 - `CONFIDENCE` (Wilson)."""
    z = float(special.ndtri(CONFIDENCE))
    middle, width = share + z**2 / (2 * n), z * np.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    return float((middle - width) / (1 + z**2 / n)), float((middle + width) / (1 + z**2 / n))


def _small_change(record: Record, name: str) -> float:
    """Change of a reward series below which it counts as flat."""
    if record.has("reward_spread"):
        return SMALL_GAIN * record.first("reward_spread")
    jumps = np.diff(record.values(name))
    return float(NOISE * jumps.std() / np.sqrt(record.window)) if len(jumps) else 0.0


def _settled(curve: Array) -> bool:
    """Whether the last quarter has added next to nothing to a curve's change."""
    quarter = max(1, len(curve) // 4)
    return bool(abs(curve[-1] - curve[-1 - quarter]) < SETTLED * abs(curve[-1] - curve[0]) + 1e-12)


def _too_early(record: Record) -> Judgement:
    return "unknown", f"too early to tell: {len(record.steps)} of the {FEWEST_ROWS} rows that a trend needs"


def _nothing(name: str) -> Judgement:
    return "unknown", f"{name} is 0 at first: there is nothing to measure against"


def signed(value: float, digits: int = 2) -> str:
    """A number with a true minus sign, and no minus before a zero."""
    return f"{value:z.{digits}f}".replace("-", "\N{MINUS SIGN}")
