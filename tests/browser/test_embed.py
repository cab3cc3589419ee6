"""The app inside another page: in an iframe of a blog that is served from another port."""

import html
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Frame, Locator, expect

from pages.frame import sharing
from tests.browser.blog import Blog
from tests.browser.reader import LOOKS_READY, PAGES, PATIENCE_MS, STAGE, Reader
from tests.serving import App

WINDOWS = {"blog": {"width": 900, "height": 700}, "phone": {"width": 390, "height": 700}}
SHORT = "sft_epochs=2&rm_epochs=2&ppo_steps=2&speed=10"
HEADER = 44
SIDEWAYS = """
() => [document.documentElement, document.querySelector("[data-testid=stMain]")].map(
  box => box.scrollWidth - box.clientWidth)
"""


@pytest.fixture
def read(blog: Blog, chromium: Browser, server: App) -> Iterator[Callable[..., Frame]]:
    """Open the blog with a snippet in it; returns what the iframe shows.

    Each time in a browser that has never been there: Streamlit remembers whether a reader has opened the sidebar.
    """
    readers: list[Reader] = []

    def opened(snippet: str, window: str = "blog") -> Frame:
        blog.body = f'<body style="margin: 0">{snippet}'
        page = chromium.new_context(viewport=WINDOWS[window]).new_page()
        readers.append(Reader(page, server.url))
        page.goto(blog.url)
        frame = page.locator("iframe").element_handle().content_frame()
        frame.wait_for_function(LOOKS_READY, timeout=PATIENCE_MS)
        return frame

    logged = server.log.stat().st_size
    yield opened
    complaints = [complaint for reader in readers for complaint in reader.unforgiven]
    for reader in readers:
        reader.page.context.close()
    assert complaints + server.failures(logged) == []


@pytest.fixture
def embedded(read: Callable[..., Frame], server: App) -> Callable[..., Frame]:
    """Open the blog with a page of the app in it."""
    return lambda path, query="", window="blog": read(sharing.iframe(server.url + path, query), window)


def sidebar(frame: Frame) -> Locator:
    return frame.get_by_test_id("stSidebar")


def begins_with_the_stage(frame: Frame) -> None:
    stage, title = frame.locator(STAGE), frame.locator("h1")
    assert stage.evaluate("stage => stage.getBoundingClientRect().top") <= HEADER, "only the navigation is above it"
    assert title.bounding_box()["y"] > stage.bounding_box()["y"], "the title comes later"
    expect(sidebar(frame)).to_have_attribute("data-collapsed", "true")
    assert frame.evaluate(SIDEWAYS) == [0, 0], "no scrolling sideways"


@pytest.mark.parametrize("path", PAGES.values(), ids=list(PAGES))
def test_an_embedded_page_begins_with_the_stage_and_plays_to_the_end(embedded, path: str) -> None:
    frame = embedded(path, SHORT)
    begins_with_the_stage(frame)
    frame.locator(STAGE).get_by_role("button", name="Run").click()
    expect(frame.locator(STAGE)).to_have_attribute("data-frame", "done", timeout=PATIENCE_MS)
    frame.page.set_viewport_size(WINDOWS["phone"])
    frame.wait_for_function("innerWidth === 390")
    begins_with_the_stage(frame)


def test_a_page_embedded_on_a_phone_begins_with_the_stage(embedded) -> None:
    begins_with_the_stage(embedded("/ppo", SHORT, "phone"))


def test_the_same_page_on_its_own_has_its_title_first_and_its_sidebar_open(reader: Reader) -> None:
    reader.open("/ppo")
    assert reader.page.locator("h1").bounding_box()["y"] < reader.stage.bounding_box()["y"]
    expect(reader.sidebar).to_have_attribute("data-collapsed", "false")


def test_a_lesson_has_only_its_controls_and_the_others_keep_their_values(embedded) -> None:
    frame = embedded("/ppo", "controls=beta,scenario&ppo_steps=12&seed=4")
    frame.get_by_test_id("stExpandSidebarButton").click()
    expect(sidebar(frame).locator("[class*='st-key-']")).to_have_count(2)
    for name in ("beta", "scenario"):
        expect(sidebar(frame).locator(f".st-key-{name}")).to_be_visible()
    steps = frame.locator(STAGE).locator("[data-metric=ppo_step] .value")
    expect(steps).to_contain_text("12")
    sidebar(frame).locator(".st-key-beta").get_by_role("slider").press("ArrowRight")
    holds(frame, beta="0.11", ppo_steps="12", seed="4", controls="beta,scenario", embed="true")
    frame.get_by_role("link", name="SFT", exact=True).click()
    frame.wait_for_url(re.compile(r"/sft\?"))
    holds(frame, beta="0.11", ppo_steps="12", seed="4", controls="beta,scenario", embed="true")
    expect(steps).to_contain_text("12")
    expect(sidebar(frame).locator("[class*='st-key-']")).to_have_count(2)


