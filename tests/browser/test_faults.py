"""What goes wrong between a reader and the server, and what is left on the screen then."""

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.reader import PATIENCE_MS, Reader
from tests.core.runs import run
from tests.serving import ROOT, App, running_app

pytestmark = pytest.mark.soak

Readers = Callable[..., Reader]
# What a lost server leaves in the console.
LOST = re.compile("WebSocket|ERR_CONNECTION|ERR_EMPTY_RESPONSE|_stcore|not responding|disconnected from server")
# Streamlit's polling watcher looks at ten files in a second, and the app has some two hundred.
WATCHER_SECONDS = 90
# Keeps every websocket of the page within reach, so that a test can cut the last one.
KEEP_SOCKETS = """
  window.sockets = [];
  window.WebSocket = class extends WebSocket {
    constructor(...parts) { super(...parts); window.sockets.push(this); }
  };
"""
CUT = "() => window.sockets.at(-1).close()"
RECONNECTED = "n => window.sockets.length > n && window.sockets.at(-1).readyState === WebSocket.OPEN"


def opened_with_sockets(new_reader: Readers, path: str, *app: App) -> Reader:
    reader = new_reader(*app)
    reader.forgiven = LOST
    reader.page.add_init_script(KEEP_SOCKETS)
    return reader.open(path)


def cut_the_line(reader: Reader) -> None:
    """Close the websocket, and wait until the browser has opened another."""
    n_sockets = reader.page.evaluate("window.sockets.length")
    reader.page.evaluate(CUT)
    reader.page.wait_for_function(RECONNECTED, arg=n_sockets)


def shows_the_end_of(reader: Reader, **settings: float) -> None:
    """Expect the metrics of a finished run."""
    ppo = run(**settings).ppo
    expect(reader.tile("kl")).to_have_text(f"{ppo.kl[-1]:.2f}", timeout=PATIENCE_MS)
    expect(reader.tile("reward")).to_have_text(f"{ppo.reward[-1]:.2f}")
    expect(reader.tile("entropy")).to_have_text(f"{ppo.entropy[-1]:.2f}")


# ---------------------------------------------------------------- the server is killed


def test_after_a_restart_of_the_server_everything_is_as_it_was(new_reader: Readers, tmp_path: Path) -> None:
    with running_app(tmp_path / "killed") as app:
        reader = opened_with_sockets(new_reader, "/ppo?beta=0.3&seed=2&at=ppo-3", app)
        reader.press("Step")
        reader.address_has(at="ppo-4")
        before = reader.tiles()
        app.kill()
        with running_app(tmp_path / "restarted", port=app.port) as again:
            reader.page.wait_for_function(RECONNECTED, arg=1)
            reader.stands_at("ppo-4")
            assert reader.tiles() == before
            reader.slide("beta", "ArrowRight")  # the first that the new server hears of this reader
            expect(reader.tile("kl")).to_have_text(f"{run(beta=0.31, seed=2).ppo.kl[4]:.2f}", timeout=PATIENCE_MS)
            reader.stands_at("ppo-4")
            reader.address_has(beta="0.31")
            assert reader.query == {"beta": "0.31", "seed": "2", "at": "ppo-4"}
            assert again.failures() == []


def test_after_a_restart_of_the_server_a_reload_restores_the_state(new_reader: Readers, tmp_path: Path) -> None:
    with running_app(tmp_path / "killed") as app:
        reader = opened_with_sockets(new_reader, "/metrics?beta=0.3&at=ppo-3", app)
        before = reader.tiles()
        app.kill()
        with running_app(tmp_path / "restarted", port=app.port) as again:
            reader.reload().stands_at("ppo-3")
            assert reader.tiles() == before and reader.query == {"beta": "0.3", "at": "ppo-3"}
            assert again.failures() == []


def test_a_run_that_was_started_plays_to_its_end_without_the_server(new_reader: Readers, tmp_path: Path) -> None:
    with running_app(tmp_path / "killed") as app:
        reader = new_reader(app)
        reader.forgiven = LOST
        reader.open("/ppo?beta=0.2&speed=7").watch()
        reader.press("Run")
        reader.plays_until("frames.length >= 3")
        app.kill()
        reader.stands_at("done")
        shows_the_end_of(reader, beta=0.2)


