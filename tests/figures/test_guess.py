"""Charts to draw a guess on: they know nothing of how the run goes before it is played, and the truth at its end."""

import numpy as np
import pytest

from pages.drawing import theme
from pages.drawing.guess import bounds, points
from pages.drawing.view import View
from pages.figures.metrics import progress
from pages.figures.overview import outcome
from rlhf_core import Settings
from tests.figures.worlds import EACH_WORLD, sent, view
from tests.settings_at_random import trained

BOTH = pytest.mark.parametrize(
    ("guess", "guessed"),
    [(outcome.whole_pipeline_guess, outcome.whole_pipeline_guessed),
     (progress.score_and_truth_guess, progress.score_and_truth_guessed)],
    ids=["overview", "metrics"],
)  # fmt: skip


def of_seed(seed: int) -> View:
    return View(*trained(Settings(seed=seed)), prompt=0, palette=theme.LIGHT)


@BOTH
def test_at_idle_two_runs_that_differ_in_their_seed_alone_look_the_same(guess, guessed):
    one, other = (guess(of_seed(seed)) for seed in (0, 1))
    assert (one.title, one.guide, one.reading, one.alt) == (other.title, other.guide, other.reading, other.alt)
    assert one.at(0).to_json() == other.at(0).to_json()
    assert {**one.guess.body(), "of": ""} == {**other.guess.body(), "of": ""}
    assert one.guess.of == "" and other.guess.of == "seed=1" and one.guess.answer is None
    assert sent(one)["guess"]["answer"] is None


@BOTH
@EACH_WORLD
def test_the_points_fit_the_chart_and_the_axis_holds_what_may_come(guess, guessed, settings):
    of = view(**settings)
    chart = guess(of)
    asked, (left, right), (low, high) = chart.guess, chart.figure.layout.xaxis.range, chart.figure.layout.yaxis.range
    assert list(asked.knots) == sorted(asked.knots) and left < asked.knots[0] and asked.knots[-1] < right
    assert sorted(set(asked.anchors)) == list(range(len(asked.moments))) and len(asked.anchors) == len(asked.knots)
    assert len(set(asked.moments)) == len(asked.moments) >= 2
    assert low < asked.bounds[0] < asked.start < asked.bounds[1] < high
    assert low < of.run.ppo.true_reward.min() and of.run.ppo.true_reward.max() < high


@BOTH
@EACH_WORLD
def test_at_the_end_the_guess_is_held_to_the_runs_own_curve(guess, guessed, settings):
    of = view(**settings)
    answer, asked = guessed(of).guess.answer, guess(of).guess
    np.testing.assert_allclose(answer.y[-of.timeline.n_steps - 1 :], of.run.ppo.true_reward)
    assert len(answer.x) == len(answer.y) == len(answer.moments)
    assert (answer.x[0], answer.x[-1]) == (asked.knots[0], asked.knots[-1])
    for knot, anchor in zip(asked.knots, asked.anchors, strict=True):
        if f"PPO step {of.timeline.n_steps}" == asked.moments[anchor]:
            assert answer.moments[int(np.flatnonzero(answer.x == knot)[0])] == asked.moments[anchor]
    sent(guessed(of))


def test_points_are_whole_steps_with_the_last_among_them():
    assert [points(n) for n in (1, 3, 8, 60)] == [[1], [1, 2, 3], [2, 4, 6, 8], [15, 30, 45, 60]]


def test_the_axis_comes_from_the_scenario_alone():
    assert bounds(of_seed(0).run) == bounds(of_seed(1).run)
