"""The timeline: which frames a run has, what each shows, and how a link finds its frame."""

import dataclasses
import re
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlhf_core import timeline
from rlhf_core.timeline import METRICS, Metrics
from tests.core.runs import run
from tests.settings_at_random import look, trained

LINES = ("sample", "score", "kl", "advantage")
SFT = (3, 6, 9, 10, 12, 15, 16, 18, 21, 24, 27, 30)


def build(**settings):
    return timeline.build(run(**settings))


# ------------------------------------------------------------------ names and counts


def test_the_frames_of_the_default_run_by_name():
    # 30 SFT epochs in strides of ceil(30/12) = 3, 60 reward-model epochs in strides of 5, 8 PPO steps of 5 lines;
    # and where a sixth of a stage's change has come: for the reward model most of it in the first two epochs.
    expected = ["idle"]
    expected += [f"sft-{epoch}" for epoch in SFT]
    expected += [f"rm-{epoch}" for epoch in (1, 2, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60)]
    for step in range(1, 9):
        expected += [*(f"ppo-{step}-{line}" for line in LINES), f"ppo-{step}"]
    assert list(build().names) == [*expected, "done"]


@pytest.mark.parametrize(
    ("epochs", "shown"),
    [(1, [1]), (12, [*range(1, 13)]), (13, [2, 4, 6, 8, 10, 12, 13]), (25, [3, 6, 9, 12, 15, 18, 21, 24, 25])],
)
def test_a_link_finds_about_a_dozen_even_epochs_of_a_stage_and_always_the_last(epochs, shown):
    line = build(sft_epochs=epochs, rm_epochs=epochs, ppo_steps=1)
    for phase in ("sft", "rm"):
        even = [f"{phase}-{epoch}" for epoch in shown]
        frames = [frame for frame in line.frames if frame.phase == phase]
        assert [frame.name for frame in frames if frame.name in even or not frame.played] == even
        assert frames[-1].name == even[-1] and frames[-1].played


@pytest.mark.parametrize("n_steps", [1, 60])
def test_every_ppo_step_has_five_frames_in_the_order_of_the_loop(n_steps):
    frames = [frame for frame in build(ppo_steps=n_steps, sft_epochs=2, rm_epochs=2).frames if frame.phase == "ppo"]
    assert [frame.line for frame in frames] == [*LINES, "update"] * n_steps
    assert [frame.ppo_step for frame in frames] == [k + (i == 4) for k in range(n_steps) for i in range(5)]


def test_names_are_unique_and_fit_for_a_url():
    names = build(ppo_steps=60).names
    assert len(set(names)) == len(names) >= 1 + 10 + 12 + 60 * 5 + 1
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)


def test_stops_are_idle_the_end_of_each_stage_every_ppo_step_and_done():
    line = build(ppo_steps=3)
    assert [line.names[i] for i in line.stops] == ["idle", "sft-30", "rm-60", "ppo-1", "ppo-2", "ppo-3", "done"]


def test_row_indices_never_go_back_and_end_at_the_last_row():
    line = build()
    for rows, last in ((line.sft_epochs, 30), (line.rm_epochs, 60), (line.ppo_steps, 8)):
        assert len(rows) == len(line.frames)
        assert rows[0] == 0 and rows[-1] == last and (np.diff(rows) >= 0).all()


def test_a_stage_has_come_as_far_as_its_frame_says():
    line = build()
    reached = {frame.name: (frame.sft_epoch, frame.rm_epoch, frame.ppo_step) for frame in line.frames}
    assert reached["idle"] == (0, 0, 0)
    assert reached["sft-12"] == (12, 0, 0)
    assert reached["rm-25"] == (30, 25, 0)
    assert reached["ppo-3-advantage"] == (30, 60, 2)
    assert reached["ppo-3"] == (30, 60, 3)
    assert reached["done"] == (30, 60, 8)


# ------------------------------------------------------------------ where the time goes


def played(line, phase):
    """Epochs or steps of a stage that are shown while it plays."""
    frames = [f for f in line.frames if f.phase == phase and f.played and f.line in (None, "update")]
    return [int(f.name.split("-")[1]) for f in frames]


