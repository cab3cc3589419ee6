"""One link is one state: opened cold, reloaded, kept over pages, and never an exception."""

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from rlhf_core.settings import CONTROLS
from tests.browser.conftest import App
from tests.browser.reader import PAGES, Reader
from tests.core.runs import run

NewReader = Callable[..., Reader]


def shows(reader: Reader, frame: str, *, beta: float, **settings: int) -> None:
    """Expect a stage at rest on a PPO step of a run with that beta, and the slider there too."""
    reader.stands_at(frame)
    step = int(frame.removeprefix("ppo-"))
    expect(reader.tile("kl")).to_have_text(f"{run(beta=beta, **settings).ppo.kl[step]:.2f}")
    assert float(reader.slider("beta").input_value()) == pytest.approx(beta)


@pytest.mark.parametrize("name", ["Overview", "PPO"])  # all page scripts begin with the same call
def test_the_first_request_of_a_fresh_server_shows_the_linked_state(
    name: str, fresh_server: App, new_reader: NewReader
) -> None:
    reader = new_reader(fresh_server).open(f"{PAGES[name]}?beta=0.3&at=ppo-5")
    shows(reader, "ppo-5", beta=0.3)
    reader.sidebar.get_by_text("Advanced").click()
    labels = reader.sidebar.get_by_test_id("stWidgetLabel")
    for wanted in [control.label for control in CONTROLS.values()] + ["Speed", "Prompt"]:
        expect(labels.filter(has_text=re.compile(f"^{re.escape(wanted)}")).first).to_be_visible()
    for other in PAGES:
        expect(reader.link(other)).to_be_visible()
    reader.address_has(beta="0.3", at="ppo-5")
    assert fresh_server.failures() == []


def test_reload_keeps_everything(reader: Reader) -> None:
    reader.open("/ppo?scenario=safety&beta=0.3&speed=7&prompt=3&seed=4&at=ppo-5")
    with reader.rerun():
        reader.slide("ppo_steps", "ArrowRight")
    with reader.rerun():
        reader.press("Step")
    reader.address_has(
        scenario="safety", beta="0.3", ppo_steps="9", speed="7", prompt="3", seed="4", at="ppo-6", tour=None
    )  # fmt: skip
    tiles, query = reader.tiles(), reader.query
    reader.reload()
    reader.stands_at("ppo-6")
    assert (reader.tiles(), reader.query) == (tiles, query)


def test_changes_hold_on_every_other_page(reader: Reader) -> None:
    reader.open("/sft")
    with reader.rerun():
        reader.slide("beta", "ArrowRight", times=2)
    for _ in range(4):
        reader.press("Step")
    reader.address_has(beta="0.12", at="ppo-2")
    for name in ("PPO", "Reward model", "Metrics", "Overview"):
        reader.turn_to(name)
        shows(reader, "ppo-2", beta=0.12)
        reader.address_has(beta="0.12", at="ppo-2")


def test_the_browsers_back_returns_to_the_page_before_at_once(reader: Reader) -> None:
    reader.open("/ppo?beta=0.3&at=ppo-3")
    reader.turn_to("SFT")
    for _ in range(2):
        with reader.rerun():
            reader.press("Step")
    reader.address_has(at="ppo-5")
    with reader.rerun():
        reader.page.go_back(wait_until="commit")
    reader.stands_on("PPO")
    shows(reader, "ppo-5", beta=0.3)
    reader.address_has(at="ppo-5", beta="0.3")
    with reader.rerun():
        reader.page.go_forward(wait_until="commit")
    reader.stands_on("SFT")
    shows(reader, "ppo-5", beta=0.3)


def test_another_page_in_mid_play_goes_on_from_the_same_frame(reader: Reader) -> None:
    reader.open("/ppo?speed=6").watch()
    reader.press("Run")
    reader.plays_until("frames.length >= 4")
    reader.turn_to("Metrics")
    frame = reader.frame
    assert frame not in ("idle", "done", None)
    reader.address_has(at=frame)


def test_fewer_steps_clamp_the_playhead(reader: Reader) -> None:
    reader.open("/ppo?at=ppo-8")
    with reader.rerun():
        reader.slide("ppo_steps", "ArrowLeft", times=3)
    shows(reader, "ppo-5", beta=0.1, ppo_steps=5)
    reader.address_has(ppo_steps="5", at="ppo-5")
    with reader.rerun():
        reader.slide("ppo_steps", "ArrowRight", times=2)
    reader.address_has(ppo_steps="7", at=reader.frame)


def test_two_tabs_do_not_disturb_each_other(reader: Reader, new_reader: NewReader) -> None:
    reader.open("/ppo?at=ppo-3")
    other = new_reader().open("/ppo?at=ppo-6&beta=0.5")
    with other.rerun():
        other.press("Back")
    with other.rerun():
        other.slide("beta", "ArrowRight")
    shows(reader, "ppo-3", beta=0.1)
    with reader.rerun():
        reader.press("Step")
    shows(reader, "ppo-4", beta=0.1)
    shows(other, "ppo-5", beta=0.51)


@pytest.mark.parametrize("junk", ["", "-1e999", "ppo-99-<b>&\0²"])
def test_nonsense_in_a_link_never_shows_an_exception(reader: Reader, junk: str) -> None:
    names = ("at", "prompt", "tour", "beta", "ppo_steps", "speed", "scenario", "seed")
    reader.open("/?" + "&".join(f"{name}={quote(junk)}" for name in names))
    assert reader.frame in ("idle", "ppo-1")
    reader.press("Reset")
    with reader.rerun():
        reader.press("Step")
    reader.stands_at("sft-30")


def test_a_value_out_of_range_is_used_as_the_address_then_says(reader: Reader) -> None:
    reader.open("/ppo?beta=7&at=ppo-3")
    shows(reader, "ppo-3", beta=2)
    reader.address_has(beta="2")
