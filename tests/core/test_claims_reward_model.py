"""What the reward-model page says about reward models, held against many seeds and both scenarios."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from rlhf_core import PipelineRun
from rlhf_core.calibration import correlation
from rlhf_core.distributions import expectation
from rlhf_core.optimum import optimal_log_probs
from rlhf_core.reward_model import bradley_terry_loss
from tests.core.runs import run

SEEDS = range(10)


@pytest.fixture(params=["helpfulness", "safety"])
def scenario(request: pytest.FixtureRequest) -> str:
    return request.param


def runs(scenario: str, **settings: object) -> list[PipelineRun]:
    return [run(scenario=scenario, seed=seed, **settings) for seed in SEEDS]


def per_prompt_correlation(ours: PipelineRun, log_probs: np.ndarray) -> np.ndarray:
    return correlation(ours.reward.scores, ours.scenario.true_reward, log_probs)


# ------------------------------------------------------------------ what the page draws from the trace


def test_margins_are_differences_of_scores_and_give_the_recorded_loss_and_accuracy(scenario):
    ours = run(scenario=scenario)
    epochs = np.array([0, 3, len(ours.reward.loss) - 1])
    margins, pairs = ours.reward.margins(epochs), ours.reward.pairs
    for prompt in range(12):
        mine, scores = pairs.prompt == prompt, ours.reward.log_odds(prompt, epochs)
        np.testing.assert_allclose(
            margins[:, mine], scores[:, pairs.chosen[mine]] - scores[:, pairs.rejected[mine]], atol=1e-12
        )
        np.testing.assert_allclose(scores[-1] / ours.reward.scale, ours.reward.scores[prompt], atol=1e-12)
    train = margins[:, ~pairs.heldout]
    np.testing.assert_allclose(-np.log(special.expit(train)).mean(axis=1), ours.reward.loss[epochs])
    np.testing.assert_allclose((train > 0).mean(axis=1), ours.reward.train_accuracy[epochs])


def test_the_floor_is_the_expected_loss_of_the_labellers_own_probabilities():
    """Half the pairs at p = 0.8, half at 0.5: (-0.8 log 0.8 - 0.2 log 0.2 + log 2) / 2."""
    pairs = run().reward.pairs
    by_hand = -np.mean(pairs.p_chosen * np.log(pairs.p_chosen) + (1 - pairs.p_chosen) * np.log1p(-pairs.p_chosen))
    assert pairs.floor == pytest.approx(by_hand)
    two = replace(pairs, p_chosen=np.array([0.8, 0.5]))
    assert two.floor == pytest.approx(((-0.8 * np.log(0.8) - 0.2 * np.log(0.2)) + np.log(2)) / 2)


# ------------------------------------------------------------------ "training pushes the chosen answers to the right"


def test_the_mean_margin_of_training_pairs_grows_from_zero(scenario):
    for ours in runs(scenario):
        margins = ours.reward.margins(np.array([0, -1]))[:, ~ours.reward.pairs.heldout].mean(axis=1)
        assert margins[0] == 0 and margins[1] > 0.3


def test_training_pairs_cost_less_than_a_coin_and_knowing_the_truth_less_still(scenario):
    for ours in runs(scenario):
        assert ours.reward.pairs.floor < ours.reward.loss[-1] < np.log(2)


# ------------------------------------------------------------------ agreement and ceiling


def test_the_ceiling_is_never_below_agreement():
    p = np.linspace(0, 1, 101)
    assert np.all(np.maximum(p, 1 - p) >= p**2 + (1 - p) ** 2)


def test_agreement_is_how_often_two_labellers_choose_alike_and_the_ceiling_what_the_truth_gets_right(scenario):
    pairs, rng = run(scenario=scenario).reward.pairs, np.random.default_rng(0)
    first, second = rng.random((2, 4000, len(pairs.p_chosen))) < pairs.p_chosen
    assert (first == second).mean() == pytest.approx(pairs.agreement, abs=0.003)
    assert (first == (pairs.p_chosen > 0.5)).mean() == pytest.approx(pairs.ceiling, abs=0.003)


# ------------------------------------------------------------------ "a reward has no zero and no scale"


def test_ten_added_to_both_scores_changes_no_loss():
    chosen, rejected = np.random.default_rng(1).normal(size=(2, 50))
    plain, shifted = (bradley_terry_loss(chosen + c, rejected + c)[0] for c in (0, 10))
    np.testing.assert_allclose(plain, shifted)


def test_one_reward_unit_is_the_spread_of_the_sft_policys_answers_and_zero_their_mean(scenario):
    for ours in runs(scenario):
        ref = ours.sft.log_probs[-1]
        np.testing.assert_allclose(expectation(ref, ours.reward.scores), 0, atol=1e-12)
        assert expectation(ref, ours.reward.scores**2).mean() == pytest.approx(1)


def test_answers_lie_closer_together_in_log_odds_the_less_labellers_agree(scenario):
    noises = (0.2, 0.8, 3.0)
    agreement = [np.mean([ours.reward.pairs.agreement for ours in runs(scenario, label_noise=n)]) for n in noises]
    scale = [np.mean([ours.reward.scale for ours in runs(scenario, label_noise=n)]) for n in noises]
    assert np.all(np.diff(agreement) < 0) and np.all(np.diff(scale) < 0)


@pytest.mark.parametrize("beta", [0.05, 0.1, 1.0])
def test_twice_the_reward_is_half_the_beta(scenario, beta):
    ours = run(scenario=scenario)
    ref, scores = ours.sft.log_probs[-1], ours.reward.scores
    np.testing.assert_allclose(
        optimal_log_probs(ref, 2 * scores, beta=beta)[0], optimal_log_probs(ref, scores, beta=beta / 2)[0], atol=1e-10
    )


# ------------------------------------------------------------------ "why accuracy is not enough"


def test_reward_follows_true_reward_better_among_sft_answers_than_among_all(scenario):
    for ours in runs(scenario):
        alike = per_prompt_correlation(ours, np.full(ours.reward.scores.shape, -np.log(80))).mean()
        answered = per_prompt_correlation(ours, ours.sft.log_probs[-1]).mean()
        assert answered > alike + 0.05
        assert answered > 0.3  # 0.4 at least


def in_reward_units(ours):
    """True reward on the reward's scale: mean 0 for each prompt and unit spread under the SFT policy."""
    ref = ours.sft.log_probs[-1]
    truth = ours.scenario.true_reward - expectation(ref, ours.scenario.true_reward)[:, None]
    return truth / np.sqrt(expectation(ref, truth**2).mean())


