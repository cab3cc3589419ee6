"""What the pages say about RLHF, held against many seeds and both scenarios.

Each claim's comment gives what was measured, so that a change of scenario or default shows how far it moved.
"""

from functools import cache

import numpy as np
import pytest

from rlhf_core import PipelineRun, Settings, run_pipeline
from rlhf_core.preferences import preference_probability
from rlhf_core.settings import DEFAULTS
from tests.core.runs import run

SEEDS = range(10)
SCENARIOS = ("helpfulness", "safety")
BETAS = (0.0, 0.02, 0.1, 0.3, 1.0, 2.0)


@pytest.fixture(params=SCENARIOS)
def scenario(request: pytest.FixtureRequest) -> str:
    return request.param


def runs(scenario: str, n_seeds: int = len(SEEDS), **settings: object) -> list[PipelineRun]:
    return [run(scenario=scenario, seed=seed, **settings) for seed in range(n_seeds)]


# ------------------------------------------------------------------ SFT


def test_sft_lowers_the_loss_on_training_and_less_on_heldout_demonstrations(scenario):
    drops = np.array([[loss[0] - loss[-1] for loss in (o.sft.loss, o.sft.heldout_loss)] for o in runs(scenario)])
    known, new = drops.T
    assert known.min() > 2 and new.max() < 1 and new.mean() > 0.1  # 2.5 to 3.3 nats, against 0.1 to 0.7


def test_with_many_epochs_answers_that_it_was_never_shown_get_dearer_again(scenario):
    for ours in runs(scenario, sft_epochs=100):
        assert ours.sft.heldout_loss[-1] > ours.sft.heldout_loss.min() + 0.3


def test_sft_raises_true_reward(scenario):
    for ours in runs(scenario):
        base, reference = (np.exp(rows) * ours.scenario.true_reward for rows in ours.sft.log_probs[[0, -1]])
        assert reference.sum() / 12 > base.sum() / 12 + 0.3  # at least 0.38 true-reward units


# ------------------------------------------------------------------ reward model


def exact_figures(ours: PipelineRun) -> tuple[float, float, float]:
    """Expected held-out accuracy, its ceiling and the agreement of two labellers, over all pairs there are.

    A pair is one response from the SFT policy and a second, different one; weights p_a p_b / (1 - p_a).
    """
    heldout = ours.scenario.heldout
    p = np.exp(ours.sft.log_probs[-1][heldout])
    weight = p[:, :, None] * p[:, None, :] / (1 - p[:, :, None])
    weight[:, np.arange(80), np.arange(80)] = 0
    worth = (ours.labeller_reward[heldout], ours.reward.scores[heldout])
    judgement, score = (each[:, :, None] - each[:, None, :] for each in worth)
    first = 1 / (1 + np.exp(-judgement / ours.settings.label_noise))
    right = np.where(score > 1e-9, first, np.where(score < -1e-9, 1 - first, 0))
    figures = (right, np.maximum(first, 1 - first), first**2 + (1 - first) ** 2)
    return tuple(float((weight * figure).sum() / 3) for figure in figures)


def test_reward_model_loss_starts_at_log_2_and_falls(scenario):
    for ours in runs(scenario):
        for loss in (ours.reward.loss, ours.reward.heldout_loss):
            assert loss[0] == pytest.approx(np.log(2), abs=1e-12)
        assert ours.reward.loss[-1] < 0.62  # 0.58 at most


def test_reward_model_accuracy_starts_at_zero_because_ties_are_wrong(scenario):
    assert {ours.reward.heldout_accuracy[0] for ours in runs(scenario)} == {0.0}


def test_heldout_accuracy_lies_between_60_percent_and_the_labellers_ceiling(scenario):
    accuracy = np.mean([ours.reward.heldout_accuracy[-1] for ours in runs(scenario)])
    ceiling = np.mean([ours.reward.pairs.ceiling for ours in runs(scenario)])
    assert 0.6 < accuracy < ceiling < 0.85  # 0.67 and 0.71 under a ceiling of 0.80
    for ours in runs(scenario):
        exact, exact_ceiling, _ = exact_figures(ours)
        assert 0.6 < exact < exact_ceiling - 0.03  # every seed: 0.61 to 0.75, at least 0.05 below


