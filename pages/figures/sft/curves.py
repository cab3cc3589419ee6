"""Charts of the SFT page: what a demonstration costs, what imitation is worth, which answers gain and which lose."""

from collections import Counter
from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.chart import Array, Chart
from pages.drawing.curves import learning_curves
from pages.drawing.labels import Level
from pages.drawing.view import View
from pages.drawing.wording import excerpt, kinds, minus, plain, times, worth, wrap

MOST_CHANGED = 6
ROUNDING = 1e-9
"""True reward: what differs by less is the same."""
RISE = 0.02
"""Nats by which a loss must rise again before the words say so."""
ROW = 52
"""Pixels for one response with its name above it."""


def loss(view: View) -> Chart:
    """Loss on demonstrations trained on and held out, over SFT epochs."""
    sft, muted = view.run.sft, view.palette.muted
    n = sft.log_probs.shape[-1]
    drawn = learning_curves(
        view.palette, {"trained on": sft.loss, "held out": sft.heldout_loss}, view.palette.policy,
        x="SFT epoch", y="cost of a demonstration [nats]", unit=" nats",
        levels=(
            Level(sft.writer_loss, f"the writer’s own entropy, {sft.writer_loss:.2f}", muted),
            Level(float(np.log(n)), f"blind guessing, log {n} = {np.log(n):.2f}", muted),
        ),
    )  # fmt: skip
    return Chart(
        drawn.drawing,
        "Mean negative log-likelihood of demonstrations over SFT epochs, trained on and held out.",
        view.timeline.sft_epochs,
        moves=drawn.moves,
        grows=drawn.grows,
        title=_loss_title(view),
        question="Do answers that SFT never saw get cheaper too?",
        told_at="sft",
        reading=(
            f"A demonstration that SFT trains on goes from {sft.loss[0]:.2f} to {sft.loss[-1]:.2f} nats, as unlikely "
            f"as one of {np.exp(sft.loss[0]):.1f} and then of {np.exp(sft.loss[-1]):.1f} equally likely answers. "
            f"Held-out ones are other answers by the same writer, none of them shown to SFT, and go from "
            f"{sft.heldout_loss[0]:.2f} to {sft.heldout_loss[-1]:.2f}; the writer’s own probabilities would make them "
            f"{sft.writer_heldout_loss:.2f}.{_by_heart(view)}"
        ),
    )


def _loss_title(view: View) -> str:
    heldout, trained = view.run.sft.heldout_loss, view.run.sft.loss
    turn = int(np.argmin(heldout))
    if heldout[-1] > heldout[turn] + RISE:
        return f"After epoch {turn}, held-out demonstrations get dearer again"
    if heldout[-1] > trained[-1]:
        return "SFT learns the demonstrations it sees better than those it does not"
    return "What does a demonstration cost?"


def _by_heart(view: View) -> str:
    """A word on a training loss that no policy can have on fresh demonstrations, on average."""
    if view.run.sft.loss[-1] >= view.run.sft.writer_loss:
        return ""
    return " Below the writer’s entropy it no longer learns the writer, but these very answers by heart."


def imitation(view: View) -> Chart:
    """Expected true reward of the policy over SFT epochs, below that of the writer whom it imitates."""
    run, muted = view.run, view.palette.muted
    truth = run.course.true_reward[: len(run.sft.loss)].mean(axis=1)
    writer, best = run.sft.writer_true_reward, float(run.scenario.true_reward.max(axis=1).mean())
    drawn = learning_curves(
        view.palette, {"true reward": truth}, view.palette.true_reward, x="SFT epoch", y="expected true reward",
        levels=(
            Level(writer, f"the writer’s average, {minus(writer)}", muted),
            Level(best, f"always the best answer, {minus(best)}", muted),
        ),
    )  # fmt: skip
    climbs = truth[0] + ROUNDING < truth[-1] < writer - ROUNDING
    limit = f"{'and stays below' if climbs else 'beside'} the writer’s average of {minus(writer)}"
    lesson = ": what the policy gains, it gains because the writer is good" if climbs else ""
    return Chart(
        drawn.drawing,
        "Expected true reward of the policy over SFT epochs, with the writer's average above it.",
        view.timeline.sft_epochs,
        moves=drawn.moves,
        grows=drawn.grows,
        question="How near does imitation come to the best answers?",
        told_at="sft",
        title="Imitation climbs towards the writer, not towards the best answer"
        if climbs
        else "What is an imitated answer worth?",
        reading=(
            f"True reward appears nowhere in the loss. It goes from {minus(truth[0])} to {minus(truth[-1])}, {limit}"
            f"{lesson}. Mean over all prompts."
        ),
    )