# ---------------------------------------------------------------- the app is upgraded


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the app that may be changed."""
    for name in ("app.py", "rlhf_core", "pages", ".streamlit", "docs", "pyproject.toml", "CITATION.cff"):
        source, target = ROOT / name, tmp_path / "copy" / name
        target.parent.mkdir(exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    return tmp_path / "copy"


def upgrade(copy: Path) -> None:
    """Let the player say Go instead of Run, and write metrics with three digits."""
    for file, old, new in (
        ("pages/stage/player/transport.js", '"Run"', '"Go"'),
        ("rlhf_core/timeline.py", '"{:z.2f}"', '"{:z.3f}"'),
    ):
        text = (copy / file).read_text(encoding="utf-8")
        assert old in text
        (copy / file).write_text(text.replace(old, new), encoding="utf-8")


def test_a_tab_from_before_an_upgrade_gets_the_new_player_and_keeps_its_state(
    new_reader: Readers, copy: Path, tmp_path: Path
) -> None:
    with running_app(tmp_path / "old", root=copy) as app:
        reader = opened_with_sockets(new_reader, "/ppo?beta=0.3&seed=2&at=ppo-3", app)
        reader.press("Step")
        reader.address_has(at="ppo-4")
        app.kill()
    upgrade(copy)
    with running_app(tmp_path / "new", port=app.port, root=copy) as again:
        reader.page.wait_for_function(RECONNECTED, arg=1)
        reader.slide("beta", "ArrowRight")  # the first that the new server hears of this reader
        expect(reader.stage.get_by_role("button", name="Go", exact=True)).to_be_visible(timeout=PATIENCE_MS)
        reader.stands_at("ppo-4")
        expect(reader.tile("kl")).to_have_text(f"{run(beta=0.31, seed=2).ppo.kl[4]:.3f}")
        assert reader.query == {"beta": "0.31", "seed": "2", "at": "ppo-4"}
        assert again.failures() == []


def test_an_app_that_is_upgraded_as_it_runs_shows_no_stale_run(
    new_reader: Readers, copy: Path, tmp_path: Path
) -> None:
    with running_app(tmp_path / "log", root=copy, watcher="poll") as app:
        reader = opened_with_sockets(new_reader, "/ppo?beta=0.3&at=ppo-3", app)
        upgrade(copy)
        new_player = reader.stage.get_by_role("button", name="Go", exact=True)
        deadline = time.monotonic() + WATCHER_SECONDS
        while not new_player.is_visible() and time.monotonic() < deadline:
            reader.slide("beta", "ArrowRight")
            reader.slide("beta", "ArrowLeft")
            reader.page.wait_for_timeout(1000)
        expect(new_player).to_be_visible()
        reader.slide("beta", "Home")  # a key that was pressed as the tab was loaded again may be lost
        reader.address_has(beta="0", at="ppo-3")
        expect(reader.tile("kl")).to_have_text(f"{run(beta=0.0).ppo.kl[3]:.3f}", timeout=PATIENCE_MS)
        assert app.failures() == []


# ---------------------------------------------------------------- the line is cut


def test_playback_goes_on_when_the_line_is_cut(new_reader: Readers) -> None:
    reader = opened_with_sockets(new_reader, "/ppo?beta=0.2&speed=7")
    reader.watch()
    reader.press("Run")
    reader.plays_until("frames.length >= 3")
    cut_the_line(reader)
    reader.stands_at("done")
    frames = reader.watched("frames")
    assert "idle" not in frames and len(set(frames)) == len(frames)
    shows_the_end_of(reader, beta=0.2)
    reader.address_has(at="done")


def test_controls_work_after_the_line_was_cut_in_mid_play(new_reader: Readers) -> None:
    reader = opened_with_sockets(new_reader, "/ppo?speed=5")
    reader.watch()
    reader.press("Run")
    reader.plays_until("frames.length >= 3")
    cut_the_line(reader)
    reader.slide("beta", "ArrowRight", times=2)
    reader.address_has(beta="0.12")
    reader.slide("speed", "End")
    reader.stands_at("done")
    shows_the_end_of(reader, beta=0.12)
    reader.press("Back")
    reader.address_has(at="ppo-8", beta="0.12")


def test_a_line_that_is_cut_again_and_again_loses_nothing(new_reader: Readers) -> None:
    reader = opened_with_sockets(new_reader, "/metrics?beta=0.5&at=ppo-2")
    for _ in range(3):
        cut_the_line(reader)
    reader.stands_at("ppo-2")
    assert reader.query == {"beta": "0.5", "at": "ppo-2"}
    reader.press("Step")
    reader.address_has(beta="0.5", at="ppo-3")


# ---------------------------------------------------------------- many at once


def test_two_tabs_do_not_disturb_each_other(new_reader: Readers) -> None:
    first, second = new_reader().open("/ppo?beta=0.3&at=done"), new_reader().open("/ppo?beta=1&speed=6")
    second.watch()
    second.press("Run")
    with first.rerun():
        first.slide("beta", "ArrowLeft")
    first.press("Back")
    second.stands_at("done")
    shows_the_end_of(second, beta=1.0)
    first.stands_at("ppo-8")
    first.address_has(beta="0.29", at="ppo-8")
    second.address_has(beta="1", at="done")


def test_a_hundred_quick_moves_of_a_slider_end_where_the_slider_stands(new_reader: Readers) -> None:
    reader = new_reader().open("/ppo?beta=0&at=done")
    reader.slider("beta").focus()
    for _ in range(100):
        reader.page.keyboard.press("ArrowRight")
    expect(reader.slider("beta")).to_have_value("1")
    reader.address_has(beta="1", at="done")
    reader.settle()
    shows_the_end_of(reader, beta=1.0)
