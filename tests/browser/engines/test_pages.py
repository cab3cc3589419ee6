"""Every page in every engine, in both themes: it opens, plays and has nothing to complain of."""

import pytest

from tests.browser.engines.reader import STAGE, Reader
from tests.browser.reader import PAGES
from tests.browser.tiles import tiles_at
from tests.core.runs import run

SHORT = {"sft_epochs": 2, "rm_epochs": 2, "ppo_steps": 2}
QUERY = "&".join(f"{name}={value}" for name, value in SHORT.items())
SIDEWAYS = """
  const main = document.querySelector("[data-testid=stMain]");
  return Math.max(main.scrollWidth - main.clientWidth, document.documentElement.scrollWidth - innerWidth);
"""
GROUND = "return getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"


@pytest.mark.parametrize("path", PAGES.values(), ids=list(PAGES))
def test_a_page_opens_and_plays_to_done(path: str, reader: Reader) -> None:
    reader.open(f"{path}?speed=10&{QUERY}")
    reader.act("run")
    reader.stands_at("done")
    assert reader.tiles == tiles_at("done", run(**SHORT))
    assert reader.tab.js(SIDEWAYS) <= 0


def test_every_page_is_dark_for_those_who_prefer_it(dark_reader: Reader) -> None:
    dark_reader.open(f"/?speed=10&{QUERY}&at=ppo-1")
    for name, path in PAGES.items():
        dark_reader.turn_to(name, path)
        dark_reader.stands_at("ppo-1")
        dark_reader.until(f"{STAGE} return stage.dataset.theme", "dark")
        assert dark_reader.tab.js(GROUND) == "rgb(18, 22, 29)"
