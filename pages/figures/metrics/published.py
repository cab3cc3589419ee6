"""Published values of real RLHF runs beside this run's, and TRL's names for our metrics."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pages.drawing import theme
from pages.drawing.chart import Chart
from pages.drawing.grid import grid
from pages.drawing.live import Live
from pages.drawing.view import View
from pages.drawing.wording import minus
from rlhf_core import PipelineRun
from rlhf_core.timeline import METRICS


@dataclass(frozen=True, slots=True)
class Source:
    """Where a published value stands."""

    name: str
    url: str

    @property
    def link(self) -> str:
        """Markdown link."""
        return f"[{self.name}]({self.url})"


INSTRUCT_GPT = Source("InstructGPT", "https://arxiv.org/abs/2203.02155")
STIENNON = Source("Stiennon et al. 2020", "https://arxiv.org/abs/2009.01325")
LLAMA_2 = Source("Llama 2", "https://arxiv.org/abs/2307.09288")
ANTHROPIC_HH = Source("Anthropic HH", "https://arxiv.org/abs/2204.05862")
ZIEGLER = Source("Ziegler et al. 2019", "https://arxiv.org/abs/1909.08593")
TRL = Source("TRL v1 defaults", "https://huggingface.co/docs/trl/v1.9.0/ppo_trainer")
GAO = Source("Gao et al. 2022", "https://arxiv.org/abs/2210.10760")

PUBLISHED: dict[str, tuple[tuple[Source, str], ...]] = {
    "KL penalty β": (
        (INSTRUCT_GPT, "0.02"), (STIENNON, "0.05"), (LLAMA_2, "0.01 (7B, 13B), 0.005 (34B, 70B)"),
        (ANTHROPIC_HH, "0.001"),
        (ZIEGLER, "adaptive from 0.15 towards 6 nats for sentiment and descriptiveness, fixed for summaries"),
        (TRL, "PPO 0.05, RLOO 0.05, GRPO 0, DPO 0.1"),
    ),
    "Clip range": ((INSTRUCT_GPT, "0.2"), (LLAMA_2, "0.2"), (TRL, "0.2")),
    "Epochs per batch": ((INSTRUCT_GPT, "1"), (STIENNON, "4"), (TRL, "PPO 4, GRPO 1")),
    "GAE γ and λ": ((STIENNON, "1 and 0.95"), (TRL, "1 and 0.95")),
    "Answers sampled": (
        (INSTRUCT_GPT, "256,000 episodes, batch 512, minibatch 64"), (STIENNON, "1 million episodes"),
        (LLAMA_2, "200–400 iterations, batch 512, minibatch 64"),
    ),
    "Labelled data": ((INSTRUCT_GPT, "about 13,000 SFT, 33,000 reward-model and 31,000 PPO prompts"),),
    "RM accuracy": (
        (INSTRUCT_GPT, "72.4 ± 0.4% (its own labellers), 69.6 ± 0.9% (held-out labellers)"),
        (LLAMA_2, "63.2% helpfulness, 64.5% safety, on its own sets"),
    ),
    "Labellers agree": (
        (INSTRUCT_GPT, "72.6 ± 1.5% and 77.3 ± 1.3%"), (ANTHROPIC_HH, "about 63%, researchers with crowdworkers"),
    ),
    "Reward against KL": ((ANTHROPIC_HH, "roughly linear in √KL"),),
}  # fmt: skip

MANY_LABELS = 2000
SECTIONS = {
    "goal": "The goal", "six": "Six figures", "healthy": "Healthy?", "compare": "Compare", "negative-kl": "KL < 0?",
    "why-the-loss-is-no-progress-bar": "The loss", "real-runs": "Real runs", "the-same-figures-in-trl": "In TRL",
    "in-your-own-project": "In practice", "take-it": "Take it",
}  # fmt: skip
"""Anchors of the page's sections, and their short names."""

SIX = """
These stand above every page; here they are over the whole pipeline, each with its definition. The library TRL logs them
under the names in the [table below](#the-same-figures-in-trl).
"""

