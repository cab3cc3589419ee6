"""One comparison, and all of them: the Bradley–Terry model with numbers in it."""

from collections.abc import Callable
from functools import lru_cache
from html import escape
from typing import Any

import numpy as np
from scipy import special

from pages.drawing import theme
from pages.drawing.chart import Array, Chart
from pages.drawing.glossary import term
from pages.drawing.live import Live
from pages.drawing.view import View, once
from pages.drawing.wording import excerpt, kinds, minus, wrap
from pages.drawing.worth import opened

MOST_DOTS = 500
ROUNDING = 1e-9
CAREFUL = ' · <span class="truth">★ a careful reader’s choice</span>'
CURVE = 81


def pairs_of_prompt(view: View) -> Array:
    """Comparisons of the chosen prompt, from the one that the finished model ranks most clearly to its worst miss."""
    mine = np.flatnonzero(view.run.reward.pairs.prompt == view.prompt)
    final = view.run.reward.margins(np.array([-1]))[0, mine]
    return mine[np.argsort(-final, kind="stable")]


@once
def pair_names(view: View) -> list[str]:
    """The chosen prompt's comparisons, for a list to choose from."""
    pairs, mine = view.run.reward.pairs, pairs_of_prompt(view)
    return [
        f"{i}. {kinds(view, chosen)}  over  {kinds(view, rejected)}"
        for i, (chosen, rejected) in enumerate(zip(pairs.chosen[mine], pairs.rejected[mine], strict=True), 1)
    ]


@lru_cache(maxsize=256)
def pair_loss(rank: int) -> Callable[[View], Live]:
    """The loss of one comparison with its numbers; the same rank gives the same function."""

    def pair_loss(view: View) -> Live:
        return _loss(view, int(pairs_of_prompt(view)[rank]))

    return pair_loss


@lru_cache(maxsize=256)
def pair_cards(rank: int) -> Callable[[View], Live]:
    """The two responses of one comparison, side by side."""

    def pair_cards(view: View) -> Live:
        return _cards(view, int(pairs_of_prompt(view)[rank]))

    return pair_cards


@lru_cache(maxsize=256)
def all_pairs(rank: int) -> Callable[[View], Chart]:
    """Every comparison on the sigmoid, one of them ringed."""

    def all_pairs(view: View) -> Chart:
        return _sigmoid(view, int(pairs_of_prompt(view)[rank]))

    return all_pairs


def written_scores(view: View, pair: int) -> tuple[Array, Array, Array]:
    """Scores of both sides and their difference at every epoch, rounded so that the written ones subtract exactly."""
    pairs, reward = view.run.reward.pairs, view.run.reward
    scores = reward.log_odds(int(pairs.prompt[pair]), np.arange(len(reward.weights)))
    rejected = np.round(scores[:, pairs.rejected[pair]], 2)
    margin = np.round(scores[:, pairs.chosen[pair]] - scores[:, pairs.rejected[pair]], 2)
    return rejected + margin, rejected, margin


def _loss(view: View, pair: int) -> Live:
    epochs, rows = np.unique(view.timeline.rm_epochs, return_inverse=True)
    chosen, rejected, margin = (part[epochs] for part in written_scores(view, pair))
    values = {
        "chosen": [minus(value) for value in chosen],
        "rejected": [_bracketed(value) for value in rejected],
        "margin": [minus(value) for value in margin],
        "p": [f"{p:.2f}" for p in special.expit(margin)],
        "loss": [f"{loss:.2f}" for loss in np.logaddexp(0, -margin)],
    }
    last = f"= {values['loss'][-1]}"
    template = (
        '<p class="sr-sum">−log σ(<b class="reward" data-slot="chosen"></b> − '
        '<b class="reward" data-slot="rejected"></b>) = −log σ(<span data-slot="margin"></span>) = '
        '−log <span data-slot="p"></span> = <b data-slot="loss"></b></p>'
        f'<p class="sr-note">After training: <span class="sr-one">−log σ({values["chosen"][-1]} − '
        f'{values["rejected"][-1]}) {last}</span>. With 10 added to both: <span class="sr-one">−log σ('
        f"{minus(chosen[-1] + 10)} − {_bracketed(rejected[-1] + 10)}) {last}</span>. Only the difference counts.</p>"
    )
    return Live(template, rows, values)


