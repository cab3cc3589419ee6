"""Runs and what is drawn from them, computed once for all readers and shared, but for those of a reader's scenario."""

from collections.abc import Callable
from functools import lru_cache

from pages.drawing import theme
from pages.drawing.chart import Chart
from pages.drawing.live import Live
from pages.drawing.view import View
from pages.frame import taken
from pages.frame.memory import brought_in, kept
from pages.frame.narration import narrate
from pages.stage import Payload, StageFrame, encode_chart, encode_frames, encode_live
from rlhf_core import PipelineRun, Settings, run_pipeline
from rlhf_core.timeline import METRICS, Timeline, build


@kept
def shared_run(settings: Settings) -> tuple[PipelineRun, Timeline]:
    """Train the pipeline, unless some reader has asked for the same settings before."""
    run = run_pipeline(settings)
    return run, build(run)


def view(settings: Settings, prompt: int, dark: bool, pinned: Settings | None = None) -> View:
    """What the reader looks at."""
    own = brought_in(settings, pinned)
    latest = _latest if own is None else own.made.setdefault(View, _remembering())
    return latest(settings, prompt, dark, pinned)


def _remembering() -> Callable[..., View]:
    """What makes views; they hold their runs, so only those of the page being drawn stay, with and without a pin."""
    return lru_cache(maxsize=2)(_view)


def _view(settings: Settings, prompt: int, dark: bool, pinned: Settings | None) -> View:
    other = shared_run(pinned)[0] if pinned else None
    return View(*shared_run(settings), prompt=prompt, palette=theme.DARK if dark else theme.LIGHT, pinned=other)


_latest = _remembering()


@kept
def drawn(
    draw: Callable[[View], Chart | Live], settings: Settings, prompt: int, dark: bool, pinned: Settings | None = None
) -> Payload:
    """A figure or a live passage of a view, encoded for the stage: nothing else of it is kept."""
    result = draw(view(settings, prompt, dark, pinned))
    return encode_chart(result) if isinstance(result, Chart) else encode_live(result)


@kept
def written(write: Callable[[View], str], settings: Settings, prompt: int, dark: bool) -> str:
    """A passage of Markdown about a view."""
    return write(view(settings, prompt, dark))


@kept
def storyboard(settings: Settings, prompt: int) -> Payload:
    """All frames of a run with their metrics and narration, encoded for the stage."""
    run, timeline = shared_run(settings)
    return encode_frames(
        [
            StageFrame(
                name=frame.name,
                phase=frame.phase,
                line=frame.line,
                metrics=tuple(spec.write(frame.metrics, timeline.n_steps) for spec in METRICS),
                narration=narrate(run, frame, prompt),
                beats=frame.beats,
            )
            for frame in timeline.frames
        ],
        about=taken.about(settings, run.scenario.prompts[prompt], prompt),
    )
