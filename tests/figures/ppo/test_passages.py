"""The PPO page's shorter passages: what they say in numbers is what the run's arrays say."""

import re

import numpy as np
import pytest

from pages.figures.ppo import choices, climb, estimators, length
from pages.figures.ppo.words import batch_rows
from rlhf_core import Settings, policy
from rlhf_core.distributions import expectation
from rlhf_core.policy_gradient import log_derivative
from tests.settings_at_random import Look, look

LOOKS = [look(number) for number in range(40, 56)]
EACH_LOOK = pytest.mark.parametrize("one", LOOKS, ids=str)


def numbers(text: str) -> list[float]:
    words = re.sub(r"\]\([^)]*\)", "", text).replace("\N{MINUS SIGN}", "-")
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?", words)]


@EACH_LOOK
def test_the_ways_to_the_slope_agree_and_are_shown_as_they_are(one: Look) -> None:
    view = one.view
    exact, brute, sampled = climb.slopes(view)
    np.testing.assert_allclose(exact, brute, atol=1e-6)
    np.testing.assert_allclose(exact.sum(axis=1), 0, atol=1e-9)  # one logit up is all the others down
    shown, rows = climb.gradient_check(view), batch_rows(view)
    for key, slopes in (("log", exact), ("brute", brute)):
        for i in range(slopes.shape[1]):
            written = shown.values[f"{key}{i}"][rows[-1]].replace("\N{MINUS SIGN}", "-")
            assert float(written) == pytest.approx(slopes[-1, i], abs=6e-6)
    assert ("drawn0" in shown.values) == (one.settings.rollouts > 0)
    if one.settings.rollouts == 0:  # nothing is left to chance
        np.testing.assert_allclose(sampled, exact, atol=1e-12)


def test_rollouts_estimate_the_slope_without_bias() -> None:
    views = [Look(Settings(seed=seed, ppo_steps=1, rollouts=16), prompt=2, dark=False).view for seed in range(30)]
    gaps = np.array([sampled[0] - exact[0] for exact, _, sampled in map(climb.slopes, views)])
    assert (np.abs(gaps.mean(axis=0)) < 3.5 * gaps.std(axis=0) / np.sqrt(len(gaps))).all()
    assert gaps.std() > 0.01


@EACH_LOOK
def test_a_baseline_does_not_care_where_the_zero_is(one: Look) -> None:
    *_, raised, with_it, as_it_is = numbers(climb.baseline(one.view))
    assert with_it >= 0 and as_it_is >= 0
    assert raised >= with_it or raised == pytest.approx(with_it, abs=0.02)


@EACH_LOOK
def test_a_critic_is_told_how_the_variance_is_shared(one: Look) -> None:
    view = one.view
    shares = re.findall(r"(\d+)%", estimators.critic(view))
    log_probs, scores = view.run.ppo.log_probs[-2, one.prompt], view.run.reward.scores[one.prompt]
    varies = expectation(log_probs, scores**2) - expectation(log_probs, scores) ** 2 > 1e-6
    assert len(shares) == (3 if varies else 0)
    assert not varies or 98 <= sum(map(int, shares)) <= 102


@EACH_LOOK
def test_whitening_is_measured_over_the_whole_batch(one: Look) -> None:
    text, batches = estimators.whitening(one.view), one.view.run.ppo.rollouts
    first, last = (np.std(batches[i].advantages) for i in (0, -1))
    assert f"is {first:.2f} in step 1 and {last:.2f} in step {len(batches)}" in text
    if "times as hard" in text:
        assert f" {first / last:.1f} times" in text


@EACH_LOOK
def test_k3_in_the_loss_climbs_down_the_other_divergence(one: Look) -> None:
    """On the policy's own answers the mean slope of k3 is that of KL(reference ‖ policy)."""
    run = one.view.run
    now, ref = run.ppo.log_probs[-1], run.ppo.log_probs[0]
    tables = policy.log_tables(run.ppo.logits[-1])
    k3 = log_derivative(tables, np.exp(now) * (1 - np.exp(ref - now)))  # d k3 = (1 - ref / pi) d log pi
    other = log_derivative(tables, -np.exp(ref))
    for ours, theirs in zip(k3, other, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-9)
    assert re.search(r"point \d+ degrees apart|both slopes are 0", choices.in_the_loss(one.view))


@pytest.mark.parametrize("seed", range(4))
def test_the_two_slopes_part_as_the_policy_moves(seed: int) -> None:
    def degrees(**settings: float) -> int:
        view = Look(Settings(seed=seed, **settings), prompt=0, dark=False).view
        return int(re.search(r"(\d+) degrees", choices.in_the_loss(view))[1])

    assert degrees(beta=2.0, ppo_steps=2) < degrees(beta=0.0, ppo_steps=40)


@EACH_LOOK
def test_the_controller_moves_beta_towards_its_target(one: Look) -> None:
    kl, factor = one.view.run.ppo.kl[-1], re.search(r"multiply β by (\d\.\d+)", choices.adaptive(one.view))
    assert (float(factor[1]) >= 1) == (kl >= 1 - 5e-3) or float(factor[1]) == 1
    assert 0.98 <= float(factor[1]) <= 1.02


@EACH_LOOK
def test_the_policy_read_as_dpo_reads_it(one: Look) -> None:
    run, text = one.view.run, choices.dpo(one.view)
    pairs, k = run.reward.pairs, run.ppo.log_probs[-1] - run.ppo.log_probs[0]
    trained = np.flatnonzero(~pairs.heldout)
    right = np.mean([k[pairs.prompt[i], pairs.chosen[i]] > k[pairs.prompt[i], pairs.rejected[i]] for i in trained])
    assert f"orders {right:.0%} of the {len(trained):,} training pair" in text
    assert f"{run.reward.train_accuracy[-1]:.0%}" in text


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
def test_where_pressed_hard_the_policy_goes_where_the_reward_knows_less(scenario: str) -> None:
    lost = 0
    for seed in range(8):
        settings = Settings(scenario=scenario, seed=seed, beta=0.0, ppo_steps=60)
        before, after = re.findall(r"(\d+)% of cases", choices.rlvr(Look(settings, 0, False).view))
        lost += int(after) < int(before)
    assert lost >= 7


@EACH_LOOK
def test_length_is_the_policys_mean_number_of_words(one: Look) -> None:
    run = one.view.run
    counted = np.array([[len(re.findall(r"[A-Za-z’']+", text)) for text in texts] for texts in run.scenario.responses])
    ours, theirs = length.mean_words(one.view), expectation(run.ppo.log_probs, counted.astype(float))
    assert np.abs(ours - theirs).max() < 0.15 * theirs.max()  # words are counted in nearly the same way
    figure = length.answer_length(one.view).figure
    np.testing.assert_allclose(figure.data[0].y, ours.mean(axis=1))
    np.testing.assert_allclose(figure.data[1].y, ours[:, one.prompt])
