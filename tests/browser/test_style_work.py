"""What is drawn into a chart costs the browser a look at the chart, not at the page around it.

Plotly asks for the size of each label that it has just put in, one after the other. A style sheet can make each such
question a matter of the whole page, most easily by `:has()` (pages/stage/page.css says which kinds do not).
"""

import json

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.browser.engines.browsers import SIZE
from tests.browser.reader import Reader

N_LABELS = 20
MOST_ELEMENTS = 60  # of thousands: the label, what holds it, and what has `:has()` on the way up from it
DESKTOP, PHONE = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)
PAGES = ("/", "/sft", "/reward_model", "/ppo", "/metrics", "/ppo?tour=4", "/ppo?embed=true&show=reward_kl_path")
LABEL = """n => {
  const layer = document.querySelector(".rlhf-chart .xaxislayer-above");
  for (let i = 0; i < n; i += 1) {
    const label = document.createElementNS(layer.namespaceURI, "text");
    label.setAttribute("class", "label");
    layer.append(label);
    label.getBoundingClientRect();
    label.remove();
    document.body.offsetHeight;
  }
}"""


@pytest.mark.parametrize(("path", "size"), [*((path, DESKTOP) for path in PAGES), ("/", PHONE)])
def test_a_new_label_is_no_matter_of_the_whole_page(
    path: str, size: ViewportSize, reader: Reader, chromium: Browser
) -> None:
    reader.page.set_viewport_size(size)
    looks = looked_at(reader.open(path), chromium)
    reader.page.set_viewport_size(SIZE)
    assert len(looks) >= N_LABELS, "the browser was asked for sizes, and looked"
    assert sorted(looks)[len(looks) // 2] <= MOST_ELEMENTS, looks


def looked_at(reader: Reader, chromium: Browser) -> list[int]:
    """How many elements the browser looks at, each time that it has to look."""
    reader.page.wait_for_timeout(500)
    chromium.start_tracing(page=reader.page, categories=["devtools.timeline"])
    reader.page.evaluate(LABEL, N_LABELS)
    events = json.loads(chromium.stop_tracing())["traceEvents"]
    return [event["args"].get("elementCount", 0) for event in events if event["name"] == "UpdateLayoutTree"]
