"""How every page opens: inside the frame, with the stage on top."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pages.figures.chart import Chart
from pages.figures.live import Live
from pages.figures.view import View
from pages.frame import navigation, playback, presets, runs, sidebar, tour
from pages.frame.prose import coloured
from pages.stage import Payload, Stage, open_stage
from rlhf_core import Settings
from rlhf_core.timeline import Frame


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """An open page: the view that its figures draw, the playhead, and the stage that plays them."""

    view: View
    playhead: Frame
    stage: Stage

    def chart(self, draw: Callable[[View], Chart], formula: str = "") -> None:
        """Play a figure: its title above, and a formula if it has one; how to read it below."""
        self._show(draw, self._drawn(draw), formula)

    def compare(self, draw: Callable[[View], Chart], pinned: Settings) -> None:
        """Play a figure that shows a pinned run too."""
        self._show(draw, self._drawn(draw, pinned))

    def live(self, draw: Callable[[View], Live]) -> None:
        """Play a passage of text."""
        self.stage.live(self._drawn(draw), key=draw.__name__.replace("_", "-"))

    def formula(self, source: str) -> None:
        r"""Show a formula whose terms are coloured as in the charts, e.g. `\reward{r(x,y)}`."""
        st.latex(coloured(source, self.view.palette))

    def _show(self, draw: Callable[[View], Chart], payload: Payload, formula: str = "") -> None:
        chart = payload.source
        if chart and chart.title:
            st.markdown(f"#### {chart.title}")
        if formula:
            self.formula(formula)
        self.stage.chart(payload, key=draw.__name__.replace("_", "-"))
        if chart and chart.reading:
            st.caption(chart.reading)

    def _drawn(self, draw: Callable[[View], Chart | Live], pinned: Settings | None = None) -> Payload:
        return runs.drawn(draw, self.view.run.settings, self.view.prompt, self.view.palette.name == "dark", pinned)


def open_page(name: str, title: str) -> Page:
    """Draw the head of a page, and return what its script needs.

    Must be the first statement of a page script.
    """
    navigation.require_frame()
    settings, prompt = sidebar.settings(), sidebar.prompt()
    view = runs.view(settings, prompt, st.context.theme.type == "dark")
    at = playback.playhead(view.timeline)
    st.title(title)
    for sentence in sidebar.notes():
        st.text(f"\N{WARNING SIGN} In the link, {sentence}")
    stage = open_stage(
        runs.storyboard(settings, prompt),
        page=name,
        playhead=at,
        speed=sidebar.speed(),
        on_frame=playback.move,
        seek_id=playback.seek_id(),
    )
    frame = view.timeline.find(at)
    tour.panel(view.run, frame)
    presets.note(view.run)
    return Page(view, frame, stage)
