"""Share → Save as a file: what the button gives is what the command writes."""

import pytest

from pages.frame import saving, sharing, standalone
from tests.app.opening import opened, with_share


def test_pages_that_no_clock_plays_offer_none() -> None:
    keys = [button.key for button in with_share(opened("lab")).button]
    assert "embed" in keys and "save" not in keys


def test_no_file_is_made_and_no_moment_put_into_words_before_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(standalone, "write", lambda *_, **__: made.append("file"))
    monkeypatch.setattr(sharing, "sentence", lambda *_: made.append("sentence") or "")
    app = opened("ppo")
    assert made == []
    with_share(app)
    assert made == ["sentence"]
    made.clear()
    app.button(key="save").click().run()
    assert not app.exception and made == []


def test_the_button_and_the_command_make_the_same_file() -> None:
    state, notes = standalone.read("ppo", "beta=0.3&at=ppo-2&optimum=true", ["loop"])
    app = saving.app_of("https://example.org/rlhf/ppo?beta=0.3")
    assert (app, notes) == ("https://example.org/rlhf", ())
    assert saving.maker(state, "cdn", app)() == standalone.write(state, plotly="cdn", app=app)
    assert saving.app_of("http://localhost:8501/") == "http://localhost:8501"
    assert saving.app_of("") == ""
