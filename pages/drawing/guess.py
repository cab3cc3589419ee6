"""A guess that the reader draws on a chart before the run is played: where its points stand, and what it is held to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlhf_core import PipelineRun

ABOUT = "true reward"
LOWEST = 0.1
"""Share of a prompt's responses that are worse than where the axis begins."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The curve that was guessed, once it may be told."""

    x: np.ndarray
    y: np.ndarray
    moments: Sequence[str]
    """What each point is called, as in "PPO step 3"."""


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """What the browser needs to have a curve guessed; it knows nothing of the run but its settings.

    Attributes
    ----------
    name : str
        Which of the reader's guesses it is; each chart has one.
    of : str
        The settings of the run that is guessed.
    knots : sequence of float
        Where the line may bend, on the chart's horizontal axis.
    anchors : sequence of int
        For each knot, the point that holds it: two knots with the same point are level.
    moments : sequence of str
        What each point is called.
    n_given : int
        How many of the first points are known to everybody, and not to be guessed.
    start : float
        Where all points stand at first.
    bounds : tuple of float
        Ends of the vertical axis.
    answer : Answer, optional
        What it came to, once the run has been played.
    """

    name: str
    of: str
    knots: Sequence[float]
    anchors: Sequence[int]
    moments: Sequence[str]
    n_given: int
    start: float
    bounds: tuple[float, float]
    answer: Answer | None = None

    def body(self) -> dict[str, Any]:
        """As the browser reads it."""
        told = self.answer
        return {
            "name": self.name, "of": self.of, "about": ABOUT, "knots": list(self.knots), "anchors": list(self.anchors),
            "moments": list(self.moments), "given": self.n_given, "start": round(self.start, 4),
            "bounds": [round(end, 4) for end in self.bounds],
            "answer": told and {"x": told.x.tolist(), "y": np.round(told.y, 4).tolist(), "moments": list(told.moments)},
        }  # fmt: skip


def bounds(run: PipelineRun) -> tuple[float, float]:
    """Between which a policy's mean true reward may lie, by the scenario alone: nothing of the run is in it."""
    truth = run.scenario.true_reward
    return float(np.quantile(truth, LOWEST, axis=1).mean()), float(truth.max(axis=1).mean())


def points(n_steps: int) -> list[int]:
    """Steps after which the reader guesses: a few, evenly spaced, the last among them."""
    return sorted({int(step) for step in np.ceil(np.arange(1, 5) * n_steps / 4)})