def _bracketed(value: float) -> str:
    """A number to be subtracted, in brackets where it is negative."""
    text = minus(value)
    return f"({text})" if text.startswith("\N{MINUS SIGN}") else text


def _cards(view: View, pair: int) -> Live:
    pairs, (chosen, rejected, _) = view.run.reward.pairs, written_scores(view, pair)
    epochs, rows = np.unique(view.timeline.rm_epochs, return_inverse=True)
    values = {
        "chosen": [minus(value) for value in chosen[epochs]],
        "rejected": [minus(value) for value in rejected[epochs]],
    }
    careful = _careful(view, pair)
    cards = "".join(
        _card(view, word, int(getattr(pairs, word)[pair]), values[word][-1], careful == word)
        for word in ("chosen", "rejected")
    )
    return Live(f'<div class="sr-cards">{cards}</div><p class="sr-note">{_verdict(view, pair)}</p>', rows, values)


def _card(view: View, word: str, response: int, final: str, careful: bool) -> str:
    """One side of a comparison; `careful` if somebody who goes by true reward would have chosen it."""
    tag = f'{"✓" if word == "chosen" else "✗"} {word}'
    truth = minus(view.run.scenario.true_reward[view.prompt, response], "+.2f")
    return (
        f'<div class="sr-card {word}"><span class="sr-tag">{tag}{CAREFUL if careful else ""}</span>'
        f'<p>{escape(view.responses[response])}</p><div class="sr-foot"><span>score now '
        f'<b class="reward" data-slot="{word}"></b> {term("log_odds")}, after training {final}</span>'
        f'<span class="truth">true reward {truth}</span>{opened(view, response)}</div></div>'
    )


def _lead(view: View, pair: int, of: Array) -> float:
    """By how much the chosen response exceeds the rejected one; 0 where the difference is rounding."""
    pairs = view.run.reward.pairs
    lead = float(of[view.prompt, pairs.chosen[pair]] - of[view.prompt, pairs.rejected[pair]])
    return lead if abs(lead) > ROUNDING else 0.0


def _careful(view: View, pair: int) -> str:
    """Which side somebody would have chosen who goes by true reward alone; empty for two equals."""
    lead = _lead(view, pair, view.run.scenario.true_reward)
    return "chosen" if lead > 0 else "rejected" if lead < 0 else ""


def _verdict(view: View, pair: int) -> str:
    """Whether the pair trains the model, what a careful reader would have chosen, and how sure a labeller is."""
    pairs = view.run.reward.pairs
    role = "A held-out pair: it only measures accuracy." if pairs.heldout[pair] else "A training pair."
    worth = minus(abs(_lead(view, pair, view.run.scenario.true_reward)))
    said = {
        "chosen": f"A careful reader would have chosen the same: it is worth {worth} more.",
        "rejected": f"A careful reader would have chosen the other, which is worth {worth} more. {_why(view, pair)}",
        "": "To a careful reader the two are worth the same.",
    }
    p = float(pairs.p_chosen[pair])
    return f"{role} {said[_careful(view, pair)]} {p:.0%} of all labellers would have made this choice."


def _why(view: View, pair: int) -> str:
    """Whether a choice of the worse answer comes from what sways labellers, or from chance."""
    if _lead(view, pair, view.run.labeller_reward) > 0:
        more = minus(_lead(view, pair, view.run.scenario.appeal), "+.2f")
        return f"This is bias, not chance: the chosen answer’s appeal ({more}) outweighs what it lacks."
    return "This is chance: by the labellers’ own judgement, too, the other is no worse."


