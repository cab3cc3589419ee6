"""The first minute: what a reader sees who only presses Run, and what one sees who guesses first."""

import re
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, expect

from pages.drawing import theme
from pages.drawing.view import View
from pages.figures.metrics.progress import score_and_truth_guessed
from rlhf_core import Settings
from tests.browser.reader import PAGES, Reader
from tests.serving import App
from tests.settings_at_random import trained

WINDOWS = {"desktop": (1440, 900, "/"), "phone": (390, 844, "/"), "embedded": (960, 540, "/?embed=true")}
# What is in sight at each moment: the answer, and where the curves are.
WITNESS = """
() => {
  const main = document.querySelector("[data-testid=stMain]"), stage = document.querySelector("[data-testid=stage]");
  const answer = document.querySelector("[data-testid=hero] .he-answer"), seen = window.seen = [];
  const plot = document.querySelector(".st-key-opening .rlhf-chart");
  const inSight = ({ top, bottom }) => top >= stage.getBoundingClientRect().bottom - 1 && bottom <= innerHeight + 1;
  new MutationObserver(() => {
    const heads = plot.data.filter(({ mode, y }) => mode === "markers" && y?.[0] != null);
    const { yaxis } = plot._fullLayout, top = plot.getBoundingClientRect().top + yaxis._offset;
    const heights = heads.map(({ y }) => top + yaxis.l2p(y[0]));
    seen.push({
      answer: answer.innerText, read: inSight(answer.getBoundingClientRect()), scrolled: main.scrollTop, heights,
      curves: heights.every((height) => inSight({ top: height, bottom: height })),
    });
  }).observe(stage, { attributeFilter: ["data-frame"] });
}
"""
ALL_WORDS = """
() => {
  const main = document.querySelector("[data-testid=stMain]");
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) found.push(walker.currentNode);
  const labels = [...main.querySelectorAll("[aria-label]")].map(node => node.ariaLabel);
  const read = found.filter(node => !node.parentElement.closest("style, script, pre"));
  return [...read.map(node => node.data), ...labels].join(" ");
}
"""
PRIMARY = "[data-testid=stBaseButton-primary], .rs-button[data-action=run]"


@pytest.fixture
def at_window(chromium: Browser, server: App, request: pytest.FixtureRequest) -> Iterator[Reader]:
    width, height, path = WINDOWS[request.param]
    context = chromium.new_context(viewport={"width": width, "height": height})
    reader = Reader(context.new_page(), server.url)
    yield reader.open(path)
    context.close()
    assert reader.unforgiven == []


@pytest.mark.parametrize("at_window", WINDOWS, indirect=True)
def test_who_only_presses_run_sees_the_answer_change_and_the_curves_part_without_scrolling(at_window: Reader) -> None:
    at_window.page.evaluate(WITNESS)
    at_window.press("Run")
    at_window.stands_at("done")
    seen = at_window.page.evaluate("window.seen")
    assert not any(moment["scrolled"] for moment in seen)
    answers = [moment["answer"] for moment in seen if moment["read"]]
    assert sum(one != other for one, other in pairwise(answers)) >= 3, seen
    assert all(moment["curves"] for moment in seen), seen
    heights = seen[-1]["heights"]
    assert len(heights) == 3 and min(np.diff(sorted(heights))) > 8 > max(np.diff(sorted(seen[0]["heights"])))


# ---------------------------------------------------------------- draw your guess


def guess(reader: Reader, path: str) -> Reader:
    """Open a page at Idle and ask to guess."""
    reader.open(path)
    with reader.rerun():
        reader.control("guess").locator("label").first.click()
    return reader.wait()


def words(reader: Reader) -> str:
    """All that stands on the page, also folded or for screen readers only; not its commands, which name the seed."""
    return str(reader.page.evaluate(ALL_WORDS))


def points(reader: Reader) -> Locator:
    return reader.page.get_by_role("slider", name="Your guess of true reward")


def in_the_middle(reader: Reader) -> dict[str, float]:
    """Scroll to where one can draw, and measure it."""
    surface = reader.page.locator(".gs-surface")
    surface.evaluate("node => node.scrollIntoView({ block: 'center', behavior: 'instant' })")
    box = surface.bounding_box()
    assert box
    return {side: box[side] for side in ("x", "y", "width", "height")}


@pytest.mark.parametrize("path", ["/", "/metrics"])
def test_at_idle_nothing_on_the_page_knows_how_the_run_goes(reader: Reader, path: str) -> None:
    seen = []
    for seed in (0, 1):
        guess(reader, f"{path}?seed={seed}")
        drawn = "charts => charts.map(c => [c.data.map(t => [...(t.y ?? [])].slice(0, 80)), c._fullLayout.yaxis.range])"
        seen.append((words(reader), reader.page.locator(".js-plotly-plot.rlhf-chart").evaluate_all(drawn)))
    assert seen[0][0].split() == seen[1][0].split()
    assert seen[0][1] == seen[1][1]


