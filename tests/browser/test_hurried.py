"""A reader faster than the line: what is pressed in a menu before the server has heard of its opening closes it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.reader import Reader
from tests.serving import App

SLOW = {"offline": False, "latency": 400, "downloadThroughput": -1, "uploadThroughput": -1}
AT_ONCE = """
async ([menu, key]) => {
  const buttons = [...document.querySelectorAll("[data-testid=stPopoverButton]")];
  buttons.find(each => each.innerText.includes(menu)).click();
  const found = () => document.querySelector(`.st-key-${key} button`);
  while (!found()) await new Promise(requestAnimationFrame);
  found().click();
}
"""


@pytest.fixture
def far(browser: BrowserContext, server: App) -> Iterator[Reader]:
    """A reader with a page open, at the end of a slow line."""
    reader = Reader(browser.new_page(), server.url).open("/ppo?ppo_steps=3&speed=10")
    browser.new_cdp_session(reader.page).send("Network.emulateNetworkConditions", SLOW)
    yield reader
    complaints = reader.unforgiven
    reader.page.close()
    assert complaints == []


@pytest.mark.parametrize(("key", "title"), [("save", "Save as a file"), ("embed", "Embed in a page")])
def test_a_dialog_has_the_page_to_itself_and_the_menu_opens_again(far: Reader, key: str, title: str) -> None:
    far.page.evaluate(AT_ONCE, ["Share", key])
    dialogs = far.page.get_by_role("dialog")
    expect(dialogs.filter(has_text=title).get_by_role("heading", name=title)).to_be_visible()
    expect(far.page.get_by_test_id("stPopoverBody")).to_have_count(0)
    expect(dialogs).to_have_count(1)
    dialogs.get_by_role("button", name="Close").click()
    expect(dialogs).to_have_count(0)
    far.sidebar.get_by_role("button", name="Share").click()
    expect(far.page.get_by_role("dialog").get_by_role("button", name="Copy sentence and link")).to_be_visible()


def test_a_preset_is_seen_without_its_menu(far: Reader) -> None:
    far.page.evaluate(AT_ONCE, ["Presets", "preset-beta_too_high"])
    far.stands_at("done")
    expect(far.page.get_by_test_id("stPopoverBody")).to_have_count(0)
