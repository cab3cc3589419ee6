"""Drawings are sent unchecked: so Plotly must accept each of them as it stands, and change nothing in it."""

import pkgutil
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from inspect import signature
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

import pages.figures
from pages.drawing.chart import Chart
from pages.drawing.drawing import Drawing, per_point_paths
from pages.drawing.view import View
from pages.figures.reward_model import pairs
from pages.frame import lesson
from tests.figures.worlds import view


def charts() -> list[Any]:
    """Every function that draws a chart of a view."""
    modules = [import_module(found.name) for found in pkgutil.walk_packages(pages.figures.__path__, "pages.figures.")]
    own = [f for module in modules for f in vars(module).values() if getattr(f, "__module__", "") == module.__name__]
    return [
        pytest.param(function, id=f"{function.__module__.rpartition('.')[2]}.{function.__name__}")
        for function in own
        if lesson.draws(function) and list(signature(function).parameters) == ["view"] and function.__name__[0] != "_"
    ]


WORLDS = (
    view(),
    view(2, dark=True, scenario="safety", beta=0.0, ppo_steps=20),
    view(ppo_steps=1, sft_epochs=1, rm_epochs=1, rollouts=0),
)
PINNED = view(beta=0.7, ppo_steps=5).run


GAP = "gap"  # NaN is not equal to itself


def plain(value: Any) -> Any:
    """Arrays and tuples as lists, to be compared; without what says nothing."""
    if isinstance(value, dict):
        return {name: plain(child) for name, child in value.items() if child is not None and not _is_empty(child)}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(child) for child in value]
    return GAP if isinstance(value, float) and np.isnan(value) else value


def _is_empty(value: Any) -> bool:
    return isinstance(value, list | tuple) and not value


@pytest.mark.parametrize("of", WORLDS, ids=("default", "safety", "exact"))
@pytest.mark.parametrize("draw", charts())
def test_plotly_accepts_every_drawing_as_it_stands(draw: Callable[[View], Any], of: View) -> None:
    drawn = draw(replace(of, pinned=PINNED))
    if isinstance(drawn, Chart):
        assert plain([trace.to_plotly_json() for trace in drawn.figure.data]) == plain(drawn.drawing.data)
        assert plain(drawn.figure.layout.to_plotly_json()) == plain(drawn.drawing.layout)


def test_every_chart_is_among_them() -> None:
    names = {lesson.part_name(parameter.values[0].__name__) for parameter in charts()}
    rest = {"token_rewards", "pair_cards", "demonstration_cost", "policies", "advantage_instance", "pair_loss"}
    assert set(lesson.all_parts()) - names == rest | {"all_pairs"}  # they need a choice of the reader's, too


@pytest.mark.parametrize("of", WORLDS, ids=("default", "safety", "exact"))
def test_plotly_accepts_the_drawing_of_a_chosen_pair(of: View) -> None:
    test_plotly_accepts_every_drawing_as_it_stands(pairs.all_pairs(0), of)


def test_a_mistake_is_found() -> None:
    for wrong in ({"type": "scatter", "colour": "red"}, {"type": "scatter", "line_color": "red"}):
        drawing = Drawing([wrong], {})
        with pytest.raises(AssertionError):
            try:
                assert plain([trace.to_plotly_json() for trace in drawing.figure.data]) == plain(drawing.data)
            except ValueError as error:
                raise AssertionError from error


def test_attributes_with_one_entry_per_point_are_found_at_any_depth() -> None:
    trace = {"type": "scatter", "x": [1, 2], "y": np.arange(2), "marker": {"size": [3, 4], "color": "red"}, "ids": [1]}
    assert per_point_paths(trace) == ["x", "y", "marker.size"]
    assert per_point_paths({"type": "bar", "y": (5,), "text": ["a"]}) == ["y", "text"]
    assert per_point_paths({"type": "scatter"}) == []


def test_the_figure_is_plotlys() -> None:
    assert isinstance(Drawing([{"type": "bar", "y": [1]}], {"height": 200}).figure, go.Figure)
