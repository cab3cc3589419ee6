"""Which method? Seven ways from the same SFT policy and the same comparisons."""

from functools import partial
from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.theme import Palette
from pages.figures.lab.experiment import CLEAR, Experiment, Panel, band, changed, mean, number, over_seeds, seeds_of
from rlhf_core import Settings
from rlhf_core.lab.methods import Comparison, Followed, Path, compare_methods_pieces

DASHES = {"ppo": "solid", "rloo": "dash", "grpo": "dot", "dr_grpo": "dashdot", "rft": "longdash", "best_of_n": "solid",
          "dpo": "longdashdot"}  # fmt: skip
ROLES = {"ppo": "policy", "rloo": "policy", "grpo": "kl", "dr_grpo": "kl", "rft": "reference", "best_of_n": "optimum",
         "dpo": "labellers"}  # fmt: skip
WORTHS = (
    ("true_reward", "True reward", "own units"),
    ("labeller_reward", "Labellers’ judgement", "own units"),
    ("reward", "Reward", "reward units"),
)


def _charts(found: Comparison, palette: Palette) -> list[Panel]:
    panels = []
    for role, title, unit in WORTHS:
        data = [_line(path, role, palette) for path in found.paths]
        axes = {"x": "KL to the SFT policy [nats]", "y": f"{title.lower()} [{unit}]"}
        figure = theme.figure(palette, **axes, data=data, height=430)
        alt = f"{title} against KL for every method, mean over seeds."
        panels.append(Panel(f"{title} against KL, by method", figure, alt))
    return panels if found.pairs is None else [*panels, _followed(found.pairs, palette)]


def _followed(pairs: Followed, palette: Palette) -> Panel:
    """What becomes of the pairs' own log-probabilities under DPO."""
    steps = np.arange(pairs.chosen.shape[1])
    data = [
        *band(steps, pairs.chosen.T, palette.policy, "chosen answers", marks=False),
        *band(steps, pairs.rejected.T, palette.reference, "rejected answers", dash="dash", marks=False),
    ]
    figure = theme.figure(palette, x="gradient step", y="log-probability [nats]", data=data, height=430)
    alt = "Mean log-probability of the chosen and of the rejected answers of the pairs while DPO trains."
    return Panel("DPO: what becomes of the pairs", figure, alt)


def _line(path: Path, role: str, palette: Palette) -> dict[str, Any]:
    hue, name = getattr(palette, ROLES[path.method.name]), path.method.name
    return {
        "type": "scatter", "x": path.kl.mean(axis=0), "y": getattr(path, role).mean(axis=0), "name": path.method.label,
        "mode": "lines+markers" if name == "best_of_n" else "lines", "marker": {"symbol": "diamond", "size": 6},
        "line": {"color": hue.mark, "width": 2.4, "dash": DASHES[name]}, "customdata": path.points,
        "hovertemplate": f"{path.method.label}, %{{customdata}} {path.method.axis}: %{{y:.2f}} at %{{x:.2f}} nats"
        "<extra></extra>",
    }  # fmt: skip


def _finding(found: Comparison) -> str:
    ends = {path.method.label: mean(path.true_reward[:, -1]) for path in found.paths}
    peaks = {path.method.label: mean(path.true_reward.max(axis=1)) for path in found.paths}
    best, ahead = max(ends, key=lambda name: ends[name].value), max(peaks, key=lambda name: peaks[name].value)
    ranked = sorted(ends, key=lambda name: -ends[name].value)
    top = ends[best]
    close = [name for name in ranked[1:] if top.value - ends[name].value < CLEAR * (top.error + ends[name].error)]
    tie = f", not clearly ahead of {', '.join(close)}" if close else ""
    return (
        f"At the end true reward is highest with {best} ({number(ends[best].value, ends[best].error)}){tie}, mean over "
        f"{seeds_of(len(found.seeds))}. Stopped at its own best moment each, {ahead} reaches most "
        f"({number(peaks[ahead].value)}). Methods that went further from the SFT policy bought reward with distance: "
        f"compare them at equal KL, not at equal steps.{_of_pairs(found.pairs)}"
    )


def _of_pairs(pairs: Followed | None) -> str:
    """How often the chosen answers lose probability under DPO, and to whom."""
    if pairs is None:
        return ""
    fell, n = int((pairs.chosen[:, -1] < pairs.chosen[:, 0]).sum()), len(pairs.chosen)
    before, after = pairs.compared[:, 0].mean(), pairs.compared[:, -1].mean()
    return (
        f" DPO’s implicit reward ends with a margin of {number(pairs.margin[:, -1].mean())} log-odds and picks the "
        f"chosen answer of {pairs.accuracy[:, -1].mean():.0%} of its pairs; the chosen answers’ own log-probability "
        f"ends below its start in {fell} of {seeds_of(n)}. All compared answers together hold {before:.0%} before and "
        f"{after:.0%} after: the rest is on answers that nobody compared."
    )


def _table(found: Comparison) -> list[dict[str, object]]:
    names = ("kl", "reward", "labeller_reward", "true_reward", "entropy")
    return [
        {"method": path.method.name, "point": int(point), "seed": int(seed),
         **{name: float(getattr(path, name)[s, n]) for name in names}}
        for path in found.paths
        for s, seed in enumerate(found.seeds)
        for n, point in enumerate(path.points)
    ]  # fmt: skip


def needs(found: Comparison) -> list[dict[str, object]]:
    """What each method needs, and what it used here until its last point, for one prompt."""
    return [
        {"method": path.method.label, "needs": path.method.needs, "answers sampled a prompt": path.samples,
         "rewards asked for": path.reward_calls, "gradient steps": path.gradient_steps,
         "KL at the end [nats]": number(float(np.mean(path.kl[:, -1]))),
         "true reward at the end": number(float(np.mean(path.true_reward[:, -1])))}
        for path in found.paths
    ]  # fmt: skip


def _call(settings: Settings, n_seeds: int) -> str:
    return f"rlhf_core.lab.compare_methods(Settings({changed(settings)}), seeds=range({n_seeds}))"


EXPERIMENT = Experiment(
    name="methods",
    title="Which method?",
    question="PPO, RLOO, GRPO as published (reward over its spread, k3 in the loss), Dr. GRPO (no division), "
    "rejection-sampling fine-tuning, exact best-of-n and DPO, all from the same SFT policy and the same comparisons, "
    "with your β, steps and learning rate. DPO trains on the pairs themselves; its tables learn nothing about prompts "
    "without training pairs. Dr. GRPO keeps its penalty in the reward here, which makes it PPO with a group-mean "
    "baseline.",
    pieces=partial(over_seeds, compare_methods_pieces),
    unit="trainings",
    charts=_charts,
    finding=_finding,
    practice="Which reward is climbed, and how far, matters more than which method climbs it. Start with the simplest "
    "that your data allow: DPO if you have pairs and no sampling loop, best-of-n to see what a reward model is worth "
    "before anything is trained.",
    table=_table,
    call=_call,
)
