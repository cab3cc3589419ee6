"""The six metrics over the whole pipeline, as small multiples."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pages.drawing import stages
from pages.drawing.chart import Chart
from pages.drawing.labels import Level, Room, on_levels
from pages.drawing.marks import Curve, level, padded
from pages.drawing.theme import Hue
from pages.drawing.view import View
from pages.drawing.wording import interval, minus, plural
from rlhf_core.timeline import METRICS, PHASES

SMALL, PLOT = 190, (170.0, 105.0)
"""Pixels: height of a chart, width and height of its plot where three stand side by side."""
SPECS = {spec.key: spec for spec in METRICS}


def phase(view: View) -> Chart:
    """The stage that runs, over the whole pipeline."""
    names = list(PHASES.values())
    values = np.array([names.index(_frame(view, i).metrics.phase) for i in stages.stops(view.timeline).frames], float)
    settings = view.run.settings
    return _small(
        view, "phase", values, Hue(view.palette.ink, view.palette.ink), y="", hover="%{customdata}",
        labels=[names[int(value)] for value in values],
        title="Phase: which stage runs",
        reading=f"{plural(settings.sft_epochs, 'epoch')} of SFT, {settings.rm_epochs} of the reward model, "
        f"{plural(settings.ppo_steps, 'PPO step')}. The bands are equally wide whatever these counts.",
        axis={"tickvals": list(range(len(names))), "ticktext": ["Idle", "SFT", "RM", "PPO", "Done"]},
        bounds=[-0.4, 4.4], shape="hv",
    )  # fmt: skip


def ppo_step(view: View) -> Chart:
    """PPO steps done, over the whole pipeline."""
    values, settings = _values(view, "ppo_step"), view.run.settings
    per_step = settings.rollouts * len(view.run.scenario.prompts)
    sampled = f"{per_step} new answers" if per_step else "every answer, weighted by its probability"
    return _small(
        view, "ppo_step", values, view.palette.policy, y="PPO steps done", hover="step %{y}",
        title=f"PPO step: {plural(settings.ppo_steps, 'update')}",
        reading=f"Each step samples ({sampled}), scores, and takes {plural(settings.ppo_epochs, 'gradient step')} on "
        "that batch.",
        bounds=[0, 1.1 * settings.ppo_steps],
    )  # fmt: skip


def reward(view: View) -> Chart:
    """The policy's expected score, over the whole pipeline."""
    values = _values(view, "reward")
    return _small(
        view, "reward", values, view.palette.reward, y="reward [reward units]", hover="%{y:.2f} reward units",
        question="Avg reward: how far does it get?", title=f"Avg reward: from 0 to {minus(values[-1])}",
        guide="The score of the reward model, without the penalty. 0 is what the SFT policy earns, 1 the spread of "
        "its answers; rewards have no zero and no unit of their own.",
    )  # fmt: skip


def kl(view: View) -> Chart:
    """The policy's distance from the reference, beside what the optimum for this beta would spend."""
    values, optimum = _values(view, "kl"), view.run.optimum.kl
    return _small(
        view, "kl", values, view.palette.kl, y="KL [nats]", hover="%{y:.2f} nats",
        question="KL divergence: how far from the SFT policy?",
        title=f"KL divergence: {minus(values[-1])} nats from the SFT policy",
        guide="Exact, for whole answers.",
        reading=f"The optimum for β = {view.run.settings.beta:g} (dotted) spends "
        f"{minus(optimum)} nats{_on_the_way(float(values[-1]), optimum)}.",
        lines=((optimum, "optimum", view.palette.optimum),),
    )  # fmt: skip


def _on_the_way(spent: float, optimum: float) -> str:
    """Whether PPO has yet to spend what the optimum spends."""
    if spent > optimum:
        return "; PPO has gone further than that price is worth"
    return "; PPO heads there, and how far it gets depends on the steps"


