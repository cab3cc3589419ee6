"""A training log, whoever wrote it: rows of named numbers along the steps.

Read are JSONL, JSON (a list, or `log_history` of a trainer's state), CSV, Markdown tables, and what trainers print on
a console: dictionaries between progress bars, and verl's `step:1 - key:value` lines.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from rlhf_core.distributions import Array
from rlhf_core.yours import containers, files
from rlhf_core.yours.printed import printed

STEP_NAMES = ("step", "current_steps", "training/global_step", "global_step", "global_step/max_steps", "iteration",
              "episode", "epoch")  # fmt: skip
"""What counts the steps, the first that a log has."""
SUMMARY = ("train_runtime", "train_samples_per_second", "total_flos")
"""Keys of a row that sums a training up; it is no step."""
FEWEST_KEYS = 2
MOST_ROWS = 50_000
MOST_KEYS = 400
UNIT_IN_NAME = re.compile(r"\((1e[+-]?\d+)\)$")
VERL_LINE = re.compile(r"step:(\d+) - (.*)")
VERL_PAIR = re.compile(r"(?<![\w/@.()+-])([\w/@.()+-]+):(-?(?:\d[\d.,]*(?:e[+-]?\d+)?|nan|inf))", re.IGNORECASE)
LITERALS = {"nan": float("nan"), "inf": float("inf"), "NaN": float("nan"), "Infinity": float("inf")}


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """N rows of a log; the series as they were written, nan where a row has no value."""

    steps: Array
    """(N,) rising."""
    series: Mapping[str, Array]
    """Name in the log -> (N,) values."""
    counted_by: str
    """The column that counts the steps, or "row"."""
    container: str
    notes: tuple[str, ...]


def load_log(path: Path | str) -> Log:
    """Read a training log.

    Raises
    ------
    ValueError
        If the file cannot be read or holds no rows of numbers; names line and reason.
    """
    return parse_log(files.read_bytes(path), str(path))


def parse_log(data: bytes, name: str = "") -> Log:
    """The same from bytes, as of an upload or a pasted text.

    Raises
    ------
    ValueError
        If the log cannot be read or holds no rows of numbers.
    """
    text = files.decoded(files.unpacked(data))
    rows, container = _rows(text, name)
    numbers: list[Mapping[str, float]] = []
    known: dict[str, str] = {}
    count = 0
    for count, row in enumerate(rows, 1):
        if count > MOST_ROWS:
            raise ValueError(f"the log must have at most {MOST_ROWS:,} rows")
        kept = _numbers(row, known)
        if len(kept) >= FEWEST_KEYS and not _is_summary(row):
            numbers.append(kept)
    if not numbers:
        raise ValueError("no row of named numbers was found; expected JSONL, JSON, CSV, a table or a trainer's console")
    return _aligned(numbers, container, count - len(numbers))


def _rows(text: str, name: str) -> tuple[Iterable[Mapping[str, Any]], str]:
    """Rows as mappings, one at a time where it can be, and the container in words."""
    head = text.lstrip()[:1]
    if head in "[{":
        whole = _json(text)
        if whole is not None:
            return whole
        if VERL_LINE.search(text) is None and (rows := _any(printed(text, whole_lines=True))):
            return rows, "JSONL"
    if head == "|":
        return _markdown(text), "Markdown table"
    if VERL_LINE.search(text):
        found = (VERL_LINE.search(line) for _, line in files.lines_of(text))
        return (_verl(match) for match in found if match), "verl console"
    if rows := _any(printed(text.replace("\r", "\n"))):
        return rows, "console"
    return containers.records(text.encode(), name or "log.csv").rows, "table"


def _any(rows: Iterator[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """The same rows, laid flat, if there is one; nothing otherwise."""
    first = next(rows, None)
    return () if first is None else map(_flat, chain([first], rows))


def _json(text: str) -> tuple[list[Mapping[str, Any]], str] | None:
    try:
        value = files.loads(text)
    except ValueError:
        return None
    if isinstance(value, dict) and isinstance(value.get("log_history"), list):
        return [row for row in value["log_history"] if isinstance(row, dict)], "trainer_state.json"
    if isinstance(value, list):
        return [row for row in value if isinstance(row, dict)], "JSON list"
    return ([value], "JSON object") if isinstance(value, dict) else None


def _flat(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row whose figures stand under "data", as verl writes them, with its step."""
    inner = row.get("data")
    return {**inner, "step": row.get("step")} if isinstance(inner, dict) else row


