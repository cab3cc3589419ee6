"""Turn frames, charts and live text into what the browser plays. No Streamlit in here.

A payload is one line of JSON (what the browser needs at once: role, height, text alternative),
a line break, and a zlib-compressed JSON body. The same input gives the same bytes, so Streamlit's message cache
sends a reference where nothing changed.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pages.drawing.chart import Chart, Words
from pages.drawing.drawing import per_point_paths
from pages.drawing.live import Live
from rlhf_core.timeline import METRICS, MetricSpec

SIGNIFICANT_DIGITS = 4
SMALLEST_SHARE = 1e-5  # of an array's largest value: far below one pixel on a linear axis
CHART_HEIGHT = 320
LEVEL = 5  # of compression: 7 takes half as long again, for a few per cent fewer bytes

Role = Literal["transport", "chart", "live", "copying"]


@dataclass(frozen=True, slots=True)
class StageFrame:
    """One moment of the timeline, as the transport shows it."""

    name: str
    """`idle`, `sft-3`, `rm-10`, `ppo-2-advantage`, `ppo-2`, `done`."""
    phase: str
    """`idle`, `sft`, `rm`, `ppo` or `done`."""
    line: str | None
    """Loop line: `sample`, `score`, `kl`, `advantage`, `update`, or None."""
    metrics: tuple[str, ...]
    """Six strings in the order of `METRICS`; an en dash where the value does not exist yet."""
    narration: str
    """One sentence on what happens here."""
    beats: float = 1.0
    """How long it stays while it plays; 0 if it is passed over."""


@dataclass(frozen=True, slots=True, eq=False)
class Payload:
    """An encoded role, ready to mount and safe to cache."""

    role: Role
    head: bytes
    body: bytes
    height: int | None = None
    words: Words | None = None
    """Those of a chart."""
    names: tuple[str, ...] = ()

    def wire(self, page: str, *, compress: bool = True, **told: Any) -> bytes:
        """Return the bytes to send.

        `page` names the clock that plays them. What else is told goes to the chart's menu, if it is not empty: `part`,
        what they are a part of; `alone`, whether a link can show the part alone; `code`, which function draws it;
        `about`, what is to be said of a chart that is not on the clock.
        """
        body = self.body if compress else zlib.decompress(self.body)
        more = _text({name: value for name, value in told.items() if value})
        head = self.head[:-1] + (b"," + more[1:] if len(more) > 2 else b"}")
        return b"%b %b\n%b" % (page.encode(), head, body)


def encode_frames(frames: Sequence[StageFrame], about: Mapping[str, str] | None = None) -> Payload:
    """Encode the timeline for the transport, with what the charts' menus say of the run.

    Raises
    ------
    ValueError
        If there is no frame, two frames share a name, or a frame has not six metrics.
    """
    names = tuple(frame.name for frame in frames)
    if not names or len(set(names)) != len(names):
        raise ValueError("frames must have distinct names, and there must be at least one")
    for frame in frames:
        if len(frame.metrics) != len(METRICS):
            raise ValueError(f"frame {frame.name}: expected {len(METRICS)} metrics, got {len(frame.metrics)}")
    body = {
        "names": names,
        "phases": [frame.phase for frame in frames],
        "lines": [frame.line for frame in frames],
        "beats": [frame.beats for frame in frames],
        "tiles": [_tile(spec) for spec in METRICS],
        "metrics": {spec.key: [frame.metrics[i] for frame in frames] for i, spec in enumerate(METRICS)},
        "narration": [frame.narration for frame in frames],
        **({"about": dict(about)} if about else {}),
    }
    return Payload("transport", *_pack({"role": "transport"}, body), names=names)


def _tile(spec: MetricSpec) -> dict[str, str]:
    grpo = f", its GRPO as {spec.grpo_name}" if spec.grpo_name else ""
    trl = f" TRL logs it as {spec.trl_name}{grpo}." if spec.trl_name else ""
    return {"key": spec.key, "label": spec.label, "unit": spec.unit, "help": spec.definition + trl}


def encode_chart(chart: Chart) -> Payload:
    """Encode a chart: the figure at rest, and for each moving attribute its distinct values."""
    data, layout = chart.drawing.data, chart.drawing.layout
    log = any(axis.get("type") == "log" for name, axis in layout.items() if "axis" in name)
    tracks, shown = [], _Shown.of(chart.rows)
    for trace, attributes in chart.moves.items():
        for path, values in attributes.items():
            at, distinct = shown.distinct(values)
            tracks.append({"trace": trace, "path": path, "at": at, "values": _plain(distinct, log=log)})
    for trace, counts in chart.grows.items():
        at = np.asarray(counts)[chart.rows].tolist()
        tracks += [{"trace": trace, "path": path, "at": at} for path in per_point_paths(data[trace])]
    body = {
        "data": [_plain(trace, log=log) for trace in data],
        "layout": _plain(layout, log=log),
        "tracks": tracks,
        **({"guess": chart.guess.body()} if chart.guess else {}),
    }
    height = int(layout.get("height", CHART_HEIGHT))
    head = {"role": "chart", "height": height, "alt": chart.alt, **({"low": chart.low} if chart.low else {})}
    return Payload("chart", *_pack(head, body), height=height, words=chart.words)


def encode_live(live: Live) -> Payload:
    """Encode a live passage: its template, and for each slot its distinct strings."""
    tracks, shown = [], _Shown.of(live.rows)
    for slot, values in live.values.items():
        at, distinct = shown.distinct(values)
        tracks.append({"slot": slot, "at": at, "values": [str(value) for value in distinct]})
    return Payload("live", *_pack({"role": "live"}, {"template": live.template, "tracks": tracks}))


def encode_copying(items: Mapping[str, str]) -> Payload:
    """Encode buttons that copy texts, by what is copied."""
    return Payload("copying", *_pack({"role": "copying"}, {"items": list(items.items())}))


def encode_parts(page: str, parts: Mapping[str, bytes]) -> bytes:
    """Join what goes to a page's places, by their names, as one message: each as `wire` gives it, with its length."""
    head = {"role": "parts", "parts": [(name, len(wire)) for name, wire in parts.items()]}
    return b"%b %b\n%b" % (page.encode(), _text(head), b"".join(parts.values()))


