"""How a training log is judged where it has what a run of ours has not: sampled KLs, losses, critics, DPO's pairs."""

import numpy as np

from rlhf_core.yours.record import Record
from rlhf_core.yours.symptoms import FEWEST_ROWS, SPREAD_LEFT, Judgement, signed

LOG_TWO = float(np.log(2))
FIRST_KL, FIRST_TOKEN_KL = 0.5, 0.05
"""Nats per answer, and per token, that sampling noise may show before anything is learnt."""
BELOW_ZERO = -0.02
"""Nats below which a mean KL is not noise."""
TIMES, FEW_NATS, FEW_TOKEN_NATS = 3.0, 5.0, 0.1
"""Growth from the second to the last quarter, and the level from which it counts."""
START_ABOVE, STUCK_WITHIN = 0.06, 0.01
"""Nats above log 2 at which the first loss is not a start at the reference; within which the last has learnt "
"nothing."""
LARGE_MARGIN, HUGE_MARGIN = 10.0, 50.0
"""Log-odds."""
TURNED, TURNED_FAR = 0.02, 0.1
"""Share by which a held-out loss has risen from its lowest."""
CHANCE, POOR = 0.52, 0.57
"""Accuracies, where nobody says how many pairs they are of."""
HELD_BACK = 0.4
"""Share of the score's gain that the penalty takes: about one half where a policy has arrived at its optimum."""
HARDLY_ANY = 0.1
"""Share of the first spread of scores, or of the first entropy."""
NOTHING = 1e-6
"""Reward units, or shares, below which nothing moves."""


def kl_starts_at_zero(record: Record) -> Judgement:
    """The first KL to the reference: policy and reference should be the same model, and nothing dropped at random."""
    name, limit, unit = _kl(record, FIRST_KL, FIRST_TOKEN_KL)
    first = float(record.values(name)[0])
    numbers = f"{signed(first)} nats per {unit} at step {record.step_of(name, 0)}"
    if abs(first) <= limit:
        return "healthy", numbers
    differ = f"{numbers}: policy and reference differ from the start"
    return ("unhealthy" if abs(first) > 2 * limit else "watch"), differ


def kl_is_not_negative(record: Record) -> Judgement:
    """A KL cannot be negative; a mean of log-ratios that stays so was not taken over samples of the policy."""
    name, _, unit = _kl(record, 0.0, 0.0)
    values = record.values(name)
    level = record.last(name)
    below = float((values < BELOW_ZERO).mean())
    numbers = f"negative in {below:.0%} of rows, {signed(level)} nats per {unit} at the end"
    if level < BELOW_ZERO or (len(values) < FEWEST_ROWS and values.min() < BELOW_ZERO):
        return "unhealthy", numbers
    return ("watch" if below > 0.1 else "healthy"), numbers


def kl_stays_bounded(record: Record) -> Judgement:
    """KL running away: many times what it was, and still growing."""
    name, few, unit = _kl(record, FEW_NATS, FEW_TOKEN_NATS)
    values = record.values(name)
    if len(values) < 4 * FEWEST_ROWS:
        return "unknown", f"too early to tell: {len(values)} of the {4 * FEWEST_ROWS} rows that a trend needs"
    quarters = [float(part.mean()) for part in np.array_split(values, 4)]
    numbers = f"{signed(quarters[1])} → {signed(quarters[3])} nats per {unit}, from the second quarter to the last"
    if quarters[3] > few and quarters[3] > TIMES * max(quarters[1], 1e-9):
        return "unhealthy", numbers
    return ("watch" if quarters[3] > 2 * few and quarters[3] > quarters[2] else "healthy"), numbers


def tokens_stay_undecided(record: Record) -> Judgement:
    """Entropy per token, judged with the score: a collapse is a fall with nothing gained, rising is forgetting."""
    first, last = record.first("token_entropy"), record.last("token_entropy")
    gain = record.last("reward") - record.first("reward")
    numbers = f"{first:.2f} → {last:.2f} nats per token, while the score changes by {signed(gain)}"
    if len(record.values("token_entropy")) < FEWEST_ROWS:
        return "unknown", f"{numbers}: too early to tell"
    low = last < HARDLY_ANY * first
    if low and (gain <= 0 or _spread_left(record) < SPREAD_LEFT):
        return "unhealthy", f"{numbers}: a collapse"
    if last > 1.5 * first and gain <= 0:
        return "unhealthy", f"{numbers}: it forgets more than it learns"
    return ("watch" if low or last > 2 * first else "healthy"), numbers


def scores_keep_their_spread(record: Record) -> Judgement:
    """Score up while its spread goes to 0: what is left teaches nothing, and little else is left to say."""
    first, last = record.first("reward_spread"), record.last("reward_spread")
    numbers = f"{first:.3g} → {last:.3g}"
    if len(record.values("reward_spread")) < FEWEST_ROWS:
        return "unknown", f"{numbers}: too early to tell"
    if first <= 0:
        return "unknown", f"{numbers}: there is nothing to measure against"
    left = _spread_left(record)
    return ("unhealthy" if left < HARDLY_ANY else "watch" if left < SPREAD_LEFT else "healthy"), numbers


