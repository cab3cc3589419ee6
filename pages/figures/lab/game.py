"""The stopping game's charts: what a trainer logs up to a step, and the truth once the reader has stopped."""

from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.panel import Panel
from pages.drawing.theme import Palette
from rlhf_core import PipelineRun

LOGGED = (
    ("reward", "reward", "reward [units]", 1.0),
    ("kl", "kl", "KL [nats]", 1.0),
    ("entropy", "policy", "entropy [nats]", 4.0),
    ("clip_fraction", "reference", "clip fraction", 0.2),
)
"""Figure, colour, axis, and how far the axis reaches at least."""


def logged(run: PipelineRun, step: int, palette: Palette) -> Panel:
    """Four charts of what a trainer logs, up to the step reached; no axis tells what is still to come."""
    data, axes = [], {}
    for i, (name, role, title, least) in enumerate(LOGGED):
        place = str(i + 1) if i else ""
        seen = getattr(run.ppo, name)[: step + 1]
        data.append(
            {
                "type": "scatter", "x": np.arange(step + 1), "y": seen, "mode": "lines+markers",
                "xaxis": f"x{place}", "yaxis": f"y{place}", "line": theme.line(getattr(palette, role)),
                "marker": {"size": 5}, "showlegend": False, "hovertemplate": "step %{x}: %{y:.2f}<extra></extra>",
            }
        )  # fmt: skip
        across = [-0.5, run.settings.ppo_steps + 0.5]
        axes[f"xaxis{place}"] = {"range": across, "fixedrange": True, "title": {"text": "PPO step"}}
        whole = [min(0.0, 1.1 * float(seen.min())), max(least, 1.1 * float(seen.max()))]
        axes[f"yaxis{place}"] = {"title": {"text": title}, "fixedrange": True, "range": whole}
    grid = {"rows": 2, "columns": 2, "pattern": "independent", "xgap": 0.3, "ygap": 0.4}
    drawing = theme.figure(palette, x="", y="", data=data, grid=grid, height=400, **axes)
    title = f"What a trainer has logged up to step {step}"
    return Panel(title, drawing, f"Reward, KL, entropy and clip fraction up to step {step}.")


def truth(run: PipelineRun, step: int, palette: Palette) -> Panel:
    """True reward over all steps, with the step at which the reader has stopped and the best one."""
    curve = run.ppo.true_reward
    best = int(curve.argmax())
    line: dict[str, Any] = {
        "type": "scatter", "x": np.arange(len(curve)), "y": curve, "mode": "lines", "name": "true reward",
        "line": theme.line(palette.true_reward), "hovertemplate": "step %{x}: %{y:.2f}<extra></extra>",
    }  # fmt: skip
    stopped = {"color": palette.policy.mark, "size": 12, "symbol": "diamond"}
    star = {"color": palette.true_reward.mark, "size": 13, "symbol": "star"}
    marks = [
        {"type": "scatter", "x": [at], "y": [curve[at]], "mode": "markers", "name": name, "marker": marker,
         "hoverinfo": "skip"}
        for at, name, marker in ((step, "you stopped", stopped), (best, "the best step", star))
    ]  # fmt: skip
    drawing = theme.figure(palette, x="PPO step", y="true reward [own units]", data=[line, *marks], height=300)
    alt = f"True reward over all steps; you stopped at step {step}, the best was {best}."
    return Panel("True reward, and where you stopped", drawing, alt)
