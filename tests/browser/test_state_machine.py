"""Player, session and address as one machine: whatever a reader does in whatever order, at rest they name one frame."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from playwright.sync_api import TimeoutError

from rlhf_core import Settings
from rlhf_core.timeline import METRICS, build
from tests.browser.reader import PAGES, Reader
from tests.browser.test_faults import KEEP_SOCKETS, LOST, RECONNECTED
from tests.browser.test_stage import TRACES
from tests.core.runs import run
from tests.serving import App, running_app

# Where the player stands, where Python believes it to stand, what the address says, and whether anything still moves.
STATE = """
() => {
  const app = document.querySelector("[data-testid=stApp]")?.dataset ?? {};
  const stage = document.querySelector("[data-testid=stage]");
  const talks = [...(globalThis[Symbol.for("rlhf.stage")]?.talks ?? [])].filter(([, talk]) => talk.believed !== null);
  const query = Object.fromEntries(new URLSearchParams(location.search));
  const tiles = [...document.querySelectorAll("[data-testid=stage] [data-metric]")];
  return {
    busy: app.testConnectionState !== "CONNECTED" || app.testScriptState !== "notRunning" || talks.length !== 1
      || !stage?.dataset.frame || stage.dataset.playing === "true" || talks.some(([, talk]) => talk.pending !== null),
    player: stage?.dataset.frame, python: talks[0]?.[1].believed, address: query.at ?? "idle", query,
    tiles: Object.fromEntries(tiles.map(tile => [tile.dataset.metric, tile.querySelector(".value").textContent])),
  };
}
"""
# All agree, and go on to: what has been asked for a moment ago may not have begun.
AGREED = f"""
async () => {{
  const look = {STATE.strip()};
  const agreed = ({{ busy, player, python, address }}) => !busy && player === python && player === address;
  if (!agreed(look())) return false;
  await new Promise(resolve => setTimeout(resolve, 300));
  const state = look();
  return agreed(state) && state;
}}
"""
# Scroll to a share of the page's height, and say how far below the header the player's buttons then stand.
SIGHT = """
async share => {
  const main = document.querySelector("[data-testid=stMain]");
  const box = id => document.querySelector(`[data-testid=${id}]`).getBoundingClientRect();
  main.scrollTo({ top: share * (main.scrollHeight - main.clientHeight), behavior: "instant" });
  await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const { top } = document.querySelector("[data-testid=stage] .rs-bar").getBoundingClientRect();
  const { bottom } = box("stage");
  return { gap: top - box("stHeader").bottom, bottom, height: innerHeight, scrolled: main.scrollTop };
}
"""
HURRY_MS = (0, 20, 60, 120, 200, 400)


@dataclass
class Machine:
    """A reader who does things at random."""

    reader: Reader
    random: Random
    done: list[str] = field(default_factory=list)

    def act(self) -> None:
        """Do one of the things that can be done here, and go on at once, soon, or when all is at rest."""
        actions = [self.step, self.step, self.back, self.end, self.scrub, self.run_to_the_end, self.key, self.turn_page]
        if self.reader.sidebar.get_attribute("aria-expanded") == "true":
            actions += [self.beta, self.steps, self.prompt, self.preset, self.tour]
        action = self.random.choice(actions)
        self.done.append(action.__name__)
        action()
        if self.random.random() < 0.4:
            self.rest()
        else:
            self.reader.page.wait_for_timeout(self.random.choice(HURRY_MS))

    # ------------------------------------------------------------ at the player

    def step(self) -> None:
        self.reader.press("Step")

    def back(self) -> None:
        self.reader.press("Back")

    def end(self) -> None:
        self.reader.page.keyboard.press("End")

    def key(self) -> None:
        for _ in range(self.random.randint(1, 4)):
            self.reader.page.keyboard.press(self.random.choice(["ArrowRight", "ArrowLeft", "Home"]))

    def scrub(self) -> None:
        slider = self.reader.stage.get_by_role("slider")
        slider.fill(str(self.random.randint(0, int(slider.get_attribute("max") or 0))))
        slider.blur()

    def run_to_the_end(self) -> None:
        self.reader.press("Run")
        if self.random.random() < 0.5:
            self.reader.stands_at("done")

    # ------------------------------------------------------------ elsewhere

    def beta(self) -> None:
        for _ in range(self.random.randint(1, 3)):
            self.reader.slider("beta").press(self.random.choice(["ArrowRight", "ArrowLeft"]))

    def steps(self) -> None:
        self.reader.slider("ppo_steps").press(self.random.choice(["ArrowRight", "ArrowLeft", "PageUp", "Home"]))

    def prompt(self) -> None:
        self.reader.control("prompt").get_by_role("combobox").click()
        self.reader.page.get_by_role("option").nth(self.random.randint(0, 3)).click()

    def preset(self) -> None:
        self.reader.sidebar.get_by_role("button", name="Presets").click()
        name = self.random.choice(["healthy", "beta_too_high", "reward_hacking"])
        self.reader.control(f"preset-{name}").get_by_role("button").click()
        self.reader.page.keyboard.press("Escape")

    def tour(self) -> None:
        button = self.reader.control(self.random.choice(["tour-start", "tour-set-up", "tour-next"])).get_by_role(
            "button"
        )
        if button.count() and button.is_enabled():
            button.click()

    def turn_page(self) -> None:
        links = self.reader.page.get_by_test_id("stTopNavLink")
        if links.count():
            here = self.reader.path
            self.reader.link(self.random.choice([name for name, path in PAGES.items() if path != here])).click()

    def back_and_forward(self) -> None:
        """The browser's own way back from another page; and, every other time, forward again."""
        here = self.reader.path
        self.turn_page()
        self.rest()
        if self.reader.path == here:  # a phone's navigation is behind the menu
            return
        self.reader.page.go_back(wait_until="commit")
        if self.random.random() < 0.5:
            self.rest()
            self.reader.page.go_forward(wait_until="commit")

    # ------------------------------------------------------------ at rest

    def rest(self) -> dict[str, Any]:
        """Wait until all agree; expect what they agree on to be the run's, and the player in sight."""
        try:
            state = self.reader.until(AGREED)
        except TimeoutError as error:
            raise AssertionError(f"{self.reader.page.evaluate(STATE)} after {self.done}") from error
        settings, notes = Settings.from_query(state["query"])
        frame = build(run(**asdict(settings))).find(state["player"])
        tiles = {spec.key: spec.write(frame.metrics, settings.ppo_steps) for spec in METRICS}
        assert (state["tiles"], notes) == (tiles, ()), (state, self.done)
        sight = self.reader.page.evaluate(SIGHT, self.random.choice([0.2, 0.5, 1.0]))
        assert sight["gap"] >= -1 and (sight["gap"] < 20 or sight["scrolled"] < 200), (sight, self.done)
        assert 0 < sight["bottom"] < sight["height"], (sight, self.done)
        return state


