"""A reader's scenario: the one that ships gives the same run, faults are said with their place, nothing is kept."""

import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from rlhf_core import Settings, features, load_scenario, run_pipeline
from rlhf_core.yours import diagnose, of_run
from rlhf_core.yours.scenario import LARGEST, MOST_PROMPTS, read_scenario, template
from tests.scenarios_at_random import scenario
from tests.timing import quickest


def test_the_template_is_read_and_runs_as_the_scenario_it_is():
    settings = Settings(ppo_steps=3, seed=2)
    ours = run_pipeline(replace(settings, scenario=read_scenario(template().encode(), "mine.toml")))
    theirs = run_pipeline(settings)
    assert ours.scenario.name == "mine" and ours.scenario is not theirs.scenario
    np.testing.assert_array_equal(ours.ppo.log_probs, theirs.ppo.log_probs)
    np.testing.assert_array_equal(ours.ppo.true_reward, theirs.ppo.true_reward)


def test_a_changed_appeal_changes_the_labellers_alone_and_no_shared_run():
    settings = Settings(ppo_steps=2)
    before = run_pipeline(settings)
    text = template().replace("appeal = 0.0", "appeal = 1.0")
    ours = run_pipeline(replace(settings, scenario=read_scenario(text.encode(), "x")))
    after = run_pipeline(settings)
    assert np.abs(ours.labeller_reward - before.labeller_reward).max() > 0.5
    np.testing.assert_array_equal(ours.scenario.true_reward, before.scenario.true_reward)
    np.testing.assert_array_equal(after.ppo.log_probs, before.ppo.log_probs)
    assert after.reward is before.reward  # still the shared one


def test_nothing_of_it_is_kept_once_it_is_let_go():
    own = read_scenario(template().encode(), "x")
    run = run_pipeline(Settings(ppo_steps=1, scenario=own))
    diagnose(of_run(run))
    values, ratio = features.measure_scenario(own.scenario), run.ppo.rollouts[0].ratio
    seen = weakref.ref(own.scenario), weakref.ref(values), weakref.ref(ratio)
    del own, run, values, ratio
    gc.collect()
    assert [each() for each in seen] == [None, None, None]


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


def test_its_name_carries_it_wherever_settings_go():
    own = read_scenario(template().encode(), "mine.toml")
    settings = Settings(scenario=own, beta=0.3)
    assert load_scenario(settings.scenario) is own.scenario and deepcopy(settings).scenario is own
    assert settings.to_query() == {"scenario": str(own), "beta": "0.3"} and type(settings.to_query()["scenario"]) is str
    assert eval(repr(settings), {"Settings": Settings, "load_brought": lambda file: own}) == settings
    there = pickle.loads(pickle.dumps(settings))  # as in another process
    assert there == settings and there.scenario.scenario is not own.scenario
    np.testing.assert_array_equal(run_pipeline(there).ppo.log_probs, run_pipeline(settings).ppo.log_probs)


def test_nobody_gets_it_by_its_name():
    own = read_scenario(template().encode(), "helpfulness.toml")
    with pytest.raises(ValueError, match="scenario must be one of helpfulness, safety, got 'mine-"):
        Settings(scenario=str(own))
    with pytest.raises(ValueError, match="scenario must be one of"):
        load_scenario(str(own))
    assert Settings.from_query({"scenario": str(own)})[0].scenario == "helpfulness"
    assert load_scenario("helpfulness") is not own.scenario and own != "helpfulness"


def test_scenarios_of_one_title_never_mix_in_threads():
    mine = [scenario(number) for number in (0, 3, 6, 9)]
    settings = [Settings(scenario=own, ppo_steps=3, seed=1) for own in mine]
    alone = [run_pipeline(each).ppo.true_reward for each in settings]
    assert len(set(mine)) == len({each.tobytes() for each in alone}) == 4
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(run_pipeline, settings * 5))
    for i, run in enumerate(together):
        assert run.scenario is mine[i % 4].scenario
        np.testing.assert_array_equal(run.ppo.true_reward, alone[i % 4])
