"""The safety scenario: its rule, and over-refusal where labellers reward caution.

Each claim's comment gives what was measured, so that a change of texts or values shows how far it moved.
"""

import re

import numpy as np
import pytest

from rlhf_core import PipelineRun, load_scenario
from rlhf_core.features import FEATURE_NAMES, measure_scenario
from rlhf_core.scenarios import FOLDER, SLOTS
from tests.core.long_runs import long_runs, share_losing_a_tenth
from tests.core.runs import run

SAFETY = load_scenario("safety")
TEXT = (FOLDER / "safety.toml").read_text(encoding="utf-8")
DECLINE = np.array([asked == "should be declined in part" for asked in re.findall(r"\[\[prompts\]\]  # (.+)", TEXT)])
"""(P,) prompts that should be declined in part; the others only sound dangerous."""


def runs(n_seeds: int = 10, **settings: object) -> list[PipelineRun]:
    return [run(scenario="safety", seed=seed, **settings) for seed in range(n_seeds)]


def kinds(prompt: int, response: int) -> tuple[str, ...]:
    return tuple(phrase.kind for phrase in SAFETY.parts(prompt, response))


# ------------------------------------------------------------------ the rule in the file's head


def rule() -> dict[str, list[float]]:
    """Slot and kind to logit, three values where to decline in part, three where not, and appeal."""
    rows = re.findall(r"(?m)^# ((?:opening|body|closing):\w+) +((?: *-?\d\.\d){8})", TEXT)
    return {name: [float(number) for number in numbers.split()] for name, numbers in rows}


def test_every_phrase_follows_the_rule_in_the_file_s_head():
    assert len(rule()) == 13
    for decline, slots in zip(DECLINE, SAFETY.phrases, strict=True):
        for slot, phrases in slots.items():
            for phrase in phrases:
                logit, *values, appeal = rule()[f"{slot}:{phrase.kind}"]
                ours = [phrase.helpful, phrase.honest, phrase.harmless]
                assert ours == (values[:3] if decline else values[3:])
                assert (phrase.pretraining_logit, phrase.appeal) == (logit, appeal)


def test_six_prompts_should_be_declined_in_part_and_both_kinds_are_trained_on_and_held_out():
    assert DECLINE.sum() == 6 and len(DECLINE) == 12
    assert set(DECLINE[SAFETY.heldout]) == set(DECLINE[~SAFETY.heldout]) == {True, False}


def test_the_three_values_count_alike_and_clashes_are_small():
    assert set(SAFETY.values.values()) == {1.0}
    assert all(0 < clash.penalty <= 1 for clash in SAFETY.clashes)


def test_the_truly_best_answer_helps_safely_and_neither_flatters_nor_promises():
    style = measure_scenario(SAFETY)
    for prompt, decline in enumerate(DECLINE):
        best = int(SAFETY.true_reward[prompt].argmax())
        assert kinds(prompt, best) == ("refuse" if decline else "caring", "helpful_safe", "offer")
        assert not style[prompt, best, FEATURE_NAMES.index("praise")]
        assert not style[prompt, best, FEATURE_NAMES.index("exclamations")]


def test_the_truly_worst_answer_is_careless_and_promises():
    for prompt, decline in enumerate(DECLINE):
        worst = kinds(prompt, int(SAFETY.true_reward[prompt].argmin()))
        assert worst == ("eager" if decline else "refuse", "careless", "cheer")


def test_refusing_is_worth_something_only_where_something_should_be_declined():
    for decline, slots in zip(DECLINE, SAFETY.phrases, strict=True):
        refuse = next(phrase for phrase in slots["opening"] if phrase.kind == "refuse")
        assert (refuse.helpful + refuse.honest + refuse.harmless > 0) == decline


def test_caution_alone_appeals():
    swaying = {f"{slot}:{p.kind}" for slots in SAFETY.phrases for slot in SLOTS for p in slots[slot] if p.appeal}
    assert swaying == {"opening:refuse", "body:refusal_bare", "body:lecture", "closing:warn"}


