"""Experiments of the Lab: what they find is what single runs find, and what they must find holds over seeds."""

from dataclasses import replace

import numpy as np
import pytest

from rlhf_core import Settings, lab, run_pipeline
from rlhf_core.distributions import expectation, kl_divergence
from rlhf_core.lab import convergence, grpo, methods, rejection, sweeps
from rlhf_core.lab.best_of_n import kl_bound
from rlhf_core.lab.dpo import dpo_loss
from rlhf_core.lab.gao import best_of_n_form, fit_form, rl_form
from rlhf_core.lab.influence import newton_fit
from rlhf_core.lab.rounds import joined
from rlhf_core.lab.stopping import N_FRESH, fresh_accuracy, reached_share
from rlhf_core.optimum import optimal_log_probs
from tests.core.runs import run

SHORT = Settings(ppo_steps=10)


@pytest.mark.parametrize("changed", [{}, {"advantage": "gae"}, {"rollouts": 0, "scenario": "safety"}], ids=str)
def test_a_sweep_gives_the_numbers_of_single_runs(changed):
    base = replace(SHORT, **changed)
    swept = sweeps.beta_sweep(base, betas=(0.3, 0.0), seeds=(5, 2))
    assert swept.betas.tolist() == [0.0, 0.3] and swept.seeds.tolist() == [5, 2]
    for b, beta in enumerate(swept.betas):
        for s, seed in enumerate(swept.seeds):
            one = run_pipeline(replace(base, beta=beta, seed=int(seed)))
            for name in ("reward", "kl", "true_reward", "labeller_reward", "entropy"):
                assert getattr(swept, name)[b, s] == pytest.approx(getattr(one.ppo, name)[-1], abs=1e-12)
            assert swept.optimum_true_reward[b, s] == pytest.approx(one.optimum.true_reward)


def test_progress_counts_up_to_the_whole_and_shows_what_has_come():
    pieces = list(sweeps.beta_sweep_pieces(SHORT, betas=(0.1, 1.0), seeds=range(3)))
    done = [piece.done for piece in pieces]
    assert done == sorted(done) and done[-1] == pieces[-1].total == 2 * 3 * 10
    known = [piece.result.reward.shape[1] for piece in pieces if piece.result is not None]
    assert known == sorted(known) and known[-1] == 3


def test_no_policy_lies_above_the_exact_frontier():
    for seed in range(8):
        base = replace(SHORT, seed=seed, ppo_steps=20)
        one = run_pipeline(base)
        edge = one.frontier
        best = methods.compare_methods(base, seeds=(seed,))
        for path in best.paths:
            highest = np.interp(path.kl[0], edge.kl[::-1], edge.reward[::-1])
            assert (path.reward[0] <= highest + 0.01).all(), path.method.name


def test_best_of_n_at_one_is_the_reference_and_its_kl_stays_below_the_bound():
    one = run()
    ref, scores = one.sft.log_probs[-1], one.reward.scores
    np.testing.assert_allclose(lab.best_of_n(ref, scores, 1), ref, atol=1e-9)
    rewards = []
    for n in (2, 8, 64, 256):
        log_probs = lab.best_of_n(ref, scores, n)
        np.testing.assert_allclose(np.exp(log_probs).sum(axis=-1), 1)
        assert (kl_divergence(log_probs, ref) <= kl_bound(n) + 1e-9).all()
        rewards.append(float(expectation(log_probs, scores).mean()))
    assert rewards == sorted(rewards)
    with pytest.raises(ValueError, match="n must be a whole number of at least 1, got 0"):
        lab.best_of_n(ref, scores, 0)


def test_exact_ppo_arrives_at_the_optimum_and_each_exception_keeps_its_distance():
    """Measured at beta 1: every row of the table on the page."""
    found = convergence.arrival(run(), beta=1.0, n_steps=600)
    to_optimum = dict(zip((v.name for v in convergence.VARIANTS), found.to_optimum[:, -1], strict=True))
    assert to_optimum["ppo"] < 0.002 and to_optimum["normalised"] < 0.02 and to_optimum["k2"] < 0.01
    assert 0.02 < to_optimum["grpo"] < 0.3 and 0.02 < to_optimum["k3"] < 0.3 and to_optimum["k1"] > 1
    assert 0.005 < to_optimum["clip_higher"] < 0.03


