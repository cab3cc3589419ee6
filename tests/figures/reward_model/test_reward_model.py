"""Charts of the reward-model page: their data are the run's arrays, and what they say is true of the run shown."""

import re

import numpy as np
import pytest
from scipy import special

from pages.drawing.chart import Chart
from pages.drawing.view import View
from pages.figures.reward_model import fit, pairs, scores, typed, words
from pages.stage.storyboard import encode_chart, encode_live
from rlhf_core.features import FEATURES
from tests.figures.worlds import view

CHARTS = (
    pairs.all_pairs(0), fit.loss, fit.accuracy, fit.reliability, fit.weights, scores.reward_against_truth,
    scores.overrating,
)  # fmt: skip
EACH_CHART = pytest.mark.parametrize("draw", CHARTS, ids=lambda draw: draw.__name__)
WORLDS = [
    {"scenario": scenario, **settings}
    for scenario in ("helpfulness", "safety")
    for settings in (
        {},
        {"seed": 3},
        {"n_comparisons": 24},
        {"n_comparisons": 2000},
        {"label_noise": 0.0},
        {"label_noise": 5.0},
        {"rm_epochs": 1},
        {"rm_epochs": 300, "rm_l2": 0.0},
        {"rm_l2": 0.2},
        {"beta": 0.0, "ppo_steps": 60, "rollouts": 0, "ppo_learning_rate": 20.0},
        {"ppo_steps": 1},
        {"advantage": "leave_one_out"},
        {"advantage": "group_normalised"},
        {"advantage": "gae"},
    )
]
EACH_WORLD = pytest.mark.parametrize("world", WORLDS, ids=str)
UNIT = re.compile(r"\[.+\]$|^reward-model epoch$|^PPO step$|^true reward$|^correlation of reward and true reward$|^$")


def last(one: View) -> int:
    return len(one.timeline.frames) - 1


def middle(one: View) -> int:
    return one.timeline.names.index(next(name for name in one.timeline.names if name.startswith("rm")))


@EACH_WORLD
@EACH_CHART
def test_every_chart_holds_for_every_kind_of_run(draw, world):
    one = view(prompt=11, **world)
    chart: Chart = draw(one)
    encode_chart(chart)
    assert chart.title and chart.alt and f"{chart.guide}{chart.reading}".rstrip().endswith(".")
    assert not re.search(r"nan|inf\b|-\d|\{", f"{chart.title} {chart.guide} {chart.reading}"), chart.reading
    chart.at(middle(one))


@EACH_CHART
def test_axes_carry_units_and_do_not_move(draw):
    figure = draw(view()).figure
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        assert UNIT.search(axis.title.text or "") and axis.range is not None


@EACH_CHART
def test_both_themes_say_the_same(draw):
    light, dark = draw(view()), draw(view(dark=True))
    assert (light.title, light.reading, light.alt) == (dark.title, dark.reading, dark.alt)


# ------------------------------------------------------------------ loss and accuracy


@EACH_WORLD
def test_loss_and_accuracy_are_the_runs(world):
    one = view(**world)
    reward = one.run.reward
    loss, accuracy = fit.loss(one).figure, fit.accuracy(one).figure
    np.testing.assert_array_equal(loss.data[2].y, reward.loss)
    np.testing.assert_array_equal(loss.data[3].y, reward.heldout_loss)
    np.testing.assert_array_equal(accuracy.data[2].y[1:], 100 * reward.train_accuracy[1:])
    np.testing.assert_array_equal(accuracy.data[3].y[1:], 100 * reward.heldout_accuracy[1:])
    assert np.isnan(accuracy.data[2].y[0])  # ties: shown as a gap, explained in words
    assert [shape.y0 for shape in loss.layout.shapes] == [np.log(2), reward.pairs.floor]
    levels = [shape.y0 for shape in accuracy.layout.shapes]
    assert levels == [100 * reward.pairs.ceiling, 100 * reward.pairs.agreement, 50]


