"""What an advantage is measured against: the estimators, a critic, whitening."""

import numpy as np

from pages.drawing.view import View
from pages.drawing.wording import number
from rlhf_core import policy
from rlhf_core.policy_gradient import variance_by_position

FORMULAS = {
    "group_mean": r"A_i = \reward{R_i} - \frac{1}{G}\sum_{j} \reward{R_j}",
    "leave_one_out": r"A_i = \reward{R_i} - \frac{1}{G-1}\sum_{j \ne i} \reward{R_j}",
    "group_normalised": r"A_i = \frac{\reward{R_i} - \mathrm{mean}_j\, \reward{R_j}}"
    r"{\mathrm{std}_j\, \reward{R_j} + 10^{-4}}",
    "gae": r"A_t = \sum_{l \ge 0} (\gamma\lambda)^l \left(\reward{r_{t+l}} + \gamma V_{t+l+1} - V_{t+l}\right)",
}
CHOSEN = {
    "group_mean": "The baseline of this run is the mean of R over the prompt’s own rollouts.",
    "leave_one_out": "The baseline of this run, as in RLOO, is the mean of R over the prompt’s *other* rollouts.",
    "group_normalised": "The baseline of this run is the mean of R over the prompt’s rollouts, and the lead is divided "
    "by their spread. These are two choices: the division removes the reward’s scale, so β counts relative to the "
    "spread.",
    "gae": "In this run, as in InstructGPT, a critic says what to expect after each token (GAE, γ = 1, λ = 0.95). So "
    "every token has an advantage of its own; the last one’s is its reward r minus V.",
}
OTHERS = {
    "group_mean": "RLOO leaves the rollout itself out of the mean.",
    "leave_one_out": "One may also leave the rollout in: then all advantages are smaller by the factor (G − 1) / G.",
    "group_normalised": "This is *not* GRPO as published.",
    "gae": "RLOO takes the mean of the prompt’s other rollouts.",
}
GRPO = (
    "GRPO takes the lead of the reward r alone, divides it by the group’s spread, puts the KL into the loss as a term "
    "of its own (k3, per token) and averages over an answer’s length; "
    "[Dr. GRPO](https://arxiv.org/abs/2503.20783) drops both divisions. TRL’s GRPOTrainer leaves the KL out by "
    "default, and goes through a batch once."
)


def chosen(view: View) -> str:
    """The advantage of this run's estimator as a formula on a line of its own, and what it is measured against."""
    estimator = view.run.settings.advantage
    return f"$$\n{FORMULAS[estimator]}\n$$\n\n{CHOSEN[estimator]}"


def others(view: View) -> str:
    """The estimators that this run does not use."""
    ours = view.run.settings.advantage
    critic = "" if ours == "gae" else " InstructGPT’s PPO has a critic instead (GAE)."
    return f"**Other baselines.** {OTHERS[ours]}{critic} {GRPO}"


def critic(view: View) -> str:
    """What a critic would know, with the share of the reward that each token decides."""
    logits = tuple(table[[view.prompt]] for table in view.run.ppo.logits[-2])
    decided = variance_by_position(policy.log_tables(logits), view.run.reward.scores[view.prompt])[0]
    step, total = view.timeline.n_steps, decided.sum()
    seen = f"Before step {step} all answers to this prompt that occur earn the same, and there is nothing to know."
    if total > 1e-6:
        opening, body, closing = np.round(100 * decided / total)
        seen = (
            f"Before step {step} the opening decides {opening:.0f}% of the reward’s variance for this prompt, the body "
            f"{body:.0f}%, the closing {closing:.0f}%."
        )
    return (
        "**Why a critic?** A group’s mean gives all three tokens of an answer the same advantage, whoever earned it. A "
        f"critic knows what to expect after each token, and so what that token has changed. {seen} With three tokens "
        "one can do without. In a text of a thousand, with one rollout per prompt, there is no group to take the mean "
        "of: then PPO needs a critic, which is a second model to train. RLOO and GRPO pay with more rollouts instead."
    )


def whitening(view: View) -> str:
    """What whitening would do to this run's advantages."""
    first, last = (float(np.std(batch.advantages)) for batch in (view.run.ppo.rollouts[i] for i in (0, -1)))
    step = view.timeline.n_steps
    seen = f"Here their spread over the prompts is {number(first)} in step 1 and {number(last)} in step {step}."
    if min(first, last) > 0.005 and step > 1:
        times = number(first / last, 1)
        seen += f" Measured against step 1, whitening would make step {step} push {times} times as hard."
    return (
        "**Whitening.** Many trainers, TRL’s PPO among them, shift and scale the advantages of a batch to mean 0 and "
        f"spread 1. Then a small lead counts as much as a large one. {seen} The scale of the reward is gone from the "
        "update, but not from R: β still weighs a nat against a reward unit, and says nothing without the reward’s "
        "scale."
    )
