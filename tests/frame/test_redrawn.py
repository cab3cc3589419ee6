"""The Python that a chart's menu offers draws the very chart: of every page, the Lab, and a reader's own material."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import plotly.graph_objects as go
import pytest

from pages.drawing.panel import Panel
from pages.drawing.theme import LIGHT
from pages.drawing.view import View
from pages.figures.lab import asked, game
from pages.figures.lab.experiment import Experiment
from pages.figures.metrics import compare, progress
from pages.figures.overview import outcome
from pages.figures.reward_model import typed
from pages.figures.yours import label, log, pairs, scenario
from pages.frame import lab, runs, stopping_game, taken, typed_response
from pages.frame.standalone import PLAYED, read
from pages.frame.yours import label as label_page
from pages.frame.yours import log as log_page
from pages.frame.yours import pairs as pairs_page
from pages.frame.yours import scenario as scenario_page
from rlhf_core import Settings, run_pipeline
from rlhf_core.lab import convergence
from rlhf_core.lab.work import finish
from rlhf_core.yours import fit_pairs, load_brought, load_log, load_pairs
from rlhf_core.yours.export import as_trl_log
from rlhf_core.yours.labelling import LEFT, RIGHT, learn
from rlhf_core.yours.scenario import read_scenario, template
from rlhf_core.yours.shapes import Columns
from rlhf_core.yours.trainers import BY_HAND, record_of
from tests.charts_of import printed_with_charts

SMALL = Settings(beta=0.3, ppo_steps=3, n_comparisons=60)
UNUSUAL = Settings(
    scenario="safety", seed=5, beta=0.0, ppo_steps=2, n_comparisons=60, label_noise=0.2, labeller_bias=0.5,
    advantage="gae", ppo_learning_rate=1.0, sft_epochs=3,
)  # fmt: skip
SHORT = "beta=0.3&ppo_steps=3&n_comparisons=60&at=ppo-2-kl&prompt=3"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run the code, after what has been measured; returns the figure that it shows, as JSON."""
    shown: list[go.Figure] = []
    monkeypatch.setattr(go.Figure, "show", lambda figure: shown.append(figure))

    def run(code: str, measured: Mapping[str, Any] = MappingProxyType({})) -> str:
        exec(code, dict(measured))
        return str(shown.pop().to_json())

    return run


def redrawn(python: str, code: Mapping[str, str], at: str) -> str:
    """The code of one chart at a moment, as the player fills it in."""
    words = {"pinned": "", "brings": "", **code, "name": code["call"].partition("(")[0], "at": at}
    for word, text in words.items():
        python = python.replace(f"{{{word}}}", text)
    return python


@pytest.mark.parametrize("query", [SHORT, f"{SHORT}&pin=beta%3D1&optimum=true&scenario=safety&advantage=gae&at=done"])
@pytest.mark.parametrize("page", PLAYED)
def test_code_of_a_chart_on_the_clock_draws_it_at_the_moment(
    page: str, query: str, drawn: Callable[[str], str]
) -> None:
    state, _ = read(page, query)
    made, charts = printed_with_charts(state)
    run = runs.shared_run(state.settings)[0]
    python = taken.about(state.settings, run.scenario.prompts[state.prompt], state.prompt)["python"]
    assert set(made.code) == set(charts)
    for key, code in made.code.items():
        figure = charts[key].at(state.number)
        assert drawn(redrawn(python, code, state.at)) == figure.to_json(), key


