"""What every experiment of the Lab has, and how a mean over seeds is drawn and put into words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from pages.drawing import theme
from pages.drawing.drawing import Drawing
from pages.drawing.panel import Panel
from pages.drawing.theme import Hue, Palette
from pages.drawing.wording import minus
from rlhf_core import PipelineRun, Settings
from rlhf_core.lab.work import Progress

CLEAR = 2.0
"""A mean difference counts as clear from so many standard errors on."""


@dataclass(frozen=True, slots=True, eq=False)
class Experiment:
    """A question, how it is answered, and what is made of the answer."""

    name: str
    """In links."""
    title: str
    question: str
    """Two or three sentences: what is asked, and how it is answered here."""
    pieces: Callable[[Settings, int], Iterator[Progress[Any]]]
    """From the reader's settings and a number of seeds; a function with a name, for another process does the work."""
    unit: str
    """What its progress counts."""
    charts: Callable[[Any, Palette], Sequence[Panel]]
    finding: Callable[[Any], str]
    """Sentences that hold for this result, whatever it is."""
    practice: str
    """What a practitioner would take from it."""
    table: Callable[[Any], list[dict[str, object]]]
    """Tidy rows for the CSV."""
    call: Callable[[Settings, int], str]
    """Python that gives the same result."""
    seeds: tuple[int, ...] = (3, 5, 10, 20)
    """Numbers of seeds to choose from; the second is offered first. One number: nothing to choose."""
    sharper: Mapping[str, Any] = field(default_factory=dict)
    """Settings under which what is asked can be seen, for readers whose runs are too short for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A question as people ask it, four sentences with a run's numbers, and a chart of the same run.

    Sentences and chart are made of what `measure` gives.
    """

    name: str
    """In links."""
    question: str
    say: Callable[[Any], str]
    draw: Callable[[Any, Palette], Drawing]
    see: str
    """Address of the page and the state that show more of it."""
    measure: Callable[[PipelineRun], Any] = lambda run: run
    """What the answer rests on: the run itself, unless it takes more."""


def over_seeds(
    pieces: Callable[..., Iterator[Progress[Any]]], settings: Settings, n_seeds: int
) -> Iterator[Progress[Any]]:
    """An experiment's pieces for the seeds from 0 on; by its name another process finds it."""
    return pieces(settings, seeds=range(n_seeds))


class Mean(NamedTuple):
    """Mean over seeds, which stand last, and its standard error; the error is 0 for one seed."""

    value: np.ndarray
    error: np.ndarray


def mean(values: np.ndarray) -> Mean:
    """Mean and standard error along the last axis; seeds without a value do not count."""
    known = np.isfinite(values)
    n = np.maximum(known.sum(axis=-1), 1)
    filled = np.where(known, values, 0.0)
    centre = filled.sum(axis=-1) / n
    squares = np.where(known, (values - centre[..., None]) ** 2, 0.0).sum(axis=-1)
    return Mean(centre, np.sqrt(squares / np.maximum(n - 1, 1) / n))


def differs(one: np.ndarray, other: np.ndarray) -> int:
    """1 if the first is clearly larger over the same seeds, -1 if clearly smaller, 0 if these seeds do not tell."""
    gap = mean(np.asarray(one) - np.asarray(other))
    if np.asarray(one).shape[-1] < 3 or abs(gap.value) <= CLEAR * gap.error or abs(gap.value) < 0.01:
        return 0
    return int(np.sign(gap.value))


def number(value: float, error: float | None = None) -> str:
    """A figure with its standard error, as in 1.07 ± 0.12."""
    return minus(float(value)) if error is None else f"{minus(float(value))} ± {error:.2f}"


def seeds_of(n: int) -> str:
    """How many seeds, in words."""
    return "1 seed" if n == 1 else f"{n} seeds"


def band(
    x: np.ndarray, values: np.ndarray, hue: Hue, name: str, *, dash: str = "solid", marks: bool = True
) -> list[dict[str, Any]]:
    """Traces of a mean over seeds with a band of two standard errors; seeds stand last in `values`."""
    centre, error = mean(values)
    edge = np.concatenate([centre + 2 * error, (centre - 2 * error)[::-1]])
    red, green, blue = (int(hue.mark[i : i + 2], 16) for i in (1, 3, 5))
    return [
        {
            "type": "scatter", "x": np.concatenate([x, x[::-1]]), "y": edge, "mode": "lines", "fill": "toself",
            "fillcolor": f"rgba({red},{green},{blue},0.14)", "line": {"width": 0}, "hoverinfo": "skip",
            "showlegend": False,
        },
        {
            "type": "scatter", "x": x, "y": centre, "mode": "lines+markers" if marks else "lines", "name": name,
            "line": {"color": hue.mark, "width": 2.5, "dash": dash}, "marker": {"size": 6, "color": hue.mark},
            "hovertemplate": f"{name} %{{y:.2f}}<extra></extra>",
        },
    ]  # fmt: skip


Line = tuple[np.ndarray, np.ndarray, str, str, str]


def lines(palette: Palette, x: str, y: str, *curves: Line, **more: Any) -> Drawing:
    """Chart of some curves: x, y, name, role, dash."""
    data = [
        {
            "type": "scatter", "x": at, "y": values, "mode": "lines+markers", "name": name,
            "line": theme.line(getattr(palette, role), dash), "marker": {"size": 5},
            "hovertemplate": f"{name}: %{{y:.3g}} at %{{x:.3g}}<extra></extra>",
        }
        for at, values, name, role, dash in curves
    ]  # fmt: skip
    return theme.figure(palette, x=x, y=y, data=data, height=300, **more)


def options(settings: Settings, *left_out: str) -> str:
    """Arguments of `Settings` that differ from the defaults, without those that the experiment does not read."""
    names = [name for name in settings.to_query() if name not in left_out]
    return ", ".join(f"{name}={getattr(settings, name)!r}" for name in names)


def changed(settings: Settings, *left_out: str) -> str:
    """The same for an experiment that has seeds of its own."""
    return options(settings, *left_out, "seed")