def test_a_guess_is_drawn_without_a_word_kept_while_one_scrubs_and_held_to_the_run(reader: Reader) -> None:
    guess(reader, "/metrics?beta=0&ppo_steps=60&speed=10")
    said, before = reader.page.locator(".gs-said"), reader.n_sent
    expect(said).to_contain_text("How will true reward go?")
    expect(points(reader)).to_have_count(5)
    points(reader).nth(1).focus()
    start = float(points(reader).nth(1).get_attribute("aria-valuenow") or "nan")
    for key in ("ArrowUp", "ArrowRight", "PageUp", "ArrowDown"):
        reader.page.keyboard.press(key)
    points(reader).last.press("Home")
    values = [float(each.get_attribute("aria-valuenow") or "nan") for each in points(reader).all()]
    low, high = (float(points(reader).first.get_attribute(f"aria-value{end}") or "nan") for end in ("min", "max"))
    assert values[1] == pytest.approx(start + 6 * (high - low) / 40, abs=0.01)
    assert values[-1] == pytest.approx(low, abs=0.01)
    assert reader.frame == "idle"  # arrows are the point's, not the player's
    assert reader.n_sent == before  # nobody is told

    run, timeline = trained(Settings(beta=0.0, ppo_steps=60))
    asked = score_and_truth_guessed(View(run, timeline, 0, theme.LIGHT)).guess
    assert asked
    places = np.linspace(0, 60, 201)
    gap = np.abs(np.interp(places, asked.knots, values) - np.interp(places, np.arange(61), run.ppo.true_reward)).mean()
    peak = int(run.ppo.true_reward.argmax())
    with reader.rerun():
        reader.press("Run")
        reader.stands_at("done")
    peaks = rf"peak at PPO step 15, at .*it was at PPO step {peak}, at"
    told = re.compile(rf"^Your guess is {gap:.2f} off on average.*{peaks}")
    expect(said).to_have_text(told)
    with reader.rerun():
        reader.press("Back")
    expect(said).to_contain_text("Your guess stands")
    with reader.rerun():
        reader.page.keyboard.press("End")
    expect(said).to_have_text(told)
    with reader.rerun():
        reader.slide("beta", "ArrowRight")
    expect(said).to_contain_text("You drew this for other settings; held to this run: Your guess is")
    with reader.rerun():
        reader.press("Reset")
    expect(said).to_contain_text("The settings have changed since you drew this. It is kept")
    reader.page.get_by_role("button", name="Clear").click()
    expect(said).to_contain_text("How will true reward go?")
    expect(points(reader).first).to_be_focused()


def test_a_pointer_draws_and_a_finger_taps(reader: Reader, chromium: Browser, server: App) -> None:
    guess(reader, "/")
    at = in_the_middle(reader)
    reader.page.mouse.move(at["x"] + 0.3 * at["width"], at["y"] + 0.5 * at["height"])
    reader.page.mouse.down()
    reader.page.mouse.move(at["x"] + 0.99 * at["width"], at["y"] + 0.1 * at["height"], steps=5)
    reader.page.mouse.up()
    values = [float(each.get_attribute("aria-valuenow") or "nan") for each in points(reader).all()]
    assert values[1:] == sorted(values[1:]) and values[-1] > values[1] + 0.5
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone = Reader(context.new_page(), server.url).open("/")
    with phone.rerun():
        phone.control("guess").locator("label").first.tap()
    phone.wait()
    last = points(phone).last
    before = float(last.get_attribute("aria-valuenow") or "nan")
    box = in_the_middle(phone)
    phone.page.locator(".gs-surface").tap(position={"x": 0.96 * box["width"], "y": 0.15 * box["height"]}, force=True)
    expect(last).not_to_have_attribute("aria-valuenow", f"{before:.2f}")
    context.close()
    assert phone.unforgiven == []


# ---------------------------------------------------------------- what one presses does its work and gives way


def test_watch_it_happen_plays(reader: Reader) -> None:
    reader.open("/reward_model?speed=7")
    reader.control("rm-hack").get_by_role("button").click()
    expect(reader.page.locator("h1")).to_contain_text("PPO")
    frames = []
    while (frame := reader.frame) != "done":
        frames.append(frame)
    assert len({frame for frame in frames if frame and frame.startswith("ppo")}) >= 3
    expect(reader.page.get_by_test_id("stAlert").filter(has_text="Reward hacking.")).to_contain_text("practitioner")


def test_a_preset_plays_and_what_to_try_next_does_too(reader: Reader) -> None:
    reader.open("/?speed=10")
    with reader.rerun():
        reader.sidebar.get_by_role("button", name="Presets").click()
    reader.watch()
    with reader.rerun():
        reader.control("preset-beta_too_high").get_by_role("button").click()
    expect(reader.page.get_by_role("dialog", name="Presets")).to_have_count(0)
    reader.stands_at("done")
    reader.settle()
    assert len(reader.watched("frames")) >= 4
    reader.watch()
    reader.control("payoff-0").get_by_role("button").click()
    reader.plays_until("frames.length >= 5")
    reader.stands_at("done")
    reader.address_has(beta="0", at="done")


def test_nothing_is_shaded_before_something_passes_below_and_one_button_leads(reader: Reader) -> None:
    reader.open("/")
    for name in PAGES:
        reader.turn_to(name)
        reader.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
        expect(reader.stage).to_have_css("box-shadow", "none")
        assert reader.page.locator(PRIMARY).filter(visible=True).count() == 1, name
        reader.page.mouse.move(700, 600)
        reader.page.mouse.wheel(0, 900)
        expect(reader.stage).not_to_have_css("box-shadow", "none")