@pytest.mark.parametrize("seed", range(8))
def test_a_clip_that_is_wider_above_moves_no_optimum_and_short_steps_arrive_at_it(seed, monkeypatch):
    monkeypatch.setattr(convergence, "VARIANTS", convergence.VARIANTS[-1:])
    monkeypatch.setattr(convergence, "STRIDE", 0.75)
    world = run(seed=seed, ppo_steps=1, scenario=("helpfulness", "safety")[seed % 2])
    found = convergence.arrival(world, beta=1.0, n_steps=1600)
    assert found.arrived == (True,) and (np.diff(found.to_optimum[0]) < 1e-6).all()


@pytest.mark.parametrize("seed", range(8))
def test_exact_ppo_arrives_at_the_smallest_penalty_of_the_page(seed, monkeypatch):
    monkeypatch.setattr(convergence, "VARIANTS", convergence.VARIANTS[:1])
    found = convergence.arrival(run(seed=seed, ppo_steps=1, scenario=("helpfulness", "safety")[seed % 2]), beta=0.3)
    assert found.arrived == (True,)


def test_fixed_kl_reaches_more_than_waiting_for_the_reward_to_flatten_where_the_page_says_so():
    found = lab.stopping(Settings(beta=0.0, ppo_steps=60), seeds=range(8))
    reached = dict(zip(found.rules, found.reached.mean(axis=1), strict=True))
    assert reached["fixed KL"] > 0.9 and reached["score plateau"] < 0.5  # 0.96 and 0.25 over 20 seeds


def test_estimators_without_division_climb_the_same_way():
    """PPO's group mean and leave-one-out have the same exact expectation, and so has Dr. GRPO."""
    one = run(rollouts=0, ppo_epochs=1)
    exact = run(rollouts=0, ppo_epochs=1, advantage="leave_one_out")
    np.testing.assert_array_equal(one.ppo.log_probs, exact.ppo.log_probs)
    method = grpo.GRPO(beta=0.1, rollouts=0, divide_by_spread=False, divide_by_length=False, kl="reward_k1")
    walk = grpo.steps(one.sft.logits, one.reward.scores, method, None)
    for step in range(1, 4):
        for got, wanted in zip(next(walk), one.ppo.logits[step], strict=True):
            np.testing.assert_allclose(got, wanted, atol=1e-12)


def test_dpo_with_unlimited_pairs_has_the_rewards_optimum():
    """At pi* every implicit margin is the reward's: the expected gradient over all pairs is 0, and others lose more."""
    one, beta = run(), 0.5
    ref, reward = one.sft.log_probs[-1, 0], one.reward.scores[0]
    best, _ = optimal_log_probs(ref[None], reward[None], beta=beta)
    first, second = (grid.reshape(-1) for grid in np.meshgrid(np.arange(80), np.arange(80)))
    wins = 1 / (1 + np.exp(reward[second] - reward[first]))

    def loss(log_probs):
        each = dpo_loss(log_probs[first], log_probs[second], ref[first], ref[second], beta=beta)
        return float((wins * each.loss).mean()), each.grad_chosen * wins

    lowest, slope = loss(best[0])
    total = np.bincount(first, slope, 80) - np.bincount(second, slope, 80)
    np.testing.assert_allclose(total, 0, atol=1e-9)
    rng = np.random.default_rng(0)
    assert all(loss(best[0] + 0.1 * rng.normal(size=80))[0] > lowest for _ in range(20))


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
def test_dpo_starts_at_log_two_and_moves_trained_prompts_alone(scenario):
    one = run(scenario=scenario)
    trace = lab.dpo(one)
    assert trace.loss[0] == pytest.approx(np.log(2)) and trace.loss[-1] < trace.loss[0]
    assert trace.margin[-1] > 0 and trace.accuracy[-1] > 0.6
    held = one.scenario.heldout
    np.testing.assert_array_equal(trace.log_probs[-1, held], trace.log_probs[0, held])