@EACH_WORLD
def test_what_is_said_of_the_held_out_loss_is_true(world):
    one = view(**world)
    heldout, reading = one.run.reward.heldout_loss, fit.loss(one).reading
    if match := re.search(r"after ([\d.]+) at epoch (\d+)", reading):
        assert heldout[int(match[2])] == heldout.min() < heldout[-1]
    else:
        assert heldout[-1] - heldout.min() < fit.RISE


# ------------------------------------------------------------------ reliability


@EACH_WORLD
def test_bins_average_what_the_model_believes_and_what_labellers_did(world):
    one = view(**world)
    figure, pairs_ = fit.reliability(one).at(last(one)), one.run.reward.pairs
    margins = one.run.reward.margins(np.array([-1]))[0]
    for trace, mine in ((figure.data[2], ~pairs_.heldout), (figure.data[4], pairs_.heldout)):
        n_bins = len(trace.x)
        sizes = np.diff(np.arange(n_bins + 1) * mine.sum() // n_bins)
        right = (margins[mine] > 0) + 0.5 * (margins[mine] == 0)
        assert np.dot(trace.y, sizes) == pytest.approx(100 * right.sum())
        assert np.dot(trace.x, sizes) == pytest.approx(100 * special.expit(np.abs(margins[mine])).sum())
        assert np.all(np.diff(trace.x) >= 0) and len(trace.error_y.array) == n_bins


def test_before_training_it_is_half_sure_and_half_right():
    one = view()
    start = fit.reliability(one).at(0).data[2]
    np.testing.assert_allclose(start.x, 50)
    np.testing.assert_allclose(start.y, 50)


# ------------------------------------------------------------------ weights


@EACH_WORLD
def test_bars_end_at_the_final_weights_under_their_own_names(world):
    one = view(**world)
    chart = fit.weights(one)
    outline, bars, names, values = chart.at(last(one)).data
    by_label = dict(zip((feature.label for feature in FEATURES), one.run.reward.weights[-1], strict=True))
    np.testing.assert_allclose(bars.x, [by_label[name] for name in names.text])
    np.testing.assert_array_equal(bars.x, outline.x)
    np.testing.assert_array_equal(np.sort(bars.x)[::-1], bars.x)
    assert not np.any(chart.at(0).data[1].x)
    low, high = chart.figure.layout.xaxis.range
    assert low < names.x[0] < min(bars.x) and max(bars.x) < values.x[0] < high


# ------------------------------------------------------------------ pairs


@EACH_WORLD
def test_pairs_of_a_prompt_run_from_clearest_to_worst(world):
    one = view(prompt=4, **world)
    mine = pairs.pairs_of_prompt(one)
    assert sorted(mine) == np.flatnonzero(one.run.reward.pairs.prompt == 4).tolist()
    assert np.all(np.diff(one.run.reward.margins(np.array([-1]))[0, mine]) <= 0)
    assert len(pairs.pair_names(one)) == len(mine) >= 2


@EACH_WORLD
def test_the_written_scores_subtract_and_give_the_written_loss(world):
    one = view(**world)
    for rank, pair in enumerate(pairs.pairs_of_prompt(one)[:8]):
        live = pairs.pair_loss(rank)(one)
        encode_live(live)
        for row in (live.rows[0], live.rows[-1]):
            chosen, rejected, margin, p, loss = (
                float(live.values[slot][row].strip("()").replace("−", "-"))
                for slot in ("chosen", "rejected", "margin", "p", "loss")
            )
            assert chosen - rejected == pytest.approx(margin, abs=1e-9)
            assert loss == pytest.approx(np.logaddexp(0, -margin), abs=0.00501)
            assert p == pytest.approx(special.expit(margin), abs=0.00501)
        final = one.run.reward.margins(np.array([-1]))[0, pair]
        assert margin == pytest.approx(final, abs=0.00501)


def test_at_idle_every_pair_costs_log_2_and_the_end_is_written_out():
    one = view()
    live = pairs.pair_loss(3)(one)
    assert live.values["loss"][live.rows[0]] == "0.69"
    assert live.values["loss"][live.rows[-1]] in live.template


def test_negative_scores_stand_in_brackets():
    assert pairs._bracketed(-0.41) == "(−0.41)"
    assert pairs._bracketed(-0.001) == "0.00"


@pytest.mark.parametrize("prompt", [0, 11])
def test_cards_hold_both_texts_and_say_whether_the_pair_is_held_out(prompt):
    one = view(prompt=prompt)
    pair = pairs.pairs_of_prompt(one)[0]
    live = pairs.pair_cards(0)(one)
    chosen, rejected = one.run.reward.pairs.chosen[pair], one.run.reward.pairs.rejected[pair]
    text = live.template.replace("&#x27;", "'")
    assert text.index(one.responses[chosen]) < text.index(one.responses[rejected])
    assert ("held-out pair" in text) == bool(one.run.scenario.heldout[prompt])
    assert f"{one.run.reward.pairs.p_chosen[pair]:.0%} of all labellers" in text


@EACH_WORLD
def test_every_comparison_lies_on_the_sigmoid(world):
    one = view(**world)
    chart = pairs.all_pairs(1)(one)
    margins = one.run.reward.margins(np.array([-1]))[0]
    drawn = np.arange(len(margins)) < pairs.MOST_DOTS
    figure, heldout = chart.at(last(one)), one.run.reward.pairs.heldout
    for trace, mine in ((figure.data[2], ~heldout & drawn), (figure.data[4], heldout & drawn)):
        np.testing.assert_allclose(trace.x, margins[mine], atol=0.0051)
        np.testing.assert_allclose(trace.y, 100 * special.expit(np.asarray(trace.x)), atol=0.051)
    ringed = pairs.pairs_of_prompt(one)[1]
    assert figure.data[5].x[0] == pytest.approx(margins[ringed], abs=0.0051)
    assert f"{(np.round(margins, 2) > 0).mean():.0%} lie right of 0" in chart.reading
    assert ("Drawn are" in chart.reading) == (len(margins) > pairs.MOST_DOTS)
    assert chart.at(0).data[6].text[1] == "all tied"


def test_one_rank_gives_one_function():
    assert pairs.all_pairs(2) is pairs.all_pairs(2) and pairs.all_pairs(2) is not pairs.all_pairs(3)


# ------------------------------------------------------------------ reward against true reward


@EACH_WORLD
def test_dots_end_at_reward_and_true_reward_sized_by_the_policy(world):
    one = view(prompt=2, **world)
    chart = scores.reward_against_truth(one)
    dots = chart.at(last(one)).data[1]
    np.testing.assert_array_equal(dots.x, one.run.scenario.true_reward[2])
    np.testing.assert_allclose(dots.y, one.run.reward.scores[2], atol=1e-9)
    probs = np.exp(one.run.ppo.log_probs[-1, 2])
    np.testing.assert_allclose(
        dots.marker.size, np.maximum(scores.LARGEST_DOT * np.sqrt(probs), scores.SMALLEST_DOT), atol=0.051
    )
    assert not np.any(chart.at(0).data[1].y)
    assert chart.figure.data[2].y[0] == one.run.reward.scores[2].max()
    assert chart.figure.data[3].x[0] == one.run.scenario.true_reward[2].max()


@EACH_WORLD
def test_correlations_are_pearsons_and_the_title_follows_them(world):
    one = view(prompt=2, **world)
    reward, truth = one.run.reward.scores[2], one.run.scenario.true_reward[2]
    alike, weighted = scores.correlations(one)
    expected = np.corrcoef(reward, truth)[0, 1]
    assert alike == pytest.approx(expected)
    ref = np.exp(one.run.sft.log_probs[-1, 2])
    covariance = np.cov(reward, truth, aweights=ref)
    assert weighted == pytest.approx(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))
    title = scores.reward_against_truth(one).title
    assert title.startswith("Reward follows") == (weighted > scores.CLOSE)
    assert ("hardly elsewhere" in title) == (weighted > scores.CLOSE and alike < scores.LOOSE)


