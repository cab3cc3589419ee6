"""Is this run healthy? What a practitioner checks in the curves, with this run's verdicts at the playhead."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pages.drawing.live import Live
from pages.drawing.marks import LOST_SHARE, lost_share
from pages.drawing.view import View, once
from pages.drawing.wording import minus

HEALTHY, WATCH, UNHEALTHY = "healthy", "watch", "unhealthy"
SIGNS = {HEALTHY: "✓ healthy", WATCH: "! watch", UNHEALTHY: "✗ unhealthy"}
SMALL_GAIN = 0.5  # spreads of the SFT policy's answers
KL_LIMIT = 10.0  # nats; TRL's training FAQ: keep it between 0 and 10
FEW_ANSWERS, ONE_OR_TWO = 4.0, 2.0
CLIP_OFTEN, CLIP_TOO_OFTEN = 0.2, 0.3
POOR_ACCURACY, NEAR_CHANCE = 0.6, 0.55


LIMITS = f"""
The limits are rules of thumb, chosen for this small world: a gain of {SMALL_GAIN:g} spreads, {KL_LIMIT:g} nats
([TRL's training FAQ](https://huggingface.co/docs/trl/how_to_train) advises to keep the KL between 0 and 10),
{ONE_OR_TWO:g} and {FEW_ANSWERS:g} equally likely answers, {CLIP_OFTEN:.0%} and {CLIP_TOO_OFTEN:.0%} of gradients
clipped, {NEAR_CHANCE:.0%} and {POOR_ACCURACY:.0%} accuracy, {LOST_SHARE:.0%} of the gain in true reward lost. The last
row is the one that no trainer can log: only here is the true reward known.
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at: its name, TRL's name, how an unhealthy run shows, and the verdict on a step."""

    name: str
    trl_name: str
    unhealthy: str
    judge: Callable[[View, int], tuple[str, str]]
    """(view, PPO step) -> verdict and the numbers behind it."""


def _reward(view: View, step: int) -> tuple[str, str]:
    score = view.run.ppo.reward[: step + 1]
    gain, fallen = score[-1] - score[0], score.max() - score[-1]
    verdict = HEALTHY if gain >= SMALL_GAIN else WATCH if gain > 0 else UNHEALTHY
    if fallen > 0.2 * (score.max() - score[0]):
        verdict = UNHEALTHY
    return verdict, f"{minus(score[0])} → {minus(score[-1])} reward units"


def _objective(view: View, step: int) -> tuple[str, str]:
    ppo = view.run.ppo
    reward, net = round(float(ppo.reward[step]), 3), round(float(ppo.objective[step]), 3)
    verdict = HEALTHY if ppo.objective[step] > ppo.objective[0] else UNHEALTHY
    numbers = (minus(value, ".3f") for value in (reward, reward - net, net))
    return verdict, "{} − {} = {} reward units, after the penalty".format(*numbers)


def _kl(view: View, step: int) -> tuple[str, str]:
    kl, optimum = max(float(view.run.ppo.kl[step]), 0.0), view.run.optimum.kl
    verdict = UNHEALTHY if kl > KL_LIMIT else WATCH if kl > 1.1 * optimum else HEALTHY
    return verdict, f"{kl:.2f} nats; the optimum for this β spends {optimum:.2f}"


def _entropy(view: View, step: int) -> tuple[str, str]:
    entropy = view.run.ppo.entropy
    kinds = np.exp(entropy[step])
    verdict = HEALTHY if kinds >= FEW_ANSWERS else WATCH if kinds >= ONE_OR_TWO else UNHEALTHY
    now, first = f"{kinds:.1f} equally likely answers", f"{np.exp(entropy[0]):.0f} at first"
    return verdict, f"{minus(entropy[step])} nats, as {now} ({first})"


@once
def _largest_ratios(view: View) -> np.ndarray:
    """Largest ratio of new to old policy up to each step, (T+1,); 1 before the first."""
    return np.maximum.accumulate([1.0, *(batch.ratio.max() for batch in view.run.ppo.rollouts)])


def _clip(view: View, step: int) -> tuple[str, str]:
    most = float(view.run.ppo.clip_fraction[: step + 1].max())
    ratio = _largest_ratios(view)[step]
    verdict = HEALTHY if most <= CLIP_OFTEN else WATCH if most <= CLIP_TOO_OFTEN else UNHEALTHY
    return verdict, f"at most {most:.0%} of a step's token gradients; largest ratio {ratio:.2f}: clipping is no bound"


def _truth(view: View, step: int) -> tuple[str, str]:
    truth = view.run.ppo.true_reward[: step + 1]
    lost = lost_share(truth)
    verdict = HEALTHY if lost < LOST_SHARE / 5 else WATCH if lost < LOST_SHARE else UNHEALTHY
    if truth[-1] < truth[0]:
        verdict = UNHEALTHY
    peak = f"highest {minus(truth.max())} at step {int(truth.argmax())}"
    return verdict, f"{minus(truth[0])} → {minus(truth[-1])} true reward, {peak}"


def _accuracy(view: View, step: int) -> tuple[str, str]:
    accuracy, ceiling = float(view.run.reward.heldout_accuracy[-1]), view.run.reward.pairs.ceiling
    verdict = HEALTHY if accuracy >= POOR_ACCURACY else WATCH if accuracy >= NEAR_CHANCE else UNHEALTHY
    return verdict, f"{accuracy:.0%} of held-out pairs; knowing the truth would give {ceiling:.0%}"


CHECKS = (
    Check("The score rises", "objective/scores", "flat, or falling after a rise", _reward),
    Check("It is worth its penalty", "objective/rlhf_reward", "below where it began: β KL eats the score", _objective),
    Check("The policy stays near", "objective/kl", f"past {KL_LIMIT:g} nats, or further than β pays for", _kl),
    Check("Answers stay varied", "objective/entropy", "fewer than two answers' worth: collapse", _entropy),
    Check("Updates are small", "policy/clipfrac_avg", f"above {CLIP_TOO_OFTEN:.0%}: lower the learning rate", _clip),
    Check("The reward model tells good from bad", "eval_accuracy", "near 50%: noisy or too few labels", _accuracy),
    Check("People agree with the score", "not logged: ask people", "falling while the score rises", _truth),
)


def checks(view: View) -> Live:
    """All checks at the playhead; before PPO, on the whole run."""
    n_steps = view.timeline.n_steps
    rows = [frame.ppo_step if frame.phase in ("ppo", "done") else n_steps + 1 for frame in view.timeline.frames]
    steps = [*range(n_steps + 1), n_steps]
    values = {"when": [*(f"after PPO step {step} of {n_steps}" for step in range(n_steps + 1)), "on the whole run"]}
    values["when"][0] = "before the first PPO step"
    for i, check in enumerate(CHECKS):
        judged = [check.judge(view, step) if step else None for step in steps]
        values[f"numbers{i}"] = [each[1] if each else "–" for each in judged]
        for verdict, sign in SIGNS.items():
            values[f"{verdict}{i}"] = [sign if each and each[0] == verdict else "" for each in judged]
    return Live(_template(), np.array(rows), values)


def _template() -> str:
    head = (
        '<div class="mt-check mt-head"><span>Check</span><span>This run, <span data-slot="when"></span></span>'
        "<span>Unhealthy looks like</span></div>"
    )
    rows = "".join(
        f'<div class="mt-check"><p><b>{check.name}</b><small>{check.trl_name}</small></p>'
        f'<p class="mt-judged"><span class="mt-verdict">{_signs(i)}</span><span data-slot="numbers{i}"></span></p>'
        f'<p class="mt-unhealthy">{check.unhealthy}</p></div>'
        for i, check in enumerate(CHECKS)
    )
    return f'<div class="mt-wrap"><div class="mt-checks">{head}{rows}</div></div>'


def _signs(i: int) -> str:
    return "".join(f'<b class="mt-{verdict}" data-slot="{verdict}{i}"></b>' for verdict in SIGNS)
