"""A run's curves as plain data are the run's, the truth among them."""

import json

import numpy as np

from rlhf_core.traces import TRACES, tidy
from tests.core.runs import run


def test_the_dictionary_holds_every_curve_and_is_json():
    one = run(ppo_steps=4)
    data = json.loads(json.dumps(one.to_dict()))
    np.testing.assert_array_equal(data["ppo"]["true_reward"], one.ppo.true_reward)
    np.testing.assert_array_equal(data["ppo"]["labeller_reward"], one.ppo.labeller_reward)
    assert data["settings"]["ppo_steps"] == 4 and len(data["frontier"]["betas"]) == len(data["frontier"]["kl"])


def test_tidy_records_have_one_point_each_with_its_unit():
    one = run(ppo_steps=4)
    records = tidy(one)
    assert len(records) == sum(len(trace.values(one)) for trace in TRACES)
    last = [r for r in records if (r["stage"], r["series"]) == ("ppo", "kl")][-1]
    assert (last["number"], last["value"], last["unit"]) == (4, float(one.ppo.kl[-1]), "nats per response")
