"""The comparison draws both runs' own arrays and says what differs."""

import numpy as np

from pages.drawing import theme
from pages.drawing.view import View
from pages.figures.metrics import compare
from rlhf_core import Settings, run_pipeline
from rlhf_core.timeline import build

PINNED = run_pipeline(Settings(ppo_steps=5))
CURRENT = run_pipeline(Settings(beta=0.5, ppo_steps=7))
CHART = compare.pinned_and_current(View(CURRENT, build(CURRENT), 0, theme.LIGHT, PINNED))


def test_each_panel_holds_both_runs() -> None:
    for i, (name, _, title) in enumerate(compare.PANELS):
        pinned, ghost, current = CHART.figure.data[3 * i : 3 * i + 3]
        np.testing.assert_array_equal(pinned.y, getattr(PINNED.ppo, name))
        np.testing.assert_array_equal(current.y, getattr(CURRENT.ppo, name))
        np.testing.assert_array_equal(ghost.y, current.y)
        assert pinned.line.dash == "dash" and "[" in title


def test_the_pinned_run_stands_still_while_the_other_plays() -> None:
    assert set(CHART.grows) == {2, 5, 8, 11}
    assert len(CHART.at(0).data[2].y) == 1 and len(CHART.at(0).data[0].y) == 6


def test_the_reading_names_every_changed_control_and_no_other() -> None:
    assert compare.differences(PINNED.settings, CURRENT.settings) == "β, KL penalty 0.1 → 0.5; PPO steps 5 → 7"
    assert compare.differences(PINNED.settings, PINNED.settings) == "nothing: it is the same run"
    assert f"{PINNED.ppo.reward[-1]:.2f} → {CURRENT.ppo.reward[-1]:.2f}" in CHART.reading
