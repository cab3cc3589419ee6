"""A reader's own scenario: on all pages of their session once chosen, at any settings, and nowhere else."""

import gc
import json
import re
import weakref
import zlib
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.drawing import glossary
from pages.figures.overview import hero
from pages.frame import brought, memory, runs, standalone
from pages.frame.memory import OWN_BYTES, Memory
from pages.frame.navigation import TITLES
from rlhf_core import Settings, load_scenario, pipeline
from rlhf_core.scenarios import scenario_names
from rlhf_core.scenarios.brought import Brought
from rlhf_core.settings import DEFAULTS
from rlhf_core.yours.scenario import MOST_PROMPTS
from tests import delivered
from tests.app.opening import opened, unmarked, with_share
from tests.app.test_yours import plain, until, upload, written
from tests.scenarios_at_random import scenario, toml
from tests.settings_at_random import settings_at_random

MARKDOWN = re.compile(r"(?<!\\)\[a\]\(javascript:|(?<!\\)\[c\\?\]|(?<!\\)\*\*e\*\*")
"""What the hostile texts would be as Markdown."""
TAG = re.compile(r"(?<!\\)<(?:script|b>bold)")


def bring(number: int, *, evil: bool = False, **query: str) -> tuple[AppTest, Brought]:
    """A session whose reader has brought a scenario and chosen it."""
    app = opened("yours", section="scenario", **query)
    upload(app, toml(number, evil).encode(), f"random {number}.toml")
    app.button("yours-scenario-choose").click().run()
    return app, app.session_state["yours-scenario"].content


def visit(app: AppTest, page: str) -> None:
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, page


def check_markup(app: AppTest) -> None:
    """Nothing of the hostile texts is taken for Markdown, for HTML, or by Plotly for its own markup."""
    messages = [message for part in app.get("bidi_component") for message in delivered.each(part.proto.bytes)]
    sent = [message.partition(b"\n") for message in messages]
    charts = [zlib.decompress(body).decode() for head, _, body in sent if b'"role":"chart"' in head]
    lives = [json.loads(zlib.decompress(body))["template"] for head, _, body in sent if b'"role":"live"' in head]
    assert not MARKDOWN.search(unmarked(written(app)))
    taken = [text[at.start() - 80 : at.end()] for text in (written(app), *charts, *lives) for at in TAG.finditer(text)]
    assert taken == []


def quick(number: int) -> dict[str, Any]:
    """Settings at random that train in no time."""
    chosen = settings_at_random(np.random.default_rng([number, 7]), scenario="helpfulness")
    few = {"ppo_steps": min(chosen.ppo_steps, 6), "rollouts": min(chosen.rollouts, 16)}
    return {**{spec.name: getattr(chosen, spec.name) for spec in fields(Settings) if spec.name != "scenario"}, **few}


@pytest.mark.parametrize("number", range(6))
def test_every_page_runs_with_any_scenario_at_any_settings(number: int) -> None:
    values = quick(number)
    at = "done" if number % 2 else "ppo-1-kl"
    app, own = bring(number, evil=number % 2 == 0, **{name: str(value) for name, value in values.items()}, at=at)
    for page in TITLES:
        visit(app, page)
        assert app.selectbox("scenario").value == app.query_params["scenario"] == own
        assert app.selectbox("prompt").options == list(own.scenario.prompts)
        assert brought.ALONE in written(app)
        check_markup(app)
    settings = Settings(**values, scenario=own)
    assert own.made[Memory].find((runs.shared_run._make, (settings,), ()))[0][0].scenario is own.scenario


def test_it_is_offered_once_brought_chosen_by_a_press_and_forgotten() -> None:
    app = opened("yours", section="scenario", ppo_steps="2")
    assert app.selectbox("scenario").options == list(scenario_names())
    upload(app, toml(3).encode(), "mine.toml")
    assert app.selectbox("scenario").options == [*scenario_names(), "Yours: World 3"]
    assert app.selectbox("scenario").value == "helpfulness" and "scenario" not in app.query_params
    app.button("yours-scenario-choose").click().run()
    name = app.selectbox("scenario").value
    assert re.fullmatch(r"mine-[0-9a-f]{12}", name) and app.query_params["scenario"] == name
    assert app.button("yours-scenario-choose").disabled
    app.selectbox("scenario").select("safety").run()
    assert app.query_params["scenario"] == "safety" and brought.ALONE not in written(app)
    app.selectbox("scenario").select(name).run()
    app.button("yours-scenario-forget").click().run()
    assert app.selectbox("scenario").options == list(scenario_names())
    assert app.selectbox("scenario").value == "helpfulness" and "scenario" not in app.query_params
    visit(app, "ppo")
    assert "scenario" not in app.query_params and brought.ALONE not in written(app)


