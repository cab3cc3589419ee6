"""No line goes through the words in a chart, and no words stand on others: at sizes and settings that readers have."""

from collections.abc import Iterator

import numpy as np
import pytest

from pages.drawing import theme
from pages.drawing.chart import Chart
from pages.drawing.labels import LINE, Level, Place, Room, end_names, on_levels
from pages.drawing.marks import Curve
from pages.drawing.view import View
from rlhf_core import Settings
from tests.drawing.labels import Plot, box, collisions
from tests.everything import everything
from tests.settings_at_random import look, trained

WIDTHS = {"metrics.six": (250, 320)}
"""Pixels of charts on a phone and beside others; three of the six stand side by side."""
CHOSEN = (
    {}, {"beta": 0.0, "ppo_steps": 60}, {"beta": 0.0, "ppo_steps": 60, "labeller_bias": 1.5}, {"labeller_bias": 0.0},
    {"scenario": "safety"}, {"scenario": "safety", "beta": 0.0, "ppo_steps": 60}, {"beta": 2.0, "ppo_steps": 20},
)  # fmt: skip


def plots(view: View) -> Iterator[tuple[str, Plot]]:
    """Every chart of a view, on a phone, beside another one, and in a low window."""
    for name, made in everything(view):
        if isinstance(made, Chart):
            usual = made.drawing.layout.get("height", theme.HEIGHT)
            for width in WIDTHS.get(name.rpartition(".")[0], (340, 560)):
                for height in {usual, made.low or usual}:
                    yield name, Plot(made, width, height)


def named(view: View) -> tuple[set[str], set[str]]:
    """What meets in the charts of a view, and which words had to be put in front of a line."""
    found, covering = set(), set()
    for name, plot in plots(view):
        found |= {f"{name} at {plot.width} x {plot.height}: {each}" for each in collisions(plot)}
        covering |= {words.words for words in plot.words() if words.covers}
    return found, covering


@pytest.mark.parametrize("settings", CHOSEN, ids=str)
def test_words_are_off_every_line_at_settings_that_pages_lead_to(settings: dict) -> None:
    run, timeline = trained(Settings(**settings))
    found, covering = named(View(run, timeline, 0, theme.LIGHT))
    assert found == set() and len(covering) <= 2, covering


@pytest.mark.parametrize("number", range(10))
def test_words_are_off_every_line_at_settings_that_nobody_chose(number: int) -> None:
    assert named(look(number).view)[0] == set()


def test_words_that_change_are_never_empty_for_plotly_would_not_show_them_again() -> None:
    run, timeline = trained(Settings(rm_epochs=3, sft_epochs=3, ppo_steps=3))
    for name, made in everything(View(run, timeline, 0, theme.LIGHT)):
        for trace, moved in made.moves.items() if isinstance(made, Chart) else ():
            if "text" in moved and "text" in made.drawing.data[trace].get("mode", ""):
                assert all(all(row) for row in moved["text"]), name


# ---------------------------------------------------------------- the checker, and the rules


def test_a_line_through_words_is_found() -> None:
    words = box("true reward", 100, 50, 13, "left", "middle")
    x = np.array([0.0, 300.0])
    assert words.is_crossed(x, np.array([50.0, 50.0])) and words.is_crossed(x, np.array([0.0, 110.0]))
    assert not words.is_crossed(x, np.array([60.0, 60.0])) and not words.is_crossed(np.array([200.0, 300.0]), x)
    assert words.meets(box("reward", 120, 55, 13, "left", "middle"))
    assert not words.meets(box("reward", 100, 50 + LINE, 13, "left", "middle"))


def ends(*values: float, height: float = 150.0, span: tuple[float, float] = (0.0, 1.0)) -> list[float]:
    names = ("true reward", "reward", "labellers’ judgement")
    curves = [
        Curve(np.arange(2), np.array([0.0, value]), theme.LIGHT.reward, "solid", name)
        for value, name in zip(values, names, strict=False)
    ]
    placed = {note["text"]: note["y"] for note in end_names(curves, span, height)}
    return [placed[curve.name.replace("’ ", "’<br>")] for curve in curves]


def test_names_stand_where_curves_end_if_there_is_room_and_else_as_near_as_can_be() -> None:
    assert ends(0.2, 0.5, 0.8) == pytest.approx([0.2, 0.5, 0.8])
    one, two = ends(0.5, 0.52)
    assert two - one == pytest.approx(LINE / 150) and (one + two) / 2 == pytest.approx(0.51)
    low, high, tall = ends(1.0, 1.0, 1.0)
    assert tall == pytest.approx(1 - LINE / 150)  # two lines, below the upper edge
    assert sorted((low, high)) == pytest.approx([1 - 3.5 * LINE / 150, 1 - 2.5 * LINE / 150])


def test_words_on_a_level_go_where_the_curve_is_not() -> None:
    def at(*y: float) -> dict:
        room = Room((0, 1), (0, 1)).draw(np.linspace(0, 1, len(y)), y)
        return on_levels(room, [Level(0.5, "a coin", "#000")], "#fff")[0]

    below, above = at(0.45, 0.45), at(0.55, 0.55)
    assert (below["yanchor"], above["yanchor"]) == ("bottom", "top")  # of the words
    assert "bgcolor" not in below | above
    assert at(*([0.4, 0.6] * 40))["bgcolor"] == "#fff"  # no room anywhere


def test_a_place_for_words_knows_the_edges() -> None:
    room = Room((0, 1), (0, 1))
    assert room.place("a peak", [Place(0.5, 1.0, "top center"), Place(0.5, 1.0, "bottom center")])[0].side[:3] == "bot"
    assert not room.place("far out", [Place(1.2, 0.5, "middle right")])[1]
