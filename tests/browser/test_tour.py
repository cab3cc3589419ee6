"""The guided tour, clicked through; and the link that Share hands out."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from pages.frame import navigation
from pages.frame.tour import STEPS
from rlhf_core import Settings
from tests.browser.reader import PAGES, Reader

TITLES = {path.removeprefix("/") or "overview": name for name, path in PAGES.items()}


def tour(reader: Reader, button: str) -> None:
    """Press a button of the tour's strip."""
    with reader.rerun():
        reader.control(f"tour-{button}").get_by_role("button").click()


def predict(reader: Reader, number: int) -> None:
    """Choose the first of the answers."""
    tour(reader, f"guess-{number}-0")


def shows_step(reader: Reader, number: int) -> None:
    step = STEPS[number - 1]
    reader.stands_on(TITLES[step.page])
    expect(reader.page.get_by_text(f"Tour {number} of {len(STEPS)}: {step.title}")).to_be_visible()
    reader.address_has(tour=str(number))


def strip(reader: Reader) -> Locator:
    return reader.page.locator(".st-key-tour-strip")


ASKING = [number for number, step in enumerate(STEPS, 1) if step.options]
DONE = (1, 4, 6)  # those that a reader takes here from beginning to end


@pytest.mark.parametrize("number", [number for number in ASKING if number not in DONE])
def test_every_step_is_a_link_that_sets_it_up_and_asks_first(reader: Reader, number: int) -> None:
    step = STEPS[number - 1]
    reader.open(f"/?tour={number}")  # whichever page it opens
    shows_step(reader, number)
    assert Settings.from_query(reader.query) == (Settings(**step.changes), ())
    reader.stands_at(step.at)
    expect(strip(reader)).to_contain_text(step.question)
    expect(strip(reader)).not_to_contain_text("Do:")


@pytest.mark.parametrize("number", DONE)
def test_predict_do_see(reader: Reader, number: int) -> None:
    step = STEPS[number - 1]
    reader.open(f"{navigation.path_of(step.page)}?tour={number}&beta=0.5&speed=10")  # not as the step wants it
    shows_step(reader, number)
    predict(reader, number)
    expect(strip(reader)).to_contain_text("Set it up again")
    tour(reader, "set-up")
    reader.stands_at(step.at)
    assert Settings.from_query(reader.query) == (Settings(**step.changes), ())
    expect(strip(reader)).to_contain_text("You predict")
    if number == 4:
        reader.choose("loop line")
        for _ in ("sample", "score", "kl", "advantage", "update"):
            with reader.rerun():
                reader.press("Step")
        reader.stands_at("ppo-1")
    else:
        reader.press("Run")
        reader.stands_at("done")
    expect(strip(reader)).to_contain_text(re.compile(r"Right: |Not quite: "))


def test_the_strip_is_docked_below_the_player_and_its_target_is_in_sight(reader: Reader) -> None:
    reader.page.set_viewport_size({"width": 1440, "height": 900})
    reader.open("/?tour=6")
    shows_step(reader, 6)
    target = reader.page.locator("[data-part=metrics-score-and-truth]")
    expect(target).to_be_in_viewport()
    expect(strip(reader)).to_be_focused()
    strip_box, player = strip(reader).bounding_box(), reader.page.get_by_test_id("stage").bounding_box()
    assert strip_box and player and abs(strip_box["y"] - (player["y"] + player["height"])) < 40


def test_the_tour_can_be_left_and_resumed_and_guesses_may_be_skipped(reader: Reader) -> None:
    reader.open("/sft?tour=2")
    tour(reader, "skip-2")
    expect(strip(reader)).to_contain_text("Do:")
    tour(reader, "next")
    shows_step(reader, 3)
    tour(reader, "next")
    shows_step(reader, 4)
    tour(reader, "next")
    shows_step(reader, 5)
    reader.address_has(beta="2")
    tour(reader, "previous")
    tour(reader, "previous")
    reader.address_has(beta=None)
    tour(reader, "leave")
    reader.address_has(tour=None)
    expect(reader.control("tour-next")).to_have_count(0)
    reader.turn_to("Overview")
    tour(reader, "start")
    shows_step(reader, 3)
    tour(reader, "previous")
    shows_step(reader, 2)
    expect(strip(reader)).to_contain_text("Do:")  # that it was skipped is remembered


def test_the_last_step_says_what_was_learnt(reader: Reader) -> None:
    reader.open(f"/?tour={len(STEPS)}")
    shows_step(reader, len(STEPS))
    expect(strip(reader)).to_contain_text("In your own project")


def test_share_gives_a_link_that_opens_the_same_state(reader: Reader, new_reader: Callable[[], Reader]) -> None:
    reader.open("/ppo?scenario=safety&speed=7&prompt=3")
    with reader.rerun():
        reader.slide("beta", "ArrowRight", times=5)
    for _ in range(4):
        reader.press("Step")
    reader.settle()
    reader.sidebar.get_by_role("button", name="Share").click()
    link = reader.page.get_by_test_id("stPopoverBody").get_by_test_id("stCode").first
    expect(link).to_contain_text("at=ppo-2")
    address = link.text_content() or ""
    assert address.startswith(reader.url)
    other = new_reader().open(address.removeprefix(reader.url))
    other.stands_on("PPO")
    assert (other.tiles(), other.frame, other.query) == (reader.tiles(), reader.frame, reader.query)
    assert other.query == {"scenario": "safety", "speed": "7", "prompt": "3", "beta": "0.15", "at": "ppo-2"}
