"""A page's script, run on paper: its HTML, and what the stage plays in it."""

import builtins
import logging
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from html import escape
from types import CodeType, SimpleNamespace
from typing import Any

from pages.drawing import glossary, table, theme
from pages.drawing.chart import Chart
from pages.drawing.live import Live
from pages.drawing.view import View
from pages.figures.metrics.compare import pinned_and_current
from pages.frame import lesson, payoff, presets, taken, turns
from pages.frame.memory import brought_in
from pages.frame.page import LATER, LOST, words_of
from pages.frame.parts import Part, Parts, failed
from pages.frame.standalone import prose
from pages.frame.standalone.paper import Box, Paper
from pages.frame.standalone.state import State
from pages.frame.standalone.themes import Themes
from pages.stage import Payload, encode_chart, encode_live
from rlhf_core import PipelineRun, Settings
from rlhf_core.timeline import Frame

PATIENCE_SECONDS = 0.05
"""For pages, before each chart: they come first."""
NOTHING = SimpleNamespace(section=lambda page: None, downloads=lambda page: None, reproduce=lambda page: None,
                          invitation=lambda: None, apply=None)  # fmt: skip
"""Stands for modules that offer what one can press."""
LOG = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Printed(Parts):
    """Stands for a `Page`: what a script shows goes on paper."""

    state: State
    paper: Paper
    view: View
    dark: View
    title: str = ""
    name: str = ""
    guessing: bool = False
    themes: Themes = field(default_factory=Themes)
    payloads: dict[str, Payload] = field(default_factory=dict)
    tables: dict[str, bytes] = field(default_factory=dict)
    code: dict[str, dict[str, str]] = field(default_factory=dict)
    """Which functions draw the charts."""
    places: dict[str, Box] | None = None
    """Where the parts go that are wanted; None for the whole page."""
    sections: Mapping[str, str] = field(default_factory=dict)
    """Anchors of the page's sections, and their short names."""
    known: set[str] = field(default_factory=set)

    def chart(self, draw: Callable[[View], Chart], formula: str = "", *, level: int = 3) -> None:
        """A figure with its title, formula, reading and numbers."""
        turns.give_way(PATIENCE_SECONDS)
        if place := lesson.place(self.places, draw):
            with place, self._or_a_sentence(draw):
                self._chart(draw, formula, level)

    def guessed(self, draw: Callable[[View], Chart], *_: Callable[[View], Chart], level: int = 3) -> None:
        """A figure on which the app lets one guess; a file shows it as it is."""
        self.chart(draw, level=level)

    def compare(self, draw: Callable[[View], Chart], pinned: Settings) -> None:
        """A figure that shows the pinned run, which the view has."""
        self.chart(draw)

    def live(self, draw: Callable[[View], Live]) -> None:
        """A passage of text that is played."""
        if place := lesson.place(self.places, draw):
            with place, self._or_a_sentence(draw):
                self._mount(draw, encode_live(draw(self.view)), encode_live(draw(self.dark)))

    def beside(self, *columns: Part | Sequence[Part], middle: bool = False) -> None:
        """Columns of parts."""
        self._fill(self.paper.columns(len(columns), vertical_alignment="center" if middle else "top"), columns)

    def contents(self, sections: Mapping[str, str]) -> None:
        """The page's sections, of which those that have come to something are offered."""
        self.sections = sections

    def text(self, write: Callable[[View], str]) -> None:
        """Markdown that holds the run's numbers."""
        with self._or_a_sentence(write):
            self.say(write(self.view))

    def say(self, text: str) -> None:
        """Markdown."""
        self.paper.add(self._worded(text))

    def note(self, text: str) -> None:
        """Small print."""
        self.paper.add(f'<div class="note">{self._worded(text)}</div>')

    def outcome(self, write: Callable[[PipelineRun], str], stage: str) -> None:
        """What a stage has come to, in small print, once it has been played to its end."""
        words = self._told(stage, LATER, write(self.view.run))
        self.paper.add(f'<div class="note">{words}</div>')

    def formula(self, source: str) -> None:
        """A formula on a line of its own."""
        self.paper.add(prose.formula(source))

    def payoff(self, _: Any) -> None:
        """What the run has come to, once it has been played."""
        text = f"**What this run came to.** {payoff.summary(self.view.run)}"
        self.paper.add(self._told("done", "", text))

    def pins(self, _: Any) -> None:
        """The comparison, if the link has one."""
        if self.view.pinned is not None:
            self.chart(pinned_and_current)

    def advice(self) -> None:
        """What to look for, if this is a preset."""
        preset = presets.active(self.view.run.settings)
        if preset and preset.changes:
            before, after = f"**{preset.title}.** {presets.LATER}", presets.advice(preset, self.view.run)
            self.paper.add(f'<div class="framed">{self._told("done", before, after)}</div>')

    # ------------------------------------------------------------ a part of it

    @contextmanager
    def _or_a_sentence(self, draw: Callable[[View], Any]) -> Iterator[None]:
        """A part that fails is one sentence, as on the page."""
        try:
            yield
        except Exception as error:
            failed(LOG, draw, error, self.state.settings, "in a file")
            self.paper.add(f'<p class="note">{escape(LOST)}</p>')

    def _chart(self, draw: Callable[[View], Chart], formula: str, level: int) -> None:
        chart = draw(self.view)
        (question, before), (title, after) = words_of(chart.words, False), words_of(chart.words, True)
        sharps = "#" * (level if self.places is None else 2)

        def told(early: str, late: str) -> str:
            return self._told(chart.told_at, early, late) if chart.question else self._worded(late)

        if title:
            self.paper.add(told(f"{sharps} {question}", f"{sharps} {title}"))
        if formula:
            self.formula(formula)
        key = self._mount(draw, encode_chart(chart), encode_chart(draw(self.dark)))
        if after:
            self.paper.add(f'<div class="note">{told(before, after)}</div>')
        self.paper.add(f'<details class="data"><summary>Data</summary><div data-table="{key}"></div></details>')
        self.tables[key] = zlib.compress(self._numbers(chart).encode(), 9)

    def _mount(self, draw: Callable[[View], Any], light: Payload, dark: Payload) -> str:
        key = f"{draw.__name__.replace('_', '-')}-{len(self.payloads)}"
        self.payloads[key] = self.themes.both(light, dark)
        if light.role == "chart":
            self.code[key] = taken.draws(draw, self.state.pinned if draw is pinned_and_current else None)
        height = f' style="min-height: {light.height}px"' if light.height else ""
        self.paper.add(f'<div data-part="{key}"{height}></div>')
        return key

    def _numbers(self, chart: Chart) -> str:
        """Tables of a chart: at the moment that the link names, and at the end of the run."""
        frames = self.view.timeline.frames
        moments = dict.fromkeys([*([self.state.number] if self.state.at != "idle" else []), len(frames) - 1])
        return "".join(
            f"<p>At {moment(frames[at])}</p>{table.markup(chart.at(at), title or chart.alt)}"
            for at in moments
            for title, _ in [words_of(chart.words, chart.words.told(frames[at], self.state.settings))]
        )

    def _told(self, stage: str, before: str, after: str) -> str:
        """Markdown that stands there until a stage has been played to its end, and what from then on."""
        told, known = self.state.told(stage), set(self.known)
        early = f'<div data-until="{stage}"{" hidden" * told}>{self._worded(before, known)}</div>' if before else ""
        return f'{early}<div data-from="{stage}"{" hidden" * (not told)}>{self._worded(after)}</div>'

    def _worded(self, text: str, known: set[str] | None = None) -> str:
        known, remember = self.known if known is None else known, brought_in(self.state.settings) is None
        return prose.html(glossary.underlined(text, known, remember=remember))


