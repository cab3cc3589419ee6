"""The helpfulness scenario: its rule, and over-optimisation that convinces whoever reads the answers.

Each claim's comment gives what was measured, so that a change of texts or values shows how far it moved.
"""

import re

import numpy as np
import pytest

from rlhf_core import PipelineRun, load_scenario
from rlhf_core.calibration import correlation
from rlhf_core.features import FEATURE_NAMES, measure
from rlhf_core.scenarios import FOLDER, SLOTS, Phrase
from tests.core.long_runs import long_runs, share_losing_a_tenth
from tests.core.runs import run

HELPFULNESS = load_scenario("helpfulness")
TEXT = (FOLDER / "helpfulness.toml").read_text(encoding="utf-8")


def runs(n_seeds: int = 10, **settings: object) -> list[PipelineRun]:
    return [run(scenario="helpfulness", seed=seed, **settings) for seed in range(n_seeds)]


def kinds(prompt: int, response: int) -> tuple[str, ...]:
    return tuple(phrase.kind for phrase in HELPFULNESS.parts(prompt, response))


def worth(phrase: Phrase) -> float:
    return phrase.helpful + phrase.honest + phrase.harmless


# ------------------------------------------------------------------ the rule in the file's head


def rule() -> dict[str, float]:
    """Slot and kind to the worth that the file's head states."""
    rows = re.findall(r"(?m)^# {3}(opening|body|closing| {5,7}) +([a-z]+) {2,}([+-]?\d(?:\.\d+)?)", TEXT)
    slot, found = "", {}
    for name, kind, value in rows:
        slot = name.strip() or slot
        found[f"{slot}:{kind}"] = float(value)
    return found


EXCEPTIONS = {"body:curt": (0.1, "helpful"), "body:wrong": (-0.2, "harmless"), "closing:check": (0.1, "harmless")}
"""By how much a phrase may differ from the rule, and in which value; each such line of the file says why."""


def test_every_phrase_follows_the_rule_in_the_file_s_head_and_every_exception_says_why():
    assert len(rule()) == 13
    lines = TEXT.splitlines()
    for slots in HELPFULNESS.phrases:
        for slot, phrases in slots.items():
            for phrase in phrases:
                off = worth(phrase) - rule()[f"{slot}:{phrase.kind}"]
                (line,) = (line for line in lines if f'"{phrase.text}"' in line)
                assert (abs(off) > 1e-9) == ("},  # " in line)
                if abs(off) > 1e-9:
                    assert off == pytest.approx(EXCEPTIONS[f"{slot}:{phrase.kind}"][0])


def test_a_kind_has_the_same_values_appeal_and_frequency_in_every_prompt_but_for_its_exception():
    for slot in SLOTS:
        for same in zip(*(slots[slot] for slots in HELPFULNESS.phrases), strict=True):
            free = EXCEPTIONS.get(f"{slot}:{same[0].kind}", (0, ""))[1]
            for name in {"helpful", "honest", "harmless", "appeal", "pretraining_logit"} - {free}:
                assert len({getattr(phrase, name) for phrase in same}) == 1


def test_there_is_no_clash_and_the_three_values_count_alike():
    assert HELPFULNESS.clashes == () and set(HELPFULNESS.values.values()) == {1.0}


def test_at_bias_1_a_wrong_body_passes_for_a_curt_one():
    curt, wrong = (next(p for p in HELPFULNESS.phrases[0]["body"] if p.kind == kind) for kind in ("curt", "wrong"))
    assert worth(wrong) + wrong.appeal == pytest.approx(worth(curt))


def test_the_truly_best_answer_is_right_and_neither_flatters_nor_promises_nor_overclaims():
    for prompt, worths in enumerate(HELPFULNESS.true_reward):
        assert kinds(prompt, int(worths.argmax())) == ("plain", "clear", "check")


def test_the_truly_worst_answer_is_wrong_and_promises():
    for prompt, worths in enumerate(HELPFULNESS.true_reward):
        assert kinds(prompt, int(worths.argmin())) == ("praise", "wrong", "promise")


def test_wrong_bodies_sound_more_exact_than_clear_ones():
    """A few words and one or two numbers or steps longer: all that the reward model can see of them."""
    for question, slots in zip(HELPFULNESS.prompts, HELPFULNESS.phrases, strict=True):
        texts = {phrase.kind: phrase.text for phrase in slots["body"]}
        clear, wrong = measure(question, [texts["clear"], texts["wrong"]])
        style = dict(zip(FEATURE_NAMES, wrong - clear, strict=True))
        assert 4 <= style["words"] <= 6 and 1 <= style["steps"] <= 2


def test_style_is_in_the_phrases_that_are_said_to_have_it():
    for question, slots in zip(HELPFULNESS.prompts, HELPFULNESS.phrases, strict=True):
        for slot, phrases in slots.items():
            for phrase in phrases:
                style = dict(zip(FEATURE_NAMES, measure(question, [phrase.text])[0], strict=True))
                assert (style["praise"] > 0) == (phrase.kind in ("praise", "cheer"))
                assert (style["exclamations"] > 0) == (phrase.kind == "cheer")
                assert style["certainty"] > 0 or phrase.kind not in ("sure", "promise")
                assert style["hedges"] > 0 or phrase.kind != "doubtful"
                assert style["sentences"] == 1 and not style["refusal"]
                assert style["caveats"] + style["questions"] > 0 or (slot, phrase.kind) != ("closing", "check")


