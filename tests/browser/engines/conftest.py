"""Readers in Chromium, Firefox and WebKit; each is started here once, and ended here."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import Playwright
from selenium.common.exceptions import WebDriverException

from tests.browser.conftest import FAILED
from tests.browser.engines.browsers import OPEN
from tests.browser.engines.reader import Reader
from tests.browser.engines.tabs import Tab
from tests.serving import App


class Chair:
    """Where tests sit down one after another at a tab of one engine."""

    def __init__(self, engine: str, url: str, playwright: Playwright, stash: pytest.Stash) -> None:
        self.engine, self.url, self.playwright, self.stash = engine, url, playwright, stash
        self._open: AbstractContextManager[Tab] | None = None
        self._reader: Reader | None = None

    def take(self) -> Reader:
        """Return the reader at the tab; in a browser started anew if a test has failed, or the browser itself."""
        if self.stash.get(FAILED, False) or not self._alive():
            self.leave()
            self.stash[FAILED] = False
        if self._reader is None:
            self._open = OPEN[self.engine](self.playwright)
            self._reader = Reader(self._open.__enter__(), self.url, self.engine)
        return self._reader

    def _alive(self) -> bool:
        try:
            return self._reader is None or self._reader.tab.js("return true") is True
        except WebDriverException:
            return False

    def leave(self) -> None:
        """Close the browser."""
        browser, self._open, self._reader = self._open, None, None
        if browser is not None:
            browser.__exit__(None, None, None)


@pytest.fixture(scope="package", params=OPEN)
def chair(
    request: pytest.FixtureRequest, playwright: Playwright, server: App, pytestconfig: pytest.Config
) -> Iterator[Chair]:
    chair = Chair(request.param, server.url, playwright, pytestconfig.stash)
    yield chair
    chair.leave()


@pytest.fixture
def reader(chair: Chair, server: App) -> Iterator[Reader]:
    """A reader at a tab that other tests use too."""
    logged = server.log.stat().st_size
    reader = chair.take()
    reader.complaints.clear()
    yield reader
    assert reader.complaints + server.failures(logged) == []


@pytest.fixture
def dark_reader(chair: Chair, server: App) -> Iterator[Reader]:
    """A reader who prefers dark colours, in a browser of their own."""
    with OPEN[chair.engine](chair.playwright, dark=True) as tab:
        reader = Reader(tab, server.url, chair.engine)
        yield reader
        assert reader.complaints == []