@dataclass
class Servers:
    """A server that can be killed and started anew at the same address."""

    folder: Path
    stack: ExitStack
    apps: list[App] = field(default_factory=list)

    def start(self) -> App:
        port = self.apps[-1].port if self.apps else 0
        log = self.folder / f"log{len(self.apps)}"
        self.apps.append(self.stack.enter_context(running_app(log, port=port)))
        return self.apps[-1]

    def restart(self, reader: Reader) -> None:
        """Kill the server, let the reader go on in ignorance, and start another."""
        n_sockets = reader.page.evaluate("window.sockets.length")
        self.apps[-1].kill()
        reader.press("Step")
        self.start()
        reader.page.wait_for_function(RECONNECTED, arg=n_sockets)


def play(reader: Reader, servers: Servers, random: Random, n_actions: int) -> None:
    """Do things at random, between a reload, a restart of the server, and the browser's Back and Forward."""
    machine = Machine(reader, random)
    breaks = [reader.reload, lambda: servers.restart(reader), machine.back_and_forward, machine.back_and_forward]
    random.shuffle(breaks)
    for pause in breaks:
        for _ in range(n_actions // len(breaks)):
            machine.act()
        machine.rest()
        machine.done.append(f"break {breaks.index(pause)}")
        pause()
        machine.rest()
    before, traces = machine.rest(), reader.page.evaluate(TRACES)
    reader.reload()
    assert (machine.rest(), reader.page.evaluate(TRACES)) == (before, traces), machine.done


@pytest.mark.parametrize(("size", "seed"), [((1440, 900), 1), ((390, 844), 2)])
def test_whatever_a_reader_does_all_agree_at_rest(
    new_reader: Callable[..., Reader], tmp_path: Path, size: tuple[int, int], seed: int
) -> None:
    with ExitStack() as stack:
        servers = Servers(tmp_path, stack)
        reader = new_reader(servers.start())
        reader.forgiven = LOST
        reader.page.set_viewport_size({"width": size[0], "height": size[1]})
        reader.page.add_init_script(KEEP_SOCKETS)
        reader.open("/ppo?speed=10")
        play(reader, servers, Random(seed), 16)
        assert [app.failures() for app in servers.apps] == [[]] * len(servers.apps)
