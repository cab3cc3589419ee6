"""A chart on a slide: in a low frame it has most of the height, with the controls that the link names below it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Frame, Locator, expect

from pages.frame import lesson, sharing
from tests.browser.blog import Blog
from tests.browser.reader import LOOKS_READY, PATIENCE_MS, STAGE, Reader
from tests.serving import App

SLIDES = {"large": (960, 540), "small": (640, 360)}
MOST = 0.6
CONTROLS = ".st-key-lesson-controls"
LAYOUT = """() => {
  const box = selector => document.querySelector(selector).getBoundingClientRect();
  const main = document.querySelector("[data-testid=stMain]");
  const [stage, chart, controls] = ["[data-testid=stage]", ".rlhf-chart", ".st-key-lesson-controls"].map(box);
  return {
    share: chart.height / innerHeight, drawn: box(".rlhf-chart .main-svg").height, height: chart.height,
    order: [0, stage.top, stage.bottom, chart.top, chart.bottom, controls.top, controls.bottom, innerHeight],
    sideways: main.scrollWidth - main.clientWidth,
  };
}"""
SETTLED = f"""() => {{
  const now = JSON.stringify(({LAYOUT})()), same = now === window.layout;
  window.layout = now;
  return same;
}}"""


@pytest.fixture
def slide(blog: Blog, chromium: Browser, server: App) -> Iterator[Callable[..., Frame]]:
    """Open a page of somebody's slides with a page of the app on it; returns what the frame shows."""
    with chromium.new_context(viewport={"width": 1280, "height": 720}) as context:
        readers: list[Reader] = []

        def opened(path: str, query: str, size: tuple[int, int]) -> Frame:
            width, height = size
            blog.body = f'<body style="margin: 0">{sharing.iframe(server.url + path, query, height, width)}'
            if not readers:
                readers.append(Reader(context.new_page(), server.url))
            page = readers[0].page
            page.goto(blog.url)
            frame = page.locator("iframe").element_handle().content_frame()
            frame.wait_for_function(LOOKS_READY, timeout=PATIENCE_MS)
            return frame

        yield opened
        assert [complaint for reader in readers for complaint in reader.unforgiven] == []


def control(frame: Frame, name: str) -> Locator:
    return frame.locator(f"{CONTROLS} :is(.st-key-{name}, .st-key-{name}-0)")  # menus are counted


def settled(frame: Frame) -> dict[str, float | list[float]]:
    """The layout once it stays as it is."""
    frame.locator(f"{CONTROLS} > *").first.wait_for()
    frame.wait_for_function(SETTLED, polling=400, timeout=PATIENCE_MS)
    return dict(frame.evaluate(LAYOUT))


@pytest.mark.parametrize("size", SLIDES.values(), ids=list(SLIDES))
@pytest.mark.parametrize(
    ("path", "part"), [("/ppo", "reward_kl_path"), ("/metrics", "score_and_truth"), ("/metrics", "kl")]
)
def test_a_chart_has_most_of_a_slide_and_its_control_stands_below(
    slide: Callable[..., Frame], size: tuple[int, int], path: str, part: str
) -> None:
    frame = slide(path, f"show={part}&controls=beta&at=ppo-3", size)
    layout = settled(frame)
    assert layout["share"] >= MOST
    assert layout["drawn"] == pytest.approx(layout["height"], abs=1), "it is drawn for the room that it has"
    order = layout["order"]
    assert order == sorted(order) and layout["sideways"] == 0
    for name in ("stTopNavLink", "stHeader", "stExpandSidebarButton"):
        expect(frame.get_by_test_id(name).and_(frame.locator(":visible"))).to_have_count(0)


def test_the_control_trains_anew_and_the_player_plays(slide: Callable[..., Frame]) -> None:
    frame = slide("/ppo", "show=objective_curves&controls=beta&ppo_steps=3&speed=10&at=ppo-1", SLIDES["small"])
    control(frame, "beta").get_by_role("slider").press("End")
    frame.wait_for_function("new URLSearchParams(location.search).get('beta') === '2'", timeout=PATIENCE_MS)
    frame.locator(STAGE).get_by_role("button", name="Run").click()
    expect(frame.locator(STAGE)).to_have_attribute("data-frame", "done", timeout=PATIENCE_MS)
    expect(frame.locator(".rs-narration")).to_contain_text("Done")
    assert settled(frame)["share"] >= MOST, "titles that tell more leave as much"


def test_every_control_can_be_had_by_its_name_and_a_bad_name_gets_its_sentence(slide: Callable[..., Frame]) -> None:
    names = ",".join(lesson.CONTROL_NAMES)
    frame = slide("/ppo", f"show=objective_curves&controls={names},gamma", SLIDES["large"])
    for name in lesson.CONTROL_NAMES:
        expect(control(frame, name)).to_have_count(1)
        control(frame, name).scroll_into_view_if_needed()
        expect(control(frame, name)).to_be_visible()
    expect(frame.get_by_text("controls has no “gamma”")).to_be_visible()


def test_the_dialog_previews_a_slide_at_its_size(reader: Reader) -> None:
    reader.page.set_viewport_size({"width": 1440, "height": 900})
    reader.open("/ppo?controls=beta,share&show=reward_kl_path")
    reader.sidebar.get_by_role("button", name="Share").click()
    reader.page.get_by_role("button", name="Embed in a page…").click()
    dialog = reader.page.get_by_role("dialog")
    expect(dialog).to_have_count(1)
    expect(dialog).to_contain_text("Is what is best for the score best for people?")
    dialog.locator(".st-key-embed-size").get_by_role("combobox").click()
    reader.page.get_by_role("option", name="960 × 540").click()
    expect(dialog.get_by_test_id("stCode").last).to_contain_text('width="960" height="540"')
    preview = dialog.locator("iframe")
    expect(preview).to_have_css("height", "540px")
    assert preview.bounding_box()["width"] == 960
    frame = preview.element_handle().content_frame()
    frame.wait_for_function(LOOKS_READY, timeout=PATIENCE_MS)
    assert settled(frame)["share"] >= MOST
    reader.page.keyboard.press("Escape")
