"""Is this run healthy? What a practitioner checks in the curves, with this run's verdicts at the playhead."""

import numpy as np

from pages.drawing.glossary import marked
from pages.drawing.live import Live
from pages.drawing.view import View
from rlhf_core.yours import symptoms
from rlhf_core.yours.diagnosis import SYMPTOMS, Finding, diagnose
from rlhf_core.yours.record import of_run

SIGNS = {"healthy": "✓ healthy", "watch": "! watch", "unhealthy": "✗ unhealthy", "unknown": "? cannot tell"}
LOGGED = {
    "reward": "objective/scores · GRPO: reward",
    "penalised_reward": "objective/rlhf_reward",
    "kl": "objective/kl · GRPO: kl, per token",
    "step_kl": "policy/approxkl_avg",
    "clip_fraction": "policy/clipfrac_avg · GRPO: clip_ratio/region_mean",
    "entropy": "policy/entropy_avg · GRPO: entropy, both per token",
    "equal_groups": "GRPO: frac_reward_zero_std",
    "length": "GRPO: completions/mean_length",
    "agreement": "not logged: have pairs labelled twice",
    "heldout_accuracy": "RewardTrainer: eval_accuracy",
    "labeller_reward": "not logged: only here is the truth known",
    "true_reward": "not logged: ask careful readers",
}
"""TRL's name for what a check looks at first."""

LIMITS = f"""
No limit is a law. How far is far is derived from this world: a policy that always gives one answer of the SFT policy's
is, on average, as many nats away as that policy's entropy (3 to 4 here, of about 8 that are possible at all), and the
checks ask what share of that way has been gone ({symptoms.FAR:.0%}: watch; {symptoms.TOO_FAR:.0%}: unhealthy). In a
long text the same shares are other numbers of nats. Gains and losses are measured in spreads of the SFT policy's
answers. The rest are rules of thumb: {symptoms.LARGE_STEP:g} nats per token in one update is the upper end of what
OpenAI's Spinning Up calls usual; {symptoms.CLIP_OFTEN:.0%} and {symptoms.CLIP_TOO_OFTEN:.0%} of gradients clipped;
{symptoms.ONE_OR_TWO:g} and {symptoms.FEW_ANSWERS:g} equally likely answers. Accuracy is judged by its interval, not by
the figure. The last two rows are those that no trainer can log: only here is the true reward known.
"""


def checks(view: View) -> Live:
    """All checks at the playhead; before PPO, on the whole run."""
    n_steps, record = view.timeline.n_steps, of_run(view.run)
    rows = [frame.ppo_step if frame.phase in ("ppo", "done") else n_steps + 1 for frame in view.timeline.frames]
    judged: list[tuple[Finding, ...]] = [diagnose(record.upto(step + 1)) if step else () for step in range(n_steps + 1)]
    judged.append(judged[-1])
    when = [f"after PPO step {step} of {n_steps}" for step in range(n_steps + 1)]
    values = {"when": ["before the first PPO step", *when[1:], "on the whole run"]}
    for i in range(len(SYMPTOMS)):
        values[f"numbers{i}"] = [findings[i].evidence if findings else "–" for findings in judged]
        for verdict, sign in SIGNS.items():
            values[f"{verdict}{i}"] = [sign if each and each[i].verdict == verdict else "" for each in judged]
    return Live(_template(), np.array(rows), values)


def _template() -> str:
    known: set[str] = set()
    head = (
        '<div class="mt-check mt-head"><span>Check</span><span>This run, <span data-slot="when"></span></span>'
        "<span>Unhealthy looks like</span></div>"
    )
    rows = "".join(
        f'<div class="mt-check"><p><b>{marked(symptom.name, known)}</b><small>{LOGGED[symptom.needs[0]]}</small></p>'
        f'<p class="mt-judged"><span class="mt-verdict">{_signs(i)}</span><span data-slot="numbers{i}"></span></p>'
        f'<p class="mt-unhealthy">{marked(symptom.unhealthy, known)}</p></div>'
        for i, symptom in enumerate(SYMPTOMS)
    )
    return f'<div class="mt-wrap"><div class="mt-checks">{head}{rows}</div></div>'


def _signs(i: int) -> str:
    return "".join(f'<b class="mt-{verdict}" data-slot="{verdict}{i}"></b>' for verdict in SIGNS)
