"""A pinned run beside the run on screen."""

from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.chart import Chart
from pages.drawing.view import View
from pages.drawing.wording import minus
from rlhf_core import PipelineRun, Settings
from rlhf_core.settings import CONTROLS

PANELS = (
    ("reward", "reward", "reward [reward units]"),
    ("true_reward", "true_reward", "true reward [its own units]"),
    ("kl", "kl", "KL [nats]"),
    ("entropy", "policy", "entropy [nats]"),
)
COLUMNS = 2
GRID = {"rows": len(PANELS) // COLUMNS, "columns": COLUMNS, "pattern": "independent", "xgap": 0.24, "ygap": 0.4}


def pinned_and_current(view: View) -> Chart:
    """Four curves of PPO: the pinned run dashed, the run on screen solid."""
    pinned, ppo, palette = view.pinned, view.run.ppo, view.palette
    assert pinned is not None, "drawn only while a run is pinned"
    steps, pinned_steps = np.arange(len(ppo.reward)), np.arange(len(pinned.ppo.reward))
    data: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    for i, (name, role, title) in enumerate(PANELS):
        panel = str(i + 1) if i else ""
        line = {"type": "scatter", "mode": "lines", "xaxis": f"x{panel}", "yaxis": f"y{panel}", "showlegend": i == 0}
        then = {**line, "x": pinned_steps, "y": getattr(pinned.ppo, name)}
        now = {**line, "x": steps, "y": getattr(ppo, name)}
        hover = f"step %{{x}}: %{{y:.2f}}<extra>{{}} {title.split(' [')[0]}</extra>"
        data += [
            {**then, "name": "pinned run", "line": theme.line(palette.reference, "dash"),
             "hovertemplate": hover.replace("{}", "pinned")},
            {**now, "line": theme.ghost(palette), "hoverinfo": "skip", "showlegend": False},
            {**now, "name": "this run", "line": theme.line(getattr(palette, role)),
             "hovertemplate": hover.replace("{}", "this run's")},
        ]  # fmt: skip
        axes[f"xaxis{panel}"] = {"title": {"text": "PPO step" if i >= COLUMNS else ""}, "fixedrange": True}
        axes[f"yaxis{panel}"] = {"title": {"text": title}, "fixedrange": True}
    return Chart(
        theme.figure(palette, x="", y="", data=data, grid=GRID, height=520, **axes),
        "Reward, true reward, KL and entropy over PPO steps, of the pinned run (dashed) and of this run (solid).",
        view.timeline.ppo_steps,
        grows={3 * i + 2: steps + 1 for i in range(len(PANELS))},
        title="The pinned run, dashed, beside this one",
        reading=_reading(pinned, view.run),
    )


def differences(pinned: Settings, current: Settings) -> str:
    """What differs between two runs' settings, in words."""
    changed = [
        f"{CONTROLS[name].label} {getattr(pinned, name)} → {getattr(current, name)}"
        for name in CONTROLS
        if getattr(pinned, name) != getattr(current, name)
    ]
    return "; ".join(changed) or "nothing: it is the same run"


def _reading(pinned: PipelineRun, current: PipelineRun) -> str:
    then, now = pinned.ppo, current.ppo
    return (
        f"Changed: {differences(pinned.settings, current.settings)}. At the end reward {minus(then.reward[-1])} → "
        f"{minus(now.reward[-1])}, true reward {minus(then.true_reward[-1])} → {minus(now.true_reward[-1])}, "
        f"KL {minus(then.kl[-1])} → {minus(now.kl[-1])} nats."
    )
