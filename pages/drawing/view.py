"""What a reader looks at: one run, one prompt, one theme. Every figure is a function of a view."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from pages.drawing.theme import Palette
from rlhf_core import PipelineRun
from rlhf_core.timeline import Timeline

P, T = ParamSpec("P"), TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Input of every figure; figures index it and never compute a result of their own."""

    run: PipelineRun
    timeline: Timeline
    prompt: int
    palette: Palette
    pinned: PipelineRun | None = None
    """Another run to compare with."""
    memo: dict[Callable[..., Any], tuple[Any, Any]] = field(default_factory=dict, init=False, repr=False)
    """What `once` remembers: it goes when the view goes, whose runs it may hold."""

    @property
    def question(self) -> str:
        """Text of the chosen prompt."""
        return self.run.scenario.prompts[self.prompt]

    @property
    def responses(self) -> tuple[str, ...]:
        """Texts of the chosen prompt's responses, (R,)."""
        return self.run.scenario.responses[self.prompt]

    @property
    def progress(self) -> np.ndarray:
        """Row of `policy_log_probs` that each frame shows: SFT epochs first, then PPO steps."""
        return self.timeline.sft_epochs + self.timeline.ppo_steps

    @property
    def policy_log_probs(self) -> np.ndarray:
        """The chosen prompt's policy through SFT and PPO, (E+T+1, R): base first, reference at row E."""
        sft, ppo = self.run.sft.log_probs[:, self.prompt], self.run.ppo.log_probs[1:, self.prompt]
        return np.concatenate([sft, ppo])


def once(function: Callable[Concatenate[View, P], T]) -> Callable[Concatenate[View, P], T]:
    """Remember the last result of a function of a view for as long as the view is there."""

    @wraps(function)
    def remembered(view: View, *args: P.args, **kwargs: P.kwargs) -> T:
        asked = (args, kwargs)
        if function not in view.memo or view.memo[function][0] != asked:
            view.memo[function] = (asked, function(view, *args, **kwargs))
        result: T = view.memo[function][1]
        return result

    return remembered
