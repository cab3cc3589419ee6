"""The app below a path, as `--server.baseUrlPath` puts it there: what its pages say of themselves exists."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.serving import App, running_app

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with running_app(tmp_path_factory.mktemp("below") / "log", below="/rlhf") as app:
        yield app
        assert app.failures() == []


def got(address: str) -> tuple[str, bytes]:
    with urlopen(address, timeout=10) as answer:
        return answer.headers["content-type"], answer.read()


@pytest.mark.parametrize("path", ["", "/", "/ppo", "/reward_model?beta=0.3&at=done"])
def test_picture_and_address_of_a_page_are_there(app: App, path: str) -> None:
    page = got(app.url + path)[1].decode()
    [picture] = re.findall(r'property="og:image" content="([^"]+)"', page)
    [address] = re.findall(r'rel="canonical" href="([^"]+)"', page)
    kind, data = got(unescape(picture))
    assert picture == f"{app.url}/card.png" and kind == "image/png" and data.startswith(b"\x89PNG")
    assert address.startswith(f"{app.url}/") and got(address)[0].startswith("text/html")
    assert got(address)[1].decode().count(f'href="{address}"') == 1


def test_the_picture_is_the_one_of_the_repository(app: App) -> None:
    assert got(f"{app.url}/card.png")[1] == (Path(__file__).parents[2] / "docs" / "card.png").read_bytes()
