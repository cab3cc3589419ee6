"""Supervised fine-tuning: the demonstrations, their loss and its descent."""

import numpy as np
import pytest
from scipy import special, stats

from rlhf_core import load_scenario, policy, sft
from tests.core.runs import run
from tests.core.tools import Tables, central_differences, random_logits, token_log_probs

SCENARIOS = ("helpfulness", "safety")


def test_an_ignorant_policy_loses_log_80() -> None:
    uniform = (np.zeros((1, 4)), np.zeros((1, 4, 5)), np.zeros((1, 4, 5, 4)))
    loss, _ = sft.sft_loss(uniform, np.array([[0, 17, 79]]))
    assert loss == pytest.approx(np.log(80), rel=1e-14)


def test_loss_and_gradient_by_hand() -> None:
    # pi = (1/4, 3/4), demonstrations 0, 0, 1: loss (2 log 4 + log(4/3)) / 3, gradient pi - (2/3, 1/3)
    loss, (gradient,) = sft.sft_loss((np.log([[0.25, 0.75]]),), np.array([[0, 0, 1]]))
    np.testing.assert_allclose(loss, [(2 * np.log(4) + np.log(4 / 3)) / 3], rtol=1e-14)
    np.testing.assert_allclose(gradient, [[0.25 - 2 / 3, 0.75 - 1 / 3]], rtol=1e-14)


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4)])
def test_the_gradient_matches_central_differences(shape: tuple[int, ...]) -> None:
    logits = random_logits(0, shape)
    demonstrations = np.random.default_rng(0).integers(0, np.prod(shape), (2, 5))

    def total(moved: Tables) -> float:
        return float(-token_log_probs(moved).sum(axis=-1)[[[0], [1]], demonstrations].mean(axis=1).sum())

    loss, gradient = sft.sft_loss(logits, demonstrations)
    assert loss.sum() == pytest.approx(total(logits), rel=1e-12)
    for ours, wanted in zip(gradient, central_differences(total, logits), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-8)


def test_no_policy_does_better_than_the_demonstrations_own_frequencies() -> None:
    # Frequencies 1/2, 1/3, 1/6: the least loss is their entropy, and there the gradient vanishes.
    frequencies = np.array([3, 2, 1]) / 6
    loss, (gradient,) = sft.sft_loss((np.log(frequencies)[None],), np.array([[0, 0, 0, 1, 1, 2]]))
    assert loss == pytest.approx(stats.entropy(frequencies), rel=1e-14)
    np.testing.assert_allclose(gradient, 0, rtol=0, atol=1e-15)


def test_a_demonstration_of_probability_1e_300_has_a_finite_loss_and_gradient() -> None:
    loss, (gradient,) = sft.sft_loss((np.array([[0.0, np.log(1e-300)]]),), np.array([[1]]))
    assert loss == pytest.approx(300 * np.log(10), rel=1e-12)
    np.testing.assert_allclose(gradient, [[1, -1]], rtol=1e-14)


def test_the_writer_demonstrates_in_proportion_to_exp_of_true_reward_over_temperature() -> None:
    true_reward = np.array([[0.0, 0.5, 1.0, -1.0]])
    n = 20_000
    drawn = sft.draw_demonstrations(sft.writer_log_probs(true_reward), np.random.default_rng(0).random((1, n)))
    counts = np.bincount(drawn[0], minlength=4)
    probs = special.softmax(true_reward[0] / sft.WRITER_TEMPERATURE)
    assert stats.chisquare(counts, n * probs).pvalue > 0.001
    assert stats.chisquare(counts, n * special.softmax(true_reward[0])).pvalue < 1e-9  # the test has teeth


def test_the_writer_can_write_the_first_and_the_last_response() -> None:
    edges = np.array([[0.0, np.nextafter(1, 0)]])
    np.testing.assert_array_equal(sft.draw_demonstrations(sft.writer_log_probs(np.zeros((1, 80))), edges), [[0, 79]])


def test_what_is_taken_is_never_drawn_and_the_rest_keeps_its_proportions() -> None:
    rest = sft.without(np.log([[0.1, 0.2, 0.3, 0.4]]), np.array([[1, 3, 3]]))
    np.testing.assert_allclose(np.exp(rest), [[0.25, 0, 0.75, 0]], rtol=1e-14)
    edges = np.array([[0.0, 0.2, 0.3, np.nextafter(1, 0)]])
    np.testing.assert_array_equal(sft.draw_demonstrations(rest, edges), [[0, 0, 2, 2]])


