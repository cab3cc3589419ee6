"""What a page's script shows, whoever draws it: Streamlit, or a file."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from logging import Logger
from typing import Any, get_type_hints

from pages.drawing.chart import Chart
from pages.drawing.live import Live
from pages.drawing.view import View
from pages.frame.faults import kind_and_place
from pages.frame.memory import brought_in
from rlhf_core import Settings

Part = str | Callable[[View], Chart] | Callable[[View], Live] | Callable[[View], str]
"""Markdown, or what draws or writes something of a view."""


class Parts:
    """Shows parts by their kind, for whoever has `chart`, `live`, `text` and `say`."""

    __slots__ = ()

    def show(self, part: Part) -> None:
        """Show a chart, a passage or Markdown, whichever it is."""
        if isinstance(part, str):
            return self.say(part)
        kind = get_type_hints(part)["return"]
        {Chart: self.chart, Live: self.live, str: self.text}[kind](part)

    def _fill(self, places: Iterable[AbstractContextManager[Any]], columns: Iterable[Part | Sequence[Part]]) -> None:
        """Show each column's parts in its place."""
        for place, parts in zip(places, columns, strict=True):
            with place:
                for part in [parts] if isinstance(parts, str) or callable(parts) else parts:
                    self.show(part)


def failed(log: Logger, draw: Callable[..., Any], error: Exception, settings: Settings, where: str) -> None:
    """Log an error; of one over a reader's own scenario only its kind and place, for the rest may quote it."""
    name = f"{draw.__module__}.{draw.__name__}"
    if brought_in(settings) is None:
        log.error("%s, %s, %s", name, where, settings.to_query(), exc_info=error)
    else:
        log.error("%s, %s: %s at %s", name, where, *kind_and_place(error))
