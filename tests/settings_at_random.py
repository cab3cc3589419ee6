"""Settings, prompts and themes that nobody chose, for every test that draws or reads the pages: defaults hide faults.

A look is what one reader might have on the screen. The same number gives the same look, so a failing one can be
looked at again, and pytest-xdist can share them out.
"""

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np

from pages.drawing import theme
from pages.drawing.view import View
from rlhf_core import PipelineRun, Settings, load_scenario, run_pipeline
from rlhf_core.settings import CONTROLS, DEFAULTS
from rlhf_core.timeline import Timeline, build

LONGEST = {"ppo_steps": 12, "rollouts": 48, "n_comparisons": 400, "rm_epochs": 60, "sft_epochs": 40}
"""What a number drawn between the extremes is capped at, for speed; the extremes themselves are drawn as well."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a reader might look at: a run, perhaps another one pinned, a prompt, a theme."""

    settings: Settings
    prompt: int
    dark: bool
    pinned: Settings | None = None

    @property
    def view(self) -> View:
        """The view that every figure takes."""
        run, timeline = trained(self.settings)
        other = trained(self.pinned)[0] if self.pinned else None
        return View(run, timeline, self.prompt, theme.DARK if self.dark else theme.LIGHT, other)

    def __str__(self) -> str:
        """The address of the look, to open it in a browser."""
        query = "&".join(f"{name}={value}" for name, value in self.settings.to_query().items())
        return f"?{query}&prompt={self.prompt + 1}"


def look(number: int) -> Look:
    """A look at random; scenarios take turns, every third has a pinned run."""
    rng = np.random.default_rng([number, 20250801])
    scenarios = CONTROLS["scenario"].choices
    settings = settings_at_random(rng, scenario=scenarios[number % len(scenarios)])
    pinned = settings_at_random(rng, scenario=str(rng.choice(scenarios))) if number % 3 == 0 else None
    n_prompts = len(load_scenario(settings.scenario).prompts)
    return Look(settings, int(rng.integers(n_prompts)), bool(rng.integers(2)), pinned)


def settings_at_random(rng: np.random.Generator, **fixed: Any) -> Settings:
    """Settings of which about a third stand at their default, a third at an extreme, a third anywhere between."""
    return Settings(**{spec.name: fixed.get(spec.name, _value(rng, spec.name)) for spec in fields(Settings)})


def _value(rng: np.random.Generator, name: str) -> Any:
    control, default = CONTROLS[name], DEFAULTS[name]
    if control.choices:
        return str(rng.choice(control.choices))
    kind = int if isinstance(default, int) else float
    low, high = control.minimum, control.maximum
    match int(rng.integers(3)):
        case 0:
            return default
        case 1:
            near = min(low + control.step, high)  # 0 and 1 are different extremes: none, and a single one
            return kind(rng.choice([low, near, high], p=[0.4, 0.4, 0.2]))
    value = rng.uniform(low, min(high, LONGEST.get(name, high)))
    return int(value) if kind is int else round(control.step * round(value / control.step), 6)


@lru_cache(maxsize=64)
def trained(settings: Settings) -> tuple[PipelineRun, Timeline]:
    """The run of some settings and its timeline."""
    run = run_pipeline(settings)
    return run, build(run)
