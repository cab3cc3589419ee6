"""What the Overview page says, over many seeds and both scenarios."""

import numpy as np
import pytest

from rlhf_core import ppo
from rlhf_core.preferences import preference_probability
from tests.core.runs import run

SEEDS = range(10)


@pytest.fixture(params=["helpfulness", "safety"])
def runs(request):
    return [run(scenario=request.param, seed=seed) for seed in SEEDS]


def test_sft_makes_the_answers_that_people_wrote_more_probable(runs):
    for ours in runs:
        before, after = ours.sft.log_probs[[0, -1]]
        mean = [np.take_along_axis(each, ours.sft.demonstrations, axis=1).mean() for each in (before, after)]
        assert mean[1] > mean[0] + 1


def test_each_stage_that_trains_the_policy_lifts_the_true_reward(runs):
    for ours in runs:
        base, truth = ours.course.true_reward[0].mean(), ours.ppo.true_reward
        assert base + 0.3 < truth[0] and truth[0] + 0.5 < truth[-1]  # by 0.38 and 0.61 at least


def test_the_policy_practises_until_its_answers_win_comparisons(runs):
    # An answer of the PPO policy against one of the SFT policy, judged by a labeller: 68 to 74 %.
    for ours in runs:
        after, before, judgement = np.exp(ours.ppo.log_probs[-1]), np.exp(ours.ppo.log_probs[0]), ours.labeller_reward
        wins = preference_probability(
            judgement[:, :, None], judgement[:, None, :], label_noise=ours.settings.label_noise
        )
        assert 0.6 < (after[:, :, None] * before[:, None, :] * wins).sum(axis=(1, 2)).mean() < 0.85


def test_three_draws_show_it_on_average(runs):
    # Three answers to each of 12 prompts, 10 seeds: the columns of the page, base to SFT to PPO.
    rows = (0, runs[0].settings.sft_epochs, -1)
    worth = [
        np.mean([np.take_along_axis(ours.scenario.true_reward, ours.course.answers[row], axis=1) for ours in runs])
        for row in rows
    ]
    assert worth[0] + 0.3 < worth[1] and worth[1] + 0.5 < worth[2]


def test_nothing_carries_over_from_one_prompt_to_the_next():
    ours = run()
    scores = ours.reward.scores.copy()
    scores[0] = -scores[0]  # another reward for the first prompt alone
    rng = np.random.default_rng(np.random.SeedSequence(0).spawn(3)[2])
    other = ppo.train(ours.sft.logits, scores, ours.scenario.true_reward, ours.labeller_reward, ours.settings, rng)
    assert not np.allclose(other.log_probs[-1, 0], ours.ppo.log_probs[-1, 0])
    np.testing.assert_array_equal(other.log_probs[:, 1:], ours.ppo.log_probs[:, 1:])
