"""Gradients of the Lab's methods against central differences, and their estimators against enumeration."""

import numpy as np
import pytest

from rlhf_core import policy
from rlhf_core.distributions import expectation, kl_divergence, log_softmax
from rlhf_core.lab import estimators, grpo
from rlhf_core.lab.dpo import dpo_loss
from rlhf_core.ppo import clipped_surrogate
from tests.core.runs import run

STEP = 1e-6


@pytest.mark.parametrize("form", ["sigmoid", "ipo"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_dpo_gradient(form, smoothing):
    rng = np.random.default_rng(0)
    chosen, rejected, *reference = -5 * rng.random((4, 7))
    loss = lambda c, r: dpo_loss(c, r, *reference, beta=0.3, label_smoothing=smoothing, form=form)  # noqa: E731
    exact = loss(chosen, rejected)
    up, down = loss(chosen + STEP, rejected).loss, loss(chosen - STEP, rejected).loss
    np.testing.assert_allclose(exact.grad_chosen, (up - down) / (2 * STEP), atol=1e-6)
    np.testing.assert_allclose(exact.grad_rejected, -exact.grad_chosen)


@pytest.mark.parametrize("wrong", [{"beta": 0.0}, {"beta": 1.0, "label_smoothing": 0.6}])
def test_dpo_refuses(wrong):
    with pytest.raises(ValueError, match=r"beta must be > 0|label_smoothing must be from 0 to 0.5"):
        dpo_loss(*np.zeros((4, 2)), **wrong)


@pytest.mark.parametrize("kl", ["loss_k1", "loss_k2", "loss_k3", "reward_k1"])
@pytest.mark.parametrize("upper", [None, 0.4])
def test_grpo_gradient(kl, upper):
    """Of the objective per token: clipped gain minus beta times the estimate, divided by the answer's length."""
    rng = np.random.default_rng(1)
    now, old, ref = np.log(rng.uniform(0.1, 0.9, (3, 2, 5, 3)))
    advantage = np.repeat(rng.normal(size=(2, 5, 1)), 3, axis=-1)
    method = grpo.GRPO(beta=0.2, clip_range=0.2, upper_clip_range=upper, kl=kl)

    def objective(log_probs):
        ratio = np.exp(log_probs - old)
        limited = np.clip(ratio, 0.8, 1 + (upper or 0.2))
        gain = np.minimum(ratio * advantage, limited * advantage)
        paid = grpo.kl_loss(log_probs, ref, estimate=kl[-2:]).value if kl.startswith("loss") else 0.0
        return (gain - 0.2 * paid) / (5 * 3)

    numeric = (objective(now + STEP) - objective(now - STEP)) / (2 * STEP)
    got = grpo.token_gradient(now, old, ref, advantage, method, weights=1 / 5)
    np.testing.assert_allclose(got, numeric, atol=1e-6)


def test_the_surrogates_of_grpo_and_ppo_agree_where_nothing_differs():
    rng = np.random.default_rng(2)
    now, old = np.log(rng.uniform(0.1, 0.9, (2, 1, 4, 3)))
    advantage = rng.normal(size=(1, 4, 3))
    method = grpo.GRPO(beta=0.0, divide_by_length=False, divide_by_spread=False)
    got = grpo.token_gradient(now, old, old, advantage, method, weights=0.25)
    np.testing.assert_allclose(got, clipped_surrogate(now, old, advantage, clip_range=0.2, weights=0.25).gradient)


def test_score_function_is_the_derivative_of_every_log_probability():
    tables = policy.log_tables(run().sft.logits)
    scores = estimators.scores_of(tables, 4)
    probs = np.exp(policy.response_log_probs(tables)[4])
    np.testing.assert_allclose(probs @ scores, 0, atol=1e-12)  # E[grad log pi] = 0
    logits = [table.copy() for table in run().sft.logits]
    logits[0][4, 1] += STEP
    moved = policy.response_log_probs(policy.log_tables(tuple(logits)))[4]
    np.testing.assert_allclose((moved - np.log(probs)) / STEP, scores[:, 1], atol=1e-5)


@pytest.mark.parametrize("baseline", estimators.BASELINES)
def test_bias_and_spread_of_a_baseline_are_those_of_samples(baseline):
    rng = np.random.default_rng(3)
    group, n = 4, 40_000
    log_probs, rewards, scores = log_softmax(rng.normal(size=6)), rng.normal(size=6), rng.normal(size=(6, 4))
    scores -= np.exp(log_probs) @ scores  # a score function has mean 0
    drawn = rng.choice(6, (n, group), p=np.exp(log_probs))
    got = rewards[drawn]
    others = (got.sum(axis=1, keepdims=True) - got) / (group - 1)
    base = {"none": 0.0, "value": expectation(log_probs, rewards), "group mean": got.mean(axis=1, keepdims=True),
            "leave-one-out": others}[baseline]  # fmt: skip
    each = np.einsum("ng,ngd->nd", got - base, scores[drawn]) / group
    truth = expectation(log_probs, rewards * scores.T)
    exact = estimators.baseline_quality(log_probs, rewards, scores, baseline=baseline, group=group)
    length = np.linalg.norm(truth)
    assert abs(np.linalg.norm(each.mean(axis=0) - truth) / length - exact.bias) < 5 * exact.deviation / np.sqrt(n)
    assert np.sqrt(each.var(axis=0).sum()) / length == pytest.approx(exact.deviation, rel=0.03)


def test_gradients_of_the_kl_estimates():
    """k1 in the reward and k2 in the loss are unbiased; k1 in the loss has expected gradient 0; k3 points elsewhere."""
    one = run()
    tables = policy.log_tables(one.ppo.logits[4])
    scores, ref = estimators.scores_of(tables, 0), one.sft.log_probs[-1, 0]
    bias = {
        (estimate, place): estimators.kl_gradient_bias(
            one.ppo.log_probs[4, 0], ref, scores, estimate=estimate, place=place
        ).bias
        for estimate in estimators.ESTIMATES
        for place in ("reward", "loss")
    }
    assert bias["k1", "reward"] == pytest.approx(0, abs=1e-9) and bias["k2", "loss"] == pytest.approx(0, abs=1e-9)
    assert bias["k1", "loss"] == pytest.approx(1, abs=1e-9)
    assert min(bias["k2", "reward"], bias["k3", "reward"], bias["k3", "loss"]) > 0.05


def test_k3_in_the_loss_has_the_gradient_of_the_other_direction():
    rng = np.random.default_rng(5)
    logits, ref = rng.normal(size=6), log_softmax(rng.normal(size=6))
    log_probs = log_softmax(logits)
    slope = np.exp(log_probs) * grpo.kl_loss(log_probs, ref, estimate="k3").gradient
    numeric = [
        (kl_divergence(ref, log_softmax(logits + STEP * unit)) - kl_divergence(ref, log_softmax(logits - STEP * unit)))
        / (2 * STEP)
        for unit in np.eye(6)
    ]
    np.testing.assert_allclose(policy.softmax_gradient(log_probs, slope), numeric, atol=1e-6)
