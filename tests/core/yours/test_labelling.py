"""A reader's labels: coded for a link, asked in one order, learnt from as they are, and answered by PPO."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlhf_core.yours import labelling
from rlhf_core.yours.labelling import LEFT, MOST_LABELS, RIGHT, SAME, agreement, ask, decode, encode, learn
from tests.core.runs import run
from tests.timing import quickest


def by_the_truth(ours, n, values=None):
    """Choices of a reader who goes by some values, the true reward by default."""
    values = ours.scenario.true_reward if values is None else values
    choices: list[int] = []
    for _ in range(n):
        prompt, left, right = ask(ours, choices)[-1]
        gap = values[prompt, left] - values[prompt, right]
        choices.append(LEFT if gap > 0 else RIGHT if gap < 0 else SAME)
    return choices


@given(st.lists(st.sampled_from([LEFT, RIGHT, SAME]), max_size=MOST_LABELS))
def test_choices_survive_a_link(choices):
    assert decode(encode(choices)) == tuple(choices) and len(encode(choices)) <= 20


@pytest.mark.parametrize("text", ["2", "0", "00", "-1", "é", "A", " 7", "z" * 61, "z" * 40, "1", "6s "])
def test_what_is_no_code_of_choices_is_refused(text):
    with pytest.raises(ValueError, match="labels must be the code of at most 60 choices, got "):
        decode(text)


@given(st.text(max_size=80))
def test_whatever_a_link_holds_is_read_or_refused(text):
    try:
        assert encode(decode(text)) == text
    except ValueError as error:
        assert str(error).startswith("labels must be")


def test_pairs_follow_from_the_choices_alone_and_are_about_training_prompts():
    ours, other = run(), run(beta=0.5, ppo_steps=2, rm_l2=0.1, n_comparisons=48, label_noise=3.0)
    choices = by_the_truth(ours, 12)
    pairs = ask(ours, choices)
    assert pairs == ask(other, choices) and pairs[:7] == ask(ours, choices[:6])
    assert not ours.scenario.heldout[[pair.prompt for pair in pairs]].any()
    assert all(pair.left != pair.right for pair in pairs) and len({frozenset(pair) for pair in pairs}) == 13


def test_pairs_are_further_apart_than_those_that_chance_would_ask():
    ours = run()
    rows = [labelling._difference(ours, pair) for pair in ask(ours, by_the_truth(ours, 20))]
    usual = np.linalg.norm(labelling._simulated(ours), axis=1).mean()
    assert np.linalg.norm(rows, axis=1).mean() > 1.2 * usual


@pytest.mark.parametrize("seed", range(10))
def test_who_labels_by_the_truth_gets_more_of_it_than_sft_gave(seed):
    ours = run(seed=seed)
    found = learn(ours, by_the_truth(ours, 30))
    assert found.same_as_truth == found.n_decided and found.ppo.true_reward[-1] > found.ppo.true_reward[0]


def test_turned_labels_turn_the_reward_and_ties_say_nothing():
    ours = run()
    choices = by_the_truth(ours, 8)
    same = learn(ours, [SAME] * 8)
    assert same.n_decided == 0 and np.isnan(same.left_out_accuracy) and np.abs(same.weights).max() < 1e-9
    one, other = learn(ours, choices[:1]), learn(ours, [1 - choices[0]])
    np.testing.assert_allclose(one.weights, -other.weights, atol=1e-9)


def test_mixed_with_many_simulated_labels_the_fit_nears_theirs():
    ours = run()
    choices = by_the_truth(ours, 10, -ours.scenario.true_reward)
    alone, mixed = learn(ours, choices), learn(ours, choices, simulated=0.9)
    theirs = ours.reward.weights[-1]
    assert np.linalg.norm(mixed.weights - theirs) < np.linalg.norm(alone.weights - theirs)
    assert mixed.agrees_with_labellers > alone.agrees_with_labellers


def test_a_left_out_choice_is_foretold_by_a_fit_without_it():
    ours = run()
    choices = by_the_truth(ours, 9)
    found = learn(ours, choices)
    rows = np.array([labelling._difference(ours, pair) for pair in found.pairs])
    right = []
    for i, choice in enumerate(choices):
        if choice != SAME:
            kept = np.arange(len(choices)) != i
            ridge = ours.settings.rm_l2 * labelling.FEW
            weights, _ = labelling._fit(rows[kept], labelling._targets(choices)[kept], np.ones(kept.sum()), ridge)
            right.append((rows[i] @ weights > 0) == (choice == LEFT))
    assert found.left_out_accuracy == pytest.approx(np.mean(right))


def test_agreement_of_a_value_with_itself_its_opposite_and_a_constant():
    values = np.array([[0.0, 1.0, 3.0]])
    log_probs = np.log(np.array([[0.2, 0.3, 0.5]]))
    assert agreement(values, 2 * values, log_probs) == 1 and agreement(values, -values, log_probs) == 0
    assert agreement(values, np.zeros((1, 3)), log_probs) == 0.5
    mixed = np.array([[0.0, 3.0, 1.0]])  # only 1 against 2 differs: 0.15 of 0.06 + 0.10 + 0.15
    assert agreement(values, mixed, log_probs) == pytest.approx(0.16 / 0.31)


def test_sixty_labels_are_learnt_from_at_once():
    ours = run()
    choices = by_the_truth(ours, MOST_LABELS)
    assert quickest(lambda: learn(ours, choices, simulated=0.5), times=5) < 0.5  # 50 ms on a quiet machine
    with pytest.raises(ValueError, match="at most 60"):
        learn(ours, [*choices, LEFT])
    with pytest.raises(ValueError, match="at least 1 choice"):
        learn(ours, [])
    with pytest.raises(ValueError, match="simulated must be from 0 to"):
        learn(ours, choices, simulated=1.0)
