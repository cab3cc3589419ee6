"""The stage: one clock in the browser that plays every chart and passage of a page.

    with delivering():
        stage = open_stage(encode_frames(frames), page="ppo", playhead="ppo-3", speed=5, on_report=remember)
        stage.chart(encode_chart(chart), chart.at, key="path")
        stage.live(encode_live(live), key="loop")

Everything is sent once; nothing is sent while it plays. A chart or a passage is an empty place in the page, and what
all of them play travels together, as `data` of one v2 component at the end: one for each would cost the server five
times as much. What is drawn apart from the page, in a fragment or a dialog, is a component of its own all the same.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import urlencode

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.stage import assets, components
from pages.stage.components import STYLE_SHEETS
from pages.stage.storyboard import (
    Payload,
    StageFrame,
    decode,
    encode_chart,
    encode_copying,
    encode_frames,
    encode_live,
    encode_parts,
)
from rlhf_core.timeline import METRICS, nearest

__all__ = [
    "STYLE_SHEETS",
    "Payload",
    "Stage",
    "StageFrame",
    "copy_buttons",
    "delivering",
    "encode_chart",
    "encode_frames",
    "encode_live",
    "open_stage",
    "style",
]

MACHINERY = "rlhf-stage-machinery"  # the key of a container that stage.css hides
PLAIN = "plain"  # in the address: this reader's browser cannot run the player

BRINGS_PLOTLY = go.Figure(layout={"template": "none"})
MISSING_PLAYER = assets.read("missing.html")


@dataclass(frozen=True, slots=True)
class Stage:
    """A page's open stage: charts and live passages on it, anywhere on the page."""

    page: str
    frame: int
    static: bool = False
    played: bool = True
    plain: bool = False
    """Whether the browser cannot unpack zlib, as its transport has said."""
    hidden: DeltaGenerator | None = None
    """Where what the reader never sees is mounted."""
    parts: dict[str, bytes] = field(default_factory=dict)
    """What is to be played in the places that the page has so far."""

    def chart(self, payload: Payload, figure: Callable[[int], go.Figure], *, key: str, **told: Any) -> None:
        """Draw a chart that the clock moves; where the player cannot run, its figure at the playhead's frame.

        What its menu is told, see `Payload.wire`.
        """
        if not self._drawn_plainly(payload, figure, key):
            self._leave_place(payload, key, {"part": key.replace("-", "_"), **told})

    def live(self, payload: Payload, *, key: str) -> None:
        """Show a passage of text that the clock fills."""
        if self.played:
            self._leave_place(payload, key)

    def still(self, payload: Payload, figure: Callable[[int], go.Figure], *, key: str, **told: Any) -> None:
        """Draw a chart that does not play, and that a fragment may draw again without the page around it."""
        if not self._drawn_plainly(payload, figure, key):
            self.mount(payload, key, {"part": key.replace("-", "_"), **told})

    def mount(self, payload: Payload, key: str, told: Mapping[str, Any] | None = None, **callbacks: Any) -> Any:
        """Mount a role as a component of its own, and return its state."""
        component = components.transport if payload.role == "transport" else components.role
        return component(key=f"stage-{self.page}-{key}", data=self._wire(payload, told), **callbacks)

    def deliver(self) -> None:
        """Send what is to be played in the places; an empty page takes back what the one before it has sent."""
        if self.hidden is not None:
            with self.hidden:
                components.role(key=f"stage-{self.page}-parts", data=encode_parts(self.page, self.parts))

    def _drawn_plainly(self, payload: Payload, figure: Callable[[int], go.Figure], key: str) -> bool:
        if not self.static or payload.words is None:
            return False
        st.plotly_chart(
            figure(self.frame),
            theme=None,
            key=f"static-{self.page}-{key}",
            config={"displayModeBar": False},
            alt=payload.words.alt,
        )
        return True

    def _leave_place(self, payload: Payload, key: str, told: Mapping[str, Any] | None = None) -> None:
        name = f"{self.page}-{key}"
        room = f' style="--rlhf-height: {payload.height}px"' if payload.height else ""
        st.html(f'<div class="rlhf-part" data-part="{escape(name)}"{room}></div>')
        self.parts[name] = self._wire(payload, told)

    def _wire(self, payload: Payload, told: Mapping[str, Any] | None) -> bytes:
        return payload.wire(self.page, compress=not self.plain, **(told or {}))


_opened: ContextVar[Stage | None] = ContextVar("opened", default=None)
"""The stage of the page whose script this thread runs."""


