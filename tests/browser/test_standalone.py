"""A saved file: what the button gives is what the command writes, and it plays as the app does with the network cut."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from plotly.offline import get_plotlyjs

from pages.frame.standalone import read, write
from pages.frame.standalone.__main__ import main
from tests.browser.conftest import SIZE
from tests.browser.reader import LOOKS_READY, STAGE, Reader
from tests.serving import App

QUERY = "beta=0.3&ppo_steps=3&at=ppo-2"
NUMBERS = """() => {
  const plain = values => values === undefined ? null : Array.from(values);
  const stage = document.querySelector("[data-testid=stage]");
  return {
    tiles: [...stage.querySelectorAll("[data-metric]")].map(tile => tile.textContent),
    narration: stage.querySelector(".rs-narration").textContent,
    charts: [...document.querySelectorAll(".rlhf-chart")].map(
      chart => chart.data?.map(trace => [trace.type, plain(trace.x), plain(trace.y)])),
    passages: [...document.querySelectorAll(".rlhf-live")].map(passage => passage.textContent),
    headings: [...document.querySelectorAll("h3")].filter(
      head => head.checkVisibility()).map(head => head.innerText.trim()),
  };
}"""
DRAWN = "() => [...document.querySelectorAll('.rlhf-chart')].every(chart => chart.data)"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def offline(chromium: Browser) -> Iterator[Page]:
    """A tab without a network, which keeps a record of what goes wrong and of what is asked for."""
    with chromium.new_context(viewport=SIZE, offline=True) as context:
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on(
            "request", lambda request: None if request.url.startswith(("file:", "data:")) else wrong.append(request.url)
        )
        yield page
        assert wrong == []


def opened(page: Page, file: Path) -> Page:
    page.goto(file.as_uri())
    page.wait_for_function(LOOKS_READY)
    page.wait_for_function(DRAWN)
    return page


def numbers(page: Page) -> dict[str, Any]:
    page.wait_for_function(DRAWN)
    return dict(page.evaluate(NUMBERS))


def test_the_saved_file_is_that_of_the_command_and_shows_the_numbers_of_the_app(
    reader: Reader, server: App, offline: Page, tmp_path: Path
) -> None:
    reader.open(f"/ppo?{QUERY}")
    app = numbers(reader.page)
    reader.page.get_by_test_id("stPopover").get_by_role("button", name="Share").click()
    reader.control("save").get_by_role("button").click()
    with reader.page.expect_download() as saved:
        reader.control("save-file").get_by_role("button").click()
    assert saved.value.suggested_filename == "rlhf-helpfulness-beta-0_3-ppo-steps-3-seed-0-ppo.html"
    assert main(["ppo", "--query", QUERY, "--app", server.url, "--out", str(tmp_path / "ours.html")]) == 0
    saved.value.save_as(tmp_path / "saved.html")
    assert (tmp_path / "saved.html").read_bytes() == (tmp_path / "ours.html").read_bytes()
    file = numbers(opened(offline, tmp_path / "saved.html"))
    for what in ("tiles", "narration", "charts", "passages"):
        assert file[what] == app[what], what
    assert set(file["headings"]) <= set(app["headings"]) and len(file["headings"]) >= 5


def test_a_file_plays_tells_its_findings_at_the_end_and_has_its_numbers(offline: Page, tmp_path: Path) -> None:
    state, _ = read("ppo", "ppo_steps=2&sft_epochs=2&rm_epochs=2&speed=10", ["reward_kl_path", "loop"])
    file = tmp_path / "file.html"
    file.write_bytes(write(state, app="https://example.org/rlhf"))
    page = opened(offline, file)
    stage, back = page.locator(STAGE), page.get_by_role("link", name="Open this moment in the app")
    expect(stage).to_have_attribute("data-frame", "idle")
    waiting = page.get_by_role("heading", level=2).inner_text()
    page.keyboard.press(" ")
    expect(stage).to_have_attribute("data-frame", "done")
    assert page.get_by_role("heading", level=2).inner_text() != waiting
    expect(back).to_have_attribute(
        "href", "https://example.org/rlhf/ppo?ppo_steps=2&sft_epochs=2&rm_epochs=2&speed=10&at=done"
    )
    page.get_by_text("Data", exact=True).click()
    expect(page.get_by_role("region", name="Data").locator("tbody tr").nth(3)).to_be_visible()
    page.get_by_role("button", name="Reset").click()
    assert page.get_by_role("heading", level=2).inner_text() == waiting
    page.goto(f"{file.as_uri()}#at=ppo-1")
    expect(stage).to_have_attribute("data-frame", "ppo-1")
    page.reload()
    expect(stage).to_have_attribute("data-frame", "ppo-1")


def test_a_file_follows_the_preferred_colours_and_fits_a_phone(offline: Page, tmp_path: Path) -> None:
    file = tmp_path / "file.html"
    state, _ = read("sft", "sft_epochs=4&ppo_steps=2", [])
    file.write_bytes(write(state))
    offline.set_viewport_size({"width": 390, "height": 844})
    page = opened(offline, file)
    tick = "() => getComputedStyle(document.querySelector('.rlhf-chart .xtick text')).fill"
    light = page.evaluate(tick)
    assert page.evaluate(SIDEWAYS) <= 0
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"light => ({tick})() !== light", arg=light)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 29)"
    assert page.evaluate(SIDEWAYS) <= 0


def test_without_its_cdn_a_file_sketches_and_says_so(chromium: Browser, tmp_path: Path) -> None:
    file = tmp_path / "file.html"
    state, _ = read("sft", "sft_epochs=4&ppo_steps=2", ["loss"])
    file.write_bytes(write(state, plotly="cdn"))
    with chromium.new_context(viewport=SIZE) as context:
        page = context.new_page()
        page.route("https://**", lambda route: route.abort())
        page.goto(file.as_uri())
        expect(page.get_by_text("The player could not load Plotly; the charts are sketches.")).to_be_visible()
        expect(page.locator(".rlhf-chart svg polyline").first).to_be_attached()


def test_with_its_cdn_a_file_takes_the_plotly_that_it_knows_and_no_other(chromium: Browser, tmp_path: Path) -> None:
    file = tmp_path / "file.html"
    state, _ = read("sft", "sft_epochs=4&ppo_steps=2", ["loss"])
    file.write_bytes(write(state, plotly="cdn"))
    headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript; charset=utf-8"}
    for body, drawn in ((get_plotlyjs(), ".js-plotly-plot"), (f"{get_plotlyjs()} ", ".rlhf-chart > svg")):
        with chromium.new_context(viewport=SIZE) as context:
            page = context.new_page()
            page.route("https://cdn.plot.ly/**", lambda route, _, body=body: route.fulfill(body=body, headers=headers))
            page.goto(file.as_uri())
            expect(page.locator(drawn).first).to_be_attached()
