"""Charts of the PPO page: their data are the run's arrays, and what they say is true of the run shown."""

import re

import numpy as np
import pytest

from pages.drawing.chart import Chart
from pages.drawing.view import View
from pages.figures.ppo import objective, plane, prose, responses
from pages.figures.ppo import step as ppo_step
from pages.figures.ppo.words import batch_rows, name, number, steps, update_rows
from pages.stage.storyboard import encode_chart
from rlhf_core.distributions import kl_terms
from tests.figures.worlds import view

CHARTS = (
    objective.objective_curves,
    objective.objective_curves_with_optimum,
    plane.reward_kl_path,
    objective.entropy_and_clipping,
    ppo_step.advantage_bars,
    ppo_step.ratio_scatter,
    responses.kl_by_response,
    responses.kl_by_token,
    responses.response_probabilities,
    responses.response_probabilities_with_optimum,
)
EACH_CHART = pytest.mark.parametrize("draw", CHARTS, ids=lambda draw: draw.__name__)
WORLDS = [
    {"scenario": scenario, **settings}
    for scenario in ("helpfulness", "safety")
    for settings in (
        {},
        {"seed": 3},
        {"beta": 0.0},
        {"beta": 2.0},
        {"rollouts": 0},
        {"rollouts": 1},
        {"ppo_steps": 1},
        {"ppo_steps": 60, "rollouts": 256},
        {"ppo_steps": 60, "beta": 0.0, "rollouts": 0},
        {"ppo_epochs": 1},
        {"clip_range": 0.9},
        {"clip_range": 0.01, "ppo_learning_rate": 20.0},
        {"advantage": "leave_one_out"},
        {"advantage": "group_normalised"},
        {"advantage": "gae"},
        {"advantage": "gae", "rollouts": 0, "ppo_steps": 60},
    )
]
UNIT = re.compile(r"\[.+\]$|^token$|^PPO step$|^rollouts, best first$|^probability of the response$|^$")


def same(shown: object, expected: object) -> None:
    np.testing.assert_allclose(np.asarray(shown, dtype=float), expected, rtol=1e-12, atol=1e-15)


@EACH_CHART
@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_every_chart_holds_still_says_what_it_shows_and_travels(draw, world):
    look = view(prompt=5, **world)
    chart = draw(look)
    assert isinstance(chart, Chart) and len(chart.rows) == len(look.timeline.frames)
    assert chart.title and f"{chart.guide}{chart.reading}".endswith(".") and chart.alt.endswith(".")
    assert not re.search(r"nan|inf\b|None|\{|--|-0\.00", chart.title + chart.guide + chart.reading + chart.alt)
    assert len(chart.title) <= 72
    axes = [value for key, value in chart.figure.layout.to_plotly_json().items() if re.match(r"[xy]axis", key)]
    for axis in axes:
        assert len(axis["range"]) == 2 and np.isfinite(np.asarray(axis["range"], dtype=float)).all()
        assert axis["range"][0] != axis["range"][1] and axis["fixedrange"]
        assert UNIT.search(axis["title"]["text"]), axis["title"]["text"]
    assert len(encode_chart(chart).body) < 40_000


@EACH_CHART
def test_moving_values_stay_on_the_fixed_axes(draw):
    for world in WORLDS:
        chart = draw(view(**world))
        layout = chart.figure.layout
        for index, attributes in chart.moves.items():
            for axis in {"x", "y"} & set(attributes):
                values = np.asarray(attributes[axis], dtype=float)
                low, high = sorted(np.asarray(layout[f"{axis}axis"].range, dtype=float))
                values = np.log10(values) if layout[f"{axis}axis"].type == "log" else values
                assert np.nanmin(values) >= low - 1e-9 and np.nanmax(values) <= high + 1e-9, (index, world)


@EACH_CHART
def test_opened_untouched_the_whole_run_is_there(draw):
    chart = draw(view())
    ghost = chart.figure.data[0]
    assert 0 not in {*chart.moves, *chart.grows} and len(ghost.x) > 1
    palette = view().palette
    faint = (ghost.line.color, ghost.marker.color) if ghost.type == "scatter" else (ghost.marker.line.color,)
    assert {palette.faint, palette.ghost, palette.muted} & set(faint)


