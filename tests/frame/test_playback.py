"""The session's side of the playhead: what it takes from the player's reports, and when it writes the address."""

import pytest
from streamlit.runtime.state.query_params import QueryParams
from streamlit.testing.v1 import AppTest

from pages.frame import playback


def publishing() -> None:
    from pages.frame import playback

    playback.publish(tour=0, pin="")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Addresses that the browser is told, in order."""
    told: list[dict[str, str]] = []
    monkeypatch.setattr(QueryParams, "_send_query_param_msg", lambda params: told.append(params.to_dict()))
    return told


def rerun(app: AppTest, at: str, browser: dict[str, str]) -> None:
    """Run with the playhead somewhere, for a browser that says which address it has."""
    app.session_state[playback.PLAYHEAD] = at
    app.query_params.clear()
    app.query_params.update(browser)
    app.run()
    assert not app.exception


def test_the_address_is_written_where_it_differs(said: list[dict[str, str]]) -> None:
    app = AppTest.from_function(publishing)
    rerun(app, "idle", {"beta": "0.3"})
    assert said == []
    rerun(app, "ppo-3", {"beta": "0.3"})
    assert said == [{"beta": "0.3", "at": "ppo-3"}]
    rerun(app, "ppo-3", {"beta": "0.3", "at": "ppo-3"})
    assert len(said) == 1
    rerun(app, "idle", {"beta": "0.3", "at": "ppo-3", "prompt": "1"})
    assert said[-1] == {"beta": "0.3"}


@pytest.mark.parametrize("browser", [{}, {"beta": "0.3"}])  # at Step; and a control that the reader moved meanwhile
def test_an_address_that_was_on_its_way_is_overwritten(browser: dict[str, str], said: list[dict[str, str]]) -> None:
    app = AppTest.from_function(publishing)
    rerun(app, "sft-30", {})  # Step
    rerun(app, "idle", browser)  # Back, from a browser that had not heard of Step's address
    assert said == [{"at": "sft-30"}, browser]
    rerun(app, "idle", browser)  # it has by now
    assert len(said) == 2


def hearing() -> None:
    import streamlit as st

    from pages.frame import playback

    st.session_state.answers = [playback.hear(report) for report in st.session_state.reports]
    st.session_state.stands = playback.current()


@pytest.mark.parametrize(
    ("reports", "news", "at"),
    [
        ([("ppo-1", "", 1)], [True], "ppo-1"),
        ([("ppo-1", "", 1), ("ppo-1", "", 1)], [True, False], "ppo-1"),  # by the callback, and as the state
        ([("ppo-2", "", 2), ("ppo-1", "", 1)], [True, False], "ppo-2"),  # an old state comes back with its page
        ([("done", "", 1), ("done", "", 2)], [True, False], "done"),  # a second finish
        ([("ppo-1", "old", 1)], [False], "idle"),  # the player did not know of the last move by Python
    ],
)
def test_reports(reports: list[tuple[str, str, int]], news: list[bool], at: str) -> None:
    app = AppTest.from_function(hearing)
    app.session_state.reports = [dict(zip(("frame", "seek", "count"), report, strict=True)) for report in reports]
    app.run()
    assert (app.session_state.answers, app.session_state.stands) == (news, at)
