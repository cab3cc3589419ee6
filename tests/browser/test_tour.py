"""The guided tour, clicked through; and the link that Share hands out."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from pages.frame.tour import STEPS
from rlhf_core import Settings
from tests.browser.reader import PAGES, Reader

TITLES = {path.removeprefix("/") or "overview": name for name, path in PAGES.items()}


def tour(reader: Reader, button: str) -> None:
    """Press a button of the tour's panel."""
    with reader.rerun():
        reader.control(f"tour-{button}").get_by_role("button").click()


def predict(reader: Reader, number: int) -> None:
    """Choose the first of the answers."""
    with reader.rerun():
        reader.control(f"tour-guess-{number}").get_by_text(STEPS[number - 1].options[0], exact=True).click()


def shows_step(reader: Reader, number: int) -> None:
    step = STEPS[number - 1]
    reader.stands_on(TITLES[step.page])
    expect(reader.page.get_by_text(f"Tour {number} of {len(STEPS)}: {step.title}.")).to_be_visible()
    reader.address_has(tour=str(number))


def sees(reader: Reader, number: int) -> None:
    """Expect what the step reveals once it is done."""
    guess = STEPS[number - 1].options[0]
    expect(reader.page.get_by_test_id("stAlert").filter(has_text=f"You predicted: {guess}.")).to_be_visible()


def not_yet(reader: Reader) -> None:
    expect(reader.page.get_by_test_id("stAlert").filter(has_text="You predicted")).to_have_count(0)


DONE = (1, 4, 6)  # those that a reader takes here from beginning to end


@pytest.mark.parametrize("number", [number for number in range(1, len(STEPS) + 1) if number not in DONE])
def test_every_step_is_a_link(reader: Reader, number: int) -> None:
    page = STEPS[number - 1].page
    reader.open(f"/{page if page != 'overview' else ''}?tour={number}")
    shows_step(reader, number)
    not_yet(reader)


@pytest.mark.parametrize("number", DONE)
def test_predict_set_up_do_see(reader: Reader, number: int) -> None:
    step = STEPS[number - 1]
    page = step.page if step.page != "overview" else ""
    reader.open(f"/{page}?tour={number}&beta=0.5&speed=10")  # not as the step wants it
    shows_step(reader, number)
    predict(reader, number)
    not_yet(reader)
    tour(reader, "set-up")
    reader.stands_at(step.at)
    wanted = Settings(**step.changes)
    assert Settings.from_query(reader.query) == (wanted, ())
    if number == 4:
        reader.choose("loop line")
        for _ in ("sample", "score", "kl", "advantage", "update"):
            not_yet(reader)
            with reader.rerun():
                reader.press("Step")
        reader.stands_at("ppo-1")
    else:
        reader.press("Run")
        reader.stands_at("done")
    sees(reader, number)


def test_the_tour_can_be_left_and_resumed(reader: Reader) -> None:
    reader.open("/sft?tour=2")
    predict(reader, 2)
    tour(reader, "next")
    shows_step(reader, 3)
    tour(reader, "leave")
    reader.address_has(tour=None)
    expect(reader.control("tour-next")).to_have_count(0)
    reader.turn_to("Overview")
    tour(reader, "start")
    shows_step(reader, 3)
    tour(reader, "previous")
    shows_step(reader, 2)
    chosen = reader.control("tour-guess-2").get_by_role("radio", checked=True)
    expect(chosen).to_have_count(1)  # the prediction is remembered


def test_share_gives_a_link_that_opens_the_same_state(reader: Reader, new_reader: Callable[[], Reader]) -> None:
    reader.open("/ppo?scenario=safety&speed=7&prompt=2")
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
    assert other.query == {"scenario": "safety", "speed": "7", "prompt": "2", "beta": "0.15", "at": "ppo-2"}
