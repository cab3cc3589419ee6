"""The player: Run, Step, Back, Reset, scrubber and keys, on the page with the most to play."""

import re
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from rlhf_core import PipelineRun
from streamlit.proto.BackMsg_pb2 import BackMsg
from tests.browser.payloads import expected, roles, shown
from tests.browser.reader import Reader
from tests.core.runs import run

PAGE = "/ppo"
STOPS = ["idle", "sft-30", "rm-60", *(f"ppo-{step}" for step in range(1, 9)), "done"]
LINES = ["sample", "score", "kl", "advantage"]
DASH = "\N{EN DASH}"

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
  const watched = window.compared = {{ parts: parts.length, states: new Set([...learnt.values()].map(String)).size,
                                      frames: 0, out: [] }};
  new MutationObserver(() => {{
    watched.frames += 1;
    const wanted = learnt.get(stage.dataset.frame);
    look().forEach((now, i) => {{ if (now !== wanted[i]) watched.out.push([stage.dataset.frame, i]); }});
  }}).observe(stage, {{ attributeFilter: ["data-frame"] }});
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


def tiles_at(frame: str, pipeline: PipelineRun) -> dict[str, str]:
    """The six metrics at a stop, written from the run's arrays."""
    n_steps = pipeline.settings.ppo_steps
    tiles = dict.fromkeys(("reward", "kl", "rm_accuracy", "entropy"), DASH)
    phase, _, number = frame.partition("-")
    step = n_steps if phase == "done" else int(number or 0)
    if phase != "idle":
        log_probs = pipeline.sft.log_probs[-1]
        tiles["entropy"] = f"{-(np.exp(log_probs) * log_probs).sum(axis=-1).mean():.2f}"
    if phase in ("rm", "ppo", "done"):
        tiles["rm_accuracy"] = f"{pipeline.reward.heldout_accuracy[-1]:.0%}"
    if phase in ("ppo", "done"):
        ppo = pipeline.ppo
        tiles |= {"reward": f"{ppo.reward[step]:.2f}", "kl": f"{ppo.kl[step]:.2f}", "entropy": f"{ppo.entropy[step]:.2f}"}
    tiles["phase"] = {"idle": "Idle", "sft": "SFT", "rm": "Reward model", "ppo": "PPO", "done": "Done"}[phase]
    tiles["ppo_step"] = f"{step if phase in ('ppo', 'done') else DASH} / {n_steps}"
    return tiles


def scrubber(reader: Reader) -> Locator:
    return reader.stage.get_by_role("slider")


def play_through(reader: Reader) -> None:
    """Run from Idle to Done with a watch on the page."""
    reader.stands_at("idle")
    reader.watch()
    reader.press("Run")
    reader.stands_at("done")


# ---------------------------------------------------------------- Run


def test_run_plays_to_done_without_a_word_to_or_from_the_server(reader: Reader) -> None:
    reader.open(f"{PAGE}?speed=10")
    before = len(reader.messages)
    play_through(reader)
    reader.settle()
    first = reader.messages[before]
    assert first.sent and '"frame":"done"' in str(BackMsg.FromString(first.payload)).replace("\\", "")
    assert sum(message.sent for message in reader.messages[before:]) == 1


def test_run_goes_through_all_phases_in_order(reader: Reader) -> None:
    play_through(reader.open(f"{PAGE}?speed=10"))
    names = next(body["names"] for role, body in roles(reader.messages) if role == "transport")
    places = [names.index(frame) for frame in reader.watched("frames")]
    assert places == sorted(set(places))  # a busy machine may leave out frames, but never goes back
    assert {names[place].partition("-")[0] for place in places} == {"sft", "rm", "ppo", "done"}


def test_no_figure_is_removed_or_made_anew_while_it_plays(reader: Reader) -> None:
    play_through(reader.open(f"{PAGE}?speed=10"))
    assert reader.page.locator(".js-plotly-plot").count() > 0
    assert reader.watched("moved") == []


def test_all_figures_and_passages_keep_in_step(reader: Reader) -> None:
    reader.open(f"{PAGE}?speed=10").page.evaluate(LEARN)
    reader.press("Reset")
    reader.settle()
    reader.page.evaluate("window.compared.frames = 0")
    play_through(reader)
    compared = reader.page.evaluate("window.compared")
    assert compared["parts"] >= 1 and compared["states"] >= 9 and compared["frames"] >= 10
    assert compared["out"] == []


