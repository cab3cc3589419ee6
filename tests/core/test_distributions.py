"""Categorical distributions in log space, KL divergence and its estimators."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special

from rlhf_core.distributions import entropy, expectation, kl_divergence, kl_estimators, kl_terms, log_softmax
from tests.core.tools import Array, fuzzed


def logits_of(size: int) -> st.SearchStrategy[Array]:
    return arrays(np.float64, size, elements=st.floats(-30, 30))


LOGITS = st.integers(2, 8).flatmap(logits_of)
TWO_LOGITS = st.integers(2, 8).flatmap(lambda size: st.tuples(logits_of(size), logits_of(size)))


def test_equal_logits_give_the_uniform_distribution() -> None:
    np.testing.assert_allclose(log_softmax(np.full(5, 3.0)), -np.log(5), rtol=1e-15)


def test_log_softmax_runs_along_the_last_axis() -> None:
    logits = np.random.default_rng(0).normal(size=(2, 3, 4))
    np.testing.assert_allclose(log_softmax(logits), special.log_softmax(logits, axis=-1), rtol=1e-14)


@fuzzed
@given(LOGITS, st.floats(-1000, 1000))
def test_a_constant_added_to_all_logits_changes_nothing(logits: Array, shift: float) -> None:
    np.testing.assert_allclose(log_softmax(logits + shift), log_softmax(logits), rtol=0, atol=1e-10)


@fuzzed
@given(LOGITS)
def test_probabilities_sum_to_one(logits: Array) -> None:
    assert np.exp(log_softmax(logits)).sum() == pytest.approx(1, abs=1e-12)


def test_logits_of_a_thousand_neither_overflow_nor_underflow() -> None:
    np.testing.assert_array_equal(log_softmax(np.array([1000.0, 0.0, -1000.0])), [0, -1000, -2000])


def test_an_impossible_choice_stays_impossible() -> None:
    np.testing.assert_allclose(log_softmax(np.array([0.0, -np.inf, 0.0])), [-np.log(2), -np.inf, -np.log(2)])


def test_entropy_by_hand() -> None:
    # H(1/2, 1/4, 1/4) = 1/2 log 2 + 2 * 1/4 log 4 = 3/2 log 2
    assert entropy(np.log([0.5, 0.25, 0.25])) == pytest.approx(1.5 * np.log(2), rel=1e-14)


def test_a_certain_choice_has_no_entropy() -> None:
    assert entropy(np.array([0.0, -np.inf])) == 0


@fuzzed
@given(LOGITS)
def test_entropy_lies_between_zero_and_log_k(logits: Array) -> None:
    assert 0 <= entropy(log_softmax(logits)) <= np.log(len(logits)) + 1e-12


def test_a_probability_of_1e_300_keeps_its_precision() -> None:
    log_probs, uniform = np.array([0.0, np.log(1e-300)]), np.log([0.5, 0.5])
    # 1e-300 * 300 log 10 = 6.9e-298 beside 1 * 0
    assert entropy(log_probs) == pytest.approx(300 * np.log(10) * 1e-300, rel=1e-12)
    # 1/2 log(1/2 / 1) + 1/2 log(1/2 / 1e-300)
    assert kl_divergence(uniform, log_probs) == pytest.approx(-np.log(2) + 150 * np.log(10), rel=1e-14)
    assert kl_divergence(log_probs, uniform) == pytest.approx(np.log(2), rel=1e-14)


def test_expectation_by_hand() -> None:
    assert expectation(np.log([0.5, 0.25, 0.25]), np.array([1.0, 2.0, 4.0])) == pytest.approx(2, rel=1e-14)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_the_value_of_an_impossible_response_does_not_count(value: float) -> None:
    assert expectation(np.array([0.0, -np.inf]), np.array([3.0, value])) == 3


def test_kl_by_hand_and_its_direction() -> None:
    half, ninety = np.log([0.5, 0.5]), np.log([0.9, 0.1])
    # 1/2 log(5/9) + 1/2 log 5 = 1/2 log(25/9) = log(5/3)
    assert kl_divergence(half, ninety) == pytest.approx(np.log(5 / 3), rel=1e-14)
    # 0.9 log(9/5) + 0.1 log(1/5)
    assert kl_divergence(ninety, half) == pytest.approx(0.9 * np.log(1.8) - 0.1 * np.log(5), rel=1e-14)


def test_kl_is_infinite_where_the_reference_rules_out_what_the_policy_does() -> None:
    assert kl_divergence(np.log([0.5, 0.5]), np.array([0.0, -np.inf])) == np.inf


def test_what_neither_policy_does_adds_nothing_to_the_kl() -> None:
    certain = np.array([0.0, -np.inf])
    assert kl_divergence(certain, certain) == 0


def test_kl_stays_finite_where_a_probability_underflows() -> None:
    # The reference gives the second response e^-1000 = 0 in float64: 1/2 log(1/2) + 1/2 (log(1/2) + 1000)
    assert kl_divergence(np.log([0.5, 0.5]), np.array([0.0, -1000.0])) == pytest.approx(500 - np.log(2), rel=1e-14)


@fuzzed
@given(TWO_LOGITS)
def test_kl_is_never_negative(logits: tuple[Array, Array]) -> None:
    assert kl_divergence(*map(log_softmax, logits)) >= -1e-12


@fuzzed
@given(LOGITS, st.floats(-100, 100))
def test_kl_of_a_policy_to_itself_is_zero(logits: Array, shift: float) -> None:
    assert kl_divergence(log_softmax(logits), log_softmax(logits + shift)) == pytest.approx(0, abs=1e-10)


def test_terms_of_the_kl_may_be_negative_and_sum_to_it() -> None:
    terms = kl_terms(np.log([0.5, 0.5]), np.log([0.9, 0.1]))
    np.testing.assert_allclose(terms, [0.5 * np.log(5 / 9), 0.5 * np.log(5)], rtol=1e-14)


def test_estimators_by_hand() -> None:
    # pi = 1/2, ref = 1/4: k1 = log 2, k2 = (log 2)^2 / 2, k3 = 1/2 - 1 + log 2
    found = kl_estimators(np.log([0.5]), np.log([0.25]))
    np.testing.assert_allclose(found, [[np.log(2)], [np.log(2) ** 2 / 2], [np.log(2) - 0.5]], rtol=1e-14)


@fuzzed
@given(TWO_LOGITS)
def test_k1_and_k3_are_unbiased(logits: tuple[Array, Array]) -> None:
    log_probs, ref_log_probs = map(log_softmax, logits)
    found = kl_estimators(log_probs, ref_log_probs)
    exact = kl_divergence(log_probs, ref_log_probs)
    assert np.exp(log_probs) @ found.k1 == pytest.approx(exact, rel=1e-9, abs=1e-9)
    assert np.exp(log_probs) @ found.k3 == pytest.approx(exact, rel=1e-9, abs=1e-9)


def test_k2_is_biased() -> None:
    log_probs, ref_log_probs = np.log([0.5, 0.5]), np.log([0.9, 0.1])
    mean_k2 = np.exp(log_probs) @ kl_estimators(log_probs, ref_log_probs).k2
    # 1/4 (log(5/9)^2 + log(5)^2) = 0.734 where the KL is log(5/3) = 0.511
    assert mean_k2 == pytest.approx((np.log(5 / 9) ** 2 + np.log(5) ** 2) / 4, rel=1e-14)
    assert mean_k2 > kl_divergence(log_probs, ref_log_probs) + 0.2


@fuzzed
@given(TWO_LOGITS)
def test_k3_is_never_negative_and_k1_sometimes_is(logits: tuple[Array, Array]) -> None:
    found = kl_estimators(*map(log_softmax, logits))
    assert found.k3.min() >= -1e-15
    # Both policies sum to 1, so one is not above the other everywhere.
    assert found.k1.min() <= 1e-12


def test_a_hopeless_sample_saturates_k3() -> None:
    found = kl_estimators(np.array([-2000.0]), np.array([0.0]))
    assert found.k1 == -2000
    assert np.isfinite(found.k3)
    assert found.k3 > 1e300
