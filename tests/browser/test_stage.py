"""The player: Run, Step, Back, Reset, scrubber and keys, on the page with the most to play."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from rlhf_core import timeline
from tests.browser.conftest import Seat
from tests.browser.payloads import Body, expected, roles, shown
from tests.browser.reader import Message, Reader
from tests.browser.tiles import STOPS, tiles_at
from tests.core.runs import run

PAGE = "/ppo"
LINES = ["sample", "score", "kl", "advantage"]

# The server's answers arrive 200 ms late.
DISTANT = """
const add = WebSocket.prototype.addEventListener;
WebSocket.prototype.addEventListener = function (type, listener, options) {
  const late = (event) => setTimeout(() => listener(event), 200);
  return add.call(this, type, type === "message" ? late : listener, options);
};
"""
IN_VIEW = """
const inView = () => [...document.querySelectorAll(".rlhf-chart, .rlhf-live")].filter(part => {
  const box = part.getBoundingClientRect();
  return box.bottom > 0 && box.top < innerHeight && box.width > 0;
});
"""
# Visits every frame by the scrubber, and remembers what each chart and passage in view shows there.
LEARN = f"""() => {{
  {IN_VIEW}
  const stage = document.querySelector("[data-testid=stage]"), range = stage.querySelector("input[type=range]");
  const parts = inView();
  const look = () => parts.map(part => part.data ? JSON.stringify(part.data) : part.textContent);
  const learnt = new Map();
  for (let i = 0; i <= Number(range.max); i++) {{
    range.value = i;
    range.dispatchEvent(new Event("input", {{ bubbles: true }}));
    learnt.set(stage.dataset.frame, look());
  }}
  const states = new Set([...learnt.values()].map(String)).size;
  const compared = window.compared = {{ parts: parts.length, states, frames: 0, out: [] }};
  window.observers = [new MutationObserver(() => {{
    compared.frames += 1;
    const wanted = learnt.get(stage.dataset.frame);
    look().forEach((now, i) => {{ if (now !== wanted[i]) compared.out.push([stage.dataset.frame, i]); }});
  }})];
  window.observers[0].observe(stage, {{ attributeFilter: ["data-frame"] }});
}}"""
# The traces of every chart; a chart out of view is drawn when it comes into view, so each is brought there.
TRACES = """async () => {
  const all = [];
  for (const chart of document.querySelectorAll(".rlhf-chart")) {
    chart.scrollIntoView({ block: "center", behavior: "instant" });
    await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    all.push(JSON.parse(JSON.stringify(chart.data)));
  }
  return all;
}"""


def scrubber(reader: Reader) -> Locator:
    return reader.stage.get_by_role("slider")


def play_through(reader: Reader) -> None:
    """Run from Idle to Done with a watch on the page."""
    reader.stands_at("idle")
    reader.watch()
    reader.press("Run")
    reader.stands_at("done")


@pytest.fixture
def player(reader: Reader) -> Reader:
    """The default run at Idle and at speed 10; opened anew only where the test before has changed a control."""
    return reader.rewind(f"{PAGE}?speed=10")


# ---------------------------------------------------------------- Run


@dataclass(frozen=True, slots=True)
class Playback:
    """One run from Idle to Done, and what the server had sent for it."""

    frames: list[str]
    moved: list[str]
    messages: list[Message]
    names: list[str]
    charts: list[Body]


@pytest.fixture(scope="module")
def playback(seat: Seat) -> Playback:
    reader = seat.take()
    reader.open(f"{PAGE}?speed=10")
    assert reader.page.locator(".js-plotly-plot").count() > 1
    payloads = roles(reader.messages)
    names = next(body["names"] for role, body in payloads if role == "transport")
    before = len(reader.messages)
    play_through(reader)
    reader.settle()
    frames, moved = reader.watched("frames"), reader.watched("moved")
    assert reader.unforgiven == []
    charts = [body for role, body in payloads if role == "chart"]
    return Playback(frames, moved, reader.messages[before:], names, charts)


def test_run_plays_to_done_without_a_word_to_or_from_the_server(playback: Playback) -> None:
    first = playback.messages[0]
    assert first.sent and '"frame":"done"' in str(BackMsg.FromString(first.payload)).replace("\\", "")
    assert sum(message.sent for message in playback.messages) == 1


def test_run_goes_through_all_phases_in_order(playback: Playback) -> None:
    places = [playback.names.index(frame) for frame in playback.frames]
    assert places == sorted(set(places))  # a busy machine may leave out frames, but never goes back
    assert {frame.partition("-")[0] for frame in playback.frames} == {"sft", "rm", "ppo", "done"}


def test_no_figure_is_removed_or_made_anew_while_it_plays(playback: Playback) -> None:
    assert playback.moved == []


def test_every_chart_shows_what_the_server_sent_for_the_frame(playback: Playback, player: Reader) -> None:
    for frame in STOPS[:5]:
        assert player.frame == frame
        if frame in ("rm-60", "ppo-2"):
            on_screen = player.page.evaluate(TRACES)
            for chart, traces in zip(playback.charts, on_screen, strict=True):
                wanted = expected(chart, playback.names.index(frame))
                plain = {key: value for key, value in wanted.items() if "var(--" not in str(value)}
                assert shown(traces, plain) == plain
        player.press("Step")
    player.settle()


def test_all_figures_and_passages_keep_in_step(player: Reader) -> None:
    player.page.evaluate(LEARN)
    player.press("Reset")
    player.settle()
    player.page.evaluate("window.compared.frames = 0")
    player.press("Run")
    player.stands_at("done")
    compared = player.page.evaluate("window.compared")
    assert compared["parts"] >= 1 and compared["states"] >= 9 and compared["frames"] >= 10
    assert compared["out"] == []


def test_speed_10_is_twenty_beats_a_second_at_most(player: Reader) -> None:
    """A slow machine plays more slowly, as every frame is drawn; clock.test.mjs has the beats to the millisecond."""
    beats = {frame.name: frame.beats for frame in timeline.build(run()).frames}
    play_through(player)
    frames, times = player.watched("frames"), player.watched("times")
    assert 0 < 1000 * sum(beats[frame] for frame in frames[:-1]) / (times[-1] - times[0]) < 22


def test_pause_stops_and_run_goes_on_from_there(player: Reader) -> None:
    with player.rerun():
        player.slide("speed", "ArrowLeft", times=3)
    player.watch()
    player.press("Run")
    player.plays_until("frames.length >= 4")
    player.press("Pause")
    here = player.frame
    player.address_has(at=here)
    player.press("Run")
    player.plays_until("frames.length >= 8")
    player.press("Pause")
    frames = player.watched("frames")
    assert len(set(frames)) == len(frames) and here in frames[:-1]
    player.slide("speed", "End")


def test_run_at_done_starts_over(player: Reader) -> None:
    player.page.keyboard.press("End")
    player.stands_at("done")
    player.watch()
    player.press("Run")
    player.plays_until("frames.length >= 2")
    assert player.watched("frames")[0] == "idle"
    player.press("Pause")


# ---------------------------------------------------------------- Step, Back, Reset, scrubber, keys


def test_step_visits_every_phase_and_back_retraces(player: Reader) -> None:
    visited = [player.frame]
    for _ in STOPS[1:]:
        player.press("Step")
        visited.append(player.frame)
    assert visited == STOPS
    player.press("Step")
    player.stands_at("done")
    retraced = ["done"]
    for _ in STOPS[1:]:
        player.press("Back")
        retraced.append(player.frame)
    assert retraced == STOPS[::-1]
    player.press("Back")
    player.stands_at("idle")
    player.settle()
    player.address_has(at=None)


def test_reset_returns_to_idle(player: Reader) -> None:
    with player.rerun():
        player.page.keyboard.press("End")
    player.press("Reset")
    player.stands_at("idle")
    player.address_has(at=None)


def test_reset_stops_a_run(player: Reader) -> None:
    player.watch()
    player.press("Run")
    player.plays_until("frames.length >= 2")
    player.press("Reset")
    player.stands_at("idle")


def test_loop_line_makes_step_go_line_by_line_through_ppo(player: Reader) -> None:
    player.press("Step")
    player.press("Step")
    player.choose("loop line")
    visited = []
    for _ in range(6):
        player.press("Step")
        visited.append(player.frame)
    assert visited == [*(f"ppo-1-{line}" for line in LINES), "ppo-1", "ppo-2-sample"]
    player.choose("phase")
    player.press("Step")
    assert player.frame == "ppo-2"
    player.settle()


def test_a_loop_line_can_be_linked_to(reader: Reader) -> None:
    reader.open(f"{PAGE}?at=ppo-2-advantage").stands_at("ppo-2-advantage")
    assert reader.tile("ppo_step").text_content() == "2 / 8"


def test_the_scrubber_moves_the_playhead_and_tells_the_server(player: Reader) -> None:
    with player.rerun():
        scrubber(player).fill("20")
    frame = player.frame
    assert frame is not None and re.fullmatch(r"rm-\d+", frame)
    player.address_has(at=frame)
    assert scrubber(player).get_attribute("aria-valuetext") == "Reward model"


def test_the_scrubber_has_a_mark_where_each_stage_begins(player: Reader) -> None:
    marks = player.stage.locator("[data-mark]")
    assert marks.evaluate_all("marks => marks.map(mark => mark.dataset.mark)") == ["rm", "ppo"]


def test_keys(player: Reader) -> None:
    keys = {"ArrowRight": "sft-30", "End": "done", "ArrowLeft": "ppo-8", "Home": "idle"}
    for key, frame in keys.items():
        player.page.keyboard.press(key)
        assert player.frame == frame, key
    player.page.keyboard.press("Space")
    assert player.plays()
    player.page.keyboard.press("Space")
    assert not player.plays()
    player.settle()


def test_hurried_keys_do_not_end_the_session_of_a_distant_reader(new_reader: Callable[[], Reader]) -> None:
    reader = new_reader()
    reader.page.add_init_script(DISTANT)
    reader.open(PAGE)
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Home") * 3:
        reader.page.keyboard.press(key, delay=80)
    reader.settle()
    reader.stands_at("idle")
    with reader.rerun():
        reader.press("Step")
    reader.address_has(at="sft-30")


def test_keys_belong_to_the_control_that_has_the_focus(player: Reader) -> None:
    with player.rerun():
        player.press("Step")
    for key, speed in (("Home", "1"), ("ArrowRight", "2"), ("End", "10")):
        with player.rerun():
            player.slide("speed", key)
        player.address_has(speed=speed, at="sft-30")
    player.stands_at("sft-30")


# ---------------------------------------------------------------- what is shown


def test_tiles_equal_the_run_at_every_stop(player: Reader) -> None:
    for frame in STOPS:
        assert player.frame == frame
        assert player.tiles() == tiles_at(frame, run())
        player.press("Step")
    player.settle()


def test_tiles_have_a_dash_until_their_phase_has_produced_them(player: Reader) -> None:
    assert player.tiles() == {
        "phase": "Idle", "ppo_step": "– / 8", "reward": "–", "kl": "–", "rm_accuracy": "–", "entropy": "–",
    }  # fmt: skip


def test_the_strip_lights_the_running_stage(player: Reader) -> None:
    lit = player.stage.locator("[data-phase][aria-current=step]")
    seen = []
    for _ in STOPS[:4]:
        seen.append(lit.get_attribute("data-phase"))
        player.press("Step")
    assert seen == ["idle", "sft", "rm", "ppo"]
    player.settle()


def test_the_live_region_is_silent_while_it_plays(player: Reader) -> None:
    player.watch()
    player.press("Run")
    player.plays_until("frames.at(-1) === 'done'")
    player.page.wait_for_function("() => window.watched.spoken.length > 0")
    assert set(player.watched("spoken")) == {"false"}
    narration = player.stage.locator("[aria-live=polite]").text_content()
    assert narration and player.stage.get_by_text(narration, exact=True).count() == 2  # seen and spoken
    player.settle()


def test_reduced_motion_goes_phase_by_phase(new_reader: Callable[[], Reader]) -> None:
    reader = new_reader()
    reader.page.emulate_media(reduced_motion="reduce")
    reader.open(f"{PAGE}?speed=10").watch()
    reader.press("Run")
    reader.plays_until("frames.length >= 2")
    reader.press("Pause")
    assert reader.watched("frames") == STOPS[1:3]
    first, second = reader.watched("times")
    assert second - first > 1000  # each can be read


# ---------------------------------------------------------------- controls while it plays


def test_a_change_of_speed_takes_effect_without_a_restart(player: Reader) -> None:
    with player.rerun():
        player.slide("speed", "ArrowLeft", times=6)
    player.watch()
    player.press("Run")
    player.plays_until("frames.length >= 2")
    seen = len(player.watched("frames"))
    player.slide("speed", "End")
    player.stands_at("done")
    frames, times = player.watched("frames"), player.watched("times")
    assert "idle" not in frames and len(set(frames)) == len(frames)
    assert player.watched("moved") == []
    beats = {frame.name: frame.beats for frame in timeline.build(run()).frames}
    at_speed_4 = 1000 * sum(beats[name] for name in frames[seen:]) / 20 ** (3 / 9)
    assert times[-1] - times[seen] < 0.6 * at_speed_4  # a fifth, but for what drawing takes


def test_the_sidebar_answers_while_it_plays(player: Reader) -> None:
    with player.rerun():
        player.slide("speed", "Home")
    player.watch()
    player.press("Run")
    for number in ("2", "1"):
        player.control("prompt").get_by_role("combobox").click()
        player.page.get_by_role("option").nth(int(number) - 1).click()
        player.address_has(prompt=number)
        assert player.plays()
    n_frames = len(player.watched("frames"))
    player.plays_until(f"frames.length > {n_frames}")
    player.press("Pause")
    frames = player.watched("frames")
    assert "idle" not in frames and len(set(frames)) == len(frames)
    player.slide("speed", "End")


def test_a_change_of_beta_redraws_without_a_flash(player: Reader) -> None:
    for _ in range(5):
        player.press("Step")
    player.settle()
    player.watch()
    for key, beta in (("ArrowRight", 0.11), ("ArrowLeft", 0.1)):
        with player.rerun():
            player.slide("beta", key)
        expect(player.tile("kl")).to_have_text(f"{run(beta=beta).ppo.kl[3]:.2f}")
    player.stands_at("ppo-3")
    assert player.watched("moved") == [] and player.watched("frames") == []


def test_a_change_of_beta_in_mid_run_ends_consistent(player: Reader) -> None:
    with player.rerun():
        player.slide("speed", "ArrowLeft", times=2)
    player.watch()
    player.press("Run")
    player.plays_until("frames.length >= 5")
    player.slide("beta", "ArrowRight", times=3)
    player.stands_at("done")
    player.settle()
    player.address_has(beta="0.13", at="done")
    frames = player.watched("frames")
    assert "idle" not in frames and len(set(frames)) == len(frames)
    assert player.watched("moved") == []
    assert player.tiles() == tiles_at("done", run(beta=0.13))
    played = player.page.evaluate(TRACES)
    player.reload()
    assert player.page.evaluate(TRACES) == played
