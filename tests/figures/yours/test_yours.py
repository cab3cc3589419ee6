"""What the page of a reader's own material says agrees with its numbers, and draws what Plotly takes."""

import re
from dataclasses import replace

import numpy as np
import pytest

from pages.drawing.theme import DARK, LIGHT
from pages.figures.yours import label, log, pairs, scenario
from rlhf_core.yours.export import as_trl_log
from rlhf_core.yours.labelling import LEFT, RIGHT, SAME, learn
from rlhf_core.yours.logs import parse_log
from rlhf_core.yours.pairs import PreferencePairs
from rlhf_core.yours.preference_fit import PairsReport, fit_pairs
from rlhf_core.yours.record import KNOWN
from rlhf_core.yours.trainers import BY_HAND, TRAINERS, record_of
from tests.core.runs import run

EVIL = "<b>bold</b> <img src=x>"


@pytest.fixture(scope="module")
def report() -> PairsReport:
    texts = [(f"Please wash it, {i} times. {EVIL}", f"Wash it now {i}.") for i in range(60)]
    some = [texts[i] if i % 4 else texts[i][::-1] for i in range(60)]
    chosen, rejected = zip(*some, strict=True)
    prompts = tuple(f"prompt {i}" for i in range(60))
    return fit_pairs(PreferencePairs(prompts, chosen, rejected, "jsonl, strings", 0, 0, 0, ()))


def drawn(panels):
    for panel in panels:
        figure = panel.drawing.figure  # checked by Plotly
        assert figure.data and panel.title and panel.alt.endswith(".")
        yield panel.title, figure


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_charts_of_pairs_hold_the_report_and_no_markup_of_a_reader(report, palette):
    found = dict(drawn(pairs.charts(report, palette)))
    accuracy = found["How often each picks the chosen answer"].data[0]
    assert list(accuracy.x)[1:] == [report.longer_wins_accuracy, report.train_accuracy, report.heldout_accuracy]
    assert list(found["Would more pairs help?"].data[0].x) == [n for n, _ in report.learning]
    np.testing.assert_array_equal(found["What the marks of style are worth"].data[0].x, [w for _, w in report.style])
    names = found["The words that count most"].layout.yaxis.ticktext
    assert list(names) == [name for name, _ in report.words] and not any("<" in name for name in names)


@pytest.mark.parametrize(
    ("interval", "longer", "said"),
    [
        ((0.45, 0.55), 0.5, "not clearly better than a coin"),
        ((0.60, 0.70), 0.8, "worse than length alone"),
        ((0.60, 0.70), 0.65, "not clearly better than the rule about length"),
        ((0.60, 0.70), 0.5, "better than a coin and than length alone"),
    ],
)
def test_the_finding_on_pairs_follows_the_interval(report, interval, longer, said):
    changed = replace(report, heldout_interval=interval, longer_wins_accuracy=longer)
    assert said in pairs.finding(changed)
    assert ("Nothing to rely on" in pairs.lesson(changed)) == (interval[0] <= 0.5)


def test_what_ppo_would_learn_names_the_strongest_marks_with_their_sign(report):
    style = (("praise", 0.5), ("hedges", -0.3), ("length in words", 0.05))
    said = pairs.lesson(replace(report, style=style, heldout_interval=(0.6, 0.7)))
    assert "pays for “praise” and takes off for “hedges”" in said and "length" not in said
    none = pairs.lesson(replace(report, style=style[2:], heldout_interval=(0.6, 0.7)))
    assert "pays for particular words" in none


def test_charts_of_a_log_hold_its_series_in_their_units():
    record = record_of(parse_log(as_trl_log(run()).encode()))
    found = dict(drawn(log.charts(record, LIGHT)))
    np.testing.assert_array_equal(found["KL"].data[0].y, run().ppo.kl)
    assert found["KL"].layout.yaxis.title.text == "nats per answer"
    assert found["KL of one update"].layout.yaxis.title.text == "nats per token"


def test_every_series_that_a_trainer_has_can_be_drawn():
    names = {name for trainer in (*TRAINERS, BY_HAND) for name in trainer.columns}
    assert names <= set(log.TITLES) <= set(KNOWN) and all(log.unit(name) for name in log.TITLES)


def test_a_long_log_is_thinned():
    rows = "\n".join(f'{{"step": {i}, "objective/kl": {i}, "objective/scores": 1}}' for i in range(5000))
    for _, figure in drawn(log.charts(record_of(parse_log(rows.encode())), LIGHT)):
        assert len(figure.data[0].x) <= log.MOST_POINTS


@pytest.mark.parametrize("changed", [{}, {"scenario": "safety", "ppo_steps": 1}, {"rollouts": 0, "beta": 0.0}])
@pytest.mark.parametrize("choices", [(SAME,), (LEFT,), (LEFT, RIGHT, SAME, LEFT)])
def test_labels_are_said_and_drawn_whatever_they_are(changed, choices):
    ours = run(**changed)
    found = learn(ours, choices)
    said = label.heard(found) + label.reached(found, ours)
    assert "nan" not in said and "-" not in re.sub(r"\w-\w", "", said), said
    weights = dict(drawn(label.charts(ours, found, DARK)))["What your labels pay for"]
    assert sorted(weights.data[1].x) == sorted(found.weights)
    assert len(label.answers(ours, found, 0)) == 3


@pytest.mark.parametrize("changed", [{}, {"beta": 0.0, "ppo_steps": 60}, {"scenario": "safety", "ppo_steps": 1}])
def test_the_three_rewards_of_a_scenario_are_those_of_its_run(changed):
    ours = run(**changed)
    curves = dict(drawn(scenario.charts(ours, LIGHT)))["The three rewards"].data
    for curve, name in zip(curves, ("reward", "labeller_reward", "true_reward"), strict=True):
        np.testing.assert_array_equal(curve.y, getattr(ours.ppo, name))
    said = scenario.finding(ours)
    assert ("has fallen back since" in said) == (changed.get("beta") == 0.0) and "nan" not in said
    assert len(scenario.answers(ours, 3)) == 4
