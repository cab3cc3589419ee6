"""Every preset opens on every page, whatever scenario, seed and prompt; and a page survives a bad figure."""

from functools import cache
from itertools import product

import pytest
from streamlit.testing.v1 import AppTest

from pages.figures.ppo import loop
from pages.frame.page import LOST
from pages.frame.presets import PRESETS, settings_of
from rlhf_core import Settings
from rlhf_core.settings import CONTROLS, DEFAULTS
from tests.app.opening import opened

PAGES = ("overview", "sft", "reward_model", "ppo", "metrics")
SEEDS, PROMPTS = range(3), (0, 4, 11)


@cache
def tab(page: str) -> AppTest:
    """One reader's tab for all presets: a new session costs more than a change of the controls."""
    return opened(page, "done")


@pytest.mark.parametrize("scenario", CONTROLS["scenario"].choices)
@pytest.mark.parametrize("key", PRESETS)
def test_a_preset_opens_on_every_page(key: str, scenario: str) -> None:
    for seed in SEEDS:
        chosen = settings_of(PRESETS[key], Settings(scenario=scenario, seed=seed))
        for prompt, page in product(PROMPTS, PAGES):
            app = tab(page)
            for name in DEFAULTS:
                app.session_state[name] = getattr(chosen, name)
            app.session_state["prompt"] = prompt
            app.run()
            assert not app.exception, (page, chosen, prompt)
            assert app.title and app.session_state["prompt"] == prompt


def test_a_page_that_loses_a_part_says_so_and_keeps_the_rest(
    monkeypatch: pytest.MonkeyPatch, lost_parts: list[str]
) -> None:
    whole = opened("ppo", "done")

    def broken(view: object) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(loop, "loop", broken)
    app = opened("ppo", "done")
    assert not app.exception and [block.value for block in app.caption].count(LOST) == 1
    assert [block.value for block in app.markdown] == [block.value for block in whole.markdown]
    assert "secret" not in str(app.main) and "broken" not in str(app.main)
    lost_parts.append(f"{broken.__module__}.broken, prompt 5, {{}}")
