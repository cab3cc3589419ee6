"""The reward-model page in Streamlit: it opens at every moment of a run, and its own controls do what they say."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.figures.reward_model.typed import LONGEST, STARTS
from pages.frame import presets
from tests.app.opening import opened, unfolded


def words(app: AppTest) -> str:
    return "\n".join(block.value for block in [*app.markdown, *app.caption])


def verdict(app: AppTest) -> str:
    return next(block.value for block in app.markdown if block.value.startswith("**Reward "))


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
@pytest.mark.parametrize("at", ["idle", "sft-15", "rm-20", "ppo-3-kl", "done"])
def test_the_page_opens_at_every_moment(at, scenario):
    app = opened("reward_model", at, scenario=scenario)
    assert not app.exception
    assert app.title[0].value.startswith("Reward model")
    assert len([block for block in app.markdown if block.value.startswith("## ")]) == 9
    assert len([block for block in app.markdown if block.value.startswith("### ")]) == 8
    assert "simulated labellers" in words(app)


@pytest.mark.parametrize(
    "query",
    [
        {"n_comparisons": "24"}, {"n_comparisons": "2000"}, {"label_noise": "0"}, {"label_noise": "5"},
        {"rm_epochs": "1"}, {"rm_l2": "0"}, {"ppo_steps": "1"}, {"ppo_steps": "60"}, {"rollouts": "0"},
        {"beta": "0"}, {"prompt": "12"}, {"seed": "7"},
    ],
    ids=str,
)  # fmt: skip
def test_the_page_opens_with_every_kind_of_run(query):
    assert not opened("reward_model", "done", **query).exception


def test_another_pair_can_be_chosen_and_the_choice_is_kept_where_it_exists():
    app = unfolded(opened("reward_model", "rm-20"))
    pairs = app.selectbox(key="rm-pair")
    last = len(pairs.options) - 1
    assert pairs.options[0].startswith("1. ") and " over " in pairs.options[0]
    app.selectbox(key="rm-pair").set_value(last).run()
    assert not app.exception
    app.number_input(key="n_comparisons").set_value(24).run()
    assert not app.exception
    assert app.selectbox(key="rm-pair").value == len(app.selectbox(key="rm-pair").options) - 1 == 1


@pytest.mark.parametrize("start", list(STARTS))
def test_a_starting_text_is_scored(start):
    app = opened("reward_model")
    app.selectbox(key="rm-start").set_value(start).run()
    assert not app.exception
    assert app.text_area[0].value and "this prompt’s 80 answers" in verdict(app)


TYPED = ["", "   ", "great " * (LONGEST // 6), "你好，世界", "<b>$x$</b> **y**", "\t1\n2"]


@pytest.mark.parametrize("text", TYPED, ids=lambda text: repr(text[:8]))
def test_whatever_is_typed_gets_a_score(text):
    app = opened("reward_model")
    before = verdict(app)
    app.text_area[0].set_value(text).run()
    assert not app.exception and verdict(app) != before


def test_what_was_typed_stays_with_its_prompt():
    app = opened("reward_model")
    app.text_area[0].set_value("My own words.").run()
    first = app.session_state["prompt"]
    app.selectbox(key="prompt").set_value(first + 1).run()
    assert app.text_area[0].value != "My own words."
    app.selectbox(key="prompt").set_value(first).run()
    assert app.text_area[0].value == "My own words."


def test_the_button_sets_up_the_hack_and_goes_to_ppo():
    app = opened("reward_model")
    app.button(key="rm-hack").click().run()
    assert not app.exception
    assert app.title[0].value.startswith("PPO")
    assert app.session_state["beta"] == 0 and app.session_state["ppo_steps"] == 60
    assert app.session_state["playhead"] == "sft-30" and app.session_state["play"]
    assert [block.value for block in app.info] == [f"**Reward hacking.** {presets.LATER}"]