def test_heldout_prompts_never_train_the_reward_model(scenario):
    # Where a ridge fit has converged, its gradient vanishes on the very pairs that it was fitted to:
    # -mean sigma(-m_i) d_i + 2 l2 w = 0 with margins m_i = w . d_i
    ours = run(scenario=scenario, rm_epochs=300)
    pairs, features, weights = ours.reward.pairs, ours.reward.features, ours.reward.weights[-1]
    slopes = {}
    for heldout in (False, True):
        which = pairs.heldout == heldout
        prompt, chosen, rejected = pairs.prompt[which], pairs.chosen[which], pairs.rejected[which]
        difference = features[prompt, chosen] - features[prompt, rejected]
        pull = (difference / (1 + np.exp(difference @ weights))[:, None]).mean(axis=0)
        slopes[heldout] = np.linalg.norm(2 * ours.settings.rm_l2 * weights - pull)
    assert slopes[False] < 1e-3 and slopes[True] > 0.02


def test_the_accuracy_of_the_sampled_pairs_estimates_the_exact_one(scenario):
    # 99 held-out pairs a run, 20 runs: standard error about sqrt(0.7 * 0.3 / 1980) = 0.0103.
    sampled = np.mean([ours.reward.heldout_accuracy[-1] for ours in runs(scenario, 20)])
    assert sampled == pytest.approx(np.mean([exact_figures(ours)[0] for ours in runs(scenario, 20)]), abs=0.03)


def test_heldout_accuracy_rises_with_the_number_of_comparisons(scenario):
    # Exact accuracy: 48 pairs hold out 12, so that sampled accuracy says next to nothing (+- 4 points over 10 seeds).
    means = [np.mean([exact_figures(ours)[0] for ours in runs(scenario, n_comparisons=n)]) for n in (48, 200, 1600)]
    assert means[0] + 0.015 < means[1] and means[1] + 0.003 < means[2]  # 64, 67, 68 % and 66, 71, 73 %


def test_two_labellers_agree_on_about_73_percent_of_pairs(scenario):
    # InstructGPT: 72.6 +- 1.5 % (training labelers); ours 71 and 74 %.
    assert np.mean([ours.reward.pairs.agreement for ours in runs(scenario)]) == pytest.approx(0.73, abs=0.03)
    for ours in runs(scenario):
        assert 0.68 < ours.reward.pairs.agreement < 0.78


def test_the_agreement_formula_is_that_of_two_simulated_labellers(scenario):
    pairs, judgement = run(scenario=scenario).reward.pairs, run(scenario=scenario).labeller_reward
    chosen, rejected = (judgement[pairs.prompt, index] for index in (pairs.chosen, pairs.rejected))
    p = preference_probability(chosen, rejected, label_noise=DEFAULTS["label_noise"])
    votes = np.random.default_rng(0).random((2, 2000, len(p))) < p
    # 800,000 independent judgements: standard error below 0.5 / sqrt(800000) = 0.0006.
    assert (votes[0] == votes[1]).mean() == pytest.approx(pairs.agreement, abs=0.003)
    # Whoever knows their judgement sides with the response that they favour, and is right as often as the ceiling says.
    assert (votes[0] == (chosen > rejected)).mean() == pytest.approx(pairs.ceiling, abs=0.003)


def test_labellers_choose_the_response_they_favour_as_often_as_the_ceiling_says(scenario):
    better, ceilings = [], []
    for ours in runs(scenario):
        pairs, judgement = ours.reward.pairs, ours.labeller_reward
        better.append((judgement[pairs.prompt, pairs.chosen] > judgement[pairs.prompt, pairs.rejected]).mean())
        ceilings.append(pairs.ceiling)
    # 4000 pairs: standard error sqrt(0.8 * 0.2 / 4000) = 0.0063.
    assert np.mean(better) == pytest.approx(np.mean(ceilings), abs=0.02)


# ------------------------------------------------------------------ PPO with defaults


def test_ppo_raises_the_reward_by_about_one_unit_in_8_steps(scenario):
    for ours in runs(scenario):
        assert len(ours.ppo.reward) == 9
        assert 0.7 < ours.ppo.reward[-1] - ours.ppo.reward[0] < 1.5  # 0.78 to 1.33