# ------------------------------------------------------------------ the default run


def test_default_run_stays_in_the_usual_range():
    for ours in runs():
        assert 0.7 < ours.ppo.reward[-1] - ours.ppo.reward[0] < 1.5  # 0.94 to 1.16
        assert ours.ppo.true_reward[-1] - ours.ppo.true_reward[0] > 0.2  # 0.85 at least
        assert 0.5 < ours.ppo.kl[-1] < 2  # 0.84 to 1.20 nats
    assert 0.6 < np.mean([ours.reward.heldout_accuracy[-1] for ours in runs()]) < 0.75  # 69 %
    assert 0.7 < np.mean([ours.reward.pairs.agreement for ours in runs()]) < 0.76  # 74 %


# ------------------------------------------------------------------ over-refusal


@pytest.mark.parametrize("clashes", [True, False], ids=["as shipped", "no clash"])
def test_without_bias_sixty_steps_without_a_penalty_lose_nothing(clashes):
    assert share_losing_a_tenth("safety", 0.0, clashes) <= 0.2  # none of 10 seeds


@pytest.mark.parametrize("clashes", [True, False], ids=["as shipped", "no clash"])
def test_labellers_who_reward_caution_make_most_seeds_lose(clashes):
    assert share_losing_a_tenth("safety", 1.5, clashes) >= 0.5  # 8 and 7 of 10 seeds


@pytest.mark.parametrize("clashes", [True, False], ids=["as shipped", "no clash"])
def test_the_loss_is_on_the_prompts_that_only_sound_dangerous(clashes):
    # From the peak to the end: 0.36 and 0.39 there, 0.10 and 0.09 where something should be declined.
    _, peak, end = np.mean([each.worth for each in long_runs("safety", 1.5, clashes)], axis=0)
    lost = peak - end
    assert lost[~DECLINE].mean() > 0.2 and lost[~DECLINE].mean() > 2 * lost[DECLINE].mean()


def test_the_favourites_turn_from_help_into_lectures():
    def lectures(bias: float) -> float:
        favourites = [each.favourites[p] for each in long_runs("safety", bias) for p in np.flatnonzero(~DECLINE)]
        return float(np.mean([body in ("lecture", "refusal_bare") for _, body, _ in favourites]))

    assert lectures(0.0) < 0.2 < 0.4 < lectures(1.5)  # 13 and 58 %


def test_the_reward_says_nothing_of_it():
    for each in long_runs("safety", 1.5):
        assert each.reward[-1] > each.reward[each.true_reward.argmax()] - 1e-9 and each.reward[-1] > each.reward[0] + 1


# ------------------------------------------------------------------ noise averages out, bias does not


def correlation(ours: PipelineRun) -> float:
    return float(np.corrcoef(ours.reward.scores.ravel(), SAFETY.true_reward.ravel())[0, 1])


def test_more_labels_average_noise_out():
    few, many = (
        np.mean([correlation(each) for each in runs(8, label_noise=2.5, labeller_bias=0, n_comparisons=n)])
        for n in (50, 2000)
    )
    assert many > few + 0.15  # 0.19 and 0.51


def test_more_labels_do_not_average_bias_out_although_the_labels_are_predicted_well():
    few, many = (runs(8, label_noise=0.1, labeller_bias=1.5, n_comparisons=n) for n in (200, 2000))
    assert abs(np.mean([correlation(each) for each in many]) - np.mean([correlation(each) for each in few])) < 0.08
    assert np.mean([each.reward.heldout_accuracy[-1] for each in many]) > 0.75  # 84 %


def test_the_optimum_is_best_for_people_at_a_price_in_between():
    truths = np.array([ours.frontier.true_reward for ours in runs()])
    best = truths.argmax(axis=1)
    assert ((best > 0) & (best < truths.shape[1] - 1)).all()  # β from 0.19 to 0.50; so in 60 of 60 seeds
    assert all(truth.max() > ours.ppo.true_reward[0] + 0.3 for truth, ours in zip(truths, runs(), strict=True))  # 0.67
