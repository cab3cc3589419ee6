"""Readers who do not see, point or use a large window: axe, keyboard, text alternatives, data tables, zoom."""

import json
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.reader import PAGES, Reader

OVERFLOW = """
() => {
  const main = document.querySelector("[data-testid=stMain]");
  return Math.max(main.scrollWidth - main.clientWidth, document.documentElement.scrollWidth - innerWidth);
}
"""
FOCUS = """
() => {
  const focused = document.activeElement;
  return focused?.closest("[data-testid=stage]") ? focused.getAttribute("aria-label") : null;
}
"""


def violations(reader: Reader, *where: str) -> list[str]:
    """What axe finds on the whole page, Streamlit's own parts included, one line each."""
    found = Axe().run(reader.page).response["violations"]
    return [
        f"{where} {violation['id']}: {node['target']} {node['html'][:160]} {json.dumps(node['any'][:1])[:200]}"
        for violation in found
        for node in violation["nodes"]
    ]


def show_all(reader: Reader, width: int) -> None:
    """Make the window as tall as the page, for axe judges only the contrast of what is in sight."""
    for _ in range(2):  # a chart that comes into sight may need more room
        height = reader.page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        reader.page.set_viewport_size({"width": width, "height": height})


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_on_the_page_at_any_moment(name: str, new_reader: Callable[..., Reader]) -> None:
    reader = new_reader()
    reader.page.emulate_media(color_scheme="light", reduced_motion="reduce")
    reader.open(f"{PAGES[name]}?beta=7")  # with a note, for there is no such value
    found = []
    for moment, key in {"Idle": None, "mid-run": "ArrowRight", "Done": "End"}.items():
        if key:
            reader.page.locator("body").press(key)
            reader.settle()
        show_all(reader, 1440)
        found += violations(reader, moment)
    with reader.rerun():
        reader.page.locator("[class*=st-key-data-] summary").first.click()
    with reader.rerun():
        reader.page.emulate_media(color_scheme="dark")
    for width in (1440, 390):
        show_all(reader, width)
        found += violations(reader, "dark", str(width))
    with reader.rerun():
        reader.page.emulate_media(color_scheme="light")
    found += violations(reader, "light", "390")
    assert found == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_opens(scheme: str, new_reader: Callable[..., Reader]) -> None:
    reader = new_reader()
    reader.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    reader.open("/ppo?pin=beta=0.5&tour=4&speed=1")
    page, found = reader.page, []
    page.get_by_role("button", name="What the figures mean").click()
    found += violations(reader, "what the figures mean")
    page.keyboard.press("Escape")
    reader.press("Run")
    found += violations(reader, "playing, tour")
    reader.press("Pause")
    for menu in ("Presets", "Share"):
        with reader.rerun():
            reader.sidebar.get_by_role("button", name=menu).click()
        expect(page.get_by_role("dialog", name=menu)).to_be_visible()
        found += violations(reader, menu)
    page.get_by_role("button", name="Embed in a page…").click()
    expect(page.get_by_role("dialog").locator("iframe")).to_be_visible()
    found += violations(reader, "embed")
    page.keyboard.press("Escape")
    reader.sidebar.get_by_text("Advanced").click()
    expect(reader.control("rm_l2")).to_be_visible()
    show_all(reader, 1440)
    found += violations(reader, "advanced")
    assert found == []


def test_the_first_tab_stop_leads_to_the_player(reader: Reader) -> None:
    reader.open("/ppo")
    reader.page.keyboard.press("Tab")
    link = reader.page.get_by_role("link", name="Skip to the player")
    expect(link).to_be_focused()
    assert link.evaluate("link => link.checkVisibility() && link.getBoundingClientRect().top >= 0")
    reader.page.keyboard.press("Enter")
    expect(reader.stage.get_by_role("button", name="Run", exact=True)).to_be_focused()
    with reader.rerun():
        reader.page.keyboard.press("ArrowRight")
    assert reader.address == "/ppo?at=sft-30"


def test_tab_reaches_the_player_and_its_keys_play(reader: Reader) -> None:
    reader.open("/ppo")
    reached = []
    for _ in range(60):
        reader.page.keyboard.press("Tab")
        reached.append(reader.page.evaluate(FOCUS))
        if reached[-1] == "Position in the pipeline":
            break
    order = ["Run", "Back", "Step", "Reset", "Position in the pipeline"]
    assert [name for name in reached if name in order] == order
    with reader.rerun():
        reader.page.keyboard.press("End")
    reader.stands_at("done")


@pytest.mark.parametrize("name", PAGES)
def test_every_chart_says_in_words_what_it_shows(name: str, reader: Reader) -> None:
    reader.open(PAGES[name])
    charts = reader.page.locator(".rlhf-chart")
    assert charts.count() >= 1
    for chart in charts.all():
        expect(chart).to_have_role("img")
        assert len(chart.get_attribute("aria-label") or "") > 30


@pytest.mark.parametrize("name", PAGES)
def test_every_chart_offers_its_data(name: str, reader: Reader) -> None:
    reader.open(PAGES[name])
    tables = reader.page.locator("[class*=st-key-data-]")
    assert tables.count() == reader.page.locator(".rlhf-chart").count()
    assert reader.page.locator(".rlhf-table").count() == 0, "a table that nobody has asked for"


def test_the_data_table_opens_by_keyboard_and_follows_the_playhead(reader: Reader) -> None:
    reader.open("/ppo?at=ppo-3")
    folded = reader.control("data-ppo-objective-curves")
    folded.locator("summary").focus()
    with reader.rerun():
        reader.page.keyboard.press("Enter")
    table = folded.get_by_role("region", name="Data: ")
    expect(table.get_by_role("columnheader")).to_have_text(
        ["curve", "PPO step", "mean over prompts [reward units]", "reading"]
    )
    expect(table.get_by_role("row")).to_have_count(1 + 3 * 4)
    with reader.rerun():
        reader.press("Step")
    expect(table.get_by_role("row")).to_have_count(1 + 3 * 5)
    last = table.get_by_role("row").last
    assert (reader.tile("reward").text_content() or "") in table.text_content()
    expect(last).to_contain_text("step 4: J ")


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_at_200_percent_nothing_has_to_be_scrolled_sideways(name: str, new_reader: Callable[..., Reader]) -> None:
    reader = new_reader()
    reader.page.set_viewport_size({"width": 640, "height": 450})
    reader.open(f"{PAGES[name]}?at=ppo-3&beta={'9' * 60}&scenario={'x' * 10_000}")
    assert reader.page.evaluate(OVERFLOW) <= 0
