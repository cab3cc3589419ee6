"""The Metrics page in Streamlit."""

import pytest

from tests.app.opening import opened


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
@pytest.mark.parametrize("at", ["idle", "sft-15", "rm-30", "ppo-3-kl", "ppo-5", "done"])
def test_the_page_opens_at_every_moment(at, scenario):
    app = opened("metrics", at, scenario=scenario)
    assert not app.exception
    titles = [block.value for block in app.markdown if block.value.startswith("### ")]
    assert len(titles) >= 10


@pytest.mark.parametrize(
    "query",
    [{"rollouts": "0"}, {"rollouts": "1"}, {"ppo_steps": "1"}, {"ppo_steps": "60", "beta": "0"}, {"advantage": "gae"}],
    ids=str,
)
def test_the_page_opens_with_every_kind_of_run(query):
    assert not opened("metrics", "done", **query).exception


def test_the_score_can_be_drawn_against_the_root_of_the_kl_and_that_choice_is_kept():
    app = opened("metrics", "done")
    before = [block.value for block in app.caption]
    app.button_group(key="metrics-against").set_value("√KL").run()
    assert not app.exception
    app.switch_page("pages/overview.py").run()
    app.switch_page("pages/metrics.py").run()
    assert app.session_state["metrics-against"] == "√KL"
    assert [block.value for block in app.caption] == before  # the same run, the same words
