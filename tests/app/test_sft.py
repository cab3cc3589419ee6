"""The SFT page in Streamlit: it opens at every moment of a run, and its own control does what it says."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.opening import opened, unfolded


def words(app: AppTest) -> str:
    return "\n".join(block.value for block in [*app.markdown, *app.caption])


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
@pytest.mark.parametrize("at", ["idle", "sft-15", "rm-20", "ppo-3-kl", "done"])
def test_the_page_opens_at_every_moment(at, scenario):
    app = opened("sft", at, scenario=scenario)
    assert not app.exception
    assert app.title[0].value.startswith("Supervised fine-tuning")
    assert [block.value for block in app.markdown if block.value.startswith("## ")] == [
        "## The loss is the price of a demonstration",
        "## What it does to the answers",
        "## What SFT cannot do",
        "## Why the other stages need it",
    ]
    asked = ("### After SFT: where", "### Which answers will gain most?", "### Which answers will lose most?")
    found = ("### After SFT\n", "### Gained most\n", "### Lost most\n")
    early = at in ("idle", "sft-15")
    for title in ("### The policy now", *(asked if early else found)):
        assert title in words(app)
    for title in found if early else asked:
        assert title not in words(app)


@pytest.mark.parametrize(
    "query",
    [
        {"n_demonstrations": "1"}, {"n_demonstrations": "32"}, {"sft_epochs": "1"}, {"sft_learning_rate": "2"},
        {"ppo_steps": "1"}, {"ppo_steps": "60"}, {"rollouts": "0"}, {"beta": "0"}, {"prompt": "12"}, {"seed": "7"},
    ],
    ids=str,
)  # fmt: skip
def test_the_page_opens_with_every_kind_of_run(query):
    assert not opened("sft", "done", **query).exception


def test_any_demonstration_of_the_prompt_can_be_taken_apart():
    app = opened("sft", "sft-15")
    choice = app.selectbox(key="sft-example")
    assert choice.options[0].startswith("trained on") and choice.options[-1].startswith("held out")
    for number in (1, len(choice.options) - 1):
        assert not app.selectbox(key="sft-example").set_value(number).run().exception


def test_the_choice_survives_a_prompt_with_fewer_demonstrations():
    app = unfolded(opened("sft", n_demonstrations="32"))
    last = len(app.selectbox(key="sft-example").options) - 1
    app.selectbox(key="sft-example").set_value(last).run()
    app.slider(key="n_demonstrations").set_value(1).run()
    assert not app.exception
    assert app.selectbox(key="sft-example").value == len(app.selectbox(key="sft-example").options) - 1 < last


def test_a_changed_control_changes_the_numbers():
    app = unfolded(opened("sft", "done"))
    before = words(app)
    app.slider(key="sft_epochs").set_value(100).run()
    assert not app.exception and words(app) != before