@pytest.mark.parametrize("settings", [{}, {"labeller_bias": 0}, {"beta": 0, "ppo_steps": 60}], ids=str)
def test_the_reward_model_overrates_the_answers_that_ppo_moves_to(scenario, settings):
    for ours in runs(scenario, **settings):
        overrated = expectation(ours.ppo.log_probs[-1], ours.reward.scores - in_reward_units(ours)).mean()
        assert overrated > 0.02  # 0.04 at least; 0.25 at least after 60 steps without a penalty


def test_of_the_highest_score_the_reward_model_thinks_too_well(scenario):
    """Reward against true reward in the same units: mean 0 and unit spread under the SFT policy."""
    for ours in runs(scenario):
        top = ours.reward.scores.argmax(axis=1)[:, None]
        assert np.take_along_axis(ours.reward.scores - in_reward_units(ours), top, axis=1).mean() > 0.3


def test_accuracy_knows_nothing_of_what_ppo_does(scenario):
    hacked, healthy = (run(scenario=scenario, beta=beta, ppo_steps=n) for beta, n in ((0.0, 60), (0.1, 8)))
    np.testing.assert_array_equal(hacked.reward.heldout_accuracy, healthy.reward.heldout_accuracy)
    assert hacked.ppo.reward[-1] > healthy.ppo.reward[-1]


def test_pairs_come_from_the_sft_policy(scenario):
    """Both sides of a pair are as likely under the SFT policy as its own samples, far likelier than one in 80."""
    for ours in runs(scenario):
        pairs, probs = ours.reward.pairs, np.exp(ours.sft.log_probs[-1])
        compared = np.concatenate([probs[pairs.prompt, pairs.chosen], probs[pairs.prompt, pairs.rejected]]).mean()
        assert compared > 1.5 / 80
