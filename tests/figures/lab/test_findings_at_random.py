"""What the Lab says of a hundred experiments that nobody chose: every best, every direction, every number is so."""

import re
from dataclasses import replace

import numpy as np
import pytest

from pages.drawing.theme import DARK
from pages.figures.lab import (
    arrives,
    asked,
    beta,
    estimates,
    fresh,
    labels,
    score_up,
    stopping,
    which_method,
    whose_label,
)
from pages.figures.lab.experiment import differs, mean
from rlhf_core import Settings, lab, run_pipeline
from rlhf_core.lab import convergence
from rlhf_core.lab.gao import FEWEST, best_of_n_form, rl_form
from rlhf_core.lab.influence import BETAS
from tests.settings_at_random import settings_at_random

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


def at_extremes(i: int) -> Settings:
    """Every setting at its default, at an extreme or between, in runs that are short."""
    drawn = settings_at_random(np.random.default_rng([i, 20260101]))
    kept = {"ppo_steps": 12, "n_comparisons": 120, "rm_epochs": 60, "sft_epochs": 40, "rollouts": 64}
    return replace(drawn, **{name: min(getattr(drawn, name), most) for name, most in kept.items()})


def said_of(experiment, found) -> str:
    """What is said of a result; that it can be drawn and listed, in finite numbers, is looked at on the way."""
    text = experiment.finding(found)
    assert "nan" not in text and "−0.00" not in text and text.endswith("."), text
    for panel in experiment.charts(found, DARK):
        assert '"y":[]' not in panel.drawing.figure.to_json()
    rows = experiment.table(found)
    assert all(np.isfinite(value) for row in rows for value in row.values() if isinstance(value, float)), text
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


def test_fresh_labels_that_are_enough_for_one_round():
    settings = Settings(n_comparisons=30, ppo_steps=2)
    found = lab.rounds(settings, n_rounds=(1,), seeds=SEEDS)
    text = said_of(fresh.EXPERIMENT, [found])
    assert "in 1 round; so few labels are not enough for more" in text and "Highest" not in text


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


@pytest.mark.parametrize("i", range(50, 60))
def test_score_up(i):
    found = lab.overoptimise(at_extremes(i), counts=(24, 60), seeds=SEEDS)
    first, second, last = said_of(score_up.EXPERIMENT, found).split(". ")
    for path, form, curve, said in (
        (found.ppo, "rl", rl_form, first), (found.best_of_n, "best_of_n", best_of_n_form, second),
    ):  # fmt: skip
        truth = path.true_reward
        gained, lost = truth.max(axis=-1) - truth[..., 0], truth.max(axis=-1) - truth[..., -1]
        assert f"its own best in {np.mean(lost > 0.1 * gained):.0%} of runs" in said
        distance, gain = np.sqrt(np.maximum(path.kl[-1], 0)).mean(axis=0), (truth[-1] - truth[-1][:, :1]).mean(axis=0)
        fit = path.fit(form)[-1]
        if (distance > 0).sum() < FEWEST:
            assert fit is None and "too few for Gao" in said
        elif np.ptp(gain) > 0:
            left = gain - curve(distance, fit.alpha, fit.beta)
            explained = 1 - left.var() * (1 + (left.mean() / left.std()) ** 2) / gain.var()
            assert f"it explains {max(explained, 0):.0%} of the variance" in said
            assert ("form fits" in said) == (explained >= score_up.WELL)
    assert found.best_of_n.kl[..., -1].max() <= found.bound[-1] and "an upper bound" in last


@pytest.mark.parametrize("i", range(60, 70))
def test_whose_label(i):
    settings = at_extremes(i)
    settings = replace(settings, n_comparisons=min(settings.n_comparisons, 60), rm_l2=max(settings.rm_l2, 0.005))
    run = run_pipeline(settings)
    found = lab.influence(run)
    text, order = said_of(whose_label.EXPERIMENT, found), np.argsort(-found.moved)
    n_top = max(round(0.05 * len(order)), 1)
    share = found.moved[order[:n_top]].sum() / max(found.moved.sum(), 1e-300)
    assert f"{share:.0%} are due to the {n_top} most influential of {len(order)}" in text
    change, usual = found.without_top - found.with_all, found.without_random - found.with_all
    beyond = abs(change - usual.mean()) > 2 * usual.std(ddof=1)
    assert ("hardly changes" in text) == (abs(change) < whose_label.SEEN)
    assert "hardly changes" in text or ("more than random ones do" in text) == beyond
    assert ("nearest" in text) == (found.beta in BETAS)
    assert len(whose_label.cards(found, settings)) == min(whose_label.SHOWN, len(order))


@pytest.mark.parametrize("i", range(70, 80))
def test_does_it_arrive(i):
    run = run_pipeline(replace(at_extremes(i), ppo_steps=1))
    found = lab.arrival(run, beta=arrives.beta_of(run.settings), n_steps=3 * convergence.PIECE)
    text, labels_ = said_of(arrives.EXPERIMENT, found), [variant.label for variant in convergence.VARIANTS]
    within, _, rest = text.partition("Still coming nearer") if "Still" in text else text.partition("Elsewhere")
    for name, row in zip(labels_, found.to_optimum, strict=True):
        assert (f"{name};" in within or f"{name}." in within) == (row[-1] <= convergence.ARRIVED)
        assert (f"{name} (" in rest) == (row[-1] > convergence.ARRIVED)
    for name, row in zip(labels_, found.to_optimum, strict=True):
        nearer = (np.diff(row) < 0).all() and row[-1] < 0.98 * row[0] and row[-1] > convergence.ARRIVED
        assert (f"{name} (" in text.partition("Still coming nearer")[2].partition("Elsewhere")[0]) == nearer
    assert {row["variant"] for row in arrives.ends(found)} == set(labels_)


@pytest.mark.parametrize("i", range(80, 90))
def test_which_estimate(i, monkeypatch):
    run = run_pipeline(at_extremes(i))
    few = replace(run, scenario=replace(run.scenario, prompts=run.scenario.prompts[:3]))  # what costs is the prompts
    found = lab.estimates(few)
    text, at = said_of(estimates.EXPERIMENT, found), estimates.GROUPS.index(32)
    calm = min(found.spread, key=lambda name: found.spread[name][at])
    assert f"least with {calm}." in text
    np.testing.assert_allclose(found.bias["group mean"], 1 / np.array(estimates.GROUPS))
    stands = not (run.ppo.log_probs[found.step, :3] - run.sft.log_probs[-1, :3]).any()
    assert ("stands at the reference" in text) == stands
    if not stands:
        assert "k1 in the reward and k2 in the loss" in text and "misses all of it (100%)" in text


@pytest.mark.parametrize("i", range(90, 100))
def test_asked_again_and_again(i):
    run = run_pipeline(at_extremes(i))
    for answer in asked.ANSWERS:
        found = answer.measure(run)
        said = answer.say(found)
        assert "nan" not in said and "−0.00 " not in said and said.endswith((".", ")")), said
        assert all(np.isfinite(np.asarray(line.y, dtype=float)).all() for line in answer.draw(found, DARK).figure.data)
