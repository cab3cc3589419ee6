"""Every sentence that the app can show of a look, in one place: what figures, passages, narration and tour say."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from html import unescape

import numpy as np

from pages.drawing.chart import Chart
from pages.drawing.live import Live
from pages.drawing.view import View
from pages.figures.lab.asked import ANSWERS
from pages.frame import payoff
from pages.frame.narration import narrate
from pages.frame.presets import PRESETS, settings_of
from pages.frame.tour import STEPS
from rlhf_core import Settings
from tests.everything import everything
from tests.settings_at_random import Look, trained

SLOT = re.compile(r'<(\w+)[^>]*\bdata-slot="([^"]*)"[^>]*>')
BLOCK = re.compile(r"</?(?:p|div|section|h\d|li|ul|td|th|tr|small|br|figcaption)\b[^>]*>")
TAG = re.compile(r"<[^>]*>")
LIST = re.compile(r"^\s*(?:[-*] |#+ |> )", re.MULTILINE)
END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9“*√πρ])|\s*\n\s*")
ANSWER, NAME = "‹answer›", "‹name›"
KINDS = re.compile(r"\w+(?: \w+)? · \w+(?: \w+)? · \w+(?: \w+)?")


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence, who says it, and the view of which it must be true; answers and their names are masked."""

    source: str
    text: str
    view: View


def sentences(look: Look) -> Iterator[Said]:
    """What the pages say of a look; questions, presets and steps of the tour take turns."""
    view, number = look.view, look.settings.seed
    texts = [*_pages(view), *(("narration", narrate(view.run, f, view.prompt)) for f in view.timeline.frames)]
    yield from (said for source, text in texts for said in _split(source, text, view))
    yield from _split("payoff", payoff.summary(view.run), view)
    answer = ANSWERS[number % len(ANSWERS)]
    yield from _split(f"asked: {answer.name}", f"{answer.question}\n{answer.say(answer.measure(view.run))}", view)
    step = STEPS[number % len(STEPS)]
    there = _moved(look, replace(look.settings, **step.changes))
    yield from _split(f"tour: {step.title}", "\n".join((step.question, step.do, step.see(there.run))), there)
    preset = list(PRESETS.values())[number % len(PRESETS)]
    there = _moved(look, settings_of(preset, look.settings))
    yield from _split(f"preset: {preset.title}", f"{preset.symptom(there.run)}\n{preset.remedy}", there)


def _moved(look: Look, settings: Settings) -> View:
    return replace(look.view, run=trained(settings)[0], timeline=trained(settings)[1], pinned=None)


def _pages(view: View) -> Iterator[tuple[str, str]]:
    """Source and text of whatever the pages draw or write."""
    for source, made in everything(view):
        match made:
            case str():
                yield source, made
            case Chart():
                notes = [note["text"] for note in made.drawing.layout.get("annotations", ())]
                words = (made.question, made.title, made.guide, made.reading, made.alt)
                yield from ((source, text) for text in (*words, *notes))
            case Live():
                rows = np.unique(made.rows)
                yield from ((source, _filled(made, int(row))) for row in {rows[0], rows[len(rows) // 2], rows[-1]})


def _filled(live: Live, row: int) -> str:
    """A passage as it reads at one row, a line for each block."""
    text = SLOT.sub(lambda slot: f"{slot[0]}{live.values[slot[2]][row]}", live.template)
    return unescape(TAG.sub("", BLOCK.sub("\n", text)))


def _split(source: str, text: str, view: View) -> Iterator[Said]:
    """A text's sentences: Markdown's lines joined, its lists and headings apart."""
    marked = LIST.sub("\n\n", text.strip())
    for paragraph in re.split(r"\n\s*\n", marked) if "\n\n" in marked else marked.split("\n"):
        masked = _masked(" ".join(paragraph.split()), view)
        yield from (Said(source, part, view) for part in END.split(masked) if part.strip())


def _masked(text: str, view: View) -> str:
    """The text without the answers that it quotes: whatever they say, the app does not say it."""
    text = _phrases(view.run.settings.scenario).sub(ANSWER, text)
    return KINDS.sub(NAME, re.sub(rf"{ANSWER}(?:\s*(?:{ANSWER}|[^…“”‹]{{0,30}}…))*", ANSWER, text))


@lru_cache
def _phrases(scenario: str) -> re.Pattern[str]:
    """Phrases of a scenario and its prompts, whole or cut off by an ellipsis."""
    phrases = trained(Settings(scenario=scenario))[0].scenario
    texts = {phrase.text for slots in phrases.phrases for row in slots.values() for phrase in row} | {*phrases.prompts}
    whole = [re.escape(text) for text in sorted(texts, key=len, reverse=True)]
    begun = [rf"{re.escape(text[:8])}[^…\n“”]{{0,70}}…" for text in sorted(texts)]
    return re.compile("|".join(whole + begun))
