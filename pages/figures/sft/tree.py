"""The response tree: every answer to the chosen prompt as an area, phrase by phrase."""

from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.chart import Array, Chart
from pages.drawing.drawing import Drawing
from pages.drawing.view import View
from pages.drawing.wording import minus, wrap
from rlhf_core.policy import prefix_log_probs
from rlhf_core.scenarios import SLOTS

HEIGHT = 560
LEFT, WIDTH = np.array([0.0, 0.96, 1.92]), np.array([0.96, 0.96, 1.08])
SMALLEST_LABEL = 3.2
"""Per cent of the height that a phrase needs to be named on it."""
DIGITS = 2
TINTS = {"light": ("#f0f1f4", "#74cdad"), "dark": ("#232a34", "#157a60")}
"""Colours of the lowest and the highest true reward; the text on both is the theme's ink."""


def tree_now(view: View) -> Chart:
    """The tree of the policy at the playhead."""
    kept, rows = np.unique(view.progress, return_inverse=True)
    moving = _moving(view, tree_areas(view, view.policy_log_probs[kept]))
    return Chart(
        _tree(view, moving),
        "All responses to the chosen prompt as areas, phrase by phrase, as the policy answers at the playhead.",
        rows,
        moves=moving,
        title="The policy now",
        guide=(
            "From left to right: an opening, a body given that opening, a closing given both. The height of a closing "
            "is the probability of the whole response; its number and its green are the true reward. Outlined: "
            "demonstrated."
        ),
    )


def tree_after_sft(view: View) -> Chart:
    """The tree of the reference policy, where SFT ends."""
    before, after = np.exp(view.run.sft.log_probs[[0, -1], view.prompt])
    shown = np.unique(view.run.sft.demonstrations[view.prompt])
    return Chart(
        _tree(view, _moving(view, tree_areas(view, view.run.sft.log_probs[-1:, view.prompt]))),
        "All responses to the chosen prompt as areas, as the policy answers after SFT.",
        np.zeros(len(view.timeline.frames), dtype=int),
        title="After SFT",
        question="After SFT: where has the probability gone?",
        told_at="sft",
        reading=(
            f"Demonstrated responses ({len(shown)} of {len(before)}) have {before[shown].sum():.1%} of the probability "
            f"in the base policy and {after[shown].sum():.1%} after SFT."
        ),
    )


def tree_areas(view: View, log_probs: Array) -> Array:
    """Probability of every prefix in per cent, (rows, 4 + 20 + 80): openings first, then bodies, then responses."""
    return 100 * np.exp(np.concatenate(prefix_log_probs(log_probs, view.run.scenario.shape), axis=-1))


def _levels(view: View) -> Array:
    """Position of the last phrase of every prefix."""
    sizes = np.cumprod(view.run.scenario.shape)
    return np.repeat(np.arange(len(sizes)), sizes)


def _parts(view: View) -> tuple[Array, Array]:
    """Openings and bodies, and whole responses; those that were demonstrated come last, so that they lie on top."""
    leaf = _levels(view) == len(SLOTS) - 1
    leaves = np.flatnonzero(leaf)
    return np.flatnonzero(~leaf), leaves[np.argsort(_demonstrated(view), kind="stable")]


def _demonstrated(view: View) -> Array:
    return np.isin(np.arange(len(view.responses)), view.run.sft.demonstrations[view.prompt])


def _moving(view: View, areas: Array) -> dict[int, dict[str, Any]]:
    """Areas, where they begin, and their names: openings and bodies (trace 0), whole responses (trace 1)."""
    columns = np.split(areas, np.cumsum(np.cumprod(view.run.scenario.shape))[:-1], axis=-1)
    begin = np.round(np.concatenate([np.cumsum(each, axis=-1) - each for each in columns], axis=-1), DIGITS)
    names, rounded = _names(view), np.round(areas, DIGITS)
    return {
        trace: {
            "y": rounded[:, part],
            "base": begin[:, part],
            "customdata": rounded[:, part],
            "text": [
                [names[i].format(row[i]) if row[i] >= SMALLEST_LABEL else "" for i in part.tolist()]
                for row in rounded.tolist()
            ],
        }
        for trace, part in enumerate(_parts(view))
    }


