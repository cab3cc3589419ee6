"""How an expected reward is climbed: the policy gradient, checked on this very policy, and what a baseline is for."""

import numpy as np

from pages.drawing.live import Live
from pages.drawing.view import View, once
from pages.drawing.wording import number, plural
from pages.figures.ppo.words import batch_rows, outlook, preview, slot, steps
from rlhf_core import policy
from rlhf_core.distributions import expectation
from rlhf_core.policy import Tables
from rlhf_core.policy_gradient import central_differences, estimator_variance, log_derivative

HOW = r"""
The policy *samples* its answers, and nobody can take the slope of a throw of dice. Four lines lead round it:

1. $\mathbb{E}[\reward{r}] = \sum_y \policy{\pi_\theta}(y)\,\reward{r}(y)$. An answer’s reward is what it is; only its
   probability depends on the logits θ.
2. $\nabla\,\mathbb{E}[\reward{r}] = \sum_y \reward{r}(y)\,\nabla\policy{\pi_\theta}(y)$. The slope of a sum is the sum
   of the slopes.
3. $\nabla\policy{\pi_\theta} = \policy{\pi_\theta}\,\nabla\log\policy{\pi_\theta}$, because the slope of log π is that
   of π divided by π.
4. $\nabla\,\mathbb{E}[\reward{r}] = \mathbb{E}_{y\sim\policy{\pi_\theta}}[\,\reward{r}(y)\,
   \nabla\log\policy{\pi_\theta}(y)\,]$: a mean over the policy’s own answers, which **rollouts** estimate.

So each answer is made more probable in proportion to its reward. For *J* put $R = r - \beta k$ in the place of *r*:
an answer pays β for its log-ratio k (the slope of k itself has the mean 0).
"""
PLACES = 5
RAISED = 10
"""What the passage on the baseline adds to every reward."""


@once
def _policies(view: View) -> Tables:
    """Logits of the chosen prompt that wrote each step's rollouts, step axis first."""
    history = view.run.ppo.logits[:-1]
    return tuple(np.stack([logits[level][view.prompt] for logits in history]) for level in range(3))


@once
def slopes(view: View) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slope of the prompt's expected reward in the logit of each opening, before each step, (T, O).

    By the log-derivative over all responses, by central differences, and as the step's rollouts estimate it.
    """
    logits, rewards = _policies(view), view.run.reward.scores[view.prompt]
    tables = policy.log_tables(logits)
    exact = log_derivative(tables, np.exp(policy.response_log_probs(tables)) * rewards)[0]
    drawn = np.zeros((len(exact), len(rewards)))
    for row, step in zip(drawn, steps(view), strict=True):
        np.add.at(row, step.responses, step.weights * step.rewards)
    return exact, central_differences(logits, rewards), log_derivative(tables, drawn)[0]


def gradient_check(view: View) -> Live:
    """The slope of the expected reward in each opening's logit, found in three ways."""
    exact, brute, sampled = slopes(view)
    openings = [phrase.kind.replace("_", " ") for phrase in view.run.scenario.phrases[view.prompt]["opening"]]
    agreed = [f"{_decimals(gap)} decimals" for gap in np.abs(exact - brute).max(axis=1)]
    values = {"when": _when(view), "decimals": preview(agreed)}
    ways = {"log": exact, "brute": brute} | ({"drawn": sampled} if view.run.settings.rollouts else {})
    for key, found in ways.items():
        for i in range(len(openings)):
            values[f"{key}{i}"] = preview([number(each, PLACES) for each in found[:, i]])
    return Live(_template(view, openings, list(ways)), batch_rows(view), values)


def _decimals(gap: float) -> int:
    """To how many decimals two numbers agree that lie so far apart; double precision knows no more than 15."""
    return int(np.clip(-np.log10(max(gap, 1e-15)), 0, 15))


def _when(view: View) -> list[str]:
    n_steps = view.timeline.n_steps
    return [f"Before step {outlook(n_steps)}", *(f"Before step {k}" for k in range(1, n_steps + 1))]


def _template(view: View, openings: list[str], ways: list[str]) -> str:
    heads = {
        "log": ("line 4", "all 80 answers"),
        "brute": ("by force", "E[r] at θ ± 0.0001"),
        "drawn": ("line 4, sampled", f"the step’s {plural(view.run.settings.rollouts, 'rollout')}"),
    }
    head = "".join(f'<th scope="col">{name}<small>{how}</small></th>' for name, how in (heads[way] for way in ways))
    rows = "".join(
        f'<tr><th scope="row">{opening}</th>'
        + "".join(f'<td data-label="{heads[way][0]}">{slot(f"{way}{i}", "policy num")}</td>' for way in ways)
        + "</tr>"
        for i, opening in enumerate(openings)
    )
    table = f'<thead><tr><th scope="col">opening</th>{head}</tr></thead><tbody>{rows}</tbody>'
    return (
        f'<p class="po-line">{slot("when", "po-when")} slope of this prompt’s E[r] in the logit of each opening, in '
        f'reward units</p><table class="po-slopes">{table}</table>'
        f'<p class="po-line">The first two agree to {slot("decimals")}.</p>'
    )


def baseline(view: View) -> str:
    """Why a baseline helps, with the variance that it saves in the last step."""
    logits, rewards = _policies(view), view.run.reward.scores[view.prompt]
    tables = policy.log_tables(tuple(table[-1:] for table in logits))
    mean = expectation(policy.response_log_probs(tables), rewards)
    with_it, as_it_is, raised = (
        number(estimator_variance(tables, rewards, baseline=level)[0]) for level in (mean, 0.0, -RAISED)
    )
    return (
        "**Why a baseline helps.** All probabilities together are 1, whatever θ, so ∇log π has the mean 0: any "
        "constant may be taken off the reward, and line 4 gives the same slope. What changes is the noise of the "
        f"estimate. A reward has no zero of its own: were all rewards {RAISED} more, nothing would differ, but before "
        f"step {len(logits[0])} the estimates of single answers would have a variance of {raised} for this prompt. "
        f"With the mean taken off it is {with_it}, wherever the zero is. As the rewards stand it would be {as_it_is} "
        "without: their zero is already the SFT policy’s mean."
    )
