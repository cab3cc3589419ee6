"""Fresh labels: the same number of comparisons, spent at once or in rounds on what the newer policy writes."""

from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.theme import Palette
from pages.figures.lab.experiment import Experiment, Panel, changed, differs, mean, number, seeds_of
from rlhf_core import Settings
from rlhf_core.lab.rounds import LEAST_PAIRS, N_ROUNDS, Rounds, rounds_pieces


def _bars(found: Rounds, values: np.ndarray, colour: str) -> list[dict[str, Any]]:
    centre, error = mean(values)
    return [
        {
            "type": "bar", "x": [f"{n} round{'s' if n > 1 else ''}" for n in found.n_rounds], "y": centre,
            "marker": {"color": colour}, "error_y": {"type": "data", "array": 2 * error, "thickness": 1.5, "width": 5},
            "hovertemplate": "%{x}: %{y:.2f}<extra></extra>", "showlegend": False,
        }
    ]  # fmt: skip


def _charts(found: Rounds, palette: Palette) -> list[Panel]:
    truth = theme.figure(
        palette, x="the labels spent in", y="true reward [own units]", height=320,
        data=[
            *_bars(found, found.true_reward, palette.true_reward.mark),
            {"type": "scatter", "x": [f"{n} round{'s' if n > 1 else ''}" for n in found.n_rounds], "mode": "lines",
             "y": np.full(len(found.n_rounds), found.sft_true_reward.mean()), "name": "SFT policy",
             "line": {"color": palette.reference.mark, "width": 2, "dash": "longdash"},
             "hovertemplate": "SFT policy %{y:.2f}<extra></extra>"},
        ],
    )  # fmt: skip
    alike = theme.figure(
        palette, x="the labels spent in", y="correlation [−1 to 1]", height=320,
        data=_bars(found, found.correlation, palette.reward.mark),
    )  # fmt: skip
    beside = "True reward after PPO by number of rounds, beside the SFT policy."
    follows = "Correlation of reward and true reward among the last policy's answers, by number of rounds."
    return [
        Panel("True reward after the last round", truth, beside),
        Panel("Does reward follow true reward where the last policy writes?", alike, follows),
    ]


def _finding(found: Rounds) -> str:
    truth = mean(found.true_reward)
    best = int(truth.value.argmax())
    many = f"{found.n_rounds[-1]} rounds"
    verdict = {
        1: f"{many} end clearly better than one round of as many labels",
        -1: f"{many} end clearly worse than one round of as many labels",
        0: f"whether {many} end better than one round of as many labels is not clear",
    }[differs(found.true_reward[-1], found.true_reward[0])]
    listed = ", ".join(
        f"{n}: {number(value, error)}" for n, value, error in zip(found.n_rounds, truth.value, truth.error, strict=True)
    )
    return (
        f"With {seeds_of(len(found.seeds))}, {verdict}. True reward by rounds, {listed}; the SFT policy has "
        f"{number(found.sft_true_reward.mean())}. Highest here: {found.n_rounds[best]} "
        f"round{'s' if found.n_rounds[best] > 1 else ''}."
    )


def _table(found: Rounds) -> list[dict[str, object]]:
    names = ("reward", "true_reward", "labeller_reward", "kl", "correlation")
    return [
        {"rounds": int(n), "seed": int(seed), **{name: float(getattr(found, name)[i, s]) for name in names}}
        for i, n in enumerate(found.n_rounds)
        for s, seed in enumerate(found.seeds)
    ]


def _pieces(settings: Settings, n_seeds: int) -> Any:
    return rounds_pieces(settings, n_rounds=_affordable(settings), seeds=range(n_seeds))


def _affordable(settings: Settings) -> list[int]:
    """Numbers of rounds for which the labels suffice."""
    most = settings.n_comparisons // LEAST_PAIRS
    return [n for n in N_ROUNDS if n <= most]


def _call(settings: Settings, n_seeds: int) -> str:
    fewer = _affordable(settings)
    rounds = "" if fewer == list(N_ROUNDS) else f"n_rounds={fewer}, "
    return f"rlhf_core.lab.rounds(Settings({changed(settings)}), {rounds}seeds=range({n_seeds}))"


EXPERIMENT = Experiment(
    name="fresh-labels",
    title="Fresh labels",
    question="A reward model is right where it was trained, and PPO leaves that place. So label what the newer policy "
    "writes, fit again, and optimise again from the SFT policy: one, two or four rounds, with the same number of "
    "labels in all. β, steps, noise and bias are yours; at β = 0.1 and 8 steps there is little to mend, so try 0.05 "
    "and 60.",
    pieces=_pieces,
    unit="rounds of PPO",
    charts=_charts,
    finding=_finding,
    practice="Fresh comparisons repair what a reward model cannot see; they do not repair labellers who are drawn to "
    "the wrong thing. Keep part of the labelling budget for answers of the policy that you have just trained.",
    table=_table,
    call=_call,
)