def test_newton_refits_are_those_of_a_full_training():
    one = run(rm_epochs=300)
    pairs, kept = one.reward.pairs, ~run(rm_epochs=300).reward.pairs.heldout
    features = one.reward.features
    differences = (features[pairs.prompt, pairs.chosen] - features[pairs.prompt, pairs.rejected])[kept]
    counts = np.ones(len(differences))
    full = newton_fit(differences, counts, np.zeros(differences.shape[1]), l2=0.02, n_steps=25)
    np.testing.assert_allclose(full, one.reward.weights[-1], atol=1e-3)
    for i in (0, 17, 200):
        counts[i] = 0
        quick = newton_fit(differences, counts, full, l2=0.02, n_steps=3)
        others = np.delete(differences, i, axis=0)
        slow = newton_fit(others, np.ones(len(others)), np.zeros_like(full), l2=0.02, n_steps=25)
        np.testing.assert_allclose(quick, slow, atol=1e-10)
        counts[i] = 1


def test_influence_names_the_labels_that_move_the_policy():
    found = lab.influence(run())
    assert (found.moved >= -1e-12).all() and found.moved.max() > 5 * np.median(found.moved)
    assert found.pairs.shape == found.moved.shape == found.true_reward.shape
    with pytest.raises(ValueError, match="rm_l2 must be > 0"):
        lab.influence(run(rm_l2=0.0))


def test_one_round_spends_all_labels_at_once_and_more_rounds_spend_as_many():
    found = lab.rounds(replace(SHORT, n_comparisons=120), n_rounds=(1, 2), seeds=range(2))
    assert np.isfinite(found.true_reward).all() and found.true_reward.shape == (2, 2)
    with pytest.raises(ValueError, match="n_rounds must be from 1 to 5"):
        lab.rounds(replace(SHORT, n_comparisons=120), n_rounds=(6,))
    pairs = run().reward.pairs
    assert len(joined([pairs, pairs]).prompt) == 2 * len(pairs.prompt)


def test_rejection_keeps_the_best_of_each_group():
    responses, rewards = np.array([[4, 7, 1, 0, 9]]), np.array([[0.1, 0.5, 0.2, 0.2, 9.0]])
    assert rejection.keep_best(responses, rewards, group=2).tolist() == [[7, 1]]
    with pytest.raises(ValueError, match="group must be from 1 to 5"):
        rejection.keep_best(responses, rewards, group=6)


def test_stopping_rules_stop_within_the_run_and_their_share_is_of_the_best():
    found = lab.stopping(replace(SHORT, beta=0.0), seeds=range(3))
    assert found.steps.min() >= 0 and found.steps.max() <= 10
    assert (found.reached <= 1 + 1e-12).all()
    up, down = np.array([1.0, 2.0, 1.5]), np.array([1.0, 0.5, 0.0])
    assert [reached_share(up, step) for step in range(3)] == [0, 1, 0.5]
    assert [reached_share(down, step) for step in range(3)] == [1, 0.5, 0]
    accuracy, n_pairs = fresh_accuracy(run(), 3)
    assert 0 <= accuracy <= 1 and n_pairs == N_FRESH


def test_forms_of_over_optimisation_are_recovered_from_their_own_points():
    distance = np.linspace(0, 3, 20)
    for form, curve in (("best_of_n", best_of_n_form), ("rl", rl_form)):
        found = fit_form(distance, curve(distance, 1.2, 0.4), form=form)
        assert (found.alpha, found.beta) == pytest.approx((1.2, 0.4)) and found.error < 1e-9
    with pytest.raises(ValueError, match="at least 3 points"):
        fit_form(np.array([0.0, 1.0]), np.zeros(2), form="rl")


def test_labels_under_noise_and_under_bias_are_measured_on_the_same_pairs():
    grid = lab.label_grid(SHORT, counts=(100, 400), seeds=range(2))
    assert grid.correlation.shape == (2, 2, 2) and np.isfinite(grid.truth_accuracy).all()


def test_seeds_and_methods_are_refused_in_words():
    with pytest.raises(ValueError, match="seeds must hold at least one seed"):
        lab.beta_sweep(SHORT, seeds=())
    with pytest.raises(ValueError, match="methods must be of ppo"):
        lab.compare_methods(SHORT, methods=("reinforce",))
