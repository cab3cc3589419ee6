"""The data table under a chart: nothing is made, and hardly anything is spent, before a reader opens it."""

import pytest
from streamlit.testing.v1 import AppTest


def twenty_closed_tables() -> None:
    import time

    import streamlit as st

    from pages.frame.page import Page
    from pages.stage import Stage

    page = Page(None, None, Stage("test", 0))  # type: ignore[arg-type]
    started = time.process_time()
    for i in range(20):
        page.data(lambda: 1 / 0, "a name", f"chart-{i}")  # type: ignore[arg-type,return-value]
    st.session_state["milliseconds"] = (time.process_time() - started) * 1000


def test_a_closed_table_is_not_made() -> None:
    app = AppTest.from_function(twenty_closed_tables).run()
    assert not app.exception
    assert len(app.expander) == 20 and not app.get("html")


@pytest.mark.slow
def test_a_closed_table_costs_less_than_two_milliseconds() -> None:
    app = AppTest.from_function(twenty_closed_tables)
    spent = [app.run().session_state["milliseconds"] / 20 for _ in range(5)]
    assert min(spent) < 2, spent
