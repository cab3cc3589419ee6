"""What the Lab says of fifty experiments that nobody chose: every best, every direction and every number is so."""

import re
from dataclasses import replace

import numpy as np
import pytest

from pages.figures.lab import beta, fresh, labels, stopping, which_method
from pages.figures.lab.experiment import differs, mean
from rlhf_core import Settings, lab

SEEDS = range(3)


def at_random(i: int) -> Settings:
    rng = np.random.default_rng(i)
    return Settings(
        scenario=("helpfulness", "safety")[i % 2],
        beta=float(rng.choice([0.0, 0.05, 0.3, 2.0])),
        ppo_steps=int(rng.integers(1, 12)),
        rollouts=int(rng.choice([0, 1, 8, 32])),
        n_comparisons=int(rng.integers(48, 300)),
        label_noise=float(rng.choice([0.0, 0.7, 5.0])),
        labeller_bias=float(rng.choice([0.0, 0.75, 2.0])),
        ppo_learning_rate=float(rng.choice([0.1, 0.8, 5.0])),
        advantage=str(rng.choice(["group_mean", "leave_one_out", "group_normalised", "gae"])),
    )


def numbers(text: str) -> list[float]:
    return [float(found.replace("−", "-")) for found in re.findall(r"−?\d+(?:\.\d+)?", text)]


def said_of(experiment, found) -> str:
    text = experiment.finding(found)
    assert "nan" not in text and "−0.00" not in text and text.endswith("."), text
    return text


@pytest.mark.parametrize("i", range(10))
def test_what_beta_buys(i):
    found = lab.beta_sweep(at_random(i), betas=(0.0, 0.1, 1.0, 2.0), seeds=SEEDS)
    text, truth, reward = said_of(beta.EXPERIMENT, found), mean(found.true_reward), mean(found.reward)
    best, favoured = int(truth.value.argmax()), int(reward.value.argmax())
    assert f"true reward after PPO is highest at β = {found.betas[best]:g} (" in text
    if best == favoured:
        assert "so is the reward" in text
    else:
        assert f"the reward is highest at β = {found.betas[favoured]:g}" in text
        clear = differs(found.true_reward[best], found.true_reward[favoured]) > 0
        assert ("asks for less leash" in text or "asks for more leash" in text) == clear


@pytest.mark.parametrize("i", range(10, 20))
def test_fresh_labels(i):
    found = lab.rounds(at_random(i), n_rounds=(1, 2), seeds=SEEDS)
    text = said_of(fresh.EXPERIMENT, [found])
    way = differs(found.true_reward[-1], found.true_reward[0])
    assert {1: "clearly better", -1: "clearly worse", 0: "is not clear"}[way] in text
    best = found.n_rounds[int(mean(found.true_reward).value.argmax())]
    assert f"Highest here: {best} round" in text


@pytest.mark.parametrize("i", range(20, 30))
def test_labels(i):
    found = lab.label_grid(at_random(i), counts=(50, 150), seeds=SEEDS)
    text = said_of(labels.EXPERIMENT, found)
    for k, kind in enumerate(found.labellers):
        way = differs(found.correlation[k, -1], found.correlation[k, 0])
        sentence = text[text.index(kind.name) :].split(". ")[0]
        assert {1: "rises", -1: "falls", 0: "does not clearly change"}[way] in sentence
    noisy, biased = (mean(found.label_accuracy[k, -1]).value for k in (0, 1))
    assert f"is {noisy:.0%} under noise and {biased:.0%} under bias" in text


@pytest.mark.parametrize("i", range(30, 40))
def test_stopping(i):
    found = lab.stopping(at_random(i), seeds=SEEDS)
    text, reached = said_of(stopping.EXPERIMENT, found), mean(found.reached).value
    most = [rule for rule, value in zip(found.rules, reached, strict=True) if reached.max() - value < 0.005]
    assert "All reach the same" in text if len(most) == 4 else all(f"“{rule}”" in text for rule in most)
    peaks = found.true_reward.argmax(axis=1)
    assert (f"between {peaks.min()} and {peaks.max()}" in text) == (peaks.min() < peaks.max())


@pytest.mark.parametrize("i", range(40, 50))
def test_which_method(i):
    settings = replace(at_random(i), ppo_steps=4)
    found = lab.compare_methods(settings, seeds=SEEDS, methods=("ppo", "grpo", "best_of_n", "dpo"))
    text = said_of(which_method.EXPERIMENT, found)
    ends = {path.method.label: mean(path.true_reward[:, -1]).value for path in found.paths}
    peaks = {path.method.label: mean(path.true_reward.max(axis=1)).value for path in found.paths}
    assert f"highest with {max(ends, key=ends.get)} (" in text
    assert f"{max(peaks, key=peaks.get)} reaches most" in text
    assert len(numbers(text)) >= 2
