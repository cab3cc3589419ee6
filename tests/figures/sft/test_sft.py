"""Charts of the SFT page: their data are the run's arrays, and what they say is true of the run shown."""

import re

import numpy as np
import pytest

from pages.drawing import theme
from pages.drawing.chart import Chart
from pages.drawing.curves import Level, learning_curves
from pages.drawing.view import View
from pages.figures.sft import curves, tree
from pages.figures.sft import words as sft_words
from pages.stage.storyboard import encode_chart, encode_live
from tests.figures.worlds import view

CHARTS = (curves.loss, curves.imitation, tree.tree_now, tree.tree_after_sft, curves.gained, curves.lost)
EACH_CHART = pytest.mark.parametrize("draw", CHARTS, ids=lambda draw: draw.__name__)
WORLDS = [
    {"scenario": scenario, **settings}
    for scenario in ("helpfulness", "safety")
    for settings in (
        {},
        {"seed": 3},
        {"n_demonstrations": 1},
        {"n_demonstrations": 32},
        {"sft_epochs": 1},
        {"sft_epochs": 100, "sft_learning_rate": 2.0},
        {"sft_epochs": 100, "n_demonstrations": 1, "sft_learning_rate": 2.0},
        {"beta": 0.0, "ppo_steps": 60, "rollouts": 0},
        {"ppo_steps": 1},
        {"advantage": "leave_one_out"},
        {"advantage": "group_normalised"},
        {"advantage": "gae"},
    )
]
EACH_WORLD = pytest.mark.parametrize("world", WORLDS, ids=str)
UNIT = re.compile(r"\[.+\]$|^SFT epoch$|^expected true reward$|^$")


def frames(one: View) -> tuple[int, int, int]:
    return 0, len(one.timeline.frames) // 3, len(one.timeline.frames) - 1


@EACH_WORLD
@EACH_CHART
def test_every_chart_holds_for_every_kind_of_run(draw, world):
    one = view(prompt=11, **world)
    chart: Chart = draw(one)
    encode_chart(chart)
    assert chart.title and chart.alt and f"{chart.guide}{chart.reading}".endswith(".")
    assert not re.search(r"nan|inf\b|-\d|\{", f"{chart.title} {chart.guide} {chart.reading}"), chart.reading
    chart.at(frames(one)[1])


@EACH_CHART
def test_axes_carry_units_and_do_not_move(draw):
    figure = draw(view()).figure
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        assert UNIT.search(axis.title.text or "") and axis.range is not None


@EACH_CHART
def test_both_themes_draw_the_same_data(draw):
    light, dark = draw(view()), draw(view(dark=True))
    assert [trace.type for trace in light.figure.data] == [trace.type for trace in dark.figure.data]
    assert (light.title, light.reading) == (dark.title, dark.reading)


# ------------------------------------------------------------------ loss and imitation


@EACH_WORLD
def test_the_loss_curves_are_the_runs(world):
    one = view(**world)
    chart = curves.loss(one)
    trained, heldout = chart.figure.data[2:4]
    np.testing.assert_array_equal(trained.y, one.run.sft.loss)
    np.testing.assert_array_equal(heldout.y, one.run.sft.heldout_loss)
    assert trained.line.dash != heldout.line.dash
    assert f"{one.run.sft.loss[-1]:.2f}" in chart.reading and f"{one.run.sft.heldout_loss[-1]:.2f}" in chart.reading
    assert [shape.y0 for shape in chart.figure.layout.shapes] == [one.run.sft.writer_loss, np.log(80)]


@EACH_WORLD
def test_the_title_of_the_loss_is_true(world):
    one = view(**world)
    title, heldout = curves.loss(one).title, one.run.sft.heldout_loss
    if match := re.fullmatch(r"After epoch (\d+), held-out demonstrations get dearer again", title):
        assert heldout[int(match[1])] == heldout.min() < heldout[-1] - 0.01
    else:
        assert "better" not in title or one.run.sft.loss[-1] < heldout[-1]


@EACH_WORLD
def test_by_heart_is_said_only_below_the_writers_entropy(world):
    one = view(**world)
    assert ("by heart" in curves.loss(one).reading) == (one.run.sft.loss[-1] < one.run.sft.writer_loss)


