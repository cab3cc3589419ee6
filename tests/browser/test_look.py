"""What a reader's eye would stumble over: words struck through, parts on top of each other, two buttons that lead."""

import pytest

from tests.browser.reader import PAGES, Reader

ALL = {**PAGES, "Lab": "/lab", "Yours": "/yours"}
WINDOWS = [(1440, 900), (820, 1180), (390, 844)]
# Buttons in the colour of the policy, which leads.
LEADING = """
() => {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.background = "var(--rlhf-policy)";
  const colour = getComputedStyle(probe).backgroundColor;
  probe.remove();
  const leads = button => button.matches("[data-testid=stBaseButton-primary]")
    || button.closest(".rlhf-stage") && getComputedStyle(button).backgroundColor === colour;
  return [...document.querySelectorAll("button")].filter(button => button.checkVisibility() && leads(button))
    .map(button => button.innerText.trim() || button.ariaLabel);
}
"""
# Words in a chart through which a curve goes, or on which other words stand.
STRUCK = """
() => {
  const found = [], air = 2;
  const inside = ({ x, y }, box) =>
    x > box.left + air && x < box.right - air && y > box.top + air && y < box.bottom - air;
  for (const chart of document.querySelectorAll(".rlhf-chart")) {
    const all = [...chart.querySelectorAll(".annotation-text, .textpoint text")];
    const words = all.filter(each => each.textContent.trim());
    const boxes = words.map(each => each.getBoundingClientRect());
    const name = i => words[i].textContent;
    boxes.forEach((one, i) => boxes.slice(0, i).forEach((other, j) => {
      const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const up = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (across > air && up > air) found.push(`${name(i)} on ${name(j)}`);
    }));
    for (const line of chart.querySelectorAll(".scatterlayer path.js-line")) {
      const toScreen = line.getScreenCTM(), plot = chart.querySelector(".nsewdrag").getBoundingClientRect();
      const length = line.getTotalLength();
      for (let at = 0; at <= length; at += 5) {
        const point = line.getPointAtLength(at).matrixTransform(toScreen);
        if (!inside(point, plot)) continue; // clipped
        const hit = boxes.findIndex(box => inside(point, box));
        const covers = words[hit]?.closest(".annotation")?.querySelector("rect.bg[style*='fill-opacity: 1']");
        if (hit >= 0 && !covers) found.push(`a line through ${name(hit)}`);
      }
    }
  }
  return [...new Set(found)];
}
"""
# Parts of the opening that stand on each other.
STACKED = """
() => {
  const names = ".he-answer, .he-worths, .st-key-payoff, button, .st-key-guess, .rlhf-chart, p";
  const parts = [...document.querySelectorAll(`.st-key-opening :is(${names})`)].filter(part => part.checkVisibility());
  const common = (a, b, low, high) => Math.min(a[high], b[high]) - Math.max(a[low], b[low]);
  const words = part => part.textContent.slice(0, 40) || part.className;
  const found = [];
  parts.forEach((one, i) => parts.slice(0, i).forEach(other => {
    if (one.contains(other) || other.contains(one)) return;
    const [a, b] = [one, other].map(part => part.getBoundingClientRect());
    if (common(a, b, "left", "right") > 2 && common(a, b, "top", "bottom") > 2)
      found.push(`${words(one)} on ${words(other)}`);
  }));
  return found;
}
"""


def resize(reader: Reader, window: tuple[int, int]) -> None:
    reader.page.set_viewport_size({"width": window[0], "height": window[1]})
    reader.page.wait_for_timeout(400)  # charts follow


@pytest.mark.parametrize("name", ALL)
def test_one_button_leads_and_no_words_are_struck_through(name: str, reader: Reader) -> None:
    found = {}
    for query in ("at=done", "at=done&beta=0&ppo_steps=60")[: 1 + (name in ("Overview", "Metrics"))]:
        reader.open(f"{ALL[name]}?{query}")
        for window in WINDOWS:
            resize(reader, window)
            found[query, window] = reader.page.evaluate(STRUCK)
    assert {state: struck for state, struck in found.items() if struck} == {}
    assert len(reader.page.evaluate(LEADING)) == 1
    resize(reader, WINDOWS[0])


def test_the_labs_button_leads_until_it_is_pressed(reader: Reader) -> None:
    reader.open("/lab?ppo_steps=2&n_comparisons=24")
    reader.until(f"() => String(({LEADING})()) === 'Run the experiment'")
    with reader.rerun():
        reader.control("lab-run").get_by_role("button").click()
    reader.until(f"() => String(({LEADING})()) === 'Run'")  # colours change in a moment


@pytest.mark.parametrize("query", ["at=idle", "at=done", "at=done&beta=0&ppo_steps=60"])
def test_nothing_in_the_opening_stands_on_something_else(query: str, reader: Reader) -> None:
    reader.open(f"/?{query}")
    found = {}
    for window in WINDOWS:
        resize(reader, window)
        found[window] = reader.page.evaluate(STACKED)
    resize(reader, WINDOWS[0])
    assert {window: parts for window, parts in found.items() if parts} == {}