def test_another_one_takes_its_place_and_a_file_taken_away_ends_it() -> None:
    app, first = bring(0, ppo_steps="2")
    upload(app, toml(3).encode(), "other.toml")
    second = app.session_state["yours-scenario"].content
    assert second != first and app.selectbox("scenario").value == second == app.query_params["scenario"]
    upload(app, b"title = 1", "broken.toml")
    assert app.selectbox("scenario").value == second
    app.file_uploader[0].set_value(None).run()
    assert app.selectbox("scenario").value == "helpfulness" and not app.exception


def test_prompts_are_clamped_to_those_that_it_has() -> None:
    large = next(number for number in range(50) if len(scenario(number).scenario.prompts) == MOST_PROMPTS)
    app, own = bring(large, ppo_steps="2")
    app.selectbox("prompt").select(MOST_PROMPTS - 1).run()
    assert app.query_params["prompt"] == str(MOST_PROMPTS)
    app.selectbox("scenario").select("safety").run()
    assert app.selectbox("prompt").value == 11 and not app.exception
    for each in ("safety", str(own)):  # nobody has chosen a prompt: each scenario shows its own
        app = opened("overview", ppo_steps="2")
        upload_here(app, large)
        app.selectbox("scenario").select(each).run()
        assert app.selectbox("prompt").value == telling_of(each, own)


def upload_here(app: AppTest, number: int) -> None:
    visit(app, "yours")
    app.session_state["section"] = "scenario"
    app.run()
    upload(app, toml(number).encode(), "mine.toml")


def telling_of(name: str, own: Brought) -> int:
    return own.scenario.telling if name == own else load_scenario(name).telling


def test_two_readers_with_scenarios_of_one_title_have_each_their_own() -> None:
    text = toml(0).replace("World 0", "One title"), toml(3).replace("World 3", "One title")
    apps = [opened("yours", section="scenario", ppo_steps="3", at="done") for _ in text]
    for app, each in zip(apps, text, strict=True):
        upload(app, each.encode(), "mine.toml")
    for app in apps:
        app.button("yours-scenario-choose").click().run()
    owns = [app.session_state["yours-scenario"].content for app in apps]
    assert owns[0] != owns[1] and [brought.title_of(own) for own in owns] == ["Yours: One title"] * 2
    for page in ("overview", "metrics", "ppo"):
        for app, own, other in zip(apps, owns, owns[::-1], strict=True):
            visit(app, page)
            assert app.query_params["scenario"] == own
            assert app.selectbox("prompt").options == list(own.scenario.prompts)
            assert not {str(other)} & {*app.selectbox("scenario").options, app.query_params["scenario"]}
    for own in owns:
        kept = [value for value, _ in own.made[Memory]._kept.values()]
        assert {run.scenario for run in pipeline_runs(kept)} == {own.scenario}


def pipeline_runs(kept: list[object]) -> list[pipeline.PipelineRun]:
    return [each[0] for each in kept if isinstance(each, tuple) and isinstance(each[0], pipeline.PipelineRun)]


def test_one_file_in_two_sessions_is_two_scenarios() -> None:
    (_, mine), (_, theirs) = bring(3, ppo_steps="2"), bring(3, ppo_steps="2")
    assert mine == theirs and mine is not theirs
    runs_of = [runs.shared_run(Settings(scenario=own, ppo_steps=2))[0] for own in (mine, theirs)]
    assert [run.scenario for run in runs_of] == [mine.scenario, theirs.scenario]
    assert mine.made[Memory] is not theirs.made[Memory]


def test_what_all_readers_share_holds_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "SHARED", Memory(50_000_000))
    asked: list[str] = []
    monkeypatch.setattr(glossary, "_remembered", lambda text: asked.append(text) or glossary._places(text))
    pipeline.first_stages.cache_clear()
    app, _ = bring(4, evil=True, ppo_steps="2", at="done")
    for page in TITLES:
        visit(app, page)
    assert not any(memory.brought_in(*key[1], *dict(key[2]).values()) for key in memory.SHARED._kept)
    assert pipeline.first_stages.cache_info().currsize <= 1  # of the page before the reader chose
    assert asked and not any("alert(1)" in text for text in asked)


def test_what_is_made_of_it_is_bounded_and_goes_when_it_is_forgotten() -> None:
    app, own = bring(0, ppo_steps="2", at="done")
    for steps in range(3, 9):
        app.slider("ppo_steps").set_value(steps).run()
        assert own.made[Memory].weight <= OWN_BYTES
    visit(app, "ppo")
    kept = own.made[Memory]
    assert 0 < kept.weight <= OWN_BYTES
    a_run = pipeline_runs([value for value, _ in kept._kept.values()])[0]
    seen = weakref.ref(own.scenario), weakref.ref(a_run.ppo.true_reward)
    visit(app, "yours")
    app.session_state["section"] = "label"
    app.run()
    app.button("yours-choose-1").click().run()
    app.session_state["section"] = "scenario"
    app.run()
    app.button("yours-scenario-forget").click().run()
    app.run()
    del own, kept, a_run
    gc.collect()
    assert [each() for each in seen] == [None, None]


