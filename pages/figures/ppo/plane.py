"""What a nat buys: reward and true reward against KL, PPO's path beside the best possible policies."""

from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.chart import Chart
from pages.drawing.labels import Place, Room
from pages.drawing.marks import padded
from pages.drawing.view import View
from pages.drawing.wording import number, plural
from rlhf_core.yours.record import spread

LABELLED_BETAS = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.0)
PATH, PEOPLES_PATH = 5, 9
"""Traces of the plane that are played."""
PANELS = {"yaxis": [0.46, 1.0], "yaxis2": [0.0, 0.34]}
PLOT = (270.0, 190.0)
"""Pixels of the upper panel on a phone."""
SIDES = [f"{up} {side}" for side in ("right", "left") for up in ("bottom", "top", "middle")]
SAME = 0.1
"""Spreads of true reward below which two policies are worth the same to people, for the words."""


def reward_kl_path(view: View) -> Chart:
    """Mean reward and true reward against KL: PPO's path, the optima of every beta, and the optimum of this one."""
    ppo, best = view.run.ppo, view.run.optimum
    right = 1.1 * max(best.kl, float(ppo.kl.max()), 0.02)
    top = 1.12 * max(best.reward, float(ppo.reward.max()), 0.05)
    bottom = min(float(ppo.reward.min()), 0.0) - 0.04 * top
    fig = theme.figure(
        view.palette,
        x="KL(policy ‖ reference) [nats]",
        y="mean reward [reward units]",
        data=[*_plane_traces(view, right, [bottom, top]), *_peoples_traces(view)],
        xaxis={"range": [-0.01 * right, right], "anchor": "y2"},
        yaxis={"range": [bottom, top], "domain": PANELS["yaxis"]},
        yaxis2={
            "range": _peoples_range(view, right), "domain": PANELS["yaxis2"], "fixedrange": True, "nticks": 4,
            "title": {"text": "true reward [own units]", "font": {"color": view.palette.true_reward.text}},
        },
        height=470,
    )  # fmt: skip
    return Chart(
        fig,
        "Mean reward against KL divergence: PPO's path step by step under the frontier of closed-form optima; below, "
        "the true reward of the same policies.",
        view.timeline.ppo_steps,
        grows=dict.fromkeys((PATH, PEOPLES_PATH), np.arange(1, len(ppo.kl) + 1)),
        question="Is what is best for the score best for people?",
        title="Best for the score is not best for people"
        if _best_for_people(view)[1] - best.true_reward > SAME * _truth_spread(view)
        else "No policy lies above the dashed curve",
        reading=_plane_reading(view),
    )


def _plane_reading(view: View) -> str:
    ppo, best, frontier, beta = view.run.ppo, view.run.optimum, view.run.frontier, view.run.settings.beta
    n_steps, (i, most) = len(ppo.kl) - 1, _best_for_people(view)
    return (
        f"No policy lies above the dashed curve. After {plural(n_steps, 'step')} PPO has "
        f"{number(ppo.reward[-1])} reward units for {number(ppo.kl[-1])} nats; the optimum for β = {beta:g} (star) has "
        f"{number(best.reward)} for {number(best.kl)}. On a line of slope β all points have the same J; the dotted one "
        "touches the curve at the star. Below, what the same policies are worth to people: "
        f"{number(ppo.true_reward[0])} after SFT, {number(ppo.true_reward[-1])} for PPO’s, {number(best.true_reward)} "
        f"at the star. Of all the optima the one for β = {frontier.betas[i]:.2g} is worth most, {number(most)}, at "
        f"{number(frontier.kl[i])} nats."
    )


def _best_for_people(view: View) -> tuple[int, float]:
    """Place on the frontier where true reward is highest, and how high."""
    i = int(np.argmax(view.run.frontier.true_reward))
    return i, float(view.run.frontier.true_reward[i])


def _truth_spread(view: View) -> float:
    return float(spread(view.run.ppo.log_probs[0], view.run.scenario.true_reward))


def _peoples_traces(view: View) -> list[dict[str, Any]]:
    """True reward of the same policies: ghost of PPO's path, frontier, optimum, and the path to be played."""
    ppo, palette, best, frontier = view.run.ppo, view.palette, view.run.optimum, view.run.frontier
    hover = "KL %{x:.2f} nats, true reward %{y:.2f}<extra></extra>"
    path = {"type": "scatter", "x": ppo.kl, "y": ppo.true_reward, "yaxis": "y2", "showlegend": False}
    quiet = {"type": "scatter", "mode": "lines", "yaxis": "y2", "showlegend": False}
    return [
        {**path, "mode": "lines", "line": theme.ghost(palette), "hoverinfo": "skip"},
        {**quiet, "x": frontier.kl, "y": frontier.true_reward, "line": theme.line(palette.true_reward, "dash"),
         "text": [f"optimum for β = {beta:.2g}" for beta in frontier.betas], "hovertemplate": f"%{{text}}<br>{hover}"},
        {**quiet, "x": [best.kl], "y": [best.true_reward], "mode": "markers",
         "marker": {"color": palette.optimum.mark, "size": 15, "symbol": "star"},
         "hovertemplate": f"optimum for β = {view.run.settings.beta:g}<br>{hover}"},
        {**path, "mode": "lines+markers", "line": theme.line(palette.true_reward),
         "marker": {"color": palette.true_reward.mark, "size": 6}, "text": np.arange(len(ppo.kl)),
         "hovertemplate": f"after step %{{text}}<br>{hover}"},
    ]  # fmt: skip


