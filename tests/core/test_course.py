"""The policy's course: its figures are the traces' own, and its answers are real draws that change no other stream."""

import numpy as np
import pytest

from rlhf_core import course, policy
from rlhf_core.ppo import clipped_surrogate
from tests.core.runs import run


def streams(seed: int, n: int) -> list[np.random.Generator]:
    return [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(n)]


def test_its_figures_are_those_of_the_traces():
    ours = run(seed=3)
    n_sft = ours.settings.sft_epochs
    base = np.exp(ours.sft.log_probs[0]) * ours.scenario.true_reward
    np.testing.assert_allclose(ours.course.true_reward[0], base.sum(axis=1))
    np.testing.assert_allclose(ours.course.true_reward[n_sft:].mean(axis=1), ours.ppo.true_reward)
    np.testing.assert_allclose(ours.course.labeller_reward[n_sft:].mean(axis=1), ours.ppo.labeller_reward)
    np.testing.assert_allclose(ours.course.reward[n_sft:].mean(axis=1), ours.ppo.reward, atol=1e-12)
    assert not ours.course.answers.flags.writeable


def test_the_sft_policy_scores_zero_on_every_prompt():
    ours = run(seed=5, scenario="safety")
    np.testing.assert_allclose(ours.course.reward[ours.settings.sft_epochs], 0, atol=1e-12)


@pytest.mark.parametrize("step", [0, 1, 5, 8])
def test_its_answers_are_what_the_policy_writes_token_by_token_with_the_fourth_stream(step):
    ours = run(seed=11)
    uniforms = streams(11, 4)[3].random((12, course.N_ANSWERS, 3))
    drawn = policy.sample(policy.log_tables(ours.ppo.logits[step]), uniforms)
    np.testing.assert_array_equal(ours.course.answers[ours.settings.sft_epochs + step], drawn)


def test_no_other_stream_has_changed():
    # The first PPO step's rollouts and the demonstrations, from three streams instead of four.
    ours = run(seed=11)
    sft_rng, _, ppo_rng = streams(11, 3)
    rollouts = policy.sample(policy.log_tables(ours.sft.logits), ppo_rng.random((12, ours.settings.rollouts, 3)))
    np.testing.assert_array_equal(ours.ppo.rollouts[0].responses, rollouts)
    uniforms = sft_rng.random((8 + ours.settings.n_demonstrations, 12)).T
    writer = np.exp(ours.scenario.true_reward / 0.5)
    cumulative = np.cumsum(writer / writer.sum(axis=1, keepdims=True), axis=1)
    drawn = (cumulative[:, None, :] <= uniforms[:, 8:, None]).sum(axis=2)
    np.testing.assert_array_equal(ours.sft.demonstrations, drawn)


def test_draws_are_as_frequent_as_probable():
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.full(80, 0.3), size=(2, 3))  # two policies, three prompts
    n = 40_000
    drawn = course.draw(probs, (4, 5, 4), rng.random((3, n, 3)))
    counts = np.stack([[np.bincount(each, minlength=80) for each in row] for row in drawn])
    spread = np.sqrt(probs * (1 - probs) / n)
    assert (np.abs(counts / n - probs) <= 5 * spread + 1e-12).all()


def test_equal_policies_give_equal_answers_and_impossible_ones_are_never_drawn():
    probs = np.zeros((2, 1, 80))
    probs[:, 0, [7, 33]] = [0.25, 0.75]
    drawn = course.draw(probs, (4, 5, 4), np.random.default_rng(1).random((1, 500, 3)))
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert set(drawn.ravel()) == {7, 33}


@pytest.mark.parametrize("settings", [{}, {"rollouts": 0}, {"advantage": "gae"}, {"clip_range": 0.05}], ids=str)
def test_the_recorded_loss_is_minus_the_surrogate_before_and_after_the_update(settings):
    ours = run(ppo_steps=4, **settings)
    for step, batch in enumerate(ours.ppo.rollouts):
        old = np.exp(ours.ppo.log_probs[step])[..., None]
        weights = (old if ours.settings.rollouts == 0 else 1 / ours.settings.rollouts) / 12
        moved = np.log(batch.ratio)
        for column, log_ratio in enumerate((np.zeros_like(moved), moved)):
            surrogate = clipped_surrogate(
                log_ratio, np.zeros_like(moved), batch.advantages, clip_range=ours.settings.clip_range, weights=weights
            )
            assert ours.ppo.loss[step, column] == pytest.approx(-surrogate.objective, abs=1e-12)
