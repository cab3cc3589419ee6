"""A figure's table says what the figure shows, and nothing of a text in it is taken for HTML."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest

import pages.figures
from pages.drawing import table, theme
from pages.drawing.chart import Chart
from pages.drawing.table import Row
from pages.drawing.view import View
from pages.figures.metrics import six
from pages.figures.ppo import objective, responses
from pages.figures.reward_model import fit
from rlhf_core.timeline import build
from tests.core.runs import run


def view(**settings: float) -> View:
    one = run(**settings)
    return View(one, build(one), prompt=0, palette=theme.LIGHT)


def drawers() -> list[Callable[[View], Chart]]:
    """Every function of the figures that draws a chart from a view alone."""
    modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(pages.figures.__path__, "pages.figures.")]
    return [
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_") and name != "pinned_and_current"
        and inspect.signature(function).return_annotation is Chart and len(inspect.signature(function).parameters) == 1
    ]  # fmt: skip


@pytest.mark.parametrize("draw", drawers(), ids=lambda draw: draw.__name__)
def test_every_chart_has_rows_at_the_end_of_the_run(draw: Callable[[View], Chart]) -> None:
    figure = draw(view()).at(-1)
    rows = table.rows(figure)
    assert rows
    assert all(row.text or row.trace or row.x is not None for row in rows)
    assert not any("<" in row.text or "%{" in row.text for row in rows)


def test_a_growing_chart_lists_what_has_been_played() -> None:
    one = view()
    chart = objective.objective_curves(one)
    frame = next(i for i, frame in enumerate(one.timeline.frames) if frame.name == "ppo-3")
    rewards = [row for row in table.rows(chart.at(frame)) if row.trace == "reward"]
    assert [row.x for row in rewards] == [0, 1, 2, 3]
    assert [row.y for row in rewards] == pytest.approx(one.run.ppo.reward[:4])
    assert rewards[3].text == f"step 3: reward {one.run.ppo.reward[3]:.2f}"


def test_heads_name_the_unit_and_panels_share_them() -> None:
    assert table.heads(objective.objective_curves(view()).figure) == ("PPO step", "mean over prompts [reward units]")
    panels = objective.entropy_and_clipping(view()).figure
    assert table.heads(panels) == ("PPO step", "entropy [nats] / clipped [share]")


def test_a_place_on_the_pipeline_is_an_epoch_or_a_step() -> None:
    one = view()
    rows = table.rows(six.reward(one).at(-1))
    assert [row.x for row in rows][-1] == f"PPO step {one.timeline.n_steps}" and rows[-1].y == one.run.ppo.reward[-1]
    entropy = table.rows(six.entropy(one).at(-1))
    assert "SFT epoch 30" in [row.x for row in entropy]


def test_bars_are_listed_by_name_and_not_by_their_place() -> None:
    rows = table.rows(responses.response_probabilities(view()).at(-1))
    assert all(row.y is None and row.text for row in rows)
    weights = table.rows(fit.weights(view()).at(-1))
    assert any("questions back" in row.text for row in weights)


def test_gaps_ghosts_and_labels_are_left_out() -> None:
    figure = go.Figure()
    figure.add_scatter(x=[1, 2, 3], y=[1.0, np.nan, None], name="curve", mode="lines")
    figure.add_scatter(x=[1, 2], y=[1, 1], hoverinfo="skip")
    figure.add_scatter(x=[1], y=[1], name="words", mode="text", text=["here"], hoverinfo="skip")
    figure.update_layout(xaxis_title="x", yaxis_title="y")
    assert table.rows(figure) == [Row("curve", 1, 1.0, "")]


def test_markup_in_a_figure_is_escaped() -> None:
    figure = go.Figure(layout={"xaxis": {"title": "<i>x</i> & z"}, "yaxis": {"title": "y"}})
    figure.add_scatter(x=[1], y=[-0.0], name="<script>", customdata=["a &lt;b&gt; <b>c</b>"],
                       hovertemplate="%{customdata}<br>%{y:.2f}<extra></extra>")  # fmt: skip
    html = table.markup(figure, '"quoted"')
    assert "<td>&lt;script&gt;</td><td>1</td><td>0</td><td>a &lt;b&gt; c 0.00</td>" in html
    assert '<th scope="col">x &amp; z</th>' in html and "&quot;quoted&quot;" in html


def test_a_long_table_says_that_it_was_cut() -> None:
    figure = go.Figure(layout={"xaxis": {"title": "x"}, "yaxis": {"title": "y"}})
    figure.add_scatter(x=np.arange(table.MOST_ROWS + 1), y=np.arange(table.MOST_ROWS + 1), name="many")
    html = table.markup(figure, "many")
    assert html.count("<tr>") == table.MOST_ROWS + 1 and f"the first {table.MOST_ROWS} of them" in html
