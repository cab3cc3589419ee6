"""The glossary at hand: every term is underlined where a page uses it first, and its sentence opens for everybody."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from pages.drawing.glossary import FOUND, TERMS
from tests.browser.reader import PAGES, Reader

PASSED_OVER = (
    "a, h1, h2, h3, h4, h5, h6, code, pre, small, style, button, summary, label, .katex, .rlhf-stage, .rlhf-chart, "
    ".gl-list, [data-slot], [data-testid=stWidgetLabel], [data-testid=stSelectbox], [data-testid=stPageLink], [hidden]"
)
"""What announces or quotes: headings, controls, code, answers; the player's tiles have help of their own."""
BARE = """
([terms, passedOver]) => {
  const seen = new Set(), bare = {};
  const groups = terms.map(([term, written]) => `(?<${term}>(?<![\\w-])(?:${written})(?![\\w-]))`);
  const found = new RegExp(groups.join("|"), "g");
  const walker = document.createTreeWalker(document.querySelector("[data-testid=stMain]"), NodeFilter.SHOW_TEXT);
  for (let node; node = walker.nextNode();) {
    const parent = node.parentElement, link = parent.closest("[data-term]");
    if (link) seen.add(link.dataset.term.replaceAll("-", "_"));
    if (link || parent.closest(passedOver)) continue;
    const text = node.data.replace(/“[^”]*”/g, "");
    for (const match of text.matchAll(found)) {
      const [term] = Object.entries(match.groups).find(([, words]) => words !== undefined);
      if (!seen.has(term)) bare[term] ??= text.trim().slice(0, 120);
    }
  }
  return bare;
}
"""


def tip(reader: Reader) -> Locator:
    return reader.page.get_by_role("tooltip").and_(reader.page.locator("#rlhf-term"))


def term(reader: Reader, key: str) -> Locator:
    return reader.page.locator(f"[data-term={key}]").first


@pytest.mark.parametrize("name", PAGES)
def test_no_term_is_used_before_it_is_underlined(name: str, reader: Reader) -> None:
    reader.open(PAGES[name])
    expect(reader.page.locator("[data-term]").first).to_be_attached()
    written = [(key, TERMS[key].written) for key in FOUND.groupindex if key in TERMS]
    bare = reader.page.evaluate(BARE, [written, PASSED_OVER])
    assert not bare, json.dumps(bare, indent=1, ensure_ascii=False)


def test_a_sentence_opens_on_hover_and_on_focus_and_closes_again(reader: Reader) -> None:
    reader.open("/")
    nat = term(reader, "nat")
    nat.hover()
    expect(tip(reader)).to_have_text(TERMS["nat"].meaning)
    reader.page.mouse.move(2, 2)
    expect(tip(reader)).to_be_hidden()
    term(reader, "policy").focus()
    reader.page.keyboard.press("Tab")
    reader.page.keyboard.press("Shift+Tab")
    expect(tip(reader)).to_have_text(TERMS["policy"].meaning)
    reader.page.keyboard.press("Escape")
    expect(tip(reader)).to_be_hidden()
    before = reader.page.url
    reader.page.keyboard.press("Enter")
    expect(tip(reader)).to_be_visible()
    assert reader.page.url == before
    expect(term(reader, "policy")).to_have_accessible_description(TERMS["policy"].meaning)


def test_a_tap_opens_a_sentence_within_the_screen(new_reader: Callable[..., Reader]) -> None:
    reader = new_reader()
    reader.page.set_viewport_size({"width": 390, "height": 844})
    reader.open("/")
    for link in reader.page.locator("[data-term]").all()[:6]:
        link.click()
        box = tip(reader).bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390 and 0 <= box["y"] <= 844 - box["height"]
    reader.page.locator("h1").click()
    expect(tip(reader)).to_be_hidden()


def test_the_list_has_every_term(reader: Reader) -> None:
    reader.open("/")
    expect(reader.page.locator(".gl-list dd")).to_have_text([entry.meaning for entry in TERMS.values()])
