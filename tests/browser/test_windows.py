"""Windows that people have, from a large screen to a phone: nothing is cut, too small to read or too small to hit."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.reader import PAGES, Reader
from tests.serving import App

WINDOWS = [(1440, 900), (1100, 800), (1024, 768), (820, 1180), (844, 390), (390, 844), (360, 740)]
NARROW = [(1100, 800), (820, 1180), (390, 844)]
ALL = {**PAGES, "Lab": "/lab", "Yours": "/yours"}
STATE = "at=ppo-3-advantage&advantage=gae"  # the longest sentence that the player says
PHONE = {"width": 390, "height": 844}

RESTS = """
() => [...document.querySelectorAll(".rlhf-chart")].every(
  chart => Math.abs(chart.clientWidth - chart.querySelector("svg").getBoundingClientRect().width) < 2)
"""
# What a reader could not see, read or hit in this window: one line each.
FAULTS = """
() => {
  const main = document.querySelector("[data-testid=stMain]"), found = [];
  const box = element => element.getBoundingClientRect();
  const words = element => element.textContent.trim().slice(0, 40);
  const name = element => `${element.tagName.toLowerCase()}.${element.getAttribute("class")} “${words(element)}”`;
  const inside = (a, b) => a.left >= b.left - 1.5 && a.right <= b.right + 1.5;
  const shown = element => {
    const { width, height } = box(element);
    return width > 1 && height > 1 && element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  };
  const apart = ".rs-help, .rs-spoken, .rlhf-table, .katex-mathml, thead"; // shown on demand, or only to screen readers
  const seen = element => shown(element) && !element.closest(apart);
  const all = selector => [...document.querySelectorAll(selector)].filter(seen);

  for (const { scrollWidth, clientWidth } of [document.documentElement, main])
    if (scrollWidth > clientWidth) found.push(`sideways by ${scrollWidth - clientWidth} px`);

  const ours = ".rlhf-live *, .rlhf-stage *, .katex .base, .katex-display, a, code, .rlhf-chart";
  for (const element of all(`[data-testid=stMain] :is(${ours})`)) {
    const places = ["stColumn", "stMainBlockContainer"].map(name => element.closest(`[data-testid=${name}]`));
    const place = places.find(place => place && box(place).width); // a column may have dissolved into its row
    if (!inside(box(element), box(place))) found.push(`out of its column: ${name(element)}`);
    const { overflowX, display } = getComputedStyle(element);
    if (overflowX !== "visible" && display !== "inline" && element.scrollWidth > element.clientWidth + 1)
      found.push(`cut by ${element.scrollWidth - element.clientWidth} px: ${name(element)}`);
  }
  for (const text of all(".rlhf-chart text"))
    if (words(text) && !inside(box(text), box(text.closest(".rlhf-chart")))) found.push(`off its chart: ${name(text)}`);

  const narration = document.querySelector(".rs-narration");
  if (narration.scrollHeight > narration.clientHeight) found.push("the player's sentence is cut");

  for (const target of all("a[href], button, input, textarea, summary, [role=button], [role=radio], [tabindex='0']")) {
    const wider = getComputedStyle(target, "::after"), more = wider.position === "absolute" && wider.content === '""';
    const reach = side => Math.round(Math.max(box(target)[side], more ? parseFloat(wider[side]) : 0));
    const [width, height] = [reach("width"), reach("height")];
    if (width < 24 || height < 24) found.push(`${width} × ${height} px to hit: ${target.ariaLabel ?? name(target)}`);
  }
  const INDEX = "tspan[style*='font-size']";  // below its letter, in a chart
  for (const element of all("body :not(script, style, .katex *)")) {
    const size = parseFloat(getComputedStyle(element).fontSize);
    const writes = [...element.childNodes].some(({ nodeType, data }) => nodeType === Node.TEXT_NODE && data.trim());
    if (size < 12 && writes && !element.matches(INDEX)) found.push(`${size} px: ${name(element)}`);
  }
  return [...new Set(found)];
}
"""
PLAYER = """
() => {
  const [player, header] = ["stage", "stHeader"].map(name => document.querySelector(`[data-testid=${name}]`));
  const box = element => element.getBoundingClientRect(), end = Math.max(0, box(header).bottom);
  const targets = [...player.querySelectorAll("button, input")].filter(target => target.checkVisibility());
  return {
    covered: box(player).bottom,
    first: Math.min(...targets.map(target => box(target).top)) - end,
    last: innerHeight - box(player).bottom,
    small: targets.filter(target => box(target).width < 44 || box(target).height < 44).map(target => target.ariaLabel),
  };
}
"""
SCROLL = "top => document.querySelector('[data-testid=stMain]').scrollTo(0, top)"


def resize(reader: Reader, window: tuple[int, int]) -> None:
    reader.page.set_viewport_size({"width": window[0], "height": window[1]})
    reader.page.wait_for_function(RESTS)


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_cut_or_too_small_in_any_window(name: str, reader: Reader) -> None:
    reader.open(f"{ALL[name]}?{STATE}")
    found = {}
    for window in WINDOWS:
        resize(reader, window)
        found[window] = reader.page.evaluate(FAULTS)
    resize(reader, WINDOWS[0])
    reader.sidebar.get_by_role("button", name="Collapse sidebar").click()
    expect(reader.sidebar).to_have_attribute("data-collapsed", "true")
    for window in NARROW:
        resize(reader, window)
        found[*window, "closed"] = reader.page.evaluate(FAULTS)
    resize(reader, WINDOWS[0])
    reader.page.get_by_test_id("stExpandSidebarButton").click()  # the browser remembers, and others come after
    assert {window: faults for window, faults in found.items() if faults} == {}


@pytest.fixture
def phone(browser: BrowserContext, server: App) -> Iterator[Reader]:
    """A reader who touches."""
    context = browser.browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True)
    reader = Reader(context.new_page(), server.url)
    yield reader
    context.close()
    assert reader.unforgiven == []


@pytest.mark.parametrize("name", ["Overview", "PPO"])
def test_on_a_phone_the_player_can_be_touched_and_leaves_room_for_the_page(name: str, phone: Reader) -> None:
    phone.open(f"{PAGES[name]}?{STATE}")
    for width in (390, 360):
        resize(phone, (width, 844))
        for top in (0, 1500):
            phone.page.evaluate(SCROLL, top)
            player = phone.page.evaluate(PLAYER)
            assert player["small"] == [], "44 px for a finger"
            assert player["first"] >= 0 and player["last"] >= 0, "all of it can be pressed"
        assert player["covered"] <= 180, "pinned, with Streamlit's header"
    resize(phone, (844, 390))
    assert phone.page.evaluate(PLAYER)["small"] == []


def test_a_phone_s_reader_can_read_what_the_figures_mean(phone: Reader) -> None:
    phone.open("/sft")
    phone.page.get_by_role("button", name="What the figures mean").tap()
    meanings = phone.page.get_by_role("dialog", name="What the figures mean")
    assert meanings.locator("dt").all_text_contents() == phone.stage.locator(".rs-label").all_text_contents()
    assert all(len(text) > 30 for text in meanings.locator("dd").all_text_contents())
    meanings.get_by_role("button", name="Close").tap()
    assert not meanings.is_visible()


def test_on_a_phone_a_preset_gives_the_page_back_that_it_has_changed(phone: Reader) -> None:
    phone.open("/")
    phone.page.get_by_test_id("stExpandSidebarButton").tap()
    with phone.rerun():
        phone.sidebar.get_by_role("button", name="Presets").tap()
    phone.control("preset-beta_too_high").get_by_role("button").tap()
    expect(phone.sidebar).to_have_attribute("data-collapsed", "true")
    expect(phone.page.get_by_role("dialog")).to_have_count(0)
    phone.stands_at("done")
