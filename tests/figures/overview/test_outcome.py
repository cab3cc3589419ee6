"""Figures of the Overview page: their data are the run's, and their words are true of it."""

import numpy as np
import pytest

from pages.drawing.wording import minus
from pages.figures.metrics import progress
from pages.figures.overview import outcome
from pages.figures.overview.three_policies import POLICIES, three_policies
from rlhf_core.__main__ import main
from rlhf_core.timeline import METRICS
from tests.figures.worlds import EACH_WORLD, frame, sent, shown, view

# ------------------------------------------------------------------ the whole pipeline


@EACH_WORLD
def test_the_curves_are_the_run_s_true_reward_and_score(settings):
    of = view(**settings)
    ppo, n_sft = of.run.ppo, of.run.settings.sft_epochs
    chart = outcome.whole_pipeline(of)
    n = len(chart.figure.data) // 3
    truth, score, *judged = chart.figure.data[n : 2 * n]
    for ghost, curve in zip(chart.figure.data[:n], chart.figure.data[n : 2 * n], strict=True):
        np.testing.assert_array_equal(curve.y, ghost.y)
    assert len(judged) == (of.run.settings.labeller_bias > 0)
    for curve in judged:
        np.testing.assert_allclose(curve.y[: n_sft + 1], of.run.course.labeller_reward[: n_sft + 1].mean(axis=1))
        np.testing.assert_allclose(curve.y[n_sft + 1 :], ppo.labeller_reward)
    np.testing.assert_allclose(truth.y[: n_sft + 1], of.run.course.true_reward[: n_sft + 1].mean(axis=1))
    np.testing.assert_allclose(truth.y[n_sft + 1 :], ppo.true_reward)
    np.testing.assert_array_equal(score.y, ppo.reward)
    assert truth.line.dash != score.line.dash and truth.line.color != score.line.color
    assert "[" in chart.figure.layout.yaxis.title.text and chart.alt and chart.reading
    sent(chart)