@EACH_WORLD
def test_overrating_is_measured_in_spreads_of_the_sft_policy_and_its_title_is_true(world):
    one = view(**world)
    chart, ours = scores.overrating(one), one.run
    reward, judged, truth = (trace.y for trace in chart.figure.data[3:])
    weights = np.exp(ours.ppo.log_probs[0])
    for gained, of in ((judged, ours.labeller_reward), (truth, ours.scenario.true_reward)):
        centred = of - (weights * of).sum(axis=1, keepdims=True)
        unit = np.sqrt((weights * centred**2).sum(axis=1).mean())
        assert gained[-1] == pytest.approx((np.exp(ours.ppo.log_probs[-1]) * centred).sum(axis=1).mean() / unit)
    np.testing.assert_allclose(reward, ours.ppo.reward, atol=1e-9)  # its unit is that spread already
    assert ("overrates" in chart.title) == bool(reward[-1] - truth[-1] > scores.VISIBLE)


# ------------------------------------------------------------------ type a response

TEXTS = (
    "", "   \n", "a", "x" * 10_000, "great! " * 1400, "你好，世界", "שלום 🙂", "<script>alert(1)</script>", "$a$ **b**",
    "\x00",
)  # fmt: skip


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:8]))
def test_any_text_is_scored_and_its_parts_add_up(text, scenario):
    one = view(scenario=scenario)
    figure, said = typed.earned(one, text).drawing.figure, typed.appraisal(one, text)
    total = float(re.search(r"Reward ([+−]?[\d.]+)", said)[1].replace("−", "-"))
    assert sum(figure.data[1].x) == pytest.approx(total, abs=0.00501)
    assert np.all(np.isfinite(figure.data[1].x)) and "nan" not in said