def test_ppo_starts_at_the_reference_and_moves_half_a_nat_to_two(scenario):
    for ours in runs(scenario):
        assert ours.ppo.kl[0] == 0
        assert 0.5 < ours.ppo.kl[-1] < 2  # 0.72 to 1.26 nats
        assert (np.diff(ours.ppo.kl) > 0).all()


def test_ppo_lowers_the_entropy(scenario):
    for ours in runs(scenario):
        assert ours.ppo.entropy[-1] < ours.ppo.entropy[0] - 0.5  # by 1.16 nats at least


def test_8_steps_of_ppo_raise_true_reward_too(scenario):
    for ours in runs(scenario):
        assert ours.ppo.true_reward[-1] > ours.ppo.true_reward[0] + 0.5  # by 1.0 true-reward units at least


def test_clipping_does_not_bound_the_ratio(scenario):
    for ours in runs(scenario):
        assert max(batch.ratio.max() for batch in ours.ppo.rollouts) > 1.2 + 0.1  # clip range 0.2; 1.34 at least
        assert 0.01 < ours.ppo.clip_fraction[1:].mean() < 0.2


# ------------------------------------------------------------------ beta


def finals(scenario: str, name: str) -> np.ndarray:
    """Final KL or reward of the default run by seed and beta, (10, 6)."""
    by_beta = [[getattr(ours.ppo, name)[-1] for ours in runs(scenario, beta=beta)] for beta in BETAS]
    return np.array(by_beta).T


@pytest.mark.parametrize("name", ["kl", "reward"])
def test_raising_beta_lowers_the_final_kl_and_the_final_reward(scenario, name):
    final = finals(scenario, name)
    assert (np.diff(final.mean(axis=0)) < 0).all()
    assert (np.diff(final[:, 1:], axis=1) < 0).all()  # and from 0.02 on for every single seed


def test_beta_visibly_matters_within_the_default_8_steps(scenario):
    kl, reward = finals(scenario, "kl").mean(axis=0), finals(scenario, "reward").mean(axis=0)
    # Between beta 0 and 2: KL from 1.16 and 1.10 to 0.11 and 0.09, reward from 1.18 and 1.05 to 0.43 and 0.39.
    assert kl[0] > 5 * kl[-1] and reward[0] > 2 * reward[-1]
    assert kl[2] - kl[3] > 0.1 and reward[2] - reward[3] > 0.05  # one notch of the slider, 0.1 to 0.3, shows


# ------------------------------------------------------------------ the closed-form optimum

CAREFUL = {"clip_range": 0.03, "ppo_epochs": 10, "ppo_learning_rate": 2}


def gap_and_kl_to_optimum(ours: PipelineRun) -> tuple[np.ndarray, np.ndarray]:
    """J* - J and KL(pi || pi*) at every step, the latter written out."""
    log_ratio = ours.ppo.log_probs - ours.optimum.log_probs
    return ours.optimum.objective - ours.ppo.objective, (np.exp(ours.ppo.log_probs) * log_ratio).sum(axis=(1, 2)) / 12


@cache
def exact_runs(scenario: str, beta: float, careful: bool) -> list[tuple[np.ndarray, np.ndarray]]:
    """Gap and KL of 60 steps with the exact expectation, by seed; the runs themselves (7 MB each) are let go."""
    steps = {"scenario": scenario, "beta": beta, "rollouts": 0, "ppo_steps": 60} | (CAREFUL if careful else {})
    return [gap_and_kl_to_optimum(run_pipeline(Settings(seed=seed, **steps))) for seed in SEEDS]


@pytest.mark.parametrize("beta", BETAS[1:])
def test_what_is_missing_to_the_optimum_is_beta_times_the_kl_to_it(scenario, beta):
    for ours in runs(scenario, beta=beta):
        gap, kl = gap_and_kl_to_optimum(ours)
        np.testing.assert_allclose(gap, beta * kl, rtol=0, atol=1e-9)
        assert (gap > 0.01).all()  # it has not got there yet, so the identity says something


