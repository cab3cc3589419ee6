"""The whole PPO run: objective, entropy and clipping, step by step."""

from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.chart import Chart
from pages.drawing.glossary import term
from pages.drawing.live import Live
from pages.drawing.view import View
from pages.drawing.wording import moves, number, plural
from pages.figures.ppo.words import adding_up, operand, slot


def objective(view: View) -> Live:
    """`J = reward - beta KL` now, at the end of the run, and at the optimum; means over all prompts."""
    ppo, best, beta = view.run.ppo, view.run.optimum, view.run.settings.beta

    def written(reward: float, kl: float, value: float) -> tuple[str, ...]:
        r, k, j = adding_up([reward, max(kl, 0.0)], lambda r, k: r - beta * k, value)
        return r, operand(k), j

    def line(head: str, key: str, symbol: str, css: str = "") -> str:
        return (
            f'<p class="po-objective-line {css}"><span class="po-objective-head">{head}</span><span>{symbol} = '
            f"{slot(f'r{key}', 'reward num')} − {beta:g} × {slot(f'k{key}', 'kl num')} = "
            f"<b>{slot(f'j{key}')}</b></span></p>"
        )

    now = [("\N{EN DASH}",) * 3, *map(written, ppo.reward, ppo.kl, ppo.objective)]
    n_rows = len(now)
    ends = {"-end": now[-1], "-best": written(best.reward, best.kl, best.objective)}
    values = {f"{letter}": [row[i] for row in now] for i, letter in enumerate("rkj")}
    values |= {f"{letter}{key}": [row[i]] * n_rows for key, row in ends.items() for i, letter in enumerate("rkj")}
    n_steps = view.timeline.n_steps
    template = (
        line("at the playhead", "", "J")
        + line(f"after {plural(n_steps, 'step')}", "-end", "J", "po-quiet")
        + line(f"optimum for this {term('beta')}", "-best", '<span class="optimum">J*</span>', "po-quiet")
        + f'<p class="po-line">The optimum is best for the score. To people it is worth '
        f'<b class="truth">{number(best.true_reward)}</b>, the SFT policy {number(ppo.true_reward[0])}, PPO’s at the '
        f"end {number(ppo.true_reward[-1])}.</p>"
    )
    before = np.array([frame.phase in ("idle", "sft", "rm") for frame in view.timeline.frames])
    return Live(template, np.where(before, 0, view.timeline.ppo_steps + 1), values)


def objective_curves(view: View) -> Chart:
    """Reward, its price in KL, and what is left, over the PPO steps."""
    return _curves(view, optimum=False)


def objective_curves_with_optimum(view: View) -> Chart:
    """The same, with the objective of the closed-form optimum."""
    return _curves(view, optimum=True)


def _curves(view: View, *, optimum: bool) -> Chart:
    ppo, beta = view.run.ppo, view.run.settings.beta
    x = np.arange(len(ppo.reward))
    best = [view.run.optimum.objective] if optimum else []
    values = np.concatenate([ppo.reward, beta * ppo.kl, ppo.objective, best])
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.1)
    data = _curve_traces(view)
    if optimum:
        data.append(
            {"type": "scatter", "x": x[[0, -1]], "y": best * 2, "mode": "lines", "name": "J* of the optimum",
             "line": theme.line(view.palette.optimum, "longdash"), "hovertemplate": "J* %{y:.2f}<extra></extra>"}
        )  # fmt: skip
    fig = theme.figure(
        view.palette,
        x="PPO step",
        y="mean over prompts [reward units]",
        data=data,
        xaxis={"range": [0, x[-1]]},
        yaxis={"range": [low - 0.04 * (high - low), high + 0.06 * (high - low)]},
        height=340,
    )
    return Chart(
        fig,
        f"Lines over PPO steps: reward, beta times KL, and J{', with the optimum J*' if optimum else ''}.",
        view.timeline.ppo_steps,
        grows=dict.fromkeys((3, 4, 5), x + 1),
        question="How far does PPO climb the objective J?",
        title=f"J {moves(ppo.objective[0], ppo.objective[-1])} in {plural(view.timeline.n_steps, 'step')}",
        guide="J is the reward minus its price, β times the KL.",
        reading=_curves_reading(view, optimum=optimum),
    )


