"""Views of many kinds of runs, for the tests of the Overview and Metrics pages."""

import json
import zlib
from functools import cache

import pytest

from pages.drawing import theme
from pages.drawing.chart import Chart
from pages.drawing.live import Live
from pages.drawing.view import View
from pages.stage.storyboard import encode_chart, encode_live
from rlhf_core.timeline import build
from tests.core.runs import run

WORLDS: list[dict[str, object]] = [
    {},
    {"seed": 1},
    {"seed": 7},
    {"beta": 0.0, "ppo_steps": 60},
    {"beta": 2.0},
    {"rollouts": 0, "ppo_steps": 20},
    {"rollouts": 1},
    {"ppo_steps": 1, "sft_epochs": 1, "rm_epochs": 1},
    {"ppo_steps": 3, "advantage": "leave_one_out"},
    {"advantage": "group_normalised"},
    {"advantage": "gae"},
    {"ppo_learning_rate": 20.0, "beta": 0.0, "ppo_steps": 30},
    {"n_comparisons": 24, "label_noise": 5.0},
    {"scenario": "safety"},
    {"scenario": "safety", "seed": 3},
    {"scenario": "safety", "beta": 0.0, "ppo_steps": 60, "rollouts": 0},
    {"scenario": "safety", "ppo_steps": 1},
    {"scenario": "safety", "ppo_steps": 60, "advantage": "gae"},
]
EACH_WORLD = pytest.mark.parametrize("settings", WORLDS, ids=str)


@cache
def view(prompt: int = 0, dark: bool = False, **settings: object) -> View:
    ours = run(**settings)
    return View(ours, build(ours), prompt, theme.DARK if dark else theme.LIGHT)


def sent(drawn: Chart | Live) -> dict:
    """What the browser gets, read as strictly as the browser reads it."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    payload = encode_chart(drawn) if isinstance(drawn, Chart) else encode_live(drawn)
    return json.loads(zlib.decompress(payload.body), parse_constant=refuse)


def shown(live: Live, frame: int) -> dict[str, str]:
    """Words of every slot at a frame."""
    return {slot: values[int(live.rows[frame])] for slot, values in live.values.items()}


def frame(of: View, name: str) -> int:
    return of.timeline.names.index(name)
