"""The reward model: the Bradley–Terry loss, its ridge fit, and the reward's zero and unit."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import optimize, special

from rlhf_core import PipelineRun, reward_model
from rlhf_core.features import measure
from rlhf_core.reward_model import bradley_terry_loss, fit, ridge_loss
from tests.core.runs import run
from tests.core.tools import Array, Tables, central_differences, fuzzed

SCENARIOS = ("helpfulness", "safety")
SCORES = arrays(np.float64, 4, elements=st.floats(-100, 100))


def loss_of(chosen: list[float], rejected: list[float], **options: float) -> Array:
    return bradley_terry_loss(np.array(chosen), np.array(rejected), **options)[0]


def training_differences(found: PipelineRun) -> Array:
    """Standardised features of the chosen minus the rejected responses, counted again from the texts."""
    scenario, pairs = found.scenario, found.reward.pairs
    counts = np.stack([measure(p, texts) for p, texts in zip(scenario.prompts, scenario.responses, strict=True)])
    training = np.concatenate(counts[~scenario.heldout])
    spread = training.std(axis=0)
    standardised = (counts - training.mean(axis=0)) / np.where(spread == 0, 1, spread)
    differences = standardised[pairs.prompt, pairs.chosen] - standardised[pairs.prompt, pairs.rejected]
    return np.asarray(differences[~pairs.heldout])


def test_equal_scores_lose_log_2_whatever_their_level() -> None:
    np.testing.assert_allclose(loss_of([0, 5, -1000], [0, 5, -1000]), np.log(2), rtol=1e-15)


def test_loss_by_hand() -> None:
    # A lead of log 3 wins with probability 3/4: -log(3/4)
    np.testing.assert_allclose(loss_of([np.log(3)], [0]), [np.log(4 / 3)], rtol=1e-14)


def test_a_demanded_margin_is_taken_off_the_lead() -> None:
    np.testing.assert_allclose(loss_of([2], [0], margin=0.5), loss_of([1.5], [0]), rtol=1e-15)


def test_centring_charges_the_squared_sum() -> None:
    np.testing.assert_allclose(loss_of([2], [1], center_coef=0.1) - loss_of([2], [1]), [0.1 * 3**2], rtol=1e-13)


@fuzzed
@given(SCORES, SCORES)
def test_swapping_chosen_and_rejected_negates_the_margin(chosen: Array, rejected: Array) -> None:
    # -log sigma(m) + log sigma(-m) = -m, and the gradients change places.
    loss, grad_chosen, grad_rejected = bradley_terry_loss(chosen, rejected)
    swapped, swapped_chosen, swapped_rejected = bradley_terry_loss(rejected, chosen)
    np.testing.assert_allclose(loss - swapped, rejected - chosen, rtol=0, atol=1e-12)
    np.testing.assert_allclose(grad_chosen, -1 - swapped_chosen, rtol=0, atol=1e-15)
    np.testing.assert_allclose(grad_rejected, 1 - swapped_rejected, rtol=0, atol=1e-15)


@fuzzed
@given(SCORES, SCORES, st.floats(-100, 100))
def test_a_constant_added_to_both_scores_changes_nothing(chosen: Array, rejected: Array, shift: float) -> None:
    for ours, shifted in zip(
        bradley_terry_loss(chosen, rejected), bradley_terry_loss(chosen + shift, rejected + shift), strict=True
    ):
        np.testing.assert_allclose(shifted, ours, rtol=0, atol=1e-11)


@pytest.mark.parametrize("center_coef", [0.0, 0.1])
@pytest.mark.parametrize("margin", [0.0, 0.7])
def test_gradients_match_central_differences(margin: float, center_coef: float) -> None:
    chosen, rejected = np.random.default_rng(0).normal(0, 2, (2, 6))

    def total(scores: Tables) -> float:
        lead = scores[0] - scores[1] - margin
        return float((-np.log(special.expit(lead)) + center_coef * (scores[0] + scores[1]) ** 2).sum())

    loss, *gradients = bradley_terry_loss(chosen, rejected, margin=margin, center_coef=center_coef)
    assert loss.sum() == pytest.approx(total((chosen, rejected)), rel=1e-12)
    for ours, wanted in zip(gradients, central_differences(total, (chosen, rejected)), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-8)


def test_margins_of_a_thousand_neither_overflow_nor_warn() -> None:
    loss, grad_chosen, grad_rejected = bradley_terry_loss(np.array([1000.0, -1000.0]), np.zeros(2))
    np.testing.assert_array_equal(loss, [0, 1000])
    np.testing.assert_array_equal(grad_chosen, [0, -1])
    np.testing.assert_array_equal(grad_rejected, [0, 1])


def test_a_sure_win_keeps_its_tiny_loss() -> None:
    # log(1 + e^-40) = e^-40; the naive -log(sigma(40)) would round to 0.
    np.testing.assert_allclose(loss_of([40], [0]), [np.exp(-40)], rtol=1e-12)


def test_scores_of_different_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shapes differ: \(2,\), \(3,\)"):
        bradley_terry_loss(np.zeros(2), np.zeros(3))


def test_the_ridge_gradient_matches_central_differences() -> None:
    rng = np.random.default_rng(0)
    differences, weights = rng.normal(size=(20, 4)), rng.normal(size=4)

    def total(at: Tables) -> float:
        return float(-np.log(special.expit(differences @ at[0])).mean() + 0.3 * (at[0] ** 2).sum())

    loss, gradient = ridge_loss(weights, differences, l2=0.3)
    assert loss == pytest.approx(total((weights,)), rel=1e-12)
    np.testing.assert_allclose(gradient, central_differences(total, (weights,))[0], rtol=0, atol=1e-8)


def test_three_wins_to_one_are_worth_log_3() -> None:
    weights = fit(np.array([[1.0], [1.0], [1.0], [-1.0]]), n_epochs=300, learning_rate=1.0, l2=0.0)
    assert weights[0] == 0
    assert weights[-1, 0] == pytest.approx(np.log(3), abs=1e-8)


def test_an_undefeated_response_climbs_for_ever_without_a_ridge() -> None:
    # No finite maximum-likelihood fit exists (Ford 1957): sigma(w) reaches 1 at infinity only.
    weights = fit(np.ones((5, 1)), n_epochs=400, learning_rate=1.0, l2=0.0)[:, 0]
    assert (np.diff(weights) > 0).all()
    assert weights[400] > weights[200] + 1


def test_a_ridge_gives_an_undefeated_response_a_finite_score() -> None:
    # sigma(-w) = 2 l2 w is solved by w = 1 if l2 = sigma(-1) / 2.
    weights = fit(np.ones((5, 1)), n_epochs=300, learning_rate=1.0, l2=float(special.expit(-1) / 2))
    assert weights[-1, 0] == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_fitted_weights_are_the_optimum_of_the_regularised_loss(name: str, seed: int) -> None:
    found = run(scenario=name, seed=seed)
    differences, l2 = training_differences(found), found.settings.rm_l2

    def loss_and_gradient(weights: Array) -> tuple[float, Array]:
        lead = differences @ weights
        slope = -differences.T @ special.expit(-lead) / len(lead) + 2 * l2 * weights
        return float(np.logaddexp(0, -lead).mean() + l2 * weights @ weights), slope

    best = optimize.minimize(
        loss_and_gradient, np.zeros(12), jac=True, method="L-BFGS-B", options={"ftol": 1e-16, "gtol": 1e-10}
    )
    assert np.abs(best.x).max() > 0.1
    np.testing.assert_allclose(found.reward.weights[-1], best.x, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_trace_holds_the_loss_and_accuracy_of_its_weights(name: str) -> None:
    found = run(scenario=name).reward
    pairs = found.pairs
    for heldout, losses, accuracies in (
        (False, found.loss, found.train_accuracy),
        (True, found.heldout_loss, found.heldout_accuracy),
    ):
        kept = pairs.heldout == heldout
        prompt, chosen, rejected = pairs.prompt[kept], pairs.chosen[kept], pairs.rejected[kept]
        for epoch in (0, 1, 7, -1):
            scores = found.features @ found.weights[epoch]
            lead = scores[prompt, chosen] - scores[prompt, rejected]
            assert losses[epoch] == pytest.approx(np.mean(-np.log(special.expit(lead))), rel=1e-10)
            assert accuracies[epoch] == np.mean(lead > 0)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_fit_starts_at_log_2_with_nothing_but_ties_which_count_as_wrong(name: str) -> None:
    found = run(scenario=name).reward
    assert found.loss[0] == pytest.approx(np.log(2), rel=1e-14)
    assert found.train_accuracy[0] == found.heldout_accuracy[0] == 0


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_reward_has_mean_zero_and_unit_spread_under_the_sft_policy(name: str) -> None:
    found = run(scenario=name)
    probs, scores = np.exp(found.sft.log_probs[-1]), found.reward.scores
    np.testing.assert_allclose((probs * scores).sum(axis=1), 0, rtol=0, atol=1e-12)
    assert (probs * scores**2).sum(axis=1).mean() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("name", SCENARIOS)
def test_within_a_prompt_the_reward_ranks_as_the_fitted_weights_do(name: str) -> None:
    found = run(scenario=name).reward
    raw = found.features @ found.weights[-1]
    differences = (raw - raw[:, :1]) / found.scale
    np.testing.assert_allclose(found.scores - found.scores[:, :1], differences, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_features_contributions_sum_to_the_reward(name: str) -> None:
    found = run(scenario=name)
    for prompt, response in ((0, 0), (2, 37), (-1, 79)):
        text = found.scenario.responses[prompt][response]
        earned = found.reward.contributions(found.scenario, prompt, text)
        assert earned.shape == (12,)
        assert earned.sum() == pytest.approx(found.reward.scores[prompt, response], abs=1e-12)


def test_held_out_pairs_never_touch_the_weights() -> None:
    found, pairs = run(), run().reward.pairs
    turned = dataclasses.replace(
        pairs,
        chosen=np.where(pairs.heldout, pairs.rejected, pairs.chosen),
        rejected=np.where(pairs.heldout, pairs.chosen, pairs.rejected),
    )
    used = found.settings
    other = reward_model.train(
        found.scenario,
        turned,
        found.sft.log_probs[-1],
        n_epochs=used.rm_epochs,
        learning_rate=used.rm_learning_rate,
        l2=used.rm_l2,
    )
    np.testing.assert_array_equal(other.weights[:61], found.reward.weights[:61])
    assert (other.heldout_loss[1:] != found.reward.heldout_loss[1:61]).all()


def test_a_model_that_has_learnt_nothing_scores_everything_zero() -> None:
    found = run()
    untrained = reward_model.train(
        found.scenario, found.reward.pairs, found.sft.log_probs[-1], n_epochs=0, learning_rate=0.6, l2=0.02
    )
    assert not untrained.scores.any()
    assert untrained.scale == 1


@pytest.mark.parametrize(
    "settings",
    [{"label_noise": 0.0, "rm_l2": 0.0, "rm_epochs": 300}, {"n_comparisons": 24, "rm_l2": 0.0}, {"label_noise": 5.0}],
    ids=str,
)
def test_the_fit_stays_finite_at_the_edges_of_the_settings(settings: dict[str, float]) -> None:
    found = run(**settings).reward
    assert np.isfinite(found.weights).all()
    assert np.isfinite(found.scores).all()
    assert found.loss[-1] < np.log(2)
