"""Takes the pictures of the README and of shared links: `python docs/pictures.py` (needs playwright and chromium).

One picture per page and theme, at a moment that shows something.
"""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, sync_playwright

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync "
    "--no-first-run --hide-scrollbars"
).split()
SHOTS = {
    "overview": "/?at=done",
    "ppo": "/ppo?at=ppo-5",
    "hacking": "/metrics?beta=0&ppo_steps=60&at=done",
}
SIZE = {"width": 1280, "height": 860}
CARD = "/ppo?embed=true&at=ppo-5&show=reward_kl_path,response_probabilities"
CARD_SIZE = {"width": 1200, "height": 630}


@contextmanager
def app() -> Iterator[str]:
    """The app on a free port of this machine, as long as the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    server = subprocess.Popen(
        [*command, "--server.port", str(port), "--server.address", "127.0.0.1"],
        cwd=HERE.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).read()
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait()


def take(context: BrowserContext, address: str, target: Path) -> None:
    """Write a picture of one state of the app."""
    page = context.new_page()
    page.goto(address)
    page.locator('[data-testid="stage"]').wait_for()
    page.locator(".js-plotly-plot .main-svg:visible").first.wait_for()
    page.wait_for_timeout(1500)
    page.screenshot(path=target)
    page.close()


def main() -> None:
    """Write `docs/<name>-<theme>.png` for every shot and theme, and `docs/card.png` for shared links."""
    with app() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for theme in ("light", "dark"):
            context = browser.new_context(viewport=SIZE, color_scheme=theme, reduced_motion="reduce")
            for name, path in SHOTS.items():
                take(context, address + path, HERE / f"{name}-{theme}.png")
            context.close()
        context = browser.new_context(viewport=CARD_SIZE, color_scheme="light", reduced_motion="reduce")
        take(context, address + CARD, HERE / "card.png")
        browser.close()


if __name__ == "__main__":
    main()