def test_what_is_remarkable_about_a_text_is_said():
    one = view()
    assert "An empty response" in typed.appraisal(one, " ")
    assert "no English word" in typed.appraisal(one, "你好，世界")
    assert "blind" not in typed.appraisal(one, one.responses[0])


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
def test_a_response_of_the_scenario_gets_the_score_that_ppo_sees(scenario):
    one = view(scenario=scenario, prompt=3)
    for response in (0, 17, 79):
        score = one.run.reward.scores[3, response]
        earned = typed.earned(one, one.responses[response]).drawing.figure.data[1].x
        assert sum(earned) == pytest.approx(score, abs=1e-9)
        beaten = int((one.run.reward.scores[3] < score - 1e-9).sum())
        said = re.search(r"above (\d+|all|none)\b", typed.appraisal(one, one.responses[response]))[1]
        assert int({"all": "80", "none": "0"}.get(said, said)) - beaten in (0, 1)  # the last bit


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
def test_a_text_above_all_answers_is_remarked_on(scenario):
    one = view(scenario=scenario)
    said = typed.appraisal(one, typed.BUZZWORDS)
    assert "above all this prompt’s 80 answers" in said and "Nothing in the model asks" in said


def test_starting_points_are_what_they_say():
    one = view(prompt=5)
    texts = {name: start(one) for name, start in typed.STARTS.items()}
    best = one.responses.index(texts["the truly best answer"])
    assert one.run.scenario.true_reward[5, best] == one.run.scenario.true_reward[5].max()
    top = one.responses.index(texts["the highest-scored answer"])
    assert one.run.reward.scores[5, top] == one.run.reward.scores[5].max()


# ------------------------------------------------------------------ prose


@EACH_WORLD
def test_prose_is_complete(world):
    one = view(**world)
    text = "".join(
        passage(one) for passage in (words.why_pairs, words.ceiling, words.typing, words.not_enough, words.reality)
    )
    assert not re.search(r"nan|[^\\]\{[a-z]", text)
    assert f"{one.run.reward.pairs.ceiling:.1%}" in words.ceiling(one)
    assert f"{one.run.reward.scale:.2f}" in words.no_zero(one)


@EACH_WORLD
def test_the_prompt_that_is_furthest_off_is_so(world):
    one = view(**world)
    top, rank = scores.rank_of_top(one)
    truth = one.run.scenario.true_reward
    assert rank == 1 + sum(truth[0] > truth[0, top])
    ranks = [scores.rank_of_top(view(prompt=p, **world))[1] for p in range(12)]
    assert (f"number {max(ranks)}" in words.not_enough(one)) and (
        ("For no other prompt" in words.not_enough(one)) == (max(ranks) == rank)
    )
