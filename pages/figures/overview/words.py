"""The glossary as a list, at the end of the Overview."""

from html import escape

import numpy as np

from pages.drawing.glossary import TERMS, anchor
from pages.drawing.live import Live
from pages.drawing.view import View
from pages.drawing.wording import plain
from rlhf_core.scenarios.brought import Brought

INTRODUCTION = (
    "A language model that has only read the web continues text; it does not try to help. **Reinforcement learning "
    "from human feedback** teaches it what people want: they write some answers to imitate, they compare others, "
    "and the model practises until its answers win such comparisons, without drifting too far from where it began. "
    "The model that answers is called the *policy*. Here all three stages really train, in a world so small that "
    "its truth is known."
)


def asked(view: View) -> str:
    """The prompt that is looked at, and where others are."""
    return f"**“{plain(view.question)}”** Choose another prompt in the sidebar."


def computed(view: View) -> str:
    """What is written by hand, and what is not."""
    own = isinstance(view.run.settings.scenario, Brought)
    authored = "in your own file" if own else "by hand, and valued by a rule at the head of their files"
    return (
        f"The prompts and answers are written {authored}. Everything else "
        "is computed: SFT, the reward model and PPO train in numpy when you change a control, and the same settings "
        "give the same run, bit for bit on one kind of machine. This command prints its six figures:"
    )


def glossary(view: View) -> Live:
    """Every term of the pages with its sentence; it stands still."""
    entries = "".join(
        f'<div id="list-{anchor(key)}"><dt>{escape(term.name)}</dt><dd>{escape(term.meaning)}</dd></div>'
        for key, term in TERMS.items()
    )
    return Live(f'<dl class="gl-list">{entries}</dl>', np.zeros(len(view.timeline.frames), int))
