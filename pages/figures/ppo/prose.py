"""Formulas of the PPO page, and its sentences that depend on the run: every number in them is looked up."""

from pages.drawing.view import View
from pages.drawing.wording import number, plural
from pages.figures.ppo.step import largest_ratio
from pages.figures.ppo.words import steps
from rlhf_core.distributions import kl_divergence

SECTIONS = {
    "objective": "Objective", "climb": "Gradient", "advantage": "Advantage", "clip": "Ratio, clip", "loop": "Loop",
    "answers": "Answers", "policies": "Policies", "kl": "KL", "other-ways": "Other ways",
}  # fmt: skip
"""Anchors of the page's sections, and their short names."""

INTRODUCTION = """
The policy writes answers, the reward model scores them, and PPO makes the better ones more probable. The reward model
is only a model, so the policy is held near the SFT policy that it came from: each nat of distance has a price, **β**.
An answer that has become 2.7 times as likely is **1 nat** away, one that is 7.4 times as likely 2 nats, one that has
become rarer less than 0. The **KL** is the mean over the policy’s own answers.
"""
OBJECTIVE = r"""
$$
J(\policy{\theta}) = \mathbb{E}_{y\sim\policy{\pi_\theta}}[\reward{r(x,y)}]
- \beta\,\kl{\mathrm{KL}(\policy{\pi_\theta}\,\|\,\reference{\pi_\mathrm{ref}})}
$$
"""
TOKEN_REWARD = r"""
$$
r_t = -\beta\,\kl{\log\frac{\pi_\mathrm{old}(y_t \mid \cdot)}{\reference{\pi_\mathrm{ref}}(y_t \mid \cdot)}}
+ [t\text{ last}]\;\reward{r(x,y)}
$$

Mind the sign: every token *pays* β times its log-ratio, and the reward comes once, with the last token. A token that
has become rarer than under the reference has a negative log-ratio and is paid back.
"""
SURROGATE = r"""
$$
\max_{\policy{\theta}}\,\sum_t \min\big(\policy{\rho_t} A_t,\; \mathrm{clip}(\policy{\rho_t}, 1 \pm \epsilon) A_t\big)
$$
"""
REAL = """
### What a real LLM has that this toy has not
Tens of thousands of tokens to choose from at every position, so its KL is estimated from samples; one network for all
prompts, where each prompt here has tables of its own and learns nothing from the others; minibatches; often a critic.
"""


def leash(view: View) -> str:
    """What the penalty costs in this run, and what it cannot do."""
    beta = view.run.settings.beta
    price = f"In this run β = {beta:g}: one more nat must bring at least {beta:g} reward units to be worth it."
    if beta == 0:
        price = "In this run β = 0: distance is free, and J is the reward alone."
    return f"""
Both terms are means over all prompts. {price} The penalty is a leash, not a lie detector: it cannot tell honest
gains from flattery. In the setting of [Gao et al. (2022)](https://arxiv.org/abs/2210.10760), where a larger reward
model stands for people, it acted like stopping early; they call that sensitive to hyperparameters."""


def rollouts(view: View) -> str:
    """What is written and what counts."""
    n = view.run.settings.rollouts
    written = f"For every prompt the policy writes {plural(n, 'answer')}, the **rollouts**."
    if n == 0:
        written = "Here every answer stands among the **rollouts** and counts with its probability: no chance is left."
    return (
        f"{written} Each earns R = r − βk: its reward, less the price of its own log-ratio. Is that much? It depends "
        "on what was to be expected, the **baseline**. What lies above it is the **advantage** A; the update makes "
        "tokens with A > 0 more probable, those with A < 0 less."
    )


def negative(view: View) -> str:
    """How the loop is to be read, and how many log-ratios of the last step are negative."""
    last = steps(view)[-1]
    below, n = int((last.log_ratio.sum(axis=1) < -1e-12).sum()), len(last.rewards)
    seen = f"as {below} of {n} {'is' if below == 1 else 'are'}" if below else "though none is"
    return (
        "Rewards and penalty are computed once, before the epochs; the KL enters through the reward and nowhere else. "
        f"A single log-ratio k may be negative, {seen} in step {last.number}; the exact KL never is. Set *Step by* to "
        "*loop line* in the player to stop at each line."
    )


def reuse(view: View) -> str:
    """Why there is a ratio."""
    n = view.run.settings.ppo_epochs
    if n == 1:
        return (
            "Rollouts are dear, so PPO usually takes several gradient steps on the same ones. This run takes one: the "
            "**ratio** ρ of new to old probability is 1 when the slope is taken, and the update is a plain policy "
            "gradient."
        )
    return (
        f"Rollouts are dear, so PPO takes several gradient steps on the same ones, here {n}. From the second on, the "
        "policy in training is no longer the one that wrote them. The **ratio** ρ of new to old probability of each "
        "token makes up for it: what the new policy would write twice as often counts twice. In the first epoch ρ = 1, "
        "and this is the plain policy gradient."
    )


def clipping(view: View) -> str:
    """What clipping does, and how often it did."""
    clip_range, ppo = view.run.settings.clip_range, view.run.ppo
    if view.run.settings.ppo_epochs == 1:
        return "With one epoch per step the slope is taken at ρ = 1 only, so clipping never acts in this run."
    return f"""
**Clipping** stops a token that has gone far enough. Its gradient becomes zero where its advantage pushes it up and it
is above {1 + clip_range:g} already, or down and below {1 - clip_range:g}.

That does not bound the ratio. The gradient step that crosses the line is taken in full; and tokens share their logits,
so that one’s push moves the others. In this run {ppo.clip_fraction[1:].mean():.1%} of the token gradients were cut,
and the largest ratio over all prompts was {number(largest_ratio(view))}."""


def loss(view: View) -> str:
    """What the PPO loss did while J did what it did."""
    loss, objective = view.run.ppo.loss, view.run.ppo.objective
    start = (
        f"{number(loss[0, 0])} in step 1, {number(loss[-1, 0])} in step {len(loss)}"
        if view.run.settings.advantage == "gae"
        else "a group’s mean makes that 0 in every step, however good the policy"
    )
    return f"""
### The PPO loss is no progress bar
Before a step’s first epoch the loss is minus the mean advantage, summed over an answer’s three tokens: {start}. After
the last epoch it was {number(loss[0, 1])} in step 1 and {number(loss[-1, 1])} in step {len(loss)}, while J went from
{number(objective[0])} to {number(objective[-1])}. Every step has its own rollouts and advantages, so two steps’ losses
cannot be compared. Watch reward, KL and entropy."""


def ratio_and_clip(view: View) -> str:
    """Why there is a ratio, what is maximised, what clipping does and what became of the loss."""
    return "\n\n".join((reuse(view), SURROGATE, clipping(view), loss(view)))


def other_way(view: View) -> str:
    """KL in either direction at the end of the run."""
    now, reference = view.run.ppo.log_probs[-1, view.prompt], view.run.ppo.log_probs[0, view.prompt]
    forward, backward = float(kl_divergence(now, reference)), float(kl_divergence(reference, now))
    return (
        "The KL is a mean over the policy’s *own* responses. It is a divergence, not a distance: at the end of this "
        f"run KL(π ‖ reference) is {number(forward)} nats for this prompt, KL(reference ‖ π) {number(backward)}."
    )
