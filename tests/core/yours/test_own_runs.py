"""What a run of ours knows about itself."""

import numpy as np
import pytest

from rlhf_core.yours import diagnose, of_run
from tests.core.runs import run


def test_one_epoch_with_a_huge_learning_rate_is_seen_though_nothing_is_clipped():
    ours = run(ppo_epochs=1, ppo_learning_rate=20, rollouts=4)
    found = {finding.name: finding for finding in diagnose(of_run(ours))}
    assert ours.ppo.clip_fraction.max() == 0 and found["Clipping is rare"].verdict == "unknown"
    assert found["Steps are small"].verdict == "unhealthy"


@pytest.mark.parametrize("changed", [{}, {"rollouts": 0}, {"rollouts": 1}, {"scenario": "safety", "ppo_steps": 1}])
def test_the_record_holds_the_run_s_own_figures(changed: dict) -> None:
    ours = run(**changed)
    record, probs = of_run(ours), np.exp(ours.ppo.log_probs)
    for name in ("reward", "kl", "entropy", "true_reward", "labeller_reward"):
        np.testing.assert_array_equal(record.series[name], getattr(ours.ppo, name))
    np.testing.assert_array_equal(record.series["penalised_reward"], ours.ppo.objective)
    step_kl = (probs[1:] * (ours.ppo.log_probs[1:] - ours.ppo.log_probs[:-1])).sum(axis=(1, 2)) / 12 / 3
    np.testing.assert_allclose(record.values("step_kl"), step_kl, atol=1e-12)
    np.testing.assert_allclose(record.first("reward_spread"), 1, rtol=1e-9)
    words = [[len(text.split()) for text in texts] for texts in ours.scenario.responses]
    np.testing.assert_allclose(record.series["length"], (probs * words).sum(axis=(1, 2)) / 12)
    assert record.has("equal_groups") == (ours.settings.rollouts > 1)


def test_the_largest_kl_is_that_of_the_least_likely_answers():
    ours = run(seed=4)
    farthest = -ours.ppo.log_probs[0].min(axis=1).mean()
    assert of_run(ours).facts["largest_kl"] == pytest.approx(farthest) and 7 < farthest < 10


def test_a_policy_of_one_answer_of_the_reference_is_its_entropy_away():
    # E over y ~ ref of KL(point mass at y || ref) = E[-log ref(y)] = the entropy of ref.
    ref = run().ppo.log_probs[0]
    assert (np.exp(ref) * -ref).sum(axis=1).mean() == pytest.approx(of_run(run()).first("entropy"))
