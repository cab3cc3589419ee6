"""Charts of one PPO step: the advantages of its rollouts, and what clipping does to their tokens."""

from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.chart import Chart
from pages.drawing.view import View
from pages.drawing.wording import number, plural
from pages.figures.ppo.words import SHOWN, TOKENS, Step, batch_rows, name, steps, update_rows

SYMBOLS = ("circle", "diamond", "square")
MOST_GHOSTS = 400


def advantage_bars(view: View) -> Chart:
    """Advantages of one step's rollouts, sorted; those of the first and the last step as ghosts."""
    settings = view.run.settings
    heights, names = _sorted_advantages(view)
    x = np.arange(1, heights.shape[1] + 1)
    fig = theme.figure(
        view.palette,
        x="rollouts, best first",
        y=f"advantage{' of the opening' if settings.advantage == 'gae' else ''} [{_unit(view)}]",
        data=_bar_traces(view, x, heights, names[0]),
        xaxis={"range": [0.4, len(x) + 0.6], "showgrid": False},
        yaxis={"range": _padded(heights)},
        bargap=0.15,
        height=300,
    )
    empty = np.full((1, len(x)), np.nan)
    return Chart(
        fig,
        f"Bars: the advantage of {plural(len(x), 'rollout')} of one step, sorted.",
        batch_rows(view),
        moves={2: {"y": np.concatenate([empty, heights]), "text": [names[0], *names]}},
        question="Which rollouts does the update push up, and which down?",
        title=_advantage_title(view),
        guide=_advantage_guide(view),
        reading=_advantage_reading(view),
    )


def _sorted_advantages(view: View) -> tuple[np.ndarray, list[list[str]]]:
    """Advantages (T, n) of the rollouts shown, best first, and the names of their responses."""
    heights, names = [], []
    for step in steps(view):
        some = _first(view, step)
        some = some[np.argsort(-step.advantages[some, 0], kind="stable")]
        heights.append(step.advantages[some, 0])
        names.append([name(view, response) for response in step.responses[some].tolist()])
    return np.array(heights), names


def _bar_traces(view: View, x: np.ndarray, heights: np.ndarray, names: list[str]) -> list[dict[str, Any]]:
    """Ghosts of the first and the last step, and the bars to be played."""
    ghosts = [
        {"type": "scatter", "x": x, "y": heights[row], "mode": "lines", "name": label, "hoverinfo": "skip",
         "line": {**theme.ghost(view.palette, dash), "shape": "hvh"}}
        for row, dash, label in ((0, "solid", "step 1"), (-1, "dot", f"step {len(heights)}"))
    ]  # fmt: skip
    return [
        *ghosts,
        {"type": "bar", "x": x, "y": heights[0], "name": "this step", "marker": {"color": view.palette.policy.mark},
         "text": names, "textposition": "none", "hovertemplate": "%{text}<br>advantage %{y:.2f}<extra></extra>"},
    ]  # fmt: skip


def _unit(view: View) -> str:
    return "standard deviations" if view.run.settings.advantage == "group_normalised" else "reward units"


def _first(view: View, step: Step) -> np.ndarray:
    """The rollouts that a chart shows: the first ones, or with exact expectation the most probable."""
    if view.run.settings.rollouts == 0:
        return np.argsort(-step.weights, kind="stable")[:SHOWN]
    return np.arange(min(SHOWN, len(step.rewards)))


def _padded(values: np.ndarray) -> tuple[float, float]:
    """Axis range with 0 in it and some air at both ends."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    air = 0.08 * (high - low) or 0.5
    return low - air, high + air


def _advantage_title(view: View) -> str:
    settings = view.run.settings
    if settings.rollouts == 1 and settings.advantage != "gae":
        return "A single rollout has nothing to compare with"
    if settings.advantage == "gae":
        return "Better or worse than the learned value expected?"
    if settings.rollouts == 0:
        return "Weighted by probability, advantages sum to 0"
    return f"What some gain, others lose: {'all' if settings.rollouts > SHOWN else 'the'} advantages sum to 0"


def _advantage_guide(view: View) -> str:
    settings, n = view.run.settings, len(steps(view)[0].rewards)
    kept = f" ({'the most probable' if settings.rollouts == 0 else 'the first'} {SHOWN} of {n})" if n > SHOWN else ""
    return (
        f"One bar per rollout of this prompt{kept}: above 0 the update pushes its tokens up, below 0 down. Grey: the "
        "first and the last step."
    )


def _advantage_reading(view: View) -> str:
    each = steps(view)
    first, last = (number(_weighted_spread(step)) for step in (each[0], each[-1]))
    spread = f"goes from {first} in step 1 to {last} in step {len(each)}" if len(each) > 1 else f"is {first}"
    return f"The spread {spread}; where all rollouts are alike there is nothing to learn."


def _weighted_spread(step: Step) -> float:
    mean = step.weights @ step.advantages[:, 0]
    return float(np.sqrt(step.weights @ (step.advantages[:, 0] - mean) ** 2))


def ratio_scatter(view: View) -> Chart:
    """Each token's ratio after the step against its advantage, with the region where clipping cuts the gradient."""
    clip_range = view.run.settings.clip_range
    advantage, ratio, names = _token_points(view)
    (left, right), (low, high) = _padded(advantage), _ratio_range(ratio, clip_range)
    corners = ((right, high, "right", "top"), (left, low, "left", "bottom"))
    fig = theme.figure(
        view.palette,
        x=f"advantage [{_unit(view)}]",
        y="ratio ρ, new / old [log scale]",
        data=_point_traces(view, advantage, ratio, names[0]),
        xaxis={"range": [left, right]},
        yaxis={"type": "log", "range": np.log10([low, high]), "tickvals": _ratio_ticks(low, high, clip_range)},
        shapes=_clipped_regions(view, left, right, low, high),
        annotations=[
            {"x": x, "y": np.log10(y), "text": "gradient cut", "showarrow": False, "xanchor": anchor, "yanchor": at,
             "font": {"size": 12, "color": view.palette.muted}}
            for x, y, anchor, at in corners
        ],
        height=360,
    )  # fmt: skip
    return Chart(
        fig,
        "Scatter: ratio of new to old probability against advantage, one point per token of this step's rollouts.",
        update_rows(view),
        moves={t + 1: _token_moves(advantage[..., t], ratio[..., t], names) for t in range(len(TOKENS))},
        question="How far do the ratios go?",
        title=_ratio_title(view),
        guide="One point per token, at ρ = 1 when the step begins. In a shaded corner its own gradient is zero, in the "
        "other two beyond the range it is not.",
        reading=_ratio_reading(view),
    )


