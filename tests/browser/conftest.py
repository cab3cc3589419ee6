"""A running app, a browser, and readers at its tabs. Everything is started here, and ended here."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, sync_playwright

from tests.browser.reader import Reader

ROOT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip
START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class App:
    """A server: where it listens and where it writes its log."""

    url: str
    log: Path

    def failures(self, since: int = 0) -> list[str]:
        """Exceptions in the log after its first `since` bytes."""
        text = self.log.read_bytes()[since:].decode(errors="replace")
        return [f"server: {text[text.index('Traceback') :]}"] if "Traceback" in text else []


@contextmanager
def running_app(log: Path) -> Iterator[App]:
    """Serve app.py on a free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "streamlit", "run", "app.py", "--server.address", "127.0.0.1", "--server.port", str(port),
        "--server.headless", "true", "--server.fileWatcherType", "none",
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process, log)
        yield App(f"http://127.0.0.1:{port}", log)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the app did not start:\n{log.read_text(errors='replace')}")


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
