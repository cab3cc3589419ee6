"""What a browser's tab, a bookmark and a history entry say of each page."""

from urllib.request import urlopen

from tests.browser.reader import PAGES, Reader
from tests.serving import App

ICON = "document.querySelector('link[rel~=icon]').href"


def test_every_page_has_a_title_of_its_own_that_names_the_app(reader: Reader) -> None:
    titles = {"PPO": reader.open("/ppo").page.title()}
    for name in PAGES:
        reader.turn_to(name)
        titles[name] = reader.page.title()
    assert titles.pop("Overview") == "RLHF you can run"
    assert titles == {name: f"RLHF you can run: {name}" for name in titles}


def test_the_favicon_is_not_streamlits_and_comes_with_the_page(reader: Reader) -> None:
    assert str(reader.open("/").page.evaluate(ICON)).startswith("data:image/svg")


def test_the_title_stands_right_below_the_header(reader: Reader) -> None:
    top = reader.open("/ppo").page.locator("h1").first.bounding_box()
    header = reader.page.get_by_test_id("stHeader").bounding_box()
    assert top and header and 0 <= top["y"] - (header["y"] + header["height"]) <= 32


def test_those_who_run_no_javascript_get_title_description_and_picture(reader: Reader, server: App) -> None:
    reader.open("/ppo?beta=0.3&at=done")  # only a run that readers have had is described
    with urlopen(f"{server.url}/ppo?beta=0.3&at=done") as answer:
        text = answer.read().decode()
    assert '<meta property="og:title" content="RLHF you can run: PPO">' in text
    assert "Done: PPO took the reward from 0 to " in text
    with urlopen(f"{server.url}/card.png") as picture:
        assert picture.headers["content-type"] == "image/png"
