"""One button leads at a time: the player's, or at most one of the page's own, to which the player's gives way."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.frame.lab import NAMES
from tests.app.opening import opened


def leading(app: AppTest) -> list[str]:
    """Keys of the page's own buttons that lead."""
    return [str(each.key) for each in (*app.button, *app.get("download_button")) if each.proto.type == "primary"]


@pytest.mark.parametrize("at", ["idle", "done"])
@pytest.mark.parametrize("page", ["overview", "sft", "reward_model", "ppo", "metrics", "yours"])
def test_pages_about_the_run_leave_the_lead_to_the_player(page: str, at: str) -> None:
    assert leading(opened(page, at=at, ppo_steps="3", sft_epochs="2", rm_epochs="2")) == []


def test_each_experiment_of_the_lab_has_one_button_that_leads_until_it_is_pressed() -> None:
    app = opened("lab", ppo_steps="2", n_comparisons="24", sft_epochs="2", rm_epochs="2")
    for name in NAMES:
        app.session_state["experiment"] = name
        app.run()
        wanted = {"asked": [], "stopping": ["game-stop"]}.get(name, ["lab-run"])
        assert leading(app) == wanted, name


def test_the_game_hands_the_lead_on_and_takes_it_back() -> None:
    app = opened("lab", experiment="stopping", ppo_steps="2", sft_epochs="2", rm_epochs="2")
    app.button("game-stop").click().run()
    assert leading(app) == ["lab-run"]
    app.button("game-again").click().run()
    assert leading(app) == ["game-stop"]