def test_the_curves_grow_with_the_epochs_and_their_heads_lead():
    one = view()
    chart = curves.loss(one)
    for frame in frames(one):
        epoch = one.timeline.frames[frame].sft_epoch
        figure = chart.at(frame)
        assert len(figure.data[2].y) == len(figure.data[3].y) == epoch + 1
        assert figure.data[4].x[0] == epoch and figure.data[4].y[0] == one.run.sft.loss[epoch]
        assert len(figure.data[0].y) == len(one.run.sft.loss)  # the ghost


@EACH_WORLD
def test_true_reward_is_the_courses_and_its_title_true(world):
    one = view(**world)
    chart, n = curves.imitation(one), len(one.run.sft.loss)
    np.testing.assert_array_equal(chart.figure.data[1].y, one.run.course.true_reward[:n].mean(axis=1))
    if chart.title.startswith("Imitation climbs"):
        assert chart.figure.data[1].y[-1] < one.run.sft.writer_true_reward


# ------------------------------------------------------------------ the response tree


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
def test_the_tree_holds_every_prefix_and_adds_up(scenario):
    one = view(scenario=scenario)
    chart = tree.tree_now(one)
    for frame in frames(one):
        inner, leaves = chart.at(frame).data
        probs = np.exp(one.policy_log_probs[one.progress[frame]])
        np.testing.assert_allclose(np.sort(leaves.y), np.sort(100 * probs), atol=0.0051)
        np.testing.assert_allclose(inner.y[:4], 100 * probs.reshape(4, 20).sum(axis=1), atol=0.0051)
        np.testing.assert_allclose(inner.y[4:], 100 * probs.reshape(20, 4).sum(axis=1), atol=0.0051)
        assert sum(inner.y[:4]) == pytest.approx(100, abs=0.1) and sum(leaves.y) == pytest.approx(100, abs=0.5)


def test_areas_of_a_column_lie_one_after_the_other():
    inner, leaves = tree.tree_after_sft(view()).figure.data
    columns = ((inner.base[:4], inner.y[:4]), (inner.base[4:], inner.y[4:]), (leaves.base, leaves.y))
    for base, height in (np.array(column, dtype=float) for column in columns):
        order = np.argsort(base, kind="stable")
        end = (base + height)[order]
        np.testing.assert_allclose(end[:-1], base[order][1:], atol=0.021)
        assert end[-1] == pytest.approx(100, abs=0.02)


def test_colour_and_number_of_a_leaf_are_its_true_reward_and_demonstrations_are_outlined():
    one = view()
    leaves = tree.tree_after_sft(one).figure.data[1]
    truth, probs = one.run.scenario.true_reward[0], np.exp(one.run.sft.log_probs[-1, 0])
    for k in range(80):
        response = next(i for i, text in enumerate(one.responses) if _starts(leaves.hovertext[k], text))
        assert leaves.marker.color[k] == truth[response]
        assert leaves.y[k] == pytest.approx(100 * probs[response], abs=0.0051)
        outlined = leaves.marker.line.color[k] == theme.LIGHT.ink
        assert outlined == (response in one.run.sft.demonstrations[0])
    widths = leaves.marker.line.width
    assert list(widths) == sorted(widths)  # the outlined ones lie on top


def _starts(hover: str, text: str) -> bool:
    return hover.replace("<br>", " ").startswith(f"{text} true reward")


def test_only_areas_with_room_are_named():
    inner, leaves = tree.tree_now(view()).figure.data
    for trace in (inner, leaves):
        for height, text in zip(trace.y, trace.text, strict=True):
            assert bool(text) == (height >= tree.SMALLEST_LABEL)


# ------------------------------------------------------------------ who gains, who loses


@EACH_WORLD
def test_gainers_gain_and_losers_lose_and_the_most_of_all(world):
    one = view(**world)
    change = np.diff(np.exp(one.run.sft.log_probs[[0, -1], 0]), axis=0)[0]
    gainers, losers = curves.most_changed(one, gaining=True), curves.most_changed(one, gaining=False)
    assert change[gainers].min() >= np.delete(change, gainers).max() - 1e-15
    assert change[losers].max() <= np.delete(change, losers).min() + 1e-15
    assert change[gainers[0]] > 0 > change[losers[0]]


def test_the_dots_go_from_base_to_reference():
    one = view()
    chart, chosen = curves.gained(one), curves.most_changed(one, gaining=True)
    first, last = chart.at(0), chart.at(len(one.timeline.frames) - 1)
    np.testing.assert_array_equal(first.data[3].x, first.data[1].x)
    np.testing.assert_array_equal(last.data[3].x, last.data[2].x)
    np.testing.assert_allclose(last.data[3].x, 100 * np.exp(one.run.sft.log_probs[-1, 0, chosen]))
    assert curves.gained(one).figure.layout.xaxis.range == curves.lost(one).figure.layout.xaxis.range


