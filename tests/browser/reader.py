"""A reader at a browser tab: what they do, what they see, and what goes over the wire meanwhile."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, TimeoutError, WebSocket, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

# Streamlit looks for its server below the page's address first; these two are always in the console.
OWN_404 = re.compile(r"/\w+/_stcore/(health|host-config)$")
PAGES = {"Overview": "/", "SFT": "/sft", "Reward model": "/reward_model", "PPO": "/ppo", "Metrics": "/metrics"}
STAGE = "[data-testid=stage][data-frame]"
PATIENCE_MS = 40_000
FINISHED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)  # a dialog is a fragment
expect.set_options(timeout=PATIENCE_MS)

LOOKS_READY = """
() => document.querySelectorAll("[data-testid=stage][data-frame]").length === 1
   && [...document.querySelectorAll(".rlhf-chart")].every(chart => chart.querySelector("svg"))
"""
# A player waits until the playhead rests before it tells the server; then Streamlit's message follows in another task.
HAS_SPOKEN = """
async () => {
  const talks = globalThis[Symbol.for("rlhf.stage")]?.talks ?? new Map();
  if ([...talks.values()].some(talk => talk.pending !== null)) return false;
  await new Promise(resolve => setTimeout(resolve));
  return true;
}
"""
ADDRESS_HAS = """
wanted => {
  const here = new URLSearchParams(location.search);
  return Object.entries(wanted).every(([name, value]) => here.get(name) === value);
}
"""
WATCH = """
() => {
  const stage = document.querySelector("[data-testid=stage]");
  const watched = window.watched = { frames: [], times: [], moved: [], spoken: [], stage };
  (window.observers ?? []).forEach(observer => observer.disconnect());
  const observers = window.observers = [];
  const observe = (react, node, what) => {
    observers.push(new MutationObserver(react));
    observers.at(-1).observe(node, what);
  };
  observe(() => {
    watched.frames.push(stage.dataset.frame);
    watched.times.push(performance.now());
  }, stage, { attributeFilter: ["data-frame"] });
  const figure = ".js-plotly-plot, .main-svg";
  observe(records => {
    for (const { removedNodes } of records)  // others may come into sight, and be drawn for the first time
      for (const node of removedNodes)
        if (node instanceof Element && (node.matches(figure) || node.querySelector(figure)))
          watched.moved.push(node.className?.baseVal ?? node.className);
  }, document.body, { childList: true, subtree: true });
  observe(() => watched.spoken.push(stage.dataset.playing), stage.querySelector("[aria-live=polite]"),
          { childList: true, characterData: true, subtree: true });
}
"""
AT_REST = """
() => {
  (window.observers ?? []).forEach(observer => observer.disconnect());
  document.activeElement.blur();  // else keys would be the button's
}
"""


@dataclass(frozen=True, slots=True)
class Message:
    """One websocket frame."""

    sent: bool
    size: int
    kind: str
    """Its kind in Streamlit's protocol; `finished` for the end of a run, of script or dialog, not cut short."""
    payload: bytes


