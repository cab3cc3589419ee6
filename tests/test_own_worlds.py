"""No passage is false, and no page breaks, in a world that a reader brings: any numbers and texts that are allowed."""

import numpy as np
import pytest

from tests.everything import everything
from tests.scenarios_at_random import scenario
from tests.sentences import sentences
from tests.settings_at_random import Look, settings_at_random
from tests.test_every_sentence import contradicted, faults, of_other_settings, wrong_way
from tests.test_no_setting_breaks_a_page import check_played

WORLDS = range(9)
"""A third with any values, a third with values at the ends of their ranges, a third with nothing to tell apart."""


def look(number: int, evil: bool = False) -> Look:
    own, rng = scenario(number, evil), np.random.default_rng([number, 20261126])
    prompt = int(rng.integers(len(own.scenario.prompts)))
    settings = settings_at_random(rng, scenario=own)
    return Look(settings, prompt, bool(number % 2), settings if number % 4 == 0 else None)


@pytest.mark.parametrize("number", WORLDS)
def test_every_figure_and_passage_can_be_played(number: int) -> None:
    one = look(number, evil=number % 2 == 0)
    view = one.view
    for name, made in everything(view):
        check_played(made, len(view.timeline.frames), f"{name} at {one}")


@pytest.mark.parametrize("number", WORLDS)
def test_every_sentence_is_true_of_the_run_beside_it(number: int) -> None:
    wrong = set()
    for said in sentences(look(number)):
        complaints = [*faults(said.text), *contradicted(said), *of_other_settings(said)]
        complaints += ["wrong way"] if wrong_way(said.text) else []
        wrong |= {f"{complaint}: {said.source}: {said.text}" for complaint in complaints}
    assert not wrong, "\n".join(sorted(wrong))
