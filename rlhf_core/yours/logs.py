"""A training log, whoever wrote it: rows of named numbers along the steps.

Read are JSONL, JSON (a list, or `log_history` of a trainer's state), CSV, Markdown tables, and what trainers print on
a console: dictionaries between progress bars, and verl's `step:1 - key:value` lines.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rlhf_core.distributions import Array
from rlhf_core.yours import files

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
BARE = re.compile(r"(?<!['\"\w])(nan|inf|NaN|Infinity)(?!['\"\w])")
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
    numbers = [kept for row in rows if len(kept := _numbers(row)) >= FEWEST_KEYS and not _is_summary(row)]
    if not numbers:
        raise ValueError("no row of named numbers was found; expected JSONL, JSON, CSV, a table or a trainer's console")
    if len(numbers) > MOST_ROWS:
        raise ValueError(f"the log must have at most {MOST_ROWS:,} rows, got {len(numbers):,}")
    return _aligned(numbers, container, len(rows) - len(numbers))


def _rows(text: str, name: str) -> tuple[list[Mapping[str, Any]], str]:
    """Rows as mappings, and the container in words."""
    head = text.lstrip()[:1]
    if head in "[{":
        whole = _json(text)
        if whole is not None:
            return whole
        read = (_dictionary(line.strip()) for line in text.split("\n"))
        lines: list[Mapping[str, Any]] = [_flat(row) for row in read if isinstance(row, dict)]
        if lines and VERL_LINE.search(text) is None:
            return lines, "JSONL"
    if head == "|":
        return list(_markdown(text)), "Markdown table"
    verl: list[Mapping[str, Any]] = [_verl(match) for match in VERL_LINE.finditer(text)]
    if verl:
        return verl, "verl console"
    printed = list(_printed(text))
    if printed:
        return printed, "console"
    return list(files.records(text.encode(), name or "log.csv").rows), "table"


def _json(text: str) -> tuple[list[Mapping[str, Any]], str] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict) and isinstance(value.get("log_history"), list):
        return [row for row in value["log_history"] if isinstance(row, dict)], "trainer_state.json"
    if isinstance(value, list):
        return [row for row in value if isinstance(row, dict)], "JSON list"
    return ([value], "JSON object") if isinstance(value, dict) else None


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose figures stand under "data", as verl writes them, with its step."""
    inner = row.get("data")
    return {**inner, "step": row.get("step")} if isinstance(inner, dict) else row


def _dictionary(text: str) -> Any:
    """A dictionary as JSON or as Python prints it; None if it is neither."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(BARE.sub(r"'\1'", text))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _printed(text: str) -> Iterator[Mapping[str, Any]]:
    """Dictionaries that a trainer prints, wherever a progress bar leaves them on the line."""
    for line in text.replace("\r", "\n").split("\n"):
        start, end = line.find("{"), line.rfind("}")
        if 0 <= start < end and len(line) <= files.LONGEST_LINE:
            found = _dictionary(line[start : end + 1])
            if isinstance(found, dict):
                yield found


def _markdown(text: str) -> Iterator[Mapping[str, Any]]:
    lines = [line.strip().strip("|").split("|") for line in text.split("\n") if line.strip().startswith("|")]
    heads = [cell.strip() for cell in lines[0]]
    for cells in lines[1:]:
        if not all(set(cell.strip()) <= set("-: ") for cell in cells):
            yield {head: cell.strip() for head, cell in zip(heads, cells, strict=False)}


def _verl(match: re.Match[str]) -> dict[str, Any]:
    return {"step": match[1], **{name: value.replace(",", "") for name, value in VERL_PAIR.findall(match[2])}}


def _is_summary(row: Mapping[str, Any]) -> bool:
    return any(name in row for name in SUMMARY)


def _numbers(row: Mapping[str, Any]) -> dict[str, float]:
    """Named numbers of a row, those in quotes too; a unit in a name such as `lr(1e-4)` is multiplied in."""
    kept: dict[str, float] = {}
    for key, value in row.items():
        number = _number(value)
        if number is None or not isinstance(key, str) or len(kept) >= MOST_KEYS:
            continue
        unit = UNIT_IN_NAME.search(key)
        kept[UNIT_IN_NAME.sub("", key)] = number * float(unit[1]) if unit else number
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
    names = {name.lower(): name for row in rows for name in row}
    counted = next((names[name] for name in STEP_NAMES if name in names), None)
    joined: dict[float, dict[str, float]] = {}
    for i, row in enumerate(rows):
        step = row.get(counted, float("nan")) if counted else float(i + 1)
        if not np.isfinite(step):
            step = next(reversed(joined), 0.0) if joined else float(i + 1)
        here = joined.setdefault(step, {})
        here |= {name: value for name, value in row.items() if name not in here}
    steps = sorted(joined)
    whole = all(step == int(step) for step in steps)
    kept = dict.fromkeys(name for row in rows for name in row)
    series = {name: np.array([joined[step].get(name, np.nan) for step in steps]) for name in kept if name != counted}
    notes = []
    if n_left_out:
        notes.append(f"{n_left_out} row{'s' if n_left_out > 1 else ''} without training figures left out.")
    if len(rows) > len(steps):
        notes.append(f"{len(rows) - len(steps)} rows shared a step with another and were joined with it.")
    if counted and not whole:  # epochs, which are read as rows
        series[counted], counted = np.array(steps), None
    numbers = np.array(steps) if whole else np.arange(1.0, len(steps) + 1)
    return Log(numbers, series, counted or "row", container, tuple(notes))
