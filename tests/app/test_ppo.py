"""The PPO page in Streamlit: it opens at every moment of a run, and its own controls do what they say."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.opening import unmarked, with_share

ROOT = Path(__file__).parents[2]


def opened(at: str = "idle", **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    for name, value in {"at": at, **query}.items():
        app.query_params[name] = value
    app.run()
    app.switch_page("pages/ppo.py").run()
    return app


def titles(app: AppTest) -> list[str]:
    return [block.value for block in app.markdown if block.value.startswith("### ")]


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
@pytest.mark.parametrize("at", ["idle", "sft-15", "ppo-3-kl", "ppo-5", "done"])
def test_the_page_opens_at_every_moment(at, scenario):
    app = opened(at, scenario=scenario)
    assert not app.exception
    assert app.title[0].value.startswith("PPO")
    assert len(titles(app)) >= 8
    assert app.session_state["playhead"] == at


@pytest.mark.parametrize(
    "query",
    [
        {"advantage": "gae"}, {"advantage": "group_normalised"}, {"advantage": "leave_one_out"}, {"rollouts": "0"},
        {"rollouts": "1"}, {"beta": "0"}, {"ppo_steps": "1"}, {"ppo_steps": "60"}, {"ppo_epochs": "1"},
        {"prompt": "12"},
    ],
    ids=str,
)  # fmt: skip
def test_the_page_opens_with_every_kind_of_run(query):
    app = opened("done", **query)
    assert not app.exception
    n_steps = int(query.get("ppo_steps", 8))
    assert any(f" in {n_steps} step" in title for title in titles(app))


def test_the_optimum_can_be_switched_on_and_by_link():
    app = opened("done")
    assert app.toggle(key="optimum").value is False
    plain = [block.value for block in app.caption]
    app.toggle(key="optimum").set_value(True).run()
    assert not app.exception
    assert [block.value for block in app.caption] != plain
    assert any("No policy gets above J*" in unmarked(block.value) for block in app.caption)


def test_the_optimum_is_part_of_the_shared_link():
    app = with_share(opened(optimum="true"))
    [shared] = [block.value for block in app.sidebar.code]
    assert app.toggle(key="optimum").value is True and "optimum=true" in shared
    app.toggle(key="optimum").set_value(False).run()
    assert "optimum" not in app.sidebar.code[0].value


def test_another_rollout_can_be_followed():
    app = opened("ppo-4")
    choice = app.selectbox(key="ppo-follow")
    assert choice.value == "largest advantage"
    for rule in choice.options:
        assert not app.selectbox(key="ppo-follow").set_value(rule).run().exception


def test_a_changed_control_changes_the_words():
    app = opened("done")
    before = titles(app)
    app.slider(key="beta").set_value(1.0).run()
    assert not app.exception and titles(app) != before
    assert any("β = 1" in unmarked(block.value) for block in app.markdown)
