"""What a first page costs: bytes and files that an empty browser loads, and how long it works on them, page by page.

    python tests/browser/cold.py [--url http://127.0.0.1:8501]
"""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from pages.frame import navigation  # noqa: E402
from tests.browser.engines.browsers import CHROMIUM, CHROMIUM_ARGS  # noqa: E402
from tests.browser.reader import LOOKS_READY  # noqa: E402
from tests.serving import running_app  # noqa: E402


def cold(browser: Browser, address: str) -> dict[str, float]:
    """How many files a page loads, the kilobytes that they and its messages take, and the browser's seconds of work."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Performance.enable")
    sizes = {"files": 0.0, "loaded": 0.0, "messages": 0.0}

    def finished(event: dict) -> None:
        sizes["files"] += 1
        sizes["loaded"] += event["encodedDataLength"] / 1000

    def received(event: dict) -> None:
        data = event["response"]["payloadData"]
        sizes["messages"] += len(data) * (3 / 4 if event["response"]["opcode"] == 2 else 1) / 1000

    line.on("Network.loadingFinished", finished)
    line.on("Network.webSocketFrameReceived", received)
    page.goto(address)
    page.wait_for_function(LOOKS_READY, timeout=60_000)
    metrics = {metric["name"]: metric["value"] for metric in line.send("Performance.getMetrics")["metrics"]}
    page.wait_for_load_state("networkidle")
    context.close()
    return sizes | {"work": metrics["TaskDuration"]}


def main() -> None:
    """Measure every page of a server, or of one of our own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="a server that runs already, on loopback")
    url = parser.parse_args().url
    with ExitStack() as stack:
        if url is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = stack.enter_context(running_app(folder / "log")).url
        browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        for name, title in navigation.TITLES.items():
            found = cold(browser, f"{url}{navigation.path_of(name)}")
            files, messages = f"{found['files']:.0f} files {found['loaded']:6,.0f} kB", f"{found['messages']:.0f} kB"
            print(f"{title:12} {files}, messages {messages}; {found['work']:.1f} s of work until the charts stand")
        browser.close()


if __name__ == "__main__":
    main()
