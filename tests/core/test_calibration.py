"""Reliability and correlation against hand-worked numbers and independent formulas."""

import numpy as np
import pytest
from scipy import special

from rlhf_core.calibration import better_of_two, correlation, reliability, score_errors, sides
from rlhf_core.policy import prefix_log_probs
from rlhf_core.reward_model import fit
from tests.core.runs import run


def test_reliability_by_hand():
    # |margin| 0.5 (won), 1 (lost) | 2 (won), 3 (won): bins of two, from unsure to sure
    sure = [1 / (1 + np.exp(-m)) for m in (0.5, 1.0, 2.0, 3.0)]
    bins = reliability(np.array([3.0, -1.0, 0.5, 2.0]), n_bins=2)
    np.testing.assert_allclose(bins.confidence, [(sure[0] + sure[1]) / 2, (sure[2] + sure[3]) / 2])
    np.testing.assert_allclose(bins.share, [0.5, 1.0])
    np.testing.assert_allclose(bins.error, [np.sqrt(0.25 / 2), 0.0])


def test_ties_are_half_right_and_half_sure():
    bins = reliability(np.zeros((2, 7)), n_bins=3)
    np.testing.assert_allclose(bins.confidence, np.full((2, 3), 0.5))
    np.testing.assert_allclose(bins.share, np.full((2, 3), 0.5))


