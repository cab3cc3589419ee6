"""More labels, or better ones? Noise averages out, bias does not."""

from functools import partial
from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.theme import Hue, Palette
from pages.figures.lab.experiment import Experiment, Panel, band, changed, differs, mean, number, over_seeds, seeds_of
from rlhf_core import Settings
from rlhf_core.lab.labels import LABELLERS, LabelGrid, label_grid_pieces

MEASURES = {
    "correlation": ("Correlation of reward and true reward", "correlation [−1 to 1]"),
    "label_accuracy": ("Accuracy on the labellers’ own choices", "held-out pairs [share]"),
    "true_reward": ("True reward after PPO", "true reward [own units]"),
}


def _charts(found: LabelGrid, palette: Palette) -> list[Panel]:
    hues: tuple[tuple[Hue, str], ...] = ((palette.reference, "dash"), (palette.labellers, "solid"))
    places = np.arange(len(found.counts))
    axis = {"tickvals": places, "ticktext": [f"{count:,}" for count in found.counts]}
    panels = []
    for name, (title, unit) in MEASURES.items():
        data: list[dict[str, Any]] = []
        for k, (kind, (hue, dash)) in enumerate(zip(found.labellers, hues, strict=True)):
            data += band(places, getattr(found, name)[k], hue, kind.name, dash=dash)
        figure = theme.figure(palette, x="comparisons", y=unit, data=data, xaxis=axis, height=320)
        panels.append(Panel(title, figure, f"{title}, against the number of comparisons, under noise and under bias."))
    return panels


def _finding(found: LabelGrid) -> str:
    sentences = []
    for k, kind in enumerate(found.labellers):
        first, last = found.correlation[k, 0], found.correlation[k, -1]
        way = {1: "rises", -1: "falls", 0: "does not clearly change"}[differs(last, first)]
        few, many = mean(first), mean(last)
        sentences.append(
            f"With {kind.name} (τ = {kind.label_noise:g}, bias {kind.labeller_bias:g}) the correlation of reward and "
            f"true reward {way} from {found.counts[0]:,} to {found.counts[-1]:,} comparisons: "
            f"{number(few.value, few.error)} to {number(many.value, many.error)}."
        )
    noisy, biased = mean(found.label_accuracy[0, -1]), mean(found.label_accuracy[1, -1])
    return " ".join(sentences) + (
        f" Accuracy on the labellers’ own choices is {noisy.value:.0%} under noise and {biased.value:.0%} under bias: "
        f"it tells how predictable labellers are, not how right. Mean over {seeds_of(len(found.seeds))}."
    )


def _table(found: LabelGrid) -> list[dict[str, object]]:
    names = ("correlation", "label_accuracy", "truth_accuracy", "sft_true_reward", "true_reward")
    return [
        {"labellers": kind.name, "label_noise": kind.label_noise, "labeller_bias": kind.labeller_bias,
         "comparisons": int(count), "seed": int(seed),
         **{name: float(getattr(found, name)[k, c, s]) for name in names}}
        for k, kind in enumerate(found.labellers)
        for c, count in enumerate(found.counts)
        for s, seed in enumerate(found.seeds)
    ]  # fmt: skip


def _call(settings: Settings, n_seeds: int) -> str:
    kept = changed(settings, "n_comparisons", "label_noise", "labeller_bias")
    return f"rlhf_core.lab.label_grid(Settings({kept}), seeds=range({n_seeds}))"


EXPERIMENT = Experiment(
    name="labels",
    title="More labels, or better ones?",
    question=f"Two kinds of labellers: some who often err but are drawn nowhere (τ = {LABELLERS[0].label_noise:g}, no "
    f"bias), and some who hardly err but are drawn to what pleases (τ = {LABELLERS[1].label_noise:g}, bias "
    f"{LABELLERS[1].labeller_bias:g}). Buy 50 to 2,000 comparisons from each. Whose mistakes do more labels mend?",
    pieces=partial(over_seeds, label_grid_pieces),
    unit="runs",
    charts=_charts,
    finding=_finding,
    practice="More labels average noise out, never bias: a reward model learns a shared error as faithfully as a "
    "shared insight, and its accuracy looks better for it. Spend a part of the budget on slower, checked labels, and "
    "measure agreement with those.",
    table=_table,
    call=_call,
)
