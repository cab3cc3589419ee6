"""How long things take: `python tests/bench.py` prints a Markdown table of medians, with the fastest and slowest.

Nothing here can fail; the budgets are those of the design, on a machine with two cores. To add a
measurement, append a line to `MEASUREMENTS`.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from rlhf_core import Settings, run_pipeline, timeline  # noqa: E402


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
    return lambda: elapsed(lambda: run_pipeline(Settings(**settings)))


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


MEASUREMENTS: Sequence[Measurement] = (
    Measurement("default run", 0.025, 50, pipeline()),
    Measurement("default run, safety", 0.025, 50, pipeline(scenario="safety")),
    Measurement("60 PPO steps", 0.120, 20, pipeline(ppo_steps=60)),
    Measurement("60 PPO steps, exact expectation", 0, 20, pipeline(ppo_steps=60, rollouts=0)),
    Measurement("60 PPO steps, 256 rollouts, 10 epochs", 0, 5, pipeline(ppo_steps=60, rollouts=256, ppo_epochs=10)),
    Measurement("timeline of the default run", 0, 50, default_timeline),
    Measurement("import rlhf_core, fresh interpreter", 0.350, 9, fresh_import("rlhf_core")),
    Measurement("python -m rlhf_core", 0, 9, fresh_command),
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
    print(table(MEASUREMENTS))
