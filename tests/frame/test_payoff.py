"""The end of a run is summed up as it was, and three other runs are offered."""

import pytest

from pages.drawing.marks import fell_back
from pages.drawing.wording import minus
from pages.frame.payoff import next_runs, summary
from rlhf_core import Settings, run_pipeline


@pytest.mark.parametrize("changes", [{}, {"beta": 0.0, "ppo_steps": 60}, {"scenario": "safety"}, {"beta": 2.0}])
def test_the_summary_is_of_this_run(changes: dict[str, object]) -> None:
    run = run_pipeline(Settings(**changes))
    said = summary(run)
    assert f"from 0 to {minus(run.ppo.reward[-1])}, {minus(run.ppo.kl[-1])} nats" in said
    assert ("over-optimised" in said) == fell_back(run)


STATES = [Settings(), Settings(beta=0.0, ppo_steps=60), Settings(labeller_bias=0.0, beta=2.0)]


@pytest.mark.parametrize("settings", STATES)
def test_three_other_runs_are_offered(settings: Settings) -> None:
    offered = next_runs(settings)
    assert len(offered) == 3 and all(other != settings for _, other in offered)
    assert len({other for _, other in offered}) == 3
