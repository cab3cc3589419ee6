"""What the reward-model page says, with the run's own numbers in it."""

import numpy as np

from pages.drawing.view import View
from pages.drawing.wording import interval, minus, plain
from pages.figures.reward_model.scores import rank_of_top


def why_pairs(view: View) -> str:
    """Why people compare instead of grading, and who compares here."""
    return f"""
Ask ten people for a mark out of ten and you get ten scales: one never gives a ten, another never less than five. Ask
which of two answers is better, and the scale is gone. So RLHF collects **comparisons**: two answers of the SFT policy
to the same prompt, and one click.

In real projects people click. Here {len(view.run.reward.pairs.prompt)} labels come from **simulated labellers** in a
hurry. What they think of an answer is $j = u + b \\cdot a$: its true reward $u$, and its appeal $a$ times their bias
$b$, {_sway(view)}. They prefer the first of two with probability $\\sigma((j_1 - j_2)/\\tau)$, with noise
τ = {view.run.settings.label_noise:g}. Nothing else of the truth reaches the reward model."""


def _sway(view: View) -> str:
    """How far these labellers are swayed."""
    bias = view.run.settings.labeller_bias
    return f"here {bias:g}" if bias else "which in this run is 0, so nothing sways them"


BRADLEY_TERRY = """
$y^+$ is the answer that was chosen, $y^-$ the one that was rejected. In Bradley and Terry's model (1952) σ turns the
difference between two scores into the probability that people prefer the first. The loss is −log of the probability
given to what the labeller really chose."""


def ceiling(view: View) -> str:
    """Agreement and ceiling, defined."""
    pairs, accuracy = view.run.reward.pairs, float(view.run.reward.heldout_accuracy[-1])
    n_heldout = int(pairs.heldout.sum())
    return f"""
Labellers do not always agree. Let $p$ be the probability that a labeller prefers the first answer of a pair.
**Agreement** is how often two labellers choose alike, the mean of $p^2 + (1-p)^2$ over all pairs: here
{pairs.agreement:.1%}, at InstructGPT 72.6 ± 1.5%. The **ceiling** is the accuracy to expect of somebody who knows
what the labellers think and always names the answer that they prefer, the mean of $\\max(p, 1-p)$: here
{pairs.ceiling:.1%}. It is never below agreement, because only one labeller errs instead of two. It is an expectation:
on a few dozen pairs a model may beat it by luck. InstructGPT's reward model reached 72.4 ± 0.4% on its own labellers
and 69.6 ± 0.9% on new ones; ours is right in {accuracy:.1%} of {n_heldout} pairs on prompts that it was not trained on
({interval(accuracy, n_heldout)})."""


def typing(view: View) -> str:
    """Invitation to beat the model."""
    best = float(view.run.reward.scores[view.prompt].max())
    return f"""
The reward is a weighted sum of {len(view.run.reward.feature_names)} counts in the text, so each part of a score can be
traced. The best of this prompt's {len(view.responses)} answers gets {minus(best)}. Can you get more without saying
anything? Here PPO can only choose among those {len(view.responses)} answers; a real policy can write whatever you can
type."""


def no_zero(view: View) -> str:
    """How zero and unit of the reward are fixed."""
    return f"""
Add 10 to all answers of a prompt: every difference stays the same, and so does every loss. The zero is ours to choose,
and we put it at **the SFT policy's average for each prompt**. The unit is not given either. In the fit, a difference
of 1 means odds of e to 1; how far answers lie apart in that unit depends on how much labellers agree. We divide by
{view.run.reward.scale:.2f} log-odds, so that **one reward unit is the spread of the SFT policy's own answers**. Then β
means the same in every run. PPO's optimum depends on reward ÷ β alone, so a reward twice as large is the same as half
the β: a β without the scale of its reward says nothing."""


def not_enough(view: View) -> str:
    """What accuracy cannot say, with the chosen prompt's highest-scored answer."""
    top, rank = rank_of_top(view)
    return f"""
Accuracy is measured on pairs that the SFT policy wrote. PPO does not stay there. It looks for whatever scores highest,
and among the highest scores are those where the reward model errs in an answer's favour. Of this prompt's answers it
likes best:

> {plain(view.responses[top])}

By true reward that is number {rank} of {len(view.responses)}.{_furthest_off(view, rank)}

Pushing a proxy until it no longer means what it meant is called **over-optimisation**, or reward hacking. It is not
overfitting: accuracy on held-out pairs can be high all the while, because those pairs come from the old policy."""


def _furthest_off(view: View, rank: int) -> str:
    """The prompt whose favourite is worst, unless it is the chosen one."""
    scores, truth = view.run.reward.scores, view.run.scenario.true_reward
    favourite = np.take_along_axis(truth, scores.argmax(axis=1)[:, None], axis=1)
    ranks = (truth > favourite).sum(axis=1) + 1
    worst = int(np.argmax(ranks))
    if ranks[worst] <= rank:
        return " For no other prompt is it further off."
    prompt = plain(view.run.scenario.prompts[worst])
    return f" It is furthest off for “{prompt}”, where its favourite is number {ranks[worst]}."


def reality(view: View) -> str:
    """Toy against real."""
    pairs = view.run.reward.pairs
    return f"""
- **Labellers** are people with instructions, moods and cultures, not a formula with noise τ. They are swayed by
  confident, flattering or cautious text, each in a way of their own; ours all by the same amount, the labeller bias.
- **The reward model** is an LLM that ends in one number and reads the text. Ours sees
  {len(view.run.reward.feature_names)} counts, so its blind spots are large and easy to see. A real one has subtler
  ones, and PPO finds them too.
- **The data**: about 33,000 prompts at InstructGPT; {len(pairs.prompt)} pairs on {len(view.run.scenario.prompts)}
  prompts here, {int(pairs.heldout.sum())} of them on prompts held out.
- **The task is hard for large models too**: Llama 2's reward models reached 63.2% (helpfulness) and 64.5% (safety) on
  Meta's own test sets."""
