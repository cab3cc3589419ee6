"""A running app, a browser, and readers at its tabs. Everything is started here, and ended here."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, sync_playwright

from tests.browser.reader import Reader
from tests.serving import App, running_app

CHROMIUM = Path("/usr/bin/chromium")
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give a browser on a busy machine a second and a third chance."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with running_app(tmp_path_factory.mktemp("server") / "log") as app:
        yield app


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[App]:
    """A server that nobody has asked for anything."""
    with running_app(tmp_path / "log") as app:
        yield app


@pytest.fixture(scope="package")
def browser() -> Iterator[BrowserContext]:
    """Chromium; ended with this folder's tests, for its event loop must not run under others."""
    if not CHROMIUM.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs Chromium at {CHROMIUM}")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield chromium.new_context(viewport={"width": 1280, "height": 900})
        chromium.close()


@pytest.fixture(scope="package")
def shared_tab(browser: BrowserContext, server: App) -> Reader:
    return Reader(browser.new_page(), server.url)


@pytest.fixture
def reader(shared_tab: Reader, server: App) -> Iterator[Reader]:
    """A reader at a tab that other tests use too: a tab in use opens an address twice as fast as a new one."""
    logged = server.log.stat().st_size
    shared_tab.forget()
    yield shared_tab
    assert shared_tab.unforgiven + server.failures(logged) == []


@pytest.fixture
def new_reader(browser: BrowserContext, server: App) -> Iterator[Callable[..., Reader]]:
    """Readers at tabs of their own: for two at once, for blocked files and other preferences."""
    readers: list[Reader] = []

    def create(app: App = server) -> Reader:
        readers.append(Reader(browser.new_page(), app.url))
        return readers[-1]

    logged = server.log.stat().st_size
    yield create
    complaints = [complaint for reader in readers for complaint in reader.unforgiven]
    for reader in readers:
        reader.page.close()
    assert complaints + server.failures(logged) == []
