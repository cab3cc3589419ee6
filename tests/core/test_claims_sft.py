"""What the SFT page says about SFT, held against many seeds and both scenarios."""

import numpy as np
import pytest

from rlhf_core import PipelineRun
from rlhf_core.distributions import entropy, expectation, log_softmax
from rlhf_core.sft import WRITER_TEMPERATURE, writer_log_probs
from tests.core.runs import run

SEEDS = range(10)


@pytest.fixture(params=["helpfulness", "safety"])
def scenario(request: pytest.FixtureRequest) -> str:
    return request.param


def runs(scenario: str, **settings: object) -> list[PipelineRun]:
    return [run(scenario=scenario, seed=seed, **settings) for seed in SEEDS]


def gap(ours: PipelineRun) -> float:
    return float(ours.sft.heldout_loss[-1] - ours.sft.loss[-1])


# ------------------------------------------------------------------ "SFT raises their probability, nothing else"


def test_every_epoch_makes_the_demonstrations_cheaper(scenario):
    for ours in runs(scenario):
        assert np.all(np.diff(ours.sft.loss) < 0)


def test_every_demonstration_gains_the_least_good_one_too(scenario):
    for ours in runs(scenario):
        before, after = np.take_along_axis(ours.sft.log_probs[[0, -1]], ours.sft.demonstrations[None], axis=2)
        assert np.all(after > before)


def test_the_loss_never_sees_true_reward(scenario):
    """It is the demonstrations' mean negative log-probability, whatever they are worth."""
    for ours in runs(scenario):
        shown = np.take_along_axis(ours.sft.log_probs, ours.sft.demonstrations[None], axis=2)
        np.testing.assert_allclose(ours.sft.loss, -shown.mean(axis=(1, 2)))


# ------------------------------------------------------------------ "more demonstrations narrow that gap"


def test_the_base_policy_finds_good_answers_less_likely_than_blind_guessing(scenario):
    for ours in runs(scenario):
        assert ours.sft.loss[0] > np.log(80)


def test_held_out_demonstrations_stay_dearer(scenario):
    for ours in runs(scenario):
        assert gap(ours) > 1  # at least 1.28 nats


def test_more_demonstrations_narrow_the_gap(scenario):
    gaps = [np.mean([gap(ours) for ours in runs(scenario, n_demonstrations=n)]) for n in (1, 4, 16, 32)]
    assert np.all(np.diff(gaps) < 0)


def test_more_epochs_widen_the_gap(scenario):
    for seed in SEEDS:
        gaps = [gap(run(scenario=scenario, seed=seed, sft_epochs=n)) for n in (10, 30, 100)]
        assert np.all(np.diff(gaps) > 0)


# ------------------------------------------------------------------ "it ends at the writer"


def test_true_reward_rises_and_stays_below_the_writers(scenario):
    for ours in runs(scenario):
        truth = ours.course.true_reward[: len(ours.sft.loss)].mean(axis=1)
        assert truth[0] < truth[-1] < ours.sft.writer_true_reward
        assert ours.sft.writer_true_reward < ours.scenario.true_reward.max(axis=1).mean()


def test_the_writers_figures_are_those_of_exp_true_reward_over_temperature(scenario):
    ours = run(scenario=scenario)
    writer = log_softmax(ours.scenario.true_reward / WRITER_TEMPERATURE)
    assert ours.sft.writer_loss == pytest.approx(entropy(writer).mean())
    assert ours.sft.writer_true_reward == pytest.approx((np.exp(writer) * ours.scenario.true_reward).sum(axis=1).mean())


def test_on_average_no_policy_finds_the_writers_answers_cheaper_than_the_writer_does(scenario):
    """Gibbs: E_writer[-log pi] >= the writer's entropy, with equality for pi = writer alone."""
    ours = run(scenario=scenario)
    writer = writer_log_probs(ours.scenario.true_reward)
    for policy in ours.sft.log_probs:
        assert -expectation(writer, policy).mean() > ours.sft.writer_loss
    assert -expectation(writer, writer).mean() == pytest.approx(ours.sft.writer_loss)


def test_with_many_demonstrations_and_epochs_the_policy_comes_close_to_the_writer(scenario):
    few = run(scenario=scenario)
    many = run(scenario=scenario, n_demonstrations=32, sft_epochs=100, sft_learning_rate=1.0)
    worth = [ours.course.true_reward[len(ours.sft.loss) - 1].mean() for ours in (few, many)]
    assert worth[0] < worth[1]
    assert abs(worth[1] - many.sft.writer_true_reward) < 0.2


# ------------------------------------------------------------------ "the reference policy of the next stages"


def test_ppo_starts_from_a_copy_and_the_reward_is_centred_on_it(scenario):
    for ours in runs(scenario):
        np.testing.assert_array_equal(ours.ppo.log_probs[0], ours.sft.log_probs[-1])
        np.testing.assert_allclose(expectation(ours.sft.log_probs[-1], ours.reward.scores), 0, atol=1e-12)


def test_what_the_answers_lose_the_others_gain(scenario):
    for ours in runs(scenario):
        np.testing.assert_allclose(np.exp(ours.sft.log_probs).sum(axis=2), 1)