def _names(view: View) -> list[str]:
    """Kind of each phrase, with room for an opening's share, and with a response's true reward."""
    openings, bodies, closings = (
        [phrase.kind.replace("_", " ") for phrase in phrases]
        for phrases in view.run.scenario.phrases[view.prompt].values()
    )
    truth = view.run.scenario.true_reward[view.prompt].tolist()
    before = len(openings) * len(bodies)
    leaves = [f"{kind} {minus(u, '+.1f')}" for kind, u in zip(closings * before, truth, strict=True)]
    return [f"{kind} {{:.0f}}%" for kind in openings] + bodies * len(openings) + leaves


def _tree(view: View, moving: dict[int, dict[str, Any]]) -> Drawing:
    hover, level = np.array(_hover(view)), _levels(view)
    inner = {"color": view.palette.raised, "line": {"color": view.palette.ground, "width": 1.5}}
    looks = (("beginning", inner), ("whole response", _leaf_marker(view)))
    bars = [
        {"type": "bar", "x": (LEFT + WIDTH / 2)[level[part]], "width": WIDTH[level[part]], "name": name,
         "marker": marker, **{path: rows[0] for path, rows in moving[trace].items()},
         "textposition": "inside", "insidetextanchor": "middle", "textangle": 0, "constraintext": "none",
         "insidetextfont": {"size": 12, "color": view.palette.ink}, "hovertext": hover[part].tolist(),
         "hovertemplate": "%{hovertext}<br><b>%{customdata:.2f}%</b><extra></extra>"}
        for trace, (part, (name, marker)) in enumerate(zip(_parts(view), looks, strict=True))
    ]  # fmt: skip
    quiet = {"showgrid": False, "zeroline": False}
    return theme.figure(
        view.palette, x="", y="probability [%]", data=bars, height=HEIGHT, showlegend=False, barmode="overlay",
        bargap=0,
        xaxis={"range": [0, LEFT[-1] + WIDTH[-1]], "tickvals": LEFT + WIDTH / 2, "ticktext": list(SLOTS),
               "side": "top", "tickfont": {"size": 13}, **quiet},
        yaxis={"range": [100.4, -0.4], "tickvals": [0, 25, 50, 75, 100], **quiet},
    )  # fmt: skip


def _leaf_marker(view: View) -> dict[str, Any]:
    """True reward as colour, an outline round what was demonstrated."""
    (low, high), truth = TINTS[view.palette.name], view.run.scenario.true_reward
    order = _parts(view)[1] - (len(_levels(view)) - len(view.responses))
    shown = _demonstrated(view)[order]
    line = {
        "color": np.where(shown, view.palette.ink, view.palette.ground).tolist(),
        "width": np.where(shown, 1.8, 0.6).tolist(),
    }
    return {
        "color": truth[view.prompt, order], "colorscale": [[0, low], [1, high]],
        "cmin": float(truth.min()), "cmax": float(truth.max()), "line": line,
    }  # fmt: skip


def _hover(view: View) -> list[str]:
    """What each area stands for: the text so far, and the true reward of a whole response."""
    openings, bodies, _ = view.run.scenario.phrases[view.prompt].values()
    begun = [opening.text for opening in openings]
    begun += [f"{opening.text} {body.text}" for opening in openings for body in bodies]
    truth = view.run.scenario.true_reward[view.prompt].tolist()
    return [f"{wrap(text)} …" for text in begun] + [
        f"{wrap(text)}<br>true reward {minus(u, '+.2f')}" for text, u in zip(view.responses, truth, strict=True)
    ]
