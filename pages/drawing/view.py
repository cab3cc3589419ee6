"""What a reader looks at: one run, one prompt, one theme. Every figure is a function of a view."""

from dataclasses import dataclass

import numpy as np

from pages.drawing.theme import Palette
from rlhf_core import PipelineRun
from rlhf_core.timeline import Timeline


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Input of every figure; figures index it and never compute a result of their own."""

    run: PipelineRun
    timeline: Timeline
    prompt: int
    palette: Palette
    pinned: PipelineRun | None = None
    """Another run to compare with."""

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
