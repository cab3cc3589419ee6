"""Tables of three columns that become a list on a phone."""

import re
from collections.abc import Sequence
from html import escape

import numpy as np

from pages.drawing.glossary import marked
from pages.drawing.live import Live
from pages.drawing.view import View

LINK = re.compile(r"\[([^\[\]]+)\]\((https?://[^()\s]+)\)")
CODE = re.compile(r"`([^`]+)`")


def grid(view: View, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Live:
    """A table that stands still: its first column names the row; cells may hold [links](https://…) and `code`.

    Each term of the glossary is marked where the table uses it first.
    """
    known: set[str] = set()
    body = "".join(
        '<div class="gr-row" role="row">'
        f'<p class="gr-name" role="rowheader">{_html(name, known)}</p>'
        + "".join(
            f'<p role="cell" data-head="{escape(title)}">{_html(cell, known)}</p>'
            for title, cell in zip(head[1:], cells, strict=True)
        )
        + "</div>"
        for name, *cells in rows
    )
    titles = "".join(f'<p role="columnheader">{escape(title)}</p>' for title in head)
    template = (
        f'<div class="gr-wrap"><div class="gr-table" role="table"><div class="gr-row gr-head" role="row">{titles}</div>'
        f"{body}</div></div>"
    )
    return Live(template, np.zeros(len(view.timeline.frames), int))


def _html(text: str, known: set[str]) -> str:
    """HTML of a cell: links open beside the app, so that the reader's place is kept."""
    linked = LINK.sub(r'<a href="\2" target="_blank" rel="noopener">\1</a>', marked(text, known))
    return CODE.sub(r"<code>\1</code>", linked)