def decode(payload: Payload) -> dict[str, Any]:
    """Return an encoded body as plain data: what the browser reads."""
    body: dict[str, Any] = json.loads(zlib.decompress(payload.body))
    return body


def _pack(head: dict[str, Any], body: dict[str, Any]) -> tuple[bytes, bytes]:
    return _text(head), zlib.compress(_text(body), LEVEL)


def _text(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str).encode()


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """The rows that the frames show, each once, and which of them each frame shows."""

    rows: list[int]
    frames: np.ndarray

    @classmethod
    def of(cls, rows: Any) -> "_Shown":
        shown, frames = np.unique(rows, return_inverse=True)
        return cls(shown.tolist(), frames)

    def distinct(self, values: Any) -> tuple[list[int], Any]:
        """Split values per row into an index per frame and the distinct values that are shown."""
        kept: dict[Any, int] = {}
        numbers, firsts = [], []
        for row in self.rows:
            value = values[row]
            key = value if isinstance(value, str) else value.tobytes() if _has_bytes(value) else repr(value)
            number = kept.setdefault(key, len(kept))
            if number == len(firsts):
                firsts.append(row)
            numbers.append(number)
        chosen = values[firsts] if isinstance(values, np.ndarray) else [values[row] for row in firsts]
        return np.array(numbers)[self.frames].tolist(), chosen


def _has_bytes(value: Any) -> bool:
    """Whether the bytes of a value tell it from others."""
    return isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject


def _plain(value: Any, *, log: bool) -> Any:
    """Return lists and numbers instead of arrays, rounded to what a reader can see."""
    if isinstance(value, dict):
        return {name: _plain(child, log=log) for name, child in value.items()}
    if isinstance(value, np.ndarray):
        return _rounded(value, log=log) if value.dtype.kind == "f" else value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(child, log=log) for child in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def _rounded(values: np.ndarray, *, log: bool) -> Any:
    finite = np.isfinite(values)
    size = np.abs(np.where(finite, values, 0.0))
    if not log:
        size = np.where(size < SMALLEST_SHARE * size.max(initial=0.0), 0.0, size)
    with np.errstate(divide="ignore"):
        digits = np.where(size > 0, SIGNIFICANT_DIGITS - 1 - np.floor(np.log10(size)), 0).clip(-300, 300)
    up, down = 10.0 ** digits.clip(min=0), 10.0 ** (-digits).clip(min=0)
    rounded = np.rint(np.sign(np.where(finite, values, 0.0)) * size * up / down) * down / up + 0.0  # no -0
    if finite.all():
        return rounded.tolist()
    with_gaps = rounded.astype(object)
    with_gaps[~finite] = None  # Plotly reads null as a gap
    return with_gaps.tolist()