@EACH_CHART
def test_both_themes_show_the_same_numbers_in_their_own_colours(draw):
    light, dark = draw(view()), draw(view(dark=True))
    assert light.reading == dark.reading and light.title == dark.title
    assert str(light.figure.to_plotly_json()) != str(dark.figure.to_plotly_json())


@EACH_CHART
def test_words_on_a_chart_are_at_least_12_px(draw):
    spec = draw(view()).figure.to_plotly_json()
    sizes = [float(size) for size in re.findall(r"'(?:text|tick)?font': \{[^{}]*'size': ([\d.]+)", str(spec))]
    assert sizes
    assert all(size >= 12 for size in sizes)


def test_objective_curves_are_the_trace_and_j_is_reward_minus_beta_kl():
    for world in ({}, {"beta": 0.0}, {"seed": 4, "scenario": "safety"}):
        look = view(**world)
        trace, chart = look.run.ppo, objective.objective_curves_with_optimum(look)
        beta = look.run.settings.beta
        for i, values in enumerate((trace.reward, beta * trace.kl, trace.objective)):
            same(chart.figure.data[i].y, values)
            same(chart.figure.data[i + 3].y, values)
        same(chart.figure.data[3].y - chart.figure.data[4].y, chart.figure.data[5].y)
        same(chart.figure.data[6].y, [look.run.optimum.objective] * 2)
        assert max(trace.objective) <= look.run.optimum.objective + 1e-12
        assert len(objective.objective_curves(look).figure.data) == 6


def test_the_plane_shows_path_frontier_and_optimum():
    look = view(beta=0.2)
    one, data = look.run, plane.reward_kl_path(look).figure.data
    same(data[plane.PATH].x, one.ppo.kl)
    same(data[plane.PATH].y, one.ppo.reward)
    same(data[1].x, one.frontier.kl)
    same(data[1].y, one.frontier.reward)
    same([data[4].x[0], data[4].y[0]], [one.optimum.kl, one.optimum.reward])
    same(data[2].y - 0.2 * np.asarray(data[2].x), [one.optimum.objective] * 2)
    for label, kl, reward in zip(data[3].text, data[3].x, data[3].y, strict=True):
        i = int(np.argmin(abs(one.frontier.betas - float(label.removeprefix("β = ")))))
        same([kl, reward], [one.frontier.kl[i], one.frontier.reward[i]])
    assert "β = 0.2" not in data[3].text


@pytest.mark.parametrize("world", [{}, {"beta": 0.0, "ppo_steps": 30}, {"beta": 2.0, "scenario": "safety"}], ids=str)
def test_the_lower_panel_shows_what_the_same_policies_are_worth_to_people(world):
    look = view(**world)
    one, chart = look.run, plane.reward_kl_path(look)
    _, frontier, star, path = data = chart.figure.data[plane.PEOPLES_PATH - 3 : plane.PEOPLES_PATH + 1]
    assert all(trace.yaxis == "y2" for trace in data)
    for trace, source in ((path, one.ppo), (frontier, one.frontier)):
        same(trace.x, source.kl)
        same(trace.y, source.true_reward)
    same([star.x[0], star.y[0]], [one.optimum.kl, one.optimum.true_reward])
    low, high = chart.figure.layout.yaxis2.range
    assert low < min(*path.y, *star.y) and max(*path.y, *star.y) < high
    best = int(one.frontier.true_reward.argmax())
    most = f"{number(one.frontier.true_reward[best])}, at {number(one.frontier.kl[best])} nats"
    assert f"β = {one.frontier.betas[best]:.2g} is worth most, {most}" in chart.reading
    if chart.title.startswith("Best for the score"):
        assert one.frontier.true_reward[best] > one.optimum.true_reward + 0.05


