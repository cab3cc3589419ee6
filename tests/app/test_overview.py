"""The Overview page in Streamlit."""

import pytest

from tests.app.opening import opened


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
@pytest.mark.parametrize("at", ["idle", "sft-15", "rm-30", "ppo-3-kl", "ppo-5", "done"])
def test_the_page_opens_at_every_moment(at, scenario):
    app = opened("overview", at, scenario=scenario)
    assert not app.exception
    assert app.session_state["playhead"] == at


@pytest.mark.parametrize("query", [{"rollouts": "0"}, {"ppo_steps": "1"}, {"ppo_steps": "60", "beta": "0"}], ids=str)
def test_the_page_opens_with_every_kind_of_run(query):
    assert not opened("overview", "done", **query).exception


def test_it_shows_the_prompt_and_the_command_of_this_run():
    app = opened("overview", scenario="safety", prompt="4", beta="0.3")
    assert app.code[0].value == "python -m rlhf_core --scenario safety --beta 0.3"
    prompt = app.session_state["prompt"]
    assert prompt == 3
    assert any("three policies" in block.value and "“" in block.value for block in app.markdown)


def test_every_stage_has_a_link_to_its_page():
    labels = [link.proto.label for link in opened("overview").get("page_link")]
    assert labels == ["SFT page →", "Reward model page →", "PPO page →"]
