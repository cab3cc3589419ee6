"""A tab of any browser: the few things that a reader's hands and eyes do, through Playwright or through Selenium."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from playwright.sync_api import Frame, Page
from selenium.common.exceptions import NoSuchFrameException
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver

COMING = "return document.readyState !== 'complete'"  # the page, or one in a frame of it


class Tab(Protocol):
    """What both drivers can do."""

    def go(self, url: str) -> None:
        """Open an address."""

    def reload(self) -> None:
        """Open the same address again."""

    def js(self, body: str, *words: Any) -> Any:
        """What a function with this body returns in the page; `arguments` has the words."""

    def click(self, selector: str) -> None:
        """Click with the pointer."""

    def press(self, key: str) -> None:
        """Press and release a key, by its name in the browser's events; "Shift+Tab" holds another meanwhile."""

    def paste(self, selector: str) -> None:
        """Paste the clipboard into a text field with the keys for it."""

    def drag(self, selector: str, places: Sequence[float]) -> None:
        """Press the pointer at the first of these shares of an element's width, move to the others, and release it."""

    def resize(self, width: int, height: int) -> None:
        """Give the page a viewport of that size."""

    def inside(self, selector: str) -> Any:
        """Context in which `js` speaks to the page in an iframe."""

    def picture(self, path: str) -> None:
        """Write what is seen as PNG."""


class PlaywrightTab:
    """A tab of Chromium or Firefox."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._frame: Frame = page.main_frame

    def go(self, url: str) -> None:
        self.page.goto(url, wait_until="commit")

    def reload(self) -> None:
        self.page.reload(wait_until="commit")

    def js(self, body: str, *words: Any) -> Any:
        return self._frame.evaluate(f"words => (function () {{ {body} }}).apply(null, words)", list(words))

    def click(self, selector: str) -> None:
        self.page.locator(selector).first.click()

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def paste(self, selector: str) -> None:
        self.page.locator(selector).press("Control+v")

    def drag(self, selector: str, places: Sequence[float]) -> None:
        box = self.page.locator(selector).bounding_box()
        assert box is not None, selector
        first, *others = [(box["x"] + place * box["width"], box["y"] + box["height"] / 2) for place in places]
        self.page.mouse.move(*first)
        self.page.mouse.down()
        for place in others:
            self.page.mouse.move(*place, steps=4)
        self.page.mouse.up()

    def resize(self, width: int, height: int) -> None:
        self.page.set_viewport_size({"width": width, "height": height})

    @contextmanager
    def inside(self, selector: str) -> Iterator[None]:
        frame = self.page.locator(selector).element_handle().content_frame()
        assert frame is not None, selector
        self._frame = frame
        yield
        self._frame = self.page.main_frame

    def picture(self, path: str) -> None:
        self.page.screenshot(path=path)


class WebKitTab:
    """The tab of WebKit."""

    def __init__(self, driver: WebDriver) -> None:
        self.driver = driver

    def go(self, url: str) -> None:
        with self._leaving():
            self.driver.get(url)

    def reload(self) -> None:
        with self._leaving():
            self.driver.refresh()

    @contextmanager
    def _leaving(self) -> Iterator[None]:
        """Wait until the page is another one; not until it has loaded, for that takes a driver minutes at times."""
        self.driver.execute_script("window.leaving = true")
        yield
        while self._is_leaving():
            time.sleep(0.05)

    def _is_leaving(self) -> bool:
        try:
            return bool(self.driver.execute_script("return window.leaving"))
        except NoSuchFrameException:  # asked in the very moment in which the page goes
            return True

    def js(self, body: str, *words: Any) -> Any:
        return self.driver.execute_script(body, *words)

    def click(self, selector: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def press(self, key: str) -> None:
        *held, last = key.split("+")
        name = last.upper().replace("ARROW", "ARROW_")
        actions = self._actions()
        for each in held:
            actions.key_down(getattr(Keys, each.upper()))
        actions.send_keys(getattr(Keys, name, last))
        for each in held:
            actions.key_up(getattr(Keys, each.upper()))
        actions.perform()

    def paste(self, selector: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, selector).send_keys(Keys.CONTROL, "v")

    def drag(self, selector: str, places: Sequence[float]) -> None:
        element = self.driver.find_element(By.CSS_SELECTOR, selector)
        first, *others = [round((place - 0.5) * element.rect["width"]) for place in places]
        actions = self._actions().move_to_element_with_offset(element, first, 0).click_and_hold()
        for before, place in zip([first, *others], others, strict=False):
            for _ in range(4):
                actions.move_by_offset(round((place - before) / 4), 0)
        actions.release().perform()

    def _actions(self) -> ActionChains:
        return ActionChains(self.driver, duration=20)

    def resize(self, width: int, height: int) -> None:
        self.driver.set_window_rect(0, 0, width, height)

    @contextmanager
    def inside(self, selector: str) -> Iterator[None]:
        deadline = time.monotonic() + 40
        while self.driver.execute_script(COMING) and time.monotonic() < deadline:
            time.sleep(0.05)  # the driver loses a frame that is not there in full
        self.driver.switch_to.frame(self.driver.find_element(By.CSS_SELECTOR, selector))
        try:
            yield
        finally:
            self.driver.switch_to.default_content()

    def picture(self, path: str) -> None:
        self.driver.save_screenshot(path)
