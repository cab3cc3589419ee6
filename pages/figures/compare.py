"""A pinned run beside the run on screen."""

import numpy as np
from plotly.subplots import make_subplots

from pages.figures import theme
from pages.figures.chart import Chart
from pages.figures.view import View
from rlhf_core import PipelineRun, Settings
from rlhf_core.settings import CONTROLS

PANELS = (
    ("reward", "reward", "reward [reward units]"),
    ("true_reward", "true_reward", "true reward [its own units]"),
    ("kl", "kl", "KL [nats]"),
    ("entropy", "policy", "entropy [nats]"),
)


def pinned_and_current(view: View) -> Chart:
    """Four curves of PPO: the pinned run dashed, the run on screen solid."""
    pinned, ppo, palette = view.pinned, view.run.ppo, view.palette
    assert pinned is not None, "drawn only while a run is pinned"
    steps, pinned_steps = np.arange(len(ppo.reward)), np.arange(len(pinned.ppo.reward))
    fig = make_subplots(rows=2, cols=2, horizontal_spacing=0.12, vertical_spacing=0.2)
    grows: dict[int, list[int]] = {}
    for i, (name, role, title) in enumerate(PANELS):
        row, col = divmod(i, 2)
        at = {"row": row + 1, "col": col + 1}
        hue, current = getattr(palette, role), getattr(ppo, name)
        hover = f"step %{{x}}: %{{y:.2f}}<extra>{{}} {title.split(' [')[0]}</extra>"
        fig.add_scatter(
            x=pinned_steps, y=getattr(pinned.ppo, name), mode="lines", line=theme.line(palette.reference, "dash"),
            name="pinned run", showlegend=i == 0, hovertemplate=hover.replace("{}", "pinned"), **at,
        )  # fmt: skip
        fig.add_scatter(x=steps, y=current, mode="lines", line=theme.ghost(palette), hoverinfo="skip",
                        showlegend=False, **at)  # fmt: skip
        fig.add_scatter(
            x=steps, y=current, mode="lines", line=theme.line(hue), name="this run", showlegend=i == 0,
            hovertemplate=hover.replace("{}", "this run's"), **at,
        )  # fmt: skip
        grows[3 * i + 2] = [step + 1 for step in steps]
        fig.update_yaxes(title_text=title, fixedrange=True, **at)
        fig.update_xaxes(title_text="PPO step" if row else "", fixedrange=True, **at)
    fig.update_layout(template=theme.template(palette), height=520)
    return Chart(
        fig,
        "Reward, true reward, KL and entropy over PPO steps, of the pinned run (dashed) and of this run (solid).",
        view.timeline.ppo_steps,
        grows=grows,
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
        f"Changed: {differences(pinned.settings, current.settings)}. At the end reward {then.reward[-1]:.2f} → "
        f"{now.reward[-1]:.2f}, true reward {then.true_reward[-1]:.2f} → {now.true_reward[-1]:.2f}, "
        f"KL {then.kl[-1]:.2f} → {now.kl[-1]:.2f} nats."
    )
