"""A guess is drawn by keyboard and by pointer, kept while the run plays, and held to it; with less motion, too."""

import pytest

from tests.browser.engines.reader import Reader

POINTS = "[...document.querySelectorAll('.gs-point')]"
VALUES = f"return {POINTS}.map(point => Number(point.ariaValueNow ?? point.getAttribute('aria-valuenow')))"
SAID = "return new RegExp(arguments[0]).test(document.querySelector('.gs-said')?.textContent ?? '')"
CENTRE = "document.querySelector(arguments[0]).scrollIntoView({ block: 'center', behavior: 'instant' })"
CALM = """
  const { get } = Object.getOwnPropertyDescriptor(MediaQueryList.prototype, "matches");
  Object.defineProperty(MediaQueryList.prototype, "matches", {
    get() { return this.media.includes("prefers-reduced-motion") || get.call(this); },
  });
"""


def focus(reader: Reader, selector: str, key: str = "Tab", most: int = 45) -> None:
    """Press Tab until the focus is on it."""
    for _ in range(most):
        reader.tab.press(key)
        if reader.tab.js("return document.activeElement.matches(arguments[0])", selector):
            return
    raise AssertionError(f"{reader.engine}: {selector} cannot be reached by {key}")


@pytest.mark.parametrize("calm", [False, True], ids=["as usual", "with less motion"])
def test_a_guess_is_drawn_by_keys_and_by_pointer_and_held_to_the_run(reader: Reader, calm: bool) -> None:
    reader.open("/metrics?speed=10&ppo_steps=4")
    if calm:
        reader.tab.js(CALM)
    reader.tab.js("document.querySelector('[data-testid=stage] [data-action=reset]').focus()")
    focus(reader, ".st-key-guess input")
    reader.tab.press(" ")
    reader.until(f"return {POINTS}.length > 2", True)
    reader.rest()
    focus(reader, ".gs-point", "Shift+Tab")  # the switch stands below the chart: the last point comes first
    start = reader.tab.js(VALUES)
    for key in ("ArrowUp", "End", "Shift+Tab", "Home", "Shift+Tab", "Home"):
        reader.tab.press(key)
    *others, low, bottom, top = reader.tab.js(VALUES)
    assert low == bottom < start[0] < top and others == start[:-3]
    assert reader.frame == "idle"
    reader.tab.js(CENTRE, ".gs-surface")
    third = 0.03 + 0.94 * (len(start) - 3) / (len(start) - 1)  # from the end
    reader.tab.drag(".gs-surface", [0.01, 0.3, third + 0.03])  # at half the height
    *others, middle, left, right = reader.tab.js(VALUES)
    assert (left, right) == (bottom, top) and bottom < middle < top
    assert others == pytest.approx([middle] * len(others), abs=0.1)
    reader.tab.js("document.activeElement.blur()")
    reader.tab.press(" ")
    reader.stands_at("done")
    reader.until(SAID, True, "^Your guess is .* off on average")