@contextmanager
def delivering() -> Iterator[None]:
    """Run a page's script, and send what is on its stage: all, or what there is when an error or a rerun ends it."""
    _opened.set(None)
    try:
        yield
    finally:
        if stage := _opened.get():
            stage.deliver()


def style(*names: str) -> None:
    """Give the page style sheets that others do not have."""
    st.html(f"<style>{assets.styles(*names)}</style>")


def copy_buttons(items: Mapping[str, str], *, key: str) -> None:
    """Show buttons that copy texts, by what is copied: `{"Link": address}`. They say when it is done."""
    Stage("copy", 0, plain=True).mount(encode_copying(items), key)


def open_stage(
    frames: Payload,
    *,
    page: str,
    playhead: str,
    speed: int,
    on_report: Callable[[Mapping[str, Any]], bool] = lambda report: False,
    seek: str = "",
    play: bool = False,
    static: bool = False,
) -> Stage:
    """Mount the transport and start the page's clock.

    Parameters
    ----------
    frames : Payload
        From `encode_frames`.
    page : str
        Names the clock; letters, digits and hyphens.
    playhead : str
        Frame to show when the page opens. Later the browser moves it; where the frame does not
        exist, the nearest one of its phase is taken.
    speed : int
        1 to 10; 20 ** ((speed - 1) / 9) beats per second.
    on_report : callable
        Gets `{"frame": name, "seek": the value it knew, "count": a number that no other report of this tab has}` where
        the reader pauses, steps, resets, scrubs or the run finishes. True asks for another run of the script.
    seek : str
        Give it a new value when Python itself moves the playhead of an open page; empty as long as it never did.
    play : bool
        Whether the playhead, moved by Python, goes on from there by itself.
    static : bool
        Draw the charts with `st.plotly_chart`, at the playhead.
    """
    if not page.replace("-", "").isalnum():
        raise ValueError(f"page must be letters, digits and hyphens, got {page!r}")
    if not 1 <= speed <= 10:
        raise ValueError(f"speed must be from 1 to 10, got {speed}")
    frame = nearest(frames.names, playhead)
    if PLAIN in st.query_params:
        _show_plainly(frames, frame)
        return Stage(page, frame, static=True, played=False)
    hidden = _mount_machinery(page, {"at": frames.names[frame], "seek": seek, "speed": speed, "play": play})
    key = f"stage-{page}-transport"
    plain = bool(st.session_state.get(key, {}).get("plain"))
    state = Stage(page, frame, static, plain=plain).mount(
        frames,
        "transport",
        on_report_change=lambda: on_report(st.session_state[key]["report"]),
        on_fallback_change=lambda: None,
        on_plain_change=lambda: None,
        on_theme_change=lambda: None,
    )
    if state.report and on_report(state.report):  # no callback for what is the first that a new session hears
        st.rerun()
    stage = Stage(page, frame, static or bool(state.fallback), plain=plain, hidden=hidden)
    _opened.set(stage)
    return stage


def _mount_machinery(page: str, control: dict[str, Any]) -> DeltaGenerator:
    """Mount what the reader never sees: script and styles, the control line, and a figure that brings Plotly.

    And what is seen only where the script has failed, or has not arrived for a very long time.
    """
    hidden = st.container(key=MACHINERY)
    with hidden:
        _offer_plain_charts()
        components.code(key="stage-code")
        st.plotly_chart(BRINGS_PLOTLY, theme=None, key="stage-plotly")
        head = json.dumps({"role": "control", "version": components.VERSION, **control}, separators=(",", ":"))
        components.control(key=f"stage-{page}-control", data=f"{page} {head}\n".encode())
    return hidden


def _offer_plain_charts() -> None:
    """Say that the player is missing, with a link, for a page that lacks the player may lack more."""
    embed = {"embed": "true"} if st.context.is_embedded else {}
    address = "?" + urlencode({**st.query_params.to_dict(), **embed, PLAIN: "true"})
    st.html(MISSING_PLAYER.replace("{address}", escape(address)))


def _leave_plain() -> None:
    del st.query_params[PLAIN]


def _show_plainly(frames: Payload, frame: int) -> None:
    """Metrics and narration of one frame, as Streamlit draws them."""
    board = decode(frames)
    for column, metric in zip(st.columns(len(METRICS)), METRICS, strict=True):
        column.metric(metric.label, board["metrics"][metric.key][frame], help=metric.definition)
    st.markdown(board["narration"][frame])
    st.caption("The charts are drawn plainly, at the playhead, without the player.")
    st.button("Try the player again", key="stage-again", on_click=_leave_plain)
