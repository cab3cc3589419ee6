"""Charts of the reward model's fit over its epochs: loss, accuracy, reliability and weights."""

from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.chart import Array, Chart
from pages.drawing.curves import learning_curves
from pages.drawing.drawing import Drawing
from pages.drawing.labels import Level
from pages.drawing.view import View
from pages.drawing.wording import interval, minus
from rlhf_core.calibration import reliability as reliability_of
from rlhf_core.features import FEATURES

LOG_2 = float(np.log(2))
MOST_BINS, PAIRS_PER_BIN = 5, 15
PART = {1: "whole", 2: "half", 3: "third", 4: "quarter", 5: "fifth"}
RISE = 0.01
"""Nats by which the held-out loss must rise again before the words say so."""
ROW, THICKNESS = 36, 0.36
"""Pixels for one bar with its name above it; the bar's share of them."""


def loss(view: View) -> Chart:
    """Bradley–Terry loss on training and held-out pairs, over the fit's epochs."""
    reward, palette, floor = view.run.reward, view.palette, view.run.reward.pairs.floor
    drawn = learning_curves(
        palette, {"training pairs": reward.loss, "held-out pairs": reward.heldout_loss}, palette.reward,
        x="reward-model epoch", y="loss [nats per pair]", unit=" nats",
        levels=(
            Level(LOG_2, f"a coin, log 2 = {LOG_2:.2f}", palette.muted),
            Level(floor, f"who knows their judgement, {floor:.2f}", palette.labellers.text),
        ),
    )  # fmt: skip
    return Chart(
        drawn.drawing,
        "Bradley–Terry loss over epochs on training and held-out pairs, from log 2 downwards.",
        view.timeline.rm_epochs,
        moves=drawn.moves,
        grows=drawn.grows,
        question="How far does the loss come down from log 2, where every score is equal?",
        told_at="rm",
        title="The loss starts at log 2, where every score is equal",
        reading=(
            f"Training pairs: {reward.loss[0]:.2f} to {reward.loss[-1]:.2f}. Held-out pairs: to "
            f"{reward.heldout_loss[-1]:.2f}{_turn(reward.heldout_loss)}. Labellers are noisy, so even someone who knew "
            f"what they think of each answer would have to expect {floor:.2f} a pair."
        ),
    )


def _turn(heldout: Array) -> str:
    """A word on when the held-out loss was lowest, if it has risen since."""
    lowest = int(np.argmin(heldout))
    if heldout[-1] - heldout[lowest] < RISE:
        return ""
    return f" after {heldout[lowest]:.2f} at epoch {lowest}: what it learns later does not carry over to new prompts"


def accuracy(view: View) -> Chart:
    """Share of pairs ranked as the labeller did, with the labellers' agreement and the ceiling."""
    reward, palette, pairs = view.run.reward, view.palette, view.run.reward.pairs
    train, heldout = 100 * reward.train_accuracy, 100 * reward.heldout_accuracy
    agreement = f"two labellers agree on {pairs.agreement:.0%}"
    drawn = learning_curves(
        palette, {"training pairs": _from_first(train), "held-out pairs": _from_first(heldout)}, palette.reward,
        x="reward-model epoch", y="accuracy [% of pairs]", unit="%",
        levels=(
            Level(100 * pairs.ceiling, f"ceiling {pairs.ceiling:.0%}", palette.labellers.text),
            Level(100 * pairs.agreement, agreement, palette.muted),
            Level(50, "a coin", palette.muted),
        ),
    )  # fmt: skip
    n_heldout = int(pairs.heldout.sum())
    return Chart(
        drawn.drawing,
        "Accuracy over epochs on training and held-out pairs, with the labellers' agreement and the ceiling.",
        view.timeline.rm_epochs,
        moves=drawn.moves,
        grows=drawn.grows,
        question="How often does it prefer what the labeller preferred?",
        told_at="rm",
        title=f"It prefers what the labeller preferred in {heldout[-1]:.0f}% of held-out pairs",
        reading=(
            f"In the end {train[-1]:.0f}% of {len(pairs.heldout) - n_heldout} training pairs and {heldout[-1]:.0f}% of "
            f"{n_heldout} held-out pairs ({interval(float(reward.heldout_accuracy[-1]), n_heldout)}). Epoch 0 is left "
            "out: all scores are equal there, and a tie counts as wrong, as in current TRL."
        ),
    )


def _from_first(values: Array) -> Array:
    """Values with a gap at epoch 0."""
    return np.append(np.nan, values[1:])


