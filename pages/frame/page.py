"""How every page opens: inside the frame, with the stage on top."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from html import escape

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.drawing import glossary, table
from pages.drawing.chart import Chart, Words, ended
from pages.drawing.live import Live
from pages.drawing.view import View
from pages.frame import guessing, lesson, navigation, playback, presets, runs, sidebar, taken, tour, tour_strip
from pages.frame.memory import brought_in
from pages.frame.parts import Part, Parts, failed
from pages.frame.prose import coloured
from pages.stage import Payload, Stage, open_stage
from rlhf_core import PipelineRun, Settings
from rlhf_core.timeline import Frame

LOST = "This part could not be made with these settings. The fault is ours; the rest of the page holds."
LATER = "What came of it is told here once it has been played: press Run, or Step."
log = logging.getLogger(__name__)
DrawChart = Callable[[View], Chart]


@dataclass(frozen=True, slots=True, eq=False)
class Page(Parts):
    """An open page: the view that its figures draw, the playhead, and the stage that plays them."""

    view: View
    playhead: Frame
    stage: Stage
    places: Mapping[str, DeltaGenerator] | None = None
    """Where the parts go that a lesson names; without a lesson each stands where the script draws it."""
    guessing: bool = False
    """Whether the reader has asked to draw what they expect."""
    known: set[str] = field(default_factory=set)
    """Terms of the glossary that the page has marked so far."""

    @property
    def held(self) -> bool:
        """Whether results are kept back, for the reader is guessing and the run has not come to its end."""
        return self.guessing and self.playhead.phase != "done"

    def guessed(self, draw: DrawChart, guess: DrawChart, answered: DrawChart, *, level: int = 3) -> None:
        """Play a figure on which the reader may draw a guess first: another one then, and at the end a third."""
        shown = draw if not self.guessing else guess if self.held else answered
        if place := lesson.place(self.places, draw):
            with place, self._or_a_sentence(draw):
                self._show(shown, self._drawn(shown), level=level, below=guessing.switch)

    def chart(self, draw: DrawChart, formula: str = "", *, level: int = 3) -> None:
        """Play a figure: its title above as a heading, and a formula if it has one; how to read it below."""
        if self._kept_back(draw):
            return
        if place := lesson.place(self.places, draw):
            with place, self._or_a_sentence(draw):
                self._show(draw, self._drawn(draw), formula, level=level)

    def compare(self, draw: Callable[[View], Chart], pinned: Settings) -> None:
        """Play a figure that shows a pinned run too."""
        if self._kept_back(draw):
            return
        if place := lesson.place(self.places, draw):
            with place, self._or_a_sentence(draw):
                self._show(draw, self._drawn(draw, pinned), pinned=pinned)

    def live(self, draw: Callable[[View], Live]) -> None:
        """Play a passage of text."""
        if self._kept_back(draw):
            return
        if place := lesson.place(self.places, draw):
            with place, self._or_a_sentence(draw):
                self.stage.live(self._drawn(draw), key=draw.__name__.replace("_", "-"))

    def beside(self, *columns: Part | Sequence[Part], middle: bool = False) -> None:
        """Show columns of parts, on a narrow screen one below the other; level with each other's middle if wanted."""
        places = st.columns(len(columns), gap="large", vertical_alignment="center" if middle else "top")
        self._fill(places, columns)

    def contents(self, sections: Mapping[str, str]) -> None:
        """Offer the page's sections by their short names; in the margin, where there is one, they follow the reader."""
        links = "".join(f'<li><a href="#{anchor}">{escape(name)}</a></li>' for anchor, name in sections.items())
        if self.places is None:
            st.html(f'<nav class="rlhf-contents" aria-label="On this page"><ol>{links}</ol></nav>')

    def text(self, write: Callable[[View], str]) -> None:
        """Show a passage of Markdown that holds the run's numbers."""
        if self._kept_back(write):
            return
        with self._or_a_sentence(write):
            self.say(runs.written(write, *self._view))

    def say(self, text: str) -> None:
        r"""Show Markdown; terms of the glossary are marked where they come first, formulas coloured as in `formula`."""
        st.markdown(self._worded(text))

    def note(self, text: str) -> None:
        """Show Markdown in small print, otherwise like `say`."""
        st.caption(self._worded(text))

    def outcome(self, write: Callable[[PipelineRun], str], stage: str) -> None:
        """Say in small print what a stage has come to, once it has been played to its end."""
        run = self.view.run
        told = ended(stage, self.playhead, run.settings) and not self.held
        self.note(write(run) if told else LATER)

    def formula(self, source: str) -> None:
        r"""Show a formula whose terms are coloured as in the charts, e.g. `\reward{r(x,y)}`."""
        st.latex(coloured(source, self.view.palette))

    def _show(
        self, draw: DrawChart, payload: Payload, formula: str = "", *, level: int = 3,
        below: Callable[[], None] = lambda: None, pinned: Settings | None = None,
    ) -> None:  # fmt: skip
        words = payload.words
        title, below_it = words_of(words, words.told(self.playhead, self.view.run.settings)) if words else ("", "")
        if title:
            st.markdown(f"{'#' * (level if self.places is None else 2)} {title}")
        if formula:
            self.formula(formula)
        key = draw.__name__.replace("_", "-")
        alone = lesson.part_name(draw.__name__) in lesson.offered(self.stage.page)
        figure = partial(self._figure, draw, pinned)
        self.stage.chart(payload, figure, key=key, alone=alone, code=taken.draws(draw, pinned))
        below()
        if below_it:
            self.note(below_it)
        if words:
            self.data(figure, title or words.alt, key)

    def data(self, figure: Callable[[int], go.Figure], name: str, key: str) -> None:
        """Offer a figure's numbers as a table, made only once the reader opens it."""
        folded = st.expander("Data", type="compact", key=f"data-{self.stage.page}-{key}", on_change="rerun")
        if folded.open:
            folded.html(table.markup(figure(self.stage.frame), name))

    @contextmanager
    def _or_a_sentence(self, draw: Callable[[View], object]) -> Iterator[None]:
        """A part that fails is one sentence to the reader and a traceback in the log; the page goes on."""
        try:
            yield
        except Exception as error:  # whatever a figure runs into; that none does is tested at random settings
            failed(log, draw, error, self.view.run.settings, f"prompt {self.view.prompt + 1}")
            st.caption(LOST)

    def _kept_back(self, draw: Callable[[View], object]) -> bool:
        """Whether a part knows a result that the reader wants to guess; then it says that it waits."""
        back = self.held and draw.__name__ not in guessing.OPEN
        if back and lesson.place(self.places, draw):
            st.caption(guessing.KEPT_BACK)
        return back

    def _worded(self, text: str) -> str:
        remember = brought_in(self.view.run.settings) is None
        return glossary.underlined(coloured(text, self.view.palette), self.known, remember=remember)

    def _drawn(self, draw: Callable[[View], Chart | Live], pinned: Settings | None = None) -> Payload:
        return runs.drawn(draw, *self._view, pinned)

    def _figure(self, draw: DrawChart, pinned: Settings | None, frame: int) -> go.Figure:
        return draw(runs.view(*self._view, pinned)).at(frame)

    @property
    def _view(self) -> tuple[Settings, int, bool]:
        """What the view is of, as what is kept for all readers is asked for."""
        return self.view.run.settings, self.view.prompt, self.view.palette.name == "dark"


