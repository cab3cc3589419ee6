"""Charts of many words on a small slide: none stands on another, and none is smaller than 12 pixels."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.reader import Reader
from tests.serving import App

CROWDED = [
    ("/ppo", "response_probabilities"), ("/ppo", "kl_by_response"), ("/reward_model", "weights"),
    ("/reward_model", "labels_and_truth"), ("/sft", "tree_after_sft"), ("/metrics", "kl_samples"),
    ("/metrics", "score_and_truth"),
]  # fmt: skip
WORDS = """() => {
  const seen = node => node.textContent.trim() && getComputedStyle(node).visibility !== "hidden";
  const words = [...document.querySelectorAll(".rlhf-chart .main-svg text")].filter(seen).map(node => {
    const { left, right, top, bottom } = node.getBoundingClientRect();
    return { text: node.textContent, size: parseFloat(getComputedStyle(node).fontSize), left, right, top, bottom };
  }).filter(word => word.right > word.left);
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;  // lines of words have air above and below
  const pairs = words.flatMap((a, i) => words.slice(i + 1).filter(b => meet(a, b)).map(b => [a.text, b.text]));
  return { pairs, small: words.filter(word => word.size < 12).map(word => word.text), count: words.length };
}"""


@pytest.fixture
def slide(chromium: Browser, server: App) -> Iterator[Reader]:
    with chromium.new_context(viewport={"width": 640, "height": 360}) as context:
        reader = Reader(context.new_page(), server.url)
        yield reader
        assert reader.unforgiven == []


def test_words_can_be_read_on_a_small_slide(slide: Reader) -> None:
    found = {}
    for path, part in CROWDED:
        slide.open(f"{path}?embed=true&show={part}&controls=beta&at=ppo-3")
        found[part] = slide.page.evaluate(WORDS)
    assert {part: words for part, said in found.items() if (words := said["pairs"] + said["small"])} == {}
    assert min(said["count"] for said in found.values()) >= 10
