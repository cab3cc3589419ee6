"""The horizontal axis that several charts share: the whole pipeline, one band for each stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.drawing import Drawing
from pages.drawing.theme import Palette
from pages.drawing.view import View
from rlhf_core.lifetime import while_it_is_there
from rlhf_core.timeline import Timeline

EDGES = {"SFT": (0.0, 1.0), "Reward model": (1.0, 2.0), "PPO": (2.0, 4.0)}
SHORT = {"Reward model": "RM"}
TITLE = "epochs, then PPO steps"
SPAN = (-0.12, 4.12)


@dataclass(frozen=True, slots=True, eq=False)
class Stops:
    """The moments at which something has changed: every frame but the looks at a PPO step's rollouts.

    Attributes
    ----------
    frames : (S,) int array
        Index of the frame of each stop.
    x : (S,) float array
        Where the stop stands on the pipeline's axis.
    latest : (n_frames,) int array
        The stop that each frame has reached.
    """

    frames: np.ndarray
    x: np.ndarray
    latest: np.ndarray


@while_it_is_there
def stops(timeline: Timeline) -> Stops:
    """Stops of a timeline, with their places on the axis."""
    is_stop = np.array([frame.line in (None, "update") for frame in timeline.frames])
    return Stops(np.flatnonzero(is_stop), _places(timeline)[is_stop], np.cumsum(is_stop) - 1)


def _places(timeline: Timeline) -> np.ndarray:
    """Place of every frame: SFT epochs in the first band, reward-model epochs in the second, PPO steps in the third."""
    sft, rm, ppo = timeline.sft_epochs, timeline.rm_epochs, timeline.ppo_steps
    return sft / sft.max() + rm / rm.max() + 2 * ppo / timeline.n_steps


def course_places(view: View) -> np.ndarray:
    """Place of every row of `run.course`, after SFT once more at the end of the reward model's band, (E+T+2,)."""
    n_sft, n_steps = view.run.settings.sft_epochs, view.run.settings.ppo_steps
    return np.concatenate([np.linspace(0, 1, n_sft + 1), np.linspace(2, 4, n_steps + 1)])


def banded(
    view: View, *, y: str, data: Sequence[Mapping[str, Any]], short: bool = False,
    shapes: Sequence[dict[str, Any]] = (), annotations: Sequence[dict[str, Any]] = (),
    margin: Mapping[str, float] | None = None, **layout: Any,
) -> Drawing:  # fmt: skip
    """Figure over the pipeline's axis: bands behind the stages, their names on top, in full or `short`."""
    return theme.figure(
        view.palette,
        x=TITLE,
        y=y,
        data=data,
        xaxis={"range": list(SPAN), "showgrid": False, "zeroline": False, **_ticks(view)},
        shapes=[_band(view.palette), *shapes],
        annotations=[*_names(view.palette, short), *annotations],
        margin={"t": 24, **(margin or {})},
        showlegend=False,
        **layout,
    )


def _band(palette: Palette) -> dict[str, Any]:
    low, high = EDGES["Reward model"]
    return {
        "type": "rect", "xref": "x", "yref": "paper", "x0": low, "x1": high, "y0": 0, "y1": 1,
        "fillcolor": palette.raised, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _names(palette: Palette, short: bool) -> list[dict[str, Any]]:
    return [
        {
            "x": sum(edges) / 2, "y": 1, "xref": "x", "yref": "paper", "yanchor": "bottom", "yshift": 1,
            "text": SHORT.get(stage, stage) if short else stage, "showarrow": False,
            "font": {"size": 12, "color": palette.muted},
        }
        for stage, edges in EDGES.items()
    ]  # fmt: skip


def moment(ticks: Mapping[float, str], place: float) -> str:
    """A place on the axis in words, such as "SFT epoch 12"; `ticks` are the counts at the ends of the bands."""
    stage = "PPO" if place >= EDGES["PPO"][0] else "Reward model" if place > EDGES["Reward model"][0] else "SFT"
    low, high = EDGES[stage]
    count = round((place - low) / (high - low) * int(ticks[high]))
    return f"{stage} {'step' if stage == 'PPO' else 'epoch'} {count}"


def _ticks(view: View) -> dict[str, Any]:
    """Count of epochs or steps at the end of each band, and halfway through PPO."""
    settings = view.run.settings
    marks = {0.0: 0, 1.0: settings.sft_epochs, 2.0: settings.rm_epochs, 4.0: settings.ppo_steps}
    if half := settings.ppo_steps // 2:
        marks[2 + 2 * half / settings.ppo_steps] = half
    return {"tickvals": list(marks), "ticktext": [str(count) for count in marks.values()]}