def test_a_writer_who_has_nothing_left_to_write_is_refused() -> None:
    with pytest.raises(ValueError, match="taken must leave a response of each prompt, got 3 of 2"):
        sft.without(np.log([[0.5, 0.5], [0.5, 0.5]]), np.array([[0, 0, 0], [1, 0, 1]]))


@pytest.mark.parametrize("n_demonstrations", [1, 4, 32])
@pytest.mark.parametrize("name", SCENARIOS)
def test_no_held_out_demonstration_was_trained_on(name: str, n_demonstrations: int) -> None:
    for seed in range(5):
        found = run(scenario=name, seed=seed, n_demonstrations=n_demonstrations).sft
        assert found.heldout_demonstrations.shape == (12, sft.HELDOUT_DEMONSTRATIONS)
        for trained, heldout in zip(found.demonstrations, found.heldout_demonstrations, strict=True):
            assert not set(trained.tolist()) & set(heldout.tolist())


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_the_held_out_ones_cost_the_writer(name: str) -> None:
    found = run(scenario=name)
    writer = sft.writer_log_probs(found.scenario.true_reward)
    costs = [-row[drawn] for row, drawn in zip(writer, found.sft.heldout_demonstrations, strict=True)]
    assert found.sft.writer_heldout_loss == pytest.approx(np.mean(costs), rel=1e-12)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_trace_begins_with_the_pretrained_policy_and_ends_with_the_reference(name: str) -> None:
    found = run(scenario=name)
    pretrained = token_log_probs(policy.pretrained(load_scenario(name))).sum(axis=-1)
    np.testing.assert_allclose(found.sft.log_probs[0], pretrained, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        found.sft.log_probs[-1], token_log_probs(found.sft.logits).sum(axis=-1), rtol=0, atol=1e-12
    )
    np.testing.assert_array_equal(found.ppo.log_probs[0], found.sft.log_probs[-1])


@pytest.mark.parametrize("name", SCENARIOS)
def test_recorded_losses_are_means_over_prompts_and_demonstrations(name: str) -> None:
    found = run(scenario=name).sft
    for loss, demonstrations in (
        (found.loss, found.demonstrations),
        (found.heldout_loss, found.heldout_demonstrations),
    ):
        for epoch, log_probs in enumerate(found.log_probs):
            by_prompt = [-row[chosen].mean() for row, chosen in zip(log_probs, demonstrations, strict=True)]
            assert loss[epoch] == pytest.approx(np.mean(by_prompt), rel=1e-12)


@pytest.mark.parametrize("name", SCENARIOS)
def test_training_is_plain_gradient_descent_on_each_prompts_loss(name: str) -> None:
    """Independent replay: after a prefix, the gradient is `reach * pi - share`, counted among the demonstrations."""
    found = run(scenario=name)
    shape, rate = found.scenario.shape, found.settings.sft_learning_rate
    for prompt, demonstrations in enumerate(found.sft.demonstrations):
        shares = [np.zeros(shape[: level + 1]) for level in range(3)]
        for tokens in zip(*np.unravel_index(demonstrations, shape), strict=True):
            for level, share in enumerate(shares):
                share[tokens[: level + 1]] += 1 / len(demonstrations)
        tables = [table[prompt].copy() for table in policy.pretrained(found.scenario)]
        for _ in range(found.settings.sft_epochs):
            for table, share in zip(tables, shares, strict=True):
                table -= rate * (share.sum(axis=-1, keepdims=True) * special.softmax(table, axis=-1) - share)
        for table, recorded in zip(tables, found.sft.logits, strict=True):
            np.testing.assert_allclose(recorded[prompt], table, rtol=0, atol=1e-10)


def test_each_prompt_learns_from_its_own_demonstrations_alone() -> None:
    logits = random_logits(0, (2, 3))
    both = sft.sft_loss(logits, np.array([[0, 4], [5, 5]]))
    other = sft.sft_loss(logits, np.array([[0, 4], [1, 2]]))
    assert both[0][0] == other[0][0]
    for gradient, same in zip(both[1], other[1], strict=True):
        np.testing.assert_array_equal(gradient[0], same[0])


def test_more_demonstrations_begin_with_the_fewer_ones() -> None:
    few, many = run(seed=3).sft, run(seed=3, n_demonstrations=9).sft
    np.testing.assert_array_equal(many.demonstrations[:, : few.demonstrations.shape[1]], few.demonstrations)
