"""A figure that can be played: one Plotly figure, and what moves in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.drawing.drawing import Drawing, per_point_paths
from pages.drawing.guess import Guess
from rlhf_core import Settings
from rlhf_core.timeline import Frame

Array = np.ndarray
TOLD_AT = ("sft", "rm", "done")
"""Stages at whose end a chart may tell what it has found."""


def ended(stage: str, frame: Frame, settings: Settings) -> bool:
    """Whether a stage, or with "done" the run, has come to its end at a frame."""
    ends = {"sft": frame.sft_epoch == settings.sft_epochs, "rm": frame.rm_epoch == settings.rm_epochs}
    return ends.get(stage, frame.phase == "done")


@dataclass(frozen=True, slots=True)
class Words:
    """What stands above and below a chart, and in its place where it cannot be seen; see `Chart`."""

    alt: str
    title: str
    guide: str
    reading: str
    question: str
    told_at: str

    def told(self, frame: Frame, settings: Settings) -> bool:
        """Whether the stage of the finding has been played to its end, at a frame."""
        return not self.question or ended(self.told_at, frame, settings)


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """One figure and the arrays that move it along the timeline.

    Attributes
    ----------
    drawing : Drawing
        At rest: the ghost of the whole run, and the traces that move (with any content).
    title : str
        The finding or the question, above the chart.
    guide : str
        A sentence below the chart on how to read it, which gives nothing away.
    reading : str
        A sentence after it on what the chart shows, with this run's numbers.
    question : str
        Stands in the title's place, and the reading waits, until the playhead has come to `told_at`;
        without a question both always stand.
    told_at : str
        What must have been played for the finding to be told: "sft", "rm" or "done".
    guess : Guess, optional
        What the reader may draw on it.
    low : int
        Height in pixels where the window is low or narrow, so that it is seen without scrolling; 0 for the usual one.
    alt : str
        Text alternative: what the chart shows; not how it ends, for it stands at Idle too.
    rows : (n_frames,) int array
        Row of the moving arrays that each frame of the timeline shows.
    moves : mapping
        Trace index -> attribute path ("y", "marker.color", ...) -> array or nested list, row axis first.
    grows : mapping
        Trace index -> (n_rows,) number of leading points that each row shows, of x, y and
        every other attribute with one entry per point.
    """

    drawing: Drawing
    alt: str
    rows: Array
    moves: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    grows: Mapping[int, Array] = field(default_factory=dict)
    title: str = ""
    guide: str = ""
    reading: str = ""
    question: str = ""
    told_at: str = "done"
    guess: Guess | None = None
    low: int = 0

    def __post_init__(self) -> None:
        """Fail where the mistake was made, not in the browser."""
        if self.told_at not in TOLD_AT:
            raise ValueError(f"told_at must be one of {', '.join(TOLD_AT)}, got {self.told_at!r}")
        rows = np.asarray(self.rows)
        if rows.ndim != 1 or not len(rows) or rows.dtype.kind not in "iu" or rows.min() < 0:
            raise ValueError("rows must be a 1-d array of row indices >= 0, one per frame")
        needed = int(rows.max()) + 1
        for trace in {*self.moves, *self.grows}:
            if not 0 <= trace < len(self.drawing.data):
                raise ValueError(f"trace {trace} is not one of the figure's {len(self.drawing.data)}")
        for trace, attributes in self.moves.items():
            for path, values in attributes.items():
                if len(values) < needed:
                    raise ValueError(f"trace {trace}, {path}: {len(values)} rows, the frames need {needed}")
        for trace, counts in self.grows.items():
            if len(counts) < needed:
                raise ValueError(f"trace {trace}, grows: {len(counts)} rows, the frames need {needed}")
            if both := set(self.moves.get(trace, ())) & set(per_point_paths(self.drawing.data[trace])):
                raise ValueError(f"trace {trace} both moves and grows: {sorted(both)}")

    @property
    def words(self) -> Words:
        """Its words alone."""
        return Words(self.alt, self.title, self.guide, self.reading, self.question, self.told_at)

    @property
    def figure(self) -> go.Figure:
        """The figure at rest, checked by Plotly."""
        return self.drawing.figure

    def at(self, frame: int) -> go.Figure:
        """Return the figure as it stands at one frame, or at its last one; for pages without the player."""
        figure, row = self.figure, int(self.rows[min(frame, len(self.rows) - 1)])
        for trace, attributes in self.moves.items():
            for path, values in attributes.items():
                figure.data[trace][path] = values[row]
        for trace, counts in self.grows.items():
            for path in per_point_paths(self.drawing.data[trace]):
                figure.data[trace][path] = figure.data[trace][path][: int(counts[row])]
        return figure
