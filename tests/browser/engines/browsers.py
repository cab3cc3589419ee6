"""Chromium, Firefox and WebKit: how each is started, and ended."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Remote
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

from tests.browser.engines.reader import INIT_SCRIPT
from tests.browser.engines.tabs import PlaywrightTab, Tab, WebKitTab

HERE = Path(__file__).parent
CHROMIUM, FIREFOX, WEBKIT_DRIVER, SCREEN = (
    Path("/usr/bin", name) for name in ("chromium", "firefox-esr", "WebKitWebDriver", "Xvfb")
)
CHROMIUM_ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip
SECONDS = 30  # after which a command to a browser has failed
SIZE = {"width": 1280, "height": 900}


def needed(program: Path) -> None:
    """Skip where a program is not installed; on CI everything has to be."""
    if not program.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {program}")


@contextmanager
def playwright_tab(browser: Browser, dark: bool) -> Iterator[Tab]:
    with browser.new_context(viewport=SIZE, color_scheme="dark" if dark else "light") as context:
        context.add_init_script(INIT_SCRIPT)
        yield PlaywrightTab(context.new_page())


@contextmanager
def chromium_tab(playwright: Playwright, dark: bool = False) -> Iterator[Tab]:
    needed(CHROMIUM)
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
    with playwright_tab(browser, dark) as tab:
        yield tab
    browser.close()


@contextmanager
def firefox_tab(playwright: Playwright, dark: bool = False) -> Iterator[Tab]:
    """Debian's Firefox cannot be told in mid-run which colours are preferred: it has to start with them."""
    needed(FIREFOX)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # the shim needs this Python
    browser = playwright.firefox.launch(
        channel="moz-firefox",
        executable_path=HERE / "firefox-bidi",
        env={**os.environ, "PATH": path},
        firefox_user_prefs={"ui.systemUsesDarkTheme": int(dark)},
    )
    with playwright_tab(browser, False) as tab:
        yield tab
    browser.close()


@contextmanager
def screen() -> Iterator[str]:
    """Give WebKit a screen that nobody sees."""
    needed(SCREEN)
    read, write = os.pipe()
    command = [str(SCREEN), "-displayfd", str(write), "-screen", "0", "1600x1200x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as answer:
        display = f":{answer.readline().strip()}"
    yield display
    server.terminate()
    server.wait()


@contextmanager
def webkit_tab(playwright: Playwright, dark: bool = False) -> Iterator[Tab]:
    needed(WEBKIT_DRIVER)
    options = Options()
    options.binary_location = str(HERE / "webkit-browser")
    options.page_load_strategy = "none"
    if dark:
        options.add_argument("--dark")
    with screen() as display:
        env = {**os.environ, "DISPLAY": display, "INIT_SCRIPT": INIT_SCRIPT}
        service = Service(str(WEBKIT_DRIVER), env=env)
        service.start()
        config = ClientConfig(service.service_url, timeout=SECONDS)
        driver = Remote(RemoteConnection(client_config=config), options=options)
        driver.set_script_timeout(SECONDS)
        tab = WebKitTab(driver)
        tab.resize(**SIZE)
        yield tab
        with suppress(WebDriverException):  # the browser may have ended before its session
            driver.quit()
        service.stop()


OPEN: dict[str, Callable[..., AbstractContextManager[Tab]]] = {
    "chromium": chromium_tab,
    "firefox": firefox_tab,
    "webkit": webkit_tab,
}