class Reader:
    """A tab, the state that it shows, and a record of everything that should not happen in it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.complaints: list[str] = []
        self.forgiven: re.Pattern[str] | None = None
        self.messages: list[Message] = []
        self.socket: WebSocket | None = None
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.on("request", self._on_request)
        page.on("websocket", self._on_websocket)

    # ------------------------------------------------------------ what happens

    def _on_console(self, message: ConsoleMessage) -> None:
        own = OWN_404.search(message.location.get("url", "")) and "404" in message.text
        if message.type == "error" and not own:
            self.complaints.append(f"console: {message.text} {message.location.get('url', '')}")

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != "127.0.0.1":
            self.complaints.append(f"request to another host: {request.url}")

    def _on_websocket(self, socket: WebSocket) -> None:
        if len(self.page.frames) > 1 and self.socket is not None and not self.socket.is_closed():
            return  # that of a page in this page: Embed shows what it is going to paste
        self.socket = socket
        self.messages = messages = []
        socket.on("framereceived", lambda payload: messages.append(_received(payload)))
        socket.on("framesent", lambda payload: messages.append(_sent(payload)))

    def forget(self) -> None:
        """Start a new record, for another test."""
        self.complaints.clear()
        self.forgiven = None

    @property
    def unforgiven(self) -> list[str]:
        """Complaints that the test has not announced."""
        return [text for text in self.complaints if not (self.forgiven and self.forgiven.search(text))]

    # ------------------------------------------------------------ coming and waiting

    def open(self, path: str = "/", *, ready: bool = True) -> "Reader":
        """Go to an address, as from a link elsewhere: a new session."""
        self.socket = None
        self.page.goto(self.url + path, wait_until="commit")
        return self.wait() if ready else self

    def rewind(self, path: str) -> "Reader":
        """Be at Idle at an address: the page that is open, if that is where it leads, or else a new session."""
        if self.page.url != "about:blank" and self.stage.count() == 1 and not self.unforgiven:
            self.choose("phase")
            self.press("Reset")
            self.settle()
        if self.address != path:
            self.open(path)
        self.page.evaluate(AT_REST)
        return self

    def reload(self) -> "Reader":
        self.socket = None
        self.page.reload(wait_until="commit")
        return self.wait()

    def wait(self) -> "Reader":
        """Wait until the page has its stage and charts, and the server has nothing left to say."""
        try:
            self.page.wait_for_function(LOOKS_READY)
        except TimeoutError as error:
            raise AssertionError(f"{self.page.url} has no stage with charts; {self.complaints}") from error
        self.settle()
        assert self.page.get_by_test_id("stException").count() == 0, "an exception on the page"
        return self

    def until(self, look: str) -> Any:
        """Return what a function gives once that is true; it may be asynchronous, other than `wait_for_function`'s."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not (found := self.page.evaluate(look)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not in {PATIENCE_MS / 1000:.0f} seconds: {look.strip()[:80]}")
            self.page.wait_for_timeout(20)
        return found

    def settle(self) -> None:
        """Wait until the server has answered the last message that this tab has to send."""
        self.until(HAS_SPOKEN)
        while not self._answered():
            if self.socket is None:
                self.page.wait_for_event("websocket")
            else:
                self.socket.wait_for_event("framereceived", timeout=PATIENCE_MS)

    def _answered(self) -> bool:
        """Whether a run has finished that began after the last message was sent; one from before answers less."""
        finished = False
        for message in reversed(self.messages):
            if message.sent:
                return False
            finished = finished or message.kind == "finished"
            if finished and message.kind == "new_session":
                return True
        return False

    @contextmanager
    def rerun(self) -> Iterator[None]:
        """Expect that what is done inside makes the script run again, and wait for its end."""
        self.settle()
        before = self.n_sent
        yield
        while self.n_sent == before:
            self.socket.wait_for_event("framesent", timeout=PATIENCE_MS)
        self.settle()

    @property
    def n_sent(self) -> int:
        return sum(message.sent for message in self.messages)

    def received_since(self, n_messages: int) -> int:
        """Bytes that came after the first `n_messages`."""
        return sum(message.size for message in self.messages[n_messages:] if not message.sent)

    def link(self, page: str) -> Locator:
        """A page's link in the top navigation."""
        return self.page.get_by_role("link", name=page, exact=True)

    def turn_to(self, page: str) -> None:
        """Go to another page by the top navigation."""
        if urlsplit(self.page.url).path == PAGES[page]:
            return
        with self.rerun():
            self.link(page).click()
        self.stands_on(page)

    def stands_on(self, page: str) -> None:
        """Expect to be on a page, with its stage."""
        self.page.wait_for_function("path => location.pathname === path", arg=PAGES[page])
        self.wait()

    # ------------------------------------------------------------ the stage

    @property
    def stage(self) -> Locator:
        return self.page.locator(STAGE)

    @property
    def frame(self) -> str | None:
        return self.stage.get_attribute("data-frame")

    def press(self, name: str) -> None:
        """Press a button of the transport."""
        self.stage.get_by_role("button", name=name, exact=True).click()

    def choose(self, mode: str) -> None:
        """Let Step go by `phase` or by `loop line`."""
        self.stage.get_by_role("radio", name=mode, exact=True).click()

    def stands_at(self, frame: str) -> None:
        """Expect the stage to rest on a frame."""
        expect(self.stage).to_have_attribute("data-frame", frame, timeout=PATIENCE_MS)
        expect(self.stage).to_have_attribute("data-playing", "false")

    def plays(self) -> bool:
        return self.stage.get_attribute("data-playing") == "true"

    def tile(self, metric: str) -> Locator:
        return self.stage.locator(f"[data-metric={metric}] .value")

    def tiles(self) -> dict[str, str]:
        """The six metrics as they stand on the screen."""
        read = "tiles => tiles.map(tile => [tile.dataset.metric, tile.querySelector('.value').textContent])"
        return dict(self.stage.locator("[data-metric]").evaluate_all(read))

    def watch(self) -> None:
        """Record in the page, from now on: frames, figures removed, and what a screen reader would say."""
        self.page.evaluate(WATCH)

    def watched(self, what: str) -> Any:
        return self.page.evaluate(f"window.watched.{what}")

    def plays_until(self, condition: str) -> None:
        """Wait for a condition on `watched`."""
        self.page.wait_for_function(f"() => {{ const {{ frames, stage }} = window.watched; return {condition}; }}")

    # ------------------------------------------------------------ the sidebar and the address

    @property
    def sidebar(self) -> Locator:
        return self.page.get_by_test_id("stSidebar")

    def control(self, name: str) -> Locator:
        """A Streamlit element by its key."""
        return self.page.locator(f".st-key-{name}")

    def slider(self, name: str) -> Locator:
        return self.control(name).get_by_role("slider")

    def slide(self, name: str, key: str, *, times: int = 1) -> None:
        """Move a slider of the sidebar by its keys."""
        for _ in range(times):
            self.slider(name).press(key)

    @property
    def address(self) -> str:
        """Path and parameters in the address bar."""
        return str(self.page.evaluate("location.pathname + location.search"))

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    @property
    def query(self) -> dict[str, str]:
        """Parameters in the address bar."""
        return dict(parse_qsl(self.page.evaluate("location.search.slice(1)")))

    def address_has(self, **wanted: str | None) -> None:
        """Expect parameters in the address bar; None for one that must not be there."""
        try:
            self.page.wait_for_function(ADDRESS_HAS, arg=wanted)
        except TimeoutError as error:
            raise AssertionError(f"the address has {self.query}, not {wanted}") from error


def _received(payload: bytes | str) -> Message:
    data = payload if isinstance(payload, bytes) else payload.encode()
    message = ForwardMsg.FromString(data)
    kind = message.WhichOneof("type") or ""
    if kind == "script_finished" and message.script_finished in FINISHED:
        kind = "finished"
    return Message(False, len(data), kind, data)


def _sent(payload: bytes | str) -> Message:
    data = payload if isinstance(payload, bytes) else payload.encode()
    return Message(True, len(data), BackMsg.FromString(data).WhichOneof("type") or "", data)