def _markdown(text: str) -> Iterator[Mapping[str, Any]]:
    heads: list[str] = []
    for count, (_, line) in enumerate(files.lines_of(text)):
        cells = [cell.strip() for cell in line.strip("|").split("|", MOST_KEYS)]
        if count > MOST_ROWS:
            raise ValueError(f"the table must have at most {MOST_ROWS:,} lines")
        if not heads:
            heads = cells
        elif line.startswith("|") and not all(set(cell) <= set("-: ") for cell in cells):
            yield dict(zip(heads, cells, strict=False))


def _verl(match: re.Match[str]) -> dict[str, Any]:
    return {"step": match[1], **{name: value.replace(",", "") for name, value in VERL_PAIR.findall(match[2])}}


def _is_summary(row: Mapping[str, Any]) -> bool:
    return any(name in row for name in SUMMARY)


def _numbers(row: Mapping[str, Any], known: dict[str, str]) -> dict[str, float]:
    """Named numbers of a row, those in quotes too; a unit in a name such as `lr(1e-4)` is multiplied in.

    Names met for the first time come into `known`, of which there are at most `MOST_KEYS`.
    """
    kept: dict[str, float] = {}
    for key, value in row.items():
        number = _number(value)
        if number is None or not isinstance(key, str):
            continue
        unit = UNIT_IN_NAME.search(key)
        name = UNIT_IN_NAME.sub("", key)
        if name in known or len(known) < MOST_KEYS:
            kept[known.setdefault(name, name)] = number * float(unit[1]) if unit else number
    return kept


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        try:
            return float(value)
        except OverflowError:
            return None
    if isinstance(value, str):
        text = value.strip().split("/")[0].removesuffix("%")
        if text in LITERALS:
            return LITERALS[text]
        try:
            return float(text)
        except ValueError:
            return None
    return None


def _aligned(rows: Sequence[Mapping[str, float]], container: str, n_left_out: int) -> Log:
    """Rows as series: rows of one step are joined, a step that falls back begins a new count."""
    kept = dict.fromkeys(name for row in rows for name in row)
    names = {name.lower(): name for name in kept}
    counted = next((names[name] for name in STEP_NAMES if name in names), None)
    joined = _joined(rows, counted)
    steps = sorted(joined)
    whole = all(step == int(step) for step in steps)
    series = {name: np.array([joined[step].get(name, np.nan) for step in steps]) for name in kept if name != counted}
    notes = []
    if n_left_out:
        notes.append(f"{n_left_out} row{'s' if n_left_out > 1 else ''} without training figures left out.")
    if len(rows) > len(steps):
        notes.append(f"{len(rows) - len(steps)} rows shared a step with another and were joined with it.")
    if len(kept) >= MOST_KEYS:
        notes.append(f"Only the first {MOST_KEYS} columns are read.")
    if counted and not whole:  # epochs, which are read as rows
        series[counted], counted = np.array(steps), None
    numbers = np.array(steps) if whole else np.arange(1.0, len(steps) + 1)
    return Log(numbers, series, counted or "row", container, tuple(notes))


def _joined(rows: Sequence[Mapping[str, float]], counted: str | None) -> dict[float, dict[str, float]]:
    """Rows by their step; of one without a step, that of the row before."""
    joined: dict[float, dict[str, float]] = {}
    latest = 0.0
    for i, row in enumerate(rows):
        step = row.get(counted, float("nan")) if counted else float(i + 1)
        if not np.isfinite(step):
            step = latest if joined else float(i + 1)
        here = joined.setdefault(step, {})
        here |= {name: value for name, value in row.items() if name not in here}
        latest = step
    return joined
