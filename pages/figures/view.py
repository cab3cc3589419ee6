"""What a reader looks at: one run, one prompt, one theme. Every figure is a function of a view."""

from dataclasses import dataclass

import numpy as np

from pages.figures.theme import Palette
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


def excerpt(text: str, length: int = 60) -> str:
    """The beginning of a text, cut between words, with an ellipsis where something is left out."""
    if len(text) <= length:
        return text
    return text[:length].rsplit(" ", 1)[0].rstrip(",.;:") + "\N{HORIZONTAL ELLIPSIS}"


def wrap(text: str, width: int = 46) -> str:
    """A text broken into lines for hover labels."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines)