@pytest.mark.parametrize("frame", ["sft-15", "ppo-5"])
def test_every_chart_shows_what_the_server_sent_for_the_frame(reader: Reader, frame: str) -> None:
    reader.open(f"{PAGE}?at={frame}")
    reader.stands_at(frame)
    payloads = roles(reader.messages)
    index = next(body["names"] for role, body in payloads if role == "transport").index(frame)
    charts = [body for role, body in payloads if role == "chart"]
    on_screen = reader.page.evaluate(TRACES)
    assert len(charts) == len(on_screen) > 0
    for chart, traces in zip(charts, on_screen, strict=True):
        wanted = {key: value for key, value in expected(chart, index).items() if "var(--" not in str(value)}
        assert shown(traces, wanted) == wanted


def test_speed_10_is_twenty_frames_a_second(reader: Reader) -> None:
    reader.open(f"{PAGE}?speed=10")
    rates: list[float] = []
    for _ in range(3):  # the best of three, for machines are busy
        play_through(reader)
        times = reader.watched("times")
        rates.append(1000 * (len(times) - 1) / (times[-1] - times[0]))
        if rates[-1] == pytest.approx(20, rel=0.15):
            break
        reader.press("Reset")
    assert max(rates) == pytest.approx(20, rel=0.15), rates


def test_pause_stops_and_run_goes_on_from_there(reader: Reader) -> None:
    reader.open(f"{PAGE}?speed=7").watch()
    reader.press("Run")
    reader.plays_until("frames.length >= 4")
    reader.press("Pause")
    here = reader.frame
    reader.stands_at(here)
    reader.address_has(at=here)
    reader.press("Run")
    reader.plays_until("frames.length >= 8")
    reader.press("Pause")
    frames = reader.watched("frames")
    assert len(set(frames)) == len(frames) and here in frames[:-1]


def test_run_at_done_starts_over(reader: Reader) -> None:
    reader.open(f"{PAGE}?at=done&speed=8").watch()
    reader.press("Run")
    reader.plays_until("frames.length >= 2")
    assert reader.watched("frames")[0] == "idle"
    reader.press("Pause")


# ---------------------------------------------------------------- Step, Back, Reset, scrubber, keys


def test_step_visits_every_phase_and_back_retraces(reader: Reader) -> None:
    reader.open(PAGE)
    visited = [reader.frame]
    for _ in STOPS[1:]:
        reader.press("Step")
        visited.append(reader.frame)
    assert visited == STOPS
    reader.press("Step")
    reader.stands_at("done")
    retraced = ["done"]
    for _ in STOPS[1:]:
        reader.press("Back")
        retraced.append(reader.frame)
    assert retraced == STOPS[::-1]
    reader.press("Back")
    reader.stands_at("idle")
    reader.settle()
    reader.address_has(at=None)


def test_reset_returns_to_idle(reader: Reader) -> None:
    reader.open(f"{PAGE}?at=ppo-5").press("Reset")
    reader.stands_at("idle")
    reader.address_has(at=None)


def test_reset_stops_a_run(reader: Reader) -> None:
    reader.open(f"{PAGE}?speed=7").watch()
    reader.press("Run")
    reader.plays_until("frames.length >= 2")
    reader.press("Reset")
    reader.stands_at("idle")


def test_loop_line_makes_step_go_line_by_line_through_ppo(reader: Reader) -> None:
    reader.open(f"{PAGE}?at=rm-60").choose("loop line")
    visited = []
    for _ in range(6):
        reader.press("Step")
        visited.append(reader.frame)
    assert visited == [*(f"ppo-1-{line}" for line in LINES), "ppo-1", "ppo-2-sample"]
    reader.choose("phase")
    reader.press("Step")
    assert reader.frame == "ppo-2"
    reader.settle()


def test_a_loop_line_can_be_linked_to(reader: Reader) -> None:
    reader.open(f"{PAGE}?at=ppo-2-advantage").stands_at("ppo-2-advantage")
    assert reader.tile("ppo_step").text_content() == "2 / 8"


def test_the_scrubber_moves_the_playhead_and_tells_the_server(reader: Reader) -> None:
    reader.open(PAGE)
    with reader.rerun():
        scrubber(reader).fill("20")
    frame = reader.frame
    assert frame is not None and re.fullmatch(r"rm-\d+", frame)
    reader.address_has(at=frame)
    assert scrubber(reader).get_attribute("aria-valuetext") == "Reward model"


def test_the_scrubber_has_a_mark_where_each_stage_begins(reader: Reader) -> None:
    marks = reader.open(PAGE).stage.locator("[data-mark]")
    assert marks.evaluate_all("marks => marks.map(mark => mark.dataset.mark)") == ["rm", "ppo"]


