"""A running app, a browser, and readers at its tabs. Everything is started here, and ended here."""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from tests.browser.blog import Blog, served
from tests.browser.engines.browsers import CHROMIUM, CHROMIUM_ARGS, SIZE, needed
from tests.browser.reader import Reader
from tests.serving import App, running_app

HERE = Path(__file__).parent
FAILED = pytest.StashKey[bool]()


PROVEN = (
    "engines/test_player.py", "engines/test_links.py", "engines/test_embed.py",
    "test_access.py::test_every_chart_says_in_words_what_it_shows[PPO]",
    "test_chart_menu.py::test_numbers_are_those_on_the_screen",
    "test_embed.py::test_show_leaves_the_stage_and_the_named_parts",
    "test_fallback.py::test_the_line_is_never_seen", "test_fallback.py::test_what_goes_wrong",
    "test_first_minute.py::test_who_only_presses_run", "test_first_minute.py::test_at_idle",
    "test_links.py::test_nonsense_in_a_link", "test_look.py::test_the_labs_button_leads",
    "test_presets.py", "test_privacy.py::test_a_page_talks_to_its_own_server_only",
    "test_slides.py::test_a_chart_has_most_of_a_slide_and_its_control_stands_below[/ppo",
    "test_stage.py::test_loop_line", "test_standalone.py::test_a_file_plays", "test_style_work.py",
    "test_terms.py::test_a_sentence_opens", "test_titles.py::test_the_title_stands",
    "test_tour.py::test_predict_do_see[1]", "test_windows.py::test_on_a_phone_the_player_can_be_touched",
)  # fmt: skip
"""What `make test` runs within its ten minutes, by how names begin: all that is to hold in three browsers, and of
everything else something. `make browser` runs all."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browsers first: they take longest, and what is left of them at the end two workers can share."""
    items.sort(key=lambda item: HERE not in item.path.parents)
    for item in items:
        if HERE in item.path.parents:
            if not f"{item.path.relative_to(HERE).as_posix()}::{item.name}".startswith(PROVEN):
                item.add_marker("browser")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test has failed, whatever it has left on the screen."""
    report = yield
    if report.failed:
        item.config.stash[FAILED] = True
    return report


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
def playwright() -> Iterator[Playwright]:
    """Playwright; ended with this folder's tests, for its event loop must not run under others."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    needed(CHROMIUM)
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
    yield chromium
    chromium.close()


class Seat:
    """Where tests sit down one after another: a tab in use opens an address twice as fast as a new one."""

    def __init__(self, chromium: Browser, url: str, stash: pytest.Stash) -> None:
        self.chromium, self.url, self.stash = chromium, url, stash
        self._reader: Reader | None = None

    def take(self) -> Reader:
        """Return the reader at the tab; at a new one if a test has failed, for nothing of that may stay."""
        if self.stash.get(FAILED, False):
            self.clear()
            self.stash[FAILED] = False
        if self._reader is None:
            self._reader = Reader(profile(self.chromium).new_page(), self.url)
        self._reader.forget()
        return self._reader

    def clear(self) -> None:
        """Close the tab: what it has shown, stored and asked for is gone."""
        if self._reader is not None:
            self._reader.page.context.close()
            self._reader = None


def profile(chromium: Browser) -> BrowserContext:
    """A browser's profile that has never been used."""
    return chromium.new_context(viewport=SIZE)


@pytest.fixture(scope="package")
def seat(chromium: Browser, server: App, pytestconfig: pytest.Config) -> Iterator[Seat]:
    seat = Seat(chromium, server.url, pytestconfig.stash)
    yield seat
    seat.clear()


@pytest.fixture(scope="package")
def browser(chromium: Browser) -> Iterator[BrowserContext]:
    """The profile of all tabs that last for one test."""
    with profile(chromium) as context:
        yield context


@pytest.fixture
def reader(seat: Seat, server: App) -> Iterator[Reader]:
    """A reader at a tab that other tests use too."""
    logged = server.log.stat().st_size
    reader = seat.take()
    yield reader
    assert reader.unforgiven + server.failures(logged) == []


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


@pytest.fixture(scope="module")
def blog() -> Iterator[Blog]:
    with served() as blog:
        yield blog
