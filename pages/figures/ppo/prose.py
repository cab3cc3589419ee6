"""Formulas of the PPO page, and its sentences that depend on the run: every number in them is looked up."""

from pages.drawing.view import View
from pages.drawing.wording import number, plural
from pages.figures.ppo.step import largest_ratio
from pages.figures.ppo.words import steps
from rlhf_core.distributions import kl_divergence

OBJECTIVE = (
    r"J(\policy{\theta}) = \mathbb{E}_{y\sim\policy{\pi_\theta}}[\reward{r(x,y)}]"
    r" - \beta\,\kl{\mathrm{KL}(\policy{\pi_\theta}\,\|\,\reference{\pi_\mathrm{ref}})}"
)
TOKEN_REWARD = (
    r"r_t = -\beta\,\kl{\log\frac{\pi_\mathrm{old}(y_t \mid \cdot)}{\reference{\pi_\mathrm{ref}}(y_t \mid \cdot)}}"
    r" + [t\text{ last}]\;\reward{r(x,y)}"
)
SURROGATE = (
    r"\max_{\policy{\theta}}\,\sum_t \min\big(\policy{\rho_t} A_t,\; "
    r"\mathrm{clip}(\policy{\rho_t}, 1 \pm \epsilon) A_t\big)"
)
ADVANTAGE = {
    "group_mean": r"A_i = \reward{R_i} - \frac{1}{G}\sum_{j} \reward{R_j}",
    "leave_one_out": r"A_i = \reward{R_i} - \frac{1}{G-1}\sum_{j \ne i} \reward{R_j}",
    "group_normalised": r"A_i = \frac{\reward{R_i} - \mathrm{mean}_j\, \reward{R_j}}"
    r"{\mathrm{std}_j\, \reward{R_j} + 10^{-4}}",
    "gae": r"A_t = \sum_{l \ge 0} (\gamma\lambda)^l \left(\reward{r_{t+l}} + \gamma V_{t+l+1} - V_{t+l}\right)",
}
LEAD = "The advantage is the lead of R = r − β k over a baseline."
BASELINE = {
    "group_mean": f"{LEAD} Here that is the mean over the prompt’s own rollouts. RLOO leaves the rollout itself out of "
    "it, GRPO takes the lead of the reward r alone and divides it by the spread, and InstructGPT’s PPO learns a value "
    "for every prefix instead (GAE).",
    "leave_one_out": f"{LEAD} Here, as in RLOO, that is the mean over the prompt’s *other* rollouts. GRPO takes the "
    "lead of the reward r alone over the mean of all and divides it by the spread; InstructGPT’s PPO learns a value "
    "for every prefix instead (GAE).",
    "group_normalised": f"{LEAD} Here that is the group’s mean, and the lead is divided by the group’s spread. These "
    "are two choices: the division removes the reward’s scale, so β counts relative to the spread. This is *not* GRPO "
    "as published: GRPO divides the lead of the reward r alone, puts the KL into the loss as a term of its own (k3, "
    "per token) and averages over an answer’s length; [Dr. GRPO](https://arxiv.org/abs/2503.20783) drops both "
    "divisions. TRL’s GRPOTrainer has β = 0 by default, and one epoch per batch.",
    "gae": "The advantage is what the tokens from here on earned, less what was expected. Here, as in InstructGPT, a "
    "learned value V of every prefix says what was expected (GAE, γ = 1, λ = 0.95), so each token has an advantage of "
    "its own; the last one’s is its reward r minus V.",
}
SIGN = """
Mind the sign: every token *pays* β times its log-ratio, and the score comes once, with the last token. A token that has
become rarer than under the reference has a negative log-ratio and is paid back.
"""
REAL = """
#### What a real LLM has that this toy has not
Tens of thousands of tokens to choose from at every position, so its KL is estimated from samples; one network for all
prompts, where each prompt here has tables of its own and learns nothing from the others; minibatches; often a value
network.
"""


class Words:
    """The run's numbers in words."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.settings = view.run.settings
        self.ppo = view.run.ppo

    @property
    def leash(self) -> str:
        """What the penalty costs, and what it cannot do."""
        return f"""
Both terms are means over all prompts. {self.price} The penalty is a leash, not a lie detector: it cannot tell honest
gains from flattery. In the setting of [Gao et al. (2022)](https://arxiv.org/abs/2210.10760), where a larger reward
model stands for people, it acted like stopping early; they call that sensitive to hyperparameters."""

    @property
    def price(self) -> str:
        """What beta means in this run."""
        beta = self.settings.beta
        if beta == 0:
            return "In this run β = 0: distance is free, and J is the reward alone."
        return f"In this run β = {beta:g}: one more nat must bring at least {beta:g} reward units to be worth it."

    @property
    def rollouts(self) -> str:
        """Where the batch comes from."""
        n = self.settings.rollouts
        if n == 0:
            return "With the exact expectation every response counts with its probability; nothing is left to chance."
        return f"The old policy writes {plural(n, 'response')} to every prompt."

    @property
    def negative(self) -> str:
        """How many log-ratios of the last step are negative."""
        last = steps(self.view)[-1]
        below, n = int((last.log_ratio.sum(axis=1) < -1e-12).sum()), len(last.rewards)
        seen = f"as {below} of {n} {'is' if below == 1 else 'are'}" if below else "though none is"
        return f"A single log-ratio k may be negative, {seen} in step {last.number}; the exact KL never is."

    @property
    def clipping(self) -> str:
        """What clipping does, and how often it did."""
        clip_range = self.settings.clip_range
        if self.settings.ppo_epochs == 1:
            return "With one epoch per step the gradient is taken at ρ = 1 only, so clipping never acts in this run."
        return (
            f"Clipping zeroes a token’s gradient on two of four sides: A > 0 with ρ > {1 + clip_range:g}, and A < 0 "
            f"with ρ < {1 - clip_range:g}. It does not bound the ratio: the gradient step that crosses the line is "
            f"taken in full, and tokens share their logits. In this run {self.ppo.clip_fraction[1:].mean():.1%} of the "
            f"token gradients were cut, and the largest ratio over all prompts was {number(largest_ratio(self.view))}."
        )

    @property
    def other_way(self) -> str:
        """KL in either direction at the end of the run."""
        now, reference = self.ppo.log_probs[-1, self.view.prompt], self.ppo.log_probs[0, self.view.prompt]
        forward, backward = float(kl_divergence(now, reference)), float(kl_divergence(reference, now))
        return (
            f"It is a divergence, not a distance: at the end of this run KL(π ‖ reference) is {number(forward)} nats "
            f"for this prompt, KL(reference ‖ π) {number(backward)}."
        )

    @property
    def loss(self) -> str:
        """What the PPO loss did while J did what it did."""
        loss, objective = self.ppo.loss, self.ppo.objective
        start = (
            f"{number(loss[0, 0])} in step 1, {number(loss[-1, 0])} in step {len(loss)}"
            if self.settings.advantage == "gae"
            else "a group’s mean makes that 0 in every step, however good the policy"
        )
        return (
            "Before a step’s first epoch the loss is minus the mean advantage, summed over an answer’s three tokens: "
            f"{start}. After the last epoch it was {number(loss[0, 1])} in step 1 and {number(loss[-1, 1])} in step "
            f"{len(loss)}, while J went from {number(objective[0])} to {number(objective[-1])}. Every step has its own "
            "rollouts and advantages, so two steps’ losses cannot be compared. Watch reward, KL and entropy."
        )