def test_keys(reader: Reader) -> None:
    reader.open(f"{PAGE}?speed=2")
    keys = {"ArrowRight": "sft-30", "End": "done", "ArrowLeft": "ppo-8", "Home": "idle"}
    for key, frame in keys.items():
        reader.page.keyboard.press(key)
        assert reader.frame == frame, key
    reader.page.keyboard.press("Space")
    assert reader.plays()
    reader.page.keyboard.press("Space")
    assert not reader.plays()
    reader.settle()


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


def test_keys_belong_to_the_control_that_has_the_focus(reader: Reader) -> None:
    reader.open(f"{PAGE}?at=ppo-3")
    with reader.rerun():
        reader.slide("beta", "ArrowRight")
    reader.slide("beta", "Home")
    reader.stands_at("ppo-3")
    reader.address_has(beta="0")


# ---------------------------------------------------------------- what is shown


def test_tiles_equal_the_run_at_every_stop(reader: Reader) -> None:
    reader.open(f"{PAGE}?beta=0.25&seed=3")
    pipeline = run(beta=0.25, seed=3)
    for frame in STOPS:
        assert reader.frame == frame
        assert reader.tiles() == tiles_at(frame, pipeline)
        reader.press("Step")
    reader.settle()


def test_tiles_have_a_dash_until_their_phase_has_produced_them(reader: Reader) -> None:
    reader.open(PAGE)
    assert reader.tiles() == {
        "phase": "Idle", "ppo_step": "– / 8", "reward": "–", "kl": "–", "rm_accuracy": "–", "entropy": "–",
    }  # fmt: skip


def test_the_strip_lights_the_running_stage(reader: Reader) -> None:
    reader.open(PAGE)
    lit = reader.stage.locator("[data-phase][aria-current=step]")
    seen = []
    for _ in STOPS[:4]:
        seen.append(lit.get_attribute("data-phase"))
        reader.press("Step")
    assert seen == ["idle", "sft", "rm", "ppo"]
    reader.settle()


def test_the_live_region_is_silent_while_it_plays(reader: Reader) -> None:
    reader.open(f"{PAGE}?speed=9").watch()
    reader.press("Run")
    reader.plays_until("frames.length >= 8")
    assert reader.watched("spoken") == []
    reader.press("Pause")
    reader.page.wait_for_function("() => window.watched.spoken.length > 0")
    narration = reader.stage.locator("[aria-live=polite]").text_content()
    assert narration and reader.stage.get_by_text(narration, exact=True).count() == 2  # seen and spoken
    reader.settle()


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


def test_a_change_of_speed_takes_effect_without_a_restart(reader: Reader) -> None:
    reader.open(f"{PAGE}?speed=4").watch()
    reader.press("Run")
    reader.plays_until("frames.length >= 2")
    slow = reader.watched("times")
    reader.slide("speed", "End")
    reader.stands_at("done")
    frames, times = reader.watched("frames"), reader.watched("times")
    assert "idle" not in frames and len(set(frames)) == len(frames)
    assert reader.watched("moved") == []
    gaps = [after - before for before, after in pairwise(times)]
    assert np.median(gaps[-8:]) < 0.4 * (slow[1] - slow[0])


def test_the_sidebar_answers_while_it_plays(reader: Reader) -> None:
    reader.open(f"{PAGE}?speed=3").watch()
    reader.press("Run")
    reader.plays_until("frames.length >= 1")
    reader.control("prompt").get_by_role("combobox").click()
    reader.page.get_by_role("option").nth(1).click()
    reader.address_has(prompt="2")
    assert reader.plays()
    n_frames = len(reader.watched("frames"))
    reader.plays_until(f"frames.length > {n_frames}")
    reader.press("Pause")
    assert "idle" not in reader.watched("frames")


def test_a_change_of_beta_in_mid_run_ends_consistent(reader: Reader) -> None:
    reader.open(f"{PAGE}?speed=8").watch()
    reader.press("Run")
    reader.plays_until("frames.length >= 5")
    reader.slide("beta", "ArrowRight", times=3)
    reader.stands_at("done")
    reader.settle()
    reader.address_has(beta="0.13", at="done")
    frames = reader.watched("frames")
    assert "idle" not in frames and len(set(frames)) == len(frames)
    assert reader.watched("moved") == []
    assert reader.tiles() == tiles_at("done", run(beta=0.13))
    played = reader.page.evaluate(TRACES)
    reader.reload()
    assert reader.page.evaluate(TRACES) == played


def test_a_change_of_beta_redraws_without_a_flash(reader: Reader) -> None:
    reader.open(f"{PAGE}?at=ppo-3").watch()
    with reader.rerun():
        reader.slide("beta", "ArrowRight")
    expect(reader.tile("kl")).to_have_text(f"{run(beta=0.11).ppo.kl[3]:.2f}")
    reader.stands_at("ppo-3")
    assert reader.watched("moved") == [] and reader.watched("frames") == []
