"""Preference pairs that a reader brings: read, counted, and how much of them style explains."""

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from pages.drawing.theme import Palette
from pages.drawing.wording import plural
from pages.figures.yours import pairs as figures
from pages.frame import job_panel, material, runs
from pages.frame.page import Page
from pages.frame.yours import plots
from pages.stage import Stage
from rlhf_core import PipelineRun, Settings
from rlhf_core.yours.command import as_counts, as_report
from rlhf_core.yours.pairs import MOST_PAIRS, PreferencePairs, parse_pairs
from rlhf_core.yours.preference_fit import PairsReport, fit_pairs_pieces
from rlhf_core.yours.shapes import Columns, Unnamed

PLACE, UNCLEAR = "pairs", "pairs-unclear"
NO_PROMPT = "(none)"
COUNTS = {
    "pairs": "pairs", "prompts": "prompts", "ties": "ties, left out", "empty": "empty, left out",
    "identical": "identical answers", "contradictory": "contradictory", "duplicates": "duplicates",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Brought:
    """Pairs, and what is counted in them."""

    pairs: PreferencePairs
    counts: dict[str, Any]
    columns: Columns | None
    """As the reader has named them, if the file does not say."""


@dataclass(frozen=True, slots=True, eq=False)
class Unclear:
    """A file whose columns the reader has to name."""

    data: bytes
    name: str
    columns: tuple[str, ...]


def section(page: Page) -> None:
    """Bring pairs, and see the report."""
    st.markdown(
        "## How much of your preferences can style explain?\n\nA reward model that cannot read, only count words and "
        "marks of style, is fitted to your pairs and tested on prompts that it has not seen. What it gets right, a "
        "large reward model may get right for the same reason."
    )
    formats = "JSONL, JSON, CSV, TSV or Parquet, gzipped or not"
    material.upload(PLACE, f"A file of preference pairs: {formats}; at most {MOST_PAIRS:,} pairs", _read)
    _buttons(page.view.run.settings)
    material.say(PLACE)
    _columns()
    there = material.held(PLACE)
    if there is not None:
        _counted(there)
        pairs, palette, stage = there.content.pairs, page.view.palette, page.stage
        of, lines = f"my preference pairs {there.name}", python(there.name, there.content.columns)
        job_panel.show(
            "yours", material.mine(PLACE), partial(fit_pairs_pieces, pairs),
            lambda report: _draw(stage, palette, report, of, lines), label="Percent done", shared=False,
        )  # fmt: skip
    st.markdown(figures.CAN_TELL)


def sample(run: PipelineRun) -> bytes:
    """The comparisons of a run of ours as a file, one JSON object a line."""
    scenario, pairs = run.scenario, run.reward.pairs
    rows = (
        {"prompt": scenario.prompts[p], "chosen": scenario.responses[p][a], "rejected": scenario.responses[p][b]}
        for p, a, b in zip(pairs.prompt, pairs.chosen, pairs.rejected, strict=True)
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _buttons(settings: Settings) -> None:
    name = f"rlhf-pairs-{settings.scenario}-seed{settings.seed}.jsonl"
    data = lambda: sample(runs.shared_run(settings)[0])  # noqa: E731  # a session holds what its buttons hold: no run
    with st.container(horizontal=True):
        st.button("Try our sample", key="yours-pairs-sample", on_click=material.take,
                  args=(PLACE, name, lambda: _read(data(), name)))  # fmt: skip
        st.download_button("Download our sample", data, name, "application/jsonl", key="yours-pairs-get",
                           on_click="ignore")  # fmt: skip
        if material.held(PLACE):
            st.button("Forget my pairs", key="yours-pairs-forget", on_click=material.forget, args=(PLACE,))


def _read(data: bytes, name: str, columns: Columns | None = None) -> Brought:
    material.drop(UNCLEAR)
    try:
        pairs = parse_pairs(data, name, columns)
    except Unnamed as unnamed:
        if len(unnamed.columns) > 1:
            found = Unclear(data, name, unnamed.columns)
            material.take(UNCLEAR, name, lambda: found)
        raise
    return Brought(pairs, as_counts(pairs), columns)


def _columns() -> None:
    """Where the names of the columns do not say what they hold, the reader does."""
    there = material.held(UNCLEAR)
    if there is None:
        return
    names = there.content.columns
    with st.form(f"yours-pairs-columns-{there.number}"):
        boxes = st.columns(3)
        keys = [f"yours-pairs-{part}-{there.number}" for part in ("chosen", "rejected", "prompt")]
        boxes[0].selectbox("Column of the chosen answer", names, 0, key=keys[0])
        boxes[1].selectbox("Column of the rejected answer", names, 1, key=keys[1])
        boxes[2].selectbox("Column of the prompt", [NO_PROMPT, *names], 0, key=keys[2])
        st.form_submit_button("Read these columns", on_click=_read_columns, args=(there.content, keys))


def _read_columns(unclear: Unclear, keys: list[str]) -> None:
    chosen, rejected, prompt = (str(st.session_state[key]) for key in keys)

    def read() -> Brought:
        if chosen == rejected:
            raise ValueError("chosen and rejected answer must be two different columns")
        return _read(unclear.data, unclear.name, Columns(chosen, rejected, "" if prompt == NO_PROMPT else prompt))

    material.take(PLACE, unclear.name, read)


def _counted(there: material.Material[Brought]) -> None:
    """What was read, and what makes it harder to use."""
    counts = there.content.counts
    st.text(f"{there.name}, read as {there.content.pairs.shape}")
    with st.container(horizontal=True):
        for name, label in COUNTS.items():
            st.metric(label, f"{counts[name]:,}", width="content")
        st.metric("longer answer chosen", f"{counts['longer_wins']:.0%}", width="content")
    for note in there.content.pairs.notes:
        st.caption(note)
    if counts["prompts_differ"]:
        st.caption(
            f"In {plural(counts['prompts_differ'], 'pair')} the two dialogues ask different things: their answers are "
            "compared all the same, with the chosen one’s prompt."
        )


def python(name: str, columns: Columns | None) -> str:
    """Lines that read and fit the pairs as the page does."""
    named = "" if columns is None else f", {columns!r}"
    imported = "" if columns is None else "from rlhf_core.yours.shapes import Columns\n"
    return f"""from rlhf_core.yours import fit_pairs, load_pairs
{imported}
report = fit_pairs(load_pairs({name!r}{named}))
"""


def _draw(stage: Stage, palette: Palette, report: PairsReport, of: str, lines: str) -> None:
    st.markdown(f"**Finding.** {figures.finding(report)}")
    plots.show(stage, figures.charts(report, palette), "pairs", of, lines, "charts(report, LIGHT)")
    st.markdown(figures.lesson(report))
    if report.blind:
        blind = ", ".join(report.blind)
        st.caption(f"Blind here, as no answer has any of it or the language is another: {blind}.")
    st.download_button(
        "Download the report as JSON", lambda: json.dumps(as_report(report), indent=1), "rlhf-pairs-report.json",
        "application/json", key="yours-pairs-report", on_click="ignore",
    )  # fmt: skip
