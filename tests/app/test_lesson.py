"""Lesson mode in Streamlit: the named controls and parts are drawn, the others keep what the link gave them."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from pages.frame import lesson
from pages.frame.presets import PRESETS
from rlhf_core import Settings
from tests import delivered
from tests.app.opening import opened, unfolded, with_share

PAGE = re.compile(r"^(?:overview|sft|reward-model|ppo|metrics)-")
CONTROL_KEYS = {*Settings.__dataclass_fields__, "speed", "prompt"}


def controls(app: AppTest) -> set[str]:
    """Keys of the widgets in the sidebar."""
    kinds = (app.sidebar.slider, app.sidebar.selectbox, app.sidebar.number_input, app.sidebar.button)
    return {widget.key for kind in kinds for widget in kind}


def parts(app: AppTest) -> set[str]:
    """Names of the charts and passages that have a place on the page."""
    found = [PAGE.sub("", place) for place in delivered.places(app)]
    assert len(found) == len(set(found))
    return {lesson.part_name(place.replace("-", "_")) for place in found}


def notes(app: AppTest) -> list[str]:
    return [text.value for text in app.text if "In the link" in text.value]


def parameter(app: AppTest, name: str) -> str | None:
    given = app.query_params.get(name)  # a list once it has been in an address
    return given[-1] if isinstance(given, list) else given


def test_only_the_named_controls_are_drawn() -> None:
    app = opened("ppo", controls="prompt,beta,clip_range")
    assert not app.exception and not notes(app)
    assert controls(app) == {"beta", "prompt", "clip_range"}


def test_without_a_lesson_every_control_is_drawn() -> None:
    assert controls(unfolded(opened("ppo"))) > CONTROL_KEYS


def test_presets_and_share_are_controls_too() -> None:
    assert controls(opened("ppo", controls="presets")) == {f"preset-{key}" for key in PRESETS}
    assert controls(with_share(opened("ppo", controls="share"))) == {"embed", "save"}


def test_hidden_controls_keep_the_values_of_the_link() -> None:
    app = opened("ppo", controls="beta", ppo_steps="12", scenario="safety", rollouts="7", speed="8", prompt="3")
    app.slider(key="beta").set_value(0.5).run()
    app.switch_page("pages/metrics.py").run()
    assert not app.exception
    wanted = {"controls": "beta", "ppo_steps": "12", "scenario": "safety", "rollouts": "7", "speed": "8", "prompt": "3"}
    assert {name: parameter(app, name) for name in wanted} == wanted
    state = app.session_state
    assert (state["ppo_steps"], state["rollouts"], state["speed"], state["prompt"]) == (12, 7, 8, 2)


def test_a_hidden_control_out_of_range_is_clamped_and_said() -> None:
    app = opened("ppo", controls="beta", ppo_steps="900")
    assert app.session_state["ppo_steps"] == 60 and parameter(app, "ppo_steps") == "60"
    assert len(notes(app)) == 1 and "ppo_steps" in notes(app)[0]


def test_a_preset_moves_hidden_controls() -> None:
    app = opened("ppo", controls="presets")
    app.button(key="preset-reward_hacking").click().run()
    assert not app.exception
    assert (parameter(app, "beta"), parameter(app, "ppo_steps")) == ("0", "60")


def test_unknown_controls_give_one_note_and_are_ignored() -> None:
    app = opened("ppo", controls="beta,gamma,delta")
    assert controls(app) == {"beta"} and parameter(app, "controls") == "beta"
    assert len(notes(app)) == 1 and "controls has no “gamma”, “delta”" in notes(app)[0]


def test_controls_of_which_none_is_known_leave_all() -> None:
    app = unfolded(opened("ppo", controls="gamma"))
    assert controls(app) > CONTROL_KEYS and len(notes(app)) == 1


def test_only_the_named_parts_are_drawn() -> None:
    app = opened("ppo", at="done", show="loop,reward_kl_path")
    assert not app.exception and not notes(app)
    assert parts(app) == {"loop", "reward_kl_path"}


@pytest.mark.parametrize("page", ["overview", "sft", "reward_model", "ppo", "metrics"])
def test_what_a_page_is_said_to_offer_is_what_it_draws(page: str) -> None:
    assert parts(opened(page)) == set(lesson.parts_of(page))
    assert parts(opened(page, show=",".join(lesson.offered(page)))) == set(lesson.parts_of(page))


def test_the_stage_alone() -> None:
    app = opened("metrics", show="stage")
    assert not app.exception and parts(app) == set() and not notes(app)


def test_a_variant_is_shown_under_the_name_of_its_part() -> None:
    app = opened("ppo", show="objective_curves", optimum="true")
    assert app.toggle(key="optimum").value is True
    assert parts(app) == {"objective_curves"}


def test_unknown_parts_give_one_note_with_what_the_page_offers() -> None:
    app = opened("sft", show="imitation,nope")
    assert parts(app) == {"imitation"} and parameter(app, "show") == "imitation"
    assert len(notes(app)) == 1 and "it offers stage, demonstration_cost, loss" in notes(app)[0]


def test_a_page_of_which_nothing_is_named_is_shown_whole_with_a_note() -> None:
    app = opened("ppo", show="loop")
    app.switch_page("pages/sft.py").run()
    assert parts(app) == set(lesson.parts_of("sft")) and len(notes(app)) == 1
    assert parameter(app, "show") == "loop"
    app.switch_page("pages/ppo.py").run()
    assert parts(app) == {"loop"} and not notes(app)


def test_share_keeps_the_lesson() -> None:
    app = with_share(opened("ppo", controls="share,beta", show="loop", beta="0.3"))
    links = [code.value for code in app.sidebar.get("code")]
    assert len(links) == 1 and links[0].endswith("?beta=0.3&controls=share,beta&show=loop")
