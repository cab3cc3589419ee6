"""The response tree: every answer to the chosen prompt as an area, phrase by phrase."""

import numpy as np
import plotly.graph_objects as go

from pages.figures import theme
from pages.figures.chart import Array, Chart
from pages.figures.sft import signed
from pages.figures.view import View, wrap
from rlhf_core.policy import prefix_log_probs
from rlhf_core.scenarios import SLOTS

HEIGHT = 560
LEFT, WIDTH = np.array([0.0, 0.96, 1.92]), np.array([0.96, 0.96, 1.08])
SMALLEST_LABEL = 0.032
"""Share of the height that a phrase needs to be named on it."""
DIGITS = 4
TINTS = {"light": ("#eceef1", "#8fd6bd"), "dark": ("#262c36", "#14705a")}


def tree_now(view: View) -> Chart:
    """The tree of the policy at the playhead."""
    kept, rows = np.unique(view.progress, return_inverse=True)
    probs = tree_areas(view, view.policy_log_probs[kept])
    fig = _tree(view, probs[0])
    moving = _moving(view, probs)
    return Chart(
        fig,
        "All responses to the chosen prompt as areas: openings, bodies and closings, as the policy at the playhead "
        "answers.",
        rows,
        moves=moving,
        title="The policy now",
        reading=(
            "Read from left to right: an opening, a body given that opening, a closing given both. The area of a closing "
            "is the probability of the whole response; the greener, the higher its true reward. Outlined: demonstrated."
        ),
    )


def tree_after_sft(view: View) -> Chart:
    """The tree of the reference policy, where SFT ends."""
    before, after = np.exp(view.run.sft.log_probs[[0, -1], view.prompt])
    shown = np.unique(view.run.sft.demonstrations[view.prompt])
    return Chart(
        _tree(view, tree_areas(view, view.run.sft.log_probs[-1:, view.prompt])[0]),
        "All responses to the chosen prompt as areas, as the policy answers after SFT.",
        np.zeros(len(view.timeline.frames), dtype=int),
        title="After SFT",
        reading=(
            f"The {len(shown)} demonstrated responses held {before[shown].sum():.1%} of the probability in the base policy "
            f"and hold {after[shown].sum():.1%} after SFT; the other {len(before) - len(shown)} share the rest."
        ),
    )


def tree_areas(view: View, log_probs: Array) -> Array:
    """Probability of every prefix, openings first, then bodies, then whole responses, (rows, 4 + 20 + 80)."""
    prefixes = prefix_log_probs(log_probs, view.run.scenario.shape)
    return np.round(np.exp(np.concatenate(prefixes, axis=-1)), DIGITS)


def _levels(view: View) -> Array:
    sizes = np.cumprod(view.run.scenario.shape)
    return np.repeat(np.arange(len(sizes)), sizes)


def _bases(view: View, probs: Array) -> Array:
    """Where each area begins: after those above it in its column."""
    columns = np.split(probs, np.cumsum(np.cumprod(view.run.scenario.shape))[:-1], axis=-1)
    return np.round(np.concatenate([np.cumsum(each, axis=-1) - each for each in columns], axis=-1), DIGITS)


def _moving(view: View, probs: Array) -> dict[int, dict[str, Array]]:
    """Areas, where they begin, and their names, for the phrases (trace 0) and the whole responses (trace 1)."""
    inner = _levels(view) < len(SLOTS) - 1
    bases, words = _bases(view, probs), _labels(view, probs)
    return {
        trace: {
            "y": probs[:, part],
            "base": bases[:, part],
            "customdata": probs[:, part],
            "text": [[word for word, wanted in zip(row, part, strict=True) if wanted] for row in words],
        }
        for trace, part in enumerate((inner, ~inner))
    }


def _labels(view: View, probs: Array) -> list[list[str]]:
    """Kind of each phrase where there is room for it, with an opening's share and a response's true reward."""
    openings, bodies, closings = (
        [phrase.kind.replace("_", " ") for phrase in phrases]
        for phrases in view.run.scenario.phrases[view.prompt].values()
    )
    truth = [f" {signed(u, 1)}" for u in view.run.scenario.true_reward[view.prompt].tolist()]
    leaves = [kind + u for kind, u in zip(closings * (len(openings) * len(bodies)), truth, strict=True)]
    names, n_openings = openings + bodies * len(openings) + leaves, len(openings)
    return [
        [
            "" if p < SMALLEST_LABEL else f"{name} {p:.0%}" if i < n_openings else name
            for i, (name, p) in enumerate(zip(names, row, strict=True))
        ]
        for row in probs.tolist()
    ]


def _tree(view: View, probs: Array) -> go.Figure:
    palette, level = view.palette, _levels(view)
    fig = theme.figure(palette, x="", y="probability", height=HEIGHT, showlegend=False, barmode="overlay", bargap=0)
    low, high = TINTS[palette.name]
    truth = view.run.scenario.true_reward
    shown = np.isin(np.arange(truth.shape[1]), view.run.sft.demonstrations[view.prompt])
    colours = {
        0: {"color": palette.raised, "line": {"color": palette.ground, "width": 1.5}},
        1: {
            "color": truth[view.prompt],
            "colorscale": [[0, low], [1, high]],
            "cmin": float(truth.min()),
            "cmax": float(truth.max()),
            "line": {
                "color": np.where(shown, palette.ink, palette.ground).tolist(),
                "width": np.where(shown, 1.8, 0.6).tolist(),
            },
        },
    }
    moving, hover = _moving(view, probs[None]), _hover(view)
    for trace, part in enumerate((level < len(SLOTS) - 1, level == len(SLOTS) - 1)):
        fig.add_bar(
            x=LEFT[level[part]] + WIDTH[level[part]] / 2,
            width=WIDTH[level[part]],
            **{name: values[0] for name, values in moving[trace].items()},
            marker=colours[trace],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            constraintext="none",
            insidetextfont={"size": 12, "color": palette.ink},
            hovertext=[text for text, wanted in zip(hover, part, strict=True) if wanted],
            hovertemplate="%{hovertext}<br><b>%{customdata:.2%}</b><extra></extra>",
        )
    fig.update_xaxes(
        range=[0, LEFT[-1] + WIDTH[-1]], tickvals=LEFT + WIDTH / 2, ticktext=list(SLOTS), side="top", showgrid=False,
        zeroline=False, tickfont={"size": 13},
    )  # fmt: skip
    fig.update_yaxes(range=[1.004, -0.004], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1], showgrid=False, zeroline=False)
    return fig


def _hover(view: View) -> list[str]:
    """What each area stands for: the text so far, and the true reward of a whole response."""
    openings, bodies, _ = (list(slot) for slot in view.run.scenario.phrases[view.prompt].values())
    begun = [f"{wrap(opening.text)} …" for opening in openings]
    begun += [f"{wrap(f'{opening.text} {body.text}')} …" for opening in openings for body in bodies]
    truth = view.run.scenario.true_reward[view.prompt]
    return begun + [
        f"{wrap(text)}<br>true reward {signed(float(u), 2)}" for text, u in zip(view.responses, truth, strict=True)
    ]
