"""A chart of a result that is not on the clock of a run: the Lab's and those of a reader's own material."""

from dataclasses import dataclass

from pages.drawing.drawing import Drawing


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One chart of a result."""

    title: str
    drawing: Drawing
    alt: str
