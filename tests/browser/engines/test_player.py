"""The player in every engine: buttons, keys, loop lines, scrubber, and what the address says of it."""

from collections.abc import Iterator

import pytest

from tests.browser.engines.browsers import SIZE
from tests.browser.engines.reader import STAGE, Reader
from tests.browser.tiles import STOPS, tiles_at
from tests.core.runs import run

PAGE = "/sft?speed=10"
SCRUBBER = "[data-testid=stage] input[type=range]"
MARKS = f"""{STAGE}
  return [...stage.querySelectorAll("[data-mark]")].map(mark => Number(mark.style.getPropertyValue("--at")));
"""
LINES = ["sample", "score", "kl", "advantage"]
# A key that is held sends 30 events a second.
HOLD = """
  const end = performance.now() + 1000 * arguments[0];
  window.held = 0;
  const hold = setInterval(() => {
    if (performance.now() > end) { clearInterval(hold); window.held = "released"; return; }
    document.body.dispatchEvent(new KeyboardEvent(
      "keydown", { key: arguments[1], repeat: window.held++ > 0, bubbles: true, cancelable: true }));
  }, 33);
"""
STEP_AND_BACK = f"""{STAGE}
  const press = name => stage.querySelector(`[data-action=${{name}}]`).click();
  press("step");
  setTimeout(() => press("back"), arguments[0]);
"""
SCROLL = "document.querySelector('[data-testid=stMain]').scrollTop = arguments[0]"
# Where the stage stands in the window: its top edge, and whether all of it is seen.
IN_SIGHT = f"""{STAGE}
  const box = stage.getBoundingClientRect();
  return box.top >= 0 && box.bottom < innerHeight;
"""
FOCUS_NOWHERE = "document.activeElement.blur()"


@pytest.fixture
def player(reader: Reader) -> Reader:
    """The default run at Idle; the page that is open, if a test of this file has left it so."""
    if reader.tab.js("return location.pathname + location.search") == PAGE:
        reader.tab.js(FOCUS_NOWHERE)
    else:
        reader.open(PAGE)
    return reader


def leaves_at_idle(reader: Reader) -> None:
    """Go back to Idle for the next test."""
    reader.act("reset")
    reader.stands_at("idle")
    assert reader.rest() == ["idle", "false", "idle"]


def test_step_and_back_visit_every_stop_and_the_tiles_equal_the_run(player: Reader) -> None:
    for frame in STOPS:
        assert (player.frame, player.tiles) == (frame, tiles_at(frame, run()))
        player.act("step")
    player.stands_at("done")
    for frame in reversed(STOPS):
        assert player.frame == frame
        player.act("back")
    leaves_at_idle(player)


def test_keys_play_and_stop(player: Reader) -> None:
    for key, frame in {"ArrowRight": "sft-30", "End": "done", "ArrowLeft": "ppo-8", "Home": "idle"}.items():
        player.tab.press(key)
        assert player.frame == frame, key
    player.tab.press(" ")
    player.plays(2)
    player.tab.press(" ")
    frame, playing, _ = player.rest()
    assert playing == "false" and frame not in ("idle", "done")
    player.stands_at(frame)
    leaves_at_idle(player)


def test_run_plays_to_done_and_a_second_finish_is_told_as_well(player: Reader) -> None:
    for _ in range(2):
        player.act("run")
        player.plays(3)
        player.stands_at("done")
        assert player.rest() == ["done", "false", "done"]
        assert player.tiles == tiles_at("done", run())
    leaves_at_idle(player)


def test_loop_line_makes_step_go_line_by_line(player: Reader) -> None:
    for _ in range(2):
        player.act("step")
    player.choose("line")
    visited = []
    for _ in range(6):
        player.act("step")
        visited.append(player.frame)
    assert visited == [*(f"ppo-1-{line}" for line in LINES), "ppo-1", "ppo-2-sample"]
    player.choose("phase")
    player.stands_at("ppo-2-sample")
    leaves_at_idle(player)


def test_the_scrubber_follows_the_pointer_and_the_address_follows_the_scrubber(player: Reader) -> None:
    begins = [0.0, *player.tab.js(MARKS), 1.0]
    before = 0.0
    for phase, begin, end in zip(("sft", "rm", "ppo"), begins[:-1], begins[1:], strict=True):
        place = (begin + end) / 2
        player.tab.drag(SCRUBBER, [before, (before + place) / 2, place])
        frame, playing, at = player.rest()
        assert (frame.partition("-")[0], playing, at) == (phase, "false", frame)
        if phase == "ppo":
            assert player.tiles == tiles_at(frame, run())
        before = place
    leaves_at_idle(player)


@pytest.mark.parametrize("gap", [30, 120])
def test_back_right_after_step_leaves_the_address_where_the_stage_is(player: Reader, gap: int) -> None:
    for _ in range(4):
        player.act("step")
    player.stands_at("ppo-2")
    player.tab.js(STEP_AND_BACK, gap)
    assert player.rest() == ["ppo-2", "false", "ppo-2"]
    player.tab.press("Home")
    player.stands_at("idle")


@pytest.fixture
def window(player: Reader) -> Iterator[Reader]:
    """A window that people have."""
    player.tab.resize(1440, 900)
    yield player
    player.tab.resize(**SIZE)
    leaves_at_idle(player)


def test_the_player_stays_in_sight_where_the_page_is_scrolled(window: Reader) -> None:
    window.until("return innerWidth", 1440)
    window.tab.js(SCROLL, 1500)
    window.until(IN_SIGHT, True)
    window.act("step")
    window.stands_at("sft-30")
    window.rest()
    assert window.tab.js(IN_SIGHT)
    window.tab.js(SCROLL, 0)


def test_a_held_key_does_not_end_the_session(reader: Reader) -> None:
    reader.open("/sft?ppo_steps=60&speed=10")
    reader.choose("line")
    reader.tab.js(HOLD, 8, "ArrowRight")
    reader.until("return window.held", "released")
    frame, _, at = reader.rest()
    assert at == frame and frame not in ("idle", "sft-30")
    reader.act("back")
    assert reader.rest()[0] != frame
    reader.stands_at(reader.frame)
