"""The tour tells the truth about the runs it sets up, and judges guesses by the run on screen."""

import re
from functools import cache

import numpy as np
import pytest

from pages.frame import tour_answers
from pages.frame.tour import STEPS, prepared
from rlhf_core import PipelineRun, Settings, run_pipeline
from rlhf_core.timeline import build

ASKING = [number for number, step in enumerate(STEPS, 1) if step.options]


@cache
def run(number: int, seed: int = 0, **changes: float) -> PipelineRun:
    return run_pipeline(Settings(**{"seed": seed, **STEPS[number - 1].changes, **changes}))


@pytest.mark.parametrize("number", ASKING)
def test_every_step_can_be_done_and_says_what_happened(number: int) -> None:
    step = STEPS[number - 1]
    chosen = {"beta": 0.5} if "beta" in step.free else {}
    one = run(number, **chosen)
    timeline = build(one)
    assert not step.until(one.settings, timeline.find(step.at)), "must not be done before the reader has done it"
    assert step.until(one.settings, timeline.frames[-1]) and prepared(step, one.settings)
    text = step.see(one)
    assert len(re.findall(r"\d", text)) >= 2 and "nan" not in text
    assert 2 <= len(step.options) <= 3


@pytest.mark.parametrize("number", ASKING)
def test_the_right_answer_is_one_of_the_options_whatever_the_run(number: int) -> None:
    step = STEPS[number - 1]
    for seed, scenario in ((0, "helpfulness"), (1, "safety"), (2, "helpfulness")):
        one = run_pipeline(Settings(**{**step.changes, "seed": seed, "scenario": scenario}))
        assert step.right(one) in step.options


def test_a_moved_control_is_noticed_unless_the_step_leaves_it_free() -> None:
    assert not prepared(STEPS[4], Settings(beta=1.0)) and prepared(STEPS[4], Settings(beta=2.0))
    assert prepared(STEPS[7], Settings(beta=0.7, ppo_steps=60)) and not prepared(STEPS[7], Settings(beta=0.7))


def test_the_answers_follow_the_curves() -> None:
    for seed in range(5):
        one = run(6, seed)
        truth = one.ppo.true_reward
        if tour_answers.hacked(one) == "rises, then falls":
            assert 0 < int(np.argmax(truth)) and truth[-1] < truth.max()
        high, usual = run(5, seed), run(1, seed)
        share = high.ppo.kl[-1] / usual.ppo.kl[-1]
        assert tour_answers.leash(high) == ("hardly at all" if share < 0.35 else "about half as far")
        change = usual.ppo.true_reward[-1] - usual.ppo.true_reward[0]
        assert tour_answers.truth(usual) in ("it rises too" if change > 0 else "it falls", "it stays")


def test_the_default_seed_teaches_what_the_step_is_about() -> None:
    """The tour is written for the default seed: what it leads to must be so there, and in most others."""
    assert [tour_answers.hacked(run(6, seed)) for seed in range(8)].count("rises, then falls") >= 6
    assert tour_answers.hacked(run(6)) == "rises, then falls" and tour_answers.bias(run(7)) == "more often"
    assert [tour_answers.bias(run(7, seed)) for seed in range(8)].count("more often") >= 6
    assert tour_answers.truth(run(1)) == "it rises too" and tour_answers.leash(run(5)) == "hardly at all"


def test_the_last_step_closes() -> None:
    said = STEPS[-1].see(run(1))
    assert not STEPS[-1].options and "In your own project" in said and "lab?experiment=stopping" in said
