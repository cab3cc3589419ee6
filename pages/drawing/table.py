"""A figure as a table: what a reader sees on hover, in rows, for those who cannot see or point."""

import html
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from pages.drawing import stages

PLACEHOLDER = re.compile(r"%\{([\w.]+)(?::([^{}]*))?\}")
EXTRA = re.compile(r"<extra>(?:(?!<extra>).)*?</extra>", re.DOTALL)
TAG = re.compile(r"<[^<>]*>")
MOST_ROWS = 500
NOISE = 1e-12
"""What is smaller is a rounding error."""


@dataclass(frozen=True, slots=True)
class Row:
    """One point of a figure; None where an axis only says where a mark stands."""

    trace: str
    x: float | str | None
    y: float | str | None
    text: str
    """What the figure says on hover, or the word beside the mark."""


def rows(figure: go.Figure) -> list[Row]:
    """All points of a figure, trace by trace; without ghosts, without labels, and without gaps."""
    labels = _labels(figure)
    return [row for trace in figure.data if not _is_decoration(trace) for row in _points(figure, trace, labels)]


def heads(figure: go.Figure) -> tuple[str, str]:
    """Titles of the x and y axes, which name the unit; of all panels, where there are several."""
    shown = [trace for trace in figure.data if not _is_decoration(trace)]
    titles = [[_title(figure, trace, letter) for trace in shown] for letter in "xy"]
    return tuple(" / ".join(dict.fromkeys(filter(None, each))) for each in titles)  # type: ignore[return-value]


def markup(figure: go.Figure, name: str) -> str:
    """An HTML table of a figure's points; every text in it is escaped."""
    points = rows(figure)
    columns = [("curve", [row.trace for row in points])]
    columns += [(head, [_written(value) for value in values]) for head, values in zip(
        heads(figure), ([row.x for row in points], [row.y for row in points]), strict=True
    )]  # fmt: skip
    columns += [("reading", [row.text for row in points])]
    kept = [(head or "at", cells) for head, cells in columns if any(cells)]
    head = "".join(f'<th scope="col">{html.escape(title)}</th>' for title, _ in kept)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cells[i])}</td>" for _, cells in kept) + "</tr>"
        for i in range(min(len(points), MOST_ROWS))
    )
    caption = f"{len(points)} points" + (f", the first {MOST_ROWS} of them" if len(points) > MOST_ROWS else "")
    return (
        f'<div class="rlhf-table" role="region" tabindex="0" aria-label="Data: {html.escape(name)}"><table>'
        f"<caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _is_decoration(trace: Any) -> bool:
    """Whether a trace is a ghost, a head or a label: drawn without a name, and silent on hover."""
    return trace.hoverinfo == "skip" and (trace.name is None or getattr(trace, "mode", "") == "text")


def _points(figure: go.Figure, trace: Any, labels: Mapping[Any, str]) -> Iterator[Row]:
    across, along = _values(trace, "x"), _values(trace, "y")
    places = zip(_placed(figure, trace, "x", across), _placed(figure, trace, "y", along), strict=True)
    for i, (x, y, (named_x, named_y)) in enumerate(zip(across, along, places, strict=True)):
        if not (_is_gap(x) or _is_gap(y)):
            text = _said(trace, i, x, y) or labels.get(("y", y), "") or labels.get(("x", x), "")
            yield Row(trace.name or "", named_x, named_y, text)


def _values(trace: Any, letter: str) -> list[Any]:
    found = trace[letter]
    return [] if found is None else [value.item() if hasattr(value, "item") else value for value in found]


def _is_gap(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _axis(figure: go.Figure, trace: Any, letter: str) -> Any:
    """The axis of a trace, or the one that it follows in another panel."""
    axis = figure.layout[f"{letter}axis{(trace[f'{letter}axis'] or letter)[1:]}"]
    follows = axis.matches and not axis.title.text
    return figure.layout[f"{letter}axis{axis.matches[1:]}"] if follows else axis


def _title(figure: go.Figure, trace: Any, letter: str) -> str:
    return plain(_axis(figure, trace, letter).title.text or "")


def _placed(figure: go.Figure, trace: Any, letter: str, values: list[Any]) -> list[Any]:
    """Values as their axis names them; None on an axis that only holds marks apart."""
    axis = _axis(figure, trace, letter)
    ticks = dict(zip(axis.tickvals, axis.ticktext, strict=True)) if axis.ticktext else {}
    if axis.title.text == stages.TITLE:
        return [stages.moment(ticks, value) for value in values]
    if ticks and all(value in ticks for value in values):
        return [plain(ticks[value]) for value in values]
    return values if axis.title.text else [None] * len(values)


def _labels(figure: go.Figure) -> dict[Any, str]:
    """Words for a place on an axis without a title: those beside the mark, or those of another mark there."""
    found: dict[Any, str] = {}
    by_words_beside = sorted(figure.data, key=lambda trace: getattr(trace, "mode", "") != "text")
    for trace in by_words_beside:
        for letter in "xy":
            if not _title(figure, trace, letter):
                for i, at in enumerate(_values(trace, letter)):
                    words = _entry(trace.text, i) or _entry(trace.customdata, i)
                    if isinstance(words, str):
                        found.setdefault((letter, at), plain(words))
    return found


def _said(trace: Any, i: int, x: Any, y: Any) -> str:
    """The hover label of a point; its text where there is none."""
    template = _entry(trace.hovertemplate, i)
    if trace.hoverinfo == "skip" or not template:
        return plain(str(_entry(trace.text, i) or "")) if getattr(trace, "mode", "") != "lines" else ""

    def fill(match: re.Match[str]) -> str:
        name, pattern = match[1].removeprefix("fullData."), match[2] or ""
        value = x if name == "x" else y if name == "y" else _entry(trace[name], i) if name in trace else ""
        return _written(value, pattern.replace("~", ""))

    return plain(PLACEHOLDER.sub(fill, EXTRA.sub("", str(template))))


def _entry(values: Any, i: int) -> Any:
    if values is None or isinstance(values, str) or (not isinstance(values, Sequence) and not hasattr(values, "shape")):
        return values
    return values[i] if i < len(values) else None


def _written(value: Any, pattern: str = "") -> str:
    """A number with a true minus sign, without one before zero; a text as it is."""
    if value is None or isinstance(value, str):
        return value or ""
    text = format(float(value) if abs(value) > NOISE else 0.0, pattern or ".4g")
    return text.replace("-", "" if not re.search("[1-9]", text) else "\N{MINUS SIGN}")


def plain(text: str) -> str:
    """Plotly's small HTML as text; lines become one."""
    return " ".join(html.unescape(TAG.sub("", text.replace("<br>", " "))).split())