def test_entropy_and_clipping_are_the_trace():
    look = view()
    chart = objective.entropy_and_clipping(look)
    same(chart.figure.data[2].y, look.run.ppo.entropy)
    same(chart.figure.data[3].y, look.run.ppo.clip_fraction[1:])
    assert chart.grows[3][0] == 0 and chart.grows[3][-1] == 8
    falls = "falls" in chart.title
    assert falls == (look.run.ppo.entropy[-1] < look.run.ppo.entropy[0])


def test_probabilities_follow_the_policy_from_base_to_the_end():
    look = view(prompt=3)
    chart = responses.response_probabilities_with_optimum(look)
    rows = shown_responses(look, chart)
    p = look.prompt
    same(chart.moves[1]["x"], np.exp(look.policy_log_probs[:, rows]))
    same(chart.moves[1]["x"][0], np.exp(look.run.sft.log_probs[0, p, rows]))
    same(chart.figure.data[0].x, np.exp(look.run.ppo.log_probs[-1, p, rows]))
    same(chart.figure.data[2].x, np.exp(look.run.ppo.log_probs[0, p, rows]))
    same(chart.figure.data[3].x, np.exp(look.run.optimum.log_probs[p, rows]))
    assert int(np.argmax(look.run.optimum.log_probs[p])) in rows
    assert len(responses.response_probabilities(look).figure.data) == len(chart.figure.data) - 1


def shown_responses(look: View, chart: Chart) -> list[int]:
    names = [name(look, r) for r in range(len(look.responses))]
    return [names.index(label) for label in chart.figure.data[-1].text if label in names]


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_the_response_in_the_title_gained_most(world):
    look = view(**world)
    before, after = np.exp(look.run.ppo.log_probs[[0, -1], look.prompt])
    best = int(np.argmax(after - before))
    title = responses.response_probabilities(look).title
    if "changed nothing" in title:
        assert all(abs(batch.advantages).max() == 0 for batch in look.run.ppo.rollouts)
        return
    assert f"“{name(look, best)}” from {before[best]:.1%} to {after[best]:.1%}" in title


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_kl_terms_sum_to_the_prompts_kl_and_one_is_negative(world):
    look = view(prompt=2, **world)
    log_probs = look.run.ppo.log_probs[:, 2]
    chart = responses.kl_by_response(look)
    terms = np.asarray(chart.moves[1]["x"])
    exact = look.run.ppo.kl_per_position[:, 2].sum(axis=1)
    np.testing.assert_allclose(terms.sum(axis=1), exact, atol=1e-9)
    rows = shown_responses(look, chart)
    same(terms[-1, :-1], kl_terms(log_probs[-1], log_probs[0])[rows])
    assert chart.title == "A term may be negative, the sum cannot"
    assert terms.sum(axis=1).min() > -1e-9
    assert kl_terms(log_probs[-1], log_probs[0]).min() < 0 or exact[-1] < 1e-12
    positions = responses.kl_by_token(look)
    same(positions.moves[1]["y"], look.run.ppo.kl_per_position[:, 2])
    tokens = ("opening", "body", "closing")
    if "No token" in positions.title:
        assert abs(exact).max() < 1e-12
        return
    assert tokens[int(np.argmax(look.run.ppo.kl_per_position[-1, 2]))] in positions.title
    assert np.asarray(positions.moves[1]["y"]).min() > -1e-12


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_advantage_bars_are_the_rollouts_sorted(world):
    look = view(**world)
    chart = ppo_step.advantage_bars(look)
    bars = np.asarray(chart.moves[2]["y"])
    assert np.isnan(bars[0]).all() and (np.diff(bars[1:], axis=1) <= 0).all()
    for step, row in zip(steps(look), bars[1:], strict=True):
        n = len(step.rewards)
        if n <= 32:
            same(row, np.sort(step.advantages[:, 0])[::-1])
        else:
            assert len(row) == 32 and set(row) <= set(step.advantages[:, 0])
    assert ("standard deviations" in chart.figure.layout.yaxis.title.text) == (
        look.run.settings.advantage == "group_normalised"
    )


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_the_advantage_title_holds(world):
    look = view(**world)
    title = ppo_step.advantage_bars(look).title
    for step in steps(look):
        if "sum to 0" in title:
            assert abs(step.weights @ step.advantages[:, 0]) < 1e-9
        if "single" in title:
            assert len(step.rewards) == 1 and abs(step.advantages).max() == 0


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_ratio_points_are_the_tokens_of_the_step(world):
    look = view(**world)
    chart = ppo_step.ratio_scatter(look)
    for t in range(3):
        x, y = (np.asarray(chart.moves[t + 1][axis]) for axis in "xy")
        assert np.isnan(x[0]).all() and np.isnan(y[0]).all()
        for k, step in enumerate(steps(look)):
            same(y[1 + 2 * k], np.ones(y.shape[1]))  # before its update the policy is the old policy
            pairs = set(zip(step.advantages[:, t], step.ratio[:, t], strict=True))
            assert set(zip(x[2 + 2 * k], y[2 + 2 * k], strict=True)) <= pairs


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_what_is_said_of_clipping_is_true(world):
    look = view(**world)
    one, eps = look.run, look.run.settings.clip_range
    largest = max(batch.ratio.max() for batch in one.ppo.rollouts)
    title, words = ppo_step.ratio_scatter(look).title, prose.clipping(look)
    if "does not bound" in title:
        assert largest > 1 + eps and f"{largest:.2f}" in title
    else:
        assert largest <= 1 + eps and "none passes" in title
    if "never acts" in words:
        assert one.settings.ppo_epochs == 1 and not one.ppo.clip_fraction.any()
    else:
        assert f"{largest:.2f}" in words and f"{one.ppo.clip_fraction[1:].mean():.1%}" in words


