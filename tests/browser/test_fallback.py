"""Where the player or Plotly cannot load, a line says so and the charts are there all the same."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.reader import Reader
from tests.core.runs import run

NewReader = Callable[[], Reader]
# Streamlit gives a component's script to the browser as a blob.
NO_BLOBS = """
const make = URL.createObjectURL;
URL.createObjectURL = blob => {
  if (blob.type.includes("javascript")) throw new Error("blocked");
  return make.call(URL, blob);
};
"""
NO_PLOTLY = "Object.defineProperty(window, 'Plotly', { get() {}, set() {} })"

HAS_A_PATH = """
n_points => [...document.querySelectorAll(".js-plotly-plot")].some(
  plot => plot._fullData?.some(trace => trace._length === n_points))
"""


def shows_plain_charts(reader: Reader) -> None:
    """Choose the charts without the player, at PPO step 3."""
    offer = reader.page.get_by_role("button", name="Show the charts without it", include_hidden=True)
    offer.wait_for(state="attached")
    expect(offer).to_be_hidden()
    line = reader.page.locator(".st-key-rlhf-stage-missing")
    line.evaluate("line => line.getAnimations().forEach(patience => patience.finish())")
    expect(line).to_contain_text("The player could not be loaded.")
    with reader.rerun():
        offer.click()
    expect(reader.page.get_by_text("the charts are drawn plainly, at the playhead")).to_be_visible()
    charts = reader.page.locator("[class*=st-key-static]")
    expect(charts.first.locator(".main-svg").first).to_be_visible()
    ppo = run().ppo
    tiles = ["PPO", "3 / 8", f"{ppo.reward[3]:.2f}", f"{ppo.kl[3]:.2f}", re.compile("%"), f"{ppo.entropy[3]:.2f}"]
    expect(reader.page.get_by_test_id("stMetricValue")).to_have_text(tiles)
    reader.page.wait_for_function(HAS_A_PATH, arg=4)  # from step 0 to 3


def test_without_the_component_the_charts_can_be_had_plainly(new_reader: NewReader) -> None:
    reader = new_reader()
    reader.forgiven = re.compile("BidiComponent")
    reader.page.route(re.compile("BidiComponent"), lambda route: route.abort())
    shows_plain_charts(reader.open("/ppo?at=ppo-3", ready=False))


def test_without_the_players_script_the_charts_can_be_had_plainly(new_reader: NewReader) -> None:
    reader = new_reader()
    reader.forgiven = re.compile("BidiComponent Error: blocked")
    reader.page.add_init_script(NO_BLOBS)
    shows_plain_charts(reader.open("/ppo?at=ppo-3", ready=False))


def test_without_plotlys_chunk_a_line_says_so_and_sketches_follow_the_playhead(new_reader: NewReader) -> None:
    reader = new_reader()
    reader.forgiven = re.compile("PlotlyChart")
    reader.page.route(re.compile("PlotlyChart"), lambda route: route.abort())
    reader.open("/ppo?at=ppo-3", ready=False)
    expect(reader.stage.get_by_text("could not load Plotly")).to_be_visible()
    reader.stands_at("ppo-3")
    sketches = reader.page.locator(".rlhf-chart svg:has(polyline)")
    expect(sketches.first).to_be_visible()
    before = sketches.first.inner_html()
    with reader.rerun():
        reader.press("Step")
    reader.stands_at("ppo-4")
    assert sketches.first.inner_html() != before


def test_where_plotly_keeps_to_itself_streamlit_draws_the_charts(new_reader: NewReader) -> None:
    reader = new_reader()
    reader.page.clock.install()
    reader.page.add_init_script(NO_PLOTLY)
    reader.open("/ppo?at=ppo-3", ready=False).stands_at("ppo-3")
    reader.page.clock.fast_forward(10_000)  # as long as the player waits for it, and longer
    expect(reader.stage.get_by_text("could not load Plotly")).to_be_visible()
    expect(reader.page.locator("[class*=st-key-static] .main-svg").first).to_be_visible()
    with reader.rerun():
        reader.press("Step")
    reader.address_has(at="ppo-4")


def test_the_line_is_never_seen_where_the_player_runs(reader: Reader) -> None:
    reader.rewind("/ppo?speed=10")
    line = reader.page.locator(".st-key-rlhf-stage-missing")
    line.evaluate("line => line.getAnimations().forEach(patience => patience.finish())")
    expect(line).to_be_hidden()
