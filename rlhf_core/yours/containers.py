"""A reader's file as records, whatever its container is: JSONL, JSON, CSV, TSV or Parquet.

Every fault is a `ValueError` whose sentence says where it is and what is allowed.
"""

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

from rlhf_core.refused import MOST_CHARACTERS, shown
from rlhf_core.yours.files import LARGEST_FILE, LONGEST_LINE, decoded, lines_of, loads, unpacked

MOST_RECORDS = 200_000
MOST_COLUMNS, MOST_CELLS = 1_000, 2_000_000
PARQUET_ROWS = 16
"""Rows that are unpacked at a time: a column may hold the same long text again and again in next to no bytes."""
TOO_LARGE = f"the file must hold at most {LARGEST_FILE // 1_000_000} MB once unpacked"


@dataclass(frozen=True, slots=True)
class Records:
    """Records of a file, each with the number of the line on which it begins."""

    rows: tuple[dict[str, Any], ...]
    lines: tuple[int, ...]
    container: str
    """jsonl, json, csv, tsv or parquet."""


def records(data: bytes, name: str = "") -> Records:
    """Records of a file in any of the containers that people use.

    Parameters
    ----------
    data : bytes
        As uploaded; gzip is unpacked.
    name : str
        Its name, of which only the ending is read: it decides between CSV and TSV, and names Parquet.

    Raises
    ------
    ValueError
        If the file cannot be read; names line and reason.
    """
    data = unpacked(data)
    if data[:4] == b"PAR1":
        return _parquet(data)
    text = decoded(data)
    head = text.lstrip()[:1]
    if head == "[":
        return _json_list(text)
    if head == "{":
        return _json_lines(text)
    if text.lstrip()[:200].lower().startswith(("<!doctype", "<html", "<?xml")):
        raise ValueError("the file is a web page or XML; expected JSONL, JSON, CSV or TSV")
    return _table(text, "\t" if name.lower().removesuffix(".gz").endswith(".tsv") else "")


def _json_lines(text: str) -> Records:
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    for number, line in lines_of(text):
        try:
            value = loads(line)
        except ValueError as error:
            whole = _whole(text) if not rows else None
            if whole is not None:
                return whole
            raise ValueError(f"line {number} is not JSON: {_reason(error)}") from None
        if not isinstance(value, dict):
            raise ValueError(f"line {number} must be a JSON object, got {shown(value)}")
        rows.append(value)
        lines.append(number)
        _not_too_many(len(rows))
    return Records(tuple(rows), tuple(lines), "jsonl")


def _whole(text: str) -> Records | None:
    """A file that is one JSON object over several lines, or one that holds a list of records under a name."""
    try:
        value = loads(text)
    except ValueError:
        return None
    lists = [item for item in value.values() if isinstance(item, list) and item and isinstance(item[0], dict)]
    rows = max(lists, key=len) if lists else [value]
    _not_too_many(len(rows))
    return Records(tuple(row for row in rows if isinstance(row, dict)), tuple(range(1, len(rows) + 1)), "json")


def _json_list(text: str) -> Records:
    try:
        values = loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno} is not JSON: {error.msg}") from None
    if not values:
        raise ValueError("the file holds an empty list")
    _not_too_many(len(values))
    for number, value in enumerate(values, 1):
        if not isinstance(value, dict):
            raise ValueError(f"entry {number} must be a JSON object, got {shown(value)}")
    return Records(tuple(values), tuple(range(1, len(values) + 1)), "json")


def _reason(error: ValueError) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)[:MOST_CHARACTERS]


def _table(text: str, delimiter: str) -> Records:
    first = text[: text.find("\n")] if "\n" in text else text
    delimiter = delimiter or max("\t,;", key=first.count)
    if delimiter not in first:
        raise ValueError(f"line 1 must be a header with columns, or JSON; got {shown(first)}")
    csv.field_size_limit(LONGEST_LINE)
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restkey="", restval=None)
    try:
        width = len(reader.fieldnames or ())
        if width > MOST_COLUMNS:
            raise ValueError(f"line 1 must name at most {MOST_COLUMNS:,} columns, got {width:,}")
        for row in reader:
            if row.get(""):
                raise ValueError(f"line {reader.line_num} has more cells than the header")
            rows.append({name.strip(): value for name, value in row.items() if name})
            lines.append(reader.line_num)
            _not_too_many(len(rows))
            if len(rows) * width > MOST_CELLS:
                raise ValueError(f"the table must have at most {MOST_CELLS:,} cells")
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num} is not {'TSV' if delimiter == chr(9) else 'CSV'}: {error}") from None
    if not rows:
        raise ValueError("the table has a header and no rows")
    return Records(tuple(rows), tuple(lines), "tsv" if delimiter == "\t" else "csv")


def _parquet(data: bytes) -> Records:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise ValueError("Parquet needs the package pyarrow; save the file as JSONL or CSV") from None
    rows: list[dict[str, Any]] = []
    try:
        file, n_bytes = parquet.ParquetFile(io.BytesIO(data)), 0
        _not_too_many(file.metadata.num_rows)
        if sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups)) > LARGEST_FILE:
            raise ValueError(TOO_LARGE)
        for batch in file.iter_batches(batch_size=PARQUET_ROWS):
            columns = {name: _decoded(batch.column(name)) for name in batch.schema.names}
            n_bytes += sum(column.nbytes for column in columns.values())
            if n_bytes > LARGEST_FILE:
                raise ValueError(TOO_LARGE)
            values = [column.to_pylist() for column in columns.values()]
            rows += [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]
    except (ArrowException, OSError) as error:
        raise ValueError(f"the Parquet file is damaged: {str(error)[:MOST_CHARACTERS]}") from None
    if not rows:
        raise ValueError("the file has no rows")
    return Records(tuple(rows), tuple(range(1, len(rows) + 1)), "parquet")


def _decoded(column: Any) -> Any:
    """A column whose bytes say how large it is: one that names the entries of a dictionary is written out."""
    return column.dictionary_decode() if str(column.type).startswith("dictionary") else column


def _not_too_many(count: int) -> None:
    if count > MOST_RECORDS:
        raise ValueError(f"the file must hold at most {MOST_RECORDS:,} records")