def _point_traces(view: View, advantage: np.ndarray, ratio: np.ndarray, names: list[str]) -> list[dict[str, Any]]:
    """Ghost of all steps' points, thinned, and one trace per token position to be played."""
    ghost = np.unique(np.stack([advantage.ravel(), ratio.ravel()], axis=1).round(3), axis=0)
    ghost = ghost[:: -(-len(ghost) // MOST_GHOSTS)]
    shared = {"type": "scatter", "mode": "markers"}
    return [
        {**shared, "x": ghost[:, 0], "y": ghost[:, 1], "hoverinfo": "skip", "name": "all steps",
         "marker": {"color": view.palette.ghost, "size": 5}}
    ] + [
        {**shared, "x": advantage[0, :, t], "y": ratio[0, :, t], "name": token, "text": names,
         "marker": {"color": view.palette.policy.mark, "size": 9, "symbol": f"{symbol}-open", "line": {"width": 2}},
         "hovertemplate": f"{token} of %{{text}}<br>advantage %{{x:.2f}}, ratio %{{y:.2f}}<extra></extra>"}
        for t, (token, symbol) in enumerate(zip(TOKENS, SYMBOLS, strict=True))
    ]  # fmt: skip


def _token_points(view: View) -> tuple[np.ndarray, np.ndarray, list[list[str]]]:
    """Advantages and ratios (T, n, 3) of the rollouts shown, and their names."""
    each = steps(view)
    some = [_first(view, step) for step in each]
    pairs = list(zip(each, some, strict=True))
    names = [[name(view, int(step.responses[g])) for g in chosen] for step, chosen in pairs]
    advantage = np.stack([step.advantages[chosen] for step, chosen in pairs])
    return advantage, np.stack([step.ratio[chosen] for step, chosen in pairs]), names


def _token_moves(advantage: np.ndarray, ratio: np.ndarray, names: list[list[str]]) -> dict[str, Any]:
    """Rows as in `update_rows`: nothing before PPO, ratio 1 before a step's update, then where it ended."""
    blank = np.full((1, advantage.shape[1]), np.nan)
    before_after = np.stack([np.ones_like(ratio), ratio], axis=1).reshape(-1, ratio.shape[1])
    return {
        "x": np.concatenate([blank, np.repeat(advantage, 2, axis=0)]),
        "y": np.concatenate([blank, before_after]),
        "text": [names[0], *(row for row in names for _ in range(2))],
    }


def _ratio_range(ratio: np.ndarray, clip_range: float) -> tuple[float, float]:
    return float(min(ratio.min(), 1 - clip_range) * 0.9), float(max(ratio.max(), 1 + clip_range) * 1.1)


def _ratio_ticks(low: float, high: float, clip_range: float) -> list[float]:
    """1 and the two ends of the clip range, and powers of two where they leave room."""
    ticks = [1.0, 1 - clip_range, 1 + clip_range]
    for power in 2.0 ** np.arange(-8, 9):
        if low < power < high and all(abs(np.log(power / tick)) > 0.12 * np.log(high / low) for tick in ticks):
            ticks.append(float(power))
    return sorted(ticks)


def _clipped_regions(view: View, left: float, right: float, low: float, high: float) -> list[dict[str, Any]]:
    """The two corners in which a token's gradient is zero, and the line of no change."""
    clip_range, palette = view.run.settings.clip_range, view.palette
    corners = ((0, right, 1 + clip_range, high), (left, 0, low, 1 - clip_range))
    return [
        {"type": "rect", "x0": x0, "x1": x1, "y0": y0, "y1": y1, "fillcolor": palette.kl.mark, "opacity": 0.13,
         "line": {"width": 0}, "layer": "below"}
        for x0, x1, y0, y1 in corners
    ] + [
        {"type": "line", "x0": left, "x1": right, "y0": 1, "y1": 1, "layer": "below",
         "line": {"color": palette.muted, "width": 1, "dash": "dot"}}
    ]  # fmt: skip


def largest_ratio(view: View) -> float:
    """The furthest that any token's ratio got in the whole run, over all prompts."""
    return max(float(batch.ratio.max()) for batch in view.run.ppo.rollouts)


def _ratio_title(view: View) -> str:
    limit = 1 + view.run.settings.clip_range
    if (reached := largest_ratio(view)) > limit:
        return f"Clipping does not bound the ratio: one got to {number(reached)}"
    return f"How far do the ratios go? Here none passes {limit:g}"


def _ratio_reading(view: View) -> str:
    ratios = np.stack([step.ratio for step in steps(view)])
    return (
        f"For this prompt the ratios end between {number(ratios.min())} and "
        f"{number(ratios.max())}."
    )
