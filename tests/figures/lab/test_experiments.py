"""Every experiment's finding agrees with its numbers, its charts are Plotly's, its table and its call give the same."""

import re
from dataclasses import replace

import numpy as np
import pytest

from pages.drawing.theme import DARK, LIGHT
from pages.figures.lab import arrives, asked, fresh, labels, score_up, which_method, whose_label
from pages.figures.lab.experiment import differs, mean
from pages.frame import navigation
from pages.frame.lab import EXPERIMENTS, python_of
from pages.frame.records import as_csv, markdown_table
from rlhf_core import Settings, lab, run_pipeline
from rlhf_core.lab import convergence
from rlhf_core.lab.work import finish

SMALL = Settings(ppo_steps=6, n_comparisons=120)
ODD = [
    SMALL,
    replace(SMALL, scenario="safety", beta=0.0, rollouts=0, seed=3),
    replace(SMALL, beta=2.0, ppo_steps=1, n_comparisons=48, advantage="gae", labeller_bias=2.0),
]
EACH = pytest.mark.parametrize("experiment", EXPERIMENTS, ids=[each.name for each in EXPERIMENTS])


@pytest.fixture(autouse=True)
def short_walks(monkeypatch):
    """A few steps towards the optimum are enough here: the whole is tested with the core."""
    for walk in (convergence.arrival, convergence.arrival_pieces):
        monkeypatch.setitem(walk.__kwdefaults__, "n_steps", convergence.PIECE)


def result_of(experiment, settings, n_seeds=2):
    return finish(experiment.pieces(settings, n_seeds))


@EACH
@pytest.mark.parametrize("settings", ODD, ids=["default", "safety", "odd"])
def test_an_experiment_says_draws_and_lists_what_it_found(experiment, settings):
    if experiment.name in ("labels", "score-up") and settings is not ODD[0]:
        pytest.skip("reads none of what differs, and is the longest")
    found = result_of(experiment, settings)
    said = experiment.finding(found)
    assert said.endswith(".") and "nan" not in said and "-" not in re.sub(r"\w-\w", "", said), said
    for palette in (LIGHT, DARK):
        panels = experiment.charts(found, palette)
        assert panels and all(panel.title and panel.alt.endswith(".") for panel in panels)
        for panel in panels:
            assert panel.drawing.figure.data  # checked by Plotly
    table = experiment.table(found)
    assert table and as_csv(table).count("\n") == len(table) + 1
    assert all(np.isfinite(value) for row in table[:50] for value in row.values() if isinstance(value, float))
    names: dict[str, object] = {}
    exec(python_of(experiment, settings, 2), names)
    assert as_csv(experiment.table(names["result"])) == as_csv(table)


def test_a_difference_is_clear_only_beyond_its_error():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=10)
    assert differs(noise + 5, np.zeros(10)) == 1 and differs(np.zeros(10), noise + 5) == -1
    assert differs(noise, np.zeros(10)) == 0 and differs(np.ones(2), np.zeros(2)) == 0
    assert mean(np.array([1.0, np.nan, 3.0])).value == 2 and mean(np.array([4.0])).error == 0


@pytest.mark.parametrize("seed", range(4))
def test_directions_in_findings_follow_the_numbers(seed):
    base = replace(SMALL, seed=0)
    grid = lab.label_grid(base, counts=(50, 200), seeds=range(seed, seed + 3))
    said = labels.EXPERIMENT.finding(grid)
    for k in range(2):
        way = differs(grid.correlation[k, -1], grid.correlation[k, 0])
        assert {1: "rises", -1: "falls", 0: "does not clearly change"}[way] in said
    rounds = lab.rounds(base, n_rounds=(1, 2), seeds=range(seed, seed + 3))
    clear = differs(rounds.true_reward[-1], rounds.true_reward[0])
    assert {1: "clearly better", -1: "clearly worse", 0: "is not clear"}[clear] in fresh.EXPERIMENT.finding([rounds])


def test_the_extras_are_tables_and_cards():
    methods = lab.compare_methods(SMALL, seeds=range(2), methods=("ppo", "dpo"))
    rows = which_method.needs(methods)
    assert [row["method"] for row in rows] == ["PPO", "DPO"] and rows[1]["answers sampled a prompt"] == 0
    assert markdown_table(rows).count("\n") == 3
    cards = whose_label.cards(lab.influence(run_pipeline(SMALL)), SMALL)
    assert len(cards) == whose_label.SHOWN and "careful" in " ".join(cards)
    found = lab.arrival(run_pipeline(SMALL), beta=1.0)
    names = [row["variant"] for row in arrives.ends(found)]
    assert len(names) == len(convergence.VARIANTS) and all(f"**{name}:**" in arrives.reasons(found) for name in names)
    assert score_up.WELL < 1


@pytest.mark.parametrize("settings", ODD, ids=["default", "safety", "odd"])
def test_every_question_has_an_answer_with_this_runs_numbers_and_a_chart(settings):
    run = run_pipeline(settings)
    for answer in asked.ANSWERS:
        found = answer.measure(run)
        said = answer.say(found)
        assert "nan" not in said and said.count(". ") >= 2 and len(said) < 900, said
        assert answer.draw(found, DARK).figure.data and answer.question[-1] in "?."
        page, _, query = answer.see.partition("?")
        assert page in navigation.TITLES and query
