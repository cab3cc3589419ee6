"""How much of somebody's preferences style explains: charts, and what follows in words."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.panel import Panel
from pages.drawing.theme import Palette
from rlhf_core.yours.preference_fit import PairsReport

STRONG = 0.1
"""Log-odds from which a weight is worth a word."""
CAN_TELL = """
**What this can tell, and what it cannot.** The fit sees length, a dozen marks of style and which words occur; it cannot
read. If it predicts choices on prompts that it has never seen, a reward model can look good on paper without knowing
what is true, and PPO is paid for style. If it predicts no better than a coin, the preferences may rest on content, on
style that these features miss (order, layout, tone), or on noise: from here these look alike. Words carry content as
well as style, so a high figure is no proof that people chose by style. And no figure here says whether people chose
*well*.
"""


def finding(report: PairsReport) -> str:
    """What the fit found, against the two rules that need no training."""
    low, high = report.heldout_interval
    said = (
        f"On prompts that it has never seen, style picks the chosen answer in **{report.heldout_accuracy:.0%}** of "
        f"{report.n_used:,} pairs (90% interval {low:.0%} to {high:.0%}); “the longer answer wins” is right in "
        f"{report.longer_wins_accuracy:.0%}, a coin in 50%. "
    )
    if low <= 0.5:
        return said + "That is not clearly better than a coin: these marks of style explain little here."
    rule = report.longer_wins_accuracy
    if rule > high:
        return said + "It is better than a coin, and worse than length alone: with so few pairs the words mislead it."
    if rule >= low:
        return said + "It is better than a coin, and not clearly better than the rule about length."
    return said + "It is better than a coin and than length alone: part of these choices can be told without reading."


def lesson(report: PairsReport) -> str:
    """What PPO would learn to do on a reward model of this kind."""
    if report.heldout_interval[0] <= 0.5:
        return (
            "**What PPO would learn from it.** Nothing to rely on: a reward model that ranks no better than a coin on "
            "new prompts pays for whatever its pairs happened to have, and PPO finds that."
        )
    more = [f"“{name}”" for name, weight in report.style if weight > STRONG][:3]
    less = [f"“{name}”" for name, weight in report.style if weight < -STRONG][:3]
    parts = [f"pays for {_list(more)}" if more else "", f"takes off for {_list(less)}" if less else ""]
    asked = " and ".join(filter(None, parts)) or f"pays for particular {report.unit} rather than for marks of style"
    return (
        f"**What PPO would learn from it.** A reward model like this one {asked}. PPO gives more of whatever is paid "
        "for, whether or not the answer gets better: look at those marks first when your policy’s reward rises."
    )


def charts(report: PairsReport, palette: Palette) -> list[Panel]:
    """Accuracy, what it rests on, and whether it knows how sure it is."""
    panels = [_accuracy(report, palette), _learning(report, palette), _weights(report, palette)]
    panels += [_words(report, palette)] if report.words else []
    return panels + ([_reliability(report, palette)] if report.reliability is not None else [])


def _accuracy(report: PairsReport, palette: Palette) -> Panel:
    low, high = report.heldout_interval
    names = ["a coin", "the longer answer", "style, on its own pairs", "style, on new prompts"]
    values = [0.5, report.longer_wins_accuracy, report.train_accuracy, report.heldout_accuracy]
    hues = [palette.reference, palette.labellers, palette.reward, palette.reward]
    bars = {
        "array": [None, None, None, high - values[-1]], "arrayminus": [None, None, None, values[-1] - low],
        "symmetric": False, "color": palette.reward.mark,
    }  # fmt: skip
    trace = {
        "type": "scatter", "x": values, "y": names, "mode": "markers+text", "error_x": bars, "showlegend": False,
        "text": [f"{value:.0%}" for value in values], "textposition": "top center",
        "marker": {"size": 12, "color": [hue.mark for hue in hues],
                   "symbol": ["line-ns-open", "diamond", "circle-open", "circle"]},
        "hovertemplate": "%{y}: %{x:.1%}<extra></extra>",
    }  # fmt: skip
    edges = [min(0.4, *values, low) - 0.05, max(*values, high) + 0.05]
    axes = {"xaxis": {"range": edges, "tickformat": ".0%"}, "yaxis": {"range": [-0.5, 3.7]}}
    drawing = theme.figure(palette, x="pairs picked rightly", y="", data=[trace], height=280, **axes)
    return Panel("How often each picks the chosen answer", drawing, "Accuracy of a coin, of length, and of style.")


def _learning(report: PairsReport, palette: Palette) -> Panel:
    counts, shares = zip(*report.learning, strict=True)
    trace = {
        "type": "scatter", "x": list(counts), "y": list(shares), "mode": "lines+markers", "name": "style",
        "line": theme.line(palette.reward), "marker": {"size": 7}, "showlegend": False,
        "hovertemplate": "%{x:,} pairs: %{y:.1%}<extra></extra>",
    }  # fmt: skip
    axes = {"xaxis": {"type": "log", "tickvals": list(counts), "ticktext": [f"{n:,}" for n in counts]}}
    axes["yaxis"] = {"tickformat": ".0%", "range": [min(0.5, *shares) - 0.05, max(0.6, *shares) + 0.05]}
    drawing = theme.figure(
        palette, x="training pairs", y="accuracy on one fifth of the prompts", data=[trace], height=280, **axes
    )
    return Panel("Would more pairs help?", drawing, "Accuracy on held-out prompts by the number of training pairs.")


def _weights(report: PairsReport, palette: Palette) -> Panel:
    drawing = _bars(report.style, palette, "weight [log-odds a spread]")
    return Panel("What the marks of style are worth", drawing, "Weight of every mark of style, strongest on top.")


def _words(report: PairsReport, palette: Palette) -> Panel:
    drawing = _bars(report.words, palette, "weight [log-odds when it occurs]")
    title = f"The {report.unit} that count most"
    return Panel(title, drawing, f"Weight of the strongest {report.unit}, strongest on top.")


def _bars(named: Sequence[tuple[str, float]], palette: Palette, x: str) -> Any:
    """Bars to the right speak for an answer, hatched ones to the left against it."""
    names, weights = [name for name, _ in named], np.array([weight for _, weight in named])
    ticks = [name.replace(" (", "<br>(") for name in names]  # so that they leave room on a phone
    row = 34 if ticks != names else 24
    trace = {
        "type": "bar", "orientation": "h", "x": weights, "y": list(range(len(named))), "showlegend": False,
        "marker": {
            "color": palette.reward.mark,
            "pattern": {"shape": ["/" if weight < 0 else "" for weight in weights], "fgcolor": palette.ground,
                        "bgcolor": palette.reward.mark},
        },
        "text": [f"{weight:+.2f}".replace("-", "−") for weight in weights],
        "customdata": names, "hovertemplate": "%{customdata}: %{x:+.2f}<extra></extra>",
        "textposition": "outside", "cliponaxis": False,
    }  # fmt: skip
    room = 1.9 * max(float(np.abs(weights).max()), 0.01)
    axes = {
        "yaxis": {"tickvals": list(range(len(named))), "ticktext": ticks, "autorange": "reversed"},
        "xaxis": {"range": [-room, room]},
    }
    return theme.figure(palette, x=x, y="", data=[trace], height=90 + row * len(named), **axes)


def _reliability(report: PairsReport, palette: Palette) -> Panel:
    known = report.reliability
    assert known is not None
    diagonal = {
        "type": "scatter", "x": [0.5, 1], "y": [0.5, 1], "mode": "lines", "line": theme.ghost(palette, "dash"),
        "name": "as sure as it should be", "hoverinfo": "skip",
    }  # fmt: skip
    trace = {
        "type": "scatter", "x": known.confidence, "y": known.share, "mode": "lines+markers", "name": "style",
        "error_y": {"array": 2 * known.error}, "line": theme.line(palette.reward), "marker": {"size": 8},
        "hovertemplate": "expects %{x:.0%}, is right in %{y:.0%}<extra></extra>",
    }  # fmt: skip
    axes = {"xaxis": {"tickformat": ".0%"}, "yaxis": {"tickformat": ".0%"}}
    drawing = theme.figure(
        palette, x="how sure it is", y="how often it is right", data=[diagonal, trace], height=320, **axes
    )
    return Panel("Does it know how sure it is?", drawing, "Share of pairs picked rightly against the fit’s confidence.")


def _list(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