def holds(frame: Frame, **wanted: str) -> None:
    """Expect parameters in the iframe's address."""
    same = "wanted => Object.entries(wanted).every(([k, v]) => new URLSearchParams(location.search).get(k) === v)"
    frame.wait_for_function(same, arg=wanted, timeout=PATIENCE_MS)


@pytest.mark.parametrize("window", WINDOWS)
def test_show_leaves_the_stage_and_the_named_parts(embedded, window: str) -> None:
    frame = embedded("/ppo", f"show=reward_kl_path,loop&{SHORT}", window)
    shown = frame.locator(".rlhf-chart:visible, .rlhf-live:visible")
    expect(shown).to_have_count(2)
    expect(frame.locator(".rlhf-chart, .rlhf-live")).to_have_count(2)
    expect(frame.get_by_role("heading")).to_have_count(1)  # the chart's title
    expect(frame.get_by_text("The policy writes answers")).to_be_hidden()
    expect(frame.get_by_text("Is what is best for the score best for people?")).to_be_visible()
    frame.locator(STAGE).get_by_role("button", name="Run").click()
    expect(frame.locator(STAGE)).to_have_attribute("data-frame", "done", timeout=PATIENCE_MS)
    expect(frame.get_by_text("No policy lies above").first).to_be_visible()
    assert frame.evaluate(SIDEWAYS) == [0, 0], "no scrolling sideways"


def test_the_stage_alone_fits_a_low_frame(embedded) -> None:
    frame = embedded("/metrics", "show=stage", "phone")
    assert frame.locator(".rlhf-chart, .rlhf-live").count() == 0
    main = frame.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollHeight - main.clientHeight") == 0
    expect(frame.get_by_text("Six figures stand above")).to_be_hidden()


def test_the_snippet_of_the_dialog_works_when_pasted(reader: Reader, read) -> None:
    reader.open("/ppo?beta=0.3&optimum=true")
    with reader.rerun():
        reader.sidebar.get_by_role("button", name="Share").click()
    reader.page.get_by_role("button", name="Embed in a page…").click()
    dialog = reader.page.get_by_role("dialog").filter(has_text="HTML to paste")
    expect(reader.page.get_by_role("dialog")).to_have_count(1)  # without the menu that it came from
    choose(dialog, "embed-controls", "β, KL penalty")
    choose(dialog, "embed-show-ppo", "One step, line by line")
    height = dialog.locator(".st-key-embed-height input")
    height.fill("450")
    height.press("Enter")
    snippet = dialog.get_by_test_id("stCode").last
    expect(snippet).to_contain_text("optimum=true&amp;controls=beta&amp;show=loop&amp;embed=true")
    expect(snippet).to_contain_text('height="450"')
    expect(dialog.locator("iframe")).to_have_attribute("src", html.unescape(source(snippet)))
    preview = dialog.locator("iframe").element_handle().content_frame()
    preview.wait_for_function(LOOKS_READY, timeout=PATIENCE_MS)

    frame = read(snippet.text_content())
    assert frame.parent_frame.locator("iframe").bounding_box()["height"] == 450
    expect(frame.locator(".rlhf-live")).to_have_count(1)
    expect(frame.locator(".st-key-lesson-controls [class*='st-key-']")).to_have_count(1)
    holds(frame, beta="0.3", show="loop", controls="beta", optimum="true")
    reader.page.keyboard.press("Escape")


def test_another_page_can_be_chosen_with_its_own_parts(reader: Reader) -> None:
    reader.open("/")
    with reader.rerun():
        reader.sidebar.get_by_role("button", name="Share").click()
    reader.page.get_by_role("button", name="Embed in a page…").click()
    dialog = reader.page.get_by_role("dialog").filter(has_text="HTML to paste")
    dialog.locator(".st-key-embed-page").get_by_role("combobox").click()
    reader.page.get_by_role("option", name="SFT").click()
    choose(dialog, "embed-show-sft", "The policy now")
    expect(dialog.get_by_test_id("stCode").first).to_have_text(f"{reader.url}/sft?show=tree_now")
    reader.page.keyboard.press("Escape")


def choose(dialog: Locator, key: str, option: str) -> None:
    """Pick one of several in a list of the dialog."""
    box = dialog.locator(f".st-key-{key} input")
    box.fill(option)
    box.press("Enter")
    expect(dialog.locator(f".st-key-{key}")).to_contain_text(option)
    box.press("Escape")


def source(snippet: Locator) -> str:
    return re.search(r'src="([^"]*)"', snippet.text_content())[1]
