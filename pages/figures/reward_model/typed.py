"""What a text of the reader's own would earn, and why."""

from collections.abc import Callable

import numpy as np

from pages.drawing.panel import Panel
from pages.drawing.view import View, once
from pages.drawing.wording import minus
from pages.figures.reward_model.fit import named_bars
from rlhf_core.features import FEATURE_NAMES, FEATURES, measure

LONGEST = 10_000
"""Characters of a typed response."""
BUZZWORDS = (
    "First, you check 1, 2, 3, 4, 5. Then you, your great, wonderful you, check 6, 7, 8, 9, 10 and 11, 12, 13, 14, 15 "
    "with your brilliant, lovely 16, 17, 18, 19, 20"
)
STARTS: dict[str, Callable[[View], str]] = {
    "the truly best answer": lambda view: view.responses[int(np.argmax(view.run.scenario.true_reward[view.prompt]))],
    "the highest-scored answer": lambda view: view.responses[int(np.argmax(view.run.reward.scores[view.prompt]))],
    "buzzwords that say nothing": lambda view: BUZZWORDS,
}
"""Texts to start from."""


@once
def earned(view: View, text: str) -> Panel:
    """What each feature of a typed response earns, in reward units."""
    values = view.run.reward.contributions(view.run.scenario, view.prompt, text)
    order = np.argsort(-values, kind="stable")
    final = values[order]
    bars = named_bars(
        view, [FEATURES[i].label for i in order], final, x="earned against an average SFT answer [reward units]",
        now=final, limits=(float(final[-1]), float(final[0])),
    )  # fmt: skip
    return Panel("What your response earns", bars, "Reward that each feature of the typed response earns.")


@once
def appraisal(view: View, text: str) -> str:
    """Score of a typed response in words, and what is remarkable about it."""
    values = view.run.reward.contributions(view.run.scenario, view.prompt, text)
    total, scores = float(values.sum()), view.run.reward.scores[view.prompt]
    beaten, best, worst = int((scores < total).sum()), int(np.argmax(values)), int(np.argmin(values))
    many = "all" if beaten == len(scores) else f"{beaten} of" if beaten else "none of"
    words = (
        f"**Reward {minus(total, '+.2f')}**, above {many} this prompt’s {len(scores)} answers. Most is "
        f"earned by “{FEATURES[best].label}” ({minus(values[best], '+.2f')}), least by “{FEATURES[worst].label}” "
        f"({minus(values[worst], '+.2f')})."
    )
    if not text.strip():
        return f"{words} An empty response has a score too: what it lacks is counted like what it has."
    if not measure(view.question, [text])[0, FEATURE_NAMES.index("words")]:
        return f"{words} The features find no English word in it: the model is blind to what it says."
    if beaten == len(scores):
        words += " Nothing in the model asks whether it is true, or an answer at all."
    return words