def _curve_traces(view: View) -> list[dict[str, Any]]:
    """Three ghosts, and the same three curves to be played."""
    ppo, palette = view.run.ppo, view.palette
    curves = (
        ("reward", ppo.reward, theme.line(palette.reward)),
        ("β × KL", view.run.settings.beta * ppo.kl, theme.line(palette.kl, "dash")),
        ("J", ppo.objective, {"color": palette.ink, "width": 2.5, "dash": "dot"}),
    )
    shared = {"type": "scatter", "mode": "lines", "x": np.arange(len(ppo.reward))}
    ghosts = [
        {**shared, "y": y, "line": theme.ghost(palette, line["dash"]), "hoverinfo": "skip", "showlegend": False}
        for _, y, line in curves
    ]
    return ghosts + [
        {**shared, "y": y, "line": line, "name": label,
         "hovertemplate": f"step %{{x}}: {label} %{{y:.2f}}<extra></extra>"}
        for label, y, line in curves
    ]  # fmt: skip


def _curves_reading(view: View, *, optimum: bool) -> str:
    ppo, beta = view.run.ppo, view.run.settings.beta
    text = (
        f"At the end that is the solid line, {number(ppo.reward[-1])}, minus the dashed one, "
        f"{number(beta * ppo.kl[-1])}."
    )
    if optimum:
        best = view.run.optimum
        text += (
            f" No policy gets above J* = {number(best.objective)}; {number(best.objective - ppo.objective[-1])} of it "
            f"is left to gain. To people the optimum is worth {number(best.true_reward)}, PPO’s policy at the end "
            f"{number(ppo.true_reward[-1])}."
        )
    return text


def entropy_and_clipping(view: View) -> Chart:
    """Policy entropy, and the share of token gradients that clipping cut, over the PPO steps."""
    ppo = view.run.ppo
    x = np.arange(len(ppo.entropy))
    most = float(ppo.clip_fraction.max())
    fig = theme.figure(
        view.palette,
        x="PPO step",
        y="entropy [nats]",
        data=_entropy_traces(view),
        xaxis={"range": [0, 1.02 * x[-1]], "anchor": "y2"},
        yaxis={"domain": [0.5, 1], "range": [0, 1.1 * float(ppo.entropy.max())]},
        yaxis2={"domain": [0, 0.36], "range": [0, 1.15 * most or 0.1], "tickformat": ".0%", "fixedrange": True,
                "title": {"text": "clipped [share]"}, "nticks": 4},
        showlegend=False,
        height=340,
    )  # fmt: skip
    n_responses = len(view.responses)
    return Chart(
        fig,
        "Two lines over PPO steps: policy entropy above, share of clipped token gradients below.",
        view.timeline.ppo_steps,
        grows={2: x + 1, 3: x},
        title=_entropy_title(view),
        question="How decided does the policy become?",
        guide=f"At 0 nats the policy would always give the same answer; log {n_responses} = "
        f"{number(np.log(n_responses))} is pure chance.",
        reading=f"Clipping cut at most {most:.1%} of a step’s token gradients.",
    )


def _entropy_traces(view: View) -> list[dict[str, Any]]:
    """Two ghosts, and the same two curves to be played."""
    ppo, palette = view.run.ppo, view.palette
    x = np.arange(len(ppo.entropy))
    upper = {"type": "scatter", "x": x, "y": ppo.entropy, "mode": "lines"}
    lower = {"type": "scatter", "x": x[1:], "y": ppo.clip_fraction[1:], "mode": "lines+markers", "yaxis": "y2"}
    quiet = {"hoverinfo": "skip", "line": theme.ghost(palette)}
    return [
        {**upper, **quiet},
        {**lower, **quiet, "marker": {"color": palette.ghost, "size": 5}},
        {**upper, "line": theme.line(palette.policy), "hovertemplate": "step %{x}: %{y:.2f} nats<extra></extra>"},
        {**lower, "line": {"color": palette.ink, "width": 2}, "marker": {"color": palette.ink, "size": 6},
         "hovertemplate": "step %{x}: %{y:.1%} of token gradients cut<extra></extra>"},
    ]  # fmt: skip


def _entropy_title(view: View) -> str:
    return f"Entropy {moves(*view.run.ppo.entropy[[0, -1]])} nats"