def test_shaded_corners_are_where_the_gradient_is_zero():
    look = view(clip_range=0.3)
    first, second, level = ppo_step.ratio_scatter(look).figure.layout.shapes
    assert (first.x0, first.y0) == (0, 1.3) and first.x1 > 0 and first.y1 > 1.3  # A > 0 and rho > 1 + eps
    assert (second.x1, second.y1) == (0, 0.7) and second.x0 < 0 and second.y0 < 0.7  # A < 0 and rho < 1 - eps
    assert level.y0 == level.y1 == 1


def test_ghosts_of_many_points_are_thinned():
    chart = ppo_step.ratio_scatter(view(ppo_steps=60, rollouts=256))
    assert len(chart.figure.data[0].x) <= 400


def test_frames_look_at_the_right_rows():
    look = view()
    at = {frame.name: i for i, frame in enumerate(look.timeline.frames)}
    rows, halves = batch_rows(look), update_rows(look)
    for frame, row, half in (
        ("idle", 0, 0), ("rm-60", 0, 0), ("ppo-1-sample", 1, 1), ("ppo-1-advantage", 1, 1), ("ppo-1", 1, 2),
        ("ppo-3-kl", 3, 5), ("ppo-3", 3, 6), ("ppo-8", 8, 16), ("done", 8, 16),
    ):  # fmt: skip
        assert (rows[at[frame]], halves[at[frame]]) == (row, half), frame


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_prose_is_true_of_the_run(world):
    look = view(**world)
    one = look.run
    words = (prose.leash, prose.rollouts, prose.negative, prose.reuse, prose.clipping, prose.other_way, prose.loss)
    for write in words:
        assert write(look).endswith(".") and not re.search(r"nan|None|-\d", write(look))
    if one.settings.advantage != "gae":
        assert "makes that 0" in prose.loss(look) and abs(one.ppo.loss[:, 0]).max() < 1e-9
    assert (one.settings.beta == 0) == ("free" in prose.leash(look))
    sampled = one.ppo.rollouts[-1].log_ratio_to_ref[look.prompt].sum(axis=1)
    below = (sampled < -1e-12).sum()
    assert (f"{below} of {len(sampled)}" if below else "none is") in prose.negative(look)


def test_a_new_run_costs_little_to_draw_and_to_send():
    sizes = [len(encode_chart(draw(view(seed=1))).body) for draw in CHARTS]
    assert sum(sizes) < 30_000
    many = [len(encode_chart(draw(view(ppo_steps=60, rollouts=256))).body) for draw in CHARTS]
    assert sum(many) < 120_000
