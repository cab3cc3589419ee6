"""Noise averages out, bias does not: accuracy against the labels beside accuracy against the truth."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

import numpy as np

from pages.drawing import theme
from pages.drawing.chart import Array, Chart
from pages.drawing.labels import Level, Room, beside, end_names, on_levels
from pages.drawing.marks import Curve, level, padded
from pages.drawing.view import View, once
from pages.drawing.wording import plural
from rlhf_core.calibration import Sides, sides
from rlhf_core.lab.labels import LABELLERS
from rlhf_core.scenarios.brought import Brought

FEW, MANY = 50, 2000
"""Comparisons in the settings that the words link to."""
PLOT = (200.0, 290.0)
"""Pixels of the plot on a phone, beside the names of its curves."""
APART = 0.03
"""Shares of pairs by which the two accuracies must differ for the words to say which is higher."""

WHICH = "Against the labels and against the truth: which accuracy is higher?"


@once
def _sides(view: View) -> tuple[Array, Sides]:
    """Epochs that the timeline shows, and both accuracies at each, over all pairs for the held-out prompts."""
    run, heldout = view.run, view.run.scenario.heldout
    epochs = np.unique(view.timeline.rm_epochs)
    return epochs, sides(
        run.sft.log_probs[-1][heldout],
        np.einsum("ef,prf->epr", run.reward.weights[epochs], run.reward.features[heldout]),
        run.labeller_reward[heldout],
        run.scenario.true_reward[heldout],
        label_noise=run.settings.label_noise,
    )


def labels_and_truth(view: View) -> Chart:
    """How often the reward model sides with a labeller, and how often with the truly better answer."""
    palette, (epochs, found) = view.palette, _sides(view)
    labels, truth = (100 * np.append(np.nan, part[1:]) for part in (found.labels, found.truth))
    curves = (
        Curve(epochs, labels, palette.labellers, "dash", "with a labeller"),
        Curve(epochs, truth, palette.true_reward, "solid", "with the truly better answer"),
    )
    best, across = 100 * found.labeller, padded(epochs, 0.03)
    span = padded(np.concatenate([labels[1:], truth[1:], [best, 50]]))
    room = Room(across, span, PLOT).draw(epochs, labels).draw(epochs, truth)
    words = on_levels(room, [Level(best, "a labeller with the truly better", palette.labellers.text)], palette.ground)
    fig = theme.figure(
        palette, x="reward-model epoch", y="sides alike [% of pairs]", showlegend=False, height=360,
        data=[*(curve.ghost(palette) for curve in curves), *(curve.played("epoch %{x}: ") for curve in curves)],
        shapes=[level(best, palette.labellers)], annotations=[*end_names(curves, span, PLOT[1]), *words],
        margin=beside(curves), xaxis={"range": across}, yaxis={"range": span},
    )  # fmt: skip
    return Chart(
        fig,
        "How often the reward model sides with a labeller, and with the truly better answer, over its epochs.",
        np.searchsorted(epochs, view.timeline.rm_epochs),
        grows=dict.fromkeys((2, 3), np.arange(1, len(epochs) + 1)),
        question=WHICH,
        told_at="rm",
        title=_title(found),
        reading=_reading(view, found),
    )


def _reading(view: View, found: Sides) -> str:
    prompts = plural(int(view.run.scenario.heldout.sum()), "held-out prompt")
    drawn = plural(int(view.run.reward.pairs.heldout.sum()), "drawn pair")
    return (
        f"Expected shares of all pairs that the SFT policy can write to the {prompts}; the accuracy above estimates "
        f"the dashed line from {drawn}. At the end {found.labels[-1]:.0%} and {found.truth[-1]:.0%}; a labeller: "
        f"{found.labeller:.0%}. Only the dashed line can be measured in a real project."
    )


def _title(found: Sides) -> str:
    lead = found.truth[-1] - found.labels[-1]
    if lead > APART:
        return "It is right more often than its labels can tell"
    if lead < -APART:
        return "It predicts the labellers better than it finds the better answer"
    return WHICH


def noise_and_bias(view: View) -> str:
    """Two ways to err, what more labels do to each, and links to both."""
    settings, (_, found) = view.run.settings, _sides(view)
    noisy, biased = ({"label_noise": kind.label_noise, "labeller_bias": kind.labeller_bias} for kind in LABELLERS)
    return f"""
Labellers err in two ways. **Noise** (τ) pushes their choices this way and that, so over many comparisons it cancels,
and a model of all of them can be right more often than any one of them. **Bias** pushes all of them the same way,
towards what appeals beyond its worth: what flatters, say, sounds sure or cannot be checked in a minute. It does not
cancel: more labels teach the sway itself, and the accuracy on labels looks *better*, because such labellers are easy to
predict.

In this run ({plural(settings.n_comparisons, "comparison")} with τ = {settings.label_noise:g} and bias
{settings.labeller_bias:g}) the reward model sides with a labeller in {found.labels[-1]:.0%} of pairs and with the truly
better answer in {found.truth[-1]:.0%}; a labeller sides with the truly better answer in {found.labeller:.0%}.

Try each alone, with few labels and with many:
- noise only (τ = {noisy["label_noise"]:g}): {_link(view, FEW, noisy)}, {_link(view, MANY, noisy)}
- bias only (bias {biased["labeller_bias"]:g}): {_link(view, FEW, biased)}, {_link(view, MANY, biased)}

The [Lab](lab?experiment=labels) asks it of many numbers of labels and several seeds."""


def _link(view: View, count: int, labellers: Mapping[str, float]) -> str:
    """Link to this page with other labellers, and so many comparisons; a reader's own scenario has no links."""
    if isinstance(view.run.settings.scenario, Brought):
        return f"{count:,} comparisons"
    query = replace(view.run.settings, n_comparisons=count, **labellers).to_query()
    return f"[{count:,} comparisons](reward_model?{urlencode({**query, 'at': 'done'})})"
