"""Simulated labellers: how they choose, what they compare, how often two agree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from rlhf_core.preferences import Pairs, compare, labeller_reward, preference_probability
from tests.core.runs import run
from tests.core.tools import fuzzed

REWARDS = st.floats(-1000, 1000)


def one(first: float, second: float, *, label_noise: float) -> float:
    return float(preference_probability(np.array([first]), np.array([second]), label_noise=label_noise)[0])


def pairs_with(p_chosen: list[float]) -> Pairs:
    indices = np.arange(len(p_chosen))
    return Pairs(indices, indices, indices + 1, np.zeros(len(p_chosen), dtype=bool), np.array(p_chosen))


def small_world(n_comparisons: int) -> Pairs:
    """Three responses of probability 0.5, 0.3 and 0.2, which labellers find worth 0, 1 and 0.5; tau = 0.8."""
    return compare(
        np.log([[0.5, 0.3, 0.2]]),
        np.array([[0.0, 1.0, 0.5]]),
        np.array([False]),
        n_comparisons=n_comparisons,
        label_noise=0.8,
        rng=np.random.default_rng(0),
    )


def test_a_lead_of_tau_wins_with_probability_sigma_of_one() -> None:
    assert one(1.5, 1.0, label_noise=0.5) == pytest.approx(1 / (1 + np.exp(-1)), rel=1e-14)


@fuzzed
@given(REWARDS, REWARDS, st.floats(0, 5))
def test_one_response_wins_or_the_other(first: float, second: float, label_noise: float) -> None:
    total = one(first, second, label_noise=label_noise) + one(second, first, label_noise=label_noise)
    assert total == pytest.approx(1, abs=1e-15)


@fuzzed
@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-50, 50), st.floats(0.05, 5))
def test_only_the_difference_counts(first: int, second: int, shift: int, label_noise: float) -> None:
    shifted = one(first + shift, second + shift, label_noise=label_noise)
    assert one(first, second, label_noise=label_noise) == shifted


@pytest.mark.parametrize(("first", "second", "wanted"), [(1.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 1.0, 0.5)])
def test_without_noise_the_better_response_wins_and_a_tie_is_a_fair_coin(
    first: float, second: float, wanted: float
) -> None:
    assert one(first, second, label_noise=0.0) == wanted


@pytest.mark.parametrize("label_noise", [5e-324, 1e-300, 0.05, 5.0])
def test_a_lead_of_a_thousand_is_certain_and_silent(label_noise: float) -> None:
    assert one(1000, 0, label_noise=label_noise) == 1
    assert 0 <= one(0, 1000, label_noise=label_noise) <= np.exp(-199)


def test_negative_noise_is_refused() -> None:
    with pytest.raises(ValueError, match=r"label_noise must be >= 0, got -0\.1"):
        one(0, 0, label_noise=-0.1)


def test_agreement_and_ceiling_by_hand() -> None:
    # Agreement: (0.81 + 0.01 + 0.16 + 0.36) / 2 = 0.67. Ceiling: (0.9 + 0.6) / 2 = 0.75.
    pairs = pairs_with([0.9, 0.4])
    assert pairs.agreement == pytest.approx(0.67, rel=1e-14)
    assert pairs.ceiling == pytest.approx(0.75, rel=1e-14)


@fuzzed
@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_who_knows_their_judgement_agrees_at_least_as_often_as_a_second_labeller(p_chosen: list[float]) -> None:
    pairs = pairs_with(p_chosen)
    assert 0.5 - 1e-12 <= pairs.agreement <= pairs.ceiling + 1e-12


def test_both_responses_of_a_pair_are_drawn_from_the_policy_without_replacement() -> None:
    pairs = small_world(20_000)
    counts = np.bincount(pairs.chosen + pairs.rejected)[1:]  # pairs {0,1}, {0,2}, {1,2} have the sums 1, 2, 3
    probs = (0.5, 0.3, 0.2)
    # Either is drawn first, the other from what remains: p_i p_j / (1 - p_i) + p_j p_i / (1 - p_j)
    wanted = [probs[i] * probs[j] * (1 / (1 - probs[i]) + 1 / (1 - probs[j])) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert stats.chisquare(counts, 20_000 * np.array(wanted)).pvalue > 0.001


@pytest.mark.parametrize(("first", "second", "lead"), [(1, 0, 1.0), (1, 2, 0.5), (2, 0, 0.5)])
def test_labellers_choose_as_often_as_their_probability_says(first: int, second: int, lead: float) -> None:
    pairs = small_world(20_000)
    between = pairs.chosen + pairs.rejected == first + second
    wins, n = int((pairs.chosen[between] == first).sum()), int(between.sum())
    assert stats.binomtest(wins, n, special.expit(lead / 0.8)).pvalue > 0.001


def test_no_response_is_compared_with_itself() -> None:
    pairs = run().reward.pairs
    assert (pairs.chosen != pairs.rejected).all()


def test_a_labeller_s_judgement_is_the_truth_and_what_sways_them() -> None:
    found = labeller_reward(np.array([[1.5, -1.3]]), np.array([[0.0, 1.2]]), labeller_bias=0.5)
    np.testing.assert_allclose(found, [[1.5, -0.7]], rtol=1e-15)


def test_a_negative_bias_and_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match=r"labeller_bias must be >= 0, got -0\.1"):
        labeller_reward(np.zeros(2), np.zeros(2), labeller_bias=-0.1)
    with pytest.raises(ValueError, match=r"shapes differ: \(2,\), \(3,\)"):
        labeller_reward(np.zeros(2), np.zeros(3), labeller_bias=0.1)


@pytest.mark.parametrize("labeller_bias", [0.0, 0.75, 2.0])
@pytest.mark.parametrize("name", ["helpfulness", "safety"])
def test_each_pair_records_the_probability_of_its_own_choice(name: str, labeller_bias: float) -> None:
    found = run(scenario=name, labeller_bias=labeller_bias)
    pairs, judgement = found.reward.pairs, found.scenario.true_reward + labeller_bias * found.scenario.appeal
    np.testing.assert_array_equal(found.labeller_reward, judgement)
    lead = judgement[pairs.prompt, pairs.chosen] - judgement[pairs.prompt, pairs.rejected]
    np.testing.assert_allclose(pairs.p_chosen, special.expit(lead / found.settings.label_noise), rtol=1e-12)


def test_prompts_take_turns_and_held_out_ones_stay_out() -> None:
    found = run(n_comparisons=100)
    pairs, n_prompts = found.reward.pairs, len(found.scenario.prompts)
    assert [int(prompt) for prompt in pairs.prompt] == [i % n_prompts for i in range(100)]
    np.testing.assert_array_equal(pairs.heldout, [found.scenario.heldout[prompt] for prompt in pairs.prompt])


def test_a_longer_list_of_comparisons_begins_with_the_shorter_one() -> None:
    few, many = run(n_comparisons=100).reward.pairs, run().reward.pairs
    for name in ("prompt", "chosen", "rejected"):
        np.testing.assert_array_equal(getattr(many, name)[:100], getattr(few, name))


def test_a_response_of_probability_1e_300_can_still_be_the_second_of_a_pair() -> None:
    pairs = compare(
        np.array([[0.0, np.log(1e-300)]]),
        np.array([[1000.0, -1000.0]]),
        np.array([False]),
        n_comparisons=50,
        label_noise=0.8,
        rng=np.random.default_rng(0),
    )
    assert (pairs.chosen == 0).all()
    assert (pairs.rejected == 1).all()
