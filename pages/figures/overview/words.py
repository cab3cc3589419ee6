"""The glossary as a list, at the end of the Overview."""

from html import escape

import numpy as np

from pages.drawing.glossary import TERMS, anchor
from pages.drawing.live import Live
from pages.drawing.view import View

INTRODUCTION = (
    "A language model that has only read the web continues text; it does not try to help. **Reinforcement learning "
    "from human feedback** teaches it what people want: they write some answers to imitate, they compare others, "
    "and the model practises until its answers win such comparisons, without drifting too far from where it began. "
    "The model that answers is called the *policy*. Here all three stages really train, in a world so small that "
    "its truth is known."
)


def glossary(view: View) -> Live:
    """Every term of the pages with its sentence; it stands still."""
    entries = "".join(
        f'<div id="list-{anchor(key)}"><dt>{escape(term.name)}</dt><dd>{escape(term.meaning)}</dd></div>'
        for key, term in TERMS.items()
    )
    return Live(f'<dl class="gl-list">{entries}</dl>', np.zeros(len(view.timeline.frames), int))
