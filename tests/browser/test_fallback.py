"""Where the player or Plotly cannot load, a line says so and the charts are there all the same."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect
from plotly.offline import get_plotlyjs

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

# Every sentence of the player's that says something is missing or late, as soon as it can be seen.
WATCH_FOR_COMPLAINTS = """
window.complaints = [];
setInterval(() => {
  for (const node of document.querySelectorAll(".rlhf-missing, .rlhf-wait, .rs-note, [class*=st-key-rlhf-stage]"))
    if (node.checkVisibility({ visibilityProperty: true }) && node.innerText.trim()) // without what is hidden in it
      window.complaints.push(node.innerText);
}, 20);
"""
# What carries the parts of a page, without their names.
GARBLED = """
() => globalThis[Symbol.for("rlhf.stage")].mount({
  parentElement: document.querySelector(".st-key-stage-overview-parts"),
  data: new TextEncoder().encode('overview {"role": "parts"}\\n{'),
})
"""
HAS_A_PATH = """
n_points => [...document.querySelectorAll(".js-plotly-plot")].some(
  plot => plot._fullData?.some(trace => trace._length === n_points))
"""


def shows_plain_charts(reader: Reader) -> None:
    """Choose the charts without the player, at PPO step 3; and the player again."""
    line = reader.page.get_by_text("The player could not be loaded.")
    expect(line).to_be_visible()
    line.get_by_role("link", name="Show the charts without it").click()
    expect(reader.page.get_by_text("The charts are drawn plainly, at the playhead")).to_be_visible()
    charts = reader.page.locator("[class*=st-key-static]")
    expect(charts.first.locator(".main-svg").first).to_be_visible()
    ppo = run().ppo
    tiles = ["PPO", "3 / 8", f"{ppo.reward[3]:.2f}", f"{ppo.kl[3]:.2f}", re.compile("%"), f"{ppo.entropy[3]:.2f}"]
    expect(reader.page.get_by_test_id("stMetricValue")).to_have_text(tiles)
    reader.page.wait_for_function(HAS_A_PATH, arg=4)  # from step 0 to 3
    reader.address_has(at="ppo-3", plain="true")
    reader.control("stage-again").get_by_role("button").click()
    reader.address_has(at="ppo-3", plain=None)


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


def test_without_plotlys_chunk_sketches_follow_the_playhead_until_plotly_comes_after_all(new_reader: NewReader) -> None:
    reader = new_reader()
    reader.forgiven = re.compile("PlotlyChart")
    reader.page.route(re.compile("PlotlyChart"), lambda route: route.abort())
    reader.open("/ppo?at=ppo-3", ready=False)
    note = reader.stage.get_by_text("could not load Plotly")
    expect(note).to_be_visible()
    follows_in_sketches(reader)
    reader.page.add_script_tag(content=get_plotlyjs())
    shows_charts(reader)
    expect(note).to_have_count(0)


def test_however_late_plotly_comes_sketches_play_and_charts_take_over(new_reader: NewReader) -> None:
    reader = new_reader()
    held: list[Route] = []
    reader.page.route(re.compile("PlotlyChart"), lambda route: held.append(route))
    reader.open("/ppo?at=ppo-3", ready=False)
    follows_in_sketches(reader)
    with reader.rerun():
        reader.press("Step")
    reader.address_has(at="ppo-5")
    assert reader.page.get_by_text("could not").filter(visible=True).count() == 0
    held[0].continue_()
    shows_charts(reader)
    reader.stands_at("ppo-5")


def test_where_plotly_keeps_to_itself_streamlit_draws_the_charts(new_reader: NewReader) -> None:
    reader = new_reader()
    reader.page.add_init_script(NO_PLOTLY)
    reader.open("/ppo?at=ppo-3", ready=False).stands_at("ppo-3")
    expect(reader.stage.get_by_text("could not load Plotly")).to_be_visible()
    expect(reader.page.locator("[class*=st-key-static] .main-svg").first).to_be_visible()
    with reader.rerun():
        reader.press("Step")
    reader.address_has(at="ppo-4")


def follows_in_sketches(reader: Reader) -> None:
    """Step from PPO step 3 to 4, on a page whose charts are sketches."""
    reader.stands_at("ppo-3")
    sketches = reader.page.locator(".rlhf-chart svg:has(polyline)")
    expect(sketches.first).to_be_visible()
    before = sketches.first.inner_html()
    reader.press("Step")
    reader.address_has(at="ppo-4")
    assert sketches.first.inner_html() != before


def shows_charts(reader: Reader) -> None:
    """Expect Plotly's charts, each once, and no sketch."""
    reader.page.wait_for_function(
        "() => [...document.querySelectorAll('.rlhf-chart')].every(chart => chart.querySelector('.main-svg'))"
    )
    expect(reader.page.locator(".rlhf-chart > svg")).to_have_count(0)


@pytest.mark.parametrize("late", ["BidiComponent", "Html", "StreamlitMarkdown"])
def test_nothing_flashes_whatever_part_comes_last(new_reader: NewReader, late: str) -> None:
    reader = new_reader()
    reader.page.add_init_script(WATCH_FOR_COMPLAINTS)
    reader.page.route(re.compile(rf"/{late}\."), lambda route: (time.sleep(1), route.continue_()))
    reader.open("/ppo?at=ppo-3").stands_at("ppo-3")
    assert reader.page.evaluate("window.complaints") == []


def test_the_line_is_never_seen_where_the_player_runs(reader: Reader) -> None:
    reader.rewind("/ppo?speed=10")
    line = reader.page.locator(".rlhf-missing")
    line.evaluate("line => line.getAnimations().forEach(patience => patience.finish())")
    expect(line).to_be_hidden()


def test_what_goes_wrong_with_all_parts_of_a_page_at_once_is_said_in_sight_and_once(
    new_reader: NewReader,
) -> None:
    reader = new_reader().open("/")
    reader.forgiven = re.compile("undefined")
    for _ in range(2):
        reader.page.evaluate(GARBLED)
    expect(reader.page.get_by_text("The player could not start")).to_be_visible()


def test_a_browser_that_cannot_unpack_is_sent_everything_as_it_is(new_reader: NewReader) -> None:
    reader = new_reader()
    reader.page.add_init_script("delete globalThis.DecompressionStream")
    reader.open("/ppo?ppo_steps=3&at=ppo-2")
    expect(reader.tile("ppo_step")).to_have_text("2 / 3")
    with reader.rerun():
        reader.slide("beta", "ArrowRight")
    reader.press("Step")
    reader.address_has(at="ppo-3", beta="0.11")
