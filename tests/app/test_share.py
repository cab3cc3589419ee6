"""Share keeps everything: what a link asks for stands in the link that the opened page offers."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from pages.frame import sharing
from rlhf_core import Settings
from tests.app.opening import ROOT, with_share

STATES = [
    ("/ppo", "beta=0.3&optimum=true&pin=seed=2%26beta=1&at=ppo-2-kl&prompt=2&speed=7&ppo_steps=4"),
    ("/ppo", "at=ppo-3&tour=4"),
    ("/metrics", "beta=0&ppo_steps=60&at=rm-60&tour=6"),
    ("/metrics", "guess=true&at=sft-3"),
    ("/sft", "controls=beta,share&show=loss,imitation&at=sft-3"),
    ("/lab", "experiment=asked&question=critic&seed=3"),
    ("/lab", "experiment=arrives"),
    ("/yours", "section=pairs"),
    ("/yours", "labels=120&beta=1"),
]


def opened(path: str, query: str) -> AppTest:
    """The page of an address with the Share menu open."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    for name, value in parse_qsl(query):
        app.query_params[name] = value
    app.run()
    if "tour" not in query:  # which leads to its page by itself
        app.switch_page(f"pages/{path[1:]}.py").run()
    return with_share(app)


@pytest.mark.parametrize(("path", "query"), STATES)
def test_the_link_that_is_offered_holds_all_that_the_link_held(path: str, query: str) -> None:
    app = opened(path, query)
    assert not app.exception and not [text.value for text in app.text if "In the link" in text.value]
    link = urlsplit(app.sidebar.get("code")[0].value)
    assert (link.path, dict(parse_qsl(link.query))) == (path, dict(parse_qsl(query)))


def test_a_sentence_describes_the_moment_and_tells_no_more() -> None:
    said = sharing.sentence("ppo", Settings(beta=0.3), "ppo-2", 0)
    assert said.startswith("RLHF you can run: PPO (β, KL penalty 0.3 reward units per nat; else the defaults). Step 2")
    assert sharing.sentence("ppo", Settings(), "idle", 0).startswith("RLHF you can run. PPO: climb the reward")
    assert "true reward went from" in sharing.sentence("metrics", Settings(), "done", 0)
    assert "true reward went from" not in sharing.sentence("lab", Settings(), "done", 0)
    app = opened("/ppo", "at=ppo-2")
    shown = [text.value for text in app.sidebar.text]
    assert sharing.sentence("ppo", Settings(), "ppo-2", app.session_state["prompt"]) in shown


def test_a_guess_that_a_link_cannot_mean_is_said() -> None:
    app = opened("/metrics", "guess=maybe")
    assert any("guess must be true or false" in text.value for text in app.text)
