"""A reader's scenario: the one that ships gives the same run, faults are said with their place, nothing is kept."""

import gc
import weakref

import numpy as np
import pytest

from rlhf_core import Settings, features, run_pipeline
from rlhf_core.yours import diagnose, of_run
from rlhf_core.yours.scenario import LARGEST, MOST_PROMPTS, read_scenario, template
from tests.timing import quickest


def test_the_template_is_read_and_runs_as_the_scenario_it_is():
    settings = Settings(ppo_steps=3, seed=2)
    ours = run_pipeline(settings, read_scenario(template().encode(), "mine.toml"))
    theirs = run_pipeline(settings)
    assert ours.scenario.name == "mine" and ours.scenario is not theirs.scenario
    np.testing.assert_array_equal(ours.ppo.log_probs, theirs.ppo.log_probs)
    np.testing.assert_array_equal(ours.ppo.true_reward, theirs.ppo.true_reward)


def test_a_changed_appeal_changes_the_labellers_alone_and_no_shared_run():
    settings = Settings(ppo_steps=2)
    before = run_pipeline(settings)
    text = template().replace("appeal = 0.0", "appeal = 1.0")
    ours, after = run_pipeline(settings, read_scenario(text.encode(), "x")), run_pipeline(settings)
    assert np.abs(ours.labeller_reward - before.labeller_reward).max() > 0.5
    np.testing.assert_array_equal(ours.scenario.true_reward, before.scenario.true_reward)
    np.testing.assert_array_equal(after.ppo.log_probs, before.ppo.log_probs)
    assert after.reward is before.reward  # still the shared one


def test_nothing_of_it_is_kept_once_it_is_let_go():
    scenario = read_scenario(template().encode(), "x")
    run = run_pipeline(Settings(ppo_steps=1), scenario)
    diagnose(of_run(run))
    values = features.measure_scenario(scenario)
    seen = weakref.ref(scenario), weakref.ref(values)
    del scenario, run, values
    gc.collect()
    assert [each() for each in seen] == [None, None]


HOSTILE = {
    "too large": (b"#" * (LARGEST + 1), "x.toml: must be at most 200 kB, got 200 kB"),
    "Latin-1": (b'title = "\xe9"', "line 1 is not UTF-8"),
    "NUL": (b"a = 1\n\x00", "line 2 holds a NUL byte"),
    "no TOML": (b"<script>", "x.toml: not valid TOML"),
    "a name of many parts": (b"a." * 90_000 + b"a = 1", "x.toml: line 1 must have at most 60 dots"),
    "deep": (b"x = " + b"[" * 90_000, "x.toml: not valid TOML: maximum recursion"),
    "empty": (b"", "x.toml, values|values must be a table"),
    "an unknown phrase field": (template().replace("honest = ", "truthful = ", 3).encode(), r"x.toml.*'truthful'"),
    "too many prompts": (
        "".join([template(), *(
            template()[template().index("[[prompts]]") :].replace('text = "', f'text = "{i} ') for i in range(2)
        )]).encode(),
        f"at most ({MOST_PROMPTS} prompts|200 kB)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "reason"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_fault_is_said_at_once_with_its_place(data, reason):
    def read() -> None:
        with pytest.raises(ValueError, match=reason):
            read_scenario(data, "x.toml")

    assert quickest(read, times=2) < 2
