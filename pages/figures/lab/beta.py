"""What does β buy? Where PPO ends at eight penalties, beside the exact optimum for each."""

from functools import partial
from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.theme import Palette
from pages.figures.lab.experiment import Experiment, Panel, band, changed, differs, mean, number, over_seeds, seeds_of
from rlhf_core import Settings
from rlhf_core.lab.sweeps import BetaSweep, beta_sweep_pieces


def _charts(found: BetaSweep, palette: Palette) -> list[Panel]:
    places = np.arange(len(found.betas))
    axis = {"tickvals": places, "ticktext": [f"{beta:g}" for beta in found.betas]}
    return [
        Panel(
            "Reward, the labellers’ judgement and true reward where PPO ends",
            theme.figure(
                palette, x="β [reward units per nat]", y="mean over prompts [own units]", xaxis=axis, height=360,
                data=[
                    *band(places, found.true_reward, palette.true_reward, "true reward"),
                    *band(places, found.labeller_reward, palette.labellers, "labellers’ judgement", dash="dashdot"),
                    *band(places, found.reward, palette.reward, "reward", dash="dash"),
                ],
            ),
            "Reward, labellers' judgement and true reward after PPO, for each penalty.",
        ),
        Panel(
            "True reward of PPO, and of the exact optimum",
            theme.figure(
                palette, x="β [reward units per nat]", y="true reward [own units]", xaxis=axis, height=360,
                data=[
                    *band(places, found.true_reward, palette.policy, "PPO"),
                    *band(places, found.optimum_true_reward, palette.optimum, "optimum for the reward", dash="dot"),
                    *_start(places, found, palette),
                ],
            ),
            "True reward of PPO's policies and of the closed-form optimum, for each penalty, with the SFT policy's.",
        ),
        _bought(found, palette),
    ]  # fmt: skip


def _bought(found: BetaSweep, palette: Palette) -> Panel:
    """Reward against KL: what each penalty buys, under what the exact optimum has for the same distance."""
    order = np.argsort(found.optimum_kl.mean(axis=1))
    curves = (
        ("optimum: the exact frontier", found.optimum_kl[order], found.optimum_reward[order], found.betas[order],
         palette.optimum, "dot"),
        ("PPO", found.kl, found.reward, found.betas, palette.policy, "solid"),
    )  # fmt: skip
    data = [
        {
            "type": "scatter", "x": kl.mean(axis=1), "y": reward.mean(axis=1), "mode": "lines+markers", "name": name,
            "line": theme.line(hue, dash), "marker": {"size": 7}, "customdata": betas,
            "hovertemplate": f"{name}, β = %{{customdata:g}}: %{{y:.2f}} at %{{x:.2f}} nats<extra></extra>",
        }
        for name, kl, reward, betas, hue, dash in curves
    ]  # fmt: skip
    figure = theme.figure(palette, x="KL to the SFT policy [nats]", y="reward [reward units]", data=data, height=360)
    return Panel(
        "What each nat buys: PPO below the exact frontier", figure,
        "Reward against KL where PPO ends for each penalty, and of the exact optimum for each; means over seeds.",
    )  # fmt: skip


def _start(places: np.ndarray, found: BetaSweep, palette: Palette) -> list[dict[str, Any]]:
    return [
        {
            "type": "scatter", "x": places[[0, -1]], "y": np.full(2, found.sft_true_reward.mean()), "mode": "lines",
            "name": "SFT policy", "line": {"color": palette.reference.mark, "width": 2, "dash": "longdash"},
            "hovertemplate": "SFT policy %{y:.2f}<extra></extra>",
        }
    ]  # fmt: skip


def _finding(found: BetaSweep) -> str:
    truth, ideal = mean(found.true_reward), mean(found.optimum_true_reward)
    score = mean(found.reward)
    best, favoured = int(truth.value.argmax()), int(score.value.argmax())
    optimum = int(ideal.value.argmax())
    clear = differs(found.true_reward[best], found.true_reward[favoured])
    people = f"β = {found.betas[best]:g} ({number(truth.value[best], truth.error[best])})"
    sentence = f"Of these penalties, true reward after PPO is highest at {people}; "
    if best == favoured:
        sentence += "so is the reward. "
    elif clear > 0:
        sentence += (
            f"the reward is highest at β = {found.betas[favoured]:g}, where true reward is "
            f"{number(truth.value[favoured], truth.error[favoured])}: the reward asks for less leash than people do. "
        )
    else:
        sentence += (
            f"the reward is highest at β = {found.betas[favoured]:g}. Which of the two people prefer is not clear with "
            f"{seeds_of(len(found.seeds))}. "
        )
    inside = 0 < optimum < len(found.betas) - 1
    return sentence + (
        f"The exact optimum is worth most to people at β = {found.betas[optimum]:g} ({number(ideal.value[optimum])})"
        f"{', between the ends: too loose a leash hurts, and so does too tight a one.' if inside else '.'}"
    )


def _table(found: BetaSweep) -> list[dict[str, object]]:
    names = ("reward", "kl", "true_reward", "labeller_reward", "entropy", "optimum_reward", "optimum_kl",
             "optimum_true_reward")  # fmt: skip
    return [
        {"beta": float(beta), "seed": int(seed), **{name: float(getattr(found, name)[b, s]) for name in names}}
        for b, beta in enumerate(found.betas)
        for s, seed in enumerate(found.seeds)
    ]


def _call(settings: Settings, n_seeds: int) -> str:
    return f"rlhf_core.lab.beta_sweep(Settings({changed(settings, 'beta')}), seeds=range({n_seeds}))"


EXPERIMENT = Experiment(
    name="beta",
    title="What does β buy?",
    question="The penalty β is the one number that every RLHF run must choose. PPO runs here at eight of them, from no "
    "leash to hardly any movement, with all your other settings. Which β would people choose, and which the reward?",
    pieces=partial(over_seeds, beta_sweep_pieces),
    unit="PPO steps",
    charts=_charts,
    finding=_finding,
    practice="β is in reward units per nat, so a value from a paper means nothing until rewards are scaled alike. "
    "Sweep it in factors of two or three, and choose by people’s judgement of samples, not by reward or by KL.",
    table=_table,
    call=_call,
    sharper={"ppo_steps": 60},
)
