"""The tour by keyboard alone, from the link to each step: asked, done, told, and on to the next."""

import pytest

from pages.frame.tour import STEPS
from tests.browser.engines.reader import Reader

STRIP = "const strip = document.querySelector('.st-key-tour-strip');"
HAS_FOCUS = f"{STRIP} return !!strip && document.activeElement === strip && strip.innerText.includes(arguments[0])"
SAYS = f"{STRIP} return new RegExp(arguments[0]).test(strip?.innerText ?? '')"
FOCUSED = "return document.activeElement.closest(arguments[0]) !== null"
KEYS = {2: ["ArrowRight"], 3: ["ArrowRight"], 4: ["ArrowRight"], 5: ["End"]}
"""What does a step, other than Run."""


def tab_to(reader: Reader, selector: str, key: str = "Tab", most: int = 45) -> None:
    """Press Tab until the focus is where it is wanted."""
    for _ in range(most):
        reader.tab.press(key)
        if reader.tab.js(FOCUSED, selector):
            return
    raise AssertionError(f"{reader.engine}: {most} times {key} do not lead to {selector}")


def press(reader: Reader, selector: str) -> None:
    """Go to a button of the strip, which is a few Tab stops away, and press it."""
    tab_to(reader, selector, most=9)
    reader.tab.press("Enter")


def do(reader: Reader, number: int) -> None:
    """Do what a step asks for, with the focus in the strip."""
    if number == 8:  # β first, in the sidebar; then the player's button
        tab_to(reader, ".st-key-beta [role=slider], .st-key-beta input", "Shift+Tab")
        reader.tab.press("ArrowRight")
        reader.rest()
        tab_to(reader, "[data-testid=stage] [data-action=run]")
        reader.tab.press("Enter")
    for key in KEYS.get(number, [] if number == 8 else [" "]):
        reader.tab.press(key)


@pytest.mark.parametrize("number", range(1, len(STEPS) + 1))
def test_each_step_can_be_taken_by_keyboard_alone_from_its_link(reader: Reader, number: int) -> None:
    reader.open(f"/?tour={number}&speed=10")
    reader.until(HAS_FOCUS, True, f"Tour {number} of {len(STEPS)}")
    reader.rest()
    if number == len(STEPS):
        reader.until(SAYS, True, "In your own project")
        press(reader, ".st-key-tour-leave button")
        reader.until(f"{STRIP} return strip === null", True)
        return
    press(reader, f".st-key-tour-guess-{number}-0 button")
    reader.until(HAS_FOCUS, True, "Do:")
    do(reader, number)
    reader.until(SAYS, True, "Right: |Not quite: ")
    if number == 8:
        tab_to(reader, ".st-key-tour-next button")
        reader.tab.press("Enter")
    else:
        press(reader, ".st-key-tour-next button")
    reader.until(HAS_FOCUS, True, f"Tour {number + 1} of {len(STEPS)}")