@EACH_WORLD
def test_the_axes_hold_everything_and_stand_still(settings):
    chart = outcome.whole_pipeline(view(**settings))
    low, high = chart.figure.layout.yaxis.range
    for trace in chart.figure.data[: 2 * len(chart.figure.data) // 3]:
        assert low < np.min(trace.y) and np.max(trace.y) < high
        assert chart.figure.layout.xaxis.range[0] < trace.x[0] and trace.x[-1] < chart.figure.layout.xaxis.range[1]


def test_playback_draws_as_far_as_each_stage_has_come():
    of = view()
    chart = outcome.whole_pipeline(of)
    lengths = {
        name: [len(trace.y) for trace in chart.at(frame(of, name)).data[3:6]]
        for name in ("idle", "sft-15", "sft-30", "rm-30", "rm-60", "ppo-1-sample", "ppo-1", "done")
    }
    assert lengths == {
        "idle": [1, 0, 1], "sft-15": [16, 0, 16], "sft-30": [31, 0, 31], "rm-30": [31, 0, 31], "rm-60": [32, 1, 32],
        "ppo-1-sample": [32, 1, 32], "ppo-1": [33, 2, 33], "done": [40, 9, 40],
    }  # fmt: skip
    truth, score, judged = chart.at(frame(of, "ppo-3")).data[6:9]
    assert truth.y[0] == pytest.approx(of.run.ppo.true_reward[3]) and score.y[0] == of.run.ppo.reward[3]
    assert judged.y[0] == pytest.approx(of.run.ppo.labeller_reward[3])


def test_labellers_who_are_not_swayed_have_no_line_of_their_own():
    for draw in (outcome.whole_pipeline, progress.score_and_truth):
        swayed, fair = (draw(view(labeller_bias=bias)) for bias in (0.75, 0.0))
        names = [{note.text for note in chart.figure.layout.annotations} for chart in (swayed, fair)]
        assert "labellers’<br>judgement" in names[0] - names[1]


@EACH_WORLD
def test_the_title_holds_for_the_run(settings):
    ours = view(**settings).run
    base, truth, score = ours.course.true_reward[0].mean(), ours.ppo.true_reward, ours.ppo.reward
    title, peak = outcome.story_title(ours), int(truth.argmax())
    if title.startswith("After"):
        assert f"step {peak} " in title and score[-1] > score[peak] and truth[-1] < truth[peak]
        chart, of = outcome.whole_pipeline(view(**settings)), view(**settings)
        assert list(chart.figure.data[-1].text) == [f"peak: step {peak}"]
        assert [len(chart.at(frame(of, at)).data[-1].text) for at in ("idle", "ppo-1", "done")] == [0, 0, 1]
    elif title.startswith("SFT makes"):
        assert base < truth[0] < truth[-1]
    for number in (base, truth[0], truth[-1], score[-1]):
        assert minus(number) in outcome.story_reading(ours)


def test_each_kind_of_title_occurs():
    titles = [
        outcome.story_title(view(**settings).run).split()[0]
        for settings in ({}, {"beta": 0.0, "ppo_steps": 60, "scenario": "helpfulness"})
    ]
    assert titles == ["SFT", "After"]


# ------------------------------------------------------------------ three policies


@EACH_WORLD
def test_the_cards_show_the_drawn_answers_with_their_figures(settings):
    of = view(prompt=2, **settings)
    live, ours = three_policies(of), of.run
    last = shown(live, len(of.timeline.frames) - 1)
    sent(live)
    for name, row in zip(POLICIES, (0, ours.settings.sft_epochs, -1), strict=True):
        assert last[f"{name}-later"] == ""
        assert last[f"{name}-mean-truth"] == minus(ours.course.true_reward[row, 2])
        for i, answer in enumerate(ours.course.answers[row, 2]):
            assert last[f"{name}-{i}-text"] == of.responses[answer]
            assert last[f"{name}-{i}-truth"] == minus(ours.scenario.true_reward[2, answer], "+.2f")
            assert last[f"{name}-{i}-reward"] == minus(ours.reward.scores[2, answer], "+.2f")
            percent = last[f"{name}-{i}-p"].removeprefix("< ").removesuffix("%")
            assert float(percent) / 100 == pytest.approx(np.exp(of.policy_log_probs[row, answer]), abs=0.0051)


def test_columns_ahead_of_the_playhead_show_the_end_of_the_run_and_say_so():
    of = view()
    live = three_policies(of)
    idle, sft, rm, first, later = (
        shown(live, frame(of, name)) for name in ("idle", "sft-15", "rm-60", "ppo-1-sample", "ppo-5")
    )
    done = shown(live, frame(of, "done"))
    assert (idle["sft-later"], idle["ppo-later"]) == ("later", "later")
    assert all(idle[f"ppo-{i}-text"] == done[f"ppo-{i}-text"] for i in range(3))
    assert sft["sft-later"] == "" and sft["sft-state"] == "after epoch 15 of 30" and sft["ppo-later"] == "later"
    assert (sft["unscored"], rm["unscored"]) == ("unscored", "")
    assert first["ppo-later"] == "" and first["ppo-state"] == "after step 0 of 8"
    assert all(first[f"ppo-{i}-text"] == first[f"sft-{i}-text"] for i in range(3))
    assert later["ppo-state"] == "after step 5 of 8"
    assert {live.values["base-later"][row] for row in live.rows} == {""}


def test_an_answer_never_changes_its_worth():
    of = view()
    live = three_policies(of)
    worth = dict(zip(of.responses, of.run.scenario.true_reward[0], strict=True))
    for name in POLICIES:
        for text, truth in zip(live.values[f"{name}-0-text"], live.values[f"{name}-0-truth"], strict=True):
            assert truth == minus(worth[text], "+.2f")


# ------------------------------------------------------------------ words


def test_minus_is_a_minus_and_zero_has_none():
    assert [minus(-0.004), minus(-1.5), minus(2.0, "+.1f"), minus(0.0, "+.2f"), minus(-0.0)] == [
        "0.00", "\N{MINUS SIGN}1.50", "+2.0", "0.00", "0.00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "settings", [{}, {"beta": 0.3, "scenario": "safety", "ppo_steps": 3}, {"advantage": "gae", "label_noise": 1.25}],
    ids=str,
)  # fmt: skip
def test_the_command_prints_the_tiles_of_this_very_run(settings, capsys):
    of = view(**settings)
    program, *arguments = outcome.command(of.run.settings).removeprefix("python -m ").split(" ")
    assert program == "rlhf_core" and main(arguments) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    tiles = [spec.write(of.timeline.frames[-1].metrics, of.timeline.n_steps) for spec in METRICS]
    assert last.split("  ") and all(tile in last for tile in tiles)


@EACH_WORLD
def test_what_is_said_of_each_stage_holds_its_numbers(settings):
    ours = view(**settings).run
    assert f"{ours.sft.heldout_loss[-1]:.2f} nats" in outcome.sft_outcome(ours)
    assert f"{ours.reward.heldout_accuracy[-1]:.0%}" in outcome.reward_model_outcome(ours)
    assert minus(ours.ppo.reward[-1]) in outcome.ppo_outcome(ours)


def test_the_toy_is_described_by_its_own_counts():
    template = outcome.toy_and_real(view(rollouts=16, ppo_steps=3)).template
    for count in ("13 phrases", "80 answers", "104 numbers", "12 things", "400 comparisons", f"{16 * 12 * 3} sampled"):
        assert count in template
    assert "exact expectation" in outcome.toy_and_real(view(rollouts=0, ppo_steps=20)).template
