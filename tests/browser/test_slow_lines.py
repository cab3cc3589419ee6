"""On slow lines: the player plays as soon as it is there, sketches stand in for charts, and nothing is given up."""

import time

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.reader import Reader
from tests.browser.test_fallback import WATCH_FOR_COMPLAINTS
from tests.serving import App

pytestmark = pytest.mark.soak

LONGEST_MS = 400_000
HAS_SKETCHES = "() => document.querySelector('.rlhf-chart > svg polyline') !== null"
HAS_CHARTS = """
() => {
  const charts = [...document.querySelectorAll(".rlhf-chart")];
  return charts.length > 0 && charts.every(chart => chart.querySelector(".main-svg"));
}
"""


@pytest.mark.parametrize(("megabits", "latency_ms"), [(5, 80), (1.6, 150), (0.4, 400)])
def test_on_a_slow_line(browser: BrowserContext, server: App, megabits: float, latency_ms: float) -> None:
    """A cold browser; the figures are printed with `pytest -s`."""
    context = browser.browser.new_context(viewport={"width": 1440, "height": 900})
    reader = Reader(context.new_page(), server.url)
    reader.page.set_default_timeout(LONGEST_MS)
    rate = megabits * 1e6 / 8
    line = context.new_cdp_session(reader.page)
    line.send("Network.enable")
    conditions = {"offline": False, "latency": latency_ms, "downloadThroughput": rate, "uploadThroughput": rate}
    line.send("Network.emulateNetworkConditions", conditions)
    reader.page.add_init_script(WATCH_FOR_COMPLAINTS)
    started, times = time.monotonic(), {}

    def reached(what: str) -> None:
        times[what] = round(time.monotonic() - started, 1)

    reader.page.goto(f"{reader.url}/ppo?at=ppo-3", wait_until="commit")
    reader.stage.wait_for()
    reached("tiles")
    if not reader.page.evaluate(HAS_CHARTS):
        reader.page.wait_for_function(f"() => ({HAS_SKETCHES})() || ({HAS_CHARTS.strip()})()")
        reached("sketches")
    reader.press("Step")
    assert reader.frame == "ppo-4"
    reader.page.wait_for_function(HAS_CHARTS)
    reached("charts")
    assert reader.frame == "ppo-4"
    reader.address_has(at="ppo-4")
    complaints = set(reader.page.evaluate("window.complaints"))
    context.close()
    print(f"\n{megabits:g} Mbit/s, {latency_ms:g} ms: seconds until {times}")
    assert complaints <= {"The player is loading."} and reader.unforgiven == []