def words_of(words: Words, told: bool) -> tuple[str, str]:
    """What stands above and below a chart, before its finding is told or after."""
    if told:
        return words.title, f"{words.guide} {words.reading}".strip()
    return words.question, words.guide or LATER


def open_page(name: str, title: str) -> Page:
    """Draw the head of a page, and return what its script needs.

    Must be the first statement of a page script.
    """
    navigation.require_frame()
    settings, prompt = sidebar.settings(), sidebar.prompt()
    view = runs.view(settings, prompt, st.context.theme.type == "dark")
    at = playback.playhead(view.timeline)
    tour.current()  # reads the link, so that its note stands with the others
    embedded = st.context.is_embedded  # then the stage comes first
    if not embedded:
        st.title(title)
        _notes(name)
    stage = open_stage(
        runs.storyboard(settings, prompt),
        page=name,
        playhead=at,
        speed=sidebar.speed(),
        on_report=playback.hear,
        seek=playback.last_seek(),
        play=playback.plays(),
    )
    frame = view.timeline.find(at)
    if embedded:
        _notes(name)
    tour_strip.show(view.run, frame, name)
    places = lesson.places(name)  # what a page draws later, outside of them, stays hidden
    if embedded:
        st.title(title)
    if name not in ("lab", "yours") and not tour.current():  # a game, and the tour, hide how a run ends
        presets.note(view.run, played=frame.phase == "done")
    return Page(view, frame, stage, places, guessing.on(name))


def _notes(page: str) -> None:
    for sentence in (*sidebar.notes(), *lesson.notes(page)):
        st.text(f"\N{WARNING SIGN} In the link, {sentence}")
