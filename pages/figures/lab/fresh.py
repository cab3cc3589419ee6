"""Fresh labels: the same number of comparisons, spent at once or in rounds on what the newer policy writes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.theme import Hue, Palette
from pages.drawing.wording import plural
from pages.figures.lab.experiment import Experiment, Panel, changed, differs, mean, number, seeds_of
from rlhf_core import Settings
from rlhf_core.lab.rounds import LEAST_PAIRS, N_ROUNDS, Rounds, rounds_pieces
from rlhf_core.lab.work import Progress

LABELLERS = ("your labellers", "labellers without bias")


def _bars(found: Sequence[Rounds], name: str, hue: Hue, ink: str) -> list[dict[str, Any]]:
    """A bar for each number of rounds, with two standard errors; hatched for labellers without bias."""
    return [
        {
            "type": "bar", "x": [plural(n, "round") for n in each.n_rounds], "y": centre, "name": LABELLERS[i],
            "marker": {"color": hue.mark, "pattern": {"shape": "/" if i else ""}},
            "error_y": {"type": "data", "array": 2 * error, "thickness": 1.5, "width": 5, "color": ink},
            "hovertemplate": f"{LABELLERS[i]}, %{{x}}: %{{y:.2f}}<extra></extra>",
        }
        for i, each in enumerate(found)
        for centre, error in [mean(getattr(each, name))]
    ]  # fmt: skip


def _charts(found: Sequence[Rounds], palette: Palette) -> list[Panel]:
    names, start = [plural(n, "round") for n in found[0].n_rounds], found[0].sft_true_reward.mean()
    sft = {
        "type": "scatter", "x": names, "y": np.full(len(names), start), "mode": "lines", "name": "SFT policy",
        "line": theme.line(palette.reference, "longdash"), "hovertemplate": "SFT policy %{y:.2f}<extra></extra>",
    }  # fmt: skip
    truth = theme.figure(
        palette, x="the labels spent in", y="true reward [own units]", height=340, barmode="group",
        data=[*_bars(found, "true_reward", palette.true_reward, palette.ink), sft],
    )  # fmt: skip
    alike = theme.figure(
        palette, x="the labels spent in", y="correlation [−1 to 1]", height=340, barmode="group",
        data=_bars(found, "correlation", palette.reward, palette.ink),
    )  # fmt: skip
    beside = "True reward after PPO by number of rounds, beside the SFT policy."
    follows = "Correlation of reward and true reward among the last policy's answers, by number of rounds."
    return [
        Panel("True reward after the last round", truth, beside),
        Panel("Does reward follow true reward where the last policy writes?", alike, follows),
    ]


def _finding(found: Sequence[Rounds]) -> str:
    told = " ".join(_sentence(each, name) for each, name in zip(found, LABELLERS, strict=False))
    return f"{told} The SFT policy has {number(found[0].sft_true_reward.mean())}; {seeds_of(len(found[0].seeds))}."


def _sentence(found: Rounds, labellers: str) -> str:
    truth = mean(found.true_reward)
    best, many = int(truth.value.argmax()), plural(int(found.n_rounds[-1]), "round")
    verdict = {
        1: f"{many} end clearly better than one round of as many labels",
        -1: f"{many} end clearly worse than one round of as many labels",
        0: f"whether {many} end better than one round of as many labels is not clear",
    }[differs(found.true_reward[-1], found.true_reward[0])]
    listed = ", ".join(
        f"{number(value, error)} in {plural(int(n), 'round')}"
        for n, value, error in zip(found.n_rounds, truth.value, truth.error, strict=True)
    )
    if len(found.n_rounds) == 1:
        return f"With {labellers}, true reward is {listed}; so few labels are not enough for more."
    highest = plural(int(found.n_rounds[best]), "round")
    return f"With {labellers}, {verdict}: true reward {listed}. Highest here: {highest}."


def _table(found: Sequence[Rounds]) -> list[dict[str, object]]:
    names = ("reward", "true_reward", "labeller_reward", "kl", "correlation")
    return [
        {"labellers": who, "rounds": int(n), "seed": int(seed),
         **{name: float(getattr(each, name)[i, s]) for name in names}}
        for each, who in zip(found, LABELLERS, strict=False)
        for i, n in enumerate(each.n_rounds)
        for s, seed in enumerate(each.seeds)
    ]  # fmt: skip


def _biases(settings: Settings) -> tuple[float, ...]:
    """The reader's, and none."""
    return tuple(dict.fromkeys((settings.labeller_bias, 0.0)))


def _pieces(settings: Settings, n_seeds: int) -> Iterator[Progress[Sequence[Rounds]]]:
    done: tuple[Rounds, ...] = ()
    biases = _biases(settings)
    for i, bias in enumerate(biases):
        asked, last = replace(settings, labeller_bias=bias), None
        for piece in rounds_pieces(asked, n_rounds=_affordable(settings), seeds=range(n_seeds)):
            last = piece.result
            known = done if last is None else (*done, last)
            yield Progress(i * piece.total + piece.done, len(biases) * piece.total, known)
        done = done if last is None else (*done, last)


def _affordable(settings: Settings) -> list[int]:
    """Numbers of rounds for which the labels suffice."""
    most = settings.n_comparisons // LEAST_PAIRS
    return [n for n in N_ROUNDS if n <= most]


def _call(settings: Settings, n_seeds: int) -> str:
    fewer = _affordable(settings)
    rounds = "" if fewer == list(N_ROUNDS) else f"n_rounds={fewer}, "
    asked = ", ".join(filter(None, (changed(settings, "labeller_bias"), "labeller_bias=bias")))
    run = f"rlhf_core.lab.rounds(Settings({asked}), {rounds}seeds=range({n_seeds}))"
    return f"[{run} for bias in {_biases(settings)}]"


EXPERIMENT = Experiment(
    name="fresh-labels",
    title="Fresh labels",
    question="A reward model is right where it was trained, and PPO leaves that place. So label what the newer policy "
    "writes, fit again, and optimise again from the SFT policy: one, two or four rounds, with the same number of "
    "labels in all. β, steps, noise and bias are yours; beside your labellers stand some without bias.",
    pieces=_pieces,
    unit="rounds of PPO",
    charts=_charts,
    finding=_finding,
    practice="Fresh comparisons can repair what a reward model has not seen; they repair less, or nothing, where "
    "labellers are drawn to the wrong thing. Keep part of the labelling budget for answers of the policy that you have "
    "just trained.",
    table=_table,
    call=_call,
    sharper={"beta": 0.05, "ppo_steps": 60},
)