def reliability(view: View) -> Chart:
    """How sure the reward model is against how often labellers side with it."""
    palette, pairs = view.palette, view.run.reward.pairs
    epochs, rows = np.unique(view.timeline.rm_epochs, return_inverse=True)
    margins = view.run.reward.margins(epochs)
    train, heldout = (_binned(margins[:, mine]) for mine in (~pairs.heldout, pairs.heldout))
    lowest = min(float((share - error).min()) for _, share, error in (train, heldout))
    diagonal = {
        "type": "scatter", "x": [50, 100], "y": [50, 100], "mode": "lines", "line": theme.ghost(palette, "dash"),
        "name": "perfectly calibrated", "hoverinfo": "skip",
    }  # fmt: skip
    fig = theme.figure(
        palette, x="how sure the reward model is [%]", y="labellers who agree with it [%]",
        data=[diagonal, *_bin_traces(palette, "training", train), *_bin_traces(palette, "held out", heldout)],
        xaxis={"range": [47, 103]}, yaxis={"range": [max(lowest - 5, -2), 104]},
    )  # fmt: skip
    sure, share, _ = (part[-1, -1] for part in heldout)
    n_bins = heldout[0].shape[1]
    n_pairs = int(pairs.heldout.sum()) - int(pairs.heldout.sum()) * (n_bins - 1) // n_bins
    return Chart(
        fig,
        "Reliability diagram: the reward model's confidence against the share of labellers who agree, in bins.",
        rows,
        moves={
            trace: {"x": bins[0], "y": bins[1], "error_y.array": bins[2]} for trace, bins in ((2, train), (4, heldout))
        },
        question="When it is 80% sure, is it right 80% of the time?",
        told_at="rm",
        title=f"Where it is {sure:.0f}% sure, labellers side with it in {share:.0f}%",
        guide="On the dashed line the two are equal. Whiskers: one standard error.",
        reading=(
            f"On the {PART[n_bins]} of the held-out pairs where it is surest, it is {sure:.0f}% sure, and labellers "
            f"prefer its favourite in {share:.0f}% of {n_pairs} ({interval(share / 100, n_pairs)})."
        ),
    )


def _binned(margins: Array) -> list[Array]:
    """Confidence, share of labellers who agree, and its standard error, in percent, each (rows, n_bins)."""
    n_bins = int(np.clip(margins.shape[1] // PAIRS_PER_BIN, 1, MOST_BINS))
    return [100 * part for part in reliability_of(margins, n_bins=n_bins)]


def _bin_traces(palette: theme.Palette, name: str, bins: list[Array]) -> list[dict[str, Any]]:
    """The bins of the finished model in outline, and those that move."""
    sure, share, error = bins
    symbol, size, opacity = ("circle", 9, 0.65) if name == "training" else ("diamond", 11, 1)
    common = {"type": "scatter", "name": name}
    return [
        {**common, "x": sure[-1], "y": share[-1], "mode": "lines+markers", "hoverinfo": "skip", "showlegend": False,
         "line": {"color": palette.ghost, "width": 1.2}, "marker": {"symbol": f"{symbol}-open", "size": size}},
        {**common, "x": sure[0], "y": share[0], "mode": "markers",
         "marker": {"symbol": symbol, "size": size, "color": palette.reward.mark, "opacity": opacity},
         "error_y": {"array": error[0], "color": palette.reward.mark, "thickness": 1.2, "width": 3},
         "hovertemplate": f"{name} pairs<br>%{{x:.0f}}% sure, %{{y:.0f}}% agree<extra></extra>"},
    ]  # fmt: skip


def weights(view: View) -> Chart:
    """Weight of every feature, over the fit's epochs."""
    reward = view.run.reward
    epochs, rows = np.unique(view.timeline.rm_epochs, return_inverse=True)
    order = np.argsort(-reward.weights[-1], kind="stable")
    moving, final = reward.weights[epochs][:, order], reward.weights[-1, order]
    labels = [FEATURES[i].label for i in order]
    fig = named_bars(
        view, labels, final, x="weight [log-odds per standard deviation]", now=moving[0],
        limits=(float(reward.weights.min()), float(reward.weights.max())),
    )  # fmt: skip
    return Chart(
        fig,
        "Weight of each of twelve style features, in the course of the fit.",
        rows,
        moves={1: {"x": moving}},
        question="What has it learned to like?",
        told_at="rm",
        title="What it has learned is style",
        guide="Outlines are the final weights. A weight is a correlation in the pairs, not a reason.",
        reading=(
            f"Highest: “{labels[0]}” ({minus(final[0], '+.2f')}); lowest: "
            f"“{labels[-1]}” ({minus(final[-1], '+.2f')})."
        ),
    )


def named_bars(
    view: View, names: list[str], final: Array, *, x: str, now: Array, limits: tuple[float, float]
) -> Drawing:
    """Horizontal bars with name and final value above each: trace 0 outlines the end, trace 1 moves."""
    palette, y = view.palette, np.arange(len(names))
    room = 0.04 * max(limits[1] - limits[0], 1e-3)
    low, high = min(limits[0], 0) - room, max(limits[1], 0) + 4 * room
    inside = room / 8  # text at the very edge would be rounded out of the axis range
    bar = {
        "type": "bar", "y": y, "orientation": "h", "width": THICKNESS,
        "hovertemplate": [f"{name}<br>%{{x:+.3f}}<extra></extra>" for name in names],
    }  # fmt: skip
    words = {"type": "scatter", "y": y - 0.4, "mode": "text", "hoverinfo": "skip", "cliponaxis": False}
    return theme.figure(
        palette, x=x, y="", height=ROW * len(names) + 60, barmode="overlay", showlegend=False, bargap=0,
        data=[
            {**bar, "x": final, "name": "after training",
             "marker": {"color": "rgba(0,0,0,0)", "line": {"color": palette.muted, "width": 1.2}}},
            {**bar, "x": now, "name": "now", "marker": {"color": palette.reward.mark}},
            {**words, "x": np.full(len(y), low + inside), "text": names, "textposition": "middle right",
             "textfont": {"size": 12.5}},
            {**words, "x": np.full(len(y), high - inside), "text": [minus(value, "+.2f") for value in final],
             "textposition": "middle left", "textfont": {"size": 12.5, "color": palette.reward.text}},
        ],
        xaxis={"range": [low, high], "zeroline": False},  # it would go through the names
        yaxis={"range": [len(names) - 0.6, -0.85], "showticklabels": False, "showgrid": False, "zeroline": False},
    )  # fmt: skip
