"""A reader in any browser: what they do, what they see, and what the page complains of."""

import time
from typing import Any

from tests.browser.engines.tabs import Tab

WRITTEN_LATER = 3.0  # what a browser refuses to write into its address is written after a second; see address.js
PATIENCE = 40.0
CALM = 0.6
STAGE = "const stage = document.querySelector('[data-testid=stage][data-frame]');"
READY = f"""{STAGE}
  return !!stage && document.querySelector("[data-testid=stException]") === null
    && [...document.querySelectorAll(".rlhf-chart")].every(chart => chart.querySelector("svg"));
"""
# At rest the address names the stage's frame; Idle goes without saying.
STATE = f"""{STAGE}
  const at = new URLSearchParams(location.search).get("at") ?? "idle";
  return stage && [stage.dataset.frame, stage.dataset.playing, at];
"""
SCRIPT = "return document.querySelector('[data-testid=stApp]')?.dataset.testScriptState ?? ''"
TOLD = """
  const { talks = new Map() } = globalThis[Symbol.for("rlhf.stage")] ?? {};
  const isTold = ({ believed, pending, clock }) => clock.playing || (pending === null && clock.aim === believed);
  return [...talks.values()].every(talk => talk.believed === null || isTold(talk));
"""
TILES = f"""{STAGE}
  return Object.fromEntries([...stage.querySelectorAll("[data-metric]")].map(
    tile => [tile.dataset.metric, tile.querySelector(".value").textContent]));
"""
MARK = """
  const found = [...document.querySelectorAll(arguments[0])].find(
    element => element.checkVisibility() && element.textContent.trim().startsWith(arguments[1]));
  document.querySelectorAll("[data-wanted]").forEach(element => element.removeAttribute("data-wanted"));
  found?.setAttribute("data-wanted", "");
  return !!found;
"""
# Runs before each page: what goes wrong is written down, and an address may ask to do without a part.
INIT_SCRIPT = """(() => {
  const complaints = window.complaints = [];
  addEventListener("error", event => event instanceof ErrorEvent && complaints.push(event.message));
  addEventListener("unhandledrejection", event => complaints.push(String(event.reason)));
  const own = console.error;
  console.error = (...words) => { complaints.push(words.join(" ")); own.apply(console, words); };
  const missing = new URLSearchParams(location.search).getAll("without");
  if (missing.includes("plotly")) Object.defineProperty(window, "Plotly", { get() {}, set() {} });
  if (missing.includes("player")) {  // Streamlit gives a component's script to the browser as a blob
    const make = URL.createObjectURL;
    URL.createObjectURL = blob => {
      if (blob.type.includes("javascript")) throw new Error("blocked");
      return make.call(URL, blob);
    };
  }
})();"""


class Reader:
    """A reader at a tab."""

    def __init__(self, tab: Tab, url: str, engine: str) -> None:
        self.tab, self.url, self.engine = tab, url, engine
        self._complaints: list[str] = []

    # ------------------------------------------------------------ coming and waiting

    def open(self, path: str, *, ready: bool = True) -> "Reader":
        """Go to an address, as from a link elsewhere: a new session."""
        self._listen()
        self.tab.go(self.url + path)
        if ready:
            self.until(READY, True)
        return self

    def reload(self) -> None:
        self._listen()
        self.tab.reload()
        self.until(READY, True)

    def until(self, body: str, wanted: Any, *words: Any, seconds: float = PATIENCE) -> None:
        """Wait until a function's body returns what is wanted."""
        deadline = time.monotonic() + seconds
        while (found := self.tab.js(body, *words)) != wanted:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.engine}: {found!r} instead of {wanted!r}; {self.complaints}")
            time.sleep(0.05)

    def rest(self) -> list[str]:
        """Wait until nothing moves any more, and Python knows where the stage is.

        Returns the stage's frame, whether it plays, and the address's frame.
        """
        deadline, since, before = time.monotonic() + PATIENCE, time.monotonic(), None
        while time.monotonic() < deadline:
            now = (self.tab.js(STATE), self.tab.js(SCRIPT))
            if now != before or now[0] is None or now[1] == "running" or not self.tab.js(TOLD):
                since, before = time.monotonic(), now
            elif time.monotonic() - since > (CALM if now[0][0] == now[0][2] else WRITTEN_LATER):
                return list(now[0])
            time.sleep(0.05)
        raise AssertionError(f"{self.engine}: no rest, {before}; {self.complaints}")

    @property
    def complaints(self) -> list[str]:
        """What the pages have written to the console as an error, or thrown, so far."""
        self._listen()
        return self._complaints

    def _listen(self) -> None:
        self._complaints += self.tab.js("return (window.complaints ?? []).splice(0)")

    # ------------------------------------------------------------ the stage

    def click(self, selector: str, text: str = "") -> None:
        """Click the first visible element with a text."""
        self.until(MARK, True, selector, text)
        self.tab.click("[data-wanted]")

    def act(self, name: str) -> None:
        """Press a button of the transport: run, back, step, reset."""
        self.tab.click(f"[data-testid=stage] [data-action={name}]")

    def choose(self, mode: str) -> None:
        """Let Step go by `phase` or by loop `line`."""
        self.tab.click(f"[data-testid=stage] [data-mode={mode}]")

    def stands_at(self, frame: str) -> None:
        """Expect the stage to rest on a frame, and the address to say so."""
        self.until(STATE, [frame, "false", frame])

    def plays(self, n_frames: int) -> None:
        """Wait until so many more frames were played."""
        self.tab.js(f"""{STAGE} window.played = 0;
          window.played_on ??= new MutationObserver(() => {{ window.played += 1; }});
          window.played_on.observe(stage, {{ attributeFilter: ["data-frame"] }});""")
        self.until("return window.played >= arguments[0]", True, n_frames)

    @property
    def frame(self) -> str:
        return str(self.tab.js(STATE)[0])

    @property
    def tiles(self) -> dict[str, str]:
        """The metrics as they stand on the screen."""
        return dict(self.tab.js(TILES))

    # ------------------------------------------------------------ the page around it

    def turn_to(self, name: str, path: str) -> None:
        """Go to another page by the top navigation."""
        self.click("[data-testid=stTopNavLink]", name)
        self.until("return location.pathname", path)
        self.until(READY, True)

    def pasted(self, selector: str) -> str:
        """Paste what was copied into a text field, and return what stands there then."""
        self.tab.js("document.querySelector(arguments[0]).select()", selector)
        self.tab.paste(selector)
        return str(self.tab.js("return document.querySelector(arguments[0]).value", selector))
