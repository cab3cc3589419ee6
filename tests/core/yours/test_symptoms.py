"""Each check on series made by hand: where it speaks, where it keeps still, and what it needs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rlhf_core.yours import symptoms
from rlhf_core.yours.diagnosis import SYMPTOMS, diagnose
from rlhf_core.yours.record import KNOWN, Record
from tests.core.tools import fuzzed

FACTS = {
    "optimum_kl": 5.0, "largest_kl": 8.0, "heldout_accuracy": 0.67, "heldout_pairs": 99, "agreement": 0.73,
    "ceiling": 0.8, "truth_spread": 1.2,
}  # fmt: skip
HEALTHY = {
    "reward": [0.0, 0.4, 0.8, 1.1], "reward_spread": [1.0, 1.0, 0.9, 0.8], "penalised_reward": [0.0, 0.4, 0.75, 1.0],
    "kl": [0.0, 0.2, 0.6, 1.1], "step_kl": [np.nan, 0.02, 0.015, 0.01], "clip_fraction": [np.nan, 0.1, 0.1, 0.08],
    "entropy": [3.7, 3.4, 2.8, 2.1], "equal_groups": [np.nan, 0.0, 0.0, 0.0], "length": [40.0, 41.0, 42.0, 43.0],
    "true_reward": [0.5, 0.8, 1.1, 1.3], "labeller_reward": [0.7, 1.1, 1.5, 1.8],
}  # fmt: skip


def record(**changes: object) -> Record:
    """The healthy record with other series (lists) or facts (numbers) in it; None takes a name away."""
    given = {**HEALTHY, **FACTS, **changes}
    series = {name: np.array(values, dtype=float) for name, values in given.items() if isinstance(values, list)}
    facts = {name: value for name, value in given.items() if isinstance(value, int | float)}
    return Record(np.arange(len(next(iter(series.values())))), series, facts)


def verdicts(**changes: object) -> dict[str, str]:
    return {finding.name: finding.verdict for finding in diagnose(record(**changes))}


def flagged(**changes: object) -> dict[str, str]:
    return {name: verdict for name, verdict in verdicts(**changes).items() if verdict != "healthy"}


def test_the_healthy_record_is_healthy_in_every_respect():
    assert flagged() == {}
    assert all(not finding.advice and finding.evidence and finding.source for finding in diagnose(record()))


@pytest.mark.parametrize(
    ("changes", "name", "verdict"),
    [
        ({"reward": [0.0, 0.2, 0.3, 0.3]}, "The score rises", "watch"),  # flat: 0.3 of a spread
        ({"reward": [0.0, 0.1, 0.2, 0.3]}, "The score rises", "healthy"),  # as little, but still rising
        ({"reward": [0.0, -0.2, -0.4, -0.6]}, "The score rises", "unhealthy"),
        ({"reward": [0.0, 1.4, 1.5, 0.8]}, "The score rises", "unhealthy"),  # falls back by half
        ({"reward": [0.0, 1.4, 1.5, 1.4]}, "The score rises", "healthy"),
        ({"penalised_reward": [0.0, 0.1, -0.1, -0.3]}, "It is worth its penalty", "unhealthy"),
        ({"penalised_reward": [0.0, 0.1, 0.0, -0.02]}, "It is worth its penalty", "watch"),
        ({"kl": [0.0, 0.1, 0.12, 0.12]}, "The policy moves", "unhealthy"),
        ({"kl": [0.0, 0.02, 0.05, 0.12]}, "The policy moves", "healthy"),  # little, but on its way
        ({"kl": [0.0, 1.0, 1.8, 2.0]}, "The policy stays near", "watch"),  # 54 % of 3.7
        ({"kl": [0.0, 1.0, 2.0, 2.6]}, "The policy stays near", "unhealthy"),  # 70 %
        ({"optimum_kl": 0.9}, "The policy stays near", "watch"),
        ({"step_kl": [np.nan, 0.02, 0.07, 0.01]}, "Steps are small", "watch"),
        ({"step_kl": [np.nan, 0.5, 0.02, 0.01]}, "Steps are small", "unhealthy"),
        ({"clip_fraction": [np.nan, 0.25, 0.1, 0.1]}, "Clipping is rare", "watch"),
        ({"clip_fraction": [np.nan, 0.1, 0.1, 0.4]}, "Clipping is rare", "unhealthy"),
        ({"clip_fraction": [np.nan, 0.0, 0.0, 0.0]}, "Clipping is rare", "unknown"),  # proves nothing
        ({"entropy": [3.7, 3.0, 2.0, 1.2]}, "Answers stay varied", "watch"),  # 3.3 answers
        ({"entropy": [3.7, 3.0, 2.0, 0.5]}, "Answers stay varied", "watch"),  # 1.6, but spread is left
        (
            {"entropy": [3.7, 3.0, 2.0, 0.5], "reward_spread": [1.0, 0.9, 0.6, 0.1]},
            "Answers stay varied", "unhealthy",
        ),
        ({"entropy": [3.7, 3.7, 3.8, 3.9]}, "Answers stay varied", "watch"),
        ({"entropy": [3.7, 3.7, 3.8, 3.9], "reward": [0.0, 0.0, -0.1, 0.0]}, "Answers stay varied", "unhealthy"),
        ({"equal_groups": [np.nan, 0.0, 0.2, 0.4]}, "Sampled answers differ", "watch"),
        ({"equal_groups": [np.nan, 0.0, 0.5, 0.9]}, "Sampled answers differ", "unhealthy"),
        ({"length": [40.0, 44.0, 50.0, 55.0]}, "Answers keep their length", "watch"),
        ({"length": [40.0, 50.0, 60.0, 70.0]}, "Answers keep their length", "unhealthy"),
        ({"agreement": 0.6}, "Labellers agree", "watch"),
        ({"agreement": 0.53}, "Labellers agree", "unhealthy"),
        ({"heldout_accuracy": 0.57}, "The reward model beats a coin", "watch"),  # of 99 pairs: a coin might
        ({"heldout_accuracy": 0.57, "heldout_pairs": 1000}, "The reward model beats a coin", "unhealthy"),
        ({"heldout_accuracy": 0.62, "heldout_pairs": 1000}, "The reward model beats a coin", "healthy"),
        ({"heldout_accuracy": 1.0, "heldout_pairs": 8}, "The reward model beats a coin", "watch"),
        ({"heldout_accuracy": 0.3}, "The reward model beats a coin", "unhealthy"),
        ({"labeller_reward": [0.7, 1.1, 1.6, 2.3]}, "Labellers are not fooled", "watch"),
        ({"labeller_reward": [0.7, 1.1, 2.0, 3.0]}, "Labellers are not fooled", "unhealthy"),
        ({"true_reward": [0.5, 1.6, 1.5, 1.4]}, "The truth follows", "watch"),
        ({"true_reward": [0.5, 1.6, 1.4, 1.1]}, "The truth follows", "unhealthy"),
        ({"true_reward": [0.5, 1.6, 1.6, 1.5]}, "The truth follows", "healthy"),  # visibly flat
        ({"true_reward": [1.3, 1.2, 1.1, 0.9]}, "The truth follows", "unhealthy"),  # never rose: the worst case
    ],
)  # fmt: skip
def test_a_symptom_is_flagged_and_no_other_one_is_missed(changes: dict, name: str, verdict: str) -> None:
    assert verdicts(**changes)[name] == verdict
    finding = next(each for each in diagnose(record(**changes)) if each.name == name)
    assert bool(finding.advice) == (verdict in ("watch", "unhealthy"))


def test_what_is_missing_is_unknown_and_said_so():
    findings = diagnose(Record(np.arange(3), {"reward": np.array([0.0, 0.5, 1.0])}))
    assert [finding.verdict for finding in findings] == ["healthy"] + ["unknown"] * (len(SYMPTOMS) - 1)
    assert findings[2].evidence == "not in this record: kl, entropy"


def test_a_fact_that_is_no_number_is_missing():
    assert verdicts(agreement=float("nan"))["Labellers agree"] == "unknown"


def test_nothing_to_measure_against_is_no_verdict():
    for changes, name in (
        ({"entropy": [0.0, 0.0, 0.0, 0.0]}, "The policy moves"),
        ({"reward_spread": [0.0, 0.0, 0.0, 0.0]}, "Answers stay varied"),
        ({"truth_spread": 0.0}, "Labellers are not fooled"),
        ({"heldout_pairs": 0}, "The reward model beats a coin"),
    ):
        assert verdicts(**changes)[name] == "unknown"


def test_two_rows_are_no_trend():
    early = {finding.name: finding for finding in diagnose(record().upto(2))}
    assert early["The score rises"].verdict == early["The policy moves"].verdict == "unknown"
    assert early["The score rises"].evidence == "too early to tell: 2 of the 3 rows that a trend needs"


def test_without_a_spread_a_gain_is_measured_against_the_noise():
    for slope, verdict in ((0.0, "watch"), (0.02, "healthy"), (-0.02, "unhealthy")):
        for seed in range(20):
            noisy = slope * np.arange(100) + np.random.default_rng(seed).normal(0, 0.3, 100)
            assert diagnose(Record(np.arange(100), {"reward": noisy}, window=10))[0].verdict == verdict


def test_every_name_that_a_check_needs_is_known():
    assert {name for symptom in SYMPTOMS for name in symptom.needs} <= set(KNOWN)
    assert len({symptom.name for symptom in SYMPTOMS}) == len(SYMPTOMS)


def test_evidence_says_where():
    found = {each.name: each.evidence for each in diagnose(record(true_reward=[1.3, 1.4, -0.2, -0.3]))}
    assert found["The truth follows"] == "1.30 → −0.30, highest 1.40 at step 1"
    assert "step 1" in found["Steps are small"]


# ------------------------------------------------------------------ the interval of a share


@fuzzed
@given(st.integers(1, 2000), st.data())
def test_the_interval_is_wilson_s(n: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, n))
    wanted = stats.binomtest(right, n).proportion_ci(0.9, method="wilson")
    assert symptoms.wilson(right / n, n) == pytest.approx((wanted.low, wanted.high), abs=1e-9)


# ------------------------------------------------------------------ over-optimisation


def test_a_fall_counts_by_its_size_and_by_its_share():
    fell = symptoms.over_optimised
    assert fell(np.array([1.0, 3.0, 2.0]), 1.2)
    assert not fell(np.array([1.0, 2.01, 1.91]), 1.2)  # a tenth of the gain, and flat to the eye
    assert not fell(np.array([0.0, 9.0, 8.5]), 1.2)  # large, but next to nothing of what was gained
    assert fell(np.array([2.0, 1.5, 1.0]), 1.2)  # the peak is step 0
    assert not fell(np.array([1.0, 1.0]), 1.2) and not fell(np.array([1.0, 1.0]), 0.0)


# ------------------------------------------------------------------ the record


def test_a_record_of_unknown_or_uneven_series_is_refused():
    with pytest.raises(ValueError, match=r"names must be among reward, .*, got 'score'"):
        Record(np.arange(2), {"score": np.zeros(2)})
    with pytest.raises(ValueError, match=r"kl must have shape \(2,\), got \(3,\)"):
        Record(np.arange(2), {"kl": np.zeros(3)})
    with pytest.raises(ValueError, match="window must be >= 1, got 0"):
        Record(np.arange(2), {}, window=0)


def test_gaps_are_passed_over_and_levels_are_means_of_a_window():
    one = Record(np.array([10, 20, 30, 40]), {"kl": np.array([np.nan, 1.0, 2.0, 6.0])}, {"agreement": 0.7}, window=2)
    assert (one.first("kl"), one.last("kl"), one.last("agreement")) == (1.5, 4.0, 0.7)
    assert one.step_of("kl", -1) == "40" and one.step_of("kl", 0) == "20"
    np.testing.assert_allclose(one.smooth("kl"), [1.5, 4.0])
    assert one.has("kl") and one.has("agreement") and not one.has("entropy") and not one.upto(1).has("kl")
    assert len(one.upto(3).steps) == 3 and one.upto(3).last("kl") == 1.5
    np.testing.assert_array_equal(Record(np.arange(3), {"kl": np.arange(3.0)}, window=9).smooth("kl"), [1.0])


# ------------------------------------------------------------------ whatever a log holds

ODD = st.one_of(st.just(np.nan), st.just(0.0), st.sampled_from([1e300, -1e300, 1e-300, -1.0, 0.5]), st.floats(-50, 50))


@settings(max_examples=300, deadline=None)
@given(st.data(), st.integers(1, 12), st.integers(1, 4))
def test_any_record_gets_a_verdict_and_its_evidence(data: st.DataObject, n_rows: int, window: int) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(HEALTHY)), unique=True))
    series = {name: np.array(data.draw(st.lists(ODD, min_size=n_rows, max_size=n_rows))) for name in names}
    facts = {name: data.draw(ODD) for name in data.draw(st.lists(st.sampled_from(sorted(FACTS)), unique=True))}
    for finding in diagnose(Record(np.arange(n_rows), series, facts, window)):
        assert finding.verdict in ("healthy", "watch", "unhealthy", "unknown") and finding.evidence
