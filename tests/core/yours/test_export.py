"""A run of ours, written as TRL writes it and read back, is the same run; healthy ones raise no alarm."""

from dataclasses import replace

import numpy as np
import pytest

from rlhf_core import Settings, run_pipeline
from rlhf_core.yours import diagnose_log
from rlhf_core.yours.export import as_trl_log
from rlhf_core.yours.logs import parse_log
from rlhf_core.yours.record import of_run
from rlhf_core.yours.trainers import recognise, record_of
from tests.core.runs import run


def verdicts(settings: Settings) -> dict[str, str]:
    found = diagnose_log(parse_log(as_trl_log(run_pipeline(settings)).encode()))
    return {each.name: each.verdict for each in found}


@pytest.mark.parametrize("changed", [{}, {"rollouts": 0}, {"scenario": "safety", "ppo_steps": 1}])
def test_what_is_exported_is_read_back_to_the_last_bit(changed: dict) -> None:
    ours = run(**changed)
    log, record = parse_log(as_trl_log(ours).encode()), of_run(ours)
    assert recognise(log).name == "TRL PPO" and log.counted_by == "step"
    again = record_of(log)
    np.testing.assert_array_equal(again.steps, record.steps)
    for name in ("reward", "penalised_reward", "kl", "step_kl", "clip_fraction"):
        np.testing.assert_array_equal(again.series[name], record.series[name])
    np.testing.assert_allclose(3 * again.series["token_entropy"], record.series["entropy"])
    np.testing.assert_array_equal(log.series["objective/entropy"], record.series["entropy"])
    assert not again.has("true_reward")  # as in any log


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
def test_healthy_runs_raise_no_alarm_and_too_high_a_learning_rate_does(scenario: str) -> None:
    for seed in range(20):
        settings = Settings(scenario=scenario, seed=seed)
        assert set(verdicts(settings).values()) <= {"healthy", "unknown"}, seed
        if seed < 10:
            found = verdicts(replace(settings, ppo_learning_rate=20.0))
            assert found["Steps are small"] == found["Clipping is rare"] == "unhealthy"


def test_a_log_looks_well_while_the_truth_falls() -> None:
    for seed in range(10):
        assert "unhealthy" not in verdicts(Settings(beta=0.0, ppo_steps=60, seed=seed)).values()
