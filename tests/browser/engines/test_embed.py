"""The app inside another site's page, in every engine."""

from pages.frame import sharing
from tests.browser.blog import Blog
from tests.browser.engines.reader import READY, STAGE, Reader

SHORT = "sft_epochs=2&rm_epochs=2&ppo_steps=2&speed=10"
RUN = f"{STAGE} stage.querySelector('[data-action=run]').click()"
FRAME = f"{STAGE} return stage && stage.dataset.frame"
SIDEWAYS = """
  return [document.documentElement, document.querySelector("[data-testid=stMain]")].map(
    box => box.scrollWidth - box.clientWidth)
"""
TOP = f"{STAGE} return stage.getBoundingClientRect().top"


def test_an_embedded_page_begins_with_the_stage_and_plays_to_done(reader: Reader, blog: Blog) -> None:
    snippet = sharing.iframe(f"{reader.url}/sft", SHORT)
    blog.body = f'<body style="margin: 0">{snippet}'
    reader.tab.go(blog.url)
    with reader.tab.inside("iframe"):
        reader.until(READY, True)
        assert reader.tab.js(TOP) <= 60, "only the navigation is above it"
        reader.tab.js(RUN)
        reader.until(FRAME, "done")
        assert reader.tab.js(SIDEWAYS) == [0, 0], "no scrolling sideways"
        assert reader.complaints == []