def curves(ours, phase):
    """What the reader sees move in a stage, each by its share of its whole way."""
    n_sft = ours.settings.sft_epochs
    entropy = -(np.exp(ours.sft.log_probs) * ours.sft.log_probs).sum(axis=2).mean(axis=1)
    truth = ours.course.true_reward[: n_sft + 1].mean(axis=1)
    seen = {
        "sft": (ours.sft.loss, ours.sft.heldout_loss, entropy, truth),
        "rm": (ours.reward.loss, ours.reward.heldout_loss, ours.reward.heldout_accuracy),
        "ppo": (ours.ppo.reward, ours.ppo.kl, ours.ppo.true_reward),
    }
    ways = [np.abs(np.diff(curve)) for curve in seen[phase]]
    return np.mean([way / way.sum() for way in ways if way.sum() > 0] or [np.zeros(len(ways[0]))], axis=0)


@pytest.mark.parametrize("number", range(40))
@pytest.mark.parametrize(("phase", "n_frames"), [("sft", 6), ("rm", 6), ("ppo", 32)])
def test_each_frame_that_is_played_brings_about_as_much(number, phase, n_frames):
    ours, line = trained(look(number).settings)
    change, shown = curves(ours, phase), played(line, phase)
    assert shown[-1] == len(change) and len(shown) <= n_frames
    for start, end in pairwise([0, *shown]):
        one = change[start:end]
        assert one.sum() <= 1 / n_frames + one.max() + 1e-9  # what one epoch does cannot be cut


def test_every_step_is_played_of_a_run_that_has_few():
    assert played(build(ppo_steps=32), "ppo") == [*range(1, 33)]
    assert 20 <= len(played(build(ppo_steps=60, beta=0.0), "ppo")) <= 32


@pytest.mark.parametrize("speed", [1, 5, 10])
@pytest.mark.parametrize("n_steps", [8, 12, 32, 60])
def test_ppo_can_be_followed_and_does_not_drag(speed, n_steps):
    seconds = {"sft": 0.0, "rm": 0.0, "ppo": 0.0}
    for frame in build(ppo_steps=n_steps).frames[1:-1]:
        if frame.line in (None, "update"):
            seconds[frame.phase] += frame.beats / 20 ** ((speed - 1) / 9)
    at_five = seconds["ppo"] / 20 ** ((5 - speed) / 9)
    assert 4 <= at_five <= (6 if n_steps < 20 else 8.5)
    assert seconds["ppo"] > 2 * max(seconds["sft"], seconds["rm"])
    assert speed < 10 or sum(seconds.values()) < 2.5
    assert speed > 1 or seconds["ppo"] >= 18


@pytest.mark.parametrize(("n_steps", "beats"), [(1, 3), (6, 3), (9, 2), (18, 1), (60, 1)])
def test_a_step_stays_longer_where_there_are_few(n_steps, beats):
    frames = build(ppo_steps=n_steps, sft_epochs=2, rm_epochs=2).frames
    assert {frame.beats for frame in frames if frame.phase == "ppo" and frame.played} == {beats}


def test_ppo_gets_the_largest_share_of_the_time_and_what_does_not_change_gets_none():
    for seed, scenario in product(range(5), ("helpfulness", "safety")):
        line = build(seed=seed, scenario=scenario)
        assert len(played(line, "ppo")) == 8 > len(played(line, "sft")) > len(played(line, "rm"))
        assert not [epoch for epoch in played(line, "rm") if 30 <= epoch < 60]


# ------------------------------------------------------------------ metrics


def metrics(line, name):
    return dataclasses.astuple(line.find(name).metrics)


def test_metrics_are_the_runs_arrays_at_that_moment_and_missing_before():
    ours, line = run(scenario="safety", seed=2), build(scenario="safety", seed=2)
    sft_entropy = [-(np.exp(rows) * rows).sum() / 12 for rows in ours.sft.log_probs]
    accuracy, ppo = ours.reward.heldout_accuracy, ours.ppo
    assert metrics(line, "idle") == ("Idle", None, None, None, None, None)
    assert metrics(line, "sft-12") == ("SFT", None, None, None, None, pytest.approx(sft_entropy[12], abs=1e-12))
    assert metrics(line, "rm-25") == (
        "Reward model", None, None, None, accuracy[25], pytest.approx(sft_entropy[-1], abs=1e-12)
    )  # fmt: skip
    for name, row in (("ppo-3-kl", 2), ("ppo-3", 3), ("ppo-8", 8)):
        expected = ("PPO", int(name[4]), ppo.reward[row], ppo.kl[row], accuracy[-1], ppo.entropy[row])
        assert metrics(line, name) == expected
    assert metrics(line, "done") == ("Done", *metrics(line, "ppo-8")[1:])


def test_metrics_are_plain_python_numbers():
    for frame in build().frames:
        assert {type(value) for value in dataclasses.astuple(frame.metrics)} <= {str, int, float, type(None)}


