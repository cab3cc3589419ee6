"""When would you have stopped? What simple rules reach of the best that was to be had."""

from functools import partial

import numpy as np

from pages.drawing import theme
from pages.drawing.theme import Palette
from pages.figures.lab.experiment import Experiment, Panel, changed, mean, over_seeds, seeds_of
from rlhf_core import Settings
from rlhf_core.lab.stopping import Stopping, stopping_pieces


def _charts(found: Stopping, palette: Palette) -> list[Panel]:
    steps = np.arange(found.true_reward.shape[1])
    curves = [
        {
            "type": "scatter", "x": steps, "y": curve, "mode": "lines", "line": {"color": palette.ghost, "width": 1.5},
            "hovertemplate": f"seed {seed}, step %{{x}}: %{{y:.2f}}<extra></extra>", "showlegend": False,
        }
        for seed, curve in zip(found.seeds, found.true_reward, strict=True)
    ]  # fmt: skip
    best = found.true_reward.argmax(axis=1)
    curves.append(
        {
            "type": "scatter", "x": best, "y": found.true_reward.max(axis=1), "mode": "markers", "name": "its best "
            "step",
            "marker": {"color": palette.true_reward.mark, "symbol": "star", "size": 11},
            "hovertemplate": "best at step %{x}: %{y:.2f}<extra></extra>",
        }
    )  # fmt: skip
    truth = theme.figure(palette, x="PPO step", y="true reward [own units]", data=curves, height=340)
    centre, error = mean(found.reached)
    bars = {
        "type": "bar", "x": 100 * centre, "y": list(found.rules), "orientation": "h",
        "marker": {"color": palette.policy.mark},
        "error_x": {"type": "data", "array": 200 * error, "thickness": 1.5, "color": palette.ink},
        "hovertemplate": "%{y}: %{x:.0f}% of the best gain<extra></extra>",
    }  # fmt: skip
    reached = theme.figure(palette, x="share of the best gain [%]", y="", data=[bars], height=340)
    hidden = "True reward over PPO steps for every seed, with its best step."
    shares = "Share of the best gain in true reward that each stopping rule reaches."
    return [
        Panel("True reward of every seed, which nobody sees while training", truth, hidden),
        Panel("What each rule reaches", reached, shares),
    ]


def _finding(found: Stopping) -> str:
    centre, error = mean(found.reached)
    listed = "; ".join(
        f"{rule}: {100 * value:.0f} ± {100 * e:.0f}% (stops at step {steps.mean():.0f} on average)".replace("-", "−")
        for rule, value, e, steps in zip(found.rules, centre, error, found.steps, strict=True)
    )
    most = [f"“{rule}”" for rule, value in zip(found.rules, centre, strict=True) if value > centre.max() - 0.005]
    told = f"{' and '.join(most)} {'reaches' if len(most) == 1 else 'reach'} most here"
    verdict = "All reach the same here, for none stops much before the end" if len(most) == len(found.rules) else told
    peak = found.true_reward.argmax(axis=1)
    where = f"between {peak.min()} and {peak.max()}" if np.ptp(peak) else f"at {peak[0]} in every seed"
    return (
        f"Of the best gain in true reward, over {seeds_of(len(found.seeds))}: {listed}. {verdict}. The best step lies "
        f"{where}, and nothing that a trainer logs names it."
    )


def _table(found: Stopping) -> list[dict[str, object]]:
    return [
        {"rule": rule, "seed": int(seed), "step": int(found.steps[r, s]), "reached": float(found.reached[r, s]),
         "best_step": int(found.true_reward[s].argmax())}
        for r, rule in enumerate(found.rules)
        for s, seed in enumerate(found.seeds)
    ]  # fmt: skip


def _call(settings: Settings, n_seeds: int) -> str:
    return f"rlhf_core.lab.stopping(Settings({changed(settings)}), seeds=range({n_seeds}))"


EXPERIMENT = Experiment(
    name="stopping",
    title="When would you have stopped?",
    question="You train with PPO and see what a trainer logs: reward, KL, entropy, clip fraction. True reward is "
    "hidden. Say when to stop, then see what you reached of the best, beside four simple rules on as many seeds.",
    pieces=partial(over_seeds, stopping_pieces),
    unit="runs",
    charts=_charts,
    finding=_finding,
    practice="No logged curve shows the turning point, because true reward is on none of them. A budget of KL, fixed "
    "beforehand and checked against fresh human judgements, is crude; waiting for the reward to flatten can cost "
    "nearly all that was gained, as in the helpfulness scenario without a penalty and with 60 steps.",
    table=_table,
    call=_call,
    seeds=(5, 20),
    sharper={"beta": 0.0, "ppo_steps": 60},
)
