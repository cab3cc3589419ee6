"""Whose label moved it? The comparisons that moved the policy most, and what it would be without them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.theme import Palette
from pages.drawing.wording import minus, plain
from pages.figures.lab.experiment import Experiment, Panel, number, options
from rlhf_core import Settings, run_pipeline
from rlhf_core.lab.influence import BETAS, SHARE, Influence, influence_pieces
from rlhf_core.lab.work import Progress

SHOWN = 5
SEEN = 0.005
"""True reward that does not vanish in two decimals."""


def _pieces(settings: Settings, n_seeds: int) -> Iterator[Progress[Influence]]:
    return influence_pieces(run_pipeline(settings))


def _charts(found: Influence, palette: Palette) -> list[Panel]:
    order = np.argsort(-found.moved)
    ranks = np.arange(1, len(order) + 1)
    moved = theme.figure(
        palette, x="training comparisons, most influential first", y="KL to the policy with all labels [nats]",
        height=320,
        data=[{"type": "bar", "x": ranks, "y": found.moved[order], "marker": {"color": palette.policy.mark},
               "hovertemplate": "rank %{x}: %{y:.4f} nats<extra></extra>"}],
        bargap=0,
    )  # fmt: skip
    together = theme.figure(
        palette, x="true reward [own units]", y="", height=320, yaxis={"showticklabels": False},
        data=[_dots("without random labels", found.without_random, palette.reference.mark, "circle"),
              _dots("without the most influential", np.array([found.without_top]), palette.kl.mark, "diamond"),
              _dots("with all labels", np.array([found.with_all]), palette.policy.mark, "square")],
    )  # fmt: skip
    one = "KL between the policy without a label and with all, by rank."
    many = "True reward without the most influential labels, without random ones, and with all."
    return [
        Panel("How far one label moves the policy", moved, one),
        Panel(f"Without {SHARE:.0%} of the labels", together, many),
    ]


def _dots(name: str, values: np.ndarray, colour: str, symbol: str) -> dict[str, Any]:
    return {
        "type": "scatter", "x": values, "y": [name] * len(values), "mode": "markers", "name": name,
        "marker": {"size": 11, "color": colour, "symbol": symbol, "opacity": 0.8},
        "hovertemplate": f"{name}: %{{x:.2f}}<extra></extra>",
    }  # fmt: skip


def _finding(found: Influence) -> str:
    order = np.argsort(-found.moved)
    n_top = max(round(SHARE * len(order)), 1)
    total = float(found.moved.sum())
    share = float(found.moved[order[:n_top]].sum()) / total if total > 0 else 0.0
    spread = float(found.without_random.std(ddof=1))
    drop = found.without_top - found.with_all
    beyond = abs(found.without_top - found.without_random.mean()) > 2 * spread
    effect = "more than random ones do" if beyond else "no more than random ones may"
    changed = f"changes by {minus(drop, '+.2f')}, {effect}" if abs(drop) >= SEEN else "hardly changes"
    kl = "whose KL comes nearest to the one that" if found.beta in BETAS else "which has the KL that"
    random = number(float(found.without_random.mean() - found.with_all), spread)
    beta = f"{found.beta:.2g}" if found.beta < 10 else f"{found.beta:,.0f}"
    top = f"{n_top} most influential of {len(order)} training labels ({SHARE:.0%})"
    return (
        f"Of all that single labels move, {share:.0%} are due to the {top}. Without them true reward {changed} "
        f"(without as many random ones: {random}). The policy is the exact optimum at β = {beta}, {kl} this run’s PPO "
        "reached."
    )


def cards(found: Influence, settings: Settings) -> list[str]:
    """The most influential labels, each as Markdown: what was asked, what was chosen over what, and the truth."""
    run = run_pipeline(settings)
    pairs, scenario = run.reward.pairs, run.scenario
    rows = []
    for i in np.argsort(-found.moved)[:SHOWN]:
        n = int(found.pairs[i])
        prompt, chosen, rejected = int(pairs.prompt[n]), int(pairs.chosen[n]), int(pairs.rejected[n])
        gap = scenario.true_reward[prompt, chosen] - scenario.true_reward[prompt, rejected]
        verdict = "as a careful reader would" if gap > 0 else "against a careful reader" if gap < 0 else "between "
        "equals"
        rows.append(
            f"**{plain(scenario.prompts[prompt])}** A labeller chose “{plain(scenario.responses[prompt][chosen])}” "
            f"over “{plain(scenario.responses[prompt][rejected])}”, {verdict}. Without this label the policy is "
            f"{found.moved[i]:.4f} nats elsewhere, and true reward changes by "
            f"{minus(float(found.true_reward[i]), '+.3f')}."
        )
    return rows


def _table(found: Influence) -> list[dict[str, object]]:
    return [
        {"pair": int(n), "moved": float(moved), "true_reward_change": float(change)}
        for n, moved, change in zip(found.pairs, found.moved, found.true_reward, strict=True)
    ]


def _call(settings: Settings, n_seeds: int) -> str:
    return f"rlhf_core.lab.influence(run_pipeline(Settings({options(settings)})))"


EXPERIMENT = Experiment(
    name="whose-label",
    title="Whose label moved it?",
    question="Leave out one comparison, fit the reward model again, and see where the policy goes instead: once for "
    "every training label of your run. Which labels moved it most, and were they right?",
    pieces=_pieces,
    unit="labels left out",
    charts=_charts,
    finding=_finding,
    practice="Before buying more labels, look at the ones that matter most: they are few, they are rare kinds of "
    "answers, and a mistake among them is worth a second look by a second person.",
    table=_table,
    call=_call,
    seeds=(1,),
)
