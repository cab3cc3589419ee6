"""How long the answers are: words over the PPO steps."""

import numpy as np

from pages.drawing.chart import Chart
from pages.drawing.curves import learning_curves
from pages.drawing.view import View
from pages.drawing.wording import minus, moves
from rlhf_core.distributions import expectation
from rlhf_core.features import FEATURE_NAMES

WORDS = FEATURE_NAMES.index("words")


def mean_words(view: View) -> np.ndarray:
    """Expected number of words of the policy's answers after each step, (T+1, P)."""
    return expectation(view.run.ppo.log_probs, view.run.reward.feature_values[..., WORDS])


def answer_length(view: View) -> Chart:
    """Mean number of words of an answer over PPO steps."""
    per_prompt = mean_words(view)
    mean = per_prompt.mean(axis=1)
    drawn = learning_curves(
        view.palette, {"mean over prompts": mean, "this prompt": per_prompt[:, view.prompt]}, view.palette.policy,
        x="PPO step", y="length of an answer [words]", each="after step %{x}", unit=" words", height=300,
    )  # fmt: skip
    return Chart(
        drawn.drawing,
        "Mean length of the policy's answers in words, over PPO steps: all prompts, and this one.",
        view.timeline.ppo_steps,
        moves=drawn.moves,
        grows=drawn.grows,
        question="How long do the answers get?",
        title=f"Length {moves(mean[0], mean[-1], 1)} words",
        reading=_reading(view),
    )


def _reading(view: View) -> str:
    weight = float(view.run.reward.weights[-1, WORDS]) / view.run.reward.scale
    return (
        "A reward model may like length for its own sake. To this one, all else equal, one spread more words is worth "
        f"{minus(weight, '+.2f')} reward units."
    )


ENDING = """
**Answers without an end.** A real policy may also write on and on. Trainers then take a fixed amount off an answer that
hits the length limit before it has ended (TRL: `missing_eos_penalty`), and look at the length beside the reward. Here
every answer ends with its closing, and no such penalty is needed.
"""