def test_it_goes_with_its_session() -> None:
    app, own = bring(3, ppo_steps="2", at="done")
    visit(app, "ppo")
    seen = weakref.ref(own.scenario)
    del app, own
    gc.collect()
    assert seen() is None


def test_the_heaviest_run_fits_with_its_pages() -> None:
    most = next(own for own in map(scenario, range(50)) if len(own.scenario.prompts) == MOST_PROMPTS)
    heavy = Settings(scenario=most, ppo_steps=60, rollouts=256, ppo_epochs=10, n_comparisons=2000, rm_epochs=300)
    first = runs.shared_run(heavy)
    assert runs.shared_run(heavy)[0] is first[0]
    assert most.made[Memory].weight < OWN_BYTES / 2


def test_a_link_to_it_says_what_it_cannot_do_and_shows_helpfulness() -> None:
    app = opened("ppo", scenario="mine-0123456789ab", pin="scenario=mine-0123456789ab&beta=1", at="ppo-2", prompt="3")
    said = "scenario 'mine-0123456789ab' is a reader’s own, and only in the session that brought it"
    assert f"In the link, {said}; using helpfulness." in plain(app)
    assert f"In the link, pin: {said}; using no pin." in plain(app)
    assert app.selectbox("scenario").value == "helpfulness" and not app.exception
    assert "scenario" not in app.query_params and app.query_params["at"] == "ppo-2"
    own = scenario(3)
    with pytest.raises(ValueError, match="scenario must be one of"):
        replace(Settings(), scenario=str(own))


def test_share_says_so_and_a_file_holds_it() -> None:
    app, own = bring(0, evil=False, ppo_steps="2", at="done")
    visit(app, "metrics")
    with_share(app)
    assert brought.UNLINKED in written(app) and not [b for b in app.button if b.key == "embed"]
    app.button("save").click().run()
    assert not app.exception
    state, notes = standalone.read("metrics", f"scenario={own}&ppo_steps=2&at=done&pin=scenario%3D{own}", (), own)
    assert notes == () and state.settings.scenario is own is state.pinned.scenario
    text = standalone.write(state, plotly="cdn", app="https://example.org/rlhf").decode()
    footer = text[text.index("<footer>") : text.index("</footer>")]
    assert "this file is all there is of it" in footer and f"scenario={own}" not in footer
    assert "--scenario &#x27;random 0.toml&#x27;" in text


def test_pins_presets_and_the_tour_go_on_with_it_or_leave_it() -> None:
    app, own = bring(0, ppo_steps="2")
    app.button("preset-beta_too_high").click().run()
    assert (app.selectbox("scenario").value, app.slider("beta").value) == (own, 2.0)
    visit(app, "metrics")
    app.button("pin-run").click().run()
    app.slider("beta").set_value(0.5).run()
    assert "beta=2.0" not in app.query_params["pin"] and f"scenario={own}" in app.query_params["pin"]
    app.button("preset-over_refusal").click().run()
    assert app.selectbox("scenario").value == "safety" and not app.exception
    visit(app, "overview")
    app.button("tour-start").click().run()
    assert app.selectbox("scenario").value == DEFAULTS["scenario"] and not app.exception
    visit(app, "yours")
    app.button("yours-scenario-forget").click().run()
    assert "pin" not in app.query_params and not app.exception


def test_the_lab_and_labels_are_of_it_too() -> None:
    app, own = bring(0, ppo_steps="2")
    visit(app, "lab")
    app.button("lab-run").click().run()
    [held] = app.session_state["jobs-held"].values()
    assert not held.job.shared and held.key[2].scenario is own and len(held.key) > 4
    until(app, "**Finding.**")
    visit(app, "yours")
    app.session_state["section"] = "label"
    app.run()
    app.button("yours-choose-1").click().run()
    assert "labels" not in app.query_params and "stay in this session" in written(app) and not app.exception


def test_an_error_over_it_is_logged_without_its_words(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, lost_parts: list[str]
) -> None:
    def fail(question: str) -> str:
        raise RuntimeError(question)

    app, _ = bring(4, evil=True, ppo_steps="2")
    monkeypatch.setattr(hero, "_template", fail)
    visit(app, "overview")
    [said] = [each for each in caplog.messages if "hero" in each]
    lost_parts.append(said)
    assert "RuntimeError at " in said and "<script" not in caplog.text and "alert" not in caplog.text


def test_a_link_to_a_scenario_that_ships_is_followed_before_and_after() -> None:
    app = opened("yours", section="scenario", scenario="safety", ppo_steps="2")
    assert app.selectbox("scenario").value == "safety"
    upload(app, toml(3).encode(), "mine.toml")
    assert app.selectbox("scenario").value == "safety" == app.query_params["scenario"]
    app.button("yours-scenario-forget").click().run()
    assert app.selectbox("scenario").value == "safety" == app.query_params["scenario"]