OVER_OPTIMISATION = f"""
In a real run only the dashed line exists. **Over-optimisation is not overfitting**: the policy finds the answers about
which the reward model is wrong. It is wrong for two reasons: it reads style, not facts, and it learnt from labellers
who can be swayed, as by praise, certainty or unchecked detail. In the helpfulness scenario with β = 0, more steps find
more of those answers, and even {MANY_LABELS:,} comparisons do not cure it. Accuracy is no protection: it is measured on
the labellers’ own choices between answers of the SFT policy.
"""

GOODHART = f"""
**Goodhart’s law** is its general form, in Strathern’s words: when a measure becomes a target, it ceases to be a good
measure. The reward was a good measure of answers that nobody had chosen for their reward.

{GAO.link} let a larger reward model stand for people and fitted its score as a function of √KL, for RL and for
best-of-n. In their setting the KL penalty acted like stopping early; they add that this may depend on hyperparameters.
What helps is to ask people again, about what the policy writes now: see the end of the Reward model page.
"""

CAVEATS = """
β is in reward units per nat, and every run has its own reward scale (whitening the advantages removes it): compare
orders of magnitude at most. TRL keeps PPOTrainer among its experimental trainers now.
"""

ACCURACIES = (
    ("InstructGPT, its own labellers", 0.724, 0.004),
    ("InstructGPT, held-out labellers", 0.696, 0.009),
    ("Llama 2, safety", 0.645, 0.0),
    ("Llama 2, helpfulness", 0.632, 0.0),
)
AGREEMENTS = (
    ("InstructGPT, held-out labellers", 0.773, 0.013),
    ("InstructGPT, its own labellers", 0.726, 0.015),
    ("Anthropic HH, researchers with workers", 0.63, 0.0),
)


def this_run(run: PipelineRun) -> dict[str, str]:
    """Value in this run of each published quantity."""
    settings, pairs = run.settings, run.reward.pairs
    n_prompts, n_train = len(run.scenario.prompts), int((~pairs.heldout).sum())
    sampled = settings.rollouts * n_prompts * settings.ppo_steps
    return {
        "KL penalty β": f"{settings.beta:g}",
        "Clip range": f"{settings.clip_range:g}",
        "Epochs per batch": f"{settings.ppo_epochs}",
        "GAE γ and λ": "1 and 0.95" if settings.advantage == "gae" else "no GAE in this run",
        "Answers sampled": f"{sampled:,}" if sampled else "none: exact expectation",
        "Labelled data": f"{settings.n_demonstrations * n_prompts} demonstrations, {n_train} training pairs",
        "RM accuracy": f"{run.reward.heldout_accuracy[-1]:.1%} on held-out prompts",
        "Labellers agree": f"{pairs.agreement:.1%} expected",
        "Reward against KL": f"{minus(run.ppo.reward[-1])} reward units for {minus(run.ppo.kl[-1])} nats",
    }


def published_values(view: View) -> Live:
    """Table of published values: quantity, this run, real runs with links."""
    ours = this_run(view.run)
    rows = [
        (quantity, ours[quantity], "; ".join(f"{source.link} {value}" for source, value in values))
        for quantity, values in PUBLISHED.items()
    ]
    return grid(view, ("What", "This run", "Real runs"), rows)


TRL_ONLY = (
    ("Spread of the scores", "", "reward_std", "in a batch; `frac_reward_zero_std`: share of groups without any"),
    ("Penalised reward", "objective/rlhf_reward", "", "scores plus `objective/non_score_reward`, which is −β KL"),
    ("Clip fraction", "policy/clipfrac_avg", "clip_ratio/region_mean", "tokens whose gradient clipping set to zero"),
    ("Change in one step", "policy/approxkl_avg", "", "new against old policy, per token; not the KL to the reference"),
    ("Answer length", "", "completions/mean_length", "in tokens"),
    ("Loss of the update", "loss/policy_avg", "loss", "no measure of progress, see above"),
)
"""What TRL logs besides: our name, PPOTrainer's, GRPOTrainer's, a note."""
TRL_NOTES = {
    "ppo_step": "`episode` counts sampled answers, `step` updates; one of our steps is one batch",
    "reward": "the reward model’s score, without the penalty",
    "kl": "PPO sums a per-token estimate over the answer. GRPO’s is a token mean of k3, never negative, and not logged "
    "at its default β of 0. Ours is exact, for whole answers",
    "rm_accuracy": "from RewardTrainer; ties count as wrong, as here and in current TRL (v0.20 left them out)",
    "entropy": "both per token; ours is of whole answers. `objective/entropy` is a sum over the sampled answer, and in "
    "most releases padding pulls it below 0",
}