def _sigmoid(view: View, ringed: int) -> Chart:
    palette, pairs = view.palette, view.run.reward.pairs
    epochs, rows = np.unique(view.timeline.rm_epochs, return_inverse=True)
    margins = np.round(view.run.reward.margins(epochs), 2)
    drawn = np.arange(len(pairs.prompt)) < MOST_DOTS
    own, train, heldout = margins[:, [ringed]], margins[:, ~pairs.heldout & drawn], margins[:, pairs.heldout & drawn]
    widest = 1.06 * max(float(np.abs(margins[:, drawn]).max()), float(np.abs(own).max()), 0.5)
    curve = np.linspace(-widest, widest, CURVE)
    fig = theme.figure(
        palette, x="score of the chosen − score of the rejected [log-odds]", y="σ of the difference [%]",
        data=[
            _dots(curve, mode="lines", line=theme.ghost(palette), hoverinfo="skip", showlegend=False),
            *_group(palette, "training", "circle", train), *_group(palette, "held out", "diamond", heldout),
            _ring(view, ringed, own), _counts(palette, widest, margins[0]),
        ],
        shapes=[{"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1,
                 "line": {"color": palette.muted, "width": 1, "dash": "dot"}}],
        xaxis={"range": [-widest, widest], "zeroline": False},
        yaxis={"range": [-6, 112], "tickvals": [0, 25, 50, 75, 100]},
    )  # fmt: skip
    moves = {trace: {"x": moving, "y": _percent(moving)} for trace, moving in ((2, train), (4, heldout), (5, own))}
    return Chart(
        fig,
        "The sigmoid with one dot per comparison, at the difference between the scores of its two responses.",
        rows,
        moves={**moves, 6: {"text": [_sides(row) for row in margins]}},
        question="Where does training push the chosen answers?",
        told_at="rm",
        title="Training pushes the chosen answers to the right",
        guide="One dot is one comparison. All start at 0, where σ is one half.",
        reading=_sigmoid_reading(margins[-1], drawn),
    )


def _sigmoid_reading(final: Array, drawn: Array) -> str:
    words = (
        f"In the end {(final > 0).mean():.0%} lie "
        f"right of 0 and {(final < 0).mean():.0%} left of it: there the model prefers what the labeller rejected."
    )
    return words if drawn.all() else f"{words} Drawn are {drawn.sum()} of {len(drawn)} pairs."


def _dots(margins: Array, **style: Any) -> dict[str, Any]:
    return {"type": "scatter", "x": margins, "y": _percent(margins), **style}


def _group(palette: theme.Palette, name: str, symbol: str, margins: Array) -> list[dict[str, Any]]:
    """Where the dots end, and the dots that move there."""
    ghost = {"symbol": symbol, "size": 6, "color": palette.ghost, "opacity": 0.6}
    marker = {"symbol": symbol, "size": 8, "color": palette.reward.mark, "opacity": 0.4}
    hover = f"{name} pair<br>difference %{{x:.2f}}, σ = %{{y:.0f}}%<extra></extra>"
    return [
        _dots(margins[-1], mode="markers", marker=ghost, hoverinfo="skip", showlegend=False),
        _dots(margins[0], mode="markers", marker=marker, name=name, hovertemplate=hover),
    ]


def _ring(view: View, pair: int, margins: Array) -> dict[str, Any]:
    """The chosen comparison."""
    chosen = wrap(excerpt(view.responses[int(view.run.reward.pairs.chosen[pair])], 120))
    marker = {"symbol": "circle-open", "size": 16, "color": view.palette.ink, "line": {"width": 2.5}}
    hover = f"{chosen}<br>difference %{{x:.2f}}<extra></extra>"
    return _dots(margins[0], mode="markers", marker=marker, name="the pair above", hovertemplate=hover)


def _counts(palette: theme.Palette, widest: float, margins: Array) -> dict[str, Any]:
    """Shares of pairs on either side, at the top."""
    return {
        "type": "scatter", "x": [-0.5 * widest, 0.5 * widest], "y": [105, 105], "mode": "text", "hoverinfo": "skip",
        "text": _sides(margins), "textfont": {"size": 12.5, "color": palette.muted}, "showlegend": False,
    }  # fmt: skip


def _sides(margins: Array) -> list[str]:
    if not margins.any():
        return ["\N{NO-BREAK SPACE}", "all tied"]  # Plotly takes empty words away for good
    return [f"disagrees: {(margins < 0).mean():.0%}", f"agrees: {(margins > 0).mean():.0%}"]


def _percent(margins: Array) -> Array:
    return np.round(100 * special.expit(margins), 1)
