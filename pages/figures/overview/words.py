"""The glossary as a list, at the end of the Overview."""

from html import escape

import numpy as np

from pages.drawing.glossary import TERMS, anchor
from pages.drawing.live import Live
from pages.drawing.view import View


def glossary(view: View) -> Live:
    """Every term of the pages with its sentence; it stands still."""
    entries = "".join(
        f'<div id="list-{anchor(key)}"><dt>{escape(term.name)}</dt><dd>{escape(term.meaning)}</dd></div>'
        for key, term in TERMS.items()
    )
    return Live(f'<dl class="gl-list">{entries}</dl>', np.zeros(len(view.timeline.frames), int))
