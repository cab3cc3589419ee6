"""Readers who do not see, point or use a large window: axe, keyboard, text alternatives, data tables, zoom."""

import json
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.reader import PAGES, Reader

SERIOUS = ("serious", "critical")
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


def violations(reader: Reader) -> list[str]:
    """Serious and critical violations on the whole page, Streamlit's own parts included, one line each."""
    found = Axe().run(reader.page).response["violations"]
    return [
        f"{violation['id']}: {node['target']} {node['html'][:160]} {json.dumps(node['any'][:1])[:200]}"
        for violation in found
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious_on_the_page(name: str, scheme: str, new_reader: Callable[..., Reader]) -> None:
    reader = new_reader()
    reader.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    reader.open(f"{PAGES[name]}?at=ppo-3&beta=7")
    assert violations(reader) == []


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
    apart = 1 if name == "Reward model" else 0  # the typed response's chart is Streamlit's own
    assert tables.count() == reader.page.locator(".rlhf-chart").count() + apart
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
