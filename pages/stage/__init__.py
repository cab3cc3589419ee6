"""The stage: one clock in the browser that plays every chart and passage of a page.

    stage = open_stage(encode_frames(frames), page="ppo", playhead="ppo-3", speed=5, on_frame=remember)
    stage.chart(encode_chart(chart), key="path")
    stage.live(encode_live(live), key="loop")

Everything is sent once, as `data` of a small v2 component that is mounted for each role; nothing is
sent while it plays.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.drawing.theme import css_variables
from pages.stage import assets
from pages.stage.storyboard import (
    Payload,
    StageFrame,
    decode,
    encode_chart,
    encode_frames,
    encode_live,
    nearest_frame,
)
from rlhf_core.timeline import METRICS

__all__ = ["Payload", "Stage", "StageFrame", "encode_chart", "encode_frames", "encode_live", "open_stage"]

MACHINERY = "rlhf-stage-machinery"  # the key of a container that stage.css hides
MISSING = "rlhf-stage-missing"  # and of one that missing.css shows until stage.css hides it
PLAIN = "stage-plain"  # in the session state: this reader's browser cannot run the player

# Streamlit sends a component's script with every mount. So the script travels in one mount whose message
# never changes (the browser keeps it), and each role mounts this stub, which hands itself over.
STUB = """
export default function (component) {
  const stage = (globalThis[Symbol.for("rlhf.stage")] ??= { waiting: new Map() });
  if (stage.mount) stage.mount(component);
  else stage.waiting.set(component.parentElement, component);
  return () => stage.unmount ? stage.unmount(component.parentElement) : stage.waiting.delete(component.parentElement);
}
"""
BRINGS_PLOTLY = go.Figure(layout={"template": "none"})
WAITING = '<p class="rlhf-wait">The player is loading; it needs JavaScript.</p>'

SCRIPT, STYLES = assets.script(), f"{css_variables()}\n{assets.styles('stage.css', 'prose.css')}"
VERSION = hashlib.sha256(f"{SCRIPT}{STYLES}".encode()).hexdigest()[:12]  # what a tab from before an upgrade lacks

_code = st.components.v2.component(
    "rlhf_stage_code",
    js=SCRIPT.replace('VERSION = "unknown"', f'VERSION = "{VERSION}"'),
    css=STYLES,
    isolate_styles=False,
)
_role = st.components.v2.component("rlhf_stage", html=WAITING, js=STUB, isolate_styles=False)
_control = st.components.v2.component("rlhf_stage_control", js=STUB, isolate_styles=False)


@dataclass(frozen=True, slots=True)
class Stage:
    """A page's open stage: mount charts and live passages on it, anywhere on the page."""

    page: str
    frame: int
    static: bool = False
    played: bool = True

    def chart(self, payload: Payload, *, key: str) -> None:
        """Draw a chart that the clock moves; at the playhead where the player cannot run."""
        if self.static and payload.source is not None:
            frame = min(self.frame, len(payload.source.rows) - 1)
            st.plotly_chart(
                payload.source.at(frame),
                theme=None,
                key=f"static-{self.page}-{key}",
                config={"displayModeBar": False},
                alt=payload.source.alt,
            )
        else:
            self._mount(payload, key)

    def live(self, payload: Payload, *, key: str) -> None:
        """Show a passage of text that the clock fills."""
        if self.played:
            self._mount(payload, key)

    def _mount(self, payload: Payload, key: str, **callbacks: Any) -> Any:
        key = f"stage-{self.page}-{key}"
        plain = bool(st.session_state.get(key, {}).get("plain"))  # the browser cannot unpack zlib
        callbacks.setdefault("on_plain_change", lambda: None)
        return _role(key=key, data=payload.wire(self.page, compress=not plain), **callbacks)


def open_stage(
    frames: Payload,
    *,
    page: str,
    playhead: str,
    speed: int,
    on_frame: Callable[[str], None] = lambda name: None,
    seek_id: int = 0,
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
        1 to 10; 20 ** ((speed - 1) / 9) frames per second.
    on_frame : callable
        Gets the frame's name when the reader pauses, steps, resets, scrubs or the run finishes.
    seek_id : int
        Raise it when Python itself moves the playhead of an open page.
    static : bool
        Draw the charts with `st.plotly_chart`, at the playhead.
    """
    if not page.replace("-", "").isalnum():
        raise ValueError(f"page must be letters, digits and hyphens, got {page!r}")
    if not 1 <= speed <= 10:
        raise ValueError(f"speed must be from 1 to 10, got {speed}")
    frame = nearest_frame(frames.names, playhead)
    if st.session_state.get(PLAIN):
        _show_plainly(frames, frame)
        return Stage(page, frame, static=True, played=False)
    _offer_plain_charts()
    _mount_machinery(page, {"at": frames.names[frame], "seek": seek_id, "speed": speed})
    key = f"stage-{page}-transport"
    state = Stage(page, frame, static)._mount(
        frames,
        "transport",
        on_frame_change=lambda: on_frame(st.session_state[key]["frame"]),
        on_fallback_change=lambda: None,
    )
    return Stage(page, frame, static or bool(state.fallback))


def _mount_machinery(page: str, control: dict[str, Any]) -> None:
    """Mount what the reader never sees: script and styles, the control line, and a figure that brings Plotly."""
    with st.container(key=MACHINERY):
        _code(key="stage-code")
        st.plotly_chart(BRINGS_PLOTLY, theme=None, key="stage-plotly")
        head = json.dumps({"role": "control", "version": VERSION, **control}, separators=(",", ":"))
        _control(key=f"stage-{page}-control", data=f"{page} {head}\n".encode())


def _offer_plain_charts() -> None:
    """Say that the player is missing; seen only where neither its script nor its style has arrived for a while."""
    st.html(assets.HERE / "missing.css")
    with st.container(key=MISSING):
        st.markdown("The player could not be loaded.")
        st.button("Show the charts without it", key="stage-missing", on_click=_choose_plain)


def _choose_plain() -> None:
    st.session_state[PLAIN] = True


def _show_plainly(frames: Payload, frame: int) -> None:
    """Metrics and narration of one frame, as Streamlit draws them."""
    board = decode(frames)
    for column, metric in zip(st.columns(len(METRICS)), METRICS, strict=True):
        column.metric(metric.label, board["metrics"][metric.key][frame], help=metric.definition)
    st.markdown(board["narration"][frame])
    st.caption("The player could not be loaded; the charts are drawn plainly, at the playhead.")
