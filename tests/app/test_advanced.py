"""Advanced controls are drawn while they are unfolded; what they stand at holds whether they are or not."""

from typing import Any

from streamlit.testing.v1 import AppTest

from pages.frame.sidebar import MAIN
from rlhf_core import Settings
from rlhf_core.settings import CONTROLS, DEFAULTS
from tests.app.opening import opened, unfolded

ADVANCED = {name for name in CONTROLS if name not in MAIN}


def drawn(app: AppTest) -> set[str | None]:
    """Keys of the advanced controls on screen."""
    kinds = (app.sidebar.slider, app.sidebar.selectbox, app.sidebar.number_input)
    return {widget.key for kind in kinds for widget in kind} & ADVANCED


def stands_at(app: AppTest, **wanted: Any) -> None:
    """Session and address say so, and the controls if they are drawn."""
    assert not app.exception
    assert {name: app.session_state[name] for name in wanted} == wanted
    given = {name: texts[-1] if isinstance(texts, list) else texts for name, texts in app.query_params.items()}
    changed = {name: text for name, text in Settings(**wanted).to_query().items() if name in ADVANCED}
    assert {name: text for name, text in given.items() if name in ADVANCED} == changed


def test_they_are_drawn_while_they_are_unfolded() -> None:
    app = opened("ppo")
    assert drawn(app) == set()
    assert drawn(unfolded(app)) == ADVANCED
    assert drawn(unfolded(app, False)) == set()


def test_a_link_sets_them_folded_or_not() -> None:
    app = opened("sft", seed="3", rollouts="9", advantage="gae")
    stands_at(app, seed=3, rollouts=9, advantage="gae")
    unfolded(app)
    assert (app.number_input(key="seed").value, app.slider(key="rollouts").value) == (3, 9)
    assert app.selectbox(key="advantage").value == "gae"
    stands_at(app, seed=3, rollouts=9, advantage="gae")


def test_what_they_were_set_to_holds_folded_on_other_pages_and_unfolded_again() -> None:
    app = unfolded(opened("sft", seed="3"))
    app.number_input(key="seed").set_value(7).run()
    app.slider(key="rollouts").set_value(9).run()
    stands_at(app, seed=7, rollouts=9)
    unfolded(app, False)
    app.run()
    stands_at(app, seed=7, rollouts=9)
    app.switch_page("pages/ppo.py").run()
    stands_at(app, seed=7, rollouts=9)
    unfolded(app)
    app.number_input(key="seed").set_value(0).run()
    app.slider(key="rollouts").set_value(5).run()
    unfolded(app, False)
    app.run()
    stands_at(app, seed=0, rollouts=5)
    assert unfolded(app).number_input(key="seed").value == 0 and app.slider(key="rollouts").value == 5


def test_a_preset_moves_them_folded_and_unfolded() -> None:
    for app in (opened("ppo", seed="2"), unfolded(opened("ppo", seed="2"))):
        app.button(key="preset-noisy_labels").click().run()
        app.run()
        stands_at(app, seed=2, label_noise=4.0)
        assert unfolded(app).slider(key="label_noise").value == 4
        app.button(key="preset-healthy").click().run()
        stands_at(app, seed=2)
        assert app.slider(key="label_noise").value == DEFAULTS["label_noise"]