def gained(view: View) -> Chart:
    """The responses that gained most probability in SFT."""
    return _changed(view, gaining=True)


def lost(view: View) -> Chart:
    """The responses that lost most probability in SFT."""
    return _changed(view, gaining=False)


def most_changed(view: View, *, gaining: bool) -> Array:
    """Indices of the responses whose probability SFT has changed most in one direction, (6,)."""
    change = np.diff(np.exp(view.run.sft.log_probs[[0, -1], view.prompt]), axis=0)[0]
    return np.argsort(-change if gaining else change, kind="stable")[:MOST_CHANGED]


def _changed(view: View, *, gaining: bool) -> Chart:
    chosen = most_changed(view, gaining=gaining)
    epochs, rows = np.unique(view.timeline.sft_epochs, return_inverse=True)
    log_probs = view.run.sft.log_probs[:, view.prompt]
    probs = 100 * np.exp(log_probs[:, chosen])
    both = np.concatenate([most_changed(view, gaining=True), most_changed(view, gaining=False)])
    widest = 100 * float(np.exp(log_probs[[0, -1]][:, both]).max())
    fig = theme.figure(
        view.palette, x="probability [%]", y="", height=ROW * len(chosen) + 80,
        data=[_spans(view, probs), *_markers(view, chosen, probs), _names(view, chosen)],
        xaxis={"range": [-0.02 * widest, 1.05 * widest]},
        yaxis={"range": [len(chosen) - 0.5, -0.85], "showticklabels": False, "showgrid": False, "zeroline": False},
    )  # fmt: skip
    return Chart(
        fig,
        f"Probability before and after SFT of the {len(chosen)} responses that {'gained' if gaining else 'lost'} most.",
        rows,
        moves={3: {"x": probs[epochs]}},
        question=f"Which answers will {'gain' if gaining else 'lose'} most?",
        told_at="sft",
        title="Gained most" if gaining else "Lost most",
        reading=_change_in_words(view, int(chosen[0]), *probs[[0, -1], 0]),
    )


def _spans(view: View, probs: Array) -> dict[str, Any]:
    """One faint line per response, from its probability before SFT to that after."""
    ends = np.stack([probs[0], probs[-1], np.full_like(probs[0], np.nan)], axis=1).ravel()
    return {
        "type": "scatter", "x": ends, "y": np.repeat(np.arange(probs.shape[1]), 3), "mode": "lines",
        "line": {"color": view.palette.ghost, "width": 5}, "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip


def _markers(view: View, chosen: Array, probs: Array) -> list[dict[str, Any]]:
    """Where each response stands before SFT, after it, and so far."""
    muted, policy = view.palette.muted, view.palette.policy.mark
    hover = [f"{wrap(view.responses[i])}<br>%{{x:.2f}}%" for i in chosen]
    looks = (
        ("base", probs[0], {"symbol": "line-ns-open", "size": 13, "color": muted, "line": {"width": 2}}),
        ("after SFT", probs[-1], {"symbol": "circle-open", "size": 12, "color": policy, "line": {"width": 2}}),
        ("SFT so far", probs[0], {"symbol": "circle", "size": 10, "color": policy}),
    )
    return [
        {"type": "scatter", "x": x, "y": np.arange(len(chosen)), "mode": "markers", "name": name, "marker": marker,
         "cliponaxis": False, "hovertemplate": [f"{text} {name}<extra></extra>" for text in hover]}
        for name, x, marker in looks
    ]  # fmt: skip


def _names(view: View, chosen: Array) -> dict[str, Any]:
    """The kinds of a response's phrases and its true reward, above its line."""
    green = view.palette.true_reward.text
    texts = [f"{kinds(view, i)}  <span style='color:{green}'>true reward {worth(view, i)}</span>" for i in chosen]
    return {
        "type": "scatter", "x": np.zeros(len(chosen)), "y": np.arange(len(chosen)) - 0.42, "mode": "text",
        "text": texts, "textposition": "middle right", "textfont": {"size": 12.5}, "hoverinfo": "skip",
        "showlegend": False, "cliponaxis": False,
    }  # fmt: skip


def _change_in_words(view: View, response: int, before: float, after: float) -> str:
    demos = Counter(view.run.sft.demonstrations[view.prompt].tolist())
    shown = f"demonstrated {times(demos[response])}" if response in demos else "never demonstrated"
    return f"Top row: “{plain(excerpt(view.responses[response]))}”, {shown}, from {before:.1f}% to {after:.1f}%."
