"""Does it arrive? Where each way of placing penalty and advantage ends, against the closed-form optimum."""

from collections.abc import Iterator

import numpy as np

from pages.drawing import theme
from pages.drawing.theme import Palette
from pages.figures.lab.experiment import Experiment, Panel, number, options
from rlhf_core import Settings
from rlhf_core.lab.convergence import ARRIVED, VARIANTS, Arrival, arrival_pieces
from rlhf_core.lab.work import Progress
from rlhf_core.lab.worlds import before_ppo

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "9px,3px,3px,3px,3px,3px")
ROLES = ("policy", "policy", "kl", "reward", "optimum", "reference", "labellers")
AT_ZERO = 1.0
"""Penalty taken where yours is 0, at which there is no finite optimum."""
LEAST = 0.3
"""Smallest penalty taken: below it, rare answers make plain gradient steps too slow to tell who arrives."""


def beta_of(settings: Settings) -> float:
    """Penalty of the experiment."""
    return max(settings.beta, LEAST) if settings.beta else AT_ZERO


def _pieces(settings: Settings, n_seeds: int) -> Iterator[Progress[Arrival]]:
    return arrival_pieces(before_ppo(settings, settings.seed), beta=beta_of(settings))


def _charts(found: Arrival, palette: Palette) -> list[Panel]:
    data = [
        {
            "type": "scatter", "x": found.steps, "y": np.maximum(found.to_optimum[v], 1e-5), "mode": "lines",
            "name": variant.label, "line": {"color": getattr(palette, ROLES[v]).mark, "width": 2.4, "dash": DASHES[v]},
            "hovertemplate": "step %{x}: %{y:.4f} nats<extra></extra>",
        }
        for v, variant in enumerate(VARIANTS)
    ]  # fmt: skip
    figure = theme.figure(
        palette, x="exact gradient steps", y="KL(π ‖ π*) [nats]", data=data, height=430,
        yaxis={"type": "log", "range": [-4.5, 1], "tickvals": [1e-4, 1e-3, 1e-2, 1e-1, 1, 10],
               "ticktext": ["0.0001", "0.001", "0.01", "0.1", "1", "10"]},
    )  # fmt: skip
    alt = "Distance of every variant from the closed-form optimum over gradient steps, logarithmic."
    return [Panel(f"Distance to the optimum for β = {found.beta:g}", figure, alt)]


def _finding(found: Arrival) -> str:
    done = np.isfinite(found.to_optimum[:, -1])
    there: list[str] = []
    near: list[str] = []
    elsewhere: list[str] = []
    for v in np.flatnonzero(done):
        name, end = VARIANTS[v].label, f" ({found.to_optimum[v, -1]:.3f} nats away)"
        if found.arrived[v]:
            there.append(name)
        else:
            (near if found.on_its_way[v] else elsewhere).append(name + end)
    said = [f"Within {ARRIVED:g} nats of π* at β = {found.beta:g}: {'; '.join(there) or 'none'}."]
    said += [f"Still coming nearer after {found.steps[-1]:,} steps: {'; '.join(near)}."] if near else []
    said += [f"Elsewhere: {'; '.join(elsewhere)}."] if elsewhere else []
    return " ".join(said) + ("" if done.all() else " The others are still on their way.")


def ends(found: Arrival) -> list[dict[str, object]]:
    """Where each variant ends."""
    return [
        {
            "variant": variant.label, "KL(π ‖ π*) at the end [nats]": f"{row[-1]:.4f}",
            "KL(π ‖ π_ref) [nats]": f"{number(kl[-1])} (π*: {number(found.optimum_kl)})",
            "arrives": "yes" if there else "still nearing" if near else "no",
        }
        for variant, row, kl, there, near in zip(
            VARIANTS, found.to_optimum, found.kl, found.arrived, found.on_its_way, strict=True
        )
        if np.isfinite(row[-1])
    ]  # fmt: skip


def reasons(found: Arrival) -> str:
    """Why each variant ends where it does, as a Markdown list."""
    there = np.isfinite(found.to_optimum[:, -1])
    return "\n".join(
        f"- **{variant.label}:** {variant.reason}." for variant, known in zip(VARIANTS, there, strict=True) if known
    )


def _table(found: Arrival) -> list[dict[str, object]]:
    return [
        {"variant": variant.name, "step": int(step), "to_optimum": float(found.to_optimum[v, n]),
         "kl": float(found.kl[v, n]), "entropy": float(found.entropy[v, n])}
        for v, variant in enumerate(VARIANTS)
        for n, step in enumerate(found.steps)
        if np.isfinite(found.kl[v, n])
    ]  # fmt: skip


def _call(settings: Settings, n_seeds: int) -> str:
    return f"rlhf_core.lab.arrival(run_pipeline(Settings({options(settings)})), beta={beta_of(settings):g})"


EXPERIMENT = Experiment(
    name="arrives",
    title="Does it arrive?",
    question="The objective has an optimum in closed form, π* ∝ π_ref exp(r/β). With exact expectations instead of "
    "samples and many small steps, which variants climb to it, and which to something else? β is yours, but at least "
    "0.3.",
    pieces=_pieces,
    unit="gradient steps",
    charts=_charts,
    finding=_finding,
    practice="Where the penalty stands is not a detail: k3 in the loss (as GRPO has it) optimises another objective "
    "than the penalty in the reward, and k1 in the loss none. A β from one method cannot be carried to another.",
    table=_table,
    call=_call,
    seeds=(1,),
)