@pytest.mark.parametrize("careful", [False, True], ids=["default steps", "careful steps"])
@pytest.mark.parametrize("beta", [0.3, 1.0, 2.0])
def test_that_identity_holds_until_the_optimum_is_near(scenario, beta, careful):
    for gap, kl in exact_runs(scenario, beta, careful):
        assert len(gap) == 61 and (gap > 0).all()
        np.testing.assert_allclose(gap, beta * kl, rtol=0, atol=1e-9)


@pytest.mark.parametrize("beta", BETAS[1:])
def test_the_optimum_is_the_reference_tilted_by_the_reward(scenario, beta):
    for ours in runs(scenario, beta=beta):
        tilted = np.exp(ours.sft.log_probs[-1] + ours.reward.scores / beta)
        z = tilted.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(np.exp(ours.optimum.log_probs), tilted / z, atol=1e-12)
        assert ours.optimum.objective == pytest.approx(beta * np.log(z).mean(), rel=1e-9)  # J* = beta log Z


@pytest.mark.parametrize("beta", [0.3, 1.0, 2.0])
def test_exact_ppo_with_careful_steps_closes_the_gap_to_the_optimum(scenario, beta):
    left = [gap[-1] / gap[0] for gap, _ in exact_runs(scenario, beta, True)]
    assert max(left) < 0.03  # at most 2.1 % (beta 0.3), 0.2 % (1) and 0.5 % (2)


@pytest.mark.parametrize("beta", [0.3, 1.0, 2.0])
def test_exact_ppo_with_default_steps_comes_close_to_the_optimum(scenario, beta):
    left = [gap[-1] / gap[0] for gap, _ in exact_runs(scenario, beta, False)]
    assert max(left) < 0.1  # at most 7.9 % (beta 0.3), 2.4 % (1) and 5.1 % (2)


# ------------------------------------------------------------------ over-optimisation


@cache
def long_courses(scenario: str, beta: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """True reward and reward over 60 steps of 20 seeds."""
    settings = {"scenario": scenario, "beta": beta, "ppo_steps": 60}
    found = [run_pipeline(Settings(seed=seed, **settings)).ppo for seed in range(20)]
    return [(ppo.true_reward, ppo.reward) for ppo in found]


def lost_share(true_reward: np.ndarray) -> float:
    """Share of the gain in true reward up to its peak that is lost again by the end."""
    return float((true_reward.max() - true_reward[-1]) / (true_reward.max() - true_reward[0]))


def is_hacked(true_reward: np.ndarray, reward: np.ndarray) -> bool:
    """A tenth of the gain or more is lost after the peak, while the reward went on rising."""
    return lost_share(true_reward) >= 0.1 and reward[-1] > reward[true_reward.argmax()]


def test_without_a_leash_true_reward_peaks_and_falls_while_the_reward_still_rises():
    assert sum(is_hacked(*course) for course in long_courses("helpfulness", 0.0)) >= 15  # all 20 seeds


def test_the_usual_leash_does_not_prevent_it():
    assert sum(is_hacked(*course) for course in long_courses("helpfulness", 0.1)) >= 15  # all 20 seeds


def test_most_of_the_gain_is_lost_in_the_median():
    lost = [lost_share(truth) for truth, _ in long_courses("helpfulness", 0.0)]
    assert np.median(lost) > 0.5  # 85 %


def test_a_short_leash_prevents_most_of_it():
    falls = {
        beta: [float(truth.max() - truth[-1]) for truth, _ in long_courses("helpfulness", beta)] for beta in (0.0, 1.0)
    }
    assert np.median(falls[1.0]) < np.median(falls[0.0]) / 2  # 0.16 against 0.66 true-reward units
    assert all(truth[-1] > truth[0] for truth, _ in long_courses("helpfulness", 1.0))


def test_safety_is_hacked_less_often_than_helpfulness():
    hacked = {name: sum(is_hacked(*course) for course in long_courses(name, 0.0)) for name in SCENARIOS}
    assert 1 <= hacked["safety"] < hacked["helpfulness"] - 4  # 7 of 20 seeds against 20


def test_the_reward_hardly_ever_stops_rising(scenario):
    for _, reward in long_courses(scenario, 0.0):
        assert reward[-1] > reward[8] and reward[-1] > 0.98 * reward.max()