def _peoples_range(view: View, right: float) -> list[float]:
    """Range of the lower panel: what lies left of the edge, with some air."""
    ppo, best, frontier = view.run.ppo, view.run.optimum, view.run.frontier
    return padded(np.concatenate([ppo.true_reward, [best.true_reward], frontier.true_reward[frontier.kl <= right]]))


def _plane_traces(view: View, right: float, span: list[float]) -> list[dict[str, Any]]:
    """Ghost of the path, frontier, line of equal J, marked betas, optimum, and the path to be played."""
    ppo, palette, best, frontier = view.run.ppo, view.palette, view.run.optimum, view.run.frontier
    beta, ends = view.run.settings.beta, np.array([0.0, right])
    x, y, labels, sides = _labelled_betas(view, right, span)
    hover = "KL %{x:.2f} nats, reward %{y:.2f}<extra></extra>"
    path = {"type": "scatter", "x": ppo.kl, "y": ppo.reward}
    quiet = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
    return [
        {**path, "mode": "lines", "line": theme.ghost(palette), "hoverinfo": "skip", "showlegend": False},
        {**quiet, "x": frontier.kl, "y": frontier.reward, "name": "best possible",
         "line": theme.line(palette.optimum, "dash")},
        {**quiet, "x": ends, "y": best.objective + beta * ends, "name": "J = J*",
         "line": {"color": palette.muted, "width": 1, "dash": "dot"}},
        {"type": "scatter", "x": x, "y": y, "mode": "markers+text", "text": labels, "showlegend": False,
         "textposition": sides,
         "textfont": {"size": 12, "color": palette.optimum.text},
         "marker": {"color": palette.optimum.mark, "size": 6}, "hovertemplate": f"optimum for %{{text}}<br>{hover}"},
        {"type": "scatter", "x": [best.kl], "y": [best.reward], "mode": "markers", "name": f"optimum, β = {beta:g}",
         "marker": {"color": palette.optimum.mark, "size": 15, "symbol": "star"},
         "hovertemplate": f"optimum for β = {beta:g}<br>{hover}"},
        {**path, "mode": "lines+markers", "name": "PPO", "line": theme.line(palette.policy),
         "marker": {"color": palette.policy.mark, "size": 6}, "text": np.arange(len(ppo.kl)),
         "hovertemplate": f"after step %{{text}}<br>{hover}"},
    ]  # fmt: skip


def _labelled_betas(
    view: View, right: float, span: list[float]
) -> tuple[np.ndarray, np.ndarray, list[str], list[str]]:
    """Places on the frontier that are marked with their beta, as far as there is room, and where the words stand."""
    frontier, beta = view.run.frontier, view.run.settings.beta
    kl = np.interp(LABELLED_BETAS, frontier.betas, frontier.kl)
    reward = np.interp(LABELLED_BETAS, frontier.betas, frontier.reward)
    kept: list[int] = []
    for i, place in enumerate(kl):
        far = all(abs(place - other) > 0.13 * right for other in [view.run.optimum.kl, *kl[kept]])
        if 0.1 * right < place < right and far and LABELLED_BETAS[i] != beta:
            kept.append(i)
    labels = [f"β = {LABELLED_BETAS[i]:g}" for i in kept]
    room = _room(view, right, span)
    placed = [
        room.place(label, [Place(kl[i], reward[i], side, 4) for side in SIDES])
        for i, label in zip(kept, labels, strict=True)
    ]
    named = [label if free else "" for label, (_, free) in zip(labels, placed, strict=True)]
    return kl[kept], reward[kept], named, [place.side for place, _ in placed]


def _room(view: View, right: float, span: list[float]) -> Room:
    """Upper panel of the plane with its lines."""
    ppo, best, frontier = view.run.ppo, view.run.optimum, view.run.frontier
    ends = np.array([0.0, right])
    room = Room([-0.01 * right, right], span, PLOT).draw(ends, best.objective + view.run.settings.beta * ends)
    return room.draw(frontier.kl, frontier.reward).draw(ppo.kl, ppo.reward)