def test_bins_together_hold_every_pair_once():
    margins = np.random.default_rng(0).normal(size=23)
    bins = reliability(margins, n_bins=5)
    sizes = np.diff(np.arange(6) * 23 // 5)
    assert np.sum(bins.share * sizes) == pytest.approx((margins > 0).sum())


def test_labels_drawn_from_the_model_itself_lie_on_the_diagonal():
    rng = np.random.default_rng(1)
    size = rng.exponential(size=40_000)
    won = rng.random(40_000) < 1 / (1 + np.exp(-size))
    bins = reliability(np.where(won, size, -size), n_bins=4)
    assert np.all(np.abs(bins.share - bins.confidence) < 4 * bins.error)


@pytest.mark.parametrize("n_bins", [0, 4])
def test_a_wrong_number_of_bins_is_refused(n_bins):
    with pytest.raises(ValueError, match="n_bins must be from 1 to 3"):
        reliability(np.ones(3), n_bins=n_bins)


def test_correlation_of_equally_likely_cases_is_the_usual_one():
    first, second = np.random.default_rng(2).normal(size=(2, 4, 30))
    expected = [np.corrcoef(a, b)[0, 1] for a, b in zip(first, second, strict=True)]
    np.testing.assert_allclose(correlation(first, second, np.full((4, 30), -np.log(30))), expected)


def test_a_case_of_weight_three_counts_like_three_cases():
    first, second = np.array([1.0, 2.0, 5.0]), np.array([0.0, 3.0, 1.0])
    repeated = np.corrcoef(first[[0, 0, 0, 1, 2]], second[[0, 0, 0, 1, 2]])[0, 1]
    assert correlation(first, second, np.log([0.6, 0.2, 0.2])) == pytest.approx(repeated)


def test_a_constant_or_a_collapsed_policy_has_no_correlation():
    assert np.isnan(correlation(np.zeros(3), np.arange(3.0), np.full(3, -np.log(3))))
    collapsed = np.array([0.0, -np.inf, -800.0])
    assert np.isnan(correlation(np.arange(3.0), np.arange(3.0), collapsed))


def test_a_prefix_is_as_probable_as_all_responses_that_begin_with_it():
    log_probs = run().sft.log_probs[-1]
    openings, bodies, responses = prefix_log_probs(log_probs, (4, 5, 4))
    np.testing.assert_allclose(np.exp(openings), np.exp(log_probs).reshape(-1, 4, 20).sum(axis=2))
    np.testing.assert_allclose(np.exp(bodies), np.exp(log_probs).reshape(-1, 20, 4).sum(axis=2))
    np.testing.assert_array_equal(responses, log_probs)


def test_impossible_prefixes_stay_impossible_and_silent():
    openings, _ = prefix_log_probs(np.array([0.0, -np.inf, -np.inf, -np.inf]), (2, 2))
    assert openings[0] == 0 and openings[1] == -np.inf


def test_the_better_of_two_by_hand():
    # truth 3 > 2 > 1; the score has the two best the wrong way round: right in pairs (a, c) and (b, c)
    log_probs, truth, scores = np.log([0.5, 0.25, 0.25]), np.array([3.0, 2.0, 1.0]), np.array([1.0, 2.0, 0.0])
    right, pairs = 0.5 * 0.25 + 0.25 * 0.25, 0.5 * 0.25 + 0.5 * 0.25 + 0.25 * 0.25
    assert better_of_two(log_probs, scores, truth) == pytest.approx(right / pairs)
    assert better_of_two(log_probs, truth, truth) == 1 and better_of_two(log_probs, -truth, truth) == 0
    assert better_of_two(log_probs, 0 * truth, truth) == 0.5
    assert np.isnan(better_of_two(log_probs, scores, 0 * truth))


def test_the_better_of_two_is_what_draws_show():
    one = run()
    log_probs, scores, truth = one.ppo.log_probs[-1, 4], one.reward.scores[4], one.scenario.true_reward[4]
    rng = np.random.default_rng(0)
    a, b = rng.choice(len(truth), size=(2, 200_000), p=np.exp(log_probs))
    differ = truth[a] != truth[b]
    right = ((scores[a] > scores[b]) == (truth[a] > truth[b]))[differ].mean()
    assert better_of_two(log_probs, scores, truth) == pytest.approx(right, abs=0.01)


def test_score_errors_are_the_spread_of_fits_to_other_labels():
    """Refit to labels drawn anew for the same pairs: the scores vary as much as the formula says."""
    rng = np.random.default_rng(1)
    differences, truth, l2 = rng.normal(size=(400, 6)), rng.normal(size=6), 0.02
    asked = rng.normal(size=(30, 6))
    fits = []
    for _ in range(200):
        chosen = rng.random(400) < special.expit(differences @ truth)
        labelled = np.where(chosen[:, None], differences, -differences)
        fits.append(fit(labelled, n_epochs=120, learning_rate=0.5, l2=l2)[-1])
    spread = (np.array(fits) @ asked.T).std(axis=0)
    middle = np.mean(fits, axis=0)
    signs = np.sign(differences @ middle)[:, None]
    np.testing.assert_allclose(score_errors(asked, signs * differences, middle, l2=l2), spread, rtol=0.25)
    assert score_errors(np.zeros(6), differences, middle, l2=l2) == 0


# ------------------------------------------------------------------ accuracy against labels and against the truth


def test_sides_of_two_responses_by_hand():
    # One prompt, two responses: every pair is (a, b) or (b, a), so all shares are those of this one pair.
    log_probs = np.log([[0.7, 0.3]])
    scores = np.array([[[0.0, 0.0]], [[2.0, 1.0]], [[1.0, 2.0]]])
    judged, truth = np.array([[1.0, 0.0]]), np.array([[0.0, 3.0]])
    found = sides(log_probs, scores, judged, truth, label_noise=1.0)
    p = 1 / (1 + np.exp(-1))  # a labeller prefers a
    np.testing.assert_allclose(found.labels, [0, p, 1 - p])
    np.testing.assert_allclose(found.truth, [0, 0, 1])
    assert found.labeller == pytest.approx(1 - p)


def test_pairs_of_equal_worth_are_left_out_of_the_truth():
    log_probs, scores = np.log(np.full((1, 3), 1 / 3)), np.array([[[3.0, 2.0, 1.0]]])
    found = sides(log_probs, scores, np.zeros((1, 3)), np.array([[1.0, 1.0, 0.0]]), label_noise=1.0)
    assert found.truth == pytest.approx([1.0]) and found.labeller == pytest.approx(0.5)


def test_sides_are_what_many_drawn_pairs_show():
    ours, rng = run(n_comparisons=2000), np.random.default_rng(0)
    p, truth, judged = np.exp(ours.sft.log_probs[-1]), ours.scenario.true_reward, ours.labeller_reward
    scores = ours.reward.scores
    found = sides(ours.sft.log_probs[-1], scores[None], judged, truth, label_noise=ours.settings.label_noise)
    hits, n = np.zeros(3), 0
    for prompt in range(12):
        first = rng.choice(80, 4000, p=p[prompt] / p[prompt].sum())
        second = rng.choice(80, 4000, p=p[prompt] / p[prompt].sum())
        first, second = first[first != second], second[first != second]
        at = truth[prompt, first] != truth[prompt, second]
        first, second = first[at], second[at]
        chance = 1 / (1 + np.exp(-(judged[prompt, first] - judged[prompt, second]) / ours.settings.label_noise))
        picks, model = rng.random(len(first)) < chance, scores[prompt, first] > scores[prompt, second]
        better = truth[prompt, first] > truth[prompt, second]
        hits += [(model == picks).sum(), (model == better).sum(), (picks == better).sum()]
        n += len(first)
    np.testing.assert_allclose(hits / n, [found.labels[0], found.truth[0], found.labeller], atol=0.02)
