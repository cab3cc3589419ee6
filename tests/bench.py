"""How long things take: `python tests/bench.py` prints a Markdown table of medians, with the fastest and slowest.

Nothing here can fail; the budgets are those of the design, on a machine with two cores. To add a
measurement, append a line to `MEASUREMENTS`.
"""

import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from streamlit.testing.v1 import AppTest  # noqa: E402

from pages.frame import lab, navigation, runs, yours  # noqa: E402
from rlhf_core import Settings, run_pipeline, timeline  # noqa: E402
from rlhf_core.lab import beta_sweep  # noqa: E402
from rlhf_core.pipeline import first_stages  # noqa: E402
from tests.load import changes  # noqa: E402

PAGES = {"overview": "Overview", "sft": "SFT", "reward_model": "Reward model", "ppo": "PPO", "metrics": "Metrics"}
CHANGED = (Settings(beta=0.37), 0, False)  # settings, prompt, dark: what a reader has just asked for


class Measurement(NamedTuple):
    """One thing to time: returns its duration in seconds, so that it decides itself what counts."""

    name: str
    budget: float
    """Seconds; 0 for none."""
    repeats: int
    measure: Callable[[], float]


def elapsed(action: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def pipeline(**settings: object) -> Callable[[], float]:
    """One run with the scenario and its features already in memory, as for every reader but the first."""

    def measure() -> float:
        first_stages.cache_clear()
        return elapsed(lambda: run_pipeline(Settings(**settings)))

    return measure


def another_beta() -> float:
    """A run whose first two stages have been trained before."""
    run_pipeline(Settings())
    return elapsed(lambda: run_pipeline(Settings(beta=0.37)))


def fresh_import(module: str) -> Callable[[], float]:
    """Import in a fresh interpreter, without the interpreter's own start."""
    script = f"import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    command = [sys.executable, "-c", script]
    return lambda: float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def fresh_command() -> float:
    """A whole terminal command, from the start of the interpreter to its end."""
    command = [sys.executable, "-m", "rlhf_core", "--format", "json"]
    return elapsed(lambda: subprocess.run(command, cwd=ROOT, check=True, capture_output=True))


def default_timeline() -> float:
    run = run_pipeline(Settings())
    return elapsed(lambda: timeline.build(run))


def cpu(action: Callable[[], object]) -> float:
    """Seconds of processor time of one call, whatever else the machine does; the collector waits, as in the app."""
    gc.collect()
    gc.disable()
    start = time.process_time()
    action()
    gc.enable()
    return time.process_time() - start


@cache
def opened(page: str) -> AppTest:
    """A page that a reader has open."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    app.switch_page(f"pages/{page}.py").run()
    if app.exception:
        raise RuntimeError(f"{page}: {app.exception[0].message}")
    return app


@cache
def figures(page: str) -> list[Callable[..., Any]]:
    """Every figure and passage that a page draws, by watching it draw."""
    app, watched, remember = opened(page), [], runs.drawn

    def watch(draw: Callable[..., Any], *view: Any) -> Any:
        watched.append(draw)
        return remember(draw, *view)

    runs.drawn = watch
    try:
        app.run()
    finally:
        runs.drawn = remember
    return watched


def redraw(page: str) -> list[bytes]:
    """All figures of a page, of a run whose figures nobody has asked for yet, as they go over the wire."""
    return [runs.drawn.__wrapped__(draw, *CHANGED).wire(page) for draw in figures(page)]


def drawing(page: str) -> Callable[[], float]:
    """Building and encoding all figures of a page, once its run is there."""

    def measure() -> float:
        figures(page), runs.view(*CHANGED)
        return cpu(lambda: redraw(page))

    return measure


def changing(page: str, *, new: bool) -> Callable[[], float]:
    """A change of β at a real server, to a run that is there or to a new one: script, figures and all that is sent."""
    return lambda: changes.change(navigation.path_of(page), new=new)


def slowest_part(page: str, name: str, parts: Sequence[str]) -> Callable[[], float]:
    """Coming to a page by a link to one of its parts, in a session of its own; the part that takes longest."""

    def coming(part: str) -> float:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        app.query_params[name] = part
        app.run()
        took = elapsed(app.switch_page(f"pages/{page}.py").run)
        if app.exception or app.session_state[name] != part:
            raise RuntimeError(f"{page}: {part} did not open")
        return took

    return lambda: max(map(coming, parts))


def of_pages(
    what: str, budget: float, repeats: int, measure: Callable[[str], Callable[[], float]]
) -> list[Measurement]:
    """The same for every page that plays."""
    return [Measurement(f"{title} page, {what}", budget, repeats, measure(page)) for page, title in PAGES.items()]


def default_sweep() -> float:
    return elapsed(lambda: beta_sweep(Settings(ppo_steps=60)))


def sizes() -> str:
    """What a changed run sends for each page: its figures and the transport."""
    lines = ["| Page | Sent for a changed run | Budget |", "|---|---|---|"]
    for page, title in PAGES.items():
        story = runs.storyboard(*CHANGED[:2]).wire(page)
        n_bytes = len(story) + sum(map(len, redraw(page)))
        lines.append(f"| {title} | {n_bytes / 1e3:.0f} kB | 120 kB |")
    return "\n".join(lines)


MEASUREMENTS: Sequence[Measurement] = (
    Measurement("default run", 0.025, 50, pipeline()),
    Measurement("default run, safety", 0.025, 50, pipeline(scenario="safety")),
    Measurement("the same with another β", 0, 50, another_beta),
    Measurement("60 PPO steps", 0.120, 20, pipeline(ppo_steps=60)),
    Measurement("60 PPO steps, exact expectation", 0, 20, pipeline(ppo_steps=60, rollouts=0)),
    Measurement("60 PPO steps, 256 rollouts, 10 epochs", 0, 5, pipeline(ppo_steps=60, rollouts=256, ppo_epochs=10)),
    Measurement("timeline of the default run", 0, 50, default_timeline),
    Measurement("Lab: 8 β, 5 seeds, 60 PPO steps", 2.0, 5, default_sweep),
    Measurement("import rlhf_core, fresh interpreter", 0.350, 9, fresh_import("rlhf_core")),
    Measurement("python -m rlhf_core", 0, 9, fresh_command),
    *of_pages("charts of a new run, CPU", 0.060, 9, drawing),
    *of_pages("all of a new run, CPU", 0, 5, partial(changing, new=True)),
    *of_pages("cached rerun, CPU", 0.025, 5, partial(changing, new=False)),
    Measurement("Lab page opens, slowest experiment", 1.0, 5, slowest_part("lab", lab.CHOSEN, lab.NAMES)),
    Measurement("Yours page opens, slowest section", 1.0, 5, slowest_part("yours", yours.CHOSEN, list(yours.SECTIONS))),
)


def table(measurements: Sequence[Measurement]) -> str:
    """Measure, and write medians in milliseconds."""
    lines = ["| Measurement | Median | Min – max | Budget |", "|---|---|---|---|"]
    for name, budget, repeats, measure in measurements:
        measure()  # warm up: caches and, for a fresh interpreter, compiled files
        times = [1000 * measure() for _ in range(repeats)]
        limit = f"{1000 * budget:.0f} ms" if budget else ""
        median, low, high = statistics.median(times), min(times), max(times)
        lines.append(f"| {name} | {median:.1f} ms | {low:.1f} – {high:.1f} ms | {limit} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(MEASUREMENTS), sizes(), sep="\n\n")
