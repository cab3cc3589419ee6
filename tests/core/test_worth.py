"""A response's true reward taken apart adds up to what it was."""

import pytest

from rlhf_core import load_scenario
from rlhf_core.scenarios import SLOTS
from rlhf_core.worth import worth


@pytest.mark.parametrize("name", ["helpfulness", "safety"])
def test_parts_less_clashes_are_the_true_reward_of_every_response(name):
    scenario = load_scenario(name)
    n_clashing = 0
    for prompt, texts in enumerate(scenario.responses):
        for response, text in enumerate(texts):
            found = worth(scenario, prompt, response)
            lost = sum(clash.penalty for clash in found.clashes)
            assert sum(part.total for part in found.parts) - lost == pytest.approx(found.true_reward, abs=1e-12)
            assert sum(part.phrase.appeal for part in found.parts) == pytest.approx(found.appeal, abs=1e-12)
            assert found.true_reward == scenario.true_reward[prompt, response]
            assert [part.slot for part in found.parts] == list(SLOTS)
            assert " ".join(part.phrase.text for part in found.parts) == text
            n_clashing += bool(found.clashes)
    assert bool(n_clashing) == bool(scenario.clashes)
