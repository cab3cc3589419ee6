"""What a page plays reaches the places that it has left for it."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.frame import sharing
from pages.frame.navigation import TITLES
from tests.app.opening import opened
from tests.delivered import parts, places


def sent(app: AppTest) -> dict[str, bytes]:
    found = [parts(component.proto.bytes) for component in app.get("bidi_component")]
    assert sum(map(bool, found)) <= 1
    return {name: message for each in found for name, message in each.items()}


@pytest.mark.parametrize("page", TITLES)
def test_each_place_has_its_part(page: str) -> None:
    app = opened(page)
    there = places(app)
    assert list(sent(app)) == there
    assert len(set(there)) == len(there)
    assert there or page in ("lab", "yours")  # whose charts are not on the clock
    clock = page.replace("_", "-").encode()
    assert all(message.startswith(clock + b" {") for message in sent(app).values())


def test_what_comes_before_an_error_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(page: object) -> None:
        raise RuntimeError("at the very end of the page")

    monkeypatch.setattr(sharing, "reproduce", fail)
    app = opened("metrics")
    assert len(app.exception) == 1
    assert list(sent(app)) == places(app) != []


def test_what_is_as_it_was_is_the_same_message() -> None:
    app = opened("ppo")
    before = sent(app)
    assert sent(app.run()) == before