def trl_names(view: View) -> Live:
    """Table of TRL's names: our metric, what its trainers log, the difference."""
    ours = [(spec.label, spec.trl_name, spec.grpo_name, TRL_NOTES[spec.key]) for spec in METRICS if spec.trl_name]
    rows = [(name, _logged(ppo, grpo), note) for name, ppo, grpo, note in (*ours, *TRL_ONLY)]
    return grid(view, ("Here", "In TRL", "Mind that"), rows)


def _logged(ppo: str, grpo: str) -> str:
    """Names in either trainer's logs."""
    return "; ".join(name for name in (f"`{ppo}`" if ppo else "", f"GRPO `{grpo}`" if grpo else "") if name)


def accuracies(view: View) -> Chart:
    """How well reward models do, and how far labellers agree: this run among real ones."""
    palette, reward = view.palette, view.run.reward
    ours, agreement = float(reward.heldout_accuracy[-1]), reward.pairs.agreement
    groups = (
        ("reward model right", palette.reward, "circle", (("this run, held-out prompts", ours, 0.0), *ACCURACIES)),
        ("two labellers agree", palette.true_reward, "diamond", (("this run, expected", agreement, 0.0), *AGREEMENTS)),
    )
    names: list[str] = []
    data = []
    for label, hue, symbol, entries in groups:
        data.append(
            {
                "type": "scatter", "mode": "markers",
                "x": [value for _, value, _ in entries], "y": -(np.arange(len(entries)) + len(names)), "name": label,
                "text": [name for name, *_ in entries],
                "error_x": {"array": [error for *_, error in entries], "color": hue.mark, "thickness": 2, "width": 0},
                "marker": {
                    "symbol": [symbol, *[f"{symbol}-open"] * (len(entries) - 1)], "size": 12, "color": hue.mark,
                    "line": {"color": hue.mark, "width": 2},
                },
                "hovertemplate": "%{text}: %{x:.1%}<extra></extra>",
            }
        )  # fmt: skip
        names += [*(name for name, *_ in entries), ""]
    rows = {"tickvals": [-i for i in range(len(names))], "ticktext": names, "range": [-len(names) + 1.4, 0.6]}
    shares = [min(0.49, ours - 0.02), max(0.86, agreement + 0.02, ours + 0.02)]
    fig = theme.figure(
        palette,
        x="share of pairs",
        y="",
        data=data,
        xaxis={"tickformat": ".0%", "range": shares},
        yaxis={**rows, "showgrid": False, "zeroline": False},
        height=360,
    )
    return Chart(
        fig,
        "Dot plot of reward-model accuracy and labeller agreement: this run among published ones.",
        np.zeros(len(view.timeline.frames), int),
        title=f"Real reward models are right in {_span(ACCURACIES)} of pairs, labellers agree in {_span(AGREEMENTS)}",
        question="How often are reward models right, and how often do labellers agree?",
        told_at="rm",
        guide="Filled marks are this run, open ones real runs; bars are the published errors.",
        reading="With labeller noise "
        f"τ = {view.run.settings.label_noise:g} two simulated labellers agree on {agreement:.1%} of pairs.",
    )


def _span(entries: Sequence[tuple[str, float, float]]) -> str:
    """Lowest to highest value in words."""
    values = [value for _, value, _ in entries]
    return f"{100 * min(values):.0f} to {max(values):.0%}"