def test_the_six_metrics_carry_label_unit_definition_and_trl_names():
    assert [(spec.key, spec.label, spec.unit, spec.trl_name, spec.grpo_name) for spec in METRICS] == [
        ("phase", "Phase", "", "", ""),
        ("ppo_step", "PPO step", "", "episode", "step"),
        ("reward", "Avg reward", "reward units", "objective/scores", "reward"),
        ("kl", "KL divergence", "nats", "objective/kl", "kl"),
        ("rm_accuracy", "RM accuracy", "held-out pairs", "eval_accuracy", ""),
        ("entropy", "Policy entropy", "nats", "policy/entropy_avg", "entropy"),
    ]
    assert [spec.key for spec in METRICS] == [spec.name for spec in dataclasses.fields(Metrics)]
    assert all(spec.definition.endswith(".") for spec in METRICS)


def written(**values):
    return [spec.write(Metrics("PPO", **values), 8) for spec in METRICS]


def test_what_is_not_yet_produced_is_an_en_dash():
    assert written() == ["PPO", "\u2013 / 8", "\u2013", "\u2013", "\u2013", "\u2013"]


def test_metrics_are_written_with_two_decimals_and_accuracy_in_percent():
    values = {"ppo_step": 3, "reward": 1.208, "kl": 0.5049, "rm_accuracy": 0.6728, "entropy": 4.0}
    assert written(**values) == ["PPO", "3 / 8", "1.21", "0.50", "67%", "4.00"]
    assert written(reward=-0.25, kl=0.0)[2:4] == ["-0.25", "0.00"]


def test_an_untrained_policy_is_never_written_with_a_minus_sign():
    assert written(reward=-1e-17, kl=-0.0, entropy=-0.0049)[2:] == ["0.00", "0.00", "\u2013", "0.00"]
    for seed in range(10):
        assert [spec.write(build(seed=seed).find("ppo-1-sample").metrics, 8) for spec in METRICS[2:4]] == ["0.00"] * 2


def test_rows_are_even_epochs_and_whole_steps():
    rows = timeline.rows(build())
    assert [row["frame"] for row in rows] == [
        "idle", *(f"sft-{epoch}" for epoch in range(3, 31, 3)), *(f"rm-{epoch}" for epoch in range(5, 61, 5)),
        *(f"ppo-{step}" for step in range(1, 9)), "done",
    ]  # fmt: skip
    assert list(rows[0]) == ["frame", "phase", "ppo_step", "reward", "kl", "rm_accuracy", "entropy"]
    assert rows[0]["kl"] is None and rows[-1]["kl"] == run().ppo.kl[-1]


# ------------------------------------------------------------------ find


def test_every_frame_is_found_by_its_name():
    line = build()
    assert [line.find(name) for name in line.names] == list(line.frames)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("ppo-12", "ppo-8"),
        ("ppo-999999999", "ppo-8"),
        ("ppo-0", "ppo-1"),
        ("ppo-12-kl", "ppo-8"),
        ("ppo-03", "ppo-3"),
        ("sft-4", "sft-3"),
        ("sft-8", "sft-9"),
        ("sft-100", "sft-30"),
        ("sft-0", "sft-3"),
        ("rm-3", "rm-2"),
        ("rm-300", "rm-60"),
    ],
)
def test_a_frame_that_this_run_lacks_becomes_the_nearest_of_its_phase(asked, found):
    assert build().find(asked).name == found


@pytest.mark.parametrize(
    "name",
    ["", "-", "ppo", "ppo-", "ppo--1", "ppo-1.5", "ppo-x", "ppo-3-dance", "ppo-3-kl-kl", "dpo-3", "idle-1", "DONE",
     "done ", "ppo-²", "ppo-" + "9" * 5000],
)  # fmt: skip
def test_a_name_of_no_phase_is_refused_with_what_is_allowed(name):
    with pytest.raises(ValueError) as caught:
        build().find(name)
    assert str(caught.value).startswith("at must be idle, sft-EPOCH, rm-EPOCH, ppo-STEP, ppo-STEP-LINE or done, got ")
    assert len(str(caught.value)) < 150


PARTS = st.sampled_from(["idle", "sft", "rm", "ppo", "done", "-", "-3", "-99", "-kl", "-update", "٣", " ", "\x00"])


@given(st.text(max_size=20) | st.lists(PARTS, max_size=5).map("".join))
def test_any_name_gives_a_frame_of_its_phase_or_a_value_error(name):
    try:
        frame = build().find(name)
    except ValueError:
        return
    assert name.startswith(frame.phase)