def rm_accuracy(view: View) -> Chart:
    """Accuracy of the reward model on held-out pairs, between chance and the labellers' own noise."""
    values, pairs = _values(view, "rm_accuracy"), view.run.reward.pairs
    n_pairs = int(pairs.heldout.sum())
    return _small(
        view, "rm_accuracy", values, view.palette.reward, y="held-out accuracy", hover="%{y:.0%} of held-out pairs",
        question="RM accuracy: how often is it right?", told_at="rm",
        title=f"RM accuracy: {values[-1]:.0%} of held-out pairs",
        guide="On pairs about prompts it never saw. A coin gets 50%.",
        reading=f"On {n_pairs} such pairs ({interval(float(values[-1]), n_pairs)}). Who knew the labellers' judgement "
        f"could expect {pairs.ceiling:.0%}, for labellers err.",
        lines=((0.5, "coin", view.palette.reference), (pairs.ceiling, "who knew", view.palette.labellers)),
        axis={"tickformat": ".0%"},
    )  # fmt: skip


def entropy(view: View) -> Chart:
    """Entropy of the policy, over the whole pipeline."""
    values, n_responses = _values(view, "entropy"), view.run.scenario.true_reward.shape[1]
    return _small(
        view, "entropy", values, view.palette.policy, y="entropy [nats]", hover="%{y:.2f} nats",
        question="Policy entropy: how much choice is left?",
        title=f"Policy entropy: {minus(values[-1])} nats left",
        guide="exp(entropy) is the number of equally likely answers it amounts to.",
        reading=f"{np.exp(view.run.ppo.entropy[0]):.0f} for the SFT policy, {np.exp(values[-1]):.1f} at the end, of "
        f"{n_responses}.",
        lines=((np.log(2), "two answers", view.palette.reference),),
        bounds=[0, 1.12 * np.log(n_responses)],
    )  # fmt: skip


def _frame(view: View, index: int) -> Any:
    return view.timeline.frames[index]


def _values(view: View, key: str) -> np.ndarray:
    """One metric at every stop of the timeline, as the tiles show it; NaN before it exists."""
    stops = stages.stops(view.timeline).frames
    return np.array([np.nan if (v := getattr(_frame(view, i).metrics, key)) is None else v for i in stops], float)


def _small(
    view: View, key: str, values: np.ndarray, hue: Hue, *, y: str, hover: str, title: str, guide: str = "",
    reading: str = "", question: str = "", told_at: str = "done",
    lines: Sequence[tuple[float, str, Hue]] = (), axis: dict[str, Any] | None = None,
    bounds: Sequence[float] | None = None, labels: Sequence[str] = (), shape: str = "linear",
) -> Chart:  # fmt: skip
    """One small multiple: a metric at every stop, its ghost, and levels to compare it with."""
    stops = stages.stops(view.timeline)
    exists = np.isfinite(values)
    first = int(exists.argmax())
    x, values = stops.x[exists], values[exists]
    curve = Curve(x, values, hue, "solid", key)
    ghost, played = curve.ghost(view.palette), curve.played("")
    ghost["line"], played["line"] = ghost["line"] | {"shape": shape}, played["line"] | {"shape": shape}
    played |= {"hovertemplate": f"{hover}<extra></extra>"} | ({"customdata": labels} if labels else {})
    span = list(bounds or padded(np.concatenate([values, [value for value, *_ in lines]]), 0.2))
    room = Room(stages.SPAN, span, PLOT).draw(x, values)
    fig = stages.banded(
        view,
        y=y,
        data=[ghost, played, curve.head()],
        short=True,
        shapes=[level(value, of) for value, _, of in lines],
        annotations=on_levels(room, [Level(value, words, of.text) for value, words, of in lines], view.palette.ground),
        yaxis={"range": span, "nticks": 5, **(axis or {})},
        height=SMALL,
    )
    shown = np.arange(len(exists)) - first  # -1 and below: not yet produced
    at = shown.clip(0, len(values) - 1)
    return Chart(
        fig,
        f"{SPECS[key].label} over the pipeline: {SPECS[key].definition}",
        stops.latest,
        moves={2: {key: np.where(shown >= 0, of[at], np.nan)[:, None] for key, of in (("x", x), ("y", values))}},
        grows={1: (shown + 1).clip(0)},
        title=title,
        guide=guide,
        reading=reading,
        question=question,
        told_at=told_at,
    )
