"""Where words stand in a chart: beside the ends of its curves, on its levels, off every line and each other."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise, product
from textwrap import wrap
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import isotonic_regression

from pages.drawing.marks import Curve

LETTER, LINE = 6.2, 17.0
"""Pixels that a letter takes on average, and a line of words, at 13 px."""
LETTERS = 12
"""In a line of a curve's name: it stands in the margin."""
SIZE = (270.0, 150.0)
"""Pixels of the smallest plot that curves are drawn on: on a phone, or in a low window."""
AIR = 4
"""Pixels between a plot or its edge and the words."""
APART = 3
"""Pixels between the points at which a line is looked at."""
ACROSS, UP = ("left", "center", "right"), ("bottom", "middle", "top")
ALONG = (0.5, 0.25, 0.3, 0.35, 0.4, 0.45, 0.55, 0.6, 0.65, 0.7, 0.75)
"""Shares of a plot's width at which the middle of words may stand on a level."""


class Place(NamedTuple):
    """A point of the plot, on which side of it words stand, in Plotly's words ("top right"), and how far from it."""

    x: float
    y: float
    side: str
    away: float = 0.0


@dataclass(frozen=True, slots=True)
class Room:
    """A plot of some size in pixels, its lines, and the words on it so far."""

    x: Sequence[float]
    y: Sequence[float]
    size: tuple[float, float] = SIZE
    lines: list[np.ndarray] = field(default_factory=list)
    words: list[np.ndarray] = field(default_factory=list)

    def draw(self, x: Iterable[float], y: Iterable[float]) -> "Room":
        """Take note of a line; what is missing of it is taken to be straight."""
        ends = self._pixels(x, y)
        ends = ends[np.isfinite(ends).all(axis=1)]
        if len(ends):
            come = np.concatenate([[0.0], np.hypot(*np.diff(ends, axis=0).T).cumsum()])
            along = np.linspace(0, come[-1], 1 + math.ceil(come[-1] / APART))
            self.lines.append(np.stack([np.interp(along, come, ends[:, i]) for i in (0, 1)], axis=-1))
        return self

    def place(self, words: str, places: Sequence[Place]) -> tuple[Place, bool]:
        """The place where words are furthest from lines and other words, and whether they are free of them there."""
        low, high = self._boxes(words, places)
        room = self._room(low, high)
        best = int(np.argmax(room))
        self.words.append(np.stack([low[best], high[best]]))
        return places[best], bool(room[best] > 0)

    def _pixels(self, x: Iterable[float], y: Iterable[float]) -> np.ndarray:
        spans = np.array([self.x, self.y])
        shares = (np.stack([x, y], axis=-1).astype(float) - spans[:, 0]) / (spans[:, 1] - spans[:, 0])
        return shares * np.array(self.size)

    def _boxes(self, words: str, places: Sequence[Place]) -> tuple[np.ndarray, np.ndarray]:
        """Lower left and upper right corners of words at some places, (n, 2) each."""
        sides = [place.side.split() for place in places]
        towards = np.array([(ACROSS.index(across), UP.index(up)) for up, across in sides]) - 1
        half, away = np.array([LETTER * len(words), LINE]) / 2, np.array([[place.away] for place in places])
        middle = self._pixels([place.x for place in places], [place.y for place in places]) + towards * (half + away)
        return middle - half, middle + half

    def _room(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Pixels from each box to the nearest line or word, at most a line of words; below 0 where they meet.

        A box that leaves the plot has less than 0 too.
        """
        inside = np.minimum(low, np.array(self.size) - high).min(axis=1)
        gaps = [np.full(len(low), LINE), np.where(inside < 0, inside, LINE)]
        for line in self.lines:
            gaps.append(np.maximum(low[:, None] - line, line - high[:, None]).max(axis=2).min(axis=1, initial=LINE))
        for other_low, other_high in self.words:
            gaps.append(np.maximum(low - other_high, other_low - high).max(axis=1))
        return np.min(gaps, axis=0)


def end_names(curves: Sequence[Curve], span: Sequence[float], height: float = SIZE[1]) -> list[dict[str, Any]]:
    """Annotations that name each curve beside the plot, as near to where it ends as the other names allow.

    Parameters
    ----------
    curves : sequence of Curve
        Whose names are told apart by colour; see `beside` for the margin that they need.
    span : pair of float
        Range of the vertical axis.
    height : float
        Pixels of the plot where it is lowest.
    """
    order = sorted(range(len(curves)), key=lambda i: float(curves[i].y[-1]))
    half = [len(_lines(curves[i])) * LINE / 2 * (span[1] - span[0]) / height for i in order]
    above = list(accumulate((one + other for one, other in pairwise(half)), initial=0.0))
    wanted = np.array([curves[i].y[-1] for i in order], float) - above  # names in order may then stand equally high
    near = isotonic_regression(wanted).x.clip(span[0] + half[0], span[1] - half[-1] - above[-1])
    return [
        {
            "xref": "paper", "x": 1, "y": float(at), "text": "<br>".join(_lines(curves[i])),
            "align": "left", "showarrow": False, "xanchor": "left", "xshift": AIR,
            "font": {"size": 13, "color": curves[i].hue.text},
        }
        for i, at in zip(order, near + above, strict=True)
    ]  # fmt: skip


def beside(curves: Sequence[Curve]) -> dict[str, float]:
    """Margin that the names of curves need."""
    longest = max(len(line) for curve in curves for line in _lines(curve))
    return {"r": AIR + round(LETTER * longest)}


def _lines(curve: Curve) -> list[str]:
    return wrap(curve.name, LETTERS)


class Level(NamedTuple):
    """A horizontal line across the plot, and the words on it."""

    value: float
    words: str
    colour: str


def on_levels(room: Room, levels: Sequence[Level], ground: str) -> list[dict[str, Any]]:
    """Annotations that name levels, above or below each, where curves and the other levels leave most room.

    Where they leave none, words stand on the colour of the ground, so that no line goes through them.
    """
    edge, (left, right) = AIR / room.size[0], room.x
    ends = [(edge, "right"), (1 - edge, "left"), *((share, "center") for share in ALONG)]
    named = []
    for level in levels:
        others = replace(room, lines=room.lines.copy())
        for other in levels:
            if other is not level:
                others.draw(room.x, (other.value, other.value))
        places = [
            Place(left + share * (right - left), level.value, f"{up} {side}")
            for (share, side), up in product(ends, ("top", "bottom"))
        ]
        place, free = others.place(level.words, places)
        named.append(_named(level, place) | ({} if free else {"bgcolor": ground}))
    return named


def _named(level: Level, place: Place) -> dict[str, Any]:
    up, side = place.side.split()
    return {
        "x": place.x, "y": level.value, "text": level.words, "showarrow": False,
        "font": {"size": 12, "color": level.colour},
        "xanchor": {"left": "right", "right": "left"}.get(side, side), "yanchor": "bottom" if up == "top" else "top",
    }  # fmt: skip
