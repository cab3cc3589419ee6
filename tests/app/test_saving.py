"""Share → Save as a file: what the button gives is what the command writes."""

from pages.frame import saving, standalone
from tests.app.opening import opened


def test_pages_that_no_clock_plays_offer_none() -> None:
    keys = [button.key for button in opened("lab").button]
    assert "embed" in keys and "save" not in keys


def test_the_button_and_the_command_make_the_same_file() -> None:
    state, notes = standalone.read("ppo", "beta=0.3&at=ppo-2&optimum=true", ["loop"])
    app = saving.app_of("https://example.org/rlhf/ppo?beta=0.3")
    assert (app, notes) == ("https://example.org/rlhf", ())
    assert saving.maker(state, "cdn", app)() == standalone.write(state, plotly="cdn", app=app)
    assert saving.app_of("http://localhost:8501/") == "http://localhost:8501"
    assert saving.app_of("") == ""
