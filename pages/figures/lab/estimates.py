"""Which estimate? Bias and spread of advantage baselines and of the three KL estimates, exactly."""

from collections.abc import Iterator

import numpy as np

from pages.drawing import theme
from pages.drawing.theme import Palette
from pages.figures.lab.experiment import Experiment, Panel, options
from rlhf_core import Settings, run_pipeline
from rlhf_core.lab.estimators import BASELINES, ESTIMATES, GROUPS, PLACES, Estimates, estimates_pieces
from rlhf_core.lab.work import Progress

ROLES = dict(zip(BASELINES, ("reference", "policy", "kl", "true_reward"), strict=True))
DASHES = dict(zip(BASELINES, ("dot", "solid", "dash", "dashdot"), strict=True))


def _pieces(settings: Settings, n_seeds: int) -> Iterator[Progress[Estimates]]:
    return estimates_pieces(run_pipeline(settings))


def _charts(found: Estimates, palette: Palette) -> list[Panel]:
    places = np.arange(len(GROUPS))
    lines = [
        {
            "type": "scatter", "x": places, "y": found.spread[name], "mode": "lines+markers", "name": name,
            "line": {"color": getattr(palette, ROLES[name]).mark, "width": 2.4, "dash": DASHES[name]},
            "hovertemplate": f"{name}, group of %{{text}}: %{{y:.2f}}<extra></extra>", "text": [str(g) for g in GROUPS],
        }
        for name in BASELINES
    ]  # fmt: skip
    spread = theme.figure(
        palette, x="rollouts per prompt", y="spread [lengths of the gradient]", data=lines, height=340,
        xaxis={"tickvals": places, "ticktext": [str(group) for group in GROUPS]},
        yaxis={"type": "log", "tickvals": [0.25, 0.5, 1, 2, 4, 8, 16]},
    )  # fmt: skip
    bars = [
        {
            "type": "bar", "name": f"in the {place}", "x": list(ESTIMATES),
            "y": [found.kl[estimate, place].bias for estimate in ESTIMATES],
            "marker": {"color": getattr(palette, role).mark, "pattern": {"shape": shape}},
            "hovertemplate": f"%{{x}} in the {place}: %{{y:.2f}}<extra></extra>",
        }
        for place, role, shape in zip(PLACES, ("reward", "kl"), ("", "/"), strict=True)
    ]  # fmt: skip
    biased = theme.figure(
        palette, x="estimate", y="bias [lengths of the gradient]", data=bars, height=340, barmode="group"
    )
    return [
        Panel("How noisy the policy gradient is", spread, "Spread of the gradient against the group size."),
        Panel("How wrong the KL’s gradient is", biased, "Bias of the KL's gradient by estimate and place."),
    ]


def _finding(found: Estimates) -> str:
    at = GROUPS.index(32)
    spread = {name: float(found.spread[name][at]) for name in BASELINES}
    calm = min(spread, key=lambda name: spread[name])
    return (
        f"After step {found.step}, with 32 rollouts, the gradient’s spread is {spread['none']:.2f} times its length "
        f"without a baseline, {spread['group mean']:.2f} with the group’s mean, {spread['leave-one-out']:.2f} leaving "
        f"one out, {spread['value']:.2f} with the exact value; least with {calm}. The group’s mean alone is biased, by "
        f"1/G: it only shortens the step. {_of_kl(found)} Medians over the prompts."
    )


def _of_kl(found: Estimates) -> str:
    """Which estimates have the KL's gradient, if it has one."""
    k1, k3 = found.kl["k1", "loss"].bias, found.kl["k3", "loss"].bias
    if k1 < 0.5:  # it misses all there is: 1, or 0 where there is nothing
        return "The policy stands at the reference, where the KL’s gradient is 0, as is every estimate’s."
    erring = f"{k3:.0%}" if k3 < 10 else f"{k3:,.0f} times that gradient’s length"
    right = [f"{e} in the {p}" for (e, p), quality in found.kl.items() if quality.bias < 1e-6]
    return (
        f"Of the KL’s estimates {' and '.join(right)} have its gradient; k1 in the loss misses all of it ({k1:.0%}), "
        f"k3 in the loss errs by {erring}."
    )


def _table(found: Estimates) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [
        {"what": "baseline", "name": name, "group": group, "bias": float(found.bias[name][g]),
         "spread": float(found.spread[name][g])}
        for name in BASELINES
        for g, group in enumerate(GROUPS)
    ]  # fmt: skip
    return rows + [
        {"what": f"KL in the {place}", "name": estimate, "group": 1, "bias": quality.bias, "spread": quality.deviation}
        for (estimate, place), quality in found.kl.items()
    ]


def _call(settings: Settings, n_seeds: int) -> str:
    return f"rlhf_core.lab.estimates(run_pipeline(Settings({options(settings)})))"


EXPERIMENT = Experiment(
    name="estimates",
    title="Which estimate?",
    question="A baseline should make the policy gradient calmer without bending it, and a KL estimate should have the "
    "KL’s gradient, not only its value. Both can be checked here exactly, by counting all answers, for the policy in "
    "the middle of your run.",
    pieces=_pieces,
    unit="prompts",
    charts=_charts,
    finding=_finding,
    practice="Put k1 in the reward, or k2 in the loss, if you want the KL’s own gradient. More rollouts per prompt "
    "calm the gradient as the root of their number, whatever the baseline.",
    table=_table,
    call=_call,
    seeds=(1,),
)