def test_variants_that_a_switch_shows_are_redrawn_too(drawn: Callable[[str], str]) -> None:
    run, timeline = runs.shared_run(SMALL)
    view = View(run, timeline, prompt=0, palette=LIGHT)
    python = taken.about(SMALL, view.question, 0)["python"]
    for draw in (
        progress.score_and_truth_by_kl, progress.score_and_truth_guess, progress.score_and_truth_guessed,
        outcome.whole_pipeline_guess, outcome.whole_pipeline_guessed,
    ):  # fmt: skip
        figure = draw(view).at(timeline.names.index("ppo-1"))
        assert drawn(redrawn(python, taken.draws(draw), "ppo-1")) == figure.to_json()


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the one experiment that takes seconds whatever the settings take as few steps as it may."""
    for function in (convergence.arrival, convergence.arrival_pieces):
        monkeypatch.setitem(function.__kwdefaults__, "n_steps", convergence.PIECE)


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("settings", [SMALL, UNUSUAL], ids=["small", "unusual"])
@pytest.mark.parametrize("chosen", lab.EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_code_of_an_experiment_s_chart_draws_it(
    chosen: Experiment, settings: Settings, drawn: Callable[..., str]
) -> None:
    n_seeds = min(2, *chosen.seeds)
    measured: dict[str, Any] = {}
    exec(first := lab.python_of(chosen, settings, n_seeds), measured)  # once, though each chart's code begins so
    for i, panel in enumerate(chosen.charts(finish(chosen.pieces(settings, n_seeds)), LIGHT)):
        code = lab.python_of_chart(chosen, settings, n_seeds, i)
        assert code.startswith(first)
        assert drawn(code.removeprefix(first), measured) == panel.drawing.figure.to_json(), panel.title


def test_code_of_an_answer_s_chart_draws_it(drawn: Callable[[str], str]) -> None:
    run = run_pipeline(SMALL)
    for answer in asked.ANSWERS:
        figure = answer.draw(answer.measure(run), LIGHT).figure
        assert drawn(lab.python_of_answer(answer.name, SMALL)) == figure.to_json(), answer.name


def test_code_of_the_game_s_charts_draws_them_and_nothing_that_is_still_hidden(drawn: Callable[[str], str]) -> None:
    run = run_pipeline(SMALL)
    for step in (0, 2, SMALL.ppo_steps):
        for chart in (game.logged, game.truth):
            figure = chart(run, step, LIGHT).drawing.figure
            assert drawn(stopping_game.python_of(SMALL, step, chart)) == figure.to_json(), (chart.__name__, step)
        seen = [getattr(run.ppo, name)[: step + 1] for name, *_ in game.LOGGED]
        traces = game.logged(run, step, LIGHT).drawing.figure.data
        assert [list(trace.y) for trace in traces] == [list(values) for values in seen], "what is logged, so far"


# ------------------------------------------------------------ a reader's own material, from files in the folder


def test_code_of_the_chart_of_a_typed_response(drawn: Callable[[str], str]) -> None:
    view, text = View(*runs.shared_run(SMALL), prompt=3, palette=LIGHT), "It's “great”,\n\\ </script> {call}!"
    assert drawn(typed_response.python(view, text)) == typed.earned(view, text).drawing.figure.to_json()


@pytest.fixture
def all_drawn(drawn: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Expect the code of each of some charts to draw it."""
    monkeypatch.chdir(tmp_path)

    def check(panels: list[Panel], module: Any, python: str, call: str, every: int = 1) -> None:
        for i in range(0, len(panels), every):
            lines = python + taken.shown(module.__name__, "charts", f"{call}[{i}].drawing")
            assert drawn(lines) == panels[i].drawing.figure.to_json(), panels[i].title

    return check


def test_code_of_charts_of_labels(all_drawn: Callable[..., None]) -> None:
    run, choices = run_pipeline(SMALL), (LEFT, RIGHT, LEFT)
    found = learn(run, choices, simulated=0.2)
    python = label_page.python(SMALL, choices, 0.2)
    all_drawn(label.charts(run, found, LIGHT), label, python, "charts(run, found, LIGHT)")


def test_code_of_charts_of_pairs_also_where_the_reader_has_named_the_columns(all_drawn: Callable[..., None]) -> None:
    lines = "\n".join(pairs_page.sample(run_pipeline(SMALL)).decode().splitlines()[:60])
    named = Columns("better", "worse", "prompt")
    for name, columns in (("my pairs.jsonl", None), ("it's.jsonl", named)):  # each code fits them anew
        text = lines if columns is None else lines.replace('"chosen"', '"better"').replace('"rejected"', '"worse"')
        Path(name).write_text(text, encoding="utf-8")
        report = fit_pairs(load_pairs(name, columns))
        python = pairs_page.python(name, columns)
        all_drawn(pairs.charts(report, LIGHT), pairs, python, "charts(report, LIGHT)", every=9)


def test_code_of_charts_of_a_log(all_drawn: Callable[..., None]) -> None:
    Path("log.jsonl").write_text(as_trl_log(run_pipeline(SMALL), "PPO"), encoding="utf-8")
    read_log, chosen = load_log("log.jsonl"), {"reward": "objective/kl"}
    python = log_page.python("log.jsonl", BY_HAND, chosen)
    charts = log.charts(record_of(read_log, BY_HAND, chosen), LIGHT)
    all_drawn(charts, log, python, "charts(record, LIGHT)")


def test_code_of_charts_of_a_scenario(all_drawn: Callable[..., None]) -> None:
    Path("mine.toml").write_text(template(), encoding="utf-8")
    own = replace(SMALL, scenario=read_scenario(template().encode(), "mine.toml"))
    lines = taken.runnable(scenario_page.python(own))
    all_drawn(scenario.charts(run_pipeline(own), LIGHT), scenario, lines, "charts(run, LIGHT)")


def test_code_of_a_comparison_with_a_pinned_run_of_a_scenario_of_one_s_own(
    drawn: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(template(), encoding="utf-8")
    pinned = Settings(ppo_steps=3, scenario=load_brought("mine.toml"))
    view = runs.view(SMALL, 0, False, pinned)
    python = taken.about(SMALL, view.question, 0)["python"]
    figure = compare.pinned_and_current(view).at(view.timeline.names.index("done"))
    code = taken.draws(compare.pinned_and_current, pinned)
    assert drawn(redrawn(python, code, "done")) == figure.to_json()