def moment(frame: Frame) -> str:
    """A moment in words."""
    match frame.phase:
        case "sft":
            return f"SFT epoch {frame.sft_epoch}"
        case "rm":
            return f"reward-model epoch {frame.rm_epoch}"
        case "ppo" if frame.line not in (None, "update"):
            return f"PPO step {frame.ppo_step + 1}, {frame.line}"
        case "ppo":
            return f"PPO step {frame.ppo_step}"
    return {"idle": "the beginning", "done": "the end of the run"}[frame.phase]


def printed(state: State) -> Printed:
    """Run a page's script on paper."""
    paper = Paper({"optimum": state.optimum})
    page = Printed(state, paper, state.view(theme.LIGHT), state.view(theme.DARK))
    if state.show:
        _make_places(page)
    exec(_code(state.page), {"__name__": state.page, "__builtins__": {**vars(builtins), "__import__": _imports(page)}})
    return page


def _make_places(page: Printed) -> None:
    """Places for the wanted parts, two in a row; what else the script draws goes nowhere."""
    paper, parts = page.paper, [name for name in page.state.show if name != lesson.STAGE]
    page.places = {}
    for first in range(0, len(parts), 2):
        row = parts[first : first + 2]
        page.places |= zip(row, paper.columns(len(row)), strict=True)
    paper.open = [Box(paper)]


def _imports(page: Printed) -> Callable[..., Any]:
    """An `__import__` that gives paper for Streamlit, and the printed page for what draws with it."""

    def open_page(name: str, title: str) -> Printed:
        page.name, page.title = name, title
        page.advice()
        return page

    frame = SimpleNamespace(
        tour=NOTHING, presets=NOTHING, typed_response=NOTHING, sharing=NOTHING,
        payoff=SimpleNamespace(show=page.payoff), pins=SimpleNamespace(section=page.pins),
    )  # fmt: skip
    instead = {
        "streamlit": page.paper, "pages.frame": frame, "pages.frame.page": SimpleNamespace(open_page=open_page),
    }  # fmt: skip

    def import_(name: str, *rest: Any) -> Any:
        return instead[name] if name in instead else builtins.__import__(name, *rest)

    return import_


@cache
def _code(page: str) -> CodeType:
    script = lesson.FOLDER / f"{page}.py"
    return compile(script.read_text(encoding="utf-8"), str(script), "exec")