# ------------------------------------------------------------------ live numbers


@EACH_WORLD
def test_phrase_costs_add_up_to_the_responses_cost_and_so_do_the_written_ones(world):
    one = view(**world)
    for number, (response, _) in enumerate(sft_words.examples(one)):
        costs = sft_words.phrase_costs(one, response)
        np.testing.assert_allclose(costs.sum(axis=1), -one.run.sft.log_probs[:, 0, response], atol=1e-9)
        live = sft_words.demonstration_cost(number)(one)
        for row in set(live.rows.tolist()):
            parts = [float(live.values[f"c{i}"][row]) for i in range(3)]
            assert sum(parts) == pytest.approx(float(live.values["total"][row]), abs=1e-9)


def test_the_last_frame_shows_the_reference_policy():
    one = view()
    live, response = sft_words.demonstration_cost(0)(one), one.run.sft.demonstrations[0, 0]
    cost = -one.run.sft.log_probs[-1, 0, response]
    assert live.values["total"][live.rows[-1]] == f"{cost:.2f}"
    assert live.values["p"][live.rows[-1]] == f"{100 * np.exp(-cost):.2f}%"


@pytest.mark.parametrize(
    ("terms", "written"),
    [
        ([0.004, 0.004, 0.004], ["0.01", "0.00", "0.00", "0.01"]),  # each rounds to 0, the total 0.012 to 0.01
        ([1.0, 2.0, 3.0], ["1.00", "2.00", "3.00", "6.00"]),
        ([0.335, 0.335, 0.335], ["0.34", "0.33", "0.33", "1.00"]),  # the total 1.005 is just below in binary
        ([-1e-17, 0.0, 0.0], ["0.00", "0.00", "0.00", "0.00"]),
    ],
)
def test_written_terms_add_up(terms, written):
    ours = sft_words.adding_up(np.array(terms))
    assert sum(round(100 * float(term)) for term in ours[:-1]) == round(100 * float(ours[-1]))
    assert ours == written


def test_one_number_gives_one_function():
    assert sft_words.demonstration_cost(2) is sft_words.demonstration_cost(2)


@EACH_WORLD
def test_cards_show_each_demonstration_once(world):
    one = view(**world)
    live = sft_words.demonstrations(one)
    encode_live(live)
    distinct = set(one.run.sft.demonstrations[0].tolist())
    assert live.template.count("sr-card") - live.template.count("sr-cards") == min(len(distinct), sft_words.MOST_CARDS)
    for frame in frames(one):
        for slot, values in live.values.items():
            assert slot[0] == "p" or 0 <= float(values[live.rows[frame]].rstrip("%")) <= 100.01


@EACH_WORLD
def test_prose_is_complete(world):
    one = view(**world)
    text = sft_words.introduction(one) + sft_words.all_answers(one) + sft_words.limits(one) + sft_words.reality(one)
    assert not re.search(r"nan|\{|\}|-0\.0", text)


def test_markdown_shows_a_text_as_it_stands():
    assert curves.plain("$5 *now*, [a](b) <c>") == r"\$5 \*now\*, \[a\](b) \<c\>"


# ------------------------------------------------------------------ words on levels


@EACH_WORLD
def test_words_on_a_level_keep_clear_of_the_curves_where_they_can(world):
    one = view(**world)
    figure = curves.imitation(one).figure
    low, high = figure.layout.yaxis.range
    for words in figure.layout.annotations:
        curve = np.asarray(figure.data[0].y)[-len(figure.data[0].y) // 2 :] if words.x == 1 else figure.data[0].y[:2]
        middle = words.y + (0.04 if words.yanchor == "bottom" else -0.04) * (high - low)
        assert np.abs(np.asarray(curve) - middle).min() > 0.02 * (high - low)
        assert low < middle < high


def test_of_the_ends_of_a_level_the_one_off_the_curve_is_taken():
    falling = np.linspace(1.0, 0.0, 11)
    for curve, value, side in ((falling, 0.9, "right"), (falling, 0.1, "left"), (falling[::-1], 0.9, "left")):
        drawn = learning_curves(
            theme.LIGHT, {"curve": curve}, theme.LIGHT.policy, x="x", y="y", levels=(Level(value, "words", "#000000"),)
        )
        assert drawn.drawing.layout["annotations"][0]["xanchor"] == side