def penalty_leaves_room(record: Record) -> Judgement:
    """What of the score's gain the penalty takes: beta KL, the difference of the two rewards.

    Along the optima of rising 1/beta the gain is `Var(r)/beta` and the penalty one half of it, to first order: who
    has come near that has arrived where this beta lets the policy go.
    """
    scores, left = record.smooth("reward"), record.smooth("penalised_reward")
    if len(scores) < FEWEST_ROWS or len(left) < FEWEST_ROWS:
        return "unknown", f"too early to tell: {len(scores)} of the {FEWEST_ROWS} rows that a trend needs"
    gain, net = float(scores[-1] - scores[0]), float(left[-1] - left[0])
    if gain <= NOTHING:
        return "unknown", "the score has not risen, so there is nothing to share"
    share = max(1 - net / gain, 0.0)
    numbers = f"{share:.0%} of the score’s gain of {signed(gain)} goes to the penalty"
    if share >= HELD_BACK:
        return "watch", f"{numbers}; about half does where a policy has arrived at the optimum of its β"
    return "healthy", numbers


def critic_learns(record: Record) -> Judgement:
    """The critic's loss falls to the spread that no critic can foresee; one that grows is in trouble."""
    first, last = record.first("critic_loss"), record.last("critic_loss")
    numbers = f"{first:.3g} → {last:.3g}"
    if len(record.values("critic_loss")) < 4 * FEWEST_ROWS:
        return "unknown", f"{numbers}: too early to tell"
    return ("unhealthy" if last > 1.5 * first else "watch" if last > 0.8 * first else "healthy"), numbers


def something_moves(record: Record) -> Judgement:
    """A run whose rewards are all the same teaches nothing."""
    name = "reward_spread" if record.has("reward_spread") else "advantage_spread"
    spread, change = float(np.abs(record.values(name)).max()), float(np.ptp(record.values("reward")))
    numbers = f"rewards spread by at most {spread:.3g} and their mean changes by {change:.3g}"
    dead = spread < NOTHING and change < NOTHING
    return ("unhealthy", f"{numbers}: nothing can be learnt") if dead else ("healthy", numbers)


def pair_loss_starts_at_log_two(record: Record) -> Judgement:
    """At the reference every implicit margin is 0; a first loss above log 2 means two different models."""
    first, at = float(record.values("pair_loss")[0]), record.step_of("pair_loss", 0)
    numbers = f"{first:.3f} at step {at}; log 2 = 0.693 where policy and reference are the same"
    if first > LOG_TWO + START_ABOVE:
        return "unhealthy", numbers
    return "healthy", numbers


def pair_loss_moves(record: Record) -> Judgement:
    """A loss that stays at log 2 has learnt nothing."""
    last = record.last("pair_loss")
    if len(record.values("pair_loss")) < FEWEST_ROWS:
        return "unknown", f"{last:.3f}: too early to tell"
    stuck = abs(last - LOG_TWO) < STUCK_WITHIN
    return ("unhealthy" if stuck else "healthy"), f"{record.first('pair_loss'):.3f} → {last:.3f} nats per pair"


def chosen_keep_their_probability(record: Record) -> Judgement:
    """DPO raises the margin, and the chosen answers' own probability may fall meanwhile."""
    first, last = record.first("chosen_log_prob"), record.last("chosen_log_prob")
    numbers = f"log-probability of the chosen answers {signed(first, 1)} → {signed(last, 1)} nats"
    if last >= first - 0.02 * abs(first):
        return "healthy", numbers
    return "watch", f"{numbers}: it falls, as often in DPO; the margin is what the loss raises"


def margin_stays_believable(record: Record) -> Judgement:
    """Odds of e to the margin: beyond 10 nobody's preferences are that sure."""
    last = record.last("margin")
    numbers = f"{signed(last, 1)} log-odds at the end"
    if last > HUGE_MARGIN:
        return "unhealthy", f"{numbers}: the pairs are too easy, or one side gives itself away"
    return ("watch" if last > LARGE_MARGIN else "healthy"), numbers


def heldout_loss_keeps_falling(record: Record) -> Judgement:
    """From where the held-out loss turns, training memorises."""
    values = record.values("heldout_loss")
    low = int(values.argmin())
    rise = float(values[-1] / values[low] - 1)
    numbers = f"lowest {values[low]:.3f} at step {record.step_of('heldout_loss', low)}, {values[-1]:.3f} at the end"
    if len(values) < FEWEST_ROWS:
        return "unknown", f"{numbers}: too early to tell"
    return ("unhealthy" if rise > TURNED_FAR else "watch" if rise > TURNED else "healthy"), numbers


def pairs_are_told_apart(record: Record) -> Judgement:
    """Accuracy on pairs, where a coin has one half; the log does not say of how many."""
    last = record.last("pair_accuracy")
    numbers = f"{last:.0%} at the end, of pairs whose number the log does not give"
    if len(record.values("pair_accuracy")) < FEWEST_ROWS:
        return "unknown", f"{numbers}: too early to tell"
    return ("unhealthy" if last < CHANCE else "watch" if last < POOR else "healthy"), numbers


def _kl(record: Record, per_answer: float, per_token: float) -> tuple[str, float, str]:
    """Which KL a record has, with the limit in its unit."""
    return ("kl", per_answer, "answer") if record.has("kl") else ("token_kl", per_token, "token")


def _spread_left(record: Record) -> float:
    """Share of the first spread of scores that is left; 1 where a log has none."""
    if not record.has("reward_spread") or record.first("reward_spread") <= 0:
        return 1.0
    return record.last("reward_spread") / record.first("reward_spread")