# ------------------------------------------------------------------ the default run


def test_default_run_stays_in_the_usual_range():
    for ours in runs(20):
        assert 0.7 < ours.ppo.reward[-1] - ours.ppo.reward[0] < 1.5  # 0.88 to 1.29
        assert ours.ppo.true_reward[-1] - ours.ppo.true_reward[0] > 0.2  # 0.56 at least
        assert 0.5 < ours.ppo.kl[-1] < 2  # 0.76 to 1.36 nats
    assert 0.6 < np.mean([ours.reward.heldout_accuracy[-1] for ours in runs(20)]) < 0.75  # 69 %
    assert 0.7 < np.mean([ours.reward.pairs.agreement for ours in runs(20)]) < 0.76  # 71 %


# ------------------------------------------------------------------ over-optimisation


@pytest.mark.parametrize("clashes", [True, False], ids=["as shipped", "no clash"])
def test_sixty_steps_without_a_penalty_lose_a_tenth_of_the_gain_in_most_seeds(clashes):
    assert share_losing_a_tenth("helpfulness", 0.75, clashes) >= 0.8  # 10 of 10 seeds


@pytest.mark.parametrize("clashes", [True, False], ids=["as shipped", "no clash"])
def test_so_they_do_with_labellers_who_are_not_swayed(clashes):
    assert share_losing_a_tenth("helpfulness", 0.0, clashes) >= 0.6  # 10 of 10 seeds


def test_the_reward_says_nothing_of_it_and_the_labellers_would_not_either():
    for each in long_runs("helpfulness", 0.75):
        peak = int(each.true_reward.argmax())
        assert each.reward[-1] > each.reward[peak]
    for ours in runs(3, beta=0, ppo_steps=60):
        peak = int(ours.ppo.true_reward.argmax())
        assert ours.ppo.labeller_reward[-1] > ours.ppo.labeller_reward[0] + 0.5


def share_of_favourites(bias: float, *wanted: str) -> float:
    favourites = [kinds for each in long_runs("helpfulness", bias) for kinds in each.favourites]
    return float(np.mean([bool(set(wanted) & set(kinds)) for kinds in favourites]))


def test_unbiased_labellers_lose_by_wrong_answers_and_swayed_ones_by_flattery_too():
    # Of the likeliest answers at the end, without bias, at the default bias and at 1.5.
    assert share_of_favourites(0.0, "wrong") > 0.1 and share_of_favourites(0.75, "wrong") > 0.1  # 23, 23 and 11 %
    flattery = [share_of_favourites(bias, "praise", "cheer") for bias in (0.0, 0.75, 1.5)]
    assert flattery[0] < 0.3 and flattery[0] + 0.15 < flattery[1] and flattery[1] + 0.15 < flattery[2]  # 21, 49, 81 %


# ------------------------------------------------------------------ noise averages out, bias does not


def follows_truth(runs: list[PipelineRun]) -> float:
    """Mean correlation of reward and true reward within a prompt, over what the SFT policy writes."""
    return float(
        np.mean([correlation(each.reward.scores, HELPFULNESS.true_reward, each.sft.log_probs[-1]) for each in runs])
    )


def accuracy(runs: list[PipelineRun]) -> float:
    return float(np.mean([each.reward.heldout_accuracy[-1] for each in runs]))


def test_more_labels_average_noise_out():
    few, many = (runs(label_noise=2.5, labeller_bias=0, n_comparisons=n, ppo_steps=1) for n in (50, 2000))
    assert follows_truth(many) > follows_truth(few) + 0.15  # 0.12 and 0.45


def test_more_labels_do_not_average_bias_out_although_the_labels_are_predicted_better():
    few, many = (runs(label_noise=0.1, labeller_bias=1.5, n_comparisons=n, ppo_steps=1) for n in (200, 2000))
    assert abs(follows_truth(many) - follows_truth(few)) <= 0.08  # 0.39 and 0.40
    noisy = runs(label_noise=2.5, labeller_bias=0, n_comparisons=2000, ppo_steps=1)
    assert accuracy(many) > accuracy(noisy) + 0.2  # 87 % against 55 %
    assert follows_truth(many) < follows_truth(noisy)


def test_the_optimum_is_best_for_people_at_a_price_in_between():
    truths = np.array([ours.frontier.true_reward for ours in runs()])
    best = truths.argmax(axis=1)
    assert ((best > 0) & (best < truths.shape[1] - 1)).all()
    assert all(truth.max() > ours.ppo.true_reward[0] + 0.1 for truth, ours in zip(truths, runs(), strict=True))  # 0.18
    assert all(truth[0] < ours.ppo.true_reward[0] for truth, ours in zip(truths, runs(), strict=True))  # at beta 0
