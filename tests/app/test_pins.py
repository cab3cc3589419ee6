"""Pinning a run on the metrics page."""

from streamlit.testing.v1 import AppTest


def opened(**query: str) -> AppTest:
    app = AppTest.from_file("../../app.py", default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page("pages/metrics.py")
    return app.run()


def captions(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def test_a_pinned_run_is_compared_and_stands_in_the_link() -> None:
    app = opened()
    app.button(key="pin-run").click().run()
    assert app.query_params["pin"] == "defaults"
    app.slider(key="beta").set_value(0.5).run()
    assert not app.exception
    assert "β, KL penalty 0.1 → 0.5" in captions(app)
    app.button(key="unpin-run").click().run()
    assert "pin" not in app.query_params


def test_a_link_with_a_pin_opens_the_comparison() -> None:
    app = opened(pin="beta=0.3&seed=1")
    assert not app.exception
    assert "Seed 1 → 0" in captions(app) and "β, KL penalty 0.3 → 0.1" in captions(app)


def test_a_broken_pin_is_taken_as_far_as_it_can_be_read() -> None:
    app = opened(pin="beta=nan&seed=<b>&%%%=1")
    assert not app.exception
