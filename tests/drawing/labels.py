"""Where the words in a chart stand, and what lines they would cross, at the sizes that charts have on pages."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pages.drawing.chart import Chart

PER_LETTER, PER_LINE = 0.45, 1.25
"""Mean width of a letter and height of a line, as shares of the font's size."""
AXES = {"left": 46, "bottom": 44}
"""Pixels that ticks and titles take beside and below a plot."""
TOUCH = 2
"""Pixels that a line may reach into the box of a word: the air in its font."""


@dataclass(frozen=True)
class Box:
    """Words in pixels from the lower left corner of the plot."""

    words: str
    left: float
    right: float
    bottom: float
    top: float
    covers: bool = False
    """Whether they stand on a ground of their own, in front of the lines."""

    def meets(self, other: "Box") -> bool:
        across = min(self.right, other.right) - max(self.left, other.left)
        return across > TOUCH and min(self.top, other.top) - max(self.bottom, other.bottom) > TOUCH

    def is_crossed(self, x: np.ndarray, y: np.ndarray) -> bool:
        """Whether a line through these pixels goes through the words."""
        ends = np.stack([x, y], axis=1)
        along = ends[:-1] + np.linspace(0, 1, 60)[:, None, None] * (ends[1:] - ends[:-1])
        inside = (along > [self.left + TOUCH, self.bottom + TOUCH]) & (along < [self.right - TOUCH, self.top - TOUCH])
        return bool(inside.all(axis=-1).any())


@dataclass(frozen=True)
class Plot:
    """One chart at one size."""

    chart: Chart
    width: float
    height: float

    @property
    def layout(self) -> Mapping[str, Any]:
        return self.chart.drawing.layout

    def axis(self, name: str) -> tuple[float, float, float, float]:
        """Pixels at which an axis begins and ends, and its range."""
        spec = self.layout.get(name[0] + "axis" + name[1:], {})
        margin = {"t": 8, "r": 12, "l": 8, "b": 8, **self.layout.get("margin", {})}
        ticks = self.layout.get("yaxis", {}).get("showticklabels", True)
        across = self.width - margin["r"] - (AXES["left"] if ticks else margin["l"])
        up = self.height - margin["t"] - margin["b"] - AXES["bottom"]
        size = across if name[0] == "x" else up
        low, high = spec.get("domain", (0, 1))
        return low * size, high * size, *spec.get("range", (0, 1))

    def pixels(self, values: Any, ref: str, *, note: bool = False) -> np.ndarray:
        """Where values of an axis stand; those of a note are logarithms already where the axis is one of them."""
        values = np.asarray(values, float)
        if ref.endswith("paper"):
            return values * self.axis(ref[0])[1]
        begin, end, low, high = self.axis(ref)
        if self.layout.get(ref[0] + "axis" + ref[1:], {}).get("type") == "log" and not note:
            values = np.log10(values)
        return begin + (end - begin) * (values - low) / (high - low)

    def words(self) -> Iterator[Box]:
        for note in self.layout.get("annotations", ()):
            at = [
                float(self.pixels(note[side], reference(note, side), note=True)) + note.get(f"{side}shift", 0)
                for side in "xy"
            ]
            anchors = note.get("xanchor", "center"), note.get("yanchor", "middle")
            yield replace(box(note["text"], *at, note["font"]["size"], *anchors), covers="bgcolor" in note)
        for trace in self.chart.drawing.data:
            if "text" in trace.get("mode", ""):
                yield from self._texts(trace)

    def _texts(self, trace: Mapping[str, Any]) -> Iterator[Box]:
        where = np.broadcast_to(trace.get("textposition", "middle center"), len(trace["text"]))
        x, y = self.pixels(trace["x"], trace.get("xaxis", "x")), self.pixels(trace["y"], trace.get("yaxis", "y"))
        gap = trace.get("marker", {}).get("size", 0) / 2 if "markers" in trace["mode"] else 0
        for words, i, j, position in zip(trace["text"], x, y, where, strict=True):
            up, side = str(position).split()
            anchors = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}
            i += {"left": -gap, "right": gap}.get(side, 0)
            j += {"bottom": -gap, "top": gap}.get(up, 0)
            size = trace.get("textfont", {}).get("size", 13)
            yield box(words, i, j, size, anchors.get(side, side), anchors.get(up, up))

    def lines(self) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        for trace in self.chart.drawing.data:
            if trace["type"] == "scatter" and "lines" in trace.get("mode", "lines"):
                axes = trace.get("xaxis", "x"), trace.get("yaxis", "y")
                yield trace.get("name", "a line"), self.pixels(trace["x"], axes[0]), self.pixels(trace["y"], axes[1])
        for shape in self.layout.get("shapes", ()):
            if shape["type"] == "line":
                x, y = ([shape[f"{side}{end}"] for end in "01"] for side in "xy")
                yield "a level", self.pixels(x, reference(shape, "x")), self.pixels(y, reference(shape, "y"))


def reference(drawn: Mapping[str, Any], side: str) -> str:
    """The axis that something is placed on, or the plot: "x2", "xpaper"."""
    ref = str(drawn.get(f"{side}ref", side))
    return f"{side}paper" if ref == "paper" else ref


def box(words: str, x: float, y: float, size: float, across: str, up: str) -> Box:
    lines = [re.sub("<[^>]+>", "", line) for line in words.split("<br>")]
    width, height = PER_LETTER * size * max(map(len, lines)), PER_LINE * size * len(lines)
    left = x - width * {"left": 0, "center": 0.5, "right": 1}[across]
    bottom = y - height * {"bottom": 0, "middle": 0.5, "top": 1}[up]
    return Box(words, left, left + width, bottom, bottom + height)


def collisions(plot: Plot) -> Iterator[str]:
    words = [each for each in plot.words() if each.words]
    for i, one in enumerate(words):
        for other in words[:i]:
            if one.meets(other):
                yield f"{one.words!r} on {other.words!r}"
        for name, x, y in plot.lines():
            if not one.covers and one.is_crossed(np.atleast_1d(x), np.atleast_1d(y)):
                yield f"{name} through {one.words!r}"
